//! Diagnoses: one sentence about the failure, and the facts of the report that support it.
//!
//! A rule of [`RULES`] reads the model of its kinds alone. It returns `None` if a name or a number that its
//! sentence needs is missing.

mod lockup;
mod message;
mod misuse;
mod pages;
mod trap;

use std::fmt::Write as _;

use crate::functions;
use crate::kind::Kind;
use crate::model::{
    AccessKind, Confidence, Diagnosis, Evidence, Lock, LockState, Object, RaceAccess, Report, Role,
    Side, Stack,
};
use crate::reason::BlameReason;

/// The maximum number of facts of a diagnosis.
const MAX_WHY: usize = 3;

/// The maximum number of locks in a fact.
const MAX_HELD: usize = 3;

/// A sentence and its facts, if the report has all values that they need.
type Sentence = Option<(String, Vec<Evidence>)>;

/// A rule.
type Rule = fn(&Report<'_>) -> Sentence;

/// The rules in the order in which they are tried.
const RULES: &[Rule] = &[
    race,
    leak,
    message::reference_count,
    message::user_copy,
    message::buffer,
    message::undefined,
    message::active_object,
    message::rcu,
    message::init,
    message::canary,
    message::per_cpu,
    message::panic,
    message::transmit_queue,
    pages::uninitialized,
    pages::bad_page,
    pages::pressure,
    pages::machine_check,
    pages::list,
    overwritten,
    slab,
    object,
    pages::local_variable,
    variable,
    pages::address,
    misuse::spinlock,
    misuse::release,
    misuse::left,
    misuse::wait_context,
    misuse::work,
    misuse::unregistered,
    inversion,
    cycle,
    recursion,
    usage,
    sleeping,
    blocked,
    lockup::stalled,
    lockup::stuck,
    lockup::deaf,
    lockup::pool,
    overflow,
    trap::division,
    trap::call,
    trap::interrupt,
    trap::rejected,
    trap::unknown_instruction,
];

/// The diagnosis of a report.
pub(crate) fn of(report: &Report<'_>) -> Option<Diagnosis> {
    let (summary, mut why) = RULES.iter().find_map(|rule| rule(report))?;
    why.truncate(MAX_WHY);
    let is_sure = report.is_usable();
    let confidence = if is_sure { Confidence::Certain } else { Confidence::Likely };
    Some(Diagnosis { summary, why, confidence })
}

/// Returns the first function of a stack that may contain the bug.
fn site<'a>(stack: &'a Stack<'_>) -> Option<&'a str> {
    let frames = stack.frames.iter().filter(|frame| frame.reliable);
    let mut functions = frames.filter_map(|frame| frame.function.as_deref()).map(functions::base);
    functions.find(|function| functions::reason(function).is_none())
}

fn stack<'a, 'log>(report: &'a Report<'log>, role: Role) -> Option<&'a Stack<'log>> {
    report.stacks.iter().find(|stack| stack.role == role)
}

fn site_of<'a>(report: &'a Report<'_>, role: Role) -> Option<&'a str> {
    stack(report, role).and_then(site)
}

/// The function that the report is about.
fn crash_site<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    let blamed = report.blame.as_ref().map(|blame| &*blame.function);
    blamed.or_else(|| site_of(report, Role::Crash))
}

