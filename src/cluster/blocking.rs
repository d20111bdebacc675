//! Blocking: entries that share a key are candidates for links.
//!
//! The links depend on the set of signatures only, not on their order: rules that see the whole set
//! make them, they are sorted by strength and by hashes, and then joined one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::ATTACH_INCOMPLETE;
use super::entry::{Entry, Frame};
use super::feature::Feature;
use super::link::{self, LinkReason};
use super::names::{Name, Names, Texts};
use super::similarity::Candidate;
use crate::fingerprint::{Family, OriginRole, Stable};
use crate::functions::FrameClass;
use crate::order;

/// The minimum number of common call paths of two callers that makes them two users of one helper,
/// instead of two paths to one bug.
const COMMON_WAYS: usize = 2;

/// A link between two entries.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) how: LinkReason,
    pub(super) score: f32,
    pub(super) a: u32,
    pub(super) b: u32,
    /// The function or title that both have.
    pub(super) name: Option<Name>,
    /// The features that both have, for a link by score.
    pub(super) evidence: String,
}

impl Edge {
    /// Makes the link of a rule, without a score.
    pub(super) fn sure(how: LinkReason, a: u32, b: u32, name: Option<Name>) -> Self {
        Self { how, score: 1.0, a, b, name, evidence: String::new() }
    }

    /// Makes the link between an entry and a similar one.
    pub(super) fn scored(entry: u32, candidate: &Candidate) -> Self {
        let evidence = link::in_words(&candidate.features, Feature::pair_weight);
        let edge = Self::sure(LinkReason::Score, entry, candidate.entry, None);
        Self { score: candidate.score, evidence, ..edge }
    }
}

/// Returns the representative of families that may be of one bug at one site.
///
/// A `WARN` of one version is a `BUG` in another. KASAN may report freed memory where lockdep
/// reports an uninitialized lock.
pub(super) fn kin(family: Family) -> Family {
    match family {
        Family::Bug => Family::Warning,
        Family::BrokenLock => Family::UseAfterFree,
        family => family,
    }
}

/// Returns whether two signatures of different sites can be of one bug for any score: their
/// families match, and they share one of the innermost functions.
///
/// Signatures with a site in common are decided by their keys and facts, which incomplete ones lack.
pub(super) fn may_attach(a: &Entry, b: &Entry) -> bool {
    let (of_a, of_b) = (near(a), near(b));
    let is_decided = !a.corrupted && !b.corrupted;
    kin(a.family) == kin(b.family)
        && !(is_decided && a.site.iter().any(|name| b.site.contains(name)))
        && of_a.iter().any(|name| of_b.contains(name))
}

/// Returns the least score that links two signatures, for this least score of whole ones.
pub(super) fn least(a: &Entry, b: &Entry, least: f32) -> f32 {
    if a.corrupted || b.corrupted { least.max(ATTACH_INCOMPLETE) } else { least }
}

/// The innermost functions, and those of the site.
pub(super) fn near(entry: &Entry) -> BTreeSet<Name> {
    order::set(entry.ordinary().take(NEAR).chain(entry.site.iter().copied()))
}

/// The maximum number of sets with a common function near their sites. A function of more sets does
/// not make them candidates, which bounds the number of pairs.
pub const MAX_NEAR: usize = 1024;

/// The number of innermost functions that are near the site.
const NEAR: usize = 3;

/// A key that entries of one bug share.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Key {
    Site(Family, Name),
    Stack(Family, u64),
    Race(Name, Name),
    Locks(Name, u64),
    /// The sites of two hangs of one log, in the order of their hashes.
    Hang(Name, Name),
    /// The function in the title of a stall, and four functions in a row.
    Stall(Name, u64),
    /// The title of a warning whose own function is a helper, and two functions in a row.
    Warning(Name, u64),
    /// The functions that allocated and freed an object, and a function near the site of its use.
    Object(u64, Name),
}

/// The number of consecutive functions that two samples of one loop share.
const LOOP: usize = 4;

/// The number of consecutive functions that two warnings of one user of a helper share.
const USER: usize = 2;

/// An entry with its number.
type Member<'a> = (u32, &'a Entry);

/// The entries by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    groups: HashMap<Key, Vec<u32>>,
}

impl Keys {
    pub(super) fn new(entries: &[Entry], names: &Names) -> Self {
        let mut groups: HashMap<Key, Vec<u32>> = HashMap::new();
        for (number, entry) in (0_u32..).zip(entries) {
            for key in keys(entry, names) {
                groups.entry(key).or_default().push(number);
            }
        }
        Self { groups }
    }

