//! The properties of a report that the features of its candidates share.

use super::candidate::{Candidate, Group, MAX_CANDIDATES, candidates};
use crate::atlas::Atlas;
use crate::kind::Kind;
use crate::model::{Report, SuspectReason};

/// The candidates of a report and their common properties.
#[derive(Debug)]
pub(super) struct Context<'r> {
    pub(super) atlas: Atlas<'r>,
    pub(super) candidates: Vec<Candidate<'r>>,
    /// The kind of the report, in groups.
    pub(super) kind: usize,
    /// The number of relevant candidates of the first stack.
    pub(super) relevant: usize,
    /// The first candidate in a subsystem or driver.
    anchor: Option<usize>,
    /// The most frequent directory of such candidates.
    majority: Option<usize>,
    with_directory: usize,
    /// The number of ordinary candidates in each directory.
    ordinary: [u8; MAX_CANDIDATES],
    /// The relation of each directory to that of the first ordinary candidate.
    relations: [u8; MAX_CANDIDATES],
    title: Option<&'r str>,
    blamed: Option<&'r str>,
}

impl<'r> Context<'r> {
    pub(super) fn of(report: &'r Report<'r>, atlas: Atlas<'r>) -> Self {
        let candidates = candidates(report, atlas);
        let first = candidates.first().map(|first| first.stack);
        let is_relevant = |own: &&Candidate<'_>| own.reason.is_none() && Some(own.stack) == first;
        let relevant = candidates.iter().filter(is_relevant).count();
        let anchor = candidates.iter().position(Candidate::is_ordinary);
        let mut ordinary = [0; MAX_CANDIDATES];
        let folders =
            candidates.iter().filter(|own| own.is_ordinary()).filter_map(|own| own.folder);
        let mut with_directory = 0;
        for folder in folders {
            with_directory += 1;
            if let Some(count) = ordinary.get_mut(folder) {
                *count += 1;
            }
        }
        // The first of equally frequent directories.
        let counts = ordinary.iter().enumerate().rev();
        let majority = counts.max_by_key(|(_, count)| **count).map(|(folder, _)| folder);
        let majority = majority.filter(|_| with_directory > 0);
        let mut relations = [0; MAX_CANDIDATES];
        let known = anchor.and_then(|at| candidates.get(at)?.source.directory());
        for (at, (own, relation)) in candidates.iter().zip(&mut relations).enumerate() {
            if let Some((known, directory)) = known.zip(own.source.directory())
                && own.folder == Some(at)
            {
                *relation = relation_of(known, directory);
            }
        }
        Self {
            atlas,
            kind: kind(report),
            relevant,
            anchor,
            majority,
            with_directory,
            ordinary,
            relations,
            title: report.frame.as_deref(),
            blamed: report.blame.as_ref().map(|blame| &*blame.function),
            candidates,
        }
    }

