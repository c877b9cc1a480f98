//! How each of Gainsight's error codes is understood ("Gainsight API Error Codes").

use serde::Deserialize;
use serde_json::Value as Json;

use crate::model::{Fault, FaultKind, System};

use crate::connectors::http::Refusal;

/// Codes by their whole text. What is missing here is what the HTTP status suggests, and `Invalid` with status 200.
const TABLE: &[(&str, FaultKind)] = &[
    ("GS_APIG_2401", FaultKind::Denied),
    ("GS_APIG_2402", FaultKind::Denied),
    ("GSOBJ_1024", FaultKind::Denied),
    ("GU_2400", FaultKind::RateLimited),
    ("GU_1101", FaultKind::Unavailable),
    ("OBJECT_NOT_FOUND", FaultKind::NotFound),
    ("GSOBJ_1002", FaultKind::NotFound),
    ("GSOBJ_1011", FaultKind::NotFound),
    ("GSOBJ_1023", FaultKind::NotFound),
    ("GSOBJ_1003", FaultKind::Conflict),
    ("GU_2411", FaultKind::Conflict),
];

/// The keys of the envelope that tell of a failure; services differ in which ones they fill.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireError {
    pub error_code: Option<Json>,
    pub error_desc: Option<String>,
    pub message: Option<Json>,
    pub title: Option<String>,
    pub detail: Option<String>,
    pub data: Option<Json>,
}

pub(super) fn judge(refusal: &Refusal) -> Fault {
    match serde_json::from_slice::<WireError>(&refusal.body) {
        Ok(error) => fault_of(&error, refusal.usual_kind()),
        Err(_) => {
            let message = format!("Gainsight answered with status {} and no error of its own", refusal.status.as_u16());
            Fault::from_system(System::Gainsight, refusal.usual_kind(), message)
        }
    }
}

/// The fault of an envelope with `result: false`. The first error of a row, where there is one, says more.
pub(super) fn fault_of(error: &WireError, otherwise: FaultKind) -> Fault {
    let of_row = error.data.as_ref().and_then(first_row_error);
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let code = error.error_code.as_ref().and_then(|code| text(code).or_else(|| Some(code.to_string())).filter(|code| code != "null"));
    let code = code.or_else(|| error.title.clone());
    let row = |key: &str| of_row.and_then(|row| row.get(key)).and_then(text);
    let code = row("errorCode").or(code);
    let message = row("errorMessage")
        .or_else(|| error.error_desc.clone())
        .or_else(|| error.detail.clone())
        .or_else(|| error.message.as_ref().and_then(text))
        .unwrap_or_else(|| "the call was refused without a reason".to_owned());
    let kind = TABLE.iter().find(|(known, _)| Some(*known) == code.as_deref()).map_or(otherwise, |(_, kind)| *kind);
    let mut fault = Fault::from_system(System::Gainsight, kind, explained(kind, message));
    fault.code = code;
    fault.field = row("fieldName");
    fault
}

fn explained(kind: FaultKind, message: String) -> String {
    match kind {
        FaultKind::Denied => format!("{message}; look at [gainsight] access_key and domain, and at the tenant's list of allowed addresses"),
        _ => message,
    }
}

/// `data.errors[0][0].errors[0]`.
fn first_row_error(data: &Json) -> Option<&Json> {
    let mut at = data.get("errors")?;
    while let Json::Array(items) = at {
        at = items.first()?;
    }
    at.get("errors").and_then(|errors| errors.get(0)).or(Some(at))
}
