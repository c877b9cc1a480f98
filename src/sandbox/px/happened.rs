//! Deriving what happened in a window of time: from usage, from memberships and the response model, and from what was sent.

use std::sync::{Arc, PoisonError};

use super::{
    audience::Spell,
    behaviour::{Model, Question, Said, Showing, model, questions, showing},
    catalogue::{DIGEST, PULSE, SEGMENTS, TIPS, TIPS_GUIDE},
    engagements::{self, Engagement},
    people::{Someone, Visit},
    state::{Px, fraction},
};
use crate::sandbox::{
    clock::{DAY_MS, date_of},
    company::{mix, product},
    documents::Row,
};

/// What a feed is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Custom,
    Mail,
    Engagements,
    /// Answers to surveys only.
    Answers,
    Features,
    Segments,
    Forms,
    Pages,
    Identities,
    Leads,
    Sessions,
}

/// One event: when, who, what.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) who: Arc<Someone>,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Session,
    Identity,
    Page(usize),
    Form,
    Feature(usize),
    Segment(usize),
    /// A track event of the product, and how many times before on that day.
    Track(usize, u32),
    /// A custom event that was sent, by its position in the table.
    Sent(u64),
    Mail(Mail),
    Shown(Arc<Engagement>, Step, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mail {
    Delivered,
    Opened,
    Clicked,
}

/// How far a showing has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Viewed,
    Completed,
    /// The answer to the question with this number.
    Answered(usize, Said),
}

impl About {
    fn engages(self) -> bool {
        matches!(self, Self::Engagements | Self::Answers)
    }
}

/// Everything of one kind from the first instant on, before the second, of these users; in order of time.
pub(super) fn events(px: &Px, about: About, (from, to): (i64, i64), users: impl Iterator<Item = Row>) -> Vec<Event> {
    px.audiences.write().unwrap_or_else(PoisonError::into_inner).refresh(px);
    let scene = Scene { px, about, from, to, model: model(px), engagements: engagements::all(px) };
    let mut events = Vec::new();
    match about {
        About::Custom => sent(&scene, users, &mut events),
        _ => users.filter_map(|row| Someone::of(px, &row)).for_each(|who| scene.of(&Arc::new(who), &mut events)),
    }
    events.sort_by_key(|event| (event.at, event.who.key));
    events
}

/// How far everybody came with an engagement: spell by spell, the showing, if there was one.
pub(super) fn showings(px: &Px, who: &Someone, until: i64) -> Vec<(Arc<Engagement>, Spell, Option<Showing>)> {
    let scene = Scene { px, about: About::Engagements, from: i64::MIN, to: until, model: model(px), engagements: engagements::all(px) };
    scene.showings(who)
}

struct Scene<'p> {
    px: &'p Px,
    about: About,
    from: i64,
    to: i64,
    model: Model,
    engagements: Vec<Arc<Engagement>>,
}

