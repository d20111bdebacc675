//! The header has the functions of `src/lib.rs`, with their types and their documentation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

/// The types of Rust, and those of C.
const TYPES: [(&str, &str); 3] =
    [("*const u8", "const uint8_t *"), ("*mut c_char", "char *"), ("usize", "size_t ")];

/// A type of C.
fn c_type(rust: &str) -> &'static str {
    TYPES.iter().find(|(name, _)| *name == rust.trim()).expect("a type of the table").1
}

/// Words, each behind one blank.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment and the declaration of each function of C.
fn of_rust(source: &str) -> Vec<(String, String)> {
    let mut functions = Vec::new();
    for part in source.split("#[unsafe(no_mangle)]").collect::<Vec<_>>().windows(2) {
        let lines = part[0].lines().rev().skip_while(|line| line.is_empty());
        let mut comment: Vec<_> = lines.map_while(|line| line.strip_prefix("///")).collect();
        comment.reverse();
        let signature = part[1].split('{').next().unwrap().trim();
        let signature = signature.strip_prefix("pub unsafe extern \"C\" fn ").unwrap();
        let (name, rest) = signature.split_once('(').unwrap();
        let (arguments, result) = rest.split_once(')').unwrap();
        let result = result.trim().strip_prefix("->").map_or("void ", c_type);
        let argument = |argument: &str| {
            let (name, kind) = argument.split_once(':').unwrap();
            format!("{}{}", c_type(kind), name.trim())
        };
        let arguments: Vec<_> = arguments.split(',').map(argument).collect();
        let declaration = format!("{result}{name}({});", arguments.join(", "));
        functions.push((words(&comment.join(" ")), declaration));
    }
    functions
}

/// The same of the header.
fn of_c(header: &str) -> Vec<(String, String)> {
    let parts = header.split("/**").skip(1);
    let parts = parts.map(|part| {
        let (comment, rest) = part.split_once("*/").unwrap();
        let comment: Vec<_> = comment.lines().map(|line| line.trim_start_matches(" *")).collect();
        let declaration = rest.split_inclusive(';').next().unwrap();
        (words(&comment.join(" ")), words(declaration))
    });
    parts.collect()
}

#[test]
fn the_header_has_the_functions() {
    let functions = of_rust(include_str!("../src/lib.rs"));
    assert_eq!(functions.len(), 2);
    assert_eq!(of_c(include_str!("../ksplat.h")), functions);
}
