//! Text in lines of a terminal.

use std::fmt;

use anstyle::{AnsiColor, Color, Style};

use super::text::TextOptions;

/// Columns of the narrowest terminal that output is made for.
pub(super) const WIDTH: usize = 80;

pub(super) const TITLE: Style = color(AnsiColor::Red).bold();
pub(super) const LABEL: Style = color(AnsiColor::Cyan);
pub(super) const TRAP: Style = color(AnsiColor::Yellow).bold();
pub(super) const GOOD: Style = color(AnsiColor::Green);
pub(super) const DIM: Style = Style::new().dimmed();

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// Where text goes, and how.
pub(super) struct Page<'a, W> {
    pub(super) out: &'a mut W,
    pub(super) options: TextOptions,
}

impl<W: fmt::Write> Page<'_, W> {
    pub(super) fn styled(&mut self, style: Style, text: &str) -> fmt::Result {
        if self.options.color {
            write!(self.out, "{}{text}{}", style.render(), style.render_reset())
        } else {
            self.out.write_str(text)
        }
    }

    /// A fact behind its label; nothing if there is none.
    pub(super) fn field(&mut self, label: &str, text: &str) -> fmt::Result {
        const COLUMN: usize = 12;
        if text.is_empty() {
            return Ok(());
        }
        self.styled(LABEL, &format!("  {label:<9}"))?;
        self.out.write_char(' ')?;
        words(self.out, text, COLUMN, COLUMN)?;
        self.out.write_char('\n')
    }
}

/// Writes text that begins in a column, broken at blanks; what follows begins at `indent`.
pub(super) fn words(
    out: &mut impl fmt::Write,
    text: &str,
    mut column: usize,
    indent: usize,
) -> fmt::Result {
    for (count, word) in text.split(' ').enumerate() {
        let len = word.chars().count();
        if count > 0 && column + 1 + len > WIDTH && column > indent {
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
