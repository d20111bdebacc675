//! Any bytes as a mail, as the message of a commit with its diff, and as a release.
#![no_main]

use ksplat::known::{self, Changes, Mail, Message};
use ksplat::store::{Commit, Fix};
use libfuzzer_sys::fuzz_target;

/// The maximum number of bytes of a text.
const MAX_TEXT: usize = 256;

/// The maximum number of bytes of a text that had bytes of other encodings.
const MAX_DECODED: usize = 3 * MAX_TEXT;

/// The maximum number of files and functions.
const MAX_NAMES: usize = 32;

/// Checks the limits of a fix, and that merging is idempotent and JSON complete.
fn check(fix: &Fix) {
    let is_short = |text: &String| text.len() <= MAX_DECODED;
    assert!(fix.reported.iter().chain(&fix.links).chain(&fix.stable).all(is_short), "{fix:?}");
    assert!(fix.files.len() <= MAX_NAMES && fix.files.iter().all(is_short), "{fix:?}");
    assert!(fix.functions.len() <= MAX_NAMES && fix.functions.iter().all(is_short), "{fix:?}");
    assert!(fix.is(fix));
    let mut twice = fix.clone();
    twice.merge(fix.clone());
    assert_eq!(&twice, fix);
    let json = serde_json::to_string(fix).expect("JSON");
    assert_eq!(&serde_json::from_str::<Fix>(&json).expect("a fix"), fix);
}

fuzz_target!(|data: &[u8]| {
    let mail = Mail::parse(data);
    assert!(mail.id.len() <= MAX_TEXT);
    if let Some(fix) = mail.fix() {
        assert!(fix.is_patch);
        check(&fix);
    }
    let mut changes = Changes::default();
    data.split(|byte| *byte == b'\n').for_each(|line| changes.line(line));
    let mut fix = Message::parse(data).fix("0123456789abcdef");
    fix.take(changes);
    check(&fix);
    // The first line as the tag of a fix and as the release of a kernel.
    let first = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    fix.since = Some(first.to_string());
    let mut affected = Commit::new("fedcba9876543210");
    affected.since = Some("v4.19-rc3".to_owned());
    fix.fixes = vec![affected];
    for release in ["6.1.20", "5.15.0-91-generic", &first] {
        let _ = known::verdict(&fix, release);
    }
    assert!(known::earlier_tag("v6.1", &first) == "v6.1" || known::earlier_tag("v6.1", &first) == first);
});
