//! The public API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::{
    Kind, Report, Reports,
    model::{AccessKind, Corruption, Registers, Role, Stack},
};
use proptest::prelude::*;

const GPF: &str = include_str!("../corpus/gpf/io-queue-sqe.log");
const OLD_WARNING: &str = include_str!("../corpus/warning/io-wqe-wake-worker.log");
const KASAN: &str = include_str!("../corpus/kasan/use-after-free-read.log");
const IRQ: &str = include_str!("../corpus/null-deref/in-interrupt.log");

fn only(log: &'static str) -> Report<'static> {
    let mut reports = ksplat::reports(log.as_bytes());
    let report = reports.next().expect("a report");
    assert_eq!(reports.next(), None, "more than one report");
    report
}

/// Functions with marks: `*` an instruction pointer, `?` unreliable, `^` inlined.
fn functions(stack: &Stack<'_>) -> Vec<String> {
    let mark = |is, mark| if is { mark } else { "" };
    stack
        .frames
        .iter()
        .map(|frame| {
            let name = frame.function.as_deref().unwrap_or("-");
            format!(
                "{}{name}{}{}",
                mark(!frame.reliable, "?"),
                mark(frame.exact, "*"),
                mark(frame.inline, "^")
            )
        })
        .collect()
}

#[test]
fn types_can_be_shared_and_sent() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Report<'static>>();
    check::<Reports<'static>>();
    check::<Kind>();
}

#[test]
fn a_protection_fault_in_full() {
    let report = only(GPF);
    assert_eq!(report.kind, Kind::GeneralProtectionFault);
    assert_eq!(report.title(), "general protection fault in __io_queue_sqe");
    assert_eq!(report.alt_titles, ["bad-access in __io_queue_sqe"]);
    assert_eq!(report.frame.as_deref(), Some("__io_queue_sqe"));
    assert_eq!(report.access.unwrap().address.unwrap().to_string(), "0xdffffc000000000b");
    assert_eq!(report.task.comm.as_deref(), Some("syz-executor.3"));
    assert_eq!((report.task.pid, report.task.cpu), (Some(10185), Some(0)));
    assert_eq!(report.kernel.release.as_deref(), Some("5.14.0-rc5-syzkaller"));
    assert_eq!(report.kernel.arch.map(ksplat::Arch::name), Some("x86_64"));
    assert_eq!(report.kernel.tainted.as_deref(), Some(""));

    let stack = report.crash_stack().unwrap();
    assert_eq!(
        functions(stack)[..6],
        [
            "__io_req_set_refcount^",
            "__io_prep_linked_timeout^",
            "io_prep_linked_timeout^",
            "__io_queue_sqe*",
            "io_req_task_submit",
            "tctx_task_work"
        ]
    );
    let frame = &stack.frames[3];
    assert_eq!((frame.offset, frame.size), (Some(0x1fb), Some(0xcf0)));
    assert_eq!((frame.file.as_deref(), frame.line), (Some("fs/io_uring.c"), Some(6512)));
    assert_eq!(report.stacks.len(), 1, "a stack that is not there");
    assert!(report.diagnostics.is_empty() && report.corrupted.is_none());
}

#[test]
fn registers_are_those_of_the_crash() {
    // The registers of user mode are skipped, and the dump is repeated with another CR2.
    let registers = only(GPF).registers;
    assert_eq!(registers.get("rdi"), Some(0x58));
    assert_eq!(registers.get("cr2"), Some(0x5555_79f1_4438));
    assert_eq!(registers.get("orig_rax"), None, "a register of user mode");
    let names: Vec<_> = registers.iter().map(|register| register.name.as_ref()).collect();
    assert_eq!(names[..4], ["rax", "rbx", "rcx", "rdx"]);
    // A checker was called: no instruction trapped.
    assert_eq!(only(KASAN).registers, Registers::default());
    assert_eq!(only(KASAN).code, None);
}

