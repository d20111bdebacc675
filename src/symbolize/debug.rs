//! DWARF: from an address to lines and inlined functions.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use gimli::{
    AttributeValue, DebugInfoOffset, Dwarf, DwarfSections, EndianSlice, UnitOffset, UnitRef,
};

use super::error::Error;
use super::image::{Image, Reader};
use super::lines::{Lines, narrow, text};

/// How far `DW_AT_abstract_origin` and `DW_AT_specification` are followed for a name.
const MAX_ORIGINS: usize = 16;

/// The most functions that are inlined into each other; compilers stop far before.
const MAX_INLINED: usize = 256;

/// The most address ranges that one entry may have.
const MAX_RANGES: usize = 1 << 16;

/// The most attributes of an entry; compilers write some 20. They may take no bytes in the entry.
const MAX_ATTRIBUTES: usize = 256;

/// How many rows and ranges may be read for each byte of the sections: each takes a byte at least, but
/// damaged units may share them.
const SHARED: u64 = 4;

/// What may be read of a small image.
const SPENT_AT_LEAST: u64 = 1 << 20;

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
    /// How many more rows and ranges may be read.
    left: AtomicU64,
    /// By `.debug_aranges`, which does not tell of all units.
    quick: Ranges,
    /// The units that these ranges name.
    quick_units: Units,
    /// By the units themselves, once an address is not in the quick table.
    whole: OnceLock<Ranges>,
    all_units: OnceLock<Units>,
}

/// Units by their offset in `.debug_info`.
#[derive(Default)]
struct Units(Vec<Slot>);

impl Units {
    fn at(&self, offset: usize) -> Option<&Slot> {
        let at = self.0.binary_search_by_key(&offset, |slot| slot.offset).ok()?;
        self.0.get(at)
    }
}

/// A unit, once it was needed.
struct Slot {
    offset: usize,
    parsed: OnceLock<Option<Parsed>>,
}

impl Slot {
    fn new(offset: usize) -> Self {
        Self { offset, parsed: OnceLock::new() }
    }
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

/// What is known of an address.
#[derive(Default)]
pub(super) struct Found<'a> {
    /// The functions, innermost first.
    pub(super) locations: Vec<Location>,
    /// The directory that the unit was compiled in.
    pub(super) directory: Cow<'a, str>,
}

/// What is kept of a unit.
pub(super) struct Parsed {
    directory: String,
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

/// How many units are asked for the directory.
const MAX_ASKED: usize = 64;

/// All of a unit.
pub(super) struct Unit<'u> {
    pub(super) functions: Vec<Vec<Node>>,
    pub(super) lines: Lines,
    /// Where its code is, sorted; lines go on over the padding behind a function.
    pub(super) ranges: Vec<(u64, u64)>,
    dwarf: &'u Dwarf<Reader<'u>>,
    directory: String,
}

impl<'u> Unit<'u> {
    pub(super) fn new(
        dwarf: &'u Dwarf<Reader<'u>>,
        debug: &Debug<'_>,
        offset: usize,
    ) -> Result<Self, gimli::Error> {
        let whole = dwarf.unit(dwarf.unit_header(DebugInfoOffset(offset))?)?;
        let unit = UnitRef::new(dwarf, &whole);
        let mut offsets = Vec::new();
        find_functions(unit, debug, |offset, _| offsets.push(offset))?;
        let functions = offsets.into_iter().filter_map(|offset| nodes(unit, debug, offset).ok());
        let functions = functions.collect();
        let lines = Lines::new(unit).unwrap_or_default();
        debug.spend(lines.rows.len() + lines.files.len())?;
        let directory = whole.comp_dir.map(|text| text.to_string_lossy().into_owned());
        let mut ranges = entry_ranges(unit, whole.header.root_offset())?;
        ranges.sort_unstable();
        Ok(Self { functions, lines, ranges, dwarf, directory: directory.unwrap_or_default() })
    }

    /// The path of a file.
    pub(super) fn path(&self, file: u64) -> Option<String> {
        self.lines.path(self.dwarf, &self.directory, file)
    }
}

impl<'data> Debug<'data> {
    pub(super) fn new(image: &Image<'data>) -> Result<Self, Error> {
        let sections = image.debug_sections()?;
        let endian = image.endian();
        let mut size = 0;
        sections.borrow(|section| {
            size += section.len() as u64;
            EndianSlice::new(section, endian)
        });
        let debug = Self {
            sections,
            endian,
            left: AtomicU64::new(size.saturating_mul(SHARED).max(SPENT_AT_LEAST)),
            quick: Ranges::default(),
            quick_units: Units::default(),
            whole: OnceLock::new(),
            all_units: OnceLock::new(),
        };
        let mut quick = Ranges::default();
        // What stands there is a help: where it is damaged, the units are asked themselves.
        let _ = debug.read_aranges(&mut quick);
        quick.sort();
        let mut offsets: Vec<usize> = quick.0.iter().map(|(.., unit)| *unit).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let units = offsets.into_iter().map(Slot::new);
        Ok(Self { quick, quick_units: Units(units.collect()), ..debug })
    }

