//! `tabi check --fix`: applies the edits that are certain, shows them as a diff, and leaves a file alone where there is any doubt.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::script::{Diagnostic, Generation, Suggestion};

use super::{
    Context, Failure,
    exit::Exit,
    render::{ADD, BOLD, DIM, REMOVE, WARN, many, paint},
};

/// The byte order mark: kept, and no part of the text that is edited.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// What to do with one file.
#[derive(Debug, Clone)]
pub(super) struct Mend {
    pub(super) file: String,
    /// In the order of the text, none touching another.
    edits: Vec<Suggestion>,
    before: Vec<u8>,
    after: Vec<u8>,
    path: PathBuf,
}

/// Files to edit, and files left alone with the reason.
#[derive(Debug, Default)]
pub(super) struct Mending {
    pub(super) mends: Vec<Mend>,
    pub(super) left: BTreeMap<String, String>,
    /// Nothing is written.
    pub(super) dry: bool,
}

/// What the certain suggestions come to.
pub(super) fn mending(found: &[Diagnostic], generation: &Generation, root: &Path) -> Mending {
    let mut by_file: BTreeMap<&str, Vec<&Suggestion>> = BTreeMap::new();
    for suggestion in found.iter().flat_map(|finding| &finding.suggestions) {
        by_file.entry(&suggestion.file).or_default().push(suggestion);
    }
    let mut mending = Mending::default();
    for (file, suggestions) in by_file {
        match mend(file, suggestions, generation, root) {
            Ok(mend) => mending.mends.push(mend),
            Err(reason) => {
                mending.left.insert(file.to_owned(), reason);
            }
        }
    }
    mending
}

/// The edits of one file, or why it is left alone.
fn mend(file: &str, suggestions: Vec<&Suggestion>, generation: &Generation, root: &Path) -> Result<Mend, String> {
    if suggestions.iter().any(|suggestion| !suggestion.certain) {
        return Err("more than one thing can have been meant in it".to_owned());
    }
    let mut edits: Vec<Suggestion> = suggestions.into_iter().cloned().collect();
    edits.sort_by_key(|edit| (edit.line, edit.column, edit.end_line, edit.end_column));
    edits.dedup();
    let overlap = |pair: &[Suggestion]| pair.iter().zip(pair.iter().skip(1)).any(|(a, b)| (a.end_line, a.end_column) > (b.line, b.column));
    if edits.windows(2).any(overlap) {
        return Err("its suggestions contradict each other".to_owned());
    }
    let path = fs::canonicalize(root.join(file)).map_err(|error| error.to_string())?;
    let before = fs::read(&path).map_err(|error| error.to_string())?;
    let text = generation.text(file).unwrap_or_default();
    let mark = if before.starts_with(MARK) { MARK } else { &[] };
    if before.get(mark.len()..) != Some(text.as_bytes()) {
        return Err("it changed while it was checked".to_owned());
    }
    let after = edited(text, &edits).ok_or("a suggestion does not fit its text")?;
    let after = [mark, after.as_bytes()].concat();
    Ok(Mend { file: file.to_owned(), edits, before, after, path })
}

/// The text with the edits made; line endings are not looked at and so stay as they are.
fn edited(text: &str, edits: &[Suggestion]) -> Option<String> {
    let mut after = text.to_owned();
    for edit in edits.iter().rev() {
        let (from, to) = (offset(text, edit.line, edit.column)?, offset(text, edit.end_line, edit.end_column)?);
        after.replace_range(from..to, &edit.replacement);
    }
    Some(after)
}

/// The byte at a line and column; a column just behind the line is its end.
fn offset(text: &str, line: u32, column: u32) -> Option<usize> {
    let begin: usize = text.split_inclusive('\n').take((line as usize).checked_sub(1)?).map(str::len).sum();
    let row = text.get(begin..)?.split('\n').next()?.trim_end_matches('\r');
    let wanted = (column as usize).checked_sub(1)?;
    match row.char_indices().nth(wanted) {
        Some((at, _)) => Some(begin + at),
        None => (row.chars().count() == wanted).then_some(begin + row.len()),
    }
}

impl Mend {
    /// Writes the file in whole or not at all: a new one beside it takes its place, with its permissions.
    pub(super) fn write(&self) -> Result<(), Failure> {
        replace(&self.path, &self.after).map_err(|error| unwritable(&self.file, &error))
    }

    /// Puts the file back as it was.
    pub(super) fn restore(&self) -> Result<(), Failure> {
        replace(&self.path, &self.before).map_err(|error| unwritable(&self.file, &error))
    }

    /// How many edits it has.
    pub(super) fn count(&self) -> usize {
        self.edits.len()
    }

    pub(super) fn document(&self) -> Value {
        json!({"file": self.file, "edits": self.edits})
    }

    /// The lines before and after, numbered.
    pub(super) fn diff(&self, cx: &Context) {
        let [before, after] =
            [&self.before, &self.after].map(|bytes| String::from_utf8_lossy(bytes.strip_prefix(MARK).unwrap_or(bytes)).into_owned());
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        cx.out.line(paint(BOLD, &self.file));
        for (at, (was, is)) in old.iter().zip(&new).enumerate().filter(|(_, (was, is))| was != is) {
            cx.out.line(paint(REMOVE, format!("{:>5} - {was}", at + 1)));
            cx.out.line(paint(ADD, format!("{:>5} + {is}", at + 1)));
        }
    }
}

fn unwritable(file: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, "unwritable", format!("`{file}` cannot be written: {error}"))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, bytes).and_then(|()| fs::set_permissions(&beside, fs::metadata(path)?.permissions()));
    let moved = written.and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        // What is left of it helps nobody, and the error is told.
        let _ = fs::remove_file(&beside);
    }
    moved
}

/// Says which files have suggestions and were left alone.
pub(super) fn tell_left(left: &BTreeMap<String, String>, cx: &Context) {
    for (file, reason) in left {
        cx.out.line(format!("{} {file}: {reason}", paint(WARN, "left alone:")));
    }
}

/// How many edits there are in how many files.
pub(super) fn tell_count(mends: &[Mend], dry: bool, cx: &Context) {
    let edits: usize = mends.iter().map(Mend::count).sum();
    let verb = if dry { "would be mended" } else { "mended" };
    cx.out.line(paint(DIM, format!("{} in {} {verb}\n", many(edits as u64, "place"), many(mends.len() as u64, "file"))));
}
