//! A C ABI of two functions: `ksplat_parse` and `ksplat_free`.
//!
//! The header is `crates/capi/ksplat.h`, made by `cbindgen --config cbindgen.toml src/lib.rs` in that folder.
//! `cargo build --release -p ksplat-capi` makes `libksplat_c.a` and `libksplat_c.so` in `target/release`;
//! `example.c` beside the header uses them.

#![allow(unsafe_code, reason = "pointers of C")]

use std::ffi::{CString, c_char};
use std::panic;
use std::ptr;
use std::slice;

use ksplat::output::json::{self, ReportRecord};

/// Finds the reports of a log of `len` bytes, and gives them as a JSON array: see the documentation of
/// `ksplat::output::json`. The string ends with a NUL byte and is freed by `ksplat_free`.
///
/// NULL if `log` is NULL and `len` is not 0.
///
/// # Safety
///
/// `log` must point to `len` bytes that nobody writes in the meantime, at most `PTRDIFF_MAX`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_parse(log: *const u8, len: usize) -> *mut c_char {
    let log = match (log.is_null(), len) {
        (_, 0) => &[],
        (true, _) => return ptr::null_mut(),
        // SAFETY: the caller says so.
        (false, len) => unsafe { slice::from_raw_parts(log, len) },
    };
    let json = panic::catch_unwind(|| parsed(log)).ok().flatten();
    json.map_or(ptr::null_mut(), CString::into_raw)
}

/// Frees what `ksplat_parse` gave; NULL is nothing to free.
///
/// # Safety
///
/// `json` must be NULL, or come from `ksplat_parse` and not have been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_free(json: *mut c_char) {
    if !json.is_null() {
        // SAFETY: it was made by `CString::into_raw`, as the caller says.
        drop(unsafe { CString::from_raw(json) });
    }
}

fn parsed(log: &[u8]) -> Option<CString> {
    let mut text = vec![b'['];
    let analyzer = ksplat::Analyzer::new();
    for (index, mut report) in ksplat::reports(log).enumerate() {
        analyzer.annotate(&mut report);
        if index > 0 {
            text.push(b',');
        }
        json::write(&mut text, &ReportRecord::new("-", index, report)).ok()?;
    }
    text.push(b']');
    // JSON escapes NUL bytes.
    CString::new(text).ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn c_gets_json_and_gives_it_back() {
        let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\n\0x\n";
        // SAFETY: the log is that long; the answer is freed once.
        let text = unsafe {
            let json = ksplat_parse(log.as_ptr(), log.len());
            let text = CStr::from_ptr(json).to_str().map(str::to_owned);
            ksplat_free(json);
            text
        };
        let reports: serde_json::Value =
            serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
        assert_eq!(reports[0]["title"], "kernel BUG in f");
        // SAFETY: nothing is read.
        unsafe {
            assert!(ksplat_parse(ptr::null(), 5).is_null());
            let empty = ksplat_parse(ptr::null(), 0);
            assert_eq!(CStr::from_ptr(empty), c"[]");
            ksplat_free(empty);
            ksplat_free(ptr::null_mut());
        }
    }
}
