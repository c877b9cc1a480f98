//! One look at one active journey: who comes in, what has happened, whose time has come, what has to go out. Each part takes what it finds
//! in batches, one transaction each, and can be cut short anywhere: the next look goes on from what the state file holds.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use crate::{
    connectors::Stop,
    flow::{
        Error, Notify,
        cell::compute,
        pages::while_wanted,
        work::{Tally, Work},
    },
    model::{Aliases, Channel, Date, Does, EventKind, Graph, Query, Record, Source, System, TimeZone, Timestamp, Value},
    script::{Declaration, Journey, Participants, Perform},
    store::{Association, Entry, EntryKind, Fact, InboxEvent, Known, Move, NewParticipant, Participant, ParticipantId, ParticipantState, Store},
};

use super::{
    Mailer, addresses,
    advance::{Arrived, advance},
    earlier,
    enter::{Candidate, Earlier, Entrance, Gate, entrance, stays},
    reread::{self, changed},
    time::{Calendar, day_after},
    together::side_by_side,
};

/// Participants moved in one transaction.
const AT_ONCE: u32 = 500;

/// Sees moves before they are made.
pub type Watch<'a> = dyn Fn(&[Move]) + Sync + 'a;

/// One look at one journey.
pub struct Pass<'a> {
    pub declaration: &'a Declaration,
    pub journey: &'a Journey,
    /// The revision that new participants are of.
    pub revision: u32,
    pub calendar: Calendar,
    pub store: &'a Store,
    pub perform: Arc<dyn Perform>,
    pub notify: &'a Notify,
    pub stop: &'a Stop,
    pub now: Timestamp,
    /// The day in the workspace's zone.
    pub date: Date,
    /// The workspace's; the calendar has the journey's own.
    pub zone: &'a TimeZone,
    pub page_size: u32,
    /// As in `flow::Options`.
    pub rule_updates: Option<&'a BTreeMap<String, Vec<String>>>,
    pub mailer: &'a Mailer,
    /// The engagements that the journey is associated with.
    pub associations: Vec<Association>,
    /// Who may still come in; none: everybody.
    pub room: Option<u64>,
    /// Sees every move before it is made.
    pub watch: Option<&'a Watch<'a>>,
    /// Whoever took part, by the source's id: read when somebody unknown comes.
    pub by_id: OnceLock<HashMap<String, ParticipantId>>,
}

impl Pass<'_> {
    pub(super) fn name(&self) -> &str {
        &self.declaration.name
    }

    pub(super) fn work(&self) -> Work<'_> {
        Work {
            name: &self.declaration.name,
            place: &self.declaration.place,
            perform: &*self.perform,
            notify: self.notify,
            stop: self.stop,
            date: self.date,
            today: self.date,
            zone: self.zone,
            page_size: self.page_size,
            rule_updates: self.rule_updates,
            tally: Tally::default(),
            on_sample: false,
            held: crate::flow::cursor::Held::default(),
            owners: None,
        }
    }

    /// Where participants come from; a list counts as people of Gainsight.
    pub(super) fn source(&self) -> Source {
        match &self.journey.participants {
            Participants::Source { source, .. } => source.clone(),
            Participants::List(_) => Source::Object(Query::of(System::Gainsight, "Person")),
        }
    }

    /// Whether everybody needs a user of PX (B8).
    fn needs_px(&self) -> bool {
        self.journey.graph.steps.iter().any(|step| {
            let px = |channel| channel == Channel::Px;
            matches!(&step.does, Does::Engagement { .. })
                || matches!(&step.does, Does::Survey { channel, .. } | Does::Remind { channel, .. } if px(*channel))
        })
    }
}

/// People who came in, failed at the door, or whose fields changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Intake {
    pub read: u64,
    pub entered: u64,
    pub failed: u64,
    pub stayed: u64,
    /// Of those who stayed: the source says something new of them.
    pub changed: u64,
}

/// Looks for participants in the journey's source.
///
/// # Errors
/// When the source cannot be read. Those already taken stay.
pub(super) fn look_for_people(pass: &Pass<'_>) -> Result<Intake, Error> {
    let mut intake = Intake::default();
    if let Participants::List(records) = &pass.journey.participants {
        take_people(pass, records.clone(), &mut intake)?;
    }
    if let Some(source) = pass.journey.participants.reading() {
        let (mut work, mut aliases, mut left) = (pass.work(), Aliases::default(), pass.journey.participants.limit());
        while_wanted(&mut work, &source, |_, rows| {
            let mut people = Vec::with_capacity(rows.len());
            for row in rows {
                people.extend(chosen(pass, row, &mut aliases)?);
            }
            people.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= people.len() as u64;
            take_people(pass, people, &mut intake)?;
            Ok(left > 0)
        })?;
    }
    Ok(intake)
}

