//! Conditions and the expression over them, parsed and evaluated for real.
//!
//! Where the articles are silent: equality of text is exact but for e-mail addresses, the partial matches ignore capitals, and a
//! field without a value is unequal to every value and neither greater nor less than any.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{
    answer::{Refused, invalid},
    objects::{Kind, Object},
    path::Path,
    tenant::Tenant,
    values,
};
use crate::sandbox::documents::Row;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Btw,
    In,
    Contains,
    DoesNotContain,
    StartsWith,
    EndsWith,
    IsNull,
    IsNotNull,
    Includes,
    Excludes,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("EQ", Operator::Eq),
    ("NE", Operator::Ne),
    ("GT", Operator::Gt),
    ("GTE", Operator::Gte),
    ("LT", Operator::Lt),
    ("LTE", Operator::Lte),
    ("BTW", Operator::Btw),
    ("IN", Operator::In),
    ("CONTAINS", Operator::Contains),
    ("STARTS_WITH", Operator::StartsWith),
    ("ENDS_WITH", Operator::EndsWith),
    ("IS_NULL", Operator::IsNull),
    ("IS_NOT_NULL", Operator::IsNotNull),
    ("INCLUDES", Operator::Includes),
    ("EXCLUDES", Operator::Excludes),
];

/// What conditions look like in one family of calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// The key of the field: `name`, in lists of calls to action `fieldName`.
    pub(super) field: &'static str,
    /// Whether `DOES_NOT_CONTAINS` is known.
    pub(super) does_not_contain: bool,
    pub(super) times: Times,
}

impl Dialect {
    pub(super) const fn with(self, times: Times) -> Self {
        Self { times, ..self }
    }
}

/// Which date-times conditions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Times {
    /// With a zone or without, in every form that documents show; UTC where there is none.
    #[default]
    Any,
    /// `yyyy-MM-dd HH:mm:ss` alone, read in a zone so many hours ahead of UTC.
    Plain(i8),
}

pub(super) const OBJECT: Dialect = Dialect { field: "name", does_not_contain: false, times: Times::Any };
pub(super) const COCKPIT: Dialect = Dialect { field: "fieldName", does_not_contain: true, times: Times::Any };

/// A value to compare with, by the field's kind.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Text(String),
    Number(f64),
    Bool(bool),
    Day(jiff::civil::Date),
    Instant(i64),
}

#[derive(Debug)]
struct Condition {
    alias: String,
    path: Path,
    operator: Operator,
    operands: Vec<Operand>,
    /// As they were sent, for the index.
    values: Vec<Value>,
}

#[derive(Debug)]
enum Expression {
    Condition(usize),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// A `where` clause; without conditions every row matches.
#[derive(Debug, Default)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
    expression: Option<Expression>,
}

