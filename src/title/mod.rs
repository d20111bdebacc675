//! Titles: from the lines of a report to the name that kernel people know it by.
//!
//! A marker has formats (`kind::table`). The format whose trigger stands first in the text gives
//! the template; its recipe gives the function, which is the first of its frames that `skip` lets
//! pass; `normal` replaces what differs from one machine to the next.

mod choice;
mod class;
mod guilty;
mod normal;
mod recipe;
mod skip;

pub(crate) use class::executor;
pub(crate) use skip::{generic, is_generic_by_shape};

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::kind::pattern::{self, Found, Piece};
use crate::kind::{Format, Kind, Marker};
use crate::line::{Context, Line};
use crate::words;

/// A report's name, and what else was found on the way to it.
#[derive(Debug)]
pub(crate) struct Title {
    pub(crate) title: String,
    pub(crate) alternatives: Vec<String>,
    /// The function in the title.
    pub(crate) frame: Option<String>,
    pub(crate) kind: Kind,
    /// The type, by the convention.
    pub(crate) class: Option<&'static str>,
    /// Whether the next instruction pointer is that of the crash.
    pub(crate) trap: bool,
    /// Whether lines of something else stand in the report.
    pub(crate) mixed: bool,
    /// Why the report is not whole.
    pub(crate) corrupted: Option<&'static str>,
}

/// A line that the text of a report treats in its own way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Notable {
    /// Of another thing, printed in between without a context of its own: where there is no caller
    /// information, what follows cannot be told apart from it.
    Intruder,
    /// After it nothing is of interest to a title, if it does not stand near the top.
    Cut,
    /// Printed by whichever report is the first: it makes no difference between two.
    Taint,
}

#[rustfmt::skip] // rows
const NOTABLE: [(&str, Notable); 6] = [
    ("vmalloc: allocation failure:", Notable::Intruder),
    ("FAULT_INJECTION: forcing a failure", Notable::Intruder),
    ("FAULT_FLAG_ALLOW_RETRY missing", Notable::Intruder),
    ("Kernel panic - not syncing", Notable::Cut),
    ("WARNING: possible circular locking dependency detected", Notable::Cut),
    ("Disabling lock debugging due to kernel taint", Notable::Taint),
];

static NOTABLE_SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    words::search(NOTABLE.iter().map(|(words, _)| words), MatchKind::LeftmostFirst)
});

fn notable(line: &[u8]) -> Option<Notable> {
    let found = NOTABLE_SEARCH.as_ref()?.find(line)?;
    NOTABLE.get(found.pattern().as_usize()).map(|(_, notable)| *notable)
}

/// The text that titles are made from.
pub(crate) struct Text<'a> {
    /// The lines of a report without guesses of the unwinder.
    lines: Vec<&'a [u8]>,
    /// How many of them surely are of this report alone.
    pure: usize,
}

/// The text of a report.
pub(crate) fn text<'a>(lines: &'a [Line<'_>]) -> Text<'a> {
    let first = lines.first();
    let has_caller = first.is_some_and(|line| matches!(line.context, Context::Caller(_)));
    let is_kmsan = first.is_some_and(|line| words::has(&line.text, "BUG: KMSAN:"));
    let near = if is_kmsan { 16 } else { 22 };
    let mut kept = Vec::with_capacity(lines.len());
    let mut pure = None;
    let mut count = 0;
    for (index, line) in lines.iter().enumerate() {
        let text: &[u8] = &line.text;
        if index > 0 {
            if line.questionable() {
                continue;
            }
            count += 1;
            // Most lines are frames, and none of the texts below stands in one.
            if text.starts_with(b" ") {
                kept.push(text);
                continue;
            }
            match notable(text) {
                Some(Notable::Taint) => continue,
                Some(Notable::Cut) if count >= near => break,
                Some(Notable::Intruder) if !has_caller => {
                    pure.get_or_insert(kept.len());
                }
                _ => {}
            }
        }
        kept.push(text);
    }
    Text { pure: pure.unwrap_or(kept.len()), lines: kept }
}

impl<'a> Text<'a> {
    /// All lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().copied()
    }

    /// The source file to blame.
    pub(crate) fn guilty_file(&self, title: &str) -> Option<String> {
        guilty::file(&self.lines, title)
    }
}

