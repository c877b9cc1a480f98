//! Fields and types of declarations, against what the systems describe.

use std::collections::HashSet;

use crate::model::{Condition, Field, FieldType, Filter, Measure, ObjectSchema, Record, Report, Source, System, TimeZone, is_date_word};
use crate::script::{
    Closure, Journey, Participants, Rows, Templates,
    declaration::{ActionKind, Body, Cell, Cursor, Declaration, EVERY_ROW, FieldMap, Integration, Mapping, Mode, ObjectLoad, Place, Rule},
    diagnostics::{Diagnostic, Id},
};

/// Every unknown field and every type that cannot fit, as far as `lookup` knows the objects.
///
/// Not findings, because a run creates them (A1): missing `Pendo_` fields of a push, fields with a declared type, and Pendo metadata; nor is
/// it one to read what another declaration creates.
pub fn check_against(declarations: &[&Declaration], lookup: impl Fn(System, &str) -> Option<ObjectSchema>) -> Vec<Diagnostic> {
    let mut check = Check { lookup: &lookup, made: declarations.iter().flat_map(|declaration| made(declaration)).collect(), found: Vec::new() };
    for declaration in declarations {
        match &declaration.body {
            Body::Integration(integration) => check.integration(integration),
            Body::Mapping(mapping) => check.mapping(declaration, mapping),
            Body::Rule(rule) => check.rule(declaration, rule),
            Body::Journey(journey) => check.journey(declaration, journey),
            Body::Segment(_) => (),
        }
    }
    check.found
}

/// Every field that a journey's mails use and nothing gives them, where the fields of its people are known.
pub fn check_mails(declaration: &Declaration, templates: &Templates, lookup: impl Fn(System, &str) -> Option<ObjectSchema>) -> Vec<Diagnostic> {
    let Body::Journey(journey) = &declaration.body else { return Vec::new() };
    let check = Check { lookup: &lookup, made: HashSet::new(), found: Vec::new() };
    check.of_people(journey).map(|names| super::journeys::mails(declaration, journey, &names, templates)).unwrap_or_default()
}

/// System, object and field.
type Made<'d> = (System, &'d str, &'d str);

fn made(declaration: &Declaration) -> Vec<Made<'_>> {
    fn declared<'d>((system, object): (System, &'d str), maps: &'d [FieldMap]) -> impl Iterator<Item = Made<'d>> {
        maps.iter().filter(|map| has_type(map)).map(move |map| (system, object, map.target.as_str()))
    }
    match &declaration.body {
        Body::Integration(one) => {
            one.push.iter().flat_map(|push| &push.fields).map(|map| (System::Salesforce, one.object.as_str(), map.target.as_str())).collect()
        }
        Body::Mapping(one) => declared((one.to.system, &one.to.object), &one.fields).collect(),
        Body::Rule(one) => {
            let loads = one.actions.iter().filter_map(|action| if let ActionKind::Object(load) = &action.kind { Some(load) } else { None });
            loads.flat_map(|load| declared((load.to.system, &load.to.object), &load.fields)).collect()
        }
        Body::Segment(_) | Body::Journey(_) => Vec::new(),
    }
}

/// Whether the script says what the field is, so that it is made where it is missing.
fn has_type(map: &FieldMap) -> bool {
    map.declared.as_ref().is_some_and(|declared| declared.kind.is_some())
}

struct Check<'l> {
    lookup: &'l dyn Fn(System, &str) -> Option<ObjectSchema>,
    /// Fields that runs of the declarations create where they are missing.
    made: HashSet<Made<'l>>,
    found: Vec<Diagnostic>,
}

/// The source side: types by field, where they are known.
enum Side {
    Schema(ObjectSchema),
    Report(Report),
    Unknown,
}

