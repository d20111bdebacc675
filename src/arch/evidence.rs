//! The architecture of a report without registers, by elimination.
//!
//! Each clue narrows the set of possible architectures. The architecture is known if exactly one is
//! in the sets of all clues. Contradictory clues have no architecture in common.

use super::{Arch, by_entry};

/// A set of architectures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Machines(u32);

/// Architectures without an [`Arch`]. A clue that they share does not identify one.
const RISCV32: u32 = 1 << 31;
const SUPERH: u32 = 1 << 30;

impl Machines {
    /// The set of all architectures.
    pub(crate) const ANY: Self = Self(u32::MAX);

    const fn of(arches: &[Arch]) -> Self {
        let (mut arches, mut set) = (arches, 0);
        while let [first, rest @ ..] = arches {
            set |= 1 << *first as u32;
            arches = rest;
        }
        Self(set)
    }

    /// Adds an architecture without an [`Arch`].
    const fn or(self, foreign: u32) -> Self {
        Self(self.0 | foreign)
    }

    /// Returns the intersection.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the complement.
    const fn not(self) -> Self {
        Self(!self.0)
    }

    /// Returns the architecture, if the set has only one.
    pub(crate) fn only(self) -> Option<Arch> {
        Arch::ALL.iter().copied().find(|arch| self == Self::of(&[*arch]))
    }
}

const X86: Machines = Machines::of(&[Arch::X86_64, Arch::X86]);

/// Words of a release, separated by `-`, `.`, `+`, `_` or `~`, in which distributions name the
/// architecture.
#[rustfmt::skip] // rows
const RELEASES: &[(&str, Arch)] = &[
    ("aarch64", Arch::Arm64),
    ("amd64", Arch::X86_64),
    ("arm64", Arch::Arm64),
    ("armmp", Arch::Arm),
    ("armv6hl", Arch::Arm),
    ("armv7hl", Arch::Arm),
    ("armv7l", Arch::Arm),
    ("i386", Arch::X86),
    ("i586", Arch::X86),
    ("i686", Arch::X86),
    ("loong64", Arch::Loongarch64),
    ("loongarch64", Arch::Loongarch64),
    ("powerpc64", Arch::Powerpc),
    ("powerpc64le", Arch::Powerpc),
    ("ppc64", Arch::Powerpc),
    ("ppc64el", Arch::Powerpc),
    ("ppc64le", Arch::Powerpc),
    ("riscv64", Arch::Riscv64),
    ("s390x", Arch::S390x),
    ("sparc64", Arch::Sparc64),
    ("x64v1", Arch::X86_64),
    ("x64v2", Arch::X86_64),
    ("x64v3", Arch::X86_64),
    ("x86_64", Arch::X86_64),
];

/// Suffixes of a release.
const RELEASE_ENDS: &[(&str, Arch)] = &[
    ("-686", Arch::X86),
    ("-686-pae", Arch::X86),
    ("-pve", Arch::X86_64),
    ("-rpi-v8", Arch::Arm64),
];

/// Returns the architectures that a release names.
pub(crate) fn of_release(release: &str) -> Machines {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named = |arches: &[(&str, Arch)], is: &dyn Fn(&str) -> bool| {
        let mut found = arches.iter().filter(|(name, _)| is(name));
        found.next().map(|(_, arch)| Machines::of(&[*arch]))
    };
    let words = release.split(|c| !is_word(c)).flat_map(|word| {
        // Fedora's `fc39.x86_64` has the name as a word; others join it with `_`.
        [Some(word), word.rsplit_once('_').map(|(_, last)| last)].into_iter().flatten()
    });
    let of_words = words.filter_map(|word| named(RELEASES, &|name| name == word));
    let of_end = named(RELEASE_ENDS, &|end| release.ends_with(end));
    of_words.chain(of_end).fold(Machines::ANY, Machines::and)
}

/// Texts in the line `Hardware name:`.
const HARDWARE: &[(&str, Machines)] = &[
    // setup_machine_fdt() in arch/arm64/kernel/setup.c, parse_dtb() in arch/riscv/kernel/setup.c.
    (" (DT)", Machines::of(&[Arch::Arm64, Arch::Riscv64]).or(RISCV32)),
    // setup_arch_string() in arch/s390/kernel/early.c.
    (" (LPAR)", Machines::of(&[Arch::S390x])),
    (" (z/VM ", Machines::of(&[Arch::S390x])),
    (" (KVM/Linux)", Machines::of(&[Arch::S390x])),
    // arch/powerpc/kernel/setup-common.c.
    (" pSeries", Machines::of(&[Arch::Powerpc])),
    (" PowerNV", Machines::of(&[Arch::Powerpc])),
    // Virtual machines that exist for this architecture only.
    ("QEMU Standard PC", X86),
    ("VirtualBox/VirtualBox", X86),
];

/// Returns the architectures that a hardware name fits.
pub(crate) fn of_hardware(name: &str) -> Machines {
    let found = HARDWARE.iter().filter(|(part, _)| name.contains(part));
    found.fold(Machines::ANY, |all, (_, machines)| all.and(*machines))
}

/// Functions that several architectures share.
const SHARED: &[(&str, Machines)] = &[
    // idtentry_irq of arch/x86/entry/entry_32.S defines it, too.
    ("asm_common_interrupt", X86),
    ("ret_from_fork_asm", Machines::of(&[Arch::X86_64, Arch::X86, Arch::Loongarch64])),
];

