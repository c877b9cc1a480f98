//! Timeline entries, success plans and milestones as loads.

use jiff::ToSpan;

use crate::{
    flow::{
        Error,
        cell::compute,
        error::FieldProblem,
        load::{Load, Unmatched},
        origin::Origin,
        slots::{self, Missing, Role, Sample, Slot},
        work::Work,
    },
    model::{Date, FieldType, Filter, KeyRule, Lookup, Operator, Record, System, TimeZone, Value, id_of},
    script::{Blank, Cell, Kept, KeptKind, MILESTONES, Mode, Place, Target},
};

use super::{
    action::{Ready, field, map, ready, slot},
    company::COMPANY,
};

/// What stands between the parts of a key.
const BETWEEN: char = '\u{1f}';
/// The external id that is made for a row.
const EXTERNAL: &str = "$external_id";
/// Who comes to a step of a journey.
pub(crate) const PARTICIPANT: &str = "$participant";
/// Where Gainsight's package keeps the names of milestones: its object for choices.
const CHOICES: &str = "JBCXM__Picklist__c";
const OF_MILESTONES: &str = "Milestones";

/// Makes the external id of an entry: of the declaration, the row and the date.
#[derive(Debug, Clone)]
pub(super) struct External {
    of: String,
    date: Cell,
}

impl External {
    /// Sets the id on a row.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn set(&self, row: &mut Record, origin: &Origin, date: Date, zone: &TimeZone) -> Result<(), String> {
        let own = row.get(PARTICIPANT).filter(|key| !key.is_blank()).cloned().or_else(|| origin.own(row));
        let Some(own) = own else {
            return Err("nothing identifies the row, so that its entry could not be known again; give an `external_id`".to_owned());
        };
        let day = compute(&self.date, row, date).map_err(|fault| fault.to_string())?;
        let day = FieldType::Date.fit(&day, zone).map_err(|misfit| format!("`date`: {misfit}"))?;
        if day.is_blank() {
            return Err("`date` gives nothing for this row".to_owned());
        }
        // Keys of several parts have a control character between them.
        let own = own.to_string();
        let own = own.trim_end_matches(BETWEEN).replace(BETWEEN, "|");
        row.set(EXTERNAL, Value::text(format!("{}|{own}|{day}", self.of)));
        Ok(())
    }
}

pub(super) fn prepare(work: &mut Work<'_>, kept: &Kept, place: &Place, sample: &Sample<'_>) -> Result<Ready, Error> {
    match kept.kind {
        KeptKind::Timeline => Ok(timeline(work, kept, place)),
        KeptKind::SuccessPlan => Ok(success_plan(work, kept, place)),
        KeptKind::Milestone => milestone(work, kept, place, sample),
    }
}

/// One entry for each external id. Who wrote it and what it hangs on stay as they are.
fn timeline(work: &Work<'_>, kept: &Kept, place: &Place) -> Ready {
    let of = |name: &str, option: &str, max: u32, role: Role| kept.cell(option).map(|from| typed(name, from, FieldType::Text { max }, role, place));
    let own = Cell::Field(EXTERNAL.to_owned());
    let given = kept.cell("external_id");
    let key = typed("ExternalId", given.unwrap_or(&own), FieldType::Text { max: 255 }, Role::Compare, place);
    let mut fields = vec![typed("GsCompanyId", &Cell::Field(COMPANY.to_owned()), FieldType::Text { max: 36 }, Role::Insert, place)];
    fields.extend(of("ContextName", "context", 40, Role::Insert));
    fields.extend(of("ContextId", "context_id", 36, Role::Insert));
    fields.extend(of("Author", "author", 255, Role::Insert));
    fields.extend(of("TypeName", "type", 80, Role::Compare));
    fields.extend(of("Subject", "subject", 255, Role::Compare));
    fields.extend(of("Notes", "notes", 131_072, Role::Compare));
    fields.extend(kept.cell("date").map(|from| typed("ActivityDate", from, FieldType::DateTime { millis: true }, Role::Compare, place)));
    let to = Target { system: System::Gainsight, object: "activity_timeline".to_owned() };
    let keys = vec![Slot { rule: KeyRule::Exact, ..key }];
    let needed: &[&str] = &["ContextName", "Author", "TypeName", "Subject", "Notes", "ActivityDate"];
    let load = Load::new(to, keys, fields, Mode::Upsert, Blank::Skip, Unmatched::Reject).requires(needed);
    let tag = kept.tag.as_ref().map(|tag| format!("/{tag}")).unwrap_or_default();
    let date = kept.cell("date").cloned().unwrap_or(Cell::RuleDate(crate::script::RuleDate::default()));
    let external = given.is_none().then(|| External { of: format!("tabi|{}{tag}", work.name), date });
    ready(load, true, None).known_by(external)
}

