//! Activities: each succeeds or fails by itself, under its `ExternalId`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, invalid, wrong},
    filter,
    lookups::{self, matching},
    objects::{self, Object},
    tenant::{self, Tenant},
    values, write,
};
use crate::sandbox::documents::Change;

const REQUIRED_MISSING: &str = "GS_TL_10_0206";
const DUPLICATE: &str = "GS_TL_10_0207";
const NO_CONTEXT: &str = "GS_TL_10_0213";

/// Code and message of a failure.
type Failure = (&'static str, String);

/// `POST /v1/ant/es/activity`.
pub(super) fn create(tenant: &Tenant, bytes: &[u8]) -> Answered {
    let data = created(tenant, bytes)?;
    Ok(Answer::Body(json!({"result": true, "data": data, "message": null, "additionalInfo": null})))
}

/// `PUT /v1/ant/es/activity?identifier=externalid|activityid|gsid`: answered as a creation is, under what identifies each.
pub(super) fn update(tenant: &Tenant, identifier: Option<&str>, bytes: &[u8]) -> Answered {
    let key = match identifier.unwrap_or_default().to_ascii_lowercase().as_str() {
        "externalid" => "ExternalId",
        "activityid" => "ActivityId",
        "gsid" => "Gsid",
        _ => return Err(invalid("identifier must be externalid, activityid or gsid")),
    };
    let mut body = tenant::body(bytes)?;
    filter::known_keys(&body, &["records", "lookups"], "the request")?;
    let records = write::list(body.remove("records"), "records")?;
    let object = objects::object("activity_timeline").ok_or_else(super::answer::oops)?;
    let _writing = tenant.writing();
    let (mut success, mut failures, mut changes) = (Map::new(), Map::new(), Vec::new());
    for mut record in records {
        let sent = record.remove(key).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        match changed(tenant, object, (key, &sent), &record) {
            Ok((id, fields)) => {
                changes.push((object, Change::Update(id.clone(), fields)));
                success.insert(sent, json!([{"activityId": id}]));
            }
            Err((code, text)) => {
                failures.insert(sent, json!([{"errorCode": code, "Message": text}]));
            }
        }
    }
    tenant.write(changes)?;
    Ok(Answer::Body(json!({"result": true, "data": {"success": success, "failures": failures}, "message": null, "additionalInfo": null})))
}

/// The activity that an update is of, and what it sets.
fn changed(
    tenant: &Tenant,
    object: &'static Object,
    (key, sent): (&str, &str),
    record: &Map<String, Value>,
) -> Result<(String, Map<String, Value>), Failure> {
    let by_external = || {
        let field = object.field("ExternalId")?;
        matching(tenant, object, &[(field, &sent.into())]).into_iter().next()
    };
    let row = if key == "ExternalId" { by_external() } else { tenant.get(object, sent) };
    let row = row.ok_or_else(|| (NO_CONTEXT, format!("No activity with {key} {sent}")))?;
    refuse_unknown(object, record)?;
    let mut fields = values_of(object, record)?;
    if let Some(fixed) = ["ContextName", "ContextId", "GsCompanyId", "ExternalId"].iter().find(|name| record.contains_key(**name)) {
        return Err((REQUIRED_MISSING, format!("{fixed} cannot be updated")));
    }
    if let Some(empty) = ["TypeName", "Subject", "Notes", "ActivityDate"].iter().find(|name| fields.get(**name).is_some_and(is_empty)) {
        return Err((REQUIRED_MISSING, format!("{empty} is required")));
    }
    if record.contains_key("Author") || record.contains_key("AuthorId") {
        fields.insert("AuthorId".to_owned(), author(tenant, record)?);
    }
    tenant.stamp(&mut fields, object, false);
    Ok((row.id().into_owned(), fields))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn refuse_unknown(object: &Object, record: &Map<String, Value>) -> Result<(), Failure> {
    let unknown = |key: &&String| !matches!(key.as_str(), "companyName" | "Author") && object.field(key).is_none_or(|field| field.read_only);
    match record.keys().find(unknown) {
        Some(key) => Err((REQUIRED_MISSING, format!("Invalid field {key}"))),
        None => Ok(()),
    }
}

/// The values of a record as they are kept.
fn values_of(object: &'static Object, record: &Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    for field in object.fields.iter().filter(|field| !field.read_only) {
        if let Some(value) = record.get(field.name) {
            let kept = values::accept(field, value).map_err(|bad| (REQUIRED_MISSING, bad.text))?;
            fields.insert(field.name.to_owned(), kept);
        }
    }
    Ok(fields)
}

/// `POST /v1/ant/es/activity/bulk`: done at once, told by the job's status.
pub(super) fn create_bulk(tenant: &Tenant, bytes: &[u8]) -> Answered {
    let data = created(tenant, bytes)?;
    let id = tenant.jobs.keep_status(tenant.request_id(), json!({"status": "COMPLETED", "result": data}));
    Ok(Answer::Data(json!({"jobId": id})))
}

/// `GET /v1/ant/es/job/status/{jobId}`.
pub(super) fn status(tenant: &Tenant, id: &str) -> Answered {
    tenant.jobs.status(id).map(Answer::Data).ok_or_else(|| wrong("GSOBJ_1011", "No data found for given criteria"))
}

fn created(tenant: &Tenant, bytes: &[u8]) -> Result<Value, Refused> {
    let mut body = tenant::body(bytes)?;
    filter::known_keys(&body, &["records", "lookups"], "the request")?;
    let lookups = lookups::parse(body.get("lookups"))?;
    let records = write::list(body.remove("records"), "records")?;
    let object = objects::object("activity_timeline").ok_or_else(super::answer::oops)?;
    let _writing = tenant.writing();
    let (mut success, mut failures) = (Map::new(), Map::new());
    let mut changes = Vec::new();
    let mut taken = HashSet::new();
    for mut record in records {
        let external = record.get("ExternalId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let looked_up = lookups.iter().try_for_each(|lookup| lookup.apply(tenant, &mut record)).map_err(|misled| (NO_CONTEXT, misled.bad.text));
        match looked_up.and_then(|()| activity(tenant, object, &record, &mut taken)) {
            Ok(mut fields) => {
                let id = tenant.new_id(object);
                tenant.stamp(&mut fields, object, true);
                changes.push((object, Change::Insert(id.clone(), fields)));
                success.insert(external, json!([{"activityId": id}]));
            }
            Err((code, text)) => {
                failures.insert(external, json!([{"errorCode": code, "Message": text}]));
            }
        }
    }
    tenant.write(changes)?;
    Ok(json!({"success": success, "failures": failures}))
}

/// What an activity sets.
fn activity(
    tenant: &Tenant,
    object: &'static Object,
    record: &Map<String, Value>,
    taken: &mut HashSet<String>,
) -> Result<Map<String, Value>, Failure> {
    let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    for key in ["ExternalId", "ContextName", "TypeName", "Subject", "Notes", "ActivityDate"] {
        if text(key).is_none() {
            return Err((REQUIRED_MISSING, format!("{key} is required")));
        }
    }
    refuse_unknown(object, record)?;
    let external = text("ExternalId").unwrap_or_default();
    let used = object.field("ExternalId").is_some_and(|field| !matching(tenant, object, &[(field, &external.into())]).is_empty());
    if used || !taken.insert(external.to_owned()) {
        return Err((DUPLICATE, format!("Duplicate ExternalId {external}")));
    }
    let (company, context) = context(tenant, text("ContextName").unwrap_or_default(), record)?;
    let mut fields = values_of(object, record)?;
    fields.insert("GsCompanyId".to_owned(), company);
    fields.insert("ContextId".to_owned(), context);
    fields.insert("AuthorId".to_owned(), author(tenant, record)?);
    Ok(fields)
}

/// The company an activity belongs to and the row it hangs on. This tenant has no relationships or opportunities.
fn context(tenant: &Tenant, name: &str, record: &Map<String, Value>) -> Result<(Value, Value), Failure> {
    let missing = |what: String| (NO_CONTEXT, what);
    let row = |object: &str, id: Option<&str>| objects::object(object).and_then(|object| tenant.get(object, id?));
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    match name {
        "Company" => {
            let by_name = || {
                let company = objects::object("Company")?;
                matching(tenant, company, &[(company.field("Name")?, record.get("companyName")?)]).into_iter().next()
            };
            let company = if record.contains_key("GsCompanyId") { row("Company", text("GsCompanyId")) } else { by_name() };
            let id: Value = company.ok_or_else(|| missing("Company not found".to_owned()))?.id().into_owned().into();
            Ok((id.clone(), id))
        }
        "CTA" => {
            let cta = row("call_to_action", text("ContextId")).ok_or_else(|| missing("CTA not found".to_owned()))?;
            Ok((cta.get("CompanyId").into_owned(), cta.id().into_owned().into()))
        }
        "SuccessPlan" => {
            let plan = row("cta_group", text("ContextId")).ok_or_else(|| missing("SuccessPlan not found".to_owned()))?;
            Ok((plan.get("CompanyId").into_owned(), plan.id().into_owned().into()))
        }
        "Relationship" | "GS_Opportunity" => Err(missing(format!("{name} not found"))),
        other => Err(missing(format!("Invalid ContextName {other}"))),
    }
}

/// By id, or by e-mail address.
fn author(tenant: &Tenant, record: &Map<String, Value>) -> Result<Value, Failure> {
    let users = objects::object("gsuser").ok_or((NO_CONTEXT, "Author not found".to_owned()))?;
    let by_id = record.get("AuthorId").and_then(Value::as_str).and_then(|id| tenant.get(users, id));
    let by_email = || matching(tenant, users, &[(users.field("Email")?, record.get("Author")?)]).into_iter().next();
    match by_id.or_else(by_email) {
        Some(user) => Ok(user.id().into_owned().into()),
        None if record.contains_key("Author") || record.contains_key("AuthorId") => Err((NO_CONTEXT, "Author not found".to_owned())),
        None => Err((REQUIRED_MISSING, "Author is required".to_owned())),
    }
}
