//! Titles by syzbot's convention, from the lines of a report.
//!
//! A marker has formats (`kind::table`). The format whose trigger is leftmost in the text provides
//! the template, and its recipe the function: the first of its frames that is not skipped. `normal`
//! replaces the parts that differ between machines.

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
use crate::order;
use crate::reason::Corruption;
use crate::search;
use crate::syntax::Says;
use crate::token;

/// The title of a report, and other results of the search for it.
#[derive(Clone, Debug)]
pub(crate) struct Title {
    pub(crate) title: String,
    pub(crate) alternatives: Vec<String>,
    /// The function in the title.
    pub(crate) frame: Option<String>,
    pub(crate) kind: Kind,
    /// The headline, if it is the message of the report.
    pub(crate) message: Option<String>,
    /// The bug type, by the convention.
    pub(crate) class: BugType,
    /// Whether reports of this format have a stack.
    pub(crate) needs_stack: bool,
    /// Whether the report contains lines of another one.
    pub(crate) mixed: bool,
    /// The reason why the title is not reliable.
    pub(crate) corrupted: Option<Corruption>,
}

/// Titles the report whose headline contains `marker`.
///
/// `known` is the function in the model; it is used if the recipe finds none.
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

/// Returns whether the instruction pointer below a headline is that of the crash. Stores in the
/// outline which formats are possible.
///
/// All formats that a headline triggers have the same answer.
pub(crate) fn is_trap(marker: &Marker, outline: &mut Outline<'_>) -> bool {
    let lines = Lines::of(marker, outline);
    let mut possible = 0;
    let mut has_form = false;
    let mut first: Option<((usize, usize), &Format)> = None;
    for (index, format) in marker.formats.iter().enumerate() {
        // A format whose trigger is no further left than that of a known one is not chosen.
        if lines.stands_behind(format.trigger, first.map(|(place, _)| place)) {
            possible |= 1 << index;
            continue;
        }
        let found = lines.find(format.trigger);
        // A format that depends on lines below the headline is not decided yet.
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

/// Returns the kind and the title of a report whose last lines may be missing; an unknown function
/// is left out.
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

/// Returns the guilty file.
pub(crate) fn guilty_file(outline: &Outline<'_>, title: &str) -> Option<String> {
    guilty::file(outline, title)
}

/// The format of a report, and its captures.
struct Choice<'a> {
    format: &'static Format,
    found: Found<'a>,
}

/// The formats of a marker that match a report.
struct Choices<'a> {
    /// Whether the trigger of a format is in the headline.
    triggered: bool,
    found: Option<Choice<'a>>,
}

/// The headline of a report and the text below it, which are searched for formats.
struct Lines<'a> {
    marker: &'static str,
    text: Vec<&'a [u8]>,
    headlines: usize,
    /// The offset of the marker in a headline of one line that contains it once.
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

    /// Returns the only offset in the headline at which a pattern can match, and its first words.
    ///
    /// Nearly all patterns start with the marker, which most headlines contain once.
    fn only_place<'p>(&self, pieces: &'p [Piece]) -> Option<(usize, &'p str)> {
        match pieces.first() {
            Some(Piece::Lit(literal)) if literal.starts_with(self.marker) => {
                Some((self.single?, literal))
            }
            _ => None,
        }
    }

    /// Returns whether a pattern can only match at a known place or to the right of it.
    fn stands_behind(&self, pieces: &[Piece], known: Option<(usize, usize)>) -> bool {
        known.is_some_and(|known| {
            self.only_place(pieces).is_some_and(|(offset, _)| known <= (0, offset))
        })
    }

    /// Returns whether the first line contains the first words of a pattern.
    fn may_begin(&self, pieces: &[Piece]) -> bool {
        let line = self.text.first().copied().unwrap_or_default();
        matches!(pieces.first(), Some(Piece::Lit(literal)) if search::has(line, *literal))
    }

    /// Returns the leftmost match of a pattern.
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

/// Chooses the format whose trigger is leftmost in the headline.
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

/// Adds the captures from the lines below the headline; `None` if they do not match.
fn follow<'a>(then: &[Then], steps: &'a [Step<'_>], mut found: Found<'a>) -> Option<Found<'a>> {
    let mut below = steps.get(found.line + 1..).unwrap_or_default().iter();
    for then in then {
        let capture = below.find_map(|step| satisfied(*then, step))?;
        found.captures.extend(capture);
    }
    Some(found)
}

/// Returns whether a line below the headline satisfies a condition of a format, with its capture.
fn satisfied<'a>(then: Then, step: &'a Step<'_>) -> Option<Option<&'a [u8]>> {
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

/// Titles a report with one of its formats.
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
    // The convention also uses `corrupted` as the function of a stack without one.
    let is_unknown = frames.found.first().is_some_and(|name| name == recipe::UNKNOWN)
        && all.iter().all(|step| step.start.is_none());

    let fill = |template: &str, frames: &[String]| fill(template, &found.captures, frames);
    let title = fill(format.title, &frames.found);
    let mut alternatives: Vec<_> =
        format.alternatives.iter().map(|template| fill(template, &frames.found)).collect();
    // Titles with other names of the same system call, including the printed one.
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
    order::sort(&mut alternatives);
    alternatives.dedup();

    let title = normal::title(&title);
    let frame = normal::frame(&title).filter(|_| !is_unknown).map(str::to_owned);
    let class = format.class(&title).bug_type;
    let (kind, needs_stack) = (format.kind, format.needs != Needs::Nothing);
    let message = format.quoted.then(|| quote(outline, found));
    Title { title, alternatives, frame, kind, message, class, needs_stack, mixed, corrupted }
}

/// Returns the headline from the start of a format on.
fn quote(outline: &Outline<'_>, found: &Found<'_>) -> String {
    let line = outline.opening.get(found.line).map_or(&[][..], AsRef::as_ref);
    escape::text(line.get(found.offset..).unwrap_or_default().trim_ascii()).into_owned()
}

/// Returns the headline from the marker on.
fn bare_title(marker: &Marker, outline: &Outline<'_>) -> String {
    let line = outline.opening.first().map_or(&[][..], AsRef::as_ref);
    let at = search::find(line, marker.text).unwrap_or(0);
    String::from_utf8_lossy(line.get(at..).unwrap_or_default()).into_owned()
}

/// Fills in the placeholders of a template: `{1}` a capture, `{F}` and `{F2}` a function.
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
    fn missing_parts_are_reported() {
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
