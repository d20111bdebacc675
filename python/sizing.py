#!/usr/bin/env python3
"""Measures the engines over logs with noise.

`python3 sizing.py LOGS FOLDER COUNT VARIANTS ENGINE MODE` makes COUNT logs of those below LOGS in FOLDER, unless it
exists, and runs the job of `ksplat.ENGINE` with `--cluster MODE`. Prints rows and seconds of each stage, the size of
its table, and the peak of memory of this process and of its children.
"""

from __future__ import annotations

import importlib
import resource
import shutil
import sys
import time
from pathlib import Path

import pyarrow.parquet

sys.path.insert(0, str(Path(__file__).parent / "tests"))

import noise


def size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*.parquet")
    return sum(file.stat().st_size for file in files)


def main() -> None:
    logs, folder, count, variants, engine, mode = sys.argv[1:]
    place, out = Path(folder), Path(f"{folder}-{engine}-{mode}")
    if not place.exists():
        kinds = [path.read_bytes() for path in sorted(Path(logs).rglob("*.log"))]
        noise.write(kinds, place, int(count), seed=3, variants=int(variants))
    shutil.rmtree(out, ignore_errors=True)
    begin, cpu = time.monotonic(), time.process_time()
    job = importlib.import_module(f"ksplat.{engine}")
    job.main(["--logs", folder, "--out", str(out), "--cluster", mode, "--keep"])
    print(f"{time.monotonic() - begin:.1f} s, {time.process_time() - cpu:.1f} CPU seconds of this process")
    for who, name in ((resource.RUSAGE_SELF, "this process"), (resource.RUSAGE_CHILDREN, "a child at most")):
        print(f"{name}: {resource.getrusage(who).ru_maxrss // 1024} MB")
    run = out / "0001"
    path = run / "stages"
    stages = pyarrow.parquet.read_table(path if path.is_dir() else path.with_suffix(".parquet"))
    for row in stages.to_pylist():
        name = row["stage"]
        found = [path for path in (run / name, run / "work" / name) for path in (path, path.with_suffix(".parquet"))]
        bytes_ = sum(size(path) for path in found if path.exists())
        print(f"{name:14} {row['rows']:10,} rows {row['seconds']:8.1f} s {bytes_:14,} bytes")


if __name__ == "__main__":
    main()
