//! From the lines of one report to the model.

use std::borrow::Cow;

use super::class::Class;
use super::context;
use super::dump::{Processor, Unread};
use super::facts::Facts;
use super::limits::Limits;
use super::region::Region;
use crate::arch;
use crate::blame;
use crate::grammar::token::Hex;
use crate::grammar::trace::Place;
use crate::grammar::{access, kasan, kcsan, lock, task, trace};
use crate::line::Line;
use crate::model::{
    AccessKind, Address, Context, Diagnostic, Executor, Frame, Lock, LockState, Memory, Module,
    Object, Report, Role, Shadow, Side, Stack,
};
use crate::span::Span;
use crate::title;
use crate::words;

/// The most diagnostics that a report keeps: a broken console breaks every line alike.
const MAX_DIAGNOSTICS: usize = 32;

/// The most stacks; lockdep's longest chains have fewer.
const MAX_STACKS: usize = 128;

/// The most locks; lockdep's own limit for one task is 48, and hung tasks list those of all.
const MAX_LOCKS: usize = 256;

/// The most modules that are listed.
const MAX_MODULES: usize = 1024;

/// The most lines of shadow memory that are kept; a kernel prints five.
const MAX_SHADOW: usize = 16;

/// What is said of a list that is longer than its limit.
const TOO_MANY: &str = "too many: the rest was left out";

/// Builds the report of a region; `after` gives the lines of its context that stand below it.
pub(super) fn report<'log>(
    region: &Region<'log>,
    after: impl FnOnce() -> Vec<Line<'log>>,
    facts: Facts,
) -> Report<'log> {
    let text = title::text(&region.lines);
    let mut title = title::name(region.marker, &text);
    let guilty_file = text.guilty_file(&title.title);
    if title.corrupted.is_some() {
        let after = after();
        if !after.is_empty() {
            let more: Vec<_> = region.lines.iter().cloned().chain(after).collect();
            let other = title::name(region.marker, &title::text(&more));
            title = if other.corrupted.is_none() { other } else { title };
        }
    }
    let span = Span { start: region.start(), end: region.end, line: region.opening.line };
    let mut build = Builder::new(Report::new(title.kind, span), title.trap, region.limits);
    let mut consequences = region.consequences.iter().peekable();
    let own = region.lines.iter().zip(&region.classes).take(region.len);
    for (index, (line, &class)) in own.enumerate() {
        if let Some((_, marker)) = consequences.next_if(|(at, _)| *at == index) {
            let lines = region.lines.get(index..region.len).unwrap_or_default();
            build.consequence(&title::title(marker, &title::text(lines)), &title.title);
        }
        build.line(line, class);
    }
    if region.ended_early {
        build.leave_out("report", "too many at the same time: it may go on");
    }

    let headless = build.headless;
    let mut report = build.finish();
    report.title = title.title;
    report.alt_titles = title.alternatives;
    report.class = title.class.map(Cow::Borrowed);
    report.frame = title.frame;
    report.guilty_file = guilty_file;
    report.blame = blame::blame(&report);
    report.panicked = facts.panicked;
    report.suppressed = facts.suppressed;
    if facts.executors {
        let own = || region.lines.iter().find_map(|line| title::executor(&line.text));
        let executor = region.opening.executor.or_else(own);
        report.executor = executor.map(|(proc, id)| Executor { proc, id });
    }
    report.message = context::message(region);
    report.corrupted = if region.cut {
        Some(Cow::Borrowed("too many lines: the rest was left out"))
    } else if let Some(why) = title.corrupted {
        // The convention looks for traces by the words that head them; the model knows better.
        let is_whole = !title.mixed && report.blame.is_some() && has_whole_stack(&report, headless);
        (!is_whole).then_some(Cow::Borrowed(why))
    } else if facts.disconnected {
        Some(Cow::Borrowed("the console was lost"))
    } else {
        report.corrupted
    };
    report
}

