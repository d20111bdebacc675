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
    File,
    /// A name that the table does not contain.
    Other,
}

static BUILTIN: LazyLock<Frequencies> = LazyLock::new(|| {
    let table = |names: &'static [(&str, u16)]| names.iter().copied();
    Frequencies::new(table::BUGS, table(table::FUNCTIONS), table(table::WORDS), table(table::FILES))
});

/// The number of bugs, of a large set, whose reports contain a name.
///
/// The programs that fit the similarity count them without the bugs on which they evaluate it.
#[derive(Clone, Debug)]
pub struct Frequencies {
    bugs: f32,
    functions: HashMap<u64, u16>,
    words: HashMap<u64, u16>,
    files: HashMap<u64, u16>,
}

impl Frequencies {
    /// Makes the table of a set of `bugs`: functions, words in lower case, and source files, each with the number of
    /// bugs whose reports contain it. A name that is left out is as rare as one of no bug.
    pub fn new<'a>(
        bugs: f32,
        functions: impl Iterator<Item = (&'a str, u16)>,
        words: impl Iterator<Item = (&'a str, u16)>,
        files: impl Iterator<Item = (&'a str, u16)>,
    ) -> Self {
        Self { bugs, functions: hashed(functions), words: hashed(words), files: hashed(files) }
    }

    /// Returns the built-in table.
    pub(super) fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Returns the rarity of a name by the number of bugs of the table that contain it: from 1 for a name outside of
    /// the table down to 0 for one of all bugs.
    ///
    /// The other reports of an index have no part in it. So the similarity of two reports is the same in every index,
    /// and a store that receives one report at a time equals one that receives all at once.
    pub(super) fn rarity(&self, source: Source, key: u64) -> f32 {
        let known = match source {
            Source::Function => self.functions.get(&key),
            Source::Word => self.words.get(&key),
            Source::File => self.files.get(&key),
            Source::Other => None,
        };
        let known = known.copied().map_or(0.0, f32::from);
        let all = self.bugs + 1.0;
        (all / (known + 1.0)).ln().max(0.0) / all.ln()
    }
}

fn hashed<'a>(table: impl Iterator<Item = (&'a str, u16)>) -> HashMap<u64, u16> {
    table.map(|(name, bugs)| (fingerprint::hash(name), bugs)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        for table in [table::FUNCTIONS, table::WORDS, table::FILES] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn ok_rarity() {
        let of = |name| Frequencies::builtin().rarity(Source::Function, fingerprint::hash(name));
        assert!(of("do_syscall_64") < of("netlink_sendmsg"));
        assert!(of("netlink_sendmsg") < of("batadv_iv_ogm_queue_add"));
        assert!((0.0..=1.0).contains(&of("do_syscall_64")));
    }
}