/// `Web Content/46`, in the format of lockdep and KASAN.
fn task(report: &Report<'_>) -> Option<String> {
    let pid = report.task.pid?;
    Some(match &report.task.comm {
        Some(comm) => format!("{comm}/{pid}"),
        None => format!("task {pid}"),
    })
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// Returns ` in f`; an empty text without a function.
fn within(function: Option<&str>) -> String {
    function.map(|function| format!(" in {function}")).unwrap_or_default()
}

/// A data race: two accesses, and the change of the value.
fn race(report: &Report<'_>) -> Sentence {
    let race = report.race.as_ref()?;
    if let [only] = race.accesses.as_slice() {
        // KCSAN_REPORT_RACE_UNKNOWN_ORIGIN of print_report() in kernel/kcsan/report.c.
        let access = side(only, site_of(report, Role::Crash));
        let why = changed(report).into_iter().collect();
        return Some((format!("{access} races with a write of unknown origin"), why));
    }
    let [first, second] = race.accesses.as_slice() else { return None };
    let (a, b) =
        (side(first, site_of(report, Role::Crash)), side(second, site_of(report, Role::Race)));
    let mut why: Vec<_> = changed(report).into_iter().collect();
    let plain = [first, second].into_iter().filter(|access| !access.marked).count();
    if plain == 1 {
        let marked = "one access is marked as concurrent, the other is unmarked";
        why.push(Evidence::new(marked.to_owned(), None));
    }
    Some((format!("{a} races with {b}"), why))
}

fn changed(report: &Report<'_>) -> Option<Evidence> {
    let change = report.race.as_ref()?.change.as_ref()?;
    let text = format!("the value changed from {} to {} in between", change.from, change.to);
    Some(Evidence::new(text, None))
}

fn side(access: &RaceAccess, function: Option<&str>) -> String {
    let who = access.task.map_or("an interrupt".to_owned(), |task| format!("task {task}"));
    let cpu = access.cpu.map(|cpu| format!(" on CPU {cpu}")).unwrap_or_default();
    let (kind, size) = (access.kind, bytes(access.size));
    format!("the {kind} of {size}{} by {who}{cpu}", within(function))
}

/// A leaked object: the task that allocated it.
fn leak(report: &Report<'_>) -> Sentence {
    let leak = report.leak.as_ref()?;
    let function = crash_site(report)?;
    let task = task(report).map(|task| format!(" in {task}")).unwrap_or_default();
    let size = bytes(leak.size);
    Some((format!("{function}{task} allocated {size} that are unreferenced"), Vec::new()))
}

/// An object that was accessed: the access, and the tasks that freed and allocated it.
fn object(report: &Report<'_>) -> Sentence {
    let memory = report.memory.as_ref()?;
    let object = memory.object.as_ref()?;
    let access = report.access.as_ref()?;
    let function = crash_site(report)?;
    let freed = stack(report, Role::Free);
    let thing = describe(object, freed.is_some() && access.kind != Some(AccessKind::Free));
    let kind = access.kind?;
    if kind == AccessKind::Free {
        return Some((release_of(object, function, freed.is_some()), tracks(report)));
    }
    let what = verb(kind)?;
    let size = access.size.map(|size| format!(" {}", bytes(size))).unwrap_or_default();
    let place = match (access.size, place(object)) {
        (Some(_), Some(place)) => format!(", {place} {thing}"),
        (Some(_), None) => format!(" of {thing}"),
        (None, _) => format!(" {thing}"),
    };
    // KASAN reports an access inside an object if fewer bytes than its size were requested.
    let is_beyond = freed.is_none()
        && object.side == Some(Side::Inside)
        && report.headline.contains("out-of-bounds");
    let beyond = if is_beyond { ", beyond the bytes that were requested" } else { "" };
    Some((format!("{function} {what}{size}{place}{beyond}"), tracks(report)))
}

/// A global variable that was accessed, by the distance from its start.
fn variable(report: &Report<'_>) -> Sentence {
    let variable = report.memory.as_ref()?.variable.as_ref()?;
    let function = crash_site(report)?;
    let access = report.access.as_ref()?;
    let (what, size) = (verb(access.kind?)?, bytes(access.size?));
    let place = match variable.offset {
        0 => "at the start".to_owned(),
        offset => format!("{} behind the start", bytes(offset)),
    };
    let summary = format!("{function} {what} {size}, {place} of the variable {}", variable.name);
    Some((summary, Vec::new()))
}

fn verb(kind: AccessKind) -> Option<&'static str> {
    match kind {
        AccessKind::Read => Some("reads"),
        AccessKind::Write => Some("writes"),
        AccessKind::Free | AccessKind::Execute => None,
    }
}

