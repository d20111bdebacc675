//! Records as JSON, field by field.
//!
//! The output is that of serde's derived code, which takes longer, because `serde_json` examines
//! each byte of each name. A test compares the two.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "all fields are written in the same way"
)]

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use super::known::{KnownCommit, KnownFix};
use super::record::ReportRecord;
use crate::arch::Arch;
use crate::escape::Json;
use crate::fingerprint::{
    Component, Discriminators, Family, FrameClass, Impact, Origin, OriginRole, Signature,
    SignatureFrame, Site, Title,
};
use crate::kind::Kind;
use crate::model::{
    self, Access, AccessKind, Address, Allocation, AtomicContext, Blame, Code, Confidence,
    Diagnosis, Diagnostic, Evidence, Executor, Explanation, Frame, Holder, ImageCheck, Instruction,
    Kernel, Killed, Leak, ListCorruption, ListOperation, ListPointer, LocalVariable, Lock,
    LockState, MachineCheck, Memory, Module, Object, Overwrite, Page, PageTable, PointerClass,
    Race, RaceAccess, Registers, Report, Role, Shadow, Side, SourceLocation, SpinLock, Stack,
    StackContext, StackFrame, Stall, Suspect, Task, Uninitialized, ValueChange, Variable, Zone,
    hex_digits,
};
use crate::reason::Incomplete;
use crate::span::Span;
use crate::string_enum::Reason;

/// A value that can be a field.
pub(super) trait Value {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()>;
}

/// A type with fields.
trait Fields {
    /// Writes the fields, without the braces.
    fn fields(&self, to: &mut Json<'_>) -> io::Result<()>;
}

/// Defines objects: their fields in the order of the model, each with the function that writes it.
/// `=` renames a field, `+` sets the name of the field with its code.
macro_rules! objects {
    ($( $type:ident $(<$log:lifetime>)? {
        $( $field:ident $(= $name:literal)? $(+ $code:ident)?: $write:ident, )+
    } )+) => {$(
        impl Fields for $type $(<$log>)? {
            fn fields(&self, to: &mut Json<'_>) -> io::Result<()> {
                let Self { $( $field, )+ } = self;
                $( $write(to, key!($field $($name)?), $(key!($code),)? $field)?; )+
                Ok(())
            }
        }

        impl Value for $type $(<$log>)? {
            fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
                to.open()?;
                self.fields(to)?;
                to.close()
            }
        }
    )+};
}

