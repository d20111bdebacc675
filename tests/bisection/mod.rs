//! Bisections with a known culprit: git's search over a linear history, with a crash that does not
//! always occur, another unrelated one, and machines that do not boot, printed as by syzkaller.

use std::fmt::Write as _;

/// Titles of crashes, the subsystem of each, and a file of that.
const CRASHES: &[(&str, &str, &str)] = &[
    (
        "KASAN: use-after-free Write in fsnotify_detach_connector_from_object",
        "proc",
        "fs/proc/root.c",
    ),
    ("WARNING in io_wqe_enqueue", "io_uring", "fs/io_uring.c"),
    ("general protection fault in tipc_nl_compat_doit", "tipc", "net/tipc/netlink.c"),
    ("KASAN: slab-out-of-bounds Read in vcs_scr_readw", "vt", "drivers/tty/vt/vt.c"),
    ("possible deadlock in mon_bin_vma_fault", "USB", "drivers/usb/mon/mon_bin.c"),
    ("INFO: task hung in vhost_net_stop_vq", "vhost", "drivers/vhost/net.c"),
    ("memory leak in rose_create", "rose", "net/rose/af_rose.c"),
    ("kernel BUG at fs/ext4/inode.c:LINE!", "ext4", "fs/ext4/inode.c"),
];

/// Titles of unrelated crashes.
const OTHERS: &[&str] = &[
    "general protection fault in batadv_iv_ogm_queue_add",
    "BUG: sleeping function called from invalid context in lock_sock_nested",
    "WARNING in kvm_wait",
    "KASAN: use-after-free Read in __hci_cmd_sync",
    "unregister_netdevice: waiting for DEV to become free",
];

/// Pseudo-random numbers, the same on every machine: splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn is(&mut self, probability: f64) -> bool {
        self.below(1 << 20) < (probability * f64::from(1 << 20)) as usize
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// The parameters of a bisection.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The number of commits; one in a fixed number of them is a release.
    pub(crate) commits: usize,
    pub(crate) release_every: usize,
    /// The first commit with the bug.
    pub(crate) culprit: usize,
    /// The rate of the crash.
    pub(crate) rate: f64,
    /// The rate of an unrelated crash.
    pub(crate) flake: f64,
    /// The rate of boot failures.
    pub(crate) boot: f64,
    crash: (&'static str, &'static str, &'static str),
    other: &'static str,
}

/// A printed bisection.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub(crate) log: String,
    /// The commit that it names.
    pub(crate) named: String,
    pub(crate) truth: String,
    /// Whether a step without the bug was decided by the unrelated crash.
    pub(crate) misled: bool,
}

