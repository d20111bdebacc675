//! The facts that the title rules read from a record.
//!
//! The conventions search lines for words at any place. A record has the same facts as fields; this
//! module maps the fields to the rules.

use super::source::{self, Source};
use super::{Record, Says, Start, Tag, pointer, text};
use crate::search;
use crate::token;

/// The facts of a record for the conventions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'t> {
    pub(crate) says: Says,
    /// The role of the stack below the line.
    pub(crate) start: Option<Start>,
    /// The function or the name on the line.
    pub(crate) name: Option<&'t [u8]>,
    /// The caller of `name`, on lines that have both.
    pub(crate) caller: Option<&'t [u8]>,
    /// The first source file that the line names.
    pub(crate) source: Option<Source<'t>>,
}

impl Seen<'_> {
    const NOTHING: Self =
        Self { says: Says::NOTHING, start: None, name: None, caller: None, source: None };
}

impl<'t> Record<'t> {
    /// The facts that the title rules read from the record of the line `text`.
    pub(crate) fn seen(&self, text: &'t [u8]) -> Seen<'t> {
        let seen = self.of_fields(text);
        // A mail program may join several lines: the record is that of the first.
        let is_one = matches!(self, Self::Frame(_) | Self::Text(_) | Self::Blank);
        if is_one || !token::has_stamp(text) {
            return seen;
        }
        let rest = text::phrases_of(text);
        Seen {
            says: seen.says | rest.says,
            start: seen.start.or(rest.start),
            name: seen.name.or(rest.name),
            source: seen.source.or(rest.source),
            ..seen
        }
    }

    fn of_fields(&self, text: &'t [u8]) -> Seen<'t> {
        let nothing = Seen::NOTHING;
        match self {
            Self::Frame(place) => frame(place, text),
            Self::InstructionPointer(pointer) => {
                let place = &pointer.place;
                let says = Says::POINTER.when(pointer.counts)
                    | Says::ADDRESSED.when(place.address.is_some())
                    | Says::GUESS.when(!place.reliable && is_guess(text));
                let source = place.source.and_then(|(file, _)| source::of_frame(file));
                // The end of the line may be cut off.
                let cut = || pointer::anywhere(text).flatten().filter(|_| place.function.is_none());
                Seen { says, name: place.title_function().or_else(cut), source, ..nothing }
            }
            Self::LinkRegister(link) => {
                let file = link.place.and_then(|place| place.source).map(|(file, _)| file);
                Seen { source: file.and_then(source::of_frame), ..nothing }
            }
            Self::StackStart(found) => {
                let start = Some(found.start).filter(|start| match start {
                    Start::AllocatedBy | Start::FreedBy => found.task.is_some(),
                    _ => true,
                });
                let indented = Says::INDENTED.when(found.is_indented);
                let lock = found.lock.map(|lock| (lock.says, lock.function, lock.source));
                let (says, name, source) = lock.unwrap_or_default();
                let says = says | indented | found.start.says();
                Seen { says, start, name, source, ..nothing }
            }
            Self::Registers(registers) if registers.is_last_of_riscv() => {
                Seen { start: Some(Start::Registers), ..nothing }
            }
            Self::Interrupt(function) => Seen { says: Says::INTERRUPT, name: *function, ..nothing },
            Self::Access(access) => Seen { says: access.says(), ..nothing },
            Self::Lock(lock) => {
                Seen { says: lock.says, name: lock.function, source: lock.source, ..nothing }
            }
            Self::Section(says) => Seen { says: *says, ..nothing },
            Self::WorkFunction(place) => {
                let name = place.function.and_then(|name| name.split(|b| *b == b'.').next());
                Seen { says: Says::LAST_FUNCTION, name, ..nothing }
            }
            // `RIP: 0010:(null)` is a pointer without a function.
            Self::Malformed(malformed) if malformed.what == Tag::Pointer => {
                let found = pointer::anywhere(malformed.line);
                let says = Says::POINTER.when(found.is_some());
                Seen { says, name: found.flatten(), ..nothing }
            }
            Self::Text(read) => Seen {
                says: read.says,
                start: read.start,
                name: read.name,
                source: read.source,
                caller: None,
            },
            _ => nothing,
        }
    }
}

/// A frame counts if a function with an offset, or with a compiler suffix, is directly behind the
/// indentation and its addresses; on ARM both functions of a call do.
fn frame<'t>(place: &super::frame::Place<'t>, text: &[u8]) -> Seen<'t> {
    let call = place.callee.filter(|_| place.parenthesized && place.address.is_some());
    let function = place.title_function();
    let counts = match (place.callee, place.parenthesized) {
        (None, is_guess) => !is_guess && function.is_some(),
        (Some(_), _) => call.is_some() && function.is_some(),
    };
    let says = Says::FRAME.when(counts && place.plain)
        | Says::ADDRESSED.when(place.address.is_some() && function.is_some())
        | Says::GUESS.when(!place.reliable && is_guess(text))
        | place.function.map_or(Says::NOTHING, of_function);
    let source = place.source.and_then(|(file, _)| source::of_frame(file));
    let name = call.or(function).or(place.function);
    Seen { says, start: None, name, caller: call.and(function), source }
}

/// Returns whether the convention considers a line an unreliable frame: an address found on the
/// stack.
fn is_guess(text: &[u8]) -> bool {
    (search::has(text, " ? ") || text.ends_with(b" (unreliable)")) && !search::has(text, "<EOI>")
}

/// The entries of interrupts that detect a stall.
fn of_function(function: &[u8]) -> Says {
    Says::APIC_TIMER.when(function.ends_with(b"apic_timer_interrupt"))
        | Says::EL1H_IRQ.when(function == b"el1h_64_irq")
}
