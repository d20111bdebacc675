//! The errors of a store.

use std::error;
use std::fmt;
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use super::MAX_LABEL;

/// An error of the database, whose crate and version are not part of the interface.
type Source = Box<dyn error::Error + Send + Sync>;

/// An error of a store.
///
/// `Display` writes one line: the problem, the file, and what can be done. The error of the
/// database, of the JSON parser or of the operating system is the [`source`](error::Error::source),
/// and is in the line, too.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened: it is missing or not readable.
    #[non_exhaustive]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or the database.
        source: Source,
    },
    /// Another process has the file open for writing.
    #[non_exhaustive]
    Locked {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: Source,
    },
    /// The file is damaged.
    #[non_exhaustive]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The error of the database; `None` if it panicked.
        source: Option<Source>,
    },
    /// The file is not a store: not a database, or tables are missing or have other types.
    #[non_exhaustive]
    NoStore {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: Source,
    },
    /// The file is a symbolic link, which is not followed to write.
    #[non_exhaustive]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A new store was to be created at the path of an existing file.
    #[non_exhaustive]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A label is longer than [`MAX_LABEL`](super::MAX_LABEL).
    #[non_exhaustive]
    LongLabel {
        /// Its length in bytes.
        len: usize,
    },
    /// A bug has no such report.
    #[non_exhaustive]
    NoReport {
        /// The bug.
        bug: u64,
        /// The name that was given.
        name: String,
    },
    /// All reports of a bug were to be split from it.
    #[non_exhaustive]
    WholeBug {
        /// The bug.
        bug: u64,
    },
    /// Two names refer to one bug.
    #[non_exhaustive]
    OneBug {
        /// The bug.
        bug: u64,
    },
    /// There is no decision to revoke.
    #[non_exhaustive]
    NoDecision {
        /// The file.
        path: PathBuf,
    },
    /// The signatures were made by a newer version of this crate.
    #[non_exhaustive]
    NewerFingerprint {
        /// The file.
        path: PathBuf,
        /// The version of its signatures.
        found: u64,
    },
    /// A newer version of this crate made the file.
    #[non_exhaustive]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: u64,
        /// The newest version that this crate supports: [`SCHEMA`](super::SCHEMA).
        supported: u64,
    },
    /// The file was opened, but could not be read.
    #[non_exhaustive]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: Source,
    },
    /// The write failed, and nothing was written.
    #[non_exhaustive]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: Source,
    },
    /// The store was opened with [`Store::open_read_only`](super::Store::open_read_only).
    #[non_exhaustive]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No bug has this ID.
    #[non_exhaustive]
    NoBug {
        /// The file.
        path: PathBuf,
        /// The ID.
        id: u64,
    },
    /// A line of an import is not a line of an export. Nothing was imported.
    #[non_exhaustive]
    Import {
        /// The number of the line, from 1.
        line: usize,
        /// The error of the JSON parser.
        source: serde_json::Error,
    },
    /// A line of an import has a signature of a newer version. Nothing was imported.
    #[non_exhaustive]
    ImportVersion {
        /// The number of the line, from 1.
        line: usize,
        /// The version of its signature.
        found: u32,
        /// The supported version: [`fingerprint::VERSION`](crate::fingerprint::VERSION).
        supported: u32,
    },
    /// The export could not be written.
    #[non_exhaustive]
    Export {
        /// The error of the writer.
        source: io::Error,
    },
}

impl Error {
    /// Makes the error for an unknown bug ID.
    pub fn no_bug(path: &Path, id: u64) -> Self {
        Self::NoBug { path: path.to_owned(), id }
    }

    /// Makes the error of the system while a file is opened.
    pub(super) fn system(path: &Path, error: io::Error) -> Self {
        Self::Open { path: path.to_owned(), source: error.into() }
    }

    /// Makes the error for a directory, a device, and other special files.
    pub(super) fn no_file(path: &Path) -> Self {
        Self::NoStore { path: path.to_owned(), source: "it is not a regular file".into() }
    }

    /// Makes the error for a file that others keep replacing.
    pub(super) fn changing(path: &Path) -> Self {
        Self::Locked { path: path.to_owned(), source: "it changed while it was opened".into() }
    }

    /// Makes the error for a file that another process creates.
    pub(super) fn locked(path: &Path, error: TryLockError) -> Self {
        match error {
            TryLockError::WouldBlock => {
                Self::Locked { path: path.to_owned(), source: "it is locked".into() }
            }
            TryLockError::Error(error) => Self::system(path, error),
        }
    }

    /// Makes the error of the database while a file is opened.
    pub(super) fn open(path: &Path, error: impl Into<redb::Error>) -> Self {
        Self::of(path, error.into(), |path, source| Self::Open { path, source })
    }

