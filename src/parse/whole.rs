//! Whether a report is complete, by its own lines.

use crate::arch;
use crate::model::{Report, Role};
use crate::reason::{Corruption, Incomplete};
use crate::syntax::Record;
use crate::title::Title;

/// The type of the last line of a report, except empty ones.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Last {
    /// A frame of a call trace.
    Frame,
    /// A line above a call trace.
    StackStart,
    #[default]
    Other,
}

impl Last {
    /// Returns the type after another line.
    pub(super) fn next(self, record: &Record<'_>) -> Self {
        match record {
            Record::Blank => self,
            Record::Frame(_) => Self::Frame,
            Record::StackStart(_) => Self::StackStart,
            _ => Self::Other,
        }
    }
}

/// The outermost functions of a complete call trace, at which tasks and CPUs start, in addition to
/// the entries of each architecture.
const OUTERMOST: [&str; 17] = [
    "__handle_domain_irq",
    "_start",
    "child_rip",
    "cpu_startup_entry",
    "entry_",
    "fork_idle",
    "handle_syscall",
    "kernel_thread",
    "kthread",
    "rest_init",
    "ret_from_",
    "secondary_start",
    "start_kernel",
    "start_secondary",
    "syscall",
    "system_call",
    "worker_thread",
];

/// Returns the missing parts of a report, and whether it is mixed.
///
/// `has_stack` is whether it has one with a function, except the place in the headline; `is_cut` is
/// whether lines were left out.
pub(super) fn incomplete(
    report: &Report<'_>,
    title: &Title,
    last: Last,
    has_stack: bool,
    is_cut: bool,
) -> Vec<Incomplete> {
    let is_mixed = |why| matches!(why, Corruption::Mixed | Corruption::MixedHeadline);
    let mixed = report.corrupted.is_some_and(is_mixed) || title.corrupted.is_some_and(is_mixed);
    let reasons = [
        (Incomplete::CutStart, title.corrupted == Some(Corruption::PartOnly)),
        (Incomplete::CutEnd, is_cut || is_cut_at(report, last)),
        (Incomplete::Mixed, mixed),
        (Incomplete::NoStack, title.needs_stack && !has_stack),
    ];
    reasons.into_iter().filter_map(|(why, holds)| holds.then_some(why)).collect()
}

/// Returns whether the log ends within a call trace, before the outermost function of its task.
fn is_cut_at(report: &Report<'_>, last: Last) -> bool {
    let stack = report.stacks.iter().rev().find(|stack| stack.role != Role::Allocation);
    let outermost = stack.and_then(|stack| {
        let mut functions = stack.frames.iter().rev().filter_map(|frame| frame.function.as_deref());
        functions.next()
    });
    match last {
        Last::StackStart => true,
        Last::Frame => outermost.is_some_and(|function| !is_outermost(function)),
        Last::Other => false,
    }
}

fn is_outermost(function: &str) -> bool {
    let name = function.trim_start_matches('.');
    OUTERMOST.iter().any(|start| name.starts_with(start)) || arch::by_entry(function).is_some()
}
