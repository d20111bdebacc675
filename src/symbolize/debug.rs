//! DWARF: from an address to lines and inlined functions.

use std::borrow::Cow;
use std::sync::OnceLock;

use gimli::{
    AttributeValue, DebugInfoOffset, Dwarf, DwarfSections, EndianSlice, Unit, UnitOffset, UnitRef,
};

use super::error::Error;
use super::image::{Image, Reader};

/// How far `DW_AT_abstract_origin` and `DW_AT_specification` are followed for a name.
const MAX_ORIGINS: usize = 16;

/// The most functions that are inlined into each other; compilers stop far before.
const MAX_INLINED: usize = 256;

/// The most address ranges that one entry may have.
const MAX_RANGES: usize = 1 << 16;

/// A place in the source: one function of a frame.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Location {
    /// The function, by the name that the debug information has for it.
    pub function: Option<String>,
    /// The file, as an absolute path where the compiler wrote one.
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// From 1; absent where the compiler did not write it.
    pub column: Option<u32>,
}

/// The debug information of an image.
pub(super) struct Debug<'data> {
    sections: DwarfSections<Cow<'data, [u8]>>,
    endian: gimli::RunTimeEndian,
    /// By `.debug_aranges`, which does not tell of all units.
    quick: Ranges,
    /// By the units themselves, once an address is not in the quick table.
    whole: OnceLock<Ranges>,
    units: OnceLock<Vec<Slot>>,
}

/// A unit, once it was needed.
struct Slot {
    offset: usize,
    parsed: OnceLock<Option<Parsed>>,
}

/// Which unit an address is in.
#[derive(Default)]
struct Ranges(Vec<(u64, u64, usize)>);

impl Ranges {
    fn sort(&mut self) {
        self.0.retain(|(start, end, _)| start < end);
        self.0.sort_unstable();
    }

    /// The offset of the unit in `.debug_info`.
    fn unit(&self, address: u64) -> Option<usize> {
        let after = self.0.partition_point(|(start, ..)| *start <= address);
        let (_, end, unit) = self.0.get(after.checked_sub(1)?)?;
        (address < *end).then_some(*unit)
    }
}

/// What is kept of a unit.
pub(super) struct Parsed {
    abbreviations: std::sync::Arc<gimli::Abbreviations>,
    /// The functions by address: first, end, and the index in `functions`.
    ranges: Vec<(u64, u64, usize)>,
    functions: Vec<Function>,
    lines: Lines,
}

struct Function {
    offset: UnitOffset,
    nodes: OnceLock<Vec<Node>>,
}

/// A function, or one that was inlined into it.
pub(super) struct Node {
    pub(super) name: Option<String>,
    /// The node that it was inlined into; itself for the first.
    pub(super) parent: usize,
    /// Where it was called.
    pub(super) call_file: u64,
    pub(super) call_line: u32,
    pub(super) call_column: u32,
    pub(super) ranges: Vec<(u64, u64)>,
}

/// The line table of a unit, sorted by address.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) rows: Vec<Row>,
    pub(super) files: Vec<String>,
}

