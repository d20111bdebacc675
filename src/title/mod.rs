//! Titles: from the lines of a report to the name that kernel people know it by.
//!
//! A marker has formats (`kind::table`). The format whose trigger stands first in the text gives
//! the template; its recipe gives the function, which is the first of its frames that `skip` lets
//! pass; `normal` replaces what differs from one machine to the next.

mod choice;
mod guilty;
mod normal;
mod outline;
mod recipe;
mod skip;

pub(crate) use outline::{Outline, Step};

use crate::arch::TITLE_PREFIXES;
use crate::escape;
use crate::kind::pattern::{self, Found, Piece};
use crate::kind::types::BugType;
use crate::kind::{Format, Kind, Marker, Needs, Then};
use crate::reason::Corruption;
use crate::search;
use crate::syntax::Says;
use crate::token;

/// A report's name, and what else was found on the way to it.
#[derive(Debug)]
pub(crate) struct Title {
    pub(crate) title: String,
    pub(crate) alternatives: Vec<String>,
    /// The function in the title.
    pub(crate) frame: Option<String>,
    pub(crate) kind: Kind,
    /// The headline, if it is the report's message.
    pub(crate) message: Option<String>,
    /// The type, by the convention.
    pub(crate) class: BugType,
    /// Whether a report of this form has a stack.
    pub(crate) needs_stack: bool,
    /// Whether lines of something else stand in the report.
    pub(crate) mixed: bool,
    /// Why the report is not whole.
    pub(crate) corrupted: Option<Corruption>,
}

/// Names the report whose headline holds `marker`.
///
/// `known` is the function that the model knows; it is named where the recipe finds none.
pub(crate) fn name(marker: &Marker, outline: &Outline<'_>, known: Option<&str>) -> Title {
    let choice = choose(marker, outline);
    if let Some(choice) = choice.found {
        return with_format(&choice, outline, known);
    }
    let title = normal::title(&bare_title(marker, outline));
    Title {
        alternatives: Vec::new(),
        frame: normal::frame(&title).map(str::to_owned),
        kind: marker.kind,
        message: None,
        class: marker.class(&title).bug_type,
        needs_stack: true,
        mixed: false,
        corrupted: choice.triggered.then_some(Corruption::HeadlineOnly),
        title,
    }
}

/// Whether the instruction pointer below a headline is that of the crash; notes in the outline which
/// forms it may have.
///
/// The forms that a headline triggers agree on that.
pub(crate) fn is_trap(marker: &Marker, outline: &mut Outline<'_>) -> bool {
    let lines = Lines::of(marker, outline);
    let mut possible = 0;
    let mut has_form = false;
    let mut first: Option<((usize, usize), &Format)> = None;
    for (index, format) in marker.formats.iter().enumerate() {
        // A form that stands no earlier than one that is known stays undecided.
        if lines.stands_behind(format.trigger, first.map(|(place, _)| place)) {
            possible |= 1 << index;
            continue;
        }
        let found = lines.find(format.trigger);
        // A form that needs lines below the headline is undecided so far.
        let may_be = found.is_some() || format.trigger.iter().any(Piece::leaves_the_line);
        possible |= u64::from(may_be) << index;
        has_form |= found.is_some() || (may_be && lines.may_begin(format.trigger));
        let place = found.map(|found| (found.line, found.offset));
        if let Some(place) = place.filter(|place| first.is_none_or(|(known, _)| *place < known)) {
            first = Some((place, format));
        }
    }
    outline.possible = possible;
    outline.has_form = has_form;
    outline.needs_stack = first.is_none_or(|(_, format)| format.needs != Needs::Nothing);
    first.is_some_and(|(_, format)| format.trap)
}

