//! Fits the model in `src/suspects/table.rs` to crashes with known fixes.
//!
//!     cargo run --release -p ksplat-tools --bin fit_suspects -- ../shared/fixes > src/suspects/table.rs
//!
//! The directory has `reports/NAME.txt`, and `truth.tsv` with a line of each report: its name, the functions
//! and the files that the fix changed. The loss is the negative log-likelihood of a softmax over the
//! candidates of a report and *none of these*, with smaller parts for the file and the directory. The
//! frequencies of functions, files and directories, and of their changes, are features; they are counted
//! without the group of the report.
//!
//! Standard error gets the figures of cross-validation with five folds. A group is the reports whose fixes
//! changed the same function, and is in one fold. Frequencies, weights, choices ([`Choice`]) and
//! calibration are made from the other four folds; choices and calibration by four inner folds. Figures
//! for reports with modules follow, and again with modules renamed, as if they were out of tree. The
//! table is fitted to all crashes.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ksplat::atlas::Atlas;
use ksplat::suspects::{self, Counts, FEATURES, NUMBERS};

const FOLDS: usize = 5;
const INNER_FOLDS: usize = 4;
const ROUNDS: i32 = 150;
const STEP: f64 = 0.05;
/// The choices of L2 regularization.
const DECAYS: &[f64] = &[15.0, 7.5, 30.0, 60.0];
/// The choices of the weights of function, file and directory in the loss.
const PARTS: &[[f64; NAMES]] =
    &[[1.0, 0.5, 0.3], [1.0, 0.0, 0.0], [1.0, 0.25, 0.15], [1.0, 1.0, 0.6]];
/// The choices of the minimum number of reports of a function, a file and a directory. Rarer names have the
/// features of unknown ones.
const KNOWN_FROM: &[[u16; NAMES]] = &[[6, 5, 4], [3, 3, 3], [12, 10, 8]];
/// The maximum number of suspects of a report.
const SHOWN: usize = 8;

/// A function, a file and a directory.
const NAMES: usize = 3;

struct Candidate {
    names: [String; NAMES],
    features: Vec<usize>,
    /// Whether the fix changed the function, the file, the directory.
    right: [bool; NAMES],
}

struct Crash {
    truth: [BTreeSet<String>; NAMES],
    /// The candidates, and behind them *none of these*; empty if no report was found.
    candidates: Vec<Candidate>,
    /// The same with out-of-tree modules; empty if the stacks name no module.
    unknown: Vec<Candidate>,
    group: usize,
}

/// The frequency of each name in reports, and of changes by their fixes.
type Tables = [BTreeMap<String, Counts>; NAMES];

/// The candidates of a report as vectors.
struct Example {
    rows: Vec<(Vec<usize>, [f64; NUMBERS])>,
    right: Vec<[bool; NAMES]>,
}

/// The parameters that inner folds choose.
#[derive(Clone, Copy, Debug)]
struct Choice {
    decay: f64,
    parts: [f64; NAMES],
    known_from: [u16; NAMES],
}

/// A fitted model.
struct Model {
    choice: Choice,
    weights: Vec<f64>,
    tables: Tables,
    calibration: [f64; 3],
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let crashes = load(Path::new(&folder));
    let groups: BTreeSet<_> = crashes.iter().map(|crash| crash.group).collect();
    eprintln!("{} crashes in {} groups, {FEATURES} features", crashes.len(), groups.len());
    let (mut held, mut unknown) = (BTreeMap::new(), BTreeMap::new());
    for fold in 0..FOLDS {
        let is_in = |crash: &&Crash| fold_of(crash.group, FOLDS) == fold;
        let train: Vec<_> = crashes.iter().filter(|crash| !is_in(crash)).collect();
        let model = fit_calibrated(&train);
        for (at, crash) in crashes.iter().enumerate().filter(|(_, crash)| is_in(crash)) {
            held.insert(at, model.probabilities(&crash.candidates));
            if !crash.unknown.is_empty() {
                unknown.insert(at, model.probabilities(&crash.unknown));
            }
        }
    }
    eprintln!("out of fold:");
    judge(&crashes, |crash| &crash.candidates, &held);
    eprintln!("of them, those with modules:");
    held.retain(|at, _| unknown.contains_key(at));
    judge(&crashes, |crash| &crash.candidates, &held);
    eprintln!("the same as if no tree had the modules:");
    judge(&crashes, |crash| &crash.unknown, &unknown);
    let model = fit_calibrated(&crashes.iter().collect::<Vec<_>>());
    let fitted =
        crashes.iter().map(|crash| model.probabilities(&crash.candidates)).enumerate().collect();
    eprintln!("on what it was fitted to:");
    judge(&crashes, |crash| &crash.candidates, &fitted);
    print(&model);
}

