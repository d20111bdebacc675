//! The facts of a report that need all of its lines: title, blame, diagnosis, completeness.

use std::borrow::Cow;

use super::build::Built;
use super::convert::address;
use super::log_flags::LogFlags;
use super::open::Open;
use super::whole;
use crate::blame;
use crate::diagnosis;
use crate::functions;
use crate::kind::Marker;
use crate::model::{Executor, ListCorruption, ListOperation, ListPointer, PointerClass, Report};
use crate::order;
use crate::reason::{BlameReason, Corruption, DiagnosticKind, ReportPart};
use crate::span::Span;
use crate::syntax::list;
use crate::title::{self, Outline, Step, Title};

/// Builds a report that is complete.
pub(super) fn report(open: Open<'_>, facts: LogFlags) -> (Report<'_>, Vec<Step<'_>>) {
    let Open { marker, opening, mut builder, mut outline, consequences, .. } = open;
    let mut title = open.title.unwrap_or_else(|| title::name(marker, &outline, None));
    if open.after > 0 {
        let other = title::name(marker, &outline, None);
        title = if other.corrupted.is_none() { other } else { title };
    }
    if open.ended_early {
        builder.leave_out(ReportPart::Report, DiagnosticKind::TooManyOpen);
    }
    let has_stack = builder.has_stack();
    let Built { mut report, headless, named, is_restored, sentence, accused } = builder.finish();
    // The convention has another title for reports that are cut further above.
    if is_restored && title.corrupted.is_none() {
        outline.point_to_headline();
        title = title::name(marker, &outline, None);
    }
    report.incomplete = whole::incomplete(&report, &title, open.last, has_stack, open.cut);
    report.complete = report.incomplete.is_empty();
    report.span = Span { start: open.start, end: open.end, line: opening.line };
    report.kind = title.kind;
    for (step, marker, headline) in &consequences {
        // The function is that of the report, and the frames below it may be missing here.
        let (_, led_to) = title::so_far(marker, &outline.from(*step, headline));
        if led_to != title.title {
            report.consequences.push(led_to);
        }
    }
    report.blame = accused.or_else(|| blame::blame(&report, named.as_ref()));
    if !report.kind.traps() {
        let instructions = report.code.iter_mut().flat_map(|code| &mut code.instructions);
        instructions.for_each(|instruction| instruction.trapping = false);
    }
    if let Some(function) = jumped_astray(&report) {
        outline.name_pointer(function);
        title = title::name(marker, &outline, None);
    }
    if title.corrupted.is_some()
        && !title.mixed
        && !is_restored
        && has_whole_stack(&report, headless)
    {
        // The convention finds traces by the words above them; the model is more reliable.
        title = named_by_model(&report, marker, &outline).unwrap_or(title);
    }
    report.title = title.title;
    report.alt_titles = title.alternatives;
    let echoes = open.echoes.into_iter().filter(|echo| *echo != report.title);
    report.alt_titles.extend(echoes);
    order::sort(&mut report.alt_titles);
    report.alt_titles.dedup();
    report.class = title.class.in_output().map(Cow::Borrowed);
    report.frame = title.frame;
    report.guilty_file = open.guilty_file;
    report.panicked = facts.panicked;
    report.suppressed = facts.suppressed;
    if facts.executors {
        let executor = opening.executor.or(open.executor);
        report.executor = executor.map(|(proc, id)| Executor { proc, id });
    }
    (report.time, report.wall_time) = (opening.time, opening.wall_time);
    let above = opening.message.or_else(|| open.below.message(&outline)).or(sentence);
    report.message = title.message.map(Cow::Owned).or(above);
    report.list = list(&report);
    report.diagnosis = diagnosis::of(&report);
    let cut = open.cut.then_some(Corruption::TooManyLines);
    let lost = facts.disconnected.then_some(Corruption::ConsoleLost);
    report.corrupted = cut.or(title.corrupted).or(lost).or(report.corrupted);
    (report, outline.into_room())
}

/// Returns the title of a report with a complete stack, with the function of the model if the
/// convention found none.
fn named_by_model(report: &Report<'_>, marker: &Marker, outline: &Outline<'_>) -> Option<Title> {
    let blamed = report.blame.as_ref().map(|blame| &*blame.function);
    let title = title::name(marker, outline, blamed);
    let is_named = blamed.is_some() || title.corrupted != Some(Corruption::NoFunction);
    is_named.then_some(Title { corrupted: None, ..title })
}

