//! Bisections: parsing of logs, and audits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]

mod bisection;

use bisection::{Chance, World};
use ksplat::bisect::{
    self, Audit, AuditOptions, Bisection, DoubtFeature, Outcome, Search, Tie, Trust, Verdict,
};

const SEED: &str = include_str!("bisections/003_36161d8f652fb016.txt");

/// Every line that syzkaller prints, in its older and newer versions.
const WHOLE: &str = "\
ci starts bisection 2022-11-03 22:56:40.495125372 +0000 UTC m=+11726.045454230
bisecting cause commit starting from <1>
building syzkaller on <29>
ensuring issue is reproducible on original commit <1>

testing commit <1>
compiler: gcc (GCC) 10.2.1 20210217, GNU ld (GNU Binutils for Debian) 2.35.2
kernel signature: aa01
run #0: crashed: WARNING in foo_write
run #1: crashed: WARNING in foo_write
run #2: OK
reproducer is flaky (0.66 repro chance estimate)
testing release v5.16
testing commit <2> with gcc (GCC) 8.1.0
kernel signature: aa02
all runs: OK
# git bisect start <1> <2>
Bisecting: 11 revisions left to test after this (roughly 4 steps)
[<3>] foo: a merge
testing commit <3>
failed to run [\"make\" \"bzImage\"]: exit status 2
error: linking with `cc` failed
status: 7
elf.c:135:2: error: 'elf_getshnum' is deprecated
<9>
make: *** [Makefile:2] Error 2
# git bisect skip <3>
Bisecting: 8 revisions left to test after this (roughly 4 steps)
[<6>] foo: poll
testing commit <6> gcc
compiler: gcc (Debian 10.2.1-6) 10.2.1 20210110
all runs: OK
# git bisect good <6>
Bisecting: 5 revisions left to test after this (roughly 3 steps)
[<4>] foo: write
testing commit <4>
kernel signature: aa04
run #0: basic kernel testing failed: failed to copy test binary to VM: exit status 1
ssh: connect to host 10.128.15.201 port 22: Connection timed out
lost connection

run #1: boot failed: can't ssh into the instance
run #2: crashed: WARNING in foo_write
run #3: infra problem: no machine
run #4: something that is not known
# git bisect bad <4>
<4> is the first bad commit
commit <4>
Author: A U Thor <author@example.com>
Date:   Sun Aug 15 10:40:26 2021 +0100

    foo: write

    It is faster so.

    Signed-off-by: A U Thor <author@example.com>

 .../net/wireless/foo.c | 21 ++++++++++++++++++---
 fs/foo.c               |  2 +-
 2 files changed, 20 insertions(+), 3 deletions(-)
 create mode 100644 include/linux/foo.h
:040000 040000 c837ab73892a2d54196968f50cd683027d4acccf 77c6842471d3e88b7463614ee74c50818e08bbb3 M	mm

parent commit <5> wasn't tested
testing commit <5>
kernel signature: aa05
culprit signature: aa04
parent  signature: aa05
Reproducer flagged being flaky
revisions tested: 5, total time: 1h2m3.5s (build: 1h0m0s, test: 2m3.5s)
first bad commit: <4> foo: write
recipients (to): [\"author@example.com\" \"list@example.com\"]
recipients (cc): [\"linux-kernel@vger.kernel.org\"]
a line that nobody knows
crash: WARNING in foo_write
------------[ cut here ]------------
WARNING: CPU: 0 PID: 9 at fs/foo.c:7 foo_write+0x10/0x20 fs/foo.c:7
RIP: 0010:foo_write+0x10/0x20 fs/foo.c:7
Call Trace:
 vfs_write+0x1/0x2 fs/read_write.c:1
";

#[test]
fn every_line_is_understood() {
    let text = with_commits(WHOLE);
    let log = bisect::parse(text.as_bytes()).unwrap();
    assert_eq!(log.search, Search::Cause);
    assert_eq!(log.original.as_deref(), Some(&*commit(1)));
    assert_eq!(log.syzkaller.as_deref(), Some(&*commit(29)));
    assert!(log.manager.as_deref().unwrap().starts_with("ci starts bisection 2022"));
    assert_eq!(log.ends, Some((commit(1).into(), commit(2).into())));
    assert_eq!(log.remarks.len(), 1, "{:?}", log.remarks);
    assert_eq!((log.unknown_lines, &*log.unknown[0]), (1, "a line that nobody knows"));
    assert!(log.flaky && !log.open_ended);

    let [first, release, broken, between, bad] = log.steps.as_slice() else {
        panic!("{:#?}", log.steps)
    };
    assert!(first.compiler.as_deref().unwrap().contains("10.2.1"));
    assert_eq!((first.count(Outcome::Crashed), first.count(Outcome::Ok)), (2, 1));
    assert_eq!(release.release.as_deref(), Some("v5.16"));
    assert_eq!(release.compiler.as_deref(), Some("gcc (GCC) 8.1.0"));
    assert_eq!(release.count(Outcome::Ok), bisect::ALL_RUNS);
    let failure = broken.failure.as_deref().unwrap();
    assert!(failure.starts_with("failed to run") && failure.ends_with("Error 2"), "{failure}");
    assert_eq!((broken.verdict, broken.revisions_left), (Some(Verdict::Skip), Some(11)));
    assert!(between.compiler.as_deref().unwrap().contains("Debian"));
    assert_eq!((between.verdict, between.count(Outcome::Ok)), (Some(Verdict::Good), 10));
    assert_eq!((log.error.as_deref(), bad.subject.as_deref()), (None, Some("foo: write")));
    let outcomes: Vec<_> = bad.runs.iter().map(|run| run.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::TestFailed,
            Outcome::BootFailed,
            Outcome::Crashed,
            Outcome::Infrastructure,
            Outcome::Infrastructure
        ]
    );
    let detail = bad.runs[0].detail.as_deref().unwrap();
    assert!(detail.starts_with("ssh:") && detail.ends_with("lost connection"), "{detail}");
    assert_eq!(bad.runs[4].title.as_deref(), Some("something that is not known"));
    // The parent is built, not tested.
    let parent = log.untested_parent.as_ref().unwrap();
    assert_eq!((&*parent.commit, parent.signature.as_deref()), (&*commit(5), Some("aa05")));

    let culprit = log.culprit.as_ref().unwrap();
    assert_eq!((&*culprit.commit, culprit.subject.as_deref()), (&*commit(4), Some("foo: write")));
    assert_eq!(culprit.files, [".../net/wireless/foo.c", "fs/foo.c", "include/linux/foo.h", "mm"]);
    assert!(culprit.author.as_deref().unwrap().starts_with("A U Thor"));
    assert_eq!(culprit.message[0], "It is faster so.");
    assert!(!culprit.merge && !culprit.changes_nothing());
    let totals = log.totals.unwrap();
    assert_eq!(
        (totals.revisions, totals.total.as_millis(), totals.test.as_millis()),
        (5, 3_723_500, 123_500)
    );
    assert_eq!(log.recipients, ["author@example.com", "list@example.com"]);
    assert_eq!(log.copied, ["linux-kernel@vger.kernel.org"]);
    assert_eq!(log.crash.as_deref(), Some("WARNING in foo_write"));
    let report = log.report.as_ref().unwrap();
    assert_eq!(report.title(), "WARNING in foo_write");
    assert!(text[report.span.start..].starts_with("WARNING: CPU: 0"), "{:?}", report.span);
}

#[test]
fn the_step_that_a_flake_decided_is_read_as_good() {
    let log = bisect::parse(SEED.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.trust, Trust::Wrong);
    assert_eq!(audit.first_doubtful, audit.culprit);
    assert!(audit.audited.culprit.as_deref().unwrap().starts_with("69879c01a0c3"));
    assert_eq!(audit.audited.revisions_left, Some(0));
    assert!(audit.audited.resume.is_empty());
    let step = audit.steps.iter().find(|step| step.verdict != step.audited_verdict).unwrap();
    assert_eq!((step.verdict, step.audited_verdict), (Verdict::Bad, Verdict::Good));
    let related = step.related.as_ref().unwrap();
    assert_eq!(related.tie, Tie::Class);
    assert!(related.score < bisect::UNRELATED && step.rate.hits == 0 && step.rate.runs == 9);
    assert_eq!((audit.original.rate.hits, audit.original.rate.runs), (98, 98));
}

#[test]
fn unparsed_parts_are_reported() {
    let text = with_commits(WHOLE);
    let log = bisect::parse(text.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!((audit.unknown_lines, audit.missing.len()), (1, 0), "{:?}", audit.missing);
    // A commit that no step of the log supports.
    let named =
        with_commits("bisecting cause commit starting from <1>\n<4> is the first bad commit\n");
    let log = bisect::parse(named.as_bytes()).unwrap();
    assert_eq!(audited(&log).trust, Trust::Doubtful);
}

/// A search with a crash that occurs in some of the runs.
fn search(first: &str, good: &str, last: &str) -> String {
    with_commits(&format!(
        "bisecting cause commit starting from <1>\n\
         testing commit <1>\n{first}\
         testing release v5.6\ntesting commit <2>\n{good}\
         # git bisect start <1> <2>\n\
         Bisecting: 7 revisions left to test after this (roughly 3 steps)\n\
         [<3>] mm: one\ntesting commit <3>\n{last}"
    ))
}

fn runs(crashed: &str, hits: usize, of: usize) -> String {
    let run = |number| {
        let ended = if number < hits { format!("crashed: {crashed}") } else { "OK".into() };
        format!("run #{number}: {ended}\n")
    };
    (0..of).map(run).collect()
}

#[test]
fn a_commit_that_passed_few_runs_is_skipped() {
    let rare = runs("WARNING in foo_write", 2, 10);
    let log = search(&rare, &runs("", 0, 10), "all runs: OK\n# git bisect good <3>\n");
    let log = with_commits(&log);
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.steps[2].audited_verdict, Verdict::Skip);
    let missed = 1.0 - audit.steps[2].confidence.unwrap();
    assert!((0.15..0.25).contains(&missed), "{missed}");
    // Two passed commits are less likely to have both passed by chance.
    assert_eq!(audit.steps[1].audited_verdict, Verdict::Good);
    assert_eq!(audit.trust, Trust::Doubtful);
    assert_eq!(audit.audited.revisions_left, None);
    assert_eq!(
        audit.audited.resume,
        [
            format!("git bisect start {} {}", &commit(1)[..12], &commit(2)[..12]),
            format!("git bisect skip {}", &commit(3)[..12])
        ]
    );
}

#[test]
fn a_later_crash_confirms_a_step() {
    let always = "all runs: crashed: WARNING in foo_write\n";
    let flake = runs("KASAN: use-after-free Read in bar_poll", 1, 10);
    let middle = format!(
        "{flake}# git bisect bad <3>\n\
         Bisecting: 3 revisions left to test after this (roughly 2 steps)\n\
         [<4>] mm: two\ntesting commit <4>\n{always}# git bisect bad <4>\n"
    );
    let log = with_commits(&search(always, "all runs: OK\n", &middle));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.trust, Trust::Sound);
    assert_eq!(audit.steps[2].audited_verdict, Verdict::Bad);
    assert!(audit.steps[2].why.contains("confirms"), "{}", audit.steps[2].why);
}

#[test]
fn a_commit_with_other_crashes_only_is_no_evidence() {
    let other = "all runs: crashed: KASAN: use-after-free Read in bar_poll\n# git bisect bad <3>\n";
    let always = "all runs: crashed: WARNING in foo_write\n";
    let log = with_commits(&search(always, "all runs: OK\n", other));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.steps[2].audited_verdict, Verdict::Skip);
    assert_eq!((audit.trust, audit.audited.revisions_left), (Trust::Doubtful, None));
}

