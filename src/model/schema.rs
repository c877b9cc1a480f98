//! What an object's fields are, and whether a value fits one.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    Choices, System, Value, day,
    decimal::{Decimal, is_exact},
    moment::{Moment, time_of_day},
};

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
    /// Whether capitals count when its texts are compared as keys.
    #[serde(default)]
    pub case_sensitive: bool,
}

impl Field {
    /// What the field holds once it is emptied: a checkbox of Salesforce is never null, and PX keeps 0 in its own numbers.
    pub fn emptied(&self) -> Value {
        match &self.kind {
            FieldType::Bool if !self.nillable => Value::Bool(false),
            FieldType::Float if !self.nillable => Value::Float(0.0),
            _ => Value::Null,
        }
    }
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
        /// Digits that the system takes; 0 for as many as the bits hold.
        #[serde(default)]
        digits: u8,
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
    /// A time of day, as Salesforce writes it: `10:30:00.000Z`.
    Time,
    Picklist(Choices),
    MultiPicklist(Choices),
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
            Self::Time => "time",
            Self::Picklist(_) => "picklist",
            Self::MultiPicklist(_) => "multipicklist",
            Self::Email { .. } => "email",
            Self::Other { .. } => "other",
        }
    }

    /// The value as this field would hold it after a write (rounded, trimmed, cut to the second), or why it cannot.
    /// Comparing two fitted values tells whether a write would change anything. A date and time becomes its day in the zone, and a day its first
    /// instant there.
    ///
    /// # Errors
    /// A `Misfit` with the reason, without the field's name.
    pub fn fit(&self, value: &Value, zone: &TimeZone) -> Result<Value, Misfit> {
        if value.is_blank() {
            return Ok(Value::Null);
        }
        match self {
            Self::Id | Self::Reference { .. } => plain_text(value, 36).map(Value::Text),
            Self::Text { max } => plain_text(value, *max).map(Value::Text),
            Self::Email { max } => fit_email(value, *max),
            Self::Bool => fit_bool(value),
            Self::Int { bits, digits } => fit_int(value, *bits, *digits),
            Self::Number { digits, scale } => fit_number(value, *digits, *scale),
            Self::Float => fit_float(value).map(Value::Float),
            Self::Date => fit_date(value, zone).map(Value::Date),
            Self::DateTime { millis } => fit_instant(value, *millis, zone).map(Value::Instant),
            Self::Time => fit_time(value),
            Self::Picklist(choices) => choices.fit_one(value),
            Self::MultiPicklist(choices) => choices.fit_many(value),
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

/// The value as text of so many characters at most, without blanks at its ends.
pub(super) fn plain_text(value: &Value, max: u32) -> Result<SmolStr, Misfit> {
    let text: SmolStr = match value {
        Value::Text(text) if text.trim().len() == text.len() => text.clone(),
        Value::Text(text) => SmolStr::new(text.trim()),
        Value::Float(x) if !x.is_finite() => return misfit(value, "text"),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Date(_) | Value::Instant(_) => SmolStr::new(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => return misfit(value, "text"),
    };
    // Salesforce counts UTF-16 units; the byte length is an upper bound, so most text is never counted.
    let length = if text.len() <= max as usize { 0 } else { text.encode_utf16().count() };
    if length > max as usize {
        return Err(Misfit(format!("text of {length} characters is longer than the field's {max}: `{}`", shown(value))));
    }
    Ok(text)
}

fn fit_email(value: &Value, max: u32) -> Result<Value, Misfit> {
    let fitted = plain_text(value, max)?;
    let sound = fitted.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains(['@', ' '])
    });
    if sound { Ok(Value::Text(fitted)) } else { misfit(value, "an e-mail address") }
}

fn fit_bool(value: &Value) -> Result<Value, Misfit> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Text(text) if text.trim().eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Value::Text(text) if text.trim().eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        _ => misfit(value, "true or false"),
    }
}

/// A number as it is written.
fn decimal(value: &Value) -> Result<Decimal, Misfit> {
    let number = match value {
        Value::Int(n) => Some(Decimal::of_int(*n)),
        Value::Float(x) => return Decimal::of_float(*x).ok_or_else(|| Misfit(format!("`{x}` is not a finite number"))),
        Value::Text(text) => Decimal::read(text.trim()),
        _ => None,
    };
    number.map_or_else(|| misfit(value, "a number"), Ok)
}

