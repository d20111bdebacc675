//! Known prefixes of lines.
//!
//! ```text
//! line    = quotes [ carrier ] [ dropped ] [ *char " login: " ] [ stamp ] text
//! stamp   = [ "<" 1*DIGIT ">" ] time [ caller ] " "
//! time    = "[" *" " 1*DIGIT "." 1*DIGIT "]"              ; print_time() in kernel/printk/printk.c
//! caller  = "[" *" " ( "T" / "C" ) 1*DIGIT "]"            ; print_caller()
//! dropped = "** " 1*DIGIT " printk messages dropped ** "  ; console_emit_next_record()
//! quotes  = *( ">" [ " " ] ) *( " " / TAB )               ; a mail, an issue tracker
//! ```
//!
//! The `login: ` of a getty stays on the line where the kernel began to print. Carriers are in
//! [`CARRIERS`].

use std::time::Duration;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till1, take_while, take_while_m_n, take_while1};
use nom::combinator::{opt, recognize, value};
use nom::sequence::{delimited, preceded, terminated};

use super::{Caller, Context};
use crate::search;
use crate::token::{self, Parsed};
use crate::token::{blanks, digits, stamp as time_stamp, word};

/// Parses a prefix and returns the caller, if it names one.
type Carrier = fn(&[u8]) -> Parsed<'_, Option<&[u8]>>;

/// The known prefixes of loggers.
const CARRIERS: &[Carrier] = &[facility, human_time, record, syslog, journal, logcat, broken];

/// Returns the caller of `line`, and the length of its prefix in bytes.
pub(super) fn prefix(line: &[u8]) -> (Context, usize) {
    let skipped = |rest: &[u8]| line.len() - rest.len();
    let context = |caller: Option<&[u8]>| {
        caller.map_or(Context::Console, |name| Context::Caller(Caller::new(name)))
    };
    if let Ok((rest, caller)) = stamp(line) {
        return (context(caller), skipped(rest));
    }
    let quoted = line.first().is_some_and(|b| matches!(b, b'>' | b' ' | b'\t' | b'|'));
    let plain = if quoted { unquoted(line) } else { line };
    if quoted && let Ok((rest, caller)) = stamp(plain) {
        return (context(caller), skipped(rest));
    }
    if let Some((rest, caller)) = captured(plain) {
        return (context(caller), skipped(rest));
    }
    if let Some((rest, caller)) = CARRIERS.iter().find_map(|carrier| carrier(plain).ok()) {
        return match stamp(rest) {
            Ok((rest, caller)) => (context(caller), skipped(rest)),
            Err(_) => (context(caller), skipped(rest)),
        };
    }
    let prompt = search::find(line, " login: ").and_then(|at| line.get(at + 8..));
    if let Some((rest, caller)) = prompt.and_then(|rest| stamp(rest).ok()) {
        return (context(caller), skipped(rest));
    }
    // A level without a time: kernels without CONFIG_PRINTK_TIME, read from /dev/kmsg.
    if let [b'<', digit, b'>', ..] = line
        && digit.is_ascii_digit()
    {
        return (Context::Bare, 3);
    }
    // Without a known prefix, indentation is significant to the grammars; quote marks are not.
    (Context::Bare, skipped(unmarked(line)))
}

/// Returns the caller of a line that starts with a printk time, and the length of that prefix.
pub(super) fn of_stamp(line: &[u8]) -> Option<(Context, usize)> {
    let (rest, caller) = stamp(line).ok()?;
    let context = caller.map_or(Context::Console, |name| Context::Caller(Caller::new(name)));
    Some((context, line.len() - rest.len()))
}

/// Returns the printk time in the prefix of a line: the last one, because programs that capture a
/// console may print their own time before it.
pub(crate) fn boot_time(carrier: &[u8]) -> Option<Duration> {
    let mut places = memchr::memrchr_iter(b'[', carrier);
    places.find_map(|at| {
        let text = carrier.get(at..)?;
        let (rest, ()) = time_stamp(text).ok()?;
        let stamp = text.get(1..text.len() - rest.len() - 1)?.trim_ascii_start();
        let (seconds, fraction) = std::str::from_utf8(stamp).ok()?.split_once('.')?;
        // print_time() in kernel/printk/printk.c prints microseconds.
        let micros = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
        let micros = micros.fold(0, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')));
        let seconds = Duration::from_secs(seconds.parse().ok()?);
        seconds.checked_add(Duration::from_micros(micros))
    })
}

/// Returns the date and the time of day in the prefix of a line, as printed:
/// `2026-11-21T06:14:00+00:00`, `Sat Nov 21 06:14:00 2026`, `Nov 21 06:14:00`,
/// `11-21 06:14:00.123`.
pub(crate) fn wall_time(carrier: &[u8]) -> Option<&[u8]> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80;
    let reach = carrier.get(..MAX_DATED).unwrap_or(carrier);
    let mut starts = (0..reach.len()).filter(|&at| {
        is_word(reach.get(at).copied().unwrap_or_default())
            && !at.checked_sub(1).is_some_and(|at| reach.get(at).copied().is_some_and(is_word))
    });
    starts.find_map(|at| {
        let date = alt((iso_date, full_date, short_date, month_and_day)).parse(carrier.get(at..)?);
        date.ok().map(|(_, date)| date)
    })
}

