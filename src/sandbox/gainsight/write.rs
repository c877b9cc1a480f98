//! Inserting, updating and deleting rows by the object API. One bad value rejects the whole call.

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, invalid, no_field, no_object, wrong},
    filter,
    lookups::{self, Lookup},
    objects::{self, Field, Kind, Object},
    score,
    tenant::{self, Tenant},
    values::{self, Bad},
};
use crate::sandbox::documents::{Change, Row};

/// The most records of one call.
pub(super) const MOST: usize = 50;

/// A record as it was sent.
pub(super) type Sent = Map<String, Value>;

/// What is wrong with one record, as the answer lists it.
pub(super) type Errors = Vec<Value>;

/// `POST /v1/data/objects/{Object}`.
pub(super) fn insert(tenant: &Tenant, name: &str, bytes: &[u8]) -> Answered {
    let object = writable(name)?;
    let (records, lookups) = records(tenant::body(bytes)?)?;
    let _writing = tenant.writing();
    let mut changes = Vec::with_capacity(records.len());
    let mut told = Vec::with_capacity(records.len());
    let mut errors = Vec::new();
    for record in records {
        match fields(tenant, object, &lookups, record, true) {
            Ok(mut fields) => {
                let id = tenant.new_id(object);
                tenant.stamp(&mut fields, object, true);
                told.push(json!({"Gsid": id}));
                changes.push((object, Change::Insert(id, fields)));
            }
            Err(wrong) => errors.push(wrong),
        }
    }
    refuse_errors(&errors)?;
    commit(tenant, changes)?;
    Ok(Answer::Data(json!({"count": told.len(), "errors": null, "records": told})))
}

