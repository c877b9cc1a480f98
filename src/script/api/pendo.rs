//! `pendo::`: reports, metadata, segments and guides.

use rhai::{
    Array, Map,
    plugin::{Dynamic, EvalAltResult, Module, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Change, Effect, Query, Record, SegmentEdit, Source, System, Value};
use crate::script::{
    declaration::Target,
    desk::perform,
    diagnostics::{Diagnostic, Id},
    site::Site,
};

use super::{
    declare,
    effects::{self, Outcome, data, read_all, record, refuse, value, write_one},
    sources::{self, Destination, Origin},
};

const PENDO: System = System::Pendo;

pub(super) fn module() -> Module {
    rhai::exported_module!(functions)
}

fn list(ctx: &NativeCallContext, object: &str) -> Outcome<Array> {
    read_all(ctx, &Source::Object(Query::of(PENDO, object)))
}

fn metadata(ctx: &NativeCallContext, kind: &str, group: &str) -> RhaiResult {
    let site = Site::of(ctx);
    if !["custom", "salesforce"].contains(&group) {
        let message = format!("`{group}` is not written by Pendo's API");
        site.report(Diagnostic::new(Id::UnknownMetadataGroup, site.place(), message).hint("write the group `custom`"));
    }
    let target = Target { system: PENDO, object: kind.to_owned() };
    site.built(Destination { target, prefix: Some(format!("metadata.{group}.")) })
}

/// A path segment; everything but letters, digits and `-_.` is escaped.
fn escaped(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, PATH).to_string()
}

const PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A list of texts of an option map.
fn texts(map: &Map, name: &str) -> Outcome<Vec<String>> {
    let Some(list) = map.get(name) else { return Ok(Vec::new()) };
    let Ok(items) = list.as_array_ref() else { return refuse(format!("`{name}` wants a list of texts")) };
    Ok(items.iter().map(ToString::to_string).collect())
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
mod functions {
    /// Declares the Pendo-Salesforce integration (A1-A8): usage out by `push`, customer data in by `pull`. Options: `object` (default `Account`),
    /// `key` (`#{ pendo, salesforce }`), `push` (a list of `#{ report, fields, daily }`), `pull` (a list of fields), `blank`, and `every`, `daily`,
    /// `weekly`, `monthly` or `cron`, `after`, `overrides`. A push with `daily: false` runs only when started by hand.
    ///
    /// Without `key`, accounts are matched by `accountId` and `Id`, visitors by `visitorId` and `Email`. Ids of Pendo are any text, and capitals
    /// count in them (support.pendo.io, "Visitor and Account IDs"); in Salesforce it depends on the field. A record that Pendo does not know, or
    /// that has no key, is without a match, which is no fault of a pull.
    ///
    /// # Example
    /// ```rhai
    /// pendo::salesforce_integration("usage", #{
    ///     push: [#{
    ///         report: pendo::account_report(#{ days: 7, columns: ["active_visitors"] }),
    ///         fields: #{ Pendo_visitors_last7d__c: #{ from: "active_visitors", type: "number(18,0)", label: "Pendo Visitors (Last 7d)" } },
    ///     }],
    ///     pull: ["Renewal_Date__c"],
    ///     every: "24h",
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn salesforce_integration(ctx: NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
        declare::integration(&ctx, name, options)
    }

    /// Declares a segment over metadata (A17), kept as an uploaded segment. Options: `per` (`account`, the default, or `visitor`), `filters`,
    /// `guides` shown to the segment, and `every`, `daily`, `weekly`, `monthly` or `cron`, `after`.
    ///
    /// # Example
    /// ```rhai
    /// pendo::segment("at-risk", #{
    ///     filters: #{ risk: ["metadata.salesforce.churn_risk__c", "=", "High"] },
    ///     guides: ["Renewal notice"],
    ///     daily: "05:00",
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn segment(ctx: NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
        declare::segment(&ctx, name, options)
    }

    /// A usage report with a row for each account (A4, A7). Options: `segment`, `app`, `days` (full days before the rule date in the
    /// subscription's time zone, default 30: up to yesterday in a run of today), `columns`, `anonymous`. Ready columns: `active_visitors`, `time_on_site` (minutes), `events`, `days_active`, `sign_in_frequency`, `last_visit`, `users`,
    /// `nps_responses`, `nps_score`; also `clicks:FEATURE NAME` and metadata such as `metadata.agent.name`.
    ///
    /// Every account that Pendo knows has a row, also one that nobody used in the window (Pendo's own list of accounts shows the active ones only,
    /// <https://support.pendo.io/hc/en-us/articles/360031870892>). For such an account `active_visitors`, `time_on_site`, `events`, `days_active`,
    /// `sign_in_frequency`, `nps_responses` and clicks are 0. `nps_score` is null, since nobody answered, and a push empties the field that holds
    /// an older score, also with `blank: "skip"`. `users` (everybody ever seen), `last_visit` (the last one ever, null when there was none) and
    /// metadata do not look at the window and stay what they are.
    ///
    /// With a `segment`, by name or id, accounts are those that a visitor of the segment belongs to, and all is counted of those visitors alone,
    /// but for `last_visit` and metadata, which are the account's own. An account that leaves the segment, or is deleted in Pendo, is in no row any
    /// more: its target keeps the last numbers. Report on everyone where that matters, and choose the accounts in the rule that reads the fields.
    ///
    /// With an `app`, by name or id, every measure is of that app: who never used it has 0 `users` and no `last_visit`. Metadata is of all apps,
    /// as Pendo keeps one value for them together (<https://support.pendo.io/hc/en-us/articles/14049867371163>).
    ///
    /// Visitors whom nobody signed in as, which Pendo gives ids that begin with `_PENDO_T_`
    /// (<https://support.pendo.io/hc/en-us/articles/360032202751>), are not counted anywhere; `anonymous: true` counts them, too.
    ///
    /// In a run for a past date (`--date`, `--from` and `--to`) the window ends with the day before that date, as it did in a run on that day.
    /// Pendo keeps no earlier state of the rest: `users`, `last_visit`, metadata and who is in the segment are what they are now, and such a run
    /// says so. A date to come is refused. The stages of `pendo::aggregation` stay as they are written: `now()` in them is now.
    ///
    /// # Example
    /// ```rhai
    /// let report = pendo::account_report(#{ days: 7, columns: ["active_visitors", "clicks:Export"] });
    /// `${report}` == "pendo account report of 7 days"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn account_report(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        sources::report(&ctx, "account", options)
    }

    /// A usage report with a row for each visitor (A8), with the options and columns of `account_report`. Every visitor that Pendo knows has a row,
    /// or with a `segment` every visitor in it, with 0 and null as there for one who did nothing in the window. Anonymous visitors have rows with
    /// `anonymous: true` only.
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::visitor_report(#{ columns: ["days_active"] })}` == "pendo visitor report of 30 days"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn visitor_report(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        sources::report(&ctx, "visitor", options)
    }

    /// A report that somebody saved in Pendo, by its name or id, as a source with the columns, the window and the segment that it has there (A4).
    ///
    /// Its visibility has to be Everyone: Pendo's API gives no others, and no results of paths, funnels, workflows, retention and Data Explorer
    /// (<https://engageapi.pendo.io>). The report is worked out when it is read, so a run for a past date reads what it says today.
    ///
    /// Pendo gives it in one answer, which is held in memory while it is read. Its columns have the names that they have there (in `results.json`). An account that is in no row of it is
    /// not touched: its target keeps the last numbers. `pendo::account_report` has a row for every account.
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::report("Account usage, last 30 days")}` == "pendo report `Account usage, last 30 days`"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn report(ctx: NativeCallContext, name: &str) -> RhaiResult {
        sources::saved(&ctx, name, Map::new().into())
    }

    /// The same with options: `per`, what a row stands for (`account`, the default, or `visitor`), and `key`, the column that identifies a row
    /// (default `accountId` or `visitorId`).
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::report("Visitor usage, last 30 days", #{ per: "visitor" })}` == "pendo report `Visitor usage, last 30 days`"
    /// ```
    #[rhai_fn(name = "report", return_raw)]
    pub fn report_with(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        sources::saved(&ctx, name, options)
    }

    /// All accounts with their metadata, as a source.
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::accounts()}` == "pendo account"
    /// ```
    pub fn accounts() -> Origin {
        Origin::object(PENDO, "account")
    }

    /// All visitors with their metadata, as a source; those whom nobody signed in as are left out.
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::visitors()}` == "pendo visitor"
    /// ```
    pub fn visitors() -> Origin {
        Origin::object(PENDO, "visitor")
    }

    /// A metadata group of accounts, as a target; its fields go by their bare names.
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::account_metadata("custom")}` == "pendo account"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn account_metadata(ctx: NativeCallContext, group: &str) -> RhaiResult {
        metadata(&ctx, "account", group)
    }

    /// A metadata group of visitors, as a target.
    ///
    /// # Example
    /// ```rhai
    /// `${pendo::visitor_metadata("custom")}` == "pendo visitor"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn visitor_metadata(ctx: NativeCallContext, group: &str) -> RhaiResult {
        metadata(&ctx, "visitor", group)
    }

    /// Runs an aggregation pipeline and returns its results.
    ///
    /// # Example
    /// ```rhai
    /// let rows = pendo::aggregate([#{ source: #{ accounts: () } }, #{ limit: 10 }]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn aggregate(ctx: NativeCallContext, pipeline: Array) -> RhaiResult {
        let field = |name: &str, value: Value| (name.into(), value);
        let pipeline = data(&pipeline.into())?;
        let response = Record::from_iter([field("mimeType", Value::text("application/json"))]);
        let request = Record::from_iter([field("pipeline", pipeline)]);
        let body = Record::from_iter([field("response", Value::Map(response)), field("request", Value::Map(request))]);
        let answer = effects::asked(&ctx, PENDO, ("POST", "/api/v1/aggregation"), Some(Value::Map(body)))?;
        let results = answer.as_map_ref().ok().and_then(|map| map.get("results").cloned());
        Ok(results.unwrap_or(answer))
    }

    /// Reads one account with its metadata.
    ///
    /// # Example
    /// ```rhai
    /// let account = pendo::account("001000000000001AAA");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn account(ctx: NativeCallContext, id: &str) -> RhaiResult {
        effects::asked(&ctx, PENDO, ("GET", &format!("/api/v1/account/{}", escaped(id))), None)
    }

    /// Reads one visitor with its metadata.
    ///
    /// # Example
    /// ```rhai
    /// let visitor = pendo::visitor("ana@example.com");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn visitor(ctx: NativeCallContext, id: &str) -> RhaiResult {
        effects::asked(&ctx, PENDO, ("GET", &format!("/api/v1/visitor/{}", escaped(id))), None)
    }

    /// Sets metadata of one account or visitor.
    ///
    /// # Example
    /// ```rhai
    /// pendo::set_metadata("account", "custom", "001000000000001AAA", #{ tier: "gold" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set_metadata(ctx: NativeCallContext, kind: &str, group: &str, id: &str, fields: Map) -> RhaiResult {
        if !["account", "visitor"].contains(&kind) {
            return refuse(format!("metadata is of an `account` or a `visitor`, not of `{kind}`"));
        }
        let fields: Record = record(&fields)?.into_iter().map(|(name, value)| (format!("metadata.{group}.{name}").into(), value)).collect();
        let change = Change::Update { key: id.to_owned(), id: id.to_owned(), fields, before: Record::new() };
        write_one(&ctx, PENDO, kind, change)
    }

    /// Lists the segments.
    ///
    /// # Example
    /// ```rhai
    /// for segment in pendo::segments() { print(segment.name); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn segments(ctx: NativeCallContext) -> Outcome<Array> {
        list(&ctx, "segment")
    }

    /// Lists the guides.
    ///
    /// # Example
    /// ```rhai
    /// for guide in pendo::guides() { print(guide.name); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn guides(ctx: NativeCallContext) -> Outcome<Array> {
        list(&ctx, "guide")
    }

    /// Adds visitors to an uploaded segment and removes others; creates it when there is none of the name. Options: `add`, `remove`, `id`.
    ///
    /// # Example
    /// ```rhai
    /// pendo::edit_segment("Champions", #{ add: ["ana@example.com"], remove: [] });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn edit_segment(ctx: NativeCallContext, name: &str, change: Map) -> RhaiResult {
        if let Some(odd) = change.keys().find(|key| !["add", "remove", "id"].contains(&key.as_str())) {
            return refuse(format!("edit_segment has no option `{odd}`: it has `add`, `remove`, `id`"));
        }
        let id = change.get("id").filter(|id| !id.is_unit()).map(ToString::to_string);
        let edit = SegmentEdit { id, add: texts(&change, "add")?, remove: texts(&change, "remove")?, ..SegmentEdit::of(PENDO, name) };
        value(perform(&ctx, Effect::EditSegment(edit))?)
    }

    /// Shows a guide to a segment, both by id.
    ///
    /// # Example
    /// ```rhai
    /// pendo::target_guide("guide-1", "segment-1");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn target_guide(ctx: NativeCallContext, guide: &str, segment: &str) -> RhaiResult {
        let body = Record::from_iter([("segmentId".into(), Value::text(segment))]);
        effects::request(&ctx, PENDO, ("PUT", &format!("/api/v1/guide/{}/segment", escaped(guide))), Some(Value::Map(body)))
    }

    /// Calls any path of the API, authenticated.
    ///
    /// # Example
    /// ```rhai
    /// let pages = pendo::request("GET", "/api/v1/page");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn request(ctx: NativeCallContext, method: &str, path: &str) -> RhaiResult {
        effects::request(&ctx, PENDO, (method, path), None)
    }

    /// Calls any path of the API with a body.
    ///
    /// # Example
    /// ```rhai
    /// pendo::request("PUT", "/api/v1/guide/guide-1/state", #{ state: "public" });
    /// ```
    #[rhai_fn(name = "request", return_raw)]
    pub fn request_body(ctx: NativeCallContext, method: &str, path: &str, body: Dynamic) -> RhaiResult {
        effects::request(&ctx, PENDO, (method, path), Some(data(&body)?))
    }
}