#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) address: u64,
    /// Index in the files; none behind the end of a sequence.
    pub(super) file: Option<u32>,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl<'data> Debug<'data> {
    pub(super) fn new(image: &Image<'data>) -> Result<Self, Error> {
        let sections = image.debug_sections()?;
        let endian = image.endian();
        let debug = Self {
            sections,
            endian,
            quick: Ranges::default(),
            whole: OnceLock::new(),
            units: OnceLock::new(),
        };
        let mut quick = Ranges::default();
        // What stands there is a help: where it is damaged, the units are asked themselves.
        let _ = debug.read_aranges(&mut quick);
        quick.sort();
        Ok(Self { quick, ..debug })
    }

    pub(super) fn dwarf(&self) -> Dwarf<Reader<'_>> {
        self.sections.borrow(|section| EndianSlice::new(section, self.endian))
    }

    fn read_aranges(&self, ranges: &mut Ranges) -> Result<(), gimli::Error> {
        let dwarf = self.dwarf();
        let mut headers = dwarf.debug_aranges.headers();
        while let Some(header) = headers.next()? {
            let mut entries = header.entries();
            while let Some(entry) = entries.next()? {
                let range = entry.range();
                ranges.0.push((range.begin, range.end, header.debug_info_offset().0));
            }
        }
        Ok(())
    }

    fn slots(&self) -> &[Slot] {
        self.units.get_or_init(|| {
            let mut slots = Vec::new();
            let dwarf = self.dwarf();
            let mut headers = dwarf.units();
            // What comes behind a damaged header cannot be found.
            while let Ok(Some(header)) = headers.next() {
                if let Some(offset) = header.debug_info_offset() {
                    slots.push(Slot { offset: offset.0, parsed: OnceLock::new() });
                }
            }
            slots
        })
    }

    /// The ranges of all units, from the units.
    fn whole(&self) -> &Ranges {
        self.whole.get_or_init(|| {
            let mut ranges = Ranges::default();
            let dwarf = self.dwarf();
            for slot in self.slots() {
                let _ = unit_ranges(&dwarf, slot.offset, &mut ranges);
            }
            ranges.sort();
            ranges
        })
    }

    fn parsed(&self, dwarf: &Dwarf<Reader<'_>>, offset: usize) -> Option<&Parsed> {
        let slots = self.slots();
        let slot = slots.binary_search_by_key(&offset, |slot| slot.offset).ok()?;
        let slot = slots.get(slot)?;
        slot.parsed.get_or_init(|| Parsed::new(dwarf, offset).ok()).as_ref()
    }

    /// The functions and lines at an address, innermost first.
    pub(super) fn locations(&self, address: u64) -> Vec<Location> {
        let found = self.quick.unit(address).and_then(|unit| self.in_unit(unit, address));
        let found = found.or_else(|| self.in_unit(self.whole().unit(address)?, address));
        found.unwrap_or_default()
    }

    fn in_unit(&self, unit: usize, address: u64) -> Option<Vec<Location>> {
        let dwarf = self.dwarf();
        let parsed = self.parsed(&dwarf, unit)?;
        let row = parsed.lines.at(address);
        let nodes = parsed.function(address).map(|function| {
            function.nodes.get_or_init(|| {
                reopen(&dwarf, unit, parsed)
                    .and_then(|unit| nodes(UnitRef::new(&dwarf, &unit), self, function.offset).ok())
                    .unwrap_or_default()
            })
        });
        let mut locations = Vec::new();
        let mut call = row.map(|row| (row.file.map(u64::from), row.line, row.column));
        let nodes = nodes.map(Vec::as_slice).unwrap_or_default();
        let innermost = nodes.iter().rposition(|node| {
            node.ranges.iter().any(|(start, end)| (*start..*end).contains(&address))
        });
        let mut next = innermost;
        while let Some((at, node)) = next.and_then(|at| Some((at, nodes.get(at)?))) {
            locations.push(parsed.lines.location(node.name.clone(), call));
            call = Some((Some(node.call_file), node.call_line, node.call_column));
            next = Some(node.parent).filter(|parent| *parent < at);
        }
        if locations.is_empty() {
            row?;
            locations.push(parsed.lines.location(None, call));
        }
        Some(locations)
    }

    /// The unit that an offset of `.debug_info` is in.
    fn unit_of(&self, offset: usize) -> Option<usize> {
        let slots = self.slots();
        let after = slots.partition_point(|slot| slot.offset <= offset);
        slots.get(after.checked_sub(1)?).map(|slot| slot.offset)
    }
}

/// A unit that was parsed before.
fn reopen<'a>(
    dwarf: &Dwarf<Reader<'a>>,
    offset: usize,
    parsed: &Parsed,
) -> Option<Unit<Reader<'a>>> {
    let header = dwarf.unit_header(DebugInfoOffset(offset)).ok()?;
    Unit::new_with_abbreviations(dwarf, header, parsed.abbreviations.clone()).ok()
}

fn unit_ranges(
    dwarf: &Dwarf<Reader<'_>>,
    offset: usize,
    ranges: &mut Ranges,
) -> Result<(), gimli::Error> {
    let unit = dwarf.unit(dwarf.unit_header(DebugInfoOffset(offset))?)?;
    let mut found = dwarf.unit_ranges(&unit)?;
    for _ in 0..MAX_RANGES {
        let Some(range) = found.next()? else { break };
        ranges.0.push((range.begin, range.end, offset));
    }
    Ok(())
}

