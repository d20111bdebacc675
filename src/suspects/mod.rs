//! Suspects: the functions of a report, ranked by the probability that a fix changes them.
//!
//! Each function of the stacks, the link register, the locks and the title is a candidate. Its features
//! are its place in the stacks, its class and those of its neighbors, its directory and name relative to
//! other candidates, the kind of the report, and how often past fixes changed the function, its file and
//! its directory. A linear model scores the candidates and *none of these*, a softmax normalizes the
//! scores, and beta calibration makes probabilities of them. [`Report::suspects`] has the most likely ones.

mod candidate;
mod context;
mod counts;
mod feature;
mod index;
mod rank;
mod table;
mod words;

pub use counts::{Counts, NUMBERS, calibrated, numbers};

use std::borrow::Cow;

use crate::atlas::Atlas;
use crate::blame;
use crate::model::{Blame, Report, Suspect};
use crate::reason::BlameReason;
use context::Context;

/// A candidate with its features, for the program that fits the model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Features {
    /// The function; empty for *none of these*.
    pub function: String,
    /// The file.
    pub file: Option<String>,
    /// The directory; for an out-of-tree module its name in brackets.
    pub directory: Option<String>,
    /// The indices of its features.
    pub features: Vec<usize>,
}

/// The minimum probability of a suspect to be blamed.
const BLAMED_FROM: f32 = 0.3;

/// The minimum ratio of its probability to that of the function that the stacks blame.
const BLAMED_OVER: f32 = 1.5;

/// Fills in [`Report::suspects`] by an atlas. Then the blamed function and [`Report::guilty_file`]
/// get files if the log has none, and the first suspect replaces the blame if it is much more
/// likely.
///
/// Parsing leaves suspects out; [`Analyzer`](crate::Analyzer) calls this after it resolved the frames, as
/// inlined functions are candidates too. A report that changed since may be annotated again.
pub fn annotate(report: &mut Report<'_>, atlas: Atlas<'_>) {
    if report.blame.as_ref().is_some_and(|blame| blame.why == BlameReason::Suspected) {
        report.blame = blame::blame(report, None);
    }
    report.suspects = rank::suspects(report, atlas);
    let Some(first) = report.suspects.first() else { return };
    let is_likelier = |blame: &Blame<'_>| {
        let own = report.suspects.iter().find(|suspect| suspect.function == blame.function);
        first.probability >= BLAMED_OVER * own.map_or(0.0, |own| own.probability)
    };
    let is_other = |blame: &Blame<'_>| {
        // All other reasons are more specific than the place in a stack.
        matches!(blame.why, BlameReason::CalledReporter | BlameReason::WasRunning)
            && blame.function != first.function
            && is_likelier(blame)
            // Signatures and a second annotation derive the place from the stacks again.
            && blame::blame(report, None).is_some_and(|place| place.function == blame.function)
    };
    // No fix of an out-of-tree module is among the crashes that the model is fitted to.
    let is_of_tree = first.directory.is_some();
    if first.probability >= BLAMED_FROM && is_of_tree && report.blame.as_ref().is_none_or(is_other)
    {
        report.blame = Some(blame_of(first, report));
    }
    let file_of = |function: &str| {
        report.suspects.iter().find(|suspect| suspect.function == function)?.file.clone()
    };
    if let Some(blame) = report.blame.as_mut().filter(|blame| blame.file.is_none()) {
        blame.file = file_of(&blame.function);
    }
    // The convention counts lines of the log, not those of images.
    if report.guilty_file.is_none() && (report.image_check.is_some() || !has_lines(report)) {
        report.guilty_file = first.file.clone().map(Cow::into_owned);
    }
}

fn blame_of<'log>(suspect: &Suspect<'log>, report: &Report<'log>) -> Blame<'log> {
    let frames = || report.stacks.iter().flat_map(|stack| &stack.frames);
    let is_own = |function: &str| crate::functions::base(function) == suspect.function;
    let line = frames()
        .find(|frame| frame.line.is_some() && frame.function.as_deref().is_some_and(is_own))
        .and_then(|frame| frame.line);
    Blame {
        function: suspect.function.clone(),
        file: suspect.file.clone(),
        line,
        why: BlameReason::Suspected,
    }
}

fn has_lines(report: &Report<'_>) -> bool {
    report.stacks.iter().flat_map(|stack| &stack.frames).any(|frame| frame.file.is_some())
}

/// The number of features.
pub const FEATURES: usize = feature::COUNT;

/// The candidates of a report with their features, and behind them *none of these*.
pub fn features(report: &Report<'_>, atlas: Atlas<'_>) -> Vec<Features> {
    let context = Context::of(report, atlas);
    let mut all = Vec::new();
    for (at, candidate) in context.candidates.iter().enumerate() {
        let mut features = Vec::new();
        feature::of_candidate(&context, at, |index| features.push(index));
        all.push(Features {
            function: candidate.function.to_owned(),
            file: candidate.source.path(),
            directory: candidate.source.directory().map(|directory| match candidate.source {
                candidate::Source::Module(module) => ["[", module, "]"].concat(),
                _ => directory.to_owned(),
            }),
            features,
        });
    }
    let mut features = Vec::new();
    feature::of_none(&context, report, |index| features.push(index));
    all.push(Features { function: String::new(), file: None, directory: None, features });
    all
}
