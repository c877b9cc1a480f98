//! Fields of participants that nothing delivers, and templates that are not there.

use std::collections::BTreeSet;

use crate::model::{Does, Filter, Step, When, alias};
use crate::script::{
    Closure, Journey, Participants, StepParts, Templates,
    declaration::{Action, ActionKind, Body, Cell, Declaration, FieldMap, Place},
    diagnostics::{Diagnostic, Id},
};

/// The template of each step that has one.
fn used(journey: &Journey) -> impl Iterator<Item = (&Step, &String)> {
    journey.graph.steps.iter().filter_map(|step| match &step.does {
        Does::SendEmail { template } => Some((step, template)),
        Does::Survey { template, .. } | Does::Remind { template, .. } => template.as_ref().map(|template| (step, template)),
        _ => None,
    })
}

/// Every step of a journey whose template is not among the given names.
pub fn check_templates(declaration: &Declaration, templates: &BTreeSet<String>) -> Vec<Diagnostic> {
    let Body::Journey(journey) = &declaration.body else { return Vec::new() };
    let missing = used(journey).filter(|(_, template)| !templates.contains(*template));
    let finding = |name: &str, place: &Place| {
        let known = || match templates.len() {
            0 => format!("write scripts/templates/{name}.html or {name}.txt"),
            _ => format!("templates are {}", templates.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        };
        let finding = Diagnostic::new(Id::UnknownTemplate, place, format!("there is no template `{name}`")).about(name);
        finding.meant(name, templates.iter().map(String::as_str), || Some(known()))
    };
    missing.map(|(step, template)| finding(template, &place_of(journey, &step.name, &declaration.place))).collect()
}

/// Every use of a participant's field that is not among the source's, in its own name or its one spelling, and is set nowhere else.
pub(super) fn fields(journey: &Journey, source: &[String], place: &Place) -> Vec<Diagnostic> {
    let known = given(journey, source);
    let mut uses = Uses::default();
    uses.people(journey, place);
    for step in &journey.graph.steps {
        let place = place_of(journey, &step.name, place);
        match &step.does {
            Does::WaitFor { when, .. } => uses.when(when, &place),
            Does::Branch { arms, .. } => arms.iter().for_each(|arm| uses.when(&arm.when, &place)),
            _ => (),
        }
        journey.parts(&step.name).into_iter().for_each(|parts| uses.parts(parts));
    }
    journey.exit.iter().for_each(|when| uses.when(when, place));
    let lacking = uses.0.into_iter().filter(|(field, _)| !has(&known, field));
    let finding = |(field, place): (String, Place)| {
        let names = known.iter().map(String::as_str);
        let all = || format!("there are {}", known.iter().take(30).map(String::as_str).collect::<Vec<_>>().join(", "));
        let finding = Diagnostic::new(Id::UnknownColumn, &place, format!("participants have no field `{field}`")).about(&field);
        finding.meant(&field, names, || Some(all()))
    };
    lacking.map(finding).collect()
}

/// The fields of the source, in their own names and their one spelling, and all that are computed or set.
fn given(journey: &Journey, source: &[String]) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = source.iter().cloned().chain(source.iter().map(|name| alias(name))).collect();
    if let Participants::Source { computed, .. } = &journey.participants {
        known.extend(computed.iter().map(|map| map.target.to_string()));
    }
    known.extend(journey.steps.values().flat_map(|parts| &parts.fields).map(|map| map.target.to_string()));
    known
}

