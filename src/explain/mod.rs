//! Explanation of traps: what the instruction did, and which pointer was bad.
//!
//! The operand of the trapping instruction is computed from the registers of the same dump,
//! compared with the other facts of the report about the access, and traced back through the
//! window.

mod access;
mod address_class;
mod condition;
mod flow;
mod space;
mod steps;
mod window;

use std::borrow::Cow;

use crate::arch::Arch;
use crate::disasm::Syntax;
use crate::disasm::insn::Op;
use crate::kind::Kind;
use crate::model::{
    AccessKind, Address, AddressClass, Agreement, Confidence, Explanation, Frame, MeantAccess,
    Pointer, Report, Short,
};
use space::Space;
use window::Window;

/// Fills in the explanation of a report; instructions are written in `syntax`.
pub(crate) fn annotate(report: &mut Report<'_>, syntax: Syntax) {
    report.explanation = explain(report, syntax);
}

/// The class of each register's value as an address, and its meaning in words; empty if the architecture is
/// unknown.
pub(crate) fn registers(report: &Report<'_>) -> Vec<RegisterMeaning> {
    let Some(arch) = report.kernel.arch else { return Vec::new() };
    let space = Space::of(report, arch);
    let meant = report.registers.iter().map(|register| {
        let value = register.value.value;
        let class = address_class::class(space, value);
        let meaning = meaning(space, class, None, value);
        RegisterMeaning { name: register.name.clone(), class, meaning }
    });
    meant.collect()
}

/// A register's value, read as an address.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RegisterMeaning {
    /// The name of the register in lower case.
    pub name: Cow<'static, str>,
    /// The class of its value.
    pub class: AddressClass,
    /// The same in words: `NULL pointer + 0x58`.
    pub meaning: String,
}

fn explain(report: &Report<'_>, syntax: Syntax) -> Option<Explanation> {
    let space = Space::of(report, report.kernel.arch?);
    if let Some(explanation) = nowhere(report, space) {
        return Some(explanation);
    }
    if report.kind == Kind::Int3 {
        return Some(breakpoint(report));
    }
    let window = Window::of(report, space, syntax);
    let by_code = window.and_then(|window| by_code(report, &window));
    by_code.or_else(|| by_header(report, space))
}

/// Explains the trapping instruction.
fn by_code(report: &Report<'_>, window: &Window<'_>) -> Option<Explanation> {
    match window.trapping()?.op {
        Op::Trap(trap) => {
            let is_described =
                report.message.is_some() || report.location.is_some() || report.diagnosis.is_some();
            condition::assertion(window, trap, is_described)
        }
        Op::Divide if report.kind == Kind::DivideError => condition::division(window),
        Op::Call | Op::Leave if report.kind == Kind::GeneralProtectionFault => {
            access::jump(report, window).or_else(|| access::access(report, window))
        }
        _ if is_access(report) => access::access(report, window),
        _ => None,
    }
}

/// Returns whether the CPU could not translate an address.
fn is_page_fault(report: &Report<'_>) -> bool {
    matches!(report.kind, Kind::PageFault | Kind::NullDereference)
}

