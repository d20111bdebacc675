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
use ksplat::output::text;
use ksplat::{Event, Monitor, Report};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::args::{ReportFormat, Watch};
use crate::images::{Images, Needs};
use crate::input;
use crate::sources;
use crate::ui::{Status, report_error};
use crate::writer::{Writer, text_options};

/// The size of a read in bytes; a record of /dev/kmsg must fit.
const CHUNK: usize = 64 * 1024;

/// The maximum number of chunks that wait to be parsed; then reading waits.
const QUEUE: usize = 16;

/// The interval at which the clock and signals are checked.
const TICK: Duration = Duration::from_millis(200);

/// The maximum number of reports that wait for the command of `--exec`. Further ones are dropped, so that a slow
/// command does not delay the console. The longest reports have some hundred kilobytes.
const MAX_WAITING: usize = 64;

/// The time after a signal in which commands and the reader of the output must end.
const GRACE: Duration = Duration::from_secs(5);

/// The exit status that shells give a program which SIGINT ended.
const KILLED: i32 = 130;

/// The number of checks that find no file before this is reported: rotation leaves a short gap.
const PATIENCE: u32 = 10;

pub(crate) fn watch(args: &Watch) -> io::Result<Status> {
    let name = input::name(&args.file);
    if args.output.text {
        report_error("watch", &"--text needs the whole log: use `ksplat parse`");
        return Ok(Status::Unusable);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // A second signal ends the program at once.
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
    // Opening a device or a pipe may block.
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
        writer: Writer::new(args.output.format),
        options: text_options(&args.output),
        images: Images::new(&args.images),
        analyzer: ksplat::Analyzer::new().with_syntax(args.output.syntax.into()).without_suspects(),
        atlas: args.reading.atlas(),
        with_signature: !matches!(args.output.format, ReportFormat::Text | ReportFormat::Md),
        runner: args.exec.clone().map(Runner::new),
        status: Status::Done,
    };
    let ended = shown.all(&mut monitor, &chunks, &stop);
    if let Some(runner) = shown.runner.take() {
        runner.finish();
    }
    let ended = ended.and_then(|()| shown.writer.finish());
    match ended {
        // The reader of the output has left, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(shown.status),
    }
}

/// The printed reports, and their outputs.
struct Shown<'a> {
    name: &'a str,
    count: usize,
    /// The maximum number of reports.
    most: usize,
    writer: Writer<'static>,
    options: text::TextOptions,
    images: Images<'a>,
    analyzer: ksplat::Analyzer<'static>,
    atlas: ksplat::atlas::Atlas<'static>,
    with_signature: bool,
    runner: Option<Runner>,
    status: Status,
}

impl Shown<'_> {
    /// Prints the reports until the console ends.
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
        let mut needs = Needs::default();
        needs.add_report(&report);
        self.images.load(&needs);
        self.images.annotate(&mut report);
        ksplat::suspects::annotate(&mut report, self.atlas);
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
        self.writer.report(&record, self.options)?;
        self.writer.add(sources.as_bytes())?;
        self.writer.flush()
    }
}

/// Runs the command of `--exec` for each report, in a separate thread.
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
            report_error("--exec", &"the command is too slow; a report is dropped");
        }
    }

    /// Waits for the commands of the reports that wait.
    fn finish(self) {
        drop(self.sender);
        let _ = self.worker.join();
    }
}

fn execute(command: &str, report: &[u8]) -> io::Result<()> {
    let mut shell = Command::new("sh");
    // Standard output holds only reports.
    shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(io::stderr());
    let mut child = shell.spawn()?;
    // The command may not read its input.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(report));
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("`{command}`: {status}"))) }
}

/// A console.
enum Source {
    /// A file that another program writes and rotates.
    Growing { path: PathBuf, file: File, identity: (u64, u64), at: u64 },
    /// A pipe or a device, on which reads block.
    Stream(Box<dyn Read + Send>),
}

/// Opens a console. A serial device does not become the controlling terminal.
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

    /// Sends the text of the console until it or the receiver ends.
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

/// Follows a file through rotation and truncation, without an end.
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
            // Rotation may leave a directory or a link for a moment.
            if !metadata.is_file() {
                continue;
            }
            // The last lines of the old file.
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
            // Files of procfs always have the size 0, so they were not truncated.
            at = file.seek(SeekFrom::Start(0))?;
        } else {
            missing = 0;
            continue;
        }
        // The last line of the old text may be incomplete.
        if chunks.send(Ok(b"\n".to_vec())).is_err() {
            return Ok(());
        }
    }
}

/// Counts failed checks, and reports the failure once.
fn miss(path: &Path, error: &io::Error, missing: u32) -> u32 {
    let missing = missing.saturating_add(1);
    if missing == PATIENCE {
        report_error(&input::name(path), &format!("{error}; waiting for a new file"));
    }
    missing
}

/// Sends the text up to the end, and returns its length in bytes; `None` if the receiver has ended.
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
            // `/dev/kmsg` overwrote the next records: devkmsg_read() in kernel/printk/printk.c returns EPIPE, and the
            // next read continues with the oldest record.
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
