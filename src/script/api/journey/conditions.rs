//! What a conditional wait, a branch or the exit of a journey asks (B6, B7).

use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, RhaiResult, export_module};

use crate::model::{EventKind, Operator, Value, When};
use crate::script::{
    api::{
        filters::{operator, value},
        options::Item,
    },
    declaration::Place,
    diagnostics::Id,
    site::Site,
};

/// A condition as a value of scripts.
#[derive(Debug, Clone, Default)]
pub(in crate::script) struct Asking {
    /// None when something about it was wrong and has been reported.
    pub(super) when: Option<When>,
    /// Every single question within, with its place.
    pub(super) asked: Vec<(When, Place)>,
}

impl Asking {
    fn of(when: When, place: Place) -> Self {
        Self { asked: vec![(when.clone(), place)], when: Some(when) }
    }

    fn joined(parts: Vec<Self>, join: fn(Vec<When>) -> When) -> Self {
        let (mut whens, mut asked, mut broken) = (Vec::new(), Vec::new(), false);
        for part in parts {
            asked.extend(part.asked);
            match part.when {
                Some(when) => whens.push(when),
                None => broken = true,
            }
        }
        let only = whens.len() == 1;
        let when = if only { whens.pop() } else { Some(join(whens)) };
        Self { when: when.filter(|_| !broken), asked }
    }
}

/// A condition, a list of them (all have to hold), or `#{ any: [..] }`, `#{ all: [..] }`, `#{ not_: .. }`.
pub(super) fn asking(site: &Site, item: &Item) -> Option<Asking> {
    if let Some(asking) = item.value.read_lock::<Asking>() {
        return Some(asking.clone());
    }
    if item.value.is_array() {
        return list(site, item, When::All);
    }
    if item.value.is_map() {
        let mut options = item.options(site, "a condition")?;
        let any = options.take(site, "any").map(|item| list(site, &item, When::Any));
        let all = options.take(site, "all").map(|item| list(site, &item, When::All));
        let not = options.take(site, "not_").map(|item| asking(site, &item).map(negated));
        options.finish(site);
        let given: Vec<Option<Asking>> = [any, all, not].into_iter().flatten().collect();
        if given.is_empty() {
            return item.invalid(site, Id::MissingOption, "a condition map has `any`, `all` or `not_`", None);
        }
        return given.into_iter().collect::<Option<Vec<_>>>().map(|parts| Asking::joined(parts, When::All));
    }
    item.cast::<Asking>(site, "a condition such as `completed(\"tour\")`")
}

/// A list of conditions, joined.
pub(super) fn list(site: &Site, item: &Item, join: fn(Vec<When>) -> When) -> Option<Asking> {
    let items = item.list(site)?;
    if items.is_empty() {
        return item.invalid(site, Id::OptionValue, "no condition is given", Some("write one such as `completed(\"tour\")`".to_owned()));
    }
    let parts: Option<Vec<Asking>> = items.iter().map(|item| asking(site, item)).collect();
    parts.map(|parts| Asking::joined(parts, join))
}

fn negated(asking: Asking) -> Asking {
    Asking { when: asking.when.map(|when| When::Not(Box::new(when))), asked: asking.asked }
}

fn event(ctx: &NativeCallContext, event: EventKind, step: &str) -> RhaiResult {
    let site = Site::of(ctx);
    let place = site.argument(0).map_or_else(|| site.place().clone(), |spot| site.at(spot.at));
    site.built(Asking::of(When::Event { event, step: step.to_owned() }, place))
}

/// A comparison whose first argument names something.
fn compared(ctx: &NativeCallContext, operator_given: &Dynamic, wanted: Option<Dynamic>, make: impl FnOnce(Operator, Value) -> When) -> RhaiResult {
    let site = Site::of(ctx);
    let place = site.argument(0).map_or_else(|| site.place().clone(), |spot| site.at(spot.at));
    let word = Item::argument(&site, 1, "the operator", operator_given.clone());
    let compared = operator(&site, &word).and_then(|operator| {
        let bare = matches!(operator, Operator::IsNull | Operator::IsNotNull);
        let value = match (bare, wanted) {
            (true, None) => Some(Value::Null),
            (false, Some(wanted)) => value(&site, &Item::argument(&site, 2, "the value", wanted), operator),
            (true, Some(_)) => word.invalid(&site, Id::OptionValue, format!("`{}` takes no value", operator.word()), None),
            (false, None) => word.invalid(&site, Id::OptionValue, format!("`{}` wants a value", operator.word()), None),
        };
        value.map(|value| make(operator, value))
    });
    site.built(compared.map_or_else(Asking::default, |when| Asking::of(when, place)))
}

fn joined(ctx: &NativeCallContext, conditions: Dynamic, join: fn(Vec<When>) -> When) -> RhaiResult {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 0, "a list of conditions", conditions);
    let asking = list(&site, &item, join).unwrap_or_default();
    site.built(asking)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, clippy::unwrap_used, unreachable_pub, reason = "the shapes that the engine calls, and their expansion")]
