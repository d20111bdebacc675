//! Signatures and clusters in the public API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "common/corpus.rs"]
mod corpus;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use corpus::logs;
use ksplat::cluster::{
    ATTACH, ATTACH_INCOMPLETE, Cluster, Feature, Index, LinkReason, Observation, PartReason,
};

use ksplat::fingerprint::{self, Family, Signature, VERSION, frame_class};
use proptest::prelude::*;

/// The signature of the first report of a log.
fn sign(log: &str) -> Signature<'static> {
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    ksplat::Analyzer::new().without_instructions().annotate(&mut report);
    Signature::of(&report).into_owned()
}

fn index(signatures: &[Signature<'_>]) -> Index {
    let mut index = Index::new();
    for (number, signature) in signatures.iter().enumerate() {
        assert_eq!(index.add(signature, Observation::default()) as usize, number);
    }
    index
}

/// A report with a trap in the first of these functions.
fn oops(headline: &str, functions: &[&str]) -> String {
    let mut log = format!("{headline}\nCPU: 1 PID: 7 Comm: a Not tainted 6.1.0 #1\n");
    for (number, function) in functions.iter().enumerate() {
        match number {
            0 => writeln!(log, "RIP: 0010:{function}+0x9b/0x200\nCall Trace:\n <TASK>").unwrap(),
            _ => writeln!(log, " {function}+0x{number}0/0x200").unwrap(),
        }
    }
    log + " do_syscall_64+0x1/0x2\n </TASK>\n"
}

const NULL: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000010";

#[test]
fn a_signature_is_the_same_everywhere() {
    let signature = sign(&oops(NULL, &["demo_inner.isra.0", "demo_outer.cold"]));
    assert_eq!(signature.version, VERSION);
    assert_eq!(signature.family, Family::NullDereference);
    assert_eq!(signature.site.as_ref().unwrap().functions, ["demo_inner"]);
    // SipHash 1-3 of the bytes with a key of zeros: if a hash changes, VERSION must be incremented.
    assert_eq!(signature.site.unwrap().hash, 0x3ad9_f3ea_4502_d316);
    assert_eq!(signature.title.hash, 0x6b9b_9b6c_f8bc_e402);
}

#[test]
fn signatures_are_stable_across_runs() {
    let one = oops(NULL, &["demo_inner", "demo_outer"]);
    let other =
        one.replace("PID: 7", "PID: 99").replace("CPU: 1", "CPU: 0").replace("6.1.0", "6.2.0-rc1");
    assert_eq!(sign(&one).exact, sign(&other).exact);
    assert_ne!(sign(&one).exact, sign(&one.replace("demo_outer", "demo_other")).exact);
}

#[test]
fn a_helper_is_never_the_site() {
    let log = oops(NULL, &["memcpy", "mutex_lock", "vfs_write", "demo_write", "demo_ioctl"]);
    assert_eq!(sign(&log).site.unwrap().functions, ["demo_write"]);
    assert!(frame_class("memcpy").1.is_some());
    assert_eq!(frame_class("demo_write").1, None);
}

#[test]
fn unreliable_frames_count_if_there_are_no_others() {
    let log = format!(
        "{NULL}\nRIP: 0010:memcpy+0x1/0x2\nCall Trace:\n ? demo_write+0x1/0x2\n do_syscall_64+0x1/0x2\n"
    );
    assert_eq!(sign(&log).site.unwrap().functions, ["demo_write"]);
    let log =
        oops(NULL, &["demo_read"]).replace(" do_syscall", " ? demo_write+0x1/0x2\n do_syscall");
    assert!(sign(&log).frames.iter().all(|part| part.function != "demo_write"));
}

#[test]
fn recursion_is_signed_once() {
    let deep = sign(&oops(NULL, &["demo_x", "walk", "walk", "walk", "walk", "start"]));
    let flat = sign(&oops(NULL, &["demo_x", "walk", "start"]));
    assert_eq!(deep.exact, flat.exact);
}

#[test]
fn origins_are_signed() {
    let log = "BUG: KASAN: slab-use-after-free in demo_use+0x1/0x2\nRead of size 8 at addr ffff888001286008 by task a/46\n\
        Call Trace:\n kasan_report+0x1/0x2\n demo_use+0x1/0x2\n\nAllocated by task 46:\n kasan_save_stack+0x1/0x2\n \
        __kmalloc+0x1/0x2\n demo_new+0x1/0x2\n\nFreed by task 7:\n kfree+0x1/0x2\n demo_put+0x1/0x2\n";
    let names: Vec<_> =
        sign(log).origins.iter().map(|o| format!("{} {}", o.role.name(), o.name)).collect();
    assert_eq!(names, ["allocation demo_new", "free demo_put"]);
}

#[test]
fn the_same_warning_inlined_otherwise_is_one_bug() {
    // The reports of 5.5 and 5.13 of `WARNING in io_wqe_wake_worker` and `… io_wqe_enqueue`.
    let old = "WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0 fs/io-wq.c:280\n\
        RIP: 0010:io_wqe_wake_worker+0x430/0x4a0 fs/io-wq.c:280\nCall Trace:\n io_wqe_enqueue+0x166/0x700\n \
        io_queue_async_work+0x7a2/0x1240\n io_queue_sqe+0x7a2/0x1240\n do_syscall_64+0x1/0x2\n";
    let new = "WARNING: CPU: 0 PID: 9 at fs/io-wq.c:244 io_wqe_wake_worker fs/io-wq.c:244 [inline]\n\
        WARNING: CPU: 0 PID: 9 at fs/io-wq.c:244 io_wqe_enqueue+0x7f6/0x950 fs/io-wq.c:751\n\
        RIP: 0010:io_wqe_wake_worker fs/io-wq.c:244 [inline]\nRIP: 0010:io_wqe_enqueue+0x7f6/0x950 fs/io-wq.c:751\n\
        Call Trace:\n io_queue_async_work+0x28a/0x5e0 fs/io_uring.c:1350\n \
        io_queue_sqe+0x7a2/0x1240 fs/io_uring.c:1\n do_syscall_64+0x1/0x2 arch/x86/entry/common.c:1\n";
    let index = index(&[sign(old), sign(new)]);
    assert_eq!(index.clusters().len(), 1);
    let why = index.why(0, 1).unwrap();
    assert_eq!((why.len(), why[0].how), (1, LinkReason::Site));
    assert!(why[0].evidence.contains("io_wqe_wake_worker"), "{}", why[0].evidence);
}

#[test]
fn another_fault_in_the_same_function_is_another_bug() {
    // batadv_iv_ogm_queue_add: a NULL `ogm_buff`, and a buffer used after it was freed.
    let callers = [
        "batadv_iv_ogm_queue_add",
        "batadv_iv_ogm_schedule",
        "batadv_iv_send_outstanding_bat_ogm_packet",
    ];
    let null = oops("BUG: kernel NULL pointer dereference, address: 0000000000000003", &callers);
    let freed = "BUG: KASAN: use-after-free in batadv_iv_ogm_queue_add+0x31d/0x1200\n\
        Read of size 52 at addr ffff8880944a3000 by task kworker/u4:1/21\nCall Trace:\n kasan_report+0x12/0x20\n \
        batadv_iv_ogm_queue_add+0x31d/0x1200\n batadv_iv_ogm_schedule+0xcdf/0xe10\n \
        batadv_iv_send_outstanding_bat_ogm_packet+0x5b7/0x790\n";
    assert_eq!(index(&[sign(&null), sign(freed)]).clusters().len(), 2);
    // Another member of the same NULL pointer, in the same function.
    let other = null.replace("0000000000000003", "0000000000000058");
    assert_eq!(index(&[sign(&null), sign(&other)]).clusters().len(), 2);
}

#[test]
fn a_lock_in_freed_memory_is_no_lock() {
    // io_rsrc_node_ref_zero: `KASAN: use-after-free Read in` and `WARNING: locking bug in`, one fix.
    let above = " io_rsrc_node_ref_zero+0x5b/0x2b0\n percpu_ref_put_many+0x1/0x2\n rcu_do_batch+0x1/0x2\n \
        run_ksoftirqd+0x1/0x2\n smpboot_thread_fn+0x1/0x2\n";
    let freed = format!(
        "BUG: KASAN: use-after-free in io_rsrc_node_ref_zero+0x5b/0x2b0\nRead of size 8 at addr ffff888012345678 by task a/7\n\
         CPU: 1 PID: 7 Comm: a Not tainted 5.17.0-rc4 #0\nCall Trace:\n kasan_report+0x1/0x2\n{above}"
    );
    let broken = format!(
        "------------[ cut here ]------------\nDEBUG_LOCKS_WARN_ON(1)\n\
         WARNING: CPU: 1 PID: 7 at kernel/locking/lockdep.c:231 __lock_acquire+0x1d8d/0x5660\n\
         CPU: 1 PID: 7 Comm: a Not tainted 5.17.0-rc4 #0\nRIP: 0010:__lock_acquire+0x1d8d/0x5660\nCall Trace:\n \
         lock_acquire+0x1ab/0x570\n _raw_spin_lock_irqsave+0x39/0x50\n{above}"
    );
    let (freed, broken) = (sign(&freed), sign(&broken));
    assert_eq!(broken.title.text, "WARNING: locking bug in io_rsrc_node_ref_zero");
    assert_eq!((freed.family, broken.family), (Family::UseAfterFree, Family::BrokenLock));
    assert_eq!(index(&[freed, broken]).clusters().len(), 1);
}

#[test]
fn two_users_of_a_helper_are_two_bugs() {
    let ways = [["a_lookup", "a_open"], ["b_drain", "b_xmit"], ["c_walk", "c_start"]];
    let of = |user: &'static str| {
        ways.iter().map(move |way| sign(&oops(NULL, &["helper", user, way[0], way[1]])))
    };
    let signatures: Vec<_> = of("ack_build").chain(of("fib_dump")).collect();
    assert_eq!(sizes(&index(&signatures).clusters()), [3, 3]);
    // Three call paths to one fault are one bug.
    let signatures: Vec<_> =
        ways.iter().map(|way| sign(&oops(NULL, &["helper", way[0], way[1]]))).collect();
    assert_eq!(sizes(&index(&signatures).clusters()), [3]);
}

