//! Diagnoses of memory: pages, failed allocations, local variables, uninitialized bytes, lists, the
//! hardware.

use super::{Sentence, bytes, crash_site, place_of, site_of, task, verb, within};
use crate::functions;
use crate::kind::Kind;
use crate::model::{
    Address, Allocation, Evidence, ListCorruption, ListOperation, ListPointer, PointerClass,
    Report, Role, Stack,
};

/// bad_page() in mm/page_alloc.c and print_bad_pte() in mm/memory.c.
pub(super) fn bad_page(report: &Report<'_>) -> Sentence {
    if report.kind != Kind::BadPage {
        return None;
    }
    if let Some(table) = &report.page_table {
        let (entry, process) = (table.pte?.value, process(&report.headline)?);
        let at = table.address.map(|at| format!(" for the address {:#x}", at.value));
        let at = at.unwrap_or_default();
        return Some((format!("{process} has a bad page-table entry{at}: {entry:#x}"), Vec::new()));
    }
    let page = report.page.as_ref()?;
    let (pfn, reason) = (page.pfn?, page.reason.as_deref()?);
    let place = within(crash_site(report));
    let counts = page.refcount.zip(page.mapcount).map(|(references, maps)| {
        let mapping = match page.mapping {
            Some(Address { value: 0, .. }) => ", its mapping NULL".to_owned(),
            Some(mapping) => format!(", its mapping {:#x}", mapping.value),
            None => String::new(),
        };
        format!("its refcount is {references}, its mapcount {maps}{mapping}")
    });
    let flags = page.flags.as_deref().filter(|flags| !flags.is_empty());
    let flags = flags.map(|flags| format!("its flags are {flags}"));
    let why = counts.into_iter().chain(flags).map(|text| Evidence::new(text, None));
    Some((format!("the page {pfn:#x} is in a bad state{place}: {reason}"), why.collect()))
}

/// The name behind `in process `.
fn process(headline: &str) -> Option<&str> {
    let (_, rest) = headline.split_once(" in process ")?;
    rest.split_once("  ").map(|(name, _)| name.trim()).filter(|name| !name.is_empty())
}

/// A failed memory allocation: warn_alloc() in mm/page_alloc.c, dump_header() in mm/oom_kill.c.
pub(super) fn pressure(report: &Report<'_>) -> Sentence {
    let allocation = report.allocation.as_ref()?;
    let order = u32::try_from(allocation.order).ok()?;
    let pages = 1u64.checked_shl(order).filter(|pages| *pages > 0)?;
    let pages = if pages == 1 { "1 page".to_owned() } else { format!("{pages} pages") };
    let task = task(report)?;
    let summary = match &allocation.killed {
        _ if report.kind == Kind::AllocationFailure => {
            format!("{task} asks for {pages}{}; the allocation fails", within(crash_site(report)))
        }
        None => format!("{task} asks for {pages}, and memory is exhausted"),
        Some(killed) => {
            let used = killed.anon_rss.map(|used| format!(", with {used} kB of anonymous memory"));
            let (comm, pid, used) = (&killed.comm, killed.pid, used.unwrap_or_default());
            format!("{task} asks for {pages}, and the kernel kills {comm}/{pid}{used}")
        }
    };
    Some((summary, request(allocation)))
}

/// Returns the flags of an allocation, and the zones that are below their watermark.
fn request(allocation: &Allocation<'_>) -> Vec<Evidence> {
    let flags = allocation.flags.as_deref().map(|flags| {
        // include/linux/gfp_types.h: neither has __GFP_DIRECT_RECLAIM.
        let is_quick = flags.split('|').any(|flag| matches!(flag, "GFP_ATOMIC" | "GFP_NOWAIT"));
        let quick = if is_quick { ", which does not wait for memory to become free" } else { "" };
        format!("the request is {flags}{quick}")
    });
    let short = allocation.zones.iter().filter(|zone| zone.free < zone.min).map(|zone| {
        let (name, node, free, min) = (&zone.name, zone.node, zone.free, zone.min);
        format!("the zone {name} of node {node} has {free} kB free, below its minimum of {min} kB")
    });
    flags.into_iter().chain(short).map(|text| Evidence::new(text, None)).collect()
}

/// A local variable that was accessed.
pub(super) fn local_variable(report: &Report<'_>) -> Sentence {
    let frame = report.memory.as_ref()?.stack_frame.as_ref()?;
    let (variable, side, distance) = frame.nearest()?;
    let (function, access) = (crash_site(report)?, report.access.as_ref()?);
    let what = verb(access.kind?)?;
    let size = bytes(access.size?);
    let (place, length) =
        (place_of(side, distance), bytes(variable.end.saturating_sub(variable.start)));
    let of = frame
        .function
        .as_deref()
        .map(|name| format!(" of {}", functions::base(name)))
        .unwrap_or_default();
    let scope = if report.headline.contains("use-after-scope") { ", after its scope" } else { "" };
    let name = &variable.name;
    let summary = format!(
        "{function} {what} {size}, {place} the local variable {name} ({length}){of}{scope}"
    );
    Some((summary, Vec::new()))
}

/// The bug types of KASAN without an object, and the accessed memory: get_bug_type() in
/// mm/kasan/report_generic.c.
const ADDRESSES: &[(&str, &str)] = &[
    ("null-ptr-deref", "through a NULL pointer"),
    ("user-memory-access", "of user space"),
    ("wild-memory-access", "at an address without memory"),
    ("use-after-free", "of freed memory"),
    ("use-after-scope", "of a local variable after its scope"),
    ("vmalloc-out-of-bounds", "beyond an area of vmalloc()"),
    ("stack-out-of-bounds", "beyond a local variable"),
    ("global-out-of-bounds", "beyond a global variable"),
    ("slab-out-of-bounds", "beyond an object"),
    ("out-of-bounds", "outside valid memory"),
];

