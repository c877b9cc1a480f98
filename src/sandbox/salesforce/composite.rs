//! Composite, batch, graph and tree: several calls in one.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault, settle};
use crate::sandbox::salesforce::collections::named_object;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::records::as_object;
use crate::sandbox::salesforce::save::{Journal, Work};
use crate::sandbox::salesforce::service;
use crate::sandbox::salesforce::values::Source;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// `composite/...` but for collections.
pub(crate) fn answer(org: &Arc<Org>, call: &Call, rest: &[&str]) -> Answered {
    if call.method != "POST" {
        return Err(Fault::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{}' not allowed. Allowed are POST", call.method)));
    }
    match rest {
        [] => {
            let body = call.object()?;
            let (responses, _) = composite(org, call, &body)?;
            Answer::ok(json!({"compositeResponse": responses}))
        }
        ["batch"] => batch(org, call),
        ["graph"] => graph(org, call),
        ["tree", object] => tree(org, call, object),
        _ => Err(Fault::not_found()),
    }
}

fn bad(text: &str) -> Fault {
    Fault::new(400, "INVALID_INPUT", text)
}

/// One subrequest as a call of its own.
fn subcall(call: &Call, method: &str, url: &str, body: Option<&Value>) -> Option<Call> {
    let url = if url.starts_with('/') { url.to_owned() } else { format!("/services/data/{url}") };
    let mut sub = service::taken_apart(method, &url, call.headers.clone(), Bytes::new(), &call.host, call.now)?;
    sub.journal.clone_from(&call.journal);
    if let Some(body) = body {
        sub.body = serde_json::to_vec(body).ok()?.into();
    }
    Some(sub)
}

/// The responses, and whether all went well.
fn composite(org: &Arc<Org>, call: &Call, body: &Map<String, Value>) -> Result<(Vec<Value>, bool), Fault> {
    let requests = body.get("compositeRequest").and_then(Value::as_array).ok_or_else(|| bad("compositeRequest is required"))?;
    if requests.is_empty() || requests.len() > 25 {
        return Err(bad("The request must have 1 to 25 subrequests"));
    }
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let mut known: HashMap<String, Value> = HashMap::new();
    let mut responses = Vec::with_capacity(requests.len());
    let mut well = true;
    let mut halted = false;
    let journal = all_or_none.then(Journal::default);
    let call = &Call { journal: journal.clone().or_else(|| call.journal.clone()), ..call.clone() };
    for request in requests {
        let reference = request["referenceId"].as_str().unwrap_or_default();
        if reference.is_empty() || !reference.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || known.contains_key(reference) {
            return Err(bad("Provided referenceId must be unique, and contain letters, digits and underscores only"));
        }
        let answer = if halted { settle(Err(rolled_back())) } else { settle(sub(org, call, request, &known)) };
        let failed = answer.status >= 400;
        well &= !failed;
        halted |= failed && all_or_none;
        known.insert(reference.to_owned(), if failed { Value::Null } else { answer.value() });
        responses.push(response(&answer, reference));
    }
    if let (Some(journal), false) = (&journal, well) {
        Work::revert(&mut org.data_mut(), call.now, journal)?;
        for response in &mut responses {
            if response["httpStatusCode"].as_u64().is_some_and(|status| status < 400) {
                let reference = response["referenceId"].as_str().unwrap_or_default().to_owned();
                *response = self::response(&settle(Err(rolled_back())), &reference);
            }
        }
    }
    Ok((responses, well))
}

fn rolled_back() -> Fault {
    Fault::new(400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.")
}

fn response(answer: &Answer, reference: &str) -> Value {
    let headers: Map<String, Value> = answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    json!({"body": answer.value(), "httpHeaders": headers, "httpStatusCode": answer.status, "referenceId": reference})
}

fn sub(org: &Arc<Org>, call: &Call, request: &Value, known: &HashMap<String, Value>) -> Answered {
    let (Some(method), Some(url)) = (request["method"].as_str(), request["url"].as_str()) else {
        return Err(bad("Each subrequest needs a method and a url"));
    };
    let url = filled(url, known)?;
    let body = request.get("body").filter(|body| !body.is_null()).map(|body| filled_value(body, known)).transpose()?;
    let sub = subcall(call, method, &url, body.as_ref()).ok_or_else(|| bad(&format!("invalid url: {url}")))?;
    let nested = sub.path.first().is_some_and(|part| part == "composite") && sub.path.get(1).is_none_or(|part| part != "sobjects");
    if nested {
        return Err(bad("composite requests cannot be nested"));
    }
    service::answer(org, &sub)
}

/// A text with its `@{ref.path}` filled in.
fn filled(text: &str, known: &HashMap<String, Value>) -> Result<String, Fault> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("@{") {
        let end = rest[start..].find('}').map(|end| start + end).ok_or_else(|| bad("Invalid reference: missing '}'"))?;
        out.push_str(&rest[..start]);
        let value = referred(&rest[start + 2..end], known)?;
        out.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        rest = &rest[end + 1..];
    }
    Ok(out + rest)
}

fn filled_value(value: &Value, known: &HashMap<String, Value>) -> Result<Value, Fault> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}')).filter(|inner| !inner.contains('}')) {
            Some(whole) => referred(whole, known)?,
            None => filled(text, known)?.into(),
        },
        Value::Array(list) => list.iter().map(|item| filled_value(item, known)).collect::<Result<_, _>>()?,
        Value::Object(map) => {
            map.iter().map(|(key, value)| Ok((key.clone(), filled_value(value, known)?))).collect::<Result<Map<_, _>, Fault>>()?.into()
        }
        other => other.clone(),
    })
}

