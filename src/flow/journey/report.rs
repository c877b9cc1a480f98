//! How a program went: who is where, what was seen, answered and opened, now and over time. From sums in the state file, never by reading
//! everybody.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Weekday};

use crate::{
    flow::Error,
    model::{Channel, Date, Does, EventKind, ProgramModel, Record, Step, Value},
    script::{Declaration, Journey},
    store::{Association, Score, Standing, Store},
};

use super::{operate::draft, publish::to_do};

/// Answers read at a time.
const PAGE: u32 = 1_000;

/// A stretch of time that is reported as one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Day,
    /// From Monday on.
    Week,
    Month,
}

impl Per {
    /// The first day of the stretch that a day lies in.
    pub fn begin(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days()).unwrap_or(day),
            Self::Month => day.first_of_month(),
        }
    }
}

/// The report of a program, as the state file has it: `product.md`'s keys, and per step how many came on.
///
/// # Errors
/// The state file's.
pub fn report(store: &Store, declaration: &Declaration, journey: &Journey) -> Result<Record, Error> {
    let name = declaration.name.as_str();
    let program = store.program(name)?.unwrap_or_else(|| draft(declaration, journey));
    let counts = store.participant_counts(name)?;
    let known = Known { events: store.event_counts(name)?, scores: store.scores(name)?, associations: store.associations(name)?, journey };
    let participants = numbers([
        ("active", counts.active),
        ("waiting", counts.waiting),
        ("completed", counts.completed),
        ("dropped", counts.dropped),
        ("failed", counts.failed),
        ("parked", counts.parked),
    ]);
    let reasons: Record = store.failed_reasons(name)?.into_iter().map(|(reason, n)| (reason.into(), int(n))).collect();
    let of = |part: &dyn Fn(&Step) -> Option<Value>| Value::List(journey.graph.steps.iter().filter_map(part).collect());
    let fields = [
        ("name", Value::text(name)),
        ("status", Value::text(program.status.word())),
        ("revision", int(u64::from(program.revision))),
        ("participants", record(participants.collect())),
        ("failed_reasons", Value::Map(reasons)),
        ("engagements", of(&|step| known.engagement(step))),
        ("surveys", of(&|step| known.survey(step))),
        ("emails", of(&|step| known.email(step))),
        ("steps", Value::List(funnel(store, name, journey)?)),
    ];
    Ok(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Each step of the flow in its order, then those that are gone: how many reached it, which share of those who entered that is, and how many
/// stand there now.
fn funnel(store: &Store, name: &str, journey: &Journey) -> Result<Vec<Value>, Error> {
    let counted = store.step_counts(name)?;
    let standing = store.standing(name)?;
    let entered = journey.graph.start().and_then(|start| counted.iter().find(|(step, ..)| *step == start.name)).map_or(0, |(_, reached, _)| *reached);
    let here = journey.graph.steps.iter().map(|step| step.name.as_str());
    let gone = counted.iter().map(|(step, ..)| step.as_str()).filter(|step| journey.graph.step(step).is_none());
    let line = |step: &str| {
        let (_, reached, _) = counted.iter().find(|(counted, ..)| counted == step)?;
        let at = standing.iter().find(|at| at.step == step);
        let mut line = vec![("step", Value::text(step))];
        let of = |part: fn(&Standing) -> u64| at.map_or(0, part);
        line.extend(numbers([("reached", *reached), ("standing", of(|at| at.standing + at.parked)), ("parked", of(|at| at.parked))]));
        line.push(("conversion", share(*reached, entered)));
        Some(record(line))
    };
    Ok(here.chain(gone).filter_map(line).collect())
}

/// What is known of a program's steps.
struct Known<'a> {
    events: Vec<(String, EventKind, u64)>,
    scores: Vec<Score>,
    associations: Vec<Association>,
    journey: &'a Journey,
}

impl Known<'_> {
    fn n(&self, step: &Step, kind: EventKind) -> u64 {
        self.events.iter().find(|(name, of, _)| *name == step.name && *of == kind).map_or(0, |(_, _, n)| *n)
    }

    fn association(&self, engagement: &str) -> Option<&Association> {
        self.associations.iter().find(|one| one.engagement == engagement && one.cut.is_none())
    }

    /// Why PX does not show it at the moment (B2).
    fn trouble(&self, engagement: &str) -> Value {
        self.association(engagement).and_then(|one| one.trouble.as_ref()).map_or(Value::Null, Value::text)
    }

    /// Whether a member of the segment has seen it, and what to do in PX until then.
    fn confirmation(&self, engagement: &str) -> [(&'static str, Value); 2] {
        let one = self.association(engagement);
        let confirmed = one.and_then(|one| one.confirmed).map_or(Value::Null, Value::Instant);
        let to_do = one.and_then(|one| to_do(self.journey, one)).map_or(Value::Null, Value::text);
        [("confirmed", confirmed), ("to_do", to_do)]
    }

    fn engagement(&self, step: &Step) -> Option<Value> {
        let Does::Engagement { engagement } = &step.does else { return None };
        let (sent, viewed, failed) = (self.n(step, EventKind::Sent), self.n(step, EventKind::Viewed), self.n(step, EventKind::Failed));
        let mut line = vec![("step", Value::text(&step.name)), ("engagement", Value::text(engagement))];
        line.extend(numbers([
            ("viewed", viewed),
            ("not_viewed", sent.saturating_sub(viewed)),
            ("completed", self.n(step, EventKind::Completed)),
            ("failed", failed),
        ]));
        line.push(("failure_rate", share(failed, sent + failed)));
        line.push(("error", self.trouble(engagement)));
        line.extend(self.confirmation(engagement));
        Some(record(line))
    }

    fn survey(&self, step: &Step) -> Option<Value> {
        let Does::Survey { survey, channel, .. } = &step.does else { return None };
        let (sent, viewed, responded) = (self.n(step, EventKind::Sent), self.n(step, EventKind::Viewed), self.n(step, EventKind::Responded));
        let scores: Vec<&Score> = self.scores.iter().filter(|score| score.step == step.name).collect();
        // Answers that say how they came are counted so; the others came as the survey went out.
        let said: u64 = scores.iter().filter(|score| score.channel.is_some()).map(|score| score.count).sum();
        let said_px: u64 = scores.iter().filter(|score| score.channel.as_deref() == Some("px")).map(|score| score.count).sum();
        let silent = responded.saturating_sub(said);
        let by_px = (said_px + if *channel == Channel::Px { silent } else { 0 }).min(responded);
        let mut line = vec![("step", Value::text(&step.name)), ("survey", Value::text(survey))];
        line.extend(numbers([
            ("viewed", viewed),
            ("not_viewed", sent.saturating_sub(viewed)),
            ("responded", responded),
            ("responded_email", responded - by_px),
            ("responded_px", by_px),
            ("failed", self.n(step, EventKind::Failed)),
        ]));
        line.push(("response_rate", share(responded, sent)));
        let answers = answers(&scores);
        line.push(("average_score", average(&answers)));
        let nps = self.association(survey).map_or(self.journey.model == ProgramModel::Nps, |one| one.kind.contains("NPS"));
        line.push(("nps", if nps { net_promoters(&answers) } else { Value::Null }));
        let given = answers.iter().map(|(score, n)| (score_word(*score).as_str().into(), int(*n))).collect();
        line.push(("scores", Value::Map(given)));
        line.push(("error", self.trouble(survey)));
        line.extend(self.confirmation(survey));
        Some(record(line))
    }

    fn email(&self, step: &Step) -> Option<Value> {
        let mails =
            matches!(step.does, Does::SendEmail { .. } | Does::Remind { channel: Channel::Email, .. } | Does::Survey { channel: Channel::Email, .. });
        mails.then(|| {
            let mut line = vec![("step", Value::text(&step.name))];
            let n = |kind| self.n(step, kind);
            let kinds = [EventKind::Sent, EventKind::Opened, EventKind::Clicked, EventKind::Bounced, EventKind::Unsubscribed, EventKind::Failed];
            line.extend(kinds.map(|kind| (kind.word(), int(n(kind)))));
            record(line)
        })
    }
}

/// Scores with how often each was given, lowest first.
fn answers(scores: &[&Score]) -> Vec<(f64, u64)> {
    let mut all: Vec<(f64, u64)> = Vec::new();
    for (score, n) in scores.iter().filter_map(|one| Some((one.score?, one.count))) {
        match all.iter_mut().find(|(known, _)| known.total_cmp(&score).is_eq()) {
            Some((_, sum)) => *sum += n,
            None => all.push((score, n)),
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

fn average(answers: &[(f64, u64)]) -> Value {
    let n: u64 = answers.iter().map(|(_, n)| n).sum();
    if n == 0 { Value::Null } else { Value::Float(round(answers.iter().map(|(score, n)| score * float(*n)).sum::<f64>() / float(n), 100.0)) }
}

/// Promoters (9 and 10) less detractors (0 to 6), in hundredths of all.
fn net_promoters(answers: &[(f64, u64)]) -> Value {
    let of = |range: std::ops::RangeInclusive<f64>| answers.iter().filter(|(score, _)| range.contains(score)).map(|(_, n)| n).sum::<u64>();
    let all = of(0.0..=10.0);
    if all == 0 { Value::Null } else { Value::Float(round((float(of(9.0..=10.0)) - float(of(0.0..=6.0))) * 100.0 / float(all), 10.0)) }
}

fn score_word(score: f64) -> String {
    format!("{score}")
}

/// How often each kind of thing happened.
type ByKind = BTreeMap<&'static str, u64>;

/// What happened in each stretch of time, at each step: participants who reached it, and those to whom each thing happened first then.
///
/// # Errors
/// The state file's.
pub fn over_time(store: &Store, name: &str, per: Per) -> Result<Vec<Record>, Error> {
    // In the order in which steps were first reached within a stretch.
    let mut lines: BTreeMap<Date, Vec<(String, ByKind)>> = BTreeMap::new();
    let reached = store.reached_by_day(name)?.into_iter().map(|(day, step, n)| (day, step, "reached", n));
    let happened = store.counts_by_day(name)?.into_iter().map(|(day, step, kind, n)| (day, step, kind.word(), n));
    for (day, step, what, n) in reached.chain(happened) {
        let stretch = lines.entry(per.begin(day)).or_default();
        let at = stretch.iter().position(|(known, _)| *known == step).unwrap_or_else(|| {
            stretch.push((step, BTreeMap::new()));
            stretch.len() - 1
        });
        if let Some((_, counts)) = stretch.get_mut(at) {
            *counts.entry(what).or_default() += n;
        }
    }
    let words = ["reached"].into_iter().chain(EventKind::ALL.iter().map(|(word, _)| *word));
    let line = |from: Date, step: &str, counts: &ByKind| -> Record {
        let told = words.clone().map(|word| (word.into(), int(counts.get(word).copied().unwrap_or(0))));
        [("from".into(), Value::Date(from)), ("step".into(), Value::text(step))].into_iter().chain(told).collect()
    };
    Ok(lines
        .iter()
        .flat_map(|(from, steps)| steps.iter().map(move |(step, counts)| (from, step, counts)))
        .map(|(from, step, counts)| line(*from, step, counts))
        .collect())
}

/// Hands out every answer, in the order they were given: when, who, step, score, comment, channel, and whatever else it said (B16).
///
/// # Errors
/// The state file's.
pub fn responses(store: &Store, name: &str, journey: &Journey, mut each: impl FnMut(Record)) -> Result<(), Error> {
    let mut passed = 0;
    loop {
        let page = store.responses(name, PAGE, passed)?;
        if page.is_empty() {
            return Ok(());
        }
        passed += PAGE;
        for response in page {
            let does = journey.graph.step(&response.step).map(|step| &step.does);
            let usual = if let Some(Does::Survey { channel: Channel::Email, .. }) = does { "email" } else { "px" };
            let mut payload = response.payload;
            let mut take = |name: &str| payload.remove(name).unwrap_or(Value::Null);
            let (given, comment, channel) = (take("score"), take("comment"), take("channel"));
            let who = response.email.or(response.px_id).map_or(Value::Null, Value::text);
            let fields = [
                ("at", Value::Instant(response.at)),
                ("participant", Value::Int(response.participant.as_i64())),
                ("who", who),
                ("step", Value::text(response.step)),
                ("score", given),
                ("comment", comment),
                ("channel", if channel.is_blank() { Value::text(usual) } else { channel }),
                ("more", Value::Map(payload)),
            ];
            each(fields.into_iter().map(|(name, value)| (name.into(), value)).collect());
        }
    }
}

fn record(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn numbers<const N: usize>(numbers: [(&'static str, u64); N]) -> impl Iterator<Item = (&'static str, Value)> {
    numbers.into_iter().map(|(name, n)| (name, int(n)))
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A part of a whole, to a thousandth; null of nothing.
fn share(part: u64, whole: u64) -> Value {
    if whole == 0 { Value::Null } else { Value::Float(round(float(part) / float(whole), 1_000.0)) }
}

fn round(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

#[allow(clippy::cast_precision_loss, reason = "counts of people")]
const fn float(n: u64) -> f64 {
    n as f64
}
