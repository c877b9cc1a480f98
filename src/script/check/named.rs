//! Segments, apps, features and guides that declarations name, against what Pendo lists.

use std::collections::BTreeSet;

use crate::model::{Listed, Listing, Misnamed, Report, Source};
use crate::script::{
    Participants,
    declaration::{Body, Declaration, Place},
    diagnostics::{Diagnostic, Id},
};

/// The lists that the names of declarations are looked up in.
pub fn named_listings(declarations: &[&Declaration]) -> BTreeSet<Listing> {
    let of_reports = declarations.iter().flat_map(|declaration| reports(declaration)).flat_map(|(report, _)| report.listings());
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
        let wrong = guides(declaration).iter().filter_map(|guide| listed.id(Listing::Guide, guide, None).err());
        found.extend(wrong.map(|misnamed| finding(&declaration.place, misnamed)));
    }
    found
}

fn finding(place: &Place, misnamed: Misnamed) -> Diagnostic {
    let finding = Diagnostic::new(Id::UnknownListed, place, misnamed.reason).about(&misnamed.name);
    match misnamed.near {
        Some(near) => finding.instead(&misnamed.name, &near, false).hint(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// The reports that a declaration reads, each with where it is declared.
fn reports(declaration: &Declaration) -> Vec<(&Report, &Place)> {
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
    match source {
        Source::Report(report) => vec![(report, &declaration.place)],
        _ => Vec::new(),
    }
}

/// The guides that a segment is shown.
fn guides(declaration: &Declaration) -> &[String] {
    match &declaration.body {
        Body::Segment(segment) => &segment.guides,
        _ => &[],
    }
}
