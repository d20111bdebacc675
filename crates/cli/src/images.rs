//! The kernel images for the frames of reports: finds and loads them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ksplat::Report;
use ksplat::symbolize::{Image, Symbolizer};

use crate::args;
use crate::input;
use crate::ui::{Status, report_error, warn};

/// The maximum number of files in a directory of modules; a distribution has 10,000.
const MAX_FILES: usize = 1 << 20;

/// The maximum depth of directories of modules.
const MAX_DEPTH: usize = 32;

/// The maximum number of missing modules that are searched. A machine has some hundred modules, but
/// a log may contain any number of names, and a console is watched for months.
const MAX_MISSING: usize = 4096;

/// The maximum number of modules that are read for one log.
const MAX_NEEDED: usize = 1 << 16;

/// The extensions of module files.
const ENDINGS: [&str; 5] = [".ko.debug", ".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

/// Paths of installed images with debug information, by the release.
const PLACES: [&str; 5] = [
    "/usr/lib/debug/boot/vmlinux-{}",
    "/usr/lib/debug/lib/modules/{}/vmlinux",
    "/usr/lib/debug/usr/lib/modules/{}/vmlinux",
    "/lib/modules/{}/build/vmlinux",
    "/boot/vmlinux-{}",
];

/// Directories of installed modules, by the release.
const MODULE_PLACES: [&str; 3] =
    ["/usr/lib/debug/lib/modules/{}", "/usr/lib/debug/usr/lib/modules/{}", "/lib/modules/{}"];

/// The directory of installed images by build ID.
const BUILD_IDS: &str = "/usr/lib/debug/.build-id";

/// The images of one kernel.
///
/// [`Images::load`] reads the images for a log, in the order of the logs; then the reports of many
/// logs can be resolved concurrently.
pub(crate) struct Images<'a> {
    args: &'a args::Images,
    state: State,
    /// The files of the modules by their names, once the directories were searched.
    files: Option<HashMap<String, Vec<PathBuf>>>,
    /// The modules that were looked up.
    known: HashSet<String>,
    /// The number of modules without a file.
    missing: usize,
    release: Option<String>,
    /// Lines and their resolved text, because crashes repeat their lines.
    rewritten: Mutex<HashMap<Vec<u8>, Option<Vec<u8>>>>,
}

enum State {
    Unread,
    Failed,
    Read(Box<Symbolizer<'static>>),
}

/// The images that the reports of a log need.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// The release and the build ID of the kernel, if its image is needed.
    kernel: Option<(Option<String>, Option<String>)>,
    /// The modules with their build IDs, in the order of the log.
    modules: Vec<(String, Option<String>)>,
    known: HashSet<String>,
}

impl Needs {
    /// The images of the frames of reports.
    pub(crate) fn of<'r>(reports: impl Iterator<Item = Report<'r>>) -> Self {
        let mut needs = Self::default();
        reports.for_each(|report| needs.add_report(&report));
        needs
    }

    /// Adds the images of the frames of a report.
    pub(crate) fn add_report(&mut self, report: &Report<'_>) {
        let owned = |text: &Option<_>| text.as_deref().map(str::to_owned);
        let kernel = &report.kernel;
        self.kernel.get_or_insert_with(|| (owned(&kernel.release), owned(&kernel.build_id)));
        for frame in report.stacks.iter().flat_map(|stack| &stack.frames) {
            if let Some(module) = &frame.module {
                self.add(module, frame.build_id.as_deref());
            }
        }
    }

    /// Adds the modules behind functions in the lines of a log, and the kernel, because a stack
    /// without a report is resolved too.
    pub(crate) fn of_lines(mut self, log: &[u8]) -> Self {
        self.kernel.get_or_insert_default();
        let finder = memchr::memmem::Finder::new(b"+0x");
        for at in finder.find_iter(log) {
            let rest = log.get(at..).unwrap_or_default();
            let end = memchr::memchr2(b'\n', b' ', rest).unwrap_or(rest.len());
            let Some(name) = rest.get(end..).and_then(|rest| rest.strip_prefix(b" [")) else {
                continue;
            };
            let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-';
            let len = name.iter().take_while(|b| is_name(b)).count();
            let name = name.get(..len).and_then(|name| str::from_utf8(name).ok());
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                self.add(name, None);
            }
        }
        self
    }

    fn add(&mut self, module: &str, build_id: Option<&str>) {
        if self.known.len() < MAX_NEEDED && !self.known.contains(module) {
            self.known.insert(module.to_owned());
            self.modules.push((module.to_owned(), build_id.map(str::to_owned)));
        }
    }
}

