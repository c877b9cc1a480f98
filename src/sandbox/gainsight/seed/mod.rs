//! Where the rows come from that nobody wrote: pure functions of the seeded company.

/// Companies: the accounts that are customers.
mod company;
/// People and the companies they belong to.
mod person;
/// The choices of dropdowns.
pub(super) mod picklist;
/// Customer success managers.
mod user;

pub(super) use company::Companies;
pub(super) use person::{CompanyPeople, People};
pub(super) use picklist::Picklists;
pub(super) use user::Users;

use crate::sandbox::clock::{DAY_MS, date_of};
use serde_json::Value;

/// A day as it is kept.
fn day(day: i64) -> Value {
    Value::String(date_of(day).to_string())
}

/// The first moment of a day.
fn moment(day: i64) -> Value {
    (day * DAY_MS).into()
}
