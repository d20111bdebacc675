//! Facts that distinguish two bugs of the same site.

use super::Stable;
use crate::model::{AccessKind, Address, AddressClass, Explanation, Pointer, Report};

/// The exclusive upper bound of a NULL pointer's field: the first page is never mapped.
const NULL_PAGE: u64 = 4096;

/// Facts that distinguish two bugs of the same site.
///
/// Different offsets from NULL, on machines with the same size of addresses, are different bugs.
/// The other facts are for display. A missing fact decides nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Discriminators {
    /// Bytes from NULL to the access, if a NULL pointer was dereferenced.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub null_offset: Option<u64>,
    /// The width of an address on that machine in bits: offsets of members depend on it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub bits: Option<u8>,
    /// The kind of access.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub access: Option<AccessKind>,
    /// The size of the access in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// The offset of the instruction that trapped, in bytes from the start of its function. It
    /// differs between builds of a kernel, so no hash contains it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub instruction: Option<u64>,
}

impl Discriminators {
    /// Returns the number of the eight bytes from NULL that were accessed. A fault in the shadow of
    /// KASAN has no exact address.
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

/// Returns the facts of a report: from its explanation if it has one, else from its lines.
pub(super) fn facts(report: &Report<'_>) -> Discriminators {
    let access = report.access.unwrap_or_default();
    let meant = report.explanation.as_ref();
    let address = small_address(report).filter(|_| meant.is_none_or(is_from_null));
    Discriminators {
        null_offset: address.map(|address| address.value),
        bits: address.map(|address| address.bits),
        access: access.kind,
        size: access.size,
        instruction: trapped(report),
    }
}

/// Returns the address of an access in the first page.
pub(super) fn small_address(report: &Report<'_>) -> Option<Address> {
    let explained = report.explanation.as_ref().and_then(|meant| meant.access.as_ref()?.address);
    let printed = report.access.and_then(|access| access.address);
    explained.or(printed).filter(|address| address.value < NULL_PAGE)
}

/// Returns whether the pointer of an access may have been NULL: an error number or a small number is another one.
fn is_from_null(meant: &Explanation) -> bool {
    meant.address_class.is_none_or(|class| class == AddressClass::Null)
        && !meant.pointer.as_ref().is_some_and(Pointer::is_small_number)
}

/// Returns the offset of the instruction that trapped.
fn trapped(report: &Report<'_>) -> Option<u64> {
    report.crash_stack()?.frames.iter().find(|frame| frame.exact)?.offset
}
