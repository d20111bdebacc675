"""The exceptions. A file that cannot be read is an `OSError`, an argument of another type a `TypeError`."""

from __future__ import annotations

from typing import Any


class Error(Exception):
    """An error of ksplat. `code` names it for programs, the text is for people."""

    code: str

    def __init__(self, message: str, code: str, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self._fields = fields
        for name, value in fields.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (type(self), str(self), self.code, self._fields)


def _make(kind: type[Error], message: str, code: str, fields: dict[str, Any]) -> Error:
    return kind(message, code, **fields)


class LogError(Error, ValueError):
    """A log is no text: `code` is `binary`, `packed` or `utf-16`."""

    path: str | None


class CodeError(Error, ValueError):
    """A `Code:` line cannot be decoded. `offset` is the place of the error in it."""

    offset: int


class BisectionError(Error, ValueError):
    """A log is not one of a bisection."""

    path: str | None


class SignatureError(Error, ValueError):
    """A signature cannot be used: `code` is `not-json`, `version` or `not-parsed`."""

    line: int
    column: int
    found: int
    supported: int


class ImageError(Error):
    """A kernel image cannot be used: `code` is that of `ksplat::symbolize::Error`, such as `not-elf`."""

    path: str
    section: str
    offset: int
    size: int
    limit: int
    line: int


class StoreError(Error):
    """A store cannot be used: `code` is that of `ksplat::store::Error`, such as `locked` or `no-bug`."""

    path: str
    bug: str
    name: str
    len: int
    found: int
    supported: int


for _kind in (Error, LogError, CodeError, BisectionError, SignatureError, ImageError, StoreError):
    _kind.__module__ = "ksplat"
