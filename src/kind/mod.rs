//! The kinds of splats, as data.
//!
//! [`Kind`] is the list of names. [`table`] has the markers, titles and classes of each; `scan`,
//! `title`, `parse`, `sign` and `bisect` read the table and contain no name of a kind.

pub(crate) mod class;
pub(crate) mod pattern;
pub(crate) mod table;
pub(crate) mod types;

use crate::syntax::{Says, Start};
use class::{Class, Classes};
use pattern::Piece;
use table::MARKERS;

use crate::functions::{Skip, Skips};
use crate::search;
use crate::string_enum::string_enum;

string_enum! {
    /// The kind of the failure, as the kernel reports it.
    pub enum Kind {
        /// A bad access found by KASAN, or a bad free.
        ///
        /// Printed by `print_error_description()` in mm/kasan/report.c.
        Kasan = "kasan",
        /// A page fault at an address that is not mapped.
        ///
        /// Printed by `show_fault_oops()` in arch/x86/mm/fault.c.
        PageFault = "page-fault",
        /// A page fault below the first page.
        ///
        /// Printed by `show_fault_oops()` in arch/x86/mm/fault.c.
        NullDereference = "null-deref",
        /// A general protection fault, most often at a non-canonical address.
        ///
        /// Printed by `exc_general_protection()` in arch/x86/kernel/traps.c.
        GeneralProtectionFault = "gpf",
        /// A `WARN_ON` or `WARN`.
        ///
        /// Printed by `__warn()` in kernel/panic.c.
        Warning = "warning",
        /// A reference count that was zero, or overflowed.
        ///
        /// Printed by `refcount_warn_saturate()` in lib/refcount.c through `__warn()`.
        Refcount = "refcount",
        /// A `BUG_ON` or `BUG`.
        ///
        /// Printed by `report_bug()` in lib/bug.c.
        KernelBug = "kernel-bug",
        /// A list with inconsistent pointers, found by `CONFIG_DEBUG_LIST`.
        ///
        /// Printed by `__list_add_valid()` and `__list_del_entry_valid()` in lib/list_debug.c.
        ListCorruption = "list-corruption",
        /// A copy to or from user space that exceeds its object.
        ///
        /// Printed by `usercopy_abort()` in mm/usercopy.c.
        Usercopy = "usercopy",
        /// An indirect call of a function of another type, found by `CONFIG_CFI_CLANG`.
        ///
        /// Printed by `report_cfi_failure()` in kernel/cfi.c.
        Cfi = "cfi",
        /// An integer division by zero.
        ///
        /// Printed by `exc_divide_error()` in arch/x86/kernel/traps.c.
        DivideError = "divide-error",
        /// An invalid instruction, outside of `BUG` and `WARN`.
        ///
        /// Printed by `handle_invalid_op()` in arch/x86/kernel/traps.c.
        InvalidOpcode = "invalid-opcode",
        /// A fault while a fault was being handled, most often a stack overflow.
        ///
        /// Printed by `exc_double_fault()` in arch/x86/kernel/traps.c.
        DoubleFault = "double-fault",
        /// A use of uninitialized memory in the kernel, or a leak of it to user space.
        ///
        /// Printed by `kmsan_report()` in mm/kmsan/report.c.
        Kmsan = "kmsan",
        /// A data race.
        ///
        /// Printed by `print_report()` in kernel/kcsan/report.c.
        Kcsan = "kcsan",
        /// A bad access found by KFENCE, which samples allocations.
        ///
        /// Printed by `kfence_report_error()` in mm/kfence/report.c.
        Kfence = "kfence",
        /// Undefined behaviour of C.
        ///
        /// Printed by `ubsan_prologue()` in lib/ubsan.c.
        Ubsan = "ubsan",
        /// A slab object that was freed twice, or overwritten.
        ///
        /// Printed by `slab_bug()` in mm/slub.c.
        Slab = "slab",
        /// A page in an invalid state.
        ///
        /// Printed by `bad_page()` in mm/page_alloc.c.
        BadPage = "bad-page",
        /// Allocated memory without a reference to it.
        ///
        /// Printed by `print_unreferenced()` in mm/kmemleak.c.
        MemoryLeak = "memory-leak",
        /// An object of `CONFIG_DEBUG_OBJECTS` in an invalid state.
        ///
        /// Printed by `debug_print_object()` in lib/debugobjects.c through `__warn()`.
        Odebug = "odebug",
        /// A stack that overflowed.
        ///
        /// Printed by `handle_stack_overflow()` in arch/x86/mm/fault.c.
        StackOverflow = "stack-overflow",
        /// Locks that can wait for each other.
        ///
        /// Printed by `print_circular_bug_header()` and others in kernel/locking/lockdep.c.
        Deadlock = "deadlock",
        /// A misused lock: freed or kept while held, unlocked twice, not initialized.
        ///
        /// Printed in kernel/locking/lockdep.c and by `spin_dump()` in kernel/locking/spinlock_debug.c.
        LockBug = "lock-bug",
        /// RCU data that was read outside of a read-side critical section.
        ///
        /// Printed by `lockdep_rcu_suspicious()` in kernel/locking/lockdep.c.
        RcuUsage = "rcu-usage",
        /// A sleep in atomic context.
        ///
        /// Printed by `__schedule_bug()` and `__might_resched()` in kernel/sched/core.c.
        AtomicSleep = "atomic-sleep",
        /// Per-CPU data that was used in preemptible code.
        ///
        /// Printed by `check_preemption_disabled()` in lib/smp_processor_id.c.
        Preemptible = "preemptible",
        /// A task that was blocked for too long.
        ///
        /// Printed by `check_hung_task()` in kernel/hung_task.c.
        HungTask = "hung-task",
        /// A CPU that did not schedule for too long.
        ///
        /// Printed by `watchdog_timer_fn()` in kernel/watchdog.c.
        SoftLockup = "soft-lockup",
        /// A CPU that took no interrupt for too long.
        ///
        /// Printed by `watchdog_overflow_callback()` in kernel/watchdog_hld.c.
        HardLockup = "hard-lockup",
        /// A CPU that blocked an RCU grace period for too long.
        ///
        /// Printed by `print_other_cpu_stall()` and `print_cpu_stall()` in kernel/rcu/tree_stall.h.
        RcuStall = "rcu-stall",
        /// A worker pool that made no progress for too long.
        ///
        /// Printed by `wq_watchdog_timer_fn()` in kernel/workqueue.c.
        WorkqueueLockup = "workqueue-lockup",
        /// A breakpoint exception outside of kprobes and debuggers.
        ///
        /// Printed by `exc_int3()` in arch/x86/kernel/traps.c.
        Int3 = "int3",
        /// A fault of the stack segment.
        ///
        /// Printed by `exc_stack_segment()` in arch/x86/kernel/traps.c.
        StackSegment = "stack-segment",
        /// A fatal error of arm and arm64, such as an external abort.
        ///
        /// Printed by `__die()` in arch/arm64/kernel/traps.c.
        InternalError = "internal-error",
        /// A fault without a handler on arm.
        ///
        /// Printed by `do_DataAbort()` in arch/arm/mm/fault.c.
        UnhandledFault = "unhandled-fault",
        /// A stack that the unwinder could not follow.
        ///
        /// Printed by `unwind_next_frame()` in arch/x86/kernel/unwind_frame.c.
        Unwinder = "unwinder",
        /// A fatal error that has no kind of its own, with the words of its architecture.
        ///
        /// Printed by `die()` in arch/*/kernel/traps.c and arch/*/kernel/dumpstack.c.
        Oops = "oops",
        /// A failed check of a module with its own assertions: ZFS, Lustre.
        ///
        /// Printed by `spl_panic()` in module/os/linux/spl/spl-err.c of OpenZFS, and by
        /// `lbug_with_loc()` of Lustre's libcfs.
        Assertion = "assertion",
        /// An interrupt that no handler claims and that the kernel disables.
        ///
        /// Printed by `__report_bad_irq()` in kernel/irq/spurious.c.
        BadInterrupt = "bad-interrupt",
        /// A panic of Rust code in the kernel.
        ///
        /// Printed by the panic handler in rust/kernel/lib.rs.
        RustPanic = "rust-panic",
        /// A network device that is in use long after it was unregistered.
        ///
        /// Printed by `netdev_wait_allrefs_any()` in net/core/dev.c.
        Netdevice = "netdevice",
        /// A file or inode that is in use after its file system was unmounted or it was closed.
        ///
        /// Printed by `filp_close()` in fs/open.c and `generic_shutdown_super()` in fs/super.c.
        Vfs = "vfs",
        /// A hardware error that the processor could not correct.
        ///
        /// Printed by `print_mce()` in arch/x86/kernel/cpu/mce/core.c, and by `die()` of powerpc.
        MachineCheck = "machine-check",
        /// Memory was exhausted, and a task was killed. Information: see
        /// [`Parser::with_information`](crate::Parser::with_information).
        ///
        /// Printed by `oom_kill_process()` in mm/oom_kill.c.
        OutOfMemory = "out-of-memory",
        /// A memory allocation that failed. Information.
        ///
        /// Printed by `warn_alloc()` in mm/page_alloc.c.
        AllocationFailure = "allocation-failure",
        /// Corruption that a file system detected in its own data. Information.
        ///
        /// Printed by `__ext4_error()` and others in fs/ext4/super.c, `xfs_error_report()` in
        /// fs/xfs/xfs_error.c and `__btrfs_handle_fs_error()` in fs/btrfs/messages.c.
        FileSystem = "file-system",
        /// A failed request to a device. Information.
        ///
        /// Printed by `blk_print_req_error()` in block/blk-mq.c and its like.
        IoError = "io-error",
        /// An error of memory, processor or bus that was corrected or recovered. Information.
        ///
        /// Printed by `__print_mce()` in arch/x86/kernel/cpu/mce/core.c, `edac_mc_printk()` of
        /// drivers/edac and `__ghes_print_estatus()` in drivers/acpi/apei/ghes.c.
        HardwareError = "hardware-error",
        /// The stack of a task without a headline. Information.
        ///
        /// Printed by `dump_stack()` in lib/dump_stack.c.
        StackDump = "stack-dump",
        /// An unexpected reboot.
        ///
        /// Printed by the decompressor, arch/x86/boot/compressed/misc.c.
        Reboot = "reboot",
        /// A panic of the Trusty execution environment.
        Trusty = "trusty",
        /// A crash of a program that prints on the console: a Go program, a fuzzer, a sandbox.
        User = "user",
        /// Any other report that begins with `BUG:`.
        Bug = "bug",
        /// Any other report that begins with `INFO:`.
        Info = "info",
        /// A panic without another report before it.
        ///
        /// Printed by `panic()` in kernel/panic.c.
        Panic = "panic",
    }
}

