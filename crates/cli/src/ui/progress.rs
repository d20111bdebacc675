//! Progress bars on the terminal of standard error.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The time before a bar is drawn: short work has none.
const DELAY: Duration = Duration::from_millis(300);

/// The bars on the terminal.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Progress of long work. Nothing is drawn unless standard error is a terminal. The bars have no colour.
#[derive(Debug)]
pub(crate) struct Progress {
    template: &'static str,
    what: String,
    total: u64,
    begin: Instant,
    is_shown: bool,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// Counts files; `what` describes the work.
    pub(crate) fn of_files(what: &str, count: usize, quiet: bool) -> Self {
        let template = "{msg} {bar:30} {pos}/{len} files, {eta} left";
        Self::new(template, what, count as u64, !quiet && count > 1)
    }

    /// Counts the bytes of a fetched file; `total` is 0 if the server does not send the size.
    #[cfg(feature = "debuginfod")]
    pub(crate) fn of_bytes(what: &str, total: u64) -> Self {
        let template = if total > 0 {
            "{msg} {bar:30} {bytes}/{total_bytes}, {eta} left"
        } else {
            "{msg} {bytes}"
        };
        Self::new(template, what, total, true)
    }

    /// Counts commits; their number is unknown before the walk ends.
    pub(crate) fn of_commits(what: &str, quiet: bool) -> Self {
        Self::new("{msg} {pos} commits, {elapsed}", what, 0, !quiet)
    }

    fn new(template: &'static str, what: &str, total: u64, wanted: bool) -> Self {
        let (what, begin) = (what.to_owned(), Instant::now());
        let is_shown = wanted && io::stderr().is_terminal();
        Self { template, what, total, begin, is_shown, bar: OnceLock::new() }
    }

    /// Hides the bar, because output on the same terminal would break it.
    pub(crate) fn unless_stdout_is_terminal(mut self) -> Self {
        self.is_shown &= !io::stdout().is_terminal();
        self
    }

    /// Counts completed work.
    pub(crate) fn add(&self, count: u64) {
        if !self.is_shown {
            return;
        }
        if let Some(bar) = self.bar.get() {
            bar.inc(count);
        } else if self.begin.elapsed() >= DELAY {
            self.bar.get_or_init(|| self.draw()).inc(count);
        }
    }

    fn draw(&self) -> ProgressBar {
        let style = ProgressStyle::with_template(self.template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::new(self.total).with_style(style).with_message(self.what.clone());
        BARS.get_or_init(MultiProgress::new).add(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

/// Runs `print`, which writes to the terminal, with the bars cleared.
pub(super) fn suspend(print: impl FnOnce()) {
    match BARS.get() {
        Some(bars) => bars.suspend(print),
        None => print(),
    }
}
