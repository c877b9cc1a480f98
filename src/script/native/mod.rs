//! Closures without the interpreter: a pure closure of a small kind is turned, when it is declared, into a tree that is evaluated over
//! the row as it is, without building a map of it.
//!
//! The interpreter stays the only judge. What the tree does not know keeps the whole closure with the interpreter; and where an
//! evaluation meets anything that could be an error or a limit there (a missing field, an overflow, types that do not go together, text
//! that is too long), it gives up and the interpreter runs the closure from its start. A pure closure has done nothing by then, so every
//! message, place and limit is the interpreter's own.
//!
//! Deliberately absent: loops, assignments, closures within closures, the script's own functions, what is relative to the rule date.

/// From the syntax tree of the engine to a tree of our own.
mod compile;
/// What a row has to meet for it to be true.
mod demands;
/// A tree and a row to a value.
mod evaluate;
/// The library functions it knows.
mod functions;
/// A value while it is computed.
mod item;
/// What `+`, `<` and the others do.
mod operators;
/// The tree.
mod tree;

pub(super) use compile::{Surroundings, compile};
pub(super) use tree::Native;
