//! One report while it is being read.

use std::borrow::Cow;

use super::build::Builder;
use super::limits::Limits;
use super::mention::{self, Doubt};
use super::surroundings::{self, MAX_ABOVE, MAX_AFTER, Opening};
use super::whole::Last;
use crate::kind::Marker;
use crate::kind::table::{PARTS, PartLine, user};
use crate::log::{Context, Line};
use crate::search;
use crate::syntax::convention::Seen;
use crate::syntax::headline::headline;
use crate::syntax::{Record, Says, task};
use crate::title::{self, Outline, Step, Title};

/// How many lines above a report its headline may stand once more: a mail has a few lines of text
/// between its subject and what it quotes.
const ECHO_WITHIN: usize = 24;

/// The most titles of headlines above that a report keeps.
const MAX_ECHOES: usize = 4;

/// The lines of one headline that decide its form; a log may repeat the line for ever.
const MAX_HEADLINES: usize = 16;

/// How many lines below the headline of a program are looked at.
const NEAR: usize = 8;

/// A report that may go on.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Open<'log> {
    /// The marker that starts it.
    pub(super) marker: &'static Marker,
    /// Who prints it.
    pub(super) context: Context,
    /// Offset in the log of its first line.
    pub(super) start: usize,
    /// Offset in the log of the end of the last line that is its own.
    pub(super) end: usize,
    /// The state taken from the lines above.
    pub(super) opening: Opening<'log>,
    /// The model, as far as it is read.
    pub(super) builder: Builder<'log>,
    /// The lines as titles see them.
    pub(super) outline: Outline<'log>,
    /// Lines that would have started a report, had this one not caused them: the step, the marker and
    /// the text.
    pub(super) consequences: Vec<(usize, &'static Marker, Cow<'log, [u8]>)>,
    /// The fuzzer's process that it names first.
    pub(super) executor: Option<(u64, u64)>,
    /// The text of `WARN()` before Linux 4.16: `__warn()` in kernel/panic.c printed it below the
    /// headline and above the modules.
    pub(super) below: Below<'log>,
    /// The titles of headlines above that are this report's: see `is_headed_by`.
    pub(super) echoes: Vec<String>,
    /// Whether nothing but its headline is known of it.
    is_bare: bool,
    /// Whether the headline may only mention a report.
    doubt: Doubt,
    /// Whether a body follows the headline.
    has_body: bool,
    /// What its last line was.
    pub(super) last: Last,
    /// Whether lines below it are those of a program or of another system.
    is_of_runtime: bool,
    /// Whether lines of its own were left out because there were too many.
    pub(super) cut: bool,
    /// Whether it had to end for others to begin, and had not said that it ended.
    pub(super) ended_early: bool,
    /// Whether lines of any kind are left out.
    full: bool,
    limits: Limits,
    /// Lines since the last that is its own.
    pub(super) silence: usize,
    /// Lines of other contexts since then.
    pub(super) foreign: usize,
    /// Whether nothing more is read into it.
    pub(super) closed: bool,
    /// Lines that were read into it, and their bytes.
    lines: usize,
    text: usize,
    /// Lines of the headline: with inlined functions it has one for each.
    headlines: usize,
    /// Whether the last line is that of an inlined function.
    is_inlined: bool,
    /// Whether the last line may go on in the next.
    goes_on: bool,
    /// Whether the report said that it ended.
    ended: bool,
    /// Whether it asked other CPUs for their stacks.
    asks_cpus: bool,
    /// Lines that were read since the last of its own or below it.
    since: usize,
    /// Bytes of lines of its task that came after it was closed.
    pub(super) after: usize,
    /// Its title by its own lines, once it is closed.
    pub(super) title: Option<Title>,
    /// The source file to blame by its own lines.
    pub(super) guilty_file: Option<String>,
}

/// What a line that holds a marker is to the report before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Relation {
    /// A line of the report itself.
    Own,
    /// The start of what it led to.
    Consequence,
}

