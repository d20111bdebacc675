//! The suspects of a report: the text output, and that the probabilities of any report are valid.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::atlas::Atlas;
use ksplat::fingerprint::Signature;
use ksplat::model::{BlameReason, SuspectReason};
use ksplat::suspects;
use proptest::prelude::*;

/// A use-after-free whose object was freed by another function of the file system.
const LOG: &str = "BUG: KASAN: slab-use-after-free in nilfs_segctor_confirm+0x1e3/0x2a0\n\
    Read of size 8 at addr ffff888100a0c010 by task segctord/812\n\n\
    CPU: 1 UID: 0 PID: 812 Comm: segctord Not tainted 6.12.0 #1\nCall Trace:\n <TASK>\n\
    \x20dump_stack_lvl+0x64/0x80\n print_report+0xce/0x610\n kasan_report+0xce/0x110\n\
    \x20nilfs_segctor_confirm+0x1e3/0x2a0\n nilfs_segctor_thread+0x2f1/0x9c0\n kthread+0x2c1/0x3a0\n\
    \x20ret_from_fork+0x30/0x70\n </TASK>\n\nAllocated by task 790:\n kasan_save_stack+0x2c/0x50\n\
    \x20nilfs_attach_log_writer+0x9a/0x420\n nilfs_fill_super+0x51/0x7e0\n\nFreed by task 801:\n\
    \x20kasan_save_stack+0x2c/0x50\n kfree+0x121/0x3b0\n nilfs_detach_log_writer+0x3e1/0x8f0\n\
    \x20nilfs_put_super+0x24/0xf0\n generic_shutdown_super+0x92/0x330\n";

