//! All that the calls share: tables, settings, indexes, and the one way in which rows are written.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Map, Value};

use super::{
    answer::{Refused, invalid, oops},
    auth::Tokens,
    export::Jobs,
    filter::Times,
    index::{Indexes, Note},
    limits::Counters,
    objects::{OBJECTS, Object},
    pages::Pages,
    seed,
    values::Dates,
};
use crate::sandbox::{
    company::ids,
    documents::{Change, Documents, Nothing, Row, Seed, Table},
    server::World,
};

/// What the articles leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settings {
    /// Rows as `data` itself instead of under `data.records`.
    pub(super) bare_list: bool,
    pub(super) dates: Dates,
    pub(super) times: Times,
    pub(super) limits: bool,
}

/// One Gainsight tenant.
pub(super) struct Tenant {
    pub(super) world: Arc<World>,
    documents: Arc<Documents>,
    tables: BTreeMap<&'static str, Stored>,
    /// Custom objects that somebody made in Data Management, where there are none by themselves.
    made: Arc<Table>,
    settings: RwLock<Settings>,
    pub(super) tokens: Tokens,
    pub(super) counters: Counters,
    pub(super) indexes: Indexes,
    pub(super) pages: Pages,
    pub(super) jobs: Jobs,
    /// The number of the last row that was inserted, by object.
    last: Mutex<HashMap<&'static str, u64>>,
    /// Held from the first look at a row to its write.
    writing: Mutex<()>,
    requests: AtomicU64,
}

struct Stored {
    table: Arc<Table>,
    seed: Box<dyn Seed>,
}

impl Tenant {
    pub(super) fn new(world: &Arc<World>, documents: &Arc<Documents>) -> Self {
        let tables = OBJECTS.iter().map(|object| (object.name, stored(object, world, documents))).collect();
        Self {
            world: Arc::clone(world),
            documents: Arc::clone(documents),
            tables,
            made: documents.table("custom_object", Nothing),
            settings: RwLock::default(),
            tokens: Tokens::default(),
            counters: Counters::default(),
            indexes: Indexes::default(),
            pages: Pages::default(),
            jobs: Jobs::default(),
            last: Mutex::default(),
            writing: Mutex::default(),
            requests: AtomicU64::new(1),
        }
    }

