//! Where reports start: one pass over the bytes for a few short anchors.
//!
//! Every marker of the kind table names its anchor. A few short patterns are what a vectorised
//! search handles near the speed of memory, so a log without a splat costs little more
//! than reading it; only lines with an anchor are looked at closely, each once.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};
use memchr::{memchr, memrchr};

use crate::kind::Marker;
use crate::kind::table::MARKERS;
use crate::line::{MAX_LINE, clean};
use crate::words;

/// The most anchors of one search.
///
/// Teddy, the search behind it, has eight buckets: with more patterns than that in one search it
/// loses more than a second search costs.
const GROUP: usize = 8;

/// The longest anchor, in bytes.
const LONGEST: usize = longest(MARKERS);

const fn longest(markers: &[&Marker]) -> usize {
    let (mut markers, mut longest) = (markers, 0);
    while let [first, rest @ ..] = markers {
        if first.anchor.len() > longest {
            longest = first.anchor.len();
        }
        markers = rest;
    }
    longest
}

/// How much of the log is given to one search before the next gets the same: at first, so that
/// anchors that follow each other closely cost no more than the bytes between them, and at most,
/// so that the bytes are still in the cache.
const WINDOW: (usize, usize) = (512, 64 * 1024);

/// Printed by the console after a line that it had to cut: the line comes once more.
///
/// See `console_prepend_replay()` in kernel/printk/printk.c.
const REPLAY: &[u8] = b"** replaying previous printk message **";

static ANCHOR_SEARCHES: LazyLock<Vec<Search>> = LazyLock::new(|| searches(false));
static INFORMATION_SEARCHES: LazyLock<Vec<Search>> = LazyLock::new(|| searches(true));
static MARKER_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| words::search(MARKERS.iter().map(|marker| marker.text), MatchKind::Standard));

/// The searches for anchors: vectorised where the machine can.
#[derive(Debug)]
enum Search {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// Neither could be built, which no known machine does: every line is looked at.
    Nothing,
}

impl Search {
    fn new(anchors: &[&str]) -> Self {
        if let Some(searcher) = packed::Searcher::new(anchors) {
            return Self::Packed(searcher);
        }
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(anchors)
            .map_or(Self::Nothing, Self::Automaton)
    }

    /// The first anchor within a part of the log.
    fn find(&self, log: &[u8], part: Range<usize>) -> Option<usize> {
        match self {
            Self::Packed(search) => search.find_in(log, part.into()).map(|found| found.start()),
            Self::Automaton(search) => {
                let input = aho_corasick::Input::new(log).range(part);
                search.find(input).map(|found| found.start())
            }
            Self::Nothing => (!part.is_empty()).then_some(part.start),
        }
    }
}

/// The searches for the anchors of the markers, of information or of all else.
fn searches(information: bool) -> Vec<Search> {
    let mut anchors: Vec<&str> = Vec::with_capacity(MARKERS.len());
    for marker in MARKERS.iter().filter(|marker| marker.kind.is_information() == information) {
        if !anchors.contains(&marker.anchor) {
            anchors.push(marker.anchor);
        }
    }
    anchors.chunks(GROUP).map(Search::new).collect()
}

