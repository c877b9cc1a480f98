//! `gainsight::`: Gainsight CS objects, people and calls to action.

use rhai::{
    Array, Map,
    plugin::{Dynamic, EvalAltResult, Module, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Query, Source, System};
use crate::script::site::Site;

use super::{
    declare,
    effects::{self, Outcome, data, insert, keyed, read_all, record, records, write_many, write_one},
    filters::filter,
    options::Item,
    sources::Origin,
};

const GAINSIGHT: System = System::Gainsight;

pub(super) fn module() -> Module {
    rhai::exported_module!(functions)
}

/// The options of `gainsight::query`.
fn narrowed(ctx: &NativeCallContext, object: &str, options: Dynamic) -> Outcome<Query> {
    let site = Site::of(ctx);
    let mut query = Query::of(GAINSIGHT, object);
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

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
mod functions {
    /// Names a Gainsight object, as a source or a target: `Company`, `Person`, custom ones, or `customer_info` (companies that are customers).
    ///
    /// # Example
    /// ```rhai
    /// `${gainsight::object("customer_info")}` == "gainsight customer_info"
    /// ```
    pub fn object(name: &str) -> Origin {
        Origin::object(GAINSIGHT, name)
    }

    /// All people, as a source or a target.
    ///
    /// # Example
    /// ```rhai
    /// `${gainsight::people()}` == "gainsight Person"
    /// ```
    pub fn people() -> Origin {
        Origin::object(GAINSIGHT, "Person")
    }

    /// Declares the measures of a group with the columns that hold them (A9): a column's name, `()` for one made from the measure's name, or
    /// `#{ column: .., type: "number(18,0)" }`, either of them. `load_to_usage` finds a measure's column by its name, in whichever file it is
    /// declared; the first run that loads it into usage data creates a missing column, labelled as the measure and with its group in its
    /// description, and a plan shows it. Columns of a Gainsight object (`into`) are made in Gainsight. A measure is of one group.
    ///
    /// # Example
    /// ```rhai
    /// gainsight::measures("Product usage", #{ "Active Visitors (30d)": "Active_Visitors_30d__c", "Time on Site (30d)": () });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn measures(ctx: NativeCallContext, group: &str, columns: Dynamic) -> Result<(), Box<EvalAltResult>> {
        declare::measures(&ctx, group, columns)
    }

    /// Reads all records of an object.
    ///
    /// # Example
    /// ```rhai
    /// let companies = gainsight::query("Company");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn query(ctx: NativeCallContext, object: &str) -> Outcome<Array> {
        read_all(&ctx, &Source::Object(Query::of(GAINSIGHT, object)))
    }

    /// Reads records of an object. Options: `fields`, `filters`, `limit`.
    ///
    /// # Example
    /// ```rhai
    /// let risky = gainsight::query("Company", #{ fields: ["Gsid", "Name"], filters: #{ a: ["CurrentScore", "<", 40] }, limit: 100 });
    /// ```
    #[rhai_fn(name = "query", return_raw)]
    pub fn query_with(ctx: NativeCallContext, object: &str, options: Dynamic) -> Outcome<Array> {
        read_all(&ctx, &Source::Object(narrowed(&ctx, object, options)?))
    }

    /// Reads one record by its `Gsid`; null when there is none.
    ///
    /// # Example
    /// ```rhai
    /// let company = gainsight::get("Company", "1P02ABCDEF");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(ctx: NativeCallContext, object: &str, id: &str) -> RhaiResult {
        effects::read_one(&ctx, GAINSIGHT, object, "Gsid", id)
    }

    /// Inserts one record and returns its `Gsid`.
    ///
    /// # Example
    /// ```rhai
    /// gainsight::insert("usage__gc", #{ AccountId__gc: "001000000000001AAA", Visits__gc: 12 });
    /// ```
    #[rhai_fn(name = "insert", return_raw)]
    pub fn insert_one(ctx: NativeCallContext, object: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, GAINSIGHT, object, insert(record(&fields)?))
    }

    /// Inserts many records; returns a list of `#{ id, created, error }`.
    ///
    /// # Example
    /// ```rhai
    /// let outcomes = gainsight::insert("usage__gc", [#{ Visits__gc: 12 }, #{ Visits__gc: 3 }]);
    /// ```
    #[rhai_fn(name = "insert", return_raw)]
    pub fn insert_many(ctx: NativeCallContext, object: &str, rows: Array) -> RhaiResult {
        write_many(&ctx, GAINSIGHT, object, records(&rows)?.into_iter().map(insert).collect())
    }

    /// Updates one record by its `Gsid`.
    ///
    /// # Example
    /// ```rhai
    /// gainsight::update("Company", "1P02ABCDEF", #{ Status: "Active" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn update(ctx: NativeCallContext, object: &str, id: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, GAINSIGHT, object, effects::update((id.to_owned(), record(&fields)?)))
    }

    /// Updates many records, each with its `Gsid`; returns a list of `#{ id, created, error }`.
    ///
    /// # Example
    /// ```rhai
    /// let outcomes = gainsight::update("Company", [#{ Gsid: "1P02ABCDEF", Status: "Active" }]);
    /// ```
    #[rhai_fn(name = "update", return_raw)]
    pub fn update_many(ctx: NativeCallContext, object: &str, rows: Array) -> RhaiResult {
        let changes = records(&rows)?.into_iter().map(|row| keyed(row, "Gsid").map(effects::update)).collect::<Outcome<_>>()?;
        write_many(&ctx, GAINSIGHT, object, changes)
    }

    /// Creates or updates a person by e-mail address.
    ///
    /// # Example
    /// ```rhai
    /// gainsight::upsert_person(#{ Email: "ana@example.com", FirstName: "Ana", LastName: "Lima" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn upsert_person(ctx: NativeCallContext, fields: Map) -> RhaiResult {
        write_one(&ctx, GAINSIGHT, "Person", effects::upsert("Email", record(&fields)?)?)
    }

    /// Creates a call to action and returns its id.
    ///
    /// # Example
    /// ```rhai
    /// gainsight::create_cta(#{ Name: "Usage fell", CompanyId: "1P02ABCDEF", Reason: "Product usage", Priority: "High" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn create_cta(ctx: NativeCallContext, fields: Map) -> RhaiResult {
        write_one(&ctx, GAINSIGHT, "call_to_action", insert(record(&fields)?))
    }

    /// Describes an object: its label and its fields with types.
    ///
    /// # Example
    /// ```rhai
    /// let company = gainsight::describe("Company");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn describe(ctx: NativeCallContext, object: &str) -> RhaiResult {
        effects::describe(&ctx, GAINSIGHT, object)
    }

    /// Lists the names of all objects.
    ///
    /// # Example
    /// ```rhai
    /// print(gainsight::objects());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn objects(ctx: NativeCallContext) -> RhaiResult {
        effects::objects(&ctx, GAINSIGHT)
    }

    /// Calls any path of the API, authenticated.
    ///
    /// # Example
    /// ```rhai
    /// let meta = gainsight::request("GET", "/v1/meta/services/objects/Company/describe");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn request(ctx: NativeCallContext, method: &str, path: &str) -> RhaiResult {
        effects::request(&ctx, GAINSIGHT, (method, path), None)
    }

    /// Calls any path of the API with a body.
    ///
    /// # Example
    /// ```rhai
    /// let page = gainsight::request("POST", "/v1/data/objects/query/Company", #{ select: ["Name"], limit: 10 });
    /// ```
    #[rhai_fn(name = "request", return_raw)]
    pub fn request_body(ctx: NativeCallContext, method: &str, path: &str, body: Dynamic) -> RhaiResult {
        effects::request(&ctx, GAINSIGHT, (method, path), Some(data(&body)?))
    }
}
