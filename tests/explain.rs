//! Explanations: the seeds with results determined by hand, a case for each rule, and random code
//! compared with an independent evaluation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use ksplat::model::{AccessKind, AddressClass, Confidence, Explanation};
use proptest::prelude::*;

fn explained(log: &str) -> Option<Explanation> {
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    ksplat::Analyzer::new().annotate(&mut report);
    report.explanation
}

/// The explanation of a log of the corpus.
fn seed(log: &str) -> Explanation {
    explained(log).expect("an explanation")
}

/// A page fault in `code` with these registers.
fn fault(address: &str, code: &str, registers: &str) -> Option<Explanation> {
    explained(&format!(
        "BUG: unable to handle page fault for address: {address}\nRIP: 0010:f+0x10/0x20\n\
         Code: {code}\n{registers}\nCall Trace:\n g+0x1/0x2\n"
    ))
}

/// Kind, size, address and pointer: `read 4 0x3c = rax 0x0 + 0x3c`.
fn brief(explanation: &Explanation) -> String {
    let access = explanation.access.as_ref().expect("an access");
    let kind = access.kind.map_or("?", AccessKind::name);
    let size = access.size.map_or_else(|| "?".to_owned(), |size| size.to_string());
    let address = access.address.map_or(0, |address| address.value);
    let pointer = explanation.pointer.as_ref().map(|pointer| {
        let register = pointer.register.as_deref().unwrap_or("?");
        let (sign, offset) =
            if pointer.offset < 0 { ('-', -pointer.offset) } else { ('+', pointer.offset) };
        format!(" = {register} {:#x} {sign} {offset:#x}", pointer.value.value)
    });
    format!("{kind} {size} {address:#x}{}", pointer.unwrap_or_default())
}

fn means(explanation: &Explanation) -> Vec<String> {
    explanation.steps.iter().map(|step| step.kind.to_string()).collect()
}

#[test]
fn seed_000_is_the_shadow_of_a_small_number() {
    let found = seed(include_str!("../corpus/gpf/batadv-iv-ogm-queue-add.log"));
    assert!(found.shadow);
    assert_eq!(found.address_class, Some(AddressClass::Null));
    assert_eq!(brief(&found), "? 1 0x3 = rdi 0x3 + 0x0");
    assert!(
        found.summary.contains("the checked access is to 0x3, NULL pointer + 0x3"),
        "{found:?}"
    );
}

#[test]
fn seed_001_is_a_field_of_null() {
    let found = seed(include_str!("../corpus/gpf/io-queue-sqe.log"));
    assert!(found.shadow);
    assert_eq!(
        (found.address_class, found.confidence),
        (Some(AddressClass::Null), Confidence::Certain)
    );
    assert_eq!(brief(&found), "read 4 0x58 = r12 0x0 + 0x58");
    assert_eq!(
        means(&found),
        [
            "%rdi = %r12 + 0x58, %r12 = 0",
            "%r12 was loaded from 0x70(%rbp), %rbp = 0xffff88801b9e8280"
        ]
    );
    assert_eq!(found.pointer.unwrap().origin.unwrap().to_string(), "loaded from 0x70(%rbp)");
}

#[test]
fn seed_002_is_a_list_that_is_not_empty() {
    let found = seed(include_str!("../corpus/warning/io-ring-exit-work.log"));
    let condition = found.condition.as_ref().expect("a condition");
    assert_eq!(
        condition.predicate.to_string(),
        "%r12 (0xffff8880782d8568) != %rax (0xffff888019aee510)"
    );
    assert_eq!(condition.values.get("r12"), Some(0xffff_8880_782d_8568));
    assert_eq!(
        means(&found),
        ["%rax was loaded from -0x120(%rbx), %rbx = 0xffff8880782d8688, the address in %r12"]
    );
    assert_eq!(found.confidence, Confidence::Certain);
}

#[test]
fn seed_003_names_the_register_that_has_the_pointer_now() {
    let found = seed(include_str!("../corpus/gpf/batadv-iv-ogm-schedule-buff.log"));
    assert_eq!(brief(&found), "? 2 0x16 = r14 0x0 + 0x16");
    assert_eq!(
        means(&found),
        [
            "%rdi = %r14 + 0x16, %r14 = 0",
            "%r14 was loaded from 0x88(%rbx), %rbx = 0xffff888086da9000"
        ]
    );
}

#[test]
fn seed_004_has_no_condition() {
    // The headline identifies the warning.
    let log = include_str!("../corpus/warning/io-wqe-wake-worker.log");
    assert_eq!(explained(log), None);
    // Without a place and a message the explanation still identifies an assertion.
    let log = "invalid opcode: 0000 [#1] SMP\nRIP: 0010:f+0x1/0x2\nCode: 90 90 <0f> 0b\nCall Trace:\n g+0x1/0x2\n";
    let found = seed(log);
    assert_eq!((found.condition, found.access), (None, None));
    assert!(found.summary.contains("is not in the printed code"), "{}", found.summary);
}

