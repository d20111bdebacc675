//! Pages and page tables.
//!
//! ```text
//! page    = "page:" [ pointer ] " refcount:" n " mapcount:" n " mapping:" pointer " index:" hex [ " pfn:" hex ] ; __dump_page()
//! flags   = [ "anon " ] "flags: " hex "(" names ")"          ; the same, in mm/debug.c
//! reason  = "page dumped because: " text                          ; dump_page()
//! table   = "PGD " hex [ " P4D " hex ] [ " PUD " hex ] [ " PMD " hex ] [ " PTE " hex ]    ; dump_pagetable()
//!         / "[" hex "] " [ "*" ] "pgd=" hex *( ", " [ "*" ] name "=" hex )   ; show_pte() in arch/arm64/mm/fault.c
//! map     = "BUG: Bad page map in process " comm "  pte:" hex " pmd:" hex    ; print_bad_pte() in mm/memory.c
//! mapped  = "addr:" hex " vm_flags:" …                               ; the same
//! ```

use nom::Parser;
use nom::bytes::complete::{tag, take_till};
use nom::combinator::opt;
use nom::sequence::{delimited, preceded};

use super::Parsed;
use crate::search;
use crate::token::{Hex, blanks, decimal, hex};

/// A fact about a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Page<'t> {
    /// The counts and numbers of `page:`.
    Counts(Counts),
    /// The names of its flags.
    Flags(&'t [u8]),
    /// The reason of the dump.
    Reason(&'t [u8]),
}

/// The numbers of a page.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) refcount: Option<i64>,
    pub(crate) mapcount: Option<i64>,
    pub(crate) mapping: Option<Hex>,
    pub(crate) pfn: Option<u64>,
}

/// Reads a line that begins with `page:`, `flags: 0x`, `anon flags: 0x` or `page dumped because:`.
pub(super) fn page(line: &[u8]) -> Option<Page<'_>> {
    if let Some(reason) = line.strip_prefix(b"page dumped because:") {
        return Some(Page::Reason(reason.trim_ascii()));
    }
    if let Some(counts) = line.strip_prefix(b"page:") {
        let counts = Counts {
            // `count:` before Linux 4.20.
            refcount: after(counts, "count:", signed),
            mapcount: after(counts, " mapcount:", signed),
            mapping: after(counts, " mapping:", hex),
            pfn: after(counts, " pfn:", hex).map(|pfn| pfn.value),
        };
        return Some(Page::Counts(counts)).filter(|_| counts != Counts::default());
    }
    let flags = (opt(tag("anon ")), tag("flags: "), hex);
    let names = delimited(tag("("), take_till(|b| b == b')'), tag(")"));
    let names: Parsed<'_, &[u8]> = preceded(flags, names).parse(line);
    names.ok().map(|(_, names)| Page::Flags(names.trim_ascii()))
}

/// The value behind the first `name`.
fn after<'t, T>(text: &'t [u8], name: &str, value: fn(&'t [u8]) -> Parsed<'t, T>) -> Option<T> {
    let (_, value) = preceded(blanks, value).parse(search::after(text, name)?).ok()?;
    Some(value)
}

fn signed(input: &[u8]) -> Parsed<'_, i64> {
    let (rest, (sign, number)) = (opt(tag("-")), decimal).parse(input)?;
    let number = i64::try_from(number).map_err(|_| nom::Err::Error(()))?;
    Ok((rest, if sign.is_some() { -number } else { number }))
}

/// The entries of page tables: each level by its name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Table {
    pub(crate) address: Option<Hex>,
    /// The entry of each level in [`LEVELS`].
    pub(crate) entries: [Option<Hex>; 5],
}

/// The levels of page tables from the top, by their names on x86 and on other architectures.
const LEVELS: [[&str; 2]; 5] =
    [["PGD ", "pgd="], ["P4D ", "p4d="], ["PUD ", "pud="], ["PMD ", "pmd="], ["PTE ", "pte="]];

/// `PGD 1234067 P4D 1234067 PUD 0`.
pub(super) fn table(line: &[u8]) -> Option<Table> {
    let entries = LEVELS.map(|[name, _]| after(line, name, hex));
    entries.first()?.is_some().then_some(Table { address: None, entries })
}

