//! Fields that the source of a declaration does not deliver: not in the report's columns, not in the rule's `show`.

use crate::model::{Filter, Report, Source};
use crate::script::{
    Closure, Participants, Rows,
    declaration::{Action, ActionKind, Body, Cell, Declaration, EVERY_ROW, FieldMap, Place, Rule},
    diagnostics::{Diagnostic, Id},
};

/// Every use of a column that is not there.
pub(in crate::script) fn columns(declaration: &Declaration) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    match &declaration.body {
        Body::Integration(integration) => {
            for push in &integration.push {
                let Some(report) = push.report.usage() else { continue };
                let delivered = Delivered { columns: report_columns(report), by: "the report" };
                push.fields.iter().for_each(|map| delivered.check_map(map, &mut found));
            }
        }
        Body::Mapping(mapping) => {
            if let Source::Report(report) = &mapping.from {
                let delivered = Delivered { columns: report_columns(report), by: "the report" };
                mapping.match_on.iter().chain(&mapping.fields).for_each(|map| delivered.check_map(map, &mut found));
                delivered.check_rows(&mapping.rows, &declaration.place, &mut found);
            }
        }
        Body::Rule(rule) => check_rule(declaration, rule, &mut found),
        Body::Journey(journey) => {
            if let Participants::Source { source: Source::Report(report), .. } = &journey.participants {
                found.extend(super::journeys::fields(journey, &report_columns(report), &declaration.place));
            }
        }
        Body::Segment(_) => (),
    }
    found
}

fn check_rule(declaration: &Declaration, rule: &Rule, found: &mut Vec<Diagnostic>) {
    if let Source::Report(report) = &rule.from {
        let delivered = Delivered { columns: report_columns(report), by: "the report" };
        delivered.check_rows(&rule.rows, &declaration.place, found);
        let read = rule.show.iter().chain(&rule.group_by).map(String::as_str).chain(rule.calculated.iter().map(|c| c.field.as_str()));
        let read = read.chain(rule.filters.iter().flat_map(Filter::fields));
        // Every field, and every row.
        read.filter(|field| *field != EVERY_ROW).for_each(|field| delivered.check(field, &declaration.place, found));
    }
    let Some(delivered) = rule_delivers(rule) else { return };
    for action in &rule.actions {
        check_action(&delivered, action, found);
    }
}

/// What the actions of a rule can use; none when it shows everything.
fn rule_delivers(rule: &Rule) -> Option<Delivered> {
    let calculated = rule.calculated.iter().map(|c| c.name.clone());
    let grouped = !rule.group_by.is_empty() || !rule.calculated.is_empty();
    let everything = rule.show.is_empty() || rule.show.iter().any(|field| field == "*");
    let columns = match (&rule.from, everything) {
        (Source::Report(report), true) => report_columns(report),
        (_, true) if !grouped => return None,
        _ => rule.show.clone(),
    };
    Some(Delivered { columns: columns.into_iter().chain(rule.group_by.iter().cloned()).chain(calculated).collect(), by: "the rule's `show`" })
}

fn check_action(delivered: &Delivered, action: &Action, found: &mut Vec<Diagnostic>) {
    let place = &action.place;
    for condition in action.criteria.iter().flat_map(|filter| &filter.conditions) {
        delivered.check(&condition.field, place, found);
    }
    match &action.kind {
        ActionKind::Usage(load) => {
            let cells = [Some(&load.account), Some(&load.date), load.instance_id.as_ref(), load.instance_name.as_ref()];
            cells.into_iter().flatten().for_each(|cell| delivered.check_cell(cell, place, found));
            load.measures.iter().for_each(|map| delivered.check_map(map, found));
        }
        ActionKind::Object(load) => load.fields.iter().for_each(|map| delivered.check_map(map, found)),
        ActionKind::Score(score) => {
            [Some(&score.score), score.comments.as_ref()].into_iter().flatten().for_each(|cell| delivered.check_cell(cell, place, found));
        }
        ActionKind::Cta(cta) => {
            let given = [&cta.name, &cta.cta_type, &cta.reason, &cta.priority].map(Some);
            let optional = [&cta.status, &cta.owner_email, &cta.playbook, &cta.comments].map(Option::as_ref);
            given.into_iter().chain(optional).flatten().for_each(|cell| delivered.check_cell(cell, place, found));
        }
        ActionKind::Kept(kept) => kept.cells().for_each(|cell| delivered.check_cell(cell, place, found)),
    }
}

/// The columns of a report's rows.
pub(super) fn report_columns(report: &Report) -> Vec<String> {
    report.columns.iter().map(|(name, _)| name.clone()).chain([format!("{}Id", report.per)]).collect()
}

struct Delivered {
    columns: Vec<String>,
    by: &'static str,
}

impl Delivered {
    /// The column itself, something within it, or a map it is within.
    fn has(&self, field: &str) -> bool {
        self.columns.iter().any(|column| {
            column == field
                || field.strip_prefix(column.as_str()).is_some_and(|rest| rest.starts_with('.'))
                || column.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'))
        })
    }

    fn check(&self, field: &str, place: &Place, found: &mut Vec<Diagnostic>) {
        if self.has(field) {
            return;
        }
        let known = || format!("there are {}", self.columns.join(", "));
        let finding = Diagnostic::new(Id::UnknownColumn, place, format!("`{field}` is not in {}", self.by)).about(field);
        found.push(finding.meant(field, self.columns.iter().map(String::as_str), || Some(known())));
    }

    fn check_rows(&self, rows: &Rows, place: &Place, found: &mut Vec<Diagnostic>) {
        rows.filter.iter().flat_map(Filter::fields).for_each(|field| self.check(field, place, found));
        rows.keep.iter().flat_map(Closure::read_places).for_each(|(field, place)| self.check(field, place, found));
    }

    fn check_cell(&self, cell: &Cell, place: &Place, found: &mut Vec<Diagnostic>) {
        match cell {
            Cell::Field(field) => self.check(field, place, found),
            Cell::Compute(closure) => closure.read_places().iter().for_each(|(field, place)| self.check(field, place, found)),
            Cell::Constant(_) | Cell::RuleDate(_) => (),
        }
    }

    fn check_map(&self, map: &FieldMap, found: &mut Vec<Diagnostic>) {
        self.check_cell(&map.from, &map.place, found);
    }
}
