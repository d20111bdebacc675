//! A database file of known bugs.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ksplat::cluster::Match;
use ksplat::output::bugs::{Bug, BugMember};
use ksplat::store::{self, Contents, Remark, Sighting};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result, hex};
use crate::index::{date, signature, to_bytes, to_json};

/// A file of known bugs.
#[pyclass(frozen, subclass, module = "ksplat._native")]
pub(crate) struct Store {
    store: Mutex<Option<store::Store>>,
    #[pyo3(get)]
    path: PathBuf,
    #[pyo3(get)]
    notice: Option<String>,
}

/// The result of adding a report.
#[derive(serde::Serialize)]
struct AddedRecord {
    bug: String,
    new: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    back: Option<String>,
}

/// A known bug that is similar to a query.
#[derive(serde::Serialize)]
struct KnownBug<'a> {
    bug: String,
    title: &'a str,
    score: f32,
    evidence: String,
    labels: Vec<String>,
}

#[pymethods]
impl Store {
    #[new]
    #[pyo3(signature = (path, *, read_only=false))]
    fn new(py: Python<'_>, path: PathBuf, read_only: bool) -> PyResult<Self> {
        let open = if read_only { store::Store::open_read_only } else { store::Store::open };
        let store = py.detach(|| open(&path)).map_err(Error::from)?;
        let notice = store.notice().map(|notice| notice.to_string());
        Ok(Self { store: Mutex::new(Some(store)), path, notice })
    }

    /// Closes the file, so that others can write to it.
    fn close(&self) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Adds signatures with times and places in one transaction; returns the bug of each, as JSON.
    fn add_json<'py>(
        &self,
        py: Python<'py>,
        reports: Vec<(String, Option<u64>, String)>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let added = self.run(py, |store| {
            let sightings: Result<Vec<_>> = reports
                .iter()
                .map(|(json, time, place)| {
                    Ok(Sighting::new(signature(json)?, *time, place.clone()))
                })
                .collect();
            let added = store.add(&sightings?)?;
            let record = |added: store::Added| {
                to_json(&AddedRecord {
                    bug: hex(added.bug),
                    new: added.new,
                    back: added.back.map(hex),
                })
            };
            added.into_iter().map(record).collect::<Result<Vec<_>>>()
        });
        Ok(to_bytes(py, added?))
    }

    /// The bug of a signature, and the most similar bugs, as JSON.
    fn match_json<'py>(
        &self,
        py: Python<'py>,
        signature: &str,
        top: usize,
    ) -> PyResult<(Option<String>, Vec<Bound<'py, PyBytes>>)> {
        let found = self.run(py, |store| {
            let signature = self::signature(signature)?;
            let contents = store.load_for(&[&signature], top)?;
            let index = contents.index();
            let bug = contents.bug_of(&index, &signature).map(hex);
            let found = contents.matches(&index, &signature, top).into_iter();
            let found: Result<Vec<_>> =
                found.map(|(id, found)| similar(&contents, id, &found)).collect();
            Ok((bug, found?))
        });
        let (bug, found) = found?;
        Ok((bug, to_bytes(py, found)))
    }

    /// The bugs, as JSON.
    fn bugs_json<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let bugs = self.run(py, |store| {
            let contents = store.load()?;
            let index = contents.index();
            let bug = |(id, cluster): (u64, ksplat::cluster::Cluster)| {
                let members = cluster.reports.iter();
                let members = members.filter_map(|report| contents.known.get(*report as usize));
                let members = members.map(member).collect();
                let seen = cluster.seen.map(|(first, last)| (date(first), date(last)));
                let labels = contents.labels(id);
                to_json(&Bug::new(&cluster, members).with_dates(seen).with_labels(labels))
            };
            contents.clusters(&index).into_iter().map(bug).collect::<Result<Vec<_>>>()
        });
        Ok(to_bytes(py, bugs?))
    }

    /// Labels a bug.
    #[pyo3(signature = (bug, label, by, why))]
    fn label_with(
        &self,
        py: Python<'_>,
        bug: &str,
        label: &str,
        by: Option<String>,
        why: Option<String>,
    ) -> PyResult<()> {
        let remark = Remark::now().with_by(by).with_why(why);
        Ok(self.run(py, |store| Ok(store.label_with(id(bug)?, label, remark)?))?)
    }

    /// Says that two bugs are different, or that they are one.
    #[pyo3(signature = (one, other, apart, by, why))]
    fn decide(
        &self,
        py: Python<'_>,
        one: &str,
        other: &str,
        apart: bool,
        by: Option<String>,
        why: Option<String>,
    ) -> PyResult<()> {
        let remark = Remark::now().with_by(by).with_why(why);
        Ok(self.run(py, |store| {
            let (one, other) = (id(one)?, id(other)?);
            let decide = if apart { store::Store::apart } else { store::Store::together };
            Ok(decide(store, one, other, remark)?)
        })?)
    }
}

impl Store {
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&store::Store) -> Result<T> + Send,
    ) -> Result<T> {
        py.detach(|| {
            let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            let store = store.as_ref().ok_or_else(|| closed(&self.path))?;
            run(store)
        })
    }
}

fn closed(path: &Path) -> Error {
    Error::Value(format!("{}: the store is closed", path.display()))
}

/// The ID of a bug, as the JSON has it.
fn id(text: &str) -> Result<u64> {
    u64::from_str_radix(text, 16)
        .map_err(|_| Error::Value(format!("{text:?} is no ID of a bug: 16 hexadecimal digits")))
}

fn member(known: &store::Known) -> BugMember<'_> {
    let place = known.places.first().map_or("", |place| place);
    let release = known.signature.release.as_deref();
    BugMember::new(place, 0, &known.signature.title.text)
        .with_context(release, known.first.map(date))
}

fn similar(contents: &Contents, bug: u64, found: &Match) -> Result<Vec<u8>> {
    let known = contents.known.get(found.report as usize);
    to_json(&KnownBug {
        bug: hex(bug),
        title: known.map_or("", |known| &known.signature.title.text),
        score: found.score,
        evidence: found.evidence(),
        labels: contents.labels(bug),
    })
}
