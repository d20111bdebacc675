//! Audits of bisections as text.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use anstyle::Style;

use super::escape::escape;
use super::page::{DIM, GOOD, LABEL, Page, TITLE, TRAP, WIDTH, words};
use super::text::TextOptions;
use crate::bisect::{
    Audit, Judged, Outcome, RELATED, Rate, Run, Search, Tables, Tie, Trust, UNRELATED, Verdict,
    short,
};

/// The maximum number of runs of a step that have a mark each.
const MAX_MARKS: usize = 20;

/// The column of the subjects of commits, behind the marks.
const BEHIND_MARKS: usize = 38;

/// The confidence from which a step has no explanation in words.
const EVIDENT: f64 = 0.9;

/// The maximum number of features for and against a commit that are printed.
const MAX_DOUBTS: usize = 3;

/// The columns of a command's line that its words do not use: the indentation and ` \`.
const COMMAND_MARGIN: usize = 9;

/// The probability to be wrong below which a named commit is likely right. From [`Tables::doubtful`] on it is likely
/// wrong.
const LIKELY_RIGHT: f64 = 0.2;

/// The meanings of the marks of runs.
const MARKS: &[(char, &str)] = &[
    ('X', "the crash"),
    ('x', "related"),
    ('!', "another crash"),
    ('.', "passed"),
    ('b', "boot failed"),
    ('t', "kernel testing failed"),
    ('?', "infrastructure failed"),
    ('+', "more runs"),
];

/// Writes the audit of the bisection in `file`: its steps, a finding of two sentences, and how to
/// continue.
///
/// Control characters in text of the log are escaped.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(
    out: &mut impl fmt::Write,
    file: &str,
    audit: &Audit<'_>,
    options: TextOptions,
) -> fmt::Result {
    let mut page = Page { out, options };
    page.audit_head(file, audit)?;
    let text = format!("{} {}", finding(audit), consequence(audit));
    page.out.write_str("\n  ")?;
    words(page.out, &escape(text.trim_end()).to_string(), 2, 2, WIDTH)?;
    page.out.write_str("\n")?;
    for command in &audit.audited.resume {
        page.command(command)?;
    }
    page.steps(audit)?;
    let mut notes = Vec::new();
    if !audit.missing.is_empty() {
        notes.push(format!("The log lacks {}.", audit.missing.join(", ")));
    }
    if audit.unknown_lines > 0 {
        let lines = if audit.unknown_lines == 1 { "line was" } else { "lines were" };
        notes.push(format!("{} {lines} not recognized.", audit.unknown_lines));
    }
    for note in notes {
        page.out.write_str("  ")?;
        words(page.out, &escape(&note).to_string(), 2, 2, WIDTH)?;
        page.out.write_str("\n")?;
    }
    Ok(())
}

/// Writes the audit in one line.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_summary(
    out: &mut impl fmt::Write,
    file: &str,
    audit: &Audit<'_>,
    options: TextOptions,
) -> fmt::Result {
    let mut page = Page { out, options };
    write!(page.out, "{}: ", escape(file))?;
    page.styled(style(audit.trust), audit.trust.name())?;
    let text = format!(": {} {}", finding(audit), consequence(audit));
    writeln!(page.out, "{}", escape(text.trim_end()))
}

fn style(trust: Trust) -> Style {
    match trust {
        Trust::Sound => GOOD,
        Trust::Doubtful => TRAP,
        Trust::Wrong => TITLE,
    }
}

