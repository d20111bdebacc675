//! What the next lines of a report are about, by a line above them.

use crate::search;

/// The role of a symbol on a line of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Announced {
    /// The global variable that contains the address: kasan's print_address_description().
    Variable,
    /// The function that disabled preemption: print_preempt_disable_ip() in kernel/sched/core.c.
    Disabler,
    /// The function whose frame contains the address: kasan_print_address_stack_frame().
    StackFrame,
    /// The function that releases a lock: print_unlock_imbalance_bug() in kernel/locking/lockdep.c.
    Releaser,
}

/// The subject of lines that occur only in reports of one kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Topic {
    #[default]
    Other,
    /// A memory allocation.
    Pressure,
    /// Uninitialized bytes.
    Uninitialized,
    /// A misused lock.
    Lock,
    /// A hardware error.
    MachineCheck,
    /// A page.
    Page,
}

/// The words of headlines, and the subject of the lines below.
const TOPICS: &[(&str, Topic)] = &[
    ("BUG: KMSAN", Topic::Uninitialized),
    ("BUG: spinlock ", Topic::Lock),
    ("bad unlock balance", Topic::Lock),
    ("irq lock inversion dependency", Topic::Lock),
    ("-unsafe lock order detected", Topic::Lock),
    ("BUG: Bad page ", Topic::Page),
    (" invoked oom-killer: ", Topic::Pressure),
    ("page allocation failure", Topic::Pressure),
    (": Machine Check", Topic::MachineCheck),
];

impl Topic {
    pub(super) fn of(headline: &[u8]) -> Self {
        let topic = TOPICS.iter().find(|(words, _)| search::has(headline, words));
        topic.map(|(_, topic)| *topic).unwrap_or_default()
    }
}
