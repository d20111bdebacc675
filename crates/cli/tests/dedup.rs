//! `ksplat cluster`, `ksplat match` and `ksplat store`: their output, their errors, their exit status.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// Standard output, standard error, exit status.
fn ksplat(args: &[&str]) -> (String, String, i32) {
    let output = common::ksplat().args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// A directory for the files of one test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ksplat-{}-{name}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A directory of logs: two of one bug on two kernels, one of another bug.
fn logs(name: &str) -> PathBuf {
    let folder = folder(name);
    let log = |site: &str, way: &str, release: &str| {
        format!(
            "kernel BUG at fs/a.c:1!\nCPU: 1 PID: 7 Comm: a Not tainted {release} #1\nRIP: 0010:{site}+0x9b/0x200\n\
             Call Trace:\n {way}+0x1/0x2\n demo_last+0x1/0x2\n do_syscall_64+0x1/0x2\n"
        )
    };
    fs::write(folder.join("one.log"), log("site_a", "way_a", "6.1.0")).unwrap();
    fs::write(folder.join("two.log"), log("site_a", "way_b", "6.2.0")).unwrap();
    fs::write(folder.join("other.log"), log("far_b", "off_b", "6.2.0")).unwrap();
    folder
}

#[test]
fn bugs_are_a_table_of_80_columns() {
    let folder = logs("table");
    let (out, err, status) = ksplat(&["cluster", folder.to_str().unwrap()]);
    assert_eq!((err.as_str(), status), ("", 0));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "reports bug");
    assert_eq!(lines[1], "      2 kernel BUG in site_a");
    assert!(out.contains("6.1.0 to 6.2.0 (2 kernels)"), "{out}");
    assert_eq!(*lines.last().unwrap(), "3 logs, 3 reports, 2 bugs");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{out}");
    let (long, ..) = ksplat(&["cluster", "--long", folder.to_str().unwrap()]);
    assert!(long.contains("joined 1 by site: bug in site_a"), "{long}");
    assert!(long.contains("two.log#0  6.2.0"), "{long}");
}

#[test]
fn links_are_explained_forced_and_forbidden() {
    let folder = logs("links");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (one, two, other) = (path("one.log"), path("two.log"), path("other.log"));
    let all = folder.to_str().unwrap();
    let (why, ..) = ksplat(&["cluster", "--why", &one, &two, all]);
    assert!(why.contains("are of one bug") && why.contains("site (1.00): bug in site_a"), "{why}");
    let (why, ..) = ksplat(&["cluster", "--why", &one, &other, all]);
    assert!(why.contains("are not of one bug") && why.contains("release +"), "{why}");
    assert!(why.contains("  score: 0.") && why.contains("below the threshold 0.65"), "{why}");
    // They are read if they are not among the logs, even without other logs.
    for logs in [&[][..], &[other.as_str()]] {
        let (why, err, status) = ksplat(&[&["cluster", "--why", &one, &two], logs].concat());
        assert_eq!((err.as_str(), status), ("", 0));
        assert!(why.contains("are of one bug"), "{why}");
    }
    let (apart, ..) = ksplat(&["cluster", "--apart", &one, &two, all]);
    assert!(apart.ends_with("3 bugs\n"), "{apart}");
    let (together, ..) = ksplat(&["cluster", "--together", &one, &other, all]);
    assert!(together.ends_with("1 bug\n"), "{together}");
    let (_, err, status) = ksplat(&["cluster", "--why", &one, "nowhere.log", all]);
    assert_eq!((err.as_str(), status), ("ksplat: cluster: nowhere.log: no such report\n", 2));
}

#[test]
fn unreadable_inputs_are_reported_and_the_others_are_read() {
    let folder = logs("bad");
    fs::write(folder.join("empty.log"), b"").unwrap();
    fs::write(folder.join("binary.log"), (0..=255).cycle().take(5000).collect::<Vec<u8>>())
        .unwrap();
    fs::write(folder.join("broken.log.gz"), b"\x1f\x8b\x08 not gzip").unwrap();
    std::os::unix::fs::symlink("/nonexistent", folder.join("gone.log")).unwrap();
    // A cycle of directories, and a pipe without a writer.
    std::os::unix::fs::symlink(&folder, folder.join("again")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
    let (out, err, status) = ksplat(&["cluster", folder.to_str().unwrap()]);
    assert!(out.ends_with("3 reports, 2 bugs\n"), "{out}");
    assert_eq!(err.lines().count(), 3, "{err}");
    for name in ["gone.log: ", "broken.log.gz: ", "binary.log: "] {
        assert!(err.contains(name), "{err}");
    }
    assert_eq!(status, 2);
}

#[test]
fn matches_are_ranked_and_explained() {
    let folder = logs("match");
    let list = folder.join("list");
    let names: Vec<_> = ["one.log", "other.log"]
        .iter()
        .map(|name| folder.join(name).display().to_string())
        .collect();
    fs::write(&list, names.join("\n")).unwrap();
    let two = folder.join("two.log").display().to_string();
    let (out, err, _) =
        ksplat(&["match", &two, "--among", list.to_str().unwrap(), "--format", "jsonl"]);
    assert_eq!(err, "");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["candidates"][0]["file"], *names[0]);
    assert!(answer["candidates"][0]["score"].as_f64().unwrap() > 0.5);
    let (text, _, status) = ksplat(&["match", &two, "--among", list.to_str().unwrap()]);
    assert_eq!(status, 0, "seen before");
    let (_, _, itself) = ksplat(&["match", &names[1], "--among", list.to_str().unwrap()]);
    assert_eq!(itself, 1, "only the query itself");
    fs::write(&list, &names[1]).unwrap();
    let (_, _, new) = ksplat(&["match", &two, "--among", list.to_str().unwrap()]);
    assert_eq!(new, 1);
    assert!(text.contains("one.log#0  kernel BUG in site_a"), "{text}");
    let (_, err, status) = ksplat(&["match", &two]);
    assert_eq!((err.lines().count(), status), (1, 2));
}

