"""What all answers have in common: they are views of the JSON that the program `ksplat` prints."""

from __future__ import annotations

import copy
import html
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ksplat import _native
from ksplat._errors import SignatureError

if TYPE_CHECKING:
    from ksplat._model import Signature, Stack

R = TypeVar("R", bound="Record")

_MAX_REPR = 110


class Record:
    """An answer: attributes are the fields of its JSON. A missing text or number is `None`, a missing
    list is empty."""

    __slots__ = ("_data", "_json")

    _keys: ClassVar[tuple[str, ...]] = ()

    def __init__(self, data: Mapping[str, Any] | str | bytes) -> None:
        """Makes an answer of its JSON, or of the fields that `to_dict` returned."""
        self._json: bytes | None = None
        self._data: dict[str, Any] | None = None
        if isinstance(data, str):
            self._json = data.encode()
        elif isinstance(data, bytes):
            self._json = data
        elif isinstance(data, Mapping):
            self._data = dict(data)
        else:
            name = type(data).__name__
            raise TypeError(f"a {type(self).__name__} is made of JSON or of a dict, not {name}")

    @property
    def _fields(self) -> dict[str, Any]:
        # JSON is decoded when the first attribute is read.
        if self._data is None:
            self._data = json.loads(self._json or b"{}")
        return self._data

    def _need(self, key: str) -> Any:
        try:
            return self._fields[key]
        except KeyError:
            raise AttributeError(f"this {type(self).__name__} has no {key}") from None

    def _one(self, key: str, kind: type[R]) -> R | None:
        value = self._fields.get(key)
        return None if value is None else kind(value)

    def _many(self, key: str, kind: type[R]) -> list[R]:
        return [kind(value) for value in self._fields.get(key, ())]

    def to_dict(self) -> dict[str, Any]:
        """The fields, as plain dicts, lists, texts and numbers: a copy that may be changed."""
        if self._json is not None:
            value: dict[str, Any] = json.loads(self._json)
            return value
        return copy.deepcopy(self._fields)

    def to_json(self) -> str:
        """The JSON on one line."""
        if self._json is not None:
            return self._json.decode()
        return json.dumps(self._data, separators=(",", ":"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._fields == other._fields

    def __hash__(self) -> int:
        return hash(json.dumps(self._fields, sort_keys=True))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.to_json(),)

    def __repr__(self) -> str:
        parts: list[str] = []
        for key in self._keys:
            value = self._fields.get(key)
            if value is None or isinstance(value, (dict, list)):
                continue
            part = f"{key}={value!r}"
            if len(", ".join([*parts, part])) > _MAX_REPR:
                parts.append("…")
                break
            parts.append(part)
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """A table of the fields, for notebooks."""
        return _table(self._fields)


class ReportBase(Record):
    """What reports can do beside their fields."""

    __slots__ = ("_signature",)

    def __init__(
        self, data: Mapping[str, Any] | str | bytes, _signature: bytes | None = None
    ) -> None:
        super().__init__(data)
        self._signature = _signature

    @property
    def crash_stack(self) -> Stack | None:
        """The stack of the crash, innermost frame first."""
        from ksplat._model import Stack

        stacks = self._many("stacks", Stack)
        return next((stack for stack in stacks if stack.role == "crash"), None)

    def _signed(self) -> Signature:
        from ksplat._model import Signature

        if self._signature is None:
            raise SignatureError(
                "only a report that this package parsed is signed, as it is explained: "
                "parse its log with ksplat.reports",
                "not-parsed",
            )
        return Signature(self._signature)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.to_json(), self._signature)

    def __repr__(self) -> str:
        fields = self._fields
        place = f"{fields.get('file', '-')}#{fields.get('index', 0)}"
        return f"Report({fields.get('title')!r}, {place!r})"

    def _repr_html_(self) -> str:
        """Title, diagnosis, suspects and stack, for notebooks."""
        fields = self._fields
        page = [f"<b>{_text(fields.get('title', ''))}</b>"]
        for key in ("diagnosis", "explanation"):
            if key in fields:
                page.append(f"<p>{_text(fields[key]['summary'])}</p>")
        for suspect in fields.get("suspects", ())[:3]:
            place = _text(suspect.get("file", ""))
            page.append(
                f"<div>{suspect['probability']:.0%} <code>{_text(suspect['function'])}</code> {place}</div>"
            )
        stack = self.crash_stack
        if stack is not None:
            frames = (frame.function or frame.address or "?" for frame in stack.frames)
            page.append("<pre>" + "\n".join(_text(frame) for frame in frames) + "</pre>")
        page.append(f"<details><summary>all fields</summary>{_table(fields)}</details>")
        return "\n".join(page)


class ClusterBase(Record):
    """What clusters have beside their fields."""

    __slots__ = ("_reports",)

    def __init__(
        self, data: Mapping[str, Any] | str | bytes, _reports: list[int] | None = None
    ) -> None:
        super().__init__(data)
        self._reports = _reports

    @property
    def reports(self) -> list[int]:
        """The numbers of the members, as `Index.add` returned them; empty for a cluster of a store."""
        return list(self._reports or ())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.to_json(), self._reports)


def _text(value: object) -> str:
    """Untrusted text for HTML: control and invisible characters are escaped."""
    text = str(value)
    return html.escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def _table(value: object) -> str:
    if isinstance(value, dict):
        rows = (f"<tr><th>{_text(key)}</th><td>{_table(item)}</td></tr>" for key, item in value.items())
        return "<table>" + "".join(rows) + "</table>"
    if isinstance(value, list):
        return "".join(f"<div>{_table(item)}</div>" for item in value)
    return _text(value)


def signature_of(report: ReportBase | Signature) -> tuple[str, str, int, int | None]:
    """The JSON of a signature, and the log, the index and the line of its report."""
    from ksplat._model import Signature

    if isinstance(report, Signature):
        return report.to_json(), "-", 0, None
    if isinstance(report, ReportBase):
        fields = report._fields
        file, index = fields.get("file", "-"), fields.get("index", 0)
        return report._signed().to_json(), file, index, fields["span"]["line"]
    name = type(report).__name__
    raise TypeError(f"a Report or a Signature is needed, not {name}")


def explained(report: ReportBase, all: bool, width: int | None) -> str:
    """A report as text."""
    if not isinstance(report, ReportBase):
        raise TypeError(f"a Report is needed, not {type(report).__name__}")
    return _native.explain(report.to_json(), all, width)
