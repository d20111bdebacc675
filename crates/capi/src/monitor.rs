//! Logs that are still being written.

use std::ffi::c_char;
use std::sync::Mutex;
use std::time::Duration;

use ksplat::fingerprint::Signature;
use ksplat::output::json::ReportRecord;
use ksplat::{Analyzer, Event, Kind, Report, Started};

use crate::error::{ErrorCode, Failure};
use crate::parser::{self, Parser};
use crate::{item, pointer};

/// The maximum number of returned reports that may continue: more than are open by default.
const MAX_RETURNED: usize = 1024;

/// Finds the reports of one log that is still being written, such as the console of a machine.
///
/// It needs at most 32 MB of memory with the default limits.
#[derive(Debug)]
pub struct Monitor(Mutex<State>);

#[derive(Debug)]
struct State {
    monitor: ksplat::Monitor,
    analyzer: Analyzer<'static>,
    /// The number of reports.
    count: usize,
    /// The offset and the index of the last reports.
    returned: Vec<(usize, usize)>,
}

/// The start of a report.
#[derive(serde::Serialize)]
struct StartedRecord<'a> {
    event: &'static str,
    line: usize,
    offset: usize,
    kind: Kind,
    title: &'a str,
}

impl State {
    fn new(monitor: ksplat::Monitor) -> Self {
        Self { monitor, analyzer: Analyzer::new(), count: 0, returned: Vec::new() }
    }

    fn json(&mut self, events: Vec<Event>) -> Result<Vec<u8>, Failure> {
        let known = events.into_iter().filter(|event| {
            matches!(event, Event::Started(_) | Event::Finished(_) | Event::Revised(_))
        });
        item::array(known, |out, event| match event {
            Event::Started(started) => {
                let Started { line, offset, kind, ref title, .. } = started;
                item::write_value(
                    out,
                    &StartedRecord { event: "started", line, offset, kind, title },
                )
            }
            Event::Finished(report) => self.finished(out, *report),
            Event::Revised(report) => {
                let is = |(start, _): &&(usize, usize)| *start == report.span.start;
                match self.returned.iter().rev().find(is) {
                    Some((_, index)) => self.write(out, "revised", *index, *report),
                    // So many reports later that its index is forgotten.
                    None => self.finished(out, *report),
                }
            }
            _ => Ok(()),
        })
    }

    fn finished(&mut self, out: &mut Vec<u8>, report: Report<'static>) -> Result<(), Failure> {
        let index = self.count;
        self.count += 1;
        self.returned.push((report.span.start, index));
        let old = self.returned.len().saturating_sub(MAX_RETURNED);
        self.returned.drain(..old);
        self.write(out, "finished", index, report)
    }

    fn write(
        &self,
        out: &mut Vec<u8>,
        event: &str,
        index: usize,
        mut report: Report<'static>,
    ) -> Result<(), Failure> {
        self.analyzer.annotate(&mut report);
        let signature = Signature::of(&report).into_owned();
        let record = ReportRecord::new("-", index, report).with_revises(event == "revised");
        item::write(out, Some(event), &record, &signature)
    }
}

/// Makes a monitor at the start of a log, and writes its address to `*monitor`, or NULL on errors.
/// The caller owns it and frees it with `ksplat_monitor_free`. `parser` is copied; NULL has the
/// default options.
///
/// Errors: `KSPLAT_ERROR_NULL` if `monitor` is NULL.
///
/// ```c
/// ksplat_monitor *monitor;
/// char *events;
///
/// if (ksplat_monitor_new(NULL, &monitor))
///     errx(1, "%s", ksplat_last_error());
/// while ((got = read(console, chunk, sizeof(chunk))) > 0) {
///     if (ksplat_monitor_push(monitor, chunk, got, &events))
///         errx(1, "%s", ksplat_last_error());
///     puts(events);
///     ksplat_free(events);
/// }
/// ```
///
/// # Safety
///
/// `parser` must be NULL or a parser that is not freed, `monitor` NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_monitor_new(
    parser: *const Parser,
    monitor: *mut *mut Monitor,
) -> ErrorCode {
    let make = || {
        // SAFETY: guaranteed by the caller.
        let parser = unsafe { parser::parser(parser) };
        Ok(Monitor(Mutex::new(State::new(parser.monitor()))))
    };
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_object(monitor, make) }
}