#[test]
fn a_store_remembers() {
    let folder = logs("store");
    let path = |name: &str| folder.join(name).display().to_string();
    let store = path("bugs.ksplat");
    let (out, err, status) = ksplat(&["store", "add", &store, &path("one.log")]);
    assert_eq!((err.as_str(), status), ("", 0));
    let bug = out.split_whitespace().next().unwrap().to_owned();
    assert!(out.contains("  new  "), "{out}");
    let (out, _, status) = ksplat(&["match", &path("two.log"), "--store", &store]);
    assert_eq!(status, 0);
    assert!(out.contains("seen before: once since 6.1.0, first on "), "{out}");
    assert!(out.contains(&bug), "{out}");
    let (out, _, status) = ksplat(&["match", &path("other.log"), "--store", &store]);
    assert_eq!(status, 1);
    assert!(out.contains("\n  new\n"), "{out}");
    let (out, ..) = ksplat(&["match", &path("two.log"), "--store", &store, "--format", "jsonl"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&answer["seen"]["bug"], &answer["seen"]["count"]),
        (&bug.clone().into(), &1.into())
    );

    let (_, err, status) = ksplat(&["store", "label", &store, &bug, "fixed-by 1234 since 6.2"]);
    assert_eq!((err.as_str(), status), ("", 0));
    let (out, ..) = ksplat(&["match", &path("one.log"), "--store", &store]);
    assert!(out.contains("  label: fixed-by 1234 since 6.2\n"), "{out}");
    let (out, ..) = ksplat(&["store", "add", &store, &path("one.log")]);
    assert!(out.ends_with("  [fixed-by 1234 since 6.2]\n"), "{out}");
    let (out, ..) = ksplat(&["store", "add", &store, &path("two.log")]);
    assert!(out.contains(&format!("came back ({bug} was fixed)")), "{out}");
    let (out, ..) = ksplat(&["store", "list", &store]);
    assert!(
        out.contains("fixed-by 1234 since 6.2") && out.contains(&format!("came back: was {bug}")),
        "{out}"
    );
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");

    let (export, ..) = ksplat(&["store", "export", &store]);
    assert_eq!(export.lines().count(), 5, "{export}");
    let (_, err, status) = ksplat(&["store", "merge", &path("copy.ksplat"), &store]);
    assert_eq!((err.as_str(), status), ("", 0));
    let (copy, ..) = ksplat(&["store", "export", &path("copy.ksplat")]);
    assert_eq!(copy, export);

    fs::write(path("bugs.ksplat"), b"no store").unwrap();
    let (_, err, status) = ksplat(&["store", "list", &store]);
    assert_eq!((err.lines().count(), status), (1, 2), "{err}");
    let (_, err, status) = ksplat(&["match", &path("two.log"), "--store", &path("none.ksplat")]);
    assert_eq!((err.lines().count(), status), (1, 2), "{err}");
}

