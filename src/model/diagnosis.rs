//! The diagnosis of a report.

use super::Confidence;

/// A description of the failure in one sentence, and the facts of the report that support it.
///
/// Every number and name in it is printed in the report, or computed from printed values.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnosis {
    /// One sentence.
    pub summary: String,
    /// The facts that support it, at most three, the most important first.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub why: Vec<Evidence>,
    /// How reliable it is.
    pub confidence: Confidence,
}

/// A fact that supports a diagnosis.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Evidence {
    /// The fact as text.
    pub text: String,
    /// The offset in the log of the line with the fact, in bytes; `None` if it is from several
    /// lines.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offset: Option<usize>,
}

impl Evidence {
    pub(crate) fn new(text: String, offset: Option<usize>) -> Self {
        Self { text, offset }
    }
}
