//! The options of parsing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ksplat::Limits;

use crate::error::{ErrorCode, Failure, guard};
use crate::pointer;

/// The options of parsing. NULL in place of one means the default options.
///
/// Monitors keep a copy: later changes do not affect them.
#[derive(Debug)]
pub struct Parser(Mutex<Options>);

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    limits: Limits,
    parser: ksplat::Parser,
}

/// An option of a `ksplat_parser`, and the unit of its value.
///
/// The part of a report beyond a limit is left out, which the report records in `corrupted` or
/// `diagnostics`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(C)]
pub enum ParserOption {
    /// The maximum number of lines of a report, at least 1; 4096 by default.
    Lines = 1,
    /// The maximum number of frames of all stacks of a report, at least 1; 1024 by default.
    Frames = 2,
    /// The maximum number of reports that are open at the same time, at least 1; 16 by default.
    Open = 3,
    /// Whether to return information reports too, 0 or 1: out-of-memory kills, failed page
    /// allocations, damaged file systems; 0 by default.
    Information = 4,
    /// Whether to parse lines of programs other than the kernel, 0 or 1: panics of Go programs and
    /// of other systems; 0 by default.
    AnyProgram = 5,
    /// The silence after which `ksplat_monitor_tick` completes the open reports, in milliseconds;
    /// 10000 by default.
    QuietMs = 6,
    /// The silence after which `ksplat_monitor_tick` returns a report that may continue, in
    /// milliseconds; 1000 by default.
    PauseMs = 7,
}

impl ParserOption {
    const ALL: [Self; 7] = [
        Self::Lines,
        Self::Frames,
        Self::Open,
        Self::Information,
        Self::AnyProgram,
        Self::QuietMs,
        Self::PauseMs,
    ];
}

impl Options {
    fn set(&mut self, option: i32, value: u64) -> Result<(), Failure> {
        let wrong = |details| Failure::new(ErrorCode::Option, details);
        let known = ParserOption::ALL.into_iter().find(|known| *known as i32 == option);
        let option = known.ok_or_else(|| wrong(format!("there is no option {option}")))?;
        let limit = || match usize::try_from(value) {
            Ok(value @ 1..) => Ok(value),
            _ => Err(wrong(format!("the limit {option:?} cannot be {value}"))),
        };
        let flag = || match value {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(wrong(format!("the option {option:?} is 0 or 1, not {value}"))),
        };
        let time = Duration::from_millis(value);
        let Self { limits, parser } = *self;
        match option {
            ParserOption::Lines => self.limits = limits.with_lines(limit()?),
            ParserOption::Frames => self.limits = limits.with_frames(limit()?),
            ParserOption::Open => self.limits = limits.with_open(limit()?),
            ParserOption::Information => self.parser = parser.with_information(flag()?),
            ParserOption::AnyProgram => self.parser = parser.with_any_program(flag()?),
            ParserOption::QuietMs => self.parser = parser.with_quiet(time),
            ParserOption::PauseMs => self.parser = parser.with_pause(time),
        }
        Ok(())
    }
}

/// Returns the parser of an argument; NULL is the default one.
///
/// # Safety
///
/// `parser` is NULL, or a parser that is not freed during the call.
pub(crate) unsafe fn parser(parser: *const Parser) -> ksplat::Parser {
    // SAFETY: guaranteed by the caller.
    let Some(Parser(options)) = (unsafe { parser.as_ref() }) else { return ksplat::Parser::new() };
    let Options { limits, parser } = *options.lock().unwrap_or_else(PoisonError::into_inner);
    parser.with_limits(limits)
}

/// Makes a parser with the default options, and writes its address to `*parser`, or NULL on errors.
/// The caller owns it and frees it with `ksplat_parser_free`.
///
/// Errors: `KSPLAT_ERROR_NULL` if `parser` is NULL.
///
/// ```c
/// ksplat_parser *parser;
/// char *json;
///
/// if (ksplat_parser_new(&parser) ||
///     ksplat_parser_set(parser, KSPLAT_OPTION_FRAMES, 64) ||
///     ksplat_parse_with(parser, log, len, &json))
///     errx(1, "%s", ksplat_last_error());
/// ```
///
/// # Safety
///
/// `parser` must be NULL or point to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_parser_new(parser: *mut *mut Parser) -> ErrorCode {
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::give_object(parser, || Ok(Parser(Mutex::default()))) }
}

