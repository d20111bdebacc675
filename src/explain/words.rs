//! What an instruction of a machine other than x86 did, by its text.

use super::compare::{self, Found, Relation, Side};
use super::dialect::{Dialect, Size, Verb};
use super::{bytes, class, confidence, meant_class, short};
use crate::arch::Arch;
use crate::disasm::{self, Syntax};
use crate::kind::Kind;
use crate::model::{
    AccessKind, Address, Agreement, Confidence, Explanation, Instruction, MeantAccess, Pointer,
    Registers, Report, Step,
};

/// An instruction, taken apart.
struct Part<'t> {
    offset: usize,
    text: &'t str,
    /// What it does; none where that is not known.
    verb: Option<Verb>,
    /// What must hold for it to be done.
    condition: Option<Relation>,
    operands: Vec<&'t str>,
}

impl Part<'_> {
    /// Where it may go to.
    fn target(&self) -> Option<usize> {
        use Verb::{Branch, BranchCompare, BranchZero, Jump};
        match self.verb? {
            Branch(_) | BranchZero(_) | BranchCompare(_) | Jump => {
                let by = number(self.operands.last()?.trim_start_matches('$'))?;
                self.offset.checked_add_signed(isize::try_from(by).ok()?)
            }
            _ => None,
        }
    }

    /// Whether the next instruction is always next.
    fn is_straight(&self) -> bool {
        use Verb::{Branch, BranchCompare, BranchZero, Jump, Leave, Trap};
        let goes = matches!(
            self.verb,
            None | Some(Branch(_) | BranchZero(_) | BranchCompare(_) | Jump | Leave | Trap)
        );
        !goes
    }

    /// Whether it may go on or not.
    fn is_conditional(&self) -> bool {
        use Verb::{Branch, BranchCompare, BranchZero};
        matches!(self.verb, Some(Branch(_) | BranchZero(_) | BranchCompare(_)))
            || (self.verb.is_some() && !self.is_straight() && self.condition.is_some())
    }
}

/// A memory operand.
struct Memory<'t> {
    text: &'t str,
    base: Option<&'t str>,
    index: Option<&'t str>,
    /// How the index is scaled and widened: `lsl #3`, `sxtw #2`.
    scale: Option<&'t str>,
    displacement: i64,
    /// Whether the base is changed as well.
    is_update: bool,
}

/// The instructions up to the trap and after it, and the registers at it.
struct Window<'r> {
    dialect: &'static Dialect,
    arch: Arch,
    parts: Vec<Part<'r>>,
    trap: usize,
    registers: &'r Registers,
}

/// Explains the trap of a report whose code is not x86.
pub(super) fn explain(report: &Report<'_>, arch: Arch) -> Option<Explanation> {
    let dialect = Dialect::of(arch)?;
    let code = report.code.as_ref()?;
    let decoded;
    let instructions = if code.instructions.is_empty() {
        decoded = disasm::decode(code, Syntax::Att);
        &decoded
    } else {
        &code.instructions
    };
    let trap = instructions.iter().position(|instruction| instruction.trapping)?;
    let parts = instructions.iter().map(|instruction| part(dialect, instruction)).collect();
    let window = Window { dialect, arch, parts, trap, registers: &report.registers };
    let trapping = window.parts.get(trap)?;
    match trapping.verb? {
        Verb::Trap => Some(compare::assertion(window.condition())),
        Verb::TrapIf(relation) => {
            let found = window.comparison(trap, relation, Size::Whole);
            Some(compare::assertion(found))
        }
        Verb::Divide(bytes) if report.kind == Kind::DivideError => {
            let mut divisor = window.side(trap, trapping.operands.last()?)?;
            divisor.value = divisor.value.map(|value| value & (u64::MAX >> (64 - 8 * bytes)));
            Some(compare::division(&divisor, window.steps(divisor.register?).0.into_iter().next()))
        }
        Verb::Load(size) if super::is_access(report) => {
            window.access(report, trapping, Some(AccessKind::Read), size)
        }
        Verb::Store(size) if super::is_access(report) => {
            window.access(report, trapping, Some(AccessKind::Write), size)
        }
        Verb::Update(size) if super::is_access(report) => {
            window.access(report, trapping, None, size)
        }
        _ => None,
    }
}

