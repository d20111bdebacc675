//! Audits of bisections.

use ksplat::atlas::Atlas;
use ksplat::bisect::{self, AuditOptions};
use ksplat::output::json::{self, AuditRecord};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::log::Source;

/// Audits a bisection log, and returns the JSON that `ksplat bisect` prints.
#[pyfunction]
#[pyo3(signature = (log, name, title, report))]
pub(crate) fn audit<'py>(
    py: Python<'py>,
    log: Source,
    name: Option<&str>,
    title: Option<&str>,
    report: Option<Source>,
) -> PyResult<Bound<'py, PyBytes>> {
    let name = name.map_or_else(|| log.name(), str::to_owned);
    let json = py.detach(|| -> Result<Vec<u8>> {
        let bytes = log.read()?;
        let bisection =
            bisect::parse(&bytes).map_err(|error| Error::Bisection(log.path().cloned(), error))?;
        let crash = report.as_ref().map(Source::read).transpose()?;
        let mut crash = crash.as_deref().and_then(|log| ksplat::reports(log).next());
        if let Some(report) = &mut crash {
            ksplat::suspects::annotate(report, Atlas::builtin());
        }
        let options = AuditOptions::default().with_title(title).with_report(crash.as_ref());
        let audit = bisect::audit(&bisection, options);
        let mut json = Vec::new();
        json::write_audit(&mut json, &AuditRecord::new(&name, audit))
            .map_err(|error| Error::Value(error.to_string()))?;
        Ok(json)
    });
    Ok(PyBytes::new(py, &json?))
}
