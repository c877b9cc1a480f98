//! What the systems last said about their objects, so that scripts can be checked offline.

use rusqlite::{OptionalExtension, params};

use crate::model::{Field, ObjectSchema, System, Timestamp};

use super::{
    Error, Store,
    open::{from_json, instant, micros, select, to_json},
};

/// A describe answer and when it came.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedSchema {
    pub schema: ObjectSchema,
    pub at: Timestamp,
}

impl Store {
    pub fn keep_schema(&self, schema: &ObjectSchema, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("INSERT OR REPLACE INTO schemas (system, object, schema, at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                schema.system.name(),
                schema.name,
                to_json(schema)?,
                micros(at)
            ])?;
            Ok(())
        })
    }

    pub fn schema(&self, system: System, object: &str) -> Result<Option<CachedSchema>, Error> {
        self.read(|sql| {
            let found: Option<(String, i64)> = sql
                .prepare_cached("SELECT schema, at FROM schemas WHERE system = ?1 AND object = ?2")?
                .query_row([system.name(), object], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            found.map(|(text, at)| Ok(CachedSchema { schema: from_json("a cached describe", &text)?, at: instant(at)? })).transpose()
        })
    }

    /// A field that was made since the describe.
    pub fn add_field(&self, system: System, object: &str, field: Field, at: Timestamp) -> Result<(), Error> {
        let Some(CachedSchema { mut schema, .. }) = self.schema(system, object)? else { return Ok(()) };
        if schema.field(&field.name).is_some() {
            return Ok(());
        }
        schema.fields.push(field);
        self.keep_schema(&schema, at)
    }

    /// What a system last said about objects whose names end so.
    pub fn schemas(&self, system: System, ending: &str) -> Result<Vec<ObjectSchema>, Error> {
        let texts: Vec<String> = self.read(|sql| {
            let all = "SELECT schema FROM schemas WHERE system = ?1 AND lower(substr(object, -length(?2))) = lower(?2) ORDER BY object";
            select(sql, all, [system.name(), ending], |row| Ok(row.get(0)?))
        })?;
        self.read(|_| texts.iter().map(|text| from_json("a cached describe", text)).collect())
    }

    /// Forgets what a system said, when its connection changed.
    pub fn forget_schemas(&self, system: System) -> Result<(), Error> {
        self.write(|sql| {
            sql.execute("DELETE FROM schemas WHERE system = ?1", [system.name()])?;
            Ok(())
        })
    }
}
