//! Values that JSON contains twice: as text, and as a code with fields for programs.
//!
//! Both are fields of the object that contains the value. Deserializing uses the code and ignores
//! the words.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use super::{Predicate, StepKind};
use crate::string_enum::Coded;

/// The words of a value.
pub(super) struct Words<'v, V>(pub(super) &'v V);

impl<V: Display> Serialize for Words<'_, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self.0)
    }
}

/// A field of the model with such a value, or an `Option` of one.
pub(super) trait Field: Sized {
    type Value;

    fn value(&self) -> Option<&Self::Value>;

    /// Makes the field from the code that was read; `has_words` is whether the words are present.
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

/// Makes modules for `serde(flatten, with = "…")`. Arguments: the name of the field with the words,
/// and the serde attribute of the code.
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

#[cfg(test)]
mod tests {
    use serde_json::{from_str, from_value, json};

    use crate::model::{Blame, Condition, Diagnostic, FlowStep, Operand, StepKind};
    use crate::reason::{BlameReason, DiagnosticKind, ReportPart};

    #[test]
    fn codes_are_read_and_words_are_not() {
        let read = |fields: &str| {
            let text = format!(r#"{{"function": "f", "why": "in other words"{fields}}}"#);
            from_str::<Blame<'_>>(&text).expect("a blame").why
        };
        for reason in BlameReason::ALL {
            assert_eq!(read(&format!(r#", "code": "{}""#, reason.code())), *reason);
        }
        assert_eq!(read(r#", "code": "of-a-newer-version""#), BlameReason::Other);
        assert_eq!(read(""), BlameReason::Other);
    }

    #[test]
    fn words_without_a_code_are_another_reason() {
        let diagnostic: Diagnostic =
            from_value(json!({"offset": 1, "what": "a", "why": "b"})).expect("a diagnostic");
        assert_eq!((diagnostic.part, diagnostic.kind), (ReportPart::Other, DiagnosticKind::Other));
        let step: FlowStep =
            from_value(json!({"offset": 1, "text": "nop", "means": "c"})).expect("a step");
        assert_eq!(step.kind, StepKind::Other);
    }

    #[test]
    fn json_has_the_fields_and_the_words() {
        let text = json!({
            "offset": 1, "text": "lea 0x58(%r12),%rdi", "means": "%rdi = %r12 + 0x58, %r12 = 0x20",
            "code": "computed", "target": "%rdi", "operation": "add",
            "left": {"code": "register", "name": "%r12", "value": "0x0000000000000020"},
            "right": {"code": "number", "value": 88}
        });
        let step: FlowStep = from_value(text.clone()).expect("a step");
        assert_eq!(serde_json::to_value(&step).expect("JSON"), text);

        let text = json!({
            "text": "(%eax (0x12) & 2) != 0", "code": "not-equal", "mask": {"code": "number", "value": 2},
            "left": {"code": "register", "name": "%eax", "value": "0x00000012"},
            "right": {"code": "number", "value": 0}, "size": 4, "values": {"rax": "0x0000000000000012"}
        });
        let condition: Condition = from_value(text.clone()).expect("a condition");
        assert_eq!(condition.predicate.holds(), Some(true));
        assert_eq!(condition.predicate.right, Operand::Number { value: 0 });
        assert_eq!(serde_json::to_value(&condition).expect("JSON"), text);
        let without = json!({"text": "a < b", "values": {}});
        assert!(from_value::<Condition>(without).is_err());
    }
}
