//! The bytes around the instruction pointer.
//!
//! ```text
//! line    = "Code:" units            ; show_opcodes() in arch/x86/kernel/dumpstack.c, and others
//!         / "Instruction dump:"      ; show_instructions() in arch/powerpc/kernel/process.c
//!         / "Instruction DUMP:" units   ; instruction_dump() in arch/sparc/kernel/traps_64.c
//! more    = units                    ; powerpc has eight in a line
//! units   = 1*( " " [ "<" / "(" ] unit [ ">" / ")" ] )
//! unit    = 2, 4 or 8 HEXDIG / 8( "X" ) / 4*8( "?" )     ; bytes; 16-bit and 32-bit words elsewhere
//! listing = [ "Krnl Code:" ] *" " [ "#" / ">" ] address ":" 1*" " 1*6( 2HEXDIG ) text   ; show_code() in arch/s390/kernel/dis.c
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::combinator::rest;
use nom::sequence::preceded;

use super::Parsed;
use crate::reason::DiagnosticKind;
use crate::token;

/// The maximum number of bytes that are taken from one line; x86 prints 64, arm64 20, s390 none.
pub(crate) const MAX_CODE: usize = 256;

/// Parses `Code:`, and returns the rest of the line.
pub(crate) fn code(line: &[u8]) -> Parsed<'_, &[u8]> {
    preceded(tag("Code:"), rest).parse(line)
}

/// Parses the tag of a dump below all registers, and returns the rest of the line.
pub(crate) fn code_below(line: &[u8]) -> Parsed<'_, &[u8]> {
    preceded(alt((tag("Instruction dump:"), tag("Instruction DUMP:"))), rest).parse(line)
}

/// The bytes of a dump of code, which may have several lines.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Code {
    /// The units in the order in which they were printed, each most significant byte first.
    pub(crate) bytes: Vec<u8>,
    /// Bytes per unit: 1, 2 or 4.
    pub(crate) unit: usize,
    /// Offset in [`Code::bytes`] of the unit that was marked.
    pub(crate) trap: Option<usize>,
    /// The reason why the rest of the line was not read, and the offset of its first byte.
    pub(crate) fault: Option<(DiagnosticKind, usize)>,
}

/// The text in place of the bytes if the instruction pointer is bad.
const UNREADABLE: [&str; 5] = [
    "(Bad address in ", // show_code() in arch/loongarch and arch/mips
    "Bad RIP value",
    "Unable to access instruction at ", // dump_kernel_instr() in arch/riscv
    "Unable to access opcode bytes",
    "bad PC value",
];

/// A word that the kernel could not read: powerpc.
const NO_WORD: &[u8] = &[b'X'; 8];

/// Whether the kernel could not read a unit: powerpc, arm64 (`dump_kernel_instr()`), Thumb.
fn is_unread(token: &[u8]) -> bool {
    token == NO_WORD || (matches!(token.len(), 4 | 8) && token.iter().all(|b| *b == b'?'))
}

/// Returns whether a line consists of words of 32 or 64 bits, at least two: it continues the line
/// above it.
pub(crate) fn is_words(line: &[u8]) -> bool {
    let is_word = |token: &[u8]| {
        let digits = token.strip_prefix(b"<").and_then(|token| token.strip_suffix(b">"));
        let digits = digits.unwrap_or(token);
        matches!(digits.len(), 8 | 16)
            && (digits.iter().all(u8::is_ascii_hexdigit) || digits == NO_WORD)
    };
    let mut tokens = line.split(|&b| b == b' ').filter(|token| !token.is_empty()).peekable();
    let is_word_list = tokens.next().is_some_and(is_word) && tokens.peek().is_some();
    is_word_list && tokens.all(is_word)
}

