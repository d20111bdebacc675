//! Groups of reports of one bug.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int};
use std::sync::RwLock;

use ksplat::cluster::{self, Cluster, Match, Observation};

use crate::error::{ErrorCode, Failure, guard};
use crate::{item, pointer};

/// An index of signatures, which groups the reports of one bug.
#[derive(Debug)]
pub struct Index(RwLock<cluster::Index>);

/// A known report that is similar to a given one.
#[derive(serde::Serialize)]
struct MatchRecord<'a> {
    report: u32,
    title: &'a str,
    score: f32,
    evidence: String,
    features: BTreeMap<&'static str, f32>,
}

/// A cluster, and the numbers of its reports.
#[derive(serde::Serialize)]
struct ClusterRecord<'a> {
    #[serde(flatten)]
    cluster: &'a Cluster,
    exemplar: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    reports: &'a [u32],
}

/// Fails if the index has no report with one of these numbers.
fn check(index: &cluster::Index, numbers: &[u32]) -> Result<(), Failure> {
    let len = index.len();
    match numbers.iter().find(|number| **number as usize >= len) {
        None => Ok(()),
        Some(number) => {
            let details = format!("there is no report {number}: the index has {len}");
            Err(Failure::new(ErrorCode::Number, details))
        }
    }
}

fn write_match(out: &mut Vec<u8>, index: &cluster::Index, found: &Match) -> Result<(), Failure> {
    let signature = index.signature(found.report);
    let features = found.features.iter();
    item::write_value(
        out,
        &MatchRecord {
            report: found.report,
            title: signature.as_ref().map_or("", |signature| &signature.title.text),
            score: found.score,
            evidence: found.evidence(),
            features: features.map(|(feature, value)| (feature.name(), *value)).collect(),
        },
    )
}

/// Makes an empty index, and writes its address to `*index`, or NULL on errors. The caller owns it
/// and frees it with `ksplat_index_free`.
///
/// Errors: `KSPLAT_ERROR_NULL` if `index` is NULL.
///
/// ```c
/// ksplat_index *index;
/// char *clusters;
///
/// if (ksplat_index_new(&index) ||
///     ksplat_index_add(index, reports, strlen(reports), NULL, NULL) ||
///     ksplat_index_clusters(index, &clusters))
///     errx(1, "%s", ksplat_last_error());
/// ```
///
/// # Safety
///
/// `index` must be NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_new(index: *mut *mut Index) -> ErrorCode {
    let make = || Ok(Index(RwLock::default()));
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_object(index, make) }
}

/// Adds the reports of `len` bytes of JSON. The JSON is one of these, or an array of them, such as
/// the result of `ksplat_parse_with` or `ksplat_monitor_push`:
///
/// - an object with the member `signature`, which is used: an element of these results;
/// - a signature;
/// - a report, as `ksplat_parse` returns it; one without an explanation is explained first.
///
/// An object whose `event` is `started` is skipped. A `revised` report is added like another one.
///
/// Reports are numbered from 0 in the order in which they are added. Writes the number of the first
/// one to `*first`, and the number of added reports to `*count`, unless these are NULL. If none is
/// added, `*first` is the number that the next one will have.
///
/// Errors, with which nothing is added or written: `KSPLAT_ERROR_NULL` if `index` or `json` is
/// NULL; `KSPLAT_ERROR_LENGTH`; `KSPLAT_ERROR_UTF8`; `KSPLAT_ERROR_JSON`; `KSPLAT_ERROR_VERSION` if
/// a signature was made by another version; `KSPLAT_ERROR_INTERNAL`.
///
/// # Safety
///
/// `index` must be NULL or an index that is not freed; `json` must be NULL or point to `len` bytes
/// that no thread writes during the call; `first` and `count` must be NULL or point to such a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_add(
    index: *mut Index,
    json: *const c_char,
    len: usize,
    first: *mut u32,
    count: *mut usize,
) -> ErrorCode {
    guard(|| {
        // SAFETY: guaranteed by the caller.
        let Index(index) = unsafe { pointer::object("index", index) }?;
        // SAFETY: guaranteed by the caller.
        let signatures = item::signatures(unsafe { pointer::text("json", json, len) }?)?;
        let mut index = index.write().map_err(|_| Failure::poisoned())?;
        let end = index.len().saturating_add(signatures.len());
        let full =
            |_| Failure::new(ErrorCode::Number, "the index has more than UINT32_MAX reports");
        u32::try_from(end).map_err(full)?;
        let next = u32::try_from(index.len()).map_err(full)?;
        for signature in &signatures {
            index.add(signature, Observation::default());
        }
        // SAFETY: guaranteed by the caller.
        unsafe {
            pointer::give(first, next);
            pointer::give(count, signatures.len());
        }
        Ok(())
    })
}

