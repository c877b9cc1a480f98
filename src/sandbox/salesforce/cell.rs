//! One value of one field, its stored form, and its forms in JSON and in bulk CSV.

use crate::sandbox::salesforce::schema::Kind;
use crate::sandbox::salesforce::time;
use serde_json::Value;
use smol_str::SmolStr;
use std::cmp::Ordering;

/// A value as stored. Ids and references are their 18-character texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Num(f64),
    Text(SmolStr),
    /// Days since 1970.
    Date(i32),
    /// Milliseconds since 1970.
    Datetime(i64),
    /// Milliseconds of the day.
    Time(u32),
}

impl Cell {
    /// A text cell; blank text is null, as the service stores it.
    pub(crate) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(SmolStr::new(text)) }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text inside, if this is text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number inside, if this is a number.
    pub(crate) fn as_num(&self) -> Option<f64> {
        if let Self::Num(number) = self { Some(*number) } else { None }
    }

    /// The JSON form by section 7 of the API notes.
    pub(crate) fn json(&self, kind: Kind) -> Value {
        match self {
            Self::Null if kind == Kind::Boolean => Value::Bool(false),
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Num(n) if kind == Kind::Int => Value::from(whole(*n)),
            Self::Num(n) => Value::from(*n),
            Self::Text(t) => Value::from(t.as_str()),
            Self::Date(d) => Value::from(time::format_date(*d)),
            Self::Datetime(ms) => Value::from(time::format_datetime(*ms, "+0000")),
            Self::Time(ms) => Value::from(time::format_time(*ms)),
        }
    }

    /// The text in a bulk result; null is empty.
    pub(crate) fn csv(&self, kind: Kind) -> String {
        match self {
            Self::Null if kind == Kind::Boolean => "false".to_owned(),
            Self::Null => String::new(),
            Self::Bool(b) => b.to_string(),
            Self::Num(n) if kind == Kind::Int => whole(*n).to_string(),
            Self::Num(n) => format!("{n:?}"),
            Self::Text(t) => t.to_string(),
            Self::Datetime(ms) => time::format_datetime(*ms, "Z"),
            Self::Date(d) => time::format_date(*d),
            Self::Time(ms) => time::format_time(*ms),
        }
    }

    /// Order within one field: nulls lowest, text without regard to case, ids by their characters.
    pub(crate) fn order(&self, other: &Self, kind: Kind) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Num(a), Self::Num(b)) => a.total_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Datetime(a), Self::Datetime(b)) => a.cmp(b),
            (Self::Date(a), Self::Datetime(b)) => (i64::from(*a) * time::DAY).cmp(b),
            (Self::Datetime(a), Self::Date(b)) => a.cmp(&(i64::from(*b) * time::DAY)),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) if kind.is_id() => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => fold_order(a, b),
            _ => Ordering::Equal,
        }
    }

    /// The form kept in the documents: JSON, with instants as milliseconds.
    pub(crate) fn stored(&self) -> Value {
        match self {
            Self::Datetime(ms) => Value::from(*ms),
            Self::Num(n) if n.fract() == 0.0 && n.abs() < 9.0e15 => Value::from(whole(*n)),
            other => other.json(Kind::Text),
        }
    }

    /// Reads what [`Cell::stored`] or a seed gave.
    pub(crate) fn load(stored: &Value, kind: Kind) -> Self {
        match (stored, kind) {
            (Value::Bool(b), _) => Self::Bool(*b),
            (Value::Number(n), Kind::Datetime) => n.as_i64().map_or(Self::Null, Self::Datetime),
            (Value::Number(n), _) => n.as_f64().map_or(Self::Null, Self::Num),
            (Value::String(text), Kind::Date) => time::parse_date(text).map_or(Self::Null, Self::Date),
            (Value::String(text), Kind::Datetime) => time::parse_datetime(text).map_or(Self::Null, Self::Datetime),
            (Value::String(text), Kind::Time) => time::parse_time(text).map_or(Self::Null, Self::Time),
            (Value::String(text), _) => Self::text(text),
            _ => Self::Null,
        }
    }
}

/// The whole part of a number that is known to be whole.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn whole(n: f64) -> i64 {
    n as i64
}

/// Compares two texts without regard to case.
pub(crate) fn fold_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()));
    }
    a.chars().flat_map(char::to_lowercase).cmp(b.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_values_come_back() {
        let cells = [
            (Cell::Null, Kind::Text),
            (Cell::Bool(true), Kind::Boolean),
            (Cell::Num(1.5), Kind::Double),
            (Cell::Num(2.0), Kind::Double),
            (Cell::text("Ann ✓"), Kind::Text),
            (Cell::Date(20_000), Kind::Date),
            (Cell::Datetime(-5000), Kind::Datetime),
            (Cell::Time(7), Kind::Time),
        ];
        for (cell, kind) in cells {
            assert_eq!(Cell::load(&cell.stored(), kind), cell);
        }
    }
}