/// What the journey's source hands on of a row: filtered, with its computed fields.
pub(super) fn chosen(pass: &Pass<'_>, row: Record, aliases: &mut Aliases) -> Result<Option<Record>, Error> {
    let mut row = aliases.spell(row);
    let Participants::Source { source, rows, computed } = &pass.journey.participants else { return Ok(Some(row)) };
    rows.fit(source, &row)?;
    if !rows.pass(&row, pass.zone)? {
        return Ok(None);
    }
    for map in computed {
        let value = compute(&map.from, &row, pass.date)?;
        row.set(map.target.as_str(), value);
    }
    Ok(Some(row))
}

/// What becomes of everybody in the rows: whoever may comes in, whoever is in is read again.
pub(super) fn take_people(pass: &Pass<'_>, rows: Vec<Record>, intake: &mut Intake) -> Result<(), Error> {
    intake.read += rows.len() as u64;
    let (candidates, lacking) = candidates(pass, rows, intake);
    for why in lacking {
        intake.failed += 1;
        tracing::warn!(journey = pass.name(), why, "a participant was left out");
    }
    addresses::follow(pass, &candidates)?;
    let (mut entering, mut histories, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for (candidate, known, becomes) in judge(pass, candidates)? {
        match becomes {
            Entrance::Stays(_) => {
                intake.stayed += 1;
                let read = known.and_then(|known| Some((known, changed(&candidate, known)?)));
                again.extend(read.map(|(known, source)| (known, candidate, source)));
            }
            Entrance::Fails(reason) => {
                intake.failed += 1;
                histories.push(vec![entry(pass.now, EntryKind::Failed, [("reason", Value::text(&reason))])]);
                entering.push(newcomer(pass, candidate, ParticipantState::Failed, Some(reason)));
            }
            Entrance::Enter if pass.room.is_some_and(|room| intake.entered >= room) => intake.stayed += 1,
            Entrance::Enter => {
                intake.entered += 1;
                histories.push(vec![entry(pass.now, EntryKind::Entered, [])]);
                entering.push(newcomer(pass, candidate, ParticipantState::Active, None));
            }
        }
    }
    if !entering.is_empty() {
        pass.store.enter(&entering, &histories)?;
    }
    intake.changed += reread::take(pass, again)?;
    Ok(())
}

/// Records as candidates, each person once, and what others lack.
fn candidates(pass: &Pass<'_>, rows: Vec<Record>, intake: &mut Intake) -> (Vec<Candidate>, Vec<String>) {
    let (mut candidates, mut lacking, mut seen) = (Vec::with_capacity(rows.len()), Vec::new(), HashSet::with_capacity(rows.len()));
    for row in rows {
        match Candidate::of(pass.journey, row) {
            Ok(candidate) if seen.insert(candidate.key.clone()) => candidates.push(candidate),
            // The second row of one person: they are in by the first.
            Ok(_) => intake.stayed += 1,
            Err(why) => lacking.push(why),
        }
    }
    (candidates, lacking)
}

/// Who may come in. PX is asked only about those who could.
pub(super) fn judge(pass: &Pass<'_>, candidates: Vec<Candidate>) -> Result<Vec<(Candidate, Option<Known>, Entrance)>, Error> {
    let keys: Vec<String> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
    let mut known = pass.store.known_keys(pass.name(), &keys)?;
    known_otherwise(pass, &candidates, &mut known)?;
    let needs_px = pass.needs_px();
    let gate = |px_known| Gate { journey: pass.journey, calendar: &pass.calendar, now: pass.now, needs_px, px_known };
    let earlier =
        |candidate: &Candidate| known.get(&candidate.key).map(|known| Earlier { state: known.state, ended: known.ended, at_door: known.at_door });
    let could = |candidate: &&Candidate| earlier(candidate).is_none_or(|earlier| stays(gate(false), earlier).is_none());
    let px_users = if needs_px { px_users(pass, candidates.iter().filter(could))? } else { HashSet::new() };
    let judged = candidates.into_iter().map(|candidate| {
        let px_known = candidate.px_id.as_ref().is_some_and(|id| px_users.contains(id));
        let becomes = entrance(gate(px_known), &candidate, earlier(&candidate));
        let known = known.get(&candidate.key).copied();
        (candidate, known, becomes)
    });
    Ok(judged.collect())
}

/// Those who came in before ids had rules of their own are the same people now.
fn known_otherwise(pass: &Pass<'_>, candidates: &[Candidate], known: &mut HashMap<String, Known>) -> Result<(), Error> {
    let earlier: Vec<(&Candidate, String)> = candidates
        .iter()
        .filter(|candidate| !known.contains_key(&candidate.key))
        .filter_map(|candidate| Some((candidate, candidate.earlier_key(pass.journey)?)))
        .collect();
    if earlier.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = earlier.iter().map(|(_, key)| key.clone()).collect();
    let found = pass.store.known_keys(pass.name(), &keys)?;
    for (candidate, key) in earlier {
        let Some(one) = found.get(&key) else { continue };
        let kept = pass.store.by_key(pass.name(), &key)?.into_iter().find(|participant| participant.id == one.id);
        let same = kept.and_then(|kept| Candidate::of(pass.journey, Record::clone(&kept.fields)).ok()).is_some_and(|kept| kept.key == candidate.key);
        if same {
            known.insert(candidate.key.clone(), *one);
        }
    }
    Ok(())
}

/// The PX ids among the candidates' that PX knows.
fn px_users<'c>(pass: &Pass<'_>, candidates: impl Iterator<Item = &'c Candidate>) -> Result<HashSet<String>, Error> {
    let keys: Vec<Value> = candidates.filter_map(|candidate| candidate.px_id.as_ref()).map(Value::text).collect();
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let lookup =
        crate::model::Lookup { system: System::Px, object: "users".to_owned(), by: "identifyId".to_owned(), keys, fields: Vec::new(), filter: None };
    let found = pass.work().lookup(lookup)?;
    Ok(found.iter().filter_map(|user| user.get("identifyId")).map(ToString::to_string).collect())
}

