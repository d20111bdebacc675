//! The detection of architectures, and dumps of unknown ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::{Arch, Report};

fn only(log: &str) -> Report<'_> {
    let mut reports = ksplat::reports(log.as_bytes());
    let mut report = reports.next().expect("a report");
    assert!(reports.next().is_none(), "more than one report");
    ksplat::Analyzer::new().annotate(&mut report);
    report
}

#[test]
fn openrisc_is_one_file() {
    let report = only(include_str!("../corpus/null-deref/openrisc.log"));
    assert_eq!(report.kernel.arch, Some(Arch::Openrisc));
    assert_eq!(report.title, "BUG: unable to handle kernel NULL pointer dereference in ethoc_open");
    assert_eq!(report.blame.as_ref().map(|blame| &*blame.function), Some("ethoc_open"));
    assert_eq!(report.corrupted, None);
    assert_eq!(report.diagnostics, []);
    let pointer = &report.crash_stack().expect("a stack").frames[0];
    assert!(pointer.exact && pointer.function.is_none());
    assert_eq!(pointer.address.map(|address| address.to_string()), Some("0xc01d7a3c".into()));
    assert_eq!(report.registers.iter().count(), 32 + ["sr", "sp", "res", "orig_r11"].len());
    assert!(report.registers.iter().all(|register| register.value.bits == 32));
    for (name, value) in [("r1", 0xc104_5d88), ("r31", 0), ("sr", 0x807f), ("sp", 0xc104_5d88)] {
        assert_eq!(report.registers.get(name), Some(value), "{name}");
    }
    // A program counter without a symbol is not proof of a wild jump.
    assert!(report.explanation.is_none());
}

/// Dumps of unknown architectures that resemble those of known ones.
const UNKNOWN: &[&str] = &[
    // An architecture that does not exist.
    "PX: c01d7a3c  SR: 0000807f  SP: c1045d88\nGPR00 00000000 c1045d88\n\
     r00-r03: 00000000 c1045d88 00000001 00000002\nr00-03: 00000000\nGPRS: 00000000 00000001\n\
     $0: 00000000 $1: 00000001\nR00: 00000000 R01: 00000001\nx00: 00000000 x01: 00000001\n\
     sp: c1045d88 lr: c01d7a3c",
    // m68k
    "PC: [<00123456>] zz_open+0x8/0x10\nSR: 2000  SP: 00c7fe94  a2: 00c7a000\n\
     d0: 00000000    d1: 00000001    d2: 00000002    d3: 00000003\n\
     d4: 00000004    d5: 00000005    a0: 00000000    a1: 00123450",
    // nios2
    "PC: c01d7a3c\nSR: 00000001    SP: c1045d88\nr1: 00000000    r2: 00000001    r3: 00000002\n\
     r4: 00000000    r5: 00000001    r6: 00000002    r7: 00000003\n\
     or2: 00000000   ra: c01d7a30     fp: 00000000    sp: c1045d88",
    // csky
    "PC: 0x801d7a3c (zz_open+0x8/0x10)\nLR: 0x801d7a30 (zz_read+0x8/0x10)\nSP: 0x81045d88\n\
     PSR: 0x80140340\norig_a0: 0x00000000\nPT_REGS: 0x81045d00\n\
      a0: 0x00000000   a1: 0x00000001   a2: 0x00000002   a3: 0x00000003\n\
      r4: 0x00000000   r5: 0x00000001   r6: 0x00000002   r7: 0x00000003",
    // microblaze
    " Registers dump: mode=1\n r1=C1045D88, r2=00000000, r3=00000001, r4=00000002\n\
      msr=000046A2, ear=00000010, esr=00000872, fsr=00000000",
];

#[test]
fn an_unknown_machine_is_unknown() {
    for dump in UNKNOWN {
        let log = format!(
            "Unable to handle kernel NULL pointer dereference\nOops#: 0000\n{dump}\n\
             Process zz (pid: 41, stackpage=c1041b60)\nCall trace:\n\
             [<c01d7f20>] zz_open+0x120/0x264\n[<c01d8000>] zz_read+0x118/0x1a8\n\
             Code: 81490000 7d295030 <f9490068> 4e800020\n"
        );
        let report = only(&log);
        assert_eq!(report.kernel.arch, None, "{dump}");
        assert!(report.registers.is_empty(), "{dump}: {:?}", report.registers);
        let code = report.code.as_ref().expect("code");
        assert_eq!((code.arch, code.bytes.len()), (None, 16), "{dump}");
        assert!(code.instructions.is_empty(), "{dump}");
        assert!(report.explanation.is_none(), "{dump}");
        assert!(report.blame.is_some(), "{dump}");
    }
}
