//! `ksplat`: reads Linux kernel crash reports.

mod args;
mod cache;
#[cfg(feature = "debuginfod")]
mod debuginfod;
mod images;
mod input;
mod run;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    run::run(args::Args::parse()).into()
}
