//! Web hooks of Pendo: signed with HMAC-SHA256 over the body, in `X-Pendo-Signature`, as hexadecimal digits or base64. Journeys show nothing
//! in Pendo; what concerns them is that somebody wants no more mail of its Orchestrate. The rest is taken and forgotten.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::text;
use crate::{
    store::Error,
    web::{call::Call, desk::Desk},
};

/// Whether it is signed with the secret of tabi.toml; without one, the path is all there is.
pub(super) fn is_signed(desk: &Desk, call: &Call) -> bool {
    let Some(secret) = &desk.pendo else { return true };
    let Some(given) = call.headers.get("x-pendo-signature").and_then(|value| value.to_str().ok()) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = of_hex(given.trim()).or_else(|| STANDARD.decode(given.trim()).ok());
    signature.is_some_and(|signature| hmac::verify(&key, &call.body, &signature).is_ok())
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Takes one event.
pub(super) fn told(desk: &Desk, event: &Value) -> Result<(), Error> {
    let (kind, visitor) = (text(event, &["event"]).unwrap_or_default().to_lowercase(), text(event, &["visitorId"]).unwrap_or_default());
    let mut people = Vec::new();
    if kind.contains("unsubscribe") && !visitor.is_empty() {
        people = desk.store.by_email(visitor)?;
        people.extend(desk.store.by_px(visitor)?);
    }
    for email in people.iter().filter_map(|who| who.email.as_deref()) {
        desk.store.unsubscribe(email, (desk.now)(), "told by Pendo")?;
    }
    if people.is_empty() {
        desk.ignore("pendo");
    }
    Ok(())
}
