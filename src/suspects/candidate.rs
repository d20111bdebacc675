//! Candidates: the functions of a report that may contain the bug, and their files.

use crate::atlas::{Atlas, File, FileClass, Hints};
use crate::functions::{self, Reason};
use crate::model::{Frame, LockState, Report, Role, Stack};

/// The maximum number of candidates of a report.
pub(super) const MAX_CANDIDATES: usize = 40;
/// The maximum number of frames of a stack.
const OF_STACK: usize = 24;
/// The number of neighbors that select a file.
const NEIGHBOURS: usize = 8;

/// The part of a report that contains a function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Group {
    Crash,
    Allocation,
    Free,
    Chain,
    Other,
    Link,
    Lock,
    Headline,
}

impl Group {
    pub(super) const COUNT: usize = 8;

    fn of(role: Role) -> Option<Self> {
        Some(match role {
            Role::Crash => Self::Crash,
            Role::Allocation => Self::Allocation,
            Role::Free => Self::Free,
            Role::Chain => Self::Chain,
            Role::Related | Role::Race | Role::Holder => Self::Other,
            Role::Reporting | Role::Consequence | Role::Starved => return None,
        })
    }
}

/// The source file of a function.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'r> {
    Unknown,
    /// The path in the log.
    Log(&'r str),
    Atlas(File<'r>),
    /// An out-of-tree module, which counts as a directory of a driver.
    Module(&'r str),
}

impl<'r> Source<'r> {
    pub(super) fn directory(self) -> Option<&'r str> {
        match self {
            Self::Unknown => None,
            Self::Log(path) => Some(split(path).0),
            Self::Atlas(file) => Some(file.directory()),
            Self::Module(module) => Some(module),
        }
    }

    /// The directory in the sources of the kernel.
    pub(super) fn tree_directory(self) -> Option<&'r str> {
        if matches!(self, Self::Module(_)) { None } else { self.directory() }
    }

    fn class(self) -> Option<FileClass> {
        match self {
            Self::Unknown => None,
            Self::Log(path) => Some(FileClass::of(path)),
            Self::Atlas(file) => Some(file.class()),
            Self::Module(_) => Some(FileClass::Ordinary),
        }
    }

    pub(super) fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Log(path), Self::Log(other)) => path == other,
            (Self::Atlas(file), Self::Atlas(other)) => file == other,
            (Self::Log(path), Self::Atlas(file)) | (Self::Atlas(file), Self::Log(path)) => {
                path.strip_prefix(file.directory()).and_then(|rest| rest.strip_prefix('/'))
                    == Some(file.name())
            }
            _ => false,
        }
    }

    /// The path, if a file is known.
    pub(super) fn path(self) -> Option<String> {
        match self {
            Self::Unknown | Self::Module(_) => None,
            Self::Log(path) => Some(path.to_owned()),
            Self::Atlas(file) => Some(file.to_string()).filter(|_| !file.name().is_empty()),
        }
    }
}

/// The directory and the name of a file.
pub(super) fn split(path: &str) -> (&str, &str) {
    let parts = memchr::memrchr(b'/', path.as_bytes())
        .and_then(|slash| path.get(..slash).zip(path.get(slash + 1..)));
    parts.unwrap_or(("", path))
}

/// A function that may contain the bug.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'r> {
    /// The name without compiler suffixes.
    pub(super) function: &'r str,
    /// The first word of the name: `nilfs` of `__nilfs_btree_insert`. Empty if it has one letter.
    pub(super) first_word: &'r str,
    pub(super) frame: Option<&'r Frame<'r>>,
    pub(super) group: Group,
    /// The number of its stack.
    pub(super) stack: usize,
    /// The number of relevant frames above it.
    pub(super) relevant_above: usize,
    /// The number of frames of subsystems and drivers above it.
    pub(super) ordinary_above: usize,
    /// The number of relevant frames below it; the first of them does not count if it is a helper.
    pub(super) relevant_below: usize,
    pub(super) reason: Option<Reason>,
    pub(super) source: Source<'r>,
    pub(super) class: Option<FileClass>,
    /// The number of the first candidate with the same directory.
    pub(super) folder: Option<usize>,
    /// The groups that contain it, a bit each.
    pub(super) groups: u8,
    /// The number of frames with this function.
    pub(super) times: usize,
}

