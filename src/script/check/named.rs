//! Segments, apps, features, guides, saved reports and metadata that declarations name, against what Pendo lists and describes.

use std::collections::BTreeSet;

use crate::model::{Listed, Listing, Measure, Misnamed, ObjectSchema, Report, Source, System};
use crate::script::{
    Participants,
    declaration::{ActionKind, Body, Declaration, Place},
    diagnostics::{Diagnostic, Id},
};

/// The lists that the names of declarations are looked up in.
pub fn named_listings(declarations: &[&Declaration]) -> BTreeSet<Listing> {
    let of_reports = declarations.iter().flat_map(|declaration| reports(declaration)).flat_map(|(report, _)| report.listings());
    let saved = declarations.iter().any(|one| sources(one).iter().any(|(source, _)| matches!(source, Source::Saved(_))));
    let of_reports = of_reports.chain(saved.then_some(Listing::Report));
    of_reports.chain(declarations.iter().any(|one| !guides(one).is_empty()).then_some(Listing::Guide)).collect()
}

/// Every name that means nothing in Pendo, or more than one thing, in the words in which a run would refuse it.
///
/// A segment that another declaration makes need not be there yet.
pub fn check_named(declarations: &[&Declaration], listed: &Listed) -> Vec<Diagnostic> {
    let made: BTreeSet<&str> = declarations.iter().filter(|one| matches!(one.body, Body::Segment(_))).map(|one| one.name.as_str()).collect();
    let mut found = Vec::new();
    for declaration in declarations {
        for (report, place) in reports(declaration) {
            let wrong = listed.of_report(report).err().unwrap_or_default();
            let wrong =
                wrong.into_iter().filter(|one| one.several || report.segment.as_ref() != Some(&one.name) || !made.contains(one.name.as_str()));
            found.extend(wrong.map(|misnamed| finding(place, misnamed)));
        }
        for (source, place) in sources(declaration) {
            if let Source::Saved(report) = source {
                found.extend(listed.saved(report).err().map(|misnamed| finding(place, misnamed)));
            }
        }
        let wrong = guides(declaration).iter().filter_map(|guide| listed.id(Listing::Guide, guide, None).err());
        found.extend(wrong.map(|misnamed| finding(&declaration.place, misnamed)));
    }
    found
}

/// Every metadata column of a report that Pendo has not, as far as `lookup` knows its accounts and visitors: it would be null for everybody.
///
/// Metadata that another declaration writes is made by its run.
pub fn check_metadata(declarations: &[&Declaration], lookup: impl Fn(System, &str) -> Option<ObjectSchema>) -> Vec<Diagnostic> {
    let made: BTreeSet<(String, String)> = declarations.iter().flat_map(|declaration| metadata_made(declaration)).collect();
    let mut found = Vec::new();
    for (report, place) in declarations.iter().flat_map(|declaration| reports(declaration)) {
        for (_, measure) in &report.columns {
            let Measure::Metadata(path) = measure else { continue };
            let Some(schema) = lookup(System::Pendo, &report.per).filter(|_| !made.contains(&(kind(&report.per), path.clone()))) else { continue };
            if schema.fields.iter().any(|field| field.name == *path) {
                continue;
            }
            let finding = Diagnostic::new(Id::UnknownField, place, format!("pendo {} has no metadata `{path}`", report.per)).about(path);
            let known = schema.fields.iter().map(|field| field.name.as_str());
            found.push(finding.meant(path, known, || Some(format!("`pendo::describe(\"{}\")` lists its fields", report.per))));
        }
    }
    found
}

/// Kind of record and metadata that a declaration writes.
fn metadata_made(declaration: &Declaration) -> Vec<(String, String)> {
    match &declaration.body {
        Body::Integration(one) => one.pull.iter().map(|pull| (kind(&one.per), format!("metadata.salesforce.{}", pull.metadata))).collect(),
        Body::Mapping(one) if one.to.system == System::Pendo => one.fields.iter().map(|map| (kind(&one.to.object), map.target.to_string())).collect(),
        Body::Rule(rule) => {
            let loads = rule.actions.iter().filter_map(|action| if let ActionKind::Object(load) = &action.kind { Some(load) } else { None });
            let loads = loads.filter(|load| load.to.system == System::Pendo);
            loads.flat_map(|load| load.fields.iter().map(|map| (kind(&load.to.object), map.target.to_string()))).collect()
        }
        _ => Vec::new(),
    }
}

/// `account` or `visitor`, also of the plural.
fn kind(object: &str) -> String {
    object.to_lowercase().trim_end_matches('s').to_owned()
}

fn finding(place: &Place, misnamed: Misnamed) -> Diagnostic {
    let finding = Diagnostic::new(Id::UnknownListed, place, misnamed.reason).about(&misnamed.name);
    match misnamed.near {
        Some(near) => finding.instead(&misnamed.name, &near, false).hint(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// The usage reports that a declaration reads, each with where it is declared.
fn reports(declaration: &Declaration) -> Vec<(&Report, &Place)> {
    sources(declaration).into_iter().filter_map(|(source, place)| Some((source.usage()?, place))).collect()
}

/// What a declaration reads.
fn sources(declaration: &Declaration) -> Vec<(&Source, &Place)> {
    let source = match &declaration.body {
        Body::Integration(integration) => return integration.push.iter().map(|push| (&push.report, &push.place)).collect(),
        Body::Mapping(mapping) => &mapping.from,
        Body::Rule(rule) => &rule.from,
        Body::Journey(journey) => match &journey.participants {
            Participants::Source { source, .. } => source,
            Participants::List(_) => return Vec::new(),
        },
        Body::Segment(_) => return Vec::new(),
    };
    vec![(source, &declaration.place)]
}

/// The guides that a segment is shown.
fn guides(declaration: &Declaration) -> &[String] {
    match &declaration.body {
        Body::Segment(segment) => &segment.guides,
        _ => &[],
    }
}
