//! `ksplat code`.

use std::io::{self, Write};

use ksplat::disasm;
use ksplat::output::{json, text};

use crate::args::{Code, ReportFormat};
use crate::input;
use crate::ui::{Status, report_error};
use crate::writer::text_options;

/// `ksplat code`.
pub(crate) fn code(args: &Code) -> io::Result<Status> {
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
                report_error("-", &error);
                return Ok(Status::Unusable);
            }
        },
    };
    let syntax = args.output.syntax.into();
    // The registers of an oops explain its code.
    let mut found = oops(&line).or_else(|| {
        // An excerpt without a headline is parsed with one.
        let whole = [b"Oops: 0000 [#1]\n", line.as_slice()].concat();
        oops(&whole).map(ksplat::Report::into_owned)
    });
    let is_user = found.is_none() && line.windows(USER_MODE.len()).any(|text| text == USER_MODE);
    if is_user {
        report_error(
            "code",
            &"RIP: 0033 is user mode: the code is of a program, not of the kernel",
        );
    }
    let code = match found.as_mut() {
        Some(report) => {
            let analyzer = ksplat::Analyzer::new().with_syntax(syntax);
            analyzer.without_suspects().annotate(report);
            report.code.take().unwrap_or_default()
        }
        None => match disasm::parse_code(&line) {
            Ok(mut code) => {
                code.arch = args.arch.or(code.arch);
                code.instructions = disasm::decode(&code, syntax);
                code
            }
            Err(error) => {
                report_error("code", &error);
                return Ok(Status::Unusable);
            }
        },
    };
    let explanation = found.and_then(|report| report.explanation);

    let mut out = io::stdout().lock();
    match args.format {
        ReportFormat::Text | ReportFormat::Md => {
            let options = text_options(&args.output).with_all(true);
            let mut page = String::new();
            text::write_code(&mut page, &code, options).map_err(io::Error::other)?;
            if let Some(explanation) = &explanation {
                text::write_explanation(&mut page, explanation, options)
                    .map_err(io::Error::other)?;
            }
            out.write_all(page.as_bytes())?;
        }
        ReportFormat::Json | ReportFormat::Jsonl => {
            json::write_value(&mut out, &Explained { code, explanation })?;
            out.write_all(b"\n")?;
        }
    }
    Ok(Status::Done)
}

/// The instruction pointer in user mode: `__show_regs()` in arch/x86/kernel/process_64.c.
const USER_MODE: &[u8] = b"RIP: 0033:";

/// The first report with code and registers.
fn oops(log: &[u8]) -> Option<ksplat::Report<'_>> {
    ksplat::reports(log).find(|report| report.code.is_some() && !report.registers.is_empty())
}

/// The code, and the explanation of the trap.
#[derive(serde::Serialize)]
struct Explained {
    #[serde(flatten)]
    code: ksplat::model::Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ksplat::model::Explanation>,
}
