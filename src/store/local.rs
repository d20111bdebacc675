//! Additions and queries that read only the rows reached by the keys of their reports.
//!
//! An addition reads the bugs whose groups may change, each with all of its signatures, and the
//! signatures that share a key with one of these. They are grouped by the same rules as the whole
//! store. If a group reaches another bug, that one is read as well, and they are grouped again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::contents::{Added, Contents};
use super::postings::{Changes, Place, Reader};
use super::{Known, Sighting};
use crate::cluster::{Grouped, Index, MAX_NEAR, Observation, Reach, Titles};
use crate::fingerprint::Signature;

/// The candidates that are compared exactly for each result of a query, and the minimum.
const COMPARED: (usize, usize) = (16, 64);

/// The rows of a store that were read.
struct Local<'r> {
    reader: &'r Reader,
    /// Complete bugs.
    contents: Contents,
    /// Their ids.
    bugs: BTreeSet<u64>,
    /// The places of the signatures that were reached, by their numbers.
    places: HashMap<u32, Place>,
    /// The signatures of other bugs, by their numbers.
    others: BTreeMap<u32, Vec<Known>>,
    /// The keys of each signature, by its exact hash.
    reaches: HashMap<u64, Reach>,
    /// The signatures whose keys were followed.
    followed: BTreeSet<u64>,
}

impl<'r> Local<'r> {
    fn new(reader: &'r Reader) -> Result<Self, redb::Error> {
        let mut contents = Contents { store: reader.store, ..Contents::default() };
        reader.take_decisions(&mut contents)?;
        Ok(Self {
            reader,
            contents,
            bugs: BTreeSet::new(),
            places: HashMap::new(),
            others: BTreeMap::new(),
            reaches: HashMap::new(),
            followed: BTreeSet::new(),
        })
    }

    fn place(&mut self, number: u32) -> Result<Place, redb::Error> {
        if let Some(place) = self.places.get(&number) {
            return Ok(place.clone());
        }
        let place = self.reader.place(number)?;
        self.places.insert(number, place.clone());
        Ok(place)
    }

    /// Returns whether a signature is of a bug that was read completely.
    fn is_whole(&self, place: &Place) -> bool {
        place.bugs.iter().any(|bug| self.bugs.contains(bug))
    }

    /// Reads a signature for comparison with others.
    fn meet(&mut self, number: u32) -> Result<(), redb::Error> {
        let place = self.place(number)?;
        if self.is_whole(&place) || self.others.contains_key(&number) {
            return Ok(());
        }
        let known = place.bugs.iter().map(|bug| self.reader.known(*bug, place.exact));
        let known = known.collect::<Result<Vec<_>, _>>()?;
        self.others.insert(number, known);
        Ok(())
    }

    /// Reads the bug of a signature completely, with the bugs as which it reappeared.
    fn touch(&mut self, number: u32) -> Result<(), redb::Error> {
        let place = self.place(number)?;
        for bug in place.bugs {
            self.touch_bug(bug)?;
        }
        let (bugs, places) = (&self.bugs, &self.places);
        self.others.retain(|number, _| {
            places.get(number).is_none_or(|place| !place.bugs.iter().any(|bug| bugs.contains(bug)))
        });
        Ok(())
    }

    fn touch_bug(&mut self, bug: u64) -> Result<(), redb::Error> {
        if self.bugs.contains(&bug) {
            return Ok(());
        }
        let mut at = Some(self.root(bug)?);
        while let Some(bug) = at.filter(|bug| !self.bugs.contains(bug)) {
            self.reader.take_bug(bug, &mut self.contents)?;
            self.bugs.insert(bug);
            at = self.reader.later(bug)?;
        }
        Ok(())
    }

    /// Returns the first bug of a chain of reappearing ones.
    fn root(&self, bug: u64) -> Result<u64, redb::Error> {
        let (mut at, mut seen) = (bug, BTreeSet::from([bug]));
        while let Some(previous) = self.reader.previous(at)?
            && seen.insert(previous)
        {
            at = previous;
        }
        Ok(at)
    }

