//! The diagnosis of a report.

use super::Confidence;

/// What happened, in one sentence, and what in the report says so.
///
/// Every number and name in it is printed in the report, or computed from what is.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnosis {
    /// One sentence.
    pub summary: String,
    /// The facts that it rests on, at most three, the most important first.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub why: Vec<Evidence>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// A fact that a diagnosis rests on.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Evidence {
    /// In words.
    pub text: String,
    /// Offset in the log of the line that it comes from, in bytes; `None` where it comes from several.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offset: Option<usize>,
}

impl Evidence {
    pub(crate) fn new(text: String, offset: Option<usize>) -> Self {
        Self { text, offset }
    }
}