/// The systems keep and tell numbers as doubles: two whole numbers above 2^53 can be one there, and so can two long decimals.
fn too_many_digits<T>(value: &Value) -> Result<T, Misfit> {
    Err(Misfit(format!("`{}` has more digits than the field can hold exactly", shown(value))))
}

fn fit_float(value: &Value) -> Result<f64, Misfit> {
    match value {
        // A double into a double.
        Value::Float(x) if x.is_finite() => Ok(*x),
        #[allow(clippy::cast_precision_loss, reason = "below 2^53 none is lost")]
        Value::Int(n) if is_exact(*n) => Ok(*n as f64),
        _ => decimal(value)?.to_float().map_or_else(|| too_many_digits(value), Ok),
    }
}

fn fit_int(value: &Value, bits: u8, digits: u8) -> Result<Value, Misfit> {
    let number = match value {
        Value::Int(n) => *n,
        _ => {
            let written = decimal(value)?;
            if !written.is_whole() {
                return misfit(value, "a whole number");
            }
            // A double that large may stand for its neighbours.
            match written.to_int().filter(|n| is_exact(*n) || value.as_str().is_some()) {
                Some(n) => n,
                None => return too_many_digits(value),
            }
        }
    };
    let bound = 1_i128 << (u32::from(bits) - 1);
    if bits > 32 && bits < 64 && !is_exact(number) {
        return too_many_digits(value);
    }
    if i128::from(number) >= bound || i128::from(number) < -bound {
        return Err(Misfit(format!("`{number}` does not fit a whole number of {bits} bits")));
    }
    if digits > 0 && number.unsigned_abs().checked_ilog10().is_some_and(|log| log >= u32::from(digits)) {
        return Err(Misfit(format!("`{number}` has more than {digits} digits")));
    }
    Ok(Value::Int(number))
}

/// Rounds half away from zero to `scale` places, as the number is written, and checks the digits before the point. A whole result is an `Int`.
fn fit_number(value: &Value, digits: u8, scale: u8) -> Result<Value, Misfit> {
    let rounded = decimal(value)?.rounded(scale);
    let room = digits.saturating_sub(scale);
    if rounded.digits_before_point() > i64::from(room) {
        return Err(Misfit(format!("`{}` has more than {room} digits before the point", shown(value))));
    }
    match (rounded.to_int().filter(|n| is_exact(*n)), rounded.to_float()) {
        (Some(n), _) => Ok(Value::Int(n)),
        (None, Some(x)) => Ok(Value::Float(x)),
        (None, None) => too_many_digits(value),
    }
}

/// A time of day; an instant is none, for the hour depends on the zone.
fn fit_time(value: &Value) -> Result<Value, Misfit> {
    let time = value.as_str().and_then(time_of_day);
    time.map_or_else(|| misfit(value, "a time of day; write it as 10:30:00"), |time| Ok(Value::text(time)))
}

/// ISO dates and instants only: `01/02/2026` is one day in one country and another in the next. A time without a zone keeps its day.
fn fit_date(value: &Value, zone: &TimeZone) -> Result<Date, Misfit> {
    match value {
        Value::Date(date) => Ok(*date),
        Value::Instant(at) => Ok(day::day_of(*at, zone)),
        Value::Text(text) => match Moment::read(text) {
            Some(Moment::Day(date)) => Ok(date),
            Some(Moment::Local(local)) => Ok(local.date()),
            Some(Moment::Instant(at)) => Ok(day::day_of(at, zone)),
            None => misfit(value, "a date; write it as 2026-01-31"),
        },
        _ => misfit(value, "a date; numbers need `date(..)`"),
    }
}

