//! How people respond: the model, and what it makes of one showing of an engagement. Pure functions of the seed, the user, the
//! engagement and when the user came into its audience.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, bad},
    audience::Spell,
    engagements::Engagement,
    people::{Someone, Visits},
    query::body,
    state::{Px, fraction},
};
use crate::sandbox::{
    clock::DAY_MS,
    company::{Pattern, comment_on, mix},
};

/// Rates from 0 to 1, and mean delays in seconds (exponentially distributed).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sandbox) struct Model {
    /// Of those who visit while they are in the audience.
    pub(super) view_rate: f64,
    /// Of those who viewed a guide, slider or dialog.
    pub(super) complete_rate: f64,
    /// Of those who viewed a survey.
    pub(super) respond_rate: f64,
    /// Of the answers.
    pub(super) comment_rate: f64,
    pub(super) view_delay_seconds: f64,
    pub(super) complete_delay_seconds: f64,
    pub(super) respond_delay_seconds: f64,
    /// Of a visit on any day, the same for everybody; null: as each one's usage says.
    pub(super) visit_probability: Option<f64>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            view_rate: 0.9,
            complete_rate: 0.6,
            respond_rate: 0.35,
            comment_rate: 0.4,
            view_delay_seconds: 30.0,
            complete_delay_seconds: 180.0,
            respond_delay_seconds: 45.0,
            visit_probability: None,
        }
    }
}

impl Model {
    /// Why it cannot be.
    pub(in crate::sandbox) fn wrong(&self) -> Option<&'static str> {
        let rates = [self.view_rate, self.complete_rate, self.respond_rate, self.comment_rate, self.visit_probability.unwrap_or(0.0)];
        let delays = [self.view_delay_seconds, self.complete_delay_seconds, self.respond_delay_seconds];
        let sound = rates.iter().all(|rate| (0.0..=1.0).contains(rate)) && delays.iter().all(|delay| (0.0..=1e7).contains(delay));
        (!sound).then_some("rates and probabilities go from 0 to 1, delays from 0 seconds up")
    }
}

/// The table's only row.
const ROW: &str = "model";

/// The model in force.
pub(super) fn model(px: &Px) -> Model {
    let stored = px.behaviour.get(ROW).map(|row| Value::Object(row.document()));
    stored.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default()
}

/// `GET|POST /_sandbox/behaviour`: what is not named keeps its value.
pub(super) fn settings(px: &Px, bytes: Option<&[u8]>) -> Answered {
    let Some(bytes) = bytes else { return Ok(Answer::Body(json!(model(px)))) };
    let mut wanted = json!(model(px)).as_object().cloned().unwrap_or_default();
    wanted.extend(body(bytes)?);
    let model: Model = serde_json::from_value(wanted.clone().into()).map_err(|wrong| bad(wrong.to_string()))?;
    if let Some(wrong) = model.wrong() {
        return Err(bad(wrong));
    }
    let fields: Map<String, Value> = wanted;
    if !px.documents.insert(&px.behaviour, ROW, fields.clone())? {
        px.documents.update(&px.behaviour, ROW, fields)?;
    }
    Ok(Answer::Body(json!(model)))
}

/// One showing, up to where it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Showing {
    pub(super) viewed: i64,
    /// When it was completed or answered; none when it never is.
    pub(super) ended: Option<i64>,
    /// What the showing's own words follow from.
    pub(super) drawn: u64,
}

