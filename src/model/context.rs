//! The kernel, the task and the modules of a report.

use std::borrow::Cow;

use super::Address;
use crate::arch::Arch;

/// The kernel that printed a report.
///
/// Printed on the `CPU:` and `Hardware name:` lines by `dump_stack_print_info()` in
/// lib/dump_stack.c.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Kernel<'log> {
    /// The release, as `uname -r` prints it: `6.12.0-rc4+`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub release: Option<Cow<'log, str>>,
    /// The architecture, inferred from the registers and the code line; `None` if nothing in the
    /// report identifies it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// The taint flags as printed by `print_tainted()` in kernel/panic.c, such as `G    B      O`;
    /// empty for `Not tainted`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub tainted: Option<Cow<'log, str>>,
    /// The machine, as named by its firmware: the text behind `Hardware name:`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub hardware: Option<Cow<'log, str>>,
    /// The build ID of the kernel in hexadecimal, printed on the `CPU:` line if
    /// `CONFIG_STACKTRACE_BUILD_ID` is set.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub build_id: Option<Cow<'log, str>>,
    /// The distance in bytes from the linked address of the kernel to its load address (KASLR).
    ///
    /// Printed as `Kernel Offset:` by `dump_kernel_offset()` in arch/x86/kernel/setup.c, only when
    /// the kernel panics.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offset: Option<Address>,
}

/// The task and the CPU on which the report was printed.
///
/// Printed on the `CPU:` line by `dump_stack_print_info()` in lib/dump_stack.c. For a hung task it
/// is the task that is blocked, from the headline.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Task<'log> {
    /// The name of the thread: at most 15 bytes, any bytes except NUL. Invalid UTF-8 becomes
    /// `\xff`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub comm: Option<Cow<'log, str>>,
    /// The thread ID; 0 is the idle task of a CPU.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pid: Option<u64>,
    /// The number of the CPU, from 0.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cpu: Option<u64>,
    /// The work queue and its function: `bat_events batadv_iv_send_…`. Printed by
    /// `print_worker_info()` in kernel/workqueue.c.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub workqueue: Option<Cow<'log, str>>,
}

/// A loaded module, from `Modules linked in:`.
///
/// Printed by `print_modules()` in kernel/module/main.c.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Module<'log> {
    /// The name.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'log, str>,
    /// The taint flags as printed by `module_flags()`: `O` out of tree, `E` unsigned, `+` being
    /// loaded, `-` being unloaded. `None` without flags.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub flags: Option<Cow<'log, str>>,
}
