//! Fits the weights of `src/cluster/feature.rs` and the probabilities of `src/cluster/calibration.rs`, and counts the
//! table of `src/cluster/document_frequency/table.rs`, from labelled logs.
//!
//! ```text
//! cargo run --release -p ksplat-tools --bin fit_weights -- ../shared/dedup/study/labels.tsv ../shared/dedup/mail/labels.tsv
//! cargo run --release -p ksplat-tools --bin fit_weights -- --spread LABELS.tsv… > src/cluster/document_frequency/table.rs
//! ```
//!
//! Each line of a labels file has the path of a log, relative to the file, a tab, and the bug of
//! the log. The weights maximize the likelihood of a softmax in which, of all other logs of a file,
//! those of the same bug rank first. In five folds by bug the document frequencies, the strength of the regularization
//! and the weights are made from the other four, and evaluated; four inner folds of these choose the strength. The
//! probabilities are fitted to the sums of these folds, and evaluated in the same folds again. Finally all is fitted
//! to all bugs.
//!
//! The weights for two reports alone are older: those of a fit to the same logs with the features that have one, and a
//! decay of 5e-3, and so is their curve in the library. The curve that is printed is that of the candidates of this run.

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

use ksplat::cluster::{Feature, Frequencies, Index, Observation};
use ksplat::fingerprint::{self, FrameClass, Signature};

const FEATURES: usize = Feature::ALL.len();

/// The number of candidates of a query that are ranked.
const RANKED: usize = 400;
/// The number of candidates of other bugs that the weights are fitted to: the most similar ones.
const CANDIDATES: usize = 60;
/// The rounds of gradient ascent; after half of them the candidates are chosen again.
const ROUNDS: usize = 400;
const STEP: f64 = 0.05;
/// The strengths of L2 regularization from which the inner folds choose. With weaker ones, fewer features have a weight,
/// and fewer reports of held-out bugs are ranked first.
const DECAYS: [f64; 3] = [2e-2, 5e-3, 2e-3];
/// The number of inner folds.
const INNER: u32 = 4;
/// Names in the reports of fewer bugs are as rare as unknown names.
const SPREAD_FROM: usize = 8;

const FOLDS: u32 = 5;
/// The number of candidates of a query that `ksplat match` prints, whose probabilities are fitted.
const PRINTED: usize = 10;
/// The number of candidates without a prior, as in `src/cluster/calibration.rs`.
const PRIOR: f64 = 1000.0;
/// The least difference of two points of the curve.
const APART: f64 = 0.02;
/// The number of innermost functions that are near the site, as in `src/cluster/blocking.rs`.
const NEAR: usize = 3;

