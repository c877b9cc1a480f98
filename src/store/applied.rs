//! What was last written to a record, field by field, out of the journal.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::model::{System, Timestamp, Value};

use super::{
    Error, RunId, Store,
    open::{from_json, instant},
};

/// A value and the run that wrote it. Dates and instants come back as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    pub value: Value,
    pub run: RunId,
    pub at: Timestamp,
}

impl Store {
    /// By field, what was last written to the record with this id, as far as the journal reaches back; nothing once it was deleted.
    /// Rows that failed or whose outcome is not known do not count. Reads the whole journal: for explaining, not for running.
    pub fn last_applied(&self, system: System, object: &str, id: &str) -> Result<BTreeMap<String, Applied>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached(
                "SELECT r.operation, r.fields, runs.id, batch.completed_at \
                 FROM journal_batches batch JOIN runs ON runs.seq = batch.run \
                 CROSS JOIN journal_rows r ON r.seq >= batch.first_row AND r.seq < batch.first_row + batch.row_count \
                 WHERE batch.system = ?1 AND batch.object = ?2 AND batch.completed_at IS NOT NULL AND batch.fault IS NULL AND r.fault IS NULL \
                 AND (r.new_id = ?3 OR (r.operation IN ('update', 'delete') AND r.target = ?3)) \
                 ORDER BY r.seq",
            )?;
            let mut rows = statement.query(params![system.name(), object, id])?;
            let mut applied = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let operation: String = row.get(0)?;
                if operation == "delete" {
                    applied.clear();
                }
                let Some(fields) = row.get::<_, Option<String>>(1)? else { continue };
                let (run, at) = (RunId::new(row.get::<_, String>(2)?), instant(row.get(3)?)?);
                let fields: crate::model::Record = from_json("a journaled row", &fields)?;
                for (name, value) in fields.iter() {
                    applied.insert(name.to_string(), Applied { value: value.clone(), run: run.clone(), at });
                }
            }
            Ok(applied)
        })
    }
}
