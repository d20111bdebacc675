//! The images that reports are resolved by: where they are found, and when they are read.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use ksplat::Report;
use ksplat::symbolize::{Image, Symbolizer};

use crate::args;
use crate::input;
use crate::run::{Status, complain};

/// The most files that are looked at below a directory of modules; a distribution has 10,000.
const MAX_FILES: usize = 1 << 20;

/// How deep directories of modules may be.
const MAX_DEPTH: usize = 32;

/// What the files of modules are called behind their names.
const ENDINGS: [&str; 5] = [".ko.debug", ".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

/// The images of one kernel, read when the first report needs them.
pub(crate) struct Images<'a> {
    args: &'a args::Images,
    symbolizer: Option<Symbolizer<'static>>,
    /// The files of the modules directory by the names of the modules, once it was searched.
    files: Option<HashMap<String, Vec<PathBuf>>>,
    /// The modules that were looked for.
    asked: HashSet<String>,
}

impl<'a> Images<'a> {
    pub(crate) fn new(args: &'a args::Images) -> Self {
        Self { args, symbolizer: None, files: None, asked: HashSet::new() }
    }

    /// Resolves the frames of a report, if images are named.
    pub(crate) fn annotate(&mut self, report: &mut Report<'_>) -> Result<(), Status> {
        let Some(path) = &self.args.vmlinux else { return Ok(()) };
        if self.symbolizer.is_none() {
            let path = vmlinux(path);
            let image = read(&path).map_err(|error| {
                complain(&path.to_string_lossy(), &error);
                Status::Unusable
            })?;
            self.symbolizer = Some(Symbolizer::new(image));
        }
        let modules: Vec<String> = report
            .stacks
            .iter()
            .flat_map(|stack| &stack.frames)
            .filter_map(|frame| frame.module.as_deref().map(|module| module.replace('-', "_")))
            .collect();
        for module in modules {
            if self.asked.insert(module.clone()) {
                self.add(&module);
            }
        }
        if let Some(symbolizer) = &self.symbolizer {
            symbolizer.annotate(report);
        }
        Ok(())
    }

    /// Reads the image of a module; says so where there is none.
    fn add(&mut self, module: &str) {
        let directory = self.args.modules.as_deref();
        let files = self.files.get_or_insert_with(|| directory.map(search).unwrap_or_default());
        let mut last = None;
        for path in files.get(module).into_iter().flatten() {
            match read(path) {
                // What was stripped is better than nothing, but not better than another file.
                Ok(image) if image.has_debug() || last.is_none() => {
                    let is_whole = image.has_debug();
                    last = Some(image);
                    if is_whole {
                        break;
                    }
                }
                Ok(_) => {}
                Err(error) => complain(&path.to_string_lossy(), &error),
            }
        }
        match (last, &mut self.symbolizer) {
            (Some(image), Some(symbolizer)) => symbolizer.add_module(module, image),
            _ => complain(module, &"no image of this module: its frames stay as they are"),
        }
    }
}

/// The image in a build tree, or the file itself.
fn vmlinux(path: &Path) -> PathBuf {
    let inside = path.join("vmlinux");
    if inside.is_file() { inside } else { path.to_owned() }
}

/// Reads an image, which is kept until the program ends.
fn read(path: &Path) -> Result<Image<'static>, Box<dyn std::error::Error>> {
    let data: &'static [u8] = Box::leak(Box::new(input::map(path)?));
    Ok(Image::parse(data)?)
}

/// The files of modules below a directory, by the names of the modules.
fn search(directory: &Path) -> HashMap<String, Vec<PathBuf>> {
    let mut files: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let mut folders = vec![(directory.to_owned(), 0)];
    let mut count = 0;
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                complain(&folder.to_string_lossy(), &error);
                continue;
            }
        };
        for entry in entries.filter_map(Result::ok) {
            count += 1;
            if count > MAX_FILES {
                return files;
            }
            let path = entry.path();
            // Links to directories are not followed: they may lead in a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
                continue;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if let Some(module) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)) {
                files.entry(module.replace('-', "_")).or_default().push(path);
            }
        }
    }
    for paths in files.values_mut() {
        paths.sort();
    }
    files
}
