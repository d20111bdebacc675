//! One report while it is being parsed.

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

/// The distance in lines within which a headline above a report is a repetition of its own: a mail
/// has a few lines of text between its subject and the quoted log.
const ECHO_WITHIN: usize = 24;

/// The maximum number of titles of repeated headlines that a report keeps.
const MAX_ECHOES: usize = 4;

/// The number of lines of one headline that decide its format; a log may repeat the line without
/// end.
const MAX_HEADLINES: usize = 16;

/// The number of lines below the headline of a program that are checked.
const NEAR: usize = 8;

/// An open report.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate property")]
pub(super) struct Open<'log> {
    /// The marker that starts it.
    pub(super) marker: &'static Marker,
    /// The context that prints it.
    pub(super) context: Context,
    /// The offset in the log of its first line.
    pub(super) start: usize,
    /// The offset in the log of the end of its last line.
    pub(super) end: usize,
    /// The state taken from the lines above.
    pub(super) opening: Opening<'log>,
    /// The model, as far as it is built.
    pub(super) builder: Builder<'log>,
    /// The outline of the lines, for titles.
    pub(super) outline: Outline<'log>,
    /// Lines that would have started a report if this one had not caused them: the step, the marker
    /// and the text.
    pub(super) consequences: Vec<(usize, &'static Marker, Cow<'log, [u8]>)>,
    /// The first process of the fuzzer in its lines.
    pub(super) executor: Option<(u64, u64)>,
    /// The text of `WARN()` before Linux 4.16: `__warn()` in kernel/panic.c printed it below the
    /// headline and above the modules.
    pub(super) below: Below<'log>,
    /// The titles of repeated headlines above it: see `is_headed_by`.
    pub(super) echoes: Vec<String>,
    /// Whether it has only a headline.
    is_bare: bool,
    /// Whether the headline may be a quotation.
    doubt: Doubt,
    /// Whether a body follows the headline.
    has_body: bool,
    /// The type of its last line.
    pub(super) last: Last,
    /// Whether the lines below it are those of a program or of another system.
    is_of_runtime: bool,
    /// Whether lines of its own were left out because there were too many.
    pub(super) cut: bool,
    /// Whether it was ended before its end, for others to begin.
    pub(super) ended_early: bool,
    /// Whether further lines are left out.
    full: bool,
    limits: Limits,
    /// The number of lines since its last own line.
    pub(super) silence: usize,
    /// The number of lines of other contexts since then.
    pub(super) foreign: usize,
    /// Whether it takes no more lines.
    pub(super) closed: bool,
    /// The number of its lines, and of their bytes.
    lines: usize,
    text: usize,
    /// The number of lines of the headline: one for each inlined function.
    headlines: usize,
    /// Whether the last line is that of an inlined function.
    is_inlined: bool,
    /// Whether the last line may continue on the next one.
    goes_on: bool,
    /// Whether the report has printed its end.
    ended: bool,
    /// Whether it requested the stacks of other CPUs.
    asks_cpus: bool,
    /// The number of lines since the last of its own or below it.
    since: usize,
    /// The number of bytes of lines of its task after it was closed.
    pub(super) after: usize,
    /// The title by its own lines, once it is closed.
    pub(super) title: Option<Title>,
    /// The source file to blame by its own lines.
    pub(super) guilty_file: Option<String>,
}

/// The relation of a line with a marker to the report before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Relation {
    /// A line of the report itself.
    Own,
    /// The start of a consequence.
    Consequence,
}