/// Parses the next `len` bytes of the log, and writes the events that they caused to `*events`: a
/// JSON array, `[]` if there are none. Chunks may have any size; a chunk of some megabytes with very
/// many reports needs memory for all of them.
///
/// | `event` | the other fields |
/// |---|---|
/// | `started` | `line`, from 1, `offset`, in bytes, `kind`, `title` of the first line of a report |
/// | `finished` | `report`, `signature`, `text`, as of `ksplat_parse_with`, of a report that is complete or makes a pause |
/// | `revised` | the same, of a report that continued after its pause: it replaces the one with the same `report.index` |
///
/// `report.index` counts the reports of the log from 0. The string is freed with `ksplat_free`.
///
/// Errors, with which `*events` is NULL: `KSPLAT_ERROR_NULL` if `monitor` or `events` is NULL, or
/// `chunk` while `len` is not 0; `KSPLAT_ERROR_LENGTH`; `KSPLAT_ERROR_INTERNAL`.
///
/// # Safety
///
/// `monitor` must be NULL or a monitor that is not freed; `chunk` must point to `len` bytes that no
/// thread writes during the call; `events` must be NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_monitor_push(
    monitor: *mut Monitor,
    chunk: *const u8,
    len: usize,
    events: *mut *mut c_char,
) -> ErrorCode {
    let push = |state: &mut State| {
        // SAFETY: guaranteed by the caller.
        let chunk = unsafe { pointer::bytes("chunk", chunk, len) }?;
        let events = state.monitor.push(chunk).collect();
        state.json(events)
    };
    // SAFETY: guaranteed by the caller.
    unsafe { give_events(monitor, events, push) }
}

/// Tells the time, and writes the events that it caused to `*events`, as `ksplat_monitor_push`
/// does. Call it about every second, also while the log is silent.
///
/// `now_ms` is the time in milliseconds since any moment, the same for all calls: the monitor has
/// no clock. A report is returned when no line of it arrived for the time of
/// `KSPLAT_OPTION_PAUSE_MS`, or at once if the kernel halts; it is complete after a silence of
/// `KSPLAT_OPTION_QUIET_MS`.
///
/// Errors, with which `*events` is NULL: `KSPLAT_ERROR_NULL` if `monitor` or `events` is NULL;
/// `KSPLAT_ERROR_INTERNAL`.
///
/// # Safety
///
/// `monitor` must be NULL or a monitor that is not freed, `events` NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_monitor_tick(
    monitor: *mut Monitor,
    now_ms: u64,
    events: *mut *mut c_char,
) -> ErrorCode {
    let tick = |state: &mut State| {
        let events = state.monitor.tick(Duration::from_millis(now_ms)).collect();
        state.json(events)
    };
    // SAFETY: guaranteed by the caller.
    unsafe { give_events(monitor, events, tick) }
}

/// Ends the log, and writes the events of all open reports to `*events`, as `ksplat_monitor_push`
/// does. The next bytes begin another log.
///
/// Errors, with which `*events` is NULL: `KSPLAT_ERROR_NULL` if `monitor` or `events` is NULL;
/// `KSPLAT_ERROR_INTERNAL`.
///
/// # Safety
///
/// `monitor` must be NULL or a monitor that is not freed, `events` NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_monitor_finish(
    monitor: *mut Monitor,
    events: *mut *mut c_char,
) -> ErrorCode {
    let finish = |state: &mut State| {
        let events = state.monitor.finish().collect();
        let json = state.json(events);
        (state.count, state.returned) = (0, Vec::new());
        json
    };
    // SAFETY: guaranteed by the caller.
    unsafe { give_events(monitor, events, finish) }
}

