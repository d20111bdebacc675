//! Signatures: what is left of a report when everything is gone that differs from run to run.
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
//! A [`Signature`] has several parts, from the strictest to the loosest; each says what it was made
//! of and has a hash that is the same on every machine, for every run, until [`VERSION`] changes.
//! [`cluster`](crate::cluster) decides by them which reports are of one bug.

mod discriminators;
mod family;
mod impact;
mod release;
mod stack;

use std::borrow::Cow;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::arch::Arch;
use crate::kind::Kind;
use crate::model::{LockState, Report, Role};

use crate::functions;
pub use crate::functions::FrameClass;
pub use crate::kind::class::Family;
use crate::string_enum::string_enum;
pub use discriminators::Discriminators;
pub use impact::{Impact, Raise};
pub(crate) use release::age;

/// The version of all signatures: it is counted up whenever the same report would be signed in
/// another way. Signatures of different versions are not comparable.
///
/// 3: whether a report is whole is judged by its own lines and not by the convention for titles, and
/// the task of a hang is that of its headline, whose locks are what it waits for.
pub const VERSION: u32 = 3;

/// The class of a function, given without compiler suffixes; and the reason, if it cannot name a
/// bug.
pub fn frame_class(function: &str) -> (FrameClass, Option<&'static str>) {
    (functions::class(function), functions::why(function))
}

/// The most frames that a signature keeps: those below are the way into the kernel.
pub const MAX_SIGNATURE_FRAMES: usize = 48;

/// The most origins that a signature keeps.
pub const MAX_ORIGINS: usize = 16;

/// What a report is, without what differs from run to run.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Signature<'a> {
    /// By which rules it was made: [`VERSION`].
    pub version: u32,
    /// The hash of title, family, site, frames, origins, facts, and whether it is whole: equal for the
    /// same report from another run.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub exact: u64,
    /// The title, and the others under which the bug may be known.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub title: Title<'a>,
    /// What went wrong, in the few words that one bug keeps from kernel to kernel.
    pub family: Family,
    /// Where it went wrong.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub site: Option<Site<'a>>,
    /// The hash of the two innermost functions that may name a bug.
    #[cfg_attr(
        feature = "serde",
        serde(with = "hex_option", default, skip_serializing_if = "Option::is_none")
    )]
    pub top2: Option<u64>,
    /// The hash of the three innermost functions that may name a bug.
    #[cfg_attr(
        feature = "serde",
        serde(with = "hex_option", default, skip_serializing_if = "Option::is_none")
    )]
    pub top3: Option<u64>,
    /// The whole stack, innermost first, without what only reported the crash.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub frames: Vec<SignatureFrame<'a>>,
    /// Where the object, the lock or the other side came from.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub origins: Vec<Origin<'a>>,
    /// The part of the kernel that the site is in.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub place: Component<'a>,
    /// What tells apart two bugs of the same site.
    pub facts: Discriminators,
    /// What went wrong, as the kernel names it: like all that only describes, in no hash.
    pub kind: Kind,
    /// How bad it is.
    pub impact: Impact,
    /// What the trapping instruction did, or which function is to blame, in a sentence.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub summary: Option<Cow<'a, str>>,
    /// The release of the kernel.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub release: Option<Cow<'a, str>>,
    /// Its architecture.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// Whether the report is unusable ([`Report::is_usable`]): it is joined with another by its exact hash
    /// alone, and with none if it has no stack.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub corrupted: bool,
}

impl<'a> Signature<'a> {
    /// Makes the signature of a report by the rules of [`VERSION`].
    pub fn of(report: &'a Report<'_>) -> Self {
        let stack = stack::Stack::of(report);
        let family = family::family(report, stack.reporter);
        let site = stack.site();
        let origins = origins(report);
        let place = place(report, &stack);
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
    /// The hash of what tells the report from others.
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
        self.facts.hash(&mut hasher);
        hasher.number(u64::from(self.corrupted));
        hasher.finish()
    }

