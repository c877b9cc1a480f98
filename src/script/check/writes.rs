//! What a declaration writes, in a form in which two ways of writing the same thing are equal.

use crate::model::{Source, System, Value};
use crate::script::{
    declaration::{Action, ActionKind, Body, Cell, Declaration, FieldMap, ObjectLoad, Place, RuleScore, Target, UsageLoad},
    kept::{Kept, KeptKind},
};

use super::usage::Named;

/// Gainsight's usage data object in Salesforce, and its fields that identify a row together with the account and the date.
const USAGE: &str = "jbcxm__usagedata__c";
const LEVEL: &str = "name";
const INSTANCE: &str = "jbcxm_instanceid";
/// The Gainsight object that scores are loaded to.
const SCORES: &str = "measure_scores__gc";
/// Milestones of Gainsight's package in Salesforce.
const MILESTONES: &str = "jbcxm__milestone__c";

/// Something that a declaration writes.
#[derive(Debug, Clone)]
pub(in crate::script) struct Written<'d> {
    system: System,
    object: String,
    field: String,
    /// Key fields with one value for all rows: other values are other rows.
    rows: Vec<(String, String)>,
    /// As it is told.
    pub(in crate::script) said: String,
    pub(in crate::script) place: &'d Place,
}

impl Written<'_> {
    /// The same text for the same thing.
    pub(in crate::script) fn claim(&self) -> String {
        let rows = self.rows.iter().fold(String::new(), |rows, (field, value)| format!("{rows} {field}={value}"));
        format!("{} {}.{}{rows}", self.system, self.object, self.field)
    }

    /// What has to be equal for two to be able to write the same.
    pub(in crate::script) fn group(&self) -> (System, &str, &str) {
        (self.system, &self.object, &self.field)
    }

    /// Whether both may write the same field of the same row.
    pub(in crate::script) fn meets(&self, other: &Self) -> bool {
        let apart = |(field, value): &(String, String)| other.rows.iter().any(|(name, wanted)| name == field && wanted != value);
        self.group() == other.group() && !self.rows.iter().any(apart)
    }
}

/// Everything that a declaration writes to rows, and which segment it shows guides to. Calls to action and success plans of a journey are made
/// for single people at a moment, and the open one is carried on by whoever comes next; they are no claim.
pub(in crate::script) fn written<'d>(declaration: &'d Declaration, named: Named<'_>) -> Vec<Written<'d>> {
    match &declaration.body {
        Body::Integration(integration) => {
            let object = Object::of(System::Salesforce, &integration.object);
            let pushed = integration.push.iter().flat_map(|push| &push.fields).map(|map| object.field(&map.target, &map.place));
            let pendo = Object::of(System::Pendo, &integration.per);
            let pulled = integration.pull.iter().map(|pull| Written {
                said: format!("pendo {} `{}`", integration.per, pull.metadata),
                ..pendo.field(&format!("metadata.salesforce.{}", pull.metadata), &pull.place)
            });
            pushed.chain(pulled).collect()
        }
        Body::Mapping(mapping) => {
            let keys: Vec<&FieldMap> = mapping.match_on.iter().collect();
            mapped(&mapping.to, &keys, &mapping.fields)
        }
        Body::Rule(rule) => rule.actions.iter().flat_map(|action| by_action(action, Some(&rule.from), named)).collect(),
        Body::Segment(segment) => segment.guides.iter().map(|guide| shown(guide, &declaration.place)).collect(),
        Body::Journey(journey) => {
            let actions = journey.steps.values().filter_map(|parts| parts.action.as_ref());
            actions.flat_map(|action| by_action(action, None, named)).collect()
        }
    }
}

