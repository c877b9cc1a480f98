//! Sources that declarations read and targets that they write, as values of scripts.

use rhai::{
    FnPtr,
    plugin::{Dynamic, EvalAltResult, ImmutableString, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Query, Report, SavedReport, Source, System};
use crate::script::{
    closure::Closure,
    declaration::Target,
    diagnostics::{Diagnostic, Id},
    rows::Rows,
    site::Site,
};

use super::{
    fields::{Constant, FieldName},
    filters::filter,
    measures::columns,
    options::Item,
};

/// Something to read.
#[derive(Debug, Clone)]
pub(in crate::script) struct Origin {
    pub(super) source: Source,
    pub(super) rows: Rows,
}

/// Something to write, with a prefix that its field names get.
#[derive(Debug, Clone)]
pub(in crate::script) struct Destination {
    pub(in crate::script) target: Target,
    pub(in crate::script) prefix: Option<String>,
}

impl Origin {
    pub(super) fn object(system: System, name: &str) -> Self {
        Self::of(Source::Object(Query::of(system, name)))
    }

    pub(super) fn of(source: Source) -> Self {
        Self { source, rows: Rows::default() }
    }
}

/// A target argument: a `Target`, or a source that is a plain object.
pub(super) fn destination(site: &Site, item: &Item) -> Option<Destination> {
    if let Some(destination) = item.value.read_lock::<Destination>() {
        return Some(destination.clone());
    }
    match item.value.read_lock::<Origin>().as_deref() {
        Some(Origin { source: Source::Object(query), rows }) if query.filter.is_none() && rows.all() => {
            Some(Destination { target: Target { system: query.system, object: query.object.clone() }, prefix: None })
        }
        Some(_) => item.invalid(site, Id::OptionValue, "a filtered source or a report cannot be written to", None),
        None => item.cast::<Destination>(site, "a target such as `salesforce::object(\"Account\")`"),
    }
}

pub(super) fn origin(site: &Site, item: &Item) -> Option<Origin> {
    item.cast::<Origin>(site, "a source such as `salesforce::object(\"Account\")`")
}

/// `pendo::account_report(#{..})` and its sister for visitors.
pub(super) fn report(ctx: &NativeCallContext, per: &str, options: Dynamic) -> RhaiResult {
    let site = Site::of(ctx);
    let mut report = Report { per: per.to_owned(), segment: None, app: None, anonymous: false, days: 30, until: None, columns: Vec::new() };
    let item = Item::argument(&site, 0, "a report", options);
    if let Some(mut options) = item.options(&site, "a report") {
        report.segment = options.text(&site, "segment").filter(|name| !name.eq_ignore_ascii_case("everyone"));
        report.app = options.take(&site, "app").and_then(|item| app(&site, &item));
        report.anonymous = options.bool(&site, "anonymous", false);
        if let Some(days) = options.take(&site, "days").and_then(|item| item.number(&site, 1, 366)) {
            report.days = u32::try_from(days).unwrap_or(30);
        }
        if let Some(item) = options.need(&site, "columns") {
            report.columns = columns(&site, &item);
            repeated(&site, &item, &report);
        }
        options.finish(&site);
    }
    let origin = Origin::of(Source::Report(report));
    site.built(origin)
}

/// `pendo::report(name, #{..})`.
pub(super) fn saved(ctx: &NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
    let site = Site::of(ctx);
    let mut saved = SavedReport { name: name.to_owned(), per: "account".to_owned(), key: String::new() };
    if name.trim().is_empty() {
        site.report(Diagnostic::new(Id::OptionValue, site.place(), "a saved report goes by its name or id, as Pendo shows it"));
    }
    let item = Item::argument(&site, 1, "a saved report", options);
    if let Some(mut options) = item.options(&site, "a saved report") {
        let kinds = [("account", "account"), ("visitor", "visitor")];
        if let Some(per) = options.take(&site, "per").and_then(|item| item.choice(&site, &kinds)) {
            per.clone_into(&mut saved.per);
        }
        saved.key = options.text(&site, "key").unwrap_or_else(|| format!("{}Id", saved.per));
        options.finish(&site);
    }
    site.built(Origin::of(Source::Saved(saved)))
}

/// An app by its name or id, which is a number.
fn app(site: &Site, item: &Item) -> Option<String> {
    match item.value.as_int() {
        Ok(id) => Some(id.to_string()),
        Err(_) => item.text(site),
    }
}

fn repeated(site: &Site, item: &Item, report: &Report) {
    for (at, (name, _)) in report.columns.iter().enumerate() {
        if report.columns.iter().take(at).any(|(earlier, _)| earlier == name) {
            item.invalid::<()>(site, Id::OptionValue, format!("the column `{name}` is there twice"), None);
        }
    }
}

fn narrowed(ctx: &NativeCallContext, origin: &Origin, conditions: Dynamic) -> RhaiResult {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 0, "a filter", conditions);
    let narrow = narrow(&site, origin, &item);
    site.built(narrow)
}