/// Whether the lines below a region may tell what it is: see [`context::after`].
pub(super) fn asks_for_more(region: &Region<'_>) -> bool {
    let is_cut = || title::name(region.marker, &title::text(&region.lines)).corrupted.is_some();
    context::has_more(region) && is_cut()
}

/// Whether the stack of the crash has enough frames to be whole, and begins where it must: with
/// the instruction pointer, or without a headline as ARM's does.
fn has_whole_stack(report: &Report<'_>, headless: bool) -> bool {
    report.crash_stack().is_some_and(|stack| {
        (headless || stack.frames.iter().any(|frame| frame.exact))
            && stack.frames.iter().filter(|frame| frame.function.is_some()).count() >= WHOLE_STACK
    })
}

/// The frames that a whole stack has at the least: the syscall or thread, and what it runs.
const WHOLE_STACK: usize = 4;

/// What is said of a report that another CPU printed into.
const MIXED: &str = "lines of another report are mixed in";

/// How many lines below a `CPU:` line a second one is another report's.
const MIXED_WITHIN: usize = 3;

/// Where registers and code bytes go that are read next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Dump {
    /// They are those of the crash.
    Crash,
    /// They are those of user mode, of an interrupted task, or come a second time.
    Other,
}

/// Builds a report line by line.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
struct Builder<'log> {
    report: Report<'log>,
    limits: Limits,
    /// Offset in the log of the line that is read.
    at: usize,
    /// Whether the first instruction pointer of the kernel is that of the crash.
    trap: bool,
    /// The stack that frames go to; it is added to the report when the next one begins.
    stack: Option<Stack<'log>>,
    /// Whether the crash's own call trace has begun.
    traced: bool,
    /// Whether the instruction pointer of the crash is known.
    pointed: bool,
    /// The inlined functions of an instruction pointer whose own line is still to come.
    inlined: Vec<Frame<'log>>,
    /// The frames that the headline names.
    headline: Vec<Frame<'log>>,
    dump: Dump,
    /// Lines since the first `CPU:` line.
    below_cpu: usize,
    /// Registers and code.
    processor: Processor,
    context: Option<Context>,
    frames: usize,
    /// Whose locks are being listed.
    holder: Option<u64>,
    /// Whether the report was at its end: what comes now comes a second time.
    ended: bool,
    /// Whether this is what the report led to.
    aftermath: bool,
    /// Whether the call trace has no headline.
    headless: bool,
}

impl<'log> Builder<'log> {
    fn new(report: Report<'log>, trap: bool, limits: Limits) -> Self {
        Self {
            report,
            limits,
            at: 0,
            trap,
            stack: None,
            traced: false,
            pointed: false,
            inlined: Vec::new(),
            headline: Vec::new(),
            // Registers before any instruction pointer are only printed with the crash.
            dump: if trap { Dump::Crash } else { Dump::Other },
            below_cpu: 0,
            processor: Processor::default(),
            context: None,
            frames: 0,
            holder: None,
            ended: false,
            aftermath: false,
            headless: false,
        }
    }

    /// What follows was caused by the report, whose own title is `known`.
    fn consequence(&mut self, title: &str, known: &str) {
        // The function is that of the report, and the frames below it may be missing here.
        let title = title.strip_suffix(" in corrupted").unwrap_or(title);
        if title != known {
            self.report.consequences.push(title.to_owned());
        }
        self.aftermath = true;
    }

