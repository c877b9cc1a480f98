//! One row: its seeded fields with the written ones on top. Cheap to copy, and unaffected by later writes.

use std::{borrow::Cow, fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{Seed, cell::Cells};

/// One row as it was when it was read.
#[derive(Clone)]
pub struct Row {
    pub(super) seed: Arc<dyn Seed>,
    pub(super) origin: Origin,
    pub(super) position: u64,
    pub(super) cells: Option<Cells>,
}

/// Who made the row.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The index among the seeded rows.
    Seeded(u64),
    /// The id it was inserted with.
    Inserted(Arc<str>),
}

impl Row {
    /// The row's id.
    pub fn id(&self) -> Cow<'_, str> {
        match &self.origin {
            Origin::Seeded(index) => Cow::Owned(self.seed.id(*index)),
            Origin::Inserted(id) => Cow::Borrowed(id),
        }
    }

    /// The index among the seeded rows; none when it was inserted.
    pub fn index(&self) -> Option<u64> {
        match self.origin {
            Origin::Seeded(index) => Some(index),
            Origin::Inserted(_) => None,
        }
    }

    /// Where the row stands in the table's order; `Table::scan_from` with a greater one goes on after it.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// A field's value; null when it has none.
    pub fn get(&self, field: &str) -> Cow<'_, Value> {
        if let Some(written) = self.written(field) {
            return written;
        }
        Cow::Owned(self.index().and_then(|index| self.seed.field(index, field)).unwrap_or(Value::Null))
    }

    /// A field's written value; none when it was never written.
    pub fn written(&self, field: &str) -> Option<Cow<'_, Value>> {
        self.cells.as_deref()?.iter().find(|(name, _)| **name == *field).map(|(_, cell)| cell.value())
    }

    /// A field's value as nobody wrote it; null when it has none.
    pub fn seeded(&self, field: &str) -> Value {
        self.index().and_then(|index| self.seed.field(index, field)).unwrap_or(Value::Null)
    }

    /// The names of the fields that were written.
    pub fn written_fields(&self) -> impl Iterator<Item = &str> {
        self.cells.as_deref().unwrap_or_default().iter().map(|(name, _)| name.as_ref())
    }

    /// The names of all fields, seeded ones first.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let seeded = if self.index().is_some() { self.seed.fields() } else { &[] };
        seeded.iter().copied().chain(self.written_fields().filter(move |name| !seeded.contains(name)))
    }

    /// All fields, seeded ones first. A dot in a name makes an object.
    pub fn document(&self) -> Map<String, Value> {
        let mut document = Map::new();
        for field in self.fields() {
            put(&mut document, field, self.get(field).into_owned());
        }
        document
    }
}

/// Puts a value at a dotted place.
fn put(document: &mut Map<String, Value>, field: &str, value: Value) {
    match field.split_once('.') {
        None => {
            document.insert(field.to_owned(), value);
        }
        Some((group, rest)) => {
            if let Value::Object(group) = document.entry(group).or_insert_with(|| Map::new().into()) {
                put(group, rest, value);
            }
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Row").field("id", &self.id()).field("written", &self.cells).finish_non_exhaustive()
    }
}
