//! The `lookups` block of writes: a record names rows of other objects by their fields instead of their ids.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{
    answer::{Refused, invalid, no_field, no_object},
    filter,
    objects::{self, Field, Object},
    path,
    tenant::Tenant,
    values::Bad,
};
use crate::sandbox::documents::Row;

/// One field that is filled from a row found elsewhere.
#[derive(Debug)]
pub(super) struct Lookup {
    target: String,
    /// Key of the record, field of the other object.
    fields: Vec<(String, &'static Field)>,
    object: &'static Object,
    /// What is taken of the row found.
    taken: &'static Field,
    many_are_wrong: bool,
    otherwise: Otherwise,
}

/// A lookup that found nothing, or too much.
#[derive(Debug)]
pub(super) struct Misled {
    pub(super) field: String,
    pub(super) value: Value,
    pub(super) bad: Bad,
}

/// What is done when there is no such row.
#[derive(Debug)]
enum Otherwise {
    Null,
    Default(Value),
    Error,
}

/// Reads the block; none is fine.
pub(super) fn parse(block: Option<&Value>) -> Result<Vec<Lookup>, Refused> {
    match block {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(block)) => block.iter().map(|(target, sent)| lookup(target, sent)).collect(),
        Some(_) => Err(invalid("lookups must be an object")),
    }
}

fn lookup(target: &str, sent: &Value) -> Result<Lookup, Refused> {
    let Value::Object(sent) = sent else { return Err(invalid(format!("lookups.{target} must be an object"))) };
    let known = ["fields", "lookupField", "objectName", "multiMatchOption", "onNoMatch", "defaultValue"];
    filter::known_keys(sent, &known, &format!("lookups.{target}"))?;
    let text = |key: &str| sent.get(key).and_then(Value::as_str);
    let name = text("objectName").ok_or_else(|| invalid(format!("lookups.{target}.objectName is mandatory")))?;
    let object = objects::object(name).ok_or_else(|| no_object(name))?;
    let field = |name: &str| object.field(name).ok_or_else(|| no_field(name, object.name));
    let fields = match sent.get("fields") {
        Some(Value::Object(fields)) if !fields.is_empty() => {
            fields.iter().map(|(key, of)| Ok((key.clone(), field(of.as_str().unwrap_or_default())?))).collect::<Result<_, Refused>>()?
        }
        _ => return Err(invalid(format!("lookups.{target}.fields is mandatory"))),
    };
    let many_are_wrong = match text("multiMatchOption").unwrap_or("FIRSTMATCH") {
        "FIRSTMATCH" => false,
        "MARKASERROR" => true,
        other => return Err(invalid(format!("Invalid multiMatchOption {other}"))),
    };
    let otherwise = match text("onNoMatch").unwrap_or("NULLABLE") {
        "NULLABLE" => Otherwise::Null,
        "DEFAULTVALUE" => Otherwise::Default(sent.get("defaultValue").cloned().unwrap_or(Value::Null)),
        "ERROR" => Otherwise::Error,
        other => return Err(invalid(format!("Invalid onNoMatch {other}"))),
    };
    Ok(Lookup { target: target.to_owned(), fields, object, taken: field(text("lookupField").unwrap_or("Gsid"))?, many_are_wrong, otherwise })
}

impl Lookup {
    /// Replaces the record's keys by the field that they stand for.
    pub(super) fn apply(&self, tenant: &Tenant, record: &mut Map<String, Value>) -> Result<(), Box<Misled>> {
        let given: Vec<(&Field, Value)> = self.fields.iter().filter_map(|(key, field)| Some((*field, record.remove(key)?))).collect();
        if given.is_empty() {
            return Ok(());
        }
        let sought: Vec<(&'static Field, &Value)> = self.fields.iter().map(|(_, field)| *field).zip(given.iter().map(|(_, value)| value)).collect();
        let found = if given.len() == self.fields.len() { matching(tenant, self.object, &sought) } else { Vec::new() };
        let first_value = given.first().map_or(Value::Null, |(_, value)| value.clone());
        let wrong = |text: String| {
            let bad = Bad { code: "GSOBJ_1008", people_code: "GSOBJ_VCRUDR1002", text };
            Err(Box::new(Misled { field: self.target.clone(), value: first_value.clone(), bad }))
        };
        let value = match (found.first(), &self.otherwise) {
            (Some(_), _) if found.len() > 1 && self.many_are_wrong => return wrong(format!("Multiple matches found for lookup {}", self.target)),
            (Some(row), _) => path::get(row, self.taken).into_owned(),
            (None, Otherwise::Null) => Value::Null,
            (None, Otherwise::Default(value)) => value.clone(),
            (None, Otherwise::Error) => return wrong(format!("No match found for lookup {}", self.target)),
        };
        record.insert(self.target.clone(), value);
        Ok(())
    }
}

/// The rows whose fields have all these values, by ascending id.
pub(super) fn matching(tenant: &Tenant, object: &'static Object, fields: &[(&'static Field, &Value)]) -> Vec<Row> {
    let same = |row: &Row| {
        fields.iter().all(|(field, value)| {
            let held = path::get(row, field);
            !held.is_null() && !value.is_null() && filter::order(field.kind, &held, value) == Ordering::Equal
        })
    };
    let indexed = fields.iter().find_map(|(field, value)| tenant.rows_by(object, field.name, std::slice::from_ref(*value)));
    match indexed {
        Some(rows) => rows.into_iter().filter(same).collect(),
        None => tenant.table(object).scan().filter(same).collect(),
    }
}
