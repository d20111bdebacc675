//! The task of a report without a `CPU:` line, and how long it was stuck.
//!
//! ```text
//! hung    = "INFO: task " comm ":" pid ( " blocked" / " can't die" ) text " for more than " n " seconds"
//! stuck   = "soft lockup - CPU#" cpu " stuck for " n "s! [" comm ":" pid "]"
//! atomic  = "scheduling while atomic: " comm "/" pid "/0x" hex
//! line    = "Pid: " pid ", comm: " comm " " tainted release " " version hardware   ; before Linux 3.10
//!         / "Pid: " pid ", comm: " comm " " release " " version  ; libcfs_call_trace() of Lustre
//!         / "Process " comm " (pid: " pid                    ; __show_regs() and similar functions
//!         / "task:" comm " state:" text " pid:" pid          ; sched_show_task()
//!         / "comm " DQUOTE comm DQUOTE ", pid " pid  ; print_unreferenced() in mm/kmemleak.c
//!         / "in_atomic(): " text ", pid: " pid ", name: " comm       ; __might_resched()
//!         / comm "/" pid ( " is " / " just changed " / " [HC" ) text ; lockdep
//!         / text " by task " comm "/" pid                    ; KASAN's access
//!         / "CPU " cpu                                       ; before Linux 3.10
//! ```

use nom::Parser;
use nom::bytes::complete::tag;
use nom::sequence::preceded;

use super::Parsed;
use super::task::{self, Taint};
use crate::search;
use crate::token::{decimal, hex};

/// The task in a line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Who<'t> {
    /// Its name.
    pub(crate) comm: Option<&'t [u8]>,
    /// Its id.
    pub(crate) pid: Option<u64>,
    /// The CPU on which it ran.
    pub(crate) cpu: Option<u64>,
    /// How long it was stuck, in seconds.
    pub(crate) seconds: Option<u64>,
}

/// The line of dump_stack_print_info() and show_regs() before Linux 3.10.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pid<'t> {
    pub(crate) who: Who<'t>,
    pub(crate) taint: Taint<'t>,
    /// The machine, from its firmware, at the end of the line.
    pub(crate) hardware: Option<&'t [u8]>,
}

/// A grammar of a headline or line: the text behind the words that start it.
type Grammar = fn(&[u8]) -> Option<Who<'_>>;

/// Headlines about a task that may be another than the one that prints: the words, and the grammar
/// of the text behind them.
const HEADLINES: &[(&str, Grammar)] = &[
    ("INFO: task ", hung),         // check_hung_task() in kernel/hung_task.c
    ("soft lockup - CPU#", stuck), // watchdog_timer_fn() in kernel/watchdog.c
    ("scheduling while atomic: ", atomic), // __schedule_bug() in kernel/sched/core.c
];

/// Headlines with the task that prints, which is also in a `CPU:` line below them.
const MENTIONS: &[(&str, Grammar)] = &[
    ("WARNING: CPU: ", warned),                   // __warn() in kernel/panic.c
    (" in preemptible [", preemptible), // check_preemption_disabled() in lib/smp_processor_id.c
    ("BUG: Bad page state in process ", process), // bad_page() in mm/page_alloc.c
    ("BUG: Bad page map in process ", process), // print_bad_pte() in mm/memory.c
    ("hard LOCKUP on cpu ", on_cpu),    // watchdog_hardlockup_check()
    ("workqueue lockup - pool", waited), // wq_watchdog_timer_fn() in kernel/workqueue.c
    ("cpu 0x", stopped),                // excprint() in arch/powerpc/xmon/xmon.c
];

/// Reads the task of a headline.
pub(crate) fn subject(headline: &[u8]) -> Option<Who<'_>> {
    of_table(HEADLINES, headline)
}

/// Reads the task that printed a headline, if the headline has it.
pub(crate) fn mention(headline: &[u8]) -> Option<Who<'_>> {
    of_table(MENTIONS, headline)
}

