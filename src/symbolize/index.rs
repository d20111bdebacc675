//! A file that answers what an image's debug information would, without reading it.
//!
//! All numbers are little-endian. The file has a header, a table of checksums, and sections:
//!
//! ```text
//! header    = "ksplatix" version:u32 crc:u32 build-id:[u8; 32] base:u64 sections:[start:u64 len:u64; 10]
//! checksums = [u32]       ; CRC-32 of each 64 KiB of the rest; the header's covers it and these
//! 0 starts  = [u32]       ; sorted first addresses of rows, less the base
//! 1 rows    = [place:u64 node:u32]
//! 2 nodes   = [place:u64 function:u32 parent:u32]  ; where it was called, and inlined into what
//! 3 files   = [end:u32]   ; ends of the texts in 4
//! 4 texts of the files
//! 5 functions = [end:u32] ; ends of the texts in 6
//! 6 texts of the functions
//! 7 symbols = [address:u64 size:u64 room:u64 end:u32]  ; sorted by name; ends of the texts in 8
//! 8 texts of the symbols
//! 9 order   = [u32]       ; the symbols by address
//! place     = file:24 line:24 column:16 bits, the file's highest; all ones in the file: none
//! ```
//!
//! The file texts are whole paths; the first two texts of the functions are the release and the
//! directory that the image was compiled in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use super::debug::{Debug, Found, Location, Unit};
use super::error::Error;
use super::image::{Image, Symbol};

const MAGIC: &[u8; 8] = b"ksplatix";

/// Counts up with the format.
const VERSION: u32 = 1;

const SECTIONS: usize = 10;
const HEADER: usize = 8 + 4 + 4 + 32 + 8 + SECTIONS * 16;

/// The bytes that one checksum is of: little enough to check when it is first read.
const BLOCK: usize = 1 << 16;

/// No node, no file.
const NONE: u32 = u32::MAX;
const NO_FILE: u64 = (1 << 24) - 1;

/// The most functions that are told as inlined into each other.
const MAX_INLINED: usize = 256;

/// The index of an image, read from a file; see the source of the module for the format.
pub struct Index<'data> {
    data: &'data [u8],
    base: u64,
    sections: [(usize, usize); SECTIONS],
    /// Whether each block is not looked at yet (0), as it was written (1), or damaged (2).
    blocks: Vec<AtomicU8>,
    checksums: usize,
}

impl std::fmt::Debug for Index<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("bytes", &self.data.len()).finish_non_exhaustive()
    }
}

impl<'data> Index<'data> {
    /// Opens an index of the image with a build id.
    ///
    /// # Errors
    ///
    /// It is no index, of another version, of another image, or its header is damaged. Damage further
    /// on is found when it is read: then what stands there is not told.
    pub fn parse(data: &'data [u8], build_id: &[u8]) -> Result<Self, Error> {
        let short = || Error::new("the index is cut off");
        let header = data.get(..HEADER).ok_or_else(short)?;
        if !header.starts_with(MAGIC) || number(header, 8, 4) != Some(u64::from(VERSION)) {
            return Err(Error::new("no index of this version"));
        }
        if header.get(16..48) != Some(&padded(build_id)[..]) {
            return Err(Error::new("the index of another image"));
        }
        let count = blocks_of(data.len());
        let start = HEADER + 4 * count;
        let mut crc = crc32fast::Hasher::new();
        crc.update(header.get(16..).ok_or_else(short)?);
        crc.update(data.get(HEADER..start).ok_or_else(short)?);
        if number(header, 12, 4) != Some(u64::from(crc.finalize())) {
            return Err(Error::new("the header of the index is damaged"));
        }
        let mut sections = [(0, 0); SECTIONS];
        for (at, section) in sections.iter_mut().enumerate() {
            let field = |at| number(header, at, 8).and_then(|n| usize::try_from(n).ok());
            let at = 56 + 16 * at;
            let (from, len) = field(at).zip(field(at + 8)).ok_or_else(short)?;
            let end = from.checked_add(len).filter(|end| *end <= data.len()).ok_or_else(short)?;
            *section = (from.max(start), end);
        }
        let base = number(header, 48, 8).unwrap_or(0);
        let blocks = (0..count).map(|_| AtomicU8::new(0)).collect();
        Ok(Self { data, base, sections, blocks, checksums: HEADER })
    }

