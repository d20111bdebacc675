//! The lines above a report, and its text.
//!
//! Lines above are read when a report begins, upwards from its headline; a whole log and a monitor
//! provide the same bytes. Lines below a closed report are read in order: see `demux`.

use std::borrow::Cow;
use std::time::Duration;

use super::limits::MAX_LINES;
use crate::escape;
use crate::log::{Context, Line, Shape};
use crate::model::Report;
use crate::scan;
use crate::search;
use crate::syntax::headline::headline;
use crate::syntax::{self, Record, Says, task};
use crate::title::Outline;

/// The number of lines of a report's context above it that are read: for a task, and otherwise.
const BEFORE: (usize, usize) = (50, 5);

/// The distance in which they are searched, in lines of all contexts.
const MAX_BEFORE: usize = 256;

/// The number of lines below a report without a function that are read.
pub(super) const MAX_AFTER: usize = 128;

/// The distance above a report in which lines are searched, in bytes, and the bytes below it that
/// are read.
pub(super) const MAX_ABOVE: usize = 64 * 1024;

/// Returns the lines of `above`, the last first.
fn upwards<'a>(above: &'a [u8], shape: &Shape) -> impl Iterator<Item = Line<'a>> {
    let mut end = above.len();
    let top = end.saturating_sub(MAX_ABOVE);
    std::iter::from_fn(move || {
        let lines = above.get(..end.checked_sub(1)?)?;
        let start = memchr::memrchr(b'\n', lines).map_or(0, |feed| feed + 1);
        end = start;
        Line::at(above, start, shape).filter(|_| start >= top)
    })
    .filter(|line| !line.is_wrapping)
}

/// Returns the last lines of `context` above a report, the last first.
fn before<'a>(above: &'a [u8], context: Context, shape: &Shape) -> impl Iterator<Item = Line<'a>> {
    let limit = if context.is_task() { BEFORE.0 } else { BEFORE.1 };
    let is_own = move |line: &Line<'_>| {
        let is_guess = || syntax::record(&line.text).seen(&line.text).says.any(Says::GUESS);
        line.context == context
            && !line.text.is_empty()
            && (context == Context::Bare || !is_guess())
    };
    upwards(above, shape).take(MAX_BEFORE).filter(is_own).take(limit)
}

/// Words in the message that a checker prints before it calls `BUG()`: usercopy_abort() in
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

/// The distance in lines above a headline in which its message is searched.
const MESSAGE_WITHIN: usize = 6;

/// The facts about a report at its start.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening<'log> {
    /// The number of its first line, from 1.
    pub(super) line: usize,
    /// The time of the headline, since boot.
    pub(super) time: Option<Duration>,
    /// The date and the time of day of the headline.
    pub(super) wall_time: Option<Cow<'log, str>>,
    /// The kernel's message above the headline.
    pub(super) message: Option<Cow<'log, str>>,
    /// The fuzzer's process in the lines above.
    pub(super) executor: Option<(u64, u64)>,
}

impl<'log> Opening<'log> {
    /// Reads the lines above the report with the headline `line`, the `number`-th line, below
    /// `above`; the headline of another report ends at `last`.
    pub(super) fn of(
        above: &'log [u8],
        line: &Line<'_>,
        last: usize,
        number: usize,
        executors: bool,
        shape: &Shape,
    ) -> Self {
        // The message above the headline of another report belongs to that report.
        let message = above_headline(above.get(last..).unwrap_or_default(), line.context, shape);
        let executor = || {
            // The first process in the lines.
            before(above, line.context, shape).filter_map(|line| executor(&line)).last()
        };
        Self {
            line: number,
            time: None,
            wall_time: None,
            message: message.map(|line| line.own(line.text.trim_ascii())),
            executor: if executors { executor() } else { None },
        }
    }

    pub(super) fn into_owned(self) -> Opening<'static> {
        let Self { line, time, wall_time, message, executor } = self;
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let (wall_time, message) = (wall_time.map(owned), message.map(owned));
        Opening { line, time, wall_time, message, executor }
    }
}

fn executor(line: &Line<'_>) -> Option<(u64, u64)> {
    match syntax::record(&line.text) {
        Record::Cpu(cpu) => task::executor(cpu.comm),
        _ => None,
    }
}

/// Returns the line above the headline with the message.
///
/// The text of `WARN()` is between `------------[ cut here ]------------` and the headline
/// (`__warn_printk()` in kernel/panic.c); the message of a `BUG()` is before that mark, which
/// `report_bug()` in lib/bug.c prints.
fn above_headline<'a>(above: &'a [u8], context: Context, shape: &Shape) -> Option<Line<'a>> {
    let mut found = None;
    let mut is_cut = false;
    let lines = upwards(above, shape).filter(|line| !line.text.trim_ascii().is_empty());
    for line in lines.take(MESSAGE_WITHIN) {
        if line.context != context {
            continue;
        }
        let announces = || ANNOUNCEMENTS.iter().any(|words| search::has(&line.text, words));
        match syntax::record(&line.text) {
            Record::Cut if found.is_some() => return found,
            Record::Cut if !is_cut => is_cut = true,
            Record::Text(_) | Record::Section(_) if found.is_none() && announces() => {
                return Some(line);
            }
            // Of several lines the first one has the message.
            Record::Text(_) if !is_cut => found = Some(line),
            _ => return None,
        }
    }
    None
}

/// Returns whether lines below a report can be attributed to its task.
pub(super) fn is_of_a_caller(context: Context) -> bool {
    matches!(context, Context::Caller(_))
}

/// Returns the text of a report as people mail it: without prefixes, unreliable frames and lines of
/// other contexts, with a few lines of its context before it.
///
/// The text extends to the end of the log, or to [`MAX_LINES`], because without caller information
/// the lines of the report cannot be distinguished from others. `log` must be the log in which the
/// report was found. Bytes that are not UTF-8 become `\xff` and the like.
///
/// ```
/// let log = b"[   1.5] usb 1-1: gone\n[   1.6] kernel BUG at a.c:1!\n[   1.7]  ? f+0x1/0x2\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// assert_eq!(ksplat::text(log, &report), "usb 1-1: gone\nkernel BUG at a.c:1!\n");
/// ```
pub fn text(log: &[u8], report: &Report<'_>) -> String {
    let start = scan::next_start(log, report.span.start, true);
    let shape = start.map_or(Shape::PLAIN, |start| start.shape(log));
    let Some(first) = Line::headline(log, report.span.start, &shape) else { return String::new() };
    let context = first.context;
    let above = log.get(..report.span.start).unwrap_or_default();
    let mut before: Vec<_> = before(above, context, &shape).collect();
    before.reverse();
    let mut text = String::new();
    let mut push = |line: &Line<'_>| {
        text.push_str(&escape::text(&line.text));
        text.push('\n');
    };
    before.iter().chain([&first]).for_each(&mut push);
    let mut outline = Outline::new(&first, &headline(&first.text), Vec::new());
    let mut asks_cpus = false;
    let mut next = Line::at(log, first.next(), &shape);
    let mut lines = 1;
    while let Some(line) = next
        && lines < MAX_LINES
        && !outline.is_closed()
    {
        next = Line::at(log, line.next(), &shape);
        if !line.is_wrapping && line.context == context || (asks_cpus && line.context.is_cpu()) {
            lines += 1;
            let record = syntax::record(&line.text);
            let seen = record.seen(&line.text);
            asks_cpus |= seen.says.any(Says::ASKS_CPUS);
            if outline.push(&line, &record, &seen) {
                push(&line);
            }
        }
    }
    text
}
