//! Rewrites lines of a log with source lines.

use super::{Location, Symbolizer, frame_of};
use crate::arch;
use crate::search;
use crate::syntax::frame::{self, Place};
use crate::token;

impl Symbolizer<'_> {
    /// Rewrites a line of a log with files and lines, as the kernel's
    /// `scripts/decode_stacktrace.sh` prints it: `name (file:line file:line) module`, the inlined
    /// functions first, words separated by one blank, without the addresses in `[<>]`.
    ///
    /// `None` if no symbol of the line could be resolved. Unlike the script, the line number of a
    /// return address is that of the call.
    ///
    /// The rest of the line is unchanged, including control characters: escape it before it is
    /// printed on a terminal.
    pub fn rewrite(&self, line: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let (mut from, mut at) = (0, 0);
        while let Some(plus) = line.get(at..).and_then(|rest| search::find(rest, b"+0x")) {
            let plus = at + plus;
            at = plus + 3;
            let name = line.get(from..plus).unwrap_or_default();
            let len = name.iter().rev().take_while(|b| token::is_symbol(**b)).count();
            let start = plus - len;
            let Ok((rest, place)) = frame::place(line.get(start..).unwrap_or_default()) else {
                continue;
            };
            if place.source.is_some() || place.offset.is_none() {
                continue;
            }
            let text = line.get(from..start).unwrap_or_default();
            let exact = arch::pointer(strip(line.get(..start).unwrap_or_default())).is_some();
            let Some(shown) = self.shown(&place, exact) else { continue };
            push_words(&mut out, text);
            out.extend_from_slice(shown.as_bytes());
            from = line.len() - rest.len();
            at = from;
        }
        if out.is_empty() {
            return None;
        }
        push_words(&mut out, line.get(from..).unwrap_or_default());
        Some(out)
    }

    fn shown(&self, place: &Place<'_>, exact: bool) -> Option<String> {
        let frame = frame_of(place, exact);
        let locations = self.locations(&frame);
        if locations.is_empty() {
            return None;
        }
        let places: Vec<_> = locations.iter().map(source).collect();
        let name = frame.function.as_deref()?;
        let module = frame.module.as_deref().unwrap_or_default();
        // The script ends the line of a function of the kernel image with a blank.
        Some(format!("{name} ({}) {module}", places.join(" ")))
    }
}

fn source(location: &Location) -> String {
    match (&location.file, location.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => format!("{file}:?"),
        (None, _) => "??:?".to_owned(),
    }
}

/// Strips time stamps and callers from the start of a line.
fn strip(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.trim_ascii_start().strip_prefix(b"[") {
        match rest.iter().position(|b| *b == b']') {
            Some(end) => line = rest.get(end + 1..).unwrap_or_default(),
            None => break,
        }
    }
    line.trim_ascii_start()
}

/// Appends the words of a text separated by one blank, without those in `[<>]`.
fn push_words(out: &mut Vec<u8>, text: &[u8]) {
    let is_open = text.last().is_none_or(|b| !b.is_ascii_whitespace());
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let words = words.filter(|word| !(word.starts_with(b"[<") && word.ends_with(b">]")));
    let starts_apart = text.first().is_some_and(u8::is_ascii_whitespace);
    for (index, word) in words.enumerate() {
        let is_apart = index > 0 || starts_apart;
        if is_apart && out.last().is_some_and(|b| *b != b' ') {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    if !is_open && out.last().is_some_and(|b| *b != b' ') {
        out.push(b' ');
    }
}
