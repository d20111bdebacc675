"""The corpus, and the program whose answers the package must have."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[2]
DIVIDE = TOP / "corpus/divide-error/divide.log"


def program() -> Path:
    """The program `ksplat`: KSPLAT names it, or one that cargo built."""
    named = os.environ.get("KSPLAT")
    built = [TOP / "target" / profile / "ksplat" for profile in ("release", "debug")]
    for path in [Path(named)] if named else built:
        if path.is_file():
            return path
    pytest.fail("build the program first: cargo build --release -p ksplat-cli, or set KSPLAT")


def ksplat(*args: str | Path) -> str:
    """What the program prints. It finds reports (1) or none (0)."""
    run = subprocess.run([program(), *args], cwd=TOP, capture_output=True, check=False)
    assert run.returncode in (0, 1), run.stderr.decode()
    return run.stdout.decode()


def ksplat_json(command: str, *args: str | Path) -> Any:
    return json.loads(ksplat(command, "--format", "json", *args))


@pytest.fixture(scope="session")
def logs() -> list[str]:
    """All logs of the corpus, by their paths from the top."""
    found = sorted(str(path.relative_to(TOP)) for path in TOP.glob("corpus/*/*.log"))
    assert len(found) > 100
    return found


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
