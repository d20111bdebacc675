//! Lines that contain a marker and are a part of the report before them.

/// The text in a line, and the text in the headline of the report before it, which must not have
/// ended.
pub(crate) type PartLine = (&'static str, &'static str);

/// All part lines.
#[rustfmt::skip] // rows
pub(crate) const PARTS: &[PartLine] = &[
    // handle_bad_stack() in arch/arm calls die(); panic_bad_stack() in arch/arm64 and
    // handle_bad_stack() in arch/riscv panic: registers and the bounds of the stacks are above.
    ("Internal error: kernel stack overflow", "Insufficient stack space"),
    ("Kernel panic - not syncing: kernel stack overflow", "Insufficient stack space"),
    ("Kernel panic - not syncing: Kernel stack overflow", "Insufficient stack space"),
    // debug_show_blocker() in kernel/hung_task.c: the owner of the lock, whose stack follows.
    (" blocked on a mutex", "INFO: task "),
    (" blocked on a semaphore", "INFO: task "),
    (" blocked on an rw-semaphore", "INFO: task "),
    // object_err() and slab_err() in mm/slub.c warn since Linux 6.15, below the dump of the object.
    ("WARNING: mm/slub.c", "BUG "),
    (" at mm/slub.c", "BUG "),
    // print_track() and print_page_info() in mm/slub.c before Linux 5.13.
    ("INFO: Allocated in ", "BUG "),
    ("INFO: Freed in ", "BUG "),
    ("INFO: Object 0x", "BUG "),
    ("INFO: Slab 0x", "BUG "),
];
