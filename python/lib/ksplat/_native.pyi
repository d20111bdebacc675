"""The native half: answers as JSON."""

import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

from typing_extensions import Self, disjoint_base

__all__ = [
    "ReportStream",
    "audit",
    "code",
    "Index",
    "Monitor",
    "Parser",
    "explain",
    "parse",
    "Store",
    "Symbolizer",
    "steps_candidates",
    "steps_cluster",
    "steps_components",
    "steps_describe",
    "steps_edges",
    "steps_keys",
    "steps_merge",
    "steps_score",
    "steps_scores",
    "steps_titles",
    "ATTACH",
    "PERHAPS",
    "MAX_NEAR",
    "VERSION",
    "FINGERPRINT_VERSION",
    "ARROW_SCHEMA_VERSION",
    "ARROW_COLUMNS",
]

_Path = str | os.PathLike[str]
_Log = bytes | bytearray | memoryview | _Path

_Pair = tuple[str, str]
_Link = tuple[str, str, str, float, str, str | None]
_Keys = tuple[str, bool, str | None, bool, int, list[str], list[str]]

ATTACH: float
PERHAPS: float
MAX_NEAR: int
VERSION: str
FINGERPRINT_VERSION: int
ARROW_SCHEMA_VERSION: int
ARROW_COLUMNS: tuple[tuple[str, str, bool, str], ...]

def parse(
    log: _Log,
    name: str | None,
    parser: Parser | None,
    text: bool,
    syntax: str,
    symbolizer: Symbolizer | None,
) -> list[tuple[bytes, bytes]]: ...
def explain(report: str, all: bool, width: int | None) -> str: ...
def code(line: str, arch: str | None, syntax: str) -> bytes: ...
def audit(log: _Log, name: str | None, title: str | None, report: _Log | None) -> bytes: ...
def steps_keys(signatures: Sequence[str]) -> list[_Keys]:
    """The keys of signatures: the exact hash, whether it equals no other report, the title or None, whether it has no
    stack, the number of frames, the keys of rules, and the keys of functions near the site."""

def steps_merge(groups: Sequence[Sequence[str]]) -> list[str]:
    """Makes one signature of each group with the same exact hash."""

def steps_edges(groups: Sequence[tuple[str, Sequence[str]]]) -> list[list[_Link]]:
    """The links of all signatures with a key, for each pair of a key and its signatures."""

def steps_titles(groups: Sequence[Sequence[_Pair]]) -> list[list[_Link]]:
    """The links of each title, for its pairs of a signature and the set that it is in so far."""

def steps_candidates(groups: Sequence[Sequence[str]]) -> list[list[_Pair]]:
    """The pairs of exemplars that are compared, for the exemplars with each key near the site."""

def steps_scores(groups: Sequence[Sequence[str]], least: float) -> list[list[_Link]]:
    """The links by a score of at least `least`, for the exemplars with each key near the site."""

def steps_score(pairs: Sequence[_Pair]) -> list[_Link]:
    """Compares the two signatures of each pair."""

def steps_components(
    groups: Sequence[tuple[Sequence[_Link], Sequence[_Pair]]],
) -> list[tuple[list[_Pair], list[_Link]]]:
    """Joins each component of links, with the pairs of exact hashes that it keeps apart: the pairs of a hash and the
    smallest hash of its set, and the links that are kept."""

def steps_describe(
    groups: Sequence[tuple[Sequence[tuple[str, int]], Sequence[_Link]]],
) -> list[bytes]:
    """The JSON of `ksplat cluster` for each bug, from its signatures with the numbers of their reports, and its links."""

def steps_cluster(
    signatures: Sequence[tuple[str, int]], apart: Sequence[_Pair], together: Sequence[_Pair]
) -> tuple[list[_Pair], list[_Link], list[_Link]]:
    """Clusters distinct signatures with the numbers of their reports in this process: the pairs of a hash and the smallest
    hash of its set, the links, and those between bugs that are perhaps one."""

@final
class Parser:
    """The options of parsing: which reports are read, and their limits."""

    def __new__(
        cls,
        *,
        information: bool = False,
        any_program: bool = False,
        max_lines: int | None = None,
        max_frames: int | None = None,
        max_open: int | None = None,
    ) -> Self: ...

@disjoint_base
class Monitor:
    def __new__(
        cls,
        *,
        name: str = "-",
        parser: Parser | None = None,
        quiet: float | None = None,
        pause: float | None = None,
        syntax: str = "att",
    ) -> Self: ...
    def push(self, chunk: bytes) -> list[tuple[bytes, bytes]]: ...
    def tick(self, now: float) -> list[tuple[bytes, bytes]]: ...
    def finish(self) -> list[tuple[bytes, bytes]]: ...

@disjoint_base
class Symbolizer:
    def __new__(
        cls,
        vmlinux: _Path,
        modules: Sequence[tuple[str, _Path]],
        kernel_offset: int | None,
        syntax: str,
    ) -> Self: ...

@disjoint_base
class Index:
    def __new__(cls) -> Self: ...
    def __len__(self) -> int: ...
    def add_json(
        self,
        signature: str,
        file: str,
        index: int,
        line: int | None,
        time: int | None,
        count: int,
    ) -> int: ...
    def merge_native(self, other: Index) -> None: ...
    def cannot_link(self, a: int, b: int) -> None:
        """Keeps the bugs of two reports apart."""
    def must_link(self, a: int, b: int) -> None:
        """Joins the bugs of two reports."""
    def signature_json(self, report: int) -> bytes: ...
    def match_json(self, signature: str, top: int) -> list[bytes]: ...
    def same_json(self, signature: str) -> int | None: ...
    def cluster_json(self) -> list[tuple[bytes, list[int]]]: ...

@disjoint_base
class Store:
    def __new__(cls, path: _Path, *, read_only: bool = False) -> Self: ...
    @property
    def path(self) -> pathlib.Path: ...
    @property
    def notice(self) -> str | None: ...
    def close(self) -> None:
        """Closes the file, so that others can write to it."""
    def add_json(self, reports: Sequence[tuple[str, int | None, str]]) -> list[bytes]: ...
    def match_json(self, signature: str, top: int) -> tuple[str | None, list[bytes]]: ...
    def bugs_json(self) -> list[bytes]: ...
    def label_with(self, bug: str, label: str, by: str | None, why: str | None) -> None: ...
    def decide(
        self, one: str, other: str, apart: bool, by: str | None, why: str | None
    ) -> None: ...

@disjoint_base
class ReportStream:
    def __new__(
        cls,
        logs: Iterator[tuple[str, _Log]],
        size: int,
        threads: int | None,
        parser: Parser | None,
        symbolizer: Symbolizer | None,
        bad: Callable[[str, Exception], object] | None,
    ) -> Self: ...
    def __arrow_c_schema__(self) -> Any: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...
