//! Decisions of people about bugs.
//!
//! Decisions are stored with their time and are never changed: a revoked one is kept, with another
//! that revokes it. So the decisions of two stores are merged by their IDs, and the result is the
//! same in any order and for repeated merges.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::error::Error;
use super::row::json;
use super::{Fixed, MAX_LABEL, Store, hex_list};
use crate::fingerprint::{self, Stable};

/// The time, person and reason of a decision.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Remark {
    /// In seconds since 1970.
    pub time: u64,
    /// The person, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The reason, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Remark {
    /// Makes a remark with the current time, without a person and a reason.
    pub fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self { time: now.map_or(0, |now| now.as_secs()), by: None, why: None }
    }

    /// Sets the person.
    #[must_use]
    pub fn with_by(self, by: Option<String>) -> Self {
        Self { by, ..self }
    }

    /// Sets the reason.
    #[must_use]
    pub fn with_why(self, why: Option<String>) -> Self {
        Self { why, ..self }
    }
}

/// The content of a decision.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
#[non_exhaustive]
pub enum DecisionKind {
    /// Two bugs are different, for any similarity of their reports.
    #[non_exhaustive]
    Apart {
        /// The bugs.
        #[serde(with = "hex_list")]
        bugs: Vec<u64>,
        /// The exact hashes of a signature of each.
        #[serde(with = "hex_list")]
        signatures: Vec<u64>,
    },
    /// Two bugs are one.
    #[non_exhaustive]
    Together {
        /// The bugs.
        #[serde(with = "hex_list")]
        bugs: Vec<u64>,
        /// The exact hashes of a signature of each.
        #[serde(with = "hex_list")]
        signatures: Vec<u64>,
    },
    /// Some reports of a bug are of another one.
    #[non_exhaustive]
    Split {
        /// The bug.
        #[serde(with = "fingerprint::hex")]
        bug: u64,
        /// The exact hashes of the reports that are of another bug.
        #[serde(with = "hex_list")]
        signatures: Vec<u64>,
        /// Those of the remaining reports.
        #[serde(with = "hex_list")]
        others: Vec<u64>,
    },
    /// A bug has a label.
    #[non_exhaustive]
    Label {
        /// The bug.
        #[serde(with = "fingerprint::hex")]
        bug: u64,
        /// The label.
        text: String,
        /// The newest release on which the bug was seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A decision is revoked.
    #[non_exhaustive]
    Undo {
        /// The ID of that decision.
        #[serde(with = "fingerprint::hex")]
        decision: u64,
    },
}

/// A decision of a person.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// Its ID: a hash of all other fields.
    #[serde(with = "fingerprint::hex")]
    pub id: u64,
    /// The number of decisions before it.
    pub number: u64,
    /// The time, person and reason.
    #[serde(flatten)]
    pub remark: Remark,
    /// The content.
    #[serde(flatten)]
    pub verdict: DecisionKind,
}

/// The time of a decision, its number in its store, and its id.
type Order = (u64, u64, u64);

impl Decision {
    fn new(number: u64, remark: Remark, verdict: DecisionKind) -> Self {
        let mut decision = Self { id: 0, number, remark, verdict };
        let mut hasher = Stable::new();
        hasher.bytes(&json(&decision));
        decision.id = hasher.finish();
        decision
    }

    /// Decisions are in the order in which they were made.
    fn order(&self) -> Order {
        (self.remark.time, self.number, self.id)
    }

    /// Returns the bugs in it.
    fn bugs(&self) -> Vec<u64> {
        match &self.verdict {
            DecisionKind::Apart { bugs, .. } | DecisionKind::Together { bugs, .. } => bugs.clone(),
            DecisionKind::Split { bug, .. } | DecisionKind::Label { bug, .. } => vec![*bug],
            DecisionKind::Undo { .. } => Vec::new(),
        }
    }

