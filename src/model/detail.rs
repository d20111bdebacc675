//! Details of single kinds of reports: the source location, the accesses of a data race, the leaked object,
//! the atomic context, the RCU stall, the overwritten bytes.

use std::borrow::Cow;

use super::{AccessKind, Address};

/// A place in the kernel's source, as the kernel printed it.
///
/// `WARNING: … at fs/io-wq.c:280` (`__warn()` in kernel/panic.c), `kernel BUG at mm/slub.c:448!`
/// (`report_bug()` in lib/bug.c), `UBSAN: shift-out-of-bounds in lib/x.c:12:3` (`ubsan_prologue()` in
/// lib/ubsan.c), `… invalid context at kernel/locking/mutex.c:580` (`__might_resched()` in
/// kernel/sched/core.c).
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SourceLocation<'log> {
    /// The path as passed to the compiler: mostly relative to the top of the source tree.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub file: Cow<'log, str>,
    /// The line, from 1.
    pub line: u64,
}

/// One access of a data race.
///
/// Printed by `print_report()` in kernel/kcsan/report.c: `write (marked) to 0xffff88812b78c158 of 8 bytes
/// by task 16024 on cpu 1:`. The stack of the first has [`Role::Crash`](super::Role::Crash), that of the
/// second [`Role::Race`](super::Role::Race).
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RaceAccess {
    /// Whether it read or wrote; a read-modify-write counts as a write.
    pub kind: AccessKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its address.
    pub address: Address,
    /// Whether it is marked: `READ_ONCE()`, `WRITE_ONCE()`, an atomic operation.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub marked: bool,
    /// The id of the thread; `None` for an interrupt.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub task: Option<u64>,
    /// The CPU.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cpu: Option<u64>,
}

/// A data race: two concurrent accesses without synchronization.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Race {
    /// The accesses, in the order in which they were printed: two, or one with an unknown origin.
    pub accesses: Vec<RaceAccess>,
    /// The change of the value, if the race changed it: `value changed: 0x01 -> 0x02`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub change: Option<ValueChange>,
}

/// The change of a value during a data race.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ValueChange {
    /// The value before.
    pub from: Address,
    /// The value after.
    pub to: Address,
}

/// An object to which kmemleak found no reference.
///
/// Printed by `print_unreferenced()` in mm/kmemleak.c: `unreferenced object 0xffff888002bbf800 (size 512):`.
/// Its task is [`Report::task`](super::Report::task), its stack has
/// [`Role::Allocation`](super::Role::Allocation).
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Leak {
    /// Its first byte.
    pub address: Address,
    /// Its size in bytes.
    pub size: u64,
}

/// The atomic context in which a function that may sleep was called.
///
/// Printed by `__might_resched()` in kernel/sched/core.c: `in_atomic(): 1, irqs_disabled(): 0, …` and
/// `preempt_count: 1, expected: 0`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AtomicContext<'log> {
    /// Whether preemption is disabled.
    pub in_atomic: bool,
    /// Whether interrupts are disabled on the CPU.
    pub irqs_disabled: bool,
    /// The count of `preempt_disable()`, with soft and hard interrupts in separate bits
    /// (include/linux/preempt.h).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub preempt_count: Option<u64>,
    /// The depth of nested read-side critical sections of RCU, since Linux 5.17; negative if `rcu_read_unlock()` was
    /// called too often.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub rcu_depth: Option<i64>,
    /// The function that disabled preemption: `print_preempt_disable_ip()` in kernel/sched/core.c, with
    /// `CONFIG_DEBUG_PREEMPT`.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub disabled_in: Option<Cow<'log, str>>,
}

/// An RCU grace period that does not end.
///
/// Printed by `print_cpu_stall()` and `print_other_cpu_stall()` in kernel/rcu/tree_stall.h.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stall {
    /// The CPUs for which it waits; empty if it waits for tasks.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub cpus: Vec<u64>,
    /// The thread IDs of tasks that were preempted in a read-side critical section, and for which it
    /// waits: `rcu_print_task_stall()`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub tasks: Vec<u64>,
    /// Its duration in jiffies, of which `CONFIG_HZ` are a second.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub jiffies: Option<u64>,
    /// The CPU that detected the stall; `None` if it is the stalled one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub detected_by: Option<u64>,
    /// The time in jiffies for which the thread of RCU did not run: `rcu_check_gp_kthread_starvation()`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub starved: Option<u64>,
}

/// Overwritten bytes of a slab object.
///
/// Printed by `check_bytes_and_report()` in mm/slub.c: `0x…48-0x…4b @offset=72. First byte 0x3 instead of
/// 0x6b`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Overwrite {
    /// The address of the first overwritten byte.
    pub start: Address,
    /// The address of the last one.
    pub end: Address,
    /// The value of the first byte.
    pub found: u8,
    /// The expected value: poison or a red zone (include/linux/poison.h).
    pub expected: u8,
}

/// The time since boot as seconds, with six digits behind the point as printk prints it.
#[cfg(feature = "serde")]
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Seconds with the six digits of printk: the nearest float to the microseconds.
    #[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
    pub(crate) fn in_seconds(time: &Duration) -> f64 {
        time.as_micros() as f64 / 1e6
    }

    #[allow(clippy::ref_option, reason = "the signature that serde requires")]
    pub(in crate::model) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.serialize_f64(in_seconds(time)),
            None => to.serialize_none(),
        }
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(from)?;
        // Microseconds are exact in a float of 64 bits for 285 years.
        let rounded = |time: Duration| {
            let micros = u64::try_from((time.as_nanos() + 500) / 1000);
            micros.map(Duration::from_micros).unwrap_or_default()
        };
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(rounded))
    }
}
