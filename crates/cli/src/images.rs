//! The images that reports are resolved by: where they are found, and when they are read.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use ksplat::Report;
use ksplat::symbolize::{Image, Symbolizer};

use crate::args;
use crate::input;
use crate::ui::{Status, report_error};

/// The most files that are looked at below a directory of modules; a distribution has 10,000.
const MAX_FILES: usize = 1 << 20;

/// LinkReason deep directories of modules may be.
const MAX_DEPTH: usize = 32;

/// The most modules without an image that are looked for: a machine has some hundred, but a log can name
/// any number, and a console is watched for months.
const MAX_MISSING: usize = 4096;

/// The most warnings of images of other builds.
const MAX_TOLD: usize = 64;

/// What the files of modules are called behind their names.
const ENDINGS: [&str; 5] = [".ko.debug", ".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

/// Where distributions put images with symbols, by the release.
const PLACES: [&str; 5] = [
    "/usr/lib/debug/boot/vmlinux-{}",
    "/usr/lib/debug/lib/modules/{}/vmlinux",
    "/usr/lib/debug/usr/lib/modules/{}/vmlinux",
    "/lib/modules/{}/build/vmlinux",
    "/boot/vmlinux-{}",
];

/// Where they put modules, by the release.
const MODULE_PLACES: [&str; 3] =
    ["/usr/lib/debug/lib/modules/{}", "/usr/lib/debug/usr/lib/modules/{}", "/lib/modules/{}"];

/// Where they put images by the build id.
const BUILD_IDS: &str = "/usr/lib/debug/.build-id";

/// The images of one kernel, read when the first report needs them.
pub(crate) struct Images<'a> {
    args: &'a args::Images,
    state: State,
    /// The files of the modules by their names, once the directories were searched.
    files: Option<HashMap<String, Vec<PathBuf>>>,
    /// The modules that were looked for.
    asked: HashSet<String>,
    /// LinkReason many of them have no file.
    missing: usize,
    release: Option<String>,
    /// What was said of images of another build.
    told: HashSet<String>,
    /// What lines were rewritten to, as crashes repeat themselves.
    rewritten: HashMap<Vec<u8>, Option<Vec<u8>>>,
}

enum State {
    Unread,
    Failed,
    Read(Box<Symbolizer<'static>>),
}

impl<'a> Images<'a> {
    pub(crate) fn new(args: &'a args::Images) -> Self {
        Self {
            args,
            state: State::Unread,
            files: None,
            asked: HashSet::new(),
            missing: 0,
            release: None,
            told: HashSet::new(),
            rewritten: HashMap::new(),
        }
    }

    pub(crate) fn args(&self) -> &'a args::Images {
        self.args
    }

    /// Whether there is no image to resolve by, although one was asked for.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Resolves the frames of a report, if images are named.
    pub(crate) fn annotate(&mut self, report: &mut Report<'_>) -> Status {
        if !self.args.are_named() {
            return Status::Done;
        }
        self.prepare(report.kernel.release.as_deref(), report.kernel.build_id.as_deref());
        let frames = report.stacks.iter().flat_map(|stack| &stack.frames);
        let modules: Vec<(String, Option<String>)> = frames
            .filter_map(|frame| {
                let build_id = frame.build_id.as_deref().map(str::to_owned);
                Some((frame.module.as_deref()?.to_owned(), build_id))
            })
            .collect();
        for (module, build_id) in modules {
            self.add(&module, build_id.as_deref());
        }
        let State::Read(symbolizer) = &self.state else { return Status::Unusable };
        symbolizer.annotate(report);
        let Some(check) = &report.image_check else { return Status::Done };
        if check.verdict != ksplat::model::ImageVerdict::Other {
            return Status::Done;
        }
        for warning in &check.warnings {
            if self.told.len() < MAX_TOLD && self.told.insert(warning.clone()) {
                report_error("an image of another build", warning);
            }
        }
        if self.args.strict {
            self.state = State::Failed;
            return Status::Unusable;
        }
        Status::Done
    }

    /// Opens the image of a kernel, once.
    pub(crate) fn prepare(&mut self, release: Option<&str>, build_id: Option<&str>) {
        if matches!(self.state, State::Unread) {
            self.release = release.map(str::to_owned);
            self.state = match self.open(build_id) {
                Some(symbolizer) => State::Read(Box::new(symbolizer)),
                None => State::Failed,
            };
        }
    }