pub(in crate::script::api) mod functions {
    /// Holds once the engagement or survey of a step was seen (B7).
    ///
    /// # Example
    /// ```rhai
    /// `${viewed("tour")}` == "viewed \"tour\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn viewed(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Viewed, step)
    }

    /// Holds once the guide of a step was gone through to its end (B7). Only guides can be completed.
    ///
    /// # Example
    /// ```rhai
    /// `${completed("tour")}` == "completed \"tour\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn completed(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Completed, step)
    }

    /// Holds once a step could not reach its person: PX did not take them, or the mail could not be sent (B7).
    ///
    /// # Example
    /// ```rhai
    /// `${failed("tour")}` == "failed \"tour\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn failed(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Failed, step)
    }

    /// Holds once the mail of a step was handed to the mail server.
    ///
    /// # Example
    /// ```rhai
    /// `${sent("welcome")}` == "sent \"welcome\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sent(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Sent, step)
    }

    /// Holds once the mail of a step was opened (B7).
    ///
    /// # Example
    /// ```rhai
    /// `${opened("welcome")}` == "opened \"welcome\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn opened(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Opened, step)
    }

    /// Holds once a link in the mail of a step was followed (B7).
    ///
    /// # Example
    /// ```rhai
    /// `${clicked("welcome")}` == "clicked \"welcome\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn clicked(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Clicked, step)
    }

    /// Holds once the mail of a step came back (B7).
    ///
    /// # Example
    /// ```rhai
    /// `${bounced("welcome")}` == "bounced \"welcome\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn bounced(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Bounced, step)
    }

    /// Holds once the person unsubscribed by the mail of a step.
    ///
    /// # Example
    /// ```rhai
    /// `${unsubscribed("welcome")}` == "unsubscribed \"welcome\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn unsubscribed(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Unsubscribed, step)
    }

    /// Holds once the survey of a step was answered, by mail or in the product (B7, B16).
    ///
    /// # Example
    /// ```rhai
    /// `${responded("ask")}` == "responded \"ask\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn responded(ctx: NativeCallContext, step: &str) -> RhaiResult {
        event(&ctx, EventKind::Responded, step)
    }

    /// Compares the score that a person gave to the survey of a step. Without an answer it does not hold. Operators are those of filters.
    ///
    /// # Example
    /// ```rhai
    /// `${score("ask", "<=", 6)}` == "score of \"ask\" <= 6"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn score(ctx: NativeCallContext, step: &str, operator: Dynamic, value: Dynamic) -> RhaiResult {
        compared(&ctx, &operator, Some(value), |operator, value| When::Score { step: step.to_owned(), operator, value })
    }

    /// Compares a calculated field of the journey. Operators are those of filters.
    ///
    /// # Example
    /// ```rhai
    /// `${calculated("seats_used", ">=", 80)}` == "seats_used >= 80"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn calculated(ctx: NativeCallContext, name: &str, operator: Dynamic, value: Dynamic) -> RhaiResult {
        compared(&ctx, &operator, Some(value), |operator, value| When::Calculated { name: name.to_owned(), operator, value })
    }

    /// Compares a field of the participant; dotted paths are allowed. Operators are those of filters.
    ///
    /// # Example
    /// ```rhai
    /// `${field("lifecycle", "=", "onboarding")}` == "lifecycle = onboarding"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn field(ctx: NativeCallContext, path: &str, operator: Dynamic, value: Dynamic) -> RhaiResult {
        compared(&ctx, &operator, Some(value), |operator, value| When::Field { path: path.to_owned(), operator, value })
    }

    /// Asks whether a field of the participant is empty: `is null` or `is not null`.
    ///
    /// # Example
    /// ```rhai
    /// `${field("px_id", "is not null")}` == "px_id is not null"
    /// ```
    #[rhai_fn(name = "field", return_raw)]
    pub fn field_blank(ctx: NativeCallContext, path: &str, operator: Dynamic) -> RhaiResult {
        compared(&ctx, &operator, None, |operator, value| When::Field { path: path.to_owned(), operator, value })
    }

    /// Holds when all of the conditions hold. A list of conditions means the same wherever one condition is wanted.
    ///
    /// # Example
    /// ```rhai
    /// `${all_of([opened("welcome"), viewed("tour")])}` == "opened \"welcome\" and viewed \"tour\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn all_of(ctx: NativeCallContext, conditions: Dynamic) -> RhaiResult {
        joined(&ctx, conditions, When::All)
    }

    /// Holds when at least one of the conditions holds. `#{ any: [..] }` means the same wherever one condition is wanted.
    ///
    /// # Example
    /// ```rhai
    /// `${any_of([opened("welcome"), viewed("tour")])}` == "opened \"welcome\" or viewed \"tour\""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn any_of(ctx: NativeCallContext, conditions: Dynamic) -> RhaiResult {
        joined(&ctx, conditions, When::Any)
    }

    /// Holds when the condition does not. In a `wait_for`, what has not happened may still happen: a negation of it is decided when the wait
    /// ends, so that `not_(opened("welcome"))` goes on after the whole wait.
    ///
    /// # Example
    /// ```rhai
    /// `${not_(opened("welcome"))}` == "not (opened \"welcome\")"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn not_(ctx: NativeCallContext, condition: Dynamic) -> RhaiResult {
        let site = Site::of(&ctx);
        let item = Item::argument(&site, 0, "`not_`", condition);
        let found = asking(&site, &item).map(negated).unwrap_or_default();
        site.built(found)
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn condition_shown(condition: Asking) -> ImmutableString {
        condition.when.map(|when| when.to_string()).unwrap_or_default().into()
    }
}
