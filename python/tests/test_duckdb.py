"""DuckDB's bugs are those of `ksplat cluster`. Needs `pip install ksplat[duckdb]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import TOP
from engines import check, clusters, corpus, counts, links, partition, rows, shared

pytest.importorskip("duckdb")

import noise  # noqa: E402
import pyarrow  # noqa: E402

import ksplat as package  # noqa: E402
from ksplat import _plan, steps  # noqa: E402
from ksplat import duckdb as job  # noqa: E402

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, logs: Path, out: Path, *more: str) -> dict[str, Any]:
    assert job.main(["--logs", str(logs), "--out", str(out), *more]) == 0
    return counts(capsys)


def both(capsys: Capture, logs: Path, out: Path, *more: str) -> tuple[str, str]:
    """Clusters in the driver and on the engine. Returns the runs."""
    driver = run(capsys, logs, out / "driver", "--cluster", "driver", *more)["run"]
    engine = run(capsys, logs, out / "engine", "--cluster", "engine", *more)["run"]
    assert partition(rows(driver, "members")) == partition(rows(engine, "members"))
    assert links(rows(driver, "links")) == links(rows(engine, "links"))
    return driver, engine


def check_both(capsys: Capture, logs: Path, out: Path) -> str:
    driver, engine = both(capsys, logs, out)
    expected = clusters(logs)
    check(expected, rows(driver, "members"), rows(driver, "bugs"), perhaps=True)
    check(expected, rows(engine, "members"), rows(engine, "bugs"))
    return engine


def test_the_bugs_are_those_of_the_program(tmp_path: Path, capsys: Capture) -> None:
    check_both(capsys, corpus(tmp_path / "logs"), tmp_path)


def test_the_bugs_of_logs_with_noise(tmp_path: Path, capsys: Capture) -> None:
    logs = [path.read_bytes() for path in sorted(TOP.glob("corpus/*/*.log"))]
    noise.write(logs, tmp_path / "logs", 3000, seed=1, variants=5)
    engine = check_both(capsys, tmp_path / "logs", tmp_path)
    rules = {row["how"] for row in rows(engine, "links")}
    assert {"site", "stack", "locks", "warning", "title", "score"} <= rules


@pytest.mark.parametrize("folder", ["farm/logs", "dedup/intel", "dedup/study"])
def test_the_bugs_of_the_data_beside_the_project(folder: str, tmp_path: Path, capsys: Capture) -> None:
    check_both(capsys, shared(folder), tmp_path)


def test_the_bugs_of_many_logs_with_noise(tmp_path: Path, capsys: Capture) -> None:
    shared("farm/logs")
    logs = [path.read_bytes() for path in sorted(TOP.glob("corpus/*/*.log"))]
    noise.write(logs, tmp_path / "logs", 100_000, seed=2, variants=20)
    check_both(capsys, tmp_path / "logs", tmp_path)


def test_decisions(tmp_path: Path, capsys: Capture) -> None:
    logs = corpus(tmp_path / "logs", "a")
    _, free = both(capsys, logs, tmp_path / "free")
    found = rows(free, "links")
    apart = [(row["a"], row["b"]) for row in found[::4]]
    ids = sorted(row["id"] for row in rows(free, "bugs"))
    exact = {row["exact"] for row in rows(free, "variants") if not row["alone"]}
    usable = [id for id in ids if id in exact]
    together = list(zip(usable[::9], usable[4::9]))
    lines = [f"apart {a} {b}  # not one bug" for a, b in apart] + [f"together {a} {b}" for a, b in together]
    decisions = tmp_path / "decisions"
    decisions.write_text("\n".join([*lines, "", "apart ffffffffffffffff 0000000000000000"]))
    _, engine = both(capsys, logs, tmp_path / "decided", "--decisions", str(decisions))
    of = {row["exact"]: row["bug"] for row in rows(engine, "members")}
    assert all(of[a] != of[b] for a, b in apart)
    forced = [row for row in rows(engine, "links") if row["how"] == "forced"]
    assert forced and all(of[row["a"]] == of[row["b"]] for row in forced)
    decisions.write_text("apart f 1\n")
    assert job.main(["--logs", str(logs), "--out", str(tmp_path / "bad"), "--decisions", str(decisions)]) == 2
    assert "line 1 of the decisions" in capsys.readouterr().err


def test_another_run_adds_new_logs_and_keeps_the_ids(tmp_path: Path, capsys: Capture) -> None:
    logs, out = corpus(tmp_path / "logs"), tmp_path / "out"
    kept = tmp_path / "kept"
    later = [path for number, path in enumerate(sorted(logs.glob("*/*.log"))) if number % 3 == 1]
    for path in later:
        place = kept / path.relative_to(logs)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    first = run(capsys, logs, out)
    for path in later:
        (kept / path.relative_to(logs)).rename(path)
    second = run(capsys, logs, out, "--cluster", "engine")
    assert (Path(first["run"]).name, Path(second["run"]).name) == ("0001", "0002")
    # Only the new logs are read.
    assert second["files"] == len(later)
    assert {row["file"] for row in rows(second["run"], "reports")} <= {str(path) for path in later}
    members = rows(second["run"], "members")
    bugs = rows(second["run"], "bugs")
    check(clusters(logs), members, bugs, ids=False)
    before = {(row["file"], row["index"]): row["bug"] for row in rows(first["run"], "members")}
    after: dict[str, set[str]] = {}
    for row in members:
        old = before.get((row["file"], row["index"]))
        after.setdefault(row["bug"], set()).update([old] if old else [])
    assert all(bug in old for bug, old in after.items() if old)
    # Some have a member with a smaller hash now, which is the ID of a cluster.
    least: dict[str, str] = {}
    for row in members:
        least[row["bug"]] = min(row["exact"], least.get(row["bug"], row["exact"]))
    assert any(bug != exact for bug, exact in least.items())
    # Nothing is new.
    third = run(capsys, logs, out)
    assert (third["files"], third["reports"]) == (0, second["reports"])
    assert {row["id"] for row in rows(third["run"], "bugs")} == {row["id"] for row in bugs}
    other = run(capsys, logs, tmp_path / "other", "--previous", str(out))
    assert (other["files"], other["reports"]) == (0, second["reports"])


def test_ids_of_bugs_that_part(tmp_path: Path) -> None:
    """The part with most members keeps the ID, and the other one has one that no bug had."""
    engine = job.Engine(str(tmp_path))
    plan = _plan.Plan(engine)
    members = [("a", "1", "1"), ("b", "2", "1"), ("c", "2", "1"), ("d", "4", "4"), ("e", "5", "5"), ("f", "6", "6")]
    schema = _plan.PREVIOUS["members"]
    plan.save_rows("before", "", schema, lambda: [(file, 0, exact, bug) for file, exact, bug in members])
    plan.view("old_members", "SELECT * FROM {before}")
    plan.view("old_bugs", "SELECT DISTINCT bug AS id FROM {before}")
    # 1 and 2 part; 4 and 5 are one; 3 joins 6, with a smaller hash; 9 is new.
    sets = [("1", "1"), ("2", "2"), ("4", "4"), ("5", "4"), ("3", "3"), ("6", "3"), ("9", "9")]
    plan.save_rows("sets", "", _plan.SETS, lambda: sets)
    plan.name()
    ids = dict(plan.rows("SELECT bug, id FROM {ids}"))
    assert len(ids.pop("1")) == 16
    assert ids == {"2": "1", "4": "4", "3": "6", "9": "9"}


class Killed(Exception):
    """The end of a run."""


@pytest.mark.parametrize("stage", ["reports", "entries", "stars_1_1", "scored", "bugs", "stages"])
def test_a_run_that_was_stopped_continues(
    stage: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = corpus(tmp_path / "logs", "a")
    written: list[str] = []
    plain = job.Engine._part

    def part(engine: job.Engine, name: str) -> Path:
        if name == stage and stage not in written:
            written.append(name)
            path = plain(engine, name)
            path.write_bytes(b"PAR1, and no more")
            raise Killed
        written.append(name)
        return plain(engine, name)

    monkeypatch.setattr(job.Engine, "_part", part)
    arguments = ["--logs", str(logs), "--out", str(tmp_path / "out"), "--cluster", "engine"]
    with pytest.raises(Killed):
        job.main(arguments)
    done = set(written) - {stage}
    assert job.main([*arguments, "--information"]) == 2
    assert "had other arguments" in capsys.readouterr().err
    written.append("again")
    assert job.main(arguments) == 0
    after = written[written.index("again") + 1 :]
    assert stage in after and not done & set(after)
    found = counts(capsys)
    assert Path(found["run"]).name == "0001"
    check(clusters(logs), rows(found["run"], "members"), rows(found["run"], "bugs"))


def test_bad_logs_are_rows(tmp_path: Path, capsys: Capture) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "good").write_bytes((TOP / "corpus/divide-error/divide.log").read_bytes())
    (logs / "binary").write_bytes(b"\x01" * 100)
    (logs / "empty").write_bytes(b"")
    (logs / "gone").symlink_to("nothing")
    found = run(capsys, logs, tmp_path / "out")
    assert (found["files"], found["reports"], found["bad"]) == (4, 1, 2)
    errors = {Path(row["file"]).name: row["error"] for row in rows(found["run"], "bad")}
    assert errors["binary"].endswith("is not text: name a console log") and "No such file" in errors["gone"]
    (tmp_path / "nothing").mkdir()
    nothing = run(capsys, tmp_path / "nothing", tmp_path / "none", "--cluster", "engine")
    assert (nothing["files"], nothing["bugs"]) == (0, 0)
    with pytest.raises(FileNotFoundError):
        job.main(["--logs", str(tmp_path / "no"), "--out", str(tmp_path / "x")])
    assert job.main(["--logs", str(logs), "--out", str(tmp_path / "y"), "--previous", str(tmp_path / "z")]) == 2


def test_the_bugs_of_a_table() -> None:
    logs = sorted(TOP.glob("corpus/*/*.log"))
    one = job.bugs(package.to_arrow(logs), cluster="driver")
    other = job.bugs(package.to_arrow(logs), cluster="engine")
    assert partition(one.members.to_pylist()) == partition(other.members.to_pylist())
    assert links(one.links.to_pylist()) == links(other.links.to_pylist())
    assert one.bugs.schema.names == list(job.BUGS)
    [row, *_] = one.links.to_pylist()
    parted = job.bugs(package.to_arrow(logs), cluster="engine", apart=[(row["a"], row["b"])])
    of = {member["exact"]: member["bug"] for member in parted.members.to_pylist()}
    assert of[row["a"]] != of[row["b"]]


def test_long_paths_are_connected() -> None:
    """A path of 1,000 hashes and a circle, in a few rounds."""
    engine = job.Engine()
    plan = _plan.Plan(engine)
    chain = [f"{number * 7919 % 1009:016x}" for number in range(1009)]
    circle = [f"{number + 5000:016x}" for number in range(10)]
    pairs = [*zip(chain, chain[1:]), *zip(circle, [*circle[1:], circle[0]])]
    plan.save_rows("pairs", "", {"a": "string", "b": "string"}, lambda: pairs)
    stars = plan.connect("x", "SELECT a, b FROM {pairs}")
    found = dict(plan.rows(f"SELECT a, b FROM {{{stars}}}"))
    assert found == {hash: chain[0] for hash in chain[1:]} | {hash: circle[0] for hash in circle[1:]}
    assert int(stars.rsplit("_", 1)[1]) <= 12


def test_steps_are_those_of_an_index() -> None:
    reports = [report for log in sorted(TOP.glob("corpus/*/*.log")) for report in package.reports(log)]
    texts = sorted({json.dumps(package.sign(report).to_dict()) for report in reports})
    keys = steps.keys(texts)
    usable = [text for text, key in zip(texts, keys) if key[2] is not None]
    index = package.Index()
    for text in usable[:2]:
        index.add(package.Signature(text))
    [score] = steps.score([(usable[0], usable[1])])
    assert score in steps.score([(usable[1], usable[0])])
    [merged] = steps.merge([[usable[0], usable[0]]])
    assert json.loads(merged) == json.loads(usable[0])
    near: dict[str, list[str]] = {}
    for text, key in zip(texts, keys):
        for name in key[5]:
            near.setdefault(name, []).append(text)
    groups = list(near.values())
    scores = steps.scores(groups, 0.0)
    assert [sorted(pairs) for pairs in steps.candidates(groups)] == [sorted(s[:2] for s in links) for links in scores]
    for wrong in (lambda: steps.keys(["{}"]), lambda: steps.edges([("x", [])]), lambda: steps.titles([[(usable[0], "y")]])):
        with pytest.raises((package.SignatureError, ValueError)):
            wrong()
    with pytest.raises(ValueError, match="unknown name"):
        steps.components([([("0" * 16, "1" * 16, "no such", 1.0, "", None)], [])])
