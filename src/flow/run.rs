//! Declarations in order, each with its lock, its run record and its summary. Planning and running differ in the hands only.

use std::{collections::BTreeMap, sync::Arc};

use jiff::tz::TimeZone;

use crate::{
    connectors::{Counting, Stop},
    model::{Date, Fault, Record, System, Timestamp, Value, day::day_of},
    script::{Body, Declaration, Perform},
    store::{self, Begin, Beside, Finish, Lease, RowError, RunId, Take},
};

use super::{
    Error, Live, Notice, Notify, Part, Plan, Planned, Tally, Wire,
    backtest::{Redaction, Sampling},
    cursor::{Begin as CursorBegin, Mark},
    integration, journey, mapping, order,
    owners::Owners,
    rule, segment,
    standing::Places,
    window,
    work::Work,
};

pub use crate::store::Status;

/// The names under which a mapping's cursor is kept, and what it stood on then.
const CURSOR: &str = "source";
const STANDING: &str = "shape";

/// Rejected rows are kept in the state file in batches of this size.
const REJECTIONS_AT_ONCE: usize = 1_000;

/// What carries effects out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// Reads are real, writes are only told.
    Plan,
    /// Everything is real, journaled and recorded as a run.
    Live,
}

/// How declarations are run.
#[derive(Clone)]
pub struct Options {
    pub hands: Hands,
    /// `by hand`, `schedule`...: kept with the run. Reports whose daily push is off run only by hand.
    pub reason: String,
    /// Who holds the locks, such as `tabi run`.
    pub owner: String,
    /// The rule dates, in order; never empty.
    pub dates: Vec<Date>,
    /// Cursors are ignored.
    pub full: bool,
    pub page_size: u32,
    /// Salesforce object -> fields that rules may write; none: all of them.
    pub rule_updates: Option<BTreeMap<String, Vec<String>>>,
    /// Rejected rows kept of one run.
    pub keep_rejections: u64,
    /// What time it is for journeys.
    pub now: Timestamp,
    /// What journeys are run for.
    pub occasion: journey::Occasion,
    /// The workspace's time zone: where days begin and end, but in journeys that name their own.
    pub zone: TimeZone,
    /// Makes the mails of journeys.
    pub mailer: journey::Mailer,
    /// Of journeys that go on under an earlier revision, by name: with its templates.
    pub mailers: BTreeMap<String, journey::Mailer>,
    /// How much of what is read is kept for back-tests.
    pub sample: Sample,
    /// Who answers a plan instead of the systems.
    pub answers: Option<Arc<dyn Perform>>,
}

/// What of a run's inputs is kept for back-tests.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Of each source of a declaration; 0 keeps nothing.
    pub records: u32,
    pub redaction: Arc<Redaction>,
}

/// How one declaration's run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// None when nothing was recorded: a plan, or a run that could not begin.
    pub run: Option<RunId>,
    pub name: String,
    pub status: Status,
    pub tally: Tally,
    pub calls: BTreeMap<System, u64>,
    pub seconds: f64,
    /// Why it failed or was skipped.
    pub fault: Option<Fault>,
}

/// Runs declarations in dependency order and hands each summary out as soon as it stands.
pub fn run(
    declarations: &[Arc<Declaration>],
    options: &Options,
    wire: &Wire,
    notify: &Notify,
    stop: &Stop,
    mut each: impl FnMut(&Summary),
) -> Vec<Summary> {
    let stages = order(declarations);
    let planned = Planned::default();
    let mut open: Vec<Option<Open>> = declarations.iter().map(|_| None).collect();
    let mut done: Vec<Option<Summary>> = declarations.iter().map(|_| None).collect();
    for (at, stage) in stages.iter().enumerate() {
        let declaration = &declarations[stage.declaration];
        if done[stage.declaration].is_some() {
            continue;
        }
        let failed = declaration.after.iter().find(|name| done.iter().flatten().any(|s| s.name == **name && blocks(s.status)));
        let mut one = match (open[stage.declaration].take(), failed) {
            (Some(open), _) => open,
            (None, Some(name)) => Open::skipped(format!("`{name}`, which it follows, did not end well")),
            (None, None) => begin(declaration, options, wire, notify, &planned),
        };
        if one.fault.is_none() && one.status.is_none() {
            work(&mut one, declaration, stage.part, options, wire, stop);
        }
        let more = stages[at + 1..].iter().any(|later| later.declaration == stage.declaration);
        if more && one.fault.is_none() && one.status.is_none() {
            open[stage.declaration] = Some(one);
            continue;
        }
        let summary = end(one, declaration, options, wire, notify);
        each(&summary);
        done[stage.declaration] = Some(summary);
    }
    done.into_iter().flatten().collect()
}

