//! The reasons in a report: stable codes, and the words for them in text output.

use crate::string_enum::reason_enum;

reason_enum! {
    /// The reason why the title of a report is not reliable, by syzbot's convention:
    /// [`Report::corrupted`](crate::Report::corrupted).
    pub enum Corruption {
        /// The report is longer than [`Limits`](crate::Limits) allow.
        TooManyLines = "too-many-lines", "too many lines: the rest was left out";
        /// The lines below the headline are not those that the kernel prints below it.
        HeadlineOnly = "headline-only", "the lines after the headline are not those of this report";
        /// The headline is a line from inside a report, whose start is missing.
        PartOnly = "part-only", "the start of the report is missing";
        /// No frame of the call trace may name the bug.
        NoFunction = "no-function", "no function in the call trace";
        /// The headline contains the time stamp of another line.
        MixedHeadline = "mixed-headline", "another line is mixed into the headline";
        /// No call trace follows.
        NoCallTrace = "no-call-trace", "no call trace";
        /// The log ends at the line that begins a call trace.
        CutCallTrace = "cut-call-trace", "the call trace is cut off";
        /// The line that begins a call trace has no frame below it.
        EmptyCallTrace = "empty-call-trace", "a call trace without frames";
        /// Two CPUs printed at the same time: two `CPU:` lines of different tasks in a row.
        Mixed = "mixed", "lines of another report are mixed in";
        /// The console of the test machine was lost.
        ConsoleLost = "console-lost", "the console was lost";
    }
}

reason_enum! {
    /// The reason why a report is incomplete: [`Report::incomplete`](crate::Report::incomplete).
    pub enum Incomplete {
        /// Its start is missing: the headline is a line from inside a report, such as the panic at
        /// its end.
        CutStart = "cut-start", "the start is missing";
        /// It ends inside a call trace, or a limit dropped lines.
        CutEnd = "cut-end", "the end is missing";
        /// It contains lines of another report.
        Mixed = "mixed", "lines of another report are mixed in";
        /// It has no stack, but its kind has one.
        NoStack = "no-stack", "no stack";
    }
}

reason_enum! {
    /// The reason why a function is blamed: [`Blame::why`](crate::model::Blame::why).
    pub enum BlameReason {
        /// It has at least three frames in a stack that overflowed.
        CallsItself = "calls-itself", "calls itself until the stack is full";
        /// It called or jumped through a bad pointer.
        JumpedNowhere = "jumped-nowhere", "branched to an address without code";
        /// The CPU made no progress, and the interrupt of the watchdog or of RCU interrupted it.
        RunningWhenStuck = "running-when-stuck", "was running when the CPU was found stuck";
        /// The link register has a return address in it, and the function that failed is a helper.
        CalledFailing = "called-failing", "called the function that failed";
        /// It waits in a hung task.
        Waits = "waits", "blocked in the hung task";
        /// The report names it as the work function: `last function:`, `workfn=`.
        Named = "named", "named by the report";
        /// It allocated the memory that leaked.
        AllocatedLost = "allocated-lost", "allocated the leaked memory";
        /// The instruction pointer is in it.
        WasRunning = "was-running", "was running";
        /// It is the innermost frame of the call trace that is neither a helper nor part of a
        /// checker.
        CalledReporter = "called-reporter", "first frame that is not a helper";
        /// It is the first of the [suspects](crate::Report::suspects), and far likelier than the function
        /// that the places in the stacks show.
        Suspected = "suspected", "fixes of such reports change it most often";
    }
}

reason_enum! {
    /// What connects a suspect with the bug: [`Suspect::why`](crate::model::Suspect::why).
    pub enum SuspectReason {
        /// Its name is in the stack of the crash and in that of the free.
        UsedAndFreed = "used-and-freed", "in the stacks of the crash and of the free";
        /// The instruction pointer is in it.
        WasRunning = "was-running", "was running";
        /// It is in the stack that freed the object.
        Freed = "freed", "in the stack of the free";
        /// It is in the stack that allocated the object.
        Allocated = "allocated", "in the stack of the allocation";
        /// It acquired a lock of the report.
        TookLock = "took-lock", "acquired a lock";
        /// The link register holds a return address in it.
        CalledFailing = "called-failing", "called the function that failed";
        /// Only the title has it.
        Named = "named", "named by the title";
        /// It is the innermost frame that is neither a helper nor part of a checker.
        CalledReporter = "called-reporter", "first frame that is not a helper";
        /// It is in the file of the first frame of a subsystem or driver.
        SameFile = "same-file", "in the file of the first relevant frame";
        /// It is in the directory of the first frame of a subsystem or driver.
        SameDirectory = "same-directory", "in the directory of the first relevant frame";
        /// It is in the stack of the crash.
        InStack = "in-stack", "in the stack of the crash";
        /// It is in another stack of the report.
        OtherStack = "other-stack", "in another stack of the report";
    }
}

reason_enum! {
    /// A part of a report that could not be parsed completely.
    pub enum ReportPart {
        /// The report itself.
        Report = "report", "report";
        /// A line.
        Line = "line", "line";
        /// `RIP:`, `pc :` and other instruction pointers.
        InstructionPointer = "instruction-pointer", "instruction pointer";
        /// `CPU: 0 PID: 1 Comm: init`, printed by `dump_stack_print_info()` in lib/dump_stack.c.
        CpuLine = "cpu-line", "CPU line";
        /// `Read of size 8 at addr …`, printed by KASAN.
        Access = "access", "access";
        /// The rows of registers.
        Registers = "registers", "registers";
        /// `Code:` and other lines of code bytes.
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
    /// The reason why a part of a report could not be parsed completely.
    pub enum DiagnosticKind {
        /// There are more than the limit.
        TooMany = "too-many", "too many: the rest was left out";
        /// The line is longer than the limit.
        TooLong = "too-long", "too long: the rest was left out";
        /// The oldest open report was ended because too many were open:
        /// [`Limits::with_open`](crate::Limits::with_open).
        TooManyOpen = "too-many-open", "too many open reports: it may be incomplete";
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
        /// A row of registers with other text between its values.
        NoValue = "no-value", "no hexadecimal value";
        /// The kernel printed words instead of the bytes: `Bad RIP value.`
        Unreadable = "unreadable", "the kernel could not read them";
        /// The line has no bytes of code.
        NoBytes = "no-bytes", "no bytes";
        /// A unit of code contains a character that is not a hexadecimal digit.
        NoNumber = "no-number", "no hexadecimal number";
        /// The first unit of code is neither a byte nor a word of 16 or 32 bits.
        NoUnit = "no-unit", "no unit of 2, 4 or 8 digits";
        /// A unit of code has another width than the first.
        OtherWidth = "other-width", "a number of another width";
        /// The line has more bytes of code than any kernel prints.
        TooManyBytes = "too-many-bytes", "more bytes than any kernel prints";
        /// Two units of code are marked as the trapping one.
        SecondMark = "second-mark", "a second trap mark";
    }
}
