//! One report behind the prefixes of many tools.
//!
//! The logs are those of the corpus without their kernel prefixes. Each log is parsed with each
//! prefix of the table, and must have the same reports as without.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ksplat::{Event, Report};

/// The prefix and suffix of each line, by name, with these placeholders:
///
/// ```text
/// {text}   the line           {stamp}  the time of printk with a blank behind it
/// {json}   the same in JSON   {n}      the number of the line, growing
/// {html}   the same in HTML   {s} {ms} {us} {ns}  a part of the time, growing
/// {md}     in Markdown        {level} {pri}       the level: a word, a number
/// {csv}    in a table         {cpu} {task}        who printed it
/// ```
#[rustfmt::skip] // rows
const CARRIERS: &[(&str, &str)] = &[
    ("dmesg", "{stamp}{text}"),
    ("dmesg --raw", "<{pri}>{stamp}{text}"),
    ("dmesg -T", "[Wed May  1 10:00:{s} 2024] {text}"),
    ("dmesg -T, in Chinese", "[三 5月  1 10:00:{s} 2024] {text}"),
    ("dmesg -T, in Russian", "[Ср мая  1 10:00:{s} 2024] {text}"),
    ("dmesg -d", "[    6.{us} <    0.000{ms}>] {text}"),
    ("dmesg --time-format iso", "2024-05-01T10:00:{s},{us}+00:00 {text}"),
    ("dmesg --time-format reltime", "[  +0.{us}] {text}"),
    ("dmesg -x", "kern  :{level}: {stamp}{text}"),
    ("dmesg -x --time-format iso", "kern  :{level}: 2024-05-01T10:00:{s},{us}+00:00 {text}"),
    ("dmesg -J", "      {\n         \"pri\": {pri},\n         \"time\":     6.{us},\n         \"msg\": \"{json}\"\n      },{"),
    ("dmesg -t, indented", "    {text}"),
    ("logread", "Wed May  1 10:00:{s} 2024 kern.{level} kernel: {stamp}{text}"),
    ("logread, no time", "Wed May  1 10:00:{s} 2024 kern.{level} kernel: {text}"),
    ("logread -t", "Wed May  1 10:00:{s} 2024 [1714557600.{ms}] kern.{level} kernel: {stamp}{text}"),
    ("journalctl -o short", "May 01 10:00:{s} host kernel: {text}"),
    ("journalctl -o short, in German", "Mär 01 10:00:{s} host kernel: {text}"),
    ("journalctl -o short-iso-precise", "2024-05-01T10:00:{s}.{us}+0200 host kernel: {text}"),
    ("journalctl -o short-monotonic", "[    6.{us}] host kernel: {text}"),
    ("journalctl -o short-full", "Wed 2024-05-01 10:00:{s} CEST host kernel: {text}"),
    ("journalctl -o short-unix", "1714557600.{us} host kernel: {text}"),
    ("journalctl -o short-delta", "[    6.{us} <    0.000{ms} >] host kernel: {text}"),
    ("journalctl -o with-unit", "Wed 2024-05-01 10:00:{s} UTC host kernel: {text}"),
    ("journalctl -o json", r#"{"PRIORITY":"{pri}","__REALTIME_TIMESTAMP":"17145576{s}{us}","MESSAGE":"{json}","_TRANSPORT":"kernel"}"#),
    ("journalctl -o json-pretty", "{\n\t\"PRIORITY\" : \"{pri}\",\n\t\"MESSAGE\" : \"{json}\",\n\t\"_TRANSPORT\" : \"kernel\"\n}"),
    ("journalctl -o verbose", "Wed 2024-05-01 10:00:{s}.{us} UTC [s=1f;i={n};b=2c]\n    _TRANSPORT=kernel\n    PRIORITY={pri}\n    SYSLOG_IDENTIFIER=kernel\n    MESSAGE={text}\n    _BOOT_ID=2c"),
    ("journalctl -o export", "__REALTIME_TIMESTAMP=17145576{s}{us}\n_TRANSPORT=kernel\nMESSAGE={text}\nPRIORITY={pri}\n"),
    ("rsyslog", "May  1 10:00:{s} host kernel: {stamp}{text}"),
    ("rsyslog, a host with an address", "May  1 10:00:{s} fe80::1%eth0 kernel: {stamp}{text}"),
    ("RFC 5424", "<{pri}>1 2024-05-01T10:00:{s}.{us}Z host kernel - - - {stamp}{text}"),
    ("syslog-ng with fields", "2024-05-01T10:00:{s}+00:00 host kern.{level} kernel[0] {text}"),
    ("broadcast of syslogd", "\nMessage from syslogd@host at May  1 10:00:{s} ...\n kernel:{stamp}{text}"),
    ("broadcast of syslogd, no time", "\nMessage from syslogd@host at May  1 10:00:{s} ...\n kernel:{text}"),
    ("broadcast of journald", "\nBroadcast message from systemd-journald@host (Wed 2024-05-01 10:00:{s} UTC):\n\nkernel[0]: {stamp}{text}\n"),
    ("Docker json-file", r#"{"log":"{stamp}{json}\n","stream":"stdout","time":"2024-05-01T10:00:{s}.{ns}Z"}"#),
    ("Docker json-file, JSON in it", r#"{"log":"{\"level\":\"{level}\",\"msg\":\"{json2}\"}\n","stream":"stdout"}"#),
    ("docker compose", "web-1  | {stamp}{text}"),
    ("docker compose, no time", "web-1  | {text}"),
    ("docker service logs", "web.1.k2j3h4@node-1    | {text}"),
    ("CRI", "2024-05-01T10:00:{s}.{ns}Z stdout F {text}"),
    ("kubectl --timestamps", "2024-05-01T10:00:{s}.{ns}Z {stamp}{text}"),
    ("kubectl --timestamps, no time", "2024-05-01T10:00:{s}.{ns}Z {text}"),
    ("kubectl --prefix", "[pod/vm-0/compute] {text}"),
    ("stern", "vm-0 compute {stamp}{text}"),
    ("CloudWatch tail", "2024-05-01T10:00:{s}.{us}+00:00 i-0abc12/console {text}"),
    ("CloudWatch get-log-events", "        {\n            \"timestamp\": 17145576{s}{ms},\n            \"message\": \"{stamp}{json}\",\n            \"ingestionTime\": 17145576{s}{ms}\n        },"),
    ("Google Cloud", r#"{"insertId":"a{n}","textPayload":"{json}","timestamp":"2024-05-01T10:00:{s}Z"}"#),
    ("Loki, logcli", r#"2024-05-01T10:00:{s}Z {host="pc", job="kern"} {text}"#),
    ("Loki, jsonl", r#"{"labels":{"job":"kern"},"line":"{json}","timestamp":"2024-05-01T10:00:{s}.{ns}Z"}"#),
    ("Loki, values", r#"          ["17145576{s}{ns}","{json}"],"#),
    ("logfmt", r#"ts=2024-05-01T10:00:{s}Z level={level} msg="{json}""#),
    ("fluentd", "2024-05-01 10:00:{s}.{ns} +0000 kern.log: {\"message\":\"{json}\"}"),
    ("GitHub Actions", "2024-05-01T10:00:{s}.{ms}0000Z {stamp}{text}"),
    ("GitLab CI", "2024-05-01T10:00:{s}.{us}Z 01O {text}"),
    ("Jenkins", "[2024-05-01T10:00:{s}.{ms}Z] {stamp}{text}"),
    ("Jenkins, no time", "[2024-05-01T10:00:{s}.{ms}Z] {text}"),
    ("Buildkite", "_bk;t=17145576{s}{ms} {text}"),
    ("LAVA", r#"- {"dt": "2024-05-01T10:00:{s}.{us}", "lvl": "target", "msg": "{stamp}{json}"}"#),
    ("LAVA, plain", "2024-05-01T10:00:{s}.{us}  {text}"),
    ("NixOS test", "machine # {stamp}{text}"),
    ("NixOS test, no time", "machine # {text}"),
    ("KernelCI, labgrid", "serial: <- {text}"),
    ("pytest", "DEBUG    console:vm.py:12 {stamp}{text}"),
    ("Python logging", "2024-05-01 10:00:{s},{ms} - console - INFO - {text}"),
    ("Avocado", "[stdlog] 2024-05-01 10:00:{s},{ms} avocado.vm DEBUG| {text}"),
    ("minicom", "[2024-05-01 10:00:{s}] {text}"),
    ("minicom, milliseconds", "[14:03:{s}:{ms}] {stamp}{text}"),
    ("minicom, milliseconds, no time", "[14:03:{s}:{ms}] {text}"),
    ("picocom, ts", "May 01 10:00:{s} {text}"),
    ("ts -s", "00:00:{s} {text}"),
    ("ts -i '%.s'", "{s}.{us} {text}"),
    ("screen, logtstamp", "10:00:{s} {stamp}{text}"),
    ("PuTTY, SecureCRT", "[2024/05/01, 10:00:{s}.{ms}] {text}"),
    ("Tera Term", "[2024-05-01 10:00:{s}.{ms}] {stamp}{text}"),
    ("conserver", "[Wed May  1 10:00:{s} 2024]{text}"),
    ("U-Boot console of a phone", "[{s}.{us}s][pid:95,cpu{cpu},{task}]{text}"),
    ("MediaTek", "<{pri}>{stamp}.({cpu})[{n}:{task}]{text}"),
    ("Samsung", "<{pri}>{stamp} [{cpu}:{task:>16}: {n:>4}] {text}"),
    ("Spreadtrum", "<{pri}>{stamp}c{cpu} {text}"),
    ("Amlogic", "[    6.{us}@{cpu}] {text}"),
    ("Rockchip", "[    6.{us}] (CPU:{cpu}-pid:{n:>4}:{task}) {text}"),
    ("logcat -v threadtime", "05-01 10:00:{s}.{ms}  root     0     0 {L} kernel  : {stamp}{text}"),
    ("logcat -v time", "05-01 10:00:{s}.{ms} {L}/KERNEL  (    0): {text}"),
    ("xl dmesg", "(d1) {stamp}{text}"),
    ("xl dmesg, no time", "(XEN) (d1) {text}"),
    ("hypervisor", "vm-7: {text}"),
    ("Proxmox, QEMU by libvirt", "[{n}] ttyS0: {text}"),
    ("cat -n", "{n:>6}\t{stamp}{text}"),
    ("cat -n, no time", "{n:>6}\t{text}"),
    ("nl", "{n:>6}  {text}"),
    ("vim, less -N", "{n:>7} {text}"),
    ("vim, syslog", "{n} Apr  7 21:40:05 localhost kernel: {stamp}{text}"),
    ("grep -n", "{n}:{text}"),
    ("grep -Hn", "dmesg.txt:{n}:{text}"),
    ("grep -Hn, a time", "logs/dmesg.txt:{n}:{stamp}{text}"),
    ("grep -H, syslog", "/var/log/syslog:Apr  7 21:40:05 localhost kernel: {stamp}{text}"),
    ("grep -H, syslog, no time", "/var/log/syslog:Apr  7 21:40:05 localhost kernel: {text}"),
    ("diff", "+{stamp}{text}"),
    ("diff, no time", "+{text}"),
    ("mail", "> {text}"),
    ("mail, twice", "> > {stamp}{text}"),
    ("mail with a name", "JD> {text}"),
    ("Markdown, code", "    {stamp}{text}"),
    ("Markdown, list", "- {text}"),
    ("Markdown, numbers", "{n}. {text}"),
    ("Markdown, line of code", "`{text}`"),
    ("Markdown, bold time", "> **[    6.{us}]** {text}"),
    ("Markdown, bold", "**{text}**"),
    ("Markdown, escaped", "\\[    6.{us}\\] {md}"),
    ("Markdown, table", "| {stamp}{text} |"),
    ("Markdown, table with numbers", "| {n} | {text} |"),
    ("Jira, table", "|10:00:{s}|{text}|"),
    ("a table of values", r#""2024-05-01 10:00:{s}","host","{csv}""#),
    ("a table of values, a time", r#"{n},"2024-05-01 10:00:{s}","{stamp}{csv}""#),
    ("a table with semicolons", "10:00:{s};host;{text}"),
    ("a table with tabs", "10:00:{s}\thost\tkernel\t{text}"),
    ("HTML", "{stamp}{html}"),
    ("HTML, br", "{stamp}{html}<br>"),
    ("HTML, paragraphs", "<p>{html}</p>"),
    ("HTML, numbers of lines", "<span class=\"ln\">{n}</span><span class=\"t\">{stamp}</span>{html}</div>"),
    ("a list in Python", "    '{stamp}{text}',"),
    ("a list in JSON", "    \"{stamp}{json}\","),
    ("blanks of a web page", "{stamp}{nbsp}"),
    ("Windows' line ends", "{stamp}{text}\r"),
    ("colours", "\x1b[32m{stamp}\x1b[0m{text}\x1b[0m"),
    ("Synology", "2024-05-01T10:00:{s}+08:00 nas kernel: {stamp}{text}"),
    ("VMware vmkernel", "2024-05-01T10:00:{s}.{ms}Z cpu{cpu}:{n})vm: {text}"),
    ("AWS console", "console: 17145576{s} {text}"),
    ("Datadog", "2024-05-01 10:00:{s} UTC | KERN | {level} | (vm:{n}) | {text}"),
    ("Ansible", "ok: [host] => (item={n}) => {text}"),
    ("Robot Framework", "20240501 10:00:{s}.{ms} : INFO : {text}"),
    ("syzkaller manager", "2024/05/01 10:00:{s} vm-3: {stamp}{text}"),
    ("tmux, two panes", "$ top          │{stamp}{text}"),
];

/// The logs: a path in the corpus, each of another architecture or kind.
const LOGS: &[&str] = &[
    "null-deref/write.log",
    "null-deref/arm64.log",
    "null-deref/arm.log",
    "null-deref/openrisc.log",
    "page-fault/i386.log",
    "page-fault/powerpc.log",
    "kernel-bug/s390x.log",
    "kasan/use-after-free-read.log",
    "soft-lockup/watchdog.log",
    "rcu-stall/s390x.log",
    "deadlock/irq-state.log",
    "bad-page/state.log",
    "warning/kthread.log",
    "usercopy/arm64.log",
];

/// The logs with more than two lines of other text, or the headline of `die()`, below the first
/// line: without its prefix the first line is a separate report.
const NOT_BELOW: &[&str] = &[
    "null-deref/arm.log",
    "null-deref/openrisc.log",
    "deadlock/irq-state.log",
    "usercopy/arm64.log",
];

/// The levels of a report's lines, as words and by number, and as Android prints them.
const LEVELS: [(&str, u8, char); 4] =
    [("alert ", 1, 'E'), ("warn  ", 4, 'W'), ("warn  ", 4, 'W'), ("emerg ", 0, 'F')];

const TASKS: [&str; 3] = ["init", "init", "swapper/0"];

/// The printk time of a line.
fn stamp(n: usize) -> String {
    format!("[    6.{:06}] ", 425_000 + 17 * n)
}

/// A line with a prefix.
fn behind(carrier: &str, n: usize, text: &str) -> String {
    let (level, pri, letter) = LEVELS[n % LEVELS.len()];
    let task = TASKS[n % TASKS.len()];
    let json = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut line = carrier.to_owned();
    for (name, value) in [
        ("{stamp}", stamp(n)),
        ("{json2}", json.replace('\\', "\\\\").replace('"', "\\\"")),
        ("{json}", json.replace('<', "\\u003c").replace('>', "\\u003e")),
        ("{html}", html.replace('"', "&quot;")),
        ("{md}", text.replace('_', "\\_").replace('[', "\\[").replace('*', "\\*")),
        ("{csv}", text.replace('"', "\"\"")),
        ("{nbsp}", text.replace("  ", "\u{a0} ")),
        ("{n}", (n + 95).to_string()),
        ("{n:>4}", format!("{:>4}", n + 95)),
        ("{n:>6}", format!("{:>6}", n + 5)),
        ("{n:>7}", format!("{:>7}", n + 95)),
        ("{s}", format!("{:02}", n / 3 % 60)),
        ("{ms}", format!("{:03}", n % 1000)),
        ("{us}", format!("{:06}", 425_000 + 17 * n)),
        ("{ns}", format!("{:09}", 123_456_789 + n)),
        ("{level}", level.to_owned()),
        ("{pri}", pri.to_string()),
        ("{L}", letter.to_string()),
        ("{cpu}", (n % 2).to_string()),
        ("{task}", task.to_owned()),
        ("{task:>16}", format!("{task:>16}")),
    ] {
        line = line.replace(name, &value);
    }
    // Replaced last, as the text may contain braces.
    line.replace("{text}", text) + "\n"
}

fn all_behind(carrier: &str, lines: &[String]) -> String {
    lines.iter().enumerate().map(|(n, text)| behind(carrier, n, text)).collect()
}

/// The lines of a log without the kernel's prefixes.
fn bare(log: &str) -> Vec<String> {
    let without = |line: &str| {
        let line = line.trim_end_matches('\r');
        let line = line
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .map_or(line, |(_, rest)| rest);
        let stamp = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match stamp {
            Some((time, rest)) if time.trim().parse::<f64>().is_ok() => {
                let caller = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                let rest = caller.map_or(rest, |(_, rest)| rest);
                rest.strip_prefix(' ').unwrap_or(rest).to_owned()
            }
            _ => line.to_owned(),
        }
    };
    log.lines().map(without).collect()
}

/// The fields of reports that are compared.
fn summary(reports: &[Report<'_>]) -> String {
    let mut summary = String::new();
    for report in reports {
        let frames = report.stacks.iter().map(|stack| {
            let names = stack.frames.iter().filter_map(|frame| frame.function.as_deref());
            format!("{:?}: {}", stack.role, names.collect::<Vec<_>>().join(" "))
        });
        let _ = writeln!(
            summary,
            "{}\n{:?} {:?}\n{:?} {:?}\n{:?} {:?}\n{}\n{:?}",
            report.title(),
            report.corrupted,
            report.consequences,
            report.task,
            report.kernel,
            report.registers,
            report.code,
            frames.collect::<Vec<_>>().join("\n"),
            report.blame.as_ref().map(|blame| &blame.function),
        );
    }
    summary
}

fn read(log: &str) -> Vec<Report<'_>> {
    ksplat::reports(log.as_bytes()).collect()
}

/// The reports of a monitor that parses a log in pieces.
fn watched(log: &str, size: usize) -> String {
    let mut monitor = ksplat::Monitor::new();
    let mut reports = Vec::new();
    let mut take = |event| {
        if let Event::Finished(report) = event {
            reports.push(*report);
        }
    };
    for piece in log.as_bytes().chunks(size) {
        monitor.push(piece).for_each(&mut take);
    }
    monitor.finish().for_each(&mut take);
    summary(&reports)
}

fn logs() -> impl Iterator<Item = (&'static str, Vec<String>, String)> {
    LOGS.iter().map(|name| {
        let log = fs::read_to_string(Path::new("corpus").join(name)).unwrap();
        let lines = bare(&log);
        let plain = all_behind("{text}", &lines);
        let reports = read(&plain);
        assert!(reports.len() == 1 && reports[0].corrupted.is_none(), "{name}");
        let want = summary(&reports);
        (*name, lines, want)
    })
}

#[test]
fn a_report_is_the_same_behind_any_prefix() {
    let mut wrong = String::new();
    for (name, lines, want) in logs() {
        for (carrier, prefix) in CARRIERS {
            let log = all_behind(prefix, &lines);
            let got = summary(&read(&log));
            if got != want {
                let _ = writeln!(wrong, "{name} behind {carrier}: {got}");
            }
            assert_eq!(watched(&log, 173), got, "{name} behind {carrier}, in pieces");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_first_line_without_its_prefix_is_the_headline() {
    for (name, lines, want) in logs().filter(|(name, ..)| !NOT_BELOW.contains(name)) {
        let first = lines.iter().position(|line| !read(line).is_empty()).unwrap();
        for prompt in ["", "root@host:~# ", "$ dmesg | tail -n 60\n", "> ", "\"", "`"] {
            let text = all_behind("{stamp}{text}", &lines[first + 1..]);
            let log = format!("{prompt}{}\n{text}", lines[first]);
            assert_eq!(read(&log).len(), 1, "{name} behind {prompt:?}");
            assert_eq!(
                summary(&read(&log)).lines().next(),
                want.lines().next(),
                "{name}, {prompt:?}"
            );
            let stamped = all_behind("{stamp}{text}", &lines[first..]);
            assert_eq!(read(&format!("{prompt}{stamped}")).len(), 1, "{name} behind {prompt:?}");
        }
    }
}

#[test]
fn spans_are_those_of_the_log() {
    for (name, lines, _) in logs() {
        for (carrier, prefix) in CARRIERS {
            let log = all_behind(prefix, &lines);
            let report = &read(&log)[0];
            let (start, end) = (report.span.start, report.span.end);
            let line = log[..start].matches('\n').count() + 1;
            assert_eq!(report.span.line, line, "{name} behind {carrier}");
            assert!(start == 0 || log.as_bytes()[start - 1] == b'\n', "{name} behind {carrier}");
            assert!(end <= log.len() && start < end, "{name} behind {carrier}");
        }
    }
}

/// Prefixes of no known logger, or that resemble lines of a report.
#[test]
fn no_prefix_is_too_odd() {
    let long = "x: ".repeat(400);
    let huge = "[".repeat(40_000);
    let tags = "<a ".repeat(9_000);
    let quotes = "\"a\",".repeat(9_000);
    let prefixes: [&str; 12] = [
        &long,
        &huge,
        &tags,
        &quotes,
        "\u{1}\u{2}\u{7f}\u{80}\u{ff}",
        "Call Trace: ",
        " f+0x1/0x2 [m] ",
        "RIP: 0010:f+0x1/0x2 ",
        "BUG: ",
        "{\"a\":\"",
        "\\\"\\",
        "[[[[(((<<<{{{\"'`**|",
    ];
    for (name, lines, _) in logs() {
        for prefix in prefixes {
            let log = lines.iter().flat_map(|line| [prefix, line, "\n"]).collect::<String>();
            assert_eq!(watched(&log, 4096), summary(&read(&log)), "{name} behind {prefix:.20}");
        }
        // Another prefix before each line.
        let changing = prefixes.iter().cycle();
        let log = changing.zip(&lines).flat_map(|(p, line)| [*p, line, "\n"]).collect::<String>();
        assert_eq!(watched(&log, 4096), summary(&read(&log)), "{name}");
        let log: String =
            lines.iter().enumerate().map(|(n, line)| behind(CARRIERS[n].1, n, line)).collect();
        assert_eq!(watched(&log, 61), summary(&read(&log)), "{name}");
    }
}
