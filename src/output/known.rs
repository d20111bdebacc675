//! Fixes of a report: the data of JSON, text and Markdown.

use std::fmt;

use super::escape::escape;
use crate::bisect::short;
use crate::model::Suspect;

/// A fix that may fix the bug of a report, and whether the kernel needs it.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct KnownFix {
    /// The commit; the message ID of a patch that is not merged; the value of a label.
    pub fix: String,
    /// The probability that it fixes the bug of the report.
    pub probability: f32,
    /// The first line of its message.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<String>,
    /// The first tag that contains it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub since: Option<String>,
    /// Whether it is a patch on a mailing list without a known commit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "std::ops::Not::not"))]
    pub patch: bool,
    /// The commits in its `Fixes:` lines.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub fixes: Vec<KnownCommit>,
    /// Its copies in stable branches.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub backports: Vec<KnownCommit>,
    /// The commits that revert it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub reverts: Vec<KnownCommit>,
    /// The commits that revert one of these: the fix is in again.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub reapplied: Vec<KnownCommit>,
    /// The versions in its `Cc: stable` line.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub stable: Option<String>,
    /// The identifiers of its `Reported-by:` lines.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub reported: Vec<String>,
    /// The addresses of its `Closes:` and `Link:` lines.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub links: Vec<String>,
    /// The files that it changes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub files: Vec<String>,
    /// The functions that it changes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub functions: Vec<String>,
    /// The ID of the bug in the store.
    pub bug: String,
    /// The title of the crash in its message.
    pub title: String,
    /// The common features of both crashes, as text.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub evidence: Vec<String>,
    /// The release of the report's kernel, or the commit given by the user.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub kernel: Option<String>,
    /// The state of that kernel: `lacks`, `has` or `not-affected`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub standing: Option<String>,
    /// Whether the state is uncertain, because the release does not decide it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "std::ops::Not::not"))]
    pub likely: bool,
    /// The commit that reverted the fix in that kernel.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub reverted_by: Option<String>,
}

/// A commit, and the first tag that contains it.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KnownCommit {
    /// The commit.
    pub commit: String,
    /// The tag.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub since: Option<String>,
}

#[cfg(feature = "store")]
impl KnownFix {
    /// Makes the record of a candidate, with the state of a kernel if it is known.
    pub fn new(
        candidate: crate::known::Candidate<'_>,
        kernel: Option<&str>,
        verdict: Option<crate::known::FixVerdict>,
    ) -> Self {
        let crate::known::Candidate { fix, probability, bug, title, evidence } = candidate;
        let commits = |commits: Vec<crate::store::Commit>| -> Vec<KnownCommit> {
            let of = |commit: crate::store::Commit| KnownCommit {
                commit: commit.id,
                since: commit.since,
            };
            commits.into_iter().map(of).collect()
        };
        let standing = verdict.as_ref().map(|verdict| verdict.standing.name().to_owned());
        Self {
            fix: fix.id,
            probability,
            subject: Some(fix.subject).filter(|subject| !subject.is_empty()),
            since: fix.since,
            patch: fix.is_patch,
            fixes: commits(fix.fixes),
            backports: commits(fix.backports),
            reverts: commits(fix.reverts),
            reapplied: commits(fix.reapplied),
            stable: fix.stable,
            reported: fix.reported,
            links: fix.links,
            files: fix.files,
            functions: fix.functions,
            bug: format!("{bug:016x}"),
            title: title.to_owned(),
            evidence,
            kernel: kernel.filter(|_| standing.is_some()).map(str::to_owned),
            standing,
            likely: verdict.as_ref().is_some_and(|verdict| verdict.likely),
            reverted_by: verdict.and_then(|verdict| verdict.reverted_by),
        }
    }
}

/// The maximum number of backports in text output.
const MAX_BACKPORTS: usize = 6;

impl KnownFix {
    /// `fixed by 0123456789ab  cm: check the length`.
    pub fn headline(&self) -> String {
        let what = if self.patch { "patch" } else { "fixed by" };
        let mut line = format!("{what} {}", escape(short(&self.fix)));
        if let Some(subject) = &self.subject {
            line.push_str("  ");
            line.push_str(&escape(subject).to_string());
        }
        line
    }

