//! The state of the processor: registers and code, from the lines with their dumps.

use crate::arch::{self, Arch};
use crate::escape;
use crate::model::{Access, Address, Code, Instruction, Registers};
use crate::reason::{DiagnosticKind, ReportPart};
use crate::syntax::code::{self, Listed};
use crate::syntax::register::Registers as Read;
use crate::token::register::{self, Register};

/// The part of a line that was not parsed: its text, its type, and the problem.
pub(super) type Unread<'a> = Option<(&'a [u8], ReportPart, DiagnosticKind)>;

/// The dump that a line of words continues.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum GoesOn {
    #[default]
    Nothing,
    /// The registers from this number on.
    Row(Arch, usize),
    Code,
}

/// The registers and code parsed so far.
#[derive(Clone, Debug, Default)]
pub(super) struct CpuState {
    /// The architecture, if a line has determined it.
    pub(super) arch: Option<Arch>,
    registers: Registers,
    code: code::Code,
    /// The kernel's own listing of the code.
    listing: Vec<Instruction>,
    /// The instructions of it that are marked with `#` and with `>`.
    marks: [Option<usize>; 2],
    goes_on: GoesOn,
    /// Whether registers in rows, which are padded to their width, have 32 bits.
    is_narrow: bool,
}

impl CpuState {
    /// Skips the dumps that follow, which are not those of the crash.
    pub(super) fn skip(&mut self) {
        self.goes_on = GoesOn::Nothing;
    }

    /// Adds the registers of a line.
    pub(super) fn registers<'a>(&mut self, read: Read<'a>) -> Unread<'a> {
        self.goes_on = GoesOn::Nothing;
        match read {
            Read::Named { first, rest, line } => self.named(first, rest, line),
            Read::Row(line) => match arch::row(line, self.arch) {
                Some((arch, number, values)) => self.row(arch, number, values),
                None => self.rest(line),
            },
        }
    }

    /// Adds registers in the rest of a line that began with another field.
    pub(super) fn rest<'a>(&mut self, text: &'a [u8]) -> Unread<'a> {
        self.goes_on = GoesOn::Nothing;
        let (rest, first) = register::register(text).ok()?;
        self.named(first, rest, text)
    }

    /// Adds the registers of `text`, which consists of `first` and `rest`.
    fn named<'a>(&mut self, first: Register<'a>, rest: &'a [u8], text: &'a [u8]) -> Unread<'a> {
        let arch = self.arch_of(first, text)?;
        self.arch = Some(arch);
        let (mut read, mut tail, mut rest) = (first, rest, text);
        while let Some(name) = arch.register(read.0) {
            self.registers.add(name, Address::with_bits(read.1.value, arch.bits()));
            rest = register::without_note(tail);
            let Ok(next) = register::register(rest) else { break };
            (tail, read) = next;
        }
        unread(rest, DiagnosticKind::NoRegister)
    }

    /// Adds the values of the registers from `number` on.
    fn row<'a>(&mut self, arch: Arch, number: usize, text: &'a [u8]) -> Unread<'a> {
        self.arch = Some(arch);
        let mut rest = text;
        let mut names = arch.info().numbered.iter().skip(number);
        let mut next = number;
        while let Ok((tail, value)) = register::value(rest.trim_ascii_start())
            && let Some(name) = names.next()
        {
            let value = Address::from_digits(value.value, value.digits);
            self.is_narrow |= value.bits == 32;
            self.registers.add(name, value);
            rest = tail;
            next += 1;
        }
        self.goes_on = GoesOn::Row(arch, next);
        unread(rest, DiagnosticKind::NoValue)
    }

    /// Adds a line of words.
    pub(super) fn words<'a>(&mut self, text: &'a [u8]) -> Unread<'a> {
        match self.goes_on {
            GoesOn::Row(arch, number) => self.row(arch, number, text),
            GoesOn::Code => self.bytes(text),
            GoesOn::Nothing => None,
        }
    }

    /// Returns the architecture of the registers in a line: the known one if it fits, else one that
    /// the line identifies.
    fn arch_of(&self, (name, value): Register<'_>, text: &[u8]) -> Option<Arch> {
        // i386 prints CR2 with 16 digits at the end of an oops; arm64 prints `PC is at` like arm,
        // before Linux 4.20.
        let fits = |arch: &Arch| arch.bits() == 64 || u32::try_from(value.value).is_ok();
        self.arch
            .filter(|arch| arch.register(name).is_some() && fits(arch))
            .or_else(|| arch::shown_by(text, self.arch))
    }

    /// Adds a line of code, unless one is present.
    pub(super) fn code<'a>(&mut self, text: &'a [u8]) -> Unread<'a> {
        self.goes_on = GoesOn::Nothing;
        if self.code.bytes.is_empty() {
            self.goes_on = GoesOn::Code;
            return self.bytes(text);
        }
        None
    }

    fn bytes<'a>(&mut self, text: &'a [u8]) -> Unread<'a> {
        self.code.read(text);
        let (why, at) = self.code.fault.take()?;
        Some((text.get(at..).unwrap_or_default(), ReportPart::CodeBytes, why))
    }

    /// Adds an instruction of the kernel's own listing; false if there are too many.
    pub(super) fn listed(&mut self, listed: Listed<'_>) -> bool {
        if self.code.bytes.len() >= code::MAX_CODE {
            return false;
        }
        let [above, at] = &mut self.marks;
        match listed.mark {
            Some(b'#') => *above = Some(self.listing.len()),
            Some(_) => *at = Some(self.listing.len()),
            None => {}
        }
        let offset = self.code.add(listed.digits);
        let bytes = self.code.bytes.get(offset..).unwrap_or_default().to_vec();
        let text = escape::text(listed.text).replace('\t', " ");
        self.listing.push(Instruction { offset, bytes, text, trapping: false });
        true
    }

    /// Returns the registers, and the code around the crash. The address of the access gets the
    /// width of the architecture, because powerpc prints it without padding.
    pub(super) fn finish(mut self, access: Option<&mut Access>) -> (Registers, Option<Code>) {
        // A faulting access is undone, so the instruction pointer is at it; other instructions trap
        // after completion, and the pointer is behind them: __rewind_psw() in arch/s390/mm/fault.c.
        let [above, at] = self.marks;
        let trap = if access.is_some() { at } else { above.or(at) };
        let listed = trap.and_then(|trap| self.listing.get_mut(trap)).map(|instruction| {
            instruction.trapping = true;
            instruction.offset
        });
        if let Some(arch) = self.arch {
            self.registers.sort(arch);
            let address = access.and_then(|access| access.address.as_mut());
            if let Some(address) = address.filter(|_| !self.registers.is_empty()) {
                let bits = if self.is_narrow { 32 } else { arch.bits() };
                *address = Address::with_bits(address.value, bits);
            }
        }
        if self.is_narrow {
            self.registers.narrow();
        }
        let code::Code { bytes, trap, unit, .. } = self.code;
        let code = Code {
            arch: self.arch,
            bytes,
            unit: unit.max(1),
            trap_offset: trap.or(listed),
            instructions: self.listing,
        };
        (self.registers, (!code.bytes.is_empty()).then_some(code))
    }
}

