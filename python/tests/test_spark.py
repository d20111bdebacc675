"""Spark's bugs are those of `ksplat cluster`. Needs PySpark (`pip install ksplat[spark]`) and Java.

The plan is that of `ksplat.duckdb`, whose tests have more cases, because a stage of Spark takes half a second at least.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import TOP
from engines import check, clusters, corpus, counts, file, links, partition, rows, shared

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Java is not here", allow_module_level=True)

import noise  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

from ksplat import spark as job  # noqa: E402

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def spark() -> Any:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2")
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
    session = builder.getOrCreate()
    yield session
    session.stop()


def run(capsys: Capture, logs: Path, out: Path, *more: str) -> dict[str, Any]:
    assert job.main(["--logs", str(logs), "--out", str(out), *more]) == 0
    return counts(capsys)


def check_both(spark: SparkSession, capsys: Capture, logs: Path, out: Path) -> dict[str, Any]:
    """The job clusters on the engine, and a call in the driver."""
    found = run(capsys, logs, out, "--cluster", "engine")
    place = found["run"]
    expected = clusters(logs)
    check(expected, rows(place, "members"), rows(place, "bugs"))
    tables = job.bugs(spark.read.parquet(f"{place}/reports"), cluster="driver")
    members = tables.members.toArrow().to_pylist()
    check(expected, members, tables.bugs.toArrow().to_pylist(), perhaps=True)
    assert links(tables.links.toArrow().to_pylist()) == links(rows(place, "links"))
    assert found["bugs"] == len(expected)
    return found


def test_the_bugs_are_those_of_the_program(spark: SparkSession, tmp_path: Path, capsys: Capture) -> None:
    found = check_both(spark, capsys, corpus(tmp_path / "logs"), tmp_path / "out")
    assert found["reports"] > 300 and found["bad"] == 0
    assert found["distinct"] < found["reports"]
    stages = {row["stage"]: row["rows"] for row in rows(found["run"], "stages")}
    assert stages["entries"] < found["distinct"] and stages["links"] == found["links"]


def test_a_stopped_run_continues_and_another_one_keeps_the_ids(
    spark: SparkSession, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, out = tmp_path / "logs", tmp_path / "out"
    for name in ("hung-task", "divide-error"):
        shutil.copytree(TOP / "corpus" / name, logs / name, ignore=shutil.ignore_patterns("*.json", "*.case"))
    plain, written = job.Engine._write, []

    def write(engine: job.Engine, name: str, frame: Any) -> None:
        written.append(name)
        if written.count(name) == 1 and name == "entries":
            # What a driver leaves that was killed while tasks wrote.
            part = Path(engine.path(name), "_temporary", "part")
            part.parent.mkdir(parents=True)
            part.write_bytes(b"PAR1, and no more")
            raise KeyboardInterrupt
        plain(engine, name, frame)

    monkeypatch.setattr(job.Engine, "_write", write)
    with pytest.raises(KeyboardInterrupt):
        run(capsys, logs, out)
    first = run(capsys, logs, out)
    assert first["run"].endswith("/0001") and written.count("reports") == 1 and written.count("entries") == 2
    check(clusters(logs), rows(first["run"], "members"), rows(first["run"], "bugs"), perhaps=True)
    later = logs / "later.log"
    shutil.copyfile(TOP / "corpus/divide-error/divide.log", later)
    second = run(capsys, logs, out)
    assert second["run"].endswith("/0002") and second["files"] == 1
    assert {file(row["file"]) for row in rows(second["run"], "reports")} == {str(later)}
    check(clusters(logs), rows(second["run"], "members"), rows(second["run"], "bugs"), ids=False)
    assert {row["id"] for row in rows(second["run"], "bugs")} == {row["id"] for row in rows(first["run"], "bugs")}


def test_bad_logs_fail_no_task(spark: SparkSession, tmp_path: Path) -> None:
    log = (TOP / "corpus/divide-error/divide.log").read_bytes()
    rows = [("good", log), ("binary", b"\x01" * 100), ("null", None), ("packed", b"\x1f\x8b\x08"), ("empty", b"")]
    found = job.reports(spark.createDataFrame(rows, "path string, content binary"))
    assert {row.file: row.error for row in found.collect()} == {
        "good": None,
        "binary": "is not text: name a console log",
        "null": "the log is null",
        "packed": "is packed by gzip: pass `gzip.open(path).read()`",
    }
    size = b"""BUG: KASAN: slab-out-of-bounds in f+0x1/0x2
Write of size 18446744073709551584 at addr ffff888000000000 by task a/1
"""
    [row] = job.reports(spark.createDataFrame([("size", size)], "path string, content binary")).collect()
    assert row.access_size == -32
    text = spark.createDataFrame([("text", log.decode())], "path string, content string")
    assert [row.title for row in job.reports(text).collect()] == ["divide error in cm_rate_div"]


@pytest.mark.parametrize("folder", ["farm/logs", "dedup/intel", "dedup/study"])
def test_the_bugs_of_the_data_beside_the_project(
    folder: str, spark: SparkSession, tmp_path: Path, capsys: Capture
) -> None:
    check_both(spark, capsys, shared(folder), tmp_path / "out")


def test_decisions_of_the_data_beside_the_project(spark: SparkSession, tmp_path: Path, capsys: Capture) -> None:
    logs = shared("farm/logs")
    free = run(capsys, logs, tmp_path / "free")["run"]
    apart = [(row["a"], row["b"]) for row in rows(free, "links")[::4]]
    decisions = tmp_path / "decisions"
    decisions.write_text("".join(f"apart {a} {b}\n" for a, b in apart))
    driver, engine = (
        run(capsys, logs, tmp_path / mode, "--cluster", mode, "--decisions", str(decisions))["run"]
        for mode in ("driver", "engine")
    )
    assert partition(rows(driver, "members")) == partition(rows(engine, "members"))
    assert links(rows(driver, "links")) == links(rows(engine, "links"))
    of = {row["exact"]: row["bug"] for row in rows(engine, "members")}
    assert all(of[a] != of[b] for a, b in apart)


def test_the_bugs_of_many_logs_with_noise(spark: SparkSession, tmp_path: Path, capsys: Capture) -> None:
    shared("farm/logs")
    logs = [path.read_bytes() for path in sorted(TOP.glob("corpus/*/*.log"))]
    noise.write(logs, tmp_path / "logs", 100_000, seed=2, variants=20)
    check_both(spark, capsys, tmp_path / "logs", tmp_path / "out")