    fn reach(&mut self, signature: &Signature<'_>) -> Reach {
        let reach = self.reaches.entry(signature.exact);
        reach.or_insert_with(|| Index::new().reach_of(signature)).clone()
    }

    /// Reads the signatures that share a key with a signature.
    fn follow(&mut self, signature: &Signature<'_>, is_new: bool) -> Result<(), redb::Error> {
        if !self.followed.insert(signature.exact) {
            return Ok(());
        }
        let reach = self.reach(signature);
        for key in &reach.keys {
            for number in self.reader.members(*key)? {
                self.meet(number)?;
            }
        }
        for key in &reach.near {
            let near = self.reader.members(*key)?;
            if near.len() > MAX_NEAR {
                continue;
            }
            for number in near {
                self.meet(number)?;
            }
        }
        reach.titles.map_or(Ok(()), |titles| self.follow_title(titles, is_new))
    }

    /// Reads the signatures on which a link by title depends: those without a stack, and whether
    /// all others of the title are of one bug.
    fn follow_title(&mut self, titles: Titles, is_new: bool) -> Result<(), redb::Error> {
        let bare = self.reader.members(titles.bare)?;
        if bare.is_empty() && !titles.is_bare {
            return Ok(());
        }
        for number in bare {
            if is_new && !titles.is_bare {
                // They may be joined with others of the title that are no longer the only ones.
                self.touch(number)?;
            } else {
                self.meet(number)?;
            }
        }
        // One signature of each of the other bugs; two are sufficient.
        let mut roots: BTreeMap<u64, u32> = BTreeMap::new();
        let mut has_whole = !titles.is_bare;
        for number in self.reader.members(titles.whole)? {
            let place = self.reader.place(number)?;
            let Some(bug) = place.bugs.first() else { continue };
            if self.is_whole(&place) {
                has_whole = true;
            } else {
                roots.entry(self.root(*bug)?).or_insert(number);
            }
            if roots.len() > 1 {
                break;
            }
        }
        let is_one = roots.len() == 1 && !has_whole;
        for number in roots.into_values() {
            if is_one { self.touch(number)? } else { self.meet(number)? }
        }
        Ok(())
    }