/// Every field that the mails of a journey use, and neither its people have nor the step or the host gives.
pub(super) fn mails(declaration: &Declaration, journey: &Journey, source: &[String], templates: &Templates) -> Vec<Diagnostic> {
    let mut known = given(journey, source);
    known.extend(journey.calculated.iter().map(|(name, _)| name.clone()));
    known.insert("unsubscribe_url".to_owned());
    let mut found: Vec<Diagnostic> = Vec::new();
    for (step, template) in used(journey) {
        let of_step = journey.parts(&step.name).into_iter().flat_map(|parts| &parts.data).map(|map| &*map.target);
        let of_survey = if matches!(step.does, Does::SendEmail { .. }) { [].as_slice() } else { ["survey_url", "survey"].as_slice() };
        let known: Vec<&str> = known.iter().map(String::as_str).chain(of_step).chain(of_survey.iter().copied()).collect();
        // One that is not there has been told of.
        for finding in templates.unknown_fields(template, &known).unwrap_or_default() {
            let text = format!("`{}` of `{}` fills it in", step.name, declaration.name);
            let finding = finding.label(&place_of(journey, &step.name, &declaration.place), text);
            if !found.iter().any(|other| (&other.file, other.line, other.column) == (&finding.file, finding.line, finding.column)) {
                found.push(finding);
            }
        }
    }
    found
}

/// The field itself, something within it, or a map it is within.
fn has(known: &BTreeSet<String>, field: &str) -> bool {
    let within = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    known.contains(field) || known.iter().any(|name| within(name, field) || within(field, name))
}

fn place_of(journey: &Journey, step: &str, otherwise: &Place) -> Place {
    journey.parts(step).map_or_else(|| otherwise.clone(), |parts| parts.place.clone())
}

/// Fields that are read, with the places that read them.
#[derive(Default)]
struct Uses(Vec<(String, Place)>);

impl Uses {
    fn people(&mut self, journey: &Journey, place: &Place) {
        if let Participants::Source { rows, computed, .. } = &journey.participants {
            rows.keep.iter().for_each(|keep| self.closure(keep));
            self.0.extend(rows.filter.iter().flat_map(Filter::fields).map(|field| (field.to_owned(), place.clone())));
            self.maps(computed);
        }
        journey.calculated.iter().for_each(|(_, closure)| self.closure(closure));
        self.0.extend(journey.unique_on.iter().map(|field| (field.clone(), place.clone())));
    }

    fn parts(&mut self, parts: &StepParts) {
        self.maps(&parts.fields);
        self.maps(&parts.data);
        self.maps(&parts.body);
        parts.run.iter().for_each(|closure| self.closure(closure));
        parts.action.iter().for_each(|action| self.action(action));
    }

    fn when(&mut self, when: &When, place: &Place) {
        let fields = when.atoms().into_iter().filter_map(|atom| if let When::Field { path, .. } = atom { Some(path.clone()) } else { None });
        self.0.extend(fields.map(|field| (field, place.clone())));
    }

    fn closure(&mut self, closure: &Closure) {
        self.0.extend(closure.read_places().iter().cloned());
    }

    fn cell(&mut self, cell: &Cell, place: &Place) {
        match cell {
            Cell::Field(field) => self.0.push((field.clone(), place.clone())),
            Cell::Compute(closure) => self.closure(closure),
            Cell::Constant(_) | Cell::RuleDate(_) => (),
        }
    }

    fn maps(&mut self, maps: &[FieldMap]) {
        for map in maps {
            self.cell(&map.from, &map.place);
        }
    }

    fn action(&mut self, action: &Action) {
        let place = &action.place;
        let conditions = action.criteria.iter().flat_map(|filter| &filter.conditions);
        self.0.extend(conditions.map(|condition| (condition.field.clone(), place.clone())));
        let mut cells: Vec<&Cell> = Vec::new();
        match &action.kind {
            ActionKind::Object(load) => self.maps(&load.fields),
            ActionKind::Usage(load) => {
                self.maps(&load.measures);
                cells.push(&load.account);
                cells.extend([&load.instance_id, &load.instance_name].into_iter().flatten());
            }
            ActionKind::Score(score) => cells.extend([Some(&score.score), score.comments.as_ref()].into_iter().flatten()),
            ActionKind::Cta(cta) => {
                cells.extend([&cta.name, &cta.cta_type, &cta.reason, &cta.priority]);
                cells.extend([&cta.status, &cta.owner_email, &cta.playbook, &cta.comments].into_iter().flatten());
            }
            ActionKind::Kept(kept) => cells.extend(kept.cells()),
        }
        for cell in cells {
            self.cell(cell, place);
        }
    }
}
