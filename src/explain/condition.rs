//! The comparison before a trap.

use super::flow::{Flow, Value};
use super::steps::{step, with_source};
use super::window::Window;
use super::{address_class, confidence, short};
use crate::disasm::insn::{Compute, Flags, Insn, On, Op, Register, Source, Trap, cut};
use crate::model::{Condition, Explanation, FlowStep, Operand, Predicate, Relation};

/// An operand of a comparison.
#[derive(Debug)]
struct Side {
    /// The operand, with its value at the trap if nothing changed it since.
    operand: Operand,
    /// The register that still has the value.
    register: Option<Register>,
}

impl Side {
    fn number(value: u64) -> Self {
        Self { operand: Operand::Number { value }, register: None }
    }
}

/// A comparison that may have led to a trap.
struct Found {
    condition: Condition,
    /// Whether the registers confirm that it held.
    is_sure: bool,
    /// The computation of the compared values.
    steps: Vec<FlowStep>,
}

/// Explains a trap of an assertion by the comparison before it. `is_described` is set if the report has a
/// message or a source location, which identify the assertion.
pub(super) fn assertion(
    window: &Window<'_>,
    trap: Trap,
    is_described: bool,
) -> Option<Explanation> {
    if trap == Trap::IndirectCall {
        return Some(indirect_call(window, None));
    }
    if let Some(pointer) = checked_call(window) {
        return Some(indirect_call(window, Some(pointer)));
    }
    let Some(Found { condition, is_sure, steps }) = found(window) else {
        let summary = "traps at an assertion; the comparison is not in the printed code";
        return (!is_described).then(|| Explanation::new(summary.to_owned(), confidence(false)));
    };
    let summary = format!("traps because {}", condition.predicate);
    Some(Explanation {
        steps,
        condition: Some(condition),
        ..Explanation::new(summary, confidence(is_sure))
    })
}

/// Explains a call through a function pointer of another type: kCFI.
fn indirect_call(window: &Window<'_>, pointer: Option<Register>) -> Explanation {
    let pointer = pointer.or_else(|| match window.trapping()?.sources {
        [Source::Register(register), _] => Some(register),
        _ => None,
    });
    let target = pointer.map(|register| {
        let value = window.value(register).map(|value| format!(" = {}", window.address(value)));
        format!(", {}{}", window.name(register), value.unwrap_or_default())
    });
    let summary = format!(
        "calls through a pointer to a function of another type{}",
        target.unwrap_or_default()
    );
    Explanation::new(summary, confidence(pointer.is_some()))
}

/// Returns the pointer whose type is checked by the instructions above, as clang generates them for
/// x86 (`-fsanitize=kcfi`): the negative hash of the type, plus the hash before the function, is
/// zero.
fn checked_call(window: &Window<'_>) -> Option<Register> {
    let Way { branch, is_taken, .. } = way_in(window)?;
    let [mov, add, jump] = window.insns().get(branch.checked_sub(2)?..=branch)? else {
        return None;
    };
    let is_equal =
        jump.condition.is_some_and(|condition| condition.relation == Some(Relation::Equal));
    let is_hash =
        mov.op == Op::Move && matches!(mov.sources, [Source::Number(_), _]) && mov.size == 4;
    let is_sum = add.op == Op::Compute(Compute::Add) && matches!(add.sources, [_, Source::Memory]);
    let memory = add.memory.first()?.as_ref()?;
    let is_before = (-64..0).contains(&memory.displacement) && memory.size == 4;
    let is_check = !is_taken && is_equal && is_hash && is_sum && is_before;
    memory.base.filter(|_| is_check && mov.destination == add.destination)
}

/// Returns the comparison that led to the trap.
fn found(window: &Window<'_>) -> Option<Found> {
    let trap = window.trap();
    // A conditional trap is executed like a branch that is taken.
    let is_own = window.trapping()?.condition.is_some();
    let here = Way { branch: trap, is_taken: true, block: trap };
    let way = if is_own { here } else { way_in(window)? };
    let Way { branch, is_taken, .. } = way;
    let insn = window.insn(branch)?;
    let condition = insn.condition?;
    let relation = condition.relation?;
    let relation = if is_taken { relation } else { relation.negated() };
    let (result, is_sign) = match condition.on {
        On::Flags(result) => (result, false),
        On::Sign(result) => (result, true),
        on => return between(window, way, branch, relation, on),
    };
    for at in (0..branch).rev() {
        let (insn, next) = (window.insn(at)?, window.insn(at + 1)?);
        let goes_on = insn.is_straight() || insn.is_conditional();
        if window.is_target(next.offset) || !goes_on || insn.op == Op::Call {
            return None;
        }
        let is_set = match insn.flags {
            Flags::Kept => false,
            Flags::Lost => return None,
            Flags::Set(number) | Flags::SetSigned(number) => number == result,
        };
        // It is unknown which of two comparisons set the flags.
        if insn.is_predicated() && insn.flags != Flags::Kept {
            return None;
        }
        if is_set {
            let is_signed = matches!(insn.flags, Flags::SetSigned(_));
            let relation = if is_signed { relation.signed() } else { relation };
            return of_flags(window, way, at, relation, is_sign);
        }
    }
    None
}

