//! The result of comparing images with a report.

use crate::string_enum::string_enum;

/// The comparison of the images of a kernel with a report.
///
/// A field is `None` or zero if the report or the image lacks the data.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ImageCheck {
    /// The conclusion from all checks.
    pub verdict: ImageVerdict,
    /// Whether the build ID of the kernel image is the one in the report.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub build_id: Option<bool>,
    /// Whether the release of the kernel image is the one in the report.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub release: Option<bool>,
    /// The number of functions in the report that an image has with the same size.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sizes_same: usize,
    /// The number of functions in the report that no image has, or only with another size.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sizes_other: usize,
    /// The comparison of the `Code:` bytes with the image.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub code: Option<CodeCheck>,
    /// The mismatches, one sentence each.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub warnings: Vec<String>,
}

string_enum! {
    /// Whether the images are those of the kernel that printed the report.
    pub enum ImageVerdict {
        /// Nothing differs in any check.
        Same = "same",
        /// The images are of another build.
        Other = "other",
        /// The report and the images have no data in common to compare.
        Unknown = "unknown",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro marks no default variant")]
impl Default for ImageVerdict {
    fn default() -> Self {
        Self::Unknown
    }
}

/// The comparison of the `Code:` bytes with the image, byte by byte.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CodeCheck {
    /// The number of equal bytes.
    pub same: usize,
    /// The number of bytes that differ where the kernel patches its code at boot or when a module
    /// is loaded: ftrace calls, alternatives, static calls and branches, retpolines, relocations.
    pub patched: usize,
    /// The offsets of all other bytes that differ, from the first byte of the `Code:` line.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub other: Vec<usize>,
}
