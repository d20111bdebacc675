//! Enums whose variants have names in the output.

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
