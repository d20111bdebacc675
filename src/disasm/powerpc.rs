//! PowerPC, by the crate `powerpc`.

use powerpc::{Extension, Extensions, Ins, Opcode};

use super::Words;

/// 32-bit and 64-bit PowerPC.
pub(super) const POWERPC: Words = Words {
    decode: |bytes| {
        let mut extensions = Extensions::none();
        extensions.insert(Extension::Ppc64);
        extensions.insert(Extension::AltiVec);
        let ins = Ins::new(u32::from_be_bytes(*bytes.first_chunk::<4>()?), extensions);
        (ins.op != Opcode::Illegal).then(|| (4, ins.simplified().to_string()))
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_decode() {
        let text = |bytes: &[u8]| (POWERPC.decode)(bytes);
        assert_eq!(text(&[0xf9, 0x49, 0, 0x68]), Some((4, "std r10, 0x68(r9)".into())));
        assert_eq!(text(&[0x4e, 0x80, 0, 0x20]), Some((4, "blr".into())));
        assert_eq!(text(&[0, 0, 0, 0]), None);
    }
}