fn of_table<'t>(table: &[(&str, Grammar)], text: &'t [u8]) -> Option<Who<'t>> {
    table.iter().find_map(|(mark, grammar)| {
        let at = search::find(text, *mark)?;
        grammar(text.get(at + mark.len()..)?)
    })
}

/// `kworker/u16:3:811 blocked for more than 122 seconds.`: a name may contain colons.
fn hung(text: &[u8]) -> Option<Who<'_>> {
    let end = [" blocked ", " can't die "].iter().find_map(|mark| search::find(text, *mark))?;
    let (name, rest) = text.split_at_checked(end)?;
    let (comm, pid) = last_number(name, b':')?;
    let seconds = behind(rest, " for more than ");
    Some(Who { comm: Some(comm), pid: Some(pid), seconds, cpu: None })
}

/// `1f: Vector: 700 (Program Check)`.
fn stopped(text: &[u8]) -> Option<Who<'_>> {
    let (rest, cpu) = hex(text).ok()?;
    rest.starts_with(b": Vector: ").then(|| Who { cpu: Some(cpu.value), ..Who::default() })
}

/// `5 stuck for 26s! [CPU 1/KVM:8812]`.
fn stuck(text: &[u8]) -> Option<Who<'_>> {
    let (rest, cpu) = decimal(text).ok()?;
    let seconds = behind(rest, " stuck for ");
    let start = memchr::memchr(b'[', rest).and_then(|at| rest.get(at + 1..));
    let name = start.and_then(|name| name.get(..memchr::memrchr(b']', name)?));
    let named = name.and_then(|name| last_number(name, b':'));
    let (comm, pid) = named.unzip();
    Some(Who { comm, pid, cpu: Some(cpu), seconds })
}

/// `irq/45-touch/312/0x00000002`: a name may contain slashes.
fn atomic(text: &[u8]) -> Option<Who<'_>> {
    let count = search::rfind(text, b"/0x")?;
    hex(text.get(count + 1..)?).ok()?;
    let (comm, pid) = last_number(text.get(..count)?, b'/')?;
    Some(Who { comm: Some(comm), pid: Some(pid), ..Who::default() })
}

/// `1 PID: 7 at …`.
fn warned(text: &[u8]) -> Option<Who<'_>> {
    let (_, (cpu, pid)) = (decimal, preceded(tag(" PID: "), decimal)).parse(text).ok()?;
    Some(Who { cpu: Some(cpu), pid: Some(pid), ..Who::default() })
}

/// `00000000] code: comm/7`.
fn preemptible(text: &[u8]) -> Option<Who<'_>> {
    running(text.get(search::find(text, " code: ")? + 7..)?)
}

/// `comm/7`, at the end of the line.
fn running(text: &[u8]) -> Option<Who<'_>> {
    let (comm, pid) = last_number(text.trim_ascii_end(), b'/')?;
    Some(Who { comm: Some(comm), pid: Some(pid), ..Who::default() })
}

/// `comm  pfn:1234`.
fn process(text: &[u8]) -> Option<Who<'_>> {
    let end =
        [" pfn:", " pte:"].iter().filter_map(|mark| search::rfind(text, mark.as_bytes())).max()?;
    let comm = text.get(..end)?.trim_ascii();
    Some(Who { comm: Some(comm).filter(|comm| !comm.is_empty()), ..Who::default() })
}

fn on_cpu(text: &[u8]) -> Option<Who<'_>> {
    decimal(text).ok().map(|(_, cpu)| Who { cpu: Some(cpu), ..Who::default() })
}

fn waited(text: &[u8]) -> Option<Who<'_>> {
    let seconds = behind(text, " stuck for ")?;
    Some(Who { seconds: Some(seconds), ..Who::default() })
}

