//! Condition maps: `#{ a: [field, operator, value], logic: "a" }`, and `#{ Field: value }` for equality.

use crate::model::{Condition, Filter, Logic, Operator, Value};
use crate::script::{
    diagnostics::{Diagnostic, Id},
    logic,
    relative::placeholder,
    site::Site,
    suggest::did_you_mean,
};

use super::{
    dates::RuleDate,
    options::{Entry, Item},
};

/// Reads a filter: labelled conditions and their logic; without logic all have to hold.
pub(super) fn filter(site: &Site, item: &Item) -> Option<Filter> {
    let entries = item.entries(site)?;
    let conditions: Vec<Condition> = entries.iter().filter(|e| e.key != "logic").filter_map(|e| condition(site, e)).collect();
    if conditions.is_empty() {
        let bare = entries.iter().all(|entry| entry.key == "logic");
        return bare.then(|| item.invalid(site, Id::OptionValue, "a filter without conditions", None)).flatten();
    }
    let all = || Logic::All(conditions.iter().map(|c| Logic::Is(c.label.clone())).collect());
    let logic = match entries.iter().find(|e| e.key == "logic") {
        Some(entry) => logic_over(site, &entry.item, &conditions)?,
        None => all(),
    };
    Some(Filter { conditions, logic })
}

fn logic_over(site: &Site, item: &Item, conditions: &[Condition]) -> Option<Logic> {
    let text = item.text(site)?;
    let parsed = match logic::parse(&text) {
        Ok(parsed) => parsed,
        Err(at) => {
            let rest: String = text.chars().skip(at).take(20).collect();
            let message = if rest.is_empty() { format!("`{text}` ends too early") } else { format!("`{text}` cannot be read from `{rest}` on") };
            return item.invalid(site, Id::FilterLogic, message, Some("join labels with AND, OR, NOT and brackets: `A AND (B OR C)`".to_owned()));
        }
    };
    let names: Vec<&str> = conditions.iter().map(|c| c.label.as_str()).collect();
    let used = logic::labels(&parsed);
    for label in &used {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(label)) {
            let hint = did_you_mean(label, names.iter().copied()).unwrap_or_else(|| format!("the conditions are {}", names.join(", ")));
            item.invalid::<()>(site, Id::FilterLogic, format!("no condition is labelled `{label}`"), Some(hint));
        }
    }
    for name in names.iter().filter(|name| !used.iter().any(|label| label.eq_ignore_ascii_case(name))) {
        item.invalid::<()>(site, Id::FilterLogic, format!("the logic leaves out the condition `{name}`"), Some("use it or drop it".to_owned()));
    }
    Some(parsed)
}

/// `label: [field, operator, value]`, or `Field: value`.
fn condition(site: &Site, entry: &Entry) -> Option<Condition> {
    let Some(parts) = entry.item.value.as_array_ref().ok().map(|parts| parts.len()).filter(|n| *n >= 2) else {
        return equality(site, entry);
    };
    let items = entry.item.list(site)?;
    let field = items.first()?.text(site)?;
    let operator = operator(site, items.get(1)?)?;
    let bare = matches!(operator, Operator::IsNull | Operator::IsNotNull);
    match (bare, parts) {
        (true, 2) => Some(Condition { label: entry.key.clone(), field, operator, value: Value::Null }),
        (false, 3) => Some(Condition { label: entry.key.clone(), field, operator, value: value(site, items.get(2)?, operator)? }),
        (true, _) => entry.item.invalid(site, Id::OptionValue, format!("`{}` takes no value", operator.word()), None),
        (false, _) => entry.item.invalid(site, Id::OptionValue, "a condition is `[field, operator, value]`", None),
    }
}

fn equality(site: &Site, entry: &Entry) -> Option<Condition> {
    let (operator, value) = match entry.item.data(site)? {
        Value::Null => (Operator::IsNull, Value::Null),
        Value::Map(_) | Value::List(_) => return entry.item.invalid(site, Id::OptionValue, "a condition is `[field, operator, value]`", None),
        value => (Operator::Equal, value),
    };
    Some(Condition { label: entry.key.clone(), field: entry.key.clone(), operator, value })
}

pub(super) fn operator(site: &Site, item: &Item) -> Option<Operator> {
    let word = item.text(site)?;
    let found = Operator::of(word.trim().to_lowercase().as_str());
    if found.is_none() {
        let words = Operator::ALL.iter().map(|(word, _)| *word);
        let finding = Diagnostic::new(Id::OptionValue, &item.place, format!("unknown operator `{word}`"));
        site.report(finding.meant(&word, words.clone(), || Some(format!("operators are {}", words.collect::<Vec<_>>().join(", ")))));
    }
    found
}

pub(super) fn value(site: &Site, item: &Item, operator: Operator) -> Option<Value> {
    if let Some(date) = item.value.read_lock::<RuleDate>() {
        return Some(placeholder(*date));
    }
    let value = item.data(site)?;
    match (operator, &value) {
        (Operator::In | Operator::NotIn, Value::List(_)) => Some(value),
        (Operator::In | Operator::NotIn, _) => item.invalid(site, Id::OptionType, format!("`{}` wants a list", operator.word()), None),
        (Operator::Contains | Operator::StartsWith | Operator::EndsWith, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
            let hint = "write the value in quotes".to_owned();
            item.invalid(site, Id::OptionType, format!("`{}` looks for a piece of text", operator.word()), Some(hint))
        }
        (Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual, Value::Bool(_)) => {
            let hint = "use `=` or `!=`".to_owned();
            item.invalid(site, Id::OptionType, format!("`{}` needs an order: true and false have none", operator.word()), Some(hint))
        }
        (_, Value::List(_) | Value::Map(_)) => {
            item.invalid(site, Id::OptionType, format!("`{}` wants a single value", operator.word()), Some("lists go with `in`".to_owned()))
        }
        _ => Some(value),
    }
}
