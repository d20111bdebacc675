//! The command line.

mod kcidb;
mod store;

use std::fmt::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use ksplat::Limits;

pub(crate) use kcidb::Kcidb;
pub(crate) use store::{Pair, Remark, Store, Verdict, Wait};

/// What `--version` prints behind the name.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    env!("KSPLAT_COMMIT"),
    "\nfeatures: ",
    env!("KSPLAT_FEATURES")
);

/// The exit statuses: their meaning, and the number.
pub(crate) const STATUSES: &[(&str, &str)] = &[
    ("success", "0"),
    ("crash reports (parse, qr, watch), a doubtful result (bisect), a new bug (match)", "1"),
    ("the call or an input is unusable", "2"),
];

/// What people do, and the call for it.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    ("Read the kernel log of this machine", "dmesg | ksplat"),
    ("Read a log as it is stored, and show everything", "ksplat --all console.log.xz"),
    (
        "Resolve files, lines and variables by the images of a build",
        "ksplat --vmlinux build --modules build console.log",
    ),
    (
        "Write one JSON object for each report of many logs",
        "ksplat parse --format jsonl logs/*.log",
    ),
    ("Print each report of a live console", "journalctl -kf | ksplat watch"),
    ("Decode a log as decode_stacktrace.sh does", "ksplat symbolize --vmlinux auto < console.log"),
    ("Group the first reports of many logs by bug", "ksplat cluster --first logs"),
    ("Look up a report among known bugs", "ksplat match new.log --store bugs.ksplat"),
    ("Find the commit that fixes a crash", "dmesg | ksplat known --in known.ksplat"),
    ("Decode the instructions of a Code: line", "ksplat code '48 c1 ea 03 <0f> b6 04 02'"),
    (
        "Read the log in the QR code of a panic screen",
        "ksplat qr 'https://panic.example/report?a=x86_64&v=6.17.0&z=...'",
    ),
];

/// The end of the main help.
fn after_help() -> String {
    let mut help = "Exit status:\n".to_owned();
    for (meaning, status) in STATUSES {
        let _ = writeln!(help, "  {status}  {meaning}");
    }
    help += "\nExamples:\n";
    for (job, call) in EXAMPLES {
        let _ = writeln!(help, "  {job}:\n      {call}");
    }
    help + "\n`ksplat COMMAND --help` describes a command, `ksplat man` prints the manual page."
}

/// Find and explain Linux kernel crash reports in console logs
#[derive(Debug, Parser)]
#[command(
    name = "ksplat",
    version,
    long_version = LONG_VERSION,
    after_help = after_help(),
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "COMMAND",
    max_term_width = 80
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) parse: Parse,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the crash reports of logs (the default command)
    Parse(Parse),
    /// Follow a live console, and print each report when it is complete
    Watch(Watch),
    /// Print logs with files, lines and inlined functions, as decode_stacktrace.sh does
    Symbolize(Symbolize),
    /// Group the reports of many logs by bug
    Cluster(Cluster),
    /// Look up reports among known ones
    Match(Match),
    /// Find the commits that fix a crash, and whether its kernel has them
    Known(Known),
    /// Manage a file of known bugs
    #[command(subcommand)]
    Store(Store),
    /// Rate the steps of a syzkaller bisection, and correct its result
    Bisect(Bisect),
    /// Decode a `Code:` line, and explain the trap of an oops
    Code(Code),
    /// Look up functions in a map of the kernel, or make one of its sources
    #[command(subcommand)]
    Atlas(Atlas),
    /// Manage the images that `--debuginfod` fetched
    #[command(subcommand)]
    Cache(Cache),
    /// Read the log in the QR code of DRM's panic screen
    Qr(Qr),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page, or write all manual pages to a directory
    Man(Man),
}

