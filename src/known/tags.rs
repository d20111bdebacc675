//! The first tag that contains a commit, for all commits in one pass.

use std::collections::HashMap;

use super::release::Release;

/// The maximum number of tags: their numbers have 16 bits.
const MAX_TAGS: usize = 1 << 16;

/// The number of digits of a commit that are stored with its tag.
const DIGITS: usize = 12;

/// The first tags of commits, which are added with children before their parents.
#[derive(Debug)]
pub struct Tags {
    names: Vec<String>,
    /// The first tag of commits that a child refers to and that are not added yet, by 16 digits.
    waiting: HashMap<u64, u16>,
    /// Twelve digits of each commit with a tag, then the number of the tag.
    first: Vec<u64>,
    is_sorted: bool,
}

impl Tags {
    /// Makes the table from tags: the commit, the time in seconds, the name. Tags of releases are
    /// sorted by release and precede others, which are sorted by time.
    pub fn new(mut tags: Vec<(String, u64, String)>) -> Self {
        let order = |tag: &(String, u64, String)| {
            let release = Release::parse(&tag.2).filter(|(_, rest)| rest.is_empty());
            let time = if release.is_some() { 0 } else { tag.1 };
            (release.is_none(), release.map(|(release, _)| release), time)
        };
        tags.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.2.cmp(&b.2)));
        tags.truncate(MAX_TAGS);
        let mut waiting = HashMap::new();
        for (number, (commit, ..)) in (0..=u16::MAX).zip(&tags) {
            if let Some(commit) = number_of(commit, 16) {
                waiting.entry(commit).or_insert(number);
            }
        }
        let names = tags.into_iter().map(|(.., name)| name).collect();
        Self { names, waiting, first: Vec::new(), is_sorted: false }
    }

    /// Returns whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds a commit with its parents; all of its children were added before.
    pub fn add<'a>(&mut self, commit: &str, parents: impl Iterator<Item = &'a str>) {
        let Some(tag) = number_of(commit, 16).and_then(|commit| self.waiting.remove(&commit))
        else {
            return;
        };
        if let Some(digits) = number_of(commit, DIGITS) {
            self.first.push(digits << 16 | u64::from(tag));
            self.is_sorted = false;
        }
        for parent in parents.filter_map(|parent| number_of(parent, 16)) {
            let first = self.waiting.entry(parent).or_insert(tag);
            *first = tag.min(*first);
        }
    }

    /// Returns the first tag that contains a commit, which may be abbreviated to eight digits;
    /// `None` if no tag does, or several commits start with these digits.
    pub fn first(&mut self, commit: &str) -> Option<&str> {
        if !self.is_sorted {
            self.first.sort_unstable();
            self.is_sorted = true;
        }
        let digits = commit.len().min(DIGITS);
        let shift = u32::try_from((DIGITS - digits) * 4).ok()?;
        let from = number_of(commit, digits)? << shift;
        let to = from + (1 << shift);
        let at = self.first.partition_point(|first| first >> 16 < from);
        let found = *self.first.get(at).filter(|first| **first >> 16 < to)?;
        let is_other = |next: &u64| next >> 16 < to && next >> 16 != found >> 16;
        if self.first.get(at + 1).is_some_and(is_other) {
            return None;
        }
        self.names.get(usize::from(u16::try_from(found & 0xffff).ok()?)).map(|name| &**name)
    }
}

/// Returns the first digits of a commit as a number.
fn number_of(commit: &str, digits: usize) -> Option<u64> {
    u64::from_str_radix(commit.get(..digits)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> String {
        format!("{number:08x}{number:032x}")
    }

    #[test]
    fn the_first_release_contains_a_commit() {
        let tag = |number, time, name: &str| (id(number), time, name.to_owned());
        // 1 - 2 - 3 - 5, and 4 is a branch from 2 that 5 merges.
        let mut tags = Tags::new(vec![
            tag(5, 9, "v6.2"),
            tag(3, 8, "v6.2-rc1"),
            tag(2, 1, "local"),
            tag(1, 3, "v6.1"),
        ]);
        for (commit, parents) in
            [(5, vec![3, 4]), (4, vec![2]), (3, vec![2]), (2, vec![1]), (1, vec![])]
        {
            let parents: Vec<_> = parents.into_iter().map(id).collect();
            tags.add(&id(commit), parents.iter().map(|id| &**id));
        }
        let mut of = |number| tags.first(&id(number)).map(str::to_owned);
        assert_eq!(of(1).as_deref(), Some("v6.1"));
        assert_eq!(of(2).as_deref(), Some("v6.2-rc1"));
        assert_eq!(of(4).as_deref(), Some("v6.2"));
        assert_eq!(of(7), None);
        assert_eq!(tags.first(&id(4)[..8]), Some("v6.2"));
        assert_eq!(tags.first("0"), None);
    }
}
