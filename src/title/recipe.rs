//! Recipes: the frames that a title is made from.

use crate::grammar::token;
use crate::kind::pattern;
use crate::kind::{Part, Recipe};
use crate::text;

use super::skip;

/// What stands in a title for a function that was not found.
pub(super) const UNKNOWN: &str = "corrupted";

/// The lines in which a call trace must begin after its start.
const STACK_WITHIN: usize = 15;

/// What a recipe gave.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The function of each stack of the recipe.
    pub(super) found: Vec<String>,
    /// Whether one is missing.
    pub(super) failed: bool,
}

/// Runs a recipe, and its fallback where it fails, over the lines from `first` on.
pub(super) fn frames(recipe: &Recipe, lines: &[&[u8]], first: usize) -> Frames {
    if recipe.parts.is_empty() {
        return Frames::default();
    }
    let lines = lines.get(first..).unwrap_or_default();
    let frames = run(recipe.parts, recipe.skip, lines);
    if frames.failed && !recipe.fallback.is_empty() {
        return run(recipe.fallback, recipe.skip, lines);
    }
    frames
}

/// Walks the parts and the lines side by side.
///
/// A line that a part consumes is gone for the next. A second stack makes a second list, and the
/// answer is the first frame of each list that is not skipped.
fn run(parts: &[Part], skip: &[&str], lines: &[&[u8]]) -> Frames {
    let mut result = Frames::default();
    let mut lines = lines.iter().copied();
    let mut frame: Option<String> = None;
    let mut stacks = 0;
    let keep = |frame: &mut Option<String>, found: &[&[u8]]| {
        let answer = || found.iter().find(|function| !skip::is_skipped(function, skip));
        if frame.is_none() {
            *frame = answer().map(|function| String::from_utf8_lossy(function).into_owned());
        }
    };
    let mut index = 0;
    while let Some(&part) = parts.get(index) {
        index += 1;
        if part != Part::Stack {
            if let Some(found) = lines.by_ref().find_map(|line| matches(part, line)) {
                keep(&mut frame, &found);
            }
            continue;
        }
        if stacks > 0 {
            finish(&mut result, frame.take());
        }
        stacks += 1;
        let next = parts.get(index).copied();
        for line in lines.by_ref() {
            if let Some(found) = next.and_then(|next| matches(next, line)) {
                keep(&mut frame, &found);
                index += 1;
                break;
            }
            if let Some(found) = frame_line(line) {
                if is_injected(line) {
                    result.failed = true;
                    break;
                }
                keep(&mut frame, &[found]);
            } else if is_stack_start(line) {
                break;
            }
        }
    }
    finish(&mut result, frame);
    result
}

fn finish(result: &mut Frames, frame: Option<String>) {
    result.failed |= frame.is_none();
    result.found.push(frame.unwrap_or_else(|| UNKNOWN.to_owned()));
}

/// The functions that a line gives if it is what the part looks for.
fn matches(part: Part, line: &[u8]) -> Option<Vec<&[u8]>> {
    match part {
        Part::Pointer => pointer(line).map(|function| function.into_iter().collect()),
        Part::Calls => is_call_trace(line).then(Vec::new),
        Part::Line(pieces) => pattern::find(pieces, &[line], 0).map(|found| found.captures),
        Part::Stack => None,
    }
}

/// What follows the tag of an instruction pointer: `RIP`, `EIP`, `NIP`, `epc`, `PC is at`, `pc :`.
///
/// `None` if the line has none; a pointer without a function is `Some(None)`.
fn pointer(line: &[u8]) -> Option<Option<&[u8]>> {
    const TAGS: [&str; 4] = ["IP", "NIP", "pc ", "PC is at"];
    TAGS.iter().find_map(|tag| {
        memchr::memmem::find_iter(line, tag.as_bytes()).find_map(|at| {
            let rest = line.get(at + tag.len()..)?;
            let rest = rest.strip_prefix(b":").unwrap_or(rest).strip_prefix(b" ")?;
            let selector = token::hex(rest).ok().and_then(|(tail, _)| tail.strip_prefix(b":"));
            let (rest, address) =
                token::bracketed(selector.unwrap_or(rest).trim_ascii_start()).ok()?;
            let function = pattern::function(rest);
            let is_bare =
                address.is_some() || rest.starts_with(b"0x") || rest.starts_with(b"(null)");
            (function.is_some() || is_bare).then_some(function)
        })
    })
}

