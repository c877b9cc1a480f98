//! Conditions: checked against the types of their fields, then decided for a row.

use crate::sandbox::salesforce::cell::{Cell, fold_order};
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::schema::{Field, Kind};
use crate::sandbox::salesforce::soql::ast::{Condition, Expr, Literal, Op, Query};
use crate::sandbox::salesforce::soql::bind::{self, Names, Scope};
use crate::sandbox::salesforce::soql::dates;
use crate::sandbox::salesforce::soql::fault::QueryFault;
use crate::sandbox::salesforce::soql::lex::{PERCENT, UNDERSCORE};
use crate::sandbox::salesforce::soql::plan::{Bound, Column, Operand, Test};
use crate::sandbox::salesforce::soql::run;
use crate::sandbox::salesforce::time::{DAY, day_of};
use smol_str::{SmolStr, ToSmolStr};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Resolves a condition.
pub(crate) fn bind(scope: &Scope<'_>, names: &Names<'_>, condition: &Condition, aggregates: bool) -> Result<Test, QueryFault> {
    if semi_joins(condition) > 2 {
        return Err(QueryFault::new("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", "There are too many semi join sub-selects. Maximum is 2"));
    }
    bind_part(scope, names, condition, aggregates)
}

fn semi_joins(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(semi_joins).sum(),
        Condition::Not(inner) => semi_joins(inner),
        Condition::InQuery { .. } => 1,
        _ => 0,
    }
}

fn bind_part(scope: &Scope<'_>, names: &Names<'_>, condition: &Condition, aggregates: bool) -> Result<Test, QueryFault> {
    let all = |parts: &[Condition]| parts.iter().map(|part| bind_part(scope, names, part, aggregates)).collect::<Result<Vec<_>, _>>();
    match condition {
        Condition::All(parts) => Ok(Test::All(all(parts)?)),
        Condition::Any(parts) => {
            if parts.iter().any(|part| semi_joins(part) > 0) {
                return Err(QueryFault::malformed("Semi join sub-selects are not allowed with the 'OR' operator"));
            }
            Ok(Test::Any(all(parts)?))
        }
        Condition::Not(inner) => Ok(Test::Not(Box::new(bind_part(scope, names, inner, aggregates)?))),
        Condition::Compare { left, op, right } => compare(scope, names, left, *op, right, aggregates),
        Condition::In { left, negated, list } => inside(scope, names, left, *negated, list, aggregates),
        Condition::InQuery { left, negated, query } => semi_join(scope, names, left, *negated, query),
        Condition::Includes { left, negated, list } => includes(scope, names, left, *negated, list),
    }
}

/// The left side and whether its texts are compared exactly.
fn left_side(scope: &Scope<'_>, names: &Names<'_>, left: &Expr, aggregates: bool) -> Result<(Bound, SmolStr, bool), QueryFault> {
    let bound = bind::expression(scope, names, left, aggregates)?;
    let field = bind::field_of(scope, names.object, &bound);
    let name = field.map(|f| f.name.clone()).unwrap_or_default();
    if field.is_some_and(|f| !f.filterable) && !bound.is_aggregate() {
        return Err(scope.at("INVALID_FIELD", left.place(), &format!("field '{name}' can not be filtered in a query call")));
    }
    let exact = field.is_some_and(|f: &Field| f.kind.is_id() || f.case_sensitive);
    Ok((bound, name, exact))
}

fn compare(scope: &Scope<'_>, names: &Names<'_>, left: &Expr, op: Op, right: &Literal, aggregates: bool) -> Result<Test, QueryFault> {
    let (bound, name, exact) = left_side(scope, names, left, aggregates)?;
    let kind = bound.kind();
    if op == Op::Like {
        if kind.is_id() {
            return Err(scope.at("INVALID_QUERY_FILTER_OPERATOR", left.place(), "invalid operator on id field"));
        }
        let Literal::Text(pattern) = right else {
            return Err(wrong_type(scope, left, &name, Kind::Text));
        };
        if !kind.is_text() {
            return Err(scope.at("INVALID_QUERY_FILTER_OPERATOR", left.place(), &format!("invalid operator on {} field", kind.names().0)));
        }
        return Ok(Test::Like { left: bound, pattern: pattern.chars().flat_map(char::to_lowercase).collect() });
    }
    if matches!(kind, Kind::Multipicklist | Kind::Boolean) && !matches!(op, Op::Eq | Op::Ne) {
        return Err(scope.at("INVALID_QUERY_FILTER_OPERATOR", left.place(), &format!("invalid operator on {} field", kind.names().0)));
    }
    let right = operand(scope, left, &name, kind, right)?;
    Ok(Test::Compare { left: bound, op, right, exact })
}

