//! The computation of a value, as steps.

use super::flow::{Flow, Id, Value};
use super::window::Window;
use crate::disasm::insn::{Compute, Insn, Op, Register, Source, extend};
use crate::model::{FlowStep, Operand, Operation, Pointer, PointerOrigin, StepKind};

/// The largest number that is an offset of a field. A larger one may be the pointer itself.
const MAX_OFFSET: u64 = 1 << 20;

/// Returns the pointer to which offsets were added to compute a value.
///
/// If several registers hold it, `base` is preferred.
pub(super) fn pointer(
    window: &Window<'_>,
    flow: &Flow<'_>,
    base: Option<Register>,
    id: Id,
    value: u64,
) -> Pointer {
    let (mut root, mut offset) = (id, 0i64);
    while let Value::Computed(Compute::Add, inner, by, size) = flow.what(root) {
        let by = extend(by, size);
        let Some(sum) = offset.checked_add(by) else { break };
        if by.unsigned_abs() > MAX_OFFSET || size < window.word() {
            break;
        }
        (root, offset) = (inner, sum);
    }
    let register = flow.holder_of(root, base).and_then(|register| window.model_name(register));
    Pointer {
        register: register.map(str::to_owned),
        value: window.address(value.wrapping_sub(offset.cast_unsigned()) & window.mask()),
        offset,
        origin: origin(window, flow, root),
    }
}

/// Returns the source of a value.
fn origin(window: &Window<'_>, flow: &Flow<'_>, id: Id) -> Option<PointerOrigin> {
    let index = flow.at(id)?;
    let at = window.insn(index)?.offset;
    match flow.what(id) {
        Value::Load(_) => {
            let memory = window.operand(index)?;
            let base = memory.base.filter(|_| memory.index.is_none() && memory.segment.is_none());
            let register = base.and_then(|base| window.model_name(base)).map(str::to_owned);
            let operand = window.listing.memory(index)?;
            Some(PointerOrigin::Loaded { at, operand, register, displacement: memory.displacement })
        }
        Value::Returned => Some(PointerOrigin::Returned { at }),
        Value::Number(value) => Some(PointerOrigin::Constant { value }),
        _ => None,
    }
}

/// Returns the computation of a value, the last instruction first.
pub(super) fn steps(window: &Window<'_>, flow: &Flow<'_>, id: Id) -> Vec<FlowStep> {
    let mut steps: Vec<FlowStep> = Vec::new();
    let mut id = id;
    loop {
        // One instruction may make several values: the last one is its result.
        if let Some(step) = step(window, flow, id)
            && steps.last().is_none_or(|last| last.offset != step.offset)
        {
            steps.push(step);
        }
        match flow.what(id) {
            Value::Computed(_, inner, ..) => id = inner,
            _ => return steps,
        }
    }
}

/// Returns the instruction that made a value, as a step.
pub(super) fn step(window: &Window<'_>, flow: &Flow<'_>, id: Id) -> Option<FlowStep> {
    let at = flow.at(id)?;
    let insn = window.insn(at)?;
    let kind = Made { window, flow, at, insn }.kind(id)?;
    Some(FlowStep { offset: insn.offset, text: window.listing.text(at), kind })
}

/// An instruction that made a value.
struct Made<'w> {
    window: &'w Window<'w>,
    flow: &'w Flow<'w>,
    at: usize,
    insn: &'w Insn,
}

