//! Fits the tables of audits, `src/bisect/table.rs`, to bisections with a known culprit.
//!
//! ```text
//! cargo run --release -p ksplat-tools --bin fit_doubts -- TRUTH.tsv > src/bisect/table.rs
//! ```
//!
//! Each line of the file has these columns, separated by tabs: the name of a log, which is
//! `logs/NAME.txt` beside the file; `category`, whether its bisection is `correct` or `incorrect`;
//! `reason`, `T3` if a step was wrongly called bad; and `first_wrong`, the commit of that step.
//!
//! The list of features is fixed (`DoubtFeature`). Their weights are those of a logistic regression with an L2
//! penalty. In ten folds, the scores of relations, the flakes, the weights, the penalty and the threshold are made of
//! the other nine, the last two by nine inner folds in each of which the tables are made again. The threshold is the
//! lowest at which the upper 90 % confidence bound of the correct bisections called doubtful is at most
//! `FALSE_ALARMS`. The figures of the held-out folds are printed to standard error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are in hundreds"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ksplat::bisect::{
    self, Audit, AuditOptions, Bisection, DoubtFeature, Outcome, Tables, Tie, Trust, Verdict,
};

const CLUES: usize = DoubtFeature::ALL.len();
const FOLDS: usize = 10;
/// The strengths of L2 regularization that are tried, as a share of the number of bisections.
const PENALTIES: [f64; 5] = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2];
/// Crashes that decided steps in bisections of fewer bugs may belong to those bugs.
const BUGS: usize = 4;
/// The accepted share of correct bisections that are called doubtful.
const FALSE_ALARMS: f64 = 0.08;
/// The number of steps that the prior of a score counts as.
const PRIOR: f64 = 4.0;

/// The prior scores of relations: crashes related by title and stack are of the bug, those related
/// by words may be, others are not.
#[rustfmt::skip] // rows
const EXPECTED: &[(Tie, [f64; 3])] = &[
    (Tie::Title,       [0.60, 0.90, 0.95]),
    (Tie::Alternative, [0.50, 0.90, 0.95]),
    (Tie::Signature,   [0.50, 0.90, 0.95]),
    (Tie::Function,    [0.50, 0.85, 0.90]),
    (Tie::Stack,       [0.40, 0.60, 0.75]),
    (Tie::Together,    [0.20, 0.60, 0.75]),
    (Tie::Subsystem,   [0.20, 0.40, 0.60]),
    (Tie::Word,        [0.20, 0.40, 0.60]),
    (Tie::Hang,        [0.20, 0.40, 0.60]),
    (Tie::Class,       [0.10, 0.10, 0.10]),
    (Tie::Nothing,     [0.10, 0.10, 0.10]),
    (Tie::Unknown,     [0.50, 0.50, 0.50]),
];

/// A bisection with its truth.
struct Log<'a> {
    bisection: Bisection<'a>,
    fold: usize,
    category: String,
    reason: String,
    first_wrong: String,
}

impl Log<'_> {
    fn audit(&self, tables: Tables<'_>) -> Case {
        let audit = bisect::audit(&self.bisection, AuditOptions::default().with_tables(tables));
        let mut values = [0.0; CLUES + 1];
        values[CLUES] = 1.0;
        for doubt in &audit.doubts {
            values[doubt.clue as usize] = doubt.value;
        }
        Case {
            fold: self.fold,
            values: audit.culprit.is_some().then_some(values),
            trust: audit.trust,
            is_wrong: self.category == "incorrect",
            is_false_crash: self.reason == "T3",
        }
    }

    fn is_rated(&self) -> bool {
        ["correct", "incorrect"].contains(&&*self.category)
    }
}

/// An audited bisection.
#[derive(Clone)]
struct Case {
    fold: usize,
    /// The values of the features, and a 1; `None` if no commit is named.
    values: Option<[f64; CLUES + 1]>,
    /// The trust without weights: whether steps are inverted, or no step shows the crash.
    trust: Trust,
    is_wrong: bool,
    is_false_crash: bool,
}

/// The tables of relations.
struct Relations {
    scores: Vec<(Tie, [f64; 3])>,
    flakes: Vec<(String, u32)>,
}

/// A fitted model.
struct Model {
    weights: [f64; CLUES + 1],
    penalty: f64,
    doubtful: f64,
}

