//! What a test asks of its surroundings besides effects: its clock, its sandbox, the workspace's declarations, people in journeys.

use crate::model::{Date, Fault, Length, Record, System, Timestamp, Value};

/// The surroundings of one test. Here scripts ask; the living process knows how to answer.
pub trait Bench: Send + Sync {
    /// # Errors
    /// A `Fault` that the test can catch; `Interrupted` when it ran out of time.
    fn ask(&self, asked: Asked) -> Result<Value, Fault>;
}

/// Something that only a test can ask for. What is answered stands beside each.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// What time it is -> an instant.
    Now,
    /// Sets the test's clock, and that of its sandbox -> null.
    SetClock(Timestamp),
    /// Turns them on -> null.
    TurnClock(Length),
    /// A record made by the system's own interface -> its id, or null where the system tells none.
    Insert { system: System, object: String, record: Record },
    /// Everything that a system of the sandbox stores of one object -> a list of maps.
    Documents { system: System, object: String },
    /// What a system of the sandbox was asked -> a list of `{method, path, query, status, time, fault}`.
    Requests { system: System },
    /// Every mail that was delivered -> a list of maps.
    Inbox,
    /// Faults from now on, as `SYSTEM:KIND@PROBABILITY[,...]` -> null.
    Faults(String),
    /// How the sandbox's people behave from now on -> the settings in force.
    Behave { system: System, settings: Record },
    /// Runs declarations in dependency order -> a list of summaries, one for each.
    Run { names: Vec<String>, date: Option<Date>, full: bool },
    /// What a run would change -> a list of changes.
    Plan { names: Vec<String>, date: Option<Date>, full: bool },
    /// What a declaration makes of one row -> target fields; of a rule, a list with one map for each action.
    Transform { name: String, row: Record },
    /// Compares with what is kept under the name -> null where it is the same, else the text that is kept.
    Snapshot { name: String, text: String },
    /// -> `{status, reasons}`
    Publish { journey: String },
    /// Lets a person into a journey; with a step, puts them there -> `{journey, id, key, email}`.
    Place { journey: String, person: Record, step: Option<String> },
    /// Something that happened to a participant -> null.
    Event { participant: i64, kind: String, step: String, payload: Record },
    /// Turns the clock from one thing that is due to the next -> null.
    Pass(Length),
    /// How a participant stands.
    Look { participant: i64, at: Look },
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// -> the name of the step, or null.
    Step,
    /// -> `active`, `waiting`, `completed`, `dropped`, `failed` or `parked`.
    State,
    /// -> why it failed, was dropped or parked; or null.
    Reason,
    /// -> a list of `{at, kind, step, detail}`.
    Timeline,
    /// -> a list of `{kind, step, state, ...}`.
    Effects,
    /// -> the mails in the sandbox's inbox that went to the participant.
    Mails,
}