/// An invalid or second free.
fn release_of(object: &Object<'_>, function: &str, is_freed: bool) -> String {
    let again = if is_freed { " that is free already" } else { "" };
    let thing = describe(object, false);
    match place(object).filter(|_| object.distance != Some(0)) {
        Some(place) => format!("{function} frees an address {place} {thing}{again}"),
        None => format!("{function} frees {thing}{again}"),
    }
}

/// Returns the tasks that freed and allocated an object.
fn tracks(report: &Report<'_>) -> Vec<Evidence> {
    let memory = report.memory.as_ref();
    let freed = stack(report, Role::Free)
        .map(|freed| release(report, freed, memory.and_then(|memory| memory.freed_by)));
    let allocation = stack(report, Role::Allocation);
    let allocated =
        allocation.and_then(|stack| Some((stack, site(stack)?))).map(|(stack, function)| {
            let by = memory.and_then(|memory| memory.allocated_by);
            let by = by.map(|pid| format!(" by task {pid}")).unwrap_or_default();
            Evidence::new(format!("it was allocated in {function}{by}"), Some(stack.offset))
        });
    freed.into_iter().chain(allocated).collect()
}

/// `8 bytes inside`, `directly behind`.
fn place(object: &Object<'_>) -> Option<String> {
    let (side, distance) = object.side.zip(object.distance)?;
    Some(place_of(side, distance))
}

fn place_of(side: Side, distance: u64) -> String {
    match (side, distance) {
        (Side::Inside, 0) => "at the start of".to_owned(),
        (Side::Inside, distance) => format!("{} inside", bytes(distance)),
        (Side::After, 0) => "directly behind".to_owned(),
        (Side::After, distance) => format!("{} behind", bytes(distance)),
        (Side::Before, distance) => format!("{} before", bytes(distance)),
    }
}

fn describe(object: &Object<'_>, is_freed: bool) -> String {
    let freed = if is_freed { "a freed" } else { "an" };
    // The region that was requested may be smaller than the objects of the cache: print_address_description()
    // in mm/kasan/report.c prints both since Linux 6.1.
    let region = object.start.zip(object.end).and_then(|(a, b)| b.value.checked_sub(a.value));
    let size = region.or(object.size).map(|size| format!(" of {}", bytes(size)));
    let size = size.unwrap_or_default();
    let cache = object.cache.as_deref().map(|cache| format!(" ({cache})")).unwrap_or_default();
    format!("{freed} object{size}{cache}")
}

/// Returns the task that freed an object, and the function.
fn release(report: &Report<'_>, freed: &Stack<'_>, by: Option<u64>) -> Evidence {
    let holds = |names: &[&str]| {
        let functions = freed.frames.iter().filter_map(|frame| frame.function.as_deref());
        functions.map(functions::base).any(|function| names.contains(&function))
    };
    let mut text = format!("it was freed{}", within(site(freed)));
    // rcu_do_batch() in kernel/rcu/tree.c runs callbacks, process_one_work() in kernel/workqueue.c
    // runs work items.
    if holds(&["rcu_do_batch", "rcu_core", "rcu_core_si"]) {
        text.push_str(", in an RCU callback");
    } else if holds(&["process_one_work"]) {
        text.push_str(", in a work");
    }
    match (by, report.task.pid) {
        (Some(by), Some(pid)) if by == pid => write!(text, ", by the same task ({by})"),
        (Some(by), Some(_)) => write!(text, ", by another task ({by})"),
        (Some(by), None) => write!(text, ", by task {by}"),
        (None, _) => Ok(()),
    }
    .ok();
    Evidence::new(text, Some(freed.offset))
}

fn lock<'a, 'log>(report: &'a Report<'log>, state: LockState) -> Option<&'a Lock<'log>> {
    report.locks.iter().find(|lock| lock.state == state)
}

/// `&inode->i_rwsem/2`: the class, with the number of the subclass.
fn class(lock: &Lock<'_>) -> String {
    let subclass = lock.subclass.map(|number| format!("/{number}")).unwrap_or_default();
    format!("{}{subclass}", lock.class)
}