/// An open plan of the same company, type and name is updated rather than doubled.
fn success_plan(work: &Work<'_>, kept: &Kept, place: &Place) -> Ready {
    let of = |name: &str, option: &str, role: Role| kept.cell(option).map(|from| Slot { place: place.clone(), ..slot(name, from, role) });
    let company = Slot { place: place.clone(), ..slot("CompanyId", &Cell::Field(COMPANY.to_owned()), Role::Compare) };
    let keys = std::iter::once(company).chain(of("type", "type", Role::Compare)).chain(of("Name", "name", Role::Compare)).collect();
    let mut fields: Vec<Slot> = of("OwnerEmail", "owner_email", Role::Compare).into_iter().collect();
    // A plan is the owner's once it is made: its status, its template, its date.
    fields.extend(of("status", "status", Role::Insert));
    fields.extend(of("Templates", "template", Role::Insert));
    let due = Cell::Constant(Value::Date(work.date.saturating_add(i64::from(kept.due_in_days).days())));
    fields.push(typed("DueDate", &due, FieldType::Date, Role::Insert, place));
    let to = Target { system: System::Gainsight, object: "cta_group".to_owned() };
    let open = vec![("status".to_owned(), Operator::NotEqual, Value::text("Closed"))];
    let load = Load::new(to, keys, fields, Mode::Upsert, Blank::Skip, Unmatched::Reject).within(open).requires(&["OwnerEmail"]);
    ready(load, true, None)
}

/// One row of the package's object for each account, milestone and date.
fn milestone(work: &mut Work<'_>, kept: &Kept, place: &Place, sample: &Sample<'_>) -> Result<Ready, Error> {
    let to = Target { system: System::Salesforce, object: MILESTONES.to_owned() };
    let schema = work.describe(to.system, &to.object)?;
    let id = Cell::Constant(id_of_milestone(work, kept, place)?);
    let from = |option: &str| kept.cell(option).cloned();
    let keys = [("JBCXM__Account__c", from("account")), ("JBCXM__Milestone__c", Some(id)), ("JBCXM__Date__c", from("date"))];
    let keys: Vec<_> = keys.into_iter().filter_map(|(name, from)| Some(map(name, from?, place))).collect();
    let fields: Vec<_> = from("comments").map(|from| map("JBCXM__Comment__c", from, place)).into_iter().collect();
    let keys = slots::find(work, &schema, &to, &keys, Missing::Key, sample)?;
    let fields = slots::find(work, &schema, &to, &fields, Missing::Declared, sample)?;
    Ok(ready(Load::new(to, keys, fields, Mode::Upsert, Blank::Skip, Unmatched::Reject).checked(&schema)?, false, None))
}

/// The record of the package that a milestone's name stands for.
fn id_of_milestone(work: &Work<'_>, kept: &Kept, place: &Place) -> Result<Value, Error> {
    let name = match kept.cell("milestone") {
        Some(Cell::Constant(name)) => name.clone(),
        _ => Value::Null,
    };
    // A back-test looks at no target: rows are told with the name.
    if work.on_sample {
        return Ok(name);
    }
    let of_milestones = ("JBCXM__Category__c".to_owned(), Operator::Equal, Value::text(OF_MILESTONES));
    let found = work.lookup(Lookup {
        system: System::Salesforce,
        object: CHOICES.to_owned(),
        by: "Name".to_owned(),
        keys: vec![name.clone()],
        fields: vec!["Id".to_owned()],
        filter: Some(Filter::all(vec![of_milestones])),
    })?;
    let reason = match found.as_slice() {
        [one] => return Ok(id_of(System::Salesforce, CHOICES, one).map(Value::text).unwrap_or_default()),
        [] => format!("there is no milestone `{name}`: {CHOICES} has no record of that name in the category {OF_MILESTONES}"),
        many => format!("{} records of {CHOICES} in the category {OF_MILESTONES} are named `{name}`; it has to be one", many.len()),
    };
    let (object, field) = (MILESTONES.to_owned(), "JBCXM__Milestone__c".to_owned());
    Err(Error::Fields(vec![FieldProblem { system: System::Salesforce, object, field, place: place.clone(), reason }]))
}

fn typed(name: &str, from: &Cell, kind: FieldType, role: Role, place: &Place) -> Slot {
    Slot { field: field(name, kind), place: place.clone(), ..slot(name, from, role) }
}
