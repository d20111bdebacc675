//! Diagnoses from the message of a check.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_until};
use nom::character::complete::u64 as number;
use nom::combinator::opt;
use nom::sequence::{delimited, preceded};

use super::{Sentence, bytes, crash_site, held, holds, task};
use crate::functions;
use crate::kind::Kind;
use crate::model::Report;

/// The result of a grammar of messages.
type Parsed<'a, T> = nom::IResult<&'a str, T, ()>;

#[expect(clippy::unnecessary_wraps, reason = "the result of a rule")]
fn sentence(summary: String) -> Sentence {
    Some((summary, Vec::new()))
}

/// The messages of refcount_warn_saturate() in lib/refcount.c, and the operation of the function.
const REFERENCES: &[(&str, &str)] = &[
    ("addition on 0", "takes a reference to an object without references: it is freed or will be"),
    ("increment on 0", "takes a reference to an object without references: it is freed or will be"),
    ("underflow", "drops a reference to an object without references"),
    ("decrement hit 0", "drops the last reference and does not free the object"),
    (
        "saturated",
        "counts references beyond the limit: one is leaked in a loop, or the count was overwritten",
    ),
];

pub(super) fn reference_count(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref()?.strip_prefix("refcount_t: ")?;
    let (_, what) = REFERENCES.iter().find(|(start, _)| message.starts_with(start))?;
    sentence(format!("{} {what}", crash_site(report)?))
}

/// `usercopy: Kernel memory exposure attempt detected from SLUB object 'x' (offset 0, size 400)!`:
/// usercopy_abort() in mm/usercopy.c.
fn user_copy_of(input: &str) -> Parsed<'_, (bool, &str, u64, u64)> {
    let start = (tag("usercopy: "), alt((tag("K"), tag("k"))), tag("ernel memory "));
    let from = tag("exposure attempt detected from ").map(|_| true);
    let to = tag("overwrite attempt detected to ").map(|_| false);
    let what = (take_until(" (offset "), tag(" (offset "));
    let size = delimited(tag(", size "), number, tag(")"));
    let (rest, (_, is_from, (what, _), offset, size)) =
        (start, alt((from, to)), what, number, size).parse(input)?;
    Ok((rest, (is_from, what, offset, size)))
}

/// `usercopy: kernel memory overwrite attempt detected to ffff8801d21c9bd4 (kvm_vcpu) (136 bytes)`:
/// report_usercopy() in mm/usercopy.c, before Linux 4.16.
fn old_user_copy_of(input: &str) -> Parsed<'_, (bool, &str, u64)> {
    let from = tag("exposure attempt detected from ").map(|_| true);
    let to = tag("overwrite attempt detected to ").map(|_| false);
    let start = (tag("usercopy: kernel memory "), alt((from, to)));
    let what = delimited((is_not(" "), tag(" (")), is_not(")"), tag(") ("));
    let (rest, ((_, is_from), what, size, _)) =
        (start, what, number, tag(" bytes)")).parse(input)?;
    Ok((rest, (is_from, what, size)))
}

pub(super) fn user_copy(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref()?;
    let function = crash_site(report)?;
    if let Ok((_, (is_from, what, size))) = old_user_copy_of(message) {
        let way = if is_from { "to user space from" } else { "from user space to" };
        let size = bytes(size);
        return sentence(format!(
            "{function} copies {size} {way} {what}, outside the area that may be copied"
        ));
    }
    let (_, (is_from, what, offset, size)) = user_copy_of(message).ok()?;
    let (size, way) =
        (bytes(size), if is_from { "to user space from" } else { "from user space to" });
    let place = format!("offset {offset} of {what}");
    sentence(format!("{function} copies {size} {way} {place}, outside the area that may be copied"))
}

/// `memcpy: detected field-spanning write (size 41) of single field "o->name" at x.c:580 (size 32)`:
/// fortify_memcpy_chk() in include/linux/fortify-string.h.
fn field_of(input: &str) -> Parsed<'_, (&str, u64, &str, u64)> {
    let (rest, name) = is_not(":").parse(input)?;
    let size = delimited(
        tag(": detected field-spanning write (size "),
        number,
        tag(") of single field \""),
    );
    let field = (is_not("\""), take_until("(size "));
    let (rest, (size, (field, _), room)) =
        (size, field, delimited(tag("(size "), number, tag(")"))).parse(rest)?;
    Ok((rest, (name, size, field, room)))
}

