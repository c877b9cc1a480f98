//! Scores: what the tenant's scorecard rule does with `measure_scores__gc`. There is no public call that writes a score, so tenants
//! load a custom object which a rule reads; here that rule works at once: a company's `CurrentScore` is the rounded mean of its rows,
//! and what it was seeded with while it has none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    objects::{self, Object},
    tenant::Tenant,
    values::{json_number, whole},
};
use crate::sandbox::documents::Change;

const OBJECT: &str = "measure_scores__gc";

/// The company and the score of a row; none when it was cleared.
type Scored = (String, Option<f64>);

/// The changes of companies that follow from changes of scores.
pub(super) fn follows(tenant: &Tenant, changes: &[(&'static Object, Change)]) -> Vec<(&'static Object, Change)> {
    let (Some(scores), Some(company)) = (objects::object(OBJECT), objects::object("Company")) else { return Vec::new() };
    let mut after: BTreeMap<&str, Option<Scored>> = BTreeMap::new();
    let mut touched = BTreeSet::new();
    for (_, change) in changes.iter().filter(|(object, _)| object.name == OBJECT) {
        let before = after.get(change.id()).cloned().unwrap_or_else(|| stored(tenant, scores, change.id()));
        touched.extend(before.clone().map(|(company, _)| company));
        let now = match change {
            Change::Delete(_) => None,
            Change::Insert(_, fields) | Change::Update(_, fields) => merged(before, fields),
        };
        touched.extend(now.clone().map(|(company, _)| company));
        after.insert(change.id(), now);
    }
    let updates = touched.into_iter().filter(|id| tenant.get(company, id).is_some()).map(|id| {
        let mut fields = Map::new();
        fields.insert("CurrentScore".to_owned(), current(tenant, scores, company, &id, &after));
        tenant.stamp(&mut fields, company, false);
        (company, Change::Update(id, fields))
    });
    updates.collect()
}

fn stored(tenant: &Tenant, scores: &'static Object, id: &str) -> Option<Scored> {
    let row = tenant.get(scores, id)?;
    Some((row.get("CompanyId__gc").as_str()?.to_owned(), row.get("Score__gc").as_f64()))
}

fn merged(before: Option<Scored>, fields: &Map<String, Value>) -> Option<Scored> {
    let (company, score) = before.map_or((None, None), |(company, score)| (Some(company), score));
    let company = fields.get("CompanyId__gc").and_then(Value::as_str).map(str::to_owned).or(company)?;
    Some((company, fields.get("Score__gc").map_or(score, Value::as_f64)))
}

/// The rounded mean of a company's rows as they will be.
fn current(tenant: &Tenant, scores: &'static Object, company: &'static Object, id: &str, after: &BTreeMap<&str, Option<Scored>>) -> Value {
    let rows = tenant.rows_by(scores, "CompanyId__gc", &[id.into()]).unwrap_or_default();
    let untouched = rows.iter().filter(|row| !after.contains_key(row.id().as_ref()) && *row.get("CompanyId__gc") == *id);
    let stayed = untouched.filter_map(|row| row.get("Score__gc").as_f64());
    let changed = after.values().flatten().filter(|(of, _)| of == id).filter_map(|(_, score)| *score);
    let all: Vec<f64> = stayed.chain(changed).collect();
    if all.is_empty() {
        let seed = tenant.seed(company);
        return seed.index(id).and_then(|index| seed.field(index, "CurrentScore")).unwrap_or(Value::Null);
    }
    #[allow(clippy::cast_precision_loss)]
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    whole(mean.round()).map_or_else(|| json_number(mean), Value::from)
}
