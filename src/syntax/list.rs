//! The message for a list with inconsistent pointers: lib/list_debug.c.
//!
//! ```text
//! message = ( "list_add" / "list_del" ) " corruption. " pointer " should be " [ name " (" ] hex [ ")" ] ", but was " hex [ ". (" name "=" hex ")." ]
//!         / "list_del corruption, " hex "->" name " is " ( "NULL" / "LIST_POISON1" / "LIST_POISON2" ) [ " (" hex ")" ]
//!         / "list_add corruption. " name " is NULL."
//!         / "list_add double add: new=" hex ", prev=" hex ", next=" hex "."
//! ```
//!
//! Before Linux 4.10 `" corruption. prev->next"` and `" double add: "` were the same, without the last part.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::combinator::{opt, value};
use nom::sequence::{delimited, preceded, terminated};

use super::Parsed;
use crate::search;
use crate::token::{Hex, hex};

/// The fields of the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    /// Whether an entry was to be added; otherwise removed.
    pub(crate) is_add: bool,
    pub(crate) pointer: Pointer,
    pub(crate) entry: Option<Hex>,
    pub(crate) expected: Option<Hex>,
    pub(crate) found: Option<Hex>,
}

/// The pointer that is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pointer {
    PrevNext,
    NextPrev,
    EntryNext,
    EntryPrev,
    Prev,
    Next,
    New,
}

const NULL: Hex = Hex { value: 0, digits: 16 };

/// Reads the message, which may follow other text.
pub(crate) fn message(text: &[u8]) -> Option<Message> {
    let text = text.get(search::find(text, "list_")?..)?;
    let parsed: Parsed<'_, _> = (operation, alt((corruption, double_add))).parse(text);
    let (_, (is_add, (pointer, entry, expected, found))) = parsed.ok()?;
    Some(Message { is_add, pointer, entry, expected, found })
}

type Parts = (Pointer, Option<Hex>, Option<Hex>, Option<Hex>);

fn operation(input: &[u8]) -> Parsed<'_, bool> {
    alt((value(true, tag("list_add")), value(false, tag("list_del")))).parse(input)
}

fn corruption(input: &[u8]) -> Parsed<'_, Parts> {
    let before = (tag(" corruption"), alt((tag(". "), tag(", "))));
    preceded(before, alt((contradiction, end))).parse(input)
}

/// `prev->next should be next (ffff…), but was ffff…. (prev=ffff…).`
fn contradiction(input: &[u8]) -> Parsed<'_, Parts> {
    let pointer = alt((
        value(Pointer::PrevNext, tag("prev->next")),
        value(Pointer::NextPrev, tag("next->prev")),
    ));
    let name = || alt((tag("prev"), tag("next")));
    let expected = alt((delimited((name(), tag(" (")), hex, tag(")")), hex));
    let found = preceded(tag(", but was "), hex);
    let entry = opt(delimited((tag(". ("), name(), tag("=")), hex, tag(")")));
    let (rest, (pointer, _, expected, found, entry)) =
        (pointer, tag(" should be "), expected, found, entry).parse(input)?;
    Ok((rest, (pointer, entry, Some(expected), Some(found))))
}

/// `ffff…->next is LIST_POISON1 (dead000000000100)`, `prev is NULL`.
fn end(input: &[u8]) -> Parsed<'_, Parts> {
    let of_entry = alt((
        value(Pointer::EntryNext, tag("->next is ")),
        value(Pointer::EntryPrev, tag("->prev is ")),
    ));
    let of_entry = (hex, of_entry).map(|(entry, pointer)| (pointer, Some(entry)));
    let of_caller = alt((
        value((Pointer::Prev, None), tag("prev is ")),
        value((Pointer::Next, None), tag("next is ")),
    ));
    let poison =
        preceded((tag("LIST_POISON"), take_until("(")), delimited(tag("("), hex, tag(")")));
    let found = alt((value(NULL, tag("NULL")), poison));
    let (rest, ((pointer, entry), found)) = (alt((of_entry, of_caller)), found).parse(input)?;
    Ok((rest, (pointer, entry, None, Some(found))))
}

/// ` double add: new=ffff…, prev=ffff…, next=ffff….`
fn double_add(input: &[u8]) -> Parsed<'_, Parts> {
    let start = (opt(tag(" corruption:")), tag(" double add: new="));
    let (rest, entry) = preceded(start, terminated(hex, tag(", prev="))).parse(input)?;
    Ok((rest, (Pointer::New, Some(entry), None, None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_message() {
        let p = |text: &'static str| {
            let found = message(text.as_bytes()).expect(text);
            let value = |hex: Option<Hex>| hex.map(|hex| hex.value);
            let values = [value(found.entry), value(found.expected), value(found.found)];
            (found.is_add, found.pointer, values)
        };
        let text =
            "list_add corruption. prev->next should be next (ffff01), but was 0000. (prev=ffff02).";
        let found = [Some(0xff_ff02), Some(0xff_ff01), Some(0)];
        assert_eq!(p(text), (true, Pointer::PrevNext, found));
        let text =
            "x: list_del corruption. next->prev should be ffff01, but was ffff03. (next=ffff02)";
        let found = [Some(0xff_ff02), Some(0xff_ff01), Some(0xff_ff03)];
        assert_eq!(p(text), (false, Pointer::NextPrev, found));
        let text = "list_del corruption. prev->next should be ffff01, but was ffff03";
        let found = [None, Some(0xff_ff01), Some(0xff_ff03)];
        assert_eq!(p(text), (false, Pointer::PrevNext, found));
        let text = "list_del corruption, ffff01->next is LIST_POISON1 (dead000000000100)";
        let found = [Some(0xff_ff01), None, Some(0xdead_0000_0000_0100)];
        assert_eq!(p(text), (false, Pointer::EntryNext, found));
        let text = "list_del corruption, ffff01->prev is NULL";
        assert_eq!(p(text), (false, Pointer::EntryPrev, [Some(0xff_ff01), None, Some(0)]));
        let text = "list_add corruption. next is NULL.";
        assert_eq!(p(text), (true, Pointer::Next, [None, None, Some(0)]));
        let text = "list_add double add: new=ffff01, prev=ffff01, next=ffff02.";
        assert_eq!(p(text), (true, Pointer::New, [Some(0xff_ff01), None, None]));
    }

    #[test]
    fn err_message() {
        for text in [
            "",
            "list_",
            "list_add corruption",
            "list_del corruption. x should be y",
            "list_del corruption, 1->next is 2",
        ] {
            assert!(message(text.as_bytes()).is_none(), "{text}");
        }
    }
}
