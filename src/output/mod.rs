//! Reports as text and as JSON.

pub mod audit;
pub mod bugs;
pub mod escape;
#[cfg(feature = "serde")]
pub mod html;
#[cfg(feature = "serde")]
pub mod json;
mod page;
#[cfg(feature = "serde")]
mod record;
pub mod text;