#[test]
fn a_run_with_another_crash_is_no_evidence() {
    let mixed = "run #0: crashed: WARNING in foo_write\nrun #1: crashed: WARNING in foo_write\n\
                 run #2: crashed: BUG: bad unlock balance in a_x\n\
                 run #3: crashed: possible deadlock in b_x\nrun #4: crashed: WARNING in c_x\n\
                 run #5: crashed: KASAN: use-after-free Read in d_x\nrun #6: OK\nrun #7: OK\n\
                 run #8: crashed: memory leak in e_x\nrun #9: crashed: INFO: task hung in f_x\n";
    let log =
        with_commits(&search(mixed, "all runs: OK\n", "all runs: OK\n# git bisect good <3>\n"));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.original.titles, ["WARNING in foo_write"]);
    assert_eq!((audit.original.rate.hits, audit.original.rate.runs), (2, 4));
    assert_eq!(audit.steps[0].others.len(), 6);
}

#[test]
fn a_flake_beside_the_crash_is_not_the_crash() {
    let flake = "general protection fault in batadv_iv_ogm_queue_add";
    let first = runs("WARNING in foo_write", 8, 8)
        + &format!("run #8: crashed: {flake}\nrun #9: crashed: {flake}\n");
    let log = with_commits(&search(
        &first,
        "all runs: OK\n",
        &(runs(flake, 1, 10) + "# git bisect bad <3>\n"),
    ));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.original.titles, ["WARNING in foo_write"]);
    assert_eq!(audit.steps[2].related.as_ref().unwrap().tie, Tie::Together);
    assert_ne!(audit.steps[2].audited_verdict, Verdict::Bad);
}

