//! The access that faulted, from the headlines and the lines below them.
//!
//! ```text
//! headline = "BUG: kernel NULL pointer dereference, address: " hex     ; show_fault_oops() in arch/x86/mm/fault.c
//!          / "BUG: unable to handle page fault for address: " hex
//!          / "BUG: unable to handle kernel " what " at " hex           ; before Linux 5.1
//!          / "BUG: Kernel NULL pointer dereference on " ( "read" / "write" ) " at " hex   ; __bad_page_fault() in arch/powerpc/mm/fault.c
//!          / "general protection fault, probably for non-canonical address " hex   ; exc_general_protection()
//! pf       = "#PF: " ( "supervisor" / "user" ) " " what " in " mode     ; show_fault_oops()
//! what     = "read access" / "write access" / "instruction fetch"
//! failing  = "Failing address: " hex " TEID: " hex   ; dump_fault_info() in arch/s390/mm/fault.c
//! abort    = "CM = " n ", WnR = " ( "0" / "1" )      ; data_abort_decode() in arch/arm64/mm/fault.c
//! esr      = "ESR = 0x" hex                          ; mem_abort_decode() in arch/arm64/mm/fault.c
//! oops     = "Internal error: Oops: " hex " [#"      ; __die() of arm and arm64
//! range    = "KASAN: " kind " in range [" hex "-" hex "]"               ; kasan_non_canonical_hook()
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::combinator::{map_opt, opt, value};
use nom::sequence::{delimited, preceded};

use super::Parsed;
pub(crate) use crate::arch::Fault;
use crate::search;
use crate::token::{Hex, blanks, digits, hex};

/// Finds the address in a headline.
pub(crate) fn address(headline: &[u8]) -> Option<Hex> {
    const BEFORE: [&str; 12] = [
        "address: ",
        "non-canonical address ",
        "null-ptr-deref address ",
        " virtual address ",
        " at address ",
        " on read at ",
        " on write at ",
        " unaligned access at ",
        " data access at ",
        " dereference at ",
        " request at ",
        // arm: do_DataAbort() in arch/arm/mm/fault.c.
        ") at 0x",
    ];
    // Each grammar contains one of these texts. An imprecise abort has the address of a later access.
    let has_address = search::has(headline, " at ") || search::has(headline, "address");
    if !has_address || search::has(headline, ": imprecise ") {
        return None;
    }
    BEFORE.iter().find_map(|&before| {
        let rest = search::after(headline, before)?;
        preceded(blanks, hex).parse(rest).ok().map(|(_, address)| address)
    })
}

/// Whether a headline reports a fault on an instruction fetch: arm64, arm and powerpc.
pub(crate) fn is_fetch(headline: &[u8]) -> bool {
    ["execute from", "execution of memory", "instruction fetch"]
        .iter()
        .any(|words| search::has(headline, words))
}

/// The direction of an access in a powerpc headline.
pub(crate) fn direction(headline: &[u8]) -> Option<Fault> {
    let directions = [
        (" on read at ", Fault::Read),
        (" on write at ", Fault::Write),
        // arm: die_kernel_fault() in arch/arm/mm/fault.c.
        (" when read", Fault::Read),
        (" when write", Fault::Write),
        (" when execute", Fault::Execute),
        ("write to read-only memory", Fault::Write),
        ("read from unreadable memory", Fault::Read),
    ];
    directions.iter().find(|(words, _)| search::has(headline, words)).map(|(_, fault)| *fault)
}

/// `ESR: 0x0000000096000047 -- DABT (current EL)` of `panic_bad_stack()` in
/// arch/arm64/kernel/traps.c: the syndrome of a data abort.
pub(crate) fn syndrome_of_bad_stack(input: &[u8]) -> Parsed<'_, Fault> {
    let class = delimited(tag("ESR: "), hex, tag(" -- DABT"));
    class.map(|esr| if esr.value & (1 << 6) == 0 { Fault::Read } else { Fault::Write }).parse(input)
}

