//! What people do with a message that no server has seen: as with one that has a link and a way to unsubscribe.

use serde_json::Value;

use super::{
    behaviour::{Behaviour, Kind, acts},
    message::View,
};
use crate::sandbox::responses::{Reaction, Response};

/// In order of time.
pub(in crate::sandbox) fn responses(behaviour: &Behaviour, seed: u64, recipient: &str, id: &str, at_ms: i64) -> Vec<Response> {
    let unsubscribe = "https://link.example/unsubscribe";
    let view = View {
        links: vec!["https://link.example/".to_owned()],
        headers: [("List-Unsubscribe".to_owned(), Value::from(format!("<{unsubscribe}>")))].into_iter().collect(),
        ..View::default()
    };
    let of = |kind| match kind {
        Kind::Opened => Reaction::Opened,
        Kind::Clicked => Reaction::Clicked,
        Kind::Unsubscribed => Reaction::Unsubscribed,
        Kind::Bounced => Reaction::Bounced,
    };
    let all = acts(behaviour, seed, recipient, id, &view, at_ms).into_iter();
    all.map(|act| Response { at_ms: act.at_ms, kind: of(act.kind), score: None, comment: None }).collect()
}
