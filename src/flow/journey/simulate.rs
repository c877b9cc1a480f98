//! A journey in virtual time: the same moves, the same outbox, the same state file, with a clock that jumps from one due thing to the next
//! and people who respond by models. What is heard of them is heard at full minutes, as from a feed that is polled.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, ToSpan};

use crate::{
    connectors::Stop,
    flow::{
        Counted, Error, Notify, Options, Simulate, Wire,
        pages::for_each_page,
        work::{Tally, Work},
    },
    model::{Date, Does, Fault, FaultKind, ProgramModel, Query, Record, Source, System, Timestamp, Value, day::day_of},
    script::{Body, Declaration, Journey, Participants, Perform},
    store::Move,
};

use super::{
    operate::{Desk, Published, publish_program},
    pass::{Intake, Pass, look_for_people},
    report::report,
    respond::{Queue, Responders},
    run::{Hands, pass, rounds},
    watch::{Reaches, Seen, calendar, reaches},
};

/// The least time between two looks at the source: a person who comes in an hour late tells no other story.
const LOOK: SignedDuration = SignedDuration::from_hours(24);
/// Reasons of one step's failures that are told.
const REASONS: usize = 3;

/// What is simulated, and with what.
pub struct Simulation<'a> {
    pub declaration: &'a Declaration,
    pub journey: &'a Journey,
    /// To a sandbox, with a scratch store.
    pub wire: &'a Wire,
    pub options: &'a Options,
    pub notify: &'a Notify,
    pub stop: &'a Stop,
    pub start: Timestamp,
    pub days: u32,
    /// How many people come in at most; none: all whom the source gives.
    pub most: Option<u64>,
    /// How many come in on one day; none: all at once.
    pub arrive: Option<u64>,
    pub responders: &'a Responders,
    /// Turns the clock of the sandbox.
    pub turn: &'a dyn Fn(Timestamp),
    /// When the journey's schedule looks for people next.
    pub next_look: &'a dyn Fn(Timestamp) -> Option<Timestamp>,
    /// Told of the virtual time, again and again.
    pub progress: &'a dyn Fn(Timestamp),
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// As `tabi journey report` has it.
    pub report: Record,
    /// Entries of all timelines.
    pub events: u64,
    /// For each day with a send: `day`, `mails`, `engagements`, `surveys`, `steps`.
    pub calendar: Vec<Record>,
    /// What is likely to be a mistake.
    pub warnings: Vec<String>,
    /// What was written to systems.
    pub written: Counted,
}

/// How many rows the source gives, and how many of them come in, when everybody may.
///
/// # Errors
/// As `simulate`.
pub fn probe(simulation: &Simulation<'_>) -> Result<(u64, u64), Error> {
    let stage = Stage::set(simulation)?;
    let (today, now) = (simulation.on(simulation.start), simulation.start);
    let intake = look_for_people(&stage.look(simulation, &today, now)?)?;
    Ok((intake.read, intake.entered))
}

/// Publishes the journey at the start, lets people in, and goes on until the last day is over or nothing is left to happen.
///
/// # Errors
/// `Invalid` when the journey cannot be published, with the reasons; the source's and the state file's errors; `Interrupted`.
pub fn simulate(simulation: &Simulation<'_>) -> Result<Simulated, Error> {
    let stage = Stage::set(simulation)?;
    let seen = Mutex::new(Seen::default());
    let zone = simulation.zone();
    let watch = |moves: &[Move]| seen.lock().unwrap_or_else(PoisonError::into_inner).take_in(moves, &zone);
    let (store, end) = (simulation.wire.store(), simulation.end());
    let associations = store.associations(&simulation.declaration.name)?;
    // Its people see what they qualify for.
    associations.iter().try_for_each(|one| store.confirm(&one.journey, &one.id, simulation.start))?;
    let mut queue = Queue::new(simulation.journey, &associations, simulation.responders, end);
    let mut intake = Intake::default();
    let (mut next_look, mut next) = (Some(simulation.start), Some(simulation.start));
    while let Some(first) = next.filter(|now| *now <= end) {
        // What a script says of `rule_date()` is of the virtual day.
        let today = simulation.on(first);
        let mut look = stage.look(simulation, &today, first)?;
        look.watch = Some(&watch);
        while let Some(now) = next.filter(|now| *now <= end && simulation.date(*now) == today.date) {
            if simulation.stop.requested() {
                return Err(Error::Interrupted);
            }
            (simulation.progress)(now);
            look.now = now;
            if next_look.is_some_and(|at| at <= now) {
                next_look = let_in(simulation, &mut look, &mut intake)?;
            }
            queue.hear(store, now)?;
            rounds(&look)?;
            let (reached, left) = {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                (std::mem::take(&mut seen.reached), std::mem::take(&mut seen.left))
            };
            queue.take_in(reached, left, now);
            store.turned()?;
            let soonest = [store.next_due(&[look.name()])?, store.next_send_of(look.name())?, queue.next(), next_look].into_iter().flatten().min();
            // What is due and does not move is looked at again a little later.
            let least = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
            next = soonest.map(|soonest| soonest.max(least));
        }
    }
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    stage.told(simulation, &seen, intake)
}

