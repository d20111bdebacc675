//! Reads MAINTAINERS: subsystems, their status, lists and files. People are left out.

use crate::atlas::maintainers::{Found, fits};

/// A section.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) lists: Vec<String>,
    /// Maintainers and reviewers, which no atlas contains.
    pub(super) people: Vec<String>,
    /// The patterns, and whether each excludes.
    pub(super) files: Vec<(String, bool)>,
}

/// The sections of a tree that have files.
#[derive(Debug, Default)]
pub(super) struct Maintainers {
    pub(super) sections: Vec<Entry>,
}

/// The maximum number of people of a section.
const MAX_PEOPLE: usize = 16;

/// The maximum length of a pattern and of a text.
const MAX_TEXT: usize = 200;

impl Maintainers {
    /// Reads the text of a tree's MAINTAINERS.
    pub(super) fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut sections = Vec::new();
        let mut entry = Entry::default();
        for line in text.lines().chain([""]) {
            if line.trim().is_empty() {
                let done = std::mem::take(&mut entry);
                if !done.files.is_empty() && done.name != "THE REST" {
                    sections.push(done);
                }
                continue;
            }
            match line.split_at_checked(2) {
                Some((tag, value)) if tag.ends_with(':') => entry.field(tag, value.trim()),
                _ if entry.files.is_empty() && !line.starts_with(['\t', ' ']) => {
                    entry = Entry { name: clean(line), ..Entry::default() };
                }
                _ => {}
            }
        }
        sections.truncate(usize::from(u16::MAX) - 1);
        Self { sections }
    }

    /// The sections of a path, the most specific first.
    pub(super) fn of(&self, path: &str) -> Vec<u16> {
        let mut found = Found::default();
        for (number, section) in (0_u16..).zip(&self.sections) {
            for (pattern, excluded) in &section.files {
                if fits(pattern.as_bytes(), path.as_bytes()) {
                    found.add(number, *excluded, pattern.as_bytes());
                }
            }
        }
        found.sorted()
    }
}

/// The maintainers and reviewers in the MAINTAINERS of a user's tree.
///
/// ```
/// use ksplat::atlas::build::People;
///
/// let people = People::read(b"CM\nM:\tA Person <person@example.org>\nF:\tfs/cm/\n");
/// assert_eq!(people.of("fs/cm/dir.c"), ["A Person <person@example.org>"]);
/// ```
#[derive(Debug)]
pub struct People(Maintainers);

impl People {
    /// Reads the text of MAINTAINERS.
    pub fn read(text: &[u8]) -> Self {
        Self(Maintainers::read(text))
    }

    /// The maintainers and reviewers of the file at a path, by its most specific section.
    pub fn of(&self, path: &str) -> Vec<&str> {
        let section = self.0.of(path).first().copied();
        let entry = section.and_then(|number| self.0.sections.get(usize::from(number)));
        entry.map(|entry| entry.people.iter().map(String::as_str).collect()).unwrap_or_default()
    }
}

impl Entry {
    fn field(&mut self, tag: &str, value: &str) {
        match tag {
            "S:" => self.status = clean(value),
            "L:" => {
                // `linux-a@example.org (moderated for non-subscribers)`
                let list = value.split_ascii_whitespace().next().unwrap_or_default();
                let list = clean(list.trim_matches(['<', '>', ',']));
                if list.contains('@') && self.lists.len() < 4 {
                    self.lists.push(list);
                }
            }
            "M:" | "R:" if self.people.len() < MAX_PEOPLE => self.people.push(clean(value)),
            "F:" | "X:" if value.len() <= MAX_TEXT && !value.is_empty() => {
                self.files.push((value.to_owned(), tag == "X:"));
            }
            _ => {}
        }
    }
}

/// A text in one line, without the tabs that separate fields of an atlas.
fn clean(text: &str) -> String {
    let text: String =
        text.chars().filter(|c| !c.is_control() && *c != ',').take(MAX_TEXT).collect();
    text.trim().to_owned()
}