/// Returns the text behind the registers of a line, if there is any.
fn unread(rest: &[u8], why: DiagnosticKind) -> Unread<'_> {
    (!rest.trim_ascii().is_empty()).then_some((rest, ReportPart::Registers, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{self, Record};

    fn processor(lines: &[&str]) -> CpuState {
        let mut processor = CpuState::default();
        for line in lines {
            match syntax::record(line.as_bytes()) {
                Record::Words(text) => {
                    processor.words(text);
                }
                Record::Listed(listed) => {
                    processor.listed(listed);
                }
                Record::Code(text) | Record::CodeBelow(text) => {
                    processor.code(text);
                }
                Record::Registers(registers) => {
                    processor.registers(registers);
                }
                record => panic!("{line}: {record:?}"),
            }
        }
        processor
    }

    #[test]
    fn rows_go_on() {
        let (registers, _) = processor(&[
            "Krnl GPRS: 0000000000000001 0000000000000002 0000000000000003 0000000000000004",
            "           0000000000000005 0000000000000006 0000000000000007 0000000000000008",
        ])
        .finish(None);
        assert_eq!((registers.get("r0"), registers.get("r7")), (Some(1), Some(8)));
        assert_eq!(registers.iter().count(), 8);
    }

    #[test]
    fn rows_have_the_width_of_their_architecture() {
        let found = processor(&["$ 4   : 8260e888 00000000 810ee780 00000001", "Hi    : 000656d0"]);
        assert_eq!(found.arch, Some(Arch::Mips));
        let (registers, _) = found.finish(None);
        assert!(registers.iter().all(|register| register.value.bits == 32));
        assert_eq!(registers.get("$6"), Some(0x810e_e780));
    }

    #[test]
    fn a_listing_traps_where_the_access_was_or_before() {
        let lines = [
            "Krnl Code: 000003ff7fd0264c: e31010880004\tlg\t%r1,136(%r1)",
            "           #000003ff7fd02652: e33030000004\tlg\t%r3,0(%r3)",
            "           >000003ff7fd02658: e33010680024\tstg\t%r3,104(%r1)",
        ];
        let trap = |access: Option<&mut Access>| {
            let (_, code) = processor(&lines).finish(access);
            let code = code.expect("code");
            assert_eq!(code.instructions.len(), 3);
            code.trap_offset
        };
        assert_eq!(trap(None), Some(6));
        assert_eq!(trap(Some(&mut Access::default())), Some(12));
    }

    #[test]
    fn the_width_of_a_value_corrects_the_architecture() {
        let found = processor(&["EAX: 00000000 EBX: c1c74300", "CR2: 0000000000000000"]);
        assert_eq!(found.arch, Some(Arch::X86));
        let mut old = CpuState { arch: Some(Arch::Arm), ..CpuState::default() };
        old.rest(b"pc : [<ffffffc000d394c4>] lr : [<ffffffc000d394c4>] pstate: 200001c5");
        assert_eq!(old.arch, Some(Arch::Arm64));
    }
}
