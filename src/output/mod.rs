//! Reports as text, as Markdown and as JSON.
//!
//! Text and Markdown are written to a [`fmt::Write`](std::fmt::Write) such as a `String`, JSON and HTML to an
//! [`io::Write`](std::io::Write). Text ends with a line feed, JSON does not.

pub mod audit;
pub mod bugs;
#[cfg(feature = "serde")]
mod fields;
#[cfg(feature = "serde")]
pub mod html;
#[cfg(feature = "serde")]
pub mod json;
pub mod known;
pub mod markdown;
mod page;
#[cfg(feature = "serde")]
mod record;
mod repeats;
pub mod text;

pub use repeats::Repeats;

pub mod escape {
    //! Escaping of untrusted text for a terminal.
    pub use crate::escape::{escape, escape_bytes, text};
}
