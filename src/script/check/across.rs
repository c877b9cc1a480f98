//! Across declarations: names, two writers of one field, what follows what.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::System;
use crate::script::{
    declaration::{Action, ActionKind, Body, Declaration, FieldMap, MeasureDecl, Place},
    diagnostics::{Diagnostic, Id},
};

/// Everything that is wrong between declarations; `hidden` tells of a name, followed from a file, whether an error elsewhere hides it.
pub(in crate::script) fn across(declarations: &[&Declaration], measures: &[&MeasureDecl], hidden: &dyn Fn(&str, &str) -> bool) -> Vec<Diagnostic> {
    let mut found = names(declarations);
    found.extend(references(declarations, hidden));
    found.extend(writers(declarations));
    found.extend(super::usage::groups(measures));
    found.extend(super::usage::loads(declarations, measures));
    found.extend(cycles(declarations));
    found
}

fn names(declarations: &[&Declaration]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut found = Vec::new();
    for declaration in declarations {
        match first.get(declaration.name.as_str()) {
            Some(earlier) => found.push(
                Diagnostic::new(Id::DuplicateName, &declaration.place, format!("`{}` is declared twice", declaration.name))
                    .label(earlier, "first declared here")
                    .hint("give one of them another name"),
            ),
            None => {
                first.insert(&declaration.name, &declaration.place);
            }
        }
    }
    found
}

fn references(declarations: &[&Declaration], hidden: &dyn Fn(&str, &str) -> bool) -> Vec<Diagnostic> {
    let names: BTreeSet<&str> = declarations.iter().map(|d| d.name.as_str()).collect();
    let mut found = Vec::new();
    for declaration in declarations {
        let followed = declaration.after.iter().map(|name| (name, Id::UnknownAfter, "follows"));
        let overridden = declaration.overrides.iter().map(|name| (name, Id::UnknownOverride, "overrides"));
        for (name, id, verb) in
            followed.chain(overridden).filter(|(name, ..)| !names.contains(name.as_str()) && !hidden(name, &declaration.place.file))
        {
            let message = format!("`{}` {verb} `{name}`, which nothing declares", declaration.name);
            let known = || format!("declared are {}", names.iter().copied().collect::<Vec<_>>().join(", "));
            let finding = Diagnostic::new(id, &declaration.place, message).about(name);
            found.push(finding.meant(name, names.iter().copied().filter(|known| *known != declaration.name), || Some(known())));
        }
    }
    found
}

type Field = (System, String, String);

/// A field that a declaration writes: what it is compared by, its name as written, and where.
type Written<'d> = (Field, &'d str, &'d Place);

/// Fields that a declaration writes to rows.
fn written(declaration: &Declaration) -> Vec<Written<'_>> {
    match &declaration.body {
        Body::Integration(integration) => {
            let pushed = integration.push.iter().flat_map(|push| &push.fields);
            let pushed = pushed.map(|map| (field(System::Salesforce, &integration.object, &map.target), map.target.as_str(), &map.place));
            let pulled = integration.pull.iter().map(|pull| {
                let name = format!("metadata.salesforce.{}", pull.metadata);
                (field(System::Pendo, &integration.per, &name), pull.metadata.as_str(), &pull.place)
            });
            pushed.chain(pulled).collect()
        }
        Body::Mapping(mapping) => {
            let matched: Vec<&str> = mapping.match_on.iter().map(|map| map.target.as_str()).collect();
            fields(&mapping.fields, &matched, |name| field(mapping.to.system, &mapping.to.object, name))
        }
        Body::Rule(rule) => rule.actions.iter().flat_map(by_action).collect(),
        Body::Segment(_) | Body::Journey(_) => Vec::new(),
    }
}

fn field(system: System, object: &str, field: &str) -> Field {
    (system, object.to_lowercase(), field.to_lowercase())
}

fn by_action(action: &Action) -> Vec<Written<'_>> {
    match &action.kind {
        ActionKind::Object(load) => {
            let identifiers: Vec<&str> = load.identifiers.iter().map(String::as_str).collect();
            fields(&load.fields, &identifiers, |name| field(load.to.system, &load.to.object, name))
        }
        ActionKind::Score(score) => vec![(field(System::Gainsight, "score", &score.measure), score.measure.as_str(), &action.place)],
        // Usage is kept by level and date (see `usage`), and a call to action is of its own reason.
        ActionKind::Usage(_) | ActionKind::Cta(_) => Vec::new(),
    }
}

/// Mapped fields without those that identify the row.
fn fields<'d>(maps: &'d [FieldMap], keys: &[&str], field: impl Fn(&str) -> Field) -> Vec<Written<'d>> {
    let mapped = maps.iter().filter(|map| !keys.contains(&map.target.as_str()));
    mapped.map(|map| (field(&map.target), map.target.as_str(), &map.place)).collect()
}

fn writers(declarations: &[&Declaration]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<Field, (&Declaration, &Place)> = BTreeMap::new();
    let mut found = Vec::new();
    for declaration in declarations {
        for (field, shown, place) in written(declaration) {
            let Some((earlier, earlier_place)) = first.get(&field) else {
                first.insert(field, (declaration, place));
                continue;
            };
            let agreed = declaration.overrides.contains(&earlier.name) || earlier.overrides.contains(&declaration.name);
            let same = std::ptr::eq(*declaration, *earlier);
            // Actions of one rule may share a field: each has criteria of its own.
            if agreed || same && matches!(declaration.body, Body::Rule(_)) {
                continue;
            }
            if same {
                let message = format!("`{}` writes {} {} `{shown}` twice", declaration.name, field.0, field.1);
                found.push(Diagnostic::new(Id::TwoWriters, place, message).label(earlier_place, "written here too").hint("keep one of them"));
                continue;
            }
            let message = format!("`{}` and `{}` both write {} {} `{shown}`", earlier.name, declaration.name, field.0, field.1);
            let hint = format!("drop one, or add `overrides: \"{}\"` here", earlier.name);
            found.push(Diagnostic::new(Id::TwoWriters, place, message).label(earlier_place, "written here too").hint(hint));
        }
    }
    found
}

/// Each circle of `after` once, reported at its first declaration.
fn cycles(declarations: &[&Declaration]) -> Vec<Diagnostic> {
    let by_name: BTreeMap<&str, &Declaration> = declarations.iter().map(|d| (d.name.as_str(), *d)).collect();
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for declaration in declarations {
        let Some(circle) = circle(&by_name, &declaration.name) else { continue };
        if circle.iter().any(|name| reported.contains(name)) {
            continue;
        }
        reported.extend(&circle);
        let shown = circle.iter().chain(circle.first()).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" after ");
        let others = circle.iter().skip(1).filter_map(|name| by_name.get(name));
        let finding = Diagnostic::new(Id::Cycle, &declaration.place, format!("a circle: {shown}")).hint("drop one `after` of them");
        found.push(others.fold(finding, |finding, other| finding.label(&other.place, "part of the circle")));
    }
    found
}

/// The way from a declaration back to itself.
fn circle<'d>(by_name: &BTreeMap<&'d str, &'d Declaration>, start: &'d str) -> Option<Vec<&'d str>> {
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let Some(declaration) = way.last().and_then(|name| by_name.get(name)) else { continue };
        for next in &declaration.after {
            if next == start {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push(way.iter().copied().chain([next.as_str()]).collect());
            }
        }
    }
    None
}