impl Parsed {
    fn new(dwarf: &Dwarf<Reader<'_>>, offset: usize) -> Result<Self, gimli::Error> {
        let header = dwarf.unit_header(DebugInfoOffset(offset))?;
        let abbreviations = dwarf.abbreviations(&header)?;
        let unit = Unit::new_with_abbreviations(dwarf, header, abbreviations.clone())?;
        let unit = UnitRef::new(dwarf, &unit);
        let mut functions = Vec::new();
        let mut ranges = Vec::new();
        find_functions(unit, |offset, found| {
            ranges.extend(found.iter().map(|(start, end)| (*start, *end, functions.len())));
            functions.push(Function { offset, nodes: OnceLock::new() });
        })?;
        ranges.sort_unstable();
        let lines = Lines::new(unit).unwrap_or_default();
        Ok(Self { abbreviations, ranges, functions, lines })
    }

    fn function(&self, address: u64) -> Option<&Function> {
        let after = self.ranges.partition_point(|(start, ..)| *start <= address);
        let (_, end, function) = self.ranges.get(after.checked_sub(1)?)?;
        self.functions.get(*function).filter(|_| address < *end)
    }
}

/// Calls `found` for every function that has code, with its place and ranges.
///
/// Only what can hold functions is looked into; the rest is jumped over by `DW_AT_sibling`.
fn find_functions(
    unit: UnitRef<'_, Reader<'_>>,
    mut found: impl FnMut(UnitOffset, &[(u64, u64)]),
) -> Result<(), gimli::Error> {
    let mut entries = unit.entries_raw(None)?;
    let mut ranges = Vec::new();
    while !entries.is_empty() {
        let offset = entries.next_offset();
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        let tag = abbreviation.tag();
        if tag == gimli::DW_TAG_subprogram {
            let mut range = RangeAttributes::default();
            let mut sibling = None;
            for spec in abbreviation.attributes() {
                let attribute = entries.read_attribute_inline(*spec)?;
                match attribute.name() {
                    gimli::DW_AT_sibling => sibling = unit_reference(attribute.value()),
                    name => range.take(unit, name, attribute.value())?,
                }
            }
            ranges.clear();
            range.read(unit, &mut ranges)?;
            if !ranges.is_empty() {
                found(offset, &ranges);
            }
            if let Some(sibling) = sibling.filter(|sibling| *sibling > offset) {
                entries = unit.entries_raw(Some(sibling))?;
            }
            continue;
        }
        let holds_functions = matches!(
            tag,
            gimli::DW_TAG_compile_unit
                | gimli::DW_TAG_partial_unit
                | gimli::DW_TAG_namespace
                | gimli::DW_TAG_module
        );
        let first = abbreviation.attributes().first().filter(|_| abbreviation.has_children());
        // Compilers that write the sibling write it last or first: only few have one.
        let has_sibling = first.is_some()
            && abbreviation.attributes().iter().any(|spec| spec.name() == gimli::DW_AT_sibling);
        if holds_functions || !has_sibling {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let mut sibling = None;
        for spec in abbreviation.attributes() {
            if spec.name() == gimli::DW_AT_sibling {
                sibling = unit_reference(entries.read_attribute_inline(*spec)?.value());
            } else {
                entries.skip_attributes(std::slice::from_ref(spec))?;
            }
        }
        if let Some(sibling) = sibling.filter(|sibling| *sibling > offset) {
            entries = unit.entries_raw(Some(sibling))?;
        }
    }
    Ok(())
}

fn unit_reference(value: AttributeValue<Reader<'_>>) -> Option<UnitOffset> {
    match value {
        AttributeValue::UnitRef(offset) => Some(offset),
        _ => None,
    }
}

/// The attributes that say where an entry's code is.
#[derive(Default)]
struct RangeAttributes {
    low: Option<u64>,
    high: Option<u64>,
    size: Option<u64>,
    list: Option<gimli::RangeListsOffset>,
}

impl RangeAttributes {
    fn take<'a>(
        &mut self,
        unit: UnitRef<'_, Reader<'a>>,
        name: gimli::DwAt,
        value: AttributeValue<Reader<'a>>,
    ) -> Result<(), gimli::Error> {
        match (name, value) {
            (gimli::DW_AT_low_pc, value) => self.low = unit.attr_address(value)?,
            (gimli::DW_AT_high_pc, AttributeValue::Udata(size)) => self.size = Some(size),
            (gimli::DW_AT_high_pc, value) => self.high = unit.attr_address(value)?,
            (gimli::DW_AT_ranges, value) => self.list = unit.attr_ranges_offset(value)?,
            _ => {}
        }
        Ok(())
    }

    fn read(
        &self,
        unit: UnitRef<'_, Reader<'_>>,
        ranges: &mut Vec<(u64, u64)>,
    ) -> Result<(), gimli::Error> {
        if let Some(list) = self.list {
            let mut found = unit.ranges(list)?;
            for _ in 0..MAX_RANGES {
                let Some(range) = found.next()? else { break };
                if range.begin < range.end && range.begin != 0 {
                    ranges.push((range.begin, range.end));
                }
            }
            return Ok(());
        }
        let Some(low) = self.low.filter(|low| *low != 0) else { return Ok(()) };
        let end = self.high.or_else(|| low.checked_add(self.size?));
        ranges.extend(end.filter(|end| low < *end).map(|end| (low, end)));
        Ok(())
    }
}

