//! `test` itself, and what it can do with the workspace's declarations.

use rhai::{
    Array, FnPtr, Map,
    plugin::{Dynamic, EvalAltResult, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Date, Fault, FaultKind};
use crate::script::{
    api::effects::{Outcome, data, record, refuse},
    desk::{Desk, ask, at, desk, trial},
    diagnostics::Id,
    failure::thrown,
    site::Site,
    trial::{Asked, Unequal, lines, only_there},
};

use super::assertions::broken;

/// How declarations are run in a test: `date` and `full`.
fn options(map: &Map) -> Outcome<(Option<Date>, bool)> {
    if let Some(unknown) = map.keys().find(|key| !matches!(key.as_str(), "date" | "full")) {
        return refuse(format!("unknown option `{unknown}`; there are `date` and `full`"));
    }
    let date = map.get("date").filter(|date| !date.is_unit()).map(day).transpose()?;
    let full = map.get("full").map_or(Ok(false), |full| full.as_bool().or_else(|_| refuse("`full` is true or false")))?;
    Ok((date, full))
}

fn day(value: &Dynamic) -> Outcome<Date> {
    let given = value.clone().try_cast::<Date>();
    let read = || value.as_immutable_string_ref().ok().and_then(|text| text.parse().ok());
    given.or_else(read).map_or_else(|| refuse(format!("`{value}` is no day; write it like 2026-01-31")), Ok)
}

fn names(list: &Array) -> Outcome<Vec<String>> {
    list.iter().map(|name| name.clone().into_string().or_else(|what| refuse(format!("names are wanted, not {what}")))).collect()
}

/// Runs one declaration: its summary.
fn run_one(ctx: &NativeCallContext, name: &str, (date, full): (Option<Date>, bool)) -> RhaiResult {
    let summaries = ask(ctx, "run", Asked::Run { names: vec![name.to_owned()], date, full })?;
    Ok(summaries.into_array().ok().and_then(|all| all.into_iter().next()).unwrap_or_default())
}

fn planned(ctx: &NativeCallContext, name: &str, (date, full): (Option<Date>, bool)) -> RhaiResult {
    ask(ctx, "plan", Asked::Plan { names: vec![name.to_owned()], date, full })
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// Declares a test: what holds when it passes, and a closure that shows it. Each test has a sandbox, a state and a clock of its own.
    /// Tests are files under `tests/` called `NAME_test.rhai` or `test_NAME.rhai`, or with a line that begins with `test(`.
    ///
    /// # Example
    /// ```rhai
    /// test("a busy account scores high", || {
    ///     assert_eq(score::bands(60, [[50, 100], [10, 60], [0, 20]]), 100);
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn test(ctx: NativeCallContext, name: &str, closure: FnPtr) -> Result<(), Box<EvalAltResult>> {
        match desk(&ctx) {
            Desk::Running { trial: Some(trial), .. } => {
                Err(broken(&ctx, &trial, Id::OnlyInTests, "a test within a test: `test` stands at the top of a file", Unequal::default()))
            }
            Desk::Running { .. } | Desk::Pure { .. } => {
                let fault = Fault::new(FaultKind::NotAllowed, only_there("test")).code(Id::OnlyInTests.code());
                Err(at(&ctx, thrown(fault)))
            }
            Desk::Loading(_) | Desk::Importing { .. } => {
                Site::of(&ctx).test(name, &closure);
                Ok(())
            }
        }
    }

    /// Runs a mapping, rule or segment of the workspace against the test's sandbox, or lets people into an active journey. Gives back its
    /// summary: `status` (`ok`, `partial`, `failed`), `read`, `written`, `created`, `updated`, `deleted`, `unchanged`, `rejected`, `unmatched`,
    /// `calls` by system, `rows` (the rejected ones, each with `key`, `field`, `value` and `reason`) and `error`. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// let first = run("people-to-contacts");
    /// assert_eq(first.status, "ok");
    /// assert_eq(run("people-to-contacts").written, 0);
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub fn run_declaration(ctx: NativeCallContext, name: &str) -> RhaiResult {
        run_one(&ctx, name, (None, false))
    }

    /// Runs several declarations in dependency order: a list of their summaries.
    ///
    /// # Example
    /// ```rhai
    /// assert(run(["people-to-contacts"]).all(|one| one.status == "ok"));
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub fn run_all(ctx: NativeCallContext, names: Array) -> RhaiResult {
        let names = super::names(&names)?;
        ask(&ctx, "run", Asked::Run { names, date: None, full: false })
    }

    /// Runs a declaration for a rule date, or in full: `#{ date: "2026-01-31", full: true }`.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(run("people-to-contacts", #{ full: true }).status, "ok");
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub fn run_with(ctx: NativeCallContext, name: &str, options: Map) -> RhaiResult {
        run_one(&ctx, name, super::options(&options)?)
    }

    /// What a run would change, in order; nothing is written. Each entry is a map with its `type`: `change` (with `system`, `object`, `key`,
    /// `operation` and `fields`, each `#{ from, to }`), `create_field`, `segment` or `rejected`. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// let changes = plan("people-to-contacts").filter(|change| change.type == "change");
    /// assert(changes.all(|change| change.object == "Contact"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn plan(ctx: NativeCallContext, name: &str) -> RhaiResult {
        planned(&ctx, name, (None, false))
    }

    /// What a run for a rule date, or in full, would change.
    ///
    /// # Example
    /// ```rhai
    /// let changes = plan("people-to-contacts", #{ full: true });
    /// assert(changes.len() > 0);
    /// ```
    #[rhai_fn(name = "plan", return_raw)]
    pub fn plan_with(ctx: NativeCallContext, name: &str, options: Map) -> RhaiResult {
        planned(&ctx, name, super::options(&options)?)
    }

    /// What a mapping or an integration makes of one row: the target's fields, before they are fitted to its types. Of a rule, a list with one
    /// map for each action whose criteria the row meets, after the rule's own filters: `action`, `object` and `fields`. No system is asked. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// let contact = transform("people-to-contacts", #{ Email: "ana@example.com", Name: "Ana Lima" });
    /// assert_eq(contact.LastName, "Lima");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn transform(ctx: NativeCallContext, name: &str, row: Map) -> RhaiResult {
        ask(&ctx, "transform", Asked::Transform { name: name.to_owned(), row: record(&row)? })
    }

    /// Plans a declaration on the answers that `tabi record NAME` kept under `tests/recordings/`; no system is asked. Gives back its summary as
    /// `run` does, and `changes` as `plan` does. A question that the recording does not know is a fault of kind `not_found`. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// let again = replay("people-to-contacts");
    /// assert_eq(again.rejected, 0);
    /// snapshot("people-to-contacts", again.changes);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn replay(ctx: NativeCallContext, name: &str) -> RhaiResult {
        ask(&ctx, "replay", Asked::Replay { name: name.to_owned() })
    }

    /// Claims that a value is the one that is kept under `tests/snapshots/`; `tabi test --update` keeps the present one. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// snapshot("bands", [0, 20, 60].map(|n| score::bands(n, [[50, 100], [10, 60], [0, 20]])));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn snapshot(ctx: NativeCallContext, name: &str, value: Dynamic) -> Result<(), Box<EvalAltResult>> {
        let trial = trial(&ctx, "snapshot")?;
        let value = data(&value)?;
        let text = serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
        let kept = ask(&ctx, "snapshot", Asked::Snapshot { name: name.to_owned(), text: text.clone() })?;
        let differs = |message: String, difference| {
            let unequal = Unequal { right: Some(value.clone()), difference, ..Unequal::default() };
            Err(broken(&ctx, &trial, Id::SnapshotDiffers, message, unequal))
        };
        match kept.into_immutable_string() {
            Err(_) => Ok(()),
            Ok(kept) if kept.is_empty() => differs(format!("there is no snapshot \"{name}\" yet"), Vec::new()),
            Ok(kept) => differs(format!("the snapshot \"{name}\" differs: `-` is kept, `+` is what the test has now"), lines(&kept, &text)),
        }
    }

    /// Lets faults strike from now on: `sandbox::faults` in short. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// inject("salesforce:lock@0.2");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn inject(ctx: NativeCallContext, faults: &str) -> Result<(), Box<EvalAltResult>> {
        ask(&ctx, "inject", Asked::Faults(faults.to_owned())).map(drop)
    }
}
