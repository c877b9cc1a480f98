//! Accounts and visitors that nobody wrote. Fields are named by their dotted path, as in an aggregation.

use std::sync::Arc;

use serde_json::{Value, json};

use super::state::moment;
use crate::sandbox::{
    company::{Company, mix},
    documents::{Row, Seed},
    server::World,
};

/// The accounts of the company.
pub(super) struct Accounts(pub(super) Arc<World>);

/// The people of the company.
pub(super) struct Visitors(pub(super) Arc<World>);

/// The copies of the times that are kept per app, by the app's index: its id, a minus as another underscore.
const PER_APP: [(&str, usize); 2] = [("metadata.auto__323232.", 0), ("metadata.auto_5629499534213120.", 1)];

const ACCOUNT_FIELDS: [&str; 18] = [
    "accountId",
    "metadata.auto.id",
    "metadata.auto.idhash",
    "metadata.auto.firstvisit",
    "metadata.auto.lastvisit",
    "metadata.auto.lastupdated",
    "metadata.auto__323232.firstvisit",
    "metadata.auto__323232.lastvisit",
    "metadata.auto__323232.lastupdated",
    "metadata.auto_5629499534213120.firstvisit",
    "metadata.auto_5629499534213120.lastvisit",
    "metadata.auto_5629499534213120.lastupdated",
    "metadata.agent.name",
    "metadata.agent.industry",
    "metadata.agent.creationdate",
    "metadata.agent.planlevel",
    "metadata.custom.arr",
    "metadata.custom.seats",
];

const VISITOR_FIELDS: [&str; 25] = [
    "visitorId",
    "accountIds",
    "metadata.auto.id",
    "metadata.auto.idhash",
    "metadata.auto.accountid",
    "metadata.auto.accountids",
    "metadata.auto.firstvisit",
    "metadata.auto.lastvisit",
    "metadata.auto.lastupdated",
    "metadata.auto.lastbrowsername",
    "metadata.auto.lastbrowserversion",
    "metadata.auto.lastoperatingsystem",
    "metadata.auto.lastservername",
    "metadata.auto__323232.firstvisit",
    "metadata.auto__323232.lastvisit",
    "metadata.auto__323232.lastupdated",
    "metadata.auto_5629499534213120.firstvisit",
    "metadata.auto_5629499534213120.lastvisit",
    "metadata.auto_5629499534213120.lastupdated",
    "metadata.agent.email",
    "metadata.agent.full_name",
    "metadata.agent.role",
    "metadata.pendo.blacklistguides",
    "metadata.pendo.designerenabled",
    "metadata.pendo.donotprocess",
];

impl Seed for Accounts {
    fn count(&self) -> u64 {
        self.0.company.accounts
    }

    fn id(&self, index: u64) -> String {
        self.0.company.account_id(index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        let index = self.0.company.account_of_id(id)?;
        (self.id(index) == id).then_some(index)
    }

    fn fields(&self) -> &[&'static str] {
        &ACCOUNT_FIELDS
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        let account = || company.account(index);
        Some(match field {
            "accountId" | "metadata.auto.id" => company.account_id(index).into(),
            "metadata.auto.idhash" => id_hash(&company.account_id(index)).into(),
            "metadata.agent.name" => company.account_name(index).into(),
            "metadata.agent.industry" => account().industry.into(),
            "metadata.agent.creationdate" => moment(account().created, 0).into(),
            "metadata.agent.planlevel" => account().plan.into(),
            "metadata.custom.arr" => account().arr.into(),
            "metadata.custom.seats" => account().seats.into(),
            _ => return time_field(field).map(|(time, app)| account_time(&self.0, index, time, app)),
        })
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let index = |found: Option<u64>| Some(found.into_iter().collect());
        match field {
            "accountId" | "metadata.auto.id" => index(self.index(value.as_str()?)),
            "metadata.agent.name" => index(self.0.company.account_of_name(value.as_str()?)),
            _ => None,
        }
    }
}

impl Seed for Visitors {
    fn count(&self) -> u64 {
        self.0.company.people
    }

