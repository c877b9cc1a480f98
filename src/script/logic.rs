//! The grammar of filter logic: `A AND (B OR NOT C)`. NOT binds tightest, then AND, then OR, as in both vendors' consoles.

use winnow::{
    Parser, Result,
    ascii::multispace0,
    combinator::{alt, delimited, eof, preceded, separated, terminated},
    error::ContextError,
    token::take_while,
};

use crate::model::Logic;

/// Brackets deeper than this are nobody's filter.
const DEEPEST: usize = 32;

/// Parses logic over labels.
///
/// # Errors
/// The column (from 0) of the first character that does not fit.
pub(super) fn parse(text: &str) -> std::result::Result<Logic, usize> {
    let depths = text.char_indices().scan(0_usize, |depth, (at, c)| {
        match c {
            '(' => *depth += 1,
            ')' => *depth = depth.saturating_sub(1),
            _ => (),
        }
        Some((at, *depth))
    });
    if let Some((at, _)) = depths.into_iter().find(|(_, depth)| *depth > DEEPEST) {
        return Err(at);
    }
    // The parser would point at the bracket itself; what is missing is missing at the end.
    if text.matches('(').count() > text.matches(')').count() {
        return Err(text.len());
    }
    terminated(any_of, eof).parse(text).map_err(|error| error.offset())
}

fn any_of(input: &mut &str) -> Result<Logic> {
    let parts: Vec<Logic> = separated(1.., all_of, word("or")).parse_next(input)?;
    Ok(joined(parts, Logic::Any))
}

fn all_of(input: &mut &str) -> Result<Logic> {
    let parts: Vec<Logic> = separated(1.., single, word("and")).parse_next(input)?;
    Ok(joined(parts, Logic::All))
}

fn single(input: &mut &str) -> Result<Logic> {
    let not = preceded(word("not"), single).map(|inner| Logic::Not(Box::new(inner)));
    let bracket = delimited(token("("), any_of, token(")"));
    alt((not, bracket, label.map(Logic::Is))).parse_next(input)
}

fn label(input: &mut &str) -> Result<String> {
    let name = delimited(multispace0, identifier, multispace0);
    name.verify(|name: &str| !["and", "or", "not"].contains(&name.to_lowercase().as_str())).map(ToOwned::to_owned).parse_next(input)
}

fn identifier<'i>(input: &mut &'i str) -> Result<&'i str> {
    take_while(1.., |c: char| c.is_alphanumeric() || c == '_').parse_next(input)
}

/// A whole word, in any case.
fn word<'i>(wanted: &'static str) -> impl Parser<&'i str, &'i str, ContextError> {
    delimited(multispace0, identifier.verify(move |found: &str| found.eq_ignore_ascii_case(wanted)), multispace0)
}

fn token<'i>(wanted: &'static str) -> impl Parser<&'i str, &'i str, ContextError> {
    delimited(multispace0, wanted, multispace0)
}

fn joined(mut parts: Vec<Logic>, join: fn(Vec<Logic>) -> Logic) -> Logic {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

/// The labels that logic names.
pub(super) fn labels(logic: &Logic) -> Vec<&str> {
    match logic {
        Logic::Is(label) => vec![label],
        Logic::Not(inner) => labels(inner),
        Logic::All(parts) | Logic::Any(parts) => parts.iter().flat_map(labels).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(logic: &Logic) -> String {
        let list = |word: &str, parts: &[Logic]| format!("{word}({})", parts.iter().map(shown).collect::<Vec<_>>().join(" "));
        match logic {
            Logic::Is(label) => label.clone(),
            Logic::Not(inner) => format!("not({})", shown(inner)),
            Logic::All(parts) => list("all", parts),
            Logic::Any(parts) => list("any", parts),
        }
    }

    #[test]
    fn logic_binds_as_the_consoles_do() {
        for (text, wanted) in [
            ("a", "a"),
            (" A AND (B OR C) ", "all(A any(B C))"),
            ("a or b and c", "any(a all(b c))"),
            ("not a and b", "all(not(a) b)"),
            ("NOT (a or b)", "not(any(a b))"),
            ("a and b and c", "all(a b c)"),
            ("nothing or android", "any(nothing android)"),
        ] {
            assert_eq!(parse(text).map(|logic| shown(&logic)), Ok(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_by_column() {
        for (text, at) in [("", 0), ("a and", 2), ("a b", 2), ("(a or b", 7), ("a && b", 2)] {
            let found = parse(text);
            assert!(found.is_err(), "{text}");
            assert!(found.as_ref().is_err_and(|found| found.abs_diff(at) <= 4), "{text}: {found:?}");
        }
        assert!(parse(&format!("{}a{}", "(".repeat(5000), ")".repeat(5000))).is_err());
    }
}
