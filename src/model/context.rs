//! Where it happened: the kernel, the task, the modules.

use std::borrow::Cow;

use super::Address;
use crate::arch::Arch;

/// The kernel that printed a report.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Kernel<'log> {
    /// Its release, as `uname -r` says it.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub release: Option<Cow<'log, str>>,
    /// Its architecture, where the report shows it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// The taint flags as printed, such as `G    B      O`; empty if it said `Not tainted`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub tainted: Option<Cow<'log, str>>,
    /// The machine, from its firmware.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub hardware: Option<Cow<'log, str>>,
    /// Its build id in hexadecimal (`CONFIG_STACKTRACE_BUILD_ID`, on the `CPU:` line).
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub build_id: Option<Cow<'log, str>>,
    /// How far it was from where it was linked to be: `Kernel Offset:`, which only a panic prints
    /// (`dump_kernel_offset()` in arch/x86/kernel/setup.c).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offset: Option<Address>,
}

/// What was running.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Task<'log> {
    /// The name of the thread, at most 15 bytes; it may hold any of them.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub comm: Option<Cow<'log, str>>,
    /// The thread's id; 0 is the idle task of a CPU.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pid: Option<u64>,
    /// The CPU.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cpu: Option<u64>,
    /// The work queue and the function that it ran: `bat_events batadv_iv_send_…`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub workqueue: Option<Cow<'log, str>>,
}

/// A loaded module.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Module<'log> {
    /// Its name.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'log, str>,
    /// Its taint flags: `O` out of tree, `E` unsigned, `+` being loaded, `-` being unloaded.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub flags: Option<Cow<'log, str>>,
}
