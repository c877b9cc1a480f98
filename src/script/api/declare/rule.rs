//! `rule(name, #{..})` (A10).

use crate::model::{Source, System};
use crate::script::{
    api::{
        actions::RuleAction,
        dates::Days,
        filters::filter,
        options::{Entry, Item, Options},
        sources::{Origin, origin},
    },
    declaration::{Action, ActionKind, Aggregate, Body, EVERY_ROW, Rule, Scope},
    diagnostics::Id,
    kept::KeptKind,
    site::Site,
};

pub(super) fn rule(site: &Site, options: &mut Options) -> Option<Body> {
    let kinds = [("account", "account"), ("relationship", "relationship"), ("person", "person")];
    let rule_for = options.take(site, "rule_for").map_or(Some("account"), |item| item.choice(site, &kinds));
    let from = options.need(site, "from").and_then(|item| origin(site, &item));
    let show = options.texts(site, "show");
    let filters = options.take(site, "filters");
    let broken_filter = filters.is_some();
    let filters = filters.and_then(|item| filter(site, &item));
    let customers_only = options.bool(site, "customers_only", false);
    let account = options.text(site, "account");
    let group_by = options.texts(site, "group_by");
    let calculated = options.take(site, "calculated").map(|item| aggregates(site, &item)).unwrap_or_default();
    let for_every = options.take(site, "for_every");
    let scope = for_every.as_ref().and_then(|item| item.choice(site, &SCOPES));
    let actions = options.need(site, "actions").map(|item| actions(site, &item));
    if broken_filter && filters.is_none() {
        return None;
    }
    let Origin { source: from, rows } = from?;
    let account = account.unwrap_or_else(|| usual_account(&from).to_owned());
    let (rule_for, actions) = (rule_for?.to_owned(), actions?);
    let rule = Rule { rule_for, from, rows, show, filters, customers_only, account, group_by, calculated, for_every: scope, actions };
    if let (Some(item), Some(Scope::Customer | Scope::Account)) = (&for_every, scope)
        && let Some(reason) = not_for_every(&rule)
    {
        return item.invalid(site, Id::OptionValue, reason, None);
    }
    Some(Body::Rule(rule))
}

const SCOPES: [(&str, Scope); 3] = [("customer", Scope::Customer), ("account", Scope::Account), ("group", Scope::Group)];

/// Why nobody can be added who has no row.
fn not_for_every(rule: &Rule) -> Option<String> {
    if rule.calculated.is_empty() {
        return Some("`for_every` is for a rule with `calculated`: without rows there is nothing else to load".to_owned());
    }
    if !rule.by_account() {
        return Some(format!("`for_every` is for a rule of accounts that is grouped by `{}` alone, the field of the account", rule.account));
    }
    rule.rows.limit.map(|_| "`for_every` and a limit: who is beyond the limit is not without rows".to_owned())
}

/// The field of a source that usually holds the Salesforce account id.
fn usual_account(from: &Source) -> &str {
    match from {
        Source::Object(query) => match (query.system, query.object.as_str()) {
            (System::Salesforce, "Account") => "Id",
            (System::Gainsight, "Company") => "SfdcAccountId",
            (System::Pendo, _) => "accountId",
            _ => "AccountId",
        },
        Source::Soql(text) if text.to_lowercase().contains("from account") => "Id",
        Source::Soql(_) => "AccountId",
        Source::Saved(report) if report.per == "account" => &report.key,
        Source::Report(_) | Source::Aggregation { .. } | Source::Saved(_) => "accountId",
    }
}

fn actions(site: &Site, item: &Item) -> Vec<Action> {
    let items = item.list(site).unwrap_or_default();
    if items.is_empty() && item.value.is_array() {
        item.invalid::<()>(site, Id::OptionValue, "a rule without actions does nothing", None);
    }
    let wanted = "an action such as `load_to_usage(#{..})`";
    let action = |item: &Item| {
        let action = item.cast::<RuleAction>(site, wanted)?;
        if action.step.is_some() {
            item.invalid::<()>(site, Id::UnknownOption, "`step` names a step of a journey; the actions of a rule have no names", None);
        }
        action.action
    };
    let mut made: Vec<Action> = items.iter().filter_map(action).collect();
    number(&mut made);
    made
}

/// Tells actions of one kind apart, from the second on: the first keeps its identity when others come behind it.
fn number(actions: &mut [Action]) {
    let mut seen: Vec<KeptKind> = Vec::new();
    for action in actions {
        let ActionKind::Kept(kept) = &mut action.kind else { continue };
        seen.push(kept.kind);
        let place = seen.iter().filter(|kind| **kind == kept.kind).count();
        kept.tag = (place > 1).then(|| place.to_string());
    }
}

const FUNCTIONS: [(&str, &str); 8] = [
    ("sum", "sum"),
    ("avg", "avg"),
    ("min", "min"),
    ("max", "max"),
    ("count", "count"),
    ("count_distinct", "count_distinct"),
    ("first", "first"),
    ("last", "last"),
];

/// `visits_30d: ["sum", "visits", "Date__c", 30]`: function, field, and the window's date field and days.
fn aggregates(site: &Site, item: &Item) -> Vec<Aggregate> {
    let entries = item.entries(site).unwrap_or_default();
    entries.iter().filter_map(|entry| aggregate(site, entry).filter(|made| made.field != EVERY_ROW || counts(site, entry, made))).collect()
}

/// Rows are counted and nothing else.
fn counts(site: &Site, entry: &Entry, made: &Aggregate) -> bool {
    if made.function != "count" {
        let message = format!("`{}` is of a field; only `count` takes `{EVERY_ROW}`, every row", made.function);
        entry.item.invalid::<()>(site, Id::OptionValue, message, None);
    }
    made.function == "count"
}

fn aggregate(site: &Site, entry: &Entry) -> Option<Aggregate> {
    if entry.item.value.is_map() {
        return aggregate_map(site, entry);
    }
    let items = entry.item.list(site)?;
    let shape = "a calculated field is `[function, field]` or `[function, field, date field, days]`";
    match items.as_slice() {
        [function, field] => Some(Aggregate {
            name: entry.key.clone(),
            function: function.choice(site, &FUNCTIONS)?.to_owned(),
            field: field.text(site)?,
            window: None,
        }),
        [function, field, date, days] => {
            let window = Some((date.text(site)?, window_days(site, days)?));
            Some(Aggregate { name: entry.key.clone(), function: function.choice(site, &FUNCTIONS)?.to_owned(), field: field.text(site)?, window })
        }
        _ => entry.item.invalid(site, Id::OptionValue, shape, None),
    }
}

/// `#{ function: "sum", field: "visits", date: "Date__c", days: 30 }`.
fn aggregate_map(site: &Site, entry: &Entry) -> Option<Aggregate> {
    let mut options = entry.item.options(site, "a calculated field")?;
    let function = options.need(site, "function").and_then(|item| item.choice(site, &FUNCTIONS));
    let field = options.need_text(site, "field");
    let date = options.text(site, "date");
    let days = options.take(site, "days").and_then(|item| window_days(site, &item));
    options.finish(site);
    Some(Aggregate { name: entry.key.clone(), function: function?.to_owned(), field: field?, window: date.zip(days) })
}

fn window_days(site: &Site, item: &Item) -> Option<u32> {
    let days = item.value.read_lock::<Days>().map(|days| days.0);
    match days {
        Some(days) => u32::try_from(days).ok(),
        None => item.number(site, 1, 3660).and_then(|days| u32::try_from(days).ok()),
    }
}
