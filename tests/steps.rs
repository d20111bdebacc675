//! Clusters of the pure steps, on machines that share nothing, are those of an index.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "common/corpus.rs"]
mod corpus;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use ksplat::cluster::steps::{self, Edge};
use ksplat::cluster::{ATTACH, Cluster, Index, LinkReason, Observation, PERHAPS};
use ksplat::fingerprint::{self, Signature};
use rayon::prelude::*;

/// Signatures of equal reports, each with the number of reports.
type Counted = (Signature<'static>, u32);

/// Pairs of exact hashes that a person keeps apart, and those that are one bug.
#[derive(Clone, Debug, Default)]
struct Decisions {
    apart: Vec<(u64, u64)>,
    together: Vec<(u64, u64)>,
}

fn sign(log: &[u8]) -> Vec<Signature<'static>> {
    let analyzer = ksplat::Analyzer::new().without_instructions();
    let signed = fingerprint::of_log(&analyzer, ksplat::reports(log));
    signed.into_iter().map(|(_, signature)| signature).collect()
}

/// Equal signatures with the number of their reports.
fn counted(signatures: Vec<Signature<'static>>) -> Vec<Counted> {
    let mut groups: HashMap<String, Counted> = HashMap::new();
    for signature in signatures {
        let text = serde_json::to_string(&signature).unwrap();
        groups.entry(text).or_insert((signature, 0)).1 += 1;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups.into_iter().map(|(_, counted)| counted).collect()
}

/// Puts items into a random order.
fn shuffle<T>(items: &mut [T], seed: &mut u64) {
    for at in (1..items.len()).rev() {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(at, (*seed >> 33) as usize % (at + 1));
    }
}

/// Groups rows by a key, on machines that send rows to each other in any order.
fn grouped<K: Ord, V>(mut rows: Vec<(K, V)>, seed: &mut u64) -> BTreeMap<K, Vec<V>> {
    shuffle(&mut rows, seed);
    let mut groups: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in rows {
        groups.entry(key).or_default().push(value);
    }
    groups
}

/// Joins each connected component by a call of its own.
fn joined(
    edges: Vec<Edge>,
    apart: &[(u64, u64)],
    seed: &mut u64,
) -> (BTreeMap<u64, u64>, Vec<Edge>) {
    let connected = steps::components(edges.clone(), &[]).sets;
    let rows = edges.into_iter().map(|edge| (connected[&edge.a], edge)).collect();
    let (mut sets, mut links) = (BTreeMap::new(), Vec::new());
    for edges in grouped(rows, seed).into_values() {
        let joined = steps::components(edges, apart);
        sets.extend(joined.sets);
        links.extend(joined.links);
    }
    (sets, links)
}

/// The set of each signature, and the links, by the steps alone.
fn by_steps(
    all: &[Counted],
    decisions: &Decisions,
    mut seed: u64,
) -> (BTreeMap<u64, u64>, Vec<Edge>) {
    let seed = &mut seed;
    let signatures: Vec<_> =
        all.iter().filter(|(signature, _)| !steps::keys(signature).is_alone).collect();
    let rows =
        signatures.iter().map(|(signature, count)| (signature.exact, (signature.clone(), *count)));
    let merged: BTreeMap<u64, Counted> = grouped(rows.collect(), seed)
        .into_iter()
        .map(|(exact, rows)| {
            let count = rows.iter().map(|(_, count)| count).sum();
            let signatures: Vec<_> = rows.into_iter().map(|(signature, _)| signature).collect();
            (exact, (steps::merge(&signatures).unwrap(), count))
        })
        .collect();
    let of = |exact: &u64| merged[exact].0.clone();
    let keys: BTreeMap<u64, steps::Keys> =
        merged.iter().map(|(exact, (signature, _))| (*exact, steps::keys(signature))).collect();

    let rows =
        keys.iter().flat_map(|(exact, keys)| keys.rules.iter().map(move |key| (*key, of(exact))));
    let groups = grouped(rows.collect(), seed);
    let mut edges: Vec<Edge> = groups
        .par_iter()
        .filter(|(_, members)| members.len() > 1)
        .flat_map(|(key, members)| steps::edges(*key, members))
        .collect();
    edges.extend(decisions.together.iter().map(|(a, b)| Edge::forced(*a, *b)));
    let (sets, mut links) = joined(edges, &decisions.apart, seed);

    let set = |sets: &BTreeMap<u64, u64>, exact: &u64| sets.get(exact).copied().unwrap_or(*exact);
    let rows = keys.iter().filter_map(|(exact, keys)| Some((keys.title?, (*exact, keys.is_bare))));
    for members in grouped(rows.collect(), seed).into_values() {
        // Of those with a stack, one of each set.
        let mut firsts: BTreeMap<u64, u64> = BTreeMap::new();
        for (exact, _) in members.iter().filter(|(_, is_bare)| !is_bare) {
            let first = firsts.entry(set(&sets, exact)).or_insert(*exact);
            *first = *exact.min(first);
        }
        let bare = members.iter().filter(|(_, is_bare)| *is_bare).map(|(exact, _)| exact);
        let members: Vec<_> =
            bare.chain(firsts.values()).map(|exact| (of(exact), set(&sets, exact))).collect();
        links.extend(steps::titles(&members));
    }
    let (sets, mut links) = joined(links, &decisions.apart, seed);

    let usable = keys
        .iter()
        .filter(|(_, keys)| keys.title.is_some() || !keys.is_bare)
        .map(|(exact, _)| *exact);
    let rows = usable.map(|exact| (set(&sets, &exact), exact)).collect();
    let exemplars = grouped(rows, seed).into_values().map(|members| {
        members
            .into_iter()
            .max_by_key(|exact| (merged[exact].1, Reverse(keys[exact].frames), Reverse(*exact)))
            .unwrap()
    });
    let rows = exemplars.flat_map(|exact| keys[&exact].near.iter().map(move |key| (*key, exact)));
    let groups = grouped(rows.collect(), seed);
    let scored: Vec<Edge> = groups
        .par_iter()
        .flat_map(|(_, members)| {
            let members: Vec<_> = members.iter().map(of).collect();
            steps::scores(&members, ATTACH)
        })
        .collect();
    links.extend(scored);
    let (sets, mut links) = joined(links, &decisions.apart, seed);
    let all = keys.keys().map(|exact| (*exact, set(&sets, exact))).collect();
    // The links of all components in one order.
    links = steps::components(links, &decisions.apart).links;
    (all, links)
}

/// The reports of an index: one of each signature, but each of those that equal no other one.
fn reports(all: &[Counted]) -> Vec<(Signature<'static>, Observation)> {
    let mut reports = Vec::new();
    for (signature, count) in all {
        let times = if steps::keys(signature).is_alone { *count } else { 1 };
        let seen = Observation { count: count / times, ..Observation::default() };
        reports.extend((0..times).map(|_| (signature.clone(), seen)));
    }
    reports
}

/// An index of reports.
fn index(reports: &[(Signature<'_>, Observation)], decisions: &Decisions) -> Index {
    let mut index = Index::new();
    let mut numbers: HashMap<u64, u32> = HashMap::new();
    for (signature, seen) in reports {
        let number = index.add(signature, *seen);
        numbers.entry(signature.exact).or_insert(number);
    }
    for (a, b) in &decisions.apart {
        index.cannot_link(numbers[a], numbers[b]);
    }
    for (a, b) in &decisions.together {
        index.must_link(numbers[a], numbers[b]);
    }
    index
}

/// A cluster without the numbers of its reports, and without its relations to others.
fn plain(cluster: &Cluster) -> Cluster {
    let mut cluster = cluster.clone();
    cluster.exemplar = 0;
    cluster.reports.clear();
    cluster.perhaps.clear();
    cluster
}

/// Compares the steps with an index. Returns the links.
fn check(all: &[Counted], decisions: &Decisions) -> Vec<Edge> {
    let reports = reports(all);
    let index = index(&reports, decisions);
    let (clusters, links) = (index.clusters(), index.links());
    let mut expected = BTreeMap::new();
    for cluster in &clusters {
        let members: Vec<_> =
            cluster.reports.iter().map(|report| reports[*report as usize].clone()).collect();
        let id = u64::from_str_radix(&cluster.id, 16).unwrap();
        if steps::keys(&members[0].0).is_alone {
            assert_eq!((members.len(), cluster.links.len()), (1, 0));
        } else {
            expected.extend(members.iter().map(|(signature, _)| (signature.exact, id)));
        }
    }
    for seed in [1, 2] {
        let (sets, own) = by_steps(all, decisions, seed);
        assert_eq!(sets, expected);
        assert_eq!(own, links.joined);
    }
    let mut inside: BTreeMap<u64, Vec<Edge>> = BTreeMap::new();
    for edge in &links.joined {
        inside.entry(expected[&edge.a]).or_default().push(edge.clone());
    }
    for cluster in &clusters {
        let members: Vec<_> =
            cluster.reports.iter().map(|report| reports[*report as usize].clone()).collect();
        let id = u64::from_str_radix(&cluster.id, 16).unwrap();
        let mut own = steps::describe(&members, inside.get(&id).map_or(&[], Vec::as_slice));
        if cluster.reports.len() == 1 {
            // Reports that equal no other one are numbered in their index.
            own.id.clone_from(&cluster.id);
        }
        assert_eq!(plain(&own), plain(cluster));
    }
    links.joined
}

/// Forbids some of these links, and joins some signatures that no rule joins.
fn decisions(all: &[Counted], links: &[Edge]) -> Decisions {
    let exact: BTreeSet<u64> = all
        .iter()
        .filter(|(signature, _)| !steps::keys(signature).is_alone)
        .map(|(signature, _)| signature.exact)
        .collect();
    let exact: Vec<u64> = exact.into_iter().collect();
    let pairs = exact.chunks_exact(2).step_by(9).map(|pair| (pair[0], pair[1]));
    Decisions {
        apart: links.iter().step_by(5).map(|edge| (edge.a, edge.b)).collect(),
        together: pairs.collect(),
    }
}

fn check_all(signatures: Vec<Signature<'static>>) -> Vec<Edge> {
    let all = counted(signatures);
    let links = check(&all, &Decisions::default());
    let decisions = decisions(&all, &links);
    let decided = check(&all, &decisions);
    assert!(decided.iter().any(|edge| edge.how == LinkReason::Forced));
    assert!(decided.len() < links.len() + decisions.together.len());
    links
}

fn of_the_corpus() -> Vec<Signature<'static>> {
    corpus::logs().iter().flat_map(|(_, log)| sign(log)).collect()
}

#[test]
fn clusters_of_the_steps_are_those_of_an_index() {
    let mut all = of_the_corpus();
    let mut links = check_all(all.clone());
    // Equal reports of other kernels, from builds with other files.
    let mut again = all.clone();
    for (number, signature) in again.iter_mut().enumerate() {
        signature.release = Some(["6.1.0", "5.4.0-rc2", "3.10.0"][number % 3].into());
        for frame in signature.frames.iter_mut().filter(|_| number % 2 == 0) {
            frame.file = Some("fs/demo.c".into());
        }
        if number % 3 == 0 {
            signature.title.function = None;
        }
    }
    all.extend(again);
    // The same bugs without a stack, and the same locks at another site.
    let mut other = all.clone();
    for (number, signature) in (0..).zip(&mut other) {
        signature.exact ^= 1 + number % 2;
        (signature.top2, signature.top3) = (None, None);
        match &mut signature.site {
            Some(site) if number % 2 == 1 => site.functions = vec!["demo_other".into()],
            site => *site = None,
        }
        signature.frames.clear();
    }
    other.retain(|signature| {
        !signature.corrupted && (signature.site.is_none() || !signature.origins.is_empty())
    });
    assert!(all.iter().any(|signature| steps::keys(signature).is_alone));
    links.extend(check_all(all.clone()));
    all.extend(other);
    links.extend(check_all(all));
    let rules: BTreeSet<LinkReason> = links.iter().map(|edge| edge.how).collect();
    for how in LinkReason::ALL {
        let is_rare = matches!(how, LinkReason::Forced | LinkReason::Exact | LinkReason::Stall);
        assert!(is_rare || rules.contains(how), "no link by {how}");
    }
}

#[test]
fn equal_signatures_are_merged_in_any_order() {
    let mut all = of_the_corpus();
    for (number, signature) in all.clone().into_iter().enumerate() {
        let mut other = signature;
        other.title.function = None;
        other.title.alternatives.clear();
        other.release = Some(["6.1.0", "next", "6.1.0-1"][number % 3].into());
        other.arch = None;
        other.summary = Some("a".into());
        other.facts.instruction = None;
        all.push(other);
    }
    let mut by_hash: BTreeMap<u64, Vec<Signature<'_>>> = BTreeMap::new();
    for signature in all.into_iter().filter(|signature| !steps::keys(signature).is_alone) {
        by_hash.entry(signature.exact).or_default().push(signature);
    }
    for mut members in by_hash.into_values() {
        let merged = steps::merge(&members);
        members.reverse();
        assert_eq!(steps::merge(&members), merged);
        assert!(
            merged.unwrap().title.function == members.iter().find_map(|s| s.title.function.clone())
        );
    }
    assert_eq!(steps::merge(&[]), None);
}

#[test]
fn a_score_is_that_of_an_index_in_both_directions() {
    let signatures = of_the_corpus();
    let mut index = Index::new();
    for signature in &signatures {
        index.add(signature, Observation::default());
    }
    for (number, pair) in (0..).zip(signatures.windows(2)) {
        let edge = steps::score(&pair[0], &pair[1]);
        assert_eq!(edge, steps::score(&pair[1], &pair[0]));
        let (a, b) = if pair[0].exact <= pair[1].exact {
            (number, number + 1)
        } else {
            (number + 1, number)
        };
        let found = index.compare(a, b).unwrap();
        assert_eq!((edge.score, edge.evidence), (found.score, found.pair_evidence()));
    }
}

#[test]
fn candidates_are_the_pairs_that_scores_compares() {
    let mut near: BTreeMap<u64, BTreeMap<u64, Signature<'_>>> = BTreeMap::new();
    for signature in of_the_corpus() {
        for key in steps::keys(&signature).near {
            near.entry(key).or_default().insert(signature.exact, signature.clone());
        }
    }
    let mut count = 0;
    for members in near.into_values() {
        let members: Vec<_> = members.into_values().collect();
        let pairs: BTreeSet<_> = steps::candidates(&members).into_iter().collect();
        let scores = steps::scores(&members, 0.0);
        assert_eq!(pairs, scores.iter().map(|edge| (edge.a, edge.b)).collect());
        let likely = scores.iter().filter(|edge| edge.score >= PERHAPS).count();
        assert_eq!(steps::scores(&members, PERHAPS).len(), likely);
        count += pairs.len();
    }
    assert!(count > 100, "{count}");
}

#[test]
#[ignore = "reads ../shared: cargo test --test steps -- --ignored"]
fn clusters_of_the_steps_are_those_of_an_index_on_the_data_beside_the_project() {
    for folder in ["farm/logs", "dedup/intel", "dedup/study"] {
        let files = corpus::files(&Path::new("../shared").join(folder));
        let signatures: Vec<_> =
            files.par_iter().flat_map(|path| sign(&fs::read(path).unwrap())).collect();
        assert!(check_all(signatures).len() > 100);
    }
}
