//! One function for each command.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ksplat::output::json::{self, Record};
use ksplat::output::{escape, text};
use ksplat::{disasm, explain};

use crate::args::{Args, Code, Color, Command, Format, Output, Parse, Reading, Symbolize};
use crate::bisect;
use crate::dedup;
use crate::error::Error;
use crate::images::Images;
use crate::input::{self, Input};
use crate::store;
use crate::watch;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Status {
    Nothing,
    Found,
    Unusable,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Nothing => Self::from(0),
            Status::Found => Self::from(1),
            Status::Unusable => Self::from(2),
        }
    }
}

pub(crate) fn run(args: Args) -> Status {
    match command(args) {
        Ok(status) => status,
        // Whoever read the output has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Status::Nothing,
        Err(error) => {
            complain(&error.place(), &error);
            Status::Unusable
        }
    }
}

fn command(args: Args) -> Result<Status, Error> {
    Ok(match args.command {
        None => parse(&args.parse)?,
        Some(Command::Parse(args)) => parse(&args)?,
        Some(Command::Symbolize(args)) => symbolize(&args)?,
        Some(Command::Cluster(args)) => dedup::cluster(&args)?,
        Some(Command::Match(args)) => dedup::matches(&args)?,
        Some(Command::Store(args)) => store::run(args)?,
        Some(Command::Watch(args)) => watch::watch(&args)?,
        Some(Command::Bisect(args)) => bisect::bisect(&args)?,
        Some(Command::Code(args)) => code(&args)?,
    })
}

/// The files that were named, or standard input.
pub(crate) fn or_stdin(files: &[PathBuf]) -> Cow<'_, [PathBuf]> {
    if files.is_empty() { vec![PathBuf::from("-")].into() } else { files.into() }
}

/// Reads an input, and gives it with its name; what cannot be read is complained of.
pub(crate) fn open<'a>(path: &'a Path, status: &mut Status) -> Option<(Cow<'a, str>, Input)> {
    let name = input::name(path);
    match input::read(path) {
        Ok(log) => Some((name, log)),
        Err(error) => {
            complain(&name, &error);
            *status = Status::Unusable;
            None
        }
    }
}

/// `ksplat parse`.
fn parse(args: &Parse) -> io::Result<Status> {
    parse_files(&or_stdin(&args.files), &args.reading, &mut Images::new(&args.images), &args.output)
}

fn parse_files(
    files: &[PathBuf],
    reading: &Reading,
    images: &mut Images<'_>,
    output: &Output,
) -> io::Result<Status> {
    let mut writer = Writer::new(output);
    let mut status = Status::Nothing;
    for path in files {
        let Some((name, log)) = open(path, &mut status) else { continue };
        let reports = ksplat::reports(&log).with_limits(reading.limits());
        let reports = if reading.information { reports.with_information() } else { reports };
        for (index, mut report) in reports.take(reading.reports()).enumerate() {
            if !report.kind.is_information() {
                status = status.max(Status::Found);
            }
            disasm::annotate(&mut report, output.syntax.into());
            explain::annotate(&mut report, output.syntax.into());
            status = status.max(images.annotate(&mut report));
            if status == Status::Unusable && images.failed() {
                return Ok(status);
            }
            let text = output.text.then(|| ksplat::text(&log, &report));
            let sources = images.sources(&report);
            let signature = (!matches!(output.format, Format::Text))
                .then(|| ksplat::sign::Signer::new().sign(&report).into_owned());
            let record = Record::new(&name, index, report).with_text(text);
            writer.report(&record.with_signature(signature))?;
            writer.add(&sources)?;
        }
    }
    writer.finish()?;
    Ok(status)
}

