//! Signatures: fingerprints of reports that are stable across runs.
//!
//! # Examples
//!
//! ```
//! use ksplat::fingerprint::Signature;
//!
//! let log = b"WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0\n\
//!             RIP: 0010:io_wqe_wake_worker+0x430/0x4a0\n\
//!             Call Trace:\n io_wqe_enqueue+0x166/0x700\n io_queue_sqe+0x7a2/0x1240\n";
//! let report = ksplat::reports(log).next().expect("a report");
//! let signature = Signature::of(&report);
//! assert_eq!(signature.site.expect("a site").functions, ["io_wqe_wake_worker"]);
//! ```
//!
//! A [`Signature`] has hashes from the strictest ([`Signature::exact`]) to the loosest
//! ([`Signature::top2`]), and the names that each was made from. A hash is the same on every
//! machine and in every run; it changes only together with [`VERSION`]. [`cluster`](crate::cluster)
//! compares signatures to find reports of one bug.

mod discriminators;
mod family;
mod impact;
mod release;
mod stack;

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::arch::Arch;
use crate::atlas::{Atlas, Hints};
use crate::kind::Kind;
use crate::model::{LockState, Report, Role};
use crate::order;

use crate::functions;
pub use crate::functions::FrameClass;
pub use crate::kind::class::Family;
use crate::string_enum::string_enum;
pub use discriminators::Discriminators;
pub use impact::{Impact, Raise};
pub(crate) use release::age;

/// The version of the rules that make signatures. Signatures of different versions are not
/// comparable.
///
/// 3: the completeness of a report is decided by its own lines, not by the convention for titles,
/// and the task of a hang is the one in its headline, whose locks are those for which it waits.
///
/// 4: a hang has the sites of the other hangs of its log ([`accompany`]), and a return address at the first
/// byte of a function is not a frame of it.
///
/// 5: an offset from an error number or from a small number is not an offset from NULL.
pub const VERSION: u32 = 5;

/// Returns the class of a function, and the reason if it cannot name a bug. `function` has no
/// compiler suffixes such as `.cold`.
pub fn frame_class(function: &str) -> (FrameClass, Option<&'static str>) {
    (functions::class(function), functions::why(function))
}

/// The maximum number of frames of a signature. Deeper frames are those of the entry into the
/// kernel.
pub(crate) const MAX_SIGNATURE_FRAMES: usize = 48;

/// The maximum number of origins of a signature.
pub(crate) const MAX_ORIGINS: usize = 16;

/// The maximum number of sites of other reports in a signature.
/// `check_hung_uninterruptible_tasks()` in kernel/hung_task.c prints ten tasks by default
/// (`sysctl_hung_task_warnings`).
const MAX_ALSO: usize = 16;

/// The facts of a report that do not change from run to run.
///
/// Addresses, task and CPU numbers, and times are left out. With the feature `serde`, hashes are
/// sixteen hexadecimal digits.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Signature<'a> {
    /// The version of the rules that made it: [`VERSION`].
    pub version: u32,
    /// The hash of title, family, site, frames, origins, facts, and whether the report is usable.
    /// Two reports of one crash that were printed in different runs have the same hash.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub exact: u64,
    /// The titles.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub title: Title<'a>,
    /// The class of the failure, which does not change between kernel versions.
    pub family: Family,
    /// The function where the failure is. `None` if the report has no stack.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub site: Option<Site<'a>>,
    /// The hash of the two innermost functions that may name a bug, from the site on.
    #[cfg_attr(
        feature = "serde",
        serde(with = "hex_option", default, skip_serializing_if = "Option::is_none")
    )]
    pub top2: Option<u64>,
    /// The hash of the three innermost functions that may name a bug, from the site on.
    #[cfg_attr(
        feature = "serde",
        serde(with = "hex_option", default, skip_serializing_if = "Option::is_none")
    )]
    pub top3: Option<u64>,
    /// The stack, innermost frame first, without the functions that report the crash. At most
    /// 48.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub frames: Vec<SignatureFrame<'a>>,
    /// The functions, locks and caches in other parts of the report. At most 16.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub origins: Vec<Origin<'a>>,
    /// The sites of the other hangs and stalls of the log, sorted: see [`accompany`]. At most 16.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub also: Vec<Cow<'a, str>>,
    /// The part of the kernel that contains the site.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub place: Component<'a>,
    /// Facts that distinguish two bugs of the same site.
    pub facts: Discriminators,
    /// The kind of failure. Like severity, summary, release and architecture it is in no hash.
    pub kind: Kind,
    /// The severity.
    pub impact: Impact,
    /// One sentence: what the trapping instruction did, or which function is blamed and why.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub summary: Option<Cow<'a, str>>,
    /// The release of the kernel, such as `6.12.0-rc4`.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub release: Option<Cow<'a, str>>,
    /// The architecture of the kernel.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// Whether the report is unusable ([`Report::is_usable`]). Such a report is only joined with
    /// reports of the same exact hash, and with none if it has no stack.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub corrupted: bool,
}

