//! What an x86 instruction accessed, and what led to a `ud2`.

use iced_x86::{
    ConditionCode, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register,
    UsedMemory,
};

use super::compare::{self, Found, Relation, Side};
use super::machine::Machine;
use super::trace::{self, Id, Trace, Value};
use super::{bytes, class, confidence, meant_class, short};
use crate::arch::Arch;
use crate::kind::Kind;
use crate::model::{
    AccessKind, AddressClass, Agreement, Confidence, Explanation, MeantAccess, Pointer, Report,
    Step,
};

/// What an operand of the trapping instruction is.
struct Operand {
    memory: UsedMemory,
    kind: AccessKind,
    /// Bytes; 0 where it depends.
    size: u64,
    address: Option<u64>,
}

/// Explains the trap of a report whose code is x86.
pub(super) fn explain(
    report: &Report<'_>,
    machine: &Machine<'_>,
    arch: Arch,
) -> Option<Explanation> {
    let trapping = machine.trapping();
    match trapping.mnemonic() {
        Mnemonic::Ud2 | Mnemonic::Ud1 | Mnemonic::Ud0 => {
            Some(compare::assertion(condition(machine)))
        }
        Mnemonic::Div | Mnemonic::Idiv if report.kind == Kind::DivideError => {
            division(machine, &trapping)
        }
        _ if super::is_access(report) => access(report, machine, arch, &trapping),
        _ => None,
    }
}

fn division(machine: &Machine<'_>, trapping: &Instruction) -> Option<Explanation> {
    let divisor = operand(machine, machine.trap, trapping, 0)?;
    let trace = Trace::of(machine);
    let step = divisor.register.and_then(|register| step(machine, &trace, trace.held(register)?));
    Some(compare::division(&divisor, step))
}

fn access(
    report: &Report<'_>,
    machine: &Machine<'_>,
    arch: Arch,
    trapping: &Instruction,
) -> Option<Explanation> {
    let operands = operands(machine, trapping);
    let header = report.access.and_then(|access| access.address).map(|address| address.value);
    let cr2 = report.registers.get("cr2").filter(|_| super::is_page_fault(report));
    let told = header.or(cr2);
    let hits = |operand: &&Operand| told.is_some_and(|told| holds(operand, told) == Some(true));
    let is_bad = |operand: &&Operand| {
        use AddressClass::{Ascii, ErrPtr, NonCanonical, Null, Poison, User};
        let class = operand.address.map(|address| class::class(arch, address));
        matches!(class, Some(Ascii | ErrPtr | NonCanonical | Null | Poison | User))
    };
    let operand = operands
        .iter()
        .find(hits)
        .or_else(|| operands.iter().find(is_bad))
        .or_else(|| operands.first())?;
    let error_code = report.access.and_then(|access| access.kind).filter(|kind| {
        matches!(kind, AccessKind::Read | AccessKind::Write) && super::is_page_fault(report)
    });
    let agrees_with = Agreement {
        cr2: cr2.and_then(|cr2| holds(operand, cr2)),
        header: header.and_then(|header| holds(operand, header)),
        error_code: error_code.map(|kind| kind == operand.kind),
    };
    if [agrees_with.cr2, agrees_with.header].contains(&Some(false)) {
        // The registers are not those of the access that the report tells of.
        return None;
    }
    let Some(address) = operand.address else {
        let mut explanation = super::by_header(report, arch)?;
        let access = explanation.access.get_or_insert_default();
        access.kind = Some(operand.kind);
        access.size = Some(operand.size).filter(|size| *size > 0);
        access.expression = machine.memory(trapping);
        return Some(explanation);
    };
    let trace = Trace::of(machine);
    let used = [operand.memory.base(), operand.memory.index()];
    let mut explanation = match shadow(machine, &trace, arch, operand, address) {
        Some(checked) => checked,
        None => plain(machine, &trace, arch, operand, address),
    };
    let is_protection_fault = !super::is_page_fault(report) && header.is_none();
    let is_odd = class::class(arch, address) == AddressClass::NonCanonical
        || class::poison(address).is_some();
    let is_sure = agrees_with.is_whole() || (is_protection_fault && is_odd);
    explanation.agrees_with = agrees_with;
    explanation.confidence = confidence(is_sure);
    if let Some(access) = &mut explanation.access {
        access.expression = machine.memory(trapping);
        access.registers = machine.values(used.into_iter().filter(|r| *r != Register::None));
    }
    Some(explanation)
}

