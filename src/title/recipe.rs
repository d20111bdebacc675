//! Recipes: the frames that a title is made from.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::grammar::token;
use crate::kind::pattern;
use crate::kind::pattern::Piece;
use crate::kind::{Choice, Part, Recipe};
use crate::words;

use super::{choice, skip};

/// What stands in a title for a function that was not found.
pub(super) const UNKNOWN: &str = "corrupted";

/// The lines in which a call trace must begin after its start.
const STACK_WITHIN: usize = 15;

/// What a recipe gave.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The function of each stack of the recipe.
    pub(super) found: Vec<String>,
    /// The same as they were printed, where titles know them by another name.
    pub(super) raw: Vec<String>,
    /// Whether one is missing.
    pub(super) failed: bool,
    /// Whether a failure that was asked for is among them.
    pub(super) injected: bool,
}

/// Runs a recipe, and its fallback where it fails, over the lines from `first` on.
pub(super) fn frames(recipe: &Recipe, lines: &[&[u8]], first: usize) -> Frames {
    if recipe.parts.is_empty() {
        return Frames::default();
    }
    let lines = lines.get(first..).unwrap_or_default();
    let frames = run(recipe.parts, recipe, lines);
    if frames.failed && !recipe.fallback.is_empty() {
        return run(recipe.fallback, recipe, lines);
    }
    frames
}

/// Walks the parts and the lines side by side.
///
/// A line that a part consumes is gone for the next. A second stack makes a second list, and each
/// list gives one function, by the recipe's choice.
fn run(parts: &[Part], recipe: &Recipe, lines: &[&[u8]]) -> Frames {
    let mut result = Frames::default();
    let mut lines = lines.iter().copied();
    let mut functions = Functions::new(recipe);
    let mut stacks = 0;
    let mut index = 0;
    while let Some(&part) = parts.get(index) {
        index += 1;
        if part != Part::Stack {
            if let Some(found) = lines.by_ref().find_map(|line| matches(part, line)) {
                functions.add(found);
            }
            continue;
        }
        if stacks > 0 {
            functions.finish(&mut result);
        }
        stacks += 1;
        let next = parts.get(index).copied();
        for line in lines.by_ref() {
            if let Some(found) = next.and_then(|next| matches(next, line)) {
                functions.add(found);
                index += 1;
                break;
            }
            if let Some((function, caller)) = frame_line(line) {
                if INJECTED.contains(&function) {
                    result.failed = true;
                    result.injected = true;
                    break;
                }
                functions.add(std::iter::once(function).chain(caller));
            } else if is_stack_start(line) {
                break;
            }
        }
    }
    functions.finish(&mut result);
    result
}

/// A function as its language writes it, without hashes and parameters; C stays as it is.
fn demangle(function: &[u8]) -> Cow<'_, str> {
    let name = String::from_utf8_lossy(function);
    if !name.starts_with('_') {
        return name;
    }
    if let Ok(rust) = rustc_demangle::try_demangle(&name) {
        return Cow::Owned(format!("{rust:#}"));
    }
    let options = cpp_demangle::DemangleOptions::new().no_params().no_return_type();
    match name.strip_prefix("_Z").and_then(|_| cpp_demangle::Symbol::new(name.as_bytes()).ok()) {
        Some(symbol) => symbol.demangle_with_options(&options).map_or(name.clone(), Cow::Owned),
        None => name,
    }
}

/// The functions of one stack, as far as they are needed.
struct Functions<'a> {
    recipe: &'a Recipe,
    found: Vec<String>,
}

impl<'a> Functions<'a> {
    fn new(recipe: &'a Recipe) -> Self {
        Self { recipe, found: Vec::new() }
    }