/// `ksplat symbolize`.
fn symbolize(args: &Symbolize) -> io::Result<Status> {
    if !args.images.are_named() {
        complain("symbolize", &"name an image with --vmlinux PATH, or --vmlinux auto");
        return Ok(Status::Unusable);
    }
    let files = or_stdin(&args.files);
    let mut images = Images::new(&args.images);
    if !matches!(args.output.format, Format::Text) {
        return parse_files(&files, &Reading::default(), &mut images, &args.output);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = Status::Nothing;
    for path in &*files {
        let Some((_, log)) = open(path, &mut status) else { continue };
        let mut arch = None;
        for mut report in ksplat::reports(&log) {
            status = status.max(Status::Found).max(images.annotate(&mut report));
            arch = arch.or(report.kernel.arch);
        }
        // A trace alone is no report, and resolved as well.
        images.prepare(None, None);
        if images.failed() {
            return Ok(Status::Unusable);
        }
        images.load_all(&log);
        for line in log.split_inclusive(|b| *b == b'\n') {
            let bare = line.trim_ascii_end();
            let rewritten = images.rewrite(bare);
            write_line(&mut out, rewritten.as_deref().unwrap_or(bare))?;
            if let Some(listing) = listing(bare, arch) {
                out.write_all(listing.as_bytes())?;
            }
        }
    }
    out.flush()?;
    Ok(status)
}

/// Writes a line of a log, nothing in it that a terminal would obey.
fn write_line(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    let is_plain = line.iter().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    if is_plain {
        out.write_all(line)?;
    } else {
        write!(out, "{}", escape::escape_bytes(line))?;
    }
    out.write_all(b"\n")
}

/// The instructions of a `Code:` line as `scripts/decodecode` of the kernel lists them.
fn listing(line: &[u8], arch: Option<ksplat::Arch>) -> Option<String> {
    use std::fmt::Write;

    let at = line.windows(5).position(|word| word == b"Code:")?;
    let mut code = disasm::parse_code(line.get(at..)?).ok()?;
    code.arch = arch.or(code.arch);
    let instructions = disasm::decode(&code, disasm::Syntax::Att);
    if instructions.is_empty() {
        return None;
    }
    let mut page = String::new();
    let trap = instructions.iter().position(|instruction| instruction.trapping);
    let parts = [
        ("All code\n========", instructions.as_slice()),
        (
            "Code starting with the faulting instruction\n\
             ===========================================",
            trap.and_then(|trap| instructions.get(trap..)).unwrap_or_default(),
        ),
    ];
    for (title, instructions) in parts {
        page.push_str(title);
        page.push('\n');
        let from = instructions.first().map_or(0, |first| first.offset);
        for instruction in instructions {
            let is_trap = instruction.trapping && from != instruction.offset;
            let mark = if is_trap { '*' } else { ' ' };
            let bytes: Vec<_> =
                instruction.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            // The mark stands before the tab.
            let offset =
                if title.starts_with('A') { instruction.offset } else { instruction.offset - from };
            let _ = write!(
                page,
                "{offset:4x}:{mark}\t{:<21}\t{}",
                bytes.join(" "),
                padded(&instruction.text)
            );
            page.push_str(if is_trap { "\t\t<-- trapping instruction\n" } else { "\n" });
        }
        page.push('\n');
    }
    Some(page)
}

/// An instruction with its operands in their column, as objdump has them.
fn padded(text: &str) -> String {
    match text.split_once(' ') {
        Some((name, operands)) => format!("{name:<6} {}", operands.trim_start()),
        None => text.to_owned(),
    }
}

/// `ksplat code`.
fn code(args: &Code) -> io::Result<Status> {
    let line = match args.line.as_slice() {
        [] => None,
        [dash] if dash == "-" => None,
        words => Some(words.join(" ").into_bytes()),
    };
    let line = match line {
        Some(line) => line,
        None => match input::read("-".as_ref()) {
            Ok(input) => input.to_vec(),
            Err(error) => {
                complain("-", &error);
                return Ok(Status::Unusable);
            }
        },
    };
    let syntax = args.output.syntax.into();
    // An oops has registers beside the code, which explain it.
    let mut found = oops(&line).or_else(|| {
        // Cut out without the line that heads it: read as if that stood there.
        let whole = [b"Oops: 0000 [#1]\n", line.as_slice()].concat();
        oops(&whole).map(ksplat::Report::into_owned)
    });
    let is_user = found.is_none() && line.windows(USER_MODE.len()).any(|text| text == USER_MODE);
    if is_user {
        complain("code", &"the code of a program (RIP: 0033), not of the kernel");
    }
    let code = match found.as_mut() {
        Some(report) => {
            disasm::annotate(report, syntax);
            explain::annotate(report, syntax);
            report.code.take().unwrap_or_default()
        }
        None => match disasm::parse_code(&line) {
            Ok(mut code) => {
                code.arch = args.arch.or(code.arch);
                code.instructions = disasm::decode(&code, syntax);
                code
            }
            Err(error) => {
                complain("code", &error);
                return Ok(Status::Unusable);
            }
        },
    };
    let explanation = found.and_then(|report| report.explanation);

    let mut out = io::stdout().lock();
    match args.output.format {
        Format::Text => {
            let options = text_options(&args.output).with_all(true);
            let mut page = String::new();
            text::write_code(&mut page, &code, options).map_err(io::Error::other)?;
            if let Some(explanation) = &explanation {
                text::write_explanation(&mut page, explanation, options)
                    .map_err(io::Error::other)?;
            }
            out.write_all(page.as_bytes())?;
        }
        Format::Json | Format::Jsonl => {
            json::write_value(&mut out, &Explained { code, explanation })?;
            out.write_all(b"\n")?;
        }
    }
    Ok(Status::Nothing)
}

/// The instruction pointer of a program: `__show_regs()` in arch/x86/kernel/process_64.c.
const USER_MODE: &[u8] = b"RIP: 0033:";

/// The first report with code and registers.
fn oops(log: &[u8]) -> Option<ksplat::Report<'_>> {
    ksplat::reports(log).find(|report| report.code.is_some() && !report.registers.is_empty())
}

