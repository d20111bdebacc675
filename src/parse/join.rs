//! Joins lines that were split: a line and its continuation.
//!
//! A mail program breaks long lines at a blank, and netconsole splits records that exceed a packet.
//! Whether a line continues the one above is decided by the two lines alone, so it does not depend
//! on which reports are open.

use std::ops::RangeInclusive;

use crate::log::{Context, Line, MAX_LINE, Shape};
use crate::scan;
use crate::search;
use crate::syntax::{self, Record};

/// The widths at which mail programs break lines, in bytes.
const MAIL_WIDTH: RangeInclusive<usize> = 66..=90;

/// The maximum size in bytes of a joined line: no kernel prints longer records. The rest is left
/// out.
const MAX_WHOLE: usize = 2 * MAX_LINE;

/// The ends of headlines that continue on the next line.
const OPEN_ENDS: [&str; 8] = [" at", " for", " address", " address:", " in", ",", " kernel", " @"];

/// A property of a text.
type Test = fn(&[u8]) -> bool;

/// Lines of which the kernel prints more, and the text that continues them.
const OPEN_LINES: &[(Test, Test)] = &[
    (names_no_release, begins_with_release),
    (is_code, is_units),
    (names_no_place, begins_with_place),
];

/// The start of the second line of a record, in a log with prefixes.
const INDENTED: &[u8] = b"        ";

/// The cause of a split.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Joint {
    /// A mail program broke it at a blank.
    Broken,
    /// Netconsole split it anywhere.
    Cut,
}

/// Appends to a line its continuation, from the lines below it in `log`; `is_headline` if it starts
/// a report.
pub(super) fn whole(
    log: &[u8],
    line: &mut Line<'_>,
    is_headline: bool,
    information: bool,
    shape: &Shape,
) {
    let mut width = line.end - line.start;
    while !line.is_cut
        && let Some((rest, joint)) = rest_of(line, width, is_headline, log, shape)
        && !rest.is_cut
        && !scan::is_start(log, rest.start, information)
    {
        if line.text.len() + rest.text.len() > MAX_WHOLE {
            line.is_cut = true;
            break;
        }
        width = rest.end - rest.start;
        join(line, &rest, joint);
    }
}

/// Returns the line below `line`, if it continues it; `width` is that of the last part of `line`.
fn rest_of<'log>(
    line: &Line<'_>,
    width: usize,
    is_headline: bool,
    log: &'log [u8],
    shape: &Shape,
) -> Option<(Line<'log>, Joint)> {
    let below = log.get(line.next()..)?;
    let first = below.first()?;
    // Lines that begin with a printk time are complete, and most lines do.
    let is_stamped =
        *first == b'[' && below.get(1).is_some_and(|b| *b == b' ' || b.is_ascii_digit());
    if is_stamped {
        return None;
    }
    let may_be_broken = line.is_carried && width <= *MAIL_WIDTH.end();
    let may_be_cut = first.is_ascii_digit();
    let begins_rest = OPEN_LINES.iter().find(|(is_open, _)| is_open(&line.text));
    if !(may_be_broken || is_headline || may_be_cut || begins_rest.is_some()) {
        return None;
    }
    let rest = Line::at(log, line.next(), shape)?;
    let is_known_rest = || begins_rest.is_some_and(|(_, begins)| begins(&rest.text));
    let is_function = || {
        is_headline
            && names_no_function(&line.text)
            && matches!(syntax::record(&rest.text), Record::Frame(_))
    };
    let is_bare = rest.context == Context::Bare && !rest.is_wrapping && !rest.is_carried;
    let is_open = || {
        let text = line.text.trim_ascii_end();
        // dmesg and journalctl indent the further lines of a record.
        let is_record = text.ends_with(b":") && rest.text.starts_with(INDENTED);
        let is_open = is_record || OPEN_ENDS.iter().any(|end| text.ends_with(end.as_bytes()));
        is_headline
            && is_open
            && matches!(syntax::record(&rest.text), Record::Text(_) | Record::Frame(_))
    };
    if rest.is_rest {
        Some((rest, Joint::Cut))
    } else if is_bare
        && (may_be_broken && is_broken(width, &rest)
            || is_open()
            || is_function()
            || is_known_rest())
    {
        Some((rest, Joint::Broken))
    } else {
        None
    }
}