/// Explains a branch to an address without code.
fn nowhere(report: &Report<'_>, space: Space) -> Option<Explanation> {
    let access = report.access.filter(|access| access.kind == Some(AccessKind::Execute));
    let stack = report.crash_stack();
    let pointer = stack.and_then(|stack| stack.frames.first());
    let pointer = pointer.filter(|frame| frame.exact && space.arch.info().names_pointer);
    let bare = pointer.filter(|frame| frame.function.is_none()).and_then(|frame| frame.address);
    let address = match (access.and_then(|access| access.address), bare) {
        (Some(address), _) => address,
        (None, Some(address)) if is_page_fault(report) => address,
        _ => return None,
    };
    let class = match address_class::class(space, address.value) {
        // On 32-bit machines the linear map ends with memory, and modules are above it.
        AddressClass::DirectMap if pointer.is_some_and(|frame| frame.module.is_some()) => {
            AddressClass::Vmalloc
        }
        class => class,
    };
    let summary = format!(
        "jumps to {address}, {}{}",
        meaning(space, class, None, address.value),
        called_from(report)
    );
    // Without the address of a fault, the instruction pointer may have been printed wrongly.
    let confidence = if access.is_some() { Confidence::Certain } else { Confidence::Likely };
    Some(Explanation {
        access: Some(MeantAccess {
            kind: Some(AccessKind::Execute),
            address: Some(address),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        agrees_with: Agreement {
            header: bare.zip(access.and_then(|access| access.address)).map(|(a, b)| a == b),
            ..Agreement::default()
        },
        ..Explanation::new(summary, confidence)
    })
}

/// Names the caller of the innermost function.
fn called_from(report: &Report<'_>) -> String {
    let caller = report.link.as_ref().filter(|link| link.function.is_some()).or_else(|| {
        let below = report.crash_stack().map(|stack| stack.frames.as_slice()).unwrap_or_default();
        below.iter().skip(1).find(|frame| frame.function.is_some() && !frame.inline)
    });
    let from = caller.and_then(|frame: &Frame<'_>| frame.function.as_deref());
    from.map(|function| format!(", called from {function}")).unwrap_or_default()
}

/// Explains a breakpoint of x86. It precedes the marked instruction: `exc_int3()`.
fn breakpoint(report: &Report<'_>) -> Explanation {
    let marked = report.code.as_ref().and_then(|code| {
        code.bytes.get(code.trap_offset?.checked_sub(1)?).map(|byte| *byte == INT3)
    });
    let stack = report.crash_stack().map(|stack| stack.frames.as_slice()).unwrap_or_default();
    let caller = stack.iter().skip(1).find_map(|frame| frame.function.as_deref());
    let from = caller.map(|function| format!(", called from {function}")).unwrap_or_default();
    let what = match marked {
        Some(false) => "it is no longer in memory, so the kernel was patching its code",
        _ => "control flow went wrong or the kernel was changing its own code",
    };
    let summary = format!("stops at a breakpoint (int3) without a handler{from}: {what}");
    Explanation::new(summary, Confidence::Likely)
}

/// The opcode of `int3`.
const INT3: u8 = 0xcc;

/// Explains the access in the first lines of the report, if the instruction does not explain it.
fn by_header(report: &Report<'_>, space: Space) -> Option<Explanation> {
    let access = report.access.filter(|_| is_access(report))?;
    let address = access.address?;
    if let Some(real) =
        address_class::behind_shadow(space, address.value).filter(|_| has_kasan(report))
    {
        return Some(by_shadow(space, address, real));
    }
    let class = address_class::class(space, address.value);
    let verb = match access.kind {
        Some(AccessKind::Read) => "reads",
        Some(AccessKind::Write) => "writes",
        _ => "accesses memory",
    };
    let meant = meaning(space, class, None, address.value);
    let denied = denied(report, access.kind);
    Some(Explanation {
        access: Some(MeantAccess {
            kind: access.kind,
            size: access.size,
            address: Some(address),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        ..Explanation::new(format!("{verb} at {address}, {meant}{denied}"), Confidence::Likely)
    })
}

/// Returns the property of a mapped page that forbids an access.
fn denied(report: &Report<'_>, kind: Option<AccessKind>) -> &'static str {
    match kind.filter(|_| report.access.is_some_and(|access| access.denied)) {
        Some(AccessKind::Read) => ", which is mapped and not readable",
        Some(AccessKind::Write) => ", which is mapped and not writable",
        Some(AccessKind::Execute) => ", which is mapped and not executable",
        _ => "",
    }
}

/// Returns whether the kernel may have KASAN: `__die_header()` in arch/x86/kernel/dumpstack.c names it behind the number
/// of a general protection fault.
fn has_kasan(report: &Report<'_>) -> bool {
    report.kind != Kind::GeneralProtectionFault || report.headline.contains("KASAN")
}

/// Explains a fault in the shadow of KASAN, for which only the eight bytes of the real access are
/// known.
fn by_shadow(space: Space, shadow: Address, real: u64) -> Explanation {
    let class = address_class::class(space, real);
    let summary = format!(
        "reads at {shadow}, the KASAN shadow: the checked access is in {real:#x}..{:#x}, {}",
        real | 7,
        meaning(space, class, None, real)
    );
    Explanation {
        access: Some(MeantAccess {
            address: Some(Address { value: real, ..shadow }),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        shadow: true,
        ..Explanation::new(summary, Confidence::Likely)
    }
}

/// Returns whether the CPU could not access memory.
fn is_access(report: &Report<'_>) -> bool {
    let others = [
        Kind::GeneralProtectionFault,
        Kind::StackSegment,
        Kind::StackOverflow,
        Kind::DoubleFault,
        Kind::InternalError,
        Kind::UnhandledFault,
    ];
    is_page_fault(report) || others.contains(&report.kind)
}

/// Describes an address class in words.
fn meaning(space: Space, class: AddressClass, pointer: Option<&Pointer>, address: u64) -> String {
    let arch = space.arch;
    let offset = pointer.map_or(0, |pointer| pointer.offset);
    let value = pointer.map_or(address, |pointer| pointer.value.value);
    let plus = match offset {
        0 => String::new(),
        offset if offset < 0 => format!(" - {:#x}", offset.unsigned_abs()),
        offset => format!(" + {offset:#x}"),
    };
    match class {
        // A small number in a register is an offset that was added to NULL before.
        AddressClass::Null if value == 0 => format!("NULL pointer{plus}"),
        AddressClass::Null if address == 0 => "NULL pointer".to_owned(),
        AddressClass::Null if pointer.is_some_and(Pointer::is_small_number) => {
            format!("the number {value:#x}{plus}")
        }
        AddressClass::Null => format!("NULL pointer + {address:#x}"),
        AddressClass::User => "an address of user space".to_owned(),
        AddressClass::NonCanonical => "a non-canonical address".to_owned(),
        // KASLR moves the bounds between these two (`kernel_randomize_memory()`).
        AddressClass::DirectMap if arch == Arch::X86_64 => {
            "probably in the linear map of memory".to_owned()
        }
        AddressClass::Vmalloc if arch == Arch::X86_64 => "probably in the vmalloc area".to_owned(),
        AddressClass::DirectMap => "in the linear map of memory".to_owned(),
        AddressClass::Vmalloc => "in the vmalloc area".to_owned(),
        AddressClass::Module => "in a module".to_owned(),
        AddressClass::Text => "in the kernel image".to_owned(),
        AddressClass::PerCpu => "data of a CPU".to_owned(),
        AddressClass::ErrPtr => format!("{}{plus}", address_class::error(value, space)),
        AddressClass::Poison => {
            let name =
                address_class::poison(arch, value).or_else(|| address_class::poison(arch, address));
            name.unwrap_or("a poison").to_owned()
        }
        AddressClass::Ascii => {
            let is_text = address_class::class(space, value) == AddressClass::Ascii;
            let letters = if is_text { value } else { address }.to_le_bytes().map(char::from);
            let letters: String = letters.iter().collect();
            let plus = if is_text { &plus } else { "" };
            format!("the text \"{}\"{plus}", letters.escape_default())
        }
        AddressClass::Unknown => "an unknown address".to_owned(),
    }
}

/// Displays a number without padding.
fn short(value: u64) -> Short {
    Short(value)
}

/// Returns the confidence of an explanation.
fn confidence(is_sure: bool) -> Confidence {
    if is_sure { Confidence::Certain } else { Confidence::Likely }
}

/// Returns the class of the accessed address: that of the pointer if the pointer is bad, for any
/// offset.
fn meant_class(space: Space, pointer: Option<&Pointer>, address: u64) -> AddressClass {
    let of_pointer = pointer.map(|pointer| address_class::class(space, pointer.value.value));
    // `container_of()` of a NULL pointer is NULL minus the offset of a member.
    let is_error = address != 0
        && pointer.is_some_and(|pointer| address_class::is_error(pointer.value.value, space));
    match of_pointer {
        Some(AddressClass::Null) if pointer.is_some_and(|pointer| pointer.value.value == 0) => {
            AddressClass::Null
        }
        Some(AddressClass::ErrPtr) if is_error => AddressClass::ErrPtr,
        Some(class @ (AddressClass::Poison | AddressClass::Ascii)) => class,
        _ => address_class::class(space, address),
    }
}

fn bytes(count: u64) -> String {
    match count {
        0 => "memory".to_owned(),
        1 => "1 byte".to_owned(),
        count => format!("{count} bytes"),
    }
}
