//! The objects that Load to Usage and Set Score write, against what the connected tenants have.

use crate::model::System;
use crate::script::{
    declaration::{Action, Body, Declaration},
    diagnostics::{Diagnostic, Id},
    targets::{target, to_declare},
};

/// Every action that writes an object which `lacks` says the tenant does not have.
pub fn check_targets(declarations: &[&Declaration], lacks: impl Fn(System, &str) -> bool) -> Vec<Diagnostic> {
    let finding = |action: &Action| {
        let (system, object) = target(&action.kind).filter(|(system, object)| lacks(*system, object))?;
        let message = format!("there is no object `{object}` in {system}, or the connected user may not see it");
        Some(Diagnostic::new(Id::MissingObject, &action.place, message).hint(to_declare(action).unwrap_or_default()))
    };
    declarations.iter().flat_map(|declaration| actions(declaration)).filter_map(finding).collect()
}

/// The actions of a rule, and those of a journey's steps.
fn actions(declaration: &Declaration) -> Vec<&Action> {
    match &declaration.body {
        Body::Rule(rule) => rule.actions.iter().collect(),
        Body::Journey(journey) => journey.steps.values().filter_map(|parts| parts.action.as_ref()).collect(),
        Body::Integration(_) | Body::Mapping(_) | Body::Segment(_) => Vec::new(),
    }
}
