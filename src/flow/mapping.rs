//! `mapping(..)`: rows of one object to another, matched by keys.

use crate::{
    model::{Record, Source, Timestamp, Value},
    script::Mapping,
};

use super::{
    Error,
    load::{self, Load, Unmatched},
    pages::for_each_rows,
    reading,
    slots::{self, Missing, Sample},
    work::Work,
};

/// Runs a mapping; gives back where the next incremental run begins.
pub(crate) fn run(work: &mut Work<'_>, mapping: &Mapping, since: Option<Timestamp>) -> Result<Option<Timestamp>, Error> {
    let (source, counting) = reading::mapping(mapping, since);
    let source_schema = match &source {
        Source::Object(query) => Some(work.describe(query.system, &query.object)?),
        _ => None,
    };
    let target_schema = work.describe(mapping.to.system, &mapping.to.object)?;
    let missing = if mapping.to.system == crate::model::System::Pendo { Missing::All } else { Missing::Declared };
    let prepare = |work: &mut Work<'_>, rows: &[Record]| -> Result<Load, Error> {
        let sample = Sample { source: &source, schema: source_schema.as_ref(), rows };
        let keys = slots::find(work, &target_schema, &mapping.to, &mapping.match_on, Missing::Key, &sample)?;
        let fields = slots::find(work, &target_schema, &mapping.to, &mapping.fields, missing, &sample)?;
        let load = Load::new(mapping.to.clone(), keys, fields, mapping.mode, mapping.blank, Unmatched::Reject);
        Ok(load.checked(&target_schema)?.reading(&source))
    };
    let mut load: Option<Load> = None;
    let mut cursor = Cursor::default();
    let (before, mut by_load) = (work.tally.rejected, 0);
    for_each_rows(work, (&source, &counting), |work, rows| {
        // New fields get the types of the first values, so there have to be some.
        if rows.is_empty() {
            return Ok(());
        }
        let load = match &mut load {
            Some(load) => load,
            none => none.insert(prepare(work, &rows)?),
        };
        let rejected = work.tally.rejected;
        load::take_rows(work, load, &rows)?;
        cursor.see(mapping.cursor.as_deref(), &rows, work.tally.rejected > rejected);
        by_load += work.tally.rejected - rejected;
        Ok(())
    })?;
    let mut load = match load {
        Some(load) => load,
        None => prepare(work, &[])?,
    };
    // A row that its filter could not judge may stand anywhere.
    let unjudged = work.tally.rejected - before > by_load;
    let rejected = work.tally.rejected;
    load::finish(work, &mut load)?;
    Ok(cursor.next(since, unjudged || work.tally.rejected > rejected))
}

/// Follows the change field. A page with a rejected row holds the cursor back, so that the row is read again.
#[derive(Debug, Default)]
struct Cursor {
    latest: Option<Timestamp>,
    held: Option<Timestamp>,
}

impl Cursor {
    fn see(&mut self, field: Option<&str>, rows: &[Record], rejected: bool) {
        let Some(field) = field else { return };
        let instants = rows.iter().filter_map(|row| match row.path(field) {
            Some(Value::Instant(at)) => Some(*at),
            Some(Value::Text(text)) => text.parse().ok(),
            _ => None,
        });
        for at in instants {
            self.latest = self.latest.max(Some(at));
            if rejected {
                self.held = Some(self.held.map_or(at, |held| held.min(at)));
            }
        }
    }

    /// Rows rejected only when the last batch was sent may stand anywhere: then nothing moves.
    fn next(self, since: Option<Timestamp>, rejected_late: bool) -> Option<Timestamp> {
        if rejected_late {
            return since;
        }
        self.held.or(self.latest).or(since)
    }
}