    /// Replaces hashes of signatures by those of this version.
    pub(super) fn resign(&mut self, new: &BTreeMap<u64, u64>) {
        let resign = |hashes: &mut Vec<u64>| {
            for hash in hashes {
                *hash = new.get(hash).copied().unwrap_or(*hash);
            }
        };
        match &mut self.verdict {
            DecisionKind::Apart { signatures, .. } | DecisionKind::Together { signatures, .. } => {
                resign(signatures);
            }
            DecisionKind::Split { signatures, others, .. } => {
                resign(signatures);
                resign(others);
            }
            DecisionKind::Label { .. } | DecisionKind::Undo { .. } => {}
        }
    }
}

impl Decision {
    /// Returns the decision as text.
    pub fn what(&self) -> String {
        let list = |bugs: &[u64]| {
            let bugs: Vec<_> = bugs.iter().map(|bug| format!("{bug:016x}")).collect();
            bugs.join(" and ")
        };
        match &self.verdict {
            DecisionKind::Apart { bugs, .. } => format!("apart: {}", list(bugs)),
            DecisionKind::Together { bugs, .. } => format!("together: {}", list(bugs)),
            DecisionKind::Split { bug, signatures, .. } => {
                let (count, s) = (signatures.len(), if signatures.len() == 1 { "" } else { "s" });
                format!("split: {count} signature{s} from {bug:016x}")
            }
            DecisionKind::Label { bug, text, .. } => format!("label of {bug:016x}: {text}"),
            DecisionKind::Undo { decision } => format!("undo: {decision:016x}"),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        if let Some(why) = &self.remark.why {
            write!(f, ": {why}")?;
        }
        self.remark.by.as_ref().map_or(Ok(()), |by| write!(f, " ({by})"))
    }
}

/// Pairs of signatures with a cannot-link or a must-link.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) apart: Vec<(u64, u64)>,
    pub(super) together: Vec<(u64, u64)>,
}

impl Contents {
    /// Returns the decisions that are not revoked, in their order.
    pub fn standing(&self) -> Vec<&Decision> {
        let undone: BTreeSet<u64> = (self.decisions.values())
            .filter_map(|decision| match decision.verdict {
                DecisionKind::Undo { decision } => Some(decision),
                _ => None,
            })
            .collect();
        let mut standing: Vec<_> = self
            .decisions
            .values()
            .filter(|decision| !matches!(decision.verdict, DecisionKind::Undo { .. }))
            .filter(|decision| !undone.contains(&decision.id))
            .collect();
        standing.sort_by_key(|decision| decision.order());
        standing
    }

    /// Returns the labels of a bug, and other decisions about it.
    pub fn labels(&self, bug: u64) -> Vec<String> {
        let mut labels = self.bugs.get(&bug).map(super::BugRecord::labels).unwrap_or_default();
        let is_label = |decision: &Decision| matches!(decision.verdict, DecisionKind::Label { .. });
        let others = self.decided(bug).into_iter().filter(|decision| !is_label(decision));
        labels.extend(others.map(Decision::to_string));
        labels
    }

    /// Returns the decisions about a bug that are not revoked, in their order.
    pub fn decided(&self, bug: u64) -> Vec<&Decision> {
        let is_about =
            |decision: &&Decision| decision.bugs().iter().any(|id| self.alias(*id) == bug);
        self.standing().into_iter().filter(is_about).collect()
    }

    /// Returns the ID of the bug to which an ID refers: that of a merged bug refers to another one.
    pub fn alias(&self, id: u64) -> u64 {
        if self.bugs.contains_key(&id) {
            return id;
        }
        let merged = self.bugs.values().find(|known| known.merged.contains(&id));
        merged.map_or(id, |known| known.id)
    }

    /// Returns the decisions about pairs of signatures.
    pub(super) fn pairs(&self) -> Pairs {
        let mut pairs = Pairs::default();
        for decision in self.standing() {
            match &decision.verdict {
                DecisionKind::Apart { signatures, .. } => pairs.apart.extend(two(signatures)),
                DecisionKind::Together { signatures, .. } => pairs.together.extend(two(signatures)),
                DecisionKind::Split { signatures, others, .. } => {
                    let Some((first, rest)) = signatures.split_first() else { continue };
                    pairs.together.extend(rest.iter().map(|other| (*first, *other)));
                    pairs.apart.extend(others.iter().map(|other| (*first, *other)));
                }
                DecisionKind::Label { .. } | DecisionKind::Undo { .. } => {}
            }
        }
        pairs
    }

