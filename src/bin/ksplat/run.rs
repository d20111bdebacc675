//! One function for each command.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ksplat::output::json::{self, Record};
use ksplat::output::{escape, text};
use ksplat::{disasm, explain};

use crate::args::{Args, Code, Color, Command, Format, Output, Parse};
use crate::images::Images;
use crate::input;

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
    let done = match args.command {
        None => parse(&args.parse),
        Some(Command::Parse(args)) => parse(&args),
        Some(Command::Code(args)) => code(&args),
    };
    match done {
        Ok(status) => status,
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Nothing,
        Err(error) => {
            complain("standard output", &error);
            Status::Unusable
        }
    }
}

/// `ksplat parse`.
fn parse(args: &Parse) -> io::Result<Status> {
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin } else { args.files.as_slice() };
    let mut writer = Writer::new(&args.output);
    let mut status = Status::Nothing;
    let mut images = Images::new(&args.images);
    for path in files {
        let name = input::name(path);
        let log = match input::read(path) {
            Ok(log) => log,
            Err(error) => {
                complain(&name, &error);
                status = Status::Unusable;
                continue;
            }
        };
        let reports = ksplat::reports(&log);
        let reports = if args.information { reports.with_information() } else { reports };
        for (index, mut report) in reports.enumerate() {
            if !report.kind.is_information() {
                status = status.max(Status::Found);
            }
            disasm::annotate(&mut report, args.output.syntax.into());
            explain::annotate(&mut report, args.output.syntax.into());
            if let Err(error) = images.annotate(&mut report) {
                return Ok(error);
            }
            let text = args.output.text.then(|| ksplat::text(&log, &report));
            writer.report(&Record::new(&name, index, report).with_text(text))?;
        }
    }
    writer.finish()?;
    Ok(status)
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
            serde_json::to_writer(&mut out, &Explained { code, explanation })?;
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
struct Writer {
    out: BufWriter<io::Stdout>,
    format: Format,
    options: text::Options,
    count: usize,
}

impl Writer {
    fn new(output: &Output) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
            format: output.format,
            options: text_options(output),
            count: 0,
        }
    }

    fn report(&mut self, record: &Record<'_>) -> io::Result<()> {
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

    fn finish(mut self) -> io::Result<()> {
        match (self.format, self.count) {
            (Format::Json, 0) => self.out.write_all(b"[]\n")?,
            (Format::Json, _) => self.out.write_all(b"]\n")?,
            _ => {}
        }
        self.out.flush()
    }
}

fn text_options(output: &Output) -> text::Options {
    let color = match output.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal()
                && anstream::stdout().current_choice() != anstream::ColorChoice::Never
        }
    };
    text::Options::default().with_color(color).with_all(output.all)
}

/// Says in one line on standard error what is wrong with an input.
#[expect(clippy::print_stderr, reason = "this is where errors go")]
pub(crate) fn complain(name: &str, error: &dyn std::fmt::Display) {
    eprintln!("ksplat: {}: {}", escape::escape(name), escape::escape(&error.to_string()));
}
