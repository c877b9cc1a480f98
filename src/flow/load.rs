//! Rows compared with what a target holds, and only the differences written. Mappings, pushes, pulls and rule actions all end here.

use std::{
    collections::{HashMap, HashSet},
    mem::take,
    sync::Arc,
};

use crate::{
    model::{
        Change, Date, Fault, FaultKind, Filter, KeyRule, Lookup, Name, ObjectSchema, Operator, Record, Source, System, TimeZone, Timestamp, Value,
        Write, id_of, other_spelling, salesforce_id,
    },
    script::{Blank, Cell, Mode, Rows, Target},
    store::Owner,
};

use super::{
    Error, Rejection,
    cell::compute,
    cursor::instant,
    error::FieldProblem,
    origin::Origin,
    owners::{Claimant, Origins, belonging_to_others},
    seen::{Earlier, Seen},
    slots::{Role, Slot},
    work::{Work, brief},
};

/// Changes gathered before they are sent: enough for a bulk job, little enough to hold.
const BATCH: usize = 10_000;
/// Bytes of them, whichever is reached first: rows of long text go in smaller batches.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How often a row of which nobody knows whether it was written is looked up and tried again.
const UNKNOWN_ROUNDS: usize = 3;

/// Where rows go and how.
#[derive(Debug)]
pub(crate) struct Load {
    target: Target,
    /// Target fields that identify a row.
    keys: Vec<Slot>,
    fields: Vec<Slot>,
    /// By place in `fields`: null is what the source says there, so that it clears also where blanks are skipped.
    said: Vec<bool>,
    mode: Mode,
    blank: Blank,
    unmatched: Unmatched,
    /// The field that a row is about: with nothing in it, a row says nothing, and at most clears.
    about: Option<&'static str>,
    /// Only target records that meet these are counterparts (an open call to action, say).
    within: Vec<(String, Operator, Value)>,
    /// The keys that came in this run, so that one that comes twice is found; none when the source gives each key once.
    seen: Option<Seen>,
    /// What the source calls its rows.
    origin: Origin,
    /// Target fields that a new record has to have.
    required: Vec<String>,
    pending: Pending,
    /// The source's change field, when the run is incremental.
    change_field: Option<String>,
    /// All records of the source, when the run reads only those that changed.
    origins: Option<Origins>,
}

/// Changes that wait to be sent.
#[derive(Debug, Default)]
struct Pending {
    rows: Vec<Change>,
    /// By place in `rows`, what the source calls the row.
    sources: Vec<Value>,
    /// What each came from: looked up again when nobody knows whether it was written.
    origins: HashMap<usize, Candidate>,
    /// By place in `rows`, when the source row changed; and when the one that is being settled did.
    changed: Vec<Option<Timestamp>>,
    now: Option<Timestamp>,
    bytes: usize,
}

impl Pending {
    fn add(&mut self, candidate: Candidate, change: Change) {
        self.sources.push(candidate.source.clone());
        self.origins.insert(self.rows.len(), candidate);
        self.bytes += change.weight();
        self.rows.push(change);
        self.changed.push(self.now);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}

/// What a row without a counterpart is when rows are only updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmatched {
    Reject,
    Ignore,
}

/// A source row as the target would hold it.
#[derive(Debug, Clone)]
struct Candidate {
    key: Key,
    /// What identifies the row in its source.
    source: Value,
    values: Vec<Value>,
    /// When the source row changed, where the run is incremental.
    changed: Option<Timestamp>,
}

impl Load {
    pub(crate) fn new(target: Target, keys: Vec<Slot>, fields: Vec<Slot>, mode: Mode, blank: Blank, unmatched: Unmatched) -> Self {
        let said = vec![false; fields.len()];
        Self {
            target,
            keys,
            fields,
            said,
            mode,
            blank,
            unmatched,
            about: None,
            within: Vec::new(),
            seen: Some(Seen::default()),
            origin: Origin::default(),
            required: Vec::new(),
            pending: Pending::default(),
            change_field: None,
            origins: None,
        }
    }

