//! Benign console output: how fast a log without a splat is passed over.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Lines that kernels, init systems and fuzzers print; `{}` is a number.
const LINES: &[&str] = &[
    "[{}] usb 1-1: new high-speed USB device number {} using dummy_hcd",
    "[{}] EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
    "[{}][   T{}] audit: type=1400 audit(1599836143.{}:5): avc:  denied  { execmem } for  pid={}",
    "[{}][    C1] hrtimer: interrupt took {} ns",
    "[{}] netlink: 24 bytes leftover after parsing attributes in process `syz-executor.{}'.",
    "[{}] IPv6: ADDRCONF(NETDEV_CHANGE): veth{}: link becomes ready",
    "[  OK  ] Started Journal Service {}.",
    "{}:34:15 executing program {}:",
    "r0 = socket$inet6_tcp(0xa, 0x1, 0x{})",
    "[{}] device bridge_slave_{} entered promiscuous mode",
    "[{}] loop{}: detected capacity change from 0 to 512",
    "[{}] 8021q: adding VLAN 0 to HW filter on device team{}",
];

/// A log of at least `size` bytes.
fn benign(size: usize) -> Vec<u8> {
    let mut log = String::with_capacity(size + 256);
    let mut number = 1u64;
    while log.len() < size {
        // A linear congruential generator: the same log on every run.
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let line = LINES.get((number >> 33) as usize % LINES.len()).copied().unwrap_or_default();
        log.push_str(
            &line.replace("{}", &format!("{:>5}.{:06}", number >> 52, (number >> 20) % 1_000_000)),
        );
        log.push('\n');
    }
    log.into_bytes()
}

fn scan(c: &mut Criterion) {
    let log = benign(64 << 20);
    assert_eq!(ksplat::reports(&log).count(), 0, "the log is not benign");

    // The same with one report at its end: it is found.
    let mut with_report = log.clone();
    with_report.extend_from_slice(include_bytes!("../corpus/warning/io-ring-exit-work.log"));
    assert_eq!(ksplat::reports(&with_report).count(), 1, "the report was missed");

    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Bytes(log.len() as u64)).sample_size(20);
    group.bench_function("benign", |b| b.iter(|| ksplat::reports(black_box(&log)).count()));
    group.bench_function("lines (memchr)", |b| {
        b.iter(|| memchr::memchr_iter(b'\n', black_box(&log)).count());
    });
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
