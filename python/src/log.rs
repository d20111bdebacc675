//! Logs: bytes of Python, or files.

use std::fs;
use std::path::PathBuf;

use ksplat::output::escape;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView};

use crate::error::{Error, Result};

/// The bytes at the start of a log that decide whether it is text.
const SAMPLE: usize = 64 << 10;

/// Files that are packed or of another encoding: their first bytes, a code, and what to do.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (b"\x1f\x8b", "packed", "is packed by gzip: pass `gzip.open(path).read()`"),
    (b"\xfd7zXZ", "packed", "is packed by xz: pass `lzma.open(path).read()`"),
    (b"BZh", "packed", "is packed by bzip2: pass `bz2.open(path).read()`"),
    (b"\x28\xb5\x2f\xfd", "packed", "is packed by zstd: unpack it, and pass its bytes"),
    (b"\xff\xfe", "utf-16", "is UTF-16: pass `data.decode('utf-16').encode()`"),
    (b"\xfe\xff", "utf-16", "is UTF-16: pass `data.decode('utf-16').encode()`"),
];

/// A log as the caller has it.
pub(crate) enum Source {
    /// Bytes, which are not copied, or a copy of a buffer that may change.
    Bytes(PyBackedBytes),
    /// The path of a file.
    Path(PathBuf),
}

impl<'py> FromPyObject<'_, 'py> for Source {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        if let Ok(view) = PyMemoryView::from(&object) {
            let bytes = object.py().get_type::<PyBytes>().call1((view,))?;
            return Ok(Self::Bytes(bytes.extract()?));
        }
        object.extract().map(Self::Path).map_err(|_| {
            let name =
                object.get_type().name().map_or_else(|_| "object".into(), |name| name.to_string());
            PyTypeError::new_err(format!("a log is bytes or the path of a file, not {name}"))
        })
    }
}

/// The bytes of a log.
pub(crate) enum Log<'a> {
    Given(&'a [u8]),
    Read(Vec<u8>),
}

impl std::ops::Deref for Log<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Given(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

impl Source {
    /// Reads the log; one that is no text is an error.
    pub(crate) fn read(&self) -> Result<Log<'_>> {
        let (path, log) = match self {
            Self::Bytes(bytes) => (None, Log::Given(bytes)),
            Self::Path(path) => {
                let read = fs::read(path).map_err(|error| Error::Io(path.clone(), error))?;
                (Some(path), Log::Read(read))
            }
        };
        let start = log.get(..SAMPLE).unwrap_or(&log);
        let foreign = FOREIGN.iter().find(|(magic, ..)| start.starts_with(magic));
        let foreign = foreign.map(|(_, code, why)| (*code, *why));
        let binary =
            || ksplat::is_binary(start).then_some(("binary", "is not text: name a console log"));
        match foreign.or_else(binary) {
            Some((code, why)) => Err(Error::Log { path: path.cloned(), code, why }),
            None => Ok(log),
        }
    }

    pub(crate) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Bytes(_) => None,
            Self::Path(path) => Some(path),
        }
    }

    /// The name in the output: the path, `-` for bytes.
    pub(crate) fn name(&self) -> String {
        let path = self.path().map(|path| escape::text(path.as_os_str().as_encoded_bytes()));
        path.map_or_else(|| "-".to_owned(), std::borrow::Cow::into_owned)
    }
}
