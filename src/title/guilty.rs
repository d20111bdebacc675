//! The source file to blame, where the log has source lines.
//!
//! A convention of its own: mails about a bug go to the maintainers of this file.

use std::borrow::Cow;

use crate::grammar::token;
use crate::words;

/// Files that are not to blame: `*` is anything, the end is open.
#[rustfmt::skip] // words
const INNOCENT: &[&str] = &[
    "*.h", "arch/*/kernel/apic/apic.c", "arch/*/kernel/stacktrace.c", "arch/*/kernel/traps.c",
    "arch/*/kernel/unwind*.c", "arch/*/lib/crc*", "arch/*/mm/fault.c", "arch/*/mm/physaddr.c",
    "arch/arm64/kernel/entry*.c", "arch/arm64/kernel/process.c", "drivers/usb/core/urb.c",
    "fs/proc/generic.c", "kernel/kcov.c", "kernel/kthread.c", "kernel/locking/*", "kernel/panic.c",
    "kernel/printk/printk*.c", "kernel/rcu/*", "kernel/sched/*.c", "kernel/softirq.c",
    "kernel/stacktrace.c", "kernel/time/timer.c", "kernel/workqueue.c", "lib/*", "mm/filemap.c",
    "mm/folio-compat.c", "mm/kasan/*", "mm/kmsan/*", "mm/memory.c", "mm/mempool.c", "mm/page_alloc.c",
    "mm/percpu*", "mm/slab", "mm/slob", "mm/slub", "mm/truncate.c", "mm/util.c", "mm/vmalloc.c", "net/core/dev.c",
    "net/core/skbuff.c", "net/core/sock.c", "trusty/", "virt/lib/*",
];

/// Where the interrupt that noticed a stall had interrupted the kernel.
const INTERRUPTS: [&str; 3] = ["apic_timer_interrupt+0x", "el1h_64_irq+0x", "Exception stack"];

/// The file to blame in the lines of a report.
pub(crate) fn file(lines: &[&[u8]], title: &str) -> Option<String> {
    if title.starts_with("INFO: rcu detected stall") {
        let from = |mark: &str| lines.iter().position(|line| words::has(line, mark));
        let after = |mark: &&str| search(lines.get(from(mark)?..)?);
        if let Some(file) = INTERRUPTS.iter().find_map(after) {
            return Some(file);
        }
    }
    search(lines)
}

/// The first file that may be to blame, or one below its folder that comes later.
fn search(lines: &[&[u8]]) -> Option<String> {
    let mut first = None;
    let mut guilty: Option<&str> = None;
    for line in lines {
        let Some(file) = candidate(line) else { continue };
        first.get_or_insert(file);
        let may_be = guilty.is_none_or(|known| is_deeper(known, file));
        if may_be && !is_innocent(file) && !is_quoted(line) {
            guilty = Some(file);
        }
    }
    guilty.or(first).map(clean)
}

/// The first `path/name.c:12` or `.h` of a line.
fn candidate(line: &[u8]) -> Option<&str> {
    memchr::memchr_iter(b':', line).find_map(|colon| {
        let path = line.get(..colon)?;
        let is_source = path.ends_with(b".c") || path.ends_with(b".h");
        if !is_source || !line.get(colon + 1)?.is_ascii_digit() {
            return None;
        }
        let start = path.iter().rposition(|&b| !is_path(b)).map_or(0, |at| at + 1);
        let path = std::str::from_utf8(path.get(start..)?).ok()?;
        path.contains('/').then_some(path)
    })
}

fn is_path(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/')
}

/// Lines that name a place without having been there: lockdep's lists and ARM's register notes.
fn is_quoted(line: &[u8]) -> bool {
    let start = line.trim_ascii_start();
    let numbered = start.strip_prefix(b"#").and_then(|rest| token::digits(rest).ok());
    let irqs = ["hardirqs last ", "softirqs last "];
    irqs.iter().any(|words| words::has(line, words))
        || words::has(line, ", at: ")
        || numbered.is_some_and(|(rest, _)| rest.starts_with(b":"))
        || (start.starts_with(b"Register r") && words::has(start, " information"))
}

fn is_innocent(file: &str) -> bool {
    let file = if file.contains("./") { Cow::Owned(clean(file)) } else { Cow::Borrowed(file) };
    INNOCENT.iter().any(|pattern| fits(&file, pattern))
}

/// Whether a path begins as a pattern says.
fn fits(file: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| file.strip_prefix(start)) else {
        return false;
    };
    for part in parts {
        // A star stands for one byte at the least where it begins the pattern.
        let from = usize::from(rest.len() == file.len() && !rest.is_empty());
        match rest.get(from..).and_then(|tail| tail.find(part).map(|at| from + at + part.len())) {
            Some(end) => rest = rest.get(end..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// Whether `file` stands in a folder below that of `known`.
fn is_deeper(known: &str, file: &str) -> bool {
    let folder = known.rfind('/').map_or("", |at| known.get(..=at).unwrap_or_default());
    file.strip_prefix(folder).is_some_and(|rest| rest.contains('/')) && !folder.is_empty()
}

/// A path without `.` and `..` in it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty()) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str) -> Option<String> {
        file(&log.lines().map(str::as_bytes).collect::<Vec<_>>(), "")
    }

    #[test]
    fn tables_are_sorted() {
        assert!(INNOCENT.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn ok_file() {
        assert_eq!(
            check("f mm/kasan/report.c:1\ng net/a.c:2\nh net/b/c.c:3"),
            Some("net/b/c.c".into())
        );
        assert_eq!(check("f include/a.h:1\n g lib/b.c:2"), Some("include/a.h".into()));
        assert_eq!(check(" #0: x, at: f net/a.c:1\nf fs/./b.c:2"), Some("fs/b.c".into()));
        assert_eq!(check("f a.c:1\nf fs/b.c\nf fs/b.rs:1"), None);
        assert!(fits("arch/x86/mm/fault.c", "arch/*/mm/fault.c") && fits("mm/slub.c", "mm/slub"));
        assert!(!fits("mm/shmem.c", "mm/slab"));
    }
}
