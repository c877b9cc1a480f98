//! Expressions of filter, eval and select: evaluated over one row. Nothing fails; what makes no sense is null.

use std::sync::Arc;

use serde_json::Value;

use super::{
    datum::Datum,
    row::{Context, Path, Row},
    window::Period,
};
use crate::sandbox::clock::{DAY_MS, date_of};

/// What is computed for a row.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Constant(Datum),
    Path(Path),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    List(Vec<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    In,
    Plus,
    Minus,
    Times,
    Divided,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Now,
    /// `date(y, m, d[, h, min, s])`.
    Date,
    /// `dateAdd(time, n, "days")`.
    DateAdd,
    /// `startOfPeriod("daily", time)`.
    StartOfPeriod,
    /// 0 is Sunday.
    DayOfWeek,
    Hash,
    /// Whether a text holds another, or a list a value.
    Contains,
    IsNumber,
    IsNull,
    If,
}

impl Function {
    /// The function and how many arguments it takes.
    pub(super) fn named(name: &str) -> Option<(Self, std::ops::RangeInclusive<usize>)> {
        Some(match name {
            "now" => (Self::Now, 0..=0),
            "date" => (Self::Date, 3..=6),
            "dateAdd" => (Self::DateAdd, 3..=3),
            "startOfPeriod" => (Self::StartOfPeriod, 2..=2),
            "dayOfWeek" => (Self::DayOfWeek, 1..=1),
            "hash" => (Self::Hash, 1..=1),
            "contains" => (Self::Contains, 2..=2),
            "isNumber" => (Self::IsNumber, 1..=1),
            "isNull" => (Self::IsNull, 1..=1),
            "if" => (Self::If, 3..=3),
            _ => return None,
        })
    }
}

impl Expression {
    /// The path, when it is nothing but one.
    pub(super) const fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }

    pub(super) fn evaluate(&self, row: &Row, context: &Context) -> Datum {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Path(path) => row.get(path, context),
            Self::Not(inner) => Datum::Bool(!inner.evaluate(row, context).is_true()),
            Self::Minus(inner) => inner.evaluate(row, context).as_number().map_or(Datum::Null, |number| Datum::Number(-number)),
            Self::List(items) => {
                let items: Vec<Value> = items.iter().map(|item| item.evaluate(row, context).into_json(&context.company)).collect();
                Datum::Json(Arc::new(items.into()))
            }
            Self::Binary(operator, left, right) => binary(*operator, left, right, row, context),
            Self::Call(Function::If, arguments) => {
                let chosen = if arguments[0].evaluate(row, context).is_true() { 1 } else { 2 };
                arguments[chosen].evaluate(row, context)
            }
            Self::Call(function, arguments) => {
                let arguments: Vec<Datum> = arguments.iter().map(|argument| argument.evaluate(row, context)).collect();
                call(*function, &arguments, context).unwrap_or(Datum::Null)
            }
        }
    }
}

fn binary(operator: Operator, left: &Expression, right: &Expression, row: &Row, context: &Context) -> Datum {
    let company = &context.company;
    let one = left.evaluate(row, context);
    match operator {
        Operator::Or => return Datum::Bool(one.is_true() || right.evaluate(row, context).is_true()),
        Operator::And => return Datum::Bool(one.is_true() && right.evaluate(row, context).is_true()),
        Operator::In => return Datum::Bool(is_in(&one, right, row, context)),
        _ => {}
    }
    let other = right.evaluate(row, context);
    let compared = || one.compare(&other, company);
    Datum::Bool(match operator {
        Operator::Equal => one.equals(&other, company),
        Operator::Unequal => !one.equals(&other, company),
        Operator::Less => compared().is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => compared().is_some_and(std::cmp::Ordering::is_le),
        Operator::More => compared().is_some_and(std::cmp::Ordering::is_gt),
        Operator::MoreOrEqual => compared().is_some_and(std::cmp::Ordering::is_ge),
        _ => return calculated(operator, &one, &other, context),
    })
}

fn is_in(one: &Datum, list: &Expression, row: &Row, context: &Context) -> bool {
    match list {
        Expression::List(items) => items.iter().any(|item| item.evaluate(row, context).equals(one, &context.company)),
        other => holds(&other.evaluate(row, context), one, context),
    }
}

/// Whether a list holds a value.
fn holds(list: &Datum, one: &Datum, context: &Context) -> bool {
    match list {
        Datum::Json(list) => list.as_array().is_some_and(|items| items.iter().any(|item| Datum::from(item).equals(one, &context.company))),
        _ => false,
    }
}

fn calculated(operator: Operator, one: &Datum, other: &Datum, context: &Context) -> Datum {
    if let (Some(one), Some(other)) = (one.as_number(), other.as_number()) {
        let result = match operator {
            Operator::Plus => one + other,
            Operator::Minus => one - other,
            Operator::Times => one * other,
            Operator::Divided => one / other,
            _ => one % other,
        };
        return if result.is_finite() { Datum::Number(result) } else { Datum::Null };
    }
    match (operator, one.as_text(&context.company), other.as_text(&context.company)) {
        (Operator::Plus, Some(one), Some(other)) => Datum::text(&format!("{one}{other}")),
        _ => Datum::Null,
    }
}

fn call(function: Function, arguments: &[Datum], context: &Context) -> Option<Datum> {
    let number = |place: usize| whole(arguments.get(place)?);
    let text = |place: usize| arguments.get(place)?.as_text(&context.company);
    Some(match function {
        Function::Now => Datum::int(context.now),
        Function::Date => {
            let part = |place: usize| if place < arguments.len() { number(place) } else { Some(0) };
            let day = jiff::civil::Date::new(i16::try_from(number(0)?).ok()?, i8::try_from(number(1)?).ok()?, i8::try_from(number(2)?).ok()?).ok()?;
            let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
            Datum::int(midnight + ((part(3)? * 60 + part(4)?) * 60 + part(5)?) * 1_000)
        }
        Function::DateAdd => {
            let period = Period::of_unit(&text(2)?)?;
            Datum::int(period.added(number(0)?, number(1)?))
        }
        Function::StartOfPeriod => Datum::int(Period::named(&text(0)?)?.0.start(number(1)?)),
        Function::DayOfWeek => Datum::int(i64::from(date_of(number(0)?.div_euclid(DAY_MS)).weekday().to_sunday_zero_offset())),
        Function::Hash => {
            let shown = arguments.first()?.clone().into_json(&context.company).to_string();
            Datum::int(i64::try_from(xxhash_rust::xxh3::xxh3_64(shown.as_bytes()) >> 32).ok()?)
        }
        Function::Contains => match &arguments[0] {
            Datum::Json(_) => Datum::Bool(holds(&arguments[0], &arguments[1], context)),
            _ => Datum::Bool(text(0)?.contains(text(1)?.as_ref())),
        },
        Function::IsNumber => Datum::Bool(matches!(arguments[0], Datum::Number(_))),
        Function::IsNull => Datum::Bool(matches!(arguments[0], Datum::Null)),
        Function::If => return None,
    })
}

#[allow(clippy::cast_possible_truncation)]
fn whole(value: &Datum) -> Option<i64> {
    value.as_number().filter(|number| number.abs() < 1e16).map(|number| number as i64)
}
