//! The features of a pair of signatures, and their weights.

macro_rules! features {
    ($( $(#[doc = $doc:literal])+ $feature:ident = $name:literal, $weight:literal, $alone:literal; )+) => {
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

            /// Returns the weight of the feature in the sum that ranks matches.
            ///
            /// Fitted by `tools/src/bin/fit_weights.rs`, so that among all reports those of the
            /// same bug rank first.
            pub fn weight(self) -> f32 {
                match self { $( Self::$feature => $weight, )+ }
            }

            /// Returns the weight of the feature in the probability of two reports alone, which joins groups.
            ///
            /// Different bugs of one file or one build have the words of the report, a rare file or the build in
            /// common, so these have no weight here.
            pub fn pair_weight(self) -> f32 {
                match self { $( Self::$feature => $alone, )+ }
            }
        }
    };
}

// Each value is between 0 (nothing in common) and 1 (equal); rare names count more than common
// ones. The weights are those that rank matches, and those of two reports alone.
features! {
    /// Functions of the stack; the innermost count most.
    Stack = "stack", 0.10, 0.31;
    /// Words of the title and of the functions of the site.
    Words = "words", 1.48, 2.11;
    /// Words in the names of the innermost functions.
    Parts = "parts", 0.62, 1.08;
    /// First words of the names of functions, which often name the subsystem.
    Prefix = "prefix", 0.94, 1.43;
    /// Source files of the stack.
    Files = "files", 0.48, 1.98;
    /// The directory of the source file of the site.
    Directory = "directory", 0.69, 1.35;
    /// Lock classes.
    Locks = "locks", 0.53, 0.67;
    /// Functions that allocated the object.
    Allocation = "allocation", 0.24, 0.80;
    /// Functions that freed the object or queued its free.
    Free = "free", 0.11, 0.53;
    /// The slab cache of the object.
    Cache = "cache", 0.12, 0.20;
    /// The other access of a data race.
    Race = "race", 0.20, 0.18;
    /// The same title.
    Title = "title", 0.30, 0.36;
    /// The same function in the title.
    TitleFunction = "title-function", 0.72, 0.92;
    /// The function in the title of one is in the stack of the other.
    TitleInStack = "title-in-stack", 0.86, 0.66;
    /// The same family.
    Family = "family", 0.83, 1.02;
    /// The same offset from NULL.
    NullOffset = "null-offset", 0.29, 0.23;
    /// Different offsets from NULL.
    OtherOffset = "other-offset", -0.15, -0.17;
    /// A small distance of releases: 1 for the same release, a third at two releases.
    Release = "release", 2.59, 2.74;
    /// A small distance of years: a third at eight releases.
    Era = "era", 1.42, 1.07;
    /// The release of one is unknown.
    NoRelease = "no-release", 0.87, 0.75;
    /// Words of the title, the functions, the files and the origins together.
    Vocabulary = "vocabulary", 1.57, 0.00;
    /// Words of the locks, and of the functions in other parts of the report.
    OriginWords = "origin-words", 1.30, 0.00;
    /// The rarest source file of both stacks.
    RareFile = "rare-file", 1.86, 0.00;
    /// The same build: the releases are equal in every letter.
    SameRelease = "same-release", 1.12, 0.00;
}
