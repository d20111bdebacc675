//! Fits the weights of `src/cluster/feature.rs`, and counts the table of
//! `src/cluster/document_frequency/table.rs`, from labelled logs.
//!
//! ```text
//! cargo run --release -p ksplat-tools --bin fit_weights -- ../shared/dedup/study/labels.tsv ../shared/dedup/mail/labels.tsv
//! cargo run --release -p ksplat-tools --bin fit_weights -- --spread LABELS.tsv… > src/cluster/document_frequency/table.rs
//! ```
//!
//! Each line of a labels file has the path of a log, relative to the file, a tab, and the bug of
//! the log. The weights maximize the likelihood of a softmax in which, of all other logs of a file,
//! those of the same bug rank first. They are evaluated on every second bug, which is left out, and
//! then fitted to all.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use ksplat::cluster::{Feature, Index, Observation};
use ksplat::fingerprint::Signature;

const FEATURES: usize = Feature::ALL.len();

/// The number of candidates of a query that are used: the most similar ones.
const CANDIDATES: usize = 150;
const ROUNDS: usize = 400;
const STEP: f64 = 0.05;
/// The strength of L2 regularization.
const DECAY: f64 = 5e-3;
/// Names in the reports of fewer bugs are as rare as unknown names.
const SPREAD_FROM: usize = 8;

type Values = [f64; FEATURES];
type Candidates<'a> = Vec<&'a (Values, bool)>;

struct Query {
    bug: String,
    /// The features of each candidate, and whether it is of the same bug.
    candidates: Vec<(Values, bool)>,
}

fn main() {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let spread = paths.first().is_some_and(|first| first == "--spread");
    if spread {
        paths.remove(0);
    }
    let sets: Vec<_> = paths.iter().map(|path| load(Path::new(path))).collect();
    if spread {
        return print_spread(&sets);
    }
    let queries: Vec<Vec<Query>> = sets.iter().map(|set| self::queries(set)).collect();
    let even = |query: &Query| query.bug.bytes().map(u32::from).sum::<u32>() % 2 == 0;
    for half in [true, false] {
        let weights = fit(&queries, |query| even(query) == half);
        for (path, queries) in paths.iter().zip(&queries) {
            let held: Vec<_> = queries.iter().filter(|query| even(query) != half).collect();
            println!("// {path}, fitted on the other half: {}", recall(&held, &weights));
        }
    }
    let weights = fit(&queries, |_| true);
    for (path, queries) in paths.iter().zip(&queries) {
        println!("// {path}: {}", recall(&queries.iter().collect::<Vec<_>>(), &weights));
    }
    for (feature, weight) in Feature::ALL.iter().zip(weights) {
        println!("{} = {weight:.2}", feature.name());
    }
    calibrate(&queries, &weights);
}

fn load(labels: &Path) -> Vec<(String, Signature<'static>)> {
    let folder = labels.parent().unwrap();
    let text = fs::read_to_string(labels).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| {
        let mut columns = row.split('\t');
        let (path, bug) = (columns.next()?, columns.next()?);
        let log = fs::read(folder.join(path)).ok()?;
        let mut report = ksplat::reports(&log).next()?;
        ksplat::Analyzer::new().without_instructions().annotate(&mut report);
        Some((bug.to_owned(), Signature::of(&report).into_owned()))
    })
    .collect()
}