const fn blocks(status: Status) -> bool {
    matches!(status, Status::Failed | Status::Skipped | Status::Interrupted)
}

/// A declaration whose run has begun.
struct Open {
    run: Option<RunId>,
    /// Held until the run is recorded.
    lease: Option<Lease>,
    perform: Option<Arc<dyn Perform>>,
    sampling: Option<Arc<Sampling>>,
    notify: Notify,
    rejections: Arc<std::sync::Mutex<Vec<RowError>>>,
    tally: Tally,
    /// Of its own calls only, whoever else is at work.
    counting: Counting,
    seconds: f64,
    cursors: Vec<(String, String)>,
    /// Set when it ends without having worked.
    status: Option<Status>,
    fault: Option<Fault>,
}

impl Open {
    fn new(notify: Notify, rejections: Arc<std::sync::Mutex<Vec<RowError>>>) -> Self {
        Self {
            run: None,
            lease: None,
            perform: None,
            sampling: None,
            notify,
            rejections,
            tally: Tally::default(),
            counting: Counting::default(),
            seconds: 0.0,
            cursors: Vec::new(),
            status: None,
            fault: None,
        }
    }

    fn skipped(why: String) -> Self {
        let fault = Some(Fault::new(crate::model::FaultKind::Conflict, why));
        Self { status: Some(Status::Skipped), fault, ..Self::new(Arc::new(|_| ()), Arc::default()) }
    }
}

fn begin(declaration: &Declaration, options: &Options, wire: &Wire, notify: &Notify, planned: &Planned) -> Open {
    let rejections: Arc<std::sync::Mutex<Vec<RowError>>> = Arc::default();
    let mut open = Open::new(keeping(notify, &rejections, options.hands), rejections);
    let alone = wire.counted_alone();
    // Answers that are given from elsewhere are asked for over the wire as it came.
    open.counting = if options.answers.is_some() { wire.counting().clone() } else { alone.counting().clone() };
    match options.hands {
        Hands::Plan => {
            let answers = options.answers.clone().unwrap_or_else(|| Arc::new(alone));
            open.perform = Some(Arc::new(Plan::new(answers, &declaration.name, Arc::clone(notify), planned.clone(), options.zone.clone())));
        }
        Hands::Live => {
            if let Err(error) = begin_live(&mut open, declaration, options, &alone) {
                open.status = Some(Status::Failed);
                open.fault = Some(Error::from(error).fault());
            }
        }
    }
    open
}

fn begin_live(open: &mut Open, declaration: &Declaration, options: &Options, wire: &Wire) -> Result<(), store::Error> {
    let (store, now) = (wire.store(), wire.now());
    match store.take(&declaration.name, &options.owner, now)? {
        Take::Got(lease) => open.lease = Some(lease),
        Take::Held(holder) => {
            let since = holder.since.map(|at| format!(" since {at}")).unwrap_or_default();
            let why = format!("{} (process {}) is running it{since}", holder.owner, holder.pid);
            open.status = Some(Status::Skipped);
            open.fault = Some(Fault::new(crate::model::FaultKind::Conflict, why));
            return Ok(());
        }
    }
    let parameters: Record =
        [("full".into(), Value::Bool(options.full)), ("dates".into(), Value::List(options.dates.iter().map(|d| Value::Date(*d)).collect()))]
            .into_iter()
            .collect();
    let kind = declaration.kind().word();
    let begin = Begin { name: &declaration.name, kind, hash: &declaration.hash, reason: &options.reason, parameters: &parameters, at: now };
    let run = store.begin(&begin)?;
    store.mark_started(&declaration.name, now)?;
    let live: Arc<dyn Perform> = Arc::new(Live::new(wire.clone(), run.clone()));
    open.perform = Some(Arc::clone(&live));
    if options.sample.records > 0 {
        let sampling = Arc::new(Sampling::over(live, declaration, options.sample.records));
        open.sampling = Some(Arc::clone(&sampling));
        open.perform = Some(sampling);
    }
    open.run = Some(run);
    Ok(())
}