/// `acc.id`, `q.records[0].Id`, `c[0].id`.
fn referred(path: &str, known: &HashMap<String, Value>) -> Result<Value, Fault> {
    let reference = path.split(['.', '[']).next().unwrap_or_default();
    let missing = || Fault::new(400, "PROCESSING_HALTED", format!("Invalid reference specified. No value for {path} found in {reference}"));
    let mut value = known.get(reference).ok_or_else(missing)?;
    for step in path[reference.len()..].split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty()) {
        let next = match (value, step.parse::<usize>()) {
            (Value::Array(list), Ok(place)) => list.get(place),
            (Value::Object(map), _) => map.get(step).or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(step)).map(|(_, value)| value)),
            _ => None,
        };
        value = next.ok_or_else(missing)?;
    }
    if value.is_null() { Err(missing()) } else { Ok(value.clone()) }
}

fn batch(org: &Arc<Org>, call: &Call) -> Answered {
    let body = call.object()?;
    let requests = body.get("batchRequests").and_then(Value::as_array).ok_or_else(|| bad("batchRequests is required"))?;
    if requests.is_empty() || requests.len() > 25 {
        return Err(bad("The request must have 1 to 25 subrequests"));
    }
    let halt = body.get("haltOnError").and_then(Value::as_bool).unwrap_or(false);
    let mut failed = false;
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        if failed && halt {
            let fault = Fault::new(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request");
            results.push(json!({"statusCode": 412, "result": fault.body()}));
            continue;
        }
        org.count_call();
        let (method, url) = (request["method"].as_str().unwrap_or("GET"), request["url"].as_str().unwrap_or_default());
        let answered = match subcall(call, method, url, request.get("richInput")) {
            Some(sub) => service::answer(org, &sub),
            None => Err(bad(&format!("invalid url: {url}"))),
        };
        let answer = settle(answered);
        failed |= answer.status >= 400;
        results.push(json!({"statusCode": answer.status, "result": answer.value()}));
    }
    Answer::ok(json!({"hasErrors": failed, "results": results}))
}

fn graph(org: &Arc<Org>, call: &Call) -> Answered {
    let body = call.object()?;
    let graphs = body.get("graphs").and_then(Value::as_array).ok_or_else(|| bad("graphs is required"))?;
    let mut out = Vec::with_capacity(graphs.len());
    for graph in graphs {
        let mut one = as_object(graph)?.clone();
        one.insert("allOrNone".to_owned(), true.into());
        let (responses, well) = composite(org, call, &one)?;
        out.push(json!({"graphId": graph["graphId"], "graphResponse": {"compositeResponse": responses}, "isSuccessful": well}));
    }
    Answer::ok(json!({"graphs": out}))
}

fn tree(org: &Arc<Org>, call: &Call, object: &str) -> Answered {
    let body = call.object()?;
    let records = body.get("records").and_then(Value::as_array).ok_or_else(|| bad("records is required"))?;
    let mut data = org.data_mut();
    let object = data.schema.object(object).ok_or_else(Fault::not_found)?;
    let mut work = Work::new(&mut data, call, Source::Json);
    let mut planted = Planted::default();
    for record in records {
        plant(&mut work, object, record, None, 1, &mut planted)?;
    }
    if planted.results.len() + planted.errors.len() > 200 {
        work.take_back()?;
        return Err(Fault::new(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records into this call"));
    }
    if planted.errors.is_empty() {
        return Ok(Answer::json(201, json!({"hasErrors": false, "results": planted.results})));
    }
    work.take_back()?;
    Ok(Answer::json(400, json!({"hasErrors": true, "results": planted.errors})))
}

#[derive(Default)]
struct Planted {
    results: Vec<Value>,
    errors: Vec<Value>,
}

fn plant(
    work: &mut Work<'_>,
    object: usize,
    record: &Value,
    parent: Option<(String, &str)>,
    level: usize,
    planted: &mut Planted,
) -> Result<(), Fault> {
    let reference = record["attributes"]["referenceId"].clone();
    let mut fields = as_object(record)?.clone();
    let mut children = Vec::new();
    fields.retain(|name, value| {
        let nested = value.get("records").and_then(Value::as_array);
        if let Some(records) = nested {
            children.push((name.clone(), records.clone()));
        }
        nested.is_none()
    });
    if let Some((field, id)) = parent {
        fields.insert(field, id.into());
    }
    let created = match record["attributes"]["type"].as_str() {
        Some(name) if named_object(work.data, Some(name))? != object => Err(bad("The type of a record does not fit its place in the tree")),
        _ if level > 5 => Err(bad("A tree has at most 5 levels")),
        _ => work.create(object, &fields),
    };
    let id = match created {
        Ok(id) => id,
        Err(fault) => {
            planted.errors.push(json!({"referenceId": reference, "errors": [fault.item()]}));
            return Ok(());
        }
    };
    planted.results.push(json!({"referenceId": reference, "id": id}));
    for (relationship, records) in children {
        let child = work.data.schema.objects[object]
            .children
            .iter()
            .find(|c| c.relationship.as_deref().is_some_and(|r| r.eq_ignore_ascii_case(&relationship)));
        let Some((of, field)) = child.and_then(|child| Some((work.data.schema.object(&child.object)?, child.field.to_string()))) else {
            let fault = Fault::new(400, "INVALID_FIELD", format!("No such relationship '{relationship}'"));
            planted.errors.push(json!({"referenceId": reference, "errors": [fault.item()]}));
            continue;
        };
        for record in &records {
            plant(work, of, record, Some((field.clone(), &id)), level + 1, planted)?;
        }
    }
    Ok(())
}
