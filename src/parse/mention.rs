//! Lines that quote or resemble a headline: lines of other programs, prose, commands, patches,
//! notes of a boot.
//!
//! A headline of the kernel is at the start of a line, or behind the name of the subsystem that
//! prints it, and most have a body. The words of a headline at other places count only if a body
//! follows.

use crate::kind::Marker;
use crate::kind::table::user;
use crate::log::{Context, clean};
use crate::search;
use crate::syntax::{Record, who};
use crate::token::{has_stamp, is_letter, is_symbol};

/// The number of words of a line in which the name of a program is searched: a date, a host and a
/// priority.
const MAX_WORDS: usize = 10;

/// Whether a headline is one of the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Doubt {
    /// It is a headline.
    None,
    /// It counts if a body follows.
    Body,
    /// The same, and the lines below must not be those of another program or system.
    Runtime,
}

/// Returns whether the prefix of a line names a program other than the kernel.
///
/// If a program relays a console, the printk time is behind the name of the program: the line is
/// one of the kernel.
pub(super) fn is_of_program(raw: &[u8], marker: &Marker) -> bool {
    let raw = clean(raw);
    let Some(at) = marker.place(&raw) else { return false };
    let before = raw.get(..at).unwrap_or_default();
    // The output of a container, in the log format of Docker.
    if user::is_of_runtime(marker) && raw.starts_with(b"{") && !has_stamp(before) {
        return true;
    }
    let name = of_journal(&raw).or_else(|| of_syslog(before));
    name.is_some_and(|(name, rest)| !is_kernel(name) && !has_stamp(rest))
}

/// Names before a colon that are those of the kernel, or of programs that print its lines.
const KERNEL: [&[u8]; 8] =
    [b"kernel", b"klogd", b"printk", b"rcu", b"traps", b"unix", b"vmunix", b"watchdog"];

fn is_kernel(name: &[u8]) -> bool {
    KERNEL.contains(&name)
}

/// Returns the program in a line of `journalctl -o json`, and the text behind it.
fn of_journal(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    const FIELD: &[u8] = b"\"SYSLOG_IDENTIFIER\"";
    if !raw.starts_with(b"{") {
        return None;
    }
    let value = raw.get(search::find(raw, FIELD)? + FIELD.len()..)?;
    let value = value.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let name = value.strip_prefix(b"\"")?;
    Some((name.get(..memchr::memchr(b'"', name)?)?, raw))
}

/// Returns the program in the prefix of syslog, the journal and similar loggers, and the text
/// behind it.
///
/// ```text
/// carrier = date host name [ "[" pid "]" ] ":" / name "[" pid "]:"
/// ```
fn of_syslog(before: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    let words = before.split(|b| *b == b' ').filter_map(|word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((start, word))
    });
    let mut before_host = Part::Other;
    for (start, word) in words.take(MAX_WORDS) {
        let rest = before.get(start + word.len()..).unwrap_or_default();
        if let Some(name) = with_pid(word) {
            return Some((name, rest));
        }
        // A name without a number counts only behind a time and a host.
        let name = word.strip_suffix(b":").filter(|name| is_name(name));
        before_host = match (before_host, name) {
            (Part::Host, Some(name)) if !has_stamp(before) => return Some((name, rest)),
            (Part::Time, None) if is_name(word) => Part::Host,
            _ if is_clock(word) => Part::Time,
            _ => Part::Other,
        };
    }
    None
}

/// The type of the last word before a name.
#[derive(Clone, Copy, Debug)]
enum Part {
    Time,
    Host,
    Other,
}

/// `sshd` of `sshd[812]:`.
fn with_pid(word: &[u8]) -> Option<&[u8]> {
    let number = word.strip_suffix(b"]:")?;
    let (name, digits) = number.split_at_checked(memchr::memrchr(b'[', number)?)?;
    let digits = digits.get(1..)?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    (is_number && is_name(name)).then_some(name)
}

fn is_name(name: &[u8]) -> bool {
    let is_part = |b: &u8| is_symbol(*b) || b"-/()@+:".contains(b);
    name.iter().any(|b| is_letter(*b)) && name.iter().all(is_part) && !is_clock(name)
}

/// Returns whether a word contains `06:14:00`.
fn is_clock(word: &[u8]) -> bool {
    let is = |pair: &[u8]| pair.iter().all(u8::is_ascii_digit);
    word.windows(8).any(|text| match text {
        [h @ .., b':', m1, m2, b':', s1, s2] => is(h) && is(&[*m1, *m2, *s1, *s2]),
        _ => false,
    })
}

/// Returns whether the text around a marker shows that the line quotes a headline.
///
/// `is_form` is whether the line matches one of the formats of the kernel.
pub(super) fn doubt(text: &[u8], context: Context, marker: &Marker, is_form: bool) -> Doubt {
    let Some(at) = search::find(text, marker.text) else { return Doubt::None };
    let rest = text.get(at..).unwrap_or_default();
    let begin = marker.place(text).unwrap_or(at);
    let before = text.get(..begin).unwrap_or_default();
    // The marker `illed process ` begins within a word.
    let is_whole_word = before.last().is_none_or(u8::is_ascii_whitespace);
    let before = before.trim_ascii();
    if user::is_of_runtime(marker) {
        return match before.is_empty() {
            true if user::is_panic(marker) => Doubt::Runtime,
            true => Doubt::None,
            false => Doubt::Body,
        };
    }
    // Text that only the kernel prints behind the words.
    let behind = rest.get(marker.text.len()..).unwrap_or_default();
    let is_form = is_form || behind.starts_with(b":") || who::mention(text).is_some();
    let is_bare = context == Context::Bare;
    let is_prose = is_bare && is_whole_word && ends_in_word(before);
    let is_note =
        !is_form && marker.text.ends_with(':') && !is_device(before) && !before.is_empty();
    // Other programs print `WARNING:` and `INFO:` too.
    let is_free = !is_form && is_bare && !is_device(before);
    if is_quoted(before) || is_source(rest) || is_prose || is_note || is_free {
        Doubt::Body
    } else {
        Doubt::None
    }
}

