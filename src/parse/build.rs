//! Builds the model of a report from its lines.

mod aside;
mod finding;
mod lock;
mod memory;
mod task;
mod topic;

use std::borrow::Cow;

use self::topic::{Announced, Topic};
use super::contention;
use super::convert::{address, frame, named, role};
use super::cpu_state::{CpuState, Unread};
use super::limits::Limits;
use super::machine;
use super::who::Naming;
use crate::arch::evidence::{self, Machines};
use crate::functions;
use crate::kind::Kind;
use crate::log::Line;
use crate::model::{
    AccessKind, Address, Blame, Diagnostic, Frame, LockState, Report, Role, SourceLocation, Stack,
    StackContext,
};
use crate::reason::{DiagnosticKind, ReportPart};
use crate::span::Span;
use crate::syntax::code::Listed;
use crate::syntax::frame::Place;
use crate::syntax::headline::Headline;
use crate::syntax::pointer::{Link, Pointer};
use crate::syntax::register::Registers;
use crate::syntax::stack::StackStart;
use crate::syntax::who;
use crate::syntax::{Malformed, Record, Start, Tag, access, leak};

/// The maximum number of diagnostics of a report: a damaged console may damage every line.
const MAX_DIAGNOSTICS: usize = 32;

/// The maximum number of stacks; lockdep's longest chains have fewer.
const MAX_STACKS: usize = 128;

/// The maximum number of modules.
const MAX_MODULES: usize = 1024;

/// The maximum number of rows of shadow memory; a kernel prints five.
const MAX_SHADOW: usize = 16;

/// The number of frames in most stacks, as the initial capacity.
const ROOM: usize = 16;

/// The number of lines below a `CPU:` line within which a second one belongs to another report.
const MIXED_WITHIN: usize = 3;

/// Returns whether a frame is the only one of a stack.
fn is_first_of(stack: Option<&Stack<'_>>, frame: &Frame<'_>) -> bool {
    stack.is_some_and(|stack| {
        let [first] = stack.frames.as_slice() else { return false };
        (&first.function, first.offset) == (&frame.function, frame.offset)
    })
}

/// The owner of the registers and code bytes that are read next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Dump {
    /// The crash.
    Crash,
    /// User mode, an interrupted task, or a repetition.
    Other,
}

/// A report as its lines give it, and what the facts that need all of it are made from.
pub(super) struct Built<'log> {
    pub(super) report: Report<'log>,
    /// Whether the call trace has no headline.
    pub(super) headless: bool,
    /// The frame that the headline names.
    pub(super) named: Option<Frame<'log>>,
    /// Whether it was added to the stack, because the line with the instruction pointer is missing.
    pub(super) is_restored: bool,
    /// The sentence below the headline that describes the fault.
    pub(super) sentence: Option<Cow<'log, str>>,
    /// The function that the report itself blames.
    pub(super) accused: Option<Blame<'log>>,
}

