//! The functions that assembly and Rust files define.

use super::names::ASSEMBLY;

/// Calls `found` with each function that an assembly file defines.
pub(super) fn assembly(text: &[u8], mut found: impl FnMut(&str)) {
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let Some((name, rest)) = line.trim_start().split_once('(') else { continue };
        if ASSEMBLY.contains(&name)
            && let Some((name, _)) = rest.split_once([')', ','])
            && is_name(name.trim())
        {
            found(name.trim());
        }
    }
}

/// Calls `found` with each function that a Rust file defines, with `::` before its name.
pub(super) fn rust(text: &[u8], mut found: impl FnMut(&str)) {
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        let Some(at) =
            line.find("fn ").filter(|at| *at == 0 || line.as_bytes().get(at - 1) == Some(&b' '))
        else {
            continue;
        };
        let rest = line.get(at + 3..).unwrap_or_default();
        let end = rest.find(['(', '<']).unwrap_or_default();
        if let Some(name) = rest.get(..end).filter(|name| is_name(name)) {
            found(&["::", name].concat());
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_assembly() {
        let mut names = Vec::new();
        let text = b"SYM_FUNC_START(memcpy)\n\tmov a, b\nSYM_INNER_LABEL(x_y, SYM_L_GLOBAL)\n#define ENTRY(a) a\n";
        assembly(text, |name| names.push(name.to_owned()));
        assert_eq!(names, ["memcpy", "x_y"]);
    }

    #[test]
    fn ok_rust() {
        let mut names = Vec::new();
        let text = b"    pub(crate) unsafe fn new<T>(a: T) {\n// fn no() {\nfn alloc(\n    let x: fn (u8);\n";
        rust(text, |name| names.push(name.to_owned()));
        assert_eq!(names, ["::new", "::alloc"]);
    }
}