macro_rules! key {
    ($field:ident) => {
        concat!(",\"", stringify!($field), "\":")
    };
    ($field:ident $name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

objects! {
    Access { kind: some, size: some, address: some, denied: if_true, }
    Allocation<'_> { order: always, mask: always, flags: some, zones: unless_empty, killed: some, }
    AtomicContext<'_> {
        in_atomic: always,
        irqs_disabled: always,
        preempt_count: some,
        rcu_depth: some,
        disabled_in: some,
    }
    Blame<'_> { function: always, file: some, line: some, why + code: coded, }
    Code { arch: some, bytes: hex, unit: unless_one, trap_offset: some, instructions: unless_empty, }
    Diagnosis { summary: always, why: unless_empty, confidence: always, }
    Diagnostic { offset: always, part = "what" + part: coded, kind = "why" + code: coded, }
    Evidence { text: always, offset: some, }
    Executor { proc: always, id: always, }
    Discriminators { null_offset: some, bits: some, access: some, size: some, instruction: some, }
    Frame<'_> {
        function: some,
        symbol: some,
        offset: some,
        size: some,
        module: some,
        build_id: some,
        address: some,
        exact: if_true,
        reliable: always,
        inline: if_true,
        file: some,
        line: some,
        column: some,
        context: some,
    }
    Instruction { offset: always, bytes: hex, text: always, trapping: if_true, }
    Kernel<'_> {
        release: some,
        arch: some,
        tainted: some,
        hardware: some,
        build_id: some,
        offset: some,
    }
    Holder<'_> { comm: always, pid: always, lock: always, }
    Killed<'_> {
        comm: always,
        pid: always,
        total_vm: some,
        anon_rss: some,
        file_rss: some,
        shmem_rss: some,
    }
    KnownCommit { commit: always, since: some, }
    KnownFix {
        fix: always,
        probability: always,
        subject: some,
        since: some,
        patch: if_true,
        fixes: unless_empty,
        backports: unless_empty,
        reverts: unless_empty,
        reapplied: unless_empty,
        stable: some,
        reported: unless_empty,
        links: unless_empty,
        files: unless_empty,
        functions: unless_empty,
        bug: always,
        title: always,
        evidence: unless_empty,
        kernel: some,
        standing: some,
        likely: if_true,
        reverted_by: some,
    }
    Leak { address: always, size: always, }
    ListCorruption {
        operation: always,
        pointer: always,
        entry: some,
        expected: some,
        found: some,
        class: always,
    }
    LocalVariable<'_> { name: always, start: always, end: always, }
    Lock<'_> {
        class: always,
        subclass: some,
        address: some,
        usage: some,
        wait: some,
        state: always,
        comm: some,
        holder: some,
        function: some,
        offset: always,
    }
    MachineCheck<'_> { cpu: always, bank: always, status: always, address: some, reason: some, }
    Memory<'_> {
        object: some,
        variable: some,
        stack_frame: some,
        allocated_by: some,
        freed_by: some,
        shadow: unless_empty,
    }
    Module<'_> { name: always, flags: some, }
    Object<'_> { cache: some, size: some, start: some, end: some, side: some, distance: some, }
    Origin<'_> { hash: digits, role: always, name: always, }
    SignatureFrame<'_> { hash: digits, function: always, class: always, inline: if_true, file: some, }
    Component<'_> { module: some, file: some, directory: some, }
    Overwrite { start: always, end: always, found: always, expected: always, }
    Page<'_> { pfn: some, refcount: some, mapcount: some, mapping: some, flags: some, reason: some, }
    PageTable { address: some, pgd: some, p4d: some, pud: some, pmd: some, pte: some, }
    Race { accesses: always, change: some, }
    RaceAccess { kind: always, size: always, address: always, marked: if_true, task: some, cpu: some, }
    ReportRecord<'_> { file: always, index: always, text: some, signature: some, people: unless_empty, known: unless_empty, revises: if_true, occurrence: some, report: flat, }
    Report<'_> {
        span: always,
        kind: always,
        title: always,
        headline: always,
        message: some,
        location: some,
        time: some_seconds,
        wall_time: some,
        alt_titles: unless_empty,
        class = "type": some,
        frame: some,
        corrupted + corrupted_code: some_coded,
        complete: always,
        incomplete: unless_empty,
        suppressed: always,
        panicked: always,
        consequences: unless_empty,
        executor: some,
        guilty_file: some,
        blame: some,
        suspects: unless_empty,
        kernel: always,
        task: always,
        seconds: some,
        access: some,
        registers: always,
        code: some,
        explanation: some,
        link: some,
        stacks: always,
        memory: some,
        locks: unless_empty,
        holder: some,
        cycle: unless_empty,
        race: some,
        leak: some,
        atomic: some,
        stall: some,
        overwrite: some,
        page: some,
        allocation: some,
        uninitialized: some,
        list: some,
        spinlock: some,
        page_table: some,
        machine_check: some,
        diagnosis: some,
        modules: unless_empty,
        diagnostics: unless_empty,
        image_check: some,
    }
    Shadow { address: always, bytes: hex, hit: if_true, }
    Signature<'_> {
        version: always,
        exact: digits,
        title: always,
        family: always,
        site: some,
        top2: some_digits,
        top3: some_digits,
        frames: always,
        origins: unless_empty,
        also: unless_empty,
        place: always,
        facts: always,
        kind: always,
        impact: always,
        summary: some,
        release: some,
        arch: some,
        corrupted: if_true,
    }
    Site<'_> { hash: digits, functions: always, }
    SourceLocation<'_> { file: always, line: always, }
    Span { start: always, end: always, line: always, }
    SpinLock<'_> { name: always, magic: always, owner: some, owner_pid: some, owner_cpu: some, }
    Stack<'_> { role: always, frames: always, offset: always, }
    StackFrame<'_> { function: some, offset: always, variables: unless_empty, }
    Variable<'_> { name: always, offset: always, }
    Stall { cpus: unless_empty, tasks: unless_empty, jiffies: some, detected_by: some, starved: some, }
    Suspect<'_> {
        function: always,
        file: some,
        directory: some,
        subsystem: some,
        lists: unless_empty,
        probability: always,
        why + code: coded,
        fixes: unless_empty,
    }
    Task<'_> { comm: some, pid: some, cpu: some, workqueue: some, }
    Uninitialized<'_> {
        first: some,
        last: some,
        size: some,
        address: some,
        user_address: some,
        variable: some,
    }
    Zone<'_> { node: always, name: always, free: always, min: always, }
    ValueChange { from: always, to: always, }
    Title<'_> { hash: digits, text: always, function: some, alternatives: unless_empty, }
}