/// Takes an instruction apart.
fn part<'t>(dialect: &Dialect, instruction: &'t Instruction) -> Part<'t> {
    let text = instruction.text.as_str();
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (mut operands, mut from, mut depth) = (Vec::new(), 0, 0usize);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                operands.extend(rest.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    operands.extend(rest.get(from..));
    for operand in &mut operands {
        *operand = operand.trim();
    }
    operands.retain(|operand| !operand.is_empty());
    let found = match name {
        ".inst" => dialect.verb(&format!(".inst:{}", rest.trim())),
        name => dialect.verb(name),
    };
    let (verb, condition) = found.map_or((None, None), |(verb, when)| (Some(verb), when));
    Part { offset: instruction.offset, text, verb, condition, operands }
}

/// A number: `#0x58`, `-0x10`, `0x8`, `12`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start_matches('#');
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?.cast_signed(),
        None => digits.parse().ok()?,
    };
    Some(if is_negative { value.wrapping_neg() } else { value })
}

/// The memory operand of an instruction.
fn memory<'t>(part: &Part<'t>) -> Option<Memory<'t>> {
    let (at, text) =
        part.operands.iter().enumerate().find(|(_, text)| text.ends_with([']', ')', '!']))?;
    let is_update = text.ends_with('!') || part.operands.len() > at + 1;
    if let Some(inner) = text.strip_prefix('[') {
        let mut inside = inner.trim_end_matches('!').strip_suffix(']')?.split(',').map(str::trim);
        let base = inside.next();
        let second = inside.next();
        let by = second.map(number);
        return Some(Memory {
            text,
            base,
            index: second.filter(|_| by == Some(None)),
            scale: inside.next(),
            displacement: by.flatten().unwrap_or(0),
            is_update,
        });
    }
    let (displacement, inner) = text.strip_suffix(')')?.split_once('(')?;
    let mut inside = inner.split(',').map(str::trim).rev();
    let (base, index) = (inside.next(), inside.next());
    let displacement = if displacement.is_empty() { 0 } else { number(displacement)? };
    Some(Memory { text, base, index, scale: None, displacement, is_update: false })
}

impl<'r> Window<'r> {
    /// The name in the model of a register, and how many bytes of it are meant.
    fn register(&self, text: &str) -> Option<(&'static str, usize)> {
        let text = text.trim_start_matches('%');
        let alias = self.dialect.aliases.iter().find(|(alias, _)| *alias == text);
        let text = alias.map_or(text, |(_, name)| name);
        let mut known = self.arch.info().registers();
        let whole = usize::from(self.arch.bits() / 8);
        if let (Arch::Arm64, Some(number)) = (self.arch, text.strip_prefix('w')) {
            return known.find(|name| name.strip_prefix('x') == Some(number)).map(|name| (name, 4));
        }
        known.find(|name| *name == text).map(|name| (name, whole))
    }

    /// What a register held at the trap, or nothing of what is always zero.
    fn value(&self, text: &str) -> Option<u64> {
        if self.dialect.zero.contains(&text) {
            return Some(0);
        }
        let (name, size) = self.register(text)?;
        let value = self.registers.get(name)?;
        Some(if size == 4 { value & 0xffff_ffff } else { value })
    }

    fn mask(&self) -> u64 {
        if self.arch.bits() == 64 { u64::MAX } else { u64::from(u32::MAX) }
    }

    fn address(&self, value: u64) -> Address {
        Address::with_bits(value, self.arch.bits())
    }

    /// The address of a memory operand at the trap.
    fn place(&self, memory: &Memory<'_>) -> Option<u64> {
        // What reads as the instruction pointer is some instructions further.
        let base = match memory.base? {
            "pc" => return None,
            base if base.trim_start_matches('%') == self.dialect.zero_base => 0,
            base => self.value(base)?,
        };
        let index = match memory.index {
            None => 0,
            Some(index) => {
                let negative = index.starts_with('-');
                let value = self.value(index.trim_start_matches('-'))?;
                let (how, by) = memory.scale.map_or(("lsl", 0), |scale| {
                    let (how, by) = scale.split_once(' ').unwrap_or((scale, "0"));
                    (how, number(by).unwrap_or(64))
                });
                let value = match how {
                    "lsl" | "uxtw" | "sxtx" | "uxtx" => value,
                    "sxtw" => i64::from(u32::try_from(value).ok()?.cast_signed()).cast_unsigned(),
                    _ => return None,
                };
                let value = value.checked_shl(u32::try_from(by).ok()?)?;
                if negative { value.wrapping_neg() } else { value }
            }
        };
        let sum = base.wrapping_add(index).wrapping_add(memory.displacement.cast_unsigned());
        Some(sum & self.mask())
    }

