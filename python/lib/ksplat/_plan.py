"""The plan that logs take to bugs, on any engine: SQL that Spark and DuckDB both read, and functions of Arrow batches.

A query names tables as `{table}`, and the words in which the dialects differ as `{collect}` and `{explode}`. Each
stage is a table that the engine keeps: a run that was stopped continues behind the stages that are complete. A column
`edge` is a link as JSON, without its ends; texts with a hash in front are `hash || text`, because both dialects have no
common type for pairs.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow

import ksplat
from ksplat import steps
from ksplat._native import ARROW_COLUMNS

Batches = Iterable[pyarrow.RecordBatch]
Map = Callable[[Batches], Iterator[pyarrow.RecordBatch]]
Schema = dict[str, str]
Pair = tuple[str, str]

IN_ONE_PROCESS = 100_000
"""The number of distinct signatures from which `auto` clusters on the engine."""

MAX_ROUNDS = 64
"""The limit of rounds of connected components. A path of 1,009 hashes needs 9: rounds grow with the logarithm."""

HASH = 16

_ARROW = {
    "string": pyarrow.string(),
    "bigint": pyarrow.int64(),
    "double": pyarrow.float64(),
    "float": pyarrow.float32(),
    "boolean": pyarrow.bool_(),
    "array<string>": pyarrow.list_(pyarrow.string()),
    "array<float>": pyarrow.list_(pyarrow.float32()),
}

_TYPES = {
    "Utf8": "string",
    "UInt64": "bigint",
    "Float64": "double",
    "Boolean": "boolean",
    "List(Utf8)": "array<string>",
    "List(Float32)": "array<float>",
}

REPORTS: Schema = {name: _TYPES[kind] for name, kind, *_ in ARROW_COLUMNS} | {"error": "string"}
"""The columns of the reports: those of `ksplat.to_arrow`, with signed integers, and `error`."""

BUGS: Schema = {
    "id": "string",
    "title": "string",
    "kind": "string",
    "family": "string",
    "impact": "string",
    "count": "bigint",
    "subsystem": "string",
    "kernels": "array<string>",
    "links": "array<string>",
    "perhaps": "array<string>",
    "cluster": "string",
}
"""The columns of the bugs; `cluster` is the JSON of `ksplat cluster` without members, exemplar and dates."""

LINKS: Schema = {
    "bug": "string",
    "a": "string",
    "b": "string",
    "how": "string",
    "score": "double",
    "evidence": "string",
}
"""The columns of the links between exact hashes."""

ENTRIES: Schema = {
    "exact": "string",
    "signature": "string",
    "count": "bigint",
    "title": "string",
    "bare": "boolean",
    "frames": "bigint",
    "rules": "array<string>",
    "near": "array<string>",
}
"""The columns of the distinct signatures with their keys: see `steps.keys`."""

EDGES: Schema = {"a": "string", "b": "string", "edge": "string"}
SETS: Schema = {"exact": "string", "bug": "string"}

PREVIOUS: dict[str, Schema] = {
    "files": {"file": "string"},
    "variants": {
        "exact": "string",
        "base": "string",
        "signature": "string",
        "count": "bigint",
        "alone": "boolean",
    },
    "members": {"file": "string", "index": "bigint", "exact": "string", "bug": "string"},
    "bugs": BUGS,
}
"""The tables that a run takes from the one before."""

OUTPUT = ("run", "files", "reports", "bad", "variants", "members", "links", "bugs", "stages")
"""The tables of a run; the others are needed to continue it only."""


class Engine(Protocol):
    """What the plan needs of an engine."""

    words: dict[str, str]

    def is_done(self, name: str) -> bool:
        """Whether a table was written completely."""

    def open(self, name: str, run: str | None = None) -> None:
        """Makes a written table known by its name, of this run, or of another one as `old_NAME`."""

    def view(self, name: str, query: str) -> None:
        """Names a query."""

    def save(self, name: str, query: str, function: Map | None, schema: Schema | None) -> None:
        """Writes the rows of a query, or those that a function makes of their batches."""

    def save_rows(self, name: str, schema: Schema, rows: Sequence[tuple[Any, ...]]) -> None:
        """Writes rows of this process."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Reads a query into this process."""

    def describe(self, text: str) -> None:
        """Says what follows, where people watch the engine."""

    def table(self, name: str) -> str:
        """The name of a table in SQL."""


