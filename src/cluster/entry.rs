//! A signature in the index, with numbers for names.

use super::names::{Name, Names, Texts};
use crate::arch::Arch;
use crate::fingerprint::{
    self, Component, Discriminators, Family, Impact, Origin, OriginRole, Signature, SignatureFrame,
    Site, Title,
};
use crate::functions::FrameClass;
use crate::kind::Kind;

/// A frame of an [`Entry`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) name: Name,
    pub(super) file: Option<Name>,
    pub(super) class: FrameClass,
    pub(super) inline: bool,
}

/// A signature of one or more reports.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) exact: u64,
    pub(super) title: Name,
    pub(super) alternatives: Box<[Name]>,
    /// The function in the title.
    pub(super) function: Option<Name>,
    pub(super) family: Family,
    pub(super) facts: Discriminators,
    pub(super) corrupted: bool,
    /// The function of the machine code, then those inlined there.
    pub(super) site: Box<[Name]>,
    pub(super) top2: Option<u64>,
    pub(super) top3: Option<u64>,
    pub(super) frames: Box<[Frame]>,
    pub(super) origins: Box<[(OriginRole, Name)]>,
    /// The sites of the other hangs of the log.
    pub(super) also: Box<[Name]>,
    pub(super) module: Option<Name>,
    pub(super) file: Option<Name>,
    pub(super) directory: Option<Name>,
    pub(super) kind: Kind,
    pub(super) impact: Impact,
    pub(super) summary: Option<Name>,
    /// The release of the kernel and its age. Of several reports it is the first in order, see
    /// `describe`.
    pub(super) release: Option<Name>,
    pub(super) arch: Option<Arch>,
    pub(super) age: Option<f32>,
    /// The number of the first report with this signature, and the count of them.
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Entry {
    pub(super) fn new(signature: &Signature<'_>, names: &mut impl Texts) -> Self {
        Self {
            exact: signature.exact,
            title: names.add_hashed(&signature.title.text, signature.title.hash),
            alternatives: signature
                .title
                .alternatives
                .iter()
                .map(|title| names.add(title))
                .collect(),
            function: signature.title.function.as_deref().map(|text| names.add(text)),
            family: signature.family,
            facts: signature.facts,
            corrupted: signature.corrupted,
            site: signature
                .site
                .iter()
                .flat_map(|site| &site.functions)
                .map(|function| names.add(function))
                .collect(),
            top2: signature.top2,
            top3: signature.top3,
            frames: signature
                .frames
                .iter()
                .map(|part| Frame {
                    name: names.add_hashed(&part.function, part.hash),
                    file: part.file.as_deref().map(|text| names.add(text)),
                    class: part.class,
                    inline: part.inline,
                })
                .collect(),
            origins: signature
                .origins
                .iter()
                .map(|origin| (origin.role, names.add_hashed(&origin.name, origin.hash)))
                .collect(),
            also: signature.also.iter().map(|site| names.add(site)).collect(),
            module: signature.place.module.as_deref().map(|text| names.add(text)),
            file: signature.place.file.as_deref().map(|text| names.add(text)),
            directory: signature.place.directory.as_deref().map(|text| names.add(text)),
            kind: signature.kind,
            impact: signature.impact.clone(),
            summary: signature.summary.as_deref().map(|text| names.add(text)),
            release: signature.release.as_deref().map(|text| names.add(text)),
            arch: signature.arch,
            age: signature.release.as_deref().and_then(fingerprint::age),
            first: 0,
            count: 0,
        }
    }

    /// Merges the descriptive fields of another report with the same signature. The lesser value is
    /// kept, so the result does not depend on the order of the reports. Returns whether a compared
    /// field changed.
    pub(super) fn describe(&mut self, signature: &Signature<'_>, names: &mut Names) -> bool {
        if let Some(new) = signature.summary.as_deref()
            && self.summary.is_none_or(|old| new < names.text(old))
        {
            self.summary = Some(names.add(new));
        }
        if signature.impact.key() < self.impact.key() {
            self.impact = signature.impact.clone();
        }
        let text = |name: Option<Name>| name.map(|name| names.text(name));
        let files = signature.frames.iter().map(|frame| frame.file.as_deref());
        let is_other = !files.eq(self.frames.iter().map(|frame| text(frame.file)))
            || text(self.file) != signature.place.file.as_deref()
            || text(self.directory) != signature.place.directory.as_deref()
            || text(self.module) != signature.place.module.as_deref();
        let alternatives = self.alternatives.iter().map(|name| names.text(*name));
        let is_otherwise = text(self.function) != signature.title.function.as_deref()
            || !alternatives.eq(signature.title.alternatives.iter().map(|title| &**title))
            || self.kind != signature.kind
            || self.facts.instruction != signature.facts.instruction;
        let is_before = is_other && signature.comes_before(&self.signature(names));
        let is_titled = is_otherwise && signature.is_titled_before(&self.signature(names));
        if is_before || is_titled {
            let new = Self::new(signature, names);
            if is_before {
                self.frames = new.frames;
                (self.module, self.file, self.directory) = (new.module, new.file, new.directory);
            }
            if is_titled {
                (self.function, self.alternatives) = (new.function, new.alternatives);
                (self.kind, self.facts) = (new.kind, new.facts);
            }
        }
        let is_changed = is_before || is_titled;
        let new = (signature.release.as_deref(), signature.arch);
        let old = (self.release.map(|name| names.text(name)), self.arch);
        if !fingerprint::is_older(new, old) {
            return is_changed;
        }
        let age = signature.release.as_deref().and_then(fingerprint::age);
        let is_other = age != self.age;
        self.release = signature.release.as_deref().map(|text| names.add(text));
        (self.age, self.arch) = (age, signature.arch);
        is_other || is_changed
    }

    /// Converts the entry to a signature.
    pub(super) fn signature<'a>(&self, names: &'a Names) -> Signature<'a> {
        let text = |name: Name| std::borrow::Cow::Borrowed(names.text(name));
        Signature {
            version: fingerprint::VERSION,
            exact: self.exact,
            title: Title {
                hash: names.hash(self.title),
                text: text(self.title),
                function: self.function.map(text),
                alternatives: self.alternatives.iter().copied().map(text).collect(),
            },
            family: self.family,
            site: self.site.first().map(|first| Site {
                hash: names.hash(*first),
                functions: self.site.iter().copied().map(text).collect(),
            }),
            top2: self.top2,
            top3: self.top3,
            frames: self
                .frames
                .iter()
                .map(|frame| SignatureFrame {
                    hash: names.hash(frame.name),
                    function: text(frame.name),
                    class: frame.class,
                    inline: frame.inline,
                    file: frame.file.map(text),
                })
                .collect(),
            origins: self
                .origins
                .iter()
                .map(|&(role, name)| Origin { hash: names.hash(name), role, name: text(name) })
                .collect(),
            also: self.also.iter().copied().map(text).collect(),
            place: Component {
                module: self.module.map(text),
                file: self.file.map(text),
                directory: self.directory.map(text),
            },
            facts: self.facts,
            kind: self.kind,
            impact: self.impact.clone(),
            summary: self.summary.map(text),
            release: self.release.map(text),
            arch: self.arch,
            corrupted: self.corrupted,
        }
    }

    /// Returns whether it is not equal to any other entry, even one with the same signature.
    pub(super) fn is_alone(&self) -> bool {
        self.corrupted && self.frames.is_empty()
    }

    /// Returns whether scores may join it: it is whole, or has its stack.
    pub(super) fn is_comparable(&self) -> bool {
        !self.corrupted || !self.site.is_empty()
    }

    /// Iterates over the functions that may name a bug and were not inlined, innermost first.
    pub(super) fn ordinary(&self) -> impl Iterator<Item = Name> + '_ {
        let may_name = |frame: &&Frame| frame.class == FrameClass::Relevant && !frame.inline;
        self.frames.iter().filter(may_name).map(|frame| frame.name)
    }

    /// Iterates over the functions above one of the stack that may name a bug, inlined or not, so
    /// that the result does not depend on the compiler.
    pub(super) fn callers(&self, of: Name) -> impl Iterator<Item = Name> + '_ {
        let at = self.frames.iter().position(|frame| frame.name == of).map_or(0, |at| at + 1);
        let above = self.frames.get(at..).unwrap_or_default();
        above.iter().filter(|frame| frame.class == FrameClass::Relevant).map(|frame| frame.name)
    }

    /// Iterates over the origins of a role.
    pub(super) fn origins(&self, role: OriginRole) -> impl Iterator<Item = Name> + '_ {
        self.origins.iter().filter(move |(of, _)| *of == role).map(|(_, name)| *name)
    }
}
