//! Work on many inputs at once, on all cores, with results and messages in the order of the inputs.

use rayon::prelude::*;

use crate::ui::{self, Messages};

/// The number of inputs of a batch for each core, which bounds the results in memory.
const INPUTS_PER_CORE: usize = 16;

/// The result for an input, and its messages that are not printed yet.
pub(crate) struct Done<T> {
    pub(crate) value: T,
    pub(crate) messages: Messages,
}

impl<T> Done<T> {
    /// Prints the messages, and returns the value.
    pub(crate) fn print(self) -> T {
        self.messages.print();
        self.value
    }
}

/// The inputs in batches whose results fit into memory.
pub(crate) fn batches<T>(inputs: &[T]) -> impl Iterator<Item = &[T]> {
    inputs.chunks(INPUTS_PER_CORE * rayon::current_num_threads())
}

/// Applies `work` to each input, on all cores.
pub(crate) fn in_order<'a, T: Sync, R: Send>(
    inputs: &'a [T],
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<Done<R>> {
    let one = |input| {
        let (value, messages) = ui::collect(|| work(input));
        Done { value, messages }
    };
    inputs.par_iter().map(one).collect()
}
