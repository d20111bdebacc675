//! Titles: from the lines of a report to the name that kernel people know it by.
//!
//! A marker has formats (`kind::table`). The format whose trigger stands first in the text gives
//! the template; its recipe gives the function, which is the first of its frames that `skip` lets
//! pass; `normal` replaces what differs from one machine to the next.

mod normal;
mod recipe;
mod skip;

use std::borrow::Cow;

use crate::kind::pattern::{self, Found};
use crate::kind::{Format, Kind, Marker};
use crate::text;

/// A report's name, and what else was found on the way to it.
#[derive(Debug)]
pub(crate) struct Title {
    pub(crate) title: String,
    pub(crate) alternatives: Vec<String>,
    /// The function in the title.
    pub(crate) frame: Option<String>,
    pub(crate) kind: Kind,
    /// Whether the next instruction pointer is that of the crash.
    pub(crate) trap: bool,
    /// Why the report is not whole.
    pub(crate) corrupted: Option<&'static str>,
}

/// Names the report whose first line holds `marker`.
///
/// `lines` are those of the report alone, without carriers and without guesses of the unwinder.
pub(crate) fn name(marker: &Marker, lines: &[&[u8]]) -> Title {
    let mut choice: Option<(&Format, Found<'_>)> = None;
    let mut triggered = false;
    for format in marker.formats {
        let Some(trigger) = pattern::find(format.trigger, lines, 0) else { continue };
        triggered = true;
        let place = (trigger.line, trigger.offset);
        if choice.as_ref().is_some_and(|(_, best)| (best.line, best.offset) <= place) {
            continue;
        }
        let found = if format.body.is_empty() {
            Some(trigger)
        } else {
            pattern::find(format.body, lines, 0)
        };
        if let Some(found) = found {
            choice = Some((format, Found { line: place.0, offset: place.1, ..found }));
        }
    }
    match choice {
        Some((format, found)) => with_format(format, &found, lines),
        None => Title {
            title: normal::title(&bare_title(marker, lines)),
            alternatives: Vec::new(),
            frame: None,
            kind: marker.kind,
            trap: false,
            corrupted: triggered.then_some("the headline is there, what must follow it is not"),
        },
    }
}

/// Names a report by one of its formats.
fn with_format(format: &Format, found: &Found<'_>, lines: &[&[u8]]) -> Title {
    let frames = recipe::frames(&format.recipe, lines, found.line);
    let corrupted = if format.corrupted {
        Some("a part of a report only")
    } else if frames.failed {
        Some("no function in the call trace")
    } else if !format.stackless {
        recipe::missing_stack(lines)
    } else {
        None
    };

    let canonical: Vec<_> = frames.found.iter().map(|frame| skip::canonical(frame)).collect();
    let fill = |template: &str, frames: &[Cow<'_, str>]| fill(template, &found.captures, frames);
    let title = fill(format.title, &canonical);
    let mut alternatives: Vec<_> =
        format.alternatives.iter().map(|template| fill(template, &canonical)).collect();
    // The same bug seen through another name of its syscall, the printed one first.
    for prefix in [""].iter().chain(skip::SYSCALL_PREFIXES) {
        let other = |frame: &String| frame.strip_prefix(prefix).unwrap_or(frame).to_owned();
        let names: Vec<Cow<'_, str>> =
            frames.found.iter().map(|frame| Cow::Owned(other(frame))).collect();
        if !prefix.is_empty() && names.iter().eq(frames.found.iter()) {
            continue;
        }
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
    Title { title, alternatives, frame, kind: format.kind, trap: format.trap, corrupted }
}

/// The headline itself, from the marker on.
fn bare_title(marker: &Marker, lines: &[&[u8]]) -> String {
    let line = lines.first().copied().unwrap_or_default();
    let at = text::find(line, marker.text).unwrap_or(0);
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
        let holds = |marker: &&Marker| text::has(lines[0], marker.text);
        name(MARKERS.iter().find(holds).expect("a marker"), &lines)
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
