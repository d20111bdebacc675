//! Runs git as a child process to read the history of a tree.
//!
//! Nothing is fetched: objects that a partial clone lacks are treated as missing. Output is read
//! while git runs, and records are cut at their limits.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use ksplat::known::Changes;

use crate::error::Error;

/// The maximum number of bytes of a message that are read. The longest of Linux have some tens of
/// kilobytes.
pub(super) const MAX_MESSAGE: usize = 1 << 20;

/// The maximum number of bytes of a line of a diff that are read.
const MAX_LINE: usize = 1 << 14;

/// Options that limit the memory of git for packs; it also stores the commits that it has visited.
const LIMITS: [&str; 8] = [
    "-c",
    "core.packedGitWindowSize=1m",
    "-c",
    "core.packedGitLimit=24m",
    "-c",
    "core.deltaBaseCacheLimit=8m",
    "-c",
    "core.quotePath=false",
];

/// A repository.
pub(crate) struct Repo {
    path: PathBuf,
    /// Whether it is a shallow clone, whose history is cut.
    pub(super) is_shallow: bool,
    /// Whether it is a partial clone, without objects that would have to be fetched.
    pub(super) is_partial: bool,
}

/// A commit of the walk.
pub(super) struct Record<'r> {
    pub(super) id: &'r str,
    /// The time of the commit, in seconds since 1970.
    pub(super) time: Option<u64>,
    pub(super) message: &'r [u8],
}

/// The commits of refs, and the tags among them.
#[derive(Default)]
pub(super) struct Refs {
    pub(super) tips: Vec<String>,
    /// The commit, the time and the name of each tag.
    pub(super) tags: Vec<(String, u64, String)>,
}

