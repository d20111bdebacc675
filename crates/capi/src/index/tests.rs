//! Tests of the index, with the logs of one bug in `tests/duplicates`.

use std::ptr;

use serde_json::{Value, json};

use super::*;
use crate::tests::{LOG, given, last_error, parse_with};

const ADD: &[u8] = include_bytes!("../../../../tests/duplicates/queue-add.log");
const SCHEDULE: &[u8] = include_bytes!("../../../../tests/duplicates/schedule-buff.log");

/// An index that is freed with its scope.
struct Owned(*mut Index);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { ksplat_index_free(self.0) }
    }
}

impl Owned {
    fn new() -> Self {
        let mut index = ptr::null_mut();
        // SAFETY: a place for a pointer.
        assert_eq!(unsafe { ksplat_index_new(&raw mut index) }, ErrorCode::None);
        Self(index)
    }

    fn try_add(&self, json: &[u8]) -> Result<(u32, usize), ErrorCode> {
        let (mut first, mut count) = (77, 77);
        let start = json.as_ptr().cast();
        // SAFETY: the JSON has that length.
        let code =
            unsafe { ksplat_index_add(self.0, start, json.len(), &raw mut first, &raw mut count) };
        match code {
            ErrorCode::None => Ok((first, count)),
            code => {
                assert_eq!((first, count), (77, 77));
                Err(code)
            }
        }
    }

    fn add(&self, json: &Value) -> (u32, usize) {
        self.try_add(json.to_string().as_bytes())
            .unwrap_or_else(|code| panic!("{code:?}: {}", last_error()))
    }

    fn matches(&self, json: &Value, top: usize) -> Value {
        let json = json.to_string();
        // SAFETY: the JSON has that length.
        given(|out| unsafe {
            ksplat_index_match(self.0, json.as_ptr().cast(), json.len(), top, out)
        })
    }

    fn same(&self, json: &Value) -> i64 {
        let (json, mut same) = (json.to_string(), 77);
        // SAFETY: the JSON has that length.
        let code =
            unsafe { ksplat_index_same(self.0, json.as_ptr().cast(), json.len(), &raw mut same) };
        assert_eq!(code, ErrorCode::None, "{}", last_error());
        same
    }

    fn clusters(&self) -> Vec<Vec<u64>> {
        // SAFETY: the index is not freed.
        let clusters = given(|out| unsafe { ksplat_index_clusters(self.0, out) });
        let reports = |cluster: &Value| {
            let reports = cluster["reports"].as_array().expect("reports");
            reports.iter().filter_map(Value::as_u64).collect()
        };
        clusters.as_array().expect("clusters").iter().map(reports).collect()
    }
}

fn same_bug(a: &Value, b: &Value) -> c_int {
    let (a, b, mut same) = (a.to_string(), b.to_string(), 77);
    let [start_a, start_b] = [&a, &b].map(|json| json.as_ptr().cast());
    // SAFETY: the JSON has that length.
    let code = unsafe { ksplat_same_bug(start_a, a.len(), start_b, b.len(), &raw mut same) };
    assert_eq!(code, ErrorCode::None, "{}", last_error());
    same
}

#[test]
fn two_logs_of_one_bug_are_one_cluster() {
    let [add, schedule, other] = [ADD, SCHEDULE, LOG].map(|log| parse_with(ptr::null(), log));
    let index = Owned::new();
    assert_eq!(index.clusters(), Vec::<Vec<u64>>::new());
    assert_eq!(index.matches(&add[0], 3), json!([]));
    assert_eq!(index.same(&add[0]), -1);
    assert_eq!(index.add(&other), (0, 1));
    assert_eq!(index.add(&add), (1, 1));
    assert_eq!((index.same(&add[0]), index.same(&schedule[0])), (1, 1));
    let matches = index.matches(&schedule[0], 5);
    assert_eq!(matches[0]["report"], 1);
    assert_eq!(matches[0]["title"], add[0]["report"]["title"]);
    assert!((0.65..=1.0).contains(&matches[0]["score"].as_f64().expect("a score")), "{matches}");
    assert!(matches[0]["features"]["files"].is_number(), "{matches}");
    assert_eq!(index.matches(&schedule[0], 0), json!([]));
    assert_eq!(index.matches(&schedule[0], 1).as_array().map(Vec::len), Some(1));
    assert_eq!(index.add(&schedule), (2, 1));
    assert_eq!(index.clusters(), [vec![1, 2], vec![0]]);
    assert_eq!((same_bug(&add[0], &schedule[0]), same_bug(&add[0], &other[0])), (1, 0));
    assert_eq!(same_bug(&other[0], &other[0]), 1);
}