/// Sets an option: `option` is a `ksplat_option`, which defines the unit of `value`.
///
/// Errors, which leave the options unchanged: `KSPLAT_ERROR_NULL` if `parser` is NULL;
/// `KSPLAT_ERROR_OPTION` if there is no such option, or it cannot have this value.
///
/// # Safety
///
/// `parser` must be NULL or a parser that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_parser_set(
    parser: *mut Parser,
    option: i32,
    value: u64,
) -> ErrorCode {
    guard(|| {
        // SAFETY: guaranteed by the caller.
        let Parser(options) = unsafe { pointer::object("parser", parser) }?;
        options.lock().unwrap_or_else(PoisonError::into_inner).set(option, value)
    })
}

/// Frees a parser. NULL is ignored.
///
/// # Safety
///
/// `parser` must be NULL, or a parser that was not freed and that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksplat_parser_free(parser: *mut Parser) {
    // SAFETY: guaranteed by the caller.
    unsafe { pointer::free(parser) }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::ParserOption as O;
    use super::*;
    use crate::tests::last_error;

    fn set(options: &[(ParserOption, u64)]) -> ksplat::Parser {
        let mut made = ptr::null_mut();
        // SAFETY: the parser is used until it is freed, once.
        unsafe {
            assert_eq!(ksplat_parser_new(&raw mut made), ErrorCode::None);
            for (option, value) in options {
                assert_eq!(ksplat_parser_set(made, *option as i32, *value), ErrorCode::None);
            }
            let parser = parser(made);
            ksplat_parser_free(made);
            parser
        }
    }

    #[test]
    fn options_are_those_of_the_library() {
        let default = ksplat::Parser::new();
        assert_eq!(set(&[]), default);
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { parser(ptr::null()) }, default);
        let limits = Limits::default().with_lines(2).with_frames(3).with_open(4);
        let other = default.with_limits(limits).with_information(true).with_any_program(true);
        let other = other.with_quiet(Duration::from_millis(5)).with_pause(Duration::ZERO);
        let made = set(&[
            (O::Lines, 2),
            (O::Frames, 3),
            (O::Open, 4),
            (O::Information, 1),
            (O::AnyProgram, 1),
            (O::QuietMs, 5),
            (O::PauseMs, 0),
        ]);
        assert_eq!(made, other);
        // The order does not matter, and a flag can be cleared.
        let again = [(O::Information, 1), (O::Frames, 3), (O::Lines, 2), (O::Information, 0)];
        let limits = Limits::default().with_lines(2).with_frames(3);
        assert_eq!(set(&again), default.with_limits(limits));
    }

    #[test]
    fn wrong_options_change_nothing() {
        let mut made = ptr::null_mut();
        // SAFETY: the parser is used until it is freed, once.
        unsafe {
            assert_eq!(ksplat_parser_new(ptr::null_mut()), ErrorCode::Null);
            assert_eq!(ksplat_parser_new(&raw mut made), ErrorCode::None);
            assert_eq!(ksplat_parser_set(ptr::null_mut(), 1, 1), ErrorCode::Null);
            assert_eq!(last_error(), "`parser` is NULL");
            for (option, value, text) in [
                (0, 1, "there is no option 0"),
                (8, 1, "there is no option 8"),
                (-1, 1, "there is no option -1"),
                (1, 0, "the limit Lines cannot be 0"),
                (2, 0, "the limit Frames cannot be 0"),
                (3, 0, "the limit Open cannot be 0"),
                (4, 2, "the option Information is 0 or 1, not 2"),
                (5, u64::MAX, "the option AnyProgram is 0 or 1, not 18446744073709551615"),
            ] {
                assert_eq!(ksplat_parser_set(made, option, value), ErrorCode::Option);
                assert_eq!(last_error(), text);
            }
            // A limit that is never reached, and a silence that never ends.
            assert_eq!(ksplat_parser_set(made, 6, u64::MAX), ErrorCode::None);
            assert_eq!(ksplat_parser_set(made, 6, 10_000), ErrorCode::None);
            assert_eq!(parser(made), ksplat::Parser::new());
            ksplat_parser_free(made);
            ksplat_parser_free(ptr::null_mut());
        }
    }
}
