//! Compares additions and queries that read a part of a store with those that read all of it. In
//! these tests a store of four signatures has postings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proptest::prelude::*;

use super::{Contents, Remark, Sighting, Store};
use crate::cluster::{Grouped, Index};
use crate::fingerprint::Signature;

/// A file that is deleted when the test ends.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ksplat-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

type Drawn = (usize, usize, usize, usize);

/// Reports of a few sites with a few call paths each: some are users of one helper, some have an
/// offset from NULL, some no stack, some share callers with others.
fn drawn(most: usize) -> impl Strategy<Value = Vec<Drawn>> {
    proptest::collection::vec((0..6_usize, 0..2_usize, 0..4_usize, 0..3_usize), 6..most)
        .prop_shuffle()
}

fn sign((kind, site, way, far): Drawn) -> Signature<'static> {
    let name = if kind == 5 { "other" } else { "site" };
    let stack = format!(
        "CPU: 1 PID: 7 Comm: a Not tainted 6.{far}.0 #1\nRIP: 0010:cm_{name}_{site}+0x9b/0x200 net/cm/x.c:1\n\
         Call Trace:\n cm_way_{way}+0x1/0x2 net/cm/x.c:2\n cm_far_{far}+0x1/0x2 net/cm/x.c:3\n\
         do_syscall_64+0x1/0x2\n"
    );
    let log = match kind {
        0 => format!("kernel BUG at fs/a.c:1!\n{stack}"),
        1 => {
            format!("BUG: kernel NULL pointer dereference, address: 00000000000000{way}8\n{stack}")
        }
        2 | 3 => format!("WARNING: CPU: 1 PID: 7 at fs/a.c:1 cm_site_{site}+0x9b/0x200\n{stack}"),
        4 => format!(
            "Oops: general protection fault, probably for non-canonical address 0x{way}000000000000000: 0000 [#1]\n{stack}"
        ),
        5 if way > 1 => format!("kernel BUG at fs/a.c:1!\n{stack}"),
        _ => format!("kernel BUG at fs/b.c:{way}!\n"),
    };
    let report = crate::parse::reports(log.as_bytes()).next().expect("a report");
    let mut signature = Signature::of(&report).into_owned();
    match kind {
        // Machines of two address sizes at one site.
        1 if far == 0 => signature.facts.bits = Some(32),
        // Another site, and the title of a report of this one.
        5 if way > 1 => signature.title = sign((2, site, 0, 0)).title,
        // The title of a report with a stack, and none.
        3 => {
            (signature.site, signature.top2, signature.top3) = (None, None, None);
            signature.frames.clear();
            signature.facts.size = Some(way as u64);
        }
        _ => return signature,
    }
    signature.corrupted = false;
    signature.exact = signature.fingerprint();
    signature
}

fn sighting(signature: &Signature<'static>, time: u64) -> Sighting<'static> {
    Sighting::new(signature.clone(), Some(time), format!("{time}.log#0"))
}

/// The hashes of each group.
fn hashes(groups: impl Iterator<Item = Vec<u64>>) -> Vec<Vec<u64>> {
    let mut groups: Vec<_> = groups
        .map(|mut group| {
            group.sort_unstable();
            group
        })
        .collect();
    groups.sort();
    groups
}

/// Checks that the bugs of a store are those of the rules for all of its signatures, and that its
/// postings equal rebuilt ones. Returns whether it has postings.
fn is_whole(store: &Store) -> bool {
    let contents = store.load().expect("contents");
    let index = contents.index();
    let Some(reader) = store.reader().expect("a reader") else { return false };
    let Grouped { groups, exemplars } = index.groups(&[]);
    let exact = |report: &u32| contents.known[*report as usize].signature.exact;
    let batch = hashes(groups.iter().map(|group| group.iter().map(exact).collect()));
    let mut bugs: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for known in &contents.known {
        bugs.entry(known.bug).or_default().push(known.signature.exact);
    }
    assert_eq!(hashes(bugs.into_values()), batch);
    let exemplars: BTreeSet<u64> = exemplars.iter().map(exact).collect();
    for known in contents.known.iter().filter(|known| !known.signature.is_alone()) {
        let exact = known.signature.exact;
        let number = reader.number(exact).expect("a number").expect("a number");
        let place = reader.place(number).expect("a place");
        assert_eq!((place.exact, place.leads), (exact, exemplars.contains(&exact)));
        assert_eq!(place.bugs, [known.bug]);
        let reach = index.reach_of(&known.signature);
        let has = |key: &u64| reader.members(*key).expect("members").contains(&number);
        assert!(reach.keys.iter().all(has));
        assert!(reach.near.iter().all(|key| has(key) == place.leads));
        let mut terms = reach.terms.iter().map(|term| reader.term(*term).expect("a term"));
        assert!(terms.all(|term| term.numbers.contains(&number)));
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_added_to_a_part_equals_the_batch(reports in drawn(24)) {
        let file = File::new("local");
        let store = Store::open(&file.0).expect("a store");
        let mut local = 0;
        for (time, report) in (0_u64..).zip(&reports) {
            let new = [sighting(&sign(*report), time)];
            let added = store.add_locally(&new).expect("an addition");
            local += usize::from(added.is_some());
            if added.is_none() {
                store.add(&new).expect("an addition");
            }
            is_whole(&store);
        }
        let distinct: BTreeSet<_> = reports.iter().map(|report| sign(*report).exact).collect();
        prop_assert!(local > 0 || distinct.len() < 6, "{} signatures", distinct.len());
    }

    #[test]
    fn decisions_hold_for_what_is_added_to_a_part(reports in drawn(16), which in any::<u8>()) {
        let file = File::new("decided");
        let store = Store::open(&file.0).expect("a store");
        let half = reports.len() / 2;
        for (time, report) in (0_u64..).zip(&reports) {
            let new = [sighting(&sign(*report), time)];
            if store.add_locally(&new).expect("an addition").is_none() {
                store.add(&new).expect("an addition");
            }
            if usize::try_from(time).expect("a time") == half {
                let bugs: Vec<_> = store.load().expect("contents").bugs.into_keys().collect();
                let one = bugs[usize::from(which) % bugs.len()];
                let other = bugs[usize::from(which / 16) % bugs.len()];
                let _ = if which % 2 == 0 {
                    store.apart(one, other, Remark::now())
                } else {
                    store.together(one, other, Remark::now())
                };
            }
            is_whole(&store);
        }
    }

    #[test]
    fn what_is_found_in_a_part_is_found_in_all(reports in drawn(24), query in (0..6_usize, 0..5_usize, 0..4_usize, 0..3_usize)) {
        let file = File::new("found");
        let store = Store::open(&file.0).expect("a store");
        for (time, report) in (0_u64..).zip(&reports) {
            store.add(&[sighting(&sign(*report), time)]).expect("an addition");
        }
        let all = store.load().expect("contents");
        let index = all.index();
        let query = sign(query);
        let part = store.load_for(&[&query], 3).expect("a part");
        let of_part = part.index();
        prop_assert_eq!(part.bug_of(&of_part, &query), all.bug_of(&index, &query));
        // Of equal ones any may come first.
        let scores = |contents: &Contents, index: &Index| -> Vec<f32> {
            contents.matches(index, &query, 3).into_iter().map(|(_, found)| found.score).collect()
        };
        prop_assert_eq!(scores(&part, &of_part), scores(&all, &index));
    }
}
