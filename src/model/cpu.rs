//! The state of the CPU: addresses, registers, code bytes.

use std::borrow::Cow;
use std::fmt;

use crate::arch::Arch;
use crate::order;

/// An address and its width.
///
/// `Display` writes `0x` and 16 hexadecimal digits for a 64-bit address, 8 for a 32-bit one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The address.
    pub value: u64,
    /// The width in bits: 32 or 64.
    pub bits: u8,
}

impl Address {
    /// Makes a 64-bit address.
    pub fn new(value: u64) -> Self {
        Self { value, bits: 64 }
    }

    /// Makes an address of `bits` bits.
    ///
    /// A console that mixes lines may print more digits than fit; the address is then 64 bits wide.
    pub(crate) fn with_bits(value: u64, bits: u8) -> Self {
        Self { value, bits: if u32::try_from(value).is_ok() { bits } else { 64 } }
    }

    /// Writes the same as `Display`, without its overhead: a report has dozens of addresses.
    #[cfg(feature = "serde")]
    pub(crate) fn text(self, place: &mut [[u8; 2]; 9]) -> &[u8] {
        let needed = (67 - self.value.leading_zeros()) / 4;
        let digits = needed.max(u32::from(self.bits / 4)).clamp(1, 16);
        for (pair, byte) in place.iter_mut().skip(1).zip(self.value.to_be_bytes()) {
            *pair = hex_digits(byte);
        }
        let text = place.as_flattened_mut();
        let start = 16 - digits as usize;
        if let Some(mark) = text.get_mut(start..start + 2) {
            mark.copy_from_slice(b"0x");
        }
        text.get(start..).unwrap_or_default()
    }

    /// Makes an address that was printed with `digits` digits.
    ///
    /// The kernel pads pointers to their width, so eight digits are a 32-bit address. A number with
    /// fewer digits was not padded; its width is unknown, and 64 is assumed.
    pub(crate) fn from_digits(value: u64, digits: usize) -> Self {
        Self { value, bits: if digits == 8 { 32 } else { 64 } }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#0width$x}", self.value, width = usize::from(self.bits / 4) + 2)
    }
}

/// The registers of one context, in the order of the architecture: general registers first.
///
/// In JSON an object from names to values.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registers(pub(crate) Vec<Register>);

/// A register and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Register {
    /// The name in lower case: `rax`, `cr2`.
    pub name: Cow<'static, str>,
    /// The value.
    pub value: Address,
}

impl Registers {
    /// Returns the value of a register by its name in lower case: `rax`, `x19`, `cr2`. `None` if it
    /// was not printed.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|register| register.name == name).map(|register| register.value.value)
    }

    /// Sorts the registers into the order of their architecture.
    pub(crate) fn sort(&mut self, arch: Arch) {
        let place = |register: &Register| {
            arch.info().registers().position(|name| is_same(&register.name, name))
        };
        let registers = std::mem::take(&mut self.0).into_iter();
        let mut placed: Vec<_> = registers.map(|register| (place(&register), register)).collect();
        order::sort_by(&mut placed, |a, b| a.0.cmp(&b.0));
        self.0 = placed.into_iter().map(|(_, register)| register).collect();
    }

    /// Sets the width of the values to 32 bits.
    pub(crate) fn narrow(&mut self) {
        for register in &mut self.0 {
            register.value = Address::with_bits(register.value.value, 32);
        }
    }

    /// Iterates over the registers that were printed.
    pub fn iter(&self) -> impl Iterator<Item = &Register> {
        self.0.iter()
    }

    /// Returns whether no register was printed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a register unless it has a value: the first value printed is that of the crash.
    pub(crate) fn add(&mut self, name: &'static str, value: Address) {
        if !self.0.iter().any(|known| is_same(&known.name, name)) {
            self.0.push(Register { name: Cow::Borrowed(name), value });
        }
    }
}

/// Compares two names byte by byte, which is faster than `memcmp` for so few bytes.
fn is_same(name: &str, other: &str) -> bool {
    name.bytes().eq(other.bytes())
}

/// The machine code around the instruction pointer.
///
/// Printed as `Code:` by `show_opcodes()` in arch/x86/kernel/dumpstack.c, and by similar functions
/// of the other architectures.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Code {
    /// The architecture of the code, if it is known.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// The bytes in the order in which they were printed. Hexadecimal in JSON.
    #[cfg_attr(feature = "serde", serde(with = "super::cpu::hex_text"))]
    pub bytes: Vec<u8>,
    /// The bytes of a printed unit: 1 on x86, otherwise 2 or 4. A unit of 2 or 4 bytes is a number
    /// with its most significant byte first, for any byte order of the machine.
    #[cfg_attr(feature = "serde", serde(default = "one", skip_serializing_if = "is_one"))]
    pub unit: usize,
    /// The offset in `bytes` of the instruction that trapped, if it was marked (`<48>`,
    /// `(f9400000)`).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub trap_offset: Option<usize>,
    /// The instructions; filled in by [`Analyzer`](crate::Analyzer).
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub instructions: Vec<Instruction>,
}