impl Check<'_> {
    fn side(&self, source: &Source) -> Side {
        match source {
            Source::Object(query) => (self.lookup)(query.system, &query.object).map_or(Side::Unknown, Side::Schema),
            Source::Report(report) => Side::Report(report.clone()),
            Source::Soql(_) | Source::Aggregation { .. } | Source::Saved(_) => Side::Unknown,
        }
    }

    fn integration(&mut self, integration: &Integration) {
        let Some(schema) = (self.lookup)(System::Salesforce, &integration.object) else { return };
        let key = |field: &str| Cell::Field(field.to_owned());
        let place = &integration.key_place;
        if integration.push.is_empty() {
            self.known(&schema, &integration.salesforce_key, place);
        }
        if let (false, Some(pendo)) = (integration.pull.is_empty(), (self.lookup)(System::Pendo, &integration.per)) {
            let side = Side::Schema(schema.clone());
            self.key(&side, &pendo, (&integration.pendo_key, &key(&integration.salesforce_key)), place);
        }
        for (at, push) in integration.push.iter().enumerate() {
            let side = self.side(&push.report);
            if at == 0 {
                self.key(&side, &schema, (&integration.salesforce_key, &key(&integration.pendo_key)), place);
            }
            for map in &push.fields {
                // A field outside Pendo_ is refused already.
                if let Some(field) = schema.field(&map.target) {
                    self.writable(field, Mode::Update, &map.place, &schema.name);
                    self.fits(&side, map, field);
                }
            }
        }
        for pull in &integration.pull {
            self.known(&schema, &pull.field, &pull.place);
        }
    }

    fn mapping(&mut self, declaration: &Declaration, mapping: &Mapping) {
        let side = self.side(&mapping.from);
        for map in mapping.match_on.iter().chain(&mapping.fields) {
            self.read(&side, &map.from, &map.place);
        }
        self.filter(&side, (&mapping.from, &mapping.rows), &declaration.place);
        if let (Side::Schema(schema), Some(cursor)) = (&side, &mapping.cursor) {
            self.cursor(schema, cursor);
        }
        let Some(schema) = (self.lookup)(mapping.to.system, &mapping.to.object) else { return };
        for map in &mapping.match_on {
            self.key(&side, &schema, (&map.target, &map.from), &map.place);
        }
        let keys: Vec<&str> = mapping.match_on.iter().map(|map| map.target.as_str()).collect();
        self.targets(&side, &schema, &mapping.fields, (&keys, mapping.mode));
    }

    /// A change field has to be a date-time.
    fn cursor(&mut self, schema: &ObjectSchema, cursor: &Cursor) {
        self.known(schema, &cursor.field, &cursor.place);
        let kind = schema.field(&cursor.field).map(|field| &field.kind);
        if let Some(kind) = kind.filter(|kind| !matches!(kind, FieldType::DateTime { .. } | FieldType::Other { .. })) {
            let message = format!("`{}` of {} is {}, and a cursor needs a date-time", cursor.field, schema.name, kind.word());
            let hint = "use the field that the system sets at each change, such as SystemModstamp or ModifiedDate";
            self.found.push(Diagnostic::new(Id::TypeMismatch, &cursor.place, message).hint(hint));
        }
    }

    fn rule(&mut self, declaration: &Declaration, rule: &Rule) {
        let side = self.side(&rule.from);
        let place = &declaration.place;
        self.filter(&side, (&rule.from, &rule.rows), place);
        self.aggregates(&side, rule, place);
        if let Side::Schema(schema) = &side {
            let calculated = rule.calculated.iter().flat_map(|c| [Some(c.field.as_str()), c.window.as_ref().map(|(date, _)| date.as_str())]);
            let plain = rule.show.iter().chain(&rule.group_by).map(String::as_str);
            let fields: Vec<&str> =
                plain.chain(calculated.flatten()).filter(|f| *f != EVERY_ROW && !rule.calculated.iter().any(|c| c.name == **f)).collect();
            for field in fields {
                self.known(schema, field, place);
            }
        }
        match (&side, &rule.filters) {
            (Side::Schema(schema), Some(filter)) => self.conditions(schema, filter, place),
            (_, Some(filter)) => {
                for condition in &filter.conditions {
                    self.comparison(condition, source_type(&side, &condition.field).as_ref(), place);
                }
            }
            (_, None) => (),
        }
        for action in &rule.actions {
            match &action.kind {
                ActionKind::Object(load) => self.load(&side, rule, load),
                ActionKind::Usage(_) | ActionKind::Score(_) | ActionKind::Cta(_) | ActionKind::Kept(_) => (),
            }
        }
    }

    /// Sums of what are no numbers.
    fn aggregates(&mut self, side: &Side, rule: &Rule, place: &Place) {
        for aggregate in &rule.calculated {
            if let Some(reason) = source_type(side, &aggregate.field).and_then(|kind| aggregate.refuses(&kind)) {
                let finding = Diagnostic::new(Id::TypeMismatch, place, reason).about(&aggregate.field);
                self.found.push(finding.hint("`count` or `count_distinct` it, or calculate with a field of numbers"));
            }
        }
    }

    fn journey(&mut self, declaration: &Declaration, journey: &Journey) {
        let Participants::Source { source, rows, .. } = &journey.participants else { return };
        let side = self.side(source);
        // What the closure reads goes by the one spelling, as everything about people does.
        self.filter(&side, (source, &Rows { keep: None, ..rows.clone() }), &declaration.place);
        if let Some(names) = self.of_people(journey) {
            self.found.extend(super::journeys::fields(journey, &names, &declaration.place));
        }
    }

    /// The fields that a journey's source gives, where they are known. People of Gainsight are known with their company's fields, too.
    fn of_people(&self, journey: &Journey) -> Option<Vec<String>> {
        let source = match &journey.participants {
            Participants::Source { source, .. } => source,
            Participants::List(people) if people.is_empty() => return None,
            Participants::List(people) => return Some(people.iter().flat_map(Record::iter).map(|(name, _)| name.to_string()).collect()),
        };
        let Side::Schema(schema) = self.side(source) else { return None };
        let company = (schema.system == System::Gainsight && schema.name == "Person").then(|| (self.lookup)(System::Gainsight, "Company"));
        // Without the company's fields nothing can be told about a person's; metadata of Pendo may have any name.
        if schema.system == System::Pendo || company == Some(None) {
            return None;
        }
        let of_company = company.flatten().map(|company| company.fields).unwrap_or_default();
        let names = schema.fields.iter().chain(&of_company).map(|field| field.name.clone()).chain(IN_COMPANY.map(ToOwned::to_owned));
        let made = self.made.iter().filter(|(system, object, _)| (*system, *object) == (schema.system, schema.name.as_str()));
        Some(names.chain(schema.fields.iter().filter_map(relation)).chain(made.map(|(.., field)| (*field).to_owned())).collect())
    }

    fn load(&mut self, side: &Side, rule: &Rule, load: &ObjectLoad) {
        let Some(schema) = (self.lookup)(load.to.system, &load.to.object) else { return };
        let grouped = !rule.group_by.is_empty() || !rule.calculated.is_empty();
        let side = if grouped { &Side::Unknown } else { side };
        let keys: Vec<&str> = load.identifiers.iter().map(String::as_str).collect();
        self.targets(side, &schema, &load.fields, (&keys, load.operation));
    }

    fn targets(&mut self, side: &Side, schema: &ObjectSchema, fields: &[FieldMap], (keys, mode): (&[&str], Mode)) {
        for map in fields {
            match schema.field(&map.target) {
                Some(field) => {
                    if !keys.contains(&map.target.as_str()) {
                        self.writable(field, mode, &map.place, &schema.name);
                    }
                    self.fits(side, map, field);
                }
                None if has_type(map) || schema.system == System::Pendo => (),
                None => self.known(schema, &map.target, &map.place),
            }
        }
    }

    /// A field that identifies rows of the target: it is there, and can hold what it is compared with. In the words of a run.
    fn key(&mut self, side: &Side, schema: &ObjectSchema, (target, from): (&str, &Cell), place: &Place) {
        let Some(field) = schema.field(target) else {
            if schema.system == System::Pendo {
                let message = format!("pendo {} has no field `{target}`, which identifies the row", schema.name);
                let names = schema.fields.iter().map(|field| field.name.as_str());
                self.found.push(
                    Diagnostic::new(Id::UnknownField, place, message)
                        .about(target)
                        .meant(target, names, || Some(format!("{} lists its fields", describe(schema)))),
                );
            } else {
                self.known(schema, target, place);
            }
            return;
        };
        let given = match from {
            Cell::Field(name) => source_type(side, name),
            Cell::RuleDate(_) => Some(FieldType::Date),
            Cell::Constant(_) | Cell::Compute(_) => None,
        };
        if let Some(clash) = given.and_then(|kind| field.kind.clash("is given", &kind)) {
            let message = format!("{} {}.{target} {clash}", schema.system, schema.name);
            self.found.push(Diagnostic::new(Id::TypeMismatch, place, message).hint("match by fields that hold the same kind of key"));
        }
    }

    /// A field that has to exist. Only the first step of a path is known here.
    fn known(&mut self, schema: &ObjectSchema, name: &str, place: &Place) {
        let made = || self.made.contains(&(schema.system, schema.name.as_str(), name));
        if schema.field(name).is_some() || name.contains('.') || schema.system == System::Pendo || made() {
            return;
        }
        let here = self.made.iter().filter(|(system, object, _)| (*system, *object) == (schema.system, schema.name.as_str()));
        let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).chain(here.map(|(.., field)| *field)).collect();
        let message = format!("{} {} has no field `{name}`", schema.system, schema.name);
        let finding = Diagnostic::new(Id::UnknownField, place, message).about(name);
        self.found.push(finding.meant(name, names, || Some(format!("{} lists its fields", describe(schema)))));
    }

    fn read(&mut self, side: &Side, cell: &Cell, place: &Place) {
        let Side::Schema(schema) = side else { return };
        match cell {
            Cell::Field(name) => self.known(schema, name, place),
            Cell::Compute(closure) => self.closure(schema, closure),
            Cell::Constant(_) | Cell::RuleDate(_) => (),
        }
    }

    fn closure(&mut self, schema: &ObjectSchema, closure: &Closure) {
        for (name, place) in closure.read_places() {
            let relation = schema.fields.iter().any(|field| matches!(field.kind, FieldType::Reference { .. }) && is_relation(field, name));
            if !relation {
                self.known(schema, name, place);
            }
        }
    }

    fn filter(&mut self, side: &Side, (source, rows): (&Source, &Rows), place: &Place) {
        for condition in rows.filter.iter().flat_map(|filter| &filter.conditions) {
            self.comparison(condition, source_type(side, &condition.field).as_ref(), place);
        }
        let (Side::Schema(schema), Source::Object(query)) = (side, source) else { return };
        if let Some(filter) = &query.filter {
            self.conditions(schema, filter, place);
        }
        if let Some(keep) = &rows.keep {
            self.closure(schema, keep);
        }
    }

    fn conditions(&mut self, schema: &ObjectSchema, filter: &Filter, place: &Place) {
        for condition in &filter.conditions {
            self.known(schema, &condition.field, place);
            let kind = schema.field(&condition.field).map(|field| &field.kind);
            let time = matches!(kind, Some(FieldType::Date | FieldType::DateTime { .. }));
            let word = time && schema.system == System::Salesforce && condition.value.as_str().is_some_and(is_date_word);
            self.comparison(condition, kind.filter(|_| !word), place);
        }
    }

    /// A condition that could never hold.
    fn comparison(&mut self, condition: &Condition, kind: Option<&FieldType>, place: &Place) {
        if let Some(kind) = kind
            && let Err(reason) = condition.fitted(kind)
        {
            let message = format!("`{}` is {}, and {reason}", condition.field, kind.word());
            self.found.push(Diagnostic::new(Id::TypeMismatch, place, message).about(&condition.field));
        }
    }

    fn writable(&mut self, field: &Field, mode: Mode, place: &Place, object: &str) {
        let allowed = match mode {
            Mode::Update => field.updateable,
            Mode::Upsert => field.updateable || field.createable,
            Mode::Insert => field.createable,
        };
        if !allowed {
            let message = format!("`{}` of {object} cannot be written", field.name);
            let hint = "the system computes it, or the connected user lacks the right";
            self.found.push(Diagnostic::new(Id::ReadOnlyField, place, message).hint(hint));
        }
    }

    fn fits(&mut self, side: &Side, map: &FieldMap, field: &Field) {
        if let Some(declared) = map.declared.as_ref().and_then(|declared| declared.kind.as_ref())
            && !alike(declared, &field.kind)
        {
            let message = format!("`{}` is declared as {}, but is {}", map.target, declared.word(), field.kind.word());
            self.found.push(Diagnostic::new(Id::TypeMismatch, &map.place, message).hint("declare the type that the field has, or use another field"));
        }
        let reason = match &map.from {
            Cell::Constant(value) => field.kind.fit(value, &TimeZone::UTC).err().map(|misfit| misfit.to_string()),
            Cell::RuleDate(_) => (!alike(&FieldType::Date, &field.kind)).then(|| "the rule date is a date".to_owned()),
            Cell::Field(name) => {
                source_type(side, name).filter(|kind| !kind.converts_to(&field.kind)).map(|kind| format!("`{name}` is {}", kind.word()))
            }
            Cell::Compute(_) => None,
        };
        if let Some(reason) = reason {
            let message = format!("{reason}, which does not fit `{}` ({})", map.target, field.kind.word());
            self.found.push(Diagnostic::new(Id::TypeMismatch, &map.place, message).hint("convert it in a closure: `|row| ...`"));
        }
    }
}