impl World {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        // From a hundred to ten thousand commits between releases.
        let release_every = 100 << chance.below(8);
        let commits = release_every * 4 + chance.below(release_every);
        Self {
            commits,
            release_every,
            culprit: release_every + 1 + chance.below(commits - release_every - 2),
            rate: chance.one_of(&[0.3, 0.5, 0.7, 0.9, 1.0, 1.0, 1.0]),
            flake: chance.one_of(&[0.0, 0.01, 0.02, 0.05, 0.1]),
            boot: chance.one_of(&[0.0, 0.02, 0.1]),
            crash: chance.one_of(CRASHES),
            other: chance.one_of(OTHERS),
        }
    }

    /// Bisects; `None` if the crash does not occur on the newest commit, or occurs on all releases.
    pub(crate) fn bisect(&self, chance: &mut Chance) -> Option<Printed> {
        let mut log = String::new();
        let mut misled = false;
        let head = self.commits - 1;
        let _ = writeln!(log, "bisecting cause commit starting from {}", hash(head));
        let _ = writeln!(log, "building syzkaller on {}", hash(1));
        let mut test = |log: &mut String, commit: usize, chance: &mut Chance| {
            let runs = self.runs(commit, chance);
            self.print(log, commit, &runs);
            let crashed = runs.iter().any(|run| run.starts_with("crashed"));
            misled |= crashed && commit < self.culprit;
            if crashed { Some(true) } else { runs.iter().any(|run| run == "OK").then_some(false) }
        };
        let mut bad = head;
        let first = test(&mut log, head, chance);
        let seen = format!("crashed: {}\n", self.crash.0);
        if first != Some(true) || !log.contains(&seen) {
            return None;
        }
        let releases = (0..head).rev().filter(|commit| commit % self.release_every == 0);
        let mut good = None;
        for (number, release) in releases.enumerate() {
            let _ = writeln!(log, "testing release v5.{}", 50 - number);
            match test(&mut log, release, chance) {
                Some(true) => bad = release,
                Some(false) => {
                    good = Some(release);
                    break;
                }
                None => {}
            }
        }
        let mut good = good?;
        let _ = writeln!(log, "# git bisect start {} {}", hash(bad), hash(good));
        let mut skipped = Vec::new();
        while bad - good > 1 {
            let all = bad - good;
            let mut commit = good + all / 2;
            // git prints the number for its first choice, and tests a neighbour of a skipped commit.
            let left = bad - commit - 1;
            while skipped.contains(&commit) {
                commit += 1;
            }
            if commit >= bad {
                return None;
            }
            let _ = writeln!(
                log,
                "Bisecting: {left} revisions left to test after this (roughly 9 steps)"
            );
            let _ = writeln!(log, "[{}] {}", hash(commit), self.subject(commit));
            let verdict = match test(&mut log, commit, chance) {
                Some(true) => {
                    bad = commit;
                    "bad"
                }
                Some(false) => {
                    good = commit;
                    "good"
                }
                None => {
                    skipped.push(commit);
                    "skip"
                }
            };
            let _ = writeln!(log, "# git bisect {verdict} {}", hash(commit));
        }
        self.end(&mut log, bad);
        Some(Printed { log, named: hash(bad), truth: hash(self.culprit), misled })
    }

    fn runs(&self, commit: usize, chance: &mut Chance) -> Vec<String> {
        let mut runs: Vec<String> = (0..10)
            .map(|_| {
                if chance.is(self.boot) {
                    "boot failed: can't ssh into the instance".into()
                } else if chance.is(self.flake) {
                    format!("crashed: {}", self.other)
                } else if commit >= self.culprit && chance.is(self.rate) {
                    format!("crashed: {}", self.crash.0)
                } else {
                    "OK".into()
                }
            })
            .collect();
        runs.sort();
        runs
    }

    fn print(&self, log: &mut String, commit: usize, runs: &[String]) {
        let _ = writeln!(log, "testing commit {} with gcc (GCC) 8.1.0", hash(commit));
        let _ = writeln!(log, "kernel signature: {}", hash(commit + self.commits));
        if runs.iter().all(|run| *run == runs[0]) {
            let _ = writeln!(log, "all runs: {}", runs[0]);
        } else {
            for (number, run) in runs.iter().enumerate() {
                let _ = writeln!(log, "run #{number}: {run}");
            }
        }
    }

    fn subject(&self, commit: usize) -> String {
        let own = (self.crash.1, self.crash.2);
        let (subsystem, _) = if commit == self.culprit { own } else { elsewhere(commit) };
        format!("{subsystem}: change number {commit}")
    }

    fn end(&self, log: &mut String, named: usize) {
        let (_, file) = if named == self.culprit { ("", self.crash.2) } else { elsewhere(named) };
        let hash = self::hash(named);
        let _ = writeln!(log, "{hash} is the first bad commit\ncommit {hash}");
        let _ = writeln!(log, "Author: A U Thor <author@example.com>\nDate:   Thu Apr 2 2020\n");
        let _ = writeln!(log, "    {}\n\n {file} | 2 +-", self.subject(named));
        let _ = writeln!(log, " 1 file changed, 1 insertion(+), 1 deletion(-)");
        let _ = writeln!(
            log,
            "revisions tested: 17, total time: 3h49m38.2s (build: 1h45m, test: 2h2m)"
        );
        let _ = writeln!(log, "first bad commit: {hash} {}", self.subject(named));
    }
}

fn elsewhere(commit: usize) -> (&'static str, &'static str) {
    const ELSEWHERE: &[(&str, &str)] = &[
        ("drm/i915", "drivers/gpu/drm/i915/i915_gem.c"),
        ("ARM", "arch/arm/mm/mmu.c"),
        ("mtd", "drivers/mtd/mtdcore.c"),
        ("perf tools", "tools/perf/util/evlist.c"),
    ];
    ELSEWHERE[commit % ELSEWHERE.len()]
}

fn hash(commit: usize) -> String {
    let mut chance = Chance(commit as u64);
    format!("{:016x}{:016x}{:08x}", chance.next(), chance.next(), chance.next() as u32)
}