/// A function and all that was inlined into it, each behind what it was inlined into.
fn nodes(
    unit: UnitRef<'_, Reader<'_>>,
    debug: &Debug<'_>,
    offset: UnitOffset,
) -> Result<Vec<Node>, gimli::Error> {
    let mut entries = unit.entries_raw(Some(offset))?;
    let top = entries.next_depth();
    let mut nodes: Vec<Node> = Vec::new();
    // The nodes that are open, with their depths.
    let mut open: Vec<(isize, usize)> = Vec::new();
    while !entries.is_empty() {
        let depth = entries.next_depth();
        if depth <= top && !nodes.is_empty() {
            break;
        }
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        while open.last().is_some_and(|(of, _)| *of >= depth) {
            open.pop();
        }
        let tag = abbreviation.tag();
        let is_function = nodes.is_empty() || tag == gimli::DW_TAG_inlined_subroutine;
        if !is_function || open.len() >= MAX_INLINED {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let mut node = Node {
            name: None,
            parent: open.last().map_or(0, |(_, node)| *node),
            call_file: 0,
            call_line: 0,
            call_column: 0,
            ranges: Vec::new(),
        };
        let mut range = RangeAttributes::default();
        for spec in abbreviation.attributes() {
            let attribute = entries.read_attribute_inline(*spec)?;
            let value = attribute.value();
            let number = || attribute.udata_value().unwrap_or(0);
            match attribute.name() {
                gimli::DW_AT_call_file => {
                    node.call_file = match value {
                        AttributeValue::FileIndex(file) => file,
                        _ => number(),
                    };
                }
                gimli::DW_AT_call_line => node.call_line = narrow(number()),
                gimli::DW_AT_call_column => node.call_column = narrow(number()),
                gimli::DW_AT_name | gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                    let is_linkage = attribute.name() != gimli::DW_AT_name;
                    if node.name.is_none() || is_linkage {
                        node.name = text(unit, value);
                    }
                }
                gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => {
                    if node.name.is_none() {
                        node.name = name(unit, debug, value, MAX_ORIGINS);
                    }
                }
                at => range.take(unit, at, value)?,
            }
        }
        range.read(unit, &mut node.ranges)?;
        open.push((depth, nodes.len()));
        nodes.push(node);
    }
    Ok(nodes)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn text<'a>(unit: UnitRef<'_, Reader<'a>>, value: AttributeValue<Reader<'a>>) -> Option<String> {
    let text = unit.attr_string(value).ok()?;
    Some(String::from_utf8_lossy(text.slice()).into_owned())
}

/// The name of the entry that an attribute refers to.
fn name<'a>(
    unit: UnitRef<'_, Reader<'a>>,
    debug: &Debug<'_>,
    value: AttributeValue<Reader<'a>>,
    hops: usize,
) -> Option<String> {
    let hops = hops.checked_sub(1)?;
    let offset = match value {
        AttributeValue::UnitRef(offset) => offset,
        AttributeValue::DebugInfoRef(offset) => {
            let header = unit.dwarf.unit_header(DebugInfoOffset(debug.unit_of(offset.0)?)).ok()?;
            let offset = offset.to_unit_offset(&header)?;
            let other = unit.dwarf.unit(header).ok()?;
            return name_at(UnitRef::new(unit.dwarf, &other), debug, offset, hops);
        }
        _ => return None,
    };
    name_at(unit, debug, offset, hops)
}

