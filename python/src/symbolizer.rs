//! Images of a kernel.

use std::fs::File;
use std::path::{Path, PathBuf};

use ksplat::Analyzer;
use ksplat::symbolize::{self, Image};
use memmap2::Mmap;
use pyo3::prelude::*;
use self_cell::self_cell;

use crate::error::{Error, Result};
use crate::parse;

self_cell! {
    struct Loaded {
        owner: Vec<(String, PathBuf, Mmap)>,
        #[not_covariant]
        dependent: Analyzer,
    }
}

/// Resolves the frames of reports by the images of a kernel.
#[pyclass(frozen, subclass, module = "ksplat._native")]
pub(crate) struct Symbolizer(Loaded);

#[pymethods]
impl Symbolizer {
    /// Maps the images: that of the kernel, and each module with its name.
    #[new]
    #[pyo3(signature = (vmlinux, modules, kernel_offset, syntax))]
    fn new(
        py: Python<'_>,
        vmlinux: PathBuf,
        modules: Vec<(String, PathBuf)>,
        kernel_offset: Option<u64>,
        syntax: &str,
    ) -> PyResult<Self> {
        let syntax = parse::syntax(syntax)?;
        let loaded = py.detach(|| {
            let named = std::iter::once((String::new(), vmlinux)).chain(modules);
            let maps: Result<Vec<_>> =
                named.map(|(name, path)| Ok((name, path.clone(), mapped(&path)?))).collect();
            Loaded::try_new(maps?, |maps| {
                let mut images = maps.iter().map(|(name, path, map)| {
                    let image = Image::parse(map);
                    image
                        .map(|image| (name, image))
                        .map_err(|error| Error::Image(path.clone(), error))
                });
                let (_, kernel) =
                    images.next().unwrap_or_else(|| Err(Error::Value("no image".to_owned())))?;
                let mut symbolizer = symbolize::Symbolizer::new(kernel);
                for image in images {
                    let (name, image) = image?;
                    symbolizer.add_module(name, image);
                }
                let symbolizer = match kernel_offset {
                    Some(offset) => symbolizer.with_kernel_offset(offset),
                    None => symbolizer,
                };
                Ok::<_, Error>(Analyzer::new().with_syntax(syntax).with_symbolizer(symbolizer))
            })
        });
        Ok(Self(loaded?))
    }
}

impl Symbolizer {
    /// Gives an analyzer with the images to `run`.
    pub(crate) fn with<T>(&self, run: impl FnOnce(&Analyzer<'_>) -> T) -> T {
        self.0.with_dependent(|_, analyzer| run(analyzer))
    }
}

fn mapped(path: &Path) -> Result<Mmap> {
    let failed = |error| Error::Io(path.to_owned(), error);
    let file = File::open(path).map_err(failed)?;
    // SAFETY: the map is only read, as bytes, for which each value is valid. A process that changes them
    // meanwhile causes wrong names at worst.
    #[allow(unsafe_code)]
    unsafe { Mmap::map(&file) }.map_err(failed)
}
