//! The choice of the function that names a stall or a hang.

use crate::functions::{self, Role};

/// A choice: the index of a function, and its name in the title if that differs.
pub(super) type Chosen = (usize, Option<&'static str>);

/// Returns the function below the first entry into the kernel, for any depth of the stack.
pub(super) fn stalled(names: &[&str]) -> Option<Chosen> {
    let mut roles = names.iter().map(|name| functions::roles(name)).enumerate();
    let (entry, roles) = roles.find(|(_, roles)| roles.has(Role::Enters))?;
    if roles.has(Role::CallsCpus) {
        return Some((entry, Some("smp_call_function")));
    }
    Some((entry.saturating_sub(1), None))
}

/// Returns the first function that does more than wait. If one of the functions waits for the RTNL
/// lock or for readers, returns that one, because hangs of many bugs meet there.
pub(super) fn hung(names: &[&str]) -> Option<Chosen> {
    let mut first = None;
    for (index, roles) in names.iter().map(|name| functions::roles(name)).enumerate() {
        if roles.has(Role::Rtnl) {
            return Some((index, None));
        }
        // The functions that wait for readers have many names, but one name in titles.
        if roles.has(Role::Synchronizes) {
            return Some((index, Some("synchronize_rcu")));
        }
        if !roles.has(Role::Waits) {
            first = first.or(Some((index, None)));
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(choice: fn(&[&str]) -> Option<Chosen>, functions: &str) -> Option<String> {
        let functions: Vec<_> = functions.split(' ').collect();
        choice(&functions).map(|(index, name)| name.unwrap_or(functions[index]).to_owned())
    }

    #[test]
    fn ok_stalled() {
        let p = |functions| name(stalled, functions);
        assert_eq!(p("foo bar vfs_write ksys_write").as_deref(), Some("bar"));
        assert_eq!(p("vfs_write").as_deref(), Some("vfs_write"));
        assert_eq!(p("foo smp_call_function_many x").as_deref(), Some("smp_call_function"));
        assert_eq!(p("foo bar"), None);
    }

    #[test]
    fn ok_hung() {
        let p = |functions| name(hung, functions);
        assert_eq!(p("__schedule schedule foo bar").as_deref(), Some("foo"));
        assert_eq!(p("schedule rtnl_lock foo").as_deref(), Some("rtnl_lock"));
        assert_eq!(p("schedule synchronize_srcu_x foo").as_deref(), Some("synchronize_rcu"));
        assert_eq!(p("schedule wait_event"), None);
    }
}
