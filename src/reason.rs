//! The reasons that a report gives: stable codes, and the words of text output.

use crate::string_enum::reason_enum;

reason_enum! {
    /// Why the title of a report is not to be trusted, by the convention:
    /// [`Report::corrupted`](crate::Report::corrupted).
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

reason_enum! {
    /// Why a report cannot be used as a whole: [`Report::incomplete`](crate::Report::incomplete).
    pub enum Incomplete {
        /// The lines above it are missing: it is a part of a report, such as the panic at its end.
        CutStart = "cut-start", "the start is missing";
        /// It ends within a call trace, or lines were left out.
        CutEnd = "cut-end", "the end is missing";
        /// Lines of another report stand in it.
        Mixed = "mixed", "lines of another report are mixed in";
        /// It has no stack, where its kind has one.
        NoStack = "no-stack", "no stack";
    }
}

reason_enum! {
    /// Why a function is blamed: [`Blame::why`](crate::model::Blame::why).
    pub enum BlameReason {
        /// It stands in a stack that overflowed at least three times.
        CallsItself = "calls-itself", "calls itself until the stack is full";
        /// It called or jumped through a bad pointer.
        JumpedNowhere = "jumped-nowhere", "branched to an address without code";
        /// The CPU made no progress, and the interrupt of the watchdog or of RCU came in it.
        RunningWhenStuck = "running-when-stuck", "was running when the CPU was found stuck";
        /// The link register holds a return address in it; the function that failed is a helper.
        CalledFailing = "called-failing", "called the function that failed";
        /// It waits in a hung task.
        Waits = "waits", "blocked in the hung task";
        /// It is the work that the report names: `last function:`, `workfn=`.
        Named = "named", "named by the report";
        /// It allocated the memory that leaked.
        AllocatedLost = "allocated-lost", "allocated the leaked memory";
        /// The instruction pointer stands in it.
        WasRunning = "was-running", "was running";
        /// It is the innermost frame of the call trace that is no helper and no part of a checker.
        CalledReporter = "called-reporter", "first frame that is not a helper";
    }
}

reason_enum! {
    /// The part of a report that could not be read, or not as a whole.
    pub enum ReportPart {
        /// The report itself.
        Report = "report", "report";
        /// A line.
        Line = "line", "line";
        /// `RIP:`, `pc :` and the like.
        InstructionPointer = "instruction-pointer", "instruction pointer";
        /// `CPU: 0 PID: 1 Comm: init`: `dump_stack_print_info()`.
        CpuLine = "cpu-line", "CPU line";
        /// `Read of size 8 at addr …` of KASAN.
        Access = "access", "access";
        /// Rows of registers.
        Registers = "registers", "registers";
        /// `Code:` and the like.
        CodeBytes = "code-bytes", "code bytes";
        /// The stacks.
        Stacks = "stacks", "stacks";
        /// The frames of all stacks.
        Frames = "frames", "frames";
        /// The locks of lockdep.
        Locks = "locks", "locks";
        /// `Modules linked in:`.
        Modules = "modules", "modules";
        /// The shadow memory of KASAN.
        Shadow = "shadow", "shadow";
        /// The diagnostics themselves.
        Diagnostics = "diagnostics", "diagnostics";
    }
}

reason_enum! {
    /// Why a part of a report could not be read, or not as a whole.
    pub enum DiagnosticKind {
        /// There are more than are kept.
        TooMany = "too-many", "too many: the rest was left out";
        /// The line is longer than those that are read as a whole.
        TooLong = "too-long", "too long: the rest was left out";
        /// Of the reports that were open at the same time this one was ended:
        /// [`Limits::with_open`](crate::Limits::with_open).
        TooManyOpen = "too-many-open", "too many at the same time: it may go on";
        /// The line belongs to the report of another CPU.
        Mixed = "mixed", "lines of another report are mixed in";
        /// Neither `symbol+0x1/0x2` nor an address.
        NoPlace = "no-place", "no symbol and no address";
        /// A `CPU:` line without its three fields.
        NoTask = "no-task", "no CPU, PID and Comm";
        /// An access without a size and an address.
        NoAccess = "no-access", "no size and no address";
        /// A register without a value.
        NoRegister = "no-register", "no register with a hexadecimal value";
        /// A row of registers with something else among its values.
        NoValue = "no-value", "no hexadecimal value";
        /// The kernel printed words in place of the bytes: `Bad RIP value.`
        Unreadable = "unreadable", "the kernel could not read them";
        /// There are no bytes of code.
        NoBytes = "no-bytes", "no bytes";
        /// A unit of code has a character that is not a hexadecimal digit.
        NoNumber = "no-number", "no hexadecimal number";
        /// The first unit of code is neither a byte nor a word of 16 or 32 bits.
        NoUnit = "no-unit", "no unit of 2, 4 or 8 digits";
        /// A unit of code is not as wide as the first.
        OtherWidth = "other-width", "a number of another width";
        /// More bytes of code than any kernel prints.
        TooManyBytes = "too-many-bytes", "more bytes than any kernel prints";
        /// Two units of code are marked as the trapping one.
        SecondMark = "second-mark", "a second trap mark";
    }
}