/// The first anchor at `from` or after it.
fn next_anchor(log: &[u8], from: usize, information: bool) -> Option<usize> {
    let more = information.then(|| &*INFORMATION_SEARCHES).into_iter().flatten();
    let (mut start, mut size) = (from, WINDOW.0);
    while start < log.len() {
        let mut end = (start + size + LONGEST).min(log.len());
        let mut first = None;
        for search in ANCHOR_SEARCHES.iter().chain(more.clone()) {
            if let Some(found) = search.find(log, start..end) {
                first = Some(found);
                end = (found + LONGEST).min(end);
            }
        }
        if first.is_some() {
            return first;
        }
        start += size;
        size = (size * 2).min(WINDOW.1);
    }
    None
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
///
/// Information is left out unless `information` is asked for.
pub(crate) fn next_start(log: &[u8], from: usize, information: bool) -> Option<Start> {
    let mut from = from;
    while from < log.len() {
        let anchor = next_anchor(log, from, information)?;
        let at = memrchr(b'\n', log.get(from..anchor)?).map_or(from, |feed| from + feed + 1);
        let end = memchr(b'\n', log.get(anchor..)?).map_or(log.len(), |feed| anchor + feed);
        let line = log.get(at..end.min(at + MAX_LINE))?;
        // Colours may stand in the middle of a marker.
        if let Some(marker) = marker(&clean(line), information)
            && !is_replayed(log, end)
        {
            return Some(Start { at, marker });
        }
        from = end + 1;
    }
    None
}

/// Whether the line that begins at `at` holds a marker.
pub(crate) fn is_start(log: &[u8], at: usize, information: bool) -> bool {
    let rest = log.get(at..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(MAX_LINE)).unwrap_or(rest);
    let line = memchr(b'\n', rest).and_then(|end| rest.get(..end)).unwrap_or(rest);
    marker(&clean(line), information).is_some()
}

/// The marker that makes `line` a start.
fn marker(line: &[u8], information: bool) -> Option<&'static Marker> {
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
        .map(|(_, marker)| *marker)
        .filter(|marker| information || !marker.kind.is_information())
        .find(|marker| !marker.unless.iter().any(|literals| words::in_order(line, literals)))
}

/// Whether the line after the one that ends at `end` says that the console prints it again.
fn is_replayed(log: &[u8], end: usize) -> bool {
    let next = log.get(end + 1..).unwrap_or_default();
    let next = next.get(..next.len().min(MAX_LINE)).unwrap_or_default();
    let next = memchr(b'\n', next).and_then(|feed| next.get(..feed)).unwrap_or(next);
    words::has(next, REPLAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::pattern::Piece;

    fn starts(log: &str) -> Vec<(usize, &'static str)> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(start) = next_start(log.as_bytes(), from, true) {
            found.push((start.at, start.marker.text));
            from = start.at + memchr(b'\n', &log.as_bytes()[start.at..]).unwrap_or(log.len()) + 1;
        }
        found
    }

    /// Whether every line with the marker that is of use has its anchor.
    fn holds_anchor(marker: &Marker) -> bool {
        let first = |format: &crate::kind::Format| match format.trigger.first() {
            Some(Piece::Lit(literal)) => literal.contains(marker.anchor),
            _ => false,
        };
        marker.text.contains(marker.anchor) || marker.formats.iter().all(first)
    }

    #[test]
    fn every_marker_is_found_by_its_anchor() {
        assert!(MARKERS.len() <= 64, "`marker` keeps a bit for each");
        for marker in MARKERS {
            assert!(holds_anchor(marker), "`{}` is not in `{}`", marker.anchor, marker.text);
            let line = format!("BUG {}", marker.text);
            assert_eq!(starts(&line), [(0, marker.text)], "an earlier marker hides it");
        }
    }

    #[test]
    fn lines_of_consequences_have_the_marker_of_the_rule() {
        for marker in MARKERS {
            for rule in marker.consequence {
                let line = format!("{} {}", marker.text, rule.text);
                assert_eq!(starts(&line), [(0, marker.text)], "an earlier marker hides it");
            }
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
        assert_eq!(starts("tst_test.c:1737: TINFO: Timeout per run is 0h 05m 00s\n"), []);
        let line = "traps: a[1] general protection fault ip:1 sp:2 error:0 in libc.so[1+2]\n";
        assert_eq!(starts(line), []);
    }

    #[test]
    fn a_line_that_is_printed_again_is_no_start() {
        let log = "BUG: KASAN: sl\n** replaying previous printk message **\nBUG: KASAN: slab x\n";
        assert_eq!(starts(log), [(55, "BUG:")]);
    }
}
