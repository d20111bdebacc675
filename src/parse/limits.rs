//! Limits on the size of reports.

/// The default maximum number of lines of a report. The rest is left out, which the report records.
///
/// The longest reports of kernels (all locks of a system, a stack for each CPU) have some thousand;
/// the limit keeps the memory for one report below a megabyte.
pub const MAX_LINES: usize = 4096;

/// The default maximum number of frames in all stacks together; further frames are mostly
/// repetitions.
pub const MAX_FRAMES: usize = 1024;

/// The default maximum number of reports that are open at the same time, one for each context.
///
/// A machine has at most as many as CPUs that crash at once; the limit bounds the work on hostile
/// logs, in which each line has another context.
pub const MAX_OPEN: usize = 16;

/// The bytes for each line of a report: the longest reports of kernels use half as many. A monitor
/// stores all lines, a parser of a whole log those with escapes in the middle.
const BYTES_A_LINE: usize = 96;

/// The limits on the size of a report: the part beyond a limit is left out, which the report
/// records in [`corrupted`](crate::Report::corrupted) or
/// [`diagnostics`](crate::Report::diagnostics).
///
/// Memory and, for `open`, time for each line grow with the limits. Zero is the same as one. Lists
/// that the kernel itself bounds (bytes of code, modules, locks) have fixed limits; see
/// `docs/src/limits.md`. To limit the number of reports, use `take` of the iterator.
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
    /// The maximum number of lines of a report, [`MAX_LINES`] by default. The limit for text is 96
    /// bytes for each, and at least 384 KiB.
    pub lines: usize,
    /// The maximum number of frames of all stacks of a report together, [`MAX_FRAMES`] by default.
    pub frames: usize,
    /// The maximum number of reports that are open at the same time, [`MAX_OPEN`] by default: one
    /// more ends the oldest. As many complete reports may wait for an earlier one.
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines: MAX_LINES, frames: MAX_FRAMES, open: MAX_OPEN }
    }
}

impl Limits {
    /// Sets the maximum number of lines of a report.
    #[must_use]
    pub fn with_lines(self, lines: usize) -> Self {
        Self { lines: lines.max(1), ..self }
    }

    /// Sets the maximum number of frames of a report.
    #[must_use]
    pub fn with_frames(self, frames: usize) -> Self {
        Self { frames: frames.max(1), ..self }
    }

    /// Sets the maximum number of open reports.
    #[must_use]
    pub fn with_open(self, open: usize) -> Self {
        Self { open: open.max(1), ..self }
    }

    /// Returns the maximum number of bytes of text of a report.
    pub(super) fn text(self) -> usize {
        self.lines.max(MAX_LINES).saturating_mul(BYTES_A_LINE)
    }
}
