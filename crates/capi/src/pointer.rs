//! Pointers of C, checked as far as that is possible.

use std::ffi::{CString, c_char};
use std::{ptr, slice};

use crate::error::{ErrorCode, Failure, guard};

/// Returns the bytes of an argument; those of length 0 may be NULL.
///
/// # Safety
///
/// `start` is NULL, or points to `len` bytes that nobody writes for `'a`.
pub(crate) unsafe fn bytes<'a>(
    name: &str,
    start: *const u8,
    len: usize,
) -> Result<&'a [u8], Failure> {
    match (start.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Failure::null(name)),
        (false, len) if isize::try_from(len).is_err() => {
            let details = format!("the length of `{name}`, {len}, is greater than PTRDIFF_MAX");
            Err(Failure::new(ErrorCode::Length, details))
        }
        // SAFETY: the caller guarantees it; the length is checked.
        (false, len) => Ok(unsafe { slice::from_raw_parts(start, len) }),
    }
}

/// Returns the text of an argument.
///
/// # Safety
///
/// As that of [`bytes`].
pub(crate) unsafe fn text<'a>(
    name: &str,
    start: *const c_char,
    len: usize,
) -> Result<&'a str, Failure> {
    // A text of length 0 is no JSON, but NULL is the more useful error.
    if start.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: guaranteed by the caller; a `char` is a byte.
    let bytes = unsafe { bytes(name, start.cast(), len) }?;
    let invalid = |error| Failure::new(ErrorCode::Utf8, format!("`{name}`: {error}"));
    std::str::from_utf8(bytes).map_err(invalid)
}

/// Returns the object of an argument.
///
/// # Safety
///
/// `object` is NULL, or points to an object of this library that is not freed for `'a`.
pub(crate) unsafe fn object<'a, T>(name: &str, object: *const T) -> Result<&'a T, Failure> {
    // SAFETY: guaranteed by the caller.
    unsafe { object.as_ref() }.ok_or_else(|| Failure::null(name))
}

/// Runs a function of the interface that returns a string: writes it to `out`, or NULL on errors.
///
/// # Safety
///
/// `out` is NULL or can be written.
pub(crate) unsafe fn give_string(
    out: *mut *mut c_char,
    make: impl FnOnce() -> Result<Vec<u8>, Failure>,
) -> ErrorCode {
    let make = || {
        // JSON escapes NUL bytes.
        let text = CString::new(make()?).map_err(|error| Failure::internal(error.to_string()))?;
        Ok(text.into_raw())
    };
    // SAFETY: guaranteed by the caller.
    unsafe { give_pointer(out, make) }
}

/// Runs a function of the interface that makes an object: writes its address to `out`, or NULL on
/// errors.
///
/// # Safety
///
/// `out` is NULL or can be written.
pub(crate) unsafe fn give_object<T>(
    out: *mut *mut T,
    make: impl FnOnce() -> Result<T, Failure>,
) -> ErrorCode {
    // SAFETY: guaranteed by the caller.
    unsafe { give_pointer(out, || Ok(Box::into_raw(Box::new(make()?)))) }
}

/// # Safety
///
/// `out` is NULL or can be written.
unsafe fn give_pointer<T>(
    out: *mut *mut T,
    make: impl FnOnce() -> Result<*mut T, Failure>,
) -> ErrorCode {
    guard(|| {
        if out.is_null() {
            return Err(Failure::null("the place of the result"));
        }
        // SAFETY: not NULL; the caller guarantees that it can be written. It may be uninitialized,
        // and is not read.
        unsafe { out.write(ptr::null_mut()) };
        let pointer = make()?;
        // SAFETY: as above.
        unsafe { out.write(pointer) };
        Ok(())
    })
}

/// Writes a result, if it is wanted.
///
/// # Safety
///
/// `out` is NULL or can be written.
pub(crate) unsafe fn give<T: Copy>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: not NULL; the caller guarantees that it can be written.
        unsafe { out.write(value) };
    }
}

/// Frees an object; NULL is ignored.
///
/// # Safety
///
/// `object` is NULL, or comes from [`give_object`], and is used by nobody from now on.
pub(crate) unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: the caller guarantees that `Box::into_raw` made it, and that it was not freed.
        let object = unsafe { Box::from_raw(object) };
        guard(|| {
            drop(object);
            Ok(())
        });
    }
}
