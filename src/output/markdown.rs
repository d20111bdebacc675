//! Reports for trackers and mails: Markdown that is readable as plain text.

use std::fmt;

use super::escape::escape;
use super::text::{self, TextOptions};
use crate::model::Report;

/// The bytes with a meaning in a heading of GitHub's Markdown.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '[', ']', '<', '>', '#', '|', '~', '@'];

/// The minimum number of backquotes of a fence.
const FENCE: usize = 3;

/// Writes a report of `file` as a heading with its title, and a fenced block with the rest of its text.
///
/// The text is that of [`text::write`] without colours, in lines of any length. The fence is longer
/// than any run of backquotes in it, so the text of the log cannot close the block.
///
/// # Errors
///
/// An error of `out` is returned.
///
/// ```
/// let log = b"kernel BUG at a.c:1!\nRIP: 0010:cm_add+0x1/0x2\nCall Trace:\n cm_write+0x1/0x2\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// let mut page = String::new();
/// ksplat::output::markdown::write(&mut page, "a.log", &report, Default::default())?;
/// assert!(page.starts_with("### kernel BUG in cm\\_add\n\n```text\n  a.log:1 "));
/// # Ok::<(), std::fmt::Error>(())
/// ```
pub fn write(
    out: &mut impl fmt::Write,
    file: &str,
    report: &Report<'_>,
    options: TextOptions,
) -> fmt::Result {
    write_with(out, file, report, options, "")
}

/// Writes the same with lines below the report, which are in the block as well.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_with(
    out: &mut impl fmt::Write,
    file: &str,
    report: &Report<'_>,
    options: TextOptions,
    below: &str,
) -> fmt::Result {
    let mut page = String::new();
    text::write(&mut page, file, report, options.with_color(false).with_width(None))?;
    page.push_str(below);
    let (_, body) = page.split_once('\n').unwrap_or((&page, ""));
    block(out, options.title(report), body)
}

/// Writes a heading, and a fenced block with a text.
pub(super) fn block(out: &mut impl fmt::Write, title: &str, body: &str) -> fmt::Result {
    out.write_str("### ")?;
    for character in escape(title).to_string().chars() {
        if SPECIAL.contains(&character) {
            out.write_char('\\')?;
        }
        out.write_char(character)?;
    }
    let longest = body.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(FENCE.max(longest + 1));
    write!(out, "\n\n{fence}text\n{body}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_log_ends_the_block() {
        let log =
            b"WARNING: at a.c:1 cm_add+0x1/0x2\nCPU: 0 PID: 1 Comm: ```` x Not tainted 6.1.0 #1\n\
            RIP: 0010:cm_add+0x1/0x2\nCall Trace:\n cm_write+0x1/0x2\n";
        let report = crate::parse::reports(log).next().expect("a report");
        let mut page = String::new();
        write(&mut page, "a.log", &report, TextOptions::default()).expect("a page");
        assert!(page.contains("\n`````text\n") && page.ends_with("\n`````\n"), "{page}");
        assert!(page.contains("````"), "{page}");
    }
}
