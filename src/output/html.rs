//! Clusters as one page: no network, no script or style from elsewhere, everything escaped.

use std::io;

use serde::Serialize;

use super::bugs::Bug;

/// The page; its data goes where [`MARK`] stands.
const PAGE: &str = include_str!("page.html");

const MARK: &str = "{{data}}";

/// What the page shows.
#[derive(Serialize)]
struct Data<'a> {
    generated: &'static str,
    reports: usize,
    files: usize,
    clusters: &'a [Bug<'a>],
}

/// Writes the page of these bugs, which were found in `files` logs.
///
/// All text of the logs is in one block of JSON in which `<`, `>`, `&` and the line ends of JavaScript
/// are written as escapes; the page shows it as text only.
///
/// # Errors
///
/// Those of `out`.
pub fn write(out: &mut impl io::Write, bugs: &[Bug<'_>], files: usize) -> io::Result<()> {
    let generated = concat!("ksplat ", env!("CARGO_PKG_VERSION"));
    let reports = bugs.iter().map(|bug| bug.cluster.count).sum();
    let (before, after) = PAGE.split_once(MARK).unwrap_or((PAGE, ""));
    out.write_all(before.as_bytes())?;
    serde_json::to_writer(
        &mut Inert(&mut *out),
        &Data { generated, reports, files, clusters: bugs },
    )?;
    out.write_all(after.as_bytes())
}

/// JSON without a character that means something in HTML or JavaScript.
struct Inert<'a, W>(&'a mut W);

impl<W: io::Write> io::Write for Inert<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| matches!(b, b'<' | b'>' | b'&' | 0xe2)) {
            let (plain, tail) = rest.split_at(at);
            self.0.write_all(plain)?;
            let (escape, len) = match tail {
                [0xe2, 0x80, 0xa8, ..] => ("\\u2028", 3),
                [0xe2, 0x80, 0xa9, ..] => ("\\u2029", 3),
                [b'<', ..] => ("\\u003c", 1),
                [b'>', ..] => ("\\u003e", 1),
                [b'&', ..] => ("\\u0026", 1),
                _ => ("", 0),
            };
            match tail.split_at_checked(len.max(1)) {
                Some((own, more)) => {
                    self.0.write_all(if len == 0 { own } else { escape.as_bytes() })?;
                    rest = more;
                }
                None => break,
            }
        }
        self.0.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use io::Write;

    use super::*;

    #[test]
    fn the_page_has_one_place_for_data() {
        assert_eq!(PAGE.matches(MARK).count(), 1);
        for outside in ["http:", "https:", "src=", "@import", "url("] {
            let found = PAGE
                .match_indices(outside)
                .filter(|(at, _)| !PAGE[*at..].starts_with("http://www.w3.org/2000/svg"));
            assert_eq!(found.count(), 0, "{outside}");
        }
    }

    #[test]
    fn ok_inert() {
        let mut out = Vec::new();
        Inert(&mut out).write_all("a</script>&\u{2028}\u{2029}✓".as_bytes()).expect("memory");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "a\\u003c/script\\u003e\\u0026\\u2028\\u2029✓"
        );
    }
}
