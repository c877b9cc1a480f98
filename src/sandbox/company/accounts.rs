//! Accounts: names, industry, revenue, renewal, lifecycle, owner, and how their usage goes.

use std::ops::Range;

use super::{Company, fraction, ids, names, pick};

/// How the usage of an account goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    Steady,
    Growing,
    Falling,
    /// Nothing since `since` (a day).
    Quiet {
        since: i64,
    },
    /// Started less than 30 days before the origin.
    New,
}

/// An account, without the words that are long to make (`Company::account_name` and the like).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Account {
    pub index: u64,
    pub pattern: Pattern,
    /// The day it became a customer.
    pub created: i64,
    /// The next renewal after the origin, a day.
    pub renewal: i64,
    /// Dollars a year.
    pub arr: i64,
    pub employees: i64,
    /// Licensed seats.
    pub seats: i64,
    pub industry: &'static str,
    pub city: &'static str,
    pub region: &'static str,
    pub country: &'static str,
    /// `Starter`, `Professional` or `Enterprise`.
    pub plan: &'static str,
    /// `onboarding`, `adopting`, `mature` or `at risk`.
    pub lifecycle: &'static str,
    /// 0 to 100 with one decimal.
    pub health: f64,
    /// `Low`, `Medium` or `High`.
    pub churn_risk: &'static str,
    /// `In Progress`, `Completed`, or none where it was never tracked.
    pub onboarding_status: Option<&'static str>,
    /// The user who owns it.
    pub owner: u64,
    /// Whether Gainsight has it as a company.
    pub customer: bool,
}

/// Names repeat with a number after so many accounts.
const NAMES: u64 = 64 * 32 * 16;
/// An odd number, so that multiplying by it modulo a power of two can be undone.
const STRIDE: u64 = 20_413;

impl Company {
    /// The account at an index below `accounts`.
    pub fn account(&self, index: u64) -> Account {
        let pattern = self.pattern(index);
        let created = self.created(index, pattern);
        let health = health(pattern, fraction(self.draw(4, index, 0)));
        let size = fraction(self.draw(5, index, 0));
        #[allow(clippy::cast_possible_truncation)]
        let arr = (2_000.0 * (1.0 + size * size * size * 240.0)) as i64 / 100 * 100;
        let (city, region, country) = pick(&names::PLACES, self.draw(6, index, 0));
        Account {
            index,
            pattern,
            created,
            renewal: self.renewal(created),
            arr,
            employees: arr / 400 + signed(self.draw(7, index, 0) % 40) + 5,
            seats: arr / 1_000 + 5,
            industry: pick(&names::INDUSTRIES, self.name_number(index) >> 11),
            city,
            region,
            country,
            plan: if arr > 150_000 { "Enterprise" } else { pick(&["Starter", "Professional"], arr.unsigned_abs() / 20_000) },
            lifecycle: lifecycle(pattern, self.origin - created, health),
            health,
            churn_risk: if health < 40.0 { "High" } else { pick(&["Medium", "Low"], u64::from(health >= 65.0)) },
            onboarding_status: onboarding(pattern, self.draw(8, index, 0)),
            owner: self.draw(9, index, 0) % self.users(),
            customer: self.is_customer(index),
        }
    }

    /// Whether Gainsight has the account as a company: about 80 % of them.
    pub fn is_customer(&self, index: u64) -> bool {
        !self.draw(10, index, 0).is_multiple_of(5)
    }

    /// How the usage of an account goes.
    pub fn pattern(&self, index: u64) -> Pattern {
        let drawn = self.draw(1, index, 0);
        match drawn % 20 {
            0..=9 => Pattern::Steady,
            10..=13 => Pattern::Growing,
            14..=16 => Pattern::Falling,
            17 | 18 => Pattern::Quiet { since: self.origin - 8 - signed((drawn >> 32) % 45) },
            _ => Pattern::New,
        }
    }

    /// The day an account became a customer.
    pub(super) fn created(&self, index: u64, pattern: Pattern) -> i64 {
        let drawn = self.draw(2, index, 0);
        match pattern {
            Pattern::New => self.origin - 2 - signed(drawn % 28),
            _ => self.origin - 120 - signed(drawn % 1_400),
        }
    }

    fn renewal(&self, created: i64) -> i64 {
        created + ((self.origin - created) / 365 + 1) * 365
    }

    /// The people of an account, by index.
    pub fn people_of(&self, account: u64) -> Range<u64> {
        self.first_person(account)..self.first_person(account + 1)
    }

    /// The account that a person belongs to.
    pub fn account_of(&self, person: u64) -> u64 {
        let last = ((u128::from(person) + 1) * u128::from(self.accounts)).saturating_sub(1) / u128::from(self.people.max(1));
        let mut account = u64::try_from(last).unwrap_or(u64::MAX).min(self.accounts.saturating_sub(1));
        while account > 0 && self.first_person(account) > person {
            account -= 1;
        }
        account
    }