/// `&log->lock (cm_log_append)`.
fn taken(lock: &Lock<'_>) -> String {
    match &lock.function {
        Some(function) => format!("{} ({})", class(lock), functions::base(function)),
        None => class(lock),
    }
}

/// The starts of classes that belong to no lock: process_one_work() in kernel/workqueue.c.
const PSEUDO_LOCKS: &[&str] = &["(wq_completion)", "(work_completion)"];

/// Returns the locks that the task holds, without those of its work item.
fn held<'a, 'log>(report: &'a Report<'log>) -> impl Iterator<Item = &'a Lock<'log>> {
    report.locks.iter().filter(|lock| {
        lock.state == LockState::Held
            && !PSEUDO_LOCKS.iter().any(|start| lock.class.starts_with(start))
    })
}

/// Names up to three locks that a task holds.
fn holds<'a, 'log: 'a>(locks: impl Iterator<Item = &'a Lock<'log>>) -> Option<Evidence> {
    let locks: Vec<_> = locks.take(MAX_HELD).collect();
    let offset = locks.first()?.offset;
    let names: Vec<_> = locks.into_iter().map(taken).collect();
    Some(Evidence::new(format!("it holds {}", names.join(", ")), Some(offset)))
}

/// A cycle of locks: the held and the wanted lock of the task, and the place of the opposite order.
fn cycle(report: &Report<'_>) -> Sentence {
    if report.cycle.len() < 2 {
        return None;
    }
    let wanted = lock(report, LockState::Wanted)?;
    let held = lock(report, LockState::Held)?;
    let task = task(report)?;
    let summary = format!("{task} holds {} and wants {}", taken(held), taken(wanted));
    let links = || report.locks.iter().filter(|lock| lock.state == LockState::Chain);
    let sites: Vec<_> = report.stacks.iter().filter(|stack| stack.role == Role::Chain).collect();
    // Links and stacks are in the same order, the innermost lock last; a link without frames has no
    // stack.
    if sites.len() != links().count() {
        return Some((summary, Vec::new()));
    }
    let pairs = links().zip(links().skip(1)).zip(&sites);
    let why = pairs.map(|((later, earlier), stack)| {
        let (later, earlier, offset) = (class(later), class(earlier), later.offset);
        let text = match site(stack) {
            Some(site) => format!("{site} took {later} while it held {earlier}"),
            None => format!("{later} was taken while {earlier} was held"),
        };
        Evidence::new(text, Some(offset))
    });
    let mut why: Vec<_> = why.collect();
    why.reverse();
    Some((summary, why))
}

/// A lock that interrupts take, and one that is taken with interrupts enabled: print_irq_inversion_bug() in
/// kernel/locking/lockdep.c.
fn inversion(report: &Report<'_>) -> Sentence {
    let is_inversion = report.headline.contains("lock inversion dependency");
    let (changed, past) = lock(report, LockState::Wanted)
        .zip(lock(report, LockState::Past))
        .filter(|_| is_inversion)?;
    let (interrupt, is_in) = interrupts(changed, past)?;
    let (place, changed, past) =
        (within(changed.function.as_deref().map(functions::base)), class(changed), class(past));
    let enabled = format!("with {interrupt} interrupts enabled");
    let (inner, outer, summary) = if is_in {
        let summary = format!(
            "{changed} is taken{place} in a {interrupt} interrupt, and {past}, which is taken while it is held, also {enabled}"
        );
        (past, changed, summary)
    } else {
        let summary = format!(
            "{changed} is taken{place} {enabled}, and while {past} is held, which {interrupt} interrupts take"
        );
        (changed, past, summary)
    };
    let risk = format!(
        "CPU 0 holds {inner}, CPU 1 holds {outer} and waits for {inner}, and an interrupt of CPU 0 waits for {outer}"
    );
    Some((summary, vec![Evidence::new(risk, None)]))
}