    pub(super) fn dwarf(&self) -> Dwarf<Reader<'_>> {
        self.sections.borrow(|section| EndianSlice::new(section, self.endian))
    }

    /// Counts rows and ranges that were read; an error once they are more than an honest image has.
    fn spend(&self, count: usize) -> Result<(), gimli::Error> {
        let spend = |left: u64| left.checked_sub(count as u64);
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        spent.map(|_| ()).map_err(|_| gimli::Error::UnsupportedOffset)
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

    fn all_units(&self) -> &Units {
        self.all_units.get_or_init(|| {
            let mut units = Units::default();
            let dwarf = self.dwarf();
            let mut headers = dwarf.units();
            // What comes behind a damaged header cannot be found.
            while let Ok(Some(header)) = headers.next() {
                if let Some(offset) = header.debug_info_offset() {
                    units.0.push(Slot::new(offset.0));
                }
            }
            units
        })
    }

    /// The ranges of all units, from the units.
    fn whole(&self) -> &Ranges {
        self.whole.get_or_init(|| {
            let mut ranges = Ranges::default();
            let dwarf = self.dwarf();
            for slot in &self.all_units().0 {
                let _ = unit_ranges(&dwarf, self, slot.offset, &mut ranges);
            }
            ranges.sort();
            ranges
        })
    }

    fn parsed(&self, offset: usize) -> Option<&Parsed> {
        let slot = self.quick_units.at(offset).or_else(|| self.all_units().at(offset))?;
        slot.parsed.get_or_init(|| Parsed::new(&self.dwarf(), self, offset).ok()).as_ref()
    }

    /// The functions and lines at an address, innermost first.
    pub(super) fn locations(&self, address: u64) -> Found<'_> {
        let found = self.quick.unit(address).and_then(|unit| self.in_unit(unit, address));
        let found = found.or_else(|| self.in_unit(self.whole().unit(address)?, address));
        found.unwrap_or_default()
    }

    fn in_unit(&self, unit: usize, address: u64) -> Option<Found<'_>> {
        let parsed = self.parsed(unit)?;
        let nodes = parsed.function(address).map(|function| {
            function.nodes.get_or_init(|| {
                let dwarf = self.dwarf();
                reopen(&dwarf, unit, parsed)
                    .and_then(|unit| nodes(UnitRef::new(&dwarf, &unit), self, function.offset).ok())
                    .unwrap_or_default()
            })
        });
        let nodes = nodes.map(Vec::as_slice).unwrap_or_default();
        let locations = locations(&self.dwarf(), &parsed.directory, &parsed.lines, nodes, address)?;
        Some(Found { locations, directory: Cow::Borrowed(&parsed.directory) })
    }

    /// The places of all units.
    pub(super) fn unit_offsets(&self) -> Vec<usize> {
        self.all_units().0.iter().map(|slot| slot.offset).collect()
    }

    /// The directory that the first unit of C was compiled in.
    pub(super) fn directory(&self) -> String {
        let units = &self.all_units().0;
        let mut directories = units.iter().take(MAX_ASKED).filter_map(|slot| {
            let dwarf = self.dwarf();
            let unit = dwarf.unit(dwarf.unit_header(DebugInfoOffset(slot.offset)).ok()?).ok()?;
            let entry = unit.entry(unit.header.root_offset()).ok()?;
            let language = entry.attr_value(gimli::DW_AT_language)?;
            let is_c = !matches!(language, AttributeValue::Language(gimli::DW_LANG_Mips_Assembler));
            let directory = unit.comp_dir?.to_string_lossy().into_owned();
            is_c.then_some(directory)
        });
        directories.next().unwrap_or_default()
    }

    /// Calls `look` with the unit and the function that an address is in.
    pub(super) fn with_function<T>(
        &self,
        address: u64,
        look: impl FnOnce(UnitRef<'_, Reader<'_>>, UnitOffset) -> Option<T>,
    ) -> Option<T> {
        let offset = self.quick.unit(address).or_else(|| self.whole().unit(address))?;
        let parsed = self.parsed(offset)?;
        let function = parsed.function(address)?.offset;
        let dwarf = self.dwarf();
        let unit = reopen(&dwarf, offset, parsed)?;
        look(UnitRef::new(&dwarf, &unit), function)
    }

    /// The unit that an offset of `.debug_info` is in.
    fn unit_of(&self, offset: usize) -> Option<usize> {
        let units = &self.all_units().0;
        let after = units.partition_point(|slot| slot.offset <= offset);
        units.get(after.checked_sub(1)?).map(|slot| slot.offset)
    }
}

/// A unit that was parsed before.
fn reopen<'a>(
    dwarf: &Dwarf<Reader<'a>>,
    offset: usize,
    parsed: &Parsed,
) -> Option<gimli::Unit<Reader<'a>>> {
    let header = dwarf.unit_header(DebugInfoOffset(offset)).ok()?;
    gimli::Unit::new_with_abbreviations(dwarf, header, parsed.abbreviations.clone()).ok()
}

