//! How bad it is.

use crate::kind::types;
use crate::model::{AccessKind, Report};
use crate::string_enum::string_enum;

/// How bad a report is, as the community that made the order ranks it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Impact {
    /// From 0, memory is freed that must not be, to the last, something hangs; absent for
    /// types that the order does not have, such as a plain warning.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rank: Option<u8>,
    /// How many ranks there are.
    pub of: u8,
    /// The type that gives the rank; empty if the title has none.
    pub name: String,
    /// What makes it worse than others of its rank.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub raised: Vec<Raise>,
}

impl Impact {
    /// The types in their order, the worst first.
    pub const ORDER: &[&str] = &types::ORDER;

    /// What sorts the worst first.
    pub fn key(&self) -> (u8, usize) {
        (self.rank.unwrap_or(u8::MAX), usize::MAX - self.raised.len())
    }
}

string_enum! {
    /// What makes a bug worse than others of its rank.
    pub enum Raise {
        /// Memory was written.
        Write = "write",
        /// The access has a size that no instruction has: the length of a copy went wrong.
        Copy = "size of a copy",
        /// The object was freed by another task than the one that used it: a race that can be won.
        OtherTask = "freed by another task",
        /// Code was fetched from where none is.
        Execute = "jump",
    }
}

/// The impact of a report.
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
