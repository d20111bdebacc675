//! Sections of MAINTAINERS for a file, without people.

use super::Atlas;
use super::format::{NO_SECTION, Part, SECTIONS_OF_FILE, u16_at, u32_at};
use crate::order;

/// A section of MAINTAINERS.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Section<'a> {
    /// The subsystem: `NILFS2 FILESYSTEM`.
    pub name: &'a str,
    /// `Supported`, `Maintained`, `Odd Fixes`, `Orphan`, `Obsolete`.
    pub status: &'a str,
    /// The numbers of the mailing lists.
    lists: &'a [[u8; 2]],
    atlas: Atlas<'a>,
}

impl<'a> Section<'a> {
    /// The addresses of the mailing lists.
    pub fn lists(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let atlas = self.atlas;
        self.lists.iter().filter_map(move |number| atlas.mail(u16::from_le_bytes(*number)))
    }
}

impl<'a> Atlas<'a> {
    /// The sections of the file at a path, the most specific first. The patterns decide for files that
    /// the atlas lacks.
    pub fn sections(&self, path: &str) -> Vec<Section<'a>> {
        // An atlas has no patterns of single files that it knows.
        if let Some(file) = self.file_at(path) {
            return file.sections().collect();
        }
        let numbers = self.patterns_of(path);
        numbers.into_iter().filter_map(|number| self.section(number)).collect()
    }

    /// The sections of a set.
    pub(super) fn sections_of_set(&self, set: u16) -> impl Iterator<Item = Section<'a>> + use<'a> {
        let atlas = *self;
        (0..SECTIONS_OF_FILE).filter_map(move |at| {
            let number = u16_at(atlas.part(Part::Sets), usize::from(set) * SECTIONS_OF_FILE + at)?;
            atlas.section(number)
        })
    }

    fn section(&self, number: u16) -> Option<Section<'a>> {
        if number == NO_SECTION {
            return None;
        }
        let marks = self.part(Part::Sections);
        let start = u32_at(marks, usize::from(number))? as usize;
        let end = u32_at(marks, usize::from(number) + 1)? as usize;
        let bytes = self.part(Part::SectionText).get(start..end)?;
        let mut fields = bytes.splitn(3, |byte| *byte == b'\t');
        let mut text = || fields.next().and_then(|text| std::str::from_utf8(text).ok());
        let (status, name) = (text()?, text()?);
        Some(Section { name, status, lists: fields.next()?.as_chunks().0, atlas: *self })
    }

    /// The address of a mailing list.
    fn mail(&self, number: u16) -> Option<&'a str> {
        let marks = self.part(Part::MailMarks);
        let start = u32_at(marks, usize::from(number))? as usize;
        let end = u32_at(marks, usize::from(number) + 1)? as usize;
        std::str::from_utf8(self.part(Part::MailText).get(start..end)?).ok()
    }

    /// The sections whose patterns match a path, the most specific first.
    fn patterns_of(&self, path: &str) -> Vec<u16> {
        let mut text = Vec::new();
        let mut rest = self.part(Part::Patterns);
        let mut found = Found::default();
        // The offset at which the last pattern differs from the path: patterns that share more with
        // it do not match either. Most are skipped so.
        let mut differs = usize::MAX;
        while let Some((head, tail)) = rest.split_first_chunk::<4>() {
            let [shared, other, low, high] = *head;
            let Some((bytes, behind)) = tail.split_at_checked(usize::from(other)) else { break };
            rest = behind;
            if usize::from(shared) > differs {
                continue;
            }
            text.truncate(usize::from(shared));
            text.extend_from_slice(bytes);
            let (excluded, pattern) = match text.split_last() {
                Some((b'!', pattern)) => (true, pattern),
                _ => (false, text.as_slice()),
            };
            differs = difference(pattern, path.as_bytes());
            if fits(pattern, path.as_bytes()) {
                found.add(u16::from_le_bytes([low, high]), excluded, pattern);
            }
        }
        found.sorted()
    }
}

/// Sections with matching patterns, and how specific these are.
#[derive(Debug, Default)]
pub(super) struct Found {
    found: Vec<(usize, u16)>,
    excluded: Vec<u16>,
}

