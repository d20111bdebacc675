//! Checks whether images are those of the kernel that printed a report.

use std::fmt::Write;

use super::{Image, Symbolizer};
use crate::model::{CodeCheck, Frame, ImageCheck, ImageVerdict, Report};

/// The maximum number of bytes of one patch: an alternative of an instruction with its operands.
const MAX_PATCH: usize = 16;

/// The first bytes of code that the kernel patches at boot: calls and jumps of ftrace, static
/// calls, static branches and retpolines, their nops, `stac` and `clac`, lock prefixes, returns.
const PATCHES: [&[u8]; 14] = [
    &[0xe8],
    &[0xe9],
    &[0xeb],
    &[0xcc],
    &[0xc3],
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f],
    &[0x66, 0x0f, 0x1f],
    &[0x66, 0x66],
    &[0xff],
    &[0x0f, 0x01],
    &[0xf0],
    &[0x3e],
];

/// An image is of another build if more than one in this many functions has another size. Some
/// functions are printed with the padding behind them.
const OTHER_IN: usize = 4;

pub(super) fn check(symbolizer: &Symbolizer<'_>, report: &Report<'_>) -> ImageCheck {
    let mut check = ImageCheck::default();
    let kernel = &report.kernel;
    let image = &symbolizer.vmlinux;
    if let (Some(log), Some(id)) = (kernel.build_id.as_deref(), image.build_id()) {
        let id = hex(id);
        let is_same = log.eq_ignore_ascii_case(&id);
        check.build_id = Some(is_same);
        if !is_same {
            check
                .warnings
                .push(format!("the build id of the image is {id}, that of the log {log}"));
        }
    }
    if let (Some(log), Some(release)) = (kernel.release.as_deref(), symbolizer.release()) {
        let is_same = log == release;
        check.release = Some(is_same);
        if !is_same {
            check.warnings.push(format!("the image is of {release}, the log of {log}"));
        }
    }
    sizes(symbolizer, report, &mut check);
    let modules_fit = modules(symbolizer, report, &mut check);
    check.code = code(symbolizer, report);
    let mut code_fits = None;
    if let Some(code) = &check.code {
        let is_same = code.other.len() * OTHER_IN <= code.same;
        code_fits = Some(is_same);
        if !is_same {
            let bytes: Vec<_> = code.other.iter().take(8).map(|at| format!("{at:#x}")).collect();
            let more = if code.other.len() > bytes.len() { ", ..." } else { "" };
            check.warnings.push(format!(
                "the code bytes differ from the image, at {}{more}",
                bytes.join(", ")
            ));
        }
    }
    let sizes = check.sizes_same + check.sizes_other;
    let sizes_fit = (sizes > 0).then_some(check.sizes_other * OTHER_IN <= sizes);
    let found = [check.release, sizes_fit, code_fits, modules_fit];
    check.verdict = match check.build_id {
        Some(false) => ImageVerdict::Other,
        _ if found.contains(&Some(false)) => ImageVerdict::Other,
        Some(true) => ImageVerdict::Same,
        None if found.contains(&Some(true)) => ImageVerdict::Same,
        None => ImageVerdict::Unknown,
    };
    check
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Counts the functions that have the same size in the report and in an image.
fn sizes(symbolizer: &Symbolizer<'_>, report: &Report<'_>, check: &mut ImageCheck) {
    let mut first = None;
    for frame in report.stacks.iter().flat_map(|stack| &stack.frames) {
        let (Some(name), Some(size)) = (frame.symbol(), frame.size) else { continue };
        let Some(image) = symbolizer.image(frame.module.as_deref()) else { continue };
        let named = image.named(name);
        if named.iter().any(|symbol| super::has_size(image, symbol, size)) {
            check.sizes_same += 1;
            continue;
        }
        check.sizes_other += 1;
        first.get_or_insert_with(|| match named.first() {
            Some(symbol) => {
                format!(
                    "{name} has {:#x} bytes in the image, {size:#x} in the log",
                    image.room(symbol)
                )
            }
            None => format!("{name} is not in the image"),
        });
    }
    let total = check.sizes_same + check.sizes_other;
    if let Some(first) = first.filter(|_| check.sizes_other * OTHER_IN > total) {
        check.warnings.push(format!("{first} (so {} of {total} functions)", check.sizes_other));
    }
}

/// Returns whether the modules have the build IDs of the frames; `None` if no build ID was printed.
fn modules(
    symbolizer: &Symbolizer<'_>,
    report: &Report<'_>,
    check: &mut ImageCheck,
) -> Option<bool> {
    let mut all = None;
    let mut seen = Vec::new();
    for frame in report.stacks.iter().flat_map(|stack| &stack.frames) {
        let (Some(name), Some(log)) = (frame.module.as_deref(), frame.build_id.as_deref()) else {
            continue;
        };
        let id = symbolizer.image(Some(name)).and_then(Image::build_id);
        let Some(id) = id.map(hex).filter(|_| !seen.contains(&name)) else { continue };
        seen.push(name);
        let is_same = log.eq_ignore_ascii_case(&id);
        all = Some(all.unwrap_or(true) && is_same);
        if !is_same {
            check.warnings.push(format!("the build id of module {name} is {id}, in the log {log}"));
        }
    }
    all
}

/// Compares the bytes of the `Code:` line with those of the image.
fn code(symbolizer: &Symbolizer<'_>, report: &Report<'_>) -> Option<CodeCheck> {
    let code = report.code.as_ref()?;
    let pointer = report.crash_stack()?.frames.iter().find(|frame: &&Frame<'_>| !frame.inline)?;
    let trap = code.trap_offset?;
    let (image, address) = symbolizer.address(pointer).filter(|_| pointer.exact)?;
    let (bytes, changed) = image.code(address.wrapping_sub(trap as u64), code.bytes.len())?;
    let mut logged = code.bytes.clone();
    if code.unit > 1 && image.is_little_endian() {
        for word in logged.chunks_mut(code.unit) {
            word.reverse();
        }
    }
    let mut check = CodeCheck::default();
    let differs = |at: usize| logged.get(at) != bytes.get(at);
    for at in 0..logged.len().min(bytes.len()) {
        if !differs(at) {
            check.same += 1;
            continue;
        }
        let first = at.saturating_sub(MAX_PATCH - 1);
        let starts = |from: usize| {
            // A patch starts at the first byte that differs.
            let is_patch = |bytes: &[u8]| {
                let rest = bytes.get(from..).unwrap_or_default();
                PATCHES.iter().any(|patch| rest.starts_with(patch))
            };
            differs(from) && (is_patch(&logged) || is_patch(bytes))
        };
        if changed.get(at) == Some(&true) || (first..=at).any(starts) {
            check.patched += 1;
        } else {
            check.other.push(at);
        }
    }
    Some(check)
}