    /// Takes one line.
    fn line(&mut self, line: &Line<'log>, class: Class) {
        self.below_cpu += 1;
        self.at = line.start;
        if line.is_cut {
            self.leave_out("line", "too long: the rest was left out");
        }
        match class {
            Class::Headline => self.headline(line),
            Class::Stack(role) => {
                self.stack_start(role);
                if role == Role::Chain {
                    self.lock(line);
                }
                // SLUB begins a stack on its headline: `Freed in f+0x1/0x2 age=0 cpu=0 pid=95`.
                let place = words::find(&line.text, " in ").and_then(|at| line.text.get(at + 4..));
                if let Some((_, place)) = place.and_then(|text| trace::place(text).ok()) {
                    self.push(frame(line, &place));
                }
            }
            Class::Track(role) => self.track(role, line),
            Class::Race => self.race(line),
            Class::Lock => self.lock(line),
            Class::Mark => self.mark(&line.text),
            Class::Entry => self.entry(line),
            Class::Pointer => self.pointer(line),
            Class::Link => self.link(line),
            Class::Registers => self.registers(line, &line.text),
            Class::Code => self.code(line),
            Class::Listed if self.dump == Dump::Crash && !self.ended => {
                if !self.processor.listed(&line.text) {
                    self.leave_out("code bytes", TOO_MANY);
                }
            }
            Class::Words => {
                let unread = self.processor.words(&line.text);
                self.unread(line, unread);
            }
            Class::Cpu => self.cpu(line),
            Class::Taint if self.report.kernel.tainted.is_none() => {
                let (flags, release) = task::taint(&line.text);
                self.taint(line, flags, release);
            }
            Class::Hardware => {
                let name = after(&line.text, b"Hardware name:").trim_ascii();
                self.report.kernel.hardware.get_or_insert_with(|| line.own(name));
            }
            Class::Workqueue => {
                if let Ok((_, (queue, function))) =
                    task::workqueue(after(&line.text, b"Workqueue:").trim_ascii_start())
                {
                    self.workqueue(line, queue, function);
                }
            }
            Class::Modules => self.modules(line),
            Class::Access => self.access(line),
            Class::Object => self.object(line),
            Class::Shadow => self.shadow(line),
            Class::PageFault => {
                let text = line.text.trim_ascii_start();
                let fault = access::page_fault(text).or_else(|_| access::data_abort(text));
                if let Ok((_, fault)) = fault {
                    self.fault(fault);
                } else if let Ok((_, failing)) = access::failing_address(text) {
                    let access = self.report.access.get_or_insert_default();
                    access.address.get_or_insert(address(failing));
                }
            }
            Class::Oops => {
                if let Ok((_, fault)) = access::error_code(line.text.trim_ascii_start())
                    && self.report.access.is_some()
                {
                    self.fault(fault);
                }
            }
            Class::End => {
                self.close_stack();
                self.ended = true;
            }
            Class::Rule | Class::Cut => self.close_stack(),
            Class::Epilogue => {
                if let Ok((_, offset)) = task::kernel_offset(line.text.trim_ascii_start()) {
                    self.report.kernel.offset = Some(Address::new(offset));
                }
                self.close_stack();
            }
            // Between the instruction pointer and the trace below it there may be anything.
            Class::Detail if self.traced => self.close_stack(),
            Class::Blank | Class::Other | Class::Detail | Class::Taint | Class::Listed => {}
        }
    }

    /// The headline may name an address, and where the code was.
    fn headline(&mut self, line: &Line<'log>) {
        if access::is_fetch(&line.text) {
            self.report.access.get_or_insert_default().kind.get_or_insert(AccessKind::Execute);
        }
        if let Some(fault) = access::direction(&line.text) {
            self.fault(fault);
        }
        if access::is_free(&line.text) {
            self.report.access.get_or_insert_default().kind.get_or_insert(AccessKind::Free);
        }
        if let Some(address) = access::address(&line.text) {
            self.report
                .access
                .get_or_insert_default()
                .address
                .get_or_insert(self::address(address));
        }
        if let Some(place) = headline_place(&line.text) {
            self.headline.push(frame(line, &place));
        }
    }