/// What a simulation stands on once the journey is published.
struct Stage {
    perform: Arc<Simulate>,
    revision: u32,
    /// Engagements that only this simulation has.
    made_up: Vec<String>,
}

/// The journey on a virtual day.
struct Today {
    date: Date,
    settled: Declaration,
}

impl Today {
    fn journey<'t>(&'t self, simulation: &Simulation<'t>) -> &'t Journey {
        if let Body::Journey(journey) = &self.settled.body { journey } else { simulation.journey }
    }
}

impl Simulation<'_> {
    fn end(&self) -> Timestamp {
        self.start.to_zoned(self.options.zone.clone()).saturating_add(i64::from(self.days).days()).timestamp()
    }

    /// The day in the workspace's zone.
    fn date(&self, now: Timestamp) -> Date {
        day_of(now, &self.options.zone)
    }

    fn on(&self, now: Timestamp) -> Today {
        let date = self.date(now);
        Today { date, settled: self.declaration.on(date) }
    }

    /// Days of the calendar are the journey's.
    fn zone(&self) -> jiff::tz::TimeZone {
        let own = self.journey.pace.time_zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
        own.unwrap_or_else(|| self.options.zone.clone())
    }

    fn work<'w>(&'w self, perform: &'w dyn Perform) -> Work<'w> {
        Work {
            name: &self.declaration.name,
            place: &self.declaration.place,
            perform,
            notify: self.notify,
            stop: self.stop,
            date: self.date(self.start),
            today: self.date(self.start),
            zone: &self.options.zone,
            page_size: self.options.page_size,
            rule_updates: self.options.rule_updates.as_ref(),
            tally: Tally::default(),
            on_sample: false,
            held: crate::flow::cursor::Held::default(),
            owners: None,
        }
    }
}

impl Stage {
    fn set(simulation: &Simulation<'_>) -> Result<Self, Error> {
        let missing = missing_engagements(simulation)?;
        let made_up = missing.iter().filter_map(|one| one.get("name").map(ToString::to_string)).collect();
        let perform = Arc::new(Simulate::new(simulation.wire.clone(), &simulation.declaration.name, missing, simulation.options.zone.clone()));
        let desk = Desk {
            store: simulation.wire.store(),
            perform: Arc::clone(&perform) as Arc<dyn Perform>,
            options: simulation.options,
            notify: simulation.notify,
            stop: simulation.stop,
            now: simulation.start,
            objections: &[],
        };
        match publish_program(&desk, simulation.declaration, simulation.journey, None)? {
            Published::Draft(reasons) | Published::Kept(reasons) => {
                let message = format!("`{}` cannot be published: {}", simulation.declaration.name, reasons.join("; "));
                Err(Error::Fault(Fault::new(FaultKind::Invalid, message)))
            }
            Published::Active(program) | Published::Scheduled(program) => Ok(Self { perform, revision: program.revision, made_up }),
        }
    }

    /// A look at the journey.
    fn look<'s>(&'s self, simulation: &'s Simulation<'_>, today: &'s Today, now: Timestamp) -> Result<Pass<'s>, Error> {
        let hands = Hands {
            store: simulation.wire.store(),
            perform: Arc::clone(&self.perform) as Arc<dyn Perform>,
            zone: &simulation.options.zone,
            mailer: &simulation.options.mailer,
        };
        let work = Work { date: today.date, today: today.date, ..simulation.work(&*self.perform) };
        pass(&work, simulation.declaration, today.journey(simulation), hands, self.revision, now)
    }

    fn told(self, simulation: &Simulation<'_>, seen: &Seen, intake: Intake) -> Result<Simulated, Error> {
        let store = simulation.wire.store();
        store.played()?;
        let graph = &simulation.journey.graph;
        let steps = store.step_counts(&simulation.declaration.name)?;
        let reasons = store.failed_reasons(&simulation.declaration.name)?;
        let mut warnings: Vec<String> =
            self.made_up.iter().map(|name| format!("the sandbox's PX has no engagement \"{name}\": one was made up for the simulation")).collect();
        warnings.extend(nobody(simulation, intake, &reasons));
        let came: BTreeMap<String, u64> = steps.iter().map(|(step, reached, _)| (step.clone(), *reached)).collect();
        for (step, exit) in seen.never_taken(graph, &came) {
            warnings.push(format!("nobody ever left \"{step}\" by {exit}"));
        }
        warnings.extend(
            graph
                .steps
                .iter()
                .filter(|step| came.get(&step.name).is_none_or(|n| *n == 0))
                .map(|step| format!("nobody ever came to \"{}\"", step.name))
                .filter(|_| intake.entered > 0),
        );
        for (step, reached, standing) in &steps {
            let Some(does) = graph.step(step) else { continue };
            if *standing > 0 && standing == reached && matches!(does.does, Does::Wait { .. } | Does::WaitFor { .. }) {
                warnings.push(format!("the wait \"{step}\" ended for nobody within {} days: {standing} came to it and stand there", simulation.days));
            }
            let put_off = seen.put_off(step);
            if put_off > 0 {
                warnings.push(format!("\"{step}\" was put off for {put_off} of {reached} people by quiet hours, days off or the cap"));
            }
            if *standing > 0 && reaches(does).is_some() {
                warnings.push(format!("\"{step}\" never went out to {standing} people: quiet hours, days off or the cap kept it back to the end"));
            }
        }
        warnings.extend(failures(graph, seen));
        Ok(Simulated {
            report: report(store, simulation.declaration, simulation.journey)?,
            events: seen.events,
            calendar: calendar(graph, &seen.sent),
            warnings,
            written: self.perform.counted(),
        })
    }
}

