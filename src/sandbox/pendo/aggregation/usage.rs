//! Rows of usage: one for each visitor, app (or page, feature, track event) and period.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    ops::Range,
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    datum::{Datum, Key},
    row::{Body, Context, Row},
    source::{Apps, Blacklist},
    window::{Period, Window},
};
use crate::sandbox::{
    clock::DAY_MS,
    company::{Usage, product},
    pendo::{
        people,
        state::{happened, moment},
    },
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    App,
    Page,
    Feature,
    Track,
}

/// A row of usage, before anything of it is spelt out.
#[derive(Debug, Clone)]
pub(super) struct Event {
    class: Class,
    pub(super) visitor: Datum,
    pub(super) account: Datum,
    app: usize,
    period: Period,
    /// The start of the period.
    start: i64,
    first: i64,
    last: i64,
    events: u32,
    minutes: u32,
    /// The id of the page, feature or track type.
    item: Option<Arc<str>>,
    properties: Option<Arc<Value>>,
}

/// The fields of a row of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventField {
    Visitor,
    Account,
    App,
    Period(Period),
    First,
    Last,
    Item(Class),
    Events,
    Minutes,
    Server,
    UserAgent,
    RemoteIp,
    Country,
    Region,
    /// Clicks in rage and the like: nobody does.
    Never,
    Parameters,
    Properties,
}

const FIELDS: [(&str, EventField); 23] = [
    ("visitorId", EventField::Visitor),
    ("accountId", EventField::Account),
    ("appId", EventField::App),
    ("hour", EventField::Period(Period::Hour)),
    ("day", EventField::Period(Period::Day)),
    ("week", EventField::Period(Period::Week)),
    ("month", EventField::Period(Period::Month)),
    ("quarter", EventField::Period(Period::Quarter)),
    ("firstTime", EventField::First),
    ("lastTime", EventField::Last),
    ("pageId", EventField::Item(Class::Page)),
    ("featureId", EventField::Item(Class::Feature)),
    ("trackTypeId", EventField::Item(Class::Track)),
    ("numEvents", EventField::Events),
    ("numMinutes", EventField::Minutes),
    ("remoteIp", EventField::RemoteIp),
    ("server", EventField::Server),
    ("userAgent", EventField::UserAgent),
    ("country", EventField::Country),
    ("region", EventField::Region),
    ("rageClickCount", EventField::Never),
    ("parameters", EventField::Parameters),
    ("properties", EventField::Properties),
];

impl EventField {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "errorClickCount" | "uTurnCount" | "deadClickCount" => Some(Self::Never),
            _ => FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field),
        }
    }
}

impl Event {
    pub(super) fn get(&self, field: EventField, context: &Context) -> Datum {
        match field {
            EventField::Visitor => self.visitor.clone(),
            EventField::Account => self.account.clone(),
            EventField::App => Datum::int(product::APPS[self.app].id),
            EventField::Period(period) => self.period_start(period).map_or(Datum::Null, Datum::int),
            EventField::First => Datum::int(self.first),
            EventField::Last => Datum::int(self.last),
            EventField::Item(class) if class == self.class => self.item.clone().map_or(Datum::Null, Datum::Text),
            EventField::Events => Datum::int(self.events.into()),
            EventField::Minutes => Datum::int(self.minutes.into()),
            EventField::Server => Datum::text(people::SERVER),
            EventField::UserAgent => self.user_agent(context),
            EventField::RemoteIp => self.person().map_or(Datum::Null, |person| Datum::text(&format!("198.51.100.{}", person % 254 + 1))),
            EventField::Country => self.place(context).map_or(Datum::Null, |account| Datum::text(account.country)),
            EventField::Region => self.place(context).map_or(Datum::Null, |account| Datum::text(account.region)),
            EventField::Never => Datum::int(0),
            EventField::Parameters if self.class == Class::Page => Datum::Json(Arc::new(json!({}))),
            EventField::Parameters | EventField::Item(_) => Datum::Null,
            EventField::Properties => self.properties.clone().map_or(Datum::Null, Datum::Json),
        }
    }

