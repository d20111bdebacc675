//! Resolves addresses to functions, files and lines, with kernel images that have debug
//! information.

mod check;
mod error;
mod image;
mod reader;
mod rewrite;
mod units;
mod variable;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use crate::model::{Confidence, Frame, ImageVerdict, Member, PointerOrigin, Report};
use crate::syntax::frame::Place;

pub use error::Error;
pub use image::Image;
pub use units::Location;

/// Resolves the frames of reports with the images of one kernel.
///
/// [`Analyzer::with_symbolizer`](crate::Analyzer::with_symbolizer) does this together with the
/// explanation. Make one symbolizer for all reports of a kernel: it caches the debug information
/// that it has read.
///
/// # Examples
///
/// ```no_run
/// use ksplat::symbolize::{Image, Symbolizer};
///
/// // The bytes of the images outlive the symbolizer.
/// let (vmlinux, module) = (std::fs::read("vmlinux")?, std::fs::read("crashme.ko")?);
/// let mut symbolizer = Symbolizer::new(Image::parse(&vmlinux)?);
/// symbolizer.add_module("crashme", Image::parse(&module)?);
/// let log = std::fs::read("console.log")?;
/// for mut report in ksplat::reports(&log) {
///     symbolizer.annotate(&mut report);
///     for frame in report.crash_stack().into_iter().flat_map(|stack| &stack.frames) {
///         println!("{:?} {:?}:{:?}", frame.function, frame.file, frame.line);
///     }
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Symbolizer<'data> {
    vmlinux: Image<'data>,
    modules: HashMap<String, Image<'data>>,
    /// The distance from the linked address of the kernel to its load address.
    offset: Option<u64>,
    /// The paths of the source tree at build time, each with a slash at the end.
    trees: OnceLock<Vec<String>>,
    release: OnceLock<Option<String>>,
}

/// Functions that every kernel has, and their source files. Their paths contain that of the source
/// tree, which `decode_stacktrace.sh` and `faddr2line` find in the same way. Assembly files may
/// have another.
const LANDMARKS: [(&str, &str); 5] = [
    ("start_kernel", "init/main.c"),
    ("panic", "kernel/panic.c"),
    ("entry_SYSCALL_64", "arch/x86/entry/entry_64.S"),
    ("el0t_64_sync", "arch/arm64/kernel/entry.S"),
    ("handle_exception", "arch/riscv/kernel/entry.S"),
];

impl<'data> Symbolizer<'data> {
    /// Makes a symbolizer with the image of a kernel.
    pub fn new(vmlinux: Image<'data>) -> Self {
        Self {
            vmlinux,
            modules: HashMap::new(),
            offset: None,
            trees: OnceLock::new(),
            release: OnceLock::new(),
        }
    }

    /// Sets the distance in bytes from the linked address of the kernel to its load address
    /// (KASLR). It is needed for frames that are bare addresses.
    ///
    /// The default is that of the report: `Kernel Offset:`, or the difference of a frame with both
    /// an address and a name.
    #[must_use]
    pub fn with_kernel_offset(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// Returns the release of the kernel image.
    fn release(&self) -> Option<&str> {
        self.release.get_or_init(|| self.vmlinux.release()).as_deref()
    }

    /// Adds the image of a module. `-` and `_` are the same character in a module name.
    pub fn add_module(&mut self, name: &str, image: Image<'data>) {
        self.modules.insert(name.replace('-', "_"), image);
    }

    /// Returns the image of a module, or that of the kernel for `None`.
    pub fn image(&self, module: Option<&str>) -> Option<&Image<'data>> {
        match module {
            None => Some(&self.vmlinux),
            Some(name) => self.modules.get(&*name.replace('-', "_")),
        }
    }

    /// Returns the paths of the source tree when the kernel was built.
    fn trees(&self) -> &[String] {
        self.trees.get_or_init(|| {
            let tree_of = |(function, file): &(&str, &str)| {
                let address = self.vmlinux.named(function).first()?.address;
                let found = self.vmlinux.debug().ok()?.locations(address);
                let path = found.locations.last()?.file.as_deref()?;
                path.strip_suffix(file).filter(|tree| !tree.is_empty()).map(str::to_owned)
            };
            let mut trees: Vec<String> = LANDMARKS.iter().filter_map(tree_of).collect();
            // The longest first.
            trees.sort_by_key(|tree| std::cmp::Reverse(tree.len()));
            trees.dedup();
            trees
        })
    }

    /// Returns the functions at an address of the linked kernel, innermost first.
    pub fn locations_at(&self, address: u64) -> Vec<Location> {
        self.at(&self.vmlinux, address)
    }

    /// Returns the functions at a frame, innermost first: the inlined functions, then the one that
    /// contains their code. Empty if there is no image, symbol or line for the frame.
    pub fn locations(&self, frame: &Frame<'_>) -> Vec<Location> {
        self.address(frame).map(|(image, address)| self.at(image, address)).unwrap_or_default()
    }

