//! Lines of registers.

use nom::Parser;
use nom::bytes::complete::tag;
use nom::sequence::preceded;

use crate::arch;
use crate::token::register::{Register, register};
use crate::token::{self, blanks};

/// The registers of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Registers<'t> {
    /// Names with values: the first of them, the rest behind it, and the line.
    Named { first: Register<'t>, rest: &'t [u8], line: &'t [u8] },
    /// A row of values of numbered registers; the lines above identify the architecture.
    Row(&'t [u8]),
}

/// Reads a line of registers.
pub(super) fn registers(line: &[u8]) -> Option<Registers<'_>> {
    if arch::is_row(line) {
        return Some(Registers::Row(line));
    }
    let (rest, first) = register(line).ok()?;
    arch::is_register(first.0).then_some(Registers::Named { first, rest, line })
}

impl Registers<'_> {
    /// Whether it is the last row of `__show_regs()` in arch/riscv/kernel/process.c: the trace below has
    /// no headline.
    pub(crate) fn is_last_of_riscv(&self) -> bool {
        let Self::Named { first: (b"status", _), rest, .. } = self else { return false };
        let named = |name| preceded((blanks, tag(name), tag(": ")), token::hex);
        (named("badaddr"), named("cause")).parse(*rest).is_ok()
    }
}