/// `strnlen: detected buffer overflow: 17 byte read of buffer size 16`: __fortify_report() in
/// lib/string_helpers.c.
fn overflow_of(input: &str) -> Parsed<'_, (&str, u64, &str, u64)> {
    let (rest, name) = is_not(":").parse(input)?;
    let size = preceded(tag(": detected buffer overflow: "), number);
    let what = delimited(tag(" byte "), is_not(" "), tag(" of buffer size "));
    let (rest, (size, what, room)) = (size, what, number).parse(rest)?;
    Ok((rest, (name, size, what, room)))
}

pub(super) fn buffer(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref()?;
    let function = crash_site(report)?;
    if let Ok((_, (name, size, field, room))) = field_of(message) {
        return sentence(format!(
            "{name}() in {function} writes {} to the field \"{field}\" of {}",
            bytes(size),
            bytes(room)
        ));
    }
    let (_, (name, size, what, room)) = overflow_of(message).ok()?;
    let verb = if what == "read" { "reads" } else { "writes" };
    let (size, room) = (bytes(size), bytes(room));
    sentence(format!("{name}() in {function} {verb} {size} of a buffer of {room}"))
}

/// `index 8 is out of range for type 'int [4]'`: __ubsan_handle_out_of_bounds() in lib/ubsan.c.
fn index_of(input: &str) -> Parsed<'_, (&str, &str)> {
    let index = preceded(tag("index "), is_not(" "));
    let kind = delimited(tag(" is out of range for type '"), is_not("'"), tag("'"));
    (index, kind).parse(input)
}

/// `shift exponent 37 is too large for 32-bit type 'int'`: __ubsan_handle_shift_out_of_bounds().
fn shift_of(input: &str) -> Parsed<'_, (&str, u64)> {
    let exponent = preceded(tag("shift exponent "), is_not(" "));
    (exponent, delimited(tag(" is too large for "), number, tag("-bit type"))).parse(input)
}

/// `left shift of 1 by 63 places cannot be represented in type 'long long int'`: the same.
fn left_shift_of(input: &str) -> Parsed<'_, (&str, &str, &str)> {
    let value = preceded(tag("left shift of "), is_not(" "));
    let count = delimited(tag(" by "), is_not(" "), tag(" places cannot be represented in type '"));
    (value, count, is_not("'")).parse(input)
}

/// `signed integer overflow:` and `2147483647 + 1 cannot be represented in type 'int'`: handle_overflow().
fn result_of(input: &str) -> Parsed<'_, (&str, &str)> {
    let (rest, _) = opt(preceded(opt(tag("un")), tag("signed integer overflow: "))).parse(input)?;
    let sum =
        (take_until(" cannot be represented in type '"), tag(" cannot be represented in type '"));
    let (rest, ((sum, _), kind)) = (sum, is_not("'")).parse(rest)?;
    Ok((rest, (sum, kind)))
}

/// `load of value 41 is not a valid value for type '_Bool'`: __ubsan_handle_load_invalid_value().
fn load_of(input: &str) -> Parsed<'_, (&str, &str)> {
    let value = preceded(tag("load of value "), is_not(" "));
    let kind = delimited(tag(" is not a valid value for type '"), is_not("'"), tag("'"));
    (value, kind).parse(input)
}

/// `shift exponent -1 is negative`, `left shift of negative value -1`: __ubsan_handle_shift_out_of_bounds().
fn negative_of(input: &str) -> Parsed<'_, (&str, bool)> {
    let by = (tag("shift exponent "), is_not(" "), tag(" is negative")).map(|(_, n, _)| (n, true));
    let of = preceded(tag("left shift of negative value "), is_not(" ")).map(|n| (n, false));
    alt((by, of)).parse(input)
}

/// Returns the function that called the handler of UBSAN.
fn checked<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    let frames = &report.crash_stack()?.frames;
    let handler = frames.iter().rposition(|frame| {
        frame.function.as_deref().is_some_and(|function| function.starts_with("__ubsan_handle_"))
    })?;
    let callers = frames.get(handler + 1..)?.iter().filter(|frame| frame.reliable && !frame.inline);
    callers.filter_map(|frame| frame.function.as_deref()).map(functions::base).next()
}

