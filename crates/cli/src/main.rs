//! `ksplat`: reads Linux kernel crash reports.

mod args;
mod atlas;
mod bisect;
mod bugs;
mod cache;
mod ci;
mod cluster;
mod code;
mod completions;
mod cores;
mod corpus;
#[cfg(feature = "debuginfod")]
mod debuginfod;
mod error;
mod follow;
mod images;
mod input;
mod known;
mod logs;
mod man;
mod matches;
mod packed;
mod parse;
mod paths;
mod qr;
mod repeats;
mod runner;
mod sources;
mod store;
mod symbolize;
#[cfg(feature = "arrow")]
mod table;
mod ui;
mod usage;
mod watch;
mod writer;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::error::Error;
use crate::ui::{Status, report_error};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage::report(&error).into(),
    };
    let status = match run(args) {
        Ok(status) => status,
        // The reader of the output has closed it, as `head` does.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Status::Done,
        Err(error) => {
            report_error(&error.place(), &error);
            Status::Unusable
        }
    };
    status.into()
}

fn run(args: Args) -> Result<Status, Error> {
    match args.command {
        None => Ok(parse::parse(&args.parse)?),
        Some(Command::Parse(args)) => Ok(parse::parse(&args)?),
        Some(Command::Symbolize(args)) => Ok(symbolize::symbolize(&args)?),
        Some(Command::Cluster(args)) => cluster::cluster(&args),
        Some(Command::Match(args)) => matches::matches(&args),
        Some(Command::Known(args)) => known::known(&args),
        Some(Command::Store(args)) => store::store(args),
        Some(Command::Watch(args)) => Ok(watch::watch(&args)?),
        Some(Command::Bisect(args)) => Ok(bisect::bisect(&args)?),
        Some(Command::Atlas(args)) => Ok(atlas::atlas(&args)?),
        Some(Command::Cache(args)) => Ok(cache::cache(args)?),
        Some(Command::Code(args)) => Ok(code::code(&args)?),
        Some(Command::Completions(args)) => Ok(completions::completions(&args)?),
        Some(Command::Man(args)) => man::man(&args),
        Some(Command::Qr(args)) => Ok(qr::qr(&args)?),
    }
}
