//! Lines without a tag: recognised by phrases anywhere in them.

use nom::Parser;
use nom::bytes::complete::{is_not, tag, take_until};
use nom::sequence::{delimited, preceded};

use super::frame;
use super::lock;
use super::pointer;
use super::says::{self, Means};
use super::source::{self, Source};
use super::{Parsed, Record, Says, Start};
use crate::token::{self, blanks, digits, name};

/// A line of other text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'t> {
    pub(crate) says: Says,
    /// A stack that begins below it, by the convention for titles.
    pub(crate) start: Option<Start>,
    /// The function or name that the line refers to.
    pub(crate) name: Option<&'t [u8]>,
    /// The first source file in it.
    pub(crate) source: Option<Source<'t>>,
}

/// Reads a line without a tag; `text` is the line with its indentation.
pub(super) fn untagged<'t>(line: &'t [u8], text: &'t [u8]) -> Record<'t> {
    let (mut read, family) = phrases(text);
    match family {
        Some(Means::Lock) => return lock::lock(line).map_or(Record::Known, Record::Lock),
        Some(Means::Holder) => return lock::holder(line).map_or(Record::Known, Record::LockHolder),
        Some(Means::Region) => return super::object(text),
        _ => {}
    }
    // A frame that was cut off counts for titles.
    let unindented = blanks(text).and_then(|(rest, _)| token::bracketed(rest));
    if let Ok((rest, address)) = unindented
        && let Some(function) = frame::title_function(rest)
        && !read.says.any(Says::POINTER)
    {
        read.says = read.says | Says::FRAME | Says::ADDRESSED.when(address.is_some());
        read.name = Some(function);
    }
    if read.says.any(Says::GUESS) && crate::search::has(text, "<EOI>") {
        read.says = read.says.without(Says::GUESS);
    }
    Record::Text(read)
}

/// Returns the facts in the phrases of a line.
pub(super) fn phrases_of(text: &[u8]) -> Text<'_> {
    phrases(text).0
}

/// The same, and the family of lines that one of them starts.
fn phrases(text: &[u8]) -> (Text<'_>, Option<Means>) {
    let mut family = None;
    let mut read = Text { says: Says::NOTHING, start: None, name: None, source: None };
    for (means, end) in says::phrases(text) {
        let rest = text.get(end..).unwrap_or_default();
        match means {
            Means::Lock | Means::Holder | Means::Region => {
                family.get_or_insert(means);
            }
            Means::Says(says) => read.says = read.says | says,
            Means::Unreliable => read.says = read.says | Says::GUESS.when(rest.is_empty()),
            Means::Start(start) => read.begin(start, text, rest),
            Means::Pointer => {
                if let Some(function) = pointer::anywhere(text) {
                    read.say(Says::POINTER, function);
                }
            }
            Means::At => read.find(Says::AT, place, rest),
            Means::Killed => read.find(Says::KILLED, killed, rest),
            Means::LastFunction => read.find(Says::LAST_FUNCTION, last_function, rest),
        }
    }
    read.source = source::source(text);
    read.says = read.says | Says::SOURCE.when(read.source.is_some());
    (read, family)
}

impl<'t> Text<'t> {
    /// Adds a fact of the line, and its function or name.
    fn say(&mut self, says: Says, name: Option<&'t [u8]>) {
        self.says = self.says | says;
        self.name = self.name.or(name);
    }

    fn find(&mut self, says: Says, grammar: fn(&'t [u8]) -> Parsed<'t, &'t [u8]>, rest: &'t [u8]) {
        if let Ok((_, name)) = grammar(rest) {
            self.say(says, Some(name));
        }
    }

    /// Sets the stack that begins below the line, by the convention.
    fn begin(&mut self, start: Start, text: &[u8], rest: &[u8]) {
        let holds = match start {
            Start::AllocatedBy | Start::FreedBy => {
                digits(rest).is_ok_and(|(rest, _)| rest.starts_with(b":"))
            }
            // `stack backtrace:` is printed by lockdep, and has its own stack.
            Start::Leak => crate::search::find(text, " backtrace")
                .and_then(|at| text.get(at.checked_sub(1)?))
                .is_some_and(|&b| b != b'k'),
            _ => true,
        };
        if holds {
            self.start = self.start.or(Some(start));
            let is_headline = start == Start::Backtrace || rest.starts_with(b":");
            self.says = self.says | Says::INDENTED | start.says().when(is_headline);
        }
    }
}

/// A function, with or without its address before it.
fn place(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, _) = token::bracketed(input)?;
    match frame::title_function(rest) {
        Some(function) => Ok((rest, function)),
        None => Err(nom::Err::Error(())),
    }
}

/// `12 (comm)` behind `Killed process `: `__oom_kill_process()` in mm/oom_kill.c.
fn killed(input: &[u8]) -> Parsed<'_, &[u8]> {
    preceded((digits, take_until("(")), delimited(tag("("), is_not(")"), tag(")"))).parse(input)
}

/// `f` behind `last function: `: `process_one_work()` in kernel/workqueue.c.
fn last_function(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, function) = name(input)?;
    if rest.iter().all(u8::is_ascii_whitespace) {
        Ok((rest, function))
    } else {
        Err(nom::Err::Error(()))
    }
}
