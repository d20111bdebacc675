//! What a line is, at a glance.
//!
//! The glance decides which grammar reads the line, and whether the line shows that the report
//! still goes on. It looks at a few bytes; the grammar has the last word.

use crate::arch;
use crate::grammar::{code, register, trace};
use crate::model::Role;
use crate::words;

/// What a line is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    /// The line that starts the report, or continues such a line.
    Headline,
    /// Nothing on it.
    Blank,
    /// Something that may or may not belong to a report.
    Other,
    /// `------------[ cut here ]------------`: the next report begins.
    Cut,
    /// A line of `=`: a checker's report begins or ends.
    Rule,
    /// `---[ end trace`: the report is over, but for a second dump of the registers.
    End,
    /// A stack begins.
    Stack(Role),
    /// A mark between frames: `<TASK>`, `</IRQ>`.
    Mark,
    /// A frame.
    Entry,
    /// An instruction pointer.
    Pointer,
    /// The return address of the function that was running.
    Link,
    /// Registers.
    Registers,
    /// `Code:`.
    Code,
    /// An instruction in the kernel's own listing.
    Listed,
    /// Nothing but words: it goes on with registers or code, or is of no interest.
    Words,
    /// `CPU: … PID: … Comm: …`.
    Cpu,
    /// The end of a `CPU:` line, after a task's name with a line feed in it.
    Taint,
    /// `Hardware name:`.
    Hardware,
    /// `Workqueue:`.
    Workqueue,
    /// `Modules linked in:`.
    Modules,
    /// The access of a KASAN report.
    Access,
    /// An access of a data race, with its stack below.
    Race,
    /// `Allocated by task 46:`.
    Track(Role),
    /// A fact about the object that was hit.
    Object,
    /// A line of shadow memory.
    Shadow,
    /// `#PF: supervisor write access in kernel mode`, `Failing address: 0000000000000000`.
    PageFault,
    /// `Oops: 0002 [#1]`: the error code of a page fault.
    Oops,
    /// A lock, or whose locks follow.
    Lock,
    /// Another line that only reports have.
    Detail,
    /// What the kernel says after the report, on its way down.
    Epilogue,
}

impl Class {
    /// Whether the next line may go on with this one.
    pub(super) fn has_more(self) -> bool {
        matches!(self, Self::Registers | Self::Code | Self::Words)
    }
}

/// How lines begin, blanks left out; of two that fit, the first counts.
const BEGINNINGS: &[(&str, Class)] = &[
    ("------------[ cut here ]", Class::Cut),
    ("8<--- cut here ---", Class::Cut),
    ("==================", Class::Rule),
    ("---[ end trace", Class::End),
    ("---[ end Kernel panic", Class::Epilogue),
    ("Call Trace:", Class::Stack(Role::Crash)),
    ("Call trace:", Class::Stack(Role::Crash)),
    ("Backtrace:", Class::Stack(Role::Crash)),
    ("Allocated by task", Class::Track(Role::Allocation)),
    ("Freed by task", Class::Track(Role::Free)),
    ("Allocated in ", Class::Stack(Role::Allocation)),
    ("Freed in ", Class::Stack(Role::Free)),
    ("Last potentially related work creation:", Class::Stack(Role::Related)),
    ("Second to last potentially related work creation:", Class::Stack(Role::Related)),
    ("Last call_rcu", Class::Stack(Role::Related)),
    ("backtrace:", Class::Stack(Role::Allocation)),
    ("backtrace (crc ", Class::Stack(Role::Allocation)),
    ("Last Breaking-Event-Address:", Class::Stack(Role::Related)),
    ("Uninit was stored to memory at:", Class::Stack(Role::Related)),
    ("-> #", Class::Stack(Role::Chain)),
    ("Code:", Class::Code),
    ("Krnl Code:", Class::Listed),
    ("Instruction dump:", Class::Code),
    ("Instruction DUMP:", Class::Code),
    ("CPU: ", Class::Cpu),
    ("Not tainted ", Class::Taint),
    ("Tainted: G", Class::Taint),
    ("Tainted: P", Class::Taint),
    ("Hardware name:", Class::Hardware),
    ("Workqueue:", Class::Workqueue),
    ("Modules linked in:", Class::Modules),
    ("Read of size", Class::Access),
    ("Write of size", Class::Access),
    ("Read at addr", Class::Access),
    ("Write at addr", Class::Access),
    ("Free of addr", Class::Access),
    ("The buggy address", Class::Object),
    ("which belongs to the cache", Class::Object),
    ("#PF: ", Class::PageFault),
    ("Oops: ", Class::Oops),
    ("Kernel Offset:", Class::Epilogue),
    ("Rebooting in", Class::Epilogue),
    ("Memory state around the buggy address", Class::Detail),
    ("KASAN: ", Class::Detail),
    ("PGD ", Class::Detail),
    ("Tainted: [", Class::Detail),
    ("Fixing recursive fault", Class::Detail),
    ("Stack:", Class::Detail),
    ("Exception stack(", Class::Detail),
    ("comm \"", Class::Detail),
    ("hex dump (first", Class::Detail),
    ("Mem abort info:", Class::Detail),
    ("Data abort info:", Class::Detail),
    ("ESR = ", Class::Detail),
    ("Faulting instruction address:", Class::Detail),
    ("Failing address:", Class::PageFault),
    ("CM = ", Class::PageFault),
    ("REGS: ", Class::Detail),
    ("--- interrupt: ", Class::Detail),
    ("Process ", Class::Detail),
    ("Showing all locks held in the system:", Class::Detail),
    ("other info that might help us debug this:", Class::Detail),
    ("stack backtrace:", Class::Detail),
    ("NMI backtrace for cpu", Class::Detail),
    ("Sending NMI from CPU", Class::Detail),
    ("note: ", Class::Detail),
    ("page:", Class::Detail),
    ("flags: 0x", Class::Detail),
    ("raw: ", Class::Detail),
    ("page dumped because:", Class::Detail),
    ("page_type:", Class::Detail),
    ("head:", Class::Detail),
    ("Disabling lock debugging due to kernel taint", Class::Detail),
    ("Dumping ftrace buffer:", Class::Epilogue),
    ("(ftrace buffer empty)", Class::Epilogue),
];

