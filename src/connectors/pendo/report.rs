//! The pipelines of a usage report, and what its columns are made of.

use serde_json::{Value as Json, json};

use crate::model::{Fault, Measure, Record, Report, System, Value};

use super::{
    Pendo,
    rows::{Rows, literal},
    schema::{id_field, kind_of},
};
use crate::connectors::{
    http::invalid,
    rows::{Cast, Columns},
};

/// The streams of a report: the first one says which rows there are, the others add to them.
#[derive(Debug)]
pub(super) struct Layout {
    pub streams: Vec<Rows>,
    pub pieces: Vec<(crate::model::Name, Piece)>,
}

/// What a column's value is made of: fields of the streams' rows at the same key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// A whole number; 0 where the stream has no row.
    Count { stream: usize, field: &'static str },
    /// A count divided by the days of the window.
    PerDay { stream: usize, field: &'static str, days: u32 },
    /// Any value; null where the stream has no row.
    Plain { stream: usize, field: crate::model::Name },
    /// Promoters minus detractors in percent of the answers.
    Score { answers: usize, promoters: usize, detractors: usize },
}

/// What is counted in the poll pipelines: all answers, 9 and 10, 0 to 6.
const ANSWERS: &str = "pollType == \"NPSRating\"";
const PROMOTERS: &str = "pollType == \"NPSRating\" && pollResponse >= 9";
const DETRACTORS: &str = "pollType == \"NPSRating\" && pollResponse <= 6";

struct Builder<'a> {
    report: &'a Report,
    kind: &'static str,
    id: &'static str,
    segment: Option<String>,
    after: Option<Value>,
    streams: Vec<Rows>,
    /// What each stream was made for, so that two columns share one.
    made: Vec<String>,
    metadata: Vec<(String, Cast)>,
}

impl Pendo {
    pub(super) async fn layout(&self, report: &Report, after: Option<Value>) -> Result<Layout, Fault> {
        let kind =
            kind_of(&report.per).ok_or_else(|| invalid(System::Pendo, format!("a report is per `account` or `visitor`, not `{}`", report.per)))?;
        let segment = match report.segment.as_deref() {
            None => None,
            Some(name) if name.eq_ignore_ascii_case("everyone") => None,
            Some(name) => Some(self.id_by_name("segment", name).await?),
        };
        let metadata = self.metadata_columns(report, kind).await?;
        let mut builder = Builder { report, kind, id: id_field(kind), segment, after, streams: Vec::new(), made: Vec::new(), metadata };
        builder.usage();
        let mut pieces = Vec::with_capacity(report.columns.len());
        for (name, measure) in &report.columns {
            let piece = match measure {
                Measure::FeatureClicks(feature) => {
                    let id = self.id_by_name("feature", feature).await?;
                    Piece::Count { stream: builder.clicks(&id), field: "clicks" }
                }
                other => builder.piece(other),
            };
            pieces.push((crate::model::Name::new(name), piece));
        }
        Ok(Layout { streams: builder.streams, pieces })
    }

    /// The metadata fields that the columns need, each once.
    async fn metadata_columns(&self, report: &Report, kind: &'static str) -> Result<Vec<(String, Cast)>, Fault> {
        let mut wanted: Vec<(String, Cast)> = Vec::new();
        for (_, measure) in &report.columns {
            let Some(path) = metadata_of(measure) else { continue };
            if !wanted.iter().any(|(known, _)| known == path) {
                let cast = if *measure == Measure::LastVisit { Cast::Instant } else { self.schema(kind).await?.cast(path) };
                wanted.push((path.to_owned(), cast));
            }
        }
        Ok(wanted)
    }
}

fn metadata_of(measure: &Measure) -> Option<&str> {
    match measure {
        Measure::LastVisit => Some("metadata.auto.lastvisit"),
        Measure::Metadata(path) => Some(path),
        _ => None,
    }
}

