//! Errors as codes, and the sentence about the last one.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{self, AssertUnwindSafe};

/// The result of a function: 0 is success.
///
/// `ksplat_error_text` describes a code, `ksplat_last_error` the last error of the thread in detail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(C)]
pub enum ErrorCode {
    /// Success.
    None = 0,
    /// A pointer is NULL that must not be.
    Null = 1,
    /// A length is greater than `PTRDIFF_MAX`.
    Length = 2,
    /// JSON is not valid UTF-8.
    Utf8 = 3,
    /// A text is not JSON, or JSON of something else.
    Json = 4,
    /// A signature was made by another version of the library, and is not comparable.
    Version = 5,
    /// An index has no report with this number.
    Number = 6,
    /// An option or its value is unknown.
    Option = 7,
    /// The library has a defect. The object is unusable from now on, but can be freed.
    Internal = 8,
}

impl ErrorCode {
    const ALL: [Self; 9] = [
        Self::None,
        Self::Null,
        Self::Length,
        Self::Utf8,
        Self::Json,
        Self::Version,
        Self::Number,
        Self::Option,
        Self::Internal,
    ];

    fn text(self) -> &'static CStr {
        match self {
            Self::None => c"success",
            Self::Null => c"a pointer is NULL",
            Self::Length => c"a length is greater than PTRDIFF_MAX",
            Self::Utf8 => c"the JSON is not valid UTF-8",
            Self::Json => c"the text is not the expected JSON",
            Self::Version => c"the signature is of another version",
            Self::Number => c"the index has no report with this number",
            Self::Option => c"the option or its value is unknown",
            Self::Internal => c"internal error: the object is unusable",
        }
    }
}

/// An error, and its details as a sentence.
#[derive(Debug)]
pub(crate) struct Failure {
    code: ErrorCode,
    details: String,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, details: impl Into<String>) -> Self {
        Self { code, details: details.into() }
    }

    pub(crate) fn null(name: &str) -> Self {
        Self::new(ErrorCode::Null, format!("`{name}` is NULL"))
    }

    pub(crate) fn internal(details: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, details)
    }

    /// The lock of an object is poisoned.
    pub(crate) fn poisoned() -> Self {
        Self::internal("an earlier internal error made the object unusable")
    }

    fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::internal(format!("internal error: {}", message.unwrap_or("a panic")))
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Runs a function of the interface: catches panics, and stores the details of an error.
pub(crate) fn guard(run: impl FnOnce() -> Result<(), Failure>) -> ErrorCode {
    // What a panic leaves half done is behind a lock, which is then poisoned.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    let result = result.unwrap_or_else(|panic| Err(Failure::of_panic(&*panic)));
    let Err(Failure { code, mut details }) = result else { return ErrorCode::None };
    details.retain(|c| c != '\0');
    let details = CString::new(details).unwrap_or_default();
    // At the end of a thread there is no place for it.
    let _ = LAST.try_with(|last| last.replace(details));
    code
}

/// Describes an error code in a few words, such as `a pointer is NULL`.
///
/// `code` is a `ksplat_error`; another number is `an unknown error`. The text is constant: do not
/// free it.
#[unsafe(no_mangle)]
pub extern "C" fn ksplat_error_text(code: i32) -> *const c_char {
    let known = ErrorCode::ALL.into_iter().find(|known| *known as i32 == code);
    known.map_or(c"an unknown error", ErrorCode::text).as_ptr()
}

/// Describes the last error of a function of this library on the calling thread, with details such
/// as the line and column of wrong JSON. Empty before the first error; successful calls keep it.
///
/// The text belongs to the library. It is valid until the next error or the end of the thread.
///
/// ```c
/// if (ksplat_index_add(index, json, strlen(json), NULL, NULL))
///     fprintf(stderr, "%s\n", ksplat_last_error());
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn ksplat_last_error() -> *const c_char {
    // The contents of a `CString` stay in place until it is replaced.
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::last_error;

    fn text(code: i32) -> String {
        // SAFETY: a constant.
        let text = unsafe { CStr::from_ptr(ksplat_error_text(code)) };
        text.to_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn each_code_has_its_own_text() {
        let texts: Vec<_> = (0..9).map(text).collect();
        assert_eq!(texts[0], "success");
        for (at, one) in texts.iter().enumerate() {
            assert!(!one.is_empty() && !texts[..at].contains(one), "{one}");
        }
        for code in [-1, 9, i32::MIN, i32::MAX] {
            assert_eq!(text(code), "an unknown error");
        }
    }

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(guard(|| panic!("a \0 {}", 1)), ErrorCode::Internal);
        assert_eq!(last_error(), "internal error: a  1");
        assert_eq!(guard(|| Ok(())), ErrorCode::None);
        assert_eq!(last_error(), "internal error: a  1");
        assert_eq!(guard(|| Err(Failure::null("log"))), ErrorCode::Null);
        assert_eq!(last_error(), "`log` is NULL");
    }

    #[test]
    fn errors_belong_to_their_thread() {
        guard(|| Err(Failure::null("a")));
        let other = std::thread::spawn(last_error).join();
        assert_eq!(other.expect("a thread"), "");
        assert_eq!(last_error(), "`a` is NULL");
    }
}