#[derive(Debug, Group)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Group)]
pub(crate) struct Man {
    /// Write ksplat.1 and a page for each command here; the directory is created
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Group)]
pub(crate) struct Parse {
    /// Console logs, plain or packed as .gz, .xz or .zst [default: standard input]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write the table of --format arrow or parquet to this file
    #[cfg(feature = "arrow")]
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unpacking: Unpacking,
    #[command(flatten)]
    pub(crate) reports: Reports,
    /// The output format
    #[arg(long, value_enum, default_value_t = ParseFormat::Text, help_heading = "Output")]
    pub(crate) format: ParseFormat,
    #[command(flatten)]
    pub(crate) kcidb: Kcidb,
}

/// The limit of packed logs.
#[derive(Debug, Group)]
pub(crate) struct Unpacking {
    /// Read a packed log up to this size; K, M, G and T are powers of 1024
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "2G")]
    pub(crate) max_unpacked: u64,
}

/// How the reports of a log are read, resolved and printed.
#[derive(Debug, Group)]
pub(crate) struct Reports {
    /// Print no message for a log without a report, and no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Add the fixes that may fix each report, from this file: see `ksplat known build`
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) images: Images,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which reports are read, and their limits.
#[derive(Debug, Default, Group)]
#[command(next_help_heading = "Reports")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Reading {
    /// Add information reports: memory exhaustion, damaged file systems
    #[arg(long)]
    pub(crate) information: bool,
    /// Skip lines of programs other than the kernel (the default)
    #[arg(long, overrides_with = "any_program")]
    pub(crate) kernel_only: bool,
    /// Read the lines of every program (`dockerd[812]: panic: ...`), and panics of Go programs
    #[arg(long, overrides_with = "kernel_only")]
    pub(crate) any_program: bool,
    /// Stop after COUNT reports of each log
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_reports: Option<NonZeroUsize>,
    /// Read at most COUNT lines of a report [default: 4096]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_lines: Option<NonZeroUsize>,
    /// Read at most COUNT frames of a report [default: 1024]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_frames: Option<NonZeroUsize>,
    /// Look up functions in this atlas [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(crate) atlas: Option<PathBuf>,
    /// Kernel sources, whose MAINTAINERS `--people` reads
    #[cfg(feature = "atlas")]
    #[arg(long, value_name = "DIR")]
    pub(crate) tree: Option<PathBuf>,
    /// Add the maintainers of the files of the suspects
    #[cfg(feature = "atlas")]
    #[arg(long, requires = "tree")]
    pub(crate) people: bool,
    /// Track at most COUNT interleaved reports, as many CPUs print them [default: 16]
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
        ksplat::Parser::new()
            .with_limits(limits)
            .with_information(self.information)
            .with_any_program(self.any_program && !self.kernel_only)
    }

    /// Returns the atlas for suspects.
    pub(crate) fn atlas(&self) -> ksplat::atlas::Atlas<'static> {
        crate::atlas::used(self.atlas.as_deref())
    }

    /// Returns the maintainers of the files of a report's suspects, with `--people`.
    pub(crate) fn people(&self, report: &ksplat::Report<'_>) -> Vec<String> {
        #[cfg(feature = "atlas")]
        if let Some(tree) = self.tree.as_deref().filter(|_| self.people) {
            return crate::atlas::people(tree, report);
        }
        let _ = report;
        Vec::new()
    }

    /// The maximum number of reports of a log.
    pub(crate) fn reports(&self) -> usize {
        self.max_reports.map_or(usize::MAX, NonZeroUsize::get)
    }
}

