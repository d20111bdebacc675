//! A mail of a mailing list: a patch that is not merged, or a report.

use super::diff::Changes;
use super::message::{Message, cut};
use crate::store::Fix;

/// The type of a mail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Encoding {
    Plain,
    QuotedPrintable,
    Base64,
}

/// A parsed mail.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Mail {
    /// The message ID without brackets, cut at 256 bytes.
    pub id: String,
    /// The subject without the marks of a patch. Encoded words (`=?utf-8?q?…?=`) are not decoded.
    pub subject: String,
    /// Whether it is a reply.
    pub is_reply: bool,
    /// Whether it contains a patch.
    pub is_patch: bool,
    /// The text, decoded.
    pub body: Vec<u8>,
}

impl Mail {
    /// Parses a mail: the header, and the decoded text. For a mail with several parts the text is
    /// all parts, undecoded.
    pub fn parse(mail: &[u8]) -> Self {
        let mail: Vec<u8> = mail.iter().copied().filter(|b| *b != b'\r').collect();
        let end = crate::search::find(&mail, "\n\n").unwrap_or(mail.len());
        let (head, body) = mail.split_at_checked(end).unwrap_or((&mail, &[]));
        let head = String::from_utf8_lossy(head).replace("\n ", " ").replace("\n\t", " ");
        let mut read = Self::default();
        let mut encoding = Encoding::Plain;
        let mut subject = String::new();
        for line in head.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "message-id" => read.id = cut(value.trim_matches(['<', '>'])),
                "subject" => value.clone_into(&mut subject),
                "content-transfer-encoding" => {
                    encoding = match value.to_ascii_lowercase().as_str() {
                        "quoted-printable" => Encoding::QuotedPrintable,
                        "base64" => Encoding::Base64,
                        _ => Encoding::Plain,
                    };
                }
                _ => {}
            }
        }
        read.body = match encoding {
            Encoding::Plain => body.to_vec(),
            Encoding::QuotedPrintable => quoted_printable(body),
            Encoding::Base64 => base64(body),
        };
        // Ends of lines may be encoded too.
        read.body.retain(|byte| *byte != b'\r');
        read.is_reply = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
        let mark = subject.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let is_marked = mark.is_some_and(|(mark, _)| mark.contains("PATCH"));
        let has_diff =
            crate::search::has(&read.body, "\n+++ ") && crate::search::has(&read.body, "\n@@ -");
        read.is_patch = is_marked && has_diff && !read.is_reply;
        read.subject = match mark.filter(|_| is_marked) {
            Some((_, rest)) => rest.trim().to_owned(),
            None => subject,
        };
        read
    }

    /// Returns the fix that a patch proposes.
    pub fn fix(&self) -> Option<Fix> {
        if !self.is_patch || self.id.is_empty() {
            return None;
        }
        // git am ends the message at this line.
        let end = crate::search::find(&self.body, "\n---\n").unwrap_or(self.body.len());
        let (message, patch) = self.body.split_at_checked(end)?;
        let message = [self.subject.as_bytes(), b"\n", message].concat();
        let mut changes = Changes::default();
        patch.split(|b| *b == b'\n').for_each(|line| changes.line(line));
        let mut fix = Message::parse(&message).fix(&self.id);
        fix.is_patch = true;
        fix.take(changes);
        Some(fix)
    }
}

impl Fix {
    /// Sets the changes of a diff.
    pub fn take(&mut self, changes: Changes) {
        self.change = changes.hash();
        self.files = changes.files;
        self.functions = changes.functions;
    }
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            text.push(*first);
        } else if let Some(next) = after.strip_prefix(b"\n") {
            rest = next;
        } else {
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    text.push(byte);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => text.push(b'='),
            }
        }
    }
    text
}

fn base64(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., low] = (bits >> count).to_be_bytes();
            text.push(low);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_a_fix() {
        let mail = b"From: a\r\nSubject: [PATCH v2 1/3] cm: check\r\n the length\r\nMessage-ID: <1@b>\r\n\r\n\
            Text.\r\n\r\nFixes: 1a2b3c4d5e6f\r\n---\r\n a.c | 1 +\r\n--- a/a.c\r\n+++ b/a.c\r\n@@ -3 +3 @@ int f(void)\r\n-a\r\n+b\r\n";
        let mail = Mail::parse(mail);
        let fix = mail.fix().expect("a fix");
        assert_eq!((&*fix.id, &*fix.subject, fix.is_patch), ("1@b", "cm: check the length", true));
        assert_eq!((fix.files, fix.functions), (vec!["a.c".to_owned()], vec!["f".to_owned()]));
        assert_eq!(fix.fixes.len(), 1);
        let reply = Mail::parse(b"Subject: Re: [PATCH] x\nMessage-ID: <2@b>\n\n+++ b/a\n@@ -1\n");
        assert!(reply.is_reply && reply.fix().is_none());
    }

    #[test]
    fn encodings_are_decoded() {
        let mail = Mail::parse(b"Content-Transfer-Encoding: quoted-printable\n\na =3D=\nb=zz\n");
        assert_eq!(mail.body, b"\n\na =b=zz\n");
        let mail = Mail::parse(b"Content-Transfer-Encoding: base64\n\nQlVHOiB4\nCg==\n");
        assert_eq!(mail.body, b"BUG: x\n");
        let mail = Mail::parse(b"Content-Transfer-Encoding: base64\n\nQlVHOiB4DQpiDQo=\n");
        assert_eq!(mail.body, b"BUG: x\nb\n");
        let mail = Mail::parse(b"Content-Transfer-Encoding: quoted-printable\n\na=0D\nb\n");
        assert_eq!(mail.body, b"\n\na\nb\n");
    }

    #[test]
    fn a_message_id_has_a_limit() {
        let mail = Mail::parse(format!("Message-ID: <{}>\n\n", "ä".repeat(999)).as_bytes());
        assert_eq!(mail.id.len(), 256);
    }
}
