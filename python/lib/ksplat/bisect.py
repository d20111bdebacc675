"""Audits of syzkaller's bisections."""

from __future__ import annotations

import os

from ksplat import _native
from ksplat._model import Audit

__all__ = ["Audit", "audit"]


def audit(
    log: bytes | str | os.PathLike[str],
    *,
    name: str | None = None,
    title: str | None = None,
    report: bytes | str | os.PathLike[str] | None = None,
) -> Audit:
    """Audits a bisection log: which verdicts its crashes support, and whether its commit can be trusted.

    `title` is that of the bisected crash, `report` a log of it; both are optional. The answer is that
    of `ksplat bisect --format json`. A log of something else is a `BisectionError`.
    """
    return Audit(_native.audit(log, name, title, report))