    fn at(&self, image: &Image<'data>, address: u64) -> Vec<Location> {
        let Ok(debug) = image.debug() else { return Vec::new() };
        let units::Found { mut locations, directory } = debug.locations(address);
        // With split debug information, names are in another file; lines are here.
        if let Some(outer) = locations.last_mut().filter(|outer| outer.function.is_none()) {
            outer.function = image.symbol_at(address).map(|(name, ..)| name.into_owned());
        }
        // Paths are relative to the directory in which the kernel was built; modules may be built
        // elsewhere.
        let is_kernel = std::ptr::eq(image, &raw const self.vmlinux);
        let tree = Some(&*directory).filter(|tree| is_kernel && !tree.is_empty());
        for location in &mut locations {
            if let Some(name) = location.function.as_mut().filter(|name| name.starts_with('_')) {
                *name = format!("{:#}", rustc_demangle::demangle(name));
            }
            let Some(file) = &mut location.file else { continue };
            let inside = tree
                .filter(|tree| file.strip_prefix(tree).is_some_and(|rest| rest.starts_with('/')));
            let inside = inside.map(|tree| tree.len() + 1);
            let cut = inside.or_else(|| {
                self.trees().iter().find(|tree| file.starts_with(tree.as_str())).map(String::len)
            });
            if let Some(cut) = cut {
                file.drain(..cut);
            }
        }
        locations
    }

    /// Returns the address of a frame in its image: that of the instruction, or of the call before
    /// it.
    fn address(&self, frame: &Frame<'_>) -> Option<(&Image<'data>, u64)> {
        let image = self.image(frame.module.as_deref())?;
        let offset = frame.offset?;
        let symbols = image.named(frame.symbol()?);
        let symbol = match symbols.as_slice() {
            [] => return None,
            [only] => only,
            several => {
                let fits = |symbol: &&image::Symbol| {
                    frame.size.is_none_or(|size| has_size(image, symbol, size))
                };
                let mut found = several.iter().filter(fits);
                let first = found.next()?;
                // A symbol that the table lists twice is unique.
                found.all(|other| other.address == first.address).then_some(first)?
            }
        };
        // The offset is past the end of the function: the image is of another build.
        if offset > image.room(symbol) {
            return None;
        }
        let back = u64::from(!frame.exact);
        Some((image, symbol.address.wrapping_add(offset).wrapping_sub(back)))
    }

    /// Corrects the function of a return address with offset 0.
    ///
    /// If a function ends with a call that never returns, its return address is the start of the
    /// next function, and the kernel prints that one with `+0x0`.
    fn before_next(&self, frame: &mut Frame<'_>) {
        if frame.exact || frame.offset != Some(0) {
            return;
        }
        let found = self.address(frame).and_then(|(image, address)| {
            let (name, start, size) = image.symbol_at(address)?;
            Some((name.into_owned(), address.checked_sub(start)?.checked_add(1)?, size))
        });
        if let Some((name, offset, size)) = found {
            (frame.function, frame.symbol) = (Some(Cow::Owned(name)), None);
            (frame.offset, frame.size) = (Some(offset), Some(size));
        }
    }

    /// Fills in files, lines and inlined functions in all stacks of a report, and
    /// [`Report::image_check`].
    ///
    /// Frames that have a file stay unchanged. If the image is of another build, only functions
    /// that have the same size in the log and in the image are resolved.
    pub fn annotate(&self, report: &mut Report<'_>) {
        let check = check::check(self, report);
        let offset = self.offset.or_else(|| self.moved_by(report));
        let is_other = check.verdict == ImageVerdict::Other;
        for stack in &mut report.stacks {
            let frames = std::mem::take(&mut stack.frames);
            for mut frame in frames {
                if let Some(offset) = offset {
                    self.name(&mut frame, offset);
                }
                self.before_next(&mut frame);
                let is_known = frame.file.is_some() || frame.inline;
                let is_wrong = is_other && !self.has_size(&frame);
                let locations =
                    if is_known || is_wrong { Vec::new() } else { self.locations(&frame) };
                let Some((outer, inlined)) = locations.split_last() else {
                    stack.frames.push(frame);
                    continue;
                };
                for location in inlined {
                    let mut inner = Frame {
                        function: location.function.clone().map(Cow::Owned),
                        module: frame.module.clone(),
                        reliable: frame.reliable,
                        inline: true,
                        ..Frame::default()
                    };
                    place(&mut inner, location);
                    stack.frames.push(inner);
                }
                place(&mut frame, outer);
                stack.frames.push(frame);
            }
        }
        report.image_check = Some(check);
        if !is_other {
            self.name_access(report);
        }
        name_blame(report);
    }

