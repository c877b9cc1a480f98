//! Engagements, features, segments and attributes that nobody wrote.

use serde_json::{Value, json};

use super::{auth::PRODUCT_KEY, state::guid};
use crate::sandbox::{company::product, documents::Seed};

/// A short list of seeded rows, by their `id`.
pub(super) struct Catalogue {
    rows: Vec<Value>,
    fields: &'static [&'static str],
}

impl Seed for Catalogue {
    fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    fn id(&self, index: u64) -> String {
        self.field(index, "id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.rows.iter().position(|row| row["id"] == id).map(|position| position as u64)
    }

    fn fields(&self) -> &[&'static str] {
        self.fields
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        self.rows.get(usize::try_from(index).ok()?)?.get(field).cloned()
    }
}

/// What an engagement's description says when Journey Orchestrator triggers it.
pub(super) const BY_JOURNEY: &str = "Triggered by: Journey Orchestrator";

/// Name, type, state, and whether Journey Orchestrator triggers it.
const ENGAGEMENTS: [(&str, &str, &str, bool); 13] = [
    ("Product tour", "IN_APP_GUIDE", "STARTED", true),
    ("Release video", "IN_APP_DIALOG", "STARTED", true),
    ("In-app NPS", "IN_APP_NPS_SURVEY", "STARTED", true),
    ("Support CSAT", "IN_APP_RATING_SURVEY", "STARTED", true),
    ("What is new", "IN_APP_CAROUSEL", "STARTED", true),
    ("Setup effort", "IN_APP_CES_SURVEY", "STARTED", true),
    ("Feature poll", "IN_APP_MULTIPLE_QUESTION_SURVEY", "STARTED", true),
    ("Renewal interest", "IN_APP_BOOLEAN_SURVEY", "STARTED", true),
    ("Admin tour", "IN_APP_GUIDE", "PAUSED", true),
    ("Integrations tour", "IN_APP_GUIDE", "IN_PROGRESS", true),
    (TIPS, "IN_APP_DIALOG", "STARTED", false),
    (PULSE, "IN_APP_NPS_SURVEY", "STARTED", false),
    (DIGEST, "EMAIL", "STARTED", false),
];

/// For everybody: what people see of it is the company's guide with this number.
pub(super) const TIPS: &str = "Report builder tips";
pub(super) const TIPS_GUIDE: usize = 3;
/// For everybody: the company's NPS survey.
pub(super) const PULSE: &str = "NPS pulse";
/// A mail to all users at the begin of each month.
pub(super) const DIGEST: &str = "Monthly digest";

pub(super) fn engagements() -> Catalogue {
    let row = |(name, kind, state, by_journey): &(&str, &str, &str, bool)| {
        json!({
            "id": guid("engagement", name), "name": name, "description": if *by_journey { BY_JOURNEY } else { "" }, "type": kind, "state": state,
            "propertyKeys": [PRODUCT_KEY], "envs": if *state == "IN_PROGRESS" { json!([]) } else { json!(["Production"]) },
            "defaultLanguage": "en", "languages": [], "translationState": "", "history": [[0, state]],
        })
    };
    let fields =
        &["id", "name", "description", "type", "state", "propertyKeys", "envs", "defaultLanguage", "languages", "translationState", "history"];
    Catalogue { rows: ENGAGEMENTS.iter().map(row).collect(), fields }
}

/// The id of a feature of the product.
pub(super) fn feature_id(number: usize) -> String {
    guid("feature", &number.to_string())
}

pub(super) fn features() -> Catalogue {
    let modules = ["Web app", "Mobile app"];
    let module = |name: &&str| (guid("module", name), (*name).to_owned(), "MODULE", None);
    let feature =
        |item: product::Item| (feature_id(item.number), item.name.to_owned(), "FEATURE", modules.get(item.app).map(|name| guid("module", name)));
    let all = modules.iter().map(module).chain(product::features().map(feature));
    let row = |(id, name, kind, parent): (String, String, &str, Option<String>)| {
        json!({
            "id": id, "name": name, "type": kind, "parentFeatureId": parent, "propertyKey": PRODUCT_KEY, "status": "ACTIVATED",
            "featureLabels": [],
        })
    };
    Catalogue { rows: all.map(row).collect(), fields: &["id", "name", "type", "parentFeatureId", "propertyKey", "status", "featureLabels"] }
}

/// Segments by the role of their members; none for everyone.
pub(super) const SEGMENTS: [(&str, Option<&str>); 3] = [("Everyone", None), ("Admins", Some("admin")), ("Viewers", Some("viewer"))];

pub(super) fn segment_id(number: usize) -> String {
    guid("segment", &number.to_string())
}

pub(super) fn segments() -> Catalogue {
    let row = |(number, (name, _)): (usize, &(&str, Option<&str>))| json!({"id": segment_id(number), "name": name});
    Catalogue { rows: SEGMENTS.iter().enumerate().map(row).collect(), fields: &["id", "name"] }
}

/// Custom attributes: of whom, name, label, type.
const CUSTOM: [(&str, &str, &str, &str); 9] = [
    ("user", "jobLevel", "Job level", "STRING"),
    ("user", "champion", "Champion", "BOOLEAN"),
    ("user", "trainings", "Trainings", "NUMBER"),
    ("user", "trainedOn", "Trained on", "DATE_TIME"),
    ("account", "seats", "Seats", "NUMBER"),
    ("account", "onboardingStatus", "Onboarding status", "STRING"),
    ("account", "churnRisk", "Churn risk", "STRING"),
    ("account", "strategic", "Strategic", "BOOLEAN"),
    ("account", "kickoffOn", "Kick-off on", "DATE_TIME"),
];

pub(super) const ATTRIBUTE_FIELDS: &[&str] =
    &["id", "model", "name", "apiName", "internalName", "description", "type", "state", "origin", "createdDate", "modifiedDate", "defaultValue"];

/// An attribute as the table has it; its id is `model/apiName`.
pub(super) fn attribute(model: &str, name: &str, label: &str, kind: &str, origin: &str) -> Value {
    json!({
        "id": format!("{model}/{name}"), "model": model, "name": label, "apiName": name, "internalName": name, "description": "", "type": kind,
        "state": "ENABLED", "origin": origin, "createdDate": 1_690_000_000_000_i64, "modifiedDate": 1_690_000_000_000_i64, "defaultValue": null,
    })
}

pub(super) fn attributes() -> Catalogue {
    let rows = CUSTOM.iter().map(|(model, name, label, kind)| attribute(model, name, label, kind, "CUSTOM"));
    Catalogue { rows: rows.collect(), fields: ATTRIBUTE_FIELDS }
}
