//! The objects that Load to Usage and Set Score write, which not every tenant has: what they are, and how to get them.
//!
//! Gainsight's API reads definitions of objects and writes their rows, but makes no object ("Data Management APIs", "Gainsight Custom Object
//! API Documentation"): an administrator makes a custom object in Data Management, and Gainsight ends its names and those of its fields in
//! `__gc`. There is no public call that writes a score either: a scorecard rule in Gainsight reads the object that scores are loaded to.

use crate::model::System;

use super::{
    declaration::{Action, ActionKind, UsageLoad},
    kept::{Kept, KeptKind},
};

/// Gainsight's usage data in Salesforce (A11), which comes with Gainsight's managed package.
pub const USAGE: &str = "JBCXM__UsageData__c";
/// Milestones of accounts in Salesforce, of the same package.
pub const MILESTONES: &str = "JBCXM__Milestone__c";
/// The Gainsight object that scores are loaded to.
pub const SCORES: &str = "measure_scores__gc";

/// The object that an action writes, where it is one that a tenant may lack.
pub fn target(kind: &ActionKind) -> Option<(System, &str)> {
    match kind {
        ActionKind::Usage(UsageLoad { into: Some(object), .. }) => Some((System::Gainsight, object)),
        ActionKind::Usage(_) => Some((System::Salesforce, USAGE)),
        ActionKind::Score(score) => Some((System::Gainsight, score.into.as_deref().unwrap_or(SCORES))),
        ActionKind::Kept(Kept { kind: KeptKind::Milestone, .. }) => Some((System::Salesforce, MILESTONES)),
        ActionKind::Object(_) | ActionKind::Cta(_) | ActionKind::Kept(_) => None,
    }
}

/// What to do in a tenant that does not have the object of an action.
pub fn to_declare(action: &Action) -> Option<String> {
    match &action.kind {
        ActionKind::Score(score) => {
            let object = score.into.as_deref().unwrap_or(SCORES);
            let other = if score.into.is_some() { "" } else { ". Where there is another one with these fields, write `into: \"NAME__gc\"`" };
            Some(format!(
                "`set_score` writes to the Gainsight object `{object}`: {BY_HAND} a custom object `{object}` (label Measure Scores) with the fields \
                 `CompanyId__gc` (lookup to Company), `Measure__gc` (string), `Score__gc` (number), `Date__gc` (date) and `Comments__gc` (string), \
                 and a scorecard rule in Gainsight that sets the measures from it{other}"
            ))
        }
        ActionKind::Usage(UsageLoad { into: Some(object), measures, .. }) => {
            let measures: Vec<String> = measures.iter().map(|measure| format!("`{}`", measure.target)).collect();
            Some(format!(
                "`load_to_usage` writes to the Gainsight object that `into` names: {BY_HAND} a custom object `{object}` with {}",
                fields(&measures)
            ))
        }
        ActionKind::Usage(UsageLoad { measures, .. }) => {
            let measures: Vec<String> = measures.iter().map(|measure| format!("`{}`", measure.target)).collect();
            Some(format!(
                "`load_to_usage` writes to `{USAGE}`, which Gainsight's managed package brings to Salesforce. Without the package, write \
                 `into: \"usage_data__gc\"`: {BY_HAND} a custom object of that name with {}",
                fields(&measures)
            ))
        }
        ActionKind::Kept(Kept { kind: KeptKind::Milestone, .. }) => {
            Some(format!("`load_to_milestones` writes to `{MILESTONES}`, which Gainsight's managed package brings to Salesforce"))
        }
        ActionKind::Object(_) | ActionKind::Cta(_) | ActionKind::Kept(_) => None,
    }
}

/// Who makes objects, and where.
const BY_HAND: &str = "an administrator makes, in Gainsight under Administration, Data Management (no API makes objects),";

fn fields(measures: &[String]) -> String {
    let measures = if measures.is_empty() { "none so far".to_owned() } else { measures.join(", ") };
    format!(
        "the fields `CompanyId__gc` (lookup to Company), `Level__gc` (string), `Date__gc` (date), and a number field for each measure: {measures}"
    )
}