#[test]
fn operands() {
    for (address, code, registers, want) in [
        // mov %rdx,0x68(%rax); mov 0x3c(%rax),%ebx; mov (%rdx,%rcx,8),%rax; container_of() of NULL
        (
            "0000000000000068",
            "<48> 89 50 68",
            "RAX: 0000000000000000 RDX: 0000000000000001",
            "write 8 0x68 = rax 0x0 + 0x68",
        ),
        ("000000000000003c", "<8b> 58 3c", "RAX: 0000000000000000", "read 4 0x3c = rax 0x0 + 0x3c"),
        (
            "0000000000000110",
            "<48> 8b 04 ca",
            "RDX: 0000000000000100 RCX: 0000000000000002",
            "read 8 0x110 = rdx 0x100 + 0x10",
        ),
        (
            "fffffffffffffff8",
            "<48> 8b 43 f8",
            "RBX: 0000000000000000",
            "read 8 0xfffffffffffffff8 = rbx 0x0 - 0x8",
        ),
        // push %rbx; call *0x18(%rax); ret; rep movsb: the one of two operands that faulted
        (
            "0000000000000ff8",
            "<53>",
            "RSP: 0000:0000000000001000",
            "write 8 0xff8 = rsp 0x1000 - 0x8",
        ),
        (
            "0000000000000018",
            "<ff> 50 18",
            "RAX: 0000000000000000 RSP: 0018:ffffc90000000000",
            "read 8 0x18 = rax 0x0 + 0x18",
        ),
        (
            "0000000000001000",
            "<c3>",
            "RSP: 0018:0000000000001000",
            "read 8 0x1000 = rsp 0x1000 + 0x0",
        ),
        (
            "0000000041414000",
            "<f3> a4",
            "RSI: 0000000041414000 RDI: ffff888000000000 RCX: 0000000000000008",
            "read ? 0x41414000 = rsi 0x41414000 + 0x0",
        ),
        (
            "0000000041414000",
            "<f3> a4",
            "RDI: 0000000041414000 RSI: ffff888000000000 RCX: 0000000000000008",
            "write ? 0x41414000 = rdi 0x41414000 + 0x0",
        ),
        // lock cmpxchg %rcx,(%rdx): a write, for any result of the comparison
        (
            "0000000000000010",
            "<f0> 48 0f b1 0a",
            "RDX: 0000000000000010 RAX: 0000000000000000",
            "write 8 0x10 = rdx 0x10 + 0x0",
        ),
        // mov %gs:0x28,%rcx with the printed base
        (
            "ffff8880b9c00028",
            "<65> 48 8b 0c 25 28 00 00 00",
            "FS:  0000000000000000(0000) GS:ffff8880b9c00000(0000) knlGS:0000000000000000",
            "read 8 0xffff8880b9c00028",
        ),
    ] {
        let found = fault(address, code, registers).expect(code);
        assert_eq!(brief(&found), want, "{code}");
        assert_eq!(found.agrees_with.header, Some(true), "{code}");
        assert_eq!(found.confidence, Confidence::Certain, "{code}");
    }
}

#[test]
fn addresses_that_are_made_of_more_than_registers() {
    let gs = "FS:  0000000000000000(0000) GS:ffff8880b9c00000(0000) knlGS:0000000000000000";
    let found = fault("ffff8880b9c00028", "<65> 48 8b 0c 25 28 00 00 00", gs).unwrap();
    assert_eq!(found.address_class, Some(AddressClass::PerCpu));
    // mov 0x10(%rip),%rax: known if the report has the address of the instruction.
    let log = |pointer: &str| {
        format!(
            "BUG: unable to handle kernel paging request at ffffffff81000027\nRIP: 0010:{pointer}\n\
             Code: 90 90 <48> 8b 05 10 00 00 00\nRAX: 0000000000000000\nCall Trace:\n g+0x1/0x2\n"
        )
    };
    let old = "[<ffffffff81000010>]  [<ffffffff81000010>] f+0x10/0x20";
    let found = explained(&log(old)).unwrap();
    assert_eq!(
        (brief(&found).as_str(), found.confidence),
        ("read 8 0xffffffff81000027", Confidence::Certain)
    );
    let found = explained(&log("f+0x10/0x20")).unwrap();
    assert_eq!(
        (brief(&found).as_str(), found.confidence),
        ("read 8 0xffffffff81000027", Confidence::Likely)
    );
}

#[test]
fn contradicted_facts_are_left_out() {
    // The registers contradict the address in the report, so the explanation has only the report's.
    let found = fault("0000000000000068", "<48> 89 50 68", "RAX: ffff888000000000").unwrap();
    assert_eq!((brief(&found).as_str(), found.confidence), ("? ? 0x68", Confidence::Likely));
    // %rax was not loaded from 0x10(%rbx) if a branch or a call is between them.
    for code in ["48 8b 43 10 eb 00 <8b> 58 3c", "48 8b 4b 10 e8 00 00 00 00 <8b> 59 3c"] {
        let found = fault("3c", code, "RAX: 0000000000000000 RCX: 0000000000000000").unwrap();
        assert_eq!(means(&found), [""; 0], "{code}");
    }
    // lea 0x10(%rbx),%rax; mov 0x3c(%rax),%ebx with an impossible %rbx.
    let found =
        fault("3c", "48 8d 43 10 <8b> 58 3c", "RAX: 0000000000000000 RBX: 0000000000000001");
    assert_eq!(means(&found.unwrap()), [""; 0]);
}

