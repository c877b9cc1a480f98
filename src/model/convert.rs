//! Whether values of one type can fit a field of another at all: what `check --online` and a run both ask before any row is read.

use super::FieldType;

impl FieldType {
    /// Whether values of this type can fit a field of the other. Text may hold anything, and anything can become text.
    pub fn converts_to(&self, to: &Self) -> bool {
        let any = |kind: &Self| matches!(kind, Self::Other { .. } | Self::Text { .. } | Self::Time | Self::Picklist(_) | Self::MultiPicklist(_));
        let number = |kind: &Self| matches!(kind, Self::Int { .. } | Self::Number { .. } | Self::Float);
        let day = |kind: &Self| matches!(kind, Self::Date | Self::DateTime { .. });
        let id = |kind: &Self| matches!(kind, Self::Id | Self::Reference { .. });
        let same = matches!((self, to), (Self::Bool, Self::Bool) | (Self::Email { .. }, Self::Email { .. }));
        any(self) || any(to) || same || (number(self) && number(to)) || (day(self) && day(to)) || (id(self) && id(to))
    }

    /// What is said of a field of this type that is given values of another: none when they may fit.
    pub fn clash(&self, what: &str, given: &Self) -> Option<String> {
        (!given.converts_to(self)).then(|| format!("holds {}, but {what} {}", self.word(), given.word()))
    }
}
