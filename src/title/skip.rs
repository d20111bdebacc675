//! The names of syscalls.

use crate::arch::TITLE_PREFIXES;

/// The shortest name that is left when one of the prefixes is taken off.
pub(super) fn canonical(function: &str) -> &str {
    TITLE_PREFIXES
        .iter()
        // A comparison of bytes is cheaper than one of texts.
        .filter(|prefix| prefix.as_bytes().first() == function.as_bytes().first())
        .filter_map(|prefix| function.strip_prefix(*prefix))
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
