//! Numbers that mean nothing beyond their bounds, though the field that they stand in would hold them.

use super::{System, Value, schema::Misfit};

/// The object that Gainsight's scores are loaded to, and the field of the score.
const SCORES: (&str, &str) = ("measure_scores__gc", "Score__gc");

/// The least and the most that a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    least: i64,
    most: i64,
    what: &'static str,
}

impl Bounds {
    /// A score of a scorecard's measure: Gainsight scores from 0 to 100.
    pub const SCORE: Self = Self { least: 0, most: 100, what: "a score" };

    /// Those of a field; none where any number counts.
    pub fn of(system: System, object: &str, field: &str) -> Option<Self> {
        let is_score = system == System::Gainsight && object.eq_ignore_ascii_case(SCORES.0) && field.eq_ignore_ascii_case(SCORES.1);
        is_score.then_some(Self::SCORE)
    }

    /// Refuses a number beyond them. What is no number is for the field's type to refuse.
    ///
    /// # Errors
    /// What it is, and what would be taken.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
        let within = |number: f64| number >= self.least as f64 && number <= self.most as f64;
        match value.as_f64() {
            Some(number) if !within(number) => Err(Misfit(format!("`{value}` is not {} from {} to {}", self.what, self.least, self.most))),
            _ => Ok(()),
        }
    }
}
