//! The functions that a C file defines.
//!
//! Nothing is preprocessed: comments, strings and directives are skipped, and each branch of an `#if`
//! starts at the brace depth of the first one. A definition is a declarator with parameters before a
//! brace at depth 0. A brace in column 0 ends every function of the kernel, so the depth is right again
//! after braces that macros hide.

use super::names::Macro;
use super::names::{ATTRIBUTES, MACROS};

/// A token at depth 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    /// Any other character.
    Sign(u8),
    /// A directive of the preprocessor.
    Directive(&'a str),
    /// A closing brace in column 0.
    End,
}

/// A lexer.
struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn is_first_of_line(&self) -> bool {
        self.at.checked_sub(1).is_none_or(|before| self.text.get(before) == Some(&b'\n'))
    }

    /// Skips past `end`, or to the end of the text.
    fn skip_past(&mut self, end: &[u8]) {
        let found = memchr::memmem::find(self.rest(), end);
        self.at = found.map_or(self.text.len(), |found| self.at + found + end.len());
    }

    /// Skips a string or a character literal, at most to the end of the line.
    fn skip_quoted(&mut self, quote: u8) {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'\n' => return,
                byte if *byte == quote => return,
                _ => {}
            }
        }
    }

    /// Skips a directive with its continuation lines, and returns its name.
    fn directive(&mut self) -> &'a str {
        self.at += 1;
        while self.text.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            self.at += 1;
        }
        let name = self.word();
        while self.at < self.text.len() {
            let line =
                memchr::memchr(b'\n', self.rest()).map_or(self.text.len(), |end| self.at + end);
            let before = self.text.get(self.at..line).unwrap_or_default();
            if let Some(open) = memchr::memmem::find(before, b"/*") {
                self.at += open + 2;
                self.skip_past(b"*/");
                continue;
            }
            self.at = line + 1;
            if before.trim_ascii_end().last() != Some(&b'\\') {
                // The line feed stays: a brace after it is in column 0.
                self.at = line;
                break;
            }
        }
        name
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let len = rest.iter().take_while(|byte| is_of_word(**byte)).count();
        self.at += len;
        rest.get(..len).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default()
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = *self.text.get(self.at)?;
            match byte {
                b'/' if self.rest().starts_with(b"/*") => {
                    self.at += 2;
                    self.skip_past(b"*/");
                }
                b'/' if self.rest().starts_with(b"//") => {
                    self.at = memchr::memchr(b'\n', self.rest())
                        .map_or(self.text.len(), |end| self.at + end);
                }
                b'"' | b'\'' => self.skip_quoted(byte),
                b'#' if self.rest().starts_with(b"##") => self.at += 2,
                b'#' => return Some(Token::Directive(self.directive())),
                b'}' if self.is_first_of_line() => {
                    self.at += 1;
                    return Some(Token::End);
                }
                _ if byte.is_ascii_alphabetic() || byte == b'_' => {
                    return Some(Token::Word(self.word()));
                }
                _ if byte.is_ascii_whitespace() => self.at += 1,
                // Letters in numbers do not begin a word.
                _ if byte.is_ascii_digit() => {
                    self.word();
                }
                _ => {
                    self.at += 1;
                    return Some(Token::Sign(byte));
                }
            }
        }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// The tokens of the current declarator that may name a function.
#[derive(Clone, Debug, Default)]
struct Header<'a> {
    /// The number of open parentheses.
    depth: usize,
    last: Option<&'a str>,
    /// The word before the parameters, and the first word in them.
    found: Option<(&'a str, Option<&'a str>)>,
    /// Whether the open parentheses had no word so far.
    wants_first: bool,
    /// The second word in the parentheses, for macros whose first argument is a type.
    is_value: bool,
}

impl<'a> Header<'a> {
    fn word(&mut self, word: &'a str) {
        if self.depth == 0 {
            self.last = Some(word);
        } else if self.wants_first {
            self.wants_first = false;
            if let Some((_, first)) = &mut self.found {
                *first = Some(word);
            }
        }
    }

    fn sign(&mut self, sign: u8) {
        match sign {
            b'(' => {
                self.depth += 1;
                if self.depth == 1
                    && let Some(word) = self.last.take()
                    && self.is_better(word)
                {
                    self.found = Some((word, None));
                    self.wants_first = true;
                }
            }
            b')' => self.depth = self.depth.saturating_sub(1),
            b'=' if self.depth == 0 => self.is_value = true,
            _ if self.depth == 0 => self.last = None,
            _ => self.wants_first = false,
        }
    }

