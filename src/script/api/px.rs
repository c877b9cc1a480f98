//! `px::`: Gainsight PX users, accounts, engagements, event feeds and external segments.

use std::collections::BTreeSet;

use rhai::{
    Array, EvalAltResult, Map,
    plugin::{Dynamic, Module, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Change, Effect, FaultKind, Query, Record, Reply, Request, SegmentEdit, Source, System, Value};
use crate::script::{desk::perform, site::Site};

use super::{
    effects::{self, Outcome, data, insert, keyed, read_all, record, records, refuse, value, write_many, write_one},
    filters::filter,
    options::Item,
    sources::Origin,
};

const PX: System = System::Px;

pub(super) fn module() -> Module {
    rhai::exported_module!(functions)
}

/// The options of `px::query`.
fn narrowed(ctx: &NativeCallContext, object: &str, options: Dynamic) -> Outcome<Query> {
    let site = Site::of(ctx);
    let mut query = Query::of(PX, object);
    let item = Item::argument(&site, 1, "a query", options);
    if let Some(mut options) = item.options(&site, "a query") {
        query.fields = options.texts(&site, "fields");
        query.filter = options.take(&site, "filters").and_then(|item| filter(&site, &item));
        query.limit = options.take(&site, "limit").and_then(|item| item.number(&site, 1, i64::MAX)).and_then(|n| u64::try_from(n).ok());
        options.finish(&site);
    }
    drop(site.built(())?);
    Ok(query)
}

/// The id that rows of an object go by.
fn id_field(object: &str) -> &'static str {
    if matches!(object, "users" | "user") { "identifyId" } else { "id" }
}

fn texts(list: &Array) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// How the names of journeys' audiences begin.
const OF_JOURNEYS: &str = "tabi:";

fn read_only<T>(name: &str) -> Outcome<T> {
    refuse(format!("`{name}` is the audience of a journey and read-only: the journey changes who is in (B10). Use a segment of another name"))
}

fn edit(ctx: &NativeCallContext, name: &str, add: Vec<String>, remove: Vec<String>) -> RhaiResult {
    if name.starts_with(OF_JOURNEYS) {
        return read_only(name);
    }
    value(perform(ctx, Effect::EditSegment(SegmentEdit { add, remove, ..SegmentEdit::of(PX, name) }))?)
}

/// A call by its path, which may do everything but change who is in the audience of a journey.
fn call(ctx: &NativeCallContext, method: &str, path: &str, body: Option<Value>) -> RhaiResult {
    let reads = ["GET", "HEAD"].iter().any(|read| method.eq_ignore_ascii_case(read));
    let path_read = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    if !reads && path_read.to_lowercase().contains(EXTERNAL_SEGMENTS) {
        let parts = path_read.split(['/', '?', '&', '=']).filter(|part| part.starts_with(OF_JOURNEYS));
        let mut named: BTreeSet<&str> = parts.collect();
        if let Some(body) = &body {
            segments(body, &mut named);
        }
        for name in named {
            if let Some(audience) = audience(ctx, name)? {
                return read_only(&audience);
            }
        }
    }
    effects::request(ctx, PX, (method, path), body)
}

/// The paths under which external segments are changed.
const EXTERNAL_SEGMENTS: &str = "/external_segment";

/// What a body says of segments: names, ids, external ids.
fn segments<'v>(body: &'v Value, named: &mut BTreeSet<&'v str>) {
    match body {
        Value::Map(fields) => {
            for (field, value) in fields.iter() {
                match value.as_str() {
                    Some(text) if ["segmentId", "id", "externalId", "name"].contains(&field.as_str()) => drop(named.insert(text)),
                    _ => segments(value, named),
                }
            }
        }
        Value::List(items) => items.iter().for_each(|item| segments(item, named)),
        _ => (),
    }
}

/// The name of the journey's audience that goes by this name, or by an id of PX's own.
fn audience(ctx: &NativeCallContext, named: &str) -> Outcome<Option<String>> {
    if named.starts_with(OF_JOURNEYS) {
        return Ok(Some(named.to_owned()));
    }
    let id = percent_encoding::utf8_percent_encode(named, percent_encoding::NON_ALPHANUMERIC);
    let request = Request { system: PX, method: "GET".to_owned(), path: format!("/v1/segment/{id}"), query: Record::new(), body: None };
    match perform(ctx, Effect::Request(request)) {
        Ok(Reply::Value(Value::Map(segment))) => {
            Ok(segment.get("name").and_then(Value::as_str).filter(|name| name.starts_with(OF_JOURNEYS)).map(str::to_owned))
        }
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(None),
    }
}