type Values = [f64; FEATURES];
type Set = Vec<(String, Signature<'static>)>;
type Candidates<'a> = Vec<&'a Candidate>;

type Terms = [f64; 3];

struct Candidate {
    values: Values,
    /// Whether it is of the bug of the query.
    same: bool,
    /// Whether a score may join it with the query.
    near: bool,
}

struct Query {
    fold: u32,
    /// The fold among the others, while its own fold is not held out.
    inner: u32,
    /// The number of known signatures.
    known: usize,
    candidates: Vec<Candidate>,
}

/// A candidate of a query in a fold that its weights were not fitted to.
struct Held {
    set: usize,
    fold: u32,
    same: bool,
    near: bool,
    /// The rank in the list of the query.
    rank: usize,
    /// The sum of the weights for two reports alone.
    pair: f64,
    /// The sum without the prior, the distance to the greatest sum, and the distance of the greatest one to the next.
    terms: Terms,
}

/// The probabilities of a list.
struct Curve {
    /// What each of the terms adds, for each unit.
    slopes: Terms,
    points: Vec<(f64, f64)>,
}

fn main() {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let spread = paths.first().is_some_and(|first| first == "--spread");
    if spread {
        paths.remove(0);
    }
    let sets: Vec<_> = paths.iter().map(|path| load(Path::new(path))).collect();
    if spread {
        return Spread::of(&sets, |_| true).print();
    }
    let mut held = Vec::new();
    let mut ranks = vec![Ranks::default(); sets.len()];
    for fold in 0..FOLDS {
        let frequencies = Spread::of(&sets, |bug| fold_of(bug) != fold).frequencies();
        let queries: Vec<_> = sets.iter().map(|set| self::queries(set, frequencies)).collect();
        let decay = decay(&queries, |query| query.fold != fold);
        println!("// fold {fold}: L2 {decay}");
        let weights = fit(&queries, decay, |query| query.fold != fold);
        for (set, queries) in queries.iter().enumerate() {
            let queries: Vec<_> = queries.iter().filter(|query| query.fold == fold).collect();
            ranks[set].add(&queries, &weights);
            held.extend(queries.iter().flat_map(|query| list(set, query, &weights)));
        }
    }
    for (path, ranks) in paths.iter().zip(&ranks) {
        println!("// {path}, held out: {ranks}");
    }
    reliability(&paths, &held);
    let frequencies = Spread::of(&sets, |_| true).frequencies();
    let queries: Vec<_> = sets.iter().map(|set| self::queries(set, frequencies)).collect();
    let decay = decay(&queries, |_| true);
    println!("// all: L2 {decay}");
    let weights = fit(&queries, decay, |_| true);
    for (path, queries) in paths.iter().zip(&queries) {
        let mut ranks = Ranks::default();
        ranks.add(&queries.iter().collect::<Vec<_>>(), &weights);
        println!("// {path}: {ranks}");
    }
    for (feature, weight) in Feature::ALL.iter().zip(weights) {
        println!("{} = {weight:.2}", feature.name());
    }
    pairs(&paths, &held);
    let curve = curve(&held.iter().collect::<Vec<_>>());
    let [_, gap, lead] = curve.slopes;
    println!("GAP = {gap:.3}\nLEAD = {lead:.3}\nCURVE");
    for (sum, share) in &curve.points {
        println!("    ({sum:.2}, {share:.3}),");
    }
}

/// Reads the report that stands for each log.
fn load(labels: &Path) -> Set {
    let folder = labels.parent().unwrap();
    let text = fs::read_to_string(labels).unwrap();
    let analyzer = ksplat::Analyzer::new().without_instructions();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| {
        let mut columns = row.split('\t');
        let (path, bug) = (columns.next()?, columns.next()?);
        let log = fs::read(folder.join(path)).ok()?;
        let lines: Vec<_> = ksplat::reports(&log).map(|report| report.span.line).collect();
        let signed = fingerprint::of_log(&analyzer, ksplat::reports(&log)).into_iter();
        let mut signatures: Vec<_> = signed.map(|(_, signature)| signature).collect();
        let leading = fingerprint::leading(&signatures, &lines);
        (leading < signatures.len()).then(|| (bug.to_owned(), signatures.swap_remove(leading)))
    })
    .collect()
}

fn fold_of(bug: &str) -> u32 {
    bug.bytes().map(u32::from).sum::<u32>() % FOLDS
}

fn queries(set: &Set, frequencies: &'static Frequencies) -> Vec<Query> {
    let mut index = Index::with_frequencies(frequencies);
    let mut bugs = HashMap::<&str, usize>::new();
    // A match represents all reports with the same exact hash.
    let mut equal = HashMap::<u64, Vec<usize>>::new();
    for (number, (bug, signature)) in set.iter().enumerate() {
        index.add(signature, Observation::default());
        *bugs.entry(bug).or_default() += 1;
        equal.entry(signature.exact).or_default().push(number);
    }
    let several = set.iter().enumerate().filter(|(_, (bug, _))| bugs[&**bug] > 1);
    let known = index.signatures();
    several
        .map(|(number, (bug, signature))| {
            let others = index.matches(signature, RANKED);
            let mut candidates = Vec::new();
            for other in others {
                let mut values = [0.0; FEATURES];
                for (feature, value) in &other.features {
                    values[*feature as usize] = f64::from(*value);
                }
                let reports = &equal[&set[other.report as usize].1.exact];
                let reports = reports.iter().filter(|report| **report != number);
                let near = may_attach(signature, &set[other.report as usize].1);
                candidates.extend(reports.map(|report| {
                    let same = set[*report].0 == *bug;
                    Candidate { values, same, near }
                }));
            }
            let inner = bug.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
            Query { fold: fold_of(bug), inner: inner % INNER, known, candidates }
        })
        .collect()
}

