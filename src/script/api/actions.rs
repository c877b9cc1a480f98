//! The actions of a rule, which are steps of a journey, too. Each takes `criteria`, a filter of its own, and as a step `step`, its name.

use rhai::{
    Dynamic,
    plugin::{ImmutableString, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Bounds, System, Value};
use crate::script::{
    declaration::{Action, ActionKind, Blank, Cell, CtaAction, Mode, ObjectLoad, RuleScore, Target, UsageLoad},
    diagnostics::{Diagnostic, Id},
    site::Site,
};

use super::{
    fields::{Text, cell, fields},
    filters::filter,
    options::{Item, Options},
};

/// An action as a value of scripts; none when something about it was wrong and has been reported.
#[derive(Debug, Clone)]
pub(in crate::script) struct RuleAction {
    pub(super) word: &'static str,
    pub(super) action: Option<Action>,
    /// What it is called as a step of a journey, where the script says so.
    pub(super) step: Option<String>,
}

pub(super) const MODES: [(&str, Mode); 3] = [("update", Mode::Update), ("upsert", Mode::Upsert), ("insert", Mode::Insert)];
pub(super) const BLANKS: [(&str, Blank); 2] = [("skip", Blank::Skip), ("clear", Blank::Clear)];

type Read = fn(&Site, &mut Options) -> Option<ActionKind>;

/// Reads the option map of an action.
pub(super) fn action(ctx: &NativeCallContext, word: &'static str, options: Dynamic, read: Read) -> RhaiResult {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 0, word, options);
    let mut step = None;
    let action = item.options(&site, word).and_then(|mut options| {
        step = options.text(&site, "step");
        let criteria = options.take(&site, "criteria");
        let criteria = criteria.and_then(|item| filter(&site, &item));
        let kind = read(&site, &mut options);
        options.finish(&site);
        Some(Action { criteria, kind: kind?, place: site.place().clone() })
    });
    site.built(RuleAction { word, action, step })
}

fn usage(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let mut optional = |name| options.take(site, name).and_then(|item| cell(site, &item, Text::IsField));
    let (instance_id, instance_name, account, date) = (optional("instance_id"), optional("instance_name"), optional("account"), optional("date"));
    let level = options.take(site, "level").map_or(Some("ACCOUNTLEVEL"), |item| item.choice(site, &LEVELS));
    let keep = options
        .take(site, "keep")
        .and_then(|item| item.choice(site, &[("week", "week"), ("month", "month"), ("weekly", "week"), ("monthly", "month")]));
    let into = options.text(site, "into");
    let blank = options.take(site, "blank").map_or(Some(Blank::Skip), |item| item.choice(site, &BLANKS));
    let measures = options.need(site, "measures").map(|item| fields(site, &item));
    Some(ActionKind::Usage(UsageLoad {
        account: account.unwrap_or(Cell::Field("Id".to_owned())),
        level: level?.to_owned(),
        date: date.unwrap_or(Cell::RuleDate(super::RuleDate::default())),
        instance_id,
        instance_name,
        measures: measures?,
        declared: Vec::new(),
        keep: keep.map(ToOwned::to_owned),
        into,
        blank: blank?,
    }))
}

/// Gainsight's aggregation levels of usage data.
const LEVELS: [(&str, &str); 4] =
    [("ACCOUNTLEVEL", "ACCOUNTLEVEL"), ("INSTANCELEVEL", "INSTANCELEVEL"), ("USERLEVEL", "USERLEVEL"), ("INSTANCEUSERLEVEL", "INSTANCEUSERLEVEL")];

fn to_salesforce(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let object = options.need_text(site, "object");
    load(site, options, Target { system: System::Salesforce, object: object? }, &["Id"])
}

fn to_object(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let object = options.need_text(site, "object");
    load(site, options, Target { system: System::Gainsight, object: object? }, &[])
}

fn to_company(site: &Site, options: &mut Options) -> Option<ActionKind> {
    load(site, options, Target { system: System::Gainsight, object: "Company".to_owned() }, &["SfdcAccountId"])
}

fn to_people(site: &Site, options: &mut Options) -> Option<ActionKind> {
    load(site, options, Target { system: System::Gainsight, object: "Person".to_owned() }, &["Email"])
}

fn load(site: &Site, options: &mut Options, to: Target, default_identifiers: &[&str]) -> Option<ActionKind> {
    let usual = if to.system == System::Salesforce { Mode::Update } else { Mode::Upsert };
    let operation = options.take(site, "operation").map_or(Some(usual), |item| item.choice(site, &MODES));
    let blank = options.take(site, "blank").map_or(Some(Blank::Skip), |item| item.choice(site, &BLANKS));
    let given = options.take(site, "identifiers");
    let named = given.as_ref().and_then(|item| item.texts(site));
    let identifiers = named.unwrap_or_else(|| default_identifiers.iter().map(ToString::to_string).collect());
    let item = options.need(site, "fields")?;
    let fields = fields(site, &item);
    let place = given.as_ref().map_or(&item.place, |given| &given.place);
    if identifiers.is_empty() {
        site.report(Diagnostic::new(Id::MissingOption, place, "nothing identifies a row").hint("add `identifiers: [\"FIELD\"]`"));
    }
    for identifier in identifiers.iter().filter(|name| !fields.iter().any(|field| field.target == **name)) {
        let message = format!("the identifier `{identifier}` is not among the mapped fields");
        site.report(Diagnostic::new(Id::OptionValue, place, message).hint(format!("add `{identifier}: \"SOURCE FIELD\"` to `fields`")));
    }
    Some(ActionKind::Object(ObjectLoad { to, operation: operation?, identifiers, fields, blank: blank? }))
}

fn cta(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let mut given = |name| options.take(site, name).and_then(|item| cell(site, &item, Text::IsItself));
    let (name, kind, reason, priority) = (given("name"), given("type"), given("reason"), given("priority"));
    let (status, playbook, comments, owner) = (given("status"), given("playbook"), given("comments"), given("owner_email"));
    if reason.is_none() {
        options.need(site, "reason");
    }
    let due = options.take(site, "due_in_days").map_or(Some(14), |item| item.number(site, 0, 3650));
    let text = |text: &str| Cell::Constant(Value::text(text));
    let reason = reason?;
    Some(ActionKind::Cta(CtaAction {
        name: name.unwrap_or_else(|| reason.clone()),
        cta_type: kind.unwrap_or_else(|| text("Risk")),
        reason,
        priority: priority.unwrap_or_else(|| text("Medium")),
        status,
        owner_email: owner,
        playbook,
        comments,
        due_in_days: u32::try_from(due?).unwrap_or(14),
    }))
}

fn score(ctx: &NativeCallContext, measure: &str, value: Dynamic, options: Option<Dynamic>) -> RhaiResult {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 1, "the score", value);
    let score = cell(&site, &item, Text::IsField);
    let (mut criteria, mut comments, mut step, mut blank, mut into) = (None, None, None, Some(Blank::Skip), None);
    if let Some(options) = options {
        let item = Item::argument(&site, 2, "set_score", options);
        if let Some(mut options) = item.options(&site, "set_score") {
            criteria = options.take(&site, "criteria").and_then(|item| filter(&site, &item));
            comments = options.take(&site, "comments").and_then(|item| cell(&site, &item, Text::IsItself));
            step = options.text(&site, "step");
            blank = options.take(&site, "blank").map_or(blank, |item| item.choice(&site, &BLANKS));
            into = options.text(&site, "into");
            options.finish(&site);
        }
    }
    if let Some(Cell::Constant(value)) = &score
        && let Err(misfit) = Bounds::SCORE.check(value)
    {
        item.invalid::<()>(&site, Id::OptionValue, misfit.0, Some("scores of Gainsight are numbers from 0 to 100".to_owned()));
    }
    let kind = score.zip(blank).map(|(score, blank)| ActionKind::Score(RuleScore { measure: measure.to_owned(), score, comments, blank, into }));
    let action = kind.map(|kind| Action { criteria, kind, place: site.place().clone() });
    site.built(RuleAction { word: "set_score", action, step })
}

