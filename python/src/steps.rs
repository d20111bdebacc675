//! The steps of clustering for engines, in batches: signatures as JSON, links as tuples, hashes as sixteen
//! hexadecimal digits.

use ksplat::cluster::steps::{self, Edge};
use ksplat::cluster::{Index, LinkReason, Observation};
use ksplat::fingerprint::Signature;
use ksplat::output::bugs::Bug;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result, hex};
use crate::index::{signature, to_bytes, to_json};

/// The ends of a link, its rule, its score, its evidence, and the hash that orders it.
type Link = (String, String, String, f64, String, Option<String>);

/// Exact hash, whether it is alone, title, whether it has no stack, keys of rules, keys near the site.
type Keys = (String, bool, Option<String>, bool, u32, Vec<String>, Vec<String>);

/// A signature as JSON, and the number of its reports.
type Counted = (String, u32);

/// A pair of exact hashes.
type Pair = (String, String);

/// The sets of signatures, and the links that joined them.
type Components = (Vec<Pair>, Vec<Link>);

fn number(hash: &str) -> Result<u64> {
    let number = u64::from_str_radix(hash, 16);
    number.map_err(|_| Error::Value(format!("`{hash}` is no hash: sixteen hexadecimal digits")))
}

fn pairs(pairs: &[Pair]) -> Result<Vec<(u64, u64)>> {
    pairs.iter().map(|(a, b)| Ok((number(a)?, number(b)?))).collect()
}

fn to_link(edge: Edge) -> Link {
    let Edge { a, b, how, score, evidence, name } = edge;
    (hex(a), hex(b), how.name().to_owned(), f64::from(score), evidence, name.map(hex))
}

#[expect(clippy::cast_possible_truncation, reason = "`to_link` made it of 32 bits")]
fn to_edge((a, b, how, score, evidence, name): Link) -> Result<Edge> {
    Ok(Edge {
        a: number(&a)?,
        b: number(&b)?,
        how: how.parse::<LinkReason>().map_err(|error| Error::Value(error.to_string()))?,
        score: score as f32,
        evidence,
        name: name.as_deref().map(number).transpose()?,
    })
}

fn links(edges: Vec<Edge>) -> Vec<Link> {
    edges.into_iter().map(to_link).collect()
}

fn signatures(texts: &[String]) -> Result<Vec<Signature<'_>>> {
    texts.iter().map(|text| signature(text)).collect()
}

/// Applies a step to each item without the GIL.
fn each<T: Send, U: Send>(
    py: Python<'_>,
    items: Vec<T>,
    step: impl Fn(T) -> Result<U> + Send,
) -> PyResult<Vec<U>> {
    Ok(py.detach(|| items.into_iter().map(step).collect::<Result<Vec<U>>>())?)
}

/// The keys of signatures: the exact hash, whether it equals no other report, the title or None, whether it has no
/// stack, the number of frames, the keys of rules, and the keys of functions near the site.
#[pyfunction]
pub(crate) fn steps_keys(py: Python<'_>, signatures: Vec<String>) -> PyResult<Vec<Keys>> {
    each(py, signatures, |text| {
        let signature = signature(&text)?;
        let keys = steps::keys(&signature);
        let [rules, near] = [keys.rules, keys.near].map(|keys| keys.into_iter().map(hex).collect());
        let title = keys.title.map(hex);
        Ok((hex(signature.exact), keys.is_alone, title, keys.is_bare, keys.frames, rules, near))
    })
}

/// Makes one signature of each group with the same exact hash.
#[pyfunction]
pub(crate) fn steps_merge(py: Python<'_>, groups: Vec<Vec<String>>) -> PyResult<Vec<String>> {
    each(py, groups, |mut texts| {
        if texts.len() == 1 {
            return Ok(texts.swap_remove(0));
        }
        let merged = steps::merge(&signatures(&texts)?);
        let merged = merged.ok_or_else(|| Error::Value("a group has a signature".to_owned()))?;
        String::from_utf8(to_json(&merged)?).map_err(|error| Error::Value(error.to_string()))
    })
}

/// The links of all signatures with a key, for each pair of a key and its signatures.
#[pyfunction]
pub(crate) fn steps_edges(
    py: Python<'_>,
    groups: Vec<(String, Vec<String>)>,
) -> PyResult<Vec<Vec<Link>>> {
    each(py, groups, |(key, texts)| Ok(links(steps::edges(number(&key)?, &signatures(&texts)?))))
}