    /// The crash has one instruction pointer and one trace; more stacks have other roles.
    fn stack_start(&mut self, role: Role) {
        self.context = None;
        if self.ended && !self.aftermath {
            return;
        }
        let mut role = if self.aftermath && self.traced { Role::Consequence } else { role };
        if role == Role::Crash {
            let is_open = self.stack.as_ref().is_some_and(|stack| stack.role == Role::Crash);
            if !std::mem::replace(&mut self.traced, true) && is_open {
                // The instruction pointer stands before the trace that it is the first frame of.
                return;
            }
            let all = self.report.stacks.iter().chain(&self.stack);
            if all.map(|stack| stack.role).any(|role| role == Role::Crash) {
                role = Role::Consequence;
            }
        }
        self.close_stack();
        self.stack = Some(Stack { role, frames: Vec::new() });
    }

    fn track(&mut self, role: Role, line: &Line<'log>) {
        self.stack_start(role);
        if let Ok((_, task)) = kasan::track(line.text.trim_ascii_start()) {
            let memory = self.report.memory.get_or_insert_default();
            let place =
                if role == Role::Free { &mut memory.freed_by } else { &mut memory.allocated_by };
            place.get_or_insert(task);
        }
    }

    /// An access of a data race: the first is told of, the other is what it raced with.
    fn race(&mut self, line: &Line<'log>) {
        let Ok((_, found)) = kcsan::access(line.text.trim_ascii_start()) else { return };
        let is_first = !std::mem::replace(&mut self.traced, true);
        self.stack_start(if is_first { Role::Crash } else { Role::Race });
        if is_first {
            self.accessed(found);
        }
    }

    /// A lock of the report itself, of a chain, or of the list of those that a thread holds.
    fn lock(&mut self, line: &Line<'log>) {
        if let Some(pid) = lock::holder(&line.text) {
            self.holder = Some(pid);
            return;
        }
        let Some(found) = lock::lock(&line.text) else { return };
        // An inlined function stands on a line of its own before the one that holds it.
        if line.text.ends_with(b"[inline]") {
            return;
        }
        if self.report.locks.len() >= MAX_LOCKS {
            return self.leave_out("locks", TOO_MANY);
        }
        let state = match (line.text.trim_ascii_start(), found.index) {
            ([b'-', b'>', ..], _) => LockState::Chain,
            (_, None) if self.report.locks.is_empty() => LockState::Wanted,
            _ => LockState::Held,
        };
        self.report.locks.push(Lock {
            class: line.own(found.class),
            state,
            holder: self.holder.filter(|_| found.index.is_some()),
            function: found.place.and_then(|place| place.function).map(|name| line.own(name)),
        });
    }

    fn mark(&mut self, text: &[u8]) {
        let Ok((_, name)) = trace::context_marker(text.trim_ascii_start()) else { return };
        self.context = match name {
            b"TASK" => Some(Context::Task),
            b"IRQ" => Some(Context::Irq),
            b"SOFTIRQ" => Some(Context::Softirq),
            b"NMI" => Some(Context::Nmi),
            name if name.starts_with(b"#") => Some(Context::Exception),
            _ => None,
        };
    }

