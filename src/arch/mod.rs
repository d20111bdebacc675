//! Architectures, as data: the names of registers, the forms of lines, the layout of memory.

pub(crate) mod evidence;

use std::ops::Range;
use std::sync::LazyLock;

use crate::order;
use crate::token::register;

/// The properties of an architecture. Each architecture states every column.
#[derive(Debug)]
pub(crate) struct ArchInfo {
    /// The width of an address in bits.
    pub(crate) bits: u8,
    /// The tags before the instruction pointer.
    pub(crate) pointers: &'static [&'static str],
    /// The tags of other values on the line of the instruction pointer, all of which must be
    /// present. Only for tags in `pointers` that other architectures share.
    pub(crate) beside: &'static [&'static str],
    /// Whether the kernel prints the function at the instruction pointer. If it does, an address
    /// without a function is one without code.
    pub(crate) names_pointer: bool,
    /// The tags before the return address in the link register, if the architecture has one.
    pub(crate) links: &'static [&'static str],
    /// The numbered registers that are printed in rows, in order, by their names in the output.
    pub(crate) numbered: &'static [&'static str],
    /// The tag of a row of registers, and the number of its first register. Values without tags
    /// follow.
    pub(crate) rows: &'static [(&'static str, usize)],
    /// The other general registers: the printed name, and the name in the output.
    pub(crate) general: &'static [(&'static str, &'static str)],
    /// The other registers.
    pub(crate) system: &'static [(&'static str, &'static str)],
    /// The numbers of digits with which general registers are printed.
    pub(crate) digits: &'static [usize],
    /// The first names of lines of `general` and `system`, or names after the instruction pointer:
    /// the first two as printed, or one that no other architecture has. Only such a line identifies
    /// the architecture, because many have a register `sp`.
    pub(crate) heads: &'static [&'static str],
    /// Returns whether a code segment selector is that of user mode.
    pub(crate) is_user: fn(u64) -> bool,
    /// Returns the access that faulted, from the registers that describe it.
    pub(crate) fault: fn(Values<'_>) -> Option<Fault>,
    /// The memory layouts of its kernels, the default one last.
    #[cfg_attr(
        not(any(feature = "disasm", test)),
        expect(dead_code, reason = "explanations use it")
    )]
    pub(crate) layouts: &'static [Layout],
    /// The location of KASAN's shadow memory.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) shadow: Option<Shadow>,
    /// The calling convention, if there is a decoder for its code.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) calls: Option<Calls>,
    /// The printed address of a bad access is rounded down to a multiple of this number of bytes.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) exact_to: u64,
    /// The bits of an address that are a tag, and may be cleared when it is printed.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) tag: u64,
    /// The prefixes of `sys_` in the names of system call functions.
    pub(crate) syscalls: &'static [Prefix],
    /// Functions that only kernels of this architecture have: entries from user space, and the
    /// start of a CPU. They identify the architecture in a stack. `*` at the end matches any
    /// suffix.
    pub(crate) entries: &'static [&'static str],
    /// The formats of code lines: the number of bytes of a unit, and its decoder.
    pub(crate) code: &'static [(usize, Decoder)],
}

/// The kind of access that faulted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Data was read.
    Read,
    /// Data was written.
    Write,
    /// An instruction was fetched.
    Execute,
}

impl Fault {
    /// Decodes the exception syndrome (`ESR`) of arm64: its class, and for a data abort the bit
    /// `WnR` (arch/arm64/include/asm/esr.h).
    pub(crate) fn of_syndrome(esr: u64) -> Option<Self> {
        match esr >> 26 & 0x3f {
            0x20 | 0x21 => Some(Self::Execute),
            0x24 | 0x25 if esr & 0x40 != 0 => Some(Self::Write),
            0x24 | 0x25 => Some(Self::Read),
            _ => None,
        }
    }

    /// Decodes the code behind `Internal error: Oops:`: the syndrome on arm64; on arm the fault
    /// status, in which older CPUs do not set the bit for writes (arch/arm/mm/fault.h).
    pub(crate) fn of_arm(code: u64) -> Option<Self> {
        match code {
            0..=0xffff => (code & 0x800 != 0).then_some(Self::Write),
            _ => Self::of_syndrome(code),
        }
    }
}