/// The condition of a warning on x86.
fn warned(code: &str, registers: &str) -> Option<String> {
    let log = format!(
        "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\nRIP: 0010:f+0x1/0x2\nCode: {code}\n\
         {registers}\nCall Trace:\n g+0x1/0x2\n"
    );
    explained(&log)?.condition.map(|condition| condition.predicate.to_string())
}

#[test]
fn conditions() {
    // test %eax,%eax; je +2; ud2
    assert_eq!(
        warned("85 c0 74 02 <0f> 0b", "RAX: 0000000000000001").as_deref(),
        Some("%eax (1) != 0")
    );
    // cmp $0x5,%ecx; jbe +2; ud2
    assert_eq!(
        warned("83 f9 05 76 02 <0f> 0b", "RCX: 0000000000000009").as_deref(),
        Some("%ecx (9) > 5")
    );
    // cmp $0x5,%ecx; ja to the ud2 behind a ret
    assert_eq!(
        warned("83 f9 05 77 01 c3 <0f> 0b", "RCX: 0000000000000009").as_deref(),
        Some("%ecx (9) > 5")
    );
    // A comparison that cannot have held, two ways in, no comparison.
    assert_eq!(warned("85 c0 74 02 <0f> 0b", "RAX: 0000000000000000"), None);
    assert_eq!(warned("85 c0 74 04 85 c9 74 02 <0f> 0b", "RAX: 0 RCX: 0"), None);
    assert_eq!(warned("c3 <0f> 0b", "RAX: 0000000000000000"), None);
    // cmpb $0x0,0x10(%rip) tests the flag of `WARN_ONCE()`.
    assert_eq!(warned("80 3d 10 00 00 00 00 75 02 <0f> 0b", "RAX: 0000000000000000"), None);
    // A call between them may have changed %eax, but not %ebx.
    assert_eq!(
        warned("85 c0 74 07 e8 00 00 00 00 <0f> 0b", "RAX: 0000000000000007").as_deref(),
        Some("%eax != 0")
    );
    assert_eq!(
        warned("85 db 74 07 e8 00 00 00 00 <0f> 0b", "RBX: 0000000000000007").as_deref(),
        Some("%ebx (7) != 0")
    );
}

#[test]
fn instructions_without_a_second_number() {
    // shr %cl,%rdx; sub %rcx,%rdx; mov %ds,%eax; shr $64,%rdx; each before mov (%rdx),%rax
    for (code, want) in [
        ("48 d3 ea", "%rdx = %rdx >> %cl"),
        ("48 29 ca", "%rdx = %rdx - %rcx"),
        ("8c d8", ""),
        ("48 c1 ea 40", "%rdx = %rdx >> 0"),
    ] {
        let found = fault("58", &format!("{code} <48> 8b 02"), "RDX: 0000000000000058").unwrap();
        assert_eq!(brief(&found), "read 8 0x58 = rdx 0x58 + 0x0", "{code}");
        assert_eq!(means(&found).concat(), want, "{code}");
    }
}

#[test]
fn shifts() {
    // mov %rcx,%rdx; shl $4,%rdx; mov 8(%rdx),%rax
    let found = fault(
        "208",
        "48 89 ca 48 c1 e2 04 <48> 8b 42 08",
        "RCX: 0000000000000020 RDX: 0000000000000200",
    )
    .unwrap();
    assert_eq!(means(&found), ["%rdx = %rcx << 4, %rcx = 0x20"]);
    let found = fault("8", "48 d1 ea <48> 8b 42 08", "RDX: 0000000000000000").unwrap();
    assert_eq!(means(&found), ["%rdx = %rdx >> 1"]);
}

#[test]
fn divisions() {
    let divided = |code: &str, registers: &str| {
        let log = format!(
            "divide error: 0000 [#1] SMP\nRIP: 0010:f+0x1/0x2\nCode: {code}\n{registers}\n"
        );
        explained(&log).expect(code).summary
    };
    assert_eq!(divided("<f7> f9", "RCX: 0000000000000000"), "divides by %ecx, which is 0");
    assert_eq!(
        divided("<f7> f9", "RCX: 0000000000000002"),
        "divides by %ecx = 2: the result is too large"
    );
    assert_eq!(divided("<f7> 39", "RCX: ffff888000000000"), "divides by (%rcx)");
}