/// The name of a function without the prefixes of system calls, as in `truth.tsv`.
fn bare(name: &str) -> &str {
    const WRAPPERS: &[&str] =
        &["__do_sys_", "__se_sys_", "__x64_sys_", "__arm64_sys_", "__do_compat_sys_", "sys_"];
    let name = name.split('.').next().unwrap_or_default();
    WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)).unwrap_or(name)
}

fn directory(path: &str) -> String {
    path.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned()
}

fn load(folder: &Path) -> Vec<Crash> {
    let truth = fs::read_to_string(folder.join("truth.tsv")).unwrap();
    let mut crashes = Vec::new();
    let mut links = BTreeMap::<String, usize>::new();
    let mut parents = Vec::<usize>::new();
    for row in truth.lines().filter(|row| !row.starts_with('#')) {
        let columns: Vec<_> = row.split('\t').collect();
        let functions: BTreeSet<_> =
            columns[1].split(',').map(|name| bare(name).to_owned()).collect();
        let files: BTreeSet<_> = columns[2].split(',').map(str::to_owned).collect();
        let directories = files.iter().map(|file| directory(file)).collect();
        let number = parents.len();
        parents.push(number);
        for function in &functions {
            let key = format!("{function} {}", files.first().unwrap());
            if let Some(other) = links.insert(key, number) {
                let (own, other) = (root(&parents, number), root(&parents, other));
                parents[own] = other;
            }
        }
        let truth = [functions, files, directories];
        let log = fs::read(folder.join(format!("reports/{}.txt", columns[0]))).unwrap();
        let mut report = ksplat::reports(&log).next();
        let known = report.as_ref().map(|report| candidates(report, &truth));
        let has_modules = report.as_mut().is_some_and(rename_modules);
        let unknown = report.as_ref().filter(|_| has_modules);
        let unknown = unknown.map(|report| candidates(report, &truth)).unwrap_or_default();
        crashes.push(Crash { truth, candidates: known.unwrap_or_default(), unknown, group: 0 });
    }
    for (number, crash) in crashes.iter_mut().enumerate() {
        crash.group = root(&parents, number);
    }
    crashes
}

/// Renames the modules of all frames, so that no tree has them. Returns whether there are any.
fn rename_modules(report: &mut ksplat::Report<'_>) -> bool {
    let frames =
        report.stacks.iter_mut().flat_map(|stack| &mut stack.frames).chain(&mut report.link);
    let mut any = false;
    for module in frames.filter_map(|frame| frame.module.as_mut()) {
        module.to_mut().push_str("_of_no_tree");
        any = true;
    }
    any
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while parents[at] != at {
        at = parents[at];
    }
    at
}