fn queries(set: &[(String, Signature<'static>)]) -> Vec<Query> {
    let mut index = Index::new();
    let mut bugs = HashMap::<&str, usize>::new();
    // A match represents all reports with the same exact hash.
    let mut equal = HashMap::<u64, Vec<usize>>::new();
    for (number, (bug, signature)) in set.iter().enumerate() {
        index.add(signature, Observation::default());
        *bugs.entry(bug).or_default() += 1;
        equal.entry(signature.exact).or_default().push(number);
    }
    let several = set.iter().enumerate().filter(|(_, (bug, _))| bugs[&**bug] > 1);
    several
        .map(|(number, (bug, signature))| {
            let others = index.matches(signature, set.len());
            let mut candidates = Vec::new();
            for other in others {
                let mut values = [0.0; FEATURES];
                for (feature, value) in &other.features {
                    values[*feature as usize] = f64::from(*value);
                }
                let reports = &equal[&set[other.report as usize].1.exact];
                let reports = reports.iter().filter(|report| **report != number);
                candidates.extend(reports.map(|report| (values, set[*report].0 == *bug)));
            }
            Query { bug: bug.clone(), candidates }
        })
        .collect()
}

fn score(values: &Values, weights: &Values) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

/// Fits the weights that maximize the likelihood of candidates of the same bug, by gradient ascent
/// (Adam). Every file counts the same. Only features against one bug may have negative weights.
fn fit(sets: &[Vec<Query>], takes: impl Fn(&Query) -> bool) -> Values {
    let mut weights: Values = std::array::from_fn(|at| f64::from(Feature::ALL[at].weight()));
    for _ in 0..2 {
        let chosen: Vec<Vec<Vec<&(Values, bool)>>> = sets
            .iter()
            .map(|set| {
                set.iter()
                    .filter(|query| takes(query))
                    .map(|query| hardest(query, &weights))
                    .collect()
            })
            .collect();
        let (mut mean, mut square) = ([0.0; FEATURES], [0.0; FEATURES]);
        for round in 1..=ROUNDS {
            let gradient = gradient(&chosen, &weights);
            for at in 0..FEATURES {
                let slope = gradient[at] - DECAY * 2.0 * weights[at];
                mean[at] = 0.9 * mean[at] + 0.1 * slope;
                square[at] = 0.999 * square[at] + 0.001 * slope * slope;
                let bias = (1.0 - 0.9_f64.powi(round as i32), 1.0 - 0.999_f64.powi(round as i32));
                weights[at] += STEP * (mean[at] / bias.0) / ((square[at] / bias.1).sqrt() + 1e-9);
                let speaks_against = Feature::ALL[at] == Feature::OtherOffset;
                weights[at] =
                    if speaks_against { weights[at].min(0.0) } else { weights[at].max(0.0) };
            }
        }
    }
    weights
}

fn hardest<'a>(query: &'a Query, weights: &Values) -> Vec<&'a (Values, bool)> {
    let (same, mut others): (Candidates<'_>, Candidates<'_>) =
        query.candidates.iter().partition(|(_, same)| *same);
    others.sort_by(|a, b| score(&b.0, weights).total_cmp(&score(&a.0, weights)));
    same.into_iter().chain(others.into_iter().take(CANDIDATES)).collect()
}

fn gradient(sets: &[Vec<Vec<&(Values, bool)>>], weights: &Values) -> Values {
    let mut sum = [0.0; FEATURES];
    for set in sets {
        for candidates in set {
            let scores: Vec<_> =
                candidates.iter().map(|(values, _)| score(values, weights)).collect();
            let most = scores.iter().copied().fold(f64::MIN, f64::max);
            let powers: Vec<_> = scores.iter().map(|score| (score - most).exp()).collect();
            let all: f64 = powers.iter().sum();
            let same: f64 = powers
                .iter()
                .zip(candidates)
                .filter(|(_, (_, same))| *same)
                .map(|(power, _)| power)
                .sum();
            if same <= 0.0 {
                continue;
            }
            for (power, (values, is_same)) in powers.iter().zip(candidates) {
                let share = if *is_same { power / same } else { 0.0 } - power / all;
                for at in 0..FEATURES {
                    sum[at] += share * values[at] / (set.len() * sets.len()) as f64;
                }
            }
        }
    }
    sum
}

