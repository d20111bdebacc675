//! Why an image could not be used.

use std::fmt;

/// Why an image, or a part of it, could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Error {
    /// The section, where it is in one.
    pub section: Option<String>,
    /// Where, in bytes from the start of the section, or of the file.
    pub offset: Option<u64>,
    /// What is wrong.
    pub why: String,
}

impl Error {
    pub(super) fn new(why: impl fmt::Display) -> Self {
        Self { section: None, offset: None, why: why.to_string() }
    }

    pub(super) fn in_section(self, section: &str) -> Self {
        Self { section: Some(section.to_owned()), ..self }
    }

    pub(super) fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }
}

impl From<object::Error> for Error {
    fn from(error: object::Error) -> Self {
        Self::new(error)
    }
}

impl From<gimli::Error> for Error {
    fn from(error: gimli::Error) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        if let Some(section) = &self.section {
            write!(f, ", in section {section}")?;
        }
        match self.offset {
            Some(offset) => write!(f, ", at byte {offset:#x}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
