//! What became of intents, gathered and written in one transaction: the outbox, what it means for the participant, the log of messages.

use std::{collections::HashSet, mem::take};

use jiff::SignedDuration;

use crate::{
    flow::Error,
    model::{EventKind, Fault, FaultKind, Record, Timestamp, Value},
    store::{Fate, NewEvent, ParticipantId, Settled},
};

use super::{
    deliver::{Delivered, Due},
    pass::Pass,
};

/// Tries before an intent is given up: with doubling pauses, about two days.
const TRIES: u32 = 12;
/// The first pause.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The longest one.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// Outcomes on their way to the state file.
pub(super) struct Settling<'a> {
    pass: &'a Pass<'a>,
    delivered: &'a mut Delivered,
    rows: Vec<Settled>,
    held: HashSet<ParticipantId>,
    interrupted: bool,
}

impl<'a> Settling<'a> {
    pub(super) fn new(pass: &'a Pass<'a>, delivered: &'a mut Delivered) -> Self {
        Self { pass, delivered, rows: Vec::new(), held: HashSet::new(), interrupted: false }
    }

    /// What became of an intent that its participant's journey is told of.
    pub(super) fn outcome(&mut self, due: &Due, step: &str, outcome: Result<Record, Fault>) {
        self.message(due, step, outcome, None);
    }

    /// The same for one that may have brought a message to somebody.
    pub(super) fn message(&mut self, due: &Due, step: &str, outcome: Result<Record, Fault>, messaged: Option<String>) {
        let Some(fate) = self.fate(due, outcome) else { return };
        let event = match &fate {
            Fate::Sent(detail) => Some((EventKind::Sent, detail.clone())),
            Fate::Later(..) | Fate::Dropped(_) => None,
            Fate::GaveUp(fault) => Some((refusal(fault), [("reason".into(), Value::text(fault.to_string()))].into_iter().collect())),
        };
        let event = event.map(|(kind, payload)| happened(self.pass, due, kind, step, payload));
        self.rows.push(Settled { intent: due.stored.id, fate, event, messaged });
    }

    /// Leaving is nothing that a journey waits for.
    pub(super) fn left(&mut self, due: &Due, outcome: Result<(), Fault>) {
        if let Some(fate) = self.fate(due, outcome.map(|()| Record::new())) {
            self.rows.push(Settled { intent: due.stored.id, fate, event: None, messaged: None });
        }
    }

    /// An intent whose reason is gone.
    pub(super) fn dropped(&mut self, intent: i64, why: &str) {
        self.rows.push(Settled { intent, fate: Fate::Dropped(why.to_owned()), event: None, messaged: None });
    }

    /// An intent that nothing can come of any more.
    pub(super) fn lost(&mut self, intent: i64, fault: Fault) {
        self.delivered.refused += 1;
        self.rows.push(Settled { intent, fate: Fate::GaveUp(fault), event: None, messaged: None });
    }

    /// Writes what was gathered.
    ///
    /// # Errors
    /// When the state file fails; `Interrupted` when one of them was, once the others are written.
    pub(super) fn keep(&mut self) -> Result<(), Error> {
        self.pass.store.settle(&take(&mut self.rows), self.pass.now)?;
        if self.interrupted { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Whose intent is tried again later: what they asked for after it waits.
    pub(super) fn held(self) -> HashSet<ParticipantId> {
        self.held
    }

    /// None for one that was interrupted: it stays as it is.
    fn fate(&mut self, due: &Due, outcome: Result<Record, Fault>) -> Option<Fate> {
        match outcome {
            Ok(detail) => {
                self.delivered.done += 1;
                Some(Fate::Sent(detail))
            }
            Err(fault) if fault.kind == FaultKind::Interrupted => {
                self.interrupted = true;
                None
            }
            Err(fault) if may_pass(&fault) && due.stored.attempts + 1 < TRIES => {
                self.delivered.later += 1;
                self.held.insert(due.participant.id);
                Some(Fate::Later(again(self.pass.now, due.stored.attempts, &fault), fault))
            }
            Err(fault) => {
                self.delivered.refused += 1;
                Some(Fate::GaveUp(fault))
            }
        }
    }
}

fn may_pass(fault: &Fault) -> bool {
    // A system may let us in tomorrow; what tabi.toml does not allow is refused for good.
    let by_system = fault.kind == FaultKind::Denied && fault.system.is_some();
    fault.is_transient() || by_system || fault.kind == FaultKind::LimitExceeded
}

fn refusal(fault: &Fault) -> EventKind {
    let bounced = fault.code.as_deref().is_some_and(|code| code.starts_with("550") || code.starts_with("5.1"));
    if bounced { EventKind::Bounced } else { EventKind::Failed }
}

/// Doubling pauses, and never before the system wants to be asked again.
fn again(now: Timestamp, attempts: u32, fault: &Fault) -> Timestamp {
    let doubled = PAUSE.checked_mul(1_i32.checked_shl(attempts.min(20)).unwrap_or(i32::MAX)).unwrap_or(LONGEST).min(LONGEST);
    let asked = fault.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or_default();
    now.saturating_add(doubled.max(asked)).unwrap_or(now)
}

/// Something that this program itself saw happen.
fn happened(pass: &Pass<'_>, due: &Due, kind: EventKind, step: &str, payload: Record) -> NewEvent {
    let key = format!("{}/{}", due.stored.key, kind.word());
    NewEvent { key, participant: due.participant.id, kind, step: step.to_owned(), at: pass.now, received: pass.now, payload }
}