    /// Remembers no keys when each of them comes once: the source gives each record once, in one spelling, and the target tells all of them
    /// apart. Memory stays flat then, however many rows come.
    pub(crate) fn reading(self, source: &Source) -> Self {
        let once = |slot: &Slot| matches!(&slot.from, Cell::Field(name) if slot.rule.tells_all_apart() && gives_once(source, name));
        let said = self.fields.iter().map(|slot| is_given(&slot.from, |field| null_is_said(source, field))).collect();
        Self { seen: if self.keys.iter().any(once) { None } else { self.seen }, origin: Origin::of(source), said, ..self }
    }

    /// Null of these source fields is said, too.
    pub(crate) fn saying(mut self, one_of: impl Fn(&str) -> bool) -> Self {
        for (said, slot) in self.said.iter_mut().zip(&self.fields) {
            *said |= is_given(&slot.from, &one_of);
        }
        self
    }

    /// Rows are called by the group that they stand for.
    pub(crate) fn named(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Refuses fields that the target would refuse in every row, and knows what a new record has to have.
    ///
    /// # Errors
    /// The fields that cannot be written in this mode.
    pub(crate) fn checked(self, schema: &ObjectSchema) -> Result<Self, Error> {
        let object = &self.target.object;
        let refused = |slot: &Slot| match self.mode {
            Mode::Update if !slot.field.updateable => Some(format!("is set only when a {object} is created, and is never changed afterwards")),
            Mode::Insert if !slot.field.createable => Some(format!("cannot be set when a {object} is created, only afterwards")),
            _ => None,
        };
        let problem = |slot: &Slot| {
            let (system, object, field, place) = (self.target.system, object.clone(), slot.field.name.clone(), slot.place.clone());
            refused(slot).map(|reason| FieldProblem { system, object, field, place, reason })
        };
        let problems: Vec<FieldProblem> = self.fields.iter().filter_map(problem).collect();
        if !problems.is_empty() {
            return Err(Error::Fields(problems));
        }
        let required = schema.fields.iter().filter(|field| field.required && field.createable).map(|field| field.name.clone()).collect();
        Ok(Self { required, ..self })
    }

    /// Why a row is not written: about one of its fields, or else about what identifies it.
    fn rejection(&self, key: String, source: &Value, slot: Option<&Slot>, value: Option<String>, reason: String) -> Rejection {
        let slot = slot.or(self.keys.first());
        let source = self.origin.shown(source);
        let key = if key.is_empty() { source.clone() } else { key };
        let place = slot.map(|slot| slot.place.to_string()).filter(|_| slot.is_some_and(|slot| !slot.place.file.is_empty()));
        Rejection { key, source: Some(source), field: slot.map(|slot| slot.field.name.clone()), value, reason, place }
    }

    /// The same of a row that has its key.
    fn refusal(&self, candidate: &Candidate, slot: Option<&Slot>, value: Option<String>, reason: impl Into<String>) -> Rejection {
        self.rejection(candidate.key.shown.clone(), &candidate.source, slot, value, reason.into())
    }

    /// Notes a key; why the row cannot be used when the key came before.
    fn twice(&mut self, compared: &str, shown: &str) -> Option<String> {
        let plain = compared.trim_end_matches(BETWEEN).replace(BETWEEN, "|");
        let earlier = self.seen.as_mut()?.note(compared, &plain, shown)?;
        let one = |how: &str| format!("{how} one record of {} ({}); the earlier row was used", self.target.object, self.why_one());
        Some(match earlier {
            Earlier::Named(name) if name == shown => "duplicate key: an earlier row of the source has the same one and was used".to_owned(),
            Earlier::Named(name) => one(&format!("`{name}` and `{shown}` are")),
            Earlier::Nameless => one(&format!("`{shown}` and the key of an earlier row of the source are")),
        })
    }

    /// Ties each row to the instant in the source's change field. `source` and `rows` are what is read of it.
    pub(crate) fn following(self, change_field: Option<&str>, source: &Source, rows: &Rows) -> Self {
        let Some(field) = change_field else { return self };
        let origins = match source {
            // Where no key can come twice, it cannot come in two runs either.
            Source::Object(query) if self.seen.is_some() => Some(Origins { query: query.clone(), rows: rows.clone() }),
            _ => None,
        };
        Self { change_field: Some(field.to_owned()), origins, ..self }
    }

    pub(super) const fn origins(&self) -> Option<&Origins> {
        self.origins.as_ref()
    }

    /// The source's own id of a row.
    pub(super) fn id_of_source(&self, row: &Record) -> String {
        self.origin.id(row).to_string()
    }

    /// Why a row cannot be used whose target record belongs to another source record.
    fn belongs(&self, owner: &Owner, candidate: &Candidate) -> String {
        let named = |id: &str, shown: &str| {
            let origin = self.origin.shown(&Value::text(id));
            if id == shown { format!("`{shown}`") } else { format!("`{shown}` ({origin})") }
        };
        let (first, second) = (named(&owner.source, &owner.shown), named(&candidate.source.to_string(), &candidate.key.shown));
        format!(
            "{first} and {second} are one record of {} ({}); an earlier run used the first, which stays in use until it is gone or has another key",
            self.target.object,
            if owner.shown == candidate.key.shown { "they have the same key".to_owned() } else { self.why_one() }
        )
    }

    /// Why two keys are one.
    fn why_one(&self) -> String {
        let folding = self.keys.iter().filter(|slot| !slot.rule.tells_all_apart());
        let why: Vec<String> = folding.map(|slot| format!("`{}`: {}", slot.field.name, slot.rule.why())).collect();
        // Where the fields tell all texts apart, these are two forms of one id.
        if why.is_empty() { KeyRule::SalesforceId.why().to_owned() } else { why.join("; ") }
    }

    /// When a source row changed.
    fn changed(&self, row: &Record) -> Option<Timestamp> {
        instant(row, self.change_field.as_deref()?)
    }

    /// Keys that came before may come again.
    pub(crate) fn begin_again(&mut self) {
        if let Some(seen) = &mut self.seen {
            seen.clear();
        }
    }

    /// What a new record has to have where no describe tells.
    pub(crate) fn requires(self, names: &[&str]) -> Self {
        Self { required: names.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    pub(crate) fn about(self, field: &'static str) -> Self {
        Self { about: Some(field), ..self }
    }

    /// Whether there is nothing in the field that a row is about; with whether that is what the source says.
    fn silent(&self, candidate: &Candidate) -> Option<bool> {
        let at = self.fields.iter().position(|slot| self.about == Some(slot.field.name.as_str()))?;
        (candidate.values.get(at) == Some(&Value::Null)).then(|| self.said.get(at) == Some(&true))
    }

    pub(crate) fn within(self, conditions: Vec<(String, Operator, Value)>) -> Self {
        Self { within: conditions, ..self }
    }
}

/// Takes a page of source rows; sends what differs once there is enough of it.
pub(crate) fn take_rows(work: &mut Work<'_>, load: &mut Load, rows: &[Record]) -> Result<(), Error> {
    let mut candidates = Vec::with_capacity(rows.len());
    for row in rows {
        work.held.now = load.changed(row);
        match candidate(load, row, work.date, work.zone) {
            Ok(candidate) => candidates.push(candidate),
            Err(Keyless::Blank(_)) if load.unmatched == Unmatched::Ignore => work.tally.unmatched += 1,
            Err(Keyless::Blank(rejection) | Keyless::Bad(rejection)) => work.reject(*rejection),
        }
    }
    let mut candidates = owned(work, load, candidates, None)?;
    candidates.retain(|candidate| {
        let twice = load.twice(&candidate.key.compared, &candidate.key.shown);
        twice.is_none_or(|reason| {
            refuse(work, load, candidate, reason);
            false
        })
    });
    let present = present(work, load, &candidates)?;
    let candidates = owned(work, load, candidates, Some(&present))?;
    for candidate in candidates {
        settle(work, load, candidate, &present);
        if load.pending.is_full() {
            send(work, load)?;
        }
    }
    Ok(())
}

/// Those whose target record, by this key, belongs to no other source record; the rest is rejected.
fn owned(work: &mut Work<'_>, load: &Load, candidates: Vec<Candidate>, others: Option<&Present>) -> Result<Vec<Candidate>, Error> {
    if work.owners.is_none() || load.origins().is_none() {
        return Ok(candidates);
    }
    let claimant = |(at, candidate): (usize, &'_ Candidate)| {
        let own = &candidate.key.compared;
        let target = others.map_or(Some(own), |present| present.others.get(own))?.clone();
        let owner = Owner { source: candidate.source.to_string(), spelled: own.clone(), shown: candidate.key.shown.clone() };
        Some((at, Claimant { target, owner }))
    };
    let (places, claimants): (Vec<usize>, Vec<Claimant>) = candidates.iter().enumerate().filter_map(claimant).unzip();
    let refused: HashMap<usize, Owner> = belonging_to_others(work, load, &claimants)?.into_iter().map(|(at, owner)| (places[at], owner)).collect();
    let mut kept = Vec::with_capacity(candidates.len());
    for (at, candidate) in candidates.into_iter().enumerate() {
        match refused.get(&at) {
            Some(owner) => refuse(work, load, &candidate, load.belongs(owner, &candidate)),
            None => kept.push(candidate),
        }
    }
    Ok(kept)
}

/// Rejects a row for a reason that is about the whole of it.
fn refuse(work: &mut Work<'_>, load: &Load, candidate: &Candidate, reason: String) {
    work.held.now = candidate.changed;
    work.reject(load.refusal(candidate, None, None, reason));
}

/// Sends what is left.
pub(crate) fn finish(work: &mut Work<'_>, load: &mut Load) -> Result<(), Error> {
    send(work, load)
}

/// What identifies a row in its target.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// What people read, and what rejections of the row carry.
    pub(crate) shown: String,
    /// What is compared: the same for two spellings of one key.
    pub(crate) compared: String,
    values: Vec<Value>,
}

/// Why a row is not taken.
pub(crate) enum Keyless {
    /// It has no key: where rows without a counterpart are no fault, nor is it.
    Blank(Box<Rejection>),
    Bad(Box<Rejection>),
}

impl From<Keyless> for Rejection {
    fn from(keyless: Keyless) -> Self {
        match keyless {
            Keyless::Blank(rejection) | Keyless::Bad(rejection) => *rejection,
        }
    }
}

/// The key of a source row.
///
/// # Errors
/// Why it has none.
pub(crate) fn key(load: &Load, row: &Record, date: Date, zone: &TimeZone) -> Result<Key, Keyless> {
    let (mut values, mut shown, mut compared) = (Vec::with_capacity(load.keys.len()), String::new(), String::new());
    for slot in &load.keys {
        let rejection = |value, reason| Box::new(load.rejection(String::new(), &load.origin.id(row), Some(slot), value, reason));
        let (given, value) = fitted(slot, row, (date, zone)).map_err(|(value, reason)| Keyless::Bad(rejection(value, reason)))?;
        if value == Value::Null {
            return Err(Keyless::Blank(rejection(None, format!("no value for `{}`, which identifies the row", slot.field.name))));
        }
        let key = slot.rule.key(&given, &value).map_err(|misfit| Keyless::Bad(rejection(Some(brief(&given)), misfit.0)))?;
        compared.push_str(&key);
        compared.push(BETWEEN);
        if !shown.is_empty() {
            shown.push('|');
        }
        shown.push_str(&value.to_string());
        values.push(value);
    }
    Ok(Key { shown, compared, values })
}

fn candidate(load: &Load, row: &Record, date: Date, zone: &TimeZone) -> Result<Candidate, Keyless> {
    let key = key(load, row, date, zone)?;
    let source = load.origin.id(row);
    let rejection = |slot: &Slot, (value, reason)| Keyless::Bad(Box::new(load.rejection(key.shown.clone(), &source, Some(slot), value, reason)));
    let fit = |slot: &Slot| fitted(slot, row, (date, zone)).map(|(_, value)| value).map_err(|why| rejection(slot, why));
    let values = load.fields.iter().map(fit).collect::<Result<_, _>>()?;
    Ok(Candidate { key, source, values, changed: load.changed(row) })
}

/// A cell as the row gives it, and as the field holds it; else the value that does not fit, and why.
fn fitted(slot: &Slot, row: &Record, (date, zone): (Date, &TimeZone)) -> Result<(Value, Value), (Option<String>, String)> {
    let value = compute(&slot.from, row, date).map_err(|fault| (None, fault.message))?;
    let within = |fitted: &Value| slot.bounds.map_or(Ok(()), |bounds| bounds.check(fitted));
    let fitted =
        slot.field.kind.fit(&value, zone).and_then(|fitted| within(&fitted).map(|()| fitted)).and_then(|fitted| match (&fitted, slot.rule) {
            (Value::Text(text), KeyRule::SalesforceId) => salesforce_id(text).sound().map(|()| fitted),
            _ => Ok(fitted),
        });
    match fitted {
        Ok(fitted) => Ok((value, fitted)),
        Err(misfit) => Err((Some(brief(&value)), misfit.0)),
    }
}

/// What stands behind each value of a key in the form in which keys are compared.
const BETWEEN: char = '\u{1f}';

/// The key of a record that the target holds.
fn key_of<'v>(load: &Load, values: impl Iterator<Item = &'v Value>) -> String {
    let mut key = String::new();
    for (slot, value) in load.keys.iter().zip(values) {
        key.push_str(&slot.rule.held(value));
        key.push(BETWEEN);
    }
    key
}

/// Whether a field of a source has each value once, in one spelling only. Salesforce and Gainsight write their ids in one way; Pendo and PX
/// take any text for an id, so two of theirs may be one to others.
fn gives_once(source: &Source, field: &str) -> bool {
    match source {
        Source::Object(query) if matches!(query.system, System::Salesforce | System::Gainsight) => field.eq_ignore_ascii_case(query.own_id()),
        _ => false,
    }
}

/// Whether null of a source's field is what the source says: a score of which nobody's answer is left in the window of a report.
fn null_is_said(source: &Source, field: &str) -> bool {
    let Source::Report(report) = source else { return false };
    report.columns.iter().any(|(column, measure)| column == field && measure.null_is_said())
}

/// Whether a cell is given one of these fields.
fn is_given(cell: &Cell, one_of: impl Fn(&str) -> bool) -> bool {
    match cell {
        Cell::Field(name) => one_of(name),
        Cell::Compute(closure) => closure.reads().is_some_and(|names| names.iter().any(|name| one_of(name))),
        Cell::Constant(_) | Cell::RuleDate(_) => false,
    }
}

/// Compares a candidate with what the target holds now and queues the difference.
fn settle(work: &mut Work<'_>, load: &mut Load, candidate: Candidate, present: &Present) {
    let silent = load.silent(&candidate);
    (work.held.now, load.pending.now) = (candidate.changed, candidate.changed);
    match present.found.get(&candidate.key.compared).map(Vec::as_slice) {
        None | Some([]) if silent.is_some() => work.tally.unchanged += 1,
        None | Some([]) => missing(work, load, candidate, present),
        Some([one]) => match present.others.get(&candidate.key.compared).and_then(|own| load.twice(own, &candidate.key.shown)) {
            Some(reason) => work.reject(load.refusal(&candidate, None, None, reason)),
            None if silent == Some(false) && load.blank == Blank::Skip => work.tally.unchanged += 1,
            None => differ(work, load, candidate, one),
        },
        Some(many) => {
            let ids: Vec<String> = many.iter().filter_map(|record| id_of(load.target.system, &load.target.object, record)).take(3).collect();
            let ids = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
            let reason = format!("{} records of {} have this key{ids}; it has to be one", many.len(), load.target.object);
            work.reject(load.refusal(&candidate, None, None, reason));
        }
    }
}

/// What the target holds.
#[derive(Debug, Default)]
struct Present {
    /// Each record once, by key.
    found: HashMap<String, Vec<Record>>,
    /// By the key of a candidate that the target knows in another form only: the key of the target's record.
    others: HashMap<String, String>,
    /// Keys that the target gave for others which differ only in capitals, by their lower case.
    near: HashMap<String, String>,
}

fn present(work: &Work<'_>, load: &Load, candidates: &[Candidate]) -> Result<Present, Error> {
    let mut present = Present::default();
    let Some(first) = candidates.first() else { return Ok(present) };
    let by = load.keys.iter().position(|slot| !is_constant(slot)).unwrap_or(0);
    let exact = load.keys[by].rule == KeyRule::Exact;
    let wanted: HashSet<&str> = candidates.iter().map(|candidate| candidate.key.compared.as_str()).collect();
    let keys = candidates.iter().map(|candidate| candidate.key.values[by].clone());
    let mut ids = HashSet::new();
    for record in look_up(work, load, (by, first), keys)? {
        let key = key_of_held(load, &record, work.zone);
        if exact && !wanted.contains(key.as_str()) {
            present.near.insert(key.to_lowercase(), held(&load.keys[by], &record, work.zone).to_string());
        }
        // Asked for by two spellings, a record may come twice.
        if id_of(load.target.system, &load.target.object, &record).is_none_or(|id| ids.insert(id)) {
            present.found.entry(key).or_default().push(record);
        }
    }
    if exact {
        otherwise_spelled(work, load, (by, candidates), &mut present)?;
    }
    Ok(present)
}

/// Where the target compares letter by letter and does not know a Salesforce id in one form, it may know it in the other: that is the same record.
fn otherwise_spelled(work: &Work<'_>, load: &Load, (by, candidates): (usize, &[Candidate]), present: &mut Present) -> Result<(), Error> {
    let unknown = candidates.iter().filter(|candidate| !present.found.contains_key(&candidate.key.compared));
    let spelled = unknown.filter_map(|candidate| {
        let mut values = candidate.key.values.clone();
        values[by] = Value::text(other_spelling(values[by].as_str()?)?);
        Some((key_of(load, values.iter()), (candidate, values.swap_remove(by))))
    });
    let others: HashMap<String, (&Candidate, Value)> = spelled.collect();
    let Some(first) = candidates.first().filter(|_| !others.is_empty()) else { return Ok(()) };
    let mut keys: Vec<Value> = others.values().map(|(_, key)| key.clone()).collect();
    keys.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    for record in look_up(work, load, (by, first), keys.into_iter())? {
        let own = key_of_held(load, &record, work.zone);
        if let Some((candidate, _)) = others.get(&own) {
            present.found.entry(candidate.key.compared.clone()).or_default().push(record);
            present.others.insert(candidate.key.compared.clone(), own);
        }
    }
    Ok(())
}

fn is_constant(slot: &Slot) -> bool {
    matches!(slot.from, Cell::Constant(_) | Cell::RuleDate(_))
}

/// Records by one of the key fields; those that are the same in every row are conditions.
fn look_up(work: &Work<'_>, load: &Load, (by, first): (usize, &Candidate), keys: impl Iterator<Item = Value>) -> Result<Vec<Record>, Error> {
    let fixed = load.keys.iter().enumerate().filter(|(at, slot)| *at != by && is_constant(slot));
    let fixed = fixed.map(|(at, slot)| (slot.field.name.clone(), Operator::Equal, first.key.values[at].clone()));
    let conditions: Vec<_> = fixed.chain(load.within.iter().cloned()).collect();
    let mut keys: Vec<Value> = keys.collect();
    keys.dedup();
    let wanted = load.keys.iter().chain(&load.fields).filter(|slot| !slot.fresh && slot.role != Role::Insert);
    work.lookup(Lookup {
        system: load.target.system,
        object: load.target.object.clone(),
        by: load.keys[by].field.name.clone(),
        keys,
        fields: wanted.map(|slot| slot.field.name.clone()).collect(),
        filter: (!conditions.is_empty()).then(|| Filter::all(conditions)),
    })
}

fn key_of_held(load: &Load, record: &Record, zone: &TimeZone) -> String {
    let values: Vec<Value> = load.keys.iter().map(|slot| held(slot, record, zone)).collect();
    key_of(load, values.iter())
}

/// What a record holds in a slot, in the form in which it compares. A value that no longer fits counts as different.
fn held(slot: &Slot, record: &Record, zone: &TimeZone) -> Value {
    let value = record.path(&slot.field.name).unwrap_or(&Value::Null);
    slot.field.kind.fit(value, zone).unwrap_or_else(|_| value.clone())
}

fn missing(work: &mut Work<'_>, load: &mut Load, candidate: Candidate, present: &Present) {
    let mode = if work.on_sample { Mode::Upsert } else { load.mode };
    if let Some(near) = present.near.get(&candidate.key.compared.to_lowercase()).filter(|_| mode != Mode::Update) {
        let reason = format!(
            "{} holds `{near}`, which differs only in capitals, and takes both for the same: write the key as it stands there, or nothing is made",
            load.target.system
        );
        return work.reject(load.refusal(&candidate, None, None, reason));
    }
    match (mode, load.unmatched) {
        (Mode::Upsert | Mode::Insert, _) => {
            if let Some(refused) = refused_when_new(load, &candidate).filter(|_| !work.on_sample) {
                return work.reject(refused);
            }
            let slots = load.keys.iter().zip(&candidate.key.values).chain(load.fields.iter().zip(&candidate.values));
            let set = slots.filter(|(slot, value)| (slot.field.createable || work.on_sample) && **value != Value::Null);
            let fields: Record = set.map(|(slot, value)| (slot.field.name.as_str().into(), value.clone())).collect();
            let change = Change::Insert { key: candidate.key.shown.clone(), fields };
            load.pending.add(candidate, change);
        }
        (Mode::Update, Unmatched::Ignore) => work.tally.unmatched += 1,
        (Mode::Update, Unmatched::Reject) => {
            let names: Vec<&str> = load.keys.iter().map(|slot| slot.field.name.as_str()).collect();
            let reason = format!("no {} in {} has this {}", load.target.object, load.target.system, names.join(" and "));
            work.reject(load.refusal(&candidate, None, None, reason));
        }
    }
}

/// Why the target would not take the row as a new record: a field that it has to have, or one that it cannot be given.
fn refused_when_new(load: &Load, candidate: &Candidate) -> Option<Rejection> {
    let object = &load.target.object;
    let given =
        |slots: &'_ [Slot], values: &[Value]| slots.iter().zip(values).position(|(slot, value)| !slot.field.createable && *value != Value::Null);
    if let Some(at) = given(&load.keys, &candidate.key.values) {
        let slot = &load.keys[at];
        let reason = format!("no {object} in {} has this {}, and a new one cannot be given it", load.target.system, slot.field.name);
        return Some(load.refusal(candidate, Some(slot), Some(brief(&candidate.key.values[at])), reason));
    }
    if let Some(at) = given(&load.fields, &candidate.values) {
        let (slot, value) = (&load.fields[at], brief(&candidate.values[at]));
        let reason = format!("{} cannot be set when a {object} is created, only afterwards", slot.field.name);
        return Some(load.refusal(candidate, Some(slot), Some(value), reason));
    }
    let pairs = || load.keys.iter().zip(&candidate.key.values).chain(load.fields.iter().zip(&candidate.values));
    let is_given = |name: &String| pairs().any(|(slot, value)| slot.field.name.eq_ignore_ascii_case(name) && *value != Value::Null);
    let missing = load.required.iter().find(|name| !is_given(name))?;
    let slot = load.fields.iter().find(|slot| slot.field.name.eq_ignore_ascii_case(missing));
    let refused = load.refusal(candidate, slot, None, format!("{missing} has to be given when a {object} is created"));
    Some(Rejection { field: Some(missing.clone()), ..refused })
}

/// Why the target would not take what differs: a field that is only set at the beginning, or one that it has to have.
fn refused_when_there(load: &Load, (key, source): (&str, &Value), changed: &[(&Slot, Value, Value)]) -> Option<Rejection> {
    let object = &load.target.object;
    let (slot, value, old) = changed.iter().find(|(slot, value, _)| !slot.field.updateable || (slot.field.required && *value == Value::Null))?;
    let name = &slot.field.name;
    let reason = if slot.field.updateable {
        format!("{name} cannot be emptied: a {object} has to have it")
    } else {
        format!("{name} is set only when a {object} is created; this one has {}", if old.is_blank() { "none".to_owned() } else { brief(old) })
    };
    let value = (*value != Value::Null).then(|| brief(value));
    Some(load.rejection(key.to_owned(), source, Some(slot), value, reason))
}

fn differ(work: &mut Work<'_>, load: &mut Load, candidate: Candidate, present: &Record) {
    let mut changed: Vec<(&Slot, Value, Value)> = Vec::new();
    let mut differs = false;
    for ((slot, said), value) in load.fields.iter().zip(&load.said).zip(&candidate.values) {
        let old = if slot.fresh { Value::Null } else { held(slot, present, work.zone) };
        let clears = load.blank == Blank::Clear || *said;
        let emptied = (*value == Value::Null && clears).then(|| slot.field.emptied());
        let value = emptied.as_ref().unwrap_or(value);
        let keep = slot.role == Role::Insert || slot.rule.same_content(value, &old) || (*value == Value::Null && !clears);
        if !keep {
            differs |= slot.role == Role::Compare;
            changed.push((slot, value.clone(), old));
        }
    }
    if !differs || load.mode == Mode::Insert {
        work.tally.unchanged += 1;
        return;
    }
    if let Some(refused) = refused_when_there(load, (&candidate.key.shown, &candidate.source), &changed) {
        return work.reject(refused);
    }
    match id_of(load.target.system, &load.target.object, present) {
        Some(id) => {
            // No larger than they have to be: thousands of them wait for their batch.
            let (mut fields, mut before) = (Record::with_capacity(changed.len()), Record::with_capacity(changed.len()));
            for (slot, value, old) in changed {
                let name: Name = slot.field.name.as_str().into();
                fields.push(name.clone(), value);
                before.push(name, old);
            }
            let change = Change::Update { key: candidate.key.shown.clone(), id, fields, before };
            load.pending.add(candidate, change);
        }
        None => work.reject(load.rejection(candidate.key.shown, &candidate.source, None, None, "the system told no id for this record".to_owned())),
    }
}

/// Sends what is queued. Rows of which nobody knows whether they were written are looked up again, so that none is written twice.
fn send(work: &mut Work<'_>, load: &mut Load) -> Result<(), Error> {
    for round in 0..=UNKNOWN_ROUNDS {
        let unknown = send_once(work, load, round == UNKNOWN_ROUNDS)?;
        if unknown.is_empty() {
            return Ok(());
        }
        // Fields created at the start exist by now, and may hold what was sent.
        load.fields.iter_mut().for_each(|slot| slot.fresh = false);
        let (unknown, updates): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
        let present = present(work, load, &unknown)?;
        for (candidate, update) in unknown.into_iter().zip(updates) {
            let unchanged = work.tally.unchanged;
            settle(work, load, candidate, &present);
            // What is found as it was sent has been written after all.
            if work.tally.unchanged > unchanged {
                work.tally.unchanged = unchanged;
                *(if update { &mut work.tally.updated } else { &mut work.tally.created }) += 1;
            }
        }
    }
    Ok(())
}

/// One write of all that is queued; gives back the rows of which nobody knows whether they were written, and whether each was there before.
fn send_once(work: &mut Work<'_>, load: &mut Load, last: bool) -> Result<Vec<(Candidate, bool)>, Error> {
    let Pending { rows, sources, mut origins, changed, .. } = take(&mut load.pending);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    work.check_stop()?;
    let rows = Arc::new(rows);
    let outcomes = work.write(Write { system: load.target.system, object: load.target.object.clone(), rows: Arc::clone(&rows) })?;
    let (mut unknown, mut interrupted) = (Vec::new(), false);
    for (at, (change, outcome)) in rows.iter().zip(outcomes).enumerate() {
        let Some(fault) = outcome.fault else {
            let created = outcome.created || matches!(change, Change::Insert { .. });
            *(if created { &mut work.tally.created } else { &mut work.tally.updated }) += 1;
            continue;
        };
        work.held.now = changed[at];
        let unheard = fault.code.as_deref() == Some("UNKNOWN_OUTCOME") && !last;
        match origins.remove(&at).filter(|_| unheard) {
            Some(candidate) => unknown.push((candidate, matches!(change, Change::Update { .. }))),
            None if fault.kind == FaultKind::Interrupted => interrupted = true,
            None => work.reject(faulty(load, change, &sources[at], &fault)),
        }
    }
    // Rows that were not reached are no bad rows: the next run finds them again.
    if interrupted { Err(Error::Interrupted) } else { Ok(unknown) }
}

/// A row that the target refused.
fn faulty(load: &Load, change: &Change, source: &Value, fault: &Fault) -> Rejection {
    let named = fault.field.as_ref().and_then(|name| change.fields()?.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)));
    let value = named.map(|(_, value)| brief(value));
    let is_named = |slot: &&Slot| fault.field.as_ref().is_some_and(|name| slot.field.name.eq_ignore_ascii_case(name));
    let slot = load.keys.iter().chain(&load.fields).find(is_named);
    Rejection { field: fault.field.clone(), ..load.rejection(change.key().to_owned(), source, slot, value, fault.to_string()) }
}