/// Whether a line is a row of dumped memory: the end of its address, and words of 32 or 64 bits.
///
/// A stack of 8 KiB takes 256 of them: `dump_mem()` in arch/arm/kernel/traps.c and in
/// arch/sh/kernel/dumpstack.c, which leave the words below the stack pointer blank.
pub(crate) fn is_memory_row(line: &[u8]) -> bool {
    let Some((address, words)) = line.split_at_checked(4) else { return false };
    let is_word = |token: &[u8]| {
        matches!(token.len(), 8 | 16)
            && (token.iter().all(u8::is_ascii_hexdigit) || is_unread(token))
    };
    let mut tokens = words.get(1..).unwrap_or_default().split(|&b| b == b' ');
    words.starts_with(b": ")
        && address.iter().all(u8::is_ascii_hexdigit)
        && tokens.all(|token| token.is_empty() || is_word(token))
}

/// An instruction that the kernel disassembled itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Listed<'a> {
    /// `#` before the last instruction above the instruction pointer, `>` at it.
    pub(crate) mark: Option<u8>,
    /// The digits of its bytes.
    pub(crate) digits: &'a [u8],
    /// The instruction.
    pub(crate) text: &'a [u8],
}

/// Parses a line of the listing of s390, with the tag or without.
pub(crate) fn listed(line: &[u8]) -> Option<Listed<'_>> {
    let line = line.strip_prefix(b"Krnl Code:").unwrap_or(line).trim_ascii_start();
    let mark = line.first().copied().filter(|b| matches!(b, b'#' | b'>'));
    let line = line.get(usize::from(mark.is_some())..)?;
    let (rest, address) = token::hex(line).ok()?;
    let rest = rest.strip_prefix(b": ").filter(|_| address.digits == 16)?.trim_ascii_start();
    let len = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (digits, text) = rest.split_at_checked(len).filter(|_| matches!(len, 4 | 8 | 12))?;
    text.first().is_some_and(u8::is_ascii_whitespace).then_some(())?;
    Some(Listed { mark, digits, text: text.trim_ascii() })
}

impl Code {
    /// Reads the text after `Code:`, or a further line of it.
    ///
    /// Never fails: the bytes before an error are kept, and [`Code::fault`] has the reason. If the
    /// kernel could not read the bytes and printed words instead, the value has no bytes.
    pub(crate) fn read(&mut self, input: &[u8]) {
        if UNREADABLE.iter().any(|words| input.trim_ascii_start().starts_with(words.as_bytes())) {
            self.fault = Some((DiagnosticKind::Unreadable, 0));
            return;
        }
        let mut at = 0;
        for token in input.split(|&b| b == b' ') {
            let place = at;
            at += token.len() + 1;
            // Unreadable words before the first readable one are skipped; the kernel prints none
            // between readable words.
            if token.is_empty() || (is_unread(token) && self.bytes.is_empty()) {
                continue;
            }
            let inner = token.strip_prefix(b"(").and_then(|token| token.strip_suffix(b")"));
            if is_unread(inner.unwrap_or(token)) {
                self.fault = Some((DiagnosticKind::Unreadable, place));
                break;
            }
            if let Err(why) = unit(self, token) {
                self.fault = Some((why, place));
                break;
            }
        }
    }

    /// Adds the bytes of one instruction, and returns its offset.
    pub(crate) fn add(&mut self, digits: &[u8]) -> usize {
        let at = self.bytes.len();
        if at < MAX_CODE {
            self.bytes.extend(digits.chunks_exact(2).map(byte));
        }
        at
    }
}

/// The value of two hexadecimal digits.
fn byte(pair: &[u8]) -> u8 {
    pair.iter().fold(0, |sum, &digit| (sum << 4) | token::hex_value(digit))
}