/// Looks for people; gives back when that is to be done again.
fn let_in(simulation: &Simulation<'_>, look: &mut Pass<'_>, all: &mut Intake) -> Result<Option<Timestamp>, Error> {
    (simulation.turn)(look.now);
    let left = simulation.most.map(|most| most.saturating_sub(all.entered));
    look.room = [left, simulation.arrive].into_iter().flatten().min();
    let some = look_for_people(look)?;
    *all = Intake {
        read: all.read + some.read,
        entered: all.entered + some.entered,
        failed: all.failed + some.failed,
        stayed: all.stayed + some.stayed,
        changed: all.changed + some.changed,
    };
    let full = simulation.most.is_some_and(|most| all.entered >= most);
    let list = matches!(simulation.journey.participants, Participants::List(_)) && simulation.arrive.is_none();
    if full || list {
        return Ok(None);
    }
    let earliest = look.now.saturating_add(LOOK).unwrap_or(Timestamp::MAX);
    Ok(if simulation.arrive.is_some() { Some(earliest) } else { (simulation.next_look)(look.now).map(|at| at.max(earliest)) })
}

/// Why nobody, or fewer people than wanted, came in.
fn nobody(simulation: &Simulation<'_>, intake: Intake, reasons: &[(String, u64)]) -> Option<String> {
    let turned_away: Vec<String> = reasons.iter().filter(|_| intake.failed > 0).map(|(reason, n)| format!("{n} {reason}")).collect();
    if intake.entered == 0 {
        let why = match (intake.read, turned_away.as_slice()) {
            (0, _) => "the source gives no row that passes its filters".to_owned(),
            (read, []) => format!("{read} rows were read, none of them somebody who can enter"),
            (read, turned_away) => format!("{read} rows were read; {}", turned_away.join(", ")),
        };
        return Some(format!("nobody came in: {why}"));
    }
    let most = simulation.most.filter(|most| intake.entered < *most)?;
    Some(format!("{} people came in, not {most}: the source gives no more", intake.entered))
}

/// What could not be made or sent, the most frequent reasons of each step.
fn failures(graph: &crate::model::Graph, seen: &Seen) -> Vec<String> {
    let mut by_step: BTreeMap<&str, Vec<(u64, &str)>> = BTreeMap::new();
    for ((step, reason), n) in &seen.failed {
        by_step.entry(step).or_default().push((*n, reason));
    }
    let mut told = Vec::new();
    for (step, mut reasons) in by_step {
        reasons.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let mail = graph.step(step).and_then(reaches) == Some(Reaches::Mail);
        let what = if mail { "the mail" } else { "the step" };
        told.extend(reasons.iter().take(REASONS).map(|(n, reason)| format!("{what} \"{step}\" failed for {n}: {reason}")));
    }
    told
}

/// Engagements that the journey shows and the sandbox's PX does not have, as PX would list them.
fn missing_engagements(simulation: &Simulation<'_>) -> Result<Vec<Record>, Error> {
    let shown: Vec<(&str, bool)> = simulation
        .journey
        .graph
        .steps
        .iter()
        .filter_map(|step| match &step.does {
            Does::Engagement { engagement } => Some((engagement.as_str(), false)),
            Does::Survey { survey, .. } => Some((survey.as_str(), true)),
            _ => None,
        })
        .collect();
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let mut known: Vec<String> = Vec::new();
    for_each_page(&mut simulation.work(simulation.wire), &Source::Object(Query::of(System::Px, "engagements")), |_, rows| {
        known.extend(rows.iter().flat_map(|row| [row.get("id"), row.get("name")]).flatten().map(ToString::to_string));
        Ok(())
    })?;
    let survey = match simulation.journey.model {
        ProgramModel::Csat => "IN_APP_RATING_SURVEY",
        ProgramModel::Ces => "IN_APP_CES_SURVEY",
        _ => "IN_APP_NPS_SURVEY",
    };
    let mut missing: BTreeMap<&str, Record> = BTreeMap::new();
    for (name, asks) in shown.into_iter().filter(|(name, _)| known.iter().all(|known| known != name)) {
        let kind = if asks { survey } else { "IN_APP_GUIDE" };
        let fields = [("id", name), ("name", name), ("type", kind), ("state", "STARTED"), ("description", super::publish::BY_JOURNEY)];
        missing.insert(name, fields.into_iter().map(|(field, text)| (field.into(), Value::text(text))).collect());
    }
    Ok(missing.into_values().collect())
}
