//! Any text as JSON: a report that is deserialized and serialized again stays the same.
#![no_main]

use ksplat::output::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(record) = json::read(text) else { return };
    let mut line = Vec::new();
    json::write(&mut line, &record).expect("JSON");
    let line = std::str::from_utf8(&line).expect("UTF-8");
    assert_eq!(json::read(line).expect("what was written"), record);
});
