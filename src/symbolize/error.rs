//! Why an image cannot be read.

use std::fmt;

/// Why an image, or a part of it, cannot be read.
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
    /// The file is no ELF file, or its headers are damaged.
    #[non_exhaustive]
    NotElf {
        /// The error of the crate object.
        source: object::Error,
    },
    /// The ELF file has more sections than this library reads.
    #[non_exhaustive]
    TooManySections {
        /// The limit.
        limit: usize,
    },
    /// A line of a list of symbols is not an address, a letter and a name.
    #[non_exhaustive]
    NotSymbols {
        /// The line, from 1.
        line: usize,
    },
    /// All addresses of a list of symbols are 0: `/proc/kallsyms` as `kptr_restrict` shows it.
    HiddenAddresses,
    /// A section cannot be read.
    #[non_exhaustive]
    Section {
        /// Its name.
        name: String,
        /// The error of the crate object.
        source: object::Error,
    },
    /// A compressed section claims a size that its data cannot have.
    #[non_exhaustive]
    CompressedSize {
        /// The section's name.
        section: String,
        /// The claimed size, in bytes.
        size: u64,
    },
    /// A relocation names a place or a symbol that the file does not have.
    #[non_exhaustive]
    Relocation {
        /// The section whose bytes are relocated.
        section: String,
        /// Bytes from the start of the section.
        offset: u64,
        /// The error of the crate object for the symbol; `None` if the place is behind the end.
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
