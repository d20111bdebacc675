//! Register dumps.
//!
//! ```text
//! line     = *" " register *( *" " register )      ; __show_regs() in arch/x86/kernel/process_64.c
//! register = name *" " ":" *" " value
//!          / name *" " [ "= " ] *" " 16HEXDIG      ; alpha; loongarch64
//! value    = [ selector ":" ] hex [ "(" hex ")" ]  ; RSP: 0018:ffff…   FS:  0000…(0000)
//! ```

use nom::Parser;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::opt;
use nom::sequence::{delimited, terminated};

use super::{Hex, Parsed, blanks, hex};

/// The name of a register as printed, and its value.
pub(crate) type Register<'t> = (&'t [u8], Hex);

/// Parses one register and returns the rest of the line.
///
/// A selector before the value and a number in parentheses after it are skipped.
pub(crate) fn register(input: &[u8]) -> Parsed<'_, Register<'_>> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'[' | b']');
    let name = take_while_m_n(1, 10, is_name);
    let selector = terminated(take_while_m_n(4, 4, |b: u8| b.is_ascii_hexdigit()), tag(":"));
    let base = delimited(tag("("), hex, tag(")"));
    let (rest, (_, name, _)) = (blanks, name, blanks).parse(input)?;
    let Ok((rest, _)) = tag::<_, _, ()>(":").parse(rest) else {
        // Without a colon only the width of the value distinguishes a register from other words.
        let (rest, _) = (opt(tag("= ")), blanks).parse(rest)?;
        let (tail, value) = hex(rest)?;
        let is_wide = value.digits == 16 && !rest.starts_with(b"0x");
        return if is_wide { Ok((tail, (name, value))) } else { Err(nom::Err::Error(())) };
    };
    let (rest, (_, _, value, _)) = (blanks, opt(selector), value, opt(base)).parse(rest)?;
    Ok((rest, (name, value)))
}

/// Skips the names of flags after a value: `<SF,EE,ME>`, `(MIPS 24KEc)`, `KERNEL EXL IE`, `[PIL]`.
pub(crate) fn without_note(input: &[u8]) -> &[u8] {
    let mut rest = input.trim_ascii_start();
    while let Some(&first) = rest.first() {
        let close = match first {
            b'<' => b'>',
            b'(' => b')',
            b'[' => b']',
            _ => b' ',
        };
        let len = rest.iter().position(|&b| b == close).map_or(rest.len(), |at| at + 1);
        let (note, tail) = rest.split_at(len);
        let is_name = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ';
        // A word that is not a flag starts the next register, or is damaged.
        if close == b' ' && !(note.iter().all(is_name) && register(rest).is_err()) {
            break;
        }
        rest = tail.trim_ascii_start();
    }
    rest
}

/// A value, also in the form `[<hex>]` that ARM prints; the rest of the word must be empty.
pub(crate) fn value(input: &[u8]) -> Parsed<'_, Hex> {
    let (rest, (_, _, value, _)) =
        (opt(tag("[")), opt(tag("<")), hex, opt(tag(">]"))).parse(input)?;
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
        assert_eq!(all(b"v0 = 0000000000000000  t10= 0000000000000001").0.len(), 2);
        assert_eq!(all(b"pc 900000000104e3f8 ra 900000000104e3f8 tp 1").0.len(), 2);
    }

    #[test]
    fn ok_without_note() {
        let p = |text: &'static str| without_note(text.as_bytes());
        assert_eq!(p(" <SF,EE,ME>  CR: 84002480  XER: 20040006"), b"CR: 84002480  XER: 20040006");
        assert_eq!(p(" [PIL] (IS= ECode=1 EsubCode=0)"), b"");
        assert_eq!(p("\tKERNEL EXL IE"), b"");
        assert_eq!(p(" xyz 1"), b"xyz 1");
        assert_eq!(p(" <abc"), b"");
    }

    #[test]
    fn err_register() {
        for line in [
            "RAX:",
            "RAX 12",
            "t0 = 5",
            "CR0=0000000080050033",
            "RSP = 0xffff8801ccc0f508",
            ": 12",
            "averyveryverylongname: 1",
            "",
        ] {
            assert!(register(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
