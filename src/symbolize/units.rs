//! DWARF: from an address to source lines and inlined functions, with the crate addr2line.
//!
//! A context of addr2line reads the headers of all units first, which takes 50 to 110 ms for the
//! image of a distribution. So each unit has its own context, over a `.debug_info` that is cut to
//! that unit, made at the first lookup of an address in it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use addr2line::Context;
use gimli::{
    AttributeValue, DebugInfoOffset, Dwarf, DwarfSections, Reader as _, RunTimeEndian, Section,
    UnitHeader, UnitOffset, UnitRef,
};
use self_cell::self_cell;

use super::reader::{Budget, Reader};

/// The maximum number of address ranges of one entry.
const MAX_RANGES: usize = 1 << 16;

/// The maximum number of attributes of an entry; compilers write some 20. An attribute may have no
/// bytes.
const MAX_ATTRIBUTES: usize = 256;

/// The maximum number of nested inlined functions; compilers nest far fewer.
const MAX_INLINED: usize = 256;

/// A source location: one function of a frame.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Location {
    /// The function, as the debug information names it.
    pub function: Option<String>,
    /// The file; an absolute path if the compiler wrote one.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, from 1; `None` if the compiler wrote none.
    pub column: Option<u32>,
}

/// The functions at an address, and their compilation directory.
#[derive(Default)]
pub(super) struct Found {
    /// The functions, innermost first.
    pub(super) locations: Vec<Location>,
    /// The directory in which the unit was compiled.
    pub(super) directory: String,
}

/// The sections of an image.
pub(super) struct Sections<'data> {
    all: DwarfSections<Cow<'data, [u8]>>,
    endian: RunTimeEndian,
    budget: Budget,
}

impl Sections<'_> {
    fn dwarf(&self) -> Dwarf<Reader<'_>> {
        self.all.borrow(|section| Reader::new(section, self.endian, &self.budget))
    }
}

self_cell! {
    /// The debug information of an image, with the contexts that borrow from it.
    pub(super) struct Debug<'data> {
        owner: Sections<'data>,
        #[not_covariant]
        dependent: Units,
    }
}

/// A context of addr2line. It reads lazily, so only one thread at a time can use it.
type Shared<'s> = Arc<Mutex<Context<Reader<'s>>>>;

/// The units of an image.
pub(super) struct Units<'s> {
    sections: &'s Sections<'s>,
    dwarf: Dwarf<Reader<'s>>,
    /// The unit of each address range in `.debug_aranges`.
    listed: Ranges,
    /// The ranges of the units that this table lacks (clang writes none); made at the first lookup
    /// of an address that is in no listed range.
    unlisted: OnceLock<Ranges>,
    /// The context of each unit that was looked up, by its offset; `None` for a damaged unit.
    contexts: Mutex<HashMap<usize, Option<Shared<'s>>>>,
    /// The context over all units, for units that refer to others.
    whole: OnceLock<Option<Shared<'s>>>,
}

/// Address ranges with the offset of their unit in `.debug_info`.
#[derive(Default)]
struct Ranges(Vec<(u64, u64, usize)>);

impl Ranges {
    fn new(mut ranges: Vec<(u64, u64, usize)>) -> Self {
        ranges.retain(|(start, end, _)| start < end);
        ranges.sort_unstable();
        Self(ranges)
    }

    fn unit(&self, address: u64) -> Option<usize> {
        let after = self.0.partition_point(|(start, ..)| *start <= address);
        let (_, end, unit) = self.0.get(after.checked_sub(1)?)?;
        (address < *end).then_some(*unit)
    }
}

/// The kind of references in a unit, by its abbreviations.
enum Form {
    /// All references are inside the unit.
    Alone,
    /// Some references are to other units: link-time optimization, partial units of dwz.
    Refers,
    /// The unit is damaged.
    Damaged,
}

impl<'data> Debug<'data> {
    pub(super) fn open(all: DwarfSections<Cow<'data, [u8]>>, endian: RunTimeEndian) -> Self {
        let mut bytes = 0;
        all.borrow(|section| {
            bytes += section.len() as u64;
            gimli::EndianSlice::new(section, endian)
        });
        let sections = Sections { all, endian, budget: Budget::new(bytes) };
        Self::new(sections, |sections| sections.budget.lookup(|| Units::new(sections)))
    }

    /// Returns the functions and lines at an address.
    pub(super) fn locations(&self, address: u64) -> Found {
        self.with_dependent(|sections, units| {
            sections.budget.lookup(|| units.at(address, located)).unwrap_or_default()
        })
    }

