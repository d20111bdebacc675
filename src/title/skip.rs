//! Canonical names of system calls.

use crate::arch::TITLE_PREFIXES;

/// Returns the shortest name without one of the prefixes.
pub(super) fn canonical(function: &str) -> &str {
    TITLE_PREFIXES
        .iter()
        // Comparing the first byte is cheaper than comparing the texts.
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