pub(super) fn newcomer(pass: &Pass<'_>, candidate: Candidate, state: ParticipantState, reason: Option<String>) -> NewParticipant {
    let failed = state == ParticipantState::Failed;
    NewParticipant {
        journey: pass.name().to_owned(),
        key: candidate.key,
        email: candidate.email,
        px_id: candidate.px_id,
        fields: candidate.fields,
        facts: Vec::new(),
        state,
        step: (!failed).then(|| pass.journey.graph.start().map(|step| step.name.clone())).flatten(),
        since: pass.now,
        due: (!failed).then_some(pass.now),
        reason,
        entered: pass.now,
        ended: failed.then_some(pass.now),
        revision: pass.revision,
    }
}

pub(super) fn entry<const N: usize>(at: Timestamp, kind: EntryKind, detail: [(&str, Value); N]) -> Entry {
    let detail = detail.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Entry { at, kind: kind.word().to_owned(), step: None, detail }
}

/// Takes in what has happened, and moves everybody whose time has come. Gives back how many moved.
///
/// # Errors
/// When the state file fails; what was moved before stays moved.
pub(super) fn advance_all(pass: &Pass<'_>) -> Result<u64, Error> {
    let mut moved = 0;
    loop {
        pass.work().check_stop()?;
        let events = pass.store.unhandled(pass.name(), AT_ONCE)?;
        if events.is_empty() {
            break;
        }
        moved += make(pass, &with_events(pass, events)?)?;
    }
    loop {
        pass.work().check_stop()?;
        let due = pass.store.due(pass.name(), pass.now, AT_ONCE)?;
        if due.is_empty() {
            return Ok(moved);
        }
        moved += make(pass, &onward(pass, due)?)?;
    }
}

fn make(pass: &Pass<'_>, moves: &[Move]) -> Result<u64, Error> {
    if let Some(watch) = pass.watch {
        watch(moves);
    }
    pass.store.commit(moves)?;
    Ok(moves.len() as u64)
}

/// Where one goes from here.
pub(super) fn one(pass: &Pass<'_>, participant: Participant) -> Result<Option<Move>, Error> {
    Ok(onward(pass, vec![participant])?.pop())
}

/// Where each of these goes from here.
fn onward(pass: &Pass<'_>, people: Vec<Participant>) -> Result<Vec<Move>, Error> {
    let (messages, tomorrow) = (messages(pass, &people)?, day_after(pass.now, pass.zone));
    let go = |(at, participant): (usize, Participant)| {
        let messages = messages.get(at).map(Vec::as_slice).unwrap_or_default();
        let arrived = Arrived { journey: pass.journey, name: pass.name(), calendar: &pass.calendar, now: pass.now, messages, tomorrow };
        advance(arrived, participant)
    };
    Ok(side_by_side(people.into_iter().enumerate().collect(), go))
}

/// When messages went to each of these lately; nobody is asked for where the journey has no cap.
fn messages(pass: &Pass<'_>, people: &[Participant]) -> Result<Vec<Vec<Timestamp>>, Error> {
    let Some((_, length)) = pass.journey.pace.cap else { return Ok(Vec::new()) };
    let people: Vec<&str> = people.iter().map(|participant| person(participant).unwrap_or_default()).collect();
    Ok(pass.store.messages_of(&people, pass.calendar.before(pass.now, length))?)
}

