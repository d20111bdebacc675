//! The prefix that `printk` puts before a line.
//!
//! ```text
//! prefix  = [ dropped ] [ *char " login: " ] [ "<" 1*DIGIT ">" ] time [ caller ] " "
//! time    = "[" *" " 1*DIGIT "." 1*DIGIT "]"              ; print_time() in kernel/printk/printk.c
//! caller  = "[" *" " ( "T" / "C" ) 1*DIGIT "]"            ; print_caller()
//! dropped = "** " 1*DIGIT " printk messages dropped ** "  ; console_emit_next_record()
//! ```
//!
//! The `login: ` of a getty stays on the line where the kernel began to print.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::combinator::{opt, recognize};
use nom::sequence::{delimited, preceded, terminated};

use super::Context;
use crate::grammar::Parsed;
use crate::grammar::token::{blanks, digits};
use crate::text;

/// Who printed `line`, and how many bytes of carrier stand before its text.
pub(super) fn printk(line: &[u8]) -> (Context<'_>, usize) {
    let prompt = || text::find(line, b" login: ").map(|at| at + 8);
    let stamped = |from: usize| stamp(line.get(from..)?).ok();
    match stamped(0).or_else(|| stamped(prompt()?)) {
        Some((rest, caller)) => {
            (caller.map_or(Context::Console, Context::Caller), line.len() - rest.len())
        }
        None => (Context::Bare, 0),
    }
}

/// Parses a whole prefix and gives the caller, brackets included.
fn stamp(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let dropped = (tag("** "), digits, tag(" printk messages dropped ** "));
    let level = (tag("<"), digits, tag(">"));
    let time = delimited(tag("["), (blanks, digits, tag("."), digits), tag("]"));
    let letter = alt((tag("T"), tag("C")));
    let caller = recognize(delimited(tag("["), (blanks, letter, digits), tag("]")));
    preceded((opt(dropped), opt(level), time), terminated(opt(caller), tag(" "))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_printk() {
        let p = |line: &'static str| printk(line.as_bytes());
        assert_eq!(p("[    1.000001] x"), (Context::Console, 15));
        assert_eq!(p("<6>[12345.000001] x"), (Context::Console, 18));
        assert_eq!(p("[    1.000001][  T345] x"), (Context::Caller(b"[  T345]"), 23));
        assert_eq!(p("syzkaller login: [    1.5][    C1] x"), (Context::Caller(b"[    C1]"), 35));
        assert_eq!(p("** 12 printk messages dropped ** [    1.5] x"), (Context::Console, 43));
    }

    #[test]
    fn err_printk() {
        // No blank after it, no fraction, a number of another kind, a caller of another kind.
        for line in
            ["[    1.000001]x", "[    1] x", "[ T12] x", "[    1.5][ X1] x", "x login: y", ""]
        {
            assert_eq!(printk(line.as_bytes()), (Context::Bare, 0), "{line:?}");
        }
    }
}
