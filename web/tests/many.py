"""Writes 100,000 logs of 10,000 bugs: `python3 many.py FOLDER`. For the figures of the page of bugs in benches/README.md."""
import os
import random
import sys

random.seed(7)
FOLDER = sys.argv[1]
SYLLABLES = """ab ac ad al am an ar as at ba be bi bo bu ca ce ci co cu da de di do du fa fe fi fo ga ge go ha he hi ho ja ka ke
ki ko la le li lo lu ma me mi mo mu na ne ni no nu pa pe pi po qu ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we
wi xa ya za ze zo""".split()
KINDS = [
    ["BUG: KASAN: slab-use-after-free in {f}+0x1f/0x90", "Write of size 8 at addr ffff888001286008 by task syz.1/46"],
    ["BUG: KASAN: slab-out-of-bounds in {f}+0x1f/0x90", "Read of size 4 at addr ffff888001286008 by task syz.1/46"],
    ["BUG: kernel NULL pointer dereference, address: 0000000000000068", "#PF: supervisor write access in kernel mode"],
    ["WARNING: CPU: 1 PID: 46 at fs/x.c:280 {f}+0x1f/0x90"],
    ["general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP"],
]


def word():
    return "".join(random.choice(SYLLABLES) for _ in range(random.randint(2, 3)))


def report(bug, functions):
    release = f"6.{random.randint(1, 18)}.{random.randint(0, 9)}"
    lines = [line.format(f=functions[0]) for line in KINDS[bug % len(KINDS)]]
    lines += [
        f"CPU: 1 PID: 46 Comm: syz.1 Not tainted {release} #1",
        "Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.3",
        f"RIP: 0010:{functions[0]}+0x1f/0x90",
        "Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3",
        "RAX: 0000000000000000 RBX: 1ffff9200155dfb0 RCX: ffffffff81c74e8d",
        "RDX: 000000000000000b RSI: 0000000000000004 RDI: ffff8df1c28e1b40",
        "Call Trace:",
    ]
    lines += [f" {function}+0x{random.randint(16, 200):x}/0x200" for function in functions[1:]]
    lines += [f" {function}+0x1/0x200" for function in ["vfs_write", "ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"]]
    lines += ["---[ end trace 0000000000000000 ]---"]
    date = f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    return "".join(f"{date}T06:14:00.123456+00:00 host kernel: {line}\n" for line in lines)


for bug in range(10_000):
    prefix = word() + word()
    functions = [f"{prefix}_" + "_".join(word() for _ in range(random.randint(1, 2))) for _ in range(6)]
    for number in range(10):
        folder = os.path.join(FOLDER, f"run-{(bug * 10 + number) // 1000:04}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"console-{bug:05}-{number}.log"), "w") as log:
            log.write(report(bug, functions))