impl<W: fmt::Write> Page<'_, W> {
    fn audit_head(&mut self, file: &str, audit: &Audit<'_>) -> fmt::Result {
        let mut titles = audit.original.titles.iter();
        let title = titles.next().map_or("an unknown crash", |title| title);
        self.styled(TITLE, &escape(title).to_string())?;
        let place = format!("\n  {} (search for the {})\n", escape(file), audit.kind.name());
        self.styled(DIM, &place)?;
        for title in titles {
            self.field("also", &escape(title).to_string())?;
        }
        self.field("rate", &rate(&audit.original.rate))?;
        let named = match (&audit.culprit, &audit.unfinished) {
            (Some(culprit), _) => label(audit, culprit),
            (None, Some(why)) => format!("no commit: {why}"),
            (None, None) => "no commit".into(),
        };
        self.field("names", &escape(&named).to_string())?;
        self.styled(LABEL, &format!("  {:<9} ", "trust"))?;
        self.styled(style(audit.trust), audit.trust.name())?;
        self.out.write_str("\n")
    }

    /// Writes a shell command; a long list of commits continues on further lines.
    fn command(&mut self, command: &str) -> fmt::Result {
        let mut lines = vec![String::new()];
        for word in escape(command).to_string().split(' ') {
            let used = lines.last().map_or(0, |line| line.chars().count());
            if used > 0 && used + word.chars().count() + COMMAND_MARGIN > WIDTH {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
            }
        }
        for (at, line) in lines.iter().enumerate() {
            self.out.write_str(if at == 0 { "    " } else { "      " })?;
            self.styled(TRAP, line)?;
            self.out.write_str(if at + 1 < lines.len() { " \\\n" } else { "\n" })?;
        }
        Ok(())
    }

    /// Writes the table of steps.
    fn steps(&mut self, audit: &Audit<'_>) -> fmt::Result {
        let marks: Vec<String> = audit.steps.iter().map(|step| marks(audit, step)).collect();
        let columns = marks.iter().map(|marks| marks.chars().count()).max().unwrap_or(0).max(4);
        let head = format!("\n  {:<12} {:<columns$} verdict        sure  commit\n", "", "runs");
        self.styled(LABEL, &head)?;
        let mut described = BTreeSet::new();
        for (number, (step, marks)) in audit.steps.iter().zip(&marks).enumerate() {
            let first = (number == 0).then_some("commit of the crash");
            let name = step.release.as_deref().or(step.subject.as_deref()).or(first);
            self.step(step, name.unwrap_or_default(), marks, columns)?;
            // A crash that decides many steps is described at the first of them.
            if needs_words(step) && described.insert(&step.decided_by) {
                self.words_of_step(&format!("{}: {}", step.decided_by, step.why))?;
            }
        }
        let used: String = marks.concat();
        let legend = MARKS.iter().filter(|(mark, _)| used.contains(*mark));
        let legend: Vec<_> = legend.map(|(mark, means)| format!("{mark} {means}")).collect();
        let mut text = String::from("  ");
        words(&mut text, &legend.join(", "), 2, 2, WIDTH)?;
        self.styled(DIM, &text)?;
        self.out.write_str("\n")
    }

    fn step(&mut self, step: &Judged<'_>, name: &str, marks: &str, columns: usize) -> fmt::Result {
        let changed = step.audited_verdict != step.verdict;
        let verdict = if changed {
            format!("{}, not {}", step.audited_verdict.name(), step.verdict.name())
        } else {
            step.verdict.name().to_owned()
        };
        let commit = short(&step.commit);
        write!(self.out, "  {:<12} {marks:<columns$} ", escape(commit).to_string())?;
        let style = match step.audited_verdict {
            _ if changed => TRAP,
            Verdict::Good => GOOD,
            Verdict::Bad => TITLE,
            Verdict::Skip => DIM,
        };
        self.styled(style, &format!("{verdict:<13}"))?;
        // The confidence in the audited verdict.
        let sure = match step.audited_verdict {
            _ if !changed => step.confidence,
            Verdict::Skip => None,
            _ => step.missed.map(|missed| 1.0 - missed),
        };
        let sure = sure.map(|sure| format!("{:.0} %", sure * 100.0));
        let name = escape(name).to_string();
        let room = WIDTH.saturating_sub(BEHIND_MARKS + columns);
        let line = format!("{:>6}  {}", sure.unwrap_or_default(), cut(&name, room));
        writeln!(self.out, "{}", line.trim_end())
    }

    fn words_of_step(&mut self, text: &str) -> fmt::Result {
        const INDENT: usize = 15;
        write!(self.out, "{:INDENT$}", "")?;
        let mut page = String::new();
        words(&mut page, &escape(text).to_string(), INDENT, INDENT, WIDTH)?;
        self.styled(DIM, &page)?;
        self.out.write_str("\n")
    }
}

/// Returns whether the marks of a step do not explain its verdict.
fn needs_words(step: &Judged<'_>) -> bool {
    let other = step.related.as_ref().is_some_and(|related| related.tie != Tie::Title);
    other
        || step.audited_verdict != step.verdict
        || step.confidence.is_none_or(|confidence| confidence < EVIDENT)
}

/// Returns a mark for each run.
fn marks(audit: &Audit<'_>, step: &Judged<'_>) -> String {
    let mut marks = String::new();
    let mut count = 0;
    for run in step.runs {
        for _ in 0..run.count {
            if count == MAX_MARKS {
                marks.pop();
                marks.push('+');
                return marks;
            }
            marks.push(mark(audit, step, run));
            count += 1;
        }
    }
    marks
}