/// `[0000000000000018] pgd=0000000041234003, p4d=0000000041234003`.
pub(super) fn table_of_address(line: &[u8]) -> Option<Table> {
    let address: Parsed<'_, Hex> = delimited(tag("["), hex, tag("] ")).parse(line);
    let (rest, address) = address.ok()?;
    let is_table = rest.starts_with(b"pgd=") || rest.starts_with(b"*pgd=");
    let entries = || LEVELS.map(|[_, name]| after(rest, name, hex));
    is_table.then(|| Table { address: Some(address), entries: entries() })
}

/// The headline of `print_bad_pte()`.
pub(crate) fn bad_map(headline: &[u8]) -> Option<Table> {
    search::find(headline, "BUG: Bad page map")?;
    let (pmd, pte) = (after(headline, " pmd:", hex), after(headline, " pte:", hex));
    let entries = [None, None, None, pmd, pte];
    pte.is_some().then_some(Table { address: None, entries })
}

/// The address of a bad entry: `addr:0000003fa0bfd000 vm_flags:00100073 …`.
pub(crate) fn mapped(line: &[u8]) -> Option<Hex> {
    let address: Parsed<'_, Hex> = delimited(tag("addr:"), hex, tag(" vm_flags:")).parse(line);
    address.ok().map(|(_, address)| address)
}

/// The frame number of a page in the headline of `bad_page()` in mm/page_alloc.c.
pub(crate) fn bad_state(headline: &[u8]) -> Option<u64> {
    search::find(headline, "BUG: Bad page state")?;
    after(headline, " pfn:", hex).map(|pfn| pfn.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(line: &str) -> Counts {
        match page(line.as_bytes()) {
            Some(Page::Counts(counts)) => counts,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn ok_page() {
        let found = counts(
            "page:ffffea0001f7ba80 refcount:0 mapcount:-127 mapping:ffff888012340000 index:0x0 pfn:0x7deea",
        );
        assert_eq!(
            (found.refcount, found.mapcount, found.pfn),
            (Some(0), Some(-127), Some(0x7deea))
        );
        assert_eq!(found.mapping.map(|mapping| mapping.value), Some(0xffff_8880_1234_0000));
        let found =
            counts("page:ffffea0001f7ba80 count:1 mapcount:0 mapping:          (null) index:0x1");
        assert_eq!((found.refcount, found.mapping, found.pfn), (Some(1), None, None));
        let flags = "flags: 0xfff00000000000(node=0|zone=1) CMA";
        assert_eq!(page(flags.as_bytes()), Some(Page::Flags(b"node=0|zone=1")));
        let reason = "page dumped because: nonzero mapcount";
        assert_eq!(page(reason.as_bytes()), Some(Page::Reason(b"nonzero mapcount")));
    }

    #[test]
    fn err_page() {
        for line in ["page:", "page: x", "flags: 0x1", "flags: x(y)", "page dump"] {
            assert!(page(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn ok_table() {
        let value = |entry: Option<Hex>| entry.map(|hex| hex.value);
        let found = table(b"PGD 1234067 P4D 0 ").expect("a table");
        assert_eq!(found.entries.map(value), [Some(0x0123_4067), Some(0), None, None, None]);
        let found = table_of_address(b"[0000000000000018] pgd=0000000041234003, p4d=1, pud=0");
        let found = found.expect("a table");
        assert_eq!(value(found.address), Some(0x18));
        assert_eq!(found.entries.map(value), [Some(0x4123_4003), Some(1), Some(0), None, None]);
        assert!(table_of_address(b"[00000000] *pgd=00000000").is_some());
        let found = bad_map(b"BUG: Bad page map in process init  pte:c0ab684c pmd:01182000");
        assert_eq!(
            found.expect("one").entries.map(value)[3..],
            [Some(0x0118_2000), Some(0xc0ab_684c)]
        );
        assert_eq!(
            value(mapped(b"addr:0000003fa0bfd000 vm_flags:00100073 x")),
            Some(0x3f_a0bf_d000)
        );
        assert_eq!(bad_state(b"BUG: Bad page state in process demo  pfn:7deea"), Some(0x7deea));
    }

    #[test]
    fn err_table() {
        assert!(table(b"PGD x").is_none());
        for line in ["[12.5] pgd=1", "[0] x", "[0] xpgd=1"] {
            assert!(table_of_address(line.as_bytes()).is_none(), "{line}");
        }
        assert!(bad_map(b"BUG: Bad page map in process x").is_none());
        assert!(mapped(b"addr:x").is_none() && bad_state(b"x pfn:1").is_none());
    }
}
