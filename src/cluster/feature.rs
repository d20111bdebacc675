//! What two signatures have in common, and how much that weighs.

macro_rules! features {
    ($( $(#[doc = $doc:literal])+ $feature:ident = $name:literal, $weight:literal; )+) => {
        /// Something that two reports have in common, or not.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Feature {
            $( $(#[doc = $doc])+ #[cfg_attr(feature = "serde", serde(rename = $name))] $feature, )+
        }

        impl Feature {
            /// All of them.
            pub const ALL: &[Self] = &[ $( Self::$feature, )+ ];

            /// The name in the output.
            pub fn name(self) -> &'static str {
                match self { $( Self::$feature => $name, )+ }
            }

            /// How much it weighs.
            ///
            /// Fitted by `examples/fit_weights.rs`, so that of all reports those of the same bug
            /// come first.
            pub fn weight(self) -> f32 {
                match self { $( Self::$feature => $weight, )+ }
            }
        }
    };
}

// Each is from 0, nothing, to 1, all; rare names count more than common ones.
features! {
    /// Functions of the stack, the innermost most.
    Stack = "stack", 0.31;
    /// Words of the title and of the site's functions.
    Words = "words", 2.11;
    /// Words of the names of the innermost functions.
    Parts = "parts", 1.08;
    /// First words of the names of functions: mostly the subsystem.
    Prefix = "prefix", 1.43;
    /// Source files of the stack.
    Files = "files", 1.98;
    /// The directory of the site's source file.
    Directory = "directory", 1.35;
    /// Classes of locks.
    Locks = "locks", 0.67;
    /// Functions that allocated the object.
    Allocation = "allocation", 0.80;
    /// Functions that freed it, or queued that.
    Free = "free", 0.53;
    /// The slab cache of the object.
    Cache = "cache", 0.20;
    /// The other side of a data race.
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
    /// Another offset from NULL.
    OtherOffset = "other-offset", -0.17;
    /// Kernels that are few releases apart: 1 for the same, a third at two releases.
    Release = "release", 2.74;
    /// Kernels of the same years: a third at eight releases.
    Era = "era", 1.07;
    /// The release of one is not known.
    NoRelease = "no-release", 0.75;
}

/// From the sum of weights to the probability that two reports are of one bug: 1 / (1 + e^-(a·s + b)).
pub(super) const CALIBRATION: (f32, f32) = (0.583, -5.247);
