//! Functions that never name a bug.
//!
//! If a function reports, enters, waits, locks, counts, copies or dispatches for its caller, a
//! crash in it is a bug of the caller. [`table`] lists these functions, each with the reason, the
//! titles that skip it, and its role in the titles of stalls and hangs; `search` looks a name up in
//! it.

use crate::string_enum::string_enum;

mod search;
mod table;

pub(crate) use search::look_up;

string_enum! {
    /// The class of a function in a stack.
    pub enum FrameClass {
        /// Noise: a function that detects or reports the bug. It never names a bug.
        Noise = "dropped",
        /// Helper: a function that works for its caller. It never names a bug, and counts in similarity.
        Helper = "generic",
        /// May name a bug.
        Relevant = "ordinary",
    }
}

macro_rules! reasons {
    ($( $reason:ident: $class:ident, $why:literal, )+) => {
        /// The reason why a function does not name a bug. If several rows of the table match a
        /// name, the reason that is declared first counts.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub(crate) enum Reason { $( $reason, )+ }

        impl Reason {
            pub(crate) fn class(self) -> FrameClass {
                match self { $( Self::$reason => FrameClass::$class, )+ }
            }

            pub(crate) fn why(self) -> &'static str {
                match self { $( Self::$reason => $why, )+ }
            }
        }
    };
}

reasons! {
    Trap: Noise, "is on the path from a trap to its handler",
    Reporting: Noise, "detects, checks or reports",
    Unwinding: Noise, "walks the stack",
    Stall: Noise, "watches for stalled CPUs",
    Padding: Noise, "is the padding before a function",
    Entry: Helper, "enters the kernel, or runs a thread, work or timer",
    Dispatch: Helper, "calls a function pointer of an object",
    Waiting: Helper, "waits for another task or an event",
    Delay: Helper, "spins until a time has passed",
    Allocator: Helper, "allocates or frees memory",
    Copying: Helper, "copies for its caller",
    Counting: Helper, "locks, counts, lists",
    Control: Helper, "starts a requested operation",
    Convention: Helper, "is skipped by the convention for titles",
}