fn main() {
    let truth = std::env::args().nth(1).expect("a file with the truth");
    let truth = Path::new(&truth);
    let rows = rows(truth);
    let texts: Vec<_> = rows.iter().map(|row| text(truth, &row.0)).collect();
    let logs: Vec<Log<'_>> = rows
        .into_iter()
        .zip(&texts)
        .map(|((name, category, reason, first_wrong), text)| Log {
            bisection: bisect::parse(text).unwrap(),
            fold: name.bytes().map(usize::from).sum::<usize>() % FOLDS,
            category,
            reason,
            first_wrong,
        })
        .collect();
    let mut held = Vec::new();
    for fold in 0..FOLDS {
        let relations = relate(&logs, |log| log.fold != fold);
        let model = choose(&logs, |log| log.fold != fold);
        eprintln!("fold {fold}: penalty {}, threshold {:.3}", model.penalty, model.doubtful);
        let cases = audits(&logs, &relations, |log| log.fold == fold);
        held.extend(cases.into_iter().map(|case| (rate(&case, &model), model.doubtful, case)));
    }
    report(&held);
    let relations = relate(&logs, |_| true);
    print(&relations, &choose(&logs, |_| true));
}

/// The name, category, reason and first wrong commit of each log.
fn rows(truth: &Path) -> Vec<(String, String, String, String)> {
    let text = fs::read_to_string(truth).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = |row: &[&str], name: &str| {
        row[head.iter().position(|column| *column == name).unwrap()].to_owned()
    };
    let row = |row: Vec<&str>| {
        let of = |name: &str| column(&row, name);
        (of("log"), of("category"), of("reason"), of("first_wrong"))
    };
    lines.map(row).collect()
}

fn text(truth: &Path, name: &str) -> Vec<u8> {
    fs::read(truth.parent().unwrap().join("logs").join(name).with_extension("txt")).unwrap()
}

/// Makes the tables of relations of some of the logs.
fn relate(logs: &[Log<'_>], takes: impl Fn(&Log<'_>) -> bool) -> Relations {
    let expected = Tables::new(EXPECTED, &[]);
    let mut bugs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut counts: BTreeMap<Tie, [[f64; 2]; 3]> = BTreeMap::new();
    for log in logs.iter().filter(|log| takes(log)) {
        let options = AuditOptions::default().with_tables(expected);
        let audit = bisect::audit(&log.bisection, options);
        count_flakes(&audit, &mut bugs);
        count_scores(log, &audit, &mut counts);
    }
    let flakes = bugs.into_iter().filter(|(_, bugs)| bugs.len() >= BUGS);
    let scores = EXPECTED.iter().map(|(tie, expected)| {
        let counts = counts.get(tie).copied().unwrap_or_default();
        let score = |often: usize| {
            let [right, wrong] = counts[often];
            (right + PRIOR * expected[often]) / (right + wrong + PRIOR)
        };
        (*tie, [score(0), score(1), score(2)])
    });
    Relations {
        scores: scores.collect(),
        flakes: flakes.map(|(title, bugs)| (title, bugs.len() as u32)).collect(),
    }
}

/// Counts the bugs in whose bisections each unrelated crash decided a step.
fn count_flakes(audit: &Audit<'_>, bugs: &mut BTreeMap<String, BTreeSet<String>>) {
    let Some(original) = audit.original.titles.first() else { return };
    for related in audit.steps.iter().filter_map(|step| step.related.as_ref()) {
        if related.tie >= Tie::Class {
            bugs.entry(related.title.clone()).or_default().insert(original.to_string());
        }
    }
}

/// Counts right and wrong bad steps for each relation: with one or two crashed runs, fewer than half, more. Each
/// log counts once.
fn count_scores(log: &Log<'_>, audit: &Audit<'_>, counts: &mut BTreeMap<Tie, [[f64; 2]; 3]>) {
    let mut seen = BTreeSet::new();
    for step in audit.steps.iter().skip(1).filter(|step| step.verdict == Verdict::Bad) {
        let is_wrong = log.reason == "T3" && *step.commit == *log.first_wrong;
        let Some(related) = &step.related else { continue };
        if log.category != "correct" && !is_wrong {
            continue;
        }
        let crashed = step.count(Outcome::Crashed);
        let hits = if related.tie == Tie::Title { related.count } else { crashed };
        let runs = crashed + step.count(Outcome::Ok);
        let often = usize::from(hits > 1) + usize::from(hits > 1 && hits * 2 >= runs);
        if seen.insert((related.tie, often)) {
            counts.entry(related.tie).or_default()[often][usize::from(is_wrong)] += 1.0;
        }
    }
}

fn audits(logs: &[Log<'_>], relations: &Relations, takes: impl Fn(&Log<'_>) -> bool) -> Vec<Case> {
    let flakes: Vec<_> =
        relations.flakes.iter().map(|(title, bugs)| (title.as_str(), *bugs)).collect();
    let tables = Tables::new(&relations.scores, &flakes);
    let logs = logs.iter().filter(|log| log.is_rated() && takes(log));
    logs.map(|log| log.audit(tables)).collect()
}

