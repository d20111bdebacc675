//! Sorting. In a page, whose size counts, all types share one sort.
//!
//! The standard library's sorts are compiled for each type and comparison, four to six kilobytes each. Elsewhere they
//! are used as they are.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Sorts as [`slice::sort_by`] does: equal items keep their order.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl FnMut(&T, &T) -> Ordering) {
    if cfg!(target_family = "wasm") {
        sort_by_index(items, compare);
    } else {
        items.sort_by(compare);
    }
}

/// Sorts items of which equal ones are the same, as [`slice::sort_unstable`] does.
pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    if cfg!(target_family = "wasm") {
        sort_by_index(items, Ord::cmp);
    } else {
        items.sort_unstable();
    }
}

/// Collects items into a set. The standard library sorts them first.
pub(crate) fn set<T: Ord>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    if cfg!(target_family = "wasm") {
        let mut set = BTreeSet::new();
        set.extend(items);
        set
    } else {
        items.collect()
    }
}

/// Sorts the indices of the items, and then moves the items.
fn sort_by_index<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = sorted_indices(items.len(), &mut |a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    apply(order, &mut |a, b| items.swap(a, b));
}

fn sorted_indices(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<_> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

/// Moves the item at each index of `order` to the place of that index, along the cycles of the permutation.
fn apply(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        while let Some(place) = order.get_mut(at) {
            let from = std::mem::replace(place, at);
            if from == start {
                break;
            }
            swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ok_sort_by_index(items in prop::collection::vec(0..9_u8, 0..40)) {
            let mut numbered: Vec<_> = items.iter().copied().enumerate().collect();
            let mut expected = numbered.clone();
            expected.sort_by_key(|(_, item)| *item);
            sort_by_index(&mut numbered, |a, b| a.1.cmp(&b.1));
            prop_assert_eq!(numbered, expected);
        }
    }
}