    /// The same without a loan from the report.
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

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// A title.
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
    /// The function that it names.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'a, str>>,
    /// Others under which the same bug may be known.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Vec::is_empty"))]
    pub alternatives: Vec<Cow<'a, str>>,
}

/// Where it went wrong: the function of the machine code, and those that were inlined into it there.
///
/// Two sites are the same if they have a function in common: another compiler inlines otherwise.
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
    /// Its name without what compilers add, syscalls under one name for all architectures.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub function: Cow<'a, str>,
    /// Whether it may name a bug.
    pub class: FrameClass,
    /// Whether it was inlined into the next one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub inline: bool,
    /// Its source file, if the report has source lines.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'a, str>>,
}

/// Where something that the report is about came from.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Origin<'a> {
    /// The hash of the name.
    #[cfg_attr(feature = "serde", serde(with = "hex"))]
    pub hash: u64,
    /// What it is the origin of.
    pub role: OriginRole,
    /// The function, the class of the lock, or the slab cache.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub name: Cow<'a, str>,
}

string_enum! {
    /// What an [`Origin`] is the origin of.
    pub enum OriginRole {
        /// The function that allocated the object.
        Allocation = "allocation",
        /// The function that freed it.
        Free = "free",
        /// The function that queued work or a callback for it.
        Queue = "queue",
        /// The function on the other side of a data race.
        Race = "race",
        /// The function that a timer, work or other such object calls.
        Object = "object",
        /// The class of a lock that was wanted, or held, or is in the chain.
        Lock = "lock",
        /// The class of the lock that the task of a hang waits for.
        Blocked = "blocked",
        /// The slab cache of the object.
        Cache = "cache",
    }
}

/// The part of the kernel that a site is in.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Component<'a> {
    /// The module; absent for the kernel's image.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub module: Option<Cow<'a, str>>,
    /// The source file, if the report has source lines.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub file: Option<Cow<'a, str>>,
    /// Its directory.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub directory: Option<Cow<'a, str>>,
}

/// The sites of the other stacks, the locks and the cache.
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
    origins.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
    origins
}

/// The function that an object calls: `ODEBUG: free active … object type: timer_list hint: f+0x0/0x90`,
/// printed by `debug_print_object()` in lib/debugobjects.c.
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

/// The explanation, or the function that is to blame and why.
fn summary<'a>(report: &'a Report<'_>) -> Option<Cow<'a, str>> {
    let explained = report.explanation.as_ref().map(|meant| Cow::Borrowed(&*meant.summary));
    let blamed = || {
        report
            .blame
            .as_ref()
            .map(|blame| Cow::Owned([&*blame.function, " ", blame.why.words()].concat()))
    };
    explained.or_else(blamed)
}

fn place<'a>(report: &'a Report<'_>, stack: &stack::Stack<'a>) -> Component<'a> {
    let file = stack.file.or(report.blame.as_ref().and_then(|blame| blame.file.as_deref()));
    let file = file.map(|file| file.trim_start_matches("./"));
    Component {
        module: stack.module.map(Cow::Borrowed),
        file: file.map(Cow::Borrowed),
        directory: file.and_then(|file| file.rsplit_once('/')).map(|(path, _)| Cow::Borrowed(path)),
    }
}

/// A hash that is the same on every machine and in every version of this crate.
///
/// SipHash 1-3 with a key of zeros over the bytes and their number.
pub(crate) struct Stable(SipHasher13);

impl Stable {
    pub(crate) fn new() -> Self {
        Self(SipHasher13::new_with_keys(0, 0))
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.write(text.as_bytes());
        self.0.write(&[0xff]);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.write(&number.to_le_bytes());
    }

    pub(crate) fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// The hash of a text.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = Stable::new();
    hasher.text(text);
    hasher.finish()
}

/// The hash of a list of hashes.
fn hash_all(hashes: &[u64]) -> u64 {
    let mut hasher = Stable::new();
    for hash in hashes {
        hasher.number(*hash);
    }
    hasher.finish()
}

/// A hash as sixteen hexadecimal digits: numbers in JSON are exact to 53 bits only.
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

/// The same where there may be none.
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
