//! Which rows a query hits, in order, found by index where it can be and never all held at once.

use crate::sandbox::documents::Row;
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::{Data, same};
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::schema::ID;
use crate::sandbox::salesforce::soql::ast::Op;
use crate::sandbox::salesforce::soql::filter::holds;
use crate::sandbox::salesforce::soql::plan::{Bound, Operand, Plan, Sorting, Test};
use std::cmp::Ordering;

/// The rows a query hits.
#[derive(Clone, Debug)]
pub(crate) enum Hits {
    /// Every row in the order of the ids: nothing is held.
    Whole(usize),
    /// The numbers of the rows, in order.
    Picked(Vec<u64>),
}

/// Where to look for rows.
enum Sources {
    Numbers(Vec<u64>),
    /// Rows whose number is at least this and at most that.
    Range(u64, u64),
}

impl Hits {
    /// How many rows there are.
    pub(crate) fn total(&self) -> usize {
        match self {
            Self::Whole(total) => *total,
            Self::Picked(numbers) => numbers.len(),
        }
    }

    /// The rows from an offset on.
    pub(crate) fn rows<'a>(&'a self, data: &'a Data, plan: &Plan, offset: usize) -> Box<dyn Iterator<Item = Row> + 'a> {
        let object = plan.object;
        match self {
            Self::Whole(_) => Box::new(data.scan_from(object, 0).filter(|row| !Data::is_deleted(row)).skip(offset)),
            Self::Picked(numbers) => Box::new(numbers.iter().skip(offset).filter_map(move |number| data.numbered(object, *number))),
        }
    }
}

/// Finds the rows of a query.
pub(crate) fn hits(data: &Data, plan: &Plan) -> Hits {
    let live_only = !plan.all_rows || data.nothing_deleted(plan.object);
    if plan.filter.is_none() && by_id(&plan.order) == Some(false) && plan.limit.is_none() && plan.offset == 0 && live_only {
        return Hits::Whole(usize::try_from(data.live(plan.object)).unwrap_or(usize::MAX));
    }
    let sources = plan.filter.as_ref().map_or(Sources::Range(0, u64::MAX), |test| sources(data, plan.object, test));
    among(data, plan, sources)
}

/// Finds the rows of a child subquery: those of one parent.
pub(crate) fn child_hits(data: &Data, plan: &Plan, field: usize, parent: &Cell) -> Hits {
    let mut numbers = data.numbers_with(plan.object, field, parent);
    numbers.retain(|number| data.numbered(plan.object, *number).is_some_and(|row| same(&data.cell(plan.object, &row, field), parent, true)));
    among(data, plan, Sources::Numbers(numbers))
}

/// How many rows there are, without holding them.
pub(crate) fn count(data: &Data, plan: &Plan) -> usize {
    let total = match hits(data, &Plan { limit: None, offset: 0, order: Vec::new(), ..plan.clone() }) {
        Hits::Whole(total) => total,
        Hits::Picked(numbers) => numbers.len(),
    };
    total.saturating_sub(plan.offset).min(plan.limit.unwrap_or(usize::MAX))
}

/// Whether rows come in the order of their ids (false: ascending, which is also the order when none is asked for).
fn by_id(order: &[Sorting]) -> Option<bool> {
    match order {
        [] => Some(false),
        [Sorting { expr: Bound::Field { hops, field: ID, .. }, descending, .. }, ..] if hops.is_empty() => Some(*descending),
        _ => None,
    }
}

