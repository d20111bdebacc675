//! Releases of the kernel, their order, and whether one has a fix.

use crate::store::{Commit, Fix};
use crate::string_enum::string_enum;

string_enum! {
    /// What a fix means for a kernel.
    pub enum Standing {
        /// The kernel has the bug, and not the fix.
        Lacks = "lacks",
        /// The kernel has the fix: this is another bug, or the bug came back.
        Has = "has",
        /// The kernel is older than the commit that brought the bug.
        NotAffected = "not-affected",
    }
}

impl Standing {
    /// What is said of a kernel.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lacks => "lacks it",
            Self::Has => "has it",
            Self::NotAffected => "not affected by its release",
        }
    }
}

/// What a fix means for the kernel of a report.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FixVerdict {
    /// What it means.
    pub standing: Standing,
    /// Whether the release does not decide it: a kernel of a distribution, or one between two tags.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub likely: bool,
    /// The commit that reverted the fix, if that is why the kernel lacks it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub reverted_by: Option<String>,
}

impl FixVerdict {
    /// A verdict that is certain.
    pub fn certain(standing: Standing) -> Self {
        Self { standing, likely: false, reverted_by: None }
    }
}

/// A release, in the order in which releases contain each other's commits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Release {
    /// 6, 1, 0 of 6.1.20; 2, 6, 32 of 2.6.32.7.
    series: [u16; 3],
    /// The release candidate; a release is behind its candidates.
    candidate: u16,
    /// 20 of 6.1.20; 7 of 2.6.32.7.
    update: u16,
}

impl Release {
    /// Reads a release or a tag, and returns what is behind the numbers.
    pub(super) fn parse(text: &str) -> Option<(Self, &str)> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = Vec::new();
        let mut rest = text;
        while numbers.len() < 4 {
            let from = if numbers.is_empty() { Some(rest) } else { rest.strip_prefix('.') };
            let Some(from) = from else { break };
            let digits = from.bytes().take_while(u8::is_ascii_digit).count();
            let Some(number) = from.get(..digits).and_then(|digits| digits.parse().ok()) else {
                break;
            };
            numbers.push(number);
            rest = from.get(digits..).unwrap_or_default();
        }
        let of = |at: usize| numbers.get(at).copied().unwrap_or_default();
        let (series, update) = match numbers.as_slice() {
            [2, 6, ..] => ([2, 6, of(2)], of(3)),
            [_, _, ..] => ([of(0), of(1), 0], of(2)),
            _ => return None,
        };
        let candidate = rest.strip_prefix("-rc").and_then(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            Some((rest.get(..digits)?.parse().ok()?, rest.get(digits..)?))
        });
        let (candidate, rest) = candidate.unwrap_or((u16::MAX, rest));
        Some((Self { series, candidate, update }, rest))
    }

    /// Whether a kernel of this release has a commit that a tag contains first.
    fn has(self, since: Self) -> bool {
        if self.series == since.series {
            return (self.candidate, self.update) >= (since.candidate, since.update);
        }
        // A commit that an update contains first is a copy, which only this series has.
        since.update == 0 && self.series > since.series
    }
}

/// Whether the text behind the numbers of a release says that its sources are those of the tag.
fn is_exact(rest: &str) -> bool {
    matches!(rest, "" | "+" | "-dirty")
}

/// What a fix means for a kernel of this release; `None` if the fix has no tag, or the release cannot be read.
pub(super) fn verdict(fix: &Fix, release: &str) -> Option<FixVerdict> {
    let (this, rest) = Release::parse(release)?;
    let since = |commit: &Option<String>| Release::parse(commit.as_deref()?).map(|(at, _)| at);
    let has = |commit: &Option<String>| since(commit).is_some_and(|since| this.has(since));
    let has_copy = |commits: &[Commit]| commits.iter().any(|commit| has(&commit.since));
    if fix.is_patch {
        return Some(FixVerdict { likely: true, ..FixVerdict::certain(Standing::Lacks) });
    }
    let is_dated = since(&fix.since).is_some() || !fix.backports.is_empty();
    if !is_dated && fix.subject.is_empty() {
        return None;
    }
    let likely = !is_exact(rest);
    let verdict = |standing| Some(FixVerdict { likely, ..FixVerdict::certain(standing) });
    if has(&fix.since) || has_copy(&fix.backports) {
        let revert = fix.reverts.iter().find(|revert| has(&revert.since));
        return match revert {
            Some(revert) => Some(FixVerdict {
                standing: Standing::Lacks,
                likely,
                reverted_by: Some(revert.id.clone()),
            }),
            None => verdict(Standing::Has),
        };
    }
    let in_series = |commit: &Commit| {
        since(&commit.since).is_some_and(|since| since.update > 0 && since.series == this.series)
    };
    let all_known = fix.fixes.iter().all(|culprit| since(&culprit.since).is_some());
    if !fix.fixes.is_empty()
        && all_known
        && !has_copy(&fix.fixes)
        && !fix.backports.iter().any(in_series)
    {
        return verdict(Standing::NotAffected);
    }
    verdict(Standing::Lacks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix() -> Fix {
        let commit =
            |id: &str, since: &str| Commit { since: Some(since.to_owned()), ..Commit::new(id) };
        Fix {
            since: Some("v6.4-rc2".to_owned()),
            fixes: vec![commit("1", "v5.10-rc1")],
            backports: vec![commit("2", "v6.1.29"), commit("3", "v5.15.112")],
            ..Fix::new("0")
        }
    }

    #[test]
    fn releases_are_in_order() {
        let order = ["2.6.9", "2.6.32", "v2.6.32.7", "3.0", "4.19.0-rc2+", "4.19", "6.1", "6.1.20"];
        let read: Vec<_> = order.iter().map(|text| Release::parse(text).expect(text).0).collect();
        assert!(read.is_sorted_by(|a, b| a < b), "{read:?}");
        for text in ["", "v", "6", "next-20260101", "x.y", "6.99999999"] {
            assert!(Release::parse(text).is_none_or(|(at, _)| at.series[1] == 0), "{text}");
        }
    }

    #[test]
    fn a_release_decides() {
        let of =
            |release| verdict(&fix(), release).map(|verdict| (verdict.standing, verdict.likely));
        assert_eq!(of("6.4.0-rc1"), Some((Standing::Lacks, false)));
        assert_eq!(of("6.4.0-rc2"), Some((Standing::Has, false)));
        assert_eq!(of("6.4.0"), Some((Standing::Has, false)));
        assert_eq!(of("6.3.9"), Some((Standing::Lacks, false)));
        assert_eq!(of("6.1.20"), Some((Standing::Lacks, false)));
        assert_eq!(of("6.1.29"), Some((Standing::Has, false)));
        assert_eq!(of("6.1.0-18-amd64"), Some((Standing::Lacks, true)));
        assert_eq!(of("5.4.300"), Some((Standing::NotAffected, false)));
        assert_eq!(of("6.4.0-rc1-00021-gabcdef"), Some((Standing::Lacks, true)));
        assert_eq!(of("next"), None);
    }

    #[test]
    fn a_revert_takes_a_fix_back() {
        let mut fix = fix();
        fix.reverts = vec![Commit { since: Some("v6.5".to_owned()), ..Commit::new("9") }];
        let of = |release| verdict(&fix, release).expect("a verdict");
        assert_eq!(of("6.4.3").standing, Standing::Has);
        assert_eq!(of("6.5.0").standing, Standing::Lacks);
        assert_eq!(of("6.6.1").reverted_by.as_deref(), Some("9"));
    }
}
