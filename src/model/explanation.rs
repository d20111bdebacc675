//! The explanation of a trap: the effect of the instruction, and the pointer that it used.

use std::fmt;

use super::step::Short;
use super::{AccessKind, Address, Condition, FlowStep, Registers};
use crate::string_enum::string_enum;

/// The effect of the trapping instruction, derived from the instruction, the registers and the
/// other lines of the report.
///
/// A fact that cannot be derived is `None`. No fact contradicts the printed registers.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Explanation {
    /// The explanation in one sentence.
    pub summary: String,
    /// The access of the source code. For a fault in a KASAN check it is the access that was being
    /// checked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub access: Option<MeantAccess>,
    /// The address space or pattern that the address of the access belongs to.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address_class: Option<AddressClass>,
    /// Whether the fault was in the shadow memory of KASAN, in the check before the access.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub shadow: bool,
    /// The pointer from which the address was computed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pointer: Option<Pointer>,
    /// The accessed member in the source, if an image with debug information has it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub member: Option<Member>,
    /// The computation of the pointer and the address, the last instruction first.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub steps: Vec<FlowStep>,
    /// The comparison that led to a `WARN` or `BUG`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub condition: Option<Condition>,
    /// Whether other lines of the report confirm or contradict the access.
    #[cfg_attr(feature = "serde", serde(default))]
    pub agrees_with: Agreement,
    /// How reliable the explanation is.
    pub confidence: Confidence,
}

impl Explanation {
    /// Makes an explanation that has only a sentence.
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

/// A memory access.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MeantAccess {
    /// The kind of access, if it is known.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub kind: Option<AccessKind>,
    /// The size in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// The address of the first byte.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// The memory operand of the trapping instruction: `0x58(%r12)`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub expression: Option<String>,
    /// The registers in that operand, with their values at the trap.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Registers::is_empty"))]
    pub registers: Registers,
}

/// A pointer and the offset that was added to it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "json::Read"))]
#[non_exhaustive]
pub struct Pointer {
    /// The register that holds the pointer, named as in the instruction: `%r12`.
    pub register: Option<String>,
    /// The value of the pointer.
    pub value: Address,
    /// Bytes from the pointer to the access. For a field of a NULL pointer, the offset of the
    /// field.
    pub offset: i64,
    /// The source of the pointer. In JSON its words are `origin`; its fields and a `code` are
    /// `source`.
    pub origin: Option<PointerOrigin>,
}

impl Pointer {
    /// Returns whether the value is a small number without a meaning as a pointer. The address of a member of a NULL
    /// pointer's structure is small too, but a structure begins at a multiple of four.
    pub(crate) fn is_small_number(&self) -> bool {
        self.offset != 0 && !self.value.value.is_multiple_of(4)
    }
}

/// The source of a pointer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "code", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum PointerOrigin {
    /// The pointer was read from memory.
    #[non_exhaustive]
    Loaded {
        /// The offset of the instruction in [`Code::bytes`](crate::model::Code::bytes).
        at: usize,
        /// The memory operand as text: `0x70(%rbp)`.
        operand: String,
        /// The base register of the operand, by its name in the report. `None` unless the operand
        /// is one register and a displacement.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        register: Option<String>,
        /// Bytes from the value of the register to the memory.
        displacement: i64,
    },
    /// The pointer was returned by a function.
    #[non_exhaustive]
    Returned {
        /// The offset of the call in [`Code::bytes`](crate::model::Code::bytes).
        at: usize,
    },
    /// The pointer is a number in the code.
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
    //! Pointers in JSON: the words of the origin beside its fields.

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

/// The member of a structure that was accessed, from the debug information of the image.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Member {
    /// The variable and the member: `nxt->refs`.
    pub expression: String,
    /// The type that the variable points to: `struct io_kiocb`.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub of: String,
    /// Bytes from the start of the structure to the access.
    pub offset: u64,
    /// `Certain` if the debug information has the variable in the base register of the access;
    /// `Likely` if the variable is in the base register of the load before it.
    pub confidence: Confidence,
}

string_enum! {
    /// A relation between two numbers. `Below` and `Above` compare unsigned, `Less` and `Greater`
    /// signed.
    pub enum Relation {
        /// `==`.
        Equal = "equal",
        /// `!=`.
        NotEqual = "not-equal",
        /// `<`, unsigned.
        Below = "below",
        /// `>=`, unsigned.
        AboveOrEqual = "above-or-equal",
        /// `<=`, unsigned.
        BelowOrEqual = "below-or-equal",
        /// `>`, unsigned.
        Above = "above",
        /// `<`, signed.
        Less = "less",
        /// `>=`, signed.
        GreaterOrEqual = "greater-or-equal",
        /// `<=`, signed.
        LessOrEqual = "less-or-equal",
        /// `>`, signed.
        Greater = "greater",
    }
}

impl Relation {
    /// Returns the operator in C: `==`, `<=`. Signed and unsigned relations have the same one.
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

    /// Returns the negation: `<` becomes `>=`.
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

    /// Returns the signed relation of an unsigned one; others unchanged.
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

    /// Returns whether the relation holds between the lowest `size` bytes of two numbers.
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

/// Other facts of the report about the access: true if one confirms it, false if it contradicts,
/// `None` if it is missing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Agreement {
    /// The register CR2: the address of the last page fault on x86.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cr2: Option<bool>,
    /// The address in the first lines of the report.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub header: Option<bool>,
    /// The error code of the page fault: read or write.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub error_code: Option<bool>,
}

impl Agreement {
    /// Returns whether at least one fact confirms the access and no fact contradicts it.
    pub fn is_whole(self) -> bool {
        let all = [self.cr2, self.header, self.error_code];
        all.contains(&Some(true)) && !all.contains(&Some(false))
    }
}

string_enum! {
    /// How reliable an explanation is.
    pub enum Confidence {
        /// The instruction and the registers are confirmed by another line of the report.
        Certain = "certain",
        /// No other line of the report confirms it.
        Likely = "likely",
    }
}

string_enum! {
    /// The address space or pattern that an address belongs to.
    pub enum AddressClass {
        /// A NULL pointer, or a field at a small offset from one.
        Null = "null",
        /// An address of user space.
        User = "user",
        /// A non-canonical address: its upper bits are not a sign extension.
        NonCanonical = "non-canonical",
        /// The direct map of all physical memory.
        DirectMap = "direct-map",
        /// The area of `vmalloc()`, which has stacks of tasks among others.
        Vmalloc = "vmalloc",
        /// Code or data of a module.
        Module = "module",
        /// Code or data of the kernel image.
        Text = "text",
        /// Per-CPU data.
        PerCpu = "per-cpu",
        /// An error number in a pointer, as `ERR_PTR()` makes it.
        ErrPtr = "err-ptr",
        /// A pattern that the kernel writes over unused or freed memory, such as `LIST_POISON1`.
        Poison = "poison",
        /// ASCII letters: text was used as a pointer.
        Ascii = "ascii",
        /// Any other address.
        Unknown = "unknown",
    }
}
