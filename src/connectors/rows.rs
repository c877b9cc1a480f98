//! JSON rows straight into records: names shared between rows, dates and instants typed on the way, no tree in between.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{Date, FieldType, Name, Names, Record, Timestamp, Value};

/// What a wire value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    Plain,
    /// ISO text, or milliseconds since 1970, UTC.
    Date,
    /// ISO text with an offset, or milliseconds since 1970.
    Instant,
    /// Text that has the exact form of a Salesforce instant becomes one.
    Guess,
}

impl Cast {
    pub(super) const fn of(kind: &FieldType) -> Self {
        match kind {
            FieldType::Date => Self::Date,
            FieldType::DateTime { .. } => Self::Instant,
            _ => Self::Plain,
        }
    }

    pub(super) fn apply(self, value: Value) -> Value {
        match (self, &value) {
            (Self::Date, Value::Text(text)) => date_of(text).map_or(value, Value::Date),
            (Self::Date, Value::Int(ms)) => instant_of_millis(*ms).map_or(value, |at| Value::Date(utc_date(at))),
            (Self::Instant, Value::Text(text)) => instant_of(text).map_or(value, Value::Instant),
            (Self::Instant, Value::Int(ms)) => instant_of_millis(*ms).map_or(value, Value::Instant),
            (Self::Guess, Value::Text(text)) if text.len() == 28 && text.ends_with("+0000") => instant_of(text).map_or(value, Value::Instant),
            _ => value,
        }
    }
}

/// The day of `2026-01-31`, or of an instant, UTC.
pub(super) fn date_of(text: &str) -> Option<Date> {
    if text.len() == 10 {
        return text.parse().ok();
    }
    instant_of(text).map(utc_date)
}

fn utc_date(at: Timestamp) -> Date {
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

pub(super) fn instant_of_millis(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

/// An instant with an offset (also `+0000`, as Salesforce writes it), or without one, taken as UTC; or a day's begin.
pub(super) fn instant_of(text: &str) -> Option<Timestamp> {
    if let Some(plain) = text.strip_suffix("+0000") {
        return instant_of_civil(plain);
    }
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()).or_else(|| instant_of_civil(text))
}

fn instant_of_civil(text: &str) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

/// One column: how it is called on the wire and in the record.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub wire: Name,
    pub name: Name,
    pub cast: Cast,
    /// The columns of a related object.
    pub inner: Option<Columns>,
}

/// The columns of a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub list: Vec<Column>,
    /// Keep fields that are not listed.
    pub open: bool,
}

impl Columns {
    /// Adds a field by its dotted path, both on the wire and in the record.
    pub(super) fn add(&mut self, wire: &str, name: &str, cast: Cast) {
        if let (Some((wire_head, wire_tail)), Some((head, tail))) = (wire.split_once('.'), name.split_once('.')) {
            let at = self.place(wire_head, head);
            self.list[at].inner.get_or_insert_default().add(wire_tail, tail, cast);
            return;
        }
        let at = self.place(wire, name);
        self.list[at].cast = cast;
    }

    fn place(&mut self, wire: &str, name: &str) -> usize {
        let found = self.list.iter().position(|column| column.wire.eq_ignore_ascii_case(wire));
        found.unwrap_or_else(|| {
            self.list.push(Column { wire: Name::new(wire), name: Name::new(name), cast: Cast::Plain, inner: None });
            self.list.len() - 1
        })
    }

    /// The column of a wire name; `hint` is where it stands if rows come in order.
    fn find(&self, wire: &str, hint: usize) -> Option<usize> {
        let is = |column: &Column| column.wire.eq_ignore_ascii_case(wire);
        if self.list.get(hint).is_some_and(is) { Some(hint) } else { self.list.iter().position(is) }
    }
}

/// Reads a list of rows.
pub(super) struct RowsSeed<'a>(pub &'a Columns);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = Vec<Record>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<Record>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = Vec<Record>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_unit<E>(self) -> Result<Vec<Record>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Record>, A::Error> {
        let mut rows = Vec::with_capacity(seq.size_hint().unwrap_or(64));
        while let Some(row) = seq.next_element_seed(RowSeed(self.0))? {
            // A null stands for a row that is not there.
            if let Value::Map(record) = row {
                rows.push(record);
            }
        }
        Ok(rows)
    }
}