/// The functions and lines at an address, innermost first.
fn locations(
    dwarf: &Dwarf<Reader<'_>>,
    directory: &str,
    lines: &Lines,
    nodes: &[Node],
    address: u64,
) -> Option<Vec<Location>> {
    let location = |function, (file, line, column): (Option<u64>, u32, u32)| Location {
        function,
        file: file.and_then(|file| lines.path(dwarf, directory, file)),
        line: Some(line).filter(|line| *line > 0),
        column: Some(column).filter(|column| *column > 0),
    };
    let row = lines.at(address);
    let mut locations = Vec::new();
    let mut call = row.map_or((None, 0, 0), |row| (row.file.map(u64::from), row.line, row.column));
    let mut next = nodes
        .iter()
        .rposition(|node| node.ranges.iter().any(|(start, end)| (*start..*end).contains(&address)));
    while let Some((at, node)) = next.and_then(|at| Some((at, nodes.get(at)?))) {
        locations.push(location(node.name.clone(), call));
        call = (Some(node.call_file), node.call_line, node.call_column);
        next = Some(node.parent).filter(|parent| *parent < at);
    }
    if locations.is_empty() {
        row?;
        locations.push(location(None, call));
    }
    Some(locations)
}

fn unit_ranges(
    dwarf: &Dwarf<Reader<'_>>,
    debug: &Debug<'_>,
    offset: usize,
    ranges: &mut Ranges,
) -> Result<(), gimli::Error> {
    let unit = dwarf.unit(dwarf.unit_header(DebugInfoOffset(offset))?)?;
    let found = entry_ranges(UnitRef::new(dwarf, &unit), unit.header.root_offset())?;
    debug.spend(found.len())?;
    ranges.0.extend(found.into_iter().map(|(start, end)| (start, end, offset)));
    Ok(())
}

/// Where the code of an entry is.
///
/// The decoder's own function for it adds without a check.
pub(super) fn entry_ranges(
    unit: UnitRef<'_, Reader<'_>>,
    offset: UnitOffset,
) -> Result<Vec<(u64, u64)>, gimli::Error> {
    let mut attributes = RangeAttributes::default();
    for attribute in unit.entry(offset)?.attrs() {
        attributes.take(unit, attribute.name(), attribute.value())?;
    }
    let mut ranges = Vec::new();
    attributes.read(unit, &mut ranges)?;
    Ok(ranges)
}

impl Parsed {
    fn new(
        dwarf: &Dwarf<Reader<'_>>,
        debug: &Debug<'_>,
        offset: usize,
    ) -> Result<Self, gimli::Error> {
        let header = dwarf.unit_header(DebugInfoOffset(offset))?;
        let abbreviations = dwarf.abbreviations(&header)?;
        let unit = gimli::Unit::new_with_abbreviations(dwarf, header, abbreviations.clone())?;
        let unit = UnitRef::new(dwarf, &unit);
        let mut functions = Vec::new();
        let mut ranges = Vec::new();
        find_functions(unit, debug, |offset, found| {
            ranges.extend(found.iter().map(|(start, end)| (*start, *end, functions.len())));
            functions.push(Function { offset, nodes: OnceLock::new() });
        })?;
        // Of two names for the same code the first counts.
        ranges.sort_unstable_by_key(|(start, _, function)| (*start, Reverse(*function)));
        let lines = Lines::new(unit).unwrap_or_default();
        debug.spend(lines.rows.len() + lines.files.len())?;
        let directory = unit.comp_dir.map(|text| text.to_string_lossy().into_owned());
        let directory = directory.unwrap_or_default();
        Ok(Self { directory, abbreviations, ranges, functions, lines })
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
    debug: &Debug<'_>,
    mut found: impl FnMut(UnitOffset, &[(u64, u64)]),
) -> Result<(), gimli::Error> {
    let mut entries = unit.entries_raw(None)?;
    let mut ranges = Vec::new();
    while !entries.is_empty() {
        let offset = entries.next_offset();
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        check(abbreviation)?;
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
            debug.spend(ranges.len())?;
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

/// Refuses an entry that would take long to read again and again.
pub(super) fn check(abbreviation: &gimli::Abbreviation) -> Result<(), gimli::Error> {
    match abbreviation.attributes().len() {
        ..=MAX_ATTRIBUTES => Ok(()),
        _ => Err(gimli::Error::UnsupportedOffset),
    }
}

pub(super) fn unit_reference(value: AttributeValue<Reader<'_>>) -> Option<UnitOffset> {
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
        check(abbreviation)?;
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
        debug.spend(node.ranges.len() + 1)?;
        open.push((depth, nodes.len()));
        nodes.push(node);
    }
    Ok(nodes)
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
    check(abbreviation).ok()?;
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