impl<'a> Signature<'a> {
    /// Makes the signature of a report by the rules of [`VERSION`].
    ///
    /// With an explanation, which [`Analyzer`](crate::Analyzer) adds, the signature has more facts:
    /// annotate all reports or none.
    pub fn of(report: &'a Report<'_>) -> Self {
        Self::with_atlas(report, Atlas::builtin())
    }

    /// The same with another atlas, which has the file of the site where the log has none.
    pub fn with_atlas(report: &'a Report<'_>, atlas: Atlas<'_>) -> Self {
        let stack = stack::Stack::of(report);
        let family = family::family(report, stack.reporter);
        let site = stack.site();
        let origins = origins(report);
        let place = place(report, &stack, atlas);
        let facts = discriminators::facts(report);
        let tops = stack.tops();
        let mut signature = Self {
            version: VERSION,
            exact: 0,
            title: Title {
                hash: hash(&report.title),
                text: Cow::Borrowed(&report.title),
                function: report.frame.as_deref().map(Cow::Borrowed),
                alternatives: report
                    .alt_titles
                    .iter()
                    .map(|title| Cow::Borrowed(&**title))
                    .collect(),
            },
            family,
            site,
            top2: tops.get(..2).map(hash_all),
            top3: tops.get(..3).map(hash_all),
            frames: stack.frames,
            origins,
            also: Vec::new(),
            place,
            facts,
            kind: report.kind,
            impact: impact::impact(report),
            summary: summary(report),
            release: report.kernel.release.as_deref().map(Cow::Borrowed),
            arch: report.kernel.arch,
            corrupted: !report.is_usable(),
        };
        signature.exact = signature.fingerprint();
        signature
    }
}

