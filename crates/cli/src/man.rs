//! `ksplat man`: the manual pages, made from the definition of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};

use crate::args::{Args, EXAMPLES, Man, STATUSES};
use crate::error::Error;
use crate::ui::Status;

pub(crate) fn man(args: &Man) -> Result<Status, Error> {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    match &args.directory {
        Some(directory) => write_pages(&command, directory)?,
        None => io::stdout().lock().write_all(&page(&command)?)?,
    }
    Ok(Status::Done)
}

/// Writes the pages of a command and of its subcommands.
fn write_pages(command: &Command, directory: &Path) -> Result<(), Error> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = directory.join(format!("{name}.1"));
    let page = page(command)?;
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&path, page))
        .map_err(|source| Error::Page { path, source })?;
    let mut subcommands = command.get_subcommands().filter(|command| !command.is_hide_set());
    subcommands.try_for_each(|command| write_pages(command, directory))
}

/// The page of a command in roff.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let is_main = command.get_name() == "ksplat";
    let man = clap_mangen::Man::new(command.clone())
        .source(concat!("ksplat ", env!("CARGO_PKG_VERSION")))
        .manual("ksplat manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    if is_main {
        section(&mut page, "EXIT STATUS", STATUSES)?;
        section(&mut page, "EXAMPLES", EXAMPLES)?;
    } else {
        page.write_all(b".SH SEE ALSO\n.BR ksplat (1)\n")?;
    }
    Ok(page)
}

/// A section of tagged paragraphs: each is a text and its tag.
fn section(page: &mut Vec<u8>, heading: &str, paragraphs: &[(&str, &str)]) -> io::Result<()> {
    writeln!(page, ".SH {heading}")?;
    for (text, tag) in paragraphs {
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", escaped(tag), escaped(text))?;
    }
    Ok(())
}

/// Escapes text for roff: hyphens can be copied, and no line is a request.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga")
}
