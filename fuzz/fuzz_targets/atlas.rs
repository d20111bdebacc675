//! Any bytes as an atlas, sealed so that only their parts are wrong, and any text as sources.
#![no_main]

use ksplat::atlas::build::{Builder, seal};
use ksplat::atlas::{Atlas, Hints};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (name, rest) = data.split_at(data.len().min(16));
    let name = String::from_utf8_lossy(name);
    let mut bytes = rest.to_vec();
    seal(&mut bytes);
    if let Ok(atlas) = Atlas::read(&bytes) {
        for file in atlas.files(&name) {
            let _ = (file.to_string(), file.class(), file.sections().count());
        }
        let _ = atlas.resolve(&name, Hints { module: Some(&name), arch: Some("x86_64"), near: &["fs"], inline: false });
        let _ = atlas.sections(&name);
    }
    let mut builder = Builder::new();
    for path in ["a.c", "a.S", "a.rs", "Makefile", "MAINTAINERS"] {
        builder.add(path, rest);
    }
    Atlas::read(&builder.finish()).expect("an atlas");
});