#[test]
fn after_a_skip_gits_number_is_of_another_commit() {
    let always = "all runs: crashed: WARNING in foo_write\n";
    let flake = runs("KASAN: use-after-free Read in bar_poll", 1, 10);
    let skipped = format!(
        "all runs: boot failed: no output\n# git bisect skip <3>\n\
         Bisecting: 0 revisions left to test after this (roughly 1 step)\n\
         [<4>] mm: two\ntesting commit <4>\n{flake}# git bisect bad <4>\n\
         <4> is the first bad commit\n"
    );
    let log = with_commits(&search(always, "all runs: OK\n", &skipped));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.trust, Trust::Wrong);
    assert_eq!((audit.audited.revisions_left, audit.audited.culprit.as_deref()), (None, None));
    assert_eq!(audit.audited.good.as_deref(), Some(&*commit(4)));
}

#[test]
fn a_log_without_its_head_names_the_most_frequent_crash() {
    let at = SEED.find("# git bisect start").unwrap();
    let log = bisect::parse(&SEED.as_bytes()[at..]).unwrap();
    let audit = audited(&log);
    assert!(audit.original.titles[0].ends_with("fsnotify_detach_connector_from_object"));
    assert_eq!(audit.trust, Trust::Wrong);
    assert!(audit.audited.culprit.as_deref().unwrap().starts_with("69879c01a0c3"));
}

