//! Stacks and their frames.

use std::borrow::Cow;

use super::Address;
use crate::string_enum::string_enum;

/// A call trace.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stack<'log> {
    /// The role of the trace in the report.
    pub role: Role,
    /// The frames, innermost first. An inlined function precedes the function that contains its
    /// code.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub frames: Vec<Frame<'log>>,
    /// Offset in the log of the line that starts it, in bytes: `Call Trace:`, `Freed by task 46:`, the
    /// instruction pointer.
    #[cfg_attr(feature = "serde", serde(default))]
    pub offset: usize,
}

string_enum! {
    /// The role of a stack in its report.
    pub enum Role {
        /// The stack of the crash. Its first frame is the instruction pointer, if that was printed.
        Crash = "crash",
        /// The frames above the instruction pointer: functions that the kernel ran to report the
        /// crash.
        Reporting = "reporting",
        /// The allocation of the object. Printed by `print_track()` in mm/kasan/report.c.
        Allocation = "allocation",
        /// The free of the object. Printed by `print_track()` in mm/kasan/report.c.
        Free = "free",
        /// The stack that queued work or a callback for the object. Printed by
        /// `kasan_print_aux_stacks()` in mm/kasan/report_generic.c.
        Related = "related",
        /// The other access of a data race. Printed by `print_report()` in kernel/kcsan/report.c.
        Race = "race",
        /// The acquisition of a lock in a dependency chain. Printed by `print_circular_bug_entry()`
        /// in kernel/locking/lockdep.c.
        Chain = "chain",
        /// A later event that the crash caused, such as a panic.
        Consequence = "consequence",
        /// The task that holds the lock for which a hung task waits.
        Holder = "holder",
        /// The grace-period thread of RCU, which did not get the CPU. Printed by
        /// `rcu_check_gp_kthread_starvation()` in kernel/rcu/tree_stall.h.
        Starved = "starved",
    }
}

/// One frame of a stack.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Frame<'log> {
    /// The function, with compiler suffixes such as `.cold`; demangled for Rust and C++. `None` if
    /// only an address was printed.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'log, str>>,
    /// The symbol as printed, if `function` is a demangled name.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub symbol: Option<Cow<'log, str>>,
    /// Bytes from the start of the function.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offset: Option<u64>,
    /// Bytes from the start of the function to the next symbol.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// The module; `None` for the kernel image.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub module: Option<Cow<'log, str>>,
    /// The build ID of the module in hexadecimal (`CONFIG_STACKTRACE_BUILD_ID`).
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub build_id: Option<Cow<'log, str>>,
    /// The address, if it was printed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// Whether `offset` and `address` are those of the instruction itself (RIP, PC). Otherwise they
    /// are a return address, and the call is the instruction before it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub exact: bool,
    /// False for an address found on the stack that the unwinder does not confirm: `? f+0x1/0x2`.
    pub reliable: bool,
    /// Whether the function was inlined into the function of the next frame.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub inline: bool,
    /// The source file, if the log was symbolized.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'log, str>>,
    /// The line in the file, from 1.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub line: Option<u64>,
    /// The column, from 1, if the debug information has one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub column: Option<u64>,
    /// The stack of the frame, if it was printed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub context: Option<StackContext>,
}

impl Frame<'_> {
    /// Returns whether the frame is an unreliable value one past the last byte of its symbol, so it
    /// is no return address into the symbol. `%pS` prints the preceding symbol for such a value,
    /// most often the padding `__pfx_f` of the function `f`.
    pub(crate) fn is_behind_its_symbol(&self) -> bool {
        !self.reliable && self.offset.is_some() && self.offset == self.size
    }

    /// Whether the frame is a return address at the first byte of its symbol: the call, of a function that
    /// does not return, is the last instruction of the function before.
    pub(crate) fn is_before_its_symbol(&self) -> bool {
        !self.exact && !self.inline && self.offset == Some(0)
    }

    /// Returns the symbol of the function, as in the symbol table of the kernel.
    pub fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref().or(self.function.as_deref())
    }
}

string_enum! {
    /// The stack of a frame, from the marks between the frames of a trace.
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
        /// `<#DF>` and other exceptions with their own stack.
        Exception = "exception",
    }
}