    fn entry(&mut self, line: &Line<'log>) {
        let Ok((_, place)) = trace::entry(&line.text) else { return };
        // A stack without a headline is that of the crash: KMSAN's stands below the place it names.
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
            let function = Some(line.own(callee));
            self.push(Frame { function, reliable: true, ..Frame::default() });
        }
        // The instruction pointer begins some traces once more.
        let frame = frame(line, &place);
        if self.pointed && place.callee.is_none() && self.repeats_pointer(&frame) {
            return;
        }
        self.push(frame);
    }

    /// Whether a frame is that of the instruction pointer, which stands before it.
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
            self.leave_out("frames", TOO_MANY);
        }
    }

    fn pointer(&mut self, line: &Line<'log>) {
        let Some((arch, rest)) = arch::pointer(line.text.trim_ascii_start()) else { return };
        let Ok((tail, (selector, place))) = trace::pointer(rest) else {
            return self.complain(line, rest, "instruction pointer", "no symbol and no address");
        };
        self.processor.arch.get_or_insert(arch);
        if self.ended || selector.is_some_and(arch.info().is_user) {
            self.dump = Dump::Other;
            return;
        }
        // ARM and RISC-V print the address on a line of its own, with other registers behind it.
        if self.pointed && !self.traced && place.function.is_none() {
            if let Some(frame) = self.stack.as_mut().and_then(|stack| stack.frames.last_mut()) {
                frame.address = frame.address.or(place.address.map(address));
            }
            return self.registers(line, tail);
        }
        let frame = Frame { exact: true, ..frame(line, &place) };
        if self.pointed && self.is_crash(&frame) {
            return;
        }
        if frame.inline {
            return self.inlined.push(Frame { exact: false, ..frame });
        }
        // Where a checker was called, a pointer above the trace is its own; one in it is not.
        if !self.pointed && (self.trap || (!self.traced && self.stack.is_none())) {
            self.pointed = true;
            self.dump = Dump::Crash;
            // What was traced up to here is how the kernel came to report it.
            if let Some(stack) = &mut self.stack {
                stack.role = Role::Reporting;
            }
            self.close_stack();
            self.stack = Some(Stack { role: Role::Crash, frames: Vec::new() });
            if self.inlined.is_empty() {
                self.inlined = self.inlined_in_headline(&frame);
            }
        } else {
            self.dump = Dump::Other;
        }
        for inlined in std::mem::take(&mut self.inlined) {
            self.push(inlined);
        }
        self.push(frame);
    }

    /// Whether this is the instruction pointer of the crash once more.
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

    /// The inlined functions of the headline, if it tells of the same place.
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

    /// The return address of a function that may not have called anything yet.
    fn link(&mut self, line: &Line<'log>) {
        let Some((_, rest)) = arch::link(line.text.trim_ascii_start()) else { return };
        if self.dump != Dump::Crash || self.ended {
            return;
        }
        match trace::pointer(rest) {
            Ok((_, (_, place))) if place.function.is_some() => {
                self.report.link.get_or_insert(frame(line, &place));
            }
            _ => self.registers(line, &line.text),
        }
    }

    /// Takes registers from a part of a line.
    fn registers(&mut self, line: &Line<'log>, text: &[u8]) {
        self.processor.skip();
        if self.dump == Dump::Crash && !self.ended {
            let unread = self.processor.registers(text);
            self.unread(line, unread);
        }
    }

    fn code(&mut self, line: &Line<'log>) {
        self.processor.skip();
        if !self.ended {
            let unread = self.processor.code(&line.text, self.dump == Dump::Crash);
            self.unread(line, unread);
        }
    }

    fn cpu(&mut self, line: &Line<'log>) {
        let text = line.text.trim_ascii_start();
        let Ok((_, cpu)) = task::cpu(text) else {
            if self.report.task.pid.is_none() {
                self.complain(line, text, "CPU line", "no CPU, PID and Comm");
            }
            return;
        };
        if let Some(pid) = self.report.task.pid {
            // Each such line has a trace below it: two in a row are those of two reports.
            let is_other = (pid, self.report.task.cpu) != (cpu.pid, Some(cpu.cpu));
            if is_other && self.below_cpu <= MIXED_WITHIN && !self.aftermath {
                self.complain(line, text, "CPU line", MIXED);
                self.report.corrupted = Some(Cow::Borrowed(MIXED));
            }
            return;
        }
        self.below_cpu = 0;
        self.report.task.cpu = Some(cpu.cpu);
        self.report.task.pid = Some(cpu.pid);
        self.report.task.comm = Some(line.own(cpu.comm));
        self.report.kernel.build_id = cpu.build_id.map(|id| line.own(id));
        self.taint(line, cpu.tainted, cpu.release);
    }

    fn taint(&mut self, line: &Line<'log>, flags: Option<&[u8]>, release: Option<&[u8]>) {
        self.report.kernel.tainted = flags.map(|flags| line.own(flags));
        self.report.kernel.release = release.map(|release| line.own(release));
    }

    fn workqueue(&mut self, line: &Line<'log>, queue: &[u8], function: Option<&[u8]>) {
        let mut text = line.own(queue);
        if let Some(function) = function {
            text.to_mut().push(' ');
            text.to_mut().push_str(&line.own(function));
        }
        self.report.task.workqueue.get_or_insert(text);
    }

    fn modules(&mut self, line: &Line<'log>) {
        if !self.report.modules.is_empty() {
            return;
        }
        // `[last unloaded: name]` ends the list; it is loaded no more.
        let words = after(&line.text, b"Modules linked in:").split(|&b| b == b' ');
        let mut words =
            words.take_while(|word| !word.starts_with(b"[")).filter(|word| !word.is_empty());
        self.report.modules = words
            .by_ref()
            .take(MAX_MODULES)
            .map(|word| {
                let (name, flags) =
                    word.split_at(word.iter().position(|&b| b == b'(').unwrap_or(word.len()));
                let flags = flags.strip_prefix(b"(").and_then(|flags| flags.strip_suffix(b")"));
                Module { name: line.own(name), flags: flags.map(|flags| line.own(flags)) }
            })
            .collect();
        if words.next().is_some() {
            self.leave_out("modules", TOO_MANY);
        }
    }

    fn access(&mut self, line: &Line<'log>) {
        let text = line.text.trim_ascii_start();
        match kasan::access(text) {
            Ok((_, found)) => self.accessed(found),
            Err(_) => self.complain(line, text, "access", "no size and no address"),
        }
    }

    fn accessed(&mut self, found: kasan::Access) {
        let access = self.report.access.get_or_insert_default();
        access.kind.get_or_insert(match found.what {
            kasan::What::Read => AccessKind::Read,
            kasan::What::Write => AccessKind::Write,
            kasan::What::Free => AccessKind::Free,
        });
        access.size = access.size.or(found.size);
        access.address = access.address.or(found.address.map(address));
    }

    fn fault(&mut self, fault: access::Fault) {
        let kind = match fault {
            access::Fault::Read => AccessKind::Read,
            access::Fault::Write => AccessKind::Write,
            access::Fault::Execute => AccessKind::Execute,
        };
        self.report.access.get_or_insert_default().kind.get_or_insert(kind);
    }

    fn object(&mut self, line: &Line<'log>) {
        self.close_stack();
        let mut rest: &[u8] = &line.text;
        while let Ok((tail, fact)) = kasan::object(rest) {
            let memory = self.report.memory.get_or_insert_default();
            let object = memory.object.get_or_insert_default();
            add_fact(object, &fact, line);
            rest = tail;
        }
    }

    fn shadow(&mut self, line: &Line<'log>) {
        if let Ok((_, shadow)) = kasan::shadow(&line.text) {
            let memory = self.report.memory.get_or_insert_with(Memory::default);
            if memory.shadow.len() < MAX_SHADOW {
                memory.shadow.push(Shadow {
                    address: address(shadow.address),
                    bytes: shadow.bytes.to_vec(),
                    hit: shadow.hit,
                });
            } else {
                self.leave_out("shadow", TOO_MANY);
            }
        }
    }

    /// Notes that a part of a line, from `rest` on, could not be read.
    fn complain(&mut self, line: &Line<'log>, rest: &[u8], what: &'static str, why: &'static str) {
        if self.report.diagnostics.len() < MAX_DIAGNOSTICS {
            self.report.diagnostics.push(Diagnostic::new(line.offset_of(rest), what, why));
        } else {
            self.leave_out("diagnostics", TOO_MANY);
        }
    }

    /// Notes, once, that from this line on something is left out.
    fn leave_out(&mut self, what: &'static str, why: &'static str) {
        let is_known = |known: &Diagnostic| (&*known.what, &*known.why) == (what, why);
        if !self.report.diagnostics.iter().any(is_known) {
            self.report.diagnostics.push(Diagnostic::new(self.at, what, why));
        }
    }

    fn unread(&mut self, line: &Line<'log>, unread: Unread<'_>) {
        if let Some((rest, what, why)) = unread {
            self.complain(line, rest, what, why);
        }
    }

    fn close_stack(&mut self) {
        let Some(mut stack) = self.stack.take().filter(|stack| !stack.frames.is_empty()) else {
            return;
        };
        if self.report.stacks.len() < MAX_STACKS {
            stack.frames.shrink_to_fit();
            self.report.stacks.push(stack);
        } else {
            self.leave_out("stacks", TOO_MANY);
        }
    }

    fn finish(mut self) -> Report<'log> {
        self.close_stack();
        // A warning without a dump: its headline is all that is known of the place.
        let known = self.report.stacks.iter().any(|stack| stack.role == Role::Crash);
        if !known && !self.headline.is_empty() {
            let room = self.limits.frames.saturating_sub(self.frames).max(1);
            if self.headline.len() > room {
                self.headline.drain(..self.headline.len() - room);
                self.leave_out("frames", TOO_MANY);
            }
            if let Some(last) = self.headline.last_mut() {
                last.exact = self.trap;
            }
            self.report.stacks.insert(0, Stack { role: Role::Crash, frames: self.headline });
        }
        self.report.kernel.arch = self.processor.arch;
        let access = self.report.access.as_mut();
        (self.report.registers, self.report.code) = self.processor.finish(access);
        self.report
    }
}