fn is_call_trace(line: &[u8]) -> bool {
    const STARTS: [&str; 3] = ["Call Trace:", "Call trace:", "Backtrace:"];
    STARTS.iter().any(|start| text::has(line, start))
}

/// The function of a line of a call trace.
fn frame_line(line: &[u8]) -> Option<&[u8]> {
    let line = line.get(line.iter().take_while(|&&b| b == b' ').count()..)?;
    let (rest, _) = token::bracketed(line).ok()?;
    pattern::function(rest)
}

/// Whether a stack begins after this line.
fn is_stack_start(line: &[u8]) -> bool {
    stack_start(line).is_some()
}

/// Texts after which a stack begins. Checked in this order, each is a kind of its own.
const STACK_STARTS: [&str; 6] = [
    "Call Trace",
    "Call trace",
    "Allocated by task ",
    "Freed by task ",
    "Backtrace:",
    "Uninit was stored to memory at",
];

fn stack_start(line: &[u8]) -> Option<usize> {
    STACK_STARTS.iter().position(|start| text::has(line, start))
}

/// A failure that was asked for (`CONFIG_FAULT_INJECTION`): the stack is not that of a bug.
fn is_injected(line: &[u8]) -> bool {
    let Some(at) = text::find(line, b" should_fail") else { return false };
    let rest = line.get(at + 12..).unwrap_or_default();
    matches!(rest.strip_prefix(b"slab").unwrap_or(rest), [b'+' | b'.', ..])
}

/// Why the stacks of a report are not complete: none begins, or one begins and has no frame.
pub(super) fn missing_stack(lines: &[&[u8]]) -> Option<&'static str> {
    let mut first = [None; STACK_STARTS.len()];
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| frame_line(line).is_none()) {
        if let Some(place) = stack_start(line).and_then(|kind| first.get_mut(kind)) {
            place.get_or_insert(index);
        }
    }
    if first.iter().all(Option::is_none) {
        return Some("no call trace");
    }
    for start in first.into_iter().flatten() {
        let after = lines.get(start + 1..).unwrap_or_default();
        // The convention counts an empty line behind the last one.
        if after.len() + 1 < 4 {
            return Some("the call trace is cut off");
        }
        let has_frame = after
            .iter()
            .take(STACK_WITHIN)
            .take_while(|line| !is_stack_start(line))
            .any(|line| frame_line(line).is_some() || has(line, "(stack is not available)"));
        if !has_frame {
            return Some("a call trace without frames");
        }
    }
    None
}

fn has(line: &[u8], text: &str) -> bool {
    text::has(line, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_pointer() {
        let p = |line: &'static str| {
            pointer(line.as_bytes())
                .map(|found| found.map(|f| String::from_utf8_lossy(f).into_owned()))
        };
        assert_eq!(p("RIP: 0010:foo+0x1/0x2"), Some(Some("foo".into())));
        assert_eq!(
            p("RIP: 0010:[<ffffffff82b8a69a>]  [<ffffffff82b8a69a>] foo+0x9a/0x1a0"),
            Some(Some("foo".into()))
        );
        assert_eq!(p("pc : foo.part.0+0x1/0x2"), Some(Some("foo".into())));
        assert_eq!(p("RIP: 0033:0x4665e9"), Some(None));
        assert_eq!(p("RIP: 0010:io_put fs/io_uring.c:11 [inline]"), None);
        assert_eq!(p("RIPE 0010"), None);
    }

    #[test]
    fn ok_lines() {
        assert_eq!(frame_line(b" foo.cold+0x1/0x2"), Some(&b"foo"[..]));
        assert_eq!(frame_line(b" [<ffffffff82b8a69a>] foo+0x9a/0x1a0"), Some(&b"foo"[..]));
        assert_eq!(frame_line(b" foo fs/io_uring.c:11 [inline]"), None);
        assert_eq!(frame_line(b" ? foo+0x9a/0x1a0"), None);
        assert!(is_injected(b" should_fail+0x1/0x2") && is_injected(b" should_failslab.x+0x1/0x2"));
        assert!(!is_injected(b" should_fail_request+0x1/0x2"));
    }
}