/// Who messages are counted for: one person in however many journeys.
pub(super) fn person(participant: &Participant) -> Option<&str> {
    participant.email.as_deref().or(participant.px_id.as_deref())
}

/// Events become facts of their participants, who then go on if that is what they waited for.
fn with_events(pass: &Pass<'_>, events: Vec<InboxEvent>) -> Result<Vec<Move>, Error> {
    let mut by_participant: BTreeMap<ParticipantId, Vec<InboxEvent>> = BTreeMap::new();
    for event in events {
        by_participant.entry(event.participant).or_default().push(event);
    }
    let mut people = pass.store.participants_of(&by_participant.keys().copied().collect::<Vec<_>>())?;
    let mut heard: BTreeMap<ParticipantId, Vec<Entry>> = BTreeMap::new();
    let mut heard_from: BTreeMap<ParticipantId, usize> = people.iter().map(|participant| (participant.id, participant.facts.len())).collect();
    for participant in &mut people {
        let entries = heard.entry(participant.id).or_default();
        for event in by_participant.get(&participant.id).into_iter().flatten() {
            let score = event.payload.get("score").and_then(Value::as_f64);
            entries.push(Entry { at: event.at, kind: event.kind.word().to_owned(), step: Some(event.step.clone()), detail: event.payload.clone() });
            participant.facts.push(Fact { event: event.kind, step: event.step.clone(), at: event.at, score, channel: channel_of(pass, event) });
            for (fact, entry) in earlier::doings(pass, participant, event)? {
                participant.facts.push(fact);
                entries.push(entry);
            }
        }
    }
    let standing = |participant: &Participant| matches!(participant.state, ParticipantState::Active | ParticipantState::Waiting);
    let (standing, over): (Vec<Participant>, Vec<Participant>) = people.into_iter().partition(standing);
    let mut moves = onward(pass, standing)?;
    moves.extend(over.into_iter().map(still));
    for moved in &mut moves {
        let events = by_participant.remove(&moved.participant.id).unwrap_or_default();
        answered(pass, moved, &events);
        moved.events = events.iter().map(|event| event.id).collect();
        moved.facts_from = heard_from.remove(&moved.participant.id).or(Some(0));
        moved.entries.splice(0..0, heard.remove(&moved.participant.id).unwrap_or_default());
    }
    Ok(moves)
}

/// By which way an answer came: as it says, else as its survey was handed out.
fn channel_of(pass: &Pass<'_>, event: &InboxEvent) -> Option<Channel> {
    if event.kind != EventKind::Responded {
        return None;
    }
    match event.payload.get("channel").and_then(Value::as_str) {
        Some("email") => return Some(Channel::Email),
        Some("px") => return Some(Channel::Px),
        _ => (),
    }
    match pass.journey.graph.step(&event.step).map(|step| &step.does) {
        Some(Does::Survey { channel, .. }) => Some(*channel),
        _ => None,
    }
}

/// Whoever has ended only remembers.
pub(super) fn still(participant: Participant) -> Move {
    Move { participant, entries: Vec::new(), intents: Vec::new(), events: Vec::new(), moved: false, fields_changed: false, facts_from: Some(0) }
}

/// Whoever has answered a survey that is shown to them in PX leaves its audience (B15), by whatever way they answered, and also when they
/// are out of the journey by now.
fn answered(pass: &Pass<'_>, moved: &mut Move, events: &[InboxEvent]) {
    for event in events.iter().filter(|event| event.kind == EventKind::Responded) {
        let Some(survey) = shown_in_px(&pass.journey.graph, &moved.participant.facts, &event.step) else { continue };
        let intent = super::Intent::Leave { step: event.step.clone(), engagement: survey.to_owned() };
        moved.intents.push(crate::store::NewIntent {
            key: format!("{}/{}/{}/answered/{}", pass.name(), event.participant, event.step, event.id),
            participant: event.participant,
            journey: pass.name().to_owned(),
            step: event.step.clone(),
            intent: intent.text(),
            at: pass.now,
            not_before: pass.now,
        });
    }
}

/// The survey of a step, if the participant is shown it in PX: by the step itself, or by a reminder of it (B14).
pub(super) fn shown_in_px<'g>(graph: &'g Graph, facts: &[Fact], survey_step: &str) -> Option<&'g str> {
    let Some(Does::Survey { survey, channel, .. }) = graph.step(survey_step).map(|step| &step.does) else { return None };
    let reminds = |does: &Does| matches!(does, Does::Remind { of, channel: Channel::Px, .. } if of == survey_step);
    let reminded = || {
        let mut reminders = graph.steps.iter().filter(|step| reminds(&step.does));
        reminders.any(|step| facts.iter().any(|fact| fact.event == EventKind::Sent && fact.step == step.name))
    };
    (*channel == Channel::Px || reminded()).then_some(survey.as_str())
}
