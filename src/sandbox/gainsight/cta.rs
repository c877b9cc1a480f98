//! The Cockpit API: calls to action and their tasks. Each record succeeds or fails by itself, under its `referenceId`.
//!
//! Reasons are an open dropdown in this tenant: one that is new is added to it. Types, statuses, priorities and playbooks are not.

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, invalid, oops},
    filter::{self, COCKPIT, Filter},
    lookups::{self, Lookup, matching},
    objects::{self, Kind, Object},
    path::Path,
    seed::picklist,
    tenant::{self, Tenant},
    values,
    write::{self, accept},
};
use crate::sandbox::documents::{Change, Row};

type Changes = Vec<(&'static Object, Change)>;

/// The playbooks of this tenant and their tasks.
const PLAYBOOKS: &[(&str, &[&str])] = &[
    ("Save", &["Call the sponsor", "Agree on a plan", "Review the plan"]),
    ("Onboarding", &["Kick-off call", "Training"]),
    ("Renewal", &["Prepare the renewal", "Send the quote"]),
    ("Adoption", &["Review usage", "Send tips"]),
];

/// Keys of a record that stand for others, and those they stand for.
const STANDING_FOR: &[(&str, &str)] =
    &[("type", "TypeId"), ("SuccessPlanType", "TypeId"), ("status", "StatusId"), ("priority", "PriorityId"), ("reason", "ReasonId")];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Create,
    Update,
}

/// `POST` and `PUT /v2/cockpit/cta/`.
pub(super) fn write(tenant: &Tenant, way: Way, bytes: &[u8]) -> Answered {
    each(tenant, way, bytes, |record, options| match way {
        Way::Create => create(tenant, record),
        Way::Update => update(tenant, record, options),
    })
}

/// Does something with every record of a body, and tells what became of each.
pub(super) fn each(tenant: &Tenant, way: Way, bytes: &[u8], does: impl Fn(Map<String, Value>, &Value) -> Result<String, String>) -> Answered {
    let mut body = tenant::body(bytes)?;
    filter::known_keys(&body, &["requests", "lookups"], "the request")?;
    let lookups = lookups::parse(body.get("lookups"))?;
    let requests = write::list(body.remove("requests"), "requests")?;
    let _writing = tenant.writing();
    let (mut success, mut failure) = (Vec::new(), Vec::new());
    for request in requests {
        let (reference, done) = one(tenant, way, &lookups, request, &does);
        match done {
            Ok(id) => success.push(Value::Object(Map::from_iter([(reference, id.into())]))),
            Err(reason) => failure.push(Value::Object(Map::from_iter([(reference, reason.into())]))),
        }
    }
    Ok(Answer::Data(json!({"success": success, "failure": failure})))
}

/// The reference of a request, and the id of its record or why there is none.
fn one(
    tenant: &Tenant,
    way: Way,
    lookups: &[Lookup],
    mut request: Map<String, Value>,
    does: impl Fn(Map<String, Value>, &Value) -> Result<String, String>,
) -> (String, Result<String, String>) {
    let options = request.remove("options").unwrap_or(Value::Null);
    let Some(Value::Object(mut record)) = request.remove("record") else {
        return (String::new(), Err("record is mandatory".to_owned()));
    };
    let reference = match record.remove("referenceId") {
        Some(Value::String(reference)) => reference,
        Some(Value::Number(reference)) => reference.to_string(),
        _ if way == Way::Update => record.get("Gsid").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => return (String::new(), Err("referenceId is mandatory".to_owned())),
    };
    for lookup in lookups {
        if let Err(misled) = lookup.apply(tenant, &mut record) {
            return (reference, Err(misled.bad.text));
        }
    }
    (reference, does(record, &options))
}

