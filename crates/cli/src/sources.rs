//! Lines of source files around the frames of a stack.

use std::fmt::Write;
use std::fs;
use std::path::{Component, Path, PathBuf};

use ksplat::Report;
use ksplat::output::escape;

use crate::args::Images;

/// The most places of a stack whose source is shown.
const MAX_SOURCES: usize = 8;

/// The most lines of source that one place may show before and after.
const MAX_CONTEXT: usize = 100;

/// What files of source are called behind their names.
const SOURCES: [&str; 4] = ["c", "h", "S", "rs"];

/// The most bytes of a file of source; the kernel's longest have 20 MB.
const MAX_SOURCE: u64 = 64 << 20;

/// The lines of the source around the places of the crash's stack.
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

/// A file of source below a tree. The path is the image's or, where no image resolved the frame, the
/// log's: it may not lead out of the tree, by `..` or by a link, nor to anything but source.
fn below(tree: &Path, file: &str) -> Option<PathBuf> {
    if !Path::new(file).components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let path = tree.join(file).canonicalize().ok()?;
    // Where it is in fact: links were followed.
    let inside = path.strip_prefix(tree.canonicalize().ok()?).ok()?;
    let is_hidden = inside.iter().any(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = inside.extension()?;
    let is_source = !is_hidden && SOURCES.iter().any(|known| ending == *known);
    let metadata = fs::metadata(&path).ok().filter(|_| is_source)?;
    (metadata.is_file() && metadata.len() <= MAX_SOURCE).then_some(path)
}

/// The lines around one of a file below a source tree; none where there is no such file.
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
