//! Which source record writes to which target record, of mappings that read only what changed.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::{Error, Store};

/// The source record that a target record belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The source's own id of it.
    pub source: String,
    /// Its key in the form in which keys are compared.
    pub spelled: String,
    /// The key as people read it.
    pub shown: String,
}

impl Store {
    /// The owners of these target records, by key, as far as they were kept under the same shape.
    pub fn owners<'k>(&self, name: &str, shape: &str, targets: impl IntoIterator<Item = &'k str>) -> Result<HashMap<String, Owner>, Error> {
        self.read(|sql| {
            let mut one = sql.prepare_cached("SELECT source, spelled, shown FROM key_owners WHERE name = ?1 AND target = ?2 AND shape = ?3")?;
            let mut found = HashMap::new();
            for target in targets {
                let read = |row: &rusqlite::Row<'_>| Ok(Owner { source: row.get(0)?, spelled: row.get(1)?, shown: row.get(2)? });
                if let Some(owner) = one.query_row([name, target, shape], read).optional()? {
                    found.insert(target.to_owned(), owner);
                }
            }
            Ok(found)
        })
    }

    /// Keeps these owners, in the place of whoever was there.
    pub fn keep_owners<'k>(&self, name: &str, shape: &str, owners: impl IntoIterator<Item = (&'k str, &'k Owner)>) -> Result<(), Error> {
        self.write(|sql| {
            let mut put = sql
                .prepare_cached("INSERT OR REPLACE INTO key_owners (name, target, shape, source, spelled, shown) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (target, owner) in owners {
                put.execute(params![name, target, shape, owner.source, owner.spelled, owner.shown])?;
            }
            Ok(())
        })
    }
}
