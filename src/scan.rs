//! Where reports start: one pass over the bytes for a few short anchors.
//!
//! Every marker of the kind table holds one of [`ANCHORS`]. Sixteen short patterns are what a
//! vectorised search handles at the speed of memory, so a log without a splat costs little more
//! than reading it; only lines with an anchor are looked at closely, each once.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};
use memchr::{memchr, memrchr};

use crate::kind::Marker;
use crate::kind::table::MARKERS;
use crate::line::{MAX_LINE, clean};
use crate::text;

/// Parts of markers that are rare in a log without a splat; at most sixteen.
const ANCHORS: [&str; 7] =
    ["BUG", "ARNING", "protection f", "ernel panic", "PANIC", "ide error:", "opcode:"];

/// Printed by the console after a line that it had to cut: the line comes once more.
///
/// See `console_prepend_replay()` in kernel/printk/printk.c.
const REPLAY: &[u8] = b"** replaying previous printk message **";

static ANCHOR_SEARCH: LazyLock<Anchors> = LazyLock::new(Anchors::new);
static MARKER_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(MARKERS.iter().map(|marker| marker.text)).ok());

/// The search for anchors: vectorised where the machine can.
enum Anchors {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// Neither could be built, which no known machine does: every line is looked at.
    Nothing,
}

impl Anchors {
    fn new() -> Self {
        if let Some(searcher) = packed::Searcher::new(ANCHORS) {
            return Self::Packed(searcher);
        }
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(ANCHORS)
            .map_or(Self::Nothing, Self::Automaton)
    }

    /// The first anchor at `from` or after it.
    fn find(&self, log: &[u8], from: usize) -> Option<usize> {
        match self {
            Self::Packed(search) => {
                let span = aho_corasick::Span { start: from, end: log.len() };
                search.find_in(log, span).map(|found| found.start())
            }
            Self::Automaton(search) => {
                search.find(aho_corasick::Input::new(log).range(from..)).map(|found| found.start())
            }
            Self::Nothing => (from < log.len()).then_some(from),
        }
    }
}

/// A line that starts a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Offset of the first byte of the line.
    pub(crate) at: usize,
    /// The marker that it holds.
    pub(crate) marker: &'static Marker,
}

/// Finds the first line that starts a report, in lines that begin at `from` or after it.
///
/// `from` must be the start of a line.
pub(crate) fn next_start(log: &[u8], from: usize) -> Option<Start> {
    let mut from = from;
    while from < log.len() {
        let anchor = ANCHOR_SEARCH.find(log, from)?;
        let at = memrchr(b'\n', log.get(from..anchor)?).map_or(from, |feed| from + feed + 1);
        let end = memchr(b'\n', log.get(anchor..)?).map_or(log.len(), |feed| anchor + feed);
        let line = log.get(at..end.min(at + MAX_LINE))?;
        // Colours may stand in the middle of a marker.
        if let Some(marker) = marker(&clean(line))
            && !is_replayed(log, end)
        {
            return Some(Start { at, marker });
        }
        from = end + 1;
    }
    None
}

/// The marker that makes `line` a start.
fn marker(line: &[u8]) -> Option<&'static Marker> {
    let search = MARKER_SEARCH.as_ref()?;
    let mut present = 0u64;
    for found in search.find_overlapping_iter(line) {
        present |= 1 << found.pattern().as_usize();
    }
    if present == 0 {
        return None;
    }
    MARKERS
        .iter()
        .enumerate()
        .filter(|(index, _)| present & (1 << index) != 0)
        .map(|(_, marker)| marker)
        .find(|marker| !marker.unless.iter().any(|literals| in_order(line, literals)))
}

/// Whether the literals occur in the line one after the other.
fn in_order(line: &[u8], literals: &[&str]) -> bool {
    let mut rest = line;
    literals.iter().all(|literal| match text::find(rest, literal) {
        Some(at) => {
            rest = rest.get(at + literal.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

/// Whether the line after the one that ends at `end` says that the console prints it again.
fn is_replayed(log: &[u8], end: usize) -> bool {
    let next = log.get(end + 1..).unwrap_or_default();
    let next = next.get(..next.len().min(MAX_LINE)).unwrap_or_default();
    let next = memchr(b'\n', next).and_then(|feed| next.get(..feed)).unwrap_or(next);
    text::has(next, REPLAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(log: &str) -> Vec<(usize, &'static str)> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(start) = next_start(log.as_bytes(), from) {
            found.push((start.at, start.marker.text));
            from = start.at + memchr(b'\n', &log.as_bytes()[start.at..]).unwrap_or(log.len()) + 1;
        }
        found
    }

    #[test]
    fn every_marker_holds_an_anchor() {
        assert!(ANCHORS.len() <= 16, "more than sixteen patterns are slow");
        assert!(MARKERS.len() <= 64, "`marker` keeps a bit for each");
        for marker in MARKERS {
            assert!(
                ANCHORS.iter().any(|anchor| marker.text.contains(anchor)),
                "no anchor finds `{}`",
                marker.text
            );
            assert_eq!(starts(marker.text), [(0, marker.text)], "an earlier marker hides it");
        }
    }

    #[test]
    fn a_marker_stands_anywhere_in_a_line() {
        assert_eq!(starts("a\nb BUG: c\nd\n[  1.5] WARNING: x\n"), [(2, "BUG:"), (13, "WARNING:")]);
        assert_eq!(starts("a BUG\nkernel BUG at x\n"), [(6, "kernel BUG")]);
        assert_eq!(starts(""), []);
    }

    #[test]
    fn programs_and_hints_start_nothing() {
        assert_eq!(starts("ODEBUG: Out of memory\nEXT4-fs (sda): WARNING: mounting\n"), []);
        let line = "traps: a[1] general protection fault ip:1 sp:2 error:0 in libc.so[1+2]\n";
        assert_eq!(starts(line), []);
    }

    #[test]
    fn a_line_that_is_printed_again_is_no_start() {
        let log = "BUG: KASAN: sl\n** replaying previous printk message **\nBUG: KASAN: slab x\n";
        assert_eq!(starts(log), [(55, "BUG:")]);
    }
}
