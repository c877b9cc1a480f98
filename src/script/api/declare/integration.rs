//! `pendo::salesforce_integration(name, #{..})`: usage out, customer data in (A3-A8).

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::model::Source;
use crate::script::{
    api::{
        actions::BLANKS,
        fields::fields,
        options::{Item, Options},
        sources::origin,
    },
    declaration::{Blank, Body, Integration, Place, Pull, Push},
    diagnostics::{Diagnostic, Id},
    site::Site,
};

pub(in crate::script::api) fn integration(ctx: &NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
    super::declaration(ctx, ("salesforce_integration", name), None, options, read)
}

fn read(site: &Site, options: &mut Options) -> Option<Body> {
    let given = options.take(site, "object");
    let object = given.as_ref().map(|item| item.text(site));
    let (pendo_key, salesforce_key, key_place) = keys(site, options);
    let push = options.take(site, "push").map(|item| pushes(site, &item)).unwrap_or_default();
    let pull = options.take(site, "pull").map(|item| pulls(site, &item)).unwrap_or_default();
    let blank = options.take(site, "blank").map_or(Some(Blank::default()), |item| item.choice(site, &BLANKS));
    if push.is_empty() && pull.is_empty() && site.sound() {
        site.report(Diagnostic::new(Id::MissingOption, &options.place, "neither `push` nor `pull`: the integration does nothing"));
    }
    let per = per(site, &push, pendo_key.as_deref())?;
    let object = object.unwrap_or_else(|| Some(usual_object(&per).to_owned()))?;
    if let Some(given) = given.filter(|_| !push.is_empty() && object != usual_object(&per)) {
        site.report(unusual(&given, &per, &object));
    }
    let pendo_key = pendo_key.unwrap_or_else(|| format!("{per}Id"));
    let salesforce_key = salesforce_key.unwrap_or_else(|| if per == "visitor" { "Email" } else { "Id" }.to_owned());
    Some(Body::Integration(Integration { object, per, pendo_key, salesforce_key, key_place, push, pull, blank: blank? }))
}

/// The object of Salesforce that accounts, or visitors, of Pendo are.
fn usual_object(per: &str) -> &'static str {
    if per == "visitor" { "Contact" } else { "Account" }
}

/// What is lost by pushing to another object: the pull of one integration reads the same one.
fn unusual(given: &Item, per: &str, object: &str) -> Diagnostic {
    let message = format!("pushing {per}s to `{object}` limits what can be pulled: pull reads the same object");
    let hint = match per {
        "visitor" => "at visitor level Contact is recommended; keep this one if nothing but `push` is wanted",
        _ => "Account is recommended; keep this one if nothing but `push` is wanted",
    };
    Diagnostic::new(Id::PushObject, &given.place, message).hint(hint)
}

/// The keys of both sides, and where they are written.
fn keys(site: &Site, options: &mut Options) -> (Option<String>, Option<String>, Place) {
    let Some(item) = options.take(site, "key") else { return (None, None, options.place.clone()) };
    let place = item.place.clone();
    let Some(mut keys) = item.options(site, "`key`") else { return (None, None, place) };
    let found = (keys.need_text(site, "pendo"), keys.need_text(site, "salesforce"));
    keys.finish(site);
    (found.0, found.1, place)
}

/// Account or visitor: all reports are of one kind; without any, the key tells.
fn per(site: &Site, push: &[Push], pendo_key: Option<&str>) -> Option<String> {
    let by_key = if pendo_key == Some("visitorId") { "visitor" } else { "account" };
    let of = |push: &'_ Push| push.report.per().map(str::to_owned);
    let per = push.first().and_then(of).unwrap_or_else(|| by_key.to_owned());
    if let Some((other, its)) = push.iter().find_map(|push| of(push).filter(|its| *its != per).map(|its| (push, its))) {
        let message = format!("a report per {its} beside one per {per}");
        site.report(Diagnostic::new(Id::Exclusive, &other.place, message).hint("declare one integration for accounts and one for visitors"));
        return None;
    }
    Some(per)
}

fn pushes(site: &Site, item: &Item) -> Vec<Push> {
    item.list(site).unwrap_or_default().iter().filter_map(|item| push(site, item)).collect()
}

fn push(site: &Site, item: &Item) -> Option<Push> {
    let mut options = item.options(site, "a push")?;
    let report = options.need(site, "report").and_then(|item| report(site, &item));
    let fields = options.need(site, "fields").map(|item| fields(site, &item));
    let daily = options.bool(site, "daily", true);
    options.finish(site);
    let fields = fields?;
    for field in fields.iter().filter(|field| !field.target.starts_with("Pendo_")) {
        let bare = field.target.get(..6).filter(|head| head.eq_ignore_ascii_case("pendo_")).map_or(field.target.as_str(), |_| &field.target[6..]);
        let hint = format!("name it `Pendo_{bare}`, or write it by a rule or a mapping");
        let message = format!("Pendo may not write `{}`: only fields whose API name starts with `Pendo_`", field.target);
        site.report(Diagnostic::new(Id::PushName, &field.place, message).hint(hint));
    }
    Some(Push { report: report?, fields, daily, place: item.place.clone() })
}

fn report(site: &Site, item: &Item) -> Option<Source> {
    let origin = origin(site, item)?;
    match origin.source {
        Source::Report(_) | Source::Saved(_) if !origin.rows.all() => {
            let hint = "narrow the report by its `segment`, or write its rows by a `mapping`";
            site.report(Diagnostic::new(Id::ClosureFilter, &item.place, "a push takes the whole report: it has no filter and no limit").hint(hint));
            None
        }
        report @ (Source::Report(_) | Source::Saved(_)) => Some(report),
        _ => item.invalid(site, Id::OptionType, "a push wants a report: `pendo::account_report(#{..})` or `pendo::report(\"its name\")`", None),
    }
}

/// A list of Salesforce fields, or a map from them to metadata names.
fn pulls(site: &Site, item: &Item) -> Vec<Pull> {
    if item.value.is_map() {
        let entries = item.entries(site).unwrap_or_default();
        let named = |entry: &crate::script::api::options::Entry| {
            Some(Pull { field: entry.key.clone(), metadata: entry.item.text(site)?, place: entry.key_place.clone() })
        };
        return entries.iter().filter_map(named).collect();
    }
    let items = item.list(site).unwrap_or_default();
    let pull = |item: &Item| {
        let field = item.text(site)?;
        Some(Pull { metadata: field.to_lowercase().replace('.', "_"), field, place: item.place.clone() })
    };
    items.iter().filter_map(pull).collect()
}
