//! What can go wrong: the kinds of splats, as data.
//!
//! [`Kind`] is the list of names. [`table`] says how each is recognised and titled; `scan` and
//! `title` read the table and know no kind by name.

pub(crate) mod pattern;
pub(crate) mod table;

use pattern::Piece;

macro_rules! kinds {
    ($( $(#[doc = $doc:literal])+ $kind:ident = $name:literal, )+) => {
        /// What went wrong, as the kernel itself names it.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Kind {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $name))] $kind, )+
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[ $( Self::$kind, )+ ];

            /// The name in the output and in `corpus/`.
            pub fn name(self) -> &'static str {
                match self { $( Self::$kind => $name, )+ }
            }
        }
    };
}

kinds! {
    /// A bad access found by KASAN, or a bad free.
    ///
    /// Printed by `print_error_description()` in mm/kasan/report.c.
    Kasan = "kasan",
    /// A page fault on an address that no table maps.
    ///
    /// Printed by `show_fault_oops()` in arch/x86/mm/fault.c.
    PageFault = "page-fault",
    /// A page fault below the first page.
    ///
    /// Printed by `show_fault_oops()` in arch/x86/mm/fault.c.
    NullDereference = "null-deref",
    /// A general protection fault: most often an address that is not canonical.
    ///
    /// Printed by `exc_general_protection()` in arch/x86/kernel/traps.c.
    GeneralProtectionFault = "gpf",
    /// A `WARN_ON` or `WARN`.
    ///
    /// Printed by `__warn()` in kernel/panic.c.
    Warning = "warning",
    /// A counter of references that was zero, or overflowed.
    ///
    /// Printed by `refcount_warn_saturate()` in lib/refcount.c through `__warn()`.
    Refcount = "refcount",
    /// A `BUG_ON` or `BUG`.
    ///
    /// Printed by `report_bug()` in lib/bug.c.
    KernelBug = "kernel-bug",
    /// A list whose links do not fit, found by `CONFIG_DEBUG_LIST`.
    ///
    /// Printed by `__list_add_valid()` and `__list_del_entry_valid()` in lib/list_debug.c.
    ListCorruption = "list-corruption",
    /// A copy to or from user space that leaves its object.
    ///
    /// Printed by `usercopy_abort()` in mm/usercopy.c.
    Usercopy = "usercopy",
    /// An integer division by zero.
    ///
    /// Printed by `exc_divide_error()` in arch/x86/kernel/traps.c.
    DivideError = "divide-error",
    /// An instruction that the processor does not know, outside of `BUG` and `WARN`.
    ///
    /// Printed by `handle_invalid_op()` in arch/x86/kernel/traps.c.
    InvalidOpcode = "invalid-opcode",
    /// A fault while a fault was being handled, most often a stack overflow.
    ///
    /// Printed by `exc_double_fault()` in arch/x86/kernel/traps.c.
    DoubleFault = "double-fault",
    /// Any other report that begins with `BUG:`.
    Bug = "bug",
    /// A panic that no other report led to.
    ///
    /// Printed by `panic()` in kernel/panic.c.
    Panic = "panic",
}

/// A text that starts a report, and the ways in which such a report is titled.
#[derive(Debug)]
pub(crate) struct Marker {
    /// The text, anywhere in a line.
    pub(crate) text: &'static str,
    /// Lines that hold the text and start nothing: literals that occur in this order.
    pub(crate) unless: &'static [&'static [&'static str]],
    /// When such a line belongs to the report before it instead of starting one.
    pub(crate) consequence: &'static [Consequence],
    /// What a report is that has none of the forms.
    pub(crate) kind: Kind,
    /// The forms that a report may have, in order of preference; see `title`.
    pub(crate) formats: &'static [Format],
}

/// A rule that folds a line into the report before it.
#[derive(Debug)]
pub(crate) struct Consequence {
    /// What the line holds.
    pub(crate) text: &'static str,
    /// Whether the report must not have ended yet.
    pub(crate) before_end: bool,
}

/// One form of a report: how it is recognised, and its title.
#[derive(Debug)]
pub(crate) struct Format {
    /// What it is.
    pub(crate) kind: Kind,
    /// What some line must match.
    pub(crate) trigger: &'static [Piece],
    /// What the text must match as well, if not empty; captures are then taken from here.
    pub(crate) body: &'static [Piece],
    /// The title: `{1}` is the first capture, `{F}` the first frame of the recipe, `{F2}` the second.
    pub(crate) title: &'static str,
    /// Titles under which the same bug may be known.
    pub(crate) alternatives: &'static [&'static str],
    /// Where the function of the title comes from.
    pub(crate) recipe: Recipe,
    /// Whether the instruction pointer that follows is that of the crash.
    ///
    /// True where a processor trap brought the kernel here; false where a checker was called, so
    /// that a later instruction pointer is only that of an interrupted task.
    pub(crate) trap: bool,
    /// Whether the report needs no call trace to be complete.
    pub(crate) stackless: bool,
    /// Whether a report of this form is always only a part of one.
    pub(crate) corrupted: bool,
}

/// Where the function in a title is found: parts of the text, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    /// The parts.
    pub(crate) parts: &'static [Part],
    /// What is tried where these find no function.
    pub(crate) fallback: &'static [Part],
    /// Functions that are no answer for this form, beside those that never are: a part of the
    /// name, or with `^` its beginning.
    pub(crate) skip: &'static [&'static str],
}

/// A part of a recipe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Up to the instruction pointer, whose function is a frame.
    Pointer,
    /// Up to the start of the call trace.
    Calls,
    /// The frames that follow, up to the next stack or the next part.
    Stack,
    /// Up to a line that matches; its captures are frames.
    Line(&'static [Piece]),
}

/// A format with nothing in it, to write table rows from.
pub(crate) const FORMAT: Format = Format {
    kind: Kind::Panic,
    trigger: &[],
    body: &[],
    title: "",
    alternatives: &[],
    recipe: NO_FRAMES,
    trap: false,
    stackless: false,
    corrupted: false,
};

/// A title without a function.
pub(crate) const NO_FRAMES: Recipe = Recipe { parts: &[], fallback: &[], skip: &[] };

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::Kind;
    use super::table::MARKERS;

    #[test]
    fn names_are_unique_and_have_a_corpus_case() {
        let mut seen = BTreeSet::new();
        for name in Kind::ALL.iter().map(|kind| kind.name()) {
            assert!(seen.insert(name), "two kinds are called `{name}`");
            assert!(Path::new("corpus").join(name).is_dir(), "add a log to corpus/{name}/");
        }
    }

    #[test]
    fn every_kind_is_in_the_table() {
        let rows: BTreeSet<_> = MARKERS
            .iter()
            .flat_map(|marker| marker.formats.iter().map(|format| format.kind).chain([marker.kind]))
            .collect();
        assert_eq!(rows, Kind::ALL.iter().copied().collect());
    }

    #[test]
    fn markers_are_unique_and_complete() {
        let mut seen = BTreeSet::new();
        for marker in MARKERS {
            assert!(seen.insert(marker.text), "two markers `{}`", marker.text);
            assert!(!marker.formats.is_empty(), "`{}` has no format", marker.text);
            for format in marker.formats {
                assert!(!format.trigger.is_empty(), "a format of `{}` has no trigger", marker.text);
                let asks = format.title.contains("{F");
                assert_eq!(asks, !format.recipe.parts.is_empty(), "frames of `{}`", format.title);
            }
        }
    }
}
