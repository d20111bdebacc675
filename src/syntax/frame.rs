//! Frames of call traces.
//!
//! ```text
//! frame   = *( " " / TAB ) [ addresses ] [ "? " ] place [ " (unreliable)" ]   ; show_trace_log_lvl() and others
//!         / *( " " / TAB ) callee " from " place                       ; dump_backtrace_entry() in arch/arm
//! place   = symbol offset "/" size [ " [" module "]" ] [ " " file ":" line ]
//!         / symbol " " file ":" line " [inline]"            ; added by a symbolizer
//!         / symbol " (" file ":" line        ; added by a test robot
//!         / "0x" hex                                        ; no symbol
//! module  = name [ " " build-id ]                           ; CONFIG_STACKTRACE_BUILD_ID
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{
    is_not, tag, take_till1, take_until, take_while, take_while_m_n, take_while1,
};
use nom::combinator::{opt, recognize};
use nom::sequence::{delimited, preceded, terminated};

use super::Parsed;
use crate::search;
use crate::token::{self, Hex, blanks};

/// A place in code, borrowed from the log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact")]
pub(crate) struct Place<'a> {
    /// The function; compiler suffixes such as `.cold` are kept. `None` for a bare address.
    pub(crate) function: Option<&'a [u8]>,
    /// Distance from the function's start and length of the function, in bytes.
    pub(crate) offset: Option<(u64, u64)>,
    /// The address, if it was printed.
    pub(crate) address: Option<Hex>,
    /// The function that was called there, if the line has it.
    pub(crate) callee: Option<&'a [u8]>,
    /// The module's name; `None` for the kernel image.
    pub(crate) module: Option<&'a [u8]>,
    /// The module's build id in hexadecimal.
    pub(crate) build_id: Option<&'a [u8]>,
    /// Source file and line, if the log was symbolized.
    pub(crate) source: Option<(&'a [u8], u64)>,
    /// Whether the function is in parentheses: a callee on ARM, an unreliable frame on s390.
    pub(crate) parenthesized: bool,
    /// Whether only blanks and addresses precede the function.
    pub(crate) plain: bool,
    /// Whether this is a function that was inlined into the next one.
    pub(crate) inline: bool,
    /// False for `? `: an address found on the stack that the unwinder could not verify.
    pub(crate) reliable: bool,
}

/// Parses one frame of a call trace, and returns the rest of the line.
pub(crate) fn frame(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let (rest, indent) = take_while(is_indent).parse(input)?;
    // Most frames have neither a mark nor an address.
    let (rest, marker) = if rest.starts_with(b"<") {
        opt(terminated(context_marker, blanks)).parse(rest)?
    } else {
        (rest, None)
    };
    // s390 prints an unreliable frame in parentheses.
    let (rest, is_open) = token::mark(rest, b"(");
    let (rest, address) = token::bracketed(rest)?;
    // `[stack pointer] address f+0x1/0x2`: xmon_show_stack() in arch/powerpc/xmon/xmon.c.
    let (rest, address) = match address {
        Some(_) => opt(token::padded).map(|plain| plain.or(address)).parse(rest)?,
        None => (rest, None),
    };
    let (rest, is_unsure) = token::mark(rest, b"? ");
    let (rest, place) = match place(rest) {
        Ok(found) => found,
        Err(_) => called(rest)?,
    };
    let (rest, is_unreliable) = token::mark(rest, b" (unreliable)");
    let address = place.address.or(address);
    let reliable = !is_unsure && !is_unreliable;
    let plain = marker.is_none() && !is_unsure && indent.iter().all(|&b| b == b' ');
    let parenthesized = is_open || place.parenthesized;
    Ok((rest, Place { address, parenthesized, plain, reliable, ..place }))
}

/// Whether a line begins with a symbol and an offset.
pub(crate) fn begins_with_offset(line: &[u8]) -> bool {
    token::symbol(line).is_ok_and(|(rest, _)| rest.starts_with(b"+0x"))
}

/// print_track() in mm/slub.c prints a tab before a frame; other functions print blanks.
fn is_indent(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// `f [m] from g+0x1/0x2 [m]` and `(f [m]) from [<addr>] (g+0x1/0x2 [m])`: both functions of a
/// call, dump_backtrace_entry() in arch/arm/kernel/traps.c.
fn called(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let (rest, (open, callee)) = (opt(tag("(")), token::symbol).parse(input)?;
    let (rest, _) = (opt(preceded(tag(" "), module)), opt(tag(")"))).parse(rest)?;
    let (rest, (_, address, _, place, _)) =
        (tag(" from "), token::bracketed, opt(tag("(")), place, opt(tag(")"))).parse(rest)?;
    let (address, parenthesized) = (place.address.or(address), open.is_some());
    Ok((rest, Place { callee: Some(callee), parenthesized, address, ..place }))
}

/// `<IRQ>`, `</TASK>` and similar marks, which older kernels print before the frame on its line.
pub(crate) fn context_marker(input: &[u8]) -> Parsed<'_, &[u8]> {
    let name = take_while1(|b: u8| b.is_ascii_uppercase() || matches!(b, b'/' | b'#' | b'_'));
    delimited(tag("<"), name, tag(">")).parse(input)
}