/// Returns whether a quote begins directly before the marker, behind the start of the line.
fn is_quoted(before: &[u8]) -> bool {
    let Some((last, head)) = before.split_last() else { return false };
    matches!(last, b'\'' | b'"' | b'`') && !head.is_empty()
}

/// Whether the line contains the end of a C string.
fn is_source(rest: &[u8]) -> bool {
    search::has(rest, "\\n\"")
}

/// Returns whether the last word before the marker is one of prose: the kernel prints a colon
/// behind names.
fn ends_in_word(before: &[u8]) -> bool {
    let last = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    let last = last.strip_suffix(b",").unwrap_or(last);
    !last.is_empty() && last.iter().all(|b| is_letter(*b))
}

/// `usb 5-1:`, a driver and its device: dev_printk_emit() in drivers/base/core.c.
fn is_device(before: &[u8]) -> bool {
    let mut words = before.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let device = words.next().and_then(|word| word.strip_suffix(b":"));
    device.is_some_and(|device| device.iter().any(u8::is_ascii_digit))
        && words.next().is_some_and(|driver| driver.iter().all(|b| is_symbol(*b)))
}

/// Returns whether a line below a headline is a part of its body.
pub(super) fn is_body(record: &Record<'_>) -> bool {
    !matches!(
        record,
        Record::Blank
            | Record::Text(_)
            | Record::Cut
            | Record::Rule
            | Record::Known
            | Record::Words(_)
            | Record::Section(_)
            | Record::Page(_)
            | Record::PageTable(_)
            | Record::Epilogue
            | Record::Malformed(_)
    )
}

/// Lines below the `panic:` of another system or of a program: traces of Go, the debuggers of the
/// BSDs.
const RUNTIMES: [&str; 5] =
    ["goroutine ", "[signal SIG", "cpuid = ", "KDB: stack backtrace", "Stopped at "];

/// Returns whether a line below a headline is that of another system or of a program.
pub(super) fn is_of_runtime(text: &[u8]) -> bool {
    RUNTIMES.iter().any(|part| search::has(text, *part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::table::MARKERS;

    fn marker(text: &str) -> &'static Marker {
        MARKERS.iter().find(|marker| marker.text == text).expect("a marker")
    }

    #[test]
    fn carriers_name_programs() {
        let p = |line: &str| is_of_program(line.as_bytes(), marker("Kernel panic"));
        for line in [
            "Oct 01 10:00:00 h systemd[1]: Saves a crash dump after a Kernel panic",
            "2026-10-01T10:00:00.123456+02:00 h kdump-tools: after a Kernel panic",
            "[    5.1] systemd[1]: Starting after a Kernel panic",
            "<30>Oct  1 10:00:00 h my-daemon[7]: Kernel panic",
            "[    5.123456] h kubelet[1203]: Kernel panic",
            r#"{"SYSLOG_IDENTIFIER":"kubelet","MESSAGE":"Kernel panic"}"#,
        ] {
            assert!(p(line), "{line}");
        }
        for line in [
            "Oct 01 10:00:00 h kernel: Kernel panic - not syncing: x",
            "Oct 01 10:00:00 h kernel[0]: Kernel panic",
            "[    5.1] Kernel panic",
            "Oct 01 10:00:00 h virtlogd[812]: [    5.123456] Kernel panic",
            "2026-10-01 10:00:00 Kernel panic",
            "[Tue Aug 30 16:50:42 2022] rcu: Kernel panic",
            "Aug 09 11:29:07 host: Kernel panic",
            "A>   21:42:17 >>> [4783828.834689] NMI x: Kernel panic",
            r#"{"SYSLOG_IDENTIFIER" : "kernel", "MESSAGE" : "Kernel panic"}"#,
            "Kernel panic - not syncing: a[1]: b",
        ] {
            assert!(!p(line), "{line}");
        }
    }

    #[test]
    fn words_around_a_marker_make_doubt() {
        let p = |line: &str, text, is_form| {
            doubt(line.as_bytes(), Context::Bare, marker(text), is_form)
        };
        for (line, text, is_form) in [
            ("and a kernel BUG at last", "kernel BUG ", true),
            ("$ dmesg | grep -c 'BUG: x'", "BUG:", true),
            ("+\tpr_emerg(\"BUG: x\\n\");", "BUG:", true),
            ("RETBleed: WARNING: x", "WARNING:", false),
            ("INFO:     Started server process [1]", "INFO:", false),
            ("a.c:1:2: fatal error: x.h: No such file", "fatal error:", true),
        ] {
            assert_eq!(p(line, text, is_form), Doubt::Body, "{line}");
        }
        for (line, text, is_form) in [
            ("watchdog: BUG: soft lockup", "BUG:", true),
            ("`BUG: x", "BUG:", true),
            ("usb 5-1: WARNING: x", "WARNING:", false),
        ] {
            assert_eq!(p(line, text, is_form), Doubt::None, "{line}");
        }
        assert_eq!(p("panic: x", "panic:", true), Doubt::Runtime);
    }
}