    fn add<'b>(&mut self, functions: impl IntoIterator<Item = &'b [u8]>) {
        // Only the longer choices look further than the first.
        if self.recipe.choice == Choice::First && !self.found.is_empty() {
            return;
        }
        let kept = functions
            .into_iter()
            .map(demangle)
            .filter(|function| !skip::is_skipped(function.as_bytes(), self.recipe.skip));
        self.found.extend(kept.map(Cow::into_owned));
    }

    fn finish(&mut self, result: &mut Frames) {
        let mut found = std::mem::take(&mut self.found);
        let names = found.iter().map(|function| skip::canonical(function));
        let chosen = match self.recipe.choice {
            Choice::First => (!found.is_empty()).then_some((0, None)),
            Choice::Stall => choice::stalled(&names.collect::<Vec<_>>()),
            Choice::Hang => choice::hung(&names.collect::<Vec<_>>()),
        };
        result.failed |= chosen.is_none();
        let (index, name) = chosen.unwrap_or((usize::MAX, None));
        let raw = found.get_mut(index).map_or(UNKNOWN.to_owned(), std::mem::take);
        result.found.push(name.unwrap_or(skip::canonical(&raw)).to_owned());
        result.raw.push(raw);
    }
}

/// `--- interrupt: 700 at function`, of powerpc.
const INTERRUPT: &[Piece] =
    &[Piece::Lit("--- interrupt: "), Piece::Token, Piece::Lit(" at "), Piece::Func];

/// The functions that a line gives if it is what the part looks for.
fn matches(part: Part, line: &[u8]) -> Option<Vec<&[u8]>> {
    match part {
        Part::Pointer => pointer(line).map(|function| function.into_iter().collect()),
        Part::Trap => pointer(line)
            .map(|function| function.into_iter().collect())
            .or_else(|| pattern::find(INTERRUPT, &[line], [0]).map(|found| found.captures)),
        Part::Calls => is_call_trace(line).then(Vec::new),
        Part::Line(pieces) => pattern::find(pieces, &[line], [0]).map(|found| found.captures),
        Part::Stack => None,
    }
}

/// What follows the tag of an instruction pointer: `RIP`, `EIP`, `NIP`, `epc`, `PC is at`, `pc :`.
///
/// `None` if the line has none; a pointer without a function is `Some(None)`.
fn pointer(line: &[u8]) -> Option<Option<&[u8]>> {
    const TAGS: [&[u8]; 3] = [b"IP", b"pc ", b"PC is at"];
    memchr::memchr3_iter(b'I', b'p', b'P', line).find_map(|at| {
        let rest = line.get(at..)?;
        let rest = TAGS.iter().find_map(|tag| rest.strip_prefix(*tag))?;
        let rest = rest.strip_prefix(b":").unwrap_or(rest).strip_prefix(b" ")?;
        let selector = token::hex(rest).ok().and_then(|(tail, _)| tail.strip_prefix(b":"));
        let rest = selector.unwrap_or(rest).trim_ascii_start();
        let (rest, address) = token::bracketed(rest).ok()?;
        let function = pattern::function(rest);
        let is_bare = address.is_some() || rest.starts_with(b"0x") || rest.starts_with(b"(null)");
        (function.is_some() || is_bare).then_some(function)
    })
}

fn is_call_trace(line: &[u8]) -> bool {
    const STARTS: [&str; 3] = ["Call Trace:", "Call trace:", "Backtrace:"];
    STARTS.iter().any(|start| words::has(line, start))
}

/// The function of a line of a call trace, and its caller where that stands on the line too.
fn frame_line(line: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let line = line.get(line.iter().take_while(|&&b| b == b' ').count()..)?;
    let (rest, _) = token::bracketed(line).ok()?;
    match pattern::function(rest) {
        Some(function) => Some((function, None)),
        None => call(rest),
    }
}

/// Both functions of `(f) from [<addr>] (g+0x1/0x2)`: `dump_backtrace_entry()` in
/// arch/arm/kernel/traps.c.
fn call(rest: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let rest = rest.strip_prefix(b"(")?;
    let end = words::find(rest, ") from ")?;
    let (tail, address) = token::bracketed(rest.get(end + 7..)?).ok()?;
    address?;
    Some((rest.get(..end)?, Some(pattern::function(tail.strip_prefix(b"(")?)?)))
}

/// Whether a stack begins after this line.
fn is_stack_start(line: &[u8]) -> bool {
    stack_start(line).is_some()
}

