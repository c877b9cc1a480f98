//! What an object's fields are, and whether a value fits one.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{System, Value};

/// One object of one system, as its describe tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectSchema {
    pub system: System,
    pub name: String,
    pub label: String,
    pub fields: Vec<Field>,
}

impl ObjectSchema {
    /// A field by its API name, case-insensitively as all four systems do.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub label: String,
    pub kind: FieldType,
    pub nillable: bool,
    pub createable: bool,
    pub updateable: bool,
    /// Has to be given when a record is created.
    pub required: bool,
    /// Can be an upsert or match key (`externalId`, `idLookup`).
    pub key: bool,
}

/// A field's type, over all systems. Sizes are in characters and digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldType {
    Id,
    Reference {
        to: Vec<String>,
    },
    Text {
        max: u32,
    },
    Bool,
    /// A whole number; Salesforce's `int` is 32 bits wide.
    Int {
        bits: u8,
    },
    /// `digits` before and after the point together, `scale` of them after it. Currency and percent too.
    Number {
        digits: u8,
        scale: u8,
    },
    /// Any double.
    Float,
    Date,
    /// Kept to the second when `millis` is false, as Salesforce does.
    DateTime {
        millis: bool,
    },
    /// Closed when `restricted`.
    Picklist {
        values: Vec<String>,
        restricted: bool,
    },
    MultiPicklist {
        values: Vec<String>,
        restricted: bool,
    },
    Email {
        max: u32,
    },
    /// Anything Tabi passes through unchanged.
    Other {
        name: String,
    },
}

/// Why a value does not fit a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(pub String);

impl FieldType {
    /// The word for this type in messages and in `create_field` lines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Reference { .. } => "reference",
            Self::Text { .. } => "text",
            Self::Bool => "boolean",
            Self::Int { .. } => "integer",
            Self::Number { .. } | Self::Float => "number",
            Self::Date => "date",
            Self::DateTime { .. } => "datetime",
            Self::Picklist { .. } => "picklist",
            Self::MultiPicklist { .. } => "multipicklist",
            Self::Email { .. } => "email",
            Self::Other { .. } => "other",
        }
    }

    /// The value as this field would hold it after a write (rounded, trimmed, cut to the second), or why it cannot.
    /// Comparing two fitted values tells whether a write would change anything.
    ///
    /// # Errors
    /// A `Misfit` with the reason, without the field's name.
    pub fn fit(&self, value: &Value) -> Result<Value, Misfit> {
        if value.is_blank() {
            return Ok(Value::Null);
        }
        match self {
            Self::Id | Self::Reference { .. } => fit_text(value, 36),
            Self::Text { max } => fit_text(value, *max),
            Self::Email { max } => fit_email(value, *max),
            Self::Bool => fit_bool(value),
            Self::Int { bits } => fit_int(value, *bits),
            Self::Number { digits, scale } => fit_number(value, *digits, *scale),
            Self::Float => fit_float(value).map(Value::Float),
            Self::Date => fit_date(value).map(Value::Date),
            Self::DateTime { millis } => fit_instant(value, *millis).map(Value::Instant),
            Self::Picklist { values, restricted } => fit_choice(value, values, *restricted),
            Self::MultiPicklist { values, restricted } => fit_choices(value, values, *restricted),
            Self::Other { .. } => Ok(value.clone()),
        }
    }
}

fn misfit<T>(value: &Value, wanted: &str) -> Result<T, Misfit> {
    Err(Misfit(format!("{} `{}` is not {wanted}", value.type_name(), shown(value))))
}

/// A value in a message: cut, so that a megabyte cell does not become a megabyte line.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

fn fit_text(value: &Value, max: u32) -> Result<Value, Misfit> {
    let text: SmolStr = match value {
        Value::Text(text) if text.trim().len() == text.len() => text.clone(),
        Value::Text(text) => SmolStr::new(text.trim()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Date(_) | Value::Instant(_) => SmolStr::new(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => return misfit(value, "text"),
    };
    // Salesforce counts UTF-16 units; the byte length is an upper bound, so most text is never counted.
    let length = if text.len() <= max as usize { 0 } else { text.encode_utf16().count() };
    if length > max as usize {
        return Err(Misfit(format!("text of {length} characters is longer than the field's {max}: `{}`", shown(value))));
    }
    Ok(Value::Text(text))
}

fn fit_email(value: &Value, max: u32) -> Result<Value, Misfit> {
    let fitted = fit_text(value, max)?;
    let sound = fitted.as_str().and_then(|text| text.split_once('@')).is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains(['@', ' '])
    });
    if sound { Ok(fitted) } else { misfit(value, "an e-mail address") }
}

fn fit_bool(value: &Value) -> Result<Value, Misfit> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        _ => misfit(value, "true or false"),
    }
}

fn fit_float(value: &Value) -> Result<f64, Misfit> {
    let number = match value {
        Value::Text(text) => text.trim().parse().ok(),
        _ => value.as_f64(),
    };
    match number {
        Some(x) if x.is_finite() => Ok(x),
        Some(x) => Err(Misfit(format!("`{x}` is not a finite number"))),
        None => misfit(value, "a number"),
    }
}

