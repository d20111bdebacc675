//! `BUG:` and `kernel BUG`.

use super::super::pattern::Piece::{
    Addr, Any, Digits, Either, End, Func, Lit, Name, One, Rest, Token, Until, Words,
};
use super::super::{Kind as K, Marker, Part, Recipe, Then, row};
use super::{BAD_ACCESS, CALLS, INVALID_FREE, POINTER, STACK_OVERFLOW, STALL};
use crate::syntax::{Says, Start};

/// `BUG: KASAN: kind in function`, whose function is a frame; then the call trace.
const KASAN: Recipe = Recipe::of(&[Part::Headline, Part::Calls, Part::Stack]);

/// The same for KFENCE, whose call trace has no headline.
const KFENCE: Recipe = Recipe::of(&[Part::Headline, Part::Stack]);

/// Where a value was used, and where it came from.
const KMSAN: Recipe = Recipe::of(&[Part::Stack, Part::Begins(Start::Created), Part::Stack]);

/// Where lost memory was allocated.
const LEAK: Recipe = Recipe::of(&[Part::Begins(Start::Leak), Part::Stack]).skip(&[
    "kmemleak",
    "mmap",
    "kmem",
    "slab",
    "alloc",
    "create_object",
    "idr_get",
    "list_lru_init",
    "kasprintf",
    "kvasprintf",
    "pcpu_create",
    "strdup",
    "strndup",
    "memdup",
]);

