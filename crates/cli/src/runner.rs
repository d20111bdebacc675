//! The command of `watch --exec`.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::args::Queue;
use crate::ui::report_error;

/// The maximum number of reports that wait for the command. The longest have some hundred
/// kilobytes.
const MAX_WAITING: usize = 64;

/// The interval at which a running command is checked.
const STEP: Duration = Duration::from_millis(5);

/// The time between the signals SIGTERM and SIGKILL to a command.
const GRACE: Duration = Duration::from_millis(200);

/// Runs a command for each report, one at a time, in a thread of its own.
pub(crate) struct Runner {
    shared: Arc<Shared>,
    worker: JoinHandle<()>,
    queue: Queue,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when the state changes.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    is_running: bool,
    /// Whether there are no further reports.
    is_complete: bool,
    /// The time at which the running command is ended, and after which no other is started.
    deadline: Option<Instant>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next report; `None` at the end.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.state();
        state.is_running = false;
        loop {
            self.changed.notify_all();
            if state.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
            if let Some(report) = state.waiting.pop_front() {
                state.is_running = true;
                return Some(report);
            }
            if state.is_complete {
                return None;
            }
            state = self.wait(state);
        }
    }
}

impl Runner {
    pub(crate) fn new(command: String, queue: Queue, limit: Duration) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let worker = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                while let Some(report) = shared.next() {
                    if let Err(error) = execute(&command, report, limit, &shared) {
                        report_error("--exec", &error);
                    }
                }
            })
        };
        Self { shared, worker, queue }
    }

    /// Passes a report to the command. If too many wait, this waits as well, or drops the report.
    pub(crate) fn run(&self, report: Vec<u8>) {
        let mut state = self.shared.state();
        while state.waiting.len() >= MAX_WAITING && state.deadline.is_none() {
            if self.queue == Queue::Drop {
                drop(state);
                report_error("--exec", &"the command is too slow; a report is dropped");
                return;
            }
            state = self.shared.wait(state);
        }
        state.waiting.push_back(report);
        self.shared.changed.notify_all();
    }

    /// A handle that ends the commands.
    pub(crate) fn ender(&self) -> Ender {
        Ender(Arc::clone(&self.shared))
    }

    /// Waits for the commands of the reports that wait.
    pub(crate) fn finish(self) {
        self.shared.state().is_complete = true;
        self.shared.changed.notify_all();
        let _ = self.worker.join();
        let left = self.shared.state().waiting.len();
        if left > 0 {
            let reports = if left == 1 { "report is" } else { "reports are" };
            report_error("--exec", &format!("{left} {reports} not passed to the command"));
        }
    }
}

/// Ends the commands.
pub(crate) struct Ender(Arc<Shared>);

impl Ender {
    /// Sets the time at which running commands are ended.
    pub(crate) fn end_at(&self, deadline: Instant) {
        self.0.state().deadline = Some(deadline);
        self.0.changed.notify_all();
    }
}

/// Runs the command, which ends after `limit` or at the deadline.
fn execute(command: &str, report: Vec<u8>, limit: Duration, shared: &Shared) -> io::Result<()> {
    let mut shell = Command::new("sh");
    // Standard output has only reports. The separate process group is ended with all processes that
    // the command started.
    shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(io::stderr()).process_group(0);
    let begin = Instant::now();
    let mut child = shell.spawn()?;
    let failed = |why: &dyn std::fmt::Display| Err(io::Error::other(format!("`{command}`: {why}")));
    if let Some(mut stdin) = child.stdin.take() {
        // The command may not read its input.
        thread::spawn(move || stdin.write_all(&report));
    }
    let is_due = |deadline| deadline <= Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return failed(&status),
            None => thread::sleep(STEP.min(begin.elapsed())),
        }
        if begin.elapsed() >= limit {
            end(&mut child)?;
            return failed(&format!("ended after {} seconds", limit.as_secs_f64()));
        }
        if shared.state().deadline.is_some_and(is_due) {
            end(&mut child)?;
            return failed(&"ended with the program");
        }
    }
}

/// Ends a command and the processes that it started.
fn end(child: &mut Child) -> io::Result<()> {
    let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return Ok(()) };
    let _ = kill_process_group(group, Signal::TERM);
    let begin = Instant::now();
    while begin.elapsed() < GRACE && child.try_wait()?.is_none() {
        thread::sleep(STEP);
    }
    // Processes that ignored the signal.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().map(drop)
}