    /// Calls `look` with the unit and the function that contain an address.
    pub(super) fn with_function<T>(
        &self,
        address: u64,
        look: impl Fn(UnitRef<'_, Reader<'_>>, UnitOffset) -> Option<T>,
    ) -> Option<T> {
        self.with_dependent(|sections, units| {
            let in_context = |context: &Context<Reader<'_>>, address| {
                let unit = context.find_dwarf_and_unit(address).skip_all_loads()?;
                look(unit, function_at(context, address)?)
            };
            sections.budget.lookup(|| units.at(address, in_context))
        })
    }
}

impl<'s> Units<'s> {
    fn new(sections: &'s Sections<'_>) -> Self {
        let dwarf = sections.dwarf();
        let listed = Ranges::new(listed(&dwarf));
        Self {
            sections,
            dwarf,
            listed,
            unlisted: OnceLock::new(),
            contexts: Mutex::default(),
            whole: OnceLock::new(),
        }
    }

    /// Calls `look` with the context of the unit that contains an address.
    fn at<T>(
        &self,
        address: u64,
        look: impl Fn(&Context<Reader<'s>>, u64) -> Option<T>,
    ) -> Option<T> {
        // addr2line adds one to it.
        address.checked_add(1)?;
        let in_unit = |unit: usize| {
            let context = self.context(unit)?;
            let context = context.lock().unwrap_or_else(PoisonError::into_inner);
            look(&context, address)
        };
        let found = self.listed.unit(address).and_then(in_unit);
        found.or_else(|| {
            let unlisted = self.unlisted.get_or_init(|| self.scan());
            unlisted.unit(address).and_then(in_unit)
        })
    }

    /// Reads the ranges of the units that `.debug_aranges` does not list.
    fn scan(&self) -> Ranges {
        let listed: HashSet<usize> = self.listed.0.iter().map(|(.., unit)| *unit).collect();
        let mut ranges = Vec::new();
        for header in headers(&self.dwarf) {
            let offset = header.debug_info_offset().map(|offset| offset.0);
            let Some(offset) = offset.filter(|offset| !listed.contains(offset)) else { continue };
            let Ok(unit) = self.dwarf.unit(header) else { continue };
            let root = unit.header.root_offset();
            let found = entry_ranges(UnitRef::new(&self.dwarf, &unit), root).unwrap_or_default();
            ranges.extend(found.into_iter().map(|(start, end)| (start, end, offset)));
        }
        Ranges::new(ranges)
    }

    fn context(&self, unit: usize) -> Option<Shared<'s>> {
        let mut contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        contexts.entry(unit).or_insert_with(|| self.open(unit)).clone()
    }

    fn open(&self, unit: usize) -> Option<Shared<'s>> {
        let header = self.dwarf.unit_header(DebugInfoOffset(unit)).ok()?;
        match form(&self.dwarf, &header) {
            Form::Damaged => None,
            Form::Refers => self.whole.get_or_init(|| self.open_whole()).clone(),
            Form::Alone => {
                let len = header.length_including_self();
                let own = self.dwarf.debug_info.reader().bytes().get(unit..)?.get(..len)?;
                let reader =
                    |bytes| Reader::new(bytes, self.sections.endian, &self.sections.budget);
                shared(Dwarf {
                    debug_info: reader(own).into(),
                    debug_aranges: reader(&[]).into(),
                    ..self.sections.dwarf()
                })
            }
        }
    }

    fn open_whole(&self) -> Option<Shared<'s>> {
        let is_damaged =
            |header: &UnitHeader<_>| matches!(form(&self.dwarf, header), Form::Damaged);
        headers(&self.dwarf).all(|header| !is_damaged(&header)).then_some(())?;
        shared(self.sections.dwarf())
    }
}

