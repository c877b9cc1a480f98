//! `sandbox::`: the test's own systems, looked at and prepared from behind.

use rhai::{
    Map,
    plugin::{EvalAltResult, NativeCallContext, RhaiResult, export_module},
};

use crate::model::System;
use crate::script::{
    api::effects::{Outcome, record, refuse},
    desk::ask,
    trial::Asked,
};

fn system(name: &str) -> Outcome<System> {
    name.parse().or_else(refuse)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// Makes a record by the system's own interface and gives back its id: what the system refuses, a test cannot have either.
    ///
    /// # Example
    /// ```rhai
    /// let id = sandbox::insert("salesforce", "Account", #{ Name: "Acme" });
    /// assert_eq(salesforce::query(`SELECT Name FROM Account WHERE Id = '${id}'`)[0].Name, "Acme");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn insert(ctx: NativeCallContext, of: &str, object: &str, fields: Map) -> RhaiResult {
        let (system, record) = (system(of)?, record(&fields)?);
        ask(&ctx, "sandbox::insert", Asked::Insert { system, object: object.to_owned(), record })
    }

    /// Everything that a system stores of one object, as it stores it. The company has 20 accounts and 100 people.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(sandbox::documents("salesforce", "Account").len(), 20);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn documents(ctx: NativeCallContext, of: &str, object: &str) -> RhaiResult {
        ask(&ctx, "sandbox::documents", Asked::Documents { system: system(of)?, object: object.to_owned() })
    }

    /// What a system was asked in this test: a list of maps with `method`, `path`, `query`, `status`, `time` and `fault`.
    ///
    /// # Example
    /// ```rhai
    /// salesforce::query("SELECT Id FROM Account LIMIT 1");
    /// let asked = sandbox::requests("salesforce");
    /// assert(asked.some(|one| one.path.ends_with("/query")));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn requests(ctx: NativeCallContext, of: &str) -> RhaiResult {
        ask(&ctx, "sandbox::requests", Asked::Requests { system: system(of)? })
    }

    /// Every mail that was delivered in this test, in the order it came: `to`, `from`, `subject`, `text`, `html`, `links` and more.
    ///
    /// # Example
    /// ```rhai
    /// email::send(#{ to: "ana@example.com", subject: "Hello", text: "Hello Ana." });
    /// assert_eq(sandbox::inbox()[0].subject, "Hello");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn inbox(ctx: NativeCallContext) -> RhaiResult {
        ask(&ctx, "sandbox::inbox", Asked::Inbox)
    }

    /// Lets faults strike from now on, as `SYSTEM:KIND@PROBABILITY[,...]`; the empty text ends them. Kinds are `429`, `500`, `503`, `html`,
    /// `timeout`, `slow=MS`, `reset`, `reset_after`, `truncate`, `expired`, `lock`, `limit` and
    /// `stale_page` (the place of the next page is forgotten, by PX and Salesforce).
    ///
    /// # Example
    /// ```rhai
    /// sandbox::faults("salesforce:limit@1");
    /// assert_throws(|| salesforce::query("SELECT Id FROM Account"));
    /// sandbox::faults("");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn faults(ctx: NativeCallContext, list: &str) -> Result<(), Box<EvalAltResult>> {
        ask(&ctx, "sandbox::faults", Asked::Faults(list.to_owned())).map(drop)
    }

    /// Sets how the sandbox's people behave from now on, of `px` or `mail`, and gives back all settings. In a test nobody does anything by
    /// themselves until this is called: rates of `px` are `view_rate`, `complete_rate`, `respond_rate`, `comment_rate`; of `mail`
    /// `open_rate`, `click_rate`, `unsubscribe_rate`, `bounce_rate`.
    ///
    /// # Example
    /// ```rhai
    /// let now = sandbox::set("mail", #{ open_rate: 0.8 });
    /// assert_eq(now.open_rate, 0.8);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set(ctx: NativeCallContext, of: &str, settings: Map) -> RhaiResult {
        ask(&ctx, "sandbox::set", Asked::Behave { system: system(of)?, settings: record(&settings)? })
    }
}
