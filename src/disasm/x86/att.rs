//! Common instructions of x86 in AT&T syntax.
//!
//! The formatter of iced-x86 builds tables of all 4,900 instructions at its first use, which takes
//! longer than all other work on a short log. This formatter has the instructions of nearly all
//! windows; a test compares the two.

use std::fmt::{self, Write};

use iced_x86::{Code, CodeSize, Instruction, Mnemonic, OpKind, Register};

/// The form of an instruction's name.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Name {
    /// The Intel name.
    Same(&'static str),
    /// The name with a size suffix if no operand is a register.
    Sized(&'static str),
    /// The name with the size of the memory operand; a register operand is a count.
    Shift(&'static str),
    /// The name with the sizes of both operands: `movzbl`.
    Extended(&'static str),
    Other(&'static str),
}

/// Matches mnemonics by the forms of their names.
macro_rules! names {
    ($mnemonic:expr; $($form:ident { $($name:ident)+ })+; $($other:ident => $value:expr,)+) => {
        match $mnemonic {
            $($( Mnemonic::$name => Name::$form(stringify!($name)), )+)+
            $( Mnemonic::$other => $value, )+
            _ => return None,
        }
    };
}

/// Returns the form of the name of an instruction.
#[rustfmt::skip] // names
fn name(mnemonic: Mnemonic) -> Option<Name> {
    Some(names! {
        mnemonic;
        Same {
            Bsf Bsr Bswap Clac Clc Cld Cli Cmc Cmova Cmovae Cmovb Cmovbe Cmove Cmovg Cmovge
            Cmovl Cmovle Cmovne Cmovno Cmovnp Cmovns Cmovo Cmovp Cmovs Cmpxchg Cpuid Endbr64
            Hlt Int3 Ja Jae Jb Jbe Je Jg Jge Jl Jle Jne Jno Jnp Jns Jo Jp Js Lea Leave
            Lfence Mfence Pause Popcnt Rdmsr Rdtsc Ret Seta Setae Setb Setbe Sete Setg Setge
            Setl Setle Setne Setno Setnp Setns Seto Setp Sets Sfence Shld Shrd Stac Stc Std
            Sti Swapgs Tzcnt Ud1 Ud2 Verw Wrmsr Xadd Xchg
        }
        Sized {
            Adc Add And Bt Btc Btr Bts Call Cmp Dec Div Idiv Imul Inc Jmp Mov Mul Neg Nop
            Not Or Pop Push Sbb Sub Test Xor
        }
        Shift {
            Rcl Rcr Rol Ror Sal Sar Shl Shr
        };
        Movsx => Name::Extended("movs"),
        Movsxd => Name::Extended("movs"),
        Movzx => Name::Extended("movz"),
        Cdq => Name::Other("cltd"),
        Cdqe => Name::Other("cltq"),
        Cqo => Name::Other("cqto"),
        Cwde => Name::Other("cwtl"),
        Popfq => Name::Other("popf"),
        Pushfq => Name::Other("pushf"),
    })
}

/// Returns whether an instruction has an irregular AT&T form, which compilers of kernels do not
/// generate.
fn is_odd(instruction: &Instruction) -> bool {
    let is_near = !instruction.is_call_far_indirect() && !instruction.is_jmp_far_indirect();
    let is_odd = matches!(
        instruction.code(),
        // A 16-bit stack operand, exchanges without an effect.
        Code::Leavew | Code::Retnw | Code::Retnw_imm16 | Code::Nopq
        // An address instead of an operand.
            | Code::Mov_AL_moffs8 | Code::Mov_AX_moffs16 | Code::Mov_EAX_moffs32 | Code::Mov_RAX_moffs64
            | Code::Mov_moffs8_AL | Code::Mov_moffs16_AX | Code::Mov_moffs32_EAX | Code::Mov_moffs64_RAX
        // The two sizes are equal.
            | Code::Movsx_r16_rm16 | Code::Movsxd_r16_rm16 | Code::Movsxd_r32_rm32 | Code::Movzx_r16_rm16
    );
    is_odd
        || !is_near
        || instruction.stack_pointer_increment().abs() == 2
        || instruction.has_rep_prefix()
        || instruction.has_repne_prefix()
}

/// Returns the form of the name of a supported instruction.
fn known(instruction: &Instruction) -> Option<Name> {
    let name = name(instruction.mnemonic()).filter(|_| !is_odd(instruction))?;
    let has_memory = instruction.op_kinds().any(|kind| kind == OpKind::Memory);
    let is_plain = match instruction.segment_prefix() {
        Register::None => true,
        Register::FS | Register::GS => has_memory && instruction.mnemonic() != Mnemonic::Lea,
        // 64-bit code has no other segments. On branches the prefix is a hint.
        _ => has_memory && !is_branch(instruction) && instruction.code_size() == CodeSize::Code64,
    };
    is_plain.then_some(name)
}

/// Writes an instruction; false if it is not supported.
pub(super) fn write(text: &mut String, instruction: &Instruction) -> bool {
    let start = text.len();
    let is_written = try_write(text, instruction).is_some();
    if !is_written {
        text.truncate(start);
    }
    is_written
}

/// Returns the memory operand of a supported instruction.
pub(super) fn memory_operand(instruction: &Instruction) -> Option<String> {
    known(instruction)?;
    instruction.op_kinds().find(|kind| *kind == OpKind::Memory)?;
    let mut text = String::new();
    if is_branch(instruction) {
        text.push('*');
    }
    memory(&mut text, instruction)?;
    Some(text)
}

fn is_branch(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Call | Mnemonic::Jmp)
}

fn try_write(text: &mut String, instruction: &Instruction) -> Option<()> {
    let name = known(instruction)?;
    let kinds = || instruction.op_kinds();
    let has_memory = kinds().any(|kind| kind == OpKind::Memory);
    let has_register = kinds().any(|kind| kind == OpKind::Register);
    if instruction.has_lock_prefix() {
        text.push_str("lock ");
    }
    match name {
        // Its two bytes are an exchange of a register with itself.
        Name::Sized(_) if instruction.code() == Code::Nopw => text.push_str("xchg %ax,%ax"),
        Name::Same(name) => lower(text, format_args!("{name}"))?,
        Name::Sized(_) if kinds().any(|kind| kind == OpKind::Immediate64) => {
            text.push_str("movabs");
        }
        Name::Sized(intel) | Name::Shift(intel) => {
            lower(text, format_args!("{intel}"))?;
            if has_memory && (matches!(name, Name::Shift(_)) || !has_register) {
                text.push(suffix(instruction.memory_size().size())?);
            }
        }
        Name::Extended(name) => {
            let from = match instruction.op1_kind() {
                OpKind::Register => instruction.op1_register().size(),
                _ => instruction.memory_size().size(),
            };
            text.push_str(name);
            text.push(suffix(from)?);
            text.push(suffix(instruction.op0_register().size())?);
        }
        Name::Other(name) => text.push_str(name),
    }
    // A product of a register and a number, stored in the same register.
    let is_twice = instruction.op_count() == 3
        && instruction.mnemonic() == Mnemonic::Imul
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register();
    let mut separator = ' ';
    for operand in (0..instruction.op_count()).rev() {
        if operand == 1 && is_twice {
            continue;
        }
        text.push(separator);
        separator = ',';
        let kind = instruction.op_kind(operand);
        if is_branch(instruction) && matches!(kind, OpKind::Register | OpKind::Memory) {
            text.push('*');
        }
        match kind {
            OpKind::Memory => memory(text, instruction)?,
            OpKind::Register => register(text, instruction.op_register(operand))?,
            OpKind::NearBranch32 | OpKind::NearBranch64 => {
                write!(text, "{:#x}", instruction.near_branch_target()).ok()?;
            }
            _ => write!(text, "${:#x}", immediate(instruction, kind)?).ok()?,
        }
    }
    Some(())
}

/// Returns the value of an immediate operand in the size of the operation.
fn immediate(instruction: &Instruction, kind: OpKind) -> Option<u64> {
    Some(match kind {
        OpKind::Immediate8 => u64::from(instruction.immediate8()),
        OpKind::Immediate16 => u64::from(instruction.immediate16()),
        OpKind::Immediate32 => u64::from(instruction.immediate32()),
        OpKind::Immediate64 => instruction.immediate64(),
        OpKind::Immediate8to16 => u64::from(instruction.immediate8to16().cast_unsigned()),
        OpKind::Immediate8to32 => u64::from(instruction.immediate8to32().cast_unsigned()),
        OpKind::Immediate8to64 => instruction.immediate8to64().cast_unsigned(),
        OpKind::Immediate32to64 => instruction.immediate32to64().cast_unsigned(),
        _ => return None,
    })
}

/// Writes the address of the memory operand; `None` unless it has the address size of the CPU mode.
fn memory(text: &mut String, instruction: &Instruction) -> Option<()> {
    let (base, index) = (instruction.memory_base(), instruction.memory_index());
    let has_register = base != Register::None || index != Register::None;
    let displacement = instruction.memory_displacement64();
    let mut sizes = [base, index].into_iter().filter(|r| *r != Register::None).map(Register::size);
    // A size of 4 in 64-bit code is a prefix, 2 is another mode.
    let signed = match (instruction.code_size(), sizes.next().unwrap_or_default()) {
        (_, 0) => 0,
        (CodeSize::Code64, 8) if base == Register::RIP => {
            displacement.wrapping_sub(instruction.next_ip()).cast_signed()
        }
        (CodeSize::Code64, 8) => displacement.cast_signed(),
        (CodeSize::Code32, 4) => i64::from(instruction.memory_displacement32().cast_signed()),
        _ => return None,
    };
    // A scale without an index, which no compiler generates.
    if index == Register::None && instruction.memory_index_scale() != 1 {
        return None;
    }
    if matches!(instruction.segment_prefix(), Register::FS | Register::GS) {
        register(text, instruction.segment_prefix())?;
        text.push(':');
    }
    if !has_register {
        return write!(text, "{displacement:#x}").ok();
    }
    match signed {
        0 => {}
        1.. => write!(text, "{signed:#x}").ok()?,
        _ => write!(text, "-{:#x}", signed.unsigned_abs()).ok()?,
    }
    text.push('(');
    if base != Register::None {
        register(text, base)?;
    }
    if index != Register::None {
        text.push(',');
        register(text, index)?;
        write!(text, ",{}", instruction.memory_index_scale()).ok()?;
    }
    text.push(')');
    Some(())
}

fn register(text: &mut String, register: Register) -> Option<()> {
    text.push('%');
    if !(register.is_gpr() || register == Register::RIP || register.is_segment_register()) {
        return None;
    }
    lower(text, format_args!("{register:?}"))?;
    // Intel's name of `r8b` is `R8L`.
    if (Register::R8L..=Register::R15L).contains(&register) {
        text.pop();
        text.push('b');
    }
    Some(())
}

/// Returns the suffix of a size in bytes.
fn suffix(size: usize) -> Option<char> {
    Some(match size {
        1 => 'b',
        2 => 'w',
        4 => 'l',
        8 => 'q',
        _ => return None,
    })
}

/// Writes a name of iced-x86 in lower case.
fn lower(text: &mut String, name: fmt::Arguments<'_>) -> Option<()> {
    struct Lower<'t>(&'t mut String);
    impl Write for Lower<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend(text.chars().map(|c| c.to_ascii_lowercase()));
            Ok(())
        }
    }
    Lower(text).write_fmt(name).ok()
}
