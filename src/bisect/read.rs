//! Parses the lines of a log to a [`Bisection`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use memchr::memchr;

use super::grammar::{self, CommitLine, Line};
use super::model::{ALL_RUNS, Bisection, MAX_UNKNOWN, Run, Search, Step};
use crate::escape;
use crate::parse::{self, Parser};

/// The error for a log without any line of a bisection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotBisection(());

impl fmt::Display for NotBisection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no bisection log: it has neither `bisecting …` nor `testing commit …`")
    }
}

impl std::error::Error for NotBisection {}

/// Parses a bisection log of syzkaller.
///
/// A part that is missing at the end of a truncated log is `None` or empty. Time and memory are
/// linear in the log.
///
/// # Examples
///
/// ```
/// let log = b"bisecting cause commit starting from 7ae77150d94d3b535c7b85e6b3647113095e79bf\n\
///             testing commit 7ae77150d94d3b535c7b85e6b3647113095e79bf with gcc (GCC) 8.1.0\n\
///             all runs: crashed: WARNING in io_wqe_enqueue\n";
/// let bisection = ksplat::bisect::parse(log)?;
/// assert_eq!(bisection.steps[0].runs[0].title.as_deref(), Some("WARNING in io_wqe_enqueue"));
/// # Ok::<(), ksplat::bisect::NotBisection>(())
/// ```
///
/// # Errors
///
/// No line of the log is one of a bisection.
pub fn parse(log: &[u8]) -> Result<Bisection<'_>, NotBisection> {
    let mut reader = Reader { log, ..Reader::default() };
    let mut at = 0;
    let mut console = None;
    while at < log.len() && console.is_none() {
        let rest = log.get(at..).unwrap_or_default();
        let len = memchr(b'\n', rest).map_or(rest.len(), |feed| feed + 1);
        let text = rest.get(..len).unwrap_or_default().trim_ascii_end();
        reader.line(at, text);
        at += len;
        console = reader.bisection.crash.is_some().then_some(at);
    }
    reader.close(at);
    let mut bisection = reader.bisection;
    let parent = bisection.untested_parent.take();
    bisection.untested_parent = parent.map(|parent| {
        let is_it = |step: &mut Step<'_>| step.commit == parent.commit && step.runs.is_empty();
        bisection.steps.pop_if(is_it).unwrap_or(parent)
    });
    if !reader.is_bisection {
        return Err(NotBisection(()));
    }
    if let Some(console) = console {
        bisection.report = parse::reports_from(Parser::new(), log, console).next();
    }
    Ok(bisection)
}

/// The part of the log that unknown lines belong to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Part {
    #[default]
    Nothing,
    /// The commit that git names.
    Culprit,
    /// The commits of which one is the first bad one.
    Candidates,
    /// The output of the last run or of the build, from this offset on.
    Output(usize),
}

#[derive(Default)]
struct Reader<'a> {
    log: &'a [u8],
    bisection: Bisection<'a>,
    is_bisection: bool,
    part: Part,
    /// The fields of the next step.
    release: Option<Cow<'a, str>>,
    subject: Option<(Cow<'a, str>, Cow<'a, str>)>,
    left: Option<u64>,
    candidates: BTreeSet<&'a [u8]>,
}

impl Default for Bisection<'_> {
    fn default() -> Self {
        Self {
            search: Search::Cause,
            original: None,
            manager: None,
            syzkaller: None,
            steps: Vec::new(),
            ends: None,
            culprit: None,
            candidates: Vec::new(),
            untested_parent: None,
            flaky: false,
            open_ended: false,
            error: None,
            totals: None,
            recipients: Vec::new(),
            copied: Vec::new(),
            crash: None,
            report: None,
            remarks: Vec::new(),
            unknown: Vec::new(),
            unknown_lines: 0,
        }
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    escape::text(bytes)
}

impl<'a> Reader<'a> {
    fn line(&mut self, at: usize, line: &'a [u8]) {
        if line.is_empty() {
            return;
        }
        let known = match grammar::line(line) {
            // The output of tools may contain any line.
            Some(Line::Hash(_)) if matches!(self.part, Part::Output(_)) => return,
            Some(Line::Remark) if self.is_building() => return,
            // The error of a tool, or the one that ended the bisection: the next line decides.
            Some(Line::Error(words)) if self.is_building() => {
                self.bisection.error = Some(text(words));
                return;
            }
            Some(known) => known,
            None => return self.other(line),
        };
        self.close(at);
        self.part = match self.known(line, known) {
            Part::Output(_) => Part::Output(at + line.len()),
            part => part,
        };
    }