impl Filter {
    /// Reads a `where` object; null and `{}` match everything.
    pub(super) fn parse(object: &'static Object, clause: &Value, dialect: Dialect) -> Result<Self, Refused> {
        let clause = match clause {
            Value::Null => return Ok(Self::default()),
            Value::Object(clause) => clause,
            _ => return Err(invalid("where must be an object")),
        };
        known_keys(clause, &["conditions", "expression"], "where")?;
        let sent = match clause.get("conditions") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(sent)) => sent,
            Some(_) => return Err(invalid("where.conditions must be a list")),
        };
        let conditions: Vec<Condition> = sent.iter().map(|one| condition(object, one, dialect)).collect::<Result<_, _>>()?;
        let expression = match clause.get("expression").and_then(Value::as_str).map(str::trim) {
            None | Some("") if conditions.is_empty() => return Ok(Self::default()),
            None | Some("") => return Err(invalid("where.expression is mandatory when there are conditions")),
            Some(text) => text,
        };
        let expression = parse_expression(expression, &conditions)?;
        let unused = (0..conditions.len()).find(|index| !mentions(&expression, *index));
        if let Some(index) = unused {
            return Err(invalid(format!("Alias {} is not used in the expression", conditions[index].alias)));
        }
        Ok(Self { conditions, expression: Some(expression) })
    }

    pub(super) fn matches(&self, tenant: &Tenant, row: &Row) -> bool {
        self.expression.as_ref().is_none_or(|expression| self.holds(expression, tenant, row))
    }

    fn holds(&self, expression: &Expression, tenant: &Tenant, row: &Row) -> bool {
        match expression {
            Expression::Condition(index) => self.conditions[*index].holds(tenant, row),
            Expression::All(parts) => parts.iter().all(|part| self.holds(part, tenant, row)),
            Expression::Any(parts) => parts.iter().any(|part| self.holds(part, tenant, row)),
        }
    }

    /// The conditions that every matching row meets.
    fn certain(&self) -> impl Iterator<Item = &Condition> {
        let parts = match &self.expression {
            Some(Expression::All(parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        parts.iter().filter_map(|part| match part {
            Expression::Condition(index) => Some(&self.conditions[*index]),
            _ => None,
        })
    }

    /// Rows that may match, by ascending id, where an index knows them.
    pub(super) fn candidates(&self, tenant: &Tenant, object: &'static Object) -> Option<Vec<Row>> {
        let equal = |condition: &&Condition| matches!(condition.operator, Operator::Eq | Operator::In);
        self.certain().filter(equal).find_map(|condition| tenant.rows_by(object, condition.path.own()?.name, &condition.values))
    }

    /// The greatest id below all matching rows (`Gsid GT` or `GTE` it).
    pub(super) fn after_id(&self) -> Option<&str> {
        let lower = |condition: &&Condition| {
            matches!(condition.operator, Operator::Gt | Operator::Gte) && condition.path.own().is_some_and(|field| field.name == "Gsid")
        };
        self.certain().filter(lower).filter_map(|condition| condition.values.first()?.as_str()).max()
    }
}

/// Refuses a key that nobody documents: taking no notice of it would give a wrong answer.
pub(super) fn known_keys(map: &Map<String, Value>, known: &[&str], what: &str) -> Result<(), Refused> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(invalid(format!("Unrecognized key {key} in {what}"))),
        None => Ok(()),
    }
}

fn condition(object: &'static Object, sent: &Value, dialect: Dialect) -> Result<Condition, Refused> {
    let Value::Object(sent) = sent else { return Err(invalid("a condition must be an object")) };
    known_keys(sent, &[dialect.field, "alias", "value", "operator"], "a condition")?;
    let text = |key: &str| sent.get(key).and_then(Value::as_str).ok_or_else(|| invalid(format!("a condition needs {key}")));
    let path = Path::parse(object, text(dialect.field)?)?;
    let word = text("operator")?;
    let operator = match OPERATORS.iter().find(|(known, _)| *known == word) {
        Some((_, operator)) => *operator,
        None if dialect.does_not_contain && word == "DOES_NOT_CONTAINS" => Operator::DoesNotContain,
        None => return Err(invalid(format!("Invalid operator {word}"))),
    };
    let values = match sent.get("value") {
        Some(Value::Array(values)) => values.clone(),
        None | Some(Value::Null) if matches!(operator, Operator::IsNull | Operator::IsNotNull) => Vec::new(),
        _ => return Err(invalid(format!("value of a condition on {} must be a list", path.spelled))),
    };
    check(operator, &path, values.len())?;
    let operands = if matches!(operator, Operator::IsNull | Operator::IsNotNull) {
        Vec::new()
    } else {
        values.iter().map(|value| operand(&path, value, dialect.times)).collect::<Result<_, _>>()?
    };
    Ok(Condition { alias: text("alias")?.to_owned(), path, operator, operands, values })
}

