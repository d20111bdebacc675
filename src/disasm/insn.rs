//! An instruction record that is common to all architectures.
//!
//! Every decoder fills in the same record from its structured output, so one engine explains the
//! traps of all architectures. Text is made for output only.

use crate::model::Relation;

/// A register: its number, and the number of bytes that are used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Register {
    /// The index in [`Machine::registers`](super::Machine::registers), or one of the two constants
    /// below.
    pub(crate) number: u8,
    /// The size in bytes; 0 for a part that does not include the lowest byte.
    pub(crate) size: u8,
}

impl Register {
    /// A register that reads as zero.
    pub(crate) const ZERO: u8 = 62;
    /// The instruction pointer.
    pub(crate) const POINTER: u8 = 63;

    pub(crate) const fn new(number: u8, size: u8) -> Self {
        Self { number, size }
    }

    /// Returns the bit of the register in a [`Set`].
    fn bit(self) -> u64 {
        1 << (self.number & 63)
    }

    /// Returns whether it is one that a register dump may have.
    fn is_kept(self) -> bool {
        self.number < Self::ZERO
    }
}

/// A set of registers, one bit for each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Set(pub(super) u64);

impl Set {
    pub(crate) fn with(self, register: Register) -> Self {
        if register.is_kept() { Self(self.0 | register.bit()) } else { self }
    }

    pub(crate) fn has(self, register: Register) -> bool {
        self.0 & register.bit() != 0
    }

    /// Returns the numbers of the registers.
    pub(crate) fn numbers(self) -> impl Iterator<Item = u8> {
        (0..Register::ZERO).filter(move |number| self.0 & (1 << number) != 0)
    }
}

impl FromIterator<Register> for Set {
    fn from_iter<I: IntoIterator<Item = Register>>(registers: I) -> Self {
        registers.into_iter().fold(Self::default(), Self::with)
    }
}

/// An operand that is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Source {
    #[default]
    None,
    Register(Register),
    Number(u64),
    /// A register shifted to the left by a number of bits.
    Shifted(Register, u8),
    /// The first memory operand.
    Memory,
    /// An operand without a representation in this record.
    Other,
}

/// The operation of an instruction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Op {
    /// Destination = first source; a load if that is memory.
    Move,
    /// Destination = first source combined with the second.
    Compute(Compute),
    /// Destination = address of the memory operand.
    Address,
    /// Memory = first source.
    Store,
    /// Memory is read and written.
    Update,
    /// Destination = first source if the condition holds, otherwise the second.
    Select,
    /// Sets the flags by comparing the first source with the second.
    Compare,
    /// Sets the flags by comparing the bitwise AND of the sources with zero.
    Test,
    /// Divides by the last source.
    Divide,
    Call,
    /// Branches to the target: if the condition holds, where there is one.
    Branch,
    /// Branches to an unknown target: a return, a jump through a register.
    Leave,
    /// Stops the kernel: if the condition holds between the sources, where there is one.
    Trap(Trap),
    /// Changes only the registers in `writes`, which are not tracked.
    Nothing,
    /// Changes the registers in `writes`, with unknown results.
    Other,
    /// Not decoded: any register may change.
    #[default]
    Unknown,
}

/// The purpose of a trap instruction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trap {
    /// `BUG()` and `WARN()`.
    Assertion,
    /// The failed check of an indirect call: kCFI.
    IndirectCall,
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Compute {
    Add,
    Subtract,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    ShiftRightSigned,
    /// The first number, zero-extended from the size of its register.
    Extend,
    /// The first number, sign-extended from the size of its register.
    ExtendSigned,
    /// The first number with all bits inverted.
    Not,
    /// The negative of the first number.
    Negate,
}

impl Compute {
    /// Returns the result in numbers of `size` bytes; `None` if it is undefined.
    pub(crate) fn apply(self, a: u64, b: u64, size: u8) -> Option<u64> {
        let (a, mask) = (cut(a, size), cut(u64::MAX, size));
        let bits = u32::try_from(b).ok().filter(|bits| *bits < u32::from(size) * 8);
        let result = match self {
            Self::Add => a.wrapping_add(b),
            Self::Subtract => a.wrapping_sub(b),
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
            Self::ShiftLeft => a << bits?,
            Self::ShiftRight => a >> bits?,
            Self::ShiftRightSigned => (extend(a, size) >> bits?).cast_unsigned(),
            Self::Extend => cut(a, u8::try_from(b).ok()?),
            Self::ExtendSigned => extend(a, u8::try_from(b).ok()?).cast_unsigned(),
            Self::Not => !a,
            Self::Negate => a.wrapping_neg(),
        };
        Some(result & mask)
    }

