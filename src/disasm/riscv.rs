//! 64-bit RISC-V, compressed instructions among them, by raki.

use raki::{Decode, InstFormat, Instruction, Isa};

use super::Words;

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

/// The text of an instruction; raki expects operands that reserved instructions do not have.
fn text(instruction: &Instruction) -> Option<String> {
    let Instruction { rd, rs1, rs2, .. } = instruction;
    let is_whole = match instruction.inst_format {
        InstFormat::NoOperand => return Some(instruction.opc.to_string().to_ascii_lowercase()),
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
        assert_eq!((HALVES.decode)(&[0x63, 0x9c]), Some((2, "c.ld a5, a5, 0".into())));
        assert_eq!((HALVES.decode)(&[0x27, 0x83, 0, 0x85]), Some((4, "lw a5, a0, 8".into())));
        assert_eq!((WORDS.decode)(&[0, 0x85, 0x27, 0x83]), Some((4, "lw a5, a0, 8".into())));
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
