//! Pages, features, track events, guides, segments and reports that nobody wrote, and reading them.

use std::sync::{Arc, OnceLock};

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{Pendo, moment};
use crate::sandbox::{
    company::{
        Company, ids,
        product::{self, Item},
    },
    documents::{Row, Seed, Table},
};

/// A short list of seeded rows.
pub(super) struct Catalogue {
    rows: Vec<Map<String, Value>>,
    fields: Vec<&'static str>,
}

impl Catalogue {
    fn new(rows: impl Iterator<Item = Value>) -> Self {
        let rows: Vec<_> = rows.map(super::state::fields).collect();
        Self { fields: known_fields(&rows), rows }
    }
}

/// Field names that the rows have, in the words of this file.
fn known_fields(rows: &[Map<String, Value>]) -> Vec<&'static str> {
    static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        "id name kind appId appIds rootVersionId stableVersionId createdAt lastUpdatedAt createdByUser lastUpdatedByUser group dirty isCoreEvent rules \
         rulesjson isAutoTagged suggestedName color validThrough dailyRollupFirst dailyMergeFirst elementPathRules pageId eventPropertyConfigurations \
         appWide trackTypeName trackTypeRules eventPropertyNameList state launchMethod isMultiStep isTraining steps polls attributes audience \
         audienceUiHint publishedAt publishedEver resetAt currentFirstEligibleToBeSeenAt recurrence segmentId type definition aggregation \
         aggregationList shared level scope lastRunAt lastSuccessRunAt status pipeline createdByApi dependentMetadata isFocusGroup rule"
            .split_whitespace()
            .collect()
    });
    names.iter().copied().filter(|name| rows.iter().any(|row| row.contains_key(*name))).collect()
}

impl Seed for Catalogue {
    fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    fn id(&self, index: u64) -> String {
        self.field(index, "id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.rows.iter().position(|row| row.get("id").is_some_and(|known| known == id)).map(|position| position as u64)
    }

    fn fields(&self) -> &[&'static str] {
        &self.fields
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        self.rows.get(usize::try_from(index).ok()?)?.get(field).cloned()
    }
}

/// What every entry has.
fn entry(company: &Company, kind: &str, item: Item, more: Value) -> Value {
    let day = company.origin - 300 + i64::try_from(item.number).unwrap_or(0) * 7;
    let user = json!({"id": "1", "username": "product@vendor.example", "first": "Pat", "last": "Product", "role": 8, "userType": "internal"});
    let app = product::APPS[item.app].id;
    let mut entry = json!({
        "id": item.id(), "appId": app, "appIds": [app], "kind": kind, "rootVersionId": item.id(), "stableVersionId": format!("{}-1", item.id()),
        "createdAt": moment(day, 600), "lastUpdatedAt": moment(day + 20, 610), "createdByUser": user, "lastUpdatedByUser": user,
        "group": {"id": "default", "name": "Default", "description": "", "color": "", "length": 0, "items": []},
        "dirty": false, "isCoreEvent": false, "name": item.name,
    });
    if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
        entry.extend(more);
    }
    entry
}

pub(super) fn pages(company: &Company) -> Catalogue {
    Catalogue::new(product::pages().map(|page| {
        let path = page.name.to_lowercase().replace(' ', "-");
        let rule = format!("//*/{path}");
        let rules = json!([{"rule": rule, "designerHint": format!("https://app.product.example/{path}"), "parsedRule": rule}]);
        entry(company, "Page", page, json!({"rules": rules, "rulesjson": "", "isAutoTagged": false, "suggestedName": "", "color": "gray"}))
    }))
}

pub(super) fn features(company: &Company) -> Catalogue {
    let pages: Vec<String> = product::pages().map(|page| page.id()).collect();
    Catalogue::new(product::features().map(|feature| {
        let rule = format!("#{}", feature.name.to_lowercase().replace(' ', "-"));
        let page = &pages[if feature.app == 0 { feature.number % 10 } else { 10 }];
        let more = json!({"elementPathRules": [rule], "pageId": page, "eventPropertyConfigurations": [], "appWide": false, "color": "gray"});
        entry(company, "Feature", feature, more)
    }))
}

pub(super) fn track_types(company: &Company) -> Catalogue {
    Catalogue::new(product::track_types().map(|track| {
        entry(company, "TrackType", track, json!({"trackTypeName": track.name, "trackTypeRules": [track.name], "eventPropertyNameList": []}))
    }))
}

/// The id of a guide's step and of its polls.
pub(super) fn step_id(guide: usize) -> String {
    ids::pendo("step", guide as u64)
}

/// The polls of the NPS survey: the score and the comment.
pub(super) fn poll_ids() -> [String; 2] {
    [ids::pendo("poll", 0), ids::pendo("poll", 1)]
}