    pub(super) fn anchor(&self) -> Option<&Candidate<'r>> {
        self.anchor.and_then(|at| self.candidates.get(at))
    }

    /// The relation of a candidate's file to that of the first ordinary candidate.
    pub(super) fn relation(&self, own: &Candidate<'_>) -> usize {
        let Some(anchor) = self.anchor() else { return 7 };
        if anchor.function == own.function {
            return 0;
        }
        if anchor.folder == own.folder && anchor.source.is_same(own.source) {
            return 1;
        }
        match own.folder.filter(|_| anchor.folder.is_some()) {
            Some(folder) => self.relations.get(folder).copied().map_or(6, usize::from),
            None => 6,
        }
    }

    /// The share of a candidate's directory among the ordinary candidates, in bins.
    pub(super) fn share(&self, own: &Candidate<'_>) -> usize {
        let Some(folder) = own.folder else { return 0 };
        let count = self.ordinary.get(folder).copied().map_or(0, usize::from);
        match (count, 4 * count / self.with_directory.max(1)) {
            (0 | 1, _) => 1,
            (_, share) => 2 + share.min(3),
        }
    }

    pub(super) fn is_majority(&self, own: &Candidate<'_>) -> bool {
        self.majority.is_some() && own.folder == self.majority
    }

    /// The callee and the caller of a candidate.
    pub(super) fn around(&self, at: usize) -> (Option<&Candidate<'r>>, Option<&Candidate<'r>>) {
        let own = self.candidates.get(at);
        let is_near = |other: &&Candidate<'r>| own.is_some_and(|own| own.stack == other.stack);
        let callee = at.checked_sub(1).and_then(|at| self.candidates.get(at)).filter(is_near);
        (callee, self.candidates.get(at + 1).filter(is_near))
    }

    /// Whether the title names a candidate, and whether the report blames it.
    pub(super) fn named(&self, own: &Candidate<'_>) -> usize {
        let is = |name: Option<&str>| usize::from(name == Some(own.function));
        is(self.title) * 2 + is(self.blamed)
    }

    /// The relation of a candidate to the bug.
    pub(super) fn why(&self, own: &Candidate<'_>) -> SuspectReason {
        use SuspectReason as Why;
        let is_in = |group: Group| own.groups & (1 << group as u8) != 0;
        match own.group {
            _ if is_in(Group::Crash) && is_in(Group::Free) => Why::UsedAndFreed,
            _ if own.frame.is_some_and(|frame| frame.exact) => Why::WasRunning,
            Group::Free => Why::Freed,
            Group::Allocation => Why::Allocated,
            Group::Lock => Why::TookLock,
            Group::Link => Why::CalledFailing,
            Group::Headline => Why::Named,
            Group::Chain | Group::Other => Why::OtherStack,
            Group::Crash if own.reason.is_none() && own.relevant_above == 0 => Why::CalledReporter,
            Group::Crash => match self.relation(own) {
                1 => Why::SameFile,
                2 if own.source.tree_directory().is_some() => Why::SameDirectory,
                _ => Why::InStack,
            },
        }
    }
}

/// The relation of a directory to a known one: equal, one within the other, near, elsewhere.
fn relation_of(known: &str, directory: &str) -> u8 {
    let shared = known.split('/').zip(directory.split('/')).take_while(|(a, b)| a == b).count();
    let (len, other) = (known.split('/').count(), directory.split('/').count());
    match shared {
        _ if known == directory => 2,
        _ if shared == len || shared == other => 3,
        2.. => 4,
        _ => 5,
    }
}

/// The group of a report's kind: bugs of the kinds of a group are in similar places.
fn kind(report: &Report<'_>) -> usize {
    let class = report.class.as_deref().unwrap_or_default();
    match report.kind {
        _ if class.contains("USE-AFTER-FREE") => 0,
        Kind::Kasan | Kind::Kfence | Kind::Ubsan | Kind::Usercopy if !class.contains("NULL") => 1,
        Kind::NullDereference | Kind::Kasan => 2,
        Kind::PageFault
        | Kind::GeneralProtectionFault
        | Kind::StackSegment
        | Kind::InternalError => 3,
        Kind::Warning | Kind::Netdevice | Kind::Vfs => 4,
        Kind::KernelBug | Kind::InvalidOpcode | Kind::BadPage => 5,
        Kind::Refcount | Kind::ListCorruption | Kind::Odebug | Kind::Slab => 6,
        Kind::MemoryLeak => 7,
        Kind::Deadlock => 8,
        Kind::AtomicSleep | Kind::Preemptible | Kind::RcuUsage => 9,
        Kind::HungTask => 10,
        Kind::SoftLockup | Kind::HardLockup | Kind::RcuStall | Kind::WorkqueueLockup => 11,
        Kind::Kmsan => 12,
        Kind::Kcsan => 13,
        Kind::LockBug => 14,
        _ => 15,
    }
}
