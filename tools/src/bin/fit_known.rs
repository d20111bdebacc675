//! Fits `src/known/table.rs` from crashes that fixes quote and reports of the same bugs.
//!
//! ```text
//! cargo run --release -p ksplat-tools --bin fit_known -- ../shared/fixes > table.rs
//! mv table.rs src/known/table.rs
//! ```
//!
//! The directory has `reports/ID.txt`, what each fix quotes, and `known.tsv`: a report, a tab, and the ID of the fix of
//! its bug, or `-`. The weights maximize the likelihood of a softmax over the candidates of a report and *no candidate*. Figures are of five folds, in which reports of one fix, or of one title without a fix, stay together.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ksplat::cluster::{Index, Observation};
use ksplat::fingerprint::Signature;
use ksplat::known::{PAIR_FEATURES, PAIR_NAMES, pair_features};

const CANDIDATES: usize = 40;
const FOLDS: u64 = 5;
const ROUNDS: usize = 3000;
const STEP: f64 = 0.02;
/// The strength of L2 regularization.
const DECAY: f64 = 1.0;

/// Another strength, and the numbers of features to leave out, to compare figures: `--decay 2 --without 3,5`.
fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|word| word != name).nth(1)
}

/// The bias, then the weights.
type Weights = [f64; PAIR_FEATURES + 1];

struct Query {
    name: String,
    group: String,
    fix: Option<String>,
    candidates: Vec<(String, Weights)>,
}

fn main() {
    let folder = std::env::args().nth(1).expect("the directory of the fixes");
    let queries = load(Path::new(&folder));
    let mut of_folds = Vec::new();
    for fold in 0..FOLDS {
        let weights = fit(&queries, |query| fold_of(query) != fold);
        let held = queries.iter().filter(|query| fold_of(query) == fold);
        of_folds.extend(held.map(|query| (query, answer(query, &weights))));
    }
    let weights = fit(&queries, |_| true);
    println!("//! The model of `rank`, by `fit_known` of `tools`.\n//!");
    println!("//! In cross-validation: {}.", figures(&of_folds));
    let fitted: Vec<_> = queries.iter().map(|query| (query, answer(query, &weights))).collect();
    eprintln!("fitted to all: {}", figures(&fitted));
    bins(&of_folds);
    if std::env::args().any(|word| word == "--misses") {
        misses(&of_folds);
    }
    println!("\n/// The number of features.\npub const PAIR_FEATURES: usize = {PAIR_FEATURES};\n");
    println!("/// The constant part of a score, against *no candidate*.");
    println!("pub(super) const BIAS: f32 = {:.2};\n", weights[0]);
    println!("/// The weight of each feature.\n#[rustfmt::skip] // rows");
    println!("pub(super) const WEIGHTS: [(&str, f32); PAIR_FEATURES] = [");
    for (name, weight) in PAIR_NAMES.iter().zip(&weights[1..]) {
        println!("    ({name:?}, {weight:.2}),");
    }
    println!("];");
}

fn signature(path: &Path) -> Option<Signature<'static>> {
    let log = fs::read(path).ok()?;
    let mut report = ksplat::reports(&log).next()?;
    ksplat::Analyzer::new().without_instructions().annotate(&mut report);
    Some(Signature::of(&report).into_owned())
}

fn load(folder: &Path) -> Vec<Query> {
    let mut index = Index::new();
    let mut fixes = Vec::new();
    let mut by_exact: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut paths: Vec<_> =
        fs::read_dir(folder.join("reports")).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let Some(signature) = signature(&path) else { continue };
        index.add(&signature, Observation::default());
        by_exact.entry(signature.exact).or_default().push(fixes.len());
        fixes.push((path.file_stem().unwrap().to_string_lossy().into_owned(), signature));
    }
    let table = fs::read_to_string(folder.join("known.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| {
        let (path, fix) = row.split_once('\t')?;
        let signature = signature(&folder.join(path))?;
        let mut candidates = Vec::new();
        for found in index.matches(&signature, CANDIDATES) {
            for at in &by_exact[&fixes[found.report as usize].1.exact] {
                let (id, known) = &fixes[*at];
                let mut values = [1.0; PAIR_FEATURES + 1];
                let pair = pair_features(&signature, known, found.score);
                values[1..].iter_mut().zip(pair).for_each(|(to, value)| *to = f64::from(value));
                candidates.push((id.clone(), values));
            }
        }
        let fix = (fix != "-").then(|| fix.to_owned());
        let group = fix.clone().unwrap_or_else(|| signature.title.text.to_string());
        Some(Query { name: path.to_owned(), group, fix, candidates })
    })
    .collect()
}

fn fold_of(query: &Query) -> u64 {
    query.group.bytes().fold(7_u64, |hash, b| hash.wrapping_mul(31).wrapping_add(b.into())) % FOLDS
}