/// `--- interrupt: 700 at f+0x1/0x2`, of powerpc: the function, in the form for titles.
pub(crate) fn interrupt(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let (rest, _) =
        (alt((tag("--- interrupt: "), tag("--- Exception: "))), token::word).parse(input)?;
    let name = delimited(tag(" ("), is_not(")"), tag(")"));
    let place: Parsed<'_, _> =
        preceded((opt(name), tag(" at "), opt(token::padded)), nom::combinator::rest).parse(rest);
    Ok((rest, place.ok().and_then(|(_, place)| title_function(place))))
}

/// The work that returned with a lock held: process_one_work() in kernel/workqueue.c.
///
/// `     preempt=0x00000001 lock=0->0 RCU=0->0 workfn=f [m]`; before Linux 6.9 `    last function: f [m]`.
pub(crate) fn work_function(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let counts = (tag("preempt=0x"), take_until("workfn="), tag("workfn="));
    let before = alt((recognize(counts), tag("last function: ")));
    let (rest, (_, function, module)) =
        (before, token::symbol, opt(preceded(tag(" "), module))).parse(input)?;
    if !rest.trim_ascii().is_empty() {
        return Err(nom::Err::Error(()));
    }
    let (module, build_id) = module.map_or((None, None), |(name, id)| (Some(name), id));
    let function = Some(function);
    Ok((&[], Place { function, module, build_id, reliable: true, ..Place::default() }))
}

/// Parses a place without the text that may precede it.
pub(crate) fn place(input: &[u8]) -> Parsed<'_, Place<'_>> {
    alt((symbol_and_offset, inlined, decoded, bare_address)).parse(input)
}

fn symbol_and_offset(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let (rest, (function, offset)) = (symbol_name, token::offset_and_size).parse(input)?;
    let (rest, module) = match rest {
        [b' ', b'[', ..] => opt(preceded(tag(" "), module)).parse(rest)?,
        _ => (rest, None),
    };
    let (rest, source) = match rest {
        [b' ', ..] => opt(preceded(tag(" "), token::file_and_line)).parse(rest)?,
        _ => (rest, None),
    };
    let (module, build_id) = module.map_or((None, None), |(name, id)| (Some(name), id));
    let place = Place {
        function: Some(function),
        offset: Some(offset),
        module,
        build_id,
        source,
        reliable: true,
        ..Place::default()
    };
    Ok((rest, place))
}

/// A name up to `+0x`: `%pS` of Rust code that was demangled has `<`, `:` and blanks in it.
fn symbol_name(input: &[u8]) -> Parsed<'_, &[u8]> {
    if let Ok((rest, name)) = token::symbol(input) {
        match rest.first() {
            Some(b'+') if rest.starts_with(b"+0x") => return Ok((rest, name)),
            // An inlined function, or any other text.
            Some(b' ') | None => return Err(nom::Err::Error(())),
            _ => {}
        }
    }
    match search::find(input, b"+0x") {
        Some(end)
            if (2..512).contains(&end) && is_demangled(input.get(..end).unwrap_or_default()) =>
        {
            Ok((input.get(end..).unwrap_or_default(), input.get(..end).unwrap_or_default()))
        }
        _ => Err(nom::Err::Error(())),
    }
}

fn is_demangled(name: &[u8]) -> bool {
    search::has(name, b"::")
        && !name.starts_with(b" ")
        && name.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
}

fn module(input: &[u8]) -> Parsed<'_, (&[u8], Option<&[u8]>)> {
    let name = take_while1(|b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let build_id = take_while_m_n(8, 64, |b: u8| b.is_ascii_hexdigit());
    delimited(tag("["), (name, opt(preceded(tag(" "), build_id))), tag("]")).parse(input)
}

fn inlined(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let function = take_till1(|b: u8| b == b' ' || b == b'\t');
    let (rest, (function, _, source, mark)) =
        (function, tag(" "), token::file_and_line, opt(tag(" [inline]"))).parse(input)?;
    // Without the mark this could be any text with a file and a line in it.
    if mark.is_none() {
        return Err(nom::Err::Error(()));
    }
    let place = Place {
        function: Some(function),
        source: Some(source),
        inline: true,
        reliable: true,
        ..Place::default()
    };
    Ok((rest, place))
}

/// `f (file.c:12 file.h:3)`: a trace that a test robot decoded, without the offset.
fn decoded(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let source = preceded(tag(" ("), token::file_and_line);
    let (rest, (function, source)) = (token::symbol, source).parse(input)?;
    let place = Place {
        function: Some(function),
        source: Some(source),
        reliable: true,
        ..Place::default()
    };
    Ok((rest, place))
}

