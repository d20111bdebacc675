//! The native half of the Python package `ksplat`: answers as JSON bytes, which `lib/ksplat` wraps in classes.
//!
//! Each answer is written by the functions that write the program's JSON, so the two are equal. The GIL is
//! released while a log is read and parsed.

#![allow(clippy::needless_pass_by_value, reason = "arguments of Python functions")]

mod arrow;
mod audit;
mod code;
mod error;
mod index;
mod log;
mod monitor;
mod parse;
mod steps;
mod store;
mod symbolizer;

use pyo3::prelude::*;

/// The version of signatures: those of different versions are not comparable.
const FINGERPRINT: u32 = ksplat::fingerprint::VERSION;

#[pymodule]
mod _native {
    use super::{Bound, FINGERPRINT, PyModule, PyModuleMethods as _, PyResult};

    #[pymodule_export]
    use super::arrow::ReportStream;
    #[pymodule_export]
    use super::audit::audit;
    #[pymodule_export]
    use super::code::code;
    #[pymodule_export]
    use super::index::Index;
    #[pymodule_export]
    use super::monitor::Monitor;
    #[pymodule_export]
    use super::parse::{Parser, explain, parse};
    #[pymodule_export]
    use super::steps::{
        steps_candidates, steps_cluster, steps_components, steps_describe, steps_edges, steps_keys,
        steps_merge, steps_score, steps_scores, steps_titles,
    };
    #[pymodule_export]
    use super::store::Store;
    #[pymodule_export]
    use super::symbolizer::Symbolizer;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
        module.add("FINGERPRINT_VERSION", FINGERPRINT)?;
        module.add("ATTACH", f64::from(ksplat::cluster::ATTACH))?;
        module.add("PERHAPS", f64::from(ksplat::cluster::PERHAPS))?;
        module.add("MAX_NEAR", ksplat::cluster::MAX_NEAR)?;
        module.add("ARROW_SCHEMA_VERSION", ksplat_arrow::SCHEMA_VERSION)?;
        module.add("ARROW_COLUMNS", super::arrow::columns(module.py())?)
    }
}
