//! Errors as Python exceptions, with their fields.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use ksplat::disasm::CodeError;
use ksplat::{bisect, store, symbolize};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An error, before it is an exception: work without the GIL returns it.
#[derive(Debug)]
pub(crate) enum Error {
    /// A file that cannot be read.
    Io(PathBuf, io::Error),
    /// A log that is no text.
    Log { path: Option<PathBuf>, code: &'static str, why: &'static str },
    /// An image that cannot be parsed.
    Image(PathBuf, symbolize::Error),
    /// A store.
    Store(store::Error),
    /// A `Code:` line.
    Code(CodeError),
    /// A log that is no bisection.
    Bisection(Option<PathBuf>, bisect::NotBisection),
    /// JSON that is no signature or no report.
    Json(&'static str, serde_json::Error),
    /// A signature of another version.
    Version(u32),
    /// An exception of an iterator of the caller.
    Python(PyErr),
    /// An error of Arrow.
    Arrow(arrow_schema::ArrowError),
    /// Another wrong argument.
    Value(String),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| exception(py, error).unwrap_or_else(|error| error))
    }
}

/// Makes the exception of an error.
fn exception(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    match error {
        Error::Io(path, error) => os_error(py, &path, &error),
        Error::Log { path, code, why } => Raise::new(py, "LogError", code)
            .maybe_path(path.as_deref())?
            .exception(&with_path(path.as_deref(), &why)),
        Error::Image(path, error) => image(py, &path, &error),
        Error::Store(error) => stored(py, &error),
        Error::Code(error) => Raise::new(py, "CodeError", error.kind.code())
            .set("offset", error.offset)?
            .exception(&error),
        Error::Bisection(path, error) => Raise::new(py, "BisectionError", "not-bisection")
            .maybe_path(path.as_deref())?
            .exception(&with_path(path.as_deref(), &error)),
        Error::Json(what, error) => Raise::new(py, "SignatureError", "not-json")
            .set("line", error.line())?
            .set("column", error.column())?
            .exception(&format!("not the JSON of a {what}: {error}")),
        Error::Version(found) => Raise::new(py, "SignatureError", "version")
            .set("found", found)?
            .set("supported", crate::FINGERPRINT)?
            .exception(&format!(
                "the signature has version {found}, and this package compares version {}: sign the report again",
                crate::FINGERPRINT
            )),
        Error::Python(error) => Ok(error),
        Error::Arrow(error) => Ok(PyRuntimeError::new_err(error.to_string())),
        Error::Value(why) => Ok(PyValueError::new_err(why)),
    }
}

fn with_path(path: Option<&Path>, why: &dyn Display) -> String {
    path.map_or_else(|| why.to_string(), |path| format!("{}: {why}", path.display()))
}

/// `OSError` chooses its class, such as `FileNotFoundError`, by the number.
fn os_error(py: Python<'_>, path: &Path, error: &io::Error) -> PyResult<PyErr> {
    let Some(number) = error.raw_os_error() else {
        return Ok(PyOSError::new_err(with_path(Some(path), error)));
    };
    let text: String = py.import("os")?.getattr("strerror")?.call1((number,))?.extract()?;
    Ok(PyOSError::new_err((number, text, path.as_os_str().to_owned())))
}

fn image(py: Python<'_>, path: &Path, error: &symbolize::Error) -> PyResult<PyErr> {
    use symbolize::Error as E;
    let raise = |code| Raise::new(py, "ImageError", code).maybe_path(Some(path));
    let raise = match error {
        E::NotElf { .. } => raise("not-elf")?,
        E::TooManySections { limit, .. } => raise("too-many-sections")?.set("limit", limit)?,
        E::NotSymbols { line, .. } => raise("not-symbols")?.set("line", line)?,
        E::HiddenAddresses => raise("hidden-addresses")?,
        E::Section { name, .. } => raise("section")?.set("section", name)?,
        E::CompressedSize { section, size, .. } => {
            raise("compressed-size")?.set("section", section)?.set("size", size)?
        }
        E::UnpackedSize { size, limit, .. } => {
            raise("unpacked-size")?.set("size", size)?.set("limit", limit)?
        }
        E::Relocation { section, offset, .. } => {
            raise("relocation")?.set("section", section)?.set("offset", offset)?
        }
        _ => raise("other")?,
    };
    raise.exception(&with_path(Some(path), error))
}

fn stored(py: Python<'_>, error: &store::Error) -> PyResult<PyErr> {
    use store::Error as E;
    let raise = |code| Raise::new(py, "StoreError", code);
    let at = |code, path: &Path| raise(code).maybe_path(Some(path));
    let raise = match error {
        E::Open { path, .. } => at("open", path)?,
        E::Locked { path, .. } => at("locked", path)?,
        E::Damaged { path, .. } => at("damaged", path)?,
        E::NoStore { path, .. } => at("no-store", path)?,
        E::Link { path, .. } => at("link", path)?,
        E::Exists { path, .. } => at("exists", path)?,
        E::LongLabel { len, .. } => raise("long-label").set("len", len)?,
        E::NoReport { bug, name, .. } => {
            raise("no-report").set("bug", hex(*bug))?.set("name", name)?
        }
        E::WholeBug { bug, .. } => raise("whole-bug").set("bug", hex(*bug))?,
        E::OneBug { bug, .. } => raise("one-bug").set("bug", hex(*bug))?,
        E::NoDecision { path, .. } => at("no-decision", path)?,
        E::NewerFingerprint { path, found, .. } => {
            at("newer-fingerprint", path)?.set("found", found)?
        }
        E::NewerSchema { path, found, supported, .. } => {
            at("newer-schema", path)?.set("found", found)?.set("supported", supported)?
        }
        E::Read { path, .. } => at("read", path)?,
        E::Write { path, .. } => at("write", path)?,
        E::ReadOnly { path, .. } => at("read-only", path)?,
        E::NoBug { path, id, .. } => at("no-bug", path)?.set("bug", hex(*id))?,
        _ => raise("other"),
    };
    raise.exception(error)
}

/// A hash as the JSON has it.
pub(crate) fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// An exception of `ksplat._errors` with its fields.
struct Raise<'py> {
    class: &'static str,
    code: &'static str,
    fields: Bound<'py, PyDict>,
}

impl<'py> Raise<'py> {
    fn new(py: Python<'py>, class: &'static str, code: &'static str) -> Self {
        Self { class, code, fields: PyDict::new(py) }
    }

    fn set(self, name: &str, value: impl IntoPyObject<'py>) -> PyResult<Self> {
        self.fields.set_item(name, value)?;
        Ok(self)
    }

    fn maybe_path(self, path: Option<&Path>) -> PyResult<Self> {
        let text = path.map(|path| path.to_string_lossy().into_owned());
        self.set("path", text)
    }

    fn exception(self, message: &dyn Display) -> PyResult<PyErr> {
        let class = self.fields.py().import("ksplat._errors")?.getattr(self.class)?;
        let arguments = (message.to_string(), self.code);
        Ok(PyErr::from_value(class.call(arguments, Some(&self.fields))?))
    }
}