/// What `text`, a line without its carrier, is.
pub(super) fn class(text: &[u8]) -> Class {
    let line = text.trim_ascii_start();
    let Some(&first) = line.first() else { return Class::Blank };
    // Most lines of a report are frames, and those are indented.
    let is_indented = text.starts_with(b" ");
    if is_indented && (trace::is_plain_entry(line) || trace::entry(text).is_ok()) {
        return Class::Entry;
    }
    // Most lines differ in the first byte: a comparison of bytes is cheaper than one of texts.
    let fits = |(beginning, _): &&(&str, Class)| {
        beginning.as_bytes().first() == Some(&first) && line.starts_with(beginning.as_bytes())
    };
    if let Some(&(_, class)) = BEGINNINGS.iter().find(fits) {
        return class;
    }
    // print_report() in kernel/kcsan/report.c: an access, whose stack follows.
    if matches!(first, b'a' | b'r' | b'w') && line.ends_with(b":") && words::has(line, " bytes by ")
    {
        return Class::Race;
    }
    // ipi_cpu_stop() in arch/arm/kernel/smp.c: what another CPU was doing.
    if first == b'C' && line.ends_with(b": stopping") {
        return Class::Stack(Role::Consequence);
    }
    // lockdep: what is known of a lock from earlier.
    if line.ends_with(b" at:") && words::has(line, "which became")
        || line.ends_with(b"registered at:")
    {
        return Class::Stack(Role::Chain);
    }
    // kmsan_print_origin() in mm/kmsan/report.c: `Uninit was created at:`, `Local variable x created at:`.
    if line.ends_with(b" created at:") {
        return Class::Stack(Role::Allocation);
    }
    if first == b'<' && trace::context_marker(line).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Class::Mark;
    }
    if arch::pointer(line).is_some() {
        return Class::Pointer;
    }
    if arch::link(line).is_some() {
        return Class::Link;
    }
    if arch::row(line).is_some()
        || register::register(line).is_ok_and(|(_, (name, _))| arch::is_register(name))
    {
        return Class::Registers;
    }
    if matches!(first, b'#' | b'>' | b'0') && code::listed(line).is_some() {
        return Class::Listed;
    }
    if (first.is_ascii_hexdigit() || matches!(first, b'<' | b'X')) && code::is_words(line) {
        return Class::Words;
    }
    if is_shadow(text) {
        return Class::Shadow;
    }
    if words::has(line, b"){") || words::has(line, b" held by ") {
        return Class::Lock;
    }
    if words::has(line, b"-byte region [") {
        return Class::Object;
    }
    if !is_indented && trace::entry(text).is_ok() { Class::Entry } else { Class::Other }
}

/// ` ffff888001285f00: 00 00 …`: a mark or a blank, an address, bytes.
fn is_shadow(text: &[u8]) -> bool {
    let [b'>' | b' ', rest @ ..] = text else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    (8..=16).contains(&digits) && rest.get(digits..).is_some_and(|rest| rest.starts_with(b": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_unshadowed() {
        for (index, (later, _)) in BEGINNINGS.iter().enumerate() {
            for (earlier, _) in &BEGINNINGS[..index] {
                assert!(!later.starts_with(earlier), "`{earlier}` hides `{later}`");
            }
        }
    }

    #[test]
    fn ok_class() {
        let p = |line: &'static str| class(line.as_bytes());
        assert_eq!(p(" do_exit+0x1/0x2"), Class::Entry);
        assert_eq!(p(" ? do_exit+0x1/0x2"), Class::Entry);
        assert_eq!(p(" <TASK>"), Class::Mark);
        assert_eq!(p("RIP: 0010:do_exit+0x1/0x2"), Class::Pointer);
        assert_eq!(p("RSP: 0018:ffff8880a14f7aa8 EFLAGS: 00010246"), Class::Registers);
        assert_eq!(p(">ffff888001286000: fa fb"), Class::Shadow);
        assert_eq!(p("  "), Class::Blank);
        assert_eq!(p("usb 1-1: new device"), Class::Other);
        assert_eq!(p("eth0: 100 Mbps"), Class::Other);
    }
}
