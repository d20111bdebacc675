//! Calls of the program: wrong calls, help, manual pages, completions, version, terminals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{GPF, call as ksplat, folder, git, log};

/// Each wrong call has one line with the problem and a remedy.
#[test]
fn wrong_calls_are_one_line_each() {
    let folder = folder("calls");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (store, junk, list) = (path("bugs.ksplat"), path("junk"), path("list"));
    ksplat(&["store", "add", &store, GPF], b"");
    fs::write(&junk, "no store").unwrap();
    fs::write(&list, "nosuch.log\n").unwrap();
    let calls: &[(&[&str], &[&str])] = &[
        (&["nosuch.log"], &["ksplat: nosuch.log: No such file or directory"]),
        (&["frobnicate"], &["ksplat: frobnicate: no such file or command", "`ksplat help`"]),
        (&["clutser"], &["ksplat: clutser: ", "`ksplat cluster`"]),
        (&["src"], &["ksplat: src: is a directory", "ksplat cluster"]),
        (&["watch", "src"], &["ksplat: src: is a directory"]),
        (&["--nosuch"], &["unexpected argument '--nosuch'", "`ksplat --help`"]),
        (&["parse", "--formt", "json"], &["'--formt'", "'--format'", "`ksplat parse --help`"]),
        (&["--format", "yaml"], &["invalid value 'yaml'", "text, md, json, jsonl"]),
        (&["--format"], &["'--format <FORMAT>'", "text, md, json, jsonl"]),
        (&["watch", "--format", "junit"], &["'junit'", "text, md, json, jsonl;"]),
        (&["--kcidb-origin", "My CI", GPF], &["'My CI'", "lower-case letters"]),
        (&["--kcidb-test-id", "7", GPF], &["'7'", "ORIGIN:ID"]),
        (&["--max-frames", "0", GPF], &["'--max-frames <COUNT>'", "`ksplat --help`"]),
        (&["--kernel-offset", "zz"], &["'--kernel-offset <BYTES>'", "hexadecimal"]),
        (&["--vmlinux", "src", "tests/fixture/oops.log"], &["ksplat: src/vmlinux: No such file"]),
        (&["--vmlinux", "Cargo.toml", "tests/fixture/oops.log"], &["ksplat: Cargo.toml: ", "ELF"]),
        (&["symbolize", GPF], &["ksplat: symbolize: ", "--vmlinux PATH"]),
        (&["match", GPF], &["ksplat: match: ", "--among LIST or --store FILE"]),
        (&["match", "--among", "nosuch", GPF], &["ksplat: nosuch: No such file"]),
        (&["match", "--among", &list, GPF], &["ksplat: nosuch.log: No such file"]),
        (&["match", "--store", "nosuch", GPF], &["store nosuch", "No such file"]),
        (&["cluster", "--html", "/no/such/x", GPF], &["ksplat: /no/such/x: ", "No such file"]),
        (&["cluster", "--why", GPF, "other.log", GPF], &["other.log: no such report"]),
        (&["cluster", "--why", GPF], &["'--why <A> <B>'", "2 values"]),
        (&["known", GPF], &["ksplat: known: ", "--in FILE"]),
        (&["known", "build"], &["ksplat: known build: ", "--repo DIR"]),
        (&["known", GPF, "--in", &store, "--commit", "x"], &["--repo <DIR>"]),
        (&["store"], &["`ksplat store` needs a command: add, list"]),
        (&["store", "ad", &store], &["'ad'", "'add'", "`ksplat store --help`"]),
        (&["store", "merge", &store, "nosuch"], &["store nosuch", "No such file"]),
        (&["store", "list", &junk], &["ksplat: store: ", "junk"]),
        (&["store", "label", &store, "zz", "wontfix"], &["'zz'", "hexadecimal"]),
        (&["store", "label", &store, "1", "wontfix"], &["ksplat: store: ", "0000000000000001"]),
        (&["store", "label", &store], &["<BUG>; <TEXT>", "`ksplat store label --help`"]),
        (&["bisect", GPF], &[GPF, "bisection log"]),
        (&["bisect", "--report", "Cargo.toml", GPF], &["ksplat: Cargo.toml: no crash report"]),
        (&["code", "--arch", "vax", "90"], &["'vax'", "x86_64, i386"]),
        (&["code", "zz"], &["ksplat: code: "]),
        (&["cache"], &["`ksplat cache` needs a command: list, clear"]),
        (&["atlas"], &["`ksplat atlas` needs a command: build, find"]),
        (&["atlas", "build", "src"], &["ksplat: src: no kernel sources"]),
        (&["atlas", "build", "nosuch"], &["ksplat: nosuch: no kernel sources"]),
        (&["completions", "csh"], &["'csh'", "bash", "zsh"]),
        (&["man", "Cargo.toml"], &["ksplat: Cargo.toml"]),
    ];
    assert!(calls.len() > 20);
    for (call, parts) in calls {
        let (out, err, status) = ksplat(call, b"");
        assert_eq!((err.lines().count(), status), (1, 2), "{call:?}: {out}{err}");
        assert!(err.starts_with("ksplat: "), "{call:?}: {err}");
        for part in *parts {
            assert!(err.contains(part), "{call:?} without {part}: {err}");
        }
        assert!(!err.contains("os error"), "{call:?}: {err}");
    }
    fs::remove_dir_all(folder).unwrap();
}

