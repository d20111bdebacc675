//! Architectures, as data: what a machine calls its registers and how it prints where it was.

mod alpha;
mod arm;
mod arm64;
mod loongarch64;
mod mips;
mod parisc;
mod powerpc;
mod riscv64;
mod s390x;
mod sparc64;
mod x86;
mod x86_64;

use std::collections::HashMap;
use std::sync::LazyLock;

/// What is known of an architecture.
#[derive(Debug)]
pub(crate) struct ArchInfo {
    /// Bits of an address.
    pub(crate) bits: u8,
    /// What may stand before the instruction pointer.
    pub(crate) pointers: &'static [&'static str],
    /// What may stand before the return address of the function that was running, where the machine
    /// has a register for it.
    pub(crate) links: &'static [&'static str],
    /// The registers that have a number and are printed in rows, by number, as they are called in the
    /// output.
    pub(crate) numbered: &'static [&'static str],
    /// What begins a row of them, and the number of the first register in it.
    pub(crate) rows: &'static [(&'static str, usize)],
    /// The other registers that programs compute with: as printed, and as they are called in the
    /// output.
    pub(crate) general: &'static [(&'static str, &'static str)],
    /// The other registers.
    pub(crate) system: &'static [(&'static str, &'static str)],
    /// Whether a code segment selector is that of user mode.
    pub(crate) is_user: fn(u64) -> bool,
}

impl ArchInfo {
    /// A 64-bit machine of which nothing else is known.
    const BASE: Self = Self {
        bits: 64,
        pointers: &[],
        links: &[],
        numbered: &[],
        rows: &[],
        general: &[],
        system: &[],
        is_user: |_| false,
    };

    /// The registers that are printed with a name.
    fn named(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.general.iter().chain(self.system)
    }

    /// The names of all registers, in the order of the output.
    pub(crate) fn registers(&self) -> impl Iterator<Item = &'static str> {
        self.numbered.iter().copied().chain(self.named().map(|(_, name)| *name))
    }
}

macro_rules! arches {
    ($( $(#[doc = $doc:literal])+ $arch:ident = $name:literal in $module:ident, )+) => {
        /// A processor architecture.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Arch {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $name))] $arch, )+
        }

        impl Arch {
            /// All architectures.
            pub const ALL: &[Self] = &[ $( Self::$arch, )+ ];

            /// The name in the output, as `uname -m` says it.
            pub fn name(self) -> &'static str {
                match self { $( Self::$arch => $name, )+ }
            }

            pub(crate) fn info(self) -> &'static ArchInfo {
                match self { $( Self::$arch => &$module::INFO, )+ }
            }
        }
    };
}

arches! {
    /// 64-bit x86.
    X86_64 = "x86_64" in x86_64,
    /// 32-bit x86.
    X86 = "i386" in x86,
    /// 64-bit ARM.
    Arm64 = "arm64" in arm64,
    /// 32-bit ARM.
    Arm = "arm" in arm,
    /// 64-bit RISC-V.
    Riscv64 = "riscv64" in riscv64,
    /// PowerPC.
    Powerpc = "powerpc" in powerpc,
    /// z/Architecture.
    S390x = "s390x" in s390x,
    /// MIPS.
    Mips = "mips" in mips,
    /// 64-bit LoongArch.
    Loongarch64 = "loongarch64" in loongarch64,
    /// 64-bit SPARC.
    Sparc64 = "sparc64" in sparc64,
    /// Alpha.
    Alpha = "alpha" in alpha,
    /// PA-RISC.
    Parisc = "parisc" in parisc,
}

impl Arch {
    /// Whether a register is one that programs compute with, by its name in the output.
    pub fn is_general(self, register: &str) -> bool {
        let info = self.info();
        info.numbered.contains(&register) || info.general.iter().any(|(_, name)| *name == register)
    }

    /// Bits of an address.
    pub fn bits(self) -> u8 {
        self.info().bits
    }
}

#[cfg(any(feature = "disasm-riscv", feature = "symbolize"))]
pub(crate) use riscv64::RISCV;

/// The architecture whose instruction pointer line this is, and the line without its tag.
pub(crate) fn pointer(text: &[u8]) -> Option<(Arch, &[u8])> {
    tagged(text, |info| info.pointers)
}