/// Returns the function that jumped to an address without code, if the printed one ends before the
/// instruction pointer: kallsyms returns the nearest symbol below an address.
fn jumped_astray<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    let pointer = report.crash_stack()?.frames.first().filter(|frame| frame.exact)?;
    let is_behind = pointer.offset.zip(pointer.size).is_some_and(|(offset, size)| offset > size);
    let blame = report.blame.as_ref().filter(|blame| blame.why == BlameReason::JumpedNowhere)?;
    is_behind.then_some(&*blame.function)
}

/// Returns whether the stack of the crash has enough frames to be complete, and has the expected
/// start: the instruction pointer, or on ARM no headline.
///
/// A stack of helpers alone is incomplete. Unreliable frames count only if the unwinder had no
/// frame to start with, after a jump to an address without code.
fn has_whole_stack(report: &Report<'_>, headless: bool) -> bool {
    let why = report.blame.as_ref().map(|blame| blame.why);
    let is_astray = why == Some(BlameReason::JumpedNowhere);
    report.crash_stack().is_some_and(|stack| {
        let counted = || {
            let functions = stack.frames.iter().filter(|frame| frame.reliable || is_astray);
            functions.filter_map(|frame| frame.function.as_deref())
        };
        (headless || stack.frames.iter().any(|frame| frame.exact))
            && counted().count() >= WHOLE_STACK
            && counted().any(|function| functions::reason(functions::base(function)).is_none())
    })
}

/// The minimum number of frames of a complete stack: the system call or thread, and its callees.
const WHOLE_STACK: usize = 4;

/// Returns the wrong pointer of a list, by the message of the report.
fn list(report: &Report<'_>) -> Option<ListCorruption> {
    let found = list::message(report.message.as_deref()?.as_bytes())?;
    let (entry, value) = (found.entry.map(address), found.found.map(address));
    let pointer = match found.pointer {
        list::Pointer::PrevNext => ListPointer::PrevNext,
        list::Pointer::NextPrev => ListPointer::NextPrev,
        list::Pointer::EntryNext => ListPointer::EntryNext,
        list::Pointer::EntryPrev => ListPointer::EntryPrev,
        list::Pointer::Prev => ListPointer::Prev,
        list::Pointer::Next => ListPointer::Next,
        list::Pointer::New => ListPointer::New,
    };
    Some(ListCorruption {
        operation: if found.is_add { ListOperation::Add } else { ListOperation::Delete },
        pointer,
        entry,
        expected: found.expected.map(address),
        found: value,
        class: value.map_or(PointerClass::Other, |value| PointerClass::of(value, entry)),
    })
}

#[cfg(test)]
mod tests {
    /// The title, and the functions of the crash.
    fn read(log: &str) -> (String, Vec<String>) {
        let report = crate::reports(log.as_bytes()).next().expect("a report");
        let stack = report.crash_stack().expect("a stack");
        let functions = stack.frames.iter().filter_map(|frame| frame.function.as_deref());
        (report.title.clone(), functions.map(str::to_owned).collect())
    }

    #[test]
    fn a_warning_without_a_pointer_starts_at_its_headline() {
        let headline = "WARNING: CPU: 1 PID: 9 at drivers/cm/cm.c:88";
        let callers = " cm_open+0x28/0x3a0\n cm_lookup+0x72/0x80\n";
        for place in ["\n\tcm_ioctl+0x106/0x130 drivers/cm/cm.c:88", " cm_ioctl+0x106/0x130"] {
            let (title, functions) = read(&format!("{headline}{place}\nCall Trace:\n{callers}"));
            assert_eq!(title, "WARNING in cm_ioctl");
            assert_eq!(functions, ["cm_ioctl", "cm_open", "cm_lookup"]);
        }
        // Kernels that print no pointer have the function in the trace.
        let (title, functions) = read(&format!(
            "{headline} cm_ioctl+0x106/0x130()\nCall Trace:\n warn_slowpath_null+0x1a/0x20\n \
             cm_ioctl+0x106/0x130\n{callers}"
        ));
        assert_eq!(title, "WARNING in cm_ioctl");
        assert_eq!(functions.iter().filter(|function| *function == "cm_ioctl").count(), 1);
    }
}