fn unit(code: &mut Code, token: &[u8]) -> Result<(), DiagnosticKind> {
    let (marked, digits) = match token {
        [b'<', digits @ .., b'>'] | [b'(', digits @ .., b')'] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(DiagnosticKind::NoNumber);
    }
    if code.bytes.is_empty() {
        code.unit = match digits.len() {
            2 => 1,
            4 => 2,
            8 => 4,
            _ => return Err(DiagnosticKind::NoUnit),
        };
    }
    if digits.len() != 2 * code.unit {
        return Err(DiagnosticKind::OtherWidth);
    }
    if code.bytes.len() + code.unit > MAX_CODE {
        return Err(DiagnosticKind::TooManyBytes);
    }
    if marked && code.trap.replace(code.bytes.len()).is_some() {
        code.trap = None;
        return Err(DiagnosticKind::SecondMark);
    }
    code.bytes.extend(digits.chunks_exact(2).map(byte));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &[u8]) -> Code {
        let mut code = Code::default();
        code.read(line);
        code
    }

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
    fn ok_lines() {
        let mut code = Code::default();
        let unreadable = format!(" {} 7c7b1b78 ", "X".repeat(8));
        for line in ["", &unreadable, "<0b090000> 812a0000"] {
            assert!(line.is_empty() || is_words(line.as_bytes()), "{line}");
            code.read(line.as_bytes());
        }
        assert_eq!((code.bytes.len(), code.trap, code.fault), (12, Some(4), None));

        for line in ["8000:                   e0728044 e0728018", "9ff0: ???????? 00000000"] {
            assert!(is_memory_row(line.as_bytes()), "{line}");
        }
        let line = b"Krnl Code: 000003ff7fd02646: fcdfa7290001\tmp\t1833(14,%r10)";
        let found = listed(line).expect("an instruction");
        assert_eq!((found.mark, found.digits), (None, &b"fcdfa7290001"[..]));
        let line = b"           #000003ff7fd0265e: 07fe\t\tbcr\t15,%r14";
        let found = listed(line).expect("an instruction");
        assert_eq!((found.mark, found.text), (Some(b'#'), &b"bcr\t15,%r14"[..]));
    }

    #[test]
    fn err_lines() {
        for line in ["", "8260e888", "8260e888 82", "8260e888 x", "a b", "8260e888 <8260e888"] {
            assert!(!is_words(line.as_bytes()), "{line}");
        }
        for line in
            ["8000: 00 01 02", "8000: e0728044e", "8000:", "800: e0728044", "what: e0728044"]
        {
            assert!(!is_memory_row(line.as_bytes()), "{line}");
        }
        for line in ["", "000003ff7fd02646", "000003ff7fd02646: f", "2646: 07fe\tbcr", "x: 07fe b"]
        {
            assert_eq!(listed(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn err_code() {
        let p = |line: &'static str| {
            let c = code(line.as_bytes());
            (c.bytes.len(), c.trap, c.fault)
        };
        assert_eq!(p(""), (0, None, None));
        assert_eq!(p(" Bad RIP value."), (0, None, Some((DiagnosticKind::Unreadable, 0))));
        let unreadable = |at| Some((DiagnosticKind::Unreadable, at));
        assert_eq!(p(" ???????? ???????? (????????)"), (0, None, unreadable(19)));
        assert_eq!(p(" d503201f aa1f03e0 (????????)"), (8, None, unreadable(19)));
        assert_eq!(p(" ???????? d503201f (aa1f03e0)"), (8, Some(4), None));
        assert_eq!(p(" 48 4"), (1, None, Some((DiagnosticKind::OtherWidth, 4))));
        assert_eq!(p(" <48> 89 <0f> b6"), (2, None, Some((DiagnosticKind::SecondMark, 9))));
        assert_eq!(p(" 48 <> 1"), (1, None, Some((DiagnosticKind::NoNumber, 4))));
        assert_eq!(p(" 123"), (0, None, Some((DiagnosticKind::NoUnit, 1))));
        let long = " 90".repeat(MAX_CODE + 1);
        assert_eq!(code(long.as_bytes()).bytes.len(), MAX_CODE);
    }
}
