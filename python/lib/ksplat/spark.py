"""Reports and bugs of more logs than one machine reads, on Apache Spark.

    spark-submit --py-files … -m ksplat.spark     or     python -m ksplat.spark --logs DIR --out DIR

Executors parse the logs and explain and sign their reports; equal signatures are grouped on the engine, and the
distinct ones are clustered in the driver, which takes seconds for some 10^5 of them. The partition is that of
`ksplat cluster` on the same logs. Needs PySpark 4 with `pandas<3` on each machine, and `PYSPARK_PYTHON` where the
interpreter of the executors is another one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Union

import pyarrow
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

import ksplat
from ksplat._native import ARROW_COLUMNS

__all__ = ["bugs", "logs", "main", "reports"]

_TYPES = {
    "Utf8": "string",
    "UInt64": "bigint",
    "Float64": "double",
    "Boolean": "boolean",
    "List(Utf8)": "array<string>",
    "List(Float32)": "array<float>",
}

SCHEMA = ", ".join(f"`{name}` {_TYPES[kind]}" for name, kind, *_ in ARROW_COLUMNS) + ", `error` string"
"""The columns of `reports`: those of `ksplat.to_arrow`, with the integers of Spark, which are signed, and `error`."""


def logs(spark: SparkSession, path: str) -> DataFrame:
    """The files below a directory as a table of `path` and `content`."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(path)
    return files.select("path", "content")


