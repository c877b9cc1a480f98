//! Measures of usage data: each of one group and in one column, and loaded by one rule, in one rhythm.

use std::collections::BTreeMap;

use crate::script::{
    declaration::{Action, ActionKind, Body, Declaration, MeasureDecl, Place, UsageLoad},
    diagnostics::{Diagnostic, Id},
};

/// Measures that are declared twice, and columns that two of them share.
pub(super) fn groups(measures: &[&MeasureDecl]) -> Vec<Diagnostic> {
    let (mut names, mut columns): (BTreeMap<&str, &MeasureDecl>, BTreeMap<String, &MeasureDecl>) = <_>::default();
    let mut found = Vec::new();
    for measure in measures {
        if let Some(earlier) = names.get(measure.name.as_str()) {
            let message = format!("the measure `{}` is declared twice, in the groups `{}` and `{}`", measure.name, earlier.group, measure.group);
            let finding = Diagnostic::new(Id::DuplicateName, &measure.place, message).label(&earlier.place, "first declared here");
            found.push(finding.hint("a measure is of one group: drop one of them, or give it another name"));
            continue;
        }
        names.insert(&measure.name, measure);
        let column = measure.column.clone().unwrap_or_else(|| MeasureDecl::column_of(&measure.name));
        match columns.get(&column.to_lowercase()) {
            Some(earlier) => found.push(shared((&earlier.name, &earlier.place), (&measure.name, &measure.place), &column)),
            None => drop(columns.insert(column.to_lowercase(), measure)),
        }
    }
    found
}

fn shared(earlier: (&str, &Place), later: (&str, &Place), column: &str) -> Diagnostic {
    let message = format!("the measures `{}` and `{}` are in one column, `{column}`", earlier.0, later.0);
    let hint = format!("give one of them a column of its own: `gainsight::measures(\"GROUP\", #{{ \"{}\": \"OTHER__c\" }})`", later.0);
    Diagnostic::new(Id::TwoWriters, later.1, message).label(earlier.1, "the other one").hint(hint)
}

/// One measure that an action loads.
struct Loaded<'d> {
    declaration: &'d Declaration,
    load: &'d UsageLoad,
    measure: &'d str,
    place: &'d Place,
}

/// Measures that two actions load into the same rows.
pub(super) fn loads(declarations: &[&Declaration], measures: &[&MeasureDecl]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(String, &str, String), Loaded<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for declaration in declarations {
        for load in actions(declaration).filter_map(|action| if let ActionKind::Usage(load) = &action.kind { Some(load) } else { None }) {
            for map in &load.measures {
                let one = Loaded { declaration, load, measure: map.target.as_str(), place: &map.place };
                let column = column(load, &map.target, measures);
                let object = load.into.as_deref().unwrap_or_default().to_lowercase();
                match first.get(&(object.clone(), load.level.as_str(), column.to_lowercase())) {
                    Some(earlier) => found.extend(clash(earlier, &one, &column)),
                    None => drop(first.insert((object, load.level.as_str(), column.to_lowercase()), one)),
                }
            }
        }
    }
    found
}

fn actions(declaration: &Declaration) -> impl Iterator<Item = &Action> {
    let rule = if let Body::Rule(rule) = &declaration.body { rule.actions.as_slice() } else { &[] };
    rule.iter()
}

/// What a load writes a measure to, as far as scripts say.
fn column(load: &UsageLoad, measure: &str, measures: &[&MeasureDecl]) -> String {
    let declared = measures.iter().find(|declared| declared.name == measure).and_then(|declared| declared.column.clone());
    declared.unwrap_or_else(|| if load.into.is_some() { measure.to_owned() } else { MeasureDecl::column_of(measure) })
}

fn clash(earlier: &Loaded<'_>, later: &Loaded<'_>, column: &str) -> Option<Diagnostic> {
    let rhythm = |loaded: &Loaded<'_>| match loaded.load.keep.as_deref() {
        Some(kept) => format!("by {kept}"),
        None => "by day".to_owned(),
    };
    let (one, other) = (rhythm(earlier), rhythm(later));
    if std::ptr::eq(earlier.load, later.load) || earlier.measure != later.measure {
        return Some(shared((earlier.measure, earlier.place), (later.measure, later.place), column));
    }
    let names = (&earlier.declaration.name, &later.declaration.name);
    let agreed = later.declaration.overrides.contains(names.0) || earlier.declaration.overrides.contains(names.1);
    // Two rules that load one measure are two writers; actions of one rule have criteria of their own. Neither makes two rhythms fit one row.
    if one == other || !agreed && !std::ptr::eq(earlier.declaration, later.declaration) {
        return None;
    }
    let message = format!(
        "`{}` loads the measure `{}` {one} and `{}` {other}: both write the row of the day that a week or month begins with",
        names.0, later.measure, names.1
    );
    let hint = "give one of them a measure of its own, or load it into a Gainsight object (`into`)";
    Some(Diagnostic::new(Id::TwoWriters, later.place, message).label(earlier.place, "loaded here too").hint(hint))
}
