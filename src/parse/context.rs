//! The lines around a report: those of its context before it, and after it.

use std::borrow::Cow;

use super::MAX_LINES;
use super::class::{self, Class};
use super::region::Region;
use crate::line::{Context, Line};
use crate::model::Report;
use crate::title;
use crate::words;

/// How many lines of a report's context before it are looked at: of a task, and otherwise.
const BEFORE: (usize, usize) = (50, 5);

/// How far they are looked for, in lines of all contexts.
const MAX_BEFORE: usize = 256;

/// How many lines after a report are looked at where it has no function of its own.
const MAX_AFTER: usize = 128;

/// The last lines of `context` before `start`, in the order of the log.
pub(super) fn before<'log>(
    log: &'log [u8],
    start: usize,
    context: Context<'log>,
) -> Vec<Line<'log>> {
    let is_task = matches!(context, Context::Caller(caller) if caller.starts_with(b"T"));
    let limit = if is_task { BEFORE.0 } else { BEFORE.1 };
    let mut found = Vec::new();
    let mut end = start;
    for _ in 0..MAX_BEFORE {
        if end == 0 || found.len() == limit {
            break;
        }
        let above = log.get(..end - 1).unwrap_or_default();
        end = memchr::memrchr(b'\n', above).map_or(0, |feed| feed + 1);
        let Some(line) = Line::at(log, end) else { break };
        if line.context == context && !line.text.is_empty() && !line.questionable() {
            found.push(line);
        }
    }
    found.reverse();
    found
}

/// The lines that hold what a checker says before it calls `BUG()`: usercopy_abort() in
/// mm/usercopy.c, fortify_panic() in lib/string_helpers.c, __list_add_valid() in lib/list_debug.c,
/// skb_panic() in net/core/skbuff.c, dump_page() in mm/debug.c, assertions of file systems.
const ANNOUNCEMENTS: [&str; 8] = [
    "usercopy: ",
    "detected buffer overflow in",
    "list_add corruption",
    "list_del corruption",
    "skb_over_panic:",
    "skb_under_panic:",
    "page dumped because:",
    "ssertion failed",
];

/// How far above a headline its message is looked for, in lines.
const MESSAGE_WITHIN: usize = 6;

/// What the kernel says of a report in words, around its headline.
pub(super) fn message<'log>(log: &'log [u8], region: &Region<'log>) -> Option<Cow<'log, str>> {
    let line = above_headline(log, region).or_else(|| below_headline(region).cloned())?;
    Some(line.own(line.text.trim_ascii()))
}

/// The text of `WARN()` before Linux 4.16: `__warn()` in kernel/panic.c printed it after the headline.
fn below_headline<'a, 'log>(region: &'a Region<'log>) -> Option<&'a Line<'log>> {
    let [headline, line, ..] = region.lines.as_slice() else { return None };
    let is_between = region.classes.starts_with(&[Class::Headline, Class::Other, Class::Modules]);
    (is_between && words::has(&headline.text, "WARNING: ")).then_some(line)
}

/// The line above the headline that tells what happened.
///
/// The text of `WARN()` stands between `------------[ cut here ]------------` and the headline
/// (`__warn_printk()` in kernel/panic.c); what leads to a `BUG()` stands before that mark, which
/// `report_bug()` in lib/bug.c prints.
fn above_headline<'log>(log: &'log [u8], region: &Region<'log>) -> Option<Line<'log>> {
    let mut end = region.start();
    let mut found = None;
    let mut is_cut = false;
    for _ in 0..MESSAGE_WITHIN {
        let above = log.get(..end.checked_sub(1)?)?;
        end = memchr::memrchr(b'\n', above).map_or(0, |feed| feed + 1);
        let line = Line::at(log, end)?;
        if line.context != region.context || line.text.trim_ascii().is_empty() {
            continue;
        }
        let announces = || ANNOUNCEMENTS.iter().any(|words| words::has(&line.text, words));
        match class::class(&line.text) {
            Class::Cut if found.is_some() => return found,
            Class::Cut if !is_cut => is_cut = true,
            Class::Other | Class::Detail if found.is_none() && announces() => return Some(line),
            // Of more lines the first is the one that was meant to be read.
            Class::Other if !is_cut => found = Some(line),
            _ => return None,
        }
    }
    None
}

/// The next lines of a report's task after the last that was read into it.
///
/// A task that crashes while it reports leaves the stack to the second report. Without caller
/// information nothing says that it is the same task.
pub(super) fn after<'log>(log: &'log [u8], region: &Region<'log>) -> Vec<Line<'log>> {
    if !matches!(region.context, Context::Caller(_)) {
        return Vec::new();
    }
    let at = region.lines.last().map_or(log.len(), Line::next);
    let lines = std::iter::successors(Line::at(log, at), |line| Line::at(log, line.next()));
    lines.take(MAX_AFTER).filter(|line| line.context == region.context).collect()
}

/// The text of a report as people mail it: prefixes, guesses of the unwinder and lines of other
/// contexts left out, with a few lines of its context before it.
///
/// It goes on to the end of the log, or to [`MAX_LINES`]: where a kernel prints without caller
/// information nothing says what belongs to the report. `log` must be the log that the report was
/// found in. Bytes that are not UTF-8 become U+FFFD.
///
/// ```
/// let log = b"[   1.5] usb 1-1: gone\n[   1.6] kernel BUG at a.c:1!\n[   1.7]  ? f+0x1/0x2\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// assert_eq!(ksplat::text(log, &report), "usb 1-1: gone\nkernel BUG at a.c:1!\n");
/// ```
pub fn text(log: &[u8], report: &Report<'_>) -> String {
    let Some(first) = Line::at(log, report.span.start) else { return String::new() };
    let context = first.context;
    let before = before(log, report.span.start, context);
    let mut asks_cpus = false;
    let mut lines = Vec::new();
    let mut next = Some(first);
    while let Some(line) = next
        && lines.len() < MAX_LINES
    {
        next = Line::at(log, line.next());
        let is_cpu = matches!(line.context, Context::Caller(caller) if caller.starts_with(b"C"));
        if line.context == context || (asks_cpus && is_cpu) {
            asks_cpus |= words::has(&line.text, "Sending NMI from CPU");
            lines.push(line);
        }
    }
    let kept = title::text(&lines);
    let mut text = String::new();
    for line in before.iter().map(|line| line.text.as_ref()).chain(kept.lines()) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text
}
