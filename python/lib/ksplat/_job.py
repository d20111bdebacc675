"""The job of the engines: its arguments, its runs, and what it prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import ksplat

from . import _plan
from ._plan import Decisions, Plan


class Files(_plan.Engine, Protocol):
    """An engine over the directories of runs."""

    place: str | None

    def runs(self, out: str) -> list[str]:
        """The directories below `out`."""

    def is_complete(self, run: str, name: str) -> bool:
        """Whether a run has written a table completely."""

    def logs(self, path: str) -> None:
        """Makes the view `logs` of the files below a directory: `file`, and what `parse` reads."""

    def parse(self, name: str, query: str, information: bool, any_program: bool) -> None:
        """Writes the reports of logs."""

    def clean(self) -> None:
        """Deletes the tables that only continue a run."""


@dataclass
class Options:
    """The arguments that decide what a run writes."""

    logs: str
    out: str
    previous: str | None = None
    decisions: str = ""
    cluster: str = "auto"
    information: bool = False
    any_program: bool = False

    @property
    def text(self) -> str:
        """The options as a run stores them."""
        fields = asdict(self) | {"version": ksplat.__version__, "fingerprint": ksplat.FINGERPRINT_VERSION}
        del fields["out"]
        return json.dumps(fields, sort_keys=True)


RUN = {"options": "string", "previous": "string"}


def run(engine: Files, options: Options, *, verbose: bool = False, keep: bool = False) -> dict[str, Any]:
    """Runs the job, or continues one that was stopped. Returns its counts."""
    decisions = Decisions.read(options.decisions)
    place, previous = _place(engine, options)
    engine.place = place
    plan = Plan(engine, decisions, options.cluster, verbose=verbose)
    plan.save_rows("run", "arguments", RUN, lambda: [(options.text, previous)])
    previous = _check(plan, options, place)
    plan.start(previous)
    engine.logs(options.logs)
    plan.save(
        "new",
        "files that were not read before",
        "SELECT l.file FROM {logs} l LEFT JOIN {old_files} o ON l.file = o.file WHERE o.file IS NULL",
    )
    query = "SELECT file, content FROM {logs}"
    if previous is not None:
        query = "SELECT l.file, l.content FROM {logs} l JOIN {new} n ON l.file = n.file"
    plan.run(
        "reports",
        "logs to reports",
        lambda: engine.parse("reports", plan.sql(query), options.information, options.any_program),
    )
    plan.save("files", "files that were read", "SELECT file FROM {new} UNION ALL SELECT file FROM {old_files}")
    plan.save("bad", "logs that cannot be read", "SELECT file, error FROM {reports} WHERE error IS NOT NULL")
    plan.bugs()
    [(distinct,)] = plan.rows("SELECT count(DISTINCT base) FROM {variants}")
    rows = {name: count for name, _, count, _ in plan.stages}
    counts = {
        "run": place,
        "files": rows["new"],
        "bad": rows["bad"],
        "reports": rows["members"],
        "distinct": distinct,
        "links": rows["links"],
        "bugs": rows["bugs"],
    }
    stages = list(plan.stages)
    schema = {"stage": "string", "about": "string", "rows": "bigint", "seconds": "double"}
    # The last table: a run that has it is complete.
    plan.save_rows("stages", "stages", schema, lambda: stages)
    engine.describe("")
    if not keep:
        engine.clean()
    return counts


def _place(engine: Files, options: Options) -> tuple[str, str | None]:
    """The directory of this run, and that of the one before."""
    out = options.out.rstrip("/")
    runs = [run for run in engine.runs(out) if engine.is_complete(f"{out}/{run}", "run")]
    previous = options.previous and _last(engine, options.previous.rstrip("/"))
    if runs and not engine.is_complete(f"{out}/{runs[-1]}", "stages"):
        place = f"{out}/{runs[-1]}"
        return place, previous or (f"{out}/{runs[-2]}" if len(runs) > 1 else None)
    if runs and previous is None:
        previous = f"{out}/{runs[-1]}"
    return f"{out}/{int(runs[-1]) + 1 if runs else 1:04}", previous


def _last(engine: Files, path: str) -> str:
    """The last complete run of a directory, or the directory, if it is a run."""
    if engine.is_complete(path, "stages"):
        return path
    runs = [f"{path}/{run}" for run in engine.runs(path)]
    complete = [run for run in runs if engine.is_complete(run, "stages")]
    if not complete:
        raise _plan.Error(f"{path} has no complete run", "no-run")
    return complete[-1]


def _check(plan: Plan, options: Options, place: str) -> str | None:
    """A run is continued with its own arguments, and after runs with signatures of this version. Returns the directory
    of the run before."""
    [(text, before)] = plan.rows("SELECT options, previous FROM {run}")
    if text != options.text:
        raise _plan.Error(
            f"the run {place} was stopped, and had other arguments: repeat these to continue it, or delete it",
            "other-arguments",
        )
    if before is None:
        return None
    plan.engine.open("run", before)
    [(text,)] = plan.rows("SELECT options FROM {old_run}")
    found = json.loads(text)["fingerprint"]
    if found != ksplat.FINGERPRINT_VERSION:
        raise _plan.Error(
            f"the run {before} has signatures of version {found}, and this package compares version "
            f"{ksplat.FINGERPRINT_VERSION}: name a new directory as --out",
            "version",
        )
    return str(before)


def main(name: str, engine: Callable[[], Files], arguments: list[str] | None) -> int:
    """`python -m ksplat.NAME`."""
    parser = argparse.ArgumentParser(f"ksplat.{name}", description="Reports and bugs of many logs, as Parquet tables.")
    parser.add_argument("--logs", required=True, help="the directory of the logs")
    parser.add_argument(
        "--out", required=True, help="the directory of the runs; another run adds the logs that were not read before"
    )
    parser.add_argument("--previous", help="the directory of the run before this one, if it is not below --out")
    parser.add_argument("--decisions", help="a file of lines `apart HASH HASH` and `together HASH HASH`")
    parser.add_argument(
        "--cluster",
        choices=["auto", "driver", "engine"],
        default="auto",
        help=f"where distinct signatures are clustered: auto takes the driver up to {_plan.IN_ONE_PROCESS:,} of them",
    )
    parser.add_argument("--information", action="store_true", help="add information reports")
    parser.add_argument("--any-program", action="store_true", help="read the lines of every program")
    parser.add_argument("--verbose", action="store_true", help="print each stage")
    parser.add_argument("--keep", action="store_true", help="keep the tables between the stages")
    args = parser.parse_args(arguments)
    decisions = Path(args.decisions).read_text() if args.decisions else ""
    options = Options(
        args.logs, args.out, args.previous, decisions, args.cluster, args.information, args.any_program
    )
    try:
        counts = run(engine(), options, verbose=args.verbose, keep=args.keep)
    except _plan.Error as error:
        print(f"ksplat.{name}: {error}", file=sys.stderr)
        return 2
    print(json.dumps(counts))
    return 0
