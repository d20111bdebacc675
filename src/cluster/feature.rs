//! The features of a pair of signatures, and their weights.

macro_rules! features {
    ($( $(#[doc = $doc:literal])+ $feature:ident = $name:literal, $weight:literal; )+) => {
        /// A feature that a pair of reports may have.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Feature {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $name))] $feature, )+
        }

        impl Feature {
            /// All features.
            pub const ALL: &[Self] = &[ $( Self::$feature, )+ ];

            /// Returns the name in the output.
            pub fn name(self) -> &'static str {
                match self { $( Self::$feature => $name, )+ }
            }

            /// Returns the weight of the feature in the score.
            ///
            /// Fitted by `tools/src/bin/fit_weights.rs`, so that among all reports those of the
            /// same bug rank first.
            pub fn weight(self) -> f32 {
                match self { $( Self::$feature => $weight, )+ }
            }
        }
    };
}

// Each value is between 0 (nothing in common) and 1 (equal); rare names count more than common
// ones.
features! {
    /// Functions of the stack; the innermost count most.
    Stack = "stack", 0.31;
    /// Words of the title and of the functions of the site.
    Words = "words", 2.11;
    /// Words in the names of the innermost functions.
    Parts = "parts", 1.08;
    /// First words of the names of functions, which often name the subsystem.
    Prefix = "prefix", 1.43;
    /// Source files of the stack.
    Files = "files", 1.98;
    /// The directory of the source file of the site.
    Directory = "directory", 1.35;
    /// Lock classes.
    Locks = "locks", 0.67;
    /// Functions that allocated the object.
    Allocation = "allocation", 0.80;
    /// Functions that freed the object or queued its free.
    Free = "free", 0.53;
    /// The slab cache of the object.
    Cache = "cache", 0.20;
    /// The other access of a data race.
    Race = "race", 0.18;
    /// The same title.
    Title = "title", 0.36;
    /// The same function in the title.
    TitleFunction = "title-function", 0.92;
    /// The function in the title of one is in the stack of the other.
    TitleInStack = "title-in-stack", 0.66;
    /// The same family.
    Family = "family", 1.02;
    /// The same offset from NULL.
    NullOffset = "null-offset", 0.23;
    /// Different offsets from NULL.
    OtherOffset = "other-offset", -0.17;
    /// A small distance of releases: 1 for the same release, a third at two releases.
    Release = "release", 2.74;
    /// A small distance of years: a third at eight releases.
    Era = "era", 1.07;
    /// The release of one is unknown.
    NoRelease = "no-release", 0.75;
}
