//! Who is in the audience of an engagement, and since when: the memberships of the external segments that are its audience.
//!
//! No call of the API says which segments those are: at the vendor somebody picks them in the console, where the engagement is made
//! (`POST /_sandbox/audience` here). As long as the sandbox is not strict it picks one by itself, by the segment's name.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError},
};

use serde_json::{Value, json};

use super::{
    answer::{Answer, Answered, not_found},
    query::{body, needed},
    state::Px,
};
use crate::sandbox::documents::Table;

/// From when until when somebody was in an audience; no end while in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) from: i64,
    pub(super) to: Option<i64>,
}

/// The memberships in memory: read again whenever the table has another number of rows than were counted.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    counted: u64,
    /// By participant and engagement, in the order they began.
    spells: BTreeMap<(String, String), Vec<Spell>>,
    /// The row of each membership that goes on, by segment and identity.
    open: HashMap<(String, String), String>,
}

impl Audiences {
    /// Reads the table when it holds what is not known yet.
    pub(super) fn refresh(&mut self, px: &Px) {
        if self.counted == px.members.len() {
            return;
        }
        *self = Self { counted: px.members.len(), ..Self::default() };
        let picked = picked(px);
        for row in px.members.scan() {
            let text = |field: &str| row.get(field).as_str().unwrap_or_default().to_owned();
            let (from, to) = (row.get("qualifiedAt").as_i64().unwrap_or_default(), row.get("removedAt").as_i64());
            if to.is_none() {
                self.open.insert((text("segmentId"), text("participant")), row.id().into_owned());
            }
            let participant = text("participant");
            let by_name = Some(text("engagementId")).filter(|id| !id.is_empty()).map(|id| (id, i64::MIN));
            let by_hand = picked.get(&text("segmentId")).into_iter().flatten().cloned();
            for (engagement, since) in by_name.into_iter().chain(by_hand) {
                let from = from.max(since);
                if to.is_none_or(|to| to > from) {
                    self.spells.entry((participant.clone(), engagement)).or_default().push(Spell { from, to });
                }
            }
        }
    }

    /// Rows will be read again.
    pub(super) fn forget(&mut self) {
        self.counted = 0;
        self.spells.clear();
        self.open.clear();
    }

    /// The row of a membership that goes on.
    pub(super) fn open(&self, segment: &str, identity: &str) -> Option<&str> {
        self.open.get(&(segment.to_owned(), identity.to_owned())).map(String::as_str)
    }

    /// For each engagement somebody was in the audience of: from when until when, two memberships at once being one.
    pub(super) fn of<'a>(&'a self, participant: &str) -> impl Iterator<Item = (&'a str, Vec<Spell>)> {
        let begin = (participant.to_owned(), String::new());
        let mine = self.spells.range(begin.clone()..).take_while(move |((known, _), _)| *known == begin.0);
        mine.map(|((_, engagement), spells)| (engagement.as_str(), joined(spells)))
    }

    /// Everybody who was in an audience.
    pub(super) fn participants(&self) -> impl Iterator<Item = &str> {
        let mut last = "";
        self.spells.keys().map(|(participant, _)| participant.as_str()).filter(move |participant| {
            let new = *participant != last;
            last = participant;
            new
        })
    }
}

/// Spells that overlap become one.
fn joined(spells: &[Spell]) -> Vec<Spell> {
    let mut sorted = spells.to_vec();
    sorted.sort_by_key(|spell| spell.from);
    let mut all: Vec<Spell> = Vec::with_capacity(sorted.len());
    for spell in sorted {
        match all.last_mut() {
            Some(last) if last.to.is_none_or(|to| to >= spell.from) => {
                last.to = last.to.zip(spell.to).map(|(a, b)| a.max(b));
            }
            _ => all.push(spell),
        }
    }
    all
}

/// The engagement that the sandbox makes a segment the audience of by itself: the one whose id its name or external id ends with, after a
/// colon. A strict one makes none.
pub(super) fn bound_to(px: &Px, segment: &Value) -> String {
    if px.world.strict {
        return String::new();
    }
    let ends = ["name", "externalId"].into_iter().filter_map(|field| segment[field].as_str()?.rsplit_once(':').map(|(_, id)| id.to_owned()));
    ends.into_iter().find(|id| px.engagements.get(id).is_some()).unwrap_or_default()
}

/// By segment, the engagements whose audience somebody picked it as, and since when.
fn picked(px: &Px) -> HashMap<String, Vec<(String, i64)>> {
    let mut all: HashMap<String, Vec<(String, i64)>> = HashMap::new();
    for row in px.picked.scan() {
        let text = |field: &str| row.get(field).as_str().unwrap_or_default().to_owned();
        all.entry(text("segmentId")).or_default().push((text("engagementId"), row.get("since").as_i64().unwrap_or_default()));
    }
    all
}

/// `POST /_sandbox/audience` `{"engagement": .., "segment": ..}`, each by its id or its name: an administrator picks the segment as the
/// engagement's audience. Whoever is in it qualifies from then on.
pub(super) fn pick(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let (engagement, segment) = (needed("audience", &sent, "engagement")?, needed("audience", &sent, "segment")?);
    let named = |table: &Arc<Table>, what: &str| table.get(what).or_else(|| table.scan().find(|row| *row.get("name") == what));
    let engagement = named(&px.engagements, engagement).ok_or_else(|| not_found("Engagement", engagement))?.id().into_owned();
    let segment = named(&px.external, segment).ok_or_else(|| not_found("External segment", segment))?.id().into_owned();
    let fields = json!({"engagementId": engagement, "segmentId": segment, "since": px.now()});
    let id = format!("{engagement}/{segment}");
    if px.picked.get(&id).is_none()
        && let Value::Object(fields) = fields.clone()
    {
        px.documents.insert(&px.picked, &id, fields)?;
    }
    px.audiences.write().unwrap_or_else(PoisonError::into_inner).forget();
    Ok(Answer::Body(fields))
}
