//! What is said relative to the rule date, and is settled when a run knows it: filters (`rule_date() - days(30)`) and closures.

use std::collections::BTreeSet;

use crate::model::{Date, Does, Filter, Graph, Record, Source, Value, When};

use super::{
    declaration::{Action, ActionKind, Body, Cell, CtaAction, Declaration, FieldMap, Integration, Mapping, Rule, RuleDate, UsageLoad},
    journey::{Journey, Participants},
};

/// The one field of a placeholder's map. Scripts cannot write it by accident: conditions take no maps.
const PLACEHOLDER: &str = "rule_date_plus_days";

/// Stands for the rule date within a condition.
pub(super) fn placeholder(date: RuleDate) -> Value {
    Value::Map(Record::from_iter([(PLACEHOLDER.into(), Value::Int(date.plus_days.into()))]))
}

/// By how many days a value is after the rule date; none for one that does not speak of it.
fn plus_days(value: &Value) -> Option<i64> {
    match value {
        Value::Map(map) if map.len() == 1 => map.get(PLACEHOLDER).and_then(Value::as_i64),
        _ => None,
    }
}

fn is_relative(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(is_relative),
        one => plus_days(one).is_some(),
    }
}

fn settled(value: &Value, date: Date) -> Value {
    let plus = plus_days(value);
    let moved = |days: i64| date.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default());
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| settled(item, date)).collect()),
        _ => plus.map_or_else(|| value.clone(), |days| Value::Date(moved(days))),
    }
}

fn filter(filter: &mut Filter, date: Date) {
    for condition in &mut filter.conditions {
        condition.value = settled(&condition.value, date);
    }
}

impl Declaration {
    /// The declaration as it is on a rule date: in filters the date is filled in, and closures see it as `rule_date()`.
    pub fn on(&self, date: Date) -> Self {
        let mut declaration = self.clone();
        match &mut declaration.body {
            Body::Integration(integration) => on_integration(integration, date),
            Body::Mapping(mapping) => on_mapping(mapping, date),
            Body::Rule(rule) => on_rule(rule, date),
            Body::Segment(segment) => filter(&mut segment.filter, date),
            Body::Journey(journey) => {
                let says = self.sources.texts().values().any(|text| text.contains("rule_date("));
                on_journey(journey, date, says);
            }
        }
        declaration
    }
}

fn on_integration(integration: &mut Integration, date: Date) {
    integration.push.iter_mut().for_each(|push| maps(&mut push.fields, date));
}

fn on_mapping(mapping: &mut Mapping, date: Date) {
    source(&mut mapping.from, date);
    mapping.rows.settle(date, filter);
    maps(&mut mapping.match_on, date);
    maps(&mut mapping.fields, date);
}

fn on_rule(rule: &mut Rule, date: Date) {
    source(&mut rule.from, date);
    rule.rows.settle(date, filter);
    if let Some(own) = &mut rule.filters {
        filter(own, date);
    }
    rule.actions.iter_mut().for_each(|action| on_action(action, date));
}

/// `says` tells whether its files speak of the rule date at all: only then a calculated field may depend on it.
fn on_journey(journey: &mut Journey, date: Date, says: bool) {
    if let Participants::Source { source: from, rows, computed } = &mut journey.participants {
        source(from, date);
        rows.settle(date, filter);
        maps(computed, date);
    }
    journey.calculated.iter_mut().for_each(|(_, closure)| *closure = closure.on(date));
    journey.dated_exit = journey.exit.as_ref().is_some_and(|exit| depends(exit, says));
    journey.exit.iter_mut().for_each(|exit| when(exit, date));
    journey.dated = graph(&mut journey.graph, date, says);
    for parts in journey.steps.values_mut() {
        parts.action.iter_mut().for_each(|action| on_action(action, date));
        for fields in [&mut parts.fields, &mut parts.data, &mut parts.body] {
            maps(fields, date);
        }
    }
}

/// Gives back the waits that the day may decide.
fn graph(graph: &mut Graph, date: Date, says: bool) -> BTreeSet<String> {
    let mut dated = BTreeSet::new();
    for step in &mut graph.steps {
        match &mut step.does {
            Does::WaitFor { when: awaited, .. } => {
                dated.extend(depends(awaited, says).then(|| step.name.clone()));
                when(awaited, date);
            }
            Does::Branch { arms, .. } => arms.iter_mut().for_each(|arm| when(&mut arm.when, date)),
            _ => (),
        }
    }
    dated
}

/// Whether the day may decide a condition.
fn depends(one: &When, says: bool) -> bool {
    one.atoms().into_iter().any(|atom| match atom {
        When::Calculated { value, .. } => says || is_relative(value),
        When::Score { value, .. } | When::Field { value, .. } => is_relative(value),
        _ => false,
    })
}

fn when(one: &mut When, date: Date) {
    match one {
        When::All(parts) | When::Any(parts) => parts.iter_mut().for_each(|part| when(part, date)),
        When::Not(inner) => when(inner, date),
        When::Score { value, .. } | When::Calculated { value, .. } | When::Field { value, .. } => *value = settled(value, date),
        When::Event { .. } => (),
    }
}

fn on_action(action: &mut Action, date: Date) {
    if let Some(criteria) = &mut action.criteria {
        filter(criteria, date);
    }
    match &mut action.kind {
        ActionKind::Usage(UsageLoad { account, date: day, instance_id, instance_name, measures, .. }) => {
            [Some(account), Some(day), instance_id.as_mut(), instance_name.as_mut()].into_iter().flatten().for_each(|one| cell(one, date));
            maps(measures, date);
        }
        ActionKind::Object(load) => maps(&mut load.fields, date),
        ActionKind::Score(score) => {
            cell(&mut score.score, date);
            score.comments.iter_mut().for_each(|one| cell(one, date));
        }
        ActionKind::Cta(CtaAction { name, cta_type, reason, priority, status, owner_email, playbook, comments, .. }) => {
            let given = [name, cta_type, reason, priority].into_iter();
            for one in given.chain([status, owner_email, playbook, comments].into_iter().flatten()) {
                cell(one, date);
            }
        }
        ActionKind::Kept(kept) => kept.values.iter_mut().for_each(|(_, one)| cell(one, date)),
    }
}

fn source(source: &mut Source, date: Date) {
    if let Source::Object(query) = source
        && let Some(own) = &mut query.filter
    {
        filter(own, date);
    }
}

fn maps(maps: &mut [FieldMap], date: Date) {
    for map in maps {
        cell(&mut map.from, date);
    }
}

/// Fields of the rule date itself are filled in by the flow, row by row.
fn cell(cell: &mut Cell, date: Date) {
    if let Cell::Compute(closure) = cell {
        *closure = closure.on(date);
    }
}
