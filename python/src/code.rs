//! `Code:` lines.

use ksplat::Analyzer;
use ksplat::disasm::{self, Syntax};
use ksplat::model::{Code, Explanation};
use ksplat::output::json;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::parse;

/// Code, and the explanation of the trap, as `ksplat code --format json` prints them.
#[derive(serde::Serialize)]
struct Explained {
    #[serde(flatten)]
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

/// Decodes a `Code:` line, or the code of an oops, whose registers explain the trap.
#[pyfunction]
#[pyo3(signature = (line, arch, syntax))]
pub(crate) fn code<'py>(
    py: Python<'py>,
    line: &str,
    arch: Option<&str>,
    syntax: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let syntax = parse::syntax(syntax)?;
    let arch = arch.map(|name| {
        let found: std::result::Result<ksplat::Arch, _> = name.parse();
        found.map_err(|_| {
            let names: Vec<_> = ksplat::Arch::ALL.iter().map(|arch| arch.name()).collect();
            Error::Value(format!("{name:?} is no architecture: one of {}", names.join(", ")))
        })
    });
    let arch = arch.transpose()?;
    let json = py.detach(|| {
        let found = explained(line.as_bytes(), arch, syntax)?;
        let mut json = Vec::new();
        json::write_value(&mut json, &found).map_err(|error| Error::Value(error.to_string()))?;
        Ok::<_, Error>(json)
    });
    Ok(PyBytes::new(py, &json?))
}

fn explained(line: &[u8], arch: Option<ksplat::Arch>, syntax: Syntax) -> Result<Explained> {
    let mut found = oops(line).or_else(|| {
        // An excerpt without a headline is parsed with one.
        oops(&[b"Oops: 0000 [#1]\n", line].concat()).map(ksplat::Report::into_owned)
    });
    let code = if let Some(report) = found.as_mut() {
        let analyzer = Analyzer::new().with_syntax(syntax);
        analyzer.without_suspects().annotate(report);
        report.code.take().unwrap_or_default()
    } else {
        let mut code = disasm::parse_code(line).map_err(Error::Code)?;
        code.arch = arch.or(code.arch);
        code.instructions = disasm::decode(&code, syntax);
        code
    };
    Ok(Explained { code, explanation: found.and_then(|report| report.explanation) })
}

/// The first report with code and registers.
fn oops(log: &[u8]) -> Option<ksplat::Report<'_>> {
    ksplat::reports(log).find(|report| report.code.is_some() && !report.registers.is_empty())
}