/// `PUT /v1/data/objects/{Object}?keys=A,B`: every row that has the record's values in the key fields. A record
/// that matches no row is a bad one: whether the vendor would write the others is not told, and silence would look like success.
pub(super) fn update(tenant: &Tenant, name: &str, keys: Option<&str>, bytes: &[u8]) -> Answered {
    let object = writable(name)?;
    let keys = key_fields(object, keys)?;
    let (records, lookups) = records(tenant::body(bytes)?)?;
    let _writing = tenant.writing();
    let mut changes: Vec<(&'static Object, Change)> = Vec::with_capacity(records.len());
    let mut told = Vec::with_capacity(records.len());
    let mut errors = Vec::new();
    for record in records {
        let echo = record.clone();
        match updates(tenant, object, &keys, &lookups, record) {
            Ok((rows, fields)) => {
                for row in rows {
                    let id = row.id().into_owned();
                    let mut answer = echo.clone();
                    answer.insert("Gsid".to_owned(), id.clone().into());
                    told.push(Value::Object(answer));
                    changes.push((object, Change::Update(id, fields.clone())));
                }
            }
            Err(wrong) => errors.push(wrong),
        }
    }
    refuse_errors(&errors)?;
    commit(tenant, changes)?;
    Ok(Answer::Data(json!({"count": told.len(), "errors": null, "records": told})))
}

/// `DELETE /v1/data/objects/{Object}/{Gsid}`.
pub(super) fn delete(tenant: &Tenant, name: &str, id: &str) -> Answered {
    let object = writable(name)?;
    let _writing = tenant.writing();
    if tenant.get(object, id).is_none() {
        return Err(wrong("GSOBJ_1004", format!("GSID {id} is missing or malformed")));
    }
    let mut changes = vec![(object, Change::Delete(id.to_owned()))];
    changes.extend(deletion_log(tenant, object, id));
    commit(tenant, changes)?;
    Ok(Answer::Data(format!("Record with GSID: {id} successfully deleted.").into()))
}

fn deletion_log(tenant: &Tenant, object: &Object, id: &str) -> Option<(&'static Object, Change)> {
    let log = objects::object("record_delete_log")?;
    let fields = json!({"RecordId": id, "ObjectName": object.name, "DeletedOn": tenant.world.clock.now_ms()});
    let Value::Object(fields) = fields else { return None };
    Some((log, Change::Insert(tenant.new_id(log), fields)))
}

/// Writes the changes and what follows from them.
fn commit(tenant: &Tenant, mut changes: Vec<(&'static Object, Change)>) -> Result<(), Refused> {
    changes.extend(score::follows(tenant, &changes));
    tenant.write(changes)
}

fn writable(name: &str) -> Result<&'static Object, Refused> {
    let object = objects::object(name).ok_or_else(|| no_object(name))?;
    if object.writable { Ok(object) } else { Err(invalid(format!("Operation is not supported for object {}", object.name))) }
}

/// The records and the lookups of a body.
fn records(mut body: Map<String, Value>) -> Result<(Vec<Sent>, Vec<Lookup>), Refused> {
    filter::known_keys(&body, &["records", "lookups"], "the request")?;
    let lookups = lookups::parse(body.get("lookups"))?;
    Ok((list(body.remove("records"), "records")?, lookups))
}

/// A list of 1 to 50 objects.
pub(super) fn list(sent: Option<Value>, what: &str) -> Result<Vec<Map<String, Value>>, Refused> {
    let Some(Value::Array(sent)) = sent else { return Err(invalid(format!("{what} must be a list"))) };
    if sent.is_empty() || sent.len() > MOST {
        return Err(invalid(format!("{what} must hold 1 to {MOST} records, not {}", sent.len())));
    }
    let object = |record: Value| match record {
        Value::Object(record) => Ok(record),
        _ => Err(invalid(format!("{what} must be a list of objects"))),
    };
    sent.into_iter().map(object).collect()
}

fn key_fields(object: &'static Object, keys: Option<&str>) -> Result<Vec<&'static Field>, Refused> {
    let names: Vec<&str> = keys.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > 3 {
        return Err(invalid("keys must name 1 to 3 fields"));
    }
    let field = |name: &str| {
        let field = object.field(name).ok_or_else(|| no_field(name, object.name))?;
        let allowed = matches!(field.kind, Kind::Text(_) | Kind::Gsid | Kind::Lookup(_) | Kind::Number | Kind::Email);
        if allowed { Ok(field) } else { Err(invalid(format!("Field {name} of type {} cannot be a key", field.kind.word()))) }
    };
    names.into_iter().map(field).collect()
}

/// The rows that a record of an update means, and what it sets. The key fields keep their values.
fn updates(
    tenant: &Tenant,
    object: &'static Object,
    keys: &[&'static Field],
    lookups: &[Lookup],
    mut record: Map<String, Value>,
) -> Result<(Vec<Row>, Map<String, Value>), Errors> {
    apply_lookups(tenant, lookups, &mut record)?;
    let mut sought = Vec::with_capacity(keys.len());
    for key in keys {
        let spelled = record.keys().find(|name| name.eq_ignore_ascii_case(key.name)).cloned();
        let value = spelled.and_then(|name| record.remove(&name)).filter(|value| !value.is_null());
        let Some(value) = value else {
            let code = if key.name == "Gsid" { "GSOBJ_1004" } else { "GSOBJ_1007" };
            return Err(vec![error(&format!("Key {} is missing", key.name), code, key.name, &Value::Null)]);
        };
        sought.push((*key, value));
    }
    let sought: Vec<(&'static Field, &Value)> = sought.iter().map(|(key, value)| (*key, value)).collect();
    let rows = lookups::matching(tenant, object, &sought);
    if rows.is_empty() {
        let code = if keys.iter().any(|key| key.name == "Gsid") { "GSOBJ_1004" } else { "GSOBJ_1011" };
        let (key, value) = (sought[0].0.name, sought[0].1);
        return Err(vec![error(&format!("No data found for given criteria: no {} has {key} {value}", object.name), code, key, value)]);
    }
    let mut fields = checked(tenant, object, record)?;
    tenant.stamp(&mut fields, object, false);
    Ok((rows, fields))
}

/// What a new record sets, or all that is wrong with it.
fn fields(
    tenant: &Tenant,
    object: &'static Object,
    lookups: &[Lookup],
    mut record: Map<String, Value>,
    created: bool,
) -> Result<Map<String, Value>, Errors> {
    apply_lookups(tenant, lookups, &mut record)?;
    let missing = |field: &&Field| created && field.required && !record.keys().any(|name| name.eq_ignore_ascii_case(field.name));
    let missing: Errors = object
        .fields
        .iter()
        .filter(missing)
        .map(|field| error(&format!("{} cannot be null", field.name), "GSOBJ_1007", field.name, &Value::Null))
        .collect();
    if missing.is_empty() { checked(tenant, object, record) } else { Err(missing) }
}

fn apply_lookups(tenant: &Tenant, lookups: &[Lookup], record: &mut Map<String, Value>) -> Result<(), Errors> {
    for lookup in lookups {
        lookup.apply(tenant, record).map_err(|misled| vec![error(&misled.bad.text, misled.bad.code, &misled.field, &misled.value)])?;
    }
    Ok(())
}

fn checked(tenant: &Tenant, object: &'static Object, record: Map<String, Value>) -> Result<Map<String, Value>, Errors> {
    let mut fields = Map::with_capacity(record.len());
    let mut errors = Errors::new();
    for (name, value) in record {
        match object.field(&name) {
            None => errors.push(error(&format!("Invalid field {name}"), "GSOBJ_1002", &name, &value)),
            Some(field) if field.read_only => errors.push(error(&format!("Field {name} is read only"), "GSOBJ_1008", &name, &value)),
            Some(field) => match accept(tenant, field, &value) {
                Ok(value) => {
                    fields.insert(field.name.to_owned(), value);
                }
                Err(wrong) => errors.push(error(&wrong.text, wrong.code, &name, &value)),
            },
        }
    }
    if errors.is_empty() { Ok(fields) } else { Err(errors) }
}

/// A value as it is kept; ids must be those of rows that are there, and choices are given by their ids, as describes tell them.
pub(super) fn accept(tenant: &Tenant, field: &Field, value: &Value) -> Result<Value, Bad> {
    let kept = values::accept(field, value)?;
    let Some(text) = kept.as_str() else { return Ok(kept) };
    let bad = |code, people_code, text| Err(Bad { code, people_code, text });
    match field.kind {
        Kind::Picklist(category) | Kind::Multi(category) => {
            let choices = tenant.choices(category);
            match text.split(';').find(|id| !choices.iter().any(|(known, _)| known == id)) {
                Some(unknown) => bad("GSOBJ_1008", "GSOBJ_VDTPKLST1001", format!("Invalid picklist value {unknown} for field {}", field.name)),
                None => Ok(kept),
            }
        }
        Kind::Lookup(name) => match objects::object(name).and_then(|object| tenant.get(object, text)) {
            Some(_) => Ok(kept),
            None => bad("GSOBJ_1004", "GSOBJ_VDTGSID1001", format!("No {name} with GSID {text} for field {}", field.name)),
        },
        _ => Ok(kept),
    }
}

fn error(text: &str, code: &str, field: &str, value: &Value) -> Value {
    json!({"errorMessage": text, "errorCode": code, "fieldName": field, "invalidValue": value})
}

/// The vendor's rejection of the whole call.
fn refuse_errors(errors: &[Errors]) -> Result<(), Refused> {
    let Some(first) = errors.first().and_then(|of_record| of_record.first()) else { return Ok(()) };
    let text = first["errorMessage"].as_str().unwrap_or_default().to_owned();
    let code = known_code(&first["errorCode"]);
    let lists: Vec<Value> = errors.iter().map(|errors| json!([{"success": false, "parsedValue": null, "errors": errors}])).collect();
    Err(Refused { data: json!({"count": 0, "records": null, "errors": lists}), ..wrong(code, text) })
}

/// The code as one of the table's.
fn known_code(code: &Value) -> &'static str {
    const CODES: &[&str] = &["GSOBJ_1001", "GSOBJ_1002", "GSOBJ_1004", "GSOBJ_1005", "GSOBJ_1006", "GSOBJ_1007", "GSOBJ_1011"];
    CODES.iter().find(|known| code == **known).unwrap_or(&"GSOBJ_1008")
}
