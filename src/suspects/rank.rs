//! The ranking of the candidates.

use std::borrow::Cow;

use super::candidate::{Candidate, MAX_CANDIDATES, Source, split};
use super::context::Context;
use super::counts::{NUMBERS, calibrated, numbers};
use super::feature;
use super::index;
use super::table::{CALIBRATION, WEIGHTS};
use crate::atlas::Atlas;
use crate::model::{Report, Suspect};
use crate::order;

/// The maximum number of suspects of a report.
const MAX_SUSPECTS: usize = 8;

/// The minimum probability of a suspect.
const LEAST: f32 = 0.005;

/// The functions that most likely contain the bug, the most likely first.
pub(super) fn suspects<'log>(report: &Report<'log>, atlas: Atlas<'_>) -> Vec<Suspect<'log>> {
    if report.kind.is_information() {
        return Vec::new();
    }
    let context = Context::of(report, atlas);
    if context.candidates.is_empty() {
        return Vec::new();
    }
    let mut chances = [0.0_f32; MAX_CANDIDATES + 1];
    shares(&context, report, &mut chances);
    let mut order: Vec<(f32, usize)> = chances
        .iter()
        .take(context.candidates.len())
        .enumerate()
        .map(|(at, share)| (calibrated(*share, CALIBRATION), at))
        .collect();
    order::sort_by(&mut order, |a, b| b.0.total_cmp(&a.0));
    // Each is calibrated alone, and their sum may exceed 1.
    let sum: f32 = order.iter().map(|(chance, _)| chance).sum();
    let scale = sum.max(1.0).recip();
    let shown = order.iter().take(MAX_SUSPECTS).take_while(|(chance, _)| *chance >= LEAST);
    shown
        .filter_map(|(chance, at)| {
            Some(suspect(&context, context.candidates.get(*at)?, chance * scale))
        })
        .collect()
}

/// The share of each candidate in the softmax.
fn shares(context: &Context<'_>, report: &Report<'_>, chances: &mut [f32]) {
    let weight = |index: usize| f32::from(WEIGHTS.get(index).copied().unwrap_or(0)) / 1000.0;
    let mut most = f32::MIN;
    for (at, (own, chance)) in context.candidates.iter().zip(&mut *chances).enumerate() {
        let mut sum = 0.0;
        feature::of_candidate(context, at, |index| sum += weight(index));
        let numbers = numbers_of(own);
        sum += (feature::COUNT..)
            .zip(numbers)
            .map(|(index, number)| weight(index) * number)
            .sum::<f32>();
        *chance = sum;
        most = most.max(sum);
    }
    let mut none = 0.0;
    feature::of_none(context, report, |index| none += weight(index));
    most = most.max(none);
    let mut all = (none - most).exp();
    for chance in chances.iter_mut().take(context.candidates.len()) {
        *chance = (*chance - most).exp();
        all += *chance;
    }
    for chance in chances {
        *chance /= all;
    }
}

fn numbers_of(own: &Candidate<'_>) -> [f32; NUMBERS] {
    let file = match own.source {
        Source::Unknown | Source::Module(_) => None,
        Source::Log(path) => {
            let (directory, name) = split(path);
            Some(index::file(directory, name))
        }
        Source::Atlas(file) if file.name().is_empty() => None,
        Source::Atlas(file) => Some(index::file(file.directory(), file.name())),
    };
    let directory = own.source.directory().map(index::directory);
    numbers([Some(index::function(own.function)), file, directory])
}

/// The suspect of a candidate.
fn suspect<'log>(context: &Context<'_>, own: &Candidate<'_>, chance: f32) -> Suspect<'log> {
    let section = match own.source {
        Source::Atlas(file) => file.sections().next(),
        Source::Log(path) => context.atlas.sections(path).first().copied(),
        Source::Unknown | Source::Module(_) => None,
    };
    let lists =
        section.map(|section| section.lists().map(|list| Cow::Owned(list.to_owned())).collect());
    Suspect {
        function: Cow::Owned(own.function.to_owned()),
        file: own.source.path().map(Cow::Owned),
        directory: own
            .source
            .tree_directory()
            .filter(|directory| !directory.is_empty())
            .map(|directory| Cow::Owned(directory.to_owned())),
        subsystem: section.map(|section| Cow::Owned(section.name.to_owned())),
        lists: lists.unwrap_or_default(),
        probability: (chance.min(0.999) * 1000.0).round() / 1000.0,
        why: context.why(own),
        fixes: Vec::new(),
    }
}
