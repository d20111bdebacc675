//! Lines of source files around the frames of a stack.

use std::fmt::Write;
use std::fs;
use std::path::{Component, Path, PathBuf};

use ksplat::Report;
use ksplat::output::escape;

use crate::args::Images;

/// The maximum number of frames whose source is printed.
const MAX_SOURCES: usize = 8;

/// The maximum of `--context`.
const MAX_CONTEXT: usize = 100;

/// The extensions of source files.
const SOURCES: [&str; 4] = ["c", "h", "S", "rs"];

/// The maximum size of a source file in bytes; the longest of the kernel have 20 MB.
const MAX_SOURCE: u64 = 64 << 20;

/// The source lines around the frames of the crash stack.
pub(crate) fn around(images: &Images, report: &Report<'_>) -> String {
    let (Some(tree), Some(stack)) = (&images.source, report.crash_stack()) else {
        return String::new();
    };
    let mut page = String::new();
    let places = stack
        .frames
        .iter()
        .filter(|frame| frame.reliable)
        .filter_map(|frame| Some((frame.file.as_deref()?, usize::try_from(frame.line?).ok()?)));
    for (file, line) in places.take(MAX_SOURCES) {
        if let Some(lines) = excerpt(tree, file, line, images.context) {
            page.push_str(&lines);
        }
    }
    page
}

/// A source file in a tree. The path comes from the image, or from the log where no image resolved the frame.
/// A path out of the tree, by `..` or a link, and a file of another kind are rejected.
fn below(tree: &Path, file: &str) -> Option<PathBuf> {
    if !Path::new(file).components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let path = tree.join(file).canonicalize().ok()?;
    // Links are resolved first.
    let inside = path.strip_prefix(tree.canonicalize().ok()?).ok()?;
    let is_hidden = inside.iter().any(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = inside.extension()?;
    let is_source = !is_hidden && SOURCES.iter().any(|known| ending == *known);
    let metadata = fs::metadata(&path).ok().filter(|_| is_source)?;
    (metadata.is_file() && metadata.len() <= MAX_SOURCE).then_some(path)
}

/// The source lines around a line; `None` if the tree has no such file.
fn excerpt(tree: &Path, file: &str, line: usize, context: usize) -> Option<String> {
    let text = fs::read(below(tree, file)?).ok()?;
    let context = context.min(MAX_CONTEXT);
    let first = line.saturating_sub(context).max(1);
    let mut page = format!("  {}:{line}\n", escape::escape(file));
    let lines = text.split(|b| *b == b'\n').enumerate().skip(first - 1);
    let last = line.saturating_add(context);
    for (index, text) in lines.take(last.saturating_sub(first).saturating_add(1)) {
        let mark = if index + 1 == line { '>' } else { ' ' };
        let text = String::from_utf8_lossy(text).replace('\t', "        ");
        let _ = writeln!(page, "  {mark}{:6} {}", index + 1, escape::escape(text.trim_end()));
    }
    Some(page)
}