impl Kind {
    /// Returns whether reports of this kind are information instead of faults of the kernel. The
    /// parser skips them unless [`Parser::with_information`](crate::Parser::with_information) is
    /// set.
    pub fn is_information(self) -> bool {
        matches!(
            self,
            Self::OutOfMemory
                | Self::AllocationFailure
                | Self::FileSystem
                | Self::IoError
                | Self::HardwareError
                | Self::StackDump
        )
    }

    /// Returns whether the instruction at the printed pointer may have trapped. A CPU that made no
    /// progress was interrupted there, by a timer or another CPU.
    pub(crate) fn traps(self) -> bool {
        !matches!(self, Self::SoftLockup | Self::HardLockup | Self::RcuStall)
    }

    /// Returns whether the line below the headline describes the fault: ubsan_prologue() in
    /// lib/ubsan.c ends the headline with the place in the source.
    pub(crate) fn has_sentence(self) -> bool {
        self == Self::Ubsan
    }
}

/// A text that starts a report, and the formats of such reports.
#[derive(Debug)]
pub(crate) struct Marker {
    /// The text, anywhere in a line.
    pub(crate) text: &'static str,
    /// The text for which the scan searches: a part of the text, or of the literal that each
    /// trigger begins with, which is rare in a log without a report; four bytes or more.
    pub(crate) anchor: &'static str,
    /// Lines that contain the text and start no report: literals in this order.
    pub(crate) unless: &'static [&'static [&'static str]],
    /// When such a line belongs to the report before it.
    pub(crate) consequence: &'static [Consequence],
    /// The kind of a report that matches none of the formats.
    pub(crate) kind: Kind,
    /// The classes of a report that matches none of the formats: its title is the line from the
    /// text on.
    pub(crate) other: Classes,
    /// The formats of a report, in order of preference; see `title`.
    pub(crate) formats: &'static [Format],
}

impl Marker {
    /// Returns the class of a report that matches none of the formats.
    ///
    /// Its title may still be one of the table, because logs quote titles, such as subjects of
    /// mails.
    pub(crate) fn class(&self, title: &str) -> Class {
        of_title(title).unwrap_or_else(|| self.other.of(title))
    }

