//! The task of a report, out of the lines that name one.

use crate::log::Line;
use crate::model::Task;
use crate::syntax::task::Cpu;
use crate::syntax::who::Who;

/// The rank of a line that names a task: a higher one replaces the task of a lower one.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Source {
    #[default]
    Nothing,
    /// A line that mentions it on the way.
    Mention,
    /// `CPU: … PID: … Comm: …`, `Pid: …, comm: …`: the task that prints.
    Printer,
    /// A headline about a task: who prints need not be that one.
    Subject,
}

/// Which line named the task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Naming {
    source: Source,
}

impl Naming {
    /// Takes the task of a headline that is about one.
    pub(super) fn subject<'log>(&mut self, task: &mut Task<'log>, line: &Line<'log>, who: Who<'_>) {
        self.take(Source::Subject, task, line, who);
    }

    /// Takes the task of the line that names who prints.
    pub(super) fn printer<'log>(&mut self, task: &mut Task<'log>, line: &Line<'log>, who: Who<'_>) {
        self.take(Source::Printer, task, line, who);
    }

    /// Takes the task of a line that only mentions it.
    pub(super) fn mention<'log>(&mut self, task: &mut Task<'log>, line: &Line<'log>, who: Who<'_>) {
        self.take(Source::Mention, task, line, who);
    }

    /// Whether a mention can still add to what is known.
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