/// Returns the comparison of an instruction that sets flags; with `is_sign` that of the sign of its
/// result.
fn of_flags(
    window: &Window<'_>,
    way: Way,
    at: usize,
    relation: Relation,
    is_sign: bool,
) -> Option<Found> {
    let insn = window.insn(at)?;
    match insn.op {
        Op::Compare => {
            // The flag of `WARN_ONCE()`, which is unrelated to the bug.
            let is_once = insn.sources == [Source::Memory, Source::Number(0)] && insn.size == 1;
            // The difference of two numbers may overflow; that of a number and zero does not.
            let is_exact = !is_sign || insn.sources.get(1) == Some(&Source::Number(0));
            (!is_once && is_exact).then(|| between(window, way, at, relation, On::Sources))?
        }
        Op::Test if is_shadow_check(window, at) => None,
        Op::Test => between(window, way, at, relation, On::Bits),
        // Zero bytes decode as `add %al,(%rax)`: not code.
        Op::Update if insn.size == 1 => None,
        _ => {
            // The result of a sum or another operation: its order depends on the carry and overflow
            // flags, which are not tracked.
            let has_overflow =
                !matches!(insn.op, Op::Compute(Compute::And | Compute::Or | Compute::Xor));
            let is_of_sign = matches!(relation, Relation::Less | Relation::GreaterOrEqual);
            let is_followed = (is_of_sign && (is_sign || !has_overflow))
                || matches!(insn.flags, Flags::SetSigned(_))
                || matches!(relation, Relation::Equal | Relation::NotEqual);
            let source = match (insn.op, insn.destination, insn.sources) {
                (Op::Update, ..) => Source::Memory,
                (_, Some(destination), _) => Source::Register(destination),
                // A part of a register is combined with another operand.
                (_, None, [source @ Source::Register(_), _]) => source,
                _ => return None,
            };
            let left = side(window, way, at, source).filter(|_| is_followed)?;
            holds(window, left, None, relation, Side::number(0), insn.size)
        }
    }
}

/// Returns whether an instruction tests a byte of the shadow of KASAN, as compilers generate it before each access: that
/// of an argument of the message is above the trap.
fn is_shadow_check(window: &Window<'_>, at: usize) -> bool {
    let Some(offset) = address_class::shadow_offset(window.space.arch) else { return false };
    let above = window.insns().get(..=at).unwrap_or_default();
    let has_offset = |insn: &Insn| {
        insn.sources.contains(&Source::Number(offset))
            || insn
                .memory
                .iter()
                .flatten()
                .any(|memory| memory.displacement.cast_unsigned() == offset)
    };
    let is_byte =
        above.last().is_some_and(|insn| insn.size == 1 && insn.sources[0] == insn.sources[1]);
    is_byte && above.iter().any(has_offset)
}

/// Returns the comparison of the sources of an instruction.
fn between(window: &Window<'_>, way: Way, at: usize, relation: Relation, on: On) -> Option<Found> {
    let insn = window.insn(at)?;
    let [left, right] = insn.sources;
    let first = side(window, way, at, left)?;
    if on != On::Bits {
        let right = side(window, way, at, right)?;
        return holds(window, first, None, relation, right, insn.size);
    }
    let mask = if left == right { None } else { Some(side(window, way, at, right)?) };
    holds(window, first, mask, relation, Side::number(0), insn.size)
}

/// Returns the comparison of the lowest bytes of two operands, unless the registers contradict it.
/// With a mask only some bits of the left operand are compared.
fn holds(
    window: &Window<'_>,
    left: Side,
    mask: Option<Side>,
    relation: Relation,
    right: Side,
    size: u8,
) -> Option<Found> {
    let masking = mask.as_ref().and_then(|mask| mask.register);
    let registers = [left.register, masking, right.register].into_iter().flatten();
    let predicate = Predicate {
        relation,
        left: left.operand,
        mask: mask.map(|mask| mask.operand),
        right: right.operand,
        size,
    };
    let holds = predicate.holds();
    if holds == Some(false) {
        return None;
    }
    let condition = Condition { predicate, values: window.values(registers.clone()) };
    Some(Found { condition, is_sure: holds == Some(true), steps: sources(window, registers) })
}