fn candidates(report: &ksplat::Report<'_>, truth: &[BTreeSet<String>; NAMES]) -> Vec<Candidate> {
    let all = suspects::features(report, Atlas::builtin());
    let mut candidates: Vec<_> = all
        .into_iter()
        .map(|own| {
            let names =
                [own.function, own.file.unwrap_or_default(), own.directory.unwrap_or_default()];
            let function = bare(&names[0]).to_owned();
            let is_right = |at: usize, name: &str| !name.is_empty() && truth[at].contains(name);
            let right = [is_right(0, &function), is_right(1, &names[1]), is_right(2, &names[2])];
            Candidate { names, features: own.features, right }
        })
        .collect();
    let is_known = candidates.iter().any(|own| own.right[0]);
    if let Some(none) = candidates.last_mut() {
        none.right[0] = !is_known;
    }
    candidates
}

fn fold_of(group: usize, folds: usize) -> usize {
    (group.wrapping_mul(2_654_435_761) >> 7) % folds
}

fn count(crashes: &[&Crash]) -> Tables {
    let mut tables = Tables::default();
    for crash in crashes {
        for (at, table) in tables.iter_mut().enumerate() {
            let mut own = BTreeMap::<&str, bool>::new();
            for candidate in &crash.candidates {
                let name = candidate.names[at].as_str();
                // No fix in the tree changes an out-of-tree module.
                let is_place = !name.is_empty() && !name.starts_with('[');
                if is_place && !candidate.names[0].is_empty() {
                    *own.entry(name).or_default() |= candidate.right[at];
                }
            }
            for (name, right) in own {
                let counts = table.entry(name.to_owned()).or_default();
                counts.reports += 1;
                counts.fixed += u16::from(right);
            }
        }
    }
    tables
}

/// The vectors of candidates by the tables, less the counts of `own`.
fn example(
    candidates: &[Candidate],
    tables: &Tables,
    own: Option<&Tables>,
    known_from: [u16; NAMES],
) -> Example {
    let rows = candidates.iter().map(|candidate| {
        let counts = std::array::from_fn(|at| {
            let name = candidate.names[at].as_str();
            let all = tables[at].get(name).copied().unwrap_or_default();
            let own = own.and_then(|own| own[at].get(name)).copied().unwrap_or_default();
            let counts = Counts::new(all.reports - own.reports, all.fixed - own.fixed);
            let is_known = counts.reports >= known_from[at];
            (!name.is_empty()).then_some(if is_known { counts } else { Counts::default() })
        });
        let numbers = suspects::numbers(counts).map(f64::from);
        let is_none = candidate.names[0].is_empty();
        (candidate.features.clone(), if is_none { [0.0; NUMBERS] } else { numbers })
    });
    let right = candidates.iter().map(|candidate| candidate.right).collect();
    Example { rows: rows.collect(), right }
}

fn examples(crashes: &[&Crash], tables: &Tables, known_from: [u16; NAMES]) -> Vec<Example> {
    let mut groups = BTreeMap::<usize, Vec<&Crash>>::new();
    for crash in crashes {
        groups.entry(crash.group).or_default().push(crash);
    }
    let own: BTreeMap<_, _> =
        groups.iter().map(|(group, crashes)| (*group, count(crashes))).collect();
    let example =
        |crash: &&Crash| example(&crash.candidates, tables, own.get(&crash.group), known_from);
    crashes.iter().map(example).collect()
}

fn score(weights: &[f64], (features, numbers): &(Vec<usize>, [f64; NUMBERS])) -> f64 {
    let of_features: f64 = features.iter().map(|feature| weights[*feature]).sum();
    let of_numbers = weights[FEATURES..].iter().zip(numbers);
    of_features + of_numbers.map(|(weight, number)| weight * number).sum::<f64>()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<_> = scores.iter().map(|score| (score - most).exp()).collect();
    let all: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / all).collect()
}