/// `Failing address: 0000000000000000 TEID: 0000000000000483`, of s390: the page that was accessed.
/// `FAR: 0xffff800015fdffa0` of `panic_bad_stack()` in arm64.
pub(crate) fn failing_address(input: &[u8]) -> Parsed<'_, Hex> {
    preceded((alt((tag("Failing address:"), tag("FAR:"))), blanks), hex).parse(input)
}

/// Whether a headline reports a double or invalid free.
pub(crate) fn is_free(headline: &[u8]) -> bool {
    ["double-free", "invalid-free"].iter().any(|kind| search::has(headline, kind))
}

/// `#PF: supervisor write access in kernel mode`.
pub(crate) fn page_fault(input: &[u8]) -> Parsed<'_, Fault> {
    preceded(
        (tag("#PF: "), alt((tag("supervisor "), tag("user ")))),
        alt((
            value(Fault::Read, tag("read access")),
            value(Fault::Write, tag("write access")),
            value(Fault::Execute, tag("instruction fetch")),
        )),
    )
    .parse(input)
}

/// Whether a line says that the protection of a mapped page forbids the access: show_fault_oops() in
/// arch/x86/mm/fault.c, mem_abort_decode() in arch/arm64/mm/fault.c.
pub(crate) fn is_denied(line: &[u8]) -> bool {
    line.ends_with(b"permissions violation") || line.ends_with(b" permission fault")
}

/// The same for a headline: __do_kernel_fault() in arch/arm64/mm/fault.c.
pub(crate) fn is_denied_in_headline(headline: &[u8]) -> bool {
    [
        "write to read-only memory",
        "execute from non-executable memory",
        "read from unreadable memory",
    ]
    .iter()
    .any(|words| search::has(headline, words))
}

/// `CM = 0, WnR = 1` of arm64, with or without more behind it: whether it was a write.
pub(crate) fn data_abort(input: &[u8]) -> Parsed<'_, Fault> {
    let wrote = alt((value(Fault::Read, tag("0")), value(Fault::Write, tag("1"))));
    preceded((tag("CM = "), digits, tag(", WnR = ")), wrote).parse(input)
}

/// The access in the error code of an x86 headline since Linux 6.10: `Oops: Oops: 0002 [#1] SMP`.
pub(crate) fn died(headline: &[u8]) -> Option<Fault> {
    let at = search::find(headline, "Oops: Oops: ")?;
    error_code(headline.get(at..)?).ok().map(|(_, fault)| fault)
}

/// `Oops: 0002 [#1] SMP` of x86: the error code of a page fault, with the bits of the processor.
///
/// `Oops: 0010 ilc:2 [#1]` of s390 has the interruption code there.
pub(crate) fn error_code(input: &[u8]) -> Parsed<'_, Fault> {
    // Since Linux 6.10 die() prints `Oops: ` before the text of its caller, and exc_page_fault()
    // passes it too.
    delimited((tag("Oops: "), opt(tag("Oops: "))), hex, tag(" [#"))
        .map(|code| match code.value {
            code if code & 0x10 != 0 => Fault::Execute,
            code if code & 0x02 != 0 => Fault::Write,
            _ => Fault::Read,
        })
        .parse(input)
}

