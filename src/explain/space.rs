//! The map of addresses that a kernel uses.

use crate::arch::{Arch, Area};
use crate::model::Report;

/// A machine and its map of addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) arch: Arch,
    /// How many bits a register has: PowerPC prints 32 or 64.
    pub(super) bits: u8,
    ranges: &'static [(u64, u64, Area)],
}

impl Space {
    /// That of a report: a machine with several maps shows in its registers which one it uses.
    pub(super) fn of(report: &Report<'_>, arch: Arch) -> Self {
        let value = |register: &str| report.registers.get(register);
        let layouts = arch.info().layouts;
        let layout = layouts.iter().find(|layout| (layout.is_used)(&value)).or(layouts.last());
        let is_narrow = report.registers.iter().any(|register| register.value.bits == 32);
        let bits = if is_narrow { 32 } else { arch.bits() };
        // The maps are those of the usual width.
        let layout = layout.filter(|_| bits == arch.bits());
        Self { arch, bits, ranges: layout.map_or(&[], |layout| layout.ranges) }
    }

    /// The map that most machines of an architecture use.
    #[cfg(test)]
    pub(super) fn usual(arch: Arch) -> Self {
        Self {
            arch,
            bits: arch.bits(),
            ranges: arch.info().layouts.last().map_or(&[], |layout| layout.ranges),
        }
    }

    /// The use of an address.
    pub(super) fn area(self, address: u64) -> Option<Area> {
        let mut ranges = self.ranges.iter();
        let found = ranges.find(|(first, last, _)| (*first..=*last).contains(&address));
        found.map(|(.., area)| *area)
    }
}
