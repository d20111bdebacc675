"""The table of reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DIVIDE, TOP, ksplat_json

import ksplat

pyarrow = pytest.importorskip("pyarrow")


def test_each_row_is_a_report(logs: list[str]) -> None:
    table = pyarrow.table(ksplat.to_arrow(logs, 50, threads=2))
    reports = [(report, ksplat.sign(report)) for log in logs for report in ksplat.reports(log)]
    rows = table.to_pylist()
    assert len(rows) == len(reports) > 100
    for row, (report, signature) in zip(rows, reports):
        frames = report.crash_stack or (report.stacks[0] if report.stacks else None)
        assert row == {
            "file": report.file,
            "index": report.index,
            "start": report.span.start,
            "end": report.span.end,
            "line": report.span.line,
            "time": report.time,
            "wall_time": report.wall_time,
            "kind": report.kind,
            "title": report.title,
            "alt_titles": report.alt_titles,
            "type": report.type,
            "frame": report.frame,
            "headline": report.headline,
            "message": report.message,
            "complete": report.complete,
            "incomplete": report.incomplete,
            "corrupted": report.corrupted_code,
            "suppressed": report.suppressed,
            "panicked": report.panicked,
            "consequences": report.consequences,
            "occurrence": report.occurrence or 1,
            "guilty_file": report.guilty_file,
            "blame": report.blame and report.blame.function,
            "blame_reason": report.blame and report.blame.code,
            "suspects": [one.function for one in report.suspects],
            "suspect_files": [one.file for one in report.suspects],
            "suspect_probabilities": pytest.approx([one.probability for one in report.suspects]),
            "subsystem": report.suspects[0].subsystem if report.suspects else None,
            "diagnosis": report.diagnosis and report.diagnosis.summary,
            "explanation": report.explanation and report.explanation.summary,
            "release": report.kernel.release,
            "arch": report.kernel.arch,
            "tainted": report.kernel.tainted,
            "hardware": report.kernel.hardware,
            "build_id": report.kernel.build_id,
            "comm": report.task.comm,
            "pid": report.task.pid,
            "cpu": report.task.cpu,
            "access": report.access and report.access.kind,
            "access_size": report.access and report.access.size,
            "access_address": report.access and report.access.address,
            "stack": [frame.function for frame in frames.frames] if frames else [],
            "family": signature.family,
            "site": signature.site and signature.site.functions[0],
            "impact": signature.impact.name,
            "exact": signature.exact,
            "signature": signature.to_json(),
        }


def test_the_schema_is_that_of_the_constant() -> None:
    stream = ksplat.to_arrow([])
    schema = pyarrow.schema(stream)
    names = [name for name, *_ in ksplat.ARROW_COLUMNS]
    assert schema.names == names and len(set(names)) == len(names)
    for name, _, required, doc in ksplat.ARROW_COLUMNS:
        field = schema.field(name)
        assert field.nullable is not required and field.metadata[b"description"] == doc.encode()
    assert schema.metadata[b"ksplat.schema"] == str(ksplat.ARROW_SCHEMA_VERSION).encode()
    assert schema.metadata[b"ksplat.fingerprint"] == str(ksplat.FINGERPRINT_VERSION).encode()
    assert pyarrow.table(stream).num_rows == 0


def test_the_columns_are_documented() -> None:
    page = (TOP / "docs/src/python.md").read_text()
    for name, kind, required, doc in ksplat.ARROW_COLUMNS:
        kind = kind if required else f"{kind}, optional"
        assert f"| `{name}` | {kind} | {doc} |" in page, name


def test_batches_are_in_order_on_any_number_of_threads(logs: list[str]) -> None:
    one = pyarrow.table(ksplat.to_arrow(logs, 7, threads=1))
    for size, threads in [(1, 3), (100, 2), (1024, None), (10**6, 4)]:
        assert pyarrow.table(ksplat.to_arrow(logs, size, threads=threads)).equals(one)
    sizes = [batch.num_rows for batch in one.to_batches()]
    assert len(sizes) > 10


def test_logs_are_paths_bytes_or_pairs() -> None:
    log = DIVIDE.read_bytes()
    path = str(DIVIDE)
    table = pyarrow.table(ksplat.to_arrow(iter([path, DIVIDE, log, bytearray(log), ("id-7", log), ("p", path)])))
    assert table["file"].to_pylist() == [path, path, "2", "3", "id-7", "p"]
    for alone in (path, DIVIDE, log):
        assert pyarrow.table(ksplat.to_arrow(alone)).num_rows == 1


def test_a_bad_log_ends_the_stream_or_is_listed(tmp_path: Path) -> None:
    logs = [str(DIVIDE), str(tmp_path / "no.log"), ("binary", b"\x01" * 100), None, str(DIVIDE)]
    with pytest.raises(Exception, match="no.log"):
        pyarrow.table(ksplat.to_arrow(logs[:3]))
    with pytest.raises(Exception, match="a log is bytes or the path of a file, not NoneType"):
        pyarrow.table(ksplat.to_arrow([None]))  # type: ignore[list-item]
    bad: list[tuple[str, Exception]] = []
    table = pyarrow.table(ksplat.to_arrow(logs[:3] + logs[4:], bad=bad, threads=1))
    assert table.num_rows == 2
    assert [(name, type(error)) for name, error in bad] == [
        (logs[1], FileNotFoundError),
        ("binary", ksplat.LogError),
    ]


def test_an_exception_of_the_iterator_is_the_error() -> None:
    def logs():  # type: ignore[no-untyped-def]
        yield str(DIVIDE)
        raise RuntimeError("the bucket is gone")

    with pytest.raises(Exception, match="the bucket is gone"):
        pyarrow.table(ksplat.to_arrow(logs()))


def test_a_stream_is_read_once_and_lazily() -> None:
    taken = []

    def logs():  # type: ignore[no-untyped-def]
        for number in range(10):
            taken.append(number)
            yield DIVIDE

    stream = ksplat.to_arrow(logs(), 1, threads=1)
    assert taken == []
    reader = pyarrow.RecordBatchReader.from_stream(stream)
    assert reader.read_next_batch().num_rows == 1 and len(taken) < 10
    with pytest.raises(ValueError, match="read already"):
        pyarrow.table(stream)


def test_the_file_of_the_program_is_the_same_table(logs: list[str], tmp_path: Path) -> None:
    """Only with a program that has the feature `arrow`."""
    import subprocess

    from conftest import program

    features = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    if "+arrow" not in features.stdout:
        pytest.skip("the program has no feature arrow")
    out = tmp_path / "reports.arrow"
    subprocess.run([program(), "parse", "-q", "--format", "arrow", "-o", out, *logs], check=False)
    with pyarrow.ipc.open_file(out) as file:
        assert file.read_all().equals(pyarrow.table(ksplat.to_arrow(logs)))


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_others_read_it(name: str, logs: list[str]) -> None:
    library = pytest.importorskip(name)
    stream = ksplat.to_arrow(logs)
    expected = len(ksplat_json("parse", "--quiet", *logs))
    if name == "polars":
        assert library.DataFrame(stream).height == expected
    else:
        assert library.sql("select count(*) from stream").fetchall() == [(expected,)]
