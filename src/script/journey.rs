//! `journey(name, #{..})` as data: who takes part, the flow, and what of its steps is no plain data.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Graph, Pace, ProgramModel, Record, Reentry, Source, When};

use super::{
    Closure,
    declaration::{Action, FieldMap, Place},
    rows::Rows,
};

/// A declared journey. The declaration's schedule tells how often participants are looked for.
#[derive(Debug, Clone)]
pub struct Journey {
    pub model: ProgramModel,
    /// What the program is filed under (B3).
    pub program_type: Option<String>,
    pub folder: Option<String>,
    pub participants: Participants,
    /// Participant fields that tell one participation from another: nobody takes part twice with the same values.
    pub unique_on: Vec<String>,
    pub reentry: Reentry,
    /// Calculated fields, each from the participant's record.
    pub calculated: Vec<(String, Closure)>,
    pub graph: Graph,
    /// By the step's name: what of it is no plain data. Every step of the graph has an entry.
    pub steps: BTreeMap<String, StepParts>,
    /// Who meets it leaves the journey, wherever they stand.
    pub exit: Option<When>,
    /// Waits whose condition may be decided by the day, and whether the exit may: filled in with the rule date.
    pub dated: BTreeSet<String>,
    pub dated_exit: bool,
    pub pace: Pace,
    pub identity: Identity,
}

/// Where people come from. A participant's record has the source's own fields and their one spelling (`model::with_aliases`),
/// then the computed ones.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one of them in a journey")]
pub enum Participants {
    Source {
        source: Source,
        rows: Rows,
        /// Further fields of the participant's record.
        computed: Vec<FieldMap>,
    },
    /// Written down in the script.
    List(Vec<Record>),
}

impl Participants {
    /// What is read to find them; none for a list. Conditions that the closure filter states plainly go along, so that a system need not hand
    /// out everybody.
    pub fn reading(&self) -> Option<Source> {
        let Self::Source { source, rows, .. } = self else { return None };
        let mut source = source.clone();
        if let Source::Object(query) = &mut source {
            query.limit = rows.asked();
            query.demands = rows.keep.iter().flat_map(Closure::demands).collect();
        }
        Some(source)
    }

    /// How many people are looked for at most.
    pub fn limit(&self) -> u64 {
        match self {
            Self::Source { rows, .. } => rows.limit.unwrap_or(u64::MAX),
            Self::List(_) => u64::MAX,
        }
    }
}

/// Which participant fields say who somebody is, dotted paths allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where mail goes.
    pub email: String,
    /// The PX user id (B8).
    pub px_id: String,
    /// The company: for calls to action, scores and loads.
    pub company: String,
}

/// What of a step is no plain data.
#[derive(Debug, Clone, Default)]
pub struct StepParts {
    /// Of `create_cta`, `set_score`, `load_to_...`: its row is the participant's record.
    pub action: Option<Action>,
    /// Of `set_field`.
    pub fields: Vec<FieldMap>,
    /// Of `run`: called with the participant's record.
    pub run: Option<Closure>,
    /// What a template is given besides the participant.
    pub data: Vec<FieldMap>,
    /// Of `webhook`: the fields of the JSON body; empty for the whole record.
    pub body: Vec<FieldMap>,
    pub place: Place,
}

impl Journey {
    /// The parts of a step.
    pub fn parts(&self, step: &str) -> Option<&StepParts> {
        self.steps.get(step)
    }
}
