//! Functions that may contain the bug.

use std::borrow::Cow;

use crate::reason::SuspectReason;

/// A function that may contain the bug of a report, and its place.
///
/// [`Report::suspects`](crate::Report::suspects) has the most likely ones; 1 minus the sum of their
/// probabilities is the probability that the bug is in none of the functions of the report.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Suspect<'log> {
    /// Its name, without compiler suffixes.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub function: Cow<'log, str>,
    /// Its source file: from the log, or from the atlas. `None` for modules that are not in the tree.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'log, str>>,
    /// The directory of the file, or of the module.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub directory: Option<Cow<'log, str>>,
    /// The section of MAINTAINERS that is nearest to the file.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subsystem: Option<Cow<'log, str>>,
    /// The mailing lists of that section.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub lists: Vec<Cow<'log, str>>,
    /// The probability that a fix of the bug changes the function, rounded to thousandths.
    pub probability: f32,
    /// The connection with the bug. In JSON its words are `why`, its code is `code`.
    #[cfg_attr(feature = "serde", serde(flatten, with = "super::json::why"))]
    pub why: SuspectReason,
    /// The fixes of similar crashes that change the function or its file.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub fixes: Vec<Cow<'log, str>>,
}

impl Suspect<'_> {
    /// Clones the text that the suspect borrows from the log.
    pub(super) fn into_owned(self) -> Suspect<'static> {
        let Self { function, file, directory, subsystem, lists, probability, why, fixes } = self;
        let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Suspect {
            function: text(function),
            file: file.map(text),
            directory: directory.map(text),
            subsystem: subsystem.map(text),
            lists: lists.into_iter().map(text).collect(),
            probability,
            why,
            fixes: fixes.into_iter().map(text).collect(),
        }
    }
}