fn always(to: &mut Json<'_>, key: &str, value: &impl Value) -> io::Result<()> {
    to.key(key)?;
    value.write(to)
}

fn some(to: &mut Json<'_>, key: &str, value: &Option<impl Value>) -> io::Result<()> {
    if let Some(value) = value { always(to, key, value) } else { Ok(()) }
}

/// Writes a reason in words, and its code.
fn coded(to: &mut Json<'_>, key: &str, code: &str, value: &impl Reason) -> io::Result<()> {
    let [words, name] = value.texts();
    to.key(key)?;
    to.string(words)?;
    to.key(code)?;
    to.string(name)
}

fn some_coded(
    to: &mut Json<'_>,
    key: &str,
    code: &str,
    value: &Option<impl Reason>,
) -> io::Result<()> {
    if let Some(value) = value { coded(to, key, code, value) } else { Ok(()) }
}

fn unless_empty(to: &mut Json<'_>, key: &str, values: &Vec<impl Value>) -> io::Result<()> {
    if values.is_empty() { Ok(()) } else { always(to, key, values) }
}

fn if_true(to: &mut Json<'_>, key: &str, value: &bool) -> io::Result<()> {
    if *value { always(to, key, value) } else { Ok(()) }
}

fn unless_one(to: &mut Json<'_>, key: &str, value: &usize) -> io::Result<()> {
    if *value == 1 { Ok(()) } else { always(to, key, value) }
}

/// Writes the fields of a value into the object that contains it.
fn flat(to: &mut Json<'_>, _: &str, value: &impl Fields) -> io::Result<()> {
    value.fields(to)
}

/// Writes a hash as sixteen hexadecimal digits.
fn digits(to: &mut Json<'_>, key: &str, hash: &u64) -> io::Result<()> {
    hex(to, key, &hash.to_be_bytes())
}

fn some_digits(to: &mut Json<'_>, key: &str, hash: &Option<u64>) -> io::Result<()> {
    if let Some(hash) = hash { digits(to, key, hash) } else { Ok(()) }
}

/// Seconds with a fraction.
fn some_seconds(to: &mut Json<'_>, key: &str, time: &Option<Duration>) -> io::Result<()> {
    let Some(time) = time else { return Ok(()) };
    to.key(key)?;
    to.value(&model::in_seconds(time))
}

/// Bytes as hexadecimal digits.
fn hex(to: &mut Json<'_>, key: &str, bytes: &[u8]) -> io::Result<()> {
    to.key(key)?;
    to.bare(b"\"")?;
    for bytes in bytes.chunks(16) {
        let mut pairs = [[0; 2]; 16];
        for (pair, byte) in pairs.iter_mut().zip(bytes) {
            *pair = hex_digits(*byte);
        }
        let pairs = pairs.get(..bytes.len()).unwrap_or_default();
        to.bare(pairs.as_flattened())?;
    }
    to.bare(b"\"")
}

impl Value for bool {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.bare(if *self { b"true" } else { b"false" })
    }
}

impl Value for u8 {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.number(u64::from(*self))
    }
}

impl Value for u32 {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.number(u64::from(*self))
    }
}

impl Value for f32 {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.value(self)
    }
}

impl Value for u64 {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.number(*self)
    }
}

impl Value for i64 {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.value(self)
    }
}

impl Value for usize {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.number(*self as u64)
    }
}

impl Value for Cow<'_, str> {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.string(self)
    }
}

impl Value for String {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.string(self)
    }
}

impl<T: Value> Value for Vec<T> {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.array(self, |to, value| value.write(to))
    }
}

impl Value for Incomplete {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.string(self.code())
    }
}

impl Value for Address {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.quoted(self.text(&mut [[0; 2]; 9]))
    }
}

impl Value for Registers {
    fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
        to.open()?;
        for register in self.iter() {
            to.name(&register.name)?;
            register.value.write(to)?;
        }
        to.close()
    }
}