/// The architecture whose line of a return address this is, and the line without its tag.
pub(crate) fn link(text: &[u8]) -> Option<(Arch, &[u8])> {
    tagged(text, |info| info.links)
}

/// A row of registers: who prints it, the number of the first, and the values.
pub(crate) fn row(text: &[u8]) -> Option<(Arch, usize, &[u8])> {
    tag_start(text)?;
    let rows = |&arch: &Arch| arch.info().rows.iter().map(move |(tag, at)| (arch, tag, *at));
    let mut rows = Arch::ALL.iter().flat_map(rows);
    rows.find_map(|(arch, tag, at)| Some((arch, at, text.strip_prefix(tag.as_bytes())?)))
}

/// The bytes that tags begin with: most lines begin with another.
static TAG_STARTS: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut starts = [false; 256];
    for info in Arch::ALL.iter().map(|arch| arch.info()) {
        let rows = info.rows.iter().map(|(tag, _)| tag);
        let tags = info.pointers.iter().chain(info.links).chain(rows);
        for first in tags.filter_map(|tag| tag.as_bytes().first()) {
            if let Some(start) = starts.get_mut(usize::from(*first)) {
                *start = true;
            }
        }
    }
    starts
});

/// The first byte of a line, if a tag begins with it.
fn tag_start(text: &[u8]) -> Option<u8> {
    text.first().copied().filter(|&b| TAG_STARTS.get(usize::from(b)) == Some(&true))
}

fn tagged(text: &[u8], tags: fn(&ArchInfo) -> &'static [&'static str]) -> Option<(Arch, &[u8])> {
    let first = tag_start(text)?;
    let tags = |&arch: &Arch| tags(arch.info()).iter().map(move |tag| (arch, tag.as_bytes()));
    Arch::ALL
        .iter()
        .flat_map(tags)
        // Most lines differ in the first byte.
        .filter(|(_, tag)| tag.first() == Some(&first))
        .find_map(|(arch, tag)| text.strip_prefix(tag).map(|rest| (arch, rest)))
}

/// Registers as they are printed: who has them, and how they are called in the output.
type Names = HashMap<&'static [u8], Vec<(Arch, &'static str)>>;

static REGISTERS: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names::new();
    for &arch in Arch::ALL {
        for (printed, name) in arch.info().named() {
            names.entry(printed.as_bytes()).or_default().push((arch, name));
        }
    }
    names
});

/// Whether a line that begins with this register name belongs to a register dump.
pub(crate) fn is_register(printed: &[u8]) -> bool {
    REGISTERS.contains_key(printed)
}

/// The architectures that have a register of this name and print it with so many digits.
pub(crate) fn with_register(printed: &[u8], digits: usize) -> impl Iterator<Item = Arch> {
    let owners = REGISTERS.get(printed).into_iter().flatten().map(|(arch, _)| *arch);
    owners.filter(move |arch| digits * 4 <= usize::from(arch.bits()))
}

impl Arch {
    /// The name in the output of a register as it was printed.
    pub(crate) fn register(self, printed: &[u8]) -> Option<&'static str> {
        let owners = REGISTERS.get(printed)?;
        owners.iter().find(|(arch, _)| *arch == self).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tables_are_unique() {
        let names: BTreeSet<_> = Arch::ALL.iter().map(|arch| arch.name()).collect();
        assert_eq!(names.len(), Arch::ALL.len());
        for arch in Arch::ALL {
            let mut seen = BTreeSet::new();
            for (printed, _) in arch.info().named() {
                assert!(seen.insert(printed), "{}: `{printed}` stands twice", arch.name());
            }
            assert!(arch.info().registers().all(|name| name == name.to_lowercase()));
        }
    }

    #[test]
    fn ok_pointer() {
        assert_eq!(pointer(b"RIP: 0010:f"), Some((Arch::X86_64, &b" 0010:f"[..])));
        assert_eq!(pointer(b"RAX: 0"), None);
        assert!(is_register(b"RAX") && !is_register(b"rax"));
        assert_eq!(row(b"$ 4   : 8260e888 0"), Some((Arch::Mips, 4, &b" 8260e888 0"[..])));
        assert_eq!(row(b"$4: 1"), None);
    }
}