/// Builds a report line by line.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate property")]
pub(super) struct Builder<'log> {
    report: Report<'log>,
    limits: Limits,
    /// The offset in the log of the headline.
    start: usize,
    /// The offset in the log of the current line.
    at: usize,
    /// Whether the first instruction pointer of the kernel is that of the crash.
    trap: bool,
    /// The current stack; it is added to the report when the next one begins.
    stack: Option<Stack<'log>>,
    /// Whether the call trace of the crash has begun.
    traced: bool,
    /// Whether the instruction pointer of the crash is known.
    pointed: bool,
    /// The inlined functions at an instruction pointer whose own line follows.
    inlined: Vec<Frame<'log>>,
    /// The frames in the headline.
    headline: Vec<Frame<'log>>,
    dump: Dump,
    /// The number of lines since the first `CPU:` line.
    below_cpu: usize,
    /// The PID and the CPU of that line.
    printer: Option<(u64, u64)>,
    /// The rank of the line that named the task.
    naming: Naming,
    /// The architectures that fit the lines that are not kept.
    machines: Machines,
    /// Registers and code.
    processor: CpuState,
    context: Option<StackContext>,
    frames: usize,
    /// The thread whose locks are being listed.
    holder: Option<(Cow<'log, str>, u64)>,
    /// Whether the report has ended: further registers and stacks are repetitions.
    ended: bool,
    /// Whether the lines belong to a consequence of the report.
    aftermath: bool,
    /// Whether the call trace has no headline.
    headless: bool,
    /// Whether the trace reaches the instruction pointer below the frames of the report's own code.
    returns: bool,
    /// The role of the next stack, if a line above it determines the role.
    next: Option<Role>,
    /// The function that the report itself blames.
    accused: Option<Frame<'log>>,
    /// Whether the stack has only the frame on the line above it.
    is_headed: bool,
    /// The sentence below the headline that describes the fault.
    sentence: Option<Cow<'log, str>>,
    /// The subject of the lines of its kind.
    topic: Topic,
    /// The role of the symbol on the next line, if the line above announces one.
    announced: Option<Announced>,
    /// The role of the next lock, if a line above it determines the role.
    lock_below: Option<LockState>,
}

impl<'log> Builder<'log> {
    pub(super) fn new(kind: Kind, limits: Limits) -> Self {
        Self {
            report: Report::new(kind, Span::default()),
            limits,
            start: 0,
            at: 0,
            trap: false,
            stack: None,
            traced: false,
            pointed: false,
            inlined: Vec::new(),
            headline: Vec::new(),
            dump: Dump::Other,
            below_cpu: 0,
            printer: None,
            naming: Naming::default(),
            machines: Machines::ANY,
            processor: CpuState::default(),
            context: None,
            frames: 0,
            holder: None,
            ended: false,
            aftermath: false,
            headless: false,
            returns: false,
            next: None,
            accused: None,
            is_headed: false,
            sentence: None,
            topic: Topic::Other,
            announced: None,
            lock_below: None,
        }
    }

    /// Sets whether the first instruction pointer of the kernel is that of the crash.
    pub(super) fn set_trap(&mut self, trap: bool) {
        self.trap = trap;
        // Registers before an instruction pointer are only printed with the crash.
        self.dump = if trap { Dump::Crash } else { Dump::Other };
    }

    /// Whether a CPU line, an instruction pointer or a stack was printed.
    pub(super) fn has_body(&self) -> bool {
        self.printer.is_some()
            || self.pointed
            || self.traced
            || self.stack.is_some()
            || !self.report.stacks.is_empty()
    }

    /// Starts the lines of a consequence of the report.
    pub(super) fn consequence(&mut self) {
        self.aftermath = true;
    }