impl Signature<'_> {
    /// Returns whether this report of two equal ones provides the fields that are in no hash but
    /// are compared: the files of frames, and the place. It is the one with the fewest unknown
    /// files.
    pub(crate) fn comes_before(&self, other: &Self) -> bool {
        self.sources() < other.sources()
    }

    /// Returns whether this report of two equal ones provides the function of the title, its
    /// alternatives, the kind and the trapping instruction, which are in no hash. A report that was
    /// cut off may lack them.
    pub(crate) fn is_titled_before(&self, other: &Self) -> bool {
        self.titled() < other.titled()
    }

    fn titled(&self) -> impl Ord + '_ {
        let Title { function, alternatives, .. } = &self.title;
        let instruction = self.facts.instruction;
        (
            (function.is_none(), function.as_deref(), alternatives),
            (self.kind.name(), instruction.is_none(), instruction),
        )
    }

    fn sources(&self) -> impl Ord + '_ {
        let files: Vec<_> = self.frames.iter().map(|frame| frame.file.as_deref()).collect();
        let unknown = files.iter().filter(|file| file.is_none()).count();
        let Component { module, file, directory } = &self.place;
        (unknown, files, file.as_deref(), directory.as_deref(), module.as_deref())
    }

    /// Takes the fields that are in no hash from an equal report, if that one comes before this
    /// one, so that the result does not depend on the order of reports.
    #[cfg(feature = "store")]
    pub(crate) fn describe(&mut self, other: Self) {
        let is_older =
            is_older((other.release.as_deref(), other.arch), (self.release.as_deref(), self.arch));
        if other.comes_before(self) {
            self.frames = other.frames;
            self.place = other.place;
        }
        if other.summary.is_some() && (self.summary.is_none() || other.summary < self.summary) {
            self.summary = other.summary;
        }
        if other.impact.key() < self.impact.key() {
            self.impact = other.impact;
        }
        if is_older {
            (self.release, self.arch) = (other.release, other.arch);
        }
    }

    /// Returns whether a task waits or runs without end, so that other reports of the log may be of
    /// the same bug.
    pub fn hangs(&self) -> bool {
        matches!(self.family, Family::Hang | Family::Stall)
    }

    /// Returns whether a report has so few facts that it does not join even an equal one.
    pub(crate) fn is_alone(&self) -> bool {
        self.corrupted && self.frames.is_empty()
    }

    /// Hashes the facts that identify the report.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = Stable::new();
        hasher.number(u64::from(self.version));
        hasher.number(self.title.hash);
        hasher.text(self.family.name());
        for function in self.site.iter().flat_map(|site| &site.functions) {
            hasher.text(function);
        }
        for part in &self.frames {
            hasher.number(part.hash << 1 | u64::from(part.inline));
        }
        for origin in &self.origins {
            hasher.text(origin.role.name());
            hasher.number(origin.hash);
        }
        for function in &self.also {
            hasher.text(function);
        }
        self.facts.hash(&mut hasher);
        hasher.number(u64::from(self.corrupted));
        hasher.finish()
    }

    /// Converts a signature of an older version to [`VERSION`], as far as its fields allow: the
    /// classes of its functions, the hashes of its names, and the site.
    #[cfg(feature = "store")]
    pub(crate) fn renewed(mut self) -> Self {
        let site = self.site.as_ref().and_then(|site| site.functions.first().cloned());
        let stack = stack::Stack::again(self.frames, site.as_deref());
        let tops = stack.tops();
        self.version = VERSION;
        self.title.hash = hash(&self.title.text);
        self.site = stack.site();
        (self.top2, self.top3) = (tops.get(..2).map(hash_all), tops.get(..3).map(hash_all));
        self.frames = stack.frames;
        for origin in &mut self.origins {
            origin.hash = hash(&origin.name);
        }
        self.exact = self.fingerprint();
        self
    }

    /// Clones the text that the signature borrows from the report.
    pub fn into_owned(self) -> Signature<'static> {
        let Self {
            version,
            exact,
            title,
            family,
            site,
            top2,
            top3,
            frames,
            origins,
            also,
            place,
            facts,
            kind,
            impact,
            summary,
            release,
            arch,
            corrupted,
        } = self;
        let Title { hash, text, function, alternatives } = title;
        let Component { module, file, directory } = place;
        Signature {
            version,
            exact,
            title: Title {
                hash,
                text: owned(text),
                function: function.map(owned),
                alternatives: alternatives.into_iter().map(owned).collect(),
            },
            family,
            site: site.map(|Site { hash, functions }| Site {
                hash,
                functions: functions.into_iter().map(owned).collect(),
            }),
            top2,
            top3,
            frames: frames
                .into_iter()
                .map(|SignatureFrame { hash, function, class, inline, file }| SignatureFrame {
                    hash,
                    function: owned(function),
                    class,
                    inline,
                    file: file.map(owned),
                })
                .collect(),
            origins: origins
                .into_iter()
                .map(|Origin { hash, role, name }| Origin { hash, role, name: owned(name) })
                .collect(),
            also: also.into_iter().map(owned).collect(),
            place: Component {
                module: module.map(owned),
                file: file.map(owned),
                directory: directory.map(owned),
            },
            facts,
            kind,
            impact,
            summary: summary.map(owned),
            release: release.map(owned),
            arch,
            corrupted,
        }
    }
}

