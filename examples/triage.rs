//! Titles, places and trapping instructions of the crashes in console logs:
//! `cargo run --example triage -- corpus/gpf/*.log`

#![allow(clippy::print_stdout)]

use std::{env, fs, io};

fn main() -> io::Result<()> {
    for path in env::args_os().skip(1) {
        let log = fs::read(&path)?;
        for mut report in ksplat::reports(&log) {
            ksplat::Analyzer::new().annotate(&mut report);
            let trap = report.code.iter().flat_map(|code| &code.instructions).find(|i| i.trapping);
            let trap = trap.map_or("", |instruction| instruction.text.as_str());
            // A title is printable ASCII, so it has no control characters.
            println!("{}:{}: {}  {trap}", path.display(), report.span.line, report.title());
        }
    }
    Ok(())
}
