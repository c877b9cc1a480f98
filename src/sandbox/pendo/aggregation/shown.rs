//! Rows of guides and polls: views, answers.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    row::{Body, Context, Row},
    source::{Apps, Blacklist},
    usage::{LeftOut, walk},
    window::Window,
};
use crate::sandbox::{
    clock::DAY_MS,
    company::{GuideView, NpsAnswer, product},
    pendo::{catalogue, people, state::moment},
};

type Rows = Box<dyn Iterator<Item = Row> + Send>;

/// How far back anything was seen.
const BACK: i64 = 401;

/// Rows made person by person from the days of the window, or of all time.
fn by_person(
    context: &Context,
    window: Option<Window>,
    make: impl Fn(&Context, u64, u64, std::ops::RangeInclusive<i64>) -> Vec<Value> + Send + 'static,
) -> Rows {
    let today = context.now.div_euclid(DAY_MS);
    let first = window.map_or(i64::MIN, |window| window.from.div_euclid(DAY_MS)).max(context.company.origin - BACK);
    let last = window.map_or(i64::MAX, |window| (window.to - 1).div_euclid(DAY_MS)).min(today);
    let of = context.clone();
    let fill = move |person, account, ready: &mut VecDeque<Row>| {
        let rows = make(&of, person, account, first..=last);
        ready.extend(rows.into_iter().filter_map(|row| match row {
            Value::Object(fields) => Some(Row::new(account, Body::Json(Arc::new(fields)))),
            _ => None,
        }));
    };
    Box::new(walk(context, 0..context.company.accounts, LeftOut::new(context, Blacklist::Apply), Box::new(fill), BTreeMap::new()))
}

fn guide_id(guide: usize) -> String {
    product::guides().nth(guide).map(|guide| guide.id()).unwrap_or_default()
}

/// The index of the app that a guide is shown in.
fn app_of(guide: usize) -> usize {
    product::guides().nth(guide).map_or(0, |guide| guide.app)
}

fn is_wanted(wanted: Option<&String>, id: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == id)
}

