//! The record of an x86 instruction.

use iced_x86::{
    ConditionCode, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind,
    UsedMemory,
};

use crate::disasm::insn::{
    Compute, Condition, Flags, Index, Insn, Memory, Op, Register, Set, Source, Trap,
};
use crate::model::Relation;

/// The registers by number: the 64-bit ones, and the bases of segments.
#[rustfmt::skip] // rows
pub(super) const WIDE: &[&str] = &[
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    "fs_base", "gs_base",
];

/// The 32-bit registers. The bases of segments are not printed.
pub(super) const NARROW: &[&str] = &["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];

const FS: u8 = 16;
/// The segment of the kernel's per-CPU data.
pub(crate) const GS: u8 = 17;

/// Returns the name of a register in assembly language, without `%`.
pub(super) fn name(register: Register) -> String {
    let Register { number, size } = register;
    let whole = WIDE.get(usize::from(number)).copied().unwrap_or_default();
    match (number, size) {
        (_, 8) => whole.to_owned(),
        (0..8, 4) => NARROW.get(usize::from(number)).copied().unwrap_or_default().to_owned(),
        (8.., 4) => format!("{whole}d"),
        (8.., 2) => format!("{whole}w"),
        (8.., 1) => format!("{whole}b"),
        (_, 2) => whole.trim_start_matches('r').to_owned(),
        (0..4, 1) => format!("{}l", whole.trim_matches(['r', 'x'])),
        (_, 1) => format!("{}l", whole.trim_start_matches('r')),
        (_, _) => format!("{}h", whole.trim_matches(['r', 'x'])),
    }
}

fn register(register: iced_x86::Register) -> Option<Register> {
    use iced_x86::Register as R;
    let number = || u8::try_from(register.full_register().number()).ok();
    match register {
        R::FS => Some(Register::new(FS, 8)),
        R::GS => Some(Register::new(GS, 8)),
        R::RIP | R::EIP => Some(Register::new(Register::POINTER, 8)),
        // `%ah` and similar registers start at the second byte.
        R::AH | R::BH | R::CH | R::DH => Some(Register::new(number()? & 3, 0)),
        _ if register.is_gpr() => {
            Some(Register::new(number()?, u8::try_from(register.size()).ok()?))
        }
        _ => None,
    }
}

/// Returns an operand that is not in memory.
fn source(instruction: &Instruction, operand: u32) -> Source {
    match instruction.op_kind(operand) {
        OpKind::Memory => Source::Memory,
        OpKind::Register => {
            register(instruction.op_register(operand)).map_or(Source::Other, Source::Register)
        }
        _ => instruction.try_immediate(operand).map_or(Source::Other, Source::Number),
    }
}

/// Returns the memory operand in the text.
fn explicit(instruction: &Instruction, (reads, writes): (bool, bool)) -> Option<Memory> {
    instruction.op_kinds().find(|kind| *kind == OpKind::Memory)?;
    let (base, index) = (instruction.memory_base(), instruction.memory_index());
    let is_narrow = [base, index].iter().any(|register| register.size() == 4);
    Some(Memory {
        base: register(base),
        index: scaled(index, instruction.memory_index_scale()),
        displacement: instruction.memory_displacement64().cast_signed(),
        segment: segment(instruction.memory_segment()),
        is_aligned: false,
        size: instruction.memory_size().size() as u64,
        reads,
        writes,
        address_size: if is_narrow { 4 } else { 8 },
    })
}

/// Returns an index with its scale: 1, 2, 4 or 8.
fn scaled(index: iced_x86::Register, scale: u32) -> Option<Index> {
    let shift = u8::try_from(scale.trailing_zeros()).unwrap_or_default();
    register(index).map(|register| Index::shifted(register, shift))
}

fn segment(segment: iced_x86::Register) -> Option<Register> {
    use iced_x86::Register as R;
    register(segment).filter(|_| matches!(segment, R::FS | R::GS))
}

/// Returns a memory operand of any kind.
fn used(instruction: &Instruction, memory: &UsedMemory) -> Memory {
    let reads = matches!(
        memory.access(),
        OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite
    );
    let is_relative = instruction.is_ip_rel_memory_operand()
        && register(memory.base()).is_none_or(|base| base.number == Register::POINTER);
    Memory {
        base: if is_relative {
            Some(Register::new(Register::POINTER, 8))
        } else {
            register(memory.base())
        },
        index: scaled(memory.index(), memory.scale()),
        displacement: memory.displacement().cast_signed(),
        segment: segment(memory.segment()),
        is_aligned: false,
        size: memory.memory_size().size() as u64,
        reads,
        writes: is_write(memory.access()),
        address_size: if memory.address_size() == iced_x86::CodeSize::Code32 { 4 } else { 8 },
    }
}

fn is_write(access: OpAccess) -> bool {
    matches!(
        access,
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
    )
}

/// Returns the condition of a branch.
fn condition(code: ConditionCode) -> Condition {
    let is_sign = matches!(code, ConditionCode::s | ConditionCode::ns);
    Condition::on_flags(relation(code)).of_sign(is_sign)
}

/// Returns the relation that a branch tests. A test of the sign only is a comparison of the result
/// with zero.
fn relation(code: ConditionCode) -> Option<Relation> {
    Some(match code {
        ConditionCode::e => Relation::Equal,
        ConditionCode::ne => Relation::NotEqual,
        ConditionCode::b => Relation::Below,
        ConditionCode::ae => Relation::AboveOrEqual,
        ConditionCode::be => Relation::BelowOrEqual,
        ConditionCode::a => Relation::Above,
        ConditionCode::l | ConditionCode::s => Relation::Less,
        ConditionCode::ge | ConditionCode::ns => Relation::GreaterOrEqual,
        ConditionCode::le => Relation::LessOrEqual,
        ConditionCode::g => Relation::Greater,
        _ => return None,
    })
}

/// Returns the operation of an instruction that combines its two operands.
fn compute(mnemonic: Mnemonic) -> Option<Compute> {
    Some(match mnemonic {
        Mnemonic::Add => Compute::Add,
        Mnemonic::Sub => Compute::Subtract,
        Mnemonic::And => Compute::And,
        Mnemonic::Or => Compute::Or,
        Mnemonic::Xor => Compute::Xor,
        Mnemonic::Shl | Mnemonic::Sal => Compute::ShiftLeft,
        Mnemonic::Shr => Compute::ShiftRight,
        Mnemonic::Sar => Compute::ShiftRightSigned,
        _ => return None,
    })
}

/// Makes records; with `is_exact` including the reads and writes that the decoder lists.
pub(super) fn record(
    instruction: &Instruction,
    is_exact: bool,
    factory: &mut InstructionInfoFactory,
) -> Insn {
    let known = known(instruction);
    let mut insn = known.unwrap_or_else(|| other(instruction, factory));
    insn.offset = usize::try_from(instruction.ip()).unwrap_or_default();
    if is_exact || known.is_none() {
        let info = factory.info(instruction);
        let is_access = |memory: &&UsedMemory| memory.access() != OpAccess::NoMemAccess;
        let mut operands = info.used_memory().iter().filter(is_access);
        insn.memory = [operands.next(), operands.next()]
            .map(|memory| memory.map(|memory| used(instruction, memory)));
    }
    insn.is_repeated = instruction.has_rep_prefix();
    insn
}

/// The data that records of tracked instructions are filled from.
struct Filler<'i> {
    instruction: &'i Instruction,
    /// The first operand, if it is a register.
    first: Option<Register>,
    plain: Insn,
}