/// Returns the rule that joins two signatures.
fn how(signatures: &[Signature<'_>]) -> Option<LinkReason> {
    index(signatures).why(0, 1).map(|links| links[0].how)
}

/// A hung task that waits for a mutex in this function.
fn hung(function: &str) -> String {
    format!(
        "INFO: task a:7 blocked for more than 143 seconds.\n      Not tainted 6.1.0 #1\n\
        task:a               state:D stack:0     pid:7     ppid:1      flags:0x00004000\n\
        Call Trace:\n <TASK>\n __schedule+0x1/0x2\n schedule+0x1/0x2\n __mutex_lock+0x1/0x2\n \
        {function}+0x10/0x20\n {function}_caller+0x10/0x20\n do_syscall_64+0x1/0x2\n </TASK>\n\n"
    )
}

/// The signatures of the reports of one log.
fn sign_all(log: &str) -> Vec<Signature<'static>> {
    let mut reports: Vec<_> = ksplat::reports(log.as_bytes()).collect();
    for report in &mut reports {
        ksplat::Analyzer::new().without_instructions().annotate(report);
    }
    let mut signatures: Vec<_> =
        reports.iter().map(|report| Signature::of(report).into_owned()).collect();
    fingerprint::accompany(&mut signatures);
    signatures
}