    /// Fills in the variable and the member that the trapping instruction accessed.
    fn name_access(&self, report: &mut Report<'_>) {
        let Some(arch) = report.kernel.arch else { return };
        let pointer = report.crash_stack().and_then(|stack| {
            stack.frames.iter().find(|frame| !frame.inline).filter(|frame| frame.exact)
        });
        let Some((image, address)) = pointer.and_then(|frame| self.address(frame)) else { return };
        let trap = report.code.as_ref().and_then(|code| code.trap_offset);
        let Some(explanation) = &mut report.explanation else { return };
        let Some(pointer) = &explanation.pointer else { return };
        let Ok(offset) = u64::try_from(pointer.offset) else { return };
        let number = |name: &str| variable::number(arch, name);
        // The operand may use a copy of the pointer that the debug information does not list.
        let used = explanation.access.iter().flat_map(|access| access.registers.iter());
        let copies = used.filter(|register| register.value == pointer.value);
        let registers: Vec<u16> = pointer
            .register
            .as_deref()
            .into_iter()
            .chain(copies.map(|register| &*register.name))
            .filter_map(number)
            .collect();
        let source = pointer.origin.as_ref().zip(trap).and_then(|(origin, trap)| {
            let PointerOrigin::Loaded { at, register: Some(register), displacement, .. } = origin
            else {
                return None;
            };
            let at = address.wrapping_sub(trap as u64).wrapping_add(*at as u64);
            Some((at, number(register)?, u64::try_from(*displacement).ok()?))
        });
        let found =
            image.debug().ok().and_then(|debug| debug.member(address, &registers, offset, source));
        explanation.member = found.map(|(found, is_likely)| Member {
            expression: found.expression,
            of: found.of,
            offset,
            confidence: if is_likely { Confidence::Likely } else { Confidence::Certain },
        });
    }

    /// Returns whether the image has the function of a frame with the size in the frame.
    fn has_size(&self, frame: &Frame<'_>) -> bool {
        let named = self.image(frame.module.as_deref()).zip(frame.symbol());
        named.zip(frame.size).is_some_and(|((image, name), size)| {
            image.named(name).iter().any(|symbol| has_size(image, symbol, size))
        })
    }

    /// Returns the distance from the linked address of the report's kernel to its load address.
    fn moved_by(&self, report: &Report<'_>) -> Option<u64> {
        let printed = report.kernel.offset.map(|offset| offset.value);
        printed.or_else(|| {
            let frames = report.stacks.iter().flat_map(|stack| &stack.frames);
            frames.filter(|frame| frame.module.is_none()).find_map(|frame| {
                let (_, place) = self.address(frame)?;
                let back = u64::from(!frame.exact);
                Some(frame.address?.value.wrapping_sub(place.wrapping_add(back)))
            })
        })
    }

    /// Fills in the function of a frame that is a bare address.
    fn name(&self, frame: &mut Frame<'_>, moved_by: u64) {
        let (None, Some(address), false) = (&frame.function, frame.address, frame.inline) else {
            return;
        };
        let place = address.value.wrapping_sub(moved_by);
        let back = u64::from(!frame.exact);
        if let Some((name, start, size)) = self.vmlinux.symbol_at(place.wrapping_sub(back)) {
            frame.function = Some(Cow::Owned(name.into_owned()));
            (frame.offset, frame.size) = (Some(place.wrapping_sub(start)), Some(size));
        }
    }
}

/// Fills in the file and line of the blamed function.
fn name_blame(report: &mut Report<'_>) {
    let Some(blame) = &mut report.blame else { return };
    let mut frames = report.stacks.iter().flat_map(|stack| &stack.frames);
    let frame =
        frames.find(|frame| frame.file.is_some() && frame.function == Some(blame.function.clone()));
    // Without a line the file is that of the atlas.
    if let Some(frame) = frame.filter(|_| blame.line.is_none()) {
        blame.file.clone_from(&frame.file);
        blame.line = frame.line;
    }
}

/// Returns whether a symbol has a size that the kernel prints: up to the next symbol, or the
/// compiler's size with less than one alignment of padding.
fn has_size(image: &Image<'_>, symbol: &image::Symbol, size: u64) -> bool {
    let near = symbol.size..symbol.size.saturating_add(64);
    size == image.room(symbol) || (symbol.size > 0 && near.contains(&size))
}

/// Makes a frame from the symbol in a line.
fn frame_of(place: &Place<'_>, exact: bool) -> Frame<'static> {
    let own = |text: &[u8]| Cow::Owned(String::from_utf8_lossy(text).into_owned());
    Frame {
        function: place.function.map(own),
        offset: place.offset.map(|(offset, _)| offset),
        size: place.offset.map(|(_, size)| size),
        module: place.module.map(own),
        exact,
        ..Frame::default()
    }
}

fn place(frame: &mut Frame<'_>, location: &Location) {
    frame.file = location.file.clone().map(Cow::Owned);
    frame.line = location.line.map(u64::from);
    frame.column = location.column.map(u64::from);
}