/// Makes the record of a tracked instruction.
fn known(instruction: &Instruction) -> Option<Insn> {
    let is_register = instruction.op_count() > 0 && instruction.op0_kind() == OpKind::Register;
    let first = if is_register { register(instruction.op0_register()) } else { None };
    let of_memory = || u8::try_from(instruction.memory_size().size()).unwrap_or_default();
    let plain = Insn {
        // `%ah` has one byte, which is not the lowest.
        size: first.map_or_else(of_memory, |register| register.size.max(1)),
        memory: [explicit(instruction, (true, false)), None],
        ..Insn::default()
    };
    let filler = Filler { instruction, first, plain };
    filler.computation().or_else(|| filler.movement()).or_else(|| filler.flow())
}

impl Filler<'_> {
    fn source(&self, operand: u32) -> Source {
        if operand < self.instruction.op_count() {
            source(self.instruction, operand)
        } else {
            Source::None
        }
    }

    /// Returns the memory operand with its kind of access.
    fn memory(&self, reads: bool, writes: bool) -> [Option<Memory>; 2] {
        [explicit(self.instruction, (reads, writes)), None]
    }

    /// Makes the record of an instruction that computes its first operand. A write of 32 bits
    /// clears the upper half of a register; a smaller write keeps the other bits, so its result is
    /// not tracked.
    fn to_first(&self, op: Op, sources: [Source; 2]) -> Insn {
        let is_followed = self.plain.size >= 4;
        let op = if is_followed { op } else { Op::Other };
        let destination = self.first.filter(|_| is_followed);
        Insn { op, destination, sources, writes: self.first.into_iter().collect(), ..self.plain }
    }

    /// Makes the record of an operation on memory and another operand; the flags are those of the
    /// result.
    fn updated(&self, by: Source) -> Insn {
        let memory = self.memory(true, true);
        let sources = [by, Source::None];
        Insn { op: Op::Update, sources, memory, flags: Flags::Set(0), ..self.plain }
    }

    /// Makes the record of an instruction that combines or compares two numbers.
    fn computation(&self) -> Option<Insn> {
        let flags = Flags::Set(0);
        let (a, b) = (self.source(0), self.source(1));
        let mnemonic = self.instruction.mnemonic();
        if let Some(compute) = compute(mnemonic) {
            if a == Source::Memory {
                return Some(self.updated(b));
            }
            let insn = match compute {
                Compute::Xor | Compute::Subtract if a == b => {
                    self.to_first(Op::Move, [Source::Number(0), Source::None])
                }
                compute => self.to_first(Op::Compute(compute), [a, self.count(compute, b)]),
            };
            return Some(Insn { flags, ..insn });
        }
        let is_register = self.first.is_some();
        let with_one = |compute| {
            let insn = self.to_first(Op::Compute(compute), [a, Source::Number(1)]);
            let insn = Insn { flags, ..insn };
            Some(if is_register { insn } else { self.updated(Source::Number(1)) })
        };
        match mnemonic {
            Mnemonic::Inc => with_one(Compute::Add),
            Mnemonic::Dec => with_one(Compute::Subtract),
            Mnemonic::Not if is_register => {
                Some(self.to_first(Op::Compute(Compute::Not), [a, Source::None]))
            }
            Mnemonic::Neg if is_register => {
                let insn = self.to_first(Op::Compute(Compute::Negate), [a, Source::None]);
                Some(Insn { flags, ..insn })
            }
            Mnemonic::Cmp => Some(Insn { op: Op::Compare, sources: [a, b], flags, ..self.plain }),
            Mnemonic::Test => Some(Insn { op: Op::Test, sources: [a, b], flags, ..self.plain }),
            _ => None,
        }
    }

    /// Returns the second operand; of a shift count the CPU uses the lowest bits.
    fn count(&self, compute: Compute, operand: Source) -> Source {
        use Compute::{ShiftLeft, ShiftRight, ShiftRightSigned};
        let bits = if self.plain.size == 8 { 63 } else { 31 };
        match (compute, operand) {
            (ShiftLeft | ShiftRight | ShiftRightSigned, Source::Number(count)) => {
                Source::Number(count & bits)
            }
            _ => operand,
        }
    }

    /// Makes the record of an instruction that moves a number or an address.
    fn movement(&self) -> Option<Insn> {
        let (to, from) = (self.source(0), self.source(1));
        let mnemonic = self.instruction.mnemonic();
        match mnemonic {
            Mnemonic::Mov | Mnemonic::Movsx | Mnemonic::Movsxd | Mnemonic::Movzx
                if to == Source::Memory =>
            {
                let memory = self.memory(false, true);
                Some(Insn { op: Op::Store, sources: [from, Source::None], memory, ..self.plain })
            }
            Mnemonic::Mov | Mnemonic::Movsx | Mnemonic::Movsxd | Mnemonic::Movzx => {
                self.first?;
                match (mnemonic, from) {
                    (_, Source::Memory) | (Mnemonic::Mov, _) => {
                        Some(self.to_first(Op::Move, [from, Source::None]))
                    }
                    (_, Source::Register(part)) if part.size > 0 => {
                        let is_signed = mnemonic != Mnemonic::Movzx;
                        let compute =
                            if is_signed { Compute::ExtendSigned } else { Compute::Extend };
                        let size = Source::Number(u64::from(part.size));
                        Some(self.to_first(Op::Compute(compute), [from, size]))
                    }
                    _ => None,
                }
            }
            Mnemonic::Cdqe => {
                let destination = Some(Register::new(0, 8));
                Some(Insn {
                    op: Op::Compute(Compute::ExtendSigned),
                    size: 8,
                    destination,
                    sources: [Source::Register(Register::new(0, 4)), Source::Number(4)],
                    writes: destination.into_iter().collect(),
                    ..Insn::default()
                })
            }
            Mnemonic::Lea => {
                let insn = self.to_first(Op::Address, [Source::Memory, Source::None]);
                Some(Insn { memory: self.memory(false, false), ..insn })
            }
            _ => {
                // `cmov` keeps its first operand if the condition does not hold.
                let code = self.instruction.condition_code();
                let is_choice = code != ConditionCode::None && self.instruction.op_count() == 2;
                self.first.filter(|_| is_choice)?;
                let condition = Some(condition(code));
                Some(Insn { condition, ..self.to_first(Op::Select, [from, to]) })
            }
        }
    }

    fn through_register(&self, op: Op) -> Insn {
        Insn { op, sources: [self.source(0), Source::None], ..Insn::default() }
    }

    /// Makes the record of a branch, trap or nop.
    fn flow(&self) -> Option<Insn> {
        let plain = |op| Some(Insn { op, memory: self.plain.memory, ..Insn::default() });
        let instruction = self.instruction;
        match instruction.mnemonic() {
            // The target, if it is in a register.
            Mnemonic::Call if self.first.is_some() => Some(self.through_register(Op::Call)),
            Mnemonic::Jmp if self.first.is_some() => Some(self.through_register(Op::Leave)),
            Mnemonic::Call => plain(Op::Call),
            Mnemonic::Ud2 | Mnemonic::Ud1 | Mnemonic::Ud0 => plain(Op::Trap(Trap::Assertion)),
            Mnemonic::Nop
            | Mnemonic::Endbr64
            | Mnemonic::Lfence
            | Mnemonic::Mfence
            | Mnemonic::Pause
            | Mnemonic::Sfence
            | Mnemonic::Stac
            | Mnemonic::Clac => Some(Insn { op: Op::Nothing, ..Insn::default() }),
            _ if instruction.is_jcc_short_or_near() || instruction.is_jmp_short_or_near() => {
                let is_conditional = instruction.is_jcc_short_or_near();
                let condition = is_conditional.then(|| condition(instruction.condition_code()));
                let target = usize::try_from(instruction.near_branch_target()).ok();
                Some(Insn { op: Op::Branch, condition, target, ..Insn::default() })
            }
            _ => None,
        }
    }
}

/// Makes the record of any other instruction: the registers that the decoder lists as written.
fn other(instruction: &Instruction, factory: &mut InstructionInfoFactory) -> Insn {
    let op = match instruction.flow_control() {
        FlowControl::Next if matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv) => {
            Op::Divide
        }
        FlowControl::Next => Op::Other,
        // Compilers pad functions with breakpoints.
        FlowControl::Return | FlowControl::IndirectBranch | FlowControl::Interrupt => Op::Leave,
        _ => Op::Unknown,
    };
    let info = factory.info(instruction);
    let written = info.used_registers().iter().filter(|used| is_write(used.access()));
    let writes: Set = written.filter_map(|used| register(used.register())).collect();
    let changes_flags = instruction.rflags_modified() != 0;
    let divisor = if op == Op::Divide { source(instruction, 0) } else { Source::None };
    let size = match divisor {
        Source::Register(register) => register.size.max(1),
        _ => u8::try_from(instruction.memory_size().size()).unwrap_or_default(),
    };
    Insn {
        op,
        size,
        sources: [divisor, Source::None],
        flags: if changes_flags { Flags::Lost } else { Flags::Kept },
        writes,
        ..Insn::default()
    }
}