    /// Whether an instruction may change a register.
    fn changes(&self, part: &Part<'_>, register: &str) -> bool {
        let names = |text: &&str| self.register(text).is_some_and(|(name, _)| name == register);
        let base = memory(part).filter(|memory| memory.is_update);
        let is_base = base.and_then(|memory| memory.base).is_some_and(|base| names(&base));
        let first = part.operands.first().is_some_and(names);
        match part.verb {
            None => true,
            Some(Verb::Call) => !self.dialect.saved.split(' ').any(|saved| saved == register),
            Some(Verb::Update(_)) => part.operands.iter().any(names),
            Some(Verb::Load(Size::Pair)) => part.operands.iter().take(2).any(names),
            Some(
                Verb::Load(_)
                | Verb::Move
                | Verb::Add
                | Verb::Subtract
                | Verb::ShiftRight
                | Verb::Compute
                | Verb::Divide(_),
            ) => first || is_base,
            Some(_) => is_base,
        }
    }

    /// Whether a register is the same after an instruction as at the trap.
    fn is_kept(&self, from: usize, register: &str) -> bool {
        let since = self.parts.get(from + 1..self.trap).unwrap_or_default();
        !since.iter().any(|part| self.changes(part, register))
    }

    /// Whether control may come to an instruction from elsewhere in the window.
    fn is_target(&self, offset: usize) -> bool {
        self.parts.iter().any(|part| part.target() == Some(offset))
    }

    /// How a register came to have its value, the last instruction first, and what was made of it by
    /// adding: the register where it still is, and the sum of what was added.
    fn steps(&self, register: &'static str) -> (Vec<Step>, Root) {
        let mut steps = Vec::new();
        let mut root = Root { register: Some(register), offset: 0, shifted: None, origin: None };
        let mut register = register;
        let mut wanted = self.registers.get(register);
        for at in (0..self.trap).rev() {
            let (Some(part), Some(next)) = (self.parts.get(at), self.parts.get(at + 1)) else {
                break;
            };
            let is_end = matches!(part.verb, None | Some(Verb::Jump | Verb::Leave | Verb::Trap));
            if (is_end && part.condition.is_none()) || self.is_target(next.offset) {
                break;
            }
            if !self.changes(part, register) {
                continue;
            }
            if part.condition.is_some() {
                break;
            }
            let mut step = |means: String| {
                steps.push(Step { offset: part.offset, text: part.text.to_owned(), means });
            };
            let name = part.operands.first().copied().unwrap_or(register);
            let second = part.operands.get(1).copied();
            let source = second.and_then(|text| self.register(text));
            let kept = |from: &str| self.is_kept(at, from) && !self.changes(part, from);
            let with_value = |text: &str| match self.value(text) {
                Some(value) if self.register(text).is_some_and(|(from, _)| kept(from)) => {
                    format!(", {text} = {}", short(value))
                }
                _ => String::new(),
            };
            match part.verb {
                Some(Verb::Load(_)) => {
                    let Some(memory) = memory(part) else { break };
                    let base = memory.base.map(with_value).unwrap_or_default();
                    step(format!("{name} was loaded from {}{base}", memory.text));
                    root.origin = Some(format!("loaded from {}", memory.text));
                }
                Some(Verb::Call) if register == self.dialect.result => {
                    step(format!("{register} was returned by the function called here"));
                    root.origin = Some(format!("returned by the call at {:#x}", part.offset));
                }
                Some(Verb::Move) => match (second.and_then(number), source) {
                    (Some(value), _) if wanted == Some(value.cast_unsigned() & self.mask()) => {
                        step(format!("{name} = {}", short(value.cast_unsigned() & self.mask())));
                        root.origin =
                            Some(format!("the constant {}", short(value.cast_unsigned())));
                    }
                    (None, Some((from, _))) => {
                        if kept(from) && self.registers.get(from) != wanted {
                            break;
                        }
                        root.register = Some(from).filter(|from| kept(from));
                        register = from;
                        continue;
                    }
                    _ => {}
                },
                Some(verb @ (Verb::Add | Verb::Subtract)) => {
                    let by = part.operands.last().and_then(|text| number(text));
                    let (Some(by), Some((from, _))) = (by, source) else { break };
                    let by = if matches!(verb, Verb::Subtract) { by.wrapping_neg() } else { by };
                    let before =
                        wanted.map(|value| value.wrapping_sub(by.cast_unsigned()) & self.mask());
                    // A large number may itself be the pointer.
                    if by.unsigned_abs() > 1 << 20
                        || (kept(from) && self.registers.get(from) != before)
                    {
                        break;
                    }
                    let sign = if by < 0 { '-' } else { '+' };
                    let text = second.unwrap_or(from);
                    step(format!(
                        "{name} = {text} {sign} {:#x}{}",
                        by.unsigned_abs(),
                        with_value(text)
                    ));
                    root.offset = root.offset.saturating_add(by);
                    root.register = Some(from).filter(|from| kept(from));
                    (register, wanted) = (from, before);
                    continue;
                }
                Some(Verb::ShiftRight) => {
                    let by = part.operands.last().and_then(|text| number(text));
                    root.shifted = source.map(|(from, _)| from).filter(|from| kept(from)).zip(by);
                }
                _ => {}
            }
            break;
        }
        (steps, root)
    }

