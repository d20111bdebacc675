//! `ksplat symbolize`.

use std::io::{self, BufWriter, Write};

use ksplat::disasm;
use ksplat::output::escape;

use crate::args::{Format, Reading, Symbolize};
use crate::images::Images;
use crate::input;
use crate::parse::Job;
use crate::ui::{Status, report_error};

/// `ksplat symbolize`.
pub(crate) fn symbolize(args: &Symbolize) -> io::Result<Status> {
    if !args.images.are_named() {
        report_error("symbolize", &"name an image with --vmlinux PATH, or --vmlinux auto");
        return Ok(Status::Unusable);
    }
    let files = input::or_stdin(&args.files);
    let mut images = Images::new(&args.images);
    if !matches!(args.output.format, Format::Text) {
        let job = Job { reading: &Reading::default(), output: &args.output, quiet: true };
        let status = job.one_by_one(&files, &mut images)?;
        return Ok(if status == Status::Found { Status::Done } else { status });
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = Status::Done;
    for path in &*files {
        let Some((_, log)) = input::open(path, &mut status) else { continue };
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
