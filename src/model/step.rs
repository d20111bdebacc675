//! The instructions before a trap, and comparisons, as data.

use std::fmt;

use super::{Address, Registers, Relation};
use crate::string_enum::string_enum;

/// An instruction before the trap, and its effect on the pointer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FlowStep {
    /// The offset of the instruction in [`Code::bytes`](crate::model::Code::bytes).
    pub offset: usize,
    /// The instruction in assembly language.
    pub text: String,
    /// The effect. In JSON its words are `means`, such as `%rdi = %r12 + 0x58`; its fields and a
    /// `code` are beside them.
    #[cfg_attr(feature = "serde", serde(flatten, with = "super::json::means"))]
    pub kind: StepKind,
}

/// The effect of an instruction on a register.
///
/// Registers and memory are named as in the text of the instruction. `target` is the register that
/// was written.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "code", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum StepKind {
    /// Loaded from memory.
    #[non_exhaustive]
    Loaded {
        /// The register that holds the value at the trap.
        target: String,
        /// The memory operand: `0x88(%rdi)`.
        memory: String,
        /// The base of the operand.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        base: Option<Operand>,
        /// Another register that holds the address of the operand at the trap.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        address_in: Option<String>,
    },
    /// Returned by a function.
    #[non_exhaustive]
    Returned {
        /// The register of return values.
        target: String,
    },
    /// Set to a number.
    #[non_exhaustive]
    Constant {
        /// The register.
        target: String,
        /// The number.
        value: u64,
    },
    /// Set to the address of a memory operand with two registers.
    #[non_exhaustive]
    Address {
        /// The register.
        target: String,
        /// The operand: `0x10(%rax,%rbx,8)`.
        memory: String,
    },
    /// Computed from two numbers.
    #[non_exhaustive]
    Computed {
        /// The register.
        target: String,
        /// The operation.
        operation: Operation,
        /// The left number.
        left: Operand,
        /// The right number.
        right: Operand,
    },
    /// Set to the inverted bits of a number.
    #[non_exhaustive]
    Inverted {
        /// The register.
        target: String,
        /// The number.
        source: Operand,
    },
    /// Set to the negative of a number.
    #[non_exhaustive]
    Negated {
        /// The register.
        target: String,
        /// The number.
        source: Operand,
    },
    /// Set to the low bytes of a register.
    #[non_exhaustive]
    Extended {
        /// The register.
        target: String,
        /// The source of the bytes.
        source: Operand,
        /// Whether the value is sign-extended; otherwise the higher bytes are zero.
        signed: bool,
    },
    /// Set to one of two numbers, by an earlier comparison.
    #[non_exhaustive]
    Chosen {
        /// The register.
        target: String,
        /// The number if the condition holds.
        first: Operand,
        /// The number if it does not.
        second: Operand,
    },
    /// An effect with a code of a newer version, deserialized from JSON.
    #[cfg_attr(feature = "serde", serde(other))]
    Other,
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded { target, memory, base, address_in } => {
                write!(f, "{target} was loaded from {memory}")?;
                base.as_ref().map_or(Ok(()), |base| write!(f, "{}", Known(base)))?;
                address_in.as_ref().map_or(Ok(()), |other| write!(f, ", the address in {other}"))
            }
            Self::Returned { target } => {
                write!(f, "{target} was returned by the function called here")
            }
            Self::Constant { target, value } => write!(f, "{target} = {}", Short(*value)),
            Self::Address { target, memory } => write!(f, "{target} = the address {memory}"),
            Self::Computed { target, operation, left, right } => {
                write!(f, "{target} = {left} {} ", operation.sign())?;
                match right {
                    Operand::Number { value } if operation.is_shift() => write!(f, "{value}"),
                    Operand::Number { value } => write!(f, "{value:#x}"),
                    other => write!(f, "{other}"),
                }?;
                write!(f, "{}{}", Known(left), Known(right))
            }
            Self::Inverted { target, source } => write!(f, "{target} = ~{source}{}", Known(source)),
            Self::Negated { target, source } => write!(f, "{target} = -{source}{}", Known(source)),
            Self::Extended { target, source, signed } => {
                let sign = if *signed { ", with its sign" } else { "" };
                write!(f, "{target} = {source}{sign}{}", Known(source))
            }
            Self::Chosen { target, first, second } => {
                write!(f, "{target} = {first} or {second}, by the comparison before")
            }
            Self::Other => f.write_str("an operation that this version does not know"),
        }
    }
}

