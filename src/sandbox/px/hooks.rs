//! Webhooks: what happens is posted to those who asked for it, when the clock is turned and about once a second, or less often where there
//! are so many people that looking takes long. An event that could not be posted is tried again with all that came after it, so one may
//! come twice.

use std::{sync::Arc, time::Duration};

use axum::http::Uri;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, bad},
    happened::{self, About, Event, What},
    query::{body, needed},
    records, shown,
    state::{Px, guid, new_id},
};
use crate::sandbox::{
    clock::{DAY_MS, stopwatch},
    documents::Row,
    post::post as post_to,
};

/// Posts of one subscription and day; the vendor drops what is more.
const A_DAY: i64 = 10_000;
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at the clock: at least, at most, and how many times as long as a look takes, so that nothing is felt of them.
const TICK: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);
const REST: u32 = 250;

/// The kinds there are, and whether they come when none are named.
const KINDS: [(&str, About, bool); 5] = [
    ("ENGAGEMENT", About::Engagements, true),
    ("SURVEY", About::Answers, true),
    ("CUSTOM", About::Custom, true),
    ("FEATURE_MATCH", About::Features, false),
    ("SEGMENT", About::Segments, false),
];

/// Posts from now on whenever time has passed, as long as the emulator is there.
pub(super) fn follow(px: &Arc<Px>) {
    let weak = Arc::downgrade(px);
    let turned = weak.clone();
    px.world.turns.follow(Box::new(move || {
        let weak = turned.clone();
        Box::pin(async move {
            if let Some(px) = weak.upgrade() {
                let _took = deliver(&px).await;
            }
        })
    }));
    tokio::spawn(async move {
        let mut took = Duration::ZERO;
        loop {
            tokio::time::sleep(took.saturating_mul(REST).clamp(TICK, LONGEST)).await;
            let Some(px) = weak.upgrade() else { return };
            took = deliver(&px).await;
        }
    });
}

/// `POST /_sandbox/webhooks` `{"url", "kinds", "name"}`: as somebody sets one up in the console. `GET` lists them.
pub(super) fn settings(px: &Px, bytes: Option<&[u8]>) -> Answered {
    let Some(bytes) = bytes else {
        return Ok(Answer::Body(px.hooks.scan().map(|row| Value::Object(row.document())).collect()));
    };
    let sent = body(bytes)?;
    let url = needed("webhook", &sent, "url")?;
    let sound = url.parse::<Uri>().is_ok_and(|url| url.scheme_str() == Some("http") && url.host().is_some());
    if !sound {
        return Err(bad("url must be an http:// address"));
    }
    let usual = || KINDS.iter().filter(|(.., usual)| *usual).map(|(word, ..)| Value::from(*word)).collect();
    let kinds: Vec<Value> = sent.get("kinds").and_then(Value::as_array).cloned().unwrap_or_else(usual);
    if let Some(odd) = kinds.iter().find(|kind| !KINDS.iter().any(|(word, ..)| *kind == word)) {
        return Err(bad(format!("{odd} is none of ENGAGEMENT, SURVEY, CUSTOM, FEATURE_MATCH, SEGMENT")));
    }
    // One of the same name takes the place of the earlier one.
    let named = |row: &Row| sent.get("name").is_some_and(|name| *name == *row.get("name"));
    let known = px.hooks.scan().find(|row| named(row)).map(|row| row.id().into_owned());
    let id = known.clone().unwrap_or_else(|| new_id(&px.hooks));
    let mut row = json!({"configId": id, "url": url, "kinds": kinds, "sentUntil": px.now(), "day": 0, "sentToday": 0});
    if let (Some(name), Value::Object(fields)) = (sent.get("name"), &mut row) {
        fields.insert("name".to_owned(), name.clone());
    }
    if known.is_some() {
        px.documents.update(&px.hooks, &id, row.as_object().cloned().unwrap_or_default())?;
        return Ok(Answer::Created(Some(row)));
    }
    px.documents.insert(&px.hooks, &id, row.as_object().cloned().unwrap_or_default())?;
    Ok(Answer::Created(Some(row)))
}

/// Posts what has become due; how long it took to find it.
async fn deliver(px: &Arc<Px>) -> Duration {
    let mut took = Duration::ZERO;
    if px.hooks.is_empty() {
        return took;
    }
    let _posting = px.posting.lock().await;
    for hook in px.hooks.scan() {
        let asked = (Arc::clone(px), hook.clone());
        let look = move || {
            let began = stopwatch();
            (due(&asked.0, &asked.1), began.elapsed())
        };
        let Ok(((bodies, until), looked)) = tokio::task::spawn_blocking(look).await else { continue };
        took += looked;
        let sent = post(&hook, bodies, until).await;
        if let Err(error) = px.documents.update(&px.hooks, &hook.id(), sent) {
            tracing::warn!(%error, "the sandbox could not store how far a webhook has come");
        }
    }
    took
}

/// Instants and bodies of what a subscription has not been sent yet, in order, and the instant up to which they go.
fn due(px: &Px, hook: &Row) -> (Vec<(i64, Value)>, i64) {
    let (from, now) = (hook.get("sentUntil").as_i64().unwrap_or_default(), px.now());
    if from >= now {
        return (Vec::new(), from);
    }
    let kinds = hook.get("kinds").into_owned();
    let wanted = |word: &str| kinds.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == word));
    let mut events: Vec<(i64, Value)> = Vec::new();
    for (word, about, _) in KINDS.iter().filter(|(word, ..)| wanted(word)) {
        let found = happened::events(px, *about, (from, now), px.users.scan());
        // Answers come as surveys, not as engagements.
        let found = found.iter().filter(|event| *about != About::Engagements || !is_answer(event));
        events.extend(found.map(|event| (event.at, posted(px, event, word, &hook.id()))));
    }
    events.sort_by_key(|(at, _)| *at);
    (events, now)
}

