//! Writes the bytes of an atlas.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::maintainers::Maintainers;
use crate::atlas::FileClass;
use crate::atlas::format::{
    self, CHECKSUM, COVERED, HEAD, MAGIC, MARKED, MAX_ALL_FILES, MAX_FILES, NO_SECTION, Part,
    SECTIONS_OF_FILE, VERSION,
};

/// The files of each name with the number of their tree.
type Names = BTreeMap<String, Vec<(u32, u32)>>;

/// The average number of entries of a bucket.
const OF_BUCKET: usize = 16;

/// The parts, in their order.
type Parts = [Vec<u8>; Part::ALL.len()];

/// An atlas of names and files.
pub(super) fn atlas(
    names: Names,
    paths: &BTreeMap<String, u32>,
    maintainers: &Maintainers,
) -> Vec<u8> {
    let mut parts = Parts::default();
    let is_known = |path: &str| paths.contains_key(path);
    sections(&mut parts, maintainers, is_known);
    let order = files(&mut parts, paths, maintainers);
    entries(&mut parts, names, &order);
    assemble(&parts)
}

fn put(parts: &mut Parts, part: Part, bytes: &[u8]) {
    if let Some(part) = parts.get_mut(part as usize) {
        part.extend_from_slice(bytes);
    }
}

fn len(parts: &Parts, part: Part) -> usize {
    parts.get(part as usize).map_or(0, Vec::len)
}

fn mark(parts: &mut Parts, marks: Part, text: Part) {
    let at = u32::try_from(len(parts, text)).unwrap_or(u32::MAX);
    put(parts, marks, &at.to_le_bytes());
}

/// Writes the files sorted by path, and returns the new number of each.
fn files(parts: &mut Parts, paths: &BTreeMap<String, u32>, maintainers: &Maintainers) -> Vec<u32> {
    let mut order = vec![u32::MAX; paths.len()];
    let mut directories = 0_u16;
    let mut directory = None::<String>;
    let mut sets = HashMap::<Vec<u16>, u16>::new();
    for (number, (path, old)) in paths.iter().take(MAX_ALL_FILES).enumerate() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if directory.as_deref() != Some(folder) {
            if directories == u16::MAX {
                break;
            }
            directories += 1;
            mark(parts, Part::DirectoryMarks, Part::DirectoryText);
            put(parts, Part::DirectoryText, folder.as_bytes());
            directory = Some(folder.to_owned());
        }
        if number % MARKED == 0 {
            mark(parts, Part::FileMarks, Part::FileNames);
        }
        put(parts, Part::FileNames, &[u8::try_from(name.len()).unwrap_or(0)]);
        put(parts, Part::FileNames, name.as_bytes());
        let mut of_file = maintainers.of(path);
        of_file.resize(SECTIONS_OF_FILE, NO_SECTION);
        let next = u16::try_from(sets.len()).unwrap_or(NO_SECTION);
        let set = *sets.entry(of_file.clone()).or_insert_with(|| {
            for section in of_file {
                put(parts, Part::Sets, &section.to_le_bytes());
            }
            next
        });
        put(parts, Part::Files, &(directories - 1).to_le_bytes());
        let class = FileClass::ALL.iter().position(|class| *class == FileClass::of(path));
        put(parts, Part::Files, &[class.and_then(|class| u8::try_from(class).ok()).unwrap_or(0)]);
        put(parts, Part::Files, &set.to_le_bytes());
        if let Some(slot) = order.get_mut(*old as usize) {
            *slot = u32::try_from(number).unwrap_or(u32::MAX);
        }
    }
    mark(parts, Part::DirectoryMarks, Part::DirectoryText);
    order
}

