//! What depends on the terminal.

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
