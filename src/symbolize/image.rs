//! An ELF file: its sections, symbols, build ID and release.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use gimli::{DwarfSections, RunTimeEndian};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};

use super::error::Error;
use super::units::Debug;

/// The largest size of a compressed section; Debian's largest has 290 million bytes.
const MAX_SECTION: u64 = 4 << 30;

/// The largest compression ratio; zlib's limit is 1032.
const MAX_RATIO: u64 = 1040;

/// The default maximum size in bytes of the decompressed debug information of an image. A linker
/// that compresses makes one section of each kind.
const MAX_UNPACKED: u64 = 1 << 30;

/// A kernel image or module, with its symbols and debug information.
///
/// Symbols and debug information are read at the first lookup.
pub struct Image<'data> {
    /// `None` for a symbol list.
    file: Option<object::File<'data>>,
    list: &'data [u8],
    /// The address of each section, by its index. The sections of a module have no addresses yet,
    /// so they are laid out one after the other, and each instruction has an address of its own.
    bases: Vec<u64>,
    /// Whether each section contains code, by its index: frames have no other symbols.
    is_code: Vec<bool>,
    is_relocatable: bool,
    endian: RunTimeEndian,
    /// The maximum size in bytes of decompressed debug information.
    max_unpacked: u64,
    symbols: OnceLock<Symbols<'data>>,
    debug: OnceLock<Result<Debug<'data>, Error>>,
}

impl std::fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("is_relocatable", &self.is_relocatable)
            .finish_non_exhaustive()
    }
}

/// A symbol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Symbol<'data> {
    pub(super) name: &'data [u8],
    /// The address in the image.
    pub(super) address: u64,
    /// The size as the compiler wrote it; 0 if it wrote none.
    pub(super) size: u64,
    section: usize,
    /// The next symbol of the same name.
    next: Option<u32>,
}

impl<'data> Symbol<'data> {
    fn new(name: &'data [u8], address: u64, size: u64, section: usize) -> Self {
        Self { name, address, size, section, next: None }
    }
}

/// The symbols of the code.
#[derive(Debug, Default)]
struct Symbols<'data> {
    all: Vec<Symbol<'data>>,
    /// The first symbol of each name.
    by_name: HashMap<&'data [u8], u32>,
    /// Addresses with indices into `all`, sorted; made at the first lookup.
    by_address: OnceLock<Vec<(u64, u32)>>,
}

impl<'data> Image<'data> {
    /// Parses the headers of an ELF file.
    ///
    /// # Errors
    ///
    /// The data is not an ELF file of a machine with 32-bit or 64-bit addresses, or has too many
    /// sections.
    pub fn parse(data: &'data [u8]) -> Result<Self, Error> {
        let file = object::File::parse(data).map_err(|source| Error::NotElf { source })?;
        let is_relocatable = file.kind() == object::ObjectKind::Relocatable;
        let endian =
            if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let (mut bases, mut is_code) = (Vec::new(), Vec::new());
        let mut end = MODULE_BASE;
        for section in file.sections() {
            let index = section.index().0;
            if index >= MAX_SECTIONS {
                return Err(Error::TooManySections { limit: MAX_SECTIONS });
            }
            if bases.len() <= index {
                bases.resize(index + 1, 0);
                is_code.resize(index + 1, false);
            }
            if let Some(is_code) = is_code.get_mut(index) {
                *is_code = section.kind() == SectionKind::Text;
            }
            let Some(base) = bases.get_mut(index).filter(|_| is_relocatable && is_loaded(&section))
            else {
                continue;
            };
            let align = section.align().clamp(1, 4096);
            *base = end.next_multiple_of(align);
            // A gap, so that the end of a section is not the start of the next.
            end = base.saturating_add(section.size()).saturating_add(16).min(MAX_MODULE);
        }
        Ok(Self {
            file: Some(file),
            list: &[],
            bases,
            is_code,
            is_relocatable,
            endian,
            max_unpacked: MAX_UNPACKED,
            symbols: OnceLock::new(),
            debug: OnceLock::new(),
        })
    }

    /// Parses a symbol list: `System.map`, `/proc/kallsyms`. It has neither files nor lines.
    ///
    /// # Errors
    ///
    /// The first line is not an address, a letter and a name, or all addresses are 0, as
    /// `/proc/kallsyms` prints them for unprivileged users.
    pub fn parse_list(data: &'data [u8]) -> Result<Self, Error> {
        let lines = || data.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        let is_listed = |line| listed(line).is_some();
        if let Some(at) = lines().take(2).position(|line| !is_listed(line)) {
            return Err(Error::NotSymbols { line: at + 1 });
        }
        lines().next().ok_or(Error::NotSymbols { line: 1 })?;
        if lines().filter_map(listed).all(|(address, _)| address == 0) {
            return Err(Error::HiddenAddresses);
        }
        Ok(Self {
            file: None,
            list: data,
            bases: Vec::new(),
            is_code: Vec::new(),
            is_relocatable: false,
            endian: RunTimeEndian::Little,
            max_unpacked: MAX_UNPACKED,
            symbols: OnceLock::new(),
            debug: OnceLock::new(),
        })
    }