/// Whether the operator goes with the field's kind and this many values.
fn check(operator: Operator, path: &Path, values: usize) -> Result<(), Refused> {
    let textual = !matches!(path.kind(), Kind::Number | Kind::Currency | Kind::Percentage | Kind::Boolean | Kind::Date | Kind::DateTime);
    let fits = match operator {
        Operator::Contains | Operator::DoesNotContain | Operator::StartsWith | Operator::EndsWith => textual,
        Operator::Includes | Operator::Excludes => matches!(path.kind(), Kind::Multi(_)),
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte | Operator::Btw => path.kind() != Kind::Boolean,
        _ => true,
    };
    if !fits {
        return Err(invalid(format!("Operator is not supported for field {} of type {}", path.spelled, path.kind().word())));
    }
    let counts = match operator {
        Operator::Btw => values == 2,
        Operator::IsNull | Operator::IsNotNull => true,
        Operator::In | Operator::Includes | Operator::Excludes => values >= 1,
        _ => values == 1,
    };
    if counts { Ok(()) } else { Err(invalid(format!("Wrong number of values for field {}", path.spelled))) }
}

fn operand(path: &Path, value: &Value, times: Times) -> Result<Operand, Refused> {
    let wrong = || {
        let code = match path.kind() {
            Kind::Date => "GSOBJ_1006",
            Kind::DateTime => "GSOBJ_1005",
            _ => "GSOBJ_1008",
        };
        super::answer::wrong(code, format!("Invalid value {value} for field {}", path.spelled))
    };
    match path.kind() {
        Kind::Number | Kind::Currency | Kind::Percentage => {
            let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number: &f64| number.is_finite());
            number.map(Operand::Number).ok_or_else(wrong)
        }
        Kind::Boolean => value.as_bool().or_else(|| value.as_str()?.parse().ok()).map(Operand::Bool).ok_or_else(wrong),
        Kind::Date => values::day(value).map(Operand::Day).ok_or_else(wrong),
        Kind::DateTime => match times {
            Times::Any => values::instant(value),
            Times::Plain(ahead) => plain(value, ahead),
        }
        .map(Operand::Instant)
        .ok_or_else(wrong),
        Kind::Email => value.as_str().map(|text| Operand::Text(text.to_lowercase())).ok_or_else(wrong),
        _ => value.as_str().map(|text| Operand::Text(text.to_owned())).ok_or_else(wrong),
    }
}

/// The milliseconds of `2026-01-31 10:00:00` in a zone ahead of UTC.
fn plain(value: &Value, ahead: i8) -> Option<i64> {
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", value.as_str()?).ok()?;
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_hours(ahead).ok()?);
    zone.to_timestamp(civil).ok().map(jiff::Timestamp::as_millisecond)
}

/// A kept value as what it is compared as; none for null.
fn kept(kind: Kind, value: &Value) -> Option<Operand> {
    match kind {
        Kind::Number | Kind::Currency | Kind::Percentage => value.as_f64().map(Operand::Number),
        Kind::Boolean => value.as_bool().map(Operand::Bool),
        Kind::Date => values::day(value).map(Operand::Day),
        Kind::DateTime => values::instant(value).map(Operand::Instant),
        Kind::Email => value.as_str().map(|text| Operand::Text(text.to_lowercase())),
        _ => value.as_str().map(|text| Operand::Text(text.to_owned())),
    }
}