    /// The bytes of a section, if the blocks that they are in are as they were written.
    fn bytes(&self, section: usize, at: usize, len: usize) -> Option<&'data [u8]> {
        let (from, end) = *self.sections.get(section)?;
        let first = from.checked_add(at)?;
        let last = first.checked_add(len).filter(|last| *last <= end)?;
        let start = self.checksums + 4 * self.blocks.len();
        let blocks = (first - start) / BLOCK..=(last.max(first + 1) - 1 - start) / BLOCK;
        blocks.into_iter().all(|block| self.is_whole(block)).then(|| self.data.get(first..last))?
    }

    fn is_whole(&self, block: usize) -> bool {
        let Some(state) = self.blocks.get(block) else { return false };
        match state.load(Ordering::Relaxed) {
            0 => {
                let start = self.checksums + 4 * self.blocks.len() + block * BLOCK;
                let end = (start + BLOCK).min(self.data.len());
                let data = self.data.get(start..end).unwrap_or_default();
                let want = number(self.data, self.checksums + 4 * block, 4);
                let is_whole = want == Some(u64::from(crc32fast::hash(data)));
                state.store(if is_whole { 1 } else { 2 }, Ordering::Relaxed);
                is_whole
            }
            state => state == 1,
        }
    }

    fn number(&self, section: usize, at: usize, len: usize) -> Option<u64> {
        Some(little(self.bytes(section, at, len)?))
    }

    fn count(&self, section: usize, size: usize) -> usize {
        self.sections.get(section).map_or(0, |(from, end)| end.saturating_sub(*from) / size)
    }

    /// A text of a table of ends.
    fn text(&self, ends: usize, (at, size): (usize, usize), index: usize) -> Option<&'data [u8]> {
        let end = |index: usize| self.number(ends, index.checked_mul(size)?.checked_add(at)?, 4);
        let from = match index.checked_sub(1) {
            Some(before) => end(before)?,
            None => 0,
        };
        let (from, end) = (usize::try_from(from).ok()?, usize::try_from(end(index)?).ok()?);
        self.bytes(ends + 1, from, end.checked_sub(from)?)
    }

    fn plain_text(&self, ends: usize, index: usize) -> Option<Cow<'data, str>> {
        self.text(ends, (0, 4), index).map(String::from_utf8_lossy)
    }

    fn location(&self, place: u64, function: u32) -> Location {
        let function = usize::try_from(function).ok().filter(|_| function != NONE);
        let file = usize::try_from(place >> 40).ok().filter(|_| place >> 40 != NO_FILE);
        let line = u32::try_from((place >> 16) & 0xff_ffff).unwrap_or(0);
        let column = u32::try_from(place & 0xffff).unwrap_or(0);
        Location {
            function: function.and_then(|at| self.plain_text(5, at)).map(Cow::into_owned),
            file: file.and_then(|file| self.plain_text(3, file)).map(Cow::into_owned),
            line: Some(line).filter(|line| *line > 0),
            column: Some(column).filter(|column| *column > 0),
        }
    }

    /// The functions and lines at an address; none if the index is damaged there.
    pub(super) fn locations(&self, address: u64) -> Option<Vec<Location>> {
        let mut locations = Vec::new();
        let Ok(address) = u32::try_from(address.wrapping_sub(self.base)) else {
            return Some(locations);
        };
        let before = |at: usize| Some(self.number(0, 4 * at, 4)? <= u64::from(address));
        let row = partition(self.count(0, 4), before)?.checked_sub(1);
        let Some(row) = row else { return Some(locations) };
        let row = self.bytes(1, 12 * row, 12)?;
        let (mut place, mut node) = (number(row, 0, 8)?, index(number(row, 8, 4)?));
        if node == NONE {
            if place >> 40 != NO_FILE {
                locations.push(self.location(place, NONE));
            }
            return Some(locations);
        }
        for _ in 0..MAX_INLINED {
            if node == NONE {
                break;
            }
            let found = self.bytes(2, usize::try_from(node).ok()?.checked_mul(16)?, 16)?;
            locations.push(self.location(place, index(number(found, 8, 4)?)));
            place = number(found, 0, 8)?;
            node = index(number(found, 12, 4)?);
        }
        Some(locations)
    }

    /// The release of the image.
    pub(super) fn release(&self) -> Option<String> {
        self.plain_text(5, 0).map(Cow::into_owned).filter(|release| !release.is_empty())
    }

    /// The directory that the image was compiled in.
    pub(super) fn directory(&self) -> Option<Cow<'data, str>> {
        self.plain_text(5, 1)
    }

    fn symbol(&self, at: usize) -> Option<Symbol<'data>> {
        let symbol = self.bytes(7, at.checked_mul(28)?, 28)?;
        let name = self.text(7, (24, 28), at)?;
        let field = |at| number(symbol, at, 8);
        Some(Symbol::known(name, field(0)?, field(8)?, field(16)?))
    }

    /// The symbols of a name; none if the index is damaged there.
    pub(super) fn named(&self, name: &[u8]) -> Option<Vec<Symbol<'data>>> {
        let count = self.count(7, 28);
        let first = partition(count, |at| Some(self.text(7, (24, 28), at)? < name))?;
        let mut found = Vec::new();
        for at in first..count {
            let symbol = self.symbol(at)?;
            if symbol.name != name {
                break;
            }
            found.push(symbol);
        }
        Some(found)
    }

    /// The symbol that an address lies in; none if the index is damaged there.
    pub(super) fn symbol_at(&self, address: u64) -> Option<Option<Symbol<'data>>> {
        let place = |at: usize| usize::try_from(self.number(9, 4 * at, 4)?).ok();
        let after = partition(self.count(9, 4), |at| {
            Some(self.number(7, place(at)?.checked_mul(28)?, 8)? <= address)
        })?;
        let Some(last) = after.checked_sub(1) else { return Some(None) };
        let symbol = self.symbol(place(last)?)?;
        let is_inside = address.wrapping_sub(symbol.address) < symbol.room?;
        Some(is_inside.then_some(symbol))
    }
}

