//! Selects one of several files that define a function.

use super::{Atlas, File};

/// Evidence in a report for the file of a function.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'h> {
    /// The module that the frame names.
    pub module: Option<&'h str>,
    /// The architecture, by its name in reports: `x86_64`.
    pub arch: Option<&'h str>,
    /// Directories of the neighboring functions, the nearest first.
    pub near: &'h [&'h str],
    /// Whether the frame is that of an inlined function, which a header may define.
    pub inline: bool,
}

/// The file of a function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place<'a> {
    /// The file, or the directory of the module.
    pub file: File<'a>,
    /// Whether the evidence excludes all other files.
    pub certain: bool,
}

impl<'a> Atlas<'a> {
    /// The file that defines a function; `None` if no file does, or if several fit the hints equally.
    ///
    /// Files that the architecture of the report does not build are refused: `arch/ia64`, `drivers/s390`
    /// in a report of x86.
    pub fn resolve(&self, function: &str, hints: Hints<'_>) -> Option<Place<'a>> {
        let arch = hints.arch.map(arch_directory);
        let of_module = hints.module.and_then(|module| self.module(module).next());
        let mut files = self
            .files(function)
            .filter(move |file| arch.is_none_or(|arch| is_built_for(file.directory(), arch)))
            .filter(|file| !is_of_hypervisor(file.directory()));
        if let (Some(module), None) = (hints.module, of_module) {
            // An out-of-tree module may define functions with names of the tree.
            let file = files.find(|file| file.is_of_module(module))?;
            return Some(Place { file, certain: false });
        }
        let Some(first) = files.next() else {
            return of_module.map(|file| Place { file, certain: false });
        };
        if files.clone().next().is_none() {
            // The module defines its own function of the same name.
            return match of_module {
                Some(module)
                    if !is_in(first.directory(), module.directory()) && !first.is_header() =>
                {
                    Some(Place { file: module, certain: false })
                }
                _ => Some(Place { file: first, certain: true }),
            };
        }
        // A header only declares a function, or defines it as an inlined one.
        let score = |file: &File<'_>| {
            (score(file, of_module.as_ref(), arch, hints.near), hints.inline || !file.is_header())
        };
        let mut best = (first, score(&first));
        let mut alone = true;
        for file in files {
            let other = score(&file);
            if other > best.1 {
                best = (file, other);
                alone = true;
            } else if other == best.1 {
                alone = false;
            }
        }
        let (file, score) = best;
        (alone || score.0 > 0).then_some(Place { file, certain: alone && score.0 > 0 })
    }
}

/// The evidence for a file: the module of the frame, the architecture, the neighbors' directories.
fn score(file: &File<'_>, module: Option<&File<'_>>, arch: Option<&str>, near: &[&str]) -> u32 {
    let directory = file.directory();
    let mut score = 0;
    if let Some(module) = module {
        score += 40 * u32::from(is_in(directory, module.directory()));
        score += 20 * u32::from(file == module);
    }
    if let Some(rest) = directory.strip_prefix("arch/") {
        if arch.is_none() || rest.split('/').next() != arch {
            return 0;
        }
        score += 16;
    }
    let near = near.iter().take(8).zip((1..=8).rev());
    let of_near = |(near, weight): (&&str, u32)| match *near {
        "" => 0,
        near if near == directory => 2 * weight,
        near if is_in(directory, near) || is_in(near, directory) => weight,
        _ => 0,
    };
    score + near.map(of_near).sum::<u32>()
}

/// Returns whether a directory is built for an architecture, given by its directory below `arch`.
fn is_built_for(directory: &str, arch: &str) -> bool {
    if let Some(rest) = directory.strip_prefix("arch/") {
        let shares = |(own, other): &(&str, &str)| *own == arch && is_in(rest, other);
        return rest.split('/').next() == Some(arch) || SHARED.iter().any(shares);
    }
    let arches_of = |name| MACHINES.iter().find(|(known, _)| known.as_bytes() == name);
    let parts = directory.as_bytes().split(|byte| *byte == b'/');
    parts.skip(1).filter_map(arches_of).all(|(_, arches)| arches.contains(&arch))
}

/// Returns whether a directory has the code of arm64 that runs at EL2 without the kernel: its symbols begin with
/// `__kvm_nvhe_` (arch/arm64/kvm/hyp/nvhe/Makefile).
fn is_of_hypervisor(directory: &str) -> bool {
    directory.ends_with("/hyp/nvhe")
}

/// The directory of an architecture below `arch`.
fn arch_directory(name: &str) -> &str {
    let known = ARCHES.iter().find(|(begin, _)| name.starts_with(begin));
    known.map_or(name, |(_, directory)| *directory)
}

/// Directories below `arch` that another architecture builds as well.
const SHARED: &[(&str, &str)] = &[
    ("arm64", "arm/xen"), // arch/arm64/xen/Makefile
    ("x86", "um"),        // User Mode Linux runs on x86
];

/// Names of directories outside `arch` whose drivers are built for these architectures only. `sh` and
/// `xtensa` are missing: Renesas' ARM boards use the first, DSPs beside any processor the second.
const MACHINES: &[(&str, &[&str])] = &[
    ("arm", &["arm", "arm64"]),
    ("arm64", &["arm64"]),
    ("loongarch", &["loongarch"]),
    ("macintosh", &["powerpc"]),
    ("mips", &["mips"]),
    ("parisc", &["parisc"]),
    ("powerpc", &["powerpc"]),
    ("ppc", &["powerpc"]),
    ("riscv", &["riscv"]),
    ("s390", &["s390"]),
    ("sparc", &["sparc"]),
    ("x86", &["x86"]),
];

/// Prefixes of the names of architectures in reports, and their directories below `arch`.
const ARCHES: &[(&str, &str)] = &[
    ("aarch64", "arm64"),
    ("i386", "x86"),
    ("loongarch", "loongarch"),
    ("mips", "mips"),
    ("ppc", "powerpc"),
    ("riscv", "riscv"),
    ("s390", "s390"),
    ("sparc", "sparc"),
    ("x86", "x86"),
];

/// Returns whether a directory equals another one or is below it.
fn is_in(directory: &str, other: &str) -> bool {
    directory.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl File<'_> {
    /// Returns whether the file or its directory has the name of a module.
    fn is_of_module(&self, module: &str) -> bool {
        let stem = self.name().rsplit_once('.').map_or(self.name(), |(stem, _)| stem);
        let folder = self.directory().rsplit_once('/').map_or(self.directory(), |(_, name)| name);
        let is = |name: &str| {
            let same = |(a, b): (u8, u8)| a == b || (a, b) == (b'-', b'_');
            name.len() == module.len() && name.bytes().zip(module.bytes()).all(same)
        };
        is(stem) || is(folder)
    }

    /// Returns whether the file is a header, whose functions are inlined.
    fn is_header(&self) -> bool {
        std::path::Path::new(self.name()).extension().is_some_and(|extension| extension == "h")
    }
}
