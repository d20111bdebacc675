//! Whether a source file is built in a configuration, by the Makefiles of its tree.

use std::collections::BTreeSet;

/// The maximum number of objects that link each other.
const MAX_DEPTH: usize = 8;

/// The options that a configuration sets to `y` or `m`.
#[derive(Debug, Default)]
pub(super) struct Config {
    set: BTreeSet<String>,
}

impl Config {
    /// Reads a `.config`.
    pub(super) fn read(text: &str) -> Self {
        let option = |line: &str| {
            let (name, value) = line.trim().split_once('=')?;
            matches!(value, "y" | "m").then(|| name.to_owned())
        };
        Self { set: text.lines().filter_map(option).collect() }
    }
}

/// An assignment of a Makefile: the objects and directories `parts` belong to `target` if the option
/// is set.
struct Rule {
    /// `obj`, `lib` or `core` for the kernel and modules; else the name of an object.
    target: String,
    option: Option<String>,
    parts: Vec<String>,
}

/// Whether a file is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Built {
    /// `None` if the Makefiles do not show it.
    pub(super) is: Option<bool>,
    /// The options that are not set, and without which it is not built.
    pub(super) lacks: BTreeSet<String>,
}

/// Returns whether a C or assembly file is built. `makefile` returns the text of the Makefile of a
/// directory.
///
/// Conditional parts of Makefiles count as active.
pub(super) fn built(
    file: &str,
    config: &Config,
    makefile: impl Fn(&str) -> Option<String>,
) -> Built {
    let Some((path, _)) = file.rsplit_once('.').filter(|(_, end)| matches!(*end, "c" | "S")) else {
        return Built::default();
    };
    let (mut directory, object) = path.rsplit_once('/').unwrap_or(("", path));
    let mut lacks = BTreeSet::new();
    let read = |directory: &str| makefile(directory).map(|text| rules(&text)).unwrap_or_default();
    let mut is = linked(&read(directory), &format!("{object}.o"), config, &mut lacks, MAX_DEPTH);
    // A directory above may leave out the whole directory.
    while let Some((above, name)) = directory.rsplit_once('/') {
        if linked(&read(above), &format!("{name}/"), config, &mut lacks, 1) == Some(false) {
            is = Some(false);
        }
        directory = above;
    }
    if is != Some(false) {
        lacks.clear();
    }
    Built { is, lacks }
}

/// Returns whether any rule links a part; `None` without a rule.
fn linked(
    rules: &[Rule],
    part: &str,
    config: &Config,
    lacks: &mut BTreeSet<String>,
    depth: usize,
) -> Option<bool> {
    let mut found = None;
    for rule in rules.iter().filter(|rule| rule.parts.iter().any(|own| own == part)) {
        if let Some(option) = rule.option.as_ref().filter(|option| !config.set.contains(*option)) {
            lacks.insert(option.clone());
            found = found.or(Some(false));
            continue;
        }
        let is_final = matches!(&*rule.target, "obj" | "lib" | "core" | "drivers" | "net" | "libs");
        let object = format!("{}.o", rule.target);
        let above = (!is_final && depth > 1 && object != part)
            .then(|| linked(rules, &object, config, lacks, depth - 1));
        match above.flatten() {
            Some(false) => found = found.or(Some(false)),
            _ => return Some(true),
        }
    }
    found
}

/// Reads the assignments of a Makefile of Kbuild.
fn rules(text: &str) -> Vec<Rule> {
    let text = text.replace("\\\n", " ");
    let rule = |line: &str| {
        let line = line.split('#').next()?;
        let (name, values) = line.split_once('=')?;
        let name = name.trim_end().trim_end_matches(['+', ':', '?']).trim();
        let (target, suffix) = name.split_once("-$(").map_or_else(
            || name.rsplit_once('-'),
            |(target, option)| Some((target, option.strip_suffix(')')?)),
        )?;
        let option = match suffix {
            "y" | "m" | "objs" => None,
            option if option.starts_with("CONFIG_") => Some(option.to_owned()),
            _ => return None,
        };
        let parts = values.split_ascii_whitespace().map(str::to_owned).collect();
        Some(Rule { target: target.to_owned(), option, parts })
    };
    text.lines().filter_map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> Built {
        let config = Config::read("CONFIG_NET=y\n# CONFIG_FOO is not set\nCONFIG_BAR=m\n");
        built(file, &config, |directory| {
            let text = match directory {
                "net" => {
                    "obj-$(CONFIG_FOO) += foo/\nobj-$(CONFIG_BAR) += bar/ sock.o\nobj-y += core/\n"
                }
                "net/foo" => "obj-y += foo.o\n",
                "net/bar" => {
                    "obj-$(CONFIG_BAR) += bar.o\nbar-y := one.o \\\n\ttwo.o\nbar-$(CONFIG_FOO) += three.o\n\
                     obj-$(CONFIG_QUX) += qux.o\nqux-objs := four.o # five.o\n"
                }
                _ => return None,
            };
            Some(text.to_owned())
        })
    }

    #[test]
    fn ok_built() {
        for (file, is, lacks) in [
            ("net/sock.c", Some(true), None),
            ("net/foo/foo.c", Some(false), Some("CONFIG_FOO")),
            ("net/bar/two.c", Some(true), None),
            ("net/bar/three.c", Some(false), Some("CONFIG_FOO")),
            ("net/bar/four.c", Some(false), Some("CONFIG_QUX")),
            ("net/bar/five.c", None, None),
            ("net/bar/bar.h", None, None),
            ("top.c", None, None),
        ] {
            let built = of(file);
            assert_eq!(built.is, is, "{file}");
            assert_eq!(built.lacks.first().map(String::as_str), lacks, "{file}");
        }
    }
}
