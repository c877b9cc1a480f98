//! A rule's actions as loads: which target, which keys, which fields.

use jiff::ToSpan;

use crate::{
    flow::{
        Error, Rejection,
        cell::compute,
        error::FieldProblem,
        load::{self, Load, Unmatched},
        origin::Origin,
        slots::{self, Missing, Role, Sample, Slot},
        work::Work,
    },
    model::{Bounds, Choices, Date, Fault, FaultKind, Field, FieldType, KeyRule, Operator, Record, System, TimeZone, Value, is_called},
    script::{
        Action, ActionKind, Blank, Cell, CtaAction, DeclaredField, FieldMap, MeasureDecl, Mode, ObjectLoad, Place, RuleScore, SCORES, Target, USAGE,
        UsageLoad, to_declare,
    },
};

use super::{company::COMPANY, kept::External};

/// The date of a usage row whose date is not one for all rows.
const DATE: &str = "$date";

/// An action whose target fields have been found.
#[derive(Debug)]
pub(crate) struct Ready {
    load: Load,
    /// Only rows of Gainsight customers can be loaded.
    company: bool,
    /// Where the script asks for the action.
    place: Place,
    /// What the source calls its rows.
    origin: Origin,
    /// Computes `$date` for every row.
    date: Option<(Cell, Option<String>)>,
    /// Makes the external id of every row.
    external: Option<External>,
}

impl Ready {
    /// With the external ids that it makes for its rows.
    pub(super) fn known_by(self, external: Option<External>) -> Self {
        Self { external, ..self }
    }
}

impl Ready {
    /// Null of these source fields is what the rule says: it empties what holds an earlier number.
    pub(super) fn saying(self, said: impl Fn(&str) -> bool) -> Self {
        Self { load: self.load.saying(said), ..self }
    }
}

/// `origin` tells what rows are called in rejections.
pub(crate) fn prepare(work: &mut Work<'_>, action: &Action, sample: &Sample<'_>, origin: &Origin) -> Result<Ready, Error> {
    let ready = match &action.kind {
        ActionKind::Usage(usage) => match &usage.into {
            Some(object) => usage_in_gainsight(work, usage, object, &action.place, sample),
            None => usage_in_salesforce(work, usage, &action.place, sample),
        },
        ActionKind::Object(load) => object(work, load, sample),
        ActionKind::Score(score) => self::score(work, score, &action.place, sample),
        ActionKind::Cta(cta) => Ok(self::cta(work, cta, &action.place)),
        ActionKind::Kept(kept) => super::kept::prepare(work, kept, &action.place, sample),
    };
    let ready = ready.map_err(|error| with_definition(error, action))?;
    let load = ready.load.reading(sample.source).named(origin.clone());
    Ok(Ready { load, place: action.place.clone(), origin: origin.clone(), ..ready })
}

/// An object that the tenant does not have is told with what it is, and how to get it.
fn with_definition(error: Error, action: &Action) -> Error {
    match (error, to_declare(action)) {
        (Error::Fault(fault), Some(how)) if fault.kind == FaultKind::NotFound => {
            let message = format!("{} ({}): {how}", fault.message, action.place);
            Error::Fault(Fault { message, ..fault })
        }
        (error, _) => error,
    }
}

pub(crate) fn take_rows(work: &mut Work<'_>, ready: &mut Ready, rows: Vec<Record>) -> Result<(), Error> {
    let mut chosen = Vec::with_capacity(rows.len());
    for row in rows {
        match fit(ready, row, work.date, work.zone) {
            Ok(row) => chosen.push(row),
            Err(rejection) => work.reject(rejection),
        }
    }
    take_fitted(work, ready, &chosen)
}