    /// Evenly spread, then moved on by less than the smallest distance between two: the order stays.
    fn first_person(&self, account: u64) -> u64 {
        if account == 0 || account >= self.accounts {
            return if account == 0 { 0 } else { self.people };
        }
        let even = u64::try_from(u128::from(account) * u128::from(self.people) / u128::from(self.accounts)).unwrap_or(0);
        let distance = self.people / self.accounts;
        even + if distance > 1 { self.draw(3, account, 0) % distance } else { 0 }
    }

    fn name_number(&self, account: u64) -> u64 {
        (account % NAMES).wrapping_mul(STRIDE).wrapping_add(self.draw(11, 0, 0)) % NAMES
    }

    fn name_words(&self, account: u64) -> (&'static str, &'static str, &'static str) {
        let number = self.name_number(account);
        (pick(&names::FIRST_WORDS, number), pick(&names::SECOND_WORDS, number >> 6), pick(&names::LAST_WORDS, number >> 11))
    }

    /// The account's name. No two have the same one.
    pub fn account_name(&self, account: u64) -> String {
        let (first, second, last) = self.name_words(account);
        match account / NAMES {
            0 => format!("{first}{second} {last}"),
            round => format!("{first}{second} {last} {}", round + 1),
        }
    }

    /// The account's mail domain. No two have the same one.
    pub fn domain(&self, account: u64) -> String {
        let (first, second, last) = self.name_words(account);
        let (first, last) = (first.to_ascii_lowercase(), last.to_ascii_lowercase());
        match account / NAMES {
            0 => format!("{first}{second}-{last}.example"),
            round => format!("{first}{second}-{last}-{}.example", round + 1),
        }
    }

    /// The account with this mail domain.
    pub fn account_of_domain(&self, domain: &str) -> Option<u64> {
        let mut parts = domain.strip_suffix(".example")?.split('-');
        let (words, last) = (parts.next()?, parts.next()?);
        let round = parts.next().map_or(Some(0), |number| number.parse::<u64>().ok()?.checked_sub(1))?;
        let last = position(&names::LAST_WORDS, |word| word.eq_ignore_ascii_case(last))?;
        let splits = |word: &&str| words.len() > word.len() && words.is_char_boundary(word.len()) && word.eq_ignore_ascii_case(&words[..word.len()]);
        let firsts = names::FIRST_WORDS.iter().enumerate().filter(|(_, word)| splits(word));
        let mut numbers = firsts.filter_map(|(first, word)| {
            let second = position(&names::SECOND_WORDS, |second| **second == words[word.len()..])?;
            Some(first as u64 | (second << 6) | (last << 11))
        });
        let account = numbers.next()?.wrapping_sub(self.draw(11, 0, 0)).wrapping_mul(inverse(STRIDE)) % NAMES + round * NAMES;
        (account < self.accounts && self.domain(account) == domain).then_some(account)
    }

    /// The account with this name.
    pub fn account_of_name(&self, name: &str) -> Option<u64> {
        let account = self.account_of_domain(&format!("{}.example", name.to_ascii_lowercase().replace(' ', "-")))?;
        (self.account_name(account) == name).then_some(account)
    }

    /// The Salesforce id of an account, which is its id in Pendo too.
    pub fn account_id(&self, account: u64) -> String {
        ids::salesforce(ids::ACCOUNT, account + 1)
    }

    /// The index of a Salesforce account id.
    pub fn account_of_id(&self, id: &str) -> Option<u64> {
        ids::salesforce_number(ids::ACCOUNT, id)?.checked_sub(1).filter(|index| *index < self.accounts)
    }

    /// The Gainsight company id of an account.
    pub fn account_gsid(&self, account: u64) -> String {
        ids::gainsight(ids::GS_COMPANY, account + 1)
    }

    /// The index of a Gainsight company id.
    pub fn account_of_gsid(&self, id: &str) -> Option<u64> {
        ids::gainsight_number(ids::GS_COMPANY, id)?.checked_sub(1).filter(|index| *index < self.accounts)
    }
}

fn health(pattern: Pattern, drawn: f64) -> f64 {
    let (low, high) = match pattern {
        Pattern::Growing => (72.0, 98.0),
        Pattern::Steady => (58.0, 92.0),
        Pattern::New => (50.0, 80.0),
        Pattern::Falling => (28.0, 60.0),
        Pattern::Quiet { .. } => (8.0, 35.0),
    };
    f64::round((low + drawn * (high - low)) * 10.0) / 10.0
}

fn lifecycle(pattern: Pattern, age: i64, health: f64) -> &'static str {
    match pattern {
        Pattern::New => "onboarding",
        _ if health < 40.0 => "at risk",
        _ if age < 365 => "adopting",
        _ => "mature",
    }
}

fn onboarding(pattern: Pattern, drawn: u64) -> Option<&'static str> {
    match pattern {
        Pattern::New => Some("In Progress"),
        _ => (!drawn.is_multiple_of(3)).then_some("Completed"),
    }
}

fn position(words: &[&str], matches: impl Fn(&&str) -> bool) -> Option<u64> {
    words.iter().position(matches).map(|position| position as u64)
}

/// The number that undoes a multiplication by an odd one, modulo a power of two.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

/// A small drawn number as a signed one.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
