//! The pipelines of a usage report, and what its columns are made of.
//!
//! Two kinds of streams: some say which rows there are (the scope of the report, and everybody with events in the window), the others only add
//! to them. Somebody of whom a stream has no row did nothing that it counts.

use serde_json::{Value as Json, json};

use crate::model::{Fault, FaultKind, Measure, Name, Named, Record, Report, System, Value};

use super::{
    Pendo,
    rows::{Rows, literal},
    schema::{id_field, kind_of},
};
use crate::connectors::{
    http::invalid,
    rows::{Cast, Columns},
};

/// The streams of a report, and the columns that are made of them.
#[derive(Debug)]
pub(super) struct Layout {
    pub streams: Vec<Stream>,
    pub pieces: Vec<(Name, Piece)>,
}

/// Rows sorted by the id.
#[derive(Debug)]
pub(super) struct Stream {
    pub rows: Rows,
    /// Each of its ids is a row of the report.
    pub drives: bool,
}

/// What a column's value is made of: fields of the streams' rows at the same key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// A field of a stream, and what it is where the stream has no row.
    Field { stream: usize, field: Name, nothing: Value },
    /// A count divided by the days of the window.
    PerDay { stream: usize, field: Name, days: u32 },
    /// Promoters minus detractors in percent of the answers; null without answers.
    Score { stream: usize },
}

struct Builder<'a> {
    report: &'a Report,
    kind: &'static str,
    id: &'static str,
    named: Named,
    after: Option<Value>,
    streams: Vec<Stream>,
    /// What each stream was made for, so that two columns share one.
    made: Vec<String>,
    metadata: Vec<(String, Cast)>,
}

impl Pendo {
    pub(super) async fn layout(&self, report: &Report, after: Option<Value>) -> Result<Layout, Fault> {
        let kind =
            kind_of(&report.per).ok_or_else(|| invalid(System::Pendo, format!("a report is per `account` or `visitor`, not `{}`", report.per)))?;
        let named = self.named(report).await?;
        let metadata = self.metadata_columns(report, kind, named.app.as_deref()).await?;
        let mut builder = Builder { report, kind, id: id_field(kind), named, after, streams: Vec::new(), made: Vec::new(), metadata };
        builder.scope();
        let pieces = report.columns.iter().map(|(name, measure)| Ok((Name::new(name), builder.piece(measure)?))).collect::<Result<_, Fault>>()?;
        Ok(Layout { streams: builder.streams, pieces })
    }

    /// The metadata fields that the columns need, each once.
    async fn metadata_columns(&self, report: &Report, kind: &'static str, app: Option<&str>) -> Result<Vec<(String, Cast)>, Fault> {
        let mut wanted: Vec<(String, Cast)> = Vec::new();
        for (_, measure) in &report.columns {
            let Some(path) = metadata_of(measure, app) else { continue };
            if !wanted.iter().any(|(known, _)| *known == path) {
                let cast = if *measure == Measure::LastVisit { Cast::Instant } else { self.schema(kind).await?.cast(&path) };
                wanted.push((path, cast));
            }
        }
        Ok(wanted)
    }
}

/// A field that Pendo fills by itself, of one app or of all together: `auto_5629499534213120`, and `auto__323232` for -323232.
fn automatic(field: &str, app: Option<&str>) -> String {
    match app {
        None => format!("metadata.auto.{field}"),
        Some(app) => format!("metadata.auto_{}.{field}", app.replace('-', "_")),
    }
}

fn metadata_of(measure: &Measure, app: Option<&str>) -> Option<String> {
    match measure {
        Measure::LastVisit => Some(automatic("lastvisit", app)),
        Measure::Metadata(path) => Some(path.clone()),
        _ => None,
    }
}

