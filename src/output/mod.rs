//! Reports as text and as JSON.

pub mod escape;
#[cfg(feature = "serde")]
pub mod json;
pub mod text;
