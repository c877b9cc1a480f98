//! `pendo::salesforce_integration(..)`: usage reports pushed to Salesforce fields, Salesforce fields pulled as metadata.

use crate::{
    model::{Query, Source, System},
    script::{Cell, FieldMap, Integration, Mode, Place, Push, Target},
};

use super::{
    Error,
    load::{self, Load, Unmatched},
    pages::for_each_page,
    slots::{self, Missing, Sample},
    work::Work,
};

/// Every report of the integration, one after the other (A4).
pub(crate) fn push(work: &mut Work<'_>, integration: &Integration) -> Result<(), Error> {
    let schema = work.describe(System::Salesforce, &integration.object)?;
    let to = Target { system: System::Salesforce, object: integration.object.clone() };
    for push in &integration.push {
        let source = push.report.clone();
        let key = key_map(&integration.salesforce_key, &integration.pendo_key, &integration.key_place);
        let mut load: Option<Load> = None;
        for_each_page(work, &source, |work, rows| {
            let load = match &mut load {
                Some(load) => load,
                none => {
                    let sample = Sample { source: &source, schema: None, rows: &rows };
                    let keys = slots::find(work, &schema, &to, std::slice::from_ref(&key), Missing::Key, &sample)?;
                    let fields = slots::find(work, &schema, &to, &push.fields, Missing::Pendo, &sample)?;
                    let load = Load::new(to.clone(), keys, fields, Mode::Update, integration.blank, Unmatched::Reject);
                    none.insert(load.checked(&schema)?.reading(&source))
                }
            };
            load::take_rows(work, load, &rows)
        })?;
        if let Some(load) = &mut load {
            load::finish(work, load)?;
        }
    }
    Ok(())
}

/// The chosen fields of every Salesforce record whose key Pendo knows, as metadata of group `salesforce` (A3).
pub(crate) fn pull(work: &mut Work<'_>, integration: &Integration) -> Result<(), Error> {
    if integration.pull.is_empty() {
        return Ok(());
    }
    let mut query = Query::of(System::Salesforce, &integration.object);
    query.fields.push(integration.salesforce_key.clone());
    query.fields.extend(integration.pull.iter().map(|pull| pull.field.clone()));
    query.with_own_id();
    let source = Source::Object(query);
    let source_schema = work.describe(System::Salesforce, &integration.object)?;
    let to = Target { system: System::Pendo, object: integration.per.clone() };
    let schema = work.describe(System::Pendo, &integration.per)?;
    let key = key_map(&integration.pendo_key, &integration.salesforce_key, &integration.key_place);
    let fields: Vec<FieldMap> = integration.pull.iter().map(|pull| metadata_map(&pull.metadata, &pull.field, &pull.place)).collect();
    let sample = Sample { source: &source, schema: Some(&source_schema), rows: &[] };
    slots_exist(&source_schema, integration)?;
    let keys = slots::find(work, &schema, &to, std::slice::from_ref(&key), Missing::Key, &sample)?;
    let fields = slots::find(work, &schema, &to, &fields, Missing::All, &sample)?;
    // What Salesforce empties, Pendo forgets too: a pull mirrors.
    let load = Load::new(to, keys, fields, Mode::Update, crate::script::Blank::Clear, Unmatched::Ignore);
    let mut load = load.checked(&schema)?.reading(&source);
    for_each_page(work, &source, |work, rows| load::take_rows(work, &mut load, &rows))?;
    load::finish(work, &mut load)
}

/// The reports that run now: by schedule, those whose daily push is on; by hand, all.
pub(crate) fn due(integration: &Integration, by_hand: bool) -> Integration {
    let push: Vec<Push> = integration.push.iter().filter(|push| by_hand || push.daily).cloned().collect();
    Integration { push, ..integration.clone() }
}

fn slots_exist(schema: &crate::model::ObjectSchema, integration: &Integration) -> Result<(), Error> {
    let unknown = integration.pull.iter().filter(|pull| schema.field(&pull.field).is_none());
    let problems: Vec<_> = unknown
        .map(|pull| super::error::FieldProblem {
            system: System::Salesforce,
            object: integration.object.clone(),
            field: pull.field.clone(),
            place: pull.place.clone(),
            reason: "there is no such field to pull".to_owned(),
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Fields(problems)) }
}

fn key_map(target: &str, source: &str, place: &Place) -> FieldMap {
    FieldMap { target: target.into(), from: Cell::Field(source.to_owned()), declared: None, place: place.clone() }
}

fn metadata_map(metadata: &str, field: &str, place: &Place) -> FieldMap {
    key_map(&format!("metadata.salesforce.{metadata}"), field, place)
}
