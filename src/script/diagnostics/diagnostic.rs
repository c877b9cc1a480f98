//! One finding about a script, with its place and a next step.

use serde::Serialize;

use crate::script::declaration::Place;

use super::Id;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// A second place and what it has to do with the finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub text: String,
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

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where it points.
    pub fn place(&self) -> Place {
        Place { file: self.file.clone(), line: self.line, column: self.column }
    }
}