/// The weights of maximum likelihood, by gradient ascent (Adam).
fn fit(examples: &[Example], choice: Choice) -> Vec<f64> {
    let count = FEATURES + NUMBERS;
    let (mut weights, mut mean, mut square) =
        (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    for round in 1..=ROUNDS {
        let gradient = gradient(examples, &weights, choice.parts);
        let step = STEP * (1.0 - 0.9 * f64::from(round) / f64::from(ROUNDS));
        let bias = (1.0 - 0.9_f64.powi(round), 1.0 - 0.99_f64.powi(round));
        for at in 0..count {
            let slope = gradient[at] - choice.decay * weights[at];
            mean[at] = 0.9 * mean[at] + 0.1 * slope;
            square[at] = 0.99 * square[at] + 0.01 * slope * slope;
            weights[at] += step * (mean[at] / bias.0) / ((square[at] / bias.1).sqrt() + 1e-6);
        }
    }
    weights
}

fn gradient(examples: &[Example], weights: &[f64], parts: [f64; NAMES]) -> Vec<f64> {
    let mut sum = vec![0.0; weights.len()];
    for example in examples.iter().filter(|example| !example.rows.is_empty()) {
        let scores: Vec<_> = example.rows.iter().map(|row| score(weights, row)).collect();
        let mut slopes = vec![0.0; scores.len()];
        for (at, part) in parts.into_iter().enumerate() {
            // Only functions have the candidate *none of these*.
            let choices = if at == 0 { scores.len() } else { scores.len() - 1 };
            let chances = softmax(&scores[..choices]);
            let is_right = |own: usize| example.right[own][at];
            let right: f64 =
                (0..choices).filter(|own| is_right(*own)).map(|own| chances[own]).sum();
            if right > 0.0 {
                for own in 0..choices {
                    let share = if is_right(own) { chances[own] / right } else { 0.0 };
                    slopes[own] += part * (share - chances[own]);
                }
            }
        }
        for (slope, (features, numbers)) in slopes.iter().zip(&example.rows) {
            for feature in features {
                sum[*feature] += slope;
            }
            numbers
                .iter()
                .zip(&mut sum[FEATURES..])
                .for_each(|(number, sum)| *sum += slope * number);
        }
    }
    sum
}

/// The model of crashes, with the choices and the calibration of inner folds.
fn fit_calibrated(crashes: &[&Crash]) -> Model {
    let mut choice = Choice { decay: DECAYS[0], parts: PARTS[0], known_from: KNOWN_FROM[0] };
    let mut best = Inner::of(crashes, choice);
    let decays = DECAYS.iter().skip(1);
    let decays = decays.map(|decay| Box::new(move |own: &mut Choice| own.decay = *decay) as Change);
    let parts = PARTS.iter().skip(1);
    let parts = parts.map(|parts| Box::new(move |own: &mut Choice| own.parts = *parts) as Change);
    let known = KNOWN_FROM.iter().skip(1);
    let known =
        known.map(|known| Box::new(move |own: &mut Choice| own.known_from = *known) as Change);
    // Coordinate ascent from the first choices.
    for change in decays.chain(parts).chain(known) {
        let mut other = choice;
        change(&mut other);
        let inner = Inner::of(crashes, other);
        if inner.likelihood > best.likelihood {
            (choice, best) = (other, inner);
        }
    }
    eprintln!("{} crashes: {choice:?}, likelihood {:.4}", crashes.len(), best.likelihood);
    Model { calibration: calibrate(&best.points), ..fit_plain(crashes, choice) }
}

/// A change of one parameter.
type Change = Box<dyn Fn(&mut Choice)>;

/// The result of inner folds with a choice.
#[derive(Default)]
struct Inner {
    /// The mean log-likelihood of the changed function, file and directory.
    likelihood: f64,
    /// The share of each candidate, and whether it was changed.
    points: Vec<(f64, bool)>,
}

impl Inner {
    fn of(crashes: &[&Crash], choice: Choice) -> Self {
        let fold = |fold| {
            let is_in = |crash: &&&Crash| fold_of(crash.group / 3 + 1, INNER_FOLDS) == fold;
            let train: Vec<_> = crashes.iter().filter(|crash| !is_in(crash)).copied().collect();
            let model = fit_plain(&train, choice);
            let mut own = Self::default();
            crashes.iter().filter(is_in).for_each(|crash| own.add(&model, crash));
            own
        };
        let folds = std::thread::scope(|scope| {
            let folds: Vec<_> = (0..INNER_FOLDS).map(|at| scope.spawn(move || fold(at))).collect();
            folds.into_iter().map(|fold| fold.join().unwrap()).collect::<Vec<_>>()
        });
        let mut all = Self::default();
        for fold in folds {
            all.likelihood += fold.likelihood / crashes.len() as f64;
            all.points.extend(fold.points);
        }
        all
    }

    fn add(&mut self, model: &Model, crash: &Crash) {
        if crash.candidates.is_empty() {
            return;
        }
        let scores = model.scores(&crash.candidates);
        for at in 0..NAMES {
            // Only functions have the candidate *none of these*.
            let choices = if at == 0 { scores.len() } else { scores.len() - 1 };
            let chances = softmax(&scores[..choices]);
            let own = chances.iter().zip(&crash.candidates);
            let right: f64 = own.filter(|(_, own)| own.right[at]).map(|(chance, _)| chance).sum();
            if right > 0.0 {
                self.likelihood += right.ln();
            }
        }
        let functions = softmax(&scores).into_iter().zip(&crash.candidates).rev().skip(1);
        self.points.extend(functions.map(|(chance, own)| (chance, own.right[0])));
    }
}

fn fit_plain(crashes: &[&Crash], choice: Choice) -> Model {
    let tables = count(crashes);
    let weights = fit(&examples(crashes, &tables, choice.known_from), choice);
    Model { choice, weights, tables, calibration: [1.0, 1.0, 0.0] }
}

/// Beta calibration: the logistic regression of being right on `ln p` and `-ln(1 - p)`, by Newton's
/// method.
fn calibrate(points: &[(f64, bool)]) -> [f64; 3] {
    let mut beta = [1.0, 1.0, 0.0];
    for _ in 0..50 {
        let (mut slope, mut curve) = ([0.0; 3], [[0.0; 3]; 3]);
        for (chance, right) in points {
            let chance = chance.clamp(1e-6, 1.0 - 1e-6);
            let values = [chance.ln(), -(1.0 - chance).ln(), 1.0];
            let sum: f64 = beta.iter().zip(values).map(|(beta, value)| beta * value).sum();
            let got = 1.0 / (1.0 + (-sum).exp());
            for a in 0..3 {
                slope[a] += (f64::from(u8::from(*right)) - got) * values[a];
                for b in 0..3 {
                    curve[a][b] += got * (1.0 - got) * values[a] * values[b];
                }
            }
        }
        let step = solve(curve, slope);
        beta.iter_mut().zip(step).for_each(|(beta, step)| *beta += step.clamp(-0.5, 0.5));
    }
    beta
}

/// Solves three linear equations by elimination.
fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        matrix[pivot][pivot] += 1e-9;
        for row in 0..3 {
            if row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot];
                let of_pivot = matrix[pivot];
                for (value, of_pivot) in matrix[row].iter_mut().zip(of_pivot) {
                    *value -= factor * of_pivot;
                }
                right[row] -= factor * right[pivot];
            }
        }
    }
    std::array::from_fn(|at| right[at] / matrix[at][at])
}

