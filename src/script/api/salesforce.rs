//! `salesforce::`: sources and targets for declarations, primitives for plain scripts and the REPL.

use rhai::{
    Array, Map,
    plugin::{Dynamic, Module, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Source, System};

use super::{
    effects::{self, Outcome, data, delete, insert, keyed, record, records, write_many, write_one},
    sources::Origin,
};

const SALESFORCE: System = System::Salesforce;

pub(super) fn module() -> Module {
    rhai::exported_module!(functions)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
mod functions {
    /// Names a Salesforce object by its API name, as a source or a target.
    ///
    /// # Example
    /// ```rhai
    /// `${salesforce::object("Account")}` == "salesforce Account"
    /// ```
    pub fn object(name: &str) -> Origin {
        Origin::object(SALESFORCE, name)
    }

    /// Makes a source of a whole SOQL statement.
    ///
    /// # Example
    /// ```rhai
    /// `${salesforce::soql("SELECT Id FROM Account")}` == "salesforce SELECT Id FROM Account"
    /// ```
    pub fn soql(statement: &str) -> Origin {
        Origin::of(Source::Soql(statement.to_owned()))
    }

    /// Runs a SOQL query, all pages, and returns its records as maps. Its date words (`TODAY`, `LAST_N_DAYS:30`) are Salesforce's: days in the
    /// connected user's time zone ("SOQL and SOSL Reference", Date Formats and Date Literals).
    ///
    /// # Example
    /// ```rhai
    /// for account in salesforce::query("SELECT Id, Name FROM Account LIMIT 10") {
    ///     print(account.Name);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn query(ctx: NativeCallContext, statement: &str) -> Outcome<Array> {
        effects::read_all(&ctx, &Source::Soql(statement.to_owned()))
    }

    /// Reads one record with all its fields; null when there is none.
    ///
    /// # Example
    /// ```rhai
    /// let account = salesforce::get("Account", "001000000000001AAA");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(ctx: NativeCallContext, object: &str, id: &str) -> RhaiResult {
        effects::read_one(&ctx, SALESFORCE, object, "Id", id)
    }

    /// Creates one record and returns its id.
    ///
    /// # Example
    /// ```rhai
    /// let id = salesforce::create("Task", #{ Subject: "Call", Status: "Open" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn create(ctx: NativeCallContext, object: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, SALESFORCE, object, insert(record(&fields)?))
    }

    /// Creates many records; returns a list of `#{ id, created, error }` in their order.
    ///
    /// # Example
    /// ```rhai
    /// let outcomes = salesforce::create("Task", [#{ Subject: "Call" }, #{ Subject: "Mail" }]);
    /// ```
    #[rhai_fn(name = "create", return_raw)]
    pub fn create_many(ctx: NativeCallContext, object: &str, rows: Array) -> RhaiResult {
        write_many(&ctx, SALESFORCE, object, records(&rows)?.into_iter().map(insert).collect())
    }

    /// Updates one record.
    ///
    /// # Example
    /// ```rhai
    /// salesforce::update("Account", "001000000000001AAA", #{ Churn_Risk__c: "High" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn update(ctx: NativeCallContext, object: &str, id: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, SALESFORCE, object, effects::update((id.to_owned(), record(&fields)?)))
    }

    /// Updates many records, each with its `Id`; returns a list of `#{ id, created, error }`.
    ///
    /// # Example
    /// ```rhai
    /// let outcomes = salesforce::update("Account", [#{ Id: "001000000000001AAA", Churn_Risk__c: "High" }]);
    /// ```
    #[rhai_fn(name = "update", return_raw)]
    pub fn update_many(ctx: NativeCallContext, object: &str, rows: Array) -> RhaiResult {
        let changes = records(&rows)?.into_iter().map(|row| keyed(row, "Id").map(effects::update)).collect::<Outcome<_>>()?;
        write_many(&ctx, SALESFORCE, object, changes)
    }

    /// Inserts or updates one record by an external id field, and returns its id.
    ///
    /// # Example
    /// ```rhai
    /// salesforce::upsert("Account", "Pendo_Account_Key__c", #{ Pendo_Account_Key__c: "a-1", Name: "Acme" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn upsert(ctx: NativeCallContext, object: &str, by: &str, fields: Map) -> RhaiResult {
        write_one(&ctx, SALESFORCE, object, effects::upsert(by, record(&fields)?)?)
    }

    /// Inserts or updates many records; returns a list of `#{ id, created, error }`.
    ///
    /// # Example
    /// ```rhai
    /// let outcomes = salesforce::upsert("Account", "Pendo_Account_Key__c", [#{ Pendo_Account_Key__c: "a-1", Name: "Acme" }]);
    /// ```
    #[rhai_fn(name = "upsert", return_raw)]
    pub fn upsert_many(ctx: NativeCallContext, object: &str, by: &str, rows: Array) -> RhaiResult {
        let changes = records(&rows)?.into_iter().map(|row| effects::upsert(by, row)).collect::<Outcome<_>>()?;
        write_many(&ctx, SALESFORCE, object, changes)
    }

    /// Deletes one record.
    ///
    /// # Example
    /// ```rhai
    /// salesforce::delete("Task", "00T000000000001AAA");
    /// ```
    #[rhai_fn(name = "delete", return_raw)]
    pub fn delete_one(ctx: NativeCallContext, object: &str, id: &str) -> RhaiResult {
        write_one(&ctx, SALESFORCE, object, delete(id))
    }

    /// Describes an object: its label and its fields with types.
    ///
    /// # Example
    /// ```rhai
    /// let account = salesforce::describe("Account");
    /// print(account.fields.keys());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn describe(ctx: NativeCallContext, object: &str) -> RhaiResult {
        effects::describe(&ctx, SALESFORCE, object)
    }

    /// Lists the names of all objects.
    ///
    /// # Example
    /// ```rhai
    /// print(salesforce::objects());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn objects(ctx: NativeCallContext) -> RhaiResult {
        effects::objects(&ctx, SALESFORCE)
    }

    /// Calls any path of the REST API, authenticated. A path that does not begin with `/services/` is below the root of the API version
    /// that `api_version` names: `limits` is `/services/data/v62.0/limits`.
    ///
    /// # Example
    /// ```rhai
    /// let limits = salesforce::request("GET", "limits");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn request(ctx: NativeCallContext, method: &str, path: &str) -> RhaiResult {
        effects::request(&ctx, SALESFORCE, (method, path), None)
    }

    /// Calls any path of the REST API with a body. The path is as in `salesforce::request(method, path)`.
    ///
    /// # Example
    /// ```rhai
    /// salesforce::request("PATCH", "sobjects/Account/001000000000001AAA", #{ Name: "Acme" });
    /// ```
    #[rhai_fn(name = "request", return_raw)]
    pub fn request_body(ctx: NativeCallContext, method: &str, path: &str, body: Dynamic) -> RhaiResult {
        effects::request(&ctx, SALESFORCE, (method, path), Some(data(&body)?))
    }
}
