//! Parses and audits bisection logs of syzkaller.
//!
//! # Examples
//!
//! ```no_run
//! use ksplat::bisect;
//!
//! let log = std::fs::read("bisect.txt")?;
//! let bisection = bisect::parse(&log)?;
//! let audit = bisect::audit(&bisection, bisect::AuditOptions::default());
//! println!("{} is {}", audit.culprit.as_deref().unwrap_or("nothing"), audit.trust.name());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`parse`] parses the log into a [`Bisection`]. [`audit`] then decides for each step whether its
//! verdict can be trusted. A step that crashed may be bad because of an unrelated crash
//! ([`CrashRelation`]). A step that passed may have the bug, if the crash does not occur in every
//! run ([`Rate`]). Later steps can confirm a verdict. The bisection is then replayed with the other
//! verdicts inverted or skipped, which results in a commit, or in a range that is left to test
//! ([`Audited`]). Finally the commit that the bisection names is compared with the crash
//! ([`Doubt`]).

mod audit;
mod confidence;
mod evidence;
mod flakiness;
mod grammar;
mod model;
mod name;
mod read;
mod relation;
mod replay;
mod seen;
mod table;
mod tables;

pub use audit::{Audit, AuditOptions, Crash, Judged, Trust, audit};
pub use confidence::Doubt;
pub use evidence::{DoubtFeature, Tie};
pub use flakiness::Rate;
pub(crate) use model::short;
pub use model::{
    ALL_RUNS, Bisection, Culprit, MAX_UNKNOWN, Outcome, Run, Search, Step, Totals, Verdict,
};
pub use read::{NotBisection, parse};
pub use relation::{CrashRelation, RELATED, UNRELATED};
pub use replay::Audited;
pub use tables::Tables;
