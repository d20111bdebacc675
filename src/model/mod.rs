//! The report and the types of its fields.
//!
//! [`Parser`](crate::Parser) fills in the facts of the log, [`Analyzer`](crate::Analyzer) the
//! instructions, the explanation and the source lines. `fingerprint`, `blame` and `output` read
//! them.

mod context;
mod cpu;
mod detail;
mod diagnosis;
mod explanation;
mod finding;
mod frame;
mod image;
#[cfg(feature = "serde")]
mod json;
mod lock;
mod memory;
mod owned;
mod step;
mod suspect;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

pub use context::{Kernel, Module, Task};
#[cfg(feature = "serde")]
pub(crate) use cpu::hex_digits;
pub use cpu::{Address, Code, Instruction, Register, Registers};
#[cfg(feature = "serde")]
pub(crate) use detail::seconds::in_seconds;
pub use detail::{
    AtomicContext, Leak, Overwrite, Race, RaceAccess, SourceLocation, Stall, ValueChange,
};
pub use diagnosis::{Diagnosis, Evidence};
pub use explanation::{
    AddressClass, Agreement, Confidence, Explanation, MeantAccess, Member, Pointer, PointerOrigin,
    Relation,
};
pub use finding::{
    Allocation, Killed, ListCorruption, ListOperation, ListPointer, MachineCheck, Page, PageTable,
    PointerClass, SpinLock, Uninitialized, Zone,
};
pub use frame::{Frame, Role, Stack, StackContext};
pub use image::{CodeCheck, ImageCheck, ImageVerdict};
pub use lock::{Holder, Lock, LockState};
pub use memory::{
    Access, AccessKind, LocalVariable, Memory, Object, Shadow, Side, StackFrame, Variable,
};
#[cfg(feature = "disasm")]
pub(crate) use step::Short;
pub use step::{Condition, FlowStep, Operand, Operation, Predicate, StepKind};
pub use suspect::Suspect;

use crate::kind::Kind;
pub use crate::reason::{
    BlameReason, Corruption, DiagnosticKind, Incomplete, ReportPart, SuspectReason,
};
use crate::span::Span;
pub use crate::string_enum::UnknownName;