    /// Returns whether a word before parentheses names the function, rather than an earlier word.
    fn is_better(&self, word: &str) -> bool {
        let is_attribute = ATTRIBUTES.contains(&word);
        match self.found {
            _ if is_attribute => false,
            None => true,
            // `int f(void) __releases(lock)`: attributes follow parameters.
            Some((known, _)) => !word.starts_with("__") || known.starts_with("__"),
        }
    }
}

/// Calls `found` with each function that a C file defines.
pub(super) fn functions(text: &[u8], mut found: impl FnMut(&str)) {
    let mut depth = 0_usize;
    let mut header = Header::default();
    let mut branches: Vec<(usize, Header<'_>)> = Vec::new();
    for token in (Tokens { text, at: 0 }) {
        match token {
            Token::Directive(name) => match name {
                "if" | "ifdef" | "ifndef" => branches.push((depth, header.clone())),
                "else" | "elif" => {
                    if let Some((known, before)) = branches.last() {
                        depth = *known;
                        header = before.clone();
                    }
                }
                "endif" => {
                    branches.pop();
                }
                _ => {}
            },
            Token::End | Token::Sign(b'}') => {
                depth = if token == Token::End { 0 } else { depth.saturating_sub(1) };
                header = if depth == 0 { Header::default() } else { header };
            }
            Token::Sign(b'{') => {
                if depth == 0 && header.depth == 0 && !header.is_value {
                    report(&header, &mut found);
                }
                depth += 1;
            }
            _ if depth > 0 => {}
            Token::Sign(b';') if header.depth == 0 => header = Header::default(),
            Token::Sign(sign) => header.sign(sign),
            Token::Word(word) => header.word(word),
        }
    }
}

/// The functions that a declarator before a brace defines.
fn report(header: &Header<'_>, found: &mut impl FnMut(&str)) {
    let Some((word, first)) = header.found else { return };
    let is_macro = word.bytes().all(|byte| !byte.is_ascii_lowercase());
    if !is_macro {
        return found(word);
    }
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let known = MACROS.iter().find(|known| known.name == stem || known.name == word);
    let (Some(Macro { defines, .. }), Some(first)) = (known, first) else { return };
    for (before, behind) in *defines {
        found(&[before, first, behind].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut names = Vec::new();
        functions(text.as_bytes(), |name| names.push(name.to_owned()));
        names
    }

    #[test]
    fn ok_definitions() {
        for (text, want) in [
            ("int f(void)\n{\n\treturn 0;\n}\n", &["f"] as &[_]),
            ("static inline int f(int a) { return g(a); }\nint h(void)\n{\n}\n", &["f", "h"]),
            ("int f(void);\nextern int g(int (*a)(void));\n", &[]),
            ("struct a {\n\tint (*f)(void);\n};\nvoid g(struct a *a)\n{\n}\n", &["g"]),
            ("static struct a b = {\n\t.f = F(1),\n};\n", &[]),
            ("static __printf(1, 2) void f(const char *a, ...)\n{\n}\n", &["f"]),
            ("void f(void)\n\t__releases(a)\n\t__acquires(b)\n{\n}\n", &["f"]),
            ("__attribute__((unused)) static int f(a_t (*b)(int))\n{ }\n", &["f"]),
            ("#define F(a) int a(void) { \\\n  return 0; \\\n}\nint g(void) {\n}\n", &["g"]),
            (
                "/* int f(void) { */ // int g(void) {\nchar *a = \"{\"; int h(void) { '}'; }\n",
                &["h"],
            ),
            (
                "#ifdef A\nint f(int a)\n{\n#else\nint f(void)\n{\n#endif\n}\nint g(void)\n{\n}\n",
                &["f", "f", "g"],
            ),
            (
                "int f(void)\n{\n\tif (a) {\n#ifdef B\n\t\tM {\n#endif\n}\nint g(void)\n{\n}\n",
                &["f", "g"],
            ),
            ("enum a { B, C };\nint f(enum a b)\n{\n}\n", &["f"]),
            (
                "SYSCALL_DEFINE2(open, int, a, int, b)\n{\n}\n",
                &[
                    "__do_sys_open",
                    "__se_sys_open",
                    "sys_open",
                    "__x64_sys_open",
                    "__ia32_sys_open",
                    "__arm64_sys_open",
                    "__s390x_sys_open",
                    "__riscv_sys_open",
                ],
            ),
            ("DEFINE_IDTENTRY(exc_a)\n{\n}\n", &["exc_a", "asm_exc_a", "__exc_a"]),
        ] {
            assert_eq!(all(text), want, "{text}");
        }
    }

    #[test]
    fn hostile_texts_end() {
        for text in
            ["/*", "\"", "'\\", "#", "#if", "((((", "}}}}", "f(", "f(){", "#define a\\", "=\u{e9}{"]
        {
            all(text);
        }
    }
}
