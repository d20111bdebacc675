//! The evidence that the tables of audits have a value for: relations of crashes, and features of commits.

use crate::string_enum::string_enum;

string_enum! {
    /// The strongest relation between a crash and the one under bisection, from strong to weak.
    pub enum Tie {
        /// The same title.
        Title = "same title",
        /// An alternative title of one of the two: see [`Report::alt_titles`](crate::Report::alt_titles).
        Alternative = "alternative title",
        /// Their signatures are of one bug: see [`cluster`](crate::cluster).
        Signature = "same bug by signature",
        /// The same function in the title.
        Function = "same function",
        /// The stack of one contains the function in the title of the other.
        Stack = "its stack holds the function",
        /// Both occurred on the same commit.
        Together = "seen together",
        /// The functions start with the same word.
        Subsystem = "same subsystem",
        /// The functions have a word in common.
        Word = "a word in common",
        /// Both are hangs, which may have any cause.
        Hang = "both hang",
        /// Both are bad accesses, or both are warnings.
        Class = "same class",
        /// No relation.
        Nothing = "nothing in common",
        /// The crash under bisection is unknown.
        Unknown = "not known",
    }
}

string_enum! {
    /// A feature that distinguishes right bisections from wrong ones.
    pub enum DoubtFeature {
        /// A bad step was decided by an unrelated crash.
        Alien = "another crash",
        /// The audit inverts the verdict of a step.
        Inverted = "inverted step",
        /// The audit skips a step that was decided by a crash.
        Uncertain = "uncertain step",
        /// A bad step crashed in one or two runs only.
        Rare = "rare crash",
        /// syzkaller reports that the reproducer is flaky.
        Flaky = "flaky reproducer",
        /// Steps were skipped.
        Skips = "skipped steps",
        /// The newest release crashes as well.
        OldRelease = "old release",
        /// The number of older releases that crash, if the commit is not near the crash.
        OlderReleases = "older releases",
        /// The commit is a merge.
        Merge = "merge",
        /// The commit builds the same kernel as its parent.
        SameKernel = "same kernel",
        /// All files that the commit changes are in no kernel of the bisection: documentation, tools, tests, or
        /// other architectures.
        Unbuilt = "files that are not built",
        /// The commit is that of a release.
        Release = "release",
        /// The last release with the crash and the first one without it had different compilers.
        Compiler = "other compiler",
        /// The commit changes Kconfig files: it may only have made the crash reachable.
        Configuration = "configuration",
        /// The commit changes a file of the crash's stack, or a file in the same directory.
        Near = "near the stack",
        /// The subject or a file of the commit contains a word of the function in the title.
        Word = "word of the function",
    }
}