    pub(super) fn into_json(self, context: &Context) -> Map<String, Value> {
        let values = FIELDS.iter().map(|(name, field)| ((*name).to_owned(), self.get(*field, context).into_json(&context.company)));
        values.filter(|(_, value)| !value.is_null()).collect()
    }

    /// A row tells its own period and the longer ones that hold it whole.
    fn period_start(&self, period: Period) -> Option<i64> {
        let known = match (self.period, period) {
            (row, wanted) if row == wanted => return Some(self.start),
            (Period::Hour, _) => true,
            (Period::Day, wanted) => wanted != Period::Hour,
            (Period::Month, wanted) => wanted == Period::Quarter,
            _ => false,
        };
        known.then(|| period.start(self.start))
    }

    const fn person(&self) -> Option<u64> {
        match self.visitor {
            Datum::Visitor(person) => Some(person),
            _ => None,
        }
    }

    fn place(&self, context: &Context) -> Option<crate::sandbox::company::Account> {
        match self.account {
            Datum::Account(account) => Some(context.company.account(account)),
            _ => None,
        }
    }

    fn user_agent(&self, context: &Context) -> Datum {
        self.person().map_or(Datum::Null, |person| {
            let (browser, version, system) = people::browser(&context.company, person);
            Datum::text(&format!("Mozilla/5.0 ({system}) {browser}/{version}"))
        })
    }
}

/// The rows of usage, those of one account as neighbours, accounts by index. Tells also whether every account has one place only and
/// whether all of them are in the order of their ids.
pub(super) fn rows(
    context: &Context,
    window: Window,
    class: Class,
    apps: Apps,
    item: Option<&str>,
    blacklist: Blacklist,
    accounts: Range<u64>,
) -> (Box<dyn Iterator<Item = Row> + Send>, bool, bool) {
    let usage = Counted::new(context, window, class, apps, item);
    let left_out = LeftOut::new(context, blacklist);
    let (sent, orderly) = sent_rows(context, window, class, apps, item, &left_out);
    let known = sent.keys().next_back().is_none_or(|block| *block < context.company.accounts);
    let fill = Box::new(move |person, account, ready: &mut VecDeque<Row>| usage.fill(person, account, ready));
    (Box::new(walk(context, accounts, left_out, fill, sent)), orderly, orderly && known)
}

/// What is counted of a person's usage.
struct Counted {
    context: Context,
    window: Window,
    class: Class,
    apps: Apps,
    /// The items of the class: number, app and id. One without an id for the app as a whole.
    items: Vec<(usize, usize, Option<Arc<str>>)>,
    /// Days that can have usage within the window.
    days: Range<i64>,
}

impl Counted {
    fn new(context: &Context, window: Window, class: Class, apps: Apps, item: Option<&str>) -> Self {
        let listed = |items: &mut dyn Iterator<Item = product::Item>| -> Vec<_> {
            let wanted = items.filter(|one| apps.has(one.app) && item.is_none_or(|id| one.id() == id));
            wanted.map(|one| (one.number, one.app, Some(one.id().into()))).collect()
        };
        let items = match class {
            Class::App => (0..product::APPS.len()).filter(|app| apps.has(*app)).map(|app| (app, app, None)).collect(),
            Class::Page => listed(&mut product::pages()),
            Class::Feature => listed(&mut product::features()),
            Class::Track => listed(&mut product::track_types()),
        };
        let today = context.now.div_euclid(DAY_MS);
        let from = window.from.div_euclid(DAY_MS).max(context.company.origin - 401);
        let to = (window.to + DAY_MS - 1).div_euclid(DAY_MS).min(today + 1);
        Self { context: context.clone(), window, class, apps, items, days: from..to }
    }

