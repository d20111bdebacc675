//! The rules of ARCHITECTURE.md that the compiler does not check.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules in the order in which they may import: each imports only modules before it.
const ORDER: &[&str] = &[
    "string_enum",
    "reason",
    "order",
    "search",
    "escape",
    "binary",
    "encoding",
    "qr",
    "span",
    "functions",
    "atlas",
    "token",
    "arch",
    "syntax",
    "log",
    "kind",
    "log_kind",
    "scan",
    "title",
    "model",
    "blame",
    "diagnosis",
    "suspects",
    "parse",
    "disasm",
    "explain",
    "symbolize",
    "analyze",
    "fingerprint",
    "cluster",
    "bisect",
    "store",
    "known",
    "output",
];

/// The maximum number of lines of a file.
const MAX_FILE: usize = 800;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The code of a file without tests and comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The module of a file of the library.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").into()
}

#[test]
fn imports_go_one_way() {
    for (path, text) in sources("src") {
        let module = module(&path);
        if module == "lib" {
            continue;
        }
        let place = ORDER.iter().position(|name| *name == module);
        let place = place.unwrap_or_else(|| panic!("`{module}` has no place in the order"));
        for line in code(&text) {
            for (_, rest) in line.match_indices("crate::").map(|(at, _)| line.split_at(at + 7)) {
                let name: String =
                    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let imported = ORDER.iter().position(|module| *module == name);
                assert!(
                    imported.is_some_and(|imported| imported <= place),
                    "{}: `{module}` imports `{name}`",
                    path.display()
                );
            }
        }
    }
}

/// The modules of the library that a file imports by `use super::…` and `use self::…`, without those that
/// only its parent declares.
fn siblings(path: &Path, text: &str) -> Vec<String> {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let is_parent = path.ends_with("mod") || Path::new("src").join(&path).is_dir();
    let own = if path.ends_with("mod") { path.parent().unwrap() } else { &path };
    let mut found = Vec::new();
    for line in code(text).map(str::trim_start) {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let Some(import) = line.strip_prefix("use ") else { continue };
        let mut words = import.split("::");
        let mut base = match words.next() {
            Some("self") if is_parent => own.to_owned(),
            Some("super") => own.parent().unwrap().to_owned(),
            _ => continue,
        };
        let mut words = words.peekable();
        while words.next_if_eq(&"super").is_some() {
            base.pop();
        }
        let rest: String = words.collect::<Vec<_>>().join("::");
        let names = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
        for name in names.filter(|name| !name.is_empty()) {
            let file = Path::new("src").join(base.join(name));
            if file.with_extension("rs").is_file() || file.join("mod.rs").is_file() {
                found.push(base.join(name).display().to_string());
            }
        }
    }
    found
}

/// Removes the files that import no remaining file, until none is left or the rest are in circles.
#[test]
fn files_do_not_import_each_other() {
    let mut imports: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources("src") {
        let name = path.strip_prefix("src").unwrap().with_extension("");
        let name = name.display().to_string();
        let name = name.strip_suffix("/mod").unwrap_or(&name).to_owned();
        imports.insert(name.clone(), siblings(&path, &text));
    }
    loop {
        let before = imports.len();
        let left: Vec<String> = imports.keys().cloned().collect();
        imports.retain(|name, of| of.iter().any(|of| of != name && left.contains(of)));
        if imports.len() == before {
            break;
        }
    }
    assert!(imports.is_empty(), "circles of imports: {imports:#?}");
}