    /// Returns the links of all keys, unsorted. For a part of the entries, only those of keys whose
    /// members are all in that part.
    pub(super) fn edges(&self, entries: &[Entry], names: &Names, part: &Part) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (key, numbers) in self.groups.iter().filter(|(_, numbers)| numbers.len() > 1) {
            if !numbers.iter().any(|number| part.is_whole(*number)) {
                continue;
            }
            for members in parts(*key, &members(entries, numbers), names) {
                if members.iter().any(|(number, _)| part.is_whole(*number)) {
                    star(&mut edges, *key, &members);
                }
            }
        }
        edges
    }

    /// Keeps the key with this hash.
    pub(super) fn retain(&mut self, hash: u64, entries: &[Entry], names: &Names) {
        self.groups.retain(|key, numbers| {
            let first = numbers.first().and_then(|number| entries.get(*number as usize));
            first.is_some_and(|entry| hash_of(*key, entry, names) == hash)
        });
    }

    /// Returns the old entries that shared a part of a key before the new ones were added, and no
    /// longer do.
    #[cfg(feature = "store")]
    pub(super) fn parted_by(
        &self,
        entries: &[Entry],
        names: &Names,
        new: &BTreeSet<u32>,
    ) -> Vec<u32> {
        let mut parted = Vec::new();
        for (key, numbers) in &self.groups {
            let (came, old): (Vec<u32>, Vec<u32>) =
                numbers.iter().partition(|number| new.contains(number));
            if came.is_empty() || old.len() < 2 {
                continue;
            }
            let mut part_of: HashMap<u32, usize> = HashMap::new();
            for (at, part) in parts(*key, &members(entries, numbers), names).iter().enumerate() {
                part_of.extend(part.iter().map(|(number, _)| (*number, at)));
            }
            for part in parts(*key, &members(entries, &old), names) {
                let of = order::set(part.iter().map(|(number, _)| part_of.get(number)));
                if of.len() > 1 {
                    parted.extend(part.iter().map(|(number, _)| *number));
                }
            }
        }
        parted
    }

    /// Returns an entry that shares a key with a new one and does not differ from it in the facts.
    pub(super) fn place(&self, entries: &[Entry], new: &Entry, names: &impl Texts) -> Option<u32> {
        keys(new, names).into_iter().find_map(|key| {
            let numbers = self.groups.get(&key)?;
            let mut all = members(entries, numbers);
            all.push((u32::MAX, new));
            let own = |part: &Vec<Member<'_>>| part.iter().any(|(number, _)| *number == u32::MAX);
            let part = parts(key, &all, names).into_iter().find(own)?;
            part.iter().map(|(number, _)| *number).find(|number| *number != u32::MAX)
        })
    }
}

/// The entries of an index that are grouped: all, or those of complete bugs. The others share a key
/// with these, and keep their groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// For each entry outside complete bugs, whether it is the exemplar of its set.
    pub(crate) others: HashMap<u32, bool>,
}

impl Part {
    /// Returns whether the bug of an entry is grouped, so that all entries with its keys are
    /// present.
    pub(super) fn is_whole(&self, entry: u32) -> bool {
        !self.others.contains_key(&entry)
    }

    /// Returns whether an entry may be an exemplar.
    pub(super) fn may_lead(&self, entry: u32) -> bool {
        self.others.get(&entry).is_none_or(|leads| *leads)
    }
}

/// Returns the entries with these numbers, sorted by hash.
fn members<'a>(entries: &'a [Entry], numbers: &[u32]) -> Vec<Member<'a>> {
    let mut members: Vec<Member<'a>> = numbers
        .iter()
        .filter_map(|number| Some((*number, entries.get(*number as usize)?)))
        .collect();
    order::sort_by(&mut members, |a, b| a.1.exact.cmp(&b.1.exact));
    members
}

