//! Aggregates and groups.

use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::derived;
use crate::sandbox::salesforce::soql::filter::holds;
use crate::sandbox::salesforce::soql::plan::{Aggregate, Bound, Column, Plan, Test};
use crate::sandbox::salesforce::soql::run;
use std::collections::{BTreeMap, HashSet};

/// What is gathered for one aggregate of one group.
#[derive(Clone, Debug, Default)]
struct Gathered {
    rows: usize,
    count: usize,
    sum: f64,
    least: Option<Cell>,
    most: Option<Cell>,
    distinct: HashSet<String>,
}

/// One group: its key cells (with which of them are rolled up) and its aggregates.
struct Group {
    key: Vec<Cell>,
    rolled: usize,
    gathered: Vec<Gathered>,
}

/// The rows of a grouped query: for each, the cells in the order of the columns.
pub(crate) fn rows(data: &Data, plan: &Plan) -> Vec<Vec<Cell>> {
    let aggregates = aggregates(plan);
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let levels = if plan.rollup { plan.group.len() } else { 0 };
    let base = Plan { order: Vec::new(), limit: None, offset: 0, ..plan.clone() };
    let hits = run::hits(data, &base);
    for row in hits.rows(data, &base, 0) {
        let key: Vec<Cell> = plan.group.iter().map(|expr| data.value(plan.object, &row, expr)).collect();
        let values: Vec<Cell> = aggregates.iter().map(|expr| inner(expr).map_or(Cell::Null, |expr| data.value(plan.object, &row, expr))).collect();
        for rolled in 0..=levels {
            let mut cells = key.clone();
            cells[key.len() - rolled..].fill(Cell::Null);
            let group = groups.entry(text_key(&cells, rolled)).or_insert_with(|| Group {
                key: cells,
                rolled,
                gathered: vec![Gathered::default(); aggregates.len()],
            });
            for ((gathered, value), expr) in group.gathered.iter_mut().zip(&values).zip(&aggregates) {
                gather(gathered, value, expr);
            }
        }
    }
    if groups.is_empty() && plan.group.is_empty() {
        groups.insert(String::new(), Group { key: Vec::new(), rolled: 0, gathered: vec![Gathered::default(); aggregates.len()] });
    }
    answers(plan, &aggregates, groups.into_values().collect())
}

fn answers(plan: &Plan, aggregates: &[Bound], mut groups: Vec<Group>) -> Vec<Vec<Cell>> {
    let value = |group: &Group, expr: &Bound| value(plan, aggregates, group, expr);
    if let Some(having) = &plan.having {
        groups.retain(|group| holds(having, &|expr| value(group, expr)));
    }
    groups.sort_by(|a, b| {
        let kinds = plan.group.iter().zip(a.key.iter().zip(&b.key));
        kinds.map(|(expr, (a, b))| a.order(b, expr.kind())).find(|order| order.is_ne()).unwrap_or(a.rolled.cmp(&b.rolled))
    });
    if !plan.order.is_empty() {
        let mut keyed: Vec<(Vec<Cell>, Group)> =
            groups.into_iter().map(|group| (plan.order.iter().map(|sorting| value(&group, &sorting.expr)).collect(), group)).collect();
        keyed.sort_by(|a, b| run::compare_keys(&plan.order, &a.0, &b.0));
        groups = keyed.into_iter().map(|(_, group)| group).collect();
    }
    let kept = groups.iter().skip(plan.offset).take(plan.limit.unwrap_or(2000).min(2000));
    kept.map(|group| columns(plan).map(|expr| value(group, expr)).collect()).collect()
}

fn columns(plan: &Plan) -> impl Iterator<Item = &Bound> {
    plan.columns.iter().filter_map(|column| if let Column::Value { expr, .. } = column { Some(expr) } else { None })
}

/// All aggregates that appear anywhere in the query, each once.
fn aggregates(plan: &Plan) -> Vec<Bound> {
    let mut found: Vec<Bound> = Vec::new();
    let mut add = |expr: &Bound| {
        let expr = if let Bound::Text(inner) = expr { inner } else { expr };
        if expr.is_aggregate() && !found.contains(expr) {
            found.push(expr.clone());
        }
    };
    columns(plan).for_each(&mut add);
    plan.order.iter().for_each(|sorting| add(&sorting.expr));
    if let Some(having) = &plan.having {
        walk(having, &mut add);
    }
    found
}

fn walk(test: &Test, add: &mut dyn FnMut(&Bound)) {
    match test {
        Test::All(parts) | Test::Any(parts) => parts.iter().for_each(|part| walk(part, add)),
        Test::Not(inner) => walk(inner, add),
        Test::Compare { left, .. } | Test::Like { left, .. } | Test::InTexts { left, .. } | Test::In { left, .. } | Test::Includes { left, .. } => {
            add(left);
        }
    }
}

fn inner(expr: &Bound) -> Option<&Bound> {
    if let Bound::Aggregate(_, inner) = expr { inner.as_deref() } else { None }
}

/// Groups are told apart without regard to case.
fn text_key(cells: &[Cell], rolled: usize) -> String {
    format!("{rolled}|{cells:?}").to_lowercase()
}

fn gather(gathered: &mut Gathered, value: &Cell, expr: &Bound) {
    gathered.rows += 1;
    if value.is_null() {
        return;
    }
    gathered.count += 1;
    gathered.sum += value.as_num().unwrap_or(0.0);
    let kind = inner(expr).map_or(crate::sandbox::salesforce::schema::Kind::Text, Bound::kind);
    if gathered.least.as_ref().is_none_or(|least| value.order(least, kind).is_lt()) {
        gathered.least = Some(value.clone());
    }
    if gathered.most.as_ref().is_none_or(|most| value.order(most, kind).is_gt()) {
        gathered.most = Some(value.clone());
    }
    if matches!(expr, Bound::Aggregate(Aggregate::Distinct, _)) {
        gathered.distinct.insert(format!("{value:?}").to_lowercase());
    }
}

#[allow(clippy::cast_precision_loss)]
fn value(plan: &Plan, aggregates: &[Bound], group: &Group, expr: &Bound) -> Cell {
    if let Some(place) = plan.group.iter().position(|grouped| grouped == expr) {
        return group.key[place].clone();
    }
    match expr {
        Bound::Text(inner) => derived::formatted(&value(plan, aggregates, group, inner), inner.kind()),
        Bound::Grouping(inner) => {
            let place = plan.group.iter().position(|grouped| grouped == inner.as_ref()).unwrap_or(0);
            Cell::Num(f64::from(u8::from(place >= group.key.len() - group.rolled)))
        }
        Bound::Aggregate(function, inner) => {
            let Some(gathered) = aggregates.iter().position(|a| a == expr).map(|place| &group.gathered[place]) else { return Cell::Null };
            match function {
                Aggregate::Count => Cell::Num(if inner.is_some() { gathered.count } else { gathered.rows } as f64),
                Aggregate::Distinct => Cell::Num(gathered.distinct.len() as f64),
                Aggregate::Sum if gathered.count > 0 => Cell::Num(gathered.sum),
                Aggregate::Average if gathered.count > 0 => Cell::Num(gathered.sum / gathered.count as f64),
                Aggregate::Min => gathered.least.clone().unwrap_or(Cell::Null),
                Aggregate::Max => gathered.most.clone().unwrap_or(Cell::Null),
                Aggregate::Sum | Aggregate::Average => Cell::Null,
            }
        }
        _ => Cell::Null,
    }
}