    /// Sets the maximum size in bytes of the decompressed debug information; the default is 1 GiB.
    /// An image with more is used without its debug information.
    #[must_use]
    pub fn with_max_unpacked(self, bytes: u64) -> Self {
        Self { max_unpacked: bytes, ..self }
    }

    /// Checks the sum of the sizes that the compressed sections of debug information claim, in bytes.
    ///
    /// # Errors
    ///
    /// The sum is above the limit: see [`with_max_unpacked`](Self::with_max_unpacked).
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method by its name would borrow the file for longer"
    )]
    pub fn check_unpacked(&self) -> Result<(), Error> {
        let mut size = 0_u64;
        let sections = self.file.as_ref().map(|file| file.sections());
        for section in sections.into_iter().flatten() {
            let is_debug = section.name().is_ok_and(|name| name.contains("debug_"));
            if let Ok(data) = section.compressed_data()
                && is_debug
                && data.format != object::CompressionFormat::None
            {
                size = size.saturating_add(data.uncompressed_size);
            }
        }
        let limit = self.max_unpacked;
        if size > limit { Err(Error::UnpackedSize { size, limit }) } else { Ok(()) }
    }

    /// Returns the build ID: the note that the linker made (`--build-id`). The kernel prints it in
    /// hexadecimal with `CONFIG_STACKTRACE_BUILD_ID`.
    pub fn build_id(&self) -> Option<&'data [u8]> {
        self.file.as_ref()?.build_id().ok().flatten()
    }

    /// Returns the banner of a kernel image: the text that starts with `Linux version`.
    pub fn banner(&self) -> Option<Cow<'data, str>> {
        let sections = [".rodata", ".init.data", ".data", ".text"];
        sections.into_iter().find_map(|name| {
            let data = self.section(name)?.data().ok()?;
            // `linux_banner` in init/version.c. `linux_proc_banner` starts with `%s version %s` and
            // does not match.
            let finder = memchr::memmem::Finder::new(b"Linux version ");
            let text = finder.find_iter(data).find_map(|at| {
                let text = data.get(at..)?.split(|b| matches!(b, 0 | b'\n')).next()?;
                text.get(14).filter(|b| b.is_ascii_digit()).map(|_| text)
            })?;
            Some(String::from_utf8_lossy(text))
        })
    }

    /// Returns the release in the banner, or the one that a module was built for (`vermagic=`).
    pub fn release(&self) -> Option<String> {
        if let Some(banner) = self.banner() {
            return banner.split(' ').nth(2).map(str::to_owned);
        }
        let info = self.section(".modinfo")?.data().ok()?;
        let magic = info.split(|b| *b == 0).find_map(|field| field.strip_prefix(b"vermagic="))?;
        String::from_utf8_lossy(magic).split(' ').next().map(str::to_owned)
    }

    /// Returns whether the image has debug information.
    pub fn has_debug(&self) -> bool {
        self.section(".debug_info").is_some()
    }

    fn section(&self, name: &str) -> Option<object::Section<'data, '_>> {
        self.file.as_ref()?.section_by_name(name)
    }

    pub(super) fn debug(&self) -> Result<&Debug<'data>, Error> {
        let open = || Ok(Debug::open(self.debug_sections()?, self.endian));
        self.debug.get_or_init(open).as_ref().map_err(Error::clone)
    }

    pub(super) fn is_little_endian(&self) -> bool {
        self.endian == RunTimeEndian::Little
    }

    /// Returns the sections of debug information, decompressed; those of a module relocated to its
    /// sections.
    fn debug_sections(&self) -> Result<DwarfSections<Cow<'data, [u8]>>, Error> {
        self.check_unpacked()?;
        DwarfSections::load(|id| {
            let name = id.name();
            match self.section(name) {
                Some(section) => self.contents(name, &section),
                None => Ok(Cow::Borrowed(&[][..])),
            }
        })
    }

    fn contents(
        &self,
        name: &str,
        section: &object::Section<'data, '_>,
    ) -> Result<Cow<'data, [u8]>, Error> {
        let failed = |source| Error::Section { name: name.to_owned(), source };
        let compressed = section.compressed_data().map_err(failed)?;
        let size = compressed.uncompressed_size;
        if size > MAX_SECTION || size / MAX_RATIO > compressed.data.len() as u64 {
            return Err(Error::CompressedSize { section: name.to_owned(), size });
        }
        let mut data = compressed.decompress().map_err(failed)?;
        if self.is_relocatable {
            self.relocate(name, section, &mut data)?;
        }
        Ok(data)
    }

    /// Applies the relocations of a section, as a linker does.
    fn relocate(
        &self,
        name: &str,
        section: &object::Section<'data, '_>,
        data: &mut Cow<'data, [u8]>,
    ) -> Result<(), Error> {
        for (offset, relocation) in section.relocations() {
            let (object::RelocationKind::Absolute, object::RelocationTarget::Symbol(index)) =
                (relocation.kind(), relocation.target())
            else {
                continue;
            };
            let Some(file) = &self.file else { return Ok(()) };
            let failed = |source| Error::Relocation { section: name.to_owned(), offset, source };
            let symbol = file.symbol_by_index(index).map_err(|source| failed(Some(source)))?;
            let base = symbol.section_index().and_then(|index| self.bases.get(index.0).copied());
            let width = usize::from(relocation.size() / 8);
            let place = usize::try_from(offset)
                .ok()
                .and_then(|at| data.to_mut().get_mut(at..at.checked_add(width)?));
            let place = place.ok_or_else(|| failed(None))?;
            let mut value = base.unwrap_or(0).wrapping_add(symbol.address());
            value = value.wrapping_add(relocation.addend().cast_unsigned());
            if relocation.has_implicit_addend() {
                value = value.wrapping_add(number(place, self.endian));
            }
            let bytes = value.to_le_bytes();
            for (at, byte) in place.iter_mut().enumerate() {
                let at = match self.endian {
                    RunTimeEndian::Little => at,
                    RunTimeEndian::Big => width - 1 - at,
                };
                *byte = bytes.get(at).copied().unwrap_or(0);
            }
        }
        Ok(())
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method by its name would borrow the file for longer"
    )]
    fn raw_symbols(&self) -> impl Iterator<Item = object::Symbol<'data, '_>> {
        let symbols = self.file.as_ref().map(|file| file.symbols());
        symbols.into_iter().flatten()
    }

    fn symbols(&self) -> &Symbols<'data> {
        self.symbols.get_or_init(|| {
            let listed = self.list.split(|b| *b == b'\n').filter_map(listed);
            let listed = listed.map(|(address, name)| Symbol::new(name, address, 0, 0));
            let symbols = self.raw_symbols().take(MAX_SYMBOLS).filter_map(|symbol| {
                let section = symbol.section_index()?.0;
                let is_named = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Unknown);
                if !is_named || self.is_code.get(section) != Some(&true) {
                    return None;
                }
                let address = self.bases.get(section)?.wrapping_add(symbol.address());
                Some(Symbol::new(symbol.name_bytes().ok()?, address, symbol.size(), section))
            });
            let named = |symbol: &Symbol<'_>| !symbol.name.is_empty();
            Symbols::new(listed.chain(symbols).filter(named).collect())
        })
    }

    /// Returns the symbols of a name, in the order of the file.
    pub(super) fn named(&self, name: &str) -> Vec<Symbol<'data>> {
        let symbols = self.symbols();
        let mut found = Vec::new();
        let mut next = symbols.by_name.get(name.as_bytes()).copied();
        while let Some(symbol) = next.and_then(|at| symbols.all.get(at as usize)) {
            found.push(*symbol);
            next = symbol.next;
        }
        found
    }

    fn by_address(&self) -> &[(u64, u32)] {
        let symbols = self.symbols();
        symbols.by_address.get_or_init(|| {
            let addresses = symbols.all.iter().map(|symbol| symbol.address);
            let mut order: Vec<_> = addresses.zip(0..).collect();
            order.sort_unstable();
            order
        })
    }

    /// Returns the last symbol at or before an address, and the symbols after it, sorted by
    /// address.
    fn around(&self, address: u64) -> (Option<&Symbol<'data>>, &[(u64, u32)]) {
        let order = self.by_address();
        let after = order.partition_point(|(start, _)| *start <= address);
        let (before, behind) = order.split_at(after);
        (before.last().and_then(|(_, at)| self.symbols().all.get(*at as usize)), behind)
    }

    /// Returns the symbol that contains an address: its name, its start, and the bytes up to the
    /// next one.
    pub(super) fn symbol_at(&self, address: u64) -> Option<(Cow<'data, str>, u64, u64)> {
        let (symbol, _) = self.around(address);
        let symbol = symbol?;
        let name = String::from_utf8_lossy(symbol.name);
        let is_inside = self.end(symbol).is_none_or(|end| address < end);
        is_inside.then(|| (name, symbol.address, self.room(symbol)))
    }

    /// Returns the end of a symbol's section.
    fn end(&self, symbol: &Symbol<'_>) -> Option<u64> {
        let base = self.bases.get(symbol.section).copied().unwrap_or(0);
        let index = object::SectionIndex(symbol.section);
        let section = self.file.as_ref()?.section_by_index(index).ok()?;
        Some(base.wrapping_add(section.address()).wrapping_add(section.size()))
    }

    /// Returns the bytes from a symbol to the next one of its section. The kernel prints that as
    /// the size (`get_symbol_pos()` in kernel/kallsyms.c, `find_kallsyms_symbol()` in
    /// kernel/module/kallsyms.c).
    pub(super) fn room(&self, symbol: &Symbol<'_>) -> u64 {
        let (_, behind) = self.around(symbol.address);
        let all = &self.symbols().all;
        let is_next = |(_, at): &&(u64, u32)| {
            all.get(*at as usize).is_some_and(|next| next.section == symbol.section)
        };
        let next = behind.iter().find(is_next).map(|(address, _)| *address);
        next.or_else(|| self.end(symbol)).unwrap_or(0).saturating_sub(symbol.address)
    }

    /// Returns the bytes of code at an address, up to the end of the section, and for each whether
    /// a linker or loader changes it.
    pub(super) fn code(&self, address: u64, len: usize) -> Option<(&'data [u8], Vec<bool>)> {
        let section = self.file.as_ref()?.sections().filter(is_loaded).find(|section| {
            let base = self.bases.get(section.index().0).copied().unwrap_or(0);
            let start = base.wrapping_add(section.address());
            address.wrapping_sub(start) < section.size()
        })?;
        let base = self.bases.get(section.index().0).copied().unwrap_or(0);
        let start = address.wrapping_sub(base.wrapping_add(section.address()));
        let from = usize::try_from(start).ok()?;
        let data = section.data().ok()?.get(from..)?;
        let data = data.get(..len).unwrap_or(data);
        let mut changed = vec![false; data.len()];
        if self.is_relocatable {
            for (offset, relocation) in section.relocations() {
                for byte in 0..u64::from(relocation.size().max(32) / 8) {
                    let at = offset.wrapping_add(byte).wrapping_sub(start);
                    if let Some(is) = usize::try_from(at).ok().and_then(|at| changed.get_mut(at)) {
                        *is = true;
                    }
                }
            }
        }
        Some((data, changed))
    }
}

