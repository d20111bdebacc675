//! The lines above a stack.
//!
//! ```text
//! start = "Call Trace:" / "Call trace:" / "Backtrace:"     ; show_trace_log_lvl() and similar functions
//!       / ( "Allocated" / "Freed" ) " by task " pid ":"    ; kasan_print_track() in mm/kasan/report.c
//!       / ( "allocated" / "freed" / "rcu freeing" ) " by task " pid " on cpu " n …   ; kfence_print_stack() in mm/kfence/report.c
//!       / [ "INFO: " ] ( "Allocated" / "Freed" ) " in " place " age=" n " cpu=" n " pid=" pid   ; print_track() in mm/slub.c
//!       / "backtrace" [ " (crc " hex ")" ] ":"             ; print_unreferenced() in mm/kmemleak.c
//!       / "-> #" n lock                                    ; print_circular_bug_entry() in lockdep.c
//!       / what " created at:"                              ; kmsan_print_origin()
//!       / "DMA-API: Mapped at:"                            ; dump_entry_trace() in kernel/dma/debug.c
//!       / "CPU" n ": stopping"                             ; ipi_cpu_stop() in arch/arm/kernel/smp.c
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::sequence::{delimited, preceded};

use super::frame::{self, Place};
use super::lock::{self, Lock};
use super::{Parsed, Says};
use crate::search;
use crate::token::decimal;

/// The role of a stack, by the line above it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Start {
    /// `Call Trace:`.
    CallTrace,
    /// `Call trace:`.
    Calltrace,
    /// `Backtrace:`.
    Backtrace,
    /// `Allocated by task 46:`.
    AllocatedBy,
    /// `Freed by task 46:`.
    FreedBy,
    /// `Allocated:`, of KASAN before Linux 4.10.
    Allocated,
    /// `Freed:`.
    Freed,
    /// `Allocated in f+0x1/0x2 age=0 cpu=0 pid=95`.
    AllocatedIn,
    /// `Freed in f+0x1/0x2 age=0 cpu=0 pid=95`.
    FreedIn,
    /// `allocated by task 46 on cpu 1 at 12.345678s (0.001234s ago):`.
    KfenceAllocated,
    /// `freed by task 46 on cpu 1 at 12.345678s (0.001234s ago):`.
    KfenceFreed,
    /// The stack that queued a work or callback for the object, or the one of the branch before the
    /// crash.
    Related,
    /// `Uninit was stored to memory at:`.
    Stored,
    /// `Uninit was created at:`, `Local variable x created at:`.
    Created,
    /// `backtrace:` of kmemleak.
    Leak,
    /// `-> #1 (&x){+.+.}:`.
    Chain,
    /// `which became HARDIRQ-irq-safe at:`.
    Became,
    /// `the existing dependency chain …`, `… registered at:`.
    Registered,
    /// `CPU1: stopping`.
    Stopping,
    /// `DMA-API: Mapped at:`, behind the end of a warning.
    Mapped,
    /// The last row of registers, below which riscv prints its trace.
    Registers,
}

impl Start {
    /// Whether the stack belongs to the report that ended above it.
    pub(crate) fn is_behind_end(self) -> bool {
        self == Self::Mapped
    }

    /// The line's meaning to the title rules.
    pub(super) fn says(self) -> Says {
        Says::CALLS.when(matches!(self, Self::CallTrace | Self::Calltrace | Self::Backtrace))
    }
}

/// A line above a stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StackStart<'t> {
    pub(crate) start: Start,
    /// The first frame, if it is on the line.
    pub(crate) place: Option<Place<'t>>,
    /// The task, if the line has one.
    pub(crate) task: Option<u64>,
    /// The lock of a chain.
    pub(crate) lock: Option<Lock<'t>>,
    /// Whether the line is indented by two blanks or more.
    pub(crate) is_indented: bool,
}

/// The starts of such lines; sorted.
#[rustfmt::skip] // rows
const STARTS: &[(&str, Start)] = &[
    ("-> #", Start::Chain),
    ("Allocated by task", Start::AllocatedBy),
    ("Allocated in ", Start::AllocatedIn),
    ("Backtrace:", Start::Backtrace),
    ("Call Trace:", Start::CallTrace),
    ("Call trace:", Start::Calltrace),
    ("DMA-API: Mapped at:", Start::Mapped),
    ("Freed by task", Start::FreedBy),
    ("Freed in ", Start::FreedIn),
    ("INFO: Allocated in ", Start::AllocatedIn),
    ("INFO: Freed in ", Start::FreedIn),
    ("Last Breaking-Event-Address:", Start::Related),
    ("Last call_rcu", Start::Related),
    ("Last potentially related work creation:", Start::Related),
    ("Second to last potentially related work creation:", Start::Related),
    ("Uninit was stored to memory at:", Start::Stored),
    ("allocated by task ", Start::KfenceAllocated),
    ("backtrace (crc ", Start::Leak),
    ("backtrace:", Start::Leak),
    ("freed by task ", Start::KfenceFreed),
    ("rcu freeing by task ", Start::KfenceFreed),
];