impl Found {
    pub(super) fn add(&mut self, section: u16, excluded: bool, pattern: &[u8]) {
        if excluded {
            self.excluded.push(section);
        } else {
            let depth = memchr::memchr_iter(b'/', pattern).count();
            let exact = !pattern.ends_with(b"/") && !pattern.contains(&b'*');
            self.found
                .push((1000 * usize::from(exact) + 10 * depth + pattern.len().min(9), section));
        }
    }

    /// The sections, the most specific first, each once.
    pub(super) fn sorted(mut self) -> Vec<u16> {
        order::sort_by(&mut self.found, |a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut numbers = Vec::new();
        for (_, section) in self.found {
            if !self.excluded.contains(&section) && !numbers.contains(&section) {
                numbers.push(section);
            }
        }
        numbers
    }
}

/// Returns the offset at which the literal start of a pattern differs from a path; `usize::MAX` if it does not.
fn difference(pattern: &[u8], path: &[u8]) -> usize {
    let literal = memchr::memchr2(b'*', b'?', pattern).unwrap_or(pattern.len());
    let equal = pattern.iter().zip(path).take_while(|(a, b)| a == b).count();
    if equal < literal { equal } else { usize::MAX }
}

/// Returns whether a pattern of MAINTAINERS matches a path. A trailing slash matches everything below the
/// directory; `*` matches any characters except slashes, `?` matches one of them.
pub(super) fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let below = pattern.ends_with(b"/");
    let (mut at, mut pos) = (0, 0);
    // The position of the last `*`, and the end of its match in the path.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let matched = match (pattern.get(at), path.get(pos)) {
            (None, None) => return true,
            (None, Some(_)) if below => return true,
            (Some(b'*'), _) => {
                star = Some((at, pos));
                at += 1;
                continue;
            }
            (Some(b'?'), Some(byte)) => *byte != b'/',
            (Some(known), Some(byte)) => known == byte,
            _ => false,
        };
        if matched {
            at += 1;
            pos += 1;
            continue;
        }
        let Some((known, reach)) = star else { return false };
        if path.get(reach).is_none_or(|byte| *byte == b'/') {
            return false;
        }
        star = Some((known, reach + 1));
        at = known + 1;
        pos = reach + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "atlas")]
    #[test]
    fn ok_skipped_patterns_do_not_match() {
        let atlas = Atlas::builtin();
        let all = |path: &str| {
            let (mut text, mut rest) = (Vec::new(), atlas.part(Part::Patterns));
            let mut found = Found::default();
            while let Some((&[shared, other, low, high], tail)) = rest.split_first_chunk::<4>() {
                let (bytes, behind) = tail.split_at(usize::from(other));
                text.truncate(usize::from(shared));
                text.extend_from_slice(bytes);
                rest = behind;
                let pattern = text.strip_suffix(b"!").unwrap_or(&text);
                if fits(pattern, path.as_bytes()) {
                    let number = u16::from_le_bytes([low, high]);
                    found.add(number, pattern.len() < text.len(), pattern);
                }
            }
            found.sorted()
        };
        let mut matches = 0;
        for path in [
            "fs/nilfs2/new.c",
            "fs/new.c",
            "drivers/net/ethernet/intel/new/new.c",
            "drivers/clk/clk-aspeed-new.c",
            "arch/x86/kvm/new.c",
            "include/linux/bpf_new.h",
            "net/new/a.c",
            "lib/new.c",
            "new",
            "",
        ] {
            let expected = all(path);
            assert_eq!(atlas.patterns_of(path), expected, "{path}");
            matches += expected.len();
        }
        assert!(matches > 10, "{matches}");
    }

    #[test]
    fn ok_fits() {
        for (pattern, path, want) in [
            ("fs/nilfs2/", "fs/nilfs2/dat.c", true),
            ("fs/nilfs2/", "fs/nilfs/dat.c", false),
            ("fs/*", "fs/open.c", true),
            ("fs/*", "fs/ext4/inode.c", false),
            ("drivers/scsi/3w-*", "drivers/scsi/3w-sas.c", true),
            ("*/net/*", "a/net/b.c", true),
            ("drivers/*/*aspeed*", "drivers/clk/clk-aspeed.c", true),
            ("drivers/*/*aspeed*/", "drivers/clk/aspeed/a/b.c", true),
            ("lib/a.c", "lib/a.c", true),
            ("lib/a.c", "lib/a.cc", false),
            ("lib/?.c", "lib/a.c", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), path.as_bytes()), want, "{pattern} {path}");
        }
    }
}