#[test]
fn hangs_that_name_each_other_are_one_bug() {
    let first = |functions: &[&str]| {
        let log: String = functions.iter().map(|function| hung(function)).collect();
        sign_all(&log).swap_remove(0)
    };
    let (a, b) = (first(&["demo_a", "demo_b"]), first(&["demo_b", "demo_a"]));
    assert_eq!((&*a.also, &*b.also), (&["demo_b".into()][..], &["demo_a".into()][..]));
    assert_eq!(how(&[a.clone(), b]), Some(LinkReason::Hang));
    // The second log has another hang, so both need not be in one cycle.
    assert_eq!(index(&[a.clone(), first(&["demo_b", "demo_c"])]).clusters().len(), 2);
    // Two cycles on which one function waits.
    let waiters = [first(&["demo_w", "demo_a"]), first(&["demo_w", "demo_c"])];
    assert_eq!(index(&waiters).clusters().len(), 2);
    assert_eq!(index(&[waiters[0].clone(), first(&["demo_w"])]).clusters().len(), 1);
    // A report of another kind is signed alone.
    let mixed = sign_all(&format!("{}{}", oops(NULL, &["demo_x", "demo_y"]), hung("demo_a")));
    assert!(mixed.iter().all(|signature| signature.also.is_empty()));
}