/// The first report of a log with its suspects.
fn suspected(log: &str, atlas: Atlas<'_>) -> ksplat::Report<'static> {
    let mut report = ksplat::reports(log.as_bytes()).next().unwrap();
    ksplat::Analyzer::new().with_atlas(atlas).annotate(&mut report);
    report.into_owned()
}

#[test]
fn suspects_have_files_and_lists() {
    let report = suspected(LOG, Atlas::builtin());
    let first = &report.suspects[0];
    assert_eq!(first.file.as_deref(), Some("fs/nilfs2/segment.c"));
    assert_eq!(first.directory.as_deref(), Some("fs/nilfs2"));
    assert!(first.subsystem.as_deref().unwrap().contains("NILFS2"), "{first:?}");
    assert!(first.lists.iter().any(|list| list.starts_with("linux-nilfs@")));
    assert_eq!(report.guilty_file.as_deref(), Some("fs/nilfs2/segment.c"));
    let freed =
        report.suspects.iter().find(|own| own.function == "nilfs_detach_log_writer").unwrap();
    assert_eq!(freed.why, SuspectReason::Freed);
    assert!(report.suspects.len() <= 8);
}

#[test]
fn an_atlas_decides_where_they_are() {
    let mut builder = ksplat::atlas::build::Builder::new();
    builder.add("fs/other/a.c", b"void nilfs_segctor_confirm(void)\n{\n}\n");
    let bytes = builder.finish();
    let report = suspected(LOG, Atlas::read(&bytes).unwrap());
    let own = report.suspects.iter().find(|own| own.function == "nilfs_segctor_confirm").unwrap();
    assert_eq!(own.file.as_deref(), Some("fs/other/a.c"));
}

/// An oops in an out-of-tree module, called by the kernel.
const OUT_OF_TREE: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000018\n\
    CPU: 1 PID: 812 Comm: zb_sync Tainted: P OE 6.12.0 #1\nRIP: 0010:zb_tree_find+0x1e3/0x2a0 [zb]\n\
    Call Trace:\n <TASK>\n zb_tree_detach+0x2f1/0x9c0 [zb]\n zb_space_free+0x51/0x7e0 [zb]\n\
    \x20zb_file_release+0x33/0x60 [zb]\n __fput+0xe3/0x2a0\n task_work_run+0x5c/0x90\n\
    \x20exit_to_user_mode_prepare+0x1ab/0x1c0\n </TASK>\n";

#[test]
fn functions_of_an_out_of_tree_module_are_as_likely_as_those_of_others() {
    let report = suspected(OUT_OF_TREE, Atlas::builtin());
    let of_module = |own: &&ksplat::model::Suspect<'_>| own.function.starts_with("zb_");
    let share: f32 = report.suspects.iter().filter(of_module).map(|own| own.probability).sum();
    assert!(share > 0.4, "{:?}", report.suspects);
    let first = &report.suspects[0];
    assert!(first.function.starts_with("zb_tree_"), "{first:?}");
    assert_eq!((&first.file, &first.directory, &first.subsystem), (&None, &None, &None));
    // Suspects out of the tree do not replace the blame.
    let blame = report.blame.as_ref().expect("a blame");
    assert_eq!((&*blame.function, blame.why), ("zb_tree_find", BlameReason::WasRunning));
}

#[test]
fn they_are_ranked_only_where_they_are_wanted() {
    let parsed = ksplat::reports(LOG.as_bytes()).next().unwrap();
    assert!(parsed.suspects.is_empty());
    assert_eq!(parsed.guilty_file, None);
    let mut report = parsed.clone();
    ksplat::Analyzer::new().without_suspects().annotate(&mut report);
    assert_eq!(report.suspects, parsed.suspects);
    // Signatures are equal with and without them, except for the sentence on the blame.
    let suspected = suspected(LOG, Atlas::builtin());
    let [mut with, without] = [&suspected, &parsed].map(Signature::of);
    with.summary.clone_from(&without.summary);
    assert_eq!(with, without);
    assert_eq!(without.place.directory.as_deref(), Some("fs/nilfs2"));
}

#[test]
fn a_report_may_be_annotated_again() {
    let mut report = suspected(LOG, Atlas::builtin());
    let before = report.clone();
    suspects::annotate(&mut report, Atlas::builtin());
    assert_eq!(report, before);
}

#[test]
fn text_shows_three() {
    let report = suspected(LOG, Atlas::builtin());
    let mut text = String::new();
    ksplat::output::text::write(
        &mut text,
        "a.log",
        &report,
        ksplat::output::text::TextOptions::default(),
    )
    .unwrap();
    let at = text.lines().position(|line| line.starts_with("  suspects")).unwrap();
    let lines: Vec<_> = text.lines().skip(at).take(3).collect();
    assert!(lines.iter().all(|line| line.contains("fs/nilfs2/")), "{text}");
    let mail = text.lines().find(|line| line.starts_with("  mail "));
    assert!(mail.is_some_and(|mail| mail.contains("linux-nilfs@")), "{text}");
}

proptest! {
    #[test]
    fn probabilities_add_up(names in prop::collection::vec("[a-z_]{1,12}", 0..60), role in 0..3_usize) {
        let head = ["BUG: KASAN: slab-use-after-free in f+0x1/0x2\nCall Trace:\n", "WARNING: CPU: 0 PID: 1 at f\nCall Trace:\n",
            "BUG: unable to handle page fault for address: 0\nCall Trace:\n"][role];
        let frames: Vec<_> = names.iter().map(|name| format!(" {name}+0x1/0x2\n")).collect();
        let frames = frames.concat();
        for mut report in ksplat::reports(format!("{head}{frames}").as_bytes()) {
            suspects::annotate(&mut report, Atlas::builtin());
            let sum: f32 = report.suspects.iter().map(|suspect| suspect.probability).sum();
            prop_assert!(sum <= 1.001, "{sum}");
            prop_assert!(report.suspects.is_sorted_by(|a, b| a.probability >= b.probability));
        }
    }
}

#[test]
fn sizes_that_no_function_has() {
    let log = "BUG: kernel NULL pointer dereference, address: 0000000000000000\n\
        RIP: 0010:nilfs_a+0xffffffffffffffff/0xffffffffffffffff\nCall Trace:\n\
        \x20nilfs_b+0x7fffffffffffffff/0xfffffffffffffffe\n nilfs_c+0x0/0x0\n";
    assert!(!suspected(log, Atlas::builtin()).suspects.is_empty());
}