/// The first bytes of a prefix, in which a date is searched.
const MAX_DATED: usize = 256;

/// `2026-11-21T06:14:00.123456+00:00` and `2026-11-21 06:14:00`.
fn iso_date(input: &[u8]) -> Parsed<'_, &[u8]> {
    let date = (digits, tag("-"), digits, tag("-"), digits, alt((tag("T"), tag(" "))));
    let offset = (alt((tag("+"), tag("-"))), digits, opt((tag(":"), digits)));
    let zone = opt(alt((tag("Z"), recognize(offset))));
    recognize((date, clock, zone)).parse(input)
}

/// `Sat Nov 21 06:14:00 2026`.
fn full_date(input: &[u8]) -> Parsed<'_, &[u8]> {
    let day = (name, blanks, name, blanks, digits, tag(" "));
    recognize((day, clock, tag(" "), digits)).parse(input)
}

/// `Nov 21 06:14:00`, `Nov21 06:14`.
fn short_date(input: &[u8]) -> Parsed<'_, &[u8]> {
    recognize((name, blanks, digits, tag(" "), clock)).parse(input)
}

/// `11-21 06:14:00.123`.
fn month_and_day(input: &[u8]) -> Parsed<'_, &[u8]> {
    recognize((digits, tag("-"), digits, tag(" "), clock)).parse(input)
}

/// The maximum number of bytes that a program which captured a console prints before a line.
const MAX_CAPTURED: usize = 48;

/// Finds a printk time behind numbers and punctuation, which are the time of a program that
/// captured the console.
fn captured(line: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let is_time = |b: &u8| b.is_ascii_digit() || b" \t:.,-+_/|>`TZ[](){}#".contains(b);
    let reach = line.iter().take(MAX_CAPTURED).take_while(|b| is_time(b)).count();
    let mut marks = memchr::memchr_iter(b'[', line.get(..reach)?).skip_while(|&at| at == 0);
    marks.find_map(|at| stamp(line.get(at..)?).ok())
}

/// Strips quote marks and indentation.
fn unquoted(line: &[u8]) -> &[u8] {
    let is_mark = |b: &u8| matches!(b, b'>' | b' ' | b'\t' | b'|');
    line.get(line.iter().take_while(|b| is_mark(b)).count()..).unwrap_or_default()
}

/// Strips quote marks, each with the blank behind it, but no indentation.
///
/// `>ffff888001286000:` is not quoted: `print_memory_metadata()` in mm/kasan/report.c marks the row
/// of the bad address with `>`.
fn unmarked(line: &[u8]) -> &[u8] {
    let is_address = |text: &[u8]| {
        let digits = text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        digits >= 8 && text.get(digits) == Some(&b':')
    };
    let mut rest = line;
    while let Some(tail) = rest.strip_prefix(b">").filter(|tail| !is_address(tail)) {
        rest = tail.strip_prefix(b" ").unwrap_or(tail);
    }
    rest.strip_prefix(b"| ").unwrap_or(rest)
}

/// Parses a printk time and returns the caller, without brackets and padding.
fn stamp(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let rest = match input.first() {
        Some(b'[') => input,
        Some(b'<' | b'*') => {
            let dropped = (tag("** "), digits, tag(" printk messages dropped ** "));
            let level = (tag("<"), digits, tag(">"));
            (opt(dropped), opt(level)).parse(input)?.0
        }
        _ => return Err(nom::Err::Error(())),
    };
    let (rest, ()) = time_stamp(rest)?;
    let (rest, caller) = caller(rest).map_or((rest, None), |(rest, caller)| (rest, Some(caller)));
    let Some(rest) = rest.strip_prefix(b" ") else { return Err(nom::Err::Error(())) };
    Ok(if caller.is_some() { (rest, caller) } else { behind(rest) })
}

