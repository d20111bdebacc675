//! The names of syscalls.

/// What architectures and compilers put before the name of a syscall.
#[rustfmt::skip] // words
pub(super) const SYSCALL_PREFIXES: &[&str] = &[
    "SYSC_", "SyS_", "sys_", "__x64_", "__ia32_", "__arm64_", "____sys_", "___sys_", "__sys_",
    "__se_", "__se_sys_", "__do_sys_", "compat_SYSC_", "compat_SyS_", "ksys_",
];

/// The shortest name that is left when one of the prefixes is taken off.
pub(super) fn canonical(function: &str) -> &str {
    SYSCALL_PREFIXES
        .iter()
        .filter_map(|prefix| function.strip_prefix(prefix))
        .min_by_key(|name| name.len())
        .unwrap_or(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_canonical() {
        for (name, want) in [
            ("__x64_sys_rmdir", "sys_rmdir"),
            ("__do_sys_bpf", "bpf"),
            ("__se_sys_bpf", "bpf"),
            ("do_sys", "do_sys"),
        ] {
            assert_eq!(canonical(name), want);
        }
    }
}
