//! `ksplat watch`.

use std::fmt::Write as _;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ksplat::output::escape::escape;
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::text;
use ksplat::{Event, Kind, Monitor, Report, Started};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::args::{ReportFormat, Watch};
use crate::follow::Console;
use crate::images::{Images, Needs};
use crate::input;
use crate::runner::{Ender, Runner};
use crate::sources;
use crate::ui::{Status, report_error};
use crate::writer::{Writer, text_options};

/// The maximum number of chunks that wait to be parsed; then reading waits.
const QUEUE: usize = 16;

/// The interval at which the clock and signals are checked.
const TICK: Duration = Duration::from_millis(100);

/// The time after a signal at which the program ends, even if its output is not read.
const END: Duration = Duration::from_millis(950);

/// The time after a signal at which a command is ended.
const END_COMMAND: Duration = Duration::from_millis(400);

/// The exit status of a program that SIGINT ended, by the convention of shells.
const KILLED: i32 = 130;

/// The maximum number of printed reports that may be revised: more than a monitor has open.
const MAX_SHOWN: usize = 1024;

pub(crate) fn watch(args: &Watch) -> io::Result<Status> {
    let name = input::name(&args.file);
    if args.output.text {
        report_error("watch", &"--text needs the whole log: use `ksplat parse`");
        return Ok(Status::Unusable);
    }
    let runner =
        args.exec.clone().map(|command| Runner::new(command, args.exec_queue, args.exec_timeout));
    let stop = stop_at_signal(runner.as_ref().map(Runner::ender))?;
    let (sender, chunks) = mpsc::sync_channel(QUEUE);
    let console = Console { path: args.file.clone(), new: args.new, once: args.once };
    // Opening a device or a pipe may block.
    thread::spawn(move || console.send(&sender));

    let quiet = Duration::from_secs(args.quiet);
    let mut monitor = args.reading.parser().with_quiet(quiet).with_pause(args.pause).monitor();
    let mut shown = Shown {
        name: &name,
        count: 0,
        most: args.reading.reports(),
        last: Vec::new(),
        writer: Writer::new(args.format.into()),
        options: text_options(&args.output),
        images: Images::new(&args.images),
        analyzer: ksplat::Analyzer::new().with_syntax(args.output.syntax.into()).without_suspects(),
        atlas: args.reading.atlas(),
        with_signature: !matches!(args.format, ReportFormat::Text | ReportFormat::Md),
        runner,
        early: args.early,
        status: Status::Done,
    };
    let ended = shown.all(&mut monitor, &chunks, &stop);
    if let Some(runner) = shown.runner.take() {
        runner.finish();
    }
    let ended = ended.and_then(|()| shown.writer.finish());
    match ended {
        // The reader of the output has closed it, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(shown.status),
    }
}

/// Sets a flag on SIGINT and SIGTERM. Open reports are completed within a second of the first
/// signal, and a second one has no effect.
fn stop_at_signal(commands: Option<Ender>) -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    let stopped = Arc::clone(&stop);
    thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            thread::sleep(TICK / 10);
        }
        let begin = Instant::now();
        if let Some(commands) = commands {
            commands.end_at(begin + END_COMMAND);
        }
        thread::sleep(END);
        process::exit(KILLED);
    });
    Ok(stop)
}

/// The printed reports, and their outputs.
struct Shown<'a> {
    name: &'a str,
    count: usize,
    /// The maximum number of reports.
    most: usize,
    /// The offset in the log of the first byte, and the index, of the last reports.
    last: Vec<(usize, usize)>,
    writer: Writer<'static>,
    options: text::TextOptions,
    images: Images<'a>,
    analyzer: ksplat::Analyzer<'static>,
    atlas: ksplat::atlas::Atlas<'static>,
    with_signature: bool,
    runner: Option<Runner>,
    /// Whether the start of a report is printed.
    early: bool,
    status: Status,
}

/// The start of a report in JSON.
#[derive(Serialize)]
struct EarlyRecord<'a> {
    file: &'a str,
    started: StartedRecord<'a>,
}

#[derive(Serialize)]
struct StartedRecord<'a> {
    line: usize,
    offset: usize,
    kind: Kind,
    title: &'a str,
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
        let mut ticked = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) && self.count < self.most {
            let (chunk, is_behind) = match chunks.try_recv() {
                Ok(chunk) => (Ok(chunk), true),
                Err(_) => (chunks.recv_timeout(TICK), false),
            };
            match chunk {
                Ok(Ok(chunk)) => self.events(monitor.push(&chunk))?,
                Ok(Err(error)) => {
                    report_error(self.name, &error);
                    self.status = Status::Unusable;
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // A tick copies the open reports, which is too slow for each chunk of a backlog.
            let now = begin.elapsed();
            if !is_behind || now.saturating_sub(ticked) >= TICK {
                self.events(monitor.tick(now))?;
                ticked = now;
            }
        }
        self.events(monitor.finish())
    }

    fn events(&mut self, events: impl Iterator<Item = Event>) -> io::Result<()> {
        for event in events {
            match event {
                Event::Started(started) if self.early && self.count < self.most => {
                    self.start(&started)?;
                }
                Event::Finished(report) if self.count < self.most => {
                    let index = self.count;
                    self.count += 1;
                    self.last.push((report.span.start, index));
                    let old = self.last.len().saturating_sub(MAX_SHOWN);
                    self.last.drain(..old);
                    self.report(*report, index, false)?;
                }
                Event::Revised(report) => {
                    let is = |(start, _): &&(usize, usize)| *start == report.span.start;
                    if let Some((_, index)) = self.last.iter().rev().find(is) {
                        self.report(*report, *index, true)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Prints the start of a report.
    fn start(&mut self, started: &Started) -> io::Result<()> {
        let Started { line, offset, kind, ref title, .. } = *started;
        let record =
            EarlyRecord { file: self.name, started: StartedRecord { line, offset, kind, title } };
        self.writer.result(
            |page| writeln!(page, "The report of line {line} begins: {}", escape(title)),
            |mut out| json::write_value(&mut out, &record),
        )?;
        self.writer.flush()
    }

    /// Prints a report; `revises` if an earlier state of it was printed.
    fn report(
        &mut self,
        mut report: Report<'static>,
        index: usize,
        revises: bool,
    ) -> io::Result<()> {
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
        let line = report.span.line;
        let record = ReportRecord::new(self.name, index, report)
            .with_signature(signature)
            .with_revises(revises);
        if let Some(runner) = &self.runner {
            let mut line = Vec::new();
            json::write(&mut line, &record)?;
            line.push(b'\n');
            runner.run(line);
        }
        if revises && self.writer.is_text() {
            let goes_on = format!("\nThe report of line {line} continued:\n");
            self.writer.add(goes_on.as_bytes())?;
        }
        self.writer.report(&record, self.options, &sources)?;
        self.writer.flush()
    }
}