/// The values of registers, by their names in the output.
pub(crate) type Values<'r> = &'r dyn Fn(&str) -> Option<u64>;

/// A memory layout.
#[derive(Debug)]
#[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
pub(crate) struct Layout {
    /// Returns whether a kernel has this layout, from the registers of a report.
    pub(crate) is_used: fn(Values<'_>) -> bool,
    /// The first and last address of each area, in order of precedence.
    pub(crate) ranges: &'static [(u64, u64, Area)],
}

impl Layout {
    const fn only(ranges: &'static [(u64, u64, Area)]) -> Self {
        Self { is_used: |_| true, ranges }
    }
}

/// A calling convention, with registers by their names in the output.
#[derive(Debug)]
#[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
pub(crate) struct Calls {
    /// The register with the result.
    pub(crate) result: &'static str,
    /// The callee-saved registers.
    pub(crate) saved: &'static [&'static str],
}

/// The use of an area of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Area {
    /// User space.
    User,
    /// Non-canonical addresses, which the CPU does not translate.
    NonCanonical,
    /// The linear map of physical memory.
    Linear,
    /// The vmalloc area.
    Vmalloc,
    /// The kernel image.
    Text,
    /// Modules.
    Module,
}

/// The location of KASAN's shadow memory.
#[derive(Debug)]
#[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
pub(crate) struct Shadow {
    /// Shadow address = address / 8 + `offset`.
    pub(crate) offset: u64,
    /// The shadow of kernel memory, if only the shadow has these addresses.
    pub(crate) own: Range<u64>,
}

/// A prefix of the functions of a system call, and who strips it. The convention for titles knows
/// fewer architectures than signatures do.
#[derive(Debug)]
pub(crate) struct Prefix {
    text: &'static str,
    titles: bool,
    signatures: bool,
}

/// Prefixes that compilers and the macros of include/linux/syscalls.h add on all architectures.
#[rustfmt::skip] // rows
const COMMON_PREFIXES: &[Prefix] = &[
    Prefix { text: "SYSC_", titles: true, signatures: false },
    Prefix { text: "SyS_", titles: true, signatures: false },
    Prefix { text: "____sys_", titles: true, signatures: false },
    Prefix { text: "___sys_", titles: true, signatures: false },
    Prefix { text: "__do_", titles: false, signatures: true },
    Prefix { text: "__do_sys_", titles: true, signatures: false },
    Prefix { text: "__se_", titles: true, signatures: true },
    Prefix { text: "__se_sys_", titles: true, signatures: false },
    Prefix { text: "__sys_", titles: true, signatures: false },
    Prefix { text: "compat_SYSC_", titles: true, signatures: false },
    Prefix { text: "compat_SyS_", titles: true, signatures: false },
    Prefix { text: "ksys_", titles: true, signatures: false },
    Prefix { text: "sys_", titles: true, signatures: false },
];

fn prefixes(is_used: fn(&Prefix) -> bool) -> Vec<&'static str> {
    let own = Arch::ALL.iter().flat_map(|arch| arch.info().syscalls);
    let used = own.chain(COMMON_PREFIXES).filter(|prefix| is_used(prefix));
    let mut texts: Vec<_> = used.map(|prefix| prefix.text).collect();
    order::sort(&mut texts);
    texts.dedup();
    texts
}

/// The prefixes that titles strip from the names of system calls.
pub(crate) static TITLE_PREFIXES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| prefixes(|prefix| prefix.titles));

/// The prefixes that signatures strip from the names of system calls, if `sys_` or `compat_sys_`
/// follows.
pub(crate) static SIGNATURE_PREFIXES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| prefixes(|prefix| prefix.signatures));