#[test]
fn titles_take_linear_time() {
    // Comparing each word with each other would take hours.
    let name = |prefix: &str| {
        let words: Vec<String> = (0..200_000).map(|n| format!("{prefix}{n}")).collect();
        words.join("_")
    };
    let first = format!("all runs: crashed: WARNING in {}\n", name("a"));
    let other = format!("all runs: crashed: WARNING at {}\n# git bisect bad <3>\n", name("b"));
    let log = with_commits(&search(&first, "all runs: OK\n", &other));
    let log = bisect::parse(log.as_bytes()).unwrap();
    assert_eq!(audited(&log).steps.len(), 3);
}

#[test]
fn a_fix_is_searched_on_the_other_side() {
    let log = with_commits(
        "bisecting fixing commit since <1>\n\
         testing commit <1>\nall runs: crashed: WARNING in foo_write\n\
         testing current HEAD <2>\ntesting commit <2>\nall runs: OK\n\
         # git bisect start <2> <1>\n\
         Bisecting: 7 revisions left to test after this (roughly 3 steps)\n\
         [<3>] mm: one\ntesting commit <3>\n\
         run #0: OK\nrun #1: crashed: KASAN: use-after-free Read in bar_poll\nrun #2: OK\n\
         run #3: OK\nrun #4: OK\nrun #5: OK\nrun #6: OK\nrun #7: OK\nrun #8: OK\nrun #9: OK\n\
         # git bisect good <3>\n\
         Bisecting: 3 revisions left to test after this (roughly 2 steps)\n\
         [<4>] mm: two\ntesting commit <4>\nall runs: OK\n# git bisect bad <4>\n\
         <4> is the first bad commit\n",
    );
    let log = bisect::parse(log.as_bytes()).unwrap();
    assert_eq!(log.search, Search::Fix);
    let audit = audited(&log);
    assert_eq!(
        (audit.steps[2].verdict, audit.steps[2].audited_verdict),
        (Verdict::Good, Verdict::Bad)
    );
    assert_eq!(audit.trust, Trust::Wrong);
    assert_eq!(audit.audited.bad.as_deref(), Some(&*commit(3)));
    assert_eq!(audit.audited.good.as_deref(), Some(&*commit(1)));
    // The number that git printed assumes that the commit is good.
    assert_eq!((audit.audited.revisions_left, audit.audited.culprit.as_deref()), (None, None));
}

