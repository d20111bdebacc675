//! The reasons that a report gives: stable codes, and the words of text output.

use crate::named::coded;

coded! {
    /// Why a report is not whole: [`Report::corrupted`](crate::Report::corrupted).
    pub enum Corruption {
        /// The report is longer than [`Limits`](crate::Limits) allow.
        TooManyLines = "too-many-lines", "too many lines: the rest was left out";
        /// The headline is known, and the lines below it are not those that belong to it.
        HeadlineOnly = "headline-only", "the headline is there, what must follow it is not";
        /// The kernel prints this line inside a report, whose start is missing.
        PartOnly = "part-only", "a part of a report only";
        /// No frame of the call trace may name the bug.
        NoFunction = "no-function", "no function in the call trace";
        /// The headline holds the time stamp of another line.
        MixedHeadline = "mixed-headline", "another line stands in the headline";
        /// No line begins a call trace.
        NoCallTrace = "no-call-trace", "no call trace";
        /// The log ends right below the line that begins a call trace.
        CutCallTrace = "cut-call-trace", "the call trace is cut off";
        /// A call trace begins, and no frame is below it.
        EmptyCallTrace = "empty-call-trace", "a call trace without frames";
        /// Two CPUs printed at the same time: two `CPU:` lines of different tasks in a row.
        Mixed = "mixed", "lines of another report are mixed in";
        /// The machine that recorded the log lost the console.
        ConsoleLost = "console-lost", "the console was lost";
    }
}

coded! {
    /// Why a function is blamed: [`Blame::why`](crate::Blame::why).
    pub enum BlameReason {
        /// It stands in a stack that overflowed at least three times.
        CallsItself = "calls-itself", "calls itself until the stack is full";
        /// It called or jumped through a bad pointer.
        JumpedNowhere = "jumped-nowhere", "jumped to where no code is";
        /// The CPU made no progress, and the interrupt of the watchdog or of RCU came in it.
        RunningWhenStuck = "running-when-stuck", "was running when the CPU was found stuck";
        /// The link register holds a return address in it; the function that failed is a helper.
        CalledFailing = "called-failing", "called the function that failed";
        /// It waits in a hung task.
        Waits = "waits", "waits, in the task that hangs";
        /// It allocated the memory that leaked.
        AllocatedLost = "allocated-lost", "allocated what is lost";
        /// The instruction pointer stands in it.
        WasRunning = "was-running", "was running";
        /// It is the innermost frame of the call trace that is no helper and no part of a checker.
        CalledReporter = "called-reporter", "called what noticed it";
    }
}