    /// The rows of one person.
    fn fill(&self, person: u64, account: u64, ready: &mut VecDeque<Row>) {
        let habits = self.context.company.habits_of(person, account);
        let first = self.days.start.max(habits.first_day);
        let used = (first..self.days.end).filter_map(|day| habits.on(day)).filter(|usage| happened(usage, self.context.now));
        if self.class == Class::App && self.window.period == Period::Day {
            // The usual question, answered without keeping the days.
            for usage in used {
                for app in (0..product::APPS.len()).filter(|app| self.apps.has(*app)) {
                    ready.extend(self.event(person, account, &usage, (app, app, None)).map(|event| Row::new(account, Body::Event(event))));
                }
            }
            return;
        }
        let used: Vec<Usage> = used.collect();
        for (number, app, id) in &self.items {
            let events = used.iter().filter_map(|usage| self.event(person, account, usage, (*number, *app, id.as_ref())));
            ready.extend(by_period(events).map(|event| Row::new(account, Body::Event(event))));
        }
    }

    /// What happened with one item on one day, when that lies in the window.
    fn event(&self, person: u64, account: u64, usage: &Usage, (number, app, id): (usize, usize, Option<&Arc<str>>)) -> Option<Event> {
        let (first, last) = (moment(usage.day, usage.first_minute), moment(usage.day, usage.last_minute));
        let start = self.window.period.start(first);
        if !(self.window.from..self.window.to).contains(&start) {
            return None;
        }
        let (minutes, events) = match self.class {
            Class::App => usage.in_app(app)?,
            Class::Page => share(usage, app, usage.page_views(number))?,
            Class::Feature => share(usage, app, usage.feature_clicks(number))?,
            Class::Track => (0, Some(usage.tracked(number)).filter(|sent| *sent > 0)?),
        };
        let (visitor, account) = (Datum::Visitor(person), Datum::Account(account));
        let (class, period) = (self.class, self.window.period);
        Some(Event { class, visitor, account, app, period, start, first, last, events, minutes, item: id.cloned(), properties: None })
    }
}

/// Minutes in proportion to the events of an item; nothing without events.
fn share(usage: &Usage, app: usize, events: u32) -> Option<(u32, u32)> {
    let (minutes, all) = usage.in_app(app)?;
    (events > 0).then(|| ((minutes * events).div_ceil(all), events))
}

/// Events of one person and item, put together where they fall into one period. They come in the order of time.
fn by_period(events: impl Iterator<Item = Event>) -> impl Iterator<Item = Event> {
    let mut events = events.peekable();
    std::iter::from_fn(move || {
        let mut event = events.next()?;
        while let Some(more) = events.next_if(|more| more.start == event.start) {
            event.events += more.events;
            event.minutes += more.minutes;
            event.last = more.last;
        }
        Some(event)
    })
}

/// Visitors that are not to be processed.
pub(super) fn marked(context: &Context) -> HashSet<Key> {
    let is_marked = |row: &crate::sandbox::documents::Row| *row.get("metadata.pendo.donotprocess") == Value::Bool(true);
    let rows = context.pendo.visitors.written().into_iter().filter(is_marked);
    rows.map(|row| Datum::id(&row.id(), &context.company).key(&context.company)).collect()
}

/// Visitors whose usage is not told: deleted, or not to be processed.
pub(super) struct LeftOut {
    deleted: HashSet<u64>,
    deleted_accounts: HashSet<u64>,
    marked: HashSet<Key>,
    blacklist: Blacklist,
}

impl LeftOut {
    pub(super) fn new(context: &Context, blacklist: Blacklist) -> Self {
        let pendo = &context.pendo;
        Self { deleted: pendo.visitors.deleted(), deleted_accounts: pendo.accounts.deleted(), marked: marked(context), blacklist }
    }

