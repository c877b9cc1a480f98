//! Two source records that are one record of the target, met in different runs: an incremental run reads only the one that changed, so it is
//! remembered whose each target record is. It stays with the first, until that one is gone, is left out by the filter or has another key.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    model::{Filter, Operator, Query, Read, Record, Source, Value},
    script::Rows,
    store::{Owner, Store},
};

use super::{
    Error,
    load::{self, Load},
    work::{Work, read_page},
};

/// Owners asked for at once: as many as every system takes in one condition.
const AT_ONCE: usize = 50;

/// What is remembered of one declaration.
#[derive(Clone, Copy)]
pub(crate) struct Owners<'a> {
    pub(crate) store: &'a Store,
    /// The hash of what the declaration reads and writes: under another one it all counts for nothing.
    pub(crate) shape: &'a str,
    /// Whether this run may change what is remembered; a plan may not.
    pub(crate) keeps: bool,
}

/// The source of a load, with all its records that count.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    pub(super) query: Query,
    pub(super) rows: Rows,
}

/// A row that asks for a target record.
pub(super) struct Claimant {
    /// The target's key in the form in which keys are compared.
    pub(super) target: String,
    pub(super) owner: Owner,
}

/// By place in the list, the owner of each target record that belongs to another source record. The others own theirs from now on.
pub(super) fn belonging_to_others(work: &Work<'_>, load: &Load, claimants: &[Claimant]) -> Result<BTreeMap<usize, Owner>, Error> {
    let (Some(owners), Some(origins)) = (work.owners, load.origins()) else { return Ok(BTreeMap::new()) };
    let known = owners.store.owners(work.name, owners.shape, claimants.iter().map(|claimant| claimant.target.as_str()))?;
    let others: Vec<&Owner> =
        claimants.iter().filter_map(|claimant| known.get(&claimant.target).filter(|owner| owner.source != claimant.owner.source)).collect();
    let standing = still_there(work, load, origins, &others)?;
    let (mut refused, mut new): (BTreeMap<usize, Owner>, HashMap<&str, &Owner>) = Default::default();
    for (at, claimant) in claimants.iter().enumerate() {
        match known.get(&claimant.target) {
            Some(owner) if *owner == claimant.owner => (),
            Some(owner) if owner.source != claimant.owner.source && standing.contains(&owner.source) => {
                refused.insert(at, owner.clone());
            }
            _ => {
                new.entry(&claimant.target).or_insert(&claimant.owner);
            }
        }
    }
    if owners.keeps && !new.is_empty() {
        owners.store.keep_owners(work.name, owners.shape, new)?;
    }
    Ok(refused)
}

/// The ids of those that the source still gives, under the key that they had.
fn still_there(work: &Work<'_>, load: &Load, origins: &Origins, owners: &[&Owner]) -> Result<HashSet<String>, Error> {
    let by_id: BTreeMap<&str, &Owner> = owners.iter().map(|owner| (owner.source.as_str(), *owner)).collect();
    let ids: Vec<&str> = by_id.keys().copied().collect();
    let mut standing = HashSet::new();
    for some in ids.chunks(AT_ONCE) {
        for row in records(work, &origins.query, some)? {
            let id = load.id_of_source(&row);
            let Some(owner) = by_id.get(id.as_str()) else { continue };
            // Where the closure of a filter fails nobody knows: then nothing is taken from anybody.
            let counts = origins.rows.pass(&row, work.zone).unwrap_or(true);
            let key = load::key(load, &row, work.date, work.zone).map(|key| key.compared);
            if counts && key.is_ok_and(|key| key == owner.spelled) {
                standing.insert(id);
            }
        }
    }
    Ok(standing)
}

fn records(work: &Work<'_>, query: &Query, ids: &[&str]) -> Result<Vec<Record>, Error> {
    let wanted = Value::List(ids.iter().map(Value::text).collect());
    let by_id = Filter::all(vec![(query.own_id().to_owned(), Operator::In, wanted)]);
    let filter = Filter::joined(Some(by_id), query.filter.clone());
    let query = Query { filter, since: None, limit: None, ..query.clone() };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        work.check_stop()?;
        let page = read_page(work.perform, Read { source: Source::Object(query.clone()), after, page_size: work.page_size })?;
        found.extend(page.records);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}
