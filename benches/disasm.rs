//! `Code:` lines: how fast one is decoded and written out.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use iced_x86::{Decoder, DecoderOptions, Instruction};
use ksplat::disasm::{self, Syntax};
use ksplat::explain;

/// Of the crash in `__io_queue_sqe`.
const LINE: &[u8] = b"Code: 89 ea 48 c1 ea 03 80 3c 02 00 0f 85 50 0a 00 00 48 b8 00 00 00 00 00 fc ff df \
4c 8b 65 70 49 8d 7c 24 58 48 89 fa 48 c1 ea 03 <0f> b6 04 02 84 c0 74 08 3c 03 0f 8e a0 08 00 00 41 8b 44 24 58 a9";

/// The limit: the decoder alone, from a start that is known.
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
    let log = include_str!("../corpus/gpf/io-queue-sqe.log");
    let log = log.split_once("\n\n").map_or(log, |(_, log)| log);
    let mut reports: Vec<_> = ksplat::reports(log.as_bytes()).collect();
    let mut all = || {
        for report in &mut reports {
            disasm::annotate(report, Syntax::Att);
            explain::annotate(report, Syntax::Att);
        }
        let explanation = reports.first().and_then(|report| report.explanation.as_ref());
        explanation.is_some_and(|explanation| explanation.summary.ends_with("NULL pointer + 0x58"))
    };
    assert!(all(), "not explained");
    group.bench_function("a report: decode, write, explain", |b| b.iter(|| black_box(all())));
    group.bench_function("decode alone (iced-x86)", |b| b.iter(|| bare(black_box(&code.bytes))));
    group.finish();
}

criterion_group!(benches, code);
criterion_main!(benches);
