//! `sobjects/...`: describes, and one record at a time.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::describe;
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::query::{places, whole_record};
use crate::sandbox::salesforce::save::Work;
use crate::sandbox::salesforce::schema::{ID, MODIFIED};
use crate::sandbox::salesforce::soql::{bind, parse, run};
use crate::sandbox::salesforce::time::{DAY, format_datetime, parse_datetime};
use crate::sandbox::salesforce::values::{self, Source, gone};
use serde_json::{Map, Value, json};

/// Everything under `sobjects`.
pub(crate) fn answer(org: &Org, call: &Call, parts: &[&str]) -> Answered {
    let Some((name, rest)) = parts.split_first() else {
        return only(call, &["GET", "HEAD"]).and_then(|()| Answer::ok(describe::global(&org.data().schema, &call.base)));
    };
    let object = org.data().schema.object(name).ok_or_else(Fault::not_found)?;
    match rest {
        [] => match call.method.as_str() {
            "POST" => create(org, call, object),
            _ => only(call, &["GET", "HEAD", "POST"]).and_then(|()| Answer::ok(basic(&org.data(), call, object))),
        },
        ["describe"] => only(call, &["GET", "HEAD"]).and_then(|()| Answer::ok(describe::object(&org.data().schema, object, &call.base))),
        ["updated"] => updated(&org.data(), call, object),
        ["deleted"] => deleted(&org.data(), call, object),
        ["Id" | "id"] if call.method == "POST" => create(org, call, object),
        ["Id" | "id", id] => one(org, call, object, id),
        [id] if org.data().schema.objects[object].field(id).is_none() => one(org, call, object, id),
        [key, value] if org.data().schema.objects[object].field(key).is_some() => by_key(org, call, object, (key, value)),
        [id, relationship] if ids::is_id(id) => related(&org.data(), call, object, id, relationship),
        [key, _] => {
            let text = format!("Provided external ID field does not exist or is not accessible: {key}");
            Err(Fault::new(404, "NOT_FOUND", text))
        }
        _ => Err(Fault::not_found()),
    }
}

/// Refuses other methods.
pub(crate) fn only(call: &Call, allowed: &[&str]) -> Result<(), Fault> {
    if allowed.contains(&call.method.as_str()) {
        return Ok(());
    }
    let text = format!("HTTP Method '{}' not allowed. Allowed are {}", call.method, allowed.join(","));
    Err(Fault::new(405, "METHOD_NOT_ALLOWED", text))
}

fn basic(data: &Data, call: &Call, object: usize) -> Value {
    let name = data.schema.objects[object].name_field();
    let recent: Vec<Value> = data
        .scan_from(object, 0)
        .filter(|row| !Data::is_deleted(row))
        .take(3)
        .map(|row| whole_record(data, &call.base, object, &row, &[vec![ID], name.into_iter().collect()].concat()))
        .collect();
    json!({"objectDescribe": describe::entry(&data.schema.objects[object], &call.base), "recentItems": recent})
}

fn create(org: &Org, call: &Call, object: usize) -> Answered {
    let fields = call.object()?;
    let mut data = org.data_mut();
    let id = Work::new(&mut data, call, Source::Json).create(object, &fields)?;
    let location = format!("{}/sobjects/{}/{id}", call.base, data.schema.objects[object].name);
    Ok(Answer::json(201, json!({"id": id, "success": true, "errors": []})).with("Location", location))
}

/// The 18-character id of a row of this object, as it stands in a path.
fn path_id(data: &Data, object: usize, id: &str) -> Result<String, Fault> {
    let long = ids::long_form(id).ok_or_else(|| {
        let text = format!("Provided external ID field does not exist or is not accessible: {id}");
        Fault::new(404, "NOT_FOUND", text)
    })?;
    if long.starts_with(data.schema.objects[object].prefix.as_str()) { Ok(long) } else { Err(Fault::not_found()) }
}

fn one(org: &Org, call: &Call, object: usize, id: &str) -> Answered {
    match call.method.as_str() {
        "GET" | "HEAD" => {
            let data = org.data();
            let id = path_id(&data, object, id)?;
            let places = places(&data, object, call.parameter("fields").map(|names| names.split(',').collect()))?;
            let row = data.row(object, &id).filter(|row| !Data::is_deleted(row)).ok_or_else(Fault::not_found)?;
            Answer::ok(whole_record(&data, &call.base, object, &row, &places))
        }
        "PATCH" => {
            let fields = call.object()?;
            let mut data = org.data_mut();
            let id = path_id(&data, object, id)?;
            Work::new(&mut data, call, Source::Json).update(object, &id, &fields)?;
            Answer::empty(204)
        }
        "DELETE" => {
            let mut data = org.data_mut();
            let id = path_id(&data, object, id)?;
            delete_whole(&mut data, call, object, &id)
        }
        _ => only(call, &["DELETE", "GET", "HEAD", "PATCH"]).and_then(|()| Err(Fault::not_found())),
    }
}

