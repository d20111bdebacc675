//! Reports as text, at most one screen for each.

use std::fmt::{self, Write as _};

use super::escape::escape;
pub use super::page::TextOptions;
use super::page::{DIM, LABEL, Page, TITLE, TRAP, broken};
use crate::arch::Arch;
use crate::functions::{self, FrameClass};
use crate::model::{
    Access, Code, Confidence, Corruption, Explanation, Frame, ImageVerdict, Instruction, Memory,
    PageTable, Report, Role, Side, Stack, Suspect,
};

/// The number of instructions before the trapping one, and after it.
const AROUND_TRAP: (usize, usize) = (8, 3);

/// The column of the source of a frame.
const SOURCE_COLUMN: usize = 44;

/// The suspects that are shown.
const SUSPECTS: usize = 3;

/// The width of the column of suspects; the file is behind a wider name.
const SUSPECT_COLUMN: usize = 30;

/// The frames of a stack that are shown.
const MAX_SHOWN: usize = 24;

/// The minimum number of frames that are folded into one line.
const MIN_FOLDED: usize = 2;

/// Writes a report of `file`.
///
/// Control characters in text of the log are escaped.
///
/// # Examples
///
/// ```
/// use ksplat::output::text::{self, TextOptions};
///
/// let log = b"WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0\n\
///             RIP: 0010:io_wqe_wake_worker+0x430/0x4a0\n\
///             Call Trace:\n io_wqe_enqueue+0x166/0x700\n io_queue_sqe+0x7a2/0x1240\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// let mut out = String::new();
/// text::write(&mut out, "console.log", &report, TextOptions::default())?;
/// assert!(out.starts_with("WARNING in io_wqe_wake_worker"));
/// # Ok::<(), std::fmt::Error>(())
/// ```
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(
    out: &mut impl fmt::Write,
    file: &str,
    report: &Report<'_>,
    options: TextOptions,
) -> fmt::Result {
    let mut page = Page { out, options };
    page.head(file, report)?;
    page.answer(report)?;
    page.context(report)?;
    page.stacks(report)?;
    if let Some(code) = &report.code {
        page.code(code)?;
    }
    if options.all {
        page.registers(report)?;
    }
    page.notes(report)
}

/// Writes the instructions of a `Code:` line, one on a line, with the trapping one marked.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_code(out: &mut impl fmt::Write, code: &Code, options: TextOptions) -> fmt::Result {
    Page { out, options }.instructions(code, "")
}

/// Writes the explanation of a trap, and below it the computation of the pointer.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_explanation(
    out: &mut impl fmt::Write,
    explanation: &Explanation,
    options: TextOptions,
) -> fmt::Result {
    Page { out, options }.explanation(explanation)
}