/// Defines an enum and the set of its variants, one bit each.
macro_rules! flags {
    (
        $(#[doc = $about:literal])+
        $flag:ident in $(#[doc = $set_about:literal])+ $set:ident {
            $( $(#[doc = $doc:literal])+ $variant:ident, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum $flag { $( $(#[doc = $doc])+ $variant, )+ }

        impl $flag {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[ $( Self::$variant, )+ ];
        }

        $(#[doc = $set_about])+
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) struct $set(u32);

        impl $set {
            /// The empty set.
            pub(crate) const NONE: Self = Self(0);

            /// The set with one more member.
            pub(crate) const fn with(self, flag: $flag) -> Self {
                self.union(Self(1 << flag as u32))
            }

            pub(crate) const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            pub(crate) const fn has(self, flag: $flag) -> bool {
                self.meets(Self::NONE.with(flag))
            }

            /// Returns whether the sets have a member in common.
            pub(crate) const fn meets(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }
        }
    };
}

flags! {
    /// The titles that skip a function. A recipe of `kind::table` lists those that apply to it.
    Skip in
    /// Several of [`Skip`].
    Skips {
        /// All titles.
        Always,
        /// `page allocation failure in …`: memory management.
        Allocation,
        /// `BUG: Bad page state in …`: the title names the function that allocated the page.
        BadPage,
        /// `kernel stack overflow in …`: the handler on the overflow stack.
        BadStack,
        /// `KASAN: invalid-free in …`.
        Free,
        /// `memory leak in …`: allocators, and functions that allocate for their callers.
        Leak,
        /// `WARNING: ODEBUG bug in …`: the users of debug objects.
        Odebug,
        /// `BUG: using …() in preemptible code in …`.
        Preemption,
        /// `WARNING: proc registration bug in …`.
        Proc,
        /// RCU itself.
        Rcu,
        /// `WARNING: refcount bug in …`.
        Refcount,
        /// The scheduler.
        Schedule,
        /// `kernel panic: corrupted stack end in …`: the interrupt that called the scheduler.
        ScheduleEntry,
        /// `kernel BUG in …`: the checks of a socket buffer.
        Skb,
        /// Allocators of socket buffers.
        SkbAlloc,
        /// The slab allocator.
        Slab,
        /// The locks of sockets.
        SocketLock,
        /// `BUG: spinlock … in …`.
        Spinlock,
        /// `kernel panic: stack is corrupted in …`.
        StackProtector,
        /// `INFO: trying to register non-static key in …`.
        StaticKey,
        /// `KASAN: … in …`: the path of a tag check fault to its handler on arm64.
        TagFault,
        /// `INFO: rcu detected stall in …`: the interrupt that detected it.
        TimerInterrupt,
        /// `UBSAN: … in …`.
        Ubsan,
        /// `KMSAN: … in …`: functions that copy or encrypt bytes that their caller left
        /// uninitialized.
        Uninit,
        /// Submission of USB requests.
        Usb,
        /// `BUG: bad usercopy in …`.
        Usercopy,
        /// `possible deadlock in …`: the work queue that runs the work.
        Workqueue,
    }
}

flags! {
    /// The role of a function in the stack of a stalled CPU or a hung task.
    Role in
    /// Several of [`Role`].
    Roles {
        /// Enters the kernel, or dispatches within it.
        Enters,
        /// Waits, or switches to another task.
        Waits,
        /// Waits for all readers.
        Synchronizes,
        /// Takes the lock of network configuration.
        Rtnl,
        /// Calls a function on other CPUs.
        CallsCpus,
    }
}

/// The names that a row matches. Rows of the same name are sorted by shape.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Shape {
    /// This name.
    Whole,
    /// Names that start with it.
    Starts,
    /// Names that end with it.
    Ends,
    /// Names that contain it.
    Part,
    /// Names that contain it, and this text behind it.
    Before(&'static str),
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The name, or a part of it: three bytes or more.
    name: &'static str,
    shape: Shape,
    reason: Option<Reason>,
    skips: Skips,
    roles: Roles,
}

impl Row {
    const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, reason: None, skips: Skips::NONE, roles: Roles::NONE }
    }

    const fn is(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    const fn skip(self, skip: Skip) -> Self {
        Self { skips: self.skips.with(skip), ..self }
    }

    const fn role(self, role: Role) -> Self {
        Self { roles: self.roles.with(role), ..self }
    }
}

/// The properties of a function: the union of all rows that match its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Properties {
    /// The reason why the function does not name a bug; `None` if it may.
    pub(crate) reason: Option<Reason>,
    skips: Skips,
    pub(crate) roles: Roles,
}

impl Properties {
    const NONE: Self = Self { reason: None, skips: Skips::NONE, roles: Roles::NONE };

    fn add(&mut self, row: &Row) {
        self.reason = match (self.reason, row.reason) {
            (Some(known), Some(other)) => Some(known.min(other)),
            (known, other) => known.or(other),
        };
        self.skips = self.skips.union(row.skips);
        self.roles = self.roles.union(row.roles);
    }
}

/// The reason why a function, given without compiler suffixes, cannot name a bug; `None` if it can.
pub(crate) fn reason(function: &str) -> Option<Reason> {
    look_up(function).reason
}

/// The class of a function, given without compiler suffixes.
pub(crate) fn class(function: &str) -> FrameClass {
    reason(function).map_or(FrameClass::Relevant, Reason::class)
}

/// The reason why functions of this class do not name a bug, as text; `None` if they may.
pub(crate) fn why(function: &str) -> Option<&'static str> {
    reason(function).map(Reason::why)
}

/// Whether titles skip a function: all titles, or those of one of the sets.
pub(crate) fn is_skipped_in_titles(function: &str, sets: Skips) -> bool {
    look_up(function).skips.meets(sets.with(Skip::Always))
}

/// The roles of a function in the stack of a stalled CPU or a hung task.
pub(crate) fn roles(function: &str) -> Roles {
    look_up(function).roles
}

/// Strips compiler suffixes: `.cold`, `.isra.0`, `.constprop.1`, `.part.3`, and
/// clang's `.llvm.123`, `.__uniq.456`, `.cfi`, `.cfi_jt`.
pub(crate) fn base(function: &str) -> &str {
    let end = memchr::memchr(b'.', function.as_bytes()).unwrap_or(function.len());
    function.get(..end).filter(|name| !name.is_empty()).unwrap_or(function)
}

#[cfg(test)]
mod tests {
    use super::table::TABLE;
    use super::*;

    /// The shortest name that a row matches, padded with bytes that no row contains.
    fn shortest(row: &Row) -> String {
        let name = row.name;
        match row.shape {
            Shape::Whole => name.to_owned(),
            Shape::Starts => format!("{name}\0"),
            Shape::Ends => format!("\0{name}"),
            Shape::Part => format!("\0{name}\0"),
            Shape::Before(tail) => format!("\0{name}\0{tail}\0"),
        }
    }

    fn fits(row: &Row, name: &str) -> bool {
        match row.shape {
            Shape::Whole => name == row.name,
            Shape::Starts => name.starts_with(row.name),
            Shape::Ends => name.ends_with(row.name),
            Shape::Part => name.contains(row.name),
            Shape::Before(tail) => {
                name.split_once(row.name).is_some_and(|(_, rest)| rest.contains(tail))
            }
        }
    }

    /// [`look_up`] by reading the whole table.
    fn read<'a>(rows: impl IntoIterator<Item = &'a Row>, name: &str) -> Properties {
        let mut properties = Properties::NONE;
        rows.into_iter().filter(|row| fits(row, name)).for_each(|row| properties.add(row));
        if properties.reason.is_none() && properties.skips.has(Skip::Always) {
            properties.reason = Some(Reason::Convention);
        }
        properties
    }

    #[test]
    fn rows_are_sorted_and_unique() {
        for pair in TABLE.windows(2) {
            let [a, b] = [&pair[0], &pair[1]].map(|row| (row.name, row.shape));
            assert!(a < b, "{a:?} is listed before {b:?}");
        }
        assert!(TABLE.iter().all(|row| row.name.len() >= search::KEY));
    }

    #[test]
    fn every_column_of_every_row_counts() {
        for (index, row) in TABLE.iter().enumerate() {
            let name = shortest(row);
            let others = || TABLE.iter().enumerate().filter(|(at, _)| *at != index);
            let rest = read(others().map(|(_, row)| row), &name);
            let of_rest = |skip| rest.skips.has(skip) || rest.skips.has(Skip::Always);
            for skip in Skip::ALL.iter().filter(|skip| row.skips.has(**skip)) {
                assert!(!of_rest(*skip), "another row has {skip:?} of {}", row.name);
            }
            for role in Role::ALL.iter().filter(|role| row.roles.has(**role)) {
                assert!(!rest.roles.has(*role), "another row has {role:?} of {}", row.name);
            }
            if let Some(reason) = row.reason {
                assert_ne!(rest.reason, Some(reason), "another row has the reason of {}", row.name);
                assert_eq!(reason, look_up(&name).reason.unwrap(), "the reason of {}", row.name);
            }
            assert_ne!(rest, look_up(&name), "the row of {} says nothing", row.name);
        }
    }

    #[test]
    fn every_set_has_rows() {
        for skip in Skip::ALL {
            assert!(TABLE.iter().any(|row| row.skips.has(*skip)), "{skip:?}");
        }
        for role in Role::ALL {
            assert!(TABLE.iter().any(|row| row.roles.has(*role)), "{role:?}");
        }
    }

    #[test]
    fn a_search_is_a_reading() {
        let around = |row: &Row| {
            let name = row.name;
            let less = &name[1..];
            [name.into(), shortest(row), format!("x{name}"), format!("{name}x"), less.into()]
                .into_iter()
                .chain([format!("{name}_nocheck"), format!("{name}{name}"), format!("__{name}_x")])
        };
        for name in TABLE.iter().flat_map(around).chain(["", "a", "ab", "é"].map(String::from)) {
            assert_eq!(look_up(&name), read(TABLE, &name), "{name:?}");
        }
    }

    #[test]
    fn ok_class() {
        for (name, want) in [
            ("kasan_report", FrameClass::Noise),
            ("__asan_report_load8_noabort", FrameClass::Noise),
            ("asm_exc_page_fault", FrameClass::Noise),
            ("worker_thread", FrameClass::Helper),
            ("my_worker_thread", FrameClass::Relevant),
            ("vfs_write", FrameClass::Helper),
            ("vfs_write_begin", FrameClass::Relevant),
            ("mutex_lock", FrameClass::Helper),
            ("batadv_iv_ogm_queue_add", FrameClass::Relevant),
            ("io_wqe_enqueue", FrameClass::Relevant),
        ] {
            assert_eq!(class(name), want, "{name}");
        }
    }

    #[test]
    fn ok_is_skipped_in_titles() {
        let skipped =
            |name: &str| is_skipped_in_titles(name, Skips::NONE.with(Skip::Rcu).with(Skip::Skb));
        for name in [
            "kfree",
            "mutex_lock",
            "ioread_readb",
            "do_kmalloc_node",
            "crc32_le",
            "call_rcu",
            "skb_put",
            "atomic_dec",
            "__read_once_size_nocheck",
            "exc_trap",
        ] {
            assert!(skipped(name), "{name}");
        }
        for name in
            ["kfree_sensitive", "my_mutex", "readb_relaxed", "crc_x", "my_skb_put", "atomic_long"]
        {
            assert!(!skipped(name), "{name}");
        }
    }

    #[test]
    fn rust_panics_are_reporting() {
        for name in [
            "__rustc::rust_begin_unwind",
            "core::panicking::panic_fmt",
            "core::option::unwrap_failed",
            "rust_begin_unwind",
            "rust_helper_BUG",
        ] {
            assert_eq!(reason(name), Some(Reason::Reporting), "{name}");
            assert!(is_skipped_in_titles(name, Skips::NONE), "{name}");
        }
        assert_eq!(reason("<rust_binder::process::Process>::update_ref"), None);
    }

    #[test]
    fn ok_base() {
        assert_eq!(base("f.isra.0.cold"), "f");
        assert_eq!(base(".text"), ".text");
    }
}
