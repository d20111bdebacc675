//! The window of code and the registers of the same dump.

use iced_x86::{Instruction, Register};

use crate::disasm::Syntax;
use crate::disasm::x86;
use crate::model::{Address, Registers, Report};

/// Instructions, and what the registers were when one of them trapped.
#[derive(Debug)]
pub(super) struct Machine<'r> {
    /// The instructions; their addresses are offsets into the bytes.
    pub(super) code: Vec<Instruction>,
    /// The index of the one that trapped.
    pub(super) trap: usize,
    pub(super) bits: u32,
    /// The address of the first byte, where the report has that of the instruction.
    pub(super) origin: Option<u64>,
    pub(super) registers: &'r Registers,
    syntax: Syntax,
}

impl<'r> Machine<'r> {
    pub(super) fn new(report: &'r Report<'_>, syntax: Syntax) -> Option<Self> {
        let code = report.code.as_ref()?;
        let bits = u32::from(code.arch?.bits());
        let (instructions, trap) = x86::window(&code.bytes, code.trap_offset?, bits)?;
        let pointer = report.crash_stack().and_then(|stack| stack.frames.first());
        let pointer = pointer.filter(|frame| frame.exact).and_then(|frame| frame.address);
        let offset = code.trap_offset? as u64;
        let origin = pointer.map(|pointer| pointer.value.wrapping_sub(offset));
        Some(Self { code: instructions, trap, bits, origin, registers: &report.registers, syntax })
    }

    /// The instruction that trapped.
    pub(super) fn trapping(&self) -> Instruction {
        self.code.get(self.trap).copied().unwrap_or_default()
    }

    pub(super) fn mask(&self) -> u64 {
        if self.bits == 64 { u64::MAX } else { u64::from(u32::MAX) }
    }

    /// The whole registers that programs compute with.
    pub(super) fn general(&self) -> impl Iterator<Item = Register> + use<> {
        let (first, count) = if self.bits == 64 { (Register::RAX, 16) } else { (Register::EAX, 8) };
        (0..count).map(move |number| first + number)
    }

    /// The whole of a register.
    pub(super) fn whole(&self, register: Register) -> Register {
        if self.bits == 64 { register.full_register() } else { register.full_register32() }
    }

    /// What a register held, as far as it was printed; the base of a segment.
    pub(super) fn value(&self, register: Register) -> Option<u64> {
        match register {
            Register::CS | Register::DS | Register::ES | Register::SS => Some(0),
            Register::FS if self.bits == 64 => self.registers.get("fs_base"),
            Register::GS if self.bits == 64 => self.registers.get("gs_base"),
            register if register.is_gpr() => {
                let whole = self.registers.get(self.model_name(register)?)?;
                match register.size() {
                    8 => Some(whole),
                    4 => Some(whole & 0xffff_ffff),
                    2 => Some(whole & 0xffff),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The name of a register as the syntax writes it.
    pub(super) fn name(&self, register: Register) -> String {
        let mark = if self.syntax == Syntax::Att { "%" } else { "" };
        format!("{mark}{}", bare_name(register))
    }

    /// The name in the model of the whole of a register that programs compute with.
    pub(super) fn model_name(&self, register: Register) -> Option<&'static str> {
        let names = if self.bits == 64 { &WIDE[..] } else { &NARROW[..] };
        names.get(register.full_register().number()).copied().filter(|_| register.is_gpr())
    }

    /// The registers with their values.
    pub(super) fn values(&self, registers: impl IntoIterator<Item = Register>) -> Registers {
        let mut values = Registers::default();
        for register in registers {
            let whole = self.whole(register);
            if let (Some(name), Some(value)) = (self.model_name(whole), self.value(whole)) {
                values.add(name, self.address(value));
            }
        }
        values
    }

    pub(super) fn address(&self, value: u64) -> Address {
        Address::with_bits(value, if self.bits == 64 { 64 } else { 32 })
    }

    /// Whether a branch of the window leads to an offset.
    pub(super) fn is_target(&self, offset: u64) -> bool {
        self.code.iter().any(|instruction| {
            let is_near = instruction.is_jcc_short_or_near() || instruction.is_jmp_short_or_near();
            is_near && instruction.near_branch_target() == offset
        })
    }

    /// An instruction as text.
    pub(super) fn text(&self, instruction: &Instruction) -> String {
        let mut text = String::new();
        x86::Writer::new(self.syntax).write(&mut text, instruction);
        text
    }

    /// The memory operand of an instruction as text.
    pub(super) fn memory(&self, instruction: &Instruction) -> Option<String> {
        x86::Writer::new(self.syntax).memory(instruction)
    }
}

/// The registers of x86-64 and i386 in the order of their numbers.
#[rustfmt::skip] // rows
const WIDE: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
];
const NARROW: [&str; 8] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];

fn bare_name(register: Register) -> String {
    format!("{register:?}").to_ascii_lowercase()
}
