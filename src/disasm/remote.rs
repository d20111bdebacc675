//! Decoders in another module of WebAssembly.
//!
//! Most logs of a page are from x86, and the other decoders are an eighth of its module. With the feature
//! `disasm-remote` a module of WebAssembly has none of them: it asks the function of [`use_decoders`], which gives the
//! bytes to [`answer`] in a module that is loaded when it is needed. Both modules are of one build, so the bytes need
//! no version. Elsewhere the feature changes nothing.
//!
//! # Examples
//!
//! ```
//! use ksplat::disasm::remote;
//!
//! // In a page the function calls JavaScript, which calls the other module.
//! remote::use_decoders(remote::answer);
//! ```

use std::sync::OnceLock;

use super::listing::Decoded;
use super::wire::Wire;
use crate::arch::Decoder;
use crate::model::Code;

/// Takes a question to the other module, and returns its answer.
type Ask = fn(&[u8]) -> Vec<u8>;

static DECODERS: OnceLock<Ask> = OnceLock::new();

/// Sets the function that takes the bytes of code to the other module and returns its answer. Without one, and if the
/// answer is empty, code is not decoded. Only the first call counts.
pub fn use_decoders(ask: fn(&[u8]) -> Vec<u8>) {
    // A second one would be the same.
    let _ = DECODERS.set(ask);
}

/// Decodes the code that another module asks for; returns no bytes if no decoder of this build reads it.
pub fn answer(question: &[u8]) -> Vec<u8> {
    let decode = || {
        let mut question = question;
        let (decoder, bits) = Wire::get(&mut question)?;
        let code = Code {
            arch: None,
            bytes: Wire::get(&mut question)?,
            unit: Wire::get(&mut question)?,
            trap_offset: Wire::get(&mut question)?,
            instructions: Vec::new(),
        };
        Some(super::words(decoder, bits)?.decode(&code))
    };
    let mut answer = Vec::new();
    if let Some(decoded) = decode() {
        decoded.put(&mut answer);
    }
    answer
}

/// Decodes code in the other module.
pub(super) fn ask(decoder: Decoder, bits: u8, code: &Code) -> Option<Vec<(usize, Decoded)>> {
    let mut question = Vec::new();
    (decoder, bits).put(&mut question);
    code.bytes.put(&mut question);
    code.unit.put(&mut question);
    code.trap_offset.put(&mut question);
    let answer = DECODERS.get()?(&question);
    Wire::get(&mut answer.as_slice())
}

#[cfg(all(test, feature = "disasm-arm", feature = "disasm-powerpc", feature = "disasm-riscv"))]
mod tests {
    use super::*;

    /// Words of all kinds of operands: every decoder reads them as it reads a log's.
    #[test]
    fn ok_answer_is_that_of_the_decoders() {
        use_decoders(answer);
        let words = (0_u32..40_000).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes());
        let bytes: Vec<u8> = words.collect();
        for (decoder, bits, unit) in [
            (Decoder::A64, 64, 4),
            (Decoder::A32, 32, 4),
            (Decoder::T32, 32, 2),
            (Decoder::Powerpc, 64, 4),
            (Decoder::Powerpc, 32, 4),
            (Decoder::RiscvHalves, 64, 2),
            (Decoder::RiscvWords, 64, 4),
        ] {
            let code = Code {
                arch: None,
                bytes: bytes.clone(),
                unit,
                trap_offset: None,
                instructions: Vec::new(),
            };
            let decoded = super::super::words(decoder, bits).expect("a decoder").decode(&code);
            assert!(decoded.iter().any(|(_, decoded)| decoded.insn.is_some()));
            assert_eq!(ask(decoder, bits, &code), Some(decoded), "{decoder:?}");
        }
    }

    #[test]
    fn err_answer() {
        let mut question = Vec::new();
        (Decoder::A64, 64_u8).put(&mut question);
        vec![0_u8; 4].put(&mut question);
        for end in 0..question.len() {
            assert!(answer(&question[..end]).is_empty());
        }
        assert_eq!(<Vec<u8>>::get(&mut [255; 8].as_slice()), None);
    }
}
