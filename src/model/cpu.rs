//! The state of the processor: addresses, registers, code bytes.

use std::borrow::Cow;
use std::fmt;

use crate::arch::Arch;

/// An address, and how wide it was.
///
/// It is shown as `0x` and 16 digits on a 64-bit machine, 8 on a 32-bit one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The address.
    pub value: u64,
    /// Its width in bits: 32 or 64.
    pub bits: u8,
}

impl Address {
    /// A 64-bit address.
    pub fn new(value: u64) -> Self {
        Self { value, bits: 64 }
    }

    /// An address of a machine whose addresses have so many bits.
    ///
    /// A console that mixes lines may give more digits than fit: then it is a wider one.
    pub(crate) fn with_bits(value: u64, bits: u8) -> Self {
        Self { value, bits: if u32::try_from(value).is_ok() { bits } else { 64 } }
    }

    /// As `Display` writes it, without its machinery: a report has dozens of addresses.
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

    /// An address that was printed with so many digits.
    ///
    /// The kernel pads pointers to their width, so eight digits are a 32-bit address. Fewer are a
    /// number that was not padded: its width is that of the machine, taken here as 64.
    pub(crate) fn from_digits(value: u64, digits: usize) -> Self {
        Self { value, bits: if digits == 8 { 32 } else { 64 } }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#0width$x}", self.value, width = usize::from(self.bits / 4) + 2)
    }
}

/// The registers of one context, general ones first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registers(pub(crate) Vec<Register>);

/// A register and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Register {
    /// Its name, in lower case: `rax`, `cr2`.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: Address,
}

impl Registers {
    /// The value of a register, by its name in lower case.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|register| register.name == name).map(|register| register.value.value)
    }

    /// Sorts them into the order of their architecture.
    pub(crate) fn sort(&mut self, arch: Arch) {
        self.0.sort_by_cached_key(|register| {
            arch.info().registers().position(|name| is_same(&register.name, name))
        });
    }

    /// Takes them as those of a 32-bit machine.
    pub(crate) fn narrow(&mut self) {
        for register in &mut self.0 {
            register.value = Address::with_bits(register.value.value, 32);
        }
    }

    /// All registers that were printed.
    pub fn iter(&self) -> impl Iterator<Item = &Register> {
        self.0.iter()
    }

    /// Whether none was printed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a register unless it is known: the first value is the one of the crash.
    pub(crate) fn add(&mut self, name: &'static str, value: Address) {
        if !self.0.iter().any(|known| is_same(&known.name, name)) {
            self.0.push(Register { name: Cow::Borrowed(name), value });
        }
    }
}

/// Whether two names are the same. They have few bytes, which are compared faster one by one.
fn is_same(name: &str, other: &str) -> bool {
    name.bytes().eq(other.bytes())
}

/// The bytes of a `Code:` line.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Code {
    /// The architecture whose instructions they are.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// The bytes as they were printed; hexadecimal in JSON.
    #[cfg_attr(feature = "serde", serde(with = "super::cpu::hex_text"))]
    pub bytes: Vec<u8>,
    /// How many bytes were printed together: 1 on x86. Words of 2 or 4 have their most significant
    /// byte first, however they lie in memory.
    #[cfg_attr(feature = "serde", serde(default = "one", skip_serializing_if = "is_one"))]
    pub unit: usize,
    /// Offset in `bytes` of the instruction that trapped, where it was marked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub trap_offset: Option<usize>,
    /// The instructions, once `disasm` has filled them in.
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
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_one(unit: &usize) -> bool {
    *unit == 1
}

/// One instruction of a `Code:` line.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Instruction {
    /// Where it begins, in bytes from the start of the line's bytes.
    pub offset: usize,
    /// Its bytes; hexadecimal in JSON.
    #[cfg_attr(feature = "serde", serde(with = "super::cpu::hex_text"))]
    pub bytes: Vec<u8>,
    /// The instruction in the assembler's language; `(bad)` if it is none, `.byte 0x…` for the
    /// rest of one that goes on beyond the line.
    pub text: String,
    /// Whether this one trapped.
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

/// The two hexadecimal digits of a byte.
#[cfg(feature = "serde")]
pub(crate) fn hex_digits(byte: u8) -> [u8; 2] {
    let digit = |four: u8| match four {
        0..=9 => b'0' + four,
        _ => b'a' + four - 10,
    };
    [digit(byte >> 4), digit(byte & 15)]
}

/// Serializes text that is ASCII.
#[cfg(feature = "serde")]
fn serialize_ascii<S: serde::Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(std::str::from_utf8(text).unwrap_or_default())
}

/// Bytes as hexadecimal text.
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
