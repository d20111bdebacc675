"""Logs with noise, made of others: what changes from machine to machine, and what consoles lose."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

BOOT = (
    b"Linux version 6.%d.0 (builder@demo) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC",
    b"Command line: console=ttyS0 root=/dev/vda%d",
    b"Memory: %dK/2096632K available",
    b"virtio_blk virtio%d: [vda] 8388608 512-byte logical blocks",
    b"EXT4-fs (vda%d): mounted filesystem with ordered data mode",
    b"systemd[%d]: Started Journal Service.",
)

ADDRESS = re.compile(rb"\bffff[0-9a-f]{12}\b")
TIME = re.compile(rb"^\[ *(\d+)\.(\d{6})\]", re.MULTILINE)
NUMBER = re.compile(rb"\b(PID|CPU): (\d+)")
FRAME = re.compile(rb"\b([a-z_][a-z0-9_]{3,})\+0x")


def noisy(log: bytes, chance: random.Random, variants: int) -> bytes:
    """A log of the same crash on another machine, or with another function of `variants` in its stack."""
    later, variant = chance.randrange(10_000), chance.randrange(variants)
    numbers: dict[bytes, bytes] = {}
    log = ADDRESS.sub(lambda m: numbers.setdefault(m[0], b"ffff%012x" % chance.getrandbits(48)), log)
    log = TIME.sub(lambda m: b"[%5d.%s]" % (int(m[1]) + later, m[2]), log)
    log = NUMBER.sub(lambda m: b"%s: %d" % (m[1], chance.randrange(1, 8)), log)
    names = sorted({m[1] for m in FRAME.finditer(log)})
    if variant and names:
        name = chance.choice(names)
        log = re.sub(rb"\b" + name + rb"\b", b"%s_%d" % (name, variant), log)
    lines = log.splitlines(keepends=True)
    if chance.random() < 0.5:
        lost = chance.random() * 0.05
        lines = [line for line in lines if chance.random() >= lost]
    if chance.random() < 0.05:
        lines = lines[: chance.randrange(len(lines) + 1)]
    boot = [
        b"[%5d.%06d] %s\n" % (second, chance.randrange(10**6), chance.choice(BOOT) % chance.randrange(1, 9))
        for second in range(chance.randrange(20))
    ]
    return b"".join(boot + lines)


def write(logs: Iterable[bytes], folder: Path, count: int, *, seed: int, variants: int = 1) -> None:
    """Writes `count` logs below a directory, a thousand to a directory."""
    kinds = list(logs)
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        place = folder / f"{number // 1000:04}"
        if number % 1000 == 0:
            place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:07}.log").write_bytes(noisy(chance.choice(kinds), chance, variants))