/// Returns whether the headline of a warning ends at the source line: `__warn()` in kernel/panic.c
/// prints the function behind it, and authors of fixes break the line there.
fn names_no_function(line: &[u8]) -> bool {
    let text = line.trim_ascii_end();
    let word = text.rsplit(|b| *b == b' ').next().unwrap_or_default();
    let mut parts = word.rsplit(|b| *b == b':');
    let number = parts.next().unwrap_or_default();
    let is_place = parts.next().is_some_and(|file| file.contains(&b'.'));
    let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    is_place && is_number && text.starts_with(b"WARNING: ")
}

/// Returns whether a `CPU:` line ends at its taint flags: `dump_stack_print_info()` in
/// lib/dump_stack.c prints the release behind them. A mail program may break the line at any of the
/// blanks between the flags.
fn names_no_release(line: &[u8]) -> bool {
    line.starts_with(b"CPU: ")
        && search::after(line, "ainted").is_some_and(|flags| {
            flags.strip_prefix(b":").unwrap_or(flags).split(u8::is_ascii_whitespace).all(is_taint)
        })
}

/// Returns whether a line begins with taint flags, a release, or both.
fn begins_with_release(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).skip_while(|word| is_taint(word));
    match words.next() {
        Some(word) => word.first().is_some_and(u8::is_ascii_digit) && word.contains(&b'.'),
        None => !line.trim_ascii().is_empty(),
    }
}

/// Returns whether a line has the bytes of code: `show_opcodes()` in arch/x86/kernel/dumpstack.c prints 64 of them in a
/// line of 200 characters.
fn is_code(line: &[u8]) -> bool {
    line.strip_prefix(b"Code: ").is_some_and(is_units)
}

/// Returns whether a text consists of bytes in hexadecimal digits, one of which may be marked.
fn is_units(text: &[u8]) -> bool {
    let mut units = text.split(u8::is_ascii_whitespace).filter(|unit| !unit.is_empty()).peekable();
    let is_unit = |unit: &[u8]| {
        let marked = unit.strip_prefix(b"<").and_then(|unit| unit.strip_suffix(b">"));
        let digits = marked.unwrap_or(unit);
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    };
    units.peek().is_some() && units.all(is_unit)
}

/// Returns whether a line with a lock ends before the place of its acquisition: `print_lock()` in
/// kernel/locking/lockdep.c.
fn names_no_place(line: &[u8]) -> bool {
    line.trim_ascii_end().ends_with(b", at:") && search::has(line, "){")
}

/// Returns whether a text begins with a place in code.
fn begins_with_place(text: &[u8]) -> bool {
    syntax::frame::place(text.trim_ascii_start()).is_ok_and(|(_, place)| place.offset.is_some())
}

/// Returns whether a word consists of taint flags, which some distributions pad with `-`.
fn is_taint(word: &[u8]) -> bool {
    word.iter().all(|b| b.is_ascii_uppercase() || *b == b'-')
}

/// Returns whether the first word of `rest` did not fit on a line of this width.
fn is_broken(width: usize, rest: &Line<'_>) -> bool {
    let word = rest.text.iter().take_while(|b| !b.is_ascii_whitespace()).count();
    word > 0 && width + 1 + word > *MAIL_WIDTH.start()
}

