//! What the README shows is what the program prints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs;

#[test]
fn the_readme_is_true() {
    common::top();
    let readme = fs::read_to_string("README.md").unwrap();
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(readme.contains(version.trim_matches('"')), "the Rust version in the README");
    // The example's output is what the program prints.
    let ksplat = common::ksplat().arg("corpus/divide-error/divide.log").output().unwrap();
    let output = String::from_utf8(ksplat.stdout).unwrap();
    assert!(readme.contains(output.trim_end()), "the example's output is now:\n{output}");
    let ksplat = common::ksplat()
        .args(["--no-cache", "--vmlinux", "tests/fixture", "--modules", "tests/fixture"])
        .arg("tests/fixture/oops.log")
        .output()
        .unwrap();
    let output = String::from_utf8(ksplat.stdout).unwrap();
    let stack = output.find("  stack\n").unwrap()..output.find("  registers\n").unwrap();
    let trap = output.find("  trap ").unwrap();
    for part in [&output[stack], &output[trap..]] {
        assert!(readme.contains(part.trim_end()), "the example's output is now:\n{part}");
    }
    let ksplat = |args: &[&str]| {
        let ksplat = common::ksplat().args(args).output();
        String::from_utf8(ksplat.unwrap().stdout).unwrap()
    };
    let output = ksplat(&["cluster", "--long", "tests/duplicates"]);
    assert!(readme.contains(output.trim_end()), "the example's output is now:\n{output}");
    let output = ksplat(&["bisect", "tests/bisections/003_36161d8f652fb016.txt"]);
    assert!(readme.contains(output.trim_end()), "the example's output is now:\n{output}");
    let store = std::env::temp_dir().join(format!("ksplat-{}-readme", std::process::id()));
    let _ = fs::remove_file(&store);
    let store = store.to_str().unwrap();
    ksplat(&["store", "add", store, "tests/duplicates/queue-add.log"]);
    let output = ksplat(&["match", "tests/duplicates/schedule-buff.log", "--store", store]);
    fs::remove_file(store).unwrap();
    // The dates are those of the files.
    for line in output.lines().filter(|line| !line.contains("first on")) {
        assert!(readme.contains(line), "the example's output is now:\n{output}");
    }
}
