//! Bisections by syzkaller: what their logs say, and whether their verdict can be believed.
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
//! [`parse`] reads the log into a [`Bisection`]. [`audit`] goes through its steps: a step that was
//! decided by a crash which has nothing to do with the one under bisection ([`CrashRelation`]) was decided
//! by chance, and a step that passed may have done so by chance ([`Rate`]). What a later step confirms
//! stands all the same. The rest is replayed with the verdicts that it should have had, and the answer
//! is a commit, or a range that is left to test ([`Audited`]). At last the commit that the bisection
//! names is held against the crash ([`Doubt`]).

mod audit;
mod confidence;
mod flakes;
mod flakiness;
mod grammar;
mod model;
mod name;
mod read;
mod relation;
mod replay;

pub(crate) use audit::short;
pub use audit::{
    Audit, AuditOptions, Audited, Crash, DOUBTFUL, Judged, SURE, Trust, UNSURE, audit,
};
pub use confidence::{Doubt, DoubtFeature};
pub use flakiness::Rate;
pub use model::{
    ALL_RUNS, Bisection, Culprit, MAX_UNKNOWN, Outcome, Run, Search, Step, Totals, Verdict,
};
pub use read::{NotBisection, parse};
pub use relation::{CrashRelation, RELATED, Tie, UNRELATED};