#[test]
fn samples_of_one_loop_are_one_bug() {
    let stall = |inner: &[&str], outer: &[&str]| {
        let functions = [inner, outer].concat();
        sign(&oops("watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [a:7]", &functions))
    };
    let outer = ["demo_scan", "demo_walk", "demo_umount", "demo_kill", "demo_ioctl"];
    let (a, b) = (stall(&["demo_a"], &outer), stall(&["demo_b", "demo_c"], &outer));
    let mut signatures = [a.clone(), b.clone()];
    // The convention uses the system call as the function.
    for signature in &mut signatures {
        signature.title.function = Some("demo_ioctl".into());
    }
    assert_eq!(how(&signatures), Some(LinkReason::Stall));
    signatures[1].title.function = Some("demo_kill".into());
    assert_ne!(how(&signatures), Some(LinkReason::Stall));
    let mut few = [a, stall(&["demo_b", "demo_c", "demo_d"], &outer[2..])];
    for signature in &mut few {
        signature.title.function = Some("demo_ioctl".into());
    }
    assert_eq!(how(&few), None);
}

#[test]
fn panics_with_one_message_in_one_user_are_one_bug() {
    let panic = |functions: &[&str], message: &str| {
        let headline = format!("Kernel panic - not syncing: demo: {message}");
        sign(&oops(&headline, &[&["panic"], functions].concat()))
    };
    let a = panic(&["demo_check", "demo_open", "demo_lookup"], "lost");
    let b = panic(&["demo_open", "demo_lookup", "demo_write"], "lost");
    assert_eq!(how(&[a.clone(), b]), Some(LinkReason::Warning));
    let other = panic(&["demo_open", "demo_lookup", "demo_write"], "found");
    assert_ne!(how(&[a, other]), Some(LinkReason::Warning));
}

#[test]
fn uses_of_an_object_that_the_same_functions_made_and_freed_are_one_bug() {
    let used = |functions: &[&str], free: &str| {
        let mut log = "BUG: KASAN: slab-use-after-free in x+0x1/0x2\nRead of size 8 at addr ffff888001286008 by task a/46\n\
            CPU: 1 PID: 46 Comm: a Not tainted 6.1.0 #1\nCall Trace:\n <TASK>\n".to_owned();
        for function in functions {
            writeln!(log, " {function}+0x10/0x20").unwrap();
        }
        log + " do_syscall_64+0x1/0x2\n </TASK>\n\nAllocated by task 7:\n kasan_save_stack+0x1/0x2\n demo_new+0x1/0x2\n\n\
            Freed by task 8:\n kasan_save_stack+0x1/0x2\n "
            + free
            + "+0x1/0x2\n\n"
    };
    let a = sign(&used(&["demo_a", "demo_work", "demo_thread"], "demo_free"));
    let b = sign(&used(&["demo_b", "demo_c", "demo_work"], "demo_free"));
    assert_eq!(how(&[a.clone(), b]), Some(LinkReason::Object));
    let c = sign(&used(&["demo_b", "demo_c", "demo_work"], "demo_other"));
    assert_ne!(how(&[a, c]), Some(LinkReason::Object));
}

