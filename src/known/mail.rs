//! A mail of a mailing list: a patch that is not merged, or a report.

use super::diff::Changes;
use super::message::{Message, cut};
use super::mime;
use crate::store::Fix;

/// A parsed mail.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Mail {
    /// The message ID without brackets, cut at 256 bytes.
    pub id: String,
    /// The subject without the marks of a patch, decoded.
    pub subject: String,
    /// Whether it is a reply.
    pub is_reply: bool,
    /// Whether it contains a patch.
    pub is_patch: bool,
    /// The text, decoded.
    pub body: Vec<u8>,
}

impl Mail {
    /// Parses a mail: the header, and the text of all parts that are plain text, decoded.
    pub fn parse(mail: &[u8]) -> Self {
        let mail: Vec<u8> = mail.iter().copied().filter(|b| *b != b'\r').collect();
        let (head, body) = mime::split(&mail);
        let mut read = Self { body: mime::text(&head, body), ..Self::default() };
        let mut subject = String::new();
        for (name, value) in mime::fields(&head) {
            match name.as_str() {
                "message-id" => read.id = cut(value.trim_matches(['<', '>'])),
                "subject" => subject = mime::words(value).replace(char::is_control, " "),
                _ => {}
            }
        }
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
    fn a_patch_may_be_encoded() {
        let mail = Mail::parse(
            b"Subject: =?utf-8?q?=5BPATCH_1/2=5D_cm=3A_check_the?= =?utf-8?b?IGzDpG5nZQ==?=\n\
              Message-ID: <3@b>\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\n\
              Why.\n--x\nContent-Type: text/x-diff\nContent-Transfer-Encoding: quoted-printable\n\n\
              ---\n--- a/a.c\n+++ b/a.c\n@@ -3 +3 @@ int f(void)\n-a =3D 1;\n+a =3D=\n 2;\n--x--\n",
        );
        let fix = mail.fix().expect("a fix");
        assert_eq!((&*fix.subject, &*fix.files[0]), ("cm: check the l\u{e4}nge", "a.c"));
        assert_eq!(fix.functions, ["f"]);
    }

    #[test]
    fn a_message_id_has_a_limit() {
        let mail = Mail::parse(format!("Message-ID: <{}>\n\n", "ä".repeat(999)).as_bytes());
        assert_eq!(mail.id.len(), 256);
    }
}