#[test]
fn only_tables_name_kinds_and_architectures() {
    let names: Vec<_> = ksplat::Arch::ALL.iter().map(|arch| arch.name()).collect();
    for (path, text) in sources("src/parse")
        .into_iter()
        .chain([(PathBuf::from("src/scan.rs"), fs::read_to_string("src/scan.rs").unwrap())])
    {
        for line in code(&text) {
            let names_one = |path: &str| {
                let starts = |(at, _)| !line[..at].ends_with(char::is_alphanumeric);
                line.match_indices(path).any(starts)
            };
            assert!(!names_one("Kind::"), "{}: {line}", path.display());
            assert!(!names_one("Arch::") || names_one("Arch::ALL"), "{}: {line}", path.display());
            assert!(!names.iter().any(|name| line.contains(name)), "{}: {line}", path.display());
        }
    }
}

/// OpenRISC has a file and a line; no other file contains its name.
#[test]
fn an_architecture_is_one_file_and_one_line() {
    for (path, text) in sources("src") {
        let lines = code(&text).filter(|line| line.to_lowercase().contains("openrisc")).count();
        let most = usize::from(path == Path::new("src/arch/mod.rs"));
        assert!(lines <= most, "{} knows OpenRISC", path.display());
    }
}

/// Fields and functions that return sentences.
const SENTENCES: &[&str] = &[".why", ".means", ".summary", ".evidence", ".words()", ".to_string()"];

/// Calls that search a text.
const READING: &[&str] = &[
    " == \"",
    " != \"",
    ".as_str() == ",
    ".contains(",
    ".starts_with(",
    ".ends_with(",
    ".strip_prefix(",
    ".strip_suffix(",
    ".split_once(",
    ".find(\"",
];

/// The starts of sentences that the library writes and must not search for.
const BEGINS: &[&str] =
    &["loaded from", "returned by", "the constant", "was loaded", "traps because", " in corrupted"];

/// Whether a line of code searches a sentence that the library wrote.
fn reads_a_sentence(line: &str) -> bool {
    let reads_one = |sentence: &&str| {
        line.match_indices(*sentence).any(|(at, _)| {
            let rest = &line[at + sentence.len()..];
            READING.iter().any(|reading| rest.starts_with(reading))
        })
    };
    let is_begin = |reading: &&str| {
        BEGINS
            .iter()
            .any(|begin| line.contains(&format!("{}\"{begin}", reading.trim_end_matches('"'))))
    };
    SENTENCES.iter().any(reads_one) || READING.iter().any(is_begin)
}

#[test]
fn the_library_does_not_read_its_own_sentences() {
    for line in [
        "if blame.why == \"was running\" {",
        "let memory = text.strip_prefix(\"loaded from \");",
        "explanation.summary.contains(\"NULL\")",
        "error.to_string().starts_with(\"no\")",
        "title.strip_suffix(\" in corrupted\")",
    ] {
        assert!(reads_a_sentence(line), "{line}");
    }
    assert!(!reads_a_sentence("write!(f, \"loaded from {operand}\")"));
    for (path, text) in sources("src") {
        for line in code(&text) {
            assert!(
                !reads_a_sentence(line),
                "{}: compare the enum, as its words may change: {line}",
                path.display()
            );
        }
    }
}

/// The words of a reason are in one file, so that no other code can make or search for them.
#[test]
fn words_of_reasons_are_in_one_file() {
    fn quoted<T: ToString>(all: &[T]) -> impl Iterator<Item = String> {
        all.iter().map(|reason| format!("\"{}\"", reason.to_string()))
    }
    let words: Vec<_> = quoted(ksplat::model::Corruption::ALL)
        .chain(quoted(ksplat::model::BlameReason::ALL))
        .chain(quoted(ksplat::model::DiagnosticKind::ALL))
        .filter(|words| words.contains(' '))
        .collect();
    for (path, text) in sources("src").iter().filter(|(path, _)| !path.ends_with("src/reason.rs")) {
        for line in code(text) {
            let found = words.iter().find(|words| line.contains(*words));
            assert_eq!(found, None, "{}: use the enum of src/reason.rs: {line}", path.display());
        }
    }
}