pub(super) fn guides(company: &Company) -> Catalogue {
    Catalogue::new(product::guides().map(|guide| {
        let (step, polls) = (step_id(guide.number), if guide.number == 0 { poll_ids().to_vec() } else { Vec::new() });
        let kinds = [("NPSRating", "How likely are you to recommend us?"), ("FreeForm", "What is the reason for your score?")];
        let described: Vec<Value> =
            polls.iter().zip(kinds).map(|(id, (kind, question))| json!({"id": id, "question": question, "attributes": {"type": kind}, "idResponses": []})).collect();
        let published = moment(company.origin - 200, 600);
        let steps = json!([{"id": step, "guideId": guide.id(), "templateId": "building-block", "type": "building-block", "contentType": "text/html; charset=utf-8",
            "pollIds": polls, "advanceMethod": "button", "lastUpdatedAt": published, "resetAt": 0}]);
        let kind = if guide.number == 0 { "nps" } else { "building-block" };
        entry(company, "Guide", guide, json!({
            "state": "public", "launchMethod": "auto", "isMultiStep": false, "isTraining": false, "steps": steps, "polls": described,
            "attributes": {"type": kind}, "audience": [], "audienceUiHint": {"filters": []}, "publishedAt": published, "publishedEver": true,
            "resetAt": 0, "currentFirstEligibleToBeSeenAt": published, "recurrence": 0,
        }))
    }))
}

/// Shared segments: a name and the rule a visitor (with `account`, the metadata of its account) must meet.
const SEGMENTS: [(&str, &str); 7] = [
    ("Everyone", "true"),
    ("Admins", "metadata.agent.role == \"admin\""),
    ("Active in the last 30 days", "metadata.auto.lastvisit >= now() - 30 * 86400000"),
    ("Enterprise accounts", "account.agent.planlevel == \"Enterprise\""),
    ("Renewal in the next 90 days", "account.salesforce.renewal_date__c >= now() && account.salesforce.renewal_date__c <= now() + 90 * 86400000"),
    ("High churn risk", "account.salesforce.churn_risk__c == \"High\""),
    ("Onboarding in progress", "account.salesforce.onboarding_status__c == \"In Progress\""),
];

pub(super) fn segments(company: &Company) -> Catalogue {
    let company = *company;
    Catalogue::new(SEGMENTS.iter().enumerate().map(move |(number, (name, rule))| {
        let item = Item { kind: "segment", number, app: 0, name };
        entry(&company, "Segment", item, json!({
            "definition": {"rule": rule}, "pipeline": [{"filter": rule}], "shared": true, "createdByApi": false, "dependentMetadata": [], "isFocusGroup": false,
        }))
    }))
}

pub(super) fn reports(company: &Company) -> Catalogue {
    let company = *company;
    let report = |per: &str, days: i32| {
        json!([
            {"source": {"events": {"appId": "expandAppIds(\"*\")"}, "timeSeries": {"period": "dayRange", "first": "now()", "count": -days}}},
            {"identified": per},
            {"group": {"group": [per], "fields": {"activeVisitors": {"count": "visitorId"}, "daysActive": {"count": "day"},
                "numMinutes": {"sum": "numMinutes"}, "numEvents": {"sum": "numEvents"}, "lastTime": {"max": "lastTime"}}}},
            {"sort": [per]}
        ])
    };
    let rows = [
        ("Account usage, last 30 days", "accountId", 30),
        ("Account usage, last 7 days", "accountId", 7),
        ("Visitor usage, last 30 days", "visitorId", 30),
    ];
    Catalogue::new(rows.into_iter().enumerate().map(move |(number, (name, per, days))| {
        let item = Item { kind: "report", number, app: 0, name };
        entry(&company, "Report", item, json!({
            "type": if per == "accountId" { "Account Report" } else { "Visitor Report" }, "definition": {}, "aggregation": {"pipeline": report(per, days)},
            "aggregationList": [], "shared": true, "level": "public", "scope": "subscription", "lastRunAt": 0, "lastSuccessRunAt": 0, "status": "idle",
        }))
    }))
}

/// What narrows a list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    id: Option<String>,
    #[serde(rename = "appId")]
    app: Option<String>,
    expand: Option<String>,
    #[serde(rename = "createdByApi")]
    created_by_api: Option<String>,
}

impl Wanted {
    fn includes(&self, row: &Row) -> bool {
        let listed = |list: &str, value: &str| list.split(',').any(|one| one.trim() == value);
        let app = row.get("appId").to_string();
        let of_app = match (&self.app, self.expand.as_deref()) {
            (Some(wanted), _) => listed(wanted, &app),
            (None, Some("*")) => true,
            _ => app == product::APPS[0].id.to_string(),
        };
        let of_id = self.id.as_deref().is_none_or(|ids| listed(ids, &row.id()));
        let by_api = self.created_by_api.as_deref() != Some("true") || *row.get("createdByApi") == Value::Bool(true);
        of_id && by_api && (of_app || self.id.is_some())
    }
}

/// One of the tables.
pub(super) type Pick = fn(&Pendo) -> &Arc<Table>;

/// A list handler for one of the tables.
pub(super) async fn list(State((pendo, table)): State<(Arc<Pendo>, Pick)>, Query(wanted): Query<Wanted>) -> Response {
    let rows = table(&pendo).scan().filter(|row| wanted.includes(row));
    Json(rows.map(|row| shown(&row)).collect::<Vec<_>>()).into_response()
}

/// An entry as the vendor shows it: who is in an uploaded segment is not part of it.
pub(super) fn shown(row: &Row) -> Value {
    let mut document = row.document();
    document.shift_remove("visitors");
    document.into()
}
