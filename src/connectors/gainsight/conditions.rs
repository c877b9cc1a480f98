//! Where-clauses from filters. What the API cannot surely say is left to whoever has the rows.
//!
//! The vendor's samples show conditions joined by `AND` and nothing else, and nothing tells how `NE` takes a field without a value. So only
//! conditions that all have to hold are sent; brackets, `OR` and `NE` are never, and a filter with them is asked of the rows.

use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::{
    connectors::http::invalid,
    model::{Condition, Fault, FieldType, Filter, Logic, Operator, System, TimeZone, Timestamp, Value},
};

use super::{describe::Described, names::Names};

/// A where-clause being built: conditions that all have to hold, each with an alias.
#[derive(Debug, Clone, Default)]
pub(super) struct Where {
    conditions: Vec<Asked>,
    /// `name`; the Cockpit lists say `fieldName`.
    field_key: Option<&'static str>,
    /// Text is asked for in its very letters, as closures compare it. Filters compare without case, and whether Gainsight does is not
    /// written anywhere: such conditions are left to whoever has the rows.
    exact: bool,
}

#[derive(Debug, Clone)]
struct Asked {
    field: String,
    operator: &'static str,
    values: Vec<Operand>,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Json(Json),
    Instant(Timestamp),
}

/// How instants are written in conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// `2026-01-31T10:00:00.000Z`.
    Iso,
    /// `2026-01-31 10:00:00`: nobody tells in which zone it is read, so bounds are moved outward by as much as a zone can be off.
    Plain,
}

/// A filter, what its fields are called and are, and where days begin.
type Given<'a> = (&'a Filter, Names, &'a Described, &'a TimeZone);

impl Where {
    pub(super) fn new(field_key: &'static str) -> Self {
        Self { field_key: Some(field_key), ..Self::default() }
    }

    /// A further condition that has to hold too.
    pub(super) fn and(&mut self, field: &str, operator: &'static str, values: Vec<Operand>) {
        self.conditions.push(Asked { field: field.to_owned(), operator, values });
    }

    /// What is added from here on compares text letter by letter.
    pub(super) fn exactly(&mut self) {
        self.exact = true;
    }

    /// Adds what can be said of a filter; false when that is not all of it, and rows have to be asked for the rest. A day compared with a date and
    /// time is said with the instants of that day in the zone, whatever the tenant's own zone is.
    pub(super) fn add(&mut self, filter: &Filter, names: Names, object: &Described, zone: &TimeZone) -> bool {
        let is_time = |condition: &Condition| matches!(object.kind(&names.wire(&condition.field)), Some(FieldType::DateTime { .. }));
        let filter = &filter.in_instants(is_time, zone);
        self.logic(&filter.logic, (filter, names, object, zone))
    }

    fn logic(&mut self, logic: &Logic, given: Given<'_>) -> bool {
        match logic {
            Logic::Is(label) => match given.0.condition(label) {
                Some(condition) => self.comparison(condition, given),
                None => false,
            },
            // Each part is sent that can be, also beside one that cannot.
            Logic::All(parts) => parts.iter().filter(|part| !self.logic(part, given)).count() == 0,
            Logic::Any(parts) if parts.len() == 1 => self.logic(&parts[0], given),
            Logic::Any(_) | Logic::Not(_) => false,
        }
    }

    fn comparison(&mut self, condition: &Condition, (_, names, object, zone): Given<'_>) -> bool {
        let field = names.wire(&condition.field);
        let Some(kind) = object.kind(&field) else { return false };
        let null = match condition.operator {
            Operator::IsNull => Some("IS_NULL"),
            Operator::IsNotNull => Some("IS_NOT_NULL"),
            // Choices are stored as ids, and filters name labels.
            _ if object.dropdown(&field).is_some() => return false,
            _ => None,
        };
        if let Some(word) = null {
            self.and(&field, word, Vec::new());
            return true;
        }
        if !self.exact && is_text(kind) && !has_one_case(&condition.value) {
            return false;
        }
        let word = match condition.operator {
            Operator::Equal => "EQ",
            Operator::Less => "LT",
            Operator::LessOrEqual => "LTE",
            Operator::Greater => "GT",
            Operator::GreaterOrEqual => "GTE",
            Operator::Contains => "CONTAINS",
            Operator::StartsWith => "STARTS_WITH",
            Operator::EndsWith => "ENDS_WITH",
            Operator::In => "IN",
            Operator::NotEqual | Operator::NotIn | Operator::IsNull | Operator::IsNotNull => return false,
        };
        let values: Option<Vec<Operand>> = match (&condition.value, condition.operator) {
            (Value::List(items), Operator::In) => items.iter().map(|item| operand(item, kind, zone)).collect(),
            (_, Operator::In) => None,
            (value, _) => operand(value, kind, zone).map(|value| vec![value]),
        };
        let Some(values) = values.filter(|values| !values.is_empty()) else { return false };
        if values.iter().any(|value| matches!(value, Operand::Instant(_))) {
            // Bounds may be sent wider than they are meant: the rows are asked again.
            if matches!(word, "LT" | "LTE" | "GT" | "GTE") {
                self.and(&field, word, values);
            }
            return false;
        }
        self.and(&field, word, values);
        true
    }

