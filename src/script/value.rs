//! Values into and out of scripts. Dates and instants are types of their own there (`api/dates.rs` gives them functions).

use rhai::{Array, Dynamic, ImmutableString, Map};

use crate::model::{Date, Record, Timestamp, Value};

use super::api::{Days, RuleDate};

/// A value as scripts see it: null is `()`.
pub(super) fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Float(x) => (*x).into(),
        Value::Text(text) => ImmutableString::from(text.as_str()).into(),
        Value::Date(date) => Dynamic::from(*date),
        Value::Instant(at) => Dynamic::from(*at),
        Value::List(items) => items.iter().map(to_dynamic).collect::<Array>().into(),
        Value::Map(record) => to_map(record).into(),
    }
}

/// A record as an object map.
pub(super) fn to_map(record: &Record) -> Map {
    record.iter().map(|(name, value)| (name.as_str().into(), to_dynamic(value))).collect()
}

const NO_NUMBER: &str = "a number that is not finite (a division by zero)";

/// What a script hands back, as plain data.
///
/// # Errors
/// The name of a type that is no data, such as a function; also for infinity and what is no number.
pub(super) fn from_dynamic(value: &Dynamic) -> Result<Value, &'static str> {
    if value.is_shared() {
        return from_dynamic(&value.flatten_clone());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::text(text.as_str()));
    }
    if let Ok(n) = value.as_int() {
        return Ok(Value::Int(n));
    }
    if let Ok(x) = value.as_float() {
        // Nothing else in the program has to think of what is left of a division by zero.
        return if x.is_finite() { Ok(Value::Float(x)) } else { Err(NO_NUMBER) };
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    from_rare(value)
}

fn from_rare(value: &Dynamic) -> Result<Value, &'static str> {
    if let Ok(b) = value.as_bool() {
        return Ok(Value::Bool(b));
    }
    if let Ok(c) = value.as_char() {
        return Ok(Value::text(c.to_string()));
    }
    if let Some(date) = value.read_lock::<Date>() {
        return Ok(Value::Date(*date));
    }
    if let Some(at) = value.read_lock::<Timestamp>() {
        return Ok(Value::Instant(*at));
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().map(from_dynamic).collect::<Result<_, _>>().map(Value::List);
    }
    if let Ok(map) = value.as_map_ref() {
        return from_map(&map).map(Value::Map);
    }
    Err(type_word(value))
}

/// An object map as a record.
///
/// # Errors
/// As `from_dynamic`.
pub(super) fn from_map(map: &Map) -> Result<Record, &'static str> {
    let mut record = Record::with_capacity(map.len());
    for (name, value) in map {
        record.push(name.as_str().into(), from_dynamic(value)?);
    }
    Ok(record)
}

/// The word for a script value's type in messages.
pub(super) fn type_word(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "()" => "nothing",
        "bool" => "true or false",
        "i64" => "a whole number",
        "f64" => "a number",
        "string" | "char" => "text",
        "array" => "a list",
        "map" => "a map",
        "Fn" => "a function",
        _ if value.is::<Date>() => "a date",
        _ if value.is::<Timestamp>() => "a timestamp",
        _ if value.is::<RuleDate>() => "the rule date",
        _ if value.is::<Days>() => "days",
        name => super::api::type_word_of(name),
    }
}
