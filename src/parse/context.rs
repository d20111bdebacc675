//! The lines around a report: those of its context before it, and after it.

use std::borrow::Cow;

use super::class::{self, Class};
use super::limits::MAX_LINES;
use super::region::Region;
use crate::inert;
use crate::line::{Context, Line};
use crate::model::Report;
use crate::title;
use crate::words;

/// How many lines of a report's context before it are looked at: of a task, and otherwise.
const BEFORE: (usize, usize) = (50, 5);

/// How far they are looked for, in lines of all contexts.
const MAX_BEFORE: usize = 256;

/// How many lines after a report are looked at where it has no function of its own.
pub(super) const MAX_AFTER: usize = 128;

/// How far lines above a report are looked for, in bytes, and how many bytes of those below it are.
pub(super) const MAX_ABOVE: usize = 64 * 1024;

/// The lines of `above`, the last first.
fn upwards(above: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut end = above.len();
    let top = end.saturating_sub(MAX_ABOVE);
    std::iter::from_fn(move || {
        let lines = above.get(..end.checked_sub(1)?)?;
        let start = memchr::memrchr(b'\n', lines).map_or(0, |feed| feed + 1);
        end = start;
        Line::at(above, start).filter(|_| start >= top)
    })
}

/// The last lines of `context` in what stands above a report, in the order of the log.
fn before(above: &[u8], context: Context) -> Vec<Line<'_>> {
    let limit = if context.is_task() { BEFORE.0 } else { BEFORE.1 };
    let is_own =
        |line: &Line<'_>| line.context == context && !line.text.is_empty() && !line.questionable();
    let mut found: Vec<_> = upwards(above).take(MAX_BEFORE).filter(is_own).take(limit).collect();
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

/// What is known of a report when it begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening<'log> {
    /// The number of its first line, from 1.
    pub(super) line: usize,
    /// What the kernel said above the headline.
    pub(super) message: Option<Cow<'log, str>>,
    /// The fuzzer's process that the lines above name.
    pub(super) executor: Option<(u64, u64)>,
}

impl<'log> Opening<'log> {
    /// Of the report whose headline is `line`, the `number`-th, below `above`.
    pub(super) fn of(above: &'log [u8], line: &Line<'_>, number: usize, executors: bool) -> Self {
        let message = above_headline(above, line.context);
        let executor = || {
            let before = before(above, line.context);
            before.iter().find_map(|line| title::executor(&line.text))
        };
        Self {
            line: number,
            message: message.map(|line| line.own(line.text.trim_ascii())),
            executor: if executors { executor() } else { None },
        }
    }

    pub(super) fn into_owned(self) -> Opening<'static> {
        let Self { line, message, executor } = self;
        Opening { line, message: message.map(|text| Cow::Owned(text.into_owned())), executor }
    }
}

/// What the kernel says of a report in words, around its headline.
pub(super) fn message<'log>(region: &Region<'log>) -> Option<Cow<'log, str>> {
    let below = || below_headline(region).map(|line| line.own(line.text.trim_ascii()));
    region.opening.message.clone().or_else(below)
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
fn above_headline(above: &[u8], context: Context) -> Option<Line<'_>> {
    let mut found = None;
    let mut is_cut = false;
    for line in upwards(above).take(MESSAGE_WITHIN) {
        if line.context != context || line.text.trim_ascii().is_empty() {
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

/// Whether lines below a report can be told to be of its task.
pub(super) fn has_more(region: &Region<'_>) -> bool {
    matches!(region.context, Context::Caller(_))
}

/// The next lines of a report's task after the last that was read into it.
///
/// A task that crashes while it reports leaves the stack to the second report. Without caller
/// information nothing says that it is the same task.
pub(super) fn after<'log>(log: &'log [u8], region: &Region<'log>) -> Vec<Line<'log>> {
    if !has_more(region) {
        return Vec::new();
    }
    let at = region.lines.last().map_or(log.len(), Line::next);
    let lines = std::iter::successors(Line::at(log, at), |line| Line::at(log, line.next()));
    let own = lines.take(MAX_AFTER).filter(|line| line.context == region.context);
    let mut text = 0;
    own.take_while(|line| {
        text += line.text.len();
        text <= MAX_ABOVE
    })
    .collect()
}

/// The text of a report as people mail it: prefixes, guesses of the unwinder and lines of other
/// contexts left out, with a few lines of its context before it.
///
/// It goes on to the end of the log, or to [`MAX_LINES`]: where a kernel prints without caller
/// information nothing says what belongs to the report. `log` must be the log that the report was
/// found in. Bytes that are not UTF-8 become `\xff` and the like.
///
/// ```
/// let log = b"[   1.5] usb 1-1: gone\n[   1.6] kernel BUG at a.c:1!\n[   1.7]  ? f+0x1/0x2\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// assert_eq!(ksplat::text(log, &report), "usb 1-1: gone\nkernel BUG at a.c:1!\n");
/// ```
pub fn text(log: &[u8], report: &Report<'_>) -> String {
    let Some(first) = Line::at(log, report.span.start) else { return String::new() };
    let context = first.context;
    let before = before(log.get(..report.span.start).unwrap_or_default(), context);
    let mut asks_cpus = false;
    let mut lines = Vec::new();
    let mut next = Some(first);
    while let Some(line) = next
        && lines.len() < MAX_LINES
    {
        next = Line::at(log, line.next());
        if line.context == context || (asks_cpus && line.context.is_cpu()) {
            asks_cpus |= words::has(&line.text, "Sending NMI from CPU");
            lines.push(line);
        }
    }
    let kept = title::text(&lines);
    let mut text = String::new();
    for line in before.iter().map(|line| line.text.as_ref()).chain(kept.lines()) {
        text.push_str(&inert::text(line));
        text.push('\n');
    }
    text
}