    /// Opens the kernel's image; says so where that fails.
    fn open(&self, build_id: Option<&str>) -> Option<Symbolizer<'static>> {
        let named = self.args.vmlinux.as_deref().unwrap_or_else(|| Path::new("auto"));
        let found = if named.as_os_str() == "auto" {
            let release = self.release.as_deref().unwrap_or_default();
            let found = installed(release, build_id).or_else(|| self.fetch(build_id?));
            if found.is_none() {
                let what = if release.is_empty() { "a log that names no release" } else { release };
                let why = format!("no image of {what} is installed; name one with --vmlinux");
                report_error("--vmlinux auto", &why);
            }
            found?
        } else {
            vmlinux(named)
        };
        let image = match read(&found) {
            Ok(image) => image,
            Err(error) => {
                report_error(&input::name(&found), &error);
                return None;
            }
        };
        if !image.has_debug() {
            let why = "no debug information: functions can be named, but not files and lines";
            report_error(&input::name(&found), &why);
        }
        let symbolizer = Symbolizer::new(image);
        Some(match self.args.kernel_offset {
            Some(offset) => symbolizer.with_kernel_offset(offset),
            None => symbolizer,
        })
    }

    /// Asks the servers for an image, if that was wanted.
    fn fetch(&self, build_id: &str) -> Option<PathBuf> {
        if !self.args.may_fetch() {
            return None;
        }
        #[cfg(feature = "debuginfod")]
        return crate::debuginfod::fetch(build_id);
        #[cfg(not(feature = "debuginfod"))]
        {
            let _ = build_id;
            None
        }
    }

    /// Reads the image of a module, once; says so where there is none.
    fn add(&mut self, module: &str, build_id: Option<&str>) {
        let module = module.replace('-', "_");
        if !matches!(self.state, State::Read(_)) || self.asked.contains(&module) {
            return;
        }
        let (args, release) = (self.args, self.release.as_deref());
        let files = self.files.get_or_insert_with(|| match (&args.modules, release) {
            (Some(directory), _) => search(std::slice::from_ref(directory)),
            (None, Some(release)) if is_plain(release) => {
                let places = MODULE_PLACES.map(|place| PathBuf::from(place.replace("{}", release)));
                search(&places.into_iter().filter(|place| place.is_dir()).collect::<Vec<_>>())
            }
            _ => HashMap::new(),
        });
        let mut paths = files.get(&module).cloned().unwrap_or_default();
        // Those with files are no more than there are files.
        if paths.is_empty() {
            if self.missing == MAX_MISSING {
                return;
            }
            self.missing += 1;
            if self.missing == MAX_MISSING {
                report_error("modules", &"too many without an image: no more are looked for");
            }
        }
        self.asked.insert(module.clone());
        if paths.is_empty() {
            paths.extend(build_id.and_then(|build_id| self.fetch(build_id)));
        }
        let mut last = None;
        for path in &paths {
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
                Err(error) => report_error(&input::name(path), &error),
            }
        }
        let State::Read(symbolizer) = &mut self.state else { return };
        match last {
            Some(image) => symbolizer.add_module(&module, image),
            None => report_error(&module, &"no image of this module: its frames stay as they are"),
        }
    }

    /// Reads the images of all modules that the lines of a log name behind a function.
    pub(crate) fn load_all(&mut self, log: &[u8]) {
        let finder = memchr::memmem::Finder::new(b"+0x");
        for at in finder.find_iter(log) {
            let rest = log.get(at..).unwrap_or_default();
            let end = memchr::memchr2(b'\n', b' ', rest).unwrap_or(rest.len());
            let Some(name) = rest.get(end..).and_then(|rest| rest.strip_prefix(b" [")) else {
                continue;
            };
            let is_name = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_' || **b == b'-';
            let name: Vec<u8> = name.iter().take_while(is_name).copied().collect();
            if let (Ok(name), false) = (String::from_utf8(name), self.failed())
                && !name.is_empty()
            {
                self.add(&name, None);
            }
        }
    }

    /// A line with files and lines, if something in it can be resolved.
    pub(crate) fn rewrite(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        memchr::memmem::find(line, b"+0x")?;
        let State::Read(symbolizer) = &self.state else { return None };
        // What stands behind the time stamp.
        let start = line.iter().position(|b| *b == b']').map_or(0, |at| at + 1);
        let (head, rest) = line.split_at(if line.starts_with(b"[") { start } else { 0 });
        if self.rewritten.len() > MAX_REWRITTEN {
            self.rewritten.clear();
        }
        let known =
            self.rewritten.entry(rest.to_owned()).or_insert_with(|| symbolizer.rewrite(rest));
        let rewritten = known.as_deref()?;
        let blank: &[u8] = if head.is_empty() || rewritten.starts_with(b" ") { b"" } else { b" " };
        Some([head, blank, rewritten].concat())
    }
}

/// The most lines whose resolved text is kept.
const MAX_REWRITTEN: usize = 1 << 16;

/// Whether a name that a log tells may be a part of a path.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.contains("..") && !name.contains('\0')
}

/// The image of a release, or of a build id, where distributions put it.
fn installed(release: &str, build_id: Option<&str>) -> Option<PathBuf> {
    let by_id = build_id.filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|id| {
        let (start, rest) = id.split_at_checked(2)?;
        Some(Path::new(BUILD_IDS).join(start).join(format!("{rest}.debug")))
    });
    let places = PLACES.iter().filter(|_| is_plain(release));
    let by_release = places.map(|place| PathBuf::from(place.replace("{}", release)));
    by_id.into_iter().chain(by_release).find(|path| path.is_file())
}

/// The image in a build tree, or the file itself.
fn vmlinux(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("vmlinux") } else { path.to_owned() }
}

/// Reads an image, which is kept until the program ends.
fn read(path: &Path) -> Result<Image<'static>, Box<dyn std::error::Error>> {
    let data: &'static [u8] = Box::leak(Box::new(input::map(path)?));
    if data.starts_with(b"\x7fELF") {
        return Ok(Image::parse(data)?);
    }
    Ok(Image::parse_list(data)?)
}

/// The files of modules below directories, by the names of the modules.
fn search(directories: &[PathBuf]) -> HashMap<String, Vec<PathBuf>> {
    let mut files: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let mut folders: Vec<_> = directories.iter().map(|folder| (folder.clone(), 0)).collect();
    let mut count = 0;
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                report_error(&input::name(&folder), &error);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_names_is_a_part_of_a_path_only_if_it_is_plain() {
        for name in ["6.1.0-50-amd64", "6.1.0-rc1+", "a b"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "..", "6.1/../../etc", "/etc", "a/b", "a\0b", "6..1"] {
            assert!(!is_plain(name), "{name:?}");
            assert_eq!(installed(name, Some("../../etc/passwd")), None);
        }
    }
}