fn keys(entry: &Entry, names: &impl Texts) -> Vec<Key> {
    if entry.corrupted || entry.site.is_empty() {
        return Vec::new();
    }
    let family = kin(entry.family);
    let race = entry.origins(OriginRole::Race).next().zip(entry.site.first().copied());
    if let (Family::Race, Some((a, b))) = (family, race) {
        // The order of the two functions in a data race is random.
        let in_order = names.hash(a) <= names.hash(b);
        return vec![if in_order { Key::Race(a, b) } else { Key::Race(b, a) }];
    }
    let mut keys: Vec<_> = entry.site.iter().map(|site| Key::Site(family, *site)).collect();
    keys.extend(entry.top2.map(|top| Key::Stack(family, top)));
    // The same cycle of locks may be closed at another lock.
    let several = entry.origins(OriginRole::Lock).nth(1).is_some();
    keys.extend(
        locks(entry, names).filter(|_| several).map(|locks| Key::Locks(entry.title, locks)),
    );
    match family {
        Family::Hang | Family::Stall => {
            hangs(entry, names, &mut keys);
            if let Some(function) = entry.function.filter(|_| family == Family::Stall) {
                keys.extend(rows(entry, names, LOOP).map(|row| Key::Stall(function, row)));
            }
        }
        Family::Warning | Family::Refcount | Family::List | Family::Panic => {
            let in_title = |frame: &&Frame| Some(frame.name) == entry.function;
            let own = entry.frames.iter().find(in_title).map(|frame| frame.class);
            let is_named = entry.function.is_some() || family == Family::Panic;
            if is_named && own != Some(FrameClass::Relevant) {
                let rows = rows(entry, names, USER);
                keys.extend(rows.map(|row| Key::Warning(entry.title, row)));
            }
        }
        Family::UseAfterFree => {
            if let Some(object) = object(entry, names) {
                keys.extend(near(entry).into_iter().map(|name| Key::Object(object, name)));
            }
        }
        _ => {}
    }
    // A function may be inlined into itself.
    let mut seen = HashSet::new();
    keys.retain(|key| seen.insert(*key));
    keys
}

/// Adds the pairs of a hang's site and that of each other hang of its log: two logs share the pair
/// if the first hang of each is a later one of the other.
fn hangs(entry: &Entry, names: &impl Texts, keys: &mut Vec<Key>) {
    let Some(own) = entry.site.first().copied() else { return };
    for other in entry.also.iter().copied() {
        let in_order = names.hash(own) <= names.hash(other);
        keys.push(if in_order { Key::Hang(own, other) } else { Key::Hang(other, own) });
    }
}

/// Returns the hashes of `len` consecutive functions among those that may name a bug.
fn rows<'a>(entry: &Entry, names: &'a impl Texts, len: usize) -> impl Iterator<Item = u64> + 'a {
    let ordinary: Vec<Name> = entry.ordinary().collect();
    let rows = ordinary.windows(len).map(|row| {
        let mut hasher = Stable::new();
        for name in row {
            hasher.number(names.hash(*name));
        }
        hasher.finish()
    });
    order::set(rows).into_iter()
}

/// Returns the hash of the functions that allocated and freed an object; `None` unless both are
/// known.
fn object(entry: &Entry, names: &impl Texts) -> Option<u64> {
    let mut hasher = Stable::new();
    for role in [OriginRole::Allocation, OriginRole::Free] {
        let functions = order::set(entry.origins(role).map(|name| names.hash(name)));
        if functions.is_empty() {
            return None;
        }
        hasher.text(role.name());
        for function in functions {
            hasher.number(function);
        }
    }
    Some(hasher.finish())
}

/// Returns the keys of an entry, as hashes that are equal in all indexes.
pub(super) fn hashed(entry: &Entry, names: &impl Texts) -> Vec<u64> {
    keys(entry, names).into_iter().map(|key| hash_of(key, entry, names)).collect()
}

/// Returns the hash of the key of an entry.
fn hash_of(key: Key, entry: &Entry, names: &impl Texts) -> u64 {
    let (kind, family, numbers) = match key {
        Key::Site(family, site) => ("site", family, vec![names.hash(site)]),
        Key::Stack(family, top) => ("stack", family, vec![top]),
        Key::Race(a, b) => ("race", Family::Race, vec![names.hash(a), names.hash(b)]),
        Key::Locks(title, _) => {
            let locks = lock_hashes(entry, names).into_iter();
            ("locks", Family::Locking, [names.hash(title)].into_iter().chain(locks).collect())
        }
        Key::Hang(a, b) => ("hang", Family::Hang, vec![names.hash(a), names.hash(b)]),
        Key::Stall(function, row) => ("stall", Family::Stall, vec![names.hash(function), row]),
        Key::Warning(title, row) => ("warning", Family::Warning, vec![names.hash(title), row]),
        Key::Object(object, near) => {
            ("object", Family::UseAfterFree, vec![object, names.hash(near)])
        }
    };
    let mut hasher = Stable::new();
    hasher.text(kind);
    hasher.text(family.name());
    for number in numbers {
        hasher.number(number);
    }
    hasher.finish()
}

