//! The rows of the org: reading a field of a row, following references, finding rows by value, and noticing what was written.

use crate::sandbox::company::ids::INSERTED;
use crate::sandbox::documents::{Documents, Row, Table};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::derived;
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::schema::{CREATED, CREATED_BY, ID, IS_DELETED, Kind, MODIFIED, MODIFIED_BY, STAMP, Schema};
use crate::sandbox::salesforce::soql::plan::{Bound, Hop};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// Numbers of the rows with a value, by the value's hash.
type Index = BTreeSet<(u64, u64)>;

/// The schema and the rows of all its objects.
pub(crate) struct Data {
    pub(crate) schema: Schema,
    pub(crate) documents: Arc<Documents>,
    tables: Vec<Arc<Table>>,
    /// How many seeded rows each object has.
    seeded: Vec<u64>,
    /// By object and field, made when first asked for.
    indexes: Mutex<HashMap<(usize, usize), Index>>,
    /// For each object: how many rows are in the recycle bin, and the number of the next inserted row.
    counts: Vec<Counts>,
    /// Who created and changed the rows that do not say.
    pub(crate) user: String,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    deleted: u64,
    next: u64,
}

impl Data {
    /// The rows of these documents under this schema; tables that are missing are made without seeded rows.
    pub(crate) fn new(schema: Schema, documents: Arc<Documents>, seeded: impl Fn(&str) -> u64, user: String) -> Self {
        let seeded = schema.objects.iter().map(|object| seeded(&object.name)).collect();
        let tables: Vec<_> = schema.objects.iter().map(|object| documents.open(&object.name)).collect();
        let counts = schema.objects.iter().zip(&tables).map(|(object, table)| counted(&object.prefix, table)).collect();
        Self { schema, documents, tables, seeded, indexes: Mutex::default(), counts, user }
    }

    pub(crate) fn table(&self, object: usize) -> &Arc<Table> {
        &self.tables[object]
    }

    /// The rows from a number on, in the order of their ids.
    pub(crate) fn scan_from(&self, object: usize, number: u64) -> impl Iterator<Item = Row> + use<> {
        let position = if number >= INSERTED { self.seeded[object] } else { number.saturating_sub(1) };
        self.tables[object].scan_from(position)
    }

    /// How many rows there are outside the recycle bin.
    pub(crate) fn live(&self, object: usize) -> u64 {
        self.tables[object].len().saturating_sub(self.counts[object].deleted)
    }

    /// Whether no row of an object is in the recycle bin.
    pub(crate) fn nothing_deleted(&self, object: usize) -> bool {
        self.counts[object].deleted == 0
    }

    /// A free id for a new row.
    pub(crate) fn new_id(&mut self, object: usize) -> String {
        let next = self.counts[object].next.max(INSERTED);
        self.counts[object].next = next + 1;
        ids::id_of(&self.schema.objects[object].prefix, next)
    }

    /// The row with an 18-character id, also one in the recycle bin.
    pub(crate) fn row(&self, object: usize, id: &str) -> Option<Row> {
        self.tables[object].get(id)
    }

    /// The row behind a number of its id.
    pub(crate) fn numbered(&self, object: usize, number: u64) -> Option<Row> {
        match number.checked_sub(1) {
            Some(index) if number < INSERTED => self.tables[object].at(index),
            _ => self.row(object, &ids::id_of(&self.schema.objects[object].prefix, number)),
        }
    }

    /// The number of a row's id.
    pub(crate) fn number(&self, object: usize, row: &Row) -> u64 {
        row.index().map_or_else(|| ids::number_of(&self.schema.objects[object].prefix, &row.id()).unwrap_or(0), |index| index + 1)
    }

    /// Whether a row is in the recycle bin.
    pub(crate) fn is_deleted(row: &Row) -> bool {
        matches!(row.written("IsDeleted").as_deref(), Some(Value::Bool(true)))
    }

    /// A field of a row.
    pub(crate) fn cell(&self, object: usize, row: &Row, place: usize) -> Cell {
        let by_default = |name: &str, kind| {
            let cell = Cell::load(&row.get(name), kind);
            if cell.is_null() { Cell::text(&self.user) } else { cell }
        };
        match place {
            ID => Cell::text(&row.id()),
            IS_DELETED => Cell::Bool(Self::is_deleted(row)),
            CREATED => Cell::load(&row.get("CreatedDate"), Kind::Datetime),
            CREATED_BY => by_default("CreatedById", Kind::Reference),
            MODIFIED_BY => by_default("LastModifiedById", Kind::Reference),
            MODIFIED | STAMP => match row.get("LastModifiedDate").as_ref() {
                Value::Null => Cell::load(&row.get("CreatedDate"), Kind::Datetime),
                written => Cell::load(written, Kind::Datetime),
            },
            _ => {
                let field = &self.schema.objects[object].fields[place];
                if field.derived {
                    return derived::cell(self, object, row, &field.name);
                }
                Cell::load(&row.get(&field.name), field.kind)
            }
        }
    }

    /// A field of a row by its name; null when there is no such field.
    pub(crate) fn named(&self, object: usize, row: &Row, name: &str) -> Cell {
        self.schema.objects[object].place(name).map_or(Cell::Null, |place| self.cell(object, row, place))
    }

