//! The arguments of `--format kcidb`.

use clap::Args as Group;

/// The values of KCIDB objects that a log does not contain.
#[derive(Debug, Group)]
#[command(next_help_heading = "KCIDB")]
pub(crate) struct Kcidb {
    /// The CI system that submits the objects of --format kcidb
    #[arg(long = "kcidb-origin", value_name = "ORIGIN", value_parser = origin, default_value = "ksplat")]
    pub(crate) origin: String,
    /// The build that the reports occurred in
    #[arg(long = "kcidb-build-id", value_name = "ID", value_parser = id)]
    pub(crate) build_id: Option<String>,
    /// The test run that the reports occurred in
    #[arg(long = "kcidb-test-id", value_name = "ID", value_parser = id)]
    pub(crate) test_id: Option<String>,
}

/// The name of a CI system: `origin_pattern` in kcidb_io/schema/v03_00.py.
fn origin(text: &str) -> Result<String, String> {
    let is_valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if text.is_empty() || !text.bytes().all(is_valid) {
        return Err("expected lower-case letters, digits and _, such as my_ci".to_owned());
    }
    Ok(text.to_owned())
}

/// The ID of an object: `origin_id_pattern` in kcidb_io/schema/v05_00.py.
fn id(text: &str) -> Result<String, String> {
    match text.split_once(':') {
        Some((system, _)) if origin(system).is_ok() => Ok(text.to_owned()),
        _ => Err("expected ORIGIN:ID, such as my_ci:1234".to_owned()),
    }
}
