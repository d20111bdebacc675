//! States that the kernel counts or compares before a report.
//!
//! ```text
//! atomic  = "in_atomic(): " n ", irqs_disabled(): " n ", " …          ; __might_resched() in kernel/sched/core.c
//! depth   = "preempt_count: " hex ", expected: " hex                  ; the same
//! rcu     = "RCU nest depth: " n ", expected: " n                 ; the same, since Linux 5.17
//! disable = "Preemption disabled at:"                             ; print_preempt_disable_ip(), in the same file
//! stall   = "(t=" n " jiffies " … / "(detected by " cpu ", t=" n " jiffies" …  ; kernel/rcu/tree_stall.h
//! stalled = [ "rcu: " ] blanks cpu "-" 4( "." / "O" / "o" / "N" / "D" / digit / "!" ) ": (" …  ; print_cpu_stall_info()
//! blocked = [ "rcu: " ] blanks "Tasks blocked on level-" …  *( " P" pid [ "/" n ":" marks ] )   ; rcu_print_task_stall()
//! starved = … " kthread starved for " n " jiffies!" …             ; rcu_check_gp_kthread_starvation()
//! bytes   = hex "-" hex [ " @offset=" n ] ". First byte " hex " instead of " hex    ; check_bytes_and_report() in mm/slub.c
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until, take_while_m_n};
use nom::combinator::{map, map_opt, opt, value};
use nom::sequence::{delimited, preceded, terminated};

use super::Parsed;
use crate::search;
use crate::token::{Hex, blanks, decimal, hex};

/// A state that the kernel counted or compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Whether code runs in atomic context, and whether interrupts are off.
    Atomic { in_atomic: bool, irqs_disabled: bool },
    /// The function that disabled preemption is on the next line.
    PreemptionDisabled,
    /// The depth of disabled preemption, found and expected.
    PreemptCount { found: u64, expected: u64 },
    /// The depth of read-side critical sections of RCU.
    RcuDepth(i64),
    /// The duration of an RCU grace period, in jiffies; the CPU that detected the stall, if it is
    /// another one.
    Stall { jiffies: u64, detected_by: Option<u64> },
    /// A CPU that RCU waits for.
    StalledCpu(u64),
    /// The jiffies for which the thread of RCU did not run.
    Starved(u64),
    /// The line has the tasks that RCU waits for: [`blocked_tasks`].
    BlockedTasks,
    /// Overwritten bytes of a slab: the first, the last, the value found and the value expected.
    Overwritten { start: Hex, end: Hex, found: u64, expected: u64 },
}

/// Reads such a line.
pub(super) fn state(line: &[u8]) -> Parsed<'_, State> {
    match line.first() {
        Some(b'i') => atomic(line),
        Some(b'P') => value(State::PreemptionDisabled, tag("Preemption disabled at:")).parse(line),
        Some(b'p') => depth(line),
        Some(b'R') => rcu_depth(line),
        Some(b'(') => stall(line),
        Some(b'r') => alt((stalled, blocked, starved)).parse(line),
        _ => alt((overwritten, stalled, blocked)).parse(line),
    }
}

fn rcu_depth(line: &[u8]) -> Parsed<'_, State> {
    let depth = delimited(tag("RCU nest depth: "), (opt(tag("-")), decimal), tag(", expected: "));
    map_opt(depth, |(minus, depth)| {
        let depth = i64::try_from(depth).ok()?;
        Some(State::RcuDepth(if minus.is_some() { -depth } else { depth }))
    })
    .parse(line)
}

fn blocked(line: &[u8]) -> Parsed<'_, State> {
    let before = (opt(tag("rcu:")), blanks, opt(tag("\t")));
    value(State::BlockedTasks, (before, tag("Tasks blocked on level-"))).parse(line)
}

/// The tasks behind `Tasks blocked on level-0 rcu_node (CPUs 0-1):`: ` P6135/1:b..l P5964/2:b..l`, before Linux 5.9
/// ` P6135`.
pub(crate) fn blocked_tasks(line: &[u8]) -> impl Iterator<Item = u64> {
    let tasks = search::after(line, "):").unwrap_or_default();
    let words = tasks.split(|b| *b == b' ');
    words.filter_map(|word| preceded(tag("P"), decimal).parse(word).ok().map(|(_, pid)| pid))
}

fn starved(line: &[u8]) -> Parsed<'_, State> {
    let before = (take_until(" kthread starved for "), tag(" kthread starved for "));
    map(delimited(before, decimal, tag(" jiffies!")), State::Starved).parse(line)
}