/// An operand of an instruction.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "code", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Operand {
    /// A register.
    #[non_exhaustive]
    Register {
        /// The name in the text of the instruction: `%r12`, `%edi`.
        name: String,
        /// The value at that instruction, if it is known.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        value: Option<Address>,
    },
    /// A number in the code.
    #[non_exhaustive]
    Number {
        /// The number.
        value: u64,
    },
    /// Memory.
    #[non_exhaustive]
    Memory {
        /// The operand in the text of the instruction: `0x10(%rax)`.
        expression: String,
    },
    /// An operand with a code of a newer version, deserialized from JSON.
    #[cfg_attr(feature = "serde", serde(other))]
    Other,
}

impl Operand {
    /// Returns the number that the operand has, if it is known.
    pub fn value(&self) -> Option<u64> {
        match self {
            Self::Register { value, .. } => value.map(|value| value.value),
            Self::Number { value } => Some(*value),
            Self::Memory { .. } | Self::Other => None,
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { name, .. } => f.write_str(name),
            Self::Number { value } => write!(f, "{}", Short(*value)),
            Self::Memory { expression } => f.write_str(expression),
            Self::Other => f.write_str("an operand that this version does not know"),
        }
    }
}

/// Displays the value of a register behind the effect of an instruction: `, %rcx = 0x20`.
struct Known<'o>(&'o Operand);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Register { name, value: Some(value) } => {
                write!(f, ", {name} = {}", Short(value.value))
            }
            _ => Ok(()),
        }
    }
}

/// Displays a number in decimal below ten, else in hexadecimal without padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short(pub(crate) u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value @ ..10 => write!(f, "{value}"),
            value => write!(f, "{value:#x}"),
        }
    }
}

string_enum! {
    /// An operation on two numbers.
    pub enum Operation {
        /// `+`.
        Add = "add",
        /// `-`.
        Subtract = "subtract",
        /// `&`.
        And = "and",
        /// `|`.
        Or = "or",
        /// `^`.
        Xor = "xor",
        /// `<<`.
        ShiftLeft = "shift-left",
        /// `>>`, logical.
        ShiftRight = "shift-right",
        /// `>>`, arithmetic.
        ShiftRightSigned = "shift-right-signed",
    }
}

impl Operation {
    /// Returns the operator in C.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::ShiftLeft => "<<",
            Self::ShiftRight | Self::ShiftRightSigned => ">>",
        }
    }

    fn is_shift(self) -> bool {
        matches!(self, Self::ShiftLeft | Self::ShiftRight | Self::ShiftRightSigned)
    }
}

/// A comparison, and the registers that it read.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Condition {
    /// The relation that held. In JSON its words are `text`, such as `%r12 != %rax`; its fields are
    /// beside them, the relation as `code`.
    #[cfg_attr(feature = "serde", serde(flatten, with = "super::json::text"))]
    pub predicate: Predicate,
    /// The values of the registers in it.
    pub values: Registers,
}

/// A relation between two numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Predicate {
    /// The relation of the left number to the right one.
    #[cfg_attr(feature = "serde", serde(rename = "code"))]
    pub relation: Relation,
    /// The left number.
    pub left: Operand,
    /// The mask of a bit test: only the bits that are set in it are compared.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mask: Option<Operand>,
    /// The right number.
    pub right: Operand,
    /// The number of low bytes that are compared.
    pub size: u8,
}

impl Predicate {
    /// Returns whether the relation holds; `None` if a number is unknown.
    pub fn holds(&self) -> Option<bool> {
        let mask = self.mask.as_ref().map_or(Some(u64::MAX), Operand::value);
        let left = self.left.value()? & mask?;
        Some(self.relation.holds(left, self.right.value()?, self.size))
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = Compared(&self.left);
        match &self.mask {
            Some(mask) => write!(f, "({left} & {})", Compared(mask)),
            None => write!(f, "{left}"),
        }?;
        write!(f, " {} {}", self.relation.sign(), Compared(&self.right))
    }
}

/// Displays a register with its value in a comparison: `%r12 (0x20)`.
struct Compared<'o>(&'o Operand);

impl fmt::Display for Compared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Register { name, value: Some(value) } => {
                write!(f, "{name} ({})", Short(value.value))
            }
            other => write!(f, "{other}"),
        }
    }
}
