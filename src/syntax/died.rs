//! The line of `die()`: the cause, and the number of the oops since the boot.
//!
//! ```text
//! died  = x86 / s390 / sig / oops / sparc / mips
//! x86   = [ "Oops: " ] cause ": " code counter " " flags        ; x86, sh
//! s390  = cause ": " code " ilc:" n counter " " flags
//! sig   = [ "Oops: " ] cause ( ", " / ": " ) "sig: " n counter  ; powerpc, xtensa
//! oops  = "Oops" [ " - " cause ] counter                        ; riscv, csky
//! sparc = comm "(" pid "): " cause counter
//! mips  = [ "Oops: " ] cause "[#" n "]:"                        ; mips, loongarch, hexagon
//! counter = " [#" n "]"
//! flags = *( "PREEMPT" / "SMP" / … )
//! ```
//!
//! Text may precede the line: a prefix that is not known yet.

use nom::Parser;
use nom::bytes::complete::tag;

use crate::search;
use crate::token::{self, digits};

/// The texts that may precede the cause.
const INTROS: [&str; 3] = ["Oops: ", "Oops - ", "Internal error: "];

/// The cause that callers without a text of their own pass to `die()`.
const OOPS: &[u8] = b"Oops";

/// The longest cause, in bytes; the longest of Linux has 73.
const MAX_CAUSE: usize = 200;

/// The digits of an error code: 16 or 32 bits, or a register.
const CODE: std::ops::RangeInclusive<usize> = 4..=16;

/// The fields of the line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Died<'a> {
    /// The start of the line in the text, including the text before the cause.
    pub(crate) start: usize,
    pub(crate) cause: &'a [u8],
    /// The text behind the counter.
    pub(crate) rest: &'a [u8],
}

/// Reads such a line.
pub(crate) fn died(text: &[u8]) -> Option<Died<'_>> {
    let at = search::find(text, "[#")?;
    let (before, behind) = text.split_at_checked(at)?;
    let (rest, _) = (tag("[#"), digits, tag("]")).parse(behind).ok()?;
    let cause = match before.strip_suffix(b" ") {
        Some(head) if are_flags(rest) => coded(head)
            .or_else(|| signalled(head))
            .or_else(|| of_oops(head))
            .or_else(|| of_task(head)),
        None if rest.trim_ascii_end() == b":" => attached(before),
        _ => None,
    };
    let (start, cause) = cause?;
    let cause = cause.trim_ascii();
    let (_, last) = last_word(cause).unwrap_or((b"", cause));
    let is_text = last.first().is_some_and(u8::is_ascii_alphabetic);
    (is_text && cause.len() <= MAX_CAUSE).then_some(Died { start, cause, rest })
}

/// The start of the line, and its cause.
type Found<'a> = (usize, &'a [u8]);

/// The configuration that some machines print behind the counter: words that begin with a capital.
fn are_flags(text: &[u8]) -> bool {
    let is_flag = |word: &[u8]| word.first().is_none_or(u8::is_ascii_uppercase);
    text.split(u8::is_ascii_whitespace).all(is_flag)
}

/// `cause: 0000`, `cause: 0001 ilc:1`.
fn coded(head: &[u8]) -> Option<Found<'_>> {
    let (head, code) = last_word(head)?;
    let (head, code) = match code.strip_prefix(b"ilc:") {
        Some(length) if digits(length).is_ok() => last_word(head)?,
        _ => (head, code),
    };
    let is_code = CODE.contains(&code.len()) && code.iter().all(u8::is_ascii_hexdigit);
    let cause = head.strip_suffix(b":").filter(|_| is_code)?;
    Some(begin(cause))
}

/// `cause, sig: 5`, `cause: sig: 9`.
fn signalled(head: &[u8]) -> Option<Found<'_>> {
    let (head, signal) = last_word(head)?;
    let cause = head.strip_suffix(b" sig:").filter(|_| signal.iter().all(u8::is_ascii_digit))?;
    let cause = cause.strip_suffix(b",").or_else(|| cause.strip_suffix(b":"))?;
    Some(begin(cause))
}

/// `Oops - cause`, `Oops`.
fn of_oops(head: &[u8]) -> Option<Found<'_>> {
    const INTRO: &str = "Oops - ";
    let cause = search::find(head, INTRO).and_then(|at| Some((at, head.get(at + INTRO.len()..)?)));
    cause.or_else(|| Some((head.strip_suffix(OOPS)?.len(), OOPS)))
}

/// `comm(12): cause`.
fn of_task(head: &[u8]) -> Option<Found<'_>> {
    let end = search::find(head, "): ")?;
    let open = search::rfind(head.get(..end)?, "(")?;
    let pid = head.get(open + 1..end)?;
    let comm = head.get(..open)?;
    let start = memchr::memrchr(b' ', comm).map_or(0, |blank| blank + 1);
    let is_pid = !pid.is_empty() && pid.iter().all(u8::is_ascii_digit);
    let cause = head.get(end + 3..)?;
    // `printf(3): a footnote [#1]` is other text.
    let is_cause = cause.first().is_some_and(u8::is_ascii_uppercase);
    Some((start, cause)).filter(|_| start < open && is_pid && is_cause)
}