/// Returns whether a score may join two reports: one family, no common site, a common innermost function.
fn may_attach(a: &Signature<'_>, b: &Signature<'_>) -> bool {
    let site = |of: &Signature<'_>| -> BTreeSet<String> {
        of.site.iter().flat_map(|site| &site.functions).map(ToString::to_string).collect()
    };
    let near = |of: &Signature<'_>| -> BTreeSet<String> {
        let frames = of.frames.iter();
        let own = frames.filter(|frame| frame.class == FrameClass::Relevant && !frame.inline);
        own.take(NEAR).map(|frame| frame.function.to_string()).chain(site(of)).collect()
    };
    a.family == b.family && site(a).is_disjoint(&site(b)) && !near(a).is_disjoint(&near(b))
}

/// Returns the candidates of a query, the most similar first.
fn list(set: usize, query: &Query, weights: &Values) -> Vec<Held> {
    let rated =
        query.candidates.iter().map(|candidate| (score(&candidate.values, weights), candidate));
    let mut rated: Vec<_> = rated.collect();
    rated.sort_by(|a, b| b.0.total_cmp(&a.0));
    let first = rated.first().map_or(0.0, |(sum, ..)| *sum);
    let second = rated.get(1).map_or(first, |(sum, ..)| *sum);
    let alone = std::array::from_fn(|at| f64::from(Feature::ALL[at].pair_weight()));
    let prior = (query.known as f64 / PRIOR).max(1.0).ln();
    let held = rated.into_iter().enumerate().map(|(rank, (sum, candidate))| {
        let lead = if rank == 0 { first - second } else { 0.0 };
        let terms = [sum - prior, first - sum, lead];
        let Candidate { same, near, .. } = *candidate;
        let pair = score(&candidate.values, &alone);
        Held { set, fold: query.fold, same, near, rank, pair, terms }
    });
    held.filter(|held| held.rank < PRINTED || held.near).collect()
}

fn score(values: &Values, weights: &Values) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

/// Returns the strength of the regularization with the greatest likelihood in inner folds.
fn decay(sets: &[Vec<Query>], takes: impl Fn(&Query) -> bool + Sync) -> f64 {
    let takes = &takes;
    let likelihood = |decay: f64| -> f64 {
        let of_fold = |fold| {
            let weights = fit(sets, decay, |query| takes(query) && query.inner != fold);
            let held = chosen(sets, &weights, |query| takes(query) && query.inner == fold);
            gradient(&held, &weights).1
        };
        (0..INNER).map(of_fold).sum()
    };
    let found: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            DECAYS.iter().map(|decay| scope.spawn(move || (likelihood(*decay), *decay))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    found.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1
}

/// Fits the weights that maximize the likelihood of candidates of the same bug, by gradient ascent
/// (Adam). Every file counts the same. Only features against one bug may have negative weights.
fn fit(sets: &[Vec<Query>], decay: f64, takes: impl Fn(&Query) -> bool) -> Values {
    let mut weights: Values = std::array::from_fn(|at| f64::from(Feature::ALL[at].weight()));
    for _ in 0..2 {
        let chosen = chosen(sets, &weights, &takes);
        let (mut mean, mut square) = ([0.0; FEATURES], [0.0; FEATURES]);
        for round in 1..=ROUNDS / 2 {
            let (gradient, _) = gradient(&chosen, &weights);
            for at in 0..FEATURES {
                let slope = gradient[at] - decay * 2.0 * weights[at];
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

/// Returns the candidates of each query of each set that the weights are fitted to.
fn chosen<'a>(
    sets: &'a [Vec<Query>],
    weights: &Values,
    takes: impl Fn(&Query) -> bool,
) -> Vec<Vec<Candidates<'a>>> {
    let of_set = |set: &'a Vec<Query>| {
        let queries = set.iter().filter(|query| takes(query));
        queries.map(|query| hardest(query, weights)).collect()
    };
    sets.iter().map(of_set).collect()
}

fn hardest<'a>(query: &'a Query, weights: &Values) -> Candidates<'a> {
    let (same, mut others): (Candidates<'_>, Candidates<'_>) =
        query.candidates.iter().partition(|candidate| candidate.same);
    others.sort_by(|a, b| score(&b.values, weights).total_cmp(&score(&a.values, weights)));
    same.into_iter().chain(others.into_iter().take(CANDIDATES)).collect()
}

