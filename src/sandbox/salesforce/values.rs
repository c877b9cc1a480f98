//! Incoming values: JSON or bulk CSV to cells, checked against their field, with the documented error codes.

use crate::sandbox::salesforce::answer::Fault;
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::schema::{Field, Kind};
use crate::sandbox::salesforce::time::{parse_date, parse_datetime, parse_time};
use serde_json::Value;
use smol_str::SmolStr;

/// Where a value comes from: the words of type errors differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Json,
    Csv,
}

/// A refusal that names a field.
pub(crate) fn fault(code: &'static str, message: impl Into<String>, field: &str) -> Fault {
    Fault { status: 400, code, message: message.into(), fields: Some(vec![field.to_owned()]) }
}

/// The cell of a value; null and blank text are null.
pub(crate) fn cell(data: &Data, field: &Field, value: &Value, source: Source) -> Result<Cell, Fault> {
    let wrong = || wrong_type(field, value, source);
    let text = match value {
        Value::Null if field.kind == Kind::Boolean => return Err(no_checkbox(field)),
        Value::Null => return Ok(Cell::Null),
        Value::String(text) => Some(text.trim()),
        Value::Bool(_) | Value::Number(_) => None,
        Value::Array(_) | Value::Object(_) => return Err(wrong()),
    };
    if text == Some("") {
        return Ok(Cell::Null);
    }
    match field.kind {
        Kind::Boolean => match (value, text.map(str::to_ascii_lowercase).as_deref()) {
            (Value::Bool(b), _) => Ok(Cell::Bool(*b)),
            (_, Some("true" | "1")) => Ok(Cell::Bool(true)),
            (_, Some("false" | "0")) => Ok(Cell::Bool(false)),
            _ => Err(wrong()),
        },
        Kind::Int | Kind::Double | Kind::Currency | Kind::Percent => number(field, value, text).ok_or_else(wrong)?,
        Kind::Date => text.and_then(parse_date).map(Cell::Date).ok_or_else(wrong),
        Kind::Datetime => text.and_then(parse_datetime).map(|ms| Cell::Datetime(ms.div_euclid(1000) * 1000)).ok_or_else(wrong),
        Kind::Time => text.and_then(parse_time).map(Cell::Time).ok_or_else(wrong),
        Kind::Id | Kind::Reference => reference(data, field, text.ok_or_else(wrong)?),
        Kind::Address => Err(wrong()),
        _ => words(field, text.ok_or_else(wrong)?),
    }
}

/// A checkbox is checked or not: as users of real orgs report, nothing at all is refused.
fn no_checkbox(field: &Field) -> Fault {
    fault("INVALID_TYPE_ON_FIELD_IN_RECORD", format!("{}: value not of required type: ", field.label), &field.name)
}

fn wrong_type(field: &Field, value: &Value, source: Source) -> Fault {
    let kind = field.kind.names().0;
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if source == Source::Csv {
        let text = format!("Failed to deserialize field at col 0. Due to, '{shown}' is not a valid value for the type {}", field.kind.names().1);
        return fault("INVALID_FIELD", text, &field.name);
    }
    let token = match value {
        Value::String(_) => "VALUE_STRING",
        Value::Bool(true) => "VALUE_TRUE",
        Value::Bool(false) => "VALUE_FALSE",
        Value::Number(n) if n.is_f64() => "VALUE_NUMBER_FLOAT",
        Value::Number(_) => "VALUE_NUMBER_INT",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
        Value::Null => "VALUE_NULL",
    };
    let text =
        format!("Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required field at [line:1, column:1]");
    Fault::new(400, "JSON_PARSER_ERROR", text)
}

