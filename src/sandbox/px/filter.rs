//! The filter and sort parameters: terms joined by `;` all hold, one of several parameters is enough.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    answer::{Refused, bad},
    query::{Query, instant},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

/// Longer ones first.
const OPERATORS: [(&str, Operator); 8] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("!~", Operator::NotLike),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Like),
];

#[derive(Debug)]
pub(super) struct Term {
    pub(super) field: String,
    pub(super) operator: Operator,
    pub(super) value: String,
}

/// One of the lists has to hold, with all of its terms.
#[derive(Debug, Default)]
pub(super) struct Filter(pub(super) Vec<Vec<Term>>);

impl Filter {
    /// The filter of a call; fields that `knows` does not know are refused.
    pub(super) fn of(query: &Query, knows: impl Fn(&str) -> bool) -> Result<Self, Refused> {
        let one = |text: &str| text.split(';').map(str::trim).filter(|term| !term.is_empty()).map(term).collect::<Result<Vec<_>, _>>();
        let filter = Self(query.all("filter").map(one).collect::<Result<_, _>>()?);
        match filter.0.iter().flatten().find(|term| !knows(&term.field)) {
            Some(term) => Err(bad(format!("Invalid filter field: {}", term.field))),
            None => Ok(filter),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn matches(&self, get: impl Fn(&str) -> Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|terms| terms.iter().all(|term| term.matches(&get(&term.field))))
    }

    /// Whether it asks for nothing but that the field equals one of several values.
    pub(super) fn is_only(&self, field: &str) -> bool {
        let equals = |terms: &Vec<Term>| matches!(terms.as_slice(), [term] if term.field == field && term.operator == Operator::Equal);
        !self.0.is_empty() && self.0.iter().all(equals)
    }

    /// The values one of which a field has to equal; none when the filter lets others through.
    pub(super) fn only(&self, field: &str) -> Option<Vec<&str>> {
        let equal = |terms: &'_ Vec<Term>| terms.iter().position(|term| term.field == field && term.operator == Operator::Equal);
        if self.0.is_empty() {
            return None;
        }
        self.0.iter().map(|terms| equal(terms).map(|at| terms[at].value.as_str())).collect()
    }
}

fn term(text: &str) -> Result<Term, Refused> {
    let wrong = || bad(format!("Invalid filter: {text}"));
    let end = text.find(['=', '!', '<', '>', '~']).ok_or_else(wrong)?;
    let (field, rest) = text.split_at(end);
    let (word, operator) = OPERATORS.iter().find(|(word, _)| rest.starts_with(word)).ok_or_else(wrong)?;
    if field.trim().is_empty() {
        return Err(wrong());
    }
    Ok(Term { field: field.trim().to_owned(), operator: *operator, value: rest[word.len()..].trim().to_owned() })
}

impl Term {
    fn matches(&self, value: &Value) -> bool {
        if let Value::Array(items) = value {
            let negative = matches!(self.operator, Operator::NotEqual | Operator::NotLike);
            return if negative { items.iter().all(|item| self.matches(item)) } else { items.iter().any(|item| self.matches(item)) };
        }
        let ordering = compared(value, &self.value);
        match self.operator {
            Operator::Equal => ordering == Some(Ordering::Equal),
            Operator::NotEqual => ordering != Some(Ordering::Equal),
            Operator::Less => ordering == Some(Ordering::Less),
            Operator::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Operator::Greater => ordering == Some(Ordering::Greater),
            Operator::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
            Operator::Like => like(value, &self.value),
            Operator::NotLike => !like(value, &self.value),
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn compared(value: &Value, wanted: &str) -> Option<Ordering> {
    match value {
        Value::Null => wanted.is_empty().then_some(Ordering::Equal),
        Value::Bool(value) => value.to_string().eq_ignore_ascii_case(wanted).then_some(Ordering::Equal),
        Value::Number(number) => number.as_f64()?.partial_cmp(&wanted.parse().ok().or_else(|| instant(wanted).map(|ms| ms as f64))?),
        Value::String(text) => Some(text.to_lowercase().cmp(&wanted.to_lowercase())),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn like(value: &Value, pattern: &str) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
    wild(&text.chars().collect::<Vec<_>>(), &pattern.to_lowercase().chars().collect::<Vec<_>>())
}

/// `*` stands for any text, `?` for one letter.
fn wild(text: &[char], pattern: &[char]) -> bool {
    let (mut at, mut of, mut star) = (0, 0, None);
    while at < text.len() {
        if pattern.get(of) == Some(&'*') {
            star = Some((of, at));
            of += 1;
        } else if pattern.get(of).is_some_and(|letter| *letter == '?' || *letter == text[at]) {
            (at, of) = (at + 1, of + 1);
        } else if let Some((place, from)) = star {
            star = Some((place, from + 1));
            (at, of) = (from + 1, place + 1);
        } else {
            return false;
        }
    }
    pattern[of..].iter().all(|letter| *letter == '*')
}

/// Fields to sort by, each true when descending.
pub(super) fn sort(query: &Query, knows: impl Fn(&str) -> bool) -> Result<Vec<(String, bool)>, Refused> {
    let parts = query.all("sort").flat_map(|text| text.split(';')).map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let descending = part.starts_with('-');
            let field = part.trim_start_matches(['-', '+']).trim();
            if knows(field) { Ok((field.to_owned(), descending)) } else { Err(bad(format!("Invalid sort field: {field}"))) }
        })
        .collect()
}

/// Orders two values as sorting does: numbers by size, text without case, nothing first.
pub(super) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}

/// The first difference of two rows in the sorted fields.
pub(super) fn ordered(sort: &[(String, bool)], a: &[Value], b: &[Value]) -> Ordering {
    let parts = sort.iter().zip(a.iter().zip(b)).map(|((_, descending), (a, b))| if *descending { order(b, a) } else { order(a, b) });
    parts.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}