#[test]
fn decisions_are_stored_listed_and_revoked() {
    let folder = logs("decisions");
    let path = |name: &str| folder.join(name).display().to_string();
    let store = path("bugs.ksplat");
    let (one, two, other) = (path("one.log"), path("two.log"), path("other.log"));
    let (out, ..) = ksplat(&["store", "add", &store, &one, &two, &other]);
    let ids: Vec<_> = out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    let (a, b) = (ids[0], ids[2]);
    let bugs = || ksplat(&["store", "list", &store]).0.lines().last().unwrap().to_owned();
    let ok = |args: &[&str]| {
        let (out, err, status) = ksplat(args);
        assert_eq!((err.as_str(), status), ("", 0), "{args:?}");
        out
    };
    let why = ok(&["store", "why", &store, a, b]);
    assert!(
        why.contains("are not of one bug") && why.contains("below the threshold 0.65"),
        "{why}"
    );
    ok(&["store", "together", &store, a, b, "--why", "one lock", "--by", "me"]);
    assert!(bugs().ends_with("1 bug"), "{}", bugs());
    for args in [&["--long"][..], &["--format", "json"]] {
        let list = ok(&[&["store", "list", &store][..], args].concat()).replace("\n        ", " ");
        assert!(list.contains("one lock (me)"), "{list}");
    }
    let page = path("page.html");
    ok(&["store", "list", &store, "--html", &page]);
    assert!(fs::read_to_string(&page).unwrap().contains("one lock (me)"));
    let why = ok(&["store", "why", &store, a, b]);
    assert!(why.contains("was merged into") && why.contains("are of one bug"), "{why}");
    let undone = ok(&["store", "undo", &store]);
    assert!(undone.starts_with("undone: together: "), "{undone}");
    assert!(bugs().ends_with("2 bugs"), "{}", bugs());
    ok(&["store", "split", &store, a, &format!("{two}#0"), "--why", "another way"]);
    assert!(bugs().ends_with("3 bugs"), "{}", bugs());
    let (_, err, status) = ksplat(&["store", "split", &store, a, "x"]);
    assert!(err.contains("no report x") && status == 2, "{err}");
    for label in ["invalid", "assigned me", &format!("dup-of {b}")] {
        ok(&["store", "label", &store, a, label]);
    }
    let list = ok(&["store", "list", &store]).replace("\n        ", " ");
    assert!(list.contains("assigned me") && list.contains("invalid"), "{list}");
    let copy = path("copy.ksplat");
    ok(&["store", "merge", &copy, &store]);
    assert_eq!(ok(&["store", "export", &copy]), ok(&["store", "export", &store]));
}

#[test]
fn an_error_names_the_file_that_it_is_about() {
    let folder = logs("errors");
    let path = |name: &str| folder.join(name).display().to_string();
    let (log, none) = (path("one.log"), path("none"));
    let page = path("none/bugs.html");
    for (args, begin) in [
        (&["match", &log, "--among", &none][..], format!("ksplat: {none}: ")),
        (&["cluster", &log, "--files-from", &none], format!("ksplat: {none}: ")),
        (&["cluster", &log, "--html", &page], format!("ksplat: {page}: ")),
        (&["cluster", &log, "--why", &log, "x"], "ksplat: cluster: x: ".to_owned()),
        (
            &["match", &log, "--store", &none],
            format!("ksplat: store: cannot open the store {none}: "),
        ),
        // The second store does not exist.
        (
            &["store", "merge", &path("new"), &none],
            format!("ksplat: store: cannot open the store {none}: "),
        ),
    ] {
        let (out, err, status) = ksplat(args);
        assert!(err.starts_with(&begin) && err.lines().count() == 1, "{args:?}: {err}");
        assert_eq!((out.as_str(), status), ("", 2));
    }
}

/// The DOM of a page in a browser, as text.
fn browse(page: &Path, hash: &str) -> String {
    let profile = folder(&format!("profile{}", hash.len()));
    let output = Command::new("/usr/bin/chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}{hash}", page.display()))
        .output()
        .expect("/usr/bin/chromium");
    let _ = fs::remove_dir_all(profile);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A page of three bugs, one of which attacks the browser; and the data in the page.
fn page(name: &str) -> (PathBuf, serde_json::Value) {
    let folder = logs(name);
    // The text of a panic is its title, so the log controls text on the page.
    let attack = "Kernel panic - not syncing: </script><img src=x onerror=alert(1)>\nCall Trace:\n demo_x+0x1/0x2\n";
    fs::write(folder.join("attack.log"), attack).unwrap();
    let page = folder.join("bugs.html");
    let (out, err, status) =
        ksplat(&["cluster", "--html", page.to_str().unwrap(), folder.to_str().unwrap()]);
    assert_eq!((out.as_str(), err.as_str(), status), ("", "", 0));
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<img"), "text of a log became markup");
    let data = html.split("id=\"list\">").nth(1).unwrap().split("</script>").next().unwrap();
    (page, serde_json::from_str(data).unwrap())
}

#[test]
fn the_page_contains_the_clusters() {
    let (_, data) = page("page");
    assert_eq!(data["bugs"].as_array().unwrap().len(), 3);
}

#[test]
#[ignore = "runs /usr/bin/chromium: cargo test --test dedup -- --ignored"]
fn the_page_displays_text_of_the_log_without_running_it() {
    let (page, data) = page("browser");
    let id = data["bugs"][0]["id"].as_str().unwrap();
    let dom = browse(&page, &format!("#bug={id}"));
    assert!(dom.contains("3 bugs"), "the header");
    for text in ["kernel BUG in site_a", "kernel BUG in far_b", "Stack of the exemplar", "6.2.0"] {
        assert!(dom.contains(text), "{text} is not on the page");
    }
    assert!(!dom.contains("<img"), "text of a log became markup");
}