/// The probabilities of the candidates.
fn probabilities(query: &Query, weights: &Weights) -> Vec<f64> {
    let scores: Vec<f64> = query
        .candidates
        .iter()
        .map(|(_, values)| values.iter().zip(weights).map(|(a, b)| a * b).sum())
        .collect();
    let most = scores.iter().copied().fold(0.0, f64::max);
    let sum: f64 = (-most).exp() + scores.iter().map(|score| (score - most).exp()).sum::<f64>();
    scores.iter().map(|score| (score - most).exp() / sum).collect()
}

/// Fits the weights by gradient ascent (Adam) from zeros.
fn fit(queries: &[Query], takes: impl Fn(&Query) -> bool) -> Weights {
    let queries: Vec<_> = queries.iter().filter(|query| takes(query)).collect();
    let decay = option("--decay").map_or(DECAY, |decay| decay.parse().expect("a number"));
    let without: Vec<usize> = option("--without")
        .iter()
        .flat_map(|list| list.split(','))
        .map(|number| number.parse::<usize>().expect("a number") + 1)
        .collect();
    let mut weights: Weights = [0.0; PAIR_FEATURES + 1];
    let (mut mean, mut square) = ([0.0; PAIR_FEATURES + 1], [0.0; PAIR_FEATURES + 1]);
    for round in 1..=ROUNDS {
        let mut slope: Weights =
            std::array::from_fn(|at| if at == 0 { 0.0 } else { -decay * weights[at] });
        for query in &queries {
            let shares = probabilities(query, &weights);
            let right: Vec<bool> =
                query.candidates.iter().map(|(id, _)| Some(id) == query.fix.as_ref()).collect();
            let sum: f64 = shares
                .iter()
                .zip(&right)
                .filter(|(_, right)| **right)
                .map(|(share, _)| share)
                .sum();
            // A report whose fix is no candidate is one of *no candidate* here.
            for (((_, values), share), right) in query.candidates.iter().zip(&shares).zip(&right) {
                let target = if *right && sum > 0.0 { share / sum } else { 0.0 };
                for (slope, value) in slope.iter_mut().zip(values) {
                    *slope += (target - share) * value;
                }
            }
        }
        for at in 0..weights.len() {
            mean[at] = 0.9 * mean[at] + 0.1 * slope[at];
            square[at] = 0.999 * square[at] + 0.001 * slope[at] * slope[at];
            let (m, s) = (
                mean[at] / (1.0 - 0.9_f64.powf(round as f64)),
                square[at] / (1.0 - 0.999_f64.powf(round as f64)),
            );
            if without.contains(&at) {
                continue;
            }
            weights[at] += STEP * m / (s.sqrt() + 1e-8);
        }
    }
    weights
}

/// The candidates with their probabilities, each fix once, the most likely first.
fn answer(query: &Query, weights: &Weights) -> Vec<(String, f64)> {
    let mut found: Vec<(String, f64)> = Vec::new();
    let shares = probabilities(query, weights);
    for ((id, _), share) in query.candidates.iter().zip(shares) {
        match found.iter_mut().find(|(known, _)| known == id) {
            Some((_, best)) => *best = best.max(share),
            None => found.push((id.clone(), share)),
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

fn figures(answers: &[(&Query, Vec<(String, f64)>)]) -> String {
    let known: Vec<_> = answers.iter().filter(|(query, _)| query.fix.is_some()).collect();
    let within = |most: usize| {
        let hits = known.iter().filter(|(query, found)| {
            found.iter().take(most).any(|(id, _)| Some(id) == query.fix.as_ref())
        });
        100.0 * hits.count() as f64 / known.len() as f64
    };
    let none = answers.iter().filter(|(query, _)| query.fix.is_none());
    let alarms = none
        .clone()
        .filter(|(_, found)| found.first().is_some_and(|(_, share)| *share > 0.8))
        .count();
    format!(
        "first {:.1} %, among five {:.1} % of {}; {alarms} of {} without a fix above 0.8",
        within(1),
        within(5),
        known.len(),
        none.count()
    )
}

/// How often the first candidate is right, by its probability.
fn bins(answers: &[(&Query, Vec<(String, f64)>)]) {
    let mut bins = [(0, 0, 0.0); 5];
    for (query, found) in answers {
        let Some((id, share)) = found.first() else { continue };
        let bin = &mut bins[((share * 5.0) as usize).min(4)];
        *bin = (bin.0 + 1, bin.1 + usize::from(Some(id) == query.fix.as_ref()), bin.2 + share);
    }
    for (count, right, sum) in bins.iter().filter(|bin| bin.0 > 0) {
        let of = f64::from(*count);
        eprintln!("probability {:.2}: right {:.2} ({count})", sum / of, *right as f64 / of);
    }
}

/// Prints reports whose fix is not the first candidate, and the place of the fix.
fn misses(answers: &[(&Query, Vec<(String, f64)>)]) {
    for (query, found) in answers {
        let Some(fix) = query.fix.as_ref() else { continue };
        let place = found.iter().position(|(id, _)| id == fix);
        if place != Some(0) {
            let share = place.map_or(0.0, |at| found[at].1);
            eprintln!("{} {fix} {place:?} {share:.3}, first {:?}", query.name, found.first());
        }
    }
}
