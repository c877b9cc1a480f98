//! One value of a row: small, and without text for the ids of the company.

use std::{
    borrow::Cow,
    cmp::Ordering,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use serde_json::{Number, Value};

use crate::sandbox::company::{Company, mix};

/// One value. Ids of seeded accounts and visitors stay indices until they are shown.
#[derive(Debug, Clone)]
pub(in crate::sandbox::pendo) enum Datum {
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    Account(u64),
    Visitor(u64),
    /// A list or an object.
    Json(Arc<Value>),
}

/// A value as a key of groups and sets: equal values have equal keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Number(u64),
    Text(Arc<str>),
    Account(u64),
    Visitor(u64),
    Json(String),
}

/// Hashes keys quickly; nobody chooses them to make the sandbox slow.
pub(super) type Quick = BuildHasherDefault<Mixed>;

/// A hash made by mixing in one word after the other.
#[derive(Debug, Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.write_u64(xxhash_rust::xxh3::xxh3_64(bytes));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0 ^ word);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word.cast_unsigned() as u64);
    }
}

/// Whole numbers up to here are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Datum {
    #[allow(clippy::cast_precision_loss)]
    pub(super) const fn int(number: i64) -> Self {
        Self::Number(number as f64)
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// An id that stands in an account's or a visitor's place: an index when it is a seeded one's.
    pub(super) fn id(text: &str, company: &Company) -> Self {
        match seeded(text, company) {
            Some(Key::Account(index)) => Self::Account(index),
            Some(Key::Visitor(index)) => Self::Visitor(index),
            _ => Self::text(text),
        }
    }

    /// As text, if it is one.
    pub(super) fn as_text<'a>(&'a self, company: &Company) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Account(index) => Some(Cow::Owned(company.account_id(*index))),
            Self::Visitor(index) => Some(Cow::Owned(company.email(*index))),
            _ => None,
        }
    }

    pub(super) const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether a condition with this value holds.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Account(_) | Self::Visitor(_) | Self::Json(_) => true,
        }
    }

    pub(super) fn into_json(self, company: &Company) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Number(number) => number_json(number),
            Self::Text(text) => text.as_ref().into(),
            Self::Account(index) => company.account_id(index).into(),
            Self::Visitor(index) => company.email(index).into(),
            Self::Json(value) => Arc::unwrap_or_clone(value),
        }
    }

    pub(super) fn key(&self, company: &Company) -> Key {
        match self {
            Self::Null => Key::Null,
            Self::Bool(value) => Key::Bool(*value),
            Self::Number(number) => Key::Number(if *number == 0.0 { 0 } else { number.to_bits() }),
            Self::Text(text) => seeded(text, company).unwrap_or_else(|| Key::Text(Arc::clone(text))),
            Self::Account(index) => Key::Account(*index),
            Self::Visitor(index) => Key::Visitor(*index),
            Self::Json(value) => Key::Json(value.to_string()),
        }
    }

    /// Which is less, where that can be said: numbers and texts each among themselves, and a number with a text that is a time.
    pub(super) fn compare(&self, other: &Self, company: &Company) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.partial_cmp(other),
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::Account(one), Self::Account(other)) => Some(one.cmp(other)),
            (Self::Number(one), Self::Text(text)) => one.partial_cmp(&time(text)?),
            (Self::Text(text), Self::Number(other)) => time(text)?.partial_cmp(other),
            _ => Some(self.as_text(company)?.cmp(&other.as_text(company)?)),
        }
    }

    pub(super) fn equals(&self, other: &Self, company: &Company) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Visitor(one), Self::Visitor(other)) => one == other,
            (Self::Json(one), Self::Json(other)) => one == other,
            _ => self.compare(other, company) == Some(Ordering::Equal),
        }
    }

    /// An order of all values: nothing, truth, numbers, texts, the rest.
    pub(super) fn order(&self, other: &Self, company: &Company) -> Ordering {
        let rank = |datum: &Self| match datum {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::Text(_) | Self::Account(_) | Self::Visitor(_) => 3,
            Self::Json(_) => 4,
        };
        rank(self).cmp(&rank(other)).then_with(|| match (self, other) {
            (Self::Json(one), Self::Json(other)) => one.to_string().cmp(&other.to_string()),
            (Self::Visitor(one), Self::Visitor(other)) if one == other => Ordering::Equal,
            _ => self.compare(other, company).unwrap_or(Ordering::Equal),
        })
    }
}

impl From<&Value> for Datum {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::text(text),
            list_or_object => Self::Json(Arc::new(list_or_object.clone())),
        }
    }
}

impl From<Value> for Datum {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(_) | Value::Object(_) => Self::Json(Arc::new(value)),
            simple => Self::from(&simple),
        }
    }
}

/// The seeded account or visitor with exactly this id.
fn seeded(text: &str, company: &Company) -> Option<Key> {
    if text.contains('@') {
        return company.person_of_email(text).map(Key::Visitor);
    }
    let index = (text.len() == 18).then(|| company.account_of_id(text))??;
    (company.account_id(index) == text).then_some(Key::Account(index))
}

/// Whole numbers are shown without a fraction.
fn number_json(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    if number.fract() == 0.0 && number.abs() < EXACT {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A day or an instant in text, in milliseconds since the Unix epoch.
fn time(text: &str) -> Option<f64> {
    if text.as_bytes().get(4).is_none_or(|dash| *dash != b'-') {
        return None;
    }
    let day = || Some(text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    let instant = text.parse::<jiff::Timestamp>().ok().or_else(day)?;
    #[allow(clippy::cast_precision_loss)]
    Some(instant.as_millisecond() as f64)
}
