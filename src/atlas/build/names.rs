//! Attributes and macros around definitions.

/// Words before parentheses in a declarator that are not the name of the function.
pub(super) const ATTRIBUTES: &[&str] = &[
    "EXPORT_SYMBOL_GPL",
    "__acquires",
    "__aligned",
    "__alloc_size",
    "__asm__",
    "__assume_aligned",
    "__attribute",
    "__attribute__",
    "__cond_acquires",
    "__counted_by",
    "__declspec",
    "__diagnose_as",
    "__flatten",
    "__malloc",
    "__must_hold",
    "__nonnull",
    "__no_sanitize",
    "__printf",
    "__realloc_size",
    "__releases",
    "__scanf",
    "__section",
    "__sized_by",
    "__target",
    "__typeof",
    "__typeof__",
    "_Alignas",
    "_Static_assert",
    "asm",
    "nonstring",
    "static_assert",
    "typeof",
];

/// A macro that defines functions.
#[derive(Debug)]
pub(super) struct Macro {
    /// The name, without a trailing number of parameters.
    pub(super) name: &'static str,
    /// The prefix and the suffix of each function around the first argument.
    pub(super) defines: &'static [(&'static str, &'static str)],
}

const fn row(name: &'static str, defines: &'static [(&'static str, &'static str)]) -> Macro {
    Macro { name, defines }
}

/// arch/x86/include/asm/idtentry.h: the handler, and the entry in assembly.
const IDTENTRY: &[(&str, &str)] = &[("", ""), ("asm_", ""), ("__", "")];

/// arch/*/include/asm/syscall_wrapper.h and include/linux/syscalls.h.
const SYSCALL: &[(&str, &str)] = &[
    ("__do_sys_", ""),
    ("__se_sys_", ""),
    ("sys_", ""),
    ("__x64_sys_", ""),
    ("__ia32_sys_", ""),
    ("__arm64_sys_", ""),
    ("__s390x_sys_", ""),
    ("__riscv_sys_", ""),
];

const COMPAT_SYSCALL: &[(&str, &str)] = &[
    ("__do_compat_sys_", ""),
    ("__se_compat_sys_", ""),
    ("compat_sys_", ""),
    ("__x32_compat_sys_", ""),
    ("__ia32_compat_sys_", ""),
    ("__arm64_compat_sys_", ""),
    ("__s390_compat_sys_", ""),
];

/// Macros that define functions.
pub(super) const MACROS: &[Macro] = &[
    row("BPF_CALL_", &[("", ""), ("____", "")]),
    row("COMPAT_SYSCALL_DEFINE", COMPAT_SYSCALL),
    row("DEFINE_FREEZER_IDTENTRY", IDTENTRY),
    row("DEFINE_IDTENTRY", IDTENTRY),
    row("DEFINE_IDTENTRY_DF", IDTENTRY),
    row("DEFINE_IDTENTRY_ERRORCODE", IDTENTRY),
    row("DEFINE_IDTENTRY_IRQ", IDTENTRY),
    row("DEFINE_IDTENTRY_MCE", IDTENTRY),
    row("DEFINE_IDTENTRY_NMI", IDTENTRY),
    row("DEFINE_IDTENTRY_RAW", IDTENTRY),
    row("DEFINE_IDTENTRY_RAW_ERRORCODE", IDTENTRY),
    row("DEFINE_IDTENTRY_SYSVEC", IDTENTRY),
    row("DEFINE_IDTENTRY_SYSVEC_SIMPLE", IDTENTRY),
    row("DEFINE_IDTENTRY_VC_KERNEL", IDTENTRY),
    row("DEFINE_INTERRUPT_HANDLER", &[("", ""), ("____", "")]),
    row("DEFINE_INTERRUPT_HANDLER_ASYNC", &[("", ""), ("____", "")]),
    row("DEFINE_INTERRUPT_HANDLER_NMI", &[("", ""), ("____", "")]),
    row("DEFINE_INTERRUPT_HANDLER_RAW", &[("", ""), ("____", "")]),
    row("DEFINE_INTERRUPT_HANDLER_RET", &[("", ""), ("____", "")]),
    row("PPC_SYSCALL_DEFINE", SYSCALL),
    row("SYSCALL_DEFINE", SYSCALL),
    row("SYSCALL_DEFINE_MAYBE_COMPAT", SYSCALL),
];

/// Macros that start a function in assembly: include/linux/linkage.h.
pub(super) const ASSEMBLY: &[&str] = &[
    "ENTRY",
    "SYM_CODE_START",
    "SYM_CODE_START_LOCAL",
    "SYM_CODE_START_LOCAL_NOALIGN",
    "SYM_CODE_START_NOALIGN",
    "SYM_FUNC_ALIAS",
    "SYM_FUNC_ALIAS_LOCAL",
    "SYM_FUNC_ALIAS_WEAK",
    "SYM_FUNC_START",
    "SYM_FUNC_START_ALIAS",
    "SYM_FUNC_START_LOCAL",
    "SYM_FUNC_START_LOCAL_NOALIGN",
    "SYM_FUNC_START_NOALIGN",
    "SYM_FUNC_START_WEAK",
    "SYM_FUNC_START_WEAK_NOALIGN",
    "SYM_INNER_LABEL",
    "SYM_INNER_LABEL_ALIGN",
    "SYM_TYPED_FUNC_START",
    "WEAK",
    "_GLOBAL",
    "_GLOBAL_TOC",
];