    /// The object of a name, as far as this tenant has it: a new one has no custom objects.
    pub(super) fn object(&self, name: &str) -> Option<&'static Object> {
        super::objects::object(name).filter(|object| self.has(object))
    }

    pub(super) fn has(&self, object: &Object) -> bool {
        !self.world.strict || object.kind != "CUSTOM" || self.made.get(object.name).is_some()
    }

    /// Somebody makes a custom object in Data Management: one of those this sandbox knows.
    pub(super) fn make(&self, name: &str) -> Result<&'static Object, Refused> {
        let known = super::objects::object(name).filter(|object| object.kind == "CUSTOM");
        let object = known.ok_or_else(|| invalid(format!("no such custom object: {name}")))?;
        if self.made.get(object.name).is_none() {
            self.documents.insert(&self.made, object.name, Map::new()).map_err(|_| oops())?;
        }
        Ok(object)
    }

    /// Rows that were not written.
    pub(super) fn seed(&self, object: &Object) -> &dyn Seed {
        self.stored(object).seed.as_ref()
    }

    pub(super) fn table(&self, object: &Object) -> &Arc<Table> {
        &self.stored(object).table
    }

    fn stored(&self, object: &Object) -> &Stored {
        // Every object of the catalogue was given one in `new`.
        &self.tables[object.name]
    }

    pub(super) fn get(&self, object: &Object, id: &str) -> Option<Row> {
        self.table(object).get(id)
    }

    pub(super) fn settings(&self) -> Settings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut settings);
        *settings
    }

    /// Taken by every call that writes: what it looked at stays so until it has written.
    pub(super) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other call has, in the form of a UUID.
    pub(super) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let drawn = self.world.company.draw(900, number, 0);
        format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{number:012x}", drawn >> 32, (drawn >> 16) & 0xffff, drawn & 0xfff, (drawn >> 12) & 0xfff)
    }

    /// The id of a row to be inserted; greater than all before it.
    pub(super) fn new_id(&self, object: &Object) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let number = last.entry(object.name).or_insert_with(|| self.last_inserted(object));
        *number += 1;
        ids::gainsight(object.prefix, *number)
    }

    fn last_inserted(&self, object: &Object) -> u64 {
        let written = self.table(object).written();
        let inserted = written.iter().filter(|row| row.index().is_none());
        inserted.filter_map(|row| ids::gainsight_number(object.prefix, &row.id())).max().unwrap_or(ids::INSERTED)
    }

    /// Writes all of it or nothing.
    pub(super) fn write(&self, changes: Vec<(&'static Object, Change)>) -> Result<(), Refused> {
        let notes: Vec<Note> = changes.iter().filter_map(|(object, change)| Note::of(object, change)).collect();
        let touched: Vec<(&'static str, bool)> = changes.iter().map(|(object, change)| (object.name, matches!(change, Change::Delete(_)))).collect();
        let written = self.documents.write_all(changes.into_iter().map(|(object, change)| (self.table(object).as_ref(), change)));
        written.map_err(|_| oops())?;
        for note in &notes {
            self.indexes.note(note);
        }
        for (object, deleted) in touched {
            self.pages.changed(object, deleted);
        }
        Ok(())
    }

    /// The moment and the user of a write.
    pub(super) fn stamp(&self, fields: &mut Map<String, Value>, object: &Object, created: bool) {
        let now = self.world.clock.now_ms();
        let user = self.world.company.user_gsid(0);
        let mut set = |name: &str, value: Value| {
            if object.field(name).is_some() {
                fields.insert(name.to_owned(), value);
            }
        };
        set("ModifiedDate", now.into());
        set("LastModifiedDate", now.into());
        set("ModifiedBy", user.clone().into());
        if created {
            set("CreatedDate", now.into());
            set("CreatedBy", user.into());
        }
    }

    /// The id of a choice by its id or its label, in whatever capitals.
    pub(super) fn choice(&self, category: &str, text: &str) -> Option<String> {
        let object = super::objects::object("da_picklist")?;
        let same = |row: &Row| {
            *row.get("Category") == *category && (row.id() == text || row.get("Name").as_str().is_some_and(|name| name.eq_ignore_ascii_case(text)))
        };
        self.table(object).scan().find(same).map(|row| row.id().into_owned())
    }

    /// The choices of a dropdown as (id, label).
    pub(super) fn choices(&self, category: &str) -> Vec<(String, String)> {
        let Some(object) = super::objects::object("da_picklist") else { return Vec::new() };
        let of_category = self.table(object).scan().filter(|row| *row.get("Category") == *category);
        of_category.map(|row| (row.id().into_owned(), row.get("Name").as_str().unwrap_or_default().to_owned())).collect()
    }
}

/// An object's table with its seeded rows.
fn stored(object: &'static Object, world: &Arc<World>, documents: &Documents) -> Stored {
    let world = Arc::clone(world);
    match object.name {
        "Company" => seeded(object, documents, seed::Companies(world)),
        "Person" => seeded(object, documents, seed::People(world)),
        "Company_Person" => seeded(object, documents, seed::CompanyPeople(world)),
        "gsuser" => seeded(object, documents, seed::Users(world)),
        "da_picklist" => seeded(object, documents, seed::Picklists),
        _ => seeded(object, documents, Nothing),
    }
}

fn seeded(object: &Object, documents: &Documents, seed: impl Seed + Clone) -> Stored {
    Stored { table: documents.table(object.name, seed.clone()), seed: Box::new(seed) }
}

/// The body as an object of JSON.
pub(super) fn body(bytes: &[u8]) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(invalid("Request body must be a JSON object")),
        Err(error) => Err(invalid(format!("Request body is not valid JSON: {error}"))),
    }
}
