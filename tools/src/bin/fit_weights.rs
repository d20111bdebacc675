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
//! those of the same bug rank first. In five folds by bug they are fitted to the other four, and evaluated. The
//! probabilities are fitted to the sums of these folds, and evaluated in the same folds again. Finally all is fitted
//! to all bugs.

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
use ksplat::fingerprint::{FrameClass, Signature};

const FEATURES: usize = Feature::ALL.len();

/// The number of candidates of a query that are used: the most similar ones.
const CANDIDATES: usize = 150;
const ROUNDS: usize = 400;
const STEP: f64 = 0.05;
/// The strength of L2 regularization.
const DECAY: f64 = 5e-3;
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
type Candidates<'a> = Vec<&'a Candidate>;

struct Candidate {
    values: Values,
    /// Whether it is of the bug of the query.
    same: bool,
    /// Whether a score may join it with the query.
    near: bool,
}

struct Query {
    fold: u32,
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
    sum: f64,
    /// The sum without the prior, the distance to the greatest sum, and the distance of the greatest one to the next.
    terms: [f64; 3],
}

/// The probabilities of a list.
struct Curve {
    gap: f64,
    lead: f64,
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
        return print_spread(&sets);
    }
    let queries: Vec<Vec<Query>> = sets.iter().map(|set| self::queries(set)).collect();
    let mut held = Vec::new();
    let mut ranks = vec![Ranks::default(); sets.len()];
    for fold in 0..FOLDS {
        let weights = fit(&queries, |query| query.fold != fold);
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
    let weights = fit(&queries, |_| true);
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
    println!("GAP = {:.3}\nLEAD = {:.3}\nCURVE", curve.gap, curve.lead);
    for (sum, share) in &curve.points {
        println!("    ({sum:.2}, {share:.3}),");
    }
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
    let known = index.signatures();
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
                let near = may_attach(signature, &set[other.report as usize].1);
                candidates.extend(reports.map(|report| {
                    let same = set[*report].0 == *bug;
                    Candidate { values, same, near }
                }));
            }
            let fold = bug.bytes().map(u32::from).sum::<u32>() % FOLDS;
            Query { fold, known, candidates }
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
    let rated = query
        .candidates
        .iter()
        .map(|candidate| (score(&candidate.values, weights), candidate.same, candidate.near));
    let mut rated: Vec<_> = rated.collect();
    rated.sort_by(|a, b| b.0.total_cmp(&a.0));
    let first = rated.first().map_or(0.0, |(sum, ..)| *sum);
    let second = rated.get(1).map_or(first, |(sum, ..)| *sum);
    let prior = (query.known as f64 / PRIOR).max(1.0).ln();
    let held = rated.into_iter().enumerate().map(|(rank, (sum, same, near))| {
        let lead = if rank == 0 { first - second } else { 0.0 };
        let terms = [sum - prior, first - sum, lead];
        Held { set, fold: query.fold, same, near, rank, sum, terms }
    });
    held.filter(|held| held.rank < PRINTED || held.near).collect()
}

fn score(values: &Values, weights: &Values) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

/// Fits the weights that maximize the likelihood of candidates of the same bug, by gradient ascent
/// (Adam). Every file counts the same. Only features against one bug may have negative weights.
fn fit(sets: &[Vec<Query>], takes: impl Fn(&Query) -> bool) -> Values {
    let mut weights: Values = std::array::from_fn(|at| f64::from(Feature::ALL[at].weight()));
    for _ in 0..2 {
        let chosen: Vec<Vec<Candidates<'_>>> = sets
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

fn hardest<'a>(query: &'a Query, weights: &Values) -> Candidates<'a> {
    let (same, mut others): (Candidates<'_>, Candidates<'_>) =
        query.candidates.iter().partition(|candidate| candidate.same);
    others.sort_by(|a, b| score(&b.values, weights).total_cmp(&score(&a.values, weights)));
    same.into_iter().chain(others.into_iter().take(CANDIDATES)).collect()
}

fn gradient(sets: &[Vec<Candidates<'_>>], weights: &Values) -> Values {
    let mut sum = [0.0; FEATURES];
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
    sum
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

/// Fits a logistic regression; a row has values, whether it is right, and its weight.
fn logistic<const N: usize>(rows: &[([f64; N], bool, f64)]) -> [f64; N] {
    let mut weights = [0.0; N];
    for _ in 0..30 {
        let (mut slope, mut bend) = ([0.0; N], [[0.0; N]; N]);
        for (values, right, weight) in rows {
            let sum: f64 = values.iter().zip(&weights).map(|(value, own)| value * own).sum();
            let chance = 1.0 / (1.0 + (-sum).exp());
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
        for at in 0..N {
            weights[at] += change[at].clamp(-2.0, 2.0);
        }
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
    let mut curve = Curve { gap: gap / sum, lead: lead / sum, points: Vec::new() };
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
        let [sum, gap, lead] = held.terms;
        sum + self.gap * gap + self.lead * lead
    }

    fn probability(&self, held: &Held) -> f64 {
        let at = self.at(held);
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
            let predicted = curve.probability(held);
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
    let rows: Vec<_> = first.map(|held| ([held.sum, 1.0], held.same, 1.0)).collect();
    let near: Vec<_> = held.iter().filter(|held| held.near).collect();
    let [slope, base] = logistic(&rows);
    println!("PAIR = ({slope:.3}, {base:.3})");
    for threshold in [0.3_f64, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98] {
        let sum = ((threshold / (1.0 - threshold)).ln() - base) / slope;
        for (set, path) in paths.iter().enumerate() {
            let above = near.iter().filter(|held| held.set == set && held.sum >= sum);
            let (right, all) =
                above.fold((0, 0), |(right, all), held| (right + u32::from(held.same), all + 1));
            let share = 100.0 * f64::from(right) / f64::from(all.max(1));
            println!(
                "// from {threshold}, a sum of {sum:.2}: {all} pairs of {path}, {share:.1} % right"
            );
        }
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
