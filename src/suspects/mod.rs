//! Where the bug is: the functions of a report, ranked by a model of what fixes of past bugs changed.
//!
//! Each function of the stacks, the link register, the locks and the title is a candidate. Its features
//! are its place in the stacks, what it and its neighbours are, its directory and name beside those of
//! the others, the kind of the report, and how often functions, files and directories were changed by
//! fixes. A linear model adds up a weight for each; a softmax over the candidates and *none of these*,
//! calibrated, makes probabilities. [`Report::suspects`] holds the most likely ones.

mod candidate;
mod context;
mod counts;
mod feature;
mod rank;
mod table;

pub use counts::{Counts, NUMBERS, calibrated, numbers};

use std::borrow::Cow;

use crate::atlas::Atlas;
use crate::blame;
use crate::model::{Blame, Report, Suspect};
use crate::reason::BlameReason;
use context::Context;

/// A function of a report with what speaks for it, for the program that fits the model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Features {
    /// The function; empty for *none of these*.
    pub function: String,
    /// Its file.
    pub file: Option<String>,
    /// Its directory; the name of its module in brackets if no tree has that.
    pub directory: Option<String>,
    /// Which features it has.
    pub features: Vec<usize>,
}

/// How likely the first suspect must be to be blamed.
const BLAMED_FROM: f32 = 0.3;

/// How many times as likely as the function that its place blames.
const BLAMED_OVER: f32 = 1.5;

/// Fills in [`Report::suspects`] by an atlas, and what follows from them: the file of the blamed function
/// and the guilty file where the log has none, and the blame itself where a suspect is far likelier.
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
        // All others have more to say than the place in a stack.
        matches!(blame.why, BlameReason::CalledReporter | BlameReason::WasRunning)
            && blame.function != first.function
            && is_likelier(blame)
            // Signatures and a second annotation find the place again in the stacks alone.
            && blame::blame(report, None).is_some_and(|place| place.function == blame.function)
    };
    if first.probability >= BLAMED_FROM && report.blame.as_ref().is_none_or(is_other) {
        report.blame = Some(blame_of(first, report));
    }
    let file_of = |function: &str| {
        report.suspects.iter().find(|suspect| suspect.function == function)?.file.clone()
    };
    if let Some(blame) = report.blame.as_mut().filter(|blame| blame.file.is_none()) {
        blame.file = file_of(&blame.function);
    }
    // Lines that images gave are not those of the convention.
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
