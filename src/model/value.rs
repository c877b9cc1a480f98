//! One cell (`Value`) and one row (`Record`), the same for every system.

use std::{cmp::Ordering, fmt};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use smol_str::SmolStr;

use super::{decimal::Decimal, moment::Moment};

/// The name of a field. Cheap to clone.
pub type Name = SmolStr;

/// One cell. Serialises as plain JSON: dates as `2026-01-31`, instants as RFC 3339 UTC.
/// Reading JSON back gives text for dates: only a schema knows better (`FieldType::fit`).
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(SmolStr),
    Date(Date),
    Instant(Timestamp),
    List(Vec<Value>),
    Map(Record),
}

impl Value {
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(SmolStr::new(text))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss)]
            Self::Int(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// A day, or text that is one.
    pub fn as_day(&self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(*date),
            Self::Text(text) => match Moment::read(text)? {
                Moment::Day(date) => Some(date),
                Moment::Local(_) | Moment::Instant(_) => None,
            },
            _ => None,
        }
    }

    /// Null, or text without anything but white space.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The word for this value's type in messages.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "number",
            Self::Text(_) => "text",
            Self::Date(_) => "date",
            Self::Instant(_) => "date and time",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let inner = match self {
            // Short text lies within the value itself.
            Self::Text(text) if text.is_heap_allocated() => text.len(),
            Self::List(items) => items.iter().map(Self::weight).sum(),
            Self::Map(record) => record.weight(),
            _ => 0,
        };
        size_of::<Self>() + inner
    }

    /// Orders values of one type: numbers, texts, truth values, dates, instants. A date and an instant need a zone: see `Condition`.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Float(b)) => order(*a, *b),
            (Self::Float(a), Self::Int(b)) => order(*b, *a).map(Ordering::reverse),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

/// Exactly: as doubles, whole numbers above 2^53 would be equal to their neighbours.
fn order(n: i64, x: f64) -> Option<Ordering> {
    Decimal::of_float(x).map(|x| Decimal::of_int(n).order(&x)).or_else(|| 0.0.partial_cmp(&x))
}

/// The value as a person would read it in a table; no quotes around text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Text(text) => f.write_str(text),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(at) => write!(f, "{at}"),
            Self::List(_) | Self::Map(_) => f.write_str(&serde_json::to_string(self).unwrap_or_default()),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(b) => to.serialize_bool(*b),
            Self::Int(n) => to.serialize_i64(*n),
            Self::Float(x) => to.serialize_f64(*x),
            Self::Text(text) => to.serialize_str(text),
            Self::Date(date) => to.collect_str(date),
            Self::Instant(at) => to.collect_str(at),
            Self::List(items) => items.serialize(to),
            Self::Map(record) => record.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
                from.deserialize_any(self)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(Value::Int(n))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
                // Its digits, rather than another number.
                Ok(i64::try_from(n).map_or_else(|_| Value::text(n.to_string()), Value::Int))
            }
            fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
                Ok(Value::Float(x))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::text(text))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let (mut record, mut names) = (Record::new(), Names::default());
                while let Some((name, value)) = map.next_entry::<Name, Value>()? {
                    if names.is_new(&name) {
                        record.0.push((name, value));
                    } else {
                        record.set(name, value);
                    }
                }
                Ok(Value::Map(record))
            }
        }
        from.deserialize_any(Visitor)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        serde_json::from_value(json).unwrap_or_default()
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        serde_json::to_value(value).unwrap_or_default()
    }
}

/// Which names a record has so far, roughly: tells most new names apart without comparing them with all others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names([u64; 4]);

impl Names {
    /// Notes the name. True for one that surely was not noted before.
    pub(crate) fn is_new(&mut self, name: &str) -> bool {
        let bytes = name.as_bytes();
        let at = |place: usize| bytes.get(place).map_or(0, |byte| usize::from(*byte));
        let mixed = at(0) + at(bytes.len() / 2) * 31 + at(bytes.len().wrapping_sub(1)) * 7 + bytes.len() * 67;
        let (word, bit) = (&mut self.0[mixed / 64 % 4], 1 << (mixed % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// One row: fields in the order they were set, each name once. Names are compared exactly.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record(Vec<(Name, Value)>);

impl Record {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// As `get`, looking at a position first and telling the position where it was: rows of one source have their fields in one order.
    #[inline]
    pub fn get_near(&self, position: usize, name: &str) -> Option<(usize, &Value)> {
        if let Some((known, value)) = self.0.get(position)
            && known == name
        {
            return Some((position, value));
        }
        self.0.iter().enumerate().find(|(_, (known, _))| known == name).map(|(at, (_, value))| (at, value))
    }

    /// The value at a dotted path (`Owner.Name`): a field of that very name first, else through nested maps.
    pub fn path(&self, path: &str) -> Option<&Value> {
        if let Some(found) = self.get(path) {
            return Some(found);
        }
        let (head, tail) = path.split_once('.')?;
        match self.get(head)? {
            Value::Map(inner) => inner.path(tail),
            Value::Null => Some(&Value::Null),
            _ => None,
        }
    }

    /// Sets or replaces a field.
    pub fn set(&mut self, name: impl Into<Name>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Appends a field known not to be there yet.
    pub fn push(&mut self, name: Name, value: Value) {
        debug_assert!(self.get(&name).is_none(), "{name} twice in one record");
        self.0.push((name, value));
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.0.iter().map(|(_, value)| size_of::<Name>() + value.weight()).sum()
    }
}

impl IntoIterator for Record {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Name, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        let (mut record, mut names) = (Self::with_capacity(fields.size_hint().0), Names::default());
        for (name, value) in fields {
            if names.is_new(&name) {
                record.0.push((name, value));
            } else {
                record.set(name, value);
            }
        }
        record
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::Map(record) => Ok(record),
            other => Err(serde::de::Error::custom(format!("expected a record, found {}", other.type_name()))),
        }
    }
}
