//! Whether the images are those of the kernel that printed a report.

use crate::string_enum::string_enum;

/// What speaks for and against an image being that of the kernel that printed the report.
///
/// What the report or the image does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ImageCheck {
    /// What it comes to.
    pub verdict: ImageVerdict,
    /// Whether the kernel's build id is that of the report.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub build_id: Option<bool>,
    /// Whether the kernel's release is that of the report.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub release: Option<bool>,
    /// Functions of the report that the images have, with the size that the report tells.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sizes_same: usize,
    /// Functions that no image has, or with another size only.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sizes_other: usize,
    /// The `Code:` bytes against those of the image.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub code: Option<CodeCheck>,
    /// What does not fit, in words.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub warnings: Vec<String>,
}

string_enum! {
    /// Whether images are those of the kernel that printed the report.
    pub enum ImageVerdict {
        /// No check differs.
        Same = "same",
        /// They are of another build.
        Other = "other",
        /// The report and the image have nothing to compare.
        Unknown = "unknown",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro marks no default variant")]
impl Default for ImageVerdict {
    fn default() -> Self {
        Self::Unknown
    }
}

/// The `Code:` bytes against those of the image, byte by byte.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CodeCheck {
    /// Bytes that are the same.
    pub same: usize,
    /// Bytes that differ where the kernel changes its code when it boots or loads a module: calls of
    /// ftrace, alternatives, static calls and branches, retpolines, relocations.
    pub patched: usize,
    /// Offsets of bytes that differ otherwise, from the first byte of the `Code:` line.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub other: Vec<usize>,
}
