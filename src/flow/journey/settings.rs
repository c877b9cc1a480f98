//! What an edit changes of a journey besides its flow, and what becomes of the people by it: who would be in twice, who would leave, whose
//! address would be another, who may come in again.

use crate::{
    flow::Error,
    model::{Reentry, System, When, day::day_of},
    script::{Body, Declaration, Generation, Journey, Limits, Participants, participants_shape, shown_closure},
    store::{Participant, ParticipantFilter, ParticipantState, Rekeyed, Store},
};

use super::{
    enter::Candidate,
    plan::Edited,
    when::{Known, holds},
};

/// People read at a time.
const AT_ONCE: u32 = 1_000;

/// What is told of an edit, and what of it somebody has to say yes to.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) told: Vec<String>,
    pub(super) reasons: Vec<String>,
    /// Keys or addresses have to be worked out anew when the edit is taken up.
    pub(super) rekeys: bool,
}

/// How many people an edit concerns, and how.
#[derive(Debug, Default)]
struct Concerned {
    all: u64,
    standing: u64,
    other_key: u64,
    lacks_key: u64,
    other_address: u64,
    leaves: u64,
    may_return: u64,
}

/// Compares the journey as it runs with the edited one. Nothing is told of a revision that kept no texts, or whose texts do not load any more.
///
/// # Errors
/// The state file's.
pub(super) fn settings(store: &Store, edited: &Edited<'_>) -> Result<Settings, Error> {
    let mut found = Settings::default();
    let Some(before) = before(edited) else { return Ok(found) };
    let Body::Journey(old) = &before.body else { return Ok(found) };
    let new = edited.declared;
    let (keys, addresses) = (keys_differ(old, new), old.identity.email != new.identity.email || old.identity.px_id != new.identity.px_id);
    let calculated = calculated_differs((old, &before), (new, edited.declaration));
    let exit = old.exit != new.exit;
    let source = !matches!((&old.participants, &new.participants), (Participants::List(_), Participants::List(_)))
        && participants_shape(old, before.sources.texts()) != participants_shape(new, edited.sources.texts());
    if !(keys || addresses || calculated || exit || source || old.reentry != new.reentry || old.pace != new.pace || old.identity != new.identity) {
        return Ok(found);
    }
    let concerned = concerned(store, edited, new)?;
    if keys || addresses {
        found.rekeys = true;
        found.about_keys(old, new, &concerned);
    }
    if exit || calculated {
        found.about_leaving((old.exit.as_ref(), new.exit.as_ref()), exit, &concerned);
    }
    if source {
        found.about_source(&concerned);
    }
    if old.reentry != new.reentry {
        found.about_reentry(old.reentry, new.reentry, &concerned);
    }
    if old.pace != new.pace {
        found.told.push("the hours, days or cap of its messages are other ones from now on".to_owned());
    }
    if old.identity.company != new.identity.company {
        found.told.push(format!("the company of whoever is in is read from `{}`, was from `{}`", new.identity.company, old.identity.company));
    }
    if calculated {
        found.told.push("calculated fields are other ones from now on".to_owned());
    }
    Ok(found)
}

/// Gives everybody the key and the addresses that the journey works out now, so that nobody is two people. Can be done again.
///
/// # Errors
/// The state file's.
pub(super) fn rekey(store: &Store, name: &str, journey: &Journey) -> Result<(), Error> {
    each(store, name, |people| {
        let anew = |one: &Participant| {
            let candidate = Candidate::of(journey, (*one.fields).clone()).ok()?;
            let differs = candidate.key != one.key || candidate.email != one.email || candidate.px_id != one.px_id;
            differs.then_some(Rekeyed { participant: one.id, key: candidate.key, email: candidate.email, px_id: candidate.px_id })
        };
        Ok(store.rekey(&people.iter().filter_map(anew).collect::<Vec<_>>())?)
    })
}

/// The journey as it runs.
fn before(edited: &Edited<'_>) -> Option<std::sync::Arc<Declaration>> {
    let sources = super::sources(edited.present);
    let limits = Limits { zone: edited.calendar.zone().clone(), ..Limits::default() };
    let generation = (!sources.is_empty()).then(|| Generation::of_sources(&sources, &limits))?;
    // One that got another name is the only journey of its steps.
    let same = |one: &&std::sync::Arc<Declaration>| matches!(&one.body, Body::Journey(journey) if journey.graph.same_flow(&edited.present.graph));
    generation.declaration(edited.journey).cloned().or_else(|| generation.declared().iter().find(same).cloned())
}

fn keys_differ(old: &Journey, new: &Journey) -> bool {
    let system = |journey: &Journey| -> Option<System> {
        match &journey.participants {
            Participants::Source { source, .. } => Some(source.system()),
            Participants::List(_) => None,
        }
    };
    old.unique_on != new.unique_on || old.identity != new.identity || system(old) != system(new)
}

