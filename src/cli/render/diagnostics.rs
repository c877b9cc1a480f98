//! What a script author is told, with source lines and carets.

use crate::script::{self, Diagnostic, Generation};

use super::Out;

/// Each finding as text, in colour where colours are seen.
pub(crate) fn diagnostics(found: &[Diagnostic], generation: &Generation, out: &Out) -> Vec<String> {
    let width = Out::width().map(usize::from);
    found.iter().map(|finding| script::render_within(finding, |file| generation.text(file), out.is_colored(), width)).collect()
}
