//! The store of known bugs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;

use ksplat::cluster::{Index, Observation};
use ksplat::fingerprint::Signature;
use ksplat::store::{Added, Error, Remark, SCHEMA, Sighting, Store};
use proptest::prelude::*;
use redb::ReadableDatabase;

/// A file that is deleted when the test ends.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ksplat-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        Self(path)
    }

    fn open(&self) -> Store {
        Store::open(&self.0).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn sign(functions: [&str; 2], release: &str) -> Signature<'static> {
    let [site, caller] = functions;
    let log = format!(
        "kernel BUG at fs/a.c:1!\nCPU: 1 PID: 7 Comm: a Not tainted {release} #1\nRIP: 0010:{site}+0x9b/0x200\n\
         Call Trace:\n {caller}+0x1/0x2\n demo_last+0x1/0x2\n do_syscall_64+0x1/0x2\n"
    );
    let report = ksplat::reports(log.as_bytes()).next().unwrap();
    Signature::of(&report).into_owned()
}

fn seen(functions: [&str; 2], release: &str, time: u64) -> Sighting<'static> {
    Sighting::new(sign(functions, release), Some(time), format!("{release}.log#0"))
}

fn add(store: &Store, sighting: Sighting<'static>) -> Added {
    store.add(&[sighting]).unwrap()[0]
}

const A: [&str; 2] = ["site_a", "way_a"];
const A_OTHERWISE: [&str; 2] = ["site_a", "way_b"];
const B: [&str; 2] = ["far_b", "off_b"];

#[test]
fn a_store_keeps_its_reports() {
    let file = File::new("remembered");
    let first = add(&file.open(), seen(A, "6.1.0", 100));
    assert!(first.new);
    let again = add(&file.open(), seen(A, "6.2.0", 300));
    assert_eq!((again.bug, again.new, again.back), (first.bug, false, None));
    assert_eq!(add(&file.open(), seen(A_OTHERWISE, "6.2.0", 200)).bug, first.bug);
    let other = add(&file.open(), seen(B, "6.2.0", 250));
    assert!(other.new && other.bug != first.bug);

    let contents = Store::open_read_only(&file.0).unwrap().load().unwrap();
    let index = contents.index();
    let clusters = contents.clusters(&index);
    let (id, cluster) = &clusters[0];
    assert_eq!((*id, cluster.count, cluster.seen), (first.bug, 3, Some((100, 300))));
    let kernels: Vec<_> = cluster.kernels.iter().map(|k| (k.release.as_str(), k.count)).collect();
    assert_eq!(kernels, [("6.1.0", 1), ("6.2.0", 2)]);
    assert_eq!(contents.bug_of(&index, &sign(A, "6.3.0")), Some(first.bug));
    assert_eq!(contents.bug_of(&index, &sign(["new_c", "off_c"], "6.3.0")), None);
    assert_eq!(contents.matches(&index, &sign(B, "6.3.0"), 1)[0].0, other.bug);
}

