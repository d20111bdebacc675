//! Exit status, messages, progress bars and terminal properties.

mod message;
mod progress;
mod status;
mod terminal;

pub(crate) use message::{Messages, collect, error_text, report_error, report_usage, warn};
pub(crate) use progress::Progress;
pub(crate) use status::Status;
pub(crate) use terminal::{in_color, width};