/// The kind and the title of the report whose headline holds `marker`, of which lines may be missing:
/// a function that is not known is left out.
pub(crate) fn so_far(marker: &Marker, outline: &Outline<'_>) -> (Kind, String) {
    let (kind, raw) = match choose(marker, outline).found {
        Some(Choice { format, found }) => {
            let steps = outline.own().get(found.line..).unwrap_or_default();
            let frames = recipe::frames(&format.recipe, steps);
            let known = format.title.strip_suffix(" in {F}").filter(|_| !frames.has_first);
            let template = known.unwrap_or(format.title);
            (format.kind, fill(template, &found.captures, &frames.found))
        }
        None => (marker.kind, bare_title(marker, outline)),
    };
    (kind, normal::title(&raw))
}

/// The source file to blame.
pub(crate) fn guilty_file(outline: &Outline<'_>, title: &str) -> Option<String> {
    guilty::file(outline, title)
}

/// The format of a report, and what it captured.
struct Choice<'a> {
    format: &'static Format,
    found: Found<'a>,
}

/// The formats that a marker has for a report.
struct Choices<'a> {
    /// Whether the trigger of one stands in the headline.
    triggered: bool,
    found: Option<Choice<'a>>,
}

/// The headline of a report and the text below it, where forms are looked for.
struct Lines<'a> {
    marker: &'static str,
    text: Vec<&'a [u8]>,
    headlines: usize,
    /// Where the marker stands in a headline of one line that holds it once.
    single: Option<usize>,
}

impl<'a> Lines<'a> {
    fn of(marker: &Marker, outline: &'a Outline<'_>) -> Self {
        let text: Vec<&[u8]> = outline.opening.iter().map(AsRef::as_ref).collect();
        let line = text.first().copied().unwrap_or_default();
        let first = search::find(line, marker.text).filter(|_| outline.headlines == 1);
        let is_single = |at: &usize| {
            let rest = line.get(at + marker.text.len()..).unwrap_or_default();
            !search::has(rest, marker.text)
        };
        let single = first.filter(is_single);
        Self { marker: marker.text, text, headlines: outline.headlines, single }
    }

    /// The only offset in the headline where a pattern may stand, and the text that it begins with.
    ///
    /// Nearly all patterns begin with the marker, which a headline mostly holds once.
    fn only_place<'p>(&self, pieces: &'p [Piece]) -> Option<(usize, &'p str)> {
        match pieces.first() {
            Some(Piece::Lit(literal)) if literal.starts_with(self.marker) => {
                Some((self.single?, literal))
            }
            _ => None,
        }
    }

    /// Whether a pattern, if it stands anywhere, stands at a known place or behind it.
    fn stands_behind(&self, pieces: &[Piece], known: Option<(usize, usize)>) -> bool {
        known.is_some_and(|known| {
            self.only_place(pieces).is_some_and(|(offset, _)| known <= (0, offset))
        })
    }

    /// Whether the words that a pattern begins with stand in the first line.
    fn may_begin(&self, pieces: &[Piece]) -> bool {
        let line = self.text.first().copied().unwrap_or_default();
        matches!(pieces.first(), Some(Piece::Lit(literal)) if search::has(line, *literal))
    }

    /// Where a pattern stands.
    fn find(&self, pieces: &[Piece]) -> Option<Found<'a>> {
        if let Some((at, literal)) = self.only_place(pieces) {
            let text = self.text.first()?.get(at..)?;
            let rest = text.strip_prefix(literal.as_bytes())?;
            if !pieces.get(1).is_none_or(|next| next.may_begin(rest.first().copied())) {
                return None;
            }
            return pattern::find_at(pieces, &self.text, 0, at);
        }
        pattern::find(pieces, &self.text, 0..self.headlines)
    }
}

/// Chooses the format whose trigger stands first in the headline.
fn choose<'a>(marker: &Marker, outline: &'a Outline<'_>) -> Choices<'a> {
    let lines = Lines::of(marker, outline);
    let mut choices = Choices { triggered: false, found: None };
    let possible = |index: usize| outline.possible & (1 << index) != 0;
    let formats = marker.formats.iter().enumerate().filter(|(index, _)| possible(*index));
    for (_, format) in formats {
        let best = choices.found.as_ref().map(|best| (best.found.line, best.found.offset));
        if lines.stands_behind(format.trigger, best) {
            continue;
        }
        let Some(trigger) = lines.find(format.trigger) else { continue };
        choices.triggered = true;
        let place = (trigger.line, trigger.offset);
        if best.is_some_and(|best| best <= place) {
            continue;
        }
        let found = if format.body.is_empty() { Some(trigger) } else { lines.find(format.body) };
        let found = found.and_then(|found| follow(format.then, outline.own(), found));
        if let Some(found) = found {
            let found = Found { line: place.0, offset: place.1, ..found };
            choices.found = Some(Choice { format, found });
        }
    }
    choices
}

