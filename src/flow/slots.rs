//! Target fields found in the describe, typed, and created where the script may have them created.

use crate::{
    model::{Bounds, CreateField, Field, FieldType, KeyRule, Measure, ObjectSchema, Record, Source, System, Value},
    script::{Cell, FieldMap, Place, Target},
};

use super::{Error, cell::compute, error::FieldProblem, work::Work};

/// A target field and where its value comes from.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) field: Field,
    pub(crate) from: Cell,
    /// Created just now: the target holds nothing in it and must not be asked for it.
    pub(crate) fresh: bool,
    pub(crate) role: Role,
    /// Where the script asks for it.
    pub(crate) place: Place,
    /// How its values compare as keys.
    pub(crate) rule: KeyRule,
    /// What its numbers may be.
    pub(crate) bounds: Option<Bounds>,
}

/// When a slot's value is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Compared; sent when it differs.
    Compare,
    /// Sent along when something else differs or the row is new (the date of a score).
    Along,
    /// Sent only with a new row (the due date of a call to action).
    Insert,
}

/// Which missing fields are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// None: the field identifies rows. It is read, so it need not be writable.
    Key,
    /// Only those whose type the script declares.
    Declared,
    /// Those too whose name begins with `Pendo_`: a push declares them by using them (A1, A2).
    Pendo,
    /// Every one: measures of usage data (A9), pulled metadata.
    All,
}

/// Finds every target field, or says at once what is wrong with all that cannot be written.
pub(crate) fn find(
    work: &mut Work<'_>,
    schema: &ObjectSchema,
    to: &Target,
    maps: &[FieldMap],
    missing: Missing,
    sample: &Sample<'_>,
) -> Result<Vec<Slot>, Error> {
    let mut slots = Vec::with_capacity(maps.len());
    let mut problems = Vec::new();
    for map in maps {
        match slot(work, schema, to, map, missing, sample) {
            Ok(slot) => slots.push(slot),
            Err(reason) => {
                problems.push(FieldProblem {
                    system: to.system,
                    object: to.object.clone(),
                    field: map.target.to_string(),
                    place: map.place.clone(),
                    reason,
                });
            }
        }
    }
    if !problems.is_empty() {
        return Err(Error::Fields(problems));
    }
    for (slot, map) in slots.iter().zip(maps).filter(|(slot, _)| slot.fresh && to.system == System::Salesforce) {
        let description = map.declared.as_ref().and_then(|declared| declared.description.clone());
        work.create_field(CreateField { system: to.system, object: to.object.clone(), field: slot.field.clone(), description })?;
    }
    Ok(slots)
}

/// What is known of the source: its kind, its describe, its first rows.
pub(crate) struct Sample<'a> {
    pub(crate) source: &'a Source,
    pub(crate) schema: Option<&'a ObjectSchema>,
    pub(crate) rows: &'a [Record],
}

fn slot(work: &Work<'_>, schema: &ObjectSchema, to: &Target, map: &FieldMap, missing: Missing, sample: &Sample<'_>) -> Result<Slot, String> {
    let known = sample.type_of(&map.from);
    if let Some(field) = schema.field(&map.target) {
        let declared = map.declared.as_ref().and_then(|declared| field.kind.clash("the script declares it as", declared.kind.as_ref()?));
        if let Some(clash) = declared.or_else(|| field.kind.clash("is given", known.as_ref()?)) {
            return Err(clash);
        }
        if missing != Missing::Key && !field.updateable && !field.createable {
            return Err("is read-only for the connected user".to_owned());
        }
        // The caller's spelling is what lookups echo and writes send, where the system takes any.
        let name = if matches!(to.system, System::Pendo | System::Px) { field.name.clone() } else { map.target.to_string() };
        let (field, rule) = (Field { name, ..field.clone() }, KeyRule::of(to.system, field));
        let bounds = Bounds::of(to.system, &to.object, &field.name);
        return Ok(Slot { field, from: map.from.clone(), fresh: false, role: Role::Compare, place: map.place.clone(), rule, bounds });
    }
    let wanted = missing == Missing::All || (missing == Missing::Pendo && map.target.starts_with("Pendo_"));
    let kind = match (map.declared.as_ref().and_then(|declared| declared.kind.as_ref()), wanted) {
        _ if missing == Missing::Key => return Err(unknown_field(schema, &map.target)),
        (Some(declared), _) => declared.clone(),
        (None, true) => known.or_else(|| sample.type_of_values(work, &map.from)).unwrap_or(FieldType::Text { max: 255 }),
        (None, false) => return Err(unknown_field(schema, &map.target)),
    };
    let label = map.declared.as_ref().and_then(|declared| declared.label.clone()).unwrap_or_else(|| label_of(&map.target));
    let field = new_field(&map.target, label, kind, to.system);
    let rule = KeyRule::of(to.system, &field);
    Ok(Slot { field, from: map.from.clone(), fresh: true, role: Role::Compare, place: map.place.clone(), rule, bounds: None })
}

