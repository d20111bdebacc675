//! The architecture of a report without registers, by all clues of the model.

use crate::arch::Arch;
use crate::arch::evidence::{self, Machines, Mark};
use crate::model::{Address, Frame, Report, StackContext};

/// Returns the architecture, if the clues leave one; `lines` has the clues of lines that are not
/// kept.
pub(super) fn of(report: &Report<'_>, lines: Machines) -> Option<Arch> {
    let kernel = &report.kernel;
    let release = kernel.release.as_deref().map_or(Machines::ANY, evidence::of_release);
    let hardware = kernel.hardware.as_deref().map_or(Machines::ANY, evidence::of_hardware);
    let address = report.access.and_then(|access| access.address).map_or(Machines::ANY, wide);
    let frames = report.stacks.iter().flat_map(|stack| &stack.frames).map(of_frame);
    frames.fold(lines.and(release).and(hardware).and(address), Machines::and).only()
}

fn of_frame(frame: &Frame<'_>) -> Machines {
    let mark = match frame.context {
        Some(StackContext::Task | StackContext::Nmi) => evidence::of_mark(Mark::Wide),
        Some(StackContext::Softirq) => evidence::of_mark(Mark::Narrow),
        Some(_) => evidence::of_mark(Mark::Either),
        None => Machines::ANY,
    };
    let function = frame.function.as_deref().map_or(Machines::ANY, evidence::of_function);
    mark.and(function).and(frame.address.map_or(Machines::ANY, of_code))
}

/// The address of a frame; 0 for a hashed pointer.
fn of_code(address: Address) -> Machines {
    let narrow = address.bits == 32 && address.value != 0;
    let width = if narrow { evidence::NARROW } else { wide(address) };
    width.and(evidence::of_text(address.value))
}

fn wide(address: Address) -> Machines {
    if u32::try_from(address.value).is_ok() { Machines::ANY } else { evidence::wide() }
}
