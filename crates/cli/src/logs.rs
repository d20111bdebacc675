//! The loop over logs: each is read, resolved with images if there are any, and written in order.

use std::borrow::Cow;
use std::io;
use std::ops::ControlFlow::{self, Break, Continue};
use std::path::{Path, PathBuf};

use crate::args;
use crate::cores::{self, Done};
use crate::images::{Images, Needs};
use crate::input::{self, Input, Unreadable};
use crate::packed::Text;
use crate::ui::{self, Progress, Status};
use crate::writer::{Format, Page, Writer};

/// A log, and the images for its reports.
pub(crate) struct Log<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) text: Text,
    needs: Needs,
}

/// The work on each log. `Break` ends the loop: no image can be read, or one is of another build
/// and `--strict` is given.
pub(crate) trait Job: Sync {
    /// Returns the images for the log.
    fn needs(&self, log: &Text) -> Needs;

    /// Writes the results for the log.
    fn write(
        &self,
        log: &Log<'_>,
        images: &Images<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<ControlFlow<Status, Status>>;
}

/// Runs a job on all logs; without names, on standard input.
pub(crate) fn run(
    job: &impl Job,
    files: &[PathBuf],
    images: &args::Images,
    format: Format<'_>,
    unpacking: &args::Unpacking,
    progress: &Progress,
) -> io::Result<Status> {
    let files = input::or_stdin(files);
    let run = Run { job, format, most: unpacking.max_unpacked, progress };
    let mut images = Images::new(images);
    let mut writer = Writer::new(format);
    let status = match &*files {
        [file] => run.alone(file, &mut images, &mut writer),
        files => run.together(files, &mut images, &mut writer),
    }?;
    writer.finish()?;
    Ok(status)
}

/// Runs a job on a log in memory.
pub(crate) fn run_bytes(
    job: &impl Job,
    name: &str,
    bytes: Input,
    images: &args::Images,
    format: Format<'_>,
) -> io::Result<Status> {
    let mut images = Images::new(images);
    let mut writer = Writer::new(format);
    let text = Text::Whole(bytes);
    let needs = if images.are_named() { job.needs(&text) } else { Needs::default() };
    images.load(&needs);
    let log = Log { name: name.into(), text, needs };
    let (Break(status) | Continue(status)) = job.write(&log, &images, &mut writer)?;
    writer.finish()?;
    Ok(status)
}

struct Run<'a, J> {
    job: &'a J,
    format: Format<'a>,
    /// The maximum number of bytes of an unpacked log.
    most: u64,
    progress: &'a Progress,
}

type Written = Done<io::Result<(Page, ControlFlow<Status, Status>)>>;

impl<J: Job> Run<'_, J> {
    /// One log: each report is written when it is found.
    fn alone(
        &self,
        file: &Path,
        images: &mut Images<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<Status> {
        let log = match self.open(file, images) {
            Ok(log) => log,
            Err(Unreadable { name, error }) => {
                writer.end_log(&name, Some(&error));
                return Ok(Status::Unusable);
            }
        };
        images.load(&log.needs);
        Ok(match self.job.write(&log, images, writer)? {
            Break(status) | Continue(status) => status,
        })
    }

    /// Many logs on all cores, in their order.
    fn together(
        &self,
        files: &[PathBuf],
        images: &mut Images<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<Status> {
        let mut status = Status::Done;
        for files in cores::batches(files) {
            for written in self.batch(files, images) {
                let (page, found) = written.print()?;
                writer.append(page)?;
                match found {
                    Continue(found) => status = status.max(found),
                    Break(found) => return Ok(status.max(found)),
                }
            }
        }
        Ok(status)
    }

    /// Writes the pages of logs. Images are loaded in the order of the logs, because the first log
    /// with a report selects the kernel, and each missing image is reported once.
    fn batch(&self, files: &[PathBuf], images: &mut Images<'_>) -> Vec<Written> {
        if !images.are_named() {
            return cores::in_order(files, |file| {
                self.page(self.open(file, images).as_ref(), images)
            });
        }
        let mut logs = cores::in_order(files, |file| self.open(file, images));
        for log in &mut logs {
            let Some(needs) = log.value.as_ref().ok().map(|log| &log.needs) else { continue };
            let ((), messages) = ui::collect(|| images.load(needs));
            log.messages.append(messages);
        }
        let pages = cores::in_order(&logs, |log| self.page(log.value.as_ref(), images));
        let earlier = logs.into_iter().map(|log| log.messages);
        earlier
            .zip(pages)
            .map(|(mut messages, page)| {
                messages.append(page.messages);
                Done { value: page.value, messages }
            })
            .collect()
    }

    fn open<'f>(&self, file: &'f Path, images: &Images<'_>) -> Result<Log<'f>, Unreadable<'f>> {
        let (name, text) = input::open(file, self.most)?;
        let needs = if images.are_named() { self.job.needs(&text) } else { Needs::default() };
        Ok(Log { name, text, needs })
    }

    fn page(
        &self,
        log: Result<&Log<'_>, &Unreadable<'_>>,
        images: &Images<'_>,
    ) -> io::Result<(Page, ControlFlow<Status, Status>)> {
        let (page, found) = Writer::page(self.format, |writer| match log {
            Ok(log) => self.job.write(log, images, writer),
            Err(Unreadable { name, error }) => {
                writer.end_log(name, Some(error));
                Ok(Continue(Status::Unusable))
            }
        });
        self.progress.add(1);
        Ok((page, found?))
    }
}
