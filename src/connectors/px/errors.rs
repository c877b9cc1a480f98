//! How PX's refusals are understood: `externalapierror`, with the reason among its `subErrors`.

use serde::Deserialize;

use crate::{
    connectors::http::Refusal,
    model::{Fault, FaultKind, System},
};

#[derive(Deserialize, Default)]
struct Wire {
    #[serde(default)]
    externalapierror: Option<Error>,
    #[serde(default, rename = "errorMessage")]
    error_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Error {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    sub_errors: Option<Vec<SubError>>,
}

#[derive(Deserialize)]
struct SubError {
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// The code of a window that is wider than PX allows.
pub(super) const TOO_WIDE: &str = "EXCEEDED_DATE_RANGE";

pub(super) fn judge(refusal: &Refusal) -> Fault {
    let wire: Wire = serde_json::from_slice(&refusal.body).unwrap_or_default();
    let status = refusal.status.as_u16();
    let error = wire.externalapierror;
    let said = error.as_ref().and_then(|error| error.message.clone()).or(wire.error_message);
    let sub = error.as_ref().and_then(|error| error.sub_errors.as_ref()?.first());
    let why = [said.as_deref(), sub.and_then(|sub| sub.message.as_deref())];
    let why = why.into_iter().flatten().map(|text| text.chars().take(200).collect::<String>()).collect::<Vec<_>>().join(": ");
    let (mut kind, mut code) = (refusal.usual_kind(), error.as_ref().and_then(|error| error.status.clone()));
    let mut message = match status {
        401 => "the key was refused; look at [px] api_key and region (a key works in one region only)".to_owned(),
        403 => "the key has no right to do this; give it Write (and Production Launch for states of engagements) in PX's settings".to_owned(),
        429 => "too many calls".to_owned(),
        _ if why.is_empty() => format!("status {status}"),
        _ => why.clone(),
    };
    if status == 429 && why.to_lowercase().contains("daily") {
        (kind, message) = (FaultKind::LimitExceeded, "the day's allowance of calls is used up".to_owned());
    }
    if why.starts_with("Exceeded date range") {
        code = Some(TOO_WIDE.to_owned());
    }
    let mut fault = Fault::from_system(System::Px, kind, message).code(code.unwrap_or_else(|| status.to_string()));
    fault.field = sub.and_then(|sub| sub.field.clone());
    fault
}