class Error(ksplat.Error):
    """A run that cannot be started or continued."""


@dataclass
class Decisions:
    """Pairs of exact hashes that a person keeps apart, and those that are one bug."""

    apart: list[Pair] = field(default_factory=list)
    together: list[Pair] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Decisions:
        """Lines `apart HASH HASH` and `together HASH HASH`; `#` starts a comment."""
        decisions = cls()
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            is_pair = len(words) == 3 and all(_is_hash(word) for word in words[1:])
            if not is_pair or words[0] not in ("apart", "together"):
                raise Error(f"line {number} of the decisions: expected `apart HASH HASH` or `together HASH HASH`", "decisions")
            getattr(decisions, words[0]).append((words[1], words[2]))
        return decisions


def _is_hash(word: str) -> bool:
    return len(word) == HASH and all(letter in "0123456789abcdef" for letter in word)


class _Names(dict[str, str]):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.words)
        self.engine = engine

    def __missing__(self, name: str) -> str:
        return self.engine.table(name)


@dataclass
class Plan:
    """The stages of a run on an engine."""

    engine: Engine
    decisions: Decisions = field(default_factory=Decisions)
    cluster: str = "auto"
    in_one_process: int = IN_ONE_PROCESS
    stages: list[tuple[str, str, int, float]] = field(default_factory=list)
    verbose: bool = False

    def sql(self, query: str) -> str:
        return query.format_map(_Names(self.engine))

    def view(self, name: str, query: str) -> None:
        self.engine.view(name, self.sql(query))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.engine.rows(self.sql(query))

    def count(self, name: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {{{name}}}")[0][0])

    def run(self, name: str, about: str, write: Callable[[], None]) -> None:
        """Runs a stage, unless its table is complete."""
        start = time.monotonic()
        is_done = self.engine.is_done(name)
        if not is_done:
            self.engine.describe(f"{name}: {about}")
            write()
        self.engine.open(name)
        rows = self.count(name)
        seconds = time.monotonic() - start
        self.stages.append((name, about, rows, seconds))
        if self.verbose:
            state = "was complete" if is_done else f"{seconds:.1f} s"
            print(f"{name}: {about}: {rows} rows, {state}", file=sys.stderr)

    def save(
        self, name: str, about: str, query: str, function: Map | None = None, schema: Schema | None = None
    ) -> None:
        self.run(name, about, lambda: self.engine.save(name, self.sql(query), function, schema))

    def save_rows(self, name: str, about: str, schema: Schema, rows: Callable[[], Sequence[tuple[Any, ...]]]) -> None:
        self.run(name, about, lambda: self.engine.save_rows(name, schema, rows()))

    # Reports to distinct signatures.

    def start(self, previous: str | None) -> None:
        """Opens the tables of the last run, or empty ones."""
        for name, schema in PREVIOUS.items():
            if previous is not None:
                self.engine.open(name, previous)
            else:
                columns = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in schema.items() if "<" not in kind)
                self.view(f"old_{name}", f"SELECT {columns} WHERE 1 = 0")

    def sign(self) -> None:
        """`reports` to `variants`, the distinct signatures; `placed`, the reports with their hashes; `entries`."""
        self.save(
            "fresh",
            "distinct signatures of new reports",
            """SELECT exact, signature, count(*) AS count FROM {reports} WHERE error IS NULL
            GROUP BY exact, signature""",
            signed,
            {"exact": "string", "signature": "string", "count": "bigint", "alone": "boolean"},
        )
        # A report with too few facts equals no other one: it has the hash of its facts plus a number.
        self.view("lonely", "SELECT DISTINCT exact FROM {fresh} WHERE alone")
        self.save(
            "solo",
            "reports that equal no other one",
            """SELECT r.file, r.index, r.exact, r.signature,
                row_number() OVER (PARTITION BY r.exact ORDER BY r.file, r.index) - 1 + coalesce(o.n, 0) AS nth
            FROM {reports} r JOIN {lonely} l ON r.exact = l.exact
            LEFT JOIN (SELECT base, count(*) AS n FROM {old_variants} WHERE alone GROUP BY base) o ON r.exact = o.base
            WHERE r.error IS NULL""",
            numbered,
            {"file": "string", "index": "bigint", "exact": "string", "base": "string", "signature": "string"},
        )
        self.save(
            "variants",
            "distinct signatures",
            """SELECT exact, base, signature, CAST(sum(count) AS bigint) AS count, alone FROM (
                SELECT exact, exact AS base, signature, count, alone FROM {fresh} WHERE NOT alone
                UNION ALL SELECT exact, base, signature, 1 AS count, true AS alone FROM {solo}
                UNION ALL SELECT exact, base, signature, count, alone FROM {old_variants}) t
            GROUP BY exact, base, signature, alone""",
        )
        self.view(
            "placed",
            """SELECT r.file, r.index, r.exact FROM {reports} r LEFT JOIN {lonely} l ON r.exact = l.exact
            WHERE r.error IS NULL AND l.exact IS NULL
            UNION ALL SELECT file, index, exact FROM {solo}
            UNION ALL SELECT file, index, exact FROM {old_members}""",
        )
        self.save(
            "entries",
            "one signature of each hash, with its keys",
            """SELECT {collect}(signature) AS signatures, CAST(sum(count) AS bigint) AS count
            FROM {variants} WHERE NOT alone GROUP BY exact""",
            keyed,
            ENTRIES,
        )

    # Distinct signatures to sets and links.

    def group(self) -> None:
        """`entries` to `sets`, `kept`, the links, and `likely`, those between bugs that are perhaps one."""
        mode = self.cluster
        if mode == "auto":
            mode = "driver" if self.count("entries") <= self.in_one_process else "engine"
        if mode == "driver":
            self.in_driver()
        else:
            self.on_engine()
        self.view(
            "sets",
            """SELECT v.exact, coalesce(j.bug, v.exact) AS bug
            FROM (SELECT DISTINCT exact FROM {variants}) v LEFT JOIN {joined} j ON v.exact = j.exact""",
        )

    def in_driver(self) -> None:
        found: list[tuple[list[Pair], list[Any], list[Any]]] = []

        def clustered() -> tuple[list[Pair], list[Any], list[Any]]:
            if not found:
                entries = [(text, count) for text, count in self.rows("SELECT signature, count FROM {entries}")]
                found.append(steps.cluster(entries, self.decisions.apart, self.decisions.together))
            return found[0]

        self.save_rows("joined", "bugs of the distinct signatures", SETS, lambda: clustered()[0])
        self.save_rows("kept", "links", EDGES, lambda: [_row(link) for link in clustered()[1]])
        self.save_rows("likely", "bugs that are perhaps one", EDGES, lambda: [_row(link) for link in clustered()[2]])

    def on_engine(self) -> None:
        self.view("rules", "SELECT exact, {explode}(rules) AS key FROM {entries}")
        together = [(a, b, json.dumps(["forced", 1.0, "a must-link", None])) for a, b in self.decisions.together]
        self.save_rows("decided", "must-links", EDGES, lambda: together)
        self.save(
            "edges",
            "links of each key",
            """SELECT r.key, {collect}(e.signature) AS signatures FROM {rules} r
            JOIN (SELECT key FROM {rules} GROUP BY key HAVING count(*) > 1) s ON r.key = s.key
            JOIN {entries} e ON r.exact = e.exact GROUP BY r.key""",
            linked,
            EDGES,
        )
        self.view(
            "first",
            """SELECT DISTINCT a, b, edge FROM {edges} UNION ALL
            SELECT d.a, d.b, d.edge FROM {decided} d
            JOIN {entries} x ON d.a = x.exact JOIN {entries} y ON d.b = y.exact""",
        )
        self.join("1", "first", None)
        self.view(
            "titled",
            """SELECT e.title, e.exact, e.bare, coalesce(j.bug, e.exact) AS bug FROM {entries} e
            JOIN (SELECT DISTINCT title FROM {entries} WHERE bare AND title IS NOT NULL) t ON e.title = t.title
            LEFT JOIN {joined_1} j ON e.exact = j.exact""",
        )
        # Of signatures with a stack, the first of one set, or of two if there are several.
        self.save(
            "titles",
            "links of titles without a stack",
            """SELECT {collect}(t.bug || e.signature) AS members FROM (
                SELECT title, exact, bug FROM {titled} WHERE bare
                UNION ALL SELECT title, exact, bug FROM (
                    SELECT title, bug, min(exact) AS exact, row_number() OVER (PARTITION BY title ORDER BY min(exact)) AS n
                    FROM {titled} WHERE NOT bare GROUP BY title, bug) w WHERE n <= 2) t
            JOIN {entries} e ON t.exact = e.exact GROUP BY t.title""",
            titled,
            EDGES,
        )
        self.join("2", "titles", "1")
        self.view(
            "exemplars",
            """SELECT exact, signature, near FROM (
                SELECT e.exact, e.signature, e.near,
                    row_number() OVER (PARTITION BY coalesce(j.bug, e.exact) ORDER BY e.count DESC, e.frames, e.exact) AS n
                FROM {entries} e LEFT JOIN {joined_2} j ON e.exact = j.exact WHERE e.title IS NOT NULL OR NOT e.bare) t
            WHERE n = 1""",
        )
        self.view("nearby", "SELECT exact, {explode}(near) AS key FROM {exemplars}")
        self.save(
            "scored",
            "scores of exemplars",
            f"""SELECT {{collect}}(e.signature) AS signatures FROM {{nearby}} r
            JOIN (SELECT key FROM {{nearby}} GROUP BY key HAVING count(*) BETWEEN 2 AND {steps.MAX_NEAR}) s
                ON r.key = s.key
            JOIN {{exemplars}} e ON r.exact = e.exact GROUP BY r.key""",
            scored,
            EDGES | {"joins": "boolean"},
        )
        self.view("close", "SELECT DISTINCT a, b, edge FROM {scored} WHERE joins")
        self.join("3", "close", "2")
        self.view("joined", "SELECT exact, bug FROM {joined_3}")
        self.view("kept", "SELECT a, b, edge FROM {kept_3}")
        self.view("likely", "SELECT DISTINCT a, b, edge FROM {scored}")

    def join(self, name: str, edges: str, before: str | None) -> None:
        """Joins the sets of the step before by new links: `joined_NAME` and `kept_NAME`."""
        if before is None:
            self.view(f"kept_before_{name}", "SELECT a, b, edge FROM {" + edges + "}")
            graph = "SELECT a, b FROM {" + edges + "}"
        else:
            links = f"SELECT a, b, edge FROM {{kept_{before}}} UNION ALL SELECT a, b, edge FROM {{{edges}}}"
            self.view(f"kept_before_{name}", links)
            graph = f"SELECT exact AS a, bug AS b FROM {{joined_{before}}} UNION ALL SELECT a, b FROM {{{edges}}}"
        stars = self.connect(name, graph)
        self.view(
            f"connected_{name}",
            f"SELECT a AS exact, b AS bug FROM {{{stars}}} UNION SELECT b AS exact, b AS bug FROM {{{stars}}}",
        )
        pairs = [pair for pair in self.decisions.apart if pair[0] != pair[1]]
        if pairs:
            self.save_rows("apart", "cannot-links", {"a": "string", "b": "string"}, lambda: pairs)
            self.save(
                f"tangled_{name}",
                "components that hold a cannot-link",
                f"""SELECT DISTINCT x.bug FROM {{apart}} p
                JOIN {{connected_{name}}} x ON p.a = x.exact JOIN {{connected_{name}}} y ON p.b = y.exact
                WHERE x.bug = y.bug""",
            )
        if not pairs or not self.count(f"tangled_{name}"):
            self.view(f"joined_{name}", f"SELECT exact, bug FROM {{connected_{name}}}")
            self.view(f"kept_{name}", f"SELECT a, b, edge FROM {{kept_before_{name}}}")
            return
        self.view(
            f"placed_{name}",
            f"""SELECT k.a, k.b, k.edge, c.bug, t.bug AS tangled FROM {{kept_before_{name}}} k
            JOIN {{connected_{name}}} c ON k.a = c.exact LEFT JOIN {{tangled_{name}}} t ON c.bug = t.bug""",
        )
        # Each of them in one task, in order of strength and hash.
        self.save(
            f"untangled_{name}",
            "their sets and links",
            f"SELECT {{collect}}(a || b || edge) AS edges FROM {{placed_{name}}} WHERE tangled IS NOT NULL GROUP BY bug",
            untangle(pairs),
            EDGES,
        )
        self.view(
            f"joined_{name}",
            f"""SELECT c.exact, c.bug FROM {{connected_{name}}} c LEFT JOIN {{tangled_{name}}} t ON c.bug = t.bug
            WHERE t.bug IS NULL
            UNION ALL SELECT a AS exact, b AS bug FROM {{untangled_{name}}} WHERE edge IS NULL""",
        )
        self.view(
            f"kept_{name}",
            f"""SELECT a, b, edge FROM {{placed_{name}}} WHERE tangled IS NULL
            UNION ALL SELECT a, b, edge FROM {{untangled_{name}}} WHERE edge IS NOT NULL""",
        )

    def connect(self, name: str, graph: str) -> str:
        """Connected components: pairs of a hash and the smallest hash of its component.

        Large and small stars in turn (Kiveris et al., Connected Components in MapReduce and Beyond, 2014), until each
        hash has one neighbour that is no hash with a neighbour.
        """
        self.save(
            f"stars_{name}_0",
            "pairs to connect",
            f"SELECT DISTINCT greatest(a, b) AS a, least(a, b) AS b FROM ({graph}) g WHERE a <> b",
        )
        for round in range(1, MAX_ROUNDS + 1):
            stars = f"stars_{name}_{round - 1}"
            [(rows, children)] = self.rows(f"SELECT count(*), count(DISTINCT a) FROM {{{stars}}}")
            roots = self.rows(f"SELECT 1 FROM {{{stars}}} x JOIN {{{stars}}} y ON x.b = y.a LIMIT 1")
            if rows == children and not roots:
                return stars
            self.view(
                f"large_{name}_{round}",
                f"""WITH s AS (SELECT a AS u, b AS v FROM {{{stars}}} UNION ALL SELECT b AS u, a AS v FROM {{{stars}}}),
                m AS (SELECT u, least(u, min(v)) AS m FROM s GROUP BY u)
                SELECT DISTINCT s.v AS a, m.m AS b FROM s JOIN m ON s.u = m.u WHERE s.v > s.u""",
            )
            self.save(
                f"stars_{name}_{round}",
                f"round {round} of connected components",
                f"""WITH m AS (SELECT a, min(b) AS m FROM {{large_{name}_{round}}} GROUP BY a)
                SELECT s.b AS a, m.m AS b FROM {{large_{name}_{round}}} s JOIN m ON s.a = m.a WHERE s.b <> m.m
                UNION SELECT a, m AS b FROM m""",
            )
        raise Error(f"the components are not connected after {MAX_ROUNDS} rounds", "rounds")

    # Sets and links to bugs.

    def name(self) -> None:
        """`ids`: the ID of each bug, that of the last run if it has members from there."""
        if not self.rows("SELECT 1 FROM {old_members} LIMIT 1"):
            self.view("ids", "SELECT DISTINCT bug, bug AS id FROM {sets}")
            return
        self.view(
            "overlaps",
            """SELECT s.bug, o.bug AS id, sum(o.n) AS n FROM {sets} s
            JOIN (SELECT exact, bug, count(*) AS n FROM {old_members} GROUP BY exact, bug) o ON s.exact = o.exact
            GROUP BY s.bug, o.bug""",
        )
        # A bug has the ID of most of its members. Of two with one such ID, that with more members keeps it.
        self.view(
            "claims",
            """SELECT bug, id, row_number() OVER (PARTITION BY id ORDER BY n DESC, bug) AS nth FROM (
                SELECT bug, id, n, row_number() OVER (PARTITION BY bug ORDER BY n DESC, id) AS best FROM {overlaps}) t
            WHERE best = 1""",
        )
        # Another one has the smallest of its hashes that is no ID.
        self.save(
            "ids",
            "the ID of each bug",
            """SELECT s.bug, coalesce(c.id, f.exact, substr(md5(s.bug), 1, 16)) AS id
            FROM (SELECT DISTINCT bug FROM {sets}) s
            LEFT JOIN {claims} c ON s.bug = c.bug AND c.nth = 1
            LEFT JOIN (SELECT x.bug, min(x.exact) AS exact FROM {sets} x LEFT JOIN {old_bugs} o ON x.exact = o.id
                WHERE o.id IS NULL GROUP BY x.bug) f ON s.bug = f.bug""",
        )

    def tell(self) -> None:
        """`links`, `members` and `bugs`."""
        self.name()
        self.view("named", "SELECT s.exact, i.id FROM {sets} s JOIN {ids} i ON s.bug = i.bug")
        self.save(
            "links",
            "links with evidence",
            "SELECT n.id AS bug, k.a, k.b, k.edge FROM {kept} k JOIN {named} n ON k.a = n.exact",
            told,
            LINKS,
        )
        self.save(
            "members",
            "the bug of each report",
            "SELECT p.file, p.index, p.exact, n.id AS bug FROM {placed} p JOIN {named} n ON p.exact = n.exact",
        )
        self.view(
            "others",
            """SELECT x.id, y.id AS other, l.edge FROM (
                SELECT a, b, edge FROM {likely} UNION ALL SELECT b AS a, a AS b, edge FROM {likely}) l
            JOIN {named} x ON l.a = x.exact JOIN {named} y ON l.b = y.exact WHERE x.id <> y.id""",
        )
        self.save(
            "bugs",
            "bugs",
            """SELECT v.id, v.variants, l.links, o.others FROM (
                SELECT n.id, {collect}(CAST(v.count AS string) || ' ' || v.signature) AS variants
                FROM {variants} v JOIN {named} n ON v.exact = n.exact GROUP BY n.id) v
            LEFT JOIN (SELECT n.id, {collect}(k.a || k.b || k.edge) AS links
                FROM {kept} k JOIN {named} n ON k.a = n.exact GROUP BY n.id) l ON v.id = l.id
            LEFT JOIN (SELECT id, {collect}(other || edge) AS others FROM {others} GROUP BY id) o ON v.id = o.id""",
            described,
            BUGS,
        )

    def bugs(self) -> None:
        """`reports` to `bugs`, `members` and `links`."""
        self.sign()
        self.group()
        self.tell()