#[test]
fn a_return_address_at_offset_0_is_of_the_function_before() {
    let log = "Kernel panic - not syncing: demo: lost\nCPU: 0 PID: 92 Comm: init Not tainted 6.1.0 #1\n\
        Call trace:\n dump_stack+0x1/0x2\n panic+0x1/0x2\n demo_exit+0x0/0x92c\n demo_check+0x1c/0x44\n\
         demo_open+0x18/0x40\n";
    assert_eq!(sign(log).site.unwrap().functions, ["demo_check"]);
}

#[test]
fn reports_without_a_stack_go_by_their_title() {
    let whole = sign(&oops(NULL, &["demo_x", "demo_y"]));
    let mut bare = whole.clone();
    (bare.site, bare.top2, bare.top3, bare.exact) = (None, None, None, 1);
    bare.frames.clear();
    let known = index(&[whole.clone(), bare.clone()]);
    assert_eq!(known.clusters().len(), 1);
    assert_eq!(known.why(0, 1).unwrap()[0].how, LinkReason::Title);
    // If reports of the title are of two bugs, the bug of this one is unknown.
    let other = sign(&oops(&NULL.replace("10", "58"), &["demo_x", "demo_y"]));
    assert_eq!(other.title.text, whole.title.text);
    assert_eq!(index(&[whole, bare, other]).clusters().len(), 3);
}

#[test]
fn corrupted_reports_are_no_magnet() {
    let whole = oops(NULL, &["demo_x", "demo_y"]);
    let mut cut = sign(&whole);
    cut.corrupted = true;
    cut.exact ^= 1;
    assert_eq!(index(&[sign(&whole), cut.clone()]).clusters().len(), 2);
    // Reports without frames are not equal to each other.
    cut.frames.clear();
    cut.site = None;
    let clusters = index(&[cut.clone(), cut]).clusters();
    assert_eq!(clusters.len(), 2);
    assert_ne!(clusters[0].id, clusters[1].id);
}

#[test]
fn an_incomplete_report_with_its_stack_needs_a_higher_score() {
    let cut = |signature: &Signature<'static>| {
        let mut cut = signature.clone();
        (cut.corrupted, cut.exact) = (true, cut.exact ^ 1);
        cut
    };
    let whole = sign(include_str!("duplicates/queue-add.log"));
    let same = cut(&whole);
    assert_eq!(how(&[whole.clone(), same.clone()]), Some(LinkReason::Score));
    assert_eq!(index(std::slice::from_ref(&whole)).same(&same), Some(0));
    // Between the thresholds.
    let whole = sign(include_str!("../corpus/kasan/use-after-free-read.log"));
    let both = index(&[whole.clone(), cut(&whole)]);
    let score = both.compare(0, 1).unwrap().score;
    assert!((ATTACH..ATTACH_INCOMPLETE).contains(&score), "{score}");
    assert_eq!(both.clusters().len(), 2);
    assert_eq!(both.why_apart(0, 1)[0].rule, PartReason::Incomplete);
    assert_eq!(index(std::slice::from_ref(&whole)).same(&cut(&whole)), None);
}

