//! Releases of the kernel, their order, and whether one contains a fix.

use crate::store::{Commit, Fix};
use crate::string_enum::string_enum;

string_enum! {
    /// The state of a kernel with respect to a fix.
    pub enum Standing {
        /// The kernel has the bug, and not the fix.
        Lacks = "lacks",
        /// The kernel has the fix: this is another bug, or the bug reappeared.
        Has = "has",
        /// The kernel is older than the commit that introduced the bug.
        NotAffected = "not-affected",
    }
}

/// The verdict on the kernel of a report for a fix.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FixVerdict {
    /// The state of the kernel.
    pub standing: Standing,
    /// Whether the verdict is uncertain: a kernel of a distribution, or one between two tags.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub likely: bool,
    /// The commit that reverted the fix, if the kernel lacks it for that reason.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub reverted_by: Option<String>,
}

impl FixVerdict {
    /// Makes a certain verdict.
    pub fn certain(standing: Standing) -> Self {
        Self { standing, likely: false, reverted_by: None }
    }
}

/// A release, in the order in which releases contain each other's commits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Release {
    /// 6, 1, 0 of 6.1.20; 2, 6, 32 of 2.6.32.7.
    series: [u16; 3],
    /// 20 of 6.1.20; 7 of 2.6.32.7.
    update: u16,
    /// The release candidate; a release is behind its candidates.
    candidate: u16,
}

impl Release {
    /// Parses a release or a tag, and returns the text behind the numbers.
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
        Some((Self { series, update, candidate }, rest))
    }

    /// Returns whether a kernel of this release contains a commit whose first tag is `since`.
    fn has(self, since: Self) -> bool {
        if self.series == since.series {
            return self >= since;
        }
        // A commit whose first tag is an update is a copy, which only this series has.
        since.update == 0 && self.series > since.series
    }
}

/// Returns the earlier of two tags of one commit. A tag of a release precedes others; of two others
/// the new one is returned.
pub fn earlier_tag<'t>(known: &'t str, new: &'t str) -> &'t str {
    let release = |tag: &str| {
        Some(Release::parse(tag)?).filter(|(_, rest)| rest.is_empty()).map(|(release, _)| release)
    };
    match (release(known), release(new)) {
        (Some(_), None) => known,
        (Some(one), Some(other)) if one <= other => known,
        _ => new,
    }
}

/// Returns the verdict for a kernel that has a fix or a copy of it: it lacks the fix if it has a
/// revert that was not reverted itself. Reverts of a revert of a revert count as reverts.
pub fn with_reverts(fix: &Fix, has: impl Fn(&Commit) -> bool) -> FixVerdict {
    let reverts: Vec<&Commit> = fix.reverts.iter().filter(|revert| has(revert)).collect();
    let again = fix.reapplied.iter().filter(|commit| has(commit)).count();
    let Some(last) = reverts.last().filter(|_| reverts.len() > again) else {
        return FixVerdict::certain(Standing::Has);
    };
    FixVerdict { reverted_by: Some(last.id.clone()), ..FixVerdict::certain(Standing::Lacks) }
}