/// A row with its children, or nothing.
fn delete_whole(data: &mut Data, call: &Call, object: usize, id: &str) -> Answered {
    let mut work = Work::new(data, call, Source::Json);
    if let Err(fault) = work.delete(object, id) {
        work.take_back()?;
        return Err(fault);
    }
    Answer::empty(204)
}

fn by_key(org: &Org, call: &Call, object: usize, (key, value): (&str, &str)) -> Answered {
    let data = org.data();
    let place = data.schema.objects[object].field(key).ok_or_else(Fault::not_found)?;
    let field = data.schema.objects[object].fields[place].clone();
    if !(field.external_id || field.id_lookup) {
        let text = format!("Provided external ID field does not exist or is not accessible: {key}");
        return Err(Fault::new(404, "NOT_FOUND", text));
    }
    let sought = values::cell(&data, &field, &Value::from(value), Source::Json)?;
    let rows = data.rows_with(object, place, &sought);
    if rows.len() > 1 {
        let name = &data.schema.objects[object].name;
        let urls: Vec<String> = rows.iter().map(|row| format!("{}/sobjects/{name}/{}", call.base, row.id())).collect();
        return Ok(Answer::json(300, json!(urls)));
    }
    let found = rows.first().map(|row| row.id().into_owned());
    match call.method.as_str() {
        "GET" | "HEAD" => {
            let places = places(&data, object, call.parameter("fields").map(|names| names.split(',').collect()))?;
            let row = rows.first().ok_or_else(Fault::not_found)?;
            Answer::ok(whole_record(&data, &call.base, object, row, &places))
        }
        "DELETE" => {
            drop(data);
            delete_whole(&mut org.data_mut(), call, object, &found.ok_or_else(Fault::not_found)?)
        }
        "PATCH" | "POST" => {
            drop(data);
            upsert(org, call, object, place, value)
        }
        _ => only(call, &["DELETE", "GET", "HEAD", "PATCH", "POST"]).and_then(|()| Err(Fault::not_found())),
    }
}

fn upsert(org: &Org, call: &Call, object: usize, place: usize, value: &str) -> Answered {
    let fields = call.object()?;
    let mut data = org.data_mut();
    let name = data.schema.objects[object].fields[place].name.clone();
    if let Some(given) = fields.keys().find(|key| key.eq_ignore_ascii_case("id") || key.eq_ignore_ascii_case(&name)) {
        return Err(Fault::new(400, "INVALID_FIELD", format!("The {given} field should not be specified in the sobject data.")));
    }
    if call.flag("updateOnly") {
        let sought = values::cell(&data, &data.schema.objects[object].fields[place], &Value::from(value), Source::Json)?;
        if data.rows_with(object, place, &sought).is_empty() {
            return Err(Fault::not_found());
        }
    }
    let (id, created) = Work::new(&mut data, call, Source::Json).upsert(object, place, &Value::from(value), &fields)?;
    let told = call.version >= 46;
    let mut body = json!({"id": id, "success": true, "errors": []});
    if told {
        body["created"] = created.into();
    }
    match (created, told) {
        (true, _) => Ok(Answer::json(201, body).with("Location", format!("{}/sobjects/{}/{id}", call.base, data.schema.objects[object].name))),
        (false, true) => Answer::ok(body),
        (false, false) => Answer::empty(204),
    }
}

