//! Fits the weights of `src/bisect/confidence.rs`, and counts the tables of
//! `src/bisect/relation.rs` and `src/bisect/flakes.rs`, from bisections with a known culprit.
//!
//! ```text
//! cargo run --release -p ksplat-tools --bin fit_doubts -- TRUTH.tsv
//! cargo run --release -p ksplat-tools --bin fit_doubts -- --scores TRUTH.tsv
//! cargo run --release -p ksplat-tools --bin fit_doubts -- --flakes TRUTH.tsv
//! ```
//!
//! Each line of the file has these columns, separated by tabs: the name of a log, which is
//! `logs/NAME.txt` beside the file; `category`, whether its bisection is `correct` or `incorrect`;
//! `reason`, `T3` if a step was wrongly called bad; and `first_wrong`, the commit of that step. The
//! weights are those of a logistic regression, evaluated by tenfold cross-validation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "hundreds are counted"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ksplat::bisect::{self, AuditOptions, DoubtFeature, Outcome, Tie, Trust, Verdict};

const CLUES: usize = DoubtFeature::ALL.len();
const ROUNDS: usize = 4000;
const STEP: f64 = 2.0;
/// The strength of L2 regularization.
const DECAY: f64 = 2e-3;
/// Crashes that decided steps in bisections of fewer bugs may belong to those bugs.
const BUGS: usize = 4;
/// The accepted rate of false alarms among correct bisections.
const FALSE_ALARMS: f64 = 0.08;

struct Case {
    name: String,
    values: [f64; CLUES + 1],
    is_wrong: bool,
    /// Whether the steps alone show it.
    by_steps: bool,
}

fn main() {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let truth = paths.pop().expect("a file with the truth");
    match paths.first().map(String::as_str) {
        Some("--flakes") => return print_flakes(Path::new(&truth)),
        Some("--scores") => return print_scores(Path::new(&truth)),
        _ => {}
    }
    let cases = load(Path::new(&truth));
    let fold = |case: &Case| case.name.bytes().map(u32::from).sum::<u32>() % 10;
    let mut held = Vec::new();
    for tenth in 0..10 {
        let weights = fit(&cases, |case| fold(case) != tenth);
        held.extend(
            cases
                .iter()
                .filter(|case| fold(case) == tenth)
                .map(|case| (case, score(case, &weights))),
        );
    }
    report("held out", &held);
    let weights = fit(&cases, |_| true);
    let all: Vec<_> = cases.iter().map(|case| (case, score(case, &weights))).collect();
    report("all", &all);
    println!("BASE = {:.2}", weights[CLUES]);
    for (clue, weight) in DoubtFeature::ALL.iter().zip(weights) {
        println!("{clue:?}: {weight:.2}");
    }
}

/// A row of the file.
struct Row {
    log: String,
    category: String,
    reason: String,
    first_wrong: String,
}

fn rows(truth: &Path) -> Vec<Row> {
    let text = fs::read_to_string(truth).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = |row: &[&str], name: &str| {
        row[head.iter().position(|column| *column == name).unwrap()].to_owned()
    };
    lines
        .map(|row| Row {
            log: column(&row, "log"),
            category: column(&row, "category"),
            reason: column(&row, "reason"),
            first_wrong: column(&row, "first_wrong"),
        })
        .collect()
}

fn log(truth: &Path, name: &str) -> Vec<u8> {
    fs::read(truth.parent().unwrap().join("logs").join(name).with_extension("txt")).unwrap()
}

fn load(truth: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for Row { log: name, category, .. } in rows(truth) {
        if !["correct", "incorrect"].contains(&&*category) {
            continue;
        }
        let log = log(truth, &name);
        let bisection = bisect::parse(&log).unwrap();
        let audit = bisect::audit(&bisection, AuditOptions::default());
        let mut values = [0.0; CLUES + 1];
        values[CLUES] = 1.0;
        for doubt in &audit.doubts {
            let at = DoubtFeature::ALL.iter().position(|clue| *clue == doubt.clue).unwrap();
            values[at] = doubt.value;
        }
        let by_steps = audit.steps.iter().any(|step| step.verdict != step.audited_verdict);
        assert!(by_steps || audit.trust != Trust::Wrong);
        if audit.culprit.is_none() {
            continue;
        }
        cases.push(Case { name, values, is_wrong: category == "incorrect", by_steps });
    }
    cases
}

