//! What the trapping instruction did, and which pointer was bad.
//!
//! The operand of the trapping instruction is worked out from the registers of the same dump, held
//! against what else the report says of the access, and followed back through the window.

mod class;
mod machine;
mod trace;
mod x86;

use crate::arch::Arch;
use crate::disasm::Syntax;
use crate::kind::Kind;
use crate::model::{
    AccessKind, Address, AddressClass, Agreement, Confidence, Explanation, Frame, MeantAccess,
    Pointer, Report,
};
use machine::Machine;

/// Fills in the explanation of a report; instructions are written in `syntax`.
///
/// ```
/// use ksplat::disasm::Syntax;
///
/// let log = b"BUG: kernel NULL pointer dereference, address: 0000000000000068\n\
///             #PF: supervisor write access in kernel mode\nRIP: 0010:cm_route_update+0x15/0x20\n\
///             Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3\n\
///             RAX: 0000000000000000 RDX: 00000000fffee1d9 RDI: ffff8df1c28e1b40\n\
///             CR2: 0000000000000068\n";
/// let mut report = ksplat::reports(log).next().expect("a report");
/// ksplat::explain::annotate(&mut report, Syntax::Att);
/// let explanation = report.explanation.expect("an explanation");
/// assert_eq!(
///     explanation.summary,
///     "writes 8 bytes at 0x0000000000000068, NULL pointer + 0x68"
/// );
/// assert_eq!(explanation.steps[0].means, "%rax was loaded from 0x88(%rdi), %rdi = 0xffff8df1c28e1b40");
/// ```
pub fn annotate(report: &mut Report<'_>, syntax: Syntax) {
    report.explanation = explain(report, syntax);
}

fn explain(report: &Report<'_>, syntax: Syntax) -> Option<Explanation> {
    let arch = report.kernel.arch?;
    if let Some(explanation) = nowhere(report, arch) {
        return Some(explanation);
    }
    let code = report.code.as_ref();
    let machine = match (code, arch) {
        (Some(code), Arch::X86_64 | Arch::X86) if code.arch == Some(arch) => {
            Machine::new(report, syntax)
        }
        _ => None,
    };
    let decoded = machine.and_then(|machine| x86::explain(report, &machine, arch));
    decoded.or_else(|| by_header(report, arch))
}

/// Whether the processor could not translate an address.
fn is_page_fault(report: &Report<'_>) -> bool {
    matches!(report.kind, Kind::PageFault | Kind::NullDereference)
}

/// Control went to where no code is.
fn nowhere(report: &Report<'_>, arch: Arch) -> Option<Explanation> {
    let access = report.access.filter(|access| access.kind == Some(AccessKind::Execute));
    let stack = report.crash_stack();
    let pointer = stack.and_then(|stack| stack.frames.first()).filter(|frame| frame.exact);
    let bare = pointer.filter(|frame| frame.function.is_none()).and_then(|frame| frame.address);
    let address = match (access.and_then(|access| access.address), bare) {
        (Some(address), _) => address,
        (None, Some(address)) if is_page_fault(report) => address,
        _ => return None,
    };
    let class = class::class(arch, address.value);
    let caller = report.link.as_ref().filter(|link| link.function.is_some()).or_else(|| {
        let below = stack.map(|stack| stack.frames.as_slice()).unwrap_or_default();
        below.iter().skip(1).find(|frame| frame.function.is_some() && !frame.inline)
    });
    let from = caller.and_then(|frame: &Frame<'_>| frame.function.as_deref());
    let from = from.map(|function| format!(", called from {function}")).unwrap_or_default();
    let summary =
        format!("jumps to {address}, {}{from}", meaning(arch, class, None, address.value));
    // A bad instruction pointer alone may be one that was printed wrongly.
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

/// What the report's first lines say, where the instruction does not tell more.
fn by_header(report: &Report<'_>, arch: Arch) -> Option<Explanation> {
    let access = report.access.filter(|_| is_access(report))?;
    let address = access.address?;
    let shadow = class::shadow_offset(arch).map(|offset| address.value.wrapping_sub(offset));
    let shadow = shadow.filter(|place| place >> 61 == 0);
    let real = shadow.map_or(address.value, |place| place << 3);
    let class = class::class(arch, real);
    let verb = match access.kind {
        Some(AccessKind::Read) => "reads",
        Some(AccessKind::Write) => "writes",
        _ => "accesses memory",
    };
    let meant = meaning(arch, class, None, real);
    let summary = match shadow {
        Some(_) => format!(
            "reads at {address}, the KASAN shadow: the real access is in {real:#x}..{:#x}, {meant}",
            real | 7
        ),
        None => format!("{verb} at {address}, {meant}"),
    };
    Some(Explanation {
        access: Some(MeantAccess {
            kind: access.kind.filter(|_| shadow.is_none()),
            size: access.size.filter(|_| shadow.is_none()),
            address: Some(Address { value: real, ..address }),
            ..MeantAccess::default()
        }),
        address_class: Some(class),
        shadow: shadow.is_some(),
        ..Explanation::new(summary, Confidence::Likely)
    })
}

/// Whether the processor could not do an access.
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

/// What a value of a class is, in words.
fn meaning(arch: Arch, class: AddressClass, pointer: Option<&Pointer>, address: u64) -> String {
    let offset = pointer.map_or(0, |pointer| pointer.offset);
    let value = pointer.map_or(address, |pointer| pointer.value.value);
    let plus = match offset {
        0 => String::new(),
        offset if offset < 0 => format!(" - {:#x}", offset.unsigned_abs()),
        offset => format!(" + {offset:#x}"),
    };
    match class {
        // A small number in a register is what was added to NULL before.
        AddressClass::Null if value == 0 => format!("NULL pointer{plus}"),
        AddressClass::Null => format!("NULL pointer + {address:#x}"),
        AddressClass::User => "an address of user space".to_owned(),
        AddressClass::NonCanonical => "no valid address".to_owned(),
        AddressClass::DirectMap => "in the linear map of memory".to_owned(),
        AddressClass::Vmalloc => "in the vmalloc area".to_owned(),
        AddressClass::Module => "in a module".to_owned(),
        AddressClass::Text => "in the kernel image".to_owned(),
        AddressClass::PerCpu => "data of a CPU".to_owned(),
        AddressClass::ErrPtr => format!("{}{plus}", class::error(value, arch)),
        AddressClass::Poison => {
            let name = class::poison(value).or_else(|| class::poison(address));
            name.unwrap_or("a poison").to_owned()
        }
        AddressClass::Ascii => {
            let is_text = class::class(arch, value) == AddressClass::Ascii;
            let letters = if is_text { value } else { address }.to_le_bytes().map(char::from);
            format!("the text \"{}\"", letters.iter().collect::<String>().escape_default())
        }
        AddressClass::Unknown => "nothing is known of it".to_owned(),
    }
}
