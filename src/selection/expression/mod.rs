//! The language of cuts and variables: `docs/expressions.md` is its reference.

mod caret;
mod functions;
mod parse;
#[cfg(test)]
mod tests;
mod token;
mod tree;

pub(crate) use caret::{Slip, Span};
pub(crate) use functions::Function;
pub(crate) use parse::parse;
pub(crate) use tree::{Comparison, Factor, Node, Sign, Tree, Word};
