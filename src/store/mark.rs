//! When each declaration last ran: what its next time is computed from, also after its runs are forgotten.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::Timestamp;

use super::{
    Error, Store,
    error::Fail,
    open::{instant, micros},
};

/// The last start and end of a declaration's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub name: String,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
}

impl Store {
    pub fn mark_started(&self, name: &str, at: Timestamp) -> Result<(), Error> {
        self.set_mark("started_at", name, at)
    }

    pub fn mark_finished(&self, name: &str, at: Timestamp) -> Result<(), Error> {
        self.set_mark("finished_at", name, at)
    }

    pub fn mark(&self, name: &str) -> Result<Option<Mark>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached("SELECT name, started_at, finished_at FROM marks WHERE name = ?1")?;
            statement.query_row([name], |row| Ok(read_mark(row))).optional()?.transpose()
        })
    }

    /// All marks, by name.
    pub fn marks(&self) -> Result<Vec<Mark>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached("SELECT name, started_at, finished_at FROM marks ORDER BY name")?;
            let mut rows = statement.query([])?;
            let mut marks = Vec::new();
            while let Some(row) = rows.next()? {
                marks.push(read_mark(row)?);
            }
            Ok(marks)
        })
    }

    /// Marks that lie later than an instant, and when programs were asked for events, were set by a clock that was ahead: they count as set at
    /// `now`, and events are asked for from the beginning. Gives back the names whose mark that was.
    pub fn put_right(&self, later_than: Timestamp, now: Timestamp) -> Result<Vec<String>, Error> {
        const AHEAD: &str = "SELECT name FROM marks WHERE max(coalesce(started_at, 0), coalesce(finished_at, 0)) > ?1 ORDER BY name";
        const RIGHT: &str = "UPDATE marks SET started_at = min(started_at, ?2), finished_at = min(finished_at, ?2) WHERE name = ?1";
        let ahead = |sql: &Connection| -> Result<Vec<String>, Fail> {
            Ok(sql.prepare_cached(AHEAD)?.query_map([micros(later_than)], |row| row.get(0))?.collect::<Result<_, _>>()?)
        };
        let polled = |sql: &Connection| -> Result<bool, Fail> {
            Ok(sql.prepare_cached("SELECT 1 FROM programs WHERE polled_at > ?1")?.exists([micros(later_than)])?)
        };
        if self.read(|sql| Ok(ahead(sql)?.is_empty() && !polled(sql)?))? {
            return Ok(Vec::new());
        }
        self.write(|sql| {
            let names = ahead(sql)?;
            for name in &names {
                sql.prepare_cached(RIGHT)?.execute(params![name, micros(now)])?;
            }
            sql.prepare_cached("UPDATE programs SET polled_at = NULL WHERE polled_at > ?1")?.execute([micros(later_than)])?;
            Ok(names)
        })
    }

    fn set_mark(&self, column: &str, name: &str, at: Timestamp) -> Result<(), Error> {
        let query = format!("INSERT INTO marks (name, {column}) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET {column} = excluded.{column}");
        self.write(|sql| {
            sql.prepare_cached(&query)?.execute(params![name, micros(at)])?;
            Ok(())
        })
    }
}

fn read_mark(row: &Row<'_>) -> Result<Mark, Fail> {
    let when = |column: usize| -> Result<Option<Timestamp>, Fail> { row.get::<_, Option<i64>>(column)?.map(instant).transpose() };
    Ok(Mark { name: row.get(0)?, started: when(1)?, finished: when(2)? })
}
