//! The blamed function, one log for each rule.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use ksplat::model::BlameReason;

/// The function and the reason.
fn blame(log: &str) -> Option<(String, BlameReason)> {
    let report = ksplat::reports(log.as_bytes()).next().expect("a report");
    report.blame.map(|blame| (blame.function.into_owned(), blame.why))
}

fn check(log: &str, function: &str, why: BlameReason) {
    assert_eq!(blame(log), Some((function.to_owned(), why)), "{log}");
}

#[test]
fn the_running_function() {
    check(
        "BUG: unable to handle page fault for address: ffff888000000010\n\
         RIP: 0010:cm_read.cold+0x1/0x2 [m]\nCall Trace:\n vfs_read+0x1/0x2\n ksys_read+0x1/0x2\n",
        "cm_read",
        BlameReason::WasRunning,
    );
}

#[test]
fn the_caller_of_a_helper() {
    check(
        "BUG: KASAN: use-after-free in memcpy+0x1/0x2\nRead of size 4 at addr ffff888001286008\n\
         Call Trace:\n dump_stack+0x1/0x2\n print_report+0x1/0x2\n kasan_report+0x1/0x2\n \
         memcpy+0x1/0x2\n cm_copy+0x1/0x2\n vfs_read+0x1/0x2\n",
        "cm_copy",
        BlameReason::CalledReporter,
    );
}

#[test]
fn the_function_that_jumped_to_an_invalid_address() {
    check(
        "BUG: kernel NULL pointer dereference, address: 0000000000000000\n\
         #PF: supervisor instruction fetch in kernel mode\nRIP: 0010:0x0\n\
         Call Trace:\n cm_ops_open+0x1/0x2\n vfs_open+0x1/0x2\n",
        "cm_ops_open",
        BlameReason::JumpedNowhere,
    );
    // The return address in the link register, if the trace lacks it.
    check(
        "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000\n\
         pc : 0x0\nlr : cm_ops_open+0x18/0x20\nx0 : 0000000000000000\n\
         Call trace:\n 0x0\n vfs_open+0x1/0x2\n",
        "cm_ops_open",
        BlameReason::JumpedNowhere,
    );
}

#[test]
fn a_recursive_function() {
    let frames = " cm_dir_walk+0x62/0x90\n".repeat(6);
    check(
        &format!(
            "PANIC: double fault, error_code: 0x0\nRIP: 0010:kmem_cache_alloc+0x1/0x2\n\
             Call Trace:\n{frames} cm_open+0x1/0x2\n"
        ),
        "cm_dir_walk",
        BlameReason::CallsItself,
    );
}

#[test]
fn the_interrupted_function() {
    check(
        "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [init:88]\n\
         RIP: 0010:_raw_spin_lock+0x1/0x2\nCall Trace:\n cm_spin+0x1/0x2\n vfs_write+0x1/0x2\n",
        "cm_spin",
        BlameReason::RunningWhenStuck,
    );
}

#[test]
fn the_function_that_waits() {
    check(
        "INFO: task init:88 blocked for more than 120 seconds.\nCall Trace:\n __schedule+0x1/0x2\n \
         schedule+0x1/0x2\n mutex_lock_nested+0x1/0x2\n cm_commit+0x1/0x2\n vfs_write+0x1/0x2\n",
        "cm_commit",
        BlameReason::Waits,
    );
}

#[test]
fn the_function_that_allocated_or_freed() {
    check(
        "BUG: memory leak\nunreferenced object 0xffff888001286008 (size 64):\n  backtrace:\n    \
         kmalloc_trace+0x1/0x2\n    cm_new+0x1/0x2\n    vfs_write+0x1/0x2\n",
        "cm_new",
        BlameReason::AllocatedLost,
    );
}

#[test]
fn every_fact_is_in_the_log() {
    assert_eq!(blame("general protection fault: 0000 [#1] SMP\n"), None);
    assert_eq!(
        blame("unregister_netdevice: waiting for lo to become free. Usage count = 2\n"),
        None
    );
}