impl Made<'_> {
    fn kind(&self, id: Id) -> Option<StepKind> {
        let value = self.flow.what(id);
        let register = match value {
            Value::Returned => self.window.result()?,
            _ => self.insn.destination?,
        };
        let target = self.window.name(register);
        let [first, second] = self.insn.sources;
        Some(match value {
            Value::Computed(compute, inner, by, size) => {
                self.computed(target, compute, inner, extend(by, size), by)?
            }
            Value::Combined(compute, one, other, _) => {
                self.combined(target, compute, one, other)?
            }
            Value::Load(base) => self.loaded(id, register, base)?,
            Value::Returned => StepKind::Returned { target },
            Value::Number(value) => StepKind::Constant { target, value },
            Value::Chosen(one, other) => {
                let (first, second) = (self.operand(one, first)?, self.operand(other, second)?);
                StepKind::Chosen { target, first, second }
            }
            Value::Unknown => return None,
        })
    }

    /// Returns the operand that is read, by the name of its register if that still holds the value.
    fn operand(&self, id: Id, source: Source) -> Option<Operand> {
        let from = match source {
            Source::Register(register) | Source::Shifted(register, _) => Some(register),
            _ => self.window.operand(self.at)?.base,
        };
        let is_part = from.is_some_and(|from| from.size < self.window.word());
        let holder = self.flow.holder(id).filter(|_| !is_part);
        Some(self.register(holder.or(from)?, id))
    }

    /// Returns a register with its value.
    fn register(&self, register: Register, id: Id) -> Operand {
        let value = self.flow.value(id).map(|value| self.window.address(value));
        Operand::Register { name: self.window.name(register), value }
    }

    /// Describes a value combined with a number, which is also given as a signed one.
    fn computed(
        &self,
        target: String,
        compute: Compute,
        inner: Id,
        signed: i64,
        number: u64,
    ) -> Option<StepKind> {
        let is_address = self.insn.op == Op::Address;
        let is_sum = is_address && self.window.operand(self.at)?.index.is_some();
        let [first, _] = self.insn.sources;
        let source = self.operand(inner, if is_address { Source::Memory } else { first })?;
        if is_sum {
            let memory = self.window.listing.memory(self.at)?;
            return Some(StepKind::Address { target, memory });
        }
        let (operation, value) = match compute {
            Compute::Not => return Some(StepKind::Inverted { target, source }),
            Compute::Negate => return Some(StepKind::Negated { target, source }),
            Compute::Extend | Compute::ExtendSigned => {
                let signed = compute == Compute::ExtendSigned;
                return Some(StepKind::Extended { target, source, signed });
            }
            Compute::Add if signed < 0 => (Operation::Subtract, signed.unsigned_abs()),
            _ => (operation(compute)?, number),
        };
        let right = Operand::Number { value };
        Some(StepKind::Computed { target, operation, left: source, right })
    }

    /// Describes the combination of two values.
    fn combined(&self, target: String, compute: Compute, one: Id, other: Id) -> Option<StepKind> {
        let [first, second] = match (self.insn.op, self.insn.memory) {
            (Op::Address, [Some(memory), _]) => {
                let index = memory.index.map(|index| index.register);
                [memory.base, index].map(|part| part.map_or(Source::None, Source::Register))
            }
            _ => self.insn.sources,
        };
        let (left, right) = (self.operand(one, first)?, self.operand(other, second)?);
        Some(StepKind::Computed { target, operation: operation(compute)?, left, right })
    }

    fn loaded(&self, id: Id, register: Register, base: Option<Id>) -> Option<StepKind> {
        let memory = self.window.listing.memory(self.at)?;
        // The address was copied since: use the register that holds it at the trap.
        let holder = self.flow.holder(id).filter(|holder| holder.number != register.number);
        let target = self.window.name(holder.unwrap_or(register));
        let from = self.window.operand(self.at)?.base;
        let base = from.zip(base).map(|(from, base)| self.register(from, base));
        Some(StepKind::Loaded { target, memory, base, address_in: None })
    }
}

/// Returns the operation on two numbers; `None` for operations on one number.
fn operation(compute: Compute) -> Option<Operation> {
    Some(match compute {
        Compute::Add => Operation::Add,
        Compute::Subtract => Operation::Subtract,
        Compute::And => Operation::And,
        Compute::Or => Operation::Or,
        Compute::Xor => Operation::Xor,
        Compute::ShiftLeft => Operation::ShiftLeft,
        Compute::ShiftRight => Operation::ShiftRight,
        Compute::ShiftRightSigned => Operation::ShiftRightSigned,
        Compute::Extend | Compute::ExtendSigned | Compute::Not | Compute::Negate => return None,
    })
}

/// Adds to a load the other register that holds the address it was loaded from.
pub(super) fn with_source(
    window: &Window<'_>,
    flow: &Flow<'_>,
    id: Id,
    mut step: FlowStep,
) -> FlowStep {
    let source = || {
        let at = flow.at(id)?;
        let memory = window.operand(at)?;
        let base = memory.base.filter(|_| memory.index.is_none())?;
        let is_still = flow.what(id) == Value::Load(flow.held(base));
        let address = is_still.then(|| window.place(memory)).flatten()?;
        let mut others = window.general().filter(|other| other.number != base.number);
        others.find(|other| window.value(*other) == Some(address))
    };
    if let StepKind::Loaded { address_in, .. } = &mut step.kind {
        *address_in = source().map(|other| window.name(other));
    }
    step
}