fn describe(schema: &ObjectSchema) -> String {
    format!("`{}::describe(\"{}\")`", schema.system, schema.name)
}

/// What ties a Gainsight person to a company.
const IN_COMPANY: [&str; 2] = ["CompanyId", "Company_ID"];

/// `Owner` for the reference `OwnerId`, `Parent__r` for `Parent__c`.
fn relation(field: &Field) -> Option<String> {
    let related = || field.name.strip_suffix("__c").map(|stem| format!("{stem}__r"));
    matches!(field.kind, FieldType::Reference { .. }).then(|| field.name.strip_suffix("Id").map(ToOwned::to_owned).or_else(related)).flatten()
}

/// As `relation` names it.
fn is_relation(field: &Field, name: &str) -> bool {
    field.name.strip_suffix("Id") == Some(name) || field.name.strip_suffix("__c").is_some_and(|stem| name.strip_suffix("__r") == Some(stem))
}

fn source_type(side: &Side, name: &str) -> Option<FieldType> {
    match side {
        Side::Schema(schema) => schema.field(name).map(|field| field.kind.clone()),
        // Ids are any text.
        Side::Report(report) if System::Pendo.id_field(&report.per) == Some(name) => Some(FieldType::Text { max: u32::MAX }),
        Side::Report(report) => report.columns.iter().find(|(column, _)| column == name).and_then(|(_, measure)| measure_type(measure)),
        Side::Unknown => None,
    }
}

pub(super) fn measure_type(measure: &Measure) -> Option<FieldType> {
    match measure {
        Measure::SignInFrequency | Measure::NpsScore => Some(FieldType::Float),
        Measure::LastVisit => Some(FieldType::DateTime { millis: true }),
        Measure::Metadata(_) => None,
        _ => Some(FieldType::Int { bits: 64, digits: 0 }),
    }
}

/// Families of types whose values pass into each other.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Family {
    Text,
    Number,
    Time,
    Truth,
    Any,
}

fn family(kind: &FieldType) -> Family {
    match kind {
        FieldType::Id
        | FieldType::Reference { .. }
        | FieldType::Text { .. }
        | FieldType::Email { .. }
        | FieldType::Time
        | FieldType::Picklist(_)
        | FieldType::MultiPicklist(_) => Family::Text,
        FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float => Family::Number,
        FieldType::Date | FieldType::DateTime { .. } => Family::Time,
        FieldType::Bool => Family::Truth,
        FieldType::Other { .. } => Family::Any,
    }
}

fn alike(a: &FieldType, b: &FieldType) -> bool {
    let (a, b) = (family(a), family(b));
    a == b || a == Family::Any || b == Family::Any
}
