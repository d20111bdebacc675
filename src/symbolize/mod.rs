//! Addresses to functions, files and lines, by kernel images with debug information.

mod debug;
mod error;
mod image;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use crate::model::{Frame, Report};

pub use debug::Location;
pub use error::Error;
pub use image::Image;

/// Resolves the frames of reports by the images of one kernel.
///
/// ```no_run
/// use ksplat::symbolize::{Image, Symbolizer};
///
/// let vmlinux = std::fs::read("vmlinux")?;
/// let mut symbolizer = Symbolizer::new(Image::parse(&vmlinux)?);
/// let module = std::fs::read("crashme.ko")?;
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
    /// The path of the source tree, with a slash at the end.
    tree: OnceLock<String>,
}

/// A function that every kernel has, and the file that it is in: from these the place of the source
/// tree is known, as `decode_stacktrace.sh` and `faddr2line` find it.
const LANDMARKS: [(&str, &str); 2] =
    [("start_kernel", "init/main.c"), ("panic", "kernel/panic.c")];

impl<'data> Symbolizer<'data> {
    /// Resolves by the image of a kernel.
    pub fn new(vmlinux: Image<'data>) -> Self {
        Self { vmlinux, modules: HashMap::new(), tree: OnceLock::new() }
    }

    /// Takes the image of a module. `-` and `_` are the same in its name.
    pub fn add_module(&mut self, name: &str, image: Image<'data>) {
        self.modules.insert(name.replace('-', "_"), image);
    }

    /// The image of a module, or of the kernel.
    pub fn image(&self, module: Option<&str>) -> Option<&Image<'data>> {
        match module {
            None => Some(&self.vmlinux),
            Some(name) => self.modules.get(&*name.replace('-', "_")),
        }
    }

    /// Where the source tree was when the kernel was built, with a slash at the end; empty where that
    /// is not known.
    fn tree(&self) -> &str {
        self.tree.get_or_init(|| {
            let of = |(function, file): (&str, &str)| {
                let symbol = self.vmlinux.named(function).into_iter().next()?;
                let locations = self.vmlinux.debug().ok()?.locations(symbol.address);
                let path = locations.last()?.file.as_deref()?;
                path.strip_suffix(file).map(str::to_owned)
            };
            LANDMARKS.into_iter().find_map(of).unwrap_or_default()
        })
    }

    /// The functions at a frame, innermost first: those that were inlined, then the one that holds
    /// them. Empty where the image, the symbol or its line is not known.
    pub fn locations(&self, frame: &Frame<'_>) -> Vec<Location> {
        self.address(frame).map(|(image, address)| self.at(image, address)).unwrap_or_default()
    }

    fn at(&self, image: &Image<'_>, address: u64) -> Vec<Location> {
        let Ok(debug) = image.debug() else { return Vec::new() };
        let mut locations = debug.locations(address);
        for location in &mut locations {
            if let Some(name) = &mut location.function {
                *name = format!("{:#}", rustc_demangle::demangle(name));
            }
            let rest = location.file.as_deref().and_then(|file| file.strip_prefix(self.tree()));
            location.file = rest.map(str::to_owned).or(location.file.take());
        }
        locations
    }

    /// The address in its image of what a frame tells: the instruction, or the call before it.
    fn address(&self, frame: &Frame<'_>) -> Option<(&Image<'data>, u64)> {
        let image = self.image(frame.module.as_deref())?;
        let offset = frame.offset?;
        let symbols = image.named(frame.function.as_deref()?);
        let fits = |symbol: &&image::Symbol| {
            frame.size.is_none_or(|size| size == image.room(symbol))
        };
        // The kernel counts up to the next symbol; the compiler's size is smaller by the padding.
        let is_near = |symbol: &&image::Symbol| {
            frame.size.is_none_or(|size| (symbol.size..symbol.size + 64).contains(&size))
        };
        let symbol = match symbols.as_slice() {
            [] => return None,
            [only] => only,
            several => {
                let one = |filter: &dyn Fn(&&image::Symbol) -> bool| {
                    let mut found = several.iter().filter(filter);
                    found.next().filter(|first| found.all(|other| other.address == first.address))
                };
                one(&fits).or_else(|| one(&is_near))?
            }
        };
        let back = u64::from(!frame.exact);
        Some((image, symbol.address.wrapping_add(offset).wrapping_sub(back)))
    }

    /// Names the function that a return address is in.
    ///
    /// Where a function ends with a call that never returns, its return address is the start of the
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
            frame.function = Some(Cow::Owned(name));
            (frame.offset, frame.size) = (Some(offset), Some(size));
        }
    }

    /// Fills in files and lines, and the functions that were inlined, in all stacks of a report.
    ///
    /// Frames that have a file already stay as they are.
    pub fn annotate(&self, report: &mut Report<'_>) {
        for stack in &mut report.stacks {
            let frames = std::mem::take(&mut stack.frames);
            for mut frame in frames {
                self.before_next(&mut frame);
                let locations =
                    if frame.file.is_some() || frame.inline { Vec::new() } else { self.locations(&frame) };
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
    }
}

fn place(frame: &mut Frame<'_>, location: &Location) {
    frame.file = location.file.clone().map(Cow::Owned);
    frame.line = location.line.map(u64::from);
    frame.column = location.column.map(u64::from);
}
