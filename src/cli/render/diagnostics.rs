//! What a script author is told, with source lines and carets.

use crate::script::{self, Diagnostic, Generation};

use super::Out;

/// Each finding as text, in colour where colours are seen.
pub(crate) fn diagnostics(found: &[Diagnostic], generation: &Generation, out: &Out) -> Vec<String> {
    found.iter().map(|finding| script::render(finding, |file| generation.text(file), out.is_colored())).collect()
}
