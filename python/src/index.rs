//! Groups of reports of one bug.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ksplat::cluster::{self, Observation};
use ksplat::fingerprint::Signature;
use ksplat::output::bugs::{Bug, BugMember};
use ksplat::output::json;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::FINGERPRINT;
use crate::error::{Error, Result};

/// Signatures, grouped by bug.
#[pyclass(frozen, subclass, module = "ksplat._native")]
#[derive(Default)]
pub(crate) struct Index(Mutex<State>);

#[derive(Default)]
struct State {
    index: cluster::Index,
    reports: Vec<Member>,
}

/// The fields of a report that a cluster lists.
struct Member {
    file: String,
    index: usize,
    line: Option<usize>,
    title: String,
    release: Option<String>,
    time: Option<u64>,
}

/// A known report that is similar to a query.
#[derive(serde::Serialize)]
struct Found<'a> {
    report: u32,
    file: &'a str,
    index: usize,
    title: &'a str,
    score: f32,
    evidence: String,
    features: BTreeMap<&'static str, f32>,
}

/// Reads a signature, which must be of this version.
pub(crate) fn signature(json: &str) -> Result<Signature<'_>> {
    let signature: Signature<'_> =
        serde_json::from_str(json).map_err(|error| Error::Json("signature", error))?;
    if signature.version == FINGERPRINT {
        Ok(signature)
    } else {
        Err(Error::Version(signature.version))
    }
}

/// A value as the JSON that the program prints.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    let mut json = Vec::new();
    json::write_value(&mut json, value).map_err(|error| Error::Value(error.to_string()))?;
    Ok(json)
}

/// Values as Python's bytes.
pub(crate) fn to_bytes(py: Python<'_>, all: Vec<Vec<u8>>) -> Vec<Bound<'_, PyBytes>> {
    all.iter().map(|json| PyBytes::new(py, json)).collect()
}

/// The day of a time, in UTC.
pub(crate) fn date(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    time.map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[pymethods]
impl Index {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn __len__(&self) -> usize {
        self.state().index.len()
    }

    /// Adds a signature, and returns its number.
    #[pyo3(signature = (signature, file, index, line, time, count))]
    #[expect(clippy::too_many_arguments, reason = "the fields of a row")]
    fn add_json(
        &self,
        py: Python<'_>,
        signature: &str,
        file: String,
        index: usize,
        line: Option<usize>,
        time: Option<u64>,
        count: u32,
    ) -> PyResult<u32> {
        let number = py.detach(|| -> Result<u32> {
            let signature = self::signature(signature)?;
            let mut state = self.state();
            let title = signature.title.text.clone().into_owned();
            let release = signature.release.as_deref().map(str::to_owned);
            let number = state.index.add(&signature, Observation { time, count });
            state.reports.push(Member { file, index, line, title, release, time });
            Ok(number)
        });
        Ok(number?)
    }

    /// Adds all reports of another index.
    fn merge_native(&self, other: &Bound<'_, Self>) -> PyResult<()> {
        let other = other.get();
        if std::ptr::eq(self, other) {
            return Err(Error::Value("an index cannot be merged with itself".to_owned()).into());
        }
        let (copy, reports) = {
            let other = other.state();
            let member = |member: &Member| Member {
                file: member.file.clone(),
                title: member.title.clone(),
                release: member.release.clone(),
                ..*member
            };
            (other.index.clone(), other.reports.iter().map(member).collect::<Vec<_>>())
        };
        let mut state = self.state();
        state.index.merge(&copy);
        state.reports.extend(reports);
        Ok(())
    }

    /// Keeps the bugs of two reports apart.
    fn cannot_link(&self, a: u32, b: u32) -> PyResult<()> {
        let mut state = self.state();
        state.known(&[a, b])?;
        state.index.cannot_link(a, b);
        Ok(())
    }

    /// Joins the bugs of two reports.
    fn must_link(&self, a: u32, b: u32) -> PyResult<()> {
        let mut state = self.state();
        state.known(&[a, b])?;
        state.index.must_link(a, b);
        Ok(())
    }

    /// The signature of a report, as JSON.
    fn signature_json<'py>(&self, py: Python<'py>, report: u32) -> PyResult<Bound<'py, PyBytes>> {
        let state = self.state();
        state.known(&[report])?;
        Ok(PyBytes::new(py, &to_json(&state.index.signature(report))?))
    }

    /// The most similar reports, as JSON.
    fn match_json<'py>(
        &self,
        py: Python<'py>,
        signature: &str,
        top: usize,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let found = py.detach(|| -> Result<Vec<Vec<u8>>> {
            let signature = self::signature(signature)?;
            let state = self.state();
            let found = state.index.matches(&signature, top).into_iter();
            found.filter_map(|found| state.found(&found)).collect()
        });
        Ok(to_bytes(py, found?))
    }

    /// A known report of the same bug.
    fn same_json(&self, py: Python<'_>, signature: &str) -> PyResult<Option<u32>> {
        let same = py.detach(|| -> Result<Option<u32>> {
            let signature = self::signature(signature)?;
            Ok(self.state().index.same(&signature))
        });
        Ok(same?)
    }

    /// The clusters, as JSON, each with the numbers of its reports.
    fn cluster_json<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyBytes>, Vec<u32>)>> {
        let clusters = py.detach(|| -> Result<Vec<(Vec<u8>, Vec<u32>)>> {
            let state = self.state();
            let cluster = |cluster: cluster::Cluster| {
                let json = to_json(&Bug::new(&cluster, state.members(&cluster)))?;
                Ok((json, cluster.reports))
            };
            state.index.clusters().into_iter().map(cluster).collect()
        });
        let clusters = clusters?.into_iter();
        Ok(clusters.map(|(json, reports)| (PyBytes::new(py, &json), reports)).collect())
    }
}

impl Index {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn known(&self, reports: &[u32]) -> Result<()> {
        let unknown = reports.iter().find(|report| **report as usize >= self.reports.len());
        match unknown {
            Some(report) => Err(Error::Value(format!("the index has no report {report}"))),
            None => Ok(()),
        }
    }

    fn found(&self, found: &cluster::Match) -> Option<Result<Vec<u8>>> {
        let Member { file, index, title, .. } = self.reports.get(found.report as usize)?;
        Some(to_json(&Found {
            report: found.report,
            file,
            index: *index,
            title,
            score: found.score,
            evidence: found.evidence(),
            features: found
                .features
                .iter()
                .map(|(feature, value)| (feature.name(), *value))
                .collect(),
        }))
    }

    fn members(&self, cluster: &cluster::Cluster) -> Vec<BugMember<'_>> {
        let reports =
            cluster.reports.iter().filter_map(|report| self.reports.get(*report as usize));
        reports.map(Member::listed).collect()
    }
}

impl Member {
    fn listed(&self) -> BugMember<'_> {
        let member = BugMember::new(&self.file, self.index, &self.title);
        member.with_context(self.release.as_deref(), self.time.map(date)).with_line(self.line)
    }
}