/// `cause` directly before the counter: some words, one with a capital or the name of a function,
/// or `Oops`.
fn attached(head: &[u8]) -> Option<Found<'_>> {
    let ends = head.last().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'!');
    let (start, cause) = Some(begin(head)).filter(|_| ends)?;
    let is_name =
        |word: &[u8]| word.first().is_some_and(u8::is_ascii_uppercase) || word.contains(&b'_');
    let is_sentence = cause.contains(&b' ') && cause.split(|b| *b == b' ').any(is_name);
    let is_announced = cause == OOPS || start + cause.len() < head.len();
    (is_announced || is_sentence).then_some((start, cause))
}

/// Strips the text before a cause: the words of `die()` or of its caller, otherwise everything up to the last
/// word that cannot be part of a cause ([`is_of_sentence`]).
fn begin(text: &[u8]) -> Found<'_> {
    let behind = |intro: &str| Some((search::rfind(text, intro)?, intro.len()));
    if let Some(head) = text.strip_suffix(OOPS) {
        let start = INTROS.iter().filter_map(|intro| search::rfind(head, intro)).min();
        return (start.unwrap_or(head.len()), OOPS);
    }
    if let Some((at, len)) = INTROS.iter().filter_map(|intro| behind(intro)).max() {
        // `Internal error: Oops - BTI`.
        let start = INTROS.iter().filter_map(|intro| search::rfind(text, intro)).min();
        return (start.unwrap_or(at), text.get(at + len..).unwrap_or_default());
    }
    let mut start = text.len();
    for word in text.rsplit(|b| *b == b' ') {
        if !is_of_sentence(word, start == text.len()) {
            break;
        }
        start = start.saturating_sub(word.len() + usize::from(start < text.len()));
    }
    let blanks = text.get(start..).unwrap_or_default().iter().take_while(|b| **b == b' ').count();
    (start + blanks, text.get(start + blanks..).unwrap_or_default())
}

/// Returns whether a word may be a part of a cause: words of log prefixes contain digits, or end
/// with a mark.
fn is_of_sentence(word: &[u8], is_last: bool) -> bool {
    // `unexpected #NM exception`, `store (or AMO) access fault`.
    let name = word.strip_prefix(b"#").or_else(|| word.strip_prefix(b"(")).unwrap_or(word);
    let is_first = name.first().is_some_and(u8::is_ascii_alphabetic);
    let has_mark = name.iter().any(|b| b"[]<>|:=\"\\`*#@".contains(b));
    let has_digit = word.iter().any(u8::is_ascii_digit);
    is_first && !has_mark && (is_last || !has_digit)
}

/// The last word, and the text before it.
fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memrchr(b' ', text)?;
    let word = text.get(blank + 1..).filter(|word| token::word(word).is_ok())?;
    Some((text.get(..blank)?, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_died() {
        for (line, cause) in [
            ("alignment check: 0000 [#1] PREEMPT SMP NOPTI", "alignment check"),
            ("Oops: bounds: 0000 [#2] SMP KASAN PTI", "bounds"),
            ("Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI", "Oops"),
            ("illegal operation: 0001 ilc:1 [#1] SMP ", "illegal operation"),
            ("Oops: Exception in kernel mode, sig: 5 [#1]", "Exception in kernel mode"),
            ("Illegal instruction in kernel: sig: 9 [#1] PREEMPT", "Illegal instruction in kernel"),
            ("Oops - illegal instruction [#1]", "illegal instruction"),
            ("Oops [#3]", "Oops"),
            ("Oops[#1]:", "Oops"),
            ("[   12.3] Oops[#1]:", "Oops"),
            ("[   12.3] int3: 0000 [#1] SMP", "int3"),
            ("c0 alignment check: 0000 [#1] SMP", "alignment check"),
            ("host kernel: invalid TSS: 0010 [#1] SMP", "invalid TSS"),
            ("Reserved instruction in kernel code[#1]:", "Reserved instruction in kernel code"),
            ("Math emu break/trap[#1]:", "Math emu break/trap"),
            ("unexpected #NM exception: 0000 [#1] SMP", "unexpected #NM exception"),
            ("do_cpu invoked from kernel context![#1]:", "do_cpu invoked from kernel context!"),
            ("Oops: Bad Kernel VA[#1]:", "Bad Kernel VA"),
            ("Oops - BUG[#1]:", "BUG"),
            ("swapper/0(1): TL0: Kernel divide by zero. [#1]", "TL0: Kernel divide by zero."),
            ("Internal error: Oops - BTI: 0000000034000002 [#1] SMP", "BTI"),
        ] {
            let found = died(line.as_bytes()).map(|died| died.cause);
            assert_eq!(found, Some(cause.as_bytes()), "{line}");
        }
    }

    #[test]
    fn err_died() {
        for line in [
            "",
            "[#1]",
            "[#1]: https://example.org",
            "a fix for the crash [#1]",
            "see[#1]:",
            "see the first entry[#1]:",
            "- foo: bar [#12]",
            "Oops [#1] was seen",
            "a(b): C [#1]",
            "printf(3): a footnote [#1]",
            "Oops: 0002 [#",
            "x: 12 [#1]",
            "0: 0000 [#1] PREEMPT SMP",
        ] {
            assert_eq!(died(line.as_bytes()), None, "{line}");
        }
    }
}