    /// Adds a known line, and returns the part that the following lines belong to.
    fn known(&mut self, line: &'a [u8], known: Line<'a>) -> Part {
        let log = &mut self.bisection;
        match known {
            Line::Head(search, commit) => {
                log.search = search;
                log.original = Some(text(commit));
                self.is_bisection = true;
            }
            Line::Manager(words) => log.manager = Some(text(words)),
            Line::Syzkaller(commit) => log.syzkaller = Some(text(commit)),
            Line::Release(name) => self.release = Some(text(name)),
            Line::Left(count) => self.left = Some(count),
            Line::Subject(commit, subject) => self.subject = Some((text(commit), text(subject))),
            Line::Commit(commit, compiler) => {
                self.is_bisection = true;
                // The error was one of a tool: after its own error syzkaller tests nothing.
                log.error = None;
                let commit = text(commit);
                let subject = self.subject.take();
                log.steps.push(Step {
                    // The number of revisions was printed for another commit.
                    revisions_left: self
                        .left
                        .take()
                        .filter(|_| subject.as_ref().is_none_or(|(tested, _)| *tested == commit)),
                    subject: subject.filter(|(tested, _)| *tested == commit).map(|(_, text)| text),
                    release: self.release.take(),
                    compiler: compiler.map(text),
                    commit,
                    ..Step::default()
                });
                return Part::Output(0);
            }
            Line::Compiler(name) => {
                if let Some(step) = log.steps.last_mut() {
                    step.compiler = Some(text(name));
                }
                return Part::Output(0);
            }
            Line::Signature(hash) => {
                if let Some(step) = log.steps.last_mut() {
                    step.signature = Some(text(hash));
                }
                return Part::Output(0);
            }
            Line::Run(number, outcome, title) => {
                let count = if number.is_some() { 1 } else { ALL_RUNS };
                let run = Run { outcome, title: title.map(text), count, detail: None };
                match log.steps.last_mut() {
                    Some(step) => step.runs.push(run),
                    None => self.unknown(line),
                }
                return Part::Output(0);
            }
            Line::Start(bad, good) => log.ends = Some((text(bad), text(good))),
            Line::Verdict(verdict, commit) => {
                let commit = text(commit);
                match log.steps.last_mut().filter(|step| step.commit == commit) {
                    Some(step) => step.verdict = Some(verdict),
                    None => self.remark(line),
                }
            }
            Line::First(commit) => {
                log.culprit.get_or_insert_default().commit = text(commit);
                return Part::Culprit;
            }
            Line::Named(commit, subject) => {
                let culprit = log.culprit.get_or_insert_default();
                culprit.commit = text(commit);
                culprit.subject = Some(text(subject)).filter(|subject| !subject.is_empty());
            }
            Line::Candidates => return Part::Candidates,
            Line::Hash(commit) if self.part == Part::Candidates => {
                // git and syzkaller both print the list.
                if self.candidates.insert(commit) {
                    log.candidates.push(text(commit));
                }
                return Part::Candidates;
            }
            Line::Hash(_) => self.unknown(line),
            Line::Untested(commit) => {
                log.untested_parent = Some(Step { commit: text(commit), ..Step::default() });
            }
            Line::CulpritSignature(hash) => {
                log.culprit.get_or_insert_default().signature = Some(text(hash));
            }
            Line::ParentSignature(hash) => {
                log.culprit.get_or_insert_default().parent_signature = Some(text(hash));
            }
            Line::Totals(totals) => log.totals = Some(totals),
            Line::Recipients(list) => log.recipients = list.into_iter().map(text).collect(),
            Line::Copied(list) => log.copied = list.into_iter().map(text).collect(),
            Line::Flaky => log.flaky = true,
            Line::OpenEnded => log.open_ended = true,
            Line::Error(words) => log.error = Some(text(words)),
            Line::Remark => self.remark(line),
            Line::Crash(title) => log.crash = Some(text(title)),
        }
        Part::Nothing
    }

    /// Adds a line that neither syzkaller nor git prints.
    fn other(&mut self, line: &'a [u8]) {
        match self.part {
            Part::Output(_) => {}
            Part::Culprit => {
                let culprit = self.bisection.culprit.get_or_insert_default();
                match grammar::commit_line(line) {
                    Some(CommitLine::Known) => {}
                    Some(CommitLine::Merge) => culprit.merge = true,
                    Some(CommitLine::Author(name)) => culprit.author = Some(text(name)),
                    Some(CommitLine::Date(date)) => culprit.date = Some(text(date)),
                    Some(CommitLine::File(path)) => culprit.files.push(text(path)),
                    Some(CommitLine::Message(words)) if culprit.subject.is_none() => {
                        culprit.subject = Some(text(words));
                    }
                    Some(CommitLine::Message(words)) => {
                        culprit.message.push(text(words.trim_ascii()));
                    }
                    None => self.unknown(line),
                }
            }
            Part::Candidates | Part::Nothing => self.unknown(line),
        }
    }

    /// Returns whether unknown lines are the output of a build.
    fn is_building(&self) -> bool {
        let last = self.bisection.steps.last();
        matches!(self.part, Part::Output(_)) && last.is_some_and(|step| step.runs.is_empty())
    }

    fn remark(&mut self, line: &'a [u8]) {
        self.bisection.remarks.push(text(line));
    }

    fn unknown(&mut self, line: &'a [u8]) {
        self.bisection.unknown_lines += 1;
        if self.bisection.unknown.len() < MAX_UNKNOWN {
            self.bisection.unknown.push(text(line));
        }
    }

    /// Adds the output since the last known line to its run.
    fn close(&mut self, end: usize) {
        let Part::Output(start) = self.part else { return };
        self.part = Part::Nothing;
        let output = self.log.get(start..end).unwrap_or_default().trim_ascii();
        let Some(step) = self.bisection.steps.last_mut().filter(|_| !output.is_empty()) else {
            return;
        };
        match step.runs.last_mut() {
            Some(run) => run.detail = Some(text(output)),
            None => step.failure = Some(text(output)),
        }
    }
}