/// An access for which KASAN describes no object.
pub(super) fn address(report: &Report<'_>) -> Sentence {
    let (function, access) = (crash_site(report)?, report.access.as_ref()?);
    let is_kasan = matches!(report.kind, Kind::Kasan | Kind::Kfence);
    let words = |(kind, _): &&(&str, &str)| is_kasan && report.headline.contains(kind);
    let (_, place) = ADDRESSES.iter().find(words)?;
    let (what, size, at) = (verb(access.kind?)?, bytes(access.size?), access.address?.value);
    Some((format!("{function} {what} {size} {place}, at {at:#x}"), Vec::new()))
}

/// An uninitialized value: the origin of its memory.
pub(super) fn uninitialized(report: &Report<'_>) -> Sentence {
    let function = crash_site(report).filter(|_| report.kind == Kind::Kmsan)?;
    let found = report.uninitialized.as_ref();
    let variable = found.and_then(|found| found.variable.as_deref());
    // The stack of a local variable begins with its function, which may be any helper.
    let is_created = |stack: &&Stack<'_>| stack.role == Role::Allocation;
    let owner = report.stacks.iter().find(is_created).and_then(|stack| stack.frames.first());
    let memory = match (variable, owner.and_then(|frame| frame.function.as_deref())) {
        (Some(variable), Some(owner)) => format!("the local variable {variable} of {owner}"),
        (Some(variable), None) => format!("the local variable {variable}"),
        (None, _) => format!("memory from {}", site_of(report, Role::Allocation)?),
    };
    // kmsan_copy_to_user() in mm/kmsan/hooks.c.
    let is_leak = report.headline.contains("infoleak");
    let what = if is_leak { "copies bytes out of the kernel" } else { "uses bytes" };
    let summary = format!("{function} {what} that were never initialized, in {memory}");
    let range = found.and_then(|found| Some((found.first?, found.last?, found.size?)));
    let range = range.map(|(first, last, size)| {
        let text = if first == last {
            format!("byte {first} of {size} is not initialized")
        } else {
            format!("bytes {first}-{last} of {size} are not initialized")
        };
        Evidence::new(text, None)
    });
    // kmsan_print_origin() in mm/kmsan/report.c: the last copy is printed first.
    let copies = report.stacks.iter().filter(|stack| stack.role == Role::Related);
    let copies = copies.filter_map(|stack| Some((super::site(stack)?, stack.offset)));
    let copies = copies.map(|(function, offset)| {
        Evidence::new(format!("they were copied in {function}"), Some(offset))
    });
    Some((summary, range.into_iter().chain(copies).collect()))
}

/// A list with inconsistent pointers.
pub(super) fn list(report: &Report<'_>) -> Sentence {
    let list = report.list?;
    let function = crash_site(report)?;
    let what = match list.operation {
        ListOperation::Add => "adds an entry to a list",
        ListOperation::Delete => "removes an entry of a list",
    };
    let is_own = matches!(list.pointer, ListPointer::EntryNext | ListPointer::EntryPrev);
    let summary = match (list.pointer, list.class) {
        (ListPointer::New, _) => format!("{function} adds an entry that is in the list already"),
        (_, PointerClass::ListPoison) if is_own => {
            format!("{function} removes a list entry that was removed before")
        }
        (_, PointerClass::ListPoison) => {
            format!("{function} {what} next to one that was removed before")
        }
        (_, PointerClass::Null) if is_own => {
            format!("{function} removes a list entry that is in no list, or was overwritten")
        }
        (_, PointerClass::Freed) => format!("{function} {what} next to one that is freed"),
        (ListPointer::Prev | ListPointer::Next, _) => format!("{function} {what} beside NULL"),
        _ => format!("{function} {what}, and its neighbor points elsewhere"),
    };
    Some((summary, value_of(&list).into_iter().collect()))
}

/// Returns the value of the wrong pointer, and its class.
fn value_of(list: &ListCorruption) -> Option<Evidence> {
    let found = list.found?;
    let class = match list.class {
        PointerClass::Null => return Some(pointer_of(list, "NULL")),
        PointerClass::ListPoison => ", which a removal leaves in an entry",
        PointerClass::Freed => ", which is the poison of freed memory",
        PointerClass::Uninitialized => ", which is the poison of memory that was never initialized",
        PointerClass::Itself => ", which is the entry itself: it is in no list",
        PointerClass::NearNull => ", which is near NULL",
        PointerClass::Other => "",
    };
    Some(pointer_of(list, &format!("{:#x}{class}", found.value)))
}

fn pointer_of(list: &ListCorruption, value: &str) -> Evidence {
    let entry = list.entry.map(|entry| format!(" of {:#x}", entry.value)).unwrap_or_default();
    let expected = list.expected.map(|value| format!("; it should be {:#x}", value.value));
    let (pointer, expected) = (list.pointer, expected.unwrap_or_default());
    Evidence::new(format!("{pointer}{entry} is {value}{expected}"), None)
}

/// print_mce() in arch/x86/kernel/cpu/mce/core.c.
pub(super) fn machine_check(report: &Report<'_>) -> Sentence {
    let check = report.machine_check.as_ref()?;
    let (cpu, bank, status) = (check.cpu, check.bank, check.status.value);
    let at = check.address.map(|at| format!(", at address {:#x}", at.value)).unwrap_or_default();
    let summary =
        format!("CPU {cpu} found an error of the hardware in bank {bank}, status {status:#x}{at}");
    let reason = check.reason.as_deref().map(|reason| format!("the kernel cannot go on: {reason}"));
    Some((summary, reason.into_iter().map(|text| Evidence::new(text, None)).collect()))
}
