//! The source file to find maintainers by, if the log has source lines.
//!
//! The rules are syzbot's, which mails the maintainers of this file.

use std::borrow::Cow;

use super::outline::{Mention, Outline};
use crate::syntax::Says;

/// Files that are not guilty. `*` matches any bytes; patterns match a prefix.
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

/// Interrupts that detect a stall, in order of preference. The interrupted function is below.
const INTERRUPTS: [Says; 3] = [Says::APIC_TIMER, Says::EL1H_IRQ, Says::EXCEPTION_STACK];

/// Returns the guilty file of a report with a title.
pub(super) fn file(outline: &Outline<'_>, title: &str) -> Option<String> {
    if outline.mentions.is_empty() {
        return None;
    }
    if title.starts_with("INFO: rcu detected stall") {
        let from = |says| outline.all().iter().position(|step| step.says.any(says));
        let after = |says| search(outline, from(says)?);
        if let Some(file) = INTERRUPTS.into_iter().find_map(after) {
            return Some(file);
        }
    }
    search(outline, 0)
}

/// Returns the first file from a line on that may be guilty, or a later one in a subdirectory of
/// its directory.
fn search(outline: &Outline<'_>, from: usize) -> Option<String> {
    let mut first = None;
    let mut guilty: Option<&str> = None;
    let lines = from..outline.all().len();
    for mention in outline.mentions.iter().filter(|mention| lines.contains(&mention.step)) {
        let Mention { path, is_listed, .. } = mention;
        first.get_or_insert(&**path);
        let may_be = guilty.is_none_or(|known| is_deeper(known, path));
        if may_be && !is_innocent(path) && !is_listed {
            guilty = Some(path);
        }
    }
    guilty.or(first).map(clean)
}

fn is_innocent(file: &str) -> bool {
    let file = if file.contains("./") { Cow::Owned(clean(file)) } else { Cow::Borrowed(file) };
    INNOCENT.iter().any(|pattern| fits(&file, pattern))
}

/// Returns whether a path starts with a pattern.
fn fits(file: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| file.strip_prefix(start)) else {
        return false;
    };
    for part in parts {
        // A star at the start of a pattern matches at least one byte.
        let from = usize::from(rest.len() == file.len() && !rest.is_empty());
        match rest.get(from..).and_then(|tail| tail.find(part).map(|at| from + at + part.len())) {
            Some(end) => rest = rest.get(end..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// Returns whether `file` is in a subdirectory of the directory of `known`.
fn is_deeper(known: &str, file: &str) -> bool {
    let folder = known.rfind('/').map_or("", |at| known.get(..=at).unwrap_or_default());
    file.strip_prefix(folder).is_some_and(|rest| rest.contains('/')) && !folder.is_empty()
}

/// Removes `.` and `..` from a path.
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

    #[test]
    fn tables_are_sorted() {
        assert!(INNOCENT.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn ok_paths() {
        assert!(fits("arch/x86/mm/fault.c", "arch/*/mm/fault.c") && fits("mm/slub.c", "mm/slub"));
        assert!(!fits("mm/shmem.c", "mm/slab"));
        assert!(is_deeper("net/a.c", "net/b/c.c") && !is_deeper("net/a.c", "net/c.c"));
        assert_eq!(clean("fs/./a/../b.c"), "fs/b.c");
    }

    #[test]
    fn ok_file() {
        let file = |log: &str| {
            let report = crate::parse::reports(log.as_bytes()).next();
            report.and_then(|report| report.guilty_file)
        };
        let log = "BUG: x\n f+0x1/0x2 mm/kasan/report.c:1\n g+0x1/0x2 net/a.c:2\n h+0x1/0x2 net/b/c.c:3\n";
        assert_eq!(file(log).as_deref(), Some("net/b/c.c"));
        assert_eq!(
            file("BUG: x\n f+0x1/0x2 include/a.h:1\n g+0x1/0x2 lib/b.c:2\n").as_deref(),
            Some("include/a.h")
        );
        let log = "BUG: x\n #0: ff (&x){....}, at: f+0x1/0x2 net/a.c:1\n f+0x1/0x2 fs/./b.c:2\n";
        assert_eq!(file(log).as_deref(), Some("fs/b.c"));
        assert_eq!(file("BUG: x\n f+0x1/0x2 a.c:1\n f+0x1/0x2 fs/b.rs:1\n"), None);
    }
}
