"""Classes, index, store, and wrong calls."""

from __future__ import annotations

import copy
import keyword
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DIVIDE, TOP

import ksplat

BINARY = bytes(range(1, 7)) * 1000


def first() -> ksplat.Report:
    return next(ksplat.reports(DIVIDE))


def test_the_generated_classes_are_current() -> None:
    subprocess.run([sys.executable, TOP / "python/generate.py", "--check"], check=True)
    assert set(ksplat._model.__all__) <= set(ksplat.__all__)


def test_attributes_are_the_fields_of_the_json(logs: list[str]) -> None:
    """Each property of each class answers, and each key of each answer is a property."""
    seen: set[str] = set()

    def check(record: ksplat.Report | object) -> None:
        fields = record.to_dict()  # type: ignore[attr-defined]
        assert set(fields) <= set(type(record)._keys), type(record)  # type: ignore[attr-defined]
        for key in fields:
            value = getattr(record, key + "_" if keyword.iskeyword(key) else key)
            for one in value if isinstance(value, list) else [value]:
                if hasattr(one, "to_dict"):
                    check(one)
        seen.add(type(record).__name__)

    for log in logs:
        for report in ksplat.reports(log, text=True):
            check(report)
            check(ksplat.sign(report))
    assert len(seen) > 50, sorted(seen)


def test_a_report_reads_well() -> None:
    report = first()
    assert report.title == "divide error in cm_rate_div"
    assert report.crash_stack is not None and report.crash_stack.frames[0].function == "cm_rate_div"
    assert report.suspects[0].probability > 0 and report.registers["rip" if "rip" in report.registers else "rax"]
    assert report.memory is None and report.locks == [] and report.revises is False
    assert repr(report) == f"Report('divide error in cm_rate_div', '{DIVIDE}#0')"
    for one in (report, report.kernel, report.stacks[0].frames[0], ksplat.sign(report)):
        assert "\n" not in repr(one) and len(repr(one)) < 200
        page = one._repr_html_()
        assert page.startswith("<") and "<script" not in page
    assert ksplat.reports.__doc__ and ksplat.Report.title.__doc__ and ksplat.Frame.function.__doc__


def test_reports_are_values() -> None:
    report = first()
    for other in (first(), pickle.loads(pickle.dumps(report)), copy.deepcopy(report)):
        assert other == report and hash(other) == hash(report)
        assert ksplat.sign(other) == ksplat.sign(report)
    changed = report.to_dict()
    changed["title"] = "x"
    assert report.title != "x" and ksplat.Report(changed) != report
    with pytest.raises(AttributeError):
        report.title = "x"  # type: ignore[misc]


def test_html_of_untrusted_text_is_escaped() -> None:
    log = b"BUG: unable to handle page fault\nkernel BUG at <script>alert(1)</script>!\n"
    report = ksplat.Report({**first().to_dict(), "title": "<script>\u202e\x1b[31m"})
    page = report._repr_html_() + "".join(one._repr_html_() for one in ksplat.reports(log))
    assert "<script" not in page and "\u202e" not in page and "\x1b" not in page


def test_only_explained_reports_are_signed() -> None:
    report = first()
    assert ksplat.sign(report).exact == report.signature.exact  # type: ignore[union-attr]
    with pytest.raises(ksplat.SignatureError, match=r"ksplat\.reports") as raised:
        ksplat.sign(ksplat.Report(report.to_dict()))
    assert raised.value.code == "not-parsed"
    with pytest.raises(TypeError, match="not dict"):
        ksplat.sign(report.to_dict())  # type: ignore[arg-type]
    old = {**ksplat.sign(report).to_dict(), "version": 1}
    with pytest.raises(ksplat.SignatureError, match="version 1") as raised:
        ksplat.Index().add(ksplat.Signature(old))
    assert (raised.value.found, raised.value.supported) == (1, ksplat.FINGERPRINT_VERSION)
    with pytest.raises(ksplat.SignatureError) as raised:
        ksplat.Index().add(ksplat.Signature("{"))
    assert raised.value.code == "not-json" and raised.value.line == 1


