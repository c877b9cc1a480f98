//! What can be read, as scripts declare it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Date, Filter, System, Value};

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Records of one object, with the fields and filter that the reader adds.
    Object(Query),
    /// A whole SOQL statement.
    Soql(String),
    /// A Pendo account or visitor report over usage.
    Report(Report),
    /// A raw Pendo aggregation pipeline (the JSON list of its stages) and the field that identifies a row.
    Aggregation { pipeline: serde_json::Value, key: String },
    /// A report that somebody saved in Pendo.
    Saved(SavedReport),
}

/// A query of one object.
///
/// Objects by system: Salesforce, the API names. Gainsight, `Company`, `Person`, `call_to_action`, custom ones and
/// `customer_info` (companies that are customers; `AccountId`, `HealthScore` stand for `SfdcAccountId`, `CurrentScore`).
/// Pendo, `account` and `visitor` with fields such as `accountId`, `metadata.salesforce.health_score__c`, and `segment`, `app`,
/// `guide`, `page`, `feature`, `report`. PX, `users`, `accounts`, `engagements`, `features`, `segments`, and feeds such as `engagement_views`
/// and `survey_responses` (the last day, unless `date` is filtered), with fields such as `customAttributes.NAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    pub system: System,
    pub object: String,
    /// Nothing means every field.
    pub fields: Vec<String>,
    pub filter: Option<Filter>,
    /// What the reader asks of every record itself once it has read it, under the field's name or its one spelling. A system may leave out
    /// records that cannot meet it, and need not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<Condition>,
    /// Only records whose field holds that instant or a later one, or nothing: what an incremental run reads.
    pub since: Option<(String, Timestamp)>,
    /// At most so many records in all.
    pub limit: Option<u64>,
}

impl Report {
    /// The field that identifies a row.
    pub fn own_id(&self) -> &'static str {
        System::Pendo.id_field(&self.per).unwrap_or("accountId")
    }
}

impl Query {
    /// The field by which the system itself tells the records of this object apart.
    pub fn own_id(&self) -> &'static str {
        self.system.id_field(&self.object).unwrap_or("id")
    }

    /// Asks for that field, too. A query for every field has it.
    pub fn with_own_id(&mut self) {
        let id = self.own_id();
        if !self.fields.is_empty() && !self.fields.iter().any(|field| field.eq_ignore_ascii_case(id)) {
            self.fields.push(id.to_owned());
        }
    }

    pub fn of(system: System, object: impl Into<String>) -> Self {
        Self { system, object: object.into(), fields: Vec::new(), filter: None, demands: Vec::new(), since: None, limit: None }
    }
}

/// A Pendo usage report, sorted by its id: one row for each account (or visitor) in its scope, whether it did anything in the window or not.
///
/// The scope is every account that Pendo knows, or with a segment every account that a visitor of the segment belongs to; and whoever has events
/// in the window. What a row says of somebody without any is told by `Measure::of_silence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `account` or `visitor`; rows carry `accountId` or `visitorId`.
    pub per: String,
    /// A segment's name or id; none for everyone.
    pub segment: Option<String>,
    /// An app's name or id, which every measure is then of; none for all apps together.
    pub app: Option<String>,
    /// Visitors count, too, whom Pendo gave an id of its own because nobody had signed in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
    /// Full days, in the subscription's time zone, before `until`.
    pub days: u32,
    /// The day that ends the window and does not belong to it; none for the one that Pendo itself is in. A run for another day sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    pub columns: Vec<(String, Measure)>,
}

/// A report as it was saved in Pendo, with the columns, the window and the segment that it has there.
///
/// Its rows are those that Pendo gives, sorted by the key. Who is in no row of it is not there, whatever the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedReport {
    /// Its name or id.
    pub name: String,
    /// What a row stands for: `account` or `visitor`.
    pub per: String,
    /// The column that identifies a row.
    pub key: String,
}

/// A column of a usage report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Distinct visitors with at least one event. Integer.
    ActiveVisitors,
    /// Minutes with activity, summed over visitors. Integer.
    TimeOnSite,
    /// Events, summed. Integer.
    Events,
    /// Distinct days with activity. Integer.
    DaysActive,
    /// Days with activity divided by the days of the window, 0 to 1. Number.
    SignInFrequency,
    /// The last visit ever, not only within the window. Instant, or null.
    LastVisit,
    /// Clicks of a feature, by its name or id. Integer.
    FeatureClicks(String),
    /// All visitors ever seen for the account. Integer.
    Users,
    /// Answers to NPS polls in the window. Integer.
    NpsResponses,
    /// Promoters (9, 10) minus detractors (0 to 6) in percent of those answers, -100 to 100. Number, or null without answers.
    NpsScore,
    /// A metadata field such as `metadata.agent.name`.
    Metadata(String),
}

impl Measure {
    /// What it is for somebody of whom there is nothing to count: counts and times are 0, a moment or a mean of nothing is null.
    pub const fn of_silence(&self) -> Value {
        match self {
            Self::ActiveVisitors | Self::TimeOnSite | Self::Events | Self::DaysActive | Self::FeatureClicks(_) | Self::Users | Self::NpsResponses => {
                Value::Int(0)
            }
            Self::SignInFrequency => Value::Float(0.0),
            Self::LastVisit | Self::NpsScore | Self::Metadata(_) => Value::Null,
        }
    }

    /// Whether null is what the window says, and not something that is missing: it empties a field that holds what an earlier window said.
    pub const fn null_is_said(&self) -> bool {
        matches!(self, Self::NpsScore)
    }
}

impl Source {
    pub const fn system(&self) -> System {
        match self {
            Self::Object(query) => query.system,
            Self::Soql(_) => System::Salesforce,
            Self::Report(_) | Self::Aggregation { .. } | Self::Saved(_) => System::Pendo,
        }
    }

    /// What a row of a Pendo report stands for.
    pub fn per(&self) -> Option<&str> {
        match self {
            Self::Report(report) => Some(&report.per),
            Self::Saved(report) => Some(&report.per),
            Self::Object(_) | Self::Soql(_) | Self::Aggregation { .. } => None,
        }
    }

    /// The usage report, if it is one, whose columns are known before it is read.
    pub const fn usage(&self) -> Option<&Report> {
        if let Self::Report(report) = self { Some(report) } else { None }
    }
}
