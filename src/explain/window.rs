//! The instructions around a trap, and the registers of the same dump.

use super::space::Space;
use crate::disasm::insn::{Insn, Memory, Op, Register, cut};
use crate::disasm::{Listing, Syntax};
use crate::model::{Address, Registers, Report};

/// Instructions, and what the registers were when one of them trapped.
#[derive(Debug)]
pub(super) struct Window<'r> {
    pub(super) listing: Listing,
    pub(super) space: Space,
    registers: &'r Registers,
    /// The address of the first byte, where the report has that of the instruction.
    origin: Option<u64>,
}

impl<'r> Window<'r> {
    pub(super) fn of(report: &'r Report<'_>, space: Space, syntax: Syntax) -> Option<Self> {
        let code = report.code.as_ref().filter(|code| code.arch == Some(space.arch))?;
        let listing = Listing::of(code, space.arch, space.bits, syntax)?;
        let pointer = report.crash_stack().and_then(|stack| stack.frames.first());
        let pointer = pointer.filter(|frame| frame.exact).and_then(|frame| frame.address);
        let offset = code.trap_offset? as u64;
        let origin = pointer.map(|pointer| pointer.value.wrapping_sub(offset));
        Some(Self { listing, space, registers: &report.registers, origin })
    }

    /// The index of the instruction that trapped.
    pub(super) fn trap(&self) -> usize {
        self.listing.trap
    }

    pub(super) fn insns(&self) -> &[Insn] {
        &self.listing.insns
    }

    pub(super) fn insn(&self, index: usize) -> Option<&Insn> {
        self.listing.insns.get(index)
    }

    /// The operand in memory of an instruction, the one in its text first.
    pub(super) fn operand(&self, index: usize) -> Option<&Memory> {
        self.insn(index)?.memory.iter().flatten().next()
    }

    /// The instruction that trapped.
    pub(super) fn trapping(&self) -> Option<&Insn> {
        self.insn(self.trap())
    }

    /// Those below it.
    pub(super) fn below(&self) -> &[Insn] {
        self.listing.insns.get(self.trap() + 1..).unwrap_or_default()
    }

    /// How many bytes a whole register has.
    pub(super) fn word(&self) -> u8 {
        self.space.bits / 8
    }

    pub(super) fn mask(&self) -> u64 {
        cut(u64::MAX, self.word())
    }

    /// The whole registers that programs compute with.
    pub(super) fn general(&self) -> impl Iterator<Item = Register> + use<> {
        let count = u8::try_from(self.listing.machine.registers.len()).unwrap_or_default();
        let word = self.word();
        (0..count.min(MAX_GENERAL)).map(move |number| Register::new(number, word))
    }

    /// The name in the model of the whole of a register.
    pub(super) fn model_name(&self, register: Register) -> Option<&'static str> {
        self.listing.machine.registers.get(usize::from(register.number)).copied()
    }

    /// What a register held at the trap, as far as it was printed.
    pub(super) fn value(&self, register: Register) -> Option<u64> {
        if register.number == Register::ZERO {
            return Some(0);
        }
        let whole = self.registers.get(self.model_name(register)?)?;
        (register.size > 0).then(|| cut(whole, register.size))
    }

    /// The registers with their values: the whole of each.
    pub(super) fn values(&self, registers: impl IntoIterator<Item = Register>) -> Registers {
        let mut values = Registers::default();
        for register in registers {
            let name = self.model_name(register);
            if let Some((name, value)) =
                name.and_then(|name| Some((name, self.registers.get(name)?)))
            {
                values.add(name, self.address(value));
            }
        }
        values
    }

    pub(super) fn address(&self, value: u64) -> Address {
        Address::with_bits(value, self.space.bits)
    }

    /// The address of an operand in memory at the trap.
    pub(super) fn place(&self, memory: &Memory) -> Option<u64> {
        memory.address(|register| self.value(register), self.origin).map(|at| at & self.mask())
    }

    /// A register as text.
    pub(super) fn name(&self, register: Register) -> String {
        self.listing.name(register)
    }

    /// Whether a branch of the window leads to an offset.
    pub(super) fn is_target(&self, offset: usize) -> bool {
        self.insns().iter().any(|insn| insn.target == Some(offset))
    }

    /// Whether a function that is called keeps a register.
    pub(super) fn is_saved(&self, register: Register) -> bool {
        let calls = self.space.arch.info().calls.as_ref();
        let name = self.model_name(register);
        calls.zip(name).is_some_and(|(calls, name)| calls.saved.contains(&name))
    }

    /// The register with what a function returns.
    pub(super) fn result(&self) -> Option<Register> {
        let result = self.space.arch.info().calls.as_ref()?.result;
        self.general().find(|register| self.model_name(*register) == Some(result))
    }

    /// Whether an instruction may change a register.
    pub(super) fn changes(&self, insn: &Insn, register: Register) -> bool {
        match insn.op {
            Op::Unknown => true,
            Op::Call => !self.is_saved(register),
            _ => insn.writes.has(register),
        }
    }
}

/// The most registers that programs compute with, of any machine.
pub(super) const MAX_GENERAL: u8 = 32;
