//! Finds the starts of reports: one pass over the bytes for a few short anchors.
//!
//! Every marker of the kind table has an anchor. A vectorised search finds all anchors near the
//! speed of memory, so a log without a report costs little more than reading it. At an anchor the
//! text of the marker is compared in place; only a line that matches is parsed, once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::slice;
use std::sync::LazyLock;

use aho_corasick::automaton::Automaton as _;
use aho_corasick::dfa::DFA;
use aho_corasick::{Input, MatchKind, packed};
use memchr::{memchr, memmem, memrchr};

use crate::kind::Marker;
use crate::kind::table::MARKERS;
use crate::log::{Line, MAX_LINE, Shape, clean, is_odd};
use crate::order;
use crate::search;

/// The most anchors of one search: beyond it Teddy, the packed search of aho-corasick, takes a form
/// of half the speed.
const GROUP: usize = 32;

/// Teddy's buckets: pattern `i` goes to bucket `i % BUCKETS`.
const BUCKETS: usize = 8;

/// The bytes of a pattern by which Teddy finds candidates; no anchor is shorter.
const PREFIX: usize = 4;

/// The longest anchor, in bytes.
const LONGEST: usize = longest(MARKERS);

const fn longest(markers: &[&Marker]) -> usize {
    let (mut markers, mut longest) = (markers, 0);
    while let [first, rest @ ..] = markers {
        assert!(first.anchor.len() >= PREFIX, "an anchor is too short");
        if first.anchor.len() > longest {
            longest = first.anchor.len();
        }
        markers = rest;
    }
    longest
}

/// The sizes of the parts of the log that one search scans before the next scans the same part: the
/// first, so that dense anchors cost no more than the bytes between them, and the largest, so that
/// the bytes are still in the cache.
const WINDOW: (usize, usize) = (512, 64 * 1024);

/// Printed by the console after a line that it had to cut: the line is printed again.
///
/// See `console_prepend_replay()` in kernel/printk/printk.c.
const REPLAY: &[u8] = b"** replaying previous printk message **";

static FAULTS: LazyLock<Vec<Search>> = LazyLock::new(|| searches(false));
static INFORMATION: LazyLock<Vec<Search>> = LazyLock::new(|| searches(true));

/// The texts of markers whose anchors are elsewhere in the line, and their indexes.
static APART: LazyLock<Vec<(usize, memmem::Finder<'static>)>> = LazyLock::new(|| {
    let apart =
        MARKERS.iter().enumerate().filter(|(_, marker)| !marker.text.contains(marker.anchor));
    apart.map(|(index, marker)| (index, memmem::Finder::new(marker.text))).collect()
});

/// The index of a marker in the table, and the offset of the anchor in its text.
type Place = (usize, usize);

/// The search for anchors.
#[derive(Debug)]
enum Method {
    /// Vectorised, if the machine supports it.
    Packed(packed::Searcher),
    Automaton(Box<DFA>),
    /// Neither could be built, which is the case on no known machine: every byte may be an anchor.
    Nothing,
}

impl Method {
    fn new(anchors: &[Vec<u8>]) -> Self {
        if let Some(searcher) = packed::Searcher::new(anchors) {
            return Self::Packed(searcher);
        }
        DFA::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(anchors)
            .map_or(Self::Nothing, |dfa| Self::Automaton(Box::new(dfa)))
    }
}

/// A search for some of the anchors.
#[derive(Debug)]
struct Search {
    method: Method,
    /// The markers of each anchor, by the index of the anchor.
    markers: Vec<Vec<Place>>,
}

/// An anchor in the log.
#[derive(Clone, Copy, Debug)]
struct Found<'s> {
    at: usize,
    search: &'s Search,
    /// The index of the anchor.
    anchor: usize,
}

impl Search {
    /// Returns the searches for faults, and if requested those for information.
    fn all(information: bool) -> impl Iterator<Item = &'static Self> {
        let more = information.then(|| &*INFORMATION).into_iter().flatten();
        FAULTS.iter().chain(more)
    }

    /// The first anchor within a part of the log.
    fn find(&self, log: &[u8], part: Range<usize>) -> Option<Found<'_>> {
        let (at, anchor) = match &self.method {
            Method::Packed(search) => {
                let found = search.find_in(log, part.into())?;
                (found.start(), found.pattern().as_usize())
            }
            Method::Automaton(search) => {
                let found = search.try_find(&Input::new(log).range(part)).ok()??;
                (found.start(), found.pattern().as_usize())
            }
            Method::Nothing => (part.start, usize::MAX),
        };
        Some(Found { at, search: self, anchor })
    }
}

