//! `ksplat store` under failures: killed writers, damaged files, full disks, concurrent processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ksplat::store::Store;

/// A folder that is deleted when the test ends.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = common::folder(&format!("store-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Returns a log with reports of different bugs, one for each number.
    fn log(&self, name: &str, numbers: std::ops::Range<usize>) -> String {
        let path = self.path(name);
        fs::write(&path, numbers.map(report).collect::<String>()).unwrap();
        path
    }

    /// A store of some bugs.
    fn store(&self, name: &str, bugs: usize) -> String {
        let (store, log) = (self.path(name), self.log("first.log", 0..bugs));
        let (_, err, status) = ksplat(&["store", "add", &store, &log]);
        assert_eq!((err.as_str(), status), ("", 0));
        store
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns a report of a separate bug.
fn report(number: usize) -> String {
    format!(
        "kernel BUG at fs/a{number}.c:1!\nCPU: 1 PID: 7 Comm: a Not tainted 6.1.{number} #1\n\
         RIP: 0010:cm_site_{number}+0x9b/0x200\nCall Trace:\n cm_way_{number}+0x1/0x2\n \
         cm_far_{number}+0x1/0x2\n do_syscall_64+0x1/0x2\n---[ end trace 0000000000000000 ]---\n"
    )
}

fn ksplat(args: &[&str]) -> (String, String, i32) {
    common::call(args, b"")
}

/// Returns the number of reports in a store, and the messages.
fn count(store: &str) -> (u64, String) {
    let (out, err, status) = ksplat(&["store", "list", store, "--format", "json"]);
    assert_eq!(status, 0, "{err}");
    let all: serde_json::Value = serde_json::from_str(&out).unwrap();
    (all["reports"].as_u64().unwrap(), err)
}

/// Pseudo-random numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Starts a writer and kills it, at the latest when it has ended.
fn killed(args: &[&str], after: Duration) {
    let mut child = common::ksplat()
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap();
}

/// Returns the time that a writer takes, in microseconds.
fn duration(args: &[&str]) -> u64 {
    let start = Instant::now();
    let (_, err, status) = ksplat(args);
    assert_eq!(status, 0, "{err}");
    u64::try_from(start.elapsed().as_micros()).unwrap()
}

#[test]
fn a_killed_writer_loses_no_report() {
    let place = Place::new("killed");
    let store = place.store("bugs", 3);
    let log = place.log("more.log", 0..3);
    let args = ["store", "add", &store, &log];
    let whole = duration(&args);
    let (mut known, mut numbers, mut repaired) = (count(&store).0, Numbers(0x5eed), 0);
    for round in 0..300 {
        killed(&args, Duration::from_micros(numbers.below(whole + whole / 4)));
        let (now, err) = count(&store);
        assert!(now == known || now == known + 3, "round {round}: {known}, then {now}");
        assert!(err.is_empty() || err.contains("was not closed"), "round {round}: {err}");
        repaired += usize::from(!err.is_empty());
        known = now;
    }
    assert!(repaired > 0, "no kill hit a writer that had the file open");
    assert!(known > 6, "every kill came before the file was written");
    let (out, err, status) = ksplat(&args);
    assert_eq!((out.lines().count(), err.as_str(), status), (3, "", 0));
}

#[test]
fn a_store_is_created_atomically() {
    let place = Place::new("made");
    let log = place.log("one.log", 0..3);
    let first = place.path("first");
    let whole = duration(&["store", "add", &first, &log]);
    let mut numbers = Numbers(0x5eed);
    for round in 0..100 {
        let store = place.path(&format!("bugs{round}"));
        let args = ["store", "add", &store, &log];
        killed(&args, Duration::from_micros(numbers.below(whole)));
        if Path::new(&store).exists() {
            assert!([0, 3].contains(&count(&store).0), "round {round}");
        }
        let (_, err, status) = ksplat(&args);
        assert_eq!(status, 0, "round {round}: {err}");
        assert!([3, 6].contains(&count(&store).0), "round {round}");
        // The files that a killed process left beside the store are deleted.
        let left = fs::read_dir(&place.0).unwrap();
        let names = left.map(|file| file.unwrap().file_name().into_string().unwrap());
        let strange: Vec<_> = names.filter(|name| name.starts_with('.')).collect();
        assert!(strange.is_empty(), "round {round}: {strange:?}");
    }
}

#[test]
fn an_empty_file_is_a_new_store() {
    let place = Place::new("empty");
    let (store, log) = (place.path("bugs"), place.log("one.log", 0..2));
    fs::write(&store, b"").unwrap();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(count(&store), (0, String::new()));
    let (out, err, status) = ksplat(&["match", &log, "--store", &store]);
    assert_eq!((out.matches("\n  new\n").count(), err.as_str(), status), (2, "", 1));
    let (_, err, status) = ksplat(&["store", "add", &store, &log]);
    assert_eq!((err.as_str(), status), ("", 0));
    assert_eq!(count(&store), (2, String::new()));
    assert_eq!(fs::metadata(&store).unwrap().mode() & 0o777, 0o600);
}

/// Returns the lines of an export without messages, or the messages.
fn export(store: &str) -> Result<BTreeSet<String>, String> {
    let (out, err, status) = ksplat(&["store", "export", store]);
    if status == 0 && err.is_empty() {
        Ok(out.lines().map(str::to_owned).collect())
    } else {
        assert!(!err.is_empty() && !err.contains("panicked"), "{err}");
        Err(err)
    }
}

#[test]
fn a_flipped_bit_never_changes_an_answer_silently() {
    let place = Place::new("flipped");
    let store = place.store("bugs", 40);
    let bug = ksplat(&["store", "list", &store, "--format", "jsonl"]).0;
    let bug: serde_json::Value = serde_json::from_str(bug.lines().next().unwrap()).unwrap();
    ksplat(&["store", "label", &store, bug["id"].as_str().unwrap(), "fixed-by 1234 since 6.9"]);
    let whole = export(&store).unwrap();
    let bytes = fs::read(&store).unwrap();
    let (broken, mut numbers, mut reported) = (place.path("broken"), Numbers(0x5eed), 0);
    for round in 0..300 {
        let mut flipped = bytes.clone();
        // Half of them in the used part of the file, most of which is free space.
        let at = loop {
            let at = usize::try_from(numbers.below(bytes.len() as u64)).unwrap();
            if round % 2 == 0 || bytes[at] != 0 {
                break at;
            }
        };
        flipped[at] ^= 1 << numbers.below(8);
        fs::write(&broken, &flipped).unwrap();
        match export(&broken) {
            Ok(lines) => assert!(lines == whole, "round {round}: byte {at} changed the answer"),
            Err(_) => reported += 1,
        }
        // A writer reports it too, or writes a valid store.
        let (_, err, _) = ksplat(&["store", "check", &broken]);
        assert!(!err.contains("panicked"), "round {round}: {err}");
        match export(&broken) {
            Ok(lines) => {
                assert!(lines.is_subset(&whole), "round {round}: byte {at}, after a check");
            }
            Err(error) => assert!(!error.is_empty()),
        }
    }
    assert!(reported > 30, "{reported} of 300");
}

#[test]
fn a_damaged_row_is_named_and_set_aside() {
    let place = Place::new("row");
    let store = place.store("bugs", 20);
    let mut bytes = fs::read(&store).unwrap();
    // The offset of a row's text, which is stored unpacked or packed: found by search.
    let whole = export(&store).unwrap();
    let mut numbers = Numbers(0x5eed);
    let damaged = (0..400).find_map(|_| {
        let at = usize::try_from(numbers.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 0x10;
        fs::write(&store, &bytes).unwrap();
        let err = export(&store).err().filter(|err| err.contains("damaged row"));
        if err.is_none() {
            bytes[at] ^= 0x10;
        }
        err
    });
    let message = damaged.expect("no byte of a row was found");
    let ids: Vec<_> = whole.iter().filter_map(|line| line.split('"').nth(5)).collect();
    assert!(ids.iter().any(|id| message.contains(id)), "{message}");
    // A writer moves the row aside; the damage is still reported, and checked again.
    let log = place.log("one.log", 50..51);
    let (_, err, status) = ksplat(&["store", "add", &store, &log]);
    assert_eq!((err.contains("damaged row"), status), (true, 0), "{err}");
    assert!(count(&store).1.contains("damaged row"));
    let (out, _, status) = ksplat(&["store", "check", &store]);
    assert_eq!((out.contains("damaged row"), status), (true, 1), "{out}");
    let (out, _, status) = ksplat(&["store", "check", &store, "--drop-damaged"]);
    assert_eq!((out.contains("dropped"), status), (true, 0), "{out}");
    let (out, err, status) = ksplat(&["store", "check", &store]);
    assert_eq!((err.as_str(), status), ("", 0), "{out}");
    assert_eq!(count(&store).1, "");
}

/// Runs the program under a limit of the size of files, as a full disk behaves.
fn limited(kib: u64, trap: &str, args: &[&str]) -> (String, Option<i32>) {
    common::top();
    let script = format!("{trap}ulimit -f {kib}; exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/bash");
    let output = command.args(["-c", &script, env!("CARGO_BIN_EXE_ksplat")]).args(args);
    let output = output.output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn a_full_disk_loses_no_report() {
    let place = Place::new("full");
    let store = place.store("bugs", 3);
    let size = fs::metadata(&store).unwrap().len() / 1024;
    let log = place.log("much.log", 0..3000);
    let (known, _) = count(&store);
    for kib in [1, size / 2, size, size + 64, size + 512] {
        for trap in ["trap '' XFSZ; ", ""] {
            let (err, status) = limited(kib, trap, &["store", "add", &store, &log]);
            assert_ne!(status, Some(0), "{kib} KiB");
            // Without the trap the signal ends it.
            assert!(trap.is_empty() || err.contains("File too large"), "{kib} KiB: {err}");
            assert!(!err.contains("panicked"), "{err}");
            let (now, err) = count(&store);
            assert_eq!(now, known, "{kib} KiB");
            assert!(err.is_empty() || err.contains("was not closed"), "{err}");
        }
    }
    let new = place.path("new");
    let (err, status) = limited(1, "trap '' XFSZ; ", &["store", "add", &new, &log]);
    assert!(err.contains("File too large") && status == Some(2), "{err}");
    assert_eq!(ksplat(&["store", "add", &new, &place.path("first.log")]).2, 0);
    assert_eq!(count(&new), (3, String::new()));
}

#[test]
fn a_second_writer_waits() {
    let place = Place::new("wait");
    let store = place.store("bugs", 3);
    let log = place.log("one.log", 7..8);
    let held = Store::open(Path::new(&store)).unwrap();
    let args = ["store", "add", &store, &log];
    let (_, err, status) = ksplat(&args);
    assert!(err.contains("another process writes to it") && err.contains("--wait"), "{err}");
    assert_eq!(status, 2);
    let (_, err, status) = ksplat(&[&args[..], &["--wait", "0.2"]].concat());
    assert_eq!((err.lines().count(), status), (2, 2), "{err}");
    let mut waiting = common::ksplat();
    waiting.args(args).args(["--wait", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut waiting = waiting.spawn().unwrap();
    // The program reports that it waits; then the file is released.
    let mut messages = std::io::BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut messages, &mut line).unwrap();
    assert!(line.contains("waiting for another process"), "{line}");
    drop(held);
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(count(&store), (4, String::new()));
}

#[test]
fn many_writers_that_wait_all_add() {
    let place = Place::new("writers");
    let store = place.path("bugs");
    let add = |number: usize| {
        let log = place.log(&format!("{number}.log"), number..number + 1);
        let mut command = common::ksplat();
        command.args(["store", "add", &store, &log, "--wait", "60"]).stdout(Stdio::null());
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    let writers: Vec<_> = (0..12).map(add).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(count(&store), (12, String::new()));
}

#[test]
fn concurrent_readers_see_consistent_states() {
    let place = Place::new("beside");
    let store = place.store("bugs", 3);
    let log = place.log("three.log", 0..3);
    let done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut known = 3;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let (now, err) = count(&store);
                    assert!(now >= known && now % 3 == 0, "{known}, then {now}");
                    assert_eq!(err, "");
                    known = now;
                }
            });
        }
        for _ in 0..40 {
            let (_, err, status) = ksplat(&["store", "add", &store, &log]);
            assert_eq!((err.as_str(), status), ("", 0));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(count(&store).0, 123);
}

#[test]
fn a_backup_is_a_consistent_copy_while_a_writer_works() {
    let place = Place::new("backup");
    let (store, copy) = (place.store("bugs", 3), place.path("copy"));
    let held = Store::open(Path::new(&store)).unwrap();
    let (_, err, status) = ksplat(&["store", "backup", &store, &copy]);
    assert_eq!((err.as_str(), status), ("", 0));
    drop(held);
    assert_eq!(export(&copy), export(&store));
    // A backup overwrites no file.
    let (_, err, status) = ksplat(&["store", "backup", &store, &copy]);
    assert!(err.contains("exists") && status == 2, "{err}");
    let log = place.log("three.log", 0..3);
    for round in 0..10 {
        let mut writer = common::ksplat();
        writer.args(["store", "add", &store, &log]).stdout(Stdio::null());
        let mut writer = writer.spawn().unwrap();
        let copy = place.path(&format!("copy{round}"));
        let (_, err, status) = ksplat(&["store", "backup", &store, &copy]);
        assert_eq!((err.as_str(), status), ("", 0));
        writer.wait().unwrap();
        assert_eq!(count(&copy).0 % 3, 0);
    }
}

/// Runs the program as an unprivileged user. The build directory may be inaccessible to that user,
/// so the program is copied.
fn as_nobody(place: &Place, args: &[&str]) -> (String, String, Option<i32>) {
    let program = place.path("ksplat");
    if !Path::new(&program).exists() {
        fs::copy(env!("CARGO_BIN_EXE_ksplat"), &program).unwrap();
    }
    let mut command = Command::new(program);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65534);
    }
    let output = command.args(args).current_dir("/").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn a_read_only_directory_is_read() {
    let place = Place::new("readonly");
    let store = place.store("bugs", 3);
    let log = place.log("one.log", 0..1);
    let args = ["store", "add", &store, &log];
    // A file of a killed writer, which this user cannot repair.
    let whole = duration(&args);
    let mut numbers = Numbers(0x5eed);
    let mut left = false;
    for _ in 0..200 {
        killed(&args, Duration::from_micros(numbers.below(whole)));
        let copy = place.path("left");
        fs::copy(&store, &copy).unwrap();
        let (known, err) = count(&copy);
        if err.is_empty() {
            continue;
        }
        left = true;
        fs::set_permissions(&store, fs::Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(&place.0, fs::Permissions::from_mode(0o555)).unwrap();
        let bytes = fs::read(&store).unwrap();
        let (out, err, status) = as_nobody(&place, &["store", "list", &store, "--format", "json"]);
        assert_eq!(status, Some(0), "{err}");
        assert!(err.contains("was not closed") && err.contains("last state"), "{err}");
        let all: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(all["reports"].as_u64(), Some(known));
        assert!(fs::read(&store).unwrap() == bytes, "a reader wrote");
        let (_, err, status) = as_nobody(&place, &args);
        assert!(err.contains("Permission denied") && status == Some(2), "{err}");
        let new = place.path("new");
        let (_, err, status) = as_nobody(&place, &["store", "add", &new, &log]);
        assert!(err.contains("Permission denied") && status == Some(2), "{err}");
        fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).unwrap();
        break;
    }
    assert!(left, "no kill left a file that needs a repair");
}

#[test]
fn a_link_is_read_and_not_written_through() {
    let place = Place::new("link");
    let store = place.store("bugs", 3);
    let log = place.log("one.log", 9..10);
    let (link, dangling) = (place.path("link"), place.path("dangling"));
    symlink(&store, &link).unwrap();
    symlink(place.path("nowhere"), &dangling).unwrap();
    assert_eq!(count(&link), (3, String::new()));
    let bytes = fs::read(&store).unwrap();
    for link in [&link, &dangling] {
        for args in [
            &["store", "add", link, &log][..],
            &["store", "label", link, "1", "x"],
            &["store", "check", link],
            &["store", "backup", &store, link],
        ] {
            let (_, err, status) = ksplat(args);
            assert!(err.contains("symbolic link") && status == 2, "{args:?}: {err}");
        }
    }
    assert!(fs::read(&store).unwrap() == bytes);
    assert!(!Path::new(&place.path("nowhere")).exists());
}

#[test]
fn a_file_of_another_program_stays_as_it_is() {
    let place = Place::new("other");
    let log = place.log("one.log", 0..1);
    for (name, bytes) in [
        ("text", b"root:x:0:0\n".repeat(1000)),
        ("zeros", vec![0; 1_000_000]),
        ("short", b"redb".to_vec()),
        ("header", [&b"redb\x1a\x0a\xa9\x0d\x0a"[..], &[0; 5000]].concat()),
    ] {
        let path = place.path(name);
        fs::write(&path, &bytes).unwrap();
        for args in [
            &["store", "add", &path, &log][..],
            &["store", "check", &path],
            &["store", "list", &path],
            &["store", "backup", &path, &place.path("copy")],
        ] {
            let (_, err, status) = ksplat(args);
            assert!(err.lines().count() == 1 && status == 2, "{name}, {args:?}: {err}");
        }
        assert!(fs::read(&path).unwrap() == bytes, "{name} was written to");
    }
    let (_, err, status) = ksplat(&["store", "list", place.0.to_str().unwrap()]);
    assert!(err.lines().count() == 1 && status == 2, "{err}");
}

#[test]
fn labels_may_hold_anything() {
    let place = Place::new("labels");
    let store = place.store("bugs", 1);
    let list = ksplat(&["store", "list", &store, "--format", "jsonl"]).0;
    let bug: serde_json::Value = serde_json::from_str(&list).unwrap();
    let bug = bug["id"].as_str().unwrap();
    let hostile = [
        "\x1b[31mred",
        "</script><img src=x>",
        "\u{202e}abc",
        "a\nb\r\0".trim_end_matches('\0'),
        "\"'`$(x)",
    ];
    for label in hostile {
        let (_, err, status) = ksplat(&["store", "label", &store, bug, label]);
        assert_eq!((err.as_str(), status), ("", 0));
    }
    for args in [&["store", "list", &store, "--long"][..], &["store", "list", &store]] {
        let (out, ..) = ksplat(args);
        let is_clean = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(out.chars().all(is_clean), "{out:?}");
    }
    let page = place.path("page.html");
    assert_eq!(ksplat(&["store", "list", &store, "--html", &page]).2, 0);
    assert!(!fs::read_to_string(&page).unwrap().contains("<img"));
    let copy = place.path("copy");
    let exported = ksplat(&["store", "export", &store]).0;
    assert_eq!(common::call(&["store", "import", &copy], exported.as_bytes()).2, 0);
    assert_eq!(export(&copy), export(&store));
    let long = "x".repeat(10_000);
    let (_, err, status) = ksplat(&["store", "label", &store, bug, &long]);
    assert!(err.contains("too long") && status == 2, "{err}");
}
