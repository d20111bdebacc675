//! The nom grammars of the lines that kernels print, a file per family of lines.
//!
//! Grammars see the text of a line without its carrier (see `line`), depend on nothing but their
//! input and return small records that borrow from it. A record that cannot be read is a plain
//! nom error here; whether that is worth telling the user is decided by `parse`.

pub(crate) mod access;
pub(crate) mod code;
pub(crate) mod kasan;
pub(crate) mod kcsan;
pub(crate) mod lock;
pub(crate) mod register;
pub(crate) mod task;
pub(crate) mod token;
pub(crate) mod trace;

/// What a grammar returns: the rest of the line and a record.
///
/// The unit error keeps a failed branch as cheap as a comparison: most are.
pub(crate) type Parsed<'a, T> = nom::IResult<&'a [u8], T, ()>;
