//! `ksplat symbolize`.

use std::io;
use std::ops::ControlFlow::{self, Break, Continue};

use ksplat::output::escape;
use ksplat::{Parser, disasm};

use crate::args::{Reading, ReportFormat, Symbolize};
use crate::images::{Images, Needs};
use crate::logs::{self, Job, Log};
use crate::packed::Text;
use crate::parse::Reports;
use crate::ui::{Progress, Status, report_error};
use crate::writer::Writer;

pub(crate) fn symbolize(args: &Symbolize) -> io::Result<Status> {
    if !args.images.are_named() {
        report_error("symbolize", &"name an image with --vmlinux PATH, or --vmlinux auto");
        return Ok(Status::Unusable);
    }
    let format = args.format;
    let progress = Progress::of_files("resolving", args.files.len(), args.quiet);
    let progress = progress.unless_stdout_is_terminal();
    if matches!(format, ReportFormat::Text) {
        return logs::run(
            &Lines,
            &args.files,
            &args.images,
            format.into(),
            &args.unpacking,
            &progress,
        );
    }
    let reading = Reading::default();
    let job = Reports { reading: &reading, output: &args.output, quiet: true, known: None };
    let status =
        logs::run(&job, &args.files, &args.images, format.into(), &args.unpacking, &progress)?;
    Ok(if status == Status::Found { Status::Done } else { status })
}

/// Writes a log with resolved lines, in the format of the kernel's `scripts/decode_stacktrace.sh`.
struct Lines;

impl Job for Lines {
    fn needs(&self, log: &Text) -> Needs {
        let reports = log.reports(Parser::new()).map_while(Result::ok);
        let lines = log.lines().map_while(Result::ok);
        lines.fold(Needs::of(reports), |needs, lines| needs.of_lines(&lines))
    }

    fn write(
        &self,
        log: &Log<'_>,
        images: &Images<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<ControlFlow<Status, Status>> {
        if images.failed() {
            return Ok(Break(Status::Unusable));
        }
        let mut arch = None;
        // The error is returned again with the lines.
        for mut report in log.text.reports(Parser::new()).map_while(Result::ok) {
            if images.annotate(&mut report) == Status::Unusable {
                return Ok(Break(Status::Unusable));
            }
            arch = arch.or(report.kernel.arch);
        }
        for lines in log.text.lines() {
            match lines {
                Ok(lines) => write_lines(writer, &lines, images, arch)?,
                Err(error) => {
                    report_error(&log.name, &error);
                    return Ok(Continue(Status::Unusable));
                }
            }
        }
        Ok(Continue(Status::Done))
    }
}

/// Writes lines with their resolved symbols.
fn write_lines(
    writer: &mut Writer<'_>,
    lines: &[u8],
    images: &Images<'_>,
    arch: Option<ksplat::Arch>,
) -> io::Result<()> {
    for line in lines.split_inclusive(|b| *b == b'\n') {
        let bare = line.trim_ascii_end();
        let rewritten = images.rewrite(bare);
        write_line(writer, rewritten.as_deref().unwrap_or(bare))?;
        if let Some(listing) = listing(bare, arch) {
            writer.add(listing.as_bytes())?;
        }
    }
    Ok(())
}

/// Writes a line of a log. Control characters are escaped.
fn write_line(writer: &mut Writer<'_>, line: &[u8]) -> io::Result<()> {
    let is_plain = line.iter().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    if is_plain {
        writer.add(line)?;
    } else {
        writer.add(escape::escape_bytes(line).to_string().as_bytes())?;
    }
    writer.add(b"\n")
}

/// Returns the instructions of a `Code:` line in the format of the kernel's `scripts/decodecode`.
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
            // The mark is before the tab.
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

/// Returns an instruction with its operands in a column, in the format of objdump.
fn padded(text: &str) -> String {
    match text.split_once(' ') {
        Some((name, operands)) => format!("{name:<6} {}", operands.trim_start()),
        None => text.to_owned(),
    }
}
