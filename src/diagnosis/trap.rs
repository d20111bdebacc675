//! Diagnoses of traps whose facts are in the headline.

use super::{Sentence, crash_site};
use crate::functions;
use crate::kind::Kind;
use crate::model::Report;

/// The `ud2` of x86, with which BUG() and WARN() trap.
const UD2: [u8; 2] = [0x0f, 0x0b];

/// The faults of Arm, and their meanings: fsr_info in arch/arm/mm/fsr-2level.c and fsr-3level.c.
const FAULTS: &[(&str, &str)] = &[
    ("external abort", "the bus or the device rejected it"),
    ("domain fault", "its domain denies it"),
    ("alignment exception", "it is not aligned"),
];

/// exc_divide_error() in arch/x86/kernel/traps.c: the quotient may be too large, too. With a marked
/// instruction, the explanation of the instruction says which.
pub(super) fn division(report: &Report<'_>) -> Sentence {
    let trap = report.code.as_ref().and_then(|code| code.trap_offset);
    let is_shown = report.kind == Kind::DivideError && trap.is_none();
    let function = crash_site(report).filter(|_| is_shown)?;
    Some((format!("{function} divides by zero, or the quotient is too large"), Vec::new()))
}

/// A call through a pointer of another type: report_cfi_failure() in kernel/cfi.c.
pub(super) fn call(report: &Report<'_>) -> Sentence {
    let (_, rest) = report.headline.split_once("(target: ")?;
    let function = crash_site(report)?;
    let end = rest.find([';', ')'])?;
    let target = functions::base(rest.get(..end)?.split(['+', ' ']).next()?);
    let is_named = target.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let target = if is_named { target } else { rest.get(..end)? };
    let summary =
        format!("{function} calls {target} through a pointer to functions of another type");
    Some((summary, Vec::new()))
}

/// An interrupt that no handler takes: __report_bad_irq() in kernel/irq/spurious.c.
pub(super) fn interrupt(report: &Report<'_>) -> Sentence {
    let (before, _) = report.headline.split_once(": nobody cared")?;
    let number: u64 = before.rsplit(' ').next()?.parse().ok()?;
    let summary = format!("no handler accepted interrupt {number}, so the kernel disables it");
    Some((summary, Vec::new()))
}

/// An access that failed for another reason than a page table: do_DataAbort() in arch/arm/mm/fault.c.
pub(super) fn rejected(report: &Report<'_>) -> Sentence {
    let function = crash_site(report).filter(|_| report.kind == Kind::UnhandledFault)?;
    let (_, why) = FAULTS.iter().find(|(name, _)| report.headline.contains(name))?;
    let address = report.access.as_ref().and_then(|access| access.address);
    let at = address.map(|at| format!(" at {:#x}", at.value));
    let at = at.unwrap_or_default();
    Some((format!("the access of {function}{at} failed: {why}"), Vec::new()))
}

/// An instruction that the processor does not have: exc_invalid_op() in arch/x86/kernel/traps.c.
pub(super) fn unknown_instruction(report: &Report<'_>) -> Sentence {
    let function = crash_site(report).filter(|_| report.kind == Kind::InvalidOpcode)?;
    let code = report.code.as_ref()?;
    let trapping = code.bytes.get(code.trap_offset?..)?;
    let is_known = trapping.starts_with(&UD2) || trapping.is_empty();
    let summary = format!("{function} runs an instruction that the processor does not support");
    (!is_known).then(|| (summary, Vec::new()))
}