impl Candidate<'_> {
    /// Returns whether two names have the same first word.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        !self.first_word.is_empty() && self.first_word == other.first_word
    }

    /// Returns whether it is relevant and outside generic code.
    pub(super) fn is_ordinary(&self) -> bool {
        self.reason.is_none() && self.class.is_none_or(|class| class == FileClass::Ordinary)
    }
}

/// The functions of a report, innermost first, each once.
pub(super) fn candidates<'r>(report: &'r Report<'r>, atlas: Atlas<'r>) -> Vec<Candidate<'r>> {
    let mut found = Vec::with_capacity(MAX_CANDIDATES);
    let order = [Group::Crash, Group::Free, Group::Allocation, Group::Other, Group::Chain];
    for wanted in order {
        for (number, stack) in report.stacks.iter().enumerate() {
            if Group::of(stack.role) == Some(wanted) {
                of_stack(&mut found, stack, number, wanted);
            }
        }
    }
    if let Some(link) = &report.link {
        add(&mut found, Some(link), link.function.as_deref(), Group::Link);
    }
    for lock in report.locks.iter().filter(|lock| lock.state != LockState::Held) {
        add(&mut found, None, lock.function.as_deref(), Group::Lock);
    }
    add(&mut found, None, report.frame.as_deref(), Group::Headline);
    locate(&mut found, report, atlas);
    number_folders(&mut found);
    count(&mut found);
    found
}

fn of_stack<'r>(found: &mut Vec<Candidate<'r>>, stack: &'r Stack<'r>, number: usize, group: Group) {
    // All frames of some stacks are unreliable.
    let has_reliable = stack.frames.iter().any(|frame| frame.reliable && !frame.exact);
    let frames = stack.frames.iter().filter(|frame| !frame.is_behind_its_symbol());
    let frames = frames.filter(|frame| frame.reliable || !has_reliable);
    for frame in frames.take(OF_STACK) {
        if let Some(candidate) = add(found, Some(frame), frame.function.as_deref(), group) {
            candidate.stack = number;
        }
    }
}

/// Adds a function, or the group to a known one.
fn add<'f, 'r>(
    found: &'f mut Vec<Candidate<'r>>,
    frame: Option<&'r Frame<'r>>,
    function: Option<&'r str>,
    group: Group,
) -> Option<&'f mut Candidate<'r>> {
    let function = functions::base(function?);
    if let Some(known) = found.iter_mut().find(|known| known.function == function) {
        known.groups |= 1 << group as u8;
        known.times += 1;
        return None;
    }
    if found.len() >= MAX_CANDIDATES || function.is_empty() {
        return None;
    }
    found.push(Candidate {
        function,
        first_word: first_word(function),
        frame,
        group,
        stack: usize::MAX - group as usize,
        relevant_above: 0,
        ordinary_above: 0,
        relevant_below: 0,
        reason: functions::reason(function),
        source: Source::Unknown,
        class: None,
        folder: None,
        groups: 1 << group as u8,
        times: 1,
    });
    found.last_mut()
}

/// Finds the files: first those that are unambiguous, then the others by their neighbors.
fn locate<'r>(found: &mut [Candidate<'r>], report: &'r Report<'r>, atlas: Atlas<'r>) {
    let arch = report.kernel.arch.map(crate::arch::Arch::name);
    for candidate in found.iter_mut() {
        let path = candidate.frame.and_then(|frame| frame.file.as_deref()).and_then(in_tree);
        let module = candidate.frame.and_then(|frame| frame.module.as_deref());
        let inline = candidate.frame.is_some_and(|frame| frame.inline);
        let hints = Hints { module, arch, near: &[], inline };
        candidate.source = match path {
            Some(path) => Source::Log(path),
            None => match (atlas.resolve(key(candidate.function), hints), module) {
                (Some(place), _) => Source::Atlas(place.file),
                (None, Some(module)) if atlas.module(module).next().is_none() => {
                    Source::Module(module)
                }
                (None, _) => Source::Unknown,
            },
        };
        candidate.class = candidate.source.class();
    }
    for at in 0..found.len() {
        let Some(candidate) = found.get(at) else { break };
        if !matches!(candidate.source, Source::Unknown) {
            continue;
        }
        let mut near = [""; NEIGHBOURS];
        neighbours(found, at, &mut near);
        let module = candidate.frame.and_then(|frame| frame.module.as_deref());
        let inline = candidate.frame.is_some_and(|frame| frame.inline);
        let hints = Hints { module, arch, near: &near, inline };
        if let Some(place) = atlas.resolve(key(candidate.function), hints)
            && let Some(candidate) = found.get_mut(at)
        {
            candidate.source = Source::Atlas(place.file);
            candidate.class = Some(place.file.class());
        }
    }
}