/// The number of values, sorted, that are not above another.
fn partition(count: usize, is_before: impl Fn(usize) -> Option<bool>) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle)? { low = middle + 1 } else { high = middle }
    }
    Some(low)
}

fn index(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(NONE)
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn number(data: &[u8], at: usize, len: usize) -> Option<u64> {
    data.get(at..at.checked_add(len)?).map(little)
}

/// How many blocks a file of so many bytes has behind its checksums.
fn blocks_of(len: usize) -> usize {
    // Each block has a checksum of four bytes.
    len.saturating_sub(HEADER).div_ceil(BLOCK + 4)
}

fn padded(build_id: &[u8]) -> [u8; 32] {
    let mut id = [0; 32];
    for (to, from) in id.iter_mut().zip(build_id) {
        *to = *from;
    }
    id
}

/// The rows, functions and files of some units.
#[derive(Default)]
struct Part {
    rows: Vec<(u64, u64, u32)>,
    nodes: Vec<(u64, u32, u32)>,
    files: Texts,
    functions: Texts,
}

/// Texts by number, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(NONE);
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

fn place(file: Option<u32>, line: u32, column: u32) -> u64 {
    let file = file.map_or(NO_FILE, u64::from).min(NO_FILE);
    let (line, column) = (u64::from(line).min(0xff_ffff), u64::from(column).min(0xffff));
    file << 40 | line << 16 | column
}

impl Part {
    fn add(&mut self, unit: &Unit<'_>) {
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        let mut file = |files: &mut Texts, file: u64| {
            *numbers
                .entry(file)
                .or_insert_with(|| unit.path(file).map_or(NONE, |path| files.number(&path)))
        };
        // Where the innermost function changes, over the unit.
        let mut changes: Vec<Change> = Vec::new();
        // Of two names for the same code the first counts, which so comes last.
        for nodes in unit.functions.iter().rev() {
            let first = u32::try_from(self.nodes.len()).unwrap_or(NONE);
            for (at, node) in nodes.iter().enumerate() {
                let call_file = file(&mut self.files, node.call_file);
                let call = place(
                    Some(call_file).filter(|file| *file != NONE),
                    node.call_line,
                    node.call_column,
                );
                let name = node.name.as_deref().map_or(NONE, |name| self.functions.number(name));
                let parent = u32::try_from(node.parent).ok().filter(|_| node.parent < at);
                self.nodes.push((call, name, parent.map_or(NONE, |parent| first + parent)));
            }
            sweep(nodes, first, &mut changes);
        }
        // Where one function ends and another begins, the latter counts.
        changes.sort_by_key(|change| (change.at, change.is_start));
        let mut edges: Vec<(u64, bool)> = Vec::new();
        for (start, end) in &unit.ranges {
            // Where one range ends and another begins, the latter counts.
            edges.extend([(*start, true), (*end, false)]);
        }
        edges.sort_unstable();
        let mut edges = edges.into_iter().peekable();
        let mut is_inside = unit.ranges.is_empty();
        let (mut rows, mut changes) =
            (unit.lines.rows.iter().peekable(), changes.iter().peekable());
        let (mut row, mut node) = (place(None, 0, 0), NONE);
        loop {
            let next = [
                rows.peek().map(|row| row.address),
                changes.peek().map(|change| change.at),
                edges.peek().map(|edge| edge.0),
            ];
            let Some(start) = next.into_iter().flatten().min() else { break };
            while let Some(next) = rows.next_if(|row| row.address == start) {
                let number = next.file.map(|number| file(&mut self.files, number.into()));
                let number = number.filter(|number| *number != NONE);
                row = match number {
                    Some(_) => place(number, next.line, next.column),
                    None => place(None, 0, 0),
                };
            }
            while let Some(next) = changes.next_if(|change| change.at == start) {
                node = next.node;
            }
            let was_inside = is_inside;
            while let Some(next) = edges.next_if(|edge| edge.0 == start) {
                is_inside = next.1;
            }
            // What a unit tells of another's code counts for nothing: an alias, the padding.
            let shown = if is_inside { (row, node) } else { (place(None, 0, 0), NONE) };
            let is_told = is_inside || was_inside;
            if is_told && self.rows.last().is_none_or(|last| (last.1, last.2) != shown) {
                self.rows.push((start, shown.0, shown.1));
            }
        }
    }
}

/// From an address on, another function is the innermost.
struct Change {
    at: u64,
    is_start: bool,
    node: u32,
}

/// Where the innermost of some functions changes: they are in each other, each behind what it is in.
fn sweep(nodes: &[super::debug::Node], first: u32, changes: &mut Vec<Change>) {
    let mut ranges: Vec<(u64, usize, u64)> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        ranges.extend(node.ranges.iter().map(|(start, end)| (*start, at, *end)));
    }
    ranges.sort_unstable();
    let mut open: Vec<(u64, u32)> = Vec::new();
    let close = |open: &mut Vec<(u64, u32)>, changes: &mut Vec<Change>, until: u64| {
        while let Some((end, _)) = open.pop_if(|(end, _)| *end <= until) {
            let node = open.last().map_or(NONE, |(_, node)| *node);
            changes.push(Change { at: end, is_start: false, node });
        }
    };
    for (start, at, end) in ranges {
        close(&mut open, changes, start);
        let number = first.saturating_add(u32::try_from(at).unwrap_or(0));
        changes.push(Change { at: start, is_start: true, node: number });
        // One that is longer than what it is in ends with that.
        let end = open.last().map_or(end, |(outer, _)| end.min(*outer));
        open.push((end, number));
    }
    close(&mut open, changes, u64::MAX);
}

