//! The lexer: the text of one line to one [`Record`], by nom grammars, a file per family of lines.
//!
//! It is the only code that classifies lines. [`record`] dispatches on the first byte of the line;
//! a grammar parses the fields; the record borrows them from the line. A line that no grammar
//! matches is [`Record::Text`], with the [`Says`] found anywhere in it.
//!
//! ```text
//! line = frame / mark / stack start / pointer / link / registers / code / task / access / object
//!      / shadow / lock / section / text
//! ```

pub(crate) mod access;
pub(crate) mod blocker;
pub(crate) mod code;
pub(crate) mod convention;
pub(crate) mod died;
pub(crate) mod frame;
pub(crate) mod headline;
pub(crate) mod kasan;
pub(crate) mod kcsan;
mod kfence;
pub(crate) mod kmsan;
pub(crate) mod leak;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod mce;
pub(crate) mod page;
pub(crate) mod pointer;
pub(crate) mod pressure;
pub(crate) mod register;
pub(crate) mod says;
mod section;
pub(crate) mod source;
pub(crate) mod spinlock;
pub(crate) mod stack;
pub(crate) mod state;
pub(crate) mod symbol;
pub(crate) mod task;
mod text;
pub(crate) mod who;

use nom::Parser;
use nom::branch::alt;
use nom::combinator::map;

use access::Fault;
use blocker::Blocker;
use code::Listed;
use frame::Place;
use lock::Lock;
use page::{Page, Table};
use pointer::{Link, Pointer};
use register::Registers;
use section::Section;
use stack::StackStart;
use state::State;
use task::{Cpu, Taint};
use text::Text;
use who::Pid;

use crate::reason::{DiagnosticKind, ReportPart};
use crate::token::{Hex, Parsed};
pub(crate) use says::Says;
pub(crate) use stack::Start;