fn create(tenant: &Tenant, record: Map<String, Value>) -> Result<String, String> {
    let (cta, company) = (known("call_to_action")?, known("Company")?);
    let playbook = record.get("playbook").and_then(Value::as_str).map(str::to_owned);
    let mut changes = Changes::new();
    let mut fields = fields(tenant, cta, record, &mut changes)?;
    let filled = |fields: &Map<String, Value>, name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    for (name, called) in [("Name", "Name"), ("CompanyId", "CompanyId or SFDCID"), ("TypeId", "type")] {
        if !filled(&fields, name) {
            return Err(format!("{called} is mandatory"));
        }
    }
    if !filled(&fields, "StatusId") {
        fields.insert("StatusId".to_owned(), picklist::id("CTA_STATUS", "New"));
    }
    if !filled(&fields, "PriorityId") {
        fields.insert("PriorityId".to_owned(), picklist::id("CTA_PRIORITY", "Medium"));
    }
    if !filled(&fields, "OwnerId") {
        let of = fields.get("CompanyId").and_then(Value::as_str).and_then(|id| tenant.get(company, id));
        fields.insert("OwnerId".to_owned(), of.map_or(Value::Null, |row| row.get("Csm").into_owned()));
    }
    for (name, value) in [("EntityType", json!("COMPANY")), ("IsImportant", json!(false)), ("IsClosed", json!(false))] {
        fields.entry(name).or_insert(value);
    }
    tenant.stamp(&mut fields, cta, true);
    let id = tenant.new_id(cta);
    changes.extend(tasks(tenant, &id, &fields, playbook.as_deref())?);
    changes.push((cta, Change::Insert(id.clone(), fields)));
    tenant.write(changes).map_err(|refused| refused.text)?;
    Ok(id)
}

fn update(tenant: &Tenant, mut record: Map<String, Value>, options: &Value) -> Result<String, String> {
    let cta = known("call_to_action")?;
    let Some(Value::String(id)) = record.remove("Gsid") else { return Err("Gsid is mandatory".to_owned()) };
    let before = tenant.get(cta, &id).ok_or_else(|| format!("No CTA with Gsid {id}"))?;
    let playbook = record.get("playbook").and_then(Value::as_str).map(str::to_owned);
    let mut changes = Changes::new();
    let mut fields = fields(tenant, cta, record, &mut changes)?;
    tenant.stamp(&mut fields, cta, false);
    // A playbook is applied only to a call to action that has none.
    if before.get("Playbook").is_null() {
        let mut whole = before.document();
        whole.extend(fields.clone());
        changes.extend(tasks(tenant, &id, &whole, playbook.as_deref())?);
    } else {
        fields.remove("Playbook");
    }
    changes.extend(cascade(tenant, &id, &fields, options)?);
    changes.push((cta, Change::Update(id.clone(), fields)));
    tenant.write(changes).map_err(|refused| refused.text)?;
    Ok(id)
}

pub(super) fn known(name: &str) -> Result<&'static Object, String> {
    objects::object(name).ok_or_else(|| format!("Object {name} not found"))
}

/// What a record sets, by the object's own field names. A reason that is new is added to its dropdown.
pub(super) fn fields(tenant: &Tenant, cta: &'static Object, record: Map<String, Value>, changes: &mut Changes) -> Result<Map<String, Value>, String> {
    let mut fields = Map::with_capacity(record.len());
    for (key, value) in record {
        // Taken with a write and told by no list; whether there is such a playbook is looked at with its tasks.
        if key == "playbook" && cta.name == "call_to_action" {
            fields.insert("Playbook".to_owned(), value);
            continue;
        }
        let (name, value) = match key.as_str() {
            "OwnerEmail" | "SFDCID" if value.is_null() => continue,
            "OwnerEmail" => ("OwnerId", named(tenant, "gsuser", "Email", &value, &key)?),
            "SFDCID" => ("CompanyId", named(tenant, "Company", "SfdcAccountId", &value, &key)?),
            other => (STANDING_FOR.iter().find(|(short, _)| *short == other).map_or(other, |(_, name)| *name), value),
        };
        let field = cta.field(name).filter(|field| !field.read_only && !matches!(field.name, "IsClosed" | "ClosedDate"));
        let field = field.ok_or_else(|| format!("Invalid field {key}"))?;
        // This API names choices by their labels.
        let chosen = match (field.kind, value.as_str()) {
            _ if field.name == "ReasonId" => Some(reason(tenant, &value, changes)?),
            (Kind::Picklist(category), Some(label)) => tenant.choice(category, label).map(Value::from),
            _ => None,
        };
        let value = chosen.unwrap_or(value);
        let kept = if field.name == "ReasonId" { value } else { accept(tenant, field, &value).map_err(|bad| bad.text)? };
        fields.insert(field.name.to_owned(), kept);
    }
    if cta.name == "call_to_action" {
        close(tenant, &mut fields);
    }
    Ok(fields)
}

