//! A kind, a line prefix and an architecture are each added in one place: see "To add one thing" in
//! ARCHITECTURE.md. The three examples are supported permanently.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use ksplat::fingerprint::{Family, Signature};
use ksplat::model::{Frame, Role};
use ksplat::{Kind, Report};

/// The first report of a log.
fn report(path: &str) -> Report<'static> {
    let log = fs::read(path).unwrap();
    ksplat::reports(&log).next().expect("a report").into_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The source files that contain a word in their code, without tests and comments.
fn files_with(word: &str) -> Vec<String> {
    let holds = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
        code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word))
    };
    let mut files: Vec<_> = sources(Path::new("src")).into_iter().filter(holds).collect();
    files.sort();
    files.iter().map(|path| path.display().to_string()).collect()
}

#[test]
fn a_kind_is_a_name_and_a_row() {
    let report = report("corpus/cfi/indirect-call.log");
    assert_eq!(report.kind, Kind::Cfi);
    assert!(report.title.starts_with("CFI failure in "), "{}", report.title);
    assert_eq!(report.frame, report.blame.as_ref().map(|blame| blame.function.to_string()));
    assert_eq!(report.class.as_deref(), Some("CFI"));
    assert_eq!(Signature::of(&report).family, Family::BadAccess);
    assert!(!report.registers.is_empty());
    // The name, and the rows: of the line, and of the panic that it may cause.
    let tables = ["src/kind/mod.rs", "src/kind/table/cfi.rs", "src/kind/table/panic.rs"];
    assert!(files_with("Cfi").iter().all(|file| {
        // The functions that check a call are rows of the function table.
        tables.contains(&file.as_str()) || file.starts_with("src/kind/table/")
    }));
    assert!(files_with("CFI fail").iter().all(|file| file.starts_with("src/kind/table/")));
}

/// The stacks, without their offsets in the log.
fn stacks<'a>(report: &'a Report<'static>) -> Vec<(Role, &'a [Frame<'static>])> {
    report.stacks.iter().map(|stack| (stack.role, &stack.frames[..])).collect()
}

#[test]
fn a_prefix_is_a_parser() {
    let with = report("corpus/null-deref/mediatek.log");
    let without = report("corpus/null-deref/arm64.log");
    assert_eq!(
        (&with.title, &with.class, &with.blame, &with.registers, stacks(&with), &with.task),
        (
            &without.title,
            &without.class,
            &without.blame,
            &without.registers,
            stacks(&without),
            &without.task
        )
    );
    // The tables of directories contain drivers of the vendor.
    let is_code = |file: &String| !file.ends_with("/table.rs");
    let files: Vec<_> = files_with("mediatek").into_iter().filter(is_code).collect();
    assert_eq!(files, ["src/log/prefix.rs"]);
}

#[test]
fn a_machine_is_a_file_and_a_line() {
    let report = report("corpus/null-deref/openrisc.log");
    assert_eq!(report.kernel.arch, Some(ksplat::Arch::Openrisc));
    assert_eq!(report.kind, Kind::NullDereference);
    assert_eq!(report.frame, report.blame.as_ref().map(|blame| blame.function.to_string()));
    assert!(report.registers.get("r31").is_some() && report.registers.get("r0") == Some(0));
    assert!(report.registers.iter().all(|register| register.value.bits == 32));
    assert!(report.code.is_none_or(|code| code.instructions.is_empty()));
    assert_eq!(files_with("penrisc"), ["src/arch/mod.rs"]);
}
