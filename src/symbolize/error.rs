//! The errors of reading an image.

use std::fmt;

/// An error of reading an image or a part of it.
///
/// # Examples
///
/// ```
/// use ksplat::symbolize::{Error, Image};
///
/// let error = Image::parse(b"no image").unwrap_err();
/// assert!(matches!(error, Error::NotElf { .. }));
/// assert!(std::error::Error::source(&error).is_some());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The file is not an ELF file, or its headers are damaged.
    #[non_exhaustive]
    NotElf {
        /// The error of the crate object.
        source: object::Error,
    },
    /// The ELF file has more sections than the limit.
    #[non_exhaustive]
    TooManySections {
        /// The limit.
        limit: usize,
    },
    /// A line of a symbol list is not an address, a letter and a name.
    #[non_exhaustive]
    NotSymbols {
        /// The number of the line, from 1.
        line: usize,
    },
    /// All addresses of a symbol list are 0: `/proc/kallsyms` with `kptr_restrict` set.
    HiddenAddresses,
    /// A section cannot be read.
    #[non_exhaustive]
    Section {
        /// The name of the section.
        name: String,
        /// The error of the crate object.
        source: object::Error,
    },
    /// A compressed section claims a size that its data cannot have.
    #[non_exhaustive]
    CompressedSize {
        /// The name of the section.
        section: String,
        /// The claimed size in bytes.
        size: u64,
    },
    /// The compressed sections of debug information have more bytes together than the limit.
    #[non_exhaustive]
    UnpackedSize {
        /// The sum of their claimed sizes in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A relocation has an offset or a symbol that the file does not have.
    #[non_exhaustive]
    Relocation {
        /// The section to which the relocation applies.
        section: String,
        /// The offset of the relocation, in bytes from the start of the section.
        offset: u64,
        /// The error of the crate object for the symbol; `None` if the offset is past the end of
        /// the section.
        source: Option<object::Error>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf { source } => {
                write!(f, "not an ELF file ({source}); name the vmlinux or .ko file itself")
            }
            Self::TooManySections { limit } => write!(f, "more than {limit} sections"),
            Self::NotSymbols { line } => write!(
                f,
                "neither an ELF file nor lines such as `ffffffff81000000 T _text` (line {line})"
            ),
            Self::HiddenAddresses => {
                f.write_str("all addresses are 0 (kptr_restrict): read the list as root")
            }
            Self::Section { name, source } => write!(f, "section {name}: {source}"),
            Self::CompressedSize { section, size } => write!(
                f,
                "section {section}: {size} bytes cannot come from its compressed data: the file is \
                 damaged"
            ),
            Self::UnpackedSize { size, limit } => write!(
                f,
                "the debug information unpacks to {size} bytes, and the limit is {limit}: functions \
                 are resolved, files and lines are not"
            ),
            Self::Relocation { section, offset, source } => {
                write!(f, "section {section}, byte {offset:#x}: ")?;
                match source {
                    Some(source) => write!(f, "a relocation without a symbol ({source})"),
                    None => f.write_str("a relocation behind the end of the section"),
                }
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotElf { source }
            | Self::Section { source, .. }
            | Self::Relocation { source: Some(source), .. } => Some(source),
            _ => None,
        }
    }
}
