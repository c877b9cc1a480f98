//! A script's closure, callable from any thread with what its file knows.

use crate::model::{Fault, FaultKind, Record, Value};

use super::Place;

/// A closure and what it needs to run: its file's functions, constants and imports, its captured values frozen.
#[derive(Debug, Clone)]
pub struct Closure {
    place: Place,
}

impl Closure {
    /// Where it is written.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The fields of its row that it reads; none when it may read any.
    pub fn reads(&self) -> Option<&[String]> {
        None
    }

    /// Calls it with one row. It is pure: an effect inside is a fault.
    pub fn call_row(&self, _row: &Record) -> Result<Value, Fault> {
        Err(Fault::new(FaultKind::Script, "closures are not there yet"))
    }
}