    /// Returns the first number, given the result and `b`; `None` unless it is unique.
    pub(crate) fn invert(self, result: u64, b: u64) -> Option<u64> {
        Some(match self {
            Self::Add => result.wrapping_sub(b),
            Self::Subtract => result.wrapping_add(b),
            Self::Xor => result ^ b,
            Self::Not => !result,
            Self::Negate => result.wrapping_neg(),
            _ => return None,
        })
    }
}

/// Returns the lowest `size` bytes of a number.
pub(crate) fn cut(value: u64, size: u8) -> u64 {
    match size {
        0 => 0,
        1..8 => value & ((1 << (u32::from(size) * 8)) - 1),
        _ => value,
    }
}

/// Returns the lowest `size` bytes of a number, sign-extended.
pub(crate) fn extend(value: u64, size: u8) -> i64 {
    let unused = 64 - 8 * u32::from(size.clamp(1, 8));
    (value << unused).cast_signed() >> unused
}

/// A memory operand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Memory {
    /// With a base of [`Register::POINTER`], `displacement` is an offset into the bytes of the
    /// code.
    pub(crate) base: Option<Register>,
    pub(crate) index: Option<Index>,
    pub(crate) displacement: i64,
    /// Whether the instruction pointer is rounded down to a multiple of four, as Thumb does.
    pub(crate) is_aligned: bool,
    /// The register with the base of the segment.
    pub(crate) segment: Option<Register>,
    /// The size of the access in bytes; 0 if it depends on the machine's state.
    pub(crate) size: u64,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// The size of an address in bytes.
    pub(crate) address_size: u8,
}

/// A register that is added to the base of an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Index {
    pub(crate) register: Register,
    /// The number of bits by which it is shifted to the left.
    pub(crate) shift: u8,
    /// Whether its low part is sign-extended.
    pub(crate) is_signed: bool,
    /// Whether it is subtracted.
    pub(crate) is_negative: bool,
}

impl Index {
    /// Makes an index of a full register, shifted to the left.
    pub(crate) fn shifted(register: Register, shift: u8) -> Self {
        Self { register, shift, is_signed: false, is_negative: false }
    }
}

impl Memory {
    /// Returns the registers of the operand.
    pub(crate) fn registers(&self) -> impl Iterator<Item = Register> {
        let index = self.index.map(|index| index.register);
        [self.base, index].into_iter().flatten().filter(|register| register.is_kept())
    }

    /// Computes the address of the first byte, if the registers are known.
    ///
    /// `origin` is the address of the first byte of the code.
    pub(crate) fn address(
        &self,
        value: impl Fn(Register) -> Option<u64>,
        origin: Option<u64>,
    ) -> Option<u64> {
        let base = match self.base {
            None => 0,
            Some(Register { number: Register::POINTER, .. }) => origin?,
            Some(base) => value(base)?,
        };
        let index = match self.index {
            None => 0,
            Some(index) => {
                let Index { register, shift, is_signed, is_negative } = index;
                let part = value(register)?;
                let part =
                    if is_signed { extend(part, register.size).cast_unsigned() } else { part };
                let part = part.checked_shl(u32::from(shift))?;
                if is_negative { part.wrapping_neg() } else { part }
            }
        };
        let sum = base.wrapping_add(index).wrapping_add(self.displacement.cast_unsigned());
        let sum = if self.is_aligned { sum & !3 } else { sum };
        let segment = match self.segment {
            None => 0,
            Some(segment) => value(segment)?,
        };
        Some(cut(sum, self.address_size).wrapping_add(segment))
    }
}

/// An instruction record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Insn {
    /// The offset of the first byte, from the start of the code.
    pub(crate) offset: usize,
    pub(crate) op: Op,
    /// The size of the operation in bytes.
    pub(crate) size: u8,
    pub(crate) destination: Option<Register>,
    pub(crate) sources: [Source; 2],
    /// The memory operands, the one in the text first.
    pub(crate) memory: [Option<Memory>; 2],
    /// A second register that is loaded from the same memory.
    pub(crate) second: Option<Register>,
    /// The condition under which it is executed.
    pub(crate) condition: Option<Condition>,
    pub(crate) flags: Flags,
    /// All registers that it changes.
    pub(crate) writes: Set,
    /// The target of a branch or a call, as an offset from the start of the code.
    pub(crate) target: Option<usize>,
    /// Whether it is repeated, with the count in x86's count register.
    pub(crate) is_repeated: bool,
}

/// The condition of an instruction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Condition {
    pub(crate) on: On,
    /// The relation; `None` for the parity flag and other conditions without a representation.
    pub(crate) relation: Option<Relation>,
}

/// The operands of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum On {
    /// The flags of the last comparison, by its number: PowerPC has eight.
    Flags(u8),
    /// Only the sign of that result, which is wrong after an overflow.
    Sign(u8),
    /// The first source and the second.
    Sources,
    /// The bitwise AND of the sources, and zero.
    Bits,
}