/// Frees a monitor. Reports that are open are lost: call `ksplat_monitor_finish` before. NULL is
/// ignored.
///
/// # Safety
///
/// `monitor` must be NULL, or a monitor that was not freed and that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_monitor_free(monitor: *mut Monitor) {
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::free(monitor) }
}

/// # Safety
///
/// `monitor` is NULL or a monitor that is not freed, `events` NULL or can be written.
unsafe fn give_events(
    monitor: *mut Monitor,
    events: *mut *mut c_char,
    take: impl FnOnce(&mut State) -> Result<Vec<u8>, Failure>,
) -> ErrorCode {
    let make = || {
        // SAFETY: guaranteed by the caller.
        let Monitor(state) = unsafe { pointer::object("monitor", monitor) }?;
        take(&mut *state.lock().map_err(|_| Failure::poisoned())?)
    };
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_string(events, make) }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use serde_json::Value;

    use super::*;
    use crate::parser::{ParserOption, ksplat_parser_free, ksplat_parser_new, ksplat_parser_set};
    use crate::tests::{LOG, given, last_error};

    fn made(parser: *const Parser) -> *mut Monitor {
        let mut monitor = ptr::null_mut();
        // SAFETY: a place for a pointer.
        assert_eq!(unsafe { ksplat_monitor_new(parser, &raw mut monitor) }, ErrorCode::None);
        monitor
    }

    fn push(monitor: *mut Monitor, chunk: &[u8]) -> Value {
        // SAFETY: the chunk has that length.
        given(|out| unsafe { ksplat_monitor_push(monitor, chunk.as_ptr(), chunk.len(), out) })
    }

    fn tick(monitor: *mut Monitor, now: u64) -> Value {
        // SAFETY: the monitor is not freed.
        given(|out| unsafe { ksplat_monitor_tick(monitor, now, out) })
    }

    fn finish(monitor: *mut Monitor) -> Value {
        // SAFETY: the monitor is not freed.
        given(|out| unsafe { ksplat_monitor_finish(monitor, out) })
    }

    fn free(monitor: *mut Monitor) {
        // SAFETY: freed once.
        unsafe { ksplat_monitor_free(monitor) }
    }

    #[test]
    fn reports_begin_pause_continue_and_end() {
        let monitor = made(ptr::null());
        assert_eq!(
            push(monitor, b"[ 1.0] usb 1-1: new device\n[ 1.5] kernel BU"),
            Value::Array(vec![])
        );
        let begun = push(monitor, b"G at fs/a.c:1!\n[ 1.6] RIP: 0010:f+0x1/0x2\n");
        let started = serde_json::json!([
            {"event": "started", "line": 2, "offset": 27, "kind": "kernel-bug", "title": "kernel BUG"}
        ]);
        assert_eq!(begun, started);
        assert_eq!(tick(monitor, 0), Value::Array(vec![]));
        let paused = tick(monitor, 1000);
        assert_eq!(paused[0]["event"], "finished");
        assert_eq!(paused[0]["report"]["title"], "kernel BUG in f");
        assert_eq!(paused[0]["signature"]["title"]["text"], "kernel BUG in f");
        assert!(paused[0]["text"].as_str().expect("text").starts_with("kernel BUG"));
        assert_eq!(push(monitor, b"[ 1.7] Call Trace:\n[ 1.7]  g+0x1/0x2\n"), Value::Array(vec![]));
        assert_eq!(tick(monitor, 2000), Value::Array(vec![]));
        let revised = tick(monitor, 3000);
        assert_eq!(revised[0]["event"], "revised");
        assert_eq!(
            (&revised[0]["report"]["index"], &revised[0]["report"]["revises"]),
            (&Value::from(0), &Value::from(true))
        );
        assert_eq!(finish(monitor), Value::Array(vec![]));
        // Another log, which counts from 0 again.
        push(monitor, LOG);
        let ended = finish(monitor);
        assert_eq!(
            (&ended[0]["event"], &ended[0]["report"]["index"]),
            (&Value::from("finished"), &Value::from(0))
        );
        assert_eq!(ended[0]["report"]["span"]["start"], 0);
        free(monitor);
    }

    #[test]
    fn options_are_copied() {
        let mut parser = ptr::null_mut();
        // SAFETY: the parser is freed once, and not used after it.
        let monitor = unsafe {
            assert_eq!(ksplat_parser_new(&raw mut parser), ErrorCode::None);
            for (option, value) in [(ParserOption::PauseMs, 50), (ParserOption::Frames, 1)] {
                assert_eq!(ksplat_parser_set(parser, option as i32, value), ErrorCode::None);
            }
            let monitor = made(parser);
            ksplat_parser_free(parser);
            monitor
        };
        push(monitor, LOG);
        tick(monitor, 7);
        assert_eq!(tick(monitor, 56), Value::Array(vec![]));
        let paused = tick(monitor, 57);
        assert_eq!(paused[0]["report"]["stacks"][0]["frames"].as_array().map(Vec::len), Some(1));
        free(monitor);
    }

    #[test]
    fn misuse_is_an_error() {
        let monitor = made(ptr::null());
        let mut out = ptr::dangling_mut::<c_char>();
        // SAFETY: NULL is allowed, and a length without bytes is refused before it is read.
        unsafe {
            assert_eq!(ksplat_monitor_new(ptr::null(), ptr::null_mut()), ErrorCode::Null);
            let byte = b"a".as_ptr();
            for (monitor, chunk, len, out, code, text) in [
                (ptr::null_mut(), byte, 1, &raw mut out, ErrorCode::Null, "`monitor` is NULL"),
                (monitor, ptr::null(), 1, &raw mut out, ErrorCode::Null, "`chunk` is NULL"),
                (monitor, byte, 1, ptr::null_mut(), ErrorCode::Null, "the place of the result"),
                (monitor, byte, usize::MAX, &raw mut out, ErrorCode::Length, "PTRDIFF_MAX"),
            ] {
                assert_eq!(ksplat_monitor_push(monitor, chunk, len, out), code, "{text}");
                assert!(last_error().contains(text), "{}", last_error());
            }
            assert!(out.is_null());
            assert_eq!(ksplat_monitor_tick(ptr::null_mut(), 1, &raw mut out), ErrorCode::Null);
            assert_eq!(ksplat_monitor_tick(monitor, 1, ptr::null_mut()), ErrorCode::Null);
            assert_eq!(ksplat_monitor_finish(ptr::null_mut(), &raw mut out), ErrorCode::Null);
            assert_eq!(ksplat_monitor_finish(monitor, ptr::null_mut()), ErrorCode::Null);
            assert_eq!(ksplat_monitor_push(monitor, ptr::null(), 0, &raw mut out), ErrorCode::None);
            crate::ksplat_free(out);
            ksplat_monitor_free(ptr::null_mut());
        }
        // Time that stands still, runs back or ends.
        push(monitor, LOG);
        for now in [u64::MAX, 0, u64::MAX] {
            tick(monitor, now);
        }
        finish(monitor);
        free(monitor);
    }

    #[test]
    fn a_panic_makes_only_its_monitor_unusable() {
        let monitor = made(ptr::null());
        let mut out = ptr::null_mut();
        // SAFETY: the monitor is freed once.
        unsafe {
            let code = give_events(monitor, &raw mut out, |_| panic!("a defect"));
            assert_eq!(
                (code, last_error().as_str()),
                (ErrorCode::Internal, "internal error: a defect")
            );
            assert_eq!(ksplat_monitor_finish(monitor, &raw mut out), ErrorCode::Internal);
        }
        assert_eq!(last_error(), "an earlier internal error made the object unusable");
        free(monitor);
        let other = made(ptr::null());
        push(other, LOG);
        free(other);
    }
}
