//! The memory that was accessed, and the object that contains it.

use std::borrow::Cow;

use super::Address;
use crate::string_enum::string_enum;

/// A memory access that failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Access {
    /// The kind of access, if the report names it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub kind: Option<AccessKind>,
    /// The size in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// The first address that was accessed, as printed. For a fault in the shadow memory of KASAN
    /// it is the address in the shadow.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// Whether the page is mapped, and its protection forbids the access: x86 prints
    /// `permissions violation`, arm64 `permission fault`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub denied: bool,
}

string_enum! {
    /// The kind of an access.
    pub enum AccessKind {
        /// Data was read.
        Read = "read",
        /// Data was written.
        Write = "write",
        /// An instruction was fetched.
        Execute = "execute",
        /// Memory was freed.
        Free = "free",
    }
}

/// A KASAN report's description of the memory around a bad access.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Memory<'log> {
    /// The object that contains the address, or the nearest one.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub object: Option<Object<'log>>,
    /// The global variable that contains the address.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub variable: Option<Variable<'log>>,
    /// The stack frame that contains the address.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub stack_frame: Option<StackFrame<'log>>,
    /// The thread ID of the task that allocated it. Printed by `print_track()` in
    /// mm/kasan/report.c.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub allocated_by: Option<u64>,
    /// The thread ID of the task that freed it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub freed_by: Option<u64>,
    /// The rows of shadow memory around the address, as printed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub shadow: Vec<Shadow>,
}

/// A heap object.
///
/// Printed by `describe_object_addr()` in mm/kasan/report.c.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Object<'log> {
    /// The name of the slab cache: `kmalloc-192`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub cache: Option<Cow<'log, str>>,
    /// The size in bytes of an object of the cache.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// The address of the first byte.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub start: Option<Address>,
    /// The address one past the last byte.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub end: Option<Address>,
    /// The position of the access relative to the object.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub side: Option<Side>,
    /// The distance of the access in bytes: from the start of the object if inside, else from the
    /// nearer end.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub distance: Option<u64>,
}

/// A global variable.
///
/// Printed by `print_address_description()` in mm/kasan/report.c.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Variable<'log> {
    /// The symbol.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'log, str>,
    /// The distance of the address from its start, in bytes; it may be behind its end.
    pub offset: u64,
}

/// A stack frame that contains an address.
///
/// Printed by `kasan_print_address_stack_frame()` in mm/kasan/report_generic.c.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StackFrame<'log> {
    /// The function.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'log, str>>,
    /// The distance of the address from the start of the frame, in bytes.
    pub offset: u64,
    /// The local variables in the frame, in the order of their addresses.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub variables: Vec<LocalVariable<'log>>,
}

/// A local variable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LocalVariable<'log> {
    /// The name.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'log, str>,
    /// Its first byte, from the start of the frame.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

impl<'log> StackFrame<'log> {
    /// Returns the variable that contains the address, or the nearest one; of two at the same
    /// distance, the one before the address. The distance is that of the address from the start of
    /// the variable if it is inside, otherwise from its nearer end.
    pub fn nearest(&self) -> Option<(&LocalVariable<'log>, Side, u64)> {
        let place = |variable: &LocalVariable<'_>| {
            if self.offset < variable.start {
                (Side::Before, variable.start - self.offset)
            } else if self.offset < variable.end {
                (Side::Inside, self.offset - variable.start)
            } else {
                (Side::After, self.offset - variable.end)
            }
        };
        let all = self.variables.iter().map(|variable| (variable, place(variable)));
        let rank = |side: Side, distance: u64| match side {
            Side::Inside => (0, 0),
            Side::After => (distance, 1),
            Side::Before => (distance, 2),
        };
        let nearest = all.min_by_key(|(_, (side, distance))| rank(*side, *distance));
        nearest.map(|(variable, (side, distance))| (variable, side, distance))
    }
}

string_enum! {
    /// The position of an access relative to an object.
    pub enum Side {
        /// Before the first byte (`to the left of`).
        Before = "before",
        /// Inside the object.
        Inside = "inside",
        /// After the last byte (`to the right of`).
        After = "after",
    }
}

/// A row of shadow memory.
///
/// Printed by `print_memory_metadata()` in mm/kasan/report.c.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Shadow {
    /// The address of the row as printed: the memory of its first byte, or the shadow byte itself
    /// in kernels before Linux 5.11.
    pub address: Address,
    /// The shadow bytes of the row, normally 16. Each describes 8 bytes of memory (16 with tags).
    /// Hexadecimal in JSON.
    #[cfg_attr(feature = "serde", serde(with = "super::cpu::hex_text"))]
    pub bytes: Vec<u8>,
    /// Whether the row contains the shadow of the bad address.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub hit: bool,
}
