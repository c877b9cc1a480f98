//! Records read now, where none were kept or those that were do not fit: what both versions ask for, without their filters.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    flow::Error,
    model::{Effect, Lookup, Read, Record, Reply, Source, System, Value, account_key, other_spelling},
    script::{Body, Declaration, Participants, Perform},
};

use super::{
    sample::{Given, plain},
    trial::{self, Ground},
};

/// Reads at most `records` of each source of two versions. Nothing is written.
///
/// # Errors
/// The fault of the system that could not be read.
pub fn fresh(versions: [&Declaration; 2], perform: &dyn Perform, ground: &Ground<'_>, records: u32) -> Result<Given, Error> {
    let mut sources: Vec<Source> = Vec::new();
    for source in versions.into_iter().flat_map(|version| asked(version, ground)) {
        match sources.iter_mut().find(|known| plain(known) == plain(&source)) {
            Some(known) => widen(known, &source),
            None => sources.push(unfiltered(source)),
        }
    }
    let mut given = Given::default();
    for source in sources {
        let found = first(perform, &source, records)?;
        given.sources.push((plain(&source), Arc::new(found)));
    }
    for version in versions {
        companies(version, perform, &mut given)?;
    }
    Ok(given)
}

/// What a version reads.
fn asked(version: &Declaration, ground: &Ground<'_>) -> Vec<Source> {
    if let Body::Journey(journey) = &version.body {
        return match &journey.participants {
            Participants::Source { source, .. } => vec![source.clone()],
            Participants::List(_) => Vec::new(),
        };
    }
    let asked = Mutex::new(Vec::new());
    trial::listen(version, ground, &asked);
    asked.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn unfiltered(mut source: Source) -> Source {
    if let Source::Object(query) = &mut source {
        add(&mut query.fields, query.filter.iter().flat_map(crate::model::Filter::fields).map(str::to_owned).collect());
        (query.filter, query.since, query.limit) = (None, None, None);
    }
    source
}

/// What both ask for; no field at all means every field.
fn widen(known: &mut Source, other: &Source) {
    match (known, unfiltered(other.clone())) {
        (Source::Object(known), Source::Object(other)) if known.fields.is_empty() || other.fields.is_empty() => known.fields.clear(),
        (Source::Object(known), Source::Object(other)) => add(&mut known.fields, other.fields),
        (Source::Report(known), Source::Report(other)) => {
            for column in other.columns {
                if known.columns.iter().all(|(name, _)| *name != column.0) {
                    known.columns.push(column);
                }
            }
        }
        _ => (),
    }
}

fn add(fields: &mut Vec<String>, more: Vec<String>) {
    if fields.is_empty() {
        return;
    }
    for field in more {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
}

fn first(perform: &dyn Perform, source: &Source, records: u32) -> Result<Vec<Record>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    while found.len() < records as usize {
        let page = crate::flow::work::read_page(perform, Read { source: source.clone(), after: after.take(), page_size: records })?;
        found.extend(page.records);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.truncate(records as usize);
    Ok(found)
}

/// Which of a rule's accounts are Gainsight companies.
fn companies(version: &Declaration, perform: &dyn Perform, given: &mut Given) -> Result<(), Error> {
    let Body::Rule(rule) = &version.body else { return Ok(()) };
    let rows = given.sources.iter().flat_map(|(_, records)| records.iter());
    let mut keys: Vec<Value> = rows.filter_map(|row| row.path(&rule.account)).filter(|id| !id.is_blank()).cloned().collect();
    keys.retain(|key| !given.companies.contains_key(&account_key(&key.to_string())));
    if keys.is_empty() {
        return Ok(());
    }
    given.companies.extend(keys.iter().map(|key| (account_key(&key.to_string()), None)));
    keys.extend(keys.clone().iter().filter_map(|key| other_spelling(key.as_str()?)).map(Value::text));
    let lookup = Lookup {
        system: System::Gainsight,
        object: "Company".to_owned(),
        by: "SfdcAccountId".to_owned(),
        keys,
        fields: vec!["Gsid".to_owned()],
        filter: None,
    };
    if let Reply::Records(found) = perform.perform(Effect::Lookup(lookup))? {
        for company in found {
            let account = company.get("SfdcAccountId").map(|id| account_key(&id.to_string())).unwrap_or_default();
            given.companies.insert(account, company.get("Gsid").cloned());
        }
    }
    Ok(())
}
