//! 64-bit RISC-V, compressed instructions among them, by raki.

use raki::{Decode, InstFormat, Instruction, Isa};

use super::Words;
use crate::arch::RISCV;

/// What reads memory.
const LOADS: [&str; 7] = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];

const STACK_POINTER: usize = 2;

fn register_name(number: usize) -> Option<&'static str> {
    RISCV.get(number).copied()
}

/// Code that is printed in halfwords: `dump_kernel_instr()` in arch/riscv/kernel/traps.c.
pub(super) const HALVES: Words = Words {
    decode: |bytes| {
        let low = u16::from_be_bytes(*bytes.first_chunk::<2>()?);
        // The two lowest bits tell a compressed instruction.
        if low & 3 != 3 {
            return Some((2, text(&low.decode(Isa::Rv64).ok()?)?));
        }
        let high = u16::from_be_bytes(*bytes.get(2..)?.first_chunk::<2>()?);
        let word = u32::from(high) << 16 | u32::from(low);
        Some((4, text(&word.decode(Isa::Rv64).ok()?)?))
    },
};

/// Code that is printed in words.
pub(super) const WORDS: Words = Words {
    decode: |bytes| {
        let word = u32::from_be_bytes(*bytes.first_chunk::<4>()?);
        let is_whole = word & 3 == 3;
        let decoded = is_whole.then(|| word.decode(Isa::Rv64).ok()).flatten()?;
        Some((4, text(&decoded)?))
    },
};

/// The text of an instruction, as objdump writes it where memory or a branch is in it; raki expects
/// operands that reserved instructions do not have.
fn text(instruction: &Instruction) -> Option<String> {
    let Instruction { rd, rs1, rs2, imm, .. } = instruction;
    let name = instruction.opc.to_string().to_ascii_lowercase();
    let memory = |register: Option<usize>, base: Option<usize>| {
        Some(format!(
            "{name} {}, {}({})",
            register_name(register?)?,
            (*imm)?,
            register_name(base?)?
        ))
    };
    let is_whole = match instruction.inst_format {
        InstFormat::NoOperand => return Some(name),
        InstFormat::ClFormat => return memory(*rd, *rs1),
        InstFormat::IFormat if LOADS.contains(&name.as_str()) => return memory(*rd, *rs1),
        InstFormat::CiFormat if name.ends_with("sp") && name.starts_with("c.l") => {
            return memory(*rd, Some(STACK_POINTER));
        }
        InstFormat::SFormat | InstFormat::CsFormat => return memory(*rs2, *rs1),
        InstFormat::CbFormat => {
            return Some(format!("{name} {}, {}", register_name(rd.or(*rs1)?)?, (*imm)?));
        }
        InstFormat::CrFormat if rd.is_none() || rs2.is_none() => {
            return Some(format!("{name} {}", register_name((*rs1)?)?));
        }
        InstFormat::BFormat => {
            let (left, right) = (register_name((*rs1)?)?, register_name((*rs2)?)?);
            return Some(format!("{name} {left}, {right}, {}", (*imm)?));
        }
        InstFormat::OnlyRd => rd.is_some(),
        InstFormat::OnlyRs1 => rs1.is_some(),
        InstFormat::OnlyRs2 => rs2.is_some(),
        InstFormat::RFormat | InstFormat::MFormat => rd.and(*rs1).and(*rs2).is_some(),
        _ => true,
    };
    is_whole.then(|| instruction.to_string().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_decode() {
        // The low half first.
        assert_eq!((HALVES.decode)(&[0x63, 0x9c]), Some((2, "c.ld a5, 0(a5)".into())));
        assert_eq!((HALVES.decode)(&[0x27, 0x83, 0, 0x85]), Some((4, "lw a5, 8(a0)".into())));
        assert_eq!((WORDS.decode)(&[0, 0x85, 0x27, 0x83]), Some((4, "lw a5, 8(a0)".into())));
        for (word, want) in [
            (0x0011_3423, "sd ra, 8(sp)"),
            (0xff01_3083, "ld ra, -16(sp)"),
            (0x00b5_1463, "bne a0, a1, 8"),
            (0xfe05_0ee3, "beq a0, zero, -4"),
            (0x0010_0073, "ebreak"),
        ] {
            assert_eq!((WORDS.decode)(&u32::to_be_bytes(word)), Some((4, want.into())));
        }
        // c.ldsp, c.sdsp, c.sd, c.beqz, c.ebreak
        for (half, want) in [
            (0x60a2, "c.ldsp ra, 8(sp)"),
            (0xe406, "c.sdsp ra, 8(sp)"),
            (0xe51c, "c.sd a5, 8(a0)"),
            (0xc111, "c.beqz a0, 4"),
            (0x8082, "c.jr ra"),
            (0x9782, "c.jalr a5"),
            (0x853e, "c.mv a0, a5"),
            (0x9002, "c.ebreak"),
        ] {
            assert_eq!((HALVES.decode)(&u16::to_be_bytes(half)), Some((2, want.into())));
        }
        assert_eq!((WORDS.decode)(&[0, 0, 0, 0]), None);
        assert_eq!((HALVES.decode)(&[0x27, 0x83]), None);
    }

    #[test]
    fn no_halfword_is_too_odd() {
        for half in 0..=u16::MAX {
            let _ = (HALVES.decode)(&half.to_be_bytes());
        }
        for word in [0x13cd_0073u32, 0x12c2_83f3, u32::MAX] {
            let _ = (WORDS.decode)(&word.to_be_bytes());
        }
    }
}
