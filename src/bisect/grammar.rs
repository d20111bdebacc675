//! The grammar of the lines of a bisection log, which `pkg/bisect/bisect.go` and `pkg/vcs/git.go`
//! of syzkaller print, and git between them.

use std::time::Duration;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till1, take_until, take_while, take_while1};
use nom::character::complete::{char, digit1, not_line_ending, space0, space1, u32, u64};
use nom::combinator::{all_consuming, map, map_opt, opt, recognize, rest, value, verify};
use nom::multi::many0;
use nom::sequence::{delimited, pair, preceded, separated_pair, terminated};
use nom::{IResult, Parser};

use super::model::{Outcome, Search, Totals, Verdict};

type Parsed<'a, T> = IResult<&'a [u8], T, ()>;

/// A line of syzkaller or git.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// `bisecting cause commit starting from COMMIT`.
    Head(Search, &'a [u8]),
    /// `ci starts bisection TIME`.
    Manager(&'a [u8]),
    /// `building syzkaller on COMMIT`.
    Syzkaller(&'a [u8]),
    /// `testing release v5.5`.
    Release(&'a [u8]),
    /// `testing commit COMMIT`, with the compiler behind it in older logs.
    Commit(&'a [u8], Option<&'a [u8]>),
    /// `compiler: gcc …`.
    Compiler(&'a [u8]),
    /// `kernel signature: HASH`.
    Signature(&'a [u8]),
    /// `all runs: …`, or `run #N: …` with its number.
    Run(Option<u32>, Outcome, Option<&'a [u8]>),
    /// `# git bisect start BAD GOOD`.
    Start(&'a [u8], &'a [u8]),
    /// `# git bisect good COMMIT`.
    Verdict(Verdict, &'a [u8]),
    /// `Bisecting: N revisions left to test after this (roughly M steps)`.
    Left(u64),
    /// `[COMMIT] SUBJECT`.
    Subject(&'a [u8], &'a [u8]),
    /// `COMMIT is the first bad commit`.
    First(&'a [u8]),
    /// `first bad commit: COMMIT SUBJECT`.
    Named(&'a [u8], &'a [u8]),
    /// `The first bad commit could be any of:`.
    Candidates,
    /// A commit alone on its line.
    Hash(&'a [u8]),
    /// `parent commit COMMIT wasn't tested`.
    Untested(&'a [u8]),
    /// `culprit signature: HASH`.
    CulpritSignature(&'a [u8]),
    /// `parent  signature: HASH`.
    ParentSignature(&'a [u8]),
    /// `revisions tested: 17, total time: 3h49m38s (build: 1h45m37s, test: 2h2m45s)`.
    Totals(Totals),
    /// `recipients (to): ["a@b" "c@d"]`.
    Recipients(Vec<&'a [u8]>),
    /// `recipients (cc): [...]`, in older logs `cc: [...]`.
    Copied(Vec<&'a [u8]>),
    /// The reproducer is flaky.
    Flaky,
    /// The crash occurs on the last commit that can be tested.
    OpenEnded,
    /// `error: …`.
    Error(&'a [u8]),
    /// Any other known line of syzkaller or git.
    Remark,
    /// `crash: TITLE`: a console follows.
    Crash(&'a [u8]),
}

/// A line of the commit that git names, below `COMMIT is the first bad commit`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CommitLine<'a> {
    /// `commit COMMIT`, or a line of numbers.
    Known,
    /// `Merge: COMMIT COMMIT`.
    Merge,
    /// `Author: NAME <ADDRESS>`.
    Author(&'a [u8]),
    /// `Date:   DATE`.
    Date(&'a [u8]),
    /// A line of the message.
    Message(&'a [u8]),
    /// A file that the commit changes.
    File(&'a [u8]),
}

/// The outcomes of runs, by the start of their text.
const OUTCOMES: &[(&str, Outcome)] = &[
    ("crashed: ", Outcome::Crashed),
    ("boot failed: ", Outcome::BootFailed),
    ("basic kernel testing failed: ", Outcome::TestFailed),
    ("error: ", Outcome::Infrastructure),
    ("infra problem: ", Outcome::Infrastructure),
    ("ignore: ", Outcome::Infrastructure),
];

/// The starts of known lines without a field.
const REMARKS: &[&str] = &[
    "ensuring issue is reproducible on original commit ",
    "commit msg: ",
    "previous signature: ",
    "We cannot bisect more!",
    "There are only 'skip'ped commits left to test.",
    "Bisecting: a merge base must be tested",
    "# git bisect",
    "status: ",
    "representative crash: ",
    "false negative chance: ",
    "accumulated error probability: ",
    "determine whether the revision contains the guilty commit",
    "checking whether ",
    "check whether we can drop leftover instrumentation",
    "the bug reproduces without the instrumentation",
    "disabling configs for ",
    "kconfig minimization: ",
    "split chunks ",
    "the configuration was minimized",
    "picked [",
    "revision ",
    "the crash wasn't reproduced on the original commit",
    "failed testing reproducer on ",
    "testing current HEAD ",
    "testing without sub-instrumentation: ",
    "culprit: ",
    "detailed results: ",
    "fix commit: ",
    "low confidence",
    "retest",
    "unable to determine the verdict: ",
    "warning: unable to access ",
];

/// The starts of lines about a flaky reproducer.
const FLAKY: &[&str] = &[
    "reproducer seems to be flaky",
    "Reproducer flagged being flaky",
    "reproducer is flaky",
    "the reproducer is flaky",
];

/// The starts of lines about a crash on the last commit that can be tested.
const OPEN_ENDED: &[&str] = &[
    "the crash already happened on the oldest tested release",
    "oldest tested release already had the bug",
    "crash still not fixed",
    "the crash still happens on HEAD",
    "still crashes HEAD",
];

/// Parses a line of syzkaller or git.
pub(super) fn line(text: &[u8]) -> Option<Line<'_>> {
    // Most lines of a log are runs.
    let read = alt((
        alt((run, commit, tested, git, subject)),
        alt((head, named, footer, signatures)),
        alt((remark, hash)),
    ));
    all_consuming(read).parse(text).ok().map(|(_, line)| line)
}

/// Parses a line of the named commit.
pub(super) fn commit_line(text: &[u8]) -> Option<CommitLine<'_>> {
    let stat = terminated(verify(path, |p: &[u8]| !p.is_empty()), (space1, tag("|"), rest));
    let mode = preceded(
        (space1, alt((tag("create"), tag("delete"))), tag(" mode "), digit1, space1),
        path,
    );
    // git diff --raw: `:100644 100644 OLD NEW M       path`, or with mode 040000 a directory.
    let raw = preceded((char(':'), take_until("\t"), char('\t')), rest);
    let read = alt((
        map(preceded(tag("    "), rest), CommitLine::Message),
        map(preceded(space1, stat), CommitLine::File),
        map(mode, CommitLine::File),
        map(raw, CommitLine::File),
        map(preceded(pair(tag("Author:"), space0), rest), CommitLine::Author),
        map(preceded(pair(tag("Date:"), space0), rest), CommitLine::Date),
        value(CommitLine::Merge, pair(tag("Merge: "), rest)),
        value(CommitLine::Known, (tag("commit "), id)),
        value(CommitLine::Known, (space1, digit1, tag(" file"), rest)),
        value(
            CommitLine::Known,
            (space1, alt((tag("rename "), tag("rewrite "), tag("copy "))), rest),
        ),
        value(CommitLine::Known, (space1, tag("mode change "), rest)),
    ));
    all_consuming(read).parse(text).ok().map(|(_, line)| line)
}

fn path(text: &[u8]) -> Parsed<'_, &[u8]> {
    take_till1(|b: u8| b.is_ascii_whitespace()).parse(text)
}

/// A commit or a tag.
fn id(text: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/'))
        .parse(text)
}

/// A commit by its hash, which may be abbreviated.
fn hash_of(text: &[u8]) -> Parsed<'_, &[u8]> {
    verify(take_while1(|b: u8| b.is_ascii_hexdigit()), |hash: &[u8]| hash.len() >= 12).parse(text)
}

fn head(text: &[u8]) -> Parsed<'_, Line<'_>> {
    alt((
        map(preceded(tag("bisecting cause commit starting from "), id), |c| {
            Line::Head(Search::Cause, c)
        }),
        map(preceded(tag("bisecting fixing commit since "), id), |c| Line::Head(Search::Fix, c)),
        map(preceded(tag("building syzkaller on "), rest), Line::Syzkaller),
        map(recognize((take_until(" starts bisection "), rest)), Line::Manager),
    ))
    .parse(text)
}

fn commit(text: &[u8]) -> Parsed<'_, Line<'_>> {
    // Old logs name the compiler as `with gcc (GCC) 8.1.0`, later ones as `gcc`, and new ones on a
    // line of its own.
    let compiler = preceded((space1, opt(tag("with "))), rest);
    map(preceded(tag("testing commit "), pair(id, opt(compiler))), |(commit, compiler)| {
        Line::Commit(commit, compiler)
    })
    .parse(text)
}

fn tested(text: &[u8]) -> Parsed<'_, Line<'_>> {
    alt((
        map(preceded(tag("kernel signature: "), rest), Line::Signature),
        map(preceded(tag("compiler: "), rest), Line::Compiler),
        map(preceded(tag("testing release "), id), Line::Release),
    ))
    .parse(text)
}

fn run(text: &[u8]) -> Parsed<'_, Line<'_>> {
    let number =
        alt((map(delimited(tag("run #"), u32, tag(": ")), Some), value(None, tag("all runs: "))));
    map(pair(number, rest), |(number, text): (_, &[u8])| {
        let ended = OUTCOMES.iter().find_map(|(start, outcome)| {
            text.strip_prefix(start.as_bytes()).map(|title| (*outcome, Some(title)))
        });
        let (outcome, title) = match ended {
            _ if text == b"OK" => (Outcome::Ok, None),
            Some(ended) => ended,
            None => (Outcome::Infrastructure, Some(text)),
        };
        Line::Run(number, outcome, title)
    })
    .parse(text)
}

fn git(text: &[u8]) -> Parsed<'_, Line<'_>> {
    let verdict = alt((
        value(Verdict::Good, tag("good ")),
        value(Verdict::Bad, tag("bad ")),
        value(Verdict::Skip, tag("skip ")),
    ));
    let command = alt((
        map(preceded(tag("start "), separated_pair(id, space1, id)), |(bad, good)| {
            Line::Start(bad, good)
        }),
        map(pair(verdict, id), |(verdict, commit)| Line::Verdict(verdict, commit)),
    ));
    let left = (tag(" revision"), opt(char('s')), tag(" left to test after this"), rest);
    alt((
        preceded(tag("# git bisect "), command),
        map(preceded(tag("Bisecting: "), terminated(u64, left)), Line::Left),
    ))
    .parse(text)
}

fn subject(text: &[u8]) -> Parsed<'_, Line<'_>> {
    map((delimited(char('['), hash_of, char(']')), space0, rest), |(commit, _, subject)| {
        Line::Subject(commit, subject)
    })
    .parse(text)
}

fn named(text: &[u8]) -> Parsed<'_, Line<'_>> {
    let which = || alt((tag("bad"), tag("good"), tag("new"), tag("fixed")));
    alt((
        map(terminated(hash_of, (tag(" is the first "), which(), tag(" commit"))), Line::First),
        map(
            preceded((tag("first "), which(), tag(" commit: ")), (hash_of, space0, rest)),
            |(commit, _, subject)| Line::Named(commit, subject),
        ),
        value(
            Line::Candidates,
            (
                opt(tag("bisection is inconclusive, ")),
                alt((tag("The first "), tag("the first "))),
                which(),
                tag(" commit could be any of:"),
            ),
        ),
    ))
    .parse(text)
}

fn signatures(text: &[u8]) -> Parsed<'_, Line<'_>> {
    let signature = |name| preceded((tag(name), space1, tag("signature: ")), rest);
    alt((
        map(signature("culprit"), Line::CulpritSignature),
        map(signature("parent"), Line::ParentSignature),
        map(delimited(tag("parent commit "), id, (tag(" wasn't tested"), rest)), Line::Untested),
    ))
    .parse(text)
}

fn footer(text: &[u8]) -> Parsed<'_, Line<'_>> {
    let copied = alt((tag("recipients (cc): "), tag("cc: ")));
    let to = alt((tag("recipients (to): "), tag("to: ")));
    alt((
        map(totals, Line::Totals),
        map(preceded(to, list), Line::Recipients),
        map(preceded(copied, list), Line::Copied),
        map(preceded(tag("error: "), rest), Line::Error),
        map(preceded(tag("crash: "), rest), Line::Crash),
    ))
    .parse(text)
}

fn remark(text: &[u8]) -> Parsed<'_, Line<'_>> {
    let known = [(FLAKY, Line::Flaky), (OPEN_ENDED, Line::OpenEnded), (REMARKS, Line::Remark)];
    map_opt(rest, |text: &[u8]| {
        let starts =
            |starts: &[&str]| starts.iter().any(|start| text.starts_with(start.as_bytes()));
        known.iter().find(|(table, _)| starts(table)).map(|(_, line)| line.clone())
    })
    .parse(text)
}

fn hash(text: &[u8]) -> Parsed<'_, Line<'_>> {
    map(hash_of, Line::Hash).parse(text)
}

/// `["a" "b"]`, as Go prints a list of quoted words.
fn list(text: &[u8]) -> Parsed<'_, Vec<&[u8]>> {
    let word = delimited(char('"'), take_while(|b| b != b'"'), char('"'));
    delimited(char('['), many0(terminated(word, space0)), (char(']'), not_line_ending)).parse(text)
}

fn totals(text: &[u8]) -> Parsed<'_, Totals> {
    map(
        (
            preceded(tag("revisions tested: "), u64),
            preceded(tag(", total time: "), duration),
            preceded(tag(" (build: "), duration),
            delimited(tag(", test: "), duration, (tag(")"), rest)),
        ),
        |(revisions, total, build, test)| Totals { revisions, total, build, test },
    )
    .parse(text)
}

/// `3h49m38.236199196s`, as Go prints a duration.
fn duration(text: &[u8]) -> Parsed<'_, Duration> {
    let whole =
        map_opt(digit1, |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
    // Go prints at most nine digits. The quotient is the number that parsing returns, without its tables.
    let fraction = map(preceded(char('.'), digit1), |digits: &[u8]| {
        let digits = digits.get(..9).unwrap_or(digits).iter().map(|digit| u32::from(digit & 15));
        let (value, scale) =
            digits.fold((0, 1), |(value, scale), digit| (value * 10 + digit, scale * 10));
        f64::from(value) / f64::from(scale)
    });
    let unit = alt((
        value(0.001, tag("ms")),
        value(1e-6, tag("µs".as_bytes())),
        value(1e-9, tag("ns")),
        value(3600.0, tag("h")),
        value(60.0, tag("m")),
        value(1.0, tag("s")),
    ));
    let part = map((whole, opt(fraction), unit), |(whole, fraction, unit)| {
        // A duration of years is a damaged line.
        let whole = u32::try_from(whole).unwrap_or(u32::MAX);
        (f64::from(whole) + fraction.unwrap_or(0.0)) * unit
    });
    map(verify(many0(part), |parts: &Vec<f64>| !parts.is_empty()), |parts| {
        Duration::try_from_secs_f64(parts.iter().sum()).unwrap_or(Duration::MAX)
    })
    .parse(text)
}
