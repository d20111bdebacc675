//! The memory that was accessed, and the object that it belongs to.

use std::borrow::Cow;

use super::Address;
use crate::string_enum::string_enum;

/// A memory access that failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Access {
    /// What it did, where the report says it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub kind: Option<AccessKind>,
    /// Its size in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// Its address, as the report has it: of a fault in the KASAN shadow it is that of the shadow.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
}

string_enum! {
    /// What an access did.
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

/// What a KASAN report says of the memory around a bad access.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Memory<'log> {
    /// The object that was hit, or that lies nearest.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub object: Option<Object<'log>>,
    /// The task that allocated it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub allocated_by: Option<u64>,
    /// The task that freed it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub freed_by: Option<u64>,
    /// The shadow around the address, as printed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub shadow: Vec<Shadow>,
}

/// A heap object.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Object<'log> {
    /// The slab cache.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub cache: Option<Cow<'log, str>>,
    /// Bytes of an object of that cache.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// Its first byte.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub start: Option<Address>,
    /// One past its last byte.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub end: Option<Address>,
    /// On which side of it the access was.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub side: Option<Side>,
    /// How far: bytes from the start of the object if inside, else from its nearer end.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub distance: Option<u64>,
}

string_enum! {
    /// Where an access was, seen from an object.
    pub enum Side {
        /// Before its first byte (`to the left of`).
        Before = "before",
        /// Within it.
        Inside = "inside",
        /// Behind its last byte (`to the right of`).
        After = "after",
    }
}

/// A line of shadow memory.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Shadow {
    /// The address that the first byte stands for.
    pub address: Address,
    /// Sixteen bytes, each for 8 bytes of memory (16 with tags); hexadecimal in JSON.
    #[cfg_attr(feature = "serde", serde(with = "super::cpu::hex_text"))]
    pub bytes: Vec<u8>,
    /// Whether the bad address is in this line.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub hit: bool,
}
