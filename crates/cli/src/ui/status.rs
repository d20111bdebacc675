//! Exit statuses.

use std::process::ExitCode;

/// The exit status of a command. If it reads several inputs, the largest one is used.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Status {
    /// 0: success.
    Done,
    /// 1: `parse` and `watch` found reports, `bisect` a wrong or doubtful result, `match` a new bug.
    Found,
    /// 2: the call or an input is unusable.
    Unusable,
}

impl Status {
    /// The status of `match`.
    pub(crate) fn of_new(is_new: bool) -> Self {
        if is_new { Self::Found } else { Self::Done }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => Self::from(0),
            Status::Found => Self::from(1),
            Status::Unusable => Self::from(2),
        }
    }
}
