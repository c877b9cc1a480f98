//! Incremental runs: where one begins to read, and where the next one will.

use crate::{
    model::{FieldType, ObjectSchema, Query, Record, Source, Timestamp, Value},
    script::Cursor,
};

use super::{
    Error,
    error::FieldProblem,
    standing::{Places, Standing},
    work::{Notice, Work},
};

/// Where the cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: Timestamp,
    /// What it stood on then, as it is kept.
    pub(crate) standing: String,
}

/// What an incremental run knows when it begins.
#[derive(Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) mark: Option<Mark>,
    /// The hash of what the declaration reads and writes now.
    pub(crate) shape: &'a str,
    /// Where its systems are.
    pub(crate) places: Places,
    pub(crate) now: Timestamp,
}

/// Rows that were rejected: the next incremental run has to read them again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// When the source row that is being dealt with changed; none where the run is not incremental, and for rows that every run reads.
    pub(crate) now: Option<Timestamp>,
    /// When the earliest of them changed.
    pub(crate) earliest: Option<Timestamp>,
    pub(crate) rows: u64,
}

impl Held {
    /// Notes that the row being dealt with is rejected, wherever that happens.
    pub(crate) fn note(&mut self) {
        if let Some(at) = self.now {
            self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
            self.rows += 1;
        }
    }
}

/// When a row changed, by the source's change field.
pub(crate) fn instant(row: &Record, field: &str) -> Option<Timestamp> {
    match row.path(field) {
        Some(Value::Instant(at)) => Some(*at),
        _ => None,
    }
}

/// Follows the change field through a run.
#[derive(Debug)]
pub(crate) struct Following {
    /// Where the cursor stood, when it still counts.
    stood: Option<Timestamp>,
    began: Timestamp,
    /// From where rows are read; none for all.
    pub(crate) since: Option<Timestamp>,
    latest: Option<Timestamp>,
}

impl Following {
    /// Decides from where to read, and tells what is out of the ordinary.
    pub(crate) fn begin(work: &Work<'_>, cursor: &Cursor, (begin, standing): (&Begin<'_>, &Standing)) -> Self {
        let changes = begin.mark.as_ref().map(|mark| Standing::parse(&mark.standing).changes(standing)).unwrap_or_default();
        let stood = begin.mark.as_ref().filter(|_| changes.is_empty()).map(|mark| mark.at);
        if !changes.is_empty() {
            warn(work, format!("{}: everything is read again, not only what changed since its last run", changes.join("; ")));
        }
        if let Some(at) = stood.filter(|at| *at > begin.now) {
            warn(work, format!("a clock was set back: the last read went up to {at}, and it is {} now; it is read from now on again", begin.now));
        }
        let since = stood.map(|at| back(at.min(begin.now), cursor));
        Self { stood, began: begin.now, since, latest: None }
    }

    /// Takes in the change instants of a page.
    ///
    /// # Errors
    /// When the field holds something else than instants: then nobody could tell what has changed.
    pub(crate) fn see(&mut self, cursor: &Cursor, source: &Source, rows: &[Record]) -> Result<(), Error> {
        for row in rows {
            match row.path(&cursor.field) {
                Some(Value::Instant(at)) => self.latest = self.latest.max(Some(*at)),
                None | Some(Value::Null) => (),
                Some(other) => return Err(unfit(cursor, source, &format!("holds {} in a row", other.type_name()))),
            }
        }
        Ok(())
    }

    /// Where the next run begins, less its look-back: never behind a rejected row, nor behind the begin of this run, since what changed while
    /// pages were read may have been on a page already read.
    pub(crate) fn next(&self, held: Held) -> Option<Timestamp> {
        let reached = self.latest.max(self.stood).map(|at| at.min(self.began));
        match held.earliest {
            Some(at) => Some(reached.map_or(at, |reached| reached.min(at))),
            None => reached,
        }
    }

    /// Says what will be read again and again.
    pub(crate) fn tell(&self, work: &Work<'_>, cursor: &Cursor, held: Held) {
        if let Some(at) = held.earliest {
            let rows = if held.rows == 1 { "1 rejected row holds".to_owned() } else { format!("{} rejected rows hold", held.rows) };
            warn(work, format!("{rows} the cursor at {at}: until they are written, every run reads again what changed since then"));
        }
        let ahead = self.latest.filter(|at| back(*at, cursor) > self.began);
        if let Some(at) = ahead {
            warn(
                work,
                format!("rows are stamped later than now, up to {at} in `{}`: every run reads them again until that time has come", cursor.field),
            );
        }
    }
}

fn back(at: Timestamp, cursor: &Cursor) -> Timestamp {
    at.saturating_sub(cursor.lookback).unwrap_or(Timestamp::MIN)
}

fn warn(work: &Work<'_>, message: String) {
    work.tell(Notice::Warning { name: work.name.to_owned(), message });
}

/// A change field has to be a date-time: of a date, two changes of one day look alike.
///
/// # Errors
/// What is wrong with it, as far as the describe tells.
pub(crate) fn check(cursor: &Cursor, source: &Source, schema: Option<&ObjectSchema>) -> Result<(), Error> {
    let Some(schema) = schema else { return Ok(()) };
    match schema.field(&cursor.field).map(|field| &field.kind) {
        // None: further steps of a path, and metadata that nobody has written yet.
        None | Some(FieldType::DateTime { .. } | FieldType::Other { .. }) => Ok(()),
        Some(kind) => Err(unfit(cursor, source, &format!("is {}", kind.word()))),
    }
}

fn unfit(cursor: &Cursor, source: &Source, what: &str) -> Error {
    let object = match source {
        Source::Object(Query { object, .. }) => object.clone(),
        _ => String::new(),
    };
    let reason = format!("{what}; a cursor needs a date-time that the system sets at each change, such as SystemModstamp or ModifiedDate");
    let (system, field, place) = (source.system(), cursor.field.clone(), cursor.place.clone());
    Error::Fields(vec![FieldProblem { system, object, field, place, reason }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + minute * 60).unwrap()
    }

    fn following(stood: Option<i64>, latest: Option<i64>, began: i64) -> Following {
        Following { stood: stood.map(at), began: at(began), since: None, latest: latest.map(at) }
    }

    /// Over every order of the four instants: nothing that was not read, or not written, lies before the next begin.
    #[test]
    fn the_next_run_begins_at_the_earliest_of_what_is_not_yet_done() {
        let some: Vec<Option<i64>> = [None, Some(0), Some(1), Some(2), Some(3)].into();
        for stood in &some {
            for latest in &some {
                for earliest in &some {
                    for began in 0..4 {
                        let held = Held { now: None, earliest: earliest.map(at), rows: 1 };
                        let next = following(*stood, *latest, began).next(held);
                        assert!(next.is_none_or(|next| next <= at(began)) || earliest.is_some_and(|held| held >= began), "{next:?}");
                        assert!(earliest.is_none_or(|held| next.is_some_and(|next| next <= at(held))), "a rejected row is passed: {next:?}");
                        if earliest.is_none() {
                            let furthest = stood.max(latest).map(|n| at(n.min(began)));
                            assert_eq!(next, furthest, "{stood:?} {latest:?} {began}");
                        }
                    }
                }
            }
        }
    }
}
