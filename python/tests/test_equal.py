"""Each answer equals the JSON of the program."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from conftest import DIVIDE, TOP, ksplat, ksplat_json

import ksplat as package
from ksplat import bisect


def test_reports_equal_those_of_the_program(logs: list[str]) -> None:
    expected = ksplat_json("parse", "--quiet", "--information", *logs)
    parser = package.Parser(information=True)
    found = [report for log in logs for report in package.reports(log, parser=parser)]
    assert [report.to_dict() for report in found] == expected
    assert all(json.loads(report.to_json()) == one for report, one in zip(found, expected))


def test_reports_equal_the_snapshots_of_the_corpus(logs: list[str]) -> None:
    """The snapshots are of `tests/corpus.rs`, without signatures and numbers of equal reports."""
    decoder = json.JSONDecoder()
    for log in logs:
        text, at, expected = Path(log).with_suffix(".json").read_text().strip(), 0, []
        while at < len(text):
            report, at = decoder.raw_decode(text, at)
            expected.append(report)
            at += 1
        found = []
        for report in package.reports(log, name="-", parser=package.Parser(information=True)):
            fields = report.to_dict()
            found.append({key: fields[key] for key in fields if key not in ("signature", "occurrence")})
        assert found == expected, log


def test_options_are_those_of_the_program() -> None:
    log = str(DIVIDE.relative_to(TOP))
    for options, flags in [
        ({"syntax": "intel"}, ["--syntax", "intel"]),
        ({"text": True}, ["--text"]),
        ({"parser": package.Parser(max_frames=3)}, ["--max-frames", "3"]),
    ]:
        found = [report.to_dict() for report in package.reports(log, **options)]
        assert found == ksplat_json("parse", *flags, log)


def test_images_resolve_frames() -> None:
    log, fixture = "tests/fixture/oops.log", "tests/fixture"
    expected = ksplat_json(
        "parse", "--vmlinux", f"{fixture}/vmlinux", "--modules", fixture, log
    )
    symbolizer = package.Symbolizer(f"{fixture}/vmlinux", fixture)
    reports = list(package.reports(log, symbolizer=symbolizer))
    assert [report.to_dict() for report in reports] == expected
    assert any(frame.file for report in reports for stack in report.stacks for frame in stack.frames)
    assert reports[0].image_check is not None


def test_text_is_that_of_the_program(logs: list[str]) -> None:
    for log in logs[::10]:
        reports = list(package.reports(log))
        if reports and reports[0].occurrence is None:
            page = ksplat("parse", "--quiet", "--all", log)
            assert page == "\n".join(package.explain(report, all=True) for report in reports)


def test_code_equals_that_of_the_program() -> None:
    line = "Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3"
    decoded = package.code(line)
    assert decoded.to_dict() == ksplat_json("code", line)
    assert [one.text for one in decoded.instructions if one.trapping] == ["mov %rdx,0x68(%rax)"]
    assert package.code(line, syntax="intel").to_dict() == ksplat_json("code", "--syntax", "intel", line)


def test_audits_equal_those_of_the_program() -> None:
    logs = sorted(str(path) for path in Path("tests/bisections").glob("*.txt"))
    assert logs
    for log in logs:
        audit = bisect.audit(log)
        [expected] = ksplat_json("bisect", log)
        assert audit.to_dict() == expected
        assert audit.trust in ("sound", "doubtful", "wrong") and audit.steps[0].rate.runs >= 0


def test_clusters_equal_those_of_the_program(logs: list[str], tmp_path: Path) -> None:
    """In any order, and in parts that are merged; the logs of the corpus, of which many hang."""
    # The program takes times from logs and files.
    def timeless(cluster: dict[str, Any]) -> dict[str, Any]:
        members = [{**member, "seen": None} for member in cluster["members"]]
        return {**cluster, "members": members, "seen": None}

    clusters = json.loads(ksplat("cluster", "--format", "json", "-q", *logs))["clusters"]
    expected = {one["id"]: timeless(one) for one in clusters}
    index = package.Index()
    for log in logs:
        for report in package.reports(log):
            index.add(report)
    found = index.cluster()
    assert {one.id: timeless(one.to_dict()) for one in found} == expected
    assert sorted(number for one in found for number in one.reports) == list(range(len(index)))

    shuffled, parts = random.Random(1).sample(logs, len(logs)), [package.Index(), package.Index()]
    for number, log in enumerate(shuffled):
        for report in package.reports(log):
            parts[number % 2].add(package.sign(report))
    parts[0].merge(parts[1])
    assert {one.id: one.count for one in parts[0].cluster()} == {k: v["count"] for k, v in expected.items()}


def test_a_monitor_gives_the_reports_of_the_log() -> None:
    log = DIVIDE.read_bytes()
    monitor = package.Monitor()
    events = [event for at in range(0, len(log), 100) for event in monitor.push(log[at : at + 100])]
    events += monitor.finish()
    assert isinstance(events[0], package.Started) and events[0].kind == "divide-error"
    reports = [event for event in events if isinstance(event, package.Report)]
    assert [report.to_dict() for report in reports] == [report.to_dict() for report in package.reports(log)]
    assert package.sign(reports[0]) == package.sign(next(package.reports(log)))
