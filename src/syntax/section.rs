//! Lines that are recognised by their start: the marks between the parts of a report.

use super::{Parsed, Says};

/// The meaning of such a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    /// A report begins.
    Cut,
    /// A checker's report begins or ends.
    Rule,
    /// The report is over.
    EndTrace,
    /// A line that the kernel prints after the report.
    Epilogue,
    /// The stack of a thread that did not run follows.
    Starved,
    /// A page is dumped.
    Page,
    /// Entries of page tables.
    PageTable,
    /// Another part of the report begins.
    Part(Says),
}

/// A part without a fact for the conventions.
const PART: Section = Section::Part(Says::NOTHING);

/// The starts of the lines, without indentation; sorted.
#[rustfmt::skip] // rows
const SECTIONS: &[(&str, Section)] = &[
    ("(ftrace buffer empty)", Section::Epilogue),
    ("------------[ cut here ]", Section::Cut),
    ("---[ end Kernel panic", Section::Epilogue),
    ("---[ end trace", Section::EndTrace),
    ("8<--- cut here ---", Section::Cut),
    ("==================", Section::Rule),
    ("Data abort info:", PART),
    ("Disabling lock debugging due to kernel taint", Section::Part(Says::TAINTS)),
    ("Dumping ftrace buffer:", Section::Epilogue),
    ("Exception stack(", Section::Part(Says::EXCEPTION_STACK)),
    ("Faulting instruction address:", PART),
    ("Fixing recursive fault", PART),
    // print_trailer() and print_page_info() in mm/slub.c, before Linux 5.14 with `INFO: `.
    ("INFO: Object 0x", PART),
    ("INFO: Slab 0x", PART),
    ("KASAN: ", PART),
    ("Kernel Offset: disabled", Section::Epilogue),
    ("Mem abort info:", PART),
    ("Memory state around the buggy address", PART),
    ("NMI backtrace for cpu", PART),
    ("Object 0x", PART),
    ("PGD ", Section::PageTable),
    ("Process ", PART),
    // rcu_check_gp_kthread_starvation() in kernel/rcu/tree_stall.h.
    ("RCU grace-period kthread stack dump:", Section::Starved),
    ("REGS: ", PART),
    ("Rebooting in", Section::Epilogue),
    ("Sending NMI from CPU", Section::Part(Says::ASKS_CPUS)),
    ("Showing all locks held in the system:", PART),
    ("Slab 0x", PART),
    ("Stack:", PART),
    ("Tainted: [", PART),
    ("anon flags: 0x", Section::Page),
    ("comm \"", PART),
    ("flags: 0x", Section::Page),
    ("head:", PART),
    ("hex dump (first", PART),
    ("note: ", PART),
    ("other info that might help us debug this:", PART),
    ("page dumped because:", Section::Page),
    ("page:", Section::Page),
    ("page_type:", PART),
    ("raw: ", PART),
    ("rcu: RCU grace-period kthread stack dump:", Section::Starved),
    ("stack backtrace:", PART),
];

/// The rows of [`SECTIONS`] that begin with each byte: the first, and one past the last.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time"
)]
const ROWS: [(u8, u8); 256] = {
    let mut rows = [(0, 0); 256];
    let mut row = 0;
    while row < SECTIONS.len() {
        let first = SECTIONS[row].0.as_bytes()[0] as usize;
        if rows[first].1 == 0 {
            rows[first].0 = row as u8;
        }
        row += 1;
        rows[first].1 = row as u8;
    }
    rows
};

/// Reads a line by its start.
pub(super) fn section(line: &[u8]) -> Parsed<'_, Section> {
    let rows = line.first().and_then(|first| ROWS.get(usize::from(*first)));
    let rows = rows.and_then(|(first, last)| SECTIONS.get(usize::from(*first)..usize::from(*last)));
    for (start, section) in rows.unwrap_or_default() {
        if let Some(rest) = line.strip_prefix(start.as_bytes()) {
            return Ok((rest, *section));
        }
    }
    Err(nom::Err::Error(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_sorted_and_unshadowed() {
        assert!(SECTIONS.is_sorted_by(|a, b| a.0 < b.0));
        for (line, want) in SECTIONS {
            assert_eq!(section(line.as_bytes()).map(|(_, found)| found), Ok(*want), "{line}");
        }
    }

    #[test]
    fn err_section() {
        for line in ["", "-", "Pgd", "zzz", "page"] {
            assert!(section(line.as_bytes()).is_err(), "{line}");
        }
    }
}
