//! `mapping` and `rule` as scripts call them.

use rhai::plugin::{Dynamic, EvalAltResult, NativeCallContext, export_module};

use super::{declaration, mapping::mapping as read_mapping, rule::rule as read_rule};

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// Declares a mapping between any two objects of any two systems: read `from`, find each row's partner by `match_on`, write `fields` of `to`
    /// where they differ. Options: `from`, `to`, `match_on`, `fields`, `mode` (`update`, `upsert`, `insert`), `blank` (`skip`, `clear`),
    /// `cursor`, `lookback`, and `every`, `daily`, `weekly`, `monthly` or `cron`, `after`, `overrides`. A value that a field cannot hold as it is
    /// rejects its row with the reason; with `blank: "clear"` a checkbox becomes false.
    ///
    /// `cursor` names the date-time that the source sets at each change of a record: a run then reads only what changed since the last one, and
    /// what has no date-time there. Each run begins to read `lookback` (ten minutes, unless said otherwise) before the latest change that the one
    /// before has read, since a record may come to sight later than it is stamped; what is read twice is compared and not written again. Widen it
    /// where transactions or loads of the source last longer. A rejected record is read again until it is written: it holds the cursor back, and the
    /// run says so. When what the mapping reads or writes is edited, when the workspace's zone, the type of a written field or the organisation behind
    /// a system is another one than in the last run, and with `--full`, everything is read; the run says which of these it was.
    ///
    /// # Example
    /// ```rhai
    /// mapping("tickers-to-pendo", #{
    ///     from: salesforce::object("Account"),
    ///     to: pendo::account_metadata("custom"),
    ///     match_on: #{ accountId: "Id" },
    ///     fields: #{ ticker: "TickerSymbol" },
    ///     cursor: "SystemModstamp",
    ///     lookback: "1h",
    ///     every: "15m",
    /// });
    /// ```
    ///
    /// What is the same key is decided by the system that is written: capitals count in ids of Pendo, Gainsight and PX and in Salesforce fields
    /// defined as case-sensitive, not in other Salesforce text nor in e-mail addresses; a Salesforce id is one in its 15 and its 18 characters, and
    /// one whose check characters are wrong is refused. Two rows of the source that are one record are told by both keys, and the first is used. With
    /// a `cursor`, the first stays the one that is used in later runs, until it is gone, left out by the filter, or has another key.
    ///
    /// # Example
    /// ```rhai
    /// mapping("contacts-to-people", #{
    ///     from: salesforce::object("Contact"),
    ///     to: gainsight::people(),
    ///     match_on: "Email",
    ///     fields: #{ Email: "Email", Name: "Name" },
    ///     mode: "upsert",
    ///     daily: "02:00",
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mapping(ctx: NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
        declaration(&ctx, ("mapping", name), None, options, read_mapping)
    }

    /// Declares a rule (A10): read `from`, keep what passes `filters`, do each of the `actions`. Options: `rule_for`, `from`, `show`, `filters`,
    /// `customers_only`, `account` (the field with the Salesforce account id), `group_by`, `calculated`, `for_every`, `actions`, and `every`, `daily`, `weekly`,
    /// `monthly` or `cron`, `after`, `overrides`.
    ///
    /// `calculated` folds the rows of a group into numbers: `total: ["sum", FIELD]`, or `["sum", FIELD, DATE FIELD, DAYS]` for the days up to and
    /// including the rule date; the functions are `sum`, `avg`, `min`, `max`, `count` (`"*"` counts rows), `count_distinct`, `first` and `last` in
    /// the order of the rows. Blank values are left out; of no values `sum` and the counts are 0, and the others null. `sum` and `avg` take
    /// numbers only, and text where its field is one of numbers; `min` and `max` take numbers, dates or texts, all of one type. Decimals are added
    /// exactly. A group with a value that does not fit is rejected with it. Filters compare a date and time with a day as a whole: see `date`.
    ///
    /// An account without rows is in no group, so nothing is written to it and it keeps the numbers of an earlier run. `for_every` says who has a
    /// group all the same: `"customer"` every Gainsight customer, by the Salesforce account id that its company has, and `"account"` every
    /// Salesforce account. Counts and sums of no rows are 0, everything else is null, and null empties what holds an older number, also with
    /// `blank: "skip"`. That is for rules whose groups are accounts, by the field `account`, whose ids are those of Salesforce. `"group"` means
    /// only who has rows; without `for_every` that is so, too, and `check` says where old numbers would stay. In a run in which rows of the source
    /// were rejected nobody knows who has none, so nobody is added, and the run says so. Groups by anything else than the account keep what they
    /// have when their last row is gone.
    ///
    /// # Example
    /// ```rhai
    /// rule("score-usage", #{
    ///     from: salesforce::object("Account"),
    ///     show: ["Id", "Pendo_numberofvisitors_last30d__c"],
    ///     actions: [set_score("Product usage", |row| score::bands(row.Pendo_numberofvisitors_last30d__c, [[50, 100], [0, 20]]))],
    ///     weekly: "mon 03:00",
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn rule(ctx: NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
        declaration(&ctx, ("rule", name), None, options, read_rule)
    }
}
