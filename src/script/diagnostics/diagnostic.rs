//! One finding about a script, with its place and a next step.

use serde::Serialize;

use crate::script::{
    declaration::Place,
    suggest::{Guess, guess},
};

use super::Id;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    /// The word in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A finding. Lines and columns count from 1 (columns in characters); 0 stands for the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// As in `codes::CODES`.
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    /// Relative to the workspace.
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// What to do about it.
    pub hint: Option<String>,
    /// Other places that belong to it.
    pub labels: Vec<Label>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// Edits that would mend it.
    pub suggestions: Vec<Suggestion>,
    /// The word of the source it is about, where the place is only that of the call around it.
    #[serde(skip)]
    pub(in crate::script) about: Option<String>,
    /// What was meant by a word, not yet tied to the text.
    #[serde(skip)]
    pub(in crate::script) meant: Vec<Meant>,
}

/// A second place and what it has to do with the finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub text: String,
}

/// An edit: what stands from the one place up to the other becomes `replacement`. Columns count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    pub replacement: String,
    /// Nothing else can have been meant: `tabi check --fix` applies it.
    pub certain: bool,
}

/// A word of the source and the one that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::script) struct Meant {
    pub(super) written: String,
    pub(super) instead: String,
    pub(super) certain: bool,
}

impl Diagnostic {
    pub(in crate::script) fn new(id: Id, place: &Place, message: impl Into<String>) -> Self {
        Self {
            code: id.code(),
            severity: id.severity(),
            message: message.into(),
            file: place.file.clone(),
            line: place.line,
            column: place.column,
            hint: None,
            labels: Vec::new(),
            notes: Vec::new(),
            suggestions: Vec::new(),
            about: None,
            meant: Vec::new(),
        }
    }

    pub(in crate::script) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(in crate::script) fn hint_if(self, hint: Option<String>) -> Self {
        Self { hint: hint.or(self.hint.clone()), ..self }
    }

    pub(in crate::script) fn label(mut self, place: &Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { file: place.file.clone(), line: place.line, column: place.column, text: text.into() });
        self
    }

    pub(in crate::script) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Points at this word, where it is written within the call at the finding's place.
    pub(in crate::script) fn about(mut self, word: &str) -> Self {
        self.about = Some(word.to_owned());
        self
    }

    /// Names the nearest of the known names as what was meant by the word at the finding's place; without one, the other hint.
    pub(in crate::script) fn meant<'a>(
        self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl FnOnce() -> Option<String>,
    ) -> Self {
        match guess(written, known) {
            Some(Guess { name, certain }) => self.instead(written, name, certain).hint(format!("did you mean `{name}`?")),
            None => self.hint_if(otherwise()),
        }
    }

    /// Suggests another word for the one at the finding's place.
    pub(in crate::script) fn instead(mut self, written: &str, instead: &str, certain: bool) -> Self {
        self.meant.push(Meant { written: written.to_owned(), instead: instead.to_owned(), certain });
        self
    }

    /// Suggests text to put in at a place.
    pub(in crate::script) fn insertion(mut self, at: &Place, text: &str, certain: bool) -> Self {
        self.suggestions.push(Suggestion {
            file: at.file.clone(),
            line: at.line,
            column: at.column,
            end_line: at.line,
            end_column: at.column,
            replacement: text.to_owned(),
            certain,
        });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where it points.
    pub fn place(&self) -> Place {
        Place { file: self.file.clone(), line: self.line, column: self.column }
    }
}
