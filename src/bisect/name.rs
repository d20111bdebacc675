//! Comparison of the titles of crashes.

use crate::functions::{self, FrameClass};
use crate::kind;
use crate::kind::class::Symptom;

/// A parsed title.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) title: &'a str,
    /// The function in the title, without leading underscores.
    pub(super) function: Option<&'a str>,
    pub(super) symptom: Symptom,
}

/// Titles that syzkaller's manager gives to a machine that stopped without a report.
const MANAGER_TITLES: &[(&str, Symptom)] = &[
    ("lost connection", Symptom::Hang),
    ("no output", Symptom::Hang),
    ("not responding", Symptom::Hang),
];

/// Titles of syzkaller's own failures, `SYZFAIL` and `SYZFATAL` of its executor and fuzzer.
const OWN_FAILURES: &[&str] = &["SYZFAIL", "SYZFATAL"];

/// Returns whether a title is that of a machine that stopped without a report, or of a failure of
/// syzkaller.
pub(super) fn is_failure(title: &str) -> bool {
    OWN_FAILURES.iter().any(|start| title.starts_with(start))
        || MANAGER_TITLES.iter().any(|(words, _)| title.starts_with(words))
}

/// Words of function names that identify no subsystem.
#[rustfmt::skip] // rows
const COMMON: &[&str] = &[
    "add", "alloc", "arch", "bit", "call", "check", "close", "corrupted", "create", "data", "del",
    "delete", "destroy", "dev", "device", "do", "drivers", "entry", "err", "exit", "find", "fini",
    "free", "from", "fs", "func", "get", "handle", "in", "include", "info", "init", "insert", "is",
    "kernel", "kmem", "lib", "linux", "list", "lock", "lookup", "mm", "net", "new", "of", "on",
    "open", "page", "process", "put", "queue", "raw", "read", "release", "remove", "run", "se",
    "set", "start", "state", "stop", "sub", "sys", "task", "test", "timer", "to", "try", "unlock",
    "update", "wait", "wake", "work", "write", "x64", "x86",
];

impl<'a> Name<'a> {
    pub(super) fn of(title: &'a str) -> Self {
        Self { title, function: function(title), symptom: symptom(title) }
    }

    /// Returns whether two titles have the same function.
    pub(super) fn same_function(&self, other: &Self) -> bool {
        self.function.is_some() && self.function == other.function
    }

    /// Returns the words of the function in the title, or of the file in its place.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        let file = || self.title.rsplit_once(" at ")?.1.split(':').next();
        parts(self.function.or_else(file).unwrap_or_default())
    }

    /// Returns the first word of both functions, if it identifies a subsystem.
    pub(super) fn subsystem(&self, other: &Self) -> Option<&'a str> {
        let first = |name: &Self| name.function.and_then(|function| parts(function).next());
        first(self).filter(|word| first(other) == Some(word) && is_telling(word))
    }

    /// Returns a word that is in the names of both functions.
    pub(super) fn word(&self, other: &Self) -> Option<&'a str> {
        self.words().find(|word| is_telling(word) && other.words().any(|its| its == *word))
    }
}

/// Returns the symptom of a crash with this title.
fn symptom(title: &str) -> Symptom {
    if let Some(class) = kind::of_title(title) {
        return class.symptom;
    }
    let by_manager = MANAGER_TITLES.iter().find(|(words, _)| title.contains(words));
    by_manager.map_or(Symptom::Other, |(_, symptom)| *symptom)
}

/// The longest function name that is parsed: `KSYM_NAME_LEN` in include/linux/kallsyms.h is 512,
/// for mangled Rust names.
const MAX_NAME: usize = 512;

/// The maximum number of words of a name that are compared.
const MAX_PARTS: usize = 16;

/// Returns the function in a title: `… in FUNCTION`.
fn function(title: &str) -> Option<&str> {
    let (_, name) = title.rsplit_once(" in ")?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    let name = name.get(..end)?.trim_start_matches('_');
    ((2..=MAX_NAME).contains(&name.len()) && name != "corrupted").then_some(name)
}

/// Splits a name into words: `io_wqe_wake_worker` has four.
pub(super) fn parts(name: &str) -> impl Iterator<Item = &str> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).take(MAX_PARTS);
    words.filter(|word| word.len() > 1 && !word.bytes().all(|b| b.is_ascii_digit()))
}

/// Returns whether a word may identify a subsystem.
pub(super) fn is_telling(word: &str) -> bool {
    COMMON.binary_search(&word).is_err()
}

/// Returns whether a function may name a bug.
pub(super) fn may_name(function: &str) -> bool {
    functions::class(function) == FrameClass::Relevant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_in_order() {
        assert!(COMMON.is_sorted());
    }

    #[test]
    fn ok_function() {
        assert_eq!(function("KASAN: use-after-free Read in __io_wq_put (2)"), Some("io_wq_put"));
        assert_eq!(function("INFO: rcu detected stall in corrupted"), None);
        assert_eq!(function("kernel BUG at lib/string.c:LINE!"), None);
        assert_eq!(function("KCSAN: data-race in tcp_poll / tcp_ack"), Some("tcp_poll"));
    }

    #[test]
    fn files_have_words_where_no_function_is_named() {
        let words: Vec<_> =
            Name::of("kernel BUG at net/rxrpc/local_object.c:LINE!").words().collect();
        assert_eq!(words, ["net", "rxrpc", "local", "object"]);
    }

    #[test]
    fn functions_share_a_subsystem_by_their_first_word() {
        let shared = |a, b| Name::of(a).subsystem(&Name::of(b));
        assert_eq!(shared("WARNING in io_wqe_enqueue", "WARNING in io_ring_exit_work"), Some("io"));
        assert_eq!(shared("WARNING in do_mount", "WARNING in do_exit"), None);
        let word = |a, b| Name::of(a).word(&Name::of(b));
        assert_eq!(word("WARNING in __tipc_sendstream", "WARNING in msg_tipc"), Some("tipc"));
    }
}
