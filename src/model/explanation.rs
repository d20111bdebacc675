//! What the trapping instruction did, and with which pointer.

use std::fmt;

use super::step::Short;
use super::{AccessKind, Address, Condition, FlowStep, Registers};
use crate::string_enum::string_enum;

/// What the trapping instruction did, worked out from it, the registers and the report's own words.
///
/// What cannot be known is absent; nothing here contradicts the registers that were printed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Explanation {
    /// It all in one sentence.
    pub summary: String,
    /// The access that the code meant: behind a KASAN check, the one that was checked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub access: Option<MeantAccess>,
    /// What kind of address that is.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address_class: Option<AddressClass>,
    /// Whether the fault was in the shadow memory of KASAN, at a check before the access.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub shadow: bool,
    /// The pointer that the address was made from.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pointer: Option<Pointer>,
    /// What that is in the source, where an image with debug information tells.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub member: Option<Member>,
    /// How the pointer and the address came to be, the last first.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub steps: Vec<FlowStep>,
    /// The comparison that led to a `WARN` or `BUG`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub condition: Option<Condition>,
    /// What else says the same, or something else.
    #[cfg_attr(feature = "serde", serde(default))]
    pub agrees_with: Agreement,
    /// How sure it is.
    pub confidence: Confidence,
}

impl Explanation {
    /// A sentence, and nothing else yet.
    #[cfg(feature = "disasm")]
    pub(crate) fn new(summary: String, confidence: Confidence) -> Self {
        Self {
            summary,
            access: None,
            address_class: None,
            shadow: false,
            pointer: None,
            member: None,
            steps: Vec::new(),
            condition: None,
            agrees_with: Agreement::default(),
            confidence,
        }
    }
}

/// An access to memory.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MeantAccess {
    /// What it did, where that is known.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub kind: Option<AccessKind>,
    /// How many bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// Its first byte.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// The operand of the trapping instruction: `0x58(%r12)`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub expression: Option<String>,
    /// The registers in that operand.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Registers::is_empty"))]
    pub registers: Registers,
}

/// A pointer, and what was added to it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "json::Read"))]
#[non_exhaustive]
pub struct Pointer {
    /// The register that has it.
    pub register: Option<String>,
    /// Its value.
    pub value: Address,
    /// Bytes from it to the access; where a field of a NULL pointer was accessed, the field's.
    pub offset: i64,
    /// Where it came from. In JSON its words are `origin`, its fields with a `code` are `source`.
    pub origin: Option<PointerOrigin>,
}

/// Where a pointer came from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "code", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum PointerOrigin {
    /// Read from memory.
    #[non_exhaustive]
    Loaded {
        /// The offset of the instruction in the bytes of the code.
        at: usize,
        /// Its operand as text: `0x70(%rbp)`.
        operand: String,
        /// The register that the address was made from, by its name in the report; `None` where that
        /// is not one register and a displacement.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        register: Option<String>,
        /// Bytes from the register's value to the memory.
        displacement: i64,
    },
    /// The result of a function.
    #[non_exhaustive]
    Returned {
        /// The offset of the call in the bytes of the code.
        at: usize,
    },
    /// A number in the code.
    #[non_exhaustive]
    Constant {
        /// The number.
        value: u64,
    },
}

impl fmt::Display for PointerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded { operand, .. } => write!(f, "loaded from {operand}"),
            Self::Returned { at } => write!(f, "returned by the call at {at:#x}"),
            Self::Constant { value } => write!(f, "the constant {}", Short(*value)),
        }
    }
}

#[cfg(feature = "serde")]
mod json {
    //! Pointers as they stand in JSON: the words of the origin beside its fields.

    use serde::{Deserialize, Serialize, Serializer};

    use super::super::json::Words;
    use super::{Address, Pointer, PointerOrigin};

    #[derive(Serialize)]
    struct Written<'p> {
        #[serde(skip_serializing_if = "Option::is_none")]
        register: Option<&'p str>,
        value: Address,
        offset: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        origin: Option<Words<'p, PointerOrigin>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<&'p PointerOrigin>,
    }

    impl Serialize for Pointer {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let Self { register, value, offset, origin } = self;
            let (value, offset, source) = (*value, *offset, origin.as_ref());
            let register = register.as_deref();
            Written { register, value, offset, origin: source.map(Words), source }.serialize(to)
        }
    }

    #[derive(Deserialize)]
    pub(super) struct Read {
        register: Option<String>,
        value: Address,
        offset: i64,
        source: Option<PointerOrigin>,
    }

    impl From<Read> for Pointer {
        fn from(read: Read) -> Self {
            let Read { register, value, offset, source } = read;
            Self { register, value, offset, origin: source }
        }
    }
}

