//! How machines other than x86 write their instructions, as far as explaining needs it.

use super::compare::Relation;
use crate::arch::Arch;

/// What an instruction does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    /// Reads memory into its first operand: so many bytes, or as many as the operand has.
    Load(Size),
    /// Writes its first operand to memory.
    Store(Size),
    /// Reads and writes memory.
    Update(Size),
    /// First operand = second.
    Move,
    /// First operand = second + third.
    Add,
    /// First operand = second - third.
    Subtract,
    /// First operand = second shifted to the right by the third.
    ShiftRight,
    /// Changes its first operand, and no flags.
    Compute,
    /// Changes nothing that is looked at.
    Nothing,
    /// Compares the last two operands: so many bytes, as signed numbers whatever the branch says.
    Compare(Size, bool),
    /// Goes to its last operand if the comparison before it gave this.
    Branch(Relation),
    /// Goes there if this holds between the first operand and zero.
    BranchZero(Relation),
    /// Goes there if this holds between the first two operands.
    BranchCompare(Relation),
    /// Goes there in any case.
    Jump,
    Call,
    /// Goes where nothing here tells.
    Leave,
    /// Divides by so many bytes of its last operand.
    Divide(u32),
    /// Stops the kernel here.
    Trap,
    /// Does so if this holds between the last two operands.
    TrapIf(Relation),
}

/// How much is accessed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    /// What the register holds.
    Whole,
    /// What two such registers hold.
    Pair,
    Bytes(u64),
}

pub(super) struct Dialect {
    arch: Arch,
    /// Names, with one space between, and what they do; what is not named may do anything.
    verbs: &'static [(&'static str, Verb)],
    /// Ends of names: done only if the comparison before gave this.
    pub(super) conditions: &'static [(&'static str, Relation)],
    /// Other names of registers.
    pub(super) aliases: &'static [(&'static str, &'static str)],
    /// What reads as zero; as the base of an address.
    pub(super) zero: &'static [&'static str],
    pub(super) zero_base: &'static str,
    /// The register with what a function returned.
    pub(super) result: &'static str,
    /// Those that a function that is called does not change.
    pub(super) saved: &'static str,
    /// The bytes that an address in the report's first lines is a multiple of.
    pub(super) unit: u64,
}

impl Dialect {
    pub(super) fn of(arch: Arch) -> Option<&'static Self> {
        DIALECTS.iter().find(|dialect| dialect.arch == arch)
    }

    /// What an instruction does, and what must hold for that.
    pub(super) fn verb(&self, name: &str) -> Option<(Verb, Option<Relation>)> {
        let named = |name: &str| {
            let has = |names: &&str| names.split(' ').any(|other| other == name);
            self.verbs.iter().find(|(names, _)| has(names)).map(|(_, verb)| *verb)
        };
        named(name).map(|verb| (verb, None)).or_else(|| {
            self.conditions.iter().find_map(|(end, relation)| {
                named(name.strip_suffix(end)?).map(|verb| (verb, Some(*relation)))
            })
        })
    }
}

const ONE: Size = Size::Bytes(1);
const TWO: Size = Size::Bytes(2);
const FOUR: Size = Size::Bytes(4);
const EIGHT: Size = Size::Bytes(8);

use Verb::{
    Add, Branch, BranchCompare, BranchZero, Call, Compare, Compute, Divide, Jump, Leave, Load,
    Move, Nothing, ShiftRight, Store, Subtract, Trap, TrapIf, Update,
};

/// The conditions of both ARM instruction sets, by their names.
const ARM_CONDITIONS: &[(&str, Relation)] = &[
    ("eq", Relation::EQUAL),
    ("ne", Relation::NOT_EQUAL),
    ("hs", Relation::ABOVE_OR_EQUAL),
    ("lo", Relation::BELOW),
    ("hi", Relation::ABOVE),
    ("ls", Relation::BELOW_OR_EQUAL),
    ("ge", Relation::GREATER_OR_EQUAL),
    ("lt", Relation::LESS),
    ("gt", Relation::GREATER),
    ("le", Relation::LESS_OR_EQUAL),
];