impl Repo {
    /// Names a repository, without a look at it.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), is_shallow: false, is_partial: false }
    }

    /// Opens a repository.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let repo = Self::new(path);
        let is_shallow = repo.text(&["rev-parse", "--is-shallow-repository"])?.trim() == "true";
        let partial = repo.text(&[
            "config",
            "--get-regexp",
            r"^(remote\..*\.promisor|extensions\.partialclone)$",
        ]);
        // git fails if the key is not set.
        let is_partial = partial.is_ok_and(|text| !text.trim().is_empty());
        Ok(Self { is_shallow, is_partial, ..repo })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.args(LIMITS).args(["-c", "i18n.logOutputEncoding=UTF-8"]).arg("-C").arg(&self.path);
        git.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
        git.env("GIT_NO_LAZY_FETCH", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
        git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        git
    }

    fn failed(&self, message: &[u8]) -> Error {
        let message = String::from_utf8_lossy(message);
        let message = message.lines().next().unwrap_or("failed").to_owned();
        Error::Git { tree: self.path.clone(), message }
    }

    /// Returns the output of git.
    pub(crate) fn text(&self, arguments: &[&str]) -> Result<String, Error> {
        let git = self.command(arguments).output().map_err(|source| Error::NoGit { source })?;
        if !git.status.success() {
            return Err(self.failed(&git.stderr));
        }
        Ok(String::from_utf8_lossy(&git.stdout).into_owned())
    }

    /// Returns the commit with a name.
    pub(crate) fn commit(&self, name: &str) -> Result<String, Error> {
        let name = format!("{name}^{{commit}}");
        Ok(self.text(&["rev-parse", "--verify", "--end-of-options", &name])?.trim().to_owned())
    }

    /// Returns whether one commit is the other or an ancestor of it; `None` if the repository lacks
    /// it.
    pub(crate) fn is_ancestor(&self, commit: &str, of: &str) -> Option<bool> {
        let is_id = |id: &str| id.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_id(commit) || !is_id(of) {
            return None;
        }
        let git = self.command(&["merge-base", "--is-ancestor", commit, of]).output().ok()?;
        match git.status.code()? {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        }
    }

    /// Returns the parts that a clone omits: a hash of the ends of its history, and whether it is
    /// partial; 0 for a complete clone.
    pub(super) fn state(&self) -> Result<u64, Error> {
        if !self.is_shallow && !self.is_partial {
            return Ok(0);
        }
        let mut ends = Vec::new();
        if self.is_shallow {
            let path =
                self.path.join(self.text(&["rev-parse", "--git-path", "shallow"])?.trim_end());
            ends = fs::read(&path).map_err(|source| Error::input(&path, source))?;
        }
        let mut hasher = DefaultHasher::new();
        (self.is_partial, ends).hash(&mut hasher);
        Ok(hasher.finish().max(1))
    }

    /// The commits of HEAD, branches and tags.
    pub(super) fn refs(&self) -> Result<Refs, Error> {
        let format = "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(creatordate:unix) %(refname)";
        let text =
            self.text(&["for-each-ref", format, "refs/heads", "refs/remotes", "refs/tags"])?;
        let mut refs = Refs::default();
        // A tag without annotation has no second object: two blanks in a row.
        for line in text.lines() {
            let parts: Vec<&str> = line.splitn(6, ' ').collect();
            let &[kind, id, of_kind, of_id, time, name] = parts.as_slice() else { continue };
            let commit = match (kind, of_kind) {
                ("commit", _) => id,
                ("tag", "commit") => of_id,
                // Linux has tags of trees, from before its history.
                _ => continue,
            };
            refs.tips.push(commit.to_owned());
            if let Some(name) = name.strip_prefix("refs/tags/") {
                refs.tags.push((
                    commit.to_owned(),
                    time.parse().unwrap_or_default(),
                    name.to_owned(),
                ));
            }
        }
        refs.tips.extend(self.commit("HEAD").ok());
        refs.tips.sort_unstable();
        refs.tips.dedup();
        Ok(refs)
    }

    /// Returns the commits that still exist in the repository.
    pub(super) fn existing(&self, ids: &[String]) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.fed(&["cat-file", "--batch-check"], ids.iter(), |out| {
            for line in out.lines() {
                let line = line?;
                if let Some((id, _)) = line.split_once(" commit ") {
                    found.push(id.to_owned());
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Runs git with lines on its standard input, and reads its output, until `read` breaks.
    fn fed<'a>(
        &self,
        arguments: &[&str],
        lines: impl Iterator<Item = &'a String>,
        read: impl FnOnce(&mut BufReader<ChildStdout>) -> io::Result<ControlFlow<()>>,
    ) -> Result<(), Error> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| Error::NoGit { source })?;
        let mut text = String::new();
        lines.for_each(|line| {
            text.push_str(line);
            text.push('\n');
        });
        let feeder = child.stdin.take().map(|mut input| {
            // git may print before it has read all.
            std::thread::spawn(move || input.write_all(text.as_bytes()))
        });
        let errors = child.stderr.take().map(|mut errors| {
            std::thread::spawn(move || {
                let mut message = Vec::new();
                let _ = errors.by_ref().take(4096).read_to_end(&mut message);
                let _ = io::copy(&mut errors, &mut io::sink());
                message
            })
        });
        let result = child.stdout.take().map_or(Ok(ControlFlow::Continue(())), |out| {
            read(&mut BufReader::with_capacity(1 << 16, out))
        });
        if matches!(result, Ok(ControlFlow::Break(()))) {
            let _ = child.kill();
        }
        let status = child.wait();
        let _ = feeder.map(std::thread::JoinHandle::join);
        let message = errors.and_then(|errors| errors.join().ok()).unwrap_or_default();
        match (result, status) {
            (Ok(ControlFlow::Break(())), _) => Ok(()),
            (Ok(ControlFlow::Continue(())), Ok(status)) if status.success() => Ok(()),
            (Err(source), _) | (_, Err(source)) => Err(Error::input(&self.path, source)),
            _ => Err(self.failed(&message)),
        }
    }

    /// Calls `take` for each commit that `tips` reach and `done` do not, the newest first, and always in the same order.
    pub(super) fn walk(
        &self,
        tips: &[String],
        done: &[String],
        mut take: impl FnMut(&Record<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let done: Vec<_> = done.iter().map(|id| format!("^{id}")).collect();
        let arguments = ["rev-list", "--no-commit-header", "--format=%H %ct%n%B%x00", "--stdin"];
        let mut failed = None;
        self.fed(&arguments, tips.iter().chain(&done), |out| {
            let mut record = Vec::new();
            while read_to(out, 0, MAX_MESSAGE, &mut record)? {
                let text = record.strip_prefix(b"\n").unwrap_or(&record);
                let Some(end) = memchr::memchr(b'\n', text) else { continue };
                let (head, message) = text.split_at(end);
                let head = String::from_utf8_lossy(head);
                let Some((id, time)) = head.split_once(' ') else { continue };
                let taken = take(&Record { id, time: time.parse().ok(), message });
                if let Err(error) = taken {
                    failed = Some(error);
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Calls `take` for each commit that `tips` reach, with its parents, children before their parents.
    pub(super) fn topology(
        &self,
        tips: &[String],
        mut take: impl FnMut(&str),
    ) -> Result<(), Error> {
        self.fed(&["rev-list", "--topo-order", "--parents", "--stdin"], tips.iter(), |out| {
            let mut line = Vec::new();
            while read_to(out, b'\n', MAX_LINE, &mut line)? {
                take(&String::from_utf8_lossy(&line));
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Returns the changes of commits. In a clone without blobs only the files are known, without
    /// trees not even these. A missing or damaged object ends git: its output up to there is
    /// returned with the error.
    pub(super) fn changes(&self, ids: &[String]) -> (HashMap<String, Changes>, Result<(), Error>) {
        let mut changes: HashMap<String, Changes> = HashMap::new();
        let arguments: &[&str] = if self.is_partial {
            &["diff-tree", "--stdin", "-r", "--root", "--no-renames", "--name-only"]
        } else {
            &[
                "diff-tree",
                "--stdin",
                "-r",
                "--root",
                "--no-renames",
                "-p",
                "-U0",
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
            ]
        };
        let by_name = self.is_partial;
        let read = self.fed(arguments, ids.iter(), |out| {
            let mut of: Option<String> = None;
            let mut line = Vec::new();
            while read_to(out, b'\n', MAX_LINE, &mut line)? {
                if line.len() >= 40 && line.iter().all(u8::is_ascii_hexdigit) {
                    of = String::from_utf8(line.clone()).ok();
                } else if let Some(id) = &of {
                    let changes = changes.entry(id.clone()).or_default();
                    if by_name { changes.file(&line) } else { changes.line(&line) }
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        (changes, read)
    }

    /// Reads the file `m` of commits, which has the mails of an archive.
    pub(super) fn mails(
        &self,
        ids: &[String],
        mut take: impl FnMut(usize, &[u8]),
    ) -> Result<(), Error> {
        let names: Vec<_> = ids.iter().map(|id| format!("{id}:m")).collect();
        self.fed(&["cat-file", "--batch"], names.iter(), |out| {
            let (mut head, mut mail) = (Vec::new(), Vec::new());
            for number in 0..ids.len() {
                if !read_to(out, b'\n', MAX_LINE, &mut head)? {
                    break;
                }
                let head = String::from_utf8_lossy(&head);
                let Some((_, size)) = head.split_once(" blob ") else { continue };
                let Ok(size) = size.trim().parse::<u64>() else { continue };
                mail.clear();
                let mut body = out.take(size);
                body.by_ref().take(MAX_MESSAGE as u64).read_to_end(&mut mail)?;
                io::copy(&mut body, &mut io::sink())?;
                read_to(out, b'\n', MAX_LINE, &mut Vec::new())?;
                take(number, &mail);
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Reads up to a byte, which is removed; bytes beyond `most` are skipped. `false` at the end.
fn read_to(out: &mut impl BufRead, end: u8, most: usize, to: &mut Vec<u8>) -> io::Result<bool> {
    to.clear();
    let mut is_any = false;
    loop {
        let bytes = match out.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok(is_any && to.iter().any(|b| !b.is_ascii_whitespace()));
        }
        is_any = true;
        let at = memchr::memchr(end, bytes);
        let part = bytes.get(..at.unwrap_or(bytes.len())).unwrap_or_default();
        let room = most.saturating_sub(to.len()).min(part.len());
        to.extend_from_slice(part.get(..room).unwrap_or_default());
        let used = part.len() + usize::from(at.is_some());
        out.consume(used);
        if at.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe of which each second call is interrupted by a signal.
    struct Signals<'b>(&'b [u8], bool);

    impl Read for Signals<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.0.read(to)
        }
    }

    impl BufRead for Signals<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            self.1 = !self.1;
            if self.1 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(self.0) }
        }

        fn consume(&mut self, count: usize) {
            self.0 = self.0.get(count..).unwrap_or_default();
        }
    }

    #[test]
    fn a_signal_ends_no_history() {
        let (mut out, mut line) = (Signals(b"one\ntwo", false), Vec::new());
        for wanted in ["one", "two"] {
            let is_line = read_to(&mut out, b'\n', 16, &mut line);
            assert!(is_line.is_ok_and(|is_line| is_line) && line == wanted.as_bytes(), "{wanted}");
        }
        assert!(read_to(&mut out, b'\n', 16, &mut line).is_ok_and(|is_line| !is_line));
    }
}