fn is_answer(event: &Event) -> bool {
    matches!(&event.what, What::Shown(_, step, _) if step.said().is_some())
}

/// The body of one post.
fn posted(px: &Px, event: &Event, kind: &str, hook: &str) -> Value {
    let feed = shown::event(px, event);
    let kept = ["eventId", "propertyKey", "date", "sessionId", "globalContext", "userType"];
    let mut told: Map<String, Value> = kept.iter().filter_map(|field| Some(((*field).to_owned(), feed.get(*field)?.clone()))).collect();
    told.insert("eventType".to_owned(), kind.into());
    let name = |table: &Arc<crate::sandbox::documents::Table>, field: &str| {
        let id = feed.get(field).and_then(Value::as_str).unwrap_or_default();
        table.get(id).map_or(Value::Null, |row| row.get("name").into_owned())
    };
    let copied: &[&str] = match kind {
        "CUSTOM" => &["eventName", "attributes", "url", "referrer", "remoteHost"],
        "FEATURE_MATCH" => &["featureId"],
        "SEGMENT" => &["segmentId"],
        "SURVEY" => &["contentType", "engagementId", "executionId", "executionDate", "score", "questionType"],
        _ => &["contentType", "engagementId", "executionId", "executionDate"],
    };
    told.extend(copied.iter().map(|field| ((*field).to_owned(), feed.get(*field).cloned().unwrap_or_default())));
    match (kind, &event.what) {
        ("FEATURE_MATCH", _) => drop(told.insert("featureName".to_owned(), name(&px.features, "featureId"))),
        ("SEGMENT", _) => drop(told.insert("segmentName".to_owned(), name(&px.segments, "segmentId"))),
        (_, What::Shown(engagement, step, _)) => told.extend(engaged(&engagement.name, &engagement.kind, *step)),
        _ => {}
    }
    let user = px.users.get(&event.who.id).map(|row| records::shown(&row));
    let account = px.accounts.get(&event.who.account).map(|row| records::shown(&row));
    json!({"user": user, "account": account, "event": told, "configId": hook})
}

fn engaged(name: &str, kind: &str, step: happened::Step) -> Map<String, Value> {
    let word = match kind {
        "IN_APP_GUIDE" => "Guide",
        "IN_APP_CAROUSEL" => "Slider",
        "IN_APP_NPS_SURVEY" => "NPS",
        "IN_APP_CES_SURVEY" => "CES",
        "IN_APP_RATING_SURVEY" => "Rating",
        "IN_APP_BOOLEAN_SURVEY" => "Boolean",
        "IN_APP_MULTIPLE_QUESTION_SURVEY" => "Multi Question",
        _ => "Dialog",
    };
    let mut told = Map::from_iter([("engagementName".to_owned(), name.into()), ("activation".to_owned(), "Auto".into())]);
    if let Some(said) = step.said() {
        let single = if word == "Multi Question" { "MULTI_STEP_SURVEY_RESPONDED" } else { "SINGLE_STEP_SURVEY_RESPONDED" };
        let answers: Vec<Value> = said
            .choice
            .map(|choice| json!({"answerId": guid("answer", &choice.to_string()), "answerHtml": said.question.choices[choice], "answerText": said.question.choices[choice]}))
            .into_iter()
            .collect();
        told.extend([
            ("surveyType".to_owned(), word.into()),
            ("interaction".to_owned(), single.into()),
            ("scoreType".to_owned(), word.into()),
            ("userInput".to_owned(), json!(said.comment)),
            ("questionId".to_owned(), guid("question", said.question.text).into()),
            ("questionHtml".to_owned(), said.question.text.into()),
            ("questionText".to_owned(), said.question.text.into()),
            ("answers".to_owned(), answers.into()),
        ]);
        return told;
    }
    let interaction = if matches!(step, happened::Step::Viewed) { "VIEWED" } else { "COMPLETED" };
    told.extend([("engagementType".to_owned(), word.into()), ("interaction".to_owned(), interaction.into()), ("stepNumber".to_owned(), 1.into())]);
    told
}

/// Posts one after the other, and tells how far it came.
async fn post(hook: &Row, bodies: Vec<(i64, Value)>, until: i64) -> Map<String, Value> {
    let number = |field: &str| hook.get(field).as_i64().unwrap_or_default();
    let (mut day, mut today, mut reached) = (number("day"), number("sentToday"), until);
    let mut line = None;
    for (at, body) in bodies {
        if at.div_euclid(DAY_MS) != day {
            (day, today) = (at.div_euclid(DAY_MS), 0);
        }
        today += 1;
        if today > A_DAY {
            continue;
        }
        let url = hook.get("url").as_str().and_then(|url| url.parse::<Uri>().ok()).unwrap_or_default();
        if let Err(error) = tokio::time::timeout(PATIENCE, post_to(&mut line, &url, &body)).await.unwrap_or_else(|_| Err("no answer in time".into()))
        {
            tracing::debug!(%error, %url, "a webhook was not taken");
            (reached, today) = (at, today - 1);
            break;
        }
    }
    Map::from_iter([("sentUntil", reached), ("day", day), ("sentToday", today)].map(|(field, value)| (field.to_owned(), Value::from(value))))
}
