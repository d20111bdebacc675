//! Memory allocations that failed.
//!
//! ```text
//! failure = comm ": page allocation failure: order:" n ", mode:" hex "(" names ")" …     ; warn_alloc() in mm/page_alloc.c
//! oom     = comm " invoked oom-killer: gfp_mask=" hex "(" names "), order=" n …          ; dump_header() in mm/oom_kill.c
//! killed  = text "illed process " pid " (" comm ")" [ "," ] " total-vm:" n "kB, anon-rss:" n "kB" …  ; __oom_kill_process()
//! zone    = [ "Node " n " " ] name " free:" n "kB " [ "boost:" n "kB " ] "min:" n "kB" …    ; show_free_areas()
//! ```

use nom::Parser;
use nom::bytes::complete::{tag, take_till, take_until};
use nom::combinator::opt;
use nom::sequence::{delimited, preceded, terminated};

use super::Parsed;
use crate::search;
use crate::token::{Hex, decimal, hex, name};

/// An allocation: its order (the binary logarithm of its pages), and its mask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Request<'t> {
    pub(crate) order: u64,
    pub(crate) mask: Hex,
    /// The mask in words.
    pub(crate) flags: Option<&'t [u8]>,
}

/// Reads the headline of a failure or of the OOM killer.
pub(crate) fn request(headline: &[u8]) -> Option<Request<'_>> {
    let flags = || opt(delimited(tag("("), take_till(|b| b == b')'), tag(")")));
    if let Some(at) = search::find(headline, "page allocation failure") {
        let rest = headline.get(at..)?;
        let before = (take_until("order:"), tag("order:"));
        let parts = (preceded(before, decimal), preceded(tag(", mode:"), hex), flags());
        let (_, (order, mask, flags)) = { parts }.parse(rest).ok()?;
        return Some(Request { order, mask, flags });
    }
    let request = search::after(headline, " invoked oom-killer: gfp_mask=")?;
    let (rest, (mask, flags)) = (hex, flags()).parse(request).ok()?;
    let (_, order) = preceded((take_until("order="), tag("order=")), decimal).parse(rest).ok()?;
    Some(Request { order, mask, flags })
}

/// A task that was killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Killed<'t> {
    pub(crate) pid: u64,
    pub(crate) comm: &'t [u8],
    /// `total-vm`, `anon-rss`, `file-rss`, `shmem-rss` in KiB.
    pub(crate) sizes: [Option<u64>; 4],
}

/// `Out of memory: Killed process 512 (stress) total-vm:2101180kB, anon-rss:1843920kB, …`.
pub(crate) fn killed(line: &[u8]) -> Option<Killed<'_>> {
    let at = search::find(line, "illed process ")? + 14;
    let (rest, pid) = terminated(decimal, tag(" (")).parse(line.get(at..)?).ok()?;
    // The name may contain parentheses.
    let end = search::find(rest, "total-vm:")?;
    let (comm, sizes) = (rest.get(..end)?, rest.get(end..)?);
    let comm = comm.get(..comm.iter().rposition(|b| *b == b')')?)?;
    let size = |name: &str| {
        let at = search::find(sizes, name)? + name.len();
        let (_, size) = terminated(decimal, tag("kB")).parse(sizes.get(at..)?).ok()?;
        Some(size)
    };
    let sizes = ["total-vm:", "anon-rss:", "file-rss:", "shmem-rss:"].map(size);
    Some(Killed { pid, comm, sizes })
}

/// A zone: its node and name, its free memory and its lowest watermark, in KiB.
pub(crate) fn zone(line: &[u8]) -> Parsed<'_, (u64, &[u8], u64, u64)> {
    let node = opt(delimited(tag("Node "), decimal, tag(" ")));
    let free = delimited(tag(" free:"), decimal, tag("kB "));
    let boost = opt((tag("boost:"), decimal, tag("kB ")));
    let min = delimited(tag("min:"), decimal, tag("kB"));
    let (rest, (node, name, free, _, min)) = (node, name, free, boost, min).parse(line)?;
    Ok((rest, (node.unwrap_or(0), name, free, min)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_request() {
        let line = "swapper/1: page allocation failure: order:3, mode:0x820(GFP_ATOMIC|__GFP_COMP), nodemask=(null)";
        let found = request(line.as_bytes()).expect("a request");
        assert_eq!((found.order, found.mask.value), (3, 0x820));
        assert_eq!(found.flags, Some(&b"GFP_ATOMIC|__GFP_COMP"[..]));
        let line = "x invoked oom-killer: gfp_mask=0x140cca(GFP_USER), order=0, oom_score_adj=0";
        let found = request(line.as_bytes()).expect("a request");
        assert_eq!((found.order, found.mask.value), (0, 0x14_0cca));
        // Linux 3.2.
        let line = "x invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0, oom_score_adj=0";
        assert_eq!(request(line.as_bytes()).expect("a request").flags, None);
        assert!(request(b"x: page allocation failure. order:0, mode:0x20").is_some());
    }

    #[test]
    fn ok_killed() {
        let line = "Out of memory: Killed process 512 (a (b) c) total-vm:2101180kB, anon-rss:1843920kB, file-rss:4kB, shmem-rss:0kB, UID:0";
        let found = killed(line.as_bytes()).expect("a task");
        assert_eq!((found.pid, found.comm), (512, &b"a (b) c"[..]));
        assert_eq!(found.sizes, [Some(2_101_180), Some(1_843_920), Some(4), Some(0)]);
    }

    #[test]
    fn ok_zone() {
        let p = |line: &'static str| zone(line.as_bytes()).expect(line).1;
        assert_eq!(
            p("Node 1 DMA32 free:44kB boost:0kB min:67kB low:1kB"),
            (1, &b"DMA32"[..], 44, 67)
        );
        assert_eq!(p("Normal free:44kB min:67kB"), (0, &b"Normal"[..], 44, 67));
    }

    #[test]
    fn err_pressure() {
        for line in ["", "page allocation failure", "x invoked oom-killer: gfp_mask=x"] {
            assert!(request(line.as_bytes()).is_none(), "{line}");
        }
        for line in
            ["Killed process x (y)", "Killed process 1 (y)", "Killed process 1 total-vm:1kB"]
        {
            assert!(killed(line.as_bytes()).is_none(), "{line}");
        }
        for line in ["Node 0 DMA free:1kB", "Node 0 active_anon:1kB", "free:1kB min:1kB"] {
            assert!(zone(line.as_bytes()).is_err(), "{line}");
        }
    }
}