/// A row as the action takes it, or why it does not.
#[allow(clippy::result_large_err, reason = "a rejected row is rare, and told at once")]
pub(super) fn fit(ready: &Ready, mut row: Record, date: Date, zone: &TimeZone) -> Result<Record, Rejection> {
    let reason = match row.get(COMPANY).filter(|company| !company.is_blank()) {
        _ if !ready.company => None,
        None => Some("is not a Gainsight customer: no company has this account's id".to_owned()),
        Some(Value::List(all)) => {
            let ids: Vec<String> = all.iter().map(ToString::to_string).collect();
            Some(format!("{} companies of Gainsight have this account's id ({}); it has to be one", ids.len(), ids.join(", ")))
        }
        Some(_) => None,
    };
    if let Some(reason) = reason {
        let key = ready.origin.of_row(&row);
        return Err(Rejection { source: Some(key.clone()), key, reason, place: Some(ready.place.to_string()), ..Rejection::default() });
    }
    if let Some((cell, keep)) = &ready.date {
        let date = compute(cell, &row, date).map(|value| FieldType::Date.fit(&value, zone).unwrap_or(value)).unwrap_or_default();
        row.set(DATE, kept(date, keep.as_deref()));
    }
    if let Some(external) = &ready.external
        && let Err(reason) = external.set(&mut row, &ready.origin, date, zone)
    {
        let key = ready.origin.of_row(&row);
        return Err(Rejection { source: Some(key.clone()), key, reason, place: Some(ready.place.to_string()), ..Rejection::default() });
    }
    Ok(row)
}

/// The key of a row that fits.
#[allow(clippy::result_large_err, reason = "a rejected row is rare, and told at once")]
pub(super) fn key(ready: &Ready, row: &Record, date: Date, zone: &TimeZone) -> Result<load::Key, Rejection> {
    load::key(&ready.load, row, date, zone).map_err(Rejection::from)
}

/// Takes rows that fit.
pub(super) fn take_fitted(work: &mut Work<'_>, ready: &mut Ready, rows: &[Record]) -> Result<(), Error> {
    load::take_rows(work, &mut ready.load, rows)
}

/// Rows that come now are no doubles of those that came before.
pub(super) fn begin_again(ready: &mut Ready) {
    ready.load.begin_again();
}

pub(crate) fn finish(work: &mut Work<'_>, ready: &mut Ready) -> Result<(), Error> {
    load::finish(work, &mut ready.load)
}

/// Load to Usage in the Salesforce package: one row per account, level, instance and date, one column per measure.
fn usage_in_salesforce(work: &mut Work<'_>, usage: &UsageLoad, place: &Place, sample: &Sample<'_>) -> Result<Ready, Error> {
    let to = Target { system: System::Salesforce, object: USAGE.to_owned() };
    let schema = work.describe(to.system, &to.object)?;
    let (date, computed) = date_cell(work, usage);
    let mut keys = vec![
        map("JBCXM__Account__c", usage.account.clone(), place),
        map("Name", Cell::Constant(Value::text(&usage.level)), place),
        map("JBCXM__Date__c", date, place),
    ];
    keys.extend(usage.instance_id.iter().map(|cell| map("JBCXM__InstanceId__c", cell.clone(), place)));
    let mut fields: Vec<FieldMap> = usage.measures.iter().map(|measure| measure_map(usage, measure, &schema.fields)).collect();
    fields.extend(usage.instance_name.iter().map(|cell| map("JBCXM__InstanceName__c", cell.clone(), place)));
    let keys = slots::find(work, &schema, &to, &keys, Missing::Key, sample)?;
    let fields = slots::find(work, &schema, &to, &fields, Missing::All, sample)?;
    Ok(ready(Load::new(to, keys, fields, Mode::Upsert, usage.blank, Unmatched::Reject).checked(&schema)?, false, computed))
}

/// Load to Usage in a Gainsight object with the fields `CompanyId__gc`, `Level__gc`, `Date__gc`; measures are found by label or name.
fn usage_in_gainsight(work: &mut Work<'_>, usage: &UsageLoad, object: &str, place: &Place, sample: &Sample<'_>) -> Result<Ready, Error> {
    let to = Target { system: System::Gainsight, object: object.to_owned() };
    let schema = work.describe(to.system, &to.object)?;
    let (date, computed) = date_cell(work, usage);
    let keys = [
        map("CompanyId__gc", Cell::Field(COMPANY.to_owned()), place),
        map("Level__gc", Cell::Constant(Value::text(&usage.level)), place),
        map("Date__gc", date, place),
    ];
    let of_measure = |measure: &FieldMap| {
        let measure = in_its_column(usage, measure);
        labelled(&measure, &schema.fields).unwrap_or(measure)
    };
    let fields: Vec<FieldMap> = usage.measures.iter().map(of_measure).collect();
    let keys = slots::find(work, &schema, &to, &keys, Missing::Key, sample)?;
    let fields = slots::find(work, &schema, &to, &fields, Missing::Declared, sample)?;
    Ok(ready(Load::new(to, keys, fields, Mode::Upsert, usage.blank, Unmatched::Reject).checked(&schema)?, true, computed))
}

