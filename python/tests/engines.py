"""What the tests of the engines compare: the tables of a run with the clusters of the program."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyarrow
import pyarrow.parquet
import pytest
from conftest import TOP, ksplat

Rows = list[dict[str, Any]]

LEFT_OUT = ("members", "exemplar", "seen", "perhaps")
"""Fields of a cluster that a bug does not have, and those that the ways of clustering differ in."""


def rows(run: str, name: str) -> Rows:
    """A table of a run: a file of DuckDB, or a directory of Spark."""
    path = Path(run, name)
    table: pyarrow.Table = pyarrow.parquet.read_table(path if path.is_dir() else path.with_suffix(".parquet"))
    return table.to_pylist()  # type: ignore[no-any-return]


def file(name: str) -> str:
    """The path of a log: Spark names it by a URI."""
    return unquote(urlparse(name).path) if name.startswith("file:") else name


def partition(members: Rows) -> set[frozenset[tuple[str, int]]]:
    """The bugs as sets of reports."""
    found: dict[str, set[tuple[str, int]]] = {}
    for row in members:
        found.setdefault(row["bug"], set()).add((file(row["file"]), row["index"]))
    return {frozenset(reports) for reports in found.values()}


def clusters(folder: Path) -> list[dict[str, Any]]:
    """The clusters of the program."""
    answer: list[dict[str, Any]] = json.loads(ksplat("cluster", "--format", "json", "-q", folder))["clusters"]
    return answer


def links(rows: Rows) -> list[tuple[Any, ...]]:
    """Links in an order."""
    return sorted(tuple(row.values()) for row in rows)


def check(
    expected: list[dict[str, Any]], members: Rows, bugs: Rows, *, ids: bool = True, perhaps: bool = False
) -> None:
    """Partition, and each bug with its links, are those of the program; `perhaps` if one process clustered."""
    listed = [{"bug": c["id"], **m} for c in expected for m in c["members"]]
    assert partition(members) == partition(listed)
    by_id = {row["id"]: row for row in bugs}
    assert len(by_id) == len(bugs) == len(expected)
    of = {(file(row["file"]), row["index"]): row["bug"] for row in members}
    for one in expected:
        first = one["members"][0]
        bug = by_id[of[first["file"], first["index"]]]
        fields = json.loads(bug["cluster"])
        same = {key: value for key, value in one.items() if key not in LEFT_OUT}
        if not ids:
            same["id"] = bug["id"]
        del fields["perhaps"]
        assert fields == same
        assert (bug["title"], bug["count"], bug["kind"]) == (one["title"], one["count"], one["kind"])
        if perhaps:
            assert bug["perhaps"] == [other["id"] for other in one["perhaps"]]


def corpus(folder: Path, copies: str = "ab") -> Path:
    """The corpus, each log twice, so that there are equal reports, also without a stack."""
    for log in TOP.glob("corpus/*/*.log"):
        for copy in copies:
            place = folder / log.parent.name / f"{copy}-{log.name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, place)
    return folder


def shared(name: str) -> Path:
    """A directory beside the project."""
    logs = TOP.parent / "shared" / name
    if not os.environ.get("KSPLAT_SHARED") or not logs.is_dir():
        pytest.skip("set KSPLAT_SHARED=1 where ../shared is")
    return logs.resolve()


def counts(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What a job printed."""
    printed: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return printed