    /// Adds one line below the headline.
    pub(super) fn line(&mut self, line: &Line<'log>, record: &Record<'_>) {
        self.below_cpu += 1;
        self.begin(line);
        self.mention(line, record);
        let announced = self.announced.take();
        self.finding(line);
        match *record {
            Record::Frame(place) if announced.is_some() => self.symbol(line, &place, announced),
            Record::StackStart(start) => self.stack_line(line, &start),
            Record::Race(found) => self.race(&found),
            Record::ValueChange(from, to) => self.value_change(from, to),
            Record::Leak(at, size) => self.leak(at, size),
            Record::State(state) => self.state(line, state),
            Record::Lock(lock) => self.lock(line, &lock),
            Record::LockHolder(found) => {
                self.holder = Some((line.own(found.comm), found.pid));
            }
            Record::ContextMark(name) => self.mark(name),
            Record::Frame(place) => self.entry(line, &place),
            Record::InstructionPointer(pointer) => self.pointer(line, &pointer),
            Record::LinkRegister(link) => self.link(line, &link),
            Record::Registers(registers) => self.registers(line, registers),
            Record::Code(text) => self.code(line, text, self.dump == Dump::Crash),
            // powerpc prints it last, after the registers of the interrupted code.
            Record::CodeBelow(text) => self.code(line, text, true),
            Record::Listed(listed) => self.listed(listed),
            Record::Words(text) => {
                let unread = self.processor.words(text);
                self.unread(line, unread);
            }
            Record::Cpu(cpu) => self.cpu(line, &cpu),
            Record::Pid(pid) => self.pid(line, &pid),
            Record::Taint(taint) if self.report.kernel.tainted.is_none() => {
                self.taint(line, taint);
            }
            Record::Hardware(name) => {
                self.report.kernel.hardware.get_or_insert_with(|| line.own(name));
            }
            // Below the owner of a lock it is the work queue of the owner.
            Record::Workqueue(queue, function) if self.next.is_none() => {
                self.workqueue(line, queue, function);
            }
            Record::WorkFunction(place) => {
                self.accused.get_or_insert_with(|| frame(line, &place));
            }
            Record::Blocker(blocker) => self.blocker(line, &blocker),
            Record::Starved => {
                self.close_stack();
                self.next = Some(Role::Starved);
            }
            Record::Modules(list) => self.modules(line, list),
            Record::Access(found) => self.accessed(found),
            Record::Object(fact, rest) => self.object(line, fact, rest),
            Record::Shadow(shadow) => self.shadow(&shadow),
            Record::StackFrame(offset) => self.stack_frame(offset),
            Record::Local(start, end, name) => self.local_variable(line, (start, end, name)),
            Record::PageFault(fault) => self.fault(fault),
            Record::ErrorCode(fault) if self.report.access.is_some() => self.fault(fault),
            Record::FailingAddress(failing) => {
                let access = self.report.access.get_or_insert_default();
                access.address.get_or_insert(address(failing));
            }
            Record::EndTrace => {
                self.close_stack();
                self.ended = true;
            }
            Record::Rule | Record::Cut | Record::Epilogue => self.close_stack(),
            Record::KernelOffset(offset) => {
                self.report.kernel.offset = Some(Address::new(offset));
                self.close_stack();
            }
            Record::Page(fact) => {
                self.part_begins();
                self.page(line, fact);
            }
            Record::PageTable(table) => {
                self.part_begins();
                self.page_table(&table);
            }
            Record::Section(_) | Record::Interrupt(_) => self.part_begins(),
            Record::Malformed(malformed) => self.malformed(line, &malformed),
            Record::Known | Record::Text(_)
                if self.report.access.is_some() && access::is_denied(&line.text) =>
            {
                self.report.access.get_or_insert_default().denied = true;
            }
            Record::Text(_) if self.asks_for_sentence(&line.text) => {
                self.sentence(line);
            }
            Record::Taint(_)
            | Record::Workqueue(..)
            | Record::ErrorCode(_)
            | Record::Blank
            | Record::Known
            | Record::Text(_) => {}
        }
    }

    /// Ends the stack above a part; any line may be between the instruction pointer and the trace
    /// below it.
    fn part_begins(&mut self) {
        if self.traced || self.is_in_history() {
            self.close_stack();
        }
    }

    fn begin(&mut self, line: &Line<'log>) {
        self.at = line.start;
        if line.is_cut {
            self.leave_out(ReportPart::Line, DiagnosticKind::TooLong);
        }
    }

    fn malformed(&mut self, line: &Line<'log>, malformed: &Malformed<'_>) {
        let is_known = malformed.what == Tag::Cpu && self.printer.is_some();
        if !is_known {
            self.complain(line, malformed.rest, malformed.what.part(), malformed.why);
        }
    }

