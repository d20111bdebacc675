//! Speed of decoding and printing `Code:` lines.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use iced_x86::{Decoder, DecoderOptions, Instruction};
use ksplat::disasm::{self, Syntax};

/// The code of the crash in `__io_queue_sqe`.
const LINE: &[u8] = b"Code: 89 ea 48 c1 ea 03 80 3c 02 00 0f 85 50 0a 00 00 48 b8 00 00 00 00 00 fc ff df \
4c 8b 65 70 49 8d 7c 24 58 48 89 fa 48 c1 ea 03 <0f> b6 04 02 84 c0 74 08 3c 03 0f 8e a0 08 00 00 41 8b 44 24 58 a9";

/// Architectures with a log of a trap, and the end of its explanation.
const TRAPS: &[(&str, &str, &str)] = &[
    ("x86-64", include_str!("../corpus/gpf/io-queue-sqe.log"), "NULL pointer + 0x58"),
    ("arm64", include_str!("../corpus/null-deref/arm64.log"), "NULL pointer + 0x68"),
    ("arm", include_str!("../corpus/null-deref/arm.log"), "NULL pointer + 0x58"),
    ("powerpc", include_str!("../corpus/null-deref/powerpc.log"), "NULL pointer + 0x68"),
    ("riscv64", RISCV, "NULL pointer + 0x8"),
    ("s390x", include_str!("../corpus/page-fault/s390x.log"), "NULL pointer + 0x68"),
];

/// `c.add a0, a5; c.ld a5, 8(a0)`, as `show_regs()` and `dump_kernel_instr()` of riscv print a trap.
const RISCV: &str = "\
Unable to handle kernel access to user memory without uaccess routines at virtual address 0000000000000008
epc : f+0x10/0x20
 ra : g+0x8/0x20
epc : ffffffff80001234 ra : ffffffff80001238 sp : ff20000000013bc0
 a0 : 0000000000000000 a5 : 0000000000000000
status: 0000000200000120 badaddr: 0000000000000008 cause: 000000000000000d
[<ffffffff80001234>] f+0x10/0x20
Code: 7a98 8d19 953e (651c)
---[ end trace 0000000000000000 ]---
";

/// The lower bound: the decoder alone, from a known start.
fn bare(bytes: &[u8]) -> usize {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut count = 0;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        count += 1;
    }
    count
}

fn code(c: &mut Criterion) {
    let code = disasm::parse_code(LINE).unwrap_or_default();
    let instructions = disasm::decode(&code, Syntax::Att);
    let trap = instructions.iter().find(|instruction| instruction.trapping);
    assert_eq!(trap.map(|trap| trap.text.as_str()), Some("movzbl (%rdx,%rax,1),%eax"));
    assert_eq!(instructions.len(), bare(&code.bytes));

    let mut group = c.benchmark_group("disasm");
    group.bench_function("parse, align, decode, write", |b| {
        b.iter(|| {
            disasm::parse_code(black_box(LINE)).map(|code| disasm::decode(&code, Syntax::Att))
        });
    });
    group.bench_function("align, decode, write", |b| {
        b.iter(|| disasm::decode(black_box(&code), Syntax::Att));
    });
    for (machine, log, summary) in TRAPS {
        let mut reports: Vec<_> = ksplat::reports(log.as_bytes()).collect();
        let mut all = || {
            for report in &mut reports {
                ksplat::Analyzer::new().without_suspects().annotate(report);
            }
            let explanation = reports.first().and_then(|report| report.explanation.as_ref());
            explanation.is_some_and(|explanation| explanation.summary.ends_with(summary))
        };
        assert!(all(), "{machine} is not explained");
        let name = format!("a report of {machine}: decode, write, explain");
        group.bench_function(name, |b| b.iter(|| black_box(all())));
    }
    group.bench_function("decode alone (iced-x86)", |b| b.iter(|| bare(black_box(&code.bytes))));
    group.finish();
}

criterion_group!(benches, code);
criterion_main!(benches);