/// Strips a vendor's text behind the time.
fn behind(input: &[u8]) -> (&[u8], Option<&[u8]>) {
    // Each starts with one of these marks.
    if !matches!(input.trim_ascii_start().first(), Some(b'.' | b'(' | b'[')) {
        return (input, None);
    }
    BEHIND.iter().find_map(|behind| behind(input).ok()).unwrap_or((input, None))
}

/// The texts that vendors print between the time and the message. Each parser returns the caller,
/// if it is named.
const BEHIND: &[Carrier] = &[mediatek, samsung];

/// `.(0)[91:init]` and ` (2)[1234:kworker/2:1]` of MediaTek's kernels: the CPU and the task.
fn mediatek(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let cpu = delimited(tag("("), digits, tag(")"));
    let task = (tag("["), digits, tag(":"), take_till1(|b| b == b']'), tag("]"));
    value(None, (blanks, opt(tag(".")), cpu, task, opt(tag(" ")))).parse(input)
}

/// `[1:            init:   95] ` of Samsung's kernels: the CPU, the task and its ID.
fn samsung(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let name = take_till1(|b| b == b':' || b == b']');
    let task = (blanks, name, tag(":"), blanks, digits);
    value(None, (blanks, tag("["), digits, tag(":"), task, tag("]"), opt(tag(" ")))).parse(input)
}

/// `[T12]` and `[   C1]`; some programs print a blank before it.
fn caller(input: &[u8]) -> Parsed<'_, &[u8]> {
    // Written by hand because every line of many logs has one.
    let no_caller = Err(nom::Err::Error(()));
    let ([b' ', b'[', rest @ ..] | [b'[', rest @ ..]) = input else { return no_caller };
    let mut name = rest;
    while let [b' ', tail @ ..] = name {
        name = tail;
    }
    let [b'T' | b'C', digits @ ..] = name else { return no_caller };
    let (count, b']', rest) = token::run_of_digits(digits) else { return no_caller };
    match name.get(..=count) {
        Some(name) if count > 0 => Ok((rest, name)),
        _ => no_caller,
    }
}

/// `    6.425737] ` and `[    6.425737 `: a bracket was lost on the serial line.
fn broken(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let micros = take_while_m_n(6, 6, |b: u8| b.is_ascii_digit());
    let (rest, open) =
        terminated(opt(tag("[")), (blanks, digits, tag("."), micros)).parse(input)?;
    match open {
        None => terminated(preceded(tag("]"), opt(caller)), tag(" ")).parse(rest),
        Some(_) => value(None, tag(" ")).parse(rest),
    }
}

/// `kern  :warn  : `, printed by `dmesg -x`.
fn facility(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let name = |input| take_while1(|b: u8| b.is_ascii_lowercase() || b == b' ').parse(input);
    value(None, (tag("kern"), blanks, tag(":"), name, tag(": "))).parse(input)
}

/// `[Sat Nov 21 06:14:00 2026] `, printed by `dmesg -T`; `[Nov21 06:14] ` and `[  +0.000012] `, by
/// `dmesg -H`.
fn human_time(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let year = (name, blanks, name, blanks, digits, tag(" "), clock, tag(" "), digits);
    let month = (name, blanks, digits, tag(" "), clock);
    let point = alt((tag("."), tag(",")));
    let delta = (blanks, tag("+"), digits, point, digits);
    let time = alt((value((), year), value((), month), value((), delta)));
    value(None, (tag("["), time, tag("]"), opt(tag(" ")))).parse(input)
}

/// `6,1234,567890,-,caller=T12;` in /dev/kmsg and netconsole, which may print the release before
/// it: `info_print_ext_header()` in kernel/printk/printk.c, `send_ext_msg_udp()` in
/// drivers/net/netconsole.c.
fn record(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let is_field = |b: u8| b != b';' && b != b',' && b.is_ascii_graphic();
    let release = terminated(take_while1(is_field), tag(","));
    let flag = take_while_m_n(1, 1, |b: u8| b == b'-' || b == b'c' || b == b'+');
    let more = take_while(|b: u8| b != b';' && b.is_ascii_graphic());
    let fields = || (digits, tag(","), digits, tag(","), digits, tag(","));
    let (rest, ()) = alt((value((), fields()), value((), (release, fields())))).parse(input)?;
    let (rest, (_, more, _)) = (flag, more, tag(";")).parse(rest)?;
    let caller = more.split(|&b| b == b',').find_map(|field| field.strip_prefix(b"caller="));
    Ok((rest, caller))
}

