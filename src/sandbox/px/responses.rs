//! What users do with an engagement that no server has shown.

use super::{
    audience::Spell,
    behaviour::{Model, questions, showing},
    engagements::Engagement,
    people::Someone,
    state::fraction,
};
use crate::sandbox::{
    company::{Company, mix},
    responses::{Reaction, Response, Shown},
};

/// In order of time: seen, and then completed or answered.
pub(in crate::sandbox) fn responses(model: &Model, company: &Company, shown: Shown<'_>) -> Vec<Response> {
    let engagement = Engagement::started(shown.engagement, shown.kind);
    let who = Someone::known(company, shown.user);
    let spell = Spell { from: shown.from_ms, to: None };
    let Some(seen) = showing(model, &who, &who.visits(company, model), &engagement, spell, shown.until_ms) else { return Vec::new() };
    let viewed = Response { at_ms: seen.viewed, kind: Reaction::Viewed, score: None, comment: None };
    let ended = seen.ended.map(|at_ms| {
        let end = Response { at_ms, kind: Reaction::Completed, score: None, comment: None };
        if engagement.is_survey() { answered(end, model, &who, shown.kind, seen.drawn) } else { end }
    });
    [Some(viewed), ended].into_iter().flatten().collect()
}

/// The answer to a survey that came by mail and was opened at `from_ms`.
pub(in crate::sandbox) fn answer(model: &Model, company: &Company, shown: Shown<'_>) -> Option<Response> {
    let who = Someone::known(company, shown.user);
    let drawn = mix(who.key ^ xxhash_rust::xxh3::xxh3_64(shown.engagement.as_bytes()) ^ mix(shown.from_ms.unsigned_abs()));
    let end = Response { at_ms: shown.from_ms + 60_000, kind: Reaction::Responded, score: None, comment: None };
    (fraction(drawn) < model.respond_rate).then(|| answered(end, model, &who, shown.kind, mix(drawn)))
}

/// The first question counts.
fn answered(end: Response, model: &Model, who: &Someone, kind: &str, drawn: u64) -> Response {
    let said = questions(kind).first().map(|question| question.answer(model, who.pattern, drawn));
    Response { kind: Reaction::Responded, score: said.and_then(|said| said.score), comment: said.and_then(|said| said.comment), ..end }
}