#[test]
fn an_old_warning_traces_its_own_report_first() {
    let report = only(OLD_WARNING);
    assert_eq!(report.consequences, ["kernel panic: panic_on_warn set"]);
    assert!(report.panicked);
    let roles: Vec<_> = report.stacks.iter().map(|stack| stack.role).collect();
    assert_eq!(roles, [Role::Reporting, Role::Crash]);
    assert_eq!(
        functions(report.crash_stack().unwrap())[..6],
        [
            "refcount_add_not_zero^",
            "refcount_inc_not_zero^",
            "io_worker_get^",
            "io_wqe_activate_free_worker^",
            "io_wqe_wake_worker*",
            "io_wqe_enqueue"
        ]
    );
    assert_eq!(report.registers.get("r12"), Some(0xffff_8880_b0c0_c894));
}

#[test]
fn a_kasan_report_has_three_stacks_and_an_object() {
    let report = only(KASAN);
    let access = report.access.unwrap();
    assert_eq!((access.kind, access.size), (Some(AccessKind::Read), Some(4)));
    let roles: Vec<_> = report.stacks.iter().map(|stack| stack.role).collect();
    assert_eq!(roles, [Role::Crash, Role::Allocation, Role::Free]);
    let memory = report.memory.unwrap();
    assert_eq!((memory.allocated_by, memory.freed_by), (Some(46), Some(46)));
    let object = memory.object.unwrap();
    assert_eq!((object.cache.as_deref(), object.size), (Some("cm_session"), Some(144)));
    assert_eq!(object.end.unwrap().value - object.start.unwrap().value, 144);
    assert_eq!(memory.shadow.iter().filter(|line| line.hit).count(), 1);
    // The end of this task's `CPU:` line was printed on a separate line.
    assert_eq!(report.kernel.release.as_deref(), Some("6.1.192-farmkasan"));
}

#[test]
fn an_interrupted_task_is_part_of_the_stack_and_no_more() {
    let report = only(IRQ);
    let functions = functions(report.crash_stack().unwrap());
    assert_eq!(functions[0], "cm_route_update*");
    assert_eq!(functions.iter().filter(|name| name.ends_with('*')).count(), 3, "{functions:?}");
    assert_eq!(report.registers.get("rax"), Some(0), "the idle task's registers");
    assert_eq!(report.access.unwrap().kind, Some(AccessKind::Write));
}

#[test]
fn each_report_comes_once() {
    let twice = format!("{GPF}{GPF}");
    let titles: Vec<_> = ksplat::reports(twice.as_bytes()).map(|report| report.title).collect();
    assert_eq!(titles.len(), 2);
    // After a report, a panic for another reason is a separate report; one that the report caused
    // is not.
    let with = |reason: &str| {
        let log = format!("{GPF}Kernel panic - not syncing: {reason}\nCPU: 0 PID: 1 Comm: a\n");
        ksplat::reports(log.as_bytes()).map(|r| (r.title, r.consequences)).collect::<Vec<_>>()
    };
    assert_eq!(with("Fatal exception").len(), 1);
    assert_eq!(with("Fatal exception")[0].1, ["kernel panic: Fatal exception"]);
    assert_eq!(with("VFS: Unable to mount root fs").len(), 2);
}

#[test]
fn reports_of_two_callers_are_separated() {
    let line = |caller: &str, text: &str| format!("[    1.000000][{caller:>6}] {text}\n");
    let mut log = String::new();
    let (a, b) = ("T12", "C1");
    for (caller, function) in [(a, "foo"), (b, "bar")] {
        log += &line(caller, &format!("WARNING: CPU: 0 PID: 1 at a.c:1 {function}+0x1/0x2"));
    }
    for text in [
        "RIP: 0010:{}+0x1/0x2",
        "RAX: 000000000000000{1}",
        "Call Trace:",
        " {}_a+0x1/0x2",
        " {}_b+0x1/0x2",
        " {}_c+0x1/0x2",
        "---[ end trace 0000000000000000 ]---",
    ] {
        log += &line(a, &text.replace("{}", "foo").replace("{1}", "1"));
        log += &line(b, &text.replace("{}", "bar").replace("{1}", "2"));
    }
    let reports: Vec<_> = ksplat::reports(log.as_bytes()).collect();
    assert_eq!(reports.len(), 2);
    for (report, function, rax) in [(&reports[0], "foo", 1), (&reports[1], "bar", 2)] {
        assert_eq!(report.title(), format!("WARNING in {function}"));
        assert_eq!(report.registers.get("rax"), Some(rax));
        let names = functions(report.crash_stack().unwrap());
        assert!(names.iter().all(|name| name.starts_with(function)), "{names:?}");
        assert_eq!(names.len(), 4);
    }
}