/// `from` is what a rule reads; nothing for a step of a journey.
fn by_action<'d>(action: &'d Action, from: Option<&Source>, named: Named<'_>) -> Vec<Written<'d>> {
    match &action.kind {
        ActionKind::Object(load) => loaded(load),
        ActionKind::Usage(usage) => measured(usage, named),
        ActionKind::Score(score) => scored(score, &action.place),
        ActionKind::Cta(cta) => match (&cta.cta_type, &cta.reason) {
            (Cell::Constant(kind), Cell::Constant(reason)) if from.is_some() => {
                let object = Object::of(System::Gainsight, "call_to_action");
                let rows = vec![("type".to_owned(), plain(kind)), ("reason".to_owned(), plain(reason))];
                let said = format!("the open call to action of type `{kind}` and reason `{reason}`");
                vec![Written { rows, said, ..object.field("call to action", &action.place) }]
            }
            _ => Vec::new(),
        },
        ActionKind::Kept(kept) => kept_by(kept, from, &action.place),
    }
}

/// A score, and what is said of it.
fn scored<'d>(score: &RuleScore, place: &'d Place) -> Vec<Written<'d>> {
    let object = Object::of(System::Gainsight, score.into.as_deref().unwrap_or(SCORES));
    let of = |field: &str, what: &str| Written {
        rows: vec![("measure".to_owned(), score.measure.to_lowercase())],
        said: format!("{what} `{}`", score.measure),
        ..object.field(field, place)
    };
    std::iter::once(of("Score__gc", "the score")).chain(score.comments.iter().map(|_| of("Comments__gc", "the comments of the score"))).collect()
}

/// Entries under external ids that two declarations may give, the open plan of a type and name, the comments of a milestone. Entries without
/// an external id of the script's own are of their declaration alone.
fn kept_by<'d>(kept: &Kept, from: Option<&Source>, place: &'d Place) -> Vec<Written<'d>> {
    let constant = |option: &str| match kept.cell(option) {
        Some(Cell::Constant(value)) => Some(plain(value)),
        _ => None,
    };
    match (kept.kind, from) {
        (KeptKind::Timeline, _) => {
            let id = match kept.cell("external_id") {
                Some(Cell::Field(field)) => format!("{} {}", from.map(source).unwrap_or_default(), field.to_lowercase()),
                Some(Cell::Constant(value)) => format!("`{value}`"),
                _ => return Vec::new(),
            };
            let object = Object::of(System::Gainsight, "activity_timeline");
            let said = format!("the timeline entries under the external id {}", id.trim());
            vec![Written { rows: vec![("externalid".to_owned(), id)], said, ..object.field("entry", place) }]
        }
        (KeptKind::SuccessPlan, Some(_)) => {
            let (Some(kind), Some(name)) = (constant("type"), constant("name")) else { return Vec::new() };
            let object = Object::of(System::Gainsight, "cta_group");
            let said = format!("the open success plan of type `{kind}` and name `{name}`");
            vec![Written { rows: vec![("type".to_owned(), kind), ("name".to_owned(), name)], said, ..object.field("success plan", place) }]
        }
        (KeptKind::Milestone, _) if kept.cell("comments").is_some() => {
            let name = constant("milestone").unwrap_or_default();
            let object = Object::of(System::Salesforce, MILESTONES);
            let said = format!("the comments of the milestone `{name}`");
            vec![Written { rows: vec![("milestone".to_owned(), name)], said, ..object.field("JBCXM__Comment__c", place) }]
        }
        (KeptKind::SuccessPlan | KeptKind::Milestone, _) => Vec::new(),
    }
}

/// What is read, in words.
fn source(from: &Source) -> String {
    match from {
        Source::Object(query) => format!("{}.{}", query.system, query.object.to_lowercase()),
        _ => String::new(),
    }
}

fn loaded(load: &ObjectLoad) -> Vec<Written<'_>> {
    let identifies = |map: &&FieldMap| load.identifiers.iter().any(|name| name.eq_ignore_ascii_case(&map.target));
    let keys: Vec<&FieldMap> = load.fields.iter().filter(identifies).collect();
    mapped(&load.to, &keys, &load.fields)
}

