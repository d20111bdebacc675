"""Reports and bugs of many logs on one machine, by DuckDB: the plan of `ksplat.spark`.

    python -m ksplat.duckdb --logs DIR --out DIR

Tables are Parquet files, and what does not fit into memory is on disk.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow
import pyarrow.parquet

import ksplat

from . import _job, _plan
from ._plan import BUGS, LINKS, REPORTS, Batches, Map, Schema

__all__ = ["BUGS", "LINKS", "REPORTS", "Tables", "bugs", "main"]

ROWS = 2048
"""The rows of a batch: those of groups have many signatures each."""


class Tables(NamedTuple):
    """The bugs of reports."""

    bugs: pyarrow.Table
    """The columns are `BUGS`."""
    members: pyarrow.Table
    """`file`, `index`, `exact` and `bug` of each report."""
    links: pyarrow.Table
    """The columns are `LINKS`."""


class Engine:
    """DuckDB. Without a directory, tables are in memory."""

    words = {"collect": "list", "explode": "unnest"}

    def __init__(self, place: str | None = None) -> None:
        self.connection = duckdb.connect()
        self.place = place

    def table(self, name: str) -> str:
        return f"t_{name}"

    def path(self, name: str) -> Path:
        place = Path(self.place or "")
        return (place if name in _plan.OUTPUT else place / "work") / f"{name}.parquet"

    def is_done(self, name: str) -> bool:
        return self.place is not None and self.path(name).is_file()

    def is_complete(self, run: str, name: str) -> bool:
        return Path(run, f"{name}.parquet").is_file()

    def runs(self, out: str) -> list[str]:
        return sorted(path.name for path in Path(out).glob("*") if path.name.isdigit())

    def clean(self) -> None:
        shutil.rmtree(Path(self.place or "", "work"), ignore_errors=True)

    def open(self, name: str, run: str | None = None) -> None:
        if run is not None:
            self.view(f"old_{name}", _read(Path(run, f"{name}.parquet")))
        elif self.place is not None:
            self.view(name, _read(self.path(name)))

    def view(self, name: str, query: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {self.table(name)} AS {query}")

    def save(self, name: str, query: str, function: Map | None, schema: Schema | None) -> None:
        if function is not None and schema is not None:
            self._write(name, schema, _mapped(self._batches(query, ROWS), function))
        elif self.place is None:
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {self.table(name)} AS {query}")
        else:
            part = self._part(name)
            self.connection.execute(f"COPY ({query}) TO {_quoted(part)} (FORMAT parquet, COMPRESSION zstd)")
            part.rename(self.path(name))

    def save_rows(self, name: str, schema: Schema, rows: Sequence[tuple[Any, ...]]) -> None:
        self._write(name, schema, iter([_plan.batch_of(schema, rows)]))

    def _batches(self, query: str, rows: int) -> Batches:
        batches: Batches = self.connection.sql(query).to_arrow_reader(rows)
        return batches

    def _part(self, name: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_suffix(".part")

    def _write(self, name: str, schema: Schema, batches: Iterator[pyarrow.RecordBatch]) -> None:
        columns = _plan.arrow_schema(schema)
        if self.place is None:
            table = pyarrow.Table.from_batches(batches, columns)
            self.connection.register("arrow", table)
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {self.table(name)} AS SELECT * FROM arrow")
            self.connection.unregister("arrow")
            return
        part = self._part(name)
        with pyarrow.parquet.ParquetWriter(part, columns, compression="zstd") as writer:
            for batch in batches:
                if batch.num_rows:
                    writer.write_batch(batch)
        part.rename(self.path(name))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def describe(self, text: str) -> None:
        pass

    def logs(self, path: str) -> None:
        folders = os.walk(path, onerror=_raise)
        files = sorted(os.path.join(folder, name) for folder, _, names in folders for name in names)
        table = pyarrow.table({"file": pyarrow.array(files, pyarrow.string())})
        self.connection.register("arrow_logs", table)
        self.view("logs", "SELECT file, file AS content FROM arrow_logs")

    def parse(self, name: str, query: str, information: bool, any_program: bool) -> None:
        parser = ksplat.Parser(information=information, any_program=any_program)
        batches = self._batches(f"{query} ORDER BY 1", ROWS)
        named = ((path.as_py(), Path(path.as_py())) for batch in batches for path in batch.column(0))
        self._write(name, REPORTS, _plan.parsed(named, parser, None))


def _raise(error: OSError) -> None:
    raise error


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _read(path: Path) -> str:
    return f"SELECT * FROM read_parquet({_quoted(path)})"


def _mapped(batches: Batches, function: Map) -> Iterator[pyarrow.RecordBatch]:
    """Maps batches on all cores, in their order."""
    cores = os.cpu_count() or 1
    waiting: deque[Future[list[pyarrow.RecordBatch]]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        for batch in batches:
            waiting.append(pool.submit(lambda batch: list(function([batch])), batch))
            if len(waiting) > 2 * cores:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def bugs(
    reports: Any,
    *,
    cluster: str = "auto",
    apart: Sequence[tuple[str, str]] = (),
    together: Sequence[tuple[str, str]] = (),
) -> Tables:
    """Groups the reports of an Arrow table or stream, such as that of `ksplat.to_arrow`, by bug.

    The arguments are those of `ksplat.spark.bugs`.
    """
    engine = Engine()
    table = pyarrow.table(reports)
    if "error" not in table.column_names:
        table = table.append_column("error", pyarrow.nulls(table.num_rows, pyarrow.string()))
    engine.connection.register(engine.table("reports"), table)
    plan = _plan.Plan(engine, _plan.Decisions(list(apart), list(together)), cluster)
    plan.start(None)
    plan.bugs()
    read = engine.connection.sql
    return Tables(*(read(f"SELECT * FROM {engine.table(name)}").to_arrow_table() for name in Tables._fields))


def main(arguments: list[str] | None = None) -> int:
    """The job: `python -m ksplat.duckdb --help`."""
    return _job.main("duckdb", Engine, arguments)


if __name__ == "__main__":
    sys.exit(main())
