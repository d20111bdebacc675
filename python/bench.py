#!/usr/bin/env python3
"""Times `to_arrow` over logs in memory, and prints the peak of memory over many logs of files.

`python3 bench.py FOLDER` takes the logs below a folder; `cargo bench -p ksplat-arrow -- FOLDER` has the figures of
the library for the same logs.
"""

from __future__ import annotations

import itertools
import resource
import sys
import time
from pathlib import Path

import pyarrow

import ksplat

MANY = 100_000


def main() -> None:
    paths = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix in (".log", ".txt"))
    # First, as memory only grows: the logs are read from their files, over and over.
    many = itertools.islice(itertools.cycle(map(str, paths)), MANY)
    begin, rows = time.process_time(), 0
    for batch in pyarrow.RecordBatchReader.from_stream(ksplat.to_arrow(many, threads=2)):
        rows += batch.num_rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{MANY} logs of files, {rows} reports, 2 threads: {time.process_time() - begin:.1f} s of CPU, peak {peak} MiB")

    logs = [path.read_bytes() for path in paths]
    print(f"{len(logs)} logs, {sum(map(len, logs))} bytes")
    for threads in (1, 2):
        times = []
        for _ in range(5):
            begin, cpu = time.perf_counter(), time.process_time()
            reader = pyarrow.RecordBatchReader.from_stream(ksplat.to_arrow(logs, threads=threads))
            for _ in reader:
                pass
            times.append((time.perf_counter() - begin, time.process_time() - cpu))
        best, cpu = (min(column) * 1000 for column in zip(*times))
        print(f"{threads} threads: to_arrow {best:.1f} ms, {cpu:.1f} ms of CPU")


if __name__ == "__main__":
    main()
