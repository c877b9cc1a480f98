//! The scripts' own key-value store (`state::`). Values are JSON.

use rusqlite::{OptionalExtension, params};

use crate::model::{Timestamp, Value};

use super::{
    Error, Store,
    open::{from_json, micros, to_json},
};

impl Store {
    /// Dates and instants come back as text.
    pub fn kv_get(&self, key: &str) -> Result<Option<Value>, Error> {
        self.read(|sql| {
            let found: Option<String> = sql.prepare_cached("SELECT value FROM kv WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?;
            found.map(|text| from_json("a stored value", &text)).transpose()
        })
    }

    pub fn kv_set(&self, key: &str, value: &Value, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached(
                "INSERT INTO kv (key, value, at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at",
            )?
            .execute(params![key, to_json(value)?, micros(at)])?;
            Ok(())
        })
    }

    /// Whether there was such a key.
    pub fn kv_delete(&self, key: &str) -> Result<bool, Error> {
        self.write(|sql| Ok(sql.prepare_cached("DELETE FROM kv WHERE key = ?1")?.execute([key])? > 0))
    }

    /// Keys that begin with `prefix`, sorted.
    pub fn kv_keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached("SELECT key FROM kv WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 ORDER BY key")?;
            Ok(statement.query_map([prefix], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
    }
}
