//! Clusters as one HTML page without network access, external scripts or styles. All text is
//! escaped.

use std::io;

use serde::Serialize;

use super::bugs::Bug;
use crate::escape;

/// The page; its data replaces [`MARK`].
const PAGE: &str = include_str!("page.html");

const MARK: &str = "{{data}}";

/// The data of the page.
#[derive(Serialize)]
struct Data<'a> {
    generated: &'static str,
    reports: usize,
    files: usize,
    clusters: &'a [Bug<'a>],
}

/// Writes the page of these bugs, which were found in `files` logs.
///
/// All text of the logs is in one block of JSON, in which `<`, `>`, `&` and the line terminators of
/// JavaScript are escaped. The page displays it as text, never as HTML.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(out: &mut impl io::Write, bugs: &[Bug<'_>], files: usize) -> io::Result<()> {
    let generated = concat!("ksplat ", env!("CARGO_PKG_VERSION"));
    let reports = bugs.iter().map(|bug| bug.cluster.count).sum();
    let (before, after) = PAGE.split_once(MARK).unwrap_or((PAGE, ""));
    out.write_all(before.as_bytes())?;
    let data = Data { generated, reports, files, clusters: bugs };
    escape::write_json(&mut *out, &data, &['<', '>', '&'])?;
    out.write_all(after.as_bytes())
}

#[cfg(test)]
mod tests {
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
}