/// The status tells whether it is closed.
fn close(tenant: &Tenant, fields: &mut Map<String, Value>) {
    let Some(status) = fields.get("StatusId").and_then(Value::as_str) else { return };
    let label = tenant.choices("CTA_STATUS").into_iter().find(|(id, _)| id == status).map(|(_, label)| label);
    let closed = label.is_some_and(|label| picklist::closes(&label));
    fields.insert("IsClosed".to_owned(), closed.into());
    fields.insert("ClosedDate".to_owned(), if closed { tenant.world.clock.now_ms().into() } else { Value::Null });
}

/// The id of the row whose field has this value.
fn named(tenant: &Tenant, object: &str, field: &str, value: &Value, key: &str) -> Result<Value, String> {
    let object = known(object)?;
    let field = object.field(field).ok_or_else(|| format!("Invalid field {field}"))?;
    let found = matching(tenant, object, &[(field, value)]);
    found.first().map(|row| row.id().into_owned().into()).ok_or_else(|| format!("No {} found for {key} {value}", object.label))
}

fn reason(tenant: &Tenant, value: &Value, changes: &mut Changes) -> Result<Value, String> {
    let Some(text) = value.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
        return if value.is_null() { Ok(Value::Null) } else { Err("Invalid reason".to_owned()) };
    };
    if let Some(id) = tenant.choice("CTA_REASON", text) {
        return Ok(id.into());
    }
    if text.chars().count() > 255 {
        return Err("Invalid reason: longer than 255 characters".to_owned());
    }
    let list = known("da_picklist")?;
    let id = tenant.new_id(list);
    let order = tenant.table(list).len();
    let fields = json!({"Name": text, "Category": "CTA_REASON", "DisplayOrder": order, "IsActive": true});
    if let Value::Object(fields) = fields {
        changes.push((list, Change::Insert(id.clone(), fields)));
    }
    Ok(id.into())
}

/// The tasks of a playbook.
fn tasks(tenant: &Tenant, cta: &str, fields: &Map<String, Value>, playbook: Option<&str>) -> Result<Changes, String> {
    let Some(name) = playbook else { return Ok(Changes::new()) };
    let (_, names) = PLAYBOOKS.iter().find(|(known, _)| *known == name).ok_or_else(|| format!("Invalid playbook {name}"))?;
    let task = known("cs_task")?;
    let copied = |name: &str| fields.get(name).cloned().unwrap_or(Value::Null);
    let made = names.iter().map(|name| {
        let mut row = Map::new();
        row.insert("Name".to_owned(), (*name).into());
        row.insert("CtaId".to_owned(), cta.into());
        row.insert("StatusId".to_owned(), picklist::id("CTA_STATUS", "New"));
        row.insert("IsClosed".to_owned(), false.into());
        for field in ["OwnerId", "DueDate", "PriorityId"] {
            row.insert(field.to_owned(), copied(field));
        }
        tenant.stamp(&mut row, task, true);
        (task, Change::Insert(tenant.new_id(task), row))
    });
    Ok(made.collect())
}

/// Due date and owner handed on to tasks, as the options say.
fn cascade(tenant: &Tenant, cta: &str, fields: &Map<String, Value>, options: &Value) -> Result<Changes, String> {
    let option = |name: &str| options.get(name).and_then(Value::as_str).unwrap_or("NO");
    let (due, owner) = (option("cascadeDueDate"), option("cascadeOwner"));
    if !matches!(due, "ALL_OPEN_TASKS" | "PLAYBOOK_TASKS" | "NO") || !matches!(owner, "OWNER" | "ALL_OPEN_TASKS" | "NO") {
        return Err("Invalid cascade option".to_owned());
    }
    let mut handed = Map::new();
    if due != "NO" {
        handed.extend(fields.get("DueDate").map(|value| ("DueDate".to_owned(), value.clone())));
    }
    if owner != "NO" {
        handed.extend(fields.get("OwnerId").map(|value| ("OwnerId".to_owned(), value.clone())));
    }
    if handed.is_empty() {
        return Ok(Changes::new());
    }
    let task = known("cs_task")?;
    let open = tenant.rows_by(task, "CtaId", &[cta.into()]).unwrap_or_default().into_iter();
    let open = open.filter(|row| *row.get("CtaId") == *cta && *row.get("IsClosed") == Value::Bool(false));
    Ok(open.map(|row| (task, Change::Update(row.id().into_owned(), handed.clone()))).collect())
}

