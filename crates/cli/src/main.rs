//! `ksplat`: reads Linux kernel crash reports.

mod args;
mod bisect;
#[cfg(feature = "debuginfod")]
mod debuginfod;
mod dedup;
mod error;
mod images;
mod input;
mod run;
mod store;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    run::run(args::Args::parse()).into()
}
