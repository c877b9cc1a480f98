//! sObject Collections: up to 200 records in one call.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::query::{places, whole_record};
use crate::sandbox::salesforce::records::as_object;
use crate::sandbox::salesforce::save::Work;
use crate::sandbox::salesforce::schema::Kind;
use crate::sandbox::salesforce::values::Source;
use serde_json::{Map, Value, json};

/// The most records of one call.
const MOST: usize = 200;
/// The most ids of one retrieve by POST.
const MOST_READ: usize = 2000;

/// What is done with each record.
#[derive(Clone, Copy)]
enum Deed {
    Create,
    Update,
    /// By the object and its key field.
    Upsert(usize, usize),
}

/// `composite/sobjects/...`.
pub(crate) fn answer(org: &Org, call: &Call, rest: &[&str]) -> Answered {
    match (call.method.as_str(), rest) {
        ("POST", []) => write(org, call, Deed::Create),
        ("PATCH", []) => write(org, call, Deed::Update),
        ("DELETE", []) => delete(org, call),
        ("PATCH", [object, key]) => {
            let data = org.data();
            let object = data.schema.object(object).ok_or_else(Fault::not_found)?;
            let described = &data.schema.objects[object];
            let key = described.field(key).filter(|place| {
                described.fields[*place].kind == Kind::Id || described.fields[*place].id_lookup || described.fields[*place].external_id
            });
            let key = key.ok_or_else(|| Fault::new(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible"))?;
            drop(data);
            write(org, call, Deed::Upsert(object, key))
        }
        ("GET" | "HEAD" | "POST", [object]) => retrieve(org, call, object),
        (method, []) => Err(Fault::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed. Allowed are DELETE,PATCH,POST"))),
        _ => Err(Fault::not_found()),
    }
}

fn too_many(most: usize) -> Fault {
    Fault::new(400, "EXCEEDED_ID_LIMIT", format!("record limit reached. cannot submit more than {most} records into this call"))
}

fn none_given() -> Fault {
    Fault::new(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
}

/// The transient error of one row.
pub(crate) fn locked(id: &str) -> Fault {
    let text = format!("unable to obtain exclusive access to this record or 1 records: {id}");
    Fault { fields: Some(Vec::new()), ..Fault::new(400, "UNABLE_TO_LOCK_ROW", text) }
}

/// Item bodies of one call; with `all_or_none` one failure undoes the others.
fn settled(work: &mut Work<'_>, items: Vec<(Value, bool)>, all_or_none: bool) -> Result<Value, Fault> {
    if !all_or_none || items.iter().all(|(_, done)| *done) {
        return Ok(items.into_iter().map(|(item, _)| item).collect());
    }
    work.take_back()?;
    let text = "Record rolled back because not all records were valid and the request was using AllOrNone header";
    let rolled = json!({"success": false, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": text, "fields": []}]});
    Ok(items.into_iter().map(|(item, done)| if done { rolled.clone() } else { item }).collect())
}

fn write(org: &Org, call: &Call, deed: Deed) -> Answered {
    let body = call.object()?;
    let records = body.get("records").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if records.is_empty() {
        return Err(none_given());
    }
    if records.len() > MOST {
        return Err(too_many(MOST));
    }
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let mut data = org.data_mut();
    let mut work = Work::new(&mut data, call, Source::Json);
    let mut items = Vec::with_capacity(records.len());
    for record in records {
        let done = if org.row_is_locked() { Err(locked(id_in(record).unwrap_or_default())) } else { one(&mut work, deed, record) };
        items.push(match done {
            Ok(item) => (item, true),
            Err(fault) if fault.status == 500 => return Err(fault),
            Err(fault) => {
                let mut item = json!({"success": false, "errors": [fault.item()]});
                if let (Deed::Update, Some(id)) = (deed, id_in(record)) {
                    item["id"] = id.into();
                }
                (item, false)
            }
        });
    }
    Answer::ok(settled(&mut work, items, all_or_none)?)
}

fn id_in(record: &Value) -> Option<&str> {
    let fields = record.as_object()?;
    fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("id")).and_then(|(_, value)| value.as_str()).filter(|id| !id.is_empty())
}

fn one(work: &mut Work<'_>, deed: Deed, record: &Value) -> Result<Value, Fault> {
    let mut fields: Map<String, Value> = as_object(record)?.clone();
    let id = id_in(record).map(str::to_owned);
    let named = fields.get("attributes").and_then(|attributes| attributes["type"].as_str());
    let object = match deed {
        Deed::Upsert(object, _) => object,
        _ => named_object(work.data, named)?,
    };
    fields.retain(|name, _| !name.eq_ignore_ascii_case("id"));
    let success = |id: String| json!({"id": id, "success": true, "errors": []});
    match deed {
        Deed::Create if id.is_some() => work.create(object, &as_object(record)?.clone()).map(success),
        Deed::Create => work.create(object, &fields).map(success),
        Deed::Update => update(work, object, id, &fields).map(success),
        Deed::Upsert(object, key) if work.data.schema.objects[object].fields[key].kind == Kind::Id => {
            let (id, created) = match id {
                None => (work.create(object, &fields)?, true),
                id => (update(work, object, id, &fields)?, false),
            };
            Ok(json!({"id": id, "success": true, "errors": [], "created": created}))
        }
        Deed::Upsert(object, key) => {
            let name = work.data.schema.objects[object].fields[key].name.clone();
            let found = fields.keys().find(|given| given.eq_ignore_ascii_case(&name)).cloned();
            let value = found.and_then(|given| fields.remove(&given)).unwrap_or(Value::Null);
            let (id, created) = work.upsert(object, key, &value, &fields).map_err(|fault| Fault { status: 400, ..fault })?;
            Ok(json!({"id": id, "success": true, "errors": [], "created": created}))
        }
    }
}

/// The object that a record names in its attributes.
pub(crate) fn named_object(data: &Data, name: Option<&str>) -> Result<usize, Fault> {
    let name = name.ok_or_else(|| Fault::new(400, "INVALID_INPUT", "Include an \"attributes\" element with a type in each record"))?;
    let unknown = || Fault { fields: Some(Vec::new()), ..Fault::new(400, "INVALID_TYPE", format!("sObject type '{name}' is not supported.")) };
    data.schema.object(name).ok_or_else(unknown)
}

fn update(work: &mut Work<'_>, object: usize, id: Option<String>, fields: &Map<String, Value>) -> Result<String, Fault> {
    let id = id.ok_or_else(|| Fault { fields: Some(Vec::new()), ..Fault::new(400, "MISSING_ARGUMENT", "Id not specified in an update call") })?;
    let id = right_id(work.data, object, &id)?;
    work.update(object, &id, fields).map_err(unknown_row)?;
    Ok(id)
}

/// The long form of an id of this object.
fn right_id(data: &Data, object: usize, id: &str) -> Result<String, Fault> {
    let malformed = |label: &str| Fault {
        fields: Some(vec!["Id".to_owned()]),
        ..Fault::new(400, "MALFORMED_ID", format!("{label}: id value of incorrect type: {id}"))
    };
    let described = &data.schema.objects[object];
    let label = described.fields[0].label.as_str();
    ids::long_form(id).filter(|long| long.starts_with(described.prefix.as_str())).ok_or_else(|| malformed(label))
}

/// In a list an unknown row is a bad reference rather than a missing page.
pub(crate) fn unknown_row(fault: Fault) -> Fault {
    if fault.code == "NOT_FOUND" {
        return Fault { fields: Some(Vec::new()), ..Fault::new(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") };
    }
    fault
}

fn delete(org: &Org, call: &Call) -> Answered {
    let ids: Vec<&str> = call.parameter("ids").unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(none_given());
    }
    if ids.len() > MOST {
        return Err(too_many(MOST));
    }
    let mut data = org.data_mut();
    let mut work = Work::new(&mut data, call, Source::Json);
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let before = work.mark();
        let done = if org.row_is_locked() { Err(locked(id)) } else { delete_one(&mut work, id) };
        items.push(match done {
            Ok(id) => (json!({"id": id, "success": true, "errors": []}), true),
            Err(fault) => {
                work.take_back_to(before)?;
                (json!({"id": id, "success": false, "errors": [fault.item()]}), false)
            }
        });
    }
    Answer::ok(settled(&mut work, items, call.flag("allOrNone"))?)
}

fn delete_one(work: &mut Work<'_>, id: &str) -> Result<String, Fault> {
    let malformed = || Fault { fields: Some(Vec::new()), ..Fault::new(400, "MALFORMED_ID", format!("malformed id {id}")) };
    let long = ids::long_form(id).ok_or_else(malformed)?;
    let object = work.data.schema.by_prefix(&long).ok_or_else(malformed)?;
    work.delete(object, &long).map(|()| long)
}

fn retrieve(org: &Org, call: &Call, object: &str) -> Answered {
    let data = org.data();
    let object = data.schema.object(object).ok_or_else(Fault::not_found)?;
    let (ids, names) = if call.method == "POST" {
        let body = call.object()?;
        let list = |key: &str| -> Vec<String> {
            body.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        (list("ids"), list("fields"))
    } else {
        let list = |key: &str| -> Vec<String> {
            call.parameter(key).unwrap_or_default().split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        (list("ids"), list("fields"))
    };
    if ids.is_empty() || names.is_empty() {
        let missing = if ids.is_empty() { "ids" } else { "fields" };
        return Err(Fault::new(400, "MISSING_ARGUMENT", format!("The {missing} parameter is required")));
    }
    if ids.len() > MOST_READ {
        return Err(too_many(MOST_READ));
    }
    let places = places(&data, object, Some(names.iter().map(String::as_str).collect()))?;
    let mut out = Vec::with_capacity(ids.len());
    for id in &ids {
        let long = ids::long_form(id).ok_or_else(|| Fault::new(400, "MALFORMED_ID", format!("malformed id {id}")))?;
        let row = data.row(object, &long).filter(|row| !Data::is_deleted(row));
        out.push(row.map_or(Value::Null, |row| whole_record(&data, &call.base, object, &row, &places)));
    }
    Answer::ok(Value::Array(out))
}