    fn has(&self, visitor: &Key) -> bool {
        let deleted = matches!(visitor, Key::Visitor(person) if self.deleted.contains(person));
        let unwanted = match self.blacklist {
            Blacklist::Apply => !self.marked.is_empty() && self.marked.contains(visitor),
            Blacklist::Ignore => false,
            Blacklist::Only => !self.marked.contains(visitor),
        };
        deleted || unwanted
    }
}

/// Puts the rows of a person (of an account) into a queue.
pub(super) type Fill = Box<dyn FnMut(u64, u64, &mut VecDeque<Row>) + Send>;

/// Calls `fill` for each person, and puts in the rows that were made for a block after those of its account's people.
pub(super) fn walk(
    context: &Context,
    accounts: Range<u64>,
    left_out: LeftOut,
    mut fill: Fill,
    mut sent: BTreeMap<u64, Vec<Row>>,
) -> impl Iterator<Item = Row> + Send + use<> {
    let company = context.company;
    sent.retain(|block, _| accounts.contains(block) || *block >= company.accounts);
    let (mut account, end) = (accounts.start, accounts.end);
    let mut people = if account < end { company.people_of(account) } else { 0..0 };
    let mut ready = VecDeque::new();
    std::iter::from_fn(move || {
        loop {
            if let Some(row) = ready.pop_front() {
                return Some(row);
            }
            match people.next() {
                Some(person) if left_out.has(&Key::Visitor(person)) || left_out.deleted_accounts.contains(&account) => {}
                Some(person) => fill(person, account, &mut ready),
                None if account < end => {
                    ready.extend(sent.remove(&account).unwrap_or_default());
                    account += 1;
                    people = if account < end { company.people_of(account) } else { 0..0 };
                }
                None => match sent.pop_first() {
                    Some((_, rows)) => ready.extend(rows),
                    None => return None,
                },
            }
        }
    })
}

/// Rows of the track events that were sent, by block: the account's index, or a number after those for an unknown account. Tells also
/// whether each visitor is in one block only.
fn sent_rows(context: &Context, window: Window, class: Class, apps: Apps, item: Option<&str>, left_out: &LeftOut) -> (BTreeMap<u64, Vec<Row>>, bool) {
    let company = &context.company;
    let mut blocks: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    let (mut orderly, mut unknown) = (true, BTreeMap::new());
    let mut homes: BTreeMap<String, Datum> = BTreeMap::new();
    for sent in context.pendo.tracked.scan() {
        let text = |field: &str| sent.get(field).as_str().unwrap_or_default().to_owned();
        let (visitor, account, time) =
            (Datum::id(&text("visitorId"), company), Datum::id(&text("accountId"), company), sent.get("timestamp").as_i64().unwrap_or(0));
        let start = window.period.start(time);
        let wanted = matches!(class, Class::App | Class::Track) && apps.has(0) && item.is_none_or(|id| text("trackTypeId") == id);
        if !wanted || left_out.has(&visitor.key(company)) || time > context.now || !(window.from..window.to).contains(&start) {
            continue;
        }
        orderly &= match &visitor {
            Datum::Visitor(person) => Datum::Account(company.account_of(*person)).equals(&account, company),
            _ => homes.entry(text("visitorId")).or_insert_with(|| account.clone()).equals(&account, company),
        };
        let block = match &account {
            Datum::Account(index) => *index,
            _ => {
                let next = company.accounts + unknown.len() as u64;
                *unknown.entry(text("accountId")).or_insert(next)
            }
        };
        let (item, properties) = match class {
            Class::Track => (Some(text("trackTypeId").into()), Some(Arc::new(sent.get("properties").into_owned()))),
            _ => (None, None),
        };
        let period = window.period;
        let event = Event { class, visitor, account, app: 0, period, start, first: time, last: time, events: 1, minutes: 0, item, properties };
        blocks.entry(block).or_default().push(Row::new(block, Body::Event(event)));
    }
    (blocks, orderly)
}