#[test]
fn the_report_with_the_shortest_stack_is_compared() {
    // With several names, so that the hashes of long and short stacks have either order.
    for name in ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"] {
        let of = |functions: &[&str]| {
            let functions: Vec<_> = functions.iter().map(|of| format!("{name}_{of}")).collect();
            let functions: Vec<_> = functions.iter().map(String::as_str).collect();
            sign(&oops(NULL, &functions))
        };
        let callers = ["read", "open", "walk", "link", "find", "exec", "load", "map", "fill"];
        let short = of(&["get", "node", "tree"]);
        let long = of(&[&["get", "node", "tree"][..], &callers].concat());
        let other = of(&["put", "get", "node", "tree"]);
        assert_eq!(index(&[long, other, short]).clusters().len(), 1, "{name}");
    }
}

#[test]
fn links_can_be_forced_and_forbidden() {
    let signatures = [
        sign(&oops(NULL, &["demo_x", "demo_y"])),
        sign(&oops(NULL, &["demo_x", "demo_z"])),
        sign(&oops("kernel BUG at fs/a.c:1!", &["other_a", "other_b"])),
    ];
    let mut known = index(&signatures);
    assert_eq!(sizes(&known.clusters()), [2, 1]);
    known.cannot_link(0, 1);
    assert_eq!(sizes(&known.clusters()), [1, 1, 1]);
    assert_eq!(known.why(0, 1), None);
    known.must_link(1, 2);
    assert_eq!(sizes(&known.clusters()), [2, 1]);
    assert_eq!(known.why(1, 2).unwrap()[0].how, LinkReason::Forced);
}

#[test]
fn a_match_has_the_common_features() {
    let signatures = [
        sign(&oops(NULL, &["demo_x", "demo_y"])),
        sign(&oops("kernel BUG at fs/a.c:1!", &["other_a", "other_b"])),
    ];
    let index = index(&signatures);
    let new = sign(&oops(NULL, &["demo_x", "demo_w"]));
    let found = index.matches(&new, 2);
    assert_eq!(found[0].report, 0);
    assert!(found[0].score > ATTACH, "{}", found[0].score);
    assert!(found[0].evidence().starts_with("release +"), "{}", found[0].evidence());
    assert!(found.get(1).is_none_or(|other| other.score < 0.5));
    assert_eq!(index.same(&new), Some(0));
    assert_eq!(index.same(&sign(&oops("divide error: 0000 [#1]", &["far_away", "far_off"]))), None);
}

#[test]
fn the_file_and_the_build_rank_but_do_not_join() {
    // All reports have the file of the entry, so that only the other one is rare.
    let log = |function: &str, release: &str| {
        format!(
            "{NULL}\nCPU: 1 PID: 7 Comm: a Not tainted {release} #1\n\
             RIP: 0010:{function}+0x9b/0x200 drivers/demo/core.c:1\nCall Trace:\n <TASK>\n \
             {function}_caller+0x10/0x200 drivers/demo/core.c:9\n do_syscall_x64 arch/x86/entry/common.c:50 [inline]\n \
             do_syscall_64+0x1/0x2 arch/x86/entry/common.c:80\n </TASK>\n"
        )
    };
    let index = index(&[sign(&log("demo_first", "6.1.0-demo"))]);
    let of = |release: &str| {
        let found = index.matches(&sign(&log("demo_second", release)), 1).remove(0);
        let value =
            |feature| found.features.iter().find(|(of, _)| *of == feature).map(|(_, at)| *at);
        (value(Feature::SameRelease), value(Feature::RareFile), value(Feature::Vocabulary))
    };
    let (build, file, vocabulary) = of("6.1.0-demo");
    assert_eq!((build, file), (Some(1.0), Some(1.0)));
    assert!(vocabulary.is_some_and(|value| value > 0.3 && value < 1.0), "{vocabulary:?}");
    assert_eq!(of("6.1.0-third").0, None);
    for feature in [Feature::SameRelease, Feature::RareFile, Feature::Vocabulary] {
        assert!(feature.weight() > 0.0 && feature.pair_weight() == 0.0);
    }
}