#[test]
fn a_tree_has_the_number_of_remaining_commits() {
    let other = runs("KASAN: use-after-free Read in bar_poll", 1, 10) + "# git bisect bad <3>\n";
    let always = "all runs: crashed: WARNING in foo_write\n";
    let log = with_commits(&search(always, "all runs: OK\n", &other));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let mut audit = audited(&log);
    assert_eq!((audit.audited.revisions_left, audit.audited.culprit.as_deref()), (Some(7), None));
    assert_eq!(audit.audited.goods, [commit(2), commit(3)]);
    audit.audited.settle(6);
    assert_eq!((audit.audited.revisions_left, audit.audited.culprit.as_deref()), (Some(6), None));
    audit.audited.settle(0);
    // No commit is left except the one with which the search began.
    assert_eq!((&audit.audited.culprit, &audit.audited.bad), (&None, &Some(commit(1).into())));
    assert!(audit.audited.contradiction.is_some() && audit.audited.resume.is_empty());
}

#[test]
fn a_search_that_ends_at_a_merge_or_a_release_is_a_contradiction() {
    let always = "all runs: crashed: WARNING in foo_write\n";
    let flake = runs("KASAN: use-after-free Read in bar_poll", 1, 10);
    let search = |subject: &str| {
        with_commits(&format!(
            "bisecting cause commit starting from <1>\ntesting commit <1>\n{always}\
             testing release v5.16\ntesting commit <2>\nall runs: OK\n# git bisect start <1> <2>\n\
             Bisecting: 1 revisions left to test after this (roughly 1 steps)\n[<3>] {subject}\n\
             testing commit <3>\n{always}# git bisect bad <3>\n\
             Bisecting: 0 revisions left to test after this (roughly 0 steps)\n[<4>] foo: poll\n\
             testing commit <4>\n{flake}# git bisect bad <4>\n<4> is the first bad commit\n"
        ))
    };
    for (subject, reason) in [
        ("Merge tag 'foo-5.17' of git://example.com/foo", Some("a merge")),
        ("Linux 5.17-rc1", Some("a release, which changes only the version")),
        ("foo: write", None),
    ] {
        let text = search(subject);
        let log = bisect::parse(text.as_bytes()).unwrap();
        let audit = audited(&log);
        assert_eq!(audit.trust, Trust::Wrong);
        assert_eq!(audit.audited.contradiction, reason, "{subject}");
        let named = reason.is_none().then(|| commit(3).into());
        assert_eq!(audit.audited.culprit, named, "{subject}");
    }
}

