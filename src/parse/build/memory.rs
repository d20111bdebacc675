//! Accesses, the accessed objects, and shadow memory.

use super::topic::Announced;
use super::{Builder, MAX_SHADOW, address};
use crate::log::Line;
use crate::model::{
    AccessKind, AtomicContext, Leak, Memory, Object, Overwrite, RaceAccess, Role, Shadow, Side,
    ValueChange,
};
use crate::reason::ReportPart;
use crate::syntax::state::{self, State};
use crate::syntax::{access, kasan, kcsan};
use crate::token::Hex;

/// The maximum number of stalled CPUs: a longer list has no more information.
const MAX_CPUS: usize = 64;

/// The maximum number of accesses of a data race.
const MAX_ACCESSES: usize = 2;

impl<'log> Builder<'log> {
    /// An access of a data race: the first is the reported access, the second the racing one.
    pub(super) fn race(&mut self, found: &kcsan::Access) {
        let is_first = !std::mem::replace(&mut self.traced, true);
        self.stack_start(if is_first { Role::Crash } else { Role::Race });
        if is_first {
            self.accessed(found.bare());
        }
        let accesses = &mut self.report.race.get_or_insert_default().accesses;
        if accesses.len() < MAX_ACCESSES {
            accesses.push(RaceAccess {
                kind: access_kind(found.what),
                size: found.size,
                address: address(found.address),
                marked: found.is_marked,
                task: found.task,
                cpu: found.cpu,
            });
        }
    }

    /// Adds the value that a data race changed.
    pub(super) fn value_change(&mut self, from: Hex, to: Hex) {
        if let Some(race) = &mut self.report.race {
            race.change.get_or_insert(ValueChange { from: address(from), to: address(to) });
        }
    }

    /// Adds a count or comparison of the kernel; the first one counts.
    pub(super) fn state(&mut self, line: &Line<'log>, state: State) {
        let report = &mut self.report;
        match state {
            State::Atomic { in_atomic, irqs_disabled } => {
                let context =
                    AtomicContext { in_atomic, irqs_disabled, ..AtomicContext::default() };
                report.atomic.get_or_insert(context);
            }
            State::PreemptionDisabled => self.announced = Some(Announced::Disabler),
            State::PreemptCount { found, .. } => {
                if let Some(atomic) = &mut report.atomic {
                    atomic.preempt_count.get_or_insert(found);
                }
            }
            State::RcuDepth(depth) => {
                if let Some(atomic) = &mut report.atomic {
                    atomic.rcu_depth.get_or_insert(depth);
                }
            }
            State::Starved(jiffies) => {
                report.stall.get_or_insert_default().starved.get_or_insert(jiffies);
            }
            State::BlockedTasks => {
                let stall = report.stall.get_or_insert_default();
                let room = MAX_CPUS.saturating_sub(stall.tasks.len());
                stall.tasks.extend(state::blocked_tasks(&line.text).take(room));
            }
            State::Stall { jiffies, detected_by } => {
                let stall = report.stall.get_or_insert_default();
                if stall.jiffies.is_none() {
                    (stall.jiffies, stall.detected_by) = (Some(jiffies), detected_by);
                }
            }
            State::StalledCpu(cpu) => {
                let stall = report.stall.get_or_insert_default();
                if stall.cpus.len() < MAX_CPUS && !stall.cpus.contains(&cpu) {
                    stall.cpus.push(cpu);
                }
            }
            State::Overwritten { start, end, found, expected } => {
                let (start, end) = (address(start), address(end));
                if let (Ok(found), Ok(expected)) = (u8::try_from(found), u8::try_from(expected)) {
                    report.overwrite.get_or_insert(Overwrite { start, end, found, expected });
                }
            }
        }
    }

    /// Adds the object that leaked.
    pub(super) fn leak(&mut self, at: Hex, size: u64) {
        self.report.leak.get_or_insert(Leak { address: address(at), size });
    }

    pub(super) fn accessed(&mut self, found: kasan::Access) {
        let access = self.report.access.get_or_insert_default();
        access.kind.get_or_insert(access_kind(found.what));
        access.size = access.size.or(found.size);
        access.address = access.address.or(found.address.map(address));
    }

    pub(super) fn fault(&mut self, fault: access::Fault) {
        self.report.access.get_or_insert_default().kind.get_or_insert(kind_of(fault));
    }

    pub(super) fn object(
        &mut self,
        line: &Line<'log>,
        first: Option<kasan::Object<'_>>,
        rest: &[u8],
    ) {
        self.close_stack();
        let mut rest = rest;
        let mut next = first;
        if first == Some(kasan::Object::Variable) {
            self.announced = Some(Announced::Variable);
            return;
        }
        while let Some(fact) = next {
            let memory = self.report.memory.get_or_insert_default();
            add_fact(memory.object.get_or_insert_default(), &fact, line);
            next = kasan::object(rest).ok().map(|(tail, fact)| {
                rest = tail;
                fact
            });
        }
    }

    pub(super) fn shadow(&mut self, read: &kasan::Shadow) {
        let memory = self.report.memory.get_or_insert_with(Memory::default);
        if memory.shadow.len() < MAX_SHADOW {
            memory.shadow.push(Shadow {
                address: address(read.address),
                bytes: read.bytes.to_vec(),
                hit: read.hit,
            });
        } else {
            self.leave_too_many(ReportPart::Shadow);
        }
    }
}

fn access_kind(what: kasan::What) -> AccessKind {
    match what {
        kasan::What::Read => AccessKind::Read,
        kasan::What::Write => AccessKind::Write,
        kasan::What::Free => AccessKind::Free,
    }
}

fn add_fact<'log>(object: &mut Object<'log>, fact: &kasan::Object<'_>, line: &Line<'log>) {
    match *fact {
        kasan::Object::At(start) => {
            object.start.get_or_insert(address(start));
        }
        kasan::Object::Cache(name, size) => {
            object.cache.get_or_insert_with(|| line.own(name));
            object.size.get_or_insert(size);
        }
        kasan::Object::Distance(bytes, side) => {
            let side = match side {
                b"inside of" => Side::Inside,
                b"to the left of" => Side::Before,
                _ => Side::After,
            };
            object.side.get_or_insert(side);
            object.distance.get_or_insert(bytes);
        }
        kasan::Object::Variable => {}
        kasan::Object::Region(start, end) => {
            object.start.get_or_insert(address(start));
            object.end.get_or_insert(address(end));
        }
    }
}

/// Returns the access kind of a processor fault.
pub(super) fn kind_of(fault: access::Fault) -> AccessKind {
    match fault {
        access::Fault::Read => AccessKind::Read,
        access::Fault::Write => AccessKind::Write,
        access::Fault::Execute => AccessKind::Execute,
    }
}