/// Texts after which a stack begins. Each is a kind of its own.
const STACK_STARTS: [&[Piece]; 9] = [
    &[Piece::Lit("Call Trace")],
    &[Piece::Lit("Call trace")],
    &[Piece::Lit("Allocated:")],
    &[Piece::Lit("Allocated by task "), Piece::Digits, Piece::Lit(":")],
    &[Piece::Lit("Freed:")],
    &[Piece::Lit("Freed by task "), Piece::Digits, Piece::Lit(":")],
    &[Piece::Lit("Backtrace:")],
    &[Piece::Lit("Uninit was stored to memory at")],
    // riscv has no headline: its trace follows the registers.
    RISCV_REGISTERS,
];

/// The last line of `__show_regs()` in arch/riscv/kernel/process.c.
const RISCV_REGISTERS: &[Piece] = &[
    Piece::Lit("status: "),
    Piece::Hex,
    Piece::Lit(" badaddr: "),
    Piece::Hex,
    Piece::Lit(" cause: "),
    Piece::Hex,
];

/// One search for all of [`STACK_STARTS`], as most lines are none of them.
static STACK_START_SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let literal = |pieces: &&[Piece]| match pieces.first() {
        Some(Piece::Lit(literal)) => Some(*literal),
        _ => None,
    };
    let literals = STACK_STARTS.iter().filter_map(literal).chain([" backtrace"]);
    words::search(literals, MatchKind::LeftmostFirst)
});

/// Which of [`STACK_STARTS`] the line is.
fn stack_start(line: &[u8]) -> Option<usize> {
    if !STACK_START_SEARCH.as_ref()?.is_match(line) {
        return None;
    }
    let kind = STACK_STARTS.iter().position(|start| pattern::fits(start, line));
    kind.or_else(|| is_kmemleak(line).then_some(STACK_STARTS.len()))
}

/// `    backtrace:` or `    backtrace (crc 2f0d3b5a):`, but not the `stack backtrace:` of lockdep.
fn is_kmemleak(line: &[u8]) -> bool {
    let Some(at) = words::find(line, " backtrace") else { return false };
    let before = at.checked_sub(1).and_then(|at| line.get(at));
    let rest = line.get(at + 10..).unwrap_or_default();
    before.is_some_and(|&b| b != b'k') && (rest.starts_with(b":") || rest.starts_with(b" (crc "))
}

/// A failure that was asked for (`CONFIG_FAULT_INJECTION`): the stack is not that of a bug.
const INJECTED: [&[u8]; 2] = [b"should_fail", b"should_failslab"];

/// Why the stacks of a report are not complete: none begins, or one begins and has no frame.
pub(super) fn missing_stack(lines: &[&[u8]]) -> Option<&'static str> {
    let mut first = [None; STACK_STARTS.len() + 1];
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| frame_line(line).is_none()) {
        if let Some(place) = stack_start(line).and_then(|kind| first.get_mut(kind)) {
            place.get_or_insert(index);
        }
    }
    if first.iter().all(Option::is_none) {
        return Some("no call trace");
    }
    for (kind, start) in first.into_iter().enumerate().filter_map(|(kind, at)| Some((kind, at?))) {
        if STACK_STARTS.get(kind) == Some(&RISCV_REGISTERS) {
            continue;
        }
        let after = lines.get(start + 1..).unwrap_or_default();
        // The convention asks for four lines, the headline and an empty one at the end among them.
        if after.len() < 2 {
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
    words::has(line, text)
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
        assert_eq!(frame_line(b" foo.cold+0x1/0x2"), Some((&b"foo"[..], None)));
        let old = b" [<ffffffff82b8a69a>] foo+0x9a/0x1a0";
        assert_eq!(frame_line(old), Some((&b"foo"[..], None)));
        let arm = b"[<808ea9f4>] (f.part.0) from [<808dcfac>] (g+0x7b4/0xa6c)";
        assert_eq!(frame_line(arm), Some((&b"f.part.0"[..], Some(&b"g"[..]))));
        assert_eq!(frame_line(b" foo fs/io_uring.c:11 [inline]"), None);
        assert_eq!(frame_line(b" ? foo+0x9a/0x1a0"), None);
    }
}