#[test]
fn only_traps_are_explained() {
    let log = "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [init:88]\nRIP: 0010:f+0x1/0x2\n\
               Code: <8b> 58 3c\nRAX: ffff888000000000\nCall Trace:\n g+0x1/0x2\n";
    assert_eq!(explained(log), None);
}

#[test]
fn jumps_to_nowhere() {
    let found = explained(
        "BUG: kernel NULL pointer dereference, address: 0000000000000000\n\
         #PF: supervisor instruction fetch in kernel mode\nRIP: 0010:0x0\n\
         Code: Unable to access opcode bytes at 0xffffffffffffffd6.\n\
         RAX: 0000000000000000 RBX: 0000000000000002 RCX: 0000000000000001\n\
         Call Trace:\n cm_ops_open+0x1/0x2\n",
    )
    .expect("an explanation");
    assert_eq!(found.summary, "jumps to 0x0000000000000000, NULL pointer, called from cm_ops_open");
    assert_eq!(found.access.unwrap().kind, Some(AccessKind::Execute));
}

#[test]
fn classes_are_named() {
    for (value, code, words) in [
        ("fffffffffffffff4", "<48> 8b 00", "ERR_PTR(-12), ENOMEM"),
        ("dead000000000100", "<48> 8b 00", "LIST_POISON1"),
        ("6b6b6b6b6b6b6b6b", "<48> 8b 00", "POISON_FREE: the memory was freed"),
        ("6f77206f6c6c6568", "<48> 8b 00", "the text \"hello wo\""),
        ("0000000041414000", "<48> 8b 00", "an address of user space"),
    ] {
        let log = format!(
            "general protection fault: 0000 [#1] SMP\nRIP: 0010:f+0x10/0x20\nCode: {code}\n\
             RAX: {value}\nCall Trace:\n g+0x1/0x2\n"
        );
        let found = explained(&log).expect(value);
        assert!(found.summary.contains(words), "{value}: {}", found.summary);
    }
}

#[test]
fn offsets_from_null_come_from_null() {
    // mov 0x28(%rax),%eax
    for (address, value, words, offset) in [
        ("0000000000000028", "0000000000000000", "NULL pointer + 0x28", Some(0x28)),
        ("0000000000000030", "0000000000000008", "NULL pointer + 0x30", Some(0x30)),
        ("0000000000000000", "ffffffffffffffd8", "NULL pointer", Some(0)),
        ("0000000000000018", "fffffffffffffff0", "ERR_PTR(-16), EBUSY + 0x28", None),
        ("0000000000000029", "0000000000000001", "the number 0x1 + 0x28", None),
    ] {
        let log = format!(
            "BUG: kernel NULL pointer dereference, address: {address}\nRIP: 0010:f+0x10/0x20\n\
             Code: <8b> 40 28\nRAX: {value}\nCR2: {address}\nCall Trace:\n g+0x1/0x2\n"
        );
        let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
        ksplat::Analyzer::new().annotate(&mut report);
        let summary = &report.explanation.as_ref().expect(value).summary;
        assert!(summary.ends_with(words), "{value}: {summary}");
        let signature = ksplat::fingerprint::Signature::of(&report);
        assert_eq!(signature.facts.null_offset, offset, "{value}");
    }
}

#[test]
fn the_container_of_null_is_no_error_number() {
    // mov 0x3d8(%rax),%rax
    let found = fault("0000000000000000", "<48> 8b 80 d8 03 00 00", "RAX: fffffffffffffc28");
    let found = found.expect("an explanation");
    assert_eq!(found.address_class, Some(AddressClass::Null));
    assert!(found.summary.ends_with("NULL pointer"), "{}", found.summary);
}

#[test]
fn headlines_of_other_architectures_have_the_access() {
    let found = explained(
        "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000068\n\
         Mem abort info:\n  ESR = 0x0000000096000044\n  CM = 0, WnR = 1\n\
         pc : cm_route_update+0x18/0x28\nx0 : 0000000000000001\nCall trace:\n g+0x1/0x2\n",
    )
    .expect("an explanation");
    assert_eq!(brief(&found), "write ? 0x68");
    assert_eq!(found.address_class, Some(AddressClass::Null));
}

const NAMES: [&str; 16] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

/// The address of an operand such as `0x10(%rax,%rbx,4)`, evaluated from its text.
fn evaluate(expression: &str, registers: &HashMap<&str, u64>) -> Option<u64> {
    if expression == "(%rbx,)" {
        // `xlat` adds %al.
        return Some(registers.get("rbx")?.wrapping_add(registers.get("rax")? & 0xff));
    }
    let (displacement, rest) = expression.split_once('(')?;
    let displacement = match displacement.strip_prefix('-') {
        Some(number) => number_of(number)?.wrapping_neg(),
        None if displacement.is_empty() => 0,
        None => number_of(displacement)?,
    };
    let mut parts = rest.strip_suffix(')')?.split(',');
    let mut register = || match parts.next() {
        Some("") | None => Some(0),
        Some(name) => registers.get(name.strip_prefix('%')?).copied(),
    };
    let (base, index) = (register()?, register()?);
    let scale = parts.next().map_or(Some(1), number_of)?;
    Some(base.wrapping_add(index.wrapping_mul(scale)).wrapping_add(displacement))
}

