//! The family of a bug: a class of failures that does not change between kernel versions.

use crate::kind::class::{Family, FamilyRule};
use crate::kind::{self, Kind};
use crate::model::{AddressClass, Report};

/// Prefixes of functions that report a failure, and its family: `WARNING in refcount_warn_saturate`
/// and `refcount bug in …` are of one family.
const REPORTERS: &[(&str, Family)] = &[
    ("__list_", Family::List),
    ("refcount_", Family::Refcount),
    ("__refcount_", Family::Refcount),
];

/// Returns the family of a report. `reporter` is the innermost function that only reports.
pub(super) fn family(report: &Report<'_>, reporter: Option<&str>) -> Family {
    let class = kind::of_report(report.kind, &report.title);
    match class.map_or(FamilyRule::Is(Family::Other), |class| class.family) {
        FamilyRule::Is(family) => family,
        FamilyRule::ByAddress if is_null(report) => Family::NullDereference,
        FamilyRule::ByAddress => Family::BadAccess,
        FamilyRule::ByReporter(other) => reporter.and_then(by_reporter).unwrap_or(other),
    }
}

/// Returns the family of the failures that a function reports.
fn by_reporter(function: &str) -> Option<Family> {
    let row = REPORTERS.iter().find(|(start, _)| function.starts_with(start));
    row.map(|(_, family)| *family)
}

/// Returns whether a fault was a NULL pointer dereference, even if its headline is another one.
fn is_null(report: &Report<'_>) -> bool {
    let explained = report.explanation.as_ref().and_then(|meant| meant.address_class);
    explained == Some(AddressClass::Null) || super::discriminators::small_address(report).is_some()
}

/// Returns whether the task of such a report waits for a lock.
pub(super) fn waits(kind: Kind) -> bool {
    matches!(kind, Kind::HungTask)
}