impl<W: fmt::Write> Page<'_, W> {
    fn head(&mut self, file: &str, report: &Report<'_>) -> fmt::Result {
        let title = escape(self.options.title(report)).to_string();
        self.styled(TITLE, &title)?;
        let span = report.span;
        let place = format!("{}:{} (bytes {}..{})", escape(file), span.line, span.start, span.end);
        let place = broken(&place, 2, 4, self.columns());
        self.styled(DIM, &format!("\n  {place}\n"))
    }

    /// Writes the answer first: the failure and its cause.
    fn answer(&mut self, report: &Report<'_>) -> fmt::Result {
        let message = report.message.as_deref().map(|message| escape(message).to_string());
        let location = report.location.as_ref();
        let location = location.map(|at| format!("at {}:{}", escape(&at.file), at.line));
        // The explanation of an access includes its address.
        let is_explained = report.explanation.as_ref().is_some_and(|found| found.access.is_some());
        let access = report.access.as_ref().map(access).filter(|_| !is_explained);
        let object = report.memory.as_ref().map(object);
        // The diagnosis of an access includes the object.
        let object = object.filter(|_| report.diagnosis.is_none());
        let facts = [message, location, access, object].into_iter().flatten();
        self.fields("what", facts)?;
        if let Some(diagnosis) = &report.diagnosis {
            let why = diagnosis.why.iter().map(|evidence| &evidence.text);
            let texts = [&diagnosis.summary].into_iter().chain(why);
            self.fields("why", texts.map(|text| escape(text).to_string()))?;
        }
        // The sentence includes a chain of two locks.
        if report.cycle.len() > 2 {
            let locks = report.cycle.iter().chain(report.cycle.first());
            let locks: Vec<_> = locks.map(|lock| escape(lock).to_string()).collect();
            self.field("cycle", &locks.join(" -> "))?;
        }
        if let Some(explanation) = &report.explanation {
            self.explanation(explanation)?;
        }
        if let Some(blame) = &report.blame {
            let text = format!("{}: {}", escape(&blame.function), blame.why);
            self.field("blame", &text)?;
        }
        self.suspects(&report.suspects)?;
        self.fields("then", report.consequences.iter().map(|title| escape(title).to_string()))
    }

    /// Writes one line for each fact about the kernel and the task.
    fn context(&mut self, report: &Report<'_>) -> fmt::Result {
        let kernel = &report.kernel;
        let taint = kernel.tainted.as_deref().map(|flags| match flags {
            "" => "not tainted".to_owned(),
            flags => {
                let flags: String = flags.split_whitespace().collect();
                format!("tainted {}", escape(&flags))
            }
        });
        let release = kernel.release.as_deref().map(|release| escape(release).to_string());
        let arch = kernel.arch.map(|arch| arch.name().to_owned());
        self.field("kernel", &join([release, arch, taint]))?;
        let hardware = kernel.hardware.as_deref().map(|name| escape(name).to_string());
        self.field("machine", &join([hardware]))?;

        let task = &report.task;
        let comm = task.comm.as_deref().map(|comm| escape(comm).to_string());
        let pid = task.pid.map(|pid| format!("PID {pid}"));
        let cpu = task.cpu.map(|cpu| format!("CPU {cpu}"));
        let stuck = report.seconds.map(|seconds| format!("for {seconds} s"));
        self.field("task", &join([comm, pid, cpu, stuck]))?;
        let work = task.workqueue.as_deref().map(|work| escape(work).to_string());
        self.field("work", &join([work]))?;

        if let Some(holder) = report.holder.as_ref().filter(|_| report.diagnosis.is_none()) {
            let text = format!(
                "{}, held by {}, PID {}",
                escape(&holder.lock),
                escape(&holder.comm),
                holder.pid
            );
            self.field("waits for", &text)?;
        }
        if let Some(table) = report.page_table.as_ref().filter(|_| self.options.all) {
            self.field("tables", &page_table(table))?;
        }
        if let Some(check) =
            report.image_check.as_ref().filter(|c| c.verdict == ImageVerdict::Other)
        {
            for warning in &check.warnings {
                self.field("warning", &format!("image of another build: {}", escape(warning)))?;
            }
        }
        Ok(())
    }

    /// Writes the most likely functions with their files, and the lists of their maintainers.
    fn suspects(&mut self, suspects: &[Suspect<'_>]) -> fmt::Result {
        let most = if self.options.all { usize::MAX } else { SUSPECTS };
        let shown = || suspects.iter().take(most);
        let widths = shown().map(|suspect| suspect.function.chars().count());
        let width = widths.max().unwrap_or(0).min(SUSPECT_COLUMN);
        let rows = shown().map(|suspect| {
            let function = escape(&suspect.function).to_string();
            let place = suspect.file.as_deref().or(suspect.directory.as_deref());
            let place = escape(place.unwrap_or_default()).to_string();
            let row = format!("{:.2} {function:width$}  {place}", suspect.probability);
            let fix = suspect.fixes.first().map(|fix| format!("  (changed by {})", escape(fix)));
            format!("{}{}", row.trim_end(), fix.unwrap_or_default())
        });
        self.fields("suspects", rows)?;
        // A suspect that is less than half as likely as the first one is noise on a mailing list.
        let least = suspects.first().map_or(0.0, |first| first.probability / 2.0);
        let likely = shown().filter(|suspect| suspect.probability >= least);
        let mut mails: Vec<String> = Vec::new();
        for mail in likely.filter_map(mail) {
            if !mails.contains(&mail) {
                mails.push(mail);
            }
        }
        self.fields("mail", mails.into_iter())
    }

    fn stacks(&mut self, report: &Report<'_>) -> fmt::Result {
        for stack in &report.stacks {
            let aside = matches!(
                stack.role,
                Role::Reporting | Role::Consequence | Role::Related | Role::Chain | Role::Starved
            );
            if aside && !self.options.all {
                continue;
            }
            let name = match stack.role {
                Role::Crash => "stack",
                Role::Reporting => "reported through",
                Role::Allocation => "allocated at",
                Role::Free => "freed at",
                // kmsan_print_origin() in mm/kmsan/report.c, show_last_breaking_event() in
                // arch/s390/kernel/dumpstack.c.
                Role::Related if report.uninitialized.is_some() => "stored at",
                Role::Related if is_last_branch(report, stack) => "last branch at",
                Role::Related => "queued at",
                Role::Race => "raced with",
                Role::Chain => "lock acquired at",
                Role::Consequence => "stack of a consequence",
                Role::Holder => "held by",
                Role::Starved => "starved thread",
            };
            self.label(name)?;
            if self.options.all {
                stack.frames.iter().try_for_each(|frame| self.frame(frame))?;
            } else {
                self.folded(stack, report.crash_stack())?;
            }
        }
        Ok(())
    }

    /// Writes the reliable frames, without those that print the report, and without the outer
    /// frames that the crash stack has as well.
    fn folded(&mut self, stack: &Stack<'_>, crash: Option<&Stack<'_>>) -> fmt::Result {
        let frames: Vec<_> = stack.frames.iter().filter(|frame| frame.reliable).collect();
        let noise = frames.iter().take_while(|frame| is_noise(frame)).count();
        let noise = if noise < MIN_FOLDED || noise == frames.len() { 0 } else { noise };
        if noise > 0 {
            let of = match stack.role {
                Role::Allocation | Role::Free | Role::Related => "frames of the checker",
                _ => "reporting frames",
            };
            writeln!(self.out, "    ({noise} {of})")?;
        }
        let shared = crash.filter(|crash| crash.role != stack.role).map_or(0, |crash| {
            let others = crash.frames.iter().filter(|frame| frame.reliable).rev();
            frames.iter().skip(noise).rev().zip(others).take_while(|(a, b)| is_same(a, b)).count()
        });
        let shared = if shared < MIN_FOLDED { 0 } else { shared };
        let own = frames.get(noise..frames.len() - shared).unwrap_or_default();
        for frame in own.iter().take(MAX_SHOWN) {
            self.frame(frame)?;
        }
        match own.len().saturating_sub(MAX_SHOWN) + shared {
            0 => Ok(()),
            more if shared == more => {
                writeln!(self.out, "    ({more} more, as in the stack above)")
            }
            more => writeln!(self.out, "    ({more} more)"),
        }
    }

    /// Writes a frame with its source in the source column, or on the next line if the frame is too
    /// wide.
    fn frame(&mut self, frame: &Frame<'_>) -> fmt::Result {
        let (text, source) = (frame_text(frame), source(frame));
        let columns = self.columns();
        write!(self.out, "    {}", broken(&text, 4, 6, columns))?;
        if !source.is_empty() {
            let (taken, wanted) = (4 + text.chars().count(), source.chars().count());
            let mut pad = SOURCE_COLUMN.saturating_sub(taken).max(1);
            let mut column = taken.saturating_add(pad);
            if column.saturating_add(wanted) > columns {
                self.out.write_char('\n')?;
                pad = SOURCE_COLUMN.min(columns.saturating_sub(wanted)).max(6);
                column = pad;
            }
            write!(self.out, "{:pad$}", "")?;
            self.styled(DIM, &broken(&source, column, 8, columns))?;
        }
        self.out.write_char('\n')
    }

    /// Writes three registers on a line, which fit into 80 columns.
    fn registers(&mut self, report: &Report<'_>) -> fmt::Result {
        if report.registers.is_empty() {
            return Ok(());
        }
        self.label("registers")?;
        let general = |name: &str| report.kernel.arch.is_none_or(|arch| arch.is_general(name));
        let registers: Vec<_> = report
            .registers
            .iter()
            .filter(|register| self.options.all || general(&register.name))
            .collect();
        for row in registers.chunks(3) {
            self.out.write_str(" ")?;
            for register in row {
                let value = register.value;
                let width = usize::from(value.bits / 4);
                write!(
                    self.out,
                    "  {:>6} {:0width$x}",
                    escape(&register.name).to_string(),
                    value.value
                )?;
            }
            self.out.write_char('\n')?;
        }
        Ok(())
    }

    fn code(&mut self, code: &Code) -> fmt::Result {
        self.label("code")?;
        self.instructions(code, "   ")
    }

    fn instructions(&mut self, code: &Code, indent: &str) -> fmt::Result {
        if code.instructions.is_empty() {
            return self.words(code, indent);
        }
        let at = |instruction: &Instruction| Some(instruction.offset) == code.trap_offset;
        let (first, len) = match code.instructions.iter().position(at) {
            Some(trap) if !self.options.all => {
                let first = trap.saturating_sub(AROUND_TRAP.0);
                (first, trap - first + 1 + AROUND_TRAP.1)
            }
            _ => (0, usize::MAX),
        };
        for instruction in code.instructions.iter().skip(first).take(len) {
            self.instruction(instruction, code.unit, indent)?;
        }
        Ok(())
    }

    /// Writes undecoded units of code, eight on a line, with the trapping one marked.
    fn words(&mut self, code: &Code, indent: &str) -> fmt::Result {
        let width = code.unit.max(1);
        for (row, words) in code.bytes.chunks(8 * width).enumerate() {
            self.out.write_str(indent)?;
            for (column, word) in words.chunks(width).enumerate() {
                let mut digits = String::new();
                word.iter().try_for_each(|byte| write!(digits, "{byte:02x}"))?;
                if code.trap_offset == Some((8 * row + column) * width) {
                    self.styled(TRAP, &format!(" <{digits}>"))?;
                } else {
                    write!(self.out, " {digits}")?;
                }
            }
            self.out.write_char('\n')?;
        }
        Ok(())
    }

    /// Writes an instruction in the columns of objdump, which has seven bytes on a line.
    fn instruction(&mut self, instruction: &Instruction, unit: usize, indent: &str) -> fmt::Result {
        let mut rows = instruction.bytes.chunks(if unit == 1 { 7 } else { 4 }).map(|row| {
            let words = row.chunks(unit.max(1)).map(|word| {
                word.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
            });
            words.collect::<Vec<_>>().join(" ")
        });
        let (mnemonic, operands) =
            instruction.text.split_once(' ').unwrap_or((&instruction.text, ""));
        let text = format!("{mnemonic:<6} {operands}");
        let mark = if instruction.trapping { '*' } else { ' ' };
        let line = format!(
            "{indent}{mark}{:4x}: {:<21} {}",
            instruction.offset,
            rows.next().unwrap_or_default(),
            escape(text.trim_end())
        );
        if instruction.trapping {
            self.styled(TRAP, &format!("{line}  <-- trap"))?;
        } else {
            self.out.write_str(&line)?;
        }
        for row in rows {
            write!(self.out, "\n{indent}       {row}")?;
        }
        self.out.write_char('\n')
    }

    /// Writes the effect of the instruction, and below it the computation of the pointer.
    fn explanation(&mut self, explanation: &Explanation) -> fmt::Result {
        let sure = if explanation.confidence == Confidence::Likely { " (likely)" } else { "" };
        self.field("trap", &format!("{}{sure}", escape(&explanation.summary)))?;
        if let Some(member) = &explanation.member {
            let sure = if member.confidence == Confidence::Likely { "probably " } else { "" };
            let (expression, of) = (escape(&member.expression), escape(&member.of));
            let text = format!("{sure}{expression} ({of}, offset {:#x})", member.offset);
            self.field("member", &text)?;
        }
        for (index, step) in explanation.steps.iter().enumerate() {
            self.field(
                if index == 0 { "why" } else { "" },
                &escape(&step.kind.to_string()).to_string(),
            )?;
        }
        Ok(())
    }

    fn notes(&mut self, report: &Report<'_>) -> fmt::Result {
        // A title without a function is a matter of the convention alone, where another rule names one.
        let is_named = |why| why == Corruption::NoFunction && report.blame.is_some();
        if let Some(why) = report.corrupted.filter(|why| self.options.all || !is_named(*why)) {
            self.field("corrupted", why.words())?;
        }
        let missing: Vec<_> = report.incomplete.iter().map(|why| why.words()).collect();
        self.field("incomplete", &missing.join(", "))?;
        for diagnostic in &report.diagnostics {
            self.field("unread", &escape(&diagnostic.to_string()).to_string())?;
        }
        Ok(())
    }

    fn label(&mut self, label: &str) -> fmt::Result {
        self.styled(LABEL, &format!("  {label}\n"))
    }
}