def test_bytes_of_each_kind_are_read() -> None:
    log = DIVIDE.read_bytes()
    expected = [report.to_dict() for report in ksplat.reports(log)]
    for same in (bytearray(log), memoryview(log), memoryview(bytearray(log))):
        assert [report.to_dict() for report in ksplat.reports(same)] == expected
    for path in (str(DIVIDE), DIVIDE):
        named = [report.to_dict() for report in ksplat.reports(path, name="-")]
        assert named == expected


def test_a_log_without_a_report_has_none() -> None:
    for log in (b"", b"\n", b"\0" * 100, b"all is well\n", "é\n".encode("latin-1")):
        assert list(ksplat.reports(log)) == []


@pytest.mark.parametrize("call", [lambda log: list(ksplat.reports(log)), ksplat.bisect.audit])
def test_bad_logs_are_exceptions(call, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for log in (None, 5, 1.5, [b""], {}, object()):
        with pytest.raises(TypeError, match="a log is bytes or the path of a file, not"):
            call(log)
    with pytest.raises(FileNotFoundError, match="No such file or directory: '.*no.log'"):
        call(tmp_path / "no.log")
    with pytest.raises(IsADirectoryError):
        call(tmp_path)
    with pytest.raises(ksplat.LogError, match="is not text") as raised:
        call(BINARY)
    assert (raised.value.code, raised.value.path) == ("binary", None)
    packed = tmp_path / "log.gz"
    packed.write_bytes(b"\x1f\x8b\x08" + BINARY)
    with pytest.raises(ksplat.LogError, match=re.escape(f"{packed}: is packed by gzip")) as raised:
        call(packed)
    assert (raised.value.code, raised.value.path) == ("packed", str(packed))
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, ksplat.Error)
    copied = pickle.loads(pickle.dumps(raised.value))
    assert (copied.code, copied.path, str(copied)) == ("packed", str(packed), str(raised.value))