impl Builder<'_> {
    /// Who has a row even without any event. Who is in a segment is asked of its visitors: an account is in it when one of them is.
    fn scope(&mut self) {
        if self.by_members() {
            self.users();
        } else {
            self.metadata();
        }
    }

    fn by_members(&self) -> bool {
        self.kind == "account" && self.named.segment.is_some()
    }

    fn piece(&mut self, measure: &Measure) -> Result<Piece, Fault> {
        let (stream, field) = match measure {
            Measure::ActiveVisitors => (self.usage(), "visitors"),
            Measure::TimeOnSite => (self.usage(), "minutes"),
            Measure::Events => (self.usage(), "events"),
            Measure::DaysActive => (self.usage(), "days"),
            Measure::SignInFrequency => {
                return Ok(Piece::PerDay { stream: self.usage(), field: "days".into(), days: self.report.days.max(1) });
            }
            Measure::Users => (self.users(), "users"),
            Measure::NpsResponses => (self.polls(), "answers"),
            Measure::NpsScore => return Ok(Piece::Score { stream: self.polls() }),
            Measure::FeatureClicks(name) => (self.clicks(name)?, "clicks"),
            Measure::LastVisit | Measure::Metadata(_) => {
                let path = metadata_of(measure, self.named.app.as_deref()).unwrap_or_default();
                return Ok(Piece::Field { stream: self.metadata(), field: path.into(), nothing: measure.of_silence() });
            }
        };
        Ok(Piece::Field { stream, field: field.into(), nothing: measure.of_silence() })
    }

    /// A source over the window's full days: up to yesterday, or up to the day before `until`. A negative count leaves the day of `first` out.
    fn windowed(&self, source: &str, mut options: Json) -> Json {
        options["appId"] = match self.named.app.as_deref() {
            None => json!("expandAppIds(\"*\")"),
            Some(app) => app.parse::<i64>().map_or_else(|_| json!(app), |id| json!(id)),
        };
        let first = self.report.until.map_or_else(|| "now()".to_owned(), |day| format!("date({},{},{})", day.year(), day.month(), day.day()));
        let series = json!({"period": "dayRange", "first": first, "count": -i64::from(self.report.days.max(1))});
        json!({"source": {source: options, "timeSeries": series}})
    }

    /// Only members of the segment, where there is one.
    fn segmented(&self, stages: &mut Vec<Json>) {
        if let Some(id) = &self.named.segment {
            stages.push(json!({"segment": {"id": id}}));
        }
    }

    /// Only people who are known. Pendo gives the others ids that begin with `_PENDO_T_`
    /// (<https://support.pendo.io/hc/en-us/articles/360032202751>); `identified` leaves those out.
    fn of_people(&self, stages: &mut Vec<Json>) {
        if !self.report.anonymous {
            stages.push(json!({"identified": "visitorId"}));
        } else if self.id == "visitorId" {
            stages.push(json!({"filter": "visitorId > \"\""}));
        }
        if self.id == "accountId" {
            stages.push(json!({"identified": "accountId"}));
        }
    }

    /// What the window holds, grouped by id; the stages between choose and compute.
    fn grouped(&self, source: Json, between: Vec<Json>, fields: &Json) -> Vec<Json> {
        let mut stages = vec![source];
        self.segmented(&mut stages);
        self.of_people(&mut stages);
        stages.extend(between);
        stages.push(json!({"group": {"group": [self.id], "fields": fields}}));
        stages
    }

    fn add(&mut self, purpose: &str, stages: Vec<Json>, fields: &[&str], drives: bool) -> usize {
        let mut columns = Columns::default();
        columns.add(self.id, self.id, Cast::Plain);
        for field in fields {
            columns.add(field, field, Cast::Plain);
        }
        self.push(purpose, stages, columns, drives)
    }

    fn push(&mut self, purpose: &str, stages: Vec<Json>, columns: Columns, drives: bool) -> usize {
        self.made.push(purpose.to_owned());
        self.streams.push(Stream { rows: Rows::new(stages, (self.id, self.id), columns, self.after.clone()), drives });
        self.streams.len() - 1
    }

    fn made(&self, purpose: &str) -> Option<usize> {
        self.made.iter().position(|made| made == purpose)
    }

    /// Usage of the window. Only what some column needs is asked for.
    fn usage(&mut self) -> usize {
        if let Some(made) = self.made("usage") {
            return made;
        }
        let needed = |wanted: &[Measure]| self.report.columns.iter().any(|(_, measure)| wanted.contains(measure));
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        for (name, field, wanted) in [
            ("visitors", json!({"count": "visitorId"}), &[Measure::ActiveVisitors][..]),
            ("minutes", json!({"sum": "numMinutes"}), &[Measure::TimeOnSite]),
            ("events", json!({"sum": "numEvents"}), &[Measure::Events]),
            ("days", json!({"count": "day"}), &[Measure::DaysActive, Measure::SignInFrequency]),
        ] {
            if needed(wanted) {
                fields.push(json!({name: field}));
                names.push(name);
            }
        }
        let stages = self.grouped(self.windowed("events", json!({})), Vec::new(), &Json::Array(fields));
        self.add("usage", stages, &names, true)
    }

    fn clicks(&mut self, name: &str) -> Result<usize, Fault> {
        let id = self.named.features.get(name).cloned();
        let id = id.ok_or_else(|| Fault::from_system(System::Pendo, FaultKind::NotFound, format!("there is no feature `{name}` in Pendo")))?;
        let purpose = format!("feature {id}");
        if let Some(made) = self.made(&purpose) {
            return Ok(made);
        }
        let source = self.windowed("featureEvents", json!({"featureId": id}));
        let stages = self.grouped(source, Vec::new(), &json!([{"clicks": {"sum": "numEvents"}}]));
        Ok(self.add(&purpose, stages, &["clicks"], true))
    }

    fn polls(&mut self) -> usize {
        if let Some(made) = self.made("polls") {
            return made;
        }
        let between = vec![
            json!({"filter": "pollType == \"NPSRating\""}),
            json!({"eval": {"promoter": "if(pollResponse >= 9, 1, 0)", "detractor": "if(pollResponse <= 6, 1, 0)"}}),
        ];
        let fields = json!([{"answers": {"count": null}}, {"promoters": {"sum": "promoter"}}, {"detractors": {"sum": "detractor"}}]);
        let stages = self.grouped(self.windowed("pollEvents", json!({})), between, &fields);
        self.add("polls", stages, &["answers", "promoters", "detractors"], true)
    }

    /// Everybody ever seen, counted for each of their accounts.
    fn users(&mut self) -> usize {
        if let Some(made) = self.made("users") {
            return made;
        }
        let mut stages = vec![self.visitors()];
        if let Some(app) = self.named.app.as_deref() {
            stages.push(json!({"filter": format!("{} > 0", automatic("firstvisit", Some(app)))}));
        }
        if self.kind == "account" {
            stages.push(json!({"select": {"visitorId": "visitorId", "accountId": "metadata.auto.accountids"}}));
            stages.push(json!({"unwind": {"field": "accountId"}}));
        }
        self.segmented(&mut stages);
        self.of_people(&mut stages);
        stages.push(json!({"group": {"group": [self.id], "fields": [{"users": {"count": "visitorId"}}]}}));
        let drives = self.by_members();
        self.add("users", stages, &["users"], drives)
    }

    fn visitors(&self) -> Json {
        json!({"source": {"visitors": {"identified": !self.report.anonymous}}})
    }

    /// Accounts or visitors themselves, with the metadata that columns need.
    fn metadata(&mut self) -> usize {
        if let Some(made) = self.made("metadata") {
            return made;
        }
        let wanted: Vec<(&str, Cast)> = self.metadata.iter().map(|(path, cast)| (path.as_str(), *cast)).collect();
        let mut stages = Vec::new();
        if self.kind == "visitor" {
            stages.push(self.visitors());
            self.segmented(&mut stages);
            self.of_people(&mut stages);
        } else {
            stages.extend([json!({"source": {"accounts": null}}), json!({"identified": "accountId"})]);
        }
        let (select, columns) = chosen(self.id, &wanted);
        stages.push(select);
        let drives = !self.by_members();
        self.push("metadata", stages, columns, drives)
    }
}

