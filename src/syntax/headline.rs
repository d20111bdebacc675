//! The line that opens a report.

use super::access::{self, Fault};
use super::frame::{self, Place};
use super::source::{self, Source};
use crate::search;
use crate::token::{self, Hex};

/// The facts in a headline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Headline<'t> {
    /// The address that was accessed.
    pub(crate) address: Option<Hex>,
    /// The direction of the access.
    pub(crate) fault: Option<Fault>,
    /// Whether the report is about an invalid free.
    pub(crate) is_free: bool,
    /// The place at its end: `… in f+0x1/0x2`, `… in: f+0x1/0x2`, `… at file.c:1 f+0x1/0x2`, also
    /// inlined.
    pub(crate) place: Option<Place<'t>>,
    /// The function behind the first ` in ` that has one, or else that of the place, in the form
    /// for titles.
    pub(crate) function: Option<&'t [u8]>,
    /// The first source file that it names.
    pub(crate) source: Option<Source<'t>>,
    /// The file and line that the kernel printed: see [`LOCATED`].
    pub(crate) location: Option<(&'t [u8], u64)>,
}

/// Reads a headline.
pub(crate) fn headline(text: &[u8]) -> Headline<'_> {
    let place = place(text);
    let fetch = access::is_fetch(text).then_some(Fault::Execute);
    Headline {
        address: access::address(text),
        fault: fetch.or_else(|| access::direction(text)).or_else(|| access::died(text)),
        is_free: access::is_free(text),
        place,
        function: function(text).or_else(|| place?.title_function()),
        source: source::source(text),
        location: location(text),
    }
}

fn place(text: &[u8]) -> Option<Place<'_>> {
    for before in [&b" in "[..], b" in: ", b" at "] {
        let Some(at) = search::rfind(text, before) else { continue };
        let rest = text.get(at + before.len()..)?;
        let named = |rest| frame::place(rest).ok().filter(|(_, place)| place.function.is_some());
        if let Some((_, place)) = named(rest) {
            return Some(place);
        }
        // `WARNING: … at file.c:1 f+0x1/0x2` has the file first.
        let blank = memchr::memchr(b' ', rest)?;
        if let Some((_, place)) = named(rest.get(blank + 1..)?) {
            return Some(place);
        }
    }
    None
}

/// The words after which the kernel prints a file and a line.
const LOCATED: &[&str] = &[
    " at ", // __warn() in kernel/panic.c, report_bug() in lib/bug.c, __might_resched() in kernel/sched/core.c
    "WARNING: ", // __warn() since Linux 6.19: the file comes first
    " in ", // ubsan_prologue() in lib/ubsan.c
];

fn location(text: &[u8]) -> Option<(&[u8], u64)> {
    let behind = |words: &&str| {
        let mut places = memchr::memmem::find_iter(text, words.as_bytes());
        places.find_map(|at| token::file_and_line(text.get(at + words.len()..)?).ok())
    };
    LOCATED.iter().find_map(behind).map(|(_, place)| place)
}

fn function(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let Some(behind) = search::after(rest, " in ") {
        rest = behind;
        let (place, _) = token::bracketed(rest).ok()?;
        if let Some(function) = frame::title_function(place) {
            return Some(function);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_location() {
        for (line, want) in [
            (
                "WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0",
                Some(("fs/io-wq.c", 280)),
            ),
            (
                "WARNING: lib/list_debug.c:65 at __list_del_entry+0x1/0x2, CPU#1: a/1",
                Some(("lib/list_debug.c", 65)),
            ),
            ("kernel BUG at mm/slub.c:448!", Some(("mm/slub.c", 448))),
            ("UBSAN: shift-out-of-bounds in ./lib/x.c:12:3", Some(("./lib/x.c", 12))),
            (
                "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580",
                Some(("kernel/locking/mutex.c", 580)),
            ),
            ("BUG: KASAN: use-after-free in f+0x1/0x2 fs/a.c:1", None),
            ("BUG: unable to handle page fault at 0x10:1", None),
        ] {
            let found = headline(line.as_bytes()).location;
            let found =
                found.map(|(file, line)| (std::str::from_utf8(file).unwrap_or_default(), line));
            assert_eq!(found, want, "{line}");
        }
    }

    #[test]
    fn ok_headline() {
        let line = b"BUG: KASAN: use-after-free in f.isra.0+0x1/0x2 [m]";
        let found = headline(line);
        assert_eq!(found.function, Some(&b"f"[..]));
        assert_eq!(found.place.and_then(|place| place.module), Some(&b"m"[..]));
        let line = b"WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0";
        let found = headline(line);
        assert_eq!(found.place.and_then(|place| place.function), Some(&b"io_wqe_wake_worker"[..]));
        assert_eq!(found.source.map(|source| source.path), Some(&b"fs/io-wq.c"[..]));
        assert_eq!(found.function, Some(&b"io_wqe_wake_worker"[..]));
    }
}