/// Enums with names.
macro_rules! by_name {
    ($( $type:ident, )+) => {$(
        impl Value for $type {
            fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
                to.string(self.name())
            }
        }
    )+};
}

by_name! {
    Arch,
    StackContext,
    Family,
    FrameClass,
    Kind,
    OriginRole,
    Role,
}

/// Rare types are serialized by serde.
macro_rules! by_serde {
    ($( $type:ident $(<$log:lifetime>)?, )+) => {$(
        impl Value for $type $(<$log>)? {
            fn write(&self, to: &mut Json<'_>) -> io::Result<()> {
                to.value(self)
            }
        }
    )+};
}

by_serde! {
    AccessKind,
    Confidence,
    Explanation,
    ImageCheck,
    Impact,
    ListOperation,
    ListPointer,
    LockState,
    PointerClass,
    Side,
}

#[cfg(test)]
mod tests {
    use super::super::json;

    /// A report with all fields, except those serialized by serde.
    const FULL: &str = r#"{
        "file": "a\u001b\"b", "index": 2, "text": "t\n",
        "signature": {
            "version": 1, "exact": "00000000000000ff",
            "title": {
                "hash": "fedcba9876543210", "text": "t", "function": "f", "alternatives": ["a"]
            },
            "family": "use-after-free", "site": {"hash": "0000000000000001", "functions": ["f", "g"]},
            "top2": "0000000000000002", "top3": "0000000000000003",
            "frames": [{
                "hash": "0000000000000001", "function": "f", "class": "ordinary", "inline": true,
                "file": "f.c"
            }],
            "origins": [{"hash": "0000000000000001", "role": "cache", "name": "n"}],
            "place": {"module": "m", "file": "d/f.c", "directory": "d"},
            "facts": {"null_offset": 1, "bits": 64, "access": "read", "size": 8, "instruction": 5},
            "kind": "kasan", "impact": {"rank": 1, "of": 24, "name": "n", "raised": ["write"]},
            "summary": "s", "release": "r", "arch": "x86_64", "corrupted": true
        },
        "people": ["A Person <person@example.org>"], "revises": true, "occurrence": 3,
        "span": {"start": 1, "end": 18446744073709551615, "line": 10},
        "kind": "kasan", "title": "t", "headline": "h", "message": "m\u202e",
        "location": {"file": "a.c", "line": 3}, "time": 12.345678,
        "wall_time": "Nov 21 06:14:00",
        "alt_titles": ["a", "b"], "type": "T",
        "frame": "f", "corrupted": "no call trace",
        "corrupted_code": "no-call-trace", "complete": false, "incomplete": ["no-stack"],
        "suppressed": true, "panicked": false,
        "consequences": ["panic: \\"], "executor": {"proc": 0, "id": 7}, "guilty_file": "g.c",
        "blame": {"function": "f", "file": "f.c", "line": 100, "why": "was running", "code": "was-running"},
        "suspects": [{
            "function": "f", "file": "d/f.c", "directory": "d", "subsystem": "S", "lists": ["l@example.org"],
            "probability": 0.125, "why": "was running", "code": "was-running"
        }],
        "kernel": {
            "release": "r", "arch": "x86_64", "tainted": "G", "hardware": "h", "build_id": "b",
            "offset": "0x0000000000000000"
        },
        "task": {"comm": "\u00e9\u007f", "pid": 1, "cpu": 2, "workqueue": "w"},
        "seconds": 22,
        "access": {"kind": "write", "size": 8, "address": "0x0000001f"},
        "registers": {"rax": "0xffffffff81000000", "odd\"": "0x00000000"},
        "code": {
            "arch": "arm", "bytes": "000102030405060708090a0b0c0d0e0f10f0", "unit": 2,
            "trap_offset": 0, "instructions": [
                {"offset": 0, "bytes": "0f0b", "text": "ud2", "trapping": true},
                {"offset": 2, "bytes": "90", "text": "nop"}
            ]
        },
        "explanation": {"summary": "s", "agrees_with": {}, "confidence": "certain"},
        "link": {"reliable": true},
        "stacks": [{"role": "crash", "frames": [{
            "function": "f", "offset": 1, "size": 2, "module": "m", "build_id": "b",
            "address": "0x00000001", "exact": true, "reliable": false, "inline": true, "file": "f.c",
            "line": 3, "column": 4, "context": "irq"
        }], "offset": 100}, {"role": "free", "frames": [], "offset": 200}],
        "memory": {
            "object": {
                "cache": "c", "size": 1, "start": "0x00000001", "end": "0x00000002",
                "side": "after", "distance": 3
            },
            "variable": {"name": "v", "offset": 56},
            "stack_frame": {
                "function": "f", "offset": 56, "variables": [{"name": "v", "start": 32, "end": 56}]
            },
            "allocated_by": 1, "freed_by": 2,
            "shadow": [{"address": "0x00000001", "bytes": "fafb", "hit": true}]
        },
        "locks": [{
            "class": "c", "address": "0x00000001", "usage": "+.+.", "state": "wanted", "comm": "t",
            "holder": 1, "function": "f", "offset": 12
        }],
        "holder": {"comm": "c", "pid": 1, "lock": "mutex"},
        "cycle": ["a", "b"],
        "race": {
            "accesses": [{
                "kind": "write", "size": 8, "address": "0x00000001", "marked": true, "task": 1, "cpu": 2
            }],
            "change": {"from": "0x00000001", "to": "0x00000002"}
        },
        "leak": {"address": "0x00000001", "size": 96},
        "atomic": {"in_atomic": true, "irqs_disabled": false, "preempt_count": 1, "disabled_in": "g"},
        "stall": {"cpus": [1, 2], "jiffies": 1001, "detected_by": 0},
        "overwrite": {"start": "0x00000001", "end": "0x00000002", "found": 3, "expected": 107},
        "page": {
            "pfn": 5, "refcount": -1, "mapcount": 0, "mapping": "0x00000001", "flags": "lru", "reason": "r"
        },
        "allocation": {
            "order": 0, "mask": "0x0000000000000820", "flags": "GFP_ATOMIC",
            "zones": [{"node": 0, "name": "DMA", "free": 1, "min": 2}],
            "killed": {
                "comm": "c", "pid": 1, "total_vm": 4, "anon_rss": 3, "file_rss": 2, "shmem_rss": 1
            }
        },
        "uninitialized": {
            "first": 4, "last": 7, "size": 8, "address": "0x00000001", "user_address": "0x00000002",
            "variable": "v"
        },
        "list": {
            "operation": "del", "pointer": "prev->next", "entry": "0x00000001", "expected": "0x00000002",
            "found": "0x00000000", "class": "null"
        },
        "spinlock": {
            "name": "l+0x0/0x18", "magic": "0xdead4ead", "owner": "c", "owner_pid": 1, "owner_cpu": 0
        },
        "page_table": {
            "address": "0x00000001", "pgd": "0x00000002", "p4d": "0x00000003", "pud": "0x00000004",
            "pmd": "0x00000005", "pte": "0x00000006"
        },
        "machine_check": {
            "cpu": 1, "bank": 3, "status": "0xbe00000000800400", "address": "0x00000001", "reason": "r"
        },
        "diagnosis": {
            "summary": "s", "why": [{"text": "t", "offset": 3}, {"text": "u"}], "confidence": "likely"
        },
        "modules": [{"name": "n", "flags": "O"}, {"name": "n"}],
        "diagnostics": [{
            "offset": 1, "what": "CPU line", "part": "cpu-line", "why": "no bytes", "code": "no-bytes"
        }],
        "image_check": {"verdict": "same", "sizes_same": 1, "sizes_other": 0}
    }"#;

    /// A report with the required fields only.
    const EMPTY: &str = r#"{
        "file": "", "index": 0, "span": {"start": 0, "end": 0, "line": 1}, "kind": "kasan",
        "title": "", "headline": "", "complete": true, "suppressed": false, "panicked": false, "kernel": {},
        "task": {}, "registers": {}, "stacks": []
    }"#;

    #[test]
    fn the_same_as_serde() {
        for text in [FULL, EMPTY] {
            let (mut ours, mut serdes) = (Vec::new(), Vec::new());
            let record = json::read(text).expect("a record");
            json::write(&mut ours, &record).expect("memory");
            json::write_value(&mut serdes, &record).expect("memory");
            let [ours, serdes] = [ours, serdes].map(|text| String::from_utf8(text).expect("UTF-8"));
            assert_eq!(ours, serdes);
            let fields = |text| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            assert_eq!(fields(&ours), fields(text));
        }
    }
}
