//! The context of the report: CPU lines, taint, workqueues, modules.

use super::{Builder, MAX_MODULES, MIXED_WITHIN};
use crate::log::Line;
use crate::model::Module;
use crate::reason::{Corruption, DiagnosticKind, ReportPart};
use crate::syntax::task::{Cpu, Taint};
use crate::syntax::who::Pid;

impl<'log> Builder<'log> {
    pub(super) fn cpu(&mut self, line: &Line<'log>, cpu: &Cpu<'_>) {
        // sched_show_task() prints no such line: the trace below is not that of the owner of a
        // lock.
        self.next = None;
        if let Some(first) = self.printer {
            // Each such line has a trace below it, so two in a row belong to two reports.
            let is_other = first != (cpu.pid, cpu.cpu);
            if is_other && self.below_cpu <= MIXED_WITHIN && !self.aftermath {
                self.complain(
                    line,
                    line.text.trim_ascii_start(),
                    ReportPart::CpuLine,
                    DiagnosticKind::Mixed,
                );
                self.report.corrupted = Some(Corruption::Mixed);
            }
            return;
        }
        self.below_cpu = 0;
        self.printer = Some((cpu.pid, cpu.cpu));
        self.naming.printer(&mut self.report.task, line, cpu.into());
        self.report.kernel.build_id = cpu.build_id.map(|id| line.own(id));
        self.taint(line, cpu.taint);
    }

    /// Adds the line with the task of kernels before Linux 3.10; the next one is that of another
    /// report.
    pub(super) fn pid(&mut self, line: &Line<'log>, pid: &Pid<'_>) {
        self.naming.printer(&mut self.report.task, line, pid.who);
        if self.report.kernel.release.is_none() {
            self.taint(line, pid.taint);
        }
        if let Some(name) = pid.hardware {
            self.report.kernel.hardware.get_or_insert_with(|| line.own(name));
        }
    }

    pub(super) fn taint(&mut self, line: &Line<'log>, taint: Taint<'_>) {
        self.report.kernel.tainted = taint.flags.map(|flags| line.own(flags));
        self.report.kernel.release = taint.release.map(|release| line.own(release));
    }

    pub(super) fn workqueue(&mut self, line: &Line<'log>, queue: &[u8], function: Option<&[u8]>) {
        let mut text = line.own(queue);
        if let Some(function) = function {
            text.to_mut().push(' ');
            text.to_mut().push_str(&line.own(function));
        }
        self.report.task.workqueue.get_or_insert(text);
    }

    pub(super) fn modules(&mut self, line: &Line<'log>, list: &[u8]) {
        if !self.report.modules.is_empty() {
            return;
        }
        // `[last unloaded: name]` ends the list; that module is not loaded.
        let words = list.split(|&b| b == b' ');
        let mut words =
            words.take_while(|word| !word.starts_with(b"[")).filter(|word| !word.is_empty());
        self.report.modules = words
            .by_ref()
            .take(MAX_MODULES)
            .map(|word| {
                let (name, flags) =
                    word.split_at(word.iter().position(|&b| b == b'(').unwrap_or(word.len()));
                let flags = flags.strip_prefix(b"(").and_then(|flags| flags.strip_suffix(b")"));
                Module { name: line.own(name), flags: flags.map(|flags| line.own(flags)) }
            })
            .collect();
        if words.next().is_some() {
            self.leave_too_many(ReportPart::Modules);
        }
    }
}
