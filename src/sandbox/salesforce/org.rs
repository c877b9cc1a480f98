//! The org as a whole: its rows, its open cursors and jobs, and its sessions.

use crate::sandbox::documents::Documents;
use crate::sandbox::salesforce::auth::Sessions;
use crate::sandbox::salesforce::bulk::jobs::Jobs;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::grants;
use crate::sandbox::salesforce::ids::id_of;
use crate::sandbox::salesforce::query::Cursors;
use crate::sandbox::salesforce::seed;
use crate::sandbox::salesforce::tooling;
use crate::sandbox::server::World;
use serde_json::Map;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The daily allocation of calls.
pub(crate) const DAILY_CALLS: u64 = 15_000_000;

/// The org.
pub(crate) struct Org {
    pub(crate) world: Arc<World>,
    documents: Arc<Documents>,
    data: RwLock<Option<Data>>,
    cursors: Mutex<Cursors>,
    jobs: Mutex<Jobs>,
    sessions: Mutex<Sessions>,
    calls: AtomicU64,
}

/// Reading the rows.
pub(crate) struct Reading<'a>(RwLockReadGuard<'a, Option<Data>>);

/// Writing rows; readers wait.
pub(crate) struct Writing<'a>(RwLockWriteGuard<'a, Option<Data>>);

impl Deref for Reading<'_> {
    type Target = Data;

    fn deref(&self) -> &Data {
        // Only made by `Org::data`, which loads first.
        self.0.as_ref().unwrap_or_else(|| unreachable!("read before it was loaded"))
    }
}

impl Deref for Writing<'_> {
    type Target = Data;

    fn deref(&self) -> &Data {
        self.0.as_ref().unwrap_or_else(|| unreachable!("read before it was loaded"))
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Data {
        self.0.as_mut().unwrap_or_else(|| unreachable!("written before it was loaded"))
    }
}

/// A row that is gone when the documents were emptied from outside: then everything is read anew.
const MARKER: (&str, &str) = ("_org", "loaded");

impl Org {
    pub(crate) fn new(world: Arc<World>, documents: Arc<Documents>) -> Self {
        for (name, rows) in seed::objects(&world) {
            documents.table(name, rows);
        }
        documents.open(MARKER.0);
        Self {
            world,
            documents,
            data: RwLock::default(),
            cursors: Mutex::default(),
            jobs: Mutex::default(),
            sessions: Mutex::default(),
            calls: AtomicU64::new(0),
        }
    }

    /// The user that all calls run as.
    pub(crate) fn user_id(&self) -> String {
        self.world.company.user_id(0)
    }

    pub(crate) fn organization_id() -> String {
        id_of("00D", 1)
    }

    /// The rows for reading.
    pub(crate) fn data(&self) -> Reading<'_> {
        let guard = self.data.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() && self.is_marked() {
            return Reading(guard);
        }
        drop(guard);
        drop(self.data_mut());
        Reading(self.data.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rows for writing.
    pub(crate) fn data_mut(&self) -> Writing<'_> {
        let mut guard = self.data.write().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() || !self.is_marked() {
            *guard = Some(self.load());
        }
        Writing(guard)
    }

    fn is_marked(&self) -> bool {
        self.documents.find(MARKER.0).is_some_and(|table| table.get(MARKER.1).is_some())
    }

    fn load(&self) -> Data {
        let (schema, created) = tooling::stored_schema(&self.documents);
        let schema = if self.world.strict { schema.without_package() } else { schema };
        let company = self.world.company;
        let mut data = Data::new(schema, Arc::clone(&self.documents), |object| seed::count(&company, object), self.user_id());
        for full_name in created {
            grants::refresh(&mut data, &full_name);
        }
        // When it cannot be written the next call reads everything again: slow, not wrong.
        let _ = self.documents.insert(&self.documents.open(MARKER.0), MARKER.1, Map::new());
        data
    }

    pub(crate) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one call and says how many there were.
    pub(crate) fn count_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Whether the next row written in a batch meets a lock.
    pub(crate) fn row_is_locked(&self) -> bool {
        self.world.faults.row_is_locked("salesforce")
    }
}