/// The decoder of a code line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Decoder {
    /// No decoder: the bytes are printed undecoded.
    None,
    /// The kernel prints the instructions itself.
    Listed,
    /// x86 with operands of 32 or 64 bits.
    X86(u32),
    /// 64-bit ARM.
    A64,
    /// 32-bit ARM.
    A32,
    /// Thumb.
    T32,
    /// PowerPC.
    Powerpc,
    /// 64-bit RISC-V in halfwords.
    RiscvHalves,
    /// 64-bit RISC-V in words.
    RiscvWords,
}

impl ArchInfo {
    /// The named registers.
    fn named(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.general.iter().chain(self.system)
    }

    /// The names of all registers, in the order of the output.
    pub(crate) fn registers(&self) -> impl Iterator<Item = &'static str> {
        self.numbered.iter().copied().chain(self.named().map(|(_, name)| *name))
    }

    /// Returns the decoder for units of this many bytes.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "decoders use it"))]
    pub(crate) fn decoder(&self, unit: usize) -> Decoder {
        let form = self.code.iter().find(|(bytes, _)| *bytes == unit);
        form.map_or(Decoder::None, |(_, decoder)| *decoder)
    }
}

macro_rules! arches {
    ($( $(#[doc = $doc:literal])+ $arch:ident = $name:literal in $module:ident, )+) => {
        $( mod $module; )+

        /// A CPU architecture.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Arch {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $name))] $arch, )+
        }

        impl Arch {
            /// All architectures.
            pub const ALL: &[Self] = &[ $( Self::$arch, )+ ];

            /// Returns the name in the output, which is that of `uname -m`, except for `arm64` and
            /// `i386`. `Display` writes it and `FromStr` parses it.
            pub fn name(self) -> &'static str {
                match self { $( Self::$arch => $name, )+ }
            }

            pub(crate) fn info(self) -> &'static ArchInfo {
                match self { $( Self::$arch => &$module::INFO, )+ }
            }
        }

        crate::string_enum::name_traits!(Arch);
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
    /// OpenRISC.
    Openrisc = "openrisc" in openrisc,
}

impl Arch {
    /// Returns whether a register is a general one, by its name in the output: `rax`, but not
    /// `cr2`.
    pub fn is_general(self, register: &str) -> bool {
        let info = self.info();
        info.numbered.contains(&register) || info.general.iter().any(|(_, name)| *name == register)
    }

    /// Whether both print the same rows of registers: loongarch does as mips, before Linux 6.3.
    pub(crate) fn shares_rows(self, other: Self) -> bool {
        let (own, other) = (self.info(), other.info());
        !own.rows.is_empty() && (own.rows, own.numbered) == (other.rows, other.numbered)
    }

    /// Returns the width of an address in bits: 32 or 64.
    pub fn bits(self) -> u8 {
        self.info().bits
    }
}

#[cfg(any(feature = "disasm", feature = "symbolize"))]
pub(crate) use riscv64::RISCV;

/// Parses a line with an instruction pointer. Returns the architecture, and the line without its
/// tag.
pub(crate) fn pointer(text: &[u8]) -> Option<(Arch, &[u8])> {
    let found = tagged(text, |tag| tag.announces == Announces::Pointer);
    found.map(|(tag, rest)| (tag.arch, rest)).find(|(arch, rest)| has_all(rest, arch.info().beside))
}

/// Returns whether a line consists of tags, each behind one value.
fn has_all(text: &[u8], tags: &[&str]) -> bool {
    let after = |text: &[u8], tag: &&str| {
        let (rest, _) = register::value(text.trim_ascii_start()).ok()?;
        Some(rest.trim_ascii_start().strip_prefix(tag.as_bytes())?.len())
    };
    let last = |len: usize| text.get(text.len() - len..).unwrap_or_default();
    tags.iter().try_fold(text.len(), |len, tag| after(last(len), tag)).is_some()
}

/// Parses a line with a return address. Returns the architecture, and the line without its tag.
pub(crate) fn link(text: &[u8]) -> Option<(Arch, &[u8])> {
    let mut found = tagged(text, |tag| tag.announces == Announces::Link);
    found.next().map(|(tag, rest)| (tag.arch, rest))
}