/// Mapped fields without those that identify the row.
fn mapped<'d>(to: &Target, keys: &[&FieldMap], maps: &'d [FieldMap]) -> Vec<Written<'d>> {
    let object = Object::of(to.system, &to.object);
    let one_value = |map: &&FieldMap| match &map.from {
        Cell::Constant(value) => Some((object.name(&map.target), plain(value))),
        _ => None,
    };
    let rows: Vec<(String, String)> = keys.iter().filter_map(one_value).collect();
    let is_key = |map: &FieldMap| keys.iter().any(|key| key.target.eq_ignore_ascii_case(&map.target));
    let written = |map: &'d FieldMap| Written { rows: rows.clone(), ..object.field(&map.target, &map.place) };
    maps.iter().filter(|map| !is_key(map)).map(written).collect()
}

/// One column for each measure, of the rows of one level.
fn measured<'d>(usage: &'d UsageLoad, named: Named<'_>) -> Vec<Written<'d>> {
    let (object, level) = match &usage.into {
        Some(object) => (Object::of(System::Gainsight, object), "level"),
        None => (Object::of(System::Salesforce, USAGE), LEVEL),
    };
    let mut rows = vec![(level.to_owned(), usage.level.to_lowercase())];
    if let Some(Cell::Constant(instance)) = &usage.instance_id {
        rows.push((INSTANCE.to_owned(), plain(instance)));
    }
    let said = |map: &FieldMap| format!("the measure `{}` of {} usage data", map.target, usage.level);
    usage
        .measures
        .iter()
        .map(|map| Written { rows: rows.clone(), said: said(map), ..object.field(&named.column(usage, &map.target), &map.place) })
        .collect()
}

/// A guide is shown to one segment.
fn shown<'d>(guide: &str, place: &'d Place) -> Written<'d> {
    let object = Object::of(System::Pendo, "guide");
    let rows = vec![("guide".to_owned(), guide.to_lowercase())];
    Written { rows, said: format!("who is shown the guide `{guide}`"), ..object.field("segment", place) }
}

fn plain(value: &Value) -> String {
    value.to_string().to_lowercase()
}

/// An object under the one name that its system knows it by, though scripts may use others.
struct Object {
    system: System,
    /// As it is told.
    told: String,
    name: String,
    /// Measures go by their names or by their columns' names.
    measures: bool,
}

impl Object {
    fn of(system: System, object: &str) -> Self {
        let told = object.to_lowercase();
        let name = match (system, told.as_str()) {
            (System::Gainsight, "customer_info") => "company",
            (System::Gainsight, "cta" | "cs_cta") => "call_to_action",
            (System::Pendo, "accounts") => "account",
            (System::Pendo, "visitors") => "visitor",
            (_, other) => other,
        };
        let measures = name == USAGE || system == System::Gainsight && name.ends_with("__gc");
        Self { system, name: name.to_owned(), told, measures }
    }

    fn name(&self, field: &str) -> String {
        let field = field.to_lowercase();
        match (self.system, self.told.as_str(), field.as_str()) {
            (System::Gainsight, "customer_info", "accountid") => "sfdcaccountid".to_owned(),
            (System::Gainsight, "customer_info", "healthscore") => "currentscore".to_owned(),
            _ if self.measures => word(&field),
            _ => field,
        }
    }

    fn field<'d>(&self, field: &str, place: &'d Place) -> Written<'d> {
        let said = format!("{} {} `{field}`", self.system, self.told);
        Written { system: self.system, object: self.name.clone(), field: self.name(field), rows: Vec::new(), said, place }
    }
}

/// `Active Visitors (30d)` and `Active_Visitors_30d__c` are one measure.
fn word(name: &str) -> String {
    let bare = name.strip_suffix("__gc").or_else(|| name.strip_suffix("__c")).unwrap_or(name);
    bare.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}