/// Returns the gradient of the logarithm of the likelihood, and its value.
fn gradient(sets: &[Vec<Candidates<'_>>], weights: &Values) -> (Values, f64) {
    let (mut sum, mut likelihood) = ([0.0; FEATURES], 0.0);
    for set in sets {
        for candidates in set {
            let scores: Vec<_> =
                candidates.iter().map(|candidate| score(&candidate.values, weights)).collect();
            let most = scores.iter().copied().fold(f64::MIN, f64::max);
            let powers: Vec<_> = scores.iter().map(|score| (score - most).exp()).collect();
            let all: f64 = powers.iter().sum();
            let same: f64 = powers
                .iter()
                .zip(candidates)
                .filter(|(_, candidate)| candidate.same)
                .map(|(power, _)| power)
                .sum();
            if same <= 0.0 {
                continue;
            }
            likelihood += (same / all).ln() / (set.len() * sets.len()) as f64;
            for (power, Candidate { values, same: is_same, .. }) in
                powers.iter().zip(candidates.iter().copied())
            {
                let share = if *is_same { power / same } else { 0.0 } - power / all;
                for at in 0..FEATURES {
                    sum[at] += share * values[at] / (set.len() * sets.len()) as f64;
                }
            }
        }
    }
    (sum, likelihood)
}

/// The ranks of the first candidates of the same bug.
#[derive(Clone, Default)]
struct Ranks {
    queries: usize,
    first: usize,
    tenth: usize,
}

impl Ranks {
    fn add(&mut self, queries: &[&Query], weights: &Values) {
        self.queries += queries.len();
        for query in queries {
            let best = |want: bool| {
                let candidates = query.candidates.iter();
                let wanted = candidates.filter(move |candidate| candidate.same == want);
                wanted.map(|candidate| score(&candidate.values, weights))
            };
            let Some(same) = best(true).max_by(f64::total_cmp) else { continue };
            let better = best(false).filter(|other| *other > same).count();
            self.first += usize::from(better < 1);
            self.tenth += usize::from(better < 10);
        }
    }
}

impl std::fmt::Display for Ranks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |count: usize| 100.0 * count as f64 / self.queries as f64;
        let (first, tenth) = (share(self.first), share(self.tenth));
        write!(out, "{} queries, right at rank 1 {first:.1} %, at 10 {tenth:.1} %", self.queries)
    }
}

/// Fits a logistic regression by Newton's method with shorter steps where the likelihood falls; a row has values,
/// whether it is right, and its weight.
fn logistic<const N: usize>(rows: &[([f64; N], bool, f64)]) -> [f64; N] {
    let sum = |values: &[f64; N], weights: &[f64; N]| -> f64 {
        values.iter().zip(weights).map(|(value, own)| value * own).sum()
    };
    let likelihood = |weights: &[f64; N]| -> f64 {
        let of_row = |(values, right, weight): &([f64; N], bool, f64)| {
            let sum = if *right { sum(values, weights) } else { -sum(values, weights) };
            weight * (sum.min(0.0) - (-sum.abs()).exp().ln_1p())
        };
        rows.iter().map(of_row).sum()
    };
    let mut weights = [0.0; N];
    for _ in 0..30 {
        let (mut slope, mut bend) = ([0.0; N], [[0.0; N]; N]);
        for (values, right, weight) in rows {
            let chance = 1.0 / (1.0 + (-sum(values, &weights)).exp());
            let error = f64::from(u8::from(*right)) - chance;
            for a in 0..N {
                slope[a] += weight * error * values[a];
                for b in 0..N {
                    bend[a][b] += weight * chance * (1.0 - chance) * values[a] * values[b];
                }
            }
        }
        for (at, row) in bend.iter_mut().enumerate() {
            row[at] += 1e-9;
        }
        let change = solve(bend, slope);
        let before = likelihood(&weights);
        let steps = (0..20).map(|halvings| 0.5_f64.powi(halvings));
        let mut tried = steps.map(|step| std::array::from_fn(|at| weights[at] + step * change[at]));
        let Some(better) = tried.find(|weights| likelihood(weights) > before) else { break };
        weights = better;
    }
    weights
}