    /// Adds a decision.
    pub(super) fn decide(&mut self, remark: Remark, verdict: DecisionKind) -> u64 {
        let decision = Decision::new(self.decisions.len() as u64, remark, verdict);
        let id = decision.id;
        self.decisions.insert(id, decision);
        self.new_decisions.insert(id);
        id
    }

    /// Updates the labels of bugs from the decisions: labels whose decisions are all revoked are
    /// removed, and of several fixes the last one is kept.
    pub(super) fn settle_labels(&mut self) {
        let standing: Vec<Decision> = self.standing().into_iter().cloned().collect();
        let mut given: BTreeMap<(u64, String), Option<Order>> = BTreeMap::new();
        let mut fixes: BTreeMap<u64, Option<Fixed>> = BTreeMap::new();
        for decision in self.decisions.values() {
            let DecisionKind::Label { bug, text, .. } = &decision.verdict else { continue };
            let bug = self.alias(*bug);
            if Fixed::parse(text, None).is_some() {
                fixes.entry(bug).or_default();
            } else {
                given.entry((bug, text.clone())).or_default();
            }
        }
        for decision in &standing {
            let DecisionKind::Label { bug, text, after } = &decision.verdict else { continue };
            let bug = self.alias(*bug);
            match Fixed::parse(text, after.clone()) {
                Some(fixed) => drop(fixes.insert(bug, Some(fixed))),
                None => {
                    given.entry((bug, text.clone())).or_default().get_or_insert(decision.order());
                }
            }
        }
        for bug in self.bugs.values_mut() {
            let before = (bug.labels.clone(), bug.fixed.clone());
            let of = |label: &str| given.get(&(bug.id, label.to_owned())).copied();
            let mut labels: Vec<_> =
                bug.labels.iter().filter(|label| of(label) != Some(None)).cloned().collect();
            let stand = given.iter().filter(|((id, _), order)| *id == bug.id && order.is_some());
            labels.extend(stand.map(|((_, label), _)| label.clone()));
            labels.sort_by(|a, b| (of(a).flatten(), a).cmp(&(of(b).flatten(), b)));
            labels.dedup();
            bug.labels = labels;
            if let Some(fixed) = fixes.get(&bug.id) {
                bug.fixed.clone_from(fixed);
            }
            if before != (bug.labels.clone(), bug.fixed.clone()) {
                self.changed.insert(bug.id);
            }
        }
    }
}

fn two(signatures: &[u64]) -> Option<(u64, u64)> {
    Some((*signatures.first()?, *signatures.get(1)?))
}

impl Store {
    /// Adds a label to a bug: `fixed-by COMMIT`, `fixed-by COMMIT since RELEASE`, `wontfix`, or any
    /// text.
    ///
    /// # Errors
    ///
    /// There is no such bug, the label is too long, or the file cannot be read or written.
    pub fn label(&self, bug: u64, label: &str) -> Result<(), Error> {
        self.label_with(bug, label, Remark::now())
    }

    /// Adds a label with a remark.
    ///
    /// # Errors
    ///
    /// See [`label`](Self::label).
    pub fn label_with(&self, bug: u64, label: &str, remark: Remark) -> Result<(), Error> {
        if label.len() > MAX_LABEL {
            return Err(Error::LongLabel { len: label.len() });
        }
        let mut contents = self.load()?;
        let bug = self.known(&contents, bug)?;
        let after = Fixed::parse(label, None).and_then(|_| contents.newest(bug));
        contents.decide(remark, DecisionKind::Label { bug, text: label.to_owned(), after });
        contents.settle_labels();
        contents.changed.insert(bug);
        self.save(&contents)
    }

