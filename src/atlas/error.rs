//! Why an atlas cannot be used.

use std::fmt;

use super::format::VERSION;

/// Why bytes cannot be used as an atlas.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// They do not begin as one.
    Foreign,
    /// They are of another version of the format.
    Version(u32),
    /// They are fewer or more than the head says.
    Cut,
    /// The checksum is another, or the parts are not within the bytes.
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
            Self::Cut => f.write_str("an atlas that is cut off, or has bytes behind its end"),
            Self::Damaged => f.write_str("a damaged atlas: the checksum is another"),
        }
    }
}

impl std::error::Error for Error {}
