//! A map of the kernel: the file that defines a function, the class of the file, and its maintainers' lists.
//!
//! An [`Atlas`] is built from a kernel's sources and read in place: opening it parses and copies no
//! part. [`Atlas::builtin`] is compiled into the library: generic code, which most stacks
//! share, and with the feature `atlas` all of Linux 6.1 and 6.12. An atlas contains function names,
//! paths, and the subsystems and mailing lists of MAINTAINERS, without source text and persons.
//!
//! ```
//! use ksplat::atlas::{Atlas, FileClass};
//!
//! let atlas = Atlas::builtin();
//! let file = atlas.files("mutex_lock").next().expect("generic code");
//! assert_eq!(file.to_string(), "kernel/locking/mutex.c");
//! assert_eq!(file.class(), FileClass::Locking);
//! assert_eq!(atlas.files("no_such_function").count(), 0);
//! ```

#[cfg(feature = "atlas")]
pub mod build;
mod class;
mod error;
mod format;
mod maintainers;
mod resolve;

use std::cmp::Ordering;
use std::fmt;

pub use class::FileClass;
pub use error::Error;
pub use maintainers::Section;
pub use resolve::{Hints, Place};

use format::{
    CHECKSUM, COVERED, FILE, HEAD, MAGIC, MARKED, Part, VERSION, u16_at, u24_at, u32_at, u64_at,
};

/// The generic code of Linux.
#[cfg(not(feature = "atlas"))]
static BUILTIN: &[u8] = include_bytes!("generic.atlas");
/// All of Linux.
#[cfg(feature = "atlas")]
static BUILTIN: &[u8] = include_bytes!("linux.atlas");

/// A map from functions to source files, read from borrowed bytes.
#[derive(Clone, Copy)]
pub struct Atlas<'a> {
    bytes: &'a [u8],
    parts: [(u32, u32); Part::ALL.len()],
}

impl fmt::Debug for Atlas<'_> {
    /// Writes the length of each part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_map();
        for part in Part::ALL {
            parts.entry(&part, &self.part(part).len());
        }
        parts.finish()
    }
}

impl PartialEq for Atlas<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.bytes, other.bytes) || self.bytes == other.bytes
    }
}

impl Eq for Atlas<'_> {}

impl Atlas<'static> {
    /// The atlas that is compiled into the library.
    pub fn builtin() -> Self {
        // Part of the program's own image, so the checksum is not verified.
        Self::unchecked(BUILTIN).unwrap_or(Self { bytes: &[], parts: [(0, 0); Part::ALL.len()] })
    }
}