/// The links of each title, for its pairs of a signature and the set that it is in so far.
#[pyfunction]
pub(crate) fn steps_titles(
    py: Python<'_>,
    groups: Vec<Vec<(String, String)>>,
) -> PyResult<Vec<Vec<Link>>> {
    each(py, groups, |members| {
        let members = members.iter().map(|(text, set)| Ok((signature(text)?, number(set)?)));
        Ok(links(steps::titles(&members.collect::<Result<Vec<_>>>()?)))
    })
}

/// The pairs of exemplars that are compared, for the exemplars with each key near the site.
#[pyfunction]
pub(crate) fn steps_candidates(
    py: Python<'_>,
    groups: Vec<Vec<String>>,
) -> PyResult<Vec<Vec<Pair>>> {
    each(py, groups, |texts| {
        let pairs = steps::candidates(&signatures(&texts)?).into_iter();
        Ok(pairs.map(|(a, b)| (hex(a), hex(b))).collect())
    })
}

/// The links by a score of at least `least`, for the exemplars with each key near the site.
#[pyfunction]
#[expect(clippy::cast_possible_truncation, reason = "thresholds are of 32 bits")]
pub(crate) fn steps_scores(
    py: Python<'_>,
    groups: Vec<Vec<String>>,
    least: f64,
) -> PyResult<Vec<Vec<Link>>> {
    each(py, groups, |texts| Ok(links(steps::scores(&signatures(&texts)?, least as f32))))
}

/// Compares the two signatures of each pair.
#[pyfunction]
pub(crate) fn steps_score(py: Python<'_>, pairs: Vec<(String, String)>) -> PyResult<Vec<Link>> {
    each(py, pairs, |(a, b)| Ok(to_link(steps::score(&signature(&a)?, &signature(&b)?))))
}

/// Joins each component of links, with the pairs of exact hashes that it keeps apart: the pairs of a hash and the
/// smallest hash of its set, and the links that are kept.
#[pyfunction]
pub(crate) fn steps_components(
    py: Python<'_>,
    groups: Vec<(Vec<Link>, Vec<Pair>)>,
) -> PyResult<Vec<Components>> {
    each(py, groups, |(edges, apart)| {
        let edges = edges.into_iter().map(to_edge).collect::<Result<Vec<_>>>()?;
        let joined = steps::components(edges, &pairs(&apart)?);
        let sets = joined.sets.into_iter().map(|(exact, set)| (hex(exact), hex(set)));
        Ok((sets.collect(), links(joined.links)))
    })
}

/// The JSON of `ksplat cluster` for each bug, from its signatures with the numbers of their reports, and its links.
#[pyfunction]
pub(crate) fn steps_describe(
    py: Python<'_>,
    groups: Vec<(Vec<Counted>, Vec<Link>)>,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let described = each(py, groups, |(members, edges)| {
        let seen = |count| Observation { time: None, count };
        let members = members.iter().map(|(text, count)| Ok((signature(text)?, seen(*count))));
        let edges = edges.into_iter().map(to_edge).collect::<Result<Vec<_>>>()?;
        let cluster = steps::describe(&members.collect::<Result<Vec<_>>>()?, &edges);
        to_json(&Bug::new(&cluster, Vec::new()))
    })?;
    Ok(to_bytes(py, described))
}

/// Clusters distinct signatures with the numbers of their reports in this process: the pairs of a hash and the smallest
/// hash of its set, the links, and those between bugs that are perhaps one.
#[pyfunction]
pub(crate) fn steps_cluster(
    py: Python<'_>,
    signatures: Vec<Counted>,
    apart: Vec<Pair>,
    together: Vec<Pair>,
) -> PyResult<(Vec<Pair>, Vec<Link>, Vec<Link>)> {
    let clustered = py.detach(|| -> Result<_> {
        let mut index = Index::new();
        let mut reports = std::collections::HashMap::new();
        for (text, count) in &signatures {
            let signature = signature(text)?;
            let report = index.add(&signature, Observation { time: None, count: *count });
            reports.insert(signature.exact, report);
        }
        let known = |(a, b): (u64, u64)| Some((*reports.get(&a)?, *reports.get(&b)?));
        for (a, b) in pairs(&apart)?.into_iter().filter_map(known) {
            index.cannot_link(a, b);
        }
        for (a, b) in pairs(&together)?.into_iter().filter_map(known) {
            index.must_link(a, b);
        }
        let found = index.links();
        let sets = steps::components(found.joined.clone(), &pairs(&apart)?).sets;
        let sets = sets.into_iter().map(|(exact, set)| (hex(exact), hex(set)));
        Ok((sets.collect(), links(found.joined), links(found.perhaps)))
    });
    Ok(clustered?)
}