fn atomic(line: &[u8]) -> Parsed<'_, State> {
    let irqs = preceded(tag(", irqs_disabled(): "), decimal);
    let both = (preceded(tag("in_atomic(): "), decimal), irqs);
    map(both, |(in_atomic, irqs)| State::Atomic {
        in_atomic: in_atomic != 0,
        irqs_disabled: irqs != 0,
    })
    .parse(line)
}

fn depth(line: &[u8]) -> Parsed<'_, State> {
    let both = (preceded(tag("preempt_count: "), hex), preceded(tag(", expected: "), hex));
    map(both, |(found, expected)| State::PreemptCount {
        found: found.value,
        expected: expected.value,
    })
    .parse(line)
}

fn stall(line: &[u8]) -> Parsed<'_, State> {
    let by = opt(delimited(tag("detected by "), decimal, tag(", ")));
    let jiffies = delimited(tag("t="), decimal, tag(" jiffies"));
    map(preceded(tag("("), (by, jiffies)), |(detected_by, jiffies)| State::Stall {
        jiffies,
        detected_by,
    })
    .parse(line)
}

fn stalled(line: &[u8]) -> Parsed<'_, State> {
    let marks = take_while_m_n(4, 4, |b: u8| b.is_ascii_digit() || b".OoND!?".contains(&b));
    let before = (opt(tag("rcu:")), blanks, opt(tag("\t")));
    let cpu = delimited(before, decimal, (tag("-"), marks, tag(": (")));
    map(cpu, State::StalledCpu).parse(line)
}

fn overwritten(line: &[u8]) -> Parsed<'_, State> {
    let range = (preceded(opt(tag("INFO: ")), hex), preceded(tag("-"), hex));
    let offset = opt(preceded(tag(" @offset="), decimal));
    let values = (preceded(tag(". First byte "), hex), preceded(tag(" instead of "), hex));
    let (rest, ((start, end), values)) = (terminated(range, offset), values).parse(line)?;
    let (found, expected) = (values.0.value, values.1.value);
    Ok((rest, State::Overwritten { start, end, found, expected }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_state() {
        let p = |line: &'static str| state(line.as_bytes()).map(|(_, state)| state).expect(line);
        let line = "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 46, name: (udev-worker)";
        assert_eq!(p(line), State::Atomic { in_atomic: true, irqs_disabled: false });
        let line = "preempt_count: 101, expected: 0";
        assert_eq!(p(line), State::PreemptCount { found: 0x101, expected: 0 });
        assert_eq!(p("Preemption disabled at:"), State::PreemptionDisabled);
        assert_eq!(p("RCU nest depth: -1, expected: 0"), State::RcuDepth(-1));
        let line = "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-1): P6135/1:b..l P5964/2:b..l";
        assert_eq!(p(line), State::BlockedTasks);
        assert_eq!(blocked_tasks(line.as_bytes()).collect::<Vec<_>>(), [6135, 5964]);
        assert_eq!(p("Tasks blocked on level-1 rcu_node (CPUs 0-15): P9"), State::BlockedTasks);
        let line =
            b"rcu: rcu_preempt kthread starved for 10598 jiffies! g19185 f0x2 RCU_GP_WAIT_FQS(5)";
        assert_eq!(state(line).map(|(_, state)| state), Ok(State::Starved(10598)));
        let line = "(t=1001 jiffies g=-859 q=12 ncpus=2)";
        assert_eq!(p(line), State::Stall { jiffies: 1001, detected_by: None });
        let line = "(detected by 0, t=5252 jiffies, g=12, q=3)";
        assert_eq!(p(line), State::Stall { jiffies: 5252, detected_by: Some(0) });
        for line in ["rcu: \t1-....: (310 ticks this GP) idle=ce6c", "1-...!: (0 ticks this GP)"] {
            assert_eq!(p(line), State::StalledCpu(1), "{line}");
        }
        let line =
            "0xffff88a4832b2048-0xffff88a4832b204b @offset=72. First byte 0x3 instead of 0x6b";
        let State::Overwritten { start, end, found, expected } = p(line) else { panic!("{line}") };
        assert_eq!((end.value - start.value, found, expected), (3, 0x3, 0x6b));
    }

    #[test]
    fn err_state() {
        for line in [
            "",
            "in_atomic(): x",
            "preempt_count: 1",
            "(t=1",
            "(detected by x, t=1 jiffies",
            "1-.: (",
            "0x1-0x2",
            "0x1-0x2. First byte 0x3",
        ] {
            assert!(state(line.as_bytes()).is_err(), "{line}");
        }
    }
}
