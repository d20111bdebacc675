//! Places in the log.

/// A range of bytes in the log.
///
/// Offsets are in bytes from the start of the original log, with prefixes; `end` is one past the
/// last byte.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset one past the last byte, without the line feed of the last line.
    pub end: usize,
    /// The number of the line with the first byte, from 1.
    pub line: usize,
}

impl Span {
    /// Returns the bytes of the span in `log`; empty if `log` is another, shorter log.
    pub fn of<'log>(&self, log: &'log [u8]) -> &'log [u8] {
        log.get(self.start..self.end).unwrap_or_default()
    }
}
