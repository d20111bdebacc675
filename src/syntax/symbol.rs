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
        return Some(format!("{rust:#}"));
    }
    let options = cpp_demangle::DemangleOptions::new().no_params().no_return_type();
    let symbol = cpp_demangle::Symbol::new(symbol.as_bytes()).ok()?;
    symbol.demangle_with_options(&options).ok()
}

/// The name of a symbol, demangled.
pub(crate) fn name(symbol: Cow<'_, str>) -> Cow<'_, str> {
    demangle(&symbol).map_or(symbol, Cow::Owned)
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
        assert_eq!(demangle("_Z8fakeNameiii").as_deref(), Some("fakeName"));
        for name in ["f", "_raw_spin_lock", "_ZX", "__do_sys_x"] {
            assert_eq!(demangle(name), None, "{name}");
        }
    }
}