/// Adds what the lines below the headline must say; `None` if they do not.
fn follow<'a>(then: &[Then], steps: &'a [Step<'_>], mut found: Found<'a>) -> Option<Found<'a>> {
    let mut below = steps.get(found.line + 1..).unwrap_or_default().iter();
    for then in then {
        let capture = below.find_map(|step| said(*then, step))?;
        found.captures.extend(capture);
    }
    Some(found)
}

/// Whether a step satisfies the condition of a form; and its capture, if it has one.
fn said<'a>(then: Then, step: &'a Step<'_>) -> Option<Option<&'a [u8]>> {
    let says = |says| step.says.any(says);
    let access = || match () {
        () if says(Says::READ) => Some(Some(&b"Read"[..])),
        () if says(Says::WRITE) => Some(Some(&b"Write"[..])),
        () => None,
    };
    match then {
        Then::Says(what) => says(what).then_some(None),
        Then::Name(what) => {
            step.name.as_ref().filter(|_| says(what)).map(|name| Some(name.as_bytes()))
        }
        Then::Access => access(),
        Then::SizedAccess => access().filter(|_| says(Says::SIZE)),
    }
}

/// Names a report by one of its formats.
fn with_format(choice: &Choice<'_>, outline: &Outline<'_>, known: Option<&str>) -> Title {
    let Choice { format, found } = choice;
    let (steps, all) = (outline.own(), outline.all());
    let mut frames = recipe::frames(&format.recipe, steps.get(found.line..).unwrap_or_default());
    let raw_title = fill(format.title, &found.captures, &[]);
    let corrupted = if format.corrupted {
        Some(Corruption::PartOnly)
    } else if frames.failed {
        Some(Corruption::NoFunction)
    } else if token::has_stamp(raw_title.as_bytes()) {
        Some(Corruption::MixedHeadline)
    } else {
        recipe::missing_stack(all, format.needs)
    };
    let mixed = steps.len() < all.len() || frames.injected;
    if frames.failed
        && let Some(known) = known
    {
        frames.name(known);
    }
    // The convention calls the frame of a call trace that names none `corrupted` too.
    let is_unknown = frames.found.first().is_some_and(|name| name == recipe::UNKNOWN)
        && all.iter().all(|step| step.start.is_none());

    let fill = |template: &str, frames: &[String]| fill(template, &found.captures, frames);
    let title = fill(format.title, &frames.found);
    let mut alternatives: Vec<_> =
        format.alternatives.iter().map(|template| fill(template, &frames.found)).collect();
    // The same bug seen through another name of its syscall, the printed one among them.
    for prefix in [""].iter().chain(TITLE_PREFIXES.iter()) {
        let raw = frames.raw.iter();
        if frames.raw == frames.found || !raw.clone().any(|frame| frame.starts_with(prefix)) {
            continue;
        }
        let names: Vec<_> =
            raw.map(|frame| frame.strip_prefix(prefix).unwrap_or(frame).to_owned()).collect();
        let other = fill(format.title, &names);
        alternatives.extend((other != title).then_some(other));
        alternatives.extend(format.alternatives.iter().map(|template| fill(template, &names)));
    }
    for alternative in &mut alternatives {
        *alternative = normal::title(alternative);
    }
    alternatives.sort_unstable();
    alternatives.dedup();

    let title = normal::title(&title);
    let frame = normal::frame(&title).filter(|_| !is_unknown).map(str::to_owned);
    let class = format.class(&title).bug_type;
    let (kind, needs_stack) = (format.kind, format.needs != Needs::Nothing);
    let message = format.quoted.then(|| quote(outline, found));
    Title { title, alternatives, frame, kind, message, class, needs_stack, mixed, corrupted }
}

