//! One object's rows. Readers run side by side; a writer holds them up only while it changes the rows in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Row, Seed,
    cell::{Cells, merged},
    row::Origin,
};

/// One write to one row; fields that are not named keep their values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    #[serde(rename = "i")]
    Insert(String, Map<String, Value>),
    #[serde(rename = "u")]
    Update(String, Map<String, Value>),
    #[serde(rename = "d")]
    Delete(String),
}

impl Change {
    /// The id of the row.
    pub fn id(&self) -> &str {
        match self {
            Self::Insert(id, _) | Self::Update(id, _) | Self::Delete(id) => id,
        }
    }
}

/// One object's rows.
pub struct Table {
    name: String,
    state: RwLock<State>,
}

struct State {
    seed: Arc<dyn Seed>,
    seeded: u64,
    /// Seeded rows that were written to, or (none) deleted.
    changed: HashMap<u64, Option<Cells>>,
    /// Inserted rows by the number of their insertion.
    inserted: BTreeMap<u64, (Arc<str>, Cells)>,
    by_id: HashMap<Arc<str>, u64>,
    /// The numbers of inserted rows whose ids have capitals, by the id without them.
    capitals: HashMap<String, Vec<u64>>,
    next: u64,
    names: HashSet<Arc<str>>,
}

/// How many rows a scan takes at a time.
const CHUNK: usize = 256;

impl Table {
    pub(super) fn new(name: &str, seed: Arc<dyn Seed>) -> Self {
        Self { name: name.to_owned(), state: RwLock::new(State::new(seed)) }
    }