/// Reads `pid   = 8319, comm = make`: excprint() in arch/powerpc/xmon/xmon.c.
pub(super) fn stopped_task(line: &[u8]) -> Option<Pid<'_>> {
    let (comm, (pid, _)) =
        (preceded(tag("pid   = "), decimal), tag(", comm = ")).parse(line).ok()?;
    let who = Who { comm: Some(comm.trim_ascii()), pid: Some(pid), ..Who::default() };
    Some(Pid { who, ..Pid::default() })
}

/// Reads `Pid: 2214, comm: pppd Not tainted 3.8.13-gentoo #2 Bochs Bochs`; ARM pads the name.
pub(super) fn pid(line: &[u8]) -> Option<Pid<'_>> {
    let (rest, (pid, _)) = (preceded(tag("Pid: "), decimal), comm_mark).parse(line).ok()?;
    let (comm, tail) = task::comm(rest);
    if tail.is_empty()
        && let Some((comm, release)) = untainted(comm)
    {
        let who = Who { comm: Some(comm), pid: Some(pid), ..Who::default() };
        let taint = Taint { flags: None, release: Some(release) };
        return Some(Pid { who, taint, hardware: None });
    }
    let taint = task::tail_of(tail);
    let version = search::find(tail, " #").and_then(|at| tail.get(at + 2..));
    let hardware = version
        .and_then(|version| version.get(memchr::memchr(b' ', version)?..))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty());
    let comm = Some(comm.trim_ascii());
    Some(Pid { who: Who { comm, pid: Some(pid), ..Who::default() }, taint, hardware })
}

/// Splits `ll_ost 4.18.0 #1 SMP Tue Oct 1 2024` at the release: libcfs_call_trace() of Lustre prints the
/// line without the taint.
fn untainted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = text.get(..search::find(text, " #")?)?;
    let blank = memchr::memrchr(b' ', head)?;
    let release = head.get(blank + 1..)?;
    let is_release = release.first().is_some_and(u8::is_ascii_digit) && release.contains(&b'.');
    is_release.then_some((head.get(..blank)?.trim_ascii(), release))
}

fn comm_mark(input: &[u8]) -> Parsed<'_, &[u8]> {
    tag(", comm: ").parse(input)
}

/// Reads the task out of a line that no other grammar takes.
pub(crate) fn line(text: &[u8]) -> Option<Who<'_>> {
    let line = text.trim_ascii();
    match line.first()? {
        b'C' => line.strip_prefix(b"CPU ").and_then(alone),
        b'P' => line.strip_prefix(b"Process ").and_then(registers_of),
        b't' if line.starts_with(b"task:") => shown(line.get(5..)?),
        b'i' if line.starts_with(b"in_atomic(): ") => in_atomic(line),
        b'c' => line.strip_prefix(b"comm \"").and_then(allocated_by),
        b'R' | b'W' | b'F' => by_task(line),
        _ => None,
    }
    .or_else(|| of_lockdep(line))
}

/// `1` alone on the line: show_registers() in arch/x86/kernel/dumpstack_64.c.
fn alone(text: &[u8]) -> Option<Who<'_>> {
    decimal(text).ok().filter(|(rest, _)| matches!(*rest, b"" | b":")).and_then(|_| on_cpu(text))
}

/// `pppd (pid: 2214, threadinfo …`.
fn registers_of(text: &[u8]) -> Option<Who<'_>> {
    let at = search::find(text, " (pid: ")?;
    let (_, pid) = decimal(text.get(at + 7..)?).ok()?;
    Some(Who { comm: text.get(..at), pid: Some(pid), ..Who::default() })
}

/// `kworker/u16:3   state:D stack:0     pid:811   tgid:811 …`.
fn shown(text: &[u8]) -> Option<Who<'_>> {
    let at = search::find(text, " state:")?;
    let pid = behind(text, " pid:")?;
    Some(Who { comm: text.get(..at).map(<[u8]>::trim_ascii_end), pid: Some(pid), ..Who::default() })
}