/// Names the report whose first line holds `marker`.
pub(crate) fn name(marker: &Marker, text: &Text<'_>) -> Title {
    let lines = text.lines.get(..text.pure).unwrap_or_default();
    let (triggered, choice) = choose(marker, lines);
    if let Some((format, found)) = choice {
        return with_format(format, &found, lines, &text.lines);
    }
    let title = normal::title(&bare_title(marker, lines));
    Title {
        alternatives: Vec::new(),
        frame: normal::frame(&title).map(str::to_owned),
        kind: marker.kind,
        class: class::class(&title),
        trap: false,
        mixed: false,
        corrupted: triggered.then_some("the headline is there, what must follow it is not"),
        title,
    }
}

/// The title alone of the report whose first line holds `marker`.
pub(crate) fn title(marker: &Marker, text: &Text<'_>) -> String {
    let lines = text.lines.get(..text.pure).unwrap_or_default();
    let raw = match choose(marker, lines).1 {
        Some((format, found)) => {
            let frames = recipe::frames(&format.recipe, lines, found.line).found;
            let frames: Vec<_> = frames.iter().map(Cow::from).collect();
            fill(format.title, &found.captures, &frames)
        }
        None => bare_title(marker, lines),
    };
    normal::title(&raw)
}

/// The format whose trigger stands first in the text, and whether any trigger stands there.
fn choose<'a>(marker: &Marker, lines: &[&'a [u8]]) -> (bool, Option<(&'static Format, Found<'a>)>) {
    let mut choice: Option<(&Format, Found<'_>)> = None;
    let mut triggered = false;
    // Triggers and bodies begin with the marker, so they begin in one of few lines.
    let holds = |(at, line): (usize, &&[u8])| words::has(line, marker.text).then_some(at);
    let starts: Vec<usize> = lines.iter().enumerate().filter_map(holds).collect();
    for format in marker.formats {
        let starts = || starts.iter().copied();
        let Some(trigger) = pattern::find(format.trigger, lines, starts()) else { continue };
        triggered = true;
        let place = (trigger.line, trigger.offset);
        if choice.as_ref().is_some_and(|(_, best)| (best.line, best.offset) <= place) {
            continue;
        }
        let found = if format.body.is_empty() {
            Some(trigger)
        } else {
            pattern::find(format.body, lines, starts())
        };
        if let Some(found) = found {
            choice = Some((format, Found { line: place.0, offset: place.1, ..found }));
        }
    }
    (triggered, choice)
}

/// Names a report by one of its formats.
fn with_format(format: &Format, found: &Found<'_>, lines: &[&[u8]], all: &[&[u8]]) -> Title {
    let frames = recipe::frames(&format.recipe, lines, found.line);
    let raw_title = fill(format.title, &found.captures, &[]);
    let corrupted = if format.corrupted {
        Some("a part of a report only")
    } else if frames.failed {
        Some("no function in the call trace")
    } else if has_time(raw_title.as_bytes()) {
        Some("another line stands in the headline")
    } else if !format.stackless {
        recipe::missing_stack(all)
    } else {
        None
    };

    let canonical: Vec<Cow<'_, str>> = frames.found.iter().map(Cow::from).collect();
    let fill = |template: &str, frames: &[Cow<'_, str>]| fill(template, &found.captures, frames);
    let title = fill(format.title, &canonical);
    let mut alternatives: Vec<_> =
        format.alternatives.iter().map(|template| fill(template, &canonical)).collect();
    // The same bug seen through another name of its syscall, the printed one among them.
    for prefix in [""].iter().chain(skip::SYSCALL_PREFIXES) {
        let raw = frames.raw.iter().map(String::as_str);
        if frames.raw == frames.found || !raw.clone().any(|frame| frame.starts_with(prefix)) {
            continue;
        }
        let names: Vec<Cow<'_, str>> =
            raw.map(|frame| Cow::from(frame.strip_prefix(prefix).unwrap_or(frame))).collect();
        let other = fill(format.title, &names);
        alternatives.extend((other != title).then_some(other));
        alternatives.extend(format.alternatives.iter().map(|template| fill(template, &names)));
    }
    let mut alternatives: Vec<_> =
        alternatives.iter().map(|alternative| normal::title(alternative)).collect();
    alternatives.sort_unstable();
    alternatives.dedup();

    let title = normal::title(&title);
    let frame = normal::frame(&title).map(str::to_owned);
    let class = class::class(&title);
    let mixed = lines.len() < all.len() || frames.injected;
    let (kind, trap) = (format.kind, format.trap);
    Title { title, alternatives, frame, kind, class, trap, mixed, corrupted }
}

/// Whether a printk time stands in a text.
fn has_time(text: &[u8]) -> bool {
    const TIME: &[Piece] = &[
        Piece::Lit("["),
        Piece::Blanks,
        Piece::Digits,
        Piece::Lit("."),
        Piece::Digits,
        Piece::Lit("]"),
    ];
    pattern::fits(TIME, text)
}

/// The headline itself, from the marker on.
fn bare_title(marker: &Marker, lines: &[&[u8]]) -> String {
    let line = lines.first().copied().unwrap_or_default();
    let at = words::find(line, marker.text).unwrap_or(0);
    String::from_utf8_lossy(line.get(at..).unwrap_or_default()).into_owned()
}

/// Fills the places of a template: `{1}` a capture, `{F}` and `{F2}` a frame.
fn fill(template: &str, captures: &[&[u8]], frames: &[Cow<'_, str>]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        text.push_str(before);
        let (place, tail) = tail.split_once('}').unwrap_or((tail, ""));
        if let Some(number) = place.strip_prefix('F') {
            let index = number.parse().unwrap_or(1usize) - 1;
            text.push_str(frames.get(index).map_or(recipe::UNKNOWN, Cow::as_ref));
        } else {
            let index = place.parse().unwrap_or(1usize) - 1;
            let capture = captures.get(index).copied().unwrap_or_default();
            text.push_str(&String::from_utf8_lossy(capture));
        }
        rest = tail;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::table::MARKERS;

    fn check(log: &str) -> Title {
        let lines: Vec<_> = log.lines().map(str::as_bytes).collect();
        let marker = MARKERS.iter().find(|marker| words::has(lines[0], marker.text));
        name(marker.expect("a marker"), &Text { pure: lines.len(), lines })
    }

    #[test]
    fn the_function_is_the_first_that_is_not_skipped() {
        let title = check(
            "BUG: KASAN: use-after-free in memcpy+0x1/0x2\nRead of size 4 at addr ff\n\
             Call Trace:\n dump_stack+0x1/0x2\n kasan_report+0x1/0x2\n foo.isra.0+0x1/0x2\n bar+0x1/0x2",
        );
        assert_eq!(title.title, "KASAN: use-after-free Read in foo");
        assert_eq!(title.alternatives, ["bad-access in foo"]);
        assert_eq!((title.frame.as_deref(), title.corrupted), (Some("foo"), None));
    }

    #[test]
    fn syscalls_have_other_names() {
        let title = check(
            "BUG: unable to handle kernel paging request at ff\nRIP: 0010:__x64_sys_rmdir+0x1/0x2\n\
             Call Trace:\n do_syscall_64+0x1/0x2",
        );
        assert_eq!(title.title, "BUG: unable to handle kernel paging request in sys_rmdir");
        assert_eq!(
            title.alternatives,
            [
                "BUG: unable to handle kernel paging request in __x64_sys_rmdir",
                "bad-access in __x64_sys_rmdir",
                "bad-access in sys_rmdir"
            ]
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let title = check("general protection fault: 0000 [#1] SMP");
        assert_eq!(title.title, "general protection fault in corrupted");
        assert_eq!(title.corrupted, Some("no function in the call trace"));
        let title = check("WARNING: the sky is falling (0x12345678)");
        assert_eq!(
            (title.title.as_str(), title.corrupted),
            ("WARNING: the sky is falling (ADDR)", None)
        );
        let title = check("kernel BUG at a.c:1!\nRIP: 0010:f+0x1/0x2\nno trace here");
        assert!(title.corrupted.is_some());
    }
}
