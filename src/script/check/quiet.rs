//! Grouped rules that would leave old numbers standing.

use crate::model::Source;
use crate::script::{
    declaration::{ActionKind, Body, Declaration, Mode, Rule},
    diagnostics::{Diagnostic, Id},
};

/// A rule that calculates by account and loads it to accounts, and does not say what becomes of those without rows.
pub(in crate::script) fn quiet(declaration: &Declaration) -> Vec<Diagnostic> {
    let Body::Rule(rule) = &declaration.body else { return Vec::new() };
    if rule.for_every.is_some() || rule.calculated.is_empty() || !rule.by_account() || has_a_row_each(rule) || !keeps(rule) {
        return Vec::new();
    }
    let message = format!("an account that has no more rows is in no group of `{}`: it keeps its old numbers", declaration.name);
    let hint = "`for_every: \"customer\"` (or \"account\") counts those without rows as 0; `for_every: \"group\"` says that they are left alone";
    vec![Diagnostic::new(Id::OldNumbers, &declaration.place, message).hint(hint)]
}

/// Whether the source has one row for each account, whatever happens.
fn has_a_row_each(rule: &Rule) -> bool {
    let of_itself = match &rule.from {
        Source::Object(query) => query.filter.is_none() && query.own_id().eq_ignore_ascii_case(&rule.account),
        Source::Report(report) => report.own_id() == rule.account,
        Source::Soql(_) | Source::Aggregation { .. } | Source::Saved(_) => false,
    };
    of_itself && rule.rows.all() && rule.filters.is_none()
}

/// Whether something that it writes stays as it is when the rule no longer writes it.
fn keeps(rule: &Rule) -> bool {
    rule.actions.iter().any(|action| match &action.kind {
        ActionKind::Usage(_) | ActionKind::Score(_) => true,
        ActionKind::Object(load) => load.operation != Mode::Insert,
        ActionKind::Cta(_) | ActionKind::Kept(_) => false,
    })
}