/// The memory operands, those that are not named among them.
fn operands(machine: &Machine<'_>, instruction: &Instruction) -> Vec<Operand> {
    let mut factory = InstructionInfoFactory::new();
    let operand = |memory: &UsedMemory| {
        let reads =
            matches!(memory.access(), iced_x86::OpAccess::Read | iced_x86::OpAccess::CondRead);
        let kind = match (reads, trace::is_write(memory.access())) {
            (true, _) => AccessKind::Read,
            (_, true) => AccessKind::Write,
            _ => return None,
        };
        let is_relative = matches!(memory.base(), Register::RIP | Register::EIP)
            || instruction.is_ip_rel_memory_operand();
        let address = if is_relative {
            // The window's own addresses are offsets.
            machine.origin.map(|origin| origin.wrapping_add(memory.displacement()))
        } else {
            memory.virtual_address(0, |register, _, _| machine.value(register))
        };
        Some(Operand {
            memory: *memory,
            kind,
            size: memory.memory_size().size() as u64,
            address: address.map(|address| address & machine.mask()),
        })
    };
    factory.info(instruction).used_memory().iter().filter_map(operand).collect()
}

/// Whether an operand covers an address.
fn holds(operand: &Operand, address: u64) -> Option<bool> {
    operand.address.map(|start| address.wrapping_sub(start) < operand.size.max(1))
}