/// A date that is one for all rows stays a constant, so that the lookup asks for that day only; another is computed per row.
fn date_cell(work: &Work<'_>, usage: &UsageLoad) -> (Cell, Option<(Cell, Option<String>)>) {
    match &usage.date {
        Cell::RuleDate(_) | Cell::Constant(_) => {
            let date = compute(&usage.date, &Record::new(), work.date).unwrap_or_default();
            (Cell::Constant(kept(date, usage.keep.as_deref())), None)
        }
        other => (Cell::Field(DATE.to_owned()), Some((other.clone(), usage.keep.clone()))),
    }
}

/// The day that stands for the date's week (its Monday) or month (its first).
fn kept(date: Value, keep: Option<&str>) -> Value {
    match (date, keep) {
        (Value::Date(day), Some("week" | "weekly")) => Value::Date(monday(day)),
        (Value::Date(day), Some("month" | "monthly")) => Value::Date(day.first_of_month()),
        (other, _) => other,
    }
}

fn monday(day: Date) -> Date {
    day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
}

/// A measure under the name of the column that its group gives it.
fn in_its_column(usage: &UsageLoad, measure: &FieldMap) -> FieldMap {
    let column = usage.declared(&measure.target).and_then(|declared| declared.column.as_deref());
    FieldMap { target: column.map_or_else(|| measure.target.clone(), Into::into), ..measure.clone() }
}

/// The column of a measure: the one that its group gives it, else the one labelled so, else a new one named after it (A9).
fn measure_map(usage: &UsageLoad, measure: &FieldMap, fields: &[Field]) -> FieldMap {
    let group = usage.declared(&measure.target);
    let (of_load, of_group) = (measure.declared.as_ref(), group.and_then(|group| group.kind.clone()));
    // What the script says of the type holds for a column that is there, too.
    let said = of_load.and_then(|declared| declared.kind.clone()).or(of_group);
    let label = of_load.and_then(|declared| declared.label.clone()).unwrap_or_else(|| measure.target.to_string());
    let description = group.map(|group| format!("Gainsight measure of the group {}", group.group));
    let of_kind = |kind| DeclaredField { kind: Some(kind), label: Some(label.clone()), description: description.clone() };
    let given = in_its_column(usage, measure);
    if let Some(there) = labelled(&given, fields) {
        return FieldMap { declared: said.map(of_kind), ..there };
    }
    let target = if group.is_some_and(|group| group.column.is_some()) { given.target } else { MeasureDecl::column_of(&measure.target).into() };
    FieldMap { target, declared: Some(of_kind(said.unwrap_or(FieldType::Number { digits: 18, scale: 2 }))), ..measure.clone() }
}

fn labelled(measure: &FieldMap, fields: &[Field]) -> Option<FieldMap> {
    let found = fields.iter().find(|field| is_called(&field.name, &field.label, &measure.target))?;
    Some(FieldMap { target: found.name.as_str().into(), ..measure.clone() })
}

/// Load to SFDC, to a Gainsight object, Company or People.
fn object(work: &mut Work<'_>, load: &ObjectLoad, sample: &Sample<'_>) -> Result<Ready, Error> {
    let schema = work.describe(load.to.system, &load.to.object)?;
    let identifies = |map: &&FieldMap| load.identifiers.iter().any(|name| name.eq_ignore_ascii_case(&map.target));
    let keys: Vec<FieldMap> = load.fields.iter().filter(identifies).cloned().collect();
    let fields: Vec<FieldMap> = load.fields.iter().filter(|map| !identifies(map)).cloned().collect();
    if keys.len() != load.identifiers.len() || keys.is_empty() {
        let unmapped: Vec<&String> = load.identifiers.iter().filter(|name| !keys.iter().any(|map| map.target.eq_ignore_ascii_case(name))).collect();
        let problem = |name: &str, reason: &str| FieldProblem {
            system: load.to.system,
            object: load.to.object.clone(),
            field: name.to_owned(),
            place: load.fields.first().map(|map| map.place.clone()).unwrap_or_default(),
            reason: reason.to_owned(),
        };
        let problems = match unmapped.as_slice() {
            [] => vec![problem("", "no identifiers: name the fields that identify a row")],
            names => names.iter().map(|name| problem(name, "is an identifier but no field maps to it")).collect(),
        };
        return Err(Error::Fields(problems));
    }
    let keys = slots::find(work, &schema, &load.to, &keys, Missing::Key, sample)?;
    let fields = slots::find(work, &schema, &load.to, &fields, Missing::Declared, sample)?;
    Ok(ready(Load::new(load.to.clone(), keys, fields, load.operation, load.blank, Unmatched::Reject).checked(&schema)?, false, None))
}