#[test]
fn a_report_without_end_is_cut() {
    let mut log = String::from("BUG: kernel NULL pointer dereference, address: 0\nCall Trace:\n");
    log += &" foo+0x1/0x2\n".repeat(100_000);
    let reports: Vec<_> = ksplat::reports(log.as_bytes()).collect();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].corrupted == Some(Corruption::TooManyLines));
    assert!(reports[0].stacks[0].frames.len() <= ksplat::MAX_LINES);
    assert_eq!(reports[0].span.end, log.len() - 1);
}

/// Words with a meaning in logs.
fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just("BUG: KASAN: use-after-free in f+0x1/0x2\n"),
            Just("WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n"),
            Just("general protection fault: 0000\n"),
            Just("Kernel panic - not syncing: Fatal exception\n"),
            Just("[    1.000000] "),
            Just("[    1.000000][   T1] "),
            Just("Call Trace:\n"),
            Just(" f+0x1/0x2 [m]\n"),
            Just(" ? g+0x1/0x2\n"),
            Just("RIP: 0010:"),
            Just("RIP: 0033:0x1\n"),
            Just("Code: 48 <0f> 0b 4\n"),
            Just("RSP: 0018:ffff EFLAGS: 1 RAX: \n"),
            Just("Read of size 4 at addr ffff\n"),
            Just("Freed by task 1:\n"),
            Just("CPU: 0 PID: 1 Comm: a b Not tainted 5.4\n"),
            Just("---[ end trace 0 ]---\n"),
            Just("\n"),
            Just("\u{1b}[31m"),
            Just("\0"),
            Just("[inline]\n"),
            Just(">ffff888001286000: fa fb\n"),
        ],
        0..60,
    )
    .prop_map(|words| words.concat())
}