#[test]
fn clusters_have_the_fields_of_the_header() {
    let index = Owned::new();
    index.add(&parse_with(ptr::null(), ADD));
    // SAFETY: the index is not freed.
    let clusters = given(|out| unsafe { ksplat_index_clusters(index.0, out) });
    for field in [
        "id", "title", "kind", "family", "impact", "count", "titles", "kernels", "links",
        "perhaps", "exemplar", "summary", "reports",
    ] {
        assert!(!clusters[0][field].is_null(), "{field}");
    }
}

#[test]
fn a_report_a_signature_and_both_are_equal() {
    let parsed = parse_with(ptr::null(), ADD);
    let item = &parsed[0];
    let mut bare = item["report"].clone();
    // As a program that does not explain wrote it: the index explains it, so that it is equal.
    bare.as_object_mut().expect("an object").remove("explanation");
    assert!(!item["report"]["explanation"].is_null());
    let index = Owned::new();
    for (number, json) in
        (0..).zip([item, &item["signature"], &item["report"], &json!({"report": bare}), &bare])
    {
        assert_eq!(index.add(json), (number, 1));
    }
    // SAFETY: the index is not freed.
    let signatures =
        (0..5).map(|number| given(|out| unsafe { ksplat_index_signature(index.0, number, out) }));
    for signature in signatures {
        assert_eq!(signature, item["signature"]);
    }
    for json in [&item["signature"], &item["report"], &bare] {
        assert_eq!(index.same(json), 0);
    }
    // All of them at once, and the start of a report, which is none.
    let all = json!([item, {"event": "started", "title": "x"}, item["signature"], bare]);
    assert_eq!(index.add(&all), (5, 3));
    assert_eq!(index.add(&json!([])), (8, 0));
    assert_eq!(index.add(&json!({"event": "started"})), (8, 0));
    assert_eq!(index.clusters(), [(0..8).collect::<Vec<_>>()]);
}

#[test]
fn decisions_join_and_part() {
    let index = Owned::new();
    for log in [ADD, SCHEDULE, LOG] {
        index.add(&parse_with(ptr::null(), log));
    }
    // SAFETY: the index is not freed.
    let links =
        |link: unsafe extern "C" fn(*mut Index, _, _) -> _, a, b| unsafe { link(index.0, a, b) };
    assert_eq!(index.clusters(), [vec![0, 1], vec![2]]);
    assert_eq!(links(ksplat_index_cannot_link, 0, 1), ErrorCode::None);
    assert_eq!(index.clusters().len(), 3);
    assert_eq!(links(ksplat_index_must_link, 1, 2), ErrorCode::None);
    assert_eq!(index.clusters(), [vec![1, 2], vec![0]]);
    for link in [ksplat_index_must_link, ksplat_index_cannot_link] {
        assert_eq!(links(link, 0, 3), ErrorCode::Number);
        assert_eq!(last_error(), "there is no report 3: the index has 3");
        assert_eq!(links(link, u32::MAX, 0), ErrorCode::Number);
    }
    assert_eq!(index.clusters(), [vec![1, 2], vec![0]]);
}

#[test]
fn wrong_json_is_an_error_and_adds_nothing() {
    let index = Owned::new();
    let good = parse_with(ptr::null(), LOG);
    let mut old = good[0].clone();
    old["signature"]["version"] = json!(1);
    let half = json!([good[0], {"signature": {"exact": "00"}}]).to_string();
    let deep = "[".repeat(1 << 20);
    for (json, code, text) in [
        (&b""[..], ErrorCode::Json, "EOF while parsing a value at line 1 column 0"),
        (b"{\"a\":", ErrorCode::Json, "line 1 column 5"),
        (b"7", ErrorCode::Json, "the JSON is not a report: "),
        (b"null", ErrorCode::Json, "the JSON is not a report: "),
        (b"{}", ErrorCode::Json, "the JSON is not a report: missing field"),
        (b"[{}]", ErrorCode::Json, "element 0 of the array is not a report: "),
        (b"{\"signature\":null}", ErrorCode::Json, "the JSON is not a signature: "),
        (b"{\"exact\":1}", ErrorCode::Json, "the JSON is not a signature: "),
        (b"\"\\ud800\"", ErrorCode::Json, "hex escape"),
        (
            b"{\"a\xff\":1}",
            ErrorCode::Utf8,
            "`json`: invalid utf-8 sequence of 1 bytes from index 3",
        ),
        (b"[]\0", ErrorCode::Json, "trailing characters"),
        (half.as_bytes(), ErrorCode::Json, "element 1 of the array is not a signature: "),
        (deep.as_bytes(), ErrorCode::Json, "recursion limit"),
        (
            old.to_string().as_bytes(),
            ErrorCode::Version,
            &format!(
                "the signature has version 1, but this library makes {}",
                ksplat::fingerprint::VERSION
            ),
        ),
    ] {
        assert_eq!(index.try_add(json), Err(code), "{text}");
        assert!(last_error().contains(text), "{}, not {text}", last_error());
        let start = json.as_ptr().cast();
        let (mut out, mut report, mut same) = (ptr::dangling_mut(), 77, 77);
        let good = good[0].to_string();
        // SAFETY: the JSON has that length.
        unsafe {
            let matches = ksplat_index_match(index.0, start, json.len(), 1, &raw mut out);
            assert!(matches == code || json.starts_with(b"["), "{text}");
            assert!(out.is_null());
            let found = ksplat_index_same(index.0, start, json.len(), &raw mut report);
            assert_ne!(found, ErrorCode::None);
            let (a, b) = (good.as_ptr().cast(), start);
            let compared = ksplat_same_bug(a, good.len(), b, json.len(), &raw mut same);
            assert_ne!(compared, ErrorCode::None);
        }
        assert_eq!((report, same), (77, 77));
    }
    assert_eq!(index.add(&json!([])), (0, 0));
    // An array, even of one, is not one object.
    let one = good.to_string();
    let mut out = ptr::null_mut();
    // SAFETY: the JSON has that length.
    let code =
        unsafe { ksplat_index_match(index.0, one.as_ptr().cast(), one.len(), 1, &raw mut out) };
    assert_eq!((code, out.is_null()), (ErrorCode::Json, true));
}

