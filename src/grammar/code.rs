//! The bytes around the instruction pointer.
//!
//! ```text
//! line   = "Code:" 1*( " " [ "<" / "(" ] unit [ ">" / ")" ] )   ; show_opcodes() in arch/x86/kernel/dumpstack.c
//! unit   = 2, 4 or 8 HEXDIG                     ; bytes; 16-bit and 32-bit words elsewhere
//! ```

use super::token::hex_value;

/// The most bytes that are taken from one line; x86 prints 64, arm64 20, s390 none.
pub(crate) const MAX_CODE: usize = 256;

/// A `Code:` line, without the tag.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Code {
    /// The units in the order in which they were printed, each most significant byte first.
    pub(crate) bytes: Vec<u8>,
    /// Bytes per unit: 1, 2 or 4.
    pub(crate) unit: usize,
    /// Offset in [`Code::bytes`] of the unit that was marked.
    pub(crate) trap: Option<usize>,
    /// Why the rest of the line was not read, and from which of its bytes on.
    pub(crate) fault: Option<(&'static str, usize)>,
}

/// What stands in place of the bytes where the instruction pointer is bad.
const UNREADABLE: [&str; 3] = ["Bad RIP value", "Unable to access opcode bytes", "bad PC value"];

/// Parses what follows `Code:`.
///
/// Never fails: what can be read is kept, [`Code::fault`] says why the rest was not. A kernel that
/// could not read the bytes says so in words, which gives a value without bytes.
pub(crate) fn code(input: &[u8]) -> Code {
    let mut code = Code::default();
    if UNREADABLE.iter().any(|words| input.trim_ascii_start().starts_with(words.as_bytes())) {
        code.fault = Some(("the kernel could not read them", 0));
        return code;
    }
    let mut at = 0;
    for token in input.split(|&b| b == b' ') {
        let place = at;
        at += token.len() + 1;
        if token.is_empty() {
            continue;
        }
        if let Err(why) = unit(&mut code, token) {
            code.fault = Some((why, place));
            break;
        }
    }
    code
}

fn unit(code: &mut Code, token: &[u8]) -> Result<(), &'static str> {
    let (marked, digits) = match token {
        [b'<', digits @ .., b'>'] | [b'(', digits @ .., b')'] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err("no hexadecimal number");
    }
    if code.bytes.is_empty() {
        code.unit = match digits.len() {
            2 => 1,
            4 => 2,
            8 => 4,
            _ => return Err("no unit of 2, 4 or 8 digits"),
        };
    }
    if digits.len() != 2 * code.unit {
        return Err("a number of another width");
    }
    if code.bytes.len() + code.unit > MAX_CODE {
        return Err("more bytes than any kernel prints");
    }
    if marked && code.trap.replace(code.bytes.len()).is_some() {
        code.trap = None;
        return Err("a second trap mark");
    }
    code.bytes.extend(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |sum, &digit| (sum << 4) | hex_value(digit))),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_code() {
        let p = |line: &'static str| code(line.as_bytes());
        assert_eq!(
            p(" 48 89 <0f> b6"),
            Code { bytes: vec![0x48, 0x89, 0x0f, 0xb6], unit: 1, trap: Some(2), fault: None }
        );
        assert_eq!(p(" 91000001 (f9400260)").trap, Some(4));
        assert_eq!(p(" 4602 (6813)").bytes, [0x46, 0x02, 0x68, 0x13]);
    }

    #[test]
    fn err_code() {
        let p = |line: &'static str| {
            let c = code(line.as_bytes());
            (c.bytes.len(), c.trap, c.fault)
        };
        assert_eq!(p(""), (0, None, None));
        assert_eq!(p(" Bad RIP value."), (0, None, Some(("the kernel could not read them", 0))));
        assert_eq!(p(" 48 4"), (1, None, Some(("a number of another width", 4))));
        assert_eq!(p(" <48> 89 <0f> b6"), (2, None, Some(("a second trap mark", 9))));
        assert_eq!(p(" 48 <> 1"), (1, None, Some(("no hexadecimal number", 4))));
        assert_eq!(p(" 123"), (0, None, Some(("no unit of 2, 4 or 8 digits", 1))));
        let long = " 90".repeat(MAX_CODE + 1);
        assert_eq!(code(long.as_bytes()).bytes.len(), MAX_CODE);
    }
}