pub(super) fn undefined(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref().filter(|_| report.kind == Kind::Ubsan)?;
    let function = checked(report).or_else(|| crash_site(report))?;
    if let Ok((_, (index, kind))) = index_of(message) {
        let count = kind.rsplit_once('[').and_then(|(_, count)| count.strip_suffix(']'));
        return sentence(match count.filter(|count| !count.is_empty()) {
            Some(count) => format!("{function} uses index {index} of an array of {count} elements"),
            None => format!("{function} uses index {index} of an array of type {kind}"),
        });
    }
    if let Ok((_, (value, kind))) = load_of(message) {
        return sentence(format!("{function} reads {value} where a {kind} is stored"));
    }
    if let Ok((_, (number, is_exponent))) = negative_of(message) {
        let what = if is_exponent { "a value by" } else { "the value" };
        return sentence(format!("{function} shifts {what} {number}, which is negative"));
    }
    if let Ok((_, (exponent, width))) = shift_of(message) {
        return sentence(format!("{function} shifts a value of {width} bits by {exponent}"));
    }
    if let Ok((_, (value, count, kind))) = left_shift_of(message) {
        return sentence(format!(
            "{function} shifts {value} by {count}, beyond the range of {kind}"
        ));
    }
    let (_, (sum, kind)) = result_of(message).ok()?;
    sentence(format!("{function} computes {sum}, which is beyond the range of {kind}"))
}

/// The messages of debug_print_object() in lib/debugobjects.c, and what happened to the object.
const ACTIONS: &[(&str, &str)] = &[
    ("free active", "is active while the memory that holds it is freed"),
    ("init active", "is active while it is initialized again"),
    ("activate active", "is active while it is activated again"),
    ("activate not available", "is activated, and was never initialized"),
    ("assert_init not available", "is used, and was never initialized"),
    ("deactivate not available", "is deactivated, and was never initialized"),
];

/// `ODEBUG: free active (active state 0) object: X object type: timer_list hint: f+0x0/0x1`.
fn tracked(input: &str) -> Parsed<'_, (&str, &str, Option<&str>)> {
    let action =
        delimited(tag("ODEBUG: "), take_until(" (active state"), take_until("object type: "));
    let kind = preceded(tag("object type: "), is_not(" "));
    let hint = opt(preceded(tag(" hint: "), is_not("+ ")));
    (action, kind, hint).parse(input)
}

pub(super) fn active_object(report: &Report<'_>) -> Sentence {
    let (_, (action, kind, hint)) = tracked(report.message.as_deref()?).ok()?;
    let (_, what) = ACTIONS.iter().find(|(known, _)| *known == action)?;
    // `%pS` of an address without a symbol is a number.
    let hint = hint.filter(|hint| !hint.starts_with("0x") && !hint.starts_with('('));
    let hint = hint.map(|hint| format!(" with the function {hint}")).unwrap_or_default();
    let place = crash_site(report).map(|function| format!(", in {function}")).unwrap_or_default();
    sentence(format!("a {kind}{hint} {what}{place}"))
}

/// The messages of lockdep_rcu_suspicious() in kernel/locking/lockdep.c.
pub(super) fn rcu(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref().filter(|_| report.kind == Kind::RcuUsage)?;
    let function = crash_site(report)?;
    let summary = if let Some(usage) = message.strip_prefix("suspicious ") {
        let usage = usage.strip_suffix(" usage!")?;
        format!("{function} uses {usage} without the required lock")
    } else if message.starts_with("RCU-list traversed in non-reader section") {
        format!("{function} walks an RCU list outside of a read-side critical section")
    } else if message.starts_with("Illegal context switch in RCU") {
        format!("{function} may sleep in a read-side critical section of RCU")
    } else {
        return None;
    };
    Some((summary, holds(held(report)).into_iter().collect()))
}

/// `NETDEV WATCHDOG: eth0 (e1000): transmit queue 0 timed out 5120 ms`: dev_watchdog() in net/sched/sch_generic.c;
/// older kernels print no time.
fn queue_of(input: &str) -> Parsed<'_, (&str, &str, Option<u64>, Option<u64>)> {
    let before = (take_until("NETDEV WATCHDOG: "), tag("NETDEV WATCHDOG: "));
    let device = preceded(before, is_not(" "));
    let driver = delimited(tag(" ("), is_not(")"), tag("): transmit queue"));
    let queue = opt(delimited(tag(" "), number, tag(" timed out")));
    let time = opt(delimited(tag(" "), number, tag(" ms")));
    (device, driver, queue, time).parse(input)
}