/// The instructions that compilers make of C most often, and those that trap for `BUG()` and `WARN()`
/// (`__BUG_INSN` and the like in arch/*/include/asm/bug.h).
#[rustfmt::skip] // rows
const DIALECTS: &[Dialect] = &[
    Dialect {
        arch: Arch::Arm64,
        verbs: &[
            ("ldr ldur ldar ldaxr ldxr ldapr ldtr", Load(Size::Whole)),
            ("ldrb ldurb ldrsb ldursb ldarb ldaxrb ldxrb ldtrb", Load(ONE)),
            ("ldrh ldurh ldrsh ldursh ldarh ldaxrh ldxrh ldtrh", Load(TWO)),
            ("ldrsw ldursw", Load(FOUR)),
            ("ldp ldnp", Load(Size::Pair)),
            ("str stur stlr sttr", Store(Size::Whole)),
            ("strb sturb stlrb sttrb", Store(ONE)),
            ("strh sturh stlrh sttrh", Store(TWO)),
            ("stp stnp", Store(Size::Pair)),
            ("ldadd ldadda ldaddl ldaddal ldclr ldclra ldclrl ldclral ldset ldseta ldsetl ldsetal \
              stadd staddl stclr stclrl stset stsetl swp swpa swpl swpal cas casa casl casal", Update(Size::Whole)),
            ("mov", Move),
            ("add", Add),
            ("sub", Subtract),
            ("lsr", ShiftRight),
            ("movk movz movn adrp adr and orr eor bic lsl asr ror neg mvn mul madd msub udiv sdiv csel \
              csinc cset sxtw uxtw sxtb uxtb sxth uxth sbfx ubfx sbfiz ubfiz bfi bfxil clz rbit rev mrs", Compute),
            ("nop hint paciasp autiasp dmb dsb isb prfm msr", Nothing),
            ("cmp", Compare(Size::Whole, false)),
            ("cbz", BranchZero(Relation::EQUAL)),
            ("cbnz", BranchZero(Relation::NOT_EQUAL)),
            ("b b.", Jump),
            ("bl blr", Call),
            ("ret br eret", Leave),
            ("brk", Trap),
        ],
        conditions: ARM_CONDITIONS,
        aliases: &[("x30", "lr")],
        zero: &["xzr", "wzr"],
        zero_base: "",
        result: "x0",
        saved: "x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 sp",
        unit: 1,
    },
    Dialect {
        arch: Arch::Arm,
        verbs: &[
            ("ldr ldr.w ldrex ldrt", Load(FOUR)),
            ("ldrb ldrsb ldrexb ldrb.w ldrbt", Load(ONE)),
            ("ldrh ldrsh ldrexh ldrh.w", Load(TWO)),
            ("ldrd ldrexd", Load(Size::Pair)),
            ("str str.w strt", Store(FOUR)),
            ("strb strb.w strbt", Store(ONE)),
            ("strh strh.w", Store(TWO)),
            ("strd", Store(Size::Pair)),
            ("mov mov.w", Move),
            ("add add.w", Add),
            ("sub sub.w", Subtract),
            ("lsr", ShiftRight),
            ("movt movw mvn and orr eor bic lsl asr ror rsb mul mla ubfx sbfx uxtb uxth sxtb sxth", Compute),
            ("nop dmb dsb isb pld", Nothing),
            ("cmp cmp.w", Compare(FOUR, false)),
            ("cbz", BranchZero(Relation::EQUAL)),
            ("cbnz", BranchZero(Relation::NOT_EQUAL)),
            ("b b.w", Jump),
            ("bl blx", Call),
            ("bx pop", Leave),
            // `BUG_INSTR_VALUE`, of both instruction sets.
            (".inst:0xe7f001f2 .inst:0xde02 udf", Trap),
        ],
        conditions: ARM_CONDITIONS,
        aliases: &[("sb", "r9"), ("sl", "r10"), ("r11", "fp"), ("r12", "ip"), ("r13", "sp"), ("r14", "lr")],
        zero: &[],
        zero_base: "",
        result: "r0",
        saved: "r4 r5 r6 r7 r8 r9 r10 fp sp",
        unit: 1,
    },
    Dialect {
        arch: Arch::Powerpc,
        verbs: &[
            ("ld ldx ldarx", Load(EIGHT)),
            ("lwz lwzx lwa lwax lwarx lwbrx", Load(FOUR)),
            ("lhz lhzx lha lhax lhbrx", Load(TWO)),
            ("lbz lbzx", Load(ONE)),
            ("std stdx", Store(EIGHT)),
            ("stw stwx stwbrx", Store(FOUR)),
            ("sth sthx", Store(TWO)),
            ("stb stbx", Store(ONE)),
            ("mr li", Move),
            ("addi add", Add),
            ("subi", Subtract),
            ("srwi srdi", ShiftRight),
            ("addis subis lis ori oris xori xoris or and xor nor subf subfic neg mulli mulld mullw divd divw \
              slwi sldi rldicl rldicr rldimi rldic rlwinm clrlwi clrldi extrwi extsb extsh extsw cntlzw cntlzd \
              sld srd slw srw clrlslwi mflr mfmsr mfctr", Compute),
            ("nop sync isync lwsync mtlr mtctr ptesync", Nothing),
            ("cmpwi cmpw", Compare(FOUR, true)),
            ("cmplwi cmplw", Compare(FOUR, false)),
            ("cmpdi cmpd", Compare(EIGHT, true)),
            ("cmpldi cmpld", Compare(EIGHT, false)),
            ("beq beq- beq+", Branch(Relation::EQUAL)),
            ("bne bne- bne+", Branch(Relation::NOT_EQUAL)),
            ("bge bge- bge+", Branch(Relation::ABOVE_OR_EQUAL)),
            ("blt blt- blt+", Branch(Relation::BELOW)),
            ("bgt bgt- bgt+", Branch(Relation::ABOVE)),
            ("ble ble- ble+", Branch(Relation::BELOW_OR_EQUAL)),
            ("b", Jump),
            ("bl bctrl", Call),
            ("blr bctr rfid", Leave),
            ("trap twui", Trap),
            ("tdnei twnei", TrapIf(Relation::NOT_EQUAL)),
            ("tdeqi tweqi", TrapIf(Relation::EQUAL)),
            ("tdgti twgti", TrapIf(Relation::GREATER)),
            ("tdlti twlti", TrapIf(Relation::LESS)),
            ("tdlgti twlgti", TrapIf(Relation::ABOVE)),
            ("tdllti twllti", TrapIf(Relation::BELOW)),
        ],
        conditions: &[],
        aliases: &[],
        zero: &[],
        zero_base: "r0",
        result: "r3",
        saved: "r1 r2 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 r27 r28 r29 r30 r31",
        unit: 1,
    },
    Dialect {
        arch: Arch::Riscv64,
        verbs: &[
            ("ld c.ld c.ldsp lr.d", Load(EIGHT)),
            ("lw lwu c.lw c.lwsp lr.w", Load(FOUR)),
            ("lh lhu", Load(TWO)),
            ("lb lbu", Load(ONE)),
            ("sd c.sd c.sdsp", Store(EIGHT)),
            ("sw c.sw c.swsp", Store(FOUR)),
            ("sh", Store(TWO)),
            ("sb", Store(ONE)),
            ("c.mv c.li", Move),
            ("addi c.addi add c.add", Add),
            ("sub c.sub", Subtract),
            ("srli", ShiftRight),
            ("lui c.lui auipc and or xor andi ori xori slli srai sll srl sra slt sltu slti sltiu addiw addw subw \
              c.addiw c.addw c.subw c.and c.or c.xor c.andi c.slli c.srli c.srai c.addi4spn mul div rem", Compute),
            ("c.nop fence", Nothing),
            ("beq", BranchCompare(Relation::EQUAL)),
            ("bne", BranchCompare(Relation::NOT_EQUAL)),
            ("blt", BranchCompare(Relation::LESS)),
            ("bge", BranchCompare(Relation::GREATER_OR_EQUAL)),
            ("bltu", BranchCompare(Relation::BELOW)),
            ("bgeu", BranchCompare(Relation::ABOVE_OR_EQUAL)),
            ("c.beqz", BranchZero(Relation::EQUAL)),
            ("c.bnez", BranchZero(Relation::NOT_EQUAL)),
            ("c.j", Jump),
            ("jal jalr c.jalr", Call),
            ("c.jr", Leave),
            ("ebreak c.ebreak", Trap),
        ],
        conditions: &[],
        aliases: &[("fp", "s0")],
        zero: &["zero"],
        zero_base: "",
        result: "a0",
        saved: "s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 sp",
        unit: 1,
    },
    // The kernel lists its instructions itself; its branches go to addresses.
    Dialect {
        arch: Arch::S390x,
        verbs: &[
            ("lg ltg lgf cg ag", Load(EIGHT)),
            ("l lt c a llgf ly", Load(FOUR)),
            ("lh lhy llgh", Load(TWO)),
            ("cli llgc llc lb ic cliy tm", Load(ONE)),
            ("stg", Store(EIGHT)),
            ("st sty", Store(FOUR)),
            ("sth", Store(TWO)),
            ("stc mvi stcy", Store(ONE)),
            ("agsi csg laag", Update(EIGHT)),
            ("asi cs laa", Update(FOUR)),
            ("lgr lr lghi lhi", Move),
            ("aghik ahik agrk", Add),
            ("lgfr llgfr lgfi llihf llihl llilh larl la lay agr sgr sgrk aghi ahi srlg sllg nilf risbg", Compute),
            ("brasl basr bras", Call),
            ("dsgfr dlr dr", Divide(4)),
            ("dsgr dlgr", Divide(8)),
            ("mc", Trap),
        ],
        conditions: &[],
        aliases: &[],
        zero: &[],
        zero_base: "r0",
        result: "r2",
        saved: "r6 r7 r8 r9 r10 r11 r12 r13 r15",
        // The lowest bits of the failing address are not kept: `dump_fault_info()`.
        unit: 4096,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once() {
        for dialect in DIALECTS {
            let mut names: Vec<&str> =
                dialect.verbs.iter().flat_map(|(names, _)| names.split_whitespace()).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{:?}", dialect.arch);
        }
    }

    #[test]
    fn ok_verb() {
        let arm = Dialect::of(Arch::Arm).expect("a dialect");
        assert!(matches!(arm.verb("bne"), Some((Jump, Some(Relation { sign: "!=", .. })))));
        assert!(matches!(arm.verb("bl"), Some((Call, None))));
        let arm64 = Dialect::of(Arch::Arm64).expect("a dialect");
        assert!(matches!(arm64.verb("b.le"), Some((Jump, Some(Relation { sign: "<=", .. })))));
        assert!(matches!(arm.verb("bxle"), Some((Leave, Some(Relation { sign: "<=", .. })))));
        assert!(arm.verb("vadd").is_none());
    }
}