/// Passes notices on; while running, rejected rows are gathered for the state file on the way.
fn keeping(notify: &Notify, rejections: &Arc<std::sync::Mutex<Vec<RowError>>>, hands: Hands) -> Notify {
    if hands == Hands::Plan {
        return Arc::clone(notify);
    }
    let (notify, rejections) = (Arc::clone(notify), Arc::clone(rejections));
    Arc::new(move |notice| {
        if let Notice::Rejected { rejection, .. } = &notice {
            let row = RowError::from(rejection);
            rejections.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(row);
        }
        notify(notice);
    })
}

fn work(open: &mut Open, declaration: &Declaration, part: Part, options: &Options, wire: &Wire, stop: &Stop) {
    let Some(perform) = open.perform.take() else { return };
    let began = wire.now();
    let owned_under = match &declaration.body {
        Body::Mapping(one) => format!("{}{}", Places::of(one, wire).text(), declaration.shape),
        _ => String::new(),
    };
    let dates = dates(declaration, options);
    if let Some(message) = window::as_of_now(declaration, &dates, day_of(options.now, &options.zone)) {
        (open.notify)(Notice::Warning { name: declaration.name.clone(), message });
    }
    for date in dates {
        let notify = flushing(open, options, wire);
        let mut work = Work {
            name: &declaration.name,
            place: &declaration.place,
            perform: &*perform,
            notify: &notify,
            stop,
            date,
            today: day_of(options.now, &options.zone),
            zone: &options.zone,
            page_size: options.page_size,
            rule_updates: options.rule_updates.as_ref(),
            tally: open.tally,
            on_sample: false,
            held: crate::flow::cursor::Held::default(),
            owners: Some(Owners { store: wire.store(), shape: &owned_under, keeps: options.hands == Hands::Live }),
        };
        let ended = dispatch(&mut work, declaration, part, options, wire, &perform);
        open.tally = work.tally;
        match ended {
            Ok(mark) => {
                open.cursors
                    .extend(mark.into_iter().flat_map(|mark| [(CURSOR.to_owned(), mark.at.to_string()), (STANDING.to_owned(), mark.standing)]));
            }
            Err(error) => {
                open.status = Some(if matches!(error, Error::Interrupted) { Status::Interrupted } else { Status::Failed });
                open.fault = Some(error.fault());
                break;
            }
        }
    }
    open.perform = Some(perform);
    open.seconds += wire.now().duration_since(began).as_secs_f64();
}

/// Rules run once for each date; everything else once.
fn dates(declaration: &Declaration, options: &Options) -> Vec<Date> {
    match declaration.body {
        Body::Rule(_) => options.dates.clone(),
        _ => options.dates.last().copied().into_iter().collect(),
    }
}

fn dispatch(
    work: &mut Work<'_>,
    declaration: &Declaration,
    part: Part,
    options: &Options,
    wire: &Wire,
    perform: &Arc<dyn Perform>,
) -> Result<Option<Mark>, Error> {
    match &declaration.on(work.date).body {
        Body::Integration(one) if part == Part::Pull => integration::pull(work, one).map(|()| None),
        Body::Integration(one) => integration::push(work, &integration::due(one, options.reason != "schedule")).map(|()| None),
        Body::Mapping(one) => {
            let mark = if options.full || one.cursor.is_none() { None } else { mark(wire.store(), &declaration.name)? };
            mapping::run(work, one, &CursorBegin { mark, shape: &declaration.shape, places: Places::of(one, wire), now: wire.now() })
        }
        Body::Rule(one) => rule::run(work, one).map(|()| None),
        Body::Segment(one) => segment::run(work, &declaration.name, one).map(|()| None),
        // Has no stage.
        Body::Journey(one) => {
            let mailer = options.mailers.get(&declaration.name).unwrap_or(&options.mailer);
            let hands = journey::Hands { store: wire.store(), perform: Arc::clone(perform), zone: &options.zone, mailer };
            journey::run(work, declaration, one, hands, options.occasion, options.now).map(|()| None)
        }
    }
}

