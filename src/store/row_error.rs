//! Rows that a run could not write, and why. The number kept per run is bounded; the number that came is not.

use rusqlite::params;

use super::{
    Error, RunId, Store,
    open::{count, uncount},
    run::run_seq,
};

/// One row that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowError {
    pub key: String,
    /// What the source calls the row.
    pub source: Option<String>,
    pub field: Option<String>,
    /// Cut to `RowError::VALUE_BYTES` when it is kept.
    pub value: Option<String>,
    pub reason: String,
    /// What in the script asked for it: file, line and column.
    pub place: Option<String>,
}

impl RowError {
    /// How much of a value is kept.
    pub const VALUE_BYTES: usize = 500;
}

impl Store {
    /// Appends rejected rows of a run, at most `keep` for the whole run; the rest is only counted.
    pub fn reject(&self, run: &RunId, rows: &[RowError], keep: u64) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        self.write(|sql| {
            let seq = run_seq(sql, run)?;
            let kept: u64 = sql.prepare_cached("SELECT row_errors FROM runs WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).map(uncount)?;
            let mut insert = sql.prepare_cached(
                "INSERT INTO row_errors (run, n, key, field, value, reason, source, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for (n, row) in (kept..keep).zip(rows) {
                let (value, source) = (row.value.as_deref().map(cut), row.source.as_deref().map(cut));
                insert.execute(params![seq, count(n), row.key, row.field, value, cut(&row.reason), source, row.place])?;
            }
            sql.prepare_cached("UPDATE runs SET row_errors = row_errors + ?2 WHERE seq = ?1")?.execute(params![seq, count(rows.len() as u64)])?;
            Ok(())
        })
    }

    /// Rejected rows of a run in the order they came, from the `skip`th on.
    pub fn row_errors(&self, run: &RunId, skip: u64, limit: u32) -> Result<Vec<RowError>, Error> {
        self.read(|sql| {
            let seq = run_seq(sql, run)?;
            let mut statement =
                sql.prepare_cached("SELECT key, field, value, reason, source, place FROM row_errors WHERE run = ?1 AND n >= ?2 ORDER BY n LIMIT ?3")?;
            let rows = statement.query_map(params![seq, count(skip), limit], |row| {
                let (key, field, value, reason) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(RowError { key, field, value, reason, source: row.get(4)?, place: row.get(5)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// At most `VALUE_BYTES` of it, never through the middle of a character.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(RowError::VALUE_BYTES)]
}
