//! Places in the log.

/// Where something stands in the log that was read.
///
/// Offsets are in bytes from the start of the log as it was given, before
/// anything was stripped; `end` is one past the last byte.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte; the line feed of the last line is outside.
    pub end: usize,
    /// The line of the first byte, counted from 1.
    pub line: usize,
}

impl Span {
    /// The bytes of `log` that the span covers; empty if `log` is another, shorter log.
    pub fn of<'log>(&self, log: &'log [u8]) -> &'log [u8] {
        log.get(self.start..self.end).unwrap_or_default()
    }
}
