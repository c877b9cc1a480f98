//! Steps of a journey that are neither mail nor engagement nor a rule's action: a web hook, and calls to action that are done with.

use std::sync::Arc;

use crate::{
    flow::cell::compute,
    model::{Change, Effect, Fault, FaultKind, Filter, HttpCall, Lookup, Operator, Record, Reply, System, Value, Write, id_of},
    store::Participant,
};

use super::pass::Pass;

/// The status that closes a call to action in Gainsight's own list.
const CLOSED: &str = "Closed Success";

/// Posts the step's body, or the whole record, as JSON. The key goes along, so that the other side can tell a second try.
///
/// # Errors
/// `NotAllowed` for a host that tabi.toml does not allow; `Unavailable` or `Invalid` by the status of the answer.
pub(super) fn hook(pass: &Pass<'_>, step: &str, url: &str, key: &str, fields: &Record) -> Result<Record, Fault> {
    let maps = pass.journey.parts(step).map(|parts| parts.body.as_slice()).unwrap_or_default();
    let mut body = if maps.is_empty() { fields.clone() } else { Record::new() };
    for map in maps {
        body.set(map.target.as_str(), compute(&map.from, fields, pass.date)?);
    }
    let headers = [("Idempotency-Key".into(), Value::text(key))].into_iter().collect();
    let call = HttpCall { method: "POST".to_owned(), url: url.to_owned(), headers, body: Some(Value::Map(body)) };
    let Reply::Value(Value::Map(answer)) = pass.perform.perform_noted(Effect::Http(call))? else { return Ok(Record::new()) };
    let status = answer.get("status").and_then(Value::as_i64).unwrap_or(200);
    match status {
        408 | 425 | 429 | 500.. => Err(Fault::new(FaultKind::Unavailable, format!("{url} answered {status}"))),
        400..=499 => Err(Fault::new(FaultKind::Invalid, format!("{url} answered {status}"))),
        _ => Ok([("status".into(), Value::Int(status))].into_iter().collect()),
    }
}

/// Closes the company's open calls to action of a reason, whoever made them.
///
/// # Errors
/// `Invalid` when the participant has no company; what Gainsight says.
pub(super) fn close(pass: &Pass<'_>, participant: &Participant, reason: &str) -> Result<Record, Fault> {
    let name = &pass.journey.identity.company;
    let company = participant.fields.path(name).filter(|company| !company.is_blank()).cloned();
    let company = company.ok_or_else(|| Fault::new(FaultKind::Invalid, format!("has no company in `{name}`")))?;
    let object = "call_to_action".to_owned();
    let open = vec![("reason".to_owned(), Operator::Equal, Value::text(reason)), ("IsClosed".to_owned(), Operator::Equal, Value::Bool(false))];
    let lookup = Lookup {
        system: System::Gainsight,
        object: object.clone(),
        by: "CompanyId".to_owned(),
        keys: vec![company],
        fields: vec!["status".to_owned()],
        filter: Some(Filter::all(open)),
    };
    let found = pass.work().lookup(lookup).map_err(|error| error.fault())?;
    let rows: Vec<Change> = found
        .iter()
        .filter_map(|record| {
            let before = record.get("status").map(|status| ("status".into(), status.clone())).into_iter().collect();
            let fields = [("status".into(), Value::text(CLOSED))].into_iter().collect();
            Some(Change::Update { key: reason.to_owned(), id: id_of(System::Gainsight, "call_to_action", record)?, fields, before })
        })
        .collect();
    let closed = rows.len();
    if closed > 0 {
        let outcomes = pass.work().write(Write { system: System::Gainsight, object, rows: Arc::new(rows) }).map_err(|error| error.fault())?;
        if let Some(fault) = outcomes.into_iter().find_map(|outcome| outcome.fault) {
            return Err(fault);
        }
    }
    Ok([("closed".into(), Value::Int(i64::try_from(closed).unwrap_or(i64::MAX)))].into_iter().collect())
}
