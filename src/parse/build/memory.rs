//! Accesses, the objects that they hit, and shadow memory, to the model.

use super::{Builder, MAX_SHADOW, address};
use crate::log::Line;
use crate::model::{AccessKind, Memory, Object, Shadow, Side};
use crate::reason::ReportPart;
use crate::syntax::{access, kasan};

impl<'log> Builder<'log> {
    pub(super) fn accessed(&mut self, found: kasan::Access) {
        let access = self.report.access.get_or_insert_default();
        access.kind.get_or_insert(match found.what {
            kasan::What::Read => AccessKind::Read,
            kasan::What::Write => AccessKind::Write,
            kasan::What::Free => AccessKind::Free,
        });
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
        kasan::Object::Region(start, end) => {
            object.start.get_or_insert(address(start));
            object.end.get_or_insert(address(end));
        }
    }
}

/// The access kind of a processor fault.
pub(super) fn kind_of(fault: access::Fault) -> AccessKind {
    match fault {
        access::Fault::Read => AccessKind::Read,
        access::Fault::Write => AccessKind::Write,
        access::Fault::Execute => AccessKind::Execute,
    }
}
