//! What a script author is told: one shape, one registry of codes, one rendering.

/// Every code, with its title and explanation.
mod codes;
/// The shape and its order.
mod diagnostic;
/// A page for each code: what triggers it, and the same mended.
mod pages;
/// Source lines with carets.
mod render;
/// From words to places and edits.
mod settle;

pub use codes::{CODES, Code, explain};
pub use diagnostic::{Diagnostic, Label, Severity, Suggestion};
pub use pages::{Example, Page, page};
pub use render::{render, render_within};

pub(super) use codes::Id;
pub(super) use settle::settle;