    /// The releases with the fix:
    /// `since v6.4-rc2, Fixes: 1a2b3c4d5e6f (v5.10-rc1), backports v6.1.29`; empty if nothing is
    /// known.
    pub fn releases(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.since.as_ref().map(|since| format!("since {}", escape(since))));
        for culprit in &self.fixes {
            let since = culprit.since.as_ref().map(|since| format!(" ({})", escape(since)));
            parts.push(format!(
                "Fixes: {}{}",
                escape(short(&culprit.commit)),
                since.unwrap_or_default()
            ));
        }
        let copies: Vec<_> =
            self.backports.iter().filter_map(|commit| commit.since.as_deref()).collect();
        if let Some((first, rest)) = copies.split_first() {
            let rest = rest.iter().take(MAX_BACKPORTS - 1).map(|tag| format!(", {}", escape(tag)));
            let more = if copies.len() > MAX_BACKPORTS { ", …" } else { "" };
            parts.push(format!(
                "backported in {}{}{more}",
                escape(first),
                rest.collect::<String>()
            ));
        }
        for (what, commits) in
            [("reverted by", &self.reverts), ("applied again by", &self.reapplied)]
        {
            for commit in commits {
                let since = commit.since.as_ref().map(|since| format!(" ({})", escape(since)));
                let id = escape(short(&commit.commit));
                parts.push(format!("{what} {id}{}", since.unwrap_or_default()));
            }
        }
        parts.join(", ")
    }

    /// The evidence, and the state of the kernel.
    pub fn reasons(&self) -> String {
        let mut line = self
            .evidence
            .iter()
            .map(|words| escape(words).to_string())
            .collect::<Vec<_>>()
            .join(", ");
        if let Some((kernel, verdict)) = self.kernel.as_deref().zip(self.verdict()) {
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str("your ");
            line.push_str(&escape(kernel).to_string());
            line.push(' ');
            line.push_str(&verdict);
        }
        line
    }

    /// `lacks it`, `likely has it`.
    fn verdict(&self) -> Option<String> {
        let words = match self.standing.as_deref()? {
            "lacks" => "lacks it",
            "has" => "has it: another bug, or the bug reappeared",
            _ => "is not affected by its release",
        };
        let likely = if self.likely { "likely " } else { "" };
        let revert = self.reverted_by.as_deref();
        let revert = revert.map(|commit| format!(", as {} reverted it", escape(short(commit))));
        Some(format!("{likely}{words}{}", revert.unwrap_or_default()))
    }
}

/// The minimum probability of a fix in text output.
const SHOWN: f32 = 0.01;

/// The minimum probability from which a fix is evidence for the functions and files that it
/// changes.
const EVIDENCE: f32 = 0.2;

/// Adds to suspects the fixes that change them, or their file.
pub fn mark_suspects(suspects: &mut [Suspect<'_>], fixes: &[KnownFix]) {
    for suspect in suspects {
        let changes = |fix: &&KnownFix| {
            let function = fix.functions.iter().any(|function| *function == suspect.function);
            let file = suspect.file.as_deref();
            function || file.is_some_and(|file| fix.files.iter().any(|changed| changed == file))
        };
        let fixes = fixes.iter().filter(|fix| fix.probability >= EVIDENCE).filter(changes);
        suspect.fixes = fixes.map(|fix| short(&fix.fix).to_owned().into()).collect();
    }
}

/// Writes the fixes of a report as text, each with the state of the kernel below it.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(out: &mut impl fmt::Write, fixes: &[KnownFix]) -> fmt::Result {
    let shown = || fixes.iter().filter(|fix| fix.probability >= SHOWN);
    for fix in shown() {
        writeln!(out, "  {:.2}  {}", fix.probability, fix.headline())?;
        for line in [fix.releases(), fix.reasons()] {
            if !line.is_empty() {
                writeln!(out, "        {line}")?;
            }
        }
    }
    if shown().next().is_none() {
        let line = if fixes.is_empty() { "no fix is known" } else { "no fix is likely" };
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Writes the same as Markdown: a heading with the title, and a fenced block that the text of a
/// commit cannot close.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_markdown(out: &mut impl fmt::Write, title: &str, fixes: &[KnownFix]) -> fmt::Result {
    let mut page = String::new();
    write(&mut page, fixes)?;
    super::markdown::block(out, title, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlikely_fixes_are_not_unknown() {
        let of = |fixes: &[KnownFix]| {
            let mut page = String::new();
            write(&mut page, fixes).expect("a page");
            page
        };
        assert_eq!(of(&[]), "  no fix is known\n");
        assert_eq!(of(&[KnownFix::default()]), "  no fix is likely\n");
    }

    #[test]
    fn a_hostile_subject_is_escaped() {
        let fix = KnownFix {
            fix: "0".repeat(40),
            subject: Some("a\u{1b}[31m\n```\n# b".to_owned()),
            probability: 0.5,
            ..KnownFix::default()
        };
        let mut page = String::new();
        write_markdown(&mut page, "a_b", &[fix]).expect("a page");
        assert!(
            page.starts_with("### a\\_b\n\n````text\n  0.50  fixed by 000000000000  a"),
            "{page}"
        );
        assert!(!page.contains('\u{1b}') && page.lines().count() == 5, "{page}");
    }
}
