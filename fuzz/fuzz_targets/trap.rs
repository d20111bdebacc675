//! A trap of any architecture: registers, code and an address. What is said of it is said twice the
//! same, is safe to print, and comes back from JSON.
#![no_main]

use std::fmt::Write;

use ksplat::disasm::{self, Syntax};
use ksplat::explain;
use ksplat::output::json::{self, Record};
use ksplat::output::text;
use libfuzzer_sys::fuzz_target;

/// A machine: how it tells of the fault, its registers, and the bytes of a unit of code.
struct Machine {
    head: &'static str,
    registers: &'static [&'static str],
    digits: usize,
    unit: usize,
}

const MACHINES: [Machine; 6] = [
    Machine {
        head: "BUG: unable to handle page fault for address: {}\n#PF: supervisor write access in \
               kernel mode\nRIP: 0010:f+0x15/0x20\n",
        registers: &[
            "CR2", "RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP", "R08", "R09", "R10", "R11",
            "R12", "R13", "R14", "R15",
        ],
        digits: 16,
        unit: 1,
    },
    Machine {
        head: "general protection fault, probably for non-canonical address {}: 0000 [#1]\nRIP: \
               0010:f+0x15/0x20\n",
        registers: &["RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP", "R08", "R12", "R15"],
        digits: 16,
        unit: 1,
    },
    Machine {
        head: "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x15/0x20\nEIP: f+0x15/0x20\n",
        registers: &["EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP"],
        digits: 8,
        unit: 1,
    },
    Machine {
        head: "Unable to handle kernel paging request at virtual address {}\npc : f+0x15/0x20\n",
        registers: &[
            "sp", "x29", "x28", "x27", "x20", "x19", "x18", "x9", "x8", "x4", "x3", "x2", "x1", "x0",
        ],
        digits: 16,
        unit: 4,
    },
    Machine {
        head: "Unable to handle kernel NULL pointer dereference at virtual address {}\nPC is at \
               f+0x14/0x20\n",
        registers: &["sp", "ip", "fp", "r10", "r9", "r8", "r3", "r2", "r1", "r0"],
        digits: 8,
        unit: 4,
    },
    Machine {
        head: "Unable to handle kernel paging request at virtual address {}\nepc : f+0x14/0x20\n",
        registers: &["ra", "sp", "gp", "tp", "t0", "s0", "s1", "a0", "a1", "a2", "a5"],
        digits: 16,
        unit: 2,
    },
];

/// Where values of a kernel lie, by the highest bits.
const REGIONS: [u64; 8] = [
    0,
    0xffff_8880_0000_0000,
    0xffff_c900_0000_0000,
    0xffff_ffff_8100_0000,
    0xdfff_fc00_0000_0000,
    0xdead_0000_0000_0100,
    0x6b6b_6b6b_6b6b_6b00,
    0xffff_ffff_ffff_f000,
];

/// The next value: a region, and three bytes in it.
fn value(bytes: &mut impl Iterator<Item = u8>, digits: usize) -> u64 {
    let mut next = || u64::from(bytes.next().unwrap_or_default());
    let region = REGIONS[next() as usize % REGIONS.len()];
    let value = region.wrapping_add(next() | next() << 8);
    if digits == 8 { value & 0xffff_ffff } else { value }
}

/// The log of a trap.
fn log(data: &[u8]) -> String {
    let mut bytes = data.iter().copied();
    let first = usize::from(bytes.next().unwrap_or_default());
    let Machine { head, registers, digits, unit } = &MACHINES[first % MACHINES.len()];
    let hex = |value| format!("{value:0digits$x}");
    let mark = usize::from(bytes.next().unwrap_or_default());
    let address = value(&mut bytes, *digits);
    let mut log = head.replace("{}", &hex(address));
    for name in *registers {
        writeln!(log, "{name}: {}", hex(value(&mut bytes, *digits))).expect("text");
    }
    log.push_str("Code:");
    let code: Vec<_> = bytes.take(64).collect();
    let count = code.len() / unit;
    for (index, word) in code.chunks_exact(*unit).enumerate() {
        let word: String = word.iter().map(|byte| format!("{byte:02x}")).collect();
        let (open, close) = if *unit == 1 { ('<', '>') } else { ('(', ')') };
        let is_trap = index == mark % count;
        log.push_str(&if is_trap { format!(" {open}{word}{close}") } else { format!(" {word}") });
    }
    log + "\n"
}

fuzz_target!(|data: &[u8]| {
    let log = log(data);
    let syntax = if data.len() % 2 == 0 { Syntax::Att } else { Syntax::Intel };
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    assert!(!report.registers.is_empty());
    disasm::annotate(&mut report, syntax);
    explain::annotate(&mut report, syntax);
    let once = report.clone();
    explain::annotate(&mut report, syntax);
    assert_eq!(report, once);

    if let Some(access) = report.explanation.as_ref().and_then(|known| known.access.as_ref()) {
        for register in access.registers.iter() {
            assert_eq!(report.registers.get(&register.name), Some(register.value.value));
        }
    }
    let mut page = String::new();
    text::write(&mut page, "-", &report, text::Options::default().with_all(true)).expect("text");
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
    let record = Record::new("-", 0, report);
    let mut line = Vec::new();
    json::write(&mut line, &record).expect("JSON");
    assert_eq!(json::read(std::str::from_utf8(&line).expect("UTF-8")).expect("what was written"), record);
});
