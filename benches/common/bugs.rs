//! Reports of synthetic bugs.

use std::fmt::Write;

/// A pseudo-random number generator, the same in every run: xorshift64*.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    /// Whether a number of a hundred is below this.
    pub(crate) fn in_percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A report of a bug, with differences between runs: the kernel, inlined functions, a frame of
/// another path, addresses.
pub(crate) fn log(bug: u64, random: &mut Random) -> String {
    let mut own = Random(bug.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        own.below(2);
    }
    // With more bugs in a part they would merge.
    let part = own.below(400) + 400 * (bug / 100_000);
    let kind = own.below(4);
    let site = format!("part{part}_do_{bug:x}");
    let mut callers: Vec<String> =
        (0..5).map(|_| format!("part{part}_call_{}", own.below(40))).collect();
    if random.in_percent(10) {
        let at = random.below(callers.len() as u64) as usize;
        callers[at] = format!("part{part}_call_{}", random.below(40));
    }
    // A bug is reported until it is fixed: by up to four releases in a row.
    let release = own.below(37) + random.below(4);
    let (major, minor) = (5 + release / 20, release % 20);
    let pid = random.below(9000);
    let mut log = String::new();
    let inlined = random.in_percent(15);
    let trap = |log: &mut String| {
        if inlined {
            writeln!(log, "RIP: 0010:{site} net/part{part}/x.c:1 [inline]").unwrap();
            writeln!(log, "RIP: 0010:{}+0x5{:x}/0x900 net/part{part}/x.c:9", callers[0], pid % 16)
                .unwrap();
        } else {
            writeln!(log, "RIP: 0010:{site}+0x1{:x}/0x200 net/part{part}/x.c:1", pid % 16).unwrap();
        }
    };
    match kind {
        0 => {
            let at = if inlined { &callers[0] } else { &site };
            writeln!(log, "BUG: KASAN: slab-use-after-free in {at}+0x1/0x200 net/part{part}/x.c:1").unwrap();
            writeln!(log, "Read of size 8 at addr ffff8880{pid:08x} by task a/{pid}").unwrap();
        }
        1 => writeln!(log, "BUG: kernel NULL pointer dereference, address: 00000000000000{:02x}", own.below(30) * 8).unwrap(),
        2 => writeln!(log, "WARNING: CPU: 0 PID: {pid} at net/part{part}/x.c:1 {site}+0x10/0x200 net/part{part}/x.c:1").unwrap(),
        _ => writeln!(log, "kernel BUG at net/part{part}/x.c:1!").unwrap(),
    }
    writeln!(log, "CPU: 0 PID: {pid} Comm: a Not tainted {major}.{minor}.0 #1").unwrap();
    if kind > 0 {
        trap(&mut log);
    }
    writeln!(log, "Call Trace:\n <TASK>").unwrap();
    if kind == 0 {
        writeln!(log, " dump_stack_lvl+0x1/0x2\n kasan_report+0x1/0x2").unwrap();
        if inlined {
            writeln!(log, " {site} net/part{part}/x.c:1 [inline]").unwrap();
        } else {
            writeln!(log, " {site}+0x10/0x200 net/part{part}/x.c:1").unwrap();
        }
    }
    for caller in callers.iter().skip(usize::from(inlined && kind > 0)) {
        writeln!(log, " {caller}+0x{:x}/0x900 net/part{part}/y.c:3", pid % 256 + 1).unwrap();
    }
    log.push_str(" vfs_write+0x1/0x2\n ksys_write+0x1/0x2\n do_syscall_64+0x1/0x2\n entry_SYSCALL_64_after_hwframe+0x1/0x2\n </TASK>\n");
    log
}
