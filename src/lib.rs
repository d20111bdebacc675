//! Parses Linux kernel crash reports ("splats") from console logs.
//!
//! ```
//! let log = b"WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0\n\
//!             RIP: 0010:io_wqe_wake_worker+0x430/0x4a0\n\
//!             Call Trace:\n io_wqe_enqueue+0x166/0x700\n io_queue_sqe+0x7a2/0x1240\n";
//! let report = ksplat::reports(log).next().expect("a report");
//! assert_eq!(report.title(), "WARNING in io_wqe_wake_worker");
//! let stack = report.crash_stack().expect("a stack");
//! assert_eq!(stack.frames[1].function.as_deref(), Some("io_wqe_enqueue"));
//! ```
//!
//! [`reports`] returns an iterator over the [`Report`]s of a log, which may contain any bytes. A
//! report has the [`Kind`] of the failure, its [title](Report::title()), its place in the log
//! ([`Span`]), the [`Task`](model::Task) and the [`Kernel`](model::Kernel), the
//! [`Access`](model::Access) that failed, the [`Registers`](model::Registers), the
//! [`Stack`](model::Stack)s and the [`Code`](model::Code) bytes. It borrows from the log;
//! [`Report::into_owned`] makes a copy that can be kept.
//!
//! - [`Parser`] has the options: limits, information reports, lines of other programs.
//! - [`Monitor`] parses a log that is still being written.
//! - `Analyzer` decodes instructions, explains the trap, resolves frames to source lines, and ranks the suspects;
//!   parsing alone leaves [`Report::suspects`] empty.
//! - [`suspects`] ranks them without it, by an [`atlas`] of the kernel's functions and files.
//! - [`fingerprint`] makes signatures of reports, and [`cluster`] groups those of one bug.
//! - [`bisect`] audits bisection logs: which verdicts are supported by the crashes in the log.
//! - `store` keeps known bugs in a file, and `known` the commits that fix them.
//! - [`encoding`] says whether a file is the text of a console, and `qr` decodes the log of a panic screen's QR code.
//! - [`output`] writes reports as text, and with the feature `serde` as JSON.
//!
//! The types of a report are in [`model`].
//!
//! A fact that a report lacks is `None` or empty; it is not guessed. [`Report::incomplete`] lists
//! the parts that are missing, and [`Report::diagnostics`] the lines that could not be parsed. No
//! input returns an error or panics. Time is linear in the length of the log, and memory is bounded by
//! [`Limits`].
//!
//! # Features
//!
//! - `disasm`: `Analyzer`, which decodes the code bytes of a report and explains the trap, and the
//!   module `disasm`, which decodes bytes without a report. Adds iced-x86.
//! - `disasm-intel`: Intel syntax of x86 instructions, beside that of AT&T.
//! - `disasm-arm`, `disasm-powerpc`, `disasm-riscv`: decoders for 64-bit and 32-bit ARM and Thumb
//!   (yaxpeax-arm), PowerPC (powerpc), and RISC-V (raki).
//! - `symbolize`: the module `symbolize`, which resolves frames to files, lines and inlined
//!   functions with the images of a kernel. Adds addr2line, gimli and object.
//! - `atlas`: all of Linux in [`atlas`], 4 MB of data, and the code that makes an atlas of other
//!   sources. Without it the atlas has the generic code of the kernel only, so most suspects have no file.
//! - `store`: the module `store`, a database file of known bugs, and the module `known`. Adds redb, and the
//!   feature `serde`.
//! - `serde`: `Serialize` and `Deserialize` for the whole model, and the module `output::json`.
//!   Adds serde, serde_json and miniz_oxide.
//! - `qr`: the module `qr`. Adds miniz_oxide.
//!
//! No feature is enabled by default. The program `ksplat` is the package `ksplat-cli`, the C
//! interface is `ksplat-capi`. The library has no `unsafe` code.
#![forbid(unsafe_code)]

#[cfg(feature = "disasm")]
mod analyze;
mod arch;
pub mod atlas;
mod binary;
pub mod bisect;
mod blame;
pub mod cluster;
mod diagnosis;
#[cfg(feature = "disasm")]
pub mod disasm;
pub mod encoding;
mod escape;
#[cfg(feature = "disasm")]
mod explain;
pub mod fingerprint;
mod functions;
mod kind;
#[cfg(feature = "store")]
pub mod known;
mod log;
mod log_kind;
pub mod model;
mod order;
pub mod output;
mod parse;
#[cfg(feature = "qr")]
pub mod qr;
mod reason;
mod scan;
mod search;
mod span;
#[cfg(feature = "store")]
pub mod store;
mod string_enum;
pub mod suspects;
#[cfg(feature = "symbolize")]
pub mod symbolize;
mod syntax;
mod title;
mod token;

#[cfg(feature = "disasm")]
pub use analyze::Analyzer;
pub use arch::Arch;
pub use binary::is_binary;
#[cfg(feature = "disasm")]
pub use explain::RegisterMeaning;
pub use kind::Kind;
pub use model::Report;
pub use parse::{
    Event, Limits, MAX_FRAMES, MAX_LINES, MAX_OPEN, Monitor, PAUSE, Parser, QUIET, Reports,
    Started, reports, text,
};
pub use span::Span;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct ReadmeExamples;

#[doc = include_str!("../docs/src/library.md")]
#[cfg(all(doctest, feature = "disasm", feature = "symbolize"))]
struct BookExamples;
