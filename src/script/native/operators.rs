//! What the operators do, each as the engine does it for these types. None where it would fail, or do something not known here.

use std::cmp::Ordering;

use smol_str::SmolStrBuilder;

use crate::{
    model::TimeZone,
    script::api::dates::{days_between, instant_against, moved, moved_instant},
};

use super::{
    item::Item,
    tree::{Comparison, Operator},
};

#[inline]
pub(super) fn operate<'a>(operator: Operator, a: &Item<'a>, b: &Item<'a>, zone: &TimeZone) -> Option<Item<'a>> {
    match operator {
        Operator::Compare(comparison) => compare(comparison, a, b, zone).map(Item::Bool),
        Operator::Minus => minus(a, b, zone),
        Operator::Times => numbers(a, b, i64::checked_mul, |x, y| x * y),
        Operator::Divide => numbers(a, b, i64::checked_div, |x, y| x / y),
        Operator::Modulo => numbers(a, b, i64::checked_rem, |x, y| x % y),
    }
}

/// Whole numbers stay whole; beside a float they become one.
#[inline]
fn numbers<'a>(a: &Item, b: &Item, whole: fn(i64, i64) -> Option<i64>, float: fn(f64, f64) -> f64) -> Option<Item<'a>> {
    match (a, b) {
        (Item::Int(x), Item::Int(y)) => whole(*x, *y).map(Item::Int),
        // What is not finite is an error, which the interpreter tells.
        _ => Some(float(a.float()?, b.float()?)).filter(|result| result.is_finite()).map(Item::Float),
    }
}

fn minus<'a>(a: &Item, b: &Item, zone: &TimeZone) -> Option<Item<'a>> {
    match (a, b) {
        (Item::Date(to), Item::Date(from)) => Some(Item::Int(days_between(*from, *to))),
        (Item::Date(date), Item::Days(days)) => moved(*date, -i64::from(*days)).ok().map(Item::Date),
        (Item::Instant(at), Item::Days(days)) => moved_instant(*at, -i64::from(*days), zone).ok().map(Item::Instant),
        _ => numbers(a, b, i64::checked_sub, |x, y| x - y),
    }
}

pub(super) fn plus<'a>(a: &Item<'a>, b: &Item<'a>, zone: &TimeZone) -> Option<Item<'a>> {
    match (a, b) {
        (Item::Date(date), Item::Days(days)) => moved(*date, i64::from(*days)).ok().map(Item::Date),
        (Item::Instant(at), Item::Days(days)) => moved_instant(*at, i64::from(*days), zone).ok().map(Item::Instant),
        _ if a.text().is_some() || b.text().is_some() => {
            let mut text = SmolStrBuilder::new();
            a.show(&mut text)?;
            b.show(&mut text)?;
            Some(Item::Made(text.finish()))
        }
        _ => numbers(a, b, i64::checked_add, |x, y| x + y),
    }
}

#[inline]
fn compare(comparison: Comparison, a: &Item, b: &Item, zone: &TimeZone) -> Option<bool> {
    match (a, b) {
        (Item::Int(a), Item::Int(b)) => Some(ordered(comparison, a, b)),
        (Item::Bool(a), Item::Bool(b)) => Some(ordered(comparison, a, b)),
        (Item::Date(a), Item::Date(b)) => Some(ordered(comparison, a, b)),
        (Item::Instant(a), Item::Instant(b)) => Some(ordered(comparison, a, b)),
        (Item::Instant(a), Item::Date(b)) => Some(ordered(comparison, &instant_against(*a, *b, zone), &Ordering::Equal)),
        (Item::Date(a), Item::Instant(b)) => Some(ordered(comparison, &Ordering::Equal, &instant_against(*b, *a, zone))),
        (Item::Null, Item::Null) => Some(comparison == Comparison::Equal),
        (Item::Days(_) | Item::List | Item::Map(_), _) | (_, Item::Days(_) | Item::List | Item::Map(_)) if a.kind() == b.kind() => None,
        _ => match (a.text(), b.text()) {
            (Some(a), Some(b)) => Some(ordered(comparison, a, b)),
            _ if a.kind() != b.kind() => Some(comparison == Comparison::Unequal),
            _ => Some(floats(comparison, a.float()?, b.float()?)),
        },
    }
}

fn ordered<T: PartialOrd + ?Sized>(comparison: Comparison, a: &T, b: &T) -> bool {
    match comparison {
        Comparison::Equal => a == b,
        Comparison::Unequal => a != b,
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterOrEqual => a >= b,
    }
}

/// The engine compares floats by their difference in relation to the larger one; what is that close is equal.
fn floats(comparison: Comparison, x: f64, y: f64) -> bool {
    let max = if x * y == 0.0 { 1.0 } else { x.abs().max(y.abs()) };
    if max == 0.0 {
        return matches!(comparison, Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual);
    }
    match comparison {
        Comparison::Equal => (x - y).abs() / max <= f64::EPSILON,
        Comparison::Unequal => (x - y).abs() / max > f64::EPSILON,
        Comparison::Less => (y - x) / max > f64::EPSILON,
        Comparison::LessOrEqual => (y - x) / max > -f64::EPSILON,
        Comparison::Greater => (x - y) / max > f64::EPSILON,
        Comparison::GreaterOrEqual => (x - y) / max > -f64::EPSILON,
    }
}
