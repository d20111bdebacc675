//! CPU time of a run of the program on a log of 800 bytes: see `Start` in `README.md`.
//!
//! Linux has the CPU time of ended child processes; the bench is skipped on other systems.

use std::fs;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

const LOG: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000068
#PF: supervisor write access in kernel mode
#PF: error_code(0x0002) - not-present page
Oops: 0002 [#1] PREEMPT SMP NOPTI
CPU: 1 PID: 77 Comm: kworker/1:2 Not tainted 6.1.0 #1
Workqueue: ib_cm cm_work_handler
RIP: 0010:cm_route_update+0x15/0x20
Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3
RSP: 0018:ffffc90000d0fb88 EFLAGS: 00010246
RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000
RDX: 00000000fffee1d9 RSI: 0000000000000000 RDI: ffff8df1c28e1b40
RBP: ffff8df1c28e1b40
CR2: 0000000000000068
Call Trace:
 <TASK>
 cm_update+0x1/0x2
 cm_work_handler+0x33/0x80
 process_one_work+0x1aa/0x340
 worker_thread+0x30/0x390
 kthread+0xd7/0x100
 ret_from_fork+0x1f/0x30
 </TASK>
---[ end trace 0000000000000000 ]---
";

/// The CPU time of all ended children, in the clock ticks of proc(5): hundredths of a second.
fn of_children() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, before this, may contain blanks.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(13);
    let (user, system) = (fields.next()?, fields.next()?);
    Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
}

/// The mean CPU time of a run in milliseconds, over `runs` runs.
fn measure(runs: u32, arguments: &[&str]) -> io::Result<Option<f64>> {
    let before = of_children();
    for _ in 0..runs {
        Command::new(env!("CARGO_BIN_EXE_ksplat"))
            .args(arguments)
            .stdout(Stdio::null())
            .status()?;
    }
    let spent = before.zip(of_children()).and_then(|(before, after)| after.checked_sub(before));
    let hundredths = spent.and_then(|spent| u32::try_from(spent).ok());
    Ok(hundredths.map(|hundredths| f64::from(hundredths) * 10.0 / f64::from(runs)))
}

fn main() -> io::Result<()> {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/startup.log");
    fs::write(path, LOG)?;
    let rows: [(&str, &[&str]); 3] = [
        ("nothing but its version", &["--version"]),
        ("a log of 800 bytes, as text", &["parse", path]),
        ("a log of 800 bytes, as JSON", &["parse", "--format", "jsonl", path]),
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_ksplat")).args(["parse", path]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("BUG: unable to handle kernel NULL pointer dereference"), "{text}");
    let runs = if std::env::args().any(|arg| arg == "--test") { 5 } else { 500 };
    for (name, arguments) in rows {
        match measure(runs, arguments)? {
            Some(spent) => writeln!(io::stdout(), "{name}: {spent:.2} ms of CPU")?,
            None => writeln!(io::stdout(), "{name}: not measured on this system")?,
        }
    }
    Ok(())
}
