"""Executes the notebook of the documentation, on the logs of KSPLAT_LOGS or the corpus.

    python python/notebook.py [--write]

A cell that fails ends the program with its error. `--write` stores the outputs in the notebook; only those of the
corpus may be stored. Needs nbclient, ipykernel, pyarrow and matplotlib.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs/notebooks/triage.ipynb"


def main(arguments: list[str]) -> int:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = str(NOTEBOOK.parent)
    # The times of the cells differ in each run.
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False, resources={"metadata": {"path": folder}})
    client.execute()
    texts = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    print("".join(texts).splitlines()[0])
    if "--write" in arguments:
        if "KSPLAT_LOGS" in os.environ:
            sys.exit("notebook: only outputs of the corpus are stored: unset KSPLAT_LOGS")
        nbformat.write(notebook, NOTEBOOK)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
