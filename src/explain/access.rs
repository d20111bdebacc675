//! The memory access of the trapping instruction.

use super::flow::{Flow, Value};
use super::steps::{pointer, steps};
use super::window::Window;
use super::{address_class, bytes, confidence, meant_class};
use crate::arch::{Arch, Area};
use crate::disasm::insn::{Compute, Memory, Op, Register, Source};
use crate::disasm::x86::record::GS;
use crate::model::{
    AccessKind, AddressClass, Agreement, Confidence, Explanation, MeantAccess, Pointer, Report,
};

/// A memory operand of the trapping instruction.
#[derive(Clone, Copy)]
struct Operand<'i> {
    memory: &'i Memory,
    address: Option<u64>,
}

impl Operand<'_> {
    /// Returns whether the operand contains an address that is rounded down to a multiple of
    /// `unit`.
    fn holds(&self, address: u64, unit: u64) -> Option<bool> {
        let first = self.address? / unit * unit;
        Some(address.wrapping_sub(first) < self.memory.size.max(unit))
    }

    /// Returns the kind of access. For an instruction that reads and writes it is the kind in the
    /// report, and a write without one.
    fn kind(&self, reported: Option<AccessKind>) -> AccessKind {
        match (self.memory.reads, self.memory.writes) {
            (true, true) => reported.unwrap_or(AccessKind::Write),
            (_, true) => AccessKind::Write,
            _ => AccessKind::Read,
        }
    }
}

/// Explains an access, if the registers are those of the access.
pub(super) fn access(report: &Report<'_>, window: &Window<'_>) -> Option<Explanation> {
    let trapping = window.trapping()?;
    let operands: Vec<_> = trapping
        .memory
        .iter()
        .flatten()
        .filter(|memory| memory.reads || memory.writes)
        .map(|memory| Operand { memory, address: window.place(memory) })
        .collect();
    let unit = window.space.arch.info().exact_to;
    let header = report.access.and_then(|access| access.address).map(|address| address.value);
    let cr2 = report.registers.get("cr2").filter(|_| super::is_page_fault(report));
    let reported = header.or(cr2);
    let hits = |operand: &&Operand<'_>| {
        reported.is_some_and(|address| operand.holds(address, unit) == Some(true))
    };
    let is_bad = |operand: &&Operand<'_>| {
        use AddressClass::{Ascii, ErrPtr, NonCanonical, Null, Poison, User};
        let class = operand.address.map(|address| address_class::class(window.space, address));
        matches!(class, Some(Ascii | ErrPtr | NonCanonical | Null | Poison | User))
    };
    let operand = *operands
        .iter()
        .find(hits)
        .or_else(|| operands.iter().find(is_bad))
        .or_else(|| operands.first())?;
    let told_kind = report.access.and_then(|access| access.kind).filter(|kind| {
        matches!(kind, AccessKind::Read | AccessKind::Write) && super::is_access(report)
    });
    let agrees_with = Agreement {
        cr2: cr2.and_then(|cr2| operand.holds(cr2, unit)),
        header: header.and_then(|header| operand.holds(header, unit)),
        error_code: told_kind.map(|kind| kind == operand.kind(told_kind)),
    };
    if [agrees_with.cr2, agrees_with.header].contains(&Some(false)) {
        // The registers contradict the address in the report.
        return None;
    }
    let kind = operand.kind(told_kind);
    let found = if let Some(address) = operand.address {
        at_address(report, window, operand.memory, address, kind, agrees_with)
    } else {
        let mut found = super::by_header(report, window.space)?;
        let access = found.access.get_or_insert_default();
        access.kind = Some(kind);
        access.size = Some(operand.memory.size).filter(|size| *size > 0);
        found
    };
    let with_operand = |access: MeantAccess| MeantAccess {
        expression: window.listing.memory(window.trap()),
        registers: window.values(operand.memory.registers()),
        ..access
    };
    Some(Explanation { access: found.access.map(with_operand), ..found })
}

