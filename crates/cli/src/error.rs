//! Errors that end a command.

use std::borrow::Cow;
use std::error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use ksplat::store;

use crate::input;

/// An error that ends a command.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum Error {
    /// Writing to standard output failed.
    Output(io::Error),
    /// Writing a page failed.
    Page { path: PathBuf, source: io::Error },
    /// Reading an input that the command needs failed.
    Input { path: PathBuf, source: io::Error },
    /// Opening, reading or writing the store failed.
    Store(store::Error),
    /// An option refers to a report that no log has.
    NoReport { name: String },
    /// `--apart` refers to two equal reports.
    Equal { one: String, other: String },
    /// There is no file of fixes to update.
    NoKnown { path: PathBuf },
    /// `git` cannot be started.
    NoGit { source: io::Error },
    /// `git` failed in a tree.
    Git { tree: PathBuf, message: String },
}

impl Error {
    pub(crate) fn input(path: &Path, source: io::Error) -> Self {
        Self::Input { path: path.to_owned(), source }
    }

    /// Returns the file or option at the start of the message.
    pub(crate) fn place(&self) -> Cow<'_, str> {
        match self {
            Self::Output(_) => "standard output".into(),
            Self::Input { path, .. } | Self::Page { path, .. } | Self::NoKnown { path } => {
                input::name(path)
            }
            Self::Store(_) => "store".into(),
            Self::NoReport { .. } | Self::Equal { .. } => "cluster".into(),
            Self::NoGit { .. } | Self::Git { .. } => "--repo".into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(source) | Self::Input { source, .. } | Self::Page { source, .. } => {
                write!(f, "{source}")
            }
            Self::Store(error) => write!(f, "{error}{}", store_hint(error)),
            Self::NoReport { name } => write!(f, "{name}: no such report"),
            Self::Equal { one, other } => {
                write!(f, "{one} and {other} are equal and cannot be kept apart")
            }
            Self::NoKnown { .. } => f.write_str("no such file; `ksplat known build` creates one"),
            Self::NoGit { source } => write!(f, "cannot run git: {source}"),
            Self::Git { tree, message } => write!(f, "git in {}: {message}", tree.display()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Output(source)
            | Self::Page { source, .. }
            | Self::Input { source, .. }
            | Self::NoGit { source } => Some(source),
            Self::Store(error) => Some(error),
            Self::NoReport { .. }
            | Self::Equal { .. }
            | Self::NoKnown { .. }
            | Self::Git { .. } => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The command or the option that helps.
fn store_hint(error: &store::Error) -> &'static str {
    match error {
        store::Error::Locked { .. } => "; `--wait SECONDS` waits for it",
        store::Error::Damaged { .. } => "; `ksplat store check` mends it",
        store::Error::NoReport { .. } => ": `ksplat store list --long` shows those it has",
        store::Error::NoBug { .. } => ": `ksplat store list` prints its bugs",
        _ => "",
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            // `export` writes to standard output.
            store::Error::Export { source, .. } => Self::Output(source),
            error => Self::Store(error),
        }
    }
}
