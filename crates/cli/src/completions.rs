//! `ksplat completions`.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::{Args, Completions};
use crate::ui::Status;

pub(crate) fn completions(args: &Completions) -> io::Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "ksplat", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Status::Done)
}
