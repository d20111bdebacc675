//! The outline of a report: its lines, reduced to what titles need.

use std::borrow::Cow;

use crate::log::{Context, Line};
use crate::search;
use crate::syntax::convention::Seen;
use crate::syntax::headline::Headline;
use crate::syntax::source::Source;
use crate::syntax::{Record, Says, Start, symbol};

/// The most lines of text below the headline. The name of a task may contain line feeds.
const OPENING: usize = 2;

/// The lines before which a closing line is ignored: in KMSAN reports, and in others.
const NEAR: (usize, usize) = (16, 22);

/// The number of lines of most reports.
const ROOM: usize = 64;

/// A line of a report, except unreliable frames.
#[derive(Clone, Debug)]
pub(crate) struct Step<'log> {
    pub(super) says: Says,
    /// The kind of stack that starts on the line.
    pub(super) start: Option<Start>,
    /// The function or the name on the line, demangled.
    pub(super) name: Option<Cow<'log, str>>,
    /// The caller of `name`, if it is on the same line.
    pub(super) caller: Option<Cow<'log, str>>,
}

/// A source file in a line of the report.
#[derive(Clone, Debug)]
pub(super) struct Mention<'log> {
    /// The index of the line among the steps.
    pub(super) step: usize,
    pub(super) path: Cow<'log, str>,
    /// Whether the line is only one of a list.
    pub(super) is_listed: bool,
}

/// The outline of a report: its headline as text, and each line below it as a step.
#[derive(Clone, Debug)]
pub(crate) struct Outline<'log> {
    /// The headline, one line for each inlined function, and the lines below it.
    pub(super) opening: Vec<Cow<'log, [u8]>>,
    /// The number of headline lines in `opening`.
    pub(super) headlines: usize,
    pub(super) steps: Vec<Step<'log>>,
    pub(super) mentions: Vec<Mention<'log>>,
    /// The formats that the headline may have, one bit for each format of the marker.
    pub(super) possible: u64,
    /// Whether the headline has one of them, or starts like one.
    pub(super) has_form: bool,
    /// Whether that format needs a stack.
    pub(crate) needs_stack: bool,
    has_caller: bool,
    near: usize,
    /// The number of lines below the headline.
    count: usize,
    /// The number of steps before a line of another report.
    pure: Option<usize>,
    /// The number of steps before the line that closes the report.
    end: Option<usize>,
}

impl Default for Outline<'_> {
    fn default() -> Self {
        Self {
            opening: Vec::new(),
            headlines: 0,
            steps: Vec::new(),
            mentions: Vec::new(),
            possible: u64::MAX,
            has_form: false,
            needs_stack: true,
            has_caller: false,
            near: 0,
            count: 0,
            pure: None,
            end: None,
        }
    }
}

impl<'log> Outline<'log> {
    /// Makes the outline of a report from its headline, with the buffer of an earlier one.
    pub(crate) fn new(
        line: &Line<'log>,
        headline: &Headline<'_>,
        mut steps: Vec<Step<'log>>,
    ) -> Self {
        let is_kmsan = search::has(&line.text, "BUG: KMSAN:");
        steps.clear();
        steps.reserve(ROOM);
        let mut outline = Self {
            steps,
            has_caller: matches!(line.context, Context::Caller(_)),
            near: if is_kmsan { NEAR.0 } else { NEAR.1 },
            ..Self::default()
        };
        outline.push_headline(line, headline);
        outline
    }

