//! What a test asks, answered: its clock and its sandbox here, declarations, journeys and snapshots next door.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};

use serde_json::Value as Json;

use crate::{
    flow::journey::Calendar,
    model::{Change, Effect, Fault, FaultKind, Length, Pace, Record, Reply, System, Timestamp, Value, Write},
    script::{Asked, Bench, Perform as _},
};

use super::{declared, people, snapshots::Kept, stage::Stage};

/// The surroundings of one test.
pub(super) struct Surroundings {
    pub(super) stage: Arc<Stage>,
    pub(super) kept: Kept,
    /// Whether the sandbox's people do things by themselves.
    pub(super) lively: AtomicBool,
    /// Events that the test made up so far.
    pub(super) events: AtomicU64,
}

impl Bench for Surroundings {
    fn ask(&self, asked: Asked) -> Result<Value, Fault> {
        let stage = self.stage.as_ref();
        if stage.stop.requested() {
            return Err(Fault::new(FaultKind::Interrupted, "the test was asked to stop"));
        }
        match asked {
            Asked::Now => Ok(Value::Instant(stage.workspace.clock.now())),
            Asked::SetClock(at) => stage.set_clock(at).map(|()| Value::Null),
            Asked::TurnClock(length) => stage.set_clock(after(stage, length)).map(|()| Value::Null),
            Asked::Insert { system, object, record } => insert(stage, system, object, record),
            Asked::Documents { system, object } => {
                let path = format!("/_sandbox/documents/{}", percent_encoding::utf8_percent_encode(&object, percent_encoding::NON_ALPHANUMERIC));
                stage.ask(system.name(), &path, None).map(value)
            }
            Asked::Requests { system } => stage.ask(system.name(), "/_sandbox/requests", None).map(value),
            Asked::Inbox => stage.ask("mail", "/inbox", None).map(value),
            Asked::Faults(list) => stage.ask("salesforce", "/_sandbox/faults", Some(&Json::String(list))).map(|_| Value::Null),
            Asked::Behave { system, settings } => self.behave(system, &settings),
            Asked::Run { names, date, full } => declared::run(stage, &names, date, full),
            Asked::Plan { names, date, full } => declared::plan(stage, &names, date, full),
            Asked::Transform { name, row } => declared::transform(stage, &name, &row),
            Asked::Snapshot { name, text } => self.kept.compare(&name, &text),
            Asked::Publish { journey } => people::publish(stage, &journey),
            Asked::Place { journey, person, step } => people::place(stage, &journey, person, step.as_deref()),
            Asked::Event { participant, kind, step, payload } => people::event(self, participant, &kind, &step, payload),
            Asked::Pass(length) => people::pass(self, after(stage, length)),
            Asked::Look { participant, at } => people::look(stage, participant, at),
        }
    }
}

impl Surroundings {
    pub(super) fn new(stage: Arc<Stage>, kept: Kept) -> Self {
        Self { stage, kept, lively: AtomicBool::new(false), events: AtomicU64::new(0) }
    }

    fn behave(&self, system: System, settings: &Record) -> Result<Value, Fault> {
        if !matches!(system, System::Px | System::Mail) {
            return Err(Fault::new(FaultKind::Invalid, format!("people's behaviour can be set for px and mail, not for {system}")));
        }
        let settings = serde_json::to_value(settings).unwrap_or_default();
        let answer = self.stage.ask(system.name(), "/_sandbox/behaviour", Some(&settings))?;
        self.lively.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(value(answer))
    }
}

/// So long after the test's present, in calendar days of the workspace.
fn after(stage: &Stage, length: Length) -> Timestamp {
    Calendar::new(&Pace::default(), &stage.workspace.config.timezone).after(stage.workspace.clock.now(), length)
}

/// JSON as a value of scripts.
pub(super) fn value(json: Json) -> Value {
    serde_json::from_value(json).unwrap_or_default()
}

fn insert(stage: &Stage, system: System, object: String, record: Record) -> Result<Value, Fault> {
    let rows = Arc::new(vec![Change::Insert { key: String::new(), fields: record }]);
    let garbled = || Fault::new(FaultKind::Garbled, "the system told no outcome");
    match stage.perform(Effect::Write(Write { system, object, rows }))? {
        Reply::Written(outcomes) => {
            let outcome = outcomes.into_iter().next().ok_or_else(garbled)?;
            outcome.fault.map_or_else(|| Ok(outcome.id.map_or(Value::Null, Value::text)), Err)
        }
        _ => Err(garbled()),
    }
}