fn number_of(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The registers by their number in an instruction.
const BY_NUMBER: [&str; 8] = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];

proptest! {
    #[test]
    fn every_access_that_is_told_is_certain(
        before in prop::collection::vec(any::<u8>(), 0..20),
        opcode in prop::sample::select(vec![0x8bu8, 0x89, 0x03, 0x3b]),
        register in 0u8..8,
        base in prop::sample::select(vec![0u8, 1, 2, 3, 5, 6, 7]),
        displacement in any::<i8>(),
        values in prop::collection::vec(any::<u64>(), 16),
    ) {
        let known: HashMap<_, _> = NAMES.into_iter().zip(values.iter().copied()).collect();
        let meant = known[BY_NUMBER[usize::from(base)]].wrapping_add_signed(displacement.into());
        let modrm = 0x40 | (register << 3) | base;
        let before: Vec<_> = before.iter().map(|byte| format!("{byte:02x} ")).collect();
        let before = before.concat();
        let displacement = displacement.cast_unsigned();
        let code = format!("{before}<48> {opcode:02x} {modrm:02x} {displacement:02x}");
        let registers: Vec<_> = NAMES.iter().zip(&values).map(|(name, value)| {
            let printed = if name.len() == 2 { format!("R0{}", &name[1..]) } else { name.to_uppercase() };
            format!("{printed}: {value:016x}")
        }).collect();
        let found = fault(&format!("{meant:016x}"), &code, &registers.join(" ")).expect("known");
        prop_assert_eq!(found.confidence, Confidence::Certain);
        let access = found.access.expect("an access");
        prop_assert_eq!(access.address.map(|address| address.value), Some(meant));
        prop_assert_eq!(access.kind == Some(AccessKind::Write), opcode == 0x89);
        if let Some(pointer) = found.pointer {
            prop_assert_eq!(pointer.value.value.wrapping_add_signed(pointer.offset), meant);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_certain_is_wrong(
        bytes in prop::collection::vec(any::<u8>(), 1..64),
        trap in 0usize..64,
        values in prop::collection::vec(
            prop_oneof![Just(0u64), 0u64..4096, any::<u64>(), Just(0xdfff_fc00_0000_0000)],
            16
        ),
        address in any::<u64>(),
        hit in any::<bool>(),
    ) {
        let code: Vec<_> = bytes.iter().enumerate().map(|(at, byte)| {
            if at == trap % bytes.len() { format!("<{byte:02x}>") } else { format!("{byte:02x}") }
        }).collect();
        let printed = ["RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP", "R08", "R09", "R10",
            "R11", "R12", "R13", "R14", "R15"];
        let registers: Vec<_> = printed.iter().zip(&values).map(|(name, value)| {
            format!("{name}: {value:016x}")
        }).collect();
        let known: HashMap<_, _> = NAMES.into_iter().zip(values.iter().copied()).collect();
        // Half of the reports have the address in the first register, so that some agree.
        let address = if hit { values[0] } else { address };
        let found = fault(&format!("{address:016x}"), &code.join(" "), &registers.join(" "));
        let Some(found) = found else { return Ok(()) };
        if found.confidence == Confidence::Certain
            && let Some(access) = &found.access
            && let Some(expression) = &access.expression
            && let Some(meant) = evaluate(expression, &known)
        {
            let reported = access.address.expect("certain, so known").value;
            if found.shadow {
                prop_assert_eq!((reported >> 3).wrapping_add(0xdfff_fc00_0000_0000), meant);
            } else if !expression.starts_with("%fs") && !expression.starts_with("%gs") {
                // The explanation names one of two operands: the stack is the other.
                let is_stack = access.registers.is_empty() || expression.contains("rsp");
                prop_assert!(reported == meant || is_stack || reported.abs_diff(known["rsp"]) < 64
                    || [known["rsi"], known["rdi"]].contains(&reported), "{} {:#x}", expression, reported);
            }
        }
    }
}

/// A report of arm64 with these instructions, the last one marked, and these registers.
fn arm64(headline: &str, code: &str, registers: &str) -> Explanation {
    explained(&format!(
        "{headline}\npc : f+0x10/0x20\nlr : g+0x8/0x20\nsp : ffff800008243be0\n{registers}\n\
         Call trace:\n f+0x10/0x20\n g+0x1/0x2\nCode: {code}\n"
    ))
    .expect("an explanation")
}

#[test]
fn operands_of_other_machines() {
    let null =
        "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000068";
    // ldr x1, [x0, #0x88]; str x2, [x1, #0x68]
    let found = arm64(
        null,
        "f9404401 (f9003422)",
        "x2 : 00000000fffee1d9 x1 : 0000000000000000 x0 : ffff355f8319c900",
    );
    assert_eq!(brief(&found), "write 8 0x68 = x1 0x0 + 0x68");
    assert_eq!(means(&found), ["x1 was loaded from [x0, #0x88], x0 = 0xffff355f8319c900"]);
    assert_eq!(found.confidence, Confidence::Certain);
    // The registers contradict the address: it was another access.
    let other = arm64(null, "f9404401 (f9003422)", "x2 : 0000000000000001 x1 : ffff355f8319c900");
    assert_eq!((other.confidence, other.pointer), (Confidence::Likely, None));
    // add x3, x19, #0x60; lsr x2, x3, #3; ldrsb w0, [x2, x1]: a check of KASAN.
    let shadow = arm64(
        "Unable to handle kernel paging request at virtual address dfff80000000000c",
        "91018263 d343fc62 (38e16840)",
        "x19: 0000000000000000 x3 : 0000000000000060 x2 : 000000000000000c x1 : dfff800000000000",
    );
    assert!(shadow.shadow);
    assert_eq!(brief(&shadow), "? ? 0x60 = x19 0x0 + 0x60");
    assert_eq!(means(&shadow), ["x3 = x19 + 0x60, x19 = 0"]);
    assert_eq!(shadow.confidence, Confidence::Certain);
}

#[test]
fn conditions_of_other_machines() {
    let bug = "kernel BUG at fs/f.c:12!\nInternal error: Oops - BUG: 00000000f2000800 [#1] SMP";
    let text = |found: Explanation| {
        (found.condition.map(|condition| condition.predicate.to_string()), found.confidence)
    };
    // cmp w0, #0x40; b.gt $+0xc; autiasp; ret; brk #0x800
    let code = "7101001f 5400006c d50323bf d65f03c0 (d4210000)";
    let found = arm64(bug, code, "x1 : 0000000000000000 x0 : 0000000000000041");
    assert_eq!(text(found), (Some("w0 (0x41) > 0x40".into()), Confidence::Certain));
    // By the register the branch was not taken.
    let bare = "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP";
    let found = arm64(bare, code, "x1 : 0000000000000000 x0 : 0000000000000040");
    assert_eq!(text(found), (None, Confidence::Likely));
    // cbz x0, $+0x8; brk #0x800
    let found = arm64(bug, "b4000040 (d4210000)", "x1 : 0000000000000000 x0 : 0000000000000040");
    assert_eq!(text(found), (Some("x0 (0x40) != 0".into()), Confidence::Certain));
    // cmp x1, #7; cmn x0, #1, lsl #12; b.ls +8; brk #0x800: `IS_ERR()`, with another comparison
    // above.
    let found = arm64(
        bug,
        "f1001c3f b140041f 54000049 (d4210000)",
        "x1 : 0000000000000007 x0 : fffffffffffffff4",
    );
    assert_eq!(
        text(found),
        (Some("x0 (0xfffffffffffffff4) > 0xfffffffffffff000".into()), Confidence::Certain)
    );
    // A trap of PowerPC with its own comparison: subfic, rldicl, tdnei r9,0.
    let powerpc = seed(include_str!("../corpus/kernel-bug/powerpc.log"));
    assert_eq!(text(powerpc), (Some("r9 (1) != 0".into()), Confidence::Certain));
    // cmp r0, 0x40; bxle lr; the word that traps
    let arm = seed(include_str!("../corpus/kernel-bug/arm.log"));
    assert_eq!(text(arm), (Some("r0 (0x41) > 0x40".into()), Confidence::Certain));
    // beqz a5, 6; c.ebreak
    let riscv = explained(
        "------------[ cut here ]------------\nWARNING: CPU: 0 PID: 1 at fs/f.c:12 f+0x10/0x20\n\
         epc : f+0x10/0x20\n ra : g+0x8/0x20\n\
         epc : ffffffff80001234 ra : ffffffff80001238 sp : ff20000000013bc0\n \
         a4 : 0000000000000001 a5 : 0000000000000007 a6 : 0000000000000000\n\
         [<ffffffff80001234>] f+0x10/0x20\nCode: c391 (9002)\n---[ end trace 0 ]---\n",
    );
    assert_eq!(
        text(riscv.expect("an explanation")),
        (Some("a5 (7) != 0".into()), Confidence::Certain)
    );
}

#[test]
fn breakpoints() {
    let report = |code: &str| {
        explained(&format!(
            "int3: 0000 [#1] SMP\nRIP: 0010:f+0x4/0x10\nCode: {code}\nRAX: 0000000000000000\n\
             Call Trace:\n g+0x1/0x2\n h+0x1/0x2\n"
        ))
        .expect("an explanation")
    };
    let found = report("90 cc <0f> 1f 00");
    assert!(found.summary.contains("called from g: control flow went wrong"), "{found:?}");
    assert!(report("90 90 <0f> 1f 00").summary.contains("no longer in memory"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_certain_is_wrong_on_other_machines(
        words in prop::collection::vec(any::<u32>(), 0..12),
        // ldr x1, [x0, #n] and str w2, [x1, #n] with random numbers, or any word.
        trapping in prop_oneof![
            any::<u32>(),
            (0u32..4096).prop_map(|n| 0xf940_0001 | (n << 10)),
            (0u32..4096).prop_map(|n| 0xb900_0022 | (n << 10)),
            Just(0xd421_0000u32),
        ],
        values in prop::collection::vec(
            prop_oneof![Just(0u64), 0u64..4096, any::<u64>(), Just(0xdfff_8000_0000_0000)],
            4
        ),
        offset in 0u64..16384,
    ) {
        let code: Vec<_> = words.iter().map(|word| format!("{word:08x}")).collect();
        let registers: Vec<_> = values.iter().enumerate().rev().map(|(number, value)| {
            format!("x{number} : {value:016x}")
        }).collect();
        let address = values[1].wrapping_add(offset & !3);
        let found = explained(&format!(
            "Unable to handle kernel paging request at virtual address {address:016x}\n\
             pc : f+0x10/0x20\nlr : g+0x8/0x20\nsp : ffff800008243be0\n{}\nCall trace:\n \
             f+0x10/0x20\n g+0x1/0x2\nCode: {} ({trapping:08x})\n",
            registers.join(" "),
            code.join(" "),
        ));
        let Some(Explanation { confidence, access: Some(access), shadow, .. }) = found else {
            return Ok(());
        };
        // str w2, [x1, #n], computed here.
        if confidence == Confidence::Certain && !shadow && trapping >> 22 == 0xb900_0022 >> 22
            && (trapping >> 5) & 31 == 1
        {
            let meant = values[1].wrapping_add(u64::from((trapping >> 10) & 0xfff) * 4);
            prop_assert_eq!(access.address.map(|address| address.value), Some(meant));
            prop_assert_eq!((access.kind, access.size), (Some(AccessKind::Write), Some(4)));
        }
    }
}

#[test]
fn flags_of_results_and_bits() {
    // and $0x200,%esi; jne +2; ud2
    let masked = warned("81 e6 00 02 00 00 75 02 <0f> 0b", "RSI: 0000000000000000");
    assert_eq!(masked.as_deref(), Some("%esi (0) == 0"));
    // test $0x4,%al; je +2; ud2
    let tested = warned("a8 04 74 02 <0f> 0b", "RAX: 0000000000000006");
    assert_eq!(tested.as_deref(), Some("(%al (6) & 4) != 0"));
    // lock decl 0x8(%rdi); jns +2; ud2
    let counted = warned("f0 ff 4f 08 79 02 <0f> 0b", "RDI: ffff888012345678");
    assert_eq!(counted.as_deref(), Some("0x8(%rdi) < 0"));
    // cmp $0x5,%ecx; ja to the ud2; mov $0,%ecx; ret: the instructions below a taken branch change
    // nothing.
    let jumped = warned("83 f9 05 77 06 b9 00 00 00 00 c3 <0f> 0b", "RCX: 0000000000000009");
    assert_eq!(jumped.as_deref(), Some("%ecx (9) > 5"));
    // test $0x4,%ah; je +2; ud2; and (%rdi),%al; jne +2; ud2
    let high = warned("f6 c4 04 74 02 <0f> 0b", "RAX: 0000000000000600");
    assert_eq!(high.as_deref(), Some("(%ah & 4) != 0"));
    let part = warned("22 07 75 02 <0f> 0b", "RAX: 0000000000000000 RDI: ffff888012345678");
    assert_eq!(part.as_deref(), Some("%al (0) == 0"));
    // Execution continues below a warning: ud2; test %ecx,%ecx; ud2, and je to the test from above.
    assert_eq!(warned("85 c0 74 02 0f 0b 90 <0f> 0b", "RAX: 0000000000000000"), None);
    // add %al,(%rax) is two zero bytes.
    assert_eq!(warned("00 00 75 02 <0f> 0b", "RAX: ffff888012345678"), None);
}

#[test]
fn values_that_are_made() {
    // and $-16,%rdx; mov 8(%rdx),%rax
    let found = fault("8", "48 83 e2 f0 <48> 8b 42 08", "RDX: 0000000000000000").unwrap();
    assert_eq!(means(&found), ["%rdx = %rdx & 0xfffffffffffffff0"]);
    // mov %ecx,%edx; neg %rdx; mov 8(%rdx),%rax
    let found = fault(
        "fffffffffffffff8",
        "89 ca 48 f7 da <48> 8b 42 08",
        "RCX: ffff888000000010 RDX: fffffffffffffff0",
    )
    .unwrap();
    assert_eq!(means(&found), ["%rdx = -%rdx, %rdx = 0x10", "%edx = %ecx, %ecx = 0x10"],);
    // test %rcx,%rcx; cmove %rcx,%rdx; mov 8(%rdx),%rax: the value of %rdx determines the choice.
    let found = fault(
        "8",
        "48 89 ca 48 85 c9 48 0f 45 d6 <48> 8b 42 08",
        "RCX: 0000000000000000 RDX: 0000000000000000 RSI: ffff888012345678",
    )
    .unwrap();
    assert_eq!(brief(&found), "read 8 0x8 = rdx 0x0 + 0x8");
    // rep movsq: five of eight bytes each were left.
    let found = fault(
        "20",
        "<f3> 48 a5",
        "RCX: 0000000000000005 RSI: ffff888012345678 RDI: 0000000000000020",
    )
    .unwrap();
    assert!(found.summary.ends_with(", with 40 bytes remaining"), "{found:?}");
}

#[test]
fn calls_through_a_pointer_of_another_type() {
    // mov $0x12345678,%r10d; add -4(%r11),%r10d; je +2; ud2
    let log = "CFI failure at f+0x10/0x20 [m] (target: g+0x0/0x10 [m]; expected type: 0x9b1a2b3c)\n\
               RIP: 0010:f+0x10/0x20\nCode: 41 ba 78 56 34 12 45 03 53 fc 74 02 <0f> 0b\n\
               R11: ffffffffc0a01130\nCall Trace:\n g+0x1/0x2\n";
    let found = explained(log).unwrap();
    assert_eq!(
        found.summary,
        "calls through a pointer to a function of another type, %r11 = 0xffffffffc0a01130"
    );
    // brk #0x8228: x8 has the pointer, w17 the type.
    let found = arm64(
        "CFI failure at f+0x10/0x20 [m] (target: g+0x0/0x10 [m]; expected type: 0x9b1a2b3c)",
        "(d4304500)",
        "x8 : ffffd00c8b11a3c4",
    );
    assert_eq!(
        found.summary,
        "calls through a pointer to a function of another type, x8 = 0xffffd00c8b11a3c4"
    );
}

#[test]
fn maps_of_addresses() {
    // Five levels of page tables, by CR4 or by the stack.
    let at = |registers: &str| {
        let code = "<48> 8b 02";
        fault("ff1100000bad0000", code, registers).unwrap().address_class
    };
    let rdx = "RDX: ff1100000bad0000";
    assert_eq!(at(&format!("{rdx} CR4: 0000000000771ef0")), Some(AddressClass::DirectMap));
    assert_eq!(at(&format!("RSP: 0018:ffa0000000123e58 {rdx}")), Some(AddressClass::DirectMap));
    assert_eq!(at(&format!("{rdx} CR4: 0000000000770ef0")), Some(AddressClass::NonCanonical));
    // arm64 prints an address without its top byte.
    let found = arm64(
        "Unable to handle kernel paging request at virtual address 006b6b6b6b6b6b8f",
        "(f9401260)",
        "x19: 6b6b6b6b6b6b6b6b",
    );
    assert_eq!(found.address_class, Some(AddressClass::Poison), "{found:?}");
}

/// Random code never panics, and a certain access is at the address of the report.
#[test]
fn random_code_of_every_machine() {
    let machines: [(&str, usize, &str); 5] = [
        ("pc : f+0x10/0x20\nx1 : 0000000000000008 x0 : 0000000000000010", 4, "Call trace:"),
        (
            "PC is at f+0x10/0x20\npc : [<c0008000>]    lr : [<c0008000>]    psr: 60000013\nr1 : 00000008  r0 : 00000010",
            4,
            "Backtrace:",
        ),
        (
            "PC is at f+0x10/0x20\npc : [<c0008000>]    lr : [<c0008000>]    psr: 60000033\nr1 : 00000008  r0 : 00000010",
            2,
            "Backtrace:",
        ),
        (
            "NIP [c000000000008000] f+0x10/0x20\nGPR00: 0000000000000000 0000000000000008 0000000000000010 0000000000000018",
            4,
            "Call Trace:",
        ),
        (
            "epc : f+0x10/0x20\n a0 : 0000000000000010 a1 : 0000000000000008 a2 : 0000000000000000",
            2,
            "Call Trace:",
        ),
    ];
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 16
    };
    for (registers, unit, trace) in machines {
        for _ in 0..4000 {
            let words: Vec<String> = (0..6)
                .map(|_| {
                    format!(
                        "{:0width$x}",
                        random() & (u64::MAX >> (64 - 8 * unit)),
                        width = 2 * unit
                    )
                })
                .collect();
            let address = random() & 0xff;
            let log = format!(
                "Unable to handle kernel paging request at virtual address {address:016x}\n{registers}\n\
                 {trace}\n f+0x10/0x20\n g+0x1/0x2\nCode: {} ({})\n",
                words[..5].join(" "),
                words[5]
            );
            let Some(found) = explained(&log) else { continue };
            let reported = found.access.as_ref().and_then(|access| access.address);
            let size = found.access.as_ref().and_then(|access| access.size).unwrap_or(1);
            if let Some(reported) =
                reported.filter(|_| found.confidence == Confidence::Certain && !found.shadow)
            {
                assert!(address.wrapping_sub(reported.value) < size, "{log}{found:?}");
            }
        }
    }
}