#[rustfmt::skip] // rows
pub(super) const BUG: Marker = Marker {
    text: "BUG:",
    unless: &[
        &["ODEBUG:"], &["Boot_DEBUG:"], &["xlog_status:"], &["DEBUG:"],
        &["BUG: no syscalls can create resource"],
    ],
    kind: K::Bug,
    formats: &[
        row(K::Kasan, &[Lit("BUG: KASAN:")], "KASAN: {1} {3} in {F}")
            .body(&[
                Lit("BUG: KASAN: "), Words, Lit(" in "), Addr, Func])
            .then(&[Then::Access])
            .frames(KASAN.skip(&["kernel_fault", "tag_check", "mem_abort", "^el1_", "^el1h_"]))
            .alt(BAD_ACCESS),
        row(K::Kasan, &[Lit("BUG: KASAN:")], "KASAN: invalid-free in {F}")
            .body(&[
                Lit("BUG: KASAN: "),
                One(&["double-free or invalid-free", "double-free", "invalid-free"]),
                Lit(" in "), Addr, Func,
            ])
            .frames(KASAN.skip(&["slab_", "kfree", "vunmap", "vfree"]))
            .alt(INVALID_FREE),
        row(K::Kasan, &[
            Lit("BUG: KASAN: "), Words, Lit(" on address")], "KASAN: {1} {2}")
            .then(&[Then::SizedAccess]),
        row(K::Kasan, &[Lit("BUG: KASAN: "), Rest], "KASAN: {1}").partial(),
        row(K::Kmsan, &[Lit("BUG: KMSAN: kernel-usb-infoleak in "), Addr, Func],
            "KMSAN: kernel-usb-infoleak in {F}")
            .frames(KMSAN.skip(&[
                "alloc_skb", "usb_submit_urb", "usb_start_wait_urb", "usb_bulk_msg",
                "usb_interrupt_msg", "usb_control_msg",
            ]))
            .alt(&["KMSAN origin in {F2}"])
            .stackless(),
        row(K::Kmsan, &[Lit("BUG: KMSAN: "), Words, Lit(" in "), Addr, Func], "KMSAN: {1} in {F}")
            .frames(KMSAN.skip(&[
                "alloc_skb", "netlink_ack", "netlink_rcv_skb", "_encrypt$",
                "^crypto_", "^cipher_", "^drbg_", "^rng_",
            ]))
            .alt(BAD_ACCESS)
            .stackless(),
        row(K::Kcsan, &[Lit("BUG: KCSAN: data-race")], "KCSAN: {1}")
            .body(&[Lit("BUG: KCSAN: "), Rest])
            .stackless(),
        row(K::Kcsan, &[Lit("BUG: KCSAN: "), Rest], "KCSAN: {1}").stackless(),
        row(K::Kfence, &[
            Lit("BUG: KFENCE: "), One(&["use-after-free", "out-of-bounds"]), Lit(" "),
            One(&["read", "write"]), Lit(" in "), Addr, Func,
        ], "KFENCE: {1} {2} in {F}")
            .frames(KFENCE)
            .alt(BAD_ACCESS),
        row(K::Kfence, &[Lit("BUG: KFENCE: invalid free in "), Addr, Func],
            "KFENCE: invalid free in {F}")
            .frames(KFENCE)
            .alt(INVALID_FREE)
            .stackless(),
        row(K::Kfence, &[Lit("BUG: KFENCE: invalid "), One(&["read", "write"]), Lit(" in "), Addr, Func],
            "KFENCE: invalid {1} in {F}")
            .frames(KFENCE)
            .alt(BAD_ACCESS),
        row(K::Kfence, &[Lit("BUG: KFENCE: memory corruption in "), Addr, Func],
            "KFENCE: memory corruption in {F}")
            .frames(KFENCE)
            .stackless(),
        row(K::PageFault, &[Lit("BUG: "), One(&[
            "unable to handle kernel paging request",
            "unable to handle page fault for address",
            "Unable to handle kernel data access",
        ])], "BUG: unable to handle kernel paging request in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        row(K::NullDereference, &[Lit("BUG: "), One(&[
            "unable to handle kernel NULL pointer dereference",
            "kernel NULL pointer dereference",
            "Kernel NULL pointer dereference",
        ])], "BUG: unable to handle kernel NULL pointer dereference in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // powerpc: bad_page_fault() in arch/powerpc/mm/fault.c.
        row(K::PageFault, &[Lit("BUG: Unable to handle kernel "), Either(&[
            "instruction fetch", "unaligned access",
        ])], "BUG: unable to handle kernel paging request in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // The console lost the second half of the line.
        row(K::PageFault, &[Lit("BUG: "), One(&["unable", "Unable"]), Lit(" to handle kernel")],
            "BUG: unable to handle kernel")
            .partial(),
        row(K::LockBug, &[Lit("BUG: "), One(&["spinlock", "rwlock"]), Lit(" "), One(&[
            "lockup suspected", "already unlocked", "recursion", "bad magic", "wrong owner",
            "wrong CPU", "trylock failure on UP", "cpu recursion",
        ])], "BUG: {1} {2} in {F}")
            .frames(CALLS.skip(&["spin_", "_lock", "_unlock"])),
        row(K::SoftLockup, &[Lit("BUG: soft lockup")], "BUG: soft lockup in {F}")
            .frames(POINTER.stall())
            .alt(STALL)
            .trap(),
        row(K::LockBug, &[Lit("BUG: "), Any, Lit("still has locks held!")],
            "BUG: still has locks held in {1}")
            .then(&[Then::Name(Says::ADDRESSED)]),
        row(K::AtomicSleep, &[Lit("BUG: scheduling while atomic")],
            "BUG: scheduling while atomic in {F}")
            .frames(CALLS.skip(&["schedule"])),
        row(K::LockBug, &[Lit("BUG: lock held when returning to user space")],
            "BUG: lock held when returning to user space in {1}")
            .then(&[Then::Says(Says::LEAVING), Then::Name(Says::AT)])
            .stackless(),
        row(K::LockBug, &[Lit("BUG: bad unlock balance detected!")],
            "BUG: bad unlock balance in {F}")
            .frames(Recipe::of(&[Part::Function(Says::ADDRESSED), Part::Calls, Part::Stack])),
        row(K::LockBug, &[Lit("BUG: held lock freed!")], "BUG: held lock freed in {1}")
            .then(&[Then::Name(Says::ADDRESSED)]),
        row(K::Bug, &[Lit("BUG: Bad rss-counter state")], "BUG: Bad rss-counter state").stackless(),
        row(K::Bug, &[Lit("BUG: non-zero nr_ptes on freeing mm")],
            "BUG: non-zero nr_ptes on freeing mm").stackless(),
        row(K::Bug, &[Lit("BUG: non-zero nr_pmds on freeing mm")],
            "BUG: non-zero nr_pmds on freeing mm").stackless(),
        row(K::Bug, &[
            Lit("BUG: Dentry "), Any, Lit("still in use ("), Digits, Lit(") [unmount of "), Until("]"),
        ], "BUG: Dentry still in use in unmount")
            .alt(&["BUG: Dentry still in use [unmount of {1}]"]),
        row(K::BadPage, &[Lit("BUG: Bad page "), One(&["state", "cache"])], "BUG: Bad page {1} in {F}")
            .frames(Recipe::of(&[Part::Line(Says::LAST_ALLOCATED), Part::Stack]).skip(&[
                "free_page", "put_page", "get_page", "update_page", "release_page", "free_unref",
                "^folio", "^_folio", "^__folio", "truncate_inode_pages", "page_frag_free", "alloc",
                "vmap", "page_owner",
            ])),
        row(K::BadPage, &[Lit("BUG: Bad page map")], "BUG: Bad page map"),
        row(K::WorkqueueLockup, &[Lit("BUG: workqueue lockup")], "BUG: workqueue lockup").stackless(),
        row(K::AtomicSleep, &[Lit("BUG: sleeping function called from invalid context at ")],
            "BUG: sleeping function called from invalid context in {F}")
            .frames(CALLS),
        row(K::Preemptible, &[Lit("BUG: using "), Name, Lit("() in preemptible")],
            "BUG: using {1}() in preemptible code in {F}")
            .frames(CALLS.skip(&[
                "dump_stack", "preemption", "preempt", "debug_", "processor_id", "this_cpu",
            ])),
        row(K::LockBug, &[Lit("BUG: workqueue leaked lock or atomic")],
            "BUG: workqueue leaked lock or atomic in {1}")
            .then(&[Then::Name(Says::LAST_FUNCTION)])
            .stackless(),
        row(K::MemoryLeak, &[Lit("BUG: memory leak")], "memory leak in {F}")
            .frames(LEAK),
        row(K::StackOverflow, &[Lit("BUG: "), Any, Lit("stack guard page was hit at")],
            "BUG: stack guard page was hit in {F}")
            .frames(POINTER.stall())
            .alt(STACK_OVERFLOW)
            .trap(),
        row(K::LockBug, &[Lit("BUG: Invalid wait context")], "WARNING: locking bug in {F}")
            .frames(CALLS.skip(&["lock_sock", "release_sock"])),
        row(K::Bug, &[Lit("BUG:"), End], "BUG: corrupted").partial(),
    ],
};

