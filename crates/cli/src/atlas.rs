//! `ksplat atlas`, and the atlas for the suspects of reports.

use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use ksplat::atlas::Atlas;
use ksplat::output::escape::escape;

use crate::args;
use crate::input;
use crate::ui::{Status, report_error};

/// The atlas from the options of this run.
static USED: OnceLock<Atlas<'static>> = OnceLock::new();

/// Returns the atlas of a file, else the built-in one. If the file is unusable, a message is
/// printed and the built-in one is returned. The first call decides.
pub(crate) fn used(path: Option<&Path>) -> Atlas<'static> {
    let named = || path.map_or_else(|| Ok(Atlas::builtin()), read);
    *USED.get_or_init(|| {
        named().unwrap_or_else(|error| {
            let text = format!("{error}; the built-in atlas is used");
            report_error(&input::name(path.unwrap_or(Path::new("-"))), &text);
            Atlas::builtin()
        })
    })
}

/// Maps the file until the program ends.
fn read(path: &Path) -> Result<Atlas<'static>, Box<dyn Display>> {
    let bytes =
        input::map(path, input::MAX_LIST).map_err(|error| Box::new(error) as Box<dyn Display>)?;
    let bytes: &'static [u8] = Box::leak(Box::new(bytes));
    Atlas::read(bytes).map_err(|error| Box::new(error) as Box<dyn Display>)
}

/// The maintainers in the user's tree.
#[cfg(feature = "atlas")]
static PEOPLE: OnceLock<Option<ksplat::atlas::build::People>> = OnceLock::new();

/// The maximum number of files of a report whose maintainers are listed.
#[cfg(feature = "atlas")]
const FILES: usize = 3;

/// Returns the maintainers of the first files of a report's suspects. If the tree is unreadable, a
/// message is printed.
#[cfg(feature = "atlas")]
pub(crate) fn people(tree: &Path, report: &ksplat::Report<'_>) -> Vec<String> {
    let path = tree.join("MAINTAINERS");
    let read = || match std::fs::read(&path) {
        Ok(text) => Some(ksplat::atlas::build::People::read(&text)),
        Err(error) => {
            report_error(&input::name(&path), &error);
            None
        }
    };
    let Some(people) = PEOPLE.get_or_init(read) else { return Vec::new() };
    let mut files: Vec<&str> =
        report.suspects.iter().filter_map(|own| own.file.as_deref()).collect();
    files.dedup();
    let mut names = Vec::<String>::new();
    for name in files.into_iter().take(FILES).flat_map(|file| people.of(file)) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// `ksplat atlas`.
pub(crate) fn atlas(args: &args::Atlas) -> io::Result<Status> {
    match args {
        args::Atlas::Find { names, atlas } => find(names, used(atlas.as_deref())),
        #[cfg(feature = "atlas")]
        args::Atlas::Build { trees, output, quiet } => Ok(build::build(trees, output, *quiet)),
    }
}

/// Prints the files of functions.
fn find(names: &[String], atlas: Atlas<'_>) -> io::Result<Status> {
    let mut out = io::stdout().lock();
    let mut status = Status::Done;
    for name in names {
        let mut files = atlas.files(name).peekable();
        if files.peek().is_none() {
            status = Status::Found;
        }
        for file in files {
            let class = file.class();
            let sections: Vec<_> =
                file.sections().map(|section| Mail(section).to_string()).collect();
            let [name, file] =
                [name.clone(), file.to_string()].map(|text| escape(&text).to_string());
            let line = format!("{name}\t{file}\t{}\t{}\n", class, escape(&sections.join("; ")));
            out.write_all(line.as_bytes())?;
        }
    }
    Ok(status)
}

/// A section of MAINTAINERS with its lists.
struct Mail<'a>(ksplat::atlas::Section<'a>);

impl Display for Mail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)?;
        self.0.lists().try_for_each(|list| write!(f, " {list}"))
    }
}

/// `ksplat atlas build`.
#[cfg(feature = "atlas")]
mod build {
    use ksplat::atlas::build::{Builder, SKIPPED};

    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};

    use crate::input;
    use crate::ui::{Progress, Status, report_error};

    /// Larger files are tables, which no kernel has as sources.
    const MAX_FILE: u64 = 16 << 20;

    /// The maximum depth of directories.
    const MAX_DEPTH: usize = 24;

    pub(super) fn build(trees: &[PathBuf], output: &Path, quiet: bool) -> Status {
        let mut builder = Builder::new();
        for (number, tree) in trees.iter().enumerate() {
            if number > 0 {
                builder.next_tree();
            }
            if !tree.join("include/linux").is_dir() {
                report_error(&input::name(tree), &"no kernel sources: there is no include/linux");
                return Status::Unusable;
            }
            let progress = Progress::of_files("reading", 0, quiet);
            if let Err(error) = add(&mut builder, tree, "", 0) {
                report_error(&input::name(tree), &error);
                return Status::Unusable;
            }
            drop(progress);
        }
        if builder.is_empty() {
            report_error("atlas", &"no function is defined in these sources");
            return Status::Unusable;
        }
        match fs::write(output, builder.finish()) {
            Ok(()) => Status::Done,
            Err(error) => {
                report_error(&input::name(output), &error);
                Status::Unusable
            }
        }
    }

    /// Adds a directory in the order of its names; links are not followed.
    fn add(builder: &mut Builder, tree: &Path, below: &str, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(tree.join(below))?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DEPTH && !(depth == 0 && SKIPPED.contains(&name)) {
                add(builder, tree, &path, depth + 1)?;
            } else if kind.is_file() && Builder::takes(&path) && entry.metadata()?.len() <= MAX_FILE
            {
                builder.add(&path, &fs::read(entry.path())?);
            }
        }
        Ok(())
    }
}