/// The guides a person saw on days with usage, up to now.
fn views(context: &Context, person: u64, account: u64, days: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = GuideView> + use<> {
    let (company, now) = (context.company, context.now);
    let habits = company.habits_of(person, account);
    let used = days.filter(move |day| habits.on(*day).is_some());
    used.flat_map(move |day| company.guide_views(person, day)).filter(move |view| moment(view.day, view.minute) <= now)
}

/// The NPS answers of a person, up to now.
fn answers(context: &Context, person: u64, days: &std::ops::RangeInclusive<i64>) -> impl Iterator<Item = NpsAnswer> + use<> {
    let now = context.now;
    context.company.nps_answers(person, *days.start(), *days.end()).filter(move |answer| moment(answer.day, answer.minute) <= now)
}

/// What every row about a person has.
fn about(context: &Context, person: u64, account: u64, more: Value) -> Value {
    let company = &context.company;
    let mut fields = Map::from_iter([
        ("visitorId".to_owned(), Value::from(company.email(person))),
        ("accountId".to_owned(), Value::from(company.account_id(account))),
    ]);
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    fields.into()
}

/// A moment as the events of guides tell it.
fn event(context: &Context, account: u64, time: i64, app: usize, more: Value) -> Value {
    let mut fields = json!({
        "accountIds": [context.company.account_id(account)], "appId": product::APPS[app].id, "browserTime": time, "receivedTime": time,
        "guideTimestamp": time, "loadTime": 120, "serverName": people::SERVER, "url": format!("https://{}/", people::SERVER), "language": "en-US",
        "day": time.div_euclid(DAY_MS) * DAY_MS,
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

/// Two rows for each view: seen, and then advanced or dismissed a minute later.
pub(super) fn guide_events(context: &Context, window: Window, apps: Apps, guide: Option<String>, step: Option<String>) -> Rows {
    by_person(context, Some(window), move |context, person, account, days| {
        let wanted = |view: &GuideView| {
            apps.has(app_of(view.guide))
                && is_wanted(guide.as_ref(), &guide_id(view.guide))
                && is_wanted(step.as_ref(), &catalogue::step_id(view.guide))
        };
        let rows =
            views(context, person, account, days).filter(wanted).flat_map(|view| {
                let time = moment(view.day, view.minute);
                let next = if view.completed { "guideAdvanced" } else { "guideDismissed" };
                [("guideSeen", time), (next, time + 60_000)].map(|(kind, time)| {
                about(context, person, account, event(context, account, time, app_of(view.guide), json!({
                    "type": kind, "guideSeenReason": "auto", "guideId": guide_id(view.guide), "guideStepId": catalogue::step_id(view.guide),
                    "eventId": format!("{person}-{time}-{}", view.guide),
                })))
            })
            });
        rows.collect()
    })
}

/// The answers to the polls of the NPS survey: a score, and a comment where there is one.
fn responses(answer: NpsAnswer) -> impl Iterator<Item = (usize, &'static str, Value)> {
    let comment = answer.comment.map(|comment| (1, "FreeForm", Value::from(comment)));
    [(0, "NPSRating", Value::from(answer.score))].into_iter().chain(comment)
}

pub(super) fn poll_events(context: &Context, window: Window, apps: Apps, guide: Option<String>, poll: Option<String>) -> Rows {
    let polls = catalogue::poll_ids();
    by_person(context, Some(window), move |context, person, account, days| {
        if !apps.has(app_of(0)) || !is_wanted(guide.as_ref(), &guide_id(0)) {
            return Vec::new();
        }
        let all = answers(context, person, &days).flat_map(|answer| responses(answer).map(move |response| (answer, response)));
        let wanted = all.filter(|(_, (number, ..))| is_wanted(poll.as_ref(), &polls[*number]));
        let rows = wanted.map(|(answer, (number, kind, response))| {
            let time = moment(answer.day, answer.minute);
            about(context, person, account, event(context, account, time, app_of(0), json!({
                "type": "ui:web:pollResponse", "guideId": guide_id(0), "guideStepId": catalogue::step_id(0), "pollId": polls[number], "pollType": kind,
                "pollResponse": response, "eventId": format!("{person}-{time}-poll{number}"),
            })))
        });
        rows.collect()
    })
}

/// One row for each visitor and guide it saw.
pub(super) fn guides_seen(context: &Context, window: Option<Window>, apps: Apps, guide: Option<String>) -> Rows {
    by_person(context, window, move |context, person, account, days| {
        let mut seen: BTreeMap<usize, (i64, i64, u32)> = BTreeMap::new();
        for view in views(context, person, account, days) {
            let time = moment(view.day, view.minute);
            let (_, last, times) = seen.entry(view.guide).or_insert((time, time, 0));
            (*last, *times) = (time, *times + 1);
        }
        let wanted = seen.into_iter().filter(|(number, _)| apps.has(app_of(*number)) && is_wanted(guide.as_ref(), &guide_id(*number)));
        let rows = wanted.map(|(number, (first, last, times))| {
            let seen = json!({"guideId": guide_id(number), "guideStepId": catalogue::step_id(number), "firstSeenAt": first, "lastSeenAt": last, "seenCount": times});
            about(context, person, account, seen)
        });
        rows.collect()
    })
}

/// The last answer of each visitor to each poll.
pub(super) fn polls_seen(context: &Context, window: Option<Window>, apps: Apps, guide: Option<String>, poll: Option<String>) -> Rows {
    let polls = catalogue::poll_ids();
    by_person(context, window, move |context, person, account, days| {
        if !apps.has(app_of(0)) || !is_wanted(guide.as_ref(), &guide_id(0)) {
            return Vec::new();
        }
        let mut last: BTreeMap<usize, (i64, Value)> = BTreeMap::new();
        for answer in answers(context, person, &days) {
            for (number, _, response) in responses(answer) {
                last.insert(number, (moment(answer.day, answer.minute), response));
            }
        }
        let wanted = last.into_iter().filter(|(number, _)| is_wanted(poll.as_ref(), &polls[*number]));
        let rows = wanted.map(|(number, (time, response))| {
            about(context, person, account, json!({"guideId": guide_id(0), "pollId": polls[number], "response": response, "time": time}))
        });
        rows.collect()
    })
}