#[export_module]
#[allow(clippy::needless_pass_by_value, clippy::unwrap_used, unreachable_pub, reason = "the shapes that the engine calls, and their expansion")]
pub(super) mod functions {
    /// Loads measures as Gainsight usage data: one row per account, level, instance and date, so that running again changes nothing (A11).
    /// Options: `account` (default `Id`), `level` (default `ACCOUNTLEVEL`), `date` (default `rule_date()`), `instance_id`, `instance_name`,
    /// `measures` (name and field; `gainsight::measures` says more of them), `keep` (`week` or `month`), `into` (a Gainsight object instead),
    /// `blank` (of a measure: `"skip"`, the default, keeps what the row of that date has, `"clear"` empties it), `criteria`.
    ///
    /// The row of a week is that of its Monday, the row of a month that of its first day. So a measure that one rule loads by day and another
    /// by week would be overwritten every Monday: `check` refuses it. One of them can go into a Gainsight object or have a measure of its own.
    ///
    /// The rows go to `JBCXM__UsageData__c`, which Gainsight's managed package brings to Salesforce. A tenant without the package says
    /// `into: "usage_data__gc"`: a custom object that an administrator makes in Gainsight under Administration, Data Management (its API makes none),
    /// with the fields `CompanyId__gc` (lookup to Company), `Level__gc` (string), `Date__gc` (date), and a number field labelled as each measure.
    ///
    /// # Example
    /// ```rhai
    /// let load = load_to_usage(#{ account: "Id", date: rule_date(), measures: #{ "Active Visitors (30d)": "Pendo_numberofvisitors_last30d__c" } });
    /// load.kind == "load_to_usage"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load_to_usage(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "load_to_usage", options, usage)
    }

    /// Writes rows to a Salesforce object (A13). Options: `object`, `operation` (`update`, `upsert`, `insert`), `identifiers` (default `Id`),
    /// `fields`, `blank`, `criteria`. Only fields enabled for rule updates may be written.
    ///
    /// # Example
    /// ```rhai
    /// let load = load_to_sfdc(#{ object: "Account", fields: #{ Id: "AccountId", Health_Score__c: "HealthScore" } });
    /// load.kind == "load_to_sfdc"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load_to_sfdc(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "load_to_sfdc", options, to_salesforce)
    }

    /// Writes rows to a Gainsight object (A15). Options: `object`, `operation` (default `upsert`), `identifiers`, `fields`, `blank`, `criteria`.
    ///
    /// # Example
    /// ```rhai
    /// let load = load_to_object(#{ object: "usage__gc", identifiers: ["AccountId__gc"], fields: #{ AccountId__gc: "Id" } });
    /// load.kind == "load_to_object"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load_to_object(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "load_to_object", options, to_object)
    }

    /// Writes Gainsight companies (A15), identified by `SfdcAccountId` unless told otherwise.
    ///
    /// # Example
    /// ```rhai
    /// let load = load_to_company(#{ fields: #{ SfdcAccountId: "Id", Industry: "Industry" } });
    /// load.kind == "load_to_company"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load_to_company(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "load_to_company", options, to_company)
    }

    /// Writes Gainsight people (A15), identified by `Email` unless told otherwise.
    ///
    /// # Example
    /// ```rhai
    /// let load = load_to_people(#{ fields: #{ Email: "Email", Name: "Name" } });
    /// load.kind == "load_to_people"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load_to_people(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "load_to_people", options, to_people)
    }

    /// Sets a scorecard measure of the company from a field or a closure (A16). A number below 0 or above 100 is rejected. Where that gives nothing, the company keeps the score
    /// it has; the option `blank: "clear"` takes it away. Gainsight has no public call that sets a score: it goes to the object `measure_scores__gc`
    /// (`CompanyId__gc`, `Measure__gc`, `Score__gc`, `Comments__gc`, `Date__gc`; to be cleared, `Score__gc` must not be required), from which a
    /// rule in Gainsight sets it.
    ///
    /// Gainsight has no public call that writes a score: the score is written to the custom object `measure_scores__gc`, and a scorecard rule in
    /// Gainsight sets the measure from there. An administrator makes the object under Administration, Data Management (the API makes none), with the
    /// fields `CompanyId__gc` (lookup to Company), `Measure__gc` (string), `Score__gc` (number), `Date__gc` (date), `Comments__gc` (string).
    ///
    /// # Example
    /// ```rhai
    /// let action = set_score("Product usage", |row| score::bands(row.visits, [[50, 100], [10, 60], [0, 20]]));
    /// action.kind == "set_score"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set_score(ctx: NativeCallContext, measure: &str, value: Dynamic) -> RhaiResult {
        score(&ctx, measure, value, None)
    }

    /// The same with options: `criteria`, `comments`, `blank` (`"skip"`, the default, or `"clear"`), `into` (another Gainsight object with the same
    /// fields), and in a journey `step`, the step's name.
    ///
    /// # Example
    /// ```rhai
    /// let action = set_score("Product usage", 20, #{ criteria: #{ a: ["visits", "=", 0] }, comments: "nobody came" });
    /// action.kind == "set_score"
    /// ```
    #[rhai_fn(name = "set_score", return_raw)]
    pub fn set_score_with(ctx: NativeCallContext, measure: &str, value: Dynamic, options: Dynamic) -> RhaiResult {
        score(&ctx, measure, value, Some(options))
    }

    /// Creates a call to action for the company, or updates the open one of the same type and reason (A16). Text stands for itself; `field("NAME")`
    /// and closures read the row. Options: `reason`, `name`, `type`, `priority`, `status`, `owner_email`, `playbook`, `comments`, `due_in_days`, `criteria`.
    /// In a journey the row is the participant, and `step` names the step.
    ///
    /// # Example
    /// ```rhai
    /// let action = create_cta(#{ name: "Usage fell", reason: "Product usage", priority: "High", due_in_days: 7 });
    /// action.kind == "create_cta"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn create_cta(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "create_cta", options, cta)
    }

    #[rhai_fn(get = "kind", pure)]
    pub fn kind(action: &mut RuleAction) -> ImmutableString {
        action.word.into()
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn action_shown(action: RuleAction) -> ImmutableString {
        action.word.into()
    }
}