/// Explains a jump or call through a register without a valid address: the CPU traps before the
/// branch. In `__x86_indirect_thunk_*` the caller is the next frame.
pub(super) fn jump(report: &Report<'_>, window: &Window<'_>) -> Option<Explanation> {
    let trapping = window.trapping()?;
    let register = match trapping.sources {
        [Source::Register(register), _] => register,
        // The thunk overwrites its return address: arch/x86/lib/retpoline.S.
        _ if trapping.op == Op::Leave && window.space.arch == Arch::X86_64 => {
            overwritten_return(window)?
        }
        _ => return None,
    };
    let value = window.value(register)?;
    let class = address_class::class(window.space, value);
    let is_bad = class == AddressClass::NonCanonical
        || (class == AddressClass::Poison && window.space.area(value) == Some(Area::NonCanonical));
    let flow = Flow::of(window);
    let id = flow.held(register).filter(|_| is_bad)?;
    let pointer = pointer(window, &flow, Some(register), id, value);
    let is_thunk = trapping.op == Op::Leave;
    let summary = format!(
        "jumps to {}, {}{}",
        window.address(value),
        super::meaning(window.space, class, None, value),
        if is_thunk { super::called_from(report) } else { String::new() },
    );
    Some(Explanation {
        access: Some(MeantAccess {
            kind: Some(AccessKind::Execute),
            address: Some(window.address(value)),
            registers: window.values([register]),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        steps: steps(window, &flow, id),
        pointer: Some(pointer),
        ..Explanation::new(summary, Confidence::Certain)
    })
}

/// Returns the register that the instruction above the trap stored at the top of the stack.
fn overwritten_return(window: &Window<'_>) -> Option<Register> {
    let store = window.insn(window.trap().checked_sub(1)?)?;
    let memory = store.memory.iter().flatten().find(|memory| memory.writes)?;
    let is_top = memory.displacement == 0
        && memory.index.is_none()
        && memory.base.is_some_and(|base| base.number == STACK_POINTER);
    match store.sources {
        [Source::Register(register), _] if is_top => Some(register),
        _ => None,
    }
}

/// The number of x86's stack pointer.
const STACK_POINTER: u8 = 4;

/// Explains an access at the address computed from the registers.
fn at_address(
    report: &Report<'_>,
    window: &Window<'_>,
    memory: &Memory,
    address: u64,
    kind: AccessKind,
    agrees_with: Agreement,
) -> Explanation {
    let flow = Flow::of(window);
    let found = shadow(report, window, &flow, memory, address);
    let mut found = found.unwrap_or_else(|| {
        let mut found = plain(window, &flow, memory, address, kind);
        found.summary.push_str(super::denied(report, Some(kind)));
        found
    });
    let is_protection_fault = !super::is_page_fault(report) && agrees_with.header.is_none();
    let is_odd = address_class::class(window.space, address) == AddressClass::NonCanonical
        || address_class::poison(window.space.arch, address).is_some();
    let is_reported = agrees_with.cr2.or(agrees_with.header).is_some() && agrees_with.is_whole();
    found.confidence = confidence(is_reported || (is_protection_fault && is_odd));
    found.agrees_with = agrees_with;
    if let Some(left) = left_to_copy(window) {
        let left = format!(", with {} remaining", bytes(left));
        found.summary.push_str(&left);
    }
    found
}

/// Returns the bytes that a repeated instruction had left to copy or write: x86 counts down in
/// `%rcx`.
fn left_to_copy(window: &Window<'_>) -> Option<u64> {
    let trapping = window.trapping().filter(|trapping| trapping.is_repeated)?;
    let count = window.value(Register::new(COUNT, window.word()))?;
    let size = u64::from(trapping.size);
    (trapping.op == Op::Other && size > 0).then(|| count.checked_mul(size)).flatten()
}

/// The number of x86's count register.
const COUNT: u8 = 1;

/// Explains a fault in a check of KASAN as the access that was being checked.
fn shadow(
    report: &Report<'_>,
    window: &Window<'_>,
    flow: &Flow<'_>,
    memory: &Memory,
    address: u64,
) -> Option<Explanation> {
    let space = window.space;
    let offset = address_class::shadow_offset(space.arch)?;
    let is_offset = |register: &Register| window.value(*register) == Some(offset);
    let is_shadow = memory.registers().any(|register| is_offset(&register))
        || memory.displacement.cast_unsigned() == offset
        || report.headline.contains("KASAN")
            && address_class::behind_shadow(space, address).is_some();
    let place = address.wrapping_sub(offset);
    if !is_shadow || place >> 61 != 0 || memory.writes || memory.size > 2 {
        return None;
    }
    let low = place << 3;
    // The register with the shifted address, and the value before the shift.
    let shifted = memory.registers().find(|register| !is_offset(register));
    let meant = shifted.and_then(|register| match flow.what(flow.held(register)?) {
        Value::Computed(Compute::ShiftRight, inner, 3, _) => Some(inner),
        _ => None,
    });
    let exact = meant.and_then(|id| flow.value(id)).filter(|value| value >> 3 == low >> 3);
    let real = exact.unwrap_or(low);
    let size = checked_size(window, memory).filter(|_| exact.is_some());
    let pointer = meant.filter(|_| exact.is_some()).map(|id| pointer(window, flow, None, id, real));
    let class = meant_class(space, pointer.as_ref(), real);
    let range = match size {
        Some(1) => format!("{real:#x}"),
        Some(size) => format!("{real:#x}..{:#x}", real.wrapping_add(size - 1) & window.mask()),
        None if exact.is_some() && checked_size(window, memory).is_none() => format!("{real:#x}"),
        None => format!("{low:#x}..{:#x}", low | 7),
    };
    let checked =
        if exact.is_some() { "the checked access is to" } else { "the checked access is in" };
    let summary = format!(
        "reads {} at {}, the KASAN shadow: {checked} {range}, {}",
        bytes(memory.size),
        window.address(address),
        super::meaning(space, class, pointer.as_ref(), real),
    );
    let steps = meant.map(|id| steps(window, flow, id)).unwrap_or_default();
    Some(Explanation {
        access: Some(MeantAccess {
            kind: meant_kind(window, real, exact.is_some()),
            size,
            address: Some(window.address(real)),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        shadow: true,
        pointer,
        steps,
        ..Explanation::new(summary, Confidence::Likely)
    })
}

/// Returns the size of the access that KASAN checks: the instructions below compare the last byte
/// of a shorter access with the shadow, or the shadow of eight bytes with zero.
fn checked_size(window: &Window<'_>, memory: &Memory) -> Option<u64> {
    if window.trapping()?.op == Op::Compare {
        return Some(if memory.size == 2 { 16 } else { 8 });
    }
    window.below().iter().take(8).find_map(|insn| match (insn.op, insn.sources) {
        (Op::Compute(Compute::Add), [_, Source::Number(last)]) => {
            Some(last.checked_add(1).filter(|size| *size <= 8))
        }
        // `cmp $0x3,%al`: the address is a multiple of eight, so its low bits are known.
        (Op::Compare, [_, Source::Number(last)]) => {
            Some(last.checked_add(1).filter(|size| *size <= 8))
        }
        (Op::Compare, _) => Some(Some(1)),
        _ => None,
    })?
}

/// Returns the kind of the access behind a check of KASAN, if its instruction is below the check.
fn meant_kind(window: &Window<'_>, real: u64, is_exact: bool) -> Option<AccessKind> {
    let below = if is_exact { window.below() } else { &[] };
    below.iter().flat_map(|insn| insn.memory.iter().flatten()).find_map(|memory| {
        let is_it = (memory.reads || memory.writes)
            && memory.index.is_none()
            && window.place(memory) == Some(real);
        let kind = if memory.writes { AccessKind::Write } else { AccessKind::Read };
        is_it.then_some(kind)
    })
}

/// Explains an access that faulted itself.
fn plain(
    window: &Window<'_>,
    flow: &Flow<'_>,
    memory: &Memory,
    address: u64,
    kind: AccessKind,
) -> Explanation {
    // The pointer is the register in the same page as the access, else the nearer one.
    let parts = memory.registers().filter_map(|register| Some((register, window.value(register)?)));
    let base = parts.min_by_key(|(_, value)| value.abs_diff(address) >> 12);
    // Other parts of the address are the displacement and the index.
    let found = base.and_then(|(base, value)| Some((base, flow.held(base)?, value)));
    let pointer = found.map(|(base, id, value)| {
        let pointer = pointer(window, flow, Some(base), id, value);
        let offset = address.wrapping_sub(pointer.value.value);
        // In the width of the machine, so that a negative offset stays negative.
        let unused = 64 - u32::from(window.space.bits);
        Pointer { offset: (offset << unused).cast_signed() >> unused, ..pointer }
    });
    // The segment is for per-CPU data of the kernel.
    let is_per_cpu = memory.segment.is_some_and(|segment| segment.number == GS)
        && address > window.mask() >> 1
        && address_class::class(window.space, address) != AddressClass::NonCanonical;
    let class = if is_per_cpu {
        AddressClass::PerCpu
    } else {
        meant_class(window.space, pointer.as_ref(), address)
    };
    let summary = format!(
        "{} {} at {}, {}",
        if kind == AccessKind::Write { "writes" } else { "reads" },
        bytes(memory.size),
        window.address(address),
        super::meaning(window.space, class, pointer.as_ref(), address),
    );
    Explanation {
        access: Some(MeantAccess {
            kind: Some(kind),
            size: Some(memory.size).filter(|size| *size > 0),
            address: Some(window.address(address)),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        steps: found.map(|(_, id, _)| steps(window, flow, id)).unwrap_or_default(),
        pointer,
        ..Explanation::new(summary, Confidence::Likely)
    }
}