impl<'data> Symbols<'data> {
    fn new(mut all: Vec<Symbol<'data>>) -> Self {
        let mut by_name = HashMap::with_capacity(all.len());
        // In reverse, so that each name leads to its first symbol.
        for (at, symbol) in all.iter_mut().enumerate().rev() {
            symbol.next = by_name.insert(symbol.name, u32::try_from(at).unwrap_or(u32::MAX));
        }
        Self { all, by_name, by_address: OnceLock::new() }
    }
}

/// Parses a line of a symbol list: address and name. `s_show()` in kernel/kallsyms.c prints the
/// module behind the name.
fn listed(line: &[u8]) -> Option<(u64, &[u8])> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (address, kind, name) = (words.next()?, words.next()?, words.next()?);
    let address = u64::from_str_radix(std::str::from_utf8(address).ok()?, 16).ok()?;
    let is_text = kind.len() == 1 && words.next().is_none();
    Some((address, if is_text { name } else { &[] })).filter(|_| kind.len() == 1)
}

/// The maximum number of sections of a file. A module with a section for each function has some
/// thousands.
const MAX_SECTIONS: usize = 1 << 20;

/// The maximum number of symbols; a kernel with everything built in has a million.
const MAX_SYMBOLS: usize = 1 << 24;

/// The address of the first section of a module. Not 0, which marks code that the linker discarded.
const MODULE_BASE: u64 = 0x1_0000;

/// An upper bound of the size of a module: no architecture has a larger area for modules.
const MAX_MODULE: u64 = 1 << 40;

/// Returns whether the kernel loads the section into memory.
fn is_loaded(section: &object::Section<'_, '_>) -> bool {
    use SectionKind::{Data, ReadOnlyData, ReadOnlyString, Text, UninitializedData};
    matches!(section.kind(), Text | Data | ReadOnlyData | ReadOnlyString | UninitializedData)
}

fn number(bytes: &[u8], endian: RunTimeEndian) -> u64 {
    let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    match endian {
        RunTimeEndian::Big => bytes.iter().fold(0, add),
        RunTimeEndian::Little => bytes.iter().rev().fold(0, add),
    }
}
