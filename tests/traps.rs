//! The sources of values and conditions on architectures other than x86, a case for each rule.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::model::{Confidence, Explanation};

fn explained(log: &str) -> Explanation {
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    ksplat::Analyzer::new().annotate(&mut report);
    report.explanation.expect("an explanation")
}

fn means(found: &Explanation) -> Vec<String> {
    found.steps.iter().map(|step| step.kind.to_string()).collect()
}

fn condition(found: &Explanation) -> Option<(String, Confidence)> {
    Some((found.condition.as_ref()?.predicate.to_string(), found.confidence))
}

/// A fault of Thumb.
fn thumb(address: &str, code: &str, registers: &str) -> Explanation {
    explained(&format!(
        "Unable to handle kernel paging request at virtual address {address}\nPC is at f+0x10/0x20\n\
         LR is at g+0x1/0x2\npc : [<c0008000>]    lr : [<c0008000>]    psr: 60000033\n{registers}\n\
         Backtrace:\n f+0x10/0x20\n g+0x1/0x2\nCode: {code}\n"
    ))
}

#[test]
fn blocks_of_thumb() {
    let registers = "r4 : c1234500  r3 : 00000000  r2 : 00000001  r1 : c1234560  r0 : 00000000";
    // ldr r0, [r1, #4]; ldr r2, [r0, #8]: without and with `it ne` above.
    let plain = thumb("00000008", "6848 (6882)", registers);
    assert_eq!(means(&plain), ["r0 was loaded from [r1, 0x4], r1 = 0xc1234560"]);
    let block = thumb("00000008", "bf18 6848 (6882)", registers);
    assert_eq!(means(&block), Vec::<String>::new());
    assert_eq!(block.confidence, Confidence::Certain);
    // ldr r3, [r4]; it ne; movne r0, #5; ldr r2, [r3, #8]: the block keeps other registers.
    let other = thumb("00000008", "6823 bf18 2005 (689a)", registers);
    assert_eq!(means(&other), ["r3 was loaded from [r4], r4 = 0xc1234500"]);
    // ldr r0, [r1, #4]; it ne; addne r2, r2, #1; ldr r0, ...: outside of the block of one.
    let behind = thumb("00000008", "bf18 3201 6848 (6882)", registers);
    assert_eq!(means(&behind), ["r0 was loaded from [r1, 0x4], r1 = 0xc1234560"]);
}

/// A BUG of x86.
fn stopped(code: &str, registers: &str) -> Explanation {
    explained(&format!(
        "invalid opcode: 0000 [#1] SMP\nRIP: 0010:f+0x1/0x2\nCode: {code}\n\
         {registers}\nCall Trace:\n g+0x1/0x2\n"
    ))
}

#[test]
fn signs_of_results() {
    // cmp %ecx,%eax; js to ud2: the difference overflows, and is negative.
    let compared = stopped("39 c8 78 01 c3 <0f> 0b", "RAX: 000000007fffffff RCX: 00000000ffffffff");
    assert_eq!(condition(&compared), None);
    // Overflow is not tracked, so the order is unknown even if there is none.
    let called = stopped(
        "39 c8 78 06 c3 90 90 90 90 90 <0f> 0b",
        "RAX: 0000000000000001 RCX: 0000000000000002",
    );
    assert_eq!(condition(&called), None);
    // cmp $0,%eax; js: no overflow.
    let zero = stopped("83 f8 00 78 01 c3 <0f> 0b", "RAX: 00000000ffffffff");
    assert_eq!(condition(&zero), Some(("%eax (0xffffffff) < 0".into(), Confidence::Certain)));
    // sub %ecx,%eax; js and jl: the first tests the sign of the result, the second the order.
    let sign = stopped("29 c8 78 01 c3 <0f> 0b", "RAX: 0000000080000000 RCX: 00000000ffffffff");
    assert_eq!(condition(&sign), Some(("%eax (0x80000000) < 0".into(), Confidence::Certain)));
    let order = stopped("29 c8 7d 01 c3 <0f> 0b", "RAX: 000000007fffffff RCX: 0000000000000001");
    assert_eq!(condition(&order), None);
    // and %ecx,%eax; jl: bit operations do not overflow.
    let bits = stopped("21 c8 7c 01 c3 <0f> 0b", "RAX: 0000000080000000 RCX: 00000000ffffffff");
    assert_eq!(condition(&bits), Some(("%eax (0x80000000) < 0".into(), Confidence::Certain)));
}

/// A BUG of arm64.
fn arm64(code: &str, registers: &str) -> Explanation {
    explained(&format!(
        "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n\
         pc : f+0x10/0x20\nlr : g+0x8/0x20\nsp : ffff800008243be0\n{registers}\nCall trace:\n \
         f+0x10/0x20\n g+0x1/0x2\nCode: {code}\n"
    ))
}

