"""Linux kernel crash reports out of console logs.

    import ksplat
    for report in ksplat.reports("console.log"):
        print(report.title, report.suspects[0].function if report.suspects else "")

`reports` parses and explains, `Monitor` does so while a log is written. `Index` groups reports by bug,
`Store` keeps bugs in a file, `to_arrow` makes a table of many logs. Each answer equals the JSON of the
program: `report.to_dict()` is one element of `ksplat parse --format json`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Union

from ksplat import _native, bisect
from ksplat._errors import (
    BisectionError,
    CodeError,
    Error,
    ImageError,
    LogError,
    SignatureError,
    StoreError,
)
from ksplat._model import *  # noqa: F403
from ksplat._model import (
    Added,
    Cluster,
    DecodedCode,
    KnownBug,
    Match,
    Report,
    Signature,
    Started,
)
from ksplat._native import ARROW_COLUMNS, ARROW_SCHEMA_VERSION, FINGERPRINT_VERSION, Parser
from ksplat._native import VERSION as __version__
from ksplat._record import explained as _explained
from ksplat._record import signature_of as _signature_of

__all__ = [
    "ARROW_COLUMNS",
    "ARROW_SCHEMA_VERSION",
    "Access",
    "Added",
    "Agreement",
    "Allocation",
    "AtomicContext",
    "Audit",
    "Audited",
    "BisectionError",
    "BisectionStep",
    "Blame",
    "Cluster",
    "Code",
    "CodeCheck",
    "CodeError",
    "Component",
    "Condition",
    "CountedTitle",
    "Crash",
    "Dates",
    "DecodedCode",
    "Diagnosis",
    "Diagnostic",
    "Doubt",
    "Error",
    "Evidence",
    "Executor",
    "Exemplar",
    "Explanation",
    "FINGERPRINT_VERSION",
    "Facts",
    "Frame",
    "Holder",
    "ImageCheck",
    "ImageError",
    "Impact",
    "Index",
    "Instruction",
    "Kernel",
    "KernelCount",
    "KilledTask",
    "KnownBug",
    "KnownCommit",
    "KnownFix",
    "Leak",
    "Link",
    "ListCorruption",
    "LocalVariable",
    "Lock",
    "LogError",
    "MachineCheck",
    "Match",
    "Member",
    "Memory",
    "MemoryObject",
    "Module",
    "Monitor",
    "Operand",
    "Origin",
    "Overwrite",
    "Page",
    "PageTable",
    "Parser",
    "Perhaps",
    "Pointer",
    "PointerSource",
    "Race",
    "RaceAccess",
    "Rate",
    "Relation",
    "Report",
    "ReportStream",
    "Run",
    "Shadow",
    "SharedFrame",
    "Signature",
    "SignatureError",
    "SignatureFrame",
    "SignatureTitle",
    "Site",
    "SourceAccess",
    "SourceLocation",
    "Span",
    "SpinLock",
    "Stack",
    "StackFrame",
    "Stall",
    "Started",
    "Step",
    "Store",
    "StoreError",
    "StructMember",
    "Suspect",
    "Symbolizer",
    "Task",
    "Uninitialized",
    "ValueChange",
    "Variable",
    "Zone",
    "__version__",
    "bisect",
    "code",
    "explain",
    "reports",
    "sign",
    "to_arrow",
]

Log = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]"]
"""A log: its bytes, or the path of its file."""


def reports(
    log: Log,
    *,
    name: str | None = None,
    parser: Parser | None = None,
    text: bool = False,
    syntax: Literal["att", "intel"] = "att",
    symbolizer: Symbolizer | None = None,
) -> Iterator[Report]:
    """Iterates over the reports of a log, explained, in their order.

    A `str` is a path. `name` is the `file` of the reports: by default the path, or `-`. `text` adds the
    lines of each report. `symbolizer` resolves files and lines by the images of the kernel; it has a
    syntax of its own.

    The log is read and parsed at once, without the GIL; bytes are not copied. A file that cannot be read
    is an `OSError`, one that is no text a `LogError`; a log without a report has none.
    """
    answers = _native.parse(log, name, parser, text, syntax, symbolizer)
    return (Report(report, signature) for report, signature in answers)


def explain(report: Report, *, all: bool = False, width: int | None = None) -> str:
    """Returns a report as the text that `ksplat parse` prints; `all` is its option `--all`."""
    return _explained(report, all, width)


def code(line: str, *, arch: str | None = None, syntax: Literal["att", "intel"] = "att") -> DecodedCode:
    """Decodes a `Code:` line. Of an oops with registers, the trap is explained as well.

    `arch` is the architecture, such as `arm64`, where the line does not show it. Another line is a
    `CodeError`.
    """
    return DecodedCode(_native.code(line, arch, syntax))


def sign(report: Report) -> Signature:
    """Returns the signature of a report, which clusters compare: hashes that are equal on each machine.

    It is made when the log is parsed, after the report was explained, and that of a hang has the sites of
    the other hangs of its log. So it may differ from `report.signature`, which is that of the report alone.
    A report that was not parsed by this package is a `SignatureError`.
    """
    if not isinstance(report, Report):
        raise TypeError(f"a Report is needed, not {type(report).__name__}")
    return report._signed()


class Monitor(_native.Monitor):
    """Parses a console log that is still being written.

    `Monitor(name="-", parser=None, quiet=None, pause=None, syntax="att")`: `quiet` and `pause` are seconds,
    see `tick`. A hang is signed alone, as the other hangs of its log may come later.
    """

    __slots__ = ()

    def push(self, chunk: bytes) -> list[Started | Report]:  # type: ignore[override]
        """Parses the next bytes, and returns the reports that began or ended in them."""
        return _events(super().push(chunk))

    def tick(self, now: float) -> list[Started | Report]:  # type: ignore[override]
        """Returns the reports that paused or ended by `now`, in seconds since any moment.

        A report that goes on after its pause is returned again with `revises`.
        """
        return _events(super().tick(now))

    def finish(self) -> list[Started | Report]:  # type: ignore[override]
        """Ends the log, and returns the open reports. The next bytes begin another log."""
        return _events(super().finish())


def _events(pairs: list[tuple[bytes, bytes]]) -> list[Started | Report]:
    return [Report(json, signature) if signature else Started(json) for json, signature in pairs]


class Symbolizer(_native.Symbolizer):
    """Resolves files, lines, inlined functions and variables by the images of a kernel.

    `modules` is a directory with `.ko` or `.ko.debug` files, or the files by module name. Images are
    mapped, and must be unpacked. Another file is an `ImageError`.
    """

    __slots__ = ()

    def __new__(
        cls,
        vmlinux: str | os.PathLike[str],
        modules: str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]] | None = None,
        *,
        kernel_offset: int | None = None,
        syntax: Literal["att", "intel"] = "att",
    ) -> Symbolizer:
        named = {} if modules is None else modules
        if not isinstance(named, Mapping):
            named = _modules(named)
        pairs = [(name, os.fspath(path)) for name, path in named.items()]
        return super().__new__(cls, os.fspath(vmlinux), pairs, kernel_offset, syntax)


def _modules(directory: str | os.PathLike[str]) -> dict[str, str]:
    """The modules below a directory; one with debug information comes before one without."""
    os.stat(directory)
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(directory):
        folders.sort()
        for file in sorted(files):
            for ending in (".ko", ".ko.debug"):
                if file.endswith(ending):
                    found[file.removesuffix(ending)] = os.path.join(folder, file)
    return found


class Index(_native.Index):
    """Groups reports by bug, and finds the known reports that are similar to a new one.

    The groups do not depend on the order in which reports are added, and equal those of `ksplat cluster`, which
    takes the times of reports from their logs and files: `seen` is that of `add(report, time=...)`.
    """

    __slots__ = ()

    def add(self, report: Report | Signature, *, time: int | None = None, count: int = 1) -> int:
        """Adds a report, and returns its number. `time` is in seconds since 1970; `count` is the number of
        equal reports that it represents."""
        json, file, index, line = _signature_of(report)
        return self.add_json(json, file, index, line, time, count)

    def merge(self, other: Index) -> None:
        """Adds all reports of another index; their numbers follow those of this one."""
        self.merge_native(other)

    def signature(self, report: int) -> Signature:
        """The signature of a report, by its number."""
        return Signature(self.signature_json(report))

    def match(self, report: Report | Signature, top: int = 10) -> list[Match]:
        """Returns the known reports that are most similar, the most similar first."""
        return [Match(json) for json in self.match_json(_signature_of(report)[0], top)]

    def same(self, report: Report | Signature) -> int | None:
        """Returns the number of a known report of the same bug, if there is one."""
        return self.same_json(_signature_of(report)[0])

    def cluster(self) -> list[Cluster]:
        """Groups the reports by bug, the largest groups first."""
        return [Cluster(json, numbers) for json, numbers in self.cluster_json()]


class Store(_native.Store):
    """A file that remembers which bugs were seen: `Store(path, read_only=False)`.

    The file is made if it is not there. One process writes at a time, any number reads. Use it in a `with`
    block, or call `close`. A file that is no store is a `StoreError`.
    """

    __slots__ = ()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(
        self, reports: Report | Signature | Iterable[Report | Signature], *, time: int | None = None
    ) -> list[Added]:
        """Adds reports in one transaction, and returns the bug of each. `time` is in seconds since 1970."""
        if isinstance(reports, (Report, Signature)):
            reports = [reports]
        rows = []
        for report in reports:
            json, file, index, _ = _signature_of(report)
            rows.append((json, time, f"{file}#{index}"))
        return [Added(json) for json in self.add_json(rows)]

    def bug(self, report: Report | Signature) -> str | None:
        """Returns the ID of the known bug that a report is of, if there is one."""
        return self.match_json(_signature_of(report)[0], 0)[0]

    def match(self, report: Report | Signature, top: int = 5) -> list[KnownBug]:
        """Returns the known bugs that are most similar to a report, the most similar first."""
        return [KnownBug(json) for json in self.match_json(_signature_of(report)[0], top)[1]]

    def bugs(self) -> list[Cluster]:
        """Returns all bugs, the most frequent first."""
        return [Cluster(json) for json in self.bugs_json()]

    def label(self, bug: str, label: str, *, by: str | None = None, why: str | None = None) -> None:
        """Adds a label to a bug: `fixed-by COMMIT since RELEASE`, `wontfix`, or any text."""
        self.label_with(bug, label, by, why)

    def apart(self, one: str, other: str, *, by: str | None = None, why: str | None = None) -> None:
        """Says that two bugs are different."""
        self.decide(one, other, True, by, why)

    def together(self, one: str, other: str, *, by: str | None = None, why: str | None = None) -> None:
        """Says that two bugs are one."""
        self.decide(one, other, False, by, why)


class ReportStream(_native.ReportStream):
    """A table of reports that is parsed while it is read: see `to_arrow`."""

    __slots__ = ()


def to_arrow(
    logs: Log | Iterable[Log | tuple[str, Log]],
    batch_size: int = 1024,
    *,
    threads: int | None = None,
    parser: Parser | None = None,
    symbolizer: Symbolizer | None = None,
    bad: list[tuple[str, Exception]] | None = None,
) -> ReportStream:
    """Returns the reports of many logs as an Arrow stream, one row a report.

    `logs` are paths or bytes, or pairs of a name and one of these; the name is in the column `file`, which is
    otherwise the path, or the number of the log from 0. `batch_size` is the number of logs of a batch, `threads`
    the number of threads that parse, by default one for each core.

    pyarrow, Polars and DuckDB read the stream without a copy, once, and logs are parsed as they ask for
    batches: `pyarrow.table(ksplat.to_arrow(logs))`, `polars.DataFrame(ksplat.to_arrow(logs))`. The columns are
    `ARROW_COLUMNS`, their version is `ARROW_SCHEMA_VERSION`.

    A log that cannot be read ends the stream with an error; with a list `bad`, its name and the exception
    are appended there, and the stream goes on.
    """
    if isinstance(logs, (bytes, bytearray, memoryview, str, os.PathLike)):
        logs = [logs]
    add = None if bad is None else (lambda name, error: bad.append((name, error)))
    return ReportStream(iter(_named(iter(logs))), batch_size, threads, parser, symbolizer, add)


def _named(logs: Iterator[Any]) -> Iterator[tuple[str, Log]]:
    for number, log in enumerate(logs):
        if isinstance(log, tuple) and len(log) == 2 and isinstance(log[0], str):
            yield log
        elif isinstance(log, (str, os.PathLike)):
            yield os.fspath(log), log
        else:
            yield str(number), log