/// The source with a closure filter or conditions added.
pub(super) fn narrow(site: &Site, origin: &Origin, item: &Item) -> Origin {
    if let Some(pointer) = item.value.read_lock::<FnPtr>() {
        return kept(site, origin, site.row_closure(&pointer, &item.place));
    }
    let mut origin = origin.clone();
    if let Some(more) = filter(site, item) {
        origin.rows.narrow(&mut origin.source, more);
    }
    origin
}

/// With one closure filter.
fn kept(site: &Site, origin: &Origin, keep: Option<Closure>) -> Origin {
    if let (Some(_), Some(second)) = (&origin.rows.keep, &keep) {
        site.report(Diagnostic::new(Id::Exclusive, second.place(), "a second closure filter").hint("join them in one closure: `|p| A && B`"));
    }
    let rows = Rows { keep: keep.or_else(|| origin.rows.keep.clone()), ..origin.rows.clone() };
    Origin { source: origin.source.clone(), rows }
}

fn shown(source: &Source) -> String {
    match source {
        Source::Object(query) => format!("{} {}", query.system, query.object),
        Source::Soql(text) => format!("salesforce {text}"),
        Source::Report(report) => format!("pendo {} report of {} days", report.per, report.days),
        Source::Aggregation { .. } => "pendo aggregation".to_owned(),
        Source::Saved(report) => format!("pendo report `{}`", report.name),
    }
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(super) mod methods {
    /// Narrows a source to the records that pass: labelled conditions with logic, or `#{ Field: value }` for equality. Several filters have to
    /// hold together, those of a rule (`filters`) with them. The system that holds an object applies its conditions; rows of SOQL, reports and
    /// aggregations are looked at when they have been read.
    ///
    /// A condition that could never hold for its field, such as `["Seats__gc", ">", "many"]`, is refused by `check` where types are known, else by
    /// the run. Choices go by their value, their label or their id. A number is compared with a field of text as text: `["Site", "=", 9]` finds
    /// "9" and not "09", and `["Site", ">", 9]` is refused, since text has no size.
    ///
    /// A closure is asked for every record read, after the conditions: `filter(|p| p.lifecycle == "onboarding")`. It gives true or false; null counts
    /// as false. A row for which it fails is rejected with the reason. Of the participants of a journey, what it says first and plainly, text or a
    /// boolean that a field equals, a number that it is above or below, Gainsight is asked for in its query, so that people who cannot pass are not
    /// read at all.
    ///
    /// # Example
    /// ```rhai
    /// let big = salesforce::object("Account").filter(#{ a: ["NumberOfEmployees", ">", 500], b: ["Industry", "in", ["Banking"]], logic: "a or b" });
    /// `${big}` == "salesforce Account"
    /// ```
    #[rhai_fn(name = "filter", return_raw)]
    pub fn filter_source(ctx: NativeCallContext, source: Origin, conditions: Dynamic) -> RhaiResult {
        narrowed(&ctx, &source, conditions)
    }

    /// The same as `filter`, for those who think in SQL.
    ///
    /// # Example
    /// ```rhai
    /// `${salesforce::object("Contact").where(#{ Email: ["Email", "is not null"] })}` == "salesforce Contact"
    /// ```
    #[rhai_fn(name = "where", return_raw)]
    pub fn where_source(ctx: NativeCallContext, source: Origin, conditions: Dynamic) -> RhaiResult {
        narrowed(&ctx, &source, conditions)
    }

    /// Reads at most so many records: the first ones in the order of the source (by id, where it is an object or a report) of those that pass every
    /// filter, wherever `limit` stands among them, the `filters` of a rule included. Of a rule with `customers_only` or groups, it counts what is
    /// read for them.
    ///
    /// # Example
    /// ```rhai
    /// `${gainsight::object("Company").limit(10)}` == "gainsight Company"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn limit(ctx: NativeCallContext, source: Origin, count: i64) -> RhaiResult {
        let site = Site::of(&ctx);
        let mut origin = source;
        match u64::try_from(count) {
            Ok(count) if count > 0 => origin.rows.limit = Some(origin.rows.limit.map_or(count, |earlier| earlier.min(count))),
            _ => site.report(Diagnostic::new(Id::OptionValue, site.place(), "a limit is a positive number")),
        }
        site.built(origin)
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn origin_shown(source: Origin) -> ImmutableString {
        shown(&source.source).into()
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn destination_shown(target: Destination) -> ImmutableString {
        format!("{} {}", target.target.system, target.target.object).into()
    }

    /// Takes a value for itself where bare text would name a field of the source.
    ///
    /// # Example
    /// ```rhai
    /// let fields = #{ Source__c: constant("tabi"), Name: "Name" };
    /// fields.len() == 2
    /// ```
    #[rhai_fn(return_raw)]
    pub fn constant(value: Dynamic) -> Result<Constant, Box<EvalAltResult>> {
        crate::script::api::fields::constant(&value).map_err(|what| format!("a constant cannot be {what}").into())
    }

    /// Names a field of the source where bare text would stand for itself, as in `create_cta`.
    ///
    /// # Example
    /// ```rhai
    /// create_cta(#{ name: "Low usage", reason: field("Risk_Reason__c"), priority: "High" }).kind == "create_cta"
    /// ```
    pub fn field(name: &str) -> FieldName {
        FieldName(name.to_owned())
    }
}