#[test]
fn signs_of_results_of_arm64() {
    let registers = "x1 : 00000000ffffffff x0 : 000000007fffffff";
    // cmp w0, w1; b.mi +8; ret; brk: the difference is negative, w0 is not less.
    assert_eq!(condition(&arm64("6b01001f 54000044 d65f03c0 (d4210000)", registers)), None);
    // The same with `mov w0, #0` below, so that only the order would remain.
    let lost = arm64("6b01001f 54000044 d65f03c0 52800000 (d4210000)", registers);
    assert_eq!(condition(&lost), None);
    // cmp w0, #0; b.pl +8
    let zero = arm64("7100001f 54000045 d65f03c0 (d4210000)", registers);
    assert_eq!(condition(&zero), Some(("w0 (0x7fffffff) >= 0".into(), Confidence::Certain)));
    // subs w0, w0, #1; b.mi +8: the sign of the result.
    let result = arm64(
        "71000400 54000044 d65f03c0 (d4210000)",
        "x1 : 0000000000000001 x0 : 00000000ffffffff",
    );
    assert_eq!(condition(&result), Some(("w0 (0xffffffff) < 0".into(), Confidence::Certain)));
}

/// A fault on PowerPC with the first four registers.
fn powerpc(address: &str, code: &str, registers: &str) -> Explanation {
    explained(&format!(
        "BUG: Unable to handle kernel data access on read at 0x{address}\n\
         Faulting instruction address: 0xc0008000\nOops: Kernel access of bad area, sig: 11 [#1]\n\
         NIP:  c0008000 LR: c0008000 CTR: 00000000\nGPR00: {registers}\n\
         NIP [c0008000] f+0x10/0x20\nLR [c0008000] g+0x1/0x2\nCall Trace:\n\
         [c0009000] [c0008000] g+0x1/0x2\nInstruction dump:\n{code}\n"
    ))
}

#[test]
fn registers_of_four_bytes() {
    // addi r3,r2,-16; lwz r4,-4(r3): both wrap.
    let found = powerpc(
        "fffffff4",
        "3862fff0 <8083fffc> 60000000",
        "c0008000 c1234560 00000008 fffffff8 00000001 00000002 00000003 00000004",
    );
    let access = found.access.as_ref().expect("an access");
    assert_eq!(access.address.map(|address| address.value), Some(0xffff_fff4));
    assert_eq!(found.confidence, Confidence::Certain);
    assert_eq!(means(&found), ["r3 = r2 - 0x10, r2 = 8"]);
    let pointer = found.pointer.expect("a pointer");
    assert_eq!((pointer.value.value, pointer.offset), (8, -0x14));
    assert_eq!(pointer.value.bits, 32);
    // lwzx r4,r2,r3 with a sum of more than 32 bits.
    let indexed = powerpc("00000000", "<7c82182e> 60000000", "c0008000 c1234560 00000008 fffffff8");
    assert_eq!(indexed.confidence, Confidence::Certain);
    // tweq r3,r4 compares four bytes.
    let trapped = explained(
        "kernel BUG at a.c:1!\nOops: Exception in kernel mode, sig: 5 [#1]\n\
         NIP:  c0008000 LR: c0008000 CTR: 00000000\nGPR00: c0008000 c1234560 00000008 00000005 00000005\n\
         NIP [c0008000] f+0x10/0x20\nLR [c0008000] g+0x1/0x2\nCall Trace:\n\
         [c0009000] [c0008000] g+0x1/0x2\nInstruction dump:\n<7c832008> 60000000\n",
    );
    assert_eq!(condition(&trapped), Some(("r3 (5) == r4 (5)".into(), Confidence::Certain)));
}

/// A general protection fault of x86.
fn protected(frame: &str, code: &str, registers: &str) -> Explanation {
    explained(&format!(
        "general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b6b: 0000 [#1] SMP\n\
         RIP: 0010:{frame}\nCode: {code}\n{registers}\nCall Trace:\n <TASK>\n g+0x1/0x2\n h+0x1/0x2\n"
    ))
}

#[test]
fn jumps_to_no_address() {
    // The thunk of a patched retpoline: jmp *%rax; int3
    let thunk = protected(
        "__x86_indirect_thunk_rax+0x0/0x20",
        "90 90 <ff> e0 cc",
        "RAX: 6b6b6b6b6b6b6b6b RBX: ffff888012345678",
    );
    assert_eq!(
        thunk.summary,
        "jumps to 0x6b6b6b6b6b6b6b6b, POISON_FREE: the memory was freed, called from g"
    );
    assert_eq!(thunk.confidence, Confidence::Certain);
    assert_eq!(
        thunk.access.and_then(|access| access.kind),
        Some(ksplat::model::AccessKind::Execute)
    );
    // mov 0x8(%rbx),%rax; call *%rax
    let call = protected(
        "f+0x10/0x20",
        "48 8b 43 08 <ff> d0",
        "RAX: 6b6b6b6b6b6b6b6b RBX: ffff888012345678",
    );
    assert_eq!(call.summary, "jumps to 0x6b6b6b6b6b6b6b6b, POISON_FREE: the memory was freed");
    assert_eq!(means(&call), ["%rax was loaded from 0x8(%rbx), %rbx = 0xffff888012345678"]);
    // A call through a register with a valid address did not fault.
    let good =
        protected("f+0x10/0x20", "<ff> d0", "RAX: ffffffff81000000 RSP: 0018:ffffc90000000000");
    assert_ne!(
        good.access.and_then(|access| access.kind),
        Some(ksplat::model::AccessKind::Execute)
    );
}