#[test]
fn a_machine_that_failed_is_not_the_crash_under_bisection() {
    let failures = [
        "no output from test machine",
        "lost connection to test machine",
        "SYZFAIL: wrong response packet",
        "SYZFATAL: executor failed",
    ];
    for failure in failures {
        let first = runs(failure, 7, 7) + "run #7: crashed: WARNING in foo_write\n";
        let text = with_commits(&search(&first, "all runs: OK\n", "all runs: OK\n"));
        let log = bisect::parse(text.as_bytes()).unwrap();
        assert_eq!(audited(&log).original.titles, ["WARNING in foo_write"], "{failure}");
        // Without another title in the log it is used.
        let text = with_commits(&search(&runs(failure, 7, 7), "all runs: OK\n", "all runs: OK\n"));
        let log = bisect::parse(text.as_bytes()).unwrap();
        assert_eq!(audited(&log).original.titles, [failure]);
    }
}

#[test]
fn clues_of_the_commit_are_found() {
    let clues = |subject: &str, file: &str, compiler: &str| {
        let always = "all runs: crashed: WARNING in foo_write\n";
        let end = format!(
            "{always}# git bisect bad <3>\n<3> is the first bad commit\ncommit <3>\n\n\
             \x20   {subject}\n\n {file} | 2 +-\n"
        );
        let text = search(always, "all runs: OK\n", &end)
            .replace(
                &format!("{}\nall runs: OK", commit(2)),
                &format!("{} with {compiler}\nall runs: OK", commit(2)),
            )
            .replace(
                &format!("{}\nall runs: crashed", commit(1)),
                &format!("{} with gcc (GCC) 8.1.0\nall runs: crashed", commit(1)),
            );
        let text = with_commits(&text);
        let log = bisect::parse(text.as_bytes()).unwrap();
        let audit = audited(&log);
        assert!(audit.p_wrong.is_some() && audit.p_wrong == audit.doubt);
        audit.doubts.iter().map(|doubt| doubt.clue).collect::<Vec<_>>()
    };
    let same = "gcc (GCC) 8.1.0";
    assert!(!clues("mm: one", "mm/slub.c", same).contains(&DoubtFeature::Unbuilt));
    assert!(!clues("mm: one", "mm/slub.c", same).contains(&DoubtFeature::Compiler));
    for file in ["tools/perf/a.c", "Documentation/a.rst", "arch/arm64/mm/fault.c", "MAINTAINERS"] {
        assert!(clues("mm: one", file, same).contains(&DoubtFeature::Unbuilt), "{file}");
    }
    assert!(clues("Linux 5.7-rc1", "Makefile", same).contains(&DoubtFeature::Release));
    assert!(clues("mm: one", "mm/slub.c", "gcc (GCC) 5.5.0").contains(&DoubtFeature::Compiler));
}

