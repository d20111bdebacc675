//! Normalization: replaces the numbers and addresses of a title by words.

/// The most bytes of a title.
const MAX_TITLE: usize = 120;

/// The most bytes of a raw title: more than any line that a kernel prints.
///
/// Some rules take a pass over the text for each match.
const MAX_RAW: usize = 1024;

/// A rule: matches the start of a text, given the byte before it.
///
/// Returns the length of the match, and its replacement.
type Rule = fn(&[u8], Option<u8>) -> Option<(usize, &'static str)>;

/// The rules. Each is applied until the text does not change, before the next one.
const RULES: [Rule; 9] = [
    |text, _| numbered(text, b"syz-executor", true),
    |text, _| numbered(text, b"syzkaller", false),
    address,
    ip_address,
    source_line,
    offset,
    |text, _| {
        let digits = count(text.strip_prefix(b"CPU#")?, |b| b.is_ascii_digit());
        (digits > 0).then_some((4 + digits, "CPU"))
    },
    number,
    |text, _| {
        let digits = count(text, |b| b.is_ascii_digit());
        (digits >= 7).then_some((digits, "NUM"))
    },
];

/// The index of the rule for addresses.
const ADDRESS: usize = 2;

/// For each byte the set of rules whose matches start with it.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time"
)]
const FIRST: [u16; 256] = {
    let mut first = [0; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        let is = [
            byte == b's',
            byte == b's',
            byte.is_ascii_hexdigit(),
            byte.is_ascii_digit(),
            byte == b':',
            byte == b'+',
            byte == b'C',
            byte.is_ascii_digit(),
            byte.is_ascii_digit(),
        ];
        let mut rule = 0;
        while rule < is.len() {
            first[b] |= (is[rule] as u16) << rule;
            rule += 1;
        }
        b += 1;
    }
    first
};

fn first(byte: u8) -> u16 {
    FIRST.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Normalizes a title.
pub(super) fn title(raw: &str) -> String {
    let mut text = raw.as_bytes().to_vec();
    text.truncate(MAX_RAW);
    // All rules match digits, except the one for addresses, which may be letters only.
    let mut present = text.iter().fold(0, |all, &b| all | first(b));
    if !text.iter().any(u8::is_ascii_digit) {
        present &= 1 << ADDRESS;
    }
    for (index, &rule) in RULES.iter().enumerate() {
        let bit = 1 << index;
        // A replacement adds no digits, and its letters are in the set already.
        if present & bit == 0 {
            continue;
        }
        // Each replacement shortens the text or removes a digit, so this terminates.
        while let Some(changed) = apply(bit, rule, &text) {
            text = changed;
        }
    }
    text.truncate(MAX_TITLE);
    let printable = text.iter().filter(|&&b| b == b'\t' || (0x20..0x7f).contains(&b));
    let mut clean = String::with_capacity(text.len());
    for &b in printable {
        let c = if b == b'\t' { ' ' } else { char::from(b) };
        if c != ' ' || !clean.ends_with(' ') {
            clean.push(c);
        }
    }
    clean.trim().to_owned()
}

/// Applies a rule at each place from left to right; `None` if it matches nowhere.
fn apply(bit: u16, rule: Rule, text: &[u8]) -> Option<Vec<u8>> {
    let mut changed: Option<Vec<u8>> = None;
    let (mut at, mut copied, mut before) = (0, 0, None);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = rest.iter().position(|&b| first(b) & bit != 0).unwrap_or(rest.len());
        if skipped > 0 {
            before = rest.get(skipped - 1).copied();
            at += skipped;
        } else if let Some((len, word)) = rule(rest, before) {
            let out = changed.get_or_insert_with(|| Vec::with_capacity(text.len()));
            out.extend_from_slice(text.get(copied..at)?);
            out.extend_from_slice(word.as_bytes());
            before = text.get(at + len - 1).copied();
            at += len;
            copied = at;
        } else {
            before = rest.first().copied();
            at += 1;
        }
    }
    let mut out = changed?;
    out.extend_from_slice(text.get(copied..)?);
    (out != text).then_some(out)
}

/// `syz-executor.3/4`, `syzkaller12:3`: a name with the numbers of a process.
fn numbered(text: &[u8], name: &'static [u8], dot: bool) -> Option<(usize, &'static str)> {
    let mut len = name.len();
    let rest = text.strip_prefix(name)?;
    len += usize::from(dot && rest.first() == Some(&b'.'));
    let digits = count(text.get(len..)?, |b| b.is_ascii_digit());
    if digits == 0 {
        return None;
    }
    len += digits;
    if let Some([b'/' | b':', rest @ ..]) = text.get(len..) {
        let digits = count(rest, |b| b.is_ascii_digit());
        len += if digits > 0 { 1 + digits } else { 0 };
    }
    Some((len, if dot { "syz-executor" } else { "syzkaller" }))
}

