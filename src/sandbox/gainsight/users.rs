//! Users: `POST /v1/users/services/list`. Pages are numbered from 0 here.

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, invalid},
    filter, objects, query,
    tenant::{self, Tenant},
    values,
};

pub(super) fn list(tenant: &Tenant, bytes: &[u8]) -> Answered {
    const MOST: u64 = 5_000;
    let mut body = tenant::body(bytes)?;
    filter::known_keys(&body, &["includeTotal", "limit", "page", "orderBy", "select", "where"], "the request")?;
    let object = objects::object("gsuser").ok_or_else(super::answer::oops)?;
    let total = body.remove("includeTotal") == Some(Value::Bool(true));
    let page = body.remove("page").unwrap_or(json!(0)).as_u64().ok_or_else(|| invalid("page must be a number from 0"))?;
    if body.get("select").is_none_or(Value::is_null) {
        let all = object.fields.iter().map(|field| Value::from(field.name)).collect();
        body.insert("select".to_owned(), all);
    }
    let mut wanted = query::parse(object, body, MOST, tenant.settings().times)?;
    wanted.offset = page.saturating_mul(wanted.limit);
    let dates = tenant.settings().dates;
    let rows = tenant.select(&wanted);
    let records: Vec<Value> = rows
        .iter()
        .map(|row| {
            let cell = |path: &super::path::Path| (path.spelled.clone(), values::tell(path.kind(), &path.value(tenant, row), dates));
            Value::Object(wanted.select.iter().map(cell).collect::<Map<_, _>>())
        })
        .collect();
    let mut data = json!({"records": records});
    if total {
        data["totalCount"] = tenant.count(&wanted).into();
    }
    Ok(Answer::Data(data))
}