/// Returns whether a line starts like a row of registers.
pub(crate) fn is_row(text: &[u8]) -> bool {
    tagged_row(text).next().is_some()
}

/// Parses a row of registers: the architecture, the number of the first register, and the values.
/// If several architectures have such rows, it is the known one; without a known one, two values
/// are required.
pub(crate) fn row(text: &[u8], known: Option<Arch>) -> Option<(Arch, usize, &[u8])> {
    if known.is_some_and(|arch| starts_with_register(text, arch)) {
        return None;
    }
    let of_known = known.and_then(|known| tagged_row(text).find(|(arch, ..)| *arch == known));
    of_known.or_else(|| tagged_row(text).find(|(.., values)| has_two_values(values)))
}

fn tagged_row(text: &[u8]) -> impl Iterator<Item = (Arch, usize, &[u8])> {
    let rows = tagged(text, |tag| matches!(tag.announces, Announces::Row(_)));
    rows.filter_map(|(tag, rest)| match tag.announces {
        Announces::Row(number) => Some((tag.arch, number, rest)),
        _ => None,
    })
}

/// Returns whether a line starts with a register of an architecture and a colon.
fn starts_with_register(text: &[u8], arch: Arch) -> bool {
    let colon = text.iter().position(|&b| b == b':');
    let name = colon.and_then(|colon| text.get(..colon)).unwrap_or_default();
    arch.register(name.trim_ascii_end()).is_some()
}

fn has_two_values(text: &[u8]) -> bool {
    let value = |text: &[u8]| Some(register::value(text.trim_ascii_start()).ok()?.0.len());
    let last = |len: usize| text.get(text.len() - len..).unwrap_or_default();
    value(text).and_then(|len| value(last(len))).is_some()
}

/// A tag at the start of a line.
#[derive(Debug)]
struct Tag {
    text: &'static [u8],
    announces: Announces,
    arch: Arch,
}

/// The meaning of a tag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Announces {
    /// The instruction pointer.
    Pointer,
    /// The return address in the link register.
    Link,
    /// Registers from this number on.
    Row(usize),
}

/// The tags of all architectures by their first byte, in the order of the architectures.
static TAGS: LazyLock<[Vec<Tag>; 256]> = LazyLock::new(|| {
    let mut tags = [const { Vec::new() }; 256];
    for &arch in Arch::ALL {
        let info = arch.info();
        let pointers = info.pointers.iter().map(|tag| (*tag, Announces::Pointer));
        let links = info.links.iter().map(|tag| (*tag, Announces::Link));
        let rows = info.rows.iter().map(|(tag, number)| (*tag, Announces::Row(*number)));
        for (text, announces) in pointers.chain(links).chain(rows) {
            let text = text.as_bytes();
            let of_byte = text.first().and_then(|first| tags.get_mut(usize::from(*first)));
            if let Some(tags) = of_byte {
                tags.push(Tag { text, announces, arch });
            }
        }
    }
    tags
});

/// Returns the tags of one meaning that a line starts with, each with the rest of the line.
fn tagged(text: &[u8], is_kind: fn(&Tag) -> bool) -> impl Iterator<Item = (&'static Tag, &[u8])> {
    let tags = text.first().and_then(|first| TAGS.get(usize::from(*first)));
    let of_kind = tags.map_or(&[][..], Vec::as_slice).iter().filter(move |tag| is_kind(tag));
    of_kind.filter_map(|tag| Some((tag, text.strip_prefix(tag.text)?)))
}

