//! Inputs that are compressed with gzip, xz or zstd.
//!
//! At most [`MAX_HELD`] bytes of a packed log are in memory: a larger one is unpacked in pieces
//! each time it is read, and its reports come from a `Monitor`.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};

use ksplat::{Event, Monitor, Parser, Report};

use ksplat::encoding::SAMPLE;

use crate::input::Input;

/// The maximum size in bytes of an unpacked log in memory, because all cores read logs
/// concurrently, and with images a batch of logs waits. Few consoles print more.
const MAX_HELD: u64 = 32 << 20;

/// The size in bytes of a piece of a larger one.
const PIECE: usize = 64 << 10;

/// The maximum size in bytes of a line that is read in pieces; a longer one is split.
const MAX_LINE: usize = 1 << 20;

/// The maximum memory in KiB for an xz archive: `xz -9` needs 65 MiB, and its header can require 4
/// GiB. ruzstd has its own limit of 128 MiB.
const MAX_XZ: u32 = 128 << 10;

/// A log.
pub(crate) enum Text {
    Whole(Input),
    Packed(Packed),
}

/// A packed log of more than [`MAX_HELD`] bytes.
pub(crate) struct Packed {
    bytes: Input,
    format: Format,
    /// The maximum number of bytes of the unpacked log.
    most: u64,
    start: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Format {
    Gzip,
    Xz,
    Zstd,
}

/// The formats: their first bytes, and their names.
const FORMATS: [(&[u8], Format, &str); 3] = [
    (b"\x1f\x8b", Format::Gzip, "gzip"),
    (b"\xfd7zXZ\0", Format::Xz, "xz"),
    (b"\x28\xb5\x2f\xfd", Format::Zstd, "zstd"),
];

impl Format {
    fn of(bytes: &[u8]) -> Option<Self> {
        FORMATS.iter().find(|(magic, ..)| bytes.starts_with(magic)).map(|(_, format, _)| *format)
    }

    fn damaged(self, error: &dyn std::fmt::Display) -> io::Error {
        let name = FORMATS.iter().find(|(_, format, _)| *format as u8 == self as u8);
        io::Error::other(format!("its {} data is damaged: {error}", name.map_or("", |row| row.2)))
    }

    fn reader(self, bytes: &[u8]) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, MAX_XZ)),
            Self::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(bytes);
                Box::new(decoder.map_err(|error| self.damaged(&error))?)
            }
        })
    }

    /// The first bytes, at most `most`.
    fn start(self, bytes: &[u8], most: u64) -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        let read = self.reader(bytes)?.take(most).read_to_end(&mut start);
        read.map(|_| start).map_err(|error| self.damaged(&error))
    }
}

/// Unpacks an input of at most `most` bytes, if it is packed.
pub(crate) fn whole(input: Input, most: u64) -> io::Result<Input> {
    let Some(format) = Format::of(&input) else { return Ok(input) };
    let unpacked = format.start(&input, most + 1)?;
    if unpacked.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(Input::Read(unpacked))
}

/// Makes a log from bytes that may be packed, and unpack to at most `most` bytes.
pub(crate) fn text(bytes: Input, most: u64) -> io::Result<Text> {
    let Some(format) = Format::of(&bytes) else { return Ok(Text::Whole(bytes)) };
    let held = most.min(MAX_HELD);
    let mut start = format.start(&bytes, held + 1)?;
    if start.len() as u64 <= held {
        return Ok(Text::Whole(Input::Read(start)));
    }
    start.truncate(SAMPLE);
    start.shrink_to_fit();
    Ok(Text::Packed(Packed { bytes, format, most, start }))
}

/// Formats a size.
fn size(bytes: u64) -> String {
    match (bytes >> 30, bytes >> 20) {
        (_, 0) => format!("{bytes} bytes"),
        (gib, mib) if gib << 10 != mib => format!("{mib} MiB"),
        (gib, _) => format!("{gib} GiB"),
    }
}

fn too_large(most: u64) -> io::Error {
    let size = size(most);
    io::Error::other(format!("unpacks to more than {size}: unpack it to a file, and name that"))
}