/// What follows `tag` on a line that begins with it.
fn after<'a>(text: &'a [u8], tag: &[u8]) -> &'a [u8] {
    let text = text.trim_ascii_start();
    text.strip_prefix(tag).unwrap_or(text)
}

fn address(hex: Hex) -> Address {
    Address::from_digits(hex.value, hex.digits)
}

/// The place that ends a headline: `… in f+0x1/0x2`, `… at file.c:1 f+0x1/0x2`, also inlined.
fn headline_place(text: &[u8]) -> Option<Place<'_>> {
    for before in [&b" in "[..], b" at "] {
        let Some(at) = memchr::memmem::rfind(text, before) else { continue };
        let rest = text.get(at + before.len()..)?;
        if let Ok((_, place)) = trace::place(rest)
            && place.function.is_some()
        {
            return Some(place);
        }
        // `WARNING: … at file.c:1 f+0x1/0x2` has the file first.
        let blank = memchr::memchr(b' ', rest)?;
        if let Ok((_, place)) = trace::place(rest.get(blank + 1..)?)
            && place.function.is_some()
        {
            return Some(place);
        }
    }
    None
}

fn frame<'log>(line: &Line<'log>, place: &Place<'_>) -> Frame<'log> {
    Frame {
        function: place.function.map(|function| line.own(function)),
        offset: place.offset.map(|(offset, _)| offset),
        size: place.offset.map(|(_, size)| size),
        module: place.module.map(|module| line.own(module)),
        build_id: place.build_id.map(|id| line.own(id)),
        address: place.address.map(address),
        exact: false,
        reliable: place.reliable,
        inline: place.inline,
        file: place.source.map(|(file, _)| line.own(file)),
        line: place.source.map(|(_, line)| line),
        column: None,
        context: None,
    }
}

fn add_fact<'log>(object: &mut Object<'log>, fact: &kasan::Object<'_>, line: &Line<'log>) {
    match *fact {
        kasan::Object::At(start) => {
            object.start.get_or_insert(address(start));
        }
        kasan::Object::Cache(name, size) => {
            object.cache.get_or_insert_with(|| line.own(name));
            object.size.get_or_insert(size);
        }
        kasan::Object::Distance(bytes, side) => {
            let side = match side {
                b"inside of" => Side::Inside,
                b"to the left of" => Side::Before,
                _ => Side::After,
            };
            object.side.get_or_insert(side);
            object.distance.get_or_insert(bytes);
        }
        kasan::Object::Region(start, end) => {
            object.start.get_or_insert(address(start));
            object.end.get_or_insert(address(end));
        }
    }
}
