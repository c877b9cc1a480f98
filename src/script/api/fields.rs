//! Field maps: `Target__c: "source"`, a closure, a constant, or `#{ from: .., type: "number(18,0)", label: ".." }` (A1).

use rhai::{Dynamic, FnPtr};

use crate::model::{Choices, Date, FieldType, Timestamp, Value};
use crate::script::{
    declaration::{Cell, DeclaredField, FieldMap},
    diagnostics::Id,
    site::Site,
    value::from_dynamic,
};

use super::{
    dates::RuleDate,
    options::{Entry, Item},
};

/// `constant("text")`: the value itself where text alone would name a field.
#[derive(Debug, Clone)]
pub(in crate::script) struct Constant(pub(in crate::script) Value);

/// `field("Name")`: a field where text alone would be itself.
#[derive(Debug, Clone)]
pub(in crate::script) struct FieldName(pub(in crate::script) String);

/// What bare text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    IsField,
    IsItself,
}

/// Where a value comes from.
pub(super) fn cell(site: &Site, item: &Item, text: Text) -> Option<Cell> {
    if item.is_text() {
        let text_value = item.text(site)?;
        return Some(if text == Text::IsField { Cell::Field(text_value) } else { Cell::Constant(Value::text(text_value)) });
    }
    if let Some(pointer) = item.value.read_lock::<FnPtr>() {
        return site.row_closure(&pointer, &item.place).map(Cell::Compute);
    }
    if let Some(date) = item.value.read_lock::<RuleDate>() {
        return Some(Cell::RuleDate(*date));
    }
    if let Some(field) = item.value.read_lock::<FieldName>() {
        return Some(Cell::Field(field.0.clone()));
    }
    if let Some(constant) = item.value.read_lock::<Constant>() {
        return Some(Cell::Constant(constant.0.clone()));
    }
    if is_scalar(&item.value) {
        return item.data(site).map(Cell::Constant);
    }
    let wanted = "a field's name, a closure `|row| ...`, or a constant";
    item.invalid(site, Id::OptionType, format!("{wanted} is wanted here"), None)
}

fn is_scalar(value: &Dynamic) -> bool {
    value.is_int() || value.is_float() || value.is_bool() || value.is::<Date>() || value.is::<Timestamp>()
}

/// A map from target fields to where their values come from.
pub(super) fn fields(site: &Site, item: &Item) -> Vec<FieldMap> {
    let entries = item.entries(site).unwrap_or_default();
    if entries.is_empty() && item.value.is_map() {
        item.invalid::<()>(site, Id::OptionValue, "no field is mapped", Some("write `Target__c: \"source\"`".to_owned()));
    }
    entries.iter().filter_map(|entry| field(site, entry)).collect()
}

/// A map from names to values: text stands for itself, `field("NAME")` and closures read the row.
pub(super) fn values(site: &Site, item: &Item) -> Vec<FieldMap> {
    let value = |entry: &Entry| {
        let from = cell(site, &entry.item, Text::IsItself)?;
        Some(FieldMap { target: entry.key.as_str().into(), from, declared: None, place: entry.key_place.clone() })
    };
    item.entries(site).unwrap_or_default().iter().filter_map(value).collect()
}

fn field(site: &Site, entry: &Entry) -> Option<FieldMap> {
    let map = |from, declared| FieldMap { target: entry.key.as_str().into(), from, declared, place: entry.key_place.clone() };
    if !entry.item.value.is_map() {
        return cell(site, &entry.item, Text::IsField).map(|from| map(from, None));
    }
    let mut options = entry.item.options(site, &format!("the field `{}`", entry.key))?;
    let from = options.need(site, "from").and_then(|item| cell(site, &item, Text::IsField));
    let kind = options.take(site, "type").and_then(|item| field_type(site, &item));
    let label = options.text(site, "label");
    options.finish(site);
    let declared = (kind.is_some() || label.is_some()).then_some(DeclaredField { kind, label, description: None });
    Some(map(from?, declared))
}

/// `text(255)`, `number(18,0)`, `integer`, `boolean`, `date`, `datetime`, `time`, `email`, `picklist(Low, High)`.
pub(super) fn field_type(site: &Site, item: &Item) -> Option<FieldType> {
    let text = item.text(site)?;
    let (word, inside) = match text.split_once('(') {
        Some((word, rest)) => (word.trim(), Some(rest.trim_end().trim_end_matches(')'))),
        None => (text.trim(), None),
    };
    let parts: Vec<&str> = inside.map(|inside| inside.split(',').map(str::trim).collect()).unwrap_or_default();
    let number = |at: usize, default: u8| parts.get(at).map_or(Some(default), |part| part.parse().ok());
    let kind = match word.to_lowercase().as_str() {
        "text" => parts.first().map_or(Some(255), |part| part.parse().ok()).map(|max| FieldType::Text { max }),
        "number" => number(0, 18).zip(number(1, 0)).filter(|(d, s)| *d <= 18 && s <= d).map(|(digits, scale)| FieldType::Number { digits, scale }),
        "integer" => Some(FieldType::Int { bits: 32, digits: 0 }),
        "boolean" => Some(FieldType::Bool),
        "date" => Some(FieldType::Date),
        "datetime" => Some(FieldType::DateTime { millis: false }),
        "time" => Some(FieldType::Time),
        "email" => Some(FieldType::Email { max: 80 }),
        "picklist" if !parts.is_empty() => Some(FieldType::Picklist(Choices::only(parts.iter().copied()))),
        _ => None,
    };
    let hint = "types are text(255), number(18,2), integer, boolean, date, datetime, time, email, picklist(A, B)";
    kind.or_else(|| item.invalid(site, Id::OptionValue, format!("unknown field type `{text}`"), Some(hint.to_owned())))
}

/// `constant(value)` for the script.
pub(super) fn constant(value: &Dynamic) -> Result<Constant, &'static str> {
    from_dynamic(value).map(Constant)
}