    /// Makes the error for a failure of the database while reading.
    pub(super) fn read(path: &Path, error: impl Into<redb::Error>) -> Self {
        Self::of(path, error.into(), |path, source| Self::Read { path, source })
    }

    /// Makes the error for a failure of the database while writing.
    pub(super) fn write(path: &Path, error: impl Into<redb::Error>) -> Self {
        Self::of(path, error.into(), |path, source| Self::Write { path, source })
    }

    /// Makes the error of damaged, locked or foreign files for any operation, else `other`.
    fn of(path: &Path, error: redb::Error, other: fn(PathBuf, Source) -> Self) -> Self {
        let path = path.to_owned();
        match &error {
            redb::Error::DatabaseAlreadyOpen
            | redb::Error::LockProtocolMismatch
            | redb::Error::WouldBlock => Self::Locked { path, source: error.into() },
            redb::Error::Corrupted(_) | redb::Error::RepairAborted => {
                Self::Damaged { path, source: Some(error.into()) }
            }
            redb::Error::TableDoesNotExist(_)
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableTypeMismatch { .. } => Self::NoStore { path, source: error.into() },
            redb::Error::Io(io) if io.kind() == io::ErrorKind::InvalidData => {
                Self::NoStore { path, source: error.into() }
            }
            _ => other(path, error.into()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, source } => {
                write!(f, "cannot open the store {}: {source}", path.display())
            }
            Self::Locked { path, .. } => {
                write!(f, "cannot open the store {}: another process writes to it", path.display())
            }
            Self::Damaged { path, source } => {
                write!(f, "the store {} is damaged", path.display())?;
                source.as_ref().map_or(Ok(()), |source| write!(f, " ({source})"))
            }
            Self::NoStore { path, source } => {
                write!(f, "the file {} is not a store: {source}; name another file", path.display())
            }
            Self::Link { path } => write!(
                f,
                "the store {} is a symbolic link, which is not written through: name the file itself",
                path.display()
            ),
            Self::Exists { path } => write!(
                f,
                "the file {} exists and is not overwritten: name a new one",
                path.display()
            ),
            Self::NoReport { bug, name } => write!(f, "bug {bug:016x} has no report {name}"),
            Self::WholeBug { bug } => {
                write!(f, "these are all reports of bug {bug:016x}: name a part of them")
            }
            Self::OneBug { bug } => write!(f, "both are bug {bug:016x}: name two bugs"),
            Self::NoDecision { path } => {
                write!(f, "the store {} has no decision to undo", path.display())
            }
            Self::NewerFingerprint { path, found } => write!(
                f,
                "the store {} has signatures of version {found}, this program makes version {}: use a newer ksplat",
                path.display(),
                crate::fingerprint::VERSION
            ),
            Self::LongLabel { len } => {
                write!(f, "a label of {len} bytes is too long: the limit is {MAX_LABEL}")
            }
            Self::NewerSchema { path, found, supported } => write!(
                f,
                "the store {} has schema {found}, this program supports {supported}: use a newer ksplat",
                path.display()
            ),
            Self::Read { path, source } => {
                write!(f, "cannot read the store {}: {source}", path.display())
            }
            Self::Write { path, source } => {
                write!(f, "cannot write to the store {}: {source}", path.display())
            }
            Self::ReadOnly { path } => write!(
                f,
                "the store {} was opened for reading: open it for writing",
                path.display()
            ),
            Self::NoBug { path, id } => {
                write!(f, "the store {} has no bug {id:016x}", path.display())
            }
            Self::Import { line, source } => {
                write!(f, "line {line}: {source}; nothing was imported")
            }
            Self::ImportVersion { line, found, supported } => write!(
                f,
                "line {line}: signed by version {found}, this program knows {supported}: use a newer ksplat; nothing was imported"
            ),
            Self::Export { source } => write!(f, "cannot write the export: {source}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Open { source, .. }
            | Self::Locked { source, .. }
            | Self::NoStore { source, .. }
            | Self::Read { source, .. }
            | Self::Write { source, .. } => Some(&**source),
            Self::Damaged { source, .. } => source.as_ref().map(|source| &**source as _),
            Self::Import { source, .. } => Some(source),
            Self::Export { source } => Some(source),
            Self::Link { .. }
            | Self::Exists { .. }
            | Self::LongLabel { .. }
            | Self::NoReport { .. }
            | Self::WholeBug { .. }
            | Self::OneBug { .. }
            | Self::NoDecision { .. }
            | Self::NewerFingerprint { .. }
            | Self::NewerSchema { .. }
            | Self::ReadOnly { .. }
            | Self::NoBug { .. }
            | Self::ImportVersion { .. } => None,
        }
    }
}
