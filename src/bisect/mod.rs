//! Bisections by syzkaller: what their logs say, and whether their verdict can be believed.
//!
//! ```no_run
//! use ksplat::bisect;
//!
//! let log = std::fs::read("bisect.txt")?;
//! let bisection = bisect::parse(&log)?;
//! let audit = bisect::audit(&bisection, bisect::Options::default());
//! println!("{} is {}", audit.culprit.as_deref().unwrap_or("nothing"), audit.trust.name());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`parse`] reads the log into a [`Bisection`]. [`audit`] goes through its steps: a step that was
//! decided by a crash which has nothing to do with the one under bisection ([`Relation`]) was decided
//! by chance, and a step that passed may have done so by chance ([`Rate`]). What a later step confirms
//! stands all the same. The rest is replayed with the verdicts that it should have had, and the answer
//! is a commit, or a range that is left to test ([`Audited`]). At last the commit that the bisection
//! names is held against the crash ([`Doubt`]).

mod audit;
mod chance;
mod doubt;
mod flakes;
mod grammar;
mod model;
mod name;
mod read;
mod relate;
mod replay;

pub(crate) use audit::short;
pub use audit::{Audit, Audited, Crash, DOUBTFUL, Judged, Options, SURE, Trust, UNSURE, audit};
pub use chance::Rate;
pub use doubt::{Clue, Doubt};
pub use model::{
    ALL_RUNS, Bisection, Culprit, MAX_UNKNOWN, Outcome, Run, Search, Step, Totals, Verdict,
};
pub use read::{NotBisection, parse};
pub use relate::{RELATED, Relation, Tie, UNRELATED};