fn sizes(clusters: &[Cluster]) -> Vec<usize> {
    clusters.iter().map(|cluster| cluster.count).collect()
}

/// The signatures of the corpus, which has every kind of report.
fn of_the_corpus() -> Vec<Signature<'static>> {
    let mut signatures = Vec::new();
    for (_, log) in logs() {
        signatures.extend(ksplat::reports(&log).map(|report| Signature::of(&report).into_owned()));
    }
    signatures
}

/// Clusters with the exact hashes of their members, in an order that does not depend on the input's.
fn known(index: &Index) -> Vec<(String, String, Vec<u64>)> {
    let clusters = index.clusters().into_iter().map(|cluster| {
        let exact = cluster.reports.iter().map(|report| index.signature(*report).unwrap().exact);
        let mut exact: Vec<_> = exact.collect();
        exact.sort_unstable();
        (cluster.id, cluster.title, exact)
    });
    clusters.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_input_does_not_matter(order in Just((0..300_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let all = signatures();
        let first = index(all);
        let shuffled: Vec<_> = order.iter().filter_map(|at| all.get(*at)).cloned().collect();
        let mut merged = Index::new();
        for half in shuffled.chunks(shuffled.len() / 2 + 1) {
            merged.merge(&index(half));
        }
        prop_assert_eq!(merged.len(), all.len());
        prop_assert_eq!(known(&first), known(&merged));
    }
}

/// The corpus, and as many synthetic reports with common sites, call paths and families.
fn signatures() -> &'static [Signature<'static>] {
    static ALL: std::sync::LazyLock<Vec<Signature<'static>>> = std::sync::LazyLock::new(|| {
        let mut all = of_the_corpus();
        let sites = ["demo_a", "demo_b", "helper_c"];
        let headlines = [
            NULL,
            "kernel BUG at fs/a.c:1!",
            "BUG: kernel NULL pointer dereference, address: 0000000000000058",
        ];
        for number in 0..300_usize.saturating_sub(all.len()) {
            let release = ["6.1.0", "3.10.0", "5.4.0-rc2"][number % 3];
            let callers = [format!("way_{}", number % 5), format!("over_{}", number % 3)];
            let log =
                oops(headlines[number % 3], &[sites[number / 7 % 3], &callers[0], &callers[1]]);
            all.push(sign(&log.replace("6.1.0", release)));
        }
        all
    });
    &ALL
}

#[test]
fn parts_can_be_shared_and_sent() {
    fn check<T: Send + Sync>() {}
    check::<Signature>();
    check::<Signature<'static>>();
    check::<Index>();
    check::<Cluster>();
}

#[test]
fn a_signature_survives_json() {
    for signature in of_the_corpus() {
        let text = serde_json::to_string(&signature).unwrap();
        let read: Signature<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, signature);
    }
}

#[test]
#[ignore = "reads ../shared: cargo test --test cluster -- --ignored"]
fn the_seeds_are_grouped_by_their_fixes() {
    let files = corpus::files(Path::new("../shared/seeds"));
    let signatures: Vec<_> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| sign(&String::from_utf8_lossy(&fs::read(path).unwrap())))
        .collect();
    let index = index(&signatures);
    let of = |title: &str| (0..).zip(&signatures).find(|(_, s)| s.title.text == title).unwrap().0;
    let (add, schedule) = (
        of("general protection fault in batadv_iv_ogm_queue_add"),
        of("general protection fault in batadv_iv_ogm_schedule_buff"),
    );
    let offsets: Vec<_> =
        [add, schedule].map(|at| signatures[at as usize].facts.null_offset).to_vec();
    assert_eq!(offsets, [Some(0x3), Some(0x16)]);
    assert!(index.why(add, schedule).is_some(), "the batadv pair is one bug");
    assert_eq!(sizes(&index.clusters()), [2, 1, 1, 1]);
}