impl Model {
    fn scores(&self, candidates: &[Candidate]) -> Vec<f64> {
        let rows = example(candidates, &self.tables, None, self.choice.known_from).rows;
        rows.iter().map(|row| score(&self.weights, row)).collect()
    }

    /// The calibrated probability of each candidate.
    fn probabilities(&self, candidates: &[Candidate]) -> Vec<f64> {
        let calibration = self.calibration.map(|value| value as f32);
        let mut chances = softmax(&self.scores(candidates));
        chances.pop();
        let calibrated = |chance| f64::from(suspects::calibrated(chance as f32, calibration));
        chances.into_iter().map(calibrated).collect()
    }
}

/// Prints the share of reports with a right suspect among the first, and the reliability table.
fn judge(
    crashes: &[Crash],
    candidates: fn(&Crash) -> &[Candidate],
    probabilities: &BTreeMap<usize, Vec<f64>>,
) {
    let mut hits = BTreeMap::<(usize, usize), usize>::new();
    let mut tenths = [[(0_usize, 0.0, 0_usize); 10]; 2];
    for (at, chances) in probabilities {
        let crash = &crashes[*at];
        let candidates = candidates(crash);
        let mut order: Vec<_> = (0..chances.len()).collect();
        order.sort_by(|a, b| chances[*b].total_cmp(&chances[*a]));
        for (rank, own) in order.iter().enumerate() {
            let tenth = ((chances[*own] * 10.0) as usize).min(9);
            for tenths in tenths.iter_mut().take(if rank == 0 { 2 } else { 1 }) {
                tenths[tenth].0 += 1;
                tenths[tenth].1 += chances[*own];
                tenths[tenth].2 += usize::from(candidates[*own].right[0]);
            }
        }
        for (kind, name) in (0..NAMES).flat_map(|kind| [1, 3, 5].map(|count| (kind, count))) {
            let mut known = Vec::new();
            for own in order.iter().take(SHOWN) {
                let text = candidates[*own].names[kind].as_str();
                let text = if kind == 0 { bare(text) } else { text };
                if !text.is_empty() && !known.contains(&text) {
                    known.push(text);
                }
            }
            let is_hit = known.iter().take(name).any(|text| crash.truth[kind].contains(*text));
            *hits.entry((kind, name)).or_default() += usize::from(is_hit);
        }
    }
    for (kind, name) in ["function", "file", "directory"].iter().enumerate() {
        let share = |count| 100.0 * hits[&(kind, count)] as f64 / probabilities.len() as f64;
        eprintln!("{name}: @1 {:.1} %, @3 {:.1} %, @5 {:.1} %", share(1), share(3), share(5));
    }
    for (name, tenths) in ["all suspects", "the first"].iter().zip(tenths) {
        eprintln!("{name}: said, came true, number");
        for (count, predicted, right) in tenths.iter().filter(|(count, ..)| *count > 0) {
            let (predicted, right) = (predicted / *count as f64, *right as f64 / *count as f64);
            eprintln!("  {:5.1} % {:5.1} % {count:6}", 100.0 * predicted, 100.0 * right);
        }
    }
}