fn mark(audit: &Audit<'_>, step: &Judged<'_>, run: &Run<'_>) -> char {
    match run.outcome {
        Outcome::Ok => '.',
        Outcome::BootFailed => 'b',
        Outcome::TestFailed => 't',
        Outcome::Crashed => {
            let title = run.title.as_deref().unwrap_or_default();
            let mut crashes = step.related.iter().chain(&step.others);
            if audit.original.titles.iter().any(|own| own == title) {
                'X'
            } else if crashes.any(|crash| crash.score >= RELATED && crash.title == title) {
                'x'
            } else {
                '!'
            }
        }
        Outcome::Infrastructure => '?',
    }
}

fn rate(rate: &Rate) -> String {
    if rate.runs == 0 {
        return "unknown: no commit has the crash".into();
    }
    let (low, high) = (rate.low * 100.0, rate.high * 100.0);
    format!(
        "in {} of {} runs on commits that have it ({low:.0} to {high:.0} % with 95 %)",
        rate.hits, rate.runs
    )
}

/// Describes the evidence for or against the verdict in a sentence, the deciding step first.
fn finding(audit: &Audit<'_>) -> String {
    let Some(culprit) = audit.culprit.as_deref() else {
        let why = audit.unfinished.as_deref().unwrap_or("the log has no reason");
        return match deciding(audit) {
            Some(step) => format!("No commit is named ({why}), and {}.", complaint(audit, step)),
            None => format!("No commit is named: {why}."),
        };
    };
    let named = label(audit, culprit);
    let likely = audit.p_wrong.map_or("uncertain", likelihood);
    match (audit.trust, deciding(audit)) {
        (Trust::Wrong, Some(step)) => format!("{named} is wrong: {}.", complaint(audit, step)),
        (Trust::Doubtful, _) if !audit.steps.iter().any(shows) => {
            format!("{named} is unsupported: no step of the log shows the crash.")
        }
        (_, Some(step)) => {
            format!("{named} is {likely}: {}; {}.", complaint(audit, step), chances(audit))
        }
        (_, None) => format!("{named} is {likely}: {}.", chances(audit)),
    }
}

/// Returns the words for a commit that is wrong with this probability.
fn likelihood(p_wrong: f64) -> &'static str {
    if p_wrong < LIKELY_RIGHT {
        "likely right"
    } else if p_wrong < Tables::FITTED.doubtful {
        "uncertain"
    } else {
        "likely wrong"
    }
}

/// Returns whether a step has the crash under bisection.
fn shows(step: &Judged<'_>) -> bool {
    step.related.as_ref().is_some_and(|related| related.score >= RELATED)
}

/// Describes how many verdicts with the same evidence are wrong, and the evidence.
fn chances(audit: &Audit<'_>) -> String {
    let Some(p_wrong) = audit.p_wrong else { return "no commit is named".to_owned() };
    let mut text = share(p_wrong);
    for (sign, word) in [(1.0, "against it"), (-1.0, "for it")] {
        let clues = audit.doubts.iter().filter(|doubt| doubt.weight * sign > 0.0);
        let clues: Vec<_> = clues.take(MAX_DOUBTS).map(|doubt| doubt.text.as_str()).collect();
        if !clues.is_empty() {
            let _ = write!(text, "; {word}: {}", clues.join("; "));
        }
    }
    text
}

/// Rounds the probability of a wrong commit to a share in words: `1 in 5 such verdicts is wrong`.
fn share(p_wrong: f64) -> String {
    let all = |share: f64| (1.0 / share.max(0.01)).round();
    let (wrong, all) = if p_wrong <= 0.5 {
        (1.0, all(p_wrong))
    } else {
        let all = all(1.0 - p_wrong);
        (all - 1.0, all)
    };
    let verb = if wrong > 1.0 { "are" } else { "is" };
    format!("{wrong:.0} in {all:.0} such verdicts {verb} wrong")
}

/// Returns the step that decides the audit: the first whose verdict is inverted, else the first that is skipped.
fn deciding<'a>(audit: &'a Audit<'_>) -> Option<&'a Judged<'a>> {
    let mut inverted = audit.steps.iter().filter(|step| step.audited_verdict != Verdict::Skip);
    inverted
        .find(|step| is_changed(step))
        .or_else(|| audit.steps.iter().find(|step| is_changed(step)))
}

/// Returns whether a step has another audited verdict.
fn is_changed(step: &Judged<'_>) -> bool {
    step.audited_verdict != step.verdict
}