/// Returns the interrupts that take one of two locks while the other is taken with them enabled, and whether they take
/// the first one. get_usage_chars() in kernel/locking/lockdep.c: writers and readers in hard interrupts, then in soft
/// ones.
fn interrupts(first: &Lock<'_>, second: &Lock<'_>) -> Option<(&'static str, bool)> {
    let uses = |lock: &Lock<'_>, at: usize, marks: [char; 2]| {
        let usage = lock.usage.as_deref().and_then(|usage| usage.get(at..at + 2));
        usage.is_some_and(|usage| usage.contains(marks))
    };
    let takes = |lock: &Lock<'_>, at| uses(lock, at, ['-', '?']);
    let allows = |lock: &Lock<'_>, at| uses(lock, at, ['+', '?']);
    [(0, "hard"), (2, "soft")].into_iter().find_map(|(at, name)| {
        if takes(first, at) && allows(second, at) {
            Some((name, true))
        } else {
            (takes(second, at) && allows(first, at)).then_some((name, false))
        }
    })
}

/// A lock that is taken while one of its class is held.
fn recursion(report: &Report<'_>) -> Sentence {
    let wanted = lock(report, LockState::Wanted)?;
    let held = lock(report, LockState::Held).filter(|held| held.class == wanted.class)?;
    let is_listed = report.locks.iter().any(|lock| lock.state == LockState::Chain);
    let task = task(report).filter(|_| !is_listed && held.holder.is_none())?;
    let function = wanted.function.as_deref().map(functions::base);
    let same = match (wanted.address, held.address) {
        (Some(a), Some(b)) if a == b => "it holds the same lock",
        (Some(_), Some(_)) => "it holds another lock of this class",
        _ => "it holds a lock of this class",
    };
    let place = held.function.as_deref().map(functions::base);
    let place = place.map(|function| format!(", taken in {function}")).unwrap_or_default();
    let why = Evidence::new(format!("{same}{place}"), Some(held.offset));
    Some((format!("{task} takes {} again{}", class(wanted), within(function)), vec![why]))
}

/// A lock that is taken in interrupts and with interrupts enabled.
fn usage(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref()?;
    let (before, now) = message.strip_prefix("inconsistent {")?.split_once("} -> {")?;
    let now = now.split_once('}')?.0;
    let wanted = lock(report, LockState::Wanted)?;
    let (before, now) = (in_words(before)?, in_words(now)?);
    let place = within(wanted.function.as_deref().map(functions::base));
    let summary = format!("{} is taken{place} {now}, and was taken before {before}", class(wanted));
    // mark_lock_irq() prints the stack of the earlier state.
    let earlier = stack(report, Role::Chain).and_then(|stack| Some((site(stack)?, stack.offset)));
    let earlier =
        earlier.map(|(site, offset)| Evidence::new(format!("{site} took it before"), Some(offset)));
    let risk = "if an interrupt takes the lock while it is held, its CPU waits forever";
    let risk = Evidence::new(risk.to_owned(), None);
    Some((summary, earlier.into_iter().chain([risk]).collect()))
}

/// The states of get_usage_string() in kernel/locking/lockdep.c: `IN-HARDIRQ-W`, `SOFTIRQ-ON-R`, and of
/// verify_lock_unused(): `IN-NMI`.
fn in_words(state: &str) -> Option<&'static str> {
    let of_both = match state {
        "INITIAL USE" | "INITIAL READ USE" => Some("outside of NMIs"),
        "IN-NMI" => Some("in an NMI"),
        _ => None,
    };
    of_both.or_else(|| match state.strip_suffix("-W").or_else(|| state.strip_suffix("-R"))? {
        "IN-HARDIRQ" => Some("in a hard interrupt"),
        "IN-SOFTIRQ" => Some("in a soft interrupt"),
        "HARDIRQ-ON" => Some("with hard interrupts enabled"),
        "SOFTIRQ-ON" => Some("with soft interrupts enabled"),
        _ => None,
    })
}