/// Returns whether a prefix marks the continuation of a record that netconsole had to split:
/// `6,416,1234,-,ncfrag=980/1500;`.
pub(super) fn is_rest(carrier: &[u8]) -> bool {
    let offset = carrier.strip_suffix(b";").and_then(|fields| {
        let at = search::find(fields, ",ncfrag=")?;
        fields.get(at + 8..)
    });
    offset.is_some_and(|offset| !offset.starts_with(b"0/"))
}

/// `<6>Nov 21 06:14:00 host kernel: ` of syslog (RFC 3164), and the same of journalctl.
fn syslog(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let level = delimited(tag("<"), digits, tag(">"));
    let date = (name, blanks, digits, tag(" "), clock);
    let source = alt((preceded((tag(" "), blanks), program), value((), tag(": "))));
    value(None, (opt(level), date, source)).parse(input)
}

/// `2026-11-21T06:14:00.123456+00:00 host kernel: ` of journalctl and of syslog (RFC 5424).
fn journal(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let level = (delimited(tag("<"), digits, tag(">")), opt(terminated(digits, tag(" "))));
    let date = (digits, tag("-"), digits, tag("-"), digits, alt((tag("T"), tag(" "))));
    let zone = take_while(|b: u8| b.is_ascii_digit() || matches!(b, b':' | b'+' | b'-' | b'Z'));
    value(None, (opt(level), date, clock, zone, tag(" "), program)).parse(input)
}

/// `E/kernel  (    0): ` and `11-21 06:14:00.123     0     0 E kernel  : ` of Android's logcat.
fn logcat(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let level = || take_while_m_n(1, 1, |b: u8| b.is_ascii_uppercase());
    let brief = (level(), tag("/kernel"), blanks, tag("("), blanks, digits, tag("): "));
    let date = (digits, tag("-"), digits, tag(" "), clock, blanks);
    let long = (date, digits, blanks, digits, tag(" "), level(), tag(" kernel"), blanks, tag(": "));
    alt((value(None, brief), value(None, long))).parse(input)
}

/// `host kernel: `, with an optional host and an optional number in brackets.
fn program(input: &[u8]) -> Parsed<'_, ()> {
    // RFC 5424 has process, message and data between the name and the text.
    let structured = (word, tag(" kernel - - - "));
    alt((named, value((), (word, tag(" "), named)), value((), structured))).parse(input)
}

/// `kernel: `.
fn named(input: &[u8]) -> Parsed<'_, ()> {
    let number = delimited(tag("["), digits, tag("]"));
    value((), (tag("kernel"), opt(number), tag(":"), opt(tag(" ")))).parse(input)
}

/// The name of a month or a day, in any language.
fn name(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while_m_n(2, 12, |b: u8| b.is_ascii_alphabetic() || b >= 0x80 || b == b'.').parse(input)
}

