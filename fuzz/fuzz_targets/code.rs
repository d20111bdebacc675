//! Any `Code:` line: the instructions cover the bytes without a gap, and one starts at the mark.
#![no_main]

use ksplat::disasm::{self, Syntax};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let Ok(mut code) = disasm::parse_code(line) else { return };
    for &arch in ksplat::Arch::ALL {
        let syntax = if line.len() % 2 == 0 { Syntax::Att } else { Syntax::Intel };
        code.arch = Some(arch);
        let instructions = disasm::decode(&code, syntax);
        // There is no decoder, or decoding halfwords from no start reaches the mark.
        if instructions.is_empty() {
            continue;
        }
        let mut at = instructions.first().map_or(0, |first| first.offset);
        for instruction in &instructions {
            assert_eq!(instruction.offset, at);
            assert_eq!(instruction.bytes, code.bytes[at..at + instruction.bytes.len()]);
            assert_eq!(instruction.trapping, code.trap_offset == Some(at));
            at += instruction.bytes.len();
        }
        assert_eq!(at, code.bytes.len());
        let marked = code.trap_offset.is_some_and(|trap| trap < code.bytes.len());
        assert_eq!(instructions.iter().any(|i| i.trapping), marked);
    }
});