/// Accounts or visitors with metadata fields: the stages, and the columns under the fields' own full names.
pub(super) fn selected(kind: &str, fields: &[(&str, Cast)], filters: &[String]) -> (Vec<Json>, Columns) {
    let id = id_field(kind);
    let source = if kind == "visitor" { json!({"visitors": {"identified": true}}) } else { json!({"accounts": null}) };
    let mut stages = vec![json!({"source": source}), json!({"identified": id})];
    stages.extend(filters.iter().map(|filter| json!({"filter": filter})));
    let (select, columns) = chosen(id, fields);
    stages.push(select);
    (stages, columns)
}

/// The stage that chooses the id and metadata fields.
fn chosen(id: &str, fields: &[(&str, Cast)]) -> (Json, Columns) {
    let mut select = serde_json::Map::new();
    select.insert(id.to_owned(), id.into());
    let mut columns = Columns::default();
    columns.add(id, id, Cast::Plain);
    for (at, (path, cast)) in fields.iter().enumerate() {
        let alias = format!("f{at}");
        columns.list.push(crate::connectors::rows::Column { wire: alias.as_str().into(), name: (*path).into(), cast: *cast, inner: None });
        select.insert(alias, (*path).into());
    }
    (json!({"select": select}), columns)
}

/// `id == "a" || id == "b"`.
pub(super) fn any_of(id: &str, keys: &[&str]) -> String {
    let parts: Vec<String> = keys.iter().map(|key| format!("{id} == {}", literal(&Value::text(key)))).collect();
    parts.join(" || ")
}

impl Piece {
    pub(super) fn value(&self, rows: &[Option<Record>]) -> Value {
        let get = |stream: usize, field: &str| rows.get(stream).and_then(Option::as_ref).and_then(|row| row.get(field));
        let count = |stream: usize, field: &str| get(stream, field).and_then(Value::as_f64).unwrap_or(0.0);
        match self {
            #[allow(clippy::cast_possible_truncation, reason = "counts are whole and far below 2^53")]
            Self::Field { stream, field, nothing: Value::Int(_) } => Value::Int(count(*stream, field).round() as i64),
            Self::Field { stream, field, nothing } => get(*stream, field).unwrap_or(nothing).clone(),
            Self::PerDay { stream, field, days } => Value::Float(count(*stream, field) / f64::from(*days)),
            Self::Score { stream } => {
                let all = count(*stream, "answers");
                if all == 0.0 {
                    return Value::Null;
                }
                Value::Float((count(*stream, "promoters") - count(*stream, "detractors")) * 100.0 / all)
            }
        }
    }
}
