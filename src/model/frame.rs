//! Stacks and their frames.

use std::borrow::Cow;

use super::Address;
use crate::string_enum::string_enum;

/// A call trace.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stack<'log> {
    /// What it is the trace of.
    pub role: Role,
    /// The frames, innermost first; functions that were inlined stand before the one that holds
    /// them.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub frames: Vec<Frame<'log>>,
}

string_enum! {
    /// The role of a stack in its report.
    pub enum Role {
        /// The crash; its first frame is the instruction pointer, where that is known.
        Crash = "crash",
        /// What the kernel did to report it, above the instruction pointer.
        Reporting = "reporting",
        /// Where the object was allocated.
        Allocation = "allocation",
        /// Where the object was freed.
        Free = "free",
        /// Where work or a callback was queued for the object.
        Related = "related",
        /// The other access of a data race.
        Race = "race",
        /// Where a lock of a chain was taken.
        Chain = "chain",
        /// What followed, such as the panic.
        Consequence = "consequence",
        /// The task that holds the lock for which a hung task waits.
        Holder = "holder",
        /// RCU's own thread, which waits for the readers and is shown because it did not run.
        Starved = "starved",
    }
}

/// One frame of a stack.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Frame<'log> {
    /// The function with its compiler suffixes; absent where only an address was printed.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'log, str>>,
    /// The symbol as printed, where `function` is what Rust or C++ call it.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub symbol: Option<Cow<'log, str>>,
    /// Bytes from the start of the function.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offset: Option<u64>,
    /// Bytes from the start of the function to that of the next symbol.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// The module; absent for the kernel image.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub module: Option<Cow<'log, str>>,
    /// The module's build id in hexadecimal (`CONFIG_STACKTRACE_BUILD_ID`).
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub build_id: Option<Cow<'log, str>>,
    /// The address, where it was printed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// Whether offset and address are those of an instruction (RIP, PC). Otherwise they are a
    /// return address: the call is the instruction before it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub exact: bool,
    /// False for an address that lay on the stack and that the unwinder does not vouch for (`?`).
    pub reliable: bool,
    /// Whether the function was inlined into that of the next frame.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub inline: bool,
    /// The source file, if the log was symbolized.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'log, str>>,
    /// The line in it, from 1.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub line: Option<u64>,
    /// The column, from 1, where an image told it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub column: Option<u64>,
    /// The context that the kernel was in, where it printed one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub context: Option<StackContext>,
}

impl Frame<'_> {
    /// Whether it is a value on the stack that is no return address of its symbol: it lies behind the
    /// last byte, and the unwinder does not vouch for it. `%pS` names the function before, most often
    /// the padding `__pfx_f` of the function that is meant.
    pub(crate) fn is_behind_its_symbol(&self) -> bool {
        !self.reliable && self.offset.is_some() && self.offset == self.size
    }

    /// The symbol of the function, as the kernel and its image have it.
    pub fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref().or(self.function.as_deref())
    }
}

string_enum! {
    /// The context of a frame: the marks between the frames of a trace.
    ///
    /// Printed by `show_trace_log_lvl()` in arch/x86/kernel/dumpstack.c; the names are those of
    /// `stack_type_name()`.
    pub enum StackContext {
        /// `<TASK>`: the stack of a task.
        Task = "task",
        /// `<IRQ>`: an interrupt.
        Irq = "irq",
        /// `<SOFTIRQ>`: a soft interrupt.
        Softirq = "softirq",
        /// `<NMI>`: a non-maskable interrupt.
        Nmi = "nmi",
        /// `<#DF>` and other exceptions that have a stack of their own.
        Exception = "exception",
    }
}
