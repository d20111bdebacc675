"""Reports and bugs of more logs than one machine reads, on Apache Spark.

    spark-submit --py-files … -m ksplat.spark     or     python -m ksplat.spark --logs DIR --out DIR

Executors parse the logs, and explain and sign their reports; equal signatures are grouped on the engine. The distinct
ones are clustered in the driver up to some 10^5 of them, or on the engine. The partition is that of `ksplat cluster` on
the same logs. Needs PySpark 4 with `pandas<3` on each machine, and `PYSPARK_PYTHON` where the interpreter of the
executors is another one.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow
from pyspark.sql import DataFrame, SparkSession

import ksplat

from . import _job, _plan
from ._plan import BUGS, LINKS, REPORTS, Map, Schema

__all__ = ["BUGS", "LINKS", "REPORTS", "Tables", "bugs", "logs", "main", "reports"]


def _ddl(schema: Schema) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in schema.items())


class Tables(NamedTuple):
    """The bugs of reports."""

    bugs: DataFrame
    """The columns are `BUGS`."""
    members: DataFrame
    """`file`, `index`, `exact` and `bug` of each report."""
    links: DataFrame
    """The columns are `LINKS`."""


class Engine:
    """Spark. Without a directory, tables are local checkpoints."""

    words = {"collect": "collect_list", "explode": "explode"}

    def __init__(self, session: SparkSession, place: str | None = None) -> None:
        self.session = session
        self.place = place
        # Views are common to the session.
        self.prefix = f"ksplat_{uuid.uuid4().hex[:12]}_"

    def table(self, name: str) -> str:
        return self.prefix + name

    def path(self, name: str) -> str:
        return f"{self.place}/{name}" if name in _plan.OUTPUT else f"{self.place}/work/{name}"

    def _files(self, path: str) -> tuple[Any, Any]:
        place = self.session._jvm.org.apache.hadoop.fs.Path(path)
        return place.getFileSystem(self.session._jsc.hadoopConfiguration()), place

    def _exists(self, path: str) -> bool:
        files, place = self._files(path)
        return bool(files.exists(place))

    def is_done(self, name: str) -> bool:
        return self.place is not None and self._exists(f"{self.path(name)}/_SUCCESS")

    def is_complete(self, run: str, name: str) -> bool:
        return self._exists(f"{run}/{name}/_SUCCESS")

    def runs(self, out: str) -> list[str]:
        files, place = self._files(out)
        if not files.exists(place):
            return []
        names = [status.getPath().getName() for status in files.listStatus(place)]
        return sorted(name for name in names if name.isdigit())

    def clean(self) -> None:
        files, place = self._files(f"{self.place}/work")
        files.delete(place, True)

    def open(self, name: str, run: str | None = None) -> None:
        if run is not None:
            frame = self.session.read.parquet(f"{run}/{name}")
            frame.createOrReplaceTempView(self.table(f"old_{name}"))
        elif self.place is not None:
            self.session.read.parquet(self.path(name)).createOrReplaceTempView(self.table(name))

    def view(self, name: str, query: str) -> None:
        self.session.sql(query).createOrReplaceTempView(self.table(name))

    def _write(self, name: str, frame: DataFrame) -> None:
        if self.place is None:
            frame.localCheckpoint().createOrReplaceTempView(self.table(name))
        else:
            frame.write.mode("overwrite").parquet(self.path(name))

    def save(self, name: str, query: str, function: Map | None, schema: Schema | None) -> None:
        frame = self.session.sql(query)
        if function is not None and schema is not None:
            frame = frame.mapInArrow(function, _ddl(schema))
        self._write(name, frame)

    def save_rows(self, name: str, schema: Schema, rows: Sequence[tuple[Any, ...]]) -> None:
        table = pyarrow.Table.from_batches([_plan.batch_of(schema, rows)])
        self._write(name, self.session.createDataFrame(table, _ddl(schema)))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        table = self.session.sql(query).toArrow()
        return list(zip(*(column.to_pylist() for column in table.columns)))

    def describe(self, text: str) -> None:
        self.session.sparkContext.setJobDescription(text)

    def logs(self, path: str) -> None:
        # By default 32 small files are a task, so that 100,000 logs would be 3,000.
        self.session.conf.set("spark.sql.files.openCostInBytes", str(64 << 10))
        frame = logs(self.session, path).withColumnRenamed("path", "file")
        frame.createOrReplaceTempView(self.table("logs"))

    def parse(self, name: str, query: str, information: bool, any_program: bool) -> None:
        frame = self.session.sql(query).withColumnRenamed("file", "path")
        self._write(name, reports(frame, information=information, any_program=any_program))


def logs(spark: SparkSession, path: str) -> DataFrame:
    """The files below a directory as a table of `path` and `content`."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(path)
    return files.select("path", "content")


def reports(logs: DataFrame, *, information: bool = False, any_program: bool = False) -> DataFrame:
    """The reports of a table of logs, whose columns are `path`, a name, and `content`, bytes or text.

    The columns are `REPORTS`. A log that cannot be read is a row of `file` and `error` alone, and fails no task.
    """

    def parse(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        parser = ksplat.Parser(information=information, any_program=any_program)
        for batch in batches:
            named = zip(batch.column("path"), batch.column("content"))
            # One task has one core.
            yield from _plan.parsed(((path.as_py() or "-", log.as_py()) for path, log in named), parser, 1)

    return logs.select("path", "content").mapInArrow(parse, _ddl(REPORTS))


def bugs(
    reports: DataFrame,
    *,
    cluster: str = "auto",
    apart: Sequence[tuple[str, str]] = (),
    together: Sequence[tuple[str, str]] = (),
) -> Tables:
    """Groups reports by bug.

    `id` of a bug is the smallest exact hash of its members, as `ksplat cluster` prints it. `cluster` is `driver`,
    `engine`, or `auto`: the driver, unless there are more than 100,000 distinct signatures. `apart` and `together` are
    pairs of exact hashes that are never, or always, of one bug.
    """
    engine = Engine(reports.sparkSession)
    reports.createOrReplaceTempView(engine.table("reports"))
    plan = _plan.Plan(engine, _plan.Decisions(list(apart), list(together)), cluster)
    plan.start(None)
    plan.bugs()
    return Tables(*(reports.sparkSession.table(engine.table(name)) for name in Tables._fields))


def main(arguments: list[str] | None = None) -> int:
    """The job: `python -m ksplat.spark --help`."""
    return _job.main("spark", lambda: Engine(SparkSession.builder.appName("ksplat").getOrCreate()), arguments)


if __name__ == "__main__":
    sys.exit(main())