/// None when it is no number at all.
fn number(field: &Field, value: &Value, text: Option<&str>) -> Option<Result<Cell, Fault>> {
    let number = match value {
        Value::Number(n) => n.as_f64()?,
        _ => {
            let text = text?;
            let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
            plain.then(|| text.parse::<f64>().ok())??
        }
    };
    let shown = text.map_or_else(|| value.to_string(), str::to_owned);
    let outside =
        || fault("NUMBER_OUTSIDE_VALID_RANGE", format!("{}: value outside of valid range on numeric field: {shown}", field.label), &field.name);
    if field.kind == Kind::Int {
        if number.fract() != 0.0 {
            return None;
        }
        let most = if field.digits > 0 { 10f64.powi(i32::try_from(field.digits).unwrap_or(8)) } else { f64::from(i32::MAX) };
        return Some(if number.abs() < most { Ok(Cell::Num(number)) } else { Err(outside()) });
    }
    if field.precision == 0 {
        return Some(if number.is_finite() { Ok(Cell::Num(number)) } else { Err(outside()) });
    }
    let scale = 10f64.powi(i32::try_from(field.scale).unwrap_or(0));
    let rounded = if number.abs() * scale < 9.0e15 { (number * scale).round() / scale } else { number };
    let whole = 10f64.powi(i32::try_from(field.precision - field.scale).unwrap_or(18));
    Some(if number.is_finite() && rounded.abs() < whole { Ok(Cell::Num(rounded)) } else { Err(outside()) })
}

fn reference(data: &Data, field: &Field, text: &str) -> Result<Cell, Fault> {
    let malformed = || fault("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", field.label), &field.name);
    let id = ids::long_form(text).ok_or_else(malformed)?;
    if field.refers.iter().any(|name| name == "RecordType") {
        if id == "012000000000000AAA" {
            return Ok(Cell::Null);
        }
        let text = format!("{}: this ID value isn't valid for the user: {text}", field.label);
        return Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "INVALID_CROSS_REFERENCE_KEY", text) });
    }
    let targets: Vec<usize> = field.refers.iter().filter_map(|name| data.schema.object(name)).collect();
    let object = data.schema.by_prefix(&id).filter(|object| targets.contains(object));
    let Some(object) = object else { return Err(malformed()) };
    match data.row(object, &id) {
        Some(row) if !Data::is_deleted(&row) => Ok(Cell::Text(SmolStr::from(id))),
        Some(_) => Err(Fault { status: 400, ..gone() }),
        None => Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") }),
    }
}

/// `entity is deleted`.
pub(crate) fn gone() -> Fault {
    Fault { fields: Some(Vec::new()), ..Fault::new(404, "ENTITY_IS_DELETED", "entity is deleted") }
}

fn words(field: &Field, text: &str) -> Result<Cell, Fault> {
    if field.kind == Kind::Multipicklist {
        return chosen(field, text);
    }
    if text.encode_utf16().count() > usize::try_from(field.length).unwrap_or(255) && field.length > 0 {
        let message = format!("{}: data value too large: {text} (max length={})", field.label, field.length);
        return Err(fault("STRING_TOO_LONG", message, &field.name));
    }
    if field.kind == Kind::Email && !is_email(text) {
        return Err(fault("INVALID_EMAIL_ADDRESS", format!("{}: invalid email address: {text}", field.label), &field.name));
    }
    if field.kind == Kind::Picklist && field.restricted {
        return match field.values.iter().find(|value| value.eq_ignore_ascii_case(text)) {
            Some(value) => Ok(Cell::Text(value.clone())),
            None => Err(not_in_list(field, text)),
        };
    }
    Ok(Cell::text(text))
}

fn not_in_list(field: &Field, text: &str) -> Fault {
    let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
    fault("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &field.name)
}

/// The chosen values of a multi-select picklist, known ones in the order of the list.
fn chosen(field: &Field, text: &str) -> Result<Cell, Fault> {
    let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is = |value: &str, part: &str| value.eq_ignore_ascii_case(part);
    if let Some(unknown) = parts.iter().find(|part| field.restricted && !field.values.iter().any(|value| is(value, part))) {
        return Err(not_in_list(field, unknown));
    }
    let known = field.values.iter().filter(|value| parts.iter().any(|part| is(value, part))).map(SmolStr::as_str);
    let unknown = parts.iter().filter(|part| !field.values.iter().any(|value| is(value, part))).copied();
    Ok(Cell::text(&known.chain(unknown).collect::<Vec<_>>().join(";")))
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let bad = |c: char| c.is_whitespace() || matches!(c, '@' | ',' | '<' | '>' | '(' | ')' | '"');
    let labels = domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    !local.is_empty() && !local.contains(bad) && !local.starts_with('.') && !local.ends_with('.') && labels && !domain.contains(bad)
}
