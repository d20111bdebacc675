//! Where the values of registers came from: a forward run over the window, by symbols.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpAccess, OpKind, Register};
use iced_x86::{InstructionInfoFactory, InstructionInfoOptions};

use super::machine::Machine;

/// A value, by its number.
pub(super) type Id = usize;

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// It was there before, or nothing is known of it.
    Unknown,
    Const(u64),
    /// Read from memory, by the memory operand of the instruction that made it; the value of the
    /// operand's base.
    Load(Option<Id>),
    /// What a function returned.
    Returned,
    /// Another value and a number.
    Add(Id, i64),
    /// Another value shifted to the right.
    Shr(Id, u32),
    /// To the left.
    Shl(Id, u32),
}

/// A value, and the instruction that made it, by its index in the window.
#[derive(Clone, Copy, Debug)]
struct Node {
    value: Value,
    at: Option<usize>,
}

/// The registers that programs compute with, by their number.
const GENERAL: usize = 16;

/// Registers that a function that is called may change (the System V ABI, which the kernel follows).
const CLOBBERED: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// What the registers hold at the trap.
#[derive(Debug)]
pub(super) struct Trace {
    nodes: Vec<Node>,
    held: [Id; GENERAL],
}

impl Trace {
    /// Runs the window up to the trap.
    ///
    /// What was known is forgotten where a branch may come in, and where control cannot come from
    /// above.
    pub(super) fn of(machine: &Machine<'_>) -> Self {
        let mut trace = Self { nodes: Vec::with_capacity(64), held: [0; GENERAL] };
        trace.forget();
        let before = machine.code.get(..=machine.trap).unwrap_or_default();
        let mut info = InstructionInfoFactory::new();
        for (index, instruction) in before.iter().enumerate() {
            if machine.is_target(instruction.ip()) {
                trace.forget();
            }
            if index < machine.trap {
                trace.step(index, instruction, machine, &mut info);
            }
        }
        trace.check(machine);
        trace
    }

    fn add(&mut self, value: Value, at: Option<usize>) -> Id {
        self.nodes.push(Node { value, at });
        self.nodes.len() - 1
    }

    fn forget(&mut self) {
        for register in 0..GENERAL {
            let id = self.add(Value::Unknown, None);
            if let Some(held) = self.held.get_mut(register) {
                *held = id;
            }
        }
    }

    /// The value that a register holds, as a whole.
    pub(super) fn held(&self, register: Register) -> Option<Id> {
        self.held.get(number(register)?).copied()
    }

    fn set(&mut self, register: Register, value: Value, at: usize) {
        let id = self.add(value, Some(at));
        self.hold(register, id);
    }

    fn hold(&mut self, register: Register, id: Id) {
        if let Some(held) = number(register).and_then(|number| self.held.get_mut(number)) {
            *held = id;
        }
    }

