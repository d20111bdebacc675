//! A comparison that led to a trap.

use std::cmp::Ordering;

use super::{confidence, short};
use crate::model::{Condition, Explanation, Registers, Step};

/// What holds between two numbers where a branch is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relation {
    pub(super) sign: &'static str,
    pub(super) is_signed: bool,
    holds: fn(Ordering) -> bool,
}

impl Relation {
    pub(super) const EQUAL: Self = Self::new("==", false, Ordering::is_eq);
    pub(super) const NOT_EQUAL: Self = Self::new("!=", false, Ordering::is_ne);
    pub(super) const BELOW: Self = Self::new("<", false, Ordering::is_lt);
    pub(super) const ABOVE_OR_EQUAL: Self = Self::new(">=", false, Ordering::is_ge);
    pub(super) const BELOW_OR_EQUAL: Self = Self::new("<=", false, Ordering::is_le);
    pub(super) const ABOVE: Self = Self::new(">", false, Ordering::is_gt);
    pub(super) const LESS: Self = Self::BELOW.signed();
    pub(super) const GREATER_OR_EQUAL: Self = Self::ABOVE_OR_EQUAL.signed();
    pub(super) const LESS_OR_EQUAL: Self = Self::BELOW_OR_EQUAL.signed();
    pub(super) const GREATER: Self = Self::ABOVE.signed();

    const fn new(sign: &'static str, is_signed: bool, holds: fn(Ordering) -> bool) -> Self {
        Self { sign, is_signed, holds }
    }

    /// The same between signed numbers.
    pub(super) const fn signed(self) -> Self {
        Self { is_signed: true, ..self }
    }

    /// What holds where this does not.
    pub(super) fn negated(self) -> Self {
        let all = [
            (Self::EQUAL, Self::NOT_EQUAL),
            (Self::BELOW, Self::ABOVE_OR_EQUAL),
            (Self::BELOW_OR_EQUAL, Self::ABOVE),
        ];
        let other = all.into_iter().find_map(|(one, other)| match self.sign {
            sign if sign == one.sign => Some(other),
            sign if sign == other.sign => Some(one),
            _ => None,
        });
        Self { is_signed: self.is_signed, ..other.unwrap_or(self) }
    }

    /// Whether it holds between numbers of so many bytes.
    fn holds(self, a: u64, b: u64, size: usize) -> bool {
        let unused = 64 - 8 * size.clamp(1, 8);
        let (a, b) = (a << unused, b << unused);
        let order = if self.is_signed { a.cast_signed().cmp(&b.cast_signed()) } else { a.cmp(&b) };
        (self.holds)(order)
    }
}

/// One side of a comparison.
pub(super) struct Side<R> {
    pub(super) text: String,
    /// Its value at the trap, if nothing changed it since.
    pub(super) value: Option<u64>,
    pub(super) register: Option<R>,
}

impl<R: Copy> Side<R> {
    pub(super) fn number(value: u64) -> Self {
        Self { text: short(value), value: Some(value), register: None }
    }

    /// With its value, where the text is not that.
    pub(super) fn with_value(&self) -> String {
        match (self.register, self.value) {
            (Some(_), Some(value)) => format!("{} ({})", self.text, short(value)),
            _ => self.text.clone(),
        }
    }
}

/// A comparison that may have led to a trap.
pub(super) struct Found {
    pub(super) condition: Condition,
    /// Whether the registers show that it held.
    pub(super) is_sure: bool,
    /// Where what was compared came from.
    pub(super) steps: Vec<Step>,
}

impl Found {
    /// The comparison of two sides of so many bytes, unless the registers contradict it.
    pub(super) fn new<R: Copy>(
        left: &Side<R>,
        relation: Relation,
        right: &Side<R>,
        size: usize,
        values: Registers,
    ) -> Option<Self> {
        let holds = left.value.zip(right.value).map(|(a, b)| relation.holds(a, b, size));
        if holds == Some(false) {
            return None;
        }
        let text = format!("{} {} {}", left.with_value(), relation.sign, right.with_value());
        let condition = Condition { text, values };
        Some(Self { condition, is_sure: holds == Some(true), steps: Vec::new() })
    }
}

/// A trap of an assertion, with what was compared before it.
pub(super) fn assertion(found: Option<Found>) -> Explanation {
    let Some(Found { condition, is_sure, steps }) = found else {
        let summary = "traps at an assertion; these bytes do not show what was compared";
        return Explanation::new(summary.to_owned(), confidence(false));
    };
    let summary = format!("traps because {}", condition.text);
    Explanation {
        steps,
        condition: Some(condition),
        ..Explanation::new(summary, confidence(is_sure))
    }
}

/// A division by zero, or one whose result is too large.
pub(super) fn division<R>(divisor: &Side<R>, step: Option<Step>) -> Explanation {
    let summary = match divisor.value {
        Some(0) => format!("divides by {}, which is 0", divisor.text),
        Some(value) => {
            format!("divides by {} = {}: the result is too large", divisor.text, short(value))
        }
        None => format!("divides by {}", divisor.text),
    };
    let steps = step.into_iter().collect();
    Explanation { steps, ..Explanation::new(summary, confidence(divisor.value.is_some())) }
}