    /// Returns whether a line that contains the text starts a report: if all formats are
    /// [`Format::only`], it must match one of them.
    pub(crate) fn takes(&self, line: &[u8]) -> bool {
        let has_form = |format: &Format| {
            !format.only || pattern::find(format.trigger, &[line], 0..1).is_some()
        };
        self.formats.iter().any(has_form)
    }

    /// Returns where the headline begins in a line that contains the text: the first match of a
    /// format, else the place of the text.
    pub(crate) fn place(&self, line: &[u8]) -> Option<usize> {
        let forms = self.formats.iter().filter(|format| format.only);
        let places = forms.filter_map(|format| pattern::find(format.trigger, &[line], 0..1));
        let text = || search::find(line, self.text).or_else(|| search::find(line, self.anchor));
        places.map(|found| found.offset).min().or_else(text)
    }
}

/// The class of a title alone; `None` if no row of the table matches it.
pub(crate) fn of_title(title: &str) -> Option<Class> {
    // A template that begins with a capture has any text there.
    let has_text = |row: &Titled| !row.template.starts_with('{');
    longest(MARKERS.iter().flat_map(|marker| classes(marker)).filter(has_text), title)
}

/// The class of a report of a kind, by its title.
///
/// For a title of no row of the kind it is the class of the kind's first row.
pub(crate) fn of_report(kind: Kind, title: &str) -> Option<Class> {
    let rows =
        || MARKERS.iter().flat_map(|marker| classes(marker)).filter(move |row| row.kind == kind);
    longest(rows(), title).or_else(|| rows().next().map(|row| row.classes.of(title)))
}

/// Prefixes of titles, and the class of each.
struct Titled {
    kind: Kind,
    template: &'static str,
    classes: &'static Classes,
}

/// The titles of a marker.
fn classes(marker: &'static Marker) -> impl Iterator<Item = Titled> {
    let of = |format: &'static Format| Titled {
        kind: format.kind,
        template: format.title,
        classes: &format.classes,
    };
    let other = Titled { kind: marker.kind, template: marker.text, classes: &marker.other };
    marker.formats.iter().map(of).chain([other])
}

