//! Converts single records to single parts of the model.

use std::borrow::Cow;

use crate::log::Line;
use crate::model::{Address, Frame, Role};
use crate::syntax::frame::Place;
use crate::syntax::{Start, symbol};
use crate::token::Hex;

/// Returns the role of the stack below a line.
pub(super) fn role(start: Start) -> Role {
    match start {
        Start::CallTrace | Start::Calltrace | Start::Backtrace | Start::Registers => Role::Crash,
        Start::AllocatedBy
        | Start::Allocated
        | Start::AllocatedIn
        | Start::Created
        | Start::KfenceAllocated
        | Start::Leak => Role::Allocation,
        Start::FreedBy | Start::Freed | Start::FreedIn | Start::KfenceFreed => Role::Free,
        Start::Related | Start::Stored | Start::Mapped => Role::Related,
        Start::Chain | Start::Became | Start::Registered => Role::Chain,
        Start::Stopping => Role::Consequence,
    }
}

pub(super) fn address(hex: Hex) -> Address {
    Address::from_digits(hex.value, hex.digits)
}

pub(super) fn frame<'log>(line: &Line<'log>, place: &Place<'_>) -> Frame<'log> {
    let named = place.function.map(|function| named(line, function)).unwrap_or_default();
    Frame {
        offset: place.offset.map(|(offset, _)| offset),
        size: place.offset.map(|(_, size)| size),
        module: place.module.map(|module| line.own(module)),
        build_id: place.build_id.map(|id| line.own(id)),
        address: place.address.map(address),
        reliable: place.reliable,
        inline: place.inline,
        file: place.source.map(|(file, _)| line.own(file)),
        line: place.source.map(|(_, line)| line),
        ..named
    }
}

/// Makes a frame that has only a symbol.
pub(super) fn named<'log>(line: &Line<'log>, symbol: &[u8]) -> Frame<'log> {
    let symbol = line.own(symbol);
    match symbol::demangle(&symbol) {
        Some(name) => {
            Frame { function: Some(Cow::Owned(name)), symbol: Some(symbol), ..Frame::default() }
        }
        None => Frame { function: Some(symbol), ..Frame::default() },
    }
}
