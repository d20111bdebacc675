//! The main stack of a report, without the functions that only report the crash.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{MAX_SIGNATURE_FRAMES, SignatureFrame, Site, hash};
use crate::arch::SIGNATURE_PREFIXES;
use crate::blame;
use crate::functions::{self, FrameClass};
use crate::model::{self, Frame, Report};
use crate::reason::BlameReason;

/// The stack that a signature is made from.
pub(super) struct Stack<'a> {
    /// The functions, innermost first.
    pub(super) frames: Vec<SignatureFrame<'a>>,
    /// The first and the last frame of the site.
    site: Option<(usize, usize)>,
    /// The module of the site.
    pub(super) module: Option<&'a str>,
    /// The source file of the site.
    pub(super) file: Option<&'a str>,
    /// The innermost function that was dropped. It identifies the check that failed.
    pub(super) reporter: Option<&'a str>,
}

impl<'a> Stack<'a> {
    /// Makes the stack from the main stack of a report.
    pub(super) fn of(report: &'a Report<'_>) -> Self {
        let mut stack =
            Self { frames: Vec::new(), site: None, module: None, file: None, reporter: None };
        let Some(main) = blame::main_stack(report) else { return stack };
        stack.frames.reserve(main.frames.len().min(MAX_SIGNATURE_FRAMES));
        let link = report.link.as_ref().and_then(|link| link.function.as_deref());
        stack.fill(main, link, |frame| frame.reliable);
        if stack.frames.iter().all(|part| part.class != FrameClass::Relevant) {
            // No reliable frame names a bug: use the others, too.
            let reliable = std::mem::take(&mut stack.frames);
            stack.fill(main, link, |frame| !frame.is_behind_its_symbol());
            if stack.frames.iter().all(|part| part.class != FrameClass::Relevant) {
                stack.frames = reliable;
            }
        }
        // Signatures are by places in the stacks, so they stay when the model of suspects changes.
        let is_suspected = |blame: &model::Blame<'_>| blame.why == BlameReason::Suspected;
        let by_place =
            report.blame.as_ref().is_some_and(is_suspected).then(|| blame::blame(report, None));
        let by_place = by_place.flatten();
        let blamed = report.blame.as_ref().filter(|blame| !is_suspected(blame));
        let blamed = blamed.or(by_place.as_ref()).map(|blame| &*blame.function);
        if let Some(blame) = report.blame.as_ref().filter(|blame| blame.why == BlameReason::Named) {
            stack.put_first(&blame.function, blame.file.as_deref());
        }
        stack.find_site(blamed.map(normal));
        stack.find_place(main);
        stack
    }

    /// Returns the same functions with their current classes. The site is unchanged if its function
    /// may still name a bug.
    #[cfg(feature = "store")]
    pub(super) fn again(mut frames: Vec<SignatureFrame<'a>>, site: Option<&str>) -> Self {
        for frame in &mut frames {
            frame.hash = hash(&frame.function);
            frame.class = class(&frame.function, frame.hash);
        }
        frames.retain(|frame| frame.class != FrameClass::Noise);
        let mut stack = Self { frames, site: None, module: None, file: None, reporter: None };
        stack.find_site(site);
        stack
    }