/// Adds to each hang and stall of a log the sites of the others, and recomputes its hash.
///
/// The order in which the kernel prints tasks that wait for each other is random. `signatures` are
/// those of all reports of one log; those of other kinds are unchanged. [`Signature::exact`] of a
/// hang then depends on the other hangs of its log, so it differs from the hash that `parse` prints
/// for the hang alone.
pub fn accompany(signatures: &mut [Signature<'_>]) {
    let own = |signature: &Signature<'_>| Some(signature.site.as_ref()?.hash);
    let hangs = signatures.iter().filter(|signature| signature.hangs());
    let mut sites: Vec<_> = hangs.filter_map(|hang| hang.site.clone()).collect();
    let mut seen = HashSet::new();
    sites.retain(|site| seen.insert(site.hash));
    for signature in signatures.iter_mut().filter(|signature| signature.hangs()) {
        let own = own(signature);
        let others = sites.iter().filter(|site| Some(site.hash) != own).take(MAX_ALSO);
        signature.also = others.filter_map(|site| site.functions.first().cloned()).collect();
        order::sort(&mut signature.also);
        signature.exact = signature.fingerprint();
    }
}

/// The maximum number of lines between a headline without a stack and the report to which it belongs: a mail repeats
/// the title above the report, or wraps the headline.
pub const MAX_ECHO: usize = 14;

/// Returns the index of the report that stands for a log: the first one, or the one at most [`MAX_ECHO`] lines below it
/// if only that one has a stack. `lines` are those that open the reports. Without reports it is 0.
///
/// # Examples
///
/// ```
/// use ksplat::fingerprint::{Signature, leading};
///
/// let mail = b"WARNING: at fs/a.c:1 f\n\n\
///     WARNING: CPU: 0 PID: 1 at fs/a.c:1 f+0x1/0x2\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n";
/// let reports: Vec<_> = ksplat::reports(mail).collect();
/// let signatures: Vec<_> = reports.iter().map(|report| Signature::of(report)).collect();
/// let lines: Vec<_> = reports.iter().map(|report| report.span.line).collect();
/// let leading = leading(&signatures, &lines);
/// assert!(!signatures[leading].frames.is_empty());
/// ```
pub fn leading(signatures: &[Signature<'_>], lines: &[usize]) -> usize {
    let Some((first, line)) = signatures.first().zip(lines.first()) else { return 0 };
    let below = signatures.iter().zip(lines).position(|(signature, below)| {
        !signature.frames.is_empty() && below.saturating_sub(*line) <= MAX_ECHO
    });
    below.filter(|_| first.frames.is_empty()).unwrap_or(0)
}

/// Annotates all reports of one log, and signs each as [`cluster`](crate::cluster) compares them: with its
/// explanation, and with the other hangs of the log.
///
/// Two machines that sign logs this way get the same hashes, if their analyzers have no symbolizer, or the same images:
/// the site has the inlined functions. A report that is signed without an explanation, or alone, may have another one.
///
/// # Examples
///
/// ```
/// use ksplat::{Analyzer, fingerprint};
///
/// let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n";
/// let signed = fingerprint::of_log(&Analyzer::new(), ksplat::reports(log));
/// let (report, signature) = &signed[0];
/// assert_eq!((report.title(), &*signature.title.text), ("kernel BUG in f", "kernel BUG in f"));
/// ```
#[cfg(feature = "disasm")]
pub fn of_log<'log>(
    analyzer: &crate::analyze::Analyzer<'_>,
    reports: impl Iterator<Item = Report<'log>>,
) -> Vec<(Report<'log>, Signature<'static>)> {
    let (mut annotated, mut signatures) = (Vec::new(), Vec::new());
    for mut report in reports {
        analyzer.annotate(&mut report);
        signatures.push(Signature::of(&report).into_owned());
        annotated.push(report);
    }
    accompany(&mut signatures);
    annotated.into_iter().zip(signatures).collect()
}

/// Returns whether the first of two kernels is the one that a signature of both has: the older one,
/// of equal ages by its name. A release with an unknown age follows the others, no release all.
pub(crate) fn is_older(
    (new, new_arch): (Option<&str>, Option<Arch>),
    (old, old_arch): (Option<&str>, Option<Arch>),
) -> bool {
    let years = |release: Option<&str>| release.and_then(age).unwrap_or(f32::INFINITY);
    let names = |release: Option<&str>, arch: Option<Arch>| {
        let arch = arch.map(Arch::name);
        (release.is_none(), release.map(str::to_owned), arch.is_none(), arch)
    };
    let by_name = || names(new, new_arch).cmp(&names(old, old_arch));
    years(new).total_cmp(&years(old)).then_with(by_name).is_lt()
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// The titles of a report.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Title<'a> {
    /// The hash of the text.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub hash: u64,
    /// The title, as in [`Report::title`](field@Report::title).
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub text: Cow<'a, str>,
    /// The function in the title.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'a, str>>,
    /// Other titles of the same bug: [`Report::alt_titles`].
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub alternatives: Vec<Cow<'a, str>>,
}

/// The site of a failure: the function of the machine code, and the functions that were inlined
/// into it there.
///
/// Two sites are the same if they have a function in common, because compilers differ in what they
/// inline.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Site<'a> {
    /// The hash of the function of the machine code.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub hash: u64,
    /// That function, then those inlined into it, the outermost first.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub functions: Vec<Cow<'a, str>>,
}