/// Overwritten bytes of a slab object: include/linux/poison.h.
fn overwritten(report: &Report<'_>) -> Sentence {
    let overwrite = report.overwrite.as_ref()?;
    let place = match overwrite.expected {
        0x6b | 0xa5 => "a freed object",
        0x5a => "a slab outside of its objects",
        0xbb | 0xcc => "the red zone of an object",
        _ => return None,
    };
    let (found, expected) = (overwrite.found, overwrite.expected);
    let count = overwrite.end.value.saturating_sub(overwrite.start.value).saturating_add(1);
    let count = bytes(count);
    let summary =
        format!("{count} of {place} were overwritten: {found:#x} instead of {expected:#x}");
    Some((summary, tracks(report)))
}

/// A free or a cache that SLUB refuses: free_consistency_checks() and __kmem_cache_shutdown() in mm/slub.c.
fn slab(report: &Report<'_>) -> Sentence {
    let (_, rest) = report.headline.split_once("BUG ")?;
    let (cache, rest) = rest.split_once(" (")?;
    let (_, what) = rest.split_once("): ").filter(|_| report.kind == Kind::Slab)?;
    let function = crash_site(report)?;
    let summary = if what.starts_with("Object already free") {
        format!("{function} frees an object ({cache}) that is free already")
    } else if let Some(pointer) = what.strip_prefix("Invalid object pointer ") {
        format!("{function} frees {pointer}, which is not the start of an object ({cache})")
    } else if what.starts_with("Objects remaining") {
        format!("{function} destroys the cache {cache}, which still has objects")
    } else {
        return None;
    };
    Some((summary, tracks(report)))
}

/// A function that may sleep, in a context that must not.
fn sleeping(report: &Report<'_>) -> Sentence {
    let function = crash_site(report)?;
    let atomic = report.atomic.as_ref();
    let disabled = atomic.and_then(|atomic| atomic.disabled_in.as_deref()).map(functions::base);
    let disabled = disabled.map(|name| Evidence::new(format!("{name} disabled preemption"), None));
    // __schedule_bug() in kernel/sched/core.c.
    if report.headline.contains("scheduling while atomic") {
        let task = task(report)?;
        let summary = format!("{task} schedules in {function} with preemption disabled");
        return Some((summary, disabled.into_iter().collect()));
    }
    let atomic = atomic?;
    let why = match (atomic.in_atomic, atomic.irqs_disabled) {
        (true, true) => "with preemption and interrupts disabled",
        (true, false) => "with preemption disabled",
        (false, true) => "with interrupts disabled",
        (false, false) => match atomic.rcu_depth? {
            0 => return None,
            1.. => "in a read-side critical section of RCU",
            _ => "after a read-side critical section of RCU was left once too often",
        },
    };
    // Locks that spin disable preemption; the innermost is the likeliest reason. Kernels before Linux 5.7 print no
    // wait types.
    let spins = |lock: &&Lock<'_>| lock.wait.as_deref().is_none_or(|wait| wait.ends_with(":2"));
    let held = holds(held(report).filter(spins).last().into_iter());
    let summary = format!("{function} calls a function that may sleep, {why}");
    Some((summary, held.into_iter().chain(disabled).collect()))
}

/// A stack that is full because functions call each other.
fn overflow(report: &Report<'_>) -> Sentence {
    let blame = report.blame.as_ref().filter(|blame| blame.why == BlameReason::CallsItself)?;
    let stack = report.crash_stack()?;
    let functions = stack.frames.iter().filter_map(|frame| frame.function.as_deref());
    let count = functions.filter(|function| functions::base(function) == blame.function).count();
    Some((format!("{} is {count} times in a stack that is full", blame.function), Vec::new()))
}

