//! The findings of checks of pages, memory, lists, spinlocks and the processor.

use std::borrow::Cow;

use super::Address;
use crate::string_enum::string_enum;

/// A page that a report dumps.
///
/// Printed by `dump_page()` in mm/debug.c: `page: refcount:0 mapcount:0 mapping:0000000000000000 index:0x0
/// pfn:0x7deea`, `flags: 0xfff00000000000(node=0|zone=1)`, `page dumped because: nonzero mapcount`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Page<'log> {
    /// The number of the page frame.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pfn: Option<u64>,
    /// The reference count, which may be negative.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub refcount: Option<i64>,
    /// The number of page tables that map it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mapcount: Option<i64>,
    /// The address space of the page; zero without one. `%p` prints a hash of it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mapping: Option<Address>,
    /// The names of its flags, as printed: `uptodate|lru|node=0|zone=1`. Empty if none is set.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub flags: Option<Cow<'log, str>>,
    /// The reason of the dump: `nonzero mapcount`, `kasan: bad access detected`.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub reason: Option<Cow<'log, str>>,
}

/// A memory allocation that failed, or for which the kernel killed a task.
///
/// Printed by `warn_alloc()` in mm/page_alloc.c and `dump_header()` in mm/oom_kill.c.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Allocation<'log> {
    /// The binary logarithm of the number of pages.
    pub order: u64,
    /// The mask of the allocation.
    pub mask: Address,
    /// The names of the mask, as printed: `GFP_ATOMIC|__GFP_COMP`. They depend on the version of
    /// the kernel; printed since Linux 4.6.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub flags: Option<Cow<'log, str>>,
    /// The zones of memory and their free memory, as far as they were printed.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub zones: Vec<Zone<'log>>,
    /// The task that was killed.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub killed: Option<Killed<'log>>,
}

/// A zone of memory.
///
/// Printed by `show_free_areas()` in mm/show_mem.c: `Node 0 DMA32 free:44kB boost:0kB min:67kB`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Zone<'log> {
    /// The NUMA node.
    pub node: u64,
    /// The name: `DMA32`, `Normal`.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'log, str>,
    /// The free memory in KiB.
    pub free: u64,
    /// The watermark below which ordinary allocations fail, in KiB.
    pub min: u64,
}

/// A task that the kernel killed to free memory.
///
/// Printed by `__oom_kill_process()` in mm/oom_kill.c.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Killed<'log> {
    /// The name of the task.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub comm: Cow<'log, str>,
    /// The process ID.
    pub pid: u64,
    /// Its address space in KiB.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub total_vm: Option<u64>,
    /// The anonymous memory that it used, in KiB.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub anon_rss: Option<u64>,
    /// The memory of files that it had mapped, in KiB.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub file_rss: Option<u64>,
    /// The shared memory that it used, in KiB.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub shmem_rss: Option<u64>,
}

/// Uninitialized bytes.
///
/// Printed by `kmsan_report()` in mm/kmsan/report.c: `Bytes 4-7 of 8 are uninitialized`, `Memory access of
/// size 8 starts at ffff88811a3b4000`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Uninitialized<'log> {
    /// The first such byte, from the start of the access.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub first: Option<u64>,
    /// The last one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub last: Option<u64>,
    /// The size of the access in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// Its address.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// The address in user space to which the bytes were copied.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub user_address: Option<Address>,
    /// The local variable that contains them.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub variable: Option<Cow<'log, str>>,
}

/// A list with inconsistent pointers.
///
/// Printed by `__list_add_valid_or_report()` and `__list_del_entry_valid_or_report()` in lib/list_debug.c.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ListCorruption {
    /// The operation that checked the list.
    pub operation: ListOperation,
    /// The pointer that is wrong.
    pub pointer: ListPointer,
    /// The entry that contains the pointer.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub entry: Option<Address>,
    /// The expected value.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub expected: Option<Address>,
    /// Its value.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub found: Option<Address>,
    /// The class of that value.
    pub class: PointerClass,
}

string_enum! {
    /// The list operation that detected the corruption.
    pub enum ListOperation {
        /// An entry was to be added.
        Add = "add",
        /// An entry was to be removed.
        Delete = "del",
    }
}

string_enum! {
    /// A pointer of a list.
    pub enum ListPointer {
        /// The pointer to the next entry, in the previous entry.
        PrevNext = "prev->next",
        /// The pointer to the previous entry, in the next entry.
        NextPrev = "next->prev",
        /// The pointer to the next entry, in the entry itself.
        EntryNext = "entry->next",
        /// The pointer to the previous entry, in the entry itself.
        EntryPrev = "entry->prev",
        /// The previous entry, as passed by the caller.
        Prev = "prev",
        /// The next entry, as passed by the caller.
        Next = "next",
        /// The new entry, which is in the list already.
        New = "new",
    }
}