#[derive(Debug, Default, Group)]
#[command(next_help_heading = "Images")]
pub(crate) struct Images {
    /// The kernel image with debug information, its build tree, or `auto` for the installed image of
    /// the log's release
    #[arg(long, value_name = "PATH")]
    pub(crate) vmlinux: Option<PathBuf>,
    /// The directory of the modules (.ko and .ko.debug, plain or packed) [default: those installed for
    /// the log's release]
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Option<PathBuf>,
    /// Fetch images by build ID from the servers in DEBUGINFOD_URLS
    #[cfg(feature = "debuginfod")]
    #[arg(long)]
    pub(crate) debuginfod: bool,
    /// Wait so long for the answer of a server; 0 is without limit [default: DEBUGINFOD_TIMEOUT, or 30]
    #[cfg(feature = "debuginfod")]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) fetch_timeout: Option<u64>,
    /// Fetch no image above this size [default: DEBUGINFOD_MAXSIZE, or 8G]
    #[cfg(feature = "debuginfod")]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) fetch_max: Option<u64>,
    /// The KASLR offset in hexadecimal [default: the one in the log]
    #[arg(long, value_name = "BYTES", value_parser = hexadecimal)]
    pub(crate) kernel_offset: Option<u64>,
    /// Unpack at most this much of an image: the file, and the sum of its debug sections [default: 1G]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) max_image: Option<u64>,
    /// Fail if an image is of another build
    #[arg(long)]
    pub(crate) strict: bool,
    /// No effect, as images are read without a cache; accepted for old scripts
    #[arg(long, hide = true)]
    pub(crate) no_cache: bool,
    /// Print the source lines of the crash stack from this source tree
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    /// Source lines before and after each
    #[arg(long, value_name = "LINES", default_value_t = 2)]
    pub(crate) context: usize,
}

impl Images {
    /// Whether images are named.
    pub(crate) fn are_named(&self) -> bool {
        self.vmlinux.is_some() || self.may_fetch()
    }

    /// The number of bytes that an image may unpack to.
    pub(crate) fn max_image(&self) -> u64 {
        self.max_image.unwrap_or(1 << 30)
    }

    /// Whether images may be fetched.
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
    /// Console logs, plain or packed as .gz, .xz or .zst [default: standard input]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) unpacking: Unpacking,
    #[command(flatten)]
    pub(crate) images: Images,
    #[command(flatten)]
    pub(crate) output: Output,
    /// The output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    pub(crate) format: ReportFormat,
}

/// What the page of bugs shows of files.
#[derive(Debug, Default, Group)]
pub(crate) struct Page {
    /// Link the reports of the page to URL with the path and `#L` with the line; or replace `{file}` and `{line}` in URL
    #[arg(long, value_name = "URL", requires = "html")]
    pub(crate) link_base: Option<String>,
    /// Leave PREFIX out at the start of the names of logs
    #[arg(long, value_name = "PREFIX")]
    pub(crate) strip_prefix: Option<String>,
}

impl Page {
    /// The name of a log as it is shown.
    pub(crate) fn name<'a>(&self, name: &'a str) -> &'a str {
        let rest = self.strip_prefix.as_deref().and_then(|prefix| name.strip_prefix(prefix));
        rest.map_or(name, |rest| rest.trim_start_matches('/'))
    }
}

#[derive(Debug, Group)]
pub(crate) struct Cluster {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// Add the evidence and the reports of each bug
    #[arg(long)]
    pub(crate) long: bool,
    /// Write one HTML page for a browser instead
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) page: Page,
    /// Print the probable fix of each bug, from this file: see `ksplat known build`
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
    /// Print the evidence for two reports; each is FILE or FILE#INDEX, and is read if it is not among the logs
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) why: Vec<String>,
    /// Add a cannot-link: two reports are different bugs; may be repeated
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    pub(crate) apart: Vec<String>,
    /// Add a must-link: two reports are one bug; may be repeated
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    pub(crate) together: Vec<String>,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
pub(crate) struct Match {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// A file with the names of the known logs, one per line
    #[arg(long, value_name = "LIST", conflicts_with = "store")]
    pub(crate) among: Option<PathBuf>,
    /// A store of known bugs: see `ksplat store`
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// The maximum number of candidates
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) top: usize,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(args_conflicts_with_subcommands = true, subcommand_value_name = "COMMAND")]
pub(crate) struct Known {
    #[command(subcommand)]
    pub(crate) command: Option<KnownCommand>,
    #[command(flatten)]
    pub(crate) ask: KnownAsk,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KnownCommand {
    /// Read the fixes of git trees and mailing lists into a file; commits and mails that were read before are skipped
    Build(KnownBuild),
    /// Read the new commits and mails of the trees and lists of a file
    Update(KnownBuild),
}

#[derive(Debug, Group)]
pub(crate) struct KnownBuild {
    /// A git tree of the kernel, or any repository with its history; may be repeated
    #[arg(long, value_name = "DIR", action = clap::ArgAction::Append)]
    pub(crate) repo: Vec<PathBuf>,
    /// An archive of a mailing list in the format of public-inbox; may be repeated
    #[arg(long, value_name = "DIR", action = clap::ArgAction::Append)]
    pub(crate) public_inbox: Vec<PathBuf>,
    /// The file of fixes, which is a store
    #[arg(short = 'o', long = "output", value_name = "FILE", default_value = "known.ksplat")]
    pub(crate) file: PathBuf,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) wait: Wait,
}

