//! Decoded instructions as bytes, for a module of the same build.

use super::insn::{
    Compute, Condition, Flags, Index, Insn, Memory, On, Op, Register, Set, Source, Trap,
};
use super::listing::Decoded;
use crate::arch::Decoder;
use crate::model::Relation;

/// A value that can be put into bytes and got from them again.
pub(super) trait Wire: Sized {
    fn put(&self, to: &mut Vec<u8>);

    /// Takes the value off the start of the bytes; `None` if they are cut off.
    fn get(from: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ident,)+) => { $(
        impl Wire for $number {
            fn put(&self, to: &mut Vec<u8>) {
                to.extend(self.to_le_bytes());
            }

            fn get(from: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        }
    )+ };
}

macro_rules! structs {
    ($($name:ident { $($field:ident),+ })+) => { $(
        impl Wire for $name {
            fn put(&self, to: &mut Vec<u8>) {
                $( self.$field.put(to); )+
            }

            fn get(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $( $field: Wire::get(from)?, )+ })
            }
        }
    )+ };
}

/// Enums, with the byte of each variant.
macro_rules! enums {
    ($($name:ident { $($byte:literal $variant:ident $(($($part:ident),+))?),+ })+) => { $(
        impl Wire for $name {
            fn put(&self, to: &mut Vec<u8>) {
                match self {
                    $( Self::$variant $(($($part),+))? => {
                        to.push($byte);
                        $( $( $part.put(to); )+ )?
                    } )+
                }
            }

            fn get(from: &mut &[u8]) -> Option<Self> {
                Some(match u8::get(from)? {
                    $( $byte => {
                        $( $( let $part = Wire::get(from)?; )+ )?
                        Self::$variant $(($($part),+))?
                    } )+
                    _ => return None,
                })
            }
        }
    )+ };
}

numbers! { u8, u32, u64, i64, usize, }

structs! {
    Decoded { len, text, memory, insn }
    Insn {
        offset, op, size, destination, sources, memory, second, condition, flags, writes, target,
        is_repeated
    }
    Register { number, size }
    Memory {
        base, index, displacement, is_aligned, segment, size, reads, writes, address_size
    }
    Index { register, shift, is_signed, is_negative }
    Condition { on, relation }
}

enums! {
    Decoder {
        0 None, 1 Listed, 2 X86(bits), 3 A64, 4 A32, 5 T32, 6 Powerpc, 7 RiscvHalves, 8 RiscvWords
    }
    Op {
        0 Move, 1 Compute(what), 2 Address, 3 Store, 4 Update, 5 Select, 6 Compare, 7 Test, 8 Divide,
        9 Call, 10 Branch, 11 Leave, 12 Trap(why), 13 Nothing, 14 Other, 15 Unknown
    }
    Compute {
        0 Add, 1 Subtract, 2 And, 3 Or, 4 Xor, 5 ShiftLeft, 6 ShiftRight, 7 ShiftRightSigned,
        8 Extend, 9 ExtendSigned, 10 Not, 11 Negate
    }
    Trap { 0 Assertion, 1 IndirectCall }
    Source { 0 None, 1 Register(register), 2 Number(number), 3 Shifted(register, bits), 4 Memory, 5 Other }
    On { 0 Flags(number), 1 Sign(number), 2 Sources, 3 Bits }
    Flags { 0 Kept, 1 Set(number), 2 SetSigned(number), 3 Lost }
    Relation {
        0 Equal, 1 NotEqual, 2 Below, 3 AboveOrEqual, 4 BelowOrEqual, 5 Above, 6 Less,
        7 GreaterOrEqual, 8 LessOrEqual, 9 Greater
    }
}

impl Wire for bool {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Some(u8::get(from)? != 0)
    }
}

impl Wire for Set {
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Some(Self(Wire::get(from)?))
    }
}

impl Wire for String {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        to.extend(self.as_bytes());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Wire::get(from)?).ok()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        for item in self {
            item.put(to);
        }
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        // It has no room before its items are there: the length may be wrong.
        let len = usize::get(from)?;
        (0..len).map(|_| Wire::get(from)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::get(from)? { Some(Wire::get(from)?) } else { None })
    }
}

impl<T: Wire> Wire for [T; 2] {
    fn put(&self, to: &mut Vec<u8>) {
        for item in self {
            item.put(to);
        }
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Some([Wire::get(from)?, Wire::get(from)?])
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
        self.1.put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Some((Wire::get(from)?, Wire::get(from)?))
    }
}
