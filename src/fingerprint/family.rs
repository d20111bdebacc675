//! What went wrong, in the few words that a bug keeps from kernel to kernel.

use crate::kind::class::{Family, FamilyRule};
use crate::kind::{self, Kind};
use crate::model::{AddressClass, Report};

/// Functions that notice what went wrong, and what that is: `WARNING in refcount_warn_saturate` and
/// a refcount bug are one.
const REPORTERS: &[(&str, Family)] = &[
    ("__list_", Family::List),
    ("refcount_", Family::Refcount),
    ("__refcount_", Family::Refcount),
];

/// The family of a report, whose innermost function that only reports is `reporter`.
pub(super) fn family(report: &Report<'_>, reporter: Option<&str>) -> Family {
    let class = kind::of_report(report.kind, &report.title);
    match class.map_or(FamilyRule::Is(Family::Other), |class| class.family) {
        FamilyRule::Is(family) => family,
        FamilyRule::ByAddress if is_null(report) => Family::NullDereference,
        FamilyRule::ByAddress => Family::BadAccess,
        FamilyRule::ByReporter(other) => reporter.and_then(by_reporter).unwrap_or(other),
    }
}

/// The family of bugs that a reporting function stands for.
fn by_reporter(function: &str) -> Option<Family> {
    let row = REPORTERS.iter().find(|(start, _)| function.starts_with(start));
    row.map(|(_, family)| *family)
}

/// Whether a fault was that of a NULL pointer, although its headline does not say so.
fn is_null(report: &Report<'_>) -> bool {
    let explained = report.explanation.as_ref().and_then(|meant| meant.address_class);
    explained == Some(AddressClass::Null)
        || super::discriminators::facts(report).null_offset.is_some()
}

/// Whether a task waits for a lock in reports of this kind.
pub(super) fn waits(kind: Kind) -> bool {
    matches!(kind, Kind::HungTask)
}
