//! Data flow: the sources of register values, by a forward symbolic execution of the window.

use super::window::{MAX_GENERAL, Window};
use crate::disasm::insn::{Compute, Insn, Memory, Op, Register, Source, cut};

/// The number of a value. A value only depends on values with smaller numbers.
pub(super) type Id = usize;

/// A symbolic value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// Unknown: from before the window, or not tracked.
    Unknown,
    Number(u64),
    /// Loaded from the first memory operand of the instruction; the base of that operand.
    Load(Option<Id>),
    /// Returned by a function.
    Returned,
    /// A value combined with a number, with the size in bytes.
    Computed(Compute, Id, u64, u8),
    /// Two values combined, with the size in bytes.
    Combined(Compute, Id, Id, u8),
    /// One of two values, selected by the flags.
    Chosen(Id, Id),
}

/// A value, and the index of the instruction in the window that made it.
#[derive(Clone, Copy, Debug)]
struct Node {
    value: Value,
    at: Option<usize>,
}

/// The symbolic values of the registers at the trap.
#[derive(Debug)]
pub(super) struct Flow<'w> {
    window: &'w Window<'w>,
    nodes: Vec<Node>,
    held: [Id; MAX_GENERAL as usize],
}

impl<'w> Flow<'w> {
    /// Executes the window up to the trap.
    ///
    /// All values become unknown at the target of a branch, and below an instruction after which
    /// execution does not continue.
    pub(super) fn of(window: &'w Window<'w>) -> Self {
        let mut flow = Self { window, nodes: Vec::with_capacity(96), held: Default::default() };
        // The first value is that of registers with unknown numbers.
        flow.add(Value::Unknown, None);
        flow.forget();
        let before = window.insns().get(..=window.trap()).unwrap_or_default();
        for (index, insn) in before.iter().enumerate() {
            if window.is_target(insn.offset) {
                flow.forget();
            }
            if index < window.trap() {
                flow.step(index, insn);
            }
        }
        flow.check();
        flow
    }

    fn add(&mut self, value: Value, at: Option<usize>) -> Id {
        self.nodes.push(Node { value, at });
        self.nodes.len() - 1
    }

    fn forget(&mut self) {
        for register in self.window.general() {
            self.set(register.number, Value::Unknown, None);
        }
    }

    /// Returns the value of a register, of its full width.
    pub(super) fn held(&self, register: Register) -> Option<Id> {
        self.held.get(usize::from(register.number)).copied()
    }

    fn set(&mut self, number: u8, value: Value, at: Option<usize>) {
        let id = self.add(value, at);
        self.hold(number, id);
    }

    fn hold(&mut self, number: u8, id: Id) {
        if let Some(held) = self.held.get_mut(usize::from(number)) {
            *held = id;
        }
    }

    fn step(&mut self, at: usize, insn: &Insn) {
        let at = Some(at);
        match insn.op {
            Op::Branch | Op::Leave | Op::Trap(_) if insn.condition.is_some() => return,
            Op::Branch | Op::Leave | Op::Trap(_) | Op::Unknown => return self.forget(),
            Op::Call => {
                let result = self.window.result().map(|result| result.number);
                for register in self.window.general() {
                    if !self.window.is_saved(register) {
                        let is_result = Some(register.number) == result && !insn.is_predicated();
                        let value = if is_result { Value::Returned } else { Value::Unknown };
                        self.set(register.number, value, at);
                    }
                }
                return;
            }
            _ => {}
        }
        let made = if insn.is_predicated() { None } else { self.made(at, insn) };
        for number in insn.writes.numbers() {
            self.set(number, Value::Unknown, at);
        }
        if let Some((destination, made)) = insn.destination.zip(made) {
            match made {
                Made::Same(id) => self.hold(destination.number, id),
                Made::New(value) => self.set(destination.number, value, at),
            }
            if let (Made::New(value @ Value::Load(_)), Some(second)) = (made, insn.second) {
                self.set(second.number, value, at);
            }
        }
    }

    /// Returns the result of an instruction, as far as it can be tracked.
    fn made(&mut self, at: Option<usize>, insn: &Insn) -> Option<Made> {
        let size = insn.destination?.size;
        let [first, second] = insn.sources;
        let made = match (insn.op, first) {
            (Op::Move, Source::Memory) => {
                let base = insn.memory.first()?.as_ref().and_then(|memory| memory.base);
                Value::Load(base.and_then(|base| self.held(base)))
            }
            (Op::Move, Source::Register(source))
                if source.size == self.window.word() && size == source.size =>
            {
                return self.source(first, at).map(Made::Same);
            }
            (Op::Move, _) => {
                let id = self.source(first, at)?;
                Value::Computed(Compute::Extend, id, u64::from(size), size)
            }
            (Op::Compute(compute), _) => self.computed(compute, first, second, size, at)?,
            (Op::Address, _) => self.sum(insn.memory.first()?.as_ref()?, size, at)?,
            (Op::Select, _) => Value::Chosen(self.source(first, at)?, self.source(second, at)?),
            _ => return None,
        };
        Some(match made {
            Value::Computed(Compute::Extend, id, by, size) => match self.what(id) {
                Value::Number(value) => {
                    let by = u8::try_from(by).unwrap_or(size);
                    Made::New(Value::Number(cut(cut(value, by), size)))
                }
                _ => Made::New(made),
            },
            made => Made::New(made),
        })
    }