/// The directories of the functions around a candidate, the nearest first.
fn neighbours<'r>(found: &[Candidate<'r>], at: usize, near: &mut [&'r str]) {
    let mut slots = near.iter_mut();
    for distance in 1..=NEIGHBOURS {
        let below = at.checked_sub(distance).and_then(|at| found.get(at));
        for other in [found.get(at + distance), below].into_iter().flatten() {
            let is_near = found.get(at).is_some_and(|own| own.stack == other.stack);
            let directory = other.source.directory().filter(|_| is_near && other.is_ordinary());
            if let Some(directory) = directory {
                let Some(slot) = slots.next() else { return };
                *slot = directory;
            }
        }
    }
}

/// The name of a function in an atlas: for Rust the last part of the path.
fn key(function: &str) -> &str {
    let colon = memchr::memrchr(b':', function.as_bytes()).and_then(|colon| colon.checked_sub(1));
    colon.and_then(|at| function.get(at..)).unwrap_or(function)
}

fn first_word(function: &str) -> &str {
    let name = function.trim_start_matches('_');
    let end = memchr::memchr(b'_', name.as_bytes()).unwrap_or(name.len());
    name.get(..end).filter(|word| word.len() > 1).unwrap_or_default()
}

/// The top directories of the kernel's sources.
const TOP: &[&str] = &[
    "arch", "block", "certs", "crypto", "drivers", "fs", "include", "init", "io_uring", "ipc",
    "kernel", "lib", "mm", "net", "rust", "security", "sound", "virt",
];

/// The path of a file in the tree. Logs have absolute and relative paths.
fn in_tree(path: &str) -> Option<&str> {
    let path = path.trim_start_matches("./");
    let mut from = 0;
    loop {
        let rest = path.get(from..)?;
        let (first, _) = rest.split_once('/')?;
        if TOP.contains(&first) {
            return Some(rest);
        }
        from += first.len() + 1;
    }
}

/// Gives candidates of one directory the same number.
fn number_folders(found: &mut [Candidate<'_>]) {
    let mut known: [(&str, usize); MAX_CANDIDATES] = [("", 0); MAX_CANDIDATES];
    let mut count = 0;
    for (at, candidate) in found.iter_mut().enumerate() {
        let Some(directory) = candidate.source.directory() else { continue };
        let seen = known.iter().take(count).find(|(other, _)| *other == directory);
        candidate.folder = Some(seen.map_or(at, |(_, first)| *first));
        if seen.is_none()
            && let Some(slot) = known.get_mut(count)
        {
            (*slot, count) = ((directory, at), count + 1);
        }
    }
}

/// Counts the functions above and below each candidate in its stack.
fn count(found: &mut [Candidate<'_>]) {
    let (mut stack, mut relevant, mut ordinary) = (usize::MAX, 0, 0);
    for candidate in &mut *found {
        if candidate.stack != stack {
            (stack, relevant, ordinary) = (candidate.stack, 0, 0);
        }
        (candidate.relevant_above, candidate.ordinary_above) = (relevant, ordinary);
        relevant += usize::from(candidate.reason.is_none());
        ordinary += usize::from(candidate.is_ordinary());
    }
    let mut below = 0;
    stack = usize::MAX;
    for candidate in found.iter_mut().rev() {
        if candidate.stack != stack {
            (stack, below) = (candidate.stack, 0);
        }
        let is_helper = candidate.reason.is_some();
        candidate.relevant_below = if is_helper { below.max(1) - 1 } else { below };
        below += usize::from(!is_helper);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_names() {
        assert_eq!(first_word("nilfs_dat_commit_free"), first_word("__nilfs_btree"));
        assert_ne!(first_word("nilfs_dat"), first_word("nilfsx"));
        assert_eq!([first_word(""), first_word("_"), first_word("f_g")], [""; 3]);
        assert_eq!([key("a::B::drop"), key("f"), key(":")], ["::drop", "f", ":"]);
        assert_eq!([split("fs/a/b.c"), split("b.c")], [("fs/a", "b.c"), ("", "b.c")]);
    }
}