fn name_at(
    unit: UnitRef<'_, Reader<'_>>,
    debug: &Debug<'_>,
    offset: UnitOffset,
    hops: usize,
) -> Option<String> {
    let mut entries = unit.entries_raw(Some(offset)).ok()?;
    let abbreviation = entries.read_abbreviation().ok()??;
    let (mut plain, mut further) = (None, None);
    for spec in abbreviation.attributes() {
        let attribute = entries.read_attribute_inline(*spec).ok()?;
        match attribute.name() {
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                return text(unit, attribute.value());
            }
            gimli::DW_AT_name => plain = text(unit, attribute.value()),
            gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => {
                further = Some(attribute.value());
            }
            _ => {}
        }
    }
    plain.or_else(|| name(unit, debug, further?, hops))
}

impl Lines {
    fn new(unit: UnitRef<'_, Reader<'_>>) -> Result<Self, gimli::Error> {
        let Some(program) = unit.line_program.clone() else { return Ok(Self::default()) };
        let mut sequences: Vec<Vec<Row>> = Vec::new();
        let mut sequence: Vec<Row> = Vec::new();
        let mut state = program.rows();
        while let Some((_, row)) = state.next_row()? {
            let address = row.address();
            let mut found = Row {
                address,
                file: u32::try_from(row.file_index()).ok(),
                line: row.line().map_or(0, |line| narrow(line.get())),
                column: match row.column() {
                    gimli::ColumnType::LeftEdge => 0,
                    gimli::ColumnType::Column(column) => narrow(column.get()),
                },
            };
            if row.end_sequence() {
                found.file = None;
                sequence.push(found);
                let whole = std::mem::take(&mut sequence);
                // What was thrown away is at 0.
                if whole.first().is_some_and(|row| row.address != 0 && row.address < address) {
                    sequences.push(whole);
                }
                continue;
            }
            match sequence.last_mut().filter(|last| last.address >= address) {
                // The last row of an address counts.
                Some(last) if last.address == address => *last = found,
                Some(_) => {}
                None => sequence.push(found),
            }
        }
        sequences.sort_by_key(|rows| rows.first().map(|row| row.address));
        let header = state.header();
        let mut files = Vec::new();
        // DWARF 5 counts from 0, earlier versions from 1.
        let first = u64::from(header.encoding().version < 5);
        files.resize_with(usize::from(first == 1), String::new);
        let count = header.file_names().len() as u64;
        files.extend((first..first + count).map(|index| path(unit, header, index)));
        Ok(Self { rows: sequences.concat(), files })
    }

    fn at(&self, address: u64) -> Option<&Row> {
        let after = self.rows.partition_point(|row| row.address <= address);
        self.rows.get(after.checked_sub(1)?).filter(|row| row.file.is_some())
    }

    fn location(
        &self,
        function: Option<String>,
        place: Option<(Option<u64>, u32, u32)>,
    ) -> Location {
        let (file, line, column) = place.unwrap_or_default();
        let file = file.and_then(|file| self.files.get(usize::try_from(file).ok()?));
        Location {
            function,
            file: file.filter(|file| !file.is_empty()).cloned(),
            line: Some(line).filter(|line| *line > 0),
            column: Some(column).filter(|column| *column > 0),
        }
    }
}

/// The path of a file of the line table, from the root where that is known, without `.` and `..`.
fn path<'a>(
    unit: UnitRef<'_, Reader<'a>>,
    header: &gimli::LineProgramHeader<Reader<'a>>,
    index: u64,
) -> String {
    let Some(file) = header.file(index) else { return String::new() };
    let mut path = String::new();
    if let Some(start) = unit.comp_dir {
        path.push_str(&start.to_string_lossy());
    }
    let directory = file.directory(header).filter(|_| file.directory_index() != 0);
    for part in [directory, Some(file.path_name())].into_iter().flatten() {
        let Ok(part) = unit.attr_string(part) else { continue };
        let part = part.to_string_lossy();
        if part.starts_with('/') {
            path.clear();
        } else if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&part);
    }
    plain(&path)
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let is_plain = !path.split('/').any(|part| matches!(part, "." | ".."));
    if is_plain {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_plain() {
        for (path, want) in [
            ("/a/b.c", "/a/b.c"),
            ("/a/./b/../c.c", "/a/c.c"),
            ("../../a.c", "../../a.c"),
            ("/../a.c", "/../a.c"),
        ] {
            assert_eq!(plain(path), want);
        }
    }
}