fn is_not_found(error: &EvalAltResult) -> bool {
    let EvalAltResult::ErrorRuntime(thrown, _) = error else { return false };
    let kind = thrown.as_map_ref().ok().and_then(|map| map.get("kind").cloned());
    kind.and_then(|kind| kind.into_immutable_string().ok()).is_some_and(|kind| kind == FaultKind::NotFound.word())
}

fn state(ctx: &NativeCallContext, id: &str, state: &str) -> RhaiResult {
    let fields = Record::from_iter([("state".into(), Value::text(state))]);
    let change = Change::Update { key: id.to_owned(), id: id.to_owned(), fields, before: Record::new() };
    write_one(ctx, PX, "engagements", change)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
mod functions {
    /// Names a PX object, as a source or a target: `users`, `accounts`, `engagements`, `features`, `segments`, or a feed such as
    /// `engagement_views`, `survey_responses`, `custom_events`, `sessions` (the last day, unless `date` is filtered).
    ///
    /// # Example
    /// ```rhai
    /// `${px::object("survey_responses")}` == "px survey_responses"
    /// ```
    pub fn object(name: &str) -> Origin {
        Origin::object(PX, name)
    }

    /// All users, as a source or a target.
    ///
    /// # Example
    /// ```rhai
    /// `${px::users()}` == "px users"
    /// ```
    pub fn users() -> Origin {
        Origin::object(PX, "users")
    }

    /// All accounts, as a source or a target.
    ///
    /// # Example
    /// ```rhai
    /// `${px::accounts()}` == "px accounts"
    /// ```
    pub fn accounts() -> Origin {
        Origin::object(PX, "accounts")
    }

    /// Lists the engagements, each with `triggeredByJourney`: whether its description says `Triggered by: Journey Orchestrator` (B2).
    ///
    /// # Example
    /// ```rhai
    /// for engagement in px::engagements() { print(`${engagement.name}: ${engagement.state}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn engagements(ctx: NativeCallContext) -> Outcome<Array> {
        read_all(&ctx, &Source::Object(Query::of(PX, "engagements")))
    }

    /// Reads all records of an object.
    ///
    /// # Example
    /// ```rhai
    /// let answers = px::query("survey_responses");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn query(ctx: NativeCallContext, object: &str) -> Outcome<Array> {
        read_all(&ctx, &Source::Object(Query::of(PX, object)))
    }

    /// Reads records of an object. Options: `fields`, `filters`, `limit`.
    ///
    /// # Example
    /// ```rhai
    /// let views = px::query("engagement_views", #{ filters: #{ a: ["date", ">=", "2026-01-01T00:00:00Z"] }, limit: 100 });
    /// ```
    #[rhai_fn(name = "query", return_raw)]
    pub fn query_with(ctx: NativeCallContext, object: &str, options: Dynamic) -> Outcome<Array> {
        read_all(&ctx, &Source::Object(narrowed(&ctx, object, options)?))
    }

    /// Reads one user by `identifyId`; null when there is none.
    ///
    /// # Example
    /// ```rhai
    /// let user = px::user("ana@example.com");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn user(ctx: NativeCallContext, id: &str) -> RhaiResult {
        effects::read_one(&ctx, PX, "users", "identifyId", id)
    }

    /// Reads one account by `id`; null when there is none.
    ///
    /// # Example
    /// ```rhai
    /// let account = px::account("001000000000001AAA");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn account(ctx: NativeCallContext, id: &str) -> RhaiResult {
        effects::read_one(&ctx, PX, "accounts", "id", id)
    }

    /// Makes a user or an account and returns its id. The product is that of `tabi.toml` unless `propertyKeys` says otherwise.
    ///
    /// # Example
    /// ```rhai
    /// px::insert("users", #{ identifyId: "ana@example.com", email: "ana@example.com", accountId: "001000000000001AAA" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn insert(ctx: NativeCallContext, object: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, PX, object, super::insert(record(&fields)?))
    }

    /// Updates one user by `identifyId`, or account by `id`; fields that are not named keep their values.
    ///
    /// # Example
    /// ```rhai
    /// px::update("users", "ana@example.com", #{ customAttributes: #{ champion: true } });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn update(ctx: NativeCallContext, object: &str, id: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, PX, object, effects::update((id.to_owned(), record(&fields)?)))
    }

    /// Updates many users or accounts, each with its id; returns a list of `#{ id, created, error }`.
    ///
    /// # Example
    /// ```rhai
    /// let outcomes = px::update("users", [#{ identifyId: "ana@example.com", title: "Admin" }]);
    /// ```
    #[rhai_fn(name = "update", return_raw)]
    pub fn update_many(ctx: NativeCallContext, object: &str, rows: Array) -> RhaiResult {
        let changes = records(&rows)?.into_iter().map(|row| keyed(row, id_field(object)).map(effects::update)).collect::<Outcome<_>>()?;
        write_many(&ctx, PX, object, changes)
    }

    /// Creates or updates a user by `identifyId`, or an account by `id`.
    ///
    /// # Example
    /// ```rhai
    /// px::upsert("accounts", #{ id: "001000000000001AAA", name: "Acme" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn upsert(ctx: NativeCallContext, object: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, PX, object, effects::upsert(id_field(object), record(&fields)?)?)
    }

    /// Deletes a user by `identifyId`, or an account by `id` (its users go too).
    ///
    /// # Example
    /// ```rhai
    /// px::remove("users", "ana@example.com");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn remove(ctx: NativeCallContext, object: &str, id: &str) -> RhaiResult {
        write_one(&ctx, PX, object, effects::delete(id))
    }

    /// Adds users to an external segment by `identifyId`; makes the segment when there is none of the name. The audiences of journeys (`tabi:..`)
    /// are read-only: only the journey changes who is in.
    ///
    /// # Example
    /// ```rhai
    /// px::segment_add("spring-launch", ["ana@example.com"]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn segment_add(ctx: NativeCallContext, segment: &str, users: Array) -> RhaiResult {
        edit(&ctx, segment, texts(&users), Vec::new())
    }

    /// Takes users out of an external segment.
    ///
    /// # Example
    /// ```rhai
    /// px::segment_remove("spring-launch", ["ana@example.com"]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn segment_remove(ctx: NativeCallContext, segment: &str, users: Array) -> RhaiResult {
        edit(&ctx, segment, Vec::new(), texts(&users))
    }

    /// Starts an engagement in production, by its id.
    ///
    /// # Example
    /// ```rhai
    /// px::start("engagement-1");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn start(ctx: NativeCallContext, engagement: &str) -> RhaiResult {
        state(&ctx, engagement, "STARTED")
    }

    /// Pauses an engagement, by its id.
    ///
    /// # Example
    /// ```rhai
    /// px::pause("engagement-1");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn pause(ctx: NativeCallContext, engagement: &str) -> RhaiResult {
        state(&ctx, engagement, "PAUSED")
    }

    /// Sends a custom event: `eventName` and `identifyId`, and `attributes`, `accountId`, `date` (milliseconds) where wanted.
    ///
    /// # Example
    /// ```rhai
    /// px::event(#{ eventName: "Invoice paid", identifyId: "ana@example.com", attributes: #{ amount: 12 } });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn event(ctx: NativeCallContext, event: Map) -> RhaiResult {
        let mut event = record(&event)?;
        for needed in ["eventName", "identifyId"] {
            if event.get(needed).is_none_or(Value::is_blank) {
                return refuse(format!("an event needs its `{needed}`"));
            }
        }
        if event.get("userType").is_none() {
            event.set("userType", Value::text("USER"));
        }
        effects::request(&ctx, PX, ("POST", "/v1/events/custom"), Some(Value::Map(event)))
    }

    /// Describes an object: its label and its fields with types.
    ///
    /// # Example
    /// ```rhai
    /// let users = px::describe("users");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn describe(ctx: NativeCallContext, object: &str) -> RhaiResult {
        effects::describe(&ctx, PX, object)
    }

    /// Lists the names of all objects and feeds.
    ///
    /// # Example
    /// ```rhai
    /// print(px::objects());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn objects(ctx: NativeCallContext) -> RhaiResult {
        effects::objects(&ctx, PX)
    }

    /// Calls any path of the API, authenticated.
    ///
    /// # Example
    /// ```rhai
    /// let subscription = px::request("GET", "/v1/admin/subscription");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn request(ctx: NativeCallContext, method: &str, path: &str) -> RhaiResult {
        call(&ctx, method, path, None)
    }

    /// Calls any path of the API with a body. Who is in the audience of a journey cannot be changed by it.
    ///
    /// # Example
    /// ```rhai
    /// px::request("PUT", "/v1/users/denylist/ana@example.com", #{ denied: true });
    /// ```
    #[rhai_fn(name = "request", return_raw)]
    pub fn request_body(ctx: NativeCallContext, method: &str, path: &str, body: Dynamic) -> RhaiResult {
        call(&ctx, method, path, Some(data(&body)?))
    }
}
