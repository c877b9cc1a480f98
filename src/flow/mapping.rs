//! `mapping(..)`: rows of one object to another, matched by keys.

use crate::{
    model::{Record, Source, Timestamp, Value},
    script::{Cell, FieldMap, Mapping},
};

use super::{
    Error,
    load::{self, Load, Unmatched},
    pages::for_each_page,
    slots::{self, Missing, Sample},
    work::Work,
};

/// Runs a mapping; gives back where the next incremental run begins.
pub(crate) fn run(work: &mut Work<'_>, mapping: &Mapping, since: Option<Timestamp>) -> Result<Option<Timestamp>, Error> {
    let source = reading(mapping, since);
    let source_schema = match &source {
        Source::Object(query) => Some(work.describe(query.system, &query.object)?),
        _ => None,
    };
    let target_schema = work.describe(mapping.to.system, &mapping.to.object)?;
    let missing = if mapping.to.system == crate::model::System::Pendo { Missing::All } else { Missing::Declared };
    let mut load: Option<Load> = None;
    let mut cursor = Cursor::default();
    for_each_page(work, &source, |work, rows| {
        let load = match &mut load {
            Some(load) => load,
            none => {
                let sample = Sample { source: &source, schema: source_schema.as_ref(), rows: &rows };
                let keys = slots::find(work, &target_schema, &mapping.to, &mapping.match_on, Missing::Key, &sample)?;
                let fields = slots::find(work, &target_schema, &mapping.to, &mapping.fields, missing, &sample)?;
                let load = Load::new(mapping.to.clone(), keys, fields, mapping.mode, mapping.blank, Unmatched::Reject);
                none.insert(load.checked(&target_schema)?.reading(&source))
            }
        };
        let rejected = work.tally.rejected;
        load::take_rows(work, load, &rows)?;
        cursor.see(mapping.cursor.as_deref(), &rows, work.tally.rejected > rejected);
        Ok(())
    })?;
    let Some(mut load) = load else { return Ok(since) };
    let rejected = work.tally.rejected;
    load::finish(work, &mut load)?;
    Ok(cursor.next(since, work.tally.rejected > rejected))
}

/// The source with the fields that the mapping reads, from the cursor on.
fn reading(mapping: &Mapping, since: Option<Timestamp>) -> Source {
    let mut source = mapping.from.clone();
    if let Source::Object(query) = &mut source {
        let cells = mapping.fields.iter().chain(&mapping.match_on);
        add_fields(&mut query.fields, cells);
        query.with_own_id();
        if let Some(field) = &mapping.cursor {
            add(&mut query.fields, field);
            query.since = since.map(|at| (field.clone(), at));
        }
    }
    source
}

/// Adds the source fields that cells read; a closure that may read any leaves the list empty, which means every field.
pub(crate) fn add_fields<'m>(fields: &mut Vec<String>, maps: impl Iterator<Item = &'m FieldMap>) {
    let mut any = false;
    for map in maps {
        match &map.from {
            Cell::Field(name) => add(fields, name),
            Cell::Compute(closure) => match closure.reads() {
                Some(names) => names.iter().for_each(|name| add(fields, name)),
                None => any = true,
            },
            Cell::Constant(_) | Cell::RuleDate(_) => (),
        }
    }
    if any {
        fields.clear();
    }
}

fn add(fields: &mut Vec<String>, name: &str) {
    if !fields.iter().any(|field| field.eq_ignore_ascii_case(name)) {
        fields.push(name.to_owned());
    }
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
