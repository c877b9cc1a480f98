//! Which Salesforce fields rules may write, by the workspace's list (A13).

use std::collections::BTreeMap;

use crate::model::System;
use crate::script::{
    declaration::{ActionKind, Body, Declaration, ObjectLoad, Place},
    diagnostics::{Diagnostic, Id},
};

/// Object -> the fields that rules may write.
type Enabled = BTreeMap<String, Vec<String>>;

/// Every field that a rule writes to Salesforce without being on the list. Without a list every field is open, which is worth
/// a warning where rules write to a real org (`real`).
pub fn check_enabled(declarations: &[&Declaration], list: Option<&Enabled>, real: bool) -> Vec<Diagnostic> {
    match list {
        Some(list) => loads(declarations).flat_map(|(load, _)| refused(load, list)).collect(),
        None => loads(declarations).filter(|_| real).map(|(load, place)| unlisted(load, place)).take(1).collect(),
    }
}

/// What rules load into Salesforce objects, and where the action stands.
fn loads<'d>(declarations: &[&'d Declaration]) -> impl Iterator<Item = (&'d ObjectLoad, &'d Place)> {
    let rules = declarations.iter().filter_map(|declaration| if let Body::Rule(rule) = &declaration.body { Some(rule) } else { None });
    let actions = rules.flat_map(|rule| &rule.actions);
    actions.filter_map(|action| match &action.kind {
        ActionKind::Object(load) if load.to.system == System::Salesforce => Some((load, &action.place)),
        _ => None,
    })
}

fn refused(load: &ObjectLoad, list: &Enabled) -> Vec<Diagnostic> {
    let object = &load.to.object;
    let enabled = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(object)).map(|(_, fields)| fields.as_slice()).unwrap_or_default();
    let missing: Vec<_> = load.fields.iter().filter(|map| !enabled.iter().any(|name| name.eq_ignore_ascii_case(&map.target))).collect();
    let line = enabled
        .iter()
        .map(String::as_str)
        .chain(missing.iter().map(|map| map.target.as_str()))
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let finding = |map: &&crate::script::FieldMap| {
        Diagnostic::new(Id::NotEnabled, &map.place, format!("{object}.{} is not enabled for rule updates", map.target))
            .hint(format!("under [salesforce.rule_updates] in tabi.toml: {object} = [{line}]"))
    };
    missing.iter().map(finding).collect()
}

fn unlisted(load: &ObjectLoad, place: &Place) -> Diagnostic {
    let fields = load.fields.iter().map(|map| format!("\"{}\"", map.target)).collect::<Vec<_>>().join(", ");
    Diagnostic::new(Id::NoUpdateList, place, "no list says which Salesforce fields rules may write: all are open")
        .hint(format!("add to tabi.toml:\n[salesforce.rule_updates]\n{} = [{fields}]", load.to.object))
}