fn score(case: &Case, weights: &[f64; CLUES + 1]) -> f64 {
    let sum: f64 = case.values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

fn fit(cases: &[Case], takes: impl Fn(&Case) -> bool) -> [f64; CLUES + 1] {
    let cases: Vec<_> = cases.iter().filter(|case| takes(case)).collect();
    let mut weights = [0.0; CLUES + 1];
    for _ in 0..ROUNDS {
        let mut slope = [0.0; CLUES + 1];
        for case in &cases {
            let miss = f64::from(u8::from(case.is_wrong)) - score(case, &weights);
            for (slope, value) in slope.iter_mut().zip(&case.values) {
                *slope += miss * value / cases.len() as f64;
            }
        }
        for at in 0..=CLUES {
            let held_back = if at == CLUES { 0.0 } else { DECAY * weights[at] };
            weights[at] += STEP * (slope[at] - held_back);
        }
    }
    weights
}

/// Prints the recall of wrong bisections at the threshold of the accepted false alarms.
fn report(what: &str, scores: &[(&Case, f64)]) {
    let mut right: Vec<f64> = scores
        .iter()
        .filter(|(case, _)| !case.is_wrong)
        .map(|(case, score)| if case.by_steps { 1.0 } else { *score })
        .collect();
    right.sort_by(f64::total_cmp);
    let allowed = (right.len() as f64 * FALSE_ALARMS).round();
    let threshold = right.iter().rev().nth(allowed as usize).copied().unwrap_or(1.0);
    let wrong: Vec<_> = scores.iter().filter(|(case, _)| case.is_wrong).collect();
    let flagged = wrong.iter().filter(|(case, score)| case.by_steps || *score > threshold).count();
    println!(
        "{what}: at {threshold:.3}, {allowed} of {} right ones doubted, {flagged} of {} wrong ones",
        right.len(),
        wrong.len()
    );
}

/// Prints the counts of right and wrong bad steps for each relation: with one or two crashed runs,
/// fewer than half, more. Each log counts once.
fn print_scores(truth: &Path) {
    let mut counts: BTreeMap<Tie, [[usize; 2]; 3]> = BTreeMap::new();
    for row in rows(truth) {
        let log = log(truth, &row.log);
        let bisection = bisect::parse(&log).unwrap();
        let audit = bisect::audit(&bisection, AuditOptions::default());
        let mut seen = BTreeSet::new();
        for step in audit.steps.iter().skip(1).filter(|step| step.verdict == Verdict::Bad) {
            let is_wrong = row.reason == "T3" && *step.commit == *row.first_wrong;
            let Some(related) = &step.related else { continue };
            if row.category != "correct" && !is_wrong {
                continue;
            }
            let crashed = step.count(Outcome::Crashed);
            let hits = if related.tie == Tie::Title { related.count } else { crashed };
            let runs = crashed + step.count(Outcome::Ok);
            let often = usize::from(hits > 1) + usize::from(hits > 1 && hits * 2 >= runs);
            if seen.insert((related.tie, often)) {
                counts.entry(related.tie).or_default()[often][usize::from(is_wrong)] += 1;
            }
        }
    }
    for (tie, counts) in counts {
        println!("{tie:?}: {counts:?}");
    }
}

/// Prints the crashes that decided steps in bisections of many unrelated bugs.
fn print_flakes(truth: &Path) {
    let mut bugs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(truth) {
        let log = log(truth, &row.log);
        let bisection = bisect::parse(&log).unwrap();
        let audit = bisect::audit(&bisection, AuditOptions::default());
        let Some(original) = audit.original.titles.first() else { continue };
        for related in audit.steps.iter().filter_map(|step| step.related.as_ref()) {
            if related.tie >= Tie::Class {
                bugs.entry(related.title.clone()).or_default().insert(original.to_string());
            }
        }
    }
    for (title, bugs) in bugs.iter().filter(|(_, bugs)| bugs.len() >= BUGS) {
        println!("    ({title:?}, {}),", bugs.len());
    }
}
