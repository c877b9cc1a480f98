//! Two versions of a journey: who would come to another step, and who would be let in or left out.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::{
    connectors::Stop,
    flow::journey::{Arrived, Calendar, Candidate, advance, day_after},
    model::{Record, Source, Timestamp, with_aliases},
    script::{Journey, Participants},
    store::{Participant, ParticipantState},
};

use super::{Comparison, Difference, sample::Given};

/// Who is looked at, and when.
pub struct People<'a> {
    pub name: &'a str,
    /// Those who stand somewhere in the journey.
    pub standing: Vec<Participant>,
    /// People that the journey's source brought lately, those among them who were not let in, too.
    pub given: &'a Given,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    pub stop: &'a Stop,
}

/// Moves everybody by the earlier and by the new version, as they stand now and as they will when their time has come.
pub fn compare_journeys(earlier: &Journey, new: &Journey, people: &People<'_>) -> Comparison {
    let mut comparison = Comparison { records: people.standing.len() + people.given.records(), ..Comparison::default() };
    let (before, now) = (Version::of(earlier, people), Version::of(new, people));
    for participant in &people.standing {
        if people.stop.requested() {
            return comparison;
        }
        let moves = [people.now, people.now.max(participant.due.unwrap_or(people.now))];
        let elsewhere = moves.into_iter().map(|at| (before.goes(participant, at), now.goes(participant, at))).find(|(from, to)| from != to);
        if let Some((from, to)) = elsewhere {
            let step = participant.step.clone().unwrap_or_default();
            comparison.differences.push(Difference::Branch { key: shown(&participant.key), step, from, to });
        }
    }
    let (mut was, mut is) = (before.door(people.given), now.door(people.given));
    let keys: Vec<String> = was.keys().chain(is.keys()).cloned().collect();
    for key in keys {
        let nobody = || Err("is not looked for".to_owned());
        match (was.remove(&key).unwrap_or_else(nobody), is.remove(&key).unwrap_or_else(nobody)) {
            (Ok(()), Err(reason)) => comparison.differences.push(Difference::LeftOut { key: shown(&key), reason }),
            (Err(_), Ok(())) => comparison.differences.push(Difference::LetIn { key: shown(&key) }),
            _ => (),
        }
    }
    comparison
}

/// One version, ready to move people.
struct Version<'a> {
    journey: &'a Journey,
    calendar: Calendar,
    name: &'a str,
    zone: &'a TimeZone,
}

impl<'a> Version<'a> {
    fn of(journey: &'a Journey, people: &People<'a>) -> Self {
        Self { journey, calendar: Calendar::new(&journey.pace, people.zone), name: people.name, zone: people.zone }
    }

    /// Where somebody comes to at a time, in words.
    fn goes(&self, participant: &Participant, at: Timestamp) -> String {
        let arrived =
            Arrived { journey: self.journey, name: self.name, calendar: &self.calendar, now: at, messages: &[], tomorrow: day_after(at, self.zone) };
        let moved = advance(arrived, participant.clone()).participant;
        match moved.state {
            ParticipantState::Active | ParticipantState::Waiting => moved.step.unwrap_or_default(),
            state => match moved.reason {
                Some(reason) => format!("{} ({reason})", state.word()),
                None => state.word().to_owned(),
            },
        }
    }

    /// Who would be let in, by key, or why not.
    fn door(&self, given: &Given) -> BTreeMap<String, Result<(), String>> {
        let Participants::Source { source, rows, .. } = &self.journey.participants else { return BTreeMap::new() };
        let mut found = BTreeMap::new();
        for (_, records) in given.sources.iter().filter(|(kept, _)| super::sample::alike(kept, source)) {
            for record in records.iter() {
                let row = with_aliases(record.clone());
                let filtered = match source {
                    Source::Object(query) => query.filter.as_ref().is_some_and(|filter| !filter.matches(&row, self.zone)),
                    _ => false,
                };
                let kept = match rows.pass(&row, self.zone) {
                    _ if filtered => Err("does not pass the source's filter".to_owned()),
                    Ok(true) => Ok(()),
                    Ok(false) => Err("does not pass the filter".to_owned()),
                    Err(fault) => Err(fault.message),
                };
                match self.key(row) {
                    Ok(key) => drop(found.insert(key, kept)),
                    Err((key, why)) => drop(found.insert(key, Err(why))),
                }
            }
        }
        found
    }

    fn key(&self, row: Record) -> Result<String, (String, String)> {
        let first = row.iter().next().map(|(_, value)| value.to_string()).unwrap_or_default();
        Candidate::of(self.journey, row).map(|candidate| candidate.key).map_err(|why| (first, why))
    }
}

/// A key as people read it.
fn shown(key: &str) -> String {
    key.trim_end_matches('\u{1f}').replace('\u{1f}', "|")
}