/// A task that makes no progress: the object for which it waits, and its holder.
fn blocked(report: &Report<'_>) -> Sentence {
    let seconds = report.seconds.filter(|_| report.kind == Kind::HungTask)?;
    let task = task(report)?;
    let place = within(crash_site(report));
    if let Some(holder) = &report.holder {
        let function = site_of(report, Role::Holder);
        let why = function.map(|function| format!("{} is in {function}", holder.comm));
        let offset = stack(report, Role::Holder).map(|stack| stack.offset);
        let why = why.map(|text| Evidence::new(text, offset)).into_iter().collect();
        let (lock, comm, pid) = (named(&holder.lock), &holder.comm, holder.pid);
        let who = format!("which {comm}/{pid} holds; blocked for more than {seconds} s");
        return Some((format!("{task} waits{place} for {lock}, {who}"), why));
    }
    let what = waits_for(report).map(|what| match wanted_class(report) {
        // lockdep lists the lock for which a task waits last.
        Some(class) if LOCKS.contains(&what) => format!(", waiting for {class}, {what}"),
        _ => format!(", waiting for {what}"),
    });
    let what = what.unwrap_or_default();
    Some((format!("{task} has been blocked{place} for more than {seconds} s{what}"), Vec::new()))
}

/// The objects of [`WAITS`] that lockdep lists.
const LOCKS: &[&str] = &["a mutex", "an rw-semaphore"];

/// Returns the class of the last lock in the list of the task.
fn wanted_class(report: &Report<'_>) -> Option<String> {
    let pid = report.task.pid?;
    report.locks.iter().rfind(|lock| lock.holder == Some(pid)).map(class)
}

/// A part of the name of a waiting function, and the object for which it waits.
const WAITS: &[(&str, &str)] = &[
    ("mutex_lock", "a mutex"),         // kernel/locking/mutex.c, rtmutex_api.c
    ("rwsem_down", "an rw-semaphore"), // kernel/locking/rwsem.c
    ("down_read", "an rw-semaphore"),  // the same
    ("down_write", "an rw-semaphore"), // the same
    ("__down", "a semaphore"),         // kernel/locking/semaphore.c
    ("wait_for_common", "a completion"), // kernel/sched/completion.c
    ("wait_for_completion", "a completion"), // the same
    ("io_schedule", "I/O"),            // kernel/sched/core.c
    ("blk_execute_rq", "a block request"), // block/blk-mq.c
    ("submit_bio_wait", "a block request"), // block/bio.c
    ("folio_wait", "a page"),          // mm/filemap.c
    ("wait_on_page", "a page"),        // the same, before Linux 5.18
    ("wait_on_buffer", "a buffer"),    // fs/buffer.c
    ("lock_buffer", "a buffer"),       // the same
    ("log_wait_commit", "a journal commit"), // fs/jbd2/journal.c
    ("wait_transaction_locked", "a journal transaction"), // fs/jbd2/transaction.c
    ("wait_rcu_gp", "an RCU grace period"), // kernel/rcu/update.c
    ("synchronize_", "an RCU grace period"), // kernel/rcu/tree.c, srcutree.c
    ("flush_work", "a work"),          // kernel/workqueue.c
    ("flush_workqueue", "a work queue"), // the same
    ("percpu_ref_switch", "a per-CPU reference count"), // lib/percpu-refcount.c
    ("lock_sock", "a socket"),         // net/core/sock.c
];

/// Returns the object that a task waits for, by the helpers between schedule() and the waiting function. The
/// outermost helper is the most specific.
fn waits_for(report: &Report<'_>) -> Option<&'static str> {
    let frames = report.crash_stack()?.frames.iter().filter(|frame| frame.reliable);
    let functions = frames.filter_map(|frame| frame.function.as_deref()).map(functions::base);
    let helpers = functions.take_while(|function| functions::reason(function).is_some());
    let known = |function: &str| WAITS.iter().rfind(|(part, _)| function.contains(part));
    helpers.filter_map(known).last().map(|(_, what)| *what)
}

/// Returns a lock by its class, or by its type if the kernel printed no class.
fn named(lock: &str) -> String {
    match lock {
        "mutex" | "semaphore" => format!("a {lock}"),
        "rw-semaphore" => format!("an {lock}"),
        _ => lock.to_owned(),
    }
}