# Functions of batches. They run on the machines of an engine, and need nothing but their batch.


def arrow_schema(schema: Schema) -> pyarrow.Schema:
    return pyarrow.schema([pyarrow.field(name, _ARROW[kind]) for name, kind in schema.items()])


def batch_of(schema: Schema, rows: Sequence[tuple[Any, ...]]) -> pyarrow.RecordBatch:
    """Rows as a batch."""
    columns = list(zip(*rows)) if rows else [()] * len(schema)
    arrays = [pyarrow.array(column, _ARROW[kind]) for column, kind in zip(columns, schema.values())]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema))


def parsed(logs: Iterable[tuple[str, Any]], parser: ksplat.Parser, threads: int | None) -> Iterator[pyarrow.RecordBatch]:
    """Named logs to batches of `REPORTS`. A log that cannot be read is a row of `file` and `error` alone."""
    bad: list[tuple[str, Exception]] = []

    def good() -> Iterator[tuple[str, Any]]:
        for name, log in logs:
            if log is None:
                bad.append((name, ValueError("the log is null")))
            else:
                yield name, log.encode() if isinstance(log, str) else log

    schema = arrow_schema(REPORTS)
    stream = ksplat.to_arrow(good(), threads=threads, parser=parser, bad=bad)
    for batch in pyarrow.RecordBatchReader.from_stream(stream):
        # `memcpy` of a negative size is a size above 2^63, which `bigint` shows as the negative one.
        columns = [column.cast(field.type, safe=False) for column, field in zip(batch.columns, schema)]
        columns.append(pyarrow.nulls(batch.num_rows, pyarrow.string()))
        yield pyarrow.RecordBatch.from_arrays(columns, schema=schema)
    if bad:
        rows = [{"file": name, "error": str(error)} for name, error in bad]
        yield pyarrow.RecordBatch.from_pylist(rows, schema=schema)