fn fit_int(value: &Value, bits: u8) -> Result<Value, Misfit> {
    let number = match value {
        Value::Int(n) => *n,
        _ => {
            let x = fit_float(value)?;
            if x.fract() != 0.0 || x.abs() >= 9_007_199_254_740_992.0 {
                return misfit(value, "a whole number");
            }
            #[allow(clippy::cast_possible_truncation)]
            {
                x as i64
            }
        }
    };
    let bound = 1_i128 << (u32::from(bits) - 1);
    if i128::from(number) >= bound || i128::from(number) < -bound {
        return Err(Misfit(format!("`{number}` does not fit a whole number of {bits} bits")));
    }
    Ok(Value::Int(number))
}

/// Rounds half away from zero to `scale` places and checks the digits before the point. A whole result is an `Int`.
fn fit_number(value: &Value, digits: u8, scale: u8) -> Result<Value, Misfit> {
    let x = fit_float(value)?;
    let unit = 10_f64.powi(i32::from(scale));
    let rounded = if scale >= 15 { x } else { (x * unit).round() / unit };
    let room = i32::from(digits.saturating_sub(scale));
    if rounded.abs() >= 10_f64.powi(room) {
        return Err(Misfit(format!("`{x}` has more than {room} digits before the point")));
    }
    if rounded.fract() == 0.0 && rounded.abs() < 9_007_199_254_740_992.0 {
        #[allow(clippy::cast_possible_truncation)]
        return Ok(Value::Int(rounded as i64));
    }
    Ok(Value::Float(rounded))
}

/// ISO dates and instants only: `01/02/2026` is one day in one country and another in the next.
fn fit_date(value: &Value) -> Result<Date, Misfit> {
    match value {
        Value::Date(date) => Ok(*date),
        Value::Instant(at) => Ok(at.to_zoned(jiff::tz::TimeZone::UTC).date()),
        Value::Text(text) => match parse_instant(text) {
            Some(at) => Ok(at.to_zoned(jiff::tz::TimeZone::UTC).date()),
            None => text.trim().parse().or_else(|_| misfit(value, "a date; write it as 2026-01-31")),
        },
        _ => misfit(value, "a date; numbers need `date(..)`"),
    }
}

fn fit_instant(value: &Value, millis: bool) -> Result<Timestamp, Misfit> {
    let at = match value {
        Value::Instant(at) => *at,
        Value::Date(date) => midnight(*date)?,
        Value::Text(text) => match (parse_instant(text), text.trim().parse::<Date>()) {
            (Some(at), _) => at,
            (None, Ok(date)) => midnight(date)?,
            _ => return misfit(value, "a date and time; write it as 2026-01-31T10:00:00Z"),
        },
        _ => return misfit(value, "a date and time; numbers need `timestamp(..)`"),
    };
    let unit = if millis { jiff::Unit::Millisecond } else { jiff::Unit::Second };
    let down = jiff::TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Floor);
    at.round(down).map_err(|e| Misfit(e.to_string()))
}

/// An instant with an offset, also the form without a colon (`+0000`) that Salesforce writes.
fn parse_instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
}

fn midnight(date: Date) -> Result<Timestamp, Misfit> {
    date.to_zoned(jiff::tz::TimeZone::UTC).map(|day| day.timestamp()).map_err(|e| Misfit(e.to_string()))
}

fn fit_choice(value: &Value, values: &[String], restricted: bool) -> Result<Value, Misfit> {
    let fitted = fit_text(value, 255)?;
    match fitted.as_str() {
        Some(text) => match spelt(text, values) {
            Some(value) => Ok(Value::text(value)),
            None if restricted => Err(Misfit(format!("`{text}` is not one of the field's values: {}", values.join(", ")))),
            None => Ok(fitted),
        },
        None => Ok(fitted),
    }
}

/// The field's own spelling of a choice written in another case.
fn spelt<'v>(text: &str, values: &'v [String]) -> Option<&'v str> {
    let exact = values.iter().find(|value| *value == text);
    exact.or_else(|| values.iter().find(|value| value.eq_ignore_ascii_case(text))).map(String::as_str)
}

/// Several choices, given as a list or joined by `;`, in the order of the field's values.
fn fit_choices(value: &Value, values: &[String], restricted: bool) -> Result<Value, Misfit> {
    let mut chosen: Vec<SmolStr> = match value {
        Value::List(items) => items.iter().map(|item| SmolStr::new(item.to_string())).collect(),
        Value::Text(text) => text.split(';').map(|part| SmolStr::new(part.trim())).collect(),
        _ => return misfit(value, "a list of choices"),
    };
    if let Some(odd) = chosen.iter().find(|c| restricted && !values.iter().any(|v| v == *c)) {
        return Err(Misfit(format!("`{odd}` is not one of the field's values: {}", values.join(", "))));
    }
    chosen.sort_by_key(|c| values.iter().position(|v| v == c).unwrap_or(usize::MAX));
    chosen.dedup();
    Ok(Value::Text(SmolStr::new(chosen.join(";"))))
}
