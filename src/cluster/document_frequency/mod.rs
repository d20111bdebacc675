//! Document frequency (idf): a name in the reports of many bugs has little weight.

mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::fingerprint;

/// The origin of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Function,
    Word,
    /// A name that the table does not contain.
    Other,
}

static FUNCTIONS: LazyLock<HashMap<u64, u16>> = LazyLock::new(|| hashed(table::FUNCTIONS));
static WORDS: LazyLock<HashMap<u64, u16>> = LazyLock::new(|| hashed(table::WORDS));

fn hashed(table: &[(&str, u16)]) -> HashMap<u64, u16> {
    table.iter().map(|(name, bugs)| (fingerprint::hash(name), *bugs)).collect()
}

/// Returns the rarity of a name that `count` of `documents` documents contain: from 1 for very few
/// down to 0 for all.
///
/// The documents of the table are added, so that common names are recognised with only a few logs.
pub(super) fn rarity(documents: usize, count: u32, source: Source, key: u64) -> f32 {
    let known = match source {
        Source::Function => FUNCTIONS.get(&key),
        Source::Word => WORDS.get(&key),
        Source::Other => None,
    };
    let known = known.copied().map_or(0.0, f32::from);
    let all = documents as f32 + table::BUGS + 1.0;
    (all / (count as f32 + known + 1.0)).ln().max(0.0) / all.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        for table in [table::FUNCTIONS, table::WORDS] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn ok_rarity() {
        let of = |name| rarity(10, 1, Source::Function, fingerprint::hash(name));
        assert!(of("do_syscall_64") < of("netlink_sendmsg"));
        assert!(of("netlink_sendmsg") < of("batadv_iv_ogm_queue_add"));
        assert!((0.0..=1.0).contains(&of("do_syscall_64")));
    }
}