/// Returns the architectures whose kernels have a function.
pub(crate) fn of_function(function: &str) -> Machines {
    // CONFIG_PREFIX_SYMBOLS needs CONFIG_CALL_PADDING, which needs objtool's 64-bit x86.
    if function.starts_with("__pfx_") {
        return Machines::of(&[Arch::X86_64]);
    }
    let shared = SHARED.iter().find(|(name, _)| *name == function);
    let entry = || by_entry(function).map_or(Machines::ANY, |arch| Machines::of(&[arch]));
    shared.map_or_else(entry, |(_, machines)| *machines)
}

/// A stack mark. Only dumpstack_64.c and dumpstack_32.c in arch/x86/kernel print them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// `<TASK>`, `<NMI>`: printed by 64-bit kernels.
    Wide,
    /// `<SOFTIRQ>`: printed by 32-bit kernels.
    Narrow,
    /// `<IRQ>`, `<#DF>`: printed by both.
    Either,
}

/// Returns the architectures that print a mark.
pub(crate) fn of_mark(mark: Mark) -> Machines {
    match mark {
        Mark::Wide => Machines::of(&[Arch::X86_64]),
        Mark::Narrow => Machines::of(&[Arch::X86]),
        Mark::Either => X86,
    }
}

/// The architectures whose show_stack() may print `Call trace:`, in lower case.
#[rustfmt::skip] // words
pub(crate) const LOWER_TRACE: Machines = Machines::of(&[
    Arch::X86_64, Arch::X86, Arch::Riscv64, Arch::Powerpc, Arch::S390x, Arch::Mips,
    Arch::Loongarch64, Arch::Sparc64, Arch::Alpha, Arch::Parisc,
]).or(RISCV32).not();

/// The architectures whose show_stack() may print `Call Trace:`.
pub(crate) const UPPER_TRACE: Machines = Machines::of(&[Arch::Arm64, Arch::Arm]).not();

/// The architectures that print both functions of a call on one line: dump_backtrace_entry() in
/// arch/arm/kernel/traps.c.
pub(crate) const BOTH_ENDS: Machines = Machines::of(&[Arch::Arm]);

/// The address ranges of kernel code, by the first and the last address.
const TEXT: &[(u64, u64, Machines)] = &[
    (0x9000_0000_0000_0000, 0x9000_00ff_ffff_ffff, Machines::of(&[Arch::Loongarch64])),
    (0xc000_0000_0000_0000, 0xc000_00ff_ffff_ffff, Machines::of(&[Arch::Powerpc])),
    (0xffff_8000_0000_0000, 0xffff_80ff_ffff_ffff, Machines::of(&[Arch::Arm64])),
    (0xffff_ffff_a000_0000, 0xffff_ffff_feff_ffff, Machines::of(&[Arch::X86_64])),
];

/// Returns the architectures with addresses of more than 32 bits.
pub(crate) fn wide() -> Machines {
    let narrow = Arch::ALL.iter().filter(|arch| arch.bits() == 32);
    Machines(narrow.fold(RISCV32 | SUPERH, |set, arch| set | Machines::of(&[*arch]).0)).not()
}

/// The architectures that print addresses of eight digits. MIPS, PowerPC and PA-RISC kernels have
/// either width.
#[rustfmt::skip] // words
pub(crate) const NARROW: Machines = Machines::of(&[
    Arch::X86_64, Arch::Arm64, Arch::Riscv64, Arch::S390x, Arch::Loongarch64, Arch::Sparc64,
    Arch::Alpha,
]).not();

/// Returns the architectures whose kernels have code at an address.
pub(crate) fn of_text(address: u64) -> Machines {
    let range = TEXT.iter().find(|(first, last, _)| (*first..=*last).contains(&address));
    range.map_or(Machines::ANY, |(.., machines)| *machines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_name_machines() {
        let p = |release| of_release(release).only();
        for (release, want) in [
            ("5.14.0-427.13.1.el9_4.x86_64", Some(Arch::X86_64)),
            ("6.1.0-18-arm64", Some(Arch::Arm64)),
            ("6.1.0-18-rt-amd64", Some(Arch::X86_64)),
            ("6.1.0-9-686-pae", Some(Arch::X86)),
            ("6.1.0-zz-686", Some(Arch::X86)),
            ("5.10.0-28-armmp", Some(Arch::Arm)),
            ("4.18.0-553.el8_10.ppc64le", Some(Arch::Powerpc)),
            ("6.8.12-2-pve", Some(Arch::X86_64)),
            ("6.6.31+rpt-rpi-v8", Some(Arch::Arm64)),
            ("6.8.0-45-generic", None),
            ("5.15.0-686-generic", None),
            ("6.9.0", None),
            ("", None),
        ] {
            assert_eq!(p(release), want, "{release}");
        }
    }

    #[test]
    fn clues_decide_together() {
        let board = of_hardware("Zz Board Rev B (DT)");
        assert_eq!(board.only(), None);
        assert_eq!(board.and(LOWER_TRACE).and(wide()).only(), Some(Arch::Arm64));
        assert_eq!(board.and(UPPER_TRACE).and(wide()).only(), Some(Arch::Riscv64));
        assert_eq!(board.and(LOWER_TRACE).only(), Some(Arch::Arm64));
        // 32-bit RISC-V has no `Arch`.
        assert_eq!(board.and(UPPER_TRACE).only(), None);
        assert_eq!(of_mark(Mark::Either).and(wide()).only(), Some(Arch::X86_64));
        assert_eq!(of_mark(Mark::Either).and(NARROW).only(), Some(Arch::X86));
        assert_eq!(of_mark(Mark::Wide).and(of_release("6.1.0-686")).only(), None);
        assert_eq!(of_function("__pfx_kthread").only(), Some(Arch::X86_64));
        assert_eq!(of_function("kthread").only(), None);
    }
}