/// Solves linear equations with a positive definite matrix by Gaussian elimination.
fn solve<const N: usize>(mut left: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for at in 0..N {
        for row in at + 1..N {
            let factor = left[row][at] / left[at][at];
            let pivot = left[at];
            for (value, above) in left[row][at..].iter_mut().zip(&pivot[at..]) {
                *value -= factor * above;
            }
            right[row] -= factor * right[at];
        }
    }
    for at in (0..N).rev() {
        for column in at + 1..N {
            right[at] -= left[at][column] * right[column];
        }
        right[at] /= left[at][at];
    }
    right
}

/// The weight of a candidate: files count the same.
fn weights_of(held: &[&Held]) -> Vec<f64> {
    let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
    for held in held {
        *counts.entry(held.set).or_default() += 1.0;
    }
    held.iter().map(|held| 1.0 / counts[&held.set]).collect()
}

/// Fits the probabilities of a list: by logistic regression what the distances to the other sums add, then by isotonic
/// regression the curve.
fn curve(held: &[&Held]) -> Curve {
    let held: Vec<_> = held.iter().copied().filter(|held| held.rank < PRINTED).collect();
    let weights = weights_of(&held);
    let rows: Vec<_> = held
        .iter()
        .zip(&weights)
        .map(|(held, weight)| {
            let [sum, gap, lead] = held.terms;
            ([1.0, sum, gap, lead], held.same, *weight)
        })
        .collect();
    let [_, sum, gap, lead] = logistic(&rows);
    let mut curve = Curve { slopes: [1.0, gap / sum, lead / sum], points: Vec::new() };
    let mut points: Vec<_> = held
        .iter()
        .zip(&weights)
        .map(|(held, weight)| (curve.at(held), f64::from(u8::from(held.same)), *weight))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The sums of the weights, of the weighted places and of the weighted hits of each step.
    let mut steps: Vec<[f64; 3]> = Vec::new();
    for (at, hit, weight) in points {
        steps.push([weight, weight * at, weight * hit]);
        while let [.., before, last] = &steps[..]
            && before[2] / before[0] >= last[2] / last[0]
        {
            let last = *last;
            steps.pop();
            let before = steps.last_mut().unwrap();
            before.iter_mut().zip(last).for_each(|(sum, value)| *sum += value);
        }
    }
    let last = steps.len() - 1;
    for (number, [weight, at, hits]) in steps.into_iter().enumerate() {
        let point = (at / weight, hits / weight);
        if number == last || curve.points.last().is_none_or(|(_, before)| point.1 - before >= APART)
        {
            curve.points.push(point);
        }
    }
    curve
}

impl Curve {
    fn at(&self, held: &Held) -> f64 {
        held.terms.iter().zip(&self.slopes).map(|(value, slope)| value * slope).sum()
    }

    fn probability(&self, at: f64) -> f64 {
        let next = self.points.partition_point(|(sum, _)| *sum <= at);
        match (next.checked_sub(1).map(|before| self.points[before]), self.points.get(next)) {
            (Some((low, from)), Some((high, to))) => from + (to - from) * (at - low) / (high - low),
            (Some((_, all)), None) => all,
            (None, Some((_, all))) => *all,
            (None, None) => 0.0,
        }
    }
}

/// Prints the predicted and the true shares of each file by tenths; the curve of each fold is fitted to the others.
fn reliability(paths: &[String], held: &[Held]) {
    let mut tenths = vec![[[0.0_f64; 3]; 10]; paths.len()];
    for fold in 0..FOLDS {
        let curve = curve(&held.iter().filter(|held| held.fold != fold).collect::<Vec<_>>());
        for held in held.iter().filter(|held| held.fold == fold && held.rank < PRINTED) {
            let predicted = curve.probability(curve.at(held));
            let tenth = &mut tenths[held.set][((predicted * 10.0) as usize).min(9)];
            let hit = f64::from(u8::from(held.same));
            tenth.iter_mut().zip([1.0, predicted, hit]).for_each(|(sum, value)| *sum += value);
        }
    }
    for (path, tenths) in paths.iter().zip(tenths) {
        println!("// {path}\n| predicted | right | candidates |\n|---|---|---|");
        for [count, predicted, hits] in tenths.into_iter().filter(|[count, ..]| *count > 0.0) {
            let percent = |share: f64| 100.0 * share / count;
            println!("| {:.0} % | {:.0} % | {count} |", percent(predicted), percent(hits));
        }
    }
}

