//! Which rows of a source count: its own filter, whichever way it is written, and its limit. Whatever reads a source goes by this.

use crate::model::{Date, Fault, FaultKind, Filter, Record, Source, TimeZone};

use super::closure::Closure;

/// What rows have to meet beyond what the source itself is asked for.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Conditions on the rows of a source that takes none: SOQL, a report, an aggregation. Those on an object are part of its query.
    pub filter: Option<Filter>,
    /// Only rows for which it is true; each is asked when it has been read.
    pub keep: Option<Closure>,
    /// At most so many, counted when everything else has passed.
    pub limit: Option<u64>,
}

impl Rows {
    /// Whether every row counts.
    pub const fn all(&self) -> bool {
        self.filter.is_none() && self.keep.is_none() && self.limit.is_none()
    }

    /// Adds conditions, which have to hold beside those that are there: to the query of an object, which its system applies, else to the rows.
    pub fn narrow(&mut self, source: &mut Source, more: Filter) {
        let filter = match source {
            Source::Object(query) => &mut query.filter,
            Source::Soql(_) | Source::Report(_) | Source::Aggregation { .. } | Source::Saved(_) => &mut self.filter,
        };
        *filter = Filter::joined(filter.take(), Some(more));
    }

    /// How many rows the system may be asked for at most: none where only the reader knows which of them count.
    pub fn asked(&self) -> Option<u64> {
        self.limit.filter(|_| self.filter.is_none() && self.keep.is_none())
    }

    /// The fields that decide whether a row counts; none when any may.
    pub fn reads(&self) -> Option<Vec<&str>> {
        let mut fields: Vec<&str> = self.filter.iter().flat_map(Filter::fields).collect();
        if let Some(keep) = &self.keep {
            fields.extend(keep.reads()?.iter().map(String::as_str));
        }
        Some(fields)
    }

    /// Whether a row that was read passes.
    ///
    /// # Errors
    /// When the closure fails or gives what is neither true nor false.
    pub fn pass(&self, row: &Record, zone: &TimeZone) -> Result<bool, Fault> {
        if self.filter.as_ref().is_some_and(|filter| !filter.matches(row, zone)) {
            return Ok(false);
        }
        self.keep.as_ref().map_or(Ok(true), |keep| keep.holds(row))
    }

    /// Conditions on a field that rows do not have, or that cannot be compared with what is in it, would hold for none of them, or for all.
    ///
    /// # Errors
    /// The field that such a row lacks, or whose value is of another type.
    pub fn fit(&self, source: &Source, row: &Record) -> Result<(), Fault> {
        for condition in self.filter.iter().flat_map(|filter| &filter.conditions) {
            if let Some(reason) = row.path(&condition.field).and_then(|value| condition.unlike(value)) {
                let message = format!("a filter compares `{}`, and {reason}", condition.field);
                return Err(Fault::new(FaultKind::Invalid, message).field(&condition.field));
            }
        }
        // Documents of an aggregation need not all have the same fields.
        if matches!(source, Source::Aggregation { .. } | Source::Object(_)) {
            return Ok(());
        }
        let has = |field: &str| row.get(field).is_some() || field.split_once('.').is_some_and(|(head, _)| row.get(head).is_some());
        match self.filter.iter().flat_map(Filter::fields).find(|field| !has(field)) {
            None => Ok(()),
            Some(field) => {
                let known: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).take(20).collect();
                let message = format!("a filter asks for `{field}`, which the rows do not have; they have {}", known.join(", "));
                Err(Fault::new(FaultKind::Invalid, message).field(field))
            }
        }
    }

    /// The same on a rule date.
    pub(super) fn settle(&mut self, date: Date, filter: impl Fn(&mut Filter, Date)) {
        if let Some(own) = &mut self.filter {
            filter(own, date);
        }
        if let Some(keep) = &mut self.keep {
            *keep = keep.on(date);
        }
    }
}
