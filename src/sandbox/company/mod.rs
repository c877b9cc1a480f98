//! The seeded company: everything about it is a pure function of a seed and an index, so that a million accounts cost nothing.
//!
//! Account `i` is one Salesforce Account, one Pendo account and (for about 80 %) one Gainsight Company; person `j` is one Contact, one
//! Gainsight Person and one Pendo visitor. The people of an account are neighbours. Usage is a function of the absolute day: it is
//! there for at least 90 days before the origin (the day the sandbox was first started) and for every day after it.

/// Accounts.
mod accounts;
/// Ids of the systems, computed from indices and back.
pub mod ids;
/// Words that names are made of.
mod names;
/// NPS answers and guide views.
mod nps;
/// People.
mod people;
/// Apps, pages, features, track events and guides of the product whose usage is seen.
pub mod product;
/// Minutes, events, page views and feature clicks of a day.
mod usage;
/// The vendor's own people: customer success managers.
mod users;

pub use accounts::{Account, Pattern};
pub use nps::{GuideView, NpsAnswer, comment_on};
pub use people::Person;
pub use usage::{Habits, Usage};
pub use users::User;

/// The numbers that everything else follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Company {
    pub seed: u64,
    pub accounts: u64,
    pub people: u64,
    /// The day the sandbox was first started, since the Unix epoch.
    pub origin: i64,
}

impl Company {
    /// A number that looks drawn at random, the same for the same `what`, `index` and `more`.
    pub(in crate::sandbox) fn draw(&self, what: u64, index: u64, more: u64) -> u64 {
        mix(mix(mix(self.seed ^ what.wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ index) ^ more.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }
}

/// Spreads the bits of a number over the whole word.
pub(in crate::sandbox) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The word a drawn number falls on.
fn pick<T: Copy>(words: &[T], drawn: u64) -> T {
    #[allow(clippy::cast_possible_truncation)]
    let position = (drawn % words.len() as u64) as usize;
    words[position]
}

/// A drawn number as a fraction of one.
fn fraction(drawn: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let fraction = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}
