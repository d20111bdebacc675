//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use ksplat::Limits;

const AFTER_HELP: &str = "\
Exit status: 0 done, 1 crash reports found (parse, watch), a verdict that is not sound (bisect) or a new
bug (match), 2 the call or an input is unusable.

Examples:
  dmesg | ksplat
  ksplat console.log.xz
  ksplat parse --format jsonl logs/*.log
  ksplat symbolize --vmlinux vmlinux --modules . < dmesg
  ksplat cluster --first logs/
  ksplat match new.log --store bugs.ksplat
  journalctl -kf | ksplat watch
  ksplat bisect bisect.txt
  ksplat code '48 c1 ea 03 <0f> b6 04 02'";

/// Reads Linux kernel crash reports out of console logs.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) parse: Parse,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find and describe every crash report (the default)
    Parse(Parse),
    /// Follow a console that is still being written, and show each report when it is complete
    Watch(Watch),
    /// Print a log with files, lines and inlined functions, as decode_stacktrace.sh does
    Symbolize(Symbolize),
    /// Group the reports of many logs by the bug that they are of
    Cluster(Cluster),
    /// Say which known reports a new one is like
    Match(Match),
    /// Keep a file of the bugs that were seen
    #[command(subcommand)]
    Store(Store),
    /// Say whether the verdict of a bisection by syzkaller can be believed
    Bisect(Bisect),
    /// Show a `Code:` line as instructions, the trapping one marked
    Code(Code),
}

#[derive(Debug, Group)]
pub(crate) struct Parse {
    /// Console logs, plain or .gz, .xz, .zst; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Say nothing of a log without a crash report
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) images: Images,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which reports are read, and how much of them.
#[derive(Debug, Default, Group)]
#[command(next_help_heading = "Reports")]
pub(crate) struct Reading {
    /// Also print information reports: memory exhaustion, damaged file systems
    #[arg(long)]
    pub(crate) information: bool,
    /// No more than so many reports of each log; `watch` ends then
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_reports: Option<NonZeroUsize>,
    /// The most lines that are read of a report [default: 4096]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_lines: Option<NonZeroUsize>,
    /// The most frames of all stacks of a report together [default: 1024]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_frames: Option<NonZeroUsize>,
    /// The most reports that may go on at the same time, as on a machine with many CPUs [default: 16]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_open: Option<NonZeroUsize>,
}

impl Reading {
    /// The parser with these options.
    pub(crate) fn parser(&self) -> ksplat::Parser {
        let known = Limits::default();
        let limits = known
            .with_lines(self.max_lines.map_or(known.lines, NonZeroUsize::get))
            .with_frames(self.max_frames.map_or(known.frames, NonZeroUsize::get))
            .with_open(self.max_open.map_or(known.open, NonZeroUsize::get));
        ksplat::Parser::new().with_limits(limits).with_information(self.information)
    }

    /// The most reports of a log.
    pub(crate) fn reports(&self) -> usize {
        self.max_reports.map_or(usize::MAX, NonZeroUsize::get)
    }
}

#[derive(Debug, Default, Group)]
#[command(next_help_heading = "Images")]
pub(crate) struct Images {
    /// The kernel's image with symbols, or the build tree that it is in; `auto` looks for the one of
    /// the log's release where distributions put it
    #[arg(long, value_name = "PATH")]
    pub(crate) vmlinux: Option<PathBuf>,
    /// Where its modules are: .ko, .ko.debug, and .ko.xz, .ko.zst, .ko.gz
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Option<PathBuf>,
    /// Fetch images by the build ids in the log, from the servers in DEBUGINFOD_URLS
    #[cfg(feature = "debuginfod")]
    #[arg(long)]
    pub(crate) debuginfod: bool,
    /// LinkReason far the kernel was moved (KASLR), in hexadecimal, for addresses without names
    #[arg(long, value_name = "BYTES", value_parser = hexadecimal)]
    pub(crate) kernel_offset: Option<u64>,
    /// Fail if an image is of another build than the log
    #[arg(long)]
    pub(crate) strict: bool,
    /// Does nothing: images are read without a cache. Scripts that name it keep working
    #[arg(long, hide = true)]
    pub(crate) no_cache: bool,
    /// The source tree, to show the lines of the crash's stack from
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    /// LinkReason many lines are shown before and after each
    #[arg(long, value_name = "LINES", default_value_t = 2)]
    pub(crate) context: usize,
}

impl Images {
    /// Whether reports are to be resolved.
    pub(crate) fn are_named(&self) -> bool {
        self.vmlinux.is_some() || self.may_fetch()
    }

    /// Whether servers may be asked.
    #[cfg_attr(not(feature = "debuginfod"), expect(clippy::unused_self))]
    pub(crate) fn may_fetch(&self) -> bool {
        #[cfg(feature = "debuginfod")]
        return self.debuginfod;
        #[cfg(not(feature = "debuginfod"))]
        false
    }
}

#[derive(Debug, Group)]
pub(crate) struct Symbolize {
    /// Console logs, plain or .gz, .xz, .zst; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) images: Images,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
pub(crate) struct Cluster {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// Also write what holds each cluster together, and where its reports are
    #[arg(long)]
    pub(crate) long: bool,
    /// Write a page for a browser, with everything in one file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Say why two reports are in one cluster, or not; each is FILE, or FILE#INDEX
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) why: Vec<String>,
    /// Keep two reports in different clusters; may be given again
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    pub(crate) apart: Vec<String>,
    /// Keep two reports in one cluster; may be given again
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    pub(crate) together: Vec<String>,
    /// LinkReason clusters are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
pub(crate) struct Match {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// A file that lists the known logs, one on a line
    #[arg(long, value_name = "LIST", conflicts_with = "store")]
    pub(crate) among: Option<PathBuf>,
    /// A store of bugs that were seen: see `ksplat store`
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// LinkReason many candidates are told at most
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) top: usize,
    /// LinkReason candidates are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Add the reports of logs to a store, which is made if it is not there
    Add {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        #[command(flatten)]
        logs: Logs,
    },
    /// Show the bugs of a store
    List {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// Also write where reports of each bug are
        #[arg(long)]
        long: bool,
        /// Write a page for a browser, with everything in one file
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// LinkReason bugs are written
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Say something of a bug: `fixed-by COMMIT`, `fixed-by COMMIT since RELEASE`, `wontfix`, any text
    Label {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// The bug's id
        #[arg(value_name = "BUG", value_parser = hexadecimal)]
        bug: u64,
        /// What is said
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Write a store as JSON Lines to standard output
    Export {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
    },
    /// Add what `export` wrote, from standard input
    Import {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
    },
    /// Add all of another store
    Merge {
        /// The store that grows
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// The other one
        #[arg(value_name = "OTHER")]
        other: PathBuf,
    },
}

#[derive(Debug, Group)]
pub(crate) struct Logs {
    /// Console logs, plain or .gz, .xz, .zst, or directories of them; `-` is standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// A file that lists logs, one on a line
    #[arg(long, value_name = "LIST")]
    pub(crate) files_from: Option<PathBuf>,
    /// Only the first report of each log: what comes later is often its consequence
    #[arg(long)]
    pub(crate) first: bool,
}

#[derive(Debug, Group)]
pub(crate) struct Watch {
    /// A log that grows (rotation is followed), a serial device, /dev/kmsg or a pipe; `-` or none is
    /// standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Only what is written from now on, of a log that is there already
    #[arg(long)]
    pub(crate) new: bool,
    /// A shell command to run for each report, with its JSON on standard input; one at a time
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// LinkReason long the console is silent before a report is taken for complete
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) quiet: u64,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) images: Images,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
pub(crate) struct Bisect {
    /// Bisection logs, plain or .gz, .xz, .zst; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// One line for each log
    #[arg(long, conflicts_with = "format")]
    pub(crate) summary: bool,
    /// The title of the crash under bisection; by default the most frequent on the first commit
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: Option<String>,
    /// A console log of the crash under bisection, to compare stacks with
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// A git tree of the kernel, to count exactly what is left to test
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,
    /// LinkReason audits are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Debug, Group)]
pub(crate) struct Code {
    /// The line, with or without `Code:`; `-` or none is standard input
    #[arg(value_name = "LINE", allow_hyphen_values = true)]
    pub(crate) line: Vec<String>,
    /// Whose code it is, as in the output: x86_64, i386, arm64, arm, riscv64, powerpc
    #[arg(long, value_name = "ARCH", value_parser = arch)]
    pub(crate) arch: Option<ksplat::Arch>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Add the text of each report, prefixes and lines of others left out, to the JSON
    #[arg(long)]
    pub(crate) text: bool,
    /// LinkReason reports are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// The syntax of instructions
    #[arg(long, value_enum, default_value_t = Syntax::Att)]
    pub(crate) syntax: Syntax,
    /// Show all instructions, stacks and registers
    #[arg(long)]
    pub(crate) all: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

/// A number in hexadecimal, with or without `0x`.
fn hexadecimal(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16)
        .map_err(|_| "expected hexadecimal, such as 0x1e000000".to_owned())
}

/// An architecture by its name.
fn arch(name: &str) -> Result<ksplat::Arch, String> {
    let all = ksplat::Arch::ALL;
    all.iter().find(|arch| arch.name() == name).copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|arch| arch.name()).collect();
        format!("no architecture has this name; take one of {}", names.join(", "))
    })
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// A screen for each report
    Text,
    /// One array of all reports
    Json,
    /// One object a line for each report
    Jsonl,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Syntax {
    /// AT&T, as the kernel's own tools print it
    Att,
    Intel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

impl From<Syntax> for ksplat::disasm::Syntax {
    fn from(syntax: Syntax) -> Self {
        match syntax {
            Syntax::Att => Self::Att,
            Syntax::Intel => Self::Intel,
        }
    }
}