fn recall(queries: &[&Query], weights: &Values) -> String {
    let (mut first, mut tenth) = (0, 0);
    for query in queries {
        let best = |want: bool| {
            query
                .candidates
                .iter()
                .filter(move |(_, same)| *same == want)
                .map(|(values, _)| score(values, weights))
        };
        let Some(same) = best(true).max_by(f64::total_cmp) else { continue };
        let better = best(false).filter(|other| *other > same).count();
        first += usize::from(better < 1);
        tenth += usize::from(better < 10);
    }
    let share = |count: usize| 100.0 * count as f64 / queries.len() as f64;
    format!(
        "{} queries, right at rank 1 {:.1} %, at 10 {:.1} %",
        queries.len(),
        share(first),
        share(tenth)
    )
}

/// Fits the probabilities of sums: logistic regression over the first ten candidates of each query.
fn calibrate(sets: &[Vec<Query>], weights: &Values) {
    let mut points = Vec::new();
    for query in sets.iter().flatten() {
        let mut scores: Vec<_> =
            query.candidates.iter().map(|(values, same)| (score(values, weights), *same)).collect();
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        points.extend(scores.into_iter().take(10));
    }
    let (mut slope, mut base) = (0.5_f64, -3.0_f64);
    for _ in 0..200 {
        // Newton's method on two variables.
        let (mut g, mut h) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
        for (score, same) in &points {
            let chance = 1.0 / (1.0 + (-(slope * score + base)).exp());
            let (error, spread) = (f64::from(u8::from(*same)) - chance, chance * (1.0 - chance));
            g = [g[0] + error * score, g[1] + error];
            h = [h[0] + spread * score * score, h[1] + spread * score, h[2] + spread];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        slope += ((h[2] * g[0] - h[1] * g[1]) / determinant).clamp(-0.1, 0.1);
        base += ((h[0] * g[1] - h[1] * g[0]) / determinant).clamp(-0.5, 0.5);
    }
    println!("calibration: ({slope:.3}, {base:.3})");
    for threshold in [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98] {
        let above = points
            .iter()
            .filter(|(score, _)| 1.0 / (1.0 + (-(slope * score + base)).exp()) >= threshold);
        let (right, all) =
            above.fold((0, 0), |(right, all), (_, same)| (right + usize::from(*same), all + 1));
        println!(
            "// from {threshold}: {all} pairs, {:.1} % of them right",
            100.0 * f64::from(right as u32) / f64::from(all.max(1) as u32)
        );
    }
}

/// Prints the number of bugs whose reports contain each function or word.
fn print_spread(sets: &[Vec<(String, Signature<'static>)>]) {
    let mut functions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut words: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut bugs = BTreeSet::new();
    for (bug, signature) in sets.iter().flatten() {
        bugs.insert(bug);
        for part in &signature.frames {
            functions.entry(&part.function).or_default().insert(bug);
        }
        let names =
            signature.frames.iter().map(|part| &part.function).chain([&signature.title.text]);
        for word in names.flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric())) {
            words.entry(word.to_ascii_lowercase()).or_default().insert(bug);
        }
    }
    println!(
        "//! The number of bugs, of a large set, whose reports contain a name. Generated by\n//! tools/src/bin/fit_weights.rs.\n"
    );
    println!("/// The number of bugs in the set.\npub(super) const BUGS: f32 = {}.0;", bugs.len());
    println!(
        "\n/// Functions, by name.\n#[rustfmt::skip] // a table\npub(super) const FUNCTIONS: &[(&str, u16)] = &["
    );
    for (name, bugs) in functions.iter().filter(|(_, bugs)| bugs.len() >= SPREAD_FROM) {
        println!("    ({name:?}, {}),", bugs.len());
    }
    println!(
        "];\n\n/// Words in names and titles.\n#[rustfmt::skip] // a table\npub(super) const WORDS: &[(&str, u16)] = &["
    );
    for (word, bugs) in
        words.iter().filter(|(word, bugs)| word.len() > 1 && bugs.len() >= 2 * SPREAD_FROM)
    {
        println!("    ({word:?}, {}),", bugs.len());
    }
    println!("];");
}
