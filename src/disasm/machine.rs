//! The registers of the architectures whose code is decoded to records.

use super::Syntax;
use super::insn::Register;
use crate::arch::{Decoder, RISCV};

/// The names of an architecture's registers.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The names in the model, by number.
    pub(crate) registers: &'static [&'static str],
    /// Returns the name of a register or a part of it in assembly language.
    pub(super) name: fn(Register, Syntax) -> String,
}

impl Machine {
    /// Returns the registers of code that is printed as words.
    pub(super) fn of_words(decoder: Decoder) -> Option<&'static Self> {
        Some(match decoder {
            Decoder::A64 => &ARM64,
            Decoder::A32 | Decoder::T32 => &ARM,
            Decoder::Powerpc => &POWERPC,
            Decoder::RiscvHalves | Decoder::RiscvWords => &RISCV64,
            Decoder::None | Decoder::Listed | Decoder::X86(_) => return None,
        })
    }
}

#[rustfmt::skip] // rows
const ARM64_REGISTERS: &[&str] = &[
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "lr", "sp",
];

pub(super) const ARM64_STACK_POINTER: u8 = 31;

static ARM64: Machine = Machine {
    registers: ARM64_REGISTERS,
    name: |register, _| {
        let is_wide = register.size == 8;
        let letter = if is_wide { 'x' } else { 'w' };
        match register.number {
            Register::ZERO => format!("{letter}zr"),
            ARM64_STACK_POINTER => if is_wide { "sp" } else { "wsp" }.to_owned(),
            number => format!("{letter}{number}"),
        }
    },
};

#[rustfmt::skip] // rows
const ARM_REGISTERS: &[&str] = &[
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "fp", "ip", "sp", "lr",
];

/// The names of the registers, as the decoder writes them.
#[rustfmt::skip] // rows
const ARM_NAMES: &[&str] = &[
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "sb", "sl", "fp", "ip", "sp", "lr",
];

pub(super) static ARM: Machine = Machine {
    registers: ARM_REGISTERS,
    name: |register, _| {
        ARM_NAMES.get(usize::from(register.number)).copied().unwrap_or("pc").to_owned()
    },
};

#[rustfmt::skip] // rows
const POWERPC_REGISTERS: &[&str] = &[
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26",
    "r27", "r28", "r29", "r30", "r31",
];

static POWERPC: Machine = Machine {
    registers: POWERPC_REGISTERS,
    name: |register, _| match register.number {
        Register::ZERO => "0".to_owned(),
        number => format!("r{number}"),
    },
};

static RISCV64: Machine = Machine {
    registers: &RISCV,
    name: |register, _| match register.number {
        Register::ZERO => "zero".to_owned(),
        number => riscv_name(usize::from(number)).unwrap_or_default().to_owned(),
    },
};

pub(super) fn riscv_name(number: usize) -> Option<&'static str> {
    RISCV.get(number).copied()
}