    fn computed(
        &mut self,
        compute: Compute,
        first: Source,
        second: Source,
        size: u8,
        at: Option<usize>,
    ) -> Option<Value> {
        let id = self.source(first, at)?;
        Some(match (compute, second) {
            (Compute::Subtract, Source::Number(by)) => {
                Value::Computed(Compute::Add, id, by.wrapping_neg(), size)
            }
            (compute, Source::Number(by)) => Value::Computed(compute, id, by, size),
            (compute, Source::None) => Value::Computed(compute, id, 0, size),
            (compute, other) => Value::Combined(compute, id, self.source(other, at)?, size),
        })
    }

    /// Returns the value of an address.
    fn sum(&mut self, memory: &Memory, size: u8, at: Option<usize>) -> Option<Value> {
        let by = memory.displacement.cast_unsigned();
        let base = match memory.base {
            Some(base) if base.number == Register::POINTER => return None,
            Some(base) => Some(self.held(base)?),
            None => None,
        };
        let index = match memory.index {
            Some(index) if index.is_signed || index.is_negative => return None,
            Some(index) => Some(self.source(Source::Shifted(index.register, index.shift), at)?),
            None => None,
        };
        let sum = match (base, index) {
            (None, None) => return Some(Value::Number(by)),
            (Some(id), None) | (None, Some(id)) => id,
            (Some(base), Some(index)) => {
                let sum = Value::Combined(Compute::Add, base, index, size);
                if by == 0 {
                    return Some(sum);
                }
                self.add(sum, at)
            }
        };
        Some(Value::Computed(Compute::Add, sum, by, size))
    }

    /// Returns the value of an operand that is read.
    fn source(&mut self, source: Source, at: Option<usize>) -> Option<Id> {
        match source {
            Source::Register(register) if register.number == Register::ZERO => {
                Some(self.add(Value::Number(0), at))
            }
            Source::Register(register) => {
                let id = self.held(register).filter(|_| register.size > 0)?;
                if register.size >= self.window.word() {
                    return Some(id);
                }
                let size = register.size;
                let part =
                    Value::Computed(Compute::Extend, id, u64::from(size), self.window.word());
                Some(self.add(part, at))
            }
            Source::Shifted(register, 0) => self.source(Source::Register(register), at),
            Source::Shifted(register, by) => {
                let id = self.source(Source::Register(register), at)?;
                let shifted = Value::Computed(Compute::ShiftLeft, id, u64::from(by), register.size);
                Some(self.add(shifted, at))
            }
            Source::Number(value) => Some(self.add(Value::Number(value), at)),
            Source::None | Source::Memory | Source::Other => None,
        }
    }

    /// Drops every derivation that contradicts the printed registers, and the alternative of a
    /// choice that was not selected.
    fn check(&mut self) {
        for register in self.window.general() {
            let Some(id) = self.held(register) else { continue };
            let printed = self.window.value(register);
            if let (Value::Chosen(one, other), Some(printed)) = (self.what(id), printed) {
                let is = |id| self.known(id) == Some(printed);
                match (is(one), is(other)) {
                    (true, false) => self.hold(register.number, one),
                    (false, true) => self.hold(register.number, other),
                    _ => {}
                }
                continue;
            }
            let derived = self.derived(id).or_else(|| self.of_holder(id));
            if derived.is_some() && derived != printed {
                self.set(register.number, Value::Unknown, None);
            }
        }
    }

    /// Returns a register that holds a value at the trap: `first` if it does.
    pub(super) fn holder_of(&self, id: Id, first: Option<Register>) -> Option<Register> {
        let first = first.filter(|register| self.held(*register) == Some(id));
        first.or_else(|| self.holder(id))
    }

    /// Returns the register that holds a value at the trap.
    pub(super) fn holder(&self, id: Id) -> Option<Register> {
        self.window.general().find(|register| self.held(*register) == Some(id))
    }

    fn of_holder(&self, id: Id) -> Option<u64> {
        self.holder(id).and_then(|register| self.window.value(register))
    }

    /// Returns the number of a value, from the register that holds it or from its operands.
    fn known(&self, id: Id) -> Option<u64> {
        self.of_holder(id).or_else(|| self.derived(id))
    }

    /// Returns the number of a value at the trap, also from values derived from it.
    pub(super) fn value(&self, id: Id) -> Option<u64> {
        let word = self.window.word();
        self.known(id).or_else(|| {
            self.window.general().find_map(|register| match self.what(self.held(register)?) {
                Value::Computed(compute, inner, by, size) if inner == id && size == word => {
                    let value = compute.invert(self.window.value(register)?, by)?;
                    Some(value & self.window.mask())
                }
                _ => None,
            })
        })
    }

    /// Returns the number of a value, computed from its operands.
    fn derived(&self, id: Id) -> Option<u64> {
        match self.what(id) {
            Value::Number(value) => Some(value),
            Value::Computed(compute, inner, by, size) if inner < id => {
                compute.apply(self.known(inner)?, by, size)
            }
            // Computing both operands recursively would take exponential time.
            Value::Combined(compute, one, other, size) => {
                let direct = |id| match self.what(id) {
                    Value::Number(value) => Some(value),
                    _ => self.of_holder(id),
                };
                compute.apply(direct(one)?, direct(other)?, size)
            }
            _ => None,
        }
    }

    pub(super) fn what(&self, id: Id) -> Value {
        self.nodes.get(id).map_or(Value::Unknown, |node| node.value)
    }

    /// Returns the index of the instruction that made a value.
    pub(super) fn at(&self, id: Id) -> Option<usize> {
        self.nodes.get(id)?.at
    }
}

/// The result of an instruction.
#[derive(Clone, Copy, Debug)]
enum Made {
    Same(Id),
    New(Value),
}
