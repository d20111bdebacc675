//! The task that was running: the lines of `dump_stack_print_info()` in lib/dump_stack.c.
//!
//! ```text
//! cpu      = "CPU: " n [ " UID: " n ] " PID: " n " Comm: " comm " " tainted release " " version
//! tainted  = "Not tainted " / "Tainted: " flags " "          ; print_tainted() in kernel/panic.c
//! hardware = "Hardware name: " text
//! work     = "Workqueue: " queue " " function [ " [" module "]" ]   ; print_worker_info()
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::combinator::{all_consuming, opt, rest};
use nom::sequence::preceded;

use super::Parsed;
use crate::token::{self, blanks, decimal, word};

/// A `CPU:` line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Cpu<'a> {
    /// The number of the CPU.
    pub(crate) cpu: u64,
    /// The thread's id; 0 is an idle task.
    pub(crate) pid: u64,
    /// The task's name, which may contain any byte but NUL.
    pub(crate) comm: &'a [u8],
    pub(crate) taint: Taint<'a>,
    /// The kernel's build id in hexadecimal, behind its version (`BUILD_ID_FMT`).
    pub(crate) build_id: Option<&'a [u8]>,
}

/// The text after the name of the task.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Taint<'a> {
    /// The taint flags, trimmed; empty for `Not tainted`.
    pub(crate) flags: Option<&'a [u8]>,
    /// The kernel's release, as printed by `uname -r`.
    pub(crate) release: Option<&'a [u8]>,
}

/// Parses a `CPU:` line.
///
/// The task's name ends where the taint begins, searched from the end of the line, because a name
/// may contain blanks, brackets and colons.
pub(crate) fn cpu(input: &[u8]) -> Parsed<'_, Cpu<'_>> {
    let uid = opt(preceded(tag(" UID: "), decimal));
    let (rest, (cpu, _, pid, _)) =
        (preceded(tag("CPU: "), decimal), uid, preceded(tag(" PID: "), decimal), tag(" Comm: "))
            .parse(input)?;
    let (comm, tail) = comm(rest);
    let taint = tail_of(tail);
    let last = tail.trim_ascii_end().rsplit(|b| *b == b' ').next().unwrap_or_default();
    let is_id = last.len() == BUILD_ID && last.iter().all(u8::is_ascii_hexdigit);
    let build_id = Some(last).filter(|_| is_id);
    Ok((&[], Cpu { cpu, pid, comm, taint, build_id }))
}

/// Splits a task's name from the taint behind it, searched from the end of the line.
pub(super) fn comm(input: &[u8]) -> (&[u8], &[u8]) {
    let marks = [&b" Not tainted"[..], b" Tainted: "];
    let end = marks.iter().filter_map(|mark| memchr::memmem::rfind(input, mark)).max();
    let (comm, tail) = input.split_at(end.unwrap_or(input.len()));
    (without_notes(comm), tail)
}

/// A task's name without the notes of dump_stack_print_info() behind it: that a crash kernel is
/// loaded, and in kernels of Virtuozzo the container.
fn without_notes(comm: &[u8]) -> &[u8] {
    let comm = comm.trim_ascii_end();
    let comm = comm.strip_suffix(b" Kdump: loaded").unwrap_or(comm).trim_ascii_end();
    let number = comm.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let before = comm.get(..comm.len() - number).filter(|_| number > 0);
    before.and_then(|before| before.strip_suffix(b" ve: ")).unwrap_or(comm)
}

/// The number of digits of a build ID: `init_vmlinux_build_id()` in lib/buildid.c reads SHA-1
/// hashes.
const BUILD_ID: usize = 40;

/// Parses `Kernel Offset: 0x1e000000 from 0xffffffff81000000`: the offset of KASLR.
pub(crate) fn kernel_offset(input: &[u8]) -> Parsed<'_, u64> {
    preceded(tag("Kernel Offset: 0x"), token::hex).map(|hex| hex.value).parse(input)
}

/// The end of a `CPU:` line as a line of its own, because the name of the task contains a line
/// feed.
pub(crate) fn taint(line: &[u8]) -> Parsed<'_, Taint<'_>> {
    let start = alt((tag("Not tainted "), tag("Tainted: G"), tag("Tainted: P")));
    start.map(|_: &[u8]| tail_of(line)).parse(line)
}

/// Reads the taint and the release behind a task's name.
pub(super) fn tail_of(text: &[u8]) -> Taint<'_> {
    let text = text.trim_ascii_start();
    if let Some(rest) = text.strip_prefix(b"Not tainted") {
        Taint { flags: Some(&[]), release: split_taint(rest).1 }
    } else if let Some(rest) = text.strip_prefix(b"Tainted:") {
        let (flags, release) = split_taint(rest);
        Taint { flags: Some(flags), release }
    } else {
        Taint::default()
    }
}