#[test]
fn crashes_are_related_by_titles_stacks_and_company() {
    let tie = |title: &str| {
        let other = format!("all runs: crashed: {title}\n# git bisect bad <3>\n");
        let first = "run #0: crashed: WARNING in io_wqe_enqueue\n\
                     run #1: crashed: WARNING in io_wqe_enqueue\n\
                     run #2: crashed: WARNING in io_wqe_enqueue\n\
                     run #3: crashed: WARNING in io_wqe_enqueue\n\
                     run #4: crashed: WARNING in io_wqe_enqueue\n\
                     run #5: crashed: WARNING in io_wqe_enqueue\n\
                     run #6: crashed: INFO: task hung in blkdev_put\n";
        let log = with_commits(&search(first, "all runs: OK\n", &other));
        let log = bisect::parse(log.as_bytes()).unwrap();
        audited(&log).steps[2].related.as_ref().map(|related| related.tie).unwrap()
    };
    assert_eq!(tie("WARNING in io_wqe_enqueue"), Tie::Title);
    assert_eq!(tie("KASAN: use-after-free Read in __io_wqe_enqueue"), Tie::Function);
    assert_eq!(tie("INFO: task hung in blkdev_put"), Tie::Together);
    assert_eq!(tie("general protection fault in io_ring_exit_work"), Tie::Subsystem);
    assert_eq!(tie("general protection fault in blk_wqe"), Tie::Word);
    assert_eq!(tie("WARNING in kvm_wait"), Tie::Class);
    assert_eq!(tie("possible deadlock in kvm_wait"), Tie::Nothing);

    // The stack of the last crash is at the end of the log.
    let other = "all runs: crashed: WARNING in bar_wake\n# git bisect bad <3>\ncrash: WARNING in bar_wake\n\
                 WARNING: CPU: 1 PID: 7 at fs/bar.c:280 bar_wake+0x430/0x4a0\n\
                 RIP: 0010:bar_wake+0x430/0x4a0\nCall Trace:\n foo_write+0x166/0x700\n vfs_write+0x1/0x2\n";
    let log =
        with_commits(&search("all runs: crashed: WARNING in foo_write\n", "all runs: OK\n", other));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.steps[2].related.as_ref().unwrap().tie, Tie::Stack);

    // With a report of the crash under bisection stacks are compared.
    let own = b"WARNING: CPU: 1 PID: 7 at fs/bar.c:244 bar_wake+0x430/0x4c0\n\
                RIP: 0010:bar_wake+0x430/0x4c0\nCall Trace:\n foo_write+0x160/0x700\n";
    let report = ksplat::reports(own).next().unwrap();
    let options =
        AuditOptions::default().with_title(Some("WARNING in another")).with_report(Some(&report));
    let audit = bisect::audit(&log, options);
    assert_eq!(audit.original.titles, ["WARNING in another"]);
    assert_eq!(audit.steps[2].related.as_ref().unwrap().tie, Tie::Signature);
}

#[test]
fn features_against_a_commit_are_printed() {
    let always = "all runs: crashed: WARNING in foo_write\n";
    let end = format!(
        "{always}# git bisect bad <3>\n<3> is the first bad commit\ncommit <3>\nMerge: aa bb\n\n\
         \x20   mm: one\n\n mm/Kconfig | 2 +-\n\
         culprit signature: aa\nparent  signature: aa\nreproducer seems to be flaky\n\
         revisions tested: 3, total time: 1h (build: 1h, test: 1h)\n"
    );
    let log = with_commits(&search(always, "all runs: OK\n", &end));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    let clues: Vec<_> = audit.doubts.iter().map(|doubt| doubt.clue).collect();
    for clue in [
        DoubtFeature::Merge,
        DoubtFeature::Configuration,
        DoubtFeature::SameKernel,
        DoubtFeature::Flaky,
    ] {
        assert!(clues.contains(&clue), "{clues:?}");
    }
    assert_eq!(audit.trust, Trust::Doubtful);
    // The release that bounds the search most likely passed for another reason.
    assert_eq!(audit.first_doubtful.as_deref(), Some(&*commit(2)));
    assert!(audit.doubt.unwrap() > 0.9);
    assert!(audit.missing.is_empty(), "{:?}", audit.missing);
}