    fn fill(
        &mut self,
        main: &'a model::Stack<'_>,
        link: Option<&'a str>,
        takes: impl Fn(&Frame<'_>) -> bool,
    ) {
        for frame in &main.frames {
            let Some(function) = frame.function.as_deref().filter(|_| takes(frame)) else {
                continue;
            };
            if frame.is_before_its_symbol() && !is_helper(function) {
                continue;
            }
            self.push(function, frame.inline, frame.file.as_deref());
            // If the innermost function is a leaf, its caller is in the link register only.
            if let Some(link) = link.filter(|_| frame.exact)
                && normal(link) != normal(function)
                && !main.frames.iter().any(|frame| frame.function.as_deref() == Some(link))
            {
                self.push(link, false, None);
            }
        }
    }

    /// Adds as the first frame a function that has returned and is missing in the stack.
    fn put_first(&mut self, function: &'a str, file: Option<&'a str>) {
        let frames = std::mem::take(&mut self.frames);
        self.push(function, false, file);
        self.frames.extend(frames);
        self.frames.truncate(MAX_SIGNATURE_FRAMES);
    }

    fn push(&mut self, function: &'a str, inline: bool, file: Option<&'a str>) {
        let name = normal(function);
        let hash = hash(name);
        let class = class(name, hash);
        if class == FrameClass::Noise {
            self.reporter.get_or_insert(name);
            return;
        }
        // Recursion: its depth differs from run to run.
        let is_again = self
            .frames
            .iter()
            .rev()
            .take(2)
            .any(|last| last.function == name && last.inline == inline);
        if is_again || self.frames.len() == MAX_SIGNATURE_FRAMES {
            return;
        }
        let file = file.map(|file| Cow::Borrowed(file.trim_start_matches("./")));
        self.frames.push(SignatureFrame {
            hash,
            function: Cow::Borrowed(name),
            class,
            inline,
            file,
        });
    }

    /// Finds the site: the blamed function, else the first function that may name a bug, else the
    /// first one; with the functions inlined there.
    fn find_site(&mut self, blamed: Option<&str>) {
        let position =
            |fits: &dyn Fn(&SignatureFrame<'_>) -> bool| self.frames.iter().position(fits);
        let of = |class| position(&|part| part.class == class);
        let blamed =
            blamed.and_then(|blamed| position(&|part| part.function == blamed && !part.inline));
        let names_a_bug = |at: &usize| {
            self.frames.get(*at).is_some_and(|part| part.class == FrameClass::Relevant)
        };
        let at = blamed
            .filter(names_a_bug)
            .or_else(|| of(FrameClass::Relevant))
            // A system call without other functions is a better site than the lock that it waits
            // for.
            .or_else(|| position(&|part| part.function.starts_with("sys_")))
            .or(blamed)
            .or_else(|| position(&|_| true));
        let Some(at) = at else { return };
        let before = self.frames.get(..at).unwrap_or_default();
        let start = at - before.iter().rev().take_while(|part| part.inline).count();
        let rest = self.frames.get(at..).unwrap_or_default();
        let end = at + rest.iter().take_while(|part| part.inline).count();
        self.site = Some((start, end.min(self.frames.len().saturating_sub(1))));
    }

    fn find_place(&mut self, main: &'a model::Stack<'_>) {
        let Some(name) =
            self.site.and_then(|(_, end)| self.frames.get(end)).map(|part| &part.function)
        else {
            return;
        };
        let is_site =
            |frame: &&Frame<'_>| frame.function.as_deref().is_some_and(|f| normal(f) == *name);
        if let Some(frame) = main.frames.iter().find(is_site) {
            self.module = frame.module.as_deref();
            self.file = frame.file.as_deref();
        }
    }

    /// Returns the function of the machine code, then those inlined into it.
    ///
    /// Of the inlined functions only those that may name a bug: common helpers are inlined in many
    /// sites.
    pub(super) fn site(&self) -> Option<Site<'a>> {
        let (start, end) = self.site?;
        let (function, inlined) = self.frames.get(start..=end)?.split_last()?;
        let may_name = |part: &&SignatureFrame<'a>| part.class == FrameClass::Relevant;
        let inlined = inlined.iter().rev().filter(may_name);
        let mut functions: Vec<_> =
            [function].into_iter().chain(inlined).map(|part| part.function.clone()).collect();
        functions.dedup();
        Some(Site { hash: hash(functions.first()?), functions })
    }

    /// Returns the hashes of the first three functions from the site on that may name a bug and
    /// were not inlined.
    pub(super) fn tops(&self) -> Vec<u64> {
        let from = self.site.map_or(0, |(_, end)| end);
        let rest = self.frames.get(from..).unwrap_or_default();
        let ordinary =
            rest.iter().filter(|part| part.class == FrameClass::Relevant && !part.inline);
        ordinary.take(3).map(|part| part.hash).collect()
    }
}

/// The maximum number of functions of a stack other than the main one.
const INNERMOST: usize = 3;

/// Returns the innermost functions of a stack that may name a bug, else the innermost helper.
pub(super) fn innermost<'a>(stack: &'a model::Stack<'_>) -> Vec<&'a str> {
    let (mut found, mut generic) = (Vec::new(), None);
    for frame in stack.frames.iter().filter(|frame| frame.reliable && !frame.inline) {
        let Some(name) = frame.function.as_deref().map(normal) else { continue };
        match class(name, hash(name)) {
            FrameClass::Relevant => found.push(name),
            FrameClass::Helper => generic = generic.or(Some(name)),
            FrameClass::Noise => {}
        }
        if found.len() == INNERMOST {
            return found;
        }
    }
    if found.is_empty() {
        found.extend(generic);
    }
    found
}

/// A cache of the classes of functions, indexed by the low bits of the hash of the name. An entry
/// is the hash with its low bits replaced by the class. Reports share a few thousand functions.
static KNOWN: [AtomicU64; 4096] = [const { AtomicU64::new(0) }; 4096];

/// Returns the class of a function, whose hash is given.
fn class(name: &str, hash: u64) -> FrameClass {
    let tag = hash & !0xfff;
    let Some(place) = KNOWN.get((hash & 0xfff) as usize) else { return functions::class(name) };
    match place.load(Ordering::Relaxed).wrapping_sub(tag) {
        1 => FrameClass::Noise,
        2 => FrameClass::Helper,
        3 => FrameClass::Relevant,
        _ => {
            let class = functions::class(name);
            let number = match class {
                FrameClass::Noise => 1,
                FrameClass::Helper => 2,
                FrameClass::Relevant => 3,
            };
            place.store(tag | number, Ordering::Relaxed);
            class
        }
    }
}

/// Returns whether a function, given with compiler suffixes, cannot name a bug.
fn is_helper(function: &str) -> bool {
    let name = normal(function);
    class(name, hash(name)) != FrameClass::Relevant
}

/// Returns a function name without compiler suffixes, and the name of a system call without the
/// prefixes of architectures.
fn normal(function: &str) -> &str {
    let name = functions::base(function);
    // All prefixes start with this.
    if !name.starts_with("__") {
        return name;
    }
    let short = SIGNATURE_PREFIXES.iter().find_map(|prefix| name.strip_prefix(*prefix));
    short.filter(|rest| rest.starts_with("sys_") || rest.starts_with("compat_sys_")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_normal() {
        for (name, want) in [
            ("__x64_sys_rmdir", "sys_rmdir"),
            ("__se_compat_sys_bpf", "compat_sys_bpf"),
            ("__do_sys_bpf.cold", "sys_bpf"),
            ("__do_fault", "__do_fault"),
            ("x64_sys_call", "x64_sys_call"),
            ("f.constprop.0.isra.0", "f"),
        ] {
            assert_eq!(normal(name), want);
        }
    }
}
