//! `ksplat parse --format arrow` and `--format parquet`: the table has the values of the JSON.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output};

use ksplat_arrow::array::cast::AsArray;
use ksplat_arrow::array::types::UInt64Type;
use ksplat_arrow::array::{Array, RecordBatch};
use serde_json::Value;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn ksplat(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ksplat")).current_dir(TOP).args(args).output().unwrap()
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn logs() -> Vec<String> {
    let mut found = Vec::new();
    for folder in fs::read_dir(format!("{TOP}/corpus")).unwrap() {
        let folder = folder.unwrap().path();
        for file in fs::read_dir(&folder).into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "log") {
                found.push(path.strip_prefix(TOP).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn batches(path: &PathBuf) -> Vec<RecordBatch> {
    let batches = ksplat_arrow::read(File::open(path).unwrap()).unwrap();
    assert_eq!(batches[0].schema().metadata()["ksplat.schema"], "1");
    batches
}

#[test]
fn the_table_has_the_values_of_the_json() {
    let (logs, out) = (logs(), place("corpus.arrow"));
    let mut args = vec!["parse", "--quiet"];
    args.extend(logs.iter().map(String::as_str));
    let json = ksplat(&[&args[..], &["--format", "json"]].concat());
    let json: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    let table =
        ksplat(&[&args[..], &["--format", "arrow", "--output", out.to_str().unwrap()]].concat());
    assert_eq!(table.status.code(), Some(1), "{table:?}");
    let mut rows = json.iter();
    for batch in batches(&out) {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (files, titles, codes) = (text("file"), text("title"), text("corrupted"));
        let ends = batch.column_by_name("end").unwrap().as_primitive::<UInt64Type>();
        let suspects = batch.column_by_name("suspects").unwrap().as_list::<i32>();
        for row in 0..batch.num_rows() {
            let report = rows.next().expect("a report");
            assert_eq!(files.value(row), report["file"]);
            assert_eq!(titles.value(row), report["title"]);
            assert_eq!(ends.value(row), report["span"]["end"]);
            let code = codes.is_valid(row).then(|| codes.value(row));
            assert_eq!(code, report["corrupted_code"].as_str());
            let names = suspects.value(row);
            let names: Vec<_> = names.as_string::<i32>().iter().flatten().collect();
            let known = report["suspects"].as_array();
            let known = known.into_iter().flatten().map(|suspect| suspect["function"].as_str());
            assert_eq!(names, known.flatten().collect::<Vec<_>>());
        }
    }
    assert_eq!(rows.next(), None);
    assert!(json.len() > 100, "{} reports", json.len());
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_has_the_rows_of_the_arrow_file() {
    let (arrow, parquet) = (place("same.arrow"), place("same.parquet"));
    for (format, out) in [("arrow", &arrow), ("parquet", &parquet)] {
        let mut args = vec!["parse", "-q", "--format", format, "-o", out.to_str().unwrap()];
        let logs = logs();
        args.extend(logs.iter().map(String::as_str));
        assert_eq!(ksplat(&args).status.code(), Some(1));
    }
    let rows = |batches: &[RecordBatch], row: usize| {
        let mut row = row;
        let batch = batches.iter().find(|batch| {
            let is_here = row < batch.num_rows();
            row -= if is_here { 0 } else { batch.num_rows() };
            is_here
        });
        batch.unwrap().slice(row, 1)
    };
    let (left, right) =
        (batches(&arrow), ksplat_arrow::read_parquet(File::open(&parquet).unwrap()).unwrap());
    let count = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    assert_eq!(count(&left), count(&right));
    for row in 0..count(&left) {
        assert_eq!(rows(&left, row).columns(), rows(&right, row).columns(), "row {row}");
    }
}

#[test]
fn a_bad_log_is_reported_and_the_others_are_written() {
    let (bad, out) = (place("bad.log"), place("some.arrow"));
    fs::write(&bad, [1_u8; 4096]).unwrap();
    let (bad, out_text) = (bad.to_str().unwrap(), out.to_str().unwrap());
    let log = "corpus/divide-error/divide.log";
    let run = ksplat(&["parse", "-q", "--format", "arrow", "-o", out_text, bad, log, "no.log"]);
    let messages = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{messages}");
    assert!(messages.contains("is not text") && messages.contains("no.log"), "{messages}");
    assert_eq!(batches(&out).iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[test]
fn a_wrong_call_says_what_is_missing() {
    let log = "corpus/divide-error/divide.log";
    for (args, words) in [
        (&["parse", "--format", "arrow", log][..], "--output FILE"),
        (&["parse", "--format", "arrow", "-o", "no/such/x", log], "No such file"),
        (&["code", "--format", "arrow", "90"], "possible values: text, md, json, jsonl;"),
        (&["qr", "--format", "arrow", "x"], "possible values: text, md, json, jsonl;"),
    ] {
        let run = ksplat(args);
        let messages = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{args:?}: {messages}");
        assert!(messages.contains(words), "{args:?}: {messages}");
    }
}
