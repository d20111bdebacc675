//! The program: its output, its errors, its exit status.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use common::{GPF, call as ksplat, folder, git, log};

#[test]
fn text_is_one_screen_of_80_columns() {
    let (out, err, status) = ksplat(&[], &log("corpus/gpf/batadv-iv-ogm-schedule-buff.log"));
    assert_eq!((err.as_str(), status), ("", 1));
    assert!(out.starts_with("general protection fault in batadv_iv_ogm_schedule_buff\n"), "{out}");
    assert!(
        out.contains("*  2a: 0f b6 0c 11           movzbl (%rcx,%rdx,1),%ecx  <-- trap"),
        "{out}"
    );
    assert!(out.lines().count() <= 50, "more than a screen");
    assert!(!out.contains('\x1b'), "colours in a pipe");
    // A path and its frame are on one line.
    let long = out.lines().filter(|line| line.chars().count() > 80 && !line.contains(".c:"));
    assert_eq!(long.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn limits_are_options() {
    let log = [log(GPF), log("corpus/gpf/batadv-iv-ogm-schedule-buff.log")].concat();
    let frames = |args: &[&str]| {
        let (out, err, status) = ksplat(&[&["--format", "jsonl"], args].concat(), &log);
        assert_eq!((err.as_str(), status), ("", 1));
        let count = |line: &str| {
            let report: serde_json::Value = serde_json::from_str(line).unwrap();
            let stacks = report["stacks"].as_array().unwrap();
            stacks.iter().map(|stack| stack["frames"].as_array().unwrap().len()).sum::<usize>()
        };
        out.lines().map(count).collect::<Vec<_>>()
    };
    let all = frames(&[]);
    assert!(all.len() == 2 && all.iter().all(|count| *count > 3), "{all:?}");
    assert_eq!(frames(&["--max-frames", "3"]), [3, 3]);
    assert_eq!(frames(&["--max-reports", "1"]), all[..1]);
    assert!(frames(&["--max-lines", "10"])[0] < all[0]);
    let two = |n: u32, text: &str| format!("[ 1.0][ T{n}] {text}\n");
    let mixed: String = ["BUG: KASAN: x in f+0x1/0x2", "Call Trace:", " a+0x1/0x2"]
        .map(|text| two(1, text) + &two(2, text))
        .concat();
    let ended = |args: &[&str]| {
        let (out, ..) = ksplat(&[&["--format", "jsonl"], args].concat(), mixed.as_bytes());
        out.matches("too many open reports").count()
    };
    assert_eq!((ended(&[]), ended(&["--max-open", "1"])), (0, 1));
    let (_, err, status) = ksplat(&["--max-frames", "0"], b"");
    assert!(status == 2 && err.contains("--max-frames"), "{err}");
}

#[test]
fn equal_reports_in_a_row_are_written_once() {
    common::top();
    let log = "corpus/memory-leak/kmemleak-file.log";
    let (folded, _, status) = ksplat(&[log], b"");
    assert_eq!((folded.matches("memory leak in").count(), status), (2, 1), "{folded}");
    assert!(folded.ends_with("\n(3 equal reports up to line 68: --all prints each)\n"), "{folded}");
    assert_eq!(ksplat(&["--all", log], b"").0.matches("memory leak in").count(), 5);
    let (lines, _, _) = ksplat(&["--format", "jsonl", log], b"");
    assert_eq!(lines.lines().count(), 5);
    let numbers = |lines: &str| -> Vec<Option<u64>> {
        let values = lines.lines().map(serde_json::from_str::<serde_json::Value>);
        values.map(|value| value.expect("JSON")["occurrence"].as_u64()).collect()
    };
    assert_eq!(numbers(&lines), [None, None, Some(2), Some(3), Some(4)]);
    // A report of another kind between them, and another task that hangs at the same place, are
    // printed.
    let hung = |pid: u32| {
        format!(
            "INFO: task cm:{pid} blocked for more than 122 seconds.\nCall Trace:\n schedule+0x1/0x2\n \
                 cm_wait+0x1/0x2\n cm_write+0x1/0x2\n"
        )
    };
    let logs = [7, 7, 8].map(hung).concat();
    let (text, _, _) = ksplat(&["-"], logs.as_bytes());
    assert_eq!(text.matches("INFO: task hung in").count(), 2, "{text}");
    assert!(text.contains("(1 equal report up to line 6: --all prints each)"), "{text}");
}

#[test]
fn the_title_is_the_headline_where_the_convention_has_no_function() {
    common::top();
    let log = b"general protection fault: 0000 [#1] SMP\n";
    let first = |args: &[&str]| ksplat(args, log).0.lines().next().map(str::to_owned);
    assert_eq!(first(&["-"]).as_deref(), Some("general protection fault: 0000 [#1] SMP"));
    let title = Some("general protection fault in corrupted");
    assert_eq!(first(&["--title", "-"]).as_deref(), title);
}

#[test]
fn markdown_is_a_heading_and_a_block() {
    common::top();
    let (page, _, status) = ksplat(&["--format", "md", "corpus/kcsan/data-race.log"], b"");
    assert_eq!(status, 1);
    assert!(page.starts_with("### KCSAN: data-race in demo\\_read / demo\\_write\n\n```text\n"));
    assert!(page.contains("\n  why       the write of 8 bytes in demo_write by task 77 on CPU 1"));
    assert!(page.ends_with("\n```\n") && page.matches("```").count() == 2, "{page}");
}

#[test]
fn information_is_returned_on_request_only() {
    let notice = log("corpus/out-of-memory/stress.log");
    assert_eq!(ksplat(&["-q"], &notice), (String::new(), String::new(), 0));
    let (out, _, status) = ksplat(&["--information"], &notice);
    assert!(out.starts_with("out of memory: killed stress\n"), "{out}");
    assert_eq!(status, 0, "nothing is wrong with the kernel");
    let (_, _, status) = ksplat(&["--information"], &log(GPF));
    assert_eq!(status, 1);
}

#[test]
fn jsonl_has_an_object_for_each_report() {
    let (out, _, status) = ksplat(&["parse", "--format", "jsonl", GPF, GPF], b"");
    assert_eq!(status, 1);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let report = &lines[1];
    assert_eq!(report["file"], GPF);
    assert_eq!(report["kind"], "gpf");
    assert_eq!(report["kernel"]["arch"], "x86_64");
    assert_eq!(report["registers"]["rdi"], "0x0000000000000058");
    assert_eq!(report["code"]["trap_offset"], 0x2a);
    assert_eq!(report["stacks"][0]["role"], "crash");
    assert_eq!(report["stacks"][0]["frames"][3]["exact"], true);
    assert_eq!(report["stacks"][0]["frames"][3]["offset"], 0x1fb);
    assert_eq!(report["access"]["address"], "0xdffffc000000000b");
}

#[test]
fn json_is_one_array() {
    let (out, _, _) = ksplat(&["--format", "json"], &log(GPF));
    let reports: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(reports.as_array().unwrap().len(), 1);
    let (out, _, status) = ksplat(&["--format", "json"], b"nothing");
    assert_eq!((out.as_str(), status), ("[]\n", 0));
}

#[test]
fn a_log_without_a_report_has_one_message_and_none_with_q() {
    for input in [&b""[..], b"\n", b"usb 1-1: new device\n", b"\0\0\xff\xfe", &[0xe4; 10_000]] {
        let message = "ksplat: -: no crash report found\n".to_owned();
        assert_eq!(ksplat(&["parse"], input), (String::new(), message, 0));
        assert_eq!(ksplat(&["parse", "-q"], input), (String::new(), String::new(), 0));
    }
}

/// Each message is one line that names the problem and a remedy.
#[test]
fn wrong_inputs_are_named() {
    let folder = folder("wrong");
    let random: Vec<u8> =
        (0_u32..10_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, bytes, why) in [
        ("log.bz2", &b"BZh91AY&SY"[..], "bzip2 -dc"),
        ("logs.zip", b"PK\x03\x04logs", "zip archive"),
        ("log.lz4", b"\x04\x22\x4d\x18log", "lz4 -dc"),
        ("vmlinux", b"\x7fELF\x02\x01", "ELF file"),
        ("screen.png", b"\x89PNG\r\n", "picture"),
        ("log.xz", &random, "not text"),
        ("log.gz", b"\x1f\x8b\x08 cut", "gzip"),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        for command in [&["parse"][..], &["cluster"]] {
            let (out, err, status) = ksplat(&[command, &[path]].concat(), b"");
            assert_eq!((err.lines().count(), status), (1, 2), "{name}: {out}{err}");
            assert!(err.starts_with(&format!("ksplat: {path}: ")) && err.contains(why), "{err}");
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn utf16_is_read() {
    let text = "\u{feff}kernel BUG at fs/a.c:1!\r\nRIP: 0010:f+0x1/0x2\r\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let log: Vec<u8> = units.iter().flat_map(|unit| bytes(*unit)).collect();
        let (out, err, status) = ksplat(&[], &log);
        assert!(out.starts_with("kernel BUG in f\n"), "{out}{err}");
        assert_eq!(status, 1);
    }
}

#[test]
fn many_logs_keep_their_order() {
    let folder = folder("order");
    let paths: Vec<_> = (0..200).map(|n| folder.join(format!("{n:03}.log"))).collect();
    for (n, path) in paths.iter().enumerate() {
        let report =
            format!("kernel BUG at fs/a.c:1!\nRIP: 0010:f_{}+0x1/0x2\n", "x".repeat(n % 7 + 1));
        fs::write(path, if n % 5 == 0 { String::new() } else { report.repeat(n % 3 + 1) }).unwrap();
    }
    let names: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let one_by_one = |format: &str| {
        let each = names.iter().map(|name| ksplat(&["parse", "--format", format, name], b"").0);
        each.filter(|out| !out.is_empty() && out != "[]\n").collect::<Vec<_>>()
    };
    let all = |format: &str| ksplat(&[&["parse", "--format", format][..], &names].concat(), b"");
    assert_eq!(all("text").0, one_by_one("text").join("\n"));
    let (out, err, status) = all("jsonl");
    assert_eq!((out, status), (one_by_one("jsonl").concat(), 1));
    assert_eq!(err.lines().count(), 40, "{err}");
    let silent: Vec<_> = names.iter().step_by(5).collect();
    for (line, name) in err.lines().zip(silent) {
        assert_eq!(line, format!("ksplat: {name}: no crash report found"));
    }
    let array: serde_json::Value = serde_json::from_str(&all("json").0).unwrap();
    assert_eq!(array.as_array().unwrap().len(), one_by_one("jsonl").concat().lines().count());
    fs::remove_dir_all(folder).unwrap();
}

/// Images are loaded, and messages printed, in the order of the files, for any order of the cores.
#[test]
fn many_resolved_logs_keep_their_order() {
    let folder = folder("resolved");
    let log = fs::read_to_string({
        common::top();
        "tests/fixture/oops.log"
    })
    .unwrap();
    let mut names = Vec::new();
    for n in 0..60 {
        let path = folder.join(format!("{n:02}.log")).to_str().unwrap().to_owned();
        let module = format!("[absent{}]", n % 7);
        let text = format!("{} walk+0x1/0x30 {module}\n", log.repeat(n % 3));
        fs::write(&path, if n % 9 == 8 { "\x7fELF".into() } else { text }).unwrap();
        names.push(path);
    }
    let run = |command: &[&str]| {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        ksplat(&[command, &FIXTURE, &names].concat(), b"")
    };
    let each = |command: &[&str]| {
        let run = |name: &String| ksplat(&[command, &FIXTURE, &[name]].concat(), b"").0;
        names.iter().map(run).collect::<Vec<_>>()
    };
    let (out, err, status) = run(&["symbolize"]);
    assert_eq!((out, status), (each(&["symbolize"]).concat(), 2));
    assert_eq!(err, run(&["symbolize"]).1);
    let missing: Vec<_> = err.lines().filter(|line| line.contains("no image")).collect();
    assert_eq!(missing.len(), 7, "{err}");
    assert!(missing[3].starts_with("ksplat: absent3: "), "{err}");
    let reports = run(&["parse", "--format", "jsonl"]);
    assert_eq!(reports.0, each(&["parse", "--format", "jsonl"]).concat());
    assert_eq!(reports.1, run(&["parse", "--format", "jsonl"]).1);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn many_bisections_keep_their_order() {
    common::top();
    let mut names: Vec<_> = fs::read_dir("tests/bisections")
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    names.push("Cargo.toml".into());
    names.sort();
    for format in ["text", "json", "jsonl"] {
        let all: Vec<_> = names.iter().map(String::as_str).collect();
        let (out, err, status) = ksplat(&[&["bisect", "--format", format], &*all].concat(), b"");
        assert_eq!((err.lines().count(), status), (1, 2), "{err}");
        let each = names.iter().map(|name| ksplat(&["bisect", "--format", format, name], b"").0);
        let each: Vec<_> = each.filter(|out| !out.is_empty() && out != "[]\n").collect();
        let want = match format {
            "text" => each.join("\n"),
            "jsonl" => each.concat(),
            _ => {
                let items = each.iter().map(|out| out.trim_end().trim_matches(['[', ']']));
                assert!(out.starts_with('[') && out.ends_with("]\n"), "{out}");
                assert_eq!(out.matches("\"trust\":").count(), items.count());
                continue;
            }
        };
        assert_eq!(out, want, "{format}");
    }
}

#[test]
fn help_is_a_command() {
    let (out, err, status) = ksplat(&["help"], b"");
    assert!(out.contains("Usage: ksplat") && out.contains("Exit status"), "{out}{err}");
    assert_eq!(status, 0);
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    let (out, err, status) = ksplat(&["parse", "no/such/file", GPF, "src"], b"");
    assert_eq!(status, 2);
    assert!(out.contains("general protection fault in __io_queue_sqe"));
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].starts_with("ksplat: no/such/file: No such file"), "{err}");
    assert!(lines[1].starts_with("ksplat: src: "), "{err}");
}

#[test]
fn a_call_that_makes_no_sense_is_refused() {
    for args in [&["--format", "yaml"][..], &["parse", "--no-such-option"]] {
        let (out, err, status) = ksplat(args, b"");
        assert_eq!((out.as_str(), status), ("", 2), "{args:?}");
        assert!(err.starts_with("ksplat: "), "{err}");
    }
}

#[test]
fn compressed_logs_are_read_as_they_are() {
    let folder = folder("compressed");
    let plain = folder.join("log");
    fs::write(&plain, log(GPF)).unwrap();
    let mut tried = 0;
    for (tool, extension) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")] {
        let packed = Command::new(tool).arg("-kfq").arg(&plain).stderr(Stdio::null()).status();
        if !packed.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no {tool}");
            continue;
        }
        tried += 1;
        let path = plain.with_extension(extension);
        let (out, err, status) = ksplat(&["parse", path.to_str().unwrap()], b"");
        assert_eq!((err.as_str(), status), ("", 1), "{tool}");
        assert!(out.contains("__io_queue_sqe"), "{tool}");
        // A truncated file: the rest is unreadable, which is reported.
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let (_, err, status) = ksplat(&["parse", path.to_str().unwrap()], b"");
        assert_eq!((err.lines().count(), status), (1, 2), "{tool}: {err}");
    }
    fs::remove_dir_all(folder).unwrap();
    assert!(tried > 0, "no tool to pack with");
}

#[test]
fn text_of_the_log_is_escaped_for_the_terminal() {
    let evil = "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n\
                CPU: 0 PID: 1 Comm: \u{1b}]0;owned\u{7}\u{202e} Not tainted 5.4 #1\n\
                Hardware name: a\u{9b}31mb\n";
    for args in [&["--color", "never"][..], &["--color", "never", "--all"], &["--format", "jsonl"]]
    {
        let (out, _, status) = ksplat(args, evil.as_bytes());
        assert_eq!(status, 1);
        assert!(!out.contains(['\u{1b}', '\u{7}']), "{out:?}");
    }
    let (out, _, _) = ksplat(&[], evil.as_bytes());
    assert!(!out.contains(['\u{202e}', '\u{9b}']), "{out:?}");
    let (_, err, _) = ksplat(&["\u{1b}[31m"], b"");
    assert!(!err.contains('\u{1b}'), "{err:?}");
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let (out, _, _) = ksplat(&["--color", "always"], &log(GPF));
    assert!(out.contains("\x1b[1m\x1b[31mgeneral protection fault"), "{out:?}");
}

#[test]
fn code_shows_a_line_as_instructions() {
    let want = "    0: 48 c1 ea 03           shr    $0x3,%rdx\n\
                *   4: 0f b6 04 02           movzbl (%rdx,%rax,1),%eax  <-- trap\n";
    let line = "48 c1 ea 03 <0f> b6 04 02";
    let (out, err, status) = ksplat(&["code", line], b"");
    assert_eq!((err.as_str(), status), ("", 0));
    assert_eq!(out, want);
    // From a pipe, as separate words, with the tag.
    assert_eq!(ksplat(&["code"], format!("Code: {line}\n").as_bytes()).0, out);
    assert_eq!(ksplat(&["code", "48", "c1", "ea", "03", "<0f>", "b6", "04", "02"], b"").0, out);
    let (intel, _, _) = ksplat(&["code", "--syntax", "intel", line], b"");
    assert!(intel.contains("movzx  eax,byte ptr [rdx+rax]"), "{intel}");
    let (json, _, _) = ksplat(&["code", "--format", "json", line], b"");
    assert!(json.contains(r#""trap_offset":4"#), "{json}");
}

#[test]
fn invalid_code_is_refused_in_one_line() {
    for line in ["", "zz", "<90> <90>", "9"] {
        let (out, err, status) = ksplat(&["code", "-"], line.as_bytes());
        assert_eq!((out.as_str(), status), ("", 2), "{line:?}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn a_closed_output_is_no_error() {
    let log = log(GPF).repeat(2000);
    let mut child = common::ksplat()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&log).unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((err.as_str(), child.wait().unwrap().code()), ("", Some(0)));
}

#[test]
fn code_of_any_machine_and_whole_oopses() {
    let (out, err, status) = ksplat(&["code", "--arch", "arm64", "f9404421 (f9003422)"], b"");
    assert_eq!((err.as_str(), status), ("", 0));
    assert!(out.contains("*   4: f9003422              str    x2, [x1, #0x68]"), "{out}");
    let (out, ..) = ksplat(&["code", "f9404421 (f9003422)"], b"");
    assert_eq!(out, " f9404421 <f9003422>\n", "nobody knows whose it is");
    let (_, err, status) = ksplat(&["code", "--arch", "vax", "90"], b"");
    assert!(status == 2 && err.contains("loongarch64"), "{err}");

    let (out, ..) = ksplat(&["code"], &log(GPF));
    assert!(out.contains("access is to 0x58..0x5b, NULL pointer"), "{out}");
    let (out, ..) = ksplat(&["code", "--format", "json"], &log(GPF));
    assert!(out.contains(r#""address_class":"null""#), "{out}");

    // Without its headline.
    let cut = "RIP: 0010:f+0x15/0x20\nCode: 48 8b 87 88 00 00 00 <48> 89 50 68 c3\n\
               RAX: 0000000000000000 RDI: ffff8df1c28e1b40\nCR2: 0000000000000068\n";
    let (out, err, _) = ksplat(&["code"], cut.as_bytes());
    assert!(out.contains("writes 8 bytes at 0x0000000000000068, NULL pointer + 0x68"), "{out}");
    assert_eq!(err, "");
    let (out, err, _) = ksplat(&["code"], b"RIP: 0033:0x7f1\nCode: 48 8b <0f> 05\n");
    assert!(out.contains("syscall"), "{out}");
    assert_eq!(
        err,
        "ksplat: code: RIP: 0033 is user mode: the code is of a program, not of the kernel\n"
    );
}

const FIXTURE: [&str; 4] = ["--vmlinux", "tests/fixture", "--modules", "tests/fixture"];

/// Runs the program with a cache directory.
fn symbolized(args: &[&str], cache: &std::path::Path) -> (String, String, i32) {
    let output = common::ksplat().args(args).env("XDG_CACHE_HOME", cache).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn symbolize_prints_the_log_with_its_places() {
    let cache = folder("symbolize");
    let log = "tests/fixture/oops.log";
    let args = |command| [&[command], &FIXTURE[..], &[log]].concat();
    let (out, err, status) = symbolized(&args("symbolize"), &cache);
    assert_eq!((err.as_str(), status), ("", 0));
    for line in [
        "RIP: 0010:walk (init/main.c:18 init/main.c:28) \n",
        "   d:*\t8b 78 10             \tmov    0x10(%rax),%edi\t\t<-- trapping instruction\n",
        "Code starting with the faulting instruction\n",
        "\ndemo_fail (demo.c:6 demo.c:16) demo\n",
        "\nModules linked in: demo(O)\n",
    ] {
        assert!(out.contains(line), "{line:?} in {out}");
    }
    let (out, ..) = {
        let trace = cache.join("trace.log");
        fs::write(&trace, "Call Trace:\n walk+0x1/0x30\n").unwrap();
        symbolized(&[&["symbolize"], &FIXTURE[..], &[trace.to_str().unwrap()]].concat(), &cache)
    };
    assert_eq!(out, "Call Trace:\nwalk (init/main.c:27) \n");
    let (page, ..) = symbolized(&args("parse"), &cache);
    assert!(page.contains("probably node->next->in.count (struct node, offset 0x10)"), "{page}");
    // Without effect, and still accepted.
    let (plain, ..) = symbolized(&[&args("parse")[..], &["--no-cache"]].concat(), &cache);
    assert_eq!((page, cache.join("ksplat").exists()), (plain, false));
    let (json, ..) = symbolized(&[&args("symbolize")[..], &["--format", "jsonl"]].concat(), &cache);
    assert!(json.contains(r#""image_check":{"verdict":"same""#), "{json}");
    // Source lines.
    let source = ["--source", "tests/fixture", "--context", "1"];
    let (page, ..) = symbolized(&[&args("parse")[..], &source].concat(), &cache);
    let want =
        "  init/main.c:18\n       17 \n  >    18         return log_value(read_count(nxt)) + 1;\n";
    assert!(page.contains(want), "{page}");
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn a_log_names_no_file_outside_the_source_tree() {
    let folder = folder("sources");
    let tree = folder.join("tree");
    fs::create_dir_all(tree.join("fs/.git")).unwrap();
    for file in ["secret.c", "tree/fs/a.c", "tree/fs/.git/b.c", "tree/fs/config", "tree/.hidden.c"]
    {
        fs::write(folder.join(file), "classified\n").unwrap();
    }
    std::os::unix::fs::symlink(folder.join("secret.c"), tree.join("fs/link.c")).unwrap();
    let shown = |file: &str| {
        let log = format!("kernel BUG at a.c:1!\nRIP: 0010:f+0x1/0x2 {file}:1\nCall Trace:\n");
        let (out, err, status) = ksplat(&["--source", tree.to_str().unwrap()], log.as_bytes());
        assert_eq!((err.as_str(), status), ("", 1));
        assert!(out.contains("kernel BUG in f"), "{out}");
        out.contains("classified")
    };
    assert!(shown("fs/a.c"));
    let secret = folder.join("secret.c");
    for file in [
        "../secret.c",
        "fs/../../secret.c",
        "fs/../fs/a.c",
        secret.to_str().unwrap(),
        "fs/link.c",
        "fs/.git/b.c",
        ".hidden.c",
        "fs/config",
        "fs",
    ] {
        assert!(!shown(file), "{file}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn packed_images_are_read() {
    let cache = folder("packed");
    let pack = |name: &str| {
        common::top();
        let bytes = fs::read(format!("tests/fixture/{name}")).unwrap();
        let file = fs::File::create(cache.join(format!("{name}.gz"))).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packed.write_all(&bytes).unwrap();
        packed.finish().unwrap();
    };
    ["vmlinux", "demo.ko"].into_iter().for_each(pack);
    let (image, modules) = (cache.join("vmlinux.gz"), cache.to_str().unwrap());
    let images = ["--vmlinux", image.to_str().unwrap(), "--modules", modules];
    let args = [&["parse", "--no-cache", "tests/fixture/oops.log"], &images[..]].concat();
    let (packed, err, _) = symbolized(&args, &cache);
    assert_eq!(err, "");
    let args = [&["parse", "--no-cache", "tests/fixture/oops.log"], &FIXTURE[..]].concat();
    assert_eq!(packed, symbolized(&args, &cache).0);
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn mismatching_images_are_reported_in_one_line() {
    let cache = folder("images");
    common::top();
    let log = fs::read_to_string("tests/fixture/oops.log").unwrap();
    let other = cache.join("other.log");
    fs::write(&other, log.replace("6.1.0-fixture", "6.2.0")).unwrap();
    let path = other.to_str().unwrap();
    let args = [&["parse"], &FIXTURE[..], &["--no-cache", path]].concat();
    let (out, err, status) = symbolized(&args, &cache);
    assert_eq!(status, 1);
    let why = "the image is of 6.1.0-fixture, the log of 6.2.0";
    assert_eq!(err, format!("ksplat: image of another build: {why}\n"));
    assert!(out.contains("warning   image of another build: the image is of"), "{out}");
    let (_, _, status) = symbolized(&[&args[..], &["--strict"]].concat(), &cache);
    assert_eq!(status, 2);
    // No image, no ELF file, no module, nothing installed.
    for (arguments, why) in [
        (&["--vmlinux", "tests/nowhere"][..], "No such file"),
        (&["--vmlinux", "Cargo.toml"], "neither an ELF file nor lines"),
        (&["--vmlinux", "auto"], "no image of 6.2.0 is installed"),
        (&["--vmlinux", "tests/fixture/vmlinux"], "no image of this module"),
        (&["--vmlinux", "tests/fixture/System.map"], "no debug information"),
    ] {
        let args = [&["parse", "--no-cache", path], arguments].concat();
        let (_, err, _) = symbolized(&args, &cache);
        assert!(err.contains(why), "{why} in {err}");
    }
    let (_, err, status) = symbolized(&["symbolize", path], &cache);
    assert_eq!(status, 2);
    assert!(err.contains("name an image with --vmlinux"), "{err}");
    fs::remove_dir_all(&cache).unwrap();
}

const BISECTION: &str = "tests/bisections/003_36161d8f652fb016.txt";

#[test]
fn a_bisection_is_audited() {
    let (out, err, status) = ksplat(&["bisect", BISECTION], b"");
    assert_eq!((err.as_str(), status), ("", 1));
    assert!(out.contains("  76313c70c52f ....!..... good, not bad"), "{out}");
    let words: Vec<_> = out.split_whitespace().collect();
    assert!(words.join(" ").contains("the first bad commit is 69879c01a0c3 (proc: "), "{out}");
    let long: Vec<_> = out.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");

    let (out, _, status) = ksplat(&["bisect", "--summary", BISECTION, BISECTION], b"");
    assert_eq!((out.lines().count(), status), (2, 1), "{out}");
    assert!(out.starts_with(&format!("{BISECTION}: wrong: 76313c70c52f (uml: ")), "{out}");

    let (out, _, _) = ksplat(&["bisect", "--format", "json", BISECTION, BISECTION], b"");
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    let audit = &list[1];
    assert_eq!((&audit["file"], &audit["kind"]), (&BISECTION.into(), &"cause".into()));
    assert_eq!(
        (&audit["trust"], &audit["audited"]["revisions_left"]),
        (&"wrong".into(), &0.into())
    );
    assert_eq!(audit["culprit"], audit["first_doubtful"]);
    let step = &audit["steps"][15];
    assert_eq!((&step["verdict"], &step["audited_verdict"]), (&"bad".into(), &"good".into()));
    assert_eq!(step["runs"][4]["outcome"], "crashed");
    assert_eq!(step["related"]["tie"], "same class");
    assert_eq!(audit["report"]["title"], "general protection fault in batadv_iv_ogm_schedule_buff");
}

#[test]
fn an_open_search_names_the_open_side() {
    let finding = |head: &str, runs: &str| {
        let commit = "1b649e0bcae71c118c1333e02249a7510ba7f70a";
        let log = format!("{head} {commit}\ntesting commit {commit}\nall runs: {runs}\n");
        ksplat(&["bisect", "--summary"], log.as_bytes()).0
    };
    let (cause, fix) = ("bisecting cause commit starting from", "bisecting fixing commit since");
    assert!(
        finding(cause, "crashed: WARNING in x").contains("No commit without the crash is known")
    );
    assert!(finding(fix, "crashed: WARNING in x").contains("No commit without the crash is known"));
    assert!(finding(cause, "OK").contains("No commit with the crash is known"));
    assert!(finding(fix, "OK").contains("No commit with the crash is known"));
}

#[test]
fn other_logs_are_refused_in_one_line() {
    let (out, err, status) = ksplat(&["bisect", "-"], b"hello\n");
    assert_eq!((out.as_str(), status), ("", 2));
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with("ksplat: -: no bisection log"), "{err}");
    let (_, err, status) = ksplat(&["bisect", "--report", "Cargo.toml", BISECTION], b"");
    assert!(status == 2 && err.contains("no crash report"), "{err}");
    let (out, _, status) = ksplat(&["bisect", "--format", "json"], b"hello\n");
    assert_eq!((out.as_str(), status), ("[]\n", 2));
}

#[test]
fn titles_of_a_bisection_are_escaped() {
    let log = "bisecting cause commit starting from 1b649e0bcae71c118c1333e02249a7510ba7f70a\n\
               testing commit 1b649e0bcae71c118c1333e02249a7510ba7f70a\n\
               all runs: crashed: WARNING in \x1b]0;x\x07foo\u{202e}\n\
               testing release \x1b[31m\ntesting commit -x\x1b\n";
    for how in [["--color", "never"].as_slice(), &["--summary"], &["--format", "jsonl"]] {
        let (out, _, _) = ksplat(&[&["bisect"], how].concat(), log.as_bytes());
        assert!(!out.is_empty());
        assert!(!out.contains(['\x1b', '\x07']), "{out}");
    }
}

#[test]
fn a_tree_lists_the_commits_that_change_the_suspects() {
    let folder = folder("suspects");
    if git(&folder, &["init", "-q"]).is_none() {
        eprintln!("skipped: no git");
        return;
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let commit = |subject: &str| {
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", subject]);
        git(&folder, &["rev-parse", "HEAD"]).unwrap()
    };
    let foo = |body: &str, other: &str| {
        format!(
            "int foo_write(void)\n{{\n\treturn {body};\n}}\n\nint foo_other(void)\n{{\n\treturn {other};\n}}\n"
        )
    };
    write("fs/foo.c", &foo("0", "0"));
    write("fs/bar.c", "int bar;\n");
    write("fs/Makefile", "obj-y += foo.o\nobj-$(CONFIG_BAR) += bar.o\n");
    let good = commit("first");
    write("fs/foo.c", &foo("0", "1"));
    let of_file = commit("foo: another function");
    write("fs/foo.c", &foo("1", "1"));
    let of_function = commit("foo: the function");
    write("fs/bar.c", "long bar;\n");
    let named = commit("bar: not built");
    write("fs/last.h", "\n");
    let bad = commit("last");
    write(
        "report",
        "WARNING: CPU: 0 PID: 9 at fs/foo.c:7 foo_write+0x10/0x20 fs/foo.c:7\n\
        CPU: 0 PID: 9 Comm: a Not tainted 5.6.0 #1\nRIP: 0010:foo_write+0x10/0x20 fs/foo.c:7\n\
        Call Trace:\n vfs_write+0x1/0x2 fs/read_write.c:1\n ksys_write+0x1/0x2 fs/read_write.c:2\n",
    );
    write("config", "CONFIG_FOO=y\n# CONFIG_BAR is not set\n");
    let log = format!(
        "bisecting cause commit starting from {bad}\ntesting commit {bad}\n\
         all runs: crashed: WARNING in foo_write\n\
         testing release v1\ntesting commit {good}\nall runs: OK\n\
         # git bisect start {bad} {good}\n\
         Bisecting: 0 revisions left to test after this (roughly 0 steps)\n[{named}] bar: not built\n\
         testing commit {named}\nall runs: crashed: WARNING in foo_write\n# git bisect bad {named}\n\
         {named} is the first bad commit\n"
    );
    let (repo, report) = (folder.to_str().unwrap(), folder.join("report"));
    let config = folder.join("config");
    let (report, config) = (report.to_str().unwrap(), config.to_str().unwrap());
    let args = ["bisect", "--repo", repo, "--report", report, "--config", config];
    let (out, err, _) = ksplat(&[&args[..], &["--format", "jsonl"]].concat(), log.as_bytes());
    assert_eq!(err, "");
    let audit: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(audit["built"]["built"], false);
    assert_eq!(audit["built"]["options"], serde_json::json!(["CONFIG_BAR"]));
    let candidates = audit["candidates"].as_array().unwrap();
    let commits: Vec<_> =
        candidates.iter().map(|found| found["commit"].as_str().unwrap()).collect();
    assert_eq!(commits, [&*of_function, &*of_file]);
    assert_eq!(candidates[0]["functions"], serde_json::json!(["foo_write"]));
    assert_eq!(candidates[1]["functions"], serde_json::json!([]));
    let (out, _, _) = ksplat(&args, log.as_bytes());
    assert!(out.contains("does not build: CONFIG_BAR is not set."), "{out}");
    assert!(out.contains("foo: the function (foo_write)"), "{out}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_tree_counts_the_remaining_commits() {
    let folder = folder("repo");
    if git(&folder, &["init", "-q"]).is_none() {
        eprintln!("skipped: no git");
        return;
    }
    let commits: Vec<String> = (0..4)
        .map(|number| {
            git(&folder, &["commit", "-q", "--allow-empty", "-m", &number.to_string()]);
            git(&folder, &["rev-parse", "HEAD"]).unwrap()
        })
        .collect();
    let [older, middle, _, newest] = commits.as_slice() else { panic!() };
    let flake = "run #0: crashed: KASAN: use-after-free Read in bar_poll\n".to_owned()
        + &"run #1: OK\n".repeat(9);
    let log = |good: &str| {
        format!(
            "bisecting cause commit starting from {newest}\ntesting commit {newest}\n\
             all runs: crashed: WARNING in foo_write\n\
             testing release v1\ntesting commit {older}\nall runs: OK\n\
             testing commit {good}\n{flake}# git bisect bad {good}\n"
        )
    };
    let repo = folder.to_str().unwrap();
    let left = |good: &str| {
        let args = ["bisect", "--format", "jsonl", "--repo", repo];
        let (out, err, _) = ksplat(&args, log(good).as_bytes());
        assert_eq!(err, "");
        let audit: serde_json::Value = serde_json::from_str(&out).unwrap();
        (audit["audited"]["revisions_left"].clone(), audit["audited"]["culprit"].clone())
    };
    assert_eq!(left(middle), (1.into(), serde_json::Value::Null));
    // No commit is left, except the one with which the bisection began, and no audit names that.
    assert_eq!(left(&commits[2]), (0.into(), serde_json::Value::Null));
    let (_, err, status) = ksplat(
        &["bisect", "--repo", repo],
        log("1111111111111111111111111111111111111111").as_bytes(),
    );
    assert!(status == 2 && err.lines().count() == 1 && err.contains("git in"), "{err}");
    fs::remove_dir_all(folder).unwrap();
}