    /// Adds the address and the place in the headline.
    pub(super) fn headline(&mut self, line: &Line<'log>, read: &Headline<'_>) {
        self.begin(line);
        self.start = line.start;
        if let Some(fault) = read.fault {
            self.fault(fault);
        }
        if access::is_denied_in_headline(&line.text) {
            self.report.access.get_or_insert_default().denied = true;
        }
        if read.is_free {
            self.report.access.get_or_insert_default().kind.get_or_insert(AccessKind::Free);
        }
        if let Some(found) = read.address {
            let access = self.report.access.get_or_insert_default();
            access.address.get_or_insert(address(found));
        }
        if let Some(place) = read.place {
            self.headline.push(frame(line, &place));
        }
        if self.report.headline.is_empty() {
            self.report.headline = line.own(line.text.trim_ascii());
        }
        if let Some((file, number)) = read.location {
            let location = || SourceLocation { file: line.own(file), line: number };
            self.report.location.get_or_insert_with(location);
        }
        self.finding_of_headline(line);
        if let Ok((_, (at, size))) = leak::object(&line.text) {
            self.leak(at, size);
        }
        if let Some(who) = who::subject(&line.text) {
            self.naming.subject(&mut self.report.task, line, who);
            self.report.seconds = self.report.seconds.or(who.seconds);
        } else if let Some(who) = who::mention(&line.text) {
            self.naming.mention(&mut self.report.task, line, who);
            self.report.seconds = self.report.seconds.or(who.seconds);
        }
    }

    /// Adds the task and the kernel in a line of any kind.
    fn mention(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if self.ended {
            return;
        }
        let is_other = matches!(
            record,
            Record::Text(_) | Record::Section(_) | Record::Access(_) | Record::State(_)
        );
        if is_other && self.naming.is_open(&self.report.task) {
            if let Some(who) = who::line(&line.text) {
                self.naming.mention(&mut self.report.task, line, who);
            }
            if self.report.kernel.release.is_none()
                && let Some(taint) = who::kernel(&line.text)
            {
                self.taint(line, taint);
            }
        }
    }

    /// Adds a line above a stack, with its first frame if it has one: `Freed in f+0x1/0x2 age=0`.
    fn stack_line(&mut self, line: &Line<'log>, read: &StackStart<'_>) {
        let role = role(read.start);
        match read.start {
            Start::CallTrace => self.machines = self.machines.and(evidence::UPPER_TRACE),
            Start::Calltrace => self.machines = self.machines.and(evidence::LOWER_TRACE),
            _ => {}
        }
        self.ended &= !read.start.is_behind_end();
        self.stack_start(role);
        if let Some(task) = read.task {
            let memory = self.report.memory.get_or_insert_default();
            let place =
                if role == Role::Free { &mut memory.freed_by } else { &mut memory.allocated_by };
            place.get_or_insert(task);
        }
        if let Some(lock) = read.lock {
            self.lock(line, &lock);
        }
        if let Some(place) = read.place {
            self.push(frame(line, &place));
        }
        self.is_headed = read.place.is_some();
    }

    /// Starts a stack. The crash has one trace; the other stacks have other roles.
    fn stack_start(&mut self, role: Role) {
        self.context = None;
        if self.ended && !self.aftermath {
            return;
        }
        if let Some(next) = self.next.take() {
            self.close_stack();
            self.stack = Some(self.stack_here(next));
            return;
        }
        let mut role = if self.aftermath && self.traced { Role::Consequence } else { role };
        if role == Role::Crash {
            let is_open = self.stack.as_ref().is_some_and(|stack| stack.role == Role::Crash);
            if !std::mem::replace(&mut self.traced, true) && is_open {
                // The instruction pointer is printed before the trace, and is its first frame.
                return;
            }
            let all = self.report.stacks.iter().chain(&self.stack);
            if all.map(|stack| stack.role).any(|role| role == Role::Crash) {
                role = Role::Consequence;
            }
        }
        self.close_stack();
        self.stack = Some(self.stack_here(role));
    }

