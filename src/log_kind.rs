//! Detection of syzkaller's bisection logs.
//!
//! The lines of a bisection log quote titles of crashes, which are not reports. It ends with the
//! console of one crash, below a line `crash: TITLE`.

use memchr::memmem;

use crate::search;

/// The first words of a bisection log.
const HEADS: [&[u8]; 2] =
    [b"bisecting cause commit starting from ", b"bisecting fixing commit since "];

/// Returns where the console output begins: 0 for other logs, the end of the log for a bisection
/// log without a crash.
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

/// Returns whether a line is one of the manager's, above the first line of a bisection log.
pub(crate) fn is_manager(line: &[u8]) -> bool {
    search::has(line, " starts bisection ")
}

/// The start of the line above the console of a bisection log.
pub(crate) const CRASH: &[u8] = b"crash: ";

/// Returns whether a log is a bisection log, from its first lines.
pub(crate) fn is_bisection(log: &[u8]) -> bool {
    // A manager may print one line first: `ci starts bisection 2022-11-03 …`.
    let mut lines = log.split(|&b| b == b'\n');
    let mut head = lines.next().unwrap_or_default();
    if is_manager(head) {
        head = lines.next().unwrap_or_default();
    }
    // Only a commit follows the words, so no line of a console matches.
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
