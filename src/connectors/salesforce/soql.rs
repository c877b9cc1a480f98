//! SOQL text from fields, filters and values ("SOQL and SOSL Reference").

use std::{collections::HashMap, fmt::Write as _};

use crate::model::{Condition, Fault, FieldType, Filter, Logic, Operator, System, TimeZone, Timestamp, Value, is_date_word};

use crate::connectors::http::invalid;

/// Field types by path, in lower case.
pub(super) type Kinds = HashMap<String, FieldType>;

/// The condition after `WHERE`. A day compared with a date and time is said with the instants of that day in the zone: SOQL's own date
/// words and functions would cut days in UTC, or in the connected user's zone.
pub(super) fn condition(filter: &Filter, kinds: &Kinds, zone: &TimeZone) -> Result<String, Fault> {
    let is_time = |condition: &Condition| matches!(kinds.get(&condition.field.to_ascii_lowercase()), Some(FieldType::DateTime { .. }));
    let filter = filter.in_instants(is_time, zone);
    logic(&filter.logic, &filter, kinds, zone)
}

fn logic(part: &Logic, filter: &Filter, kinds: &Kinds, zone: &TimeZone) -> Result<String, Fault> {
    match part {
        Logic::Is(label) => match filter.condition(label) {
            Some(condition) => comparison(condition, kinds, zone),
            None => Err(invalid(System::Salesforce, format!("the filter's logic names `{label}`, which is no condition"))),
        },
        Logic::Not(inner) => Ok(format!("(NOT {})", logic(inner, filter, kinds, zone)?)),
        Logic::All(parts) => joined(parts, " AND ", filter, (kinds, zone)),
        Logic::Any(parts) => joined(parts, " OR ", filter, (kinds, zone)),
    }
}

fn joined(parts: &[Logic], with: &str, filter: &Filter, (kinds, zone): (&Kinds, &TimeZone)) -> Result<String, Fault> {
    let parts: Vec<String> = parts.iter().map(|part| logic(part, filter, kinds, zone)).collect::<Result<_, _>>()?;
    match parts.as_slice() {
        [] => Ok("Id != null".to_owned()),
        [one] => Ok(one.clone()),
        many => Ok(format!("({})", many.join(with))),
    }
}

fn comparison(condition: &Condition, kinds: &Kinds, zone: &TimeZone) -> Result<String, Fault> {
    let (field, value) = (condition.field.as_str(), &condition.value);
    let kind = kinds.get(&field.to_ascii_lowercase()).cloned().unwrap_or(FieldType::Text { max: u32::MAX });
    let simple = |operator: &str| Ok(format!("{field} {operator} {}", literal(value, &kind, field, zone)?));
    match condition.operator {
        Operator::IsNull => Ok(format!("{field} = null")),
        Operator::IsNotNull => Ok(format!("{field} != null")),
        Operator::Equal => simple("="),
        // In SOQL as in the model, a null is unlike any value.
        Operator::NotEqual => simple("!="),
        Operator::Less => simple("<"),
        Operator::LessOrEqual => simple("<="),
        Operator::Greater => simple(">"),
        Operator::GreaterOrEqual => simple(">="),
        Operator::In => listed(field, value, (&kind, zone), true),
        Operator::NotIn => listed(field, value, (&kind, zone), false),
        Operator::Contains if matches!(kind, FieldType::MultiPicklist(_)) => Ok(format!("{field} INCLUDES ({})", quoted(&value.to_string()))),
        Operator::Contains => Ok(format!("{field} LIKE {}", like("%", value, "%"))),
        Operator::StartsWith => Ok(format!("{field} LIKE {}", like("", value, "%"))),
        Operator::EndsWith => Ok(format!("{field} LIKE {}", like("%", value, ""))),
    }
}