impl Builder<'_> {
    fn piece(&mut self, measure: &Measure) -> Piece {
        let count = |field| Piece::Count { stream: 0, field };
        match measure {
            Measure::ActiveVisitors => count("visitors"),
            Measure::TimeOnSite => count("minutes"),
            Measure::Events => count("events"),
            Measure::DaysActive => count("days"),
            Measure::SignInFrequency => Piece::PerDay { stream: 0, field: "days", days: self.report.days.max(1) },
            Measure::Users => Piece::Count { stream: self.users(), field: "users" },
            Measure::NpsResponses => Piece::Count { stream: self.polls(ANSWERS), field: "answers" },
            Measure::NpsScore => Piece::Score { answers: self.polls(ANSWERS), promoters: self.polls(PROMOTERS), detractors: self.polls(DETRACTORS) },
            // A feature's id is looked up before; by name it would be found nowhere.
            Measure::FeatureClicks(id) => Piece::Count { stream: self.clicks(id), field: "clicks" },
            Measure::LastVisit | Measure::Metadata(_) => {
                let path = metadata_of(measure).unwrap_or_default().to_owned();
                Piece::Plain { stream: self.metadata(), field: path.into() }
            }
        }
    }

    /// A source over the window's full days, up to yesterday.
    fn windowed(&self, source: &str, mut options: Json) -> Json {
        options["appId"] = match self.report.app.as_deref() {
            None => json!("expandAppIds(\"*\")"),
            Some(app) => app.parse::<i64>().map_or_else(|_| json!(app), |id| json!(id)),
        };
        let series = json!({"period": "dayRange", "first": "now()", "count": -i64::from(self.report.days.max(1))});
        json!({"source": {source: options, "timeSeries": series}})
    }

    fn segmented(&self, stages: &mut Vec<Json>) {
        if let Some(id) = &self.segment {
            stages.push(json!({"segment": {"id": id}}));
        }
    }

    /// Usage grouped by id; the stages between are filters.
    fn grouped(&self, source: Json, filter: Option<&str>, fields: &Json) -> Vec<Json> {
        let mut stages = vec![source];
        self.segmented(&mut stages);
        stages.push(json!({"identified": self.id}));
        stages.extend(filter.map(|filter| json!({"filter": filter})));
        stages.push(json!({"group": {"group": [self.id], "fields": fields}}));
        stages
    }

    fn add(&mut self, purpose: &str, stages: Vec<Json>, fields: &[&str]) -> usize {
        let mut columns = Columns::default();
        columns.add(self.id, self.id, Cast::Plain);
        for field in fields {
            columns.add(field, field, Cast::Plain);
        }
        self.push(purpose, stages, columns)
    }

    fn push(&mut self, purpose: &str, stages: Vec<Json>, columns: Columns) -> usize {
        self.made.push(purpose.to_owned());
        self.streams.push(Rows::new(stages, (self.id, self.id), columns, self.after.clone()));
        self.streams.len() - 1
    }

    fn made(&self, purpose: &str) -> Option<usize> {
        self.made.iter().position(|made| made == purpose)
    }

    /// The driving stream. Only what some column needs is asked for, and the visitors, which every row has.
    fn usage(&mut self) {
        let needed = |wanted: &[Measure]| self.report.columns.iter().any(|(_, measure)| wanted.contains(measure));
        let mut fields = vec![json!({"visitors": {"count": "visitorId"}})];
        let mut names = vec!["visitors"];
        for (name, field, wanted) in [
            ("minutes", json!({"sum": "numMinutes"}), &[Measure::TimeOnSite][..]),
            ("events", json!({"sum": "numEvents"}), &[Measure::Events]),
            ("days", json!({"count": "day"}), &[Measure::DaysActive, Measure::SignInFrequency]),
        ] {
            if needed(wanted) {
                fields.push(json!({name: field}));
                names.push(name);
            }
        }
        let stages = self.grouped(self.windowed("events", json!({})), None, &Json::Array(fields));
        self.add("usage", stages, &names);
    }

    fn clicks(&mut self, feature: &str) -> usize {
        let purpose = format!("feature {feature}");
        if let Some(made) = self.made(&purpose) {
            return made;
        }
        let source = self.windowed("featureEvents", json!({"featureId": feature}));
        let stages = self.grouped(source, None, &json!([{"clicks": {"sum": "numEvents"}}]));
        self.add(&purpose, stages, &["clicks"])
    }

    fn polls(&mut self, filter: &str) -> usize {
        if let Some(made) = self.made(filter) {
            return made;
        }
        let source = self.windowed("pollEvents", json!({}));
        let stages = self.grouped(source, Some(filter), &json!([{"answers": {"count": null}}]));
        self.add(filter, stages, &["answers"])
    }

    /// Everybody ever seen, counted for each of their accounts.
    fn users(&mut self) -> usize {
        if let Some(made) = self.made("users") {
            return made;
        }
        let mut stages = vec![json!({"source": {"visitors": {"identified": true}}})];
        if self.kind == "account" {
            stages.push(json!({"select": {"visitorId": "visitorId", "accountId": "metadata.auto.accountids"}}));
            stages.push(json!({"unwind": {"field": "accountId"}}));
        }
        stages.push(json!({"identified": self.id}));
        stages.push(json!({"group": {"group": [self.id], "fields": [{"users": {"count": "visitorId"}}]}}));
        self.add("users", stages, &["users"])
    }

    fn metadata(&mut self) -> usize {
        if let Some(made) = self.made("metadata") {
            return made;
        }
        let wanted: Vec<(&str, Cast)> = self.metadata.iter().map(|(path, cast)| (path.as_str(), *cast)).collect();
        let (stages, columns) = selected(self.kind, &wanted, &[]);
        self.push("metadata", stages, columns)
    }
}

