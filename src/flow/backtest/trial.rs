//! One version of a declaration over a sample: what it wants to be written, and what it rejects.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    connectors::Stop,
    flow::{Error, Notice, Notify, Rejection, Tally, cursor::Begin, integration, mapping, rule, segment, standing::Places, work::Work},
    model::{
        Change, Date, Effect, Fault, FaultKind, Lookup, ObjectSchema, Page, Read, Record, Reply, RowOutcome, Source, System, TimeZone, Timestamp,
        Value, Write, account_key,
    },
    script::{Body, Declaration, Perform},
};

use super::sample::{Given, alike, is_of_companies, plain};

/// What both versions are run with.
pub struct Ground<'a> {
    /// The rule date.
    pub date: Date,
    /// The workspace's.
    pub zone: &'a TimeZone,
    pub page_size: u32,
    pub rule_updates: Option<&'a BTreeMap<String, Vec<String>>>,
    /// What a system last said about an object.
    pub schema: &'a (dyn Fn(System, &str) -> Option<ObjectSchema> + Sync),
    /// Ends it early: somebody has saved again.
    pub stop: &'a Stop,
}

/// What a version came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Object and key -> what the row is to hold.
    pub(super) rows: BTreeMap<(String, String), Record>,
    /// By key.
    pub(super) rejected: BTreeMap<String, Rejection>,
    /// Fields that it reads and that no record of the sample has.
    pub(super) missing: BTreeSet<String>,
    /// Records that lack a field it reads, by source and place.
    pub(super) unfit: BTreeSet<(usize, usize)>,
    /// Why it could not go on.
    pub(super) fault: Option<Fault>,
}

/// Runs a version on nothing, to hear which sources it asks for.
pub(super) fn listen(declaration: &Declaration, ground: &Ground<'_>, asked: &Mutex<Vec<Source>>) {
    let (given, none) = (Given::default(), BTreeSet::new());
    go(declaration, ground, &OnSample { asked: Some(asked), ..OnSample::over(declaration, &given, &none, ground) });
}

/// Runs one version. Records whose place is in `without` are left out.
pub(super) fn run(declaration: &Declaration, given: &Given, without: &BTreeSet<(usize, usize)>, ground: &Ground<'_>) -> Outcome {
    go(declaration, ground, &OnSample::over(declaration, given, without, ground))
}

fn go(declaration: &Declaration, ground: &Ground<'_>, hands: &OnSample<'_>) -> Outcome {
    let outcome = Arc::clone(&hands.outcome);
    let hearing = Arc::clone(&outcome);
    let notify: Notify = Arc::new(move |notice| {
        if let Notice::Rejected { rejection, .. } = notice {
            hold(&hearing).rejected.entry(rejection.key.clone()).or_insert(rejection);
        }
    });
    let mut work = Work {
        name: &declaration.name,
        place: &declaration.place,
        perform: hands,
        notify: &notify,
        stop: ground.stop,
        date: ground.date,
        today: ground.date,
        zone: ground.zone,
        page_size: ground.page_size,
        rule_updates: ground.rule_updates,
        tally: Tally::default(),
        on_sample: true,
        held: crate::flow::cursor::Held::default(),
        owners: None,
    };
    let ended = carry_out(&mut work, declaration);
    let mut outcome = std::mem::take(&mut *hold(&outcome));
    outcome.fault = ended.err().map(|error| error.fault());
    outcome
}

fn carry_out(work: &mut Work<'_>, declaration: &Declaration) -> Result<(), Error> {
    match &declaration.on(work.date).body {
        Body::Integration(one) => integration::push(work, one).and_then(|()| integration::pull(work, one)),
        Body::Mapping(one) => mapping::run(work, one, &Begin { mark: None, shape: "", places: Places::default(), now: Timestamp::MAX }).map(|_| ()),
        Body::Rule(one) => rule::run(work, one),
        Body::Segment(one) => segment::run(work, &declaration.name, one),
        // People are compared, not rows.
        Body::Journey(_) => Ok(()),
    }
}

/// Hands that answer from a sample and take down what they are asked to write.
struct OnSample<'a> {
    given: &'a Given,
    without: &'a BTreeSet<(usize, usize)>,
    ground: &'a Ground<'a>,
    /// Of a segment only who meets its conditions is asked for, not who is in it.
    segment: bool,
    /// Takes down every source that is asked for.
    asked: Option<&'a Mutex<Vec<Source>>>,
    /// Sources in the order in which they were asked for, and the place of each in the sample.
    read: Mutex<Vec<(Source, Option<usize>)>>,
    outcome: Arc<Mutex<Outcome>>,
}

impl<'a> OnSample<'a> {
    fn over(declaration: &Declaration, given: &'a Given, without: &'a BTreeSet<(usize, usize)>, ground: &'a Ground<'a>) -> Self {
        let segment = matches!(declaration.body, Body::Segment(_));
        Self { given, without, ground, segment, asked: None, read: Mutex::default(), outcome: Arc::default() }
    }

    /// Who is in a segment, and which segments and guides there are.
    fn is_beside(&self, source: &Source) -> bool {
        let beside = |object: &str| matches!(object, "segment" | "guide");
        self.segment && matches!(source, Source::Aggregation { .. })
            || matches!(source, Source::Object(query) if self.segment && beside(&query.object))
    }