/// Set Score (A16): one row per company and measure; its date moves only with its score, and without a score there is nothing to set.
fn score(work: &mut Work<'_>, score: &RuleScore, place: &Place, sample: &Sample<'_>) -> Result<Ready, Error> {
    let to = Target { system: System::Gainsight, object: score.into.as_deref().unwrap_or(SCORES).to_owned() };
    let schema = work.describe(to.system, &to.object)?;
    let keys = [map("CompanyId__gc", Cell::Field(COMPANY.to_owned()), place), map("Measure__gc", Cell::Constant(Value::text(&score.measure)), place)];
    let mut fields = vec![map("Score__gc", score.score.clone(), place)];
    fields.extend(score.comments.iter().map(|cell| map("Comments__gc", cell.clone(), place)));
    fields.push(map("Date__gc", Cell::RuleDate(crate::script::RuleDate::default()), place));
    let keys = slots::find(work, &schema, &to, &keys, Missing::Key, sample)?;
    let mut fields = slots::find(work, &schema, &to, &fields, Missing::Declared, sample)?;
    if let Some(score) = fields.first_mut() {
        score.bounds = Some(Bounds::SCORE);
    }
    if let Some(date) = fields.last_mut() {
        date.role = Role::Along;
    }
    let load = Load::new(to, keys, fields, Mode::Upsert, score.blank, Unmatched::Reject).about("Score__gc");
    Ok(ready(load.checked(&schema)?, true, None))
}

/// Create CTA (A16): an open one of the same company, type and reason is updated rather than doubled.
fn cta(work: &Work<'_>, cta: &CtaAction, place: &Place) -> Ready {
    let slot = |name: &str, from: &Cell, role: Role| Slot { place: place.clone(), ..slot(name, from, role) };
    let to = Target { system: System::Gainsight, object: "call_to_action".to_owned() };
    let due = work.date.saturating_add(i64::from(cta.due_in_days).days());
    let keys = vec![
        slot("CompanyId", &Cell::Field(COMPANY.to_owned()), Role::Compare),
        slot("type", &cta.cta_type, Role::Compare),
        slot("reason", &cta.reason, Role::Compare),
    ];
    // Gainsight's own spelling, so that what was written compares equal when it is read again.
    let priorities = FieldType::Picklist(Choices { restricted: false, ..Choices::only(["High", "Medium", "Low"]) });
    let priority = Slot { field: field("priority", priorities), ..slot("priority", &cta.priority, Role::Compare) };
    let mut fields = vec![slot("Name", &cta.name, Role::Compare), priority];
    fields.extend(cta.comments.iter().map(|cell| slot("Comments", cell, Role::Compare)));
    fields.extend(cta.owner_email.iter().map(|cell| slot("OwnerEmail", cell, Role::Compare)));
    fields.extend(cta.status.iter().map(|cell| slot("status", cell, Role::Insert)));
    // The vendor applies a playbook only to a call to action that had none, and dates are the owner's once it is made.
    fields.extend(cta.playbook.iter().map(|cell| slot("playbook", cell, Role::Insert)));
    fields.push(Slot { field: field("DueDate", FieldType::Date), ..slot("DueDate", &Cell::Constant(Value::Date(due)), Role::Insert) });
    let open = vec![("IsClosed".to_owned(), Operator::Equal, Value::Bool(false))];
    let load = Load::new(to, keys, fields, Mode::Upsert, Blank::Skip, Unmatched::Reject).within(open).requires(&["Name"]);
    ready(load, true, None)
}

pub(super) fn ready(load: Load, company: bool, date: Option<(Cell, Option<String>)>) -> Ready {
    Ready { load, company, date, external: None, place: Place::default(), origin: Origin::default() }
}

pub(super) fn slot(name: &str, from: &Cell, role: Role) -> Slot {
    let field = field(name, FieldType::Text { max: 4_000 });
    Slot { field, from: from.clone(), fresh: false, role, place: Place::default(), rule: KeyRule::Folded, bounds: None }
}

pub(super) fn field(name: &str, kind: FieldType) -> Field {
    Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    }
}

pub(super) fn map(target: &str, from: Cell, place: &Place) -> FieldMap {
    FieldMap { target: target.into(), from, declared: None, place: place.clone() }
}