    /// Gives a table its seeded rows; what was written to it stays.
    pub(super) fn reseed(&self, seed: Arc<dyn Seed>) {
        let mut state = self.write();
        state.seeded = existing(seed.as_ref());
        state.seed = seed;
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        let state = self.read();
        let deleted = state.changed.values().filter(|cells| cells.is_none()).count() as u64;
        state.seeded - deleted + state.inserted.len() as u64
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row with this id.
    pub fn get(&self, id: &str) -> Option<Row> {
        self.read().get(id)
    }

    /// The rows with this id in any capitals; of a seeded row, in its own or none. One may come twice.
    pub fn in_any_capitals(&self, id: &str) -> Vec<Row> {
        let (state, lower) = (self.read(), id.to_lowercase());
        let numbers = state.capitals.get(&lower).into_iter().flatten();
        let others = numbers.filter_map(|number| state.inserted.get(number).map(|(id, cells)| state.inserted_row(*number, id, cells)));
        state.get(id).into_iter().chain(state.get(&lower)).chain(others).collect()
    }

    /// The seeded row at an index, as it is now; none when it was deleted.
    pub fn at(&self, index: u64) -> Option<Row> {
        self.read().at(index)
    }

    /// All rows: the seeded ones by index, then the inserted ones in the order they came.
    pub fn scan(self: &Arc<Self>) -> Scan {
        self.scan_from(0)
    }

    /// The rows from a position on.
    pub fn scan_from(self: &Arc<Self>, position: u64) -> Scan {
        Scan { table: Arc::clone(self), next: position, held: Vec::new().into_iter() }
    }

    /// The rows that were inserted or written to.
    pub fn written(&self) -> Vec<Row> {
        let state = self.read();
        let mut changed: Vec<u64> = state.changed.iter().filter(|(_, cells)| cells.is_some()).map(|(index, _)| *index).collect();
        changed.sort_unstable();
        let seeded = changed.into_iter().filter_map(|index| state.at(index));
        seeded.chain(state.inserted.iter().map(|(number, (id, cells))| state.inserted_row(*number, id, cells))).collect()
    }

    /// The indices of the seeded rows that were deleted.
    pub fn deleted(&self) -> HashSet<u64> {
        self.read().changed.iter().filter(|(_, cells)| cells.is_none()).map(|(index, _)| *index).collect()
    }

    /// Whether rows were inserted.
    pub fn has_inserted(&self) -> bool {
        !self.read().inserted.is_empty()
    }

    /// The rows whose field has this value: quick where the seed knows the way back, else by looking at all of them.
    pub fn find(self: &Arc<Self>, field: &str, value: &Value) -> Vec<Row> {
        let seed = Arc::clone(&self.read().seed);
        let Some(seeded) = seed.find(field, value) else {
            return self.scan().filter(|row| *row.get(field) == *value).collect();
        };
        let written = self.written().into_iter().filter(|row| row.written(field).is_some_and(|written| *written == *value));
        let untouched = seeded.into_iter().filter_map(|index| self.at(index)).filter(|row| row.written(field).is_none());
        untouched.chain(written).collect()
    }

    /// Applies a change that was accepted.
    pub(super) fn apply(&self, change: Change) {
        let mut state = self.write();
        match change {
            Change::Insert(id, fields) => state.insert(&id, fields),
            Change::Update(id, fields) => state.update(&id, fields),
            Change::Delete(id) => state.delete(&id),
        }
    }

    /// Forgets everything written.
    pub(super) fn clear(&self) {
        let mut state = self.write();
        *state = State::new(Arc::clone(&state.seed));
    }

    /// How many changes lead from the seeded rows to the present ones.
    pub(super) fn written_count(&self) -> usize {
        let state = self.read();
        state.changed.len() + state.inserted.len()
    }

    /// The changes that lead from the seeded rows to the present ones, one after the other.
    pub(super) fn each_change(&self, mut take: impl FnMut(&Change) -> io::Result<()>) -> io::Result<()> {
        let state = self.read();
        let fields = |cells: &Cells| cells.iter().map(|(name, cell)| (name.as_ref().to_owned(), cell.value().into_owned())).collect();
        for (index, cells) in &state.changed {
            let id = state.seed.id(*index);
            take(&cells.as_ref().map_or_else(|| Change::Delete(id.clone()), |cells| Change::Update(id.clone(), fields(cells))))?;
        }
        state.inserted.values().try_for_each(|(id, cells)| take(&Change::Insert(id.as_ref().to_owned(), fields(cells))))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn existing(seed: &dyn Seed) -> u64 {
    (0..seed.count()).filter(|index| seed.exists(*index)).count() as u64
}

impl State {
    fn new(seed: Arc<dyn Seed>) -> Self {
        let seeded = existing(seed.as_ref());
        let (changed, inserted, by_id, names) = <(HashMap<_, _>, BTreeMap<_, _>, HashMap<_, _>, HashSet<_>)>::default();
        Self { seed, seeded, changed, inserted, by_id, capitals: HashMap::new(), next: 0, names }
    }

    /// The index of a seeded row, deleted or not.
    fn seeded_index(&self, id: &str) -> Option<u64> {
        self.seed.index(id).filter(|index| *index < self.seed.count() && self.seed.exists(*index))
    }

    fn get(&self, id: &str) -> Option<Row> {
        if let Some(row) = self.seeded_index(id).and_then(|index| self.at(index)) {
            return Some(row);
        }
        let (number, id) = self.by_id.get_key_value(id).map(|(id, number)| (*number, id))?;
        self.inserted.get(&number).map(|(_, cells)| self.inserted_row(number, id, cells))
    }

    fn at(&self, index: u64) -> Option<Row> {
        if index >= self.seed.count() || !self.seed.exists(index) {
            return None;
        }
        let cells = match self.changed.get(&index) {
            Some(None) => return None,
            Some(Some(cells)) => Some(Arc::clone(cells)),
            None => None,
        };
        Some(Row { seed: Arc::clone(&self.seed), origin: Origin::Seeded(index), position: index, cells })
    }

    fn inserted_row(&self, number: u64, id: &Arc<str>, cells: &Cells) -> Row {
        let position = self.seed.count() + number;
        Row { seed: Arc::clone(&self.seed), origin: Origin::Inserted(Arc::clone(id)), position, cells: Some(Arc::clone(cells)) }
    }

    fn merge(&mut self, before: &Cells, fields: Map<String, Value>) -> Cells {
        let names = &mut self.names;
        merged(before, fields, |name| {
            if let Some(known) = names.get(name) {
                return Arc::clone(known);
            }
            let name: Arc<str> = name.into();
            names.insert(Arc::clone(&name));
            name
        })
    }

    fn insert(&mut self, id: &str, fields: Map<String, Value>) {
        let cells = self.merge(&Arc::from([]), fields);
        let id: Arc<str> = id.into();
        self.by_id.insert(Arc::clone(&id), self.next);
        let lower = id.to_lowercase();
        if *lower != *id {
            self.capitals.entry(lower).or_default().push(self.next);
        }
        self.inserted.insert(self.next, (id, cells));
        self.next += 1;
    }

    fn update(&mut self, id: &str, fields: Map<String, Value>) {
        if let Some(index) = self.seeded_index(id).filter(|index| !matches!(self.changed.get(index), Some(None))) {
            let before = self.changed.get(&index).cloned().flatten().unwrap_or_else(|| Arc::from([]));
            let cells = self.merge(&before, fields);
            self.changed.insert(index, Some(cells));
        } else if let Some(number) = self.by_id.get(id).copied()
            && let Some((id, before)) = self.inserted.get(&number).cloned()
        {
            let cells = self.merge(&before, fields);
            self.inserted.insert(number, (id, cells));
        }
    }

    fn delete(&mut self, id: &str) {
        if let Some(number) = self.by_id.remove(id) {
            self.inserted.remove(&number);
            if let Some(numbers) = self.capitals.get_mut(&id.to_lowercase()) {
                numbers.retain(|known| *known != number);
            }
        } else if let Some(index) = self.seeded_index(id) {
            self.changed.insert(index, None);
        }
    }
}

/// The rows of a table, taken a few at a time so that writers are not held up.
pub struct Scan {
    table: Arc<Table>,
    next: u64,
    held: std::vec::IntoIter<Row>,
}

impl Iterator for Scan {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if let Some(row) = self.held.next() {
            return Some(row);
        }
        let state = self.table.read();
        let count = state.seed.count();
        let mut taken = Vec::with_capacity(CHUNK);
        while self.next < count && taken.len() < CHUNK {
            taken.extend(state.at(self.next));
            self.next += 1;
        }
        if taken.len() < CHUNK {
            let from = self.next.saturating_sub(count);
            taken.extend(state.inserted.range(from..).take(CHUNK - taken.len()).map(|(number, (id, cells))| state.inserted_row(*number, id, cells)));
            self.next = taken.last().filter(|row| row.position >= count).map_or(self.next, |row| row.position + 1);
        }
        drop(state);
        self.held = taken.into_iter();
        self.held.next()
    }
}