fn wrong_type(scope: &Scope<'_>, left: &Expr, name: &str, kind: Kind) -> QueryFault {
    let quotes = if kind.is_text() || kind.is_id() { "should be enclosed in quotes" } else { "should not be enclosed in quotes" };
    let kind = match kind {
        Kind::Datetime => "dateTime",
        _ if kind.is_text() => "string",
        _ => kind.names().0,
    };
    scope.at("INVALID_FIELD", left.place(), &format!("value of filter criterion for field '{name}' must be of type {kind} and {quotes}"))
}

fn operand(scope: &Scope<'_>, left: &Expr, name: &str, kind: Kind, right: &Literal) -> Result<Operand, QueryFault> {
    let cell = match (right, kind) {
        (Literal::Null, _) => Cell::Null,
        (Literal::Bool(b), Kind::Boolean) => Cell::Bool(*b),
        (Literal::Number(n), _) if kind.is_number() => Cell::Num(*n),
        (Literal::Date(day), Kind::Date) => Cell::Date(*day),
        (Literal::Datetime(ms), Kind::Datetime) => Cell::Datetime(*ms),
        (Literal::Relative(literal, count), Kind::Date | Kind::Datetime) => {
            let (from, to) = dates::range(literal, *count, day_of(scope.now));
            return Ok(Operand::Between(i64::from(from) * DAY, i64::from(to) * DAY));
        }
        (Literal::Text(text), _) if kind.is_id() => match text.as_str() {
            "" => Cell::Null,
            _ => Cell::Text(id(text)?),
        },
        (Literal::Text(text), _) if kind.is_text() => Cell::text(text),
        _ => return Err(wrong_type(scope, left, name, kind)),
    };
    Ok(Operand::Value(cell))
}

fn id(text: &str) -> Result<SmolStr, QueryFault> {
    ids::long_form(text).map(SmolStr::from).ok_or_else(|| QueryFault::new("INVALID_QUERY_FILTER_OPERATOR", format!("invalid ID field: {text}")))
}

fn inside(scope: &Scope<'_>, names: &Names<'_>, left: &Expr, negated: bool, list: &[Literal], aggregates: bool) -> Result<Test, QueryFault> {
    let (bound, name, exact) = left_side(scope, names, left, aggregates)?;
    let kind = bound.kind();
    let operands = list.iter().map(|literal| operand(scope, left, &name, kind, literal)).collect::<Result<Vec<_>, _>>()?;
    if !kind.is_id() && !kind.is_text() {
        return Ok(Test::In { left: bound, negated, list: operands });
    }
    let mut texts = HashSet::new();
    let mut null = false;
    for operand in operands {
        match operand {
            Operand::Value(Cell::Text(text)) if exact => _ = texts.insert(text),
            Operand::Value(Cell::Text(text)) => _ = texts.insert(text.to_lowercase().to_smolstr()),
            _ => null = true,
        }
    }
    Ok(Test::InTexts { left: bound, negated, texts, null, exact })
}

fn semi_join(scope: &Scope<'_>, names: &Names<'_>, left: &Expr, negated: bool, query: &Query) -> Result<Test, QueryFault> {
    let (bound, name, _) = left_side(scope, names, left, false)?;
    if !bound.kind().is_id() {
        let text = format!("The left operand '{name}' in the where expression with an inner select must be an id field");
        return Err(scope.at("MALFORMED_QUERY", left.place(), &text));
    }
    if query.filter.as_ref().is_some_and(|filter| semi_joins(filter) > 0) {
        return Err(scope.at("MALFORMED_QUERY", query.place, "Nesting of semi join sub-selects is not supported"));
    }
    let plan = bind::bind(scope, query)?;
    let [Column::Value { expr, .. }] = plan.columns.as_slice() else {
        return Err(scope.at("MALFORMED_QUERY", query.place, "The inner select field must be one id or reference field"));
    };
    if plan.grouped || !expr.kind().is_id() {
        return Err(scope.at("MALFORMED_QUERY", query.place, "The inner select field cannot have a non-ID or reference field type"));
    }
    let mut texts = HashSet::new();
    let hits = run::hits(scope.data, &plan);
    for row in hits.rows(scope.data, &plan, 0) {
        if let Cell::Text(text) = scope.data.value(plan.object, &row, expr) {
            texts.insert(text);
        }
    }
    Ok(Test::InTexts { left: bound, negated, texts, null: false, exact: true })
}

fn includes(scope: &Scope<'_>, names: &Names<'_>, left: &Expr, negated: bool, list: &[Literal]) -> Result<Test, QueryFault> {
    let (bound, name, _) = left_side(scope, names, left, false)?;
    if bound.kind() != Kind::Multipicklist {
        let text = format!("includes/excludes operator only valid on multipicklist field: {name}");
        return Err(scope.at("INVALID_QUERY_FILTER_OPERATOR", left.place(), &text));
    }
    let sets = list.iter().map(|literal| match literal {
        Literal::Text(text) => Ok(text.split(';').map(|part| part.trim().to_lowercase().to_smolstr()).collect()),
        _ => Err(wrong_type(scope, left, &name, Kind::Text)),
    });
    Ok(Test::Includes { left: bound, negated, list: sets.collect::<Result<_, _>>()? })
}

