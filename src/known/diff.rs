//! The changes of a patch: files, functions, and a hash of its lines.

use crate::fingerprint::Stable;

/// The maximum number of files and functions of a change that are kept; a change with more is a
/// mass rename.
const MAX_NAMES: usize = 32;

/// The maximum number of bytes of a name.
const MAX_NAME: usize = 256;

/// Reads the lines of a unified diff.
#[derive(Debug, Default)]
pub struct Changes {
    /// The files, by their names after the change.
    pub files: Vec<String>,
    /// The functions that git prints above the changed lines.
    pub functions: Vec<String>,
    hasher: Option<Stable>,
    /// The remaining lines of a hunk: removed, added.
    left: (u32, u32),
    /// The name before the change.
    old: Option<String>,
}

impl Changes {
    /// Reads the next line.
    pub fn line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            Some(b'-') if self.left.0 > 0 => self.left.0 -= 1,
            Some(b'+') if self.left.1 > 0 => self.left.1 -= 1,
            // Mail programs cut the blank of an empty line.
            Some(b' ') | None if self.left.0 > 0 && self.left.1 > 0 => {
                self.left.0 -= 1;
                self.left.1 -= 1;
                return;
            }
            _ => return self.head(line),
        }
        let hasher = self.hasher.get_or_insert_with(Stable::new);
        hasher
            .bytes(&line.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>());
    }

    fn head(&mut self, line: &[u8]) {
        let name = |rest: &[u8]| {
            let end = rest.iter().position(|b| *b == b'\t').unwrap_or(rest.len());
            let name = rest.get(..end)?;
            let name = name.strip_prefix(b"a/").or_else(|| name.strip_prefix(b"b/"))?;
            (name.len() <= MAX_NAME).then(|| String::from_utf8_lossy(name).into_owned())
        };
        if let Some(rest) = line.strip_prefix(b"--- ") {
            self.old = name(rest);
        } else if let Some(rest) = line.strip_prefix(b"+++ ") {
            // A deleted file has only its old name.
            if let Some(file) = name(rest).or_else(|| self.old.take()) {
                add(&mut self.files, file);
            }
        } else if let Some(rest) = line.strip_prefix(b"@@ -") {
            self.hunk(rest);
        }
    }

    fn hunk(&mut self, rest: &[u8]) {
        let text =
            String::from_utf8_lossy(rest.get(..rest.len().min(MAX_NAME)).unwrap_or_default());
        let Some((ranges, context)) = text.split_once(" @@") else { return };
        let Some((old, new)) = ranges.split_once(" +") else { return };
        let count = |range: &str| match range.split_once(',') {
            Some((_, count)) => count.parse().unwrap_or(0),
            None => 1,
        };
        self.left = (count(old), count(new));
        if let Some(function) = function(context) {
            add(&mut self.functions, function.to_owned());
        }
    }

    /// Adds a file of which only the name is known.
    pub fn file(&mut self, name: &[u8]) {
        if name.len() <= MAX_NAME {
            add(&mut self.files, String::from_utf8_lossy(name).into_owned());
        }
    }

    /// Returns a hash of the removed and added lines without blanks: equal for a patch and its
    /// commit.
    pub fn hash(&self) -> Option<u64> {
        self.hasher.as_ref().map(Stable::finish)
    }
}

fn add(names: &mut Vec<String>, name: String) {
    if names.len() < MAX_NAMES && !names.contains(&name) {
        names.push(name);
    }
}

/// The function in the text behind a hunk: the name before the first parenthesis.
fn function(context: &str) -> Option<&str> {
    let (before, _) = context.split_once('(')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = before.trim_end();
    let start = before.rfind(|c: char| !is_name(c)).map_or(0, |at| at + 1);
    let name = before.get(start..)?;
    let is_function = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_function && !matches!(name, "__attribute__" | "if" | "while" | "for")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(diff: &str) -> Changes {
        let mut changes = Changes::default();
        diff.lines().for_each(|line| changes.line(line.as_bytes()));
        changes
    }

    #[test]
    fn a_diff_names_files_and_functions() {
        let read = changes(
            "diff --git a/fs/cm.c b/fs/cm.c\n--- a/fs/cm.c\n+++ b/fs/cm.c\n\
             @@ -3 +3 @@ static int cm_read(struct file *f,\n-\told(\n+++ b/no/file.c\n\
             @@ -9,0 +10 @@ struct cm {\n+\tint a;\n\
             --- a/gone.c\n+++ /dev/null\n",
        );
        assert_eq!(read.files, ["fs/cm.c", "gone.c"]);
        assert_eq!(read.functions, ["cm_read"]);
    }

    #[test]
    fn a_patch_has_the_hash_of_its_commit() {
        let commit = changes("--- a/a.c\n+++ b/a.c\n@@ -3 +3 @@ f(\n-\told;\n+\tnew;\n");
        let patch = changes(
            "--- a/a.c\n+++ b/a.c\n@@ -2,3 +2,3 @@ f(\n x\n-\told;\n+\tnew;\n y\n-- \n2.47\n",
        );
        assert!(commit.hash().is_some());
        assert_eq!(commit.hash(), patch.hash());
        let other = changes("--- a/a.c\n+++ b/a.c\n@@ -3 +3 @@ f(\n-\told;\n+\tother;\n");
        assert_ne!(commit.hash(), other.hash());
    }
}
