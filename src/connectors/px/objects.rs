//! What can be read, and how each of it is paged.

use crate::{
    connectors::rows::instant_of_millis,
    model::{Fault, FaultKind, Record, System, Value},
};

/// How an answer is paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `scrollId`: users, accounts and feeds; PX can filter.
    Scroll,
    /// `pageNumber` and `isLastPage`.
    Numbered,
}

#[derive(Debug)]
pub(super) struct Object {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    /// The key of the list in an answer.
    pub(super) list: &'static str,
    pub(super) style: Style,
    /// The field that tells records apart.
    pub(super) id: &'static str,
    /// A feed of events, in windows of `date`.
    pub(super) feed: bool,
    /// Rows PX gives at a time at most.
    pub(super) most: u32,
    /// What its records can be filtered by; nothing: by every field.
    pub(super) filters: &'static [&'static str],
}

const fn scroll(name: &'static str, list: &'static str, id: &'static str) -> Object {
    Object { name, path: name, list, style: Style::Scroll, id, feed: false, most: 1_000, filters: &[] }
}

const fn numbered(name: &'static str, path: &'static str, most: u32) -> Object {
    Object { name, path, list: name, style: Style::Numbered, id: "id", feed: false, most, filters: &["-"] }
}

const fn feed(name: &'static str, path: &'static str, list: &'static str, filters: &'static [&'static str]) -> Object {
    Object { name, path, list, style: Style::Scroll, id: "eventId", feed: true, most: 1_000, filters }
}

/// `segment_match` answers under the list of features: the vendor's own slip.
pub(super) const OBJECTS: [Object; 16] = [
    scroll("users", "users", "identifyId"),
    scroll("accounts", "accounts", "id"),
    numbered("engagements", "engagement", 500),
    numbered("features", "feature", 200),
    numbered("segments", "segment", 200),
    feed("custom_events", "events/custom", "customEvents", &["identifyId", "eventName"]),
    feed("email_events", "events/email", "results", &["identifyId", "email", "engagementId", "emailTrackType"]),
    feed("engagement_views", "events/engagementView", "results", &["identifyId", "accountId", "contentType", "guideState", "surveyState"]),
    feed("feature_matches", "events/feature_match", "featureMatchEvents", &["featureId", "identifyId", "accountId"]),
    feed("segment_matches", "events/segment_match", "featureMatchEvents", &["segmentId", "identifyId", "accountId"]),
    feed("form_submits", "events/formSubmit", "results", &["identifyId", "accountId"]),
    feed("page_views", "events/pageView", "results", &["identifyId", "accountId", "path", "pageTitle", "host"]),
    feed("identify_events", "events/identify", "identifyEvents", &["identifyId", "email"]),
    feed("lead_events", "events/lead", "results", &["identifyId", "email"]),
    feed("sessions", "events/session", "sessionInitializedEvents", &["identifyId", "accountId"]),
    feed("survey_responses", "survey/responses", "results", &["identifyId", "accountId", "contentType"]),
];

/// The object of a name; the singular is understood too.
pub(super) fn object(name: &str) -> Result<&'static Object, Fault> {
    let is =
        |known: &&Object| known.name.eq_ignore_ascii_case(name) || known.name.strip_suffix('s').is_some_and(|one| one.eq_ignore_ascii_case(name));
    OBJECTS.iter().find(is).ok_or_else(|| {
        let names: Vec<&str> = OBJECTS.iter().map(|object| object.name).collect();
        Fault::from_system(System::Px, FaultKind::NotFound, format!("PX has no object `{name}`; it has {}", names.join(", ")))
    })
}

/// Fields that hold milliseconds since 1970.
pub(super) const TIMES: &[&str] =
    &["signUpDate", "firstVisitDate", "lastSeenDate", "createDate", "lastModifiedDate", "renewalDate", "date", "executionDate"];

/// What an engagement's description says when Journey Orchestrator triggers it.
const BY_JOURNEY: &str = "triggered by: journey orchestrator";

impl Object {
    /// A record with typed times, none where PX says 0, and what Tabi adds.
    pub(super) fn typed(&self, record: &mut Record) {
        for name in TIMES {
            match record.get(name) {
                Some(Value::Int(0)) => record.set(*name, Value::Null),
                Some(Value::Int(ms)) => {
                    if let Some(at) = instant_of_millis(*ms) {
                        record.set(*name, Value::Instant(at));
                    }
                }
                _ => {}
            }
        }
        if self.name == "engagements" {
            let description = record.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            record.set("triggeredByJourney", Value::Bool(description.contains(BY_JOURNEY)));
        }
    }
}
