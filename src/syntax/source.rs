//! Source files in a line, by the convention for the file to blame.
//!
//! ```text
//! source = path "." ( "c" / "h" ) ":" DIGIT     ; path has a "/"
//! ```

/// A source file on a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Source<'t> {
    /// Its path as printed.
    pub(crate) path: &'t [u8],
    /// Whether the line only lists the place: a lock that is held, the last event, the target of a
    /// register.
    pub(crate) is_listed: bool,
}

/// The first source file of a line.
pub(crate) fn source(line: &[u8]) -> Option<Source<'_>> {
    let path = memchr::memchr_iter(b':', line).find_map(|colon| {
        let path = line.get(..colon)?;
        let is_source = path.ends_with(b".c") || path.ends_with(b".h");
        if !is_source || !line.get(colon + 1)?.is_ascii_digit() {
            return None;
        }
        let start = path.iter().rposition(|&b| !is_path(b)).map_or(0, |at| at + 1);
        path.get(start..).filter(|path| path.contains(&b'/'))
    })?;
    Some(Source { path, is_listed: is_listed(line) })
}

/// Returns the source file of a frame, if the convention accepts it.
pub(crate) fn of_frame(path: &[u8]) -> Option<Source<'_>> {
    let is_source = path.ends_with(b".c") || path.ends_with(b".h");
    (is_source && path.contains(&b'/')).then_some(Source { path, is_listed: false })
}

fn is_path(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/')
}

/// Returns whether a line lists a place that is not on the stack: lockdep's lists and ARM's
/// register notes.
fn is_listed(line: &[u8]) -> bool {
    let start = line.trim_ascii_start();
    let numbered = || {
        let rest = start.strip_prefix(b"#").and_then(|rest| crate::token::digits(rest).ok());
        rest.is_some_and(|(rest, _)| rest.starts_with(b":"))
    };
    let has = |words: &str| crate::search::has(line, words);
    has("hardirqs last ")
        || has("softirqs last ")
        || has(", at: ")
        || numbered()
        || (start.starts_with(b"Register r") && has(" information"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_source() {
        let p = |line: &'static str| {
            let found = source(line.as_bytes())?;
            Some((std::str::from_utf8(found.path).ok()?, found.is_listed))
        };
        assert_eq!(p("kernel BUG at fs/a.c:12!"), Some(("fs/a.c", false)));
        assert_eq!(p(" #0: x, at: f net/a.c:1"), Some(("net/a.c", true)));
        assert_eq!(p("f a.c:1"), None);
        assert_eq!(p("f fs/b.rs:1"), None);
        assert_eq!(p("f fs/b.c:x"), None);
    }
}
