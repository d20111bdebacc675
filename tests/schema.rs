//! The JSON Schema in `docs/src/report.schema.json`, compared with the reports that the library
//! writes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use jsonschema::{Draft, Validator};
use ksplat::fingerprint::{self, Signature};
use ksplat::output::json::{self, ReportRecord};
use serde_json::{Value, json};

/// A report with each key of the schema and a step of each code.
const EVERY_KEY: &str = include_str!("schema/every-key.json");

fn schema() -> Value {
    let text = fs::read_to_string("docs/src/report.schema.json").expect("run from the top");
    serde_json::from_str(&text).unwrap()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().with_draft(Draft::Draft202012).build(schema).expect("a schema")
}

/// All files below `folder` with this extension.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}

/// The reports of a log as JSON, with all annotations.
fn reports(name: &str, log: &[u8]) -> Vec<Value> {
    let report = |(index, mut report): (usize, ksplat::Report<'_>)| {
        ksplat::Analyzer::new().annotate(&mut report);
        let signature = Signature::of(&report).into_owned();
        let text = ksplat::text(log, &report);
        let record = ReportRecord::new(name, index, report).with_signature(Some(signature));
        let mut line = Vec::new();
        json::write(&mut line, &record.with_text(Some(text))).unwrap();
        serde_json::from_slice(&line).unwrap()
    };
    ksplat::Parser::new().with_information(true).reports(log).enumerate().map(report).collect()
}

#[test]
fn every_report_of_the_corpus_is_valid() {
    let validator = validator(&schema());
    let mut count = 0;
    for path in files("corpus", "log") {
        for report in reports(path.to_str().unwrap(), &fs::read(&path).unwrap()) {
            let errors: Vec<_> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            count += 1;
        }
    }
    assert!(count > 100, "{count} reports");
}

/// Without any of its keys the schema rejects the report that has them all. So the library writes
/// each key in the schema, and the schema is closed at every level.
#[test]
fn a_schema_without_a_key_refuses_a_report() {
    let schema = schema();
    let report: Value = serde_json::from_str(EVERY_KEY).unwrap();
    let mut written = Vec::new();
    json::write(&mut written, &json::read(EVERY_KEY).unwrap()).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(pointers(&written), pointers(&report), "the library reads and writes each key");
    let errors: Vec<_> = validator(&schema).iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");

    let mut places = Vec::new();
    properties(&schema, "", &mut places);
    assert!(places.len() > 150, "{}", places.len());
    for (object, key) in places {
        let mut less = schema.clone();
        let keys = less.pointer_mut(&object).and_then(Value::as_object_mut).unwrap();
        keys.remove(&key);
        assert!(!validator(&less).is_valid(&report), "{object}/{key} is in no report");
    }
}

/// The JSON pointers of all values in `value`. The values themselves may change with the words of
/// the library.
fn pointers(value: &Value) -> BTreeSet<String> {
    let (mut found, mut left) = (BTreeSet::new(), vec![(String::new(), value)]);
    while let Some((pointer, value)) = left.pop() {
        left.extend(below(value).map(|(key, value)| (format!("{pointer}/{key}"), value)));
        found.insert(pointer);
    }
    found
}

/// The values in an object or an array, with their keys or indices.
fn below(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    let object = value.as_object().into_iter().flatten();
    let array = value.as_array().into_iter().flatten().enumerate();
    let object = object.map(|(key, value)| (key.clone(), value));
    object.chain(array.map(|(at, value)| (at.to_string(), value)))
}

/// The pointers of all `properties` below a part of the schema, each with each of its keys. A
/// report has only one code of `source`, so no example has two.
fn properties(part: &Value, pointer: &str, places: &mut Vec<(String, String)>) {
    let others = ["source/oneOf/1", "source/oneOf/2"];
    if others.iter().any(|other| pointer.ends_with(other)) {
        return;
    }
    for (key, value) in below(part) {
        let pointer = format!("{pointer}/{key}");
        if let (true, Some(keys)) = (key == "properties", value.as_object()) {
            places.extend(keys.keys().map(|key| (pointer.clone(), key.clone())));
        }
        properties(value, &pointer, places);
    }
}

/// A code that the schema lacks would make reports of a new version invalid.
#[test]
fn the_codes_are_those_of_the_library() {
    let schema = schema();
    let at = |pointer: &str| {
        let list = schema.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
        list.as_array().unwrap().clone()
    };
    macro_rules! same {
        ($pointer:expr, $type:ty, $name:ident $(, $other:literal)?) => {
            let codes = <$type>::ALL.iter().map(|code| json!(code.$name()));
            let codes: Vec<Value> = codes $( .chain([json!($other)]) )? .collect();
            assert_eq!(at($pointer), codes, "{}", $pointer);
        };
    }
    let part = "/properties/diagnostics/items/properties";
    let explained = "/$defs/explanation/properties";
    let signature = "/$defs/signature/properties";
    same!("/properties/corrupted_code/enum", ksplat::model::Corruption, code, "other");
    same!("/properties/incomplete/items/enum", ksplat::model::Incomplete, code, "other");
    same!("/properties/blame/properties/code/enum", ksplat::model::BlameReason, code, "other");
    same!(&format!("{part}/part/enum"), ksplat::model::ReportPart, code, "other");
    same!(&format!("{part}/code/enum"), ksplat::model::DiagnosticKind, code, "other");
    same!("/$defs/arch/enum", ksplat::Arch, name);
    same!(&format!("{explained}/address_class/enum"), ksplat::model::AddressClass, name);
    let relation = format!("{explained}/condition/properties/code/enum");
    same!(&relation, ksplat::model::Relation, name);
    let operation = "/$defs/step/oneOf/4/properties/operation/enum";
    same!(operation, ksplat::model::Operation, name);
    same!(&format!("{signature}/family/enum"), fingerprint::Family, name);
    let role = format!("{signature}/origins/items/properties/role/enum");
    same!(&role, fingerprint::OriginRole, name);
    let raised = format!("{signature}/impact/properties/raised/items/enum");
    same!(&raised, fingerprint::Raise, name);
}