/// A function of the stack.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SignatureFrame<'a> {
    /// The hash of its name.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub hash: u64,
    /// The name without compiler suffixes. System calls have one name for all architectures:
    /// `sys_rmdir`.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub function: Cow<'a, str>,
    /// Whether the function may name a bug.
    pub class: FrameClass,
    /// Whether it was inlined into the next one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub inline: bool,
    /// The source file: of the report if it has source lines, otherwise of the built-in atlas.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'a, str>>,
}

/// A function, lock or cache in another part of the report.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Origin<'a> {
    /// The hash of the name.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub hash: u64,
    /// The role of the origin in the report.
    pub role: OriginRole,
    /// The function, the lock class, or the slab cache.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'a, str>,
}

string_enum! {
    /// The role of an [`Origin`] in its report.
    pub enum OriginRole {
        /// The function that allocated the object.
        Allocation = "allocation",
        /// The function that freed the object.
        Free = "free",
        /// The function that queued work or a callback for the object.
        Queue = "queue",
        /// The function of the other access of a data race.
        Race = "race",
        /// The function that a timer, work or other such object calls.
        Object = "object",
        /// The class of a lock that was wanted, held, or in the dependency chain.
        Lock = "lock",
        /// The class of the lock that a hung task waits for.
        Blocked = "blocked",
        /// The slab cache of the object.
        Cache = "cache",
    }
}

/// The part of the kernel that contains a site.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Component<'a> {
    /// The module; `None` for the kernel image.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub module: Option<Cow<'a, str>>,
    /// The source file: of the report if it has source lines, otherwise of the built-in atlas.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'a, str>>,
    /// The directory of the file, or of the module.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub directory: Option<Cow<'a, str>>,
}

/// Returns the innermost functions of the other stacks, the locks and the cache.
fn origins<'a>(report: &'a Report<'_>) -> Vec<Origin<'a>> {
    let mut origins = Vec::new();
    for other in &report.stacks {
        let role = match other.role {
            Role::Allocation => OriginRole::Allocation,
            Role::Free => OriginRole::Free,
            Role::Related => OriginRole::Queue,
            Role::Race => OriginRole::Race,
            _ => continue,
        };
        for function in stack::innermost(other) {
            add(&mut origins, role, Cow::Borrowed(function));
        }
    }
    if let Some(hint) = report.message.as_deref().and_then(hint) {
        add(&mut origins, OriginRole::Object, Cow::Borrowed(hint));
    }
    let waits = family::waits(report.kind);
    for lock in &report.locks {
        let role = match lock.state {
            LockState::Wanted | LockState::Chain => OriginRole::Lock,
            _ if lock.holder.is_none() => OriginRole::Lock,
            _ if waits && lock.holder == report.task.pid => OriginRole::Blocked,
            _ => continue,
        };
        add(&mut origins, role, Cow::Borrowed(&*lock.class));
    }
    let cache = report.memory.as_ref().and_then(|memory| memory.object.as_ref()?.cache.as_deref());
    if let Some(cache) = cache {
        add(&mut origins, OriginRole::Cache, Cow::Borrowed(cache));
    }
    order::sort_by(&mut origins, |a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
    origins
}

/// Returns the function that an object calls: `ODEBUG: free active … object type: timer_list hint:
/// f+0x0/0x90`, printed by `debug_print_object()` in lib/debugobjects.c.
fn hint(message: &str) -> Option<&str> {
    let (_, name) = message.split_once(" hint: ")?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    name.get(..end).filter(|name| !name.is_empty() && !name.starts_with("0x"))
}

fn add<'a>(origins: &mut Vec<Origin<'a>>, role: OriginRole, name: Cow<'a, str>) {
    let known = origins.iter().any(|origin| origin.role == role && origin.name == name);
    if !known && origins.len() < MAX_ORIGINS {
        origins.push(Origin { hash: hash(&name), role, name });
    }
}

