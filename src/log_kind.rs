//! syzkaller's bisection logs.
//!
//! A bisection log is no console log: its own lines quote titles of crashes, which must not be
//! taken for reports. The console of one crash stands at its end, after a line `crash: TITLE`.

use memchr::memmem;

use crate::search;

/// How a bisection log begins, in its first lines.
const HEADS: [&[u8]; 2] =
    [b"bisecting cause commit starting from ", b"bisecting fixing commit since "];

/// Where the console output begins: 0 for a log that is no bisection log, the end of the log for
/// one that holds no crash.
pub(crate) fn start(log: &[u8]) -> usize {
    if !is_bisection(log) {
        return 0;
    }
    match memmem::find(log, b"\ncrash: ") {
        Some(at) => log
            .get(at + 1..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
            .map_or(log.len(), |feed| at + 1 + feed + 1),
        None => log.len(),
    }
}

/// Whether a line is the first of a bisection log, and the next one tells.
pub(crate) fn is_manager(line: &[u8]) -> bool {
    search::has(line, " starts bisection ")
}

/// How the line begins that stands before the console of a bisection log.
pub(crate) const CRASH: &[u8] = b"crash: ";

/// Whether a log that begins so is one of a bisection.
pub(crate) fn is_bisection(log: &[u8]) -> bool {
    // A manager may put one line of its own first: `ci starts bisection 2022-11-03 …`.
    let mut lines = log.split(|&b| b == b'\n');
    let mut head = lines.next().unwrap_or_default();
    if is_manager(head) {
        head = lines.next().unwrap_or_default();
    }
    // Nothing but a commit follows, so no line of a console is taken for one.
    let is_commit = |text: &[u8]| {
        let text = text.trim_ascii_end();
        text.len() >= 12 && text.iter().all(u8::is_ascii_hexdigit)
    };
    HEADS.iter().any(|start| head.strip_prefix(*start).is_some_and(is_commit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_crash_of_a_bisection_is_console_output() {
        let p = |log: &str| log.get(start(log.as_bytes())..).map(str::to_owned);
        let head =
            "bisecting cause commit starting from 1b649e0bcae71c11\nrun #0: crashed: BUG: x\n";
        assert_eq!(p(&format!("{head}crash: BUG: x\nBUG: y\n")).as_deref(), Some("BUG: y\n"));
        assert_eq!(
            p(&format!("ci starts bisection 2022\n{head}crash: a\nb")).as_deref(),
            Some("b")
        );
        assert_eq!(p(head).as_deref(), Some(""));
        assert_eq!(p(&format!("{head}crash: a")).as_deref(), Some(""));
        assert_eq!(p("crash: a\nBUG: y").as_deref(), Some("crash: a\nBUG: y"));
        let quoted = "bisecting cause commit starting from BUG: x\n";
        assert_eq!(p(quoted).as_deref(), Some(quoted));
        assert_eq!(p("").as_deref(), Some(""));
    }
}