/// Returns the verdict for a kernel of this release; `None` if no tag contains the fix or the
/// commits of its `Fixes:` lines, or the release cannot be parsed.
pub(super) fn verdict(fix: &Fix, release: &str) -> Option<FixVerdict> {
    // `+`, `-dirty` and the suffix of a distribution indicate commits without a tag.
    let (this, rest) = Release::parse(release)?;
    let is_exact = rest.is_empty();
    let since = |tag: &Option<String>| Release::parse(tag.as_deref()?).map(|(at, _)| at);
    let has = |tag: &Option<String>| since(tag).is_some_and(|since| this.has(since));
    let has_copy = |commits: &[Commit]| commits.iter().any(|commit| has(&commit.since));
    let lacks = |likely| FixVerdict { likely, ..FixVerdict::certain(Standing::Lacks) };
    if fix.is_patch {
        return Some(lacks(true));
    }
    let copies = || std::iter::once(&fix.since).chain(fix.backports.iter().map(|copy| &copy.since));
    let culprits = || fix.fixes.iter().map(|culprit| &culprit.since);
    if !copies().chain(culprits()).any(|tag| since(tag).is_some()) {
        return None;
    }
    if copies().any(has) {
        return Some(FixVerdict { likely: !is_exact, ..with_reverts(fix, |of| has(&of.since)) });
    }
    let in_series = |commit: &Commit| {
        since(&commit.since).is_some_and(|since| since.update > 0 && since.series == this.series)
    };
    let all_known = culprits().all(|tag| since(tag).is_some());
    if !fix.fixes.is_empty()
        && all_known
        && !has_copy(&fix.fixes)
        && !fix.backports.iter().any(in_series)
    {
        // An update may contain a copy of the commit that introduced the bug.
        let likely = !is_exact || this.update > 0;
        return Some(FixVerdict { likely, ..FixVerdict::certain(Standing::NotAffected) });
    }
    // A copy without a tag may be in any release.
    Some(lacks(!is_exact || copies().any(|tag| since(tag).is_none())))
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
        let order = [
            "2.6.9",
            "2.6.32",
            "v2.6.32.7",
            "3.0",
            "4.19.0-rc2+",
            "4.19",
            "6.1-rc8",
            "6.1",
            "6.1.4",
            "6.1.5-rc1",
            "6.1.5",
            "6.1.20",
        ];
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
        assert_eq!(of("6.1.29-rc1"), Some((Standing::Lacks, false)));
        assert_eq!(of("6.1.30-rc1"), Some((Standing::Has, false)));
        assert_eq!(of("6.4.0+"), Some((Standing::Has, true)));
        assert_eq!(of("6.4.0-dirty"), Some((Standing::Has, true)));
        assert_eq!(of("5.4.0"), Some((Standing::NotAffected, false)));
        assert_eq!(of("5.4.300"), Some((Standing::NotAffected, true)));
        assert_eq!(of("6.4.0-rc1-00021-gabcdef"), Some((Standing::Lacks, true)));
        assert_eq!(of("next"), None);
    }

    #[test]
    fn a_fix_without_a_tag_is_not_certain() {
        let mut fix = fix();
        fix.subject = "cm: check".to_owned();
        let of =
            |fix: &Fix| verdict(fix, "6.1.20").map(|verdict| (verdict.standing, verdict.likely));
        fix.since = None;
        assert_eq!(of(&fix), Some((Standing::Lacks, true)));
        fix.backports = vec![Commit::new("2")];
        assert_eq!(of(&fix), Some((Standing::Lacks, true)));
        fix.fixes = vec![Commit::new("1")];
        assert_eq!(of(&fix), None);
    }

    #[test]
    fn of_two_tags_the_earlier_release_is_kept() {
        assert_eq!(earlier_tag("v6.2", "v6.1.5"), "v6.1.5");
        assert_eq!(earlier_tag("v6.1.5", "v6.2-rc1"), "v6.1.5");
        assert_eq!(earlier_tag("v6.2", "next-20260101"), "v6.2");
        assert_eq!(earlier_tag("local", "v6.2"), "v6.2");
    }

    #[test]
    fn a_revert_removes_a_fix() {
        let mut fix = fix();
        fix.reverts = vec![Commit { since: Some("v6.5".to_owned()), ..Commit::new("9") }];
        let of = |release| verdict(&fix, release).expect("a verdict");
        assert_eq!(of("6.4.3").standing, Standing::Has);
        assert_eq!(of("6.5.0").standing, Standing::Lacks);
        assert_eq!(of("6.6.1").reverted_by.as_deref(), Some("9"));
        // A revert of the revert, and of that one.
        let commit =
            |id: &str, since: &str| Commit { since: Some(since.to_owned()), ..Commit::new(id) };
        fix.reapplied = vec![commit("10", "v6.7")];
        fix.reverts.push(commit("11", "v6.8"));
        let of = |release| verdict(&fix, release).expect("a verdict");
        assert_eq!(of("6.6.9").standing, Standing::Lacks);
        assert_eq!(of("6.7.0").standing, Standing::Has);
        assert_eq!(of("6.7.0").reverted_by, None);
        assert_eq!(of("6.8.1").reverted_by.as_deref(), Some("11"));
    }
}