/// A register: its printed name as a number, its architecture, and its name in the output.
type Owner = (u128, Arch, &'static str);

/// All registers, sorted by printed name and architecture.
static REGISTERS: LazyLock<Vec<Owner>> = LazyLock::new(|| {
    let of_arch = |&arch: &Arch| {
        arch.info().named().map(move |(printed, name)| (number(printed.as_bytes()), arch, *name))
    };
    let mut owners: Vec<_> = Arch::ALL.iter().flat_map(of_arch).collect();
    order::sort_by(&mut owners, |a, b| a.0.cmp(&b.0));
    owners
});

/// Encodes the name of a register as a number, which is cheap to compare: at most 16 bytes.
fn number(printed: &[u8]) -> u128 {
    printed.iter().fold(0, |number, b| (number << 8) | u128::from(*b))
}

/// Returns the architectures that have a register of this printed name, and its name in the output.
fn owners(printed: &[u8]) -> impl Iterator<Item = (Arch, &'static str)> + Clone {
    let number = number(printed);
    let first = REGISTERS.partition_point(|(known, ..)| *known < number);
    let owners = REGISTERS.get(first..).unwrap_or_default().iter();
    owners.take_while(move |(known, ..)| *known == number).map(|(_, arch, name)| (*arch, *name))
}

/// Returns whether a line that starts with this register belongs to a register dump.
pub(crate) fn is_register(printed: &[u8]) -> bool {
    owners(printed).next().is_some()
}

/// Returns the architecture that a line of registers identifies.
///
/// If `known` is `None`, one 64-bit register of a single architecture is sufficient, because lines
/// may be torn.
pub(crate) fn shown_by(text: &[u8], known: Option<Arch>) -> Option<Arch> {
    let (rest, (first, value)) = register::register(text).ok()?;
    let second = register::register(register::without_note(rest)).ok().map(|(_, (name, _))| name);
    let owners = || {
        let owners = owners(first).map(|(arch, _)| arch);
        owners.filter(|arch| value.digits * 4 <= usize::from(arch.bits()))
    };
    let is_alone = owners().nth(1).is_none();
    let begins = |head: &&str| match head.split_once(' ') {
        Some((name, next)) => name.as_bytes() == first && Some(next.as_bytes()) == second,
        None => head.as_bytes() == first && is_alone,
    };
    let has_line = |arch: &Arch| {
        let info = arch.info();
        let is_general = info.general.iter().any(|(printed, _)| printed.as_bytes() == first);
        (!is_general || info.digits.contains(&value.digits)) && info.heads.iter().any(begins)
    };
    let is_whole = known.is_none() && is_alone && value.digits == 16;
    owners().find(has_line).or_else(|| owners().next().filter(|_| is_whole))
}

impl Arch {
    /// Returns the name in the output of a register as printed.
    pub(crate) fn register(self, printed: &[u8]) -> Option<&'static str> {
        owners(printed).find(|(arch, _)| *arch == self).map(|(_, name)| name)
    }
}

/// The entries of all architectures, sorted, and whether any suffix matches. No entry is the prefix
/// of another, so only the last one that is not greater than a name can be its prefix.
static ENTRIES: LazyLock<Vec<(&'static str, bool, Arch)>> = LazyLock::new(|| {
    let entries = |&arch: &Arch| {
        arch.info().entries.iter().map(move |&entry| match entry.strip_suffix('*') {
            Some(start) => (start, true, arch),
            None => (entry, false, arch),
        })
    };
    let mut entries: Vec<_> = Arch::ALL.iter().flat_map(entries).collect();
    order::sort_by(&mut entries, |a, b| a.0.cmp(b.0));
    entries
});

