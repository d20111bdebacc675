//! Sets the commit and the features for `--version`.

#![allow(clippy::print_stdout, reason = "cargo reads it")]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The path of this package in the checkout. In another project's checkout it is elsewhere.
const PREFIX: &str = "crates/cli/";

/// The number of digits of a commit in the output.
const DIGITS: usize = 12;

fn main() {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let package = Path::new(&package);
    println!("cargo::rerun-if-changed=build.rs");
    let commit = packaged(package).or_else(|| checked_out(package));
    let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    println!("cargo::rustc-env=KSPLAT_COMMIT={commit}");
    let features = ["arrow", "atlas", "debuginfod"].map(|feature| {
        let variable = format!("CARGO_FEATURE_{}", feature.to_uppercase());
        let sign = if env::var_os(variable).is_some() { '+' } else { '-' };
        format!("{sign}{feature}")
    });
    println!("cargo::rustc-env=KSPLAT_FEATURES={}", features.join(" "));
}

/// Returns the commit that `cargo package` recorded.
fn packaged(package: &Path) -> Option<String> {
    let info = fs::read_to_string(package.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = info.split_once("\"sha1\"")?;
    let commit: String = rest.chars().skip_while(|c| !c.is_ascii_hexdigit()).take(DIGITS).collect();
    commit.bytes().all(|b| b.is_ascii_hexdigit()).then_some(commit)
}

/// The commit of the checkout; `None` without git, and outside of a checkout.
fn checked_out(package: &Path) -> Option<String> {
    let commit = git(package, &["rev-parse", "--show-prefix", "HEAD"])?;
    let commit = commit.strip_prefix(PREFIX)?.trim().get(..DIGITS)?.to_owned();
    // The log of HEAD changes with each commit and each branch. A missing file would always be rebuilt.
    let log = git(package, &["rev-parse", "--git-path", "logs/HEAD"])?;
    let log = package.join(log.trim());
    if log.exists() {
        println!("cargo::rerun-if-changed={}", log.display());
    }
    Some(commit)
}

fn git(package: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(package).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}