fn check_invariants(log: &[u8]) {
    let mut last = 0;
    let mut end = 0;
    for report in ksplat::reports(log) {
        assert!(last <= report.span.start && report.span.start < report.span.end);
        assert!(report.span.end <= log.len());
        assert!(
            !report.title.is_empty() && report.title.bytes().all(|b| (0x20..0x7f).contains(&b))
        );
        last = report.span.start;
        // Of two interleaved reports, each has lines that the other one would have without it.
        let is_alone = end <= report.span.start;
        end = end.max(report.span.end);
        let again = ksplat::reports(&log[report.span.start..]).next().expect("the report again");
        assert!(!is_alone || again.title == report.title, "{} {}", again.title, report.title);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_words_are_read(log in words()) {
        check_invariants(log.as_bytes());
    }

    #[test]
    fn any_bytes_are_read(log in prop::collection::vec(any::<u8>(), 0..300)) {
        check_invariants(&log);
    }
}

#[test]
fn the_message_is_that_of_the_kernel() {
    let message = |log: &str| {
        let report = ksplat::reports(log.as_bytes()).next().expect("a report");
        report.message.map(std::borrow::Cow::into_owned)
    };
    let cut = "------------[ cut here ]------------";
    let warning = "WARNING: CPU: 0 PID: 1 at lib/a.c:3 f+0x1/0x2";
    let bug = "kernel BUG at mm/usercopy.c:99!";
    for (log, want) in [
        (format!("{cut}\nrefcount_t: underflow\n{warning}\n"), Some("refcount_t: underflow")),
        (format!("{cut}\n{warning}\nodd size\nModules linked in: m\n"), Some("odd size")),
        (format!("usercopy: no\n{cut}\n{bug}\n"), Some("usercopy: no")),
        // Of another task, without a mark, or not from a checker.
        (format!("{cut}\n[    1.5][   T7] refcount_t: underflow\n{warning}\n"), None),
        (format!("refcount_t: underflow\n{warning}\n"), None),
        (format!("eth0: link up\n{cut}\n{bug}\n"), None),
        (format!("{cut}\n{warning}\nodd size\nCall Trace:\n"), None),
        (warning.to_owned(), None),
    ] {
        assert_eq!(message(&log).as_deref(), want, "{log}");
    }
}

/// Lines of a log with the prefix of a logger: its name, the text before the first line, and a
/// function that makes a line from its number and its text.
type Carrier = (&'static str, &'static str, fn(usize, &str) -> String);

const CARRIERS: &[Carrier] = &[
    ("journalctl", "", |_, text| format!("Nov 21 06:14:00 host kernel: {text}")),
    ("journalctl -o short-iso", "", |_, text| {
        format!("2026-11-21T06:14:00+0000 host kernel: {text}")
    }),
    ("syslog, RFC 3164", "", |n, text| {
        format!("<4>Nov 21 06:14:00 host kernel: [   12.{n:06}] {text}")
    }),
    ("syslog, RFC 5424", "", |n, text| {
        format!("<4>1 2026-11-21T06:14:00Z host kernel - - - [   12.{n:06}] {text}")
    }),
    ("dmesg", "", |n, text| format!("[   12.{n:06}] {text}")),
    ("dmesg -T", "", |_, text| format!("[Sat Nov 21 06:14:00 2026] {text}")),
    ("dmesg -H", "", |n, text| match n {
        1 => format!("[Nov21 06:14] {text}"),
        _ => format!("[  +0.000012] {text}"),
    }),
    ("dmesg -x", "", |n, text| format!("kern  :warn  : [   12.{n:06}] {text}")),
    ("/dev/kmsg", "", |n, text| format!("4,{n},12{n:06},-;{text}")),
    ("netconsole", "", |n, text| format!("4,{n},12{n:06},-,caller=T46;{text}")),
    ("netconsole with release", "", |n, text| format!("6.5.0-rc1,4,{n},12{n:06},-;{text}")),
    ("netconsole in fragments", "", |n, text| {
        let (first, rest) = text.split_at(text.len() / 2);
        let len = text.len();
        let head = format!("4,{n},12{n:06},-,ncfrag=0/{len};{first}");
        if rest.is_empty() {
            head
        } else {
            format!("{head}\n4,{n},12{n:06},-,ncfrag={}/{len};{rest}", first.len())
        }
    }),
    ("pstore", "Panic#1 Part1\n", |n, text| format!("<4>[   12.{n:06}] {text}")),
    ("ramoops", "====1732169640.123456-D\n", |n, text| format!("<4>[   12.{n:06}] {text}")),
    ("logcat", "", |n, text| format!("E/kernel  (    0): [   12.{n:06}] {text}")),
    ("a mail", "On Saturday somebody wrote:\n", |n, text| format!("> > [   12.{n:06}] {text}")),
    ("an issue", "```\n", |n, text| format!("    [   12.{n:06}] {text}")),
    ("a level alone", "", |_, text| format!("<4>{text}")),
];

#[test]
fn prefixes_do_not_change_reports() {
    for log in [KASAN, GPF, IRQ] {
        let report = only(log);
        let text: Vec<_> = log
            .lines()
            .map(|line| match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
                Some((time, text)) if time.contains('.') => text,
                _ => line,
            })
            .collect();
        for (name, before, carry) in CARRIERS {
            let lines: Vec<_> = text.iter().zip(1..).map(|(text, n)| carry(n, text)).collect();
            let log = format!("{before}{}\n", lines.join("\n"));
            let found = ksplat::reports(log.as_bytes()).next().expect(name);
            assert_eq!(found.title, report.title, "{name}");
            // The offsets of stacks are those of the log.
            let of = |report: &Report<'_>| {
                let stacks = report.stacks.iter();
                stacks.map(|stack| (stack.role, format!("{:?}", stack.frames))).collect::<Vec<_>>()
            };
            assert_eq!(of(&found), of(&report), "{name}");
            assert_eq!(found.registers, report.registers, "{name}");
            assert_eq!(found.memory, report.memory, "{name}");
            assert_eq!(found.kernel, report.kernel, "{name}");
            assert_eq!(found.modules, report.modules, "{name}");
        }
    }
}