impl<'a> Atlas<'a> {
    /// Reads an atlas and verifies its checksum, which reads all bytes once.
    ///
    /// # Errors
    ///
    /// The bytes are of another format, of another version, or damaged.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let atlas = Self::unchecked(bytes)?;
        let sum = format::checksum(bytes.get(COVERED..).unwrap_or_default());
        if u64_at(bytes, CHECKSUM) == Some(sum) { Ok(atlas) } else { Err(Error::Damaged) }
    }

    fn unchecked(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(MAGIC) {
            return Err(Error::Foreign);
        }
        let version = u32_at(bytes, 2).ok_or(Error::Cut)?;
        if version != VERSION {
            return Err(Error::Version(version));
        }
        if u64_at(bytes, COVERED) != Some(bytes.len() as u64) || bytes.len() < HEAD {
            return Err(Error::Cut);
        }
        let mut parts = [(0, 0); Part::ALL.len()];
        for (number, part) in parts.iter_mut().enumerate() {
            let at = (COVERED + 8) / 4 + 2 * number;
            let number_at = |at| u32_at(bytes, at).ok_or(Error::Cut);
            *part = (number_at(at)?, number_at(at + 1)?);
            let range = part.0 as usize..part.1 as usize;
            bytes.get(range).ok_or(Error::Damaged)?;
        }
        Ok(Self { bytes, parts })
    }

    fn part(&self, part: Part) -> &'a [u8] {
        let range =
            self.parts.get(part as usize).map(|(start, end)| *start as usize..*end as usize);
        range.and_then(|range| self.bytes.get(range)).unwrap_or_default()
    }

    /// The number of files.
    pub fn file_count(&self) -> usize {
        self.part(Part::Files).len() / FILE
    }

    /// The number of names.
    pub fn name_count(&self) -> usize {
        self.part(Part::Marks).len() / 2
    }

    /// The files that define a function, those of the newest kernel first. The name is without
    /// compiler suffixes.
    ///
    /// An unknown name collides with a known one in about one case of four thousand.
    pub fn files(&self, function: &str) -> Files<'a> {
        let (start, len) = match self.value(function) {
            None => (0, 0),
            Some(value) => match value.checked_sub(self.file_count()) {
                None => return Files { atlas: *self, single: Some(value), list: &[] },
                Some(list) => self.list(list).unwrap_or_default(),
            },
        };
        let list = self.part(Part::Lists).get(2 * start..2 * (start + len));
        Files { atlas: *self, single: None, list: list.unwrap_or_default().as_chunks().0 }
    }

    /// The start and the length of a list. Lists are sorted by length, those of two files first.
    fn list(&self, list: usize) -> Option<(usize, usize)> {
        let (mut left, mut start) = (list, 0_usize);
        let counts = self.part(Part::ListCounts).as_chunks::<4>().0;
        for (count, len) in counts.iter().zip(2..) {
            let count = u32::from_le_bytes(*count) as usize;
            if left < count {
                return Some((start + left * len, len));
            }
            left -= count;
            start = start.checked_add(count.checked_mul(len)?)?;
        }
        None
    }

    /// The single file of a module, or its directory. `-` and `_` are equal.
    pub fn module(&self, module: &str) -> Files<'a> {
        let mut name = ["[", module, "]"].concat();
        if name.contains('-') {
            name = name.replace('-', "_");
        }
        self.files(&name)
    }

    fn value(&self, name: &str) -> Option<usize> {
        let buckets = self.part(Part::Buckets);
        let (bucket, mark) = format::place(name, (buckets.len() / 4).checked_sub(1)?);
        let start = u32_at(buckets, bucket)? as usize;
        let end = u32_at(buckets, bucket + 1)? as usize;
        let marks = self.part(Part::Marks).get(start.checked_mul(2)?..end.checked_mul(2)?)?;
        let known =
            marks.as_chunks::<2>().0.iter().position(|known| u16::from_le_bytes(*known) == mark)?;
        let values = self.part(Part::Values);
        if values.len() == self.part(Part::Marks).len() {
            return u16_at(values, start + known).map(usize::from);
        }
        u24_at(values, start + known).map(|value| value as usize)
    }

    /// The file at a path, by binary search: files are sorted by path.
    pub fn file_at(&self, path: &str) -> Option<File<'a>> {
        let (mut start, mut end) = (0, self.file_count());
        while start < end {
            let middle = start.midpoint(end);
            let file = self.file(middle)?;
            let slash = if file.directory.is_empty() { "" } else { "/" };
            let own = [file.directory, slash, file.name].into_iter().flat_map(str::bytes);
            match own.cmp(path.bytes()) {
                Ordering::Less => start = middle + 1,
                Ordering::Equal => return Some(file),
                Ordering::Greater => end = middle,
            }
        }
        None
    }

    fn file(&self, number: usize) -> Option<File<'a>> {
        let entry =
            self.part(Part::Files).get(number.checked_mul(FILE)?..)?.first_chunk::<FILE>()?;
        let [low, high, class, set_low, set_high] = *entry;
        let directory = usize::from(u16::from_le_bytes([low, high]));
        Some(File {
            directory: self.directory(directory)?,
            name: self.file_name(number)?,
            class: FileClass::of_number(class),
            set: u16::from_le_bytes([set_low, set_high]),
            atlas: *self,
        })
    }

    fn directory(&self, number: usize) -> Option<&'a str> {
        let marks = self.part(Part::DirectoryMarks);
        let range = u32_at(marks, number)? as usize..u32_at(marks, number + 1)? as usize;
        std::str::from_utf8(self.part(Part::DirectoryText).get(range)?).ok()
    }

    fn file_name(&self, number: usize) -> Option<&'a str> {
        let start = u32_at(self.part(Part::FileMarks), number / MARKED)? as usize;
        let mut rest = self.part(Part::FileNames).get(start..)?;
        for _ in 0..number % MARKED {
            let (len, behind) = rest.split_first()?;
            rest = behind.get(usize::from(*len)..)?;
        }
        let (len, behind) = rest.split_first()?;
        std::str::from_utf8(behind.get(..usize::from(*len))?).ok()
    }
}

/// A source file of an atlas.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    directory: &'a str,
    name: &'a str,
    class: FileClass,
    set: u16,
    atlas: Atlas<'a>,
}

impl<'a> File<'a> {
    /// The directory, without a trailing slash.
    pub fn directory(&self) -> &'a str {
        self.directory
    }

    /// The name in the directory; empty for a module of several files.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The class of the file.
    pub fn class(&self) -> FileClass {
        self.class
    }

    /// The sections of MAINTAINERS for the file, the most specific first.
    pub fn sections(&self) -> impl Iterator<Item = Section<'a>> + use<'a> {
        self.atlas.sections_of_set(self.set)
    }
}

impl PartialEq for File<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.directory, self.name) == (other.directory, other.name)
    }
}

impl Eq for File<'_> {}

impl fmt::Display for File<'_> {
    /// Writes the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.directory, self.name) {
            ("", name) => f.write_str(name),
            (directory, "") => f.write_str(directory),
            (directory, name) => write!(f, "{directory}/{name}"),
        }
    }
}

/// The files of a name, from [`Atlas::files`].
#[derive(Clone, Debug)]
pub struct Files<'a> {
    atlas: Atlas<'a>,
    single: Option<usize>,
    list: &'a [[u8; 2]],
}

impl<'a> Iterator for Files<'a> {
    type Item = File<'a>;

    fn next(&mut self) -> Option<File<'a>> {
        if let Some(number) = self.single.take() {
            return self.atlas.file(number);
        }
        let (first, rest) = self.list.split_first()?;
        self.list = rest;
        self.atlas.file(usize::from(u16::from_le_bytes(*first)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.list.len() + usize::from(self.single.is_some())))
    }
}