string_enum! {
    /// The class of a pointer's value: include/linux/poison.h.
    pub enum PointerClass {
        /// NULL.
        Null = "null",
        /// `LIST_POISON1` or `LIST_POISON2`: the entry was removed.
        ListPoison = "list-poison",
        /// Bytes `0x6b` (`POISON_FREE`): the memory is freed.
        Freed = "freed-poison",
        /// Bytes `0x5a` (`POISON_INUSE`): the memory is allocated and not initialized.
        Uninitialized = "uninitialized-poison",
        /// The address of the entry that contains it: the entry is in no list, or the only one of
        /// its list.
        Itself = "itself",
        /// Below the first page: NULL and the offset of a member.
        NearNull = "near-null",
        /// Any other value.
        Other = "other",
    }
}

/// A spinlock in an invalid state.
///
/// Printed by `spin_dump()` in kernel/locking/spinlock_debug.c: ` lock: cm_lock+0x0/0x18, .magic: dead4ead,
/// .owner: demo/77, .owner_cpu: 0`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SpinLock<'log> {
    /// The symbol of the lock, or its address.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'log, str>,
    /// The number that an initialized lock has: `dead4ead`.
    pub magic: Address,
    /// The name of the task that holds it.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub owner: Option<Cow<'log, str>>,
    /// The ID of that task.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub owner_pid: Option<u64>,
    /// The CPU of the holder.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub owner_cpu: Option<u64>,
}

/// The entries of the page tables of an address, from the top, as far as they were printed.
///
/// Printed by `dump_pagetable()` in arch/x86/mm/fault.c (`PGD 1234067 P4D 0`), by `show_pte()` in
/// arch/arm64/mm/fault.c and arch/arm/mm/fault.c (`[…] pgd=…, p4d=…`), and by `print_bad_pte()` in mm/memory.c.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PageTable {
    /// The address that they map.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// The entry of the page global directory.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pgd: Option<Address>,
    /// The entry of the fourth level.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub p4d: Option<Address>,
    /// The entry of the page upper directory.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pud: Option<Address>,
    /// The entry of the page middle directory.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pmd: Option<Address>,
    /// The entry of the page.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pte: Option<Address>,
}

/// A hardware error that the processor detected.
///
/// Printed by `print_mce()` in arch/x86/kernel/cpu/mce/core.c: `CPU 2: Machine Check Exception: 5 Bank 3:
/// be00000000800400`, `TSC 3d1e2a7c8b ADDR 3fff81a2b3c4`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MachineCheck<'log> {
    /// The CPU that reported it.
    pub cpu: u64,
    /// The bank of registers with the error.
    pub bank: u64,
    /// The status of the bank (`MCi_STATUS`).
    pub status: Address,
    /// The address of the error in memory.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// The reason of the panic: `Processor context corrupt`.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub reason: Option<Cow<'log, str>>,
}

impl PointerClass {
    /// The class of the pointer `value` in an entry at `entry`.
    pub(crate) fn of(value: Address, entry: Option<Address>) -> Self {
        // The poison is added to CONFIG_ILLEGAL_POINTER_VALUE, which s390 and 32-bit machines do
        // not have.
        let low = value.value & 0xffff;
        let base = value.value & !0xffff;
        let is_poison = matches!(low, 0x100 | 0x122 | 0x200)
            && matches!(base, 0 | 0xdead_0000_0000_0000 | 0x5dea_dbee_f000_0000);
        let repeats = |byte: u8| {
            let bytes = value.value.to_be_bytes();
            let width = usize::from(value.bits / 8).min(bytes.len());
            bytes.iter().rev().take(width).all(|other| *other == byte)
        };
        match value.value {
            0 => Self::Null,
            _ if is_poison => Self::ListPoison,
            _ if repeats(0x6b) => Self::Freed,
            _ if repeats(0x5a) => Self::Uninitialized,
            _ if entry.is_some_and(|entry| entry.value == value.value) => Self::Itself,
            1..0x1000 => Self::NearNull,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_pointers() {
        let class = |value, bits, entry| {
            PointerClass::of(Address { value, bits }, Some(Address { value: entry, bits }))
        };
        assert_eq!(class(0, 64, 1), PointerClass::Null);
        assert_eq!(class(0xdead_0000_0000_0122, 64, 1), PointerClass::ListPoison);
        assert_eq!(class(0x5dea_dbee_f000_0100, 64, 1), PointerClass::ListPoison);
        assert_eq!(class(0x100, 32, 1), PointerClass::ListPoison);
        assert_eq!(class(0x6b6b_6b6b_6b6b_6b6b, 64, 1), PointerClass::Freed);
        assert_eq!(class(0x6b6b_6b6b, 64, 1), PointerClass::Other);
        assert_eq!(class(0x5a5a_5a5a, 32, 1), PointerClass::Uninitialized);
        assert_eq!(class(0xffff_8880_0128_6008, 64, 0xffff_8880_0128_6008), PointerClass::Itself);
        assert_eq!(class(0x18, 64, 1), PointerClass::NearNull);
        assert_eq!(class(0xffff_8880_0128_6008, 64, 1), PointerClass::Other);
    }
}
