//! Wrong calls, in one line each.

use std::env;
use std::io::{self, Write};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory};

use crate::args::Args;
use crate::ui::{Status, report_error, report_usage};

/// Prints the help or the version, or reports a wrong call.
pub(crate) fn report(error: &clap::Error) -> Status {
    if !error.use_stderr() {
        return match error.print().and_then(|()| io::stdout().flush()) {
            Ok(()) => Status::Done,
            // The reader of the output has closed it, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Done,
            Err(error) => {
                report_error("standard output", &error);
                Status::Unusable
            }
        };
    }
    let (command, name) = called();
    let line = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            format!("`{name}` needs a command: {}", names.join(", "))
        }
        _ => line(&error.render().to_string()),
    };
    report_usage(&format!("{line}; see `{name} --help`"));
    Status::Unusable
}

/// The command that was called, and its name.
fn called() -> (Command, String) {
    let mut command = Args::command();
    let mut name = command.get_name().to_owned();
    for word in env::args().skip(1).filter(|word| !word.starts_with('-')) {
        let Some(next) = command.find_subcommand(&word).cloned() else { break };
        name = format!("{name} {}", next.get_name());
        command = next;
    }
    (command, name)
}

/// Joins the lines of clap's message, without the usage at its end.
fn line(message: &str) -> String {
    let is_end =
        |line: &&str| line.starts_with("Usage:") || line.starts_with("For more information");
    let lines = message.lines().map(str::trim).take_while(|line| !is_end(line));
    let mut joined = String::new();
    // An unknown option is rarely meant as a file name.
    let is_wanted = |line: &&str| !line.is_empty() && !line.starts_with("tip: to pass ");
    for line in lines.filter(is_wanted) {
        let line = line.strip_prefix("error: ").or(line.strip_prefix("tip: ")).unwrap_or(line);
        let bare = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        // `[possible values: a, b]`, but not `[FILE]...`.
        let line = bare.filter(|line| line.contains(": ")).unwrap_or(line);
        if !joined.is_empty() {
            joined.push_str(if joined.ends_with(':') { " " } else { "; " });
        }
        joined.push_str(line);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_clap_become_a_line() {
        let value = "error: invalid value 'x' for '--format <FORMAT>'\n  [possible values: text, json]\n\n\
                     For more information, try '--help'.\n";
        assert_eq!(
            line(value),
            "invalid value 'x' for '--format <FORMAT>'; possible values: text, json"
        );
        let missing = "error: the following required arguments were not provided:\n  <BUG>\n  <TEXT>\n\n\
                       Usage: ksplat store label <STORE> <BUG> <TEXT>\n";
        assert_eq!(
            line(missing),
            "the following required arguments were not provided: <BUG>; <TEXT>"
        );
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