impl Default for Code {
    fn default() -> Self {
        Self { arch: None, bytes: Vec::new(), unit: 1, trap_offset: None, instructions: Vec::new() }
    }
}

#[cfg(feature = "serde")]
fn one() -> usize {
    1
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_one(unit: &usize) -> bool {
    *unit == 1
}

/// One instruction of a `Code:` line.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Instruction {
    /// The offset of its first byte in [`Code::bytes`].
    pub offset: usize,
    /// Its bytes. Hexadecimal in JSON.
    #[cfg_attr(feature = "serde", serde(with = "super::cpu::hex_text"))]
    pub bytes: Vec<u8>,
    /// The instruction in assembly language. `(bad)` for an invalid instruction, `.byte 0x…` for
    /// bytes of one that extends past the end of the line.
    pub text: String,
    /// Whether this instruction trapped.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub trapping: bool,
}

#[cfg(feature = "serde")]
mod serde_impls {
    use std::borrow::Cow;
    use std::fmt;

    use serde::de::{Error, MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Address, Register, Registers};

    impl Serialize for Address {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            super::serialize_ascii(self.text(&mut [[0; 2]; 9]), serializer)
        }
    }

    impl<'de> Deserialize<'de> for Address {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = Cow::<'de, str>::deserialize(deserializer)?;
            let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("no `0x`"))?;
            let value = u64::from_str_radix(digits, 16).map_err(D::Error::custom)?;
            Ok(Self::from_digits(value, digits.len()))
        }
    }

    impl Serialize for Registers {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|register| (&register.name, register.value)))
        }
    }

    impl<'de> Deserialize<'de> for Registers {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Map;
            impl<'de> Visitor<'de> for Map {
                type Value = Registers;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a map of registers")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Registers, A::Error> {
                    let mut registers = Registers::default();
                    while let Some((name, value)) = map.next_entry::<String, Address>()? {
                        registers.0.push(Register { name: Cow::Owned(name), value });
                    }
                    Ok(registers)
                }
            }
            deserializer.deserialize_map(Map)
        }
    }
}

/// Returns the two hexadecimal digits of a byte.
#[cfg(feature = "serde")]
pub(crate) fn hex_digits(byte: u8) -> [u8; 2] {
    let digit = |four: u8| match four {
        0..=9 => b'0' + four,
        _ => b'a' + four - 10,
    };
    [digit(byte >> 4), digit(byte & 15)]
}

/// Serializes ASCII text.
#[cfg(feature = "serde")]
fn serialize_ascii<S: serde::Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(std::str::from_utf8(text).unwrap_or_default())
}

/// Serializes bytes as hexadecimal text.
#[cfg(feature = "serde")]
pub(super) mod hex_text {
    use std::borrow::Cow;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::serialize_ascii;

    pub(in crate::model) fn serialize<S: Serializer>(
        bytes: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let pairs: Vec<_> = bytes.iter().copied().map(super::hex_digits).collect();
        serialize_ascii(pairs.as_flattened(), serializer)
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        let pairs = text.as_bytes().chunks(2);
        let byte = |pair: &[u8]| match pair {
            [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let text = std::str::from_utf8(pair).map_err(D::Error::custom)?;
                u8::from_str_radix(text, 16).map_err(D::Error::custom)
            }
            _ => Err(D::Error::custom("no pairs of hexadecimal digits")),
        };
        pairs.map(byte).collect()
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_same_in_json_and_in_text() {
        for value in [0, 9, 0x1f, 0xdead_beef, 0x1_0000_0000, 0xffff_8880_a14f_7aa8, u64::MAX] {
            for bits in [0, 32, 64] {
                let address = Address { value, bits };
                let json = serde_json::to_string(&address).expect("a string");
                assert_eq!(json, format!("\"{address}\""));
            }
        }
    }

    #[test]
    fn bytes_are_digits() {
        for len in [0, 1, 63, 64, 65, 300] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().step_by(7).take(len).collect();
            let code = Code { bytes, ..Code::default() };
            let json = serde_json::to_string(&code).expect("an object");
            let digits: Vec<_> = code.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let digits = digits.concat();
            assert_eq!(json, format!("{{\"bytes\":\"{digits}\"}}"));
            assert_eq!(serde_json::from_str::<Code>(&json).expect("code"), code);
        }
    }
}
