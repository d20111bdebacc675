//! Enums whose variants have names in the output, and enums of reasons, which have a code and a text.

/// Makes an enum of variants with a text each, its name in the output:
///
/// ```text
/// string_enum! {
///     /// What came out.
///     pub enum Color {
///         /// As blood.
///         Red = "red",
///     }
/// }
/// ```
///
/// makes `Color`, `Color::ALL`, `Color::name()`, `Display` and `FromStr`; serde uses the names as well.
macro_rules! string_enum {
    (
        $(#[doc = $about:literal])+
        pub enum $type:ident {
            $( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum $type {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $name))] $variant, )+
        }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[ $( Self::$variant, )+ ];

            /// The name in the output, which [`Display`](std::fmt::Display) writes and
            /// [`FromStr`](std::str::FromStr) reads.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }
        }

        $crate::string_enum::name_traits!($type);
    };
}

pub(crate) use string_enum;

/// Implements `Display` and `FromStr` by the names of an enum that has `ALL` and `name()`.
macro_rules! name_traits {
    ($type:ident) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::string_enum::UnknownName;

            /// Reads a name as [`name`](Self::name) returns it: case and hyphens count.
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.name() == name)
                    .ok_or_else(|| $crate::string_enum::UnknownName::new(name))
            }
        }
    };
}

pub(crate) use name_traits;

/// The error of parsing an enum from a text that is the name of no variant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownName(String);

impl UnknownName {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl std::fmt::Display for UnknownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown name `{}`", self.0.escape_debug())
    }
}

impl std::error::Error for UnknownName {}

/// Makes an enum of reasons, each with a stable code for programs and with words for people:
///
/// ```text
/// reason_enum! {
///     /// Why a light is out.
///     pub enum Fault {
///         /// The switch.
///         Open = "open", "the switch is open";
///     }
/// }
/// ```
///
/// makes `Fault`, `Fault::ALL`, and `Fault::code()`, which serde uses as well; `Display` writes the words.
/// The variant `Other` stands for codes of newer versions.
macro_rules! reason_enum {
    (
        $(#[doc = $about:literal])+
        pub enum $type:ident {
            $( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $words:literal; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum $type {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $code))] $variant, )+
            /// Read from the JSON of a newer version, whose code this version has no variant for.
            #[cfg_attr(feature = "serde", serde(rename = "other", other))]
            Other,
        }

        impl $type {
            /// All of them but `Other`.
            pub const ALL: &[Self] = &[ $( Self::$variant, )+ ];

            /// The code in JSON: lower case, with hyphens. It stays the same in later versions.
            pub fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ Self::Other => "other" }
            }

            /// What `Display` writes.
            pub(crate) fn words(self) -> &'static str {
                match self {
                    $( Self::$variant => $words, )+
                    Self::Other => "a code that this version does not know",
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.words())
            }
        }

        #[cfg(feature = "serde")]
        impl crate::string_enum::Coded for $type {
            const OTHER: Option<Self> = Some(Self::Other);
        }

        #[cfg(feature = "serde")]
        impl crate::string_enum::Reason for $type {
            fn texts(&self) -> [&'static str; 2] {
                [self.words(), self.code()]
            }
        }
    };
}

pub(crate) use reason_enum;

/// A value that JSON has in words and as a code.
#[cfg(feature = "serde")]
pub(crate) trait Coded: Sized + std::fmt::Display {
    /// The value for a code that is missing or unknown, if there is one.
    const OTHER: Option<Self>;
}

/// A value of an enum of [`reason_enum!`].
#[cfg(feature = "serde")]
pub(crate) trait Reason {
    /// The words and the code.
    fn texts(&self) -> [&'static str; 2];
}