impl Image<'_> {
    /// Writes an index of the image: the bytes for [`Index::parse`]. Units are read by all processors.
    ///
    /// # Errors
    ///
    /// The image has no build id or no debug information, or that cannot be read.
    pub fn index(&self) -> Result<Vec<u8>, Error> {
        let build_id = self.build_id().ok_or_else(|| Error::new("the image has no build id"))?;
        if !self.has_debug() {
            return Err(Error::new("the image has no debug information"));
        }
        let whole = read(self.debug()?);
        let base = whole.rows.first().map_or(0, |row| row.0);
        let release = self.release().unwrap_or_default();
        let directory = self.debug()?.directory();
        let mut sections: [Vec<u8>; SECTIONS] = Default::default();
        let [
            starts,
            rows,
            nodes,
            files,
            file_texts,
            functions,
            function_texts,
            symbols,
            names,
            order,
        ] = &mut sections;
        for (start, place, node) in whole.rows {
            let Ok(start) = u32::try_from(start - base) else { break };
            starts.extend(start.to_le_bytes());
            rows.extend(place.to_le_bytes());
            rows.extend(node.to_le_bytes());
        }
        for (place, function, parent) in whole.nodes {
            nodes.extend(place.to_le_bytes());
            let function = if function == NONE { NONE } else { function + 2 };
            nodes.extend(function.to_le_bytes());
            nodes.extend(parent.to_le_bytes());
        }
        let texts = |ends: &mut Vec<u8>, texts: &mut Vec<u8>, text: &[u8]| {
            texts.extend(text);
            ends.extend(u32::try_from(texts.len()).unwrap_or(u32::MAX).to_le_bytes());
        };
        for file in &whole.files.all {
            texts(files, file_texts, file.as_bytes());
        }
        for text in [release.as_str(), &directory] {
            texts(functions, function_texts, text.as_bytes());
        }
        for function in &whole.functions.all {
            texts(functions, function_texts, function.as_bytes());
        }
        let mut all = self.all_symbols();
        all.sort_by(|a, b| a.name.cmp(b.name));
        for symbol in &all {
            symbols.extend(symbol.address.to_le_bytes());
            symbols.extend(symbol.size.to_le_bytes());
            symbols.extend(symbol.room.unwrap_or(0).to_le_bytes());
            texts(symbols, names, symbol.name);
        }
        let mut by_address: Vec<u32> = (0..).take(all.len()).collect();
        by_address.sort_by_key(|at| all.get(*at as usize).map(|symbol| symbol.address));
        order.extend(by_address.iter().flat_map(|at| at.to_le_bytes()));
        Ok(file(build_id, base, &sections))
    }
}

