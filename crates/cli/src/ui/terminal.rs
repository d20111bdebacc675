//! Properties of the terminal.

use std::io::{self, IsTerminal};

use crate::args::Color;

/// Whether standard output gets colours.
pub(crate) fn in_color(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal()
                && anstream::stdout().current_choice() != anstream::ColorChoice::Never
        }
    }
}

/// The columns of the terminal on standard output; `None` for a pipe or a file.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}
