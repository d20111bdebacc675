"""Spark's bugs are those of `ksplat cluster`. Needs PySpark (`pip install ksplat[spark]`) and Java."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from conftest import TOP, ksplat

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Java is not here", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402

from ksplat import spark as job  # noqa: E402


@pytest.fixture(scope="module")
def spark() -> Any:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


def partition(rows: Any) -> set[frozenset[tuple[str, int]]]:
    """The bugs as sets of reports."""
    found: dict[str, set[tuple[str, int]]] = {}
    for bug, file, index in rows:
        found.setdefault(bug, set()).add((unquote(urlparse(file).path), index))
    return {frozenset(reports) for reports in found.values()}


def check(spark: SparkSession, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    assert job.main(["--logs", str(folder), "--out", str(out)]) == 0
    counts: dict[str, int] = json.loads(capsys.readouterr().out.splitlines()[-1])
    clusters = json.loads(ksplat("cluster", "--format", "json", "-q", folder))["clusters"]
    members = spark.read.parquet(str(out / "members")).collect()
    expected = partition((c["id"], m["file"], m["index"]) for c in clusters for m in c["members"])
    assert partition((row.bug, row.file, row["index"]) for row in members) == expected
    bugs = {row.id: row for row in spark.read.parquet(str(out / "bugs")).collect()}
    # Of bugs with one unusable report each, equal hashes have ids by the order of reports.
    ids = {(unquote(urlparse(row.file).path), row["index"]): row.bug for row in members}
    for one in clusters:
        bug = bugs[ids[one["members"][0]["file"], one["members"][0]["index"]]]
        assert (bug.title, bug["count"], bug.kind) == (one["title"], one["count"], one["kind"])
        assert bug.kernels == [kernel["release"] for kernel in one["kernels"]]
        assert bug.perhaps == [other["id"] for other in one["perhaps"]]
    assert len(bugs) == len(clusters) == counts["bugs"]
    return counts


def test_the_bugs_are_those_of_the_program(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The corpus, each log twice, so that there are equal reports, also without a stack."""
    folder = tmp_path / "logs"
    for log in TOP.glob("corpus/*/*.log"):
        for copy in ("a", "b"):
            place = folder / log.parent.name / f"{copy}-{log.name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, place)
    counts = check(spark, folder, tmp_path / "out", capsys)
    assert counts["reports"] > 300 and counts["bad"] == 0
    assert counts["distinct"] < counts["reports"]


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
    folder: str, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = TOP.parent / "shared" / folder
    if not os.environ.get("KSPLAT_SHARED") or not logs.is_dir():
        pytest.skip("set KSPLAT_SHARED=1 where ../shared is")
    check(spark, logs, tmp_path / "out", capsys)