fn join(line: &mut Line<'_>, rest: &Line<'_>, joint: Joint) {
    let text = line.text.to_mut();
    if joint == Joint::Broken {
        text.truncate(text.trim_ascii_end().len());
        text.push(b' ');
        text.extend_from_slice(rest.text.trim_ascii_start());
    } else {
        text.extend_from_slice(&rest.text);
    }
    line.end = rest.end;
    line.is_verbatim = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole_of(log: &str, is_headline: bool) -> String {
        let mut line = Line::at(log.as_bytes(), 0, &Shape::PLAIN).expect("a line");
        whole(log.as_bytes(), &mut line, is_headline, false, &Shape::PLAIN);
        String::from_utf8(line.text.into_owned()).expect("text")
    }

    #[test]
    fn a_mail_breaks_lines_at_its_width() {
        let first = "[   12.345678] RIP: 0010:a_function_with_a_long_name+0x123/0x456";
        assert_eq!(
            whole_of(&format!("{first}\n[a_module_with_a_name]\n"), false),
            format!("{} [a_module_with_a_name]", &first[15..])
        );
        // The last line of a log ends with or without a line feed.
        for end in ["\n[", "\n[\n"] {
            assert_eq!(
                whole_of(&format!("{first}789{end}"), false),
                format!("{}789 [", &first[15..])
            );
        }
        assert_eq!(whole_of("[   12.3] a\nb\n", false), "a");
        assert_eq!(whole_of(&format!("{first}\n[   12.345679] x\n"), false), &first[15..]);
    }

    #[test]
    fn a_headline_with_an_open_end_is_joined() {
        let log = "BUG: unable to handle kernel paging request at\nffff880\nx\n";
        assert_eq!(whole_of(log, true), "BUG: unable to handle kernel paging request at ffff880");
        assert_eq!(whole_of(log, false), "BUG: unable to handle kernel paging request at");
        assert_eq!(whole_of("BUG: x at\nBUG: y\n", true), "BUG: x at");
        let broken = "WARNING: CPU: 1 PID: 9 at fs/cm.c:88\n\tcm_flush+0x106/0x130 fs/cm.c:88\n";
        let whole = "WARNING: CPU: 1 PID: 9 at fs/cm.c:88 cm_flush+0x106/0x130 fs/cm.c:88";
        assert_eq!(whole_of(broken, true), whole);
        let alone = "WARNING: CPU: 1 PID: 9 at fs/cm.c:88\nModules linked in:\n";
        assert_eq!(whole_of(alone, true), "WARNING: CPU: 1 PID: 9 at fs/cm.c:88");
    }

    #[test]
    fn a_release_below_the_taint_flags_is_joined() {
        let broken =
            "CPU: 2 PID: 31128 Comm: ioctl_sg01 Tainted: G        W\n       5.18.0-rc1 #1\n";
        let whole = "CPU: 2 PID: 31128 Comm: ioctl_sg01 Tainted: G        W 5.18.0-rc1 #1";
        assert_eq!(whole_of(broken, false), whole);
        assert_eq!(whole_of(&format!("[ 1.5] {broken}"), false), whole);
        let twice = "CPU: 8 PID: 5 Comm: a Tainted: G\nW   L    ----  ---\n6.7.0-0.rc0 #1\n";
        assert_eq!(
            whole_of(twice, false),
            "CPU: 8 PID: 5 Comm: a Tainted: G W   L    ----  --- 6.7.0-0.rc0 #1"
        );
        let alone = "CPU: 8 PID: 5 Comm: a Not tainted";
        for below in ["RIP: 0010:f+0x1/0x2", "", "[ 1.5] 6.7.0 #1"] {
            assert_eq!(whole_of(&format!("{alone}\n{below}\n"), false), alone);
        }
    }

    #[test]
    fn bytes_of_code_are_joined() {
        let log = "Code: 0f 85 46 01\n00 00 48 8b <48> f7 b3\na8 01 00\nRSP: 0018:1 EFLAGS: 2\n";
        let whole = "Code: 0f 85 46 01 00 00 48 8b <48> f7 b3 a8 01 00";
        assert_eq!(whole_of(log, false), whole);
        for below in ["dead", "[ 1.5] 00 00", "", "---", "00000000 00000000"] {
            assert_eq!(whole_of(&format!("Code: 0f 85\n{below}\n"), false), "Code: 0f 85");
        }
        assert_eq!(whole_of("Code: Bad RIP value.\n00 00\n", false), "Code: Bad RIP value.");
    }

    #[test]
    fn the_place_of_a_lock_is_joined() {
        let broken = "000000001d1989ef (a_lock){+.+.}, at:  \ncm_disconnect+0x45/0x2c0 a.c:867\n\n";
        let whole = "000000001d1989ef (a_lock){+.+.}, at: cm_disconnect+0x45/0x2c0 a.c:867";
        assert_eq!(whole_of(broken, false), whole);
        assert_eq!(whole_of("1 (a){+.+.}, at:\nx y\n", false), "1 (a){+.+.}, at:");
    }

    #[test]
    fn netconsole_cuts_records() {
        let log = "6,416,1,-,ncfrag=0/9;abcde\n6,416,1,-,ncfrag=5/9;fghi\n6,417,1,-;x\n";
        assert_eq!(whole_of(log, false), "abcdefghi");
    }
}
