//! People added by hand or from a list (B8): by the same rules as those of the journey's source, with what became of each.

use std::collections::HashMap;

use crate::{
    flow::{Error, cell::compute},
    model::{Record, Value, with_aliases},
    script::{Declaration, Journey, Participants},
    store::{EntryKind, ParticipantId, ParticipantState},
};

use super::{
    Desk,
    enter::{BETWEEN, Candidate, Entrance, INVALID_PX_USER},
    pass::{Pass, entry, judge, newcomer},
};

/// People of one transaction.
const AT_ONCE: usize = 500;

/// What became of somebody who was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Is in now.
    Entered,
    /// Is in already, or has been and may not come again.
    Stayed,
    /// Is not in: a failed participant where the vendor makes one (B8), else nothing at all.
    Failed,
}

impl Became {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Stayed => "stayed",
            Self::Failed => "failed",
        }
    }
}

/// One row, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The values of `unique_on`; blank when the row lacks one.
    pub person: String,
    pub became: Became,
    /// Why they are not in.
    pub reason: Option<String>,
    /// The new participation, also a failed one; none when nobody was added, or on paper.
    pub participant: Option<ParticipantId>,
}

/// Adds people to a published journey. The filter of its source is not asked: who adds somebody by name means it. Computed fields that a row
/// does not bring are computed. A row that could not be read is given as why. Nobody moves by this: the next run of the journey does it.
///
/// With `on_paper` nobody is added; what would become of each is told.
///
/// # Errors
/// When PX cannot be asked, the state file fails, or the work is interrupted. Those added before stay.
pub fn add(
    desk: &Desk<'_>,
    declaration: &Declaration,
    journey: &Journey,
    people: Vec<Result<Record, String>>,
    on_paper: bool,
) -> Result<Vec<Added>, Error> {
    let revision = desk.store.program(&declaration.name)?.map_or(0, |program| program.revision);
    let pass = desk.pass(declaration, journey, revision)?;
    let (mut seen, mut all) = (HashMap::new(), Vec::with_capacity(people.len()));
    let mut people = people.into_iter().peekable();
    while people.peek().is_some() {
        pass.work().check_stop()?;
        let more = some(&pass, people.by_ref().take(AT_ONCE), (all.len(), &mut seen), on_paper)?;
        all.extend(more);
    }
    Ok(all)
}

/// Some of them in one transaction. `seen` knows the row of everybody before.
fn some(
    pass: &Pass<'_>,
    people: impl Iterator<Item = Result<Record, String>>,
    (before, seen): (usize, &mut HashMap<String, usize>),
    on_paper: bool,
) -> Result<Vec<Added>, Error> {
    let (mut added, mut candidates): (Vec<Added>, Vec<Candidate>) = (Vec::new(), Vec::new());
    for person in people {
        let row = before + added.len();
        added.push(match person.and_then(|person| candidate(pass, person)) {
            Err(why) => Added { person: String::new(), became: Became::Failed, reason: Some(why), participant: None },
            Ok(candidate) => match seen.get(&candidate.key) {
                Some(first) => Added::of(&candidate, Became::Stayed, Some(format!("is the same person as in row {}", first + 1))),
                None => {
                    seen.insert(candidate.key.clone(), row);
                    let entered = Added::of(&candidate, Became::Entered, None);
                    candidates.push(candidate);
                    entered
                }
            },
        });
    }
    let (mut entering, mut histories, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (candidate, _, becomes) in judge(pass, candidates)? {
        let row = seen.get(&candidate.key).map_or(0, |row| row - before);
        let (state, reason, told) = match becomes {
            Entrance::Enter => (ParticipantState::Active, None, entry(pass.now, EntryKind::Entered, [("by", Value::text("hand"))])),
            Entrance::Fails(why) => {
                let told = entry(pass.now, EntryKind::Failed, [("reason", Value::text(&why))]);
                (ParticipantState::Failed, Some(why), told)
            }
            Entrance::Stays(why) => {
                let became = if why == INVALID_PX_USER { Became::Failed } else { Became::Stayed };
                added[row] = Added::of(&candidate, became, Some(why));
                continue;
            }
        };
        if let Some(why) = &reason {
            added[row] = Added::of(&candidate, Became::Failed, Some(why.clone()));
        }
        entering.push(newcomer(pass, candidate, state, reason));
        histories.push(vec![told]);
        rows.push(row);
    }
    if !on_paper && !entering.is_empty() {
        let ids = pass.store.enter(&entering, &histories)?;
        rows.into_iter().zip(ids).for_each(|(row, id)| added[row].participant = Some(id));
    }
    Ok(added)
}

impl Added {
    fn of(candidate: &Candidate, became: Became, reason: Option<String>) -> Self {
        Self { person: candidate.key.trim_end_matches(BETWEEN).replace(BETWEEN, ", "), became, reason, participant: None }
    }
}

/// A row as somebody who could take part, with the computed fields that it does not bring.
fn candidate(pass: &Pass<'_>, person: Record) -> Result<Candidate, String> {
    let mut person = with_aliases(person);
    if let Participants::Source { computed, .. } = &pass.journey.participants {
        for map in computed {
            if person.get(&map.target).is_none() {
                let value = compute(&map.from, &person, pass.date).map_err(|fault| format!("`{}` cannot be computed: {fault}", map.target))?;
                person.set(map.target.as_str(), value);
            }
        }
    }
    Candidate::of(pass.journey, person)
}
