//! How a program went: who is where, what was seen, answered and opened, from sums in the state file.

use crate::{
    flow::Error,
    model::{Record, Value},
    script::{Declaration, Journey},
    store::Store,
};

use super::operate::draft;

/// The report of a program, as the state file has it.
///
/// # Errors
/// The state file's.
pub fn report(store: &Store, declaration: &Declaration, journey: &Journey) -> Result<Record, Error> {
    use crate::model::{Channel, Does, EventKind};
    let name = declaration.name.as_str();
    let program = store.program(name)?.unwrap_or_else(|| draft(declaration, journey));
    let counts = store.participant_counts(name)?;
    let events = store.event_counts(name)?;
    let of = |step: &str, kind: EventKind| events.iter().find(|(s, k, _)| s == step && *k == kind).map_or(0, |(_, _, n)| *n);
    let (mut engagements, mut surveys, mut emails) = (Vec::new(), Vec::new(), Vec::new());
    for step in &journey.graph.steps {
        let n = |kind| of(&step.name, kind);
        let (sent, viewed) = (n(EventKind::Sent), n(EventKind::Viewed));
        let mut line = vec![("step", Value::text(&step.name))];
        match &step.does {
            Does::Engagement { engagement } => {
                line.push(("engagement", Value::text(engagement)));
                line.extend(numbers([
                    ("viewed", viewed),
                    ("not_viewed", sent.saturating_sub(viewed)),
                    ("completed", n(EventKind::Completed)),
                    ("failed", n(EventKind::Failed)),
                ]));
                engagements.push(record(line));
            }
            Does::Survey { survey, channel, .. } => {
                let responded = n(EventKind::Responded);
                let by_px = if *channel == Channel::Px { responded } else { 0 };
                line.push(("survey", Value::text(survey)));
                line.extend(numbers([
                    ("viewed", viewed),
                    ("not_viewed", sent.saturating_sub(viewed)),
                    ("responded", responded),
                    ("responded_email", responded - by_px),
                    ("responded_px", by_px),
                ]));
                surveys.push(record(line));
            }
            Does::SendEmail { .. } | Does::Remind { channel: Channel::Email, .. } => {
                line.extend(numbers([
                    ("sent", sent),
                    ("opened", n(EventKind::Opened)),
                    ("clicked", n(EventKind::Clicked)),
                    ("bounced", n(EventKind::Bounced)),
                    ("failed", n(EventKind::Failed)),
                ]));
                emails.push(record(line));
            }
            _ => (),
        }
    }
    let participants = numbers([
        ("active", counts.active),
        ("waiting", counts.waiting),
        ("completed", counts.completed),
        ("dropped", counts.dropped),
        ("failed", counts.failed),
        ("parked", counts.parked),
    ]);
    let reasons: Record = store.failed_reasons(name)?.into_iter().map(|(reason, n)| (reason.into(), int(n))).collect();
    let steps: Vec<Value> = store
        .step_counts(name)?
        .into_iter()
        .map(|(step, reached, standing)| {
            let mut line = vec![("step", Value::text(step))];
            line.extend(numbers([("reached", reached), ("standing", standing)]));
            record(line)
        })
        .collect();
    let fields = [
        ("name", Value::text(name)),
        ("status", Value::text(program.status.word())),
        ("revision", int(u64::from(program.revision))),
        ("participants", record(participants.collect())),
        ("failed_reasons", Value::Map(reasons)),
        ("engagements", Value::List(engagements)),
        ("surveys", Value::List(surveys)),
        ("emails", Value::List(emails)),
        ("steps", Value::List(steps)),
    ];
    Ok(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
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
