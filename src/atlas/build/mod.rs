//! Builds an atlas from a kernel's sources.

mod c;
mod kbuild;
mod maintainers;
mod names;
mod text;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use super::FileClass;
use super::format::MAX_FILES;
use maintainers::Maintainers;
pub use maintainers::People;
pub use write::seal;

/// Collects the names of a kernel's sources.
///
/// Files may come in any order, trees the newest first. Equal files make equal bytes.
///
/// ```
/// use ksplat::atlas::{Atlas, build::Builder};
///
/// let mut builder = Builder::new();
/// builder.add("lib/demo.c", b"int demo(void)\n{\n\treturn 0;\n}\n");
/// let bytes = builder.finish();
/// let atlas = Atlas::read(&bytes).expect("an atlas");
/// assert_eq!(atlas.files("demo").next().expect("a file").to_string(), "lib/demo.c");
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    /// The files of each name, those of the newest tree first.
    names: BTreeMap<String, Vec<(u32, u32)>>,
    /// Paths with their numbers.
    paths: BTreeMap<String, u32>,
    /// Modules by the directory of their Makefile.
    modules: BTreeSet<(u32, String, String)>,
    maintainers: Maintainers,
    tree: u32,
    /// Whether only generic code is kept.
    generic: bool,
}

/// The maximum length of a name.
const MAX_NAME: usize = 255;

/// Directories of a tree that are not linked into the kernel.
pub const SKIPPED: &[&str] =
    &[".git", "Documentation", "LICENSES", "samples", "scripts", "tools", "usr"];

/// Headers whose functions are kept. Drivers' headers are inlined, so only symbolized logs name their
/// functions, with files.
const HEADERS: &[&str] = &[
    "arch/arm64/",
    "arch/x86/",
    "block/",
    "fs/",
    "include/",
    "io_uring/",
    "ipc/",
    "kernel/",
    "lib/",
    "mm/",
    "net/",
    "security/",
    "virt/",
];

/// The architectures whose code is in the atlas of generic code.
const GENERIC_ARCHES: &[&str] = &["arch/arm64/", "arch/x86/"];

/// Returns whether a file is part of the atlas of generic code: its functions work for others, on common
/// architectures.
fn is_generic(path: &str) -> bool {
    match FileClass::of(path) {
        FileClass::Ordinary
        | FileClass::Crypto
        | FileClass::Header
        | FileClass::Power
        | FileClass::Security
        | FileClass::Tracing => false,
        FileClass::Init | FileClass::Process => !path.starts_with("arch/"),
        _ => !path.starts_with("arch/") || GENERIC_ARCHES.iter().any(|arch| path.starts_with(arch)),
    }
}

impl Builder {
    /// Makes an empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps generic code only.
    #[must_use]
    pub fn generic(self) -> Self {
        Self { generic: true, ..self }
    }

    /// Starts the next, older tree. A section of MAINTAINERS is that of the newest tree that has it.
    pub fn next_tree(&mut self) {
        self.tree += 1;
    }

    /// Returns whether a file at this path may define functions. Other files need not be read.
    pub fn takes(path: &str) -> bool {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        matches!(ending, "c" | "h" | "S" | "rs")
            || matches!(name, "MAINTAINERS" | "Makefile" | "Kbuild")
    }

    /// Adds a file by its path in the tree, with slashes. Files without functions are left out.
    pub fn add(&mut self, path: &str, text: &[u8]) {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match (ending, name) {
            // The newest tree decides.
            (_, "MAINTAINERS") if directory.is_empty() && (self.tree > 0 || self.generic) => {}
            (_, "MAINTAINERS") if directory.is_empty() => {
                self.maintainers = Maintainers::read(text);
            }
            (_, "Makefile" | "Kbuild") if !self.generic => {
                kbuild::modules(text, |module| {
                    self.modules.insert((self.tree, directory.to_owned(), module.to_owned()));
                });
            }
            _ if self.generic && !is_generic(path) => {}
            ("h", _) if !HEADERS.iter().any(|kept| path.starts_with(kept)) => {}
            ("c" | "h", _) => c::functions(text, |function| self.name(path, function)),
            ("S", _) => text::assembly(text, |function| self.name(path, function)),
            ("rs", _) => text::rust(text, |function| self.name(path, function)),
            _ => {}
        }
    }

    fn name(&mut self, path: &str, function: &str) {
        if function.len() > MAX_NAME || path.len() > MAX_NAME {
            return;
        }
        let next = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        let file = match self.paths.get(path) {
            Some(file) => *file,
            None => *self.paths.entry(path.to_owned()).or_insert(next),
        };
        let entry = (self.tree, file);
        let files = match self.names.get_mut(function) {
            Some(files) => files,
            None => self.names.entry(function.to_owned()).or_default(),
        };
        if !files.iter().any(|(_, known)| *known == file) && files.len() < MAX_FILES {
            files.push(entry);
        }
    }

    /// Returns whether no file with functions was added.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Calls `found` with each name and the path of each file that defines it.
    pub fn definitions(&self, mut found: impl FnMut(&str, &str)) {
        let paths: BTreeMap<u32, &str> =
            self.paths.iter().map(|(path, number)| (*number, path.as_str())).collect();
        for (name, files) in &self.names {
            files.iter().filter_map(|(_, file)| paths.get(file)).for_each(|path| found(name, path));
        }
    }

    /// Returns the bytes of the atlas.
    pub fn finish(mut self) -> Vec<u8> {
        self.add_modules();
        write::atlas(self.names, &self.paths, &self.maintainers)
    }

    /// Adds modules as names in brackets: of a file, or of a directory, which is a file without a name.
    fn add_modules(&mut self) {
        for (tree, directory, module) in std::mem::take(&mut self.modules) {
            self.tree = tree;
            let file = |name: &str| {
                let path = [directory.as_str(), name, ".c"].join("/").replace("/.c", ".c");
                self.paths.contains_key(&path).then_some(path)
            };
            let one = file(&module).or_else(|| file(&module.replace('-', "_")));
            let path = one.unwrap_or_else(|| [directory.as_str(), "/"].concat());
            self.name(&path, &["[", &module.replace('-', "_"), "]"].concat());
        }
    }
}
