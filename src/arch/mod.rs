//! Architectures, as data: what a machine calls its registers and how it prints where it was.

mod x86_64;

/// What is known of an architecture.
#[derive(Debug)]
pub(crate) struct ArchInfo {
    /// Bits of an address.
    pub(crate) bits: u8,
    /// What may stand before the instruction pointer.
    pub(crate) pointers: &'static [&'static str],
    /// The registers that programs compute with: as printed, and as they are called in the output.
    pub(crate) general: &'static [(&'static str, &'static str)],
    /// The other registers.
    pub(crate) system: &'static [(&'static str, &'static str)],
    /// Whether a code segment selector is that of user mode.
    pub(crate) is_user: fn(u64) -> bool,
}

impl ArchInfo {
    /// All registers, in the order of the output.
    pub(crate) fn registers(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.general.iter().chain(self.system)
    }

    /// The name in the output of a register as it was printed.
    pub(crate) fn register(&self, printed: &[u8]) -> Option<&'static str> {
        self.registers().find(|(name, _)| name.as_bytes() == printed).map(|(_, name)| *name)
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
}

impl Arch {
    /// Whether a register is one that programs compute with, by its name in the output.
    pub fn is_general(self, register: &str) -> bool {
        self.info().general.iter().any(|(_, name)| *name == register)
    }

    /// Bits of an address.
    pub fn bits(self) -> u8 {
        self.info().bits
    }
}

/// The architecture whose instruction pointer line this is, and the line without its tag.
pub(crate) fn pointer(text: &[u8]) -> Option<(Arch, &[u8])> {
    let tags = |&arch: &Arch| arch.info().pointers.iter().map(move |tag| (arch, tag));
    Arch::ALL
        .iter()
        .flat_map(tags)
        .find_map(|(arch, tag)| text.strip_prefix(tag.as_bytes()).map(|rest| (arch, rest)))
}

/// Whether a line that begins with this register name belongs to a register dump.
pub(crate) fn is_register(printed: &[u8]) -> bool {
    Arch::ALL.iter().any(|arch| arch.info().register(printed).is_some())
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
            for (printed, name) in arch.info().registers() {
                assert!(seen.insert(printed), "{}: `{printed}` stands twice", arch.name());
                assert_eq!(*name, name.to_lowercase());
            }
        }
    }

    #[test]
    fn ok_pointer() {
        assert_eq!(pointer(b"RIP: 0010:f"), Some((Arch::X86_64, &b" 0010:f"[..])));
        assert_eq!(pointer(b"RAX: 0"), None);
        assert!(is_register(b"RAX") && !is_register(b"rax"));
    }
}
