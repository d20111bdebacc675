//! Writes the JavaScript of a module that was built with wasm-bindgen: `bindgen MODULE FOLDER`. It is what
//! `wasm-bindgen --target web` does, and takes a sixth of its time to build.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let names: Vec<_> = env::args_os().skip(1).collect();
    let [module, folder] = names.as_slice() else {
        eprintln!("usage: bindgen MODULE FOLDER");
        return ExitCode::from(2);
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    let written = bindgen.input_path(module).web(true).and_then(|bindgen| {
        bindgen.omit_default_module_path(true).typescript(true).generate(folder)
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