/// The order of two kept values of one kind; null comes first.
pub(super) fn order(kind: Kind, a: &Value, b: &Value) -> Ordering {
    match (kept(kind, a), kept(kind, b)) {
        (Some(a), Some(b)) => compare(&a, &b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn compare(a: &Operand, b: &Operand) -> Option<Ordering> {
    match (a, b) {
        (Operand::Text(a), Operand::Text(b)) => Some(a.cmp(b)),
        (Operand::Number(a), Operand::Number(b)) => a.partial_cmp(b),
        (Operand::Bool(a), Operand::Bool(b)) => Some(a.cmp(b)),
        (Operand::Day(a), Operand::Day(b)) => Some(a.cmp(b)),
        (Operand::Instant(a), Operand::Instant(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

impl Condition {
    fn holds(&self, tenant: &Tenant, row: &Row) -> bool {
        let value = self.path.value(tenant, row);
        let Some(held) = kept(self.path.kind(), &value) else {
            return matches!(self.operator, Operator::IsNull | Operator::Ne | Operator::DoesNotContain | Operator::Excludes);
        };
        let order = |index: usize| self.operands.get(index).and_then(|operand| compare(&held, operand));
        match self.operator {
            Operator::IsNull => false,
            Operator::IsNotNull => true,
            Operator::Eq => order(0) == Some(Ordering::Equal),
            Operator::Ne => order(0) != Some(Ordering::Equal),
            Operator::Gt => order(0) == Some(Ordering::Greater),
            Operator::Gte => matches!(order(0), Some(Ordering::Greater | Ordering::Equal)),
            Operator::Lt => order(0) == Some(Ordering::Less),
            Operator::Lte => matches!(order(0), Some(Ordering::Less | Ordering::Equal)),
            Operator::Btw => order(0).is_some_and(Ordering::is_ge) && order(1).is_some_and(Ordering::is_le),
            Operator::In => self.operands.contains(&held),
            Operator::Contains => self.text_test(&held, |held, sought| held.contains(sought)),
            Operator::DoesNotContain => !self.text_test(&held, |held, sought| held.contains(sought)),
            Operator::StartsWith => self.text_test(&held, |held, sought| held.starts_with(sought)),
            Operator::EndsWith => self.text_test(&held, |held, sought| held.ends_with(sought)),
            Operator::Includes => self.has_choice(&held),
            Operator::Excludes => !self.has_choice(&held),
        }
    }

    fn text_test(&self, held: &Operand, test: fn(&str, &str) -> bool) -> bool {
        match (held, self.operands.first()) {
            (Operand::Text(held), Some(Operand::Text(sought))) => test(&held.to_lowercase(), &sought.to_lowercase()),
            _ => false,
        }
    }

    /// Whether one of the chosen ones is among the sought ones.
    fn has_choice(&self, held: &Operand) -> bool {
        let Operand::Text(held) = held else { return false };
        held.split(';').any(|choice| self.operands.iter().any(|sought| matches!(sought, Operand::Text(sought) if sought == choice.trim())))
    }
}

fn mentions(expression: &Expression, sought: usize) -> bool {
    match expression {
        Expression::Condition(index) => *index == sought,
        Expression::All(parts) | Expression::Any(parts) => parts.iter().any(|part| mentions(part, sought)),
    }
}

/// `A AND (B OR C)`; `AND` binds more tightly.
fn parse_expression(text: &str, conditions: &[Condition]) -> Result<Expression, Refused> {
    let mut tokens = tokens(text);
    tokens.reverse();
    let expression = any(&mut tokens, conditions, 0)?;
    match tokens.pop() {
        None => Ok(expression),
        Some(extra) => Err(invalid(format!("Invalid expression: unexpected {extra}"))),
    }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if matches!(first, '(' | ')') {
            1
        } else {
            rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ')')).unwrap_or(rest.len())
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn any(tokens: &mut Vec<&str>, conditions: &[Condition], depth: u32) -> Result<Expression, Refused> {
    let mut parts = vec![all(tokens, conditions, depth)?];
    while tokens.last().is_some_and(|token| token.eq_ignore_ascii_case("OR")) {
        tokens.pop();
        parts.push(all(tokens, conditions, depth)?);
    }
    Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::Any(parts) })
}

fn all(tokens: &mut Vec<&str>, conditions: &[Condition], depth: u32) -> Result<Expression, Refused> {
    let mut parts = vec![one(tokens, conditions, depth)?];
    while tokens.last().is_some_and(|token| token.eq_ignore_ascii_case("AND")) {
        tokens.pop();
        parts.push(one(tokens, conditions, depth)?);
    }
    Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::All(parts) })
}

fn one(tokens: &mut Vec<&str>, conditions: &[Condition], depth: u32) -> Result<Expression, Refused> {
    const DEEPEST: u32 = 64;
    match tokens.pop() {
        None => Err(invalid("Invalid expression: it ends too early")),
        Some("(") if depth < DEEPEST => {
            let inner = any(tokens, conditions, depth + 1)?;
            if tokens.pop() == Some(")") { Ok(inner) } else { Err(invalid("Invalid expression: ) is missing")) }
        }
        Some(alias) => {
            let index = conditions.iter().position(|condition| condition.alias == alias);
            index.map(Expression::Condition).ok_or_else(|| invalid(format!("Invalid expression: no condition has the alias {alias}")))
        }
    }
}