/// Whether two frames are of one call.
fn is_same(a: &Frame<'_>, b: &Frame<'_>) -> bool {
    a.function.is_some() && (&a.function, a.offset, &a.module) == (&b.function, b.offset, &b.module)
}

/// Returns whether a frame only detects or prints the failure.
fn is_noise(frame: &Frame<'_>) -> bool {
    let function = frame.function.as_deref().map(functions::base);
    function.is_some_and(|function| functions::class(function) == FrameClass::Noise)
}

/// The subsystem of a suspect and its first list.
/// Returns whether a stack is the address of the last branch, as s390 prints it.
fn is_last_branch(report: &Report<'_>, stack: &Stack<'_>) -> bool {
    report.kernel.arch == Some(Arch::S390x) && stack.frames.len() == 1
}

/// Returns the subsystem of a suspect with its lists; `None` if MAINTAINERS has no list.
fn mail(suspect: &Suspect<'_>) -> Option<String> {
    let subsystem = suspect.subsystem.as_deref()?.trim_end_matches(':');
    let lists: Vec<_> = suspect.lists.iter().map(|list| escape(list).to_string()).collect();
    (!lists.is_empty()).then(|| format!("{}: {}", escape(subsystem), lists.join(", ")))
}

fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn page_table(table: &PageTable) -> String {
    let levels = [
        ("address", table.address),
        ("pgd", table.pgd),
        ("p4d", table.p4d),
        ("pud", table.pud),
        ("pmd", table.pmd),
        ("pte", table.pte),
    ];
    join(levels.map(|(name, entry)| entry.map(|entry| format!("{name} {:#x}", entry.value))))
}