impl Condition {
    /// Makes a condition on the only flags of an architecture.
    pub(crate) const fn on_flags(relation: Option<Relation>) -> Self {
        Self { on: On::Flags(0), relation }
    }

    /// Makes the same condition on the sign only, if `is_sign`.
    pub(crate) fn of_sign(self, is_sign: bool) -> Self {
        match self.on {
            On::Flags(number) if is_sign => Self { on: On::Sign(number), ..self },
            _ => self,
        }
    }
}

/// The effect of an instruction on the flags.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Flags {
    /// Unchanged.
    #[default]
    Kept,
    /// Set by comparing the result with zero; for [`Op::Compare`] and [`Op::Test`] by comparing the
    /// sources. The number is that of [`On::Flags`].
    Set(u8),
    /// Set by a signed comparison, for any relation of the branch.
    SetSigned(u8),
    /// Changed in a way that is not tracked.
    Lost,
}

impl Insn {
    /// Returns whether execution always continues with the next instruction.
    pub(crate) fn is_straight(&self) -> bool {
        !matches!(self.op, Op::Branch | Op::Leave | Op::Trap(_) | Op::Unknown)
    }

    /// Returns whether execution may continue below it or elsewhere.
    pub(crate) fn is_conditional(&self) -> bool {
        self.condition.is_some() && matches!(self.op, Op::Branch | Op::Leave)
    }

    /// Returns whether it is executed only if its condition holds.
    pub(crate) fn is_predicated(&self) -> bool {
        self.condition.is_some() && self.op != Op::Select
    }
}

/// Returns the target of a branch, from an offset and a distance.
pub(crate) fn target(offset: usize, distance: i64) -> Option<usize> {
    offset.checked_add_signed(isize::try_from(distance).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_compute() {
        use Compute::{
            Add, And, Extend, ExtendSigned, Negate, Not, ShiftLeft, ShiftRight, ShiftRightSigned,
            Subtract, Xor,
        };
        for (op, a, b, size, want) in [
            (Add, u64::MAX, 2, 8, Some(1)),
            (Add, 0xffff_ffff, 2, 4, Some(1)),
            (Subtract, 1, 2, 4, Some(0xffff_ffff)),
            (And, 0xff0, 0x0ff, 8, Some(0x0f0)),
            (Xor, 1, 3, 8, Some(2)),
            (ShiftLeft, 1, 63, 8, Some(1 << 63)),
            (ShiftLeft, 1, 32, 4, None),
            (ShiftRight, 0x8000_0000, 31, 4, Some(1)),
            (ShiftRightSigned, 0x8000_0000, 31, 4, Some(0xffff_ffff)),
            (Extend, 0x1ff, 1, 8, Some(0xff)),
            (ExtendSigned, 0x1ff, 1, 8, Some(u64::MAX)),
            (ExtendSigned, 0x80, 1, 4, Some(0xffff_ff80)),
            (Not, 0, 0, 4, Some(0xffff_ffff)),
            (Negate, 1, 0, 8, Some(u64::MAX)),
        ] {
            assert_eq!(op.apply(a, b, size), want, "{op:?} {a:#x} {b:#x} {size}");
        }
        for op in [Add, Subtract, Xor, Not, Negate] {
            let result = op.apply(0x1234, 0x77, 8).expect("a result");
            assert_eq!(op.invert(result, 0x77), Some(0x1234), "{op:?}");
        }
        assert_eq!(And.invert(0, 0), None);
    }

    #[test]
    fn ok_address() {
        let value = |register: Register| {
            [Some(0x1000), Some(0xffff_fffe), None]
                .get(usize::from(register.number))
                .copied()
                .flatten()
        };
        let base = Some(Register::new(0, 8));
        let index = |is_signed, is_negative| {
            Some(Index { register: Register::new(1, 4), shift: 2, is_signed, is_negative })
        };
        let plain = Memory { base, displacement: -8, address_size: 8, ..Memory::default() };
        let at = |memory: Memory| memory.address(value, Some(0x5000));
        assert_eq!(at(plain), Some(0xff8));
        assert_eq!(at(Memory { index: index(true, false), ..plain }), Some(0xff0));
        assert_eq!(at(Memory { index: index(true, true), ..plain }), Some(0x1000));
        assert_eq!(at(Memory { index: index(false, false), ..plain }), Some(0x4_0000_0ff0));
        assert_eq!(at(Memory { base: Some(Register::new(2, 8)), ..plain }), None);
        let relative = Memory { base: Some(Register::new(Register::POINTER, 8)), ..plain };
        assert_eq!(at(relative), Some(0x4ff8));
        let odd = Memory { displacement: 6, is_aligned: true, ..relative };
        assert_eq!(at(odd), Some(0x5004));
        assert_eq!(at(Memory { address_size: 4, base: None, ..plain }), Some(0xffff_fff8));
    }
}