fn print(model: &Model) {
    println!("//! The model of suspects. Generated by `tools/src/bin/fit_suspects.rs`.\n");
    println!("use super::Counts;\n");
    let weights: Vec<_> = model
        .weights
        .iter()
        .map(|weight| format!("{}", (weight * 1000.0).round() as i32))
        .collect();
    println!("/// The weight of each feature in thousandths, and behind them of each number.");
    println!(
        "#[rustfmt::skip] // a table\npub(super) static WEIGHTS: [i16; {}] = [",
        weights.len()
    );
    weights.chunks(16).for_each(|row| println!("    {},", row.join(", ")));
    println!("];\n\n/// The parameters of the beta calibration.");
    println!("pub(super) const CALIBRATION: [f32; 3] = {:.4?};", model.calibration);
    for (at, (name, about)) in
        [("FUNCTIONS", "function"), ("FILES", "file"), ("DIRECTORIES", "directory")]
            .iter()
            .enumerate()
    {
        println!(
            "\n/// The number of reports with each {about}, and of those whose fix changed it."
        );
        println!("#[rustfmt::skip] // a table\npub(super) const {name}: &[(&str, Counts)] = &[");
        let table = model.tables[at]
            .iter()
            .filter(|(_, counts)| counts.reports >= model.choice.known_from[at]);
        for (name, Counts { reports, fixed, .. }) in table {
            println!("    ({name:?}, Counts::new({reports}, {fixed})),");
        }
        println!("];");
    }
}
