//! Diagnoses of CPUs that make no progress.

use super::{Sentence, crash_site, stack, task, within};
use crate::kind::Kind;
use crate::model::{Evidence, Report, Role, Stall};

/// An RCU grace period that does not end: print_cpu_stall() and print_other_cpu_stall() in
/// kernel/rcu/tree_stall.h.
pub(super) fn stalled(report: &Report<'_>) -> Sentence {
    let stall = report.stall.as_ref()?;
    let jiffies = stall.jiffies?;
    // rcu_check_gp_kthread_starvation() in kernel/rcu/tree_stall.h.
    let starved = stack(report, Role::Starved);
    let is_known = !stall.cpus.is_empty() || !stall.tasks.is_empty();
    if let Some(starved) = starved.filter(|_| !is_known) {
        let site = crash_site(report).map(|site| format!("; a CPU runs in {site}"));
        let site = site.unwrap_or_default();
        let grace = format!("a grace period has lasted {jiffies} jiffies");
        let summary = format!("the thread of RCU got no CPU: {grace}{site}");
        return Some((summary, starving(stall, Some(starved.offset)).into_iter().collect()));
    }
    let site = within(crash_site(report));
    let summary = match stall.cpus.as_slice() {
        [] if !stall.tasks.is_empty() => {
            let tasks: Vec<_> = stall.tasks.iter().map(u64::to_string).collect();
            let (task, have) = if tasks.len() == 1 { ("task", "has") } else { ("tasks", "have") };
            let tasks = tasks.join(", ");
            let one =
                if site.is_empty() { String::new() } else { format!("; one was preempted{site}") };
            format!(
                "{task} {tasks} {have} held up a grace period of RCU for {jiffies} jiffies{one}"
            )
        }
        // print_cpu_stall() names the CPU since Linux 3.3.
        [] if stall.detected_by.is_none() && !site.is_empty() => {
            format!("a CPU ran{site} for {jiffies} jiffies without a pause for RCU")
        }
        [] if site.is_empty() => format!("a grace period of RCU has lasted {jiffies} jiffies"),
        [] => format!("a grace period of RCU has lasted {jiffies} jiffies; a CPU runs{site}"),
        [cpu] => format!("CPU {cpu} ran{site} for {jiffies} jiffies without a pause for RCU"),
        cpus => {
            let cpus: Vec<_> = cpus.iter().map(u64::to_string).collect();
            let cpus = cpus.join(", ");
            let one = if site.is_empty() { String::new() } else { format!("; one ran{site}") };
            format!("CPUs {cpus} made no pause for RCU for {jiffies} jiffies{one}")
        }
    };
    let starved = starving(stall, starved.map(|stack| stack.offset));
    Some((summary, starved.into_iter().collect()))
}

/// The time for which the thread of RCU did not run.
fn starving(stall: &Stall, offset: Option<usize>) -> Option<Evidence> {
    let jiffies = stall.starved?;
    Some(Evidence::new(format!("the thread of RCU got no CPU for {jiffies} jiffies"), offset))
}

/// A CPU on which the scheduler does not run: watchdog_timer_fn() in kernel/watchdog.c.
pub(super) fn stuck(report: &Report<'_>) -> Sentence {
    let seconds = report.seconds.filter(|_| report.kind == Kind::SoftLockup)?;
    let cpu = report.task.cpu?;
    let by = match (crash_site(report), task(report)) {
        (Some(function), Some(task)) => format!("ran in {function} of {task}"),
        (Some(function), None) => format!("ran in {function}"),
        (None, task) => format!("ran {}", task?),
    };
    Some((format!("CPU {cpu} {by} for {seconds} s without a break"), Vec::new()))
}

/// A CPU that takes no interrupts: watchdog_hardlockup_check() in kernel/watchdog.c.
pub(super) fn deaf(report: &Report<'_>) -> Sentence {
    let (locked, is_self) = locked_up(&report.headline)?;
    // Another CPU may print it; its stack is not that of the CPU that is locked up.
    let is_own = is_self || report.task.cpu == Some(locked);
    let by = crash_site(report).zip(task(report)).filter(|_| is_own);
    let by = by.map(|(function, task)| format!(": it runs in {function} of {task}"));
    Some((format!("CPU {locked} takes no interrupts{}", by.unwrap_or_default()), Vec::new()))
}

/// Returns the CPU that is locked up, by the headline, and whether it noticed that itself, as in
/// soft_nmi_interrupt() in arch/powerpc/kernel/watchdog.c.
fn locked_up(headline: &str) -> Option<(u64, bool)> {
    if let Some((before, _)) = headline.split_once(" self-detected hard LOCKUP") {
        return Some((before.rsplit_once("CPU ")?.1.parse().ok()?, true));
    }
    // wd_smp_lockup() in the same file, and kernel/watchdog.c.
    let others = headline.split_once("hard LOCKUP on other CPUs ");
    let (_, rest) = others.or_else(|| headline.split_once("hard LOCKUP on cpu "))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((rest.get(..digits)?.parse().ok()?, false))
}

/// A pool of workers that takes no work: wq_watchdog_timer_fn() in kernel/workqueue.c.
pub(super) fn pool(report: &Report<'_>) -> Sentence {
    let seconds = report.seconds.filter(|_| report.kind == Kind::WorkqueueLockup)?;
    let (_, rest) = report.headline.split_once("pool cpus=")?;
    let cpus = rest.split(' ').next().filter(|cpus| !cpus.is_empty())?;
    let cpu = if cpus.contains(['-', ',']) { "CPUs" } else { "CPU" };
    Some((format!("the workers of {cpu} {cpus} took no work for {seconds} s"), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_of_a_hard_lockup() {
        for (headline, found) in [
            ("watchdog: Watchdog detected hard LOCKUP on cpu 13", Some((13, false))),
            (
                "watchdog: Watchdog detected hard LOCKUP on cpu 3Modules linked in:",
                Some((3, false)),
            ),
            ("watchdog: CPU 3 self-detected hard LOCKUP @ f+0x1/0x2", Some((3, true))),
            ("watchdog: CPU 1 detected hard LOCKUP on other CPUs 0", Some((0, false))),
            ("NMI watchdog: hard LOCKUP", None),
        ] {
            assert_eq!(locked_up(headline), found, "{headline}");
        }
    }
}