fn bare_address(input: &[u8]) -> Parsed<'_, Place<'_>> {
    let (rest, (_, address)) = (tag("0x"), token::hex).parse(input)?;
    let place = Place { address: Some(address), reliable: true, ..Place::default() };
    // A symbol may begin like a number.
    if rest.first().is_some_and(|&b| token::is_symbol(b) || b == b'+') {
        return Err(nom::Err::Error(()));
    }
    Ok((rest, place))
}

/// Parses a function in the form for titles: letters, digits and `_` up to the first `.` or the `+`
/// of its offset.
pub(crate) fn title_function(text: &[u8]) -> Option<&[u8]> {
    let (rest, name) = token::name(text).ok()?;
    matches!(rest.first(), Some(b'.' | b'+')).then_some(name)
}

impl<'t> Place<'t> {
    /// Returns the function in the form for titles, if the convention recognises it.
    ///
    /// A name without an offset is recognised only up to a dot of a compiler suffix.
    pub(crate) fn title_function(&self) -> Option<&'t [u8]> {
        let function = self.function?;
        // Names of C have no other marks; demangled names of Rust have `::`.
        match memchr::memchr3(b'.', b'$', b':', function) {
            None => self.offset.is_some().then_some(function),
            Some(end) if function.get(end) == Some(&b'.') => function.get(..end),
            Some(_) => None,
        }
        .filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_frame() {
        let p = |line: &'static str| frame(line.as_bytes()).expect(line);

        let (rest, e) = p(" ? kvm_vcpu_ioctl+0x3a5/0x6f0 [kvm] virt/kvm/kvm_main.c:4421");
        assert_eq!(rest, b"");
        assert_eq!(
            (e.offset, e.module, e.reliable),
            (Some((0x3a5, 0x6f0)), Some(&b"kvm"[..]), false)
        );
        assert_eq!(e.source, Some((&b"virt/kvm/kvm_main.c"[..], 4421)));
        assert_eq!(p("f+0x1/0x2 [m 0af9c1d2]").1.build_id, Some(&b"0af9c1d2"[..]));
        assert!(p("do_exit.cold+0x0/0x0").1.reliable);

        let (_, e) = p(" tracehook_notify_signal include/linux/tracehook.h:212 [inline]");
        assert_eq!((e.inline, e.offset), (true, None));
        let (_, e) = p(" [<ffffffff81239ba4>] ? do_exit+0x1/0x2");
        assert_eq!((e.address.map(|a| a.value), e.reliable), (Some(0xffff_ffff_8123_9ba4), false));
        let (_, e) = p(" <IRQ>  [<ffffffff81239ba4>] do_exit+0x1/0x2");
        assert_eq!(e.function, Some(&b"do_exit"[..]));
        assert_eq!(
            p(" 0xffffffffc0000001").1.address.map(|a| a.value),
            Some(0xffff_ffff_c000_0001)
        );
        let (_, e) = p(" cm_a_open [crashme] from cm_write+0x78/0xd4 [crashme]");
        assert_eq!((e.callee, e.function), (Some(&b"cm_a_open"[..]), Some(&b"cm_write"[..])));
        let (_, e) = p("[<808ea9f4>] (f.part.0) from [<808dcfac>] (g+0x7b4/0xa6c)");
        assert_eq!((e.callee, e.function), (Some(&b"f.part.0"[..]), Some(&b"g"[..])));
        let (_, e) = p("[<7f000124>] (f [m]) from [<7f0001d8>] (g+0x38/0x78 [n])");
        assert_eq!((e.callee, e.module), (Some(&b"f"[..]), Some(&b"n"[..])));
        let (_, e) = p("[] (f) from [] (g+0x28/0x8c)");
        assert_eq!((e.callee, e.function), (Some(&b"f"[..]), Some(&b"g"[..])));
        let (_, e) = p("[c0000000044d3b90] [c0000000044d3bd0] f+0x1/0x2 (unreliable)");
        assert_eq!((e.address.map(|a| a.value), e.reliable), (Some(0xc000_0000_044d_3bd0), false));
        assert_eq!(p(" <a::B>::drop+0x1/0x2").1.function, Some(&b"<a::B>::drop"[..]));
    }

    #[test]
    fn ok_work_function() {
        let p = |line: &'static str| work_function(line.as_bytes()).ok().map(|(_, place)| place);
        let line = "preempt=0x00000001 lock=0->0 RCU=0->0 workfn=cm_work [crashme]";
        let place = p(line).expect(line);
        assert_eq!((place.function, place.module), (Some(&b"cm_work"[..]), Some(&b"crashme"[..])));
        let place = p("last function: cm_work").expect("a function");
        assert_eq!((place.function, place.module), (Some(&b"cm_work"[..]), None));
        for line in ["last function: a b", "preempt=0x1 lock=0->0", "last function: ", "workfn=f"] {
            assert_eq!(p(line), None, "{line}");
        }
    }

    #[test]
    fn err_frame() {
        // Cut off, not hexadecimal, without a symbol, a file without the mark, prose, empty.
        for line in ["do_exit+0x", "do_exit+0xg/0x10", "+0x1/0x2", "f a.c:1", "see f() + 0x1", ""] {
            assert!(frame(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
