//! Syntax errors that one sign would mend: the sign is tried, and suggested as certain when the whole file then parses.

use rhai::{Engine, ParseError, ParseErrorType, Position};

use super::{declaration::Place, spots::place};

/// A sign to put in, and where.
pub(super) struct Missing {
    pub(super) sign: &'static str,
    pub(super) at: Place,
}

/// The one sign that is missing; none when it is not sure to be the only thing wrong.
pub(super) fn missing(engine: &Engine, (name, text): (&str, &str), error: &ParseError) -> Option<Missing> {
    let ParseErrorType::MissingToken(token, _) = error.0.as_ref() else { return None };
    let sign = match token.as_str() {
        ";" => ";",
        "," => ",",
        _ => return None,
    };
    let found_at = offset(text, error.1)?;
    let at = end_of_code(text.get(..found_at)?)?;
    let (before, after) = text.split_at_checked(at)?;
    let mended = format!("{before}{sign}{after}");
    engine.compile(&mended).is_ok().then(|| Missing { sign, at: place_of(name, before) })
}

/// The byte at which a position begins; the end of the text for one behind it.
fn offset(text: &str, at: Position) -> Option<usize> {
    let (line, column) = (at.line()?, at.position()?.max(1));
    let begin: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let row = text.get(begin..)?;
    Some(row.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| begin + at))
}

/// The place just behind a text.
fn place_of(name: &str, before: &str) -> Place {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |n| u16::try_from(n).unwrap_or(u16::MAX);
    place(name, Position::new(number(line), number(column)))
}

/// Where the last piece of code ends: behind it come only blanks and comments.
fn end_of_code(text: &str) -> Option<usize> {
    let (mut end, mut rest) = (None, text);
    while let Some(c) = rest.chars().next() {
        let begin = text.len() - rest.len();
        let length = match c {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => block(rest),
            '"' | '`' | '\'' => {
                let length = quoted(rest, c);
                end = Some(begin + length);
                length
            }
            c if c.is_whitespace() => c.len_utf8(),
            c => {
                end = Some(begin + c.len_utf8());
                c.len_utf8()
            }
        };
        rest = rest.get(length.max(1)..)?;
    }
    end
}

/// The length of a block comment, others nested in it.
fn block(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = match rest {
            _ if rest.starts_with("/*") => {
                depth += 1;
                2
            }
            _ if rest.starts_with("*/") => {
                depth = depth.saturating_sub(1);
                2
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a text in quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => (),
        }
    }
    text.len()
}
