//! The common features of two crashes, as text.

use super::rank;
use crate::fingerprint::{OriginRole, Signature};

/// Returns the common features of two crashes, the strongest first.
pub(super) fn words(report: &Signature<'_>, known: &Signature<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if report.exact == known.exact {
        words.push("equal in everything that is stable across runs".to_owned());
        return words;
    }
    let title = report.title.function.as_deref();
    if title.is_some() && report.title.hash == known.title.hash {
        words.push("same title".to_owned());
    } else if let Some(title) = title
        && known.title.function.as_deref() == Some(title)
    {
        words.push(format!("{title} in both titles"));
    }
    let is_equal = |a: Option<u64>, b: Option<u64>| a.is_some() && a == b;
    let (a, b) = (rank::stack(report), rank::stack(known));
    let common = rank::common(&a, &b);
    let shorter = a.len().min(b.len());
    if is_equal(report.top3, known.top3) {
        words.push("same innermost three functions".to_owned());
    } else if is_equal(report.top2, known.top2) {
        words.push("same innermost two functions".to_owned());
    } else if common == 1 && shorter > 1 {
        let both = a.iter().find(|(one, _)| b.iter().any(|(other, _)| one == other));
        words.extend(both.map(|(_, name)| format!("{name} in both stacks")));
    } else if common > 1 {
        words.push(format!("{common} of {shorter} functions in the same order"));
    }
    if report.family == known.family {
        words.push(format!("both {}", report.family.name()));
    }
    if let (Some(one), Some(other)) = (report.facts.granule(), known.facts.granule()) {
        words.push(if one == other { "same NULL offset" } else { "other NULL offset" }.to_owned());
    }
    if report.release.is_some() && report.release == known.release {
        words.push("same release".to_owned());
    }
    let both = |role: OriginRole| {
        let mut of = report.origins.iter().filter(|origin| origin.role == role);
        of.find(|one| {
            known.origins.iter().any(|other| (one.hash, one.role) == (other.hash, other.role))
        })
    };
    for (role, what) in [
        (OriginRole::Lock, "same lock"),
        (OriginRole::Allocation, "object allocated in"),
        (OriginRole::Free, "object freed in"),
    ] {
        words.extend(both(role).map(|origin| format!("{what} {}", origin.name)));
    }
    words
}