/// Returns the class of the row with the longest matching prefix of a title, the first of two
/// equals.
fn longest(rows: impl Iterator<Item = Titled>, title: &str) -> Option<Class> {
    let mut best: Option<(usize, Class)> = None;
    for (len, class) in rows.filter_map(|row| row.classes.of_any(row.template, title)) {
        if best.is_none_or(|(longest, _)| longest < len) {
            best = Some((len, class));
        }
    }
    best.map(|(_, class)| class)
}

/// A rule that adds a line to the report before it.
#[derive(Debug)]
pub(crate) struct Consequence {
    /// The text in the line.
    pub(crate) text: &'static str,
    /// The text in the headline of the report before it.
    pub(crate) after: &'static str,
    /// Whether the report must not have ended yet.
    pub(crate) before_end: bool,
    /// Whether the line is a part of the report if it is above its registers and stacks.
    pub(crate) own: bool,
}

impl Consequence {
    /// A line with `text` belongs to any report before it.
    const fn always(text: &'static str) -> Self {
        Self { text, after: "", before_end: false, own: false }
    }

    /// A line with `text` belongs to a report before it that has not ended.
    const fn within(text: &'static str) -> Self {
        Self { text, after: "", before_end: true, own: false }
    }

    /// The same, and such a line above the registers and stacks is a part of the report: `die()`
    /// prints the cause below the description of the fault.
    const fn own(text: &'static str) -> Self {
        Self { own: true, ..Self::within(text) }
    }

    /// The same, for a report whose headline contains `headline`.
    const fn after(self, headline: &'static str) -> Self {
        Self { after: headline, ..self }
    }
}

/// One format of a report: its pattern, and its title.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate property")]
pub(crate) struct Format {
    /// The kind of the report.
    pub(crate) kind: Kind,
    /// The type, family and symptom.
    pub(crate) classes: Classes,
    /// The pattern of the headline.
    pub(crate) trigger: &'static [Piece],
    /// A second pattern that the headline must match, if not empty; captures are then taken from
    /// it.
    pub(crate) body: &'static [Piece],
    /// The lines that must follow the headline; their captures come after those of the headline.
    pub(crate) then: &'static [Then],
    /// The title: `{1}` is the first capture, `{F}` the first frame of the recipe, `{F2}` the second.
    pub(crate) title: &'static str,
    /// Titles under which the same bug may be known.
    pub(crate) alternatives: &'static [&'static str],
    /// The rule for the function of the title.
    pub(crate) recipe: Recipe,
    /// Whether the instruction pointer below is that of the crash.
    ///
    /// True for a processor trap; false if a checker was called, so that a later instruction
    /// pointer is only that of an interrupted task.
    pub(crate) trap: bool,
    /// The stack that the report needs to be complete.
    pub(crate) needs: Needs,
    /// Whether a report of this format is always only a part of one.
    pub(crate) corrupted: bool,
    /// Whether a line with the marker's text must match such a format to start a report.
    pub(crate) only: bool,
    /// Whether the headline is the report's message, because the title omits details.
    pub(crate) quoted: bool,
}

