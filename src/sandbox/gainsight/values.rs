//! Written values, checked and kept in one form each: days as `2026-01-31`, instants as milliseconds, numbers as numbers.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Number, Value, json};

use super::objects::{Field, Kind};

/// What is wrong with one value of one field.
#[derive(Debug, Clone)]
pub(super) struct Bad {
    pub(super) code: &'static str,
    /// The People API's code for the same.
    pub(super) people_code: &'static str,
    pub(super) text: String,
}

fn bad(code: &'static str, people_code: &'static str, text: String) -> Bad {
    Bad { code, people_code, text }
}

/// The value as it is kept. Picklists and lookups are looked up by the caller: here only their form is checked.
pub(super) fn accept(field: &Field, value: &Value) -> Result<Value, Bad> {
    let name = field.name;
    if value.is_null() {
        return if field.required { Err(bad("GSOBJ_1007", "GSOBJ_VCRUDR1001", format!("{name} cannot be null"))) } else { Ok(Value::Null) };
    }
    match field.kind {
        Kind::Text(longest) => text(name, value, longest),
        Kind::RichText => text(name, value, 131_072),
        Kind::Gsid | Kind::Lookup(_) | Kind::Picklist(_) => id(name, value),
        Kind::Multi(_) => choice_list(name, value),
        Kind::Number => number(name, value, "GSOBJ_VDTNUM1001"),
        Kind::Currency => number(name, value, "GSOBJ_VDTCURREN1001"),
        Kind::Percentage => number(name, value, "GSOBJ_VDTPERCENT1001"),
        Kind::Boolean => boolean(name, value),
        Kind::Email => email(name, value),
        Kind::Url => text(name, value, 2048).map_err(|wrong| bad(wrong.code, "GSOBJ_VDTURL1001", wrong.text)),
        Kind::Date => day(value)
            .map(|day| Value::String(day.to_string()))
            .ok_or_else(|| bad("GSOBJ_1006", "GSOBJ_VDTDATIME1001", format!("Invalid date for field {name}"))),
        Kind::DateTime => {
            instant(value).map(Value::from).ok_or_else(|| bad("GSOBJ_1005", "GSOBJ_VDTDATIME1001", format!("Invalid dateTime for field {name}")))
        }
    }
}

fn text(name: &str, value: &Value, longest: usize) -> Result<Value, Bad> {
    let Value::String(text) = value else {
        return Err(bad("GSOBJ_1008", "GSOBJ_VDTBSTR1001", format!("Value of field {name} must be a string")));
    };
    if text.chars().count() > longest {
        return Err(bad("GSOBJ_1001", "GSOBJ_VDTBSTR1001", format!("Value of field {name} exceeds the maximum length of {longest}")));
    }
    Ok(value.clone())
}

fn id(name: &str, value: &Value) -> Result<Value, Bad> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(value.clone()),
        _ => Err(bad("GSOBJ_1004", "GSOBJ_VDTGSID1001", format!("GSID of field {name} is missing or malformed"))),
    }
}

fn choice_list(name: &str, value: &Value) -> Result<Value, Bad> {
    match value {
        Value::String(text) if text.split(';').all(|choice| !choice.is_empty()) => Ok(value.clone()),
        _ => Err(bad("GSOBJ_1008", "GSOBJ_VDTPKLST1001", format!("Invalid picklist value for field {name}"))),
    }
}

fn number(name: &str, value: &Value, people_code: &'static str) -> Result<Value, Bad> {
    let wrong = || bad("GSOBJ_1008", people_code, format!("Value of field {name} must be a number"));
    let number = value.as_f64().ok_or_else(wrong)?;
    if number.abs() >= 1e15 {
        return Err(wrong());
    }
    Ok(whole(number).map_or_else(|| value.clone(), Value::from))
}

/// `12.0` and `12` are one number.
pub(super) fn whole(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation)]
    let truncated = number as i64;
    #[allow(clippy::cast_precision_loss, clippy::float_cmp)]
    let same = truncated as f64 == number;
    (same && number.abs() < 1e15).then_some(truncated)
}

fn boolean(name: &str, value: &Value) -> Result<Value, Bad> {
    if value.is_boolean() {
        return Ok(value.clone());
    }
    Err(bad("GSOBJ_1008", "GSOBJ_VDTBOOL1001", format!("Value of field {name} must be true or false")))
}

fn email(name: &str, value: &Value) -> Result<Value, Bad> {
    let valid = |text: &str| {
        let parts = text.split_once('@');
        parts.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.'))
            && !text.contains(char::is_whitespace)
    };
    match value {
        Value::String(text) if valid(text) && text.len() <= 255 => Ok(value.clone()),
        _ => Err(bad("GSOBJ_1008", "GSOBJ_VDTEMAIL1001", format!("Invalid email for field {name}"))),
    }
}

/// `yyyy-MM-dd`, the day of an instant, or the UTC day of milliseconds.
pub(super) fn day(value: &Value) -> Option<civil::Date> {
    if let Value::String(text) = value
        && text.len() == 10
    {
        return text.parse().ok();
    }
    let at = Timestamp::from_millisecond(instant(value)?).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

/// Milliseconds, ISO 8601 with or without a zone (UTC then), `yyyy-MM-dd HH:mm:ss`, or a day's first moment.
pub(super) fn instant(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().filter(|ms| Timestamp::from_millisecond(*ms).is_ok()),
        Value::String(text) => text_instant(text).map(Timestamp::as_millisecond),
        _ => None,
    }
}

fn text_instant(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // The vendor's own samples write the offset without a colon.
    if let Ok(at) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
        return Some(at);
    }
    let local = text.parse::<civil::DateTime>().ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// How dates and instants are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dates {
    #[default]
    Iso,
    Epoch,
}

/// Whether values of a kind are told as they are kept.
pub(super) const fn told_as_kept(kind: Kind, dates: Dates) -> bool {
    !matches!((kind, dates), (Kind::DateTime, Dates::Iso) | (Kind::Date, Dates::Epoch))
}

/// A kept value as it is told.
pub(super) fn tell(kind: Kind, value: &Value, dates: Dates) -> Value {
    match (kind, dates) {
        (Kind::DateTime, Dates::Iso) => value
            .as_i64()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map_or(Value::Null, |at| Value::String(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())),
        (Kind::Date, Dates::Epoch) => instant(value).map_or(Value::Null, |ms| json!(ms)),
        _ => value.clone(),
    }
}

/// A number as JSON, whole ones without a point.
pub(super) fn json_number(number: f64) -> Value {
    whole(number).map_or_else(|| Number::from_f64(number).map_or(Value::Null, Value::Number), Value::from)
}