/// One crash report ("splat"): the facts that a kernel printed about one failure.
///
/// Text borrows from the log; [`Report::into_owned`] makes a copy that can be kept. A fact that the
/// kernel did not print, or that could not be parsed, is `None` or empty; no default replaces it.
///
/// With the feature `serde` a report serializes to the object that `ksplat parse --format jsonl`
/// prints (which adds `file` and `index`), and deserializes from it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Report<'log> {
    /// The bytes from the start of the headline's line to the end of the last line of the report.
    ///
    /// Reports that were printed at the same time may overlap.
    pub span: Span,
    /// The kind of failure.
    pub kind: Kind,
    /// The title by syzbot's convention, such as `KASAN: use-after-free Read in
    /// batadv_iv_ogm_queue_add`.
    ///
    /// One line of printable ASCII, at most 120 bytes. Numbers and addresses are replaced by words,
    /// so that the title of a bug is the same on every machine.
    pub title: String,
    /// The first line as the kernel printed it, without its prefix.
    #[cfg_attr(feature = "serde", serde(borrow, default))]
    pub headline: Cow<'log, str>,
    /// The kernel's message: the text of a `WARN()`, the sentence below the headline of a UBSAN
    /// report or of an inconsistent lock, or the line that a checker printed before its `BUG()`,
    /// such as `usercopy: Kernel memory exposure attempt detected from …`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub message: Option<Cow<'log, str>>,
    /// The place in the source from the headline.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub location: Option<SourceLocation<'log>>,
    /// The time of the headline since boot, from its printk prefix; in JSON seconds with six
    /// decimals. `None` if the log has no times.
    #[cfg_attr(
        feature = "serde",
        serde(default, with = "detail::seconds", skip_serializing_if = "Option::is_none")
    )]
    pub time: Option<Duration>,
    /// The date and the time of day of the headline, as the logger printed them:
    /// `2026-11-21T06:14:00.123456+00:00` of a journal, `Nov 21 06:14:00` of syslog,
    /// `Sat Nov 21 06:14:00 2026` of `dmesg -T`. `None` if the log has none.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub wall_time: Option<Cow<'log, str>>,
    /// Other titles under which the same bug may be known, including those of earlier headlines of
    /// the report; sorted.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub alt_titles: Vec<String>,
    /// The bug type by syzbot's convention: `KASAN-USE-AFTER-FREE-READ`, `HANG`. `None` if the
    /// convention has no type for the title.
    #[cfg_attr(feature = "serde", serde(rename = "type", skip_serializing_if = "Option::is_none"))]
    pub class: Option<Cow<'static, str>>,
    /// The function in the title.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub frame: Option<String>,
    /// The reason why the title is not reliable, by syzbot's convention. In JSON its words are
    /// `corrupted` and its code is `corrupted_code`. Whether the report itself can be used depends
    /// on [`incomplete`](Self::incomplete).
    #[cfg_attr(feature = "serde", serde(flatten, with = "json::corrupted"))]
    pub corrupted: Option<Corruption>,
    /// Whether the report is complete: [`incomplete`](Self::incomplete) is empty.
    #[cfg_attr(feature = "serde", serde(default = "whole"))]
    pub complete: bool,
    /// The reasons why the report is incomplete, from its own lines; empty for a complete report.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub incomplete: Vec<Incomplete>,
    /// Whether the log shows that the test machine failed. Its reports are then not caused by a
    /// kernel bug.
    pub suppressed: bool,
    /// Whether the kernel panicked anywhere in the log.
    pub panicked: bool,
    /// The titles of later reports caused by this one, such as `kernel panic: Fatal exception`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub consequences: Vec<String>,
    /// The fuzzer's process that was running, if its name contains its number.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub executor: Option<Executor>,
    /// The source file by which to find maintainers: by the convention for titles if the log has
    /// source lines, otherwise the file of the first suspect, once these are ranked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub guilty_file: Option<String>,
    /// The function that most likely contains the bug. It may differ from the function in the
    /// title.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub blame: Option<Blame<'log>>,
    /// The functions that a fix of the bug most likely changes, the most likely first; at most 8.
    /// Empty until [`Analyzer`](crate::Analyzer) ranks them. [`blame`](Self::blame) is the function
    /// in which the failure occurs; suspects are the functions that probably contain the bug.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub suspects: Vec<Suspect<'log>>,
    /// The kernel that printed the report.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub kernel: Kernel<'log>,
    /// The task and the CPU.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub task: Task<'log>,
    /// The seconds that a task was blocked or a CPU was stuck, from the headline.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub seconds: Option<u64>,
    /// The memory access that failed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub access: Option<Access>,
    /// The registers at the instruction that crashed. Empty if none were printed.
    pub registers: Registers,
    /// The machine code around that instruction: the `Code:` line.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub code: Option<Code>,
    /// The explanation of the trapping instruction; filled in by [`Analyzer`](crate::Analyzer).
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub explanation: Option<Explanation>,
    /// The return address in the link register, on architectures that have one. If the crashed
    /// function is a leaf function, its caller is here and not in the stack.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub link: Option<Frame<'log>>,
    /// The stacks, in the order in which they were printed. The one of the crash has
    /// [`Role::Crash`].
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub stacks: Vec<Stack<'log>>,
    /// The memory around the bad access, if a checker such as KASAN described it.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub memory: Option<Memory<'log>>,
    /// The locks of the report.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub locks: Vec<Lock<'log>>,
    /// The task that holds the lock for which a hung task waits.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub holder: Option<Holder<'log>>,
    /// The cycle of locks by their classes, the wanted lock first: each was acquired while the one
    /// before it was held, and the first is wanted while the last is held. Empty without a
    /// dependency chain.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub cycle: Vec<Cow<'log, str>>,
    /// The accesses of a data race.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub race: Option<Race>,
    /// The object that leaked.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub leak: Option<Leak>,
    /// The atomic context in which a function that may sleep was called.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub atomic: Option<AtomicContext<'log>>,
    /// The RCU grace period that does not end.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub stall: Option<Stall>,
    /// Bytes of a slab object that were overwritten.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub overwrite: Option<Overwrite>,
    /// The page that the report dumps.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub page: Option<Page<'log>>,
    /// The memory allocation that failed.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub allocation: Option<Allocation<'log>>,
    /// The uninitialized bytes.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub uninitialized: Option<Uninitialized<'log>>,
    /// The list with inconsistent pointers.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub list: Option<ListCorruption>,
    /// The spinlock in an invalid state.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub spinlock: Option<SpinLock<'log>>,
    /// The page tables of the address that was accessed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub page_table: Option<PageTable>,
    /// The hardware error that the processor detected.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub machine_check: Option<MachineCheck<'log>>,
    /// The diagnosis of the failure, and the facts that support it. `None` where the explanation of the instruction
    /// is the diagnosis, or where the report has no more than its message.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub diagnosis: Option<Diagnosis>,
    /// The modules that were loaded.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub modules: Vec<Module<'log>>,
    /// The parts of the report that could not be parsed, and why.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub diagnostics: Vec<Diagnostic>,
    /// The comparison of the images with the report; filled in by [`Analyzer`](crate::Analyzer)
    /// with a symbolizer.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub image_check: Option<ImageCheck>,
}

