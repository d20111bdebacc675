//! Pages, requests for memory, uninitialized bytes, spinlocks, machine checks: lines of single kinds.

use super::topic::{Announced, Topic};
use super::{Builder, address};
use crate::log::Line;
use crate::model::{
    Allocation, Killed, LocalVariable, Lock, LockState, MachineCheck, Page, PageTable, SpinLock,
    Zone,
};
use crate::syntax::{kmsan, lock, mce, page, pressure, spinlock};

/// The maximum number of local variables of a frame.
const MAX_VARIABLES: usize = 64;

/// The maximum number of memory zones: a machine of eight nodes has fewer.
const MAX_ZONES: usize = 32;

impl<'log> Builder<'log> {
    /// Adds the facts in the headline of a kind, except the task.
    pub(super) fn finding_of_headline(&mut self, line: &Line<'log>) {
        let report = &mut self.report;
        self.topic = Topic::of(&line.text);
        match self.topic {
            Topic::Pressure => {
                if let Some(request) = pressure::request(&line.text) {
                    report.allocation.get_or_insert_with(|| Allocation {
                        order: request.order,
                        mask: address(request.mask),
                        flags: request.flags.map(|flags| line.own(flags)),
                        zones: Vec::new(),
                        killed: None,
                    });
                }
            }
            Topic::MachineCheck => {
                if let Some((cpu, bank, status)) = mce::check(&line.text) {
                    let status = address(status);
                    report.machine_check.get_or_insert(MachineCheck {
                        cpu,
                        bank,
                        status,
                        address: None,
                        reason: None,
                    });
                }
            }
            Topic::Page => {
                if let Some(pfn) = page::bad_state(&line.text) {
                    report.page.get_or_insert_default().pfn = Some(pfn);
                }
                if let Some(table) = page::bad_map(&line.text) {
                    self.page_table(&table);
                }
            }
            Topic::Uninitialized | Topic::Lock | Topic::Other => {}
        }
    }

    /// Adds the facts of a line in reports of one kind.
    pub(super) fn finding(&mut self, line: &Line<'log>) {
        match self.topic {
            Topic::Pressure => self.pressure(line),
            Topic::Uninitialized => self.uninitialized(line),
            Topic::Lock => self.misused_lock(line),
            Topic::MachineCheck => self.machine_check(line),
            Topic::Page => {
                if let Some(at) = page::mapped(&line.text) {
                    let table = self.report.page_table.get_or_insert_default();
                    table.address.get_or_insert(address(at));
                }
            }
            Topic::Other => {}
        }
    }

    fn pressure(&mut self, line: &Line<'log>) {
        let Some(allocation) = &mut self.report.allocation else { return };
        let text = line.text.trim_ascii_start();
        if let Ok((_, (node, name, free, min))) = pressure::zone(text) {
            if allocation.zones.len() < MAX_ZONES {
                allocation.zones.push(Zone { node, name: line.own(name), free, min });
            }
        } else if let Some(killed) = pressure::killed(text) {
            let [total_vm, anon_rss, file_rss, shmem_rss] = killed.sizes;
            let (comm, pid) = (line.own(killed.comm), killed.pid);
            allocation.killed.get_or_insert(Killed {
                comm,
                pid,
                total_vm,
                anon_rss,
                file_rss,
                shmem_rss,
            });
        }
    }

    fn uninitialized(&mut self, line: &Line<'log>) {
        let Some(fact) = kmsan::fact(line.text.trim_ascii_start()) else { return };
        let found = self.report.uninitialized.get_or_insert_default();
        match fact {
            kmsan::Fact::Bytes(first, last, size) => {
                found.first.get_or_insert(first);
                found.last.get_or_insert(last);
                found.size.get_or_insert(size);
            }
            kmsan::Fact::Access(size, at) => {
                found.size.get_or_insert(size);
                found.address.get_or_insert(address(at));
            }
            kmsan::Fact::User(at) => {
                found.user_address.get_or_insert(address(at));
            }
            kmsan::Fact::Variable(name) => {
                found.variable.get_or_insert_with(|| line.own(name));
            }
        }
    }

    fn misused_lock(&mut self, line: &Line<'log>) {
        let text = line.text.trim_ascii();
        if lock::precedes_past(text) {
            self.lock_below = Some(LockState::Past);
        } else if let Some(found) = spinlock::dump(text) {
            self.report.spinlock.get_or_insert_with(|| SpinLock {
                name: line.own(found.name),
                magic: address(found.magic),
                owner: found.owner.map(|(comm, _)| line.own(comm)),
                owner_pid: found.owner.map(|(_, pid)| pid),
                owner_cpu: found.owner_cpu,
            });
        } else if let Some(class) = spinlock::released(text)
            && self.report.locks.is_empty()
        {
            self.announced = Some(Announced::Releaser);
            self.report.locks.push(Lock {
                class: line.own(class),
                subclass: None,
                address: None,
                usage: None,
                wait: None,
                state: LockState::Released,
                comm: None,
                holder: None,
                function: None,
                offset: line.start,
            });
        }
    }

    fn machine_check(&mut self, line: &Line<'log>) {
        let Some(check) = &mut self.report.machine_check else { return };
        if let Some(at) = mce::address(&line.text) {
            check.address.get_or_insert(address(at));
        } else if let Some(reason) = mce::reason(&line.text) {
            check.reason.get_or_insert_with(|| line.own(reason));
        }
    }

    pub(super) fn page(&mut self, line: &Line<'log>, fact: page::Page<'_>) {
        let page: &mut Page<'_> = self.report.page.get_or_insert_default();
        match fact {
            page::Page::Counts(counts) => {
                page.pfn = page.pfn.or(counts.pfn);
                page.refcount = page.refcount.or(counts.refcount);
                page.mapcount = page.mapcount.or(counts.mapcount);
                page.mapping = page.mapping.or(counts.mapping.map(address));
            }
            page::Page::Flags(names) => {
                page.flags.get_or_insert_with(|| line.own(names));
            }
            page::Page::Reason(reason) => {
                page.reason.get_or_insert_with(|| line.own(reason));
            }
        }
    }

    pub(super) fn page_table(&mut self, found: &page::Table) {
        let [pgd, p4d, pud, pmd, pte] = found.entries.map(|entry| entry.map(address));
        let at = found.address.map(address);
        self.report.page_table.get_or_insert(PageTable { address: at, pgd, p4d, pud, pmd, pte });
    }

    /// The stack frame that contains an address; its function is on the next line.
    pub(super) fn stack_frame(&mut self, offset: u64) {
        self.close_stack();
        let frame = self.report.memory.get_or_insert_default().stack_frame.get_or_insert_default();
        frame.offset = offset;
        self.announced = Some(Announced::StackFrame);
    }

    pub(super) fn local_variable(&mut self, line: &Line<'log>, found: (u64, u64, &[u8])) {
        let memory = self.report.memory.as_mut();
        let Some(frame) = memory.and_then(|memory| memory.stack_frame.as_mut()) else { return };
        let (start, end, name) = found;
        if frame.variables.len() < MAX_VARIABLES {
            frame.variables.push(LocalVariable { name: line.own(name), start, end });
        }
    }
}
