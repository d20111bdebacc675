//! Substring search in lines.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memchr_iter;

/// One search for many words; of two that begin at the same place the first wins.
///
/// `None` if it cannot be built, which takes more words than any table here has. It is an automaton
/// that takes little time to build, because programs start for every log; a faster one costs more to
/// build than a log of some megabytes gives back.
pub(crate) fn automaton<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Option<AhoCorasick> {
    let kind = Some(AhoCorasickKind::ContiguousNFA);
    AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostFirst).build(words).ok()
}

/// The first place of `literal` in `text`, a line.
///
/// Lines are so short that `memmem` would spend most of its time on preparing the search; this
/// looks for one byte of the literal and compares there. The time is bounded by the product of
/// both lengths, and literals are short.
pub(crate) fn find(text: &[u8], literal: impl AsRef<[u8]>) -> Option<usize> {
    let literal = literal.as_ref();
    // Blanks are everywhere, so a literal that begins with one is looked for by its next byte.
    let skip = usize::from(literal.len() > 1 && literal.first() == Some(&b' '));
    let Some(&byte) = literal.get(skip) else { return Some(0) };
    memchr_iter(byte, text.get(skip..)?)
        .find(|&at| text.get(at..).is_some_and(|text| text.starts_with(literal)))
}

/// The last place of `literal` in `text`, a line.
pub(crate) fn rfind(text: &[u8], literal: impl AsRef<[u8]>) -> Option<usize> {
    let literal = literal.as_ref();
    let Some(last) = literal.len().checked_sub(1) else { return Some(text.len()) };
    // Blanks are everywhere, so the byte before the last is looked for.
    let skip = last.saturating_sub(1);
    let byte = literal.get(skip)?;
    let places = memchr::memrchr_iter(*byte, text).filter_map(|at| at.checked_sub(skip));
    places.into_iter().find(|&at| text.get(at..).is_some_and(|text| text.starts_with(literal)))
}

/// Whether `literal` is in `text`, a line.
pub(crate) fn has(text: &[u8], literal: impl AsRef<[u8]>) -> bool {
    find(text, literal).is_some()
}

/// Whether the literals are in `text`, a line, one after the other.
pub(crate) fn in_order(text: &[u8], literals: &[&str]) -> bool {
    let mut rest = text;
    literals.iter().all(|literal| match find(rest, literal) {
        Some(at) => {
            rest = rest.get(at + literal.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_memmem(text in "[ab ]{0,20}", literal in "[ab ]{0,4}") {
            let (text, literal) = (text.as_bytes(), literal.as_bytes());
            prop_assert_eq!(find(text, literal), memchr::memmem::find(text, literal));
            prop_assert_eq!(rfind(text, literal), memchr::memmem::rfind(text, literal));
        }
    }
}