/// Code, and what is known of the instruction that trapped.
#[derive(serde::Serialize)]
struct Explained {
    #[serde(flatten)]
    code: ksplat::Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ksplat::Explanation>,
}

/// Reports to standard output in the format that was asked for.
pub(crate) struct Writer {
    out: BufWriter<io::Stdout>,
    format: Format,
    options: text::Options,
    count: usize,
}

impl Writer {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
            format: output.format,
            options: text_options(output),
            count: 0,
        }
    }

    /// Writes what there is now.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn report(&mut self, record: &Record<'_>) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        match self.format {
            Format::Text => {
                let mut page = String::new();
                text::write(&mut page, &record.file, &record.report, self.options)
                    .map_err(io::Error::other)?;
                self.out.write_all(if is_first { b"" } else { b"\n" })?;
                self.out.write_all(page.as_bytes())
            }
            Format::Json => {
                self.out.write_all(if is_first { b"[" } else { b",\n" })?;
                json::write(&mut self.out, record)
            }
            Format::Jsonl => {
                json::write(&mut self.out, record)?;
                self.out.write_all(b"\n")
            }
        }
    }

    /// Adds to the page of the last report.
    pub(crate) fn add(&mut self, page: &str) -> io::Result<()> {
        match self.format {
            Format::Text => self.out.write_all(page.as_bytes()),
            Format::Json | Format::Jsonl => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        match (self.format, self.count) {
            (Format::Json, 0) => self.out.write_all(b"[]\n")?,
            (Format::Json, _) => self.out.write_all(b"]\n")?,
            _ => {}
        }
        self.out.flush()
    }
}

fn text_options(output: &Output) -> text::Options {
    text::Options::default().with_color(in_color(output.color)).with_all(output.all)
}

/// Whether standard output gets colours.
pub(crate) fn in_color(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal()
                && anstream::stdout().current_choice() != anstream::ColorChoice::Never
        }
    }
}

/// The most bytes of what is said of an input.
const MAX_COMPLAINT: usize = 1024;

/// Says in one line on standard error what is wrong with an input.
pub(crate) fn complain(name: &str, error: &dyn std::fmt::Display) {
    let mut error = error.to_string();
    // It may have words of a log in it.
    if error.len() > MAX_COMPLAINT {
        error.truncate(error.floor_char_boundary(MAX_COMPLAINT));
        error.push('…');
    }
    let (name, error) = (escape::escape(name), escape::escape(&error).to_string());
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "ksplat: {name}: {error}");
}