/// The headline from the place of a form on.
fn quote(outline: &Outline<'_>, found: &Found<'_>) -> String {
    let line = outline.opening.get(found.line).map_or(&[][..], AsRef::as_ref);
    escape::text(line.get(found.offset..).unwrap_or_default().trim_ascii()).into_owned()
}

/// The headline itself, from the marker on.
fn bare_title(marker: &Marker, outline: &Outline<'_>) -> String {
    let line = outline.opening.first().map_or(&[][..], AsRef::as_ref);
    let at = search::find(line, marker.text).unwrap_or(0);
    String::from_utf8_lossy(line.get(at..).unwrap_or_default()).into_owned()
}

/// Fills the places of a template: `{1}` a capture, `{F}` and `{F2}` a frame.
fn fill(template: &str, captures: &[&[u8]], frames: &[String]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        text.push_str(before);
        let (place, tail) = tail.split_once('}').unwrap_or((tail, ""));
        if let Some(number) = place.strip_prefix('F') {
            let index = number.parse().unwrap_or(1usize) - 1;
            text.push_str(frames.get(index).map_or(recipe::UNKNOWN, String::as_str));
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
    use crate::model::Report;
    use crate::reason::Corruption;

    fn check(log: &str) -> Report<'_> {
        crate::parse::reports(log.as_bytes()).next().expect("a report")
    }

    #[test]
    fn the_function_is_the_first_that_is_not_skipped() {
        let title = check(
            "BUG: KASAN: use-after-free in memcpy+0x1/0x2\nRead of size 4 at addr ff\n\
             Call Trace:\n dump_stack+0x1/0x2\n kasan_report+0x1/0x2\n foo.isra.0+0x1/0x2\n bar+0x1/0x2",
        );
        assert_eq!(title.title, "KASAN: use-after-free Read in foo");
        assert_eq!(title.alt_titles, ["bad-access in foo"]);
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
            title.alt_titles,
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
        assert_eq!(title.corrupted, Some(Corruption::NoFunction));
        let title = check("[    1.5] WARNING: the sky is falling (0x12345678)");
        assert_eq!(
            (title.title.as_str(), title.corrupted),
            ("WARNING: the sky is falling (ADDR)", None)
        );
        let title = check("kernel BUG at a.c:1!\nRIP: 0010:f+0x1/0x2\nno trace here");
        assert!(title.corrupted.is_some());
    }

    #[test]
    fn guesses_name_no_title_where_the_unwinder_had_a_frame_to_begin_with() {
        let log = |pointer: &str| {
            let lines = [
                "BUG: unable to handle page fault for address: ffffabcdabcd0000",
                pointer,
                "Call Trace:",
                " ? cm_table_add+0x1/0x20",
                " ? cm_batch+0x1/0x20",
                " ? cm_write+0x1/0x20",
                " ? do_syscall_64+0x1/0x20",
                "Modules linked in:",
            ];
            lines.map(|line| format!("[    1.000001][   T12] {line}\n")).concat()
        };
        let astray = log("RIP: 0010:0xffffabcdabcd0000");
        let title = "BUG: unable to handle kernel paging request in cm_table_add";
        let report = check(&astray);
        assert_eq!((report.title.as_str(), report.corrupted), (title, None));
        let in_helper = log("RIP: 0010:__list_del_entry_valid+0x59/0x8e");
        let title = "BUG: unable to handle kernel paging request in corrupted";
        let report = check(&in_helper);
        assert_eq!(
            (report.title.as_str(), report.corrupted),
            (title, Some(Corruption::NoFunction))
        );
        // The convention is about titles alone.
        assert_eq!(
            report.blame.map(|blame| blame.function.into_owned()).as_deref(),
            Some("cm_table_add")
        );
    }
}
