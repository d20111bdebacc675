//! The features of a candidate: indices into the table of weights.

use super::candidate::{Candidate, Group};
use super::context::Context;
use super::index;
use super::words::WORDS;
use crate::atlas::FileClass;
use crate::model::Report;

/// Makes the families of features, each with the number of its values.
macro_rules! families {
    ($( $(#[doc = $doc:literal])+ $family:ident: $size:expr, )+) => {
        /// A family of features. A candidate has one of each, and any number of [`Words`](Self::Words).
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Family { $( $(#[doc = $doc])+ $family, )+ }

        /// The number of values of each family.
        const SIZES: &[usize] = &[ $( $size, )+ ];
    };
}

families! {
    /// The number of relevant functions above it, and the stack.
    Rank: 8 * Group::COUNT,
    /// The number of functions of subsystems and drivers above it, whether it is one, and whether it is in
    /// the stack of the crash.
    OrdinaryRank: 8 * 2 * 2,
    /// The class of its file, and whether it is in the stack of the crash.
    Class: 26 * 2,
    /// The reason if it is a helper.
    Reason: 15,
    /// The kind of the report, the rank, and the stack.
    Kind: KINDS * 4 * 3,
    /// The kind of the report, and whether it is in a subsystem or driver.
    KindOrdinary: KINDS * 2,
    /// The relation of its file to that of the first ordinary function, and the rank.
    Anchor: 8 * 4,
    /// The share of its directory in the stacks.
    Share: 6,
    /// Whether its directory has the most functions, and the rank.
    Majority: 2 * 4,
    /// Whether its name has the first word of the first ordinary function, of its callee and of its caller.
    Prefix: 3 * 2 * 2,
    /// Whether it and the first ordinary function are in modules.
    Module: 4,
    /// Whether it is inlined, and whether the frame has a source line.
    Inline: 4,
    /// Whether it was running, and whether the frame is reliable.
    Frame: 4,
    /// Words of its name.
    Words: WORDS.len(),
    /// Whether the title names it, and whether the report blames it.
    Named: 4,
    /// The size of the function, as a power of two.
    Size: 14,
    /// The offset in the function, in fifths of its size.
    Progress: 6,
    /// The other stacks with it.
    Groups: 5,
    /// The reason if its callee is a helper.
    Callee: 17,
    /// The reason if its caller is a helper.
    Caller: 17,
    /// Whether its callee and its caller are in its directory.
    Neighbours: 9,
    /// The number of relevant functions of the stack, and whether it is the first.
    Length: 5 * 2,
    /// The number of frames with it.
    Times: 3,
    /// The number of relevant functions below it.
    Below: 6,
    /// For *none of these*: the kind of the report.
    NoneKind: KINDS,
    /// For *none of these*: the number of relevant functions.
    NoneLength: 6,
    /// For *none of these*: whether the report is usable, has source lines, has an ordinary function.
    NoneReport: 8,
}

/// The number of groups of kinds.
pub(super) const KINDS: usize = 16;

/// The first index of each family.
const STARTS: [usize; SIZES.len() + 1] = starts();

#[allow(clippy::indexing_slicing, reason = "made at build time")]
const fn starts() -> [usize; SIZES.len() + 1] {
    let mut starts = [0; SIZES.len() + 1];
    let mut family = 0;
    while family < SIZES.len() {
        starts[family + 1] = starts[family] + SIZES[family];
        family += 1;
    }
    starts
}

/// The number of features.
#[allow(clippy::indexing_slicing, reason = "made at build time")]
pub(super) const COUNT: usize = STARTS[SIZES.len()];

/// The index of a value of a family.
fn number(family: Family, value: usize) -> usize {
    let start = STARTS.get(family as usize).copied().unwrap_or(COUNT);
    let size = SIZES.get(family as usize).copied().unwrap_or(1);
    start + value.min(size - 1)
}

/// Calls `found` with the index of each feature of a candidate.
pub(super) fn of_candidate(context: &Context<'_>, at: usize, mut found: impl FnMut(usize)) {
    use Family as F;
    let Some(own) = context.candidates.get(at) else { return };
    let mut add = |family, value| found(number(family, value));
    let crashed = usize::from(own.group == Group::Crash);
    let ordinary = usize::from(own.is_ordinary());
    let rank = own.relevant_above;
    let short_rank = if own.reason.is_some() { 3 } else { rank.min(2) };
    let stack = match own.group {
        Group::Crash => 0,
        Group::Allocation | Group::Free => 1,
        _ => 2,
    };
    add(F::Rank, rank.min(7) * Group::COUNT + own.group as usize);
    add(F::OrdinaryRank, (own.ordinary_above.min(7) * 2 + ordinary) * 2 + crashed);
    add(F::Class, own.class.map_or(25, |class| class as usize) * 2 + crashed);
    add(F::Reason, own.reason.map_or(14, |reason| reason as usize));
    add(F::Kind, (context.kind * 4 + short_rank) * 3 + stack);
    add(F::KindOrdinary, context.kind * 2 + ordinary);
    add(F::Anchor, context.relation(own) * 4 + short_rank);
    add(F::Share, context.share(own));
    add(F::Majority, usize::from(context.is_majority(own)) * 4 + short_rank);
    let (callee, caller) = context.around(at);
    let begins =
        |other: Option<&Candidate<'_>>| usize::from(other.is_some_and(|other| own.is_alike(other)));
    let of_anchor = match context.anchor() {
        Some(anchor) if anchor.function == own.function => 0,
        anchor => 1 + begins(anchor),
    };
    add(F::Prefix, (of_anchor * 2 + begins(callee)) * 2 + begins(caller));
    let module = |other: Option<&Candidate<'_>>| {
        usize::from(other.and_then(|other| other.frame).is_some_and(|frame| frame.module.is_some()))
    };
    add(F::Module, module(Some(own)) * 2 + module(context.anchor()));
    let of_frame =
        |is: fn(&crate::model::Frame<'_>) -> bool| usize::from(own.frame.is_some_and(is));
    add(F::Inline, of_frame(|frame| frame.inline) * 2 + of_frame(|frame| frame.file.is_some()));
    add(F::Frame, of_frame(|frame| frame.exact) * 2 + of_frame(|frame| frame.reliable));
    words(own.function, |word| add(F::Words, word));
    add(F::Named, context.named(own));
    let size = own.frame.and_then(|frame| frame.size);
    add(F::Size, size.map_or(0, |size| (64 - size.leading_zeros() as usize).clamp(3, 15) - 2));
    let progress = own.frame.and_then(|frame| frame.offset).zip(size.filter(|size| *size > 0));
    let fifth = |(offset, size): (u64, u64)| {
        let [offset, size] = [offset.min(size), size].map(u128::from);
        usize::try_from(5 * offset / (size + 1)).unwrap_or(4)
    };
    add(F::Progress, progress.map_or(5, fifth));
    add(F::Groups, groups(own));
    let reason = |other: Option<&Candidate<'_>>| {
        other.map_or(16, |other| other.reason.map_or(15, |reason| reason as usize))
    };
    add(F::Callee, reason(callee));
    add(F::Caller, reason(caller));
    let shares = |other: Option<&Candidate<'_>>| match other {
        None => 0,
        Some(other) if own.folder.is_some() && other.folder == own.folder => 1,
        Some(_) => 2,
    };
    add(F::Neighbours, shares(callee) * 3 + shares(caller));
    add(F::Length, bin(context.relevant) * 2 + usize::from(rank == 0 && own.reason.is_none()));
    add(F::Times, own.times.clamp(1, 3) - 1);
    add(F::Below, own.relevant_below.min(5));
}

/// Calls `found` with the index of each feature of *none of these*.
pub(super) fn of_none(context: &Context<'_>, report: &Report<'_>, mut found: impl FnMut(usize)) {
    found(number(Family::NoneKind, context.kind));
    found(number(
        Family::NoneLength,
        if context.candidates.is_empty() { 5 } else { bin(context.relevant) },
    ));
    let has_lines =
        context.candidates.iter().any(|own| own.frame.is_some_and(|frame| frame.file.is_some()));
    let flags = [report.is_usable(), has_lines, context.anchor().is_some()];
    found(number(
        Family::NoneReport,
        flags.iter().fold(0, |value, flag| value * 2 + usize::from(*flag)),
    ));
}

fn bin(count: usize) -> usize {
    match count {
        0 | 1 => 0,
        2 | 3 => 1,
        4..=6 => 2,
        7..=10 => 3,
        _ => 4,
    }
}

/// The stacks with a function: one; crash and free; crash and allocation; free and allocation; others.
fn groups(own: &Candidate<'_>) -> usize {
    let is_in = |group: Group| own.groups & (1 << group as u8) != 0;
    match (is_in(Group::Crash), is_in(Group::Free), is_in(Group::Allocation)) {
        _ if own.groups.is_power_of_two() => 0,
        (true, true, _) => 1,
        (true, false, true) => 2,
        (false, true, true) => 3,
        _ => 4,
    }
}

fn words(function: &str, found: impl FnMut(usize)) {
    let words = function.as_bytes().split(|byte| matches!(byte, b'_' | b':' | b'.'));
    words.filter_map(index::word).for_each(found);
}

const _: () =
    assert!(FileClass::ALL.len() == 25, "the family `Class` has one value more than classes");