def reports(
    logs: DataFrame, *, information: bool = False, any_program: bool = False
) -> DataFrame:
    """The reports of a table of logs, whose columns are `path`, a name, and `content`, bytes or text.

    The columns are `SCHEMA`. A log that cannot be read is a row of `file` and `error` alone, and fails no task.
    """

    def parse(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        parser = ksplat.Parser(information=information, any_program=any_program)
        for batch in batches:
            yield from _parsed(batch, parser)

    return logs.select("path", "content").mapInArrow(parse, SCHEMA)


def _parsed(batch: pyarrow.RecordBatch, parser: ksplat.Parser) -> Iterator[pyarrow.RecordBatch]:
    bad: list[tuple[str, Exception]] = []

    def named() -> Iterator[tuple[str, bytes]]:
        for path, content in zip(batch.column("path"), batch.column("content")):
            name, log = path.as_py() or "-", content.as_py()
            if log is None:
                bad.append((name, ValueError("the log is null")))
            else:
                yield name, log.encode() if isinstance(log, str) else log

    # One task has one core.
    stream = ksplat.to_arrow(named(), threads=1, parser=parser, bad=bad)
    for table in pyarrow.RecordBatchReader.from_stream(stream):
        yield _with_error(table)
    if bad:
        yield _errors(bad)


def _field(name: str, kind: str) -> pyarrow.Field:
    types = {
        "string": pyarrow.string(),
        "bigint": pyarrow.int64(),
        "double": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "array<string>": pyarrow.list_(pyarrow.string()),
        "array<float>": pyarrow.list_(pyarrow.float32()),
    }
    return pyarrow.field(name, types[_TYPES[kind]])


def _schema() -> pyarrow.Schema:
    fields = [_field(name, kind) for name, kind, *_ in ARROW_COLUMNS]
    return pyarrow.schema([*fields, pyarrow.field("error", pyarrow.string())])


def _with_error(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    schema = _schema()
    # `memcpy` of a negative size is a size above 2^63, which `bigint` shows as the negative one.
    columns = [column.cast(field.type, safe=False) for column, field in zip(batch.columns, schema)]
    columns.append(pyarrow.nulls(batch.num_rows, pyarrow.string()))
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


def _errors(bad: list[tuple[str, Exception]]) -> pyarrow.RecordBatch:
    rows = [{"file": name, "error": str(error)} for name, error in bad]
    return pyarrow.RecordBatch.from_pylist(rows, schema=_schema())


def bugs(reports: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Groups reports by bug. Returns the bugs, and the members: `file`, `index`, `exact` and `bug` of each report.

    `id` of a bug is the smallest exact hash of its members, as `ksplat cluster` prints it.
    """
    spark = reports.sparkSession
    good = reports.where(F.col("error").isNull())
    # Signatures with one hash may differ in other fields, such as the release, which summaries count.
    groups = good.groupBy("exact", "signature").count().toArrow().to_pylist()
    index, places = _index(groups)
    clusters = index.cluster()
    # Reports with one hash are one bug, except unusable ones without a stack: each is a separate bug.
    table = {(*places[number], cluster.id) for cluster in clusters for number in cluster.reports}
    by_hash = spark.createDataFrame(list(table), "exact string, of string, nth long, bug string")
    window = Window.partitionBy("exact", "signature").orderBy("file", "index")
    numbered = good.select("file", "index", "exact", "signature").withColumn(
        "n", F.row_number().over(window) - 1
    )
    is_nth = (by_hash.of == numbered.signature) & (by_hash.nth == numbered.n)
    is_member = (numbered.exact == by_hash.exact) & (by_hash.of.isNull() | is_nth)
    members = numbered.join(F.broadcast(by_hash), is_member)
    members = members.select("file", "index", numbered.exact, "bug")
    return spark.createDataFrame([_bug(cluster) for cluster in clusters], BUGS), members


BUGS = (
    "id string, title string, kind string, family string, impact string, count long, subsystem string, "
    "kernels array<string>, links array<string>, perhaps array<string>, cluster string"
)
"""The columns of the bugs; `cluster` is the JSON of `ksplat cluster` without members and exemplar."""


_Place = tuple[str, Union[str, None], Union[int, None]]


def _index(groups: list[dict[str, Any]]) -> tuple[ksplat.Index, list[_Place]]:
    """The index of distinct signatures, and for each of its numbers the hash; where equal ones are no bug also the
    signature, and which of its reports it is."""
    index = ksplat.Index()
    places: list[_Place] = []
    for group in sorted(groups, key=lambda group: (group["exact"], group["signature"])):
        exact, count = group["exact"], group["count"]
        signature = ksplat.Signature(group["signature"])
        if signature.corrupted and not signature.frames:
            for nth in range(count):
                index.add(signature)
                places.append((exact, group["signature"], nth))
        else:
            index.add(signature, count=count)
            places.append((exact, None, None))
    return index, places


def _bug(cluster: ksplat.Cluster) -> tuple[Any, ...]:
    fields = cluster.to_dict()
    del fields["members"], fields["exemplar"]
    return (
        cluster.id,
        cluster.title,
        cluster.kind,
        cluster.family,
        cluster.impact.name,
        cluster.count,
        cluster.subsystem,
        [kernel.release for kernel in cluster.kernels],
        [f"{link.how}: {link.evidence}" for link in cluster.links],
        [other.id for other in cluster.perhaps],
        json.dumps(fields),
    )


def main(arguments: list[str] | None = None) -> int:
    """The job: `python -m ksplat.spark --help`."""
    parser = argparse.ArgumentParser("ksplat.spark", description="Reports and bugs of many logs, as Parquet tables.")
    parser.add_argument("--logs", required=True, help="the directory of the logs, of any file system of Spark")
    parser.add_argument("--out", required=True, help="the directory for the tables reports, bugs, members and bad")
    parser.add_argument("--information", action="store_true", help="add information reports")
    parser.add_argument("--any-program", action="store_true", help="read the lines of every program")
    args = parser.parse_args(arguments)
    spark = SparkSession.builder.appName("ksplat").getOrCreate()
    describe = spark.sparkContext.setJobDescription
    out = args.out.rstrip("/")

    describe("parse: logs to reports")
    found = reports(logs(spark, args.logs), information=args.information, any_program=args.any_program)
    found.write.parquet(f"{out}/reports")
    # From here on the table of the reports is read.
    found = spark.read.parquet(f"{out}/reports")
    describe("bad: logs that cannot be read")
    bad = found.where(F.col("error").isNotNull()).select("file", "error")
    bad.write.parquet(f"{out}/bad")
    describe("cluster: distinct signatures to bugs")
    table, members = bugs(found)
    table.write.parquet(f"{out}/bugs")
    describe("members: the bug of each report")
    members.write.parquet(f"{out}/members")
    describe("")
    counts = {
        "reports": spark.read.parquet(f"{out}/members").count(),
        "distinct": found.where(F.col("error").isNull()).select("exact").distinct().count(),
        "bugs": spark.read.parquet(f"{out}/bugs").count(),
        "bad": spark.read.parquet(f"{out}/bad").count(),
    }
    print(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