/// The first line below a headline, if the modules are listed below it.
#[derive(Clone, Debug, Default)]
pub(super) enum Below<'log> {
    /// Nothing was read below the headline.
    #[default]
    Nothing,
    /// A line of text.
    Text(Cow<'log, str>),
    /// A line of text, and the modules.
    Message(Cow<'log, str>),
    /// Anything else.
    Other,
}

impl<'log> Below<'log> {
    /// The text of a `WARN()`.
    pub(super) fn message(self, outline: &Outline<'_>) -> Option<Cow<'log, str>> {
        match self {
            Self::Message(text) if search::has(outline.headline(), "WARNING: ") => Some(text),
            _ => None,
        }
    }

    fn next(&mut self, line: &Line<'log>, record: &Record<'_>) {
        *self = match (std::mem::replace(self, Self::Other), record) {
            (Self::Nothing, Record::Text(_)) => Self::Text(line.own(line.text.trim_ascii())),
            (Self::Text(text), Record::Modules(_)) | (Self::Message(text), _) => {
                Self::Message(text)
            }
            _ => Self::Other,
        };
    }
}

impl<'log> Open<'log> {
    /// A report of which only the first line is known.
    pub(super) fn new(
        marker: &'static Marker,
        line: &Line<'log>,
        record: &Record<'_>,
        opening: Opening<'log>,
        limits: Limits,
        room: Vec<Step<'log>>,
    ) -> Self {
        let read = headline(&line.text);
        let mut builder = Builder::new(marker.kind, limits);
        builder.headline(line, &read);
        let mut outline = Outline::new(line, &read, room);
        builder.set_trap(title::is_trap(marker, &mut outline));
        // A stack without a headline begins with the task, or with the line above its frames.
        if let Record::Cpu(_) | Record::StackStart(_) = record {
            builder.line(line, record);
        }
        let doubt = mention::doubt(&line.text, line.context, marker, outline.may_have_form());
        Self {
            marker,
            context: line.context,
            start: line.start,
            end: line.end,
            opening,
            builder,
            outline,
            consequences: Vec::new(),
            executor: None,
            below: Below::Nothing,
            echoes: Vec::new(),
            is_bare: true,
            doubt,
            has_body: false,
            last: Last::default(),
            is_of_runtime: false,
            cut: false,
            ended_early: false,
            full: false,
            limits,
            silence: 0,
            foreign: 0,
            closed: false,
            lines: 1,
            text: line.text.len(),
            headlines: 1,
            is_inlined: search::has(&line.text, "[inline]"),
            goes_on: false,
            ended: false,
            asks_cpus: false,
            since: 0,
            after: 0,
            title: None,
            guilty_file: None,
        }
    }

    /// Whether it is in doubt that this is a report until a body follows.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubt != Doubt::None
    }

    /// Whether the headline only mentioned a report, or is that of a program.
    pub(super) fn is_mention(&self, any_program: bool) -> bool {
        let is_program = user::is_of_runtime(self.marker);
        match self.doubt {
            _ if is_program && any_program => false,
            Doubt::None => false,
            Doubt::Body => is_program || !self.has_body,
            Doubt::Runtime => self.is_of_runtime,
        }
    }

    /// Whether lines of a context go to this report.
    ///
    /// Once it has asked other CPUs for their stacks (`nmi_trigger_cpumask_backtrace()` in
    /// lib/nmi_backtrace.c), what CPUs print in interrupts is an answer.
    pub(super) fn takes(&self, context: Context) -> bool {
        self.context == context || (self.asks_cpus && context.is_cpu())
    }

    /// Whether at most `lines` lines were read below the headline, all of them text or empty.
    pub(super) fn is_headline(&self, lines: usize) -> bool {
        self.is_bare && self.lines.saturating_sub(self.headlines) <= lines
    }

    /// Whether no stack was read for a headline that needs one.
    pub(super) fn lacks_stack(&self) -> bool {
        self.needs_stack() && !self.builder.has_stack()
    }

    /// Whether a headline below it takes its lines: a line closed it, such as `---[ end trace`, or it is
    /// information.
    pub(super) fn gives_way(&self) -> bool {
        self.ended || self.marker.kind.is_information()
    }

    /// Whether the form of its headline needs a stack.
    pub(super) fn needs_stack(&self) -> bool {
        self.outline.needs_stack
    }

    /// Whether a line with this marker only continues the headline.
    ///
    /// A symbolizer repeats the line for each inlined function, the last one being that which
    /// holds them.
    pub(super) fn goes_on_with(&self, marker: &Marker) -> bool {
        std::ptr::eq(self.marker, marker) && self.headlines == self.lines && self.is_inlined
    }

    /// What a line that matches `marker` is to this report; `None` if it is another's.
    pub(super) fn relation(&self, marker: &Marker, line: &Line<'_>) -> Option<Relation> {
        // Netconsole may cut the line before the reason.
        if line.text.trim_ascii_end().ends_with(b"Kernel panic - not syncing:") {
            return Some(Relation::Consequence);
        }
        let rule = marker.consequence.iter().find(|rule| {
            (!rule.before_end || !self.ended)
                && search::has(&line.text, rule.text)
                && search::has(self.outline.headline(), rule.after)
        })?;
        let is_own = rule.own && !self.builder.has_body();
        Some(if is_own { Relation::Own } else { Relation::Consequence })
    }

    /// Whether a line that holds a marker is a part of this report.
    pub(super) fn has_part(&self, line: &Line<'_>) -> bool {
        let holds = |(text, headline): &PartLine| {
            search::has(&line.text, text) && search::has(self.outline.headline(), headline)
        };
        !self.ended && PARTS.iter().any(holds)
    }

    /// Adds such a line; the instruction pointer below it, if any, is that of the crash.
    pub(super) fn add_part(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if self.has_room(line, true) {
            self.builder.part();
            let seen = record.seen(&line.text);
            self.read(line, record, &Seen { says: seen.says.without(Says::CLOSES), ..seen });
        }
    }

    /// Adds a line that continues the headline.
    pub(super) fn add_headline(&mut self, line: &Line<'log>) {
        self.is_inlined = search::has(&line.text, "[inline]");
        if self.has_room(line, true) {
            self.headlines += 1;
            let read = headline(&line.text);
            self.builder.headline(line, &read);
            self.outline.push_headline(line, &read);
            if self.headlines <= MAX_HEADLINES {
                self.builder.set_trap(title::is_trap(self.marker, &mut self.outline));
            }
        }
    }

    /// Adds a line of its own that would have started a report.
    pub(super) fn add_own(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if self.has_room(line, true) {
            self.read(line, record, &record.seen(&line.text));
        }
    }

    /// Adds a line that starts what this report led to.
    pub(super) fn add_consequence(
        &mut self,
        marker: &'static Marker,
        line: &Line<'log>,
        record: &Record<'_>,
    ) {
        self.ended = false;
        self.has_body = true;
        if self.has_room(line, true) {
            self.builder.consequence();
            self.consequences.push((self.outline.len(), marker, line.text.clone()));
            self.read(line, record, &record.seen(&line.text));
        }
    }

    /// Adds any other line.
    pub(super) fn add(&mut self, line: &Line<'log>, record: &Record<'_>) {
        let other = Record::Blank;
        // Words go on with a dump, and mean nothing by themselves.
        let record = match record {
            Record::Words(_) if !self.goes_on => &other,
            record => record,
        };
        self.has_body |= mention::is_body(record);
        if self.doubt == Doubt::Runtime && self.lines < NEAR {
            self.is_of_runtime |= mention::is_of_runtime(&line.text);
        }
        let seen = record.seen(&line.text);
        self.asks_cpus |= seen.says.any(Says::ASKS_CPUS);
        let is_own = match record {
            Record::Blank | Record::Text(_) | Record::Cut => false,
            Record::StackStart(stack) if stack.start.is_behind_end() => {
                self.ended = false;
                true
            }
            // After its end a report repeats its registers; another stack is not its own.
            Record::StackStart(_) | Record::Frame(_) | Record::ContextMark(_) => !self.ended,
            Record::EndTrace => {
                self.ended = true;
                true
            }
            _ => true,
        };
        if self.has_room(line, is_own) {
            self.read(line, record, &seen);
        }
    }

    fn read(&mut self, line: &Line<'log>, record: &Record<'_>, seen: &Seen<'_>) {
        // Behind empty lines too.
        self.goes_on = record.goes_on() || self.goes_on && matches!(record, Record::Blank);
        let is_nothing =
            matches!(record, Record::Blank | Record::Text(_) | Record::Cut | Record::Rule);
        self.is_bare &= is_nothing;
        self.last = self.last.next(record);
        if let Record::Cpu(cpu) = record
            && self.executor.is_none()
        {
            self.executor = task::executor(cpu.comm);
        }
        self.below.next(line, record);
        self.builder.line(line, record);
        self.outline.push(line, record, seen);
    }

    /// Counts a line; false if there are too many to read it.
    fn has_room(&mut self, line: &Line<'log>, is_own: bool) -> bool {
        self.text += line.text.len();
        // What brings lines to terminals puts empty ones between, and they say nothing.
        let is_empty = line.text.is_empty();
        let has_room = self.lines < self.limits.lines && self.text < self.limits.text();
        if has_room {
            self.lines += 1;
            self.since = 0;
        } else {
            self.full = true;
            self.cut |= is_own;
        }
        if is_own {
            self.end = line.end;
            self.silence = 0;
            self.foreign = 0;
        } else if !is_empty {
            self.silence += 1;
        }
        has_room
    }

    /// Ends the report, which may not be at its end.
    pub(super) fn end_early(&mut self) {
        self.ended_early = !self.ended;
        self.close();
    }

    /// Ends the report, and names it by its own lines.
    pub(super) fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            let title = title::name(self.marker, &self.outline, None);
            self.guilty_file = title::guilty_file(&self.outline, &title.title);
            self.title = Some(title);
        }
    }

    /// Whether nothing but its headline is known of it: it may be the headline of a report below.
    pub(super) fn is_bare(&self) -> bool {
        self.is_bare && self.consequences.is_empty()
    }

    /// Whether a report began a few lines below another.
    pub(super) fn is_near(&self, above: &Self) -> bool {
        self.opening.line.saturating_sub(above.opening.line) <= ECHO_WITHIN
    }

    /// Whether the headline of `above`, which has no more, is that of this report: mails and trackers
    /// quote the title of a report above it, and a console repeats a headline that it cut.
    pub(super) fn is_headed_by(&self, above: &Self) -> bool {
        let (Some(title), Some(other)) = (&self.title, &above.title) else { return false };
        let function = title.frame.as_deref();
        let is_named = title.title == other.title
            || function.is_some_and(|name| search::has(above.outline.headline(), name));
        let is_alike = std::ptr::eq(self.marker, above.marker) && title.kind == other.kind;
        let is_related = match (above.context, self.context) {
            // What people wrote above the log.
            (Context::Bare, below) if below != Context::Bare => {
                is_named || other.corrupted.is_some()
            }
            (context, below) => context == below && is_alike && other.corrupted.is_some(),
        };
        let is_fault = |report: &Self| !report.marker.kind.is_information();
        is_related && is_fault(self) == is_fault(above) && self.builder.has_stack()
    }

    /// Keeps the title of a headline above that is its own.
    pub(super) fn take_echo(&mut self, above: Self) {
        self.echoes.extend(above.echoes);
        self.echoes.extend(above.title.map(|title| title.title));
        self.echoes.truncate(MAX_ECHOES);
    }

    /// Whether lines below the report may decide its kind.
    ///
    /// A task that crashes while it reports leaves the stack to the second report. Without caller
    /// information nothing says that it is the same task.
    pub(super) fn asks_for_more(&self) -> bool {
        let is_corrupted = self.title.as_ref().is_some_and(|title| title.corrupted.is_some());
        is_corrupted
            && !self.full
            && self.since < MAX_AFTER
            && surroundings::is_of_a_caller(self.context)
    }

    /// Counts a line that was read after the report was closed.
    pub(super) fn pass(&mut self) {
        self.since += 1;
    }

    /// Takes a line that was read after the report was closed.
    pub(super) fn take_below(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if line.context == self.context {
            self.after += line.text.len();
            if self.after <= MAX_ABOVE {
                self.outline.push(line, record, &record.seen(&line.text));
            }
        }
    }

    /// About the bytes that it needs.
    pub(super) fn weight(&self) -> usize {
        self.text + self.after + self.lines * size_of::<Step<'_>>()
    }
}