    /// Whether the form of instants makes a difference.
    pub(super) fn has_times(&self) -> bool {
        self.conditions.iter().flat_map(|asked| &asked.values).any(|value| matches!(value, Operand::Instant(_)))
    }

    /// The clause, if there are conditions.
    pub(super) fn json(&self, times: Times) -> Option<Json> {
        let key = self.field_key.unwrap_or("name");
        let condition = |(at, asked): (usize, &Asked)| {
            let values: Vec<Json> = asked.values.iter().map(|value| value.json(asked.operator, times)).collect();
            json!({key: asked.field, "alias": alias(at), "value": values, "operator": asked.operator})
        };
        let conditions: Vec<Json> = self.conditions.iter().enumerate().map(condition).collect();
        let aliases: Vec<String> = (0..conditions.len()).map(alias).collect();
        (!conditions.is_empty()).then(|| json!({"conditions": conditions, "expression": aliases.join(" AND ")}))
    }
}

impl Operand {
    fn json(&self, operator: &str, times: Times) -> Json {
        match (self, times) {
            (Self::Json(json), _) => json.clone(),
            (Self::Instant(at), Times::Iso) => at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
            (Self::Instant(at), Times::Plain) => {
                // Zones are from 12 hours behind UTC to 14 hours ahead; the fraction of a second is cut off.
                let moved = match operator {
                    "GT" | "GTE" => at.checked_sub(SignedDuration::from_hours(12) + SignedDuration::from_secs(1)),
                    _ => at.checked_add(SignedDuration::from_hours(14) + SignedDuration::from_secs(1)),
                };
                moved.unwrap_or(*at).strftime("%Y-%m-%d %H:%M:%S").to_string().into()
            }
        }
    }
}

/// Refuses a comparison that has no meaning: a field that refers to a record holds its id, which is neither less nor more than a number.
///
/// # Errors
/// Which condition, and what to write instead.
pub(super) fn sound(filter: &Filter, names: Names, object: &Described) -> Result<(), Fault> {
    for condition in &filter.conditions {
        let field = names.wire(&condition.field);
        let ordered = matches!(condition.operator, Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual);
        let number = matches!(condition.value, Value::Int(_) | Value::Float(_));
        if let Some(FieldType::Reference { to }) = object.kind(&field)
            && (ordered || number)
        {
            let to = if to.is_empty() { "another object".to_owned() } else { to.join(" or ") };
            let message = format!(
                "`{}` of {} holds the id of a record of {to}, so `{} {}` has no meaning; name a field of that record, such as `{}.Name`, or a number",
                condition.field,
                object.schema.name,
                condition.operator.word(),
                condition.value,
                relation(&field),
            );
            return Err(invalid(System::Gainsight, message).field(condition.field.clone()));
        }
    }
    Ok(())
}

/// `Csm` as `Csm__gr`, `Owner__gc` as `Owner__gr`.
fn relation(field: &str) -> String {
    format!("{}__gr", field.strip_suffix("__gc").unwrap_or(field))
}

/// A value to compare with; none for null, and for what does not fit the field.
pub(super) fn operand(value: &Value, kind: &FieldType, zone: &TimeZone) -> Option<Operand> {
    if value.is_blank() {
        return None;
    }
    let fitted = match kind {
        FieldType::Date | FieldType::DateTime { .. } | FieldType::Bool => kind.fit(value, zone).ok()?,
        FieldType::Number { .. } | FieldType::Int { .. } | FieldType::Float => FieldType::Float.fit(value, zone).ok()?,
        _ => Value::text(value.to_string()),
    };
    Some(match fitted {
        Value::Instant(at) => Operand::Instant(at),
        Value::Float(x) => Operand::Json(value.as_i64().map_or_else(|| json!(x), |n| json!(n))),
        other => Operand::Json(Json::from(&other)),
    })
}

const fn is_text(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Text { .. } | FieldType::Other { .. })
}

/// Whether a value, or each of a list, is the same in capitals: digits, signs, nothing.
fn has_one_case(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.to_lowercase() == text.to_uppercase(),
        Value::List(items) => items.iter().all(has_one_case),
        _ => true,
    }
}

/// `A` to `Z`, then `A1`, `B1`, ...
fn alias(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    match at / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in whatever zone, a bound without a zone lets through at least what the instant would.
    #[test]
    fn a_bound_without_a_zone_is_never_narrower_than_it_is_meant() {
        let at: Timestamp = "2026-03-01T00:30:00.750Z".parse().unwrap();
        for hours in -12..=14 {
            let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(hours));
            let read = |operator: &str| {
                let text = Operand::Instant(at).json(operator, Times::Plain);
                let civil: jiff::civil::DateTime = text.as_str().unwrap().parse().unwrap();
                zone.to_timestamp(civil).unwrap()
            };
            assert!(read("GTE") < at && read("GT") < at && read("LT") > at && read("LTE") > at, "{hours}");
        }
    }
}
