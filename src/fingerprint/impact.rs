//! The severity of a report.

use crate::kind::types;
use crate::model::{AccessKind, Report};
use crate::string_enum::string_enum;

/// The severity of a report, by syzkaller's ranking of bug types (`impact_score.go`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Impact {
    /// The rank of the bug type: 0 is the worst, an invalid free; the last is a hang. `None` for
    /// types without a rank, such as a plain warning.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rank: Option<u8>,
    /// The number of ranks.
    pub of: u8,
    /// The bug type with that rank; empty if the title has no type.
    pub name: String,
    /// The facts that make the report worse than others of its rank.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub raised: Vec<Raise>,
}

impl Impact {
    /// Returns a key that sorts the worst report first, of equally bad ones by name.
    pub fn key(&self) -> (u8, usize, &str, &[Raise]) {
        let rank = self.rank.unwrap_or(u8::MAX);
        (rank, usize::MAX - self.raised.len(), &self.name, &self.raised)
    }
}

string_enum! {
    /// A fact that makes a bug worse than others of its rank.
    pub enum Raise {
        /// Memory was written.
        Write = "write",
        /// The size of the access is one that no instruction has, so the length of a copy was
        /// wrong.
        Copy = "size of a copy",
        /// Another task freed the object than the one that used it: a race.
        OtherTask = "freed by another task",
        /// An instruction was fetched from an address without code.
        Execute = "jump",
    }
}

/// Returns the severity of a report.
pub(super) fn impact(report: &Report<'_>) -> Impact {
    let name = report.class.as_deref().unwrap_or_default();
    Impact {
        rank: types::rank(name),
        of: u8::try_from(types::ORDER.len()).unwrap_or(u8::MAX),
        name: name.to_owned(),
        raised: raised(report),
    }
}

fn raised(report: &Report<'_>) -> Vec<Raise> {
    let explained = report.explanation.as_ref().and_then(|meant| meant.access.as_ref());
    let access = report.access.unwrap_or_default();
    let kind = access.kind.or(explained.and_then(|access| access.kind));
    let freed_by = report.memory.as_ref().and_then(|memory| memory.freed_by);
    let is_copy = access.size.is_some_and(|size| !matches!(size, 1 | 2 | 4 | 8 | 16 | 32 | 64));
    let all = [
        (Raise::Write, kind == Some(AccessKind::Write)),
        (Raise::Execute, kind == Some(AccessKind::Execute)),
        (Raise::Copy, is_copy),
        (Raise::OtherTask, freed_by.zip(report.task.pid).is_some_and(|(by, pid)| by != pid)),
    ];
    all.into_iter().filter(|(_, holds)| *holds).map(|(raise, _)| raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_impact() {
        let log = b"BUG: KASAN: use-after-free in f+0x1/0x2\nWrite of size 52 at addr ffff888001286008 by task a/46\n\
            Call Trace:\n f+0x1/0x2\n\nFreed by task 7:\n kfree+0x1/0x2\n";
        let report = crate::parse::reports(log).next().expect("a report");
        let impact = impact(&report);
        assert_eq!((impact.rank, &*impact.name), (Some(2), "KASAN-USE-AFTER-FREE-WRITE"));
        assert_eq!(impact.raised, [Raise::Write, Raise::Copy, Raise::OtherTask]);
    }
}
