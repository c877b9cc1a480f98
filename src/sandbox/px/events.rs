//! Feeds of what happened, at most 190 days at a time.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    answer::{Answer, Answered, Refused, bad, invalid},
    filter::{self, Filter, Operator, Term},
    happened::{self, About, Event},
    pages::{self, Held, Place},
    query::{Query, body, instant, needed},
    shown,
    state::{Px, new_id},
};
use crate::sandbox::{clock::DAY_MS, documents::Row};

/// The longest window.
const LONGEST: i64 = 190 * DAY_MS;

/// One feed: what it is about, the key of its list (at random, as the vendor has them), and what it can be filtered by.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) path: &'static str,
    about: About,
    key: &'static str,
    filters: &'static [&'static str],
}

/// Paths are below `/v1/`. `segment_match` answers under `featureMatchEvents`: the vendor's own slip.
pub(super) const FEEDS: [Feed; 11] = [
    Feed { path: "events/custom", about: About::Custom, key: "customEvents", filters: &["identifyId", "eventName", "date"] },
    Feed {
        path: "events/email",
        about: About::Mail,
        key: "results",
        filters: &["identifyId", "date", "email", "engagementId", "emailTrackType", "executionDate"],
    },
    Feed {
        path: "events/engagementView",
        about: About::Engagements,
        key: "results",
        filters: &["identifyId", "accountId", "date", "contentType", "carouselState", "guideState", "surveyState"],
    },
    Feed {
        path: "events/feature_match",
        about: About::Features,
        key: "featureMatchEvents",
        filters: &["featureId", "identifyId", "accountId", "date"],
    },
    Feed {
        path: "events/segment_match",
        about: About::Segments,
        key: "featureMatchEvents",
        filters: &["segmentId", "identifyId", "accountId", "date"],
    },
    Feed { path: "events/formSubmit", about: About::Forms, key: "results", filters: &["identifyId", "accountId", "date"] },
    Feed {
        path: "events/pageView",
        about: About::Pages,
        key: "results",
        filters: &["identifyId", "accountId", "date", "path", "queryString", "pageTitle", "host"],
    },
    Feed { path: "events/identify", about: About::Identities, key: "identifyEvents", filters: &["identifyId", "email", "date"] },
    Feed { path: "events/lead", about: About::Leads, key: "results", filters: &["identifyId", "email", "date"] },
    Feed { path: "events/session", about: About::Sessions, key: "sessionInitializedEvents", filters: &["identifyId", "accountId", "date"] },
    Feed { path: "survey/responses", about: About::Answers, key: "results", filters: &["identifyId", "accountId", "date", "contentType"] },
];

/// `GET /v1/events/...`, `GET /v1/survey/responses`.
pub(super) fn list(px: &Px, feed: &Feed, query: &Query) -> Answered {
    let (size, place) = (pages::size(query)?, Place::of(query)?);
    let filter = Filter::of(query, |field| feed.filters.contains(&field))?;
    let sort = filter::sort(query, |field| ["date", "accountId"].contains(&field))?;
    let window = window(px, &filter, query)?;
    let held = place.and_then(|place| px.scrolls.get(place.serial).map(|held| (place.serial, held)));
    let (serial, events) = match held {
        Some((serial, Held::Events(events))) => (serial, events),
        _ => {
            let events = Arc::new(found(px, feed, &filter, &sort, window));
            (px.scrolls.keep(Held::Events(Arc::clone(&events))), events)
        }
    };
    let from = place.map_or(0, |place| usize::try_from(place.offset).unwrap_or(usize::MAX)).min(events.len());
    let chosen = &events[from..(from + size).min(events.len())];
    let rows: Vec<Value> = chosen.iter().map(|event| shown::event(px, event).into()).collect();
    Ok(pages::scrolled(feed.key, rows, Place { serial, offset: (from + chosen.len()) as u64, total: events.len() as u64 }))
}

fn found(px: &Px, feed: &Feed, filter: &Filter, sort: &[(String, bool)], window: (i64, i64)) -> Vec<Event> {
    let mut events = happened::events(px, feed.about, window, users(px, filter));
    if filter.0.iter().flatten().any(|term| term.field != "date") || filter.0.len() > 1 {
        events.retain(|event| {
            let document = shown::event(px, event);
            filter.matches(|field| document.get(field).cloned().unwrap_or_default())
        });
    }
    if !sort.is_empty() {
        let keys = |event: &Event| {
            let key = |field: &str| if field == "date" { event.at.into() } else { Value::from(event.who.account.as_str()) };
            sort.iter().map(|(field, _)| key(field)).collect::<Vec<_>>()
        };
        events.sort_by(|a, b| filter::ordered(sort, &keys(a), &keys(b)));
    }
    events
}

