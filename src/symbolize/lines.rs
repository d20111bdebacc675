//! The line table of a unit.

use std::borrow::Cow;

use gimli::{AttributeValue, Dwarf, UnitRef};

use super::image::Reader;

/// The line table of a unit, sorted by address.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) rows: Vec<Row>,
    /// The directories and files as the header has them; paths are made of few of them.
    directories: Vec<Text>,
    pub(super) files: Vec<(Text, usize)>,
}

/// A text of the debug information, by where it stands.
#[derive(Clone)]
pub(super) enum Text {
    String(gimli::DebugStrOffset),
    LineString(gimli::DebugLineStrOffset),
    Own(Box<str>),
}

impl Text {
    fn new<'a>(unit: UnitRef<'_, Reader<'a>>, value: AttributeValue<Reader<'a>>) -> Self {
        match value {
            AttributeValue::DebugStrRef(offset) => Self::String(offset),
            AttributeValue::DebugLineStrRef(offset) => Self::LineString(offset),
            value => Self::Own(text(unit, value).unwrap_or_default().into()),
        }
    }

    fn get<'a>(&'a self, dwarf: &Dwarf<Reader<'a>>) -> Cow<'a, str> {
        let found = match self {
            Self::Own(text) => return Cow::Borrowed(text),
            Self::String(offset) => dwarf.string(*offset),
            Self::LineString(offset) => dwarf.line_string(*offset),
        };
        found.map(|text| String::from_utf8_lossy(text.slice())).unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) address: u64,
    /// Index in the files; none behind the end of a sequence.
    pub(super) file: Option<u32>,
    pub(super) line: u32,
    pub(super) column: u32,
}

pub(super) fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

pub(super) fn text<'a>(
    unit: UnitRef<'_, Reader<'a>>,
    value: AttributeValue<Reader<'a>>,
) -> Option<String> {
    let text = unit.attr_string(value).ok()?;
    Some(String::from_utf8_lossy(text.slice()).into_owned())
}

impl Row {
    fn new(row: &gimli::LineRow) -> Self {
        Self {
            address: row.address(),
            file: u32::try_from(row.file_index()).ok(),
            line: row.line().map_or(0, |line| narrow(line.get())),
            column: match row.column() {
                gimli::ColumnType::LeftEdge => 0,
                gimli::ColumnType::Column(column) => narrow(column.get()),
            },
        }
    }
}

impl Lines {
    pub(super) fn new(unit: UnitRef<'_, Reader<'_>>) -> Result<Self, gimli::Error> {
        let Some(program) = unit.line_program.clone() else { return Ok(Self::default()) };
        let mut rows: Vec<Row> = Vec::new();
        // Where the sequences begin, as they may come in any order.
        let mut starts = vec![0];
        let mut state = program.rows();
        while let Some((_, row)) = state.next_row()? {
            let address = row.address();
            let start = starts.last().copied().unwrap_or_default();
            let mut found = Row::new(row);
            if row.end_sequence() {
                found.file = None;
                // What was thrown away is at 0.
                let is_kept = rows.get(start).is_some_and(|row| row.address != 0);
                if is_kept {
                    rows.push(found);
                    starts.push(rows.len());
                } else {
                    rows.truncate(start);
                }
                continue;
            }
            let last = (rows.len() > start).then(|| rows.last_mut()).flatten();
            match last.filter(|last| last.address >= address) {
                // The last row of an address counts.
                Some(last) if last.address == address => *last = found,
                Some(_) => {}
                None => rows.push(found),
            }
        }
        rows.truncate(starts.last().copied().unwrap_or_default());
        let is_sorted = |pair: &[Row]| matches!(pair, [a, b] if a.address <= b.address);
        if !rows.windows(2).all(is_sorted) {
            let mut sequences: Vec<&[Row]> = starts
                .windows(2)
                .filter_map(|pair| rows.get(*pair.first()?..*pair.last()?))
                .collect();
            sequences.sort_by_key(|rows| rows.first().map(|row| row.address));
            rows = sequences.concat();
        }
        let header = state.header();
        let directories = header.include_directories().iter().map(|value| Text::new(unit, *value));
        let mut files = Vec::with_capacity(header.file_names().len() + 1);
        // DWARF 5 counts files from 0, earlier versions from 1; directory 0 is the unit's there too.
        let is_old = header.encoding().version < 5;
        if is_old {
            files.push((Text::Own(Box::default()), 0));
        }
        files.extend(header.file_names().iter().map(|file| {
            let directory = usize::try_from(file.directory_index()).unwrap_or(0);
            (Text::new(unit, file.path_name()), directory)
        }));
        let own = is_old.then(|| Text::Own(Box::default()));
        Ok(Self { rows, directories: own.into_iter().chain(directories).collect(), files })
    }

    pub(super) fn at(&self, address: u64) -> Option<&Row> {
        let after = self.rows.partition_point(|row| row.address <= address);
        self.rows.get(after.checked_sub(1)?).filter(|row| row.file.is_some())
    }

    /// The path of a file, from the root where that is known, without `.` and `..`.
    pub(super) fn path(&self, dwarf: &Dwarf<Reader<'_>>, start: &str, file: u64) -> Option<String> {
        let (name, directory) = self.files.get(usize::try_from(file).ok()?)?;
        let mut path = start.to_owned();
        let directory = self.directories.get(*directory).filter(|_| *directory != 0);
        for part in directory.into_iter().chain([name]) {
            let part = part.get(dwarf);
            if part.starts_with('/') {
                path.clear();
            } else if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&part);
        }
        Some(plain(path)).filter(|path| !path.is_empty())
    }
}

/// A path without `.` and `..`.
fn plain(path: String) -> String {
    let is_plain = !path.split('/').any(|part| matches!(part, "." | ".."));
    if is_plain {
        return path;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_plain() {
        for (path, want) in [
            ("/a/b.c", "/a/b.c"),
            ("/a/./b/../c.c", "/a/c.c"),
            ("../../a.c", "../../a.c"),
            ("/../a.c", "/../a.c"),
        ] {
            assert_eq!(plain(path.to_owned()), want);
        }
    }
}
