//! Records for architectures whose instructions have their operands in one order: the destination,
//! then the sources.

use super::insn::{
    Compute, Condition, Flags, Insn, Memory, On, Op, Register, Set, Source, Trap, target,
};
use crate::model::Relation;

/// The operation of an instruction. Sizes are in bytes; 0 means the size of the first register.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    /// Loads memory to the first operand.
    Load(u8),
    /// Loads memory to the first two operands, each of this size.
    LoadPair(u8),
    /// Stores the first operand to memory.
    Store(u8),
    /// Stores the first two operands to memory, each of this size.
    StorePair(u8),
    /// Stores the second operand to memory, and whether it succeeded to the first.
    StoreExclusive(u8),
    /// Reads and writes memory.
    Update(u8),
    /// Reads memory, and changes the first operand to an unknown result.
    Combine(u8),
    /// First operand = address of the memory operand.
    Address,
    /// First operand = second.
    Move,
    /// First operand = second combined with the third; the flag is whether it sets the flags.
    Compute(Compute, bool),
    /// First operand = second or third, selected by the flags.
    Select(Relation),
    /// Changes the first operand to an unknown result.
    Change,
    /// Changes nothing that is tracked.
    Nothing,
    /// Changes the flags in a way that is not tracked.
    LoseFlags,
    /// Compares the last two operands.
    Compare(u8),
    /// The same with a signed comparison, for any relation of the branch.
    CompareSigned(u8),
    /// Compares the bitwise AND of the last two operands with zero.
    Test(u8),
    /// Branches to the last operand by the flags; without a relation by a condition that has none.
    Branch(Option<Relation>),
    /// Branches if the relation holds between the first operand and zero.
    BranchZero(Relation),
    /// Branches if the relation holds between the first two operands.
    BranchCompare(Relation),
    /// Branches if the relation holds between a bit of the first operand, given by its number, and
    /// zero.
    BranchBit(Relation),
    /// Branches unconditionally.
    Jump,
    Call,
    Leave,
    /// Divides by the last operand, of this size.
    Divide(u8),
    Trap(Trap),
    /// Stops the kernel if the relation holds between the last two operands, of this size; without
    /// a relation by a condition that has none.
    TrapIf(Option<Relation>, u8),
}

/// The operands of an instruction, from its decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Operands {
    list: [Source; 4],
    count: usize,
    /// The memory operand.
    pub(super) memory: Option<Memory>,
    /// A register that is set to the address.
    pub(super) updates: Option<Register>,
    /// The number of the flags that are set or read.
    pub(super) flags: u8,
    /// The distance of a branch in bytes.
    pub(super) distance: Option<i64>,
}

impl Operands {
    pub(super) fn push(&mut self, operand: Source) {
        if let Some(place) = self.list.get_mut(self.count) {
            *place = operand;
            self.count += 1;
        }
    }

    /// Replaces the operands that are not in memory.
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

    /// Returns the last two operands.
    fn last(&self) -> [Source; 2] {
        let from = self.count.saturating_sub(2);
        [self.get(from), self.get(from + 1)]
    }
}

/// Makes the record of the instruction at `offset` with this operation and its operands.
///
/// `predicate` is the relation under which it is executed, if the instruction has a condition.
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

/// The data that a record is filled from.
struct Filler<'o> {
    operands: &'o Operands,
    /// The fields that all records of the instruction have in common.
    plain: Insn,
}

impl Filler<'_> {
    fn sized(&self, size: u8) -> u8 {
        if size == 0 { self.plain.size } else { size }
    }

    /// Returns the memory operand, of `count` values with `size` bytes.
    fn memory(&self, size: u8, count: u64, reads: bool, writes: bool) -> [Option<Memory>; 2] {
        let size = u64::from(self.sized(size)) * count;
        [self.operands.memory.map(|memory| Memory { size, reads, writes, ..memory }), None]
    }

    /// Returns the registers that change, including that of an address.
    fn changes(&self, registers: &[Option<Register>]) -> Set {
        registers.iter().copied().chain([self.operands.updates]).flatten().collect()
    }

    /// Makes the record of an instruction that computes the first operand.
    fn computed(&self, op: Op, sources: [Source; 2]) -> Insn {
        let destination = self.operands.register(0);
        Insn { op, destination, sources, writes: self.changes(&[destination]), ..self.plain }
    }

    /// Makes the record of an instruction that changes the first operand to an unknown result.
    fn changed(&self) -> Insn {
        Insn { destination: None, ..self.computed(Op::Other, [Source::None; 2]) }
    }

    /// Makes the record of an instruction that reads or writes memory.
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

    /// Makes the record of an instruction that moves, combines or compares.
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
                // Some decoders write `add x0, 8` for `add x0, x0, 8`.
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

    /// Makes the record of a branch or trap.
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
            // The other operations are handled above.
            _ => plain(Op::Unknown),
        }
    }
}
