//! What a simulation sees of the moves that are made: what went out when, which way people took, what was put off, what failed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::{
    model::{Channel, Date, Does, EventKind, Graph, Record, Step, Timestamp, Value, day::day_of},
    store::{Entry, EntryKind, Move, Participant},
};

use super::{Intent, advance::arm_word};

/// Something that reached somebody: what they do about it comes later.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub(super) participant: i64,
    pub(super) email: Option<String>,
    pub(super) px_id: Option<String>,
    pub(super) step: String,
    pub(super) at: Timestamp,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Entries of timelines: everything that happened to anybody.
    pub(super) events: u64,
    /// What reached people since it was last taken.
    pub(super) reached: Vec<Reached>,
    /// Participant and engagement: who left an audience since it was last taken.
    pub(super) left: Vec<(i64, String)>,
    /// By day and step, how often it went out.
    pub(super) sent: BTreeMap<Date, BTreeMap<String, u64>>,
    /// By step and word, how often that exit was taken.
    taken: BTreeMap<(String, String), u64>,
    /// By step, whose message was put off; and those whose message went out at last.
    put_off: BTreeMap<String, BTreeSet<i64>>,
    /// By step and reason.
    pub(super) failed: BTreeMap<(String, String), u64>,
}

impl Seen {
    pub(super) fn take_in(&mut self, moves: &[Move], zone: &TimeZone) {
        for one in moves {
            self.events += one.entries.len() as u64;
            for entry in &one.entries {
                self.entry(&one.participant, entry, zone);
            }
            for intent in &one.intents {
                if let Some(engagement) = Intent::left(&intent.intent) {
                    self.left.push((one.participant.id.as_i64(), engagement));
                }
            }
        }
    }

    fn entry(&mut self, participant: &Participant, entry: &Entry, zone: &TimeZone) {
        let text = |field: &str| entry.detail.get(field).and_then(Value::as_str);
        if let (Some(from), Some(by)) = (text("from"), text("by")) {
            *self.taken.entry((from.to_owned(), by.to_owned())).or_default() += 1;
        }
        let Some(step) = &entry.step else { return };
        if entry.kind == EventKind::Sent.word() {
            let day = day_of(entry.at, zone);
            let steps = self.sent.entry(day).or_default();
            match steps.get_mut(step) {
                Some(n) => *n += 1,
                None => drop(steps.insert(step.clone(), 1)),
            }
            let (email, px_id) = (participant.email.clone(), participant.px_id.clone());
            self.reached.push(Reached { participant: participant.id.as_i64(), email, px_id, step: step.clone(), at: entry.at });
        } else if entry.kind == EventKind::Failed.word() {
            let reason = text("reason").unwrap_or_default().to_owned();
            *self.failed.entry((step.clone(), reason)).or_default() += 1;
        } else if entry.kind == EntryKind::Note.word() && entry.detail.get("postponed_until").is_some() {
            self.put_off.entry(step.clone()).or_default().insert(participant.id.as_i64());
        }
    }

    /// How many people's message of a step was put off.
    pub(super) fn put_off(&self, step: &str) -> u64 {
        self.put_off.get(step).map_or(0, |people| people.len() as u64)
    }

    /// Exits that nobody took, of steps that somebody came to.
    pub(super) fn never_taken(&self, graph: &Graph, came: &BTreeMap<String, u64>) -> Vec<(String, String)> {
        let visited = graph.steps.iter().filter(|step| came.get(&step.name).is_some_and(|n| *n > 0));
        let exits = visited.flat_map(|step| exits(step).into_iter().map(move |(word, shown)| (step.name.clone(), word, shown)));
        exits.filter(|(step, word, _)| !self.taken.contains_key(&(step.clone(), word.clone()))).map(|(step, _, shown)| (step, shown)).collect()
    }
}

/// The words of a step that chooses, and how people are told of each.
fn exits(step: &Step) -> Vec<(String, String)> {
    let same = |word: &str| (word.to_owned(), format!("\"{word}\""));
    match &step.does {
        Does::WaitFor { .. } => vec![same("then"), same("otherwise")],
        Does::Branch { arms, .. } => {
            let arms = arms.iter().enumerate().map(|(number, arm)| (arm_word(number), format!("{} ({})", arm_word(number), arm.when)));
            arms.chain([same("otherwise")]).collect()
        }
        Does::Split { arms } => arms.iter().map(|share| same(&share.name)).collect(),
        _ => Vec::new(),
    }
}

/// What of it people get in their mailbox or see in the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaches {
    Mail,
    Engagement,
    Survey,
}

/// What a step brings to people; none for one that brings nothing.
pub(super) fn reaches(step: &Step) -> Option<Reaches> {
    match &step.does {
        Does::SendEmail { .. } | Does::Remind { channel: Channel::Email, .. } => Some(Reaches::Mail),
        Does::Survey { .. } | Does::Remind { channel: Channel::Px, .. } => Some(Reaches::Survey),
        Does::Engagement { .. } => Some(Reaches::Engagement),
        _ => None,
    }
}

/// The sends of each day, by step.
pub(super) fn calendar(graph: &Graph, sent: &BTreeMap<Date, BTreeMap<String, u64>>) -> Vec<Record> {
    let int = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let mut days = Vec::new();
    for (day, steps) in sent {
        let (mut mails, mut engagements, mut surveys) = (0, 0, 0);
        let mut by_step = Record::new();
        for step in &graph.steps {
            let Some((n, what)) = steps.get(&step.name).copied().zip(reaches(step)) else { continue };
            match what {
                Reaches::Mail => mails += n,
                Reaches::Engagement => engagements += n,
                Reaches::Survey => surveys += n,
            }
            by_step.set(step.name.as_str(), int(n));
        }
        if by_step.iter().next().is_some() {
            let counts = [("mails", mails), ("engagements", engagements), ("surveys", surveys)].map(|(name, n)| (name.into(), int(n)));
            let day = [("day".into(), Value::Date(*day))].into_iter().chain(counts).chain([("steps".into(), Value::Map(by_step))]);
            days.push(day.collect());
        }
    }
    days
}