    /// The sample's source: the very same one, else the first one of the kind that was not taken yet.
    fn place(&self, source: &Source) -> Option<usize> {
        let (source, mut read) = (plain(source), hold(&self.read));
        if let Some((_, at)) = read.iter().find(|(known, _)| *known == source) {
            return *at;
        }
        let all = || self.given.sources.iter().enumerate();
        let same = all().find(|(_, (kept, _))| *kept == source);
        let taken = |at: usize| read.iter().any(|(_, taken)| *taken == Some(at));
        let at = same.or_else(|| all().find(|(at, (kept, _))| alike(kept, &source) && !taken(*at))).map(|(at, _)| at);
        read.push((source, at));
        at
    }

    fn page(&self, read: &Read) -> Page {
        let nothing = Page { records: Vec::new(), next: None, total: None };
        if self.is_beside(&read.source) {
            return nothing;
        }
        if let Some(asked) = self.asked {
            hold(asked).push(read.source.clone());
        }
        let Some(place) = self.place(&read.source) else { return nothing };
        let all = &self.given.sources[place].1;
        let from: usize = read.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(0);
        let to = all.len().min(from + (read.page_size as usize).max(1));
        let fields = fields_of(&read.source);
        if from == 0 {
            let missing = fields.iter().filter(|field| all.iter().all(|record| record.path(field).is_none()));
            hold(&self.outcome).missing.extend(missing.map(|field| (*field).to_owned()));
        }
        let passes = |record: &Record| match &read.source {
            Source::Object(query) => query.filter.as_ref().is_none_or(|filter| filter.matches(record, self.ground.zone)),
            _ => true,
        };
        let mut records = Vec::with_capacity(to - from);
        for (at, record) in all.iter().enumerate().take(to).skip(from).filter(|(at, _)| !self.without.contains(&(place, *at))) {
            if fields.iter().any(|field| record.path(field).is_none()) {
                hold(&self.outcome).unfit.insert((place, at));
            } else if passes(record) {
                records.push(record.clone());
            }
        }
        Page { records, next: (to < all.len()).then(|| to.to_string()), total: None }
    }

    /// Only which accounts are companies is looked up: everything else is compared as if the targets were empty.
    fn found(&self, lookup: &Lookup) -> Vec<Record> {
        if !is_of_companies(lookup) {
            return Vec::new();
        }
        let company = |key: &Value| {
            let account = account_key(&key.to_string());
            let gsid = match self.given.companies.get(&account) {
                Some(known) => known.clone()?,
                // Never asked: the earlier version had no need to know.
                None => Value::text(format!("company of {account}")),
            };
            Some([("SfdcAccountId".into(), key.clone()), ("Gsid".into(), gsid)].into_iter().collect())
        };
        lookup.keys.iter().filter_map(company).collect()
    }

    fn schema(&self, system: System, object: &str) -> Result<ObjectSchema, Fault> {
        let unknown = || {
            let message = format!("nothing is known of the fields of {object} yet: a run or a plan asks for them");
            Fault::from_system(system, FaultKind::NotFound, message)
        };
        (self.ground.schema)(system, object).ok_or_else(unknown)
    }

    fn write(&self, write: Write) -> Vec<RowOutcome> {
        let object = format!("{} {}", write.system, write.object);
        let mut outcome = hold(&self.outcome);
        let done = |change: Change| {
            let key = change.key().to_owned();
            if let Change::Insert { fields, .. } | Change::Update { fields, .. } | Change::Upsert { fields, .. } = change {
                outcome.rows.insert((object.clone(), key), fields);
            }
            RowOutcome { id: None, created: true, fault: None }
        };
        Arc::unwrap_or_clone(write.rows).into_iter().map(done).collect()
    }
}

impl Perform for OnSample<'_> {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::Read(read) => Ok(Reply::Page(self.page(&read))),
            Effect::Lookup(lookup) => Ok(Reply::Records(self.found(&lookup))),
            Effect::Describe { system, object } => self.schema(system, &object).map(Reply::Schema),
            Effect::Write(write) => Ok(Reply::Written(self.write(write))),
            Effect::CreateField(_) => Ok(Reply::Done),
            Effect::EditSegment(edit) => {
                let mut outcome = hold(&self.outcome);
                let object = format!("segment {:?}", edit.name);
                outcome.rows.extend(edit.add.into_iter().map(|member| ((object.clone(), member), Record::new())));
                Ok(Reply::Done)
            }
            other => Err(Fault::new(FaultKind::NotAllowed, format!("a back-test performs nothing, and this asks for more: {other:?}"))),
        }
    }
}

/// The fields a source is asked for by name; none for any.
fn fields_of(source: &Source) -> Vec<&str> {
    match source {
        // Rows are called by it; what was kept in earlier days may not have it.
        Source::Object(query) => query.fields.iter().map(String::as_str).filter(|field| *field != query.own_id()).collect(),
        Source::Report(report) => report.columns.iter().map(|(column, _)| column.as_str()).collect(),
        Source::Soql(_) | Source::Aggregation { .. } | Source::Saved(_) => Vec::new(),
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