/// `POST /v2/cockpit/cta/list` and `POST /v2/cockpit/task/list`: `data` is the list; pages are numbered from 1.
pub(super) fn list(tenant: &Tenant, name: &str, bytes: &[u8]) -> Answered {
    const MOST: u64 = 1_000;
    let object = objects::object(name).ok_or_else(oops)?;
    let body = tenant::body(bytes)?;
    filter::known_keys(&body, &["select", "where", "linkedObject", "pageSize", "pageNumber", "orderBy"], "the request")?;
    let number = |key: &str, default: u64| match body.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_u64().filter(|number| *number > 0).ok_or_else(|| invalid(format!("{key} must be a number from 1"))),
    };
    let (size, page) = (number("pageSize", MOST)?, number("pageNumber", 1)?);
    if size > MOST {
        return Err(invalid(format!("pageSize must be at most {MOST}")));
    }
    if body.contains_key("orderBy") {
        return Err(invalid("orderBy is not supported"));
    }
    let (select, linked) = match selected(object, body.get("select")) {
        Ok(selected) => selected,
        // The one list whose refusal comes with 200.
        Err(Unknown(field)) => return Ok(Answer::Body(invalid_select(tenant, &field))),
    };
    let filter = Filter::parse(object, body.get("where").unwrap_or(&Value::Null), COCKPIT.with(tenant.settings().times))?;
    let matching: Box<dyn Iterator<Item = Row>> = match filter.candidates(tenant, object) {
        Some(rows) => Box::new(rows.into_iter()),
        None => Box::new(tenant.table(object).scan()),
    };
    let matching = matching.filter(|row| filter.matches(tenant, row));
    let skipped = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let rows = matching.skip(skipped).take(usize::try_from(size).unwrap_or(usize::MAX));
    Ok(Answer::Data(rows.map(|row| told(tenant, &select, linked, &row)).collect()))
}

/// A field of a select clause that does not exist.
struct Unknown(String);

/// The paths, and whether associated records are wanted.
fn selected(object: &'static Object, sent: Option<&Value>) -> Result<(Vec<Path>, bool), Unknown> {
    let Some(Value::Array(names)) = sent else { return Err(Unknown("select".to_owned())) };
    let mut paths = Vec::with_capacity(names.len());
    let mut linked = false;
    for name in names {
        let name = name.as_str().unwrap_or_default();
        if name == "associatedRecords" {
            linked = true;
        } else {
            paths.push(Path::parse(object, name).map_err(|_: Refused| Unknown(name.to_owned()))?);
        }
    }
    if names.is_empty() { Err(Unknown("select".to_owned())) } else { Ok((paths, linked)) }
}

fn invalid_select(tenant: &Tenant, field: &str) -> Value {
    json!({
        "result": false, "errorCode": "COCKPIT_5101", "errorDesc": format!("Invalid fields in select clause - {field}"),
        "requestId": tenant.request_id(), "data": {}, "message": null,
    })
}

fn told(tenant: &Tenant, select: &[Path], linked: bool, row: &Row) -> Value {
    let dates = tenant.settings().dates;
    let cell = |path: &Path| (path.spelled.clone(), values::tell(path.kind(), &path.value(tenant, row), dates));
    let mut told: Map<String, Value> = select.iter().map(cell).collect();
    if linked {
        let company = row.get("CompanyId").into_owned();
        told.insert("associatedRecords".to_owned(), json!([{"recordId": company, "objectName": "Company", "source": "MDA"}]));
    }
    Value::Object(told)
}

/// `GET /v2/cockpit/admin/picklist/lite?category=CTA_STATUS,CTA_TYPE&et=COMPANY`.
pub(super) fn picklists(tenant: &Tenant, categories: Option<&str>) -> Answered {
    let mut told = Map::new();
    for category in categories.unwrap_or_default().split(',').filter(|category| !category.is_empty()) {
        let choices = tenant.choices(category);
        if choices.is_empty() {
            return Err(invalid(format!("Invalid category {category}")));
        }
        let choices = choices.into_iter().map(|(id, label)| json!({"gsid": id, "name": label, "category": category, "active": true}));
        told.insert(category.to_owned(), choices.collect());
    }
    if told.is_empty() { Err(invalid("category is mandatory")) } else { Ok(Answer::Data(Value::Object(told))) }
}
