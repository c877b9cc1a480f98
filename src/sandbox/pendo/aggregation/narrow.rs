//! Which seeded records the filters behind a source can leave at most, so that a look-up of a few does not go through a million.

use std::{collections::BTreeSet, ops::Range};

use super::{
    datum::{Datum, Key},
    expression::{Expression, Operator},
    row::{Context, Path},
    stage::Stage,
};

/// What is left at most, by index; records that were inserted are not meant.
pub(super) struct Narrow {
    pub(super) accounts: Range<u64>,
    /// None for all.
    pub(super) visitors: Option<BTreeSet<u64>>,
}

/// What the stages behind a source leave.
pub(super) fn narrowed(stages: &[Stage], context: &Context) -> Narrow {
    let mut left = Narrow { accounts: 0..context.company.accounts, visitors: None };
    let mut visitors_stay = true;
    for stage in stages {
        match stage {
            Stage::Filter(condition) => {
                if let Some(range) = accounts(condition, context) {
                    left.accounts = both(&left.accounts, &range);
                }
                if let Some(named) = visitors(condition, context).filter(|_| visitors_stay) {
                    left.visitors = Some(left.visitors.map_or_else(|| named.clone(), |before| &before & &named));
                }
            }
            Stage::Identified { .. } | Stage::Sort(_) | Stage::Cat | Stage::Segment(_) => {}
            Stage::Group(group) if group.keys.iter().any(is_account) => visitors_stay = false,
            Stage::Select(fields) if fields.iter().any(|(name, from)| &**name == "accountId" && from.as_path().is_some_and(is_account)) => {
                visitors_stay = false;
            }
            _ => break,
        }
    }
    left
}

fn is_account(path: &Path) -> bool {
    &*path.text == "accountId"
}

fn both(one: &Range<u64>, other: &Range<u64>) -> Range<u64> {
    let start = one.start.max(other.start);
    start..one.end.min(other.end).max(start)
}

/// The stretch of accounts outside of which a condition is false; none when it says nothing about them.
fn accounts(condition: &Expression, context: &Context) -> Option<Range<u64>> {
    let Expression::Binary(operator, left, right) = condition else { return None };
    match operator {
        Operator::And => match (accounts(left, context), accounts(right, context)) {
            (Some(one), Some(other)) => Some(both(&one, &other)),
            (one, other) => one.or(other),
        },
        Operator::Or => {
            let (one, other) = (accounts(left, context)?, accounts(right, context)?);
            Some(match (one.is_empty(), other.is_empty()) {
                (true, _) => other,
                (_, true) => one,
                _ => one.start.min(other.start)..one.end.max(other.end),
            })
        }
        _ => compared(*operator, left, right, "accountId").and_then(|(operator, id)| account_range(operator, id, context)),
    }
}

/// A comparison of a field with a text, read from left to right.
fn compared<'a>(operator: Operator, left: &'a Expression, right: &'a Expression, field: &str) -> Option<(Operator, &'a str)> {
    let (operator, path, constant) = match (left, right) {
        (Expression::Path(path), Expression::Constant(constant)) => (operator, path, constant),
        (Expression::Constant(constant), Expression::Path(path)) => (turned(operator), path, constant),
        _ => return None,
    };
    match constant {
        Datum::Text(text) if *path.text == *field => Some((operator, text)),
        _ => None,
    }
}

const fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::More,
        Operator::LessOrEqual => Operator::MoreOrEqual,
        Operator::More => Operator::Less,
        Operator::MoreOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

/// Ids ascend with the index, so a comparison leaves a stretch of them.
fn account_range(operator: Operator, id: &str, context: &Context) -> Option<Range<u64>> {
    let all = context.company.accounts;
    let first_not = |below: &dyn Fn(&str) -> bool| {
        let (mut low, mut high) = (0, all);
        while low < high {
            let middle = low.midpoint(high);
            if below(&context.company.account_id(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    };
    let (start, after) = (first_not(&|known| known < id), first_not(&|known| known <= id));
    Some(match operator {
        Operator::Equal => start..after,
        Operator::Less => 0..start,
        Operator::LessOrEqual => 0..after,
        Operator::More => after..all,
        Operator::MoreOrEqual => start..all,
        _ => return None,
    })
}

/// The visitors besides which a condition is false; none when it does not name them.
fn visitors(condition: &Expression, context: &Context) -> Option<BTreeSet<u64>> {
    let Expression::Binary(operator, left, right) = condition else { return None };
    match operator {
        Operator::And => match (visitors(left, context), visitors(right, context)) {
            (Some(one), Some(other)) => Some(&one & &other),
            (one, other) => one.or(other),
        },
        Operator::Or => {
            let (mut one, other) = (visitors(left, context)?, visitors(right, context)?);
            one.extend(other);
            Some(one)
        }
        Operator::Equal => compared(*operator, left, right, "visitorId").map(|(_, id)| match Datum::id(id, &context.company).key(&context.company) {
            Key::Visitor(person) => BTreeSet::from([person]),
            _ => BTreeSet::new(),
        }),
        _ => None,
    }
}