/// A network device that does not complete what it has to transmit.
pub(super) fn transmit_queue(report: &Report<'_>) -> Sentence {
    let message = report.message.as_deref().unwrap_or(&report.headline);
    let (_, (device, driver, queue, time)) = queue_of(message).ok()?;
    let queue = queue.map(|queue| format!(" {queue}")).unwrap_or_default();
    let time = time.map(|time| format!(" for {time} ms")).unwrap_or_default();
    sentence(format!(
        "the driver {driver} completed nothing of transmit queue{queue} of {device}{time}"
    ))
}

/// `Attempted to kill init! exitcode=0x0000000b`: do_exit() in kernel/exit.c prints the status of wait().
pub(super) fn init(report: &Report<'_>) -> Sentence {
    let (_, code) = report.headline.split_once("Attempted to kill init! exitcode=0x")?;
    let digits = code.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(code.len());
    let status = u32::from_str_radix(code.get(..digits)?, 16).ok()?;
    sentence(match status & 0x7f {
        0 => format!("init exited with status {}", (status >> 8) & 0xff),
        signal => format!("init was killed by signal {signal}"),
    })
}

/// The reasons of panic(), and their meanings; each with the function that gives it.
const PANICS: &[(&str, &str)] = &[
    // mount_root_generic() in init/do_mounts.c
    ("VFS: Unable to mount root fs", "the kernel cannot mount the root file system"),
    // kernel_init() in init/main.c
    ("No working init found", "the kernel found no program to start as init"),
    ("Requested init ", "the program that `init=` names cannot be started"),
    // out_of_memory() in mm/oom_kill.c
    ("System is deadlocked on memory", "memory is exhausted, and no task can be killed"),
    ("Out of memory and no killable processes", "memory is exhausted, and no task can be killed"),
    ("Out of memory: compulsory panic_on_oom", "memory is exhausted, and `panic_on_oom` is set"),
    ("Out of memory: system-wide panic_on_oom", "memory is exhausted, and `panic_on_oom` is set"),
    // do_exit() in kernel/exit.c
    ("Attempted to kill the idle task", "the idle task of a CPU crashed"),
    (
        "Aiee, killing interrupt handler",
        "the kernel crashed in an interrupt, where no task can be killed",
    ),
    // schedule_debug() in kernel/sched/core.c
    ("corrupted stack end detected inside scheduler", "the stack of the task is overrun"),
    // kernel_stack_overflow() in arch/s390/kernel/traps.c
    ("Corrupt kernel stack", "the stack of the task is overrun"),
    // sysrq_handle_crash() in drivers/tty/sysrq.c
    ("sysrq triggered crash", "a user triggered the crash by SysRq"),
    // __ghes_panic() in drivers/acpi/apei/ghes.c
    ("Fatal hardware error", "the firmware reported a fatal hardware error"),
    // mce_timed_out() in arch/x86/kernel/cpu/mce/core.c
    (
        "Timeout: Not all CPUs entered broadcast exception handler",
        "a CPU did not respond to a machine check",
    ),
    // panic_bad_stack(), arm64_serror_panic() in arch/arm64/kernel/traps.c
    (
        "Asynchronous SError Interrupt",
        "the hardware reported an error not caused by an instruction",
    ),
    // unknown_nmi_error(), io_check_error() in arch/x86/kernel/nmi.c
    ("NMI: Not continuing", "the hardware raised an NMI that no driver handled"),
    ("NMI IOCK error", "a device reported an error by an NMI"),
];

pub(super) fn panic(report: &Report<'_>) -> Sentence {
    let (_, reason) = report.headline.split_once("Kernel panic - not syncing: ")?;
    let (_, what) = PANICS.iter().find(|(words, _)| reason.contains(words))?;
    sentence((*what).to_owned())
}

/// __stack_chk_fail() in kernel/panic.c.
pub(super) fn canary(report: &Report<'_>) -> Sentence {
    let (_, place) = report.headline.split_once("stack is corrupted in: ")?;
    let end = place.find(['+', ' ']).unwrap_or(place.len());
    let function = functions::base(place.get(..end)?);
    let is_named = function.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let summary = format!("{function} wrote beyond a local variable: its stack canary changed");
    is_named.then_some(summary).and_then(sentence)
}