#[test]
fn a_fixed_bug_that_reappears_is_a_new_one() {
    let file = File::new("back");
    let store = file.open();
    let old = add(&store, seen(A, "6.1.0", 100)).bug;
    store.label(old, "fixed-by 1234abcd since 6.3").unwrap();
    store.label(old, "on all our machines").unwrap();
    // A kernel older than the fix may still have the bug.
    assert_eq!(add(&store, seen(A, "6.2.0", 200)).bug, old);
    let back = add(&store, seen(A, "6.3.0", 300));
    assert_eq!(back.back, Some(old));
    assert_ne!(back.bug, old);
    // The next report is of the new bug, and so is another call path to it.
    assert_eq!(add(&store, seen(A_OTHERWISE, "6.4.0", 400)).bug, back.bug);
    // A kernel without the fix still has the old bug.
    assert_eq!(add(&store, seen(A, "6.2.0", 500)).bug, old);
    let contents = store.load().unwrap();
    let index = contents.index();
    assert_eq!(contents.bug_of(&index, &sign(A, "6.2.0")), Some(old));
    assert_eq!(contents.bug_of(&index, &sign(A, "6.8.0")), Some(back.bug));
    assert_eq!(contents.bugs[&back.bug].previous, Some(old));
    assert_eq!(
        contents.bugs[&old].labels(),
        ["fixed-by 1234abcd since 6.3", "on all our machines"]
    );
    let error = store.label(1, "x").unwrap_err();
    assert!(matches!(error, Error::NoBug { id: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("no bug 0000000000000001"), "{error}");
}

#[test]
fn without_a_release_any_newer_kernel_should_have_the_fix() {
    let file = File::new("newer");
    let store = file.open();
    let old = add(&store, seen(A, "6.1.0", 100)).bug;
    store.label(old, "fixed-by 1234abcd").unwrap();
    assert_eq!(add(&store, seen(A, "6.1.0", 200)).bug, old);
    assert_eq!(add(&store, seen(A, "6.2.0", 300)).back, Some(old));
}

#[test]
fn two_stores_become_one() {
    let (one, other, copy) = (File::new("one"), File::new("other"), File::new("copy"));
    let (a, b) = (one.open(), other.open());
    let old = add(&a, seen(A, "6.1.0", 100)).bug;
    add(&a, seen(B, "6.1.0", 110));
    let new = add(&b, seen(A_OTHERWISE, "6.2.0", 200)).bug;
    b.label(new, "wontfix").unwrap();
    a.merge(&b).unwrap();
    let contents = a.load().unwrap();
    assert_eq!(contents.bugs.len(), 2);
    // The bug that was seen first keeps its ID, and gets the labels of both.
    assert_eq!(contents.bugs[&old].labels, ["wontfix"]);
    assert_eq!(contents.bugs[&old].merged, [new]);
    assert_eq!(contents.known.iter().map(|known| known.count).sum::<u32>(), 3);

    let mut export = Vec::new();
    a.export(&mut export).unwrap();
    let copied = copy.open();
    copied.import(&export).unwrap();
    let mut again = Vec::new();
    copied.export(&mut again).unwrap();
    let lines = |text: &[u8]| {
        let mut lines: Vec<_> = text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&export), lines(&again));
    let error = copied.import(b"\n{}\n").unwrap_err();
    assert!(matches!(error, Error::Import { line: 2, .. }), "{error:?}");
    assert!(error.to_string().starts_with("line 2: "), "{error}");
    assert!(error.source().is_some_and(<dyn std::error::Error>::is::<serde_json::Error>));
    let export = String::from_utf8(export).unwrap();
    let version = ksplat::fingerprint::VERSION;
    let other = export.replace(&format!("\"version\":{version}"), "\"version\":999");
    let error = copied.import(other.as_bytes()).unwrap_err();
    let is_version = |found, supported| (found, supported) == (999, version);
    assert!(
        matches!(error, Error::ImportVersion { found, supported, .. } if is_version(found, supported)),
        "{error:?}"
    );
}

#[test]
fn all_pairs_of_two_stores_find_each_other() {
    let (one, other) = (File::new("pairs-one"), File::new("pairs-other"));
    let (a, b) = (one.open(), other.open());
    let sites = ["s_one", "s_two", "s_three", "s_four"];
    let old: Vec<_> =
        sites.iter().map(|site| add(&a, seen([site, "way_a"], "6.1.0", 100)).bug).collect();
    let order = [2, 0, 3, 1];
    let new: Vec<_> =
        order.map(|at| add(&b, seen([sites[at], "way_b"], "6.2.0", 200)).bug).to_vec();
    a.merge(&b).unwrap();
    let contents = a.load().unwrap();
    assert_eq!(contents.bugs.keys().copied().collect::<Vec<_>>(), {
        let mut old = old.clone();
        old.sort_unstable();
        old
    });
    for (at, new) in order.into_iter().zip(new) {
        assert_eq!(contents.bugs[&old[at]].merged, [new]);
        let known: Vec<_> = contents.known.iter().filter(|known| known.bug == old[at]).collect();
        assert_eq!(known.len(), 2);
        assert!(
            known
                .iter()
                .all(|known| known.signature.site.as_ref().unwrap().functions == [sites[at]])
        );
    }
}

#[test]
fn many_read_while_one_writes() {
    let file = File::new("many");
    let writer = file.open();
    add(&writer, seen(A, "6.1.0", 100));
    let (one, two) =
        (Store::open_read_only(&file.0).unwrap(), Store::open_read_only(&file.0).unwrap());
    add(&writer, seen(B, "6.1.0", 200));
    assert!(one.load().unwrap().known.len() + two.load().unwrap().known.len() >= 2);
    let error = Store::open(&file.0).unwrap_err();
    assert!(matches!(&error, Error::Locked { path, .. } if *path == file.0), "{error:?}");
    assert!(error.source().is_some());
    let error = one.add(&[]).unwrap_err();
    assert!(matches!(&error, Error::ReadOnly { path, .. } if *path == file.0), "{error:?}");
    assert!(error.to_string().contains("opened for reading"));
}

#[test]
fn unusable_files_are_reported() {
    let file = File::new("unusable");
    let missing = Store::open_read_only(&file.0).unwrap_err();
    assert!(matches!(&missing, Error::Open { path, .. } if *path == file.0), "{missing:?}");
    let start = format!("cannot open the store {}: ", file.0.display());
    assert!(missing.to_string().starts_with(&start), "{missing}");
    for text in ["this is no database", &"this is no database\n".repeat(1000)] {
        fs::write(&file.0, text).unwrap();
        for error in
            [Store::open(&file.0).unwrap_err(), Store::open_read_only(&file.0).unwrap_err()]
        {
            assert!(matches!(&error, Error::NoStore { path, .. } if *path == file.0), "{error:?}");
        }
    }
    fs::remove_file(&file.0).unwrap();
    // A database of another program.
    for table in ["other", "meta"] {
        let db = redb::Database::create(&file.0).unwrap();
        let write = db.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<&str, u64>::new(table)).unwrap();
        write.commit().unwrap();
        db.close().unwrap();
        for other in
            [Store::open(&file.0).unwrap_err(), Store::open_read_only(&file.0).unwrap_err()]
        {
            assert!(matches!(other, Error::NoStore { .. }), "{other:?}");
            assert!(other.source().is_some());
        }
        let db = redb::Database::open(&file.0).unwrap();
        let tables = db.begin_read().unwrap().list_tables().unwrap().count();
        assert_eq!(tables, 1, "{table} was written to");
        fs::remove_file(&file.0).unwrap();
    }
}