/// The first line below a headline, if the modules are listed below it.
#[derive(Clone, Debug, Default)]
pub(super) enum Below<'log> {
    /// No line below the headline was read.
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
    /// Makes a report from its first line.
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

    /// Returns whether a body must follow before this counts as a report.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubt != Doubt::None
    }

    /// Returns whether the headline is a quotation, or that of a program.
    pub(super) fn is_mention(&self, any_program: bool) -> bool {
        let is_program = user::is_of_runtime(self.marker);
        match self.doubt {
            _ if is_program && any_program => false,
            Doubt::None => false,
            Doubt::Body => is_program || !self.has_body,
            Doubt::Runtime => self.is_of_runtime,
        }
    }

    /// Returns whether lines of a context belong to this report.
    ///
    /// After it has requested the stacks of other CPUs (`nmi_trigger_cpumask_backtrace()` in
    /// lib/nmi_backtrace.c), lines of CPUs in interrupts are the responses.
    pub(super) fn takes(&self, context: Context) -> bool {
        self.context == context || (self.asks_cpus && context.is_cpu())
    }

    /// Returns whether at most `lines` lines were read below the headline, all of them text or
    /// empty.
    pub(super) fn is_headline(&self, lines: usize) -> bool {
        self.is_bare && self.lines.saturating_sub(self.headlines) <= lines
    }

    /// Returns whether the headline needs a stack and none was read.
    pub(super) fn lacks_stack(&self) -> bool {
        self.needs_stack() && !self.builder.has_stack()
    }

    /// Returns whether a headline below it takes its lines: a line closed it, such as
    /// `---[ end trace`, or it is information.
    pub(super) fn gives_way(&self) -> bool {
        self.ended || self.marker.kind.is_information()
    }

    /// Returns whether it has printed its end, and a line that belongs to something else follows.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.silence + self.foreign > 0
    }

    /// Returns whether the format of its headline needs a stack.
    pub(super) fn needs_stack(&self) -> bool {
        self.outline.needs_stack
    }

    /// Returns whether a line with this marker only continues the headline.
    ///
    /// A symbolizer repeats the line for each inlined function; the last one is that of the caller.
    pub(super) fn goes_on_with(&self, marker: &Marker) -> bool {
        std::ptr::eq(self.marker, marker) && self.headlines == self.lines && self.is_inlined
    }

    /// Returns the relation of a line that matches `marker` to this report; `None` for a line of
    /// another one.
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

    /// Returns whether a line with a marker is a part of this report.
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

    /// Adds a line of its own that could start a report.
    pub(super) fn add_own(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if self.has_room(line, true) {
            self.read(line, record, &record.seen(&line.text));
        }
    }

    /// Adds a line that starts a consequence of this report.
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
        // Words continue a dump, and have no meaning without one.
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
            // After its end a report repeats its registers; a further stack belongs to another
            // report.
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
        // Empty lines may be in between.
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

    /// Counts a line; false if there are too many to parse it.
    fn has_room(&mut self, line: &Line<'log>, is_own: bool) -> bool {
        self.text += line.text.len();
        // Some terminals insert empty lines, which have no information.
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

    /// Ends the report before its end.
    pub(super) fn end_early(&mut self) {
        self.ended_early = !self.ended;
        self.close();
    }

    /// Ends the report, and computes its title from its own lines.
    pub(super) fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            let title = title::name(self.marker, &self.outline, None);
            self.guilty_file = title::guilty_file(&self.outline, &title.title);
            self.title = Some(title);
        }
    }

    /// Returns whether it has only a headline, which may be that of a report below.
    pub(super) fn is_bare(&self) -> bool {
        self.is_bare && self.consequences.is_empty()
    }

    /// Returns whether a report began a few lines below another.
    pub(super) fn is_near(&self, above: &Self) -> bool {
        self.opening.line.saturating_sub(above.opening.line) <= ECHO_WITHIN
    }

    /// Returns whether the headline of `above`, which has no other lines, is that of this report:
    /// mails and trackers quote the title of a report above it, and a console repeats a headline
    /// that it cut.
    pub(super) fn is_headed_by(&self, above: &Self) -> bool {
        let (Some(title), Some(other)) = (&self.title, &above.title) else { return false };
        let function = title.frame.as_deref();
        let is_named = title.title == other.title
            || function.is_some_and(|name| search::has(above.outline.headline(), name));
        let is_alike = std::ptr::eq(self.marker, above.marker) && title.kind == other.kind;
        let is_related = match (above.context, self.context) {
            // Text of people above the log.
            (Context::Bare, below) if below != Context::Bare => {
                is_named || other.corrupted.is_some()
            }
            (context, below) => context == below && is_alike && other.corrupted.is_some(),
        };
        let is_fault = |report: &Self| !report.marker.kind.is_information();
        is_related && is_fault(self) == is_fault(above) && self.builder.has_stack()
    }

    /// Keeps the title of a repeated headline above it.
    pub(super) fn take_echo(&mut self, above: Self) {
        self.echoes.extend(above.echoes);
        self.echoes.extend(above.title.map(|title| title.title));
        self.echoes.truncate(MAX_ECHOES);
    }

    /// Returns whether lines below the report may determine its kind.
    ///
    /// If a task crashes while it reports, the stack is in the second report. Without caller
    /// information the task of the second report is unknown.
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

    /// Adds a line that was read after the report was closed.
    pub(super) fn take_below(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if line.context == self.context {
            self.after += line.text.len();
            if self.after <= MAX_ABOVE {
                self.outline.push(line, record, &record.seen(&line.text));
            }
        }
    }

    /// Returns the approximate memory that it needs, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.text + self.after + self.lines * size_of::<Step<'_>>()
    }
}