#[rustfmt::skip] // rows
pub(super) const KERNEL_BUG: Marker = Marker {
    text: "kernel BUG",
    unless: &[],
    kind: K::KernelBug,
    formats: &[
        row(K::Usercopy, &[Lit("kernel BUG at mm/usercopy.c")], "BUG: bad usercopy in {F}")
            .frames(CALLS.skip(&["usercopy", "__check"]))
            .trap(),
        row(K::ListCorruption, &[Lit("kernel BUG at lib/list_debug.c")], "BUG: corrupted list in {F}")
            .frames(CALLS)
            .alt(BAD_ACCESS)
            .trap(),
        row(K::KernelBug, &[Lit("kernel BUG at "), Rest], "kernel BUG in {F}")
            .frames(POINTER.skip(&["^skb_"]))
            .trap(),
    ],
};

pub(super) const KERNEL_BUG_REST: Marker = Marker {
    text: "Kernel BUG",
    unless: &[],
    kind: K::KernelBug,
    formats: &[row(K::KernelBug, &[Lit("Kernel BUG "), Rest], "kernel BUG {1}")],
};

/// `print_unreferenced()` in mm/kmemleak.c: what a program reads from /sys/kernel/debug/kmemleak.
pub(super) const UNREFERENCED: Marker = Marker {
    text: "unreferenced object 0x",
    unless: &[],
    kind: K::MemoryLeak,
    formats: &[
        row(K::MemoryLeak, &[Lit("unreferenced object 0x")], "memory leak in {F}").frames(LEAK)
    ],
};

/// `slab_bug()` in mm/slub.c: an object that was written after it was freed, or beyond its end.
pub(super) const OVERWRITTEN: Marker = Marker {
    text: " overwritten",
    unless: &[],
    kind: K::Slab,
    formats: &[row(
        K::Slab,
        &[
            Lit("BUG "),
            Token,
            Lit(" ("),
            Any,
            Lit("): "),
            One(&[
                "Poison",
                "Redzone",
                "Left Redzone",
                "Right Redzone",
                "kmalloc Redzone",
                "Padding",
                "Object padding",
            ]),
            Lit(" overwritten"),
        ],
        "BUG: {1} overwritten",
    )
    .stackless()],
};

pub(super) const KMALLOC: Marker = Marker {
    text: "BUG kmalloc-",
    unless: &[],
    kind: K::Slab,
    formats: &[row(
        K::Slab,
        &[Lit("BUG kmalloc-"), Any, Lit(": Object already free")],
        "BUG: Object already free",
    )],
};
