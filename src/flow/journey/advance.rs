//! Where one participant goes from here: a pure function of where they stand, what is known of them and what time it is.
//!
//! It goes on until a step keeps the participant or the journey ends for them. Nothing is asked of any system: what is to be done outside
//! comes back as intents, which are remembered in the same transaction as the move.

use serde::{Deserialize, Serialize};

use crate::{
    flow::cell::compute,
    model::{Channel, Date, Does, EventKind, Fault, Graph, Length, Record, Step, Timestamp, Value, When},
    script::Journey,
    store::{Entry, EntryKind, Fact, Move, NewIntent, Participant, ParticipantState},
};

use super::{
    pass::shown_in_px,
    time::Calendar,
    when::{Known, holds, settled},
};

/// Steps taken at one moment before a loop without a wait is suspected; `check` finds those that are written down.
const STEPS_AT_ONCE: usize = 1_000;

/// Why whoever meets the exit of a journey is out of it.
pub(super) const EXITED: &str = "met the exit criteria";

/// Words of exits, as timelines and simulations tell them.
const THEN: &str = "then";
const OTHERWISE: &str = "otherwise";

/// The word of a branch's arm.
pub(super) fn arm_word(number: usize) -> String {
    format!("arm {}", number + 1)
}

/// Something to be done outside, as it is remembered until it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Intent {
    /// A mail from a template; with a survey's links where it carries one.
    Mail { step: String, template: String, survey: Option<String> },
    /// The person joins an engagement's audience.
    Join { step: String, engagement: String },
    /// And leaves it again.
    Leave { step: String, engagement: String },
    /// A call to action, a load, a score, a closure that asks for effects, a web hook: what the declaration says of that step, for the
    /// participant as they were when they came there.
    Act { step: String, fields: Record },
}

impl Intent {
    /// As it is remembered: JSON.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whose audience is left, if this text is of an intent to leave one.
    pub(super) fn left(text: &str) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Left {
            Leave {
                engagement: String,
            },
            #[serde(other)]
            Else,
        }
        match serde_json::from_str(text) {
            Ok(Left::Leave { engagement }) => Some(engagement),
            Ok(Left::Else) | Err(_) => None,
        }
    }
}

/// What a participant is moved by.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    pub journey: &'a Journey,
    pub name: &'a str,
    pub calendar: &'a Calendar,
    pub now: Timestamp,
    /// When messages went to this person lately, oldest first: asked for only where the journey has a cap.
    pub messages: &'a [Timestamp],
    /// When the next day begins, by which conditions on the rule date may change.
    pub tomorrow: Timestamp,
}

/// Moves a participant as far as they go at this moment.
pub fn advance(at: Arrived<'_>, participant: Participant) -> Move {
    let stood = stand(&participant);
    let mut walk = Walk { at, standing: participant, entries: Vec::new(), intents: Vec::new(), fields_changed: false, sent: 0 };
    if let Err(fault) = walk.go() {
        walk.end(ParticipantState::Failed, Some(fault.to_string()));
    }
    let moved = stand(&walk.standing) != stood;
    Move {
        participant: walk.standing,
        entries: walk.entries,
        intents: walk.intents,
        events: Vec::new(),
        moved,
        fields_changed: walk.fields_changed,
        facts_from: None,
    }
}

/// What of a participant a move may change besides fields and facts.
fn stand(participant: &Participant) -> (ParticipantState, Option<String>, [Option<Timestamp>; 3], Option<String>) {
    let times = [Some(participant.since), participant.due, participant.ended];
    (participant.state, participant.step.clone(), times, participant.reason.clone())
}

struct Walk<'a> {
    at: Arrived<'a>,
    standing: Participant,
    entries: Vec<Entry>,
    intents: Vec<NewIntent>,
    fields_changed: bool,
    /// Messages asked for in this very move; they count for the cap.
    sent: usize,
}