/// Describes the problem of a step, and how many others have the same.
fn complaint(audit: &Audit<'_>, step: &Judged<'_>) -> String {
    let is_culprit = audit.culprit.as_ref() == Some(&step.commit);
    let name = if is_culprit { "it".to_owned() } else { own_label(step) };
    let verdict = step.verdict.name();
    let Some(related) = &step.related else {
        return format!("{name} was rated {verdict}, but {}", step.why);
    };
    let crashed = related.count;
    let runs = step.count(Outcome::Crashed).saturating_add(step.count(Outcome::Ok));
    let is_uncertain = step.audited_verdict == Verdict::Skip && related.score > UNRELATED;
    let which = if is_uncertain { "what may be another crash" } else { "another crash" };
    let others = audit.steps.iter().filter(|step| is_changed(step));
    let others = others.filter(|other| other.commit != step.commit);
    let others = match others.filter(|other| other.decided_by == step.decided_by).count() {
        0 => String::new(),
        1 => ", which decided 1 more step".to_owned(),
        count => format!(", which decided {count} more steps"),
    };
    let title = &step.decided_by;
    format!("{name} was rated {verdict} for {which}, {title} ({crashed} of {runs} runs){others}")
}

/// Describes the consequence in a sentence.
fn consequence(audit: &Audit<'_>) -> String {
    let range = &audit.audited;
    let is_fix = audit.kind == Search::Fix;
    let which = if is_fix { "fixing" } else { "first bad" };
    match (&range.culprit, &range.good, &range.bad) {
        (Some(own), _, _) if Some(own) != audit.culprit.as_ref() => {
            format!("Without that crash the {which} commit is {}.", label(audit, own))
        }
        (Some(_), _, _) if audit.trust == Trust::Sound => missed(audit),
        (Some(_), _, _) => match &audit.first_doubtful {
            Some(first) => format!(
                "If so, {} most likely has the crash as well, and passed for another reason: test it \
                 again, more often or with another reproducer.",
                label(audit, first)
            ),
            None => String::new(),
        },
        (None, _, Some(bad)) if range.contradiction.is_some() => format!(
            "The verdicts contradict each other: without that crash the search ends at {}, {}.",
            label(audit, bad),
            range.contradiction.unwrap_or_default()
        ),
        (None, Some(good), Some(bad)) => {
            let left = match range.revisions_left {
                Some(1) => "1 commit remains to be tested".into(),
                Some(left) => format!("{left} commits remain to be tested"),
                None => "--repo counts the remaining commits".into(),
            };
            format!(
                "The {which} commit is between {} (good) and {} (bad): {left}.",
                short(good),
                short(bad)
            )
        }
        (None, _, None) if is_fix => "No commit without the crash is known.".into(),
        (None, _, None) => "No commit with the crash is known.".into(),
        (None, None, _) if is_fix => "No commit with the crash is known.".into(),
        (None, None, Some(bad)) => {
            format!("No commit without the crash is known: {} has it.", label(audit, bad))
        }
    }
}

/// Describes the confidence in the last commit that passed.
fn missed(audit: &Audit<'_>) -> String {
    let clean = |step: &&Judged<'_>| step.related.is_none() && step.count(Outcome::Ok) > 0;
    let Some(last) = audit.steps.iter().rev().find(clean) else { return String::new() };
    let runs = last.count(Outcome::Ok);
    match last.missed {
        None => String::new(),
        Some(missed) if missed < 1e-3 => {
            format!("A commit with the crash would not pass {runs} runs by chance.")
        }
        Some(missed) => {
            let percent = missed * 100.0;
            format!("A commit with the crash would pass {runs} runs by chance in {percent:.1} %.")
        }
    }
}

/// Returns a commit with its release or subject.
fn label(audit: &Audit<'_>, commit: &str) -> String {
    let step = audit.steps.iter().find(|step| step.commit == commit);
    if let Some(step) = step.filter(|step| step.release.is_some() || step.subject.is_some()) {
        return own_label(step);
    }
    let subject = audit.subject.as_deref().filter(|_| audit.culprit.as_deref() == Some(commit));
    with_name(commit, subject)
}

fn own_label(step: &Judged<'_>) -> String {
    with_name(&step.commit, step.release.as_deref().or(step.subject.as_deref()))
}

fn with_name(commit: &str, name: Option<&str>) -> String {
    let mut label = short(commit).to_owned();
    if let Some(name) = name {
        let _ = write!(label, " ({name})");
    }
    label
}

/// Cuts a text to a number of columns.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{kept}…")
}
