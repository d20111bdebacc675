//! Messages on standard error, one line each.

use std::fmt::Display;
use std::io::{self, Write};

use ksplat::output::escape;

/// The maximum length of a message in bytes: an error may quote a line of a log.
const MAX_MESSAGE: usize = 1024;

/// Prints `ksplat: NAME: ERROR` on standard error.
pub(crate) fn report_error(name: &str, error: &dyn Display) {
    let mut error = error.to_string();
    if error.len() > MAX_MESSAGE {
        error.truncate(error.floor_char_boundary(MAX_MESSAGE));
        error.push('…');
    }
    let (name, error) = (escape::escape(name), escape::escape(&error).to_string());
    // Standard error may be closed.
    let _ = writeln!(io::stderr(), "ksplat: {name}: {error}");
}
