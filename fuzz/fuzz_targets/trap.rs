//! A trap of any architecture, with registers, code and an address. The explanation is
//! deterministic, safe to print, and its JSON round-trips.
#![no_main]

use std::fmt::Write;

use ksplat::disasm::Syntax;
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::text;
use libfuzzer_sys::fuzz_target;

/// An architecture: the first lines of its oops, its registers, and the format of its code.
struct Machine {
    head: &'static str,
    /// The names of registers; those without a name follow in the row of the previous one.
    registers: &'static [&'static str],
    digits: usize,
    code: Code,
}

/// The format of code.
enum Code {
    /// Units of this many bytes, with the trapping one between two marks.
    Units(usize, &'static str, [char; 2]),
    /// A disassembly: `show_code()` in arch/s390/kernel/dis.c.
    Listing,
}

const BYTES: Code = Code::Units(1, "Code:", ['<', '>']);
const HALVES: Code = Code::Units(2, "Code:", ['(', ')']);
const WORDS: Code = Code::Units(4, "Code:", ['(', ')']);
/// `show_instructions()` in arch/powerpc/kernel/process.c.
const DUMP: Code = Code::Units(4, "Instruction dump:\n", ['<', '>']);

const MACHINES: [Machine; 10] = [
    Machine {
        head: "BUG: unable to handle page fault for address: {}\n#PF: supervisor write access in \
               kernel mode\nRIP: 0010:f+0x15/0x20\n",
        registers: &[
            "CR2", "RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP", "R08", "R09", "R10",
            "R11", "R12", "R13", "R14", "R15",
        ],
        digits: 16,
        code: BYTES,
    },
    Machine {
        head: "general protection fault, probably for non-canonical address {}: 0000 [#1]\nRIP: \
               0010:f+0x15/0x20\n",
        registers: &["RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP", "R08", "R12", "R15"],
        digits: 16,
        code: BYTES,
    },
    Machine {
        head: "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x15/0x20\nEIP: f+0x15/0x20\n",
        registers: &["EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP"],
        digits: 8,
        code: BYTES,
    },
    Machine {
        head: "Unable to handle kernel paging request at virtual address {}\npc : f+0x15/0x20\n",
        registers: &[
            "sp", "x29", "x28", "x27", "x20", "x19", "x18", "x9", "x8", "x4", "x3", "x2", "x1",
            "x0",
        ],
        digits: 16,
        code: WORDS,
    },
    Machine {
        head: "Unable to handle kernel NULL pointer dereference at virtual address {}\nPC is at \
               f+0x14/0x20\n",
        registers: &["sp", "ip", "fp", "r10", "r9", "r8", "r3", "r2", "r1", "r0"],
        digits: 8,
        code: WORDS,
    },
    Machine {
        head: "Unable to handle kernel paging request at virtual address {}\nepc : f+0x14/0x20\n",
        registers: &["ra", "sp", "gp", "tp", "t0", "s0", "s1", "a0", "a1", "a2", "a5"],
        digits: 16,
        code: HALVES,
    },
    Machine {
        head: "Unable to handle kernel paging request at virtual address {}\nPC is at f+0x14/0x20\n\
               pc : [<c0008000>]    lr : [<c0008000>]    psr: 60000033\n",
        registers: &["sp", "ip", "fp", "r10", "r9", "r8", "r7", "r3", "r2", "r1", "r0"],
        digits: 8,
        code: HALVES,
    },
    Machine {
        head: "BUG: Unable to handle kernel data access on write at 0x{}\nNIP [c000000000008000] \
               f+0x14/0x20\n",
        registers: &["GPR00", "", "", "", "GPR04", "", "", "", "GPR08", "", "", ""],
        digits: 16,
        code: DUMP,
    },
    Machine {
        head: "BUG: Unable to handle kernel data access on read at 0x{}\nNIP [c0008000] f+0x14/0x20\n",
        registers: &["GPR00", "", "", "", "", "", "", "", "GPR08", "", "", ""],
        digits: 8,
        code: DUMP,
    },
    Machine {
        head: "Unable to handle kernel pointer dereference in virtual kernel address space\n\
               Failing address: {} TEID: 0000000000000483\n\
               Krnl PSW : 0704c00180000000 000003ff7fd02658 (f+0x20/0x28)\n",
        registers: &[
            "Krnl GPRS",
            "",
            "",
            "",
            "          ",
            "",
            "",
            "",
            "          ",
            "",
            "",
            "",
            "          ",
            "",
            "",
            "",
        ],
        digits: 16,
        code: Code::Listing,
    },
];

/// Instructions of a disassembly: the name, and the operands with numbers in place of `#` and
/// registers in place of `%`.
const LISTED: [(&str, &str); 20] = [
    ("lg", "%,#(%,%)"),
    ("lgf", "%,#(%)"),
    ("stg", "%,#(%)"),
    ("l", "%,#"),
    ("lgr", "%,%"),
    ("la", "%,#(%,%)"),
    ("aghi", "%,#"),
    ("srlg", "%,%,#(%)"),
    ("mvghi", "#(%),#"),
    ("asi", "#,#"),
    ("cs", "%,%,#(%)"),
    ("mvc", "#(#,%),#(%)"),
    ("stmg", "%,%,#(%)"),
    ("lmg", "%,%,#(%)"),
    ("ltgr", "%,%"),
    ("brc", "#,000003ff7fd02650"),
    ("brasl", "%,000003ff7fd00000"),
    ("cgij", "%,#,#,000003ff7fd02650"),
    ("mc", "#(%),#"),
    ("frob", "%,#(%,%)"),
];

/// The areas of kernel addresses, by their highest bits.
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

/// The next value: an area, and three bytes as the offset.
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
    let Machine { head, registers, digits, code } = &MACHINES[first % MACHINES.len()];
    let hex = |value| format!("{value:0digits$x}");
    let mark = usize::from(bytes.next().unwrap_or_default());
    let address = value(&mut bytes, *digits);
    let mut log = head.replace("{}", &hex(address));
    for (index, name) in registers.iter().enumerate() {
        let value = hex(value(&mut bytes, *digits));
        match name.trim() {
            _ if name.is_empty() => write!(log, " {value}"),
            "" => write!(log, "\n{name} {value}"),
            name if index == 0 => write!(log, "{name}: {value}"),
            name => write!(log, "\n{name}: {value}"),
        }
        .expect("text");
    }
    log.push('\n');
    let bytes: Vec<_> = bytes.take(64).collect();
    match code {
        Code::Units(unit, start, marks) => units(&mut log, &bytes, *unit, start, *marks, mark),
        Code::Listing => listing(&mut log, &bytes, mark),
    }
    log + "\n"
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn units(
    log: &mut String,
    code: &[u8],
    unit: usize,
    start: &str,
    [open, close]: [char; 2],
    mark: usize,
) {
    log.push_str(start);
    let count = code.len() / unit;
    for (index, word) in code.chunks_exact(unit).enumerate() {
        let word = hexadecimal(word);
        let is_trap = index == mark % count;
        log.push_str(&if is_trap { format!(" {open}{word}{close}") } else { format!(" {word}") });
    }
}

/// Writes a disassembly, from eight bytes for each instruction, its operands and its code.
fn listing(log: &mut String, code: &[u8], mark: usize) {
    let count = code.len() / 8;
    let mut address = 0x3ff_7fd0_2640u64;
    for (index, bytes) in code.chunks_exact(8).enumerate() {
        let mark = if index == mark % count { ">" } else { " " };
        let start = if index == 0 { "Krnl Code:" } else { "          " };
        let (name, form) = LISTED[usize::from(bytes[0]) % LISTED.len()];
        let mut numbers = bytes.iter().cycle().skip(1);
        let mut next = || numbers.next().copied().unwrap_or_default();
        let mut operands = String::new();
        for letter in form.chars() {
            match letter {
                '#' => write!(operands, "{}", i16::from_be_bytes([next(), next()])),
                '%' => write!(operands, "%r{}", next() & 15),
                letter => write!(operands, "{letter}"),
            }
            .expect("text");
        }
        let digits = hexadecimal(&bytes[..6]);
        writeln!(log, "{start}{mark}{address:016x}: {digits}\t{name}\t{operands}").expect("text");
        address += 6;
    }
}

fuzz_target!(|data: &[u8]| {
    let log = log(data);
    let syntax = if data.len() % 2 == 0 { Syntax::Att } else { Syntax::Intel };
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    assert!(!report.registers.is_empty());
    ksplat::Analyzer::new().with_syntax(syntax).annotate(&mut report);
    let once = report.clone();
    ksplat::Analyzer::new().with_syntax(syntax).annotate(&mut report);
    assert_eq!(report, once);

    if let Some(access) = report.explanation.as_ref().and_then(|known| known.access.as_ref()) {
        for register in access.registers.iter() {
            assert_eq!(report.registers.get(&register.name), Some(register.value.value));
        }
    }
    let mut page = String::new();
    text::write(&mut page, "-", &report, text::TextOptions::default().with_all(true)).expect("text");
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
    let record = ReportRecord::new("-", 0, report);
    let mut line = Vec::new();
    json::write(&mut line, &record).expect("JSON");
    assert_eq!(
        json::read(std::str::from_utf8(&line).expect("UTF-8")).expect("what was written"),
        record
    );
});
