//! What a script author is told: one shape, one registry of codes, one rendering.

/// Every code, with its title and explanation.
mod codes;
/// The shape and its order.
mod diagnostic;
/// Source lines with carets.
mod render;

pub use codes::{CODES, Code, explain};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use render::render;

pub(super) use codes::Id;