/// Splits the members of a key by the facts that distinguish bugs.
fn parts<'a>(key: Key, members: &[Member<'a>], names: &impl Texts) -> Vec<Vec<Member<'a>>> {
    let mut parts = offsets(members).unwrap_or_else(|| vec![members.to_vec()]);
    let mut split = |tag: &dyn Fn(&Entry) -> Option<u64>| {
        parts = parts.iter().flat_map(|part| by_tag(part, tag)).collect();
    };
    if let Key::Site(Family::Locking, _) = key {
        split(&|entry| locks(entry, names));
    }
    if let Key::Site(Family::Hang, _) | Key::Stack(Family::Hang, _) = key {
        let circles = circles(members);
        split(&|entry| entry.also.iter().find_map(|other| circles.get(other)).copied());
    }
    if let Key::Site(_, site) = key {
        let users = users(site, members);
        if !users.is_empty() {
            split(&|entry| {
                entry.callers(site).next().filter(|caller| users.contains(caller)).map(u64::from)
            });
        }
    }
    parts
}

/// Groups members by their offset from NULL; `None` unless machines of one address size have
/// different offsets.
fn offsets<'a>(members: &[Member<'a>]) -> Option<Vec<Vec<Member<'a>>>> {
    let tag = |entry: &Entry| Some((entry.facts.bits?, entry.facts.granule()?));
    let known = order::set(members.iter().filter_map(|(_, entry)| tag(entry)));
    let is_one = known.iter().zip(known.iter().skip(1)).all(|(a, b)| a.0 != b.0);
    let number = |(bits, granule): (u8, u64)| granule << 8 | u64::from(bits);
    (!is_one).then(|| by_tag(members, |entry| tag(entry).map(number)))
}

/// Groups members by their tags. Members without a tag join the others if there is only one tag;
/// otherwise they are a separate group, because their tag is unknown.
fn by_tag<'a>(members: &[Member<'a>], tag: impl Fn(&Entry) -> Option<u64>) -> Vec<Vec<Member<'a>>> {
    let mut tagged: BTreeMap<Option<u64>, Vec<Member<'a>>> = BTreeMap::new();
    for member in members {
        tagged.entry(tag(member.1)).or_default().push(*member);
    }
    if tagged.len() <= 2 && tagged.contains_key(&None) {
        return vec![members.to_vec()];
    }
    tagged.into_values().collect()
}