/// A check of KASAN, seen through: the access that was checked.
fn shadow(
    machine: &Machine<'_>,
    trace: &Trace,
    arch: Arch,
    operand: &Operand,
    address: u64,
) -> Option<Explanation> {
    let offset = class::shadow_offset(arch)?;
    let memory = &operand.memory;
    let is_offset = |register: &Register| machine.value(*register) == Some(offset);
    let parts = [memory.base(), memory.index()];
    let is_shadow = parts.iter().any(is_offset) || memory.displacement() == offset;
    let place = address.wrapping_sub(offset);
    if !is_shadow || place >> 61 != 0 || operand.kind != AccessKind::Read || operand.size > 2 {
        return None;
    }
    let low = place << 3;
    // The register with the shifted address, and what was shifted.
    let shifted =
        parts.iter().find(|register| **register != Register::None && !is_offset(register));
    let meant = shifted.and_then(|register| match trace.what(trace.held(*register)?) {
        Value::Shr(inner, 3) => Some(inner),
        _ => None,
    });
    let exact =
        meant.and_then(|id| trace.value(id, machine)).filter(|value| value >> 3 == low >> 3);
    let real = exact.unwrap_or(low);
    let size = checked_size(machine).filter(|_| exact.is_some());
    let pointer = meant.filter(|_| exact.is_some()).map(|id| pointer(machine, trace, id, real));
    let class = meant_class(arch, pointer.as_ref(), real);
    let range = match size {
        Some(1) => format!("{real:#x}"),
        Some(size) if exact.is_some() => {
            format!("{real:#x}..{:#x}", real.wrapping_add(size - 1) & machine.mask())
        }
        _ => format!("{low:#x}..{:#x}", low | 7),
    };
    let checked = if exact.is_some() { "the real access is to" } else { "the real access is in" };
    let summary = format!(
        "reads {} at {}, the KASAN shadow: {checked} {range}, {}",
        bytes(operand.size),
        machine.address(address),
        super::meaning(arch, class, pointer.as_ref(), real),
    );
    let steps = meant.map(|id| steps(machine, trace, id)).unwrap_or_default();
    Some(Explanation {
        access: Some(MeantAccess {
            kind: meant_kind(machine, real, exact.is_some()),
            size,
            address: Some(machine.address(real)),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        shadow: true,
        pointer,
        steps,
        ..Explanation::new(summary, Confidence::Likely)
    })
}

/// How many bytes KASAN checks: what follows compares the last byte of a shorter access with the
/// shadow, or the shadow of eight bytes with zero.
fn checked_size(machine: &Machine<'_>) -> Option<u64> {
    let trapping = machine.trapping();
    if trapping.mnemonic() == Mnemonic::Cmp {
        return Some(if trapping.memory_size().size() == 2 { 16 } else { 8 });
    }
    for instruction in machine.code.get(machine.trap + 1..)?.iter().take(8) {
        match instruction.mnemonic() {
            Mnemonic::Add => {
                let last = instruction.try_immediate(1).ok()?;
                return last.checked_add(1).filter(|size| *size <= 8);
            }
            // `cmp $0x3,%al`: the address is a multiple of eight, so its low bits are known.
            Mnemonic::Cmp => {
                let last =
                    matches!(instruction.op1_kind(), OpKind::Immediate8 | OpKind::Immediate8to32);
                let size = if last { u64::from(instruction.immediate8()) + 1 } else { 1 };
                return Some(size).filter(|size| *size <= 8);
            }
            _ => {}
        }
    }
    None
}

/// What the access does that a check of KASAN was made for, if it stands below the check.
fn meant_kind(machine: &Machine<'_>, real: u64, is_exact: bool) -> Option<AccessKind> {
    let below = machine.code.get(machine.trap + 1..).filter(|_| is_exact)?;
    below.iter().find_map(|instruction| {
        let is_plain = instruction.op_count() > 0 && instruction.memory_index() == Register::None;
        let operands = if is_plain { operands(machine, instruction) } else { Vec::new() };
        operands.iter().find(|operand| operand.address == Some(real)).map(|operand| operand.kind)
    })
}

/// An access that faulted itself.
fn plain(
    machine: &Machine<'_>,
    trace: &Trace,
    arch: Arch,
    operand: &Operand,
    address: u64,
) -> Explanation {
    let base = match operand.memory.base() {
        Register::None => operand.memory.index(),
        base => base,
    };
    let id = trace.held(base);
    let value = machine.value(base);
    // What is not made from the base comes from the displacement and the index.
    let pointer = id.zip(value).map(|(id, value)| {
        let pointer = pointer(machine, trace, id, value);
        let offset = address.wrapping_sub(pointer.value.value);
        // As wide as the machine: a negative offset stays one.
        let unused = 64 - machine.bits;
        Pointer { offset: (offset << unused).cast_signed() >> unused, ..pointer }
    });
    // The kernel's data of each CPU is what it has the segment for.
    let is_per_cpu = operand.memory.segment() == Register::GS
        && address > machine.mask() >> 1
        && class::class(arch, address) != AddressClass::NonCanonical;
    let class = if is_per_cpu {
        AddressClass::PerCpu
    } else {
        meant_class(arch, pointer.as_ref(), address)
    };
    let summary = format!(
        "{} {} at {}, {}",
        if operand.kind == AccessKind::Write { "writes" } else { "reads" },
        bytes(operand.size),
        machine.address(address),
        super::meaning(arch, class, pointer.as_ref(), address),
    );
    Explanation {
        access: Some(MeantAccess {
            kind: Some(operand.kind),
            size: Some(operand.size).filter(|size| *size > 0),
            address: Some(machine.address(address)),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        steps: id.map(|id| steps(machine, trace, id)).unwrap_or_default(),
        pointer,
        ..Explanation::new(summary, Confidence::Likely)
    }
}

/// The pointer that a value was made from by adding to it.
fn pointer(machine: &Machine<'_>, trace: &Trace, id: Id, value: u64) -> Pointer {
    let (mut root, mut offset) = (id, 0i64);
    while let Value::Add(inner, by) = trace.what(root) {
        let Some(sum) = offset.checked_add(by) else { break };
        // A small number is the offset of a field; a large one may be the pointer.
        if by.unsigned_abs() > 1 << 20 {
            break;
        }
        (root, offset) = (inner, sum);
    }
    let register = trace.holder(root, machine);
    Pointer {
        register: register.and_then(|register| machine.model_name(register)).map(str::to_owned),
        value: machine.address(value.wrapping_sub(offset.cast_unsigned()) & machine.mask()),
        offset,
        origin: origin(machine, trace, root),
    }
}

/// Where a value came from.
fn origin(machine: &Machine<'_>, trace: &Trace, id: Id) -> Option<String> {
    let instruction = machine.code.get(trace.at(id)?)?;
    match trace.what(id) {
        Value::Load(_) => Some(format!("loaded from {}", machine.memory(instruction)?)),
        Value::Returned => Some(format!("returned by the call at {:#x}", instruction.ip())),
        Value::Const(value) => Some(format!("the constant {value:#x}")),
        Value::Unknown | Value::Add(..) | Value::Shr(..) | Value::Shl(..) => None,
    }
}

/// How a value came to be, the last instruction first.
fn steps(machine: &Machine<'_>, trace: &Trace, id: Id) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut id = id;
    while let Some(step) = step(machine, trace, id) {
        steps.push(step);
        match trace.what(id) {
            Value::Add(inner, _) | Value::Shr(inner, _) | Value::Shl(inner, _) => id = inner,
            _ => break,
        }
    }
    steps
}

/// What the instruction did that made a value.
fn step(machine: &Machine<'_>, trace: &Trace, id: Id) -> Option<Step> {
    let instruction = machine.code.get(trace.at(id)?)?;
    let target = machine.name(machine.whole(match trace.what(id) {
        Value::Returned => Register::RAX,
        _ => instruction.op0_register(),
    }));
    let with_value = |id: Id, name: &str| match trace.value(id, machine) {
        Some(value) => format!(", {name} = {}", short(value)),
        None => String::new(),
    };
    let means = match trace.what(id) {
        Value::Add(inner, by) => {
            let from = match instruction.mnemonic() {
                Mnemonic::Lea => instruction.memory_base(),
                _ => instruction.op0_register(),
            };
            let from = trace.holder(inner, machine).unwrap_or(from);
            let name = machine.name(from);
            let sign = if by < 0 { '-' } else { '+' };
            let by = by.unsigned_abs();
            format!("{target} = {name} {sign} {by:#x}{}", with_value(inner, &name))
        }
        Value::Load(base) => {
            let memory = machine.memory(instruction)?;
            let name = machine.name(instruction.memory_base());
            let base = base.map(|base| with_value(base, &name)).unwrap_or_default();
            let target = match trace.holder(id, machine) {
                Some(holder) => machine.name(holder),
                None => target,
            };
            format!("{target} was loaded from {memory}{base}")
        }
        Value::Returned => format!("{target} was returned by the function called here"),
        Value::Const(value) => format!("{target} = {}", short(value)),
        Value::Shr(inner, bits) | Value::Shl(inner, bits) => {
            let sign = if matches!(trace.what(id), Value::Shr(..)) { ">>" } else { "<<" };
            let from = trace.holder(inner, machine).unwrap_or(instruction.op0_register());
            let name = machine.name(from);
            format!("{target} = {name} {sign} {bits}{}", with_value(inner, &name))
        }
        Value::Unknown => return None,
    };
    let offset = usize::try_from(instruction.ip()).ok()?;
    Some(Step { offset, text: machine.text(instruction), means })
}

/// The comparison that led to the trap.
fn condition(machine: &Machine<'_>) -> Option<Found> {
    let (branch, is_taken) = way_in(machine)?;
    let above = machine.code.get(..branch)?;
    let test = above.iter().rposition(|instruction| instruction.rflags_modified() != 0)?;
    let between = machine.code.get(test + 1..=branch)?;
    if between.iter().any(|instruction| machine.is_target(instruction.ip())) {
        return None;
    }
    let instruction = machine.code.get(test)?;
    // A check of KASAN, or the flag that lets a warning come only once: nothing to do with the bug.
    let is_flag = instruction.op0_kind() == OpKind::Memory
        && instruction.memory_size().size() == 1
        && instruction.try_immediate(1).is_ok_and(|value| value == 0);
    if is_flag {
        return None;
    }
    let jump = machine.code.get(branch)?.condition_code();
    let relation = relation(jump)?;
    let relation = if is_taken { relation } else { relation.negated() };
    let is_same = instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register();
    let left = operand(machine, test, instruction, 0)?;
    let right = match instruction.mnemonic() {
        Mnemonic::Cmp => operand(machine, test, instruction, 1)?,
        Mnemonic::Test if is_same => Side::number(0),
        _ => return None,
    };
    let size = instruction.op0_register().size().max(instruction.memory_size().size());
    let registers = [left.register, right.register].into_iter().flatten();
    let values = machine.values(registers.clone());
    let found = Found::new(&left, relation, &right, size, values)?;
    let trace = Trace::of(machine);
    let steps = registers
        .filter_map(|register| step(machine, &trace, trace.held(register)?))
        .map(|step| with_source(machine, &trace, step))
        .collect();
    Some(Found { steps, ..found })
}

/// Says of a load from the address that another register has that it was from there.
fn with_source(machine: &Machine<'_>, trace: &Trace, mut step: Step) -> Step {
    let loads = |instruction: &&Instruction| usize::try_from(instruction.ip()) == Ok(step.offset);
    let Some(instruction) = machine.code.iter().find(loads) else { return step };
    let base = instruction.memory_base();
    let is_still = trace
        .held(base)
        .zip(trace.held(instruction.op0_register()))
        .is_some_and(|(base, loaded)| trace.what(loaded) == Value::Load(Some(base)));
    let displacement = instruction.memory_displacement64();
    let Some(address) = machine.value(base).filter(|_| is_still) else { return step };
    let address = address.wrapping_add(displacement) & machine.mask();
    let mut others = machine.general().filter(|other| *other != base);
    if let Some(other) = others.find(|other| machine.value(*other) == Some(address)) {
        step.means.push_str(", the address in ");
        step.means.push_str(&machine.name(other));
    }
    step
}

/// The branch through which control came to the trap, and whether it was taken.
fn way_in(machine: &Machine<'_>) -> Option<(usize, bool)> {
    let is_straight = |instruction: &Instruction| {
        matches!(
            instruction.flow_control(),
            FlowControl::Next | FlowControl::Call | FlowControl::IndirectCall
        )
    };
    let above = machine.code.get(..machine.trap)?;
    let last = above.iter().rposition(|instruction| !is_straight(instruction))?;
    let block = machine.code.get(last + 1..=machine.trap)?;
    let is_in = |target: u64| block.iter().any(|instruction| instruction.ip() == target);
    let branches: Vec<usize> = machine
        .code
        .iter()
        .enumerate()
        .filter(|(_, i)| i.is_jcc_short_or_near() || i.is_jmp_short_or_near())
        .filter(|(_, i)| is_in(i.near_branch_target()))
        .map(|(index, _)| index)
        .collect();
    let is_conditional =
        |index: usize| machine.code.get(index).is_some_and(Instruction::is_jcc_short_or_near);
    match branches.as_slice() {
        [] => is_conditional(last).then_some((last, false)),
        [only] => (!is_conditional(last) && is_conditional(*only)).then_some((*only, true)),
        _ => None,
    }
}

fn operand(
    machine: &Machine<'_>,
    test: usize,
    instruction: &Instruction,
    index: u32,
) -> Option<Side<Register>> {
    match instruction.op_kind(index) {
        OpKind::Register => {
            let register = instruction.op_register(index);
            let since = machine.code.get(test + 1..machine.trap).unwrap_or_default();
            let is_kept = !since.iter().any(|later| changes(later, register));
            let value = machine.value(register).filter(|_| is_kept);
            Some(Side { text: machine.name(register), value, register: Some(register) })
        }
        OpKind::Memory => {
            Some(Side { text: machine.memory(instruction)?, value: None, register: None })
        }
        _ => {
            let value = instruction.try_immediate(index).ok()?;
            Some(Side::number(value))
        }
    }
}

/// Whether an instruction writes a register; a call may write those that callers save.
fn changes(instruction: &Instruction, register: Register) -> bool {
    let is_call =
        matches!(instruction.flow_control(), FlowControl::Call | FlowControl::IndirectCall);
    if is_call && trace::is_clobbered(register) {
        return true;
    }
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(instruction);
    info.used_registers().iter().any(|used| {
        used.register().full_register() == register.full_register()
            && trace::is_write(used.access())
    })
}

/// What holds where a branch is taken.
fn relation(code: ConditionCode) -> Option<Relation> {
    Some(match code {
        ConditionCode::e => Relation::EQUAL,
        ConditionCode::ne => Relation::NOT_EQUAL,
        ConditionCode::b => Relation::BELOW,
        ConditionCode::ae => Relation::ABOVE_OR_EQUAL,
        ConditionCode::be => Relation::BELOW_OR_EQUAL,
        ConditionCode::a => Relation::ABOVE,
        ConditionCode::l | ConditionCode::s => Relation::LESS,
        ConditionCode::ge | ConditionCode::ns => Relation::GREATER_OR_EQUAL,
        ConditionCode::le => Relation::LESS_OR_EQUAL,
        ConditionCode::g => Relation::GREATER,
        _ => return None,
    })
}