/// check_preemption_disabled() in lib/smp_processor_id.c.
pub(super) fn per_cpu(report: &Report<'_>) -> Sentence {
    let (_, rest) = report.headline.split_once("BUG: using ")?;
    let (what, _) = rest.split_once(" in preemptible")?;
    let (function, task) = (crash_site(report)?, task(report)?);
    sentence(format!("{task} uses {what} in {function}, and may move to another CPU meanwhile"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the fields of a message, without the text behind them.
    fn fields<'a, T>(grammar: fn(&'a str) -> Parsed<'a, T>, message: &'a str) -> Option<T> {
        grammar(message).ok().map(|(_, fields)| fields)
    }

    #[test]
    fn the_device_of_a_transmit_queue() {
        for (message, found) in [
            (
                "NETDEV WATCHDOG: eth0 (e1000): transmit queue 3 timed out 5120 ms",
                ("eth0", "e1000", Some(3), Some(5120)),
            ),
            (
                "NETDEV WATCHDOG: wwan0 (qmi_wwan): transmit queue 0 timed out",
                ("wwan0", "qmi_wwan", Some(0), None),
            ),
            // A mail broke the line.
            ("NETDEV WATCHDOG: en0 (r8152): transmit queue ", ("en0", "r8152", None, None)),
        ] {
            assert_eq!(fields(queue_of, message), Some(found), "{message}");
        }
    }

    #[test]
    fn ok_messages() {
        let message = "usercopy: Kernel memory overwrite attempt detected to SLAB object 'a(1:b)' (offset 6088, size 2)!";
        assert_eq!(fields(user_copy_of, message), Some((false, "SLAB object 'a(1:b)'", 6088, 2)));
        let message = "memcpy: detected field-spanning write (size 41) of single field \"o->name\" at a b.c:580 (size 32)";
        assert_eq!(fields(field_of, message), Some(("memcpy", 41, "o->name", 32)));
        let message = "strnlen: detected buffer overflow: 17 byte read of buffer size 16";
        assert_eq!(fields(overflow_of, message), Some(("strnlen", 17, "read", 16)));
        let message = "usercopy: kernel memory overwrite attempt detected to ffff8801d21c9bd4 (kvm_vcpu) (136 bytes)";
        assert_eq!(fields(old_user_copy_of, message), Some((false, "kvm_vcpu", 136)));
        let message = "load of value 41 is not a valid value for type '_Bool'";
        assert_eq!(fields(load_of, message), Some(("41", "_Bool")));
        assert_eq!(fields(negative_of, "shift exponent -1 is negative"), Some(("-1", true)));
        let message = "left shift of negative value -9";
        assert_eq!(fields(negative_of, message), Some(("-9", false)));
        let message = "index -16 is out of range for type 'list_head [15]'";
        assert_eq!(fields(index_of, message), Some(("-16", "list_head [15]")));
        let message = "shift exponent 37 is too large for 32-bit type 'int'";
        assert_eq!(fields(shift_of, message), Some(("37", 32)));
        let message = "left shift of 1 by 63 places cannot be represented in type 'long long int'";
        assert_eq!(fields(left_shift_of, message), Some(("1", "63", "long long int")));
        let sum = Some(("2147483647 + 1", "int"));
        let message = "2147483647 + 1 cannot be represented in type 'int'";
        assert_eq!(fields(result_of, message), sum);
        let message = format!("signed integer overflow: {message}");
        assert_eq!(fields(result_of, &message), sum);
        let message = "ODEBUG: free active (active state 0) object: ffff88807b3c4490 object type: timer_list hint: f+0x0/0x350";
        assert_eq!(fields(tracked, message), Some(("free active", "timer_list", Some("f"))));
    }

    #[test]
    fn err_messages() {
        assert!(
            user_copy_of(
                "usercopy: kernel memory exposure attempt detected from ff (x) (11 bytes)"
            )
            .is_err()
        );
        assert!(field_of("memcpy: detected field-spanning write (size x)").is_err());
        assert!(overflow_of("detected buffer overflow in memcpy").is_err());
        assert!(index_of("index 8 is").is_err());
        assert!(shift_of("shift exponent -1 is negative").is_err());
        assert!(left_shift_of("left shift of negative value -1").is_err());
        assert!(load_of("load of value").is_err());
        assert!(negative_of("shift exponent 37 is too large").is_err());
        assert!(old_user_copy_of("usercopy: kernel memory overwrite").is_err());
        assert!(result_of("division by zero").is_err());
        assert!(tracked("ODEBUG: Out of memory. ODEBUG disabled").is_err());
    }
}