/// Parses `Hardware name:`, and returns the rest of the line.
pub(crate) fn hardware(line: &[u8]) -> Parsed<'_, &[u8]> {
    preceded(tag("Hardware name:"), rest).map(<[u8]>::trim_ascii).parse(line)
}

/// Parses `Modules linked in:`, and returns the rest of the line.
pub(crate) fn modules(line: &[u8]) -> Parsed<'_, &[u8]> {
    preceded(tag("Modules linked in:"), rest).parse(line)
}

/// Taint flags are letters in fixed columns; the release begins with the first digit after them.
fn split_taint(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let start = text
        .windows(2)
        .position(|pair| matches!(pair, [b' ' | b'(', digit] if digit.is_ascii_digit()))
        .map_or(text.len(), |at| at + 1);
    let (flags, release) = text.split_at(start);
    (without_columns(flags), word(release).ok().map(|(_, release)| release))
}

/// Taint flags without the dashes that distributions print for their own columns: RHEL's
/// `G           OE    -------  ---`, and the `(` that ARM printed before the release.
fn without_columns(flags: &[u8]) -> &[u8] {
    let mut flags = flags.trim_ascii();
    while let [head @ .., b'-' | b'('] = flags {
        flags = head.trim_ascii_end();
    }
    flags
}

/// Parses `Workqueue: `, and returns the queue and the function of the work item.
pub(crate) fn workqueue(line: &[u8]) -> Parsed<'_, (&[u8], Option<&[u8]>)> {
    preceded((tag("Workqueue:"), blanks), (word, opt(preceded(tag(" "), word)))).parse(line)
}

/// The process of the fuzzer in the name of a task: `syz.3.17` is process 3, program 17.
pub(crate) fn executor(comm: &[u8]) -> Option<(u64, u64)> {
    let numbers = (tag("syz."), decimal, tag("."), decimal);
    all_consuming(numbers).parse(comm).ok().map(|(_, (_, process, _, program))| (process, program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_cpu() {
        let p = |line: &'static str| cpu(line.as_bytes()).expect(line).1;
        let line = "CPU: 0 PID: 2648 Comm: kworker/u4:4 Not tainted 5.4.0-rc5-syzkaller #0";
        assert_eq!(
            p(line),
            Cpu {
                cpu: 0,
                pid: 2648,
                comm: b"kworker/u4:4",
                taint: Taint { flags: Some(b""), release: Some(b"5.4.0-rc5-syzkaller") },
                build_id: None,
            }
        );
        let line = p("CPU: 1 UID: 0 PID: 7 Comm: Web Content Tainted: G    B   O       6.12.0 #1 ");
        assert_eq!((line.comm, line.taint.flags), (&b"Web Content"[..], Some(&b"G    B   O"[..])));
        assert_eq!(line.taint.release, Some(&b"6.12.0"[..]));
        // A name that looks like the rest of the line.
        assert_eq!(
            p("CPU: 0 PID: 1 Comm: a Not tainted b Not tainted 5.4").comm,
            b"a Not tainted b"
        );
        assert_eq!(p("CPU: 0 PID: 1 Comm: sh Kdump: loaded Not tainted 6.1.0").comm, b"sh");
        assert_eq!(p("CPU: 0 PID: 1 Comm: sh ve: 101 Kdump: loaded Not tainted 3.10").comm, b"sh");
        let rhel = p("CPU: 0 PID: 1 Comm: x Tainted: G           OE    -------  --- 5.14.0-427 #1");
        assert_eq!(rhel.taint.flags, Some(&b"G           OE"[..]));
        assert_eq!(rhel.taint.release, Some(&b"5.14.0-427"[..]));
        let cut = p("CPU: 0 PID: 1 Comm: syz-exec");
        assert_eq!((cut.comm, cut.taint.flags, cut.taint.release), (&b"syz-exec"[..], None, None));
        assert_eq!(p("CPU: 0 PID: 1 Comm: x Tainted: G").taint.release, None);
    }

    #[test]
    fn ok_executor() {
        assert_eq!(executor(b"syz.3.17"), Some((3, 17)));
        for comm in ["syz.3", "syz.3.17x", "syz-executor.3", "asyz.3.17"] {
            assert_eq!(executor(comm.as_bytes()), None, "{comm}");
        }
    }

    #[test]
    fn err_cpu() {
        for line in ["CPU: 0", "CPU: x PID: 1 Comm: x", "CPU: 0 PID: 99999999999999999999 Comm: x"]
        {
            assert!(cpu(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
