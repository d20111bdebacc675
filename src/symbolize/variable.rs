//! The accessed variable and member: variables by their location lists, members by their types.

use std::fmt::Write;

use gimli::{AttributeValue, Operation, UnitOffset, UnitRef};

use super::reader::Reader;
use super::units::{Debug, entry_ranges, unit_reference};
use crate::arch::{self, Arch};

/// The maximum number of types between the variable and the accessed member: typedefs, qualifiers,
/// members.
const MAX_TYPES: usize = 32;

/// The maximum number of locations of a variable that are searched.
const MAX_PLACES: usize = 1 << 12;

/// The maximum number of entries of a function that are searched.
const MAX_ENTRIES: usize = 1 << 17;

/// A variable that holds a pointer, and the member that was accessed through it.
#[derive(Debug)]
pub(super) struct Found {
    /// `nxt->in.count`.
    pub(super) expression: String,
    /// The type that the pointer points to: `struct node`.
    pub(super) of: String,
    /// The type of the member, if that is a pointer, too.
    pub(super) pointee: Option<UnitOffset>,
}

/// Returns the DWARF number of a register.
///
/// From the ABI document of each architecture; for x86 the System V ABI, figures 3.36 and 2.14.
pub(super) fn number(arch: Arch, register: &str) -> Option<u16> {
    #[rustfmt::skip] // rows
    const X86_64: [&str; 16] = [
        "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    ];
    const X86: [&str; 8] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
    let of = |names: &[&str]| names.iter().position(|name| *name == register);
    let numbered = |letter: char| register.strip_prefix(letter)?.parse().ok();
    let found = match arch {
        Arch::X86_64 => of(&X86_64),
        Arch::X86 => of(&X86),
        Arch::Riscv64 => of(&arch::RISCV),
        Arch::Arm64 if register == "lr" => Some(30),
        Arch::Arm64 if register == "sp" => Some(31),
        Arch::Arm64 => numbered('x'),
        Arch::Arm => ["fp", "ip", "sp", "lr"]
            .iter()
            .position(|name| *name == register)
            .map(|at| at + 11)
            .or_else(|| numbered('r')),
        Arch::Powerpc | Arch::S390x => numbered('r'),
        _ => None,
    };
    found.and_then(|number| u16::try_from(number).ok())
}

/// A function in which variables are looked up.
pub(super) struct Scope<'u, 'a> {
    pub(super) unit: UnitRef<'u, Reader<'a>>,
    pub(super) function: UnitOffset,
}

impl<'a> Scope<'_, 'a> {
    /// Returns the member at an offset from the pointer that a register holds at an address.
    pub(super) fn member(&self, address: u64, register: u16, offset: u64) -> Option<Found> {
        let (name, kind) = self.variable(address, register)?;
        self.through(&name, kind, offset)
    }

    /// Returns the member at an offset from a pointer with a type.
    pub(super) fn through(&self, name: &str, kind: UnitOffset, offset: u64) -> Option<Found> {
        let pointer = self.plain(kind)?;
        if pointer.tag != gimli::DW_TAG_pointer_type {
            return None;
        }
        let target = self.plain(pointer.kind?)?;
        let of = target.name()?;
        let (path, member) = self.path(&target, offset)?;
        // The name of an array has no point before it.
        let expression = format!("{name}->{}", path.trim_start_matches('.'));
        let is_pointer =
            |kind| self.plain(kind).is_some_and(|t| t.tag == gimli::DW_TAG_pointer_type);
        Some(Found { expression, of, pointee: member.filter(|kind| is_pointer(*kind)) })
    }

    /// Returns the innermost variable that a register holds at an address, and its type.
    fn variable(&self, address: u64, register: u16) -> Option<(String, UnitOffset)> {
        let mut entries = self.unit.entries_raw(Some(self.function)).ok()?;
        let top = entries.next_depth();
        // The depth of the outermost block that does not contain the address.
        let mut outside: Option<isize> = None;
        let mut found = None;
        for index in 0..MAX_ENTRIES {
            let depth = entries.next_depth();
            if entries.is_empty() || (depth <= top && index > 0) {
                break;
            }
            let offset = entries.next_offset();
            let Some(abbreviation) = entries.read_abbreviation().ok()? else { continue };
            if outside.is_some_and(|outside| depth <= outside) {
                outside = None;
            }
            let tag = abbreviation.tag();
            entries.skip_attributes(abbreviation.attributes()).ok()?;
            if outside.is_some() {
                continue;
            }
            match tag {
                gimli::DW_TAG_lexical_block | gimli::DW_TAG_inlined_subroutine => {
                    let ranges = entry_ranges(self.unit, offset).ok()?;
                    let is_inside =
                        ranges.iter().any(|(start, end)| (*start..*end).contains(&address));
                    outside = (!is_inside).then_some(depth);
                }
                gimli::DW_TAG_variable | gimli::DW_TAG_formal_parameter => {
                    if self.holds(offset, address, register) == Some(true)
                        && let Some(variable) = self.name_and_type(offset)
                    {
                        found = Some(variable);
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Returns whether a register holds a variable at an address.
    fn holds(&self, variable: UnitOffset, address: u64, register: u16) -> Option<bool> {
        let entry = self.unit.entry(variable).ok()?;
        let location = entry.attr_value(gimli::DW_AT_location)?;
        let expression = match location {
            AttributeValue::Exprloc(expression) => expression,
            value => {
                let mut list = self.unit.attr_locations(value).ok()??;
                let mut places = 0..MAX_PLACES;
                loop {
                    let found = list.next().ok()??;
                    if (found.range.begin..found.range.end).contains(&address) {
                        break found.data;
                    }
                    places.next()?;
                }
            }
        };
        let mut operations = expression.operations(self.unit.encoding());
        let first = operations.next().ok()??;
        let is_all = operations.next().ok()?.is_none();
        Some(
            is_all && matches!(first, Operation::Register { register: held } if held.0 == register),
        )
    }

    /// Returns name and type of a variable, from its abstract origin if it is in an inlined
    /// function.
    fn name_and_type(&self, variable: UnitOffset) -> Option<(String, UnitOffset)> {
        let mut offset = variable;
        for _ in 0..MAX_TYPES {
            let entry = self.unit.entry(offset).ok()?;
            let name = entry.attr_value(gimli::DW_AT_name).and_then(|name| self.text(name));
            let kind = entry.attr_value(gimli::DW_AT_type).and_then(unit_reference);
            if let (Some(name), Some(kind)) = (name, kind) {
                return Some((name, kind));
            }
            offset = unit_reference(entry.attr_value(gimli::DW_AT_abstract_origin)?)?;
        }
        None
    }

    fn text(&self, value: AttributeValue<Reader<'a>>) -> Option<String> {
        Some(self.unit.attr_string(value).ok()?.text().into_owned())
    }

    fn kind(&self, offset: UnitOffset) -> Option<Type> {
        let entry = self.unit.entry(offset).ok()?;
        Some(Type {
            offset,
            tag: entry.tag(),
            name: entry.attr_value(gimli::DW_AT_name).and_then(|name| self.text(name)),
            size: entry.attr_value(gimli::DW_AT_byte_size).and_then(|size| size.udata_value()),
            kind: entry.attr_value(gimli::DW_AT_type).and_then(unit_reference),
        })
    }

    /// Resolves typedefs and qualifiers of a type.
    fn plain(&self, offset: UnitOffset) -> Option<Type> {
        let mut offset = offset;
        for _ in 0..MAX_TYPES {
            let found = self.kind(offset)?;
            match found.tag {
                gimli::DW_TAG_typedef
                | gimli::DW_TAG_const_type
                | gimli::DW_TAG_volatile_type
                | gimli::DW_TAG_restrict_type
                | gimli::DW_TAG_atomic_type => offset = found.kind?,
                _ => return Some(found),
            }
        }
        None
    }

    /// Returns the path to the member at an offset of a type, such as `.in.count`, and the type of
    /// the member.
    fn path(&self, of: &Type, offset: u64) -> Option<(String, Option<UnitOffset>)> {
        let (mut path, mut offset) = (String::new(), offset);
        let mut of = Type { name: of.name.clone(), ..*of };
        for _ in 0..MAX_TYPES {
            match of.tag {
                gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type => {
                    let (name, kind, start) = self.member_at(of.offset, offset)?;
                    // Members of an anonymous struct are members of the outer one.
                    if let Some(name) = name {
                        path.push('.');
                        path.push_str(&name);
                    }
                    offset -= start;
                    of = self.plain(kind)?;
                    if !of.is_compound() {
                        return Some((path, Some(kind)));
                    }
                }
                gimli::DW_TAG_array_type => {
                    let kind = of.kind?;
                    let element = self.plain(kind)?;
                    let size = element.size.filter(|size| *size > 0)?;
                    let _ = write!(path, "[{}]", offset / size);
                    offset %= size;
                    of = element;
                    if !of.is_compound() {
                        return Some((path, Some(kind)));
                    }
                }
                _ => return None,
            }
        }
        None
    }

    /// Returns the member of a structure that contains an offset: its name, type and start.
    fn member_at(&self, of: UnitOffset, offset: u64) -> Option<(Option<String>, UnitOffset, u64)> {
        let mut entries = self.unit.entries_tree(Some(of)).ok()?;
        let mut members = entries.root().ok()?.children();
        let mut best = None;
        while let Some(member) = members.next().ok()? {
            let entry = member.entry();
            if entry.tag() != gimli::DW_TAG_member {
                continue;
            }
            let value = |name| entry.attr_value(name);
            let bits = value(gimli::DW_AT_data_bit_offset).and_then(|bits| bits.udata_value());
            let start = value(gimli::DW_AT_data_member_location).and_then(|at| at.udata_value());
            let start = start.or(bits.map(|bits| bits / 8)).unwrap_or(0);
            let kind = value(gimli::DW_AT_type).and_then(unit_reference)?;
            // Bit fields share bytes, so the accessed one is unknown.
            let is_bit = bits.is_some() || value(gimli::DW_AT_bit_size).is_some();
            let size = self.plain(kind).and_then(|kind| self.size(&kind)).unwrap_or(0);
            if !is_bit && start <= offset && offset - start < size && best.is_none() {
                let name = value(gimli::DW_AT_name).and_then(|name| self.text(name));
                best = Some((name, kind, start));
            }
        }
        best
    }

    fn size(&self, of: &Type) -> Option<u64> {
        if of.tag != gimli::DW_TAG_array_type {
            let pointer = u64::from(self.unit.encoding().address_size);
            return of.size.or((of.tag == gimli::DW_TAG_pointer_type).then_some(pointer));
        }
        let mut entries = self.unit.entries_tree(Some(of.offset)).ok()?;
        let mut ranges = entries.root().ok()?.children();
        let mut count = self.plain(of.kind?)?.size?;
        while let Some(range) = ranges.next().ok()? {
            let value = |name| range.entry().attr_value(name).and_then(|n| n.udata_value());
            let last = || value(gimli::DW_AT_upper_bound).and_then(|last| last.checked_add(1));
            count = count.checked_mul(value(gimli::DW_AT_count).or_else(last)?)?;
        }
        Some(count)
    }
}

/// A type.
struct Type {
    offset: UnitOffset,
    tag: gimli::DwTag,
    name: Option<String>,
    size: Option<u64>,
    kind: Option<UnitOffset>,
}

impl Type {
    fn is_compound(&self) -> bool {
        matches!(
            self.tag,
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_array_type
        )
    }

    /// Returns the name in C: `struct node`.
    fn name(&self) -> Option<String> {
        let word = match self.tag {
            gimli::DW_TAG_structure_type => "struct",
            gimli::DW_TAG_union_type => "union",
            _ => return None,
        };
        Some(format!("{word} {}", self.name.as_deref()?))
    }
}

impl Debug<'_> {
    /// Returns the member at `offset` from the pointer that one of `registers` holds at an address.
    ///
    /// If no variable is in a register, the pointer may be a member that was loaded. `source` is
    /// that load: its address, its base register, and the offset from it. The result is true if the
    /// member was found that way.
    pub(super) fn member(
        &self,
        address: u64,
        registers: &[u16],
        offset: u64,
        source: Option<(u64, u16, u64)>,
    ) -> Option<(Found, bool)> {
        self.with_function(address, |unit, function| {
            let scope = Scope { unit, function };
            let mut registers = registers.iter();
            let direct = registers.find_map(|register| scope.member(address, *register, offset));
            if let Some(found) = direct {
                return Some((found, false));
            }
            let (load, base, at) = source?;
            let pointer = scope.member(load, base, at)?;
            let found = scope.through(&pointer.expression, pointer.pointee?, offset)?;
            Some((found, true))
        })
    }
}
