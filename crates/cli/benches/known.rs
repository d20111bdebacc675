//! Time of `ksplat known build` on a history that `git fast-import` makes: see `Fixes` in `README.md`.
//!
//! Arguments: the number of commits, 20,000 by default. The answers are checked.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// One in this number of commits quotes a crash.
const QUOTING: usize = 100;

fn main() -> io::Result<()> {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(20_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("known");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let tree = folder.join("tree");
    make(&tree, count)?;
    let file = folder.join("known.ksplat");
    let begin = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_ksplat"))
        .args(["known", "build", "--repo"])
        .arg(&tree)
        .arg("-o")
        .arg(&file)
        .output()?;
    let seconds = begin.elapsed().as_secs_f64();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let wanted = format!("read {count} commits, {} quote a crash", count / QUOTING);
    if !printed.starts_with(&wanted) {
        return Err(io::Error::other(format!("`{printed}` is not `{wanted}`")));
    }
    let begin = Instant::now();
    Command::new(env!("CARGO_BIN_EXE_ksplat"))
        .args(["known", "update", "-o"])
        .arg(&file)
        .output()?;
    let mut out = io::stdout();
    writeln!(out, "{}", printed.trim_end())?;
    writeln!(out, "build {seconds:.1} s, update {:.2} s", begin.elapsed().as_secs_f64())?;
    fs::remove_dir_all(&folder)
}

/// A crash with functions that contain the number of this commit.
fn crash(number: usize) -> String {
    let name = |depth: usize| format!("cm{}_{}", number % 97, number * 31 % 7919 + depth);
    let mut text = format!(
        "BUG: KASAN: use-after-free in {0}+0x5c/0x80\nRead of size 8 at addr ffff8880259d2818 by task cm/52\n\n\
         CPU: 1 PID: 52 Comm: cm Not tainted 6.{1}.0 #1\nCall Trace:\n",
        name(0),
        number % 20
    );
    for depth in 0..8 {
        let _ = writeln!(text, " {}+0x{:x}/0x1000", name(depth), depth * 16 + 4);
    }
    text
}

/// Makes a repository with `count` commits, and a release every forty commits.
fn make(tree: &Path, count: usize) -> io::Result<()> {
    Command::new("git").args(["init", "-q", "-b", "master"]).arg(tree).status()?;
    let mut import = Command::new("git")
        .arg("-C")
        .arg(tree)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()?;
    let input = import.stdin.take().ok_or_else(|| io::Error::other("no standard input"))?;
    let mut input = BufWriter::new(input);
    for number in 1..=count {
        let mut message =
            format!("cm: change {number}\n\nWhy it is changed, in the words of its author.\n\n");
        if number % QUOTING == 0 {
            message.push_str(&crash(number));
        }
        let time = 1_000_000_000 + number * 60;
        write!(
            input,
            "commit refs/heads/master\nmark :{number}\nauthor a <a@b> {time} +0000\ncommitter a <a@b> {time} +0000\n\
             data {}\n{message}\nM 100644 inline f{}.c\ndata 8\nint f;\n{}\n",
            message.len(),
            number % 500,
            number % 10,
        )?;
        if number % (count / 40).max(1) == 0 {
            let release = number * 40 / count.max(1);
            write!(
                input,
                "reset refs/tags/v{}.{}\nfrom :{number}\n\n",
                4 + release / 20,
                release % 20
            )?;
        }
    }
    input.flush()?;
    drop(input);
    import.wait().map(drop)
}