/// Finds the at most `top` known reports that are most similar to a report, and writes them to
/// `*matches`: a JSON array, the most similar first. `json`, of `len` bytes, is one object as of
/// `ksplat_index_add`, which is not added.
///
/// | field | value |
/// |---|---|
/// | `report` | the number of the known report; of equal ones the lowest |
/// | `title` | its title |
/// | `score` | the probability that both are of one bug, from 0 to 1 |
/// | `evidence` | the features in words, the heaviest first |
/// | `features` | the features that both have, each from 0 to 1 |
///
/// The string is freed with `ksplat_free`.
///
/// Errors, with which `*matches` is NULL: as of `ksplat_index_add`, and `KSPLAT_ERROR_NULL` if
/// `matches` is NULL.
///
/// # Safety
///
/// As that of `ksplat_index_add`; `matches` must be NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_match(
    index: *const Index,
    json: *const c_char,
    len: usize,
    top: usize,
    matches: *mut *mut c_char,
) -> ErrorCode {
    let make = || {
        // SAFETY: guaranteed by the caller.
        let Index(index) = unsafe { pointer::object("index", index) }?;
        // SAFETY: guaranteed by the caller.
        let signature = item::one_signature(unsafe { pointer::text("json", json, len) }?)?;
        let index = index.read().map_err(|_| Failure::poisoned())?;
        let found = index.matches(&signature, top);
        item::array(&found, |out, found| write_match(out, &index, found))
    };
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_string(matches, make) }
}

/// Finds a known report of the same bug as a report, and writes its number to `*report`, or -1 if
/// there is none. `json`, of `len` bytes, is one object as of `ksplat_index_add`, which is not added.
///
/// The rules are those of `ksplat_index_clusters`, except for links by title and decisions: a
/// report without a stack may be in a cluster, but has no result here.
///
/// Errors, with which nothing is written: as of `ksplat_index_add`, and `KSPLAT_ERROR_NULL` if
/// `report` is NULL.
///
/// # Safety
///
/// As that of `ksplat_index_add`; `report` must be NULL or point to such a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_same(
    index: *const Index,
    json: *const c_char,
    len: usize,
    report: *mut i64,
) -> ErrorCode {
    guard(|| {
        // SAFETY: guaranteed by the caller.
        let Index(index) = unsafe { pointer::object("index", index) }?;
        if report.is_null() {
            return Err(Failure::null("report"));
        }
        // SAFETY: guaranteed by the caller.
        let signature = item::one_signature(unsafe { pointer::text("json", json, len) }?)?;
        let index = index.read().map_err(|_| Failure::poisoned())?;
        let same = index.same(&signature).map_or(-1, i64::from);
        // SAFETY: guaranteed by the caller.
        unsafe { pointer::give(report, same) };
        Ok(())
    })
}

/// Writes the signature of a report to `*signature`, as JSON: to store the index, and to add it to
/// another one. Equal reports have the signature of the most detailed one of them.
///
/// The string is freed with `ksplat_free`.
///
/// Errors, with which `*signature` is NULL: `KSPLAT_ERROR_NULL` if `index` or `signature` is NULL;
/// `KSPLAT_ERROR_NUMBER` if the index has no such report.
///
/// # Safety
///
/// `index` must be NULL or an index that is not freed; `signature` must be NULL or point to a
/// pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_signature(
    index: *const Index,
    report: u32,
    signature: *mut *mut c_char,
) -> ErrorCode {
    let make = || {
        // SAFETY: guaranteed by the caller.
        let Index(index) = unsafe { pointer::object("index", index) }?;
        let index = index.read().map_err(|_| Failure::poisoned())?;
        check(&index, &[report])?;
        let mut json = Vec::new();
        item::write_value(&mut json, &index.signature(report))?;
        Ok(json)
    };
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_string(signature, make) }
}

/// Decides that two reports are of one bug: `ksplat_index_clusters` joins their clusters, unless
/// `ksplat_index_cannot_link` forbids it.
///
/// Errors: `KSPLAT_ERROR_NULL` if `index` is NULL; `KSPLAT_ERROR_NUMBER` if the index lacks one of
/// the reports.
///
/// # Safety
///
/// `index` must be NULL or an index that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_must_link(index: *mut Index, a: u32, b: u32) -> ErrorCode {
    // SAFETY: guaranteed by the caller.
    unsafe { link(index, a, b, cluster::Index::must_link) }
}

