//! Register dumps.
//!
//! ```text
//! line     = *" " register *( *" " register )      ; __show_regs() in arch/x86/kernel/process_64.c
//! register = name *" " ":" *" " value
//! value    = [ selector ":" ] hex [ "(" hex ")" ]  ; RSP: 0018:ffff…   FS:  0000…(0000)
//! ```

use nom::Parser;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::opt;
use nom::sequence::{delimited, terminated};

use super::Parsed;
use super::token::{self, Hex, blanks};

/// Parses one register and leaves what follows it.
///
/// A selector before the value and one in parentheses after it are left out.
pub(crate) fn register(input: &[u8]) -> Parsed<'_, (&[u8], Hex)> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'[' | b']');
    let name = take_while_m_n(1, 10, is_name);
    let selector = terminated(take_while_m_n(4, 4, |b: u8| b.is_ascii_hexdigit()), tag(":"));
    let base = delimited(tag("("), token::hex, tag(")"));
    let (rest, (_, name, _, _, _, _)) =
        (blanks, name, blanks, tag(":"), blanks, opt(selector)).parse(input)?;
    let (rest, (value, _)) = (value, opt(base)).parse(rest)?;
    Ok((rest, (name, value)))
}

/// A value, also `[<hex>]` as ARM writes some; nothing of the word may be left.
pub(crate) fn value(input: &[u8]) -> Parsed<'_, Hex> {
    let (rest, (_, _, value, _)) =
        (opt(tag("[")), opt(tag("<")), token::hex, opt(tag(">]"))).parse(input)?;
    match rest.first() {
        Some(b) if b.is_ascii_alphanumeric() || *b == b'_' => Err(nom::Err::Error(())),
        _ => Ok((rest, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_register() {
        let all = |mut line: &'static [u8]| {
            let mut found = Vec::new();
            while let Ok((rest, (name, hex))) = register(line) {
                found.push((String::from_utf8_lossy(name).into_owned(), hex.value));
                line = rest;
            }
            (found, line)
        };
        let (found, rest) = all(b"RSP: 0018:ffff8880a14f7aa8 EFLAGS: 00010246");
        assert_eq!(found, [("RSP".into(), 0xffff_8880_a14f_7aa8), ("EFLAGS".into(), 0x10246)]);
        assert_eq!(rest, b"");
        let (found, _) = all(b"FS:  00007f379013c700(0000) GS:ffff8880b9e00000(0000) knlGS:0");
        assert_eq!(found.len(), 3);
        let (found, _) = all(b"r10: c219c800  r9 : e0ba5f80  pc : [<bf000064>]");
        assert_eq!(found.last(), Some(&("pc".into(), 0xbf00_0064)));
        assert_eq!(all(b"RAX: 12 RBX: xyz").1, b" RBX: xyz");
    }

    #[test]
    fn err_register() {
        for line in ["RAX:", "RAX 12", ": 12", "averyveryverylongname: 1", ""] {
            assert!(register(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
