//! Enums whose variants have names in the output, and enums of reasons, which have words as well.

/// Makes an enum of variants with a text each, its name in the output:
///
/// ```text
/// named! {
///     /// What came out.
///     pub enum Color {
///         /// As blood.
///         Red = "red",
///     }
/// }
/// ```
///
/// makes `Color`, `Color::ALL`, and `Color::name()`, which serde uses as well.
macro_rules! named {
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

            /// The name in the output.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }
        }
    };
}

pub(crate) use named;

/// Makes an enum of reasons, each with a stable code for programs and with words for people:
///
/// ```text
/// coded! {
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
macro_rules! coded {
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
        impl crate::named::Coded for $type {
            const OTHER: Option<Self> = Some(Self::Other);
        }

        #[cfg(feature = "serde")]
        impl crate::named::Reason for $type {
            fn texts(&self) -> [&'static str; 2] {
                [self.words(), self.code()]
            }
        }
    };
}

pub(crate) use coded;

/// A value that JSON has in words and as a code.
#[cfg(feature = "serde")]
pub(crate) trait Coded: Sized + std::fmt::Display {
    /// The value for a code that is missing or unknown, if there is one.
    const OTHER: Option<Self>;
}

/// A value of an enum of [`coded!`].
#[cfg(feature = "serde")]
pub(crate) trait Reason {
    /// The words and the code.
    fn texts(&self) -> [&'static str; 2];
}
