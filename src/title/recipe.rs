//! Recipes: the search for the frames in a title.

use super::outline::Step;
use super::{choice, skip};
use crate::functions;
use crate::kind::{Choice, Needs, Part, Recipe};
use crate::reason::Corruption;
use crate::syntax::{Says, Start};

/// The text in a title for a function that was not found.
pub(super) const UNKNOWN: &str = "corrupted";

/// The number of lines within which a call trace must start.
const STACK_WITHIN: usize = 15;

/// The result of a recipe.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The function of each stack of the recipe.
    pub(super) found: Vec<String>,
    /// The printed names of the same functions, which the convention may replace.
    pub(super) raw: Vec<String>,
    /// Whether a function is missing.
    pub(super) failed: bool,
    /// Whether the first stack has a function.
    pub(super) has_first: bool,
    /// Whether a stack contains fault injection.
    pub(super) injected: bool,
}

/// Runs a recipe, and its fallback if it fails, over the lines from the trigger on.
pub(super) fn frames(recipe: &Recipe, steps: &[Step<'_>]) -> Frames {
    if recipe.parts.is_empty() {
        return Frames::default();
    }
    let frames = run(recipe.parts, recipe, steps);
    if frames.failed && !recipe.fallback.is_empty() {
        return run(recipe.fallback, recipe, steps);
    }
    frames
}

impl Frames {
    /// Sets the function of the first stack to that of the model, if it has none.
    pub(super) fn name(&mut self, known: &str) {
        let places = self.found.first_mut().zip(self.raw.first_mut());
        if let Some((name, raw)) = places.filter(|_| !self.has_first) {
            skip::canonical(known).clone_into(name);
            known.clone_into(raw);
        }
    }
}

/// Walks over the parts and the lines in parallel.
///
/// A part consumes lines for the next one. A second stack makes a second list. Each list yields one
/// function, by the choice of the recipe.
fn run(parts: &[Part], recipe: &Recipe, steps: &[Step<'_>]) -> Frames {
    let mut result = Frames::default();
    let mut steps = steps.iter();
    let mut functions = Functions::new(recipe);
    let mut stacks = 0;
    let mut index = 0;
    while let Some(&part) = parts.get(index) {
        index += 1;
        if part != Part::Stack {
            if let Some(found) = steps.by_ref().find_map(|step| matches(part, step)) {
                functions.extend(found);
            }
            continue;
        }
        if stacks > 0 {
            functions.finish(&mut result);
        }
        stacks += 1;
        let next = parts.get(index).copied();
        for step in steps.by_ref() {
            if let Some(found) = next.and_then(|next| matches(next, step)) {
                functions.extend(found);
                index += 1;
                break;
            }
            if step.says.any(Says::FRAME) {
                if step.name.as_deref().is_some_and(|name| INJECTED.contains(&name)) {
                    result.failed = true;
                    result.injected = true;
                    break;
                }
                functions.extend(step.name.as_deref());
                functions.extend(step.caller.as_deref());
            } else if is_stack_start(step) {
                break;
            }
        }
    }
    functions.finish(&mut result);
    result
}

/// The functions of one stack, as far as they are needed.
struct Functions<'a> {
    recipe: &'a Recipe,
    found: Vec<String>,
}

impl<'a> Functions<'a> {
    fn new(recipe: &'a Recipe) -> Self {
        Self { recipe, found: Vec::new() }
    }

    fn extend(&mut self, function: Option<&str>) {
        if let Some(function) = function {
            self.add(function);
        }
    }

    fn add(&mut self, function: &str) {
        // Only other choices need more than the first function.
        let is_known = self.recipe.choice == Choice::First && !self.found.is_empty();
        if !is_known && !functions::is_skipped_in_titles(function, self.recipe.skip) {
            self.found.push(function.to_owned());
        }
    }

    fn finish(&mut self, result: &mut Frames) {
        let mut found = std::mem::take(&mut self.found);
        let names = found.iter().map(|function| skip::canonical(function));
        let chosen = match self.recipe.choice {
            Choice::First => (!found.is_empty()).then_some((0, None)),
            Choice::Stall => choice::stalled(&names.collect::<Vec<_>>()),
            Choice::Hang => choice::hung(&names.collect::<Vec<_>>()),
        };
        result.failed |= chosen.is_none();
        result.has_first |= result.found.is_empty() && chosen.is_some();
        let (index, name) = chosen.unwrap_or((usize::MAX, None));
        let raw = found.get_mut(index).map_or(UNKNOWN.to_owned(), std::mem::take);
        result.found.push(name.unwrap_or(skip::canonical(&raw)).to_owned());
        result.raw.push(raw);
    }
}

/// Returns the function of a line if the line matches the part.
fn matches<'a>(part: Part, step: &'a Step<'_>) -> Option<Option<&'a str>> {
    let name = step.name.as_deref();
    let says = |says| step.says.any(says);
    match part {
        Part::Headline => (says(Says::HEADLINE) && name.is_some()).then_some(name),
        Part::Pointer => says(Says::POINTER).then_some(name),
        Part::Trap => {
            let is_interrupt = says(Says::INTERRUPT) && name.is_some();
            (is_interrupt || says(Says::POINTER)).then_some(name)
        }
        Part::Calls => says(Says::CALLS).then_some(None),
        Part::Line(what) => says(what).then_some(None),
        Part::Begins(start) => (step.start == Some(start)).then_some(None),
        Part::Function(what) => (says(what) && name.is_some()).then_some(name),
        Part::Stack => None,
    }
}

/// Returns whether the convention starts a stack below this line.
fn is_stack_start(step: &Step<'_>) -> bool {
    number(step).is_some()
}

/// Returns the index of a start among those of the convention: each must have frames.
fn number(step: &Step<'_>) -> Option<usize> {
    Some(match step.start? {
        Start::CallTrace => 0,
        Start::Calltrace => 1,
        Start::Allocated => 2,
        Start::AllocatedBy => 3,
        Start::Freed => 4,
        Start::FreedBy => 5,
        Start::Backtrace => 6,
        Start::Stored => 7,
        Start::Leak if step.says.any(Says::INDENTED) => 8,
        Start::Registers | Start::KfenceAllocated | Start::KfenceFreed => UNCHECKED,
        _ => return None,
    })
}

/// The number of starts that may have no frames.
const UNCHECKED: usize = 9;

/// Fault injection (`CONFIG_FAULT_INJECTION`): the stack is not that of a bug.
const INJECTED: [&str; 2] = ["should_fail", "should_failslab"];

/// Returns why the stacks of a report are incomplete: none starts, or one has no frame.
///
/// Some headlines have a stack without a start line: there a frame is sufficient.
pub(super) fn missing_stack(steps: &[Step<'_>], needs: Needs) -> Option<Corruption> {
    if needs == Needs::Nothing {
        return None;
    }
    let mut first = [None; UNCHECKED + 1];
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| !step.says.any(Says::FRAME)) {
        if let Some(place) = number(step).and_then(|kind| first.get_mut(kind)) {
            place.get_or_insert(index);
        }
    }
    if first.iter().all(Option::is_none) {
        let has_frame =
            needs == Needs::Frame && steps.iter().any(|step| step.says.any(Says::FRAME));
        return (!has_frame).then_some(Corruption::NoCallTrace);
    }
    for start in first.into_iter().take(UNCHECKED).flatten() {
        let after = steps.get(start + 1..).unwrap_or_default();
        // The convention requires four lines, including the headline and an empty one at the end.
        if after.len() < 2 {
            return Some(Corruption::CutCallTrace);
        }
        let has_frame = after
            .iter()
            .take(STACK_WITHIN)
            .take_while(|step| !is_stack_start(step))
            .any(|step| step.says.any(Says::FRAME.or(Says::NO_STACK)));
        if !has_frame {
            return Some(Corruption::EmptyCallTrace);
        }
    }
    None
}
