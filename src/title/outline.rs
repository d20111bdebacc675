//! The lines of a report as titles see them.

use std::borrow::Cow;

use crate::log::{Context, Line};
use crate::search;
use crate::syntax::convention::Seen;
use crate::syntax::headline::Headline;
use crate::syntax::source::Source;
use crate::syntax::{Record, Says, Start, symbol};

/// How many lines of text below the headline are kept: a task's name may hold line feeds.
const OPENING: usize = 2;

/// From which line on a line that closes a report does so: of KMSAN, and of others.
const NEAR: (usize, usize) = (16, 22);

/// The lines that most reports have.
const ROOM: usize = 64;

/// One line of a report, without guesses of the unwinder.
#[derive(Clone, Debug)]
pub(crate) struct Step<'log> {
    pub(super) says: Says,
    /// What the stack below it is the trace of.
    pub(super) start: Option<Start>,
    /// The function or the name on the line, demangled.
    pub(super) name: Option<Cow<'log, str>>,
    /// The caller of `name`, where it stands on the line too.
    pub(super) caller: Option<Cow<'log, str>>,
}

/// A source file that a line of the report names.
#[derive(Clone, Debug)]
pub(super) struct Mention<'log> {
    /// The index of the line among the steps.
    pub(super) step: usize,
    pub(super) path: Cow<'log, str>,
    /// Whether the line only lists the place.
    pub(super) is_listed: bool,
}

/// What titles know of a report: its headline as text, and each line below it as a step.
#[derive(Clone, Debug)]
pub(crate) struct Outline<'log> {
    /// The headline, one line for each inlined function, and the lines below it.
    pub(super) opening: Vec<Cow<'log, [u8]>>,
    /// How many of them are the headline.
    pub(super) headlines: usize,
    pub(super) steps: Vec<Step<'log>>,
    pub(super) mentions: Vec<Mention<'log>>,
    /// The forms that the headline may have, a bit for each of the marker's.
    pub(super) possible: u64,
    /// Whether the headline has one of them, or begins as one does.
    pub(super) has_form: bool,
    /// Whether that form needs a stack.
    pub(crate) needs_stack: bool,
    has_caller: bool,
    near: usize,
    /// Lines below the headline.
    count: usize,
    /// How many of the steps surely are of this report alone.
    pure: Option<usize>,
    /// How many of the steps come before the line that closes the report.
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
    /// Of a report of which only the headline is known; the room of another is used again.
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

    /// The room of its steps.
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

    /// Adds any other line; false if the text of the report leaves it out.
    pub(crate) fn push(&mut self, line: &Line<'log>, record: &Record<'_>, seen: &Seen<'_>) -> bool {
        if seen.says.any(Says::GUESS) && line.context != Context::Bare {
            return false;
        }
        self.count += 1;
        // None of these stands in an indented line.
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

    /// Gives the instruction pointer another function than was printed.
    pub(crate) fn name_pointer(&mut self, function: &str) {
        let pointer = self.steps.iter_mut().find(|step| step.says.any(Says::POINTER));
        if let Some(step) = pointer {
            step.name = Some(Cow::Owned(function.to_owned()));
        }
    }

    /// The first line of the headline.
    pub(crate) fn headline(&self) -> &[u8] {
        self.opening.first().map_or(&[], AsRef::as_ref)
    }

    /// Whether the headline has a form of its marker, as far as one line tells.
    pub(crate) fn may_have_form(&self) -> bool {
        self.has_form
    }

    /// Whether a line closed the report.
    pub(crate) fn is_closed(&self) -> bool {
        self.end.is_some()
    }

    /// The index of the next step.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The same from a line on, which is the headline of what the report led to.
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

    /// All lines.
    pub(super) fn all(&self) -> &[Step<'log>] {
        self.steps.get(..self.end.unwrap_or(self.steps.len())).unwrap_or_default()
    }

    /// The lines that surely are of this report alone.
    pub(super) fn own(&self) -> &[Step<'log>] {
        let all = self.all();
        all.get(..self.pure.unwrap_or(all.len())).unwrap_or(all)
    }
}

/// What makes a line more than a step.
const NOTABLE: Says = Says::TAINTS.or(Says::CLOSES).or(Says::INTRUDER);