    fn access(
        &self,
        report: &Report<'_>,
        trapping: &Part<'r>,
        kind: Option<AccessKind>,
        size: Size,
    ) -> Option<Explanation> {
        let memory = memory(trapping).or_else(|| self.indexed(trapping))?;
        let told = report.access.unwrap_or_default();
        let kind = kind.or(told.kind).unwrap_or(AccessKind::Write);
        let width = trapping.operands.first().and_then(|text| self.register(text));
        let width = width.map_or(u64::from(self.arch.bits() / 8), |(_, size)| size as u64);
        let size = match size {
            Size::Whole => width,
            Size::Pair => 2 * width,
            Size::Bytes(bytes) => bytes,
        };
        let mut explanation = match self.place(&memory) {
            None => {
                let mut explanation = super::by_header(report, self.arch)?;
                let access = explanation.access.get_or_insert_default();
                (access.kind, access.size) = (Some(kind), Some(size));
                explanation
            }
            Some(address) => {
                let holds = |header: Address| {
                    let unit = self.dialect.unit;
                    let first = address / unit * unit;
                    header.value.wrapping_sub(first) < size.max(unit)
                };
                let header = told.address.map(holds);
                if header == Some(false) {
                    return None;
                }
                let error_code = told.kind.map(|told| told == kind);
                let agrees_with = Agreement { header, error_code, ..Agreement::default() };
                let is_sure = agrees_with.is_whole() && header.is_some();
                let found = self.shadow(&memory, address, size, kind);
                let found = found.unwrap_or_else(|| self.plain(&memory, address, size, kind));
                Explanation { agrees_with, confidence: confidence(is_sure), ..found }
            }
        };
        let access = explanation.access.get_or_insert_default();
        access.expression = Some(memory.text.to_owned()).filter(|text| !text.is_empty());
        for text in [memory.base, memory.index].into_iter().flatten() {
            // The whole register, also where the instruction uses a part.
            if let Some((name, _)) = self.register(text)
                && let Some(value) = self.registers.get(name)
            {
                access.registers.add(name, self.address(value));
            }
        }
        Some(explanation)
    }