impl<'a> Images<'a> {
    pub(crate) fn new(args: &'a args::Images) -> Self {
        Self {
            args,
            state: State::Unread,
            files: None,
            known: HashSet::new(),
            missing: 0,
            release: None,
            rewritten: Mutex::default(),
        }
    }

    pub(crate) fn args(&self) -> &'a args::Images {
        self.args
    }

    /// Returns whether the options contain images.
    pub(crate) fn are_named(&self) -> bool {
        self.args.are_named()
    }

    /// Returns whether the image of the kernel cannot be read.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Reads the images for a log, each once, if the options contain any.
    pub(crate) fn load(&mut self, needs: &Needs) {
        let Some((release, build_id)) = needs.kernel.as_ref().filter(|_| self.are_named()) else {
            return;
        };
        if matches!(self.state, State::Unread) {
            self.release.clone_from(release);
            self.state = match self.open(build_id.as_deref()) {
                Some(symbolizer) => State::Read(Box::new(symbolizer)),
                None => State::Failed,
            };
        }
        for (module, build_id) in &needs.modules {
            self.add(module, build_id.as_deref());
        }
    }

    /// Resolves the frames of a report with the loaded images, if the options contain any.
    /// `Unusable` if there is no image, or with `--strict` if the image is of another build.
    pub(crate) fn annotate(&self, report: &mut Report<'_>) -> Status {
        if !self.are_named() {
            return Status::Done;
        }
        let State::Read(symbolizer) = &self.state else { return Status::Unusable };
        symbolizer.annotate(report);
        let Some(check) = &report.image_check else { return Status::Done };
        if check.verdict != ksplat::model::ImageVerdict::Other {
            return Status::Done;
        }
        for warning in &check.warnings {
            warn("image of another build", warning);
        }
        if self.args.strict { Status::Unusable } else { Status::Done }
    }

    /// Opens the image of the kernel; an error is reported.
    fn open(&self, build_id: Option<&str>) -> Option<Symbolizer<'static>> {
        let named = self.args.vmlinux.as_deref().unwrap_or_else(|| Path::new("auto"));
        let found = if named.as_os_str() == "auto" {
            let release = self.release.as_deref().unwrap_or_default();
            let found = installed(release, build_id).or_else(|| self.fetch(build_id?));
            if found.is_none() {
                let why = if release.is_empty() {
                    "the log has no release; name an image with --vmlinux PATH".to_owned()
                } else {
                    format!("no image of {release} is installed; name one with --vmlinux PATH")
                };
                report_error("--vmlinux auto", &why);
            }
            found?
        } else {
            vmlinux(named)
        };
        let image = match read(&found, self.args.max_image()) {
            Ok(image) => image,
            Err(error) => {
                report_error(&input::name(&found), &error);
                return None;
            }
        };
        if !image.has_debug() {
            let why = "no debug information; functions are resolved, files and lines are not";
            report_error(&input::name(&found), &why);
        }
        let symbolizer = Symbolizer::new(image);
        Some(match self.args.kernel_offset {
            Some(offset) => symbolizer.with_kernel_offset(offset),
            None => symbolizer,
        })
    }

    /// Fetches an image from the servers, with `--debuginfod`.
    fn fetch(&self, build_id: &str) -> Option<PathBuf> {
        if !self.args.may_fetch() {
            return None;
        }
        #[cfg(feature = "debuginfod")]
        return crate::debuginfod::fetch(build_id, self.args);
        #[cfg(not(feature = "debuginfod"))]
        {
            let _ = build_id;
            None
        }
    }

    /// Reads the image of a module, once; a missing one is reported.
    fn add(&mut self, module: &str, build_id: Option<&str>) {
        let module = module.replace('-', "_");
        if !matches!(self.state, State::Read(_)) || self.known.contains(&module) {
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
        // The number of modules with files is bounded by the number of files.
        if paths.is_empty() {
            if self.missing == MAX_MISSING {
                return;
            }
            self.missing += 1;
            if self.missing == MAX_MISSING {
                report_error(
                    "modules",
                    &"too many modules without an image; the others are not searched for",
                );
            }
        }
        self.known.insert(module.clone());
        if paths.is_empty() {
            paths.extend(build_id.and_then(|build_id| self.fetch(build_id)));
        }
        let mut last = None;
        for path in &paths {
            match read(path, args.max_image()) {
                // A stripped image has functions, but another file may have lines as well.
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
            None => report_error(&module, &"no image of this module; its frames are not resolved"),
        }
    }

    /// Returns a line with files and lines; `None` if no symbol in it can be resolved.
    pub(crate) fn rewrite(&self, line: &[u8]) -> Option<Vec<u8>> {
        memchr::memmem::find(line, b"+0x")?;
        let State::Read(symbolizer) = &self.state else { return None };
        // The printk time is unchanged.
        let start = line.iter().position(|b| *b == b']').map_or(0, |at| at + 1);
        let (head, rest) = line.split_at(if line.starts_with(b"[") { start } else { 0 });
        let known = self.rewritten().get(rest).cloned();
        let rewritten = known.unwrap_or_else(|| {
            let rewritten = symbolizer.rewrite(rest);
            let mut known = self.rewritten();
            if known.len() > MAX_REWRITTEN {
                known.clear();
            }
            known.insert(rest.to_owned(), rewritten.clone());
            rewritten
        })?;
        let blank: &[u8] = if head.is_empty() || rewritten.starts_with(b" ") { b"" } else { b" " };
        Some([head, blank, &rewritten].concat())
    }

    fn rewritten(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Option<Vec<u8>>>> {
        self.rewritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The maximum number of lines whose resolved text is kept.
const MAX_REWRITTEN: usize = 1 << 16;

/// Whether a name from a log is safe as a part of a path.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.contains("..") && !name.contains('\0')
}

/// The installed image of a release or a build ID.
fn installed(release: &str, build_id: Option<&str>) -> Option<PathBuf> {
    let by_id = build_id.filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|id| {
        let (start, rest) = id.split_at_checked(2)?;
        Some(Path::new(BUILD_IDS).join(start).join(format!("{rest}.debug")))
    });
    let places = PLACES.iter().filter(|_| is_plain(release));
    let by_release = places.map(|place| PathBuf::from(place.replace("{}", release)));
    by_id.into_iter().chain(by_release).find(|path| path.is_file())
}

/// The image in a build tree, or the named file.
fn vmlinux(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("vmlinux") } else { path.to_owned() }
}

/// Reads an image, which lives until the program ends and may unpack to `most` bytes.
fn read(path: &Path, most: u64) -> Result<Image<'static>, Box<dyn std::error::Error>> {
    let data: &'static [u8] = Box::leak(Box::new(input::map(path, most)?));
    if !data.starts_with(b"\x7fELF") {
        return Ok(Image::parse_list(data)?);
    }
    let image = Image::parse(data)?.with_max_unpacked(most);
    if let Err(error) = image.check_unpacked() {
        report_error(&input::name(path), &error);
    }
    Ok(image)
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
            // A link to a directory may close a cycle.
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
    fn only_plain_names_of_a_log_are_parts_of_paths() {
        for name in ["6.1.0-50-amd64", "6.1.0-rc1+", "a b"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "..", "6.1/../../etc", "/etc", "a/b", "a\0b", "6..1"] {
            assert!(!is_plain(name), "{name:?}");
            assert_eq!(installed(name, Some("../../etc/passwd")), None);
        }
    }
}