    /// Returns the buffer of the steps.
    pub(crate) fn into_room(self) -> Vec<Step<'log>> {
        self.steps
    }

    /// Adds a line of the headline.
    pub(crate) fn push_headline(&mut self, line: &Line<'log>, headline: &Headline<'_>) {
        self.count += usize::from(self.headlines > 0);
        self.headlines += 1;
        self.opening.push(line.text.clone());
        self.mention(line, headline.source);
        self.steps.push(Step {
            says: Says::HEADLINE,
            start: None,
            name: headline.function.map(|name| symbol::name(line.own(name))),
            caller: None,
        });
    }

    /// Adds any other line; false if the line is not part of the report's text.
    pub(crate) fn push(&mut self, line: &Line<'log>, record: &Record<'_>, seen: &Seen<'_>) -> bool {
        if seen.says.any(Says::GUESS) && line.context != Context::Bare {
            return false;
        }
        self.count += 1;
        // These do not occur in indented lines.
        if seen.says.any(NOTABLE) && !line.text.starts_with(b" ") {
            if seen.says.any(Says::TAINTS) {
                return false;
            }
            if seen.says.any(Says::CLOSES) && self.count >= self.near {
                self.end.get_or_insert(self.steps.len());
            }
            if seen.says.any(Says::INTRUDER) && !self.has_caller {
                self.pure.get_or_insert(self.steps.len());
            }
        }
        let is_text = matches!(record, Record::Text(_));
        if is_text && self.opening.len() < self.headlines + OPENING {
            self.opening.push(line.text.clone());
        }
        self.mention(line, seen.source);
        let source = Says::SOURCE.when(seen.source.is_some());
        let own = |name: Option<&[u8]>| name.map(|name| symbol::name(line.own(name)));
        self.steps.push(Step {
            says: seen.says | source,
            start: seen.start,
            name: own(seen.name),
            caller: own(seen.caller),
        });
        self.end.is_none()
    }

    fn mention(&mut self, line: &Line<'log>, source: Option<Source<'_>>) {
        if let Some(Source { path, is_listed }) = source {
            let path = line.own(path);
            self.mentions.push(Mention { step: self.steps.len(), path, is_listed });
        }
    }

    /// Replaces the function of the instruction pointer.
    pub(crate) fn name_pointer(&mut self, function: &str) {
        let pointer = self.steps.iter_mut().find(|step| step.says.any(Says::POINTER));
        if let Some(step) = pointer {
            step.name = Some(Cow::Owned(function.to_owned()));
        }
    }

    /// Takes the function in the headline for that of the instruction pointer, whose line is missing.
    pub(crate) fn point_to_headline(&mut self) {
        let of_headline =
            |step: &&mut Step<'_>| step.says.any(Says::HEADLINE) && step.name.is_some();
        if let Some(step) = self.steps.iter_mut().find(of_headline) {
            step.says = step.says | Says::POINTER;
        }
    }

    /// Returns the first line of the headline.
    pub(crate) fn headline(&self) -> &[u8] {
        self.opening.first().map_or(&[], AsRef::as_ref)
    }

    /// Returns whether the headline has a format of its marker, as far as one line shows.
    pub(crate) fn may_have_form(&self) -> bool {
        self.has_form
    }

    /// Returns whether a line has closed the report.
    pub(crate) fn is_closed(&self) -> bool {
        self.end.is_some()
    }

    /// Returns the index of the next step.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns the outline of a consequence, which starts at a step with its headline.
    pub(crate) fn from(&self, step: usize, headline: &[u8]) -> Outline<'log> {
        let mut steps = self.steps.get(step..).unwrap_or_default().to_vec();
        if let Some(first) = steps.first_mut() {
            first.says = first.says | Says::HEADLINE;
        }
        Outline {
            opening: vec![Cow::Owned(headline.to_vec())],
            headlines: 1,
            steps,
            ..Outline::default()
        }
    }

    /// Returns all lines.
    pub(super) fn all(&self) -> &[Step<'log>] {
        self.steps.get(..self.end.unwrap_or(self.steps.len())).unwrap_or_default()
    }

    /// Returns the lines before one of another report.
    pub(super) fn own(&self) -> &[Step<'log>] {
        let all = self.all();
        all.get(..self.pure.unwrap_or(all.len())).unwrap_or(all)
    }
}

/// The properties for which a line is examined further.
const NOTABLE: Says = Says::TAINTS.or(Says::CLOSES).or(Says::INTRUDER);