#[test]
fn a_store_of_a_newer_schema_is_refused() {
    let file = File::new("schema");
    drop(file.open());
    {
        let db = redb::Database::create(&file.0).unwrap();
        let write = db.begin_write().unwrap();
        let meta = redb::TableDefinition::<&str, u64>::new("meta");
        write.open_table(meta).unwrap().insert("schema", 99).unwrap();
        write.commit().unwrap();
    }
    for error in [Store::open(&file.0).unwrap_err(), Store::open_read_only(&file.0).unwrap_err()] {
        assert!(
            matches!(error, Error::NewerSchema { found: 99, supported: SCHEMA, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("schema 99"), "{error}");
    }
}

#[test]
fn damage_is_reported_and_the_rest_is_read() {
    let file = File::new("damaged");
    let known = add(&file.open(), seen(A, "6.1.0", 100)).bug;
    {
        let db = redb::Database::create(&file.0).unwrap();
        let write = db.begin_write().unwrap();
        let table = redb::TableDefinition::<&[u8], &[u8]>::new("rows");
        let key = [&[2][..], &7_u64.to_be_bytes(), &9_u64.to_be_bytes()].concat();
        let row = b"{\"bug\":".as_slice();
        write.open_table(table).unwrap().insert(key.as_slice(), row).unwrap();
        let meta = redb::TableDefinition::<&str, u64>::new("meta");
        write.open_table(meta).unwrap().insert("rows", 3).unwrap();
        write.commit().unwrap();
    }
    let contents = Store::open_read_only(&file.0).unwrap().load().unwrap();
    assert_eq!((contents.damaged.len(), contents.known.len()), (1, 1));
    assert_eq!((contents.damaged[0].bug, contents.damaged[0].signature), (Some(7), Some(9)));
    assert_eq!(contents.known[0].bug, known);
    // Unreadable rows are not deleted.
    add(&file.open(), seen(B, "6.1.0", 200));
    let contents = Store::open_read_only(&file.0).unwrap().load().unwrap();
    assert_eq!((contents.damaged.len(), contents.known.len()), (1, 2));
    // For any other change of the file the result is correct or an error.
    let whole = fs::read(&file.0).unwrap();
    let mut damaged = 0;
    for at in (0..whole.len()).step_by(whole.len() / 64 + 1) {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        fs::write(&file.0, &broken).unwrap();
        let read = Store::open_read_only(&file.0).and_then(|store| store.load());
        let written = Store::open(&file.0).and_then(|store| store.load());
        for found in [read, written] {
            damaged += usize::from(matches!(found, Err(Error::Damaged { .. })));
        }
        fs::write(&file.0, &whole[..at]).unwrap();
        let _ = Store::open_read_only(&file.0).and_then(|store| store.load());
    }
    assert!(damaged > 0);
}

/// A copy of a store that an older version made: `tests/fixture/stores/README.md`.
fn older(version: &str) -> (File, String) {
    let file = File::new(&format!("older-{version}"));
    let fixture = format!("tests/fixture/stores/{version}");
    fs::copy(format!("{fixture}.ksplat"), &file.0).unwrap();
    (file, fs::read_to_string(format!("{fixture}.jsonl")).unwrap())
}

fn export(store: &Store) -> String {
    let mut text = Vec::new();
    store.export(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Returns an export without the version and hashes of signatures, which are recomputed for a new
/// version. The order of rows follows from the hashes.
fn unsigned(export: &str) -> String {
    let mut rows: Vec<String> = export.lines().map(unsigned_row).collect();
    rows.sort_unstable();
    rows.join("\n")
}

fn unsigned_row(row: &str) -> String {
    let mut row = row.to_owned();
    for (start, end) in [
        ("\"version\":", ","),
        ("\"exact\":\"", "\""),
        ("\"signatures\":[", "]"),
        ("\"others\":[", "]"),
    ] {
        if let Some(at) = row.find(start).map(|at| at + start.len())
            && let Some(len) = row[at..].find(end)
        {
            row.replace_range(at..at + len, "");
        }
    }
    row
}

#[test]
fn a_store_of_the_first_schema_keeps_everything() {
    let (file, lines) = older("v3");
    let bytes = fs::read(&file.0).unwrap();
    let now = |store: &Store| unsigned(&uncounted(&export(store)));
    let before = unsigned(&lines);
    assert_eq!(now(&Store::open_read_only(&file.0).unwrap()), before);
    assert!(fs::read(&file.0).unwrap() == bytes, "a reader wrote");
    assert_eq!(now(&file.open()), before);
    assert_eq!(now(&Store::open_read_only(&file.0).unwrap()), before);
    // Importing its own old export adds nothing.
    let store = file.open();
    let before = export(&store);
    store.import(lines.as_bytes()).unwrap();
    assert_eq!(export(&store), before);
    drop(store);
    let db = redb::Database::open(&file.0).unwrap();
    let read = db.begin_read().unwrap();
    let meta = read.open_table(redb::TableDefinition::<&str, u64>::new("meta")).unwrap();
    assert_eq!(redb::ReadableTable::get(&meta, "schema").unwrap().unwrap().value(), SCHEMA);
    assert_eq!(read.list_tables().unwrap().count(), 3);
}

#[test]
fn a_store_of_the_second_schema_keeps_everything() {
    let (file, lines) = older("v3-schema2");
    let bytes = fs::read(&file.0).unwrap();
    let reader = Store::open_read_only(&file.0).unwrap();
    assert_eq!(unsigned(&export(&reader)), unsigned(&lines));
    let contents = reader.load().unwrap();
    assert_eq!((contents.bugs.len(), contents.decisions.len()), (7, 6));
    assert_eq!(contents.standing().len(), 4);
    drop(reader);
    assert!(fs::read(&file.0).unwrap() == bytes, "a reader wrote");
    assert_eq!(unsigned(&export(&file.open())), unsigned(&lines));
    // Later reports and decisions are added to it.
    let store = file.open();
    let lines = export(&store);
    let bug = add(&store, seen(A, "6.4.0", 500)).bug;
    store.label(bug, "wontfix").unwrap();
    store.undo(remark()).unwrap();
    let kept: Vec<_> = lines.lines().collect();
    let now = export(&store);
    let later: Vec<_> = now.lines().filter(|line| !kept.contains(line)).collect();
    assert_eq!((later.len(), now.lines().count() - kept.len()), (4, 4), "{later:?}");
}

#[test]
fn a_store_with_decisions_keeps_everything() {
    ["v3-schema3", "v4-schema3", "v4-schema4"].into_iter().for_each(keeps_everything);
}

fn keeps_everything(name: &str) {
    let (file, lines) = older(name);
    let reader = Store::open_read_only(&file.0).unwrap();
    assert_eq!(unsigned(&export(&reader)), unsigned(&lines));
    let contents = reader.load().unwrap();
    let bugs = lines.lines().filter(|line| line.starts_with("{\"bug\":{")).count();
    assert_eq!((contents.bugs.len(), contents.decisions.len()), (bugs, 10));
    assert_eq!(contents.standing().len(), 8);
    assert_eq!(contents.damaged, []);
    drop(reader);
    // A later version may group differently; decisions are kept, and all IDs are valid.
    let store = file.open();
    assert!(add(&store, seen(A, "6.4.0", 500)).new);
    let now = store.load().unwrap();
    assert_eq!(now.decisions, contents.decisions);
    for id in contents.bugs.keys() {
        assert!(now.bugs.contains_key(&now.alias(*id)), "{id:016x}");
    }
    assert_eq!(now.known.len(), contents.known.len() + 1);
}

/// Returns an export without the ID of the store that counted.
fn uncounted(export: &str) -> String {
    let lines = export.lines().map(|line| {
        let end = line.rfind(",\"store\":\"").unwrap_or(line.len());
        let rest = line.get(end + 27..).unwrap_or_default();
        format!("{}{}\n", &line[..end], rest)
    });
    lines.collect()
}

#[test]
fn signatures_of_an_older_version_are_signed_again() {
    let (file, lines) = older("v2");
    let (of_3, _) = older("v3");
    let ids = |text: &str| -> Vec<String> {
        let bugs = text.lines().filter(|line| line.starts_with("{\"bug\""));
        bugs.map(|line| line[14..30].to_owned()).collect()
    };
    let imported = File::new("older-import");
    imported.open().import(lines.as_bytes()).unwrap();
    let of_import = export(&imported.open());
    for read in [true, false] {
        let store = if read { Store::open_read_only(&file.0).unwrap() } else { file.open() };
        let text = export(&store);
        assert_eq!(ids(&text), ids(&lines), "old ids are kept");
        assert!(!text.contains("\"version\":2"), "{text}");
        assert!(text.contains("on all our machines") && text.contains("1234abcd"), "{text}");
        assert_eq!(text, of_import);
    }
    // The hashes equal those of this version, if the rules of both versions agree.
    let exact = |store: &Store| -> Vec<u64> {
        let known = store.load().unwrap().known;
        let bugs = known.iter().filter(|known| known.signature.family.name() == "bug");
        let mut exact: Vec<_> = bugs.map(|known| known.signature.exact).collect();
        exact.sort_unstable();
        exact
    };
    assert_eq!(exact(&file.open()), exact(&of_3.open()));
    assert_eq!(exact(&file.open()).len(), 4);
}

#[test]
fn signatures_of_a_newer_version_are_refused() {
    let file = File::new("newer-version");
    drop(file.open());
    {
        let db = redb::Database::create(&file.0).unwrap();
        let write = db.begin_write().unwrap();
        let meta = redb::TableDefinition::<&str, u64>::new("meta");
        write.open_table(meta).unwrap().insert("fingerprint", 99).unwrap();
        write.commit().unwrap();
    }
    for error in [Store::open(&file.0).unwrap_err(), Store::open_read_only(&file.0).unwrap_err()] {
        assert!(matches!(error, Error::NewerFingerprint { found: 99, .. }), "{error:?}");
        assert!(error.to_string().contains("use a newer ksplat"), "{error}");
    }
}

/// The bug of a signature.
fn bug_of(store: &Store, functions: [&str; 2]) -> u64 {
    let exact = sign(functions, "6.1.0").exact;
    let known = store.load().unwrap().known;
    known.iter().find(|known| known.signature.exact == exact).unwrap().bug
}

fn remark() -> Remark {
    Remark::now().with_by(Some("me".to_owned())).with_why(Some("because".to_owned()))
}

#[test]
fn decisions_hold_for_later_reports_and_can_be_revoked() {
    let file = File::new("decisions");
    let store = file.open();
    let a = add(&store, seen(A, "6.1.0", 100)).bug;
    let b = add(&store, seen(B, "6.1.0", 200)).bug;
    store.together(b, a, remark()).unwrap();
    let contents = store.load().unwrap();
    assert_eq!(contents.bugs.keys().copied().collect::<Vec<_>>(), [a]);
    assert_eq!(contents.alias(b), a);
    let label = format!("together: {b:016x} and {a:016x}: because (me)");
    assert_eq!(contents.labels(a), [label]);
    // The merged ID is still valid.
    store.label(b, "wontfix").unwrap();
    assert_eq!(store.load().unwrap().bugs[&a].labels, ["wontfix"]);
    let undone = store.undo(remark()).unwrap();
    assert!(undone.to_string().contains("wontfix"), "{undone}");
    assert!(store.load().unwrap().bugs[&a].labels.is_empty());
    store.undo(remark()).unwrap();
    // The oldest part keeps the ID, the other one has its old ID again.
    assert_eq!((bug_of(&store, A), bug_of(&store, B)), (a, b));
    assert_eq!(store.load().unwrap().bugs[&b].split_from, Some(a));
    assert!(matches!(store.undo(remark()), Err(Error::NoDecision { .. })));

    let other = add(&store, seen(A_OTHERWISE, "6.1.0", 300)).bug;
    assert_eq!(other, a);
    let place = store.load().unwrap().known[0].places[0].clone();
    let exact = format!("{:016x}", sign(A_OTHERWISE, "6.1.0").exact);
    assert!(matches!(store.split(a, &["x".to_owned()], remark()), Err(Error::NoReport { .. })));
    assert!(matches!(store.split(b, &[place], remark()), Err(Error::WholeBug { .. })));
    store.split(a, &[exact], remark()).unwrap();
    let part = bug_of(&store, A_OTHERWISE);
    assert!(part != a && bug_of(&store, A) == a);
    add(&store, seen(["site_a", "way_c"], "6.1.0", 400));
    assert_eq!(bug_of(&store, A_OTHERWISE), part, "another report does not join them again");
    store.undo(remark()).unwrap();
    assert_eq!(bug_of(&store, A_OTHERWISE), a);
    assert_eq!(store.load().unwrap().alias(part), a);
    assert!(matches!(store.apart(a, part, remark()), Err(Error::OneBug { .. })));
    store.apart(a, b, remark()).unwrap();
    assert!(matches!(store.apart(a, 1, remark()), Err(Error::NoBug { id: 1, .. })));
}

/// A store with decisions, and one with other decisions about some of the same bugs.
fn two_stores(name: &str) -> [File; 2] {
    let files = [File::new(&format!("{name}-a")), File::new(&format!("{name}-b"))];
    for (at, file) in files.iter().enumerate() {
        let store = file.open();
        let time = 100 + at as u64;
        let a = add(&store, seen(A, "6.1.0", time)).bug;
        let b = add(&store, seen(B, "6.2.0", 10 * time)).bug;
        add(&store, seen(A, "6.3.0", time + 1));
        store.label(a, ["on all", "on some"][at]).unwrap();
        store.label(b, ["fixed-by 1 since 6.9", "fixed-by 2 since 6.8"][at]).unwrap();
        if at == 1 {
            let way = add(&store, seen(A_OTHERWISE, "6.1.0", 50)).bug;
            store.together(way, b, remark()).unwrap();
        }
    }
    files
}

#[test]
fn imports_are_commutative_and_idempotent() {
    let [a, b] = two_stores("merge");
    let (of_a, of_b) = (export(&a.open()), export(&b.open()));
    let merged = |exports: &[&String]| {
        let file = File::new("merged");
        let store = file.open();
        for text in exports {
            store.import(text.as_bytes()).unwrap();
        }
        export(&store)
    };
    assert_eq!(merged(&[&of_a]), of_a, "identity");
    assert_eq!(merged(&[&of_b]), of_b, "identity");
    let both = merged(&[&of_a, &of_b]);
    assert_eq!(merged(&[&of_b, &of_a]), both, "commutative");
    assert_eq!(merged(&[&of_a, &of_b, &of_a, &of_b]), both, "idempotent");
    assert_eq!(merged(&[&both, &of_a]), both, "idempotent");
    assert!(both.contains("\"counts\":["), "{both}");
    // A store with newer counts: only new reports are added.
    let store = a.open();
    add(&store, seen(A, "6.4.0", 500));
    let of_later = export(&store);
    drop(store);
    let later = merged(&[&of_a, &of_b, &of_later]);
    let count = |text: &str| -> u64 {
        let known = text.lines().filter(|line| line.starts_with("{\"known\""));
        let lines = known.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| line["known"]["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((count(&of_a), count(&of_b), count(&both), count(&later)), (3, 4, 7, 8));
    // The same for `merge`.
    b.open().merge(&a.open()).unwrap();
    assert_eq!(export(&b.open()), merged(&[&of_later, &of_b]));
}

/// Reports of a few sites with a few call paths each: some are users of one helper, some have an
/// offset from NULL, some no stack, so that later reports split earlier groups.
fn any_reports() -> impl Strategy<Value = Vec<(usize, usize, usize, usize)>> {
    proptest::collection::vec((0..3_usize, 0..4_usize, 0..4_usize, 0..3_usize), 1..14)
}

fn report((kind, site, way, far): (usize, usize, usize, usize)) -> Signature<'static> {
    let head = match kind {
        0 => "kernel BUG at fs/a.c:1!\n".to_owned(),
        1 => format!("BUG: kernel NULL pointer dereference, address: 00000000000000{way}8\n"),
        _ => format!("WARNING: CPU: 1 PID: 7 at fs/a.c:1 cm_site_{site}+0x9b/0x200\n"),
    };
    let log = format!(
        "{head}CPU: 1 PID: 7 Comm: a Not tainted 6.1.0 #1\nRIP: 0010:cm_site_{site}+0x9b/0x200\n\
         Call Trace:\n cm_way_{way}+0x1/0x2\n cm_far_{far}+0x1/0x2\n do_syscall_64+0x1/0x2\n"
    );
    let report = ksplat::reports(log.as_bytes()).next().unwrap();
    Signature::of(&report).into_owned()
}

/// The signatures of each bug.
fn grouped<'a>(of: impl Iterator<Item = (u64, &'a Signature<'a>)>) -> Vec<Vec<u64>> {
    let mut groups = std::collections::BTreeMap::<u64, Vec<u64>>::new();
    of.for_each(|(group, signature)| groups.entry(group).or_default().push(signature.exact));
    let mut groups: Vec<_> = groups
        .into_values()
        .map(|mut group| {
            group.sort_unstable();
            group.dedup();
            group
        })
        .collect();
    groups.sort();
    groups
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_batching_equals_the_batch(
        (reports, order) in any_reports().prop_flat_map(|reports| {
            let order: Vec<usize> = (0..reports.len()).collect();
            (Just(reports), Just(order).prop_shuffle())
        }),
        cuts in any::<u16>(),
    ) {
        let signatures: Vec<_> = reports.into_iter().map(report).collect();
        let mut index = Index::new();
        for signature in &signatures {
            index.add(signature, Observation::default());
        }
        let batch = index.clusters();
        let batch = grouped((0_u64..).zip(&batch).flat_map(|(number, cluster)| {
            let signatures = &signatures;
            cluster.reports.iter().map(move |report| (number, &signatures[*report as usize]))
        }));
        let file = File::new("stream");
        let store = file.open();
        let mut ids = std::collections::BTreeMap::new();
        let all: Vec<_> = (0_u64..).zip(order).map(|(time, at)| (time, &signatures[at])).collect();
        for (at, (time, signature)) in all.iter().enumerate() {
            if at % 2 == 1 {
                continue;
            }
            // One by one, or two at once.
            let mut chunk = vec![Sighting::new((*signature).clone(), Some(*time), "a#0".to_owned())];
            if let Some((time, next)) = all.get(at + 1) {
                let next = Sighting::new((*next).clone(), Some(*time), "b#0".to_owned());
                if cuts >> (at % 16) & 1 == 1 {
                    chunk.push(next);
                    store.add(&chunk).unwrap();
                } else {
                    store.add(&chunk).unwrap();
                    store.add(&[next]).unwrap();
                }
            } else {
                store.add(&chunk).unwrap();
            }
            // The oldest bug keeps its ID as long as it exists.
            let contents = store.load().unwrap();
            for known in &contents.known {
                let id = *ids.entry(known.signature.exact).or_insert(known.bug);
                prop_assert!(contents.bugs.contains_key(&contents.alias(id)), "{id:x} is gone");
            }
        }
        let contents = store.load().unwrap();
        let stream = grouped(contents.known.iter().map(|known| (known.bug, &known.signature)));
        prop_assert_eq!(stream, batch);
    }
}
