//! People: each belongs to one account, and all of them are visitors of the product.

use super::{Company, ids, names, pick};

/// A person, without the words that are long to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    pub index: u64,
    pub account: u64,
    pub first: &'static str,
    pub last: &'static str,
    pub title: &'static str,
    /// `admin`, `user` or `viewer`: the role in the product.
    pub role: &'static str,
    /// Whether it is the account's main contact.
    pub primary: bool,
    /// The day of the first visit.
    pub first_day: i64,
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// Pairs of names repeat with a number after so many people of one account.
const PAIRS: u64 = 64 * 64;

impl Company {
    /// The person at an index below `people`.
    pub fn person(&self, index: u64) -> Person {
        let account = self.account_of(index);
        let place = index - self.people_of(account).start;
        let (first, last) = self.names_of(account, place);
        let role = match self.draw(32, index, 0) % 10 {
            _ if place == 0 => "admin",
            0 => "admin",
            1..=6 => "user",
            _ => "viewer",
        };
        let title = pick(&names::TITLES, self.draw(31, index, 0));
        Person { index, account, first, last, title, role, primary: place == 0, first_day: self.first_day(index, account) }
    }

    /// Names by place within the account: no pair comes twice within `PAIRS` places.
    fn names_of(&self, account: u64, place: u64) -> (&'static str, &'static str) {
        let drawn = self.draw(30, account, 0);
        let first = pick(&names::GIVEN_NAMES, drawn.wrapping_add(place.wrapping_mul(23)) % 64);
        let last = pick(&names::FAMILY_NAMES, (drawn >> 32).wrapping_add(place.wrapping_mul(37)).wrapping_add(place / 64) % 64);
        (first, last)
    }

    /// A person's e-mail address, lower-case, which is the visitor id in Pendo. No two have the same one.
    pub fn email(&self, person: u64) -> String {
        let account = self.account_of(person);
        let place = person - self.people_of(account).start;
        let (first, last) = self.names_of(account, place);
        let (first, last, domain) = (first.to_ascii_lowercase(), last.to_ascii_lowercase(), self.domain(account));
        match place / PAIRS {
            0 => format!("{first}.{last}@{domain}"),
            round => format!("{first}.{last}{}@{domain}", round + 1),
        }
    }

    /// The person with this e-mail address.
    pub fn person_of_email(&self, email: &str) -> Option<u64> {
        let (local, domain) = email.split_once('@')?;
        let people = self.people_of(self.account_of_domain(domain)?);
        let (first, last) = local.split_once('.')?;
        let (last, round) = last.find(|letter: char| letter.is_ascii_digit()).map_or((last, "1"), |digits| last.split_at(digits));
        let start = people.start + round.parse::<u64>().ok()?.checked_sub(1)?.checked_mul(PAIRS)?;
        let end = people.end.min(start.checked_add(PAIRS)?);
        let account = self.account_of_domain(domain)?;
        let named = |person: &u64| {
            let (known_first, known_last) = self.names_of(account, person - people.start);
            known_first.eq_ignore_ascii_case(first) && known_last.eq_ignore_ascii_case(last)
        };
        (start..end).find(named).filter(|person| self.email(*person) == email)
    }

    /// The Salesforce contact id of a person.
    pub fn contact_id(&self, person: u64) -> String {
        ids::salesforce(ids::CONTACT, person + 1)
    }

    /// The index of a Salesforce contact id.
    pub fn person_of_contact_id(&self, id: &str) -> Option<u64> {
        ids::salesforce_number(ids::CONTACT, id)?.checked_sub(1).filter(|index| *index < self.people)
    }

    /// The Gainsight id of a person, with the prefix of a person or of a company person.
    pub fn person_gsid(&self, prefix: &str, person: u64) -> String {
        ids::gainsight(prefix, person + 1)
    }

    /// The index of a Gainsight person (or company person) id.
    pub fn person_of_gsid(&self, prefix: &str, id: &str) -> Option<u64> {
        ids::gainsight_number(prefix, id)?.checked_sub(1).filter(|index| *index < self.people)
    }
}