#[derive(Debug, Group)]
pub(crate) struct KnownAsk {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// The file of fixes: see `ksplat known build`; any store of bugs with the label `fixed-by`
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The maximum number of candidates
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) top: usize,
    /// Look for the fixes in the history of --commit in this git tree
    #[arg(long, value_name = "DIR", requires = "commit")]
    pub(crate) repo: Option<PathBuf>,
    /// The commit that the kernel was built of
    #[arg(long, value_name = "COMMIT", requires = "repo")]
    pub(crate) commit: Option<String>,
    /// The output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Atlas {
    /// Make an atlas of kernel sources
    #[cfg(feature = "atlas")]
    Build {
        /// Sources of Linux; of several trees the newest first
        #[arg(value_name = "LINUX_TREE", required = true)]
        trees: Vec<PathBuf>,
        /// The atlas that is written
        #[arg(short, long, value_name = "FILE", default_value = "linux.atlas")]
        output: PathBuf,
        /// Show no progress
        #[arg(short, long)]
        quiet: bool,
    },
    /// Print the files of functions with their class, subsystem and mailing lists
    Find {
        /// Functions as the kernel prints them
        #[arg(value_name = "FUNCTION", required = true)]
        names: Vec<String>,
        /// Look them up in this atlas [default: the built-in one]
        #[arg(long, value_name = "FILE")]
        atlas: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Cache {
    /// Print the fetched images with their size and day, and the images that no server had
    List,
    /// Delete them
    Clear,
}

#[derive(Debug, Group)]
pub(crate) struct Logs {
    /// Console logs, plain or packed as .gz, .xz or .zst, or directories of logs [default: standard input]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// A file with the names of logs, one per line
    #[arg(long, value_name = "LIST")]
    pub(crate) files_from: Option<PathBuf>,
    /// Take only the first report of each log, as it often causes the others
    #[arg(long)]
    pub(crate) first: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) unpacking: Unpacking,
}

#[derive(Debug, Group)]
pub(crate) struct Watch {
    /// A log file (rotation is followed), a serial device, /dev/kmsg or a pipe; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Skip the present text of the file
    #[arg(long)]
    pub(crate) new: bool,
    /// Run a shell command for each report, with its JSON on standard input
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// What to do with a report if 64 reports wait for the command
    #[arg(long, value_enum, default_value_t = Queue::Wait)]
    pub(crate) exec_queue: Queue,
    /// End a command that runs for so long
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub(crate) exec_timeout: std::time::Duration,
    /// End at the end of the file, or when the first writer of a pipe closes it
    #[arg(long)]
    pub(crate) once: bool,
    /// Print the title of a report at its first line, before the report itself
    #[arg(long)]
    pub(crate) early: bool,
    /// The time after the last line of a report at which it is printed; if it continues, it is printed again
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    pub(crate) pause: std::time::Duration,
    /// The silence of the console that completes a report
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) quiet: u64,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) images: Images,
    #[command(flatten)]
    pub(crate) output: Output,
    /// The output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Group)]