/// The commands, from their help.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while let Some(command) = found.get(next).cloned() {
        let mut words: Vec<_> = command.iter().map(String::as_str).collect();
        words.push("--help");
        let (help, err, status) = ksplat(&words, b"");
        assert_eq!((err.as_str(), status), ("", 0), "{command:?}");
        let inside = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in inside.take_while(|line| !line.is_empty()) {
            let name = line.strip_prefix("  ").filter(|line| !line.starts_with(' '));
            let name = name.and_then(|line| line.split_whitespace().next());
            found.extend(name.filter(|name| *name != "help").map(|name| {
                let mut command = command.clone();
                command.push(name.to_owned());
                command
            }));
        }
        next += 1;
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

#[test]
fn help_texts_are_80_columns_wide() {
    for command in commands() {
        for help in ["-h", "--help"] {
            let words: Vec<_> = command.iter().map(String::as_str).chain([help]).collect();
            let (text, ..) = ksplat(&words, b"");
            let long = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(long, None, "{words:?}");
        }
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = folder("man");
    let pages = folder.join("man1");
    let (out, err, status) = ksplat(&["man", pages.to_str().unwrap()], b"");
    assert_eq!((out.as_str(), err.as_str(), status), ("", "", 0));
    let commands = commands();
    for command in &commands {
        let name = [&["ksplat".to_owned()], command.as_slice()].concat().join("-");
        let page = fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        let name = name.replace('-', "\\-");
        assert!(page.contains(&format!(".SH NAME\n{name} \\- ")), "{page}");
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    assert_eq!(fs::read_dir(&pages).unwrap().count(), commands.len());
    let main = fs::read_to_string(pages.join("ksplat.1")).unwrap();
    for part in [".SH EXIT STATUS", ".SH EXAMPLES", "ksplat\\-store(1)", "dmesg | ksplat"] {
        assert!(main.contains(part), "{part}: {main}");
    }
    assert_eq!(ksplat(&["man"], b"").0, main);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn shells_complete_commands_and_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (script, err, status) = ksplat(&["completions", shell], b"");
        assert_eq!((err.as_str(), status), ("", 0), "{shell}");
        for word in ["symbolize", "vmlinux", "files-from"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let (script, ..) = ksplat(&["completions", "bash"], b"");
    let complete = format!(
        "{script}\nCOMP_WORDS=(ksplat sto); COMP_CWORD=1; _ksplat ksplat sto ksplat; echo \"${{COMPREPLY[*]}}\""
    );
    match Command::new("bash").arg("-c").arg(complete).output() {
        Ok(output) => assert_eq!(output.stdout, b"store\n", "{output:?}"),
        Err(_) => eprintln!("skipped: no bash"),
    }
}

#[test]
fn the_version_has_a_commit_and_features() {
    let number = env!("CARGO_PKG_VERSION");
    assert_eq!(ksplat(&["-V"], b"").0, format!("ksplat {number}\n"));
    let (out, ..) = ksplat(&["--version"], b"");
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with(&format!("ksplat {number}")), "{out}");
    let sign = |is_on| if is_on { '+' } else { '-' };
    let arrow = sign(cfg!(feature = "arrow"));
    let atlas = sign(cfg!(feature = "atlas"));
    let debuginfod = sign(cfg!(feature = "debuginfod"));
    assert_eq!(lines[1], format!("features: {arrow}arrow {atlas}atlas {debuginfod}debuginfod"));
    if let Some(commit) = git(".".as_ref(), &["rev-parse", "HEAD"]).filter(|head| head.len() == 40)
    {
        assert!(lines[0].ends_with(&format!(" ({})", &commit[..12])), "{out}");
    }
}

/// Runs the program on a terminal with this number of columns; `None` without script(1).
fn on_terminal(columns: u32, command: &str) -> Option<String> {
    common::top();
    let command = command.replacen("ksplat", env!("CARGO_BIN_EXE_ksplat"), 1);
    let mut script = Command::new("script");
    script.args(["-qec", &format!("stty rows 24 cols {columns}; {command}"), "/dev/null"]);
    script.env("TERM", "xterm").env_remove("NO_COLOR").stdin(Stdio::null());
    let output = script.output().ok().filter(|output| !output.stdout.is_empty())?;
    Some(String::from_utf8(output.stdout).unwrap().replace('\r', ""))
}

#[test]
fn long_paths_are_broken_on_a_terminal_only() {
    let folder = folder("terminal");
    let source = format!("{}file.c:17", "directory/".repeat(9));
    let function = "f".repeat(70);
    let log = format!(
        "kernel BUG at a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g{function}+0x1/0x2 {source}\n"
    );
    let path = folder.join("long.log");
    fs::write(&path, log).unwrap();
    let (pipe, ..) = ksplat(&[path.to_str().unwrap()], b"");
    let frame = pipe.lines().find(|line| line.ends_with(&source)).expect("a line with the source");
    assert!(frame.contains(&function), "{pipe}");
    let call = format!("ksplat --color never {}", path.display());
    if let Some(page) = on_terminal(60, &call) {
        let body: Vec<_> = page.lines().skip(1).collect();
        assert!(body.iter().all(|line| line.chars().count() <= 60), "{page}");
        assert!(page.contains("directory/\n"), "{page}");
    } else {
        eprintln!("skipped: no script(1)");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn progress_is_for_the_terminal_of_standard_error() {
    let folder = folder("progress");
    let log = log(GPF).repeat(40);
    for n in 0..200 {
        fs::write(folder.join(format!("{n}.log")), &log).unwrap();
    }
    let logs = folder.to_str().unwrap();
    let (_, err, status) = ksplat(&["cluster", logs], b"");
    assert_eq!((err.as_str(), status), ("", 0), "not in a pipe");
    let page = |rest: &str| on_terminal(80, &format!("ksplat cluster {logs} {rest}"));
    if let (Some(bar), Some(quiet)) = (page(""), page("-q")) {
        assert!(bar.contains("reading") && bar.contains("/200 files"), "{bar}");
        assert!(!quiet.contains("reading"), "{quiet}");
    } else {
        eprintln!("skipped: no script(1)");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_full_disk_is_reported() {
    for args in [["--help"].as_slice(), &["--version"], &["man"], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = common::ksplat().args(args).stdout(full).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("No space left on device"), "{args:?}: {error}");
        assert_eq!((error.lines().count(), output.status.code()), (1, Some(2)), "{args:?}");
    }
}
