//! The People API: one person with its companies in a call, or 50 at a time behind a status. The key is the e-mail address.
//!
//! The articles leave the answer's `data` open. Here it is the person as it is now, with `Gsid` and, under `companies`, the ids of
//! the joining rows.

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, invalid, wrong},
    filter,
    lookups::matching,
    objects::{self, Field, Object},
    query,
    tenant::{self, Tenant},
    write::{self, accept},
};
use crate::sandbox::documents::Change;

type Changes = Vec<(&'static Object, Change)>;

/// `PUT /v1/peoplemgmt/v1.0/people`, and the older `PUT /v1.0/api/people`.
pub(super) fn put(tenant: &Tenant, bytes: &[u8]) -> Answered {
    let record = tenant::body(bytes)?;
    let _writing = tenant.writing();
    put_one(tenant, record).map(Answer::Data)
}

/// `PUT /v1/peoplemgmt/v1.0/people/async`: done at once, told by the status.
pub(super) fn put_async(tenant: &Tenant, bytes: &[u8]) -> Answered {
    let mut body = tenant::body(bytes)?;
    filter::known_keys(&body, &["records"], "the request")?;
    let records = write::list(body.remove("records"), "records")?;
    let _writing = tenant.writing();
    let (mut success, mut failure) = (Vec::new(), Vec::new());
    for record in records {
        let email = record.get("Email").cloned().unwrap_or(Value::Null);
        match put_one(tenant, record) {
            Ok(person) => success.push(json!({"Email": email, "Gsid": person["Gsid"]})),
            Err(refused) => failure.push(json!({"Email": email, "errorCode": refused.code, "errorDesc": refused.text})),
        }
    }
    let status = json!({"status": "COMPLETED", "success": success, "failure": failure});
    Ok(Answer::Data(json!({"statusId": tenant.jobs.keep_status(tenant.request_id(), status)})))
}

/// `GET /v1/peoplemgmt/v1.0/people/async/{statusId}`; the articles do not tell its path.
pub(super) fn status(tenant: &Tenant, id: &str) -> Answered {
    tenant.jobs.status(id).map(Answer::Data).ok_or_else(|| wrong("GSOBJ_1011", "No data found for given criteria"))
}

fn put_one(tenant: &Tenant, mut record: Map<String, Value>) -> Result<Value, Refused> {
    let (Some(person), Some(joins)) = (objects::object("Person"), objects::object("Company_Person")) else {
        return Err(super::answer::oops());
    };
    let email = match record.get("Email") {
        Some(Value::String(email)) if !email.trim().is_empty() => Value::String(email.trim().to_owned()),
        _ => return Err(wrong("GSOBJ_PEOPLE1001", "Email is mandatory")),
    };
    record.insert("Email".to_owned(), email.clone());
    let companies = match record.remove("companies") {
        None | Some(Value::Null) => Vec::new(),
        Some(companies) => write::list(Some(companies), "companies")?,
    };
    let mut fields = checked(tenant, person, record)?;
    let key = person.field("Email").ok_or_else(super::answer::oops)?;
    let known = matching(tenant, person, &[(key, &email)]).first().map(|row| row.id().into_owned());
    let id = known.clone().unwrap_or_else(|| tenant.new_id(person));
    tenant.stamp(&mut fields, person, known.is_none());
    if let Some(company) = companies.first().and_then(|company| company.get("Company_ID")).filter(|_| known.is_none()) {
        fields.entry("Company_ID").or_insert_with(|| company.clone());
    }
    let mut changes: Changes = vec![(person, if known.is_some() { Change::Update(id.clone(), fields) } else { Change::Insert(id.clone(), fields) })];
    let mut joined = Vec::new();
    for company in companies {
        joined.push(join(tenant, joins, &id, company, &mut changes)?);
    }
    tenant.write(changes)?;
    let mut told = tenant.get(person, &id).map(|row| query::whole(tenant, person, &row)).unwrap_or_default();
    told.insert("companies".to_owned(), joined.into());
    Ok(Value::Object(told))
}

/// The row that joins a person with a company, made or changed.
fn join(tenant: &Tenant, joins: &'static Object, person: &str, mut sent: Map<String, Value>, changes: &mut Changes) -> Result<Value, Refused> {
    let company = sent.remove("Company_ID").unwrap_or(Value::Null);
    if company.is_null() {
        return Err(wrong("GSOBJ_VCRUDR1001", "Company_ID is mandatory for every one of companies"));
    }
    let mut fields = checked(tenant, joins, sent)?;
    let (Some(person_field), Some(company_field)) = (joins.field("Person_ID"), joins.field("Company_ID")) else {
        return Err(super::answer::oops());
    };
    let company = accept(tenant, company_field, &company).map_err(|bad| wrong(bad.people_code, bad.text))?;
    let known = matching(tenant, joins, &[(person_field, &person.into()), (company_field, &company)]).first().map(|row| row.id().into_owned());
    let id = known.clone().unwrap_or_else(|| tenant.new_id(joins));
    tenant.stamp(&mut fields, joins, known.is_none());
    if known.is_some() {
        changes.push((joins, Change::Update(id.clone(), fields)));
    } else {
        fields.insert("Person_ID".to_owned(), person.into());
        fields.insert("Company_ID".to_owned(), company.clone());
        changes.push((joins, Change::Insert(id.clone(), fields)));
    }
    Ok(json!({"Gsid": id, "Company_ID": company}))
}

/// The fields as they are kept, or the first that is wrong with the People API's code for it.
fn checked(tenant: &Tenant, object: &'static Object, record: Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let mut fields = Map::with_capacity(record.len());
    for (name, value) in record {
        let field: &Field = object.field(&name).ok_or_else(|| wrong("GSOBJ_VCRUDR1003", format!("Invalid field {name}")))?;
        if field.read_only {
            return Err(invalid(format!("Field {name} is read only")));
        }
        let kept = accept(tenant, field, &value).map_err(|bad| wrong(bad.people_code, bad.text))?;
        fields.insert(field.name.to_owned(), kept);
    }
    Ok(fields)
}