impl Found<'_> {
    /// The indexes of the markers whose texts contain the anchor at its place; any byte is such a
    /// place if the search could not be built.
    fn markers(&self, log: &[u8]) -> impl Iterator<Item = usize> {
        let all = &*self.search.markers;
        let places = all.get(self.anchor).map_or(all, slice::from_ref).iter().flatten();
        let fits = move |(index, offset): &&Place| {
            let text = self.at.checked_sub(*offset).and_then(|start| log.get(start..));
            let marker = MARKERS.get(*index);
            text.zip(marker).is_some_and(|(text, marker)| text.starts_with(marker.text.as_bytes()))
        };
        places.filter(fits).map(|(index, _)| *index)
    }
}

/// The markers of each anchor: those of information, or all others.
fn anchors(information: bool) -> BTreeMap<Vec<u8>, Vec<Place>> {
    let mut anchors: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let is_asked = |marker: &Marker| marker.kind.is_information() == information;
    for (index, marker) in MARKERS.iter().enumerate().filter(|(_, marker)| is_asked(marker)) {
        let markers = anchors.entry(marker.anchor.as_bytes().to_vec()).or_default();
        markers.extend(marker.text.find(marker.anchor).map(|offset| (index, offset)));
        // dmesg ends the colour of a prefix before its colon. Such a line is always parsed.
        if let Some(prefix) = marker.anchor.strip_suffix(':') {
            anchors.entry([prefix.as_bytes(), b"\x1b"].concat()).or_default();
        }
    }
    anchors
}

/// The searches for the anchors of information, or of all other kinds.
fn searches(information: bool) -> Vec<Search> {
    let mut markers = anchors(information);
    let sorted = sorted(markers.keys().cloned());
    let mut search = |group: Vec<Vec<u8>>| Search {
        method: Method::new(&group),
        markers: group.iter().filter_map(|anchor| markers.remove(anchor)).collect(),
    };
    sorted.chunks(GROUP).map(|group| search(spread(group))).collect()
}