/// Writes buckets, marks, values and lists.
fn entries(parts: &mut Parts, names: Names, order: &[u32]) {
    let buckets = (names.len() / OF_BUCKET).max(1);
    let mut entries = BTreeMap::<(usize, u16), Vec<(u32, u32)>>::new();
    for (name, mut files) in names {
        for (_, file) in &mut files {
            *file = order.get(*file as usize).copied().unwrap_or(u32::MAX);
        }
        files.retain(|(_, file)| *file != u32::MAX);
        if !files.is_empty() {
            entries.entry(format::place(&name, buckets)).or_default().extend(files);
        }
    }
    let mut lists = Lists::default();
    for files in entries.values_mut() {
        files.sort_unstable();
        files.truncate(MAX_FILES);
        lists.add(files);
    }
    let file_count = len(parts, Part::Files) / format::FILE;
    let numbers = lists.write(parts, file_count);
    let is_narrow = u16::try_from(file_count + numbers.len()).is_ok();
    let width = if is_narrow { 2 } else { 3 };
    let mut bucket = 0;
    let mut starts = vec![0_u32];
    for (number, ((place, mark), files)) in entries.into_iter().enumerate() {
        while bucket < place {
            bucket += 1;
            starts.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
        let value = match files.as_slice() {
            [(_, one)] => *one,
            _ => numbers.get(&numbers_of(&files)).copied().unwrap_or(u32::MAX),
        };
        put(parts, Part::Marks, &mark.to_le_bytes());
        put(parts, Part::Values, value.to_le_bytes().get(..width).unwrap_or_default());
    }
    let count = u32::try_from(len(parts, Part::Marks) / 2).unwrap_or(u32::MAX);
    starts.resize(buckets + 1, count);
    for start in starts {
        put(parts, Part::Buckets, &start.to_le_bytes());
    }
}

fn numbers_of(files: &[(u32, u32)]) -> Vec<u16> {
    files.iter().map(|(_, file)| u16::try_from(*file).unwrap_or(u16::MAX)).collect()
}

/// Lists of files, by length.
#[derive(Debug, Default)]
struct Lists {
    of_length: BTreeMap<usize, BTreeSet<Vec<u16>>>,
}

impl Lists {
    fn add(&mut self, files: &[(u32, u32)]) {
        if files.len() > 1 {
            self.of_length.entry(files.len()).or_default().insert(numbers_of(files));
        }
    }

    /// Writes the lists, and returns the value of each.
    fn write(self, parts: &mut Parts, file_count: usize) -> HashMap<Vec<u16>, u32> {
        let mut values = HashMap::new();
        for length in 2..=MAX_FILES {
            let lists = self.of_length.get(&length);
            let count = u32::try_from(lists.map_or(0, BTreeSet::len)).unwrap_or(u32::MAX);
            put(parts, Part::ListCounts, &count.to_le_bytes());
            for list in lists.into_iter().flatten() {
                for file in list {
                    put(parts, Part::Lists, &file.to_le_bytes());
                }
                let value = u32::try_from(file_count + values.len()).unwrap_or(u32::MAX);
                values.insert(list.clone(), value);
            }
        }
        values
    }
}

/// Writes the sections of MAINTAINERS, and the patterns that match unknown files.
fn sections(parts: &mut Parts, maintainers: &Maintainers, is_known: impl Fn(&str) -> bool) {
    let mut patterns = Vec::new();
    let mut mails = HashMap::<&str, u16>::new();
    for (number, section) in (0_u16..).zip(&maintainers.sections) {
        mark(parts, Part::Sections, Part::SectionText);
        let text = [section.status.as_str(), section.name.as_str(), ""].join("\t");
        put(parts, Part::SectionText, text.as_bytes());
        for list in &section.lists {
            let next = u16::try_from(mails.len()).unwrap_or(u16::MAX);
            let mail = *mails.entry(list).or_insert_with(|| {
                mark(parts, Part::MailMarks, Part::MailText);
                put(parts, Part::MailText, list.as_bytes());
                next
            });
            put(parts, Part::SectionText, &mail.to_le_bytes());
        }
        for (pattern, excluded) in &section.files {
            // A directory is a known path where it is that of a module.
            let is_file = !pattern.ends_with('/') && is_known(pattern);
            if !pattern.starts_with("Documentation") && !is_file {
                let text =
                    if *excluded { [pattern.as_str(), "!"].concat() } else { pattern.clone() };
                patterns.push((text, number));
            }
        }
    }
    mark(parts, Part::Sections, Part::SectionText);
    mark(parts, Part::MailMarks, Part::MailText);
    patterns.sort();
    let mut before = String::new();
    for (text, number) in patterns {
        let shared = before.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count().min(255);
        let rest = text.as_bytes().get(shared..).unwrap_or_default();
        let [low, high] = number.to_le_bytes();
        let counts = [shared, rest.len()].map(|count| u8::try_from(count).unwrap_or(0));
        put(parts, Part::Patterns, &[counts[0], counts[1], low, high]);
        put(parts, Part::Patterns, rest);
        before = text;
    }
}

/// The head and the parts.
fn assemble(parts: &Parts) -> Vec<u8> {
    let total: usize = HEAD + parts.iter().map(Vec::len).sum::<usize>();
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&(total as u64).to_le_bytes());
    let mut at = HEAD;
    for part in parts {
        for place in [at, at + part.len()] {
            bytes.extend_from_slice(&u32::try_from(place).unwrap_or(u32::MAX).to_le_bytes());
        }
        at += part.len();
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    seal(&mut bytes);
    bytes
}

/// Writes the magic bytes, the version, the length and the checksum of an atlas again. Tests use it to
/// damage bytes behind the checksum.
pub fn seal(bytes: &mut [u8]) {
    let total = bytes.len() as u64;
    let mut put = |at: usize, value: &[u8]| {
        if let Some(slot) = bytes.get_mut(at..at + value.len()) {
            slot.copy_from_slice(value);
        }
    };
    put(0, MAGIC);
    put(MAGIC.len(), &VERSION.to_le_bytes());
    put(COVERED, &total.to_le_bytes());
    let sum = format::checksum(bytes.get(COVERED..).unwrap_or_default());
    if let Some(slot) = bytes.get_mut(CHECKSUM..COVERED) {
        slot.copy_from_slice(&sum.to_le_bytes());
    }
}