/// `06:14:00` with an optional fraction, `06:14`.
fn clock(input: &[u8]) -> Parsed<'_, ()> {
    let pair = |input| {
        take(2usize)
            .parse(input)
            .and_then(|(rest, pair): (&[u8], &[u8])| digits(pair).map(|_| (rest, ())))
    };
    let seconds = preceded(tag(":"), pair);
    let fraction = preceded(alt((tag("."), tag(","))), digits);
    value((), (pair, tag(":"), pair, opt(seconds), opt(fraction))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_printk() {
        let p = |line: &'static str| prefix(line.as_bytes());
        assert_eq!(p("[    1.000001] x"), (Context::Console, 15));
        assert_eq!(p("<6>[12345.000001] x"), (Context::Console, 18));
        assert_eq!(p("[    1.000001][  T345] x"), (Context::Caller(Caller::new(b"T345")), 23));
        assert_eq!(p("[    1.000001] [  T345] x"), (Context::Caller(Caller::new(b"T345")), 24));
        assert_eq!(
            p("syzkaller login: [    1.5][    C1] x"),
            (Context::Caller(Caller::new(b"C1")), 35)
        );
        assert_eq!(p("** 12 printk messages dropped ** [    1.5] x"), (Context::Console, 43));
    }

    #[test]
    fn ok_carriers() {
        for line in [
            "kern  :warn  : [    9.159851] |x",
            "[Sat Nov 21 06:14:00 2026] |x",
            "[Nov21 06:14] |x",
            "[  +0.000012] |x",
            "[  +0,000008] |x",
            "6,1234,567890,-;|x",
            "4,1234,567890,-,ncfrag=0/1200;|x",
            "6.5.0-rc1+,4,1234,567890,-;|x",
            "Nov 21 06:14:00 host kernel: |x",
            "<4>Nov  1 06:14:00 host kernel: [    1.5] |x",
            "May 06 21:18:24 kernel: |x",
            "2026-11-21T06:14:00.123456+00:00 host kernel: |x",
            "2025-01-24T02:15:03.9009694Z [  246.932163] |x",
            "08:56:35.942217  [    4.264434] |x",
            "May 18 21:01:26: |x",
            "May 17 03:30:23  kernel: |x",
            "<4>1 2026-11-21T06:14:00Z host kernel - - - [    1.5] |x",
            "> >> Nov 21 06:14:00 host kernel: |x",
            "    [    1.5] |x",
            "> [    1.5] |x",
            "E/kernel  (    0): [    1.5] |x",
            "11-21 06:14:00.123     0     0 E kernel  : [    1.5] |x",
            "    6.425737] |x",
            "[    6.425737 |x",
        ] {
            let at = line.find('|').expect("a mark");
            let line = line.replacen('|', "", 1);
            assert_eq!(prefix(line.as_bytes()), (Context::Console, at), "{line:?}");
        }
        assert_eq!(prefix(b"> >  f+0x1/0x2"), (Context::Bare, 4));
        // The mark of the row with the bad address, in a mail and on a console without times.
        assert_eq!(prefix(b">ffff888001286000: fa fb"), (Context::Bare, 0));
        assert_eq!(prefix(b"> >ffff888001286000: fa fb"), (Context::Bare, 2));
        assert_eq!(prefix(b">> ffff888001286000: fa fb"), (Context::Bare, 3));
        let line = b"4,1234,567890,-,caller=T12;x";
        assert_eq!(prefix(line), (Context::Caller(Caller::new(b"T12")), 27));
        assert!(is_rest(b"4,1,2,-,ncfrag=980/1500;") && !is_rest(b"4,1,2,-,ncfrag=0/1500;"));
        assert!(!is_rest(b"4,1,2,-;") && !is_rest(b""));
    }

    #[test]
    fn ok_boot_time() {
        let micros = |text: &'static str| boot_time(text.as_bytes()).map(|time| time.as_micros());
        assert_eq!(micros("[   12.345678][   T12] "), Some(12_345_678));
        assert_eq!(micros("[1.0] machine # [    6.425] c0 "), Some(6_425_000));
        assert_eq!(micros("<4>[99999999999999999999.0] "), None);
        assert_eq!(micros("Nov 21 06:14:00 host kernel: "), None);
    }

    #[test]
    fn ok_wall_time() {
        for line in [
            "{2026-11-21T06:14:00.123456+00:00} host kernel: ",
            "<4>1 {2026-11-21T06:14:00Z} host kernel - - - [    1.5] ",
            "{2026-11-21 06:14:00} host kernel: ",
            "[{Sat Nov 21 06:14:00 2026}] ",
            "> <4>{Nov  1 06:14:00} host kernel: [    1.5] ",
            "[{Nov21 06:14}] ",
            "{11-21 06:14:00.123}     0     0 E kernel  : ",
        ] {
            let (start, end) = (line.find('{').expect("a mark"), line.find('}').expect("a mark"));
            let line = line.replace(['{', '}'], "");
            let want = &line.as_bytes()[start..end - 1];
            assert_eq!(wall_time(line.as_bytes()), Some(want), "{line}");
        }
        for line in
            ["[   12.345678][   T12] ", "[  +0.000012] ", "6,1234,567890,-;", "08:56:35 ", ""]
        {
            assert_eq!(wall_time(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn ok_behind_a_stamp() {
        for line in [
            "[   12.345678]  (2)[1234:kworker/2:1]|x",
            "<0>[    6.425406] .(0)[91:init]|x",
            "<0>[    6.644256]  [1:            init:   95] |x",
        ] {
            let at = line.find('|').expect("a mark");
            let line = line.replacen('|', "", 1);
            assert_eq!(prefix(line.as_bytes()), (Context::Console, at), "{line:?}");
        }
        // Text that only starts like one.
        assert_eq!(prefix(b"[    1.5] (2) x"), (Context::Console, 10));
        assert_eq!(prefix(b"[    1.5] [1: x] y"), (Context::Console, 10));
    }

    #[test]
    fn err_prefix() {
        // No blank after it, no fraction, another kind of number, another kind of caller, another
        // program, no time.
        for line in [
            "[    1.000001]x",
            "[    1] x",
            "[ T12] x",
            "[    1.5][ X1] x",
            "x login: y",
            "",
            "Nov 21 06:14:00 host systemd[1]: x",
            "Nov 21 kernel: x",
            " f+0x1/0x2",
            "6,x;y",
        ] {
            assert_eq!(prefix(line.as_bytes()), (Context::Bare, 0), "{line:?}");
        }
    }
}
