//! How a value came to be, in words.

use super::flow::{Flow, Id, Value};
use super::short;
use super::window::Window;
use crate::disasm::insn::{Compute, Op, Register, Source, extend};
use crate::model::{Pointer, PointerOrigin, Step};

/// Beyond this a number that was added is no offset of a field: it may be the pointer itself.
const MAX_OFFSET: u64 = 1 << 20;

/// The pointer that a value was made from by adding to it.
///
/// Of several registers that have it, `base` is named.
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

/// Where a value came from.
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

/// How a value came to be, the last instruction first.
pub(super) fn steps(window: &Window<'_>, flow: &Flow<'_>, id: Id) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut id = id;
    loop {
        // One instruction may make several values: the last of them is its result.
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

/// What the instruction did that made a value.
pub(super) fn step(window: &Window<'_>, flow: &Flow<'_>, id: Id) -> Option<Step> {
    let at = flow.at(id)?;
    let insn = window.insn(at)?;
    let target = match flow.what(id) {
        Value::Returned => window.result()?,
        _ => insn.destination?,
    };
    let number = target.number;
    let target = window.name(target);
    let with_value = |id: Id, name: &str| match flow.value(id) {
        Some(value) => format!(", {name} = {}", short(value)),
        None => String::new(),
    };
    // The register that an operand is read from, by its name where it still has the value.
    let named = |id: Id, source: Source| {
        let from = match source {
            Source::Register(register) | Source::Shifted(register, _) => Some(register),
            _ => window.operand(at)?.base,
        };
        let is_part = from.is_some_and(|from| from.size < window.word());
        let holder = flow.holder(id).filter(|_| !is_part);
        Some(window.name(holder.or(from)?))
    };
    let [first, second] = insn.sources;
    let means = match flow.what(id) {
        Value::Computed(compute, inner, by, size) => {
            let is_sum = insn.op == Op::Address && window.operand(at)?.index.is_some();
            let source = if insn.op == Op::Address { Source::Memory } else { first };
            let name = named(inner, source)?;
            let value = with_value(inner, &name);
            match compute {
                _ if is_sum => format!("{target} = the address {}", window.listing.memory(at)?),
                Compute::Add if extend(by, size) < 0 => {
                    let by = extend(by, size).unsigned_abs();
                    format!("{target} = {name} - {by:#x}{value}")
                }
                Compute::ShiftLeft | Compute::ShiftRight | Compute::ShiftRightSigned => {
                    format!("{target} = {name} {} {by}{value}", compute.sign()?)
                }
                Compute::Not => format!("{target} = ~{name}{value}"),
                Compute::Negate => format!("{target} = -{name}{value}"),
                Compute::Extend | Compute::ExtendSigned => {
                    let sign = if compute == Compute::Extend { "" } else { ", with its sign" };
                    format!("{target} = {name}{sign}{value}")
                }
                _ => format!("{target} = {name} {} {by:#x}{value}", compute.sign()?),
            }
        }
        Value::Combined(compute, one, other, _) => {
            let sources = match (insn.op, insn.memory) {
                (Op::Address, [Some(memory), _]) => {
                    let register = |register: Option<Register>| {
                        register.map_or(Source::None, Source::Register)
                    };
                    [register(memory.base), register(memory.index.map(|index| index.register))]
                }
                _ => [first, second],
            };
            let (one_name, other_name) = (named(one, sources[0])?, named(other, sources[1])?);
            let values = [with_value(one, &one_name), with_value(other, &other_name)].concat();
            format!("{target} = {one_name} {} {other_name}{values}", compute.sign()?)
        }
        Value::Load(base) => {
            let memory = window.listing.memory(at)?;
            // Copied since then: the register that has it at the trap.
            let holder = flow.holder(id).filter(|holder| holder.number != number);
            let target = holder.map_or(target, |holder| window.name(holder));
            let register = window.operand(at)?.base;
            let base =
                register.zip(base).map(|(register, base)| with_value(base, &window.name(register)));
            format!("{target} was loaded from {memory}{}", base.unwrap_or_default())
        }
        Value::Returned => format!("{target} was returned by the function called here"),
        Value::Number(value) => format!("{target} = {}", short(value)),
        Value::Chosen(one, other) => {
            let (one, other) = (named(one, first)?, named(other, second)?);
            format!("{target} = {one} or {other}, by the comparison before")
        }
        Value::Unknown => return None,
    };
    Some(Step { offset: insn.offset, text: window.listing.text(at), means })
}

/// Says of a load from the address that another register has that it was from there.
pub(super) fn with_source(window: &Window<'_>, flow: &Flow<'_>, id: Id, mut step: Step) -> Step {
    let source = || {
        let at = flow.at(id)?;
        let memory = window.operand(at)?;
        let base = memory.base.filter(|_| memory.index.is_none())?;
        let is_still = flow.what(id) == Value::Load(flow.held(base));
        let address = is_still.then(|| window.place(memory)).flatten()?;
        let mut others = window.general().filter(|other| other.number != base.number);
        others.find(|other| window.value(*other) == Some(address))
    };
    if let Some(other) = source() {
        step.means.push_str(", the address in ");
        step.means.push_str(&window.name(other));
    }
    step
}