    /// Decides that two bugs are different: no rule joins them again.
    ///
    /// # Errors
    ///
    /// There are no two such bugs, or the file cannot be read or written.
    pub fn apart(&self, a: u64, b: u64, remark: Remark) -> Result<(), Error> {
        let (mut contents, bugs, signatures) = self.pair(a, b)?;
        contents.decide(remark, DecisionKind::Apart { bugs, signatures });
        contents.regroup(&[]);
        self.save(&contents)
    }

    /// Decides that two bugs are one. The id of the newer one is an alias of the other's.
    ///
    /// # Errors
    ///
    /// There are no two such bugs, or the file cannot be read or written.
    pub fn together(&self, a: u64, b: u64, remark: Remark) -> Result<(), Error> {
        let (mut contents, bugs, signatures) = self.pair(a, b)?;
        contents.decide(remark, DecisionKind::Together { bugs, signatures });
        contents.regroup(&[]);
        self.save(&contents)
    }

    /// Decides that some reports of a bug, given by their places or their exact hashes, are of
    /// another one.
    ///
    /// # Errors
    ///
    /// The bug has no such reports or no others, or the file cannot be read or written.
    pub fn split(&self, bug: u64, reports: &[String], remark: Remark) -> Result<(), Error> {
        let mut contents = self.load()?;
        let bug = self.known(&contents, bug)?;
        let of: Vec<_> = contents.known.iter().filter(|known| known.bug == bug).collect();
        let is_named = |known: &super::Known, name: &String| {
            let exact = format!("{:016x}", known.signature.exact);
            let first = known.places.iter().any(|place| place.strip_suffix("#0") == Some(name));
            *name == exact || known.places.contains(name) || first
        };
        for name in reports {
            if !of.iter().any(|known| is_named(known, name)) {
                return Err(Error::NoReport { bug, name: name.clone() });
            }
        }
        let (named, others): (Vec<_>, Vec<_>) =
            of.iter().partition(|known| reports.iter().any(|name| is_named(known, name)));
        let exact = |known: Vec<&&super::Known>| -> Vec<u64> {
            known.iter().map(|known| known.signature.exact).collect()
        };
        let (signatures, others) = (exact(named), exact(others));
        if others.is_empty() {
            return Err(Error::WholeBug { bug });
        }
        contents.decide(remark, DecisionKind::Split { bug, signatures, others });
        contents.regroup(&[]);
        self.save(&contents)
    }

    /// Revokes the last decision that is not revoked, and returns it.
    ///
    /// # Errors
    ///
    /// All decisions are revoked, or the file cannot be read or written.
    pub fn undo(&self, remark: Remark) -> Result<Decision, Error> {
        let mut contents = self.load()?;
        let nothing = || Error::NoDecision { path: self.path.clone() };
        let last = contents.standing().pop().cloned().ok_or_else(nothing)?;
        contents.decide(remark, DecisionKind::Undo { decision: last.id });
        contents.settle_labels();
        contents.regroup(&[]);
        self.save(&contents)?;
        Ok(last)
    }

    /// Returns the ID of a bug that is in the store.
    fn known(&self, contents: &Contents, id: u64) -> Result<u64, Error> {
        let bug = contents.alias(id);
        let is_known = contents.bugs.contains_key(&bug);
        is_known.then_some(bug).ok_or_else(|| Error::NoBug { path: self.path.clone(), id })
    }

    /// Returns two bugs, and the oldest signature of each.
    fn pair(&self, a: u64, b: u64) -> Result<(Contents, Vec<u64>, Vec<u64>), Error> {
        let contents = self.load()?;
        let (a, b) = (self.known(&contents, a)?, self.known(&contents, b)?);
        let first = |bug: u64| {
            let of = contents.known.iter().filter(|known| known.bug == bug);
            let first = of.map(|known| (known.first.unwrap_or(u64::MAX), known.signature.exact));
            first.min().map(|(_, exact)| exact)
        };
        match (first(a), first(b)) {
            (Some(one), Some(other)) if a != b && one != other => {
                Ok((contents, vec![a, b], vec![one, other]))
            }
            _ => Err(Error::OneBug { bug: a }),
        }
    }
}