impl<'log> Report<'log> {
    /// Makes an empty report.
    pub(crate) fn new(kind: Kind, span: Span) -> Self {
        Self {
            span,
            kind,
            title: String::new(),
            headline: Cow::Borrowed(""),
            message: None,
            location: None,
            time: None,
            wall_time: None,
            alt_titles: Vec::new(),
            frame: None,
            corrupted: None,
            complete: true,
            incomplete: Vec::new(),
            class: None,
            suppressed: false,
            panicked: false,
            executor: None,
            guilty_file: None,
            blame: None,
            suspects: Vec::new(),
            consequences: Vec::new(),
            kernel: Kernel::default(),
            task: Task::default(),
            seconds: None,
            access: None,
            registers: Registers::default(),
            code: None,
            explanation: None,
            link: None,
            stacks: Vec::new(),
            memory: None,
            locks: Vec::new(),
            holder: None,
            cycle: Vec::new(),
            race: None,
            leak: None,
            atomic: None,
            stall: None,
            overwrite: None,
            page: None,
            allocation: None,
            uninitialized: None,
            list: None,
            spinlock: None,
            page_table: None,
            machine_check: None,
            diagnosis: None,
            modules: Vec::new(),
            diagnostics: Vec::new(),
            image_check: None,
        }
    }

    /// Returns the title, as in [`Report::title`](field@Report::title).
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the title for display: the kernel's headline if the convention's title has no
    /// function or has words in place of numbers (`in corrupted`, `NUM`, `ADDR`).
    pub fn display_title(&self) -> &str {
        // The placeholders of `title::normal`.
        let mut words = self.title.split(|c: char| !c.is_ascii_alphanumeric());
        let has_stand_in = self.corrupted == Some(Corruption::NoFunction)
            || words.any(|word| matches!(word, "NUM" | "ADDR"));
        if has_stand_in && !self.headline.is_empty() { &self.headline } else { &self.title }
    }

    /// Returns whether the place of the bug can be determined from the report: it may be cut off at
    /// the end, but its start is present, it is not mixed, and it has a stack if its kind has one.
    pub fn is_usable(&self) -> bool {
        self.incomplete.iter().all(|why| *why == Incomplete::CutEnd)
    }

    /// Returns the stack of the crash, innermost frame first.
    pub fn crash_stack(&self) -> Option<&Stack<'log>> {
        self.stacks.iter().find(|stack| stack.role == Role::Crash)
    }
}

/// The value of `complete` for JSON of versions that lack the field.
#[cfg(feature = "serde")]
fn whole() -> bool {
    true
}

/// The function that most likely contains the bug.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Blame<'log> {
    /// The function, without compiler suffixes such as `.cold`.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub function: Cow<'log, str>,
    /// Its source file, if the log was symbolized.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'log, str>>,
    /// The line in the file, from 1.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub line: Option<u64>,
    /// The reason for this function. In JSON its words are `why` and its code is `code`.
    #[cfg_attr(feature = "serde", serde(flatten, with = "json::why"))]
    pub why: BlameReason,
}

/// A process of the fuzzer syzkaller, named `syz.PROCESS.PROGRAM`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Executor {
    /// The number of the process, from 0.
    pub proc: u64,
    /// The number of the program that it ran.
    pub id: u64,
}

/// A part of a report that could not be parsed, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnostic {
    /// The place in the log, in bytes from its start.
    pub offset: usize,
    /// The part that was being parsed. In JSON its words are `what` and its code is `part`.
    #[cfg_attr(feature = "serde", serde(flatten, with = "json::what"))]
    pub part: ReportPart,
    /// The problem. In JSON its words are `why` and its code is `code`.
    #[cfg_attr(feature = "serde", serde(flatten, with = "json::why"))]
    pub kind: DiagnosticKind,
}

impl Diagnostic {
    pub(crate) fn new(offset: usize, part: ReportPart, kind: DiagnosticKind) -> Self {
        Self { offset, part, kind }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}: {}", self.offset, self.part, self.kind)
    }
}
