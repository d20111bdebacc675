//! Architectures, as data: what a machine calls its registers and how it prints where it was.

pub(crate) mod evidence;

use std::ops::Range;
use std::sync::LazyLock;

use crate::token::register;

/// The properties of an architecture. Each architecture states every column.
#[derive(Debug)]
pub(crate) struct ArchInfo {
    /// Bits of an address.
    pub(crate) bits: u8,
    /// What may stand before the instruction pointer.
    pub(crate) pointers: &'static [&'static str],
    /// The tags of the values that stand behind the instruction pointer, all of them on its line. Only
    /// where `pointers` alone would fit other machines too.
    pub(crate) beside: &'static [&'static str],
    /// Whether the kernel prints the function at the instruction pointer. Where it does, an address
    /// alone is one where no code is.
    pub(crate) names_pointer: bool,
    /// What may stand before the return address of the function that was running, where the machine
    /// has a register for it.
    pub(crate) links: &'static [&'static str],
    /// The registers that have a number and are printed in rows, by number, as they are called in the
    /// output.
    pub(crate) numbered: &'static [&'static str],
    /// The tag of a row of registers, and the number of the first register in it. Values without tags
    /// follow.
    pub(crate) rows: &'static [(&'static str, usize)],
    /// The other registers that programs compute with: as printed, and as they are called in the
    /// output.
    pub(crate) general: &'static [(&'static str, &'static str)],
    /// The other registers.
    pub(crate) system: &'static [(&'static str, &'static str)],
    /// How many digits the general ones can be printed with.
    pub(crate) digits: &'static [usize],
    /// How lines of `general` and `system` begin, or what stands behind the instruction pointer: the
    /// first two names as printed, or one that no other machine has. Only such a line shows the
    /// machine: many have a register `sp`.
    pub(crate) heads: &'static [&'static str],
    /// Whether a code segment selector is that of user mode.
    pub(crate) is_user: fn(u64) -> bool,
    /// What the access did that faulted, by the registers of the processor that say so.
    pub(crate) fault: fn(Values<'_>) -> Option<Fault>,
    /// The maps of addresses that its kernels use, the usual one last.
    #[cfg_attr(
        not(any(feature = "disasm", test)),
        expect(dead_code, reason = "explanations use it")
    )]
    pub(crate) layouts: &'static [Layout],
    /// Where KASAN keeps its shadow.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) shadow: Option<Shadow>,
    /// The calling convention, where a decoder reads its code.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) calls: Option<Calls>,
    /// The number of bytes that the address of a bad access, as it is printed, is a multiple of.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) exact_to: u64,
    /// The bits of an address that are a tag, and may be zero where it is printed.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
    pub(crate) tag: u64,
    /// What stands before `sys_` in the names of functions that are syscalls.
    pub(crate) syscalls: &'static [Prefix],
    /// Functions that only kernels of this machine have, where the processor enters the kernel or a
    /// CPU starts: they show the machine in a stack. `*` at the end stands for any rest.
    pub(crate) entries: &'static [&'static str],
    /// The forms of a dump of code: bytes that are printed together, and what reads them.
    pub(crate) code: &'static [(usize, Decoder)],
}

/// What an access did that faulted.
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
    /// By the exception syndrome (`ESR`) of arm64, by its class and, of a data abort, its bit
    /// `WnR`: arch/arm64/include/asm/esr.h.
    pub(crate) fn of_syndrome(esr: u64) -> Option<Self> {
        match esr >> 26 & 0x3f {
            0x20 | 0x21 => Some(Self::Execute),
            0x24 | 0x25 if esr & 0x40 != 0 => Some(Self::Write),
            0x24 | 0x25 => Some(Self::Read),
            _ => None,
        }
    }

    /// By the code behind `Internal error: Oops:`, which is the syndrome of arm64, or the fault status
    /// of arm, whose bit for writes older processors do not set: arch/arm/mm/fault.h.
    pub(crate) fn of_arm(code: u64) -> Option<Self> {
        match code {
            0..=0xffff => (code & 0x800 != 0).then_some(Self::Write),
            _ => Self::of_syndrome(code),
        }
    }
}

/// The values of registers, by their names in the output.
pub(crate) type Values<'r> = &'r dyn Fn(&str) -> Option<u64>;