/// Decides a condition; `value` gives the value of an expression for the row at hand.
pub(crate) fn holds(test: &Test, value: &dyn Fn(&Bound) -> Cell) -> bool {
    match test {
        Test::All(parts) => parts.iter().all(|part| holds(part, value)),
        Test::Any(parts) => parts.iter().any(|part| holds(part, value)),
        Test::Not(inner) => !holds(inner, value),
        Test::Compare { left, op, right, exact } => compares(&filled(value(left), left), *op, right, *exact),
        Test::Like { left, pattern } => match value(left) {
            Cell::Text(found) => like(&found.chars().flat_map(char::to_lowercase).collect::<Vec<_>>(), pattern),
            _ => pattern.is_empty(),
        },
        Test::InTexts { left, negated, texts, null, exact } => {
            let found = match value(left) {
                Cell::Text(found) if *exact => texts.contains(found.as_str()),
                Cell::Text(found) => texts.contains(found.to_lowercase().as_str()),
                _ => *null,
            };
            found != *negated
        }
        Test::In { left, negated, list } => {
            let cell = filled(value(left), left);
            list.iter().any(|right| compares(&cell, Op::Eq, right, false)) != *negated
        }
        Test::Includes { left, negated, list } => {
            let cell = value(left);
            let chosen: Vec<String> = cell.as_text().unwrap_or_default().split(';').map(str::to_lowercase).collect();
            list.iter().any(|set| set.iter().all(|part| chosen.iter().any(|c| c == part.as_str()))) != *negated
        }
    }
}

/// A null boolean counts as false.
fn filled(cell: Cell, left: &Bound) -> Cell {
    if cell.is_null() && left.kind() == Kind::Boolean { Cell::Bool(false) } else { cell }
}

fn compares(cell: &Cell, op: Op, right: &Operand, exact: bool) -> bool {
    let right = match right {
        Operand::Between(from, to) => return between(cell, op, *from, *to),
        Operand::Value(right) => right,
    };
    if cell.is_null() || right.is_null() {
        let same = cell.is_null() && right.is_null();
        return match op {
            Op::Eq | Op::Le | Op::Ge => same,
            Op::Ne => !same,
            _ => false,
        };
    }
    let order = match (cell, right) {
        (Cell::Text(a), Cell::Text(b)) if exact => a.cmp(b),
        (Cell::Text(a), Cell::Text(b)) => fold_order(a, b),
        _ => cell.order(right, Kind::Text),
    };
    match op {
        Op::Eq | Op::Like => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Lt => order == Ordering::Less,
        Op::Le => order != Ordering::Greater,
        Op::Gt => order == Ordering::Greater,
        Op::Ge => order != Ordering::Less,
    }
}

fn between(cell: &Cell, op: Op, from: i64, to: i64) -> bool {
    let at = match cell {
        Cell::Date(day) => i64::from(*day) * DAY,
        Cell::Datetime(ms) => *ms,
        _ => return op == Op::Ne,
    };
    match op {
        Op::Eq | Op::Like => from <= at && at < to,
        Op::Ne => at < from || at >= to,
        Op::Lt => at < from,
        Op::Le => at < to,
        Op::Gt => at >= to,
        Op::Ge => at >= from,
    }
}

/// `LIKE` over folded characters, with one step back to the last `%` on a mismatch.
fn like(text: &[char], pattern: &[char]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                back = Some((p, t));
                p += 1;
                continue;
            }
            Some('_') => {
                (t, p) = (t + 1, p + 1);
                continue;
            }
            Some(c) if plain(*c) == text[t] => {
                (t, p) = (t + 1, p + 1);
                continue;
            }
            _ => {}
        }
        let Some((star, at)) = back else { return false };
        back = Some((star, at + 1));
        (t, p) = (at + 1, star + 1);
    }
    pattern[p..].iter().all(|c| *c == '%')
}

const fn plain(c: char) -> char {
    match c {
        PERCENT => '%',
        UNDERSCORE => '_',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_runs_single_characters_and_escapes() {
        let table =
            [("acme corp", "acme%", true), ("acme", "a_me", true), ("acme", "a%e%", true), ("acme", "b%", false), ("50%", "50\u{F0001}", true)];
        for (text, pattern, expected) in table.into_iter().chain([("500", "50\u{F0001}", false), ("abcabd", "%abd", true), ("", "%", true)]) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(like(&chars(text), &chars(pattern)), expected, "{text} {pattern}");
        }
    }
}