pub(crate) struct Bisect {
    /// Bisection logs, plain or packed as .gz, .xz or .zst [default: standard input]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Print one line per log
    #[arg(long, conflicts_with = "format")]
    pub(crate) summary: bool,
    /// The title of the bisected crash [default: the most frequent one on the first commit]
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: Option<String>,
    /// Compare stacks with this console log of the bisected crash
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Count the remaining commits in this git tree of the kernel, and list those that change the suspects
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,
    /// Check that the commit changes a file that is built in this configuration
    #[arg(long, value_name = "FILE", requires = "repo")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unpacking: Unpacking,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Debug, Group)]
pub(crate) struct Code {
    /// The line, with or without `Code:` [default: standard input, which may be a whole oops]
    #[arg(value_name = "LINE", allow_hyphen_values = true)]
    pub(crate) line: Vec<String>,
    /// The architecture: x86_64, i386, arm64, arm, riscv64, powerpc, …
    #[arg(long, value_name = "ARCH", value_parser = arch)]
    pub(crate) arch: Option<ksplat::Arch>,
    #[command(flatten)]
    pub(crate) output: Output,
    /// The output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Group)]
pub(crate) struct Qr {
    /// The address in the QR code; `-` or none is standard input
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) reports: Reports,
    /// The output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Group)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Add the lines of the report, without log prefixes, to the JSON
    #[arg(long)]
    pub(crate) text: bool,
    /// The syntax of x86 instructions
    #[arg(long, value_enum, default_value_t = Syntax::Att)]
    pub(crate) syntax: Syntax,
    /// Print registers, all instructions, stacks and frames, and each of
    /// several equal reports
    #[arg(long)]
    pub(crate) all: bool,
    /// Head each report with its title by syzbot's convention
    #[arg(long)]
    pub(crate) title: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

/// A number in hexadecimal, with or without `0x`.
fn hexadecimal(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16)
        .map_err(|_| "expected hexadecimal, such as 0x1e000000".to_owned())
}

/// A number of bytes, with or without a unit.
fn bytes(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let shift = match text.get(number.len()..) {
        Some("") => 0,
        Some("K") => 10,
        Some("M") => 20,
        Some("G") => 30,
        Some("T") => 40,
        _ => 64,
    };
    let number = number.parse::<u64>().ok();
    let bytes = number.and_then(|number| number.checked_mul(1u64.checked_shl(shift)?));
    bytes.ok_or_else(|| "expected a size, such as 500M or 2G".to_owned())
}

/// A time in seconds, with or without a fraction.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds =
        text.parse().ok().and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "expected seconds, such as 10".to_owned())
}

/// An architecture by its name.
fn arch(name: &str) -> Result<ksplat::Arch, String> {
    let all = ksplat::Arch::ALL;
    all.iter().find(|arch| arch.name() == name).copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|arch| arch.name()).collect();
        format!("no architecture has this name; take one of {}", names.join(", "))
    })
}

/// The treatment of a report for which there is no room.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Queue {
    /// Read no further until a command has ended; nothing is lost
    Wait,
    /// Drop the report, with a message
    Drop,
}

/// The formats of reports that are written one after the other.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Text for people
    Text,
    /// Markdown for trackers and mails
    Md,
    /// One JSON array
    Json,
    /// JSON Lines: one object per line
    Jsonl,
}

/// The formats of `ksplat parse`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ParseFormat {
    /// Text for people
    Text,
    /// Markdown for trackers and mails
    Md,
    /// One JSON array
    Json,
    /// JSON Lines: one object per line
    Jsonl,
    /// JUnit XML for CI systems: one test suite per log, one failure per report
    Junit,
    /// A KCIDB submission (schema 5.3): issues and incidents
    Kcidb,
    /// An Arrow IPC file, one row a report: needs --output
    #[cfg(feature = "arrow")]
    Arrow,
    /// A Parquet file, one row a report: needs --output
    #[cfg(feature = "parquet")]
    Parquet,
}

impl From<Format> for ReportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Jsonl => Self::Jsonl,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Text,
    /// One JSON array
    Json,
    /// JSON Lines: one object per line
    Jsonl,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Syntax {
    /// AT&T, as the kernel's scripts print it
    Att,
    /// Intel
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
