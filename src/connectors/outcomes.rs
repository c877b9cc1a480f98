//! What became of each row of a write, gathered from batches that end in any order.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Fault, FaultKind, RowOutcome};

pub(super) const fn written(id: Option<String>, created: bool) -> RowOutcome {
    RowOutcome { id, created, fault: None }
}

pub(super) const fn failed(fault: Fault) -> RowOutcome {
    RowOutcome { id: None, created: false, fault: Some(fault) }
}

/// One outcome per row, in order.
pub(super) struct Outcomes {
    rows: Vec<Option<RowOutcome>>,
    /// Something was answered row by row, so the write as a whole has not failed.
    answered: bool,
    halt: Halt,
}

/// Why no further batch is worth trying: shared by the batches of one write.
#[derive(Clone, Default)]
pub(super) struct Halt(Arc<Mutex<Option<Fault>>>);

impl Halt {
    pub(super) fn get(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After a fault that every other batch would meet too.
    pub(super) fn set_if_systemic(&self, fault: &Fault) {
        let lost = fault.code.as_deref() == Some("UNKNOWN_OUTCOME");
        let systemic = matches!(
            fault.kind,
            FaultKind::Denied | FaultKind::LimitExceeded | FaultKind::RateLimited | FaultKind::Unavailable | FaultKind::Interrupted
        );
        if systemic && !lost {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| fault.clone());
        }
    }
}

impl Outcomes {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows: vec![None; rows], answered: false, halt: Halt::default() }
    }

    pub(super) fn halt(&self) -> Halt {
        self.halt.clone()
    }

    pub(super) fn halted(&self) -> bool {
        self.halt.get().is_some()
    }

    /// The rows at those places came to this: each to its own outcome, or all to one fault.
    pub(super) fn put(&mut self, places: impl Iterator<Item = usize>, result: Result<Vec<RowOutcome>, Fault>) {
        match result {
            Ok(outcomes) => {
                self.answered = true;
                for (at, outcome) in places.zip(outcomes) {
                    self.rows[at] = Some(outcome);
                }
            }
            Err(fault) => {
                self.answered |= fault.code.as_deref() == Some("UNKNOWN_OUTCOME");
                for at in places {
                    self.rows[at] = Some(failed(fault.clone()));
                }
            }
        }
    }

    /// The row at that place came to this.
    pub(super) fn set(&mut self, at: usize, outcome: RowOutcome) {
        self.answered = true;
        self.rows[at] = Some(outcome);
    }

    pub(super) fn fault(&self, at: usize) -> Option<&Fault> {
        self.rows[at].as_ref()?.fault.as_ref()
    }

    /// # Errors
    /// The fault that stopped the write when no row of it was answered at all.
    pub(super) fn finish(self) -> Result<Vec<RowOutcome>, Fault> {
        if let (Some(fault), false) = (self.halt.get(), self.answered) {
            return Err(fault);
        }
        let missing = self.halt.get().unwrap_or_else(|| Fault::new(FaultKind::Interrupted, "the row was not reached"));
        Ok(self.rows.into_iter().map(|row| row.unwrap_or_else(|| failed(missing.clone()))).collect())
    }
}
