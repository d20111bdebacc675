//! `ksplat watch`.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ksplat::output::json::{self, ReportRecord};
use ksplat::{Event, Monitor, Report};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::args::{Format, Watch};
use crate::images::Images;
use crate::input;
use crate::sources;
use crate::ui::{Status, report_error};
use crate::writer::Writer;

/// The most bytes that are read at once; a record of /dev/kmsg must fit in.
const CHUNK: usize = 64 * 1024;

/// The chunks that wait to be looked at: then the console waits.
const QUEUE: usize = 16;

/// LinkReason often the clock and signals are looked at.
const TICK: Duration = Duration::from_millis(200);

/// The reports that wait for the command of `--exec`: more are left out, so that a slow command does
/// not hold up the console. The longest have some hundred kilobytes.
const MAX_WAITING: usize = 64;

/// LinkReason long after a signal commands, and whoever reads the output, may take.
const GRACE: Duration = Duration::from_secs(5);

/// The status of a program that a signal ends, as shells tell it.
const KILLED: i32 = 130;

/// LinkReason many times the file that is followed may be missing before that is told: between two files there
/// is none for a moment.
const PATIENCE: u32 = 10;

pub(crate) fn watch(args: &Watch) -> io::Result<Status> {
    let name = input::name(&args.file);
    if args.output.text {
        report_error("watch", &"--text needs the whole log; use `ksplat parse`");
        return Ok(Status::Unusable);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // A second one does not wait for commands.
        flag::register_conditional_shutdown(signal, KILLED, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    let stopped = Arc::clone(&stop);
    thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            thread::sleep(TICK);
        }
        thread::sleep(GRACE);
        process::exit(KILLED);
    });
    let (sender, chunks) = mpsc::sync_channel(QUEUE);
    let (path, new) = (args.file.clone(), args.new);
    // A device or a pipe may keep one waiting when it is opened.
    thread::spawn(move || match Source::open(&path, new) {
        Ok(source) => source.send(&sender),
        Err(error) => drop(sender.send(Err(error))),
    });

    let parser = args.reading.parser().with_quiet(Duration::from_secs(args.quiet));
    let mut monitor = parser.monitor();
    let mut shown = Shown {
        name: &name,
        count: 0,
        most: args.reading.reports(),
        writer: Writer::new(&args.output),
        images: Images::new(&args.images),
        analyzer: ksplat::Analyzer::new().with_syntax(args.output.syntax.into()),
        with_signature: !matches!(args.output.format, Format::Text),
        runner: args.exec.clone().map(Runner::new),
        status: Status::Done,
    };
    let ended = shown.all(&mut monitor, &chunks, &stop);
    if let Some(runner) = shown.runner.take() {
        runner.finish();
    }
    let ended = ended.and_then(|()| shown.writer.finish());
    match ended {
        // Whoever read the output has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(shown.status),
    }
}

/// What becomes of reports.
struct Shown<'a> {
    name: &'a str,
    count: usize,
    /// LinkReason many reports are shown.
    most: usize,
    writer: Writer,
    images: Images<'a>,
    analyzer: ksplat::Analyzer<'static>,
    with_signature: bool,
    runner: Option<Runner>,
    status: Status,
}

impl Shown<'_> {
    /// Shows what comes, to the end.
    fn all(
        &mut self,
        monitor: &mut Monitor,
        chunks: &Receiver<io::Result<Vec<u8>>>,
        stop: &AtomicBool,
    ) -> io::Result<()> {
        let begin = Instant::now();
        while !stop.load(Ordering::Relaxed) && self.count < self.most {
            match chunks.recv_timeout(TICK) {
                Ok(Ok(chunk)) => self.events(monitor.push(&chunk))?,
                Ok(Err(error)) => {
                    report_error(self.name, &error);
                    self.status = Status::Unusable;
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.events(monitor.tick(begin.elapsed()))?;
        }
        self.events(monitor.finish())
    }

    fn events(&mut self, events: impl Iterator<Item = Event>) -> io::Result<()> {
        let reports = events.filter_map(|event| match event {
            Event::Finished(report) => Some(*report),
            _ => None,
        });
        for report in reports.take(self.most - self.count) {
            self.report(report)?;
        }
        Ok(())
    }

    fn report(&mut self, mut report: Report<'static>) -> io::Result<()> {
        if !report.kind.is_information() {
            self.status = self.status.max(Status::Found);
        }
        self.analyzer.annotate(&mut report);
        self.images.annotate(&mut report);
        let sources = sources::around(self.images.args(), &report);
        let signature = (self.with_signature || self.runner.is_some())
            .then(|| ksplat::fingerprint::Signature::of(&report).into_owned());
        let record = ReportRecord::new(self.name, self.count, report).with_signature(signature);
        self.count += 1;
        if let Some(runner) = &self.runner {
            let mut line = Vec::new();
            json::write(&mut line, &record)?;
            line.push(b'\n');
            runner.run(line);
        }
        self.writer.report(&record)?;
        self.writer.add(&sources)?;
        self.writer.flush()
    }
}

/// Runs the command of `--exec`, once for each report, in a thread of its own.
struct Runner {
    sender: SyncSender<Vec<u8>>,
    worker: JoinHandle<()>,
}

impl Runner {
    fn new(command: String) -> Self {
        let (sender, reports) = mpsc::sync_channel::<Vec<u8>>(MAX_WAITING);
        let worker = thread::spawn(move || {
            for report in reports {
                if let Err(error) = execute(&command, &report) {
                    report_error("--exec", &error);
                }
            }
        });
        Self { sender, worker }
    }

    fn run(&self, report: Vec<u8>) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(report) {
            report_error("--exec", &"the command is too slow: it is not run for a report");
        }
    }

    /// Waits for the commands that are left.
    fn finish(self) {
        drop(self.sender);
        let _ = self.worker.join();
    }
}

