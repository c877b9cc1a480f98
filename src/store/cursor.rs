//! How far each declaration has read. A cursor moves only together with the success of a run (`Store::finish`).

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::Timestamp;

use super::{Error, Store, error::Fail, open::micros};

impl Store {
    /// What `finish` last kept for this declaration and source; its meaning is the reader's own.
    pub fn cursor(&self, name: &str, source: &str) -> Result<Option<String>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached("SELECT value FROM cursors WHERE name = ?1 AND source = ?2")?;
            Ok(statement.query_row([name, source], |row| row.get(0)).optional()?)
        })
    }

    /// Forgets all cursors of a declaration: its next run reads everything.
    pub fn clear_cursors(&self, name: &str) -> Result<(), Error> {
        self.write(|sql| {
            sql.execute("DELETE FROM cursors WHERE name = ?1", [name])?;
            sql.execute("DELETE FROM key_owners WHERE name = ?1", [name])?;
            Ok(())
        })
    }
}

pub(super) fn move_all(sql: &Connection, name: &str, cursors: &[(String, String)], at: Timestamp) -> Result<(), Fail> {
    let mut upsert = sql.prepare_cached(
        "INSERT INTO cursors (name, source, value, at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (name, source) DO UPDATE SET value = excluded.value, at = excluded.at",
    )?;
    for (source, value) in cursors {
        upsert.execute(params![name, source, value, micros(at)])?;
    }
    Ok(())
}
