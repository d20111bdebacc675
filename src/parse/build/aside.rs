//! The parts of a report beside the crash: parts that are printed as separate reports, the owner of
//! a lock, the function that the report itself blames.

use std::borrow::Cow;

use super::topic::Announced;
use super::{Builder, MAX_STACKS};
use crate::functions;
use crate::log::Line;
use crate::model::{AtomicContext, Blame, Frame, Holder, Role, SourceLocation, Stack, Variable};
use crate::reason::BlameReason;
use crate::search;
use crate::syntax::blocker::Blocker;
use crate::syntax::frame::Place;
use crate::token;

impl<'log> Builder<'log> {
    /// Starts a part of the report that is printed as a separate report.
    pub(in crate::parse) fn part(&mut self) {
        if self.pointed {
            self.returns = true;
        } else {
            self.close_stack();
            self.set_trap(true);
        }
    }

    /// The lock for which a hung task waits, and its owner, whose stack follows.
    pub(super) fn blocker(&mut self, line: &Line<'log>, found: &Blocker<'_>) {
        self.close_stack();
        let Some((comm, pid)) = found.owner else { return };
        self.next = Some(Role::Holder);
        let (lock, comm) = (line.own(found.lock), line.own(comm));
        self.report.holder.get_or_insert(Holder { comm, pid, lock });
    }

    /// Returns whether the next line of text describes the fault: ubsan_prologue() in lib/ubsan.c
    /// ends the headline with the place, and each handler prints a sentence below it;
    /// print_usage_bug() in kernel/locking/lockdep.c prints the two uses of a lock.
    pub(super) fn asks_for_sentence(&self, text: &[u8]) -> bool {
        // lockdep_rcu_suspicious() in kernel/locking/lockdep.c: `net/x.c:12 suspicious f() usage!`.
        let is_rcu = || {
            text.ends_with(b"!")
                && (text.ends_with(b" usage!") || search::has(text, "RCU"))
                && token::file_and_line(text).is_ok()
        };
        let is_sentence =
            self.report.kind.has_sentence() || text.starts_with(b"inconsistent {") || is_rcu();
        is_sentence && self.sentence.is_none() && !self.has_body()
    }

    /// Keeps that line, and the place in the source at its start.
    pub(super) fn sentence(&mut self, line: &Line<'log>) {
        let text = line.text.trim_ascii();
        self.sentence = Some(line.own(text));
        if let Ok((rest, (file, number))) = token::file_and_line(text) {
            self.sentence = Some(line.own(rest.trim_ascii_start()));
            let location = || SourceLocation { file: line.own(file), line: number };
            self.report.location.get_or_insert_with(location);
        }
    }

    /// Adds the symbol that the line above announces.
    pub(super) fn symbol(
        &mut self,
        line: &Line<'log>,
        place: &Place<'_>,
        announced: Option<Announced>,
    ) {
        let Some(name) = place.function.map(|name| line.own(name)) else { return };
        match announced {
            Some(Announced::Variable) => {
                let memory = self.report.memory.get_or_insert_default();
                let offset = place.offset.map_or(0, |(offset, _)| offset);
                memory.variable.get_or_insert(Variable { name, offset });
            }
            Some(Announced::Disabler) => {
                // __schedule_bug() in kernel/sched/core.c prints no counts.
                let context = AtomicContext { in_atomic: true, ..AtomicContext::default() };
                let context = self.report.atomic.get_or_insert(context);
                // The lines of inlined functions precede that of their caller.
                if place.inline && functions::reason(functions::base(&name)).is_some() {
                    self.announced = announced;
                } else {
                    context.disabled_in.get_or_insert(name);
                }
            }
            Some(Announced::StackFrame) => {
                let frame =
                    self.report.memory.as_mut().and_then(|found| found.stack_frame.as_mut());
                if let Some(frame) = frame {
                    frame.function.get_or_insert(name);
                }
            }
            Some(Announced::Releaser) => {
                if let Some(lock) = self.report.locks.last_mut() {
                    lock.function.get_or_insert(name);
                }
            }
            None => {}
        }
    }

    /// Returns whether the current stack is another one than that of the crash.
    pub(super) fn is_in_history(&self) -> bool {
        self.stack.as_ref().is_some_and(|stack| stack.role != Role::Crash)
    }

    /// Splits off the frames between the instruction pointer and its repetition in the trace:
    /// panic_bad_stack() in arch/arm64/kernel/traps.c prints registers, and panics.
    pub(super) fn set_reporting_apart(&mut self) {
        self.returns = false;
        let Some(stack) = self.stack.as_mut().filter(|stack| stack.role == Role::Crash) else {
            return;
        };
        let end = stack.frames.iter().position(|frame| frame.exact).map_or(0, |at| at + 1);
        let offset = stack.offset;
        let frames = stack.frames.split_off(end);
        if !frames.is_empty() && self.report.stacks.len() < MAX_STACKS {
            self.report.stacks.push(Stack { role: Role::Reporting, frames, offset });
        }
    }
}

/// Blames the function in the report.
pub(super) fn accuse(frame: Frame<'_>) -> Option<Blame<'_>> {
    let function = frame.function?;
    let function = Cow::Owned(functions::base(&function).to_owned());
    Some(Blame { function, file: frame.file, line: frame.line, why: BlameReason::Named })
}
