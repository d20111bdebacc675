//! Records of machines whose instructions name their operands in one order: the destination, then the
//! sources.

use super::insn::{
    Compute, Condition, Flags, Insn, Memory, On, Op, Register, Set, Source, Trap, target,
};
use crate::model::Relation;

/// What an instruction with a name does. Sizes are in bytes; 0 is that of the first register.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    /// Reads memory into its first operand.
    Load(u8),
    /// Reads it into the first two operands, `size` bytes each.
    LoadPair(u8),
    /// Writes its first operand to memory.
    Store(u8),
    /// Writes the first two, `size` bytes each.
    StorePair(u8),
    /// Writes its second operand to memory, and to the first whether that was done.
    StoreExclusive(u8),
    /// Reads and writes memory.
    Update(u8),
    /// Reads memory, and changes its first operand by it in a way that is not followed.
    Combine(u8),
    /// First operand = the address of the operand in memory.
    Address,
    /// First operand = second.
    Move,
    /// First operand = second combined with the third; the flags change with it if so.
    Compute(Compute, bool),
    /// First operand = second or third, by the flags.
    Select(Relation),
    /// Changes its first operand in a way that is not followed.
    Change,
    /// Changes nothing that is looked at.
    Nothing,
    /// Changes the flags in a way that is not followed.
    LoseFlags,
    /// Compares the last two operands.
    Compare(u8),
    /// The same as numbers with a sign, whatever the branch says.
    CompareSigned(u8),
    /// Compares the last two operands, combined bit by bit, with zero.
    Test(u8),
    /// Goes to its last operand by the flags, asked for something else than a relation if there is
    /// none.
    Branch(Option<Relation>),
    /// Goes there if this holds between the first operand and zero.
    BranchZero(Relation),
    /// Goes there if this holds between the first two operands.
    BranchCompare(Relation),
    /// Goes there if this holds between a bit of the first operand, by its number, and zero.
    BranchBit(Relation),
    /// Goes there in any case.
    Jump,
    Call,
    Leave,
    /// Divides by so many bytes of its last operand.
    Divide(u8),
    Trap(Trap),
    /// Stops the kernel if this holds between so many bytes of the last two operands; by something
    /// else than a relation if there is none.
    TrapIf(Option<Relation>, u8),
}

/// The operands of an instruction, as its decoder gives them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Operands {
    list: [Source; 4],
    count: usize,
    /// The operand in memory.
    pub(super) memory: Option<Memory>,
    /// A register that is changed with the address.
    pub(super) updates: Option<Register>,
    /// The number of the comparison that is set or read.
    pub(super) flags: u8,
    /// The distance of a branch, in bytes.
    pub(super) distance: Option<i64>,
}

impl Operands {
    pub(super) fn push(&mut self, operand: Source) {
        if let Some(place) = self.list.get_mut(self.count) {
            *place = operand;
            self.count += 1;
        }
    }

    /// Puts others in place of those that are not in memory.
    pub(super) fn replace(&mut self, operands: &[Source]) {
        (self.list, self.count) = Default::default();
        for operand in operands {
            self.push(*operand);
        }
    }

    pub(super) fn get(&self, index: usize) -> Source {
        self.list.get(index).copied().unwrap_or_default()
    }

    fn register(&self, index: usize) -> Option<Register> {
        match self.get(index) {
            Source::Register(register) => Some(register),
            _ => None,
        }
    }

    /// The last two operands.
    fn last(&self) -> [Source; 2] {
        let from = self.count.saturating_sub(2);
        [self.get(from), self.get(from + 1)]
    }
}

/// The record of an instruction at `offset` that does this with its operands.
///
/// `predicate` is the relation under which it is executed, where the instruction has a
/// condition.
pub(super) fn insn(
    verb: Verb,
    operands: &Operands,
    predicate: Option<Option<Relation>>,
    offset: usize,
) -> Insn {
    let flags = On::Flags(operands.flags);
    let plain = Insn {
        offset,
        size: operands.register(0).map_or(0, |register| register.size),
        condition: predicate.map(|relation| Condition { on: flags, relation }),
        memory: [operands.memory, None],
        ..Insn::default()
    };
    let filler = Filler { operands, plain };
    filler.access(verb).or_else(|| filler.computation(verb)).unwrap_or_else(|| filler.flow(verb))
}

/// What records are filled from.
struct Filler<'o> {
    operands: &'o Operands,
    /// What all records of the instruction have.
    plain: Insn,
}

