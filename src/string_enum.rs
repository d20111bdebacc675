//! Enums whose variants have names in the output, and enums of reasons, which have a code and a text.

/// Defines an enum whose variants have names in the output:
///
/// ```text
/// string_enum! {
///     /// The color of a signal.
///     pub enum Color {
///         /// Stop.
///         Red = "red",
///     }
/// }
/// ```
///
/// defines `Color`, `Color::ALL`, `Color::name()`, `Display` and `FromStr`; serde uses the same
/// names.
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
            /// All variants, in the order of their definition.
            pub const ALL: &[Self] = &[ $( Self::$variant, )+ ];

            /// Returns the name in the output, which [`Display`](std::fmt::Display) writes and
            /// [`FromStr`](std::str::FromStr) parses.
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

            /// Parses a name as [`name`](Self::name) returns it, case-sensitive.
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

/// The error of parsing an enum from text that is not the name of a variant.
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

/// Defines an enum of reasons, each with a stable code for programs and words for people:
///
/// ```text
/// reason_enum! {
///     /// The reason why a light is out.
///     pub enum Fault {
///         /// The switch is open.
///         Open = "open", "the switch is open";
///     }
/// }
/// ```
///
/// defines `Fault`, `Fault::ALL`, and `Fault::code()`, which serde uses; `Display` writes the
/// words. The variant `Other` is for codes of newer versions.
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
            /// A code of a newer version, deserialized from JSON.
            #[cfg_attr(feature = "serde", serde(rename = "other", other))]
            Other,
        }

        impl $type {
            /// All variants except `Other`.
            pub const ALL: &[Self] = &[ $( Self::$variant, )+ ];

            /// Returns the code in JSON: lower case, with hyphens. Codes do not change between
            /// versions.
            pub fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ Self::Other => "other" }
            }

            /// Returns the words that `Display` writes.
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

/// A value that JSON has as words and as a code.
#[cfg(feature = "serde")]
pub(crate) trait Coded: Sized + std::fmt::Display {
    /// The value for a missing or unknown code, if there is one.
    const OTHER: Option<Self>;
}

/// An enum defined by [`reason_enum!`].
#[cfg(feature = "serde")]
pub(crate) trait Reason {
    /// Returns the words and the code.
    fn texts(&self) -> [&'static str; 2];
}