/// `in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 918, name: zzplayd`.
fn in_atomic(text: &[u8]) -> Option<Who<'_>> {
    let at = search::find(text, ", name: ")?;
    let pid = behind(text, ", pid: ")?;
    Some(Who { comm: text.get(at + 8..), pid: Some(pid), ..Who::default() })
}

/// `Web Content", pid 46, jiffies 4294899304`: print_unreferenced() in mm/kmemleak.c.
fn allocated_by(text: &[u8]) -> Option<Who<'_>> {
    let at = search::rfind(text, b"\", pid ")?;
    let (_, pid) = decimal(text.get(at + 7..)?).ok()?;
    Some(Who { comm: text.get(..at), pid: Some(pid), ..Who::default() })
}

/// `Read of size 8 at addr ffff000012c0a818 by task bluetoothd/612`.
fn by_task(text: &[u8]) -> Option<Who<'_>> {
    let at = search::find(text, " by task ")?;
    running(text.get(at + 9..)?)
}

/// The texts of lockdep behind the name of a task.
const OF_LOCKDEP: [&str; 5] = [
    " is trying to ", // print_circular_bug_header() and its like in kernel/locking/lockdep.c
    " is leaving the kernel with locks still held",
    " is exiting with locks still held",
    " just changed the state of lock:",
    " [HC", // print_usage_bug()
];

fn of_lockdep(line: &[u8]) -> Option<Who<'_>> {
    let end = OF_LOCKDEP.iter().find_map(|mark| search::find(line, *mark))?;
    running(line.get(..end)?)
}

/// Reads the kernel above a report of lockdep: `6.9.0-rc3+ #12 Not tainted`, of
/// print_kernel_ident().
pub(crate) fn kernel(text: &[u8]) -> Option<Taint<'_>> {
    let line = text.trim_ascii();
    let release = line.get(..memchr::memchr(b' ', line)?)?;
    let is_release = line.first()?.is_ascii_digit() && release.contains(&b'.');
    let mark = search::find(line, " #").filter(|at| is_release && *at == release.len())?;
    let at = [" Not tainted", " Tainted: "].iter().find_map(|mark| search::find(line, *mark));
    let taint = task::tail_of(line.get(at.filter(|at| *at > mark)?..)?);
    Some(Taint { release: Some(release), ..taint })
}

/// The number behind the first `mark`.
fn behind(text: &[u8], mark: &str) -> Option<u64> {
    let at = search::find(text, mark)?;
    let spaced = text.get(at + mark.len()..)?.trim_ascii_start();
    decimal(spaced).ok().map(|(_, number)| number)
}