fn address(text: &[u8], before: Option<u8>) -> Option<(usize, &'static str)> {
    if before.is_none_or(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let with_mark = text.strip_prefix(b"0x").map_or(0, |rest| count(rest, is_digit));
    if with_mark >= 6 {
        return Some((2 + with_mark, "ADDR"));
    }
    let digits = count(text, is_digit);
    (digits >= 6).then_some((digits, "ADDR"))
}

fn ip_address(text: &[u8], before: Option<u8>) -> Option<(usize, &'static str)> {
    if before.is_none_or(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let mut len = 0;
    for part in 0..4 {
        if part > 0 {
            len +=
                usize::from(text.get(len) == Some(&b'.')).checked_sub(0).filter(|&dot| dot == 1)?;
        }
        let digits = count(text.get(len..)?, |b| b.is_ascii_digit()).min(3);
        len += if digits > 0 { digits } else { return None };
    }
    Some((len, "IP"))
}

/// `.c:123` and `.c:12:5`; the match starts at the colon.
fn source_line(text: &[u8], before: Option<u8>) -> Option<(usize, &'static str)> {
    if !before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    let mut len = 0;
    while let Some([b':', rest @ ..]) = text.get(len..) {
        let digits = count(rest, |b| b.is_ascii_digit());
        if digits == 0 {
            break;
        }
        len += 1 + digits;
    }
    (len > 0).then_some((len, ":LINE"))
}

/// `+0x1f/0x2e` after the name of a function.
fn offset(text: &[u8], before: Option<u8>) -> Option<(usize, &'static str)> {
    if !before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')) {
        return None;
    }
    let is_digit = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let first = count(text.strip_prefix(b"+0x")?, is_digit);
    let rest = text.get(3 + first..)?.strip_prefix(b"/0x")?;
    let second = count(rest, is_digit);
    (first > 0 && second > 0).then_some((6 + first + second, ""))
}

/// Digits between bytes that are not part of a word, or at the end of the text.
fn number(text: &[u8], before: Option<u8>) -> Option<(usize, &'static str)> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if before.is_none_or(is_word) {
        return None;
    }
    let digits = count(text, |b| b.is_ascii_digit());
    let ends = text.get(digits).is_none_or(|&b| !is_word(b));
    (digits > 0 && ends).then_some((digits, "NUM"))
}

fn count(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|&&b| is(b)).count()
}

/// Returns the function in a title: the text after its last ` in `.
pub(super) fn frame(title: &str) -> Option<&str> {
    let name = title.rsplit_once(" in ")?.1;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    // A Rust method starts with its type: `<rust_binder::Process>::drop`.
    let group = match name.strip_prefix('<').and_then(|rest| rest.find('>')) {
        Some(end) => end + 2,
        None => 0,
    };
    let rest = name.get(group..)?;
    let len = group + rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    name.get(..len).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_title() {
        for (raw, want) in [
            ("INFO: task syz-executor.3:1234 hung", "INFO: task syz-executor hung"),
            ("x syzkaller123456 y", "x syzkaller y"),
            ("kernel BUG at fs/pipe.c:123!", "kernel BUG at fs/pipe.c:LINE!"),
            ("BUG in foo_deadbeef", "BUG in foo_ADDR"),
            ("at 0xffff888012345678 and 0x12", "at ADDR and 0x12"),
            ("peer 10.0.0.1 gone", "peer IP gone"),
            ("assert in dequeue_entities+0x6df/0x760", "assert in dequeue_entities"),
            ("lock on CPU#12, x", "lock on CPU, x"),
            ("a 1,2,3 b", "a NUM,NUM,NUM b"),
            ("cfg80211 at 7", "cfg80211 at NUM"),
            ("serial xyz12345678q", "serial xyzNUMq"),
            ("a\tb  c \x01\u{fffd}d", "a b c d"),
            ("2022/10/02 SYZ", "2022/NUM/NUM SYZ"),
        ] {
            assert_eq!(title(raw), want);
        }
        assert_eq!(title(&"ab ".repeat(100)).len(), 119);
        assert_eq!(title(&format!("syz-executor{}", "1.".repeat(1 << 20))), "syz-executor.");
    }

    #[test]
    fn ok_frame() {
        assert_eq!(frame("KASAN: use-after-free Read in foo"), Some("foo"));
        assert_eq!(frame("WARNING in f/usb_submit_urb"), Some("f"));
        assert_eq!(frame("overflow in <a::B>::drop"), Some("<a::B>::drop"));
        assert_eq!(frame("a in b in c"), Some("c"));
        assert_eq!(frame("kernel panic: x"), None);
    }
}