/// `IN` and `NOT IN`; a null in the list is a condition of its own, an empty list holds for nothing.
fn listed(field: &str, value: &Value, (kind, zone): (&FieldType, &TimeZone), within: bool) -> Result<String, Fault> {
    let items = match value {
        Value::List(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let (nulls, values): (Vec<&Value>, Vec<&Value>) = items.iter().partition(|item| item.is_blank());
    let mut parts = Vec::new();
    if !values.is_empty() {
        let literals: Vec<String> = values.into_iter().map(|item| literal(item, kind, field, zone)).collect::<Result<_, _>>()?;
        parts.push(format!("{field} {} ({})", if within { "IN" } else { "NOT IN" }, literals.join(",")));
    }
    if !nulls.is_empty() {
        parts.push(format!("{field} {} null", if within { "=" } else { "!=" }));
    }
    Ok(match (parts.as_slice(), within) {
        ([], true) => "Id = null".to_owned(),
        ([], false) => "Id != null".to_owned(),
        ([one], _) => one.clone(),
        (many, true) => format!("({})", many.join(" OR ")),
        (many, false) => format!("({})", many.join(" AND ")),
    })
}

/// A value as SOQL wants it for a field of that type: text in quotes; numbers, dates and instants bare.
pub(super) fn literal(value: &Value, kind: &FieldType, field: &str, zone: &TimeZone) -> Result<String, Fault> {
    if value.is_blank() {
        return Ok("null".to_owned());
    }
    if let (FieldType::Date | FieldType::DateTime { .. }, Value::Text(text)) = (kind, value)
        && is_date_word(text)
    {
        return Ok(text.to_string());
    }
    match kind {
        FieldType::Bool | FieldType::Date | FieldType::DateTime { .. } | FieldType::Time | FieldType::Float => bare(kind, value, field, zone),
        // Comparing need not fit the field's size: 0.5 may be asked of a whole number.
        FieldType::Int { .. } | FieldType::Number { .. } => bare(&FieldType::Float, value, field, zone),
        _ => Ok(quoted(&value.to_string())),
    }
}

fn bare(kind: &FieldType, value: &Value, field: &str, zone: &TimeZone) -> Result<String, Fault> {
    let fitted = kind.fit(value, zone).map_err(|misfit| invalid(System::Salesforce, format!("{field}: {misfit}")).field(field))?;
    Ok(match fitted {
        Value::Instant(at) => instant(at),
        other => other.to_string(),
    })
}

/// `2026-01-31T10:00:00.000Z`.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    escape_into(&mut out, text, false);
    out.push('\'');
    out
}

fn like(before: &str, value: &Value, after: &str) -> String {
    let mut out = format!("'{before}");
    escape_into(&mut out, &value.to_string(), true);
    out.push_str(after);
    out.push('\'');
    out
}

fn escape_into(out: &mut String, text: &str, like: bool) {
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            '%' | '_' if like => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// The top-level select list and object of a statement; none where it is not a plain `SELECT .. FROM ..`.
pub(super) fn outline(soql: &str) -> Option<(Vec<&str>, &str)> {
    let (mut depth, mut from, mut start) = (0_i32, None, 0);
    let bytes = soql.as_bytes();
    let head = soql.trim_start();
    if !head.get(..6)?.eq_ignore_ascii_case("select") {
        return None;
    }
    let begin = soql.len() - head.len() + 6;
    let mut items = Vec::new();
    for (at, byte) in bytes.iter().enumerate().skip(begin) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => items.push(soql.get(start.max(begin)..at)?.trim()),
            _ => {}
        }
        if *byte == b',' && depth == 0 {
            start = at + 1;
        }
        let is_from = depth == 0 && byte.is_ascii_whitespace() && bytes.get(at + 1..at + 5).is_some_and(|w| w.eq_ignore_ascii_case(b"from"));
        if is_from && bytes.get(at + 5).is_some_and(u8::is_ascii_whitespace) {
            items.push(soql.get(start.max(begin)..at)?.trim());
            from = soql.get(at + 5..);
            break;
        }
    }
    Some((items, from?.split_whitespace().next()?))
}
