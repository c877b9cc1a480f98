//! One file, taken apart: its name, which body it is, its subject.

use std::sync::Arc;

/// Where templates are.
pub(super) const FOLDER: &str = "scripts/templates/";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Text,
    Html,
}

impl Part {
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Html => "html",
        }
    }
}

/// A template file. Lines of the body are counted from `first_line`.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Relative to the workspace.
    pub(super) file: String,
    /// `surveys/nps` of `scripts/templates/surveys/nps.html`.
    pub(super) name: String,
    pub(super) part: Part,
    /// What stands behind `Subject:`, and its column.
    pub(super) subject: Option<(String, u32)>,
    pub(super) body: String,
    pub(super) first_line: u32,
    /// The whole file.
    pub(super) whole: Arc<str>,
}

/// The name and body that a file is of; none when it is no template.
pub(super) fn part_of(file: &str) -> Option<(&str, Part)> {
    let (name, extension) = file.strip_prefix(FOLDER)?.rsplit_once('.')?;
    match extension {
        "txt" => Some((name, Part::Text)),
        "html" => Some((name, Part::Html)),
        _ => None,
    }
}

impl Source {
    pub(super) fn new(file: &str, whole: &Arc<str>) -> Option<Self> {
        let (name, part) = part_of(file)?;
        let text = whole.as_ref();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let subject = first.split_once(':').filter(|(word, _)| word.eq_ignore_ascii_case("subject")).map(|(word, subject)| {
            let blanks = subject.len() - subject.trim_start().len();
            (subject.trim().to_owned(), u32::try_from(word.len() + 2 + blanks).unwrap_or(1))
        });
        let (body, first_line) = if subject.is_some() { (rest, 2) } else { (text, 1) };
        Some(Self { file: file.to_owned(), name: name.to_owned(), part, subject, body: body.to_owned(), first_line, whole: Arc::clone(whole) })
    }

    /// As includes and errors name the body.
    pub(super) fn body_name(&self) -> String {
        format!("{}.{}", self.name, self.part.extension())
    }
}