/// Reads one row into a `Value::Map`, or null.
pub(super) struct RowSeed<'a>(pub &'a Columns);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let columns = self.0;
        let (mut record, mut names) = (Record::with_capacity(columns.list.len()), Names::default());
        let mut hint = 0;
        while let Some(key) = map.next_key_seed(KeySeed { columns, hint })? {
            match key {
                Key::Column(at) => {
                    let column = &columns.list[at];
                    let value = match &column.inner {
                        Some(inner) => map.next_value_seed(RowSeed(inner))?,
                        None => column.cast.apply(without_attributes(map.next_value()?)),
                    };
                    if names.is_new(&column.name) {
                        record.push(column.name.clone(), value);
                    } else {
                        record.set(column.name.clone(), value);
                    }
                    hint = at + 1;
                }
                Key::Unknown(name) => {
                    names.is_new(&name);
                    record.set(name, Cast::Guess.apply(without_attributes(map.next_value()?)));
                }
                Key::Skipped => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        complete(&mut record, columns);
        Ok(Value::Map(record))
    }
}

/// Columns that the row left out are null.
fn complete(record: &mut Record, columns: &Columns) {
    if record.len() >= columns.list.len() {
        return;
    }
    for column in &columns.list {
        if record.get(&column.name).is_none() {
            record.push(column.name.clone(), Value::Null);
        }
    }
}

enum Key {
    Column(usize),
    Unknown(Name),
    Skipped,
}

struct KeySeed<'a> {
    columns: &'a Columns,
    hint: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(match self.columns.find(name, self.hint) {
            Some(at) => Key::Column(at),
            None if self.columns.open && name != "attributes" => Key::Unknown(Name::new(name)),
            None => Key::Skipped,
        })
    }
}

/// The first rows of a nested query whose others are to be asked for.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub rows: Vec<Value>,
    /// Where they go on, if it is told.
    pub next: Option<String>,
}

impl Unfinished {
    pub(super) fn is(inner: &Record) -> bool {
        let more = inner.get("done") == Some(&Value::Bool(false)) || matches!(inner.get("nextRecordsUrl"), Some(Value::Text(_)));
        more && matches!(inner.get("records"), Some(Value::List(_))) && inner.get("totalSize").is_some()
    }

    /// The value itself when it is anything else.
    pub(super) fn of(value: Value) -> Result<Self, Value> {
        match value {
            Value::Map(mut inner) if Self::is(&inner) => {
                let next = inner.get("nextRecordsUrl").and_then(Value::as_str).map(str::to_owned);
                let Some(Value::List(rows)) = inner.remove("records") else { return Err(Value::Map(inner)) };
                Ok(Self { rows, next })
            }
            other => Err(other),
        }
    }
}

/// Takes Salesforce's `attributes` out of nested objects; a nested query becomes the list of its rows. One that is not complete stays as it is, for
/// the caller to ask for the rest.
fn without_attributes(value: Value) -> Value {
    match value {
        Value::Map(mut inner) => {
            inner.remove("attributes");
            if Unfinished::is(&inner) {
                return Value::Map(inner.into_iter().map(|(name, value)| (name, within(value))).collect());
            }
            if let (Some(Value::List(_)), Some(_)) = (inner.get("records"), inner.get("totalSize"))
                && let Some(Value::List(rows)) = inner.remove("records")
            {
                return Value::List(rows.into_iter().map(without_attributes).collect());
            }
            Value::Map(inner.into_iter().map(|(name, value)| (name, Cast::Guess.apply(without_attributes(value)))).collect())
        }
        other => other,
    }
}

/// The rows of a nested query that is not complete.
fn within(value: Value) -> Value {
    match value {
        Value::List(rows) => Value::List(rows.into_iter().map(without_attributes).collect()),
        other => other,
    }
}
