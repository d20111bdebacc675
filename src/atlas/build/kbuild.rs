//! The modules that a Makefile of Kbuild builds.

/// Calls `found` with each module in `obj-…` of a Makefile, and with each object in `NAME-y` or
/// `NAME-objs` and the module that links it.
pub(super) fn modules(text: &[u8], mut found: impl FnMut(&str)) {
    let text = String::from_utf8_lossy(text).replace("\\\n", " ");
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((name, values)) = line.split_once('=') else { continue };
        let name = name.trim_end().trim_end_matches(['+', ':']).trim();
        if !name.starts_with("obj-") {
            continue;
        }
        for value in values.split_ascii_whitespace() {
            if let Some(module) = value.strip_suffix(".o")
                && !module.is_empty()
                && module
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            {
                found(module);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_modules() {
        let mut names = Vec::new();
        let text =
            b"obj-$(CONFIG_A)\t+= a.o b-c.o \\\n\td.o sub/\nd-y := e.o f.o\nobj-m:=g.o # h.o\n";
        modules(text, |name| names.push(name.to_owned()));
        assert_eq!(names, ["a", "b-c", "d", "g"]);
    }
}