/// The first anchor at `from` or after it.
fn next_anchor(log: &[u8], from: usize, information: bool) -> Option<Found<'static>> {
    let (mut start, mut size) = (from, WINDOW.0);
    while start < log.len() {
        let mut end = (start + size + LONGEST).min(log.len());
        let mut first = None;
        for search in Search::all(information) {
            if let Some(found) = search.find(log, start..end) {
                end = (found.at + LONGEST).min(end);
                first = Some(found);
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

/// Returns whether a line may contain the text of a marker without its anchor, because bytes that
/// are removed later may be in the middle.
fn may_hold(line: &[u8]) -> bool {
    is_odd(line) || APART.iter().any(|(_, text)| text.find(line).is_some())
}

/// Sorts anchors by the high halves of the bytes of their prefixes.
fn sorted(anchors: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let high = |anchor: &[u8]| -> Vec<u8> { anchor.iter().take(PREFIX).map(|b| b >> 4).collect() };
    let mut anchors: Vec<_> = anchors.map(|anchor| (high(&anchor), anchor)).collect();
    order::sort(&mut anchors);
    anchors.into_iter().map(|(_, anchor)| anchor).collect()
}

/// Distributes sorted anchors over the buckets, so that similar prefixes share one.
///
/// A bucket compares the high and the low halves of each byte of a prefix separately: with `BUG:`
/// and `warn` in one bucket `rewo` is a candidate too, and each candidate costs as much as some
/// hundred bytes of the log.
fn spread(anchors: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (least, more) = (anchors.len() / BUCKETS, anchors.len() % BUCKETS);
    let mut rest = anchors;
    let mut buckets = Vec::with_capacity(BUCKETS);
    for bucket in 0..BUCKETS {
        let (own, others) = rest.split_at(least + usize::from(bucket < more));
        buckets.push(own);
        rest = others;
    }
    let row = |row| buckets.iter().filter_map(move |own: &&[Vec<u8>]| own.get(row)).cloned();
    (0..=least).flat_map(row).collect()
}

/// A line that starts a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Offset of the first byte of the line.
    pub(crate) at: usize,
    /// The marker that it contains.
    pub(crate) marker: &'static Marker,
}

/// Finds the first line that starts a report, in lines that begin at `from` or after it.
///
/// `from` must be the start of a line.
///
/// Information is skipped unless `information` is set.
pub(crate) fn next_start(log: &[u8], from: usize, information: bool) -> Option<Start> {
    let mut search_from = from;
    // The line of the last anchor.
    let mut line = from..from;
    while let Some(found) = next_anchor(log, search_from, information) {
        let is_second = line.contains(&found.at);
        if !is_second {
            let feed = memrchr(b'\n', log.get(line.end..found.at)?);
            line.start = feed.map_or(line.end, |feed| line.end + feed + 1);
            let feed = memchr(b'\n', log.get(found.at..)?);
            line.end = feed.map_or(log.len(), |feed| found.at + feed);
        }
        let text = log.get(line.start..line.end.min(line.start + MAX_LINE))?;
        // Most lines have one anchor. If there is a second one, the whole line is parsed, so that a
        // line of anchors is parsed at most twice.
        if !is_second && found.markers(log).next().is_none() && !may_hold(text) {
            search_from = found.at + 1;
            continue;
        }
        // Colours may be in the middle of a marker.
        if let Some(marker) = marker(&clean(text), information)
            && !is_replayed(log, line.end)
        {
            return Some(Start { at: line.start, marker });
        }
        search_from = line.end + 1;
    }
    None
}

impl Start {
    /// The shape of the prefixes below the line.
    pub(crate) fn shape(&self, log: &[u8]) -> Shape {
        Line::shape(log, self.at, |line| self.marker.place(line))
    }
}

/// Returns whether the line that begins at `at` contains a marker.
pub(crate) fn is_start(log: &[u8], at: usize, information: bool) -> bool {
    let rest = log.get(at..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(MAX_LINE)).unwrap_or(rest);
    let line = memchr(b'\n', rest).and_then(|end| rest.get(..end)).unwrap_or(rest);
    marker(&clean(line), information).is_some()
}

/// The last line of a panic, which repeats its reason: `panic()` in kernel/panic.c.
pub(crate) const END_PANIC: &str = "---[ end Kernel panic";

/// Returns the marker that makes `line` the start of a report.
fn marker(line: &[u8], information: bool) -> Option<&'static Marker> {
    if search::has(line, END_PANIC) {
        return None;
    }
    let mut present = 0u128;
    for search in Search::all(information) {
        let mut from = 0;
        while let Some(found) = search.find(line, from..line.len()) {
            present = found.markers(line).fold(present, |present, index| present | 1 << index);
            from = found.at + 1;
        }
    }
    let apart = APART.iter().filter(|(_, text)| text.find(line).is_some());
    present = apart.fold(present, |present, (index, _)| present | 1 << index);
    let markers = MARKERS.iter().enumerate().filter(|(index, _)| present & (1 << index) != 0);
    markers
        .map(|(_, marker)| *marker)
        .filter(|marker| information || !marker.kind.is_information())
        .filter(|marker| !marker.unless.iter().any(|literals| search::in_order(line, literals)))
        .find(|marker| marker.takes(line))
}

/// Returns whether the line after the one that ends at `end` announces that the console prints it
/// again.
fn is_replayed(log: &[u8], end: usize) -> bool {
    let next = log.get(end + 1..).unwrap_or_default();
    let next = next.get(..next.len().min(MAX_LINE)).unwrap_or_default();
    let next = memchr(b'\n', next).and_then(|feed| next.get(..feed)).unwrap_or(next);
    search::has(next, REPLAY)
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

    /// Returns whether every line that the marker accepts contains its anchor.
    fn holds_anchor(marker: &Marker) -> bool {
        let first = |format: &crate::kind::Format| match format.trigger.first() {
            Some(Piece::Lit(literal)) => literal.contains(marker.anchor),
            _ => false,
        };
        marker.text.contains(marker.anchor) || marker.formats.iter().all(first)
    }

    #[test]
    fn every_marker_is_found_by_its_anchor() {
        for information in [false, true] {
            let anchors: Vec<_> = anchors(information).into_keys().collect();
            // The search reports one of those that begin at the same byte.
            assert!(anchors.windows(2).all(|pair| !pair[1].starts_with(&pair[0])), "{anchors:?}");
        }
        assert!(MARKERS.len() <= 128, "`marker` keeps a bit for each");
        assert_eq!(FAULTS.len(), 1, "a second search takes as long as the first: share anchors");
        for marker in MARKERS {
            assert!(holds_anchor(marker), "`{}` is not in `{}`", marker.anchor, marker.text);
            if marker.formats.iter().any(|format| !format.only) {
                let line = format!("BUG {}", marker.text);
                assert_eq!(starts(&line), [(0, marker.text)], "an earlier marker hides it");
            }
        }
    }

    #[test]
    fn lines_of_consequences_have_the_marker_of_the_rule() {
        for marker in MARKERS {
            let is_any = marker.formats.iter().any(|format| !format.only);
            for rule in marker.consequence.iter().filter(|_| is_any) {
                let line = format!("{} {}", marker.text, rule.text);
                assert_eq!(starts(&line), [(0, marker.text)], "an earlier marker hides it");
            }
        }
    }

    /// Returns whether Teddy finds a candidate for the bucket in `text`.
    fn passes(bucket: &[&Vec<u8>], text: &[u8]) -> bool {
        (0..PREFIX).all(|at| {
            let any = |half: fn(u8) -> u8| bucket.iter().any(|a| half(a[at]) == half(text[at]));
            any(|b| b >> 4) && any(|b| b & 15)
        })
    }

    #[test]
    fn anchors_are_rare_in_logs_without_a_report() {
        let order = spread(&sorted(anchors(false).into_keys()));
        let bucket = |bucket| order.iter().skip(bucket).step_by(BUCKETS).collect();
        let buckets: Vec<Vec<_>> = (0..BUCKETS).map(bucket).collect();
        let (mut size, mut passed) = (0, BTreeMap::new());
        let is_log = |path: &std::path::PathBuf| path.extension().is_some_and(|ext| ext == "log");
        for path in files("corpus".into()).into_iter().filter(is_log) {
            let log = std::fs::read(path).unwrap();
            let start = next_start(&log, 0, true).map_or(log.len(), |start| start.at);
            for text in log[..start].windows(PREFIX) {
                size += 1;
                if let Some(bucket) = buckets.iter().find(|bucket| passes(bucket, text)) {
                    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let bucket: Vec<_> = bucket.iter().map(|anchor| name(anchor)).collect();
                    *passed.entry((name(text), bucket)).or_insert(0) += 1;
                }
            }
        }
        let count: usize = passed.values().sum();
        assert!(count * 300 < size, "{count} of {size}: take other anchors: {passed:#?}");
    }

    fn files(path: std::path::PathBuf) -> Vec<std::path::PathBuf> {
        if !path.is_dir() {
            return vec![path];
        }
        let entries = std::fs::read_dir(path).unwrap();
        entries.flat_map(|entry| files(entry.unwrap().path())).collect()
    }

    #[test]
    fn the_next_anchor_of_a_line_counts_where_one_is_in_vain() {
        assert_eq!(starts("organic panic=1 BUG: x\n"), [(0, "BUG:")]);
        assert_eq!(starts("DEBUG 1\nBUG a (x): Poison overwritten\n"), [(8, " overwritten")]);
        assert_eq!(starts("x\nBUG\n: y\nU\x1b[0mBSAN: BUG\x1b[0m: z"), [(10, "BUG:")]);
    }

    #[test]
    fn a_marker_may_be_anywhere_in_a_line() {
        assert_eq!(starts("a\nb BUG: c\nd\n[  1.5] WARNING: x\n"), [(2, "BUG:"), (13, "WARNING:")]);
        assert_eq!(starts("a BUG\nkernel BUG at x\n"), [(6, "kernel BUG ")]);
        assert_eq!(starts(""), []);
    }

    #[test]
    fn lines_of_programs_and_hints_start_no_report() {
        assert_eq!(starts("ODEBUG: Out of memory\nEXT4-fs (sda): WARNING: mounting\n"), []);
        assert_eq!(starts("tst_test.c:1737: TINFO: Timeout per run is 0h 05m 00s\n"), []);
        let line = "traps: a[1] general protection fault ip:1 sp:2 error:0 in libc.so[1+2]\n";
        assert_eq!(starts(line), []);
    }

    #[test]
    fn the_end_of_a_panic_is_no_start() {
        assert_eq!(starts("---[ end Kernel panic - not syncing: UBSAN: x ]---\n"), []);
    }

    #[test]
    fn a_replayed_line_starts_no_report() {
        let log = "BUG: KASAN: sl\n** replaying previous printk message **\nBUG: KASAN: slab x\n";
        assert_eq!(starts(log), [(55, "BUG:")]);
    }
}