/// Chooses the penalty by the likelihood, and the threshold by the false alarms, of inner folds; then fits to all.
fn choose(logs: &[Log<'_>], takes: impl Fn(&Log<'_>) -> bool) -> Model {
    let folds = (0..FOLDS).filter(|fold| logs.iter().any(|log| log.fold == *fold && takes(log)));
    let inner: Vec<(Vec<Case>, Vec<Case>)> = folds
        .map(|fold| {
            let relations = relate(logs, |log| takes(log) && log.fold != fold);
            audits(logs, &relations, &takes).into_iter().partition(|case| case.fold != fold)
        })
        .collect();
    let tried = PENALTIES.map(|penalty| {
        let mut rated = Vec::new();
        for (others, held) in &inner {
            let weights = fit(others, penalty);
            let model = Model { weights, penalty, doubtful: 0.0 };
            rated.extend(held.iter().map(|case| (rate(case, &model), case.clone())));
        }
        let loss: f64 = rated.iter().filter_map(|(p, case)| Some(loss((*p)?, case))).sum();
        (loss, penalty, rated)
    });
    let (_, penalty, rated) = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let relations = relate(logs, &takes);
    let weights = fit(&audits(logs, &relations, &takes), penalty);
    Model { weights, penalty, doubtful: threshold(&rated) }
}

fn loss(p_wrong: f64, case: &Case) -> f64 {
    -(if case.is_wrong { p_wrong } else { 1.0 - p_wrong }).ln()
}

/// The lowest threshold at which few enough correct bisections are doubtful.
fn threshold(rated: &[(Option<f64>, Case)]) -> f64 {
    let right: Vec<_> = rated.iter().filter(|(_, case)| !case.is_wrong).collect();
    let flagged = |threshold: f64| {
        right.iter().filter(|(p_wrong, case)| is_flagged(*p_wrong, threshold, case)).count()
    };
    let steps = (1..1000).map(|step| f64::from(step) / 1000.0);
    steps
        .into_iter()
        .find(|threshold| upper(flagged(*threshold), right.len()) <= FALSE_ALARMS)
        .unwrap_or(1.0)
}

/// The upper 90 % confidence bound of a share (Clopper and Pearson): at it, so few or fewer happen in
/// one of ten samples.
fn upper(hits: usize, of: usize) -> f64 {
    let (mut low, mut high) = (hits as f64 / of as f64, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        let mut term = (1.0 - middle).powf(of as f64);
        let mut sum = term;
        for k in 0..hits {
            term *= (of - k) as f64 / (k + 1) as f64 * middle / (1.0 - middle);
            sum += term;
        }
        if sum > 0.1 { low = middle } else { high = middle }
    }
    low
}

fn is_flagged(p_wrong: Option<f64>, threshold: f64, case: &Case) -> bool {
    case.trust != Trust::Sound || p_wrong.is_some_and(|p_wrong| p_wrong >= threshold)
}

fn rate(case: &Case, model: &Model) -> Option<f64> {
    case.values.map(|values| chance(&values, &model.weights))
}

