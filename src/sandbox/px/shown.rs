//! One event as the feeds show it.

use serde_json::{Map, Value, json};

use super::{
    auth::PRODUCT_KEY,
    behaviour::Said,
    catalogue,
    engagements::Engagement,
    happened::{Event, Mail, Step, What},
    state::{Px, guid},
};
use crate::sandbox::{clock::DAY_MS, company::product};

const HOST: &str = "app.product.example";

/// The event with the fields that all have and those of its kind.
pub(super) fn event(px: &Px, event: &Event) -> Map<String, Value> {
    let (word, tail) = word(&event.what);
    let session = guid("session", &format!("{}/{}", event.who.id, event.at.div_euclid(DAY_MS)));
    let id = guid("event", &format!("{word}/{}/{}/{tail}", event.who.id, event.at));
    let mut shown = fields(json!({
        "eventId": id, "identifyId": event.who.id, "propertyKey": PRODUCT_KEY, "date": event.at, "eventType": word, "sessionId": session,
        "userType": event.who.kind, "accountId": event.who.account, "globalContext": {},
    }));
    shown.extend(fields(more(px, event)));
    if let What::Mail(_) = event.what {
        shown.remove("sessionId");
        shown.remove("accountId");
    }
    shown
}

/// The event's type, and what tells it from others of the same instant.
fn word(what: &What) -> (&'static str, String) {
    match what {
        What::Session => ("SESSION_INITIALIZED", String::new()),
        What::Identity => ("IDENTIFY", String::new()),
        What::Page(page) => ("PAGE_VIEW", page.to_string()),
        What::Form => ("FORM_SUBMIT", String::new()),
        What::Feature(feature) => ("FEATURE_MATCH", feature.to_string()),
        What::Segment(segment) => ("SEGMENT_MATCH", segment.to_string()),
        What::Track(kind, nth) => ("CUSTOM", format!("{kind}/{nth}")),
        What::Sent(position) => ("CUSTOM", format!("sent/{position}")),
        What::Mail(mail) => ("EMAIL", format!("{mail:?}")),
        What::Shown(engagement, step, _) => ("ENGAGEMENT", format!("{}/{}", engagement.id, step.number())),
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn more(px: &Px, event: &Event) -> Value {
    match &event.what {
        What::Session => json!({"remoteHost": "203.0.113.7", "inferredLocation": null}),
        What::Identity => json!({"email": email(px, event)}),
        What::Page(number) => page(*number),
        What::Form => {
            let mut page = fields(page(6));
            page.insert("formData".to_owned(), json!({"form": "invite-teammate"}));
            page.into()
        }
        What::Feature(number) => json!({"featureId": catalogue::feature_id(*number)}),
        What::Segment(number) => json!({"segmentId": catalogue::segment_id(*number)}),
        What::Track(kind, _) => {
            let name = product::track_types().nth(*kind).map_or("", |kind| kind.name);
            json!({"eventName": name, "attributes": {}, "url": format!("https://{HOST}/"), "referrer": "", "remoteHost": ""})
        }
        What::Sent(position) => px.sent.scan_from(*position).next().map_or(Value::Null, |row| row.document().into()),
        What::Mail(mail) => json!({
            "engagementId": guid("engagement", catalogue::DIGEST), "email": email(px, event), "emailTrackType": mail.word(), "status": "",
            "reason": "", "bounceType": null, "mtaResponse": "", "attempt": 1, "linkIndex": null, "linkType": null,
            "linkUrl": if *mail == Mail::Clicked { json!(format!("https://{HOST}/news")) } else { Value::Null }, "inferredLocation": null,
            "executionDate": event.at.div_euclid(DAY_MS) * DAY_MS,
        }),
        What::Shown(engagement, step, execution) => engaged(engagement, *step, *execution, event.at),
    }
}

fn email(px: &Px, event: &Event) -> Value {
    px.users.get(&event.who.id).map_or(Value::Null, |row| row.get("email").into_owned())
}

fn page(number: usize) -> Value {
    let name = product::pages().nth(number).map_or("", |page| page.name);
    json!({
        "scheme": "https", "host": HOST, "path": format!("/{}", name.to_lowercase().replace(' ', "-")), "queryString": "", "hash": "",
        "queryParams": {}, "remoteHost": "203.0.113.7", "referrer": "", "screenHeight": 1080, "screenWidth": 1920, "languages": ["en"],
        "pageTitle": name,
    })
}

impl Mail {
    const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "EMAIL_TRACK_DELIVERED",
            Self::Opened => "EMAIL_TRACK_OPEN",
            Self::Clicked => "EMAIL_TRACK_CLICK",
        }
    }
}

impl Step {
    const fn number(self) -> usize {
        match self {
            Self::Viewed => 0,
            Self::Completed => 1,
            Self::Answered(question, _) => 2 + question,
        }
    }

    const fn is_view(self) -> bool {
        matches!(self, Self::Viewed)
    }

    pub(super) const fn said(self) -> Option<Said> {
        match self {
            Self::Answered(_, said) => Some(said),
            _ => None,
        }
    }
}

/// Fields of an engagement's event. Completing a dialog is a click on its button: dialogs have no state.
fn engaged(engagement: &Engagement, step: Step, execution: u64, at: i64) -> Value {
    let state = if step.is_view() { "VIEWED" } else { "COMPLETED" };
    let of = |kind: &str| if engagement.kind == kind { json!(state) } else { Value::Null };
    let clicked = engagement.kind == "IN_APP_DIALOG" && !step.is_view();
    let said = step.said();
    let choices: Vec<String> = said.and_then(|said| said.choice).map(|choice| guid("answer", &choice.to_string())).into_iter().collect();
    json!({
        "engagementId": engagement.id, "engagementTrackType": if clicked { "ENGAGEMENT_CLICK" } else { "ENGAGEMENT_VIEW" },
        "contentId": guid("content", &engagement.id), "contentType": engagement.content_type(), "executionId": guid("execution", &execution.to_string()),
        "executionDate": at, "viewEventId": guid("view", &execution.to_string()), "carouselState": of("IN_APP_CAROUSEL"),
        "guideState": of("IN_APP_GUIDE"), "surveyState": if engagement.is_survey() { json!(state) } else { Value::Null }, "slideId": null,
        "stepId": null, "sequenceNumber": if step.is_view() { 1 } else { 1 + step.number() },
        "linkUrl": if clicked { json!(format!("https://{HOST}/release")) } else { Value::Null }, "contactMeAllowed": false,
        "score": said.and_then(|said| said.score), "comment": said.and_then(|said| said.comment),
        "questionType": said.map(|said| said.question.kind), "selectionIds": choices, "path": "/dashboard",
    })
}
