//! Line breaking and colours of text output.

use std::borrow::Cow;
use std::fmt;

use anstyle::{AnsiColor, Color, Style};

use crate::model::Report;

/// The options of text output.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TextOptions {
    /// Whether to write colours as ANSI escape sequences.
    pub color: bool,
    /// Whether to write registers and all instructions, stacks and frames, including unreliable frames.
    pub all: bool,
    /// Whether to write the title by syzbot's convention instead of the kernel's headline.
    pub convention: bool,
    /// The columns of the terminal, at which frames and paths are broken. With `None` they are not
    /// broken, so that a program finds each on one line; sentences are broken at 80 columns.
    pub width: Option<usize>,
}

impl TextOptions {
    /// Sets whether to write colours; off by default.
    #[must_use]
    pub fn with_color(self, color: bool) -> Self {
        Self { color, ..self }
    }

    /// Sets the columns of the terminal; `None` by default.
    #[must_use]
    pub fn with_width(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Sets whether to write the title by syzbot's convention; off by default.
    #[must_use]
    pub fn with_convention(self, convention: bool) -> Self {
        Self { convention, ..self }
    }

    pub(super) fn title<'a>(&self, report: &'a Report<'_>) -> &'a str {
        if self.convention { report.title() } else { report.display_title() }
    }

    /// Sets whether to write everything; off by default.
    #[must_use]
    pub fn with_all(self, all: bool) -> Self {
        Self { all, ..self }
    }
}

/// The columns of text if the width of the terminal is unknown.
pub(super) const WIDTH: usize = 80;

pub(super) const TITLE: Style = color(AnsiColor::Red).bold();
pub(super) const LABEL: Style = color(AnsiColor::Cyan);
pub(super) const TRAP: Style = color(AnsiColor::Yellow).bold();
pub(super) const GOOD: Style = color(AnsiColor::Green);
pub(super) const DIM: Style = Style::new().dimmed();

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// A writer with the options of the text.
pub(super) struct Page<'a, W> {
    pub(super) out: &'a mut W,
    pub(super) options: TextOptions,
}

impl<W: fmt::Write> Page<'_, W> {
    /// Returns the column at which frames and paths are broken.
    pub(super) fn columns(&self) -> usize {
        self.options.width.unwrap_or(usize::MAX)
    }

    pub(super) fn styled(&mut self, style: Style, text: &str) -> fmt::Result {
        if self.options.color {
            write!(self.out, "{}{text}{}", style.render(), style.render_reset())
        } else {
            self.out.write_str(text)
        }
    }

    /// Writes facts on separate lines, the label before the first.
    pub(super) fn fields(
        &mut self,
        label: &str,
        texts: impl Iterator<Item = String>,
    ) -> fmt::Result {
        let mut texts = texts.filter(|text| !text.is_empty());
        if let Some(first) = texts.next() {
            self.field(label, &first)?;
        }
        texts.try_for_each(|text| self.field("", &text))
    }

    /// Writes a fact behind its label; nothing if the fact is empty.
    pub(super) fn field(&mut self, label: &str, text: &str) -> fmt::Result {
        const COLUMN: usize = 12;
        if text.is_empty() {
            return Ok(());
        }
        self.styled(LABEL, &format!("  {label:<9}"))?;
        self.out.write_char(' ')?;
        let mut page = String::new();
        words(&mut page, text, COLUMN, COLUMN, self.columns().min(WIDTH))?;
        // A word may be wider than the terminal.
        for (index, line) in page.split('\n').enumerate() {
            let column = if index == 0 { COLUMN } else { 0 };
            self.out.write_str(if index == 0 { "" } else { "\n" })?;
            self.out.write_str(&broken(line.trim_end(), column, COLUMN, self.columns()))?;
        }
        self.out.write_char('\n')
    }
}

/// The minimum width of a broken text, for terminals that are too narrow.
const MIN_COLUMNS: usize = 16;

/// Breaks text that is wider than `columns`: after a slash or a blank if there is one, else
/// anywhere. The text starts in `column`, continuation lines in `indent`.
pub(super) fn broken(text: &str, column: usize, indent: usize, columns: usize) -> Cow<'_, str> {
    let room = |column: usize| columns.saturating_sub(column).max(MIN_COLUMNS);
    let end = |text: &str, room: usize| text.char_indices().nth(room).map(|(at, _)| at);
    let Some(mut at) = end(text, room(column)) else { return text.into() };
    let (mut lines, mut rest) = (String::new(), text);
    loop {
        let (line, _) = rest.split_at(at);
        let seam = line.rfind(['/', ' ']).map_or(at, |seam| seam + 1);
        // A break must leave something other than blanks on the line.
        let seam =
            if line.get(..seam).is_none_or(|line| line.trim().is_empty()) { at } else { seam };
        let (line, later) = rest.split_at(seam);
        lines.push_str(line.trim_end());
        lines.push('\n');
        lines.extend(std::iter::repeat_n(' ', indent));
        rest = later;
        match end(rest, room(indent)) {
            Some(next) => at = next,
            None => break,
        }
    }
    lines.push_str(rest);
    lines.into()
}

/// Writes text that starts in a column, broken at blanks, with continuation lines at `indent`.
pub(super) fn words(
    out: &mut impl fmt::Write,
    text: &str,
    mut column: usize,
    indent: usize,
    columns: usize,
) -> fmt::Result {
    for (count, word) in text.split(' ').enumerate() {
        let len = word.chars().count();
        if count > 0 && column + 1 + len > columns && column > indent {
            write!(out, "\n{:indent$}", "")?;
            column = indent;
        } else if count > 0 {
            out.write_char(' ')?;
            column += 1;
        }
        out.write_str(word)?;
        column += len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_after_slashes_and_blanks() {
        let path = "drivers/infiniband/core/cm.c:1234";
        assert_eq!(broken(path, 0, 2, 80), path);
        assert_eq!(broken(path, 0, 2, 20), "drivers/infiniband/\n  core/cm.c:1234");
        assert_eq!(broken(path, 4, 2, usize::MAX), path);
        assert_eq!(
            broken(&"x".repeat(40), 0, 4, 20),
            format!("{0}xxxx\n    {0}\n    xxxx", "x".repeat(16))
        );
        assert_eq!(
            broken(&"é".repeat(20), 0, 0, 0),
            format!("{}\n{}", "é".repeat(16), "é".repeat(4))
        );
    }
}