    fn id(&self, index: u64) -> String {
        self.0.company.email(index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.0.company.person_of_email(id)
    }

    fn fields(&self) -> &[&'static str] {
        &VISITOR_FIELDS
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        let account = || company.account_id(company.account_of(index));
        Some(match field {
            "visitorId" | "metadata.auto.id" | "metadata.agent.email" => company.email(index).into(),
            "metadata.auto.idhash" => id_hash(&company.email(index)).into(),
            "metadata.auto.accountid" => account().into(),
            "accountIds" | "metadata.auto.accountids" => json!([account()]),
            "metadata.auto.lastbrowsername" => browser(company, index).0.into(),
            "metadata.auto.lastbrowserversion" => browser(company, index).1.into(),
            "metadata.auto.lastoperatingsystem" => browser(company, index).2.into(),
            "metadata.auto.lastservername" => SERVER.into(),
            "metadata.agent.full_name" => company.person(index).name().into(),
            "metadata.agent.role" => company.person(index).role.into(),
            "metadata.pendo.blacklistguides" | "metadata.pendo.designerenabled" | "metadata.pendo.donotprocess" => false.into(),
            _ => return time_field(field).map(|(time, app)| visitor_time(&self.0, index, time, app)),
        })
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let matches = matches!(field, "visitorId" | "metadata.auto.id" | "metadata.agent.email");
        matches.then(|| value.as_str().and_then(|id| self.index(id)).into_iter().collect())
    }
}

/// Where the product is served from.
pub(super) const SERVER: &str = "app.product.example";

/// Name and version of a person's browser, and the operating system.
pub(super) fn browser(company: &Company, person: u64) -> (&'static str, &'static str, &'static str) {
    const BROWSERS: [(&str, &str, &str); 4] =
        [("Chrome", "126.0", "Windows"), ("Chrome", "126.0", "MacOS"), ("Edge", "125.0", "Windows"), ("Safari", "17.5", "MacOS")];
    BROWSERS[usize::from(company.draw(60, person, 0).to_le_bytes()[0] % 4)]
}

/// The 32-bit number that stands for an id.
fn id_hash(id: &str) -> u32 {
    u32::try_from(mix(xxhash_rust::xxh3::xxh3_64(id.as_bytes())) >> 32).unwrap_or(0)
}

/// The times that come from usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    FirstVisit,
    /// Also when the record last changed, unless something was written.
    LastVisit,
}

/// Which time a field is, of one app or of all.
fn time_field(field: &str) -> Option<(Time, Option<usize>)> {
    let of_app = || PER_APP.iter().find_map(|(prefix, app)| Some((field.strip_prefix(prefix)?, Some(*app))));
    let (name, app) = field.strip_prefix("metadata.auto.").map(|name| (name, None)).or_else(of_app)?;
    match name {
        "firstvisit" => Some((Time::FirstVisit, app)),
        "lastvisit" | "lastupdated" => Some((Time::LastVisit, app)),
        _ => None,
    }
}

/// Whoever uses the mobile app does so on every day with usage, and everybody uses the other one.
fn visitor_time(world: &World, person: u64, time: Time, app: Option<usize>) -> Value {
    // Whole days only: Pendo rolls usage up with hours of delay (1.5), and what a report says of yesterday stays said all day.
    let (habits, yesterday) = (world.company.habits(person), world.clock.today() - 1);
    if app == Some(1) && !habits.mobile() {
        return Value::Null;
    }
    let visit = match time {
        Time::FirstVisit => habits.on(habits.first_day).filter(|usage| usage.day <= yesterday).map(|usage| moment(usage.day, usage.first_minute)),
        Time::LastVisit => habits.last_day(yesterday).and_then(|day| habits.on(day)).map(|usage| moment(usage.day, usage.last_minute)),
    };
    visit.map_or(Value::Null, Value::from)
}

fn account_time(world: &World, account: u64, time: Time, app: Option<usize>) -> Value {
    let visits = world.company.people_of(account).filter_map(|person| visitor_time(world, person, time, app).as_i64());
    let visit = if time == Time::FirstVisit { visits.min() } else { visits.max() };
    visit.map_or(Value::Null, Value::from)
}

/// A field of an account or visitor: times that go on with usage are the later of what was written and what was seen.
pub(super) fn value(row: &Row, field: &str) -> Value {
    let written = row.get(field);
    let seeded = match (row.index(), time_field(field)) {
        (Some(_), Some((Time::LastVisit, _))) if row.written(field).is_some() => row.seeded(field),
        _ => return written.into_owned(),
    };
    if seeded.as_i64() > written.as_i64() { seeded } else { written.into_owned() }
}

/// The whole of `metadata`, or of one of its groups.
pub(super) fn metadata(row: &Row, group: Option<&str>) -> Value {
    let mut groups = serde_json::Map::new();
    for field in row.fields() {
        let Some((of, name)) = field.strip_prefix("metadata.").and_then(|path| path.split_once('.')) else { continue };
        if group.is_some_and(|wanted| wanted != of) {
            continue;
        }
        if let Value::Object(fields) = groups.entry(of).or_insert_with(|| json!({})) {
            fields.insert(name.to_owned(), value(row, field));
        }
    }
    match group {
        Some(group) => groups.remove(group).unwrap_or(Value::Null),
        None => groups.into(),
    }
}