/// Reads a line above a stack; `indent` is the number of blanks before it.
pub(super) fn start(line: &[u8], indent: usize) -> Option<StackStart<'_>> {
    let start = beginning(line).or_else(|| ending(line))?;
    let place = search::find(line, " in ").and_then(|at| frame::place(line.get(at + 4..)?).ok());
    Some(StackStart {
        start,
        place: place.map(|(_, place)| place),
        task: task(line).ok().map(|(_, task)| task),
        lock: if start == Start::Chain { lock::lock(line) } else { None },
        is_indented: indent >= 2,
    })
}

fn beginning(line: &[u8]) -> Option<Start> {
    let first = line.first()?;
    // A comparison of bytes is cheaper than one of texts.
    let fits = |(start, _): &&(&str, Start)| {
        start.as_bytes().first() == Some(first) && line.starts_with(start.as_bytes())
    };
    STARTS.iter().find(fits).map(|(_, start)| *start)
}

fn ending(line: &[u8]) -> Option<Start> {
    // Authors of fixes omit the colon.
    if line == b"Call Trace" {
        return Some(Start::CallTrace);
    }
    let rest = line.strip_suffix(b":");
    if let Some(rest) = rest.and_then(|rest| rest.strip_suffix(b" at")) {
        // kmsan_print_origin() in mm/kmsan/report.c.
        if rest.ends_with(b" created") {
            return Some(Start::Created);
        }
        // lockdep: the place where a lock class was registered.
        if rest.ends_with(b"registered") {
            return Some(Start::Registered);
        }
        return search::has(rest, "which became").then_some(Start::Became);
    }
    (line.starts_with(b"C") && line.ends_with(b": stopping")).then_some(Start::Stopping)
}

/// `Allocated by task 46:`, `allocated by task 46 on cpu 1`, `Allocated in f+0x1/0x2 age=0 cpu=1 pid=46`:
/// the task.
fn task(input: &[u8]) -> Parsed<'_, u64> {
    let what = alt((tag("Allocated"), tag("Freed")));
    let by = delimited((what, tag(" by task ")), decimal, tag(":"));
    // KFENCE, and KASAN with CONFIG_KASAN_EXTRA_INFO.
    let what =
        alt((tag("allocated"), tag("freed"), tag("rcu freeing"), tag("Allocated"), tag("Freed")));
    let on = delimited((what, tag(" by task ")), decimal, tag(" on cpu "));
    let of_slub = preceded((take_until(" age="), take_until(" pid="), tag(" pid=")), decimal);
    alt((by, on, of_slub)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_start() {
        let p = |line: &'static str| start(line.as_bytes(), 0).map(|found| found.start);
        assert_eq!(p("Call Trace:"), Some(Start::CallTrace));
        assert_eq!(p("Call Trace"), Some(Start::CallTrace));
        assert_eq!(p("Call Trace of"), None);
        assert_eq!(p("which became HARDIRQ-irq-safe at:"), Some(Start::Became));
        assert_eq!(p("Local variable ----x@f created at:"), Some(Start::Created));
        assert_eq!(p("CPU1: stopping"), Some(Start::Stopping));
        let freed = start(b"Freed in f+0x1/0x2 age=0 cpu=0 pid=95", 0).expect("a start");
        assert_eq!(freed.place.and_then(|place| place.function), Some(&b"f"[..]));
        for line in [
            "Allocated by task 46:",
            "Freed by task 46 on cpu 1 at 12.345678s:",
            "allocated by task 46 on cpu 1 at 12.345678s (0.001234s ago):",
            "rcu freeing by task 46 on cpu 0 at 1.000000s (0.000000s ago):",
            "Freed in f+0x1/0x2 [m] age=3 cpu=1 pid=46",
            "INFO: Allocated in f+0x1/0x2 age=3 cpu=1 pid=46",
        ] {
            assert_eq!(start(line.as_bytes(), 0).and_then(|found| found.task), Some(46), "{line}");
        }
    }

    #[test]
    fn err_start() {
        for line in ["", "Call Trac", "see at:", "stopping"] {
            assert!(start(line.as_bytes(), 0).is_none(), "{line}");
        }
    }
}