impl Text {
    /// The first bytes, at least [`SAMPLE`] of a longer log.
    pub(crate) fn start(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes.get(..SAMPLE).unwrap_or(bytes),
            Self::Packed(packed) => &packed.start,
        }
    }

    /// Returns all bytes, for work that needs them at once.
    pub(crate) fn whole(&self) -> io::Result<&[u8]> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            Self::Packed(_) => Err(too_large(MAX_HELD)),
        }
    }

    /// Returns the reports; the last item may be an error of unpacking.
    pub(crate) fn reports(&self, parser: Parser) -> Reports<'_> {
        match self {
            Self::Whole(bytes) => Reports::Whole(Box::new(parser.reports(bytes))),
            Self::Packed(packed) => Reports::Packed(Box::new(Streamed {
                pieces: Pieces::new(packed),
                monitor: parser.monitor(),
                ready: VecDeque::new(),
            })),
        }
    }

    /// Returns the lines, many in each item; the last item may be an error of unpacking.
    pub(crate) fn lines(&self) -> Lines<'_> {
        match self {
            Self::Whole(bytes) => Lines::Whole(Some(bytes)),
            Self::Packed(packed) => Lines::Packed(Pieces::new(packed), Vec::new()),
        }
    }
}

/// The pieces of a packed log.
pub(crate) struct Pieces<'a> {
    packed: &'a Packed,
    /// `None` after the end or an error.
    reader: Option<io::Result<Box<dyn Read + 'a>>>,
    left: u64,
}

impl<'a> Pieces<'a> {
    fn new(packed: &'a Packed) -> Self {
        let reader = packed.format.reader(&packed.bytes);
        Self { packed, reader: Some(reader), left: packed.most }
    }

    fn read(&mut self, reader: &mut dyn Read) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; PIECE];
        let read = loop {
            match reader.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(|error| self.packed.format.damaged(&error))?,
            }
        };
        piece.truncate(read);
        Ok(piece)
    }
}

impl Iterator for Pieces<'_> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = match self.reader.take()? {
            Ok(reader) => reader,
            Err(error) => return Some(Err(error)),
        };
        let piece = match self.read(&mut *reader) {
            Ok(piece) if piece.is_empty() => return None,
            Ok(piece) => piece,
            Err(error) => return Some(Err(error)),
        };
        let Some(left) = self.left.checked_sub(piece.len() as u64) else {
            let (size, option) = (size(self.packed.most), "--max-unpacked allows more");
            let why = format!("unpacks to more than {size}; the rest is not read: {option}");
            return Some(Err(io::Error::other(why)));
        };
        self.left = left;
        self.reader = Some(Ok(reader));
        Some(Ok(piece))
    }
}

/// The reports of a log.
pub(crate) enum Reports<'a> {
    Whole(Box<ksplat::Reports<'a>>),
    Packed(Box<Streamed<'a>>),
}

/// The reports of a packed log, in pieces.
pub(crate) struct Streamed<'a> {
    pieces: Pieces<'a>,
    monitor: Monitor,
    /// Reports that are not returned yet, and the error after them.
    ready: VecDeque<io::Result<Report<'static>>>,
}

impl<'a> Iterator for Reports<'a> {
    type Item = io::Result<Report<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Whole(reports) => reports.next().map(Ok),
            Self::Packed(streamed) => streamed.next(),
        }
    }
}

impl Streamed<'_> {
    fn next(&mut self) -> Option<io::Result<Report<'static>>> {
        let report = |event| match event {
            Event::Finished(report) => Some(Ok(*report)),
            _ => None,
        };
        while self.ready.is_empty() {
            match self.pieces.next() {
                Some(Ok(piece)) => self.ready.extend(self.monitor.push(&piece).filter_map(report)),
                end => {
                    self.ready.extend(self.monitor.finish().filter_map(report));
                    self.ready.extend(end.and_then(Result::err).map(Err));
                    break;
                }
            }
        }
        self.ready.pop_front()
    }
}

/// The lines of a log, many at once.
pub(crate) enum Lines<'a> {
    Whole(Option<&'a [u8]>),
    /// The pieces, and the start of a line.
    Packed(Pieces<'a>, Vec<u8>),
}

impl<'a> Iterator for Lines<'a> {
    type Item = io::Result<Cow<'a, [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (pieces, held) = match self {
            Self::Whole(lines) => return lines.take().map(|lines| Ok(Cow::Borrowed(lines))),
            Self::Packed(pieces, held) => (pieces, held),
        };
        loop {
            match pieces.next() {
                Some(Ok(piece)) => held.extend(piece),
                Some(Err(error)) => return Some(Err(error)),
                None if held.is_empty() => return None,
                None => return Some(Ok(std::mem::take(held).into())),
            }
            let end = memchr::memrchr(b'\n', held).map_or(0, |feed| feed + 1);
            let end = if held.len() - end < MAX_LINE { end } else { held.len() };
            if end > 0 {
                let rest = held.split_off(end);
                return Some(Ok(std::mem::replace(held, rest).into()));
            }
        }
    }
}