    /// Returns an empty stack that begins on the current line.
    fn stack_here(&self, role: Role) -> Stack<'log> {
        Stack { role, frames: Vec::with_capacity(ROOM), offset: self.at }
    }

    fn mark(&mut self, name: &[u8]) {
        self.context = match name {
            b"TASK" => Some(StackContext::Task),
            b"IRQ" => Some(StackContext::Irq),
            b"SOFTIRQ" => Some(StackContext::Softirq),
            b"NMI" => Some(StackContext::Nmi),
            name if name.starts_with(b"#") => Some(StackContext::Exception),
            _ => None,
        };
    }

    fn entry(&mut self, line: &Line<'log>, place: &Place<'_>) {
        if place.callee.is_some() {
            self.machines = self.machines.and(evidence::BOTH_ENDS);
        }
        // A stack without a headline is that of the crash, such as the first one of KMSAN.
        let is_headless = self.pointed || place.callee.is_some();
        if (is_headless || !self.headline.is_empty())
            && self.stack.is_none()
            && !self.traced
            && !self.ended
        {
            self.stack_start(Role::Crash);
            self.headless = is_headless;
        }
        if self.pointed && self.stack.as_ref().is_some_and(|stack| stack.role == Role::Crash) {
            self.traced = true;
        }
        let is_first = self.stack.as_ref().is_some_and(|stack| stack.frames.is_empty());
        if let Some(callee) = place.callee.filter(|_| is_first) {
            self.push(Frame { reliable: true, ..named(line, callee) });
        }
        // Some traces repeat the instruction pointer as their first frame.
        let frame = frame(line, place);
        if self.pointed && place.callee.is_none() && self.repeats_pointer(&frame) {
            return;
        }
        if self.returns && self.is_crash(&frame) {
            return self.set_reporting_apart();
        }
        // The line above the stack may contain its first frame: print_track() in mm/slub.c.
        if self.is_headed && is_first_of(self.stack.as_ref(), &frame) {
            self.is_headed = false;
            return;
        }
        self.is_headed = false;
        self.push(frame);
    }

    /// Returns whether a frame repeats the instruction pointer above the trace.
    fn repeats_pointer(&self, frame: &Frame<'log>) -> bool {
        let last = self.stack.as_ref().and_then(|stack| stack.frames.last());
        last.is_some_and(|last| {
            last.exact && (&last.function, last.offset) == (&frame.function, frame.offset)
        })
    }

    fn push(&mut self, mut frame: Frame<'log>) {
        frame.context = self.context;
        let Some(stack) = &mut self.stack else { return };
        if self.frames < self.limits.frames {
            self.frames += 1;
            stack.frames.push(frame);
        } else {
            self.leave_too_many(ReportPart::Frames);
        }
    }

    fn pointer(&mut self, line: &Line<'log>, read: &Pointer<'_>) {
        let Pointer { arch, selector, place, rest, .. } = *read;
        // Two architectures may print the same rows of registers; the instruction pointer decides.
        let is_open = self.processor.arch.is_none_or(|known| known.shares_rows(arch));
        self.processor.arch = if is_open { Some(arch) } else { self.processor.arch };
        if self.ended || selector.is_some_and(arch.info().is_user) {
            self.dump = Dump::Other;
            return;
        }
        // ARM and RISC-V print the address on a separate line, with other registers behind it.
        if self.pointed && !self.traced && place.function.is_none() {
            if let Some(frame) = self.stack.as_mut().and_then(|stack| stack.frames.last_mut()) {
                frame.address = frame.address.or(place.address.map(address));
            }
            return self.more_registers(line, rest);
        }
        let frame = Frame { exact: true, ..frame(line, &place) };
        if self.pointed && self.is_crash(&frame) {
            return;
        }
        if frame.inline {
            return self.inlined.push(Frame { exact: false, ..frame });
        }
        // In the report of a checker, only a pointer above the trace is that of the crash.
        if !self.pointed && (self.trap || (!self.traced && self.stack.is_none())) {
            self.pointed = true;
            self.dump = Dump::Crash;
            // The frames above it are the code that reported the crash.
            if let Some(stack) = &mut self.stack {
                stack.role = Role::Reporting;
            }
            self.close_stack();
            self.stack = Some(self.stack_here(Role::Crash));
            if self.inlined.is_empty() {
                self.inlined = self.inlined_in_headline(&frame);
            }
        } else {
            self.dump = Dump::Other;
        }
        for frame in std::mem::take(&mut self.inlined).into_iter().chain([frame]) {
            self.push(frame);
        }
        if !arch.info().names_pointer {
            self.more_registers(line, rest);
        }
    }

    /// Returns whether this is a repetition of the crash's instruction pointer.
    fn is_crash(&self, frame: &Frame<'log>) -> bool {
        let pointer = |stack: &Stack<'log>| {
            stack.role == Role::Crash
                && stack.frames.iter().find(|frame| frame.exact).is_some_and(|first| {
                    let is_known = frame.function.is_some() || frame.address == first.address;
                    is_known && (&first.function, first.offset) == (&frame.function, frame.offset)
                })
        };
        self.stack.iter().chain(&self.report.stacks).any(pointer)
    }

    /// Returns the inlined functions of the headline, if it has the same address.
    fn inlined_in_headline(&self, frame: &Frame<'log>) -> Vec<Frame<'log>> {
        match self.headline.split_last() {
            Some((last, inlined))
                if (&last.function, last.offset) == (&frame.function, frame.offset) =>
            {
                inlined.to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// Adds the link register: the return address of a function that may be a leaf.
    fn link(&mut self, line: &Line<'log>, read: &Link<'_>) {
        if self.dump != Dump::Crash || self.ended {
            return;
        }
        match read.place {
            Some(place) => {
                self.report.link.get_or_insert_with(|| frame(line, &place));
            }
            None => self.more_registers(line, read.line),
        }
    }

    /// Returns whether registers are those of the crash.
    fn takes_registers(&mut self) -> bool {
        self.processor.skip();
        self.dump == Dump::Crash && !self.ended
    }

    fn registers(&mut self, line: &Line<'log>, read: Registers<'_>) {
        if self.takes_registers() {
            let unread = self.processor.registers(read);
            self.unread(line, unread);
        }
    }

    /// Adds registers from a part of a line.
    fn more_registers(&mut self, line: &Line<'log>, text: &[u8]) {
        if self.takes_registers() {
            let unread = self.processor.rest(text);
            self.unread(line, unread);
        }
    }

    fn code(&mut self, line: &Line<'log>, text: &[u8], is_of_crash: bool) {
        self.processor.skip();
        if is_of_crash && !self.ended {
            let unread = self.processor.code(text);
            self.unread(line, unread);
        }
    }

    fn listed(&mut self, listed: Listed<'_>) {
        let takes = self.dump == Dump::Crash && !self.ended;
        if takes && !self.processor.listed(listed) {
            self.leave_too_many(ReportPart::CodeBytes);
        }
    }

    /// Adds a diagnostic for a part of a line, from `rest` on, that could not be read.
    fn complain(&mut self, line: &Line<'log>, rest: &[u8], part: ReportPart, kind: DiagnosticKind) {
        if self.report.diagnostics.len() < MAX_DIAGNOSTICS {
            self.report.diagnostics.push(Diagnostic::new(line.offset_of(rest), part, kind));
        } else {
            self.leave_too_many(ReportPart::Diagnostics);
        }
    }

    /// Adds a diagnostic, once, for a list that is longer than its limit.
    fn leave_too_many(&mut self, part: ReportPart) {
        self.leave_out(part, DiagnosticKind::TooMany);
    }

    /// Adds a diagnostic, once, for the part that is left out from this line on.
    pub(super) fn leave_out(&mut self, part: ReportPart, kind: DiagnosticKind) {
        let is_known = |known: &Diagnostic| (known.part, known.kind) == (part, kind);
        if !self.report.diagnostics.iter().any(is_known) {
            self.report.diagnostics.push(Diagnostic::new(self.at, part, kind));
        }
    }

    fn unread(&mut self, line: &Line<'log>, unread: Unread<'_>) {
        if let Some((rest, part, kind)) = unread {
            self.complain(line, rest, part, kind);
        }
    }

    fn close_stack(&mut self) {
        let Some(mut stack) = self.stack.take().filter(|stack| !stack.frames.is_empty()) else {
            return;
        };
        if self.report.stacks.len() < MAX_STACKS {
            // The capacity for most stacks is allocated at once; unused capacity is released.
            if stack.frames.len() < stack.frames.capacity() / 2 {
                stack.frames.shrink_to_fit();
            }
            self.report.stacks.push(stack);
        } else {
            self.leave_too_many(ReportPart::Stacks);
        }
    }

    /// Whether a stack was printed with a function.
    pub(super) fn has_stack(&self) -> bool {
        let mut frames =
            self.report.stacks.iter().chain(&self.stack).flat_map(|stack| &stack.frames);
        frames.any(|frame| frame.function.is_some())
    }

    /// Adds the frames in the headline of a warning to the stack below it, if that begins at their
    /// caller: authors of fixes leave out the line with the instruction pointer and the registers.
    fn restore(&mut self) -> bool {
        let has_room = self.frames + self.headline.len() <= self.limits.frames;
        let is_one = self.headline.iter().filter(|frame| !frame.inline).count() == 1;
        let is_cut = self.trap && !self.pointed && has_room && is_one;
        let Some(last) = self.headline.last_mut().filter(|last| is_cut && last.offset.is_some())
        else {
            return false;
        };
        let Some(name) = last.function.as_deref().map(functions::base) else { return false };
        let stack = self.report.stacks.iter_mut().find(|stack| stack.role == Role::Crash);
        let is_it = |frame: &Frame<'_>| {
            frame.function.as_deref().is_some_and(|function| functions::base(function) == name)
        };
        let Some(stack) = stack.filter(|stack| !stack.frames.iter().any(is_it)) else {
            return false;
        };
        last.exact = true;
        drop(stack.frames.splice(..0, std::mem::take(&mut self.headline)));
        true
    }

    /// Ends the report below its last line.
    pub(super) fn finish(mut self) -> Built<'log> {
        self.close_stack();
        let named = self.headline.last().cloned();
        // A warning without a dump: the headline has the only place.
        let known = self.report.stacks.iter().any(|stack| stack.role == Role::Crash);
        if !known && !self.headline.is_empty() {
            let room = self.limits.frames.saturating_sub(self.frames).max(1);
            if self.headline.len() > room {
                self.headline.drain(..self.headline.len() - room);
                self.leave_too_many(ReportPart::Frames);
            }
            if let Some(last) = self.headline.last_mut() {
                last.exact = self.trap;
            }
            let frames = std::mem::take(&mut self.headline);
            self.report.stacks.insert(0, Stack { role: Role::Crash, frames, offset: self.start });
        }
        let is_restored = self.restore();
        let machines = self.machines;
        self.processor.arch = self.processor.arch.or_else(|| machine::of(&self.report, machines));
        self.report.kernel.arch = self.processor.arch;
        let access = self.report.access.as_mut();
        (self.report.registers, self.report.code) = self.processor.finish(access);
        contention::complete(&mut self.report);
        let report = &mut self.report;
        if let (Some(access), Some(arch)) = (&mut report.access, report.kernel.arch) {
            let cause = (arch.info().fault)(&|register| report.registers.get(register));
            access.kind = access.kind.or(cause.map(memory::kind_of));
        }
        Built {
            report: self.report,
            headless: self.headless,
            named,
            is_restored,
            sentence: self.sentence,
            accused: self.accused.and_then(aside::accuse),
        }
    }
}
