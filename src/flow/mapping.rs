//! `mapping(..)`: rows of one object to another, matched by keys.

use crate::{
    model::{Record, Source},
    script::Mapping,
};

use super::{
    Error,
    cursor::{self, Begin, Following, Mark},
    load::{self, Load, Unmatched},
    pages::for_each_rows,
    reading,
    slots::{self, Missing, Sample},
    standing::Standing,
    work::Work,
};

/// Runs a mapping; gives back where the next incremental run begins.
pub(crate) fn run(work: &mut Work<'_>, mapping: &Mapping, begin: &Begin<'_>) -> Result<Option<Mark>, Error> {
    // A sample tells what was read, not when the rows changed.
    let cursor = mapping.cursor.as_ref().filter(|_| !work.on_sample);
    let change_field = cursor.map(|cursor| cursor.field.as_str());
    let target_schema = work.describe(mapping.to.system, &mapping.to.object)?;
    let standing = Standing::of(begin.shape, mapping, &target_schema, (work.zone, &begin.places));
    let mut following = cursor.map(|cursor| (cursor, Following::begin(work, cursor, (begin, &standing))));
    let (source, counting) = reading::mapping(mapping, following.as_ref().and_then(|(_, following)| following.since));
    let source_schema = match &source {
        Source::Object(query) => Some(work.describe(query.system, &query.object)?),
        _ => None,
    };
    let source = work.fitted(source, source_schema.as_ref())?;
    if let Some(cursor) = cursor {
        cursor::check(cursor, &source, source_schema.as_ref())?;
    }
    let missing = if mapping.to.system == crate::model::System::Pendo { Missing::All } else { Missing::Declared };
    let prepare = |work: &mut Work<'_>, rows: &[Record]| -> Result<Load, Error> {
        let sample = Sample { source: &source, schema: source_schema.as_ref(), rows };
        let keys = slots::find(work, &target_schema, &mapping.to, &mapping.match_on, Missing::Key, &sample)?;
        let fields = slots::find(work, &target_schema, &mapping.to, &mapping.fields, missing, &sample)?;
        let load = Load::new(mapping.to.clone(), keys, fields, mapping.mode, mapping.blank, Unmatched::Reject);
        Ok(load.checked(&target_schema)?.reading(&source).following(change_field, &source, &counting))
    };
    let mut load: Option<Load> = None;
    for_each_rows(work, (&source, &counting, change_field), |work, rows| {
        // New fields get the types of the first values, so there have to be some.
        if rows.is_empty() {
            return Ok(());
        }
        if let Some((cursor, following)) = &mut following {
            following.see(cursor, &source, &rows)?;
        }
        let load = match &mut load {
            Some(load) => load,
            none => none.insert(prepare(work, &rows)?),
        };
        load::take_rows(work, load, &rows)
    })?;
    let mut load = match load {
        Some(load) => load,
        None => prepare(work, &[])?,
    };
    load::finish(work, &mut load)?;
    let Some((cursor, following)) = following else { return Ok(None) };
    following.tell(work, cursor, work.held);
    Ok(following.next(work.held).map(|at| Mark { at, standing: standing.text() }))
}