def test_wrong_arguments_are_exceptions() -> None:
    for call, kind, words in [
        (lambda: ksplat.reports(b"", syntax="gas"), ValueError, "'att' or 'intel'"),  # type: ignore[arg-type]
        (lambda: ksplat.Parser(max_lines=0), ValueError, "at least 1"),
        (lambda: ksplat.code("no bytes"), ksplat.CodeError, "byte"),
        (lambda: ksplat.code("90", arch="vax"), ValueError, "x86_64"),
        (lambda: ksplat.code(None), TypeError, "str"),  # type: ignore[arg-type]
        (lambda: ksplat.Monitor(quiet=-1), ValueError, "seconds"),
        (lambda: ksplat.Monitor().tick(float("nan")), ValueError, "seconds"),
        (lambda: ksplat.Monitor().push("x"), TypeError, "str"),  # type: ignore[arg-type]
        (lambda: ksplat.bisect.audit(b"no bisection"), ksplat.BisectionError, "bisection"),
        (lambda: ksplat.Symbolizer(DIVIDE), ksplat.ImageError, "ELF"),
        (lambda: ksplat.Symbolizer("no/vmlinux"), FileNotFoundError, "no/vmlinux"),
        (lambda: ksplat.Index().add(None), TypeError, "NoneType"),  # type: ignore[arg-type]
        (lambda: ksplat.Index().signature(0), ValueError, "no report 0"),
        (lambda: ksplat.Index().must_link(0, 1), ValueError, "no report 0"),
        (lambda: ksplat.explain(None), TypeError, "NoneType"),  # type: ignore[arg-type]
        (lambda: ksplat.Report(5), TypeError, "int"),  # type: ignore[arg-type]
        (lambda: ksplat.to_arrow([], 0), ValueError, "at least 1"),
        (lambda: ksplat.to_arrow(None), TypeError, "NoneType"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(kind, match=words):
            call()
    with pytest.raises(ksplat.CodeError) as raised:
        ksplat.code("Code: <90> <90>")
    assert raised.value.offset == 5 and raised.value.code


def test_an_index_answers() -> None:
    index, report = ksplat.Index(), first()
    assert index.cluster() == [] and index.match(report) == [] and index.same(report) is None
    number = index.add(report)
    other = index.add(next(ksplat.reports("corpus/kasan/" + os.listdir("corpus/kasan")[0].split(".")[0] + ".log")))
    assert (number, other, len(index)) == (0, 1, 2)
    assert index.same(report) == 0 and index.signature(0) == ksplat.sign(report)
    best = index.match(report)[0]
    assert (best.report, best.title, best.file) == (0, report.title, str(DIVIDE)) and best.score > 0.5
    assert set(best.features) and all(isinstance(value, float) for value in best.features.values())
    assert len(index.cluster()) == 2
    index.must_link(0, 1)
    assert [one.reports for one in index.cluster()] == [[0, 1]]
    with pytest.raises(ValueError, match="itself"):
        index.merge(index)


def test_a_store_remembers(tmp_path: Path) -> None:
    path, report = tmp_path / "bugs.ksplat", first()
    with ksplat.Store(path) as store:
        [added] = store.add(report, time=1_700_000_000)
        assert added.new and added.back is None
        assert not store.add([report])[0].new
        store.label(added.bug, "wontfix", by="somebody", why="a test")
        [bug] = store.bugs()
        assert (bug.id, bug.count, bug.labels) == (added.bug, 2, ["wontfix"])
        assert bug.seen is not None and bug.seen.first == "2023-11-14"
        with pytest.raises(ksplat.StoreError) as raised:
            ksplat.Store(path)
        assert (raised.value.code, raised.value.path) == ("locked", str(path))
        with pytest.raises(ksplat.StoreError) as raised:
            store.label("0" * 16, "x")
        assert (raised.value.code, raised.value.bug) == ("no-bug", "0" * 16)
        with pytest.raises(ValueError, match="16 hexadecimal digits"):
            store.label("zz", "x")
    with pytest.raises(ValueError, match="closed"):
        store.bugs()
    with ksplat.Store(path, read_only=True) as store:
        assert store.bug(report) == added.bug and store.match(report)[0].labels == ["wontfix"]
        assert store.notice is None and Path(store.path) == path
        with pytest.raises(ksplat.StoreError) as raised:
            store.add(report)
        assert raised.value.code == "read-only"
    with pytest.raises(ksplat.StoreError) as raised:
        ksplat.Store(DIVIDE)
    assert raised.value.code == "no-store"


def test_a_monitor_tells_of_a_pause() -> None:
    monitor = ksplat.Monitor(name="ttyS0", pause=1.0, quiet=60.0)
    lines = DIVIDE.read_bytes().splitlines(keepends=True)
    events = [event for line in lines for event in monitor.push(line)]
    events += monitor.tick(0.0) + monitor.tick(30.0)
    [report] = [event for event in events if isinstance(event, ksplat.Report)]
    assert (report.file, report.index, report.revises) == ("ttyS0", 0, False)
    assert monitor.finish() == [] or all(isinstance(e, ksplat.Report) for e in monitor.finish())


GIL = """
import os, sys, threading, ksplat
found = []
thread = threading.Thread(target=lambda: found.extend(ksplat.reports(sys.argv[1])))
thread.start()
# Opening waits for the reader, which waits for the bytes written here.
with open(sys.argv[1], "wb") as fifo:
    fifo.write(open(sys.argv[2], "rb").read())
thread.join()
print(found[0].title)
"""


def test_the_gil_is_released(tmp_path: Path) -> None:
    """Another thread writes the log while it is read. A reader that holds the GIL would wait forever."""
    fifo = tmp_path / "console"
    os.mkfifo(fifo)
    run = subprocess.run(
        [sys.executable, "-c", GIL, fifo, DIVIDE], capture_output=True, text=True, timeout=120, check=True
    )
    assert run.stdout == "divide error in cm_rate_div\n"