/// A name, and the number behind the last `mark` at its end.
fn last_number(text: &[u8], mark: u8) -> Option<(&[u8], u64)> {
    let at = memchr::memrchr(mark, text).filter(|at| *at > 0)?;
    let (rest, number) = decimal(text.get(at + 1..)?).ok()?;
    rest.is_empty().then_some((text.get(..at)?, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(comm: &'static str, pid: u64) -> Who<'static> {
        Who { comm: Some(comm.as_bytes()), pid: Some(pid), ..Who::default() }
    }

    #[test]
    fn ok_subject() {
        let p = |line: &'static str| subject(line.as_bytes()).expect(line);
        assert_eq!(
            p("INFO: task kworker/u16:3:811 blocked for more than 122 seconds."),
            Who { seconds: Some(122), ..who("kworker/u16:3", 811) }
        );
        assert_eq!(
            p("INFO: task a b:7 blocked in I/O wait for more than 9 seconds."),
            Who { seconds: Some(9), ..who("a b", 7) }
        );
        assert_eq!(p("INFO: task x:7 can't die for more than 143 seconds.").seconds, Some(143));
        assert_eq!(
            p("watchdog: BUG: soft lockup - CPU#5 stuck for 26s! [CPU 1/KVM:8812]"),
            Who { cpu: Some(5), seconds: Some(26), ..who("CPU 1/KVM", 8812) }
        );
        assert_eq!(
            p("BUG: scheduling while atomic: irq/45-touch/312/0x00000002"),
            who("irq/45-touch", 312)
        );
    }

    #[test]
    fn ok_mention() {
        let p = |line: &'static str| mention(line.as_bytes()).expect(line);
        let warned = p("WARNING: CPU: 11 PID: 71 at a.c:1 f+0x1/0x2");
        assert_eq!((warned.cpu, warned.pid), (Some(11), Some(71)));
        let line = "BUG: using smp_processor_id() in preemptible [00000000] code: syz/1/77";
        assert_eq!(p(line), who("syz/1", 77));
        let line = "BUG: Bad page state in process my app  pfn:12345";
        assert_eq!(p(line).comm, Some(&b"my app"[..]));
        let line = "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 33s!";
        assert_eq!(p(line).seconds, Some(33));
    }

    #[test]
    fn ok_line() {
        let p = |text: &'static str| line(text.as_bytes()).expect(text);
        for text in [
            "Process a b (pid: 7, threadinfo ffff88000d8b8000, task ffff8800047cdad0)",
            "task:a b             state:D stack:0     pid:7     ppid:2      flags:0x00004000",
            "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 7, name: a b",
            "Read of size 8 at addr ffff000012c0a818 by task a b/7",
            "a b/7 is trying to acquire lock:",
            "a b/7 [HC0[0]:SC0[0]:HE1:SE1] takes:",
        ] {
            assert_eq!(p(text), who("a b", 7), "{text}");
        }
        assert_eq!(p("CPU 1 ").cpu, Some(1));
    }

    #[test]
    fn ok_pid() {
        let line = b"Pid: 7, comm: a b Tainted: G        W    3.8.13-gentoo #2 Bochs Bochs";
        let found = pid(line).expect("a line");
        assert_eq!(found.who, who("a b", 7));
        assert_eq!(found.taint.release, Some(&b"3.8.13-gentoo"[..]));
        assert_eq!(found.hardware, Some(&b"Bochs Bochs"[..]));
        let found = pid(b"Pid: 1, comm:              swapper").expect("a line");
        assert_eq!((found.who, found.taint.release), (who("swapper", 1), None));
        let line = b"Pid: 7, comm: a b 4.18.0-553.el8.x86_64 #1 SMP Tue Oct 1 11:02:17 UTC 2024";
        let found = pid(line).expect("a line");
        assert_eq!(found.who, who("a b", 7));
        assert_eq!(found.taint.release, Some(&b"4.18.0-553.el8.x86_64"[..]));
        assert_eq!(found.hardware, None);
    }

    #[test]
    fn ok_kernel() {
        let found = kernel(b"6.9.0-rc3+ #12 Not tainted").expect("a line");
        assert_eq!((found.release, found.flags), (Some(&b"6.9.0-rc3+"[..]), Some(&b""[..])));
        let found = kernel(b"5.4.0 #1 Tainted: G        W   ").expect("a line");
        assert_eq!((found.release, found.flags), (Some(&b"5.4.0"[..]), Some(&b"G        W"[..])));
    }

    #[test]
    fn err_who() {
        for text in [
            "",
            "INFO: task x blocked",
            "INFO: task",
            "CPU 1 is up",
            "Process x",
            "task:x",
            "BUG: scheduling while atomic: x",
            "WARNING: CPU: x",
            "Pid: x",
            "a is trying to b",
            "6.9.0 is out",
            "6 #1 Not tainted",
            "soft lockup - CPU#x",
        ] {
            let text = text.as_bytes();
            let found = (subject(text), mention(text), line(text), pid(text), kernel(text));
            assert_eq!(found, (None, None, None, None, None), "{text:?}");
        }
    }
}
