//! One function for each command.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use ksplat::disasm;
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::{escape, text};
use rayon::prelude::*;

use crate::args::{self, Args, Code, Color, Command, Format, Output, Parse, Reading, Symbolize};
use crate::bisect;
use crate::dedup;
use crate::error::Error;
use crate::images::Images;
use crate::input::{self, Input};
use crate::store;
use crate::watch;

/// LinkReason a command ended: its exit status.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Status {
    /// 0: it is done.
    Nothing,
    /// 1: `parse` and `watch` found reports, `bisect` a verdict that is not sound, `match` a new bug.
    Found,
    /// 2: the call or an input is unusable.
    Unusable,
}

impl Status {
    /// The status of `match`.
    pub(crate) fn of_new(is_new: bool) -> Self {
        if is_new { Self::Found } else { Self::Nothing }
    }
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
    match input::log(path) {
        Ok(log) => Some((name, log)),
        Err(error) => {
            let command = command_like(&name).filter(|_| error.kind() == io::ErrorKind::NotFound);
            match command {
                Some(command) => complain(
                    &name,
                    &format!("no such file, and no such command; there is `ksplat {command}`"),
                ),
                None => complain(&name, &error),
            }
            *status = Status::Unusable;
            None
        }
    }
}

/// The command whose name is like that of a file which is not there.
fn command_like(name: &str) -> Option<String> {
    let command = Args::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let near = names.map(|command| (strsim::jaro_winkler(command, name), command));
    let (likeness, command) = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > ALIKE).then(|| command.to_owned())
}

/// From which likeness on clap suggests a command, too.
const ALIKE: f64 = 0.8;

/// `ksplat parse`.
fn parse(args: &Parse) -> io::Result<Status> {
    let files = or_stdin(&args.files);
    let job = Job { reading: &args.reading, output: &args.output, quiet: args.quiet };
    if args.images.are_named() || files.len() == 1 {
        return job.one_by_one(&files, &mut Images::new(&args.images));
    }
    job.on_all_cores(&files)
}

/// LinkReason logs are parsed and written.
struct Job<'a> {
    reading: &'a Reading,
    output: &'a Output,
    /// Whether logs without a report are passed over silently.
    quiet: bool,
}

/// LinkReason many logs are read at once, for each core: what waits to be written is no more.
const LOGS_A_CORE: usize = 16;

impl Job<'_> {
    /// Images are read for one report after the other.
    fn one_by_one(&self, files: &[PathBuf], images: &mut Images<'_>) -> io::Result<Status> {
        let mut writer = Writer::new(self.output);
        let mut status = Status::Nothing;
        for path in files {
            status = status.max(self.log(path, images, &mut writer)?);
            if status == Status::Unusable && images.failed() {
                return Ok(status);
            }
        }
        writer.finish()?;
        Ok(status)
    }

    /// The logs in their order, each read by one core.
    fn on_all_cores(&self, files: &[PathBuf]) -> io::Result<Status> {
        let mut writer = Writer::new(self.output);
        let mut status = Status::Nothing;
        let none = args::Images::default();
        for files in files.chunks(LOGS_A_CORE * rayon::current_num_threads()) {
            let pages: Vec<io::Result<_>> = files
                .par_iter()
                .map(|path| {
                    let mut page = Writer::to(Vec::new(), self.output);
                    let status = self.log(path, &mut Images::new(&none), &mut page)?;
                    Ok((page, status))
                })
                .collect();
            for page in pages {
                let (page, found) = page?;
                writer.append(&page)?;
                status = status.max(found);
            }
        }
        writer.finish()?;
        Ok(status)
    }

    fn log<W: Write>(
        &self,
        path: &Path,
        images: &mut Images<'_>,
        writer: &mut Writer<W>,
    ) -> io::Result<Status> {
        let Self { reading, output, quiet } = self;
        let mut status = Status::Nothing;
        let Some((name, log)) = open(path, &mut status) else { return Ok(status) };
        let reports = reading.parser().reports(&log);
        let before = writer.count;
        let analyzer = ksplat::Analyzer::new().with_syntax(output.syntax.into());
        for (index, mut report) in reports.take(reading.reports()).enumerate() {
            if !report.kind.is_information() {
                status = status.max(Status::Found);
            }
            analyzer.annotate(&mut report);
            status = status.max(images.annotate(&mut report));
            if status == Status::Unusable && images.failed() {
                return Ok(status);
            }
            let text = output.text.then(|| ksplat::text(&log, &report));
            let sources = images.sources(&report);
            let signature = (!matches!(output.format, Format::Text))
                .then(|| ksplat::fingerprint::Signature::of(&report).into_owned());
            let record = ReportRecord::new(&name, index, report).with_text(text);
            writer.report(&record.with_signature(signature))?;
            writer.add(&sources)?;
        }
        if writer.count == before && !quiet {
            complain(&name, &"no crash report found");
        }
        Ok(status)
    }
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
        let job = Job { reading: &Reading::default(), output: &args.output, quiet: true };
        let status = job.one_by_one(&files, &mut images)?;
        return Ok(if status == Status::Found { Status::Nothing } else { status });
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = Status::Nothing;
    for path in &*files {
        let Some((_, log)) = open(path, &mut status) else { continue };
        let mut arch = None;
        for mut report in ksplat::reports(&log) {
            status = status.max(images.annotate(&mut report));
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
            ksplat::Analyzer::new().with_syntax(syntax).annotate(report);
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
    code: ksplat::model::Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ksplat::model::Explanation>,
}

/// Reports to standard output in the format that was asked for.
pub(crate) struct Writer<W = BufWriter<io::Stdout>> {
    out: W,
    format: Format,
    options: text::TextOptions,
    count: usize,
}

impl Writer {
    pub(crate) fn new(output: &Output) -> Self {
        Self::to(BufWriter::with_capacity(1 << 16, io::stdout()), output)
    }

    /// Adds the reports of a page.
    fn append(&mut self, page: &Writer<Vec<u8>>) -> io::Result<()> {
        let between: &[u8] = match self.format {
            _ if page.count == 0 => return Ok(()),
            Format::Text if self.count > 0 => b"\n",
            Format::Json if self.count > 0 => b",\n",
            _ => b"",
        };
        // The page of JSON begins an array of its own.
        let is_array = matches!(self.format, Format::Json) && self.count > 0;
        let rest = page.out.get(usize::from(is_array)..).unwrap_or_default();
        self.count += page.count;
        self.out.write_all(between)?;
        self.out.write_all(rest)
    }
}

impl<W: Write> Writer<W> {
    fn to(out: W, output: &Output) -> Self {
        Self { out, format: output.format, options: text_options(output), count: 0 }
    }

    /// Writes what there is now.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn report(&mut self, record: &ReportRecord<'_>) -> io::Result<()> {
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

fn text_options(output: &Output) -> text::TextOptions {
    text::TextOptions::default().with_color(in_color(output.color)).with_all(output.all)
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