fn among(data: &Data, plan: &Plan, sources: Sources) -> Hits {
    let wanted = plan.limit.map_or(usize::MAX, |limit| limit.saturating_add(plan.offset));
    let order = by_id(&plan.order);
    let mut stop = if order == Some(false) { wanted } else { usize::MAX };
    let passes = |row: &Row| {
        (plan.all_rows || !Data::is_deleted(row)) && plan.filter.as_ref().is_none_or(|test| holds(test, &|expr| data.value(plan.object, row, expr)))
    };
    let mut keyed: Vec<(Vec<Cell>, u64)> = Vec::new();
    let mut numbers = Vec::new();
    let mut take = |row: Row| {
        if stop == 0 {
            return false;
        }
        if passes(&row) {
            stop -= 1;
            let number = data.number(plan.object, &row);
            match order {
                Some(_) => numbers.push(number),
                None => keyed.push((plan.order.iter().map(|sorting| data.value(plan.object, &row, &sorting.expr)).collect(), number)),
            }
        }
        true
    };
    match sources {
        Sources::Numbers(found) => _ = found.into_iter().filter_map(|number| data.numbered(plan.object, number)).all(&mut take),
        Sources::Range(from, to) => {
            let rows = data.scan_from(plan.object, from).take_while(|row| to == u64::MAX || data.number(plan.object, row) <= to);
            rows.into_iter().all(&mut take);
        }
    }
    match order {
        Some(true) => numbers.reverse(),
        Some(false) => {}
        None => {
            keyed.sort_by(|a, b| compare_keys(&plan.order, &a.0, &b.0));
            numbers = keyed.into_iter().map(|(_, number)| number).collect();
        }
    }
    numbers.truncate(wanted);
    numbers.drain(..plan.offset.min(numbers.len()));
    Hits::Picked(numbers)
}

/// Compares two rows by their sorting values.
pub(crate) fn compare_keys(order: &[Sorting], a: &[Cell], b: &[Cell]) -> Ordering {
    for (i, sorting) in order.iter().enumerate() {
        let found = match (a[i].is_null(), b[i].is_null()) {
            (true, true) => Ordering::Equal,
            (false, false) => {
                let plain = a[i].order(&b[i], sorting.expr.kind());
                if sorting.descending { plain.reverse() } else { plain }
            }
            (a_null, _) => {
                if a_null == sorting.nulls_last {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
        };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

/// The narrowest place to look that the top level of a condition allows.
fn sources(data: &Data, object: usize, test: &Test) -> Sources {
    let parts = if let Test::All(parts) = test { parts.as_slice() } else { std::slice::from_ref(test) };
    let prefix = &data.schema.objects[object].prefix;
    let (mut from, mut to) = (0, u64::MAX);
    for part in parts {
        if let Some(mut found) = numbers(data, object, part) {
            found.sort_unstable();
            found.dedup();
            return Sources::Numbers(found);
        }
        if let Test::Compare { left: Bound::Field { hops, field: ID, .. }, op, right: Operand::Value(Cell::Text(id)), .. } = part
            && hops.is_empty()
            && let Some(number) = ids::number_of(prefix, id)
        {
            match op {
                Op::Gt | Op::Ge => from = from.max(number),
                Op::Lt | Op::Le => to = to.min(number),
                _ => {}
            }
        }
    }
    Sources::Range(from, to)
}

/// The numbers of the rows that one part of a condition leaves, if an index knows them.
fn numbers(data: &Data, object: usize, part: &Test) -> Option<Vec<u64>> {
    let prefix = &data.schema.objects[object].prefix;
    match part {
        Test::Compare { left: Bound::Field { hops, field, .. }, op: Op::Eq, right: Operand::Value(cell), .. }
            if hops.is_empty() && !cell.is_null() =>
        {
            if *field == ID {
                return Some(cell.as_text().and_then(|id| ids::number_of(prefix, id)).into_iter().collect());
            }
            data.is_indexed(object, *field).then(|| data.numbers_with(object, *field, cell))
        }
        Test::InTexts { left: Bound::Field { hops, field, .. }, negated: false, texts, null: false, .. } if hops.is_empty() => {
            if *field == ID {
                return Some(texts.iter().filter_map(|id| ids::number_of(prefix, id)).collect());
            }
            let all = || texts.iter().flat_map(|text| data.numbers_with(object, *field, &Cell::Text(text.clone()))).collect();
            data.is_indexed(object, *field).then(all)
        }
        _ => None,
    }
}
