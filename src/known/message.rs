//! The message of a commit: its subject, and the lines with other commits and reports.

use crate::store::{Commit, Fix};

/// The maximum number of bytes of a subject or an address that are kept.
const MAX_TEXT: usize = 256;

/// The maximum number of lines of each kind that are kept.
const MAX_LINES: usize = 16;

/// The number of lines at the start of a message in which a copy names its commit.
const FIRST_LINES: usize = 8;

/// The fields of a commit's message, except the crash in it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The first line.
    pub subject: String,
    /// The commits of its `Fixes:` lines.
    pub fixes: Vec<String>,
    /// The versions in `Cc: stable`.
    pub stable: Option<String>,
    /// The identifiers of `Reported-by:` lines.
    pub reported: Vec<String>,
    /// The addresses of `Closes:` and `Link:` lines.
    pub links: Vec<String>,
    /// The commit of which this one is a copy: `commit … upstream.`
    pub upstream: Option<String>,
    /// The commit that this one reverts.
    pub reverts: Option<String>,
}

impl Message {
    /// Reads a message. Text of other encodings than UTF-8 has replacement characters.
    pub fn parse(text: &[u8]) -> Self {
        let mut message = Self::default();
        let lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
        for (number, line) in lines.filter(|line| !line.is_empty()).enumerate() {
            let line = String::from_utf8_lossy(
                line.get(..line.len().min(4 * MAX_TEXT)).unwrap_or_default(),
            );
            if number == 0 {
                message.subject = cut(&line);
                continue;
            }
            message.line(&line, number <= FIRST_LINES);
        }
        message
    }

    fn line(&mut self, line: &str, is_first: bool) {
        let picked = line.strip_prefix("(cherry picked from commit ").and_then(commit);
        let upstream = is_first.then(|| upstream(line)).flatten().or(picked);
        if self.upstream.is_none() {
            self.upstream = upstream;
        }
        if let Some(reverted) = line.strip_prefix("This reverts commit ").and_then(commit) {
            self.reverts.get_or_insert(reverted);
        }
        let Some((tag, value)) = line.split_once(':') else { return };
        let value = value.trim();
        match tag {
            "Fixes" => push(&mut self.fixes, commit(value)),
            "Cc" | "CC" | "cc" if value.contains("stable@") => {
                let versions = value.split_once('#').map_or("", |(_, versions)| versions.trim());
                self.stable.get_or_insert_with(|| cut(versions));
            }
            "Closes" | "Link" if value.starts_with("http") => {
                push(&mut self.links, Some(cut(value)));
                push(&mut self.reported, bug_of(value));
            }
            _ if tag.starts_with("Reported-") => push(&mut self.reported, syzbot(value)),
            _ => {}
        }
    }

    /// Returns the fix of a commit with this message: for a copy that of its original.
    pub fn fix(self, id: &str) -> Fix {
        let own = Commit::new(id);
        let (id, backports) = match self.upstream {
            Some(upstream) => (upstream, vec![own]),
            None => (id.to_owned(), Vec::new()),
        };
        Fix {
            id,
            subject: self.subject,
            fixes: self.fixes.iter().map(|id| Commit::new(id)).collect(),
            stable: self.stable,
            reported: self.reported,
            links: self.links,
            backports,
            ..Fix::default()
        }
    }
}

/// The first bytes of a text.
pub(super) fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().to_owned()
}

fn push(texts: &mut Vec<String>, text: Option<String>) {
    if let Some(text) = text.filter(|text| texts.len() < MAX_LINES && !texts.contains(text)) {
        texts.push(text);
    }
}

/// The commit at the beginning of a text: 8 to 64 hexadecimal digits.
fn commit(text: &str) -> Option<String> {
    let text = text.trim_start().trim_start_matches("commit ");
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let is_end = text.as_bytes().get(digits).is_none_or(|b| !b.is_ascii_alphanumeric());
    let id = text.get(..digits).filter(|_| is_end && (8..=64).contains(&digits))?;
    Some(id.to_ascii_lowercase())
}

/// Returns the commit in `commit … upstream.` or `[ Upstream commit … ]`.
fn upstream(line: &str) -> Option<String> {
    let line = line.trim_matches(['[', ']', ' ']);
    let lower = line.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("upstream commit ") {
        return commit(rest);
    }
    let id = commit(lower.strip_prefix("commit ")?)?;
    lower.trim_end_matches('.').ends_with(" upstream").then_some(id)
}

/// Returns `syzbot+0123abcd` from an address.
fn syzbot(value: &str) -> Option<String> {
    let at = value.find("syzbot+")?;
    let id = value.get(at..)?;
    let end = id.find('@')?;
    id.get(..end).filter(|id| id.len() < MAX_TEXT).map(str::to_owned)
}

/// Returns the same from the address of a page of syzbot.
fn bug_of(address: &str) -> Option<String> {
    let (_, id) = address.split_once("?extid=")?;
    let digits = id.bytes().take_while(u8::is_ascii_hexdigit).count();
    id.get(..digits).filter(|id| !id.is_empty()).map(|id| format!("syzbot+{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_message_are_read() {
        let message = Message::parse(
            b"cm: check the pointer\n\ncommit 0123456789abcdef0123456789abcdef01234567 upstream.\n\n\
              Text.\n\nFixes: 1a2b3c4d5e6f (\"cm: add\")\nFixes: none\n\
              Cc: <stable@vger.kernel.org> # 6.1+\n\
              Reported-by: syzbot+00ff@syzkaller.appspotmail.com\n\
              Closes: https://syzkaller.appspot.com/bug?extid=00ff\n\
              This reverts commit deadbeef0123.\n",
        );
        assert_eq!(message.subject, "cm: check the pointer");
        assert_eq!(message.fixes, ["1a2b3c4d5e6f"]);
        assert_eq!(message.stable.as_deref(), Some("6.1+"));
        assert_eq!(message.reported, ["syzbot+00ff"]);
        assert_eq!(message.links.len(), 1);
        assert_eq!(message.reverts.as_deref(), Some("deadbeef0123"));
        let fix = message.fix("ffff");
        assert_eq!(fix.id, "0123456789abcdef0123456789abcdef01234567");
        assert_eq!(fix.backports, [Commit::new("ffff")]);
    }

    #[test]
    fn copies_name_their_commit() {
        for line in [
            "[ Upstream commit 0123456789ab ]",
            "commit 0123456789ab upstream",
            "(cherry picked from commit 0123456789ab)",
        ] {
            let message = Message::parse(format!("s\n\n{line}\n").as_bytes());
            assert_eq!(message.upstream.as_deref(), Some("0123456789ab"), "{line}");
        }
        assert_eq!(Message::parse(b"s\n\nSince commit 0123456789ab upstream\n").upstream, None);
        assert_eq!(Message::parse(b"").subject, "");
    }
}
