//! The instructions around a trap, and the registers of the same dump.

use super::space::Space;
use crate::disasm::insn::{Insn, Memory, Op, Register, cut};
use crate::disasm::{Listing, Syntax};
use crate::model::{Address, Registers, Report};

/// The window: instructions, and the values of the registers at the trap.
#[derive(Debug)]
pub(super) struct Window<'r> {
    pub(super) listing: Listing,
    pub(super) space: Space,
    registers: &'r Registers,
    /// The address of the first byte, if the report has that of the instruction.
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

    /// Returns the index of the trapping instruction.
    pub(super) fn trap(&self) -> usize {
        self.listing.trap
    }

    pub(super) fn insns(&self) -> &[Insn] {
        &self.listing.insns
    }

    pub(super) fn insn(&self, index: usize) -> Option<&Insn> {
        self.listing.insns.get(index)
    }

    /// Returns the memory operand of an instruction: the one in its text if there are two.
    pub(super) fn operand(&self, index: usize) -> Option<&Memory> {
        self.insn(index)?.memory.iter().flatten().next()
    }

    /// Returns the trapping instruction.
    pub(super) fn trapping(&self) -> Option<&Insn> {
        self.insn(self.trap())
    }

    /// Returns the instructions below it.
    pub(super) fn below(&self) -> &[Insn] {
        self.listing.insns.get(self.trap() + 1..).unwrap_or_default()
    }

    /// Returns the size of a full register in bytes.
    pub(super) fn word(&self) -> u8 {
        self.space.bits / 8
    }

    pub(super) fn mask(&self) -> u64 {
        cut(u64::MAX, self.word())
    }

    /// Returns the general registers, in their full width.
    pub(super) fn general(&self) -> impl Iterator<Item = Register> + use<> {
        let count = u8::try_from(self.listing.machine.registers.len()).unwrap_or_default();
        let word = self.word();
        (0..count.min(MAX_GENERAL)).map(move |number| Register::new(number, word))
    }

    /// Returns the name of a register in the model.
    pub(super) fn model_name(&self, register: Register) -> Option<&'static str> {
        self.listing.machine.registers.get(usize::from(register.number)).copied()
    }

    /// Returns the value of a register at the trap, if it was printed.
    pub(super) fn value(&self, register: Register) -> Option<u64> {
        if register.number == Register::ZERO {
            return Some(0);
        }
        let whole = self.registers.get(self.model_name(register)?)?;
        (register.size > 0).then(|| cut(whole, register.size))
    }

    /// Returns the full registers with their values.
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

    /// Returns the address of a memory operand at the trap.
    pub(super) fn place(&self, memory: &Memory) -> Option<u64> {
        memory.address(|register| self.value(register), self.origin).map(|at| at & self.mask())
    }

    /// Returns a register as text.
    pub(super) fn name(&self, register: Register) -> String {
        self.listing.name(register)
    }

    /// Returns whether a branch in the window has the target `offset`.
    pub(super) fn is_target(&self, offset: usize) -> bool {
        self.insns().iter().any(|insn| insn.target == Some(offset))
    }

    /// Returns whether a register is callee-saved.
    pub(super) fn is_saved(&self, register: Register) -> bool {
        let calls = self.space.arch.info().calls.as_ref();
        let name = self.model_name(register);
        calls.zip(name).is_some_and(|(calls, name)| calls.saved.contains(&name))
    }

    /// Returns the register of return values.
    pub(super) fn result(&self) -> Option<Register> {
        let result = self.space.arch.info().calls.as_ref()?.result;
        self.general().find(|register| self.model_name(*register) == Some(result))
    }

    /// Returns whether an instruction may change a register.
    pub(super) fn changes(&self, insn: &Insn, register: Register) -> bool {
        match insn.op {
            Op::Unknown => true,
            Op::Call => !self.is_saved(register),
            _ => insn.writes.has(register),
        }
    }
}

/// The most general registers of any architecture.
pub(super) const MAX_GENERAL: u8 = 32;