#[test]
fn a_mixed_report_is_reported() {
    let log = "BUG: KASAN: stack-out-of-bounds in f+0x1/0x2\n\
               general protection fault: 0000 [#1] SMP KASAN\n\
               CPU: 0 PID: 23642 Comm: a Not tainted 4.18.0 #58\n\
               CPU: 1 PID: 23657 Comm: b Not tainted 4.18.0 #58\n\
               RIP: 0010:g+0x1/0x2\nCall Trace:\n h+0x1/0x2\n dump_stack+0x1/0x2\n i+0x1/0x2\n";
    let reports: Vec<_> = ksplat::reports(log.as_bytes()).collect();
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(|report| report.corrupted.is_some()));
    assert!(reports[0].span.end <= reports[1].span.start, "a line belongs to both");
    assert_eq!(reports[1].corrupted, Some(Corruption::Mixed));
    assert_eq!(reports[1].diagnostics.len(), 1);

    // Stacks of several CPUs, each with its own `CPU:` line.
    let log = log.replace("PID: 23642 Comm: a Not tainted 4.18.0 #58", "PID: 23657 Comm: b x 4 #1");
    let log = log.replacen("CPU: 0 ", "CPU: 1 ", 1);
    let last = ksplat::reports(log.as_bytes()).last().expect("a report");
    assert_eq!(last.corrupted, None);
}

#[test]
fn a_data_race_has_both_accesses() {
    let log = b"BUG: KCSAN: data-race in demo_read / demo_write\n\n\
        write (marked) to 0xffff888100000000 of 8 bytes by task 77 on cpu 1:\n demo_write+0x10/0x20\n\n\
        read to 0xffff888100000000 of 8 bytes by interrupt on cpu 0:\n demo_read+0x10/0x20\n\n";
    let report = ksplat::reports(log).next().unwrap();
    let access = report.access.unwrap();
    assert_eq!((access.kind, access.size), (Some(ksplat::model::AccessKind::Write), Some(8)));
    let stacks: Vec<_> = report
        .stacks
        .iter()
        .map(|stack| (stack.role, stack.frames[0].function.as_deref().unwrap()))
        .collect();
    assert_eq!(stacks, [(Role::Crash, "demo_write"), (Role::Race, "demo_read")]);
}

#[test]
fn locks_have_their_holders() {
    use ksplat::model::LockState::{Chain, Held, Wanted};
    let log = b"WARNING: possible circular locking dependency detected\n\
        syz/3038 is trying to acquire lock:\n\
        ffff0000c909cc70 (&dat_lock_key#2){.+.+}-{3:3}, at: count_free_blocks+0x2c/0x6c\n\n\
        but task is already holding lock:\n\
        ffff0000ca83f090 (&ns_sem/1){++++}-{3:3}, at: put_super+0x4c/0x9c\n\n\
        -> #1 (&ns_sem){++++}-{3:3}:\n down_write+0x5c/0xcc\n\n\
        2 locks held by syz/3038:\n \
        #0: ffff0000ca83f090 (&ns_sem){++++}-{3:3}, at: put_super+0x4c/0x9c\n\n\
        stack backtrace:\nCall trace:\n count_free_blocks+0x2c/0x6c\n";
    let report = ksplat::reports(log).next().unwrap();
    let locks: Vec<_> =
        report.locks.iter().map(|lock| (&*lock.class, lock.state, lock.holder)).collect();
    let want = [
        ("&dat_lock_key", Wanted, None),
        ("&ns_sem", Held, None),
        ("&ns_sem", Chain, None),
        ("&ns_sem", Held, Some(3038)),
    ];
    assert_eq!(locks, want);
}