impl Scene<'_> {
    fn of(&self, who: &Arc<Someone>, events: &mut Vec<Event>) {
        if self.about.engages() {
            self.aimed(who, events);
            self.for_everybody(who, events);
            return;
        }
        if self.about == About::Mail {
            return self.digest(who, events);
        }
        let visits = who.visits(&self.px.company(), &self.model);
        for day in self.from.div_euclid(DAY_MS)..=(self.to - 1).div_euclid(DAY_MS) {
            if let Some(visit) = visits.on(day) {
                self.visited(who, visit, events);
            }
        }
    }

    fn push(&self, events: &mut Vec<Event>, at: i64, who: &Arc<Someone>, what: What) {
        if (self.from..self.to).contains(&at) && at >= who.from {
            events.push(Event { at, who: Arc::clone(who), what });
        }
    }

    /// What one visit shows; pages and features are told once for each session, in even distances.
    fn visited(&self, who: &Arc<Someone>, visit: Visit, events: &mut Vec<Event>) {
        let spread = |nth: usize| visit.begin + i64::try_from(nth).unwrap_or(0) * 60_000;
        let used = |of: &dyn Fn(&crate::sandbox::company::Usage) -> bool| visit.usage.as_ref().is_some_and(of);
        match self.about {
            About::Sessions => self.push(events, visit.begin, who, What::Session),
            About::Identities => self.push(events, visit.begin, who, What::Identity),
            About::Pages => {
                let pages = product::pages().map(|page| page.number).filter(|page| used(&|usage| usage.page_views(*page) > 0));
                pages.enumerate().for_each(|(nth, page)| self.push(events, spread(nth), who, What::Page(page)));
            }
            About::Features => {
                let features = product::features().map(|feature| feature.number).filter(|feature| used(&|usage| usage.feature_clicks(*feature) > 0));
                features.enumerate().for_each(|(nth, feature)| self.push(events, spread(nth), who, What::Feature(feature)));
            }
            About::Segments => {
                let role = who.person.map(|person| self.px.company().person(person).role);
                let member = |(_, wanted): &(&str, Option<&str>)| wanted.is_none() || *wanted == role;
                let matching = SEGMENTS.iter().enumerate().filter(|(_, segment)| member(segment));
                matching.for_each(|(number, _)| self.push(events, visit.begin, who, What::Segment(number)));
            }
            About::Forms if used(&|usage| usage.tracked(1) > 0) => self.push(events, spread(1), who, What::Form),
            About::Custom => {
                for kind in product::track_types().map(|kind| kind.number) {
                    let times = visit.usage.map_or(0, |usage| usage.tracked(kind));
                    (0..times).for_each(|nth| self.push(events, spread(kind + 3 * nth as usize), who, What::Track(kind, nth)));
                }
            }
            _ => {}
        }
    }

    /// Engagements that somebody was in the audience of.
    fn aimed(&self, who: &Arc<Someone>, events: &mut Vec<Event>) {
        for (engagement, spell, showing) in self.showings(who) {
            if let Some(showing) = showing {
                self.steps(who, &engagement, spell.from, showing, events);
            }
        }
    }

    /// One after the other: what is no survey and was completed is not shown again.
    fn showings(&self, who: &Someone) -> Vec<(Arc<Engagement>, Spell, Option<Showing>)> {
        let audiences = self.px.audiences.read().unwrap_or_else(PoisonError::into_inner);
        let visits = who.visits(&self.px.company(), &self.model);
        let mut all = Vec::new();
        for (id, spells) in audiences.of(&who.id) {
            let Some(engagement) = self.engagements.iter().find(|known| known.id == id && known.by_journey) else { continue };
            let mut done = false;
            for spell in spells.into_iter().filter(|spell| spell.from < self.to) {
                let shown = (!done).then(|| showing(&self.model, who, &visits, engagement, spell, self.to)).flatten();
                done |= !engagement.is_survey() && shown.is_some_and(|shown| shown.ended.is_some());
                all.push((Arc::clone(engagement), spell, shown));
            }
        }
        all
    }

    fn steps(&self, who: &Arc<Someone>, engagement: &Arc<Engagement>, begin: i64, showing: Showing, events: &mut Vec<Event>) {
        let execution = mix(who.key ^ mix(begin.unsigned_abs()) ^ xxhash_rust::xxh3::xxh3_64(engagement.id.as_bytes()));
        let mut push = |at, step| self.push(events, at, who, What::Shown(Arc::clone(engagement), step, execution));
        if self.about == About::Engagements {
            push(showing.viewed, Step::Viewed);
        }
        let Some(ended) = showing.ended else { return };
        if !engagement.is_survey() {
            if self.about == About::Engagements {
                push(ended, Step::Completed);
            }
            return;
        }
        for (number, question) in questions(&engagement.kind).iter().enumerate() {
            let said = Question::answer(*question, &self.model, who.pattern, mix(showing.drawn ^ number as u64));
            push(ended + i64::try_from(number).unwrap_or(0) * 5_000, Step::Answered(number, said));
        }
    }

    /// Engagements without an audience, as the company's guides and surveys go.
    fn for_everybody(&self, who: &Arc<Someone>, events: &mut Vec<Event>) {
        let Some(person) = who.person else { return };
        let (company, first, last) = (self.px.company(), self.from.div_euclid(DAY_MS), (self.to - 1).div_euclid(DAY_MS));
        let started = |name: &str, at: i64| self.engagements.iter().find(|known| known.name == name && !known.by_journey && known.is_started(at));
        let at = |day: i64, minute: u32| day * DAY_MS + i64::from(minute) * 60_000;
        for answer in company.nps_answers(person, first, last) {
            let viewed = at(answer.day, answer.minute);
            let Some(engagement) = started(PULSE, viewed) else { continue };
            let execution = mix(who.key ^ viewed.unsigned_abs());
            let said = Said { question: questions(&engagement.kind)[0], score: Some(answer.score), choice: None, comment: answer.comment };
            if self.about == About::Engagements {
                self.push(events, viewed, who, What::Shown(Arc::clone(engagement), Step::Viewed, execution));
            }
            self.push(events, viewed + 40_000, who, What::Shown(Arc::clone(engagement), Step::Answered(0, said), execution));
        }
        if self.about == About::Answers {
            return;
        }
        let habits = company.habits(person);
        for day in (first..=last).filter(|day| habits.on(*day).is_some()) {
            for view in company.guide_views(person, day).filter(|view| view.guide == TIPS_GUIDE) {
                let viewed = at(view.day, view.minute);
                let Some(engagement) = started(TIPS, viewed) else { continue };
                let execution = mix(who.key ^ viewed.unsigned_abs());
                self.push(events, viewed, who, What::Shown(Arc::clone(engagement), Step::Viewed, execution));
                if view.completed {
                    self.push(events, viewed + 60_000, who, What::Shown(Arc::clone(engagement), Step::Completed, execution));
                }
            }
        }
    }

    /// A mail on the first of each month at eight.
    fn digest(&self, who: &Arc<Someone>, events: &mut Vec<Event>) {
        let first = |day: &i64| date_of(*day).day() == 1;
        for day in (self.from.div_euclid(DAY_MS)..=(self.to - 1).div_euclid(DAY_MS)).filter(first) {
            let at = day * DAY_MS + 8 * 3_600_000;
            if !self.engagements.iter().any(|known| known.name == DIGEST && known.is_started(at)) {
                continue;
            }
            let drawn = mix(who.key ^ mix(day.unsigned_abs()));
            let later = |shift: u32| i64::try_from((drawn >> shift) % 7_200_000).unwrap_or(0);
            self.push(events, at, who, What::Mail(Mail::Delivered));
            if fraction(drawn) < 0.4 {
                self.push(events, at + later(3), who, What::Mail(Mail::Opened));
            }
            if fraction(drawn) < 0.1 {
                self.push(events, at + later(3) + later(9), who, What::Mail(Mail::Clicked));
            }
        }
    }
}

/// Custom events: those of the product, and those that were sent by users that are still there.
fn sent(scene: &Scene<'_>, users: impl Iterator<Item = Row>, events: &mut Vec<Event>) {
    let mut chosen = std::collections::HashMap::new();
    for who in users.filter_map(|row| Someone::of(scene.px, &row)).map(Arc::new) {
        scene.of(&who, events);
        chosen.insert(who.id.clone(), who);
    }
    for row in scene.px.sent.scan() {
        let at = row.get("date").as_i64().unwrap_or_default();
        if let Some(who) = row.get("identifyId").as_str().and_then(|id| chosen.get(id)) {
            scene.push(events, at, who, What::Sent(row.position()));
        }
    }
}
