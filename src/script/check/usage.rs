//! Measures of usage data: each of one group and in one column, and loaded by one rule, in one rhythm.

use std::collections::BTreeMap;

use crate::{
    model::{Columns, System},
    script::{
        USAGE,
        declaration::{Action, ActionKind, Body, Declaration, MeasureDecl, Place, UsageLoad},
        diagnostics::{Diagnostic, Id},
        standing::Standing,
    },
};

use super::across::{Clash, agreed, name_claim};

/// Measures that are declared twice, and columns that two of them share: the newer one is at fault.
pub(super) fn groups(named: Named<'_>, standing: &Standing<'_>) -> Vec<Clash> {
    let (mut by_name, mut by_column): (BTreeMap<&str, &MeasureDecl>, BTreeMap<String, &MeasureDecl>) = <_>::default();
    let rank = |measure: &MeasureDecl| standing.rank(&measure_claim(measure), &measure.group, &measure.place.file);
    let mut sorted: Vec<_> = named.measures.iter().map(|measure| (rank(measure), *measure)).collect();
    sorted.sort_by_key(|(rank, _)| *rank);
    let mut found = Vec::new();
    for (rank, measure) in sorted {
        if let Some(earlier) = by_name.get(measure.name.as_str()) {
            let message = format!("the measure `{}` is declared twice, in the groups `{}` and `{}`", measure.name, earlier.group, measure.group);
            let finding = Diagnostic::new(Id::DuplicateName, &measure.place, message).label(&earlier.place, "first declared here");
            found.push(Clash { rank, finding: finding.hint("a measure is of one group: drop one of them, or give it another name") });
            continue;
        }
        by_name.insert(&measure.name, measure);
        let column = named.in_salesforce(&measure.name);
        match by_column.get(&column.to_lowercase()) {
            Some(earlier) => {
                found.push(Clash { rank, finding: shared((&earlier.name, &earlier.place), (&measure.name, &measure.place), &column) });
            }
            None => drop(by_column.insert(column.to_lowercase(), measure)),
        }
    }
    found
}

/// What a group lays claim to.
pub(in crate::script) fn measure_claim(measure: &MeasureDecl) -> String {
    format!("measure {}", measure.name)
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

/// Measures that two actions load into the same rows, though they are of one rule or one rule overrides the other: different measures, or
/// different rhythms. All others are two writers.
pub(super) fn loads(declarations: &[&Declaration], named: Named<'_>, standing: &Standing<'_>) -> Vec<Diagnostic> {
    let rank = |declaration: &Declaration| standing.rank(&name_claim(&declaration.name), &declaration.name, &declaration.place.file);
    let mut declarations = declarations.to_vec();
    declarations.sort_by_key(|declaration| rank(declaration));
    let mut first: BTreeMap<(String, &str, String), Loaded<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for declaration in declarations {
        for load in actions(declaration).filter_map(|action| if let ActionKind::Usage(load) = &action.kind { Some(load) } else { None }) {
            for map in &load.measures {
                let one = Loaded { declaration, load, measure: map.target.as_str(), place: &map.place };
                let column = named.column(load, &map.target);
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

/// What the measures of a workspace are called.
#[derive(Clone, Copy)]
pub(in crate::script) struct Named<'a> {
    /// What groups say of them, in whichever file.
    pub(in crate::script) measures: &'a [&'a MeasureDecl],
    /// What the columns are labelled, as far as the systems have said so.
    pub(in crate::script) columns: &'a Columns,
}

impl Named<'_> {
    /// What a load writes a measure to: the column that its group gives it, else the one of that name or label, else the one that is made.
    pub(super) fn column(&self, load: &UsageLoad, measure: &str) -> String {
        let Some(object) = &load.into else { return self.in_salesforce(measure) };
        let called = self.declared(measure).unwrap_or(measure);
        self.columns.find(System::Gainsight, object, called).unwrap_or(called).to_owned()
    }

    fn in_salesforce(&self, measure: &str) -> String {
        let declared = self.declared(measure);
        let known = self.columns.find(System::Salesforce, USAGE, declared.unwrap_or(measure)).or(declared);
        known.map_or_else(|| MeasureDecl::column_of(measure), str::to_owned)
    }

    fn declared(&self, measure: &str) -> Option<&str> {
        self.measures.iter().find(|declared| declared.name == measure).and_then(|declared| declared.column.as_deref())
    }
}

fn clash(earlier: &Loaded<'_>, later: &Loaded<'_>, column: &str) -> Option<Diagnostic> {
    let rhythm = |loaded: &Loaded<'_>| match loaded.load.keep.as_deref() {
        Some(kept) => format!("by {kept}"),
        None => "by day".to_owned(),
    };
    let (one, other) = (rhythm(earlier), rhythm(later));
    // Two rules that load one measure are two writers; actions of one rule have criteria of their own. Neither makes two rhythms fit one row.
    if !agreed(earlier.declaration, later.declaration) {
        return None;
    }
    if std::ptr::eq(earlier.load, later.load) || earlier.measure != later.measure {
        return Some(shared((earlier.measure, earlier.place), (later.measure, later.place), column));
    }
    let names = (&earlier.declaration.name, &later.declaration.name);
    if one == other {
        return None;
    }
    let message = format!(
        "`{}` loads the measure `{}` {one} and `{}` {other}: both write the row of the day that a week or month begins with",
        names.0, later.measure, names.1
    );
    let hint = "give one of them a measure of its own, or load it into a Gainsight object (`into`)";
    Some(Diagnostic::new(Id::TwoWriters, later.place, message).label(earlier.place, "loaded here too").hint(hint))
}
