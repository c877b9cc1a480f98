//! Two outcomes held against each other: which rows would be different, and how.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Fault, Source, Value},
    script::{Body, Declaration},
};

use super::{
    sample::Given,
    trial::{self, Ground, Outcome},
};

/// One thing that would be different.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// A field of a row.
    Field { object: String, key: String, field: String, from: Value, to: Value },
    /// A row that would be written now and was not before.
    Included { object: String, key: String },
    /// A row that would not be written any more.
    Excluded { object: String, key: String },
    /// A row that is rejected now.
    Rejected { key: String, field: Option<String>, reason: String },
    /// A row that is not rejected any more.
    Accepted { key: String, field: Option<String>, reason: String },
    /// Somebody in a journey who would come to another step.
    Branch { key: String, step: String, from: String, to: String },
    /// Somebody who would not come in any more, and why.
    LeftOut { key: String, reason: String },
    /// Somebody who would come in now.
    LetIn { key: String },
}

impl Difference {
    /// The row or the person.
    pub fn key(&self) -> &str {
        match self {
            Self::Field { key, .. }
            | Self::Included { key, .. }
            | Self::Excluded { key, .. }
            | Self::Rejected { key, .. }
            | Self::Accepted { key, .. }
            | Self::Branch { key, .. }
            | Self::LeftOut { key, .. }
            | Self::LetIn { key } => key,
        }
    }

    /// The word in JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Field { .. } => "field",
            Self::Included { .. } => "included",
            Self::Excluded { .. } => "excluded",
            Self::Rejected { .. } => "rejected",
            Self::Accepted { .. } => "accepted",
            Self::Branch { .. } => "branch",
            Self::LeftOut { .. } => "left_out",
            Self::LetIn { .. } => "let_in",
        }
    }
}

/// What two versions of a declaration differ in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// Records and people that both versions were run on.
    pub records: usize,
    /// In the order of objects and keys.
    pub differences: Vec<Difference>,
    /// Records of the sample that lack a field the new version reads, and those fields.
    pub unfit: usize,
    pub missing: Vec<String>,
    /// What the sample cannot show.
    pub notes: Vec<String>,
    /// Why the new version could not go on, and the earlier one.
    pub fault: Option<Fault>,
    pub earlier_fault: Option<Fault>,
}

impl Comparison {
    /// Rows and people that would be different, each once.
    pub fn rows(&self) -> usize {
        self.differences.iter().map(Difference::key).collect::<BTreeSet<_>>().len()
    }

    /// How many differences there are of each kind.
    pub fn count(&self, kind: &str) -> usize {
        self.differences.iter().filter(|difference| difference.kind() == kind).count()
    }

    /// How often each field would be another.
    pub fn fields(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for difference in &self.differences {
            if let Difference::Field { field, .. } = difference {
                *counts.entry(field.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// Nothing would be different, and nothing kept that from being seen.
    pub fn is_nothing(&self) -> bool {
        self.differences.is_empty() && self.fault.is_none() && self.unfit == 0
    }
}

/// Runs the earlier and the new version over the sample. Journeys are compared by their people: `compare_journeys`.
pub fn compare(earlier: &Declaration, new: &Declaration, given: &Given, ground: &Ground<'_>) -> Comparison {
    let now = trial::run(new, given, &BTreeSet::new(), ground);
    // Records that do not fit the new version are left out on both sides: what it makes of them cannot be known.
    let before = trial::run(earlier, given, &now.unfit, ground);
    // The other way round they count as records that the earlier version did not see.
    let now = if before.unfit.is_empty() {
        now
    } else {
        Outcome { unfit: now.unfit.clone(), missing: now.missing.clone(), ..trial::run(new, given, &before.unfit, ground) }
    };
    let mut comparison = Comparison {
        records: given.records().saturating_sub(now.unfit.len()),
        differences: differences(&before, &now),
        unfit: now.unfit.len(),
        missing: now.missing.into_iter().collect(),
        notes: notes(earlier, new),
        fault: now.fault,
        earlier_fault: before.fault,
    };
    // A version that stopped midway says nothing about the rows it did not come to.
    if comparison.fault.is_some() || comparison.earlier_fault.is_some() {
        comparison.differences.clear();
    }
    comparison
}

fn differences(before: &Outcome, now: &Outcome) -> Vec<Difference> {
    let mut found = Vec::new();
    let keys: BTreeSet<&(String, String)> = before.rows.keys().chain(now.rows.keys()).collect();
    for at in keys {
        let (object, key) = (at.0.clone(), at.1.clone());
        match (before.rows.get(at), now.rows.get(at)) {
            (Some(earlier), Some(new)) => {
                let names: Vec<&str> = earlier.iter().chain(new.iter()).map(|(name, _)| name.as_str()).collect();
                let mut seen = BTreeSet::new();
                for name in names.into_iter().filter(|name| seen.insert(*name)) {
                    let value = |record: &crate::model::Record| record.get(name).cloned().unwrap_or_default();
                    let (from, to) = (value(earlier), value(new));
                    if from != to {
                        found.push(Difference::Field { object: object.clone(), key: key.clone(), field: name.to_owned(), from, to });
                    }
                }
            }
            // What is rejected is told below, with the reason.
            (Some(_), None) if !now.rejected.contains_key(&key) => found.push(Difference::Excluded { object, key }),
            (None, Some(_)) if !before.rejected.contains_key(&key) => found.push(Difference::Included { object, key }),
            _ => (),
        }
    }
    for (key, rejection) in now.rejected.iter().filter(|(key, _)| !before.rejected.contains_key(*key)) {
        found.push(Difference::Rejected { key: key.clone(), field: rejection.field.clone(), reason: rejection.reason.clone() });
    }
    for (key, rejection) in before.rejected.iter().filter(|(key, _)| !now.rejected.contains_key(*key)) {
        found.push(Difference::Accepted { key: key.clone(), field: rejection.field.clone(), reason: rejection.reason.clone() });
    }
    found
}

/// What a sample of the earlier version's reading cannot show.
fn notes(earlier: &Declaration, new: &Declaration) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Body::Rule(before), Body::Rule(now)) = (&earlier.body, &new.body)
        && let (Source::Object(query), Source::Object(other)) = (&before.from, &now.from)
        && (&before.filters, &query.filter) != (&now.filters, &other.filter)
    {
        notes.push("the sample holds what the earlier filter let through: records that only the new one lets through are not in it".to_owned());
    }
    if reports(earlier) != reports(new) {
        notes.push("the source itself is another: the sample is of the earlier one".to_owned());
    }
    notes
}

/// The sources that are more than an object, whose records depend on how they are asked for.
fn reports(declaration: &Declaration) -> Vec<Source> {
    let of = |source: &Source| match source {
        Source::Object(_) => None,
        other => Some(super::sample::plain(other)),
    };
    match &declaration.body {
        Body::Integration(one) => one.push.iter().filter_map(|push| of(&push.report)).collect(),
        Body::Mapping(one) => of(&one.from).into_iter().collect(),
        Body::Rule(one) => of(&one.from).into_iter().collect(),
        Body::Segment(_) | Body::Journey(_) => Vec::new(),
    }
}
