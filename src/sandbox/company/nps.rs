//! Answers to the NPS survey, and which guides people saw.

use super::{Company, Pattern, accounts::signed, fraction, pick, product};

/// One answer to the NPS survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NpsAnswer {
    pub day: i64,
    /// Minutes after midnight UTC.
    pub minute: u32,
    /// 0 to 10.
    pub score: u32,
    pub comment: Option<&'static str>,
}

/// One view of a guide, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuideView {
    pub guide: usize,
    pub day: i64,
    /// Minutes after midnight UTC.
    pub minute: u32,
    /// Whether it was gone through to its end; dismissed otherwise.
    pub completed: bool,
}

/// The survey is shown once in so many days.
const CYCLE: i64 = 90;

const PRAISE: [&str; 4] = ["Saves us hours every week", "Great support", "Easy to use", "The report builder is excellent"];
const DOUBT: [&str; 4] = ["Does the job", "Good, but search is slow", "Missing a few integrations", "Fine so far"];
const COMPLAINT: [&str; 4] = ["Too hard to set up", "We hardly use it any more", "Too expensive for what it does", "Reports time out"];

/// What somebody writes who gives this score of 0 to 10.
pub fn comment_on(score: u32, drawn: u64) -> &'static str {
    let words = if score >= 9 { &PRAISE } else { pick(&[&COMPLAINT, &DOUBT], u64::from(score >= 7)) };
    pick(words, drawn)
}

impl Company {
    /// A person's answers to the NPS survey on the days from `from` to `to`, both included: at most one in 90 days.
    pub fn nps_answers(&self, person: u64, from: i64, to: i64) -> impl Iterator<Item = NpsAnswer> + use<> {
        let company = *self;
        let account = self.account_of(person);
        let (pattern, first_day) = (self.pattern(account), self.first_day(person, account));
        let cycles = from.div_euclid(CYCLE)..=to.div_euclid(CYCLE);
        let answers = cycles.filter_map(move |cycle| company.nps_answer(person, pattern, cycle));
        answers.filter(move |answer| (from..=to).contains(&answer.day) && answer.day > first_day)
    }

    fn nps_answer(&self, person: u64, pattern: Pattern, cycle: i64) -> Option<NpsAnswer> {
        let drawn = self.draw(50, person, cycle.unsigned_abs());
        let day = cycle * CYCLE + signed((drawn >> 8) % 90);
        let answers = match pattern {
            Pattern::Quiet { since } if day >= since => false,
            _ => drawn % 100 < 22,
        };
        let (low, spread) = match pattern {
            Pattern::Growing => (6, 5),
            Pattern::Steady | Pattern::New => (5, 6),
            Pattern::Falling => (2, 7),
            Pattern::Quiet { .. } => (1, 6),
        };
        let score = low + u32::try_from((drawn >> 20) % spread).unwrap_or(0);
        let comment = ((drawn >> 30) % 5 < 2).then(|| comment_on(score, drawn >> 34));
        answers.then(|| NpsAnswer { day, minute: 480 + u32::try_from((drawn >> 40) % 500).unwrap_or(0), score, comment })
    }

    /// The guides a person saw on a day, which is one with usage.
    pub fn guide_views(&self, person: u64, day: i64) -> impl Iterator<Item = GuideView> + use<> {
        let answer = self.nps_answers(person, day, day).next();
        let company = *self;
        let nps = answer.map(|answer| GuideView { guide: 0, day, minute: answer.minute, completed: true });
        let others = (1..product::guides().count()).filter_map(move |guide| {
            let drawn = company.draw(51 + guide as u64, person, day.unsigned_abs());
            let minute = 480 + u32::try_from((drawn >> 40) % 500).unwrap_or(0);
            (fraction(drawn) < 0.03).then_some(GuideView { guide, day, minute, completed: (drawn >> 8) % 10 < 6 })
        });
        nps.into_iter().chain(others)
    }
}