/// Returns the only architecture whose kernels have this function. Suffixes of compilers behind a
/// dot are ignored.
pub(crate) fn by_entry(function: &str) -> Option<Arch> {
    let after = ENTRIES.partition_point(|(name, ..)| *name <= function);
    let (name, is_start, arch) = ENTRIES.get(after.checked_sub(1)?)?;
    let rest = function.strip_prefix(name)?;
    (*is_start || rest.is_empty() || rest.starts_with('.')).then_some(*arch)
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
                assert!(seen.insert(printed), "{}: `{printed}` is listed twice", arch.name());
            }
            assert!(arch.info().registers().all(|name| name == name.to_lowercase()));
        }
    }

    #[test]
    fn heads_are_registers() {
        for arch in Arch::ALL {
            for head in arch.info().heads {
                let first = head.split(' ').next().unwrap_or_default();
                assert!(arch.register(first.as_bytes()).is_some(), "{}: `{head}`", arch.name());
            }
        }
    }

    #[test]
    fn entries_show_one_machine() {
        for (earlier, later) in ENTRIES.iter().zip(ENTRIES.iter().skip(1)) {
            assert!(!later.0.starts_with(earlier.0), "`{}` hides `{}`", earlier.0, later.0);
        }
        for arch in Arch::ALL {
            assert!(arch.info().entries.is_sorted(), "{}", arch.name());
        }
        for (function, want) in [
            ("entry_SYSCALL_64_after_hwframe", Some(Arch::X86_64)),
            ("asm_sysvec_apic_timer_interrupt", Some(Arch::X86_64)),
            ("entry_INT80_32", Some(Arch::X86)),
            ("el0t_64_sync", Some(Arch::Arm64)),
            ("el0_svc_common.constprop.0", Some(Arch::Arm64)),
            ("invoke_syscall.constprop.5", Some(Arch::Arm64)),
            ("ret_fast_syscall", Some(Arch::Arm)),
            ("do_trap_ecall_u", Some(Arch::Riscv64)),
            ("ret_from_kernel_user_thread", Some(Arch::Powerpc)),
            ("__do_syscall", Some(Arch::S390x)),
            ("_syscall_return", Some(Arch::Openrisc)),
            // Several architectures have these.
            ("system_call", None),
            ("ret_from_fork", None),
            ("ret_from_fork_asm", None),
            ("handle_syscall", None),
            ("invoke_syscalls", None),
            ("entry_SYSCALL", None),
            ("", None),
            ("~", None),
        ] {
            assert_eq!(by_entry(function), want, "{function}");
        }
    }

    #[test]
    fn ranges_do_not_overlap() {
        for arch in Arch::ALL {
            for Layout { ranges: layout, .. } in arch.info().layouts {
                assert!(layout.iter().all(|(first, last, _)| first < last), "{}", arch.name());
                let mut pairs = layout.iter().zip(layout.iter().skip(1));
                assert!(pairs.all(|((_, last, _), (first, ..))| last < first), "{}", arch.name());
            }
        }
    }

    #[test]
    fn rows_are_distinguished_by_their_form() {
        let tagged = b"GPR00: 00000000 GPR01: c0427dd8 GPR02: c0427de0 GPR03: 00000001";
        let bare = b"GPR00: c0003e40 c0427dd8 c0427de0 00000001";
        assert_eq!(row(tagged, None), None);
        assert_eq!(shown_by(tagged, None), Some(Arch::Openrisc));
        assert_eq!(row(bare, None).map(|(arch, ..)| arch), Some(Arch::Powerpc));
        // Cut after the first value.
        assert_eq!(row(&tagged[..15], None), None);
        assert_eq!(row(&tagged[..15], Some(Arch::Openrisc)), None);
        let cut = row(&bare[..15], Some(Arch::Powerpc));
        assert_eq!(cut.map(|(arch, ..)| arch), Some(Arch::Powerpc));
    }

    #[test]
    fn ok_pointer() {
        assert_eq!(pointer(b"RIP: 0010:f"), Some((Arch::X86_64, &b" 0010:f"[..])));
        assert_eq!(pointer(b"RAX: 0"), None);
        assert!(is_register(b"RAX") && !is_register(b"rax"));
        assert_eq!(row(b"$ 4   : 8260e888 0", None), Some((Arch::Mips, 4, &b" 8260e888 0"[..])));
        assert_eq!(row(b"$4: 1", None), None);
        let known = row(b"$ 4   : 8260e888 0", Some(Arch::Loongarch64));
        assert_eq!(known.map(|(arch, ..)| arch), Some(Arch::Loongarch64));
        assert_eq!(
            pointer(b"PC: c01d7a3c    SR: 0000807f    SP: c1045d88").map(|p| p.0),
            Some(Arch::Openrisc)
        );
        // m68k, nios2, csky.
        for line in ["PC: [<00123456>] f+0x8/0x10", "PC: c01d7a3c", "PC: 0xc01d7a3c (f+0x8/0x10)"] {
            assert_eq!(pointer(line.as_bytes()), None, "{line}");
        }
    }
}