/// `ESR = 0x96000046`, the exception syndrome of arm64, and the code behind `Internal error: Oops:`.
pub(crate) fn syndrome(input: &[u8]) -> Parsed<'_, Fault> {
    let esr = map_opt(preceded(tag("ESR = 0x"), hex), |esr: Hex| Fault::of_syndrome(esr.value));
    let oops = delimited(tag("Internal error: Oops: "), hex, tag(" [#"));
    alt((esr, map_opt(oops, |code: Hex| Fault::of_arm(code.value)))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_address() {
        let p = |line: &'static str| address(line.as_bytes()).map(|hex| hex.value);
        assert_eq!(
            p("BUG: kernel NULL pointer dereference, address: 0000000000000010"),
            Some(0x10)
        );
        assert_eq!(
            p("BUG: unable to handle page fault for address: ffffebde00000034"),
            Some(0xffff_ebde_0000_0034)
        );
        assert_eq!(
            p(
                "general protection fault, probably for non-canonical address 0xdffffc0000000002: 0000 [#1]"
            ),
            Some(0xdfff_fc00_0000_0002)
        );
        assert_eq!(
            p("BUG: unable to handle kernel NULL pointer dereference at 0000000000000286"),
            Some(0x286)
        );
        assert_eq!(p("BUG: Kernel NULL pointer dereference on write at 0x00000068"), Some(0x68));
        assert_eq!(direction(b"NULL pointer dereference on write at 0x68"), Some(Fault::Write));
        assert_eq!(
            failing_address(b"Failing address: 0000000000001000 TEID: 483").map(|(_, h)| h.value),
            Ok(0x1000)
        );
        assert_eq!(p("BUG: unable to handle kernel paging request at           (null)"), None);
        assert_eq!(p("general protection fault: 0000 [#1] SMP KASAN"), None);
    }

    #[test]
    fn ok_syndrome() {
        let p = |line: &'static str| syndrome(line.as_bytes()).ok().map(|(_, fault)| fault);
        assert_eq!(p("ESR = 0x0000000096000006"), Some(Fault::Read));
        assert_eq!(p("ESR = 0x96000046"), Some(Fault::Write));
        assert_eq!(p("Internal error: Oops: 0000000086000004 [#1] SMP"), Some(Fault::Execute));
        assert_eq!(p("Internal error: Oops: 817 [#1] SMP ARM"), Some(Fault::Write));
        // No code; not an abort; cut off.
        assert_eq!(p("Internal error: Oops: 5 [#1] SMP ARM"), None);
        assert_eq!(p("ESR = 0x00000000f2000800"), None);
        assert_eq!(p("Internal error: Oops: 5"), None);
    }

    #[test]
    fn ok_is_denied() {
        assert!(is_denied(b"#PF: error_code(0x0003) - permissions violation"));
        assert!(is_denied(b"  FSC = 0x0f: level 3 permission fault"));
        let headline = b"Unable to handle kernel write to read-only memory at virtual address ffff";
        assert!(is_denied_in_headline(headline));
        assert!(!is_denied(b"#PF: error_code(0x0002) - not-present page"));
    }

    #[test]
    fn ok_is_free() {
        assert!(is_free(b"BUG: KASAN: double-free or invalid-free in kvfree+0x36/0x60"));
        assert!(!is_free(b"BUG: KASAN: use-after-free in kvfree+0x36/0x60"));
    }

    #[test]
    fn ok_fault() {
        assert_eq!(
            page_fault(b"#PF: supervisor write access in kernel mode").map(|(_, f)| f),
            Ok(Fault::Write)
        );
        assert_eq!(
            page_fault(b"#PF: supervisor instruction fetch in kernel mode").map(|(_, f)| f),
            Ok(Fault::Execute)
        );
        assert!(page_fault(b"#PF: error_code(0x0010) - not-present page").is_err());
        assert_eq!(error_code(b"Oops: 0010 [#1] PREEMPT").map(|(_, f)| f), Ok(Fault::Execute));
        assert_eq!(error_code(b"Oops: 0002 [#1] PREEMPT").map(|(_, f)| f), Ok(Fault::Write));
        assert!(error_code(b"Oops: general protection fault").is_err());
        assert!(error_code(b"Oops: 0010 ilc:2 [#1] SMP").is_err());
        assert_eq!(data_abort(b"CM = 0, WnR = 1, TnD = 0").map(|(_, f)| f), Ok(Fault::Write));
        assert_eq!(data_abort(b"CM = 0, WnR = 0").map(|(_, f)| f), Ok(Fault::Read));
        assert!(data_abort(b"CM = 0, S1PTW = 0").is_err());
    }
}
