//! The task that blocks a hung task: debug_show_blocker() in kernel/hung_task.c, since Linux 6.16.
//!
//! ```text
//! blocked = "INFO: task " comm ":" pid [ " <" mode ">" ] " " [ "is " ] "blocked on " ( "a " / "an " ) lock owner
//! lock    = "mutex" / "semaphore" / "rw-semaphore"
//! owner   = " likely " ( "owned" / "last held" ) " by task " comm ":" pid [ " <" mode ">" ] [ "." ]
//!         / ", but the " ( "owner" / "last holder" ) " is not found."
//! mode    = "reader" / "writer"
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::combinator::{all_consuming, opt};
use nom::sequence::preceded;

use super::Parsed;
use crate::token::decimal;

/// The lock for which a task waits, and the task that holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Blocker<'t> {
    /// The type of the lock.
    pub(crate) lock: &'t [u8],
    /// The name and the id of its owner, if the kernel found it.
    pub(crate) owner: Option<(&'t [u8], u64)>,
}

/// Reads `INFO: task a:1 is blocked on a mutex likely owned by task b:2.`
pub(crate) fn blocker(line: &[u8]) -> Parsed<'_, Blocker<'_>> {
    let before = (tag("INFO: task "), take_until("blocked on a"), tag("blocked on "));
    let article = alt((tag("an "), tag("a ")));
    // The longer name first, because the shorter one is a prefix of it.
    let lock = alt((tag("rw-semaphore"), tag("semaphore"), tag("mutex")));
    let (rest, lock) = preceded((before, article), lock).parse(line)?;
    let by = alt((tag(" likely owned by task "), tag(" likely last held by task ")));
    let owner: Parsed<'_, _> = preceded(by, |input| Ok((&b""[..], input))).parse(rest);
    Ok((b"", Blocker { lock, owner: owner.ok().and_then(|(_, text)| task(text)) }))
}

/// `name:12`, with the text behind it: the name may contain any byte, also colons.
fn task(text: &[u8]) -> Option<(&[u8], u64)> {
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b".").unwrap_or(text);
    let colon = memchr::memrchr(b':', text)?;
    let mode = opt((tag(" <"), alt((tag("reader"), tag("writer"))), tag(">")));
    let (_, (pid, _)) = all_consuming((decimal, mode)).parse(text.get(colon + 1..)?).ok()?;
    Some((text.get(..colon)?, pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_blocker() {
        let p = |line: &'static str| blocker(line.as_bytes()).expect(line).1;
        let found =
            p("INFO: task cm_reader:102 is blocked on a mutex likely owned by task a b:c:7.");
        assert_eq!(found, Blocker { lock: b"mutex", owner: Some((b"a b:c", 7)) });
        let found = p(
            "INFO: task x:1 <writer> blocked on an rw-semaphore likely owned by task kworker/0:1:11 <writer>",
        );
        assert_eq!(found, Blocker { lock: b"rw-semaphore", owner: Some((b"kworker/0:1", 11)) });
        let found = p("INFO: task x:1 blocked on a semaphore likely last held by task y:3");
        assert_eq!(found.owner, Some((&b"y"[..], 3)));
        assert_eq!(
            p("INFO: task x:1 is blocked on a mutex, but the owner is not found.").owner,
            None
        );
    }

    #[test]
    fn err_blocker() {
        for line in
            ["INFO: task x:1 blocked for more than 120 seconds.", "INFO: task x:1 blocked on a", ""]
        {
            assert!(blocker(line.as_bytes()).is_err(), "{line}");
        }
    }
}
