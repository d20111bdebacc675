//! Reads Linux kernel crash reports ("splats") out of console logs.
#![forbid(unsafe_code)]

mod arch;
mod bisect;
#[cfg(feature = "disasm")]
pub mod disasm;
mod grammar;
mod kind;
mod line;
mod model;
pub mod output;
mod parse;
mod scan;
mod span;
mod text;
mod title;

pub use arch::Arch;
pub use kind::Kind;
pub use model::{
    Access, AccessKind, Address, Code, Context, Diagnostic, Frame, Instruction, Kernel, Memory,
    Module, Object, Register, Registers, Report, Role, Shadow, Side, Stack, Task,
};
pub use parse::{MAX_LINES, Reports, reports};
pub use span::Span;