/// A map of addresses.
#[derive(Debug)]
#[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
pub(crate) struct Layout {
    /// Whether a kernel uses it, by the registers of a report.
    pub(crate) is_used: fn(Values<'_>) -> bool,
    /// First and last address of each range that has one use, in the order in which they are tried.
    pub(crate) ranges: &'static [(u64, u64, Area)],
}

impl Layout {
    const fn only(ranges: &'static [(u64, u64, Area)]) -> Self {
        Self { is_used: |_| true, ranges }
    }
}

/// What functions of a machine leave as it was, by the names of registers in the output.
#[derive(Debug)]
#[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
pub(crate) struct Calls {
    /// The register with the result.
    pub(crate) result: &'static str,
    /// The registers that a function keeps for its caller.
    pub(crate) saved: &'static [&'static str],
}

/// The use of a range of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Area {
    /// User space.
    User,
    /// Addresses that the processor does not translate.
    NonCanonical,
    /// The linear map of memory.
    Linear,
    /// The vmalloc area.
    Vmalloc,
    /// The kernel image.
    Text,
    /// Modules.
    Module,
}

/// Where the shadow memory of KASAN is: the shadow of an address is at an eighth of it plus `offset`.
#[derive(Debug)]
#[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "explanations use it"))]
pub(crate) struct Shadow {
    /// Shadow address = address / 8 + `offset`.
    pub(crate) offset: u64,
    /// The shadow of kernel memory, if only the shadow uses these addresses.
    pub(crate) own: Range<u64>,
}

/// The prefix of a syscall's name, and who strips it: the convention for titles knows
/// fewer machines than signatures do.
#[derive(Debug)]
pub(crate) struct Prefix {
    text: &'static str,
    titles: bool,
    signatures: bool,
}

/// Prefixes of syscalls that compilers and the macros of include/linux/syscalls.h make, the same on
/// all machines.
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
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// The prefix that titles strip from the name of a syscall.
pub(crate) static TITLE_PREFIXES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| prefixes(|prefix| prefix.titles));

/// What signatures take off the name of a syscall, which begins with `sys_` or `compat_sys_` then.
pub(crate) static SIGNATURE_PREFIXES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| prefixes(|prefix| prefix.signatures));

/// The decoder of a dump of code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Decoder {
    /// No decoder: the bytes are shown undecoded.
    None,
    /// The kernel, which prints the instructions itself.
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
    /// The registers that are printed with a name.
    fn named(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.general.iter().chain(self.system)
    }

    /// The names of all registers, in the order of the output.
    pub(crate) fn registers(&self) -> impl Iterator<Item = &'static str> {
        self.numbered.iter().copied().chain(self.named().map(|(_, name)| *name))
    }

    /// The decoder of code printed in units of this many bytes.
    #[cfg_attr(not(feature = "disasm"), expect(dead_code, reason = "decoders use it"))]
    pub(crate) fn decoder(&self, unit: usize) -> Decoder {
        let form = self.code.iter().find(|(bytes, _)| *bytes == unit);
        form.map_or(Decoder::None, |(_, decoder)| *decoder)
    }
}