fn shared(dwarf: Dwarf<Reader<'_>>) -> Option<Shared<'_>> {
    Some(Arc::new(Mutex::new(Context::from_dwarf(dwarf).ok()?)))
}

/// Returns the functions and lines at an address of a context, innermost first.
fn located(context: &Context<Reader<'_>>, address: u64) -> Option<Found> {
    let mut frames = context.find_frames(address).skip_all_loads().ok()?;
    let mut locations = Vec::new();
    while let Some(frame) = frames.next().ok().flatten().filter(|_| locations.len() < MAX_INLINED) {
        let place = frame.location;
        let file = place.as_ref().and_then(|place| place.file);
        locations.push(Location {
            function: frame.function.map(|function| function.name.text().into_owned()),
            file: file.filter(|file| !file.is_empty()).map(plain),
            line: place.as_ref().and_then(|place| place.line),
            // addr2line returns 0 if the compiler wrote none.
            column: place.and_then(|place| place.column).filter(|column| *column > 0),
        });
    }
    if locations.is_empty() {
        return None;
    }
    let unit = context.find_dwarf_and_unit(address).skip_all_loads();
    let directory = unit.and_then(|unit| Some(unit.comp_dir?.text().into_owned()));
    Some(Found { locations, directory: directory.unwrap_or_default() })
}

/// Returns the entry of the function at an address into which all others are inlined.
fn function_at(context: &Context<Reader<'_>>, address: u64) -> Option<UnitOffset> {
    let mut frames = context.find_frames(address).skip_all_loads().ok()?;
    let mut last = None;
    while let Some(frame) = frames.next().ok()? {
        last = frame.dw_die_offset;
    }
    last
}

/// Removes `.` and `..` from a path.
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

/// Returns the ranges of `.debug_aranges`, up to the first damaged one.
fn listed(dwarf: &Dwarf<Reader<'_>>) -> Vec<(u64, u64, usize)> {
    let mut ranges = Vec::new();
    let mut headers = dwarf.debug_aranges.headers();
    while let Ok(Some(header)) = headers.next() {
        let mut entries = header.entries();
        while let Ok(Some(entry)) = entries.next() {
            let range = entry.range();
            ranges.push((range.begin, range.end, header.debug_info_offset().0));
        }
    }
    ranges
}

/// Returns the headers of all units, up to the first damaged one.
fn headers<'a>(dwarf: &Dwarf<Reader<'a>>) -> impl Iterator<Item = UnitHeader<Reader<'a>>> {
    let mut headers = dwarf.units();
    std::iter::from_fn(move || headers.next().ok().flatten())
}

/// Parses the abbreviations of a unit without keeping them: the forms of the attributes show the
/// kind of references.
fn form(dwarf: &Dwarf<Reader<'_>>, header: &UnitHeader<Reader<'_>>) -> Form {
    read_form(dwarf, header).unwrap_or(Form::Damaged)
}

fn read_form(
    dwarf: &Dwarf<Reader<'_>>,
    header: &UnitHeader<Reader<'_>>,
) -> Result<Form, gimli::Error> {
    let mut table = *dwarf.debug_abbrev.reader();
    table.skip(header.debug_abbrev_offset().0)?;
    let mut form = Form::Alone;
    // Code, tag and whether there are children; then pairs of name and form up to a pair of zeros.
    while table.read_uleb128()? != 0 {
        let _ = (table.read_uleb128()?, table.read_u8()?);
        let mut attributes = 0..MAX_ATTRIBUTES;
        loop {
            let pair = (table.read_uleb128()?, gimli::DwForm(table.read_uleb128_u16()?));
            if pair == (0, gimli::DwForm(0)) {
                break;
            }
            match pair.1 {
                gimli::DW_FORM_implicit_const => drop(table.read_sleb128()?),
                gimli::DW_FORM_ref_addr
                | gimli::DW_FORM_GNU_ref_alt
                | gimli::DW_FORM_ref_sup4
                | gimli::DW_FORM_ref_sup8 => form = Form::Refers,
                _ => {}
            }
            if attributes.next().is_none() {
                return Ok(Form::Damaged);
            }
        }
    }
    Ok(form)
}

pub(super) fn unit_reference(value: AttributeValue<Reader<'_>>) -> Option<UnitOffset> {
    match value {
        AttributeValue::UnitRef(offset) => Some(offset),
        _ => None,
    }
}

/// Returns the address ranges of an entry.
///
/// gimli's `die_ranges()` adds a size to an address without an overflow check.
pub(super) fn entry_ranges(
    unit: UnitRef<'_, Reader<'_>>,
    offset: UnitOffset,
) -> Result<Vec<(u64, u64)>, gimli::Error> {
    let entry = unit.entry(offset)?;
    if let Some(list) = entry.attr_value(gimli::DW_AT_ranges)
        && let Some(list) = unit.attr_ranges_offset(list)?
    {
        let mut ranges = Vec::new();
        let mut found = unit.ranges(list)?;
        for _ in 0..MAX_RANGES {
            let Some(range) = found.next()? else { break };
            if range.begin < range.end && range.begin != 0 {
                ranges.push((range.begin, range.end));
            }
        }
        return Ok(ranges);
    }
    let address = |value| unit.attr_address(value).ok().flatten();
    let low = entry.attr_value(gimli::DW_AT_low_pc).and_then(address);
    let end = low.zip(entry.attr_value(gimli::DW_AT_high_pc)).and_then(|(low, high)| match high {
        AttributeValue::Udata(size) => low.checked_add(size),
        high => address(high),
    });
    // The linker relocates discarded code to 0.
    let range = low.zip(end).filter(|(low, end)| *low != 0 && low < end);
    Ok(range.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_without_dots() {
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
