//! Clusters as one HTML page without network access, external scripts or styles. All text is
//! escaped.
//!
//! `page.html` is built from `web/page/triage.*` by `npm run build` in `web/`.

use std::io;

use serde::Serialize;

use super::bugs::{Bug, BugDecision, BugMember, Dates, Exemplar};
use crate::cluster::Cluster;
use crate::escape;

/// The page; its data replaces [`MARK`], and the packed texts of reports [`TEXTS`].
const PAGE: &str = include_str!("page.html");

const MARK: &str = "{{data}}";
const TEXTS: &str = "{{texts}}";

/// What deflate tries to save space: a page of ten thousand texts is written within a second.
const LEVEL: u8 = 6;

/// Options of the page.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PageOptions<'a> {
    link_base: Option<&'a str>,
}

impl<'a> PageOptions<'a> {
    /// Links each report to its log: to `base` followed by the path and `#L` with the line, or, if `base` contains
    /// `{file}`, to `base` with `{file}` and `{line}` replaced.
    #[must_use]
    pub fn with_link_base(self, base: Option<&'a str>) -> Self {
        Self { link_base: base, ..self }
    }
}

/// The data of the page.
#[derive(Serialize)]
struct Data<'a> {
    generated: &'static str,
    reports: usize,
    files: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_base: Option<&'a str>,
    clusters: Vec<PageBug<'a>>,
}

/// A bug on the page.
#[derive(Serialize)]
struct PageBug<'a> {
    #[serde(flatten)]
    cluster: &'a Cluster,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a Dates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exemplar: Option<&'a Exemplar<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decisions: &'a [BugDecision],
    members: Vec<PageMember<'a>>,
}

/// The file, the index in it, the line, the release, the date, and the title if it is another than that of the bug:
/// an array without names, as most of a page is members.
type PageMember<'a> = (&'a str, usize, usize, &'a str, &'a str, &'a str);

fn member<'a>(bug: &Bug<'a>, member: &'a BugMember<'a>) -> PageMember<'a> {
    let title = if member.title == bug.cluster.title { "" } else { member.title };
    let (release, seen) = (member.release.unwrap_or_default(), member.seen.as_deref());
    (member.file, member.index, member.line.unwrap_or(0), release, seen.unwrap_or_default(), title)
}

impl<'a> From<&'a Bug<'a>> for PageBug<'a> {
    fn from(bug: &'a Bug<'a>) -> Self {
        Self {
            cluster: bug.cluster,
            seen: bug.seen.as_ref(),
            exemplar: bug.exemplar.as_ref(),
            labels: &bug.labels,
            decisions: &bug.decisions,
            members: bug.members.iter().map(|one| member(bug, one)).collect(),
        }
    }
}

/// Writes the page of these bugs, which were found in `files` logs.
///
/// All text of the logs is in one block of JSON, in which `<`, `>`, `&` and the line terminators of
/// JavaScript are escaped, and, for the texts of reports, in one of base64. The page displays it as text, never as
/// HTML.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(out: &mut impl io::Write, bugs: &[Bug<'_>], files: usize) -> io::Result<()> {
    write_with(out, bugs, files, PageOptions::default())
}

/// The same with options.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_with(
    out: &mut impl io::Write,
    bugs: &[Bug<'_>],
    files: usize,
    options: PageOptions<'_>,
) -> io::Result<()> {
    let generated = concat!("ksplat ", env!("CARGO_PKG_VERSION"));
    let reports = bugs.iter().map(|bug| bug.cluster.count).sum();
    let (before, rest) = PAGE.split_once(MARK).unwrap_or((PAGE, ""));
    let (middle, after) = rest.split_once(TEXTS).unwrap_or((rest, ""));
    let clusters = bugs.iter().map(PageBug::from).collect();
    let data = Data { generated, reports, files, link_base: options.link_base, clusters };
    out.write_all(before.as_bytes())?;
    escape::write_json(&mut *out, &data, &['<', '>', '&'])?;
    out.write_all(middle.as_bytes())?;
    out.write_all(base64(&texts(bugs)?).as_bytes())?;
    out.write_all(after.as_bytes())
}

/// The texts of the exemplars, as a deflated array of JSON; empty if there is none.
fn texts(bugs: &[Bug<'_>]) -> io::Result<Vec<u8>> {
    let report =
        |bug: &'_ Bug<'_>| bug.exemplar.as_ref().and_then(|exemplar| exemplar.report.clone());
    let texts: Vec<_> =
        bugs.iter().map(|bug| report(bug).map_or(String::new(), |it| it.text)).collect();
    if texts.iter().all(String::is_empty) {
        return Ok(Vec::new());
    }
    let mut json = Vec::new();
    escape::write_json(&mut json, &texts, &[])?;
    Ok(miniz_oxide::deflate::compress_to_vec(&json, LEVEL))
}

/// Base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            let digit = (bits >> (18 - 6 * place)) & 63;
            text.push(DIGITS.get(digit as usize).copied().map_or('A', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_place_for_data_and_loads_nothing() {
        assert_eq!(PAGE.matches(MARK).count(), 1);
        assert_eq!(PAGE.matches(TEXTS).count(), 1);
        assert!(PAGE.contains("default-src 'none'") && !PAGE.contains("'unsafe-inline'"));
        for outside in ["http:", "https:", " src=", "@import", "url("] {
            let found = PAGE
                .match_indices(outside)
                .filter(|(at, _)| !PAGE[*at..].starts_with("http://www.w3.org/2000/svg"));
            assert_eq!(found.count(), 0, "{outside}");
        }
    }

    #[test]
    fn base64_of_every_length() {
        let texts = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];
        for (len, text) in texts.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..len]), text);
        }
    }
}