/// Numbers the cycles of tasks that wait for each other: among the other hangs in the logs of the
/// members, those of one log are in one cycle.
fn circles(members: &[Member<'_>]) -> HashMap<Name, u64> {
    let mut circles: HashMap<Name, u64> = HashMap::new();
    for (_, entry) in members {
        let others = entry.also.iter().copied();
        let known = order::set(entry.also.iter().filter_map(|other| circles.get(other).copied()));
        let circle = known.first().copied().unwrap_or(circles.len() as u64);
        if known.len() > 1 {
            for number in circles.values_mut().filter(|number| known.contains(*number)) {
                *number = circle;
            }
        }
        circles.extend(others.map(|other| (other, circle)));
    }
    circles
}

/// Returns the hashes of the locks of a report.
fn lock_hashes(entry: &Entry, names: &impl Texts) -> BTreeSet<u64> {
    order::set(entry.origins(OriginRole::Lock).map(|lock| names.hash(lock)))
}

/// Hashes the locks of a report.
fn locks(entry: &Entry, names: &impl Texts) -> Option<u64> {
    let locks = lock_hashes(entry, names);
    let mut hasher = Stable::new();
    for lock in &locks {
        hasher.number(*lock);
    }
    (!locks.is_empty()).then(|| hasher.finish())
}

/// Returns the callers of a helper that are separate bugs.
///
/// If the bug were in the helper, the number of its callers would be that of the paths to it. Two
/// callers with the same callers are two users of the helper, with one bug each.
fn users(site: Name, members: &[Member<'_>]) -> BTreeSet<Name> {
    let mut callers: BTreeMap<Name, (usize, BTreeSet<Name>)> = BTreeMap::new();
    for (_, entry) in members {
        let mut above = entry.callers(site);
        if let Some(caller) = above.next() {
            let (count, ways) = callers.entry(caller).or_default();
            *count += 1;
            ways.extend(above.next());
        }
    }
    let is_much =
        |(_, (count, _)): &(&Name, &(usize, BTreeSet<Name>))| count * MUCH >= members.len();
    let mut by_way: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for (caller, (_, ways)) in callers.iter().filter(is_much) {
        for way in ways {
            by_way.entry(*way).or_default().push(*caller);
        }
    }
    let mut common: BTreeMap<(Name, Name), usize> = BTreeMap::new();
    for callers in by_way.values().filter(|callers| callers.len() <= MAX_USERS) {
        for (index, a) in callers.iter().enumerate() {
            for b in callers.iter().skip(index + 1) {
                *common.entry((*a, *b)).or_default() += 1;
            }
        }
    }
    let twice = common.into_iter().filter(|(_, count)| *count >= COMMON_WAYS);
    twice.flat_map(|((a, b), _)| [a, b]).collect()
}

/// A caller is a separate user only if it has at least one in `MUCH` of the members, because among
/// many reports each combination occurs by chance.
const MUCH: usize = 10;

/// The maximum number of callers of one function that are compared. It bounds the number of pairs;
/// a function with more callers is a dispatcher.
const MAX_USERS: usize = 64;

fn star(edges: &mut Vec<Edge>, key: Key, part: &[Member<'_>]) {
    let (how, name) = match key {
        Key::Site(_, name) | Key::Race(name, _) => (LinkReason::Site, Some(name)),
        Key::Stack(..) => (LinkReason::Stack, None),
        Key::Locks(title, _) => (LinkReason::Locks, Some(title)),
        Key::Hang(_, name) => (LinkReason::Hang, Some(name)),
        Key::Stall(name, _) => (LinkReason::Stall, Some(name)),
        Key::Warning(title, _) => (LinkReason::Warning, Some(title)),
        Key::Object(_, name) => (LinkReason::Object, Some(name)),
    };
    if let Some(((first, _), rest)) = part.split_first() {
        edges.extend(rest.iter().map(|(other, _)| Edge::sure(how, *first, *other, name)));
    }
}

/// The strength of an edge, and what decides between equally strong ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    pub(super) how: LinkReason,
    pub(super) score: f32,
    /// The exact hashes of its ends.
    pub(super) ends: (u64, u64),
    /// The hash of the function or title that both have.
    pub(super) name: Option<u64>,
}

/// Disjoint sets of entries, with pairs that must not be in one set.
#[derive(Clone, Debug)]
pub(super) struct DisjointSets {
    parents: Vec<u32>,
    apart: Vec<(u32, u32)>,
}

impl DisjointSets {
    pub(super) fn new(len: usize, apart: Vec<(u32, u32)>) -> Self {
        Self { parents: (0..len as u32).collect(), apart }
    }

    /// Returns the representative of the set of an entry.
    pub(super) fn find(&mut self, mut entry: u32) -> u32 {
        while let Some(&parent) = self.parents.get(entry as usize)
            && parent != entry
        {
            let above = self.parents.get(parent as usize).copied().unwrap_or(parent);
            if let Some(place) = self.parents.get_mut(entry as usize) {
                *place = above;
            }
            entry = above;
        }
        entry
    }

    /// Joins the ends of edges, the strongest first, and removes edges that a cannot-link forbids.
    ///
    /// The order depends on hashes only, so equal edges are joined equally in all indexes.
    pub(super) fn join_all<E>(
        &mut self,
        edges: &mut Vec<E>,
        rank: impl Fn(&E) -> Rank,
        ends: impl Fn(&E) -> (u32, u32),
    ) {
        order::sort_by(edges, |a, b| {
            let (a, b) = (rank(a), rank(b));
            let strength = a.how.cmp(&b.how).then(b.score.total_cmp(&a.score));
            strength.then_with(|| (a.ends, a.name).cmp(&(b.ends, b.name)))
        });
        edges.dedup_by_key(|edge| {
            let Rank { how, ends, name, .. } = rank(edge);
            (how, ends, name)
        });
        edges.retain(|edge| {
            let (a, b) = ends(edge);
            self.join(a, b)
        });
    }

    /// Joins two sets, unless that joins a forbidden pair.
    pub(super) fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return true;
        }
        let apart = std::mem::take(&mut self.apart);
        let is_forbidden = apart.iter().any(|(x, y)| {
            let (x, y) = (self.find(*x), self.find(*y));
            (x, y) == (a, b) || (y, x) == (a, b)
        });
        self.apart = apart;
        if is_forbidden {
            return false;
        }
        if let Some(place) = self.parents.get_mut(a.max(b) as usize) {
            *place = a.min(b);
        }
        true
    }
}
