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

/// Returns the rarity of a name by the number of bugs of the table that contain it: from 1 for a name
/// outside of the table down to 0 for one of all bugs.
///
/// The other reports of an index have no part in it. So the similarity of two reports is the same in
/// every index, and a store that receives one report at a time equals one that receives all at once.
pub(super) fn rarity(source: Source, key: u64) -> f32 {
    let known = match source {
        Source::Function => FUNCTIONS.get(&key),
        Source::Word => WORDS.get(&key),
        Source::Other => None,
    };
    let known = known.copied().map_or(0.0, f32::from);
    let all = table::BUGS + 1.0;
    (all / (known + 1.0)).ln().max(0.0) / all.ln()
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
        let of = |name| rarity(Source::Function, fingerprint::hash(name));
        assert!(of("do_syscall_64") < of("netlink_sendmsg"));
        assert!(of("netlink_sendmsg") < of("batadv_iv_ogm_queue_add"));
        assert!((0.0..=1.0).contains(&of("do_syscall_64")));
    }
}