    fn step(
        &mut self,
        at: usize,
        instruction: &Instruction,
        machine: &Machine<'_>,
        info: &mut InstructionInfoFactory,
    ) {
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::ConditionalBranch => {}
            FlowControl::Call | FlowControl::IndirectCall => {
                for register in CLOBBERED {
                    let is_result = register == Register::RAX;
                    let value = if is_result { Value::Returned } else { Value::Unknown };
                    self.set(register, value, at);
                }
                return;
            }
            _ => return self.forget(),
        }
        let target = instruction.op0_register();
        let is_whole = target.size() * 8 == machine.bits as usize && number(target).is_some();
        match self.effect(instruction, machine) {
            Some(Effect::Copy(id)) if is_whole => self.hold(target, id),
            Some(Effect::Make(value)) if is_whole => self.set(target, value, at),
            // What writes 32 bits of a register clears the others.
            Some(Effect::Make(Value::Const(value))) if target.is_gpr32() => {
                self.set(target, Value::Const(value & 0xffff_ffff), at);
            }
            _ => self.write(at, instruction, info),
        }
    }

    /// What an instruction does to its first operand, a register, as far as it can be followed.
    fn effect(&self, instruction: &Instruction, machine: &Machine<'_>) -> Option<Effect> {
        use Effect::{Copy, Make};
        let target = instruction.op0_register();
        // None where the operand is a register, or there is none.
        let immediate = || instruction.try_immediate(1).ok();
        let signed = || immediate().map(u64::cast_signed);
        let known = |register| self.held(register);
        let base = || known(instruction.memory_base());
        let is_load = instruction.op1_kind() == OpKind::Memory;
        match instruction.mnemonic() {
            Mnemonic::Mov | Mnemonic::Movsxd | Mnemonic::Movsx | Mnemonic::Movzx if is_load => {
                Some(Make(Value::Load(base())))
            }
            Mnemonic::Mov if instruction.op1_kind() == OpKind::Register => {
                let source = instruction.op1_register();
                known(source).filter(|_| source.size() == target.size()).map(Copy)
            }
            Mnemonic::Mov => immediate().map(|value| Make(Value::Const(value & machine.mask()))),
            Mnemonic::Lea if instruction.memory_index() == Register::None => {
                let displacement = instruction.memory_displacement64().cast_signed();
                base().map(|base| Make(Value::Add(base, displacement)))
            }
            Mnemonic::Add if !is_load => Some(Make(Value::Add(known(target)?, signed()?))),
            Mnemonic::Sub if !is_load => {
                Some(Make(Value::Add(known(target)?, signed()?.checked_neg()?)))
            }
            shift @ (Mnemonic::Shr | Mnemonic::Shl) if !is_load => {
                let bits = u32::try_from(immediate()?).ok().filter(|bits| *bits < machine.bits)?;
                let make = if shift == Mnemonic::Shr { Value::Shr } else { Value::Shl };
                Some(Make(make(known(target)?, bits)))
            }
            Mnemonic::Xor if instruction.op1_register() == target && !is_load => {
                Some(Make(Value::Const(0)))
            }
            _ => None,
        }
    }

    /// Forgets what an instruction writes.
    fn write(&mut self, at: usize, instruction: &Instruction, info: &mut InstructionInfoFactory) {
        let options = InstructionInfoOptions::NO_MEMORY_USAGE;
        for used in info.info_options(instruction, options).used_registers() {
            if is_write(used.access()) {
                self.set(used.register(), Value::Unknown, at);
            }
        }
    }

    /// Forgets every derivation that does not give the value that was printed.
    fn check(&mut self, machine: &Machine<'_>) {
        for register in machine.general() {
            let Some(id) = self.held(register) else { continue };
            let other = self.holder(id, machine).and_then(|register| machine.value(register));
            let derived = self.derived(id, machine).or(other);
            if derived.is_some() && derived != machine.value(register) {
                let id = self.add(Value::Unknown, None);
                self.hold(register, id);
            }
        }
    }

    /// The register that holds a value at the trap.
    pub(super) fn holder(&self, id: Id, machine: &Machine<'_>) -> Option<Register> {
        let mut registers = machine.general();
        registers.find(|register| self.held(*register) == Some(id))
    }

    /// What a value is at the trap, from the registers that hold it or what was made from it.
    pub(super) fn value(&self, id: Id, machine: &Machine<'_>) -> Option<u64> {
        let held = self.holder(id, machine).and_then(|register| machine.value(register));
        held.or_else(|| self.derived(id, machine)).or_else(|| {
            machine.general().find_map(|register| match self.what(self.held(register)?) {
                Value::Add(inner, by) if inner == id => {
                    Some(machine.value(register)?.wrapping_sub(by.cast_unsigned()) & machine.mask())
                }
                _ => None,
            })
        })
    }

    /// What a value must be, by what it was made from.
    fn derived(&self, id: Id, machine: &Machine<'_>) -> Option<u64> {
        // A value is made from earlier ones, so this ends.
        match self.what(id) {
            Value::Const(value) => Some(value),
            Value::Add(inner, by) if inner < id => {
                let inner = self.holder(inner, machine).and_then(|r| machine.value(r));
                inner.map(|value| value.wrapping_add(by.cast_unsigned()) & machine.mask())
            }
            Value::Shr(inner, bits) if inner < id => {
                self.value(inner, machine).map(|value| value >> bits)
            }
            Value::Shl(inner, bits) if inner < id => {
                self.value(inner, machine).map(|value| (value << bits) & machine.mask())
            }
            _ => None,
        }
    }

    pub(super) fn what(&self, id: Id) -> Value {
        self.nodes.get(id).map_or(Value::Unknown, |node| node.value)
    }

    /// The instruction that made a value.
    pub(super) fn at(&self, id: Id) -> Option<usize> {
        self.nodes.get(id)?.at
    }
}

/// What an instruction does to its target.
enum Effect {
    Copy(Id),
    Make(Value),
}

/// Whether a function that is called may change a register.
pub(super) fn is_clobbered(register: Register) -> bool {
    CLOBBERED.contains(&register.full_register())
}

pub(super) fn is_write(access: OpAccess) -> bool {
    matches!(
        access,
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
    )
}

/// The number of a register that programs compute with, however much of it is meant.
fn number(register: Register) -> Option<usize> {
    register.is_gpr().then(|| register.full_register().number())
}