/// Where a declaration's cursor stands.
fn mark(store: &store::Store, name: &str) -> Result<Option<Mark>, Error> {
    let at = store.cursor(name, CURSOR)?.and_then(|text| text.parse().ok());
    let standing = store.cursor(name, STANDING)?.unwrap_or_default();
    Ok(at.map(|at| Mark { at, standing }))
}

/// Writes gathered rejections to the state file whenever enough have come, so that memory stays flat.
fn flushing(open: &Open, options: &Options, wire: &Wire) -> Notify {
    let Some(run) = open.run.clone() else { return Arc::clone(&open.notify) };
    let (notify, rejections, wire, keep) = (Arc::clone(&open.notify), Arc::clone(&open.rejections), wire.clone(), options.keep_rejections);
    Arc::new(move |notice| {
        notify(notice);
        let full = {
            let mut rows = rejections.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if rows.len() < REJECTIONS_AT_ONCE { Vec::new() } else { std::mem::take(&mut *rows) }
        };
        if !full.is_empty()
            && let Err(error) = wire.store().reject(&run, &full, keep)
        {
            tracing::error!(%error, "rejected rows could not be kept");
        }
    })
}

fn end(open: Open, declaration: &Declaration, options: &Options, wire: &Wire, notify: &Notify) -> Summary {
    let now = wire.now();
    let status = open.status.unwrap_or(if open.tally.rejected > 0 { Status::Partial } else { Status::Ok });
    let (calls, seconds) = (calls(&open.counting), open.seconds);
    if let Some(sampling) = open.sampling
        && let Err(error) = keep_sample(&sampling, declaration, &options.sample, wire.store())
    {
        let message = format!("the records for back-tests could not be kept: {error}");
        notify(Notice::Warning { name: declaration.name.clone(), message });
    }
    let mut summary = Summary { run: open.run, name: declaration.name.clone(), status, tally: open.tally, calls, seconds, fault: open.fault };
    if let Some(run) = &summary.run {
        let rows = std::mem::take(&mut *open.rejections.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let finish = Finish {
            read: summary.tally.read,
            written: summary.tally.written(),
            unchanged: summary.tally.unchanged,
            rejected: summary.tally.rejected,
            beside: beside(&summary.tally),
            calls: summary.calls.clone(),
            seconds,
            message: summary.fault.as_ref().map(ToString::to_string),
            cursors: open.cursors,
            ..Finish::new(status, now)
        };
        let store = wire.store();
        let kept = store.reject(run, &rows, options.keep_rejections).and_then(|()| store.finish(run, &finish));
        if let Err(error) = kept.and_then(|()| store.mark_finished(&declaration.name, now)) {
            summary.status = Status::Failed;
            let fault = Error::from(error).fault();
            notify(Notice::Warning { name: declaration.name.clone(), message: fault.to_string() });
            summary.fault = Some(fault);
        }
    }
    drop(open.lease);
    summary
}

/// Rows that were neither written, nor unchanged, nor rejected.
const fn beside(tally: &Tally) -> Beside {
    Beside { unmatched: tally.unmatched, left_out: tally.left_out, filtered: tally.filtered, grouped: tally.grouped, again: tally.again }
}

/// Once, when the work is done. A sample that cannot be kept is no reason for a run to fail.
fn keep_sample(sampling: &Sampling, declaration: &Declaration, sample: &Sample, store: &store::Store) -> Result<(), store::Error> {
    let sampled = sampling.picked(&sample.redaction, &store.sample_key()?);
    if sampled.is_empty() { Ok(()) } else { store.keep_sample(&declaration.name, &sampled, sample.records) }
}

fn calls(counting: &Counting) -> BTreeMap<System, u64> {
    let calls = counting.calls();
    BTreeMap::from([
        (System::Salesforce, calls.salesforce),
        (System::Pendo, calls.pendo),
        (System::Gainsight, calls.gainsight),
        (System::Px, calls.px),
        (System::Mail, calls.mail),
    ])
}
