//! Diagnostics as text: the source line with a caret, labels, notes, and the next step.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity};

/// What a line of source gets where no terminal says how wide it is.
const WIDTH: usize = 140;
/// Less than this shows nothing of the source any more.
const NARROWEST: usize = 20;

/// Renders one diagnostic with its source lines; `text` gives the source of a file where it is known.
pub fn render<'t>(diagnostic: &'t Diagnostic, text: impl Fn(&str) -> Option<&'t str>, colour: bool) -> String {
    render_within(diagnostic, text, colour, None)
}

/// The same, with source lines cut to a terminal of so many columns.
pub fn render_within<'t>(diagnostic: &'t Diagnostic, text: impl Fn(&str) -> Option<&'t str>, colour: bool, width: Option<usize>) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let group = match text(&diagnostic.file).filter(|_| diagnostic.line > 0) {
        Some(source) => snippets(diagnostic, source, &text, Group::with_title(title)),
        None => Group::with_title(title).element(Origin::path(diagnostic.file.as_str())),
    };
    let group = diagnostic.notes.iter().fold(group, |group, note| group.element(Level::NOTE.message(note.as_str())));
    let mut report = vec![group];
    if let Some(hint) = &diagnostic.hint {
        report.push(Group::with_title(Level::HELP.secondary_title(hint.as_str())));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(width.unwrap_or(WIDTH).max(NARROWEST)).render(&report)
}

fn snippets<'t>(diagnostic: &'t Diagnostic, source: &'t str, text: &impl Fn(&str) -> Option<&'t str>, group: Group<'t>) -> Group<'t> {
    let primary = AnnotationKind::Primary.span(span(source, diagnostic.line, diagnostic.column));
    let mut snippet = Snippet::source(source).path(diagnostic.file.as_str()).annotation(primary);
    for label in diagnostic.labels.iter().filter(|label| label.file == diagnostic.file) {
        snippet = snippet.annotation(AnnotationKind::Context.span(span(source, label.line, label.column)).label(label.text.as_str()));
    }
    let mut group = group.element(snippet);
    for label in diagnostic.labels.iter().filter(|label| label.file != diagnostic.file) {
        if let Some(source) = text(&label.file) {
            let context = AnnotationKind::Context.span(span(source, label.line, label.column)).label(label.text.as_str());
            group = group.element(Snippet::source(source).path(label.file.as_str()).annotation(context));
        }
    }
    group
}

/// The bytes of the word, text or sign that stands at a line and column.
fn span(source: &str, line: u32, column: u32) -> Range<usize> {
    let wanted = (line as usize).saturating_sub(1);
    let begin: usize = source.split_inclusive('\n').take(wanted).map(str::len).sum();
    let row = source.get(begin..).unwrap_or_default().lines().next().unwrap_or_default();
    let (at, rest) =
        row.char_indices().nth((column as usize).saturating_sub(1)).map_or((row.len(), ""), |(at, _)| (at, row.get(at..).unwrap_or_default()));
    begin + at..begin + at + width(rest)
}

fn width(rest: &str) -> usize {
    match rest.chars().next() {
        None => 0,
        Some(quote @ ('"' | '`')) => rest.char_indices().skip(1).find(|(_, c)| *c == quote).map_or(rest.len(), |(at, _)| at + 1),
        Some(c) if c.is_alphanumeric() || c == '_' => {
            rest.char_indices().find(|(_, c)| !c.is_alphanumeric() && *c != '_').map_or(rest.len(), |(at, _)| at)
        }
        Some(c) => c.len_utf8(),
    }
}