    /// The row a reference field points at, unless it is gone.
    pub(crate) fn parent(&self, object: usize, row: &Row, hop: Hop) -> Option<Row> {
        let id = self.cell(object, row, hop.field);
        self.row(hop.object, id.as_text()?)
    }

    /// The value of an expression for one row; aggregates have none.
    pub(crate) fn value(&self, object: usize, row: &Row, expr: &Bound) -> Cell {
        match expr {
            Bound::Field { hops, field, .. } if hops.is_empty() => self.cell(object, row, *field),
            Bound::Field { hops, field, .. } => self.follow(object, row, hops).map_or(Cell::Null, |(object, row)| self.cell(object, &row, *field)),
            Bound::ParentType { hops } => match self.follow(object, row, hops) {
                Some((object, _)) => Cell::text(&self.schema.objects[object].name),
                None => Cell::Null,
            },
            Bound::Date(function, inner) => derived::date_part(*function, &self.value(object, row, inner)),
            Bound::Text(inner) => derived::formatted(&self.value(object, row, inner), inner.kind()),
            Bound::Address { .. } | Bound::Aggregate(..) | Bound::Grouping(_) => Cell::Null,
        }
    }

    /// The row at the end of some steps to parents.
    pub(crate) fn follow(&self, object: usize, row: &Row, hops: &[Hop]) -> Option<(usize, Row)> {
        let mut at = (object, row.clone());
        for hop in hops {
            at = (hop.object, self.parent(at.0, &at.1, *hop)?);
        }
        Some(at)
    }

    /// Whether rows are found by a field's value without looking at all of them.
    pub(crate) fn is_indexed(&self, object: usize, place: usize) -> bool {
        let field = &self.schema.objects[object].fields[place];
        !field.derived && (field.kind == Kind::Reference || field.id_lookup || field.unique || field.external_id) && place > STAMP
    }

    /// The numbers of the rows whose indexed field may have a value (hashes can collide), ascending.
    pub(crate) fn numbers_with(&self, object: usize, place: usize, cell: &Cell) -> Vec<u64> {
        let Some(hash) = hash(cell) else { return Vec::new() };
        let mut indexes = self.lock();
        let index = indexes.entry((object, place)).or_insert_with(|| self.build(object, place));
        index.range((hash, 0)..=(hash, u64::MAX)).map(|(_, number)| *number).collect()
    }

    /// The rows outside the recycle bin whose indexed field has exactly this value.
    pub(crate) fn rows_with(&self, object: usize, place: usize, cell: &Cell) -> Vec<Row> {
        let exact = self.schema.objects[object].fields[place].case_sensitive;
        let rows = self.numbers_with(object, place, cell).into_iter().filter_map(|number| self.numbered(object, number));
        rows.filter(|row| !Self::is_deleted(row) && same(&self.cell(object, row, place), cell, exact)).collect()
    }

    fn build(&self, object: usize, place: usize) -> Index {
        let mut pairs: Vec<_> =
            self.tables[object].scan().filter_map(|row| Some((hash(&self.cell(object, &row, place))?, self.number(object, &row)))).collect();
        pairs.sort_unstable();
        pairs.into_iter().collect()
    }

    /// Brings the indexes and counts up to date with one write.
    pub(crate) fn noticed(&mut self, object: usize, before: Option<&Row>, after: Option<&Row>) {
        let deleted = |row: Option<&Row>| i64::from(row.is_some_and(Self::is_deleted));
        let change = deleted(after) - deleted(before);
        self.counts[object].deleted = self.counts[object].deleted.saturating_add_signed(change);
        let Some(number) = before.or(after).map(|row| self.number(object, row)) else { return };
        let mut indexes = self.lock();
        for ((_, place), index) in indexes.iter_mut().filter(|((indexed, _), _)| *indexed == object) {
            let key = |row: Option<&Row>| row.and_then(|row| hash(&self.cell(object, row, *place)));
            let (old, new) = (key(before), key(after));
            if old != new {
                old.map(|hash| index.remove(&(hash, number)));
                new.map(|hash| index.insert((hash, number)));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(usize, usize), Index>> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counted(prefix: &str, table: &Arc<Table>) -> Counts {
    let mut counts = Counts::default();
    for row in table.written() {
        counts.deleted += u64::from(Data::is_deleted(&row));
        if row.index().is_none() {
            counts.next = counts.next.max(ids::number_of(prefix, &row.id()).unwrap_or(0) + 1);
        }
    }
    counts
}

/// Whether two values count as the same in a key.
pub(crate) fn same(a: &Cell, b: &Cell, exact: bool) -> bool {
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) if !exact => a.to_lowercase() == b.to_lowercase(),
        _ => a == b,
    }
}

fn hash(cell: &Cell) -> Option<u64> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => Some(xxh3_64(text.to_lowercase().as_bytes())),
        Cell::Num(number) => Some(number.to_bits()),
        Cell::Bool(flag) => Some(u64::from(*flag)),
        Cell::Date(day) => Some(day.unsigned_abs().into()),
        Cell::Datetime(ms) => Some(ms.unsigned_abs()),
        Cell::Time(ms) => Some((*ms).into()),
    }
}
