//! The address space of a kernel.

use crate::arch::{Arch, Area};
use crate::model::Report;

/// An architecture and its memory layout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) arch: Arch,
    /// The width of a register in bits: PowerPC prints 32 or 64.
    pub(super) bits: u8,
    ranges: &'static [(u64, u64, Area)],
}

impl Space {
    /// Returns the address space of a report. If an architecture has several layouts, the registers
    /// show which one is used.
    pub(super) fn of(report: &Report<'_>, arch: Arch) -> Self {
        let value = |register: &str| report.registers.get(register);
        let layouts = arch.info().layouts;
        let layout = layouts.iter().find(|layout| (layout.is_used)(&value)).or(layouts.last());
        let is_narrow = report.registers.iter().any(|register| register.value.bits == 32);
        let bits = if is_narrow { 32 } else { arch.bits() };
        // The layouts are those of the default width.
        let layout = layout.filter(|_| bits == arch.bits());
        Self { arch, bits, ranges: layout.map_or(&[], |layout| layout.ranges) }
    }

    /// Returns the default address space of an architecture.
    #[cfg(test)]
    pub(super) fn usual(arch: Arch) -> Self {
        Self {
            arch,
            bits: arch.bits(),
            ranges: arch.info().layouts.last().map_or(&[], |layout| layout.ranges),
        }
    }

    /// Returns the area that contains an address.
    pub(super) fn area(self, address: u64) -> Option<Area> {
        let mut ranges = self.ranges.iter();
        let found = ranges.find(|(first, last, _)| (*first..=*last).contains(&address));
        found.map(|(.., area)| *area)
    }
}
