//! The logs of the project's specification. Those in `../shared` are read with `--ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ksplat::disasm::{self, Syntax};

const SEEDS: [(&str, &str, &str); 5] = [
    (
        "000_5dd5d67a3d143477",
        "general protection fault in batadv_iv_ogm_queue_add",
        "5.4.0-rc5-syzkaller",
    ),
    ("001_9fa9da7e499b57fb", "general protection fault in __io_queue_sqe", "5.14.0-rc5-syzkaller"),
    ("002_3a517a86d7544427", "WARNING in io_ring_exit_work", "5.17.0-rc1-syzkaller"),
    (
        "003_36161d8f652fb016",
        "general protection fault in batadv_iv_ogm_schedule_buff",
        "5.6.0-rc2-syzkaller",
    ),
    ("004_029842f4da5026bd", "WARNING in io_wqe_wake_worker", "5.5.0-rc7-syzkaller"),
];

/// The disassembly at the end of seed 001: offset, bytes, instruction; the trap is at 0x2a.
const LISTING: &str = "\
0: 89 ea | mov %ebp,%edx
2: 48 c1 ea 03 | shr $0x3,%rdx
6: 80 3c 02 00 | cmpb $0x0,(%rdx,%rax,1)
a: 0f 85 50 0a 00 00 | jne 0xa60
10: 48 b8 00 00 00 00 00 fc ff df | movabs $0xdffffc0000000000,%rax
1a: 4c 8b 65 70 | mov 0x70(%rbp),%r12
1e: 49 8d 7c 24 58 | lea 0x58(%r12),%rdi
23: 48 89 fa | mov %rdi,%rdx
26: 48 c1 ea 03 | shr $0x3,%rdx
2a: 0f b6 04 02 | movzbl (%rdx,%rax,1),%eax
2e: 84 c0 | test %al,%al
30: 74 08 | je 0x3a
32: 3c 03 | cmp $0x3,%al
34: 0f 8e a0 08 00 00 | jle 0x8da
3a: 41 8b 44 24 58 | mov 0x58(%r12),%eax
3f: a9 | .byte 0xa9
";

#[test]
#[ignore = "reads ../shared: cargo test --test seeds -- --ignored"]
fn seeds_have_their_crash_only() {
    let folder = Path::new("../shared/seeds");
    for (name, title, release) in SEEDS {
        let log = fs::read(folder.join(name).with_extension("txt")).unwrap();
        let reports: Vec<_> = ksplat::reports(&log).collect();
        assert_eq!(reports.len(), 1, "{name}");
        let report = &reports[0];
        assert_eq!(report.title(), title, "{name}");
        assert_eq!(report.kernel.release.as_deref(), Some(release), "{name}");
        assert!(report.registers.get("rax").is_some() && report.task.comm.is_some(), "{name}");
        let stack = report.crash_stack().unwrap();
        let pointer = stack.frames.iter().position(|frame| frame.exact).expect("an exact frame");
        assert!(stack.frames[..pointer].iter().all(|frame| frame.inline), "{name}");
        let code = report.code.as_ref().expect("code bytes");
        let instructions = disasm::decode(code, Syntax::Att);
        assert_eq!(instructions.iter().filter(|i| i.trapping).count(), 1, "{name}");
    }
}

#[test]
fn the_listing_of_seed_001() {
    let log = include_bytes!("../corpus/gpf/io-queue-sqe.log");
    let report = ksplat::reports(log).next().unwrap();
    let mut listing = String::new();
    for i in disasm::decode(&report.code.unwrap(), Syntax::Att) {
        let bytes: Vec<_> = i.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(listing, "{:x}: {} | {}", i.offset, bytes.join(" "), i.text).unwrap();
        assert_eq!(i.trapping, i.offset == 0x2a);
    }
    assert_eq!(listing, LISTING);
}