/// A member of a structure that was accessed, by the debug information of the image.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Member {
    /// The variable and the member: `nxt->refs`.
    pub expression: String,
    /// The type of what the variable points to: `struct io_kiocb`.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub of: String,
    /// Bytes from the start of that to the access.
    pub offset: u64,
    /// `certain` where the debug information has the variable in the register that was used; `likely`
    /// where the pointer was followed through the load before.
    pub confidence: Confidence,
}

string_enum! {
    /// What holds between two numbers. The numbers of `Below` and `Above` have no sign.
    pub enum Relation {
        /// `==`.
        Equal = "equal",
        /// `!=`.
        NotEqual = "not-equal",
        /// `<`.
        Below = "below",
        /// `>=`.
        AboveOrEqual = "above-or-equal",
        /// `<=`.
        BelowOrEqual = "below-or-equal",
        /// `>`.
        Above = "above",
        /// `<` of numbers with a sign.
        Less = "less",
        /// `>=` of numbers with a sign.
        GreaterOrEqual = "greater-or-equal",
        /// `<=` of numbers with a sign.
        LessOrEqual = "less-or-equal",
        /// `>` of numbers with a sign.
        Greater = "greater",
    }
}

impl Relation {
    /// Its sign in C.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Below | Self::Less => "<",
            Self::AboveOrEqual | Self::GreaterOrEqual => ">=",
            Self::BelowOrEqual | Self::LessOrEqual => "<=",
            Self::Above | Self::Greater => ">",
        }
    }

    /// The relation that holds where this one does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Below => Self::AboveOrEqual,
            Self::AboveOrEqual => Self::Below,
            Self::BelowOrEqual => Self::Above,
            Self::Above => Self::BelowOrEqual,
            Self::Less => Self::GreaterOrEqual,
            Self::GreaterOrEqual => Self::Less,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
        }
    }

    /// The same between numbers with a sign.
    #[must_use]
    pub fn signed(self) -> Self {
        match self {
            Self::Below => Self::Less,
            Self::AboveOrEqual => Self::GreaterOrEqual,
            Self::BelowOrEqual => Self::LessOrEqual,
            Self::Above => Self::Greater,
            other => other,
        }
    }

    /// Whether it holds between the lowest `size` bytes of two numbers.
    pub fn holds(self, a: u64, b: u64, size: u8) -> bool {
        let unused = 64 - 8 * u32::from(size.clamp(1, 8));
        let (a, b) = (a << unused, b << unused);
        let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Below => a < b,
            Self::AboveOrEqual => a >= b,
            Self::BelowOrEqual => a <= b,
            Self::Above => a > b,
            Self::Less => signed_a < signed_b,
            Self::GreaterOrEqual => signed_a >= signed_b,
            Self::LessOrEqual => signed_a <= signed_b,
            Self::Greater => signed_a > signed_b,
        }
    }
}

/// What else tells of the access, where it does: whether it says the same.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Agreement {
    /// CR2, the address of the last page fault on x86.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cr2: Option<bool>,
    /// The address in the report's first lines.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub header: Option<bool>,
    /// The error code of the page fault: read or write.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub error_code: Option<bool>,
}

impl Agreement {
    /// Whether something says the same, and nothing says something else.
    pub fn is_whole(self) -> bool {
        let all = [self.cr2, self.header, self.error_code];
        all.contains(&Some(true)) && !all.contains(&Some(false))
    }
}

string_enum! {
    /// How sure an explanation is.
    pub enum Confidence {
        /// The instruction, the registers and the report say the same.
        Certain = "certain",
        /// Nothing else confirms it.
        Likely = "likely",
    }
}

string_enum! {
    /// What kind of address it is.
    pub enum AddressClass {
        /// A NULL pointer, or a field of what it points to.
        Null = "null",
        /// Of user space.
        User = "user",
        /// No address at all.
        NonCanonical = "non-canonical",
        /// The linear map of all memory.
        DirectMap = "direct-map",
        /// `vmalloc()`, stacks among others.
        Vmalloc = "vmalloc",
        /// Code or data of a module.
        Module = "module",
        /// Code or data of the kernel image.
        Text = "text",
        /// Data of a CPU.
        PerCpu = "per-cpu",
        /// An error number in a pointer.
        ErrPtr = "err-ptr",
        /// A pattern that the kernel writes over what must not be used.
        Poison = "poison",
        /// Letters: a text was taken for a pointer.
        Ascii = "ascii",
        /// None of these.
        Unknown = "unknown",
    }
}
