//! Errors of reading an atlas.

use std::fmt;

use super::format::VERSION;

/// An error of reading an atlas.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not start with the magic number.
    Foreign,
    /// The format has another version.
    Version(u32),
    /// The length differs from that in the head.
    Cut,
    /// The checksum differs, or a part is outside of the bytes.
    Damaged,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not an atlas"),
            Self::Version(version) if *version > VERSION => {
                write!(f, "an atlas of version {version}, which is newer than {VERSION}")
            }
            Self::Version(version) => write!(f, "an atlas of version {version}; this is {VERSION}"),
            Self::Cut => f.write_str("a truncated atlas, or bytes after its end"),
            Self::Damaged => f.write_str("a damaged atlas: the checksum differs"),
        }
    }
}

impl std::error::Error for Error {}
