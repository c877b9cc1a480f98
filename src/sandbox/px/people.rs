//! Who a user is to the product: visits and habits. The company's people come as their usage says; users that were made here come on
//! three working days in ten.

use serde_json::Value;

use super::{
    behaviour::Model,
    state::{Px, fraction},
};
use crate::sandbox::{
    clock::DAY_MS,
    company::{Company, Habits, Pattern, Usage, mix},
    documents::Row,
};

/// A user, as deriving what happened needs it.
#[derive(Debug, Clone)]
pub(super) struct Someone {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) kind: String,
    /// What all of this user's drawn numbers follow from.
    pub(super) key: u64,
    /// The index among the company's people.
    pub(super) person: Option<u64>,
    pub(super) pattern: Pattern,
    /// Nothing happened before.
    pub(super) from: i64,
    /// Preferences.
    pub(super) guided: bool,
    pub(super) surveyed: bool,
}

impl Someone {
    /// The user of a row; none when denied.
    pub(super) fn of(px: &Px, row: &Row) -> Option<Self> {
        if row.written("denied").is_some_and(|denied| *denied == Value::Bool(true)) {
            return None;
        }
        let (company, id) = (px.company(), row.id().into_owned());
        let person = row.index().or_else(|| company.person_of_email(&id));
        let text = |field: &str| row.get(field).as_str().unwrap_or_default().to_owned();
        let preferences = row.written("preferences").map(std::borrow::Cow::into_owned).unwrap_or_default();
        let unsubscribed = row.written("globalUnsubscribe").is_some_and(|value| *value == Value::Bool(true));
        let wants = |name: &str| !unsubscribed && preferences[name].as_bool().unwrap_or(true);
        Some(Self {
            account: text("accountId"),
            kind: text("type"),
            key: key(&company, &id),
            person,
            pattern: person.map_or(Pattern::Steady, |person| company.pattern(company.account_of(person))),
            from: row.written("historyFrom").and_then(|at| at.as_i64()).unwrap_or(i64::MIN),
            guided: wants("guidedTours"),
            surveyed: wants("surveys"),
            id,
        })
    }

    /// A user of whom nothing was written: one of the company's people by the address, or somebody made here.
    pub(super) fn known(company: &Company, id: &str) -> Self {
        let person = company.person_of_email(id);
        Self {
            id: id.to_owned(),
            account: String::new(),
            kind: String::new(),
            key: key(company, id),
            person,
            pattern: person.map_or(Pattern::Steady, |person| company.pattern(company.account_of(person))),
            from: i64::MIN,
            guided: true,
            surveyed: true,
        }
    }

    pub(super) fn visits(&self, company: &Company, model: &Model) -> Visits {
        let habits = self.person.map(|person| company.habits(person));
        Visits { habits, key: self.key, daily: model.visit_probability, from: self.from }
    }
}

fn key(company: &Company, id: &str) -> u64 {
    mix(xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), company.seed))
}

/// The visits of one user.
pub(super) struct Visits {
    habits: Option<Habits>,
    key: u64,
    daily: Option<f64>,
    from: i64,
}

/// One visit: one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub(super) begin: i64,
    pub(super) end: i64,
    pub(super) usage: Option<Usage>,
}

impl Visits {
    /// The visit of a day, if there is one.
    pub(super) fn on(&self, day: i64) -> Option<Visit> {
        let drawn = mix(self.key ^ day.unsigned_abs().wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let visit = match (&self.habits, self.daily) {
            (Some(habits), None) => {
                let usage = habits.on(day)?;
                let at = |minute: u32| day * DAY_MS + i64::from(minute) * 60_000;
                Visit { begin: at(usage.first_minute), end: at(usage.last_minute), usage: Some(usage) }
            }
            (habits, daily) => {
                // The epoch was a Thursday.
                let weekend = matches!((day + 3).rem_euclid(7), 5 | 6);
                let probability = daily.unwrap_or(if weekend { 0.0 } else { 0.3 });
                (fraction(drawn) < probability).then_some(())?;
                let begin = day * DAY_MS + i64::try_from(420 + (drawn >> 7) % 480).unwrap_or(420) * 60_000;
                Visit { begin, end: begin + 20 * 60_000, usage: habits.as_ref().and_then(|habits| habits.on(day)) }
            }
        };
        (visit.begin >= self.from).then_some(visit)
    }
}
