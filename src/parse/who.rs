//! The task of a report, from the lines that contain one.

use crate::log::Line;
use crate::model::Task;
use crate::syntax::task::Cpu;
use crate::syntax::who::Who;

/// The rank of a line with a task: a higher one replaces the task of a lower one.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Source {
    #[default]
    Nothing,
    /// A line of any kind that contains the task.
    Mention,
    /// `CPU: … PID: … Comm: …`, `Pid: …, comm: …`: the task that prints.
    Printer,
    /// A headline about a task, which may be another than the one that prints.
    Subject,
}

/// The rank of the line that named the task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Naming {
    source: Source,
}

impl Naming {
    /// Sets the task from a headline about one.
    pub(super) fn subject<'log>(&mut self, task: &mut Task<'log>, line: &Line<'log>, who: Who<'_>) {
        self.take(Source::Subject, task, line, who);
    }

    /// Sets the task from the line with the printing task.
    pub(super) fn printer<'log>(&mut self, task: &mut Task<'log>, line: &Line<'log>, who: Who<'_>) {
        self.take(Source::Printer, task, line, who);
    }

    /// Sets the task from a line of any kind.
    pub(super) fn mention<'log>(&mut self, task: &mut Task<'log>, line: &Line<'log>, who: Who<'_>) {
        self.take(Source::Mention, task, line, who);
    }

    /// Returns whether such a line can still add a fact.
    pub(super) fn is_open(self, task: &Task<'_>) -> bool {
        self.source < Source::Printer
            && (task.comm.is_none() || task.pid.is_none() || task.cpu.is_none())
    }

    fn take<'log>(
        &mut self,
        source: Source,
        task: &mut Task<'log>,
        line: &Line<'log>,
        who: Who<'_>,
    ) {
        let is_same = task.pid.is_none() || who.pid.is_none() || task.pid == who.pid;
        if source > self.source {
            if !is_same && who.pid.is_some() {
                (task.comm, task.pid, task.cpu) = (None, None, None);
            }
            task.comm = who.comm.map(|comm| line.own(comm)).or(task.comm.take());
            (task.pid, task.cpu) = (who.pid.or(task.pid), who.cpu.or(task.cpu));
            self.source = source;
        } else if is_same {
            let comm = who.comm.map(|comm| line.own(comm));
            task.comm = task.comm.take().or(comm);
            (task.pid, task.cpu) = (task.pid.or(who.pid), task.cpu.or(who.cpu));
        }
    }
}

impl<'t> From<&Cpu<'t>> for Who<'t> {
    fn from(cpu: &Cpu<'t>) -> Self {
        Self { comm: Some(cpu.comm), pid: Some(cpu.pid), cpu: Some(cpu.cpu), seconds: None }
    }
}
