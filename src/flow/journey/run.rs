//! A journey's run: people are looked for, what happened is taken in, whoever is due moves on, and what that asks for goes out.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::{
    flow::{Error, work::Work},
    model::{Fault, FaultKind, Timestamp},
    script::{Declaration, Journey, Perform},
    store::{Program, ProgramStatus, Store},
};

use super::{
    Mailer,
    deliver::deliver,
    events, health,
    pass::{Pass, advance_all, look_for_people},
    time::Calendar,
};

/// What a run of a journey is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Its schedule, or by hand: people are looked for, too.
    People,
    /// Somebody is due, or something happened.
    Timer,
}

/// Rounds of moving and delivering in one run: what was delivered moves people, who may ask for more.
const ROUNDS: usize = 100;

/// Who does what a run of a journey asks for.
pub struct Hands<'a> {
    pub store: &'a Store,
    pub perform: Arc<dyn Perform>,
    pub zone: &'a TimeZone,
    pub mailer: &'a Mailer,
}

/// Runs an active journey once.
///
/// # Errors
/// When it is not active, its source or PX cannot be read, or the state file fails. Nothing that was done before is lost.
pub(crate) fn run(
    work: &mut Work<'_>,
    declaration: &Declaration,
    journey: &Journey,
    hands: Hands<'_>,
    occasion: Occasion,
    now: Timestamp,
) -> Result<(), Error> {
    let program = active(hands.store, declaration)?;
    let mut pass = pass(work, declaration, journey, hands, program.revision, now)?;
    if occasion == Occasion::People {
        let intake = look_for_people(&pass)?;
        work.tally.read += intake.read;
        work.tally.created += intake.entered;
        work.tally.rejected += intake.failed;
        work.tally.unchanged += intake.stayed - intake.changed;
        work.tally.updated += intake.changed;
    }
    events::poll(&pass)?;
    health::look(&mut pass)?;
    let (moved, refused) = rounds(&pass)?;
    work.tally.updated += moved;
    work.tally.rejected += refused;
    Ok(())
}

/// Moves and delivers until nothing more happens at this moment. Gives back how many moves were made and how many intents were refused.
pub(super) fn rounds(pass: &Pass<'_>) -> Result<(u64, u64), Error> {
    let (mut all, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let moved = advance_all(pass)?;
        let delivered = deliver(pass)?;
        all += moved;
        refused += delivered.refused;
        if moved == 0 && delivered.done + delivered.refused == 0 {
            break;
        }
    }
    Ok((all, refused))
}

/// What a look at a journey is given.
pub(super) fn pass<'a>(
    work: &Work<'a>,
    declaration: &'a Declaration,
    journey: &'a Journey,
    hands: Hands<'a>,
    revision: u32,
    now: Timestamp,
) -> Result<Pass<'a>, Error> {
    Ok(Pass {
        declaration,
        journey,
        revision,
        calendar: Calendar::new(&journey.pace, hands.zone),
        store: hands.store,
        perform: hands.perform,
        notify: work.notify,
        stop: work.stop,
        now,
        date: work.date,
        zone: work.zone,
        page_size: work.page_size,
        rule_updates: work.rule_updates,
        mailer: hands.mailer,
        associations: hands.store.associations(&declaration.name)?,
        room: None,
        watch: None,
        by_id: std::sync::OnceLock::new(),
    })
}

fn active(store: &Store, declaration: &Declaration) -> Result<Program, Error> {
    let name = &declaration.name;
    let program = store.program(name)?;
    let status = program.as_ref().map_or(ProgramStatus::Draft, |program| program.status);
    match program {
        Some(program) if status == ProgramStatus::Active => Ok(program),
        _ => {
            let next = match status {
                ProgramStatus::Paused => format!("`tabi journey resume {name}` lets it go on"),
                _ => format!("`tabi journey publish {name}` makes it active"),
            };
            Err(Error::Fault(Fault::new(FaultKind::Conflict, format!("the journey is {}: {next}", status.word()))))
        }
    }
}