/// What becomes of an engagement that somebody has the right to see during a spell; none when it is not seen by `until`.
pub(super) fn showing(model: &Model, who: &Someone, visits: &Visits, engagement: &Engagement, spell: Spell, until: i64) -> Option<Showing> {
    let drawn = mix(who.key ^ mix(xxhash_rust::xxh3::xxh3_64(engagement.id.as_bytes()) ^ mix(spell.from.unsigned_abs())));
    let allowed = if engagement.is_survey() { who.surveyed } else { who.guided };
    if !allowed || fraction(drawn) >= model.view_rate {
        return None;
    }
    let last = spell.to.map_or(until, |to| to.min(until));
    let delay = delay(model.view_delay_seconds, mix(drawn ^ 1));
    let viewed = (spell.from.div_euclid(DAY_MS)..=last.div_euclid(DAY_MS)).find_map(|day| {
        let visit = visits.on(day).filter(|visit| visit.end > spell.from)?;
        let begin = visit.begin.max(spell.from);
        let at = (begin + delay).min(visit.end.max(begin));
        (at <= last && engagement.is_started(at)).then_some(at)
    })?;
    let (rate, mean) =
        if engagement.is_survey() { (model.respond_rate, model.respond_delay_seconds) } else { (model.complete_rate, model.complete_delay_seconds) };
    let ends = fraction(mix(drawn ^ 2)) < rate;
    let ended = viewed + self::delay(mean, mix(drawn ^ 3)).max(1_000);
    Some(Showing { viewed, ended: ends.then_some(ended), drawn: mix(drawn ^ 4) })
}

/// Milliseconds, exponentially distributed around a mean of seconds, at most a day.
fn delay(mean_seconds: f64, drawn: u64) -> i64 {
    let ms = -(1.0 - fraction(drawn)).ln() * mean_seconds * 1000.0;
    #[allow(clippy::cast_possible_truncation)]
    let ms = ms.min(86_400_000.0) as i64;
    ms
}

/// One question of a survey.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
    lowest: u32,
    highest: u32,
    pub(super) choices: &'static [&'static str],
}

const NPS: Question = Question { kind: "NPS", text: "How likely are you to recommend us?", lowest: 0, highest: 10, choices: &[] };
const CES: Question = Question { kind: "CES", text: "How easy was it to get started?", lowest: 1, highest: 7, choices: &[] };
const RATING: Question = Question { kind: "RATING", text: "How satisfied are you with our support?", lowest: 1, highest: 5, choices: &[] };
const BOOLEAN: Question = Question { kind: "BOOLEAN", text: "Do you want to hear about renewal options?", lowest: 0, highest: 1, choices: &[] };
const CHOICE: Question =
    Question { kind: "MULTI_SELECTION", text: "What should we build next?", lowest: 0, highest: 0, choices: &["Reports", "Mobile", "Integrations"] };

/// The questions of a survey's type.
pub(super) fn questions(kind: &str) -> &'static [Question] {
    match kind {
        "IN_APP_NPS_SURVEY" => &[NPS],
        "IN_APP_CES_SURVEY" => &[CES],
        "IN_APP_RATING_SURVEY" => &[RATING],
        "IN_APP_BOOLEAN_SURVEY" => &[BOOLEAN],
        "IN_APP_MULTIPLE_QUESTION_SURVEY" => &[RATING, CHOICE],
        _ => &[],
    }
}

/// What somebody said to one question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) question: Question,
    pub(super) score: Option<u32>,
    pub(super) choice: Option<usize>,
    pub(super) comment: Option<&'static str>,
}

impl Question {
    pub(super) fn metadata(&self) -> Value {
        json!({"questionType": self.kind, "questionText": self.text, "answers": self.choices})
    }

    /// An answer that fits how the account's usage goes.
    pub(super) fn answer(self, model: &Model, pattern: Pattern, drawn: u64) -> Said {
        if !self.choices.is_empty() {
            let choice = usize::from(drawn.to_le_bytes()[0]) % self.choices.len();
            return Said { question: self, score: None, choice: Some(choice), comment: None };
        }
        let (low, high) = match pattern {
            Pattern::Growing => (0.6, 1.0),
            Pattern::Steady | Pattern::New => (0.5, 1.0),
            Pattern::Falling => (0.2, 0.85),
            Pattern::Quiet { .. } => (0.1, 0.6),
        };
        let place = low + fraction(drawn) * (high - low);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let score = self.lowest + (place * f64::from(self.highest - self.lowest)).round() as u32;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mood = (place * 10.0).round() as u32;
        let comment = (fraction(mix(drawn ^ 5)) < model.comment_rate).then(|| comment_on(mood, mix(drawn ^ 6)));
        Said { question: self, score: Some(score), choice: None, comment }
    }
}