/// What a step does with somebody.
enum Onward<'a> {
    /// Keeps them, until then at the latest.
    Stay(Timestamp),
    To(Option<&'a str>),
    /// The same for a step that chooses, with the word of the exit.
    By(&'a str, Option<&'a str>),
    /// An arm of a branch, by its number.
    Arm(usize, Option<&'a str>),
    End(ParticipantState, Option<String>),
}

impl<'a> Walk<'a> {
    fn graph(&self) -> &'a Graph {
        &self.at.journey.graph
    }

    fn go(&mut self) -> Result<(), Fault> {
        for _ in 0..STEPS_AT_ONCE {
            if let Some(exit) = &self.at.journey.exit
                && holds(exit, self.known())?
            {
                self.leave_surveys();
                self.end(ParticipantState::Dropped, Some(EXITED.to_owned()));
                return Ok(());
            }
            let Some(step) = self.standing.step.as_deref().and_then(|name| self.graph().step(name)) else {
                self.park();
                return Ok(());
            };
            match self.take(step)? {
                Onward::Stay(due) => {
                    self.standing.state = ParticipantState::Waiting;
                    self.standing.due = Some(due);
                    return Ok(());
                }
                Onward::To(to) => {
                    if self.follow(&[], to) {
                        return Ok(());
                    }
                }
                Onward::By(word, to) => {
                    if self.follow(&[("from", Value::text(&step.name)), ("by", Value::text(word))], to) {
                        return Ok(());
                    }
                }
                Onward::Arm(number, to) => {
                    if self.follow(&[("from", Value::text(&step.name)), ("by", Value::text(arm_word(number)))], to) {
                        return Ok(());
                    }
                }
                Onward::End(state, reason) => {
                    self.end(state, reason);
                    return Ok(());
                }
            }
        }
        let step = self.standing.step.clone().unwrap_or_default();
        self.end(ParticipantState::Failed, Some(format!("goes in circles at \"{step}\": a loop needs a wait")));
        Ok(())
    }

    /// Goes on to a step, or ends where there is none; whether it ended.
    fn follow(&mut self, detail: &[(&str, Value)], to: Option<&str>) -> bool {
        match to {
            Some(next) => self.arrive(next, detail),
            None => self.end_with(ParticipantState::Completed, None, detail),
        }
        to.is_none()
    }

    fn take(&mut self, step: &'a Step) -> Result<Onward<'a>, Fault> {
        let next = step.next.as_deref();
        match &step.does {
            Does::Wait { length } => {
                let until = self.until(*length);
                Ok(if until <= self.at.now { Onward::To(next) } else { Onward::Stay(self.look(&step.name, until)) })
            }
            Does::WaitFor { when, within, then, otherwise } => {
                let until = self.until(*within);
                if until > self.at.now {
                    let held = settled(when, self.known())? == Some(true);
                    return Ok(if held { Onward::By(THEN, then.as_deref()) } else { Onward::Stay(self.look(&step.name, until)) });
                }
                if self.held_in_time(when, until)? {
                    return Ok(Onward::By(THEN, then.as_deref()));
                }
                self.leave_unanswered(when);
                Ok(Onward::By(OTHERWISE, otherwise.as_deref()))
            }
            Does::Branch { arms, otherwise } => {
                for (number, arm) in arms.iter().enumerate() {
                    if holds(&arm.when, self.known())? {
                        return Ok(Onward::Arm(number, arm.next.as_deref()));
                    }
                }
                Ok(Onward::By(OTHERWISE, otherwise.as_deref()))
            }
            Does::Split { arms } => {
                let share = self.share(&step.name, arms.iter().map(|arm| u64::from(arm.weight)).sum());
                let mut sum = 0;
                let chosen = arms.iter().find(|arm| {
                    sum += u64::from(arm.weight);
                    share < sum
                });
                if let Some(chosen) = chosen {
                    self.note(EntryKind::Note, &step.name, &[("arm", Value::text(&chosen.name))]);
                }
                Ok(chosen.map_or(Onward::To(None), |arm| Onward::By(&arm.name, arm.next.as_deref())))
            }
            Does::SendEmail { template } => Ok(self.message(step, |step| Intent::Mail { step, template: template.clone(), survey: None })),
            Does::Survey { survey, channel, template, .. } => Ok(self.hand_out(step, survey, *channel, template.as_deref())),
            Does::Remind { of, channel, template } => match self.graph().step(of).map(|step| &step.does) {
                Some(Does::Survey { survey, .. }) if !self.happened(EventKind::Responded, of) => {
                    Ok(self.hand_out(step, survey, *channel, template.as_deref()))
                }
                // Nobody is reminded of what they have answered, or of a step that is gone.
                _ => Ok(Onward::To(next)),
            },
            Does::Engagement { engagement } => {
                self.intend(&step.name, &Intent::Join { step: step.name.clone(), engagement: engagement.clone() });
                Ok(Onward::To(next))
            }
            Does::Action { .. } | Does::CloseCta { .. } | Does::Webhook { .. } | Does::Run => {
                let fields = (*self.standing.fields).clone();
                self.intend(&step.name, &Intent::Act { step: step.name.clone(), fields });
                Ok(Onward::To(next))
            }
            Does::SetField { .. } => {
                self.set_fields(&step.name)?;
                Ok(Onward::To(next))
            }
            Does::Finish => Ok(Onward::End(ParticipantState::Completed, None)),
            Does::Drop { reason } => Ok(Onward::End(ParticipantState::Dropped, Some(reason.clone()))),
        }
    }

    /// When a wait that began when they came to their step ends.
    fn until(&self, length: Length) -> Timestamp {
        let until = self.at.calendar.after(self.standing.since, length);
        // What pauses have added to it stays.
        let grown = self.standing.due.filter(|_| self.standing.state == ParticipantState::Waiting);
        grown.map_or(until, |due| due.max(until))
    }

    /// When somebody who waits is looked at again: at the end of the wait, or earlier where the day itself may decide.
    fn look(&self, step: &str, until: Timestamp) -> Timestamp {
        let by_day = self.at.journey.dated_exit || self.at.journey.dated.contains(step);
        if by_day { until.min(self.at.tomorrow) } else { until }
    }

    /// Whether a condition held when its wait ended, however late that is looked at: what happened afterwards did not happen in time.
    fn held_in_time(&self, when: &When, until: Timestamp) -> Result<bool, Fault> {
        let facts: Vec<Fact> = self.standing.facts.iter().filter(|fact| fact.at <= until).cloned().collect();
        holds(when, Known { facts: &facts, ..self.known() })
    }

    /// Messages keep to the hours and the cap of the journey: whoever may not be written to yet waits at the step.
    fn message(&mut self, step: &'a Step, intent: impl FnOnce(String) -> Intent) -> Onward<'a> {
        let open = self.at.calendar.open(self.at.now).max(self.under_cap());
        if open > self.at.now {
            if self.standing.due.is_none_or(|due| due <= self.at.now) {
                self.note(EntryKind::Note, &step.name, &[("postponed_until", Value::Instant(open))]);
            }
            return Onward::Stay(open);
        }
        self.sent += 1;
        self.intend(&step.name, &intent(step.name.clone()));
        Onward::To(step.next.as_deref())
    }

    fn hand_out(&mut self, step: &'a Step, survey: &str, channel: Channel, template: Option<&str>) -> Onward<'a> {
        self.message(step, |step| match channel {
            Channel::Email => Intent::Mail { step, template: template.unwrap_or_default().to_owned(), survey: Some(survey.to_owned()) },
            Channel::Px => Intent::Join { step, engagement: survey.to_owned() },
        })
    }

    fn happened(&self, event: EventKind, step: &str) -> bool {
        self.standing.facts.iter().any(|fact| fact.event == event && fact.step == step)
    }

    /// When one more message keeps within the cap.
    fn under_cap(&self) -> Timestamp {
        let Some((most, length)) = self.at.journey.pace.cap else { return self.at.now };
        let since = self.at.calendar.before(self.at.now, length);
        let recent: Vec<Timestamp> = self.at.messages.iter().copied().filter(|at| *at > since && *at <= self.at.now).collect();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let all = recent.len() + self.sent;
        if all < most {
            return self.at.now;
        }
        // The one that has to be out of the window first.
        let first = recent.get(all - most).copied().unwrap_or(self.at.now);
        self.at.calendar.after(first, length)
    }

    fn set_fields(&mut self, step: &str) -> Result<(), Fault> {
        let Some(parts) = self.at.journey.steps.get(step) else { return Ok(()) };
        let today: Date = self.at.calendar.day(self.at.now);
        let mut set = Record::new();
        for map in &parts.fields {
            set.set(map.target.as_str(), compute(&map.from, &self.standing.fields, today)?);
        }
        self.standing.fields.change(|fields| set.into_iter().for_each(|(name, value)| fields.set(name, value)));
        self.fields_changed = true;
        Ok(())
    }

    /// A number below `total` that is the same whenever this participant comes to this step.
    fn share(&self, step: &str, total: u64) -> u64 {
        let hash = blake3::hash(format!("{}\u{1f}{step}\u{1f}{}", self.at.name, self.standing.key).as_bytes());
        let number = hash.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        if total == 0 { 0 } else { number % total }
    }

    fn arrive(&mut self, step: &str, detail: &[(&str, Value)]) {
        self.standing.step = Some(step.to_owned());
        self.standing.since = self.at.now;
        self.standing.due = None;
        self.standing.state = ParticipantState::Active;
        self.note(EntryKind::Moved, step, detail);
    }

    /// The step is gone: nobody is lost, somebody looks.
    fn park(&mut self) {
        let step = self.standing.step.clone().unwrap_or_default();
        self.standing.state = ParticipantState::Parked;
        self.standing.due = None;
        self.standing.reason = Some(format!("the step \"{step}\" is gone"));
        self.note(EntryKind::Parked, &step, &[]);
    }

    fn end(&mut self, state: ParticipantState, reason: Option<String>) {
        self.end_with(state, reason, &[]);
    }

    fn end_with(&mut self, state: ParticipantState, reason: Option<String>, more: &[(&str, Value)]) {
        let step = self.standing.step.clone().unwrap_or_default();
        let mut detail = vec![("state", Value::text(state.word()))];
        detail.extend(more.iter().cloned());
        detail.extend(reason.iter().map(|reason| ("reason", Value::text(reason))));
        self.note(EntryKind::Ended, &step, &detail);
        self.standing.state = state;
        self.standing.due = None;
        self.standing.reason = reason;
        self.standing.ended = Some(self.at.now);
    }

    /// Whoever goes down the negative path without having responded leaves the survey's audience (B15).
    fn leave_unanswered(&mut self, when: &When) {
        let surveys: Vec<String> = when.atoms().into_iter().filter_map(asked_of).map(ToOwned::to_owned).collect();
        for step in surveys {
            self.leave(&step);
        }
    }

    /// The same for whoever is taken out.
    fn leave_surveys(&mut self) {
        let reached: Vec<String> =
            self.graph().steps.iter().filter(|step| matches!(step.does, Does::Survey { .. })).map(|step| step.name.clone()).collect();
        for step in reached {
            if self.happened(EventKind::Sent, &step) {
                self.leave(&step);
            }
        }
    }

    fn leave(&mut self, survey_step: &str) {
        let Some(survey) = shown_in_px(self.graph(), &self.standing.facts, survey_step) else { return };
        if !self.happened(EventKind::Responded, survey_step) {
            let intent = Intent::Leave { step: survey_step.to_owned(), engagement: survey.to_owned() };
            self.intend(survey_step, &intent);
        }
    }

    fn known(&self) -> Known<'_> {
        Known { fields: &self.standing.fields, facts: &self.standing.facts, calculated: &self.at.journey.calculated, zone: self.at.calendar.zone() }
    }

    fn note(&mut self, kind: EntryKind, step: &str, detail: &[(&str, Value)]) {
        let detail = detail.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        let step = (!step.is_empty()).then(|| step.to_owned());
        self.entries.push(Entry { at: self.at.now, kind: kind.word().to_owned(), step, detail });
    }

    /// The key names this very visit of the step: a retry after a crash finds it taken, a second visit does not.
    fn intend(&mut self, step: &str, intent: &Intent) {
        let (id, visit) = (self.standing.id, self.at.now.as_microsecond());
        let key = format!("{}/{id}/{step}/{visit}/{}", self.at.name, self.intents.len());
        self.intents.push(NewIntent {
            key,
            participant: id,
            journey: self.at.name.to_owned(),
            step: step.to_owned(),
            intent: intent.text(),
            at: self.at.now,
            not_before: self.at.now,
        });
    }
}

/// The step that a condition waits for an answer of.
fn asked_of(atom: &When) -> Option<&str> {
    match atom {
        When::Event { event: EventKind::Responded, step } | When::Score { step, .. } => Some(step),
        _ => None,
    }
}