/// `sobjects/Account/001../Contacts` and `sobjects/Contact/003../Account`.
fn related(data: &Data, call: &Call, object: usize, id: &str, relationship: &str) -> Answered {
    only(call, &["GET", "HEAD"])?;
    let id = path_id(data, object, id)?;
    let row = data.row(object, &id).ok_or_else(Fault::not_found)?;
    if Data::is_deleted(&row) {
        return Err(gone());
    }
    let names: Option<Vec<&str>> = call.parameter("fields").map(|names| names.split(',').collect());
    let described = &data.schema.objects[object];
    if let Some(field) = described.parent(relationship) {
        let reference = data.cell(object, &row, field);
        let target = reference.as_text().and_then(|id| Some((data.schema.by_prefix(id)?, id)));
        let (object, id) = target.ok_or_else(Fault::not_found)?;
        let row = data.row(object, id).ok_or_else(Fault::not_found)?;
        return Answer::ok(whole_record(data, &call.base, object, &row, &places(data, object, names)?));
    }
    let child = described.children.iter().find(|child| child.relationship.as_deref().is_some_and(|r| r.eq_ignore_ascii_case(relationship)));
    let (child, of) = child.and_then(|child| Some((child, data.schema.object(&child.object)?))).ok_or_else(Fault::not_found)?;
    let places = places(data, of, names)?;
    let text = format!("SELECT Id FROM {}", child.object);
    let scope = bind::Scope { data, query: &text, now: call.now, all_rows: false, depth: 0 };
    let plan = bind::bind(&scope, &parse::parse(&text)?)?;
    let field = data.schema.objects[of].place(&child.field).ok_or_else(Fault::not_found)?;
    let hits = run::child_hits(data, &plan, field, &Cell::text(&id));
    let records: Vec<Value> = hits.rows(data, &plan, 0).map(|row| whole_record(data, &call.base, of, &row, &places)).collect();
    Answer::ok(json!({"totalSize": records.len(), "done": true, "records": records}))
}

/// The start and end of a replication window, to the minute.
fn window(call: &Call, reach: i64) -> Result<(i64, i64), Fault> {
    let wrong = |text: &str| Fault::new(400, "INVALID_REPLICATION_DATE", text);
    let at = |name: &str| {
        let text = call.parameter(name).ok_or_else(|| wrong(&format!("missing or invalid required parameter: {name}")))?;
        let ms = parse_datetime(&text.replace(' ', "+")).ok_or_else(|| wrong(&format!("{name} is not a valid dateTime: {text}")))?;
        Ok::<i64, Fault>(ms.div_euclid(60_000) * 60_000)
    };
    let (start, end) = (at("start")?, at("end")?);
    if end <= start {
        return Err(wrong("startDate and endDate must be at least one minute apart and endDate must be later than startDate"));
    }
    if start < call.now - reach * DAY {
        return Err(wrong(&format!("startDate before org replication enabled date or more than {reach} days ago")));
    }
    Ok((start, end))
}

const MOST: usize = 600_000;

fn too_many() -> Fault {
    Fault::new(400, "EXCEEDED_ID_LIMIT", "Exceeded the maximum number of ids that can be returned: 600000")
}

fn changed(data: &Data, object: usize, start: i64, end: i64) -> impl Iterator<Item = (String, i64, bool)> {
    data.scan_from(object, 0).filter_map(move |row| match data.cell(object, &row, MODIFIED) {
        Cell::Datetime(ms) if start <= ms && ms < end => Some((row.id().into_owned(), ms, Data::is_deleted(&row))),
        _ => None,
    })
}

fn updated(data: &Data, call: &Call, object: usize) -> Answered {
    only(call, &["GET", "HEAD"])?;
    let (start, end) = window(call, 30)?;
    let ids: Vec<String> = changed(data, object, start, end).filter(|(.., deleted)| !deleted).map(|(id, ..)| id).take(MOST + 1).collect();
    if ids.len() > MOST {
        return Err(too_many());
    }
    Answer::ok(json!({"ids": ids, "latestDateCovered": format_datetime(covered(end, call.now), "+0000")}))
}

fn covered(end: i64, now: i64) -> i64 {
    end.min(now.div_euclid(60_000) * 60_000)
}

fn deleted(data: &Data, call: &Call, object: usize) -> Answered {
    only(call, &["GET", "HEAD"])?;
    let (start, end) = window(call, 15)?;
    let rows: Vec<Value> = changed(data, object, start, end)
        .filter(|(.., deleted)| *deleted)
        .map(|(id, ms, _)| json!({"id": id, "deletedDate": format_datetime(ms, "+0000")}))
        .take(MOST + 1)
        .collect();
    if rows.len() > MOST {
        return Err(too_many());
    }
    Answer::ok(json!({
        "deletedRecords": rows,
        "earliestDateAvailable": format_datetime(call.now - 15 * DAY, "+0000"),
        "latestDateCovered": format_datetime(covered(end, call.now), "+0000"),
    }))
}

/// A JSON object, or the refusal of anything else.
pub(crate) fn as_object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| Fault::new(400, "JSON_PARSER_ERROR", "Can not deserialize SObject out of this token"))
}