fn new_field(name: &str, label: String, kind: FieldType, system: System) -> Field {
    // Whole measures grow: eighteen digits cost nothing. Pendo keeps doubles.
    let kind = match (kind, system) {
        (FieldType::Int { .. }, System::Salesforce) => FieldType::Number { digits: 18, scale: 0 },
        (FieldType::Float, System::Salesforce) => FieldType::Number { digits: 18, scale: 2 },
        (FieldType::Number { .. } | FieldType::Int { .. }, System::Pendo) => FieldType::Float,
        (FieldType::Picklist(_) | FieldType::MultiPicklist(_) | FieldType::Email { .. } | FieldType::Reference { .. } | FieldType::Id, _) => {
            FieldType::Text { max: 255 }
        }
        (other, _) => other,
    };
    Field {
        name: name.to_owned(),
        label,
        kind,
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    }
}

fn unknown_field(schema: &ObjectSchema, name: &str) -> String {
    let near = schema.fields.iter().map(|field| (strsim::jaro_winkler(&field.name.to_lowercase(), &name.to_lowercase()), field));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.85) {
        Some((_, field)) => format!("there is no such field; did you mean `{}`?", field.name),
        None => "there is no such field; correct the name, or give its `type` to have it created".to_owned(),
    }
}

/// `Pendo_numberofvisitors_last30d__c` as `Pendo numberofvisitors last30d`.
fn label_of(name: &str) -> String {
    name.trim_end_matches("__c").replace('_', " ")
}

impl Sample<'_> {
    /// The type a cell is known to have before any row is read.
    fn type_of(&self, cell: &Cell) -> Option<FieldType> {
        match cell {
            Cell::Constant(value) => type_of_value(value),
            Cell::RuleDate(_) => Some(FieldType::Date),
            Cell::Compute(_) => None,
            Cell::Field(name) => match self.source {
                Source::Report(report) => report.columns.iter().find(|(column, _)| column == name).and_then(|(_, measure)| type_of_measure(measure)),
                _ => self.schema.and_then(|schema| schema.field(name)).map(|field| field.kind.clone()),
            },
        }
    }

    /// The type of the first values a cell gives; a mixture of whole and broken numbers is a number.
    fn type_of_values(&self, work: &Work<'_>, cell: &Cell) -> Option<FieldType> {
        let values = self.rows.iter().filter_map(|row| compute(cell, row, work.date).ok());
        let mut kinds = values.filter_map(|value| type_of_value(&value));
        let first = kinds.next()?;
        match first {
            FieldType::Int { .. } if kinds.any(|kind| kind == FieldType::Float) => Some(FieldType::Float),
            other => Some(other),
        }
    }
}

fn type_of_value(value: &Value) -> Option<FieldType> {
    match value {
        Value::Bool(_) => Some(FieldType::Bool),
        Value::Int(_) => Some(FieldType::Int { bits: 64, digits: 0 }),
        Value::Float(_) => Some(FieldType::Float),
        Value::Text(text) => Some(FieldType::Text { max: if text.len() > 255 { 32_000 } else { 255 } }),
        Value::Date(_) => Some(FieldType::Date),
        Value::Instant(_) => Some(FieldType::DateTime { millis: false }),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn type_of_measure(measure: &Measure) -> Option<FieldType> {
    match measure {
        Measure::SignInFrequency | Measure::NpsScore => Some(FieldType::Float),
        Measure::LastVisit => Some(FieldType::DateTime { millis: true }),
        Measure::Metadata(_) => None,
        _ => Some(FieldType::Int { bits: 64, digits: 0 }),
    }
}