#[test]
fn a_truncated_log_is_reported_and_audited() {
    let text = with_commits(WHOLE);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let head = &text[..at];
        if let Ok(log) = bisect::parse(head.as_bytes()) {
            let audit = audited(&log);
            assert!(!audit.missing.is_empty() || log.totals.is_some(), "{head}");
        } else {
            assert!(at < 200, "{head}");
        }
        // A log cut at its start is parsed, and its first line is reported missing.
        if let Ok(log) = bisect::parse(&text.as_bytes()[at..]) {
            let audit = audited(&log);
            assert_eq!(
                log.original.is_none(),
                audit.missing.contains(&"its first line".to_owned())
            );
        }
    }
    for log in ["", "hello\n", "WARNING: CPU: 0 PID: 9 at fs/foo.c:7\n"] {
        assert!(bisect::parse(log.as_bytes()).is_err());
    }
    let orders = ["# git bisect bad <3>\n", "run #0: OK\n", "crash: x\n", "all runs: OK\n"];
    for order in orders {
        let log = with_commits(&format!("{order}testing commit <1>\n{order}{order}"));
        let log = bisect::parse(log.as_bytes());
        assert!(log.is_err() == order.starts_with("crash"), "{order}");
    }
}

#[test]
fn a_hundred_thousand_runs_are_as_good_as_ten() {
    let mut log = with_commits(
        "bisecting cause commit starting from <1>\ntesting commit <1>\n\
         all runs: crashed: WARNING in foo_write\ntesting commit <2>\n",
    );
    log.push_str(&runs("WARNING in foo_write\u{1b}[31m", 1, 100_000));
    let log = bisect::parse(log.as_bytes()).unwrap();
    let audit = audited(&log);
    assert_eq!(audit.steps[1].runs.len(), 100_000);
    assert_eq!(audit.steps[1].decided_by, "WARNING in foo_write\u{1b}[31m");
}

fn audited<'a>(log: &'a Bisection<'a>) -> Audit<'a> {
    bisect::audit(log, AuditOptions::default())
}

#[test]
fn simulated_bisections_are_judged_as_the_truth_is() {
    let mut chance = Chance(1);
    let (mut misled, mut flagged) = (0, 0);
    let (mut right, mut called_wrong) = (0, 0);
    let (mut own, mut own_right) = (0, 0);
    let mut count = 0;
    while count < 4000 {
        let Some(printed) = World::new(&mut chance).bisect(&mut chance) else { continue };
        count += 1;
        let log = bisect::parse(printed.log.as_bytes()).unwrap();
        assert!(log.unknown.is_empty(), "{:?}", log.unknown);
        let audit = audited(&log);
        assert_eq!(audit.culprit.as_deref(), Some(&*printed.named));
        if printed.named == printed.truth {
            right += 1;
            called_wrong += usize::from(audit.trust == Trust::Wrong);
        } else if printed.misled {
            misled += 1;
            flagged += usize::from(audit.trust != Trust::Sound);
        }
        // In this simulation the last commit may be the first with the bug.
        let replayed = audit.audited;
        let end = replayed.bad.filter(|_| replayed.contradiction.is_some()).or(replayed.culprit);
        if let Some(named) = end.filter(|named| **named != printed.named) {
            own += 1;
            own_right += usize::from(named == printed.truth);
        }
    }
    assert!(misled > 1000 && right > 1000 && own > 20, "{misled} {right} {own}");
    assert!(flagged * 100 >= misled * 95, "{flagged} of {misled}");
    assert!(called_wrong * 100 <= right, "{called_wrong} of {right}");
    // An inverted verdict is wrong with a probability of 2 %, so of these few one or two may be
    // wrong.
    assert!(own - own_right <= 2 && own < 100, "{own_right} of {own}");
}

/// A commit of a handwritten log: its number in all digits.
fn commit(number: u8) -> String {
    format!("{number:02x}").repeat(20)
}

/// Replaces `<1>` and so on by commits.
fn with_commits(text: &str) -> String {
    let mut log = text.to_owned();
    for number in 0..30 {
        log = log.replace(&format!("<{number}>"), &commit(number));
    }
    log
}