/// The users that a filter can be about.
fn users(px: &Px, filter: &Filter) -> Box<dyn Iterator<Item = Row>> {
    if let Some(ids) = filter.only("identifyId") {
        let mut found: Vec<Row> = Vec::new();
        for id in ids {
            let row = px.users.get(id).or_else(|| px.users.get(&id.to_ascii_lowercase()));
            let row = row.or_else(|| px.users.written().into_iter().find(|row| row.id().eq_ignore_ascii_case(id)));
            found.extend(row.filter(|row| !found.iter().any(|known| known.position() == row.position())));
        }
        return Box::new(found.into_iter());
    }
    if let Some(accounts) = filter.only("accountId") {
        let mut accounts: Vec<&str> = accounts;
        accounts.sort_unstable();
        accounts.dedup();
        return Box::new(accounts.iter().flat_map(|account| px.users.find("accountId", &Value::from(*account))).collect::<Vec<_>>().into_iter());
    }
    Box::new(px.users.scan())
}

/// From the first instant on, before the second one: of all terms on `date` together; the last day when there are none. Nothing after now.
fn window(px: &Px, filter: &Filter, query: &Query) -> Result<(i64, i64), Refused> {
    let now = px.now() + 1;
    let (start, end) = (query.instant("dateRangeStart")?, query.instant("dateRangeEnd")?);
    let mut windows = Vec::new();
    for terms in &filter.0 {
        let (mut from, mut to) = (start, end);
        for term in terms.iter().filter(|term| term.field == "date") {
            let (least, most) = bounds(term)?;
            from = from.max(least);
            to = to.into_iter().chain(most).min();
        }
        windows.push((from, to));
    }
    if windows.is_empty() {
        windows.push((start, end));
    }
    let windows = windows.into_iter().map(|(from, to)| {
        let to = to.unwrap_or(now).min(now);
        (from.unwrap_or(to - DAY_MS), to)
    });
    let (from, to) = windows.fold((i64::MAX, i64::MIN), |(from, to), (least, most)| (from.min(least), to.max(most)));
    if to.saturating_sub(from) > LONGEST + 1 {
        return Err(bad("Exceeded date range190days"));
    }
    Ok((from, to.max(from)))
}

/// What a term on `date` allows: from, and before.
fn bounds(term: &Term) -> Result<(Option<i64>, Option<i64>), Refused> {
    let at = instant(&term.value).ok_or_else(|| bad(format!("Invalid date: {}", term.value)))?;
    Ok(match term.operator {
        Operator::Equal => (Some(at), Some(at + 1)),
        Operator::GreaterOrEqual => (Some(at), None),
        Operator::Greater => (Some(at + 1), None),
        Operator::Less => (None, Some(at)),
        Operator::LessOrEqual => (None, Some(at + 1)),
        Operator::NotEqual | Operator::Like | Operator::NotLike => return Err(bad("date cannot be filtered like that")),
    })
}

/// Attributes of one custom event.
const ATTRIBUTES: usize = 50;
/// Characters of a name.
const NAME: usize = 2_000;
/// Characters of an attribute's name.
const ATTRIBUTE_NAME: usize = 1_024;

/// `POST /v1/events/custom`.
pub(super) fn create(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    for field in ["eventName", "identifyId", "propertyKey", "userType"] {
        needed("customEvent", &sent, field)?;
    }
    if needed("customEvent", &sent, "eventName")?.chars().count() > NAME {
        return Err(invalid("customEvent", "eventName", format!("has more than {NAME} characters")));
    }
    if !["LEAD", "USER", "VISITOR", "EMPTY_USER_TYPE"].contains(&needed("customEvent", &sent, "userType")?) {
        return Err(invalid("customEvent", "userType", "must be LEAD, USER, VISITOR or EMPTY_USER_TYPE"));
    }
    let attributes = sent.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    if attributes.len() > ATTRIBUTES || attributes.keys().any(|name| name.chars().count() > ATTRIBUTE_NAME) {
        return Err(invalid("customEvent", "attributes", format!("has more than {ATTRIBUTES} attributes, or a name is too long")));
    }
    if let Some((name, _)) = attributes.iter().find(|(_, value)| value.is_object() || value.is_array()) {
        return Err(invalid("customEvent", format!("attributes.{name}"), "must be a string, number or boolean"));
    }
    let date = match sent.get("date") {
        None | Some(Value::Null) => px.now(),
        Some(date) => date.as_i64().ok_or_else(|| invalid("customEvent", "date", "must be milliseconds since 1970"))?,
    };
    let mut kept: Map<String, Value> = sent;
    kept.insert("date".to_owned(), date.into());
    px.documents.insert(&px.sent, &new_id(&px.sent), kept)?;
    Ok(Answer::Created(None))
}
