//! Messages on standard error, one line each.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{LazyLock, Mutex, PoisonError};

use ksplat::output::escape;

use super::progress;

/// The maximum length of a message in bytes: an error may quote a line of a log.
const MAX_MESSAGE: usize = 1024;

/// The maximum number of different warnings, because a log may cause any number of them.
const MAX_WARNINGS: usize = 64;

/// A message that is not printed yet.
#[derive(Debug)]
struct Message {
    line: String,
    /// Equal warnings are printed once.
    is_warning: bool,
}

/// The messages of one piece of work, in their order.
#[derive(Debug, Default)]
pub(crate) struct Messages(Vec<Message>);

thread_local! {
    /// Messages of work on this thread that are printed later.
    static COLLECTED: RefCell<Option<Messages>> = const { RefCell::new(None) };
}

/// The warnings that were printed.
static WARNINGS: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Prints `ksplat: NAME: ERROR` on standard error.
pub(crate) fn report_error(name: &str, error: &dyn Display) {
    report(Message { line: line(name, error), is_warning: false });
}

/// The same, once for equal warnings.
pub(crate) fn warn(name: &str, warning: &dyn Display) {
    report(Message { line: line(name, warning), is_warning: true });
}

/// Prints `ksplat: MESSAGE` on standard error.
pub(crate) fn report_usage(message: &str) {
    report(Message { line: format!("ksplat: {}", escape::escape(message)), is_warning: false });
}

/// Runs `work`, and returns its messages instead of printing them.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Messages) {
    let outer = COLLECTED.replace(Some(Messages::default()));
    let result = work();
    (result, COLLECTED.replace(outer).unwrap_or_default())
}

impl Messages {
    /// Adds the messages of later work.
    pub(crate) fn append(&mut self, mut later: Self) {
        self.0.append(&mut later.0);
    }

    pub(crate) fn print(self) {
        self.0.into_iter().for_each(report);
    }
}

fn line(name: &str, error: &dyn Display) -> String {
    format!("ksplat: {}: {}", escape::escape(name), error_text(error))
}

/// Returns the text of an error, escaped.
pub(crate) fn error_text(error: &dyn Display) -> String {
    let mut error = error.to_string();
    if error.len() > MAX_MESSAGE {
        error.truncate(error.floor_char_boundary(MAX_MESSAGE));
        error.push('…');
    }
    // `io::Error` appends its error number.
    let bare = error.strip_suffix(')').and_then(|error| error.rsplit_once(" (os error "));
    let error = bare.map_or(&*error, |(error, _)| error);
    escape::escape(error).to_string()
}

fn report(message: Message) {
    let message = COLLECTED.with_borrow_mut(|collected| match collected {
        Some(messages) => {
            messages.0.push(message);
            None
        }
        None => Some(message),
    });
    if let Some(message) = message.filter(is_due) {
        progress::suspend(|| {
            // Standard error may be closed.
            let _ = writeln!(io::stderr(), "{}", message.line);
        });
    }
}

fn is_due(message: &Message) -> bool {
    if !message.is_warning {
        return true;
    }
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.len() < MAX_WARNINGS && warnings.insert(message.line.clone())
}