fn access(access: &Access) -> String {
    let kind = access.kind.map_or("access", |kind| kind.name());
    let size = match access.size {
        None => String::new(),
        Some(1) => " of 1 byte".to_owned(),
        Some(size) => format!(" of {size} bytes"),
    };
    let address = access.address.map(|address| format!(" at {address}")).unwrap_or_default();
    format!("{kind}{size}{address}")
}

fn object(memory: &Memory<'_>) -> String {
    let Some(object) = &memory.object else { return String::new() };
    let place = object.side.zip(object.distance).map(|(side, distance)| match side {
        Side::Inside => format!("{distance} bytes inside"),
        Side::Before => format!("{distance} bytes before"),
        Side::After => format!("{distance} bytes after"),
    });
    let size = object.size.map(|size| format!("an object of {size} bytes"));
    let cache = object.cache.as_deref().map(|cache| format!("cache {}", escape(cache)));
    let freed = memory.freed_by.map(|task| format!("freed by task {task}"));
    join([place, size, cache, freed])
}

fn frame_text(frame: &Frame<'_>) -> String {
    let mut text = String::new();
    if !frame.reliable {
        text.push_str("? ");
    }
    match (&frame.function, frame.address) {
        (Some(function), _) => text.push_str(&escape(function).to_string()),
        (None, Some(address)) => text.push_str(&address.to_string()),
        (None, None) => text.push_str("(unknown)"),
    }
    if let Some(offset) = frame.offset {
        let _ = write!(text, "+{offset:#x}");
    }
    if let Some(module) = &frame.module {
        let _ = write!(text, " [{}]", escape(module));
    }
    if frame.inline {
        text.push_str(" [inline]");
    }
    text
}

fn source(frame: &Frame<'_>) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{}:{line}", escape(file)),
        (Some(file), None) => escape(file).to_string(),
        _ => String::new(),
    }
}