/// The stack that a report needs to be complete.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Needs {
    /// A stack below a line that starts a stack, such as `Call Trace:`.
    Trace,
    /// A frame, with or without such a line above it.
    Frame,
    Nothing,
}

/// A row of the table: a format of `kind` for lines that match `trigger`.
const fn row(
    kind: Kind,
    classes: Classes,
    trigger: &'static [Piece],
    title: &'static str,
) -> Format {
    Format {
        kind,
        classes,
        trigger,
        body: &[],
        then: &[],
        title,
        alternatives: &[],
        recipe: Recipe::NONE,
        trap: false,
        needs: Needs::Trace,
        corrupted: false,
        only: false,
        quoted: false,
    }
}

impl Format {
    /// The class of a report with this title.
    pub(crate) fn class(&self, title: &str) -> Class {
        self.classes.of(title)
    }

    const fn body(self, body: &'static [Piece]) -> Self {
        Self { body, ..self }
    }

    const fn then(self, then: &'static [Then]) -> Self {
        Self { then, ..self }
    }

    const fn frames(self, recipe: Recipe) -> Self {
        Self { recipe, ..self }
    }

    const fn alt(self, alternatives: &'static [&'static str]) -> Self {
        Self { alternatives, ..self }
    }

    const fn trap(self) -> Self {
        Self { trap: true, ..self }
    }

    const fn stackless(self) -> Self {
        Self { needs: Needs::Nothing, ..self }
    }

    const fn bare_stack(self) -> Self {
        Self { needs: Needs::Frame, ..self }
    }

    /// A format for a marker whose text is common: a line must match one of the formats to start a
    /// report.
    const fn only(self) -> Self {
        Self { only: true, ..self }
    }

    /// A format whose headline is the message.
    const fn quoted(self) -> Self {
        Self { quoted: true, ..self }
    }

    /// A format that is always only a part of a report.
    const fn partial(self) -> Self {
        Self { corrupted: true, ..self }
    }
}

/// The rule for the function in a title: parts of the text, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    /// The parts.
    pub(crate) parts: &'static [Part],
    /// The parts that are tried if these contain no function.
    pub(crate) fallback: &'static [Part],
    /// The functions that this format skips, in addition to those that every format skips.
    pub(crate) skip: Skips,
    /// The choice among the functions that are not skipped.
    pub(crate) choice: Choice,
}

impl Recipe {
    /// A title without a function.
    const NONE: Self = Self { parts: &[], fallback: &[], skip: Skips::NONE, choice: Choice::First };

    const fn of(parts: &'static [Part]) -> Self {
        Self { parts, ..Self::NONE }
    }

    const fn or(self, fallback: &'static [Part]) -> Self {
        Self { fallback, ..self }
    }

    /// Adds a set of skipped functions.
    const fn skip(self, skip: Skip) -> Self {
        Self { skip: self.skip.with(skip), ..self }
    }

    const fn stall(self) -> Self {
        Self { choice: Choice::Stall, ..self }
    }

    const fn hang(self) -> Self {
        Self { choice: Choice::Hang, ..self }
    }
}

/// The choice of the function of a stack that names the bug.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Choice {
    /// The first.
    First,
    /// The function below an entry into the kernel, because a CPU may stall anywhere below it.
    Stall,
    /// The first function that does not wait or schedule.
    Hang,
}

/// A part of a recipe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Up to the line of the headline that names a function, which is a frame.
    Headline,
    /// Up to the instruction pointer, whose function is a frame.
    Pointer,
    /// The same, or up to `--- interrupt: 700 at function`, as powerpc marks a trap.
    Trap,
    /// Up to the start of the call trace.
    Calls,
    /// The frames that follow, up to the next stack or the next part.
    Stack,
    /// Up to a line with one of these facts.
    Line(Says),
    /// Up to the line above a stack of this kind.
    Begins(Start),
    /// Up to a line with one of these facts, whose function is a frame.
    Function(Says),
}

