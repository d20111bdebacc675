//! What the program prints beside its results: exit status, messages, colour.

mod message;
mod status;
mod terminal;

pub(crate) use message::report_error;
pub(crate) use status::Status;
pub(crate) use terminal::in_color;