fn fit_instant(value: &Value, millis: bool, zone: &TimeZone) -> Result<Timestamp, Misfit> {
    let at = match value {
        Value::Instant(at) => *at,
        Value::Date(date) => day::begin_of(*date, zone),
        Value::Text(text) => match Moment::read(text) {
            Some(Moment::Instant(at)) => at,
            Some(Moment::Day(date)) => day::begin_of(date, zone),
            Some(Moment::Local(_)) => {
                let remedy = "has no time zone; write 2026-01-31T10:00:00Z, or `timestamp(..)` for a time in the workspace's zone";
                return Err(Misfit(format!("text `{}` {remedy}", shown(value))));
            }
            None => return misfit(value, "a date and time; write it as 2026-01-31T10:00:00Z"),
        },
        _ => return misfit(value, "a date and time; numbers need `timestamp(..)`"),
    };
    let unit = if millis { jiff::Unit::Millisecond } else { jiff::Unit::Second };
    let down = jiff::TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Floor);
    at.round(down).map_err(|e| Misfit(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Choices, Field, FieldType, TimeZone, Value};

    fn kinds() -> Vec<FieldType> {
        vec![
            FieldType::Id,
            FieldType::Text { max: 30 },
            FieldType::Text { max: u32::MAX },
            FieldType::Bool,
            FieldType::Int { bits: 32, digits: 0 },
            FieldType::Int { bits: 64, digits: 0 },
            FieldType::Int { bits: 32, digits: 3 },
            FieldType::Number { digits: 18, scale: 0 },
            FieldType::Number { digits: 18, scale: 2 },
            FieldType::Number { digits: 24, scale: 9 },
            FieldType::Float,
            FieldType::Date,
            FieldType::DateTime { millis: false },
            FieldType::DateTime { millis: true },
            FieldType::Time,
            FieldType::Picklist(Choices::only(["A", "B"])),
            FieldType::MultiPicklist(Choices { restricted: false, ..Choices::only(["A", "B"]) }),
            FieldType::Email { max: 80 },
        ]
    }

    fn odd_values() -> Vec<Value> {
        let texts = [
            "",
            " ",
            "0",
            "-0",
            "12",
            " 12 ",
            "1e3",
            "1.005",
            "-2.675",
            "1,5",
            "1.234,56",
            "9007199254740991",
            "9007199254740993",
            "0x1F",
            "NaN",
            "inf",
            "1234567890123456.78",
            "true",
            "TRUE ",
            "yes",
            "a",
            "A;b",
            "b;A;",
            ";",
            "#N/A",
            "null",
            "2026-01-31",
            "2026-01-31 10:00:00",
            "2026-01-31T10:00:00.5Z",
            "2026-01-31T10:00[Europe/Berlin]",
            "10:30",
            "10:30:00.5Z",
            "a@b.co",
            "\u{1F600}\u{1F600}",
            "Ärger\r\nZeile",
        ];
        let mut values: Vec<Value> = texts.iter().map(Value::text).collect();
        values.extend([i64::MIN, -1, 0, 1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, i64::MAX].map(Value::Int));
        values.extend([-0.0, 0.1 + 0.2, 1.005, -2.675, 1e17, 1e300, f64::NAN, f64::INFINITY, 4_503_599_627_370_497.5].map(Value::Float));
        values.extend([Value::Null, Value::Bool(true), Value::List(Vec::new()), Value::List(vec![Value::text("b"), Value::text("A")])]);
        values
    }

    #[test]
    fn a_fitted_value_fits_as_it_is() {
        for kind in kinds() {
            for value in odd_values() {
                if let Ok(fitted) = kind.fit(&value, &TimeZone::UTC) {
                    assert_eq!(kind.fit(&fitted, &TimeZone::UTC), Ok(fitted.clone()), "{kind:?} {value:?}");
                    // As it comes back in JSON.
                    let told = serde_json::from_str(&serde_json::to_string(&fitted).unwrap_or_default());
                    assert_eq!(told.map_or_else(|e| panic!("{e}"), |told| kind.fit(&told, &TimeZone::UTC)), Ok(fitted), "{kind:?} {value:?}");
                }
            }
        }
    }

    #[test]
    fn no_number_becomes_another() {
        let fit = |kind: FieldType, value: Value| kind.fit(&value, &TimeZone::UTC).map_err(|misfit| misfit.0);
        let whole = FieldType::Number { digits: 18, scale: 0 };
        let many = |shown: &str| Err(format!("`{shown}` has more digits than the field can hold exactly"));
        for value in [Value::Int(9_007_199_254_740_993), Value::text("9007199254740993")] {
            assert_eq!(fit(whole.clone(), value.clone()), many("9007199254740993"));
            assert_eq!(fit(FieldType::Float, value.clone()), many("9007199254740993"));
            assert_eq!(fit(FieldType::Text { max: 20 }, value.clone()), Ok(Value::text("9007199254740993")));
            assert_eq!(fit(FieldType::Int { bits: 64, digits: 0 }, value), Ok(Value::Int(9_007_199_254_740_993)));
        }
        assert_eq!(fit(FieldType::Number { digits: 18, scale: 2 }, Value::text("1234567890123456.78")), many("1234567890123456.78"));
        assert_eq!(fit(whole.clone(), Value::Float(1e17)), many("100000000000000000"));
        assert_eq!(fit(FieldType::Int { bits: 64, digits: 0 }, Value::Float(1e17)), many("100000000000000000"));
        let cents = |text: &str| fit(FieldType::Number { digits: 18, scale: 2 }, Value::text(text));
        for (text, wanted) in [("1.005", 1.01), ("-2.675", -2.68), ("0.125", 0.13), ("1.0049", 1.0)] {
            assert_eq!(cents(text).ok().and_then(|value| value.as_f64()), Some(wanted), "{text}");
        }
        assert_eq!(
            fit(FieldType::Number { digits: 3, scale: 1 }, Value::text("99.95")),
            Err("`99.95` has more than 2 digits before the point".to_owned())
        );
        let max = FieldType::Number { digits: 18, scale: 0 };
        assert_eq!(fit(max, Value::Int(9_007_199_254_740_991)), Ok(Value::Int(9_007_199_254_740_991)));
        assert!(fit(FieldType::Text { max: 9 }, Value::Float(f64::NAN)).is_err());
        // As JSON, too: more than 64 bits are kept as they are written.
        assert_eq!(Value::from(serde_json::json!(u64::MAX)), Value::text(u64::MAX.to_string()));
        assert_eq!(Value::Int(9_007_199_254_740_993).compare(&Value::Float(9_007_199_254_740_992.0)), Some(std::cmp::Ordering::Greater));
    }

    #[test]
    fn a_time_without_a_zone_is_refused_and_no_time_is_cut() {
        let seconds = FieldType::DateTime { millis: false };
        for text in ["2026-01-31 10:00:00", "2026-01-31T10:00:00", "2026-01-31T10:00"] {
            let why = seconds.fit(&Value::text(text), &TimeZone::UTC).map_err(|misfit| misfit.0);
            assert!(why.as_ref().is_err_and(|why| why.contains("has no time zone; write 2026-01-31T10:00:00Z")), "{text}: {why:?}");
        }
        let at = seconds.fit(&Value::text("2026-01-31T10:00:00[Europe/Berlin]"), &TimeZone::UTC);
        assert_eq!(at.map(|at| at.to_string()), Ok("2026-01-31T09:00:00Z".to_owned()));
        assert!(FieldType::Date.fit(&Value::text("2026-01-31T10:00:00+05:00[Europe/Berlin]"), &TimeZone::UTC).is_err());
    }

    #[test]
    fn lengths_are_of_utf_16() {
        let two = FieldType::Text { max: 2 };
        assert!(two.fit(&Value::text("\u{1F600}"), &TimeZone::UTC).is_ok());
        assert!(two.fit(&Value::text("a\u{1F600}"), &TimeZone::UTC).is_err());
        assert!(two.fit(&Value::text("ää"), &TimeZone::UTC).is_ok());
    }

    #[test]
    fn a_checkbox_is_emptied_to_false() {
        let field = |kind: FieldType, nillable: bool| Field {
            name: "F".to_owned(),
            label: "F".to_owned(),
            kind,
            nillable,
            createable: true,
            updateable: true,
            required: false,
            key: false,
            case_sensitive: false,
        };
        assert_eq!(field(FieldType::Bool, false).emptied(), Value::Bool(false));
        assert_eq!(field(FieldType::Bool, true).emptied(), Value::Null);
        assert_eq!(field(FieldType::Number { digits: 18, scale: 0 }, false).emptied(), Value::Null);
    }
}
