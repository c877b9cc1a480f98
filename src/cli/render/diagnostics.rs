//! What a script author is told, with source lines and carets.

use crate::script::{self, Diagnostic, Generation};

use super::Out;

/// Each finding as text, in colour where colours are seen.
pub(crate) fn diagnostics(found: &[Diagnostic], generation: &Generation, out: &Out) -> Vec<String> {
    found.iter().map(|finding| diagnostic(finding, |file| generation.text(file), out)).collect()
}

/// One finding as text, with the lines of these files.
pub(crate) fn diagnostic<'t>(finding: &'t Diagnostic, text: impl Fn(&str) -> Option<&'t str>, out: &Out) -> String {
    script::render_within(finding, text, out.is_colored(), Out::width().map(usize::from))
}