/// A line that must follow the headline of a format; each is below the one before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Then {
    /// A line with one of these facts.
    Says(Says),
    /// The same, and its function or name is captured.
    Name(Says),
    /// An access: `Read` or `Write`, captured.
    Access,
    /// The same with a size.
    SizedAccess,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::class::{Classes, Family, FamilyRule, Symptom};
    use super::table::MARKERS;
    use super::{Kind, Skip, of_report, of_title};

    #[test]
    fn names_are_unique_and_have_a_corpus_case() {
        let mut seen = BTreeSet::new();
        for name in Kind::ALL.iter().map(|kind| kind.name()) {
            assert!(seen.insert(name), "two kinds are called `{name}`");
            assert!(Path::new("corpus").join(name).is_dir(), "add a log to corpus/{name}/");
        }
    }

    #[test]
    fn every_kind_is_in_the_table() {
        let rows: BTreeSet<_> = MARKERS
            .iter()
            .flat_map(|marker| marker.formats.iter().map(|format| format.kind).chain([marker.kind]))
            .collect();
        assert_eq!(rows, Kind::ALL.iter().copied().collect());
    }

    #[test]
    fn patterns_of_classes_are_unshadowed() {
        for row in MARKERS.iter().flat_map(|marker| super::classes(marker)) {
            let Classes::ByTitle(patterns, _) = row.classes else { continue };
            for (index, (later, _)) in patterns.iter().enumerate() {
                for (earlier, _) in &patterns[..index] {
                    assert!(!later.starts_with(earlier), "`{earlier}` hides `{later}`");
                }
            }
        }
    }

    #[test]
    fn titles_that_begin_alike_are_of_one_class() {
        for row in MARKERS.iter().flat_map(|marker| super::classes(marker)) {
            let begin = row.template.split('{').next().unwrap_or_default();
            let class = row.classes.of(begin);
            assert_eq!(of_report(row.kind, begin), Some(class), "{begin} as {}", row.kind.name());
        }
    }

    #[test]
    fn ok_of_title() {
        let is = |title| {
            let class = of_title(title).expect("a class");
            (class.bug_type.name, class.symptom)
        };
        assert_eq!(
            is("KASAN: slab-use-after-free Write in f"),
            ("KASAN-USE-AFTER-FREE-WRITE", Symptom::Access)
        );
        assert_eq!(is("BUG: spinlock bad magic in f"), ("LOCKDEP", Symptom::Lock));
        assert_eq!(is("BUG: stack guard page was hit in f"), ("", Symptom::Other));
        assert_eq!(is("WARNING: x"), ("WARNING", Symptom::Warning));
        assert_eq!(of_title("attempt to subtract with overflow in f"), None);
        assert_eq!(of_title("no output from test machine"), None);
    }

    #[test]
    fn families_are_those_of_the_kind() {
        let is = |kind, title| of_report(kind, title).map(|class| class.family);
        let title = "WARNING: x in f";
        assert_eq!(is(Kind::RustPanic, title), Some(FamilyRule::Is(Family::Other)));
        assert_eq!(is(Kind::Kasan, title), Some(FamilyRule::Is(Family::BadAccess)));
        let title = "KASAN: alloca-out-of-bounds Read in f";
        assert_eq!(is(Kind::Kasan, title), Some(FamilyRule::Is(Family::OutOfBounds)));
    }

    #[test]
    fn markers_are_unique_and_complete() {
        let mut seen = BTreeSet::new();
        for marker in MARKERS {
            assert!(seen.insert(marker.text), "two markers `{}`", marker.text);
            assert!(!marker.formats.is_empty(), "`{}` has no format", marker.text);
            assert!(marker.formats.len() <= 64, "an outline keeps a bit for each format");
            for format in marker.formats {
                assert!(!format.trigger.is_empty(), "a format of `{}` has no trigger", marker.text);
                let asks = format.title.contains("{F");
                assert_eq!(asks, !format.recipe.parts.is_empty(), "frames of `{}`", format.title);
            }
        }
    }

    #[test]
    fn every_set_of_functions_is_skipped_somewhere() {
        let recipes =
            || MARKERS.iter().flat_map(|marker| marker.formats).map(|format| format.recipe);
        for skip in Skip::ALL.iter().filter(|skip| **skip != Skip::Always) {
            assert!(recipes().any(|recipe| recipe.skip.has(*skip)), "{skip:?}");
        }
    }
}
