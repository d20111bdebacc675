//! Files and standard input, compressed or not.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

use ksplat::output::escape;
use memmap2::Mmap;

/// From this size on, files are mapped rather than read, in bytes.
///
/// A mapping of a file that is cut short while it is read ends the program; so only files that
/// would cost much to copy are mapped.
const MAP_FROM: u64 = 64 << 20;

/// The most bytes that a compressed log may become. What is larger is most likely an attack.
const MAX_UNPACKED: u64 = 16 << 30;

/// The bytes of an input.
pub(crate) enum Input {
    Read(Vec<u8>),
    Mapped(Mmap),
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

/// Reads a file, or standard input if it is called `-`, and unpacks it.
pub(crate) fn read(path: &Path) -> io::Result<Input> {
    let input = if path.as_os_str() == "-" { stdin()? } else { file(path)? };
    match unpack(&input)? {
        Some(unpacked) => Ok(Input::Read(unpacked)),
        None => Ok(input),
    }
}

/// Reads an image, mapped as its parts are needed here and there, or unpacked.
pub(crate) fn map(path: &Path) -> io::Result<Input> {
    let input = mapped(&File::open(path)?)?;
    match unpack(&input)? {
        Some(unpacked) => Ok(Input::Read(unpacked)),
        None => Ok(input),
    }
}

fn stdin() -> io::Result<Input> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(Input::Read(bytes))
}

fn file(path: &Path) -> io::Result<Input> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() >= MAP_FROM {
        return mapped(&file);
    }
    // What `File::read_to_end` asks once more is known: where the file ends.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(Input::Read(bytes))
}

fn mapped(file: &File) -> io::Result<Input> {
    // SAFETY: the map is only read, and as bytes, for which any value is valid. That another process
    // may change them while they are read gives wrong reports at the worst.
    #[allow(unsafe_code)]
    Ok(Input::Mapped(unsafe { Mmap::map(file)? }))
}

/// Unpacks gzip, xz and zstd by what the file begins with; `None` for anything else.
fn unpack(bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    match bytes {
        [0x1f, 0x8b, ..] => all(flate2::read::MultiGzDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => all(lzma_rust2::XzReader::new(bytes, true)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(bytes);
            all(decoder.map_err(io::Error::other)?)
        }
        _ => Ok(None),
    }
}

fn all(reader: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if reader.take(MAX_UNPACKED + 1).read_to_end(&mut bytes)? as u64 > MAX_UNPACKED {
        return Err(io::Error::other("unpacks to more than 16 GiB"));
    }
    Ok(Some(bytes))
}

/// The name of an input in the output; bytes that are no UTF-8 are `\xff` and the like.
pub(crate) fn name(path: &Path) -> Cow<'_, str> {
    escape::text(path.as_os_str().as_encoded_bytes())
}
