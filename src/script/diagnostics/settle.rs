//! From "this word" to its place: findings point at the very word, and suggestions become edits of the text.

use std::sync::Arc;

use rhai::Position;

use crate::script::{declaration::Place, desk::Maps, spots::Parts, spots::Spot};

use super::{Diagnostic, Suggestion, diagnostic::Meant};

/// Settles each finding against the source as it was read. A suggestion whose word does not stand where it should is dropped.
pub(in crate::script) fn settle(found: &mut [Diagnostic], maps: &Maps, text: impl Fn(&str) -> Option<Arc<str>>) {
    for finding in found {
        if finding.about.is_none() && finding.meant.is_empty() {
            continue;
        }
        let source = text(&finding.file);
        let Some(source) = source.as_deref() else { continue };
        pinpoint(finding, maps, source);
        let (meant, at) = (std::mem::take(&mut finding.meant), finding.place());
        finding.suggestions.extend(meant.into_iter().filter_map(|meant| edit(&at, meant, source)));
    }
}

/// Moves a finding from a call to the first text within its arguments that is the word it is about.
fn pinpoint(finding: &mut Diagnostic, maps: &Maps, source: &str) {
    let Some(word) = finding.about.take() else { return };
    if stands(source, &finding.place(), &word).is_some() {
        return;
    }
    let (Ok(line), Ok(column)) = (u16::try_from(finding.line), u16::try_from(finding.column)) else { return };
    let Some(map) = maps.get(&finding.file).filter(|_| line > 0) else { return };
    let at = map.spots_at(Position::new(line, column)).iter().find_map(|spot| text_at(spot, &word));
    if let Some(at) = at {
        let place = map.place(at);
        (finding.line, finding.column) = (place.line, place.column);
    }
}

/// Where a word is written as a text or as a key.
fn text_at(spot: &Spot, word: &str) -> Option<Position> {
    match &spot.parts {
        Parts::Text(text) => (text == word).then_some(spot.at),
        Parts::List(items) => items.iter().find_map(|item| text_at(item, word)),
        Parts::Map(entries) => entries.iter().find_map(|(key, at, value)| if key == word { Some(*at) } else { text_at(value, word) }),
        Parts::Other => None,
    }
}

/// The edit that puts one word in the place of another.
fn edit(at: &Place, meant: Meant, source: &str) -> Option<Suggestion> {
    let column = stands(source, at, &meant.written)?;
    let replacement = match source_char(source, at.line, column.checked_sub(1)?) {
        // A bare key that becomes a text has to stay one word.
        quote if quote != Some('"') && !is_word(&meant.instead) => return None,
        _ => meant.instead,
    };
    let width = u32::try_from(meant.written.chars().count()).ok()?;
    Some(Suggestion {
        file: at.file.clone(),
        line: at.line,
        column,
        end_line: at.line,
        end_column: column + width,
        replacement,
        certain: meant.certain,
    })
}

fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.starts_with(|c: char| c.is_numeric())
}

fn source_char(source: &str, line: u32, column: u32) -> Option<char> {
    let row = source.lines().nth(line.checked_sub(1)? as usize)?;
    row.chars().nth(column.checked_sub(1)? as usize)
}

/// The column where a word begins that stands at a place, bare or as a text in quotes.
fn stands(source: &str, at: &Place, word: &str) -> Option<u32> {
    let row = source.lines().nth((at.line as usize).checked_sub(1)?)?;
    let rest: Vec<char> = row.chars().skip((at.column as usize).checked_sub(1)?).collect();
    let begins = |skip: usize| rest.get(skip..).is_some_and(|rest| word.chars().enumerate().all(|(n, c)| rest.get(n) == Some(&c)));
    let after = |skip: usize| rest.get(skip + word.chars().count()).copied();
    let continues = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match rest.first()? {
        '"' => (begins(1) && after(1) == Some('"')).then_some(at.column + 1),
        _ => (begins(0) && !continues(after(0))).then_some(at.column),
    }
}