def _columns(batch: pyarrow.RecordBatch) -> list[list[Any]]:
    return [column.to_pylist() for column in batch.columns]


def _row(link: tuple[Any, ...]) -> tuple[str, str, str]:
    """A link as a row of `EDGES`."""
    a, b, *edge = link
    return a, b, json.dumps(edge)


def _link(text: str) -> tuple[Any, ...]:
    """The link of `a || b || edge`."""
    return text[:HASH], text[HASH : 2 * HASH], *json.loads(text[2 * HASH :])


def _edges(groups: Iterable[Iterable[tuple[Any, ...]]]) -> pyarrow.RecordBatch:
    return batch_of(EDGES, [_row(link) for links in groups for link in links])


def signed(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """Adds whether a signature equals no other one."""
    schema: Schema = {"exact": "string", "signature": "string", "count": "bigint", "alone": "boolean"}
    for batch in batches:
        exact, texts, counts = _columns(batch)
        keys = steps.keys(texts)
        yield batch_of(schema, list(zip(exact, texts, counts, [key[1] for key in keys])))


def numbered(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """Adds the number of a report among those with its hash to the hash."""
    schema: Schema = {"file": "string", "index": "bigint", "exact": "string", "base": "string", "signature": "string"}
    for batch in batches:
        rows = [
            (file, index, f"{(int(exact, 16) + nth) % 2**64:016x}", exact, text)
            for file, index, exact, text, nth in zip(*_columns(batch))
        ]
        yield batch_of(schema, rows)


def keyed(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """Merges the signatures of a hash, and adds the keys."""
    for batch in batches:
        groups, counts = _columns(batch)
        texts = steps.merge(groups)
        rows = [
            (exact, text, count, title, is_bare, frames, rules, near)
            for text, count, (exact, _, title, is_bare, frames, rules, near) in zip(texts, counts, steps.keys(texts))
        ]
        yield batch_of(ENTRIES, rows)


def linked(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """The links of keys."""
    for batch in batches:
        keys, groups = _columns(batch)
        yield _edges(steps.edges(list(zip(keys, groups))))


def titled(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """The links of titles."""
    for batch in batches:
        [groups] = _columns(batch)
        yield _edges(steps.titles([[(text[HASH:], text[:HASH]) for text in group] for group in groups]))


def scored(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """The links by score, and whether they join."""
    schema = EDGES | {"joins": "boolean"}
    for batch in batches:
        [groups] = _columns(batch)
        links = [link for links in steps.scores(groups, steps.PERHAPS) for link in links]
        yield batch_of(schema, [(*_row(link), link[3] >= steps.ATTACH) for link in links])


def untangle(apart: list[Pair]) -> Map:
    """Joins components that hold pairs of `apart`: rows of a hash and its set, without `edge`, and of links."""

    def untangled(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            [groups] = _columns(batch)
            for joined, links in steps.components([([_link(text) for text in group], apart) for group in groups]):
                yield batch_of(EDGES, [*((exact, bug, None) for exact, bug in joined), *map(_row, links)])

    return untangled


def told(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """Links as rows of `LINKS`."""
    for batch in batches:
        rows = [(bug, a, b, *json.loads(edge)[:3]) for bug, a, b, edge in zip(*_columns(batch))]
        yield batch_of(LINKS, rows)


NEIGHBOURS = 8
"""The number of other bugs that are perhaps the same."""


def described(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
    """Bugs as rows of `BUGS`."""
    for batch in batches:
        ids, variants, links, others = _columns(batch)
        # In one order, so that the answer does not depend on the engine.
        counted = [sorted(_counted(text) for text in texts) for texts in variants]
        groups = [(texts, [_link(text) for text in edges or []]) for texts, edges in zip(counted, links)]
        described = steps.describe(groups)
        rows = [_bug(id, json.loads(text), other or []) for id, text, other in zip(ids, described, others)]
        yield batch_of(BUGS, rows)


def _counted(text: str) -> tuple[str, int]:
    count, signature = text.split(" ", 1)
    return signature, int(count)


def _bug(id: str, fields: dict[str, Any], others: Sequence[str]) -> tuple[Any, ...]:
    likely: dict[str, tuple[float, str]] = {}
    for text in others:
        _, score, evidence, _ = json.loads(text[HASH:])
        likely[text[:HASH]] = max(likely.get(text[:HASH], (score, evidence)), (score, evidence))
    best = sorted(likely.items(), key=lambda item: (-item[1][0], item[0]))[:NEIGHBOURS]
    fields.pop("members", None)
    fields.pop("exemplar", None)
    fields["id"] = id
    fields["perhaps"] = [{"id": other, "score": score, "evidence": evidence} for other, (score, evidence) in best]
    return (
        id,
        fields["title"],
        fields["kind"],
        fields["family"],
        fields["impact"]["name"],
        fields["count"],
        fields.get("subsystem"),
        [kernel["release"] for kernel in fields["kernels"]],
        [f"{link['how']}: {link['evidence']}" for link in fields["links"]],
        [other for other, _ in best],
        json.dumps(fields),
    )