/// Prints the logistic curve of pairs, and the precision from each threshold of those that a score may join.
fn pairs(paths: &[String], held: &[Held]) {
    let first = held.iter().filter(|held| held.rank < PRINTED);
    let rows: Vec<_> = first.map(|held| ([held.pair, 1.0], held.same, 1.0)).collect();
    let near: Vec<_> = held.iter().filter(|held| held.near).collect();
    let [slope, base] = logistic(&rows);
    println!("PAIR = ({slope:.3}, {base:.3})");
    for threshold in [0.3_f64, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98] {
        let sum = ((threshold / (1.0 - threshold)).ln() - base) / slope;
        for (set, path) in paths.iter().enumerate() {
            let above = near.iter().filter(|held| held.set == set && held.pair >= sum);
            let (right, all) =
                above.fold((0, 0), |(right, all), held| (right + u32::from(held.same), all + 1));
            let share = 100.0 * f64::from(right) / f64::from(all.max(1));
            println!(
                "// from {threshold}, a sum of {sum:.2}: {all} pairs of {path}, {share:.1} % right"
            );
        }
    }
}

/// The bugs whose reports contain each function, word and source file.
#[derive(Default)]
struct Spread<'a> {
    bugs: BTreeSet<&'a str>,
    functions: BTreeMap<&'a str, BTreeSet<&'a str>>,
    words: BTreeMap<String, BTreeSet<&'a str>>,
    files: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Spread<'a> {
    /// Counts the bugs that `takes` accepts.
    fn of(sets: &'a [Set], takes: impl Fn(&str) -> bool) -> Self {
        let mut spread = Self::default();
        for (bug, signature) in sets.iter().flatten().filter(|(bug, _)| takes(bug)) {
            spread.bugs.insert(bug);
            for part in &signature.frames {
                spread.functions.entry(&part.function).or_default().insert(bug);
                if let Some(file) = part.file.as_deref() {
                    spread.files.entry(file).or_default().insert(bug);
                }
            }
            let names =
                signature.frames.iter().map(|part| &part.function).chain([&signature.title.text]);
            for word in names.flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric())) {
                spread.words.entry(word.to_ascii_lowercase()).or_default().insert(bug);
            }
        }
        spread.functions.retain(|_, bugs| bugs.len() >= SPREAD_FROM);
        spread.files.retain(|_, bugs| bugs.len() >= SPREAD_FROM);
        spread.words.retain(|word, bugs| word.len() > 1 && bugs.len() >= 2 * SPREAD_FROM);
        spread
    }

    fn frequencies(&self) -> &'static Frequencies {
        let table = Frequencies::new(
            self.bugs.len() as f32,
            self.functions.iter().map(|(name, bugs)| (*name, bugs.len() as u16)),
            self.words.iter().map(|(word, bugs)| (&**word, bugs.len() as u16)),
            self.files.iter().map(|(path, bugs)| (*path, bugs.len() as u16)),
        );
        Box::leak(Box::new(table))
    }

    fn print(&self) {
        println!(
            "//! The number of bugs, of a large set, whose reports contain a name. Generated by\n//! tools/src/bin/fit_weights.rs.\n"
        );
        println!("/// The number of bugs in the set.");
        println!("pub(super) const BUGS: f32 = {}.0;", self.bugs.len());
        print_table("Functions, by name", "FUNCTIONS", &self.functions);
        print_table("Words in names and titles", "WORDS", &self.words);
        print_table("Source files, by path", "FILES", &self.files);
    }
}

fn print_table<K: std::fmt::Debug>(what: &str, name: &str, table: &BTreeMap<K, BTreeSet<&str>>) {
    println!("\n/// {what}.\n#[rustfmt::skip] // a table");
    println!("pub(super) const {name}: &[(&str, u16)] = &[");
    for (name, bugs) in table {
        println!("    ({name:?}, {}),", bugs.len());
    }
    println!("];");
}
