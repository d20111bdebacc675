//! Substring search in lines.

use aho_corasick::MatchKind;
use aho_corasick::nfa::contiguous::NFA;
use memchr::memchr_iter;

/// Builds one search for many words. Of two words that match at the same place the first wins.
///
/// `None` if the automaton cannot be built, which takes more words than any table here has. A
/// contiguous NFA takes little time to build, and programs start for every log; a DFA takes
/// longer to build than it saves on some megabytes of log. `AhoCorasick`, which chooses between
/// them, would bring the code of all its automata into a page.
pub(crate) fn automaton<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Option<NFA> {
    NFA::builder().match_kind(MatchKind::LeftmostFirst).build(words).ok()
}

/// Returns the first place of `literal` in `text`, a line.
///
/// Lines are so short that `memmem` would take most of its time to prepare the search. This
/// searches for one byte of the literal with memchr and compares there. The time is bounded by the
/// product of both lengths, and literals are short.
pub(crate) fn find(text: &[u8], literal: impl AsRef<[u8]>) -> Option<usize> {
    let literal = literal.as_ref();
    // Blanks are frequent, so a literal that begins with one is searched by its second byte.
    let skip = usize::from(literal.len() > 1 && literal.first() == Some(&b' '));
    let Some(&byte) = literal.get(skip) else { return Some(0) };
    memchr_iter(byte, text.get(skip..)?)
        .find(|&at| text.get(at..).is_some_and(|text| text.starts_with(literal)))
}

/// Returns the part of `text`, a line, after the first place of `literal`.
pub(crate) fn after(text: &[u8], literal: impl AsRef<[u8]>) -> Option<&[u8]> {
    let literal = literal.as_ref();
    text.get(find(text, literal)? + literal.len()..)
}

/// Returns the last place of `literal` in `text`, a line.
pub(crate) fn rfind(text: &[u8], literal: impl AsRef<[u8]>) -> Option<usize> {
    let literal = literal.as_ref();
    let Some(last) = literal.len().checked_sub(1) else { return Some(text.len()) };
    // Blanks are frequent, so the byte before the last is searched.
    let skip = last.saturating_sub(1);
    let byte = literal.get(skip)?;
    let places = memchr::memrchr_iter(*byte, text).filter_map(|at| at.checked_sub(skip));
    places.into_iter().find(|&at| text.get(at..).is_some_and(|text| text.starts_with(literal)))
}

/// Returns whether `text`, a line, contains `literal`.
pub(crate) fn has(text: &[u8], literal: impl AsRef<[u8]>) -> bool {
    find(text, literal).is_some()
}

/// Returns whether `text`, a line, contains the literals in this order, without overlaps.
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