/// Decides that two reports are of different bugs: `ksplat_index_clusters` keeps them apart. Reports
/// with equal signatures stay together.
///
/// Errors: `KSPLAT_ERROR_NULL` if `index` is NULL; `KSPLAT_ERROR_NUMBER` if the index lacks one of
/// the reports.
///
/// # Safety
///
/// `index` must be NULL or an index that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_cannot_link(index: *mut Index, a: u32, b: u32) -> ErrorCode {
    // SAFETY: guaranteed by the caller.
    unsafe { link(index, a, b, cluster::Index::cannot_link) }
}

/// # Safety
///
/// `index` is NULL or an index that is not freed.
unsafe fn link(
    index: *mut Index,
    a: u32,
    b: u32,
    add: fn(&mut cluster::Index, u32, u32),
) -> ErrorCode {
    guard(|| {
        // SAFETY: guaranteed by the caller.
        let Index(index) = unsafe { pointer::object("index", index) }?;
        let mut index = index.write().map_err(|_| Failure::poisoned())?;
        check(&index, &[a, b])?;
        add(&mut index, a, b);
        Ok(())
    })
}

/// Groups the reports by bug, and writes the clusters to `*clusters`: a JSON array, the largest
/// first. Each report is in one cluster; the order in which reports were added does not matter.
///
/// | field | value |
/// |---|---|
/// | `id` | a name that is stable while no report is added |
/// | `title`, `kind`, `family`, `impact`, `count`, `titles`, `kernels`, `subsystem`, `links`, `perhaps` | as `ksplat cluster --format json` prints them |
/// | `exemplar` | the number of a report with the most frequent signature |
/// | `summary` | what its trapping instruction did, or which function is blamed |
/// | `reports` | the numbers of the reports, ascending |
///
/// The string is freed with `ksplat_free`.
///
/// Errors, with which `*clusters` is NULL: `KSPLAT_ERROR_NULL` if `index` or `clusters` is NULL;
/// `KSPLAT_ERROR_INTERNAL`.
///
/// # Safety
///
/// `index` must be NULL or an index that is not freed; `clusters` must be NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_clusters(
    index: *const Index,
    clusters: *mut *mut c_char,
) -> ErrorCode {
    let make = || {
        // SAFETY: guaranteed by the caller.
        let Index(index) = unsafe { pointer::object("index", index) }?;
        let clusters = index.read().map_err(|_| Failure::poisoned())?.clusters();
        item::array(&clusters, |out, cluster| {
            let (exemplar, summary) = (cluster.exemplar, cluster.summary.as_deref());
            let reports = &cluster.reports;
            item::write_value(out, &ClusterRecord { cluster, exemplar, summary, reports })
        })
    };
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_string(clusters, make) }
}

/// Frees an index. NULL is ignored.
///
/// # Safety
///
/// `index` must be NULL, or an index that was not freed and that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_index_free(index: *mut Index) {
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::free(index) }
}

/// Decides whether two reports are of one bug, and writes 1 or 0 to `*same`: whether they would be in one
/// cluster of an index that has only these. `a` and `b`, of `a_len` and `b_len` bytes, are each one
/// object as of `ksplat_index_add`.
///
/// Errors, with which nothing is written: as of `ksplat_index_add`, and `KSPLAT_ERROR_NULL` if
/// `same` is NULL.
///
/// ```c
/// int same;
///
/// if (ksplat_same_bug(a, strlen(a), b, strlen(b), &same))
///     errx(1, "%s", ksplat_last_error());
/// puts(same ? "one bug" : "two bugs");
/// ```
///
/// # Safety
///
/// `a` and `b` must be NULL or point to so many bytes that no thread writes during the call; `same`
/// must be NULL or point to an `int`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_same_bug(
    a: *const c_char,
    a_len: usize,
    b: *const c_char,
    b_len: usize,
    same: *mut c_int,
) -> ErrorCode {
    guard(|| {
        if same.is_null() {
            return Err(Failure::null("same"));
        }
        // SAFETY: guaranteed by the caller.
        let (a, b) = unsafe { (pointer::text("a", a, a_len)?, pointer::text("b", b, b_len)?) };
        let mut index = cluster::Index::new();
        let [a, b] = [item::one_signature(a)?, item::one_signature(b)?]
            .map(|signature| index.add(&signature, Observation::default()));
        let is_same = index.why(a, b).is_some();
        // SAFETY: guaranteed by the caller.
        unsafe { pointer::give(same, c_int::from(is_same)) };
        Ok(())
    })
}

#[cfg(test)]
mod tests;