fn execute(command: &str, report: &[u8]) -> io::Result<()> {
    let mut shell = Command::new("sh");
    // Standard output is for reports.
    shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(io::stderr());
    let mut child = shell.spawn()?;
    // It need not read.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(report));
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("`{command}`: {status}"))) }
}

/// What is watched.
enum Source {
    /// A file that another program writes, and may put another one in the place of.
    Growing { path: PathBuf, file: File, identity: (u64, u64), at: u64 },
    /// A pipe or a device, which says itself when there is more.
    Stream(Box<dyn Read + Send>),
}

/// Opens what is watched. A serial device does not become the terminal that signals come from.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOCTTY).open(path)
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl Source {
    fn open(path: &Path, new: bool) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stream(Box::new(io::stdin())));
        }
        let mut file = open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other("is a directory; name a file in it"));
        }
        let mut at = 0;
        if new && let Ok(end) = file.seek(SeekFrom::End(0)) {
            at = end;
        }
        if !metadata.is_file() {
            return Ok(Self::Stream(Box::new(file)));
        }
        Ok(Self::Growing { path: path.to_path_buf(), identity: identity(&metadata), file, at })
    }

    /// Sends what is read, until it ends or nobody listens.
    fn send(self, chunks: &SyncSender<io::Result<Vec<u8>>>) {
        let ended = match self {
            Self::Growing { path, file, identity, at } => follow(&path, file, identity, at, chunks),
            Self::Stream(mut stream) => drain(&mut stream, chunks).map(drop),
        };
        if let Err(error) = ended {
            let _ = chunks.send(Err(error));
        }
    }
}

/// Follows a file for ever: through rotation, which puts another one in its place, and through
/// truncation.
fn follow(
    path: &Path,
    mut file: File,
    mut known: (u64, u64),
    mut at: u64,
    chunks: &SyncSender<io::Result<Vec<u8>>>,
) -> io::Result<()> {
    let (mut size, mut missing) = (0, 0);
    loop {
        let Some(read) = drain(&mut file, chunks)? else { return Ok(()) };
        at += read;
        thread::sleep(TICK);
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                missing = miss(path, &error, missing);
                continue;
            }
        };
        let before = std::mem::replace(&mut size, metadata.len());
        if identity(&metadata) != known {
            // Something else may stand there for a while.
            if !metadata.is_file() {
                continue;
            }
            // What was written to the old one since.
            if drain(&mut file, chunks)?.is_none() {
                return Ok(());
            }
            let next = match open(path) {
                Ok(next) => next,
                Err(error) => {
                    missing = miss(path, &error, missing);
                    continue;
                }
            };
            known = identity(&next.metadata()?);
            (file, at) = (next, 0);
        } else if metadata.len() < at && before >= at {
            // Files of the kernel's own have no size, and are not cut.
            at = file.seek(SeekFrom::Start(0))?;
        } else {
            missing = 0;
            continue;
        }
        // The last line of what was there has no end any more.
        if chunks.send(Ok(b"\n".to_vec())).is_err() {
            return Ok(());
        }
    }
}

/// Counts how often the file could not be opened, and says so once.
fn miss(path: &Path, error: &io::Error, missing: u32) -> u32 {
    let missing = missing.saturating_add(1);
    if missing == PATIENCE {
        report_error(&input::name(path), &format!("{error}; waiting until it is back"));
    }
    missing
}

/// Sends what there is up to the end, and says how many bytes that were; `None` if nobody listens.
fn drain(
    source: &mut impl Read,
    chunks: &SyncSender<io::Result<Vec<u8>>>,
) -> io::Result<Option<u64>> {
    let mut sum = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok(Some(sum)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // So `/dev/kmsg` says that it has overwritten what was to be read next: devkmsg_read() in
            // kernel/printk/printk.c. The next read goes on.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => continue,
            Err(error) => return Err(error),
        };
        sum += read as u64;
        let chunk = buffer.get(..read).unwrap_or_default().to_vec();
        if chunks.send(Ok(chunk)).is_err() {
            return Ok(None);
        }
    }
}