/// Accounts or visitors with metadata fields: the stages, and the columns under the fields' own full names.
pub(super) fn selected(kind: &str, fields: &[(&str, Cast)], filters: &[String]) -> (Vec<Json>, Columns) {
    let id = id_field(kind);
    let source = if kind == "visitor" { json!({"visitors": {"identified": true}}) } else { json!({"accounts": null}) };
    let mut stages = vec![json!({"source": source}), json!({"identified": id})];
    stages.extend(filters.iter().map(|filter| json!({"filter": filter})));
    let mut select = serde_json::Map::new();
    select.insert(id.to_owned(), id.into());
    let mut columns = Columns::default();
    columns.add(id, id, Cast::Plain);
    for (at, (path, cast)) in fields.iter().enumerate() {
        let alias = format!("f{at}");
        columns.list.push(crate::connectors::rows::Column { wire: alias.as_str().into(), name: (*path).into(), cast: *cast, inner: None });
        select.insert(alias, (*path).into());
    }
    stages.push(json!({"select": select}));
    (stages, columns)
}

/// `id == "a" || id == "b"`.
pub(super) fn any_of(id: &str, keys: &[&str]) -> String {
    let parts: Vec<String> = keys.iter().map(|key| format!("{id} == {}", literal(&Value::text(key)))).collect();
    parts.join(" || ")
}

impl Piece {
    pub(super) fn value(&self, rows: &[Option<Record>]) -> Value {
        let get = |stream: usize, field: &str| rows.get(stream).and_then(Option::as_ref).and_then(|row| row.get(field)).cloned();
        let count = |stream: usize, field: &str| get(stream, field).and_then(|value| value.as_f64()).unwrap_or(0.0);
        match self {
            #[allow(clippy::cast_possible_truncation, reason = "counts are whole and far below 2^53")]
            Self::Count { stream, field } => Value::Int(count(*stream, field).round() as i64),
            Self::PerDay { stream, field, days } => Value::Float(count(*stream, field) / f64::from(*days)),
            Self::Plain { stream, field } => get(*stream, field).unwrap_or_default(),
            Self::Score { answers, promoters, detractors } => {
                let all = count(*answers, "answers");
                if all == 0.0 {
                    return Value::Null;
                }
                Value::Float((count(*promoters, "answers") - count(*detractors, "answers")) * 100.0 / all)
            }
        }
    }
}