#[test]
fn the_library_does_no_input_or_output() {
    // A test that reads a file and prints, and the file of a store.
    let others = ["src/disasm/judged", "src/store"];
    let is_other = |path: &Path| others.iter().any(|other| path.starts_with(other));
    for (path, text) in sources("src").iter().filter(|(path, _)| !is_other(path)) {
        for line in code(text) {
            for banned in
                ["std::fs", "std::env", "std::process", "std::net", "println!", "eprintln!"]
            {
                assert!(!line.contains(banned), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn every_dependency_has_a_reason() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let reasons = text.split_once("## Dependencies").unwrap().1;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let named: Vec<_> = reasons.split(|c| !is_part(c)).collect();
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-p", "ksplat-cli", "-e", "normal"])
        .args(["--prefix", "none"])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates = tree.lines().filter_map(|line| line.split(' ').next());
    let crates: Vec<_> = crates.filter(|name| !name.starts_with("ksplat")).collect();
    assert!(crates.len() > 50, "{tree}");
    for name in crates {
        assert!(named.contains(&name), "`{name}` has no place in ARCHITECTURE.md");
    }
}

/// The dependencies of `cargo add ksplat`: seven crates, including the library itself.
#[test]
fn the_bare_library_is_small() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-p", "ksplat"])
        .args(["-e", "normal", "--prefix", "none", "--no-dedupe"])
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: std::collections::BTreeSet<_> = tree.lines().collect();
    assert_eq!(crates.len(), 7, "{crates:#?}");
}

#[test]
fn public_ci_runs_the_gate_with_the_oldest_rust() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let workflow = fs::read_to_string(".github/workflows/ci.yml").unwrap();
    let container = format!("container: rust:{}-", version.trim_matches('"'));
    assert!(workflow.contains(&container), "{container}");
    assert!(workflow.contains("run: .ci/run\n"), "{workflow}");
}

/// The gate builds each feature alone, and the program of `.ci/external.rs` uses each.
#[test]
fn every_feature_is_in_the_gate() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let features = manifest.split("\n[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = features.lines().filter_map(|line| line.split_once(" = [").map(|(name, _)| name));
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"symbolize"), "{names:?}");
    let run = fs::read_to_string(".ci/run").unwrap();
    let alone = run.lines().find_map(|line| line.strip_prefix("for features in ")).unwrap();
    let alone: Vec<_> = alone.trim_end_matches("; do").split(' ').collect();
    let external = fs::read_to_string(".ci/external.rs").unwrap();
    for name in names {
        assert!(name == "default" || alone.contains(&name), "`{name}` is not built in .ci/run");
        let quoted = format!("\"{name}\"");
        let is_used = external.lines().any(|line| line.contains("(&[") && line.contains(&quoted));
        assert!(is_used, "`{name}` has no job in .ci/external.rs");
    }
}

#[test]
fn files_are_of_a_size_to_read() {
    let all = ["src", "crates", "tools"].into_iter().flat_map(sources);
    for (path, text) in all.filter(|(path, _)| !path.ends_with("table.rs")) {
        assert!(text.lines().count() <= MAX_FILE, "{} is too long", path.display());
    }
}

/// No two public types, constants or functions have the same name, so that imports are unambiguous.
#[test]
fn public_types_have_names_of_their_own() {
    let mut names: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in sources("src") {
        for line in code(&text).map(str::trim_start) {
            let item = ["pub struct ", "pub enum ", "pub trait ", "pub const "]
                .iter()
                .find_map(|keyword| line.strip_prefix(keyword));
            let Some(item) = item.filter(|_| !line.contains("const ALL")) else { continue };
            let name: String =
                item.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // `store::Error` is named like `io::Error`: the error of its module.
            if name.is_empty() || name == "fn" || name == "Error" {
                continue;
            }
            if let Some(other) = names.insert(name.clone(), path.clone()) {
                panic!("`{name}` is in {} and in {}", other.display(), path.display());
            }
        }
    }
    assert!(names.contains_key("Report"), "{names:?}");
}
