//! Usage of a day: minutes and events per app, page views, feature clicks, track events.

use super::{Company, Pattern, accounts::signed, fraction, product};

/// How a person uses the product: computed once, then asked for each day.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    seed: u64,
    pattern: Pattern,
    origin: i64,
    /// The day of the first visit; there is usage on that day.
    pub first_day: i64,
    /// How likely a working day is one with usage, at the origin.
    rate: f64,
    mobile: bool,
}

/// What a person did in the product on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub day: i64,
    /// Minutes with activity, all apps.
    pub minutes: u32,
    /// Page views and feature clicks, all apps.
    pub events: u32,
    /// Minutes after midnight UTC.
    pub first_minute: u32,
    pub last_minute: u32,
    drawn: u64,
    mobile_events: u32,
    mobile_minutes: u32,
}

impl Company {
    /// The day of a person's first visit: with the account or up to 300 days later, and never long before the origin.
    pub(super) fn first_day(&self, person: u64, account: u64) -> i64 {
        let created = self.created(account, self.pattern(account)).max(self.origin - 400);
        let room = (self.origin - 1 - created).clamp(1, 300).unsigned_abs();
        created + signed(self.draw(40, person, 0) % room)
    }

    /// How a person uses the product.
    pub fn habits(&self, person: u64) -> Habits {
        self.habits_of(person, self.account_of(person))
    }

    /// The same for who knows the person's account.
    pub fn habits_of(&self, person: u64, account: u64) -> Habits {
        let drawn = self.draw(41, person, 0);
        let keen = fraction(drawn);
        Habits {
            seed: self.draw(42, person, 0),
            pattern: self.pattern(account),
            origin: self.origin,
            first_day: self.first_day(person, account),
            rate: 0.04 + keen * keen * 0.8,
            mobile: drawn.is_multiple_of(4),
        }
    }

    /// How many people of an account used the product on one of the 30 days up to a day.
    pub fn active_users(&self, account: u64, day: i64) -> u64 {
        let active = |person: &u64| {
            let habits = self.habits_of(*person, account);
            (day - 29..=day).rev().any(|day| habits.on(day).is_some())
        };
        self.people_of(account).filter(active).count() as u64
    }

    /// What a person did on a day; none when nothing.
    pub fn usage(&self, person: u64, day: i64) -> Option<Usage> {
        self.habits(person).on(day)
    }
}

impl Habits {
    /// What the person did on a day; none when nothing.
    pub fn on(&self, day: i64) -> Option<Usage> {
        if day < self.first_day {
            return None;
        }
        let drawn = super::mix(self.seed ^ day.unsigned_abs().wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let active = fraction(drawn) < self.rate_on(day) || day == self.first_day;
        active.then(|| self.usage(day, super::mix(drawn)))
    }

    /// The last day with usage up to a day; none before the first visit.
    pub fn last_day(&self, until: i64) -> Option<i64> {
        let until = match self.pattern {
            Pattern::Quiet { since } => until.min(since.max(self.first_day)),
            _ => until,
        };
        (self.first_day..=until).rev().find(|day| self.on(*day).is_some())
    }

    /// Whether the person also uses the mobile app.
    pub fn mobile(&self) -> bool {
        self.mobile
    }

    fn rate_on(&self, day: i64) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let months = (day - self.origin) as f64 / 30.0;
        let trend = match self.pattern {
            Pattern::Steady => 1.0,
            Pattern::Growing => (1.0 + months * 0.25).clamp(0.25, 1.5),
            Pattern::Falling => (1.0 - months * 0.3).clamp(0.03, 1.6) * 0.5,
            Pattern::Quiet { since } if day >= since => 0.0,
            Pattern::Quiet { .. } => 0.7,
            Pattern::New => 1.1,
        };
        // The epoch was a Thursday.
        let weekend = matches!((day + 3).rem_euclid(7), 5 | 6);
        (self.rate * trend).min(0.95) * if weekend { 0.15 } else { 1.0 }
    }

    fn usage(&self, day: i64, drawn: u64) -> Usage {
        let small = |shift: u32, below: u64| u32::try_from((drawn >> shift) % below).unwrap_or(0);
        let minutes = 2 + small(0, 40) + small(6, 30) * small(11, 3);
        let events = minutes * (2 + small(14, 4)) + small(17, 7);
        let first_minute = 420 + small(20, 480);
        let last_minute = (first_minute + minutes + small(29, 240)).min(1_439);
        let (mobile_minutes, mobile_events) = if self.mobile { (minutes / 4, events / 4) } else { (0, 0) };
        Usage { day, minutes, events, first_minute, last_minute, drawn, mobile_events, mobile_minutes }
    }
}

impl Usage {
    /// Minutes and events in one app, by its index; none when the app was not used.
    pub fn in_app(&self, app: usize) -> Option<(u32, u32)> {
        let (minutes, events) = match app {
            0 => (self.minutes - self.mobile_minutes, self.events - self.mobile_events),
            1 => (self.mobile_minutes, self.mobile_events),
            _ => (0, 0),
        };
        (events > 0).then_some((minutes, events))
    }

    /// Views of a page, by its number. Page views and feature clicks of an app add up to its events.
    pub fn page_views(&self, page: usize) -> u32 {
        let (views, mobile_views) = (page_share(self.events - self.mobile_events), page_share(self.mobile_events));
        match page.checked_sub(product::WEB_PAGES) {
            None => share(views, page, product::WEB_PAGES, self.drawn >> 32, &[1, 3, 7, 9]),
            Some(page) => share(mobile_views, page, 2, self.drawn >> 40, &[1]),
        }
    }

    /// Clicks of a feature, by its number.
    pub fn feature_clicks(&self, feature: usize) -> u32 {
        let clicks = |events: u32| events - page_share(events);
        match feature.checked_sub(product::WEB_FEATURES) {
            None => share(clicks(self.events - self.mobile_events), feature, product::WEB_FEATURES, self.drawn >> 36, &[1, 2, 5, 6]),
            Some(feature) => share(clicks(self.mobile_events), feature, 3, self.drawn >> 44, &[1, 2]),
        }
    }

    /// How often a track event was sent, by its number.
    pub fn tracked(&self, track_type: usize) -> u32 {
        let drawn = super::mix(self.drawn ^ track_type as u64);
        if drawn.is_multiple_of(6) { 1 + u32::try_from((drawn >> 32) % 3).unwrap_or(0) } else { 0 }
    }
}

/// Of the events of an app, three in five are page views.
const fn page_share(events: u32) -> u32 {
    events * 3 / 5
}

/// The part of `total` that falls on one of `among` things: up to four of them get an equal part, the first ones the rest.
fn share(total: u32, thing: usize, among: usize, drawn: u64, strides: &[usize]) -> u32 {
    #[allow(clippy::cast_possible_truncation)]
    let (chosen, start, stride) =
        (1 + (drawn as usize & 3).min(among - 1), (drawn >> 2) as usize % among, strides[(drawn >> 8) as usize % strides.len()]);
    let Some(place) = (0..chosen).find(|place| (start + place * stride) % among == thing) else { return 0 };
    #[allow(clippy::cast_possible_truncation)]
    let (chosen, place) = (chosen as u32, place as u32);
    total / chosen + u32::from(place < total % chosen)
}
