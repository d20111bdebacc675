//! The examples in the README and the book have the output shown, and all links have targets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

/// The documents for users, and the pages of the book.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<_> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "benches/README.md"]
            .map(PathBuf::from)
            .into();
    documents.extend(pages());
    documents
}

/// The pages of the book, and its table of contents.
fn pages() -> Vec<PathBuf> {
    let files = fs::read_dir("docs/src").unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

#[test]
fn the_readme_is_short() {
    common::top();
    let readme = fs::read_to_string("README.md").unwrap();
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(readme.contains(version.trim_matches('"')), "the Rust version in the README");
    assert!(readme.lines().count() <= 150, "{} lines: the book has room", readme.lines().count());
}

/// The commands of the ```console blocks of a document, each with the lines printed below it.
fn examples(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut examples: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            examples.push((command, Vec::new()));
        } else if inside {
            examples.last_mut().expect("a block begins with a command").1.push(line);
        }
    }
    examples
}

/// Returns whether these lines were printed; the line `...` matches any number of lines.
fn is_printed(shown: &[&str], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], _) => printed.is_empty(),
        (["...", shown @ ..], _) => {
            (0..=printed.len()).any(|left_out| is_printed(shown, &printed[left_out..]))
        }
        ([line, shown @ ..], [first, printed @ ..]) => {
            undated(line) == undated(first) && is_printed(shown, printed)
        }
        _ => false,
    }
}

/// Removes dates from a line, because those of a store are the days on which files were written,
/// and trailing blanks.
fn undated(line: &str) -> String {
    let is_date = |word: &str| {
        let digits: Vec<_> = word.split('-').map(str::len).collect();
        digits == [4, 2, 2] && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
    };
    let words = line.trim_end().split(' ');
    let words = words.map(|word| if is_date(word.trim_matches(',')) { "DATE" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// Runs a command line in `folder`, with the `ksplat` under test.
fn run(command: &str, folder: &Path) -> std::process::Output {
    let program = Path::new(env!("CARGO_BIN_EXE_ksplat")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let command = command.replace("cargo run --release --", "ksplat");
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(command).current_dir(folder).env("PATH", path).env_remove("NO_COLOR");
    shell.stdin(std::process::Stdio::null()).output().unwrap()
}

/// An empty directory with links to the corpus and the test files.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ksplat-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for data in ["corpus", "tests"] {
        let data_folder = std::env::current_dir().unwrap().join(data);
        std::os::unix::fs::symlink(data_folder, folder.join(data)).unwrap();
    }
    folder
}

#[test]
fn examples_print_what_the_documents_show() {
    common::top();
    assert!(is_printed(&["a", "...", "d"], &["a", "b", "c", "d "]));
    assert!(is_printed(&["on 2026-11-21, bug"], &["on 2026-01-02, bug"]));
    assert!(!is_printed(&["a", "...", "d"], &["a", "d", "e"]));
    assert!(!is_printed(&["on 2026-11-21, bug"], &["on 2026-1-2, bug"]));
    let mut count = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let folder = scratch(&document.display().to_string().replace('/', "-"));
        for (command, shown) in examples(&text) {
            let output = run(command, &folder);
            let printed = String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
            let lines: Vec<_> = printed.lines().collect();
            let document = document.display();
            assert!(is_printed(&shown, &lines), "{document}: `{command}` now prints\n{printed}");
            count += 1;
        }
        fs::remove_dir_all(folder).unwrap();
    }
    assert!(count > 15, "{count} examples");
}

/// Each row of the page is a call, and the exit status of that call.
#[test]
fn the_exit_statuses_are_those_of_the_page() {
    common::top();
    let page = fs::read_to_string("docs/src/exit-status.md").unwrap();
    let folder = scratch("statuses");
    let rows: Vec<_> = page
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split_once("` | "))
        .map(|(command, rest)| (command, rest.split_once(' ').unwrap().0))
        .collect();
    assert!(rows.len() > 15, "{rows:?}");
    for (command, status) in rows {
        let output = run(command, &folder);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code().unwrap().to_string(), status, "`{command}`: {errors}");
    }
    fs::remove_dir_all(folder).unwrap();
}

/// The lines of a document outside of code blocks, without inline code.
fn prose(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            lines.push(line.split('`').step_by(2).collect());
        }
    }
    lines
}

/// The anchors of the headings of a document.
fn anchors(text: &str) -> Vec<String> {
    let mut inside = false;
    let outside = text.lines().filter(|line| {
        inside ^= line.starts_with("```");
        !inside
    });
    let headings = outside.filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(anchor).collect()
}

/// The text of a page, which may include a file outside of the book.
fn included(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let file = text.strip_prefix("{{#include ").and_then(|rest| rest.trim_end().strip_suffix("}}"));
    file.map_or(text.clone(), |file| fs::read_to_string(page.with_file_name(file)).unwrap())
}

/// Describes a broken link of a document; `None` if the link has a target.
fn broken(document: &Path, text: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    if document.starts_with("docs") && file.contains("..") {
        return Some("the book ends at docs/src".into());
    }
    let path = document.parent().unwrap().join(file);
    let text = match file {
        "" => text.to_owned(),
        _ if !path.exists() => return Some("no such file".into()),
        _ if fragment.is_empty() => return None,
        _ => included(&path),
    };
    let found = anchors(&text).iter().any(|anchor| anchor == fragment);
    (!found).then(|| "no such heading".into())
}

#[test]
fn links_lead_somewhere() {
    common::top();
    let readme = Path::new("README.md");
    assert!(broken(readme, "# A `b`\n", "#a-b").is_none());
    assert!(broken(readme, "# A b\n", "#ab").is_some());
    assert!(broken(readme, "", "nosuch.md").is_some());
    assert!(broken(readme, "", "SECURITY.md#nosuch").is_some());
    let mut count = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for line in prose(&text) {
            for link in line.split("](").skip(1) {
                let target = link.split(')').next().unwrap();
                let wrong = broken(&document, &text, target);
                assert_eq!(wrong, None, "{}: {target}", document.display());
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count} links");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    common::top();
    let contents = fs::read_to_string("docs/src/SUMMARY.md").unwrap();
    for page in pages().iter().filter(|page| !page.ends_with("SUMMARY.md")) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(contents.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
    }
}