impl Filler<'_> {
    fn sized(&self, size: u8) -> u8 {
        if size == 0 { self.plain.size } else { size }
    }

    /// The operand in memory, of so many values of a size.
    fn memory(&self, size: u8, count: u64, reads: bool, writes: bool) -> [Option<Memory>; 2] {
        let size = u64::from(self.sized(size)) * count;
        [self.operands.memory.map(|memory| Memory { size, reads, writes, ..memory }), None]
    }

    /// The registers that change, that of an address among them.
    fn changes(&self, registers: &[Option<Register>]) -> Set {
        registers.iter().copied().chain([self.operands.updates]).flatten().collect()
    }

    /// The first operand is made from others.
    fn computed(&self, op: Op, sources: [Source; 2]) -> Insn {
        let destination = self.operands.register(0);
        Insn { op, destination, sources, writes: self.changes(&[destination]), ..self.plain }
    }

    /// The first operand changes in a way that is not followed.
    fn changed(&self) -> Insn {
        Insn { destination: None, ..self.computed(Op::Other, [Source::None; 2]) }
    }

    /// What reads or writes memory.
    fn access(&self, verb: Verb) -> Option<Insn> {
        let operands = self.operands;
        let loaded = || self.computed(Op::Move, [Source::Memory, Source::None]);
        let stored =
            |sources| Insn { op: Op::Store, sources, writes: self.changes(&[]), ..self.plain };
        Some(match verb {
            Verb::Load(size) => Insn { memory: self.memory(size, 1, true, false), ..loaded() },
            Verb::LoadPair(size) => {
                let second = operands.register(1);
                let writes = self.changes(&[operands.register(0), second]);
                Insn { memory: self.memory(size, 2, true, false), second, writes, ..loaded() }
            }
            Verb::Combine(size) => {
                Insn { memory: self.memory(size, 1, true, false), ..self.changed() }
            }
            Verb::Store(size) => Insn {
                memory: self.memory(size, 1, false, true),
                ..stored([operands.get(0), Source::None])
            },
            Verb::StorePair(size) => Insn {
                memory: self.memory(size, 2, false, true),
                ..stored([operands.get(0), operands.get(1)])
            },
            Verb::StoreExclusive(size) => {
                let of_second = operands.register(1).map_or(0, |register| register.size);
                let size = if size == 0 { of_second } else { size };
                Insn {
                    memory: self.memory(size, 1, false, true),
                    writes: self.changes(&[operands.register(0)]),
                    ..stored([operands.get(1), Source::None])
                }
            }
            Verb::Address => Insn {
                memory: [operands.memory, None],
                ..self.computed(Op::Address, [Source::Memory, Source::None])
            },
            Verb::Update(size) => Insn {
                op: Op::Update,
                memory: self.memory(size, 1, true, true),
                writes: self.changes(&[operands.register(0), operands.register(1)]),
                ..self.plain
            },
            _ => return None,
        })
    }

    /// What moves, combines or compares.
    fn computation(&self, verb: Verb) -> Option<Insn> {
        let operands = self.operands;
        let last = operands.last();
        let compared = |op, size, flags| Insn {
            op,
            size: self.sized(size),
            sources: last,
            memory: self.memory(size, 1, true, false),
            flags,
            ..self.plain
        };
        Some(match verb {
            Verb::Move => self.computed(Op::Move, [operands.get(1), Source::None]),
            Verb::Compute(compute, sets_flags) => {
                let has_one = matches!(compute, Compute::Not | Compute::Negate);
                // Some write `add x0, 8` for `add x0, x0, 8`.
                let sources = match operands.count {
                    2 if !has_one => [operands.get(0), operands.get(1)],
                    _ => [operands.get(1), operands.get(2)],
                };
                let flags = if sets_flags { Flags::Set(operands.flags) } else { Flags::Kept };
                Insn { flags, ..self.computed(Op::Compute(compute), sources) }
            }
            Verb::Select(relation) => Insn {
                condition: Some(self.flags(Some(relation))),
                ..self.computed(Op::Select, [operands.get(1), operands.get(2)])
            },
            Verb::Change => self.changed(),
            Verb::Nothing => Insn { op: Op::Nothing, writes: self.changes(&[]), ..self.plain },
            Verb::LoseFlags => Insn { op: Op::Nothing, flags: Flags::Lost, ..self.plain },
            Verb::Compare(size) => compared(Op::Compare, size, Flags::Set(operands.flags)),
            Verb::CompareSigned(size) => {
                compared(Op::Compare, size, Flags::SetSigned(operands.flags))
            }
            Verb::Test(size) => compared(Op::Test, size, Flags::Set(operands.flags)),
            Verb::Divide(size) => Insn {
                op: Op::Divide,
                size: self.sized(size),
                sources: [last[1], Source::None],
                writes: self.changes(&[operands.register(0)]),
                ..self.plain
            },
            _ => return None,
        })
    }

    fn flags(&self, relation: Option<Relation>) -> Condition {
        Condition { on: On::Flags(self.operands.flags), relation }
    }

    /// What goes elsewhere, or stops.
    fn flow(&self, verb: Verb) -> Insn {
        let operands = self.operands;
        let [first, second] = [operands.get(0), operands.get(1)];
        let target = || operands.distance.and_then(|distance| target(self.plain.offset, distance));
        let branch = |condition: Option<Condition>, sources| Insn {
            op: Op::Branch,
            condition: condition.or(self.plain.condition),
            sources,
            target: target(),
            ..self.plain
        };
        let on = |on, relation| Some(Condition { on, relation: Some(relation) });
        let plain = |op| Insn { op, ..self.plain };
        match verb {
            Verb::Branch(relation) => branch(Some(self.flags(relation)), [Source::None; 2]),
            Verb::BranchZero(relation) => {
                branch(on(On::Sources, relation), [first, Source::Number(0)])
            }
            Verb::BranchCompare(relation) => branch(on(On::Sources, relation), [first, second]),
            Verb::BranchBit(relation) => {
                let bit = match second {
                    Source::Number(bit @ 0..64) => Source::Number(1 << bit),
                    _ => Source::Other,
                };
                branch(on(On::Bits, relation), [first, bit])
            }
            Verb::Jump => branch(None, [Source::None; 2]),
            Verb::Call => Insn { target: target(), ..plain(Op::Call) },
            Verb::Leave => plain(Op::Leave),
            Verb::Trap(trap) => Insn { sources: [first, Source::None], ..plain(Op::Trap(trap)) },
            Verb::TrapIf(relation, size) => Insn {
                size,
                condition: Some(Condition { on: On::Sources, relation }),
                sources: operands.last(),
                ..plain(Op::Trap(Trap::Assertion))
            },
            // The others are read above.
            _ => plain(Op::Unknown),
        }
    }
}