/// Returns the computation of the values of registers.
fn sources(window: &Window<'_>, registers: impl Iterator<Item = Register>) -> Vec<FlowStep> {
    let flow = Flow::of(window);
    let source = |register| {
        let id = flow.held(register)?;
        Some(with_source(window, &flow, id, step(window, &flow, id)?))
    };
    registers.filter_map(source).collect()
}

/// Returns an operand of a comparison.
fn side(window: &Window<'_>, way: Way, at: usize, source: Source) -> Option<Side> {
    let insn = window.insn(at)?;
    match source {
        Source::Register(register) if register.number == Register::ZERO => Some(Side::number(0)),
        Source::Register(register) => {
            let is_kept = !way.since(window, at).any(|insn| window.changes(insn, register));
            let value = window.value(register).filter(|_| is_kept);
            let value = value.map(|value| window.address(value));
            let operand = Operand::Register { name: window.name(register), value };
            Some(Side { operand, register: is_kept.then_some(register) })
        }
        Source::Number(value) => Some(Side::number(cut(value, insn.size))),
        Source::Memory => {
            let expression = window.listing.memory(at)?;
            Some(Side { operand: Operand::Memory { expression }, register: None })
        }
        Source::None | Source::Shifted(..) | Source::Other => None,
    }
}

/// The path of control to the trap.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// The index of the branch.
    branch: usize,
    is_taken: bool,
    /// The index of the first instruction below the last branch above the trap.
    block: usize,
}

impl Way {
    /// Returns the instructions that were executed after one above the branch, up to the trap.
    fn since<'w>(self, window: &'w Window<'_>, at: usize) -> impl Iterator<Item = &'w Insn> {
        let trap = window.trap();
        let (before, from) =
            if self.is_taken { (self.branch + 1, self.block) } else { (trap, trap) };
        let part = |range: std::ops::Range<usize>| window.insns().get(range).unwrap_or_default();
        part(at + 1..before.max(at + 1)).iter().chain(part(from..trap))
    }
}

/// Returns the branch that led to the trap.
fn way_in(window: &Window<'_>) -> Option<Way> {
    let insns = window.insns();
    let above = insns.get(..window.trap())?;
    let last = above.iter().rposition(|insn| !insn.is_straight())?;
    let block = insns.get(last + 1..=window.trap())?;
    let into = |insn: &Insn| block.iter().any(|other| insn.target == Some(other.offset));
    let branches: Vec<usize> =
        (0..insns.len()).filter(|at| insns.get(*at).is_some_and(into)).collect();
    let is_conditional = |at: usize| insns.get(at).is_some_and(Insn::is_conditional);
    let way = |branch, is_taken| Way { branch, is_taken, block: last + 1 };
    match branches.as_slice() {
        [] => is_conditional(last).then(|| way(last, false)),
        // Execution continues below the trap of a warning.
        [only] => {
            let ends = match insns.get(last)?.op {
                Op::Branch | Op::Leave => !is_conditional(last),
                Op::Trap(_) => last + 1 == window.trap(),
                _ => false,
            };
            (ends && is_conditional(*only)).then(|| way(*only, true))
        }
        _ => None,
    }
}

/// Explains a division by zero, or one whose result is too large.
pub(super) fn division(window: &Window<'_>) -> Option<Explanation> {
    let trapping = window.trapping()?;
    let [divisor, _] = trapping.sources;
    let here = Way { branch: window.trap(), is_taken: false, block: window.trap() };
    let divisor = side(window, here, window.trap(), divisor)?;
    let value = divisor.operand.value().map(|value| cut(value, trapping.size));
    let summary = match value {
        Some(0) => format!("divides by {}, which is 0", divisor.operand),
        Some(value) => {
            format!("divides by {} = {}: the result is too large", divisor.operand, short(value))
        }
        None => format!("divides by {}", divisor.operand),
    };
    let flow = Flow::of(window);
    let made = divisor.register.and_then(|register| {
        let id = flow.held(register)?;
        // The instruction that computes the divisor from a wider value does not explain it.
        match flow.what(id) {
            Value::Unknown => None,
            _ => step(window, &flow, id),
        }
    });
    let steps = made.into_iter().collect();
    Some(Explanation { steps, ..Explanation::new(summary, confidence(value.is_some())) })
}