fn calculated_differs((old, before): (&Journey, &Declaration), (new, after): (&Journey, &Declaration)) -> bool {
    let words = |journey: &Journey, declaration: &Declaration| -> Vec<(String, String)> {
        journey.calculated.iter().map(|(name, closure)| (name.clone(), shown_closure(closure, declaration.sources.texts()))).collect()
    };
    words(old, before) != words(new, after)
}

/// Everybody who is or was in, looked at with the edited journey.
fn concerned(store: &Store, edited: &Edited<'_>, new: &Journey) -> Result<Concerned, Error> {
    let zone = edited.calendar.zone();
    let today = edited.declaration.on(day_of(edited.now, zone));
    let Body::Journey(settled) = &today.body else { return Ok(Concerned::default()) };
    let mut found = Concerned::default();
    each(store, edited.journey, |people| {
        for one in people {
            found.all += 1;
            let standing = !one.state.is_over();
            found.standing += u64::from(standing);
            found.may_return += u64::from(!standing && one.step.is_some());
            match Candidate::of(new, (*one.fields).clone()) {
                Ok(candidate) => {
                    found.other_key += u64::from(candidate.key != one.key);
                    found.other_address += u64::from(standing && (candidate.email != one.email || candidate.px_id != one.px_id));
                }
                Err(_) => found.lacks_key += 1,
            }
            let known = Known { fields: &one.fields, facts: &one.facts, calculated: &settled.calculated, zone };
            let leaves = |exit: &When| holds(exit, known).unwrap_or(true);
            found.leaves += u64::from(standing && one.state != ParticipantState::Parked && settled.exit.as_ref().is_some_and(leaves));
        }
        Ok(())
    })?;
    Ok(found)
}

fn each(store: &Store, name: &str, mut work: impl FnMut(&[Participant]) -> Result<(), Error>) -> Result<(), Error> {
    let mut after = None;
    loop {
        let people = store.participants(name, &ParticipantFilter { after, limit: AT_ONCE, ..ParticipantFilter::default() })?;
        let Some(last) = people.last() else { return Ok(()) };
        after = Some(last.id);
        work(&people)?;
    }
}

impl Settings {
    fn hold(&mut self, told: String) {
        self.reasons.push(told.clone());
        self.told.push(told);
    }

    fn about_keys(&mut self, old: &Journey, new: &Journey, concerned: &Concerned) {
        let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        if concerned.other_key > 0 {
            let (people, was, is) = (people(concerned.other_key), list(&old.unique_on), list(&new.unique_on));
            self.hold(format!("people are told apart by {is}, were by {was}: {people} would be in twice, unless the edit is accepted, which gives them their new keys"));
        } else if old.unique_on != new.unique_on {
            self.told.push(format!("people are told apart by {}, were by {}", list(&new.unique_on), list(&old.unique_on)));
        }
        if concerned.lacks_key > 0 {
            self.hold(format!("{} who took part have no {}: they could come in a second time", people(concerned.lacks_key), list(&new.unique_on)));
        }
        if concerned.other_address > 0 {
            self.hold(format!("the address or PX user id of {} who are in would be another one", people(concerned.other_address)));
        }
    }

    fn about_leaving(&mut self, (old, new): (Option<&When>, Option<&When>), exit: bool, concerned: &Concerned) {
        let said = |when: Option<&When>| when.map_or("none".to_owned(), ToString::to_string);
        if concerned.leaves > 0 {
            self.hold(format!("the exit is {}, was {}: {} would leave at once", said(new), said(old), people(concerned.leaves)));
        } else if exit && concerned.standing > 0 {
            self.hold(format!(
                "the exit is {}, was {}: {} who are in would leave by it from now on, nobody of them at once",
                said(new),
                said(old),
                people(concerned.standing)
            ));
        }
    }

    fn about_source(&mut self, concerned: &Concerned) {
        let said =
            format!("who takes part is read otherwise: {} who are in stay, and whom the new source gives comes in", people(concerned.standing));
        if concerned.all > 0 { self.hold(said) } else { self.told.push(said) }
    }

    fn about_reentry(&mut self, old: Reentry, new: Reentry, concerned: &Concerned) {
        let said = |reentry: Reentry| match reentry {
            Reentry::Never => "never".to_owned(),
            Reentry::AfterEnd => "after the end".to_owned(),
            Reentry::After(length) => format!("{length} after the end"),
        };
        let told = format!("one comes in again {}, was {}: {} who are out may be concerned", said(new), said(old), people(concerned.may_return));
        if concerned.may_return > 0 && new != Reentry::Never { self.hold(told) } else { self.told.push(told) }
    }
}

fn people(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{n} people") }
}
