//! Log-wide flags, which apply to each report: found in one pass, only if the log has a report.

use std::sync::LazyLock;

use aho_corasick::{Match, packed};
use memchr::{memchr, memrchr};

use crate::log::MAX_LINE;
use crate::search;

/// Flags of a log.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact")]
pub(super) struct LogFlags {
    /// The kernel panicked.
    pub(super) panicked: bool,
    /// The test machine failed: its reports are not reliable.
    pub(super) suppressed: bool,
    /// The console was lost.
    pub(super) disconnected: bool,
    /// The log has processes of a fuzzer that numbers its programs.
    pub(super) executors: bool,
    /// Whether flags before the last boot are reset.
    is_of_a_boot: bool,
}

/// The flag of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flag {
    Panicked,
    Suppressed,
    Disconnected,
    Executors,
    Booted,
}

use Flag::{Booted, Disconnected, Executors, Panicked, Suppressed};

/// Literals that occur in this order on one line, and their flag.
#[rustfmt::skip] // rows
const FLAGS: &[(Flag, &[&str])] = &[
    (Panicked, &["Kernel panic - not syncing"]),
    // linux_banner in init/version-timestamp.c.
    (Booted, &["Linux version ", "#"]),
    (Disconnected, &["serialport: VM disconnected."]),
    (Executors, &[" Comm: syz."]),
    (Suppressed, &["panic: failed to start executor binary"]),
    (Suppressed, &["panic: executor failed: pthread_create failed"]),
    (Suppressed, &["panic: failed to create temp dir"]),
    (Suppressed, &["fatal error: unexpected signal during runtime execution"]),
    (Suppressed, &["signal SIGBUS: bus error"]),
    (Suppressed, &["SYZFAIL: SIGBUS"]),
    (Suppressed, &["Out of memory: Kill process ", "(syz-executor)"]),
    (Suppressed, &["Out of memory: Kill process ", "(sshd)"]),
    (Suppressed, &["Killed process ", "(syz-executor)"]),
    (Suppressed, &["Killed process ", "(sshd)"]),
    (Suppressed, &["lowmemorykiller: Killing 'syz-executor'"]),
    (Suppressed, &["lowmemorykiller: Killing 'sshd'"]),
    (Suppressed, &["INIT: PANIC: segmentation violation!"]),
    (Suppressed, &["*** stack smashing detected ***: terminated"]),
    (Suppressed, &["fatal error: runtime: out of memory"]),
    (Suppressed, &["fatal error: runtime: cannot allocate memory"]),
    (Suppressed, &["fatal error: out of memory"]),
    (Suppressed, &["fatal error: newosproc"]),
    (Suppressed, &["panic: ", "cannot allocate memory"]),
];

/// A part of each row that is rare in a log, so that one vectorised search finds all of them.
#[rustfmt::skip] // words
const ANCHORS: [&str; 13] = [
    "- not sync", "Linux vers", ": VM disco", " Comm: syz.", "panic: ", "fatal error: ", "SIGBUS",
    "Kill process ", "illed process ", ": Killing '", "INIT: PANIC", "smashing det", "runtime: ",
];

static SEARCH: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(ANCHORS));

/// For each anchor the rows of [`FLAGS`] that contain it, a bit each.
static ROWS: LazyLock<[u32; ANCHORS.len()]> = LazyLock::new(|| {
    let holds = |(_, literals): &(Flag, &[&str]), anchor: &str| {
        literals.iter().any(|literal| literal.contains(anchor))
    };
    ANCHORS.map(|anchor| {
        let rows = FLAGS.iter().enumerate().filter(|(_, row)| holds(row, anchor));
        rows.fold(0, |rows, (row, _)| rows | 1 << row)
    })
});

impl LogFlags {
    /// Reads the whole log.
    pub(super) fn of(log: &[u8]) -> Self {
        let mut facts = Self::default();
        facts.read(log);
        facts
    }

