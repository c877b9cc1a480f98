//! The vendor's own people: customer success managers who own accounts.

use super::{Company, ids, names, pick};

/// A user of Salesforce and Gainsight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    pub index: u64,
    pub first: &'static str,
    pub last: &'static str,
}

impl User {
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    pub fn email(&self) -> String {
        format!("{}.{}@cs.example", self.first.to_lowercase(), self.last.to_lowercase())
    }
}

impl Company {
    /// How many users there are: one for 25 accounts, 4 to 60.
    pub fn users(&self) -> u64 {
        (self.accounts / 25).clamp(4, 60)
    }

    /// The user at an index below `users()`. No two have the same name.
    pub fn user(&self, index: u64) -> User {
        let first = pick(&names::GIVEN_NAMES, index + self.draw(20, 0, 0) % 64);
        User { index, first, last: pick(&names::FAMILY_NAMES, self.draw(21, index, 0)) }
    }

    /// The Salesforce id of a user.
    pub fn user_id(&self, index: u64) -> String {
        ids::salesforce(ids::USER, index + 1)
    }

    /// The index of a Salesforce user id.
    pub fn user_of_id(&self, id: &str) -> Option<u64> {
        ids::salesforce_number(ids::USER, id)?.checked_sub(1).filter(|index| *index < self.users())
    }

    /// The Gainsight id of a user.
    pub fn user_gsid(&self, index: u64) -> String {
        ids::gainsight(ids::GS_USER, index + 1)
    }

    /// The index of a Gainsight user id.
    pub fn user_of_gsid(&self, id: &str) -> Option<u64> {
        ids::gainsight_number(ids::GS_USER, id)?.checked_sub(1).filter(|index| *index < self.users())
    }
}
