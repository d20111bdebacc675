//! What tells apart two bugs of the same site.

use super::Stable;
use crate::model::{AccessKind, AddressClass, Report};

/// The highest address that is taken for a field of a NULL pointer: the page that is never mapped.
const NULL_PAGE: u64 = 4096;

/// What tells apart two bugs of the same site.
///
/// Offsets from NULL that differ, on machines of one size of address, are those of two bugs; all else
/// tells people more. What is missing says nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Discriminators {
    /// Bytes from NULL to the access, where a NULL pointer was followed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub null_offset: Option<u64>,
    /// The bits of an address of that machine: offsets of members differ with them.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub bits: Option<u8>,
    /// The direction of the access.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub access: Option<AccessKind>,
    /// Its size in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// Which instruction: bytes from the start of the function that trapped. It is that of one build of
    /// the kernel only, and in no hash.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub instruction: Option<u64>,
}

impl Discriminators {
    /// Which eight bytes from NULL were accessed: KASAN knows no more of a fault in its shadow.
    pub(crate) fn granule(self) -> Option<u64> {
        self.null_offset.map(|offset| offset >> 3)
    }

    pub(super) fn hash(&self, hasher: &mut Stable) {
        hasher.number(self.null_offset.map_or(0, |offset| offset + 1));
        hasher.number(self.bits.map_or(0, u64::from));
        hasher.text(self.access.map_or("", AccessKind::name));
        hasher.number(self.size.map_or(0, |size| size.wrapping_add(1)));
    }
}

/// The facts of a report: by its explanation where it has one, else by its own words.
pub(super) fn facts(report: &Report<'_>) -> Discriminators {
    let access = report.access.unwrap_or_default();
    let meant = report.explanation.as_ref();
    let explained = meant
        .filter(|meant| meant.address_class == Some(AddressClass::Null))
        .and_then(|meant| meant.access.as_ref()?.address);
    let printed = access.address.filter(|address| address.value < NULL_PAGE);
    let address = explained.or(printed).filter(|address| address.value < NULL_PAGE);
    Discriminators {
        null_offset: address.map(|address| address.value),
        bits: address.map(|address| address.bits),
        access: access.kind,
        size: access.size,
        instruction: trapped(report),
    }
}

/// The offset of the instruction that trapped.
fn trapped(report: &Report<'_>) -> Option<u64> {
    report.crash_stack()?.frames.iter().find(|frame| frame.exact)?.offset
}
