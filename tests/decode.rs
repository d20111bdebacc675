//! Disassemblies by other tools, in `../shared`. Offsets, bytes and the mark of the trapping
//! instruction must be equal; the syntax of instructions differs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

use ksplat::Arch;
use ksplat::disasm::{self, Syntax};

/// The offset, the hexadecimal bytes, and whether the instruction trapped.
type Row = (usize, String, bool);

/// The rows below `Code disassembly`.
fn expected(listing: &str) -> Vec<Row> {
    let Some((_, rows)) = listing.split_once("Code disassembly") else { return Vec::new() };
    let row = |line: &str| {
        let is_trap = line.starts_with('*');
        let (offset, rest) = line.trim_start_matches('*').trim().split_once(':')?;
        let offset = usize::from_str_radix(offset, 16).ok()?;
        let bytes = rest.trim_start().split('\t').next()?.trim();
        Some((offset, bytes.replace(' ', ""), is_trap))
    };
    let mut found: Vec<Row> = Vec::new();
    for (offset, bytes, is_trap) in rows.lines().filter_map(row) {
        found.push((offset, bytes, is_trap));
    }
    found
}

fn decoded(log: &str, arch: Arch) -> Vec<Row> {
    let mut code = disasm::parse_code(log.as_bytes()).expect("code");
    code.arch = Some(arch);
    disasm::decode(&code, Syntax::Att)
        .into_iter()
        .map(|instruction| {
            let bytes = instruction.bytes.iter().map(|byte| format!("{byte:02x}"));
            (instruction.offset, bytes.collect::<Vec<_>>().concat(), instruction.trapping)
        })
        .collect()
}

#[test]
#[ignore = "reads ../shared: cargo test --test decode -- --ignored"]
fn listings_are_those_of_others() {
    let folder = Path::new("../shared/cases/decode");
    let mut compared = 0;
    for (name, arch) in [("amd64", Arch::X86_64), ("arm64", Arch::Arm64), ("arm", Arch::Arm)] {
        for path in fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|extension| extension != "in") {
                continue;
            }
            let want = expected(&fs::read_to_string(path.with_extension("out")).unwrap());
            if want.is_empty() {
                continue;
            }
            let log = fs::read_to_string(&path).unwrap();
            assert_eq!(decoded(&log, arch), want, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared >= 3, "only {compared} listings were compared");
}
