//! `ksplat known`: fixes of a tree with releases, a stable branch, a revert and a later fix, and of a mailing list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{call, folder, git};
use serde_json::Value;

/// A folder with the tree, the archive, and the file of their fixes.
fn history(name: &str) -> PathBuf {
    common::top();
    let folder = folder(name);
    let made = Command::new("sh")
        .arg("tests/fixture/history.sh")
        .args([folder.join("tree"), folder.join("inbox")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn build(folder: &Path, more: &[&str]) -> (String, String, i32) {
    let (tree, file) = (path(folder, "tree"), path(folder, "known.ksplat"));
    call(&[&["known", "build", "--repo", &tree, "-o", &file], more].concat(), b"")
}

/// A KASAN report of the reader, of the kernel of a release.
fn read_after_free(release: &str) -> String {
    format!(
        "BUG: KASAN: slab-use-after-free in cm_read+0x6c/0x90\n\
         Read of size 8 at addr ffff888012345678 by task cat/99\n\n\
         CPU: 0 PID: 99 Comm: cat Not tainted {release} #7\nCall Trace:\n <TASK>\n cm_read+0x6c/0x90\n \
         cm_copy+0x22/0x50\n cm_dev_read+0x3a/0x98\n vfs_read+0x1b1/0x290\n ksys_read+0x75/0xf0\n </TASK>\n"
    )
}

/// An oops of the work.
fn null(release: &str) -> String {
    format!(
        "BUG: kernel NULL pointer dereference, address: 0000000000000018\n\
         #PF: supervisor read access in kernel mode\nOops: 0000 [#1] SMP\n\
         CPU: 3 PID: 70 Comm: kworker/3:1 Not tainted {release} #9\nRIP: 0010:cm_work+0x24/0x70\nCall Trace:\n \
         cm_run_queue+0x51/0x80\n process_one_work+0x1f0/0x3b0\n worker_thread+0x5d/0x3d0\n"
    )
}

fn ask(folder: &Path, log: &str, more: &[&str]) -> Vec<Value> {
    let file = path(folder, "known.ksplat");
    let (out, err, status) =
        call(&[&["known", "--in", &file, "--format", "jsonl"], more].concat(), log.as_bytes());
    assert_eq!((err.as_str(), status), ("", 0));
    let answer: Value = serde_json::from_str(out.lines().next().expect("an answer")).unwrap();
    answer["candidates"].as_array().unwrap().clone()
}

fn subjects(candidates: &[Value]) -> Vec<&str> {
    candidates.iter().map(|candidate| candidate["subject"].as_str().unwrap()).collect()
}

#[test]
fn a_fix_is_found_with_its_releases() {
    let folder = history("known-found");
    let (out, err, status) = build(&folder, &[]);
    assert_eq!((err.as_str(), status), ("", 0), "{out}");
    assert!(out.starts_with("read 11 commits, 5 quote a crash"), "{out}");
    let found = ask(&folder, &read_after_free("6.1.2"), &[]);
    let fix = &found[0];
    assert_eq!(fix["subject"], "cm: check the length in cm_read");
    assert!(fix["probability"].as_f64().unwrap() > 0.5, "{fix}");
    assert_eq!(fix["since"], "v6.2-rc2");
    assert_eq!(fix["fixes"][0]["since"], "v6.1");
    assert_eq!(fix["backports"][0]["since"], "v6.1.5");
    assert_eq!(fix["stable"], "6.1+");
    assert_eq!(fix["reported"][0], "syzbot+0123456789abcdef0123");
    assert_eq!(fix["files"][0], "drivers/cm/cm_read.c");
    assert_eq!(fix["functions"][0], "cm_read");
    assert_eq!(fix["bug"].as_str().unwrap().len(), 16);
    // A copy in a stable branch is the same fix.
    assert_eq!(subjects(&found).iter().filter(|subject| subject.contains("length")).count(), 1);
    // A message with wrapped lines and without registers.
    let log = "WARNING: CPU: 3 PID: 90 at drivers/cm/cm_ioctl.c:91 cm_ioctl+0x116/0x140\nRIP: 0010:cm_ioctl+0x116/0x140\n\
        Call Trace:\n cm_ctl_open+0x38/0x3b0\n cm_ctl_lookup+0x82/0x90\n __x64_sys_ioctl+0x95/0xd0\n";
    let found = ask(&folder, log, &[]);
    assert!(found[0]["subject"].as_str().unwrap().ends_with("lock the ioctl"), "{found:?}");
    assert_eq!(found[0]["since"], Value::Null);
    // A crash that no commit quotes.
    let other = "BUG: KASAN: use-after-free in other_put+0x1/0x2\nWrite of size 4 at addr 1234567812345678\n\
        Call Trace:\n other_put+0x1/0x2\n other_close+0x1/0x2\n other_release+0x3/0x9\n";
    let found = ask(&folder, other, &[]);
    assert!(found.iter().all(|fix| fix["probability"].as_f64().unwrap() < 0.5), "{found:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_kernel_lacks_a_fix_or_has_it() {
    let folder = history("known-standing");
    build(&folder, &[]);
    let of = |release: &str| {
        let fix = ask(&folder, &read_after_free(release), &[])[0].clone();
        (fix["standing"].as_str().unwrap_or_default().to_owned(), fix["likely"] == true)
    };
    let is = |standing: &str, likely: bool| (standing.to_owned(), likely);
    assert_eq!(of("6.1.4"), is("lacks", false));
    assert_eq!(of("6.1.5"), is("has", false));
    assert_eq!(of("6.2.0-rc1"), is("lacks", false));
    assert_eq!(of("6.3.0"), is("has", false));
    assert_eq!(of("6.0.0"), is("not-affected", false));
    assert_eq!(of("6.0.9"), is("not-affected", true));
    assert_eq!(of("6.1.5+"), is("has", true));
    assert_eq!(of("6.1.0-18-amd64"), is("lacks", true));
    // The first fix of the work was reverted, and the second one is of 6.3.
    let of = |release: &str| -> Vec<(String, String)> {
        let mut found: Vec<_> = ask(&folder, &null(release), &[])
            .iter()
            .filter(|fix| fix["probability"].as_f64().unwrap() > 0.1)
            .map(|fix| {
                (
                    fix["subject"].as_str().unwrap()[..9].to_owned(),
                    fix["standing"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        found.sort();
        found
    };
    let are = |first: &str, second: &str| {
        vec![
            ("cm: do no".to_owned(), first.to_owned()),
            ("cm: flush".to_owned(), second.to_owned()),
        ]
    };
    assert_eq!(of("6.2.0"), are("has", "lacks"));
    assert_eq!(of("6.3.0-rc1"), are("lacks", "lacks"));
    assert_eq!(of("6.3.0"), are("lacks", "has"));
    // It is applied again.
    assert_eq!(of("6.4.0-rc1"), are("has", "has"));
    let found = ask(&folder, &null("6.3.0"), &[]);
    let reverted = found.iter().find(|fix| fix["reverts"].is_array()).unwrap();
    assert_eq!(reverted["reverts"][0]["since"], "v6.3-rc1");
    assert_eq!(reverted["reverted_by"], reverted["reverts"][0]["commit"]);
    assert_eq!(reverted["reapplied"][0]["since"], "v6.4-rc1");
    // Exactly, by the history of a commit.
    let tree = path(&folder, "tree");
    let exact = |commit: &str| {
        let more = ["--repo", &tree, "--commit", commit];
        ask(&folder, &read_after_free("6.1.0-18-amd64"), &more)[0].clone()
    };
    assert_eq!(exact("v6.1.4")["standing"], "lacks");
    assert_eq!(exact("v6.1.5")["standing"], "has");
    assert_eq!(exact("master")["standing"], "has");
    assert_eq!(exact("v6.2-rc1")["likely"], Value::Null);
    for (commit, standing) in [("v6.2", "has"), ("v6.3", "lacks"), ("v6.4-rc1", "has")] {
        let found = ask(&folder, &null("6.2.0"), &["--repo", &tree, "--commit", commit]);
        let first = found.iter().find(|fix| fix["reverts"].is_array()).unwrap();
        assert_eq!(first["standing"], standing, "{commit}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_run_reads_new_commits_only() {
    let folder = history("known-update");
    let tree = folder.join("tree");
    let file = path(&folder, "known.ksplat");
    assert_eq!(call(&["known", "update", "-o", &file], b"").2, 2);
    // The stable branch and the last releases are added later.
    let late = git(&tree, &["rev-parse", "linux-6.1.y"]).unwrap();
    for arguments in [
        &["branch", "-q", "-D", "linux-6.1.y"][..],
        &["tag", "-d", "v6.1.4", "v6.1.5", "v6.2-rc2", "v6.2"],
    ] {
        git(&tree, arguments).unwrap();
    }
    let (out, ..) = build(&folder, &[]);
    assert!(out.starts_with("read 9 commits, 4 quote a crash"), "{out}");
    let fix = ask(&folder, &read_after_free("6.1.2"), &[])[0].clone();
    assert_eq!((fix["since"].as_str(), fix.get("backports")), (Some("v6.3-rc1"), None));
    let (out, ..) = build(&folder, &[]);
    assert!(out.starts_with("read 0 commits"), "{out}");
    git(&tree, &["branch", "linux-6.1.y", &late]).unwrap();
    git(&tree, &["tag", "v6.1.5", &late]).unwrap();
    git(&tree, &["tag", "v6.2-rc2", "master~6"]).unwrap();
    let (out, err, status) = call(&["known", "update", "-o", &file], b"");
    assert_eq!((err.as_str(), status), ("", 0));
    assert!(out.starts_with("read 2 commits, 1 quotes a crash"), "{out}");
    let fix = ask(&folder, &read_after_free("6.1.2"), &[])[0].clone();
    assert_eq!(fix["since"], "v6.2-rc2");
    assert_eq!(fix["backports"][0]["since"], "v6.1.5");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_patch_that_is_merged_is_one_fix() {
    let folder = history("known-inbox");
    let inbox = path(&folder, "inbox");
    for order in ["together", "again"] {
        let (out, err, status) = build(&folder, &["--public-inbox", &inbox]);
        assert_eq!((err.as_str(), status), ("", 0), "{order}: {out}");
        assert!(out.trim_end().ends_with("4 fixes and 1 open patch"), "{order}: {out}");
    }
    let found = ask(&folder, &read_after_free("6.1.2"), &[]);
    assert_eq!(found[0]["fix"].as_str().unwrap().len(), 40, "{found:?}");
    assert_eq!(subjects(&found).iter().filter(|subject| subject.contains("length")).count(), 1);
    let leak = "WARNING: CPU: 2 PID: 5 at drivers/cm/cm_leak.c:14 cm_leak_put+0x34/0x44\nCPU: 2 PID: 5 Comm: x Not tainted 6.3.0 #1\n\
        RIP: 0010:cm_leak_put+0x34/0x44\nCall Trace:\n cm_leak_put+0x34/0x44\n cm_leak_close+0x16/0x24\n cm_leak_release+0xd/0x14\n";
    let found = ask(&folder, leak, &[]);
    let patch = &found[0];
    assert_eq!(
        (patch["fix"].as_str(), &patch["patch"]),
        (Some("waiting@example.org"), &Value::Bool(true))
    );
    assert_eq!(patch["functions"][0], "cm_leak_put");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn other_commands_ask_as_well() {
    let folder = history("known-others");
    build(&folder, &[]);
    let file = path(&folder, "known.ksplat");
    let log = path(&folder, "a.log");
    fs::write(&log, read_after_free("6.1.2")).unwrap();
    let (out, ..) = call(&["parse", "--known", &file, "--format", "json", &log], b"");
    let report: Value = serde_json::from_str(&out).unwrap();
    let fix = &report[0]["known"][0];
    assert_eq!(fix["standing"], "lacks");
    let commit = fix["fix"].as_str().unwrap()[..12].to_owned();
    let suspects = report[0]["suspects"].as_array().unwrap();
    let marked =
        suspects.iter().find(|suspect| suspect["function"] == "cm_read").expect("a suspect");
    assert_eq!(marked["fixes"][0].as_str(), Some(&*commit));
    let (out, ..) = call(&["parse", "--known", &file, &log], b"");
    assert!(out.contains(&format!("fixed by {commit}  cm: check the length")), "{out}");
    let page = path(&folder, "page.html");
    call(&["cluster", "--known", &file, "--html", &page, &log], b"");
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains(&format!("probably fixed by {commit}")), "{page}");
    // The entries are bugs of a store, with their label.
    let (out, ..) = call(&["store", "list", &file], b"");
    assert!(out.contains("fixed-by") && out.contains("since 6.2-rc2"), "{out}");
    let (out, _, status) = call(&["match", &log, "--store", &file], b"");
    assert!(status == 0 && out.contains("fixed-by"), "{out}");
    // A backup has the sources as well.
    let backup = path(&folder, "backup.ksplat");
    assert_eq!(call(&["store", "backup", &file, &backup], b"").2, 0);
    let (out, err, _) = call(&["known", "update", "-o", &backup], b"");
    assert!(out.starts_with("read 0 commits") && err.is_empty(), "{out}{err}");
    // Exports carry the fixes.
    let (export, ..) = call(&["store", "export", &file], b"");
    let copy = path(&folder, "copy.ksplat");
    call(&["store", "import", &copy], export.as_bytes());
    fs::rename(&copy, folder.join("known.ksplat")).unwrap();
    assert_eq!(ask(&folder, &read_after_free("6.1.2"), &[])[0]["backports"][0]["since"], "v6.1.5");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_label_comes_with_its_report() {
    let folder = folder("known-label");
    let file = path(&folder, "known.ksplat");
    for (release, id) in [("6.1.2", "1234abcd"), ("6.1.3", "5678abcd")] {
        let log = path(&folder, id);
        fs::write(&log, read_after_free(release)).unwrap();
        let label = format!("fixed-by {id}");
        assert_eq!(call(&["store", "add", "--first", &file, &log, "--label", &label], b"").2, 0);
    }
    let found = ask(&folder, &read_after_free("6.1.2"), &[]);
    let mut ids: Vec<_> = found.iter().map(|fix| fix["fix"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["1234abcd", "5678abcd"], "each fix of a signature is a candidate");
    // Reports that are added together do not reappear, and have one decision.
    let (one, two) = (path(&folder, "1234abcd"), path(&folder, "5678abcd"));
    let together = path(&folder, "together.ksplat");
    let (out, ..) = call(&["store", "add", &together, &one, &two, "--label", "fixed-by 9abc"], b"");
    assert!(!out.contains("came back"), "{out}");
    let (export, ..) = call(&["store", "export", &together], b"");
    assert_eq!(export.matches("fixed-by 9abc").count(), 1, "{export}");
    let (out, ..) = call(&["store", "undo", &file], b"");
    assert!(out.contains("fixed-by 5678abcd"), "{out}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn bad_input_has_a_message_of_one_line() {
    let folder = history("known-bad");
    let (tree, file) = (path(&folder, "tree"), path(&folder, "known.ksplat"));
    let says = |args: &[&str], words: &str, wanted: i32| {
        let (out, err, status) = call(args, b"");
        assert!(err.contains(words) && err.lines().count() == 1, "{args:?}: {err}{out}");
        assert_eq!(status, wanted, "{args:?}: {err}");
    };
    let (empty, none) = (path(&folder, "empty"), path(&folder, "none"));
    fs::create_dir(&empty).unwrap();
    says(&["known", "build", "--repo", &empty, "-o", &file], "not a git repository", 2);
    assert!(!Path::new(&file).exists(), "a wrong call makes no file");
    says(&["known", "build", "-o", &file], "--repo DIR", 2);
    says(&["known", "build", "--repo", &none, "-o", &file], "none", 2);
    says(&["known", "update", "-o", &none], "`ksplat known build` creates one", 2);
    let unread = path(&folder, "unread.ksplat");
    call(&["store", "add", &unread, common::GPF], b"");
    says(&["known", "update", "-o", &unread], "name one with --repo DIR", 2);
    says(&["known", common::GPF], "--in FILE", 2);
    says(&["known", common::GPF, "--in", &none], "No such file", 2);
    says(&["known", common::GPF, "--in", common::GPF], "gpf", 2);
    // A repository that is no kernel, without commits and with one.
    git(&folder, &["init", "-q", &empty]).unwrap();
    says(&["known", "build", "--repo", &empty, "-o", &file], "no commits", 0);
    git(Path::new(&empty), &["commit", "-q", "--allow-empty", "-m", "no crash"]).unwrap();
    says(&["known", "build", "--repo", &empty, "-o", &file], "no tags", 0);
    // A message of megabytes: only its start is read.
    let crash = read_after_free("6.2.0");
    let text = path(&folder, "message");
    fs::write(&text, format!("a\n\n{crash}\n{}", "b".repeat(3 << 20))).unwrap();
    git(Path::new(&empty), &["commit", "-q", "--allow-empty", "-F", &text]).unwrap();
    let (out, ..) = call(&["known", "build", "--repo", &empty, "-o", &file], b"");
    assert!(out.starts_with("read 1 commit, 1 quotes a crash"), "{out}");
    // Shallow and partial clones.
    let (shallow, partial) = (path(&folder, "shallow"), path(&folder, "partial"));
    let origin = format!("file://{tree}");
    git(&folder, &["clone", "-q", "--depth", "3", &origin, &shallow]).unwrap();
    says(
        &["known", "build", "--repo", &shallow, "-o", &path(&folder, "shallow.ksplat")],
        "shallow clone",
        0,
    );
    // Its earlier commits are read when they are there.
    git(Path::new(&shallow), &["fetch", "-q", "--unshallow"]).unwrap();
    let (out, ..) = call(&["known", "update", "-o", &path(&folder, "shallow.ksplat")], b"");
    assert!(out.starts_with("read 9 commits, 4 quote a crash"), "{out}");
    git(Path::new(&tree), &["config", "uploadpack.allowFilter", "true"]).unwrap();
    git(&folder, &["clone", "-q", "--no-checkout", "--filter=blob:none", &origin, &partial])
        .unwrap();
    fs::remove_file(&file).unwrap();
    says(&["known", "build", "--repo", &partial, "-o", &file], "partial clone", 0);
    let fix = ask(&folder, &crash, &[])[0].clone();
    assert_eq!(fix["files"][0], "drivers/cm/cm_read.c");
    assert_eq!(fix.get("functions"), None);
    // A subject with an escape and marks of Markdown.
    let hostile = "WARNING: CPU: 3 PID: 90 at drivers/cm/cm_ioctl.c:91 cm_ioctl+0x116/0x140\nRIP: 0010:cm_ioctl+0x116/0x140\n\
        Call Trace:\n cm_ctl_open+0x38/0x3b0\n cm_ctl_lookup+0x82/0x90\n";
    for format in ["text", "md", "json", "jsonl"] {
        let (out, ..) = call(&["known", "--in", &file, "--format", format], hostile.as_bytes());
        assert!(out.contains("lock the ioctl") && !out.contains('\u{1b}'), "{format}: {out}");
    }
    let (out, ..) = call(&["known", "--in", &file, "--format", "md"], hostile.as_bytes());
    assert!(out.contains("\n````text\n") && out.ends_with("\n````\n"), "{out}");
    let (out, ..) = call(&["parse", "--known", &file, "--format", "md", "-"], hostile.as_bytes());
    assert!(out.contains("\n````text\n") && out.ends_with("\n````\n"), "{out}");
    assert!(out.contains("lock the ioctl"), "{out}");
    fs::remove_dir_all(folder).unwrap();
}

/// A run that ends between two batches of mails has read all mails that it counted.
#[test]
fn counted_mails_are_read() {
    let folder = folder("known-mails");
    let (inbox, file) = (folder.join("inbox"), path(&folder, "known.ksplat"));
    git(&folder, &["init", "-q", "-b", "master", inbox.to_str().unwrap()]).unwrap();
    let history = |from: &str, mails: std::ops::Range<usize>, crash: usize| {
        let mut text = String::new();
        for number in mails.clone() {
            let body = if number == crash { read_after_free("6.2.0") } else { String::new() };
            let mail = format!("Subject: a crash\nMessage-ID: <{number}@x>\n\n{body}");
            let time = 1_670_000_000 + number;
            let parent = if number == mails.start { from } else { "" };
            write!(
                text,
                "commit refs/heads/master\ncommitter a <a@x> {time} +0000\ndata 1\na\n{parent}\
                 M 100644 inline m\ndata {}\n{mail}\n",
                mail.len()
            )
            .unwrap();
        }
        let path = path(&folder, "history");
        fs::write(&path, text).unwrap();
        let run = Command::new("git")
            .arg("-C")
            .arg(&inbox)
            .args(["-c", "fastimport.unpackLimit=100", "fast-import", "--quiet"])
            .stdin(fs::File::open(path).unwrap())
            .status();
        assert!(run.unwrap().success());
    };
    // The oldest mails are files of their own; the newest 20,000 are counted when the next one is
    // missing.
    history("", 0..10, 99);
    let last = git(&inbox, &["rev-parse", "master"]).unwrap().trim().to_owned();
    history("from refs/heads/master^0\n", 10..20_030, 32);
    let object = inbox.join(".git/objects").join(&last[..2]).join(&last[2..]);
    let aside = folder.join("object");
    fs::rename(&object, &aside).unwrap();
    let inbox = inbox.to_str().unwrap();
    let build = || call(&["known", "build", "--public-inbox", inbox, "-o", &file], b"");
    assert_eq!(build().2, 2);
    fs::rename(&aside, &object).unwrap();
    let (out, err, status) = build();
    assert_eq!((err.as_str(), status), ("", 0), "{out}");
    assert!(out.starts_with("read 0 commits and 30 mails"), "{out}");
    let (out, ..) = call(&["store", "list", &file], b"");
    assert!(out.contains("cm_read"), "{out}");
    fs::remove_dir_all(folder).unwrap();
}

/// A run that was killed between its results and its progress counts no crash twice.
#[test]
fn results_without_progress_are_counted_once() {
    let folder = history("known-counted");
    build(&folder, &[]);
    let file = folder.join("known.ksplat");
    let export = || call(&["store", "export", file.to_str().unwrap()], b"").0;
    let counts = |export: &str| -> Vec<u64> {
        let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter_map(|line| line.get("known")?.get("count")?.as_u64()).collect()
    };
    let whole = export();
    let store = ksplat::store::Store::open(&file).unwrap();
    let (name, done) = store.sources().unwrap().pop().unwrap();
    let mut before = ksplat::store::Progress::default();
    before.tips = done.done;
    store.set_source(&name, &before).unwrap();
    drop(store);
    let (out, err, status) = build(&folder, &[]);
    assert_eq!((err.as_str(), status), ("", 0), "{out}");
    assert!(!counts(&whole).is_empty());
    assert_eq!(counts(&export()), counts(&whole));
    fs::remove_dir_all(folder).unwrap();
}

/// A killed run loses no results: the next one continues, and finds the same.
#[test]
fn the_next_run_continues_a_killed_one() {
    let folder = history("known-killed");
    build(&folder, &[]);
    let whole = call(&["store", "export", &path(&folder, "known.ksplat")], b"").0;
    let killed = path(&folder, "killed.ksplat");
    let tree = path(&folder, "tree");
    for _ in 0..6 {
        let mut run = common::ksplat();
        let run = run.args(["known", "build", "--repo", &tree, "-o", &killed]);
        let mut child = run
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (_, _, status) = call(&["known", "build", "--repo", &tree, "-o", &killed], b"");
    assert_eq!(status, 0);
    let again = call(&["store", "export", &killed], b"").0;
    let fixes = |export: &str| -> Vec<String> {
        let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut fixes: Vec<_> =
            lines.filter_map(|line| Some(line.get("known")?.get("fixes")?.to_string())).collect();
        fixes.sort();
        fixes
    };
    assert_eq!(fixes(&whole), fixes(&again));
    fs::remove_dir_all(folder).unwrap();
}