#[test]
fn null_and_unknown_numbers_are_errors() {
    let index = Owned::new();
    let (json, none) = (c"{}".as_ptr(), ptr::null_mut::<Index>());
    let mut out = ptr::dangling_mut::<c_char>();
    let (mut report, mut same) = (0, 0);
    // SAFETY: NULL is allowed, and a length without bytes is refused before it is read.
    unsafe {
        let is_null = |code| {
            assert_eq!(code, ErrorCode::Null);
            last_error()
        };
        is_null(ksplat_index_new(ptr::null_mut()));
        let [first, count] = [ptr::null_mut(); 2];
        let text = is_null(ksplat_index_add(none, json, 2, first, count.cast()));
        assert_eq!(text, "`index` is NULL");
        let text = is_null(ksplat_index_add(index.0, ptr::null(), 0, first, count.cast()));
        assert_eq!(text, "`json` is NULL");
        let code = ksplat_index_add(index.0, json, usize::MAX, first, count.cast());
        assert_eq!(code, ErrorCode::Length);
        is_null(ksplat_index_match(none, json, 2, 1, &raw mut out));
        is_null(ksplat_index_match(index.0, ptr::null(), 2, 1, &raw mut out));
        is_null(ksplat_index_match(index.0, json, 2, 1, ptr::null_mut()));
        is_null(ksplat_index_same(none, json, 2, &raw mut report));
        is_null(ksplat_index_same(index.0, ptr::null(), 2, &raw mut report));
        is_null(ksplat_index_same(index.0, json, 2, ptr::null_mut()));
        is_null(ksplat_index_signature(none, 0, &raw mut out));
        is_null(ksplat_index_signature(index.0, 0, ptr::null_mut()));
        is_null(ksplat_index_must_link(none, 0, 0));
        is_null(ksplat_index_cannot_link(none, 0, 0));
        is_null(ksplat_index_clusters(none, &raw mut out));
        is_null(ksplat_index_clusters(index.0, ptr::null_mut()));
        is_null(ksplat_same_bug(ptr::null(), 2, json, 2, &raw mut same));
        is_null(ksplat_same_bug(json, 2, ptr::null(), 2, &raw mut same));
        is_null(ksplat_same_bug(json, 2, json, 2, ptr::null_mut()));
        assert!(out.is_null());
        ksplat_index_free(ptr::null_mut());

        assert_eq!(ksplat_index_signature(index.0, 0, &raw mut out), ErrorCode::Number);
        assert_eq!(last_error(), "there is no report 0: the index has 0");
        // Without places for the numbers.
        index.add(&parse_with(ptr::null(), LOG));
        let json = parse_with(ptr::null(), LOG).to_string();
        let code = ksplat_index_add(index.0, json.as_ptr().cast(), json.len(), first, count.cast());
        assert_eq!(code, ErrorCode::None);
        assert_eq!(ksplat_index_signature(index.0, 2, &raw mut out), ErrorCode::Number);
    }
    assert_eq!(index.clusters(), [vec![0, 1]]);
}

#[test]
fn threads_share_an_index() {
    struct Shared(Owned);
    // SAFETY: all functions but that which frees may be called from any thread.
    unsafe impl Sync for Shared {}
    let (shared, items) =
        (Shared(Owned::new()), [ADD, SCHEDULE, LOG].map(|log| parse_with(ptr::null(), log)));
    std::thread::scope(|scope| {
        for item in &items {
            let shared = &shared;
            scope.spawn(move || {
                for _ in 0..4 {
                    shared.0.add(item);
                    assert!(shared.0.same(&item[0]) >= 0);
                    shared.0.matches(&item[0], 2);
                }
            });
        }
    });
    assert_eq!(shared.0.clusters().iter().map(Vec::len).collect::<Vec<_>>(), [8, 4]);
}