/// Puts header, checksums and sections together.
fn file(build_id: &[u8], base: u64, sections: &[Vec<u8>; SECTIONS]) -> Vec<u8> {
    let len: usize = sections.iter().map(Vec::len).sum();
    let count = len.div_ceil(BLOCK);
    let start = HEADER + 4 * count;
    let body = sections.concat();
    let mut out = Vec::with_capacity(start + len);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend([0; 4]);
    out.extend(padded(build_id));
    out.extend(base.to_le_bytes());
    let mut at = start;
    for section in sections {
        out.extend((at as u64).to_le_bytes());
        out.extend((section.len() as u64).to_le_bytes());
        at += section.len();
    }
    for block in body.chunks(BLOCK) {
        out.extend(crc32fast::hash(block).to_le_bytes());
    }
    let crc = crc32fast::hash(out.get(16..).unwrap_or_default());
    for (to, from) in out.iter_mut().skip(12).zip(crc.to_le_bytes()) {
        *to = from;
    }
    out.extend(body);
    out
}

/// Reads all units, on all processors.
fn read(debug: &Debug<'_>) -> Part {
    let units = debug.unit_offsets();
    let chunks: Vec<&[usize]> = units.chunks(CHUNK).collect();
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut parts = Vec::new();
        let dwarf = debug.dwarf();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(units) = chunks.get(number) else { break };
            let mut part = Part::default();
            for unit in *units {
                // A unit that cannot be read has no lines in the index either.
                if let Ok(unit) = Unit::new(&dwarf, debug, *unit) {
                    part.add(&unit);
                }
            }
            parts.push((number, part));
        }
        parts
    };
    let mut parts = thread::scope(|scope| {
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut parts = work();
        parts.extend(workers.into_iter().filter_map(|worker| worker.join().ok()).flatten());
        parts
    });
    // In the order of the image, so that the index does not depend on who was first.
    parts.sort_by_key(|(number, _)| *number);
    let mut whole = Part::default();
    for (_, part) in &parts {
        whole.take(part);
    }
    whole.rows.sort_by_key(|row| row.0);
    // Where one unit ends and another begins: what begins counts.
    whole.rows.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same && (earlier.2 == NONE || earlier.1 >> 40 == NO_FILE) {
            *earlier = *later;
        }
        is_same
    });
    whole
}

/// How many units one thread takes at a time.
const CHUNK: usize = 64;

/// More processors than this wait for memory.
const MAX_WORKERS: usize = 8;

impl Part {
    /// Takes what another part has.
    fn take(&mut self, other: &Self) {
        let files: Vec<u32> = other.files.all.iter().map(|text| self.files.number(text)).collect();
        let functions: Vec<u32> =
            other.functions.all.iter().map(|text| self.functions.number(text)).collect();
        let moved = |place: u64| {
            let file = usize::try_from(place >> 40).ok().and_then(|file| files.get(file));
            match file {
                Some(file) => u64::from(*file) << 40 | (place & 0xff_ffff_ffff),
                None => place,
            }
        };
        let first = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        let shifted = |node: u32| if node == NONE { NONE } else { node + first };
        self.rows.extend(
            other.rows.iter().map(|(start, place, node)| (*start, moved(*place), shifted(*node))),
        );
        self.nodes.extend(other.nodes.iter().map(|(place, function, parent)| {
            let function = functions.get(*function as usize).copied().unwrap_or(NONE);
            (moved(*place), function, shifted(*parent))
        }));
    }
}

/// What is found by an index, or else by the debug information itself.
pub(super) fn locations<'i>(image: &'i Image<'_>, address: u64) -> Result<Found<'i>, Error> {
    let found = image.index_of().and_then(|index| {
        Some(Found { locations: index.locations(address)?, directory: index.directory()? })
    });
    if let Some(found) = found {
        return Ok(found);
    }
    Ok(image.debug()?.locations(address))
}
