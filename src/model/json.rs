//! Values that stand in JSON twice: in words for people, and as a code with fields for programs.
//!
//! Both are fields of the object that holds the value. Reading takes the code and leaves the words.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use super::{Predicate, StepKind};
use crate::named::Coded;

/// A value in words.
pub(super) struct Words<'v, V>(pub(super) &'v V);

impl<V: Display> Serialize for Words<'_, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self.0)
    }
}

/// A field of the model that holds such a value, or may hold one.
pub(super) trait Field: Sized {
    type Value;

    fn value(&self) -> Option<&Self::Value>;

    /// The field for a code that was read, if it can be one; `has_words` if the words are there.
    fn from_json(value: Option<Self::Value>, has_words: bool) -> Option<Self>;
}

impl Coded for StepKind {
    const OTHER: Option<Self> = Some(Self::Other);
}

impl Coded for Predicate {
    const OTHER: Option<Self> = None;
}

impl<V: Coded> Field for V {
    type Value = V;

    fn value(&self) -> Option<&V> {
        Some(self)
    }

    fn from_json(value: Option<V>, _: bool) -> Option<Self> {
        value.or(V::OTHER)
    }
}

impl<V: Coded> Field for Option<V> {
    type Value = V;

    fn value(&self) -> Option<&V> {
        self.as_ref()
    }

    fn from_json(value: Option<V>, has_words: bool) -> Option<Self> {
        Some(value.or(V::OTHER.filter(|_| has_words)))
    }
}

/// Makes modules for `serde(flatten, with = "…")`: each by the name of the field with the words, and how
/// the code stands beside it, as an attribute of serde.
macro_rules! words_and_code {
    ($( $module:ident: $words:literal [$($code:tt)+], )+) => {$(
        pub(super) mod $module {
            use serde::de::{Error, IgnoredAny};
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            use super::{Display, Field, Words};

            #[derive(Serialize)]
            struct Written<'v, V: Display> {
                #[serde(rename = $words)]
                words: Words<'v, V>,
                #[serde($($code)+)]
                value: &'v V,
            }

            #[derive(Deserialize)]
            struct Read<V> {
                #[serde(rename = $words)]
                words: Option<IgnoredAny>,
                #[serde($($code)+)]
                value: Option<V>,
            }

            pub(in crate::model) fn serialize<F, S>(field: &F, to: S) -> Result<S::Ok, S::Error>
            where
                F: Field<Value: Display + Serialize>,
                S: Serializer,
            {
                match field.value() {
                    Some(value) => Written { words: Words(value), value }.serialize(to),
                    None => to.serialize_none(),
                }
            }

            pub(in crate::model) fn deserialize<'de, F, D>(from: D) -> Result<F, D::Error>
            where
                F: Field<Value: Deserialize<'de>>,
                D: Deserializer<'de>,
            {
                let Read { words, value } = Read::deserialize(from)?;
                F::from_json(value, words.is_some()).ok_or_else(|| D::Error::missing_field("code"))
            }
        }
    )+};
}

words_and_code! {
    corrupted: "corrupted" [rename = "corrupted_code"],
    why: "why" [rename = "code"],
    means: "means" [flatten],
    text: "text" [flatten],
    what: "what" [rename = "part"],
}
