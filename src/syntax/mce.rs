//! Machine checks of x86: print_mce() in arch/x86/kernel/cpu/mce/core.c.
//!
//! ```text
//! check   = text "CPU " n ": Machine Check" [ " Exception" ] ": " hex " Bank " n ": " hex
//! details = text "TSC " hex [ " ADDR " hex ] …
//! reason  = text "Machine check: " text                    ; mce_panic()
//! ```

use nom::Parser;
use nom::bytes::complete::tag;
use nom::combinator::opt;
use nom::sequence::preceded;

use crate::search;
use crate::token::{Hex, decimal, hex};

/// The CPU, the bank and its status.
pub(crate) fn check(line: &[u8]) -> Option<(u64, u64, Hex)> {
    let end = search::find(line, ": Machine Check")?;
    let cpu = search::find(line.get(..end)?, "CPU ")? + 4;
    let (_, cpu) = decimal(line.get(cpu..end)?).ok()?;
    let rest = (tag(": Machine Check"), opt(tag(" Exception")), tag(": "), hex, tag(" Bank "));
    let (_, (bank, status)) =
        (preceded(rest, decimal), preceded(tag(": "), hex)).parse(line.get(end..)?).ok()?;
    Some((cpu, bank, status))
}

/// The address of the error.
///
/// The headline begins with `CPU 2` behind its prefix, so a prefix learned from it covers the same
/// number of words on the lines below.
pub(crate) fn address(line: &[u8]) -> Option<Hex> {
    let at = search::find(line, "ADDR ")?;
    let is_word = at.checked_sub(1).is_none_or(|before| line.get(before) == Some(&b' '));
    let (_, address) = hex(line.get(at + 5..)?).ok()?;
    is_word.then_some(address)
}

/// The reason of the panic, which may be cut off.
pub(crate) fn reason(line: &[u8]) -> Option<&[u8]> {
    let whole = search::after(line, "Machine check: ");
    let cut = || line.strip_prefix(b": ").filter(|rest| !rest.starts_with(b"Machine Check"));
    let reason = whole.or_else(cut)?.trim_ascii();
    reason.first().is_some_and(u8::is_ascii_alphabetic).then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_lines() {
        let line =
            b"mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 3: be00000000800400";
        let (cpu, bank, status) = check(line).expect("a check");
        assert_eq!((cpu, bank, status.value), (2, 3, 0xbe00_0000_0080_0400));
        let line = b"mce: [Hardware Error]: TSC 3d1e2a7c8b ADDR 3fff81a2b3c4 MISC 7fff ";
        assert_eq!(address(line).map(|address| address.value), Some(0x3fff_81a2_b3c4));
        assert!(address(b" ADDR 3fff81a2b3c4 MISC 7fff").is_some());
        let line = b"mce: [Hardware Error]: Machine check: Processor context corrupt";
        assert_eq!(reason(line), Some(&b"Processor context corrupt"[..]));
        assert_eq!(reason(b": Processor context corrupt"), Some(&b"Processor context corrupt"[..]));
    }

    #[test]
    fn err_lines() {
        for line in ["CPU x: Machine Check: 0 Bank 1: 2", "CPU 1: Machine Check: 0 Bank x", ""] {
            assert!(check(line.as_bytes()).is_none(), "{line}");
        }
        assert!(reason(b": Machine Check Exception: 5").is_none());
        assert!(address(b"xADDR 1").is_none() && reason(b"Machine check: ").is_none());
    }
}