    /// An operand that is written as two registers: `ldx r7, r9, r10`.
    fn indexed<'t>(&self, part: &Part<'t>) -> Option<Memory<'t>> {
        let (base, index) = (*part.operands.get(1)?, *part.operands.get(2)?);
        self.register(base).and(self.register(index))?;
        Some(Memory {
            text: "",
            base: Some(base),
            index: Some(index),
            scale: None,
            displacement: 0,
            is_update: false,
        })
    }

    /// A check of KASAN, seen through.
    fn shadow(
        &self,
        memory: &Memory<'_>,
        address: u64,
        size: u64,
        kind: AccessKind,
    ) -> Option<Explanation> {
        let offset = class::shadow_offset(self.arch)?;
        let parts = [memory.base, memory.index];
        let is_offset = |text: &&str| self.value(text) == Some(offset);
        if !parts.iter().flatten().any(is_offset) || kind != AccessKind::Read || size > 2 {
            return None;
        }
        let low = address.wrapping_sub(offset) << 3;
        let shifted = parts.into_iter().flatten().find(|text| !is_offset(text))?;
        let (_, root) = self.steps(self.register(shifted)?.0);
        let source = root.shifted.filter(|(_, by)| *by == 3).map(|(register, _)| register);
        let exact = source
            .and_then(|register| Some((register, self.registers.get(register)?)))
            .filter(|(_, value)| value >> 3 == low >> 3);
        let Some((register, real)) = exact else {
            let mut found = super::by_shadow(self.arch, self.address(address), low);
            found.steps = Vec::new();
            return Some(found);
        };
        let (steps, root) = self.steps(register);
        let pointer = self.pointer(root, real);
        let class = meant_class(self.arch, Some(&pointer), real);
        let summary = format!(
            "reads {} at {}, the KASAN shadow: the real access is to {real:#x}, {}",
            bytes(size),
            self.address(address),
            super::meaning(self.arch, class, Some(&pointer), real),
        );
        Some(Explanation {
            access: Some(MeantAccess {
                address: Some(self.address(real)),
                ..MeantAccess::default()
            }),
            address_class: Some(class),
            shadow: true,
            pointer: Some(pointer),
            steps,
            ..Explanation::new(summary, Confidence::Likely)
        })
    }

    /// An access that faulted itself.
    fn plain(&self, memory: &Memory<'_>, address: u64, size: u64, kind: AccessKind) -> Explanation {
        // The pointer is the one of the two that is nearer to the address.
        let value = |text: &str| {
            let (register, _) =
                self.register(text).filter(|(name, _)| *name != self.dialect.zero_base)?;
            Some((register, self.registers.get(register)?))
        };
        let parts = [memory.base, memory.index].into_iter().flatten().filter_map(value);
        let base = parts.min_by_key(|(_, value)| value.abs_diff(address));
        let found = base.map(|(register, _)| self.steps(register));
        let value = base.map(|(_, value)| value);
        let (steps, pointer) = match (found, value) {
            (Some((steps, root)), Some(value)) => {
                let pointer = self.pointer(root, value);
                let offset = address.wrapping_sub(pointer.value.value);
                let unused = 64 - u32::from(self.arch.bits());
                let offset = (offset << unused).cast_signed() >> unused;
                (steps, Some(Pointer { offset, ..pointer }))
            }
            _ => (Vec::new(), None),
        };
        let class = meant_class(self.arch, pointer.as_ref(), address);
        let summary = format!(
            "{} {} at {}, {}",
            if kind == AccessKind::Write { "writes" } else { "reads" },
            bytes(size),
            self.address(address),
            super::meaning(self.arch, class, pointer.as_ref(), address),
        );
        Explanation {
            access: Some(MeantAccess {
                kind: Some(kind),
                size: Some(size),
                address: Some(self.address(address)),
                ..MeantAccess::default()
            }),
            address_class: Some(class),
            pointer,
            steps,
            ..Explanation::new(summary, Confidence::Likely)
        }
    }

    fn pointer(&self, root: Root, value: u64) -> Pointer {
        Pointer {
            register: root.register.map(str::to_owned),
            value: self.address(value.wrapping_sub(root.offset.cast_unsigned()) & self.mask()),
            offset: root.offset,
            origin: root.origin,
        }
    }

    /// The comparison that led to the trap.
    fn condition(&self) -> Option<Found> {
        let (branch, is_taken) = self.way_in()?;
        let part = self.parts.get(branch)?;
        let turn = |relation: Relation| if is_taken { relation } else { relation.negated() };
        let relation = match part.verb? {
            Verb::BranchZero(relation) => {
                let left = self.side(branch, part.operands.first()?)?;
                return self.found(&left, turn(relation), &Side::number(0), Size::Whole);
            }
            Verb::BranchCompare(relation) => {
                let left = self.side(branch, part.operands.first()?)?;
                let right = self.side(branch, part.operands.get(1)?)?;
                return self.found(&left, turn(relation), &right, Size::Whole);
            }
            Verb::Branch(relation) => relation,
            _ => part.condition?,
        };
        let relation = turn(relation);
        // PowerPC has more than one result of a comparison.
        let field = part.operands.first().filter(|text| text.starts_with("cr"));
        for at in (0..branch).rev() {
            let (part, next) = (self.parts.get(at)?, self.parts.get(at + 1)?);
            if self.is_target(next.offset) || (!part.is_straight() && !part.is_conditional()) {
                return None;
            }
            let Verb::Compare(size, is_signed) = part.verb? else {
                if matches!(part.verb, Some(Verb::Call)) {
                    return None;
                }
                continue;
            };
            if part.operands.first().filter(|text| text.starts_with("cr")) == field {
                let relation = if is_signed { relation.signed() } else { relation };
                return self.comparison(at, relation, size);
            }
        }
        None
    }

    /// The comparison of the last two operands of an instruction.
    fn comparison(&self, at: usize, relation: Relation, size: Size) -> Option<Found> {
        let operands = &self.parts.get(at)?.operands;
        let count = operands.len().checked_sub(2)?;
        let (left, right) = (operands.get(count)?, operands.get(count + 1)?);
        self.found(&self.side(at, left)?, relation, &self.side(at, right)?, size)
    }

    fn found(
        &self,
        left: &Side<&'static str>,
        relation: Relation,
        right: &Side<&'static str>,
        size: Size,
    ) -> Option<Found> {
        let width = self.register(&left.text).map_or(8, |(_, size)| size);
        let size = match size {
            Size::Bytes(bytes) => usize::try_from(bytes).ok()?,
            Size::Whole | Size::Pair => width,
        };
        let registers: Vec<_> = [left.register, right.register].into_iter().flatten().collect();
        let mut values = Registers::default();
        for register in &registers {
            if let Some(value) = self.registers.get(register) {
                values.add(register, self.address(value));
            }
        }
        let found = Found::new(left, relation, right, size, values)?;
        let steps =
            registers.iter().filter_map(|register| self.steps(register).0.into_iter().next());
        Some(Found { steps: steps.collect(), ..found })
    }

    /// An operand of a comparison.
    fn side(&self, at: usize, text: &str) -> Option<Side<&'static str>> {
        if let Some(value) = number(text) {
            return Some(Side::number(value.cast_unsigned()));
        }
        if self.dialect.zero.contains(&text) {
            return Some(Side::number(0));
        }
        let (register, _) = self.register(text)?;
        let value = self.value(text).filter(|_| at >= self.trap || self.is_kept(at, register));
        Some(Side { text: text.to_owned(), value, register: Some(register) })
    }

    /// The branch through which control came to the trap, and whether it was taken.
    fn way_in(&self) -> Option<(usize, bool)> {
        let above = self.parts.get(..self.trap)?;
        let last = above.iter().rposition(|part| !part.is_straight())?;
        let block = self.parts.get(last + 1..=self.trap)?;
        let into = |part: &Part<'_>| block.iter().any(|other| part.target() == Some(other.offset));
        let branches: Vec<usize> =
            (0..self.parts.len()).filter(|at| self.parts.get(*at).is_some_and(into)).collect();
        let is_conditional = |at: usize| self.parts.get(at).is_some_and(Part::is_conditional);
        match branches.as_slice() {
            [] => is_conditional(last).then_some((last, false)),
            [only] => (!is_conditional(last) && is_conditional(*only)).then_some((*only, true)),
            _ => None,
        }
    }
}

/// What a value was made from.
struct Root {
    /// The register that has it at the trap.
    register: Option<&'static str>,
    /// What was added to it.
    offset: i64,
    /// The register that was shifted to the right, and by how many bits.
    shifted: Option<(&'static str, i64)>,
    origin: Option<String>,
}
