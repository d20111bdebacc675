//! The arguments of `ksplat store`.

use std::path::PathBuf;

use clap::{Args as Group, Subcommand};

use super::{Format, Logs, Page};

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Add the reports of logs to a store; a missing store is created
    Add {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        #[command(flatten)]
        logs: Logs,
        /// Label the bugs of the reports, as `store label` does
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Print the bugs of a store
    List {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// Add the reports of each bug
        #[arg(long)]
        long: bool,
        /// Write one HTML page for a browser instead
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        #[command(flatten)]
        page: Page,
        /// The output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Label a bug: `fixed-by COMMIT [since RELEASE]`, `dup-of BUG`, `invalid`, `assigned NAME`, `wontfix`, or any text
    Label {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// The ID of the bug in hexadecimal, as `list` prints it
        #[arg(value_name = "BUG", value_parser = super::hexadecimal)]
        bug: u64,
        /// The label
        #[arg(value_name = "TEXT")]
        text: String,
        #[command(flatten)]
        remark: Remark,
        #[command(flatten)]
        wait: Wait,
    },
    /// Decide that two bugs are different, for any similarity
    Apart(Verdict),
    /// Decide that two bugs are one
    Together(Verdict),
    /// Decide that some reports of a bug are of another one
    Split {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// The ID of the bug
        #[arg(value_name = "BUG", value_parser = super::hexadecimal)]
        bug: u64,
        /// Reports as `list --long` prints them, or their exact hashes
        #[arg(value_name = "REPORT", required = true)]
        reports: Vec<String>,
        #[command(flatten)]
        remark: Remark,
        #[command(flatten)]
        wait: Wait,
    },
    /// Undo the last decision, a label or one about bugs
    Undo {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        #[command(flatten)]
        remark: Remark,
        #[command(flatten)]
        wait: Wait,
    },
    /// Print the rules that join the reports of two bugs, or that separate them
    Why {
        #[command(flatten)]
        pair: Pair,
    },
    /// Print a store as JSON Lines
    Export {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
    },
    /// Add the bugs that `export` printed, from standard input
    Import {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        #[command(flatten)]
        wait: Wait,
    },
    /// Add the bugs of another store
    Merge {
        /// The store that is extended
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// The store that is read
        #[arg(value_name = "OTHER")]
        other: PathBuf,
        #[command(flatten)]
        wait: Wait,
    },
    /// Check all of a store, repair it, and compact the file
    Check {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// Delete damaged rows, which are moved to a separate table otherwise
        #[arg(long)]
        drop_damaged: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// Copy a store to a new file, while others may write to it
    Backup {
        /// The store
        #[arg(value_name = "STORE")]
        store: PathBuf,
        /// The new file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Two bugs of a store.
#[derive(Debug, Group)]
pub(crate) struct Pair {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The ID of a bug
    #[arg(value_name = "BUG", value_parser = super::hexadecimal)]
    pub(crate) one: u64,
    /// The ID of the other one
    #[arg(value_name = "BUG", value_parser = super::hexadecimal)]
    pub(crate) other: u64,
}

/// A decision about two bugs.
#[derive(Debug, Group)]
pub(crate) struct Verdict {
    #[command(flatten)]
    pub(crate) pair: Pair,
    #[command(flatten)]
    pub(crate) remark: Remark,
    #[command(flatten)]
    pub(crate) wait: Wait,
}

/// Why something was decided, and by whom.
#[derive(Debug, Group)]
pub(crate) struct Remark {
    /// Store the reason with the decision
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    /// Store the name of the person who decided
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// How long to wait for another writer.
#[derive(Debug, Group)]
pub(crate) struct Wait {
    /// Wait so many seconds while another process writes to the store
    #[arg(long, value_name = "SECONDS", value_parser = super::seconds)]
    pub(crate) wait: Option<std::time::Duration>,
}
