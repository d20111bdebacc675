//! How much of a report is kept.

/// The most lines that a report has by default. The rest is left out, and the report says so.
///
/// The longest reports that kernels print (all locks of a system, a stack for each CPU) have some
/// thousand; the limit keeps the memory for one report below a megabyte.
pub const MAX_LINES: usize = 4096;

/// The most frames of all stacks together by default; what more there is repeats itself.
pub const MAX_FRAMES: usize = 1024;

/// The most reports that are open at the same time by default, one for each context.
///
/// A machine has at most as many as CPUs that crash at once; the limit keeps hostile logs, with a
/// context for every line, from making each line compare against all of them.
pub const MAX_OPEN: usize = 16;

/// The bytes for each line of a report: the longest that kernels print have half as many. A monitor
/// keeps them all, and a log those with escapes in the middle.
const BYTES_A_LINE: usize = 96;

/// How much of a report is kept: what is beyond is left out, and the report says so in
/// [`corrupted`](crate::Report::corrupted) or [`diagnostics`](crate::Report::diagnostics).
///
/// Memory and, for `open`, time for each line grow with them. Zero counts as one. Limits of lists that
/// the kernel itself bounds (bytes of code, modules, locks) cannot be changed; see
/// `docs/src/limits.md`. For fewer reports of a log, `take` them from the iterator.
///
/// ```
/// use ksplat::{Limits, Parser};
///
/// let log = b"BUG: KASAN: use-after-free in f+0x1/0x2\nCall Trace:\n f+0x1/0x2\n g+0x1/0x2\n";
/// let limits = Limits::default().with_frames(1);
/// let report = Parser::new().with_limits(limits).reports(log).next().expect("a report");
/// assert_eq!(report.stacks[0].frames.len(), 1);
/// assert_eq!(report.diagnostics[0].to_string(), "byte 63: frames: too many: the rest was left out");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Lines of a report, [`MAX_LINES`] by default. Each brings 96 bytes of text; 384 KiB there are
    /// in any case.
    pub lines: usize,
    /// Frames of all stacks of a report together, [`MAX_FRAMES`] by default.
    pub frames: usize,
    /// Reports that are open at the same time, [`MAX_OPEN`] by default: one more ends the oldest. As many
    /// that are complete may wait for an earlier one.
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines: MAX_LINES, frames: MAX_FRAMES, open: MAX_OPEN }
    }
}

impl Limits {
    /// The same with at most so many lines of a report.
    #[must_use]
    pub fn with_lines(self, lines: usize) -> Self {
        Self { lines: lines.max(1), ..self }
    }

    /// The same with at most so many frames of a report.
    #[must_use]
    pub fn with_frames(self, frames: usize) -> Self {
        Self { frames: frames.max(1), ..self }
    }

    /// The same with at most so many reports at a time.
    #[must_use]
    pub fn with_open(self, open: usize) -> Self {
        Self { open: open.max(1), ..self }
    }

    /// Bytes of text of a report.
    pub(super) fn text(self) -> usize {
        self.lines.max(MAX_LINES).saturating_mul(BYTES_A_LINE)
    }
}