/// Returns the summary of the explanation, or the blamed function and the reason.
fn summary<'a>(report: &'a Report<'_>) -> Option<Cow<'a, str>> {
    let explained = report.explanation.as_ref().map(|meant| Cow::Borrowed(&*meant.summary));
    let blamed = || {
        report
            .blame
            .as_ref()
            .map(|blame| Cow::Owned([&*blame.function, ": ", blame.why.words()].concat()))
    };
    explained.or_else(blamed)
}

/// Returns the module and the file of the site. Where the log has no file, it is that of the atlas. Suspects
/// have no part in it: reports have equal signatures with and without them.
fn place<'a>(report: &'a Report<'_>, stack: &stack::Stack<'a>, atlas: Atlas<'_>) -> Component<'a> {
    // A blame with a line has the file of the log.
    let blamed = report.blame.as_ref().filter(|blame| blame.line.is_some());
    let file = stack.file.or(blamed.and_then(|blame| blame.file.as_deref()));
    let module = stack.module.map(Cow::Borrowed);
    if let Some(file) = file.map(|file| file.trim_start_matches("./")) {
        let directory = file.rsplit_once('/').map(|(path, _)| Cow::Borrowed(path));
        return Component { module, file: Some(Cow::Borrowed(file)), directory };
    }
    let hints = Hints {
        module: stack.module,
        arch: report.kernel.arch.map(Arch::name),
        ..Hints::default()
    };
    let site = stack.site();
    let function = site.as_ref().and_then(|site| site.functions.first());
    let place = function.and_then(|function| atlas.resolve(function, hints));
    Component {
        module,
        file: place
            .filter(|place| !place.file.name().is_empty())
            .map(|place| place.file.to_string().into()),
        directory: place.map(|place| Cow::Owned(place.file.directory().to_owned())),
    }
}

/// A hash function that returns the same on every machine and in every version of this crate.
///
/// SipHash 1-3 with a key of zeros, over the bytes and their number.
#[derive(Clone, Debug)]
pub(crate) struct Stable(SipHasher13);

impl Stable {
    pub(crate) fn new() -> Self {
        Self(SipHasher13::new_with_keys(0, 0))
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.write(text.as_bytes());
        self.0.write(&[0xff]);
    }

    #[cfg(feature = "store")]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.write(&number.to_le_bytes());
    }

    pub(crate) fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// Hashes a text.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = Stable::new();
    hasher.text(text);
    hasher.finish()
}

/// Hashes a list of hashes.
fn hash_all(hashes: &[u64]) -> u64 {
    let mut hasher = Stable::new();
    for hash in hashes {
        hasher.number(*hash);
    }
    hasher.finish()
}

/// A hash as sixteen hexadecimal digits, because numbers in JSON are exact to 53 bits only.
#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
pub(crate) mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(hash: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{hash:016x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        u64::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
    }
}

/// The same for an `Option` of a hash.
#[cfg(feature = "serde")]
#[allow(clippy::ref_option, reason = "what serde calls")]
pub(crate) mod hex_option {
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(hash: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        match hash {
            Some(hash) => super::hex::serialize(hash, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        super::hex::deserialize(from).map(Some)
    }
}