/// The record of one line, with its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'t> {
    /// An empty line.
    Blank,
    /// A frame of a stack.
    Frame(Place<'t>),
    /// A mark between frames: the name in `<TASK>`, `</IRQ>`.
    ContextMark(&'t [u8]),
    /// A stack begins.
    StackStart(StackStart<'t>),
    /// An instruction pointer.
    InstructionPointer(Pointer<'t>),
    /// The return address of the innermost function.
    LinkRegister(Link<'t>),
    /// Registers with their values.
    Registers(Registers<'t>),
    /// The text after `Code:`, or after the tag of another dump of code.
    Code(&'t [u8]),
    /// The tag of a dump of code that is printed after all registers: powerpc, sparc.
    CodeBelow(&'t [u8]),
    /// An instruction in the kernel's own listing.
    Listed(Listed<'t>),
    /// Only words of 32 or 64 bits: a continuation of the line above.
    Words(&'t [u8]),
    /// `CPU: … PID: … Comm: …`.
    Cpu(Cpu<'t>),
    /// `Pid: …, comm: …`, of kernels before 3.10.
    Pid(Pid<'t>),
    /// The end of a `CPU:` line, below a task's name with a line feed in it.
    Taint(Taint<'t>),
    /// `Hardware name:`.
    Hardware(&'t [u8]),
    /// `Workqueue:`: the queue and the function that it ran.
    Workqueue(&'t [u8], Option<&'t [u8]>),
    /// The function of a work item that returned with a lock held.
    WorkFunction(Place<'t>),
    /// The task that blocks a hung task; the stack of the owner follows.
    Blocker(Blocker<'t>),
    /// The stack of a thread that did not run follows: that of the RCU grace-period thread.
    Starved,
    /// The text after `Modules linked in:`.
    Modules(&'t [u8]),
    /// The access of a KASAN report.
    Access(kasan::Access),
    /// An access of a data race; its stack follows.
    Race(kcsan::Access),
    /// The value before a data race and after it.
    ValueChange(Hex, Hex),
    /// A state that the kernel counted or compared.
    State(State),
    /// An object without a reference to it: its address and its size.
    Leak(Hex, u64),
    /// Facts about the accessed object: the first, and the rest of the line.
    Object(Option<kasan::Object<'t>>, &'t [u8]),
    /// The offset of an address in a stack frame; its function is on the next line.
    StackFrame(u64),
    /// A local variable of that frame: its first byte, the one past its last, its name.
    Local(u64, u64, &'t [u8]),
    /// A fact about a page.
    Page(Page<'t>),
    /// Entries of page tables.
    PageTable(Table),
    /// Bytes of the shadow memory.
    Shadow(kasan::Shadow),
    /// `#PF: supervisor write access in kernel mode`, `CM = 0, WnR = 1`.
    PageFault(Fault),
    /// `Failing address: 0000000000000000 TEID: …`.
    FailingAddress(Hex),
    /// `Oops: 0002 [#1]`, `ESR = 0x96000006`: the error code of a page fault.
    ErrorCode(Fault),
    /// `--- interrupt: 700 at f+0x1/0x2`: the function in the form for titles.
    Interrupt(Option<&'t [u8]>),
    /// A lock that is held, wanted, or part of a list.
    Lock(Lock<'t>),
    /// The thread whose locks follow.
    LockHolder(lock::Holder<'t>),
    /// `Kernel Offset:`, in bytes.
    KernelOffset(u64),
    /// `------------[ cut here ]------------`: a report begins.
    Cut,
    /// A line of `=`: a checker's report begins or ends.
    Rule,
    /// `---[ end trace`: the end of the report, except for a second register dump.
    EndTrace,
    /// A line that only reports have; it ends the stack above it.
    Section(Says),
    /// A line that only reports have, without a field that is kept.
    Known,
    /// A line that the kernel prints after the report, before it stops.
    Epilogue,
    /// A line that only reports have and whose fields cannot be read.
    Malformed(Malformed<'t>),
    /// Any other line.
    Text(Text<'t>),
}

/// A line that starts with a tag and whose fields cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed<'t> {
    /// The meaning of the tag.
    pub(crate) what: Tag,
    pub(crate) line: &'t [u8],
    /// The part that could not be read.
    pub(crate) rest: &'t [u8],
    /// The expected value.
    pub(crate) why: DiagnosticKind,
}

/// The tags whose malformed lines cause a diagnostic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tag {
    Pointer,
    Cpu,
    Access,
}

impl Tag {
    /// Returns the part of the report for a diagnostic.
    pub(crate) fn part(self) -> ReportPart {
        match self {
            Self::Pointer => ReportPart::InstructionPointer,
            Self::Cpu => ReportPart::CpuLine,
            Self::Access => ReportPart::Access,
        }
    }
}

impl Record<'_> {
    /// Returns whether only reports have such a line.
    pub(crate) fn is_of_report(&self) -> bool {
        !matches!(self, Self::Blank | Self::Text(_) | Self::Words(_) | Self::Cut | Self::Rule)
    }

    /// Returns whether the next line may continue this one.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Registers(_) | Self::Code(_) | Self::CodeBelow(_) | Self::Words(_))
            || matches!(self, Self::Listed(_))
    }
}

/// Reads one line, given without its prefix.
pub(crate) fn record(text: &[u8]) -> Record<'_> {
    let line = text.trim_ascii_start();
    let Some(&first) = line.first() else { return Record::Blank };
    // Most lines of a report are frames. They are indented, or begin with a symbol and an offset;
    // no tag has this form.
    let is_likely = text.starts_with(b" ") || frame::begins_with_offset(text);
    if is_likely && let Ok((_, place)) = frame::frame(text) {
        return Record::Frame(place);
    }
    if let Some(record) = tagged(first, line, text) {
        return record;
    }
    if !is_likely && let Ok((_, place)) = frame::frame(text) {
        return Record::Frame(place);
    }
    text::untagged(line, text)
}

/// Reads a line that starts with a tag or has a known form; `line` is `text` without its
/// indentation.
fn tagged<'t>(first: u8, line: &'t [u8], text: &'t [u8]) -> Option<Record<'t>> {
    if let Ok((_, section)) = section::section(line) {
        return Some(match section {
            Section::Cut => Record::Cut,
            Section::Rule => Record::Rule,
            Section::EndTrace => Record::EndTrace,
            Section::Epilogue => Record::Epilogue,
            Section::Starved => Record::Starved,
            Section::Part(says) => Record::Section(says),
            Section::Page => page::page(line).map_or(Record::Section(Says::NOTHING), Record::Page),
            Section::PageTable => {
                page::table(line).map_or(Record::Section(Says::NOTHING), Record::PageTable)
            }
        });
    }
    let of_family = match first {
        b'#' => fault(line).or_else(|| listed(line)),
        b'[' => found(kasan::local(line), |(start, end, name)| Record::Local(start, end, name))
            .or_else(|| page::table_of_address(line).map(Record::PageTable)),
        b'-' => found(frame::interrupt(line), Record::Interrupt),
        b'<' => mark(line),
        b'C' => cpu(line).or_else(|| found(code::code(line), Record::Code)).or_else(|| fault(line)),
        b'E' => fault(line),
        b'F' => access(line).or_else(|| fault(line)),
        b'H' => found(task::hardware(line), Record::Hardware),
        b'I' => found(code::code_below(line), Record::CodeBelow)
            .or_else(|| found(blocker::blocker(line), Record::Blocker))
            .or_else(|| found(kfence::access(line), Record::Access))
            .or_else(|| fault(line)),
        b'K' => found(task::kernel_offset(line), Record::KernelOffset).or_else(|| listed(line)),
        b'M' => found(task::modules(line), Record::Modules),
        b'T' | b'w'
            if line.starts_with(b"The buggy address") || line.starts_with(b"which belongs") =>
        {
            Some(object(text))
        }
        b'N' => found(task::taint(line), Record::Taint),
        b'T' => found(task::taint(line), Record::Taint)
            .or_else(|| found(state::state(line), Record::State)),
        b'O' => fault(line).or_else(|| found(kfence::access(line), Record::Access)),
        b'P' => {
            who::pid(line).map(Record::Pid).or_else(|| found(state::state(line), Record::State))
        }
        b'R' => access(line).or_else(|| found(state::state(line), Record::State)),
        b'W' => access(line).or_else(|| workqueue(line)),
        b'U' => found(kfence::access(line), Record::Access),
        b'u' => found(leak::object(line), |(address, size)| Record::Leak(address, size)),
        b'v' => found(kcsan::change(line), |(from, to)| Record::ValueChange(from, to)),
        b'k' => found(kfence::object(line), |fact| Record::Object(Some(fact), b"")),
        b'l' => found(frame::work_function(line), Record::WorkFunction),
        b'p' => found(frame::work_function(line), Record::WorkFunction)
            .or_else(|| who::stopped_task(line).map(Record::Pid))
            .or_else(|| found(state::state(line), Record::State)),
        b'(' | b'i' | b'0'..=b'9' => found(state::state(line), Record::State),
        b'a' | b'r' | b'w' => found(kcsan::access(line), Record::Race)
            .or_else(|| found(kasan::stack_frame(line), Record::StackFrame))
            .or_else(|| found(state::state(line), Record::State)),
        _ => None,
    };
    of_family
        .or_else(|| stack::start(line, text.len() - line.len()).map(Record::StackStart))
        .or_else(|| pointer::pointer(line))
        .or_else(|| pointer::link(line).map(Record::LinkRegister))
        .or_else(|| register::registers(line).map(Record::Registers))
        .or_else(|| dump(first, line, text))
}

fn found<'t, T>(parsed: Parsed<'t, T>, record: fn(T) -> Record<'t>) -> Option<Record<'t>> {
    parsed.ok().map(|(_, fields)| record(fields))
}

/// `CPU: 0 PID: 1 Comm: …`.
fn cpu(line: &[u8]) -> Option<Record<'_>> {
    let why = DiagnosticKind::NoTask;
    let malformed = |_| Record::Malformed(Malformed { what: Tag::Cpu, line, rest: line, why });
    line.starts_with(b"CPU: ")
        .then(|| task::cpu(line).map_or_else(malformed, |(_, cpu)| Record::Cpu(cpu)))
}

/// `Read of size`, `Write at addr`, `Free of addr`.
fn access(line: &[u8]) -> Option<Record<'_>> {
    let why = DiagnosticKind::NoAccess;
    let malformed = |_| Record::Malformed(Malformed { what: Tag::Access, line, rest: line, why });
    kasan::is_access(line)
        .then(|| kasan::access(line).map_or_else(malformed, |(_, access)| Record::Access(access)))
}

/// The processor's details of a page fault, below the headline.
fn fault(line: &[u8]) -> Option<Record<'_>> {
    let known = [&b"#PF: "[..], b"CM = ", b"ESR = ", b"Failing address:", b"Oops: "];
    let read = alt((
        map(
            alt((access::page_fault, access::data_abort, access::syndrome_of_bad_stack)),
            Record::PageFault,
        ),
        map(access::failing_address, Record::FailingAddress),
        map(alt((access::error_code, access::syndrome)), Record::ErrorCode),
    ));
    let is_known = || known.iter().any(|start| line.starts_with(start));
    found_or_known({ read }.parse(line), is_known)
}

fn found_or_known<'t>(
    parsed: Parsed<'t, Record<'t>>,
    is_known: impl FnOnce() -> bool,
) -> Option<Record<'t>> {
    parsed.ok().map(|(_, record)| record).or_else(|| is_known().then_some(Record::Known))
}

/// `Workqueue: events f`.
fn workqueue(line: &[u8]) -> Option<Record<'_>> {
    let read = map(task::workqueue, |(queue, function)| Record::Workqueue(queue, function));
    found_or_known({ read }.parse(line), || line.starts_with(b"Workqueue:"))
}

/// `<TASK>` alone on the line.
fn mark(line: &[u8]) -> Option<Record<'_>> {
    let (rest, name) = frame::context_marker(line).ok()?;
    rest.is_empty().then_some(Record::ContextMark(name))
}

/// Facts about an object.
fn object(text: &[u8]) -> Record<'_> {
    match kasan::object(text) {
        Ok((rest, fact)) => Record::Object(Some(fact), rest),
        Err(_) => Record::Object(None, text),
    }
}

fn listed(line: &[u8]) -> Option<Record<'_>> {
    code::listed(line).map(Record::Listed)
}

/// Dumps without a tag: listings of code, words, shadow memory.
fn dump<'t>(first: u8, line: &'t [u8], text: &'t [u8]) -> Option<Record<'t>> {
    let listing = || matches!(first, b'>' | b'0').then(|| listed(line)).flatten();
    let may_be_words = first.is_ascii_hexdigit() || matches!(first, b'<' | b'X');
    let words = || (may_be_words && code::is_words(line)).then_some(Record::Words(text));
    let shadow = || {
        let found = kasan::is_shadow(text).then(|| kasan::shadow(text));
        found.map(|found| found.map_or(Record::Known, |(_, shadow)| Record::Shadow(shadow)))
    };
    let memory =
        || (first.is_ascii_hexdigit() && code::is_memory_row(line)).then_some(Record::Known);
    listing().or_else(words).or_else(memory).or_else(shadow)
}