macro_rules! arches {
    ($( $(#[doc = $doc:literal])+ $arch:ident = $name:literal in $module:ident, )+) => {
        $( mod $module; )+

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

            /// The name in the output, as `uname -m` prints it, but for `arm64` and `i386`; `Display` writes it
            /// and `FromStr` reads it.
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
    /// Whether a register is one that programs compute with, by its name in the output.
    pub fn is_general(self, register: &str) -> bool {
        let info = self.info();
        info.numbered.contains(&register) || info.general.iter().any(|(_, name)| *name == register)
    }

    /// Whether both print the same rows of registers: loongarch does as mips, before Linux 6.3.
    pub(crate) fn shares_rows(self, other: Self) -> bool {
        let (own, other) = (self.info(), other.info());
        !own.rows.is_empty() && (own.rows, own.numbered) == (other.rows, other.numbered)
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
    let found = tagged(text, |tag| tag.announces == Announces::Pointer);
    found.map(|(tag, rest)| (tag.arch, rest)).find(|(arch, rest)| has_all(rest, arch.info().beside))
}

/// Whether tags stand in a line, each behind one value and with nothing else between them.
fn has_all(text: &[u8], tags: &[&str]) -> bool {
    let after = |text: &[u8], tag: &&str| {
        let (rest, _) = register::value(text.trim_ascii_start()).ok()?;
        Some(rest.trim_ascii_start().strip_prefix(tag.as_bytes())?.len())
    };
    let last = |len: usize| text.get(text.len() - len..).unwrap_or_default();
    tags.iter().try_fold(text.len(), |len, tag| after(last(len), tag)).is_some()
}

/// The architecture whose line of a return address this is, and the line without its tag.
pub(crate) fn link(text: &[u8]) -> Option<(Arch, &[u8])> {
    let mut found = tagged(text, |tag| tag.announces == Announces::Link);
    found.next().map(|(tag, rest)| (tag.arch, rest))
}

/// Whether a line begins as a row of registers does.
pub(crate) fn is_row(text: &[u8]) -> bool {
    tagged_row(text).next().is_some()
}

/// A row of registers: who prints it, the number of the first, and the values. Of several machines
/// that have such rows it is the known one; an unknown one is only shown by two values in a row.
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

/// Whether a line begins with a register of an architecture and a colon.
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

/// A tag at the begin of a line.
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
    /// The return address of the function that was running.
    Link,
    /// Registers from this number on.
    Row(usize),
}

/// The tags of all machines by their first byte, those of one byte in the order of the machines.
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

/// The tags of one kind that a line begins with, each with what follows it.
fn tagged(text: &[u8], is_kind: fn(&Tag) -> bool) -> impl Iterator<Item = (&'static Tag, &[u8])> {
    let tags = text.first().and_then(|first| TAGS.get(usize::from(*first)));
    let of_kind = tags.map_or(&[][..], Vec::as_slice).iter().filter(move |tag| is_kind(tag));
    of_kind.filter_map(|tag| Some((tag, text.strip_prefix(tag.text)?)))
}

/// Registers as they are printed: who has them, and how they are called in the output.
type Owner = (u128, Arch, &'static str);

/// Sorted by the name as it is printed, and those of one name by machine.
static REGISTERS: LazyLock<Vec<Owner>> = LazyLock::new(|| {
    let of_arch = |&arch: &Arch| {
        arch.info().named().map(move |(printed, name)| (number(printed.as_bytes()), arch, *name))
    };
    let mut owners: Vec<_> = Arch::ALL.iter().flat_map(of_arch).collect();
    owners.sort_by_key(|(printed, ..)| *printed);
    owners
});

/// The name of a register as a number, which is cheap to compare: at most 16 bytes.
fn number(printed: &[u8]) -> u128 {
    printed.iter().fold(0, |number, b| (number << 8) | u128::from(*b))
}

/// The machines that have a register of this name, and its name in the output.
fn owners(printed: &[u8]) -> impl Iterator<Item = (Arch, &'static str)> + Clone {
    let number = number(printed);
    let first = REGISTERS.partition_point(|(known, ..)| *known < number);
    let owners = REGISTERS.get(first..).unwrap_or_default().iter();
    owners.take_while(move |(known, ..)| *known == number).map(|(_, arch, name)| (*arch, *name))
}

/// Whether a line that begins with this register name belongs to a register dump.
pub(crate) fn is_register(printed: &[u8]) -> bool {
    owners(printed).next().is_some()
}

/// The architecture that a line of registers shows.
///
/// If `known` is `None`, one 64-bit register that a single machine has decides: lines may be torn.
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
    /// The name in the output of a register as it was printed.
    pub(crate) fn register(self, printed: &[u8]) -> Option<&'static str> {
        owners(printed).find(|(arch, _)| *arch == self).map(|(_, name)| name)
    }
}

/// The entries of all architectures, sorted; whether any rest may follow. None begins with another, so
/// that only the last one that is not greater than a name can be its beginning.
static ENTRIES: LazyLock<Vec<(&'static str, bool, Arch)>> = LazyLock::new(|| {
    let entries = |&arch: &Arch| {
        arch.info().entries.iter().map(move |&entry| match entry.strip_suffix('*') {
            Some(start) => (start, true, arch),
            None => (entry, false, arch),
        })
    };
    let mut entries: Vec<_> = Arch::ALL.iter().flat_map(entries).collect();
    entries.sort_unstable_by_key(|(name, ..)| *name);
    entries
});

/// The architecture whose kernels alone have this function; what compilers add behind a dot is left
/// out of account.
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
                assert!(seen.insert(printed), "{}: `{printed}` stands twice", arch.name());
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
            // Several machines have these.
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
    fn rows_are_told_apart_by_their_form() {
        let tagged = b"GPR00: 00000000 GPR01: c0427dd8 GPR02: c0427de0 GPR03: 00000001";
        let bare = b"GPR00: c0003e40 c0427dd8 c0427de0 00000001";
        assert_eq!(row(tagged, None), None);
        assert_eq!(shown_by(tagged, None), Some(Arch::Openrisc));
        assert_eq!(row(bare, None).map(|(arch, ..)| arch), Some(Arch::Powerpc));
        // Cut off after the first value.
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
