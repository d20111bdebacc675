//! No false alarms: generated logs of machines without a kernel crash.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fmt::Write as _;

/// The minimum of bytes that are parsed.
const SIZE: usize = 50 << 20;

/// The size of one log in bytes. The parser reads the lines around a report, so each log has all
/// kinds of lines.
const LOG: usize = 1 << 20;

/// Lines that a kernel prints at boot, from its format strings, with words that look like a report.
const BOOT: &[&str] = &[
    "Linux version 6.1.0-18-amd64 (cm@host) #1 SMP PREEMPT_DYNAMIC",
    "Command line: BOOT_IMAGE=/vmlinuz root=UUID=1 ro panic=30 oops=panic",
    "x86/fpu: Supporting XSAVE feature 0x001: 'x87 floating point registers'",
    "RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data leaks possible!",
    "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!",
    "Speculative Return Stack Overflow: WARNING: kernel not compiled with MITIGATION_SRSO.",
    "MDS CPU bug present and SMT on, data leak possible.",
    "WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 512MB of RAM.",
    "[Firmware Bug]: TSC_DEADLINE disabled due to Errata; please update microcode to version: 0x52",
    "DMAR: [Firmware Bug]: No firmware reserved region can cover this RMRR",
    "ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND",
    "ACPI Warning: SystemIO range conflicts with OpRegion",
    "rcu: Preemptible hierarchical RCU implementation.",
    "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
    "EXT4-fs (sda1): warning: mounting unchecked fs, running e2fsck is recommended",
    "nouveau 0000:01:00.0: bus: MMIO read of 00000000 FAULT at 619444",
    "audit: type=1400 apparmor=\"STATUS\" name=\"cm\" pid=612 comm=\"apparmor_parser\"",
    "systemd[1]: Starting kdump.service - Saves a crash dump after a Kernel panic - not syncing or an Oops...",
];

/// Lines of programs in the journal.
const PROGRAMS: &[(&str, &str)] = &[
    ("dockerd", "panic: runtime error: invalid memory address or nil pointer dereference"),
    ("dockerd", "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x55d0c7a31c2e]"),
    ("dockerd", "goroutine 1 [running]:"),
    ("kubelet", "fatal error: concurrent map writes"),
    ("postgres", "PANIC:  could not locate a valid checkpoint record"),
    ("celery", "INFO: task mail.send:18 blocked for more than 30 seconds"),
    ("kdumpctl", "kdump: Starting kdump: [OK]"),
    ("systemd", "Starting cm.service - Shows the message of a Kernel panic in full screen."),
    ("monitor", "matched rule 'BUG: unable to handle page fault for address'"),
    ("java", "WARNING: An illegal reflective access operation has occurred"),
    ("rsyslogd", "general protection fault is a word in a filter"),
    ("smartd", "WARNING: device sda will fail"),
    ("dracut", "WARNING: UBSAN: not a report"),
    ("ztest", "VERIFY3(a->a_size == b->b_size) failed (4096 == 512)"),
    ("ztest", "PANIC at cm_tree.c:274:cm_tree_add()"),
    ("release", "Closes: a crash of the parser at boot [#1]"),
    ("monitor", "matched rule 'Oops: Exception in kernel mode, sig: 5 [#1]'"),
];

/// Lines of containers and package managers, without the name of a program.
const BARE: &[&str] = &[
    "panic: close of closed channel",
    "",
    "goroutine 412 [running]:",
    "main.(*Store).Stop(0xc0004a2000)",
    "\t/src/pkg/store/store.go:188 +0x2c",
    "exit status 2",
    "fatal error: all goroutines are asleep - deadlock!",
    "",
    "goroutine 1 [chan receive]:",
    "INFO:     Started server process [12]",
    "INFO:werkzeug: * Running on http://127.0.0.1:5000",
    "WARNING:root:no configuration",
    "WARNING: apt does not have a stable CLI interface. Use with caution in scripts.",
    "WARNING: An illegal reflective access operation has occurred",
    "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space",
    "\tat cm.Main.run(Main.java:18)",
    "# A fatal error has been detected by the Java Runtime Environment:",
    "Traceback (most recent call last):",
    "  File \"/usr/lib/python3/cm.py\", line 18, in <module>",
    "RuntimeError: kernel BUG is a string here",
    "- alignment check: fixed in the parser [#1]",
    "[#1]: https://example.org/cm",
    "an Oops [#1] was seen in the field",
    "printf(3): a footnote [#1]",
    "VERIFY: the checksum of cm.tar failed",
    "Exception on CPU usage: 12 %",
    "Unhandled exception: no handler of the message on CPU 1",
    "nobody cared about the warning",
    "cm.c:1:10: fatal error: cm.h: No such file or directory",
    "2026-10-01 10:00:00 status installed linux-image-6.1.0-18-amd64:amd64 6.1.76-1",
    "Setting up kdump-tools (1:1.8.1) ...",
    "{\"log\":\"panic: boom\\n\",\"stream\":\"stderr\",\"time\":\"2026-10-01T10:00:00.1Z\"}",
    "{\"log\":\"INFO:     Started\\n\",\"stream\":\"stdout\",\"time\":\"2026-10-01T10:00:00.1Z\"}",
    "{\"SYSLOG_IDENTIFIER\":\"kubelet\",\"MESSAGE\":\"BUG: kernel NULL pointer\"}",
    "2024-10-01 10:00:00.402 UTC [3312] PANIC:  could not write to file",
    "$ journalctl -k | grep -c 'Kernel panic - not syncing'",
    "+\tpr_emerg(\"BUG: cm watch of %s was lost\\n\", t->comm);",
];

/// The text of one log; numbers differ from log to log.
fn log(seed: usize) -> String {
    let mut text = String::with_capacity(LOG + 4096);
    let mut number = seed;
    while text.len() < LOG {
        number =
            number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (time, pid) = (text.len() / 100, number % 9973 + 1);
        let (minute, second) = (time / 60 % 60, time % 60);
        let boot = BOOT[number / 7 % BOOT.len()];
        let (program, message) = PROGRAMS[number / 11 % PROGRAMS.len()];
        match number / 13 % 7 {
            0 => writeln!(text, "[{time:5}.{pid:06}] {boot}"),
            1 => writeln!(
                text,
                "Oct  1 10:{minute:02}:{second:02} cm kernel: [{time:5}.{pid:06}] {boot}"
            ),
            2 => writeln!(text, "Oct  1 10:{minute:02}:{second:02} cm {program}[{pid}]: {message}"),
            3 => writeln!(
                text,
                "2026-10-01T10:{minute:02}:{second:02}.123456+02:00 cm {program}[{pid}]: {message}"
            ),
            4 => writeln!(
                text,
                "<30>1 2026-10-01T10:{minute:02}:{second:02}Z cm {program}[{pid}]: {message}"
            ),
            5 => writeln!(text, "[{time:5}.{pid:06}] cm {program}[{pid}]: {message}"),
            _ => BARE.iter().try_for_each(|line| writeln!(text, "{line}")),
        }
        .unwrap();
    }
    text
}

#[test]
fn logs_without_a_crash_have_no_report() {
    let mut read = 0;
    for seed in 1.. {
        let text = log(seed);
        let found: Vec<_> = ksplat::reports(text.as_bytes())
            .map(|report| (report.span.line, report.title().to_owned()))
            .collect();
        assert_eq!(found, [], "of log {seed}");
        read += text.len();
        if read >= SIZE {
            break;
        }
    }
}