    /// Makes empty flags, for a growing log in which the machine may boot again.
    pub(super) fn of_a_boot() -> Self {
        Self { is_of_a_boot: true, ..Self::default() }
    }

    /// Reads whole lines of a log.
    pub(super) fn read(&mut self, log: &[u8]) {
        let Some(search) = SEARCH.as_ref() else { return self.read_all(log) };
        let rows_of = |found: &Match| ROWS.get(found.pattern().as_usize()).copied().unwrap_or(0);
        let mut from = 0;
        while let Some(found) = search.find_in(log, (from..log.len()).into()) {
            let (start, end) = line_around(log, found.start());
            let mut rows = rows_of(&found);
            from = found.end();
            while let Some(more) = search.find_in(log, (from..end.max(from)).into()) {
                rows |= rows_of(&more);
                from = more.end();
            }
            self.read_line(log.get(start..end).unwrap_or_default(), rows);
            from = end.max(from);
        }
    }

    /// The same on a machine without the vector instructions of the search.
    fn read_all(&mut self, log: &[u8]) {
        log.split(|&b| b == b'\n').for_each(|line| self.read_line(line, u32::MAX));
    }

    /// Checks a line against some of the rows.
    fn read_line(&mut self, line: &[u8], rows: u32) {
        for (row, (fact, literals)) in FLAGS.iter().enumerate() {
            if rows & (1 << row) != 0 && search::in_order(line, literals) {
                self.add(*fact);
            }
        }
    }

    fn add(&mut self, fact: Flag) {
        match fact {
            Panicked => self.panicked = true,
            Suppressed => self.suppressed = true,
            Disconnected => self.disconnected = true,
            Executors => self.executors = true,
            Booted if self.is_of_a_boot => {
                *self = Self { executors: self.executors, ..Self::of_a_boot() };
            }
            Booted => {}
        }
    }
}

/// Returns the start and end of the line around `at`, within a limited distance.
fn line_around(log: &[u8], at: usize) -> (usize, usize) {
    let before = log.get(at.saturating_sub(MAX_LINE)..at).unwrap_or_default();
    let after = log.get(at..log.len().min(at + MAX_LINE)).unwrap_or_default();
    let start = at - before.len() + memrchr(b'\n', before).map_or(0, |feed| feed + 1);
    (start, at + memchr(b'\n', after).unwrap_or(after.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_facts() {
        let p = |log: &str| {
            let LogFlags { panicked, suppressed, disconnected, executors, .. } =
                LogFlags::of(log.as_bytes());
            (panicked, suppressed, disconnected, executors)
        };
        assert_eq!(p("x\nKernel panic - not syncing: y"), (true, false, false, false));
        assert_eq!(p("Killed process 1 (sshd)"), (false, true, false, false));
        assert_eq!(p("Killed process 1\n(sshd)"), (false, false, false, false));
        assert_eq!(p("Out of memory: Kill process 7 (sshd)"), (false, true, false, false));
        let second = "fatal error: x, panic: cannot allocate memory";
        assert_eq!(p(second), (false, true, false, false));
        assert_eq!(p("a Comm: syz.1.2 \nserialport: VM disconnected."), (false, false, true, true));
    }

    #[test]
    fn every_row_contains_an_anchor() {
        for (_, literals) in FLAGS {
            let line = literals.join(" ");
            assert!(ANCHORS.iter().any(|anchor| line.contains(anchor)), "{literals:?}");
        }
    }

    #[test]
    fn a_boot_is_forgotten_by_the_next() {
        let log = "Kernel panic - not syncing: x\nserialport: VM disconnected.\n\
                   Linux version 6.1.0 (a@b) (gcc 12) #1 SMP\n";
        let mut facts = LogFlags::of_a_boot();
        facts.read(log.as_bytes());
        assert!(!facts.panicked && !facts.disconnected);
        facts.read(b"Kernel panic - not syncing: y\n");
        assert!(facts.panicked);
        assert!(LogFlags::of(log.as_bytes()).panicked, "of a whole log");
    }
}
