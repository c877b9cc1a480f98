//! Why a piece of work stopped. A bad row is never one of these: it is counted and told.

use crate::{
    model::{Fault, FaultKind, System},
    script::Place,
    store,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("{}", list(.0))]
    Fields(Vec<FieldProblem>),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the run was stopped")]
    Interrupted,
}

/// A target field that cannot be written as the script asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{system} {object}.{field} ({place}): {reason}")]
pub struct FieldProblem {
    pub system: System,
    pub object: String,
    pub field: String,
    pub place: Place,
    pub reason: String,
}

fn list(problems: &[FieldProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// The fault that scripts, JSON and exit codes are made of.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Fault(fault) => fault.clone(),
            Self::Fields(problems) => {
                let fault = Fault::new(FaultKind::Invalid, self.to_string());
                problems.first().map_or(fault.clone(), |first| fault.field(first.field.clone()))
            }
            Self::Store(error) => Fault::new(FaultKind::State, error.to_string()),
            Self::Interrupted => Fault::new(FaultKind::Interrupted, self.to_string()),
        }
    }
}
