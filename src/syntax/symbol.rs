//! Names of functions in their source language.

use std::borrow::Cow;

/// Demangles a symbol; `None` if the symbol is the name itself, as in C.
///
/// Rust's hashes and C++'s parameters are omitted.
pub(crate) fn demangle(symbol: &str) -> Option<String> {
    if !symbol.starts_with("_R") && !symbol.starts_with("_Z") {
        return None;
    }
    if let Ok(rust) = rustc_demangle::try_demangle(symbol) {
        // `_ZNE` has no parts.
        return Some(format!("{rust:#}")).filter(|name| !name.is_empty());
    }
    cpp(symbol)
}

/// The name of a symbol, demangled.
pub(crate) fn name(symbol: Cow<'_, str>) -> Cow<'_, str> {
    demangle(&symbol).map_or(symbol, Cow::Owned)
}

/// Demangles the name in a C++ symbol of the Itanium ABI.
///
/// The kernel has such symbols because clang mangles overloaded functions of C, such as those of FORTIFY_SOURCE; a
/// few modules are written in C++. What neither of them needs stays mangled: templates, operators and local names.
fn cpp(symbol: &str) -> Option<String> {
    let symbol = symbol.strip_prefix("_Z")?;
    let Some(nested) = symbol.strip_prefix('N') else {
        let (std, symbol) = match symbol.strip_prefix("St") {
            Some(rest) => ("std::", rest),
            None => ("", symbol),
        };
        let (name, rest) = source_name(symbol)?;
        // The arguments of a template.
        return (!rest.starts_with('I')).then(|| format!("{std}{name}"));
    };
    // Qualifiers of a method.
    let mut rest = nested.trim_start_matches(['r', 'V', 'K']).trim_start_matches(['R', 'O']);
    let mut names = Vec::new();
    if let Some(inside) = rest.strip_prefix("St") {
        names.push("std".to_string());
        rest = inside;
    }
    // A constructor or destructor, which repeats the name, is the last part, so the result is at most twice as long.
    let mut is_last = false;
    while !rest.starts_with('E') {
        if is_last {
            return None;
        }
        let (name, behind) = match rest.get(..2)? {
            "C1" | "C2" | "C3" => (names.last()?.clone(), rest.get(2..)?),
            "D0" | "D1" | "D2" => (format!("~{}", names.last()?), rest.get(2..)?),
            _ => source_name(rest).map(|(name, behind)| (name.to_string(), behind))?,
        };
        is_last = rest.starts_with(['C', 'D']);
        names.push(name);
        rest = behind;
    }
    (!names.is_empty()).then(|| names.join("::"))
}

/// The identifier at the start of a part of a symbol, and the text behind it. `L` marks one of internal linkage.
fn source_name(symbol: &str) -> Option<(&str, &str)> {
    let symbol = symbol.strip_prefix('L').unwrap_or(symbol);
    let digits = symbol.bytes().take_while(u8::is_ascii_digit).count();
    let (len, rest) = symbol.split_at_checked(digits)?;
    let (name, rest) = rest.split_at_checked(len.parse().ok()?)?;
    let name = if name.starts_with("_GLOBAL__N") { "(anonymous namespace)" } else { name };
    (!name.is_empty()).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_demangle() {
        let rust = "_RNvXs_Cs3KLF1Bd2Dv6_11rust_binderNtB4_7ProcessNtNtNtCs9I0Xu3Ik4mL_4core3ops4drop4Drop4drop";
        assert_eq!(
            demangle(rust).as_deref(),
            Some("<rust_binder::Process as core::ops::drop::Drop>::drop")
        );
        for name in ["f", "_raw_spin_lock", "_ZX", "__do_sys_x"] {
            assert_eq!(demangle(name), None, "{name}");
        }
    }

    // The names are those of c++filt, without the parameters.
    #[test]
    fn ok_demangle_cpp() {
        for (symbol, name) in [
            ("_Z8fakeNameiii", "fakeName"),
            ("_Z7kmemdupPKvU25pass_dynamic_object_size0mj", "kmemdup"),
            ("_ZL5probeP3Dev", "probe"),
            ("_ZN3Dev5resetEv", "Dev::reset"),
            ("_ZNK3net3Dev4nameEv", "net::Dev::name"),
            ("_ZN3net3DevC2Ei", "net::Dev::Dev"),
            ("_ZN3net3DevD1Ev", "net::Dev::~Dev"),
            ("_ZN12_GLOBAL__N_15probeEv", "(anonymous namespace)::probe"),
            ("_ZSt9terminatev", "std::terminate"),
            ("_ZNSt6thread4joinEv", "std::thread::join"),
        ] {
            assert_eq!(demangle(symbol).as_deref(), Some(name), "{symbol}");
        }
    }

    #[test]
    fn err_demangle_cpp() {
        for symbol in [
            "_Z",
            "_Z0",
            "_Z9short",
            "_Z99999999999999999999f",
            "_ZN",
            "_ZNE",
            "_ZNC1Ev",
            "_ZN3Dev",
            "_ZN3Dev5reset",
            "_Z3maxIiET_S0_S0_",
            "_ZN3BoxIiE3getEv",
            "_ZN3DevaSERKS_",
            "_ZN3DevC1C1Ev",
            "_Znwm",
            "_ZTV3Dev",
            "_Z1é",
            "_ZN1éE",
        ] {
            assert_eq!(demangle(symbol), None, "{symbol}");
        }
    }
}
