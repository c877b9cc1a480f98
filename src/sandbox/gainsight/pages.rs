//! Pages of one query: each begins where the one before ended, so that reading a million rows looks at each of them once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// How many places are remembered at a time.
const REMEMBERED: usize = 64;
/// How many sorted orders are kept.
const ORDERS: usize = 4;

/// One query but for the place its page begins at.
pub(super) type QueryKey = u64;

#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    changes: HashMap<&'static str, Changes>,
    places: VecDeque<Place>,
    orders: VecDeque<Order>,
}

/// How often rows of an object were written, and how often some went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Changes {
    writes: u64,
    deletes: u64,
}

/// Where the page at an offset begins; void once rows went.
#[derive(Debug)]
struct Place {
    query: QueryKey,
    offset: u64,
    position: u64,
    deletes: u64,
}

/// The rows of a sorted query by the numbers of their ids; void once anything was written.
#[derive(Debug)]
struct Order {
    query: QueryKey,
    rows: Arc<Vec<u64>>,
    at: Changes,
}

impl Pages {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position in the table at which this page begins, if the page before it was asked for.
    pub(super) fn place(&self, object: &'static str, query: QueryKey, offset: u64) -> Option<u64> {
        let state = self.state();
        let deletes = state.changes.get(object).map_or(0, |changes| changes.deletes);
        state.places.iter().find(|place| place.query == query && place.offset == offset && place.deletes == deletes).map(|place| place.position)
    }

    pub(super) fn remember(&self, object: &'static str, query: QueryKey, offset: u64, position: u64) {
        let mut state = self.state();
        let deletes = state.changes.get(object).map_or(0, |changes| changes.deletes);
        state.places.push_front(Place { query, offset, position, deletes });
        state.places.truncate(REMEMBERED);
    }

    /// Rows of the object were written, perhaps deleted.
    pub(super) fn changed(&self, object: &'static str, deleted: bool) {
        let mut state = self.state();
        let changes = state.changes.entry(object).or_default();
        changes.writes += 1;
        changes.deletes += u64::from(deleted);
    }

    /// The order that an earlier page of this query was taken from.
    pub(super) fn order(&self, object: &'static str, query: QueryKey) -> Option<Arc<Vec<u64>>> {
        let state = self.state();
        let now = state.changes.get(object).copied().unwrap_or_default();
        state.orders.iter().find(|order| order.query == query && order.at == now).map(|order| Arc::clone(&order.rows))
    }

    pub(super) fn keep_order(&self, object: &'static str, query: QueryKey, rows: Arc<Vec<u64>>) {
        let mut state = self.state();
        let at = state.changes.get(object).copied().unwrap_or_default();
        state.orders.retain(|order| order.query != query);
        state.orders.push_front(Order { query, rows, at });
        state.orders.truncate(ORDERS);
    }
}