    /// Reads the signatures that share a key with complete bugs, and with new reports.
    fn follow_all(&mut self, sightings: &[Sighting<'_>]) -> Result<(), redb::Error> {
        for sighting in sightings {
            let signature = &sighting.signature;
            if !signature.is_alone() {
                let is_new = self.reader.number(signature.exact)?.is_none();
                self.follow(signature, is_new)?;
            }
        }
        let mut at = 0;
        while let Some(known) = self.contents.known.get(at) {
            at += 1;
            if self.followed.contains(&known.signature.exact) || known.signature.is_alone() {
                continue;
            }
            let signature = known.signature.clone();
            self.follow(&signature, false)?;
        }
        Ok(())
    }

    /// Returns an index of complete bugs, of new reports, and of others behind them; the others
    /// with whether they are exemplars.
    fn index(&self, sightings: &[Sighting<'_>]) -> (Index, Others) {
        let mut index = self.contents.signatures(sightings);
        let mut others = Others::default();
        for (number, known) in &self.others {
            let leads = self.places.get(number).is_some_and(|place| place.leads);
            for known in known {
                let seen = Observation { time: known.first, count: known.count };
                let report = index.add(&known.signature, seen);
                others.reports.insert(report, *number);
                others.leads.push((report, leads));
            }
        }
        self.contents.link_pairs(&mut index, sightings);
        (index, others)
    }

    /// Groups the signatures that were read with new reports, and reads more until the groups are
    /// complete.
    fn grouped(&mut self, sightings: &[Sighting<'_>]) -> Result<(Index, Grouped), redb::Error> {
        loop {
            self.follow_all(sightings)?;
            let (index, others) = self.index(sightings);
            let mut grouped = index.groups(&others.leads);
            let known = self.contents.known.len();
            let new: Vec<u32> = (known..known + sightings.len())
                .filter_map(|report| u32::try_from(report).ok())
                .collect();
            let mut reached: BTreeSet<u32> = index.parted_by(&new).into_iter().collect();
            let is_other = |report: &u32| others.reports.contains_key(report);
            for group in &grouped.groups {
                if !group.iter().all(is_other) {
                    reached.extend(group.iter().copied().filter(is_other));
                }
            }
            let reached: BTreeSet<u32> =
                reached.iter().filter_map(|report| others.reports.get(report).copied()).collect();
            if reached.is_empty() {
                grouped.groups.retain(|group| !group.iter().all(is_other));
                return Ok((index, grouped));
            }
            for number in reached {
                self.touch(number)?;
            }
        }
    }

    /// Adds the IDs of other bugs that new ones could use.
    fn reserve(&mut self, sightings: &[Sighting<'_>]) -> Result<(), redb::Error> {
        let known = self.contents.known.iter().map(|known| known.signature.exact);
        let new = sightings.iter().flat_map(|sighting| {
            let exact = sighting.signature.exact;
            [exact, exact.rotate_left(1)]
        });
        let ids: BTreeSet<u64> = known.chain(new).collect();
        // Each new bug uses at most one of the free IDs behind its own.
        let needed = sightings.len() as u64;
        for mut id in ids {
            let mut free = 0;
            while free <= needed {
                let taken = self.reader.next_taken(id)?;
                free = taken.unwrap_or(u64::MAX).saturating_sub(id).saturating_add(free);
                // The first ID follows the last one.
                id = taken.map_or(0, |taken| taken.wrapping_add(1));
                self.contents.taken.extend(taken.filter(|_| free <= needed));
            }
        }
        // The bugs that were read have their current state.
        let contents = &mut self.contents;
        let aliases: BTreeSet<u64> =
            contents.bugs.values().flat_map(|bug| bug.merged.iter().copied()).collect();
        contents.taken.retain(|id| !contents.bugs.contains_key(id) && !aliases.contains(id));
        Ok(())
    }

    /// The changes of an addition in the postings.
    fn changes(
        &mut self,
        sightings: &[Sighting<'_>],
        leads: &BTreeSet<u64>,
    ) -> Result<Changes, redb::Error> {
        let mut changes = Changes { first: self.reader.len, ..Changes::default() };
        let mut bugs: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for known in &self.contents.known {
            if !known.signature.is_alone() {
                bugs.entry(known.signature.exact).or_default().push(known.bug);
            }
        }
        let mut numbered = BTreeSet::new();
        for sighting in sightings {
            let exact = sighting.signature.exact;
            if sighting.signature.is_alone()
                || self.reader.number(exact)?.is_some()
                || !numbered.insert(exact)
            {
                continue;
            }
            let bugs = bugs.remove(&exact).unwrap_or_default();
            let reach = self.reach(&sighting.signature);
            let leads = leads.contains(&exact);
            changes.new.push((Place { exact, leads, bugs, is_alone: false }, reach));
        }
        for known in self.contents.known.iter().filter(|known| known.signature.is_alone()) {
            if !self.contents.loaded.1.contains(&(known.bug, known.signature.exact)) {
                let reach = Index::new().reach_of(&known.signature);
                changes.new.push((Place::alone(known), reach));
            }
        }
        for (exact, mut bugs) in bugs {
            let Some(number) = self.reader.number(exact)? else { continue };
            let mut old = self.place(number)?;
            bugs.sort_unstable();
            old.bugs.sort_unstable();
            let new = Place { exact, leads: leads.contains(&exact), bugs, is_alone: false };
            if new != old {
                let near = self.reaches.get(&exact).map(|reach| reach.near.clone());
                changes.moved.push((number, old, new, near.unwrap_or_default()));
            }
        }
        Ok(changes)
    }
}

/// The reports of an index that are of other bugs.
#[derive(Default)]
struct Others {
    /// The number of the signature of each.
    reports: BTreeMap<u32, u32>,
    /// Whether each is an exemplar.
    leads: Vec<(u32, bool)>,
}

/// Adds reports to the rows that they reach. Returns the contents, the bug of each, and the changes
/// in the postings.
pub(super) fn add(
    reader: &Reader,
    sightings: &[Sighting<'_>],
) -> Result<(Contents, Vec<Added>, Changes), redb::Error> {
    let mut local = Local::new(reader)?;
    for sighting in sightings.iter().filter(|sighting| !sighting.signature.is_alone()) {
        if let Some(number) = reader.number(sighting.signature.exact)? {
            local.touch(number)?;
        }
    }
    let (index, Grouped { groups, exemplars }) = local.grouped(sightings)?;
    let exact = |report: u32| index.signature(report).map(|signature| signature.exact);
    let leads: BTreeSet<u64> = exemplars.into_iter().filter_map(exact).collect();
    local.reserve(sightings)?;
    let of = local.contents.settle(&groups, sightings);
    let added = local.contents.count(sightings, &of);
    let changes = local.changes(sightings, &leads)?;
    Ok((local.contents, added, changes))
}

/// Reads the rows that are needed to find the bugs of signatures, and similar ones.
pub(super) fn find(
    reader: &Reader,
    signatures: &[&Signature<'_>],
    top: usize,
) -> Result<Contents, redb::Error> {
    let mut local = Local::new(reader)?;
    let compared = top.saturating_mul(COMPARED.0).max(COMPARED.1);
    for signature in signatures {
        if let Some(number) = reader.number(signature.exact)? {
            local.touch(number)?;
        }
        let reach = local.reach(signature);
        for key in &reach.keys {
            for number in reader.members(*key)? {
                local.meet(number)?;
            }
        }
        for number in similar(reader, signature, compared)? {
            local.meet(number)?;
        }
    }
    let mut answer = local.answer();
    let index = answer.index();
    let mut bugs = BTreeSet::new();
    for signature in signatures {
        bugs.extend(answer.matches(&index, signature, top).into_iter().map(|(bug, _)| bug));
        let same = index.same(signature).and_then(|same| answer.known.get(same as usize));
        bugs.extend(same.map(|known| known.bug));
    }
    for bug in bugs {
        local.touch_bug(bug)?;
    }
    let is_in = |known: &Known| answer.places.contains_key(&(known.bug, known.signature.exact));
    if !local.contents.known.iter().all(is_in) {
        return Ok(local.answer());
    }
    // Most bugs have one signature, which was read as that of another bug.
    answer.bugs = local.contents.bugs;
    answer.chain();
    Ok(answer)
}

/// Returns the numbers of the signatures most similar to one, by the sums of the weights of their
/// common terms; very frequent terms are skipped.
fn similar(
    reader: &Reader,
    signature: &Signature<'_>,
    most: usize,
) -> Result<Vec<u32>, redb::Error> {
    let mut sums: HashMap<u32, f32> = HashMap::new();
    for (term, weight) in Index::new().weights(signature) {
        for number in reader.term(term)?.numbers {
            *sums.entry(number).or_default() += weight;
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    let by_sum = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if sums.len() > most {
        sums.select_nth_unstable_by(most, by_sum);
        sums.truncate(most);
    }
    Ok(sums.into_iter().map(|(number, _)| number).collect())
}

impl Local<'_> {
    /// Returns all rows that were read, for the query.
    fn answer(&self) -> Contents {
        let signatures = self.reader.len as usize;
        let mut contents = Contents { signatures, ..Contents::default() };
        contents.decisions.clone_from(&self.contents.decisions);
        contents.bugs.clone_from(&self.contents.bugs);
        let others = self.others.values().flatten();
        let others = others.filter(|known| !self.bugs.contains(&known.bug));
        for known in self.contents.known.iter().chain(others) {
            contents.push(known.clone());
        }
        contents.chain();
        contents
    }
}