fn chance(values: &[f64; CLUES + 1], weights: &[f64; CLUES + 1]) -> f64 {
    let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// Fits the weights by Newton's method.
fn fit(cases: &[Case], penalty: f64) -> [f64; CLUES + 1] {
    let cases: Vec<_> =
        cases.iter().filter_map(|case| Some((case.values?, case.is_wrong))).collect();
    let mut weights = [0.0; CLUES + 1];
    let decay = penalty * cases.len() as f64;
    for _ in 0..30 {
        let mut slope = [0.0; CLUES + 1];
        let mut bend = [[0.0; CLUES + 1]; CLUES + 1];
        for (values, is_wrong) in &cases {
            let p = chance(values, &weights);
            let miss = f64::from(u8::from(*is_wrong)) - p;
            for a in 0..=CLUES {
                slope[a] += miss * values[a];
                for b in 0..=CLUES {
                    bend[a][b] += p * (1.0 - p) * values[a] * values[b];
                }
            }
        }
        for at in 0..=CLUES {
            // The base has no penalty; a feature without a case has no weight.
            let decay = if at == CLUES { 1e-9 } else { decay };
            slope[at] -= decay * weights[at];
            bend[at][at] += decay;
        }
        let change = solve(bend, slope);
        for at in 0..=CLUES {
            weights[at] += change[at];
        }
    }
    weights
}

/// Solves linear equations by Gaussian elimination.
fn solve<const N: usize>(mut left: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for at in 0..N {
        let pivot =
            (at..N).max_by(|a, b| left[*a][at].abs().total_cmp(&left[*b][at].abs())).unwrap();
        left.swap(at, pivot);
        right.swap(at, pivot);
        for row in at + 1..N {
            let factor = left[row][at] / left[at][at];
            let upper = left[at];
            for (own, above) in left[row].iter_mut().zip(upper).skip(at) {
                *own -= factor * above;
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

/// Prints the figures of held-out bisections.
fn report(held: &[(Option<f64>, f64, Case)]) {
    let share = |takes: &dyn Fn(&Case) -> bool, hits: &dyn Fn(Option<f64>, f64, &Case) -> bool| {
        let all = held.iter().filter(|(_, _, case)| takes(case));
        let (hits, all) = all.fold((0, 0), |(hit, all), (p_wrong, threshold, case)| {
            (hit + usize::from(hits(*p_wrong, *threshold, case)), all + 1)
        });
        format!("{hits}/{all} = {:.1} %", 100.0 * hits as f64 / f64::from(all.max(1)))
    };
    let flagged =
        |p_wrong: Option<f64>, threshold: f64, case: &Case| is_flagged(p_wrong, threshold, case);
    let inverted = |_: Option<f64>, _: f64, case: &Case| case.trust == Trust::Wrong;
    eprintln!("held out: incorrect, flagged {}", share(&|case| case.is_wrong, &flagged));
    let false_crash = |case: &Case| case.is_wrong && case.is_false_crash;
    eprintln!("held out: of them with a false crash {}", share(&false_crash, &flagged));
    let right = |case: &Case| !case.is_wrong;
    let doubtful = |p_wrong: Option<f64>, threshold: f64, case: &Case| {
        case.trust != Trust::Wrong && is_flagged(p_wrong, threshold, case)
    };
    eprintln!("held out: correct, doubtful {}", share(&right, &doubtful));
    eprintln!("held out: correct, wrong {}", share(&right, &inverted));
    let mut rated: Vec<_> =
        held.iter().filter_map(|(p_wrong, _, case)| Some(((*p_wrong)?, case.is_wrong))).collect();
    rated.sort_by(|a, b| a.0.total_cmp(&b.0));
    eprintln!("| predicted | wrong | bisections |\n|---|---|---|");
    for part in rated.chunks(rated.len().div_ceil(5)) {
        let mean = part.iter().map(|(p, _)| p).sum::<f64>() / part.len() as f64;
        let wrong = part.iter().filter(|(_, wrong)| *wrong).count() as f64 / part.len() as f64;
        eprintln!("| {:.1} % | {:.1} % | {} |", 100.0 * mean, 100.0 * wrong, part.len());
    }
}

/// Prints `src/bisect/table.rs`.
fn print(relations: &Relations, model: &Model) {
    println!(
        "//! The tables of audits. Generated by `tools/src/bin/fit_doubts.rs`.\n\nuse super::evidence::{{DoubtFeature, Tie}};\n\n/// The probability that a commit with a crash of this relation has the bug: if it crashed in one or two runs, in\n\
         /// fewer than half of the runs, in more.\n#[rustfmt::skip] // rows\npub(super) const SCORES: &[(Tie, [f64; 3])] = &["
    );
    for (tie, [rare, some, often]) in &relations.scores {
        println!("    (Tie::{tie:?}, [{rare:.2}, {some:.2}, {often:.2}]),");
    }
    println!(
        "];\n\n/// Titles, and the number of bugs in whose bisections each decided a step.\n\
         #[rustfmt::skip] // rows\npub(super) const FLAKES: &[(&str, u32)] = &["
    );
    for (title, bugs) in &relations.flakes {
        println!("    ({title:?}, {bugs}),");
    }
    println!(
        "];\n\n/// The log odds of a wrong commit without any feature.\npub(super) const BASE: f64 = {:.2};\n\n\
         /// The log odds that a feature adds at a value of 1; the L2 penalty is {}.\n\
         #[rustfmt::skip] // rows\npub(super) const WEIGHTS: &[(DoubtFeature, f64)] = &[",
        model.weights[CLUES], model.penalty
    );
    for clue in DoubtFeature::ALL {
        println!("    (DoubtFeature::{clue:?}, {:.2}),", model.weights[*clue as usize]);
    }
    println!(
        "];\n\n/// The probability of a wrong commit from which a bisection is doubtful.\n\
         pub(super) const DOUBTFUL: f64 = {:.3};",
        model.doubtful
    );
}
