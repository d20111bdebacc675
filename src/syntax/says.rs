//! The facts that the title rules read from a line, one bit each.

use std::ops::BitOr;
use std::sync::LazyLock;

use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;

use super::Start;
use crate::search;

/// The meaning of a line to the title rules.
///
/// A convention searches for words at any place in a line. For a line that a grammar matched, the
/// record has the facts; any other line is searched once for all of [`PHRASES`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Says(u32);

macro_rules! says {
    ($( $(#[doc = $doc:literal])+ $name:ident, )+) => {
        #[derive(Clone, Copy)]
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "numbers of the constants")]
        enum Number { $( $name, )+ }

        impl Says {
            $( $(#[doc = $doc])+ pub(crate) const $name: Self = Self(1 << Number::$name as u32); )+
        }
    };
}

says! {
    /// The line that opens the report.
    HEADLINE,
    /// A frame that counts: a function right behind the indentation and its addresses.
    FRAME,
    /// An instruction pointer that counts.
    POINTER,
    /// An address in brackets right before the function.
    ADDRESSED,
    /// The headline of a call trace: `Call Trace:`, `Backtrace:`.
    CALLS,
    /// `--- interrupt: 700 at f+0x1/0x2`.
    INTERRUPT,
    /// `at: f+0x1/0x2` behind a lock.
    AT,
    /// `is trying to acquire lock`.
    ACQUIRES,
    /// `just changed the state of lock`.
    CHANGED,
    /// `takes`.
    TAKES,
    /// `leaving the kernel with locks still held`.
    LEAVING,
    /// A line above a stack that is indented.
    INDENTED,
    /// `page last allocated`.
    LAST_ALLOCATED,
    /// `Exception stack`.
    EXCEPTION_STACK,
    /// `apic_timer_interrupt`.
    APIC_TIMER,
    /// `el1h_64_irq`.
    EL1H_IRQ,
    /// `(stack is not available)`.
    NO_STACK,
    /// `Read of size`, `Read at addr`.
    READ,
    /// `Write of size`, `Write at addr`.
    WRITE,
    /// The size of the access.
    SIZE,
    /// A source file and a line.
    SOURCE,
    /// A process that was killed, by its name.
    KILLED,
    /// `last function: f`.
    LAST_FUNCTION,
    /// An unreliable frame.
    GUESS,
    /// `Sending NMI from CPU`: other CPUs will print their stacks.
    ASKS_CPUS,
    /// Other lines that may be printed in between, without a context of their own.
    INTRUDER,
    /// Titles ignore the lines after it, unless it is near the top.
    CLOSES,
    /// `Disabling lock debugging due to kernel taint`: printed by the first report only.
    TAINTS,
}

impl Says {
    /// No fact.
    pub(crate) const NOTHING: Self = Self(0);

    /// Returns whether it has one of these facts.
    pub(crate) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// The union.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The facts except these.
    pub(crate) fn without(self, of: Self) -> Self {
        Self(self.0 & !of.0)
    }

    /// These facts if `holds`.
    pub(crate) fn when(self, holds: bool) -> Self {
        if holds { self } else { Self::NOTHING }
    }
}

impl BitOr for Says {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

/// The action of a phrase.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Means {
    /// This fact.
    Says(Says),
    /// An unreliable frame, if it is at the end of the line.
    Unreliable,
    /// A stack begins.
    Start(Start),
    /// A lock may be on the line.
    Lock,
    /// The holder of the locks that follow may be on the line.
    Holder,
    /// The region of an object is on the line.
    Region,
    /// An instruction pointer may be on the line.
    Pointer,
    /// A function behind `at: ` may be on the line.
    At,
    /// The name of a killed process may be on the line.
    Killed,
    /// The function of a work item may be on the line.
    LastFunction,
}

/// Phrases with a meaning anywhere in a line that no grammar matches; of two at one place the first
/// counts.
#[rustfmt::skip] // rows
pub(super) const PHRASES: &[(&str, Means)] = &[
    (" (unreliable)", Means::Unreliable),
    (" ? ", Means::Says(Says::GUESS)),
    (" backtrace (crc ", Means::Start(Start::Leak)),
    (" backtrace:", Means::Start(Start::Leak)),
    (" held by ", Means::Holder),
    ("(stack is not available)", Means::Says(Says::NO_STACK)),
    ("){", Means::Lock),
    ("-byte region [", Means::Region),
    ("Allocated by task ", Means::Start(Start::AllocatedBy)),
    ("Allocated:", Means::Start(Start::Allocated)),
    ("Backtrace:", Means::Start(Start::Backtrace)),
    ("Call Trace", Means::Start(Start::CallTrace)),
    ("Call trace", Means::Start(Start::Calltrace)),
    ("Disabling lock debugging due to kernel taint", Means::Says(Says::TAINTS)),
    ("Exception stack", Means::Says(Says::EXCEPTION_STACK)),
    ("FAULT_FLAG_ALLOW_RETRY missing", Means::Says(Says::INTRUDER)),
    ("FAULT_INJECTION: forcing a failure", Means::Says(Says::INTRUDER)),
    ("Freed by task ", Means::Start(Start::FreedBy)),
    ("Freed:", Means::Start(Start::Freed)),
    ("IP", Means::Pointer),
    ("Kernel panic - not syncing", Means::Says(Says::CLOSES)),
    ("PC is at", Means::Pointer),
    ("Read at addr ", Means::Says(Says::READ)),
    ("Read of size ", Means::Says(Says::READ.or(Says::SIZE))),
    ("Sending NMI from CPU", Means::Says(Says::ASKS_CPUS)),
    ("Uninit was stored to memory at", Means::Start(Start::Stored)),
    ("WARNING: possible circular locking dependency detected", Means::Says(Says::CLOSES)),
    ("Write at addr ", Means::Says(Says::WRITE)),
    ("Write of size ", Means::Says(Says::WRITE.or(Says::SIZE))),
    ("apic_timer_interrupt", Means::Says(Says::APIC_TIMER)),
    ("at: ", Means::At),
    ("el1h_64_irq", Means::Says(Says::EL1H_IRQ)),
    ("illed process ", Means::Killed),
    ("is trying to acquire", Means::Says(Says::ACQUIRES)),
    ("just changed the state of lock", Means::Says(Says::CHANGED)),
    ("last function: ", Means::LastFunction),
    ("leaving the kernel with locks still held", Means::Says(Says::LEAVING)),
    ("page last allocated", Means::Says(Says::LAST_ALLOCATED)),
    ("pc ", Means::Pointer),
    ("takes", Means::Says(Says::TAKES)),
    ("vmalloc: allocation failure:", Means::Says(Says::INTRUDER)),
];

static SEARCH: LazyLock<Option<NFA>> =
    LazyLock::new(|| search::automaton(PHRASES.iter().map(|(words, _)| words)));

/// Returns the phrases of a line, each with its end.
pub(super) fn phrases(line: &[u8]) -> impl Iterator<Item = (Means, usize)> + '_ {
    let found = SEARCH.as_ref().and_then(|search| search.try_find_iter(line.into()).ok());
    found.into_iter().flatten().filter_map(|found| {
        let (_, means) = PHRASES.get(found.pattern().as_usize())?;
        Some((*means, found.end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_sorted() {
        assert!(PHRASES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
